/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Replaces {{name}} in the texts of a job. What is put in is never looked at again, so that a value
 * cannot bring in other values. */

#include "weft-variables.h"

#include <string.h>

#include "weft-schema.h"

#define OPENING "{{"
#define CLOSING "}}"

/*
 * weft_variables_is_name:
 * @name: some text
 *
 * Returns: whether a job may call a variable @name. Names with a point are Weft's own.
 */
gboolean
weft_variables_is_name (const gchar *name)
{
  gsize length;

  if (!g_ascii_isalpha (*name) && *name != '_')
    return FALSE;
  for (length = 1; g_ascii_isalnum (name[length]) || name[length] == '_' || name[length] == '-';)
    length++;
  return name[length] == '\0' && length <= 64;
}

static void report (WeftVariables *self, const WeftJsonPath *path, const gchar *hint,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static void
report (WeftVariables *self, const WeftJsonPath *path, const gchar *hint, const gchar *format, ...)
{
  g_autofree gchar *pointer = NULL;
  g_autofree gchar *message = NULL;
  va_list args;

  if (self->problems->len >= WEFT_SCHEMA_MAX_PROBLEMS)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  pointer = weft_json_path_to_pointer (path);
  g_ptr_array_add (self->problems,
      weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL, hint, "%s", message));
}

static void
report_unset (WeftVariables *self, const WeftJsonPath *path, const gchar *name)
{
  guint n;
  g_autofree gpointer *names = g_hash_table_get_keys_as_array (self->values, &n);
  g_autofree gchar *suggestion = weft_schema_suggest (name, (const gchar *const *) names, n);
  g_autofree gchar *hint = NULL;

  if (strcmp (name, "output.id") == 0)
    hint = g_strdup ("`output.id` has a value only within an output");
  else if (strcmp (name, "job.id") == 0)
    hint = g_strdup ("the job's id and the names of presets cannot contain it");
  else if (strchr (name, '.') != NULL)
    hint = g_strdup ("with a point there are only `job.id` and `output.id`");
  else if (suggestion != NULL)
    hint = g_strdup_printf ("did you mean {{%s}}?", suggestion);
  else
    hint = g_strdup_printf ("add it to `variables`, or give --set %s=VALUE", name);
  report (self, path, hint, "the variable `%s` is not set", name);
}

static const gchar *
look_up (WeftVariables *self, const gchar *name)
{
  gpointer key, value;

  if (strcmp (name, "job.id") == 0)
    return self->job_id;
  if (strcmp (name, "output.id") == 0)
    return self->output_id;
  if (!g_hash_table_lookup_extended (self->values, name, &key, &value))
    return NULL;
  g_hash_table_add (self->used, key);
  return value;
}

static gboolean
is_placeholder_name (const gchar *name)
{
  return strcmp (name, "job.id") == 0 || strcmp (name, "output.id") == 0
         || weft_variables_is_name (name)
         || (g_ascii_isalpha (*name)
             && strspn (name, "abcdefghijklmnopqrstuvwxyz.") == strlen (name));
}

/* Puts in the value of the placeholder at @opening; returns what follows it, or NULL after a
 * problem. */
static const gchar *
expand_placeholder (
    WeftVariables *self, const gchar *opening, GString *expanded, const WeftJsonPath *path)
{
  const gchar *start = opening + strlen (OPENING);
  const gchar *end = strstr (start, CLOSING);
  g_autofree gchar *name = NULL;
  const gchar *value;

  if (end == NULL) {
    report (self, path, "close it with `}}`; two braces that mean themselves are written \\\\{{",
        "`{{` without `}}`");
    return NULL;
  }
  name = g_strstrip (g_strndup (start, (gsize) (end - start)));
  if (!is_placeholder_name (name)) {
    g_autofree gchar *quoted = weft_json_quote (name);

    report (self, path,
        "a name is made of letters, digits, `_` and `-`; two braces that mean themselves are "
        "written \\\\{{",
        "%s is not the name of a variable", quoted);
    return NULL;
  }
  value = look_up (self, name);
  if (value == NULL) {
    report_unset (self, path, name);
    return NULL;
  }
  g_string_append (expanded, value);
  return end + strlen (CLOSING);
}

/*
 * weft_variables_expand_text:
 * @self: the variables
 * @text: some text
 * @path: where it stands
 * @is_whole: (out) (optional): whether @text is one placeholder and nothing else
 *
 * `{{name}}` becomes the variable's value, `\{{` becomes `{{`, and `\\{{` a backslash and then a
 * placeholder.
 *
 * Returns: (transfer full) (nullable): the text with the values put in, or %NULL after a problem
 * was noted
 */
gchar *
weft_variables_expand_text (
    WeftVariables *self, const gchar *text, const WeftJsonPath *path, gboolean *is_whole)
{
  g_autoptr (GString) expanded = g_string_new (NULL);
  const gchar *rest = text;
  const gchar *opening;

  if (is_whole != NULL)
    *is_whole = FALSE;
  if (self->n_bytes == G_MAXSIZE)
    return NULL;
  while ((opening = strstr (rest, OPENING)) != NULL) {
    gsize n_backslashes = 0;
    gboolean is_first = opening == text;

    while (opening - n_backslashes > rest && opening[-1 - (gssize) n_backslashes] == '\\')
      n_backslashes++;
    g_string_append_len (expanded, rest, opening - rest - (gssize) n_backslashes);
    for (gsize i = 0; i < n_backslashes / 2; i++)
      g_string_append_c (expanded, '\\');
    if (n_backslashes % 2 == 1) {
      g_string_append (expanded, OPENING);
      rest = opening + strlen (OPENING);
      continue;
    }
    rest = expand_placeholder (self, opening, expanded, path);
    if (rest == NULL)
      return NULL;
    if (self->n_bytes + expanded->len > WEFT_VARIABLES_MAX_BYTES) {
      report (self, path, "use shorter values",
          "with the variables put in, the job's texts are longer than %u MiB together",
          WEFT_VARIABLES_MAX_BYTES >> 20);
      /* Said once is enough, and the rest need not be tried. */
      self->n_bytes = G_MAXSIZE;
      return NULL;
    }
    if (is_whole != NULL)
      *is_whole = is_first && *rest == '\0';
  }
  g_string_append (expanded, rest);
  self->n_bytes += expanded->len;
  return g_string_free (g_steal_pointer (&expanded), FALSE);
}

/*
 * weft_variables_find_placeholder:
 * @self: the variables
 * @text: some text
 *
 * Returns: (transfer full) (nullable): the first name in @text that would have been replaced, had
 * @text not been a value
 */
gchar *
weft_variables_find_placeholder (WeftVariables *self, const gchar *text)
{
  const gchar *opening = text;

  while ((opening = strstr (opening, OPENING)) != NULL) {
    const gchar *end = strstr (opening, CLOSING);
    g_autofree gchar *name = NULL;

    opening += strlen (OPENING);
    if (end == NULL)
      return NULL;
    if (end - opening > 128)
      continue;
    name = g_strstrip (g_strndup (opening, (gsize) (end - opening)));
    if (strcmp (name, "job.id") == 0 || strcmp (name, "output.id") == 0
        || g_hash_table_contains (self->values, name))
      return g_steal_pointer (&name);
  }
  return NULL;
}

/*
 * weft_variables_expand_node:
 * @self: the variables
 * @node: a value; it is changed
 * @path: where it stands
 *
 * Expands all texts in @node; not the names of members.
 */
void
weft_variables_expand_node (WeftVariables *self, JsonNode *node, const WeftJsonPath *path)
{
  if (JSON_NODE_HOLDS_OBJECT (node)) {
    JsonObjectIter iter;
    const gchar *name;
    JsonNode *member;

    json_object_iter_init_ordered (&iter, json_node_get_object (node));
    while (json_object_iter_next_ordered (&iter, &name, &member)) {
      WeftJsonPath here = { path, name, 0 };

      weft_variables_expand_node (self, member, &here);
    }
  } else if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    WeftJsonPath here = { path, NULL, 0 };

    for (; here.index < json_array_get_length (array); here.index++)
      weft_variables_expand_node (self, json_array_get_element (array, here.index), &here);
  } else if (weft_json_get_text (node) != NULL
             && strstr (json_node_get_string (node), OPENING) != NULL) {
    gboolean is_whole;
    g_autofree gchar *expanded =
        weft_variables_expand_text (self, json_node_get_string (node), path, &is_whole);

    if (expanded == NULL)
      return;
    json_node_set_string (node, expanded);
    if (is_whole)
      g_hash_table_add (self->whole, node);
  }
}
