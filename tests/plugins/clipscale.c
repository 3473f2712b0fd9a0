/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>

static GstBuffer *
make_frame (const gchar *caps_text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  GstVideoInfo info;
  GstBuffer *buffer;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 100, info.size);
  GST_BUFFER_PTS (buffer) = 40 * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = 40 * GST_MSECOND;
  return buffer;
}

static void
assert_negotiates (const gchar *in, const gchar *asked, gint width, gint height)
{
  GstHarness *h = gst_harness_new ("clipscale");
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;

  gst_harness_set_sink_caps_str (h, asked);
  gst_harness_set_src_caps_str (h, in);
  g_assert_cmpint (gst_harness_push (h, make_frame (in)), ==, GST_FLOW_OK);
  out = gst_harness_pull (h);
  caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_cmpint (info.width, ==, width);
  g_assert_cmpint (info.height, ==, height);
  g_assert_cmpint (GST_VIDEO_INFO_FORMAT (&info), ==, GST_VIDEO_FORMAT_I420);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 40 * GST_MSECOND);
  g_assert_cmpuint (gst_buffer_get_size (out), >=, info.size);
  gst_harness_teardown (h);
}

#define TALL "video/x-raw,format=I420,width=1080,height=1920,framerate=25/1,pixel-aspect-ratio=1/1"
#define WIDE "video/x-raw,format=NV12,width=720,height=576,framerate=25/1,pixel-aspect-ratio=64/45"

static void
test_sizes (void)
{
  assert_negotiates (TALL, "video/x-raw,width=720", 720, 1280);
  assert_negotiates (TALL, "video/x-raw,height=854", 480, 854);
  assert_negotiates (TALL, "video/x-raw,width=480", 480, 854);
  assert_negotiates (TALL, "video/x-raw,width=320,height=320", 320, 320);
  assert_negotiates (TALL, "video/x-raw", 1080, 1920);
  assert_negotiates (WIDE, "video/x-raw,height=576,pixel-aspect-ratio=1/1", 1024, 576);
  assert_negotiates (
      "video/x-raw,format=RGB,width=101,height=77,framerate=25/1", "video/x-raw", 101, 77);
}

/* What fits already is the very same buffer. */
static void
test_passthrough (void)
{
  GstHarness *h = gst_harness_new ("clipscale");
  GstBuffer *in = make_frame (TALL);
  g_autoptr (GstBuffer) out = NULL;

  gst_harness_set_sink_caps_str (h, "video/x-raw,width=1080,height=1920");
  gst_harness_set_src_caps_str (h, TALL);
  g_assert_cmpint (gst_harness_push (h, gst_buffer_ref (in)), ==, GST_FLOW_OK);
  out = gst_harness_pull (h);
  g_assert_true (out == in);
  gst_buffer_unref (in);
  gst_harness_teardown (h);
}

/* A change of size in the middle of the stream is followed. */
static void
test_renegotiation (void)
{
  static const gchar *const sizes[] = { "width=640,height=360", "width=1920,height=1080",
    "width=640,height=360" };
  GstHarness *h = gst_harness_new ("clipscale");

  gst_harness_set_sink_caps_str (h, "video/x-raw,width=640,height=360");
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree gchar *caps =
        g_strdup_printf ("video/x-raw,format=I420,framerate=25/1,%s", sizes[i]);
    g_autoptr (GstBuffer) out = NULL;

    gst_harness_set_src_caps_str (h, caps);
    g_assert_cmpint (gst_harness_push (h, make_frame (caps)), ==, GST_FLOW_OK);
    out = gst_harness_pull (h);
    g_assert_cmpuint (gst_buffer_get_size (out), ==, 640 * 360 * 3 / 2);
  }
  gst_harness_teardown (h);
}

/* The picture is the one that GStreamer's own scaler makes. */
static void
test_picture (void)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "videotestsrc num-buffers=1 pattern=ball ! "
      "video/x-raw,format=I420,width=540,height=960,colorimetry=bt709 "
      "! tee name=t ! queue ! clipscale ! video/x-raw,width=360,height=640 ! appsink name=mine "
      "sync=false "
      "t. ! queue ! videoscale method=catrom ! video/x-raw,width=360,height=640 ! appsink "
      "name=theirs sync=false",
      NULL);
  g_autoptr (GstElement) mine = gst_bin_get_by_name (GST_BIN (pipeline), "mine");
  g_autoptr (GstElement) theirs = gst_bin_get_by_name (GST_BIN (pipeline), "theirs");
  GstSample *a = NULL, *b = NULL;
  GstMapInfo m, n;
  gdouble sum = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (mine, "pull-sample", &a);
  g_signal_emit_by_name (theirs, "pull-sample", &b);
  g_assert_nonnull (a);
  g_assert_nonnull (b);
  gst_buffer_map (gst_sample_get_buffer (a), &m, GST_MAP_READ);
  gst_buffer_map (gst_sample_get_buffer (b), &n, GST_MAP_READ);
  for (gsize i = 0; i < 360 * 640; i++)
    sum += (m.data[i] - n.data[i]) * (m.data[i] - n.data[i]);
  g_assert_cmpfloat (sum, >, 0);
  g_assert_cmpfloat (10 * log10 (255.0 * 255.0 / (sum / (360 * 640))), >, 38);
  gst_buffer_unmap (gst_sample_get_buffer (a), &m);
  gst_buffer_unmap (gst_sample_get_buffer (b), &n);
  gst_sample_unref (a);
  gst_sample_unref (b);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/clipscale/sizes", test_sizes);
  g_test_add_func ("/clipscale/passthrough", test_passthrough);
  g_test_add_func ("/clipscale/renegotiation", test_renegotiation);
  g_test_add_func ("/clipscale/picture", test_picture);
  return g_test_run ();
}
