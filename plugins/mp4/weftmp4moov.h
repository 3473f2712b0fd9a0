/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Reads the `moov` box that GStreamer's mp4mux wrote and writes it again with exact timing and
 * moved chunk offsets. Pure: no element, no pads, no files. Box and field names are those of
 * ISO/IEC 14496-12. */

typedef struct _WeftMp4Moov WeftMp4Moov;

/**
 * WeftMp4MoovSettings:
 * @audio_priming_samples: samples at the head of each audio track that the encoder put before
 *   the first real one
 * @audio_samples: exact length of each audio track after the priming; 0 keeps what there is
 * @fps_n: numerator of the frame grid that video timestamps are put on; 0 leaves them alone
 * @fps_d: denominator of the frame grid
 */
typedef struct {
  guint64 audio_priming_samples;
  guint64 audio_samples;
  gint fps_n;
  gint fps_d;
} WeftMp4MoovSettings;

/**
 * WeftMp4Shift:
 * @cut: chunks that begin before this offset of the input file move by @delta_before_cut
 * @delta_before_cut: added to the offset of chunks before @cut
 * @delta: added to the offset of all other chunks
 *
 * Where the media data goes.
 */
typedef struct {
  guint64 cut;
  gint64 delta_before_cut;
  gint64 delta;
} WeftMp4Shift;

/**
 * WeftMp4MoovInfo:
 * @video_frames: frames of the first video track
 * @audio_packets: packets of the first audio track that are presented
 * @audio_samples: samples of the first audio track that are presented
 * @audio_missing_samples: how many fewer that is than asked for
 * @has_video: there is a video track with frames in it
 * @has_audio: there is an audio track with samples in it
 * @on_grid: the video timestamps lie exactly on the frame grid that was asked for
 * @dropped_tracks: tracks left out because nothing was in them
 */
typedef struct {
  guint64 video_frames;
  guint64 audio_packets;
  guint64 audio_samples;
  guint64 audio_missing_samples;
  gboolean has_video;
  gboolean has_audio;
  gboolean on_grid;
  guint dropped_tracks;
} WeftMp4MoovInfo;

/* A `free` box cannot be smaller than its header. */
#define WEFT_MP4_BOX_HEADER_BYTES 8

WeftMp4Moov *weft_mp4_moov_new (GBytes *box, GError **error);
void weft_mp4_moov_free (WeftMp4Moov *moov);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMp4Moov, weft_mp4_moov_free)

gboolean weft_mp4_moov_is_fragmented (const WeftMp4Moov *moov);
gboolean
weft_mp4_moov_apply (WeftMp4Moov *moov, const WeftMp4MoovSettings *settings, GError **error);
void weft_mp4_moov_get_info (const WeftMp4Moov *moov, WeftMp4MoovInfo *info);
gboolean weft_mp4_moov_check_offsets (
    const WeftMp4Moov *moov, guint64 media_start, guint64 media_end, GError **error);
guint64 weft_mp4_moov_next_chunk_start (const WeftMp4Moov *moov, guint64 offset, guint64 media_end);
GBytes *weft_mp4_moov_write (
    const WeftMp4Moov *moov, const WeftMp4Shift *shift, guint padding_bytes, GError **error);

G_END_DECLS
