/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes out of a source's parsers. Everything here runs in streaming threads, but for
 * weft_probe_stream_free(). */

#include "weft-probe-private.h"

/* Deeper than any codec reorders (H.264 and HEVC: 16), so the least time stamp among so many frames
 * is that of the first frame shown. */
#define HEAD_FRAMES 20
/* Streams may start late, but when one has shown nothing after so much of the others, look no
 * further. */
#define HEAD_LIMIT_NS ((gint64) (30 * GST_SECOND))

void
weft_probe_stream_free (WeftStream *self)
{
  gst_clear_caps (&self->caps);
  gst_clear_object (&self->pad);
  g_free (self->orientation);
  g_array_unref (self->keyframes);
  g_free (self);
}

gboolean
weft_probe_stream_is_media (const WeftStream *self)
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

    if (!weft_probe_stream_is_media (stream))
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
  } else if (!weft_probe_stream_is_media (self)) {
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

static gboolean
stream_skips_data (WeftStream *self)
{
  gboolean skips;

  g_mutex_lock (&self->probe->lock);
  skips = self->probe->skips_data;
  g_mutex_unlock (&self->probe->lock);
  return skips;
}

/* Streaming thread. Takes what comes out of a stream's demuxer while its data are skipped: nothing
 * of it goes on to a parser, but for flushing, and the parser's caps stay. */
GstPadProbeReturn
weft_probe_take (WeftStream *self, GstPadProbeInfo *info)
{
  GstEvent *event;

  if (GST_PAD_PROBE_INFO_TYPE (info) & (GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST))
    return stream_take_data (self, info);
  event = GST_PAD_PROBE_INFO_EVENT (info);
  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    stream_take_event (self, event);
  announce_if_complete (self->probe);
  return GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_FLUSH ? GST_PAD_PROBE_OK
                                                                         : GST_PAD_PROBE_DROP;
}

/* Streaming thread. */
static GstPadProbeReturn
pad_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftStream *self = user_data;

  if (stream_skips_data (self))
    return GST_PAD_PROBE_OK;
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
gchar *
weft_probe_find_container (WeftProbe *self)
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

void
weft_probe_pad_added_cb (GstElement *parse, GstPad *pad, gpointer user_data)
{
  static const gchar *const with_edits[] = { "video/quicktime", "audio/x-m4a", "application/x-3gp",
    "video/mj2", NULL };
  WeftProbe *self = user_data;
  WeftStream *stream = g_new0 (WeftStream, 1);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autofree gchar *container = weft_probe_find_container (self);

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
