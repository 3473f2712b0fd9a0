/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the movie header goes, and how much room to keep for it. */

#include "weftmp4fit.h"

void
weft_mp4_fit_clear (WeftMp4Fit *fit)
{
  g_clear_pointer (&fit->moov, g_bytes_unref);
}

/* Tries to fill @room bytes with the header and, after it, a `free` box. Sets *out to NULL where
 * it does not fit, with *needed saying how large it is. */
static gboolean
fit_room (const WeftMp4Moov *moov, const WeftMp4Shift *shift, guint64 room, GBytes **out,
    guint64 *needed, GError **error)
{
  g_autoptr (GBytes) bytes = weft_mp4_moov_write (moov, shift, 0, error);
  guint64 rest;

  *out = NULL;
  if (bytes == NULL)
    return FALSE;
  *needed = g_bytes_get_size (bytes);
  if (*needed > room)
    return TRUE;
  rest = room - *needed;
  if (rest > 0 && rest < WEFT_MP4_BOX_HEADER_BYTES) {
    g_clear_pointer (&bytes, g_bytes_unref);
    bytes = weft_mp4_moov_write (moov, shift, (guint) rest, error);
    if (bytes == NULL)
      return FALSE;
  }
  *out = g_steal_pointer (&bytes);
  return TRUE;
}

/**
 * weft_mp4_fit:
 * @moov: a movie header after weft_mp4_moov_apply()
 * @media_start: offset of the first media byte in the input file
 * @media_end: offset after the last one
 * @reserve_bytes: room kept before the media data
 * @movable_bytes: how much of the first media data can still be written elsewhere
 * @fit: (out): where the header goes
 * @error: return location
 *
 * Finds the place for the header: in the room that was kept; or there and in the place of the first
 * chunks, which then go behind the rest; or after all media data.
 *
 * Returns: %FALSE with %GST_STREAM_ERROR where the header cannot be written at all
 */
gboolean
weft_mp4_fit (const WeftMp4Moov *moov, guint64 media_start, guint64 media_end,
    guint64 reserve_bytes, guint64 movable_bytes, WeftMp4Fit *fit, GError **error)
{
  WeftMp4Shift shift = { 0, 0, (gint64) reserve_bytes };
  guint64 needed;

  *fit = (WeftMp4Fit){ NULL, TRUE, 0 };
  if (!fit_room (moov, &shift, reserve_bytes, &fit->moov, &needed, error))
    return FALSE;
  while (fit->moov == NULL) {
    guint64 short_of = needed - (reserve_bytes + fit->moved_bytes);
    guint64 cut =
        weft_mp4_moov_next_chunk_start (moov, media_start + fit->moved_bytes + short_of, media_end);

    if (cut - media_start > movable_bytes || needed > reserve_bytes + (cut - media_start)) {
      *fit = (WeftMp4Fit){ NULL, FALSE, 0 };
      shift = (WeftMp4Shift){ 0, 0, (gint64) reserve_bytes };
      fit->moov = weft_mp4_moov_write (moov, &shift, 0, error);
      return fit->moov != NULL;
    }
    fit->moved_bytes = cut - media_start;
    shift = (WeftMp4Shift){ cut, (gint64) (media_end - media_start + reserve_bytes),
      (gint64) reserve_bytes };
    /* A chunk that moves past 4 GiB makes the header grow again. */
    if (!fit_room (moov, &shift, reserve_bytes + fit->moved_bytes, &fit->moov, &needed, error))
      return FALSE;
  }
  return TRUE;
}

/* The sizes mp4mux 1.22 and weftmp4write.c write, in bytes; see docs/design/0005-mp4-layout.md. */
#define FIXED_BYTES 4096             /* all that does not grow, codec data and tags */
#define FRAME_BYTES 16               /* stsz 4, ctts 8, stss 4 */
#define PACKET_BYTES 4               /* stsz 4 */
#define CHUNK_BYTES 20               /* stsc 12, co64 8 */
#define CHUNK_NS (250 * GST_MSECOND) /* mp4mux's interleave-time */
#define AAC_PACKET_SAMPLES 1024

/* What an upstream that only guesses its duration can cost. */
#define GUESSED_MAX_BYTES (32 * 1024 * 1024)

#define USUAL_FPS_N 30
#define USUAL_RATE 48000

/* A chunk ends once it is longer than interleave-time; two of them may be shorter. */
static guint64
chunks_in (guint64 duration_ns)
{
  return duration_ns / CHUNK_NS + 2;
}

/**
 * weft_mp4_room_for:
 * @frames: frames there will be, 0 = unknown
 * @fps_n: their rate, 0 = as upstream says
 * @fps_d: its denominator
 * @samples: samples there will be, 0 = unknown
 * @upstream: what is known of the streams
 * @bytes: (out): room that the movie header will not exceed
 *
 * Returns: %FALSE if no length is known at all
 */
gboolean
weft_mp4_room_for (guint64 frames, gint fps_n, gint fps_d, guint64 samples,
    const WeftMp4Upstream *upstream, guint64 *bytes)
{
  /* Where no muxer was found, one track of each kind is expected. */
  guint64 video_tracks = upstream->has_muxer ? upstream->video_tracks : 1;
  guint64 audio_tracks = upstream->has_muxer ? upstream->audio_tracks : 1;
  guint rate = upstream->audio_rate > 0 ? upstream->audio_rate : USUAL_RATE;
  gboolean guessed = frames == 0 && samples == 0;
  GstClockTime video_ns = GST_CLOCK_TIME_NONE, audio_ns = GST_CLOCK_TIME_NONE, known_ns;
  guint64 packets;

  if (fps_n <= 0) {
    fps_n = upstream->fps_n > 0 ? upstream->fps_n : USUAL_FPS_N;
    fps_d = upstream->fps_n > 0 ? upstream->fps_d : 1;
  }
  if (frames != 0)
    video_ns = gst_util_uint64_scale (frames, (guint64) fps_d * GST_SECOND, (guint64) fps_n);
  if (samples != 0)
    audio_ns = gst_util_uint64_scale (samples, GST_SECOND, rate);
  /* A track of unknown length is as long as what is known best. */
  known_ns = GST_CLOCK_TIME_IS_VALID (video_ns)   ? video_ns
             : GST_CLOCK_TIME_IS_VALID (audio_ns) ? audio_ns
                                                  : upstream->duration_ns;
  if (!GST_CLOCK_TIME_IS_VALID (known_ns))
    return FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (video_ns))
    video_ns = known_ns;
  if (!GST_CLOCK_TIME_IS_VALID (audio_ns))
    audio_ns = known_ns;
  if (frames == 0)
    frames = gst_util_uint64_scale_ceil (video_ns, (guint64) fps_n, (guint64) fps_d * GST_SECOND);
  if (samples == 0)
    samples = gst_util_uint64_scale_ceil (audio_ns, rate, GST_SECOND);
  /* One more than the samples fill, as encoders flush a last one. */
  packets =
      (samples + upstream->audio_priming_samples + AAC_PACKET_SAMPLES - 1) / AAC_PACKET_SAMPLES + 1;

  *bytes = FIXED_BYTES + video_tracks * (FRAME_BYTES * frames + CHUNK_BYTES * chunks_in (video_ns))
           + audio_tracks * (PACKET_BYTES * packets + CHUNK_BYTES * chunks_in (audio_ns));
  if (guessed)
    *bytes = MIN (*bytes, GUESSED_MAX_BYTES);
  return TRUE;
}
