/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftcliplist.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Limits far past anything real: they keep the arithmetic below free of overflow. */
#define MAX_SIZE 16384
#define MAX_FPS 1000
#define MAX_CHANNELS 64
#define MAX_CLIPS 100000
#define MAX_FRAMES (G_GUINT64_CONSTANT (1) << 40)
#define MAX_TIME_NS ((gint64) 1000 * 24 * 3600 * GST_SECOND)
#define MAX_VOLUME 100.0

#define REFUSE(error, ...)                                                                         \
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, __VA_ARGS__)

static void
clip_free (WeftClip *clip)
{
  g_free (clip->pointer);
  g_free (clip->uri);
  g_free (clip);
}

/* Where in the document a reader of it stands, for messages. */
typedef struct {
  JsonObject *object;
  gchar *where; /* "" or "/clips/3" */
  const gchar *folder;
  GError **error;
  gboolean ok;
} Reading;

static JsonNode *
take_member (Reading *r, const gchar *name)
{
  JsonNode *node;

  if (!r->ok)
    return NULL;
  node = json_object_get_member (r->object, name);
  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

static void
wrong_type (Reading *r, const gchar *name, const gchar *wanted)
{
  REFUSE (r->error, "%s/%s: must be %s", r->where, name, wanted);
  r->ok = FALSE;
}

static gint64
read_integer (Reading *r, const gchar *name, gint64 fallback, gint64 min, gint64 max)
{
  JsonNode *node = take_member (r, name);
  gdouble value;

  if (node == NULL)
    return fallback;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64) {
    gint64 v = json_node_get_int (node);
    if (v >= min && v <= max)
      return v;
  } else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE) {
    value = json_node_get_double (node);
    /* 9e15 is where a double stops telling integers apart */
    if (value == floor (value) && fabs (value) < 9e15 && value >= (gdouble) min
        && value <= (gdouble) max)
      return (gint64) value;
  }
  REFUSE (r->error, "%s/%s: must be an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
      r->where, name, min, max);
  r->ok = FALSE;
  return fallback;
}

static gdouble
read_number (Reading *r, const gchar *name, gdouble fallback, gdouble min, gdouble max)
{
  JsonNode *node = take_member (r, name);

  if (node == NULL)
    return fallback;
  if (JSON_NODE_HOLDS_VALUE (node)
      && (json_node_get_value_type (node) == G_TYPE_INT64
          || json_node_get_value_type (node) == G_TYPE_DOUBLE)) {
    gdouble value = json_node_get_double (node);
    if (isfinite (value) && value >= min && value <= max)
      return value;
  }
  REFUSE (r->error, "%s/%s: must be a number from %g to %g", r->where, name, min, max);
  r->ok = FALSE;
  return fallback;
}

static gboolean
read_boolean (Reading *r, const gchar *name, gboolean fallback)
{
  JsonNode *node = take_member (r, name);

  if (node == NULL)
    return fallback;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  wrong_type (r, name, "true or false");
  return fallback;
}

static const gchar *
read_string (Reading *r, const gchar *name)
{
  JsonNode *node = take_member (r, name);

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  wrong_type (r, name, "a string");
  return NULL;
}

static void
read_fps (Reading *r, gint *fps_n, gint *fps_d)
{
  JsonNode *node = take_member (r, "fps");
  gdouble n = 0, d = 1;

  if (node == NULL)
    return;
  if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) == 2) {
    JsonArray *pair = json_node_get_array (node);
    JsonNode *first = json_array_get_element (pair, 0);
    JsonNode *second = json_array_get_element (pair, 1);
    if (JSON_NODE_HOLDS_VALUE (first) && JSON_NODE_HOLDS_VALUE (second)) {
      n = json_node_get_double (first);
      d = json_node_get_double (second);
    }
  } else if (JSON_NODE_HOLDS_VALUE (node)) {
    n = json_node_get_double (node);
    if (n != floor (n) && isfinite (n) && n > 0 && n <= MAX_FPS) {
      gst_util_double_to_fraction (n, fps_n, fps_d);
      return;
    }
  }
  if (!(n >= 1 && d >= 1 && n <= 1e6 && d <= 1e6 && n == floor (n) && d == floor (d)
          && n / d <= MAX_FPS)) {
    wrong_type (r, "fps", "[numerator, denominator], at most 1000 frames a second");
    return;
  }
  *fps_n = (gint) n;
  *fps_d = (gint) d;
}

static guint32
read_colour (Reading *r, const gchar *name, guint32 fallback)
{
  const gchar *text = read_string (r, name);
  guint64 value;
  gchar *end;
  gsize length;

  if (text == NULL)
    return fallback;
  length = strlen (text);
  if (text[0] == '#' && (length == 4 || length == 7 || length == 9) && g_ascii_isxdigit (text[1])) {
    value = g_ascii_strtoull (text + 1, &end, 16);
    if (*end == '\0') {
      if (length == 4)
        return 0xff000000u | (guint32) ((value >> 8 & 0xf) * 0x110000)
               | (guint32) ((value >> 4 & 0xf) * 0x1100) | (guint32) ((value & 0xf) * 0x11);
      if (length == 7)
        return 0xff000000u | (guint32) value;
      /* #RRGGBBAA: nothing lies under the background, so it is opaque all the same */
      return 0xff000000u | (guint32) (value >> 8);
    }
  }
  wrong_type (r, name, "a colour written #RRGGBB");
  return fallback;
}

static gint
read_choice (Reading *r, const gchar *name, const gchar *const *names, gint fallback)
{
  const gchar *text = read_string (r, name);

  if (text == NULL)
    return fallback;
  for (gint i = 0; names[i] != NULL; i++) {
    if (g_str_equal (names[i], text))
      return i;
  }
  {
    g_autofree gchar *all = g_strjoinv (", ", (gchar **) names);
    g_autofree gchar *wanted = g_strdup_printf ("one of %s", all);
    wrong_type (r, name, wanted);
  }
  return fallback;
}

static GstClockTime
read_seconds (Reading *r, const gchar *name, GstClockTime fallback)
{
  gdouble seconds;

  if (take_member (r, name) == NULL)
    return fallback;
  seconds = read_number (r, name, 0, 0, (gdouble) MAX_TIME_NS / (gdouble) GST_SECOND);
  return (GstClockTime) llround (seconds * (gdouble) GST_SECOND);
}

static GstClockTime
read_ns (Reading *r, const gchar *name, GstClockTime fallback)
{
  if (take_member (r, name) == NULL)
    return fallback;
  return (GstClockTime) read_integer (r, name, 0, 0, MAX_TIME_NS);
}

static gchar *
uri_from_text (const gchar *text, const gchar *folder, GError **error)
{
  g_autofree gchar *path = NULL;

  if (gst_uri_is_valid (text))
    return g_strdup (text);
  path = folder != NULL ? g_canonicalize_filename (text, folder) : g_strdup (text);
  return gst_filename_to_uri (path, error);
}

static WeftClip *
read_clip (Reading *r, guint index)
{
  static const gchar *const on_errors[] = { "fail", "background", "skip", NULL };
  g_autoptr (GError) uri_error = NULL;
  WeftClip *clip = g_new0 (WeftClip, 1);
  const gchar *text;

  clip->index = index;
  text = read_string (r, "pointer");
  clip->pointer = text != NULL ? g_strdup (text) : g_strdup_printf ("/clips/%u", index);

  text = read_string (r, "uri");
  if (r->ok && (text == NULL || *text == '\0')) {
    wrong_type (r, "uri", "given");
  } else if (r->ok) {
    clip->uri = uri_from_text (text, r->folder, &uri_error);
    if (clip->uri == NULL) {
      REFUSE (r->error, "%s/uri: %s", r->where, uri_error->message);
      r->ok = FALSE;
    }
  }

  clip->frames = (guint64) read_integer (r, "frames", -1, 1, (gint64) MAX_FRAMES);
  clip->start_ns = read_ns (r, "start_ns", GST_CLOCK_TIME_NONE);
  clip->in_ns = read_ns (r, "in_ns", read_seconds (r, "in", 0));
  clip->out_ns = read_seconds (r, "out", GST_CLOCK_TIME_NONE);
  if (r->ok && GST_CLOCK_TIME_IS_VALID (clip->out_ns) && clip->out_ns <= clip->in_ns)
    wrong_type (r, "out", "later than in");
  clip->video = read_boolean (r, "video", TRUE);
  clip->audio = read_boolean (r, "audio", TRUE);
  clip->fit = (WeftFit) read_choice (r, "fit", weft_fit_names, WEFT_FIT_COVER);
  clip->volume = read_number (r, "volume", 1.0, 0.0, MAX_VOLUME);
  clip->on_error = (WeftOnError) read_choice (r, "on_error", on_errors, WEFT_ON_ERROR_FAIL);
  return clip;
}

/*
 * weft_clip_list_new_from_json:
 * @json: the document described in docs/design/0001, "What clipsequence receives"
 * @length: bytes of @json, or -1 if it ends with a zero
 * @folder: (nullable): where relative paths begin; without it, the current folder
 *
 * Members that are unknown are ignored: the plan may say more than this element needs.
 *
 * Returns: (transfer full): the list, or %NULL with a %GST_RESOURCE_ERROR_SETTINGS error that
 * says where in the document the mistake is.
 */
WeftClipList *
weft_clip_list_new_from_json (const gchar *json, gssize length, const gchar *folder, GError **error)
{
  g_autoptr (WeftClipList) list = g_new0 (WeftClipList, 1);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) parse_error = NULL;
  JsonNode *root, *clips;
  JsonArray *array;
  Reading top = { .where = (gchar *) "", .error = error, .ok = TRUE };

  g_atomic_ref_count_init (&list->refs);
  list->clips = g_ptr_array_new_with_free_func ((GDestroyNotify) clip_free);

  if (!json_parser_load_from_data (parser, json, length, &parse_error)) {
    REFUSE (error, "the clips are not JSON: %s", parse_error->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    REFUSE (error, "the clips must be a JSON object");
    return NULL;
  }

  top.object = json_node_get_object (root);
  list->width = (gint) read_integer (&top, "width", 0, 1, MAX_SIZE);
  list->height = (gint) read_integer (&top, "height", 0, 1, MAX_SIZE);
  read_fps (&top, &list->fps_n, &list->fps_d);
  list->rate = (gint) read_integer (&top, "rate", 0, 1000, 768000);
  list->channels = (gint) read_integer (&top, "channels", 0, 1, MAX_CHANNELS);
  list->first_frame = (guint64) read_integer (&top, "first_frame", 0, 0, (gint64) MAX_FRAMES);
  list->background = read_colour (&top, "background", 0xff000000u);

  clips = take_member (&top, "clips");
  if (top.ok && (clips == NULL || !JSON_NODE_HOLDS_ARRAY (clips)))
    wrong_type (&top, "clips", "an array");
  if (!top.ok)
    return NULL;

  array = json_node_get_array (clips);
  if (json_array_get_length (array) == 0 || json_array_get_length (array) > MAX_CLIPS) {
    wrong_type (&top, "clips", "an array of 1 to 100000 clips");
    return NULL;
  }
  for (guint i = 0; i < json_array_get_length (array); i++) {
    g_autofree gchar *where = g_strdup_printf ("/clips/%u", i);
    JsonNode *node = json_array_get_element (array, i);
    Reading r = { .where = where, .folder = folder, .error = error, .ok = TRUE };

    if (!JSON_NODE_HOLDS_OBJECT (node)) {
      REFUSE (error, "%s: must be an object", where);
      return NULL;
    }
    r.object = json_node_get_object (node);
    g_ptr_array_add (list->clips, read_clip (&r, i));
    if (!r.ok)
      return NULL;
  }
  return g_steal_pointer (&list);
}

WeftClipList *
weft_clip_list_ref (WeftClipList *list)
{
  g_atomic_ref_count_inc (&list->refs);
  return list;
}

void
weft_clip_list_unref (WeftClipList *list)
{
  if (g_atomic_ref_count_dec (&list->refs)) {
    g_ptr_array_unref (list->clips);
    g_free (list);
  }
}

/* Frame grid: round (t·N/D), halves up. */
guint64
weft_grid_frame_from_time (GstClockTime t, gint fps_n, gint fps_d)
{
  return gst_util_uint64_scale_round (t, (guint64) fps_n, (guint64) fps_d * GST_SECOND);
}

GstClockTime
weft_grid_time_of_frame (guint64 frame, gint fps_n, gint fps_d)
{
  return gst_util_uint64_scale (frame, (guint64) fps_d * GST_SECOND, (guint64) fps_n);
}

guint64
weft_grid_sample_of_frame (guint64 frame, gint fps_n, gint fps_d, gint rate)
{
  return gst_util_uint64_scale_round (frame, (guint64) fps_d * (guint64) rate, (guint64) fps_n);
}
