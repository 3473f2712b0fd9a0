/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads single values of the timeline document. All getters leave their result as it was when the
 * member is absent, so that defaults are written where the variable is declared; all of them
 * refuse what is out of range with the JSON Pointer of the member. */

#include "weftoverlayvalue.h"

#include <math.h>
#include <string.h>

/* 1000 hours, as in jobs. */
#define MAX_TIME_S 3600000.0

static void set_member_error (GError **error, const WeftValue *value, const gchar *name,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static void
set_member_error (
    GError **error, const WeftValue *value, const gchar *name, const gchar *format, ...)
{
  g_autoptr (GString) pointer = g_string_new (name);
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  /* RFC 6901: an unknown member may have any name. */
  g_string_replace (pointer, "~", "~0", 0);
  g_string_replace (pointer, "/", "~1", 0);
  g_string_prepend_c (pointer, '/');
  g_string_prepend (pointer, value->pointer);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer->str, "%s", message);
}

/* Characters that differ between two names, counting a swap of neighbours as one, up to 3. */
static guint
get_name_distance (const gchar *a, const gchar *b)
{
  gsize la = strlen (a), lb = strlen (b);
  guint rows[3][33];

  if (la > 32 || lb > 32)
    return 3;
  for (gsize j = 0; j <= lb; j++)
    rows[0][j] = (guint) j;
  for (gsize i = 1; i <= la; i++) {
    guint *row = rows[i % 3];
    const guint *up = rows[(i + 2) % 3];
    const guint *up2 = rows[(i + 1) % 3];

    row[0] = (guint) i;
    for (gsize j = 1; j <= lb; j++) {
      row[j] = MIN (MIN (up[j], row[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = MIN (row[j], up2[j - 2] + 1);
    }
  }
  return MIN (rows[la % 3][lb], 3);
}

static const gchar *
find_nearest_name (const gchar *name, const gchar *const *known)
{
  const gchar *best = NULL;
  guint best_distance = 3;

  for (guint i = 0; known[i] != NULL; i++) {
    guint distance = get_name_distance (name, known[i]);
    if (distance < best_distance) {
      best = known[i];
      best_distance = distance;
    }
  }
  return best;
}

/**
 * weft_value_shorten:
 *
 * Returns: (transfer full): @string, or its first characters, for a message
 */
gchar *
weft_value_shorten (const gchar *string)
{
  const glong n_max = 64;

  if (g_utf8_strlen (string, -1) <= n_max)
    return g_strdup (string);
  g_autofree gchar *start = g_utf8_substring (string, 0, n_max);
  return g_strconcat (start, "…", NULL);
}

static const gchar *
describe_node (JsonNode *node)
{
  switch (json_node_get_node_type (node)) {
    case JSON_NODE_OBJECT:
      return "an object";
    case JSON_NODE_ARRAY:
      return "an array";
    case JSON_NODE_NULL:
      return "null";
    case JSON_NODE_VALUE:
      break;
  }
  switch (json_node_get_value_type (node)) {
    case G_TYPE_STRING:
      return "a string";
    case G_TYPE_BOOLEAN:
      return "a boolean";
    default:
      return "a number";
  }
}

/* The member, or NULL where it is absent; an explicit null counts as absent nowhere in the job
 * document, so it is an ordinary value of the wrong type here. */
static JsonNode *
get_member (const WeftValue *value, const gchar *name)
{
  return json_object_get_member (value->object, name);
}

static gboolean
node_is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

static gboolean
node_is_string (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

/**
 * weft_value_init:
 * @value: (out caller-allocates): the object, which borrows @node and @pointer
 */
gboolean
weft_value_init (WeftValue *value, JsonNode *node, const gchar *pointer, GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer,
        "expected an object, found %s", describe_node (node));
    return FALSE;
  }
  value->object = json_node_get_object (node);
  value->pointer = pointer;
  return TRUE;
}

/**
 * weft_value_check_members:
 * @known: (array zero-terminated=1): the members that have a meaning
 *
 * Refuses unknown members: a misspelled one would otherwise silently do nothing.
 */
gboolean
weft_value_check_members (const WeftValue *value, const gchar *const *known, GError **error)
{
  JsonObjectIter iter;
  const gchar *name;

  json_object_iter_init_ordered (&iter, value->object);
  while (json_object_iter_next_ordered (&iter, &name, NULL)) {
    if (g_strv_contains (known, name))
      continue;
    const gchar *nearest = find_nearest_name (name, known);
    g_autofree gchar *valid = g_utf8_make_valid (name, -1);
    g_autofree gchar *safe = weft_value_shorten (valid);
    g_autofree gchar *all = g_strjoinv (" ", (gchar **) known);
    if (nearest != NULL)
      set_member_error (
          error, value, safe, "unknown member “%s”, did you mean “%s”?", safe, nearest);
    else
      set_member_error (error, value, safe, "unknown member “%s”; known are: %s", safe, all);
    return FALSE;
  }
  return TRUE;
}

gboolean
weft_value_has (const WeftValue *value, const gchar *name)
{
  return json_object_has_member (value->object, name);
}

/**
 * weft_value_get_object:
 * @object: (out caller-allocates): the member; its `object` is %NULL if there is none
 * @pointer: (out): storage for the pointer of @object
 */
gboolean
weft_value_get_object (
    const WeftValue *value, const gchar *name, WeftValue *object, gchar **pointer, GError **error)
{
  JsonNode *node = get_member (value, name);

  object->object = NULL;
  if (node == NULL)
    return TRUE;
  *pointer = g_strconcat (value->pointer, "/", name, NULL);
  return weft_value_init (object, node, *pointer, error);
}

gboolean
weft_value_get_string (
    const WeftValue *value, const gchar *name, const gchar **string, GError **error)
{
  JsonNode *node = get_member (value, name);

  if (node == NULL)
    return TRUE;
  if (!node_is_string (node)) {
    set_member_error (error, value, name, "expected a string, found %s", describe_node (node));
    return FALSE;
  }
  /* json-glib turns an escaped lone surrogate into bytes that are not UTF-8. */
  if (!g_utf8_validate (json_node_get_string (node), -1, NULL)) {
    set_member_error (error, value, name, "the string is not valid Unicode");
    return FALSE;
  }
  *string = json_node_get_string (node);
  return TRUE;
}

gboolean
weft_value_get_boolean (
    const WeftValue *value, const gchar *name, gboolean *boolean, GError **error)
{
  JsonNode *node = get_member (value, name);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN) {
    set_member_error (error, value, name, "expected true or false, found %s", describe_node (node));
    return FALSE;
  }
  *boolean = json_node_get_boolean (node);
  return TRUE;
}

static gboolean
check_range (const WeftValue *value, const gchar *name, gdouble number, gdouble min, gdouble max,
    GError **error)
{
  /* Written so that NaN fails, too. */
  if (number >= min && number <= max)
    return TRUE;
  set_member_error (error, value, name, "%g is out of range, it may be %g to %g", number, min, max);
  return FALSE;
}

gboolean
weft_value_get_number (const WeftValue *value, const gchar *name, gdouble min, gdouble max,
    gdouble *number, GError **error)
{
  JsonNode *node = get_member (value, name);

  if (node == NULL)
    return TRUE;
  if (!node_is_number (node)) {
    set_member_error (error, value, name, "expected a number, found %s", describe_node (node));
    return FALSE;
  }
  gdouble found = json_node_get_double (node);
  if (!check_range (value, name, found, min, max, error))
    return FALSE;
  *number = found;
  return TRUE;
}

/**
 * weft_value_get_enum:
 * @nicks: (array zero-terminated=1): the strings the member may be
 * @index: (inout): which of them it is
 */
gboolean
weft_value_get_enum (const WeftValue *value, const gchar *name, const gchar *const *nicks,
    gint *index, GError **error)
{
  const gchar *string = NULL;

  if (!weft_value_get_string (value, name, &string, error))
    return FALSE;
  if (string == NULL)
    return TRUE;
  for (gint i = 0; nicks[i] != NULL; i++) {
    if (g_str_equal (nicks[i], string)) {
      *index = i;
      return TRUE;
    }
  }
  g_autofree gchar *found = weft_value_shorten (string);
  g_autofree gchar *all = g_strjoinv (" ", (gchar **) nicks);
  set_member_error (error, value, name, "“%s” is none of: %s", found, all);
  return FALSE;
}

static gboolean
parse_color (const gchar *string, WeftColor *color)
{
  gsize n = strlen (string) - 1;
  guint8 digits[8];
  guint8 bytes[4] = { 0, 0, 0, 255 };

  if (string[0] != '#' || (n != 3 && n != 6 && n != 8))
    return FALSE;
  for (gsize i = 0; i < n; i++) {
    if (!g_ascii_isxdigit (string[i + 1]))
      return FALSE;
    digits[i] = (guint8) g_ascii_xdigit_value (string[i + 1]);
  }
  for (gsize i = 0; i < (n == 3 ? 3 : n / 2); i++)
    bytes[i] = (guint8) (n == 3 ? digits[i] * 17 : digits[2 * i] * 16 + digits[2 * i + 1]);
  color->red = bytes[0] / 255.0;
  color->green = bytes[1] / 255.0;
  color->blue = bytes[2] / 255.0;
  color->alpha = bytes[3] / 255.0;
  return TRUE;
}

/**
 * weft_value_get_color:
 * @color: (inout): set from `#RGB`, `#RRGGBB` or `#RRGGBBAA`
 */
gboolean
weft_value_get_color (const WeftValue *value, const gchar *name, WeftColor *color, GError **error)
{
  const gchar *string = NULL;

  if (!weft_value_get_string (value, name, &string, error))
    return FALSE;
  if (string == NULL || (string[0] != '\0' && parse_color (string, color)))
    return TRUE;
  g_autofree gchar *found = weft_value_shorten (string);
  set_member_error (error, value, name, "“%s” is not a colour; write #RRGGBB or #RRGGBBAA", found);
  return FALSE;
}

/**
 * weft_value_get_length:
 * @min_pixels: the least a length in pixels may be
 * @length: (inout): a number is a fraction of the frame, a string like `"120px"` pixels
 */
gboolean
weft_value_get_length (const WeftValue *value, const gchar *name, gdouble min_pixels,
    WeftLength *length, GError **error)
{
  JsonNode *node = get_member (value, name);

  if (node == NULL)
    return TRUE;
  if (node_is_number (node)) {
    gdouble fraction = json_node_get_double (node);
    /* A size of nothing is a mistake, a place at the edge is not. */
    if (!(fraction >= 0.0 && fraction <= 1.0) || (fraction == 0.0 && min_pixels > 0.0)) {
      set_member_error (error, value, name,
          "%g is out of range: a number is a fraction of the frame, 0 to 1; write \"%gpx\" for "
          "pixels",
          fraction, isfinite (fraction) ? fraction : 0.0);
      return FALSE;
    }
    length->unit = WEFT_LENGTH_FRACTION;
    length->value = fraction;
    return TRUE;
  }
  if (node_is_string (node)) {
    const gchar *string = json_node_get_string (node);
    gchar *end = NULL;
    gdouble pixels = g_ascii_strtod (string, &end);
    /* strtod() also takes "nan", "inf", exponents and hexadecimal. */
    const gchar *first = string[0] == '-' ? string + 1 : string;
    if (end > first && strspn (first, "0123456789.") == (gsize) (end - first)
        && g_str_equal (end, "px")) {
      if (!check_range (value, name, pixels, min_pixels, WEFT_MAX_PIXELS, error))
        return FALSE;
      length->unit = WEFT_LENGTH_PIXELS;
      length->value = pixels;
      return TRUE;
    }
  }
  set_member_error (
      error, value, name, "expected a fraction of the frame (0 to 1) or a string like \"120px\"");
  return FALSE;
}

/* `SS`, `MM:SS` or `HH:MM:SS`, with up to nine decimals. */
static gboolean
parse_clock (const gchar *string, GstClockTime *time)
{
  const gchar *p = string;
  guint64 seconds = 0, fraction_ns = 0;

  for (guint i = 0; i < 3; i++) {
    const gchar *begin = p;
    guint64 field = 0;
    while (g_ascii_isdigit (*p) && p - begin < 7)
      field = field * 10 + (guint64) g_ascii_digit_value (*p++);
    /* Only the first field may be long; those after it have two digits, as clocks write them. */
    if (p == begin || (i > 0 && (p - begin != 2 || field > 59)))
      return FALSE;
    seconds = seconds * 60 + field;
    if (*p != ':')
      break;
    if (i == 2)
      return FALSE;
    p++;
  }
  if (*p == '.') {
    guint64 unit = GST_SECOND / 10;
    if (!g_ascii_isdigit (*++p))
      return FALSE;
    for (; g_ascii_isdigit (*p); p++, unit /= 10)
      fraction_ns += unit * (guint64) g_ascii_digit_value (*p);
  }
  if (*p != '\0' || seconds >= (guint64) MAX_TIME_S)
    return FALSE;
  *time = seconds * GST_SECOND + fraction_ns;
  return TRUE;
}

/**
 * weft_value_get_time:
 * @time: (inout): nanoseconds; %GST_CLOCK_TIME_NONE for `"end"`
 */
gboolean
weft_value_get_time (const WeftValue *value, const gchar *name, GstClockTime *time, GError **error)
{
  JsonNode *node = get_member (value, name);

  if (node == NULL)
    return TRUE;
  if (node_is_number (node)) {
    gdouble seconds = json_node_get_double (node);
    if (!check_range (value, name, seconds, 0.0, MAX_TIME_S, error))
      return FALSE;
    *time = (GstClockTime) (seconds * (gdouble) GST_SECOND + 0.5);
    return TRUE;
  }
  if (node_is_string (node)) {
    const gchar *string = json_node_get_string (node);
    if (g_str_equal (string, "end")) {
      *time = GST_CLOCK_TIME_NONE;
      return TRUE;
    }
    if (parse_clock (string, time))
      return TRUE;
  }
  set_member_error (error, value, name, "expected seconds, \"HH:MM:SS.mmm\" or \"end\"");
  return FALSE;
}
