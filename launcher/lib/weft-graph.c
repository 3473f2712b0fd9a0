/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-graph.h"

#include <string.h>

#include "weft-graph-private.h"
#include "weft-json.h"
#include "weft-launch.h"

/* Raw frames that may wait in front of an encoder or a scaler. Two are enough to let both
 * sides work at the same time; each costs a full frame of memory. */
#define RAW_QUEUE_FRAMES 2

/* Coded video between an encoder and its muxer only decouples their threads. */
#define CODED_QUEUE_NS GST_SECOND
#define CODED_QUEUE_BYTES (16 * 1024 * 1024)

/* What clipsequence lets its audio run ahead of its video (its documented bound). */
#define AUDIO_LEAD_NS GST_SECOND

/* mp4mux writes runs of one track up to its interleave-time (250 ms) before it takes from the
 * other; the rest is rounding and the encoder's own frame. */
#define AUDIO_MARGIN_NS (1 * GST_SECOND)

struct _WeftGraph {
  GObject parent_instance;

  WeftPlan *plan;
  WeftLaunch *launch;
  JsonObject *timeline; /* (unowned): inside the plan */
  JsonArray *outputs;   /* (unowned): inside the plan */
  GPtrArray *videos;    /* (element-type JsonObject): the plan's overlays that are videos */
  GPtrArray *names;     /* (element-type utf8): one an output, unique, fit for element names */
  GstElement *pipeline; /* (nullable): built on first use */
};

G_DEFINE_FINAL_TYPE (WeftGraph, weft_graph, G_TYPE_OBJECT)

static JsonObject *
get_output (WeftGraph *self, guint i)
{
  return json_array_get_object_element (self->outputs, i);
}

static const gchar *
get_string (JsonObject *object, const gchar *member)
{
  return json_object_get_string_member_with_default (object, member, NULL);
}

static gboolean
is_video (JsonObject *output)
{
  return g_strcmp0 (get_string (output, "type"), "video") == 0;
}

static JsonObject *
get_object (JsonObject *object, const gchar *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static guint
get_uint (JsonObject *object, const gchar *member)
{
  return (guint) json_object_get_int_member_with_default (object, member, 0);
}

static GPtrArray *
name_outputs (JsonArray *outputs)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    const gchar *id = get_string (json_array_get_object_element (outputs, i), "id");
    g_autofree gchar *name = g_strdup (id ? id : "");

    g_strcanon (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_", '_');
    if (g_strcmp0 (name, id) != 0 || g_hash_table_contains (seen, name)) {
      gchar *numbered = g_strdup_printf ("%s_%u", name, i);

      g_free (name);
      name = numbered;
    }
    g_ptr_array_add (names, g_steal_pointer (&name));
    g_hash_table_add (seen, g_ptr_array_index (names, i));
  }
  return g_steal_pointer (&names);
}

static GPtrArray *
list_videos (JsonArray *overlays)
{
  GPtrArray *videos = g_ptr_array_new ();

  for (guint i = 0; i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);

    if (get_object (overlay, "video"))
      g_ptr_array_add (videos, overlay);
  }
  return videos;
}

/* The element that plays @role (`encoder`, `mux`, `sink`, …) for output number @output. */
gchar *
weft_graph_element_name (WeftGraph *self, const gchar *role, guint output)
{
  return g_strdup_printf ("%s_%s", role, (gchar *) g_ptr_array_index (self->names, output));
}

static void
add_element (WeftGraph *self, const gchar *factory, const gchar *role, guint output)
{
  g_autofree gchar *name = weft_graph_element_name (self, role, output);

  weft_launch_element (self->launch, factory, name);
}

static void
copy_member (JsonObject *from, JsonObject *to, const gchar *member)
{
  JsonNode *node = json_object_get_member (from, member);

  if (node)
    json_object_set_member (to, member, json_node_copy (node));
}

/* Sources and the assembler */

/* @size holds `width` and `height`. */
static void
add_sequence (
    WeftGraph *self, const gchar *name, JsonArray *clips, JsonObject *size, guint first_frame)
{
  static const gchar *const timeline_members[] = { "fps", "rate", "channels", "background" };
  static const gchar *const clip_members[] = { "pointer", "uri", "frames", "start_ns", "in_ns",
    "video", "audio", "fit", "volume", "on_error" };
  JsonObject *document = json_object_new ();
  JsonArray *list = json_array_sized_new (json_array_get_length (clips));
  g_autoptr (JsonNode) node = json_node_alloc ();

  copy_member (size, document, "width");
  copy_member (size, document, "height");
  for (guint i = 0; i < G_N_ELEMENTS (timeline_members); i++)
    copy_member (self->timeline, document, timeline_members[i]);
  if (first_frame > 0)
    json_object_set_int_member (document, "first_frame", first_frame);
  for (guint i = 0; i < json_array_get_length (clips); i++) {
    JsonObject *clip = json_object_new ();

    for (guint j = 0; j < G_N_ELEMENTS (clip_members); j++)
      copy_member (json_array_get_object_element (clips, i), clip, clip_members[j]);
    json_array_add_object_element (list, clip);
  }
  json_object_set_array_member (document, "clips", list);
  json_node_init_object (node, document);
  json_object_unref (document);

  weft_launch_element (self->launch, "clipsequence", name);
  weft_launch_set_json (self->launch, "clips", node);
}

/* Videos in the picture: each comes from a sequence of its own, in its final size. Its frames go
 * to overlaytimeline without a queue, for its sequence has a thread that waits there. */

static gchar *
name_sequence (guint video)
{
  return g_strdup_printf (WEFT_GRAPH_VIDEO_PREFIX "%u", video);
}

static void
add_videos (WeftGraph *self)
{
  for (guint i = 0; i < self->videos->len; i++) {
    JsonObject *overlay = g_ptr_array_index (self->videos, i);
    JsonObject *video = json_object_get_object_member (overlay, "video");
    g_autofree gchar *name = name_sequence (i);

    add_sequence (self, name, json_object_get_array_member (video, "clips"), video,
        get_uint (overlay, "first_frame"));
    weft_launch_pad (self->launch, name, "video");
    weft_launch_link (self->launch);
    weft_launch_pad (self->launch, WEFT_GRAPH_OVERLAYS,
        get_string (json_object_get_object_member (overlay, "item"), "pad"));
  }
}

static gboolean
is_heard (JsonObject *overlay)
{
  JsonArray *clips =
      json_object_get_array_member (json_object_get_object_member (overlay, "video"), "clips");

  return json_array_get_length (clips) > 0
         && json_object_get_boolean_member_with_default (
             json_array_get_object_element (clips, 0), "audio", FALSE);
}

/* Opens the chain that carries the timeline's sound. */
static void
begin_sound (WeftGraph *self)
{
  g_autoptr (GPtrArray) heard = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < self->videos->len; i++) {
    if (is_heard (g_ptr_array_index (self->videos, i)))
      g_ptr_array_add (heard, name_sequence (i));
  }
  if (heard->len == 0) {
    weft_launch_pad (self->launch, WEFT_GRAPH_CLIPS, "audio");
    return;
  }
  weft_launch_pad (self->launch, WEFT_GRAPH_CLIPS, "audio");
  weft_launch_link (self->launch);
  weft_launch_pad (self->launch, "mix", "sink_0");
  for (guint i = 0; i < heard->len; i++) {
    g_autofree gchar *pad = g_strdup_printf ("sink_%u", i + 1);

    weft_launch_pad (self->launch, g_ptr_array_index (heard, i), "audio");
    weft_launch_link (self->launch);
    weft_launch_pad (self->launch, "mix", pad);
  }
  weft_launch_element (self->launch, "audiomixer", "mix");
}

static void
add_overlays (WeftGraph *self, JsonObject *root)
{
  JsonArray *overlays = json_object_get_array_member (root, "overlays");
  JsonObject *document;
  JsonArray *list;
  g_autoptr (JsonNode) node = json_node_alloc ();

  if (json_array_get_length (overlays) == 0)
    return;

  document = json_object_new ();
  list = json_array_new ();
  copy_member (self->timeline, document, "width");
  copy_member (self->timeline, document, "height");
  json_object_set_member (
      document, "duration", json_node_copy (json_object_get_member (self->timeline, "duration_s")));
  copy_member (root, document, "fonts");
  for (guint i = 0; i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);

    json_array_add_element (list, json_node_copy (json_object_get_member (overlay, "item")));
  }
  json_object_set_array_member (document, "overlays", list);
  json_node_init_object (node, document);
  json_object_unref (document);

  weft_launch_link (self->launch);
  weft_launch_element (self->launch, "overlaytimeline", WEFT_GRAPH_OVERLAYS);
  weft_launch_set_json (self->launch, "timeline", node);
}

/* Frames: from the timeline to every encoder, smaller ones from the next larger */

static void
add_raw_queue (WeftGraph *self)
{
  weft_launch_element (self->launch, "queue", NULL);
  weft_launch_set_uint (self->launch, "max-size-buffers", RAW_QUEUE_FRAMES);
  weft_launch_set_uint (self->launch, "max-size-bytes", 0);
  weft_launch_set_uint (self->launch, "max-size-time", 0);
}

static gboolean
is_scaled_from (WeftGraph *self, JsonObject *output, const gchar *id)
{
  return is_video (output) && g_strcmp0 (get_string (output, "scaled_from"), id) == 0;
}

/* Output numbers that take frames of the size of output @id (%NULL: the timeline itself), not
 * counting that output's own encoder. */
static GArray *
list_takers (WeftGraph *self, const gchar *id)
{
  GArray *takers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    JsonObject *output = get_output (self, i);

    if (is_scaled_from (self, output, id) || (id == NULL && !is_video (output)))
      g_array_append_val (takers, i);
  }
  return takers;
}

/* Encoders that are done with the pixels when a frame has been pushed, but hold the frame until it
 * comes out again: see docs/elements/encoderfeed.md. */
static gboolean
copies_its_input (const gchar *encoder)
{
  return g_strcmp0 (encoder, "x264enc") == 0;
}

static void
add_video_encoder (WeftGraph *self, guint i)
{
  JsonObject *output = get_output (self, i);
  JsonObject *video = get_object (output, "video");
  JsonObject *properties = get_object (video, "properties");
  const gchar *caps = get_string (video, "caps");
  const gchar *parser = get_string (video, "parser");
  g_autofree gchar *mux = weft_graph_element_name (self, "mux", i);

  if (copies_its_input (get_string (video, "encoder"))) {
    weft_launch_element (self->launch, "encoderfeed", NULL);
    weft_launch_link (self->launch);
  }
  add_element (self, get_string (video, "encoder"), "encoder", i);
  if (properties)
    weft_launch_set_object (self->launch, properties);
  weft_launch_link (self->launch);
  if (parser) {
    weft_launch_element (self->launch, parser, NULL);
    weft_launch_link (self->launch);
  }
  if (caps) {
    weft_launch_caps (self->launch, caps);
    weft_launch_link (self->launch);
  }
  weft_launch_element (self->launch, "queue", NULL);
  weft_launch_set_uint (self->launch, "max-size-buffers", 0);
  weft_launch_set_uint (self->launch, "max-size-bytes", CODED_QUEUE_BYTES);
  weft_launch_set_uint (self->launch, "max-size-time", CODED_QUEUE_NS);
  weft_launch_link (self->launch);
  weft_launch_pad (self->launch, mux, "video_0");
}

static void
add_thumbnail (WeftGraph *self, guint i)
{
  JsonObject *output = get_output (self, i);
  const gchar *format = get_string (output, "format");
  /* JFIF is BT.601 at full range by definition, whatever the video was. */
  const gchar *raw =
      g_strcmp0 (format, "png") == 0 ? "format=RGB" : "format=I420,colorimetry=1:4:7:1";
  const gchar *encoder = "jpegenc";
  g_autofree gchar *caps = NULL;
  g_autofree gchar *location = g_filename_from_uri (get_string (output, "uri"), NULL, NULL);

  if (g_strcmp0 (format, "png") == 0)
    encoder = "pngenc";
  else if (g_strcmp0 (format, "webp") == 0)
    encoder = "webpenc";

  weft_launch_element (self->launch, "framepick", NULL);
  weft_launch_set_uint (self->launch, "frame", get_uint (output, "frame"));
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, "videoconvertscale", NULL);
  weft_launch_set_string (self->launch, "method", "lanczos");
  weft_launch_link (self->launch);
  caps = g_strdup_printf ("video/x-raw,%s,width=%u,height=%u,pixel-aspect-ratio=1/1", raw,
      get_uint (output, "width"), get_uint (output, "height"));
  weft_launch_caps (self->launch, caps);
  weft_launch_link (self->launch);
  add_element (self, encoder, "encoder", i);
  if (json_object_has_member (output, "quality") && g_strcmp0 (format, "png") != 0)
    weft_launch_set_uint (self->launch, "quality", get_uint (output, "quality"));
  weft_launch_link (self->launch);
  add_element (self, "filesink", "sink", i);
  weft_launch_set_string (self->launch, "location", location ? location : "");
  weft_launch_set_boolean (self->launch, "sync", FALSE);
  weft_launch_set_boolean (self->launch, "async", FALSE);
}

/* Continues the open chain, which carries the frames of output @id (%NULL: the timeline's), to
 * everybody who wants them. */
static void
add_frames (WeftGraph *self, const gchar *id, gint own_encoder)
{
  g_autoptr (GArray) takers = list_takers (self, id);
  gboolean has_tee = takers->len + (own_encoder >= 0 ? 1 : 0) > 1;
  g_autofree gchar *tee = own_encoder >= 0
                              ? weft_graph_element_name (self, "frames", (guint) own_encoder)
                              : g_strdup ("frames");

  if (has_tee) {
    weft_launch_link (self->launch);
    weft_launch_element (self->launch, "tee", tee);
  }
  for (gint t = own_encoder >= 0 ? -1 : 0; t < (gint) takers->len; t++) {
    guint i = t < 0 ? (guint) own_encoder : g_array_index (takers, guint, t);
    JsonObject *output = get_output (self, i);

    if (has_tee) {
      weft_launch_pad (self->launch, tee, NULL);
    }
    weft_launch_link (self->launch);
    if (!is_video (output)) {
      /* No queue: framepick lets one frame through and drops the others where they are. */
      add_thumbnail (self, i);
      continue;
    }
    if (t < 0) {
      if (has_tee) {
        add_raw_queue (self);
        weft_launch_link (self->launch);
      }
      add_video_encoder (self, i);
      continue;
    }
    add_raw_queue (self);
    if (get_uint (output, "width") != get_uint (self->timeline, "width")
        || get_uint (output, "height") != get_uint (self->timeline, "height")) {
      g_autofree gchar *caps =
          g_strdup_printf ("video/x-raw,width=%u,height=%u,pixel-aspect-ratio=1/1",
              get_uint (output, "width"), get_uint (output, "height"));

      weft_launch_link (self->launch);
      weft_launch_element (self->launch, "clipscale", NULL);
      weft_launch_link (self->launch);
      weft_launch_caps (self->launch, caps);
    }
    add_frames (self, get_string (output, "id"), (gint) i);
  }
}

/* Audio: each distinct setting encoded once, then shared by every muxer that wants it */

static GstClockTime
audio_queue_ns (WeftGraph *self, JsonObject *output)
{
  JsonArray *fps = json_object_get_array_member (self->timeline, "fps");
  JsonObject *video = get_object (output, "video");
  guint frames = RAW_QUEUE_FRAMES + (video ? get_uint (video, "latency_frames") : 0);

  /* Audio may stand this far ahead of the video that its muxer waits for: the frames the encoder
   * holds back and those in front of it, the coded queue, clipsequence's lead and the interleave.
   * With less room the audio tee would block, clipsequence's audio with it, its window of open
   * clips could not move, and the video that everybody waits for would never come. */
  return gst_util_uint64_scale (frames, (guint64) json_array_get_int_element (fps, 1) * GST_SECOND,
             (guint64) json_array_get_int_element (fps, 0))
         + CODED_QUEUE_NS + AUDIO_LEAD_NS + AUDIO_MARGIN_NS;
}

static void
add_coded_audio_queue (WeftGraph *self, guint i)
{
  g_autofree gchar *mux = weft_graph_element_name (self, "mux", i);

  weft_launch_element (self->launch, "queue", NULL);
  weft_launch_set_uint (self->launch, "max-size-buffers", 0);
  weft_launch_set_uint (self->launch, "max-size-bytes", 0);
  weft_launch_set_uint (self->launch, "max-size-time", audio_queue_ns (self, get_output (self, i)));
  weft_launch_link (self->launch);
  weft_launch_pad (self->launch, mux, "audio_0");
}

static gchar *
audio_key (JsonObject *output)
{
  JsonNode *audio = json_object_get_member (output, "audio");

  return audio && JSON_NODE_HOLDS_OBJECT (audio) ? weft_json_to_text (audio, FALSE) : NULL;
}

/* Returns: (transfer full): the distinct audio settings, in the order of the outputs that first
 * have them */
static GPtrArray *
list_audio_keys (WeftGraph *self)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    g_autofree gchar *key = audio_key (get_output (self, i));

    if (key && !g_ptr_array_find_with_equal_func (keys, key, g_str_equal, NULL))
      g_ptr_array_add (keys, g_steal_pointer (&key));
  }
  return keys;
}

static gchar *
name_audio_encoder (guint key)
{
  return g_strdup_printf ("encoder_audio_%u", key);
}

/* The element that encodes the audio of output number @output, or %NULL if that has none. */
gchar *
weft_graph_audio_encoder_name (WeftGraph *self, guint output)
{
  g_autoptr (GPtrArray) keys = list_audio_keys (self);
  g_autofree gchar *key = audio_key (get_output (self, output));
  guint k;

  return key && g_ptr_array_find_with_equal_func (keys, key, g_str_equal, &k)
             ? name_audio_encoder (k)
             : NULL;
}

static void
add_audio_encoder (WeftGraph *self, JsonObject *audio, const gchar *name)
{
  JsonObject *properties = get_object (audio, "properties");
  g_autofree gchar *caps = g_strdup_printf (
      "audio/x-raw,rate=%u,channels=%u", get_uint (audio, "rate"), get_uint (audio, "channels"));

  weft_launch_element (self->launch, "audioconvert", NULL);
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, "audioresample", NULL);
  weft_launch_link (self->launch);
  weft_launch_caps (self->launch, caps);
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, get_string (audio, "encoder"), name);
  if (json_object_has_member (audio, "bitrate"))
    weft_launch_set_uint (self->launch, "bitrate", get_uint (audio, "bitrate"));
  if (properties)
    weft_launch_set_object (self->launch, properties);
}

static void
add_audio (WeftGraph *self)
{
  g_autoptr (GPtrArray) keys = list_audio_keys (self);
  guint n = json_array_get_length (self->outputs);

  if (keys->len == 0)
    return;

  begin_sound (self);
  if (keys->len > 1) {
    weft_launch_link (self->launch);
    weft_launch_element (self->launch, "tee", "sound");
  }
  for (guint k = 0; k < keys->len; k++) {
    g_autoptr (GArray) muxes = g_array_new (FALSE, FALSE, sizeof (guint));
    g_autofree gchar *encoder = name_audio_encoder (k);
    g_autofree gchar *tee = g_strdup_printf ("coded_audio_%u", k);

    for (guint i = 0; i < n; i++) {
      g_autofree gchar *key = audio_key (get_output (self, i));

      if (g_strcmp0 (key, g_ptr_array_index (keys, k)) == 0)
        g_array_append_val (muxes, i);
    }
    if (keys->len > 1) {
      weft_launch_pad (self->launch, "sound", NULL);
      weft_launch_link (self->launch);
      weft_launch_element (self->launch, "queue", NULL);
    }
    weft_launch_link (self->launch);
    add_audio_encoder (
        self, get_object (get_output (self, g_array_index (muxes, guint, 0)), "audio"), encoder);
    weft_launch_link (self->launch);
    if (muxes->len == 1) {
      add_coded_audio_queue (self, g_array_index (muxes, guint, 0));
      continue;
    }
    weft_launch_element (self->launch, "tee", tee);
    for (guint m = 0; m < muxes->len; m++) {
      weft_launch_pad (self->launch, tee, NULL);
      weft_launch_link (self->launch);
      add_coded_audio_queue (self, g_array_index (muxes, guint, m));
    }
  }
}

/* Muxers and sinks */

static void
add_mux (WeftGraph *self, guint i)
{
  JsonObject *output = get_output (self, i);
  JsonObject *audio = get_object (output, "audio");
  JsonArray *fps = json_object_get_array_member (self->timeline, "fps");
  g_autofree gchar *location = g_filename_from_uri (get_string (output, "uri"), NULL, NULL);
  g_autofree gchar *rate = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
      json_array_get_int_element (fps, 0), json_array_get_int_element (fps, 1));

  add_element (self, "mp4mux", "mux", i);
  weft_launch_link (self->launch);
  add_element (self, "mp4layout", "layout", i);
  weft_launch_set_uint (self->launch, "video-frames", get_uint (output, "frames"));
  weft_launch_set_string (self->launch, "frame-rate", rate);
  if (audio) {
    weft_launch_set_uint (self->launch, "audio-priming", get_uint (audio, "priming_samples"));
    weft_launch_set_uint (self->launch, "audio-samples", get_uint (output, "samples"));
  }
  weft_launch_link (self->launch);
  add_element (self, "filesink", "sink", i);
  weft_launch_set_string (self->launch, "location", location ? location : "");
  weft_launch_set_boolean (self->launch, "sync", FALSE);
  /* The sinks never preroll together: a poster at the end and a muxer that waits for its
   * second stream would wait for each other. */
  weft_launch_set_boolean (self->launch, "async", FALSE);
}

static void
build_launch (WeftGraph *self)
{
  JsonObject *root = json_node_get_object (weft_plan_get_root (self->plan));

  add_sequence (
      self, WEFT_GRAPH_CLIPS, json_object_get_array_member (root, "clips"), self->timeline, 0);
  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    if (is_video (get_output (self, i)))
      add_mux (self, i);
  }
  weft_launch_pad (self->launch, WEFT_GRAPH_CLIPS, "video");
  add_overlays (self, root);
  add_frames (self, NULL, -1);
  add_videos (self);
  add_audio (self);
}

static void
weft_graph_finalize (GObject *object)
{
  WeftGraph *self = WEFT_GRAPH (object);

  g_clear_object (&self->pipeline);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_clear_pointer (&self->videos, g_ptr_array_unref);
  g_clear_pointer (&self->launch, weft_launch_free);
  g_clear_object (&self->plan);
  G_OBJECT_CLASS (weft_graph_parent_class)->finalize (object);
}

static void
weft_graph_class_init (WeftGraphClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_graph_finalize;
}

static void
weft_graph_init (WeftGraph *self)
{
  self->launch = weft_launch_new ();
}

/**
 * weft_graph_new:
 * @plan: what to render
 * @error: return location for an error, or %NULL
 *
 * Lays out the GStreamer graph that renders @plan. Nothing is opened, created or started.
 *
 * Returns: (transfer full): the graph, or %NULL with %WEFT_ERROR_UNSUPPORTED if the plan asks for
 * what this build cannot run
 */
WeftGraph *
weft_graph_new (WeftPlan *plan, GError **error)
{
  g_autoptr (WeftGraph) self = NULL;
  JsonObject *root;

  g_return_val_if_fail (WEFT_IS_PLAN (plan), NULL);

  if (!weft_plan_check_supported (plan, error))
    return NULL;

  self = g_object_new (WEFT_TYPE_GRAPH, NULL);
  root = json_node_get_object (weft_plan_get_root (plan));
  self->plan = g_object_ref (plan);
  self->timeline = json_object_get_object_member (root, "timeline");
  self->outputs = json_object_get_array_member (root, "outputs");
  self->names = name_outputs (self->outputs);
  self->videos = list_videos (json_object_get_array_member (root, "overlays"));
  build_launch (self);
  return g_steal_pointer (&self);
}

/**
 * weft_graph_get_pipeline:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Builds the pipeline on the first call; it is in the state %GST_STATE_NULL.
 *
 * Returns: (transfer none): the #GstPipeline, or %NULL with %WEFT_ERROR_UNSUPPORTED if an element
 * or a property is missing on this machine
 */
GstElement *
weft_graph_get_pipeline (WeftGraph *self, GError **error)
{
  g_autofree gchar *description = NULL;
  g_autoptr (GstParseContext) context = NULL;
  g_autoptr (GError) parse_error = NULL;
  g_auto (GStrv) missing = NULL;

  g_return_val_if_fail (WEFT_IS_GRAPH (self), NULL);

  if (self->pipeline)
    return self->pipeline;

  /* Harmless when the application has done it. */
  gst_init (NULL, NULL);
  description = weft_launch_to_parse (self->launch);
  context = gst_parse_context_new ();
  self->pipeline =
      gst_parse_launch_full (description, context, GST_PARSE_FLAG_FATAL_ERRORS, &parse_error);
  if (self->pipeline) {
    gst_object_ref_sink (self->pipeline);
    return self->pipeline;
  }

  missing = gst_parse_context_get_missing_elements (context);
  if (missing && missing[0]) {
    g_autofree gchar *list = g_strjoinv (", ", missing);

    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, NULL,
                   "install the GStreamer plugins that hold them; `weft doctor` names the packages",
                   "this machine lacks the elements %s", list));
  } else {
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_INTERNAL, NULL, NULL,
                                       "`weft graph --format launch` prints the line",
                                       "the graph cannot be built: %s", parse_error->message));
  }
  return NULL;
}

/**
 * weft_graph_to_launch:
 * @self: a graph
 *
 * Returns: (transfer full): the arguments for `gst-launch-1.0`, quoted for a POSIX shell. It is the
 * same description that [method@Weft.Graph.get_pipeline] builds.
 */
gchar *
weft_graph_to_launch (WeftGraph *self)
{
  g_return_val_if_fail (WEFT_IS_GRAPH (self), NULL);

  return weft_launch_to_shell (self->launch);
}

/**
 * weft_graph_to_dot:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full): the graph in Graphviz' DOT language, or %NULL
 */
gchar *
weft_graph_to_dot (WeftGraph *self, GError **error)
{
  GstElement *pipeline = weft_graph_get_pipeline (self, error);

  return pipeline ? gst_debug_bin_to_dot_data (GST_BIN (pipeline),
             GST_DEBUG_GRAPH_SHOW_MEDIA_TYPE | GST_DEBUG_GRAPH_SHOW_CAPS_DETAILS)
                  : NULL;
}

static void
add_links (JsonBuilder *builder, GstElement *element)
{
  GList *pads = element->srcpads;

  for (; pads; pads = pads->next) {
    g_autoptr (GstPad) peer = gst_pad_get_peer (pads->data);
    g_autoptr (GstElement) other = peer ? gst_pad_get_parent_element (peer) : NULL;
    g_autofree gchar *from = NULL;
    g_autofree gchar *to = NULL;

    if (other == NULL)
      continue;
    from = g_strdup_printf ("%s.%s", GST_OBJECT_NAME (element), GST_OBJECT_NAME (pads->data));
    to = g_strdup_printf ("%s.%s", GST_OBJECT_NAME (other), GST_OBJECT_NAME (peer));
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "from");
    json_builder_add_string_value (builder, from);
    json_builder_set_member_name (builder, "to");
    json_builder_add_string_value (builder, to);
    json_builder_end_object (builder);
  }
}

/**
 * weft_graph_to_json:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full): `{"elements": [{"name", "factory"}], "links": [{"from", "to"}]}`, pads
 * written as `element.pad`, or %NULL
 */
gchar *
weft_graph_to_json (WeftGraph *self, GError **error)
{
  GstElement *pipeline = weft_graph_get_pipeline (self, error);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  GList *children;

  if (pipeline == NULL)
    return NULL;

  /* Nothing else knows this pipeline yet: its lists hold still. The newest child comes first. */
  children = g_list_last (GST_BIN_CHILDREN (pipeline));
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "elements");
  json_builder_begin_array (builder);
  for (GList *l = children; l; l = l->prev) {
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "name");
    json_builder_add_string_value (builder, GST_OBJECT_NAME (l->data));
    json_builder_set_member_name (builder, "factory");
    json_builder_add_string_value (builder, GST_OBJECT_NAME (gst_element_get_factory (l->data)));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "links");
  json_builder_begin_array (builder);
  for (GList *l = children; l; l = l->prev)
    add_links (builder, l->data);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return weft_json_to_text (root, TRUE);
}
