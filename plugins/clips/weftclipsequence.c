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
#include "weftclipsequence-private.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

#define DEFAULT_LOOKAHEAD 1
#define MAX_LOOKAHEAD 16

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
  return gst_pad_start_task (
      pad, video ? weft_clip_sequence_video_task : weft_clip_sequence_audio_task, self, NULL);
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
  WeftClipTrack *track = gst_pad_get_element_private (pad);
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
    WeftClipTrack *track = &self->tracks[t];
    track->started = FALSE;
    track->clip = 0;
    track->in_clip = FALSE;
    track->active = gst_pad_is_linked (track->pad);
    track->position_ns = 0;
    track->waiting = WEFT_CLIP_WAITING_NOT;
  }
  window = weft_clip_window_new (list, self->tracks[WEFT_TRACK_VIDEO].active,
      self->tracks[WEFT_TRACK_AUDIO].active, self->lookahead, GST_ELEMENT (self),
      weft_clip_sequence_open_failed_cb);
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
      g_value_take_string (value, weft_clip_sequence_describe_waiting (self));
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
add_pad (WeftClipSequence *self, WeftClipTrack *track, GstStaticPadTemplate *template)
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
