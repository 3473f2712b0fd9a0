/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlaydocument.h"

G_BEGIN_DECLS

/* Which items of a document show at a position of the timeline. */
typedef struct _WeftOverlaySchedule WeftOverlaySchedule;

/* An item and when it shows: [begin, end) in frames, or in nanoseconds where the rate varies. */
typedef struct {
  WeftOverlayItem *item;
  guint index;
  /* Among those of one index, the lowest first. */
  guint layer;
  guint64 begin;
  guint64 end;
} WeftOverlayEntry;

typedef void (*WeftOverlayEntryFunc) (const WeftOverlayEntry *entry, gpointer user_data);

WeftOverlaySchedule *
weft_overlay_schedule_new (WeftOverlayDocument *document, gint fps_n, gint fps_d);
void weft_overlay_schedule_free (WeftOverlaySchedule *self);
gboolean weft_overlay_schedule_has_look (WeftOverlaySchedule *self, const gchar *look);
guint64 weft_overlay_schedule_to_position (const WeftOverlaySchedule *self, GstClockTime time);
gdouble weft_overlay_schedule_to_seconds (WeftOverlaySchedule *self, guint64 span);
gboolean weft_overlay_schedule_is_in_frames (WeftOverlaySchedule *self);
GPtrArray *weft_overlay_schedule_move (WeftOverlaySchedule *self, guint64 position,
    WeftOverlayEntryFunc past_func, gpointer user_data);
void weft_overlay_schedule_foreach_next (
    WeftOverlaySchedule *self, guint64 until, WeftOverlayEntryFunc func, gpointer user_data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftOverlaySchedule, weft_overlay_schedule_free)

G_END_DECLS
