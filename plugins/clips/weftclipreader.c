/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftClipReader: one open clip.
 *
 *   source ! decodebin ! [deinterlace !] video pad → pictures
 *                      ! audio pad → samples at the output's rate and channels
 *
 * Nothing in it runs against a clock: it stays in PAUSED and its two pads are no sinks, so its
 * streaming threads fill two bounded queues and wait there. A thread of its own opens it, seeks
 * and closes it again, so a source that blocks in a state change blocks nobody else.
 *
 * Threads: the reader's own thread changes states and seeks; decodebin's streaming threads run
 * weftclipstream.c; the owner's two tasks take pictures and samples out.
 */
#include "weftclipreader-private.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Decoding this much in vain costs less than a seek. */
#define SEEK_WORTH_NS (500 * GST_MSECOND)
/* A stream that has not shown up so long after the other one starts later. */
#define FIRST_BUFFER_TIMEOUT_US (500 * G_TIME_SPAN_MILLISECOND)
/* How much of a source may be missing before it counts as cut: its last frame may have no
 * duration, and headers are rounded. */
#define CUT_TOLERANCE_NS ((gint64) 500 * GST_MSECOND)
#define CUT_TOLERANCE_PERCENT 3

G_DEFINE_FINAL_TYPE (WeftClipReader, weft_clip_reader, GST_TYPE_PIPELINE)

/* Whoever waits looks again. */
void
weft_clip_reader_wake_all_unlocked (WeftClipReader *self)
{
  g_cond_broadcast (&self->changed);
  g_cond_broadcast (&self->video.filled);
  g_cond_broadcast (&self->video.room);
  g_cond_broadcast (&self->audio.filled);
  g_cond_broadcast (&self->audio.room);
}

/* The first error (taken) is what counts. */
void
weft_clip_reader_fail_unlocked (WeftClipReader *self, GError *error, const gchar *debug)
{
  if (self->error == NULL) {
    GST_INFO_OBJECT (
        self, "%s failed: %s (%s)", self->clip->uri, error->message, GST_STR_NULL (debug));
    self->error = error;
    self->error_debug = g_strdup (debug);
  } else {
    g_error_free (error);
  }
  weft_clip_reader_wake_all_unlocked (self);
}

/* ---- the reader's own thread ---- */

static gboolean
must_stop_unlocked (WeftClipReader *self)
{
  return self->closing || self->cancelled;
}

static gboolean
first_known_unlocked (WeftClipStream *stream)
{
  return !stream->linked || stream->seen_first || stream->eos;
}

/* Where each stream starts, unless one keeps the other waiting. */
static void
await_first_buffers_unlocked (WeftClipReader *self)
{
  gint64 deadline = G_MAXINT64;

  while (!must_stop_unlocked (self) && self->error == NULL
         && !(first_known_unlocked (&self->video) && first_known_unlocked (&self->audio))) {
    if (deadline == G_MAXINT64 && (self->video.seen_first || self->audio.seen_first))
      deadline = g_get_monotonic_time () + FIRST_BUFFER_TIMEOUT_US;
    if (deadline == G_MAXINT64)
      g_cond_wait (&self->changed, &self->lock);
    else if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
      break;
  }
}

/* Where the source's own time 0 lies, if the document does not say. */
static void
find_start_unlocked (WeftClipReader *self)
{
  gint64 start = G_MAXINT64;

  /* Matroska's own time 0 and its grid show only when every stream has begun. */
  if (!GST_CLOCK_TIME_IS_VALID (self->clip->start_ns) || (self->traits & WEFT_DEMUXER_COARSE_TIME))
    await_first_buffers_unlocked (self);
  if (GST_CLOCK_TIME_IS_VALID (self->clip->start_ns)) {
    self->start_ns = self->clip->start_ns;
    return;
  }
  if (self->video.seen_first)
    start = MIN (start, weft_clip_stream_first_ns_unlocked (&self->video));
  if (self->audio.seen_first)
    start = MIN (start, weft_clip_stream_first_ns_unlocked (&self->audio));
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
  static const GstClockTime further[WEFT_READER_MAX_SEEKS] = { 0, 2 * GST_SECOND, 10 * GST_SECOND,
    GST_CLOCK_TIME_NONE };
  GstClockTime back = further[attempt];
  GstClockTime target =
      self->base_ns > WEFT_READER_SEEK_MARGIN_NS ? self->base_ns - WEFT_READER_SEEK_MARGIN_NS : 0;
  gboolean ok;

  target = target > back ? target - back : 0;
  if (GST_CLOCK_TIME_IS_VALID (self->duration_ns))
    target = MIN (target, self->duration_ns);
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
  while (!self->exposed && self->error == NULL && !must_stop_unlocked (self)) {
    if (self->suspicion == NULL)
      g_cond_wait (&self->changed, &self->lock);
    else if (!g_cond_wait_until (&self->changed, &self->lock, self->suspicion_deadline_us)
             && self->suspicion != NULL && !self->exposed)
      weft_clip_reader_fail_unlocked (self, g_steal_pointer (&self->suspicion), NULL);
  }

  if (self->exposed && self->error == NULL && !must_stop_unlocked (self)) {
    GstPad *pad = any_linked_pad (self);
    gint64 duration = -1;

    find_start_unlocked (self);
    self->base_ns = self->start_ns + self->clip->in_ns;
    g_mutex_unlock (&self->lock);
    if (pad != NULL && gst_pad_peer_query_duration (pad, GST_FORMAT_TIME, &duration))
      GST_DEBUG_OBJECT (self, "duration %" GST_TIME_FORMAT, GST_TIME_ARGS (duration));
    g_mutex_lock (&self->lock);
    if (GST_CLOCK_TIME_IS_VALID (self->movie_duration_ns))
      self->duration_ns = self->movie_duration_ns;
    else if (duration > 0)
      self->duration_ns = (GstClockTime) duration;
    if (!GST_CLOCK_TIME_IS_VALID (self->duration_ns)
        && self->clip->frames == WEFT_CLIP_FRAMES_UNKNOWN
        && !GST_CLOCK_TIME_IS_VALID (self->clip->out_ns))
      weft_clip_reader_fail_unlocked (self,
          g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
              "%s does not say how long it is: give its clip `frames` or `out`", self->clip->uri),
          NULL);
    if (pad != NULL && self->clip->in_ns >= SEEK_WORTH_NS && !must_stop_unlocked (self)) {
      self->phase = WEFT_READER_SEEKING;
      self->seeks = 1;
      g_mutex_unlock (&self->lock);
      seek (self, 0);
      g_mutex_lock (&self->lock);
    }
    self->phase = WEFT_READER_RUNNING;
    weft_clip_reader_wake_all_unlocked (self);
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
      self->phase = WEFT_READER_RUNNING;
      weft_clip_reader_wake_all_unlocked (self);
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

  if (!weft_clip_source_build (self, &error)) {
    g_mutex_lock (&self->lock);
    weft_clip_reader_fail_unlocked (self, error, NULL);
    g_mutex_unlock (&self->lock);
  } else if (gst_element_set_state (GST_ELEMENT (self), GST_STATE_PAUSED)
             == GST_STATE_CHANGE_FAILURE) {
    g_mutex_lock (&self->lock);
    weft_clip_reader_fail_unlocked (self,
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
  weft_clip_reader_wake_all_unlocked (self);
  g_mutex_unlock (&self->lock);
}

/* Lets the reader's thread take it down; does not wait for that. */
void
weft_clip_reader_close (WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  self->cancelled = TRUE;
  self->closing = TRUE;
  weft_clip_reader_wake_all_unlocked (self);
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
  known = self->phase == WEFT_READER_RUNNING || self->error != NULL;
  if (self->phase == WEFT_READER_RUNNING) {
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
  WeftClipStream *stream = &self->video;
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
    if (self->phase == WEFT_READER_RUNNING && (stream->eos || !stream->linked)) {
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
  WeftClipStream *stream = &self->audio;
  gsize bpf = (gsize) self->out_audio.bpf;
  gint64 from = (gint64) position, to = from + n;
  WeftRead result = WEFT_READ_OK;

  memset (samples, 0, n * bpf);
  *n_read = 0;
  g_mutex_lock (&self->lock);
  for (;;) {
    WeftAudioChunk *head = g_queue_peek_head (&stream->queue);

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
        weft_audio_chunk_free (g_queue_pop_head (&stream->queue));
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
    if (self->phase == WEFT_READER_RUNNING && (stream->eos || !stream->linked)) {
      result = WEFT_READ_END;
      break;
    }
    g_cond_wait (&stream->filled, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  return result;
}

static void
stream_discard (WeftClipStream *stream)
{
  g_mutex_lock (&stream->reader->lock);
  stream->discard = TRUE;
  weft_clip_stream_clear_queue_unlocked (stream);
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

/*
 * @changed: (out): whether the source was replaced while it was read
 *
 * Returns: (transfer full) (nullable): why the clip failed
 */
GError *
weft_clip_reader_dup_error (WeftClipReader *self, gchar **debug, gboolean *changed)
{
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  *changed = self->error_changed;
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
    WeftClipReader *self, const gchar *stream_name, gboolean had_data, gboolean is_early)
{
  WeftClipStream *stream = g_str_equal (stream_name, "video") ? &self->video : &self->audio;
  GError *error = NULL;
  gint64 tolerance, missing;

  g_mutex_lock (&self->lock);
  tolerance = GST_CLOCK_TIME_IS_VALID (self->duration_ns)
                  ? (gint64) self->duration_ns * CUT_TOLERANCE_PERCENT / 100
                  : 0;
  tolerance = MAX (tolerance, MAX (CUT_TOLERANCE_NS, 2 * self->longest_gap_ns));
  missing =
      GST_CLOCK_TIME_IS_VALID (self->duration_ns) ? (gint64) self->duration_ns - self->reach_ns : 0;

  if (!stream->linked && stream->undecodable != NULL) {
    error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND,
        "there is no decoder for its %s (%s)", stream_name, stream->undecodable);
  } else if (is_early && stream->linked && self->short_read) {
    error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
        "the file is cut: it ends in the middle of a sample, after %.1f s",
        (gdouble) self->reach_ns / GST_SECOND);
  } else if (is_early && stream->linked && (self->traits & WEFT_DEMUXER_TRUSTED_DURATION)
             && self->demuxed_eos >= self->demuxed_pads && missing > tolerance) {
    error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX,
        "the file is cut: it ends after %.1f s of %.1f s", (gdouble) self->reach_ns / GST_SECOND,
        (gdouble) self->duration_ns / GST_SECOND);
  } else if (stream->is_video && stream->linked && !had_data
             && self->reach_video_ns > (gint64) self->base_ns + CUT_TOLERANCE_NS) {
    error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "no picture could be decoded, the video is damaged");
  }
  g_mutex_unlock (&self->lock);
  return error;
}

void
weft_clip_reader_get_stats (WeftClipReader *self, WeftClipReaderStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->bytes_read = self->bytes_read;
  /* A source that keeps a cache knows better what came from afar. */
  if (self->source != NULL
      && g_object_class_find_property (G_OBJECT_GET_CLASS (self->source), "stats") != NULL) {
    g_autoptr (GstStructure) source = NULL;

    g_object_get (self->source, "stats", &source, NULL);
    if (source != NULL)
      gst_structure_get_uint64 (source, "bytes", &stats->bytes_read);
  }
  stats->frames_decoded = self->frames_decoded;
  stats->seeks = self->seeks;
  g_mutex_unlock (&self->lock);
}

static void
weft_clip_reader_finalize (GObject *object)
{
  WeftClipReader *self = WEFT_CLIP_READER (object);

  weft_clip_stream_clear (&self->video);
  weft_clip_stream_clear (&self->audio);
  g_clear_pointer (&self->list, weft_clip_list_unref);
  g_clear_object (&self->owner);
  g_clear_error (&self->error);
  g_clear_error (&self->suspicion);
  g_free (self->error_debug);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (weft_clip_reader_parent_class)->finalize (object);
}

static void
weft_clip_reader_init (WeftClipReader *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  weft_clip_stream_init (&self->video, self, TRUE);
  weft_clip_stream_init (&self->audio, self, FALSE);
  self->duration_ns = GST_CLOCK_TIME_NONE;
  self->movie_duration_ns = GST_CLOCK_TIME_NONE;
  self->shift_ns = G_MAXINT64;
}

static void
weft_clip_reader_class_init (WeftClipReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_clip_reader_finalize;
}
