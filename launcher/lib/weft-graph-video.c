/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pictures, from their sources to the files they end in. */

#include "weft-graph-layout.h"

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

static void
add_videos (WeftGraph *self)
{
  for (guint i = 0; i < self->videos->len; i++) {
    JsonObject *overlay = g_ptr_array_index (self->videos, i);
    JsonObject *video = json_object_get_object_member (overlay, "video");
    g_autofree gchar *name = weft_graph_video_name (i);

    add_sequence (self, name, json_object_get_array_member (video, "clips"), video,
        (guint) weft_get_int (overlay, "first_frame", 0));
    weft_launch_pad (self->launch, name, "video");
    weft_launch_link (self->launch);
    weft_launch_pad (self->launch, WEFT_GRAPH_OVERLAYS,
        weft_get_string (json_object_get_object_member (overlay, "item"), "pad", NULL));
  }
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
  return weft_graph_is_video (output)
         && g_strcmp0 (weft_get_string (output, "scaled_from", NULL), id) == 0;
}

/* Output numbers that take frames of the size of output @id (%NULL: the timeline itself), not
 * counting that output's own encoder. */
static GArray *
list_takers (WeftGraph *self, const gchar *id)
{
  GArray *takers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    JsonObject *output = weft_graph_get_output (self, i);

    if (is_scaled_from (self, output, id) || (id == NULL && !weft_graph_is_video (output)))
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
  JsonObject *output = weft_graph_get_output (self, i);
  JsonObject *video = weft_get_object (output, "video");
  JsonObject *properties = weft_get_object (video, "properties");
  const gchar *caps = weft_get_string (video, "caps", NULL);
  const gchar *parser = weft_get_string (video, "parser", NULL);
  g_autofree gchar *mux = weft_graph_element_name (self, "mux", i);

  if (copies_its_input (weft_get_string (video, "encoder", NULL))) {
    weft_launch_element (self->launch, "encoderfeed", NULL);
    weft_launch_link (self->launch);
  }
  weft_graph_add_element (self, weft_get_string (video, "encoder", NULL), "encoder", i);
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
  JsonObject *output = weft_graph_get_output (self, i);
  const gchar *format = weft_get_string (output, "format", NULL);
  /* JFIF is BT.601 at full range by definition, whatever the video was. */
  const gchar *raw =
      g_strcmp0 (format, "png") == 0 ? "format=RGB" : "format=I420,colorimetry=1:4:7:1";
  const gchar *encoder = "jpegenc";
  g_autofree gchar *caps = NULL;
  g_autofree gchar *location =
      g_filename_from_uri (weft_get_string (output, "uri", NULL), NULL, NULL);

  if (g_strcmp0 (format, "png") == 0)
    encoder = "pngenc";
  else if (g_strcmp0 (format, "webp") == 0)
    encoder = "webpenc";

  weft_launch_element (self->launch, "framepick", NULL);
  weft_launch_set_uint (self->launch, "frame", (guint) weft_get_int (output, "frame", 0));
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, "videoconvertscale", NULL);
  weft_launch_set_string (self->launch, "method", "lanczos");
  weft_launch_link (self->launch);
  caps = g_strdup_printf ("video/x-raw,%s,width=%u,height=%u,pixel-aspect-ratio=1/1", raw,
      (guint) weft_get_int (output, "width", 0), (guint) weft_get_int (output, "height", 0));
  weft_launch_caps (self->launch, caps);
  weft_launch_link (self->launch);
  weft_graph_add_element (self, encoder, "encoder", i);
  if (json_object_has_member (output, "quality") && g_strcmp0 (format, "png") != 0)
    weft_launch_set_uint (self->launch, "quality", (guint) weft_get_int (output, "quality", 0));
  weft_launch_link (self->launch);
  weft_graph_add_element (self, "filesink", "sink", i);
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
    JsonObject *output = weft_graph_get_output (self, i);

    if (has_tee) {
      weft_launch_pad (self->launch, tee, NULL);
    }
    weft_launch_link (self->launch);
    if (!weft_graph_is_video (output)) {
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
    if ((guint) weft_get_int (output, "width", 0)
            != (guint) weft_get_int (self->timeline, "width", 0)
        || (guint) weft_get_int (output, "height", 0)
               != (guint) weft_get_int (self->timeline, "height", 0)) {
      g_autofree gchar *caps = g_strdup_printf (
          "video/x-raw,width=%u,height=%u,pixel-aspect-ratio=1/1",
          (guint) weft_get_int (output, "width", 0), (guint) weft_get_int (output, "height", 0));

      weft_launch_link (self->launch);
      weft_launch_element (self->launch, "clipscale", NULL);
      weft_launch_link (self->launch);
      weft_launch_caps (self->launch, caps);
    }
    add_frames (self, weft_get_string (output, "id", NULL), (gint) i);
  }
}

/* Muxers and sinks */

static void
add_mux (WeftGraph *self, guint i)
{
  JsonObject *output = weft_graph_get_output (self, i);
  JsonObject *audio = weft_get_object (output, "audio");
  JsonArray *fps = json_object_get_array_member (self->timeline, "fps");
  g_autofree gchar *location =
      g_filename_from_uri (weft_get_string (output, "uri", NULL), NULL, NULL);
  g_autofree gchar *rate = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
      json_array_get_int_element (fps, 0), json_array_get_int_element (fps, 1));

  weft_graph_add_element (self, "mp4mux", "mux", i);
  weft_launch_link (self->launch);
  weft_graph_add_element (self, "mp4layout", "layout", i);
  weft_launch_set_uint (self->launch, "video-frames", (guint) weft_get_int (output, "frames", 0));
  weft_launch_set_string (self->launch, "frame-rate", rate);
  if (audio) {
    weft_launch_set_uint (
        self->launch, "audio-priming", (guint) weft_get_int (audio, "priming_samples", 0));
    weft_launch_set_uint (
        self->launch, "audio-samples", (guint) weft_get_int (output, "samples", 0));
  }
  weft_launch_link (self->launch);
  weft_graph_add_element (self, "filesink", "sink", i);
  weft_launch_set_string (self->launch, "location", location ? location : "");
  weft_launch_set_boolean (self->launch, "sync", FALSE);
  /* The sinks never preroll together: a poster at the end and a muxer that waits for its
   * second stream would wait for each other. */
  weft_launch_set_boolean (self->launch, "async", FALSE);
}

void
weft_graph_add_clips (WeftGraph *self, JsonObject *root)
{
  add_sequence (
      self, WEFT_GRAPH_CLIPS, json_object_get_array_member (root, "clips"), self->timeline, 0);
}

void
weft_graph_add_muxers (WeftGraph *self)
{
  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    if (weft_graph_is_video (weft_graph_get_output (self, i)))
      add_mux (self, i);
  }
}

void
weft_graph_add_pictures (WeftGraph *self, JsonObject *root)
{
  weft_launch_pad (self->launch, WEFT_GRAPH_CLIPS, "video");
  add_overlays (self, root);
  add_frames (self, NULL, -1);
  add_videos (self);
}
