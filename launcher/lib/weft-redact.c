/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the secrets out of URIs before they are shown.
 *
 * Presigned URLs of every provider carry their signature as a query value, each under a name of its
 * own. So every query value is taken out but those known to be harmless. A mistake here must show
 * too little. */

#include "weft-redact.h"

#include <string.h>

#define REDACTED "***"

/* Query and fragment names whose values say which object or which part of it, never who may read
 * it. */
static const gchar *const harmless_names[] = { "versionId", "partNumber", "t", "xywh" };

static gboolean
is_scheme_char (gchar c)
{
  return g_ascii_isalnum (c) || c == '+' || c == '-' || c == '.';
}

/* Where the URI that @text begins with ends: at a character that no URI holds. A backslash ends one
 * only where it escapes a quote, as in JSON within a launch line. */
static const gchar *
find_end (const gchar *text)
{
  const gchar *end = text;

  for (; *end; end++) {
    if (g_ascii_isspace (*end) || g_ascii_iscntrl (*end) || strchr ("\"<>", *end))
      break;
    if (*end == '\\' && (end[1] == '"' || end[1] == '\\'))
      break;
  }
  /* Punctuation of the sentence around it. */
  while (end > text && strchr ("])}.,;:'", end[-1]))
    end--;
  return end;
}

static void
append_parameters (GString *out, const gchar *begin, const gchar *end)
{
  while (begin < end) {
    const gchar *stop = begin;
    const gchar *equals;
    gboolean is_harmless = FALSE;

    while (stop < end && *stop != '&' && *stop != ';')
      stop++;
    equals = memchr (begin, '=', (gsize) (stop - begin));
    if (equals) {
      g_autofree gchar *name = g_strndup (begin, (gsize) (equals - begin));

      for (guint i = 0; i < G_N_ELEMENTS (harmless_names); i++)
        is_harmless |= g_str_equal (name, harmless_names[i]);
    }
    if (is_harmless) {
      g_string_append_len (out, begin, stop - begin);
    } else {
      if (equals)
        g_string_append_len (out, begin, equals + 1 - begin);
      if (begin < stop)
        g_string_append (out, REDACTED);
    }
    if (stop < end)
      g_string_append_c (out, *stop);
    begin = stop + 1;
  }
}

/* Appends what follows the `//` of a URI, up to @end. */
static void
append_uri (GString *out, const gchar *begin, const gchar *end)
{
  const gchar *authority_end = begin;
  const gchar *at = NULL;
  const gchar *query;

  for (; authority_end < end && !strchr ("/?#", *authority_end); authority_end++)
    if (*authority_end == '@')
      at = authority_end;
  if (at) {
    g_string_append (out, REDACTED);
    begin = at;
  }
  for (query = begin; query < end && *query != '?' && *query != '#'; query++)
    ;
  g_string_append_len (out, begin, query - begin);
  while (query < end) {
    const gchar *stop = query + 1;

    g_string_append_c (out, *query);
    while (stop < end && *stop != '#')
      stop++;
    append_parameters (out, query + 1, stop);
    query = stop;
  }
}

/**
 * weft_redact_text:
 * @text: any text, such as a message or a launch line
 *
 * Replaces what may be secret in each URI (RFC 3986) that @text holds by `***`: the user
 * information before the host, and the values of the query and the fragment.
 *
 * Returns: (transfer full): the text as it may be shown and logged
 */
gchar *
weft_redact_text (const gchar *text)
{
  g_autoptr (GString) out = NULL;
  const gchar *rest = text;
  const gchar *mark;

  g_return_val_if_fail (text != NULL, NULL);

  out = g_string_new (NULL);
  while ((mark = strstr (rest, "://"))) {
    const gchar *begin = mark + strlen ("://");
    const gchar *end = find_end (begin);

    g_string_append_len (out, rest, begin - rest);
    rest = begin;
    if (mark > text && is_scheme_char (mark[-1]) && end > begin) {
      append_uri (out, begin, end);
      rest = end;
    }
  }
  g_string_append (out, rest);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static JsonNode *
redact_object (JsonObject *object)
{
  g_autoptr (JsonObject) copy = json_object_new ();
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &member))
    json_object_set_member (copy, name, weft_redact_json (member));
  return json_node_init_object (json_node_alloc (), copy);
}

static JsonNode *
redact_array (JsonArray *array)
{
  g_autoptr (JsonArray) copy = json_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_element (copy, weft_redact_json (json_array_get_element (array, i)));
  return json_node_init_array (json_node_alloc (), copy);
}

/**
 * weft_redact_json:
 * @node: any JSON
 *
 * Returns: (transfer full): a copy of @node in which [func@Weft.redact_text] was applied to every
 * string
 */
JsonNode *
weft_redact_json (JsonNode *node)
{
  g_return_val_if_fail (node != NULL, NULL);

  if (JSON_NODE_HOLDS_OBJECT (node))
    return redact_object (json_node_get_object (node));
  if (JSON_NODE_HOLDS_ARRAY (node))
    return redact_array (json_node_get_array (node));
  if (json_node_get_value_type (node) == G_TYPE_STRING) {
    g_autofree gchar *text = weft_redact_text (json_node_get_string (node));

    return json_node_init_string (json_node_alloc (), text);
  }
  return json_node_copy (node);
}
