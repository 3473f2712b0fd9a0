/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/app/gstappsink.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define CAPS "video/x-raw,format=I420,width=64,height=48,framerate=30/1"
#define SIZE (64 * 48 * 3 / 2)

static GstBuffer *
new_frame (guint8 value)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIZE, NULL);

  gst_buffer_memset (buffer, 0, value, SIZE);
  GST_BUFFER_PTS (buffer) = value * GST_SECOND;
  return buffer;
}

static GstPadProbeReturn
look_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  guint8 *seen = user_data;

  g_assert_cmpuint (gst_buffer_extract (GST_PAD_PROBE_INFO_BUFFER (info), 100, seen, 1), ==, 1);
  return GST_PAD_PROBE_OK;
}

static void
test_downstream_sees_the_frame_while_it_is_pushed (void)
{
  GstHarness *h = gst_harness_new ("encoderfeed");
  g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");
  g_autoptr (GstBuffer) out = NULL;
  guint8 seen = 0;

  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, look_cb, &seen, NULL);
  gst_harness_set_src_caps_str (h, CAPS);
  g_assert_cmpint (gst_harness_push (h, new_frame (7)), ==, GST_FLOW_OK);
  g_assert_cmpuint (seen, ==, 7);
  out = gst_harness_pull (h);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 7 * GST_SECOND);
  gst_harness_teardown (h);
}

static void
test_the_frame_is_free_again_when_the_push_returns (void)
{
  GstHarness *h = gst_harness_new ("encoderfeed");
  GstBuffer *in = new_frame (9);
  g_autoptr (GstBuffer) out = NULL;
  GstMapInfo map;

  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_push (h, gst_buffer_ref (in));
  /* The harness still holds what came out; the frame itself has one owner again. */
  g_assert_cmpint (GST_MINI_OBJECT_REFCOUNT_VALUE (in), ==, 1);
  out = gst_harness_pull (h);
  g_assert_false (gst_buffer_map (out, &map, GST_MAP_READ));
  gst_buffer_unref (in);
  gst_harness_teardown (h);
}

static void
test_strides_go_with_the_frame (void)
{
  GstHarness *h = gst_harness_new ("encoderfeed");
  gsize offset[GST_VIDEO_MAX_PLANES] = { 16, 16 + 128 * 48, 16 + 128 * 48 + 64 * 24 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 128, 64, 64 };
  GstBuffer *in = gst_buffer_new_allocate (NULL, 16 + 128 * 48 + 2 * 64 * 24, NULL);
  g_autoptr (GstBuffer) out = NULL;
  GstVideoMeta *meta;

  gst_buffer_add_video_meta_full (
      in, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 64, 48, 3, offset, stride);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);
  meta = gst_buffer_get_video_meta (out);
  g_assert_nonnull (meta);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (meta->offset[i], ==, offset[i]);
    g_assert_cmpint (meta->stride[i], ==, stride[i]);
  }
  gst_harness_teardown (h);
}

static GBytes *
encode (const gchar *feed)
{
  g_autofree gchar *line =
      g_strdup_printf ("videotestsrc num-buffers=60 pattern=snow ! " CAPS " ! %s x264enc threads=1 "
                       "speed-preset=veryfast ! video/x-h264,stream-format=byte-stream ! "
                       "appsink name=sink sync=false",
          feed);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) sink = NULL;
  GByteArray *bytes = g_byte_array_new ();
  GstSample *sample;

  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    GstMapInfo map;

    g_assert_true (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
    g_byte_array_append (bytes, map.data, (guint) map.size);
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return g_byte_array_free_to_bytes (bytes);
}

static void
test_x264_codes_the_same_bytes_as_without (void)
{
  g_autoptr (GBytes) with = encode ("encoderfeed !");
  g_autoptr (GBytes) without = encode ("");

  g_assert_cmpuint (g_bytes_get_size (without), >, 1000);
  g_assert_true (g_bytes_equal (with, without));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encoderfeed/downstream-sees-the-frame-while-it-is-pushed",
      test_downstream_sees_the_frame_while_it_is_pushed);
  g_test_add_func ("/encoderfeed/the-frame-is-free-again-when-the-push-returns",
      test_the_frame_is_free_again_when_the_push_returns);
  g_test_add_func ("/encoderfeed/strides-go-with-the-frame", test_strides_go_with_the_frame);
  g_test_add_func ("/encoderfeed/x264-codes-the-same-bytes-as-without",
      test_x264_codes_the_same_bytes_as_without);
  return g_test_run ();
}
