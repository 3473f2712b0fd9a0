/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <gio/gio.h>

#include "weftoverlayanimation.h"
#include "weftoverlayfonts.h"
#include "weftoverlayvalue.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_ALIGN_START,
  WEFT_ALIGN_CENTER,
  WEFT_ALIGN_END,
} WeftAlign;

/* Where an item is drawn: the frame, and how timeline pixels become its pixels. */
typedef struct {
  gint width;
  gint height;
  /* Frame pixels per timeline pixel. They differ where the pixels of the frame are not square. */
  gdouble scale_x;
  gdouble scale_y;
} WeftCanvas;

/* What an item looks like while it changes. Zeros are how it rests. */
typedef struct {
  /* What the kind makes of it: how many letters show, which number it says. */
  guint64 content;
  /* Thousandths of its size, more than it has at rest; -1000 is nothing at all. */
  gint growth;
} WeftItemState;

#define WEFT_ITEM_STATE_REST ((WeftItemState){ 0, 0 })

/* What drawing an item once leaves behind for drawing it in its next state; of the render thread.
 */
typedef struct {
  gchar *look;
  gpointer data;
  GDestroyNotify free_func;
} WeftKept;

/* What the draw function of an item needs beside its own fields. Lives on the render thread. */
typedef struct {
  WeftCanvas canvas;
  WeftItemState state;
  WeftOverlayFonts *fonts;
  /* Of GError: what to tell the user although the item could be drawn. */
  GPtrArray *warnings;
  GCancellable *cancellable;
  WeftKept *kept;
  /* Only the box is wanted, not the pixels. */
  gboolean box_only;
} WeftDrawing;

/* An item's pixels: premultiplied ARGB32 whose top left pixel is pixel (x, y) of the frame while
 * the item rests. `box` is the rectangle the item was placed by: what leaves the frame in a slide.
 */
typedef struct {
  cairo_surface_t *pixels;
  gint x;
  gint y;
  cairo_rectangle_int_t box;
} WeftPicture;

gpointer weft_kept_get (const WeftKept *kept, const gchar *look);
void weft_kept_set (WeftKept *kept, const gchar *look, gpointer data, GDestroyNotify free_func);
void weft_kept_clear (WeftKept *kept);

void weft_picture_free (WeftPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPicture, weft_picture_free)
typedef cairo_surface_t WeftCairoSurface;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCairoSurface, cairo_surface_destroy)
typedef cairo_t WeftCairo;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCairo, cairo_destroy)

typedef struct {
  gdouble x0, y0, x1, y1;
} WeftBounds;

/* How an item gets from where it is laid out, upright, to the frame. */
typedef struct {
  /* Turns and scales it; frame pixels to frame pixels. */
  cairo_matrix_t matrix;
  /* What of the upright item can be seen. */
  cairo_rectangle_int_t source;
  /* The pixels of the frame it touches, and its box there. */
  cairo_rectangle_int_t area;
  cairo_rectangle_int_t box;
} WeftStage;

/* Where an item is at one moment. */
typedef struct {
  gdouble opacity;
  gint dx;
  gint dy;
} WeftPose;

typedef struct _WeftOverlayItem WeftOverlayItem;

/* Moves @box, in which @self would stand. On the render thread. */
typedef void (*WeftOverlayPlacer) (
    WeftOverlayItem *self, WeftDrawing *drawing, cairo_rectangle_int_t *box, gpointer user_data);

#define WEFT_TYPE_OVERLAY_ITEM (weft_overlay_item_get_type ())
G_DECLARE_DERIVABLE_TYPE (WeftOverlayItem, weft_overlay_item, WEFT, OVERLAY_ITEM, GObject)

/**
 * WeftOverlayItemClass:
 * @members: (array zero-terminated=1): the members of the JSON object that only this kind has
 * @parse: reads them
 * @count_letters: (nullable): how many steps a typewriter takes; without it there is none
 * @get_content: (nullable): what it says at a moment, see WeftItemState
 * @check: whether what the item needs from outside seems to be there; quick, and before a frame
 * flows
 * @draw: draws the item in the state of @drawing at full opacity; on the render thread. %NULL where
 * @get_pad is
 * @get_pad: (nullable): the pad that the item's pictures flow in through
 *
 * One kind of item. It is immutable once parsed.
 */
struct _WeftOverlayItemClass {
  GObjectClass parent_class;

  const gchar *const *members;
  gboolean (*parse) (WeftOverlayItem *self, const WeftValue *value, GError **error);
  guint (*count_letters) (WeftOverlayItem *self);
  guint64 (*get_content) (
      WeftOverlayItem *self, const WeftCanvas *canvas, const WeftMoment *moment);
  gboolean (*check) (WeftOverlayItem *self, GHashTable *good, GError **error);
  WeftPicture *(*draw) (WeftOverlayItem *self, WeftDrawing *drawing, GError **error);
  const gchar *(*get_pad) (WeftOverlayItem *self);
};

WeftOverlayItem *weft_overlay_item_new_from_json (
    JsonNode *node, const gchar *pointer, const gchar *base_folder, GError **error);

const gchar *weft_overlay_item_get_id (WeftOverlayItem *self);
const gchar *weft_overlay_item_get_pointer (WeftOverlayItem *self);
void weft_overlay_item_set_text_pointer (WeftOverlayItem *self, const gchar *pointer);
const gchar *weft_overlay_item_get_text_pointer (WeftOverlayItem *self);
const gchar *weft_overlay_item_get_base_folder (WeftOverlayItem *self);
const gchar *weft_overlay_item_get_look (WeftOverlayItem *self);
GstClockTime weft_overlay_item_get_start (WeftOverlayItem *self);
GstClockTime weft_overlay_item_get_end (WeftOverlayItem *self);
const gchar *weft_overlay_item_get_pad (WeftOverlayItem *self);
gdouble weft_overlay_item_get_opacity (WeftOverlayItem *self);
gboolean weft_overlay_item_has_x (WeftOverlayItem *self);
gboolean weft_overlay_item_changes_look (WeftOverlayItem *self);
gboolean weft_overlay_item_moves (WeftOverlayItem *self);

gboolean weft_overlay_item_check (WeftOverlayItem *self, GHashTable *good, GError **error);
WeftPicture *weft_overlay_item_draw (WeftOverlayItem *self, WeftDrawing *drawing, GError **error);
void weft_overlay_item_place (WeftOverlayItem *self, const WeftCanvas *canvas, gdouble width,
    gdouble height, gint *x, gint *y);
gboolean
weft_overlay_item_measure (WeftOverlayItem *self, WeftDrawing *drawing, cairo_rectangle_int_t *box);
void weft_overlay_get_margins (const WeftCanvas *canvas, gdouble *x, gdouble *y);
void weft_overlay_item_set_placer (WeftOverlayItem *self, WeftOverlayPlacer placer,
    gpointer user_data, GDestroyNotify destroy, const gchar *key);
gboolean weft_overlay_item_get_stage (WeftOverlayItem *self, const WeftDrawing *drawing,
    const cairo_rectangle_int_t *box, const WeftBounds *ink, WeftStage *stage);
void weft_overlay_item_get_state (WeftOverlayItem *self, const WeftCanvas *canvas,
    const WeftMoment *moment, WeftItemState *state);
void weft_overlay_item_get_pose (WeftOverlayItem *self, const WeftCanvas *canvas,
    const cairo_rectangle_int_t *box, const WeftMoment *moment, WeftPose *pose);

void weft_cairo_add_box (
    cairo_t *cr, gdouble width_px, gdouble height_px, gdouble radius, const WeftCanvas *canvas);
cairo_t *weft_stage_begin (const WeftStage *stage);
void weft_stage_end (const WeftStage *stage, cairo_t *cr, WeftPicture *picture);

gdouble weft_length_to_pixels (const WeftLength *length, gint frame_size, gdouble scale);

/* The kinds. Each lives in a file of its own and is found by its "type". */
GType weft_text_item_get_type (void);
GType weft_image_item_get_type (void);
GType weft_captions_item_get_type (void);
GType weft_video_item_get_type (void);
GType weft_timer_item_get_type (void);
GType weft_counter_item_get_type (void);
GType weft_bar_item_get_type (void);
GType weft_code_item_get_type (void);

G_END_DECLS
