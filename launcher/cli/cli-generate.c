/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Completions and the man page, made from the table in cli-table.c when Weft is built. */

#include "cli.h"

#include <string.h>

/* --- shells
 * -----------------------------------------------------------------------------------------------------
 */

/* Both lists of a command's options, one after the other. */
static GPtrArray *
options_of (const CliCommand *command)
{
  GPtrArray *all = g_ptr_array_new ();

  for (const CliOption *option = command->options; option->name; option++)
    g_ptr_array_add (all, (gpointer) option);
  for (const CliOption *option = cli_common_options; option->name; option++)
    g_ptr_array_add (all, (gpointer) option);
  return all;
}

static void
append_command_names (GString *out)
{
  for (const CliCommand *command = cli_commands; command->name; command++)
    g_string_append_printf (out, "%s%s", command == cli_commands ? "" : " ", command->name);
}

static void
append_bash_value (GString *out, const CliOption *option)
{
  switch (option->value) {
    case CLI_VALUE_FILE:
      g_string_append (out, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
      break;
    case CLI_VALUE_FOLDER:
      g_string_append (out, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))");
      break;
    case CLI_VALUE_CHOICE:
      g_string_append_printf (out, "COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", option->choices);
      break;
    default:
      g_string_append (out, "COMPREPLY=()");
      break;
  }
}

/* Written for bash alone: bash-completion is used where it is there (it joins `--name=value`
 * words). */
static gchar *
generate_bash (void)
{
  GString *out =
      g_string_new ("# bash completion for weft\n"
                    "\n"
                    "_weft ()\n"
                    "{\n"
                    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                    "command='' word\n"
                    "  local IFS=$' \\t\\n'\n"
                    "  COMPREPLY=()\n"
                    "  if [ \"$cur\" = = ]; then cur=''; fi\n"
                    "  if [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                    "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                    "    case $word in\n"
                    "      -*) ;;\n"
                    "      *) command=$word; break ;;\n"
                    "    esac\n"
                    "  done\n"
                    "  case $command in\n");

  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autoptr (GPtrArray) options = options_of (command);

    g_string_append_printf (out, "    %s)\n      case $prev in\n", command->name);
    for (guint i = 0; i < options->len; i++) {
      const CliOption *option = g_ptr_array_index (options, i);

      if (option->value == CLI_VALUE_NONE)
        continue;
      g_string_append_printf (out, "        --%s", option->name);
      if (option->letter)
        g_string_append_printf (out, "|-%c", option->letter);
      g_string_append (out, ") ");
      append_bash_value (out, option);
      g_string_append (out, "; return ;;\n");
    }
    g_string_append (out, "      esac\n      case $cur in\n        -*) COMPREPLY=($(compgen -W '");
    for (guint i = 0; i < options->len; i++) {
      const CliOption *option = g_ptr_array_index (options, i);

      g_string_append_printf (out, "%s--%s", i ? " " : "", option->name);
    }
    g_string_append (out, "' -- \"$cur\")) ;;\n        *) ");
    if (command->argument)
      append_bash_value (out, command->argument);
    else
      g_string_append (out, "COMPREPLY=()");
    g_string_append (out, " ;;\n      esac\n      ;;\n");
  }

  g_string_append (out, "    *) COMPREPLY=($(compgen -W '");
  append_command_names (out);
  for (const CliOption *option = cli_common_options; option->name; option++)
    g_string_append_printf (out, " --%s", option->name);
  g_string_append (out, "' -- \"$cur\")) ;;\n  esac\n}\n\ncomplete -F _weft weft\n");
  return g_string_free (out, FALSE);
}

/* @text between single quotes, with what zsh's _arguments or fish would read as syntax escaped. */
static gchar *
quote (const gchar *text, const gchar *special)
{
  GString *out = g_string_new (NULL);

  for (const gchar *p = text; *p; p++) {
    if (*p == '\'')
      g_string_append (out, "'\\''");
    else if (strchr (special, *p))
      g_string_append_printf (out, "\\%c", *p);
    else
      g_string_append_c (out, *p);
  }
  return g_string_free (out, FALSE);
}

static const gchar *
zsh_action (const CliOption *option)
{
  switch (option->value) {
    case CLI_VALUE_FILE:
      return "_files";
    case CLI_VALUE_FOLDER:
      return "_files -/";
    default:
      return " ";
  }
}

static void
append_zsh_option (GString *out, const CliOption *option, const gchar *dashes, const gchar *name)
{
  g_autofree gchar *summary = quote (option->summary, "[]:\\");
  gboolean has_value = option->value != CLI_VALUE_NONE;

  g_string_append_printf (out, "        '%s%s%s%s[%s]", option->is_repeatable ? "*" : "", dashes,
      name, has_value && strlen (name) > 1 ? "=" : "", summary);
  if (option->value == CLI_VALUE_CHOICE)
    g_string_append_printf (out, ":%s:(%s)", option->metavar, option->choices);
  else if (has_value)
    g_string_append_printf (out, ":%s:%s", option->metavar, zsh_action (option));
  g_string_append (out, "' \\\n");
}

static gchar *
generate_zsh (void)
{
  GString *out = g_string_new ("#compdef weft\n"
                               "\n"
                               "_weft () {\n"
                               "  local context state state_descr line\n"
                               "  typeset -A opt_args\n"
                               "  local -a commands\n"
                               "  commands=(\n");

  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autofree gchar *summary = quote (command->summary, ":\\");

    g_string_append_printf (out, "    '%s:%s'\n", command->name, summary);
  }
  g_string_append (out, "  )\n  _arguments -C \\\n");
  for (const CliOption *option = cli_common_options; option->name; option++) {
    g_autofree gchar *summary = quote (option->summary, "[]:\\");

    g_string_append_printf (out, "    '(- *)--%s[%s]' \\\n", option->name, summary);
  }
  g_string_append (out, "    '1: :->command' '*:: :->rest'\n"
                        "  case $state in\n"
                        "    command) _describe -t commands command commands ;;\n"
                        "    rest)\n"
                        "      case $words[1] in\n");
  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autoptr (GPtrArray) options = options_of (command);

    g_string_append_printf (out, "        %s) _arguments \\\n", command->name);
    for (guint i = 0; i < options->len; i++) {
      const CliOption *option = g_ptr_array_index (options, i);
      const gchar letter[2] = { option->letter, '\0' };

      append_zsh_option (out, option, "--", option->name);
      if (option->letter)
        append_zsh_option (out, option, "-", letter);
    }
    if (command->argument)
      g_string_append_printf (
          out, "        '1:%s:%s' ;;\n", command->argument->name, zsh_action (command->argument));
    else
      g_string_append (out, "        ;;\n");
  }
  g_string_append (out, "      esac ;;\n  esac\n}\n\n_weft \"$@\"\n");
  return g_string_free (out, FALSE);
}

static gchar *
generate_fish (void)
{
  GString *out = g_string_new ("# fish completion for weft\n\ncomplete -c weft -f\n");

  for (const CliOption *option = cli_common_options; option->name; option++) {
    g_autofree gchar *summary = quote (option->summary, "\\");

    g_string_append_printf (out, "complete -c weft -l %s", option->name);
    if (option->letter)
      g_string_append_printf (out, " -s %c", option->letter);
    g_string_append_printf (out, " -d '%s'\n", summary);
  }
  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autofree gchar *command_summary = quote (command->summary, "\\");

    g_string_append_printf (out, "\ncomplete -c weft -n __fish_use_subcommand -a %s -d '%s'\n",
        command->name, command_summary);
    if (command->argument && command->argument->value == CLI_VALUE_FILE)
      g_string_append_printf (
          out, "complete -c weft -n '__fish_seen_subcommand_from %s' -F\n", command->name);
    for (const CliOption *option = command->options; option->name; option++) {
      g_autofree gchar *summary = quote (option->summary, "\\");

      g_string_append_printf (out, "complete -c weft -n '__fish_seen_subcommand_from %s' -l %s",
          command->name, option->name);
      if (option->letter)
        g_string_append_printf (out, " -s %c", option->letter);
      if (option->value == CLI_VALUE_CHOICE)
        g_string_append_printf (out, " -x -a '%s'", option->choices);
      else if (option->value == CLI_VALUE_FOLDER)
        g_string_append (out, " -x -a '(__fish_complete_directories)'");
      else if (option->value == CLI_VALUE_FILE)
        g_string_append (out, " -r -F");
      else if (option->value != CLI_VALUE_NONE)
        g_string_append (out, " -x");
      g_string_append_printf (out, " -d '%s'\n", summary);
    }
  }
  return g_string_free (out, FALSE);
}

/* --- weft(1)
 * ----------------------------------------------------------------------------------------------------
 */

/* roff text: a hyphen that is typed is \-, a line must not begin with a dot or quote, `code` is
 * bold. */
static gchar *
roff (const gchar *text)
{
  GString *out = g_string_new (NULL);
  gboolean is_code = FALSE;

  if (*text == '.' || *text == '\'')
    g_string_append (out, "\\&");
  for (const gchar *p = text; *p; p++) {
    if (*p == '\\')
      g_string_append (out, "\\e");
    else if (*p == '-')
      g_string_append (out, "\\-");
    else if (*p == '`')
      g_string_append (out, (is_code = !is_code) ? "\\fB" : "\\fR");
    else if (p[0] == '\n' && p[1] == '\n')
      g_string_append (out, "\n.PP"), p++, g_string_append_c (out, '\n');
    else
      g_string_append_c (out, *p);
  }
  return g_string_free (out, FALSE);
}

static void
append_man_option (GString *out, const CliOption *option)
{
  g_autofree gchar *name = roff (option->name);
  g_autofree gchar *summary = roff (option->summary);

  g_string_append (out, ".TP\n");
  if (option->letter)
    g_string_append_printf (out, "\\fB\\-%c\\fR, ", option->letter);
  g_string_append_printf (out, "\\fB\\-\\-%s\\fR", name);
  if (option->value != CLI_VALUE_NONE)
    g_string_append_printf (out, " \\fI%s\\fR", option->metavar);
  g_string_append_printf (out, "\n%s", summary);
  if (option->value == CLI_VALUE_CHOICE) {
    g_auto (GStrv) choices = g_strsplit (option->choices, " ", -1);
    g_autofree gchar *list = g_strjoinv ("\\fR, \\fB", choices);

    g_string_append_printf (out, "; \\fB%s\\fR (\\fB%s\\fR if not given)", list, choices[0]);
  }
  if (option->is_repeatable)
    g_string_append (out, "; may be given more than once");
  g_string_append (out, ".\n");
}

static gchar *
generate_man (void)
{
  GString *out = g_string_new (".\\\" Made from launcher/cli/cli-table.c when Weft is built.\n");

  g_string_append_printf (out, ".TH WEFT 1 \"\" \"Weft %s\" \"User Commands\"\n", CLI_VERSION);
  g_string_append (
      out, ".SH NAME\nweft \\- render video jobs in one streaming graph\n.SH SYNOPSIS\n");
  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_string_append_printf (out, ".B weft %s\n[\\fIOPTION\\fR]...", command->name);
    if (command->argument)
      g_string_append_printf (out, " \\fI%s\\fR", command->argument->name);
    g_string_append (out, "\n.br\n");
  }
  g_string_append (out, ".SH DESCRIPTION\nA job is a JSON document: clips to assemble, titles to "
                        "draw, sizes to produce. "
                        "Weft turns it into one\nGStreamer graph in which every source is read "
                        "once and every frame decoded "
                        "once, and renders all of the\njob's outputs from it.\n.SH COMMANDS\n");
  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autofree gchar *summary = roff (command->summary);
    g_autofree gchar *description = roff (command->description);

    g_string_append_printf (out, ".SS weft %s", command->name);
    if (command->argument)
      g_string_append_printf (out, " %s", command->argument->name);
    g_string_append_printf (
        out, "\n%c%s.\n.PP\n%s\n", g_ascii_toupper (summary[0]), summary + 1, description);
    if (command->argument) {
      g_autofree gchar *argument = roff (command->argument->summary);

      g_string_append_printf (out, ".TP\n\\fI%s\\fR\n%s.\n", command->argument->name, argument);
    }
    for (const CliOption *option = command->options; option->name; option++)
      append_man_option (out, option);
  }
  g_string_append (out, ".SH COMMON OPTIONS\n");
  for (const CliOption *option = cli_common_options; option->name; option++)
    append_man_option (out, option);
  g_string_append (out, ".SH EXIT STATUS\n");
  for (const CliExitMeaning *exit = cli_exit_meanings; exit->meaning; exit++) {
    g_autofree gchar *meaning = roff (exit->meaning);

    g_string_append_printf (out, ".TP\n.B %d\n%s.\n", exit->code, meaning);
  }
  g_string_append (out, ".SH ENVIRONMENT\n");
  for (const CliVariable *variable = cli_environment; variable->name; variable++) {
    g_autofree gchar *meaning = roff (variable->meaning);

    g_string_append_printf (out, ".TP\n.B %s\n%s.\n", variable->name, meaning);
  }
  g_string_append (out, ".SH SEE ALSO\n.BR weft\\-job (5),\n.BR gst\\-launch\\-1.0 (1)\n");
  return g_string_free (out, FALSE);
}

/* --- the table itself, for tests and for tools that document it
 * ------------------------------------------------- */

static void
add_member (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  if (value)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_options (JsonBuilder *builder, const CliOption *options)
{
  json_builder_set_member_name (builder, "options");
  json_builder_begin_array (builder);
  for (const CliOption *option = options; option->name; option++) {
    const gchar letter[2] = { option->letter, '\0' };

    json_builder_begin_object (builder);
    add_member (builder, "name", option->name);
    add_member (builder, "letter", option->letter ? letter : NULL);
    add_member (builder, "metavar", option->metavar);
    add_member (builder, "choices", option->choices);
    add_member (builder, "summary", option->summary);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static gchar *
generate_json (void)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_options (builder, cli_common_options);
  json_builder_set_member_name (builder, "commands");
  json_builder_begin_array (builder);
  for (const CliCommand *command = cli_commands; command->name; command++) {
    json_builder_begin_object (builder);
    add_member (builder, "name", command->name);
    add_member (builder, "summary", command->summary);
    add_member (builder, "argument", command->argument ? command->argument->name : NULL);
    add_options (builder, command->options);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "exit_codes");
  json_builder_begin_array (builder);
  for (const CliExitMeaning *exit = cli_exit_meanings; exit->meaning; exit++)
    json_builder_add_int_value (builder, exit->code);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return cli_json_to_text (root, TRUE, FALSE);
}

/**
 * cli_generate:
 * @format: `bash`, `zsh`, `fish`, `man` or `json`
 *
 * Returns: (nullable): the file, or %NULL if there is no such format
 */
gchar *
cli_generate (const gchar *format)
{
  if (g_str_equal (format, "bash"))
    return generate_bash ();
  if (g_str_equal (format, "zsh"))
    return generate_zsh ();
  if (g_str_equal (format, "fish"))
    return generate_fish ();
  if (g_str_equal (format, "man"))
    return generate_man ();
  if (g_str_equal (format, "json"))
    return generate_json ();
  return NULL;
}
