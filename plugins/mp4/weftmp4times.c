/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Making the times of a movie header exact. */

#include "weftmp4moov-private.h"

/* Timestamps reach mp4mux in whole nanoseconds and are rounded twice; more than this many
 * ticks off the grid is no rounding but a stream that has another rate. */
#define GRID_TOLERANCE_TICKS 2

/* Audio timestamps may wander by clock rounding in elements upstream while the decoded samples
 * follow each other without a gap. 1 ms is far less than a lost packet. */
#define AUDIO_JITTER_DIVISOR 1000

/* Below this many ticks a second players show odd frame rates wrongly. */
#define MIN_VIDEO_TIMESCALE 10000

/* Timescales are read as signed 32-bit numbers by some players. */
#define MAX_TIMESCALE G_MAXINT32

/* Per-sample work is only done on tables of a believable length (77 hours at 60 fps). */
#define MAX_INDEXED_SAMPLES (1u << 24)

/* ---- making the times exact ---- */

guint64
weft_mp4_track_ticks (const Track *track)
{
  guint64 ticks = 0;

  for (guint i = 0; i < track->stts->len; i++) {
    const SttsRun *run = &g_array_index (track->stts, SttsRun, i);
    ticks += (guint64) run->count * run->delta;
  }
  return ticks;
}

static void
append_stts (GArray *stts, guint32 count, guint32 delta)
{
  SttsRun *last = stts->len > 0 ? &g_array_index (stts, SttsRun, stts->len - 1) : NULL;
  SttsRun run = { count, delta };

  if (count == 0)
    return;
  if (last != NULL && last->delta == delta)
    last->count += count;
  else
    g_array_append_val (stts, run);
}

static Edit *
track_media_edit (Track *track)
{
  Edit *last =
      track->edits->len > 0 ? &g_array_index (track->edits, Edit, track->edits->len - 1) : NULL;
  Edit edit = { 0 };

  if (last != NULL && !last->empty)
    return last;
  g_array_append_val (track->edits, edit);
  return &g_array_index (track->edits, Edit, track->edits->len - 1);
}

/* The delta that most samples have: the encoder's packet length, where there is one. */
static guint32
usual_delta (const Track *track)
{
  SttsRun best = { 0, 0 };

  for (guint i = 0; i < track->stts->len; i++) {
    const SttsRun *run = &g_array_index (track->stts, SttsRun, i);
    if (run->count > best.count)
      best = *run;
  }
  return best.delta;
}

/* Whether every packet but the last is @packet_ticks long, give or take clock rounding: no
 * timestamp may be further from its place in the row than @tolerance_ticks. */
static gboolean
is_regular (const Track *track, guint32 packet_ticks, guint64 tolerance_ticks)
{
  gint64 error_ticks = 0;

  for (guint i = 0; i < track->stts->len; i++) {
    const SttsRun *run = &g_array_index (track->stts, SttsRun, i);
    gboolean is_last = i + 1 == track->stts->len;
    gint64 counted = is_last ? (gint64) run->count - 1 : (gint64) run->count;

    error_ticks += counted * ((gint64) run->delta - (gint64) packet_ticks);
    if ((guint64) ABS (error_ticks) > tolerance_ticks)
      return FALSE;
  }
  return TRUE;
}

/* Forgets the last @drop samples; their bytes stay in the media data and nothing refers to them. */
static void
drop_last_samples (Track *track, guint64 drop)
{
  guint64 left = drop;

  track->samples -= drop;
  if (track->constant_bytes == 0)
    g_array_set_size (track->sizes, (guint) track->samples);
  while (left > 0 && track->stts->len > 0) {
    SttsRun *run = &g_array_index (track->stts, SttsRun, track->stts->len - 1);
    guint32 taken = (guint32) MIN (left, run->count);

    run->count -= taken;
    left -= taken;
    if (run->count == 0)
      g_array_set_size (track->stts, track->stts->len - 1);
  }

  left = drop;
  while (left > 0 && track->stsc->len > 0 && track->chunks->len > 0) {
    StscRun *run = &g_array_index (track->stsc, StscRun, track->stsc->len - 1);

    if (run->first_chunk > track->chunks->len) {
      g_array_set_size (track->stsc, track->stsc->len - 1);
    } else if (run->samples <= left) {
      left -= run->samples;
      g_array_set_size (track->chunks, track->chunks->len - 1);
    } else {
      StscRun tail = { track->chunks->len, run->samples - (guint32) left, run->description };

      left = 0;
      if (run->first_chunk == tail.first_chunk)
        run->samples = tail.samples;
      else
        g_array_append_val (track->stsc, tail);
    }
  }
  while (track->stsc->len > 0
         && g_array_index (track->stsc, StscRun, track->stsc->len - 1).first_chunk
                > track->chunks->len)
    g_array_set_size (track->stsc, track->stsc->len - 1);
}

static gboolean
to_ticks (const Track *track, guint64 samples, guint64 *ticks)
{
  guint32 rate = track->sample_rate != 0 ? track->sample_rate : track->timescale;

  if (rate == track->timescale)
    *ticks = samples;
  else
    *ticks = gst_util_uint64_scale_round (samples, track->timescale, rate);
  return *ticks < G_MAXINT64 / 4;
}

static gboolean
apply_audio (WeftMp4Moov *moov, Track *track, const WeftMp4MoovSettings *settings, GError **error)
{
  guint32 packet_ticks = usual_delta (track);
  guint64 tolerance = MAX (track->timescale / AUDIO_JITTER_DIVISOR, GRID_TOLERANCE_TICKS);
  guint64 priming, wanted, start, end, total;
  Edit *edit = track_media_edit (track);

  if (!to_ticks (track, settings->audio_priming_samples, &priming)
      || !to_ticks (track, settings->audio_samples, &wanted)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX,
        "audio-priming or audio-samples is larger than a track can be");
    return FALSE;
  }

  /* Decoders put packets end to end whatever their timestamps say, so the table says it too. */
  if (packet_ticks > 1 && is_regular (track, packet_ticks, tolerance)) {
    SttsRun *last = &g_array_index (track->stts, SttsRun, track->stts->len - 1);
    guint32 last_delta = MIN (last->delta, packet_ticks);

    /* The encoder shortens the duration of its last packet at will; what the decoder gets from
     * it is a whole packet. */
    if (wanted != 0)
      last_delta = packet_ticks;
    g_array_set_size (track->stts, 0);
    append_stts (track->stts, (guint32) (track->samples - 1), packet_ticks);
    append_stts (track->stts, 1, last_delta);
  }

  start = edit->media_time + priming;
  total = weft_mp4_track_ticks (track);
  if (total <= start) {
    track->dropped = TRUE;
    moov->info.audio_missing_samples = settings->audio_samples;
    return TRUE;
  }
  end = wanted != 0 ? MIN (start + wanted, total) : total;

  /* Packets that begin at or after the end, then the length of the one that holds the end. */
  while (total > end) {
    SttsRun *last = &g_array_index (track->stts, SttsRun, track->stts->len - 1);
    guint64 excess = total - end;
    guint64 whole = last->delta > 0 ? MIN (excess / last->delta, last->count) : last->count;

    if (whole > 0) {
      total -= whole * last->delta;
      drop_last_samples (track, whole);
    } else {
      guint32 shortened = last->delta - (guint32) excess;

      last->count--;
      if (last->count == 0)
        g_array_set_size (track->stts, track->stts->len - 1);
      append_stts (track->stts, 1, shortened);
      total = end;
    }
  }

  edit->media_time = start;
  edit->duration = end - start;
  /* ISO/IEC 14496-12, 10.1: a decoder that starts at packet n must be given packet n-1 too. */
  track->add_roll_group = track->is_aac && packet_ticks > 1;
  if (!moov->info.has_audio) {
    guint32 rate = track->sample_rate != 0 ? track->sample_rate : track->timescale;

    moov->info.has_audio = TRUE;
    moov->info.audio_packets = track->samples;
    moov->info.audio_samples = gst_util_uint64_scale_round (end - start, rate, track->timescale);
    if (settings->audio_samples > moov->info.audio_samples)
      moov->info.audio_missing_samples = settings->audio_samples - moov->info.audio_samples;
  }
  return TRUE;
}

static gboolean
round_to_grid (gint64 ticks, guint32 timescale, gint fps_n, gint fps_d, gint64 *frame)
{
  /* frame = ticks / timescale * n / d; the error is judged in ticks */
  gboolean negative = ticks < 0;
  guint64 magnitude = (guint64) ABS (ticks);
  guint64 per_second = (guint64) timescale * (guint64) fps_d;
  guint64 index = gst_util_uint64_scale_round (magnitude, (guint64) fps_n, per_second);
  guint64 back = gst_util_uint64_scale_round (index, per_second, (guint64) fps_n);
  guint64 off = back > magnitude ? back - magnitude : magnitude - back;

  *frame = negative ? -(gint64) index : (gint64) index;
  return off <= GRID_TOLERANCE_TICKS && index < G_MAXINT32;
}

/* Puts decoding and presentation times on multiples of fps_d in a timescale that is a multiple of
 * fps_n. Leaves the track as it is where a timestamp lies elsewhere. */
static gboolean
snap_video (Track *track, gint fps_n, gint fps_d)
{
  g_autoptr (GArray) stts = g_array_new (FALSE, FALSE, sizeof (SttsRun));
  g_autoptr (GArray) ctts = track->ctts ? g_array_new (FALSE, FALSE, sizeof (CttsRun)) : NULL;
  guint64 multiple = ((guint64) MIN_VIDEO_TIMESCALE + fps_n - 1) / (guint64) fps_n;
  guint64 timescale, frame_ticks;
  guint stts_index = 0, ctts_index = 0;
  guint32 stts_used = 0, ctts_used = 0;
  gint64 dts = 0, previous_frame = 0, media_frame = 0;
  Edit *edit = track_media_edit (track);

  /* A scale that mp4mux chose well is kept: 3000 for 30 fps shows as such in every tool. */
  if (((guint64) track->timescale * fps_d) % (guint64) fps_n == 0) {
    timescale = track->timescale;
    frame_ticks = (guint64) track->timescale * fps_d / (guint64) fps_n;
  } else {
    timescale = multiple * (guint64) fps_n;
    frame_ticks = multiple * (guint64) fps_d;
  }
  if (track->samples > MAX_INDEXED_SAMPLES || timescale > MAX_TIMESCALE || frame_ticks > G_MAXINT32
      || frame_ticks == 0
      || !round_to_grid ((gint64) edit->media_time, track->timescale, fps_n, fps_d, &media_frame))
    return FALSE;

  for (guint64 i = 0; i < track->samples; i++) {
    const SttsRun *stts_run = &g_array_index (track->stts, SttsRun, stts_index);
    gint64 dts_frame, pts_frame, offset = 0;

    if (ctts != NULL) {
      while (ctts_used == g_array_index (track->ctts, CttsRun, ctts_index).count) {
        ctts_index++;
        ctts_used = 0;
      }
      offset = g_array_index (track->ctts, CttsRun, ctts_index).offset;
      ctts_used++;
    }
    while (stts_used == stts_run->count) {
      stts_run = &g_array_index (track->stts, SttsRun, ++stts_index);
      stts_used = 0;
    }
    stts_used++;

    if (!round_to_grid (dts, track->timescale, fps_n, fps_d, &dts_frame)
        || !round_to_grid (dts + offset, track->timescale, fps_n, fps_d, &pts_frame))
      return FALSE;
    if (i > 0) {
      guint64 delta = (guint64) (dts_frame - previous_frame) * frame_ticks;

      if (dts_frame <= previous_frame || delta > G_MAXUINT32)
        return FALSE;
      append_stts (stts, 1, (guint32) delta);
    }
    if (ctts != NULL) {
      gint64 ticks = (pts_frame - dts_frame) * (gint64) frame_ticks;
      CttsRun *last = ctts->len > 0 ? &g_array_index (ctts, CttsRun, ctts->len - 1) : NULL;

      if (ticks > G_MAXINT32 || ticks < G_MININT32)
        return FALSE;
      if (last != NULL && last->offset == ticks) {
        last->count++;
      } else {
        CttsRun run = { 1, (gint32) ticks };
        g_array_append_val (ctts, run);
      }
    }
    previous_frame = dts_frame;
    dts += stts_run->delta;
  }
  /* The last frame stands for as long as every other one. */
  append_stts (stts, 1, (guint32) frame_ticks);

  track->timescale = (guint32) timescale;
  g_array_unref (track->stts);
  track->stts = g_steal_pointer (&stts);
  if (track->ctts != NULL) {
    g_array_unref (track->ctts);
    track->ctts = g_steal_pointer (&ctts);
  }
  edit->media_time = (guint64) media_frame * frame_ticks;
  return TRUE;
}

/* From the first presented tick to the end of the frame shown last. */
static guint64
video_end_ticks (const Track *track)
{
  guint ctts_index = 0;
  guint32 ctts_used = 0;
  gint64 dts = 0, end = 0;

  if (track->ctts == NULL || track->samples > MAX_INDEXED_SAMPLES)
    return weft_mp4_track_ticks (track);
  for (guint i = 0; i < track->stts->len; i++) {
    const SttsRun *run = &g_array_index (track->stts, SttsRun, i);

    for (guint32 k = 0; k < run->count; k++) {
      gint64 sample_end;

      while (ctts_used == g_array_index (track->ctts, CttsRun, ctts_index).count) {
        ctts_index++;
        ctts_used = 0;
      }
      sample_end = dts + g_array_index (track->ctts, CttsRun, ctts_index).offset + run->delta;
      ctts_used++;
      end = MAX (end, sample_end);
      dts += run->delta;
    }
  }
  return (guint64) end;
}

static void
apply_video (WeftMp4Moov *moov, Track *track, const WeftMp4MoovSettings *settings)
{
  gboolean on_grid = FALSE;
  guint64 end;
  Edit *edit;

  if (settings->fps_n > 0 && settings->fps_d > 0)
    on_grid = snap_video (track, settings->fps_n, settings->fps_d);
  edit = track_media_edit (track);
  end = video_end_ticks (track);
  edit->duration = end > edit->media_time ? end - edit->media_time : 0;
  if (!moov->info.has_video) {
    moov->info.has_video = TRUE;
    moov->info.video_frames = track->samples;
    moov->info.on_grid = on_grid;
  }
}

static guint64
least_common_multiple (guint64 a, guint64 b)
{
  guint64 x = a, y = b;

  while (y != 0) {
    guint64 rest = x % y;
    x = y;
    y = rest;
  }
  return a / x * b;
}

/* A movie timescale in which every track's presented duration is a whole number; where there is
 * none that fits in 31 bits, the finest track's own. */
static guint32
choose_movie_timescale (const WeftMp4Moov *moov)
{
  guint64 scale = 1;
  guint32 finest = 1;

  for (guint i = 0; i < moov->tracks->len; i++) {
    const Track *track = g_ptr_array_index (moov->tracks, i);
    const Edit *edit;
    guint64 ticks, divisor;

    if (track->dropped || track->edits->len == 0)
      continue;
    edit = &g_array_index (track->edits, Edit, track->edits->len - 1);
    finest = MAX (finest, track->timescale);
    /* For video the frame's length divides everything; for audio there is no such luck. */
    ticks = track->handler == HANDLER_SOUN ? 1 : edit->duration;
    divisor = ticks == 0 ? track->timescale
                         : (guint64) track->timescale * ticks
                               / least_common_multiple (track->timescale, ticks);
    scale = least_common_multiple (scale, track->timescale / divisor);
    if (scale > MAX_TIMESCALE)
      return finest;
  }
  /* Small scales cannot express a later edit well. */
  while (scale < 600)
    scale *= 2;
  return (guint32) scale;
}

/**
 * weft_mp4_moov_apply:
 * @moov: a movie header that is not fragmented
 * @settings: what the times shall be
 * @error: return location
 *
 * Makes all times exact: audio packets end to end, the priming skipped and the length cut by the
 * edit list, video on its frame grid, durations of tracks and movie. To be called once.
 *
 * Returns: %FALSE with a %GST_STREAM_ERROR where the settings cannot be met
 */
gboolean
weft_mp4_moov_apply (WeftMp4Moov *moov, const WeftMp4MoovSettings *settings, GError **error)
{
  guint kept = 0;

  g_return_val_if_fail (!moov->fragmented, FALSE);
  for (guint i = 0; i < moov->tracks->len; i++) {
    Track *track = g_ptr_array_index (moov->tracks, i);

    if (track->samples == 0)
      track->dropped = TRUE;
    else if (track->handler == HANDLER_SOUN && !apply_audio (moov, track, settings, error))
      return FALSE;
    else if (track->handler == HANDLER_VIDE)
      apply_video (moov, track, settings);
    else if (track->handler != HANDLER_SOUN) {
      Edit *edit = track_media_edit (track);
      guint64 ticks = weft_mp4_track_ticks (track);
      edit->duration = ticks > edit->media_time ? ticks - edit->media_time : 0;
    }
    if (track->dropped)
      moov->info.dropped_tracks++;
    else
      kept++;
  }
  if (kept == 0) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX, "no track has anything in it");
    return FALSE;
  }

  moov->new_timescale = choose_movie_timescale (moov);
  moov->new_duration = 0;
  for (guint i = 0; i < moov->tracks->len; i++) {
    Track *track = g_ptr_array_index (moov->tracks, i);

    track->presented_ticks = 0;
    if (track->dropped)
      continue;
    for (guint k = 0; k < track->edits->len; k++) {
      Edit *edit = &g_array_index (track->edits, Edit, k);

      edit->duration = gst_util_uint64_scale_round (
          edit->duration, moov->new_timescale, edit->empty ? moov->timescale : track->timescale);
      track->presented_ticks += edit->duration;
    }
    moov->new_duration = MAX (moov->new_duration, track->presented_ticks);
  }
  return TRUE;
}
