/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is printed: errors for people, JSON for machines. Nothing leaves here with a secret in it.
 */

#include "cli.h"

#include <errno.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

#include "weft-json.h"
#include "weft-redact.h"

/* Which exit code tells a caller what kind of thing to mend. */
static const CliExit exit_codes[] = {
  [WEFT_ERROR_INVALID_JOB] = CLI_EXIT_INVALID_JOB,
  [WEFT_ERROR_SOURCE_NOT_FOUND] = CLI_EXIT_SOURCE,
  [WEFT_ERROR_SOURCE_DENIED] = CLI_EXIT_SOURCE,
  [WEFT_ERROR_SOURCE_DAMAGED] = CLI_EXIT_SOURCE,
  [WEFT_ERROR_SOURCE_CHANGED] = CLI_EXIT_SOURCE,
  [WEFT_ERROR_UNSUPPORTED] = CLI_EXIT_INVALID_JOB,
  [WEFT_ERROR_ENCODER_FAILED] = CLI_EXIT_FAILED,
  [WEFT_ERROR_OUTPUT_DENIED] = CLI_EXIT_OUTPUT,
  [WEFT_ERROR_OUTPUT_FAILED] = CLI_EXIT_OUTPUT,
  [WEFT_ERROR_STALLED] = CLI_EXIT_FAILED,
  [WEFT_ERROR_CANCELLED] = CLI_EXIT_CANCELLED,
  [WEFT_ERROR_NO_SPACE] = CLI_EXIT_OUTPUT,
  [WEFT_ERROR_INTERNAL] = CLI_EXIT_FAILED,
};

gboolean
cli_is_colourful (gint fd)
{
  const gchar *no_color = g_getenv ("NO_COLOR");
  const gchar *term = g_getenv ("TERM");

  /* https://no-color.org: present and not empty */
  return isatty (fd) && !(no_color && *no_color) && g_strcmp0 (term, "dumb") != 0;
}

/* Whether what @error is about is one of the job's sources, or the one that is probed by itself. */
static gboolean
is_about_a_source (const GError *error)
{
  GPtrArray *problems = weft_error_get_problems (error);

  for (guint i = 0; problems && i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);

    if (!problem->is_warning)
      return problem->uri
             && (problem->pointer ? g_str_has_prefix (problem->pointer, "/timeline/")
                                  : problem->element == NULL);
  }
  return FALSE;
}

/**
 * cli_exit_from_error:
 * @error: why a command failed
 *
 * Returns: what the process returns for it
 */
CliExit
cli_exit_from_error (const GError *error)
{
  if (error->domain == CLI_USAGE_ERROR)
    return CLI_EXIT_USAGE;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return CLI_EXIT_CANCELLED;
  /* A source that nothing here decodes, or that stopped delivering, is to be mended like any other
   * source. */
  if ((g_error_matches (error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED)
          || g_error_matches (error, WEFT_ERROR, WEFT_ERROR_STALLED))
      && is_about_a_source (error))
    return CLI_EXIT_SOURCE;
  if (error->domain == WEFT_ERROR && (guint) error->code < G_N_ELEMENTS (exit_codes))
    return exit_codes[error->code];
  return CLI_EXIT_FAILED;
}

/**
 * cli_make_visible:
 * @text: text from a job, a file name, a message
 *
 * A terminal would obey the control characters that a hostile job or file name may hold.
 *
 * Returns: @text without secrets, in valid UTF-8, and with control characters as `\\x1b`
 */
gchar *
cli_make_visible (const gchar *text)
{
  g_autofree gchar *shown = weft_redact_text (text);
  g_autofree gchar *valid = g_utf8_make_valid (shown, -1);
  GString *out = g_string_new (NULL);

  for (const gchar *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_iscntrl (c))
      g_string_append_printf (out, "\\x%02x", c);
    else
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

static void
append_visible (GString *out, const gchar *text)
{
  g_autofree gchar *visible = cli_make_visible (text);

  g_string_append (out, visible);
}

static void
append_field (GString *out, const gchar *name, const gchar *value)
{
  if (value == NULL || *value == '\0')
    return;
  g_string_append_printf (out, "  %-8s", name);
  append_visible (out, value);
  g_string_append_c (out, '\n');
}

static void
append_problem (GString *out, const WeftProblem *problem)
{
  gboolean colour = cli_is_colourful (STDERR_FILENO);
  const gchar *on = !colour ? "" : problem->is_warning ? "\033[1;33m" : "\033[1;31m";

  g_string_append_printf (
      out, "%s%s:%s ", on, problem->is_warning ? "warning" : "error", colour ? "\033[0m" : "");
  append_visible (out, problem->message);
  g_string_append_c (out, '\n');
  if (problem->pointer)
    append_field (out, "where", *problem->pointer ? problem->pointer : "the whole document");
  append_field (out, "uri", problem->uri);
  append_field (out, "element", problem->element);
  append_field (out, "hint", problem->hint);
  if (!problem->is_warning)
    append_field (out, "code", weft_error_to_name (problem->code));
}

/* One write for the whole block, so that lines of other processes do not come between. */
static void
write_stderr (const gchar *text)
{
  gsize length = strlen (text);

  while (length > 0) {
    gssize written = write (STDERR_FILENO, text, length);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    text += written;
    length -= (gsize) written;
  }
}

void
cli_print_problem (const WeftProblem *problem)
{
  g_autoptr (GString) out = g_string_new (NULL);

  append_problem (out, problem);
  write_stderr (out->str);
}

void
cli_print_warnings (GPtrArray *warnings)
{
  for (guint i = 0; warnings && i < warnings->len; i++)
    cli_print_problem (g_ptr_array_index (warnings, i));
}

/**
 * cli_print_error:
 * @error: why a command failed
 *
 * Prints every problem that @error carries on standard error, a block each.
 */
void
cli_print_error (const GError *error)
{
  GPtrArray *problems = weft_error_get_problems (error);
  g_autoptr (GString) out = g_string_new (NULL);

  if (problems && problems->len > 0) {
    cli_print_warnings (problems);
    return;
  }
  if (error->domain == CLI_USAGE_ERROR) {
    g_string_append (out, "weft: ");
    append_visible (out, error->message);
    g_string_append_c (out, '\n');
  } else {
    g_autoptr (WeftProblem) problem = weft_problem_new (
        error->domain == WEFT_ERROR ? (WeftError) error->code : WEFT_ERROR_INTERNAL, NULL, NULL,
        NULL, "%s", error->message);

    append_problem (out, problem);
  }
  write_stderr (out->str);
}

/**
 * cli_write_text:
 * @text: what to write on standard output, at once
 *
 * Returns: %FALSE if nobody can read it: the reader has gone, or the disk is full
 */
gboolean
cli_write_text (const gchar *text)
{
  gsize length = strlen (text);

  while (length > 0) {
    gssize written = write (STDOUT_FILENO, text, length);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0 && errno == EAGAIN) {
      /* Somebody made the pipe non-blocking: wait until it takes more. */
      GPollFD poll_fd = { STDOUT_FILENO, G_IO_OUT, 0 };

      g_poll (&poll_fd, 1, -1);
      continue;
    }
    if (written <= 0)
      return FALSE;
    text += written;
    length -= (gsize) written;
  }
  return TRUE;
}

gchar *
cli_json_to_text (JsonNode *node, gboolean pretty, gboolean redact)
{
  g_autoptr (JsonNode) shown = redact ? weft_redact_json (node) : json_node_copy (node);
  g_autofree gchar *text = weft_json_to_text (shown, pretty);

  return g_strconcat (text, "\n", NULL);
}

/**
 * cli_print_json:
 * @node: what to print on standard output
 * @redact: %FALSE if the user asked for secrets
 *
 * Returns: what the process returns
 */
CliExit
cli_print_json (JsonNode *node, gboolean redact)
{
  g_autofree gchar *text = cli_json_to_text (node, TRUE, redact);

  return cli_write_text (text) ? CLI_EXIT_DONE : CLI_EXIT_OUTPUT;
}
