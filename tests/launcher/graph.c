/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>
#include <string.h>

#include "fixture.h"
#include "weft-graph.h"

#define NO_OVERLAYS ""
#define ONE_TITLE                                                                                  \
  "{\"pointer\": \"/timeline/overlays/0\", \"first_frame\": 0, \"frames\": 30,"                    \
  " \"item\": {\"type\": \"text\", \"text\": \"<b>5 \\\"quoted\\\" & é</b>\", \"start\": 0, "     \
  "\"end\": 1}}"

/* Takes ownership of the outputs, a NULL-terminated list. */
static WeftGraph *
new_graph (const gchar *overlays, gchar *first, ...)
{
  g_autofree gchar *clip = fixture_clip ("file:///none", 0, 30);
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  WeftGraph *graph;
  va_list args;

  va_start (args, first);
  plan = fixture_plan_new (1280, 720, 30, clip, overlays, first, args);
  va_end (args);
  graph = weft_graph_new (plan, &error);
  g_assert_no_error (error);
  return graph;
}

static guint
count (GstElement *pipeline, const gchar *factory)
{
  guint n = 0;

  for (GList *l = GST_BIN_CHILDREN (pipeline); l; l = l->next)
    n += g_strcmp0 (GST_OBJECT_NAME (gst_element_get_factory (l->data)), factory) == 0;
  return n;
}

/* The nearest element of @factory upstream of the sink pad of @name. */
static GstElement *
find_upstream (GstElement *pipeline, const gchar *name, const gchar *pad_name, const gchar *factory)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = NULL;

  g_assert_nonnull (element);
  pad = gst_element_get_static_pad (element, pad_name);
  while (pad) {
    g_autoptr (GstPad) peer = gst_pad_get_peer (pad);
    g_autoptr (GstElement) upstream = peer ? gst_pad_get_parent_element (peer) : NULL;

    if (upstream == NULL)
      return NULL;
    if (g_strcmp0 (GST_OBJECT_NAME (gst_element_get_factory (upstream)), factory) == 0)
      return g_steal_pointer (&upstream);
    g_clear_object (&pad);
    pad = gst_element_get_static_pad (upstream, "sink");
  }
  return NULL;
}

static guint64
get_audio_queue_ns (GstElement *pipeline, const gchar *mux)
{
  g_autoptr (GstElement) queue = find_upstream (pipeline, mux, "audio_0", "queue");
  guint64 max_ns;
  guint max_bytes, max_buffers;

  g_object_get (queue, "max-size-time", &max_ns, "max-size-bytes", &max_bytes, "max-size-buffers",
      &max_buffers, NULL);
  g_assert_cmpuint (max_bytes, ==, 0);
  g_assert_cmpuint (max_buffers, ==, 0);
  return max_ns;
}

static GstElement *
get_pipeline (WeftGraph *graph)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = weft_graph_get_pipeline (graph, &error);

  g_assert_no_error (error);
  return pipeline;
}

static void
test_every_source_is_read_by_one_element_only (void)
{
  g_autoptr (WeftGraph) graph =
      new_graph (ONE_TITLE, fixture_video_output ("big", "/tmp", 1280, 720, NULL, 40, 30, 128000),
          fixture_video_output ("small", "/tmp", 640, 360, "big", 40, 30, 128000),
          fixture_thumbnail_output ("poster", "/tmp"), NULL);
  GstElement *pipeline = get_pipeline (graph);

  g_assert_cmpuint (count (pipeline, "clipsequence"), ==, 1);
  g_assert_cmpuint (count (pipeline, "overlaytimeline"), ==, 1);
  g_assert_cmpuint (count (pipeline, "x264enc"), ==, 2);
  g_assert_cmpuint (count (pipeline, "avenc_aac"), ==, 1);
  g_assert_cmpuint (count (pipeline, "framepick"), ==, 1);
  g_assert_cmpint (GST_STATE (pipeline), ==, GST_STATE_NULL);
}

static void
test_a_small_rendition_is_scaled_from_the_next_larger (void)
{
  g_autoptr (WeftGraph) graph =
      new_graph (NO_OVERLAYS, fixture_video_output ("big", "/tmp", 1280, 720, NULL, 40, 30, 128000),
          fixture_video_output ("middle", "/tmp", 960, 540, "big", 40, 30, 128000),
          fixture_video_output ("small", "/tmp", 640, 360, "middle", 40, 30, 128000), NULL);
  GstElement *pipeline = get_pipeline (graph);
  g_autoptr (GstElement) first = find_upstream (pipeline, "encoder_small", "sink", "clipscale");
  g_autoptr (GstElement) second =
      find_upstream (pipeline, GST_OBJECT_NAME (first), "sink", "clipscale");

  g_assert_nonnull (second);
  g_assert_null (find_upstream (pipeline, GST_OBJECT_NAME (second), "sink", "clipscale"));
  g_assert_null (find_upstream (pipeline, "encoder_big", "sink", "clipscale"));
}

static void
test_different_audio_is_encoded_apart (void)
{
  g_autoptr (WeftGraph) graph =
      new_graph (NO_OVERLAYS, fixture_video_output ("a", "/tmp", 1280, 720, NULL, 40, 30, 128000),
          fixture_video_output ("b", "/tmp", 1280, 720, NULL, 40, 30, 64000),
          fixture_video_output ("c", "/tmp", 1280, 720, NULL, 40, 30, 128000),
          fixture_video_output ("mute", "/tmp", 1280, 720, NULL, 40, 30, 0), NULL);

  g_assert_cmpuint (count (get_pipeline (graph), "avenc_aac"), ==, 2);
}

static void
test_the_audio_queue_holds_what_the_encoder_holds_back (void)
{
  for (guint latency = 0; latency <= 290; latency += 29) {
    g_autoptr (WeftGraph) graph = new_graph (NO_OVERLAYS,
        fixture_video_output ("deep", "/tmp", 1280, 720, NULL, latency, 30, 128000),
        fixture_video_output ("flat", "/tmp", 640, 360, "deep", 0, 30, 128000), NULL);
    GstElement *pipeline = get_pipeline (graph);

    /* What the encoder holds, one second of lead, and a margin. */
    g_assert_cmpuint (get_audio_queue_ns (pipeline, "mux_deep"), >=,
        latency * GST_SECOND / 30 + GST_SECOND + GST_SECOND / 4);
    g_assert_cmpuint (
        get_audio_queue_ns (pipeline, "mux_deep"), <, latency * GST_SECOND / 30 + 6 * GST_SECOND);
    g_assert_cmpuint (get_audio_queue_ns (pipeline, "mux_flat"), <, 6 * GST_SECOND);
  }
}

static void
test_every_queue_has_a_limit (void)
{
  g_autoptr (WeftGraph) graph =
      new_graph (ONE_TITLE, fixture_video_output ("big", "/tmp", 1280, 720, NULL, 40, 30, 128000),
          fixture_video_output ("small", "/tmp", 640, 360, "big", 40, 30, 64000),
          fixture_thumbnail_output ("poster", "/tmp"), NULL);
  guint n = 0;

  for (GList *l = GST_BIN_CHILDREN (get_pipeline (graph)); l; l = l->next) {
    guint64 ns;
    guint bytes, buffers;

    if (g_strcmp0 (GST_OBJECT_NAME (gst_element_get_factory (l->data)), "queue") != 0)
      continue;
    g_object_get (l->data, "max-size-time", &ns, "max-size-bytes", &bytes, "max-size-buffers",
        &buffers, NULL);
    g_assert_true (ns > 0 || bytes > 0 || buffers > 0);
    n++;
  }
  g_assert_cmpuint (n, >, 4);
}

static void
test_ids_that_are_no_element_names_still_work (void)
{
  g_autoptr (WeftGraph) graph = new_graph (NO_OVERLAYS,
      fixture_video_output ("720p.web", "/tmp", 1280, 720, NULL, 40, 30, 128000),
      fixture_video_output ("720p-web", "/tmp", 640, 360, "720p.web", 40, 30, 128000), NULL);

  g_assert_cmpuint (count (get_pipeline (graph), "mp4mux"), ==, 2);
}

static void
test_a_title_arrives_literally (void)
{
  g_autoptr (WeftGraph) graph = new_graph (
      ONE_TITLE, fixture_video_output ("a", "/tmp", 1280, 720, NULL, 40, 30, 128000), NULL);
  g_autoptr (GstElement) overlays =
      gst_bin_get_by_name (GST_BIN (get_pipeline (graph)), "overlays");
  g_autofree gchar *timeline = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *item;

  g_object_get (overlays, "timeline", &timeline, NULL);
  node = json_from_string (timeline, NULL);
  item = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (node), "overlays"), 0);
  g_assert_cmpstr (json_object_get_string_member (item, "text"), ==, "<b>5 \"quoted\" & é</b>");
}

static void
test_an_encoder_that_needs_a_parser_gets_one (void)
{
  g_autofree gchar *output = fixture_video_output ("a", "/tmp", 1280, 720, NULL, 40, 30, 128000);
  g_autoptr (GString) changed = g_string_new (output);
  g_autoptr (WeftGraph) graph = NULL;
  GstElement *pipeline;

  g_string_replace (changed, "\"encoder\": \"x264enc\"",
      "\"encoder\": \"openh264enc\", \"parser\": \"h264parse\"", 1);
  g_string_replace (
      changed, "\"speed-preset\": \"ultrafast\", \"quantizer\": 23", "\"gop-size\": 30", 1);
  graph = new_graph (NO_OVERLAYS, g_strdup (changed->str), NULL);
  pipeline = get_pipeline (graph);
  g_assert_cmpuint (count (pipeline, "h264parse"), ==, 1);
  /* Frames are lent to encoders only that are known to copy them. */
  g_assert_cmpuint (count (pipeline, "encoderfeed"), ==, 0);
}

static void
test_json_and_dot_name_every_element (void)
{
  g_autoptr (WeftGraph) graph = new_graph (
      NO_OVERLAYS, fixture_video_output ("a", "/tmp", 1280, 720, NULL, 40, 30, 128000), NULL);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *json = weft_graph_to_json (graph, &error);
  g_autofree gchar *dot = weft_graph_to_dot (graph, &error);
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  JsonObject *root = json_node_get_object (node);

  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "elements")), ==,
      (guint) GST_BIN_NUMCHILDREN (get_pipeline (graph)));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "links")), >, 5);
  g_assert_nonnull (strstr (dot, "encoder_a"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/every-source-is-read-by-one-element-only",
      test_every_source_is_read_by_one_element_only);
  g_test_add_func ("/graph/a-small-rendition-is-scaled-from-the-next-larger",
      test_a_small_rendition_is_scaled_from_the_next_larger);
  g_test_add_func (
      "/graph/different-audio-is-encoded-apart", test_different_audio_is_encoded_apart);
  g_test_add_func ("/graph/the-audio-queue-holds-what-the-encoder-holds-back",
      test_the_audio_queue_holds_what_the_encoder_holds_back);
  g_test_add_func ("/graph/every-queue-has-a-limit", test_every_queue_has_a_limit);
  g_test_add_func ("/graph/ids-that-are-no-element-names-still-work",
      test_ids_that_are_no_element_names_still_work);
  g_test_add_func ("/graph/a-title-arrives-literally", test_a_title_arrives_literally);
  g_test_add_func ("/graph/an-encoder-that-needs-a-parser-gets-one",
      test_an_encoder_that_needs_a_parser_gets_one);
  g_test_add_func ("/graph/json-and-dot-name-every-element", test_json_and_dot_name_every_element);
  return g_test_run ();
}
