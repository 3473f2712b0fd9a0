/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is drawn of captions. How their files are read is in captions.c. */

#include <string.h>

#include "overlaysupport.h"

#define WIDTH 320
#define HEIGHT 180
#define CAPS_25 "video/x-raw,format=GRAY8,width=320,height=180,framerate=25/1"
#define DARK 16
/* Letters are white. */
#define LIT 128

/* A timeline of one item; @members come after its file, with a comma. */
static gchar *
captions_timeline (const gchar *path, const gchar *members)
{
  return g_strdup_printf ("{\"overlays\":[{\"type\":\"captions\",\"src\":\"%s\""
                          ",\"font\":{\"size\":20}%s}]}",
      path, members);
}

static Overlay *
overlay_for (const gchar *file, const gchar *text, const gchar *members)
{
  g_autofree gchar *path = overlay_write_file (file, text, -1);
  g_autofree gchar *timeline = captions_timeline (path, members);

  return overlay_new (timeline, CAPS_25);
}

/* The rectangle of what is lit in @frame, of rows [from, to); its height is 0 where nothing is. */
static cairo_rectangle_int_t
find_lit (Overlay *o, guint frame, gint from, gint to, guint8 least)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, DARK);
  gint x0 = WIDTH, x1 = -1, y0 = HEIGHT, y1 = -1;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  for (gint y = from; y < to; y++) {
    for (gint x = 0; x < WIDTH; x++) {
      if (map.data[y * WIDTH + x] < least)
        continue;
      x0 = MIN (x0, x), x1 = MAX (x1, x);
      y0 = MIN (y0, y), y1 = MAX (y1, y);
    }
  }
  gst_buffer_unmap (out, &map);
  return (cairo_rectangle_int_t){ x0, y0, x1 - x0 + 1, MAX (y1 - y0 + 1, 0) };
}

static cairo_rectangle_int_t
find_all (Overlay *o, guint frame)
{
  return find_lit (o, frame, 0, HEIGHT, LIT);
}

static void
test_cues_show_from_their_start_to_their_end (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.srt",
      "00:00:00,400 --> 00:00:00,800\nHello\n00:00:00,800 --> 00:00:01,000\nthere you are\n", "");
  gint width = find_all (o, 10).width;

  g_assert_true (overlay_is_untouched (o, 9));
  g_assert_cmpint (find_all (o, 19).width, ==, width);
  g_assert_cmpint (find_all (o, 20).width, >, width);
  g_assert_cmpint (find_all (o, 24).width, >, width);
  g_assert_true (overlay_is_untouched (o, 25));
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
}

static void
test_start_and_end_are_a_window (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.srt", "00:00:00,000 --> 00:00:02,000\nHello\n",
      ",\"start\":0.4,\"end\":0.8,\"offset\":-1");

  for (guint frame = 0; frame < 30; frame++)
    g_assert_cmpint (find_all (o, frame).height > 0, ==, frame >= 10 && frame < 20);
}

/* The lower stands at the bottom, the later above it, and it stays there when the lower ends. */
static void
test_overlapping_cues_are_stacked (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.srt",
      "00:00:00,000 --> 00:00:00,400\nfirst\nof two lines\n"
      "00:00:00,200 --> 00:00:00,800\nsecond\n"
      "00:00:01,000 --> 00:00:01,200\nthird\n",
      "");
  cairo_rectangle_int_t first = find_all (o, 0), both = find_all (o, 5), second = find_all (o, 12),
                        third = find_all (o, 26);

  g_assert_cmpint (both.y, <, first.y);
  g_assert_cmpint (both.y + both.height, ==, first.y + first.height);
  g_assert_cmpint (second.y, ==, both.y);
  g_assert_cmpint (second.y + second.height, <=, first.y);
  /* And where nothing stands, the next one is at the bottom again. */
  g_assert_cmpint (third.y, >, first.y);
}

static void
test_cues_side_by_side_are_not_stacked (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.vtt",
      "WEBVTT\n\n00:00.000 --> 00:01.000 position:0% align:start\nleft\n\n"
      "00:00.000 --> 00:01.000 position:100% align:end\nright\n\n"
      "00:02.000 --> 00:03.000 line:0\ntop\n\n"
      "00:04.000 --> 00:05.000 line:50%,center position:25%\nmiddle\n",
      "");
  cairo_rectangle_int_t both = find_all (o, 0), top = find_all (o, 50), middle = find_all (o, 100);

  g_assert_cmpint (both.height, <, 20);
  /* The margin is 5 % of the shorter side. */
  g_assert_cmpint (both.x, >=, 9);
  g_assert_cmpint (both.x, <, 12);
  g_assert_cmpint (both.x + both.width, >, WIDTH - 14);
  g_assert_cmpint (top.y, >=, 9);
  g_assert_cmpint (top.y + top.height, <, 40);
  g_assert_cmpint (ABS (middle.x + middle.width / 2 - WIDTH / 4), <=, 2);
  g_assert_cmpint (ABS (middle.y + middle.height / 2 - HEIGHT / 2), <=, 4);
}

/* Eight texts of many lines do not fit; they are drawn as far as they can be, and nothing fails. */
static void
test_more_than_fits_is_drawn_as_far_as_it_goes (void)
{
  g_autoptr (GString) file = g_string_new (NULL);

  for (guint i = 0; i < 8; i++)
    g_string_append (file, "00:00:00,000 --> 00:00:01,000\na\nb\nc\nd\ne\n");
  g_autoptr (Overlay) o = overlay_for ("a.srt", file->str, ",\"style\":\"karaoke\"");
  g_assert_cmpint (find_all (o, 3).height, >, 100);
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR);
}

static void
test_the_word_that_is_said_is_marked (void)
{
  /* Grey letters on a white box: only the box is as bright as that. */
  g_autoptr (Overlay) o = overlay_for ("a.vtt",
      "WEBVTT\n\n00:00.000 --> 00:02.000\nthis <00:00.400>is <00:00.800>said\n",
      ",\"style\":\"karaoke\",\"highlight\":\"#000000\",\"highlight_background\":{\"color\":\"#"
      "FFFFFF\"}"
      ",\"font\":{\"size\":20,\"color\":\"#808080\"}");
  gint last = -1;

  for (guint frame = 2; frame < 50; frame += 10) {
    cairo_rectangle_int_t box = find_lit (o, frame, 0, HEIGHT, 255);
    g_assert_cmpint (box.height, >, 15);
    if (frame <= 22)
      g_assert_cmpint (box.x, >, last);
    else
      g_assert_cmpint (box.x, ==, last);
    last = box.x;
  }
}

static void
test_words_show_alone_while_they_are_said (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.json",
      "[{\"word\":\"I\",\"start\":0.4,\"end\":0.8},{\"word\":\"understand\",\"start\":0.8,\"end\":"
      "1.2},"
      "{\"word\":\"it\",\"start\":1.8,\"end\":2}]",
      ",\"style\":\"word\"");

  g_assert_true (overlay_is_untouched (o, 9));
  gint width = find_all (o, 10).width;
  g_assert_cmpint (width, <, 10);
  g_assert_cmpint (find_all (o, 20).width, >, 60);
  g_assert_cmpint (find_all (o, 29).width, >, 60);
  /* A pause of more than 0.3 s. */
  g_assert_true (overlay_is_untouched (o, 30));
  g_assert_cmpint (find_all (o, 46).width, <, 30);
}

static void
test_words_pop_up (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.json",
      "[{\"word\":\"This\",\"start\":0.4,\"end\":0.8},{\"word\":\"pops\",\"start\":0.8,\"end\":2}]",
      ",\"style\":\"pop\",\"words\":2,\"font\":{\"size\":40}");
  gint begins = find_lit (o, 10, 0, HEIGHT, 60).width, rests = find_all (o, 30).width;

  g_assert_cmpint (begins, <, rests / 2 + 10);
  /* Both words come at once, and the second does not begin anew. */
  g_assert_cmpint (find_all (o, 20).width, ==, rests);
}

/* Frames in any order are what they are in their own. */
static void
test_a_seek_changes_nothing (void)
{
  static const gchar file[] = "00:00:00,000 --> 00:00:01,000\none <b>two</b> three\n"
                              "00:00:00,400 --> 00:00:02,000\nfour five six seven\n"
                              "00:00:01,200 --> 00:00:01,600\nsmall\nand high\n";
  g_autoptr (Overlay) forward = overlay_for ("a.srt", file, ",\"style\":\"karaoke\"");
  g_autoptr (Overlay) jumping = overlay_for ("a.srt", file, ",\"style\":\"karaoke\"");
  GstBuffer *frames[52];

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    frames[i] = overlay_draw (forward, i, DARK);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    /* 29 and 52 have no common factor: each frame comes once. */
    guint frame = (i * 29 + 11) % G_N_ELEMENTS (frames);
    g_autoptr (GstBuffer) out = overlay_draw (jumping, frame, DARK);
    GstMapInfo a, b;
    g_assert_true (gst_buffer_map (frames[frame], &a, GST_MAP_READ));
    g_assert_true (gst_buffer_map (out, &b, GST_MAP_READ));
    g_assert_cmpuint (a.size, ==, b.size);
    g_assert_true (memcmp (a.data, b.data, a.size) == 0);
    gst_buffer_unmap (out, &b);
    gst_buffer_unmap (frames[frame], &a);
  }
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    gst_buffer_unref (frames[i]);
}

static void
test_three_hours_cost_what_shows (void)
{
  g_autoptr (GString) file = g_string_new (NULL);
  const guint n_cues = 3600, cue_s = 3;
  const gchar *caps = "video/x-raw,format=GRAY8,width=64,height=48,framerate=1/1";

  for (guint i = 0; i < n_cues; i++) {
    guint s = i * cue_s;
    g_string_append_printf (file, "%02u:%02u:%02u,000 --> %02u:%02u:%02u,000\ncue %u\n", s / 3600,
        s / 60 % 60, s % 60, (s + 2) / 3600, (s + 2) / 60 % 60, (s + 2) % 60, i);
  }
  g_autofree gchar *path = overlay_write_file ("long.srt", file->str, -1);
  g_autofree gchar *timeline = captions_timeline (path, "");
  g_autoptr (Overlay) o = overlay_new (timeline, caps);
  for (guint frame = 0; frame < n_cues * cue_s; frame++) {
    g_autoptr (GstBuffer) out = overlay_draw (o, frame, DARK);
    /* Not all are looked ahead for, and none is kept. */
    g_assert_cmpuint (overlay_get_stat (o, "pending"), <=, 2);
  }
  g_assert_cmpuint (overlay_get_stat (o, "frames-blended"), ==, n_cues * 2);
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), ==, n_cues);
  g_assert_cmpuint (overlay_get_stat (o, "cache-peak-bytes"), <, 64 * 1024);
}

static void
test_a_file_that_is_not_there_ends_it_before_it_starts (void)
{
  g_autofree gchar *damaged = overlay_write_file ("damaged.srt", "\xFF\xFF", -1);
  g_autofree gchar *with_damaged = captions_timeline (damaged, "");
  g_autofree gchar *with_none = captions_timeline ("/nonexistent/a.srt", "");

  overlay_assert_start_fails (
      with_none, "/timeline/overlays/0/src", "/nonexistent/a.srt", "does not exist");
  overlay_assert_start_fails (
      with_damaged, "/timeline/overlays/0/src", "/damaged.srt", "not UTF-8");
}

static void
test_what_is_left_out_is_said (void)
{
  g_autoptr (Overlay) o = overlay_for (
      "a.srt", "00:00:01,000 --> 00:00:00,000\nlost\n00:00:00,000 --> 00:00:01,000\nhere\n", "");

  g_assert_cmpint (find_all (o, 0).height, >, 0);
  overlay_assert_problem (
      o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0/src", "/a.srt", "a.srt: line 1: ");
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
}

/* No font has the letters of planes that are private. */
static void
test_missing_letters_are_said_but_not_without_end (void)
{
  g_autoptr (GString) file = g_string_new (NULL);
  guint n_warnings = 0;
  GstMessage *message;

  for (guint i = 0; i < 150; i++) {
    g_string_append_printf (
        file, "0:%02u:%02u,000 --> 0:%02u:%02u,500\n", i / 60, i % 60, i / 60, i % 60);
    g_string_append_unichar (file, 0xF0000 + i);
    g_string_append_c (file, '\n');
  }
  g_autoptr (Overlay) o = overlay_for ("a.srt", file->str, "");
  for (guint i = 0; i < 150; i++)
    gst_buffer_unref (overlay_draw (o, i * 25, DARK));
  while ((message = gst_bus_pop_filtered (o->bus, GST_MESSAGE_WARNING)) != NULL) {
    const GstStructure *details;
    gst_message_parse_warning_details (message, &details);
    g_assert_cmpstr (gst_structure_get_string (details, "pointer"), ==, "/timeline/overlays/0/src");
    gst_message_unref (message);
    n_warnings++;
  }
  g_assert_cmpuint (n_warnings, ==, 100);
}

static void
test_captions_may_change_while_it_plays (void)
{
  g_autoptr (Overlay) o = overlay_for ("a.srt", "00:00:00,000 --> 00:00:04,000\nHello\n", "");
  g_autofree gchar *path =
      overlay_write_file ("b.srt", "00:00:00,000 --> 00:00:04,000\nsomething longer\n", -1);
  g_autofree gchar *next = captions_timeline (path, "");
  g_autofree gchar *wrong = captions_timeline ("/nonexistent/a.srt", "");
  gint width = find_all (o, 0).width;

  g_object_set (o->element, "timeline", next, NULL);
  g_assert_cmpint (find_all (o, 1).width, >, width);
  g_object_set (o->element, "timeline", wrong, NULL);
  overlay_assert_problem (o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0/src",
      "/nonexistent/a.srt", "does not exist");
  g_assert_cmpint (find_all (o, 2).width, >, width);
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  g_test_add_func ("/overlaycaptions/times", test_cues_show_from_their_start_to_their_end);
  g_test_add_func ("/overlaycaptions/window", test_start_and_end_are_a_window);
  g_test_add_func ("/overlaycaptions/stacked", test_overlapping_cues_are_stacked);
  g_test_add_func ("/overlaycaptions/places", test_cues_side_by_side_are_not_stacked);
  g_test_add_func ("/overlaycaptions/too-many", test_more_than_fits_is_drawn_as_far_as_it_goes);
  g_test_add_func ("/overlaycaptions/karaoke", test_the_word_that_is_said_is_marked);
  g_test_add_func ("/overlaycaptions/word", test_words_show_alone_while_they_are_said);
  g_test_add_func ("/overlaycaptions/pop", test_words_pop_up);
  g_test_add_func ("/overlaycaptions/seek", test_a_seek_changes_nothing);
  g_test_add_func ("/overlaycaptions/three-hours", test_three_hours_cost_what_shows);
  g_test_add_func (
      "/overlaycaptions/missing", test_a_file_that_is_not_there_ends_it_before_it_starts);
  g_test_add_func ("/overlaycaptions/left-out", test_what_is_left_out_is_said);
  g_test_add_func ("/overlaycaptions/letters", test_missing_letters_are_said_but_not_without_end);
  g_test_add_func ("/overlaycaptions/playing", test_captions_may_change_while_it_plays);
  int result = g_test_run ();
  overlay_remove_files ();
  return result;
}
