/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How overlaytimeline behaves in a stream: when items show, what happens to buffers, what changes
 * while it plays, and how it fails. What it draws is in overlaydrawing.c. */

#include <math.h>
#include <string.h>

#include "../support/patience.h"
#include "overlaysupport.h"

#define I420_30 "video/x-raw,format=I420,width=64,height=48,framerate=30/1"
#define I420_2997 "video/x-raw,format=I420,width=64,height=48,framerate=30000/1001"
/* Covers the whole frame with opaque white: luma 235. */
#define WHITE "\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0,\"width\":1,\"height\":1"
#define SVG_WHITE                                                                                  \
  "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><rect width='8' height='8' "       \
  "fill='#fff'/></svg>"
#define SVG_BLACK                                                                                  \
  "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><rect width='8' "                  \
  "height='8'/></svg>"

static gchar *white, *black;

/* A timeline of one item that is white all over; @members come after it, with a comma. */
static gchar *
white_timeline (const gchar *members)
{
  g_autofree gchar *item = g_strdup_printf (WHITE, white);

  return g_strdup_printf ("{\"overlays\":[{%s%s}]}", item, members);
}

static guint8
draw_luma (Overlay *o, guint frame, guint8 fill)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, fill);

  return overlay_get_byte (o, out, 0, 31, 21);
}

static void
test_nothing_visible_is_not_touched (void)
{
  g_autofree gchar *timeline = white_timeline (",\"start\":1");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  GstBuffer *in = overlay_create_frame (o, 0, 0x40);
  GstMemory *memory = gst_buffer_peek_memory (in, 0);

  /* Another holder: making the buffer writable would show. */
  gst_buffer_ref (in);
  g_assert_cmpint (gst_harness_push (o->h, in), ==, GST_FLOW_OK);
  GstBuffer *out = gst_harness_pull (o->h);
  g_assert_true (out == in);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  g_assert_cmpuint (overlay_get_stat (o, "frames-passed"), ==, 1);
  g_assert_cmpuint (overlay_get_stat (o, "frames-blended"), ==, 0);
}

static void
test_no_timeline_passes_everything (void)
{
  g_autoptr (Overlay) o = overlay_new (NULL, I420_30);

  g_assert_true (overlay_is_untouched (o, 0));
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
}

static void
test_frames_are_exact (void)
{
  /* Frames 29.97 and 59.94: shown from 30, gone at 60. */
  g_autofree gchar *timeline = white_timeline (",\"start\":1,\"end\":2");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_2997);

  for (guint frame = 25; frame < 65; frame++)
    g_assert_cmpuint (draw_luma (o, frame, 16), ==, frame >= 30 && frame < 60 ? 235 : 16);
}

static void
test_variable_rate_compares_times (void)
{
  g_autofree gchar *timeline = white_timeline (",\"start\":0.1,\"end\":0.2");
  g_autoptr (Overlay) o =
      overlay_new (timeline, "video/x-raw,format=I420,width=64,height=48,framerate=0/1");
  static const struct {
    guint64 pts_ms;
    guint8 luma;
  } frames[] = { { 0, 16 }, { 99, 16 }, { 100, 235 }, { 199, 235 }, { 200, 16 } };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    GstBuffer *in = overlay_create_frame (o, 0, 16);
    GST_BUFFER_PTS (in) = frames[i].pts_ms * GST_MSECOND;
    GST_BUFFER_DURATION (in) = GST_CLOCK_TIME_NONE;
    gst_harness_push (o->h, in);
    g_autoptr (GstBuffer) out = gst_harness_pull (o->h);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 3, 3), ==, frames[i].luma);
  }
}

static void
test_times_are_stream_time (void)
{
  g_autofree gchar *timeline = white_timeline (",\"start\":10,\"end\":11");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  GstSegment segment;

  /* What a seek to 10 s with a flush gives: running time starts over, stream time does not. */
  g_assert_true (overlay_is_untouched (o, 0));
  gst_harness_push_event (o->h, gst_event_new_flush_start ());
  gst_harness_push_event (o->h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = 10 * GST_SECOND;
  gst_harness_push_event (o->h, gst_event_new_segment (&segment));
  g_assert_cmpuint (draw_luma (o, 300, 16), ==, 235);
  g_assert_cmpuint (draw_luma (o, 330, 16), ==, 16);
  /* Timestamps that differ from stream time. */
  segment.start = 1000 * GST_SECOND;
  segment.time = 10 * GST_SECOND;
  gst_harness_push_event (o->h, gst_event_new_segment (&segment));
  g_assert_cmpuint (draw_luma (o, 30000, 16), ==, 235);
  g_assert_cmpuint (draw_luma (o, 30030, 16), ==, 16);
}

static void
test_fade_values (void)
{
  /* Ten frames in and ten out, sampled in the middle of each. */
  g_autofree gchar *timeline = white_timeline (
      ",\"start\":1,\"end\":3,\"animate\":{\"in\":\"fade\",\"out\":\"fade\",\"duration\":0.4}");
  g_autoptr (Overlay) o =
      overlay_new (timeline, "video/x-raw,format=I420,width=64,height=48,framerate=25/1");

  for (guint frame = 25; frame < 75; frame++) {
    gdouble opacity = CLAMP (MIN ((frame - 25 + 0.5) / 10, (75 - frame - 0.5) / 10), 0, 1);
    gdouble expected = 35 + opacity * (235 - 35);
    g_assert_cmpfloat (fabs (draw_luma (o, frame, 35) - expected), <=, 1.5);
  }
  g_assert_cmpuint (draw_luma (o, 75, 35), ==, 35);
}

/* The first row that is white in column 8, or the height. */
static gint
find_top (Overlay *o, guint frame)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, 16);
  gint y = 0;

  while (y < o->info.height && overlay_get_byte (o, out, 0, 8, y) < 128)
    y++;
  return y;
}

static void
test_slide_comes_and_goes (void)
{
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":\"20px\",\"width\":\"16px\","
      "\"start\":0,\"end\":2,\"animate\":{\"in\":\"slide-up\",\"out\":\"slide-down\",\"duration\":"
      "0.4}}]}",
      white);
  g_autoptr (Overlay) o =
      overlay_new (timeline, "video/x-raw,format=I420,width=64,height=48,framerate=25/1");
  gint last = 48;

  for (guint frame = 0; frame < 10; frame++) {
    gint top = find_top (o, frame);
    g_assert_cmpint (top, <=, last);
    g_assert_cmpint (top, >=, 20);
    last = top;
  }
  g_assert_cmpint (find_top (o, 10), ==, 20);
  g_assert_cmpint (find_top (o, 39), ==, 20);
  last = 20;
  for (guint frame = 40; frame < 50; frame++) {
    gint top = find_top (o, frame);
    g_assert_cmpint (top, >=, last);
    last = top;
  }
  g_assert_cmpint (last, >=, 40);
}

static void
test_last_item_is_on_top (void)
{
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{" WHITE ",\"start\":1},{" WHITE ",\"start\":0}]}", white, black);
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);

  g_assert_cmpuint (draw_luma (o, 29, 100), ==, 16);
  g_assert_cmpuint (draw_luma (o, 30, 100), ==, 16);
}

static void
test_opacity (void)
{
  g_autofree gchar *timeline = white_timeline (",\"opacity\":0.5");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  g_autofree gchar *nothing = white_timeline (",\"opacity\":0");

  g_assert_cmpfloat (fabs (draw_luma (o, 0, 35) - (35 + 235) / 2.0), <=, 1.5);
  g_object_set (o->element, "timeline", nothing, NULL);
  g_assert_true (overlay_is_untouched (o, 1));
}

static void
test_change_while_playing (void)
{
  g_autofree gchar *first = white_timeline ("");
  g_autofree gchar *second = g_strdup_printf ("{\"overlays\":[{" WHITE "}]}", black);
  g_autoptr (Overlay) o = overlay_new (first, I420_30);

  for (guint frame = 0; frame < 20; frame++) {
    g_object_set (o->element, "timeline", frame % 2 ? second : first, NULL);
    g_autoptr (GstBuffer) out = overlay_draw (o, frame, 100);
    for (gint y = 0; y < 48; y += 47)
      g_assert_cmpuint (overlay_get_byte (o, out, 0, 31, y), ==, frame % 2 ? 16 : 235);
  }
  g_object_set (o->element, "timeline", NULL, NULL);
  g_assert_true (overlay_is_untouched (o, 20));
  /* Looks stay drawn over a change. */
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), <=, 2);
}

static gboolean
add_item (Overlay *o, const gchar *id, const gchar *path)
{
  g_autofree gchar *item = g_strdup_printf ("{\"id\":\"%s\"," WHITE "}", id, path);
  gboolean ok = FALSE;

  g_signal_emit_by_name (o->element, "add", item, &ok);
  return ok;
}

static gboolean
remove_item (Overlay *o, const gchar *id)
{
  gboolean ok = FALSE;

  g_signal_emit_by_name (o->element, "remove", id, &ok);
  return ok;
}

static void
test_items_are_added_and_removed (void)
{
  g_autofree gchar *timeline = g_strdup_printf ("{\"overlays\":[{\"id\":\"base\"," WHITE
                                                "},{\"id\":\"top\"," WHITE ",\"start\":100}]}",
      white, white);
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);

  g_assert_cmpuint (draw_luma (o, 0, 100), ==, 235);
  /* Over what is there; then in its place; then gone, and what was below shows again. */
  g_assert_true (add_item (o, "new", black));
  g_assert_cmpuint (draw_luma (o, 1, 100), ==, 16);
  g_assert_true (add_item (o, "new", white));
  g_assert_cmpuint (draw_luma (o, 2, 100), ==, 235);
  g_assert_true (add_item (o, "base", black));
  g_assert_cmpuint (draw_luma (o, 3, 100), ==, 235);
  g_assert_true (remove_item (o, "new"));
  g_assert_false (remove_item (o, "new"));
  g_assert_cmpuint (draw_luma (o, 4, 100), ==, 16);
  g_assert_true (remove_item (o, "base"));
  g_assert_false (remove_item (o, "base"));
  g_assert_true (overlay_is_untouched (o, 5));
  g_assert_true (add_item (o, "base", white));
  g_assert_cmpuint (draw_luma (o, 6, 100), ==, 235);
  /* A new document is what it says, and nothing else. */
  g_assert_true (add_item (o, "base", black));
  g_object_set (o->element, "timeline", timeline, NULL);
  g_assert_cmpuint (draw_luma (o, 7, 100), ==, 235);
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING);
}

static void
test_a_wrong_item_is_not_added (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  static const struct {
    const gchar *json, *pointer, *word;
  } wrong[] = { { "{\"type\":\"text\",\"text\":\"a\"}", "/id", "id" }, { "nonsense", "", "JSON" },
    { "[]", "", "object" }, { "{\"id\":\"a/b\",\"type\":\"text\"}", "/added/a~1b", "text" },
    { "{\"id\":\"p\",\"type\":\"image\",\"src\":\"/nowhere.png\"}", "/added/p", "exist" } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    gboolean ok = TRUE;
    g_signal_emit_by_name (o->element, "add", wrong[i].json, &ok);
    g_assert_false (ok);
    overlay_assert_problem (o->bus, GST_MESSAGE_WARNING, wrong[i].pointer, NULL, wrong[i].word);
  }
  g_assert_cmpuint (draw_luma (o, 0, 100), ==, 235);
}

/* What an application does before it starts, and for hours. */
static void
test_items_come_and_go (void)
{
  GstElement *element = gst_element_factory_make ("overlaytimeline", NULL);
  gboolean ok = FALSE;

  g_signal_emit_by_name (
      element, "add", "{\"id\":\"a\",\"type\":\"text\",\"text\":\"early\"}", &ok);
  g_assert_true (ok);
  g_signal_emit_by_name (element, "remove", "b", &ok);
  g_assert_false (ok);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_set_src_caps_str (h, I420_30);
  for (guint i = 0; i < 500; i++) {
    g_autofree gchar *id = g_strdup_printf ("item-%u", i);
    g_autofree gchar *item =
        g_strdup_printf ("{\"id\":\"%s\",\"type\":\"text\",\"text\":\"%u\"}", id, i);
    g_signal_emit_by_name (element, "add", item, &ok);
    g_assert_true (ok);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
    gst_buffer_memset (buffer, 0, 0x40, (gsize) -1);
    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 30;
    gst_harness_push (h, buffer);
    gst_buffer_unref (gst_harness_pull (h));
    g_signal_emit_by_name (element, "remove", id, &ok);
    g_assert_true (ok);
  }
  g_autoptr (GstStructure) stats = NULL;
  guint64 rendered, cached, peak;
  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get (stats, "rendered", G_TYPE_UINT64, &rendered, "cache-bytes", G_TYPE_UINT64,
      &cached, "cache-peak-bytes", G_TYPE_UINT64, &peak, NULL);
  /* Each once, the first one once for all frames; and what is gone is not kept. */
  g_assert_cmpuint (rendered, ==, 501);
  g_assert_cmpuint (peak, <, 200 * 1024);
  gst_harness_teardown (h);
  gst_object_unref (element);
}

typedef struct {
  Overlay *o;
  const gchar *timelines[2];
  gint quit;
} Changer;

static gpointer
change_thread (gpointer data)
{
  Changer *changer = data;

  for (guint i = 0; !g_atomic_int_get (&changer->quit); i++) {
    gboolean ok;
    g_autoptr (GstStructure) stats = NULL;
    g_object_set (changer->o->element, "timeline", changer->timelines[i & 1], "cache-size",
        (guint64) (i % 3) * 5000, NULL);
    g_object_get (changer->o->element, "stats", &stats, NULL);
    g_thread_yield ();
    g_signal_emit_by_name (changer->o->element, "add",
        "{\"id\":\"t\",\"type\":\"text\",\"text\":\"a\",\"font\":{\"size\":5},\"start\":3600}",
        &ok);
    g_assert_true (ok);
    g_signal_emit_by_name (changer->o->element, "remove", "t", &ok);
    g_assert_true (ok);
  }
  return NULL;
}

/* Every frame is wholly of one timeline, however often it changes. */
static void
test_change_from_another_thread (void)
{
  g_autofree gchar *first = white_timeline ("");
  g_autofree gchar *second = g_strdup_printf ("{\"overlays\":[{" WHITE "}]}", black);
  g_autoptr (Overlay) o = overlay_new (first, I420_30);
  Changer changer = { o, { first, second }, 0 };
  GThread *thread = g_thread_new ("change", change_thread, &changer);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  for (guint frame = 0; frame < 500; frame++) {
    g_autoptr (GstBuffer) out = overlay_draw (o, frame, 100);
    guint8 top = overlay_get_byte (o, out, 0, 0, 0), bottom = overlay_get_byte (o, out, 0, 63, 47);
    g_assert_true (top == 16 || top == 235);
    g_assert_cmpuint (top, ==, bottom);
    if (frame % 100 == 50) {
      gst_harness_push_event (o->h, gst_event_new_flush_start ());
      gst_harness_push_event (o->h, gst_event_new_flush_stop (TRUE));
      gst_harness_push_event (o->h, gst_event_new_segment (&segment));
    }
  }
  g_atomic_int_set (&changer.quit, 1);
  g_thread_join (thread);
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
}

static void
test_wrong_timeline_while_playing_keeps_the_last (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);

  g_assert_cmpuint (draw_luma (o, 0, 16), ==, 235);
  g_object_set (o->element, "timeline", "{\"overlays\":[{\"type\":\"text\"}]}", NULL);
  overlay_assert_problem (o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0", NULL, "text");
  g_assert_cmpuint (draw_luma (o, 1, 16), ==, 235);
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR);
}

static void
test_missing_picture_while_playing_keeps_the_last (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);

  g_object_set (o->element, "timeline",
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"/nonexistent/a.png\"}]}", NULL);
  overlay_assert_problem (
      o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0", "/nonexistent/a.png", "does not exist");
  g_assert_cmpuint (draw_luma (o, 1, 16), ==, 235);
}

static void
test_location (void)
{
  /* Paths in a file start from its folder. */
  g_autofree gchar *json = g_strdup_printf ("{\"overlays\":[{" WHITE "}]}", "white.svg");
  g_autofree gchar *path = overlay_write_file ("timeline.json", json, -1);
  g_autoptr (Overlay) o = overlay_new (NULL, I420_30);

  g_assert_cmpuint (draw_luma (o, 0, 16), ==, 16);
  g_object_set (o->element, "location", path, NULL);
  g_assert_cmpuint (draw_luma (o, 1, 16), ==, 235);
  g_object_set (o->element, "location", "/nonexistent/timeline.json", NULL);
  overlay_assert_problem (
      o->bus, GST_MESSAGE_WARNING, "", "/nonexistent/timeline.json", "does not exist");
  g_assert_cmpuint (draw_luma (o, 2, 16), ==, 235);
  /* Set again it is read again. */
  g_autofree gchar *changed = g_strdup_printf ("{\"overlays\":[{" WHITE "}]}", "black.svg");
  g_free (overlay_write_file ("timeline.json", changed, -1));
  g_assert_cmpuint (draw_luma (o, 3, 100), ==, 235);
  g_object_set (o->element, "location", path, NULL);
  g_assert_cmpuint (draw_luma (o, 4, 100), ==, 16);
}

static void
test_problems_are_told_before_the_first_frame (void)
{
  overlay_assert_start_fails (
      "{\"overlays\":[{\"type\":\"text\"}]}", "/timeline/overlays/0", NULL, "text");
  overlay_assert_start_fails (
      "{\"overlays\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\","
      "\"src\":\"/nonexistent/a.png\"}]}",
      "/timeline/overlays/1", "/nonexistent/a.png", "does not exist");
  overlay_assert_start_fails ("{\"overlays\":[{\"type\":\"image\",\"src\":\"/tmp\"}]}",
      "/timeline/overlays/0", "/tmp", "regular file");
  overlay_assert_start_fails (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"ftp://example.org/a.png\"}]}",
      "/timeline/overlays/0/src", NULL, "ftp:");
  overlay_assert_start_fails ("{\"fonts\":[{\"family\":\"A\",\"src\":\"/nonexistent/a.ttf\"}]}",
      "/fonts/0", "/nonexistent/a.ttf", "does not exist");
}

static void
test_shared_memory_is_copied (void)
{
  g_autofree gchar *timeline = white_timeline (",\"end\":1");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  g_autoptr (GstBuffer) kept = overlay_create_frame (o, 0, 16);

  /* As a source does that repeats a frame: other buffers, the same memory. */
  for (guint frame = 0; frame < 32; frame++) {
    GstBuffer *in = gst_buffer_copy (kept);
    GST_BUFFER_PTS (in) = frame * GST_SECOND / 30;
    gst_harness_push (o->h, in);
    g_autoptr (GstBuffer) out = gst_harness_pull (o->h);
    g_assert_cmpuint (GST_BUFFER_PTS (out), ==, frame * GST_SECOND / 30);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 5, 5), ==, frame < 30 ? 235 : 16);
    g_assert_cmpuint (overlay_get_byte (o, kept, 0, 5, 5), ==, 16);
  }
  g_assert_cmpuint (overlay_get_stat (o, "frames-copied"), ==, 1);
  g_assert_cmpuint (overlay_get_stat (o, "frames-repeated"), ==, 29);
  g_assert_cmpuint (overlay_get_stat (o, "frames-passed"), ==, 2);
}

static void
test_result_of_a_repeat_may_be_written_by_nobody (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  g_autoptr (GstBuffer) kept = overlay_create_frame (o, 0, 16);

  for (guint frame = 0; frame < 4; frame++) {
    gst_harness_push (o->h, gst_buffer_copy (kept));
    GstBuffer *out = gst_buffer_make_writable (gst_harness_pull (o->h));
    /* Somebody downstream draws on what it got; it must not come back with the next repeat. */
    gst_buffer_memset (out, 0, 77, 100);
    gst_buffer_unref (out);
    gst_harness_push (o->h, gst_buffer_copy (kept));
    g_autoptr (GstBuffer) next = gst_harness_pull (o->h);
    g_assert_cmpuint (overlay_get_byte (o, next, 0, 5, 0), ==, 235);
  }
}

static void
test_copy_keeps_what_is_said_about_the_frame (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  g_autoptr (GstBuffer) kept = overlay_create_frame (o, 0, 16);
  GstBuffer *in = gst_buffer_copy (kept);

  gst_buffer_add_video_region_of_interest_meta (in, "face", 1, 2, 3, 4);
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_GAP);
  GST_BUFFER_OFFSET (in) = 7;
  gst_harness_push (o->h, in);
  g_autoptr (GstBuffer) out = gst_harness_pull (o->h);
  g_assert_nonnull (gst_buffer_get_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
  g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_MARKER));
  /* Something shows, so it is no gap any more. */
  g_assert_false (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  g_assert_cmpuint (GST_BUFFER_OFFSET (out), ==, 7);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_BUFFER_DURATION (kept));
}

static void
test_writable_memory_is_drawn_in_place (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  GstBuffer *in = overlay_create_frame (o, 0, 16);
  GstMemory *memory = gst_buffer_peek_memory (in, 0);

  gst_harness_push (o->h, in);
  g_autoptr (GstBuffer) out = gst_harness_pull (o->h);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_cmpuint (overlay_get_stat (o, "frames-copied"), ==, 0);
  g_assert_cmpuint (overlay_get_stat (o, "frames-blended"), ==, 1);
}

/* Texts that follow one another, a tenth of a second each; or all at once. */
static gchar *
many_texts (guint n, gboolean at_once)
{
  GString *json = g_string_new ("{\"overlays\":[");

  for (guint i = 0; i < n; i++) {
    g_string_append_printf (json,
        "%s{\"type\":\"text\",\"text\":\"item %u\",\"font\":{\"size\":20}", i > 0 ? "," : "", i);
    if (!at_once)
      g_string_append_printf (json, ",\"start\":%.1f,\"end\":%.1f", i * 0.1, (i + 1) * 0.1);
    g_string_append_c (json, '}');
  }
  g_string_append (json, "]}");
  return g_string_free (json, FALSE);
}

static void
test_past_items_leave_the_cache (void)
{
  g_autofree gchar *timeline = many_texts (100, FALSE);
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);

  for (guint frame = 0; frame < 300; frame++)
    g_assert_false (overlay_is_untouched (o, frame));
  g_assert_true (overlay_is_untouched (o, 300));
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), ==, 100);
  g_assert_cmpuint (overlay_get_stat (o, "cache-bytes"), ==, 0);
  /* The one that shows and those of the next half second. */
  g_assert_cmpuint (overlay_get_stat (o, "cache-peak-bytes"), <, 100000);
}

static void
test_cache_is_bounded (void)
{
  g_autofree gchar *timeline = many_texts (50, TRUE);
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  g_autoptr (Overlay) bounded = overlay_new (timeline, I420_30);
  const guint64 size = 10000;

  g_object_set (bounded->element, "cache-size", size, NULL);
  for (guint frame = 0; frame < 5; frame++) {
    g_autoptr (GstBuffer) a = overlay_draw (o, frame, 16);
    g_autoptr (GstBuffer) b = overlay_draw (bounded, frame, 16);
    GstMapInfo map;
    g_assert_true (gst_buffer_map (a, &map, GST_MAP_READ));
    g_assert_cmpint (gst_buffer_memcmp (b, 0, map.data, map.size), ==, 0);
    gst_buffer_unmap (a, &map);
    g_assert_cmpuint (overlay_get_stat (bounded, "cache-bytes"), <=, size);
  }
  g_assert_cmpuint (overlay_get_stat (o, "cache-bytes"), >, size);
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), ==, 50);
  g_assert_cmpuint (overlay_get_stat (bounded, "evicted"), >, 0);
}

static void
test_caps_may_change (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  g_autoptr (Overlay) o = overlay_new (timeline, I420_30);
  static const gchar *const formats[] = { "NV12", "BGRx", "I420_10LE", "I420" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree gchar *caps = g_strdup_printf (
        "video/x-raw,format=%s,width=%u,height=33,framerate=30/1", formats[i], 31 + i);
    g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);
    g_assert_true (gst_video_info_from_caps (&o->info, parsed));
    gst_harness_set_src_caps (o->h, g_steal_pointer (&parsed));
    g_assert_false (overlay_is_untouched (o, i));
  }
}

/* A picture whose drawing takes seconds. */
static gchar *
write_slow_picture (void)
{
  return overlay_write_file ("slow.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' width='4000' height='4000'><filter id='f' x='0' "
      "y='0' "
      "width='1' height='1'><feTurbulence baseFrequency='0.9' numOctaves='100'/></filter>"
      "<rect width='4000' height='4000' filter='url(#f)'/></svg>",
      -1);
}

static gpointer
push_thread (gpointer data)
{
  Overlay *o = data;

  return GINT_TO_POINTER (gst_harness_push (o->h, overlay_create_frame (o, 0, 16)));
}

static void
test_flush_does_not_wait_for_a_drawing (void)
{
  g_autofree gchar *path = write_slow_picture ();
  g_autofree gchar *timeline = g_strdup_printf ("{\"overlays\":[{" WHITE "}]}", path);
  g_autoptr (Overlay) o =
      overlay_new (timeline, "video/x-raw,format=I420,width=4000,height=4000,framerate=30/1");
  GThread *thread = g_thread_new ("push", push_thread, o);

  /* Until the frame waits for the picture. */
  while (overlay_get_stat (o, "rendered") == 0 && overlay_get_stat (o, "pending") == 0)
    g_thread_yield ();
  gint64 begin = g_get_monotonic_time ();
  gst_harness_push_event (o->h, gst_event_new_flush_start ());
  GstFlowReturn flow = (GstFlowReturn) GPOINTER_TO_INT (g_thread_join (thread));
  g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (0.2));
  g_assert_cmpint (flow, ==, GST_FLOW_FLUSHING);
  begin = g_get_monotonic_time ();
  gst_element_set_state (o->element, GST_STATE_NULL);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (0.2));
}

static void
test_restarts (void)
{
  g_autofree gchar *timeline = white_timeline ("");
  GstElement *element = gst_element_factory_make ("overlaytimeline", NULL);

  g_object_set (element, "timeline", timeline, NULL);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (
        gst_element_set_state (element, GST_STATE_PLAYING), !=, GST_STATE_CHANGE_FAILURE);
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (element);
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  white = overlay_write_file ("white.svg", SVG_WHITE, -1);
  black = overlay_write_file ("black.svg", SVG_BLACK, -1);
  g_test_add_func ("/frames/nothing-visible-is-not-touched", test_nothing_visible_is_not_touched);
  g_test_add_func ("/frames/no-timeline-passes-everything", test_no_timeline_passes_everything);
  g_test_add_func ("/frames/are-exact-at-29.97", test_frames_are_exact);
  g_test_add_func ("/frames/variable-rate-compares-times", test_variable_rate_compares_times);
  g_test_add_func ("/frames/times-are-stream-time", test_times_are_stream_time);
  g_test_add_func ("/animate/fade-values", test_fade_values);
  g_test_add_func ("/animate/slide-comes-and-goes", test_slide_comes_and_goes);
  g_test_add_func ("/layers/last-item-is-on-top", test_last_item_is_on_top);
  g_test_add_func ("/layers/opacity", test_opacity);
  g_test_add_func ("/playing/change", test_change_while_playing);
  g_test_add_func ("/playing/add-and-remove", test_items_are_added_and_removed);
  g_test_add_func ("/playing/wrong-item-is-not-added", test_a_wrong_item_is_not_added);
  g_test_add_func ("/playing/items-come-and-go", test_items_come_and_go);
  g_test_add_func ("/playing/change-from-another-thread", test_change_from_another_thread);
  g_test_add_func (
      "/playing/wrong-timeline-keeps-the-last", test_wrong_timeline_while_playing_keeps_the_last);
  g_test_add_func (
      "/playing/missing-picture-keeps-the-last", test_missing_picture_while_playing_keeps_the_last);
  g_test_add_func ("/playing/location", test_location);
  g_test_add_func ("/playing/caps-may-change", test_caps_may_change);
  g_test_add_func ("/playing/flush-does-not-wait", test_flush_does_not_wait_for_a_drawing);
  g_test_add_func ("/playing/restarts", test_restarts);
  g_test_add_func ("/errors/before-the-first-frame", test_problems_are_told_before_the_first_frame);
  g_test_add_func ("/memory/shared-is-copied-once", test_shared_memory_is_copied);
  g_test_add_func (
      "/memory/repeat-is-not-written", test_result_of_a_repeat_may_be_written_by_nobody);
  g_test_add_func ("/memory/copy-keeps-metadata", test_copy_keeps_what_is_said_about_the_frame);
  g_test_add_func ("/memory/writable-is-drawn-in-place", test_writable_memory_is_drawn_in_place);
  g_test_add_func ("/cache/past-items-leave", test_past_items_leave_the_cache);
  g_test_add_func ("/cache/is-bounded", test_cache_is_bounded);
  gint result = g_test_run ();
  overlay_remove_files ();
  gst_deinit ();
  g_free (white);
  g_free (black);
  return result;
}
