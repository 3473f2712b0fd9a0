/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a cue goes: where its file wants it, and out of the way of those that stood there before.
 */

#include "weftcaptionplace.h"

#include <math.h>

/* How far lines stand apart, as a factor of the size of letters, where a file counts lines. */
#define LINE_HEIGHT 1.25

/* The others first, then the cue itself; owns them all. */
typedef struct {
  GArray *stands;
} Placer;

static void
placer_free (Placer *self)
{
  g_array_unref (self->stands);
  g_free (self);
}

static void
clear_stand_cb (gpointer data)
{
  g_clear_object (&((WeftCaptionStand *) data)->text);
}

static gdouble
get_anchor (WeftCaptionSide side)
{
  return side == WEFT_CAPTION_SIDE_START ? 0.0 : side == WEFT_CAPTION_SIDE_END ? 1.0 : 0.5;
}

/* @part: of the frame, where the part @anchor of the box comes to lie; within the margins */
static gint
place_axis (gdouble part, gdouble anchor, gint size, gint frame_size, gdouble margin)
{
  gdouble place = part * frame_size - anchor * size;

  return (gint) floor (CLAMP (place, margin, MAX (frame_size - margin - size, margin)) + 0.5);
}

static void
place_upright (const WeftCaptionStand *self, const WeftCanvas *canvas, gdouble margin,
    cairo_rectangle_int_t *box)
{
  const WeftCaptionPlace *place = &self->place;

  if (place->line_unit == WEFT_CAPTION_LINE_FRACTION) {
    /* WebVTT: `line` is the top of the box where nothing else is said. */
    WeftCaptionSide side =
        place->line_side != WEFT_CAPTION_SIDE_UNSET ? place->line_side : WEFT_CAPTION_SIDE_START;
    box->y = place_axis (place->line, get_anchor (side), box->height, canvas->height, margin);
  } else if (place->line_unit == WEFT_CAPTION_LINE_NUMBER) {
    gdouble line_height = self->size * LINE_HEIGHT * canvas->scale_y;
    gdouble part = (margin + place->line * line_height) / canvas->height;
    gdouble from_end = (canvas->height - margin + (place->line + 1) * line_height) / canvas->height;
    box->y = place->line < 0.0 ? place_axis (from_end, 1.0, box->height, canvas->height, margin)
                               : place_axis (part, 0.0, box->height, canvas->height, margin);
  } else if (place->upright != WEFT_CAPTION_SIDE_UNSET) {
    gdouble anchor = get_anchor (place->upright);
    box->y = place_axis (anchor, anchor, box->height, canvas->height, margin);
  }
}

static void
place_sideways (const WeftCaptionStand *self, const WeftCanvas *canvas, gdouble margin,
    cairo_rectangle_int_t *box)
{
  const WeftCaptionPlace *place = &self->place;
  WeftCaptionSide side =
      place->position_side != WEFT_CAPTION_SIDE_UNSET ? place->position_side : place->align;

  if (place->position >= 0.0)
    box->x = place_axis (place->position, get_anchor (side), box->width, canvas->width, margin);
  else if (place->align != WEFT_CAPTION_SIDE_UNSET)
    box->x = place_axis (
        get_anchor (place->align), get_anchor (place->align), box->width, canvas->width, margin);
}

static gboolean
overlap (const cairo_rectangle_int_t *a, const cairo_rectangle_int_t *b)
{
  return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height
         && b->y < a->y + a->height;
}

/* Moves @box up or down until it covers none of @others. Returns: FALSE if it left the frame */
static gboolean
move_away (cairo_rectangle_int_t *box, gboolean up, const cairo_rectangle_int_t *others,
    guint n_others, gint frame_height)
{
  for (guint i = 0; i < n_others;) {
    if (!overlap (box, &others[i])) {
      i++;
      continue;
    }
    box->y = up ? others[i].y - box->height : others[i].y + others[i].height;
    /* It may be on one that it was clear of. As it only goes one way, this ends. */
    i = 0;
  }
  return box->y >= 0 && box->y + box->height <= frame_height;
}

/* What stands low goes up, what stands high goes down; the other way where there is no room. */
static void
avoid (cairo_rectangle_int_t *box, const cairo_rectangle_int_t *others, guint n_others,
    gint frame_height)
{
  gboolean up = box->y + box->height / 2 >= frame_height / 2;
  cairo_rectangle_int_t first = *box, second = *box;

  if (move_away (&first, up, others, n_others, frame_height)
      || !move_away (&second, !up, others, n_others, frame_height))
    *box = first;
  else
    *box = second;
}

static void
place_cb (WeftOverlayItem *item, WeftDrawing *drawing, cairo_rectangle_int_t *box, gpointer data)
{
  const GArray *stands = ((Placer *) data)->stands;
  const WeftCanvas *canvas = &drawing->canvas;
  cairo_rectangle_int_t boxes[WEFT_CAPTION_MAX_SLOTS];
  guint n = MIN (stands->len, WEFT_CAPTION_MAX_SLOTS);
  gdouble margin_x, margin_y;

  weft_overlay_get_margins (canvas, &margin_x, &margin_y);
  for (guint i = 0; i < n; i++) {
    const WeftCaptionStand *stand = &g_array_index (stands, WeftCaptionStand, i);
    /* The last is the item itself, which was measured already. */
    if (i + 1 == n)
      boxes[i] = *box;
    else if (!weft_overlay_item_measure (stand->text, drawing, &boxes[i]))
      boxes[i] = (cairo_rectangle_int_t){ 0, 0, 0, 0 };
    place_upright (stand, canvas, margin_y, &boxes[i]);
    place_sideways (stand, canvas, margin_x, &boxes[i]);
    avoid (&boxes[i], boxes, i, canvas->height);
  }
  *box = boxes[n - 1];
}

static void
append_key (GString *key, const WeftCaptionStand *stand)
{
  const WeftCaptionPlace *p = &stand->place;

  g_string_append_printf (key, "%s|%d %g %d %g %d %d %d\n",
      weft_overlay_item_get_look (stand->text), p->line_unit, p->line, p->line_side, p->position,
      p->position_side, p->align, p->upright);
}

/**
 * weft_caption_stand_apply:
 * @below: (element-type WeftCaptionStand): what it must not cover, the lowest first
 *
 * Has the text drawn where @self says.
 */
void
weft_caption_stand_apply (const WeftCaptionStand *self, const GArray *below)
{
  Placer *placer = g_new0 (Placer, 1);
  g_autoptr (GString) key = g_string_new (NULL);

  placer->stands = g_array_new (FALSE, FALSE, sizeof (WeftCaptionStand));
  g_array_append_vals (placer->stands, below->data, below->len);
  for (guint i = 0; i < below->len; i++) {
    const WeftCaptionStand *stand = &g_array_index (below, WeftCaptionStand, i);
    g_object_ref (stand->text);
    append_key (key, stand);
  }
  append_key (key, self);
  /* Not a reference to itself, which would never end. */
  WeftCaptionStand own = { NULL, self->place, self->size };
  g_array_append_val (placer->stands, own);
  g_array_set_clear_func (placer->stands, clear_stand_cb);
  weft_overlay_item_set_placer (
      self->text, place_cb, placer, (GDestroyNotify) placer_free, key->str);
}
