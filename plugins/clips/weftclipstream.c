/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two pads where a clip's decoded streams come in. decodebin's streaming threads run all of
 * this: they fill bounded queues and wait there, in PAUSED, for the owner to take something out.
 */
#include "weftclipreader-private.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Decoded pictures waiting, beside what the decoder itself holds. */
#define MAX_FRAMES_QUEUED 2
/* Up to here the whole source is decoded to find its last picture. */
#define MAX_DECODE_FROM_START_NS (60 * GST_SECOND)
/* Decoded audio waiting. */
#define MAX_AUDIO_QUEUED_NS GST_SECOND

void
weft_clip_frame_clear (WeftClipFrame *frame)
{
  gst_clear_buffer (&frame->buffer);
  g_clear_pointer (&frame->format, weft_frame_format_unref);
}

void
weft_clip_frame_free (WeftClipFrame *frame)
{
  weft_clip_frame_clear (frame);
  g_free (frame);
}

void
weft_audio_chunk_free (WeftAudioChunk *chunk)
{
  gst_clear_buffer (&chunk->buffer);
  g_free (chunk);
}

WeftFrameFormat *
weft_frame_format_ref (WeftFrameFormat *format)
{
  g_atomic_ref_count_inc (&format->refs);
  return format;
}

void
weft_frame_format_unref (WeftFrameFormat *format)
{
  if (g_atomic_ref_count_dec (&format->refs))
    g_free (format);
}

void
weft_clip_stream_clear_queue_unlocked (WeftClipStream *stream)
{
  gpointer item;

  while ((item = g_queue_pop_head (&stream->queue)) != NULL) {
    if (stream->is_video)
      weft_clip_frame_free (item);
    else
      weft_audio_chunk_free (item);
  }
  stream->queued_samples = 0;
}

static gboolean
is_stopped_unlocked (WeftClipStream *stream)
{
  return stream->flushing || stream->reader->cancelled || stream->reader->closing;
}

/* The first buffer tells where the stream starts, then waits until the reader is in place. */
static GstFlowReturn
await_running_unlocked (WeftClipStream *stream, GstClockTime pts, GstClockTime duration)
{
  WeftClipReader *self = stream->reader;

  if (!stream->seen_first) {
    stream->seen_first = TRUE;
    stream->first_pts = pts;
    stream->first_duration = duration;
    stream->first_segment = stream->segment;
    g_cond_broadcast (&self->changed);
  }
  while (self->phase != WEFT_READER_RUNNING && !is_stopped_unlocked (stream))
    g_cond_wait (&stream->room, &self->lock);
  return is_stopped_unlocked (stream) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

/*
 * Stream time, which may be before the segment's.
 *
 * matroskademux calls the first timestamp that it meets time 0, and thinks again when the other
 * stream turns out to begin before that; what it thought last holds for all.
 */
gint64
weft_clip_reader_stream_time_unlocked (
    WeftClipReader *self, const GstSegment *segment, GstClockTime t)
{
  guint64 position = 0;
  gint sign;

  if ((self->traits & WEFT_DEMUXER_SHIFTS_TIME) && self->shift_ns != G_MAXINT64)
    return (gint64) t - self->shift_ns;
  sign = gst_segment_to_stream_time_full (segment, GST_FORMAT_TIME, t, &position);
  return sign < 0 ? -(gint64) position : (gint64) position;
}

/* Where the stream starts, by what is known now. */
gint64
weft_clip_stream_first_ns_unlocked (WeftClipStream *stream)
{
  return weft_clip_reader_stream_time_unlocked (
      stream->reader, &stream->first_segment, stream->first_pts);
}

/* ---- video ---- */

static WeftFrameFormat *
ref_format (WeftClipStream *stream)
{
  if (stream->format == NULL) {
    stream->format = g_new0 (WeftFrameFormat, 1);
    g_atomic_ref_count_init (&stream->format->refs);
    stream->format->info = stream->video_info;
    stream->format->orientation = stream->orientation;
  }
  return weft_frame_format_ref (stream->format);
}

/* Waits for room and queues @frame (taken). */
static GstFlowReturn
queue_frame_unlocked (WeftClipStream *stream, WeftClipFrame *frame)
{
  WeftClipReader *self = stream->reader;
  WeftClipFrame *tail = g_queue_peek_tail (&stream->queue);

  stream->last_ns = frame->time_ns;
  /* Of all pictures up to the in-point only the last can be seen. */
  if (tail != NULL && tail->time_ns <= 0 && frame->time_ns <= 0)
    weft_clip_frame_free (g_queue_pop_tail (&stream->queue));
  while (g_queue_get_length (&stream->queue) >= MAX_FRAMES_QUEUED && !stream->discard
         && !is_stopped_unlocked (stream))
    g_cond_wait (&stream->room, &self->lock);
  if (is_stopped_unlocked (stream) || stream->discard) {
    weft_clip_frame_free (frame);
    return is_stopped_unlocked (stream) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  }
  g_queue_push_tail (&stream->queue, frame);
  g_cond_broadcast (&stream->filled);
  return GST_FLOW_OK;
}

/*
 * Lets @frame (taken) through, with its time mended.
 *
 * GstVideoDecoder, when it is given pictures without timestamps (AVI, H.264 in MPEG systems
 * streams), sometimes says the same time for a few in a row, after a hole of their length. So a
 * picture after a hole waits for the next one: if that is no later, it belongs into the hole.
 */
static GstFlowReturn
let_through_unlocked (WeftClipStream *stream, WeftClipFrame *frame)
{
  WeftClipFrame *held = g_steal_pointer (&stream->held);
  GstFlowReturn flow = GST_FLOW_OK;

  if (held != NULL) {
    if (frame->time_ns <= held->time_ns)
      held->time_ns = stream->last_ns + stream->period_ns;
    flow = queue_frame_unlocked (stream, held);
  }
  if (flow != GST_FLOW_OK) {
    weft_clip_frame_free (frame);
    return flow;
  }
  if (stream->in_place && stream->period_ns > 0) {
    if (frame->time_ns > stream->last_ns + stream->period_ns * 3 / 2) {
      stream->held = frame;
      return GST_FLOW_OK;
    }
    if (frame->time_ns <= stream->last_ns)
      frame->time_ns = stream->last_ns + stream->period_ns;
  }
  stream->in_place = TRUE;
  return queue_frame_unlocked (stream, frame);
}

static void
release_held (WeftClipStream *stream)
{
  WeftClipFrame *held = g_steal_pointer (&stream->held);

  if (held == NULL)
    return;
  g_mutex_lock (&stream->reader->lock);
  queue_frame_unlocked (stream, held);
  g_mutex_unlock (&stream->reader->lock);
}

static void
seek_again_unlocked (WeftClipReader *self)
{
  self->seek_again = TRUE;
  self->phase = WEFT_READER_SEEKING;
  g_cond_broadcast (&self->changed);
}

/*
 * Why a seek has to be tried again from further back, now that @frame came after it; NULL if not.
 *
 * Some demuxers land behind the target. And in an open GOP the pictures shown before its keyframe
 * need those before the GOP: where the keyframe was landed on, the decoder makes of them what it
 * can.
 */
static const gchar *
find_why_seek_failed_unlocked (
    WeftClipStream *stream, const WeftClipFrame *frame, GstClockTime duration)
{
  WeftClipReader *self = stream->reader;

  if (self->seeks == 0 || self->seeks >= WEFT_READER_MAX_SEEKS)
    return NULL;
  if (!stream->in_place && frame->time_ns > (gint64) WEFT_READER_SEEK_MARGIN_NS / 2)
    return "late";
  if (!stream->intact && frame->time_ns + (gint64) duration > 0
      && GST_BUFFER_FLAG_IS_SET (frame->buffer, GST_BUFFER_FLAG_CORRUPTED))
    return "in the middle of an open GOP";
  return NULL;
}

static GstFlowReturn
video_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  WeftClipStream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  WeftClipFrame *frame = g_new0 (WeftClipFrame, 1);
  GstClockTime pts = GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : stream->next_pts;
  GstClockTime duration = (GstClockTime) stream->period_ns;
  const gchar *why;
  GstFlowReturn flow;
  gint64 t;

  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    duration = GST_BUFFER_DURATION (buffer);
  stream->next_pts = pts + duration;
  frame->buffer = buffer;
  frame->format = ref_format (stream);

  g_mutex_lock (&self->lock);
  self->frames_decoded++;
  flow = await_running_unlocked (stream, pts, duration);
  if (flow == GST_FLOW_OK) {
    t = weft_clip_reader_stream_time_unlocked (self, &stream->segment, pts);
    self->reach_ns = MAX (self->reach_ns, t + (gint64) duration);
    frame->time_ns = t - (gint64) self->base_ns;
    why = find_why_seek_failed_unlocked (stream, frame, duration);
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED))
      stream->intact = TRUE;
    if (why != NULL) {
      GST_DEBUG_OBJECT (
          self, "seek came out %s, at %" GST_STIME_FORMAT, why, GST_STIME_ARGS (frame->time_ns));
      seek_again_unlocked (self);
      flow = await_running_unlocked (stream, pts, duration);
    }
  }
  if (flow == GST_FLOW_OK && !stream->discard)
    flow = let_through_unlocked (stream, g_steal_pointer (&frame));
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&frame, weft_clip_frame_free);
  return flow;
}

/* ---- audio ---- */

/* Waits for room and queues @chunk (taken). */
static GstFlowReturn
queue_chunk_unlocked (WeftClipStream *stream, WeftAudioChunk *chunk)
{
  WeftClipReader *self = stream->reader;
  gint64 limit = (gint64) gst_util_uint64_scale (
      MAX_AUDIO_QUEUED_NS, (guint64) self->out_audio.rate, GST_SECOND);

  if (chunk->length <= 0 || chunk->position + chunk->length <= 0 || stream->discard) {
    weft_audio_chunk_free (chunk);
    return GST_FLOW_OK;
  }
  while (stream->queued_samples > limit && !stream->discard && !is_stopped_unlocked (stream))
    g_cond_wait (&stream->room, &self->lock);
  if (is_stopped_unlocked (stream) || stream->discard) {
    weft_audio_chunk_free (chunk);
    return is_stopped_unlocked (stream) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
  }
  stream->queued_samples += chunk->length;
  g_queue_push_tail (&stream->queue, chunk);
  g_cond_broadcast (&stream->filled);
  return GST_FLOW_OK;
}

static GstFlowReturn
audio_placed_cb (gint64 position, gint64 length, GstBuffer *buffer, gpointer user_data)
{
  WeftClipStream *stream = user_data;
  WeftAudioChunk *chunk = g_new0 (WeftAudioChunk, 1);
  GstFlowReturn flow;

  chunk->position = position;
  chunk->length = length;
  chunk->buffer = buffer;
  g_mutex_lock (&stream->reader->lock);
  flow = queue_chunk_unlocked (stream, chunk);
  g_mutex_unlock (&stream->reader->lock);
  return flow;
}

static GstFlowReturn
audio_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  WeftClipStream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  GstClockTime pts = GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : stream->next_pts;
  GstFlowReturn flow;
  gsize n;
  gint64 t, duration;
  gboolean discard;

  if (stream->placer == NULL || stream->audio_info.bpf == 0) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  n = (gsize) weft_audio_buffer_samples (buffer, &stream->audio_info);
  duration = (gint64) gst_util_uint64_scale_int (n, GST_SECOND, stream->audio_info.rate);
  stream->next_pts = pts + (GstClockTime) duration;

  g_mutex_lock (&self->lock);
  flow = await_running_unlocked (stream, pts, (GstClockTime) duration);
  if (flow == GST_FLOW_OK) {
    t = weft_clip_reader_stream_time_unlocked (self, &stream->segment, pts);
    self->reach_ns = MAX (self->reach_ns, t + duration);
    t -= (gint64) self->base_ns;
    if (self->traits & WEFT_DEMUXER_COARSE_TIME)
      weft_audio_placer_set_grid (stream->placer, weft_clip_stream_first_ns_unlocked (stream)
                                                      + (gint64) stream->first_duration
                                                      - (gint64) self->base_ns);
  }
  discard = stream->discard;
  g_mutex_unlock (&self->lock);

  if (flow != GST_FLOW_OK || discard || n == 0) {
    gst_buffer_unref (buffer);
    return flow;
  }
  return weft_audio_placer_push (stream->placer, buffer, t);
}

/*
 * A demuxer says that a stream has nothing for a while: who waits for it may go on. While the
 * reader opens nobody waits, and the stream's first buffer must not be kept back.
 */
static void
audio_gap (WeftClipStream *stream, GstEvent *event)
{
  WeftClipReader *self = stream->reader;
  guint64 rate = (guint64) self->out_audio.rate;
  GstClockTime t, duration;
  gint64 from, to;

  gst_event_parse_gap (event, &t, &duration);
  if (!GST_CLOCK_TIME_IS_VALID (t) || !GST_CLOCK_TIME_IS_VALID (duration))
    return;
  if (stream->placer != NULL)
    weft_audio_placer_drain (stream->placer);
  g_mutex_lock (&self->lock);
  if (self->phase == WEFT_READER_RUNNING && !is_stopped_unlocked (stream)) {
    WeftAudioChunk *chunk = g_new0 (WeftAudioChunk, 1);

    from =
        weft_clip_reader_stream_time_unlocked (self, &stream->segment, t) - (gint64) self->base_ns;
    to = MAX (from + (gint64) duration, 0);
    from = MAX (from, 0);
    chunk->position = (gint64) gst_util_uint64_scale ((guint64) from, rate, GST_SECOND);
    chunk->length =
        (gint64) gst_util_uint64_scale ((guint64) to, rate, GST_SECOND) - chunk->position;
    queue_chunk_unlocked (stream, chunk);
  }
  g_mutex_unlock (&self->lock);
}

/* ---- both ---- */

static gboolean
set_caps (WeftClipStream *stream, GstCaps *caps)
{
  if (stream->is_video) {
    g_clear_pointer (&stream->format, weft_frame_format_unref);
    if (!weft_framing_info_from_caps (&stream->video_info, caps))
      return FALSE;
    stream->period_ns = 0;
    if (stream->video_info.fps_n > 0)
      stream->period_ns = (gint64) gst_util_uint64_scale_int (
          GST_SECOND, stream->video_info.fps_d, stream->video_info.fps_n);
    return TRUE;
  }
  if (!gst_audio_info_from_caps (&stream->audio_info, caps))
    return FALSE;
  if (stream->placer == NULL)
    stream->placer = weft_audio_placer_new (
        &stream->reader->out_audio, stream->reader->clip->volume, audio_placed_cb, stream);
  return weft_audio_placer_set_input (stream->placer, &stream->audio_info);
}

static void
take_orientation (WeftClipStream *stream, GstEvent *event)
{
  GstVideoOrientationMethod orientation;
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  if (gst_video_orientation_from_tag (tags, &orientation) && orientation != stream->orientation) {
    stream->orientation = orientation;
    g_clear_pointer (&stream->format, weft_frame_format_unref);
  }
}

static void
flush_stop (WeftClipStream *stream)
{
  WeftClipReader *self = stream->reader;

  gst_segment_init (&stream->segment, GST_FORMAT_TIME);
  stream->in_place = FALSE;
  stream->intact = FALSE;
  g_clear_pointer (&stream->held, weft_clip_frame_free);
  if (stream->placer != NULL)
    weft_audio_placer_reset (stream->placer);
  g_mutex_lock (&self->lock);
  weft_clip_stream_clear_queue_unlocked (stream);
  stream->flushing = FALSE;
  stream->eos = FALSE;
  g_mutex_unlock (&self->lock);
}

/* A seek after which nothing comes landed past the last picture. It is the one to be shown. */
static gboolean
seek_went_too_far (WeftClipStream *stream)
{
  WeftClipReader *self = stream->reader;
  gboolean again;

  g_mutex_lock (&self->lock);
  again = stream->is_video && !stream->in_place && !stream->discard && self->seeks > 0
          && self->phase == WEFT_READER_RUNNING
          && (self->seeks < WEFT_READER_MAX_SEEKS - 1
              || (self->seeks < WEFT_READER_MAX_SEEKS && self->base_ns < MAX_DECODE_FROM_START_NS));
  if (again)
    seek_again_unlocked (self);
  g_mutex_unlock (&self->lock);
  return again;
}

static gboolean
stream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  WeftClipStream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  gboolean ok = TRUE;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      g_mutex_lock (&self->lock);
      stream->flushing = TRUE;
      weft_clip_reader_wake_all_unlocked (self);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_FLUSH_STOP:
      flush_stop (stream);
      break;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ok = set_caps (stream, caps);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &stream->segment);
      break;
    case GST_EVENT_TAG:
      if (stream->is_video)
        take_orientation (stream, event);
      break;
    case GST_EVENT_GAP:
      if (!stream->is_video)
        audio_gap (stream, event);
      break;
    case GST_EVENT_EOS:
      if (seek_went_too_far (stream))
        break;
      release_held (stream);
      if (stream->placer != NULL)
        weft_audio_placer_drain (stream->placer);
      g_mutex_lock (&self->lock);
      stream->eos = TRUE;
      weft_clip_reader_wake_all_unlocked (self);
      g_mutex_unlock (&self->lock);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return ok;
}

static gboolean
stream_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  WeftClipStream *stream = gst_pad_get_element_private (pad);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  /* Strides and offsets of the decoder's own choice: it need not copy then. */
  gst_query_add_allocation_meta (
      query, stream->is_video ? GST_VIDEO_META_API_TYPE : GST_AUDIO_META_API_TYPE, NULL);
  return TRUE;
}

/* A pad without a template would refuse to change its caps. */
static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE (
    "video", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE (
    "audio", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/x-raw"));

void
weft_clip_stream_init (WeftClipStream *stream, WeftClipReader *reader, gboolean is_video)
{
  stream->reader = reader;
  stream->is_video = is_video;
  g_cond_init (&stream->filled);
  g_cond_init (&stream->room);
  g_queue_init (&stream->queue);
  gst_segment_init (&stream->segment, GST_FORMAT_TIME);
  gst_video_info_init (&stream->video_info);
  gst_audio_info_init (&stream->audio_info);
  stream->pad = gst_pad_new_from_static_template (
      is_video ? &video_template : &audio_template, is_video ? "video" : "audio");
  gst_object_ref_sink (stream->pad);
  gst_pad_set_element_private (stream->pad, stream);
  gst_pad_set_chain_function (stream->pad, is_video ? video_chain : audio_chain);
  gst_pad_set_event_function (stream->pad, stream_event);
  gst_pad_set_query_function (stream->pad, stream_query);
}

void
weft_clip_stream_clear (WeftClipStream *stream)
{
  weft_clip_stream_clear_queue_unlocked (stream);
  g_clear_pointer (&stream->held, weft_clip_frame_free);
  gst_clear_object (&stream->pad);
  g_clear_pointer (&stream->format, weft_frame_format_unref);
  g_clear_pointer (&stream->placer, weft_audio_placer_free);
  g_clear_pointer (&stream->claimed, g_free);
  g_clear_pointer (&stream->undecodable, g_free);
  g_cond_clear (&stream->filled);
  g_cond_clear (&stream->room);
}
