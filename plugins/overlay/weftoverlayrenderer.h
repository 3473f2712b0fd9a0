/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlaydocument.h"
#include "weftoverlayschedule.h"
#include "weftsurface.h"

G_BEGIN_DECLS

/* Draws items on a thread of its own and keeps what they look like. */
typedef struct _WeftOverlayRenderer WeftOverlayRenderer;

typedef struct {
  guint64 rendered;
  guint64 evicted;
  guint64 pending;
  gsize cache_bytes;
  gsize cache_peak_bytes;
} WeftOverlayRendererStats;

WeftOverlayRenderer *weft_overlay_renderer_new (WeftOverlayDocument *document,
    const WeftCanvas *canvas, const GstVideoInfo *info, gsize max_bytes);
void weft_overlay_renderer_close (WeftOverlayRenderer *self);
gboolean weft_overlay_renderer_is_for (WeftOverlayRenderer *self, WeftOverlayDocument *document,
    const WeftCanvas *canvas, const GstVideoInfo *info);

void weft_overlay_renderer_set_max_bytes (WeftOverlayRenderer *self, gsize max_bytes);
void weft_overlay_renderer_set_flushing (WeftOverlayRenderer *self, gboolean flushing);
gboolean
weft_overlay_renderer_load (WeftOverlayRenderer *self, WeftOverlayItem *captions, GError **error);
void weft_overlay_renderer_prefetch (
    WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state);
gboolean weft_overlay_renderer_get_box (WeftOverlayRenderer *self, WeftOverlayItem *item,
    const WeftItemState *state, cairo_rectangle_int_t *box, cairo_rectangle_int_t *ink,
    GError **error);
WeftSurface *weft_overlay_renderer_get_surface (WeftOverlayRenderer *self, WeftOverlayItem *item,
    const WeftItemState *state, guint phase, GError **error);
void weft_overlay_renderer_forget (
    WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state);
void weft_overlay_renderer_keep_only (WeftOverlayRenderer *self, WeftOverlaySchedule *schedule);
GPtrArray *weft_overlay_renderer_take_warnings (WeftOverlayRenderer *self);
void weft_overlay_renderer_get_stats (WeftOverlayRenderer *self, WeftOverlayRendererStats *stats);

G_END_DECLS
