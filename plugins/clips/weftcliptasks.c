/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two tasks of a clipsequence, one a source pad: they go from clip to clip and push a picture
 * for every frame of the grid, and a run of samples for every stretch of it.
 */
#include "weftclipsequence-private.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* One AAC frame; a buffer never crosses from a clip into the next. */
#define SAMPLES_PER_BUFFER 1024
/* How far sound may run ahead of pictures. */
#define MAX_AUDIO_LEAD GST_SECOND
/* A stream that ends this much too early in a damaged file is damage, less is how files are. */
#define SHORT_TOLERANCE_NS (500 * GST_MSECOND)

/* ---- waiting, failing ---- */

static void
begin_wait (WeftClipSequence *self, WeftClipTrack *track, WeftClipWaiting what)
{
  g_mutex_lock (&self->lock);
  track->waiting = what;
  track->waiting_clip = track->clip;
  track->waiting_since_us = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
}

static void
end_wait (WeftClipSequence *self, WeftClipTrack *track)
{
  g_mutex_lock (&self->lock);
  track->waiting = WEFT_CLIP_WAITING_NOT;
  g_mutex_unlock (&self->lock);
}

/* Returns: (transfer full) (nullable): which pad waits for which clip. Any thread. */
gchar *
weft_clip_sequence_describe_waiting (WeftClipSequence *self)
{
  static const gchar *const what[] = { NULL, "to learn its format from", "to open", "for data of" };
  GString *text = g_string_new (NULL);
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&self->lock);
  for (guint t = 0; t < WEFT_N_TRACKS && self->list != NULL; t++) {
    WeftClipTrack *track = &self->tracks[t];
    const WeftClip *clip;

    if (track->waiting == WEFT_CLIP_WAITING_NOT || track->waiting_clip >= self->list->clips->len)
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

/* Called by the window, on the thread of @reader. */
void
weft_clip_sequence_open_failed_cb (GstElement *owner, const WeftClip *clip, WeftClipReader *reader)
{
  g_autofree gchar *debug = NULL;
  gboolean changed;
  g_autoptr (GError) error = weft_clip_reader_dup_error (reader, &debug, &changed);

  if (error != NULL)
    clip_failed (WEFT_CLIP_SEQUENCE (owner), clip, "container", error, debug, changed);
}

/* ---- both tracks ---- */

static void
pause_task (WeftClipSequence *self, WeftClipTrack *track)
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
handle_flow (WeftClipSequence *self, WeftClipTrack *track, GstFlowReturn flow)
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
push_start (WeftClipSequence *self, WeftClipTrack *track, GstCaps *caps, GstClockTime begin)
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
settle_format (WeftClipSequence *self, WeftClipTrack *track)
{
  WeftSequenceFormat format;
  gboolean ok;

  begin_wait (self, track, WEFT_CLIP_WAITING_FORMAT);
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
enter_clip (WeftClipSequence *self, WeftClipTrack *track, WeftTrack t)
{
  gboolean ok;

  weft_clip_window_move (self->window, t, track->clip);
  begin_wait (self, track, WEFT_CLIP_WAITING_OPEN);
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
leave_clip (WeftClipTrack *track)
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
fill_up_after (WeftClipSequence *self, WeftClipTrack *track, WeftRead read, GstClockTime missing_ns,
    gboolean had_data)
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
get_picture (WeftClipSequence *self, WeftClipTrack *track, guint64 k, GstBuffer **buffer)
{
  const WeftClip *clip = weft_clip_list_get (self->list, track->clip);
  guint64 length = track->end_frame - track->first_frame;

  if (!track->substitute && clip->video) {
    guint64 have;
    WeftRead read;

    begin_wait (self, track, WEFT_CLIP_WAITING_DATA);
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
set_position (WeftClipSequence *self, WeftClipTrack *track, GstClockTime position_ns)
{
  g_mutex_lock (&self->lock);
  track->position_ns = position_ns;
  g_cond_broadcast (&self->moved);
  g_mutex_unlock (&self->lock);
}

static GstFlowReturn
start_video (WeftClipSequence *self, WeftClipTrack *track)
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

void
weft_clip_sequence_video_task (gpointer user_data)
{
  WeftClipSequence *self = user_data;
  WeftClipTrack *track = &self->tracks[WEFT_TRACK_VIDEO];
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
start_audio (WeftClipSequence *self, WeftClipTrack *track)
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
  WeftClipTrack *video = &self->tracks[WEFT_TRACK_VIDEO];
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (video->active && !self->flushing && position_ns > video->position_ns + MAX_AUDIO_LEAD)
    g_cond_wait (&self->moved, &self->lock);
  ok = !self->flushing;
  g_mutex_unlock (&self->lock);
  return ok;
}

static GstFlowReturn
get_samples (
    WeftClipSequence *self, WeftClipTrack *track, guint64 position, guint n, GstBuffer **buffer)
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
    begin_wait (self, track, WEFT_CLIP_WAITING_DATA);
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

void
weft_clip_sequence_audio_task (gpointer user_data)
{
  WeftClipSequence *self = user_data;
  WeftClipTrack *track = &self->tracks[WEFT_TRACK_AUDIO];
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
