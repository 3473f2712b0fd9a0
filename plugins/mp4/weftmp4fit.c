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

/**
 * weft_mp4_aac_packets:
 * @samples: length of the sound
 * @priming_samples: what the encoder puts before it
 *
 * Returns: the most packets an AAC encoder makes of it
 */
guint64
weft_mp4_aac_packets (guint64 samples, guint64 priming_samples)
{
  /* One more than the samples fill, as encoders flush a last one. */
  return (samples + priming_samples + 1023) / 1024 + 1;
}

/* The sizes mp4mux 1.22 and this file write, in bytes; see docs/design/0005-mp4-layout.md. */
#define ESTIMATE_FIXED_BYTES 4096             /* all that does not grow, codec data and tags */
#define ESTIMATE_FRAME_BYTES 16               /* stsz 4, ctts 8, stss 4 */
#define ESTIMATE_PACKET_BYTES 4               /* stsz 4 */
#define ESTIMATE_CHUNK_BYTES 20               /* stsc 12, co64 8 */
#define ESTIMATE_CHUNK_NS (250 * GST_MSECOND) /* mp4mux's interleave-time */

/**
 * weft_mp4_estimate_bytes:
 * @video_frames: frames
 * @video_ns: length of the video
 * @audio_packets: packets of compressed audio
 * @audio_ns: length of the audio
 *
 * Returns: a size that the `moov` box of such a movie never exceeds
 */
guint64
weft_mp4_estimate_bytes (
    guint64 video_frames, guint64 video_ns, guint64 audio_packets, guint64 audio_ns)
{
  /* A chunk ends once it is longer than interleave-time; the last one may be shorter. */
  guint64 chunks = video_ns / ESTIMATE_CHUNK_NS + audio_ns / ESTIMATE_CHUNK_NS + 4;

  return ESTIMATE_FIXED_BYTES + ESTIMATE_FRAME_BYTES * video_frames
         + ESTIMATE_PACKET_BYTES * audio_packets + ESTIMATE_CHUNK_BYTES * chunks;
}
