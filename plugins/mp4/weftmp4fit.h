/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftmp4moov.h"
#include "weftmp4upstream.h"

G_BEGIN_DECLS

/**
 * WeftMp4Fit:
 * @moov: the movie header as it is to be written
 * @first: it goes before the media data
 * @moved_bytes: how much of the first media data has to move behind the rest to make room
 */
typedef struct {
  GBytes *moov;
  gboolean first;
  guint64 moved_bytes;
} WeftMp4Fit;

void weft_mp4_fit_clear (WeftMp4Fit *fit);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftMp4Fit, weft_mp4_fit_clear)

gboolean weft_mp4_fit (const WeftMp4Moov *moov, guint64 media_start, guint64 media_end,
    guint64 reserve_bytes, guint64 movable_bytes, WeftMp4Fit *fit, GError **error);

gboolean weft_mp4_room_for (guint64 frames, gint fps_n, gint fps_d, guint64 samples,
    const WeftMp4Upstream *upstream, guint64 *bytes);

G_END_DECLS
