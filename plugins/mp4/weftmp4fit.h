/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftmp4moov.h"

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

guint64 weft_mp4_estimate_bytes (
    guint64 video_frames, guint64 video_ns, guint64 audio_packets, guint64 audio_ns);
guint64 weft_mp4_aac_packets (guint64 samples, guint64 priming_samples);

G_END_DECLS
