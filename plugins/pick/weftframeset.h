/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Frame numbers that are wanted, each of which is ticked off as it comes. Numbers are given in
 * growing order, as frames are. */

typedef struct _WeftFrameSet WeftFrameSet;

WeftFrameSet *weft_frame_set_new_single (guint64 frame);
WeftFrameSet *weft_frame_set_parse (const gchar *text, GError **error);
void weft_frame_set_free (WeftFrameSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFrameSet, weft_frame_set_free)

gboolean weft_frame_set_take (WeftFrameSet *set, guint64 frame);
gboolean weft_frame_set_is_complete (const WeftFrameSet *set);
gboolean weft_frame_set_is_past (const WeftFrameSet *set, guint64 frame);
gboolean weft_frame_set_first_missing (const WeftFrameSet *set, guint64 *frame);
void weft_frame_set_reset (WeftFrameSet *set);

G_END_DECLS
