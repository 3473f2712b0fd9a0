/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is drawn without letters and files: `progress-bar`, and `frame-code`, a number in blocks
 * that a program reads back from the picture even after it was encoded. */

#include "weftoverlayitem.h"

#include <math.h>

/* These are the limits of pipelines/job.schema.json. */
#define MAX_RADIUS 1000.0
#define MIN_CELL 2.0
#define MAX_CELL 256.0

static WeftPicture *
finish (WeftOverlayItem *item, const WeftStage *stage, cairo_t *cr, GError **error)
{
  g_autoptr (WeftPicture) picture = g_new0 (WeftPicture, 1);
  cairo_status_t status = cairo_status (cr);

  weft_stage_end (stage, cr, picture);
  picture->box = stage->box;
  if (status == CAIRO_STATUS_SUCCESS)
    return g_steal_pointer (&picture);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_FAILED, weft_overlay_item_get_pointer (item),
      "cannot draw the item: %s", cairo_status_to_string (status));
  return NULL;
}

/* Where a rectangle of @width by @height frame pixels goes. Returns: what is drawn on; NULL if
 * nothing of it shows, and then @nothing is the picture. */
static cairo_t *
begin (WeftOverlayItem *item, WeftDrawing *drawing, gint width, gint height,
    cairo_rectangle_int_t *box, WeftStage *stage, WeftPicture **nothing)
{
  *box = (cairo_rectangle_int_t){ 0, 0, width, height };
  weft_overlay_item_place (item, &drawing->canvas, width, height, &box->x, &box->y);
  const WeftBounds ink = { box->x, box->y, box->x + width, box->y + height };
  if (weft_overlay_item_get_stage (item, drawing, box, &ink, stage))
    return weft_stage_begin (stage);
  *nothing = g_new0 (WeftPicture, 1);
  (*nothing)->box = stage->box;
  return NULL;
}

static void
set_color (cairo_t *cr, const WeftColor *color)
{
  cairo_set_source_rgba (cr, color->red, color->green, color->blue, color->alpha);
}

/* Progress bar */

typedef enum { FILL_RIGHT, FILL_LEFT, FILL_DOWN, FILL_UP } Fill;

#define WEFT_TYPE_BAR_ITEM (weft_bar_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftBarItem, weft_bar_item, WEFT, BAR_ITEM, WeftOverlayItem)

struct _WeftBarItem {
  WeftOverlayItem parent_instance;

  WeftLength width;
  WeftLength height;
  WeftColor color;
  WeftColor track;
  gdouble radius;
  gint fill;
  gdouble from;
  gdouble to;
  WeftEasing easing;
};

G_DEFINE_TYPE (WeftBarItem, weft_bar_item, WEFT_TYPE_OVERLAY_ITEM)

static gboolean
weft_bar_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  static const gchar *const fills[] = { "right", "left", "down", "up", NULL };
  WeftBarItem *self = WEFT_BAR_ITEM (item);

  return weft_value_get_length (value, "width", 1.0, &self->width, error)
         && weft_value_get_length (value, "height", 1.0, &self->height, error)
         && weft_value_get_color (value, "color", &self->color, error)
         && weft_value_get_color (value, "track", &self->track, error)
         && weft_value_get_number (value, "radius", 0.0, MAX_RADIUS, &self->radius, error)
         && weft_value_get_enum (value, "fill", fills, &self->fill, error)
         && weft_value_get_number (value, "from", 0.0, 1.0, &self->from, error)
         && weft_value_get_number (value, "to", 0.0, 1.0, &self->to, error)
         && weft_easing_parse (value, "easing", &self->easing, error);
}

static void
get_bar_size (const WeftBarItem *self, const WeftCanvas *canvas, gint *width, gint *height)
{
  gdouble w = weft_length_to_pixels (&self->width, canvas->width, canvas->scale_x);
  gdouble h = weft_length_to_pixels (&self->height, canvas->height, canvas->scale_y);

  *width = (gint) CLAMP (floor (w + 0.5), 1.0, WEFT_MAX_PIXELS);
  *height = (gint) CLAMP (floor (h + 0.5), 1.0, WEFT_MAX_PIXELS);
}

static gboolean
fills_upright (const WeftBarItem *self)
{
  return self->fill == FILL_UP || self->fill == FILL_DOWN;
}

/* How many pixels of the bar are filled: another picture for each of them, and for no more. */
static guint64
weft_bar_item_get_content (
    WeftOverlayItem *item, const WeftCanvas *canvas, const WeftMoment *moment)
{
  const WeftBarItem *self = WEFT_BAR_ITEM (item);
  gdouble progress = weft_easing_apply (self->easing, weft_moment_get_progress (moment));
  gdouble part = CLAMP (self->from + (self->to - self->from) * progress, 0.0, 1.0);
  gint width, height;

  get_bar_size (self, canvas, &width, &height);
  return (guint64) lrint (part * (fills_upright (self) ? height : width));
}

static WeftPicture *
weft_bar_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  const WeftBarItem *self = WEFT_BAR_ITEM (item);
  const WeftCanvas *canvas = &drawing->canvas;
  gint width, height, filled = (gint) drawing->state.content;
  WeftPicture *nothing = NULL;
  cairo_rectangle_int_t box;
  WeftStage stage;

  get_bar_size (self, canvas, &width, &height);
  cairo_t *cr = begin (item, drawing, width, height, &box, &stage, &nothing);
  if (cr == NULL)
    return nothing;
  cairo_translate (cr, box.x, box.y);
  weft_cairo_add_box (cr, width, height, self->radius, canvas);
  cairo_clip (cr);
  set_color (cr, &self->track);
  cairo_paint (cr);
  if (self->fill == FILL_LEFT)
    cairo_rectangle (cr, width - filled, 0, filled, height);
  else if (self->fill == FILL_UP)
    cairo_rectangle (cr, 0, height - filled, width, filled);
  else if (self->fill == FILL_DOWN)
    cairo_rectangle (cr, 0, 0, width, filled);
  else
    cairo_rectangle (cr, 0, 0, filled, height);
  set_color (cr, &self->color);
  cairo_fill (cr);
  return finish (item, &stage, cr, error);
}

static void
weft_bar_item_init (WeftBarItem *self)
{
  self->width = (WeftLength){ WEFT_LENGTH_FRACTION, 0.9 };
  self->height = (WeftLength){ WEFT_LENGTH_PIXELS, 12.0 };
  self->color = (WeftColor){ 1, 1, 1, 1 };
  self->track = (WeftColor){ 0, 0, 0, 128 / 255.0 };
  self->to = 1.0;
  self->easing = WEFT_EASING_LINEAR;
}

static void
weft_bar_item_class_init (WeftBarItemClass *klass)
{
  static const gchar *const members[] = { "width", "height", "color", "track", "radius", "fill",
    "from", "to", "easing", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  item_class->members = members;
  item_class->parse = weft_bar_item_parse;
  item_class->get_content = weft_bar_item_get_content;
  item_class->draw = weft_bar_item_draw;
}

/* Frame code */

/* Four bytes of the number, the most significant first, and one that checks them; a row each, the
 * most significant bit on the left, white is 1. */
#define CODE_COLUMNS 8
#define CODE_ROWS 5

#define WEFT_TYPE_CODE_ITEM (weft_code_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftCodeItem, weft_code_item, WEFT, CODE_ITEM, WeftOverlayItem)

struct _WeftCodeItem {
  WeftOverlayItem parent_instance;

  gdouble cell;
};

G_DEFINE_TYPE (WeftCodeItem, weft_code_item, WEFT_TYPE_OVERLAY_ITEM)

static gboolean
weft_code_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  return weft_value_get_number (
      value, "cell", MIN_CELL, MAX_CELL, &WEFT_CODE_ITEM (item)->cell, error);
}

static guint64
weft_code_item_get_content (
    WeftOverlayItem *item, const WeftCanvas *canvas, const WeftMoment *moment)
{
  return moment->position & G_MAXUINT32;
}

static WeftPicture *
weft_code_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  gdouble cell = WEFT_CODE_ITEM (item)->cell;
  /* Whole pixels, so that no cell is grey at its edge. */
  gint cell_width = (gint) MAX (floor (cell * drawing->canvas.scale_x + 0.5), 1.0);
  gint cell_height = (gint) MAX (floor (cell * drawing->canvas.scale_y + 0.5), 1.0);
  guint32 number = (guint32) drawing->state.content;
  guint8 rows[CODE_ROWS] = { (guint8) (number >> 24), (guint8) (number >> 16),
    (guint8) (number >> 8), (guint8) number, 0 };
  WeftPicture *nothing = NULL;
  cairo_rectangle_int_t box;
  WeftStage stage;

  /* Inverted, so that a black and a white area are no code. */
  rows[4] = (guint8) ~(rows[0] ^ rows[1] ^ rows[2] ^ rows[3]);
  cairo_t *cr = begin (
      item, drawing, CODE_COLUMNS * cell_width, CODE_ROWS * cell_height, &box, &stage, &nothing);
  if (cr == NULL)
    return nothing;
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  cairo_set_source_rgb (cr, 0, 0, 0);
  cairo_fill (cr);
  cairo_set_source_rgb (cr, 1, 1, 1);
  for (gint i = 0; i < CODE_ROWS * CODE_COLUMNS; i++) {
    if ((rows[i / CODE_COLUMNS] << (i % CODE_COLUMNS) & 0x80) != 0)
      cairo_rectangle (cr, box.x + i % CODE_COLUMNS * cell_width,
          box.y + i / CODE_COLUMNS * cell_height, cell_width, cell_height);
  }
  cairo_fill (cr);
  return finish (item, &stage, cr, error);
}

static void
weft_code_item_init (WeftCodeItem *self)
{
  self->cell = 16.0;
}

static void
weft_code_item_class_init (WeftCodeItemClass *klass)
{
  static const gchar *const members[] = { "cell", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  item_class->members = members;
  item_class->parse = weft_code_item_parse;
  item_class->get_content = weft_code_item_get_content;
  item_class->draw = weft_code_item_draw;
}
