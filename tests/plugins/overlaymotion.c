/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of overlaytimeline changes from frame to frame: items that are turned, pop up and are typed,
 * numbers that run, bars that fill, and codes that are read back. */

#include <math.h>
#include <string.h>

#include "overlaysupport.h"
#include "weftoverlayanimation.h"

#define GRAY "video/x-raw,format=GRAY8,width=320,height=180,framerate=25/1"
#define WIDTH 320
#define HEIGHT 180

static gchar *box;

static Overlay *
open_items (const gchar *items, const gchar *caps)
{
  g_autofree gchar *timeline =
      g_strdup_printf ("{\"width\":%d,\"height\":%d,\"overlays\":[%s]}", WIDTH, HEIGHT, items);

  return overlay_new (timeline, caps);
}

/* The rows of @frame, one after another. */
static GBytes *
draw (Overlay *o, guint frame)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, 0);
  GByteArray *pixels = g_byte_array_new ();
  GstVideoFrame map;

  g_assert_true (gst_video_frame_map (&map, &o->info, out, GST_MAP_READ));
  for (gint y = 0; y < o->info.height; y++)
    g_byte_array_append (pixels,
        (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&map, 0)
            + y * GST_VIDEO_FRAME_PLANE_STRIDE (&map, 0),
        (guint) o->info.width);
  gst_video_frame_unmap (&map);
  return g_byte_array_free_to_bytes (pixels);
}

static OverlayArea
draw_area (Overlay *o, guint frame)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, 0);

  return overlay_find_area (o, out, 128);
}

static gchar *
image (const gchar *members)
{
  return g_strdup_printf ("{\"type\":\"image\",\"src\":\"%s\",%s}", box, members);
}

/* Turning */

static void
test_a_quarter_turn_swaps_the_sides (void)
{
  g_autofree gchar *item = image (
      "\"x\":\"100px\",\"y\":\"60px\",\"width\":\"80px\",\"height\":\"40px\",\"rotation\":90");
  g_autoptr (Overlay) square = open_items (item, GRAY);
  /* Pixels twice as wide as high. */
  g_autoptr (Overlay) wide = open_items (
      item, "video/x-raw,format=GRAY8,width=160,height=180,framerate=25/1,pixel-aspect-ratio=2/1");

  overlay_assert_area (draw_area (square, 0), 120, 40, 159, 119);
  overlay_assert_area (draw_area (wide, 0), 60, 40, 79, 119);
}

static void
test_turning_is_about_the_middle (void)
{
  static const gint angles[] = { 30, 45, 135, -60, 180, 360 };

  for (guint i = 0; i < G_N_ELEMENTS (angles); i++) {
    g_autofree gchar *members = g_strdup_printf (
        "\"x\":\"130px\",\"y\":\"80px\",\"width\":\"60px\",\"height\":\"20px\",\"rotation\":%d",
        angles[i]);
    g_autofree gchar *item = image (members);
    g_autoptr (Overlay) o = open_items (item, GRAY);
    OverlayArea a = draw_area (o, 0);
    gdouble angle = angles[i] * G_PI / 180;
    gdouble width = 60 * fabs (cos (angle)) + 20 * fabs (sin (angle));
    gdouble height = 60 * fabs (sin (angle)) + 20 * fabs (cos (angle));
    g_test_message ("%d°: %d..%d, %d..%d", angles[i], a.x0, a.x1, a.y0, a.y1);
    g_assert_cmpfloat (fabs ((a.x0 + a.x1 + 1) / 2.0 - 160), <=, 0.5);
    g_assert_cmpfloat (fabs ((a.y0 + a.y1 + 1) / 2.0 - 90), <=, 0.5);
    /* A corner covers less than half of its last pixels. */
    g_assert_cmpfloat (fabs (a.x1 - a.x0 + 1 - width), <=, 2.5);
    g_assert_cmpfloat (fabs (a.y1 - a.y0 + 1 - height), <=, 2.5);
  }
}

/* What stands outside of the frame while it is upright is not cut off before it is turned. */
static void
test_what_turns_into_the_frame_is_there (void)
{
  g_autofree gchar *item = image (
      "\"x\":\"60px\",\"y\":\"-60px\",\"width\":\"20px\",\"height\":\"300px\",\"rotation\":90");
  g_autofree gchar *text = g_strdup (
      "{\"type\":\"text\",\"text\":\"MMMMMMMM\",\"max_width\":\"600px\",\"rotation\":90,\"font\":{"
      "\"size\":20,\"family\":\"DejaVu Sans\"},\"y\":\"80px\",\"position\":\"center\"}");
  g_autoptr (Overlay) o = open_items (item, GRAY);
  g_autoptr (Overlay) letters = open_items (text, GRAY);

  overlay_assert_area (draw_area (o, 0), 0, 80, 219, 99);
  OverlayArea a = draw_area (letters, 0);
  g_assert_cmpint (a.y1 - a.y0, >, 120);
  g_assert_cmpint (a.x1 - a.x0, <, 30);
}

/* Easing */

static void
test_easings_are_the_known_curves (void)
{
  static const struct {
    WeftEasing easing;
    gdouble quarter, half;
  } known[] = { { WEFT_EASING_LINEAR, 0.25, 0.5 }, { WEFT_EASING_EASE_IN, 1 / 64.0, 0.125 },
    { WEFT_EASING_EASE_OUT, 37 / 64.0, 0.875 }, { WEFT_EASING_EASE_IN_OUT, 0.0625, 0.5 },
    { WEFT_EASING_BACK, 0.81741, 1.08770 }, { WEFT_EASING_BOUNCE, 0.47266, 0.76563 },
    { WEFT_EASING_ELASTIC, 0.91161, 1.01563 } };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    WeftEasing easing = known[i].easing;
    g_assert_cmpfloat (weft_easing_apply (easing, 0.0), ==, 0.0);
    g_assert_cmpfloat (weft_easing_apply (easing, 1.0), ==, 1.0);
    g_assert_cmpfloat (weft_easing_apply (easing, -5.0), ==, 0.0);
    g_assert_cmpfloat (weft_easing_apply (easing, 5.0), ==, 1.0);
    g_assert_cmpfloat_with_epsilon (weft_easing_apply (easing, 0.25), known[i].quarter, 1e-4);
    g_assert_cmpfloat_with_epsilon (weft_easing_apply (easing, 0.5), known[i].half, 1e-4);
    /* No jumps. */
    for (guint k = 0; k < 1000; k++) {
      gdouble step =
          weft_easing_apply (easing, (k + 1) / 1000.0) - weft_easing_apply (easing, k / 1000.0);
      g_assert_cmpfloat (fabs (step), <, 0.02);
    }
  }
}

static void
test_easing_is_heeded_by_a_slide (void)
{
  static const gchar *const names[] = { "linear", "ease-in", "back" };
  gint at_half[G_N_ELEMENTS (names)];

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *members = g_strdup_printf (
        "\"x\":\"150px\",\"y\":\"80px\",\"width\":\"20px\",\"animate\":{\"in\":\"slide-right\","
        "\"duration\":1,\"easing\":\"%s\"}",
        names[i]);
    g_autofree gchar *item = image (members);
    g_autoptr (Overlay) o = open_items (item, GRAY);
    /* The middle of frame 12 at 25 frames a second is half a second. */
    at_half[i] = draw_area (o, 12).x0;
    overlay_assert_area (draw_area (o, 25), 150, 80, 169, 99);
  }
  g_assert_cmpint (at_half[0], ==, 150 - 85);
  g_assert_cmpint (at_half[1], <, at_half[0]);
  g_assert_cmpint (at_half[2], >, 150);
}

/* Pop */

static void
test_pop_grows_beyond_and_settles (void)
{
  g_autofree gchar *item = image ("\"x\":\"110px\",\"y\":\"40px\",\"width\":\"100px\",\"start\":0,"
                                  "\"end\":4,\"animate\":{\"in\":"
                                  "\"pop\",\"out\":\"pop\",\"duration\":1}");
  g_autoptr (Overlay) o = open_items (item, GRAY);
  gint widest = 0;

  for (guint frame = 0; frame < 100; frame++) {
    OverlayArea a = draw_area (o, frame);
    gdouble t = MIN (MIN (frame + 0.5, 99.5 - frame) / 25.0, 1.0);
    gdouble width = 100 * weft_easing_apply (WEFT_EASING_BACK, t);
    g_assert_cmpfloat (fabs (a.x1 - a.x0 + 1 - width), <=, 1.5);
    g_assert_cmpfloat (fabs ((a.x0 + a.x1 + 1) / 2.0 - 160), <=, 1.0);
    widest = MAX (widest, a.x1 - a.x0 + 1);
  }
  g_assert_cmpint (widest, >=, 109);
  overlay_assert_area (draw_area (o, 50), 110, 40, 209, 139);
  g_assert_true (overlay_is_untouched (o, 100));
}

/* Typewriter */

static void
test_letters_appear_one_by_one_where_they_stay (void)
{
  /* The last two are each one letter of several characters: an accent, and an emoji with a joiner.
   */
  static const struct {
    const gchar *text;
    guint n_letters;
  } texts[] = { { "abcdefgh", 8 }, { "שלום", 4 }, { "ae\xcc\x81i", 3 }, { "one\\ntwo", 7 } };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *typed = g_strdup_printf (
        "{\"type\":\"text\",\"text\":\"%s\",\"font\":{\"family\":\"DejaVu Sans\",\"size\":30,"
        "\"stroke\":{\"width\":2},\"shadow\":{}},\"end\":10,\"animate\":{\"in\":\"typewriter\","
        "\"out\":\"typewriter\",\"duration\":%.2f}}",
        texts[i].text, texts[i].n_letters * 0.04);
    g_autofree gchar *plain = g_strdup_printf (
        "{\"type\":\"text\",\"text\":\"%s\",\"font\":{\"family\":\"DejaVu Sans\",\"size\":30,"
        "\"stroke\":{\"width\":2},\"shadow\":{}}}",
        texts[i].text);
    g_autoptr (Overlay) a = open_items (typed, GRAY);
    g_autoptr (Overlay) b = open_items (plain, GRAY);
    g_autoptr (GBytes) full = draw (b, 0);
    gsize n;
    const guint8 *all = g_bytes_get_data (full, &n);
    guint last = 0;
    /* One frame for each letter: with the first one the first, with the last one all. */
    for (guint frame = 0; frame < texts[i].n_letters; frame++) {
      g_autoptr (GBytes) part = draw (a, frame);
      const guint8 *some = g_bytes_get_data (part, NULL);
      guint white = 0, differing = 0;
      for (gsize k = 0; k < n; k++) {
        white += some[k] > 128;
        differing += some[k] > 128 && all[k] < 64;
      }
      g_assert_cmpuint (differing, ==, 0);
      g_assert_cmpuint (white, >=, last);
      if (texts[i].text[3] != '\\')
        g_assert_cmpuint (white, >, last);
      last = white;
      g_assert_cmpint (g_bytes_equal (part, full), ==, frame == texts[i].n_letters - 1);
    }
    g_autoptr (GBytes) rest = draw (a, 100);
    g_assert_true (g_bytes_equal (rest, full));
    /* Going is coming played backwards. */
    g_autoptr (GBytes) first = draw (a, 0);
    g_autoptr (GBytes) final = draw (a, 249);
    g_assert_true (g_bytes_equal (first, final));
  }
}

static void
test_typing_takes_its_time_for_each_letter (void)
{
  g_autoptr (Overlay) o =
      open_items ("{\"type\":\"text\",\"text\":\"abcdefghijklmnopqrst\",\"animate\":"
                  "{\"in\":\"typewriter\"},\"font\":{\"size\":10}}",
          GRAY);
  g_autoptr (GBytes) full = draw (o, 100);
  g_autoptr (GBytes) before = draw (o, 22);
  g_autoptr (GBytes) after = draw (o, 24);

  /* Twenty letters, a twentieth of a second each. */
  g_assert_false (g_bytes_equal (before, full));
  g_assert_true (g_bytes_equal (after, full));
}

/* Numbers */

#define LOOK "\"font\":{\"family\":\"DejaVu Sans\",\"size\":30},\"x\":\"20px\",\"y\":\"50px\""

static void
assert_says (Overlay *o, guint frame, const gchar *text)
{
  g_autofree gchar *item = g_strdup_printf ("{\"type\":\"text\",\"text\":\"%s\"," LOOK "}", text);
  g_autoptr (Overlay) plain = open_items (item, GRAY);
  g_autoptr (GBytes) expected = draw (plain, 0);
  g_autoptr (GBytes) found = draw (o, frame);

  if (!g_bytes_equal (found, expected))
    g_error ("frame %u does not say “%s”", frame, text);
}

static void
test_timers (void)
{
  g_autoptr (Overlay) up =
      open_items ("{\"type\":\"timer\",\"start\":1,\"end\":200," LOOK "}", GRAY);
  g_autoptr (Overlay) down =
      open_items ("{\"type\":\"timer\",\"count\":\"down\",\"format\":\"s\","
                  "\"text\":\"in {value} s\",\"start\":1,\"end\":4," LOOK "}",
          GRAY);
  g_autoptr (Overlay) from =
      open_items ("{\"type\":\"timer\",\"from\":3599.96,\"format\":\"hh:mm:ss.d\"," LOOK "}", GRAY);
  g_autoptr (Overlay) short_down = open_items (
      "{\"type\":\"timer\",\"count\":\"down\",\"from\":0.1,\"format\":\"s.dd\"," LOOK "}", GRAY);

  assert_says (up, 25, "00:00");
  assert_says (up, 49, "00:00");
  assert_says (up, 50, "00:01");
  assert_says (up, 25 + 25 * 61, "01:01");
  /* Each number for a second, and none of nought. */
  assert_says (down, 25, "in 3 s");
  assert_says (down, 49, "in 3 s");
  assert_says (down, 50, "in 2 s");
  assert_says (down, 99, "in 1 s");
  g_assert_true (overlay_is_untouched (down, 100));
  assert_says (from, 0, "00:59:59.9");
  assert_says (from, 1, "01:00:00.0");
  assert_says (short_down, 0, "0.08");
  assert_says (short_down, 100, "0.00");
}

static void
test_counters (void)
{
  g_autoptr (Overlay) o = open_items (
      "{\"type\":\"counter\",\"from\":-1000,\"to\":1234567,\"separator\":\",\",\"text\":"
      "\"{value} €\",\"end\":2," LOOK "}",
      GRAY);
  g_autoptr (Overlay) decimals = open_items (
      "{\"type\":\"counter\",\"from\":0,\"to\":1,\"decimals\":2,\"end\":0.2," LOOK "}", GRAY);
  g_autoptr (Overlay) endless = open_items ("{\"type\":\"counter\",\"from\":7," LOOK "}", GRAY);

  assert_says (o, 0, "−1,000 €");
  assert_says (o, 49, "1,234,567 €");
  assert_says (decimals, 1, "0.25");
  assert_says (decimals, 2, "0.50");
  assert_says (endless, 1000, "7");
}

static void
test_a_number_that_stands_still_is_drawn_once (void)
{
  g_autoptr (Overlay) o = open_items ("{\"type\":\"timer\"," LOOK "}", GRAY);

  for (guint frame = 0; frame < 100; frame++)
    gst_buffer_unref (overlay_draw (o, frame, 0));
  /* Four seconds, and one that may be drawn ahead. */
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), <=, 5);
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), >=, 4);
}

/* What was shown is not kept: an hour of a running number takes what a second does. */
static void
test_running_numbers_do_not_pile_up (void)
{
  g_autoptr (Overlay) o = open_items (
      "{\"type\":\"timer\",\"format\":\"s.dd\"," LOOK "},{\"type\":\"frame-code\"}", GRAY);
  guint64 most = 0;

  for (guint frame = 0; frame < 2000; frame++) {
    gst_buffer_unref (overlay_draw (o, frame, 0));
    if (frame == 1000)
      most = overlay_get_stat (o, "cache-peak-bytes");
  }
  g_assert_cmpuint (most, >, 0);
  g_assert_cmpuint (overlay_get_stat (o, "cache-peak-bytes"), <=, most + most / 2);
}

/* Bars */

static void
test_bars_fill (void)
{
  static const struct {
    const gchar *fill;
    OverlayArea half;
  } fills[] = { { "right", { 10, 20, 109, 59 } }, { "left", { 110, 20, 209, 59 } },
    { "down", { 10, 20, 209, 39 } }, { "up", { 10, 40, 209, 59 } } };

  for (guint i = 0; i < G_N_ELEMENTS (fills); i++) {
    const OverlayArea *h = &fills[i].half;
    g_autofree gchar *item = g_strdup_printf (
        "{\"type\":\"progress-bar\",\"x\":\"10px\",\"y\":\"20px\",\"width\":\"200px\",\"height\":"
        "\"40px\",\"fill\":\"%s\",\"start\":0,\"end\":2.04}",
        fills[i].fill);
    g_autoptr (Overlay) o = open_items (item, GRAY);
    /* 51 frames: the first is empty, the last is full. */
    g_assert_cmpint (draw_area (o, 0).x1, ==, -1);
    overlay_assert_area (draw_area (o, 25), h->x0, h->y0, h->x1, h->y1);
    overlay_assert_area (draw_area (o, 50), 10, 20, 209, 59);
    g_assert_true (overlay_is_untouched (o, 51));
  }
}

/* Codes */

/* What docs/elements/overlaytimeline.md says of frame codes. */
static gint64
read_code (GBytes *frame, gint width, gint x, gint y, gint cell)
{
  const guint8 *pixels = g_bytes_get_data (frame, NULL);
  guint8 rows[5] = { 0 };

  for (gint row = 0; row < 5; row++) {
    for (gint column = 0; column < 8; column++) {
      gint at = (y + row * cell + cell / 2) * width + x + column * cell + cell / 2;
      rows[row] = (guint8) (rows[row] << 1 | (pixels[at] > 128));
    }
  }
  if ((guint8) ~(rows[0] ^ rows[1] ^ rows[2] ^ rows[3]) != rows[4])
    return -1;
  return (gint64) rows[0] << 24 | rows[1] << 16 | rows[2] << 8 | rows[3];
}

static void
test_frame_codes_are_read_back (void)
{
  static const guint frames[] = { 0, 1, 2, 255, 256, 65535, 65536, 10000000, 3, 0 };
  g_autoptr (Overlay) o =
      open_items ("{\"type\":\"frame-code\",\"x\":\"8px\",\"y\":\"4px\",\"cell\":8}", GRAY);
  g_autoptr (Overlay) empty = open_items ("", GRAY);
  g_autoptr (GBytes) black = draw (empty, 0);

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GBytes) frame = draw (o, frames[i]);
    g_assert_cmpint (read_code (frame, WIDTH, 8, 4, 8), ==, frames[i]);
  }
  g_assert_cmpint (read_code (black, WIDTH, 8, 4, 8), ==, -1);
}

/* Whatever came before, a frame after a seek is the frame. */
static void
test_seeks_change_nothing (void)
{
  static const guint frames[] = { 30, 3, 12, 49, 3, 0, 31, 30, 12 };
  g_autofree gchar *items = g_strdup_printf (
      "{\"type\":\"image\",\"src\":\"%s\",\"width\":\"40px\",\"rotation\":20,\"end\":2,\"animate\":"
      "{"
      "\"in\":\"pop\",\"out\":\"slide-left\",\"duration\":1}},{\"type\":\"text\",\"text\":"
      "\"typed\","
      "\"position\":\"bottom\",\"font\":{\"size\":20},\"animate\":{\"in\":\"typewriter\","
      "\"duration\":"
      "1.5}},{\"type\":\"timer\",\"format\":\"s.dd\",\"position\":\"top\",\"font\":{\"size\":20}},"
      "{\"type\":\"progress-bar\",\"end\":2,\"position\":\"left\"}",
      box);
  g_autoptr (Overlay) seeking = open_items (items, GRAY);
  g_autoptr (Overlay) straight = open_items (items, GRAY);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint frame = 0; frame < 50; frame++)
    g_ptr_array_add (all, draw (straight, frame));
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (GBytes) frame = draw (seeking, frames[i]);
    g_assert_true (g_bytes_equal (frame, g_ptr_array_index (all, frames[i])));
  }
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  box = overlay_write_file ("box.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 4' preserveAspectRatio='none'><rect "
      "width='4' height='4' fill='#fff'/></svg>",
      -1);
  g_test_add_func ("/turn/quarter-swaps-the-sides", test_a_quarter_turn_swaps_the_sides);
  g_test_add_func ("/turn/is-about-the-middle", test_turning_is_about_the_middle);
  g_test_add_func ("/turn/into-the-frame", test_what_turns_into_the_frame_is_there);
  g_test_add_func ("/easing/known-curves", test_easings_are_the_known_curves);
  g_test_add_func ("/easing/of-a-slide", test_easing_is_heeded_by_a_slide);
  g_test_add_func ("/pop/grows-beyond-and-settles", test_pop_grows_beyond_and_settles);
  g_test_add_func ("/typewriter/one-by-one", test_letters_appear_one_by_one_where_they_stay);
  g_test_add_func ("/typewriter/usual-time", test_typing_takes_its_time_for_each_letter);
  g_test_add_func ("/number/timer", test_timers);
  g_test_add_func ("/number/counter", test_counters);
  g_test_add_func ("/number/drawn-once", test_a_number_that_stands_still_is_drawn_once);
  g_test_add_func ("/number/does-not-pile-up", test_running_numbers_do_not_pile_up);
  g_test_add_func ("/bar/fills", test_bars_fill);
  g_test_add_func ("/code/is-read-back", test_frame_codes_are_read_back);
  g_test_add_func ("/seek/changes-nothing", test_seeks_change_nothing);
  int status = g_test_run ();
  overlay_remove_files ();
  g_free (box);
  return status;
}
