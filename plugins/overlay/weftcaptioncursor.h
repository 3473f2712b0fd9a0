/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcaptions.h"
#include "weftoverlayschedule.h"

G_BEGIN_DECLS

/* What of the captions shows at a position of the timeline. Texts are made when they come near, and
 * dropped when they are over. */
typedef struct _WeftCaptionCursor WeftCaptionCursor;

WeftCaptionCursor *weft_caption_cursor_new (WeftCaptionsItem *captions, WeftCaptionTrack *track,
    const WeftOverlaySchedule *schedule, const WeftOverlayEntry *whole);
void weft_caption_cursor_free (WeftCaptionCursor *self);
gboolean weft_caption_cursor_move (
    WeftCaptionCursor *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data);
void weft_caption_cursor_rewind (WeftCaptionCursor *self);
GPtrArray *weft_caption_cursor_get_entries (WeftCaptionCursor *self);
void weft_caption_cursor_foreach_next (
    WeftCaptionCursor *self, guint64 until, WeftOverlayEntryFunc func, gpointer user_data);

G_END_DECLS
