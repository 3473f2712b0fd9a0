/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Small things that all who handle JSON documents need: pointers, copies, and values as messages
 * show them. */

#include "weft-json.h"

#include <string.h>

/* How much of a text an error message repeats. */
#define MAX_QUOTED_CHARS 60

static void
append_path (GString *pointer, const WeftJsonPath *path)
{
  if (path == NULL)
    return;
  append_path (pointer, path->parent);
  g_string_append_c (pointer, '/');
  if (path->name == NULL) {
    g_string_append_printf (pointer, "%u", path->index);
    return;
  }
  for (const gchar *p = path->name; *p != '\0'; p++) {
    if (*p == '~')
      g_string_append (pointer, "~0");
    else if (*p == '/')
      g_string_append (pointer, "~1");
    else
      g_string_append_c (pointer, *p);
  }
}

/*
 * weft_json_path_to_pointer:
 * @path: (nullable): a place
 *
 * Returns: (transfer full): the JSON Pointer (RFC 6901) of @path
 */
gchar *
weft_json_path_to_pointer (const WeftJsonPath *path)
{
  GString *pointer = g_string_new (NULL);

  append_path (pointer, path);
  return g_string_free (pointer, FALSE);
}

/*
 * weft_json_lookup:
 * @root: a document
 * @pointer: a JSON Pointer (RFC 6901)
 *
 * Returns: (transfer none) (nullable): the value @pointer names, or %NULL if there is none
 */
JsonNode *
weft_json_lookup (JsonNode *root, const gchar *pointer)
{
  g_auto (GStrv) tokens = NULL;
  JsonNode *node = root;

  if (*pointer == '\0')
    return root;
  if (*pointer != '/')
    return NULL;
  tokens = g_strsplit (pointer + 1, "/", -1);
  for (guint i = 0; tokens[i] != NULL && node != NULL; i++) {
    if (JSON_NODE_HOLDS_OBJECT (node)) {
      GString *name = g_string_new (tokens[i]);

      /* In this order, so that ~01 becomes ~1 and not a slash. */
      g_string_replace (name, "~1", "/", 0);
      g_string_replace (name, "~0", "~", 0);
      node = json_object_get_member (json_node_get_object (node), name->str);
      g_string_free (name, TRUE);
    } else if (JSON_NODE_HOLDS_ARRAY (node)) {
      JsonArray *array = json_node_get_array (node);
      guint64 index;

      if (!g_ascii_string_to_unsigned (tokens[i], 10, 0, G_MAXUINT, &index, NULL)
          || index >= json_array_get_length (array))
        return NULL;
      node = json_array_get_element (array, (guint) index);
    } else {
      return NULL;
    }
  }
  return node;
}

/*
 * weft_json_quote:
 * @text: some text of a document
 *
 * Returns: (transfer full): @text in quotes as a message shows it: shortened, with what is not
 * printable escaped, so that a document cannot write control sequences to a terminal
 */
gchar *
weft_json_quote (const gchar *text)
{
  GString *quoted = g_string_new ("\"");
  guint n = 0;

  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (n++ == MAX_QUOTED_CHARS) {
      g_string_append (quoted, "…");
      break;
    }
    if (c == '\n')
      g_string_append (quoted, "\\n");
    else if (c == '\t')
      g_string_append (quoted, "\\t");
    else if (c == ' ' || g_unichar_isgraph (c))
      g_string_append_unichar (quoted, c);
    else
      g_string_append_printf (quoted, "\\u%04x", c);
  }
  g_string_append_c (quoted, '"');
  return g_string_free (quoted, FALSE);
}

/* Writes the shortest decimal that reads back as @number, of 15 digits at least: with fewer, 120
 * would be written 1.2e+02. */
static void
print_double (gchar *text, gsize size, gdouble number)
{
  for (guint digits = 15; digits <= 17; digits++) {
    gchar format[] = "%.00g";

    format[2] = (gchar) ('0' + digits / 10);
    format[3] = (gchar) ('0' + digits % 10);
    g_ascii_formatd (text, (gint) size, format, number);
    if (g_ascii_strtod (text, NULL) == number)
      return;
  }
}

/*
 * weft_json_number_to_text:
 * @node: a number
 *
 * Returns: (transfer full): the shortest decimal that reads back as the same number
 */
gchar *
weft_json_number_to_text (JsonNode *node)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  if (json_node_get_value_type (node) == G_TYPE_INT64)
    return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node));
  print_double (text, sizeof text, json_node_get_double (node));
  return g_strdup (text);
}

/* Returns: behind the end of the string that begins at @p with a quotation mark */
static const gchar *
skip_string (const gchar *p)
{
  for (p++; *p != '\0' && *p != '"'; p++)
    if (*p == '\\' && p[1] != '\0')
      p++;
  return *p == '"' ? p + 1 : p;
}

/* A number with a point or an exponent is a double, and stays one. */
static void
append_number (GString *out, const gchar *number, gsize length)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  if (memchr (number, '.', length) == NULL && memchr (number, 'e', length) == NULL) {
    g_string_append_len (out, number, (gssize) length);
    return;
  }
  print_double (text, sizeof text, g_ascii_strtod (number, NULL));
  g_string_append (out, text);
  if (strpbrk (text, ".e") == NULL)
    g_string_append (out, ".0");
}

/*
 * weft_json_to_text:
 * @node: a document
 * @pretty: whether to indent it for people
 *
 * What json_to_string() gives, but for numbers: json-glib prints all 17 digits of a double, so that
 * 0.4 becomes 0.40000000000000002.
 *
 * Returns: (transfer full): the text
 */
gchar *
weft_json_to_text (JsonNode *node, gboolean pretty)
{
  g_autofree gchar *text = json_to_string (node, pretty);
  GString *out = g_string_sized_new (strlen (text) + 1);
  const gchar *p = text;

  while (*p != '\0') {
    const gchar *start = p;

    if (*p == '"') {
      p = skip_string (p);
      g_string_append_len (out, start, p - start);
    } else if (*p == '-' || g_ascii_isdigit (*p)) {
      p += strspn (p, "+-.eE0123456789");
      append_number (out, start, (gsize) (p - start));
    } else {
      g_string_append_c (out, *p++);
    }
  }
  return g_string_free (out, FALSE);
}

/*
 * weft_json_describe:
 * @node: a value
 *
 * Returns: what kind of value it is, with its article
 */
const gchar *
weft_json_describe (JsonNode *node)
{
  switch (json_node_get_node_type (node)) {
    case JSON_NODE_OBJECT:
      return "an object";
    case JSON_NODE_ARRAY:
      return "a list";
    case JSON_NODE_NULL:
      return "null";
    case JSON_NODE_VALUE:
    default:
      break;
  }
  switch (json_node_get_value_type (node)) {
    case G_TYPE_STRING:
      return "text";
    case G_TYPE_BOOLEAN:
      return "true or false";
    default:
      return "a number";
  }
}

/*
 * weft_json_get_text:
 * @node: (nullable): a value
 *
 * Unlike json_node_get_string() this may be asked of any value.
 *
 * Returns: (transfer none) (nullable): the text, or %NULL if @node is none
 */
const gchar *
weft_json_get_text (JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (node);
}

/*
 * weft_json_get_member_text:
 * @object: an object
 * @name: the name of a member
 *
 * Returns: (transfer none) (nullable): the member's text, or %NULL if there is none
 */
const gchar *
weft_json_get_member_text (JsonObject *object, const gchar *name)
{
  return weft_json_get_text (json_object_get_member (object, name));
}

/*
 * weft_json_copy:
 * @node: a value
 *
 * Returns: (transfer full): a deep copy; json_node_copy() shares what objects and arrays hold
 */
JsonNode *
weft_json_copy (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node)) {
    g_autoptr (JsonObject) copy = json_object_new ();
    JsonObjectIter iter;
    const gchar *name;
    JsonNode *member;

    json_object_iter_init_ordered (&iter, json_node_get_object (node));
    while (json_object_iter_next_ordered (&iter, &name, &member))
      json_object_set_member (copy, name, weft_json_copy (member));
    return json_node_init_object (json_node_alloc (), copy);
  }
  if (JSON_NODE_HOLDS_ARRAY (node)) {
    JsonArray *array = json_node_get_array (node);
    g_autoptr (JsonArray) copy = json_array_sized_new (json_array_get_length (array));

    for (guint i = 0; i < json_array_get_length (array); i++)
      json_array_add_element (copy, weft_json_copy (json_array_get_element (array, i)));
    return json_node_init_array (json_node_alloc (), copy);
  }
  return json_node_copy (node);
}

/*
 * weft_json_get_member_object:
 * @object: (nullable): an object
 * @name: the name of a member
 *
 * Returns: (transfer none) (nullable): the member, if there is one and it is an object
 */
JsonObject *
weft_json_get_member_object (JsonObject *object, const gchar *name)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_OBJECT (member) ? json_node_get_object (member) : NULL;
}

/*
 * weft_json_get_member_array:
 * @object: (nullable): an object
 * @name: the name of a member
 *
 * Returns: (transfer none) (nullable): the member, if there is one and it is an array
 */
JsonArray *
weft_json_get_member_array (JsonObject *object, const gchar *name)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_ARRAY (member) ? json_node_get_array (member) : NULL;
}
