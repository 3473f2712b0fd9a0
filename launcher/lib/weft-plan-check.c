/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan-private.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

/* A plan comes from a file or another machine: it is checked like any input, since what is in it
 * becomes a launch line. Types, ranges and references are checked here, and that the numbers agree
 * with one another; names of elements and their properties may only be those a plan can have. */

#define MAX_SIZE 16384
#define MAX_TIME_NS G_MAXINT64
#define CAPS_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/,=():.- "

static const gchar *const source_schemes[] = { "file", "http", "https", "s3", NULL };
static const gchar *const output_schemes[] = { "file", "s3", NULL };

typedef struct {
  GPtrArray *problems;
  WeftRate fps;
  gint64 rate;
  gint64 frames;
  gint64 samples;
} Checker;

static void
complain (Checker *self, const gchar *pointer, const gchar *message)
{
  g_ptr_array_add (self->problems, weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL,
                                       "make the plan again with `weft plan`", "%s", message));
}

static JsonNode *
get_member (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL) {
    g_autofree gchar *message = g_strdup_printf ("the plan lacks `%s`", name);

    complain (self, pointer, message);
  }
  return node;
}

static void
complain_member (Checker *self, const gchar *pointer, const gchar *name, const gchar *expected)
{
  g_autofree gchar *full = g_strdup_printf ("%s/%s", pointer, name);
  g_autofree gchar *message = g_strdup_printf ("the plan holds something else than %s", expected);

  complain (self, full, message);
}

static gint64
check_int (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name, gint64 least,
    gint64 most)
{
  JsonNode *node = get_member (self, object, pointer, name);
  g_autofree gchar *expected = NULL;

  if (node == NULL)
    return least;
  if (json_node_get_value_type (node) == G_TYPE_INT64 && json_node_get_int (node) >= least
      && json_node_get_int (node) <= most)
    return json_node_get_int (node);
  expected = g_strdup_printf (
      "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, least, most);
  complain_member (self, pointer, name, expected);
  return least;
}

static const gchar *
check_string (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name)
{
  JsonNode *node = get_member (self, object, pointer, name);

  if (node == NULL)
    return "";
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  complain_member (self, pointer, name, "text");
  return "";
}

static void
check_uri (Checker *self, JsonObject *object, const gchar *pointer, const gchar *const *schemes)
{
  const gchar *uri = check_string (self, object, pointer, "uri");
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  if (scheme == NULL || !g_strv_contains (schemes, scheme))
    complain_member (self, pointer, "uri", "an absolute URI of a kind that can be used here");
}

/* @words: a list that ends with NULL. */
static const gchar *
check_word (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name,
    const gchar *const *words)
{
  const gchar *value = check_string (self, object, pointer, name);
  g_autofree gchar *list = NULL, *expected = NULL;

  if (g_strv_contains (words, value))
    return value;
  list = g_strjoinv (", ", (gchar **) words);
  expected = g_strdup_printf ("one of %s", list);
  complain_member (self, pointer, name, expected);
  return words[0];
}

static void
check_boolean (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name)
{
  JsonNode *node = get_member (self, object, pointer, name);

  if (node != NULL && json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    complain_member (self, pointer, name, "true or false");
}

static gdouble
check_number (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name,
    gdouble least, gdouble most)
{
  JsonNode *node = get_member (self, object, pointer, name);
  gdouble value;

  if (node == NULL)
    return least;
  if (json_node_get_value_type (node) == G_TYPE_INT64
      || json_node_get_value_type (node) == G_TYPE_DOUBLE) {
    value = json_node_get_double (node);
    if (isfinite (value) && value >= least && value <= most)
      return value;
  }
  complain_member (self, pointer, name, "a number in its range");
  return least;
}

static JsonObject *
check_object (Checker *self, JsonObject *object, const gchar *pointer, const gchar *name)
{
  JsonNode *node = get_member (self, object, pointer, name);

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_object (node);
  complain_member (self, pointer, name, "an object");
  return NULL;
}

typedef void (*CheckMember) (
    Checker *self, JsonObject *object, const gchar *pointer, JsonObject *root);

static void
check_array (Checker *self, JsonObject *object, const gchar *where, const gchar *name,
    CheckMember check, JsonObject *root)
{
  JsonNode *node = get_member (self, object, where, name);

  if (node == NULL)
    return;
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    complain_member (self, where, name, "a list");
    return;
  }
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++) {
    JsonNode *element = json_array_get_element (json_node_get_array (node), i);
    g_autofree gchar *pointer = g_strdup_printf ("%s/%s/%u", where, name, i);

    if (JSON_NODE_HOLDS_OBJECT (element))
      check (self, json_node_get_object (element), pointer, root);
    else
      complain (self, pointer, "the plan holds something else than an object");
  }
}

static void
check_timeline (Checker *self, JsonObject *root)
{
  JsonObject *timeline = check_object (self, root, "", "timeline");
  JsonArray *fps;
  gint64 num, den;

  self->fps = (WeftRate){ 1, 1 };
  if (timeline == NULL)
    return;
  check_int (self, timeline, "/timeline", "width", 2, MAX_SIZE);
  check_int (self, timeline, "/timeline", "height", 2, MAX_SIZE);
  self->rate = check_int (self, timeline, "/timeline", "rate", 8000, 384000);
  check_int (self, timeline, "/timeline", "channels", 1, 8);
  check_string (self, timeline, "/timeline", "background");
  self->frames = check_int (self, timeline, "/timeline", "frames", 0, G_MAXINT32);
  self->samples = check_int (self, timeline, "/timeline", "samples", 0, G_MAXINT64);
  check_number (self, timeline, "/timeline", "duration_s", 0, G_MAXDOUBLE);
  fps = weft_get_array (timeline, "fps");
  if (fps == NULL || json_array_get_length (fps) != 2
      || json_node_get_value_type (json_array_get_element (fps, 0)) != G_TYPE_INT64
      || json_node_get_value_type (json_array_get_element (fps, 1)) != G_TYPE_INT64) {
    complain (self, "/timeline/fps", "the plan holds something else than a frame rate");
    return;
  }
  num = json_array_get_int_element (fps, 0);
  den = json_array_get_int_element (fps, 1);
  if (num < 1 || den < 1 || num > 1000000 || den > 1000000) {
    complain (self, "/timeline/fps", "the plan holds something else than a frame rate");
    return;
  }
  self->fps = (WeftRate){ (guint) num, (guint) den };
  if ((guint64) self->samples
      != weft_placement_frame_to_sample ((guint64) self->frames, self->fps, (guint) self->rate))
    complain (self, "/timeline/samples", "the plan's frames and samples do not agree");
}

static void
check_source (Checker *self, JsonObject *source, const gchar *pointer, JsonObject *root)
{
  check_uri (self, source, pointer, source_schemes);
  check_int (self, source, pointer, "duration_ns", 0, MAX_TIME_NS);
  check_int (self, source, pointer, "start_ns", 0, MAX_TIME_NS);
}

/* What is taken from a source, for the timeline or for a video in the picture. */
static void
check_cut (Checker *self, JsonObject *clip, const gchar *pointer, JsonObject *root)
{
  static const gchar *const fits[] = { "cover", "contain", "fill", "none", "contain-blur", NULL };
  static const gchar *const on_errors[] = { "fail", "skip", "background", NULL };
  JsonArray *sources = weft_get_array (root, "sources");
  JsonNode *source = get_member (self, clip, pointer, "source");

  check_string (self, clip, pointer, "pointer");
  check_uri (self, clip, pointer, source_schemes);
  check_int (self, clip, pointer, "frames", 1, G_MAXINT32);
  check_int (self, clip, pointer, "start_ns", 0, MAX_TIME_NS);
  check_int (self, clip, pointer, "in_ns", 0, MAX_TIME_NS);
  check_boolean (self, clip, pointer, "video");
  check_boolean (self, clip, pointer, "audio");
  check_number (self, clip, pointer, "volume", 0, 10);
  check_word (self, clip, pointer, "fit", fits);
  check_word (self, clip, pointer, "on_error", on_errors);
  if (source != NULL && !JSON_NODE_HOLDS_NULL (source)
      && (json_node_get_value_type (source) != G_TYPE_INT64 || sources == NULL
          || json_node_get_int (source) < 0
          || json_node_get_int (source) >= json_array_get_length (sources)))
    complain_member (self, pointer, "source", "the number of a source");
}

static void
check_clip (Checker *self, JsonObject *clip, const gchar *pointer, JsonObject *root)
{
  check_cut (self, clip, pointer, root);
  check_string (self, clip, pointer, "id");
  check_int (self, clip, pointer, "first_frame", 0, G_MAXINT32);
  check_int (self, clip, pointer, "first_sample", 0, G_MAXINT64);
  check_int (self, clip, pointer, "samples", 0, G_MAXINT64);
}

/* Clips fill the timeline without gaps. */
static void
check_grid (Checker *self, JsonObject *root)
{
  JsonArray *clips = weft_get_array (root, "clips");
  guint64 next = 0;

  for (guint i = 0; i < json_array_get_length (clips); i++) {
    JsonObject *clip = json_array_get_object_element (clips, i);
    guint64 first = (guint64) weft_get_int (clip, "first_frame", 0);
    guint64 frames = (guint64) weft_get_int (clip, "frames", 0);
    guint64 sample = weft_placement_frame_to_sample (first, self->fps, (guint) self->rate);

    if (first != next || (guint64) weft_get_int (clip, "first_sample", 0) != sample
        || (guint64) weft_get_int (clip, "samples", 0)
               != weft_placement_frame_to_sample (first + frames, self->fps, (guint) self->rate)
                      - sample) {
      g_autofree gchar *pointer = g_strdup_printf ("/clips/%u", i);

      complain (self, pointer, "the plan's clips do not follow one another");
      return;
    }
    next = first + frames;
  }
  if (next != (guint64) self->frames)
    complain (self, "/clips", "the plan's clips do not fill the timeline");
}

static void
check_overlay (Checker *self, JsonObject *overlay, const gchar *pointer, JsonObject *root)
{
  JsonObject *item = check_object (self, overlay, pointer, "item");
  gint64 first = check_int (self, overlay, pointer, "first_frame", 0, G_MAXINT32);
  gint64 frames = check_int (self, overlay, pointer, "frames", 1, G_MAXINT32);
  g_autofree gchar *item_pointer = g_strconcat (pointer, "/item", NULL);

  check_string (self, overlay, pointer, "pointer");
  /* What is in an item is for the element to say, which reads it as it reads any document. */
  if (item != NULL)
    check_string (self, item, item_pointer, "type");
  if (g_str_equal (weft_get_string (item, "type", ""), "video")) {
    g_autofree gchar *video_pointer = g_strconcat (pointer, "/video", NULL);
    JsonObject *video = check_object (self, overlay, pointer, "video");

    check_string (self, item, item_pointer, "pad");
    if (video == NULL)
      return;
    check_int (self, video, video_pointer, "width", 2, MAX_SIZE);
    check_int (self, video, video_pointer, "height", 2, MAX_SIZE);
    check_array (self, video, video_pointer, "clips", check_cut, root);
  }
  if (first + frames > self->frames)
    complain (self, pointer, "the plan's overlay goes beyond the timeline");
}

static void
check_font (Checker *self, JsonObject *font, const gchar *pointer, JsonObject *root)
{
  check_string (self, font, pointer, "family");
  check_string (self, font, pointer, "src");
}

/* Plain values, and only of properties that set how something is encoded: they become part of a
 * launch line, and encoders have properties that name files to write. */
static void
check_properties (Checker *self, JsonObject *object, const gchar *pointer)
{
  static const gchar *const known[] = { "b-adapt", "bframes", "bitrate", "complexity", "gop-size",
    "key-int-max", "max-bitrate", "pass", "quantizer", "rate-control", "rc-lookahead", "ref",
    "sps-id", "speed-preset", "sync-lookahead", "threads", "tune", "vbv-buf-capacity", NULL };
  g_autofree gchar *full = g_strconcat (pointer, "/properties", NULL);
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;

  if (!json_object_has_member (object, "properties"))
    return;
  if (weft_get_object (object, "properties") == NULL) {
    complain_member (self, pointer, "properties", "an object");
    return;
  }
  json_object_iter_init_ordered (&iter, weft_get_object (object, "properties"));
  while (json_object_iter_next_ordered (&iter, &name, &node))
    if (!g_strv_contains (known, name) || !JSON_NODE_HOLDS_VALUE (node))
      complain (self, full, "the plan's properties are not those of an encoder");
}

static void
check_caps (Checker *self, JsonObject *video, const gchar *pointer)
{
  const gchar *text = weft_get_string (video, "caps", NULL);
  g_autoptr (GstCaps) caps = NULL;

  if (!json_object_has_member (video, "caps"))
    return;
  if (text != NULL && strspn (text, CAPS_CHARACTERS) == strlen (text))
    caps = gst_caps_from_string (text);
  if (caps == NULL || gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    complain_member (self, pointer, "caps", "the caps of coded video");
}

static void
check_element (
    Checker *self, JsonObject *object, const gchar *pointer, GstElementFactoryListType type)
{
  const gchar *name = check_string (self, object, pointer, "encoder");
  g_autoptr (GstElementFactory) factory = NULL;

  for (const gchar *p = name; *p != '\0'; p++) {
    if (!g_ascii_isalnum (*p) && *p != '_' && *p != '-') {
      complain_member (self, pointer, "encoder", "the name of an encoder");
      return;
    }
  }
  /* That it is missing here is another error, told when the graph is built. */
  factory = gst_element_factory_find (name);
  if (factory != NULL && !gst_element_factory_list_is_type (factory, type))
    complain_member (self, pointer, "encoder", "the name of an encoder");
}

static void
check_video_output (Checker *self, JsonObject *output, const gchar *pointer)
{
  static const gchar *const containers[] = { "mp4", NULL };
  static const gchar *const parsers[] = { "h264parse", NULL };
  g_autofree gchar *video_pointer = g_strconcat (pointer, "/video", NULL);
  g_autofree gchar *audio_pointer = g_strconcat (pointer, "/audio", NULL);
  JsonObject *video = weft_get_object (output, "video");
  JsonObject *audio = weft_get_object (output, "audio");

  check_word (self, output, pointer, "container", containers);
  if (check_int (self, output, pointer, "frames", 0, G_MAXINT32) != self->frames)
    complain (self, pointer, "the plan's output has another length than its timeline");
  if (check_int (self, output, pointer, "samples", 0, G_MAXINT64) != self->samples)
    complain (self, pointer, "the plan's output has another length than its timeline");
  get_member (self, output, pointer, "scaled_from");
  if (video != NULL) {
    check_element (self, video, video_pointer,
        GST_ELEMENT_FACTORY_TYPE_ENCODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO);
    check_properties (self, video, video_pointer);
    check_caps (self, video, video_pointer);
    if (json_object_has_member (video, "parser"))
      check_word (self, video, video_pointer, "parser", parsers);
    check_int (self, video, video_pointer, "latency_frames", 0, 1000);
  }
  if (audio != NULL) {
    check_element (self, audio, audio_pointer,
        GST_ELEMENT_FACTORY_TYPE_ENCODER | GST_ELEMENT_FACTORY_TYPE_MEDIA_AUDIO);
    check_properties (self, audio, audio_pointer);
    check_int (self, audio, audio_pointer, "bitrate", 1, G_MAXINT32);
    check_int (self, audio, audio_pointer, "rate", 8000, 384000);
    check_int (self, audio, audio_pointer, "channels", 1, 8);
    check_int (self, audio, audio_pointer, "priming_samples", 0, 100000);
  }
}

static void
check_output (Checker *self, JsonObject *output, const gchar *pointer, JsonObject *root)
{
  static const gchar *const types[] = { "video", "thumbnail", NULL };
  static const gchar *const formats[] = { "jpeg", "png", "webp", NULL };

  check_string (self, output, pointer, "id");
  check_string (self, output, pointer, "pointer");
  check_uri (self, output, pointer, output_schemes);
  check_int (self, output, pointer, "width", 1, MAX_SIZE);
  check_int (self, output, pointer, "height", 1, MAX_SIZE);
  if (g_str_equal (check_word (self, output, pointer, "type", types), "video")) {
    check_video_output (self, output, pointer);
    return;
  }
  check_word (self, output, pointer, "format", formats);
  check_int (self, output, pointer, "frame", 0, MAX (self->frames - 1, 0));
  check_int (self, output, pointer, "quality", 0, 100);
}

/* scaled_from leads to a larger output, so it can never lead back. */
static void
check_scaling (Checker *self, JsonObject *root)
{
  JsonArray *outputs = weft_get_array (root, "outputs");

  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    const gchar *from = weft_get_string (output, "scaled_from", NULL);
    gboolean found = from == NULL;

    for (guint j = 0; j < json_array_get_length (outputs) && !found; j++) {
      JsonObject *other = json_array_get_object_element (outputs, j);
      gint64 difference = weft_get_int (other, "width", 0) * weft_get_int (other, "height", 0)
                          - weft_get_int (output, "width", 0) * weft_get_int (output, "height", 0);

      found = g_str_equal (weft_get_string (other, "id", ""), from)
              && g_str_equal (weft_get_string (other, "type", ""), "video")
              && (difference > 0 || (difference == 0 && j < i));
    }
    if (!found) {
      g_autofree gchar *pointer = g_strdup_printf ("/outputs/%u/scaled_from", i);

      complain (
          self, pointer, "the plan's output is scaled from something that is not a larger output");
    }
  }
}

static void
check_ids (Checker *self, JsonObject *root)
{
  JsonArray *outputs = weft_get_array (root, "outputs");
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    const gchar *id = weft_get_string (json_array_get_object_element (outputs, i), "id", "");

    if (!g_hash_table_add (seen, (gpointer) id)) {
      g_autofree gchar *pointer = g_strdup_printf ("/outputs/%u/id", i);

      complain (self, pointer, "the plan's outputs have the same id");
    }
  }
}

static void
check_unsupported (Checker *self, JsonObject *object, const gchar *pointer, JsonObject *root)
{
  check_string (self, object, pointer, "pointer");
  check_string (self, object, pointer, "feature");
  check_string (self, object, pointer, "message");
}

static void
check_warning (Checker *self, JsonObject *object, const gchar *pointer, JsonObject *root)
{
  check_string (self, object, pointer, "code");
  check_string (self, object, pointer, "message");
}

gboolean
weft_plan_check_document (JsonNode *node, GError **error)
{
  g_autoptr (GPtrArray) problems =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  Checker self = { .problems = problems, .rate = 48000, .fps = { 1, 1 } };
  JsonObject *root;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    complain (&self, "", "the plan is not an object");
    weft_error_set_problems (error, problems);
    return FALSE;
  }
  root = json_node_get_object (node);
  if (weft_get_int (root, "plan_version", 0) != WEFT_PLAN_VERSION) {
    complain (&self, "/plan_version", "this is not a plan of a version that this build reads");
    weft_error_set_problems (error, problems);
    return FALSE;
  }
  check_string (&self, root, "", "job_id");
  check_timeline (&self, root);
  check_array (&self, root, "", "sources", check_source, root);
  check_array (&self, root, "", "clips", check_clip, root);
  check_array (&self, root, "", "fonts", check_font, root);
  check_array (&self, root, "", "overlays", check_overlay, root);
  check_array (&self, root, "", "outputs", check_output, root);
  check_array (&self, root, "", "unsupported", check_unsupported, root);
  check_array (&self, root, "", "warnings", check_warning, root);
  if (problems->len == 0) {
    check_grid (&self, root);
    check_scaling (&self, root);
    check_ids (&self, root);
  }
  if (problems->len == 0)
    return TRUE;
  weft_error_set_problems (error, problems);
  return FALSE;
}
