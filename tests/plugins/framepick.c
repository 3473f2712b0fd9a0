/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <glib/gstdio.h>
#include <string.h>

#include "../support/patience.h"

#define CAPS "video/x-raw,format=GRAY8,width=4,height=4,framerate=%d/%d"

typedef struct {
  GstHarness *h;
  GstBus *bus;
  gint fps_n, fps_d;
} Fixture;

static void
fixture_start (Fixture *f, const gchar *launch, gint fps_n, gint fps_d)
{
  g_autofree gchar *caps = g_strdup_printf (CAPS, fps_n, fps_d);

  f->h = gst_harness_new_parse (launch);
  f->bus = gst_bus_new ();
  gst_element_set_bus (f->h->element, f->bus);
  f->fps_n = fps_n;
  f->fps_d = fps_d;
  gst_harness_set_src_caps_str (f->h, caps);
}

static void
fixture_end (Fixture *f)
{
  gst_element_set_bus (f->h->element, NULL);
  gst_harness_teardown (f->h);
  gst_object_unref (f->bus);
}

static GstBuffer *
frame_at (GstClockTime pts, GstClockTime duration)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = duration;
  return buffer;
}

static GstFlowReturn
push_frame (Fixture *f, guint64 number)
{
  GstClockTime pts =
      gst_util_uint64_scale (number, (guint64) f->fps_d * GST_SECOND, (guint64) f->fps_n);

  return gst_harness_push (f->h, frame_at (pts, GST_CLOCK_TIME_NONE));
}

static guint64
pulled_number (Fixture *f)
{
  g_autoptr (GstBuffer) buffer = gst_harness_try_pull (f->h);

  g_assert_nonnull (buffer);
  return gst_util_uint64_scale_round (
      GST_BUFFER_PTS (buffer), (guint64) f->fps_n, (guint64) f->fps_d * GST_SECOND);
}

static gboolean
got_eos (Fixture *f)
{
  GstEvent *event;
  gboolean eos = FALSE;

  while ((event = gst_harness_try_pull_event (f->h)) != NULL) {
    eos |= GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  return eos;
}

/* The text of the one error there is, or NULL. */
static gchar *
error_text (Fixture *f, const GstStructure **details, GstMessage **message)
{
  GError *error = NULL;
  gchar *text;

  *message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_ERROR);
  if (*message == NULL)
    return NULL;
  gst_message_parse_error (*message, &error, NULL);
  gst_message_parse_error_details (*message, details);
  text = g_strdup (error->message);
  g_error_free (error);
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_ERROR));
  return text;
}

static void
test_one_frame (gconstpointer data)
{
  const gint *fps = data;
  Fixture f;

  fixture_start (&f, "framepick frame=45", fps[0], fps[1]);
  for (guint64 i = 0; i < 45; i++) {
    g_assert_cmpint (push_frame (&f, i), ==, GST_FLOW_OK);
    g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 0);
  }
  g_assert_false (got_eos (&f));
  g_assert_cmpint (push_frame (&f, 45), ==, GST_FLOW_OK);
  g_assert_cmpuint (pulled_number (&f), ==, 45);
  g_assert_true (got_eos (&f));
  for (guint64 i = 46; i < 90; i++)
    g_assert_cmpint (push_frame (&f, i), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 1);
  g_assert_null (gst_bus_pop_filtered (f.bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING));
  fixture_end (&f);
}

static void
test_frame_is_not_touched (void)
{
  GstBuffer *buffer = frame_at (0, GST_SECOND);
  g_autoptr (GstBuffer) out = NULL;
  Fixture f;

  fixture_start (&f, "framepick", 30, 1);
  g_assert_cmpint (gst_harness_push (f.h, buffer), ==, GST_FLOW_OK);
  out = gst_harness_try_pull (f.h);
  g_assert_true (out == buffer);
  fixture_end (&f);
}

static void
test_many_frames (void)
{
  static const guint64 wanted[] = { 0, 3, 10, 11, 12, 40 };
  Fixture f;

  fixture_start (&f, "framepick frames=\"40, 10-12,3,0,11\"", 25, 1);
  for (guint64 i = 0; i < 60; i++)
    g_assert_cmpint (push_frame (&f, i), ==, GST_FLOW_OK);
  g_assert_true (got_eos (&f));
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, G_N_ELEMENTS (wanted));
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_cmpuint (pulled_number (&f), ==, wanted[i]);
  fixture_end (&f);
}

/* Two frames on one number: the first is it. */
static void
test_doubled_frames_count_once (void)
{
  Fixture f;

  fixture_start (&f, "framepick frames=1,2", 10, 1);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (0, 1)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (90 * GST_MSECOND, 1)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (110 * GST_MSECOND, 1)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (200 * GST_MSECOND, 1)), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 2);
  fixture_end (&f);
}

static void
test_counts_by_stream_time (void)
{
  GstSegment segment;
  Fixture f;

  fixture_start (&f, "framepick frame=2", 10, 1);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 1000 * GST_SECOND;
  gst_harness_push_event (f.h, gst_event_new_segment (&segment));
  /* One before the segment is none at all. */
  g_assert_cmpint (gst_harness_push (f.h, frame_at (999 * GST_SECOND, 1)), ==, GST_FLOW_OK);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (gst_harness_push (f.h, frame_at (1000 * GST_SECOND + i * GST_SECOND / 10, 1)),
        ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 1);
  g_assert_cmpuint (pulled_number (&f), ==, 10002);
  fixture_end (&f);
}

static void
test_time_with_durations (void)
{
  g_autoptr (GstBuffer) out = NULL;
  Fixture f;

  fixture_start (&f, "framepick time=2500000000", 0, 1);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (0, 2 * GST_SECOND)), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (2 * GST_SECOND, GST_SECOND)), ==, GST_FLOW_OK);
  /* Known without the next one. */
  out = gst_harness_try_pull (f.h);
  g_assert_nonnull (out);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 2 * GST_SECOND);
  g_assert_true (got_eos (&f));
  fixture_end (&f);
}

static void
test_time_without_durations (void)
{
  g_autoptr (GstBuffer) out = NULL;
  Fixture f;

  fixture_start (&f, "framepick time=2500000000", 0, 1);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (
        gst_harness_push (f.h, frame_at (i * GST_SECOND, GST_CLOCK_TIME_NONE)), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 0);
  g_assert_cmpint (
      gst_harness_push (f.h, frame_at (3 * GST_SECOND, GST_CLOCK_TIME_NONE)), ==, GST_FLOW_OK);
  out = gst_harness_try_pull (f.h);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 2 * GST_SECOND);
  g_assert_true (got_eos (&f));
  fixture_end (&f);
}

static void
test_time_in_the_last_frame (void)
{
  Fixture f;

  fixture_start (&f, "framepick time=2500000000", 0, 1);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (0, GST_CLOCK_TIME_NONE)), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 1);
  g_assert_true (got_eos (&f));
  fixture_end (&f);
}

static void
test_stream_too_short (void)
{
  const GstStructure *details = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *text = NULL;
  guint64 value = 0;
  Fixture f;

  fixture_start (&f, "framepick frame=45", 30, 1);
  for (guint64 i = 0; i < 30; i++)
    g_assert_cmpint (push_frame (&f, i), ==, GST_FLOW_OK);
  gst_harness_push_event (f.h, gst_event_new_eos ());
  g_assert_true (got_eos (&f));
  text = error_text (&f, &details, &message);
  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, "frame 45 was asked for"));
  g_assert_nonnull (strstr (text, "30 frames came"));
  g_assert_nonnull (strstr (text, "the last was frame 29"));
  g_assert_true (gst_structure_get_uint64 (details, "frame", &value));
  g_assert_cmpuint (value, ==, 45);
  fixture_end (&f);
}

static void
test_time_too_late (void)
{
  const GstStructure *details = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *text = NULL;
  Fixture f;

  fixture_start (&f, "framepick time=2500000000", 30, 1);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (0, GST_SECOND)), ==, GST_FLOW_OK);
  gst_harness_push_event (f.h, gst_event_new_eos ());
  text = error_text (&f, &details, &message);
  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, "0:00:02.5"));
  fixture_end (&f);
}

/* What has been passed over will not come any more: said at once, not at the end of the stream. */
static void
test_frame_was_left_out (void)
{
  const GstStructure *details = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *text = NULL;
  Fixture f;

  fixture_start (&f, "framepick frame=2", 30, 1);
  g_assert_cmpint (push_frame (&f, 1), ==, GST_FLOW_OK);
  g_assert_cmpint (push_frame (&f, 3), ==, GST_FLOW_ERROR);
  text = error_text (&f, &details, &message);
  g_assert_nonnull (strstr (text, "frame 2 was asked for"));
  fixture_end (&f);
}

static void
test_no_frame_rate_no_numbers (void)
{
  const GstStructure *details = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *text = NULL;
  Fixture f;

  fixture_start (&f, "framepick frame=2", 0, 1);
  g_assert_cmpint (gst_harness_push (f.h, frame_at (0, GST_SECOND)), ==, GST_FLOW_ERROR);
  text = error_text (&f, &details, &message);
  g_assert_nonnull (strstr (text, "without a fixed frame rate"));
  fixture_end (&f);
}

static void
test_bad_frames (gconstpointer data)
{
  GstElement *element = gst_element_factory_make ("framepick", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "frames", data, NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

/* Whatever happens upstream after the last frame is nobody's business. */
static void
test_upstream_goes_on_undisturbed (void)
{
  g_autoptr (GstCaps) other =
      gst_caps_from_string ("video/x-raw,format=I420,width=8,height=8,framerate=25/1");
  GstQuery *query;
  Fixture f;

  fixture_start (&f, "framepick", 30, 1);
  g_assert_cmpint (push_frame (&f, 0), ==, GST_FLOW_OK);
  g_assert_true (got_eos (&f));
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_caps (other)));
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_gap (GST_SECOND, GST_SECOND)));
  g_assert_cmpint (push_frame (&f, 1), ==, GST_FLOW_OK);
  query = gst_query_new_allocation (NULL, FALSE);
  g_assert_true (gst_pad_peer_query (f.h->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  fixture_end (&f);
}

static void
test_flush_begins_anew (void)
{
  GstSegment segment;
  Fixture f;

  fixture_start (&f, "framepick frame=1", 30, 1);
  push_frame (&f, 0);
  push_frame (&f, 1);
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 1);
  gst_harness_push_event (f.h, gst_event_new_flush_start ());
  gst_harness_push_event (f.h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (f.h, gst_event_new_segment (&segment));
  push_frame (&f, 0);
  g_assert_cmpint (push_frame (&f, 1), ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_received (f.h), ==, 2);
  fixture_end (&f);
}

/* The file behind it is the frame itself, and the other branch of the tee loses nothing. */
static void
test_in_a_pipeline (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("weft-test-XXXXXX", NULL);
  g_autofree gchar *all = g_build_filename (folder, "all.raw", NULL);
  g_autofree gchar *one = g_build_filename (folder, "one.raw", NULL);
  g_autofree gchar *launch = g_strdup_printf (
      "videotestsrc pattern=ball num-buffers=60 ! video/x-raw,format=GRAY8,width=32,height=32,"
      "framerate=30000/1001 ! tee name=t  t. ! queue ! filesink location=%s async=false  t. ! "
      "framepick frame=37 ! filesink location=%s async=false",
      all, one);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *all_bytes = NULL;
  g_autofree gchar *one_bytes = NULL;
  gsize all_size, one_size;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, patience_us (60) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_true (g_file_get_contents (all, &all_bytes, &all_size, NULL));
  g_assert_true (g_file_get_contents (one, &one_bytes, &one_size, NULL));
  g_assert_cmpuint (all_size, ==, 60 * 32 * 32);
  g_assert_cmpuint (one_size, ==, 32 * 32);
  g_assert_cmpmem (one_bytes, (gint) one_size, all_bytes + 37 * 32 * 32, 32 * 32);
  g_unlink (all);
  g_unlink (one);
  g_rmdir (folder);
}

int
main (int argc, char *argv[])
{
  gint result;
  static const gint rates[][2] = { { 30, 1 }, { 30000, 1001 }, { 24000, 1001 }, { 60, 1 },
    { 2997, 100 }, { 15, 2 } };
  static const gchar *const bad[] = { "", "x", "3-1", "1,,2", "-4", "1-2-3",
    "99999999999999999999" };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autofree gchar *name = g_strdup_printf ("/framepick/one/%d-%d", rates[i][0], rates[i][1]);
    g_test_add_data_func (name, rates[i], test_one_frame);
  }
  g_test_add_func ("/framepick/not-touched", test_frame_is_not_touched);
  g_test_add_func ("/framepick/many", test_many_frames);
  g_test_add_func ("/framepick/doubled", test_doubled_frames_count_once);
  g_test_add_func ("/framepick/stream-time", test_counts_by_stream_time);
  g_test_add_func ("/framepick/time/durations", test_time_with_durations);
  g_test_add_func ("/framepick/time/no-durations", test_time_without_durations);
  g_test_add_func ("/framepick/time/last-frame", test_time_in_the_last_frame);
  g_test_add_func ("/framepick/missing/stream-too-short", test_stream_too_short);
  g_test_add_func ("/framepick/missing/time-too-late", test_time_too_late);
  g_test_add_func ("/framepick/missing/left-out", test_frame_was_left_out);
  g_test_add_func ("/framepick/missing/no-frame-rate", test_no_frame_rate_no_numbers);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree gchar *name = g_strdup_printf ("/framepick/bad-frames/%" G_GSIZE_FORMAT, i);
    g_test_add_data_func (name, bad[i], test_bad_frames);
  }
  g_test_add_func ("/framepick/upstream-goes-on", test_upstream_goes_on_undisturbed);
  g_test_add_func ("/framepick/flush", test_flush_begins_anew);
  g_test_add_func ("/framepick/pipeline", test_in_a_pipeline);
  result = g_test_run ();
  /* So that the leak tracer reports. */
  gst_deinit ();
  return result;
}
