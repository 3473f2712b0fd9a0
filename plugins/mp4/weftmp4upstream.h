/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * WeftMp4Upstream:
 * @known: the rest has been filled in
 * @has_muxer: a muxer was found
 * @video_tracks: video pads of the muxer
 * @audio_tracks: audio pads of the muxer
 * @fps_n: frame rate of the first video pad, 0 where it is not fixed
 * @fps_d: its denominator
 * @audio_rate: sample rate of the first audio pad, 0 where unknown
 * @audio_priming_samples: what the audio encoder found upstream puts before the first sample
 * @duration_ns: the longest duration upstream answers, %GST_CLOCK_TIME_NONE where none does
 *
 * What can be learnt from the elements before a pad.
 */
typedef struct {
  gboolean known;
  gboolean has_muxer;
  guint video_tracks;
  guint audio_tracks;
  gint fps_n, fps_d;
  guint audio_rate;
  guint64 audio_priming_samples;
  GstClockTime duration_ns;
} WeftMp4Upstream;

void weft_mp4_upstream_inspect (GstPad *sinkpad, WeftMp4Upstream *upstream);

G_END_DECLS
