/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text: shaped and wrapped by Pango, drawn by cairo in this order: box, shadow, stroke, fill.
 *
 * The layout is made in timeline pixels and only then scaled to the frame, so that lines break at
 * the same places in every rendition while glyphs are rasterised at the resolution of the frame. */

#include "weftoverlaytext.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "weftoverlayblur.h"
#include "weftoverlaylayout.h"

/* These are the limits of pipelines/job.schema.json. They also bound what one item can cost: a text
 * of this length takes Pango a few tens of milliseconds. */
#define MAX_TEXT_CHARACTERS 10000
#define MIN_LINE_SPACING 0.25
#define MAX_LINE_SPACING 10.0
#define MAX_STROKE_WIDTH 200.0
#define MAX_SHADOW_OFFSET 500.0
#define MAX_SHADOW_BLUR 200.0
/* Of the circles that glyphs without outlines are widened by. */
#define STROKE_DIRECTIONS 16
/* However far to the right a text begins, it keeps this part of the frame's width. */
#define MIN_WIDTH_FRACTION 0.1
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

/* Of each text item; its subclasses see it through functions. */
typedef struct {
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
  gint direction;
  /* Of guint: where the letters of the text end, in bytes; NULL if it is not needed. */
  GArray *letter_ends;
} WeftTextItemPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (WeftTextItem, weft_text_item, WEFT_TYPE_OVERLAY_ITEM)

#define GET_PRIVATE(item)                                                                          \
  ((WeftTextItemPrivate *) weft_text_item_get_instance_private (WEFT_TEXT_ITEM (item)))

/* Where everything of one drawing goes; lengths in timeline pixels unless they say otherwise. */
typedef struct {
  PangoLayout *layout;
  /* In frame pixels. */
  cairo_rectangle_int_t box;
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
  WeftBounds bounds;
} SpanBox;

static gboolean
parse_stroke (WeftTextItemPrivate *self, const WeftValue *font, GError **error)
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
parse_shadow (WeftTextItemPrivate *self, const WeftValue *font, GError **error)
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
parse_font (WeftTextItemPrivate *self, const WeftValue *value, GError **error)
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

/* Where the letters of the text end, as a reader counts them: an accent goes with its letter. */
static GArray *
find_letter_ends (const gchar *text)
{
  GArray *ends = g_array_new (FALSE, FALSE, sizeof (guint));
  glong n = g_utf8_strlen (text, -1);
  g_autofree PangoLogAttr *attributes = g_new0 (PangoLogAttr, (gsize) n + 1);
  const gchar *p = text;

  pango_get_log_attrs (text, -1, -1, NULL, attributes, (gint) n + 1);
  for (glong i = 1; i <= n; i++) {
    p = g_utf8_next_char (p);
    guint end = (guint) (p - text);
    if (attributes[i].is_cursor_position)
      g_array_append_val (ends, end);
  }
  return ends;
}

/* The text, be it one string or in parts. */
static gboolean
weft_text_item_parse_text (WeftTextItem *item, const WeftValue *value, GError **error)
{
  WeftTextItemPrivate *self = GET_PRIVATE (item);
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
  static const gchar *const directions[] = { "auto", "ltr", "rtl", NULL };
  WeftTextItemPrivate *self = GET_PRIVATE (item);

  return weft_value_get_enum (value, "align", aligns, &self->align, error)
         && weft_value_get_enum (value, "direction", directions, &self->direction, error)
         && weft_value_get_length (value, "max_width", 1.0, &self->max_width, error)
         && parse_font (self, value, error)
         && weft_background_parse (&self->background, value, error)
         && WEFT_TEXT_ITEM_GET_CLASS (item)->parse_text (WEFT_TEXT_ITEM (item), value, error);
}

static guint
weft_text_item_count_letters (WeftOverlayItem *item)
{
  WeftTextItemPrivate *self = GET_PRIVATE (item);

  self->letter_ends = find_letter_ends (self->text);
  return self->letter_ends->len;
}

/* The width lines may have, in timeline pixels: what is asked for, but not beyond the right edge.
 */
static gdouble
get_wrap_width (WeftOverlayItem *item, const WeftCanvas *canvas)
{
  const WeftTextItemPrivate *self = GET_PRIVATE (item);
  gdouble frame_width = canvas->width / canvas->scale_x;
  gdouble width =
      weft_length_to_pixels (&self->max_width, canvas->width, canvas->scale_x) / canvas->scale_x;

  if (weft_overlay_item_has_x (item)) {
    gint x, y;
    weft_overlay_item_place (item, canvas, 0, 0, &x, &y);
    gdouble room = MAX (frame_width - x / canvas->scale_x, MIN_WIDTH_FRACTION * frame_width);
    width = MIN (width, room);
  }
  return MAX (width - 2.0 * (self->background.present ? self->background.padding : 0.0), 1.0);
}

/* How much of the text shows, in bytes. */
static guint
get_shown_bytes (const WeftTextItemPrivate *self, guint64 content)
{
  /* Nought is all, see weft_overlay_item_get_state(). */
  if (self->letter_ends == NULL || content == 0 || content > self->letter_ends->len)
    return G_MAXUINT;
  return content == 1 ? 0 : g_array_index (self->letter_ends, guint, content - 2);
}

static void
bounds_add (WeftBounds *b, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  b->x0 = MIN (b->x0, x0);
  b->y0 = MIN (b->y0, y0);
  b->x1 = MAX (b->x1, x1);
  b->y1 = MAX (b->y1, y1);
}

/* How high the letters of bytes [@start, @end) of a line may be, as their fonts have it. */
static void
get_span_height (PangoLayoutLine *line, gint start, gint end, gint *ascent, gint *descent)
{
  *ascent = *descent = 0;
  for (GSList *l = line->runs; l != NULL; l = l->next) {
    PangoLayoutRun *run = l->data;
    PangoRectangle logical;
    if (run->item->offset >= end || run->item->offset + run->item->length <= start)
      continue;
    pango_glyph_string_extents (run->glyphs, run->item->analysis.font, NULL, &logical);
    *ascent = MAX (*ascent, PANGO_ASCENT (logical));
    *descent = MAX (*descent, PANGO_DESCENT (logical));
  }
}

static void
add_span_box (const WeftBackground *background, gint x0, gint y0, gint x1, gint y1, GArray *boxes)
{
  const gdouble padding = background->padding;
  const SpanBox box = { background,
    { x0 / (gdouble) PANGO_SCALE - padding, y0 / (gdouble) PANGO_SCALE - padding,
        x1 / (gdouble) PANGO_SCALE + padding, y1 / (gdouble) PANGO_SCALE + padding } };

  g_array_append_val (boxes, box);
}

/* What of @span stands in the line, of the first @shown bytes: pieces that touch are one box. */
static void
add_span_boxes_of_line (const WeftSpan *span, guint shown, PangoLayoutIter *iter, GArray *boxes)
{
  PangoLayoutLine *line = pango_layout_iter_get_line_readonly (iter);
  gint start = MAX ((gint) span->start, pango_layout_line_get_start_index (line));
  gint end = MIN ((gint) MIN (span->end, shown),
      pango_layout_line_get_start_index (line) + pango_layout_line_get_length (line));
  gint baseline = pango_layout_iter_get_baseline (iter);
  g_autofree gint *ranges = NULL;
  gint n, ascent, descent;

  if (start >= end)
    return;
  get_span_height (line, start, end, &ascent, &descent);
  pango_layout_line_get_x_ranges (line, start, end, &ranges, &n);
  for (gint i = 0; i < n; i++) {
    gint first = i;
    while (i + 1 < n && ranges[2 * i + 1] >= ranges[2 * i + 2])
      i++;
    add_span_box (&span->background, ranges[2 * first], baseline - ascent, ranges[2 * i + 1],
        baseline + descent, boxes);
  }
}

static void
compute_span_boxes (const WeftTextItemPrivate *self, guint shown, TextGeometry *g)
{
  for (guint i = 0; i < self->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (self->spans, i);
    if (!span->background.present)
      continue;
    PangoLayoutIter *iter = pango_layout_get_iter (g->layout);
    do
      add_span_boxes_of_line (span, shown, iter, g->span_boxes);
    while (pango_layout_iter_next_line (iter));
    pango_layout_iter_free (iter);
  }
}

static void
compute_geometry (WeftOverlayItem *item, const WeftCanvas *canvas, TextGeometry *g)
{
  const WeftTextItemPrivate *self = GET_PRIVATE (item);
  gdouble sx = canvas->scale_x, sy = canvas->scale_y;
  gdouble padding = self->background.present ? self->background.padding : 0.0;
  PangoRectangle logical;

  pango_layout_get_extents (g->layout, NULL, &logical);
  /* A box of whole pixels has sharp edges on all four sides. */
  g->box.width = (gint) ceil ((logical.width / (gdouble) PANGO_SCALE + 2 * padding) * sx);
  g->box.height = (gint) ceil ((logical.height / (gdouble) PANGO_SCALE + 2 * padding) * sy);
  weft_overlay_item_place (item, canvas, g->box.width, g->box.height, &g->box.x, &g->box.y);
  g->text_x = g->box.x + (gint) floor ((padding - logical.x / (gdouble) PANGO_SCALE) * sx + 0.5);
  g->text_y = g->box.y + (gint) floor ((padding - logical.y / (gdouble) PANGO_SCALE) * sy + 0.5);
  if (self->shadow.present) {
    g->shadow_dx = (gint) lrint (self->shadow.dx * sx);
    g->shadow_dy = (gint) lrint (self->shadow.dy * sy);
    /* As CSS has it: the blur radius is twice the standard deviation. */
    g->sigma_x = self->shadow.blur / 2.0 * sx;
    g->sigma_y = self->shadow.blur / 2.0 * sy;
  }
}

/* All frame pixels that the upright item touches. */
static void
compute_ink (
    const WeftTextItemPrivate *self, const WeftCanvas *canvas, const TextGeometry *g, WeftBounds *b)
{
  gdouble sx = canvas->scale_x, sy = canvas->scale_y;
  gdouble stroke = self->stroke.present ? self->stroke.width : 0.0;
  PangoRectangle ink;

  pango_layout_get_extents (g->layout, &ink, NULL);
  b->x0 = g->text_x + (ink.x / (gdouble) PANGO_SCALE - stroke) * sx - 1;
  b->y0 = g->text_y + (ink.y / (gdouble) PANGO_SCALE - stroke) * sy - 1;
  b->x1 = b->x0 + (ink.width / (gdouble) PANGO_SCALE + 2 * stroke) * sx + 2;
  b->y1 = b->y0 + (ink.height / (gdouble) PANGO_SCALE + 2 * stroke) * sy + 2;
  if (self->shadow.present) {
    gint reach_x = weft_blur_get_reach (g->sigma_x), reach_y = weft_blur_get_reach (g->sigma_y);
    bounds_add (b, b->x0 + g->shadow_dx - reach_x, b->y0 + g->shadow_dy - reach_y,
        b->x1 + g->shadow_dx + reach_x, b->y1 + g->shadow_dy + reach_y);
  }
  if (self->background.present)
    bounds_add (b, g->box.x, g->box.y, g->box.x + g->box.width, g->box.y + g->box.height);
  for (guint i = 0; i < g->span_boxes->len; i++) {
    const WeftBounds *s = &g_array_index (g->span_boxes, SpanBox, i).bounds;
    bounds_add (b, g->text_x + s->x0 * sx, g->text_y + s->y0 * sy, g->text_x + s->x1 * sx,
        g->text_y + s->y1 * sy);
  }
}

static void
set_color (cairo_t *cr, const WeftColor *color)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha);
}

static void
draw_box (cairo_t *cr, const WeftBackground *background, gdouble x, gdouble y, gdouble width_px,
    gdouble height_px, const WeftCanvas *canvas)
{
  cairo_save (cr);
  cairo_translate (cr, x, y);
  weft_cairo_add_box (cr, width_px, height_px, background->radius, canvas);
  cairo_restore (cr);
  set_color (cr, &background->color);
  cairo_fill (cr);
}

static void
draw_boxes (
    const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  if (self->background.present)
    draw_box (cr, &self->background, g->box.x, g->box.y, g->box.width, g->box.height, canvas);
  for (guint i = 0; i < g->span_boxes->len; i++) {
    const SpanBox *box = &g_array_index (g->span_boxes, SpanBox, i);
    const WeftBounds *b = &box->bounds;
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

static void
draw_fill (cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
{
  enter_text_space (cr, g, canvas);
  cairo_move_to (cr, 0, 0);
  pango_cairo_show_layout (cr, g->layout);
  cairo_restore (cr);
}

/* The stroke stands wholly outside of the glyphs: twice as wide, and the fill drawn over it. */
static void
stroke_outlines (
    const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g, const WeftCanvas *canvas)
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

/* What is in @from and in a circle around it. */
static cairo_surface_t *
widen_once (cairo_surface_t *from, gdouble radius_x, gdouble radius_y)
{
  cairo_surface_t *to = cairo_image_surface_create (
      CAIRO_FORMAT_A8, cairo_image_surface_get_width (from), cairo_image_surface_get_height (from));
  g_autoptr (WeftCairo) cr = cairo_create (to);

  cairo_set_source_rgba (cr, 0, 0, 0, 1);
  cairo_mask_surface (cr, from, 0, 0);
  for (gint i = 0; i < STROKE_DIRECTIONS; i++) {
    gdouble angle = 2.0 * G_PI * i / STROKE_DIRECTIONS;
    cairo_mask_surface (cr, from, radius_x * cos (angle), radius_y * sin (angle));
  }
  return to;
}

/* Glyphs that are pictures have no outline to stroke: what they cover is widened, by circles each
 * twice as large as the one before, so that nothing is left out between them. */
static void
stroke_pictures (const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g,
    const WeftCanvas *canvas, const cairo_rectangle_int_t *area)
{
  gint reach_x = (gint) ceil (self->stroke.width * canvas->scale_x) + 1;
  gint reach_y = (gint) ceil (self->stroke.width * canvas->scale_y) + 1;
  gint x = area->x - reach_x, y = area->y - reach_y;
  g_autoptr (WeftCairoSurface) mask = cairo_image_surface_create (
      CAIRO_FORMAT_A8, area->width + 2 * reach_x, area->height + 2 * reach_y);
  g_autoptr (WeftCairo) mask_cr = cairo_create (mask);
  gdouble done = 0.0, step = MIN (1.0 / MAX (canvas->scale_x, canvas->scale_y), 1.0);

  cairo_translate (mask_cr, -x, -y);
  cairo_set_source_rgba (mask_cr, 0, 0, 0, 1);
  draw_fill (mask_cr, g, canvas);
  for (; done < self->stroke.width; done += step, step *= 2.0) {
    cairo_surface_t *narrow = g_steal_pointer (&mask);
    step = MIN (step, self->stroke.width - done);
    mask = widen_once (narrow, step * canvas->scale_x, step * canvas->scale_y);
    cairo_surface_destroy (narrow);
  }
  cairo_mask_surface (cr, mask, x, y);
}

static void
draw_stroke (const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g,
    const WeftCanvas *canvas, const cairo_rectangle_int_t *area)
{
  if (!weft_layout_has_pictures (g->layout)) {
    stroke_outlines (self, cr, g, canvas);
    return;
  }
  g_autoptr (GArray) all = weft_layout_hide_pictures (g->layout, TRUE);
  stroke_outlines (self, cr, g, canvas);
  weft_layout_restore (g->layout, all);
  g_array_unref (weft_layout_hide_pictures (g->layout, FALSE));
  stroke_pictures (self, cr, g, canvas, area);
  weft_layout_restore (g->layout, all);
}

static void
draw_shadow (const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g,
    const WeftCanvas *canvas, const cairo_rectangle_int_t *area)
{
  gint reach_x = weft_blur_get_reach (g->sigma_x), reach_y = weft_blur_get_reach (g->sigma_y);
  /* What is cast onto the area comes from the area moved back, and as far around as blur reaches.
   */
  gint x = area->x - g->shadow_dx - reach_x, y = area->y - g->shadow_dy - reach_y;
  gint width = area->width + 2 * reach_x, height = area->height + 2 * reach_y;
  const cairo_rectangle_int_t shadow_area = { x, y, width, height };
  g_autoptr (WeftCairoSurface) mask = cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
  g_autoptr (WeftCairo) mask_cr = cairo_create (mask);

  cairo_translate (mask_cr, -x, -y);
  cairo_set_source_rgba (mask_cr, 0, 0, 0, 1);
  if (self->stroke.present)
    draw_stroke (self, mask_cr, g, canvas, &shadow_area);
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

static void
draw_all (const WeftTextItemPrivate *self, cairo_t *cr, const TextGeometry *g,
    const WeftCanvas *canvas, const cairo_rectangle_int_t *area)
{
  draw_boxes (self, cr, g, canvas);
  if (self->shadow.present)
    draw_shadow (self, cr, g, canvas, area);
  if (self->stroke.present) {
    set_color (cr, &self->stroke.color);
    draw_stroke (self, cr, g, canvas, area);
  }
  set_color (cr, &self->style.color);
  draw_fill (cr, g, canvas);
}

/* Lays @text out, shows @shown bytes of it, and draws that. */
static WeftPicture *
draw_text (
    WeftOverlayItem *item, const gchar *text, guint shown, WeftDrawing *drawing, GError **error)
{
  const WeftTextItemPrivate *self = GET_PRIVATE (item);
  const WeftCanvas *canvas = &drawing->canvas;
  const WeftTextLook look = { text, weft_overlay_item_get_pointer (item), self->spans, &self->style,
    self->line_spacing, get_wrap_width (item, canvas), (WeftAlign) self->align,
    (WeftDirection) self->direction, WEFT_TEXT_ITEM_GET_CLASS (item)->make_text != NULL, shown,
    weft_overlay_item_get_text_pointer (item) };
  g_autoptr (WeftPicture) picture = g_new0 (WeftPicture, 1);
  g_autoptr (GArray) span_boxes = g_array_new (FALSE, FALSE, sizeof (SpanBox));
  g_autoptr (PangoLayout) layout = weft_layout_new (&look, drawing);
  TextGeometry g = { .layout = layout, .span_boxes = span_boxes };
  WeftStage stage;
  WeftBounds ink;

  compute_geometry (item, canvas, &g);
  compute_span_boxes (self, shown, &g);
  compute_ink (self, canvas, &g, &ink);
  gboolean seen = weft_overlay_item_get_stage (item, drawing, &g.box, &ink, &stage);
  picture->box = stage.box;
  if (!seen || drawing->box_only)
    return g_steal_pointer (&picture);
  weft_layout_hide_after (layout, shown);
  cairo_t *cr = weft_stage_begin (&stage);
  draw_all (self, cr, &g, canvas, &stage.source);
  cairo_status_t status = cairo_status (cr);
  weft_stage_end (&stage, cr, picture);
  if (status != CAIRO_STATUS_SUCCESS) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_FAILED, weft_overlay_item_get_pointer (item),
        "cannot draw the text: %s", cairo_status_to_string (status));
    return NULL;
  }
  return g_steal_pointer (&picture);
}

static WeftPicture *
weft_text_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  const WeftTextItemPrivate *self = GET_PRIVATE (item);
  WeftTextItemClass *klass = WEFT_TEXT_ITEM_GET_CLASS (item);
  guint64 content = drawing->state.content;
  g_autofree gchar *made =
      klass->make_text != NULL ? klass->make_text (WEFT_TEXT_ITEM (item), content) : NULL;
  const gchar *text = made != NULL ? made : self->text;

  if (text[0] == '\0')
    return g_new0 (WeftPicture, 1);
  return draw_text (item, text, get_shown_bytes (self, content), drawing, error);
}

static void
weft_text_item_init (WeftTextItem *item)
{
  WeftTextItemPrivate *self = GET_PRIVATE (item);

  self->spans = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_span_free);
  self->style.family = g_strdup ("Sans");
  self->style.size = 64.0;
  self->style.weight = PANGO_WEIGHT_NORMAL;
  self->style.color = (WeftColor){ 1, 1, 1, 1 };
  self->line_spacing = 1.0;
  self->align = WEFT_ALIGN_CENTER;
  self->max_width = (WeftLength){ WEFT_LENGTH_FRACTION, 0.9 };
  self->stroke.color = (WeftColor){ 0, 0, 0, 1 };
  self->stroke.width = 4.0;
  self->shadow = (WeftShadow){ FALSE, { 0, 0, 0, 128 / 255.0 }, 0.0, 6.0, 8.0 };
  self->background = (WeftBackground){ FALSE, { 0, 0, 0, 128 / 255.0 }, 16.0, 0.0 };
}

static void
weft_text_item_finalize (GObject *object)
{
  WeftTextItemPrivate *self = GET_PRIVATE (object);

  g_clear_pointer (&self->letter_ends, g_array_unref);
  g_free (self->text);
  g_ptr_array_unref (self->spans);
  weft_letter_style_clear (&self->style);
  G_OBJECT_CLASS (weft_text_item_parent_class)->finalize (object);
}

static void
weft_text_item_class_init (WeftTextItemClass *klass)
{
  static const gchar *const members[] = { "text", "spans", WEFT_TEXT_MEMBERS, NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_text_item_finalize;
  item_class->members = members;
  item_class->parse = weft_text_item_parse;
  item_class->count_letters = weft_text_item_count_letters;
  item_class->draw = weft_text_item_draw;
  klass->parse_text = weft_text_item_parse_text;
}
