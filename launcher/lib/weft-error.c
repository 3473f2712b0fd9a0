/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-error.h"

#include <string.h>

typedef struct {
  GPtrArray *problems; /* (element-type WeftProblem) (nullable) */
} WeftErrorPrivate;

static const gchar *const error_names[] = {
  [WEFT_ERROR_INVALID_JOB] = "INVALID_JOB",
  [WEFT_ERROR_SOURCE_NOT_FOUND] = "SOURCE_NOT_FOUND",
  [WEFT_ERROR_SOURCE_DENIED] = "SOURCE_DENIED",
  [WEFT_ERROR_SOURCE_DAMAGED] = "SOURCE_DAMAGED",
  [WEFT_ERROR_SOURCE_CHANGED] = "SOURCE_CHANGED",
  [WEFT_ERROR_UNSUPPORTED] = "UNSUPPORTED",
  [WEFT_ERROR_ENCODER_FAILED] = "ENCODER_FAILED",
  [WEFT_ERROR_OUTPUT_DENIED] = "OUTPUT_DENIED",
  [WEFT_ERROR_OUTPUT_FAILED] = "OUTPUT_FAILED",
  [WEFT_ERROR_STALLED] = "STALLED",
  [WEFT_ERROR_CANCELLED] = "CANCELLED",
  [WEFT_ERROR_NO_SPACE] = "NO_SPACE",
  [WEFT_ERROR_INTERNAL] = "INTERNAL",
};

static void
weft_error_private_init (WeftErrorPrivate *priv)
{}

static void
weft_error_private_copy (const WeftErrorPrivate *src, WeftErrorPrivate *dest)
{
  dest->problems = src->problems ? g_ptr_array_ref (src->problems) : NULL;
}

static void
weft_error_private_clear (WeftErrorPrivate *priv)
{
  g_clear_pointer (&priv->problems, g_ptr_array_unref);
}

G_DEFINE_EXTENDED_ERROR (WeftError, weft_error)

/**
 * weft_error_to_name:
 * @code: an error code
 *
 * Returns: the name used in JSON, such as `SOURCE_NOT_FOUND`
 */
const gchar *
weft_error_to_name (WeftError code)
{
  g_return_val_if_fail ((guint) code < G_N_ELEMENTS (error_names), "INTERNAL");

  return error_names[code];
}

/**
 * weft_error_is_retryable:
 * @code: an error code
 *
 * Returns: %TRUE if the same job may succeed when it is simply run again
 */
gboolean
weft_error_is_retryable (WeftError code)
{
  switch (code) {
    case WEFT_ERROR_SOURCE_CHANGED:
    case WEFT_ERROR_OUTPUT_FAILED:
    case WEFT_ERROR_STALLED:
    case WEFT_ERROR_NO_SPACE:
      return TRUE;
    default:
      return FALSE;
  }
}

G_DEFINE_BOXED_TYPE (WeftProblem, weft_problem, weft_problem_copy, weft_problem_free)

/**
 * weft_problem_new:
 * @code: what kind of problem
 * @pointer: (nullable): JSON Pointer into the job document
 * @uri: (nullable): the source or output
 * @hint: (nullable): what to do about it
 * @format: printf() format of the message
 * @...: its arguments
 *
 * Returns: (transfer full): a problem that is an error, not a warning
 */
WeftProblem *
weft_problem_new (WeftError code, const gchar *pointer, const gchar *uri, const gchar *hint,
    const gchar *format, ...)
{
  WeftProblem *self = g_new0 (WeftProblem, 1);
  va_list args;

  va_start (args, format);
  self->message = g_strdup_vprintf (format, args);
  va_end (args);
  self->code = code;
  self->pointer = g_strdup (pointer);
  self->uri = g_strdup (uri);
  self->hint = g_strdup (hint);
  return self;
}

/**
 * weft_problem_copy:
 * @problem: a problem
 *
 * Returns: (transfer full): a deep copy
 */
WeftProblem *
weft_problem_copy (const WeftProblem *problem)
{
  WeftProblem *copy = g_new0 (WeftProblem, 1);

  copy->code = problem->code;
  copy->is_warning = problem->is_warning;
  copy->message = g_strdup (problem->message);
  copy->hint = g_strdup (problem->hint);
  copy->pointer = g_strdup (problem->pointer);
  copy->uri = g_strdup (problem->uri);
  copy->element = g_strdup (problem->element);
  return copy;
}

/**
 * weft_problem_free:
 * @problem: (transfer full): a problem
 */
void
weft_problem_free (WeftProblem *problem)
{
  g_free (problem->message);
  g_free (problem->hint);
  g_free (problem->pointer);
  g_free (problem->uri);
  g_free (problem->element);
  g_free (problem);
}

static void
add_string (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/**
 * weft_problem_to_json:
 * @problem: a problem
 *
 * Returns: (transfer full): an object with `code`, `severity`, `message`, `retryable` and, where
 * they are known, `pointer`, `uri`, `element` and `hint`
 */
JsonNode *
weft_problem_to_json (const WeftProblem *problem)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "code", weft_error_to_name (problem->code));
  add_string (builder, "severity", problem->is_warning ? "warning" : "error");
  add_string (builder, "message", problem->message);
  add_string (builder, "pointer", problem->pointer);
  add_string (builder, "uri", problem->uri);
  add_string (builder, "element", problem->element);
  add_string (builder, "hint", problem->hint);
  json_builder_set_member_name (builder, "retryable");
  json_builder_add_boolean_value (builder, weft_error_is_retryable (problem->code));
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* A message repeats what documents and file names say; they must not be able to write control
 * sequences to a terminal. */
static gchar *
escape_controls (GString *sentence)
{
  g_autoptr (GString) s = sentence;
  GString *escaped = g_string_sized_new (s->len);

  for (const gchar *p = s->str; *p != '\0';) {
    gunichar c = g_utf8_get_char_validated (p, -1);

    if (c == (gunichar) -1 || c == (gunichar) -2) {
      g_string_append (escaped, "\uFFFD");
      p++;
      continue;
    }
    if (g_unichar_iscntrl (c) && c != '\n' && c != '\t')
      g_string_append_printf (escaped, "\\u%04x", c);
    else
      g_string_append_unichar (escaped, c);
    p = g_utf8_next_char (p);
  }
  return g_string_free (escaped, FALSE);
}

static gchar *
problem_to_sentence (const WeftProblem *problem)
{
  GString *s = g_string_new (NULL);

  if (problem->pointer && *problem->pointer)
    g_string_append_printf (s, "%s: ", problem->pointer);
  g_string_append (s, problem->message);
  if (problem->uri && !strstr (problem->message, problem->uri))
    g_string_append_printf (s, " [%s]", problem->uri);
  if (problem->element)
    g_string_append_printf (s, " [at %s]", problem->element);
  if (problem->hint)
    g_string_append_printf (s, "; %s", problem->hint);
  return escape_controls (s);
}

/**
 * weft_error_set_problem: (skip)
 * @error: (nullable): where to put the error
 * @problem: (transfer full): what went wrong
 *
 * Sets an error in %WEFT_ERROR that carries @problem.
 */
void
weft_error_set_problem (GError **error, WeftProblem *problem)
{
  g_autoptr (GPtrArray) problems =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);

  g_ptr_array_add (problems, problem);
  weft_error_set_problems (error, problems);
}

/**
 * weft_error_set_problems: (skip)
 * @error: (nullable): where to put the error
 * @problems: (element-type WeftProblem) (transfer none): what went wrong; at least one is not a
 * warning
 *
 * Sets an error in %WEFT_ERROR that carries all of @problems. Code and message are those of the
 * first one that is not a warning.
 */
void
weft_error_set_problems (GError **error, GPtrArray *problems)
{
  const WeftProblem *first = NULL;
  g_autofree gchar *sentence = NULL;
  guint n_errors = 0;

  for (guint i = 0; i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);

    if (problem->is_warning)
      continue;
    if (n_errors++ == 0)
      first = problem;
  }
  g_return_if_fail (first != NULL);
  if (error == NULL)
    return;

  sentence = problem_to_sentence (first);
  if (n_errors > 1)
    g_set_error (error, WEFT_ERROR, first->code, "%s (and %u more)", sentence, n_errors - 1);
  else
    g_set_error_literal (error, WEFT_ERROR, first->code, sentence);
  weft_error_get_private (*error)->problems = g_ptr_array_ref (problems);
}

/**
 * weft_error_get_problems:
 * @error: an error in %WEFT_ERROR
 *
 * Returns: (element-type WeftProblem) (transfer none) (nullable): everything that is wrong, or
 * %NULL if @error was not made by libweft
 */
GPtrArray *
weft_error_get_problems (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  return error->domain == WEFT_ERROR ? weft_error_get_private (error)->problems : NULL;
}
