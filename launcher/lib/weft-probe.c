/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-probe-private.h"

#include <gst/pbutils/pbutils.h>

/* How long a source may take to say what it is, and then to show its end. A server that never
 * answers must not hold a plan for longer. */
#define HEAD_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define TAIL_TIMEOUT_US (20 * G_USEC_PER_SEC)
/* A complete scan may take as long as it likes as long as it moves. */
#define SCAN_STALL_US (20 * G_USEC_PER_SEC)
#define HTTP_RETRIES 2
/* How often a wait looks at the cancellable: well under the 200 ms a caller is promised. */
#define POLL_NS (50 * GST_MSECOND)
/* Deeper than any codec reorders (H.264 and HEVC: 16), so the least time stamp among so many frames
 * is that of the first frame shown. */
#define HEAD_FRAMES 20
/* Streams may start late, but when one has shown nothing after so much of the others, look no
 * further. */
#define HEAD_LIMIT_NS ((gint64) (30 * GST_SECOND))
/* Sources whose duration nobody has written down are read to their end, up to this size. */
#define SCAN_LIMIT_BYTES (G_GUINT64_CONSTANT (512) << 20)
/* How far before its end a source is looked at: a few frames, as demuxers leave out what only
 * touches the end of an edit. Streams with keyframes are read from the last one anyway. */
#define TAIL_NS ((gint64) (200 * GST_MSECOND))
/* An end that misses the duration in the header by more than this was cut off. Containers round
 * durations and count the last frame differently, but by frames, not by seconds. */
#define CUT_TOLERANCE_NS ((gint64) GST_SECOND)

static void
stream_free (WeftStream *self)
{
  gst_clear_caps (&self->caps);
  gst_clear_object (&self->pad);
  g_free (self->orientation);
  g_array_unref (self->keyframes);
  g_free (self);
}

static gboolean
stream_is_media (const WeftStream *self)
{
  return self->kind == WEFT_STREAM_VIDEO || self->kind == WEFT_STREAM_IMAGE
         || self->kind == WEFT_STREAM_AUDIO;
}

static gboolean
stream_head_is_known (const WeftStream *self)
{
  if (self->eos)
    return TRUE;
  switch (self->kind) {
    case WEFT_STREAM_VIDEO:
      return self->frames >= HEAD_FRAMES;
    case WEFT_STREAM_IMAGE: /* the second one tells a motion JPEG from a picture on a cover */
      return self->frames >= 2;
    case WEFT_STREAM_AUDIO:
      return self->frames >= 1;
    default:
      return TRUE;
  }
}

static gboolean
phase_is_complete_unlocked (WeftProbe *self)
{
  gint64 least = G_MAXINT64, most = G_MININT64;
  gboolean known = TRUE, eos = TRUE;

  if (!self->have_all_pads)
    return FALSE;
  for (guint i = 0; i < self->streams->len; i++) {
    const WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (!stream_is_media (stream))
      continue;
    known = known && stream_head_is_known (stream);
    eos = eos && stream->eos;
    if (stream->first_ns != G_MAXINT64) {
      least = MIN (least, stream->first_ns);
      most = MAX (most, stream->end_ns);
    }
  }
  if (self->phase != WEFT_PROBE_PHASE_HEAD)
    return eos;
  return known || (most > least && most - least > HEAD_LIMIT_NS);
}

static void
announce_if_complete (WeftProbe *self)
{
  gboolean announce = FALSE;

  g_mutex_lock (&self->lock);
  if (!self->done && phase_is_complete_unlocked (self))
    announce = self->done = TRUE;
  g_mutex_unlock (&self->lock);
  if (announce)
    gst_bus_post (self->bus, gst_message_new_application (GST_OBJECT (self->pipeline),
                                 gst_structure_new_empty ("weft-probe-phase-done")));
}

static gint64
to_stream_time (const GstSegment *segment, guint64 time)
{
  guint64 stream_time = 0;
  gint sign = gst_segment_to_stream_time_full (segment, GST_FORMAT_TIME, time, &stream_time);

  return sign < 0 ? -(gint64) stream_time : (gint64) stream_time;
}

/* The part of [@time, @time + @duration) that is presented, in stream time. An edit list cuts away
 * what lies outside its segments. Other containers have none, and their first segment merely starts
 * at the first stream that came along: in a transport stream often the video, a little after the
 * sound. Returns: FALSE if there is nothing left. */
static gboolean
clip_to_stream_time (
    const WeftStream *self, guint64 time, guint64 duration, gint64 *start_ns, gint64 *end_ns)
{
  guint64 stop = time + MAX (duration, 1);

  if (self->segment.format != GST_FORMAT_TIME)
    return FALSE;
  if (self->probe->has_edits
      && !gst_segment_clip (&self->segment, GST_FORMAT_TIME, time, stop, &time, &stop))
    return FALSE;
  *start_ns = to_stream_time (&self->segment, time);
  *end_ns = to_stream_time (&self->segment, stop);
  return TRUE;
}

/* Matroska's demuxer starts its segment at the first frame it meets, and sends another one when an
 * earlier one turns up: what was seen so far then stands elsewhere. A segment that continues after
 * another one, as those of edit lists do, has another base. */
static void
stream_take_segment_unlocked (WeftStream *self, const GstSegment *segment)
{
  const GstSegment *old = &self->segment;

  if (self->first_ns != G_MAXINT64 && old->format == GST_FORMAT_TIME
      && segment->format == GST_FORMAT_TIME && old->base == segment->base && self->frames > 0) {
    gint64 shift = (gint64) (segment->time - segment->start) - (gint64) (old->time - old->start);

    self->first_ns += shift;
    self->end_ns += shift;
    for (guint i = 0; i < self->keyframes->len; i++)
      g_array_index (self->keyframes, gint64, i) += shift;
  }
  gst_segment_copy_into (segment, &self->segment);
}

/* No parser of GStreamer 1.22 looks into a WebP picture. */
static void
stream_measure_webp_unlocked (WeftStream *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gint width, height;
  gboolean alpha;

  if (!g_str_equal (weft_stream_codec_name (self->caps), "image/webp")
      || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  if (weft_source_parse_webp (map.data, map.size, &width, &height, &alpha)) {
    self->caps = gst_caps_make_writable (self->caps);
    gst_caps_set_simple (
        self->caps, "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, NULL);
    if (alpha)
      gst_caps_set_simple (self->caps, "codec-alpha", G_TYPE_BOOLEAN, TRUE, NULL);
  }
  gst_buffer_unmap (buffer, &map);
}

static void
stream_take_buffer_unlocked (WeftStream *self, GstBuffer *buffer)
{
  guint64 time =
      GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : GST_BUFFER_DTS (buffer);
  guint64 duration = GST_BUFFER_DURATION_IS_VALID (buffer) ? GST_BUFFER_DURATION (buffer) : 0;
  gint64 start_ns, end_ns;

  self->probe->activity++;
  if (self->kind == WEFT_STREAM_IMAGE && self->frames == 0)
    stream_measure_webp_unlocked (self, buffer);
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER) && !GST_CLOCK_TIME_IS_VALID (time))
    return;
  /* A buffer without a time continues the one before it. */
  if (!GST_CLOCK_TIME_IS_VALID (time)) {
    self->moves = self->moves || self->frames > 0;
    self->frames++;
    self->end_ns += (gint64) duration;
    if (self->first_ns == G_MAXINT64)
      self->first_ns = 0;
    return;
  }
  /* Matroska need not write durations; then it is as long as it took from the one before. */
  if (duration == 0 && GST_CLOCK_TIME_IS_VALID (self->newest) && time > self->newest)
    self->usual_duration_ns = time - self->newest;
  if (!GST_CLOCK_TIME_IS_VALID (self->newest) || time > self->newest)
    self->newest = time;
  if (duration > 0)
    self->usual_duration_ns = duration;
  else
    duration = self->usual_duration_ns;
  if (!clip_to_stream_time (self, time, duration, &start_ns, &end_ns))
    return;
  self->moves = self->moves || self->frames > 0;
  self->frames++;
  self->raw_end = MAX (self->raw_end, time + duration);
  self->first_ns = MIN (self->first_ns, start_ns);
  self->end_ns = MAX (self->end_ns, MAX (end_ns, start_ns + 1));
  if (self->probe->phase == WEFT_PROBE_PHASE_SCAN && self->kind != WEFT_STREAM_AUDIO
      && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    g_array_append_val (self->keyframes, start_ns);
}

static GstPadProbeReturn
stream_take_data (WeftStream *self, GstPadProbeInfo *info)
{
  WeftProbe *probe = self->probe;
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&probe->lock);
  /* parsebin adds all its pads before it lets data through the first one. */
  probe->have_all_pads = TRUE;
  if (probe->done || probe->stale) {
    /* FLUSHING stops the demuxer where it is, without an error and without an EOS; the seek that
     * follows, or the shutdown, takes it from there. */
    flow = GST_FLOW_FLUSHING;
  } else if (!stream_is_media (self)) {
    /* Demuxers skip what nobody is linked to. */
    flow = GST_FLOW_NOT_LINKED;
  } else if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    for (guint i = 0; i < gst_buffer_list_length (list); i++)
      stream_take_buffer_unlocked (self, gst_buffer_list_get (list, i));
  } else {
    stream_take_buffer_unlocked (self, GST_PAD_PROBE_INFO_BUFFER (info));
  }
  g_mutex_unlock (&probe->lock);

  gst_mini_object_unref (GST_MINI_OBJECT (GST_PAD_PROBE_INFO_DATA (info)));
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = flow;
  announce_if_complete (probe);
  return GST_PAD_PROBE_HANDLED;
}

static void
stream_take_tags_unlocked (WeftStream *self, const GstTagList *tags)
{
  gchar *orientation = NULL;

  if (gst_tag_list_get_tag_size (tags, GST_TAG_IMAGE) > 0)
    self->probe->have_cover = TRUE;
  if (!gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation))
    return;
  if (gst_tag_list_get_scope (tags) == GST_TAG_SCOPE_GLOBAL) {
    g_free (self->probe->orientation);
    self->probe->orientation = orientation;
  } else {
    g_free (self->orientation);
    self->orientation = orientation;
  }
}

static void
stream_take_event (WeftStream *self, GstEvent *event)
{
  const GstSegment *segment = NULL;
  GstTagList *tags = NULL;
  GstCaps *caps = NULL;

  g_mutex_lock (&self->probe->lock);
  /* All streams are flushed before the first one is filled again. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    self->probe->stale = FALSE;
  if (self->probe->stale || self->probe->done) {
    g_mutex_unlock (&self->probe->lock);
    return;
  }
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      gst_event_parse_segment (event, &segment);
      stream_take_segment_unlocked (self, segment);
      break;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      gst_caps_replace (&self->caps, caps);
      self->kind = weft_stream_kind (caps);
      if (self->usual_duration_ns == 0)
        self->usual_duration_ns = weft_stream_frame_duration (caps);
      break;
    case GST_EVENT_TAG:
      gst_event_parse_tag (event, &tags);
      stream_take_tags_unlocked (self, tags);
      break;
    case GST_EVENT_EOS:
      self->probe->have_all_pads = TRUE;
      self->eos = TRUE;
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      self->eos = FALSE;
      break;
    default:
      break;
  }
  g_mutex_unlock (&self->probe->lock);
}

/* Streaming thread. */
static GstPadProbeReturn
pad_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftStream *self = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST))
    return stream_take_data (self, info);
  stream_take_event (self, GST_PAD_PROBE_INFO_EVENT (info));
  announce_if_complete (self->probe);
  return GST_PAD_PROBE_OK;
}

static gboolean
replay_sticky_cb (GstPad *pad, GstEvent **event, gpointer user_data)
{
  stream_take_event (user_data, *event);
  return TRUE;
}

/* Returns: (nullable): the media type of the file */
static gchar *
find_container (WeftProbe *self)
{
  g_autoptr (GstIterator) it =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (self->pipeline), "typefind");
  g_auto (GValue) item = G_VALUE_INIT;
  g_autofree gchar *name = NULL;

  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    g_autoptr (GstCaps) caps = NULL;

    g_object_get (g_value_get_object (&item), "caps", &caps, NULL);
    if (caps != NULL && gst_caps_get_size (caps) > 0) {
      const gchar *found = gst_structure_get_name (gst_caps_get_structure (caps, 0));

      /* Tags in front of an elementary stream contain nothing. */
      if (!g_str_equal (found, "application/x-id3")
          && !g_str_equal (found, "application/x-apetag")) {
        g_free (name);
        name = g_strdup (found);
      }
    }
    g_value_reset (&item);
  }
  return g_steal_pointer (&name);
}

static void
pad_added_cb (GstElement *parse, GstPad *pad, gpointer user_data)
{
  static const gchar *const with_edits[] = { "video/quicktime", "audio/x-m4a", "application/x-3gp",
    "video/mj2", NULL };
  WeftProbe *self = user_data;
  WeftStream *stream = g_new0 (WeftStream, 1);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autofree gchar *container = find_container (self);

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  stream->probe = self;
  stream->pad = gst_object_ref (pad);
  stream->caps = gst_caps_ref (caps);
  stream->kind = weft_stream_kind (caps);
  stream->first_ns = G_MAXINT64;
  stream->newest = GST_CLOCK_TIME_NONE;
  stream->keyframes = g_array_new (FALSE, FALSE, sizeof (gint64));
  gst_segment_init (&stream->segment, GST_FORMAT_UNDEFINED);
  g_mutex_lock (&self->lock);
  self->has_edits = container != NULL && g_strv_contains (with_edits, container);
  g_ptr_array_add (self->streams, stream);
  g_mutex_unlock (&self->lock);
  gst_pad_sticky_events_foreach (pad, replay_sticky_cb, stream);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      pad_probe_cb, stream, NULL);
}

/* Streaming thread: souphttpsrc says what the server answered. */
static GstPadProbeReturn
source_event_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftProbe *self = user_data;
  const GstStructure *s = gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));

  if (s != NULL && gst_structure_has_name (s, "http-headers")) {
    g_mutex_lock (&self->lock);
    if (self->http_headers == NULL)
      self->http_headers = gst_structure_copy (s);
    g_mutex_unlock (&self->lock);
  }
  return GST_PAD_PROBE_OK;
}

/* Waits until the current phase is over. Returns: FALSE on an error of the pipeline, the caller's
 * cancellation, or when nothing comes for too long. */
static gboolean
wait_for_phase (WeftProbe *self, gint64 timeout_us, gboolean restart_on_activity,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (GstMessage) missing = NULL;
  gint64 deadline = g_get_monotonic_time () + timeout_us;
  guint64 seen = 0;

  while (TRUE) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        self->bus, POLL_NS, GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION | GST_MESSAGE_ELEMENT);

    if (g_cancellable_is_cancelled (cancellable))
      return weft_probe_set_problem (
          error, WEFT_ERROR_CANCELLED, self, NULL, "probing was cancelled");
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION)
      return TRUE;
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      return weft_probe_map_error (self, message, missing, error);
    if (message != NULL && gst_is_missing_plugin_message (message) && missing == NULL)
      missing = gst_message_ref (message);
    if (restart_on_activity) {
      g_mutex_lock (&self->lock);
      if (self->activity != seen)
        deadline = g_get_monotonic_time () + timeout_us;
      seen = self->activity;
      g_mutex_unlock (&self->lock);
    }
    if (g_get_monotonic_time () > deadline) {
      weft_error_set_problem (error,
          weft_problem_new (WEFT_ERROR_STALLED, NULL, self->file->uri,
              self->file->local ? "check the disk it is on" : "check that the server answers",
              "the source gave no data for %d s", (gint) (timeout_us / G_USEC_PER_SEC)));
      return FALSE;
    }
  }
}

static gboolean
make_pipeline (WeftProbe *self, GError **error)
{
  g_autoptr (GError) gst = NULL;
  g_autoptr (GstPad) pad = NULL;
  GstElement *source = gst_element_make_from_uri (GST_URI_SRC, self->file->uri, NULL, &gst);
  GstElement *parse = gst_element_factory_make ("parsebin", NULL);

  if (source == NULL || parse == NULL) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, self->file->uri,
                   "install gstreamer1.0-plugins-base and gstreamer1.0-plugins-good",
                   "this machine cannot read the source: %s",
                   source == NULL ? gst->message : "it lacks the parsebin element"));
    gst_clear_object (&source);
    gst_clear_object (&parse);
    return FALSE;
  }
  /* Nobody waits for a plan through many retries. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "retries") != NULL)
    g_object_set (source, "retries", HTTP_RETRIES, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "iradio-mode") != NULL)
    g_object_set (source, "iradio-mode", FALSE, NULL);
  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("probe"));
  self->bus = gst_element_get_bus (self->pipeline);
  self->source = source;
  gst_bin_add_many (GST_BIN (self->pipeline), source, parse, NULL);
  gst_element_link (source, parse);
  g_signal_connect (parse, "pad-added", G_CALLBACK (pad_added_cb), self);
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, source_event_cb, self, NULL);
  return TRUE;
}

static gboolean
query_duration (WeftProbe *self, gint64 *duration_ns)
{
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (stream_is_media (stream)
        && gst_pad_query_duration (stream->pad, GST_FORMAT_TIME, duration_ns) && *duration_ns > 0)
      return TRUE;
  }
  *duration_ns = 0;
  return FALSE;
}

static void
begin_phase (WeftProbe *self, WeftProbePhase phase)
{
  g_mutex_lock (&self->lock);
  self->phase = phase;
  self->done = FALSE;
  self->stale = TRUE;
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);

    stream->eos = FALSE;
    stream->frames = 0;
    stream->end_ns = 0;
    stream->raw_end = 0;
    stream->newest = GST_CLOCK_TIME_NONE;
  }
  g_mutex_unlock (&self->lock);
}

/* Whether the source gives any part of the file when asked. */
static gboolean
is_seekable (WeftProbe *self)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_element_query (self->source, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  return seekable;
}

static gboolean
seek (WeftProbe *self, gint64 position_ns)
{
  WeftStream *stream = weft_probe_find_video (self);
  g_autoptr (GstEvent) event = gst_event_new_seek (1.0, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE, GST_SEEK_TYPE_SET,
      position_ns, GST_SEEK_TYPE_NONE, -1);

  if (stream == NULL)
    stream = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  return stream != NULL && gst_pad_send_event (stream->pad, g_steal_pointer (&event));
}

/* Elementary streams tell their duration by guessing from their bit rate. */
static gboolean
duration_is_guessed (const gchar *container)
{
  return container != NULL
         && (g_str_has_prefix (container, "audio/") || g_str_equal (container, "video/x-h264")
             || g_str_equal (container, "video/x-h265") || g_str_equal (container, "video/mpeg"))
         && !g_str_equal (container, "audio/x-wav") && !g_str_equal (container, "audio/x-m4a")
         && !g_str_equal (container, "audio/x-flac") && !g_str_equal (container, "audio/ogg")
         && !g_str_equal (container, "audio/x-matroska") && !g_str_equal (container, "audio/webm");
}

static gboolean
check_streams (WeftProbe *self, const gchar *container, GError **error)
{
  WeftStream *video = weft_probe_find_video (self);
  WeftStream *audio = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  WeftStream *both[] = { video, audio };

  if (video == NULL && audio == NULL
      && weft_probe_find_stream (self, WEFT_STREAM_ENCRYPTED) != NULL)
    return weft_probe_set_problem (
        error, WEFT_ERROR_UNSUPPORTED, self, "use a copy without DRM", "the source is encrypted");
  if (video == NULL && audio == NULL && !weft_probe_is_media_type (container))
    return weft_probe_fail_not_media (self, container, error);
  if (video == NULL && audio == NULL)
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
        "name a file that holds a picture, video or sound",
        "the source has neither video nor audio");
  for (guint i = 0; i < G_N_ELEMENTS (both); i++) {
    g_autofree gchar *decoder = both[i] != NULL ? weft_stream_find_decoder (both[i]->caps) : NULL;
    g_autofree gchar *codec = NULL, *hint = NULL;

    if (both[i] == NULL || decoder != NULL)
      continue;
    codec = weft_stream_describe (both[i]->caps);
    hint = g_strdup_printf (
        "install %s, or convert the source", weft_stream_package_hint (both[i]->caps));
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, self->file->uri,
                                       hint, "this machine has no decoder for %s (%s)", codec,
                                       weft_stream_codec_name (both[i]->caps)));
    return FALSE;
  }
  return TRUE;
}

/* Containers that write their whole duration at their beginning. Where the streams end long before
 * it, the rest is missing; unless it belongs to streams that are not looked at. */
static gboolean
check_end (WeftProbe *self, const gchar *container, gint64 container_ns, GError **error)
{
  static const gchar *const honest[] = { "video/x-matroska", "audio/x-matroska", "video/webm",
    "audio/webm", "video/x-msvideo", "video/quicktime", "audio/x-m4a", NULL };
  gint64 end_ns = 0;

  if (!g_strv_contains (honest, container))
    return TRUE;
  for (guint i = 0; i < self->streams->len; i++) {
    const WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (!stream_is_media (stream))
      return TRUE;
    end_ns = MAX (end_ns, MAX (stream->end_ns, (gint64) stream->raw_end));
  }
  if (end_ns + CUT_TOLERANCE_NS + container_ns / 20 > container_ns)
    return TRUE;
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, self->file->uri,
                 "the copy or download was cut off; fetch the file again",
                 "the source is truncated: it ends after %.1f of %.1f s",
                 (gdouble) end_ns / GST_SECOND, (gdouble) container_ns / GST_SECOND));
  return FALSE;
}

/* Reads the end of the source, so that its exact length is known and a source that was cut off is
 * noticed. Sets @complete to FALSE when only a scan of everything can tell. */
static gboolean
look_at_tail (WeftProbe *self, gint64 duration_ns, gboolean *complete, GCancellable *cancellable,
    GError **error)
{
  WeftStream *video, *audio;
  g_autoptr (GError) local = NULL;
  gint64 end_ns;

  *complete = TRUE;
  begin_phase (self, WEFT_PROBE_PHASE_TAIL);
  if (!seek (self, MAX (duration_ns - TAIL_NS, 0))) {
    *complete = FALSE;
    return TRUE;
  }
  if (!wait_for_phase (self, TAIL_TIMEOUT_US, FALSE, cancellable, &local)) {
    /* A server that sends no parts of a file is read from its beginning. */
    if (g_error_matches (local, WEFT_ERROR, WEFT_ERROR_STALLED)
        || (!self->file->local && !is_seekable (self))) {
      *complete = FALSE;
      return TRUE;
    }
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  video = weft_probe_find_video (self);
  audio = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  end_ns = MAX (video != NULL ? video->end_ns : 0, audio != NULL ? audio->end_ns : 0);
  if (end_ns + CUT_TOLERANCE_NS < duration_ns || (video != NULL && video->frames == 0))
    *complete = FALSE;
  return TRUE;
}

static void
probe_stop (WeftProbe *self)
{
  if (self->pipeline != NULL)
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
}

static void
probe_clear (WeftProbe *self)
{
  probe_stop (self);
  g_clear_pointer (&self->streams, g_ptr_array_unref);
  gst_clear_object (&self->bus);
  gst_clear_object (&self->pipeline);
  g_clear_pointer (&self->http_headers, gst_structure_free);
  g_free (self->orientation);
  g_mutex_clear (&self->lock);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftProbe, probe_clear)

/* One run over the source, over its ends only or over all of it.
 * @complete: (out): whether the end of every stream was seen */
static JsonNode *
run (const WeftSourceFile *file, gboolean all, gboolean *complete, GCancellable *cancellable,
    GError **error)
{
  g_auto (WeftProbe) self = { .file = file };
  g_autofree gchar *container = NULL;
  gint64 duration_ns = 0;

  g_mutex_init (&self.lock);
  self.streams = g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);
  self.phase = all ? WEFT_PROBE_PHASE_SCAN : WEFT_PROBE_PHASE_HEAD;
  *complete = TRUE;
  if (!make_pipeline (&self, error))
    return NULL;
  gst_element_set_state (self.pipeline, GST_STATE_PAUSED);
  if (!wait_for_phase (&self, all ? SCAN_STALL_US : HEAD_TIMEOUT_US, all, cancellable, error))
    return NULL;
  container = find_container (&self);
  if (container == NULL) {
    const WeftStream *first = g_ptr_array_index (self.streams, 0);

    container = g_strdup (weft_stream_codec_name (first->caps));
  }
  if (!check_streams (&self, container, error))
    return NULL;
  query_duration (&self, &duration_ns);
  if (!all && !weft_probe_is_still (&self, container)) {
    if (duration_ns <= 0 || (duration_is_guessed (container) && file->local))
      *complete = FALSE;
    else if (!look_at_tail (&self, duration_ns, complete, cancellable, error))
      return NULL;
  }
  probe_stop (&self);
  if (all && !check_end (&self, container, duration_ns, error))
    return NULL;
  return weft_probe_to_json (&self, container, duration_ns, *complete);
}

/**
 * weft_probe_uri:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @cancellable: (nullable): cancels the probe within 200 ms
 * @error: return location for a #GError in the %WEFT_ERROR domain
 *
 * Finds out what a source is by reading it, without decoding it: its container, the first video
 * and the first audio stream, its duration, and the time stamp of the first frame it presents.
 *
 * The answer is a `sources` member of the plan document. Times are integers in nanoseconds of
 * stream time: what edit lists (ISO/IEC 14496-12, 8.6.6) cut off is not counted.
 *
 * It needs no main loop and may be called from any thread. A source that never answers ends as an
 * error after 20 seconds.
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable, GError **error)
{
  gboolean scan = (flags & WEFT_PROBE_FLAGS_KEYFRAMES) != 0;
  WeftSourceFile file = { 0 };
  JsonNode *node = NULL;
  gboolean complete = TRUE;

  g_return_val_if_fail (uri != NULL, NULL);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (weft_source_file_check (uri, &file, cancellable, error)
      && (!file.local || weft_source_file_check_length (&file, cancellable, error)))
    node = run (&file, scan, &complete, cancellable, error);
  if (node != NULL && !complete && (file.size <= SCAN_LIMIT_BYTES || !file.local)) {
    g_clear_pointer (&node, json_node_unref);
    node = run (&file, TRUE, &complete, cancellable, error);
  }
  weft_source_file_clear (&file);
  return node;
}

typedef struct {
  gchar *uri;
  WeftProbeFlags flags;
} AsyncArgs;

static void
async_args_free (AsyncArgs *args)
{
  g_free (args->uri);
  g_free (args);
}

static void
probe_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  AsyncArgs *args = task_data;
  GError *error = NULL;
  JsonNode *node = weft_probe_uri (args->uri, args->flags, cancellable, &error);

  if (node != NULL)
    g_task_return_pointer (task, node, (GDestroyNotify) json_node_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_probe_uri_async:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @cancellable: (nullable): cancels the probe
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: for @callback
 *
 * Like [func@Weft.probe_uri], without blocking the caller.
 */
void
weft_probe_uri_async (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  AsyncArgs *args = g_new0 (AsyncArgs, 1);

  args->uri = g_strdup (uri);
  args->flags = flags;
  g_task_set_source_tag (task, weft_probe_uri_async);
  /* The probe says CANCELLED in Weft's own domain. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, args, (GDestroyNotify) async_args_free);
  g_task_run_in_thread (task, probe_thread);
}

/**
 * weft_probe_uri_finish:
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
