/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftClipReader: one open clip.
 *
 *   source ! decodebin ! [deinterlace !] video pad → frames
 *                      ! audio pad → samples at the output's rate and channels
 *
 * Nothing in it runs against a clock: it stays in PAUSED and its two pads are no sinks, so its
 * streaming threads fill two bounded queues and wait there. A thread of its own opens it, seeks
 * and closes it again, so a source that blocks in a state change blocks nobody else.
 *
 * Threads: the reader's own thread changes states and seeks; decodebin's streaming threads run
 * the pad functions; the owner's two tasks take frames and samples out.
 */
#include "weftclipreader.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Decoded pictures waiting, beside what the decoder itself holds. */
#define MAX_FRAMES_QUEUED 2
/* Decoded audio waiting. */
#define MAX_AUDIO_QUEUED_NS GST_SECOND
/* Compressed data that one stream may pile up while the other one is looked for. */
#define MAX_INTERLEAVE_BYTES (64 * 1024 * 1024)
/* A demuxer's idea of an accurate seek may be late by a packet or a rounded time base. */
#define SEEK_MARGIN_NS (200 * GST_MSECOND)
/* Decoding this much in vain costs less than a seek. */
#define SEEK_WORTH_NS (500 * GST_MSECOND)
#define MAX_SEEKS 4
/* Timestamps that disagree by less with the count of samples are jitter. */
#define AUDIO_JITTER_NS (40 * GST_MSECOND)

typedef enum {
  PHASE_OPENING, /* streams unknown; the first buffer of each stream waits */
  PHASE_SEEKING, /* whatever arrives is from before the seek */
  PHASE_RUNNING,
} Phase;

/* A run of samples, or of silence where there is no buffer. */
typedef struct {
  gint64 position; /* in output samples from the clip's in-point */
  gint64 length;
  GstBuffer *buffer;
} AudioChunk;

typedef struct {
  WeftClipReader *reader;
  gboolean is_video;
  gboolean wanted;
  GstPad *pad;  /* where decodebin's pad is linked to; no parent */
  GCond filled; /* something to take, or a reason not to wait */
  GCond room;   /* something was taken, or a reason not to wait */

  /* all guarded by the reader's lock */
  gboolean linked;
  gboolean seen_first;
  gint64 first_ns;
  gboolean flushing;
  gboolean eos;
  gboolean discard;
  GQueue queue;
  gint64 queued_samples;

  /* streaming thread only */
  GstSegment segment;
  WeftFrameFormat *format;
  GstVideoInfo video_info;
  GstVideoOrientationMethod orientation;
  gint64 next_ns;
  GstAudioInfo audio_info;
  GstAudioConverter *converter;
  gboolean placed;
  gint64 in_count;     /* input samples since the converter was placed */
  gint64 in_origin_ns; /* clip time of the first of them */
  gint64 out_position; /* where the converter's next output sample belongs */
} Stream;

typedef struct {
  WeftClipReader *reader;
  GstSegment segment;
} DemuxedPad;

struct _WeftClipReader {
  GstPipeline parent_instance;

  WeftClipList *list;
  const WeftClip *clip;
  GstAudioInfo out_audio;
  WeftClipReaderFunc opened_func;
  WeftClipReaderFunc closed_func;
  GObject *owner;
  GstElement *source;
  GstElement *decodebin;

  /* Guards all that follows and the streams' guarded members; no other lock is taken with it
   * held, but GstObject locks inside of GStreamer calls that do not call back. */
  GMutex lock;
  GCond changed; /* for the reader's own thread and for who waits for it to open */
  Stream video;
  Stream audio;
  gchar *claimed_video; /* stream pads that are decoded, by name of decodebin's inner pad */
  gchar *claimed_audio;
  gboolean video_undecodable;
  gboolean audio_undecodable;
  Phase phase;
  gboolean exposed;
  gboolean cancelled;
  gboolean closing;
  gboolean seek_again;
  guint seeks;
  GError *error;
  gchar *error_debug;
  GstClockTime start_ns;
  GstClockTime base_ns; /* stream time of the clip's position 0 */
  GstClockTime duration_ns;
  gboolean trusted_duration; /* a header says it; it was not guessed from the file's end */
  guint demuxed_pads, demuxed_eos;
  gint64 reach_ns; /* how far any stream of the source got */
  gboolean short_read;
  guint64 bytes_read;
  guint64 frames_decoded;
};

G_DEFINE_FINAL_TYPE (WeftClipReader, weft_clip_reader, GST_TYPE_PIPELINE)

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
weft_clip_frame_clear (WeftClipFrame *frame)
{
  gst_clear_buffer (&frame->buffer);
  g_clear_pointer (&frame->format, weft_frame_format_unref);
}

static void
clip_frame_free (WeftClipFrame *frame)
{
  weft_clip_frame_clear (frame);
  g_free (frame);
}

static void
audio_chunk_free (AudioChunk *chunk)
{
  gst_clear_buffer (&chunk->buffer);
  g_free (chunk);
}

/* Whoever waits looks again. */
static void
wake_all_unlocked (WeftClipReader *self)
{
  g_cond_broadcast (&self->changed);
  g_cond_broadcast (&self->video.filled);
  g_cond_broadcast (&self->video.room);
  g_cond_broadcast (&self->audio.filled);
  g_cond_broadcast (&self->audio.room);
}

static void
fail_unlocked (WeftClipReader *self, GError *error, const gchar *debug)
{
  if (self->error == NULL) {
    GST_INFO_OBJECT (
        self, "%s failed: %s (%s)", self->clip->uri, error->message, GST_STR_NULL (debug));
    self->error = error;
    self->error_debug = g_strdup (debug);
  } else {
    g_error_free (error);
  }
  wake_all_unlocked (self);
}

/* ---- the streams: decodebin's threads come in here ---- */

static void
stream_clear_queue_unlocked (Stream *stream)
{
  gpointer item;

  while ((item = g_queue_pop_head (&stream->queue)) != NULL) {
    if (stream->is_video)
      clip_frame_free (item);
    else
      audio_chunk_free (item);
  }
  stream->queued_samples = 0;
}

static gboolean
stream_is_stopped_unlocked (Stream *stream)
{
  return stream->flushing || stream->reader->cancelled || stream->reader->closing;
}

/* The first buffer tells where the stream starts, then waits until the reader is in place. */
static GstFlowReturn
stream_await_running_unlocked (Stream *stream, gint64 stream_time)
{
  WeftClipReader *self = stream->reader;

  if (!stream->seen_first) {
    stream->seen_first = TRUE;
    stream->first_ns = stream_time;
    g_cond_broadcast (&self->changed);
  }
  while (self->phase != PHASE_RUNNING && !stream_is_stopped_unlocked (stream))
    g_cond_wait (&stream->room, &self->lock);
  return stream_is_stopped_unlocked (stream) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
}

static gint64
signed_stream_time (const GstSegment *segment, GstClockTime t)
{
  guint64 position = 0;
  gint sign = gst_segment_to_stream_time_full (segment, GST_FORMAT_TIME, t, &position);

  return sign < 0 ? -(gint64) position : (gint64) position;
}

static void
stream_reached_unlocked (WeftClipReader *self, gint64 stream_time)
{
  self->reach_ns = MAX (self->reach_ns, stream_time);
}

static GstFlowReturn
video_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Stream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  WeftClipFrame *frame, *tail;
  GstFlowReturn flow;
  gint64 t, relative;

  if (!GST_CLOCK_TIME_IS_VALID (duration))
    duration =
        GST_VIDEO_INFO_FPS_N (&stream->video_info) > 0 ? gst_util_uint64_scale_int (GST_SECOND,
            GST_VIDEO_INFO_FPS_D (&stream->video_info), GST_VIDEO_INFO_FPS_N (&stream->video_info))
                                                       : 0;
  t = GST_BUFFER_PTS_IS_VALID (buffer)
          ? signed_stream_time (&stream->segment, GST_BUFFER_PTS (buffer))
          : stream->next_ns;
  stream->next_ns = t + (gint64) duration;

  if (stream->format == NULL) {
    stream->format = g_new0 (WeftFrameFormat, 1);
    g_atomic_ref_count_init (&stream->format->refs);
    stream->format->info = stream->video_info;
    stream->format->orientation = stream->orientation;
  }

  g_mutex_lock (&self->lock);
  self->frames_decoded++;
  flow = stream_await_running_unlocked (stream, t);
  if (flow != GST_FLOW_OK || stream->discard) {
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return flow;
  }

  relative = t - (gint64) self->base_ns;
  stream_reached_unlocked (self, stream->next_ns);
  tail = g_queue_peek_tail (&stream->queue);

  /* Some demuxers land behind the target: start again from further back. */
  if (self->seeks > 0 && self->seeks < MAX_SEEKS && tail == NULL && !stream->placed
      && relative > (gint64) (SEEK_MARGIN_NS / 2)) {
    GST_DEBUG_OBJECT (self, "seek came out %" GST_STIME_FORMAT " late", GST_STIME_ARGS (relative));
    self->seek_again = TRUE;
    self->phase = PHASE_SEEKING;
    g_cond_broadcast (&self->changed);
    flow = stream_await_running_unlocked (stream, t);
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return flow;
  }
  stream->placed = TRUE;

  /* Of all pictures up to the in-point only the last can be seen. */
  if (tail != NULL && tail->time_ns <= 0 && relative <= 0) {
    clip_frame_free (g_queue_pop_tail (&stream->queue));
  } else {
    while (g_queue_get_length (&stream->queue) >= MAX_FRAMES_QUEUED && !stream->discard
           && !stream_is_stopped_unlocked (stream))
      g_cond_wait (&stream->room, &self->lock);
  }
  if (stream_is_stopped_unlocked (stream) || stream->discard) {
    flow = stream_is_stopped_unlocked (stream) ? GST_FLOW_FLUSHING : GST_FLOW_OK;
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return flow;
  }
  frame = g_new0 (WeftClipFrame, 1);
  frame->buffer = buffer;
  frame->format = weft_frame_format_ref (stream->format);
  frame->time_ns = relative;
  g_queue_push_tail (&stream->queue, frame);
  g_cond_broadcast (&stream->filled);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

/* Queues @chunk (taken), which begins where the stream is or later. */
static GstFlowReturn
audio_push_chunk_unlocked (Stream *stream, AudioChunk *chunk)
{
  WeftClipReader *self = stream->reader;
  gint64 limit = (gint64) gst_util_uint64_scale (
      MAX_AUDIO_QUEUED_NS, (guint64) self->out_audio.rate, GST_SECOND);

  if (chunk->length <= 0 || chunk->position + chunk->length <= 0 || stream->discard) {
    audio_chunk_free (chunk);
    return GST_FLOW_OK;
  }
  while (stream->queued_samples > limit && !stream->discard && !stream_is_stopped_unlocked (stream))
    g_cond_wait (&stream->room, &self->lock);
  if (stream_is_stopped_unlocked (stream)) {
    audio_chunk_free (chunk);
    return GST_FLOW_FLUSHING;
  }
  stream->queued_samples += chunk->length;
  g_queue_push_tail (&stream->queue, chunk);
  g_cond_broadcast (&stream->filled);
  return GST_FLOW_OK;
}

/* Converts @in_frames samples (none: what the converter still holds) and queues the result. */
static GstFlowReturn
audio_convert (Stream *stream, GstAudioBuffer *in, gsize in_frames)
{
  WeftClipReader *self = stream->reader;
  gsize out_frames = gst_audio_converter_get_out_frames (stream->converter, in_frames);
  gpointer out_planes[1];
  AudioChunk *chunk;
  GstFlowReturn flow;
  GstMapInfo map;

  if (out_frames == 0)
    return GST_FLOW_OK;
  chunk = g_new0 (AudioChunk, 1);
  chunk->position = stream->out_position;
  chunk->length = (gint64) out_frames;
  chunk->buffer = gst_buffer_new_allocate (NULL, out_frames * (gsize) self->out_audio.bpf, NULL);
  gst_buffer_map (chunk->buffer, &map, GST_MAP_WRITE);
  out_planes[0] = map.data;
  gst_audio_converter_samples (stream->converter, GST_AUDIO_CONVERTER_FLAG_NONE,
      in != NULL ? in->planes : NULL, in_frames, out_planes, out_frames);
  if (self->clip->volume != 1.0) {
    gfloat volume = (gfloat) self->clip->volume;
    gfloat *samples = (gfloat *) map.data;
    for (gsize i = 0; i < out_frames * (gsize) self->out_audio.channels; i++)
      samples[i] *= volume;
  }
  gst_buffer_unmap (chunk->buffer, &map);
  stream->out_position += (gint64) out_frames;

  g_mutex_lock (&self->lock);
  flow = audio_push_chunk_unlocked (stream, chunk);
  g_mutex_unlock (&self->lock);
  return flow;
}

/* The tail that a resampler keeps back is half its filter long. */
static GstFlowReturn
audio_drain (Stream *stream)
{
  gsize latency;
  GstFlowReturn flow = GST_FLOW_OK;

  if (stream->converter == NULL || !stream->placed)
    return GST_FLOW_OK;
  latency = gst_audio_converter_get_max_latency (stream->converter);
  if (latency > 0)
    flow = audio_convert (stream, NULL, latency);
  gst_audio_converter_reset (stream->converter);
  stream->placed = FALSE;
  return flow;
}

static GstFlowReturn
audio_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Stream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  GstFlowReturn flow;
  GstAudioBuffer in;
  gint rate = stream->audio_info.rate;
  gsize n = gst_buffer_get_size (buffer) / (gsize) MAX (1, stream->audio_info.bpf);
  gint64 t, expected;

  t = GST_BUFFER_PTS_IS_VALID (buffer)
          ? signed_stream_time (&stream->segment, GST_BUFFER_PTS (buffer))
          : stream->next_ns;
  if (stream->converter == NULL || n == 0) {
    gst_buffer_unref (buffer);
    return stream->converter == NULL ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_OK;
  }
  stream->next_ns = t + (gint64) gst_util_uint64_scale_int (n, GST_SECOND, rate);

  g_mutex_lock (&self->lock);
  flow = stream_await_running_unlocked (stream, t);
  if (flow == GST_FLOW_OK)
    stream_reached_unlocked (self, stream->next_ns);
  t -= (gint64) self->base_ns;
  if (flow == GST_FLOW_OK && stream->discard) {
    g_mutex_unlock (&self->lock);
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }

  /* One base per clip, then samples are counted: only a real gap or overlap moves them. */
  expected = stream->in_origin_ns
             + (gint64) gst_util_uint64_scale_int ((guint64) stream->in_count, GST_SECOND, rate);
  if (stream->placed && ABS (t - expected) > (gint64) AUDIO_JITTER_NS) {
    GST_DEBUG_OBJECT (self, "audio jumps by %" GST_STIME_FORMAT, GST_STIME_ARGS (t - expected));
    flow = audio_drain (stream);
  }
  if (!stream->placed) {
    guint64 distance =
        gst_util_uint64_scale_round ((guint64) ABS (t), (guint64) self->out_audio.rate, GST_SECOND);
    stream->placed = TRUE;
    stream->in_origin_ns = t;
    stream->in_count = 0;
    stream->out_position = t < 0 ? -(gint64) distance : (gint64) distance;
  }
  stream->in_count += (gint64) n;

  if (flow == GST_FLOW_OK) {
    if (gst_audio_buffer_map (&in, &stream->audio_info, buffer, GST_MAP_READ)) {
      flow = audio_convert (stream, &in, GST_AUDIO_BUFFER_N_SAMPLES (&in));
      gst_audio_buffer_unmap (&in);
    }
  }
  gst_buffer_unref (buffer);
  return flow;
}

/* A demuxer says that a stream has nothing for a while: who waits for it may go on. */
static void
audio_gap (Stream *stream, GstEvent *event)
{
  WeftClipReader *self = stream->reader;
  GstClockTime t, duration;
  gint64 from, to;

  gst_event_parse_gap (event, &t, &duration);
  if (!GST_CLOCK_TIME_IS_VALID (t) || !GST_CLOCK_TIME_IS_VALID (duration))
    return;
  g_mutex_lock (&self->lock);
  from = signed_stream_time (&stream->segment, t);
  if (stream_await_running_unlocked (stream, from) == GST_FLOW_OK) {
    AudioChunk *chunk = g_new0 (AudioChunk, 1);
    from -= (gint64) self->base_ns;
    to = from + (gint64) duration;
    from = MAX (from, 0);
    to = MAX (to, 0);
    chunk->position =
        (gint64) gst_util_uint64_scale ((guint64) from, (guint64) self->out_audio.rate, GST_SECOND);
    chunk->length =
        (gint64) gst_util_uint64_scale ((guint64) to, (guint64) self->out_audio.rate, GST_SECOND)
        - chunk->position;
    audio_push_chunk_unlocked (stream, chunk);
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
stream_set_caps (Stream *stream, GstCaps *caps)
{
  if (stream->is_video) {
    g_clear_pointer (&stream->format, weft_frame_format_unref);
    return gst_video_info_from_caps (&stream->video_info, caps);
  } else {
    GstAudioInfo info;
    GstAudioInfo *out = &stream->reader->out_audio;

    if (!gst_audio_info_from_caps (&info, caps))
      return FALSE;
    if (stream->converter != NULL && gst_audio_info_is_equal (&info, &stream->audio_info))
      return TRUE;
    audio_drain (stream);
    g_clear_pointer (&stream->converter, gst_audio_converter_free);
    stream->audio_info = info;
    /* Channels without places cannot be mixed; take the places their number suggests. */
    if (GST_AUDIO_INFO_IS_UNPOSITIONED (&info) && info.channels > 1) {
      guint64 mask = gst_audio_channel_get_fallback_mask (info.channels);
      if (mask != 0 && gst_audio_channel_positions_from_mask (info.channels, mask, info.position)) {
        info.flags &= (guint) ~GST_AUDIO_FLAG_UNPOSITIONED;
      }
    }
    stream->converter = gst_audio_converter_new (GST_AUDIO_CONVERTER_FLAG_NONE, &info, out, NULL);
    return stream->converter != NULL;
  }
}

static gboolean
stream_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Stream *stream = gst_pad_get_element_private (pad);
  WeftClipReader *self = stream->reader;
  gboolean ok = TRUE;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      g_mutex_lock (&self->lock);
      stream->flushing = TRUE;
      wake_all_unlocked (self);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_segment_init (&stream->segment, GST_FORMAT_TIME);
      stream->placed = FALSE;
      if (stream->converter != NULL)
        gst_audio_converter_reset (stream->converter);
      g_mutex_lock (&self->lock);
      stream_clear_queue_unlocked (stream);
      stream->flushing = FALSE;
      stream->eos = FALSE;
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_CAPS: {
      GstCaps *caps;
      gst_event_parse_caps (event, &caps);
      ok = stream_set_caps (stream, caps);
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &stream->segment);
      break;
    case GST_EVENT_TAG:
      if (stream->is_video) {
        GstTagList *tags;
        GstVideoOrientationMethod orientation;
        gst_event_parse_tag (event, &tags);
        if (gst_video_orientation_from_tag (tags, &orientation)
            && orientation != stream->orientation) {
          stream->orientation = orientation;
          g_clear_pointer (&stream->format, weft_frame_format_unref);
        }
      }
      break;
    case GST_EVENT_GAP:
      if (!stream->is_video)
        audio_gap (stream, event);
      break;
    case GST_EVENT_EOS:
      if (!stream->is_video)
        audio_drain (stream);
      g_mutex_lock (&self->lock);
      stream->eos = TRUE;
      wake_all_unlocked (self);
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
  Stream *stream = gst_pad_get_element_private (pad);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      /* Strides and offsets of the decoder's own choice: it need not copy then. */
      if (stream->is_video)
        gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
      else
        gst_query_add_allocation_meta (query, GST_AUDIO_META_API_TYPE, NULL);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static void
stream_init (Stream *stream, WeftClipReader *reader, gboolean is_video)
{
  stream->reader = reader;
  stream->is_video = is_video;
  g_cond_init (&stream->filled);
  g_cond_init (&stream->room);
  g_queue_init (&stream->queue);
  gst_segment_init (&stream->segment, GST_FORMAT_TIME);
  gst_video_info_init (&stream->video_info);
  stream->pad = gst_pad_new (is_video ? "video" : "audio", GST_PAD_SINK);
  gst_object_ref_sink (stream->pad);
  gst_pad_set_element_private (stream->pad, stream);
  gst_pad_set_chain_function (stream->pad, is_video ? video_chain : audio_chain);
  gst_pad_set_event_function (stream->pad, stream_event);
  gst_pad_set_query_function (stream->pad, stream_query);
}

static void
stream_clear (Stream *stream)
{
  gst_object_unref (stream->pad);
  g_cond_clear (&stream->filled);
  g_cond_clear (&stream->room);
  g_clear_pointer (&stream->format, weft_frame_format_unref);
  g_clear_pointer (&stream->converter, gst_audio_converter_free);
}

/* ---- decodebin ---- */

static gboolean
is_container (GstCaps *caps)
{
  GList *demuxers =
      gst_element_factory_list_get_elements (GST_ELEMENT_FACTORY_TYPE_DEMUXER, GST_RANK_MARGINAL);
  GList *fitting = gst_element_factory_list_filter (demuxers, caps, GST_PAD_SINK, FALSE);
  gboolean result = fitting != NULL;

  gst_plugin_feature_list_free (fitting);
  gst_plugin_feature_list_free (demuxers);
  return result;
}

/* Decode the first video and the first audio stream that are wanted, and nothing else. */
static gboolean
autoplug_continue_cb (GstElement *decodebin, GstPad *pad, GstCaps *caps, WeftClipReader *self)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  gboolean video = g_str_has_prefix (name, "video/") || g_str_has_prefix (name, "image/");
  gboolean audio = g_str_has_prefix (name, "audio/");
  gchar **claim = video ? &self->claimed_video : &self->claimed_audio;
  gboolean wanted = video ? self->video.wanted : self->audio.wanted;
  gboolean result;

  if (!video && !audio)
    return is_container (caps);
  if (is_container (caps))
    return TRUE;
  g_mutex_lock (&self->lock);
  if (wanted && *claim == NULL)
    *claim = gst_pad_get_name (pad);
  result = wanted && g_strcmp0 (*claim, GST_PAD_NAME (pad)) == 0;
  g_mutex_unlock (&self->lock);
  return result;
}

static GstPadProbeReturn
drop_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_DROP;
}

/* Interlaced pictures are made whole, one for each frame, so the frame rate stays. */
static GstPad *
add_deinterlacer (WeftClipReader *self, GstPad *pad)
{
  GstElement *deinterlace = gst_element_factory_make ("deinterlace", NULL);
  GstElement *convert = gst_element_factory_make ("videoconvert", NULL);
  g_autoptr (GstPad) sink = NULL;

  if (deinterlace == NULL || convert == NULL) {
    GST_WARNING_OBJECT (self, "no deinterlace element, fields stay woven");
    g_clear_pointer (&deinterlace, gst_object_unref);
    g_clear_pointer (&convert, gst_object_unref);
    return gst_object_ref (pad);
  }
  gst_util_set_object_arg (G_OBJECT (deinterlace), "mode", "auto");
  gst_util_set_object_arg (G_OBJECT (deinterlace), "fields", "top");
  gst_util_set_object_arg (G_OBJECT (deinterlace), "method", "yadif");
  gst_bin_add_many (GST_BIN (self), convert, deinterlace, NULL);
  gst_element_link (convert, deinterlace);
  sink = gst_element_get_static_pad (convert, "sink");
  gst_pad_link (pad, sink);
  gst_element_sync_state_with_parent (deinterlace);
  gst_element_sync_state_with_parent (convert);
  return gst_element_get_static_pad (deinterlace, "src");
}

static void
pad_added_cb (GstElement *decodebin, GstPad *pad, WeftClipReader *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *s;
  Stream *stream = NULL;
  g_autoptr (GstPad) end = NULL;
  gboolean usable;

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  s = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (s, "video/x-raw"))
    stream = &self->video;
  else if (gst_structure_has_name (s, "audio/x-raw"))
    stream = &self->audio;

  usable = stream != NULL && stream->wanted && !gst_pad_is_linked (stream->pad);
  if (!usable) {
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop_probe_cb, NULL, NULL);
    return;
  }
  end = gst_object_ref (pad);
  if (stream->is_video) {
    const gchar *mode = gst_structure_get_string (s, "interlace-mode");
    if (mode != NULL && !g_str_equal (mode, "progressive")) {
      gst_object_unref (end);
      end = add_deinterlacer (self, pad);
    }
  }
  if (GST_PAD_LINK_FAILED (gst_pad_link (end, stream->pad))) {
    GST_WARNING_OBJECT (self, "cannot link %" GST_PTR_FORMAT, pad);
    return;
  }
  g_mutex_lock (&self->lock);
  stream->linked = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
no_more_pads_cb (GstElement *decodebin, WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  self->exposed = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
unknown_type_cb (GstElement *decodebin, GstPad *pad, GstCaps *caps, WeftClipReader *self)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));

  g_mutex_lock (&self->lock);
  if (g_str_has_prefix (name, "video/") && self->video.wanted)
    self->video_undecodable = TRUE;
  if (g_str_has_prefix (name, "audio/") && self->audio.wanted)
    self->audio_undecodable = TRUE;
  g_mutex_unlock (&self->lock);
}

/* How far the source itself gets, decoded or not. */
static GstPadProbeReturn
demuxed_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  DemuxedPad *demuxed = user_data;
  WeftClipReader *self = demuxed->reader;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    GstClockTime t =
        GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : GST_BUFFER_DTS (buffer);
    if (GST_CLOCK_TIME_IS_VALID (t) && demuxed->segment.format == GST_FORMAT_TIME) {
      if (GST_BUFFER_DURATION_IS_VALID (buffer))
        t += GST_BUFFER_DURATION (buffer);
      g_mutex_lock (&self->lock);
      stream_reached_unlocked (self, signed_stream_time (&demuxed->segment, t));
      g_mutex_unlock (&self->lock);
    }
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
    if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
      gst_event_copy_segment (event, &demuxed->segment);
    } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS
               || GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
      g_mutex_lock (&self->lock);
      if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
        self->demuxed_eos++;
      else
        self->demuxed_eos = 0;
      g_mutex_unlock (&self->lock);
    }
  }
  return GST_PAD_PROBE_OK;
}

static void
demuxer_pad_added_cb (GstElement *demuxer, GstPad *pad, WeftClipReader *self)
{
  DemuxedPad *demuxed = g_new0 (DemuxedPad, 1);

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC) {
    g_free (demuxed);
    return;
  }
  demuxed->reader = self;
  gst_segment_init (&demuxed->segment, GST_FORMAT_UNDEFINED);
  g_mutex_lock (&self->lock);
  self->demuxed_pads++;
  g_mutex_unlock (&self->lock);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM
          | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      demuxed_probe_cb, demuxed, g_free);
}

static void
deep_element_added_cb (GstBin *bin, GstBin *sub_bin, GstElement *element, WeftClipReader *self)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *name = factory != NULL ? GST_OBJECT_NAME (factory) : "";

  if (g_str_has_prefix (name, "avdec_")
      && g_object_class_find_property (G_OBJECT_GET_CLASS (element), "max-threads") != NULL)
    g_object_set (element, "max-threads", (gint) MIN (2, g_get_num_processors ()), NULL);
  if (factory != NULL
      && gst_element_factory_list_is_type (factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER)) {
    /* These write down how long they are; the others go by the end of the file. */
    if (g_str_equal (name, "matroskademux") || g_str_equal (name, "avidemux")
        || g_str_equal (name, "flvdemux") || g_str_equal (name, "asfdemux")) {
      g_mutex_lock (&self->lock);
      self->trusted_duration = TRUE;
      g_mutex_unlock (&self->lock);
    }
    g_signal_connect (element, "pad-added", G_CALLBACK (demuxer_pad_added_cb), self);
  }
}

/* Counts what is read, and notices a demuxer that asks for bytes the file should have. */
static GstPadProbeReturn
source_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftClipReader *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (buffer != NULL) {
    g_mutex_lock (&self->lock);
    self->bytes_read += gst_buffer_get_size (buffer);
    g_mutex_unlock (&self->lock);
  }
  return GST_PAD_PROBE_OK;
}

static GstBusSyncReply
bus_sync_cb (GstBus *bus, GstMessage *message, gpointer user_data)
{
  WeftClipReader *self = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;
    g_autofree gchar *debug = NULL;
    gst_message_parse_error (message, &error, &debug);
    g_mutex_lock (&self->lock);
    fail_unlocked (self, error, debug);
    g_mutex_unlock (&self->lock);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *debug = NULL;
    gst_message_parse_warning (message, &error, &debug);
    GST_WARNING_OBJECT (self, "%s: %s (%s)", self->clip->uri, error->message, debug);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* ---- the reader's own thread ---- */

static gboolean
build (WeftClipReader *self, GError **error)
{
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstBus) bus = gst_pipeline_get_bus (GST_PIPELINE (self));
  g_autoptr (GstCaps) raw = gst_caps_from_string ("video/x-raw; audio/x-raw");

  gst_bus_set_sync_handler (bus, bus_sync_cb, self, NULL);
  self->source = gst_element_make_from_uri (GST_URI_SRC, self->clip->uri, NULL, error);
  if (self->source == NULL)
    return FALSE;
  self->decodebin = gst_element_factory_make ("decodebin", NULL);
  if (self->decodebin == NULL) {
    gst_object_unref (gst_object_ref_sink (self->source));
    self->source = NULL;
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "the decodebin element is missing (GStreamer base plugins)");
    return FALSE;
  }
  /* Five buffers a stream, and as many more as the other stream needs to get its first. */
  g_object_set (self->decodebin, "caps", raw, "max-size-bytes", MAX_INTERLEAVE_BYTES,
      "max-size-buffers", 5, "max-size-time", G_GUINT64_CONSTANT (0), NULL);
  g_signal_connect (self->decodebin, "autoplug-continue", G_CALLBACK (autoplug_continue_cb), self);
  g_signal_connect (self->decodebin, "pad-added", G_CALLBACK (pad_added_cb), self);
  g_signal_connect (self->decodebin, "no-more-pads", G_CALLBACK (no_more_pads_cb), self);
  g_signal_connect (self->decodebin, "unknown-type", G_CALLBACK (unknown_type_cb), self);
  g_signal_connect (self, "deep-element-added", G_CALLBACK (deep_element_added_cb), self);
  gst_bin_add_many (GST_BIN (self), self->source, self->decodebin, NULL);
  if (!gst_element_link (self->source, self->decodebin)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD, "cannot read from %s",
        GST_OBJECT_NAME (self->source));
    return FALSE;
  }
  pad = gst_element_get_static_pad (self->source, "src");
  if (pad != NULL)
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_PUSH | GST_PAD_PROBE_TYPE_BUFFER,
        source_probe_cb, self, NULL);
  gst_pad_set_active (self->video.pad, TRUE);
  gst_pad_set_active (self->audio.pad, TRUE);
  return TRUE;
}

static gboolean
must_stop_unlocked (WeftClipReader *self)
{
  return self->closing || self->cancelled;
}

static gboolean
first_known_unlocked (Stream *stream)
{
  return !stream->linked || stream->seen_first || stream->eos;
}

/* Where the source's own time 0 lies, if the document does not say. */
static void
find_start_unlocked (WeftClipReader *self)
{
  gint64 start = G_MAXINT64;

  if (GST_CLOCK_TIME_IS_VALID (self->clip->start_ns)) {
    self->start_ns = self->clip->start_ns;
    return;
  }
  while (!must_stop_unlocked (self) && self->error == NULL
         && !(first_known_unlocked (&self->video) && first_known_unlocked (&self->audio)))
    g_cond_wait (&self->changed, &self->lock);
  if (self->video.seen_first)
    start = MIN (start, self->video.first_ns);
  if (self->audio.seen_first)
    start = MIN (start, self->audio.first_ns);
  self->start_ns = start == G_MAXINT64 || start < 0 ? 0 : (GstClockTime) start;
}

static GstPad *
any_linked_pad (WeftClipReader *self)
{
  if (self->video.linked)
    return self->video.pad;
  return self->audio.linked ? self->audio.pad : NULL;
}

/* Each try starts further back than the one before; the last one at the very start. */
static void
seek (WeftClipReader *self, guint attempt)
{
  static const GstClockTime further[MAX_SEEKS] = { 0, 2 * GST_SECOND, 10 * GST_SECOND,
    GST_CLOCK_TIME_NONE };
  GstClockTime back = further[attempt];
  GstClockTime target = self->base_ns > SEEK_MARGIN_NS ? self->base_ns - SEEK_MARGIN_NS : 0;
  gboolean ok;

  target = target > back ? target - back : 0;
  GST_DEBUG_OBJECT (self, "seeking to %" GST_TIME_FORMAT, GST_TIME_ARGS (target));
  ok = gst_pad_push_event (any_linked_pad (self),
      gst_event_new_seek (1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
          GST_SEEK_TYPE_SET, (gint64) target, GST_SEEK_TYPE_NONE, -1));
  if (!ok)
    GST_INFO_OBJECT (self, "%s cannot seek, reading up to the in-point", self->clip->uri);
}

static void
run_until_closed (WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  while (!self->exposed && self->error == NULL && !must_stop_unlocked (self))
    g_cond_wait (&self->changed, &self->lock);

  if (self->exposed && self->error == NULL && !must_stop_unlocked (self)) {
    GstPad *pad = any_linked_pad (self);
    gint64 duration = -1;

    find_start_unlocked (self);
    self->base_ns = self->start_ns + self->clip->in_ns;
    g_mutex_unlock (&self->lock);
    if (pad != NULL && gst_pad_peer_query_duration (pad, GST_FORMAT_TIME, &duration))
      GST_DEBUG_OBJECT (self, "duration %" GST_TIME_FORMAT, GST_TIME_ARGS (duration));
    g_mutex_lock (&self->lock);
    self->duration_ns = duration > 0 ? (GstClockTime) duration : GST_CLOCK_TIME_NONE;
    if (duration <= 0 && self->clip->frames == WEFT_CLIP_FRAMES_UNKNOWN
        && !GST_CLOCK_TIME_IS_VALID (self->clip->out_ns))
      fail_unlocked (self,
          g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
              "%s does not say how long it is: give its clip `frames` or `out`", self->clip->uri),
          NULL);
    if (pad != NULL && self->clip->in_ns >= SEEK_WORTH_NS && !must_stop_unlocked (self)) {
      self->phase = PHASE_SEEKING;
      self->seeks = 1;
      g_mutex_unlock (&self->lock);
      seek (self, 0);
      g_mutex_lock (&self->lock);
    }
    self->phase = PHASE_RUNNING;
    wake_all_unlocked (self);
  }
  g_mutex_unlock (&self->lock);

  if (self->opened_func != NULL)
    self->opened_func (self, self->owner);

  g_mutex_lock (&self->lock);
  while (!self->closing) {
    if (self->seek_again && !self->cancelled) {
      guint attempt = self->seeks++;
      self->seek_again = FALSE;
      g_mutex_unlock (&self->lock);
      seek (self, attempt);
      g_mutex_lock (&self->lock);
      self->phase = PHASE_RUNNING;
      wake_all_unlocked (self);
    } else {
      g_cond_wait (&self->changed, &self->lock);
    }
  }
  g_mutex_unlock (&self->lock);
}

static gpointer
reader_thread (gpointer data)
{
  g_autoptr (WeftClipReader) self = data;
  g_autoptr (GObject) owner = g_object_ref (self->owner);
  g_autoptr (GstBus) bus = NULL;
  GError *error = NULL;

  if (!build (self, &error)) {
    g_mutex_lock (&self->lock);
    fail_unlocked (self, error, NULL);
    g_mutex_unlock (&self->lock);
  } else if (gst_element_set_state (GST_ELEMENT (self), GST_STATE_PAUSED)
             == GST_STATE_CHANGE_FAILURE) {
    g_mutex_lock (&self->lock);
    fail_unlocked (self,
        g_error_new (
            GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ, "cannot open %s", self->clip->uri),
        NULL);
    g_mutex_unlock (&self->lock);
  }
  run_until_closed (self);

  gst_pad_set_active (self->video.pad, FALSE);
  gst_pad_set_active (self->audio.pad, FALSE);
  gst_element_set_state (GST_ELEMENT (self), GST_STATE_NULL);
  bus = gst_pipeline_get_bus (GST_PIPELINE (self));
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  if (self->closed_func != NULL)
    self->closed_func (self, owner);
  return NULL;
}

/* ---- the owner's side ---- */

/*
 * weft_clip_reader_new:
 * @video: whether pictures will be taken
 * @audio: (nullable): what samples are asked for, F32 interleaved, if any
 * @opened: called on the reader's thread when it is known what the clip holds, or that it failed
 * @closed: called on the reader's thread when everything is given back
 */
WeftClipReader *
weft_clip_reader_new (WeftClipList *list, guint index, gboolean video, const GstAudioInfo *audio,
    WeftClipReaderFunc opened, WeftClipReaderFunc closed, GObject *owner)
{
  WeftClipReader *self = g_object_new (WEFT_TYPE_CLIP_READER, NULL);

  gst_object_ref_sink (self);
  self->list = weft_clip_list_ref (list);
  self->clip = weft_clip_list_get (list, index);
  self->video.wanted = video && self->clip->video;
  self->audio.wanted = audio != NULL && self->clip->audio;
  if (audio != NULL)
    self->out_audio = *audio;
  self->opened_func = opened;
  self->closed_func = closed;
  self->owner = g_object_ref (owner);
  return self;
}

void
weft_clip_reader_start (WeftClipReader *self)
{
  g_thread_unref (g_thread_new ("weft-clip", reader_thread, gst_object_ref (self)));
}

/* Ends every wait in the reader, for good. */
void
weft_clip_reader_cancel (WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  self->cancelled = TRUE;
  wake_all_unlocked (self);
  g_mutex_unlock (&self->lock);
}

/* Lets the reader's thread take it down; does not wait for that. */
void
weft_clip_reader_close (WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  self->cancelled = TRUE;
  self->closing = TRUE;
  wake_all_unlocked (self);
  g_mutex_unlock (&self->lock);
}

const WeftClip *
weft_clip_reader_get_clip (WeftClipReader *self)
{
  return self->clip;
}

/*
 * What the clip holds, if that is known. Of a clip that failed to open nothing is known and
 * nothing will be.
 *
 * Returns: %FALSE while it is being opened
 */
gboolean
weft_clip_reader_peek_format (WeftClipReader *self, WeftClipReaderFormat *format)
{
  g_autoptr (GstCaps) caps = NULL;
  gboolean known;

  memset (format, 0, sizeof *format);
  gst_video_info_init (&format->video_info);
  format->duration_ns = GST_CLOCK_TIME_NONE;
  g_mutex_lock (&self->lock);
  known = self->phase == PHASE_RUNNING || self->error != NULL;
  if (self->phase == PHASE_RUNNING) {
    format->has_video = self->video.linked;
    format->orientation = self->video.orientation;
    format->start_ns = self->start_ns;
    format->duration_ns = self->duration_ns;
    if (self->video.linked && (caps = gst_pad_get_current_caps (self->video.pad)) != NULL)
      gst_video_info_from_caps (&format->video_info, caps);
  }
  g_mutex_unlock (&self->lock);
  return known;
}

gboolean
weft_clip_reader_has_failed (WeftClipReader *self)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  failed = self->error != NULL;
  g_mutex_unlock (&self->lock);
  return failed;
}

/*
 * weft_clip_reader_take_frame:
 * @frame: (out): the next picture in presentation order
 *
 * The first picture is the last one not after the in-point, if there is any.
 */
WeftRead
weft_clip_reader_take_frame (WeftClipReader *self, WeftClipFrame *frame)
{
  Stream *stream = &self->video;
  WeftClipFrame *head;
  WeftRead result = WEFT_READ_OK;

  g_mutex_lock (&self->lock);
  for (;;) {
    head = g_queue_peek_head (&stream->queue);
    if (self->cancelled) {
      result = WEFT_READ_FLUSHING;
      break;
    }
    /* A picture up to the in-point stays until it is known to be the last such. */
    if (head != NULL
        && (head->time_ns > 0 || g_queue_get_length (&stream->queue) > 1 || stream->eos
            || self->error != NULL)) {
      g_queue_pop_head (&stream->queue);
      *frame = *head;
      g_free (head);
      g_cond_broadcast (&stream->room);
      break;
    }
    if (self->error != NULL) {
      result = WEFT_READ_FAILED;
      break;
    }
    if (self->phase == PHASE_RUNNING && (stream->eos || !stream->linked)) {
      result = WEFT_READ_END;
      break;
    }
    g_cond_wait (&stream->filled, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return result;
}

/*
 * weft_clip_reader_read_audio:
 * @position: in output samples from the clip's in-point; never goes back
 * @samples: (out): silent where the clip has none
 * @n_read: (out): samples up to the end of the stream, where that lies in the range
 *
 * Returns: %WEFT_READ_END if there is nothing after the range either
 */
WeftRead
weft_clip_reader_read_audio (
    WeftClipReader *self, guint64 position, gfloat *samples, guint n, guint *n_read)
{
  Stream *stream = &self->audio;
  gsize bpf = (gsize) self->out_audio.bpf;
  gint64 from = (gint64) position, to = from + n;
  WeftRead result = WEFT_READ_OK;

  memset (samples, 0, n * bpf);
  *n_read = 0;
  g_mutex_lock (&self->lock);
  for (;;) {
    AudioChunk *head = g_queue_peek_head (&stream->queue);

    if (self->cancelled) {
      result = WEFT_READ_FLUSHING;
      break;
    }
    if (head != NULL) {
      gint64 end = head->position + head->length;
      gint64 a = MAX (head->position, from), b = MIN (end, to);

      if (b > a && head->buffer != NULL)
        gst_buffer_extract (head->buffer, (gsize) (a - head->position) * bpf,
            (guint8 *) samples + (gsize) (a - (gint64) position) * bpf, (gsize) (b - a) * bpf);
      /* Where two runs overlap the first one is heard. */
      from = CLAMP (end, from, to);
      *n_read = (guint) (from - (gint64) position);
      if (end <= to) {
        stream->queued_samples -= head->length;
        audio_chunk_free (g_queue_pop_head (&stream->queue));
        g_cond_broadcast (&stream->room);
        continue;
      }
      *n_read = n;
      break;
    }
    if (from >= to)
      break;
    if (self->error != NULL) {
      result = WEFT_READ_FAILED;
      break;
    }
    if (self->phase == PHASE_RUNNING && (stream->eos || !stream->linked)) {
      result = WEFT_READ_END;
      break;
    }
    g_cond_wait (&stream->filled, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return result;
}

static void
stream_discard (Stream *stream)
{
  g_mutex_lock (&stream->reader->lock);
  stream->discard = TRUE;
  stream_clear_queue_unlocked (stream);
  g_cond_broadcast (&stream->room);
  g_mutex_unlock (&stream->reader->lock);
}

/* No more pictures will be taken: they must not hold up the samples. */
void
weft_clip_reader_discard_video (WeftClipReader *self)
{
  stream_discard (&self->video);
}

void
weft_clip_reader_discard_audio (WeftClipReader *self)
{
  stream_discard (&self->audio);
}

/* Returns: (transfer full) (nullable): why the clip failed */
GError *
weft_clip_reader_dup_error (WeftClipReader *self, gchar **debug)
{
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  if (self->error != NULL) {
    error = g_error_copy (self->error);
    *debug = g_strdup (self->error_debug);
  }
  g_mutex_unlock (&self->lock);
  return error;
}

/*
 * weft_clip_reader_check_end:
 * @stream: "video" or "audio", which has ended before its slot was full
 * @had_data: whether it gave anything at all
 * @is_early: whether what is missing can be noticed
 *
 * Streams may be shorter than their container says and that is no damage; a file that was cut is.
 *
 * Returns: (transfer full) (nullable): what is wrong with the source, if anything
 */
GError *
weft_clip_reader_check_end (
    WeftClipReader *self, const gchar *stream, gboolean had_data, gboolean is_early)
{
  return NULL;
}

void
weft_clip_reader_get_stats (WeftClipReader *self, WeftClipReaderStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->bytes_read = self->bytes_read;
  stats->frames_decoded = self->frames_decoded;
  stats->seeks = self->seeks;
  g_mutex_unlock (&self->lock);
}

static void
weft_clip_reader_finalize (GObject *object)
{
  WeftClipReader *self = WEFT_CLIP_READER (object);

  stream_clear_queue_unlocked (&self->video);
  stream_clear_queue_unlocked (&self->audio);
  stream_clear (&self->video);
  stream_clear (&self->audio);
  g_clear_pointer (&self->list, weft_clip_list_unref);
  g_clear_object (&self->owner);
  g_clear_error (&self->error);
  g_free (self->error_debug);
  g_free (self->claimed_video);
  g_free (self->claimed_audio);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (weft_clip_reader_parent_class)->finalize (object);
}

static void
weft_clip_reader_init (WeftClipReader *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  stream_init (&self->video, self, TRUE);
  stream_init (&self->audio, self, FALSE);
  self->duration_ns = GST_CLOCK_TIME_NONE;
}

static void
weft_clip_reader_class_init (WeftClipReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_clip_reader_finalize;
}
