/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The text of --help, made from the table in cli-table.c. */

#include "cli.h"

#include <string.h>

#define HELP_WIDTH 80
#define HELP_INDENT 2
#define HELP_COLUMN 26 /* where the descriptions of options begin */

/* Damerau's edit distance without transpositions counts a swap as two: fine for words this short.
 */
static guint
edit_distance (const gchar *a, const gchar *b)
{
  gsize n = strlen (b);
  g_autofree guint *row = g_new (guint, n + 1);

  for (gsize j = 0; j <= n; j++)
    row[j] = (guint) j;
  for (gsize i = 1; a[i - 1]; i++) {
    guint diagonal = row[0];

    row[0] = (guint) i;
    for (gsize j = 1; j <= n; j++) {
      guint above = row[j];
      guint change = diagonal + (a[i - 1] != b[j - 1]);

      row[j] = MIN (change, MIN (row[j], row[j - 1]) + 1);
      diagonal = above;
    }
  }
  return row[n];
}

/**
 * cli_help_suggest:
 * @word: what was typed
 * @candidates: what could have been meant, ended by %NULL
 *
 * Returns: (nullable) (transfer none): the candidate that is near enough to be asked about
 */
const gchar *
cli_help_suggest (const gchar *word, const gchar *const *candidates)
{
  const gchar *best = NULL;
  guint best_distance = 3; /* a word with three mistakes is another word */
  gsize length = strlen (word);

  for (guint i = 0; candidates[i]; i++) {
    guint distance;

    if (length >= 2 && g_str_has_prefix (candidates[i], word))
      return candidates[i];
    distance = edit_distance (word, candidates[i]);
    if (distance < best_distance && distance < strlen (candidates[i])) {
      best = candidates[i];
      best_distance = distance;
    }
  }
  return best;
}

/* Appends @text wrapped at HELP_WIDTH, each line but the first indented by @indent; @column is
 * where the first one begins. */
static void
append_wrapped (GString *out, const gchar *text, guint indent, guint column)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gboolean is_first = TRUE;

  for (guint i = 0; words[i]; i++) {
    guint length = (guint) g_utf8_strlen (words[i], -1);

    if (!is_first && column + 1 + length > HELP_WIDTH) {
      g_string_append_printf (out, "\n%*s", (int) indent, "");
      column = indent;
    } else if (!is_first) {
      g_string_append_c (out, ' ');
      column++;
    }
    g_string_append (out, words[i]);
    column += length;
    is_first = FALSE;
  }
  g_string_append_c (out, '\n');
}

static void
append_paragraphs (GString *out, const gchar *text)
{
  g_auto (GStrv) paragraphs = g_strsplit (text, "\n\n", -1);

  for (guint i = 0; paragraphs[i]; i++) {
    g_string_append_c (out, '\n');
    append_wrapped (out, paragraphs[i], 0, 0);
  }
}

static void
append_row (GString *out, const gchar *left, const gchar *text)
{
  guint length = (guint) g_utf8_strlen (left, -1) + HELP_INDENT;

  g_string_append_printf (out, "%*s%s", HELP_INDENT, "", left);
  if (length + 2 > HELP_COLUMN) {
    g_string_append_c (out, '\n');
    length = 0;
  }
  g_string_append_printf (out, "%*s", (int) (HELP_COLUMN - length), "");
  append_wrapped (out, text, HELP_COLUMN, HELP_COLUMN);
}

static void
append_options (GString *out, const CliOption *options)
{
  for (const CliOption *option = options; option->name; option++) {
    g_autoptr (GString) left = g_string_new (NULL);
    g_autoptr (GString) text = g_string_new (option->summary);

    if (option->letter)
      g_string_append_printf (left, "-%c, ", option->letter);
    else
      g_string_append (left, "    ");
    g_string_append_printf (left, "--%s", option->name);
    if (option->value != CLI_VALUE_NONE)
      g_string_append_printf (left, " %s", option->metavar);
    if (option->value == CLI_VALUE_CHOICE) {
      g_auto (GStrv) choices = g_strsplit (option->choices, " ", -1);
      g_autofree gchar *list = g_strjoinv (", ", choices);

      g_string_append_printf (text, " (%s; %s if not given)", list, choices[0]);
    }
    if (option->is_repeatable)
      g_string_append (text, " (may be given more than once)");
    append_row (out, left->str, text->str);
  }
}

/**
 * cli_help_overview:
 *
 * Returns: what `weft --help` prints
 */
gchar *
cli_help_overview (void)
{
  GString *out =
      g_string_new ("Usage: weft COMMAND [OPTION]... [ARGUMENT]\n"
                    "\n"
                    "Renders video jobs: clips, titles and sizes in one JSON document, all "
                    "made by\none streaming GStreamer graph.\n"
                    "\nCommands:\n");

  for (const CliCommand *command = cli_commands; command->name; command++) {
    g_autofree gchar *left = command->argument
                                 ? g_strdup_printf ("%s %s", command->name, command->argument->name)
                                 : g_strdup (command->name);

    append_row (out, left, command->summary);
  }
  g_string_append (out, "\nOptions:\n");
  append_options (out, cli_common_options);
  g_string_append (out, "\nExit status:\n");
  for (const CliExitMeaning *exit = cli_exit_meanings; exit->meaning; exit++) {
    g_autofree gchar *left = g_strdup_printf ("%d", exit->code);

    append_row (out, left, exit->meaning);
  }
  g_string_append (out, "\nweft COMMAND --help tells more about one command.\n");
  return g_string_free (out, FALSE);
}

/**
 * cli_help_command:
 * @command: a command
 *
 * Returns: what `weft COMMAND --help` prints
 */
gchar *
cli_help_command (const CliCommand *command)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "Usage: weft %s [OPTION]...%s%s\n", command->name,
      command->argument ? " " : "", command->argument ? command->argument->name : "");
  append_paragraphs (out, command->description);
  if (command->argument) {
    g_string_append_c (out, '\n');
    append_row (out, command->argument->name, command->argument->summary);
  }
  g_string_append (out, "\nOptions:\n");
  append_options (out, command->options);
  append_options (out, cli_common_options);
  return g_string_free (out, FALSE);
}
