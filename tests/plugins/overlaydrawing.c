/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What overlaytimeline draws: text as Pango itself draws it, pictures of every kind, the same on
 * all pixel formats and frame sizes; and what it does with files that are not what they should be.
 */

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>
#include <sys/resource.h>
#include <webp/encode.h>
#include <zlib.h>

#include "overlaysupport.h"

#define BGRX "video/x-raw,format=BGRx,width=640,height=360,framerate=30/1"

/* The area that a timeline of @item draws on a black frame. */
static OverlayArea
draw_area (const gchar *item, const gchar *caps)
{
  g_autofree gchar *timeline =
      g_strdup_printf ("{\"width\":640,\"height\":360,\"overlays\":[%s]}", item);
  g_autoptr (Overlay) o = overlay_new (timeline, caps);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

  return overlay_find_area (o, out, 60);
}

/* Largest difference between a BGRx frame and a cairo picture, of the colours. */
static gint
compare_with_surface (Overlay *o, GstBuffer *buffer, cairo_surface_t *surface)
{
  GstMapInfo map;
  gint most = 0;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  cairo_surface_flush (surface);
  for (gint y = 0; y < o->info.height; y++) {
    const guint8 *a = map.data + (gsize) y * GST_VIDEO_INFO_PLANE_STRIDE (&o->info, 0);
    const guint8 *b = cairo_image_surface_get_data (surface)
                      + (gsize) y * cairo_image_surface_get_stride (surface);
    for (gint i = 0; i < 4 * o->info.width; i++) {
      if (i % 4 != 3)
        most = MAX (most, ABS (a[i] - b[i]));
    }
  }
  gst_buffer_unmap (buffer, &map);
  return most;
}

static void
test_text_is_what_pango_draws (void)
{
  static const gchar *const texts[] = { "Hello", "a <b>b</b> &amp; <span color='red'>c</span> é ß",
    "one\\ntwo\\n\\nthree",
    /* One text, in parentheses so that it is not taken for a forgotten comma. */
    ("a rather long line that has to be wrapped more than just one time, and not only at words: "
     "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft") };
  static const gchar *const aligns[] = { "left", "center", "right" };

  for (guint i = 0; i < G_N_ELEMENTS (texts) * 3; i++) {
    g_autofree gchar *timeline =
        g_strdup_printf ("{\"width\":640,\"height\":360,\"overlays\":[{\"type\":\"text\",\"text\":"
                         "\"%s\",\"x\":\"40px\","
                         "\"y\":\"30px\",\"max_width\":0.5,\"align\":\"%s\",\"font\":{\"family\":"
                         "\"DejaVu Serif\",\"size\":29,"
                         "\"weight\":\"bold\",\"color\":\"#ff8020\"}}]}",
            texts[i / 3], aligns[i % 3]);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

    g_auto (GStrv) lines = g_strsplit (texts[i / 3], "\\n", -1);
    g_autofree gchar *text = g_strjoinv ("\n", lines);
    cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640, 360);
    cairo_t *cr = cairo_create (surface);
    g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
    PangoFontDescription *font = pango_font_description_from_string ("DejaVu Serif Bold 29px");
    PangoRectangle logical;
    pango_layout_set_font_description (layout, font);
    pango_layout_set_text (layout, text, -1);
    pango_layout_set_width (layout, 320 * PANGO_SCALE);
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment (layout, i % 3 == 0   ? PANGO_ALIGN_LEFT
                                        : i % 3 == 1 ? PANGO_ALIGN_CENTER
                                                     : PANGO_ALIGN_RIGHT);
    pango_layout_get_pixel_extents (layout, NULL, &logical);
    cairo_set_source_rgb (cr, 1, 128 / 255.0, 32 / 255.0);
    cairo_move_to (cr, 40 - logical.x, 30);
    pango_cairo_show_layout (cr, layout);
    gint difference = compare_with_surface (o, out, surface);
    g_test_message ("“%.20s” %s: %d", text, aligns[i % 3], difference);
    g_assert_cmpint (difference, <=, 2);
    g_assert_cmpint (overlay_find_area (o, out, 0).x1, >, 41);
    pango_font_description_free (font);
    cairo_destroy (cr);
    cairo_surface_destroy (surface);
  }
}

/* Spans are what the same attributes are to Pango itself, in every script. */
static void
test_spans_are_what_pango_draws (void)
{
  static const gchar *const texts[][3] = { { "plain ", "loud & <b>", " and plain" },
    { "ab", "cd", "ef" },
    { "日本語の長い文章は、", "どこでも折り返す", "ことができる。한국어 中文" },
    { "مرحبا ", "بالعالم", " 2026" }, { "שלום ", "עולם", " abc" }, { "é", "́e", "ß" } };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *timeline = g_strdup_printf (
        "{\"width\":640,\"height\":360,\"overlays\":[{\"type\":\"text\",\"spans\":["
        "{\"text\":\"%s\"},{\"text\":\"%s\",\"family\":\"DejaVu Serif\",\"size\":50,\"weight\":"
        "\"bold\",\"style\":\"italic\",\"color\":\"#20ff40\",\"letter_spacing\":4,\"underline\":"
        "true},{\"text\":\"%s\",\"strikethrough\":true}],\"x\":\"40px\",\"y\":\"30px\",\"align\":"
        "\"left\",\"max_width\":0.4,\"font\":{\"family\":\"DejaVu Sans\",\"size\":32,"
        "\"line_spacing\":1.5}}]}",
        texts[i][0], texts[i][1], texts[i][2]);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

    cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640, 360);
    cairo_t *cr = cairo_create (surface);
    g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
    g_autofree gchar *markup = g_markup_printf_escaped (
        "%s<span face=\"DejaVu Serif\" size=\"%d\" "
        "weight=\"bold\" style=\"italic\" color=\"#20ff40\" letter_spacing=\"4096\" "
        "underline=\"single\">%s</span><s>%s</s>",
        texts[i][0], 50 * PANGO_SCALE * 3 / 4, texts[i][1], texts[i][2]);
    PangoFontDescription *font = pango_font_description_from_string ("DejaVu Sans 32px");
    PangoRectangle logical;
    /* So that the points of markup, of which 72 are an inch, are pixels. */
    pango_cairo_context_set_resolution (pango_layout_get_context (layout), 96);
    pango_layout_set_font_description (layout, font);
    pango_layout_set_width (layout, 256 * PANGO_SCALE);
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing (layout, 1.5f);
    pango_layout_set_markup (layout, markup, -1);
    pango_layout_get_pixel_extents (layout, NULL, &logical);
    cairo_set_source_rgb (cr, 1, 1, 1);
    cairo_move_to (cr, 40 - logical.x, 30);
    pango_cairo_show_layout (cr, layout);
    gint difference = compare_with_surface (o, out, surface);
    g_test_message ("“%s%s%s”: %d", texts[i][0], texts[i][1], texts[i][2], difference);
    g_assert_cmpint (difference, <=, 2);
    g_assert_cmpint (overlay_find_area (o, out, 0).x1, >, 41);
    pango_font_description_free (font);
    cairo_destroy (cr);
    cairo_surface_destroy (surface);
  }
}

static void
test_span_has_a_box_of_its_own (void)
{
  static const gchar start[] =
      "{\"type\":\"text\",\"spans\":[{\"text\":\"one \"},{\"text\":\"two\",\"background\":{"
      "\"color\":\"#fff\",\"padding\":";
  static const gchar end[] = "}},{\"text\":\" three\"}],\"x\":\"100px\",\"y\":\"50px\",\"font\":{"
                             "\"size\":40,\"color\":\"#000\"}}";
  g_autofree gchar *tight = g_strconcat (start, "0", end, NULL);
  g_autofree gchar *wide = g_strconcat (start, "10", end, NULL);
  OverlayArea t = draw_area (tight, BGRX), w = draw_area (wide, BGRX);

  /* The first word keeps its room on the left. */
  g_assert_cmpint (t.x0, >, 160);
  g_assert_cmpint (t.x1, <, 300);
  g_assert_cmpint (t.y0, ==, 50);
  overlay_assert_area (w, t.x0 - 10, t.y0 - 10, t.x1 + 10, t.y1 + 10);
}

/* Colour fonts of both kinds: layers of outlines, and pictures; whatever the colour of the text. */
static void
test_colour_fonts_have_their_colours (void)
{
  g_autofree gchar *layers = g_build_filename (
      g_getenv ("WEFT_SOURCE_ROOT"), "tests", "data", "fonts", "layers.ttf", NULL);
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"fonts\":[{\"family\":\"Layers\",\"src\":\"%s\"}],\"overlays\":[{\"type\":\"text\","
      "\"text\":"
      "\"A\",\"x\":\"20px\",\"y\":\"20px\",\"font\":{\"family\":\"Layers\",\"size\":100,\"color\":"
      "\"#00ff00\"}},{\"type\":\"text\",\"text\":\"🟥🟦\",\"x\":\"200px\",\"y\":\"20px\","
      "\"font\":{"
      "\"size\":100,\"family\":\"Noto Color Emoji\",\"color\":\"#00ff00\"}}]}",
      layers);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);
  guint n_red = 0, n_blue = 0, n_green = 0;

  /* The letter is 80 pixels wide and high, the blue square within it half of that. */
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 60, 60), ==, 255);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 60 + 2, 60), ==, 0);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 30, 60), ==, 0);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 30 + 2, 60), ==, 255);
  for (gint y = 0; y < 200; y++) {
    for (gint x = 200; x < 640; x++) {
      guint8 blue = overlay_get_byte (o, out, 0, 4 * x, y);
      guint8 green = overlay_get_byte (o, out, 0, 4 * x + 1, y);
      guint8 red = overlay_get_byte (o, out, 0, 4 * x + 2, y);
      n_red += red > 2 * blue && red > 2 * green && red > 100;
      n_blue += blue > 2 * red && blue > 100;
      n_green += green > 2 * red && green > 2 * blue && green > 100;
    }
  }
  g_assert_cmpuint (n_red, >, 3000);
  g_assert_cmpuint (n_blue, >, 3000);
  g_assert_cmpuint (n_green, ==, 0);
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING);
}

/* A base direction is Pango's. */
static void
test_direction (void)
{
  static const struct {
    const gchar *name;
    PangoDirection base;
  } directions[] = { { "rtl", PANGO_DIRECTION_RTL }, { "ltr", PANGO_DIRECTION_LTR } };

  for (guint i = 0; i < G_N_ELEMENTS (directions); i++) {
    g_autofree gchar *timeline = g_strdup_printf (
        "{\"width\":640,\"height\":360,\"overlays\":[{\"type\":\"text\",\"text\":\"abc: שלום!\","
        "\"direction\":\"%s\",\"x\":\"40px\",\"y\":\"30px\",\"align\":\"left\",\"font\":{\"size\":"
        "40,"
        "\"family\":\"DejaVu Sans\"}}]}",
        directions[i].name);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);
    cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640, 360);
    cairo_t *cr = cairo_create (surface);
    g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
    PangoFontDescription *font = pango_font_description_from_string ("DejaVu Sans 40px");
    PangoRectangle logical;
    pango_context_set_base_dir (pango_layout_get_context (layout), directions[i].base);
    pango_layout_context_changed (layout);
    pango_layout_set_auto_dir (layout, FALSE);
    pango_layout_set_font_description (layout, font);
    pango_layout_set_text (layout, "abc: שלום!", -1);
    pango_layout_set_width (layout, 576 * PANGO_SCALE);
    pango_layout_get_pixel_extents (layout, NULL, &logical);
    cairo_set_source_rgb (cr, 1, 1, 1);
    cairo_move_to (cr, 40 - logical.x, 30);
    pango_cairo_show_layout (cr, layout);
    g_assert_cmpint (compare_with_surface (o, out, surface), <=, 2);
    pango_font_description_free (font);
    cairo_destroy (cr);
    cairo_surface_destroy (surface);
  }
}

/* Letters that are pictures have no outline, and get the same line around them as the others; one
 * picture in hundreds of steps, not in as many as it has pixels. */
static void
test_emoji_have_a_stroke_too (void)
{
  static const gchar start[] = "{\"type\":\"text\",\"text\":\"🎉\",\"x\":\"200px\",\"y\":\"60px\","
                               "\"font\":{\"size\":160,\"family\":\"Noto Color Emoji\"";
  g_autofree gchar *plain = g_strconcat (start, "}}", NULL);
  g_autofree gchar *stroked =
      g_strconcat (start, ",\"stroke\":{\"color\":\"#fff\",\"width\":13}}}", NULL);
  struct rusage before, after;
  OverlayArea p = draw_area (plain, BGRX);

  getrusage (RUSAGE_SELF, &before);
  OverlayArea s = draw_area (stroked, BGRX);
  getrusage (RUSAGE_SELF, &after);
  g_assert_cmpint (p.x1 - p.x0, >, 100);
  g_assert_cmpint (abs (p.x0 - s.x0 - 13), <=, 2);
  g_assert_cmpint (abs (p.y0 - s.y0 - 13), <=, 2);
  g_assert_cmpint (abs (s.x1 - p.x1 - 13), <=, 2);
  g_assert_cmpint (abs (s.y1 - p.y1 - 13), <=, 2);
  /* Stroking the outline of its pixels takes a minute. */
  g_assert_cmpint (after.ru_utime.tv_sec - before.ru_utime.tv_sec, <, 10);
}

static void
test_positions (void)
{
  static const struct {
    const gchar *position;
    gint x, y;
  } positions[] = { { "top-left", 18, 18 }, { "top", 300, 18 }, { "top-right", 582, 18 },
    { "left", 18, 160 }, { "center", 300, 160 }, { "right", 582, 160 }, { "bottom-left", 18, 302 },
    { "bottom", 300, 302 }, { "bottom-right", 582, 302 } };
  g_autofree gchar *path = overlay_write_file ("box.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 4'><rect width='4' height='4' "
      "fill='#fff'/></svg>",
      -1);

  for (guint i = 0; i < G_N_ELEMENTS (positions); i++) {
    g_autofree gchar *item = g_strdup_printf (
        "{\"type\":\"image\",\"src\":\"%s\",\"width\":\"40px\",\"position\":\"%s\"}", path,
        positions[i].position);
    overlay_assert_area (draw_area (item, BGRX), positions[i].x, positions[i].y,
        positions[i].x + 39, positions[i].y + 39);
  }
  g_autofree gchar *item = g_strdup_printf (
      "{\"type\":\"image\",\"src\":\"%s\",\"width\":0.1,\"x\":0.25,\"y\":\"-10px\"}", path);
  overlay_assert_area (draw_area (item, BGRX), 160, 0, 223, 53);
  /* What is as large as the frame covers it, wherever it is said to stand. */
  g_autofree gchar *full = g_strdup_printf (
      "{\"type\":\"image\",\"src\":\"%s\",\"width\":1,\"height\":1,\"position\":\"top-left\"}",
      path);
  g_autofree gchar *wide = g_strdup_printf ("{\"type\":\"image\",\"src\":\"%s\",\"width\":1,"
                                            "\"height\":0.5,\"position\":\"bottom-right\"}",
      path);
  overlay_assert_area (draw_area (full, BGRX), 0, 0, 639, 359);
  overlay_assert_area (draw_area (wide, BGRX), 0, 162, 639, 341);
}

#define BOX_TEXT                                                                                   \
  "{\"type\":\"text\",\"text\":\"Box\",\"x\":\"100px\",\"y\":\"50px\",\"font\":{\"size\":40,"      \
  "\"color\":"                                                                                     \
  "\"#fff\"%s}%s}"

static void
test_box_stroke_and_shadow (void)
{
  g_autofree gchar *plain = g_strdup_printf (BOX_TEXT, "", "");
  g_autofree gchar *box = g_strdup_printf (
      BOX_TEXT, "", ",\"background\":{\"color\":\"#fff\",\"padding\":10,\"radius\":0}");
  g_autofree gchar *round = g_strdup_printf (
      BOX_TEXT, "", ",\"background\":{\"color\":\"#fff\",\"padding\":10,\"radius\":20}");
  g_autofree gchar *stroke =
      g_strdup_printf (BOX_TEXT, ",\"stroke\":{\"color\":\"#fff\",\"width\":6}", "");
  g_autofree gchar *shadow = g_strdup_printf (
      BOX_TEXT, ",\"shadow\":{\"color\":\"#fff\",\"dx\":30,\"dy\":-20,\"blur\":0}", "");
  OverlayArea p = draw_area (plain, BGRX), b = draw_area (box, BGRX), r = draw_area (round, BGRX);
  OverlayArea st = draw_area (stroke, BGRX), sh = draw_area (shadow, BGRX);

  /* The padded box stands at x, y; the text is inside of it. */
  g_assert_cmpint (b.x0, ==, 100);
  g_assert_cmpint (b.y0, ==, 50);
  g_assert_cmpint (b.x1 - b.x0, >=, p.x1 - p.x0 + 20);
  g_assert_cmpint (b.y1 - b.y0, >=, p.y1 - p.y0 + 20);
  g_assert_cmpmem (&b, sizeof b, &r, sizeof r);
  /* The stroke's width is what stands outside of the letters, on every side. */
  g_assert_cmpint (abs (p.x0 - st.x0 - 6), <=, 1);
  g_assert_cmpint (abs (p.y0 - st.y0 - 6), <=, 1);
  g_assert_cmpint (abs (st.x1 - p.x1 - 6), <=, 1);
  g_assert_cmpint (abs (st.y1 - p.y1 - 6), <=, 1);
  /* A sharp shadow is the text again. */
  g_assert_cmpint (sh.x0, ==, p.x0);
  g_assert_cmpint (sh.x1, ==, p.x1 + 30);
  g_assert_cmpint (sh.y0, ==, p.y0 - 20);
  g_assert_cmpint (sh.y1, ==, p.y1);
}

static void
test_radius_leaves_the_corner (void)
{
  g_autofree gchar *timeline = g_strdup_printf ("{\"overlays\":[" BOX_TEXT "]}", "",
      ",\"background\":{\"color\":\"#ffffff\",\"padding\":10,\"radius\":20}");
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 100, 50), ==, 0);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 104, 54), ==, 0);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 120, 51), ==, 255);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 101, 72), ==, 255);
}

static void
test_blur_spreads_and_keeps_its_sum (void)
{
  g_autofree gchar *sharp = g_strdup_printf ("{\"overlays\":[" BOX_TEXT "]}",
      ",\"color\":\"#00000000\",\"shadow\":{\"color\":\"#fff\",\"dx\":0,\"dy\":0,\"blur\":0}", "");
  g_autofree gchar *soft = g_strdup_printf ("{\"overlays\":[" BOX_TEXT "]}",
      ",\"color\":\"#00000000\",\"shadow\":{\"color\":\"#fff\",\"dx\":0,\"dy\":0,\"blur\":16}", "");
  const gchar *timelines[] = { sharp, soft };
  guint64 sums[2] = { 0, 0 };
  OverlayArea areas[2];

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Overlay) o =
        overlay_new (timelines[i], "video/x-raw,format=GRAY8,width=640,height=360,framerate=30/1");
    g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);
    for (gint y = 0; y < 360; y++) {
      for (gint x = 0; x < 640; x++)
        sums[i] += overlay_get_byte (o, out, 0, x, y);
    }
    areas[i] = overlay_find_area (o, out, 2);
  }
  g_assert_cmpfloat (fabs ((gdouble) sums[1] / (gdouble) sums[0] - 1.0), <, 0.05);
  g_assert_cmpint (areas[1].x0, <=, areas[0].x0 - 10);
  g_assert_cmpint (areas[1].y1, >=, areas[0].y1 + 10);
}

static void
test_frame_of_another_size (void)
{
  g_autofree gchar *item =
      g_strdup_printf (BOX_TEXT, "", ",\"background\":{\"color\":\"#fff\",\"padding\":10}");
  OverlayArea full = draw_area (item, BGRX);
  OverlayArea twice =
      draw_area (item, "video/x-raw,format=BGRx,width=1280,height=720,framerate=30/1");
  OverlayArea half =
      draw_area (item, "video/x-raw,format=BGRx,width=320,height=180,framerate=30/1");
  /* Pixels twice as wide as high. */
  OverlayArea wide = draw_area (
      item, "video/x-raw,format=BGRx,width=320,height=360,framerate=30/1,pixel-aspect-ratio=2/1");

  g_assert_cmpint (twice.x0, ==, 2 * full.x0);
  g_assert_cmpint (twice.y0, ==, 2 * full.y0);
  g_assert_cmpint (abs (twice.x1 + 1 - 2 * (full.x1 + 1)), <=, 2);
  g_assert_cmpint (abs (twice.y1 + 1 - 2 * (full.y1 + 1)), <=, 2);
  g_assert_cmpint (abs (2 * (half.x1 + 1) - (full.x1 + 1)), <=, 2);
  g_assert_cmpint (abs (2 * (half.y1 + 1) - (full.y1 + 1)), <=, 2);
  g_assert_cmpint (wide.x0, ==, full.x0 / 2);
  g_assert_cmpint (wide.y0, ==, full.y0);
  g_assert_cmpint (abs (2 * (wide.x1 + 1) - (full.x1 + 1)), <=, 2);
  g_assert_cmpint (wide.y1, ==, full.y1);
}

#define EVERYTHING                                                                                 \
  "{\"width\":%d,\"height\":%d,\"overlays\":[{\"type\":\"text\",\"text\":\"Ab\",\"x\":\"3px\","    \
  "\"y\":\"1px\","                                                                                 \
  "\"font\":{\"size\":21,\"color\":\"#ff2010\",\"stroke\":{\"color\":\"#0040ff\",\"width\":2},"    \
  "\"shadow\":{"                                                                                   \
  "\"dx\":3,\"dy\":2,\"blur\":3}},\"background\":{\"color\":\"#20c04080\",\"padding\":3,"          \
  "\"radius\":5}}]}"

/* Runs @description on one BGRx frame of a single colour. */
static GstBuffer *
run_on_colour (const gchar *description, gint width, gint height)
{
  g_autofree gchar *in = g_strdup_printf (
      "video/x-raw,format=BGRx,width=%d,height=%d,framerate=30/1,pixel-aspect-ratio=1/1", width,
      height);
  GstHarness *h = gst_harness_new_parse (description);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, (gsize) (4 * width * height), NULL);
  static const guint8 colour[] = { 150, 90, 60, 255 };

  gst_harness_set_src_caps_str (h, in);
  for (gint i = 0; i < width * height; i++)
    gst_buffer_fill (buffer, (gsize) (4 * i), colour, 4);
  GST_BUFFER_PTS (buffer) = 0;
  g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
  GstBuffer *out = gst_harness_pull (h);
  gst_harness_teardown (h);
  return out;
}

static void
test_formats_agree (gconstpointer data)
{
  static const gint sizes[][2] = { { 96, 64 }, { 97, 63 }, { 33, 21 } };
  const gchar *format = data;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gint width = sizes[i][0], height = sizes[i][1];
    g_autofree gchar *timeline = g_strdup_printf (EVERYTHING, width, height);
    g_autofree gchar *path = overlay_write_file ("formats.json", timeline, -1);
    gboolean is_yuv =
        !strstr (format, "RGB") && !strstr (format, "BGR") && !strstr (format, "GRAY");
    g_autofree gchar *convert =
        g_strdup_printf ("videoconvert dither=none ! video/x-raw,format=%s%s", format,
            is_yuv ? ",colorimetry=bt709" : "");
    /* Drawn in that format, or drawn in BGRx and then converted. */
    g_autofree gchar *there = g_strdup_printf ("%s ! overlaytimeline location=%s", convert, path);
    g_autofree gchar *reference =
        g_strdup_printf ("overlaytimeline location=%s ! %s ! identity", path, convert);
    g_autoptr (GstBuffer) a = run_on_colour (there, width, height);
    g_autoptr (GstBuffer) b = run_on_colour (reference, width, height);
    GstVideoInfo info;
    GstVideoFrame fa, fb;
    gdouble sum = 0;
    guint n = 0;
    gst_video_info_set_format (
        &info, gst_video_format_from_string (format), (guint) width, (guint) height);
    g_assert_true (gst_video_frame_map (&fa, &info, a, GST_MAP_READ));
    g_assert_true (gst_video_frame_map (&fb, &info, b, GST_MAP_READ));
    for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (&info); c++) {
      gint step = GST_VIDEO_FRAME_COMP_DEPTH (&fa, c) > 8 ? 4 : 1;
      for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&fa, c); y++) {
        for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&fa, c); x++, n++) {
          gsize at = (gsize) (y * GST_VIDEO_FRAME_COMP_STRIDE (&fa, c)
                              + x * GST_VIDEO_FRAME_COMP_PSTRIDE (&fa, c));
          const guint8 *pa = (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fa, c) + at;
          const guint8 *pb = (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (&fb, c) + at;
          gint difference =
              step == 1 ? *pa - *pb : (GST_READ_UINT16_LE (pa) - GST_READ_UINT16_LE (pb)) / step;
          sum += ABS (difference);
          if (ABS (difference) > 3)
            g_error ("%s %dx%d: component %u at %d,%d differs by %d", format, width, height, c, x,
                y, difference);
        }
      }
    }
    gst_video_frame_unmap (&fa);
    gst_video_frame_unmap (&fb);
    g_test_message ("%s %dx%d: mean difference %.3f", format, width, height, sum / n);
    g_assert_cmpfloat (sum / n, <, 0.7);
  }
}

static cairo_surface_t *
create_gradient (gint width, gint height)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  cairo_t *cr = cairo_create (surface);
  cairo_pattern_t *gradient = cairo_pattern_create_linear (0, 0, width, height);

  cairo_pattern_add_color_stop_rgba (gradient, 0, 1, 0.2, 0, 1);
  cairo_pattern_add_color_stop_rgba (gradient, 0.5, 0, 1, 0.4, 0.5);
  cairo_pattern_add_color_stop_rgba (gradient, 1, 0.3, 0, 1, 0);
  cairo_set_source (cr, gradient);
  cairo_paint (cr);
  cairo_pattern_destroy (gradient);
  cairo_destroy (cr);
  return surface;
}

static void
test_png_is_drawn_as_it_is (void)
{
  cairo_surface_t *picture = create_gradient (200, 100);
  g_autofree gchar *path = overlay_write_png ("gradient.png", picture);
  g_autofree gchar *timeline =
      g_strdup_printf ("{\"width\":640,\"height\":360,\"overlays\":[{\"type\":\"image\",\"src\":\"%"
                       "s\",\"x\":\"33px\",\"y\":\"21px\"}]}",
          path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 100);
  cairo_surface_t *expected = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640, 360);
  cairo_t *cr = cairo_create (expected);

  cairo_set_source_rgb (cr, 100 / 255.0, 100 / 255.0, 100 / 255.0);
  cairo_paint (cr);
  cairo_set_source_surface (cr, picture, 33, 21);
  cairo_paint (cr);
  g_assert_cmpint (compare_with_surface (o, out, expected), <=, 2);
  cairo_destroy (cr);
  cairo_surface_destroy (expected);
  cairo_surface_destroy (picture);
}

/* A picture without loss is the same picture, whatever the file is called and made by. */
static void
test_webp_is_what_png_is (void)
{
  const gint width = 61, height = 37;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  g_autofree guint8 *rgba = g_malloc ((gsize) (4 * width * height));
  GBytes *frames[2];
  guint8 *webp = NULL;

  for (gint y = 0; y < height; y++) {
    for (gint x = 0; x < width; x++) {
      guint8 alpha = x < 20 ? 255 : x < 40 ? 0 : 120;
      guint8 *straight = rgba + 4 * (y * width + x);
      guint32 *premultiplied =
          (guint32 *) (gpointer) (cairo_image_surface_get_data (surface)
                                  + y * cairo_image_surface_get_stride (surface) + 4 * x);
      /* Full or no colour, which premultiplying does not round. */
      straight[0] = y < 12 ? 255 : 0;
      straight[1] = y < 24 ? 255 : 0;
      straight[2] = x % 2 ? 255 : 0;
      straight[3] = alpha;
      *premultiplied = (guint32) alpha << 24 | (straight[0] ? (guint32) alpha << 16 : 0)
                       | (straight[1] ? (guint32) alpha << 8 : 0) | (straight[2] ? alpha : 0);
    }
  }
  cairo_surface_mark_dirty (surface);
  gsize size = WebPEncodeLosslessRGBA (rgba, width, height, 4 * width, &webp);
  gchar *paths[] = { overlay_write_png ("same.png", surface),
    overlay_write_file ("same.webp", webp, (gssize) size) };
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *timeline = g_strdup_printf (
        "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"x\":\"9px\",\"y\":\"5px\"}]}",
        paths[i]);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    g_autoptr (GstBuffer) out = overlay_draw (o, 0, 77);
    gpointer data;
    gsize n;
    gst_buffer_extract_dup (out, 0, (gsize) -1, &data, &n);
    frames[i] = g_bytes_new_take (data, n);
  }
  g_assert_true (g_bytes_equal (frames[0], frames[1]));
  g_bytes_unref (frames[0]);
  g_bytes_unref (frames[1]);
  WebPFree (webp);
  g_free (paths[0]);
  g_free (paths[1]);
  cairo_surface_destroy (surface);
}

/* Of one that moves the first frame: two by two pixels, red, then blue; and without its end. */
static void
test_gif_shows_its_first_frame (void)
{
  static const guint8 moving[] = { 'G', 'I', 'F', '8', '9', 'a', 2, 0, 2, 0, 0x80, 0, 0, 255, 0, 0,
    0, 0, 255, '!', 0xf9, 4, 0, 10, 0, 0, 0, ',', 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 2, 0x84, 0x51, 0,
    '!', 0xf9, 4, 0, 10, 0, 0, 0, ',', 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 2, 0x8c, 0x53, 0 };
  g_autofree gchar *path = overlay_write_file ("moving.gif", moving, sizeof moving);
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"x\":\"10px\",\"y\":\"10px\",\"width\":"
      "\"20px\"}]}",
      path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);

  for (guint frame = 0; frame < 30; frame += 29) {
    g_autoptr (GstBuffer) out = overlay_draw (o, frame, 0);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 20, 20), ==, 0);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 20 + 2, 20), ==, 255);
    g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 31 + 2, 20), ==, 0);
  }
}

static void
test_svg_is_sharp_at_its_final_size (void)
{
  /* Ten by ten, drawn at three hundred: the edge in the middle stays one pixel wide. */
  g_autofree gchar *path = overlay_write_file ("sharp.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='5' height='10' "
      "fill='#fff'/></svg>",
      -1);
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0,\"width\":\"300px\"}]}",
      path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 149, 150), ==, 255);
  g_assert_cmpuint (overlay_get_byte (o, out, 0, 4 * 150, 150), ==, 0);
}

static void
test_svg_reads_nothing_outside (void)
{
  cairo_surface_t *picture = create_gradient (20, 20);
  g_autofree gchar *png = overlay_write_png ("outside.png", picture);
  g_autofree gchar *secret = overlay_write_file ("secret.txt", "M0 0 L100 0 L100 100 L0 100 Z", -1);
  g_autofree gchar *svg =
      g_strdup_printf ("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file://%s'>]>"
                       "<svg xmlns='http://www.w3.org/2000/svg' "
                       "xmlns:xlink='http://www.w3.org/1999/xlink' width='100' height='100'>"
                       "<image width='100' height='100' xlink:href='file://%s'/><image width='100' "
                       "height='100' xlink:href='outside.png'/>"
                       "<path d='&x;' fill='#fff'/></svg>",
          secret, png);
  g_autofree gchar *path = overlay_write_file ("outside.svg", svg, -1);
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0}]}", path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  GstBuffer *out = NULL;

  /* It may be refused or drawn empty. */
  if (overlay_push (o, 0, 0, &out) == GST_FLOW_OK)
    g_assert_cmpint (overlay_find_area (o, out, 0).x1, ==, -1);
  gst_clear_buffer (&out);
  cairo_surface_destroy (picture);
}

static gchar *
make_picture_timeline (const gchar *path)
{
  return g_strdup_printf ("{\"overlays\":[{\"type\":\"text\",\"text\":\"a\"},"
                          "{\"type\":\"image\",\"src\":\"%s\",\"width\":1}]}",
      path);
}

/* What the first bytes and the last ones tell is told before the first frame. */
static void
assert_picture_is_refused (const gchar *path, const gchar *word)
{
  g_autofree gchar *timeline = make_picture_timeline (path);
  g_autofree gchar *name = g_path_get_basename (path);

  overlay_assert_start_fails (timeline, "/timeline/overlays/1", name, word);
}

static void
assert_picture_fails (const gchar *path, const gchar *word)
{
  g_autofree gchar *timeline = make_picture_timeline (path);
  g_autofree gchar *name = g_path_get_basename (path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  GstBuffer *out;

  g_assert_cmpint (overlay_push (o, 0, 0, &out), ==, GST_FLOW_ERROR);
  overlay_assert_problem (o->bus, GST_MESSAGE_ERROR, "/timeline/overlays/1", name, word);
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR);
}

static void
append_chunk (GByteArray *png, const gchar *type, const void *data, guint size)
{
  guint8 word[4];
  GByteArray *body = g_byte_array_new ();

  g_byte_array_append (body, (const guint8 *) type, 4);
  if (size > 0)
    g_byte_array_append (body, data, size);
  GST_WRITE_UINT32_BE (word, size);
  g_byte_array_append (png, word, 4);
  g_byte_array_append (png, body->data, body->len);
  GST_WRITE_UINT32_BE (word, (guint32) crc32 (0, body->data, body->len));
  g_byte_array_append (png, word, 4);
  g_byte_array_unref (body);
}

/* A valid PNG of that size, all zeros; small on disk. */
static gchar *
write_large_png (guint width, guint height)
{
  GByteArray *png = g_byte_array_new ();
  guint8 header[13] = { 0 };
  gsize raw_size = ((gsize) width * 4 + 1) * MIN (height, 64);
  g_autofree guint8 *raw = g_malloc0 (raw_size);
  uLongf size = compressBound (raw_size);
  g_autofree guint8 *packed = g_malloc (size);

  g_byte_array_append (png, (const guint8 *) "\x89PNG\r\n\x1a\n", 8);
  GST_WRITE_UINT32_BE (header, width);
  GST_WRITE_UINT32_BE (header + 4, height);
  header[8] = 8;
  header[9] = 6;
  append_chunk (png, "IHDR", header, sizeof header);
  g_assert_cmpint (compress (packed, &size, raw, raw_size), ==, Z_OK);
  append_chunk (png, "IDAT", packed, (guint) size);
  append_chunk (png, "IEND", NULL, 0);
  gchar *path = overlay_write_file ("large.png", png->data, png->len);
  g_byte_array_unref (png);
  return path;
}

static glong
get_peak_kib (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

static void
test_huge_png_is_refused (void)
{
  g_autofree gchar *path = write_large_png (30000, 30000);
  glong before = get_peak_kib ();

  assert_picture_fails (path, "30000");
  g_assert_cmpint (get_peak_kib () - before, <, 64 * 1024);
}

static void
test_broken_pictures_are_refused (void)
{
  cairo_surface_t *picture = create_gradient (200, 100);
  g_autofree gchar *png = overlay_write_png ("whole.png", picture);
  g_autofree gchar *contents = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (png, &contents, &size, NULL));
  g_autofree gchar *cut = overlay_write_file ("cut.png", contents, (gssize) size / 2);
  g_autofree gchar *empty = overlay_write_file ("empty.png", "", 0);
  g_autofree gchar *text = overlay_write_file ("text.png", "this is not a picture", -1);
  g_autofree gchar *svg =
      overlay_write_file ("broken.svg", "<svg xmlns='http://www.w3.org/2000/svg'><rect", -1);
  g_autofree gchar *html = overlay_write_file ("page.svg", "<html><body>no</body></html>", -1);
  g_autofree gchar *gif = overlay_write_file ("a.png", "GIF89a\1\0\1\0", 10);
  g_autofree gchar *webp = overlay_write_file ("cut.webp", "RIFF\x20\0\0\0WEBPVP8 ", 16);
  g_autofree gchar *empty_webp =
      overlay_write_file ("empty.webp", "RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0", 20);
  g_autofree gchar *empty_gif =
      overlay_write_file ("empty.gif", "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\0\0\0\0\0\2\0;", 26);
  g_autofree gchar *tiff = overlay_write_file ("a.tiff", "II*\0\0\0\0\0\0\0", 10);
  g_autofree gchar *jpeg =
      overlay_write_file ("cut.jpg", "\xff\xd8\xff\xe0\0\4\xff\xd9\xff\xda\0\2abc", 15);
  assert_picture_is_refused (cut, "decoded");
  assert_picture_is_refused (empty, "decoded");
  assert_picture_is_refused (text, "no PNG");
  assert_picture_is_refused (tiff, "format");
  assert_picture_is_refused (webp, "too early");
  assert_picture_fails (empty_webp, "decoded");
  assert_picture_is_refused (jpeg, "too early");
  assert_picture_fails (svg, "decoded");
  assert_picture_fails (html, "decoded");
  assert_picture_is_refused (gif, "too early");
  assert_picture_fails (empty_gif, "decoded");
  cairo_surface_destroy (picture);
}

static void
test_svg_bombs_end (void)
{
  g_autoptr (GString) laughs =
      g_string_new ("<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a0 'ha'>");

  for (guint i = 1; i < 40; i++)
    g_string_append_printf (
        laughs, "<!ENTITY a%u '&a%u;&a%u;&a%u;&a%u;'>", i, i - 1, i - 1, i - 1, i - 1);
  g_string_append (laughs,
      "]><svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><text>&a39;</text></svg>");
  g_autofree gchar *entities = overlay_write_file ("laughs.svg", laughs->str, -1);
  g_autofree gchar *huge = overlay_write_file ("huge.svg",
      "<svg xmlns='http://www.w3.org/2000/svg' width='1e9' height='1e9'><rect width='100%' "
      "height='100%'/></svg>",
      -1);
  /* Deeper than anything that is drawn. */
  g_autoptr (GString) deep = g_string_new ("<svg xmlns='http://www.w3.org/2000/svg'>");
  for (guint i = 0; i < 100000; i++)
    g_string_append (deep, "<g>");
  g_autofree gchar *nested = overlay_write_file ("nested.svg", deep->str, -1);
  glong before = get_peak_kib ();
  assert_picture_fails (nested, "nested.svg");
  assert_picture_fails (entities, "laughs.svg");
  assert_picture_fails (huge, "pixels");
  g_assert_cmpint (get_peak_kib () - before, <, 128 * 1024);
}

static void
test_missing_family_is_told_once (void)
{
  g_autoptr (Overlay) o = overlay_new (
      "{\"overlays\":["
      "{\"type\":\"text\",\"text\":\"a\",\"font\":{\"family\":\"No Such Family\"}},"
      "{\"type\":\"text\",\"text\":\"b\",\"font\":{\"family\":\"No Such Family\"}},"
      "{\"type\":\"text\",\"text\":\"c\",\"font\":{\"family\":\"No Such Family, DejaVu Sans\"}},"
      "{\"type\":\"text\",\"text\":\"d\",\"font\":{\"family\":\"sans-serif\"}}]}",
      BGRX);

  for (guint frame = 0; frame < 3; frame++)
    g_assert_false (overlay_is_untouched (o, frame));
  overlay_assert_problem (
      o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0/font/family", NULL, "“No Such Family”");
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
}

static void
test_missing_glyph_is_told (void)
{
  /* A private use character that no font has. */
  g_autoptr (Overlay) o =
      overlay_new ("{\"overlays\":[{\"type\":\"text\",\"text\":\"x\xf4\x8f\xbf\xbd\"}]}", BGRX);

  g_assert_false (overlay_is_untouched (o, 0));
  overlay_assert_problem (
      o->bus, GST_MESSAGE_WARNING, "/timeline/overlays/0/text", NULL, "U+10FFFD");
}

static gchar *
find_font_file (const gchar *description)
{
  g_autofree gchar *command = g_strdup_printf ("fc-match -f %%{file} '%s'", description);
  gchar *path = NULL;

  g_assert_true (g_spawn_command_line_sync (command, &path, NULL, NULL, NULL));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  return path;
}

static void
test_font_from_file (void)
{
  g_autofree gchar *path = find_font_file ("DejaVu Serif:bold");
  /* By a name of the document's own, and by the name of another installed family. */
  static const gchar *const names[] = { "My Titles", "DejaVu Sans" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *timeline =
        g_strdup_printf ("{\"fonts\":[{\"family\":\"%s\",\"src\":\"%s\"}],\"overlays\":["
                         "{\"type\":\"text\",\"text\":\"Quaggy\",\"font\":{\"family\":\"%s\","
                         "\"size\":50,\"weight\":\"bold\"}}]}",
            names[i], path, names[i]);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    g_autoptr (GstBuffer) a = overlay_draw (o, 0, 0);
    g_autoptr (Overlay) installed =
        overlay_new ("{\"overlays\":["
                     "{\"type\":\"text\",\"text\":\"Quaggy\",\"font\":{\"family\":\"DejaVu "
                     "Serif\",\"size\":50,\"weight\":\"bold\"}}]}",
            BGRX);
    g_autoptr (GstBuffer) b = overlay_draw (installed, 0, 0);
    GstMapInfo map;
    g_assert_true (gst_buffer_map (b, &map, GST_MAP_READ));
    g_assert_cmpint (gst_buffer_memcmp (a, 0, map.data, map.size), ==, 0);
    gst_buffer_unmap (b, &map);
    overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  }
}

static void
test_file_that_is_no_font (void)
{
  g_autofree gchar *path = overlay_write_file ("no.ttf", "no font at all", -1);
  g_autofree gchar *timeline =
      g_strdup_printf ("{\"fonts\":[{\"family\":\"A\",\"src\":\"%s\"}],\"overlays\":["
                       "{\"type\":\"text\",\"text\":\"a\",\"font\":{\"family\":\"A\"}}]}",
          path);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  GstBuffer *out;

  g_assert_cmpint (overlay_push (o, 0, 0, &out), ==, GST_FLOW_ERROR);
  overlay_assert_problem (o->bus, GST_MESSAGE_ERROR, "/fonts/0", "no.ttf", "not a font");
}

static void
test_odd_texts_do_no_harm (void)
{
  static const gchar *const texts[] = { "", " ", "\\n\\n\\n", "\\t\\t",
    "\\u200b\\u200d\\u2060\\ufeff", "\\u0001\\u007f\\u0085", "\\u202e abc \\u202c",
    "\\u0627\\u0644\\u0633\\u0644\\u0627\\u0645", "\\u6f22\\u5b57",
    "Z\\u0334\\u0335\\u0336\\u0337\\u0338\\u0321\\u0322\\u0327\\u0328\\u0317\\u0318" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *timeline = g_strdup_printf (
        "{\"overlays\":[{\"type\":\"text\",\"text\":\"%s\",\"font\":{\"size\":2000,"
        "\"stroke\":{\"width\":200},\"shadow\":{\"blur\":200}},\"max_width\":\"1px\","
        "\"background\":{\"padding\":1000,\"radius\":1000}}]}",
        texts[i]);
    g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
    G_GNUC_UNUSED g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

    overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR);
  }
}

static void
test_long_text_is_bounded (void)
{
  g_autofree gchar *text = g_strnfill (10000, 'w');
  g_autofree gchar *timeline = g_strdup_printf (
      "{\"overlays\":[{\"type\":\"text\",\"text\":\"%s\",\"max_width\":\"1px\","
      "\"font\":{\"size\":2000,\"stroke\":{}},\"animate\":{\"in\":\"slide-up\"}}]}",
      text);
  g_autoptr (Overlay) o = overlay_new (timeline, BGRX);
  glong before = get_peak_kib ();
  G_GNUC_UNUSED g_autoptr (GstBuffer) out = overlay_draw (o, 0, 0);

  /* Three frames by three, and twice that while it is drawn. */
  g_assert_cmpint (get_peak_kib () - before, <, 160 * 1024);
  g_assert_cmpuint (overlay_get_stat (o, "cache-bytes"), <, 32 << 20);
}

int
main (int argc, char **argv)
{
  static const gchar *const formats[] = { "I420", "NV12", "YV12", "Y42B", "Y444", "I420_10LE",
    "BGRA", "RGBA", "BGRx", "RGBx", "xRGB", "ARGB", "AYUV", "RGB", "GRAY8" };

  overlay_init (&argc, &argv);
  g_test_add_func ("/text/is-what-pango-draws", test_text_is_what_pango_draws);
  g_test_add_func ("/text/spans-are-what-pango-draws", test_spans_are_what_pango_draws);
  g_test_add_func ("/text/span-has-a-box-of-its-own", test_span_has_a_box_of_its_own);
  g_test_add_func ("/text/colour-fonts", test_colour_fonts_have_their_colours);
  g_test_add_func ("/text/direction", test_direction);
  g_test_add_func ("/text/emoji-have-a-stroke-too", test_emoji_have_a_stroke_too);
  g_test_add_func ("/text/box-stroke-and-shadow", test_box_stroke_and_shadow);
  g_test_add_func ("/text/radius-leaves-the-corner", test_radius_leaves_the_corner);
  g_test_add_func ("/text/blur-spreads-and-keeps-its-sum", test_blur_spreads_and_keeps_its_sum);
  g_test_add_func ("/text/odd-texts-do-no-harm", test_odd_texts_do_no_harm);
  g_test_add_func ("/text/long-text-is-bounded", test_long_text_is_bounded);
  g_test_add_func ("/fonts/missing-family-is-told-once", test_missing_family_is_told_once);
  g_test_add_func ("/fonts/missing-glyph-is-told", test_missing_glyph_is_told);
  g_test_add_func ("/fonts/from-file", test_font_from_file);
  g_test_add_func ("/fonts/file-that-is-no-font", test_file_that_is_no_font);
  g_test_add_func ("/place/positions", test_positions);
  g_test_add_func ("/place/frame-of-another-size", test_frame_of_another_size);
  g_test_add_func ("/picture/png-is-drawn-as-it-is", test_png_is_drawn_as_it_is);
  g_test_add_func ("/picture/webp-is-what-png-is", test_webp_is_what_png_is);
  g_test_add_func ("/picture/gif-shows-its-first-frame", test_gif_shows_its_first_frame);
  g_test_add_func ("/picture/svg-is-sharp-at-its-final-size", test_svg_is_sharp_at_its_final_size);
  g_test_add_func ("/picture/svg-reads-nothing-outside", test_svg_reads_nothing_outside);
  g_test_add_func ("/picture/broken-ones-are-refused", test_broken_pictures_are_refused);
  g_test_add_func ("/picture/huge-png-is-refused", test_huge_png_is_refused);
  g_test_add_func ("/picture/svg-bombs-end", test_svg_bombs_end);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autofree gchar *path = g_strconcat ("/formats/agree/", formats[i], NULL);
    g_test_add_data_func (path, formats[i], test_formats_agree);
  }
  gint result = g_test_run ();
  overlay_remove_files ();
  gst_deinit ();
  return result;
}
