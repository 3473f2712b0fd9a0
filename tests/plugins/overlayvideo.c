/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A video in the picture: which of its frames shows when, where, and that nobody waits for ever. */

#include <math.h>

#include "overlaysupport.h"

#define MAIN_CAPS(format) "video/x-raw,format=" format ",width=64,height=48,framerate=30/1"
#define I420_30 MAIN_CAPS ("I420")

/* A second video: so many frames of one size, each filled with a byte of its own. */
typedef struct {
  GstHarness *h;
  GstVideoInfo info;
  guint n_frames;
  guint8 first_fill;
  GThread *thread;
  GstFlowReturn flow; /* of the last push; read after the join */
  guint n_pushed;
} Second;

static GstBuffer *
create_second_frame (Second *self, guint frame)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, self->info.size, NULL);
  guint64 n = (guint64) self->info.fps_n, d = (guint64) self->info.fps_d * GST_SECOND;

  gst_buffer_memset (buffer, 0, (guint8) (self->first_fill + frame), self->info.size);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (frame, d, n);
  GST_BUFFER_DURATION (buffer) = gst_util_uint64_scale (frame + 1, d, n) - GST_BUFFER_PTS (buffer);
  return buffer;
}

static gpointer
feed (gpointer data)
{
  Second *self = data;

  self->flow = GST_FLOW_OK;
  for (guint i = 0; i < self->n_frames && self->flow == GST_FLOW_OK; i++) {
    self->flow = gst_harness_push (self->h, create_second_frame (self, i));
    self->n_pushed = i + 1;
  }
  if (self->flow == GST_FLOW_OK)
    gst_harness_push_event (self->h, gst_event_new_eos ());
  return NULL;
}

static Second *
second_new (Overlay *o, const gchar *caps, guint n_frames, guint8 first_fill)
{
  Second *self = g_new0 (Second, 1);
  g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);

  self->h = gst_harness_new_with_element (o->element, "video_0", NULL);
  g_assert_true (gst_video_info_from_caps (&self->info, parsed));
  gst_harness_set_src_caps (self->h, g_steal_pointer (&parsed));
  self->n_frames = n_frames;
  self->first_fill = first_fill;
  self->thread = g_thread_new ("second", feed, self);
  return self;
}

static void
second_join (Second *self)
{
  g_thread_join (self->thread);
  self->thread = NULL;
}

static void
second_free (Second *self)
{
  if (self->thread != NULL)
    second_join (self);
  gst_harness_teardown (self->h);
  g_free (self);
}

static guint8
luma_at (Overlay *o, guint frame, gint x, gint y)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, 16);

  return overlay_get_byte (o, out, 0, x, y);
}

static void
test_frames_are_exact (void)
{
  g_autoptr (Overlay) o =
      overlay_new ("{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"start\":1,"
                   "\"end\":2,\"x\":\"10px\",\"y\":\"6px\"}]}",
          I420_30);
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=16,height=12,framerate=30/1", 100, 50);

  for (guint frame = 25; frame < 65; frame++) {
    g_autoptr (GstBuffer) out = overlay_draw (o, frame, 16);
    gboolean shows = frame >= 30 && frame < 60;
    guint8 inside = shows ? (guint8) (50 + frame - 30) : 16;

    g_assert_cmpuint (overlay_get_byte (o, out, 0, 10, 6), ==, inside);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 25, 17), ==, inside);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 9, 6), ==, 16);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 26, 17), ==, 16);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 25, 18), ==, 16);
    g_assert_cmpuint (overlay_get_byte (o, out, 1, 5, 3), ==, inside);
    g_assert_cmpuint (overlay_get_byte (o, out, 2, 12, 8), ==, inside);
    g_assert_cmpuint (overlay_get_byte (o, out, 2, 13, 8), ==, 16);
  }
  /* What is not wanted any more is refused, so that its source can end. */
  second_join (second);
  g_assert_cmpint (second->flow, ==, GST_FLOW_EOS);
  g_assert_cmpuint (second->n_pushed, <, 35);
  second_free (second);
}

static void
test_other_rates_keep_time (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"position\":\"top-left\"}]}",
      "video/x-raw,format=I420,width=64,height=48,framerate=30000/1001");
  Second *slow =
      second_new (o, "video/x-raw,format=I420,width=64,height=48,framerate=15000/1001", 50, 50);

  for (guint frame = 0; frame < 100; frame++)
    g_assert_cmpuint (luma_at (o, frame, 31, 21), ==, 50 + frame / 2);
  /* It has ended, and the main video goes on. */
  g_assert_cmpuint (luma_at (o, 100, 31, 21), ==, 16);
  second_free (slow);
}

static void
test_opacity_and_fade (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0,\"end\":1,"
      "\"opacity\":0.5,\"animate\":{\"in\":\"fade\",\"duration\":0.5}}]}",
      "video/x-raw,format=I420,width=64,height=48,framerate=20/1");
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=64,height=48,framerate=20/1", 20, 200);

  for (guint frame = 0; frame < 20; frame++) {
    gdouble opacity = 0.5 * MIN ((frame + 0.5) / 10, 1);
    gdouble expected = 16 + opacity * (200 + frame - 16.0);

    g_assert_cmpfloat (fabs (luma_at (o, frame, 31, 21) - expected), <=, 1.5);
  }
  second_free (second);
}

/* The order of the document is the order of drawing, whatever the kind. */
static void
test_order (void)
{
  g_autofree gchar *white = overlay_write_file ("white.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><rect width='8' height='8' "
      "fill='#fff'/></svg>",
      -1);
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":["
      "{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0,\"width\":\"20px\",\"height\":\"48px\"},"
      "{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0},"
      "{\"type\":\"image\",\"src\":\"%s\",\"x\":\"40px\",\"y\":0,\"width\":\"20px\",\"height\":"
      "\"48px\"}]}",
      white, white);
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=64,height=48,framerate=30/1", 1, 77);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 16);

  g_assert_cmpuint (overlay_get_byte (o, out, 0, 5, 21), ==, 77);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 45, 21), ==, 235);
  second_free (second);
}

/* Every byte of the rectangle is the second video's and none outside, whatever the format, the
 * parity of sizes and how much of it hangs over the edge. */
static void
test_formats_and_edges (void)
{
  static const gchar *const formats[] = { "I420", "YV12", "NV12", "NV21", "Y42B", "NV16", "Y444",
    "I420_10LE", "I422_10LE", "Y444_10LE", "BGRA", "RGBA", "BGRx", "RGB", "AYUV", "GRAY8" };
  static const gint places[][2] = { { 0, 0 }, { 4, 2 }, { -6, -4 }, { 30, 20 }, { 34, 26 } };

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    for (guint p = 0; p < G_N_ELEMENTS (places); p++) {
      gint x0 = places[p][0], y0 = places[p][1], width = 9, height = 7;
      g_autofree gchar *timeline =
          g_strdup_printf ("{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":\"%dpx\","
                           "\"y\":\"%dpx\"}]}",
              x0, y0);
      g_autofree gchar *caps =
          g_strdup_printf ("video/x-raw,format=%s,width=37,height=29,framerate=30/1", formats[f]);
      g_autofree gchar *small = g_strdup_printf (
          "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1", formats[f], width, height);
      g_autoptr (Overlay) o = overlay_new (timeline, caps);
      Second *second = second_new (o, small, 1, 2);
      g_autoptr (GstBuffer) out = overlay_draw (o, 0, 1);
      GstVideoFrame frame;

      g_assert_true (gst_video_frame_map (&frame, &o->info, out, GST_MAP_READ));
      for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (&frame); c++) {
        gint w_sub = GST_VIDEO_FORMAT_INFO_W_SUB (o->info.finfo, c);
        gint h_sub = GST_VIDEO_FORMAT_INFO_H_SUB (o->info.finfo, c);
        gint x1 = (x0 >> w_sub) + (-((-width) >> w_sub)),
             y1 = (y0 >> h_sub) + (-((-height) >> h_sub));

        for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c); y++) {
          const guint8 *row = (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, c)
                              + (gsize) y * (gsize) GST_VIDEO_FRAME_COMP_STRIDE (&frame, c);

          for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, c); x++) {
            gboolean inside = x >= x0 >> w_sub && x < x1 && y >= y0 >> h_sub && y < y1;

            g_assert_cmpuint (row[(gsize) x * (gsize) GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c)], ==,
                inside ? 2 : 1);
          }
        }
      }
      gst_video_frame_unmap (&frame);
      second_free (second);
    }
  }
}

/* A frame that upstream keeps, sent again and again, does not hide that the second video moves. */
static void
test_repeated_frames_move (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0}]}", I420_30);
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=16,height=12,framerate=30/1", 10, 50);
  g_autoptr (GstBuffer) kept = overlay_create_frame (o, 0, 16);

  for (guint frame = 0; frame < 10; frame++) {
    GstBuffer *again = gst_buffer_copy (kept);

    GST_BUFFER_PTS (again) = gst_util_uint64_scale (frame, GST_SECOND, 30);
    g_assert_cmpint (gst_harness_push (o->h, again), ==, GST_FLOW_OK);
    g_autoptr (GstBuffer) out = gst_harness_pull (o->h);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 3, 3), ==, 50 + frame);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 20, 3), ==, 16);
    g_assert_cmpuint (overlay_get_byte (o, kept, 0, 3, 3), ==, 16);
  }
  second_free (second);
}

typedef struct {
  Overlay *o;
  GstFlowReturn flow;
} Waiting;

static gpointer
push_one (gpointer data)
{
  Waiting *waiting = data;

  waiting->flow = gst_harness_push (waiting->o->h, overlay_create_frame (waiting->o, 0, 16));
  return NULL;
}

/* The second video never sends a thing; the element is stopped, or flushed. */
static void
test_silence_can_be_ended (gconstpointer data)
{
  gboolean flush = GPOINTER_TO_INT (data);
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0}]}", I420_30);
  GstHarness *second = gst_harness_new_with_element (o->element, "video_0", NULL);
  Waiting waiting = { .o = o, .flow = GST_FLOW_OK };

  gst_harness_set_src_caps_str (
      second, "video/x-raw,format=I420,width=16,height=12,framerate=30/1");
  GThread *thread = g_thread_new ("main-video", push_one, &waiting);

  if (flush)
    gst_harness_push_event (o->h, gst_event_new_flush_start ());
  else
    gst_element_set_state (o->element, GST_STATE_NULL);
  g_thread_join (thread);
  g_assert_cmpint (waiting.flow, ==, GST_FLOW_FLUSHING);
  gst_harness_teardown (second);
}

static void
test_the_end_of_the_main_video_ends_the_second (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0}]}", I420_30);
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=16,height=12,framerate=30/1", 100, 50);

  g_assert_cmpuint (luma_at (o, 0, 3, 3), ==, 50);
  gst_harness_push_event (o->h, gst_event_new_eos ());
  second_join (second);
  g_assert_cmpint (second->flow, ==, GST_FLOW_EOS);
  second_free (second);
}

static void
test_it_starts_again (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\",\"x\":0,\"y\":0}]}", I420_30);
  Second *second =
      second_new (o, "video/x-raw,format=I420,width=16,height=12,framerate=30/1", 1, 50);

  g_assert_cmpuint (luma_at (o, 0, 3, 3), ==, 50);
  g_assert_cmpuint (luma_at (o, 1, 3, 3), ==, 16);
  second_free (second);
  gst_element_set_state (o->element, GST_STATE_NULL);
  gst_element_set_state (o->element, GST_STATE_PLAYING);
  second = second_new (o, "video/x-raw,format=I420,width=16,height=12,framerate=30/1", 1, 90);
  gst_harness_set_src_caps_str (o->h, I420_30);
  g_assert_cmpuint (luma_at (o, 0, 3, 3), ==, 90);
  second_free (second);
}

static void
test_mistakes (void)
{
  overlay_assert_start_fails (
      "{\"overlays\":[{\"type\":\"video\"}]}", "/timeline/overlays/0", NULL, "pad");
  {
    g_autoptr (Overlay) o =
        overlay_new ("{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_3\"}]}", I420_30);
    GstBuffer *out;

    g_assert_cmpint (overlay_push (o, 0, 16, &out), ==, GST_FLOW_ERROR);
    overlay_assert_problem (o->bus, GST_MESSAGE_ERROR, "/timeline/overlays/0", NULL, "video_3");
  }
  {
    g_autoptr (Overlay) o = overlay_new (
        "{\"overlays\":[{\"type\":\"video\",\"pad\":\"video_0\"}]}", MAIN_CAPS ("RGB"));
    Second *second =
        second_new (o, "video/x-raw,format=RGB,width=16,height=12,framerate=30/1", 2, 50);

    gst_buffer_unref (overlay_draw (o, 0, 16));
    /* The main video takes another format than the second one was told to have. */
    gst_harness_set_src_caps_str (o->h, I420_30);
    GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
    GST_BUFFER_PTS (frame) = gst_util_uint64_scale (1, GST_SECOND, 30);
    g_assert_cmpint (gst_harness_push (o->h, frame), ==, GST_FLOW_ERROR);
    overlay_assert_problem (
        o->bus, GST_MESSAGE_ERROR, "/timeline/overlays/0", NULL, "videoconvert");
    second_free (second);
  }
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  g_test_add_func ("/frames/are-exact", test_frames_are_exact);
  g_test_add_func ("/frames/other-rates-keep-time", test_other_rates_keep_time);
  g_test_add_func ("/frames/repeated-ones-move", test_repeated_frames_move);
  g_test_add_func ("/looks/opacity-and-fade", test_opacity_and_fade);
  g_test_add_func ("/looks/order", test_order);
  g_test_add_func ("/looks/formats-and-edges", test_formats_and_edges);
  g_test_add_data_func (
      "/ends/stop-while-silent", GINT_TO_POINTER (FALSE), test_silence_can_be_ended);
  g_test_add_data_func (
      "/ends/flush-while-silent", GINT_TO_POINTER (TRUE), test_silence_can_be_ended);
  g_test_add_func ("/ends/with-the-main-video", test_the_end_of_the_main_video_ends_the_second);
  g_test_add_func ("/ends/and-starts-again", test_it_starts_again);
  g_test_add_func ("/errors/mistakes", test_mistakes);
  gint result = g_test_run ();
  overlay_remove_files ();
  gst_deinit ();
  return result;
}
