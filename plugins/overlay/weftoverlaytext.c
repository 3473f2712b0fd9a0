/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text: shaped and wrapped by Pango, drawn by cairo in this order: box, shadow, stroke, fill.
 *
 * The layout is made in timeline pixels and only then scaled to the frame, so that lines break at
 * the same places in every rendition while glyphs are rasterised at the resolution of the frame. */

#include "weftoverlayitem.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "weftoverlayblur.h"

/* These are the limits of pipelines/job.schema.json. They also bound what one item can cost: a text
 * of this length takes Pango a few tens of milliseconds. */
#define MAX_TEXT_CHARACTERS 10000
#define MIN_FONT_SIZE 4.0
#define MAX_FONT_SIZE 2000.0
#define MAX_STROKE_WIDTH 200.0
#define MAX_SHADOW_OFFSET 500.0
#define MAX_SHADOW_BLUR 200.0
#define MAX_PADDING 1000.0
/* However far to the right a text begins, it keeps this part of the frame's width. */
#define MIN_WIDTH_FRACTION 0.1
/* Pango counts in 1/1024 pixel and 32 bits: this many characters times pixels, each on a line of
 * its own that is 2.5 times as high as the font is large, are all that a layout can measure. At the
 * default size it is more characters than a text may have. */
#define MAX_CHARACTER_PIXELS 800000
/* How many different missing characters a warning names. */
#define MAX_REPORTED_CHARACTERS 8

typedef struct {
  gboolean present;
  WeftColor color;
  gdouble width;
} WeftStroke;

typedef struct {
  gboolean present;
  WeftColor color;
  gdouble dx;
  gdouble dy;
  gdouble blur;
} WeftShadow;

typedef struct {
  gboolean present;
  WeftColor color;
  gdouble padding;
  gdouble radius;
} WeftBackground;

#define WEFT_TYPE_TEXT_ITEM (weft_text_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftTextItem, weft_text_item, WEFT, TEXT_ITEM, WeftOverlayItem)

struct _WeftTextItem {
  WeftOverlayItem parent_instance;

  gchar *text;
  gchar *family;
  gdouble size;
  PangoWeight weight;
  PangoStyle style;
  WeftColor color;
  WeftStroke stroke;
  WeftShadow shadow;
  WeftBackground background;
  WeftLength max_width;
  gint align;
};

G_DEFINE_TYPE (WeftTextItem, weft_text_item, WEFT_TYPE_OVERLAY_ITEM)

/* A rectangle while it is collected, in frame pixels. */
typedef struct {
  gdouble x0, y0, x1, y1;
} Bounds;

/* Where everything of one drawing goes; lengths in timeline pixels unless they say otherwise. */
typedef struct {
  PangoLayout *layout;
  /* The box's corner in frame pixels, and its size in timeline pixels. */
  gint box_x, box_y;
  gint box_width_px, box_height_px;
  /* Where the layout's origin comes to lie, in frame pixels. */
  gint text_x, text_y;
  gint shadow_dx, shadow_dy;
  gdouble sigma_x, sigma_y;
} TextGeometry;

static const struct {
  const gchar *nick;
  PangoWeight weight;
} weights[] = {
  { "thin", PANGO_WEIGHT_THIN },
  { "extralight", PANGO_WEIGHT_ULTRALIGHT },
  { "light", PANGO_WEIGHT_LIGHT },
  { "normal", PANGO_WEIGHT_NORMAL },
  { "regular", PANGO_WEIGHT_NORMAL },
  { "medium", PANGO_WEIGHT_MEDIUM },
  { "semibold", PANGO_WEIGHT_SEMIBOLD },
  { "bold", PANGO_WEIGHT_BOLD },
  { "extrabold", PANGO_WEIGHT_ULTRABOLD },
  { "black", PANGO_WEIGHT_HEAVY },
};

static gboolean
parse_weight (WeftTextItem *self, const WeftValue *font, GError **error)
{
  JsonNode *node = json_object_get_member (font->object, "weight");
  const gchar *nicks[G_N_ELEMENTS (weights) + 1] = { NULL };
  gint index = -1;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) != G_TYPE_STRING) {
    gdouble weight = self->weight;
    if (!weft_value_get_number (font, "weight", 100, 1000, &weight, error))
      return FALSE;
    self->weight = (PangoWeight) lrint (weight);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    nicks[i] = weights[i].nick;
  if (!weft_value_get_enum (font, "weight", nicks, &index, error))
    return FALSE;
  if (index >= 0)
    self->weight = weights[index].weight;
  return TRUE;
}

static gboolean
parse_stroke (WeftTextItem *self, const WeftValue *font, GError **error)
{
  static const gchar *const members[] = { "color", "width", NULL };
  g_autofree gchar *pointer = NULL;
  WeftValue stroke;

  if (!weft_value_get_object (font, "stroke", &stroke, &pointer, error))
    return FALSE;
  if (stroke.object == NULL)
    return TRUE;
  if (!weft_value_check_members (&stroke, members, error)
      || !weft_value_get_color (&stroke, "color", &self->stroke.color, error)
      || !weft_value_get_number (
          &stroke, "width", 0.0, MAX_STROKE_WIDTH, &self->stroke.width, error))
    return FALSE;
  self->stroke.present = self->stroke.width > 0.0 && self->stroke.color.alpha > 0.0;
  return TRUE;
}

static gboolean
parse_shadow (WeftTextItem *self, const WeftValue *font, GError **error)
{
  static const gchar *const members[] = { "color", "dx", "dy", "blur", NULL };
  WeftShadow *s = &self->shadow;
  g_autofree gchar *pointer = NULL;
  WeftValue shadow;

  if (!weft_value_get_object (font, "shadow", &shadow, &pointer, error))
    return FALSE;
  if (shadow.object == NULL)
    return TRUE;
  if (!weft_value_check_members (&shadow, members, error)
      || !weft_value_get_color (&shadow, "color", &s->color, error)
      || !weft_value_get_number (
          &shadow, "dx", -MAX_SHADOW_OFFSET, MAX_SHADOW_OFFSET, &s->dx, error)
      || !weft_value_get_number (
          &shadow, "dy", -MAX_SHADOW_OFFSET, MAX_SHADOW_OFFSET, &s->dy, error)
      || !weft_value_get_number (&shadow, "blur", 0.0, MAX_SHADOW_BLUR, &s->blur, error))
    return FALSE;
  s->present = s->color.alpha > 0.0;
  return TRUE;
}

static gboolean
parse_font (WeftTextItem *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "family", "size", "weight", "style", "color", "stroke",
    "shadow", NULL };
  static const gchar *const styles[] = { "normal", "oblique", "italic", NULL };
  g_autofree gchar *pointer = NULL;
  const gchar *family = NULL;
  gint style = PANGO_STYLE_NORMAL;
  WeftValue font;

  if (!weft_value_get_object (value, "font", &font, &pointer, error))
    return FALSE;
  if (font.object == NULL)
    return TRUE;
  if (!weft_value_check_members (&font, members, error)
      || !weft_value_get_string (&font, "family", &family, error)
      || !weft_value_get_number (&font, "size", MIN_FONT_SIZE, MAX_FONT_SIZE, &self->size, error)
      || !parse_weight (self, &font, error)
      || !weft_value_get_enum (&font, "style", styles, &style, error)
      || !weft_value_get_color (&font, "color", &self->color, error)
      || !parse_stroke (self, &font, error) || !parse_shadow (self, &font, error))
    return FALSE;
  self->style = (PangoStyle) style;
  if (family != NULL) {
    g_free (self->family);
    self->family = g_strstrip (g_strdup (family));
    if (self->family[0] == '\0') {
      g_autofree gchar *where = g_strconcat (pointer, "/family", NULL);
      weft_overlay_set_error (
          error, WEFT_OVERLAY_ERROR_INVALID, where, "the family must have a name");
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
parse_background (WeftTextItem *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "color", "padding", "radius", NULL };
  WeftBackground *b = &self->background;
  g_autofree gchar *pointer = NULL;
  WeftValue background;

  if (!weft_value_get_object (value, "background", &background, &pointer, error))
    return FALSE;
  if (background.object == NULL)
    return TRUE;
  if (!weft_value_check_members (&background, members, error)
      || !weft_value_get_color (&background, "color", &b->color, error)
      || !weft_value_get_number (&background, "padding", 0.0, MAX_PADDING, &b->padding, error)
      || !weft_value_get_number (&background, "radius", 0.0, MAX_PADDING, &b->radius, error))
    return FALSE;
  b->present = TRUE;
  return TRUE;
}

static gboolean
weft_text_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  static const gchar *const aligns[] = { "left", "center", "right", NULL };
  WeftTextItem *self = WEFT_TEXT_ITEM (item);
  const gchar *text = NULL;

  if (!weft_value_get_string (value, "text", &text, error)
      || !weft_value_get_enum (value, "align", aligns, &self->align, error)
      || !weft_value_get_length (value, "max_width", 1.0, &self->max_width, error)
      || !parse_font (self, value, error) || !parse_background (self, value, error))
    return FALSE;
  if (text == NULL) {
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, value->pointer, "a text item needs a “text”");
    return FALSE;
  }
  if (g_utf8_strlen (text, -1) > MAX_TEXT_CHARACTERS) {
    g_autofree gchar *where = g_strconcat (value->pointer, "/text", NULL);
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, where,
        "the text has %ld characters, at most %d can be drawn", g_utf8_strlen (text, -1),
        MAX_TEXT_CHARACTERS);
    return FALSE;
  }
  self->text = g_strdup (text);
  return TRUE;
}

/* The width lines may have, in timeline pixels: what is asked for, but not beyond the right edge.
 */
static gdouble
get_wrap_width (WeftTextItem *self, const WeftCanvas *canvas)
{
  gdouble frame_width = canvas->width / canvas->scale_x;
  gdouble width =
      weft_length_to_pixels (&self->max_width, canvas->width, canvas->scale_x) / canvas->scale_x;

  if (weft_overlay_item_has_x (WEFT_OVERLAY_ITEM (self))) {
    gint x, y;
    weft_overlay_item_place (WEFT_OVERLAY_ITEM (self), canvas, 0, 0, &x, &y);
    gdouble room = MAX (frame_width - x / canvas->scale_x, MIN_WIDTH_FRACTION * frame_width);
    width = MIN (width, room);
  }
  return MAX (width - 2.0 * (self->background.present ? self->background.padding : 0.0), 1.0);
}

/* How much of the text is given to Pango. What is cut off would be drawn far outside of any frame.
 */
static gint
get_drawn_bytes (WeftTextItem *self)
{
  glong n_max = (glong) (MAX_CHARACTER_PIXELS / self->size);

  if (g_utf8_strlen (self->text, -1) <= n_max)
    return -1;
  return (gint) (g_utf8_offset_to_pointer (self->text, n_max) - self->text);
}

static PangoLayout *
create_layout (WeftTextItem *self, WeftDrawing *drawing)
{
  static const PangoAlignment alignments[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
    PANGO_ALIGN_RIGHT };
  PangoContext *context = weft_overlay_fonts_create_context (drawing->fonts);
  g_autofree gchar *families = weft_overlay_fonts_map_families (drawing->fonts, self->family);
  PangoFontDescription *description = pango_font_description_new ();
  cairo_font_options_t *options = cairo_font_options_create ();

  /* Colour fringes of LCD text would be wrong on every screen but one. */
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);

  pango_font_description_set_family (description, families);
  pango_font_description_set_absolute_size (description, self->size * PANGO_SCALE);
  pango_font_description_set_weight (description, self->weight);
  pango_font_description_set_style (description, self->style);

  PangoLayout *layout = pango_layout_new (context);
  g_object_unref (context);
  pango_layout_set_font_description (layout, description);
  pango_font_description_free (description);
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_width (
      layout, (gint) lrint (get_wrap_width (self, &drawing->canvas) * PANGO_SCALE));
  pango_layout_set_alignment (layout, alignments[self->align]);
  /* Never markup: what a job says is drawn as it is. */
  pango_layout_set_text (layout, self->text, get_drawn_bytes (self));
  return layout;
}

static void
warn_of_family (WeftTextItem *self, WeftDrawing *drawing, PangoLayout *layout)
{
  if (weft_overlay_fonts_has_family (drawing->fonts, self->family))
    return;
  g_autoptr (PangoFont) font = pango_context_load_font (
      pango_layout_get_context (layout), pango_layout_get_font_description (layout));
  PangoFontDescription *used = font != NULL ? pango_font_describe (font) : NULL;
  g_autofree gchar *name = used != NULL ? weft_overlay_fonts_get_display_name (
                               drawing->fonts, pango_font_description_get_family (used))
                                        : g_strdup ("no font");
  g_clear_pointer (&used, pango_font_description_free);
  g_autofree gchar *item_pointer =
      g_strdup (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)));
  g_autofree gchar *pointer = g_strconcat (item_pointer, "/font/family", NULL);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_NOT_FOUND, pointer, NULL,
          "the font family “%s” is not there, “%s” is used instead", self->family, name));
}

static void
warn_of_glyphs (WeftTextItem *self, WeftDrawing *drawing, PangoLayout *layout)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  if (pango_layout_get_unknown_glyphs_count (layout) == 0)
    return;
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  do {
    PangoLayoutRun *run = pango_layout_iter_get_run_readonly (iter);
    for (gint i = 0; run != NULL && i < run->glyphs->num_glyphs; i++) {
      PangoGlyph glyph = run->glyphs->glyphs[i].glyph;
      if ((glyph & PANGO_GLYPH_UNKNOWN_FLAG) == 0 || glyph == PANGO_GLYPH_INVALID_INPUT)
        continue;
      gunichar c = glyph & ~(PangoGlyph) PANGO_GLYPH_UNKNOWN_FLAG;
      if (!g_hash_table_add (seen, GUINT_TO_POINTER (c))
          || g_hash_table_size (seen) > MAX_REPORTED_CHARACTERS)
        continue;
      g_string_append (names, names->len > 0 ? ", " : "");
      if (g_unichar_isgraph (c))
        g_string_append_unichar (g_string_append (names, "“"), c), g_string_append (names, "” ");
      g_string_append_printf (names, "U+%04X", c);
    }
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);

  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/text", NULL);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_NOT_FOUND, pointer, NULL,
          "no font on this machine has a glyph for %s%s", names->str,
          g_hash_table_size (seen) > MAX_REPORTED_CHARACTERS ? " and others" : ""));
}

static void
warn_of_length (WeftTextItem *self, WeftDrawing *drawing)
{
  gint n_bytes = get_drawn_bytes (self);

  if (n_bytes < 0)
    return;
  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/text", NULL);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE, pointer, NULL,
          "only the first %ld characters of the text are drawn at its size of %g pixels",
          g_utf8_strlen (self->text, n_bytes), self->size));
}

static void
bounds_add (Bounds *b, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  b->x0 = MIN (b->x0, x0);
  b->y0 = MIN (b->y0, y0);
  b->x1 = MAX (b->x1, x1);
  b->y1 = MAX (b->y1, y1);
}

static void
compute_geometry (WeftTextItem *self, const WeftCanvas *canvas, TextGeometry *g)
{
  gdouble sx = canvas->scale_x, sy = canvas->scale_y;
  gdouble padding = self->background.present ? self->background.padding : 0.0;
  PangoRectangle logical;

  pango_layout_get_extents (g->layout, NULL, &logical);
  /* A box of whole pixels has sharp edges on all four sides. */
  g->box_width_px = (gint) ceil ((logical.width / (gdouble) PANGO_SCALE + 2 * padding) * sx);
  g->box_height_px = (gint) ceil ((logical.height / (gdouble) PANGO_SCALE + 2 * padding) * sy);
  weft_overlay_item_place (
      WEFT_OVERLAY_ITEM (self), canvas, g->box_width_px, g->box_height_px, &g->box_x, &g->box_y);
  g->text_x = g->box_x + (gint) floor ((padding - logical.x / (gdouble) PANGO_SCALE) * sx + 0.5);
  g->text_y = g->box_y + (gint) floor ((padding - logical.y / (gdouble) PANGO_SCALE) * sy + 0.5);
  if (self->shadow.present) {
    g->shadow_dx = (gint) lrint (self->shadow.dx * sx);
    g->shadow_dy = (gint) lrint (self->shadow.dy * sy);
    /* As CSS has it: the blur radius is twice the standard deviation. */
    g->sigma_x = self->shadow.blur / 2.0 * sx;
    g->sigma_y = self->shadow.blur / 2.0 * sy;
  }
}

/* All frame pixels that the item may touch, within what can be seen. */
static gboolean
compute_area (WeftTextItem *self, const WeftCanvas *canvas, const TextGeometry *g,
    cairo_rectangle_int_t *area)
{
  gdouble sx = canvas->scale_x, sy = canvas->scale_y;
  gdouble stroke = self->stroke.present ? self->stroke.width : 0.0;
  PangoRectangle ink;
  cairo_rectangle_int_t clip;
  Bounds b;

  pango_layout_get_extents (g->layout, &ink, NULL);
  b.x0 = g->text_x + (ink.x / (gdouble) PANGO_SCALE - stroke) * sx - 1;
  b.y0 = g->text_y + (ink.y / (gdouble) PANGO_SCALE - stroke) * sy - 1;
  b.x1 = b.x0 + (ink.width / (gdouble) PANGO_SCALE + 2 * stroke) * sx + 2;
  b.y1 = b.y0 + (ink.height / (gdouble) PANGO_SCALE + 2 * stroke) * sy + 2;
  if (self->shadow.present) {
    gint reach_x = weft_blur_get_reach (g->sigma_x), reach_y = weft_blur_get_reach (g->sigma_y);
    bounds_add (&b, b.x0 + g->shadow_dx - reach_x, b.y0 + g->shadow_dy - reach_y,
        b.x1 + g->shadow_dx + reach_x, b.y1 + g->shadow_dy + reach_y);
  }
  if (self->background.present)
    bounds_add (&b, g->box_x, g->box_y, g->box_x + g->box_width_px, g->box_y + g->box_height_px);

  weft_overlay_item_get_clip (WEFT_OVERLAY_ITEM (self), canvas, &clip);
  gint x0 = (gint) floor (MAX (b.x0, clip.x)), y0 = (gint) floor (MAX (b.y0, clip.y));
  gint x1 = (gint) ceil (MIN (b.x1, clip.x + clip.width));
  gint y1 = (gint) ceil (MIN (b.y1, clip.y + clip.height));
  *area = (cairo_rectangle_int_t){ x0, y0, x1 - x0, y1 - y0 };
  return x1 > x0 && y1 > y0;
}

static void
set_color (cairo_t *cr, const WeftColor *color)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha);
}

/* Adds a rounded rectangle in frame pixels; the corners are scaled as the frame is. */
static void
add_box (cairo_t *cr, const TextGeometry *g, gdouble radius, const WeftCanvas *canvas)
{
  gdouble w = g->box_width_px / canvas->scale_x, h = g->box_height_px / canvas->scale_y;
  gdouble r = MIN (radius, MIN (w, h) / 2.0);

  cairo_save (cr);
  cairo_translate (cr, g->box_x, g->box_y);
  cairo_scale (cr, canvas->scale_x, canvas->scale_y);
  cairo_new_path (cr);
  if (r > 0.0) {
    cairo_arc (cr, w - r, r, r, -G_PI / 2, 0);
    cairo_arc (cr, w - r, h - r, r, 0, G_PI / 2);
    cairo_arc (cr, r, h - r, r, G_PI / 2, G_PI);
    cairo_arc (cr, r, r, r, G_PI, G_PI * 3 / 2);
    cairo_close_path (cr);
  } else {
    cairo_rectangle (cr, 0, 0, w, h);
  }
  cairo_restore (cr);
}

static void
enter_text_space (cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  cairo_save (cr);
  cairo_translate (cr, g->text_x, g->text_y);
  cairo_scale (cr, canvas->scale_x, canvas->scale_y);
}

/* The stroke stands wholly outside of the glyphs: twice as wide, and the fill drawn over it. */
static void
draw_stroke (WeftTextItem *self, cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  enter_text_space (cr, g, canvas);
  cairo_new_path (cr);
  cairo_move_to (cr, 0, 0);
  pango_cairo_layout_path (cr, g->layout);
  cairo_set_line_width (cr, 2.0 * self->stroke.width);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_stroke (cr);
  cairo_restore (cr);
}

static void
draw_fill (cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  enter_text_space (cr, g, canvas);
  cairo_move_to (cr, 0, 0);
  pango_cairo_show_layout (cr, g->layout);
  cairo_restore (cr);
}

static void
draw_shadow (WeftTextItem *self, cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas,
    const cairo_rectangle_int_t *area)
{
  gint reach_x = weft_blur_get_reach (g->sigma_x), reach_y = weft_blur_get_reach (g->sigma_y);
  /* What is cast onto the area comes from the area moved back, and as far around as blur reaches.
   */
  gint x = area->x - g->shadow_dx - reach_x, y = area->y - g->shadow_dy - reach_y;
  gint width = area->width + 2 * reach_x, height = area->height + 2 * reach_y;
  g_autoptr (WeftCairoSurface) mask = cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
  g_autoptr (WeftCairo) mask_cr = cairo_create (mask);

  cairo_translate (mask_cr, -x, -y);
  cairo_set_source_rgba (mask_cr, 0, 0, 0, 1);
  if (self->stroke.present)
    draw_stroke (self, mask_cr, g, canvas);
  draw_fill (mask_cr, g, canvas);
  cairo_surface_flush (mask);
  if (cairo_surface_status (mask) == CAIRO_STATUS_SUCCESS) {
    weft_blur_a8 (cairo_image_surface_get_data (mask), width, height,
        cairo_image_surface_get_stride (mask), g->sigma_x, g->sigma_y);
  }
  cairo_surface_mark_dirty (mask);
  set_color (cr, &self->shadow.color);
  cairo_mask_surface (cr, mask, x + g->shadow_dx, y + g->shadow_dy);
}

static cairo_surface_t *
draw_pixels (WeftTextItem *self, const TextGeometry *g, const WeftCanvas *canvas,
    const cairo_rectangle_int_t *area)
{
  cairo_surface_t *pixels =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, area->width, area->height);
  g_autoptr (WeftCairo) cr = cairo_create (pixels);

  cairo_translate (cr, -area->x, -area->y);
  if (self->background.present) {
    add_box (cr, g, self->background.radius, canvas);
    set_color (cr, &self->background.color);
    cairo_fill (cr);
  }
  if (self->shadow.present)
    draw_shadow (self, cr, g, canvas, area);
  if (self->stroke.present) {
    set_color (cr, &self->stroke.color);
    draw_stroke (self, cr, g, canvas);
  }
  set_color (cr, &self->color);
  draw_fill (cr, g, canvas);
  return pixels;
}

static WeftPicture *
weft_text_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  WeftTextItem *self = WEFT_TEXT_ITEM (item);
  const WeftCanvas *canvas = &drawing->canvas;
  g_autoptr (WeftPicture) picture = g_new0 (WeftPicture, 1);
  TextGeometry g = { 0 };
  cairo_rectangle_int_t area;

  if (self->text[0] == '\0')
    return g_steal_pointer (&picture);
  g_autoptr (PangoLayout) layout = create_layout (self, drawing);
  g.layout = layout;
  warn_of_family (self, drawing, layout);
  warn_of_glyphs (self, drawing, layout);
  warn_of_length (self, drawing);
  compute_geometry (self, canvas, &g);
  picture->box = (cairo_rectangle_int_t){ g.box_x, g.box_y, g.box_width_px, g.box_height_px };
  if (!compute_area (self, canvas, &g, &area))
    return g_steal_pointer (&picture);
  picture->x = area.x;
  picture->y = area.y;
  picture->pixels = draw_pixels (self, &g, canvas, &area);
  if (cairo_surface_status (picture->pixels) != CAIRO_STATUS_SUCCESS) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_FAILED, weft_overlay_item_get_pointer (item),
        "cannot draw the text: %s",
        cairo_status_to_string (cairo_surface_status (picture->pixels)));
    return NULL;
  }
  return g_steal_pointer (&picture);
}

static void
weft_text_item_init (WeftTextItem *self)
{
  self->family = g_strdup ("Sans");
  self->size = 64.0;
  self->weight = PANGO_WEIGHT_NORMAL;
  self->style = PANGO_STYLE_NORMAL;
  self->color = (WeftColor){ 1, 1, 1, 1 };
  self->stroke.color = (WeftColor){ 0, 0, 0, 1 };
  self->stroke.width = 2.0;
  self->shadow.color = (WeftColor){ 0, 0, 0, 0.5 };
  self->background.color = (WeftColor){ 0, 0, 0, 0.5 };
}

static void
weft_text_item_finalize (GObject *object)
{
  WeftTextItem *self = WEFT_TEXT_ITEM (object);

  g_free (self->text);
  g_free (self->family);
  G_OBJECT_CLASS (weft_text_item_parent_class)->finalize (object);
}

static void
weft_text_item_class_init (WeftTextItemClass *klass)
{
  static const gchar *const members[] = { "text", "font", "background", "max_width", "align",
    NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_text_item_finalize;
  item_class->members = members;
  item_class->parse = weft_text_item_parse;
  item_class->draw = weft_text_item_draw;
}
