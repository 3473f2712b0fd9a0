/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a command line by the table in cli-table.c. */

#include "cli.h"

#include <string.h>

/* The range of the runner's property: a day. */
#define STALL_TIMEOUT_MAX_S 86400

struct _CliInvocation {
  const CliCommand *command;
  gchar *argument;
  GHashTable *values; /* option name -> GStrvBuilder-like GPtrArray of strings, ended by NULL */
};

G_DEFINE_QUARK (cli - usage - error - quark, cli_usage_error)

void
cli_invocation_free (CliInvocation *self)
{
  g_free (self->argument);
  g_hash_table_unref (self->values);
  g_free (self);
}

const CliCommand *
cli_invocation_get_command (CliInvocation *self)
{
  return self->command;
}

const gchar *
cli_invocation_get_argument (CliInvocation *self)
{
  return self->argument;
}

static const CliOption *
find_in (const CliOption *options, const gchar *name)
{
  for (const CliOption *option = options; option->name; option++)
    if (g_str_equal (option->name, name) || (option->letter == name[0] && name[1] == '\0'))
      return option;
  return NULL;
}

static const CliOption *
find_option (const CliCommand *command, const gchar *name)
{
  const CliOption *option = find_in (command->options, name);

  return option ? option : find_in (cli_common_options, name);
}

gboolean
cli_invocation_get_flag (CliInvocation *self, const gchar *name)
{
  /* An option that is not in the table could never be given: asking for it is a mistake in here. */
  g_assert (find_option (self->command, name) != NULL);

  return g_hash_table_contains (self->values, name);
}

const gchar *const *
cli_invocation_get_values (CliInvocation *self, const gchar *name)
{
  static const gchar *const nothing[] = { NULL };
  GPtrArray *values;

  g_assert (find_option (self->command, name) != NULL);

  values = g_hash_table_lookup (self->values, name);
  return values ? (const gchar *const *) values->pdata : nothing;
}

const gchar *
cli_invocation_get_value (CliInvocation *self, const gchar *name)
{
  const CliOption *option = find_option (self->command, name);
  GPtrArray *values;

  g_assert (option != NULL);

  values = g_hash_table_lookup (self->values, name);
  if (values)
    return g_ptr_array_index (values, 0);
  if (option->value == CLI_VALUE_CHOICE) {
    g_auto (GStrv) choices = g_strsplit (option->choices, " ", -1);

    return g_intern_string (choices[0]);
  }
  return NULL;
}

static gboolean fail (GError **error, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, CLI_USAGE_ERROR, 0, message);
  return FALSE;
}

/**
 * cli_invocation_get_stall_timeout:
 * @self: of a command with --stall-timeout
 * @seconds: (out): what was given, or the default
 * @error: return location for a usage error, or %NULL
 *
 * Returns: %TRUE if it is a number in its range
 */
gboolean
cli_invocation_get_stall_timeout (CliInvocation *self, gdouble *seconds, GError **error)
{
  const gchar *text = cli_invocation_get_value (self, "stall-timeout");
  gchar *end;

  *seconds = WEFT_STALL_TIMEOUT_DEFAULT_S;
  if (text == NULL)
    return TRUE;
  *seconds = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0' && *seconds >= 0 && *seconds <= STALL_TIMEOUT_MAX_S)
    return TRUE;
  return fail (
      error, "--stall-timeout needs seconds from 0 to %d, not “%s”", STALL_TIMEOUT_MAX_S, text);
}

static gboolean
fail_unknown_option (const CliCommand *command, const gchar *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const gchar *near;

  for (const CliOption *option = command->options; option->name; option++)
    g_ptr_array_add (names, (gchar *) option->name);
  for (const CliOption *option = cli_common_options; option->name; option++)
    g_ptr_array_add (names, (gchar *) option->name);
  g_ptr_array_add (names, NULL);

  near = cli_help_suggest (name, (const gchar *const *) names->pdata);
  if (near)
    return fail (error, "unknown option %s%s; did you mean --%s?", strlen (name) > 1 ? "--" : "-",
        name, near);
  return fail (error, "unknown option %s%s", strlen (name) > 1 ? "--" : "-", name);
}

static gboolean
store (CliInvocation *self, const CliOption *option, const gchar *value, GError **error)
{
  GPtrArray *values = g_hash_table_lookup (self->values, option->name);

  if (option->value == CLI_VALUE_CHOICE) {
    g_auto (GStrv) choices = g_strsplit (option->choices, " ", -1);

    if (!g_strv_contains ((const gchar *const *) choices, value)) {
      g_autofree gchar *list = g_strjoinv (", ", choices);

      return fail (error, "--%s cannot be “%s”; it is one of: %s", option->name, value, list);
    }
  }
  if (values == NULL) {
    values = g_ptr_array_new_null_terminated (1, g_free, TRUE);
    g_hash_table_insert (self->values, (gchar *) option->name, values);
  } else if (!option->is_repeatable && option->value != CLI_VALUE_NONE) {
    return fail (error, "--%s can be given only once", option->name);
  }
  g_ptr_array_add (values, g_strdup (value));
  return TRUE;
}

/* Takes one `--name[=value]`; *next is moved past a value that stands in an argument of its own. */
static gboolean
parse_long (
    CliInvocation *self, const gchar *word, gchar **argv, gint argc, gint *next, GError **error)
{
  const gchar *equals = strchr (word, '=');
  g_autofree gchar *name = equals ? g_strndup (word, (gsize) (equals - word)) : g_strdup (word);
  const CliOption *option = name[0] && name[1] ? find_option (self->command, name) : NULL;

  if (option == NULL)
    return fail_unknown_option (self->command, name, error);
  if (option->value == CLI_VALUE_NONE) {
    if (equals)
      return fail (error, "--%s takes no value", name);
    return store (self, option, "", error);
  }
  if (equals)
    return store (self, option, equals + 1, error);
  if (*next >= argc)
    return fail (error, "--%s needs a value: --%s %s", name, name, option->metavar);
  return store (self, option, argv[(*next)++], error);
}

/* Takes a group of letters, `-s` or `-sVALUE`. */
static gboolean
parse_letters (
    CliInvocation *self, const gchar *letters, gchar **argv, gint argc, gint *next, GError **error)
{
  for (const gchar *p = letters; *p; p++) {
    const gchar name[2] = { *p, '\0' };
    const CliOption *option = find_option (self->command, name);

    if (option == NULL)
      return fail_unknown_option (self->command, name, error);
    if (option->value == CLI_VALUE_NONE) {
      if (!store (self, option, "", error))
        return FALSE;
      continue;
    }
    if (p[1])
      return store (self, option, p + 1, error);
    if (*next >= argc)
      return fail (error, "-%s needs a value: -%s %s", name, name, option->metavar);
    return store (self, option, argv[(*next)++], error);
  }
  return TRUE;
}

static gboolean
parse_all (CliInvocation *self, gint argc, gchar **argv, GError **error)
{
  gboolean only_arguments = FALSE;
  gint i = 0;

  while (i < argc) {
    const gchar *word = argv[i++];

    if (!only_arguments && g_str_equal (word, "--")) {
      only_arguments = TRUE;
    } else if (!only_arguments && g_str_has_prefix (word, "--")) {
      if (!parse_long (self, word + 2, argv, argc, &i, error))
        return FALSE;
    } else if (!only_arguments && word[0] == '-' && word[1]) {
      if (!parse_letters (self, word + 1, argv, argc, &i, error))
        return FALSE;
    } else if (self->command->argument == NULL) {
      return fail (error, "`weft %s` takes no argument: “%s”", self->command->name, word);
    } else if (self->argument) {
      return fail (error, "`weft %s` takes one %s: “%s” is one too many", self->command->name,
          self->command->argument->name, word);
    } else {
      self->argument = g_strdup (word);
    }
  }

  if (g_hash_table_contains (self->values, "help")
      || g_hash_table_contains (self->values, "version"))
    return TRUE;
  if (self->command->argument && (self->argument == NULL || *self->argument == '\0'))
    return fail (error, "`weft %s` needs a %s: %s", self->command->name,
        self->command->argument->name, self->command->argument->summary);
  return TRUE;
}

/**
 * cli_invocation_parse:
 * @command: the command
 * @argc: how many words follow the command's name
 * @argv: those words; options and the argument may come in any order, and after `--` everything is
 * an argument
 *
 * Returns: (nullable): what was typed, or %NULL with an error in %CLI_USAGE_ERROR
 */
CliInvocation *
cli_invocation_parse (const CliCommand *command, gint argc, gchar **argv, GError **error)
{
  g_autoptr (CliInvocation) self = g_new0 (CliInvocation, 1);

  self->command = command;
  self->values =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  if (!parse_all (self, argc, argv, error))
    return NULL;
  return g_steal_pointer (&self);
}
