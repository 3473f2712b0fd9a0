/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-clipsequence
 * @title: clipsequence
 *
 * Plays clips one after the other as one continuous raw video and one continuous raw audio
 * stream. Every picture stands on the frame grid, every sound on the sample grid, of the timeline
 * that the `clips` describe; docs/design/0001 has the rules and docs/design/0003 how they are kept.
 *
 * A pad that is not linked when the element goes to PAUSED is not decoded for.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 clipsequence
 * clips='{"clips":[{"uri":"file:///tmp/a.mp4","in":1,"out":4},{"uri":"file:///tmp/b.mp4"}]}' name=c
 *     c.video ! queue ! videoconvert ! autovideosink  c.audio ! queue ! audioconvert !
 * autoaudiosink
 * ]|
 */
#include "weftclipsequence.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>
#include <string.h>

#include "weftclippictures.h"
#include "weftclipwindow.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

#define DEFAULT_LOOKAHEAD 1
#define MAX_LOOKAHEAD 16
/* One AAC frame; a buffer never crosses from a clip into the next. */
#define SAMPLES_PER_BUFFER 1024
/* How far sound may run ahead of pictures. */
#define MAX_AUDIO_LEAD GST_SECOND
/* A stream that ends this much too early in a damaged file is damage, less is how files are. */
#define SHORT_TOLERANCE_NS (500 * GST_MSECOND)

enum {
  PROP_0,
  PROP_CLIPS,
  PROP_LOCATION,
  PROP_LOOKAHEAD,
  PROP_WAITING,
  PROP_STATS,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

typedef enum {
  WAITING_NOT,
  WAITING_FORMAT,
  WAITING_OPEN,
  WAITING_DATA,
} Waiting;

/* One source pad. Its own task alone uses what is not marked otherwise. */
typedef struct {
  GstPad *pad;
  gboolean started;
  guint clip;
  gboolean in_clip; /* the slot below is valid */
  guint64 first_frame, end_frame;
  WeftClipReader *reader;
  gboolean substitute; /* the rest of the slot is background or silence */

  /* guarded by the element's lock */
  gboolean active;
  guint64 position_ns;
  Waiting waiting;
  guint waiting_clip;
  gint64 waiting_since_us;
} Track;

struct _WeftClipSequence {
  GstElement parent_instance;

  /* properties, guarded by the object lock */
  gchar *clips;
  gchar *location;
  guint lookahead;

  /* Guards the tracks' marked members and what is below it; nothing is called with it held. */
  GMutex lock;
  GCond moved; /* video went on, or nothing will */
  gboolean flushing;
  gboolean failed;
  GArray *warned; /* gboolean by clip */
  guint64 frames_pushed, samples_pushed;
  WeftClipPicturesCounts counts;
  GstStructure *last_stats; /* of the run before, until the next one */

  /* from READY to PAUSED and back; then constant */
  WeftClipList *list;
  WeftClipWindow *window;
  guint group_id;
  gboolean format_settled;   /* guarded by the lock */
  WeftSequenceFormat format; /* constant once it is settled */

  Track tracks[WEFT_N_TRACKS];

  /* video task only */
  guint64 frame;
  WeftClipPictures *pictures;

  /* audio task only */
  guint64 sample;
};

G_DEFINE_FINAL_TYPE (WeftClipSequence, weft_clip_sequence, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (clipsequence, "clipsequence", GST_RANK_NONE, WEFT_TYPE_CLIP_SEQUENCE)

static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE ("video", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/x-raw, format = (string) I420, width = " GST_VIDEO_SIZE_RANGE
                         ", height = " GST_VIDEO_SIZE_RANGE ", framerate = " GST_VIDEO_FPS_RANGE
                         ", pixel-aspect-ratio = (fraction) 1/1"));

static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE ("audio", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("audio/x-raw, format = (string) " GST_AUDIO_NE (
            F32) ", layout = (string) interleaved, rate = " GST_AUDIO_RATE_RANGE
                 ", channels = " GST_AUDIO_CHANNELS_RANGE));

/* ---- waiting, failing ---- */

static void
begin_wait (WeftClipSequence *self, Track *track, Waiting what)
{
  g_mutex_lock (&self->lock);
  track->waiting = what;
  track->waiting_clip = track->clip;
  track->waiting_since_us = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
}

static void
end_wait (WeftClipSequence *self, Track *track)
{
  g_mutex_lock (&self->lock);
  track->waiting = WAITING_NOT;
  g_mutex_unlock (&self->lock);
}

static gchar *
describe_waiting (WeftClipSequence *self)
{
  static const gchar *const what[] = { NULL, "to learn its format from", "to open", "for data of" };
  GString *text = g_string_new (NULL);
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  for (guint t = 0; t < WEFT_N_TRACKS && self->list != NULL; t++) {
    Track *track = &self->tracks[t];
    const WeftClip *clip;

    if (track->waiting == WAITING_NOT || track->waiting_clip >= self->list->clips->len)
      continue;
    clip = weft_clip_list_get (self->list, track->waiting_clip);
    g_string_append_printf (text, "%s%s:%s waits %.1f s %s clip %u (%s) %s",
        text->len > 0 ? "; " : "", GST_ELEMENT_NAME (self), GST_PAD_NAME (track->pad),
        (gdouble) (now - track->waiting_since_us) / G_TIME_SPAN_SECOND, what[track->waiting],
        clip->index, clip->pointer, clip->uri);
  }
  g_mutex_unlock (&self->lock);
  return g_string_free (text, text->len == 0);
}

static void
post_clip_message (WeftClipSequence *self, GstMessageType type, const WeftClip *clip,
    const gchar *stream, const GError *error, const gchar *debug, gboolean changed)
{
  GstStructure *details = gst_structure_new ("details", "pointer", G_TYPE_STRING, clip->pointer,
      "uri", G_TYPE_STRING, clip->uri, "clip", G_TYPE_UINT, clip->index, "stream", G_TYPE_STRING,
      stream, "changed", G_TYPE_BOOLEAN, changed, NULL);

  gst_element_message_full_with_details (GST_ELEMENT (self), type, error->domain, error->code,
      g_strdup_printf ("%s: %s", clip->uri, error->message), g_strdup (debug), __FILE__,
      GST_FUNCTION, __LINE__, details);
}

/*
 * What the job wants done about a clip that cannot be read to its end. Each clip is spoken of once.
 *
 * Returns: %TRUE if the slot is to be filled up, %FALSE if that was the end
 */
static gboolean
clip_failed (WeftClipSequence *self, const WeftClip *clip, const gchar *stream, const GError *error,
    const gchar *debug, gboolean changed)
{
  gboolean fatal = clip->on_error == WEFT_ON_ERROR_FAIL;
  gboolean first;

  g_mutex_lock (&self->lock);
  if (fatal) {
    first = !self->failed && !self->flushing;
    self->failed = TRUE;
  } else {
    gboolean *warned = &g_array_index (self->warned, gboolean, clip->index);
    first = !*warned;
    *warned = TRUE;
  }
  g_mutex_unlock (&self->lock);
  if (first)
    post_clip_message (
        self, fatal ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING, clip, stream, error, debug, changed);
  return !fatal;
}

static void
open_failed_cb (GstElement *owner, const WeftClip *clip, WeftClipReader *reader)
{
  g_autofree gchar *debug = NULL;
  gboolean changed;
  g_autoptr (GError) error = weft_clip_reader_dup_error (reader, &debug, &changed);

  if (error != NULL)
    clip_failed (WEFT_CLIP_SEQUENCE (owner), clip, "container", error, debug, changed);
}

/* ---- both tracks ---- */

static void
pause_task (WeftClipSequence *self, Track *track)
{
  WeftTrack t = track == &self->tracks[WEFT_TRACK_VIDEO] ? WEFT_TRACK_VIDEO : WEFT_TRACK_AUDIO;

  gst_pad_pause_task (track->pad);
  g_mutex_lock (&self->lock);
  track->active = FALSE;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
  weft_clip_window_move (self->window, t, self->list->clips->len);
}

/* A pad that nobody takes data from must not hold up the other one. */
static void
handle_flow (WeftClipSequence *self, Track *track, GstFlowReturn flow)
{
  gboolean other_active = FALSE;

  GST_DEBUG_OBJECT (track->pad, "pausing: %s", gst_flow_get_name (flow));
  /* at the end, or when downstream has had enough */
  if (flow == GST_FLOW_EOS)
    gst_pad_push_event (track->pad, gst_event_new_eos ());
  pause_task (self, track);
  g_mutex_lock (&self->lock);
  for (guint t = 0; t < WEFT_N_TRACKS; t++)
    other_active |= self->tracks[t].active;
  g_mutex_unlock (&self->lock);

  if (flow == GST_FLOW_EOS || flow == GST_FLOW_FLUSHING)
    return;
  if (flow == GST_FLOW_NOT_LINKED && other_active)
    return;
  g_mutex_lock (&self->lock);
  if (self->failed)
    flow = GST_FLOW_FLUSHING;
  self->failed = TRUE;
  g_mutex_unlock (&self->lock);
  if (flow != GST_FLOW_FLUSHING)
    GST_ELEMENT_FLOW_ERROR (self, flow);
}

/* Everything begins at @begin: stream time counts from there, running time from the grid's own
 * beginning, so that sequences that begin at other frames play where they belong. */
static void
push_start (WeftClipSequence *self, Track *track, GstCaps *caps, GstClockTime begin)
{
  g_autofree gchar *stream_id =
      gst_pad_create_stream_id (track->pad, GST_ELEMENT (self), GST_PAD_NAME (track->pad));
  GstEvent *event = gst_event_new_stream_start (stream_id);
  guint64 total = weft_clip_window_get_total_frames (self->window);
  GstSegment segment;

  gst_event_set_group_id (event, self->group_id);
  gst_pad_push_event (track->pad, event);
  gst_pad_push_event (track->pad, gst_event_new_caps (caps));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.base = segment.position = begin;
  if (total != G_MAXUINT64)
    segment.duration =
        weft_grid_time_of_frame (total, self->format.video.fps_n, self->format.video.fps_d) - begin;
  gst_pad_push_event (track->pad, gst_event_new_segment (&segment));
}

/* Whichever task is first settles the format; both read it only after they came through here. */
static gboolean
settle_format (WeftClipSequence *self, Track *track)
{
  WeftSequenceFormat format;
  gboolean ok;

  begin_wait (self, track, WAITING_FORMAT);
  ok = weft_clip_window_get_format (self->window, &format);
  end_wait (self, track);
  g_mutex_lock (&self->lock);
  if (ok && !self->format_settled) {
    self->format = format;
    self->format_settled = TRUE;
  }
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Goes to the track's clip. Returns: %FALSE if stopped */
static gboolean
enter_clip (WeftClipSequence *self, Track *track, WeftTrack t)
{
  gboolean ok;

  weft_clip_window_move (self->window, t, track->clip);
  begin_wait (self, track, WAITING_OPEN);
  ok =
      weft_clip_window_get_slot (self->window, track->clip, &track->first_frame, &track->end_frame);
  if (ok) {
    track->reader = weft_clip_window_get_reader (self->window, track->clip);
    ok = track->reader != NULL;
  }
  end_wait (self, track);
  track->in_clip = ok;
  track->substitute = FALSE;
  return ok;
}

static void
leave_clip (Track *track)
{
  gst_clear_object (&track->reader);
  track->in_clip = FALSE;
  track->clip++;
}

/*
 * A reader ended or failed before its slot was full.
 *
 * Returns: %TRUE if the slot is to be filled up all the same
 */
static gboolean
fill_up_after (
    WeftClipSequence *self, Track *track, WeftRead read, GstClockTime missing_ns, gboolean had_data)
{
  const WeftClip *clip = weft_clip_list_get (self->list, track->clip);
  const gchar *stream = GST_PAD_NAME (track->pad);
  g_autofree gchar *debug = NULL;
  g_autoptr (GError) error = NULL;
  gboolean changed = FALSE;

  if (read == WEFT_READ_FAILED)
    error = weft_clip_reader_dup_error (track->reader, &debug, &changed);
  else
    error = weft_clip_reader_check_end (
        track->reader, stream, had_data, missing_ns > SHORT_TOLERANCE_NS);
  if (error == NULL)
    return TRUE;
  track->substitute = TRUE;
  return clip_failed (self, clip, stream, error, debug, changed);
}

/* ---- video ---- */

/* Takes the buffer for frame @k of the clip; *@buffer stays %NULL if the task must end. */
static GstFlowReturn
get_picture (WeftClipSequence *self, Track *track, guint64 k, GstBuffer **buffer)
{
  const WeftClip *clip = weft_clip_list_get (self->list, track->clip);
  guint64 length = track->end_frame - track->first_frame;

  if (!track->substitute && clip->video) {
    guint64 have;
    WeftRead read;

    begin_wait (self, track, WAITING_DATA);
    read = weft_clip_pictures_advance (self->pictures, k, &have);
    end_wait (self, track);
    if (read == WEFT_READ_FLUSHING)
      return GST_FLOW_FLUSHING;
    if (read == WEFT_READ_FAILED || (read == WEFT_READ_END && k >= have)) {
      GstClockTime missing = weft_grid_time_of_frame (
          length > have ? length - have : 0, self->format.video.fps_n, self->format.video.fps_d);
      if (!fill_up_after (self, track, read, missing, have > 0))
        return GST_FLOW_ERROR;
    }
  }
  *buffer = track->substitute || !clip->video
                ? weft_clip_pictures_take_background (self->pictures)
                : weft_clip_pictures_take (self->pictures, k, k + 1 == length);
  return *buffer != NULL ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

/* Audio waits for video's. */
static void
set_position (WeftClipSequence *self, Track *track, GstClockTime position_ns)
{
  g_mutex_lock (&self->lock);
  track->position_ns = position_ns;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
}

static GstFlowReturn
start_video (WeftClipSequence *self, Track *track)
{
  g_autoptr (GstCaps) caps = NULL;
  GstClockTime begin;

  if (!settle_format (self, track))
    return GST_FLOW_FLUSHING;
  caps = gst_video_info_to_caps (&self->format.video);
  begin = weft_grid_time_of_frame (self->frame, self->format.video.fps_n, self->format.video.fps_d);
  push_start (self, track, caps, begin);
  set_position (self, track, begin);
  self->pictures =
      weft_clip_pictures_new (&self->format.video, self->list->background, caps, track->pad);
  return self->pictures != NULL ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
}

static void
video_task (gpointer user_data)
{
  WeftClipSequence *self = user_data;
  Track *track = &self->tracks[WEFT_TRACK_VIDEO];
  gint fps_n, fps_d;
  GstBuffer *buffer = NULL;
  GstFlowReturn flow;

  if (!track->started) {
    flow = start_video (self, track);
    if (flow != GST_FLOW_OK) {
      handle_flow (self, track, flow);
      return;
    }
    track->started = TRUE;
  }
  if (track->clip >= self->list->clips->len) {
    handle_flow (self, track, GST_FLOW_EOS);
    return;
  }
  if (!track->in_clip) {
    if (!enter_clip (self, track, WEFT_TRACK_VIDEO)) {
      handle_flow (self, track, GST_FLOW_FLUSHING);
      return;
    }
    weft_clip_pictures_enter (self->pictures, track->reader);
  }
  if (self->frame >= track->end_frame) {
    weft_clip_pictures_leave (self->pictures);
    leave_clip (track);
    return;
  }

  flow = get_picture (self, track, self->frame - track->first_frame, &buffer);
  if (flow == GST_FLOW_OK) {
    fps_n = self->format.video.fps_n;
    fps_d = self->format.video.fps_d;
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_RESYNC);
    if (self->frame == self->list->first_frame)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    GST_BUFFER_PTS (buffer) = weft_grid_time_of_frame (self->frame, fps_n, fps_d);
    GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION (buffer) =
        weft_grid_time_of_frame (self->frame + 1, fps_n, fps_d) - GST_BUFFER_PTS (buffer);
    GST_BUFFER_OFFSET (buffer) = self->frame;
    GST_BUFFER_OFFSET_END (buffer) = self->frame + 1;
    self->frame++;

    g_mutex_lock (&self->lock);
    track->position_ns = weft_grid_time_of_frame (self->frame, fps_n, fps_d);
    self->frames_pushed++;
    self->counts = weft_clip_pictures_get_counts (self->pictures);
    g_cond_broadcast (&self->moved);
    g_mutex_unlock (&self->lock);
    flow = gst_pad_push (track->pad, buffer);
  }
  if (flow != GST_FLOW_OK)
    handle_flow (self, track, flow);
}

/* ---- audio ---- */

static gboolean
start_audio (WeftClipSequence *self, Track *track)
{
  const GstVideoInfo *video = &self->format.video;
  g_autoptr (GstCaps) caps = NULL;
  gint rate;

  if (!settle_format (self, track))
    return FALSE;
  caps = gst_audio_info_to_caps (&self->format.audio);
  rate = self->format.audio.rate;
  self->sample =
      weft_grid_sample_of_frame (self->list->first_frame, video->fps_n, video->fps_d, rate);
  push_start (self, track, caps, gst_util_uint64_scale_int (self->sample, GST_SECOND, rate));
  return TRUE;
}

/* Returns: %FALSE if stopped */
static gboolean
await_video (WeftClipSequence *self, guint64 position_ns)
{
  Track *video = &self->tracks[WEFT_TRACK_VIDEO];
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (video->active && !self->flushing && position_ns > video->position_ns + MAX_AUDIO_LEAD)
    g_cond_wait (&self->moved, &self->lock);
  ok = !self->flushing;
  g_mutex_unlock (&self->lock);
  return ok;
}

static GstFlowReturn
get_samples (WeftClipSequence *self, Track *track, guint64 position, guint n, GstBuffer **buffer)
{
  const WeftClip *clip = weft_clip_list_get (self->list, track->clip);
  const GstAudioInfo *info = &self->format.audio;
  GstMapInfo map;
  guint n_read = 0;
  WeftRead read = WEFT_READ_OK;

  *buffer = gst_buffer_new_allocate (NULL, (gsize) n * (gsize) info->bpf, NULL);
  gst_buffer_map (*buffer, &map, GST_MAP_WRITE);
  if (track->substitute || !clip->audio) {
    memset (map.data, 0, map.size);
  } else {
    begin_wait (self, track, WAITING_DATA);
    read = weft_clip_reader_read_audio (track->reader, position, (gfloat *) map.data, n, &n_read);
    end_wait (self, track);
  }
  gst_buffer_unmap (*buffer, &map);
  if (read == WEFT_READ_FLUSHING)
    return GST_FLOW_FLUSHING;
  if (read != WEFT_READ_OK) {
    gint fps_n = self->format.video.fps_n, fps_d = self->format.video.fps_d;
    guint64 end = weft_grid_sample_of_frame (track->end_frame, fps_n, fps_d, info->rate)
                  - weft_grid_sample_of_frame (track->first_frame, fps_n, fps_d, info->rate);
    guint64 missing = end - (position + n_read);
    if (!fill_up_after (self, track, read,
            gst_util_uint64_scale_int (missing, GST_SECOND, info->rate), position + n_read > 0))
      return GST_FLOW_ERROR;
    track->substitute = TRUE;
  }
  return GST_FLOW_OK;
}

static void
audio_task (gpointer user_data)
{
  WeftClipSequence *self = user_data;
  Track *track = &self->tracks[WEFT_TRACK_AUDIO];
  g_autoptr (GstBuffer) buffer = NULL;
  GstFlowReturn flow;
  guint64 first, end;
  gint fps_n, fps_d, rate;
  guint n;

  if (!track->started) {
    if (!start_audio (self, track)) {
      handle_flow (self, track, GST_FLOW_FLUSHING);
      return;
    }
    track->started = TRUE;
  }
  if (track->clip >= self->list->clips->len) {
    handle_flow (self, track, GST_FLOW_EOS);
    return;
  }
  if (!track->in_clip && !enter_clip (self, track, WEFT_TRACK_AUDIO)) {
    handle_flow (self, track, GST_FLOW_FLUSHING);
    return;
  }
  fps_n = self->format.video.fps_n;
  fps_d = self->format.video.fps_d;
  rate = self->format.audio.rate;
  first = weft_grid_sample_of_frame (track->first_frame, fps_n, fps_d, rate);
  end = weft_grid_sample_of_frame (track->end_frame, fps_n, fps_d, rate);
  if (self->sample >= end) {
    leave_clip (track);
    return;
  }
  if (!await_video (self, gst_util_uint64_scale_int (self->sample, GST_SECOND, rate))) {
    handle_flow (self, track, GST_FLOW_FLUSHING);
    return;
  }

  n = (guint) MIN (SAMPLES_PER_BUFFER, end - self->sample);
  flow = get_samples (self, track, self->sample - first, n, &buffer);
  if (flow == GST_FLOW_OK) {
    if (self->samples_pushed == 0)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale_int (self->sample, GST_SECOND, rate);
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale_int (self->sample + n, GST_SECOND, rate) - GST_BUFFER_PTS (buffer);
    GST_BUFFER_OFFSET (buffer) = self->sample;
    GST_BUFFER_OFFSET_END (buffer) = self->sample + n;
    self->sample += n;
    g_mutex_lock (&self->lock);
    track->position_ns = gst_util_uint64_scale_int (self->sample, GST_SECOND, rate);
    self->samples_pushed += n;
    g_mutex_unlock (&self->lock);
    flow = gst_pad_push (track->pad, g_steal_pointer (&buffer));
  }
  if (flow != GST_FLOW_OK)
    handle_flow (self, track, flow);
}

/* ---- pads and states ---- */

static gboolean
activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (parent);
  gboolean video = pad == self->tracks[WEFT_TRACK_VIDEO].pad;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (!active)
    return gst_pad_stop_task (pad);
  if (!self->tracks[video ? WEFT_TRACK_VIDEO : WEFT_TRACK_AUDIO].active)
    return TRUE;
  return gst_pad_start_task (pad, video ? video_task : audio_task, self, NULL);
}

/* When the first frame is, on the grid; positions and durations count from there. */
static GstClockTime
get_begin_unlocked (WeftClipSequence *self)
{
  const GstVideoInfo *video = &self->format.video;

  return self->list != NULL && self->format_settled
             ? weft_grid_time_of_frame (self->list->first_frame, video->fps_n, video->fps_d)
             : 0;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (parent);
  Track *track = gst_pad_get_element_private (pad);
  GstClockTime begin;
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if (format != GST_FORMAT_TIME)
        return FALSE;
      g_mutex_lock (&self->lock);
      begin = get_begin_unlocked (self);
      gst_query_set_position (query, format, (gint64) (MAX (track->position_ns, begin) - begin));
      g_mutex_unlock (&self->lock);
      return TRUE;
    case GST_QUERY_DURATION: {
      guint64 total = G_MAXUINT64;
      WeftSequenceFormat sequence;

      gst_query_parse_duration (query, &format, NULL);
      g_mutex_lock (&self->lock);
      if (self->window != NULL && self->format_settled)
        total = weft_clip_window_get_total_frames (self->window);
      sequence = self->format;
      begin = get_begin_unlocked (self);
      g_mutex_unlock (&self->lock);
      if (format != GST_FORMAT_TIME || total == G_MAXUINT64)
        return FALSE;
      gst_query_set_duration (query, format,
          (gint64) (weft_grid_time_of_frame (total, sequence.video.fps_n, sequence.video.fps_d)
                    - begin));
      return TRUE;
    }
    case GST_QUERY_SEEKING:
      gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
      gst_query_set_seeking (query, format, FALSE, 0, -1);
      return TRUE;
    case GST_QUERY_LATENCY:
      gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gboolean ok = GST_EVENT_TYPE (event) != GST_EVENT_SEEK;

  gst_event_unref (event);
  return ok;
}

static WeftClipList *
load_list (WeftClipSequence *self, GError **error)
{
  g_autofree gchar *clips = NULL, *location = NULL, *content = NULL;
  g_autofree gchar *path = NULL, *folder = NULL;
  gsize length;

  GST_OBJECT_LOCK (self);
  clips = g_strdup (self->clips);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  if (clips != NULL)
    return weft_clip_list_new_from_json (clips, -1, NULL, error);
  if (location == NULL) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "nothing to play: set the property `clips` or `location`");
    return NULL;
  }
  if (!g_file_get_contents (location, &content, &length, error))
    return NULL;
  path = g_canonicalize_filename (location, NULL);
  folder = g_path_get_dirname (path);
  return weft_clip_list_new_from_json (content, (gssize) length, folder, error);
}

static gboolean
start (WeftClipSequence *self)
{
  g_autoptr (GError) error = NULL;
  WeftClipList *list = load_list (self, &error);
  WeftClipWindow *window;

  if (list == NULL) {
    if (error->domain == GST_RESOURCE_ERROR)
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
    else
      GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%s", error->message), (NULL));
    return FALSE;
  }

  for (guint t = 0; t < WEFT_N_TRACKS; t++) {
    Track *track = &self->tracks[t];
    track->started = FALSE;
    track->clip = 0;
    track->in_clip = FALSE;
    track->active = gst_pad_is_linked (track->pad);
    track->position_ns = 0;
    track->waiting = WAITING_NOT;
  }
  window = weft_clip_window_new (list, self->tracks[WEFT_TRACK_VIDEO].active,
      self->tracks[WEFT_TRACK_AUDIO].active, self->lookahead, GST_ELEMENT (self), open_failed_cb);
  g_mutex_lock (&self->lock);
  self->list = list;
  self->window = window;
  self->flushing = FALSE;
  self->failed = FALSE;
  self->format_settled = FALSE;
  g_array_set_size (self->warned, 0);
  g_array_set_size (self->warned, list->clips->len);
  self->frames_pushed = self->samples_pushed = 0;
  memset (&self->counts, 0, sizeof self->counts);
  g_mutex_unlock (&self->lock);
  self->frame = list->first_frame;
  self->sample = 0;
  self->group_id = gst_util_group_id_next ();
  weft_clip_window_start (self->window);
  return TRUE;
}

/* Lets every wait of the tasks end. */
static void
cancel (WeftClipSequence *self)
{
  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
  if (self->window != NULL)
    weft_clip_window_cancel (self->window);
}

static GstStructure *
get_stats (WeftClipSequence *self)
{
  GstStructure *stats;
  g_autoptr (WeftClipWindow) window = NULL;

  g_mutex_lock (&self->lock);
  if (self->window == NULL && self->last_stats != NULL) {
    stats = gst_structure_copy (self->last_stats);
    g_mutex_unlock (&self->lock);
    return stats;
  }
  stats = gst_structure_new ("clipsequence-stats", "frames", G_TYPE_UINT64, self->frames_pushed,
      "samples", G_TYPE_UINT64, self->samples_pushed, "frames-repeated", G_TYPE_UINT64,
      self->counts.repeated, "frames-dropped", G_TYPE_UINT64, self->counts.dropped, NULL);
  if (self->window != NULL)
    window = g_object_ref (self->window);
  g_mutex_unlock (&self->lock);
  if (window != NULL)
    weft_clip_window_add_stats (window, stats);
  return stats;
}

static void
stop (WeftClipSequence *self)
{
  WeftClipWindow *window;
  WeftClipList *list;

  for (guint t = 0; t < WEFT_N_TRACKS; t++)
    gst_clear_object (&self->tracks[t].reader);
  g_clear_pointer (&self->pictures, weft_clip_pictures_free);

  if (self->window != NULL) {
    GstStructure *stats;

    weft_clip_window_close (self->window);
    stats = get_stats (self);
    g_mutex_lock (&self->lock);
    g_clear_pointer (&self->last_stats, gst_structure_free);
    self->last_stats = stats;
    g_mutex_unlock (&self->lock);
  }
  g_mutex_lock (&self->lock);
  window = g_steal_pointer (&self->window);
  list = g_steal_pointer (&self->list);
  g_mutex_unlock (&self->lock);
  g_clear_object (&window);
  g_clear_pointer (&list, weft_clip_list_unref);
}

static GstStateChangeReturn
weft_clip_sequence_change_state (GstElement *element, GstStateChange transition)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    cancel (self);
  result = GST_ELEMENT_CLASS (weft_clip_sequence_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE)) {
    cancel (self);
    stop (self);
  }
  return result;
}

static void
weft_clip_sequence_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_CLIPS:
      g_free (self->clips);
      self->clips = g_value_dup_string (value);
      break;
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    case PROP_LOOKAHEAD:
      self->lookahead = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_clip_sequence_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (object);

  switch (prop_id) {
    case PROP_CLIPS:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->clips);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_LOCATION:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->location);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_LOOKAHEAD:
      GST_OBJECT_LOCK (self);
      g_value_set_uint (value, self->lookahead);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_WAITING:
      g_value_take_string (value, describe_waiting (self));
      break;
    case PROP_STATS:
      g_value_take_boxed (value, get_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
}

static void
weft_clip_sequence_finalize (GObject *object)
{
  WeftClipSequence *self = WEFT_CLIP_SEQUENCE (object);

  g_free (self->clips);
  g_free (self->location);
  g_array_unref (self->warned);
  g_clear_pointer (&self->last_stats, gst_structure_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->moved);
  G_OBJECT_CLASS (weft_clip_sequence_parent_class)->finalize (object);
}

static void
add_pad (WeftClipSequence *self, Track *track, GstStaticPadTemplate *template)
{
  track->pad = gst_pad_new_from_static_template (template, template->name_template);
  gst_pad_set_element_private (track->pad, track);
  gst_pad_set_activatemode_function (track->pad, activate_mode);
  gst_pad_set_query_function (track->pad, src_query);
  gst_pad_set_event_function (track->pad, src_event);
  gst_pad_use_fixed_caps (track->pad);
  gst_element_add_pad (GST_ELEMENT (self), track->pad);
}

static void
weft_clip_sequence_init (WeftClipSequence *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->moved);
  self->lookahead = DEFAULT_LOOKAHEAD;
  self->warned = g_array_new (FALSE, TRUE, sizeof (gboolean));
  add_pad (self, &self->tracks[WEFT_TRACK_VIDEO], &video_template);
  add_pad (self, &self->tracks[WEFT_TRACK_AUDIO], &audio_template);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}

static void
weft_clip_sequence_class_init (WeftClipSequenceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GParamFlags rw = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  GParamFlags ro = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->set_property = weft_clip_sequence_set_property;
  object_class->get_property = weft_clip_sequence_get_property;
  object_class->finalize = weft_clip_sequence_finalize;
  element_class->change_state = weft_clip_sequence_change_state;

  props[PROP_CLIPS] = g_param_spec_string ("clips", "Clips",
      "What to play, a JSON object: {\"clips\": [{\"uri\", \"in\", \"out\", …}], \"width\", "
      "\"height\", \"fps\", \"rate\", \"channels\", \"background\"}",
      NULL, rw);
  props[PROP_LOCATION] = g_param_spec_string ("location", "Location",
      "A file with the JSON object that `clips` would hold; `clips` goes first", NULL, rw);
  props[PROP_LOOKAHEAD] = g_param_spec_uint ("lookahead", "Lookahead",
      "How many clips past the current one are kept open and ready", 0, MAX_LOOKAHEAD,
      DEFAULT_LOOKAHEAD, rw);
  props[PROP_WAITING] = g_param_spec_string ("waiting", "Waiting",
      "Which pad waits for which clip, and for how long; NULL while none does", NULL, ro);
  props[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Frames pushed, repeated and dropped, readers open now and at most, and for each source "
      "the bytes read and frames decoded",
      GST_TYPE_STRUCTURE, ro);
  g_object_class_install_properties (object_class, N_PROPS, props);

  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_set_static_metadata (element_class, "Clip sequence", "Source/Video/Audio",
      "Plays clips one after the other as one continuous raw video and audio stream", "Weft");
}
