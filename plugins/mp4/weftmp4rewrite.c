/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What mp4layout makes of the bytes that mp4mux writes: the states that a file goes through, from
 * its first box to the movie header in its place. All of it runs on the muxer's streaming thread.
 */

#include "weftmp4layout-private.h"

#include <string.h>

#include "weftmp4bytes.h"
#include "weftmp4fit.h"
#include "weftmp4prologue.h"

GST_DEBUG_CATEGORY_EXTERN (weft_mp4_layout_debug);
#define GST_CAT_DEFAULT weft_mp4_layout_debug

/* Enough for the header of seven minutes at 30 frames a second; what it falls short of is made up
 * by moving the first chunks, see weft_mp4_fit(). */
#define RESERVE_UNKNOWN_BYTES (256 * 1024)

/* How much of the first media data is kept in memory so that it could still be moved. */
#define HEAD_KNOWN_BYTES (512 * 1024)
#define HEAD_UNKNOWN_BYTES (4 * 1024 * 1024)

/* Boxes after the movie header: XMP and the like. */
#define EPILOGUE_MAX_BYTES (16u * 1024 * 1024)

#define BOX_MDAT WEFT_MP4_FOURCC ('m', 'd', 'a', 't')
#define BOX_MOOV WEFT_MP4_FOURCC ('m', 'o', 'o', 'v')
#define BOX_MVHD WEFT_MP4_FOURCC ('m', 'v', 'h', 'd')

/* Row: from. Column: to. WEFT_MP4_STATE_PROLOGUE is entered from anywhere by a reset. */
static const gboolean legal_moves[WEFT_MP4_N_STATES][WEFT_MP4_N_STATES] = {
  [WEFT_MP4_STATE_PROLOGUE] = { [WEFT_MP4_STATE_MEDIA] = 1,
      [WEFT_MP4_STATE_BOXES] = 1,
      [WEFT_MP4_STATE_PASS] = 1,
      [WEFT_MP4_STATE_FAILED] = 1 },
  [WEFT_MP4_STATE_MEDIA] = { [WEFT_MP4_STATE_HOLD] = 1, [WEFT_MP4_STATE_FAILED] = 1 },
  [WEFT_MP4_STATE_HOLD] = { [WEFT_MP4_STATE_MEDIA] = 1,
      [WEFT_MP4_STATE_DONE] = 1,
      [WEFT_MP4_STATE_FAILED] = 1 },
  [WEFT_MP4_STATE_BOXES] = { [WEFT_MP4_STATE_FAILED] = 1 },
  [WEFT_MP4_STATE_PASS] = { [WEFT_MP4_STATE_FAILED] = 1 },
  [WEFT_MP4_STATE_DONE] = { [WEFT_MP4_STATE_FAILED] = 1 },
};

/* ---- state ---- */

static void
set_state (WeftMp4Layout *self, WeftMp4LayoutState state)
{
  g_assert (legal_moves[self->state][state]);
  GST_DEBUG_OBJECT (self, "state %d to %d", self->state, state);
  self->state = state;
}

/* Back to a file of which nothing is known. */
void
weft_mp4_layout_reset (WeftMp4Layout *self)
{
  self->state = WEFT_MP4_STATE_PROLOGUE;
  gst_adapter_clear (self->held);
  gst_clear_event (&self->segment);
  self->in_position = self->in_end = 0;
  self->out = (WeftMp4Output){ self->srcpad, 0, FALSE };
  self->reserve = self->mdat_position = self->hold_position = 0;
  weft_mp4_head_clear (&self->head, 0);
  self->box_left = self->media_bytes = 0;
  g_clear_pointer (&self->early_moov, g_bytes_unref);
  self->moov_written = FALSE;
  memset (&self->upstream, 0, sizeof self->upstream);
}

static GstFlowReturn
fail_from (WeftMp4Layout *self, const GError *reason)
{
  set_state (self, WEFT_MP4_STATE_FAILED);
  GST_ELEMENT_ERROR (self, STREAM, MUX, ("The MP4 file cannot be laid out: %s.", reason->message),
      ("mp4layout reads only what mp4mux writes"));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
fail (WeftMp4Layout *self, const gchar *reason)
{
  set_state (self, WEFT_MP4_STATE_FAILED);
  GST_ELEMENT_ERROR (self, STREAM, MUX, ("The MP4 file cannot be laid out: %s.", reason), (NULL));
  return GST_FLOW_ERROR;
}

static GBytes *
take_held_bytes (WeftMp4Layout *self, gsize size)
{
  return g_bytes_new_take (gst_adapter_take (self->held, size), size);
}

/* ---- the movie header ---- */

static WeftMp4Moov *
read_moov (WeftMp4Layout *self, GBytes *bytes, GError **error)
{
  g_autoptr (WeftMp4Moov) moov = weft_mp4_moov_new (bytes, error);
  WeftMp4MoovSettings settings = { 0 };

  if (moov == NULL || weft_mp4_moov_is_fragmented (moov))
    return g_steal_pointer (&moov);
  GST_OBJECT_LOCK (self);
  settings.audio_samples = self->audio_samples;
  settings.audio_priming_samples = self->audio_priming >= 0 ? (guint64) self->audio_priming
                                                            : self->upstream.audio_priming_samples;
  settings.fps_n = self->fps_n > 0 ? self->fps_n : self->upstream.fps_n;
  settings.fps_d = self->fps_n > 0 ? self->fps_d : self->upstream.fps_d;
  GST_OBJECT_UNLOCK (self);
  if (!weft_mp4_moov_apply (moov, &settings, error))
    return NULL;
  return g_steal_pointer (&moov);
}

/* Takes the held header apart from what follows it, reads it and finds its place. */
static gboolean
place_moov (WeftMp4Layout *self, guint64 media_start, guint64 media_end, WeftMp4Fit *fit,
    WeftMp4MoovInfo *info, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (WeftMp4Moov) moov = NULL;
  guint8 header[4];
  gsize size;

  gst_adapter_copy (self->held, header, 0, sizeof header);
  size = weft_get_uint32 (header);
  if (size > gst_adapter_available (self->held)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX, "the movie header is not complete");
    return FALSE;
  }
  bytes = take_held_bytes (self, size);
  moov = read_moov (self, bytes, error);
  if (moov == NULL)
    return FALSE;
  if (weft_mp4_moov_is_fragmented (moov)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX,
        "mp4mux writes fragments after its header; set fragment-duration=0");
    return FALSE;
  }
  weft_mp4_moov_get_info (moov, info);
  return weft_mp4_moov_check_offsets (moov, media_start, media_end, error)
         && weft_mp4_fit (
             moov, media_start, media_end, self->reserve, self->head.bytes, fit, error);
}

/* First what belongs at the end, then the size of the media data, the header last: a file that is
 * cut off in between has either no header or a right one. Takes @patch. */
static GstFlowReturn
write_end (WeftMp4Layout *self, const WeftMp4Fit *fit, guint64 media_end, GstBuffer *patch)
{
  g_autoptr (GstBuffer) mdat_header = patch;
  guint64 end = media_end + self->reserve + fit->moved_bytes;
  guint64 moov_bytes = g_bytes_get_size (fit->moov);
  guint64 room = self->reserve + fit->moved_bytes;
  gsize epilogue = gst_adapter_available (self->held);
  GstFlowReturn flow =
      weft_mp4_head_push (&self->head, &self->out, media_end + self->reserve, fit->moved_bytes);

  if (flow == GST_FLOW_OK && !fit->first) {
    flow = weft_mp4_output_push_bytes (&self->out, end, fit->moov);
    end += moov_bytes;
  }
  if (flow == GST_FLOW_OK && epilogue > 0)
    flow = weft_mp4_output_push (&self->out, end, gst_adapter_take_buffer (self->held, epilogue));
  if (flow == GST_FLOW_OK)
    flow = weft_mp4_output_push (
        &self->out, self->mdat_position + room, g_steal_pointer (&mdat_header));
  if (flow == GST_FLOW_OK && fit->first && moov_bytes < room)
    flow = weft_mp4_output_push_free_header (
        &self->out, self->mdat_position + moov_bytes, room - moov_bytes);
  if (flow == GST_FLOW_OK && fit->first)
    flow = weft_mp4_output_push_bytes (&self->out, self->mdat_position, fit->moov);
  return flow;
}

/* mp4mux has gone back to state the size of the media data: all of the file is known now. Takes
 * @patch. */
static GstFlowReturn
finish_file (WeftMp4Layout *self, GstBuffer *patch)
{
  g_autoptr (GstBuffer) mdat_header = patch;
  g_autoptr (GError) error = NULL;
  g_auto (WeftMp4Fit) fit = { 0 };
  guint8 place[WEFT_MP4_MDAT_PLACE_BYTES];
  guint64 media_start = self->mdat_position + WEFT_MP4_MDAT_PLACE_BYTES, media_end, moov_bytes;
  WeftMp4MoovInfo info;
  GstFlowReturn flow;

  gst_buffer_extract (patch, 0, place, sizeof place);
  if (!weft_mp4_parse_mdat_place (place, &self->media_bytes)
      || !g_uint64_checked_add (&media_end, media_start, self->media_bytes)
      || media_end != self->hold_position)
    return fail (self, "the size of the media data is not what went by");
  if (!place_moov (self, media_start, media_end, &fit, &info, &error))
    return fail_from (self, error);
  flow = write_end (self, &fit, media_end, g_steal_pointer (&mdat_header));
  if (flow != GST_FLOW_OK)
    return flow;

  set_state (self, WEFT_MP4_STATE_DONE);
  self->moov_written = TRUE;
  weft_mp4_head_close (&self->head);
  moov_bytes = g_bytes_get_size (fit.moov);
  weft_mp4_layout_publish_stats (self, &info, moov_bytes,
      self->reserve + fit.moved_bytes - (fit.first ? moov_bytes : 0), fit.moved_bytes, fit.first);
  if (!fit.first)
    GST_ELEMENT_WARNING (self, STREAM, MUX,
        ("The movie header is at the end of the file: it has %" G_GUINT64_FORMAT
         " bytes and %" G_GUINT64_FORMAT " were reserved.",
            moov_bytes, self->reserve),
        ("set reserve-bytes, or video-frames and audio-samples"));
  return GST_FLOW_OK;
}

/* ---- media data of unknown length ---- */

static void
choose_reserve (WeftMp4Layout *self)
{
  guint64 frames, samples, wanted, bytes;
  gint fps_n, fps_d;

  GST_OBJECT_LOCK (self);
  wanted = self->reserve_bytes;
  frames = self->video_frames;
  samples = self->audio_samples;
  fps_n = self->fps_n;
  fps_d = self->fps_d;
  GST_OBJECT_UNLOCK (self);

  weft_mp4_head_clear (&self->head, HEAD_KNOWN_BYTES);
  if (wanted != 0) {
    self->reserve = MAX (wanted, WEFT_MP4_BOX_HEADER_BYTES);
  } else if (weft_mp4_room_for (frames, fps_n, fps_d, samples, &self->upstream, &bytes)) {
    self->reserve = MIN (bytes, WEFT_MP4_RESERVE_MAX_BYTES);
  } else {
    self->reserve = RESERVE_UNKNOWN_BYTES;
    weft_mp4_head_clear (&self->head, HEAD_UNKNOWN_BYTES);
  }
}

static GstFlowReturn
push_media (WeftMp4Layout *self, GstBuffer *buffer, guint64 in_position)
{
  weft_mp4_head_keep (&self->head, buffer);
  return weft_mp4_output_push (&self->out, in_position + self->reserve, buffer);
}

/* mp4mux writes its header with one buffer, so nothing else need be looked at. A sample that looks
 * the same by chance is given back by the next such one, or by what follows it. */
static gboolean
looks_like_moov (GstBuffer *buffer)
{
  guint8 start[16];

  return gst_buffer_extract (buffer, 0, start, sizeof start) == sizeof start
         && weft_get_uint32 (start + 4) == BOX_MOOV
         && weft_get_uint32 (start) == gst_buffer_get_size (buffer)
         && weft_get_uint32 (start + 12) == BOX_MVHD;
}

static GstFlowReturn
release_held_media (WeftMp4Layout *self)
{
  gsize size = gst_adapter_available (self->held);
  GstBuffer *buffer = gst_adapter_take_buffer_fast (self->held, size);

  set_state (self, WEFT_MP4_STATE_MEDIA);
  return push_media (self, buffer, self->hold_position);
}

static GstFlowReturn
handle_media (WeftMp4Layout *self, GstBuffer *buffer)
{
  guint64 position = self->in_position;
  gsize size = gst_buffer_get_size (buffer);
  gboolean appends = position == self->in_end;
  GstFlowReturn flow = GST_FLOW_OK;

  if (position == self->mdat_position && size == WEFT_MP4_MDAT_PLACE_BYTES) {
    if (self->state == WEFT_MP4_STATE_HOLD)
      return finish_file (self, buffer);
    gst_buffer_unref (buffer);
    return fail (self, "mp4mux states the size of the media data before its end, as it does for "
                       "fragments; set fragment-duration=0");
  }
  if (!appends) {
    /* Media data written again (a timecode): what was kept of it is no longer right. */
    if (self->state == WEFT_MP4_STATE_HOLD
        || position < self->mdat_position + WEFT_MP4_MDAT_PLACE_BYTES
        || position + size > self->in_end) {
      gst_buffer_unref (buffer);
      return fail (self, "mp4mux wrote where only headers can be");
    }
    weft_mp4_head_close (&self->head);
    self->in_position += size;
    return weft_mp4_output_push (&self->out, position + self->reserve, buffer);
  }

  self->in_position += size;
  self->in_end = self->in_position;
  if (looks_like_moov (buffer)) {
    if (self->state == WEFT_MP4_STATE_HOLD)
      flow = release_held_media (self);
    set_state (self, WEFT_MP4_STATE_HOLD);
    self->hold_position = position;
    self->hold_moov_bytes = size;
    gst_adapter_push (self->held, buffer);
    return flow;
  }
  if (self->state == WEFT_MP4_STATE_MEDIA)
    return push_media (self, buffer, position);
  gst_adapter_push (self->held, buffer);
  if (gst_adapter_available (self->held) - self->hold_moov_bytes > EPILOGUE_MAX_BYTES)
    return release_held_media (self);
  return GST_FLOW_OK;
}

/* ---- boxes of known length ---- */

/* A header that came first moves the media data by what it grows; growing chunk offsets to
 * 64 bits may grow it once more. */
static GstFlowReturn
push_early_moov (WeftMp4Layout *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) written = NULL;
  g_autoptr (WeftMp4Moov) moov = read_moov (self, self->early_moov, &error);
  WeftMp4Shift shift = { 0, 0, 0 };
  WeftMp4MoovInfo info;

  if (moov == NULL)
    return fail_from (self, error);
  for (;;) {
    gint64 growth;

    written = weft_mp4_moov_write (moov, &shift, 0, &error);
    if (written == NULL)
      return fail_from (self, error);
    growth = (gint64) g_bytes_get_size (written) - (gint64) g_bytes_get_size (self->early_moov);
    if (growth == shift.delta)
      break;
    shift.delta = growth;
    g_clear_pointer (&written, g_bytes_unref);
  }
  weft_mp4_moov_get_info (moov, &info);
  self->moov_written = TRUE;
  weft_mp4_layout_publish_stats (self, &info, g_bytes_get_size (written), 0, 0, TRUE);
  return weft_mp4_output_push_bytes (&self->out, self->out.position, written);
}

static GstFlowReturn
push_late_moov (WeftMp4Layout *self, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = take_held_bytes (self, size);
  g_autoptr (GBytes) written = NULL;
  g_autoptr (WeftMp4Moov) moov = read_moov (self, bytes, &error);
  WeftMp4Shift shift = { 0, 0, 0 };
  WeftMp4MoovInfo info;
  GstFlowReturn flow;

  if (moov == NULL)
    return fail_from (self, error);
  if (weft_mp4_moov_is_fragmented (moov))
    return fail (self, "a fragmented movie header follows media data");
  written = weft_mp4_moov_write (moov, &shift, 0, &error);
  if (written == NULL)
    return fail_from (self, error);
  weft_mp4_moov_get_info (moov, &info);
  flow = weft_mp4_output_push_bytes (&self->out, self->out.position, written);
  self->moov_written = TRUE;
  weft_mp4_layout_publish_stats (self, &info, g_bytes_get_size (written), 0, 0, FALSE);
  GST_ELEMENT_WARNING (self, STREAM, MUX,
      ("The movie header is at the end of the file: downstream cannot seek."),
      ("use a sink that can, such as filesink, or faststart=true on mp4mux"));
  return flow;
}

static GstFlowReturn
drain_boxes (WeftMp4Layout *self)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && gst_adapter_available (self->held) > 0) {
    gsize available = gst_adapter_available (self->held), header_size;
    guint8 header[WEFT_MP4_MDAT_PLACE_BYTES];
    guint32 type;
    guint64 size;

    if (self->box_left > 0) {
      gsize part = (gsize) MIN (self->box_left, available);

      self->box_left -= part;
      flow = weft_mp4_output_push (
          &self->out, self->out.position, gst_adapter_take_buffer_fast (self->held, part));
      continue;
    }
    if (available < WEFT_MP4_BOX_HEADER_BYTES)
      break;
    gst_adapter_copy (self->held, header, 0, WEFT_MP4_BOX_HEADER_BYTES);
    size = weft_get_uint32 (header);
    type = weft_get_uint32 (header + 4);
    header_size = WEFT_MP4_BOX_HEADER_BYTES;
    if (size == 1) {
      if (available < WEFT_MP4_MDAT_PLACE_BYTES)
        break;
      gst_adapter_copy (self->held, header, 0, WEFT_MP4_MDAT_PLACE_BYTES);
      size = weft_get_uint64 (header + 8);
      header_size = WEFT_MP4_MDAT_PLACE_BYTES;
    }
    if (size < header_size)
      return fail (self, "a box has an impossible size");
    if (type == BOX_MOOV && !self->moov_written) {
      if (size > WEFT_MP4_MOOV_MAX_BYTES)
        return fail (self, "the movie header is too large");
      if (available < size)
        break;
      flow = push_late_moov (self, (gsize) size);
      continue;
    }
    if (type == BOX_MDAT)
      self->media_bytes += size - header_size;
    self->box_left = size;
  }
  return flow;
}

/* ---- the beginning ---- */

static GstFlowReturn
start_passing (WeftMp4Layout *self, const gchar *reason)
{
  gsize held = gst_adapter_available (self->held);
  GstFlowReturn flow = GST_FLOW_OK;

  set_state (self, WEFT_MP4_STATE_PASS);
  GST_ELEMENT_WARNING (self, STREAM, MUX, ("The MP4 file goes through unchanged: %s.", reason),
      ("edit lists and layout are mp4mux's own"));
  if (self->segment != NULL)
    gst_pad_push_event (self->srcpad, g_steal_pointer (&self->segment));
  self->out.started = TRUE;
  if (held > 0)
    flow = gst_pad_push (self->srcpad, gst_adapter_take_buffer (self->held, held));
  return flow;
}

/* @prologue bytes of the input stand before the 16 that will become the `mdat` header. */
static GstFlowReturn
start_media (WeftMp4Layout *self, gsize prologue)
{
  g_autoptr (GstBuffer) place = NULL;
  gsize rest;
  GstFlowReturn flow = GST_FLOW_OK;

  choose_reserve (self);
  set_state (self, WEFT_MP4_STATE_MEDIA);
  self->mdat_position = prologue;
  GST_INFO_OBJECT (
      self, "reserving %" G_GUINT64_FORMAT " bytes at %" G_GSIZE_FORMAT, self->reserve, prologue);
  if (prologue > 0)
    flow = weft_mp4_output_push (&self->out, 0, gst_adapter_take_buffer (self->held, prologue));
  if (flow == GST_FLOW_OK)
    flow = weft_mp4_output_push_free (&self->out, prologue, self->reserve);
  place = gst_adapter_take_buffer (self->held, WEFT_MP4_MDAT_PLACE_BYTES);
  if (flow == GST_FLOW_OK)
    flow = weft_mp4_output_push (&self->out, prologue + self->reserve, g_steal_pointer (&place));
  rest = gst_adapter_available (self->held);
  if (flow == GST_FLOW_OK && rest > 0)
    flow = push_media (
        self, gst_adapter_take_buffer (self->held, rest), prologue + WEFT_MP4_MDAT_PLACE_BYTES);
  return flow;
}

/* Nothing is open: the muxer knew all sizes, and may have written a header first. */
static GstFlowReturn
start_boxes (WeftMp4Layout *self, const WeftMp4Prologue *prologue)
{
  GstFlowReturn flow = GST_FLOW_OK;

  set_state (self, WEFT_MP4_STATE_BOXES);
  weft_mp4_output_seek (&self->out, 0);
  if (prologue->has_moov) {
    if (prologue->moov_at > 0)
      flow = weft_mp4_output_push (
          &self->out, 0, gst_adapter_take_buffer (self->held, prologue->moov_at));
    self->early_moov = take_held_bytes (self, prologue->moov_bytes);
    if (flow == GST_FLOW_OK)
      flow = push_early_moov (self);
  }
  return flow == GST_FLOW_OK ? drain_boxes (self) : flow;
}

static GstFlowReturn
scan_prologue (WeftMp4Layout *self)
{
  WeftMp4Prologue prologue;

  switch (weft_mp4_prologue_scan (self->held, &prologue)) {
    case WEFT_MP4_WAY_OPEN:
      return start_media (self, prologue.bytes);
    case WEFT_MP4_WAY_BOXES:
      return start_boxes (self, &prologue);
    case WEFT_MP4_WAY_OTHER:
      return start_passing (self, prologue.reason);
    case WEFT_MP4_WAY_BROKEN:
      return fail (self, prologue.reason);
    default:
      return GST_FLOW_OK;
  }
}

/* ---- what arrives ---- */

/* Takes @buffer, which belongs where the last segment said, or behind the buffer before it. */
GstFlowReturn
weft_mp4_layout_take_buffer (WeftMp4Layout *self, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);

  switch (self->state) {
    case WEFT_MP4_STATE_PASS:
      return gst_pad_push (self->srcpad, buffer);
    case WEFT_MP4_STATE_MEDIA:
    case WEFT_MP4_STATE_HOLD:
      return handle_media (self, buffer);
    case WEFT_MP4_STATE_PROLOGUE:
    case WEFT_MP4_STATE_BOXES:
      if (self->in_position != self->in_end) {
        gst_buffer_unref (buffer);
        return fail (self, "mp4mux went back where nothing was left open");
      }
      self->in_position += size;
      self->in_end = self->in_position;
      gst_adapter_push (self->held, buffer);
      if (self->state == WEFT_MP4_STATE_PROLOGUE) {
        /* Looked at now: when the first byte is here, the muxer's pads have their caps. */
        if (!self->upstream.known)
          weft_mp4_upstream_inspect (self->sinkpad, &self->upstream);
        return scan_prologue (self);
      }
      return drain_boxes (self);
    case WEFT_MP4_STATE_DONE:
      gst_buffer_unref (buffer);
      return fail (self, "mp4mux wrote on after the end");
    default:
      gst_buffer_unref (buffer);
      return GST_FLOW_ERROR;
  }
}

/* Takes @event; the next buffer belongs where it says. */
gboolean
weft_mp4_layout_take_segment (WeftMp4Layout *self, GstEvent *event)
{
  const GstSegment *segment;

  if (self->state == WEFT_MP4_STATE_PASS)
    return gst_pad_push_event (self->srcpad, event);
  gst_event_parse_segment (event, &segment);
  if (segment->format == GST_FORMAT_BYTES)
    self->in_position = segment->start;
  /* The robust modes seek while what they wrote is still held here. */
  if (self->state == WEFT_MP4_STATE_PROLOGUE && self->in_position != self->in_end) {
    gboolean pushed;

    start_passing (self, "mp4mux goes back in it before the media data begins");
    pushed = gst_pad_push_event (self->srcpad, event);
    return pushed;
  }
  if (self->segment == NULL)
    self->segment = gst_event_ref (event);
  gst_event_unref (event);
  return TRUE;
}

/* Takes @event, and sends it on if the file is whole. */
gboolean
weft_mp4_layout_take_eos (WeftMp4Layout *self, GstEvent *event)
{
  gboolean complete;

  switch (self->state) {
    case WEFT_MP4_STATE_PROLOGUE:
      complete = gst_adapter_available (self->held) == 0;
      break;
    case WEFT_MP4_STATE_BOXES:
      complete =
          self->moov_written && self->box_left == 0 && gst_adapter_available (self->held) == 0;
      break;
    case WEFT_MP4_STATE_PASS:
    case WEFT_MP4_STATE_DONE:
      complete = TRUE;
      break;
    default:
      complete = FALSE;
      break;
  }
  if (complete)
    return gst_pad_push_event (self->srcpad, event);
  gst_event_unref (event);
  if (self->state != WEFT_MP4_STATE_FAILED)
    fail (self, "the stream ended before its movie header was complete");
  return FALSE;
}
