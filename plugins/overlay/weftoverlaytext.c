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
#include "weftoverlaystyle.h"

/* These are the limits of pipelines/job.schema.json. They also bound what one item can cost: a text
 * of this length takes Pango a few tens of milliseconds. */
#define MAX_TEXT_CHARACTERS 10000
#define MIN_LINE_SPACING 0.25
#define MAX_LINE_SPACING 10.0
#define MAX_STROKE_WIDTH 200.0
#define MAX_SHADOW_OFFSET 500.0
#define MAX_SHADOW_BLUR 200.0
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

#define WEFT_TYPE_TEXT_ITEM (weft_text_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftTextItem, weft_text_item, WEFT, TEXT_ITEM, WeftOverlayItem)

struct _WeftTextItem {
  WeftOverlayItem parent_instance;

  gchar *text;
  /* Of WeftSpan. */
  GPtrArray *spans;
  WeftLetterStyle style;
  gdouble line_spacing;
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
  /* Of SpanBox: the boxes behind parts of the text. */
  GArray *span_boxes;
} TextGeometry;

/* The box behind one line of a span, padding included, in timeline pixels from the layout's origin.
 */
typedef struct {
  const WeftBackground *background;
  Bounds bounds;
} SpanBox;

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
  static const gchar *const members[] = { WEFT_LETTER_STYLE_MEMBERS, "line_spacing", "stroke",
    "shadow", NULL };
  g_autofree gchar *pointer = NULL;
  WeftValue font;

  if (!weft_value_get_object (value, "font", &font, &pointer, error))
    return FALSE;
  return font.object == NULL
         || (weft_value_check_members (&font, members, error)
             && weft_letter_style_parse (&self->style, &font, error)
             && weft_value_get_number (&font, "line_spacing", MIN_LINE_SPACING, MAX_LINE_SPACING,
                 &self->line_spacing, error)
             && parse_stroke (self, &font, error) && parse_shadow (self, &font, error));
}

/* The text, be it one string or in parts. */
static gboolean
parse_text (WeftTextItem *self, const WeftValue *value, GError **error)
{
  const gchar *text = NULL;
  g_autofree gchar *joined = NULL;

  if (!weft_value_get_string (value, "text", &text, error)
      || !weft_spans_parse (value, self->spans, &joined, error))
    return FALSE;
  if ((text == NULL) == (joined == NULL)) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, value->pointer,
        text == NULL ? "a text item needs a “text” or “spans”"
                     : "a text item has a “text” or “spans”, not both");
    return FALSE;
  }
  self->text = joined != NULL ? g_steal_pointer (&joined) : g_strdup (text);
  glong n_characters = g_utf8_strlen (self->text, -1);
  if (n_characters <= MAX_TEXT_CHARACTERS)
    return TRUE;
  g_autofree gchar *where = g_strconcat (value->pointer, text != NULL ? "/text" : "/spans", NULL);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, where,
      "the text has %ld characters, at most %d can be drawn", n_characters, MAX_TEXT_CHARACTERS);
  return FALSE;
}

static gboolean
weft_text_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  static const gchar *const aligns[] = { "left", "center", "right", NULL };
  WeftTextItem *self = WEFT_TEXT_ITEM (item);

  return weft_value_get_enum (value, "align", aligns, &self->align, error)
         && weft_value_get_length (value, "max_width", 1.0, &self->max_width, error)
         && parse_font (self, value, error)
         && weft_background_parse (&self->background, value, error)
         && parse_text (self, value, error);
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

/* The largest size of a letter, which bounds how high the layout becomes. */
static gdouble
get_largest_size (WeftTextItem *self)
{
  gdouble size = self->style.size;

  for (guint i = 0; i < self->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (self->spans, i);
    size = MAX (size, span->style.size);
  }
  return size * MAX (self->line_spacing, 1.0);
}

/* How much of the text is given to Pango. What is cut off would be drawn far outside of any frame.
 */
static gint
get_drawn_bytes (WeftTextItem *self)
{
  glong n_max = (glong) (MAX_CHARACTER_PIXELS / get_largest_size (self));

  if (g_utf8_strlen (self->text, -1) <= n_max)
    return -1;
  return (gint) (g_utf8_offset_to_pointer (self->text, n_max) - self->text);
}

static void
insert_attribute (PangoAttrList *list, const WeftSpan *span, PangoAttribute *attribute)
{
  attribute->start_index = span != NULL ? span->start : PANGO_ATTR_INDEX_FROM_TEXT_BEGINNING;
  attribute->end_index = span != NULL ? span->end : PANGO_ATTR_INDEX_TO_TEXT_END;
  pango_attr_list_insert (list, attribute);
}

static guint16
to_16_bits (gdouble value)
{
  return (guint16) lrint (value * 65535.0);
}

static void
insert_color (PangoAttrList *list, const WeftSpan *span)
{
  const WeftColor *c = &span->style.color;

  insert_attribute (list, span,
      pango_attr_foreground_new (to_16_bits (c->red), to_16_bits (c->green), to_16_bits (c->blue)));
  /* Zero means “not said” to Pango. */
  insert_attribute (list, span, pango_attr_foreground_alpha_new (MAX (to_16_bits (c->alpha), 1)));
}

static void
insert_span (WeftTextItem *self, WeftDrawing *drawing, PangoAttrList *list, const WeftSpan *span)
{
  const WeftLetterStyle *s = &span->style;

  if (s->set & WEFT_STYLE_FAMILY) {
    g_autofree gchar *families = weft_overlay_fonts_map_families (drawing->fonts, s->family);
    insert_attribute (list, span, pango_attr_family_new (families));
  }
  if (s->set & WEFT_STYLE_SIZE)
    insert_attribute (
        list, span, pango_attr_size_new_absolute ((gint) lrint (s->size * PANGO_SCALE)));
  if (s->set & WEFT_STYLE_WEIGHT)
    insert_attribute (list, span, pango_attr_weight_new (s->weight));
  if (s->set & WEFT_STYLE_SLANT)
    insert_attribute (list, span, pango_attr_style_new (s->slant));
  if (s->set & WEFT_STYLE_COLOR)
    insert_color (list, span);
  if (s->set & WEFT_STYLE_LETTER_SPACING)
    insert_attribute (
        list, span, pango_attr_letter_spacing_new ((gint) lrint (s->letter_spacing * PANGO_SCALE)));
  if (span->underline)
    insert_attribute (list, span, pango_attr_underline_new (PANGO_UNDERLINE_SINGLE));
  if (span->strikethrough)
    insert_attribute (list, span, pango_attr_strikethrough_new (TRUE));
}

static void
set_attributes (WeftTextItem *self, WeftDrawing *drawing, PangoLayout *layout)
{
  PangoAttrList *list = pango_attr_list_new ();

  if (self->style.letter_spacing != 0.0)
    insert_attribute (list, NULL,
        pango_attr_letter_spacing_new ((gint) lrint (self->style.letter_spacing * PANGO_SCALE)));
  for (guint i = 0; i < self->spans->len; i++)
    insert_span (self, drawing, list, g_ptr_array_index (self->spans, i));
  pango_layout_set_attributes (layout, list);
  pango_attr_list_unref (list);
}

static PangoFontDescription *
create_description (WeftTextItem *self, WeftDrawing *drawing)
{
  g_autofree gchar *families = weft_overlay_fonts_map_families (drawing->fonts, self->style.family);
  PangoFontDescription *description = pango_font_description_new ();

  pango_font_description_set_family (description, families);
  pango_font_description_set_absolute_size (description, self->style.size * PANGO_SCALE);
  pango_font_description_set_weight (description, self->style.weight);
  pango_font_description_set_style (description, self->style.slant);
  return description;
}

static PangoLayout *
create_layout (WeftTextItem *self, WeftDrawing *drawing)
{
  static const PangoAlignment alignments[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
    PANGO_ALIGN_RIGHT };
  PangoContext *context = weft_overlay_fonts_create_context (drawing->fonts);
  PangoFontDescription *description = create_description (self, drawing);
  cairo_font_options_t *options = cairo_font_options_create ();

  /* Colour fringes of LCD text would be wrong on every screen but one. */
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);

  PangoLayout *layout = pango_layout_new (context);
  g_object_unref (context);
  pango_layout_set_font_description (layout, description);
  pango_font_description_free (description);
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_width (
      layout, (gint) lrint (get_wrap_width (self, &drawing->canvas) * PANGO_SCALE));
  pango_layout_set_alignment (layout, alignments[self->align]);
  if (self->line_spacing != 1.0)
    pango_layout_set_line_spacing (layout, (gfloat) self->line_spacing);
  /* Never markup: what a job says is drawn as it is. */
  pango_layout_set_text (layout, self->text, get_drawn_bytes (self));
  set_attributes (self, drawing, layout);
  return layout;
}

/* @family is what the document asks for at @pointer. */
static void
warn_of_family (
    WeftDrawing *drawing, PangoLayout *layout, const gchar *family, const gchar *pointer)
{
  if (weft_overlay_fonts_has_family (drawing->fonts, family))
    return;
  g_autofree gchar *mapped = weft_overlay_fonts_map_families (drawing->fonts, family);
  PangoFontDescription *wanted =
      pango_font_description_copy (pango_layout_get_font_description (layout));
  pango_font_description_set_family (wanted, mapped);
  g_autoptr (PangoFont) font = pango_context_load_font (pango_layout_get_context (layout), wanted);
  pango_font_description_free (wanted);
  PangoFontDescription *used = font != NULL ? pango_font_describe (font) : NULL;
  g_autofree gchar *name = used != NULL ? weft_overlay_fonts_get_display_name (
                               drawing->fonts, pango_font_description_get_family (used))
                                        : g_strdup ("no font");
  g_clear_pointer (&used, pango_font_description_free);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_NOT_FOUND, pointer, NULL,
          "the font family “%s” is not there, “%s” is used instead", family, name));
}

static void
warn_of_families (WeftTextItem *self, WeftDrawing *drawing, PangoLayout *layout)
{
  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/font/family", NULL);

  warn_of_family (drawing, layout, self->style.family, pointer);
  for (guint i = 0; i < self->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (self->spans, i);
    g_autofree gchar *span_pointer = g_strconcat (span->pointer, "/family", NULL);
    if (span->style.set & WEFT_STYLE_FAMILY)
      warn_of_family (drawing, layout, span->style.family, span_pointer);
  }
}

static gchar *
make_text_pointer (WeftTextItem *self)
{
  return g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)),
      self->spans->len > 0 ? "/spans" : "/text", NULL);
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

  g_autofree gchar *pointer = make_text_pointer (self);
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
  g_autofree gchar *pointer = make_text_pointer (self);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE, pointer, NULL,
          "only the first %ld characters of the text are drawn at its size of %g pixels",
          g_utf8_strlen (self->text, n_bytes), get_largest_size (self)));
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
add_span_box (
    const WeftBackground *background, const PangoRectangle *line, gint x0, gint x1, GArray *boxes)
{
  SpanBox box = { background, { 0, 0, 0, 0 } };

  box.bounds.x0 = x0 / (gdouble) PANGO_SCALE - background->padding;
  box.bounds.y0 = line->y / (gdouble) PANGO_SCALE - background->padding;
  box.bounds.x1 = x1 / (gdouble) PANGO_SCALE + background->padding;
  box.bounds.y1 = (line->y + line->height) / (gdouble) PANGO_SCALE + background->padding;
  g_array_append_val (boxes, box);
}

/* What of @span stands in the line: pieces that touch are one box. */
static void
add_span_boxes_of_line (const WeftSpan *span, PangoLayoutIter *iter, GArray *boxes)
{
  PangoLayoutLine *line = pango_layout_iter_get_line_readonly (iter);
  gint start = MAX ((gint) span->start, pango_layout_line_get_start_index (line));
  gint end = MIN ((gint) span->end,
      pango_layout_line_get_start_index (line) + pango_layout_line_get_length (line));
  g_autofree gint *ranges = NULL;
  PangoRectangle logical;
  gint n;

  if (start >= end)
    return;
  pango_layout_iter_get_line_extents (iter, NULL, &logical);
  pango_layout_line_get_x_ranges (line, start, end, &ranges, &n);
  for (gint i = 0; i < n; i++) {
    gint first = i;
    while (i + 1 < n && ranges[2 * i + 1] >= ranges[2 * i + 2])
      i++;
    add_span_box (&span->background, &logical, ranges[2 * first], ranges[2 * i + 1], boxes);
  }
}

static void
compute_span_boxes (WeftTextItem *self, TextGeometry *g)
{
  for (guint i = 0; i < self->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (self->spans, i);
    if (!span->background.present)
      continue;
    PangoLayoutIter *iter = pango_layout_get_iter (g->layout);
    do
      add_span_boxes_of_line (span, iter, g->span_boxes);
    while (pango_layout_iter_next_line (iter));
    pango_layout_iter_free (iter);
  }
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
  compute_span_boxes (self, g);
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
  for (guint i = 0; i < g->span_boxes->len; i++) {
    const Bounds *s = &g_array_index (g->span_boxes, SpanBox, i).bounds;
    bounds_add (&b, g->text_x + s->x0 * sx, g->text_y + s->y0 * sy, g->text_x + s->x1 * sx,
        g->text_y + s->y1 * sy);
  }

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

static void
add_rounded_rectangle (cairo_t *cr, gdouble w, gdouble h, gdouble radius)
{
  gdouble r = MIN (radius, MIN (w, h) / 2.0);

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
}

/* Draws a box given in frame pixels; the corners are scaled as the frame is. */
static void
draw_box (cairo_t *cr, const WeftBackground *background, gdouble x, gdouble y, gdouble width_px,
    gdouble height_px, const WeftCanvas *canvas)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, canvas->scale_x, canvas->scale_y);
  add_rounded_rectangle (
      cr, width_px / canvas->scale_x, height_px / canvas->scale_y, background->radius);
  cairo_restore (cr);
  set_color (cr, &background->color);
  cairo_fill (cr);
}

static void
draw_boxes (WeftTextItem *self, cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  if (self->background.present)
    draw_box (cr, &self->background, g->box_x, g->box_y, g->box_width_px, g->box_height_px, canvas);
  for (guint i = 0; i < g->span_boxes->len; i++) {
    const SpanBox *box = &g_array_index (g->span_boxes, SpanBox, i);
    const Bounds *b = &box->bounds;
    draw_box (cr, box->background, g->text_x + b->x0 * canvas->scale_x,
        g->text_y + b->y0 * canvas->scale_y, (b->x1 - b->x0) * canvas->scale_x,
        (b->y1 - b->y0) * canvas->scale_y, canvas);
  }
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
  draw_boxes (self, cr, g, canvas);
  if (self->shadow.present)
    draw_shadow (self, cr, g, canvas, area);
  if (self->stroke.present) {
    set_color (cr, &self->stroke.color);
    draw_stroke (self, cr, g, canvas);
  }
  set_color (cr, &self->style.color);
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
  g_autoptr (GArray) span_boxes = g_array_new (FALSE, FALSE, sizeof (SpanBox));
  g.layout = layout;
  g.span_boxes = span_boxes;
  warn_of_families (self, drawing, layout);
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
  self->spans = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_span_free);
  self->style.family = g_strdup ("Sans");
  self->style.size = 64.0;
  self->style.weight = PANGO_WEIGHT_NORMAL;
  self->style.color = (WeftColor){ 1, 1, 1, 1 };
  self->line_spacing = 1.0;
  self->max_width = (WeftLength){ WEFT_LENGTH_FRACTION, 0.9 };
  self->stroke.color = (WeftColor){ 0, 0, 0, 1 };
  self->stroke.width = 4.0;
  self->shadow = (WeftShadow){ FALSE, { 0, 0, 0, 128 / 255.0 }, 0.0, 6.0, 8.0 };
  self->background = (WeftBackground){ FALSE, { 0, 0, 0, 128 / 255.0 }, 16.0, 0.0 };
}

static void
weft_text_item_finalize (GObject *object)
{
  WeftTextItem *self = WEFT_TEXT_ITEM (object);

  g_free (self->text);
  g_ptr_array_unref (self->spans);
  weft_letter_style_clear (&self->style);
  G_OBJECT_CLASS (weft_text_item_parent_class)->finalize (object);
}

static void
weft_text_item_class_init (WeftTextItemClass *klass)
{
  static const gchar *const members[] = { "text", "spans", "font", "background", "max_width",
    "align", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_text_item_finalize;
  item_class->members = members;
  item_class->parse = weft_text_item_parse;
  item_class->draw = weft_text_item_draw;
}
