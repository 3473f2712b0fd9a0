/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-framepick
 * @title: framepick
 * @short_description: lets single frames of a stream through
 *
 * Lets the frames that are asked for through, drops all others without touching them, and ends
 * the stream downstream after the last one, so that an encoder and a sink behind it finish early.
 * Upstream notices nothing: later frames are dropped, and other branches of a tee go on.
 *
 * Frames are counted by their stream time: a frame's number is round(stream time * frame rate).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=300 ! framepick frame=45 ! jpegenc ! filesink
 * location=a.jpg gst-launch-1.0 videotestsrc num-buffers=300 ! framepick frames=0,100,200-203 !
 * jpegenc ! multifilesink location=a%d.jpg
 * ]|
 *
 * Threads: the streaming thread owns all but the settings, which the object lock guards.
 */

#include "weftframepick.h"

#include <gst/video/video.h>

#include "weftframeset.h"

GST_DEBUG_CATEGORY_STATIC (weft_frame_pick_debug);
#define GST_CAT_DEFAULT weft_frame_pick_debug

#define DEFAULT_FRAME 0
#define DEFAULT_FRAMES NULL
#define DEFAULT_TIME GST_CLOCK_TIME_NONE

enum {
  PROP_0,
  PROP_FRAME,
  PROP_FRAMES,
  PROP_TIME,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

struct _WeftFramePick {
  GstElement parent;
  GstPad *sinkpad;
  GstPad *srcpad;

  /* Settings; the object lock guards them. */
  guint64 frame;
  gchar *frames;
  GstClockTime time;

  /* All that follows belongs to the streaming thread while it runs. */
  WeftFrameSet *wanted; /* NULL when a time is asked for */
  GstClockTime wanted_time;
  GstBuffer *candidate; /* the last frame that began at or before wanted_time */
  GstSegment segment;
  gint fps_n, fps_d;
  guint64 frames_seen;
  gboolean has_last_frame;
  guint64 last_frame;
  gboolean done; /* downstream has had its end of stream */
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE (WeftFramePick, weft_frame_pick, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (framepick, "framepick", GST_RANK_NONE, WEFT_TYPE_FRAME_PICK)

static void
reset_progress (WeftFramePick *self)
{
  gst_clear_buffer (&self->candidate);
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  self->frames_seen = 0;
  self->has_last_frame = FALSE;
  self->done = FALSE;
  if (self->wanted != NULL)
    weft_frame_set_reset (self->wanted);
}

static gboolean
read_settings (WeftFramePick *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *frames = NULL;
  guint64 frame;

  GST_OBJECT_LOCK (self);
  frame = self->frame;
  frames = g_strdup (self->frames);
  self->wanted_time = self->time;
  GST_OBJECT_UNLOCK (self);

  g_clear_pointer (&self->wanted, weft_frame_set_free);
  if (GST_CLOCK_TIME_IS_VALID (self->wanted_time))
    return TRUE;
  self->wanted =
      frames != NULL ? weft_frame_set_parse (frames, &error) : weft_frame_set_new_single (frame);
  if (self->wanted != NULL)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("\"%s\" does not name frames: %s.", frames, error->message),
      ("write numbers and ranges, as in 0,45,90-99"));
  return FALSE;
}

static void
end_downstream (WeftFramePick *self)
{
  self->done = TRUE;
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

/* Ends the stream and says what was asked for and what came. */
static GstFlowReturn
report_missing (WeftFramePick *self)
{
  g_autofree gchar *asked = NULL;
  g_autofree gchar *came = NULL;
  guint64 frame = 0;

  if (self->wanted != NULL) {
    weft_frame_set_first_missing (self->wanted, &frame);
    asked = g_strdup_printf ("frame %" G_GUINT64_FORMAT, frame);
  } else {
    asked = g_strdup_printf ("the frame at %" GST_TIME_FORMAT, GST_TIME_ARGS (self->wanted_time));
  }
  if (self->has_last_frame)
    came =
        g_strdup_printf ("%" G_GUINT64_FORMAT " frames came, the last was frame %" G_GUINT64_FORMAT,
            self->frames_seen, self->last_frame);
  else
    came = g_strdup_printf ("%" G_GUINT64_FORMAT " frames came", self->frames_seen);

  GST_ELEMENT_ERROR_WITH_DETAILS (self, STREAM, FAILED,
      ("There is no such picture: %s was asked for; %s.", asked, came), (NULL),
      ("frame", G_TYPE_UINT64, frame, "frames-seen", G_TYPE_UINT64, self->frames_seen, "last-frame",
          G_TYPE_UINT64, self->last_frame, NULL));
  self->done = TRUE;
  return GST_FLOW_ERROR;
}

/* A downstream that wants no more is no reason for upstream to stop. */
static GstFlowReturn
push (WeftFramePick *self, GstBuffer *buffer, gboolean is_last)
{
  GstFlowReturn flow = gst_pad_push (self->srcpad, buffer);

  if (flow == GST_FLOW_EOS) {
    self->done = TRUE;
    return GST_FLOW_OK;
  }
  if (flow == GST_FLOW_OK && is_last)
    end_downstream (self);
  return flow;
}

static GstFlowReturn
pick_by_time (WeftFramePick *self, GstBuffer *buffer, GstClockTime stream_time)
{
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  if (stream_time > self->wanted_time) {
    gst_buffer_unref (buffer);
    if (self->candidate == NULL)
      return report_missing (self);
    return push (self, g_steal_pointer (&self->candidate), TRUE);
  }
  gst_clear_buffer (&self->candidate);
  /* The frame that holds the time need not wait for the next one. */
  if (GST_CLOCK_TIME_IS_VALID (duration) && self->wanted_time - stream_time < duration)
    return push (self, buffer, TRUE);
  self->candidate = buffer;
  return GST_FLOW_OK;
}

static GstFlowReturn
pick_by_number (WeftFramePick *self, GstBuffer *buffer, GstClockTime stream_time)
{
  guint64 number;

  if (self->fps_n <= 0) {
    gst_buffer_unref (buffer);
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Frames of a stream without a fixed frame rate have no numbers."),
        ("set time instead of frame, or put videorate before framepick"));
    return GST_FLOW_ERROR;
  }
  number = gst_util_uint64_scale_round (
      stream_time, (guint64) self->fps_n, (guint64) self->fps_d * GST_SECOND);
  self->has_last_frame = TRUE;
  self->last_frame = number;
  if (weft_frame_set_take (self->wanted, number))
    return push (self, buffer, weft_frame_set_is_complete (self->wanted));
  gst_buffer_unref (buffer);
  return weft_frame_set_is_past (self->wanted, number) ? report_missing (self) : GST_FLOW_OK;
}

static GstFlowReturn
weft_frame_pick_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  WeftFramePick *self = WEFT_FRAME_PICK (parent);
  GstClockTime stream_time;

  if (self->done) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  stream_time =
      gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (stream_time)) {
    GST_DEBUG_OBJECT (self, "dropping a frame outside its segment: %" GST_PTR_FORMAT, buffer);
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  self->frames_seen++;
  return self->wanted != NULL ? pick_by_number (self, buffer, stream_time)
                              : pick_by_time (self, buffer, stream_time);
}

static gboolean
handle_eos (WeftFramePick *self, GstEvent *event)
{
  if (self->done) {
    gst_event_unref (event);
    return TRUE;
  }
  if (self->candidate != NULL) {
    /* The last frame of a stream stands until its end, where it says no length. */
    if (!GST_BUFFER_DURATION_IS_VALID (self->candidate)) {
      gst_event_unref (event);
      push (self, g_steal_pointer (&self->candidate), TRUE);
      return TRUE;
    }
    gst_clear_buffer (&self->candidate);
  }
  report_missing (self);
  /* Nothing waits for ever behind a stream that failed. */
  return gst_pad_push_event (self->srcpad, event);
}

static void
read_caps (WeftFramePick *self, GstCaps *caps)
{
  self->fps_n = 0;
  self->fps_d = 1;
  gst_structure_get_fraction (
      gst_caps_get_structure (caps, 0), "framerate", &self->fps_n, &self->fps_d);
}

static gboolean
weft_frame_pick_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  WeftFramePick *self = WEFT_FRAME_PICK (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps;

      gst_event_parse_caps (event, &caps);
      read_caps (self, caps);
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->segment);
      break;
    case GST_EVENT_FLUSH_STOP:
      reset_progress (self);
      break;
    case GST_EVENT_EOS:
      return handle_eos (self, event);
    default:
      break;
  }
  /* A pad after its end of stream refuses all serialized events; upstream must not see that. */
  if (self->done && GST_EVENT_IS_SERIALIZED (event)
      && GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_STOP) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
weft_frame_pick_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  WeftFramePick *self = WEFT_FRAME_PICK (parent);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  /* Most frames end here, so what downstream cannot do must not cost the other branches of a tee
   * their strides. */
  if (self->done || !gst_pad_peer_query (self->srcpad, query)) {
    if (!gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
      gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  }
  return TRUE;
}

static GstStateChangeReturn
weft_frame_pick_change_state (GstElement *element, GstStateChange transition)
{
  WeftFramePick *self = WEFT_FRAME_PICK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !read_settings (self))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS (weft_frame_pick_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    reset_progress (self);
  return result;
}

static void
weft_frame_pick_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftFramePick *self = WEFT_FRAME_PICK (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_FRAME:
      self->frame = g_value_get_uint64 (value);
      break;
    case PROP_FRAMES:
      g_free (self->frames);
      self->frames = g_value_dup_string (value);
      break;
    case PROP_TIME:
      self->time = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_frame_pick_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftFramePick *self = WEFT_FRAME_PICK (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_FRAME:
      g_value_set_uint64 (value, self->frame);
      break;
    case PROP_FRAMES:
      g_value_set_string (value, self->frames);
      break;
    case PROP_TIME:
      g_value_set_uint64 (value, self->time);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_frame_pick_finalize (GObject *object)
{
  WeftFramePick *self = WEFT_FRAME_PICK (object);

  gst_clear_buffer (&self->candidate);
  g_clear_pointer (&self->wanted, weft_frame_set_free);
  g_clear_pointer (&self->frames, g_free);
  G_OBJECT_CLASS (weft_frame_pick_parent_class)->finalize (object);
}

static void
weft_frame_pick_init (WeftFramePick *self)
{
  self->frame = DEFAULT_FRAME;
  self->frames = DEFAULT_FRAMES;
  self->time = DEFAULT_TIME;
  self->fps_d = 1;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, weft_frame_pick_chain);
  gst_pad_set_event_function (self->sinkpad, weft_frame_pick_sink_event);
  gst_pad_set_query_function (self->sinkpad, weft_frame_pick_sink_query);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
weft_frame_pick_class_init (WeftFramePickClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  const GParamFlags setting = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  GST_DEBUG_CATEGORY_INIT (weft_frame_pick_debug, "framepick", 0, "frame picker");
  object_class->set_property = weft_frame_pick_set_property;
  object_class->get_property = weft_frame_pick_get_property;
  object_class->finalize = weft_frame_pick_finalize;
  element_class->change_state = weft_frame_pick_change_state;

  properties[PROP_FRAME] = g_param_spec_uint64 ("frame", "Frame",
      "Number of the frame to let through, counted from 0 by stream time", 0, G_MAXINT64,
      DEFAULT_FRAME, setting);
  properties[PROP_FRAMES] = g_param_spec_string ("frames", "Frames",
      "Numbers of the frames to let through, as in 0,45,90-99; used instead of frame",
      DEFAULT_FRAMES, setting);
  properties[PROP_TIME] = g_param_spec_uint64 ("time", "Time",
      "Stream time in nanoseconds: lets the frame through that is shown then, at any frame rate; "
      "used "
      "instead of frame and frames",
      0, G_MAXUINT64, DEFAULT_TIME, setting);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Frame picker", "Filter/Video",
      "Lets single frames of a stream through and ends it after the last", "The Weft authors");
}
