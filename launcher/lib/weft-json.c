/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A strict reader of JSON (RFC 8259). It builds json-glib's tree, but does not use json-glib's
 * parser: that one has no depth limit, accepts comments, keeps the last of two members of the same
 * name without a word, cuts a string at an escaped NUL, and wraps whole numbers that do not fit.
 * Each of these would let a document mean something else to Weft than to whoever checked it. */

#include "weft-json.h"

#include <math.h>
#include <string.h>

/* No number that means anything is longer; it keeps the text given to strtod() on the stack. */
#define MAX_NUMBER_BYTES 400u

/* json-glib finds members by a hash that anybody can compute, and a thousand names of one hash
 * would cost a million comparisons. Names that nobody chose for it do not even share a hash in
 * pairs. */
#define MAX_NAMES_OF_ONE_HASH 8u
#define FEW_MEMBERS 32u

typedef struct {
  const gchar *start;
  const gchar *pos;
  const gchar *end;
  const gchar *name; /* of the document, for messages */
  guint depth;
  guint n_values;
  WeftProblem *problem;
} Reader;

static JsonNode *read_value (Reader *reader, const WeftJsonPath *path);

static void
locate (const Reader *reader, const gchar *at, guint *line, guint *column)
{
  const gchar *line_start = reader->start;

  *line = 1;
  for (const gchar *p = reader->start; p < at; p++) {
    if (*p == '\n') {
      (*line)++;
      line_start = p + 1;
    }
  }
  *column = 1;
  for (const gchar *p = line_start; p < at; p++) {
    /* Continuation bytes are not characters of their own. */
    if ((*p & 0xc0) != 0x80)
      (*column)++;
  }
}

static void fail_at (Reader *reader, const WeftJsonPath *path, const gchar *at, const gchar *hint,
    const gchar *format, ...) G_GNUC_PRINTF (5, 6);

static void
fail_at (Reader *reader, const WeftJsonPath *path, const gchar *at, const gchar *hint,
    const gchar *format, ...)
{
  g_autofree gchar *what = NULL;
  g_autofree gchar *pointer = NULL;
  guint line, column;
  va_list args;

  if (reader->problem != NULL)
    return;
  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  locate (reader, at, &line, &column);
  pointer = weft_json_path_to_pointer (path);
  reader->problem = weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL, hint,
      "%s, line %u, column %u (byte %" G_GSIZE_FORMAT "): %s", reader->name, line, column,
      (gsize) (at - reader->start), what);
}

static void
skip_space (Reader *reader)
{
  while (reader->pos < reader->end
         && (*reader->pos == ' ' || *reader->pos == '\t' || *reader->pos == '\n'
             || *reader->pos == '\r'))
    reader->pos++;
}

static gboolean
at_char (const Reader *reader, gchar c)
{
  return reader->pos < reader->end && *reader->pos == c;
}

/* The character at the reader's place, as a message names it. */
static gchar *
name_char (const Reader *reader)
{
  gunichar c;

  if (reader->pos >= reader->end)
    return g_strdup ("the end of the document");
  c = g_utf8_get_char (reader->pos);
  if (c > 0x20 && g_unichar_isprint (c)) {
    gchar utf8[7] = { 0 };

    g_unichar_to_utf8 (c, utf8);
    return g_strdup_printf ("`%s`", utf8);
  }
  return g_strdup_printf ("U+%04X", c);
}

static const gchar *
hint_for_token (const Reader *reader)
{
  static const struct {
    const gchar *token;
    const gchar *hint;
  } hints[] = {
    { "//", "JSON has no comments; remove it" },
    { "/*", "JSON has no comments; remove it" },
    { "#", "JSON has no comments; remove it" },
    { "'", "text stands in double quotes" },
    { "NaN", "JSON has no NaN; write a number" },
    { "nan", "JSON has no NaN; write a number" },
    { "Infinity", "JSON has no Infinity; write a number" },
    { "-Infinity", "JSON has no Infinity; write a number" },
    { "inf", "JSON has no Infinity; write a number" },
    { "True", "write true" },
    { "TRUE", "write true" },
    { "False", "write false" },
    { "FALSE", "write false" },
    { "None", "write null" },
    { "undefined", "write null" },
    { "+", "a number has no plus sign" },
    { ".", "a number begins with a digit, such as 0.5" },
    { ",", "remove the comma that has nothing after it" },
    { "]", "a value is missing, or the comma before it is one too many" },
    { "}", "a value is missing, or the comma before it is one too many" },
  };
  gsize left = (gsize) (reader->end - reader->pos);

  if (left == 0)
    return "the document is cut off; is the file complete?";
  for (guint i = 0; i < G_N_ELEMENTS (hints); i++) {
    gsize n = strlen (hints[i].token);

    if (left >= n && memcmp (reader->pos, hints[i].token, n) == 0)
      return hints[i].hint;
  }
  return NULL;
}

static gboolean
read_hex4 (Reader *reader, guint *value)
{
  if (reader->end - reader->pos < 4)
    return FALSE;
  *value = 0;
  for (guint i = 0; i < 4; i++) {
    gint digit = g_ascii_xdigit_value (reader->pos[i]);

    if (digit < 0)
      return FALSE;
    *value = *value << 4 | (guint) digit;
  }
  reader->pos += 4;
  return TRUE;
}

/* Reads the part of a \u escape after the `u`. */
static gboolean
read_unicode_escape (Reader *reader, const WeftJsonPath *path, GString *text)
{
  const gchar *at = reader->pos - 2;
  guint unit, low;

  if (!read_hex4 (reader, &unit)) {
    fail_at (reader, path, at, "write \\u and four hexadecimal digits", "bad \\u escape");
    return FALSE;
  }
  if (unit == 0) {
    fail_at (reader, path, at, "remove it; no text in a job can hold it",
        "text contains the character U+0000");
    return FALSE;
  }
  if (unit >= 0xd800 && unit <= 0xdfff) {
    if (unit >= 0xdc00 || reader->end - reader->pos < 2 || reader->pos[0] != '\\'
        || reader->pos[1] != 'u') {
      fail_at (reader, path, at,
          "characters beyond U+FFFF are two escapes, or stand as they are in UTF-8",
          "half a surrogate pair, \\u%04x", unit);
      return FALSE;
    }
    reader->pos += 2;
    if (!read_hex4 (reader, &low) || low < 0xdc00 || low > 0xdfff) {
      fail_at (reader, path, at,
          "characters beyond U+FFFF are two escapes, or stand as they are in UTF-8",
          "half a surrogate pair, \\u%04x", unit);
      return FALSE;
    }
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  g_string_append_unichar (text, unit);
  return TRUE;
}

static gboolean
read_escape (Reader *reader, const WeftJsonPath *path, GString *text)
{
  static const gchar names[] = "\"\\/bfnrt";
  static const gchar values[] = "\"\\/\b\f\n\r\t";
  const gchar *found;
  gchar c;

  reader->pos++; /* the backslash */
  if (reader->pos >= reader->end)
    return TRUE; /* the caller finds the text unfinished */
  c = *reader->pos++;
  if (c == 'u')
    return read_unicode_escape (reader, path, text);
  found = c != '\0' ? strchr (names, c) : NULL;
  if (found == NULL) {
    fail_at (reader, path, reader->pos - 2, "write a backslash as \\\\", "bad escape in text");
    return FALSE;
  }
  g_string_append_c (text, values[found - names]);
  return TRUE;
}

/* Reads a string; the reader stands on its opening quote. */
static gchar *
read_string (Reader *reader, const WeftJsonPath *path)
{
  const gchar *opening = reader->pos;
  g_autoptr (GString) text = NULL;

  reader->pos++;
  text = g_string_new (NULL);
  while (reader->pos < reader->end) {
    const gchar *run = reader->pos;

    while (reader->pos < reader->end && *reader->pos != '"' && *reader->pos != '\\'
           && (guchar) *reader->pos >= 0x20)
      reader->pos++;
    g_string_append_len (text, run, reader->pos - run);
    if (reader->pos >= reader->end)
      break;
    if (*reader->pos == '"') {
      reader->pos++;
      return g_string_free (g_steal_pointer (&text), FALSE);
    }
    if (*reader->pos != '\\') {
      g_autofree gchar *c = name_char (reader);

      fail_at (reader, path, reader->pos,
          *reader->pos == '\n' || *reader->pos == '\r'
              ? "write a line break as \\n, or close the text before it"
              : "write it as an escape, such as \\t",
          "control character %s in text", c);
      return NULL;
    }
    if (!read_escape (reader, path, text))
      return NULL;
  }
  fail_at (reader, path, opening, "close it with a double quote", "text without an end");
  return NULL;
}

static gboolean
skip_digits (Reader *reader)
{
  const gchar *first = reader->pos;

  while (reader->pos < reader->end && g_ascii_isdigit (*reader->pos))
    reader->pos++;
  return reader->pos > first;
}

/* Steps over a number; FALSE if the grammar of RFC 8259, section 6, has no such number. */
static gboolean
scan_number (Reader *reader, gboolean *is_whole, const gchar **hint)
{
  *is_whole = TRUE;
  *hint = "a number is such as 0, -1, 2.5 or 1e3";
  if (at_char (reader, '-'))
    reader->pos++;
  if (at_char (reader, '0')) {
    reader->pos++;
    if (reader->pos < reader->end && g_ascii_isdigit (*reader->pos)) {
      *hint = "a number has no leading zero";
      return FALSE;
    }
  } else if (!skip_digits (reader)) {
    if (reader->end - reader->pos >= 3 && g_ascii_strncasecmp (reader->pos, "inf", 3) == 0)
      *hint = "JSON has no Infinity; write a number";
    return FALSE;
  }
  if (at_char (reader, '.')) {
    *is_whole = FALSE;
    reader->pos++;
    if (!skip_digits (reader))
      return FALSE;
  }
  if (at_char (reader, 'e') || at_char (reader, 'E')) {
    *is_whole = FALSE;
    reader->pos++;
    if (at_char (reader, '+') || at_char (reader, '-'))
      reader->pos++;
    if (!skip_digits (reader))
      return FALSE;
  }
  return TRUE;
}

static JsonNode *
read_number (Reader *reader, const WeftJsonPath *path)
{
  const gchar *first = reader->pos;
  const gchar *hint;
  gchar text[MAX_NUMBER_BYTES + 1];
  gboolean is_whole;
  JsonNode *node;
  gsize length;
  gdouble number;

  if (!scan_number (reader, &is_whole, &hint)) {
    fail_at (reader, path, first, hint, "not a number of JSON");
    return NULL;
  }
  length = (gsize) (reader->pos - first);
  if (length > MAX_NUMBER_BYTES) {
    fail_at (reader, path, first, "write fewer digits",
        "a number of %" G_GSIZE_FORMAT " characters; %u are the most", length, MAX_NUMBER_BYTES);
    return NULL;
  }
  memcpy (text, first, length);
  text[length] = '\0';

  node = json_node_alloc ();
  if (is_whole) {
    gint64 whole;

    if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &whole, NULL))
      return json_node_init_int (node, whole);
  }
  number = g_ascii_strtod (text, NULL);
  if (!isfinite (number)) {
    json_node_unref (node);
    fail_at (reader, path, first, "the largest number is about 1.8e308", "number too large");
    return NULL;
  }
  return json_node_init_double (node, number);
}

static JsonNode *
read_literal (Reader *reader, const WeftJsonPath *path)
{
  static const gchar *const literals[] = { "null", "false", "true" };

  for (guint i = 0; i < G_N_ELEMENTS (literals); i++) {
    gsize n = strlen (literals[i]);

    if ((gsize) (reader->end - reader->pos) < n || memcmp (reader->pos, literals[i], n) != 0)
      continue;
    /* "nullx" is one wrong word, not null and then something. */
    if (reader->pos + n < reader->end
        && (g_ascii_isalnum (reader->pos[n]) || reader->pos[n] == '_'))
      continue;
    reader->pos += n;
    return i == 0 ? json_node_init_null (json_node_alloc ())
                  : json_node_init_boolean (json_node_alloc (), i == 2);
  }

  g_autofree gchar *c = name_char (reader);
  const gchar *hint = hint_for_token (reader);

  if (hint == NULL && g_ascii_isalpha (*reader->pos))
    hint = "text stands in double quotes";
  else if (hint == NULL)
    hint = "a value is text in double quotes, a number, true, false, null, a list or an object";
  fail_at (reader, path, reader->pos, hint, "a value was expected, not %s", c);
  return NULL;
}

static gboolean
enter (Reader *reader, const WeftJsonPath *path)
{
  if (reader->depth == WEFT_JSON_MAX_DEPTH) {
    fail_at (reader, path, reader->pos, "nest less deeply", "nested deeper than %u levels",
        WEFT_JSON_MAX_DEPTH);
    return FALSE;
  }
  reader->depth++;
  reader->pos++;
  skip_space (reader);
  return TRUE;
}

/* After a member or an element: TRUE if another one follows. Where neither a comma nor the end
 * stands, a problem is noted. */
static gboolean
read_comma (Reader *reader, const WeftJsonPath *path, gchar closing)
{
  const gchar *comma;

  skip_space (reader);
  if (at_char (reader, closing)) {
    reader->pos++;
    return FALSE;
  }
  if (!at_char (reader, ',')) {
    g_autofree gchar *c = name_char (reader);
    const gchar *hint = hint_for_token (reader);

    if (hint == NULL || at_char (reader, ']') || at_char (reader, '}'))
      hint = "is a comma missing before it?";
    fail_at (reader, path, reader->pos, hint, "`,` or `%c` was expected, not %s", closing, c);
    return FALSE;
  }
  comma = reader->pos++;
  skip_space (reader);
  if (at_char (reader, closing)) {
    fail_at (reader, path, comma, "remove the comma", "comma before `%c`", closing);
    return FALSE;
  }
  return TRUE;
}

static JsonNode *
read_array (Reader *reader, const WeftJsonPath *path)
{
  g_autoptr (JsonArray) array = json_array_new ();
  WeftJsonPath here = { path, NULL, 0 };

  if (!enter (reader, path))
    return NULL;
  if (at_char (reader, ']')) {
    reader->pos++;
  } else {
    do {
      JsonNode *element = read_value (reader, &here);

      if (element == NULL)
        return NULL;
      json_array_add_element (array, element);
      here.index++;
    } while (read_comma (reader, path, ']'));
    if (reader->problem != NULL)
      return NULL;
  }
  reader->depth--;
  return json_node_init_array (json_node_alloc (), array);
}

/* Counts @name among the names of its hash, in objects that have more than a few members. */
static gboolean
is_one_of_many (GHashTable **hashes, JsonObject *object, const gchar *name)
{
  gpointer hash = GUINT_TO_POINTER (g_str_hash (name));
  guint n;

  if (json_object_get_size (object) < FEW_MEMBERS)
    return FALSE;
  if (*hashes == NULL)
    *hashes = g_hash_table_new (NULL, NULL);
  n = GPOINTER_TO_UINT (g_hash_table_lookup (*hashes, hash)) + 1;
  g_hash_table_insert (*hashes, hash, GUINT_TO_POINTER (n));
  return n > MAX_NAMES_OF_ONE_HASH;
}

static gchar *
read_name (Reader *reader, const WeftJsonPath *path, JsonObject *object, GHashTable **hashes)
{
  g_autofree gchar *name = NULL;
  const gchar *at = reader->pos;

  if (!at_char (reader, '"')) {
    g_autofree gchar *c = name_char (reader);
    const gchar *hint = hint_for_token (reader);

    if (hint == NULL)
      hint = "names of members stand in double quotes";
    fail_at (reader, path, at, hint, "the name of a member was expected, not %s", c);
    return NULL;
  }
  name = read_string (reader, path);
  if (name == NULL)
    return NULL;
  if (strlen (name) > WEFT_JSON_MAX_NAME_BYTES) {
    fail_at (reader, path, at, "is a quote missing?",
        "the name of a member is longer than %u bytes", WEFT_JSON_MAX_NAME_BYTES);
    return NULL;
  }
  if (is_one_of_many (hashes, object, name)) {
    fail_at (reader, path, at, "choose other names",
        "the names of an object's members were chosen to make reading it slow");
    return NULL;
  }
  if (json_object_has_member (object, name)) {
    g_autofree gchar *quoted = weft_json_quote (name);
    WeftJsonPath here = { path, name, 0 };

    fail_at (reader, &here, at, "keep one of the two", "the member %s stands here twice", quoted);
    return NULL;
  }
  if (json_object_get_size (object) >= WEFT_JSON_MAX_MEMBERS) {
    fail_at (reader, path, at, "use fewer members", "an object of more than %u members",
        WEFT_JSON_MAX_MEMBERS);
    return NULL;
  }
  skip_space (reader);
  if (!at_char (reader, ':')) {
    g_autofree gchar *c = name_char (reader);

    fail_at (reader, path, reader->pos, "write \"name\": value", "`:` was expected, not %s", c);
    return NULL;
  }
  reader->pos++;
  return g_steal_pointer (&name);
}

static JsonNode *
read_object (Reader *reader, const WeftJsonPath *path)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (GHashTable) hashes = NULL;

  if (!enter (reader, path))
    return NULL;
  if (at_char (reader, '}')) {
    reader->pos++;
  } else {
    do {
      g_autofree gchar *name = read_name (reader, path, object, &hashes);
      WeftJsonPath here = { path, name, 0 };
      JsonNode *value;

      if (name == NULL)
        return NULL;
      value = read_value (reader, &here);
      if (value == NULL)
        return NULL;
      json_object_set_member (object, name, value);
    } while (read_comma (reader, path, '}'));
    if (reader->problem != NULL)
      return NULL;
  }
  reader->depth--;
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
read_value (Reader *reader, const WeftJsonPath *path)
{
  skip_space (reader);
  if (reader->n_values++ == WEFT_JSON_MAX_VALUES) {
    fail_at (
        reader, path, reader->pos, "split the job", "more than %u values", WEFT_JSON_MAX_VALUES);
    return NULL;
  }
  if (reader->pos >= reader->end)
    return read_literal (reader, path);
  switch (*reader->pos) {
    case '{':
      return read_object (reader, path);
    case '[':
      return read_array (reader, path);
    case '"': {
      g_autofree gchar *text = read_string (reader, path);

      return text != NULL ? json_node_init_string (json_node_alloc (), text) : NULL;
    }
    case '-':
    case '0' ... '9':
      return read_number (reader, path);
    default:
      return read_literal (reader, path);
  }
}

static gboolean
check_encoding (Reader *reader)
{
  gsize length = (gsize) (reader->end - reader->start);
  const gchar *bad;

  if (length >= 2
      && ((guchar) reader->start[0] == 0xff || (guchar) reader->start[0] == 0xfe
          || reader->start[0] == '\0' || reader->start[1] == '\0')) {
    reader->problem = weft_problem_new (WEFT_ERROR_INVALID_JOB, "", NULL, "save it as UTF-8",
        "%s, line 1, column 1 (byte 0): the document is not UTF-8 but looks like UTF-16 or UTF-32",
        reader->name);
    return FALSE;
  }
  if (g_utf8_validate_len (reader->start, length, &bad))
    return TRUE;
  if (*bad == '\0')
    fail_at (reader, NULL, bad, "is it a text file?", "a NUL byte");
  else
    fail_at (
        reader, NULL, bad, "save it as UTF-8", "the byte 0x%02x is not valid UTF-8", (guchar) *bad);
  return FALSE;
}

/*
 * weft_json_parse:
 * @data: the document
 * @length: its length in bytes
 * @name: what messages call the document, such as its file name
 *
 * Reads one JSON value and nothing after it. Beyond RFC 8259 it refuses what would be ambiguous or
 * costly: names of members that stand twice in one object, U+0000 and lone surrogates in text,
 * numbers outside the range of a double, and documents beyond the limits in this header. A byte
 * order mark at the beginning is skipped, as RFC 8259 section 8.1 permits.
 *
 * Whole numbers that fit are gint64 nodes, all others gdouble.
 *
 * Returns: (transfer full): the value; or %NULL with %WEFT_ERROR_INVALID_JOB, which names line and
 * column
 */
JsonNode *
weft_json_parse (const gchar *data, gsize length, const gchar *name, GError **error)
{
  Reader reader = { data, data, data + length, name, 0, 0, NULL };
  g_autoptr (JsonNode) root = NULL;

  if (length > WEFT_JSON_MAX_BYTES) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_INVALID_JOB, "", NULL, "is it the right file?",
                   "%s is %" G_GSIZE_FORMAT " bytes long; %u are the most", name, length,
                   WEFT_JSON_MAX_BYTES));
    return NULL;
  }
  if (length >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    reader.pos += 3;
  if (check_encoding (&reader)) {
    skip_space (&reader);
    if (reader.pos == reader.end)
      fail_at (&reader, NULL, reader.pos, "write a JSON object", "the document is empty");
    else
      root = read_value (&reader, NULL);
  }
  if (root != NULL) {
    skip_space (&reader);
    if (reader.pos < reader.end) {
      g_autofree gchar *c = name_char (&reader);

      fail_at (&reader, NULL, reader.pos, "a document is one object",
          "%s after the end of the document", c);
    }
  }
  if (reader.problem != NULL) {
    weft_error_set_problem (error, reader.problem);
    return NULL;
  }
  return g_steal_pointer (&root);
}

/*
 * weft_json_number_from_text:
 * @text: some text
 *
 * Returns: (transfer full) (nullable): the number that @text is in JSON's grammar, or %NULL if it
 * is none
 */
JsonNode *
weft_json_number_from_text (const gchar *text)
{
  Reader reader = { text, text, text + strlen (text), "", 0, 0, NULL };
  JsonNode *node;

  if (*text != '-' && !g_ascii_isdigit (*text))
    return NULL;
  node = read_number (&reader, NULL);
  g_clear_pointer (&reader.problem, weft_problem_free);
  if (node != NULL && reader.pos != reader.end)
    g_clear_pointer (&node, json_node_unref);
  return node;
}
