/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands before a clip's two pads: the source, decodebin, and probes that watch how far the
 * source gets.
 *
 * decodebin and not decodebin3: the latter's stream switching can deadlock in GStreamer 1.22, and
 * nothing is ever switched here.
 */
#include "weftclipreader-private.h"
#include "weftmovieheader.h"
#include "weftmpegtimes.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Compressed data that one stream may pile up while the first of the other is looked for. */
#define MAX_INTERLEAVE_BYTES (64 * 1024 * 1024)
/* Compressed buffers of a stream where the interleaving is as it should be. */
#define MAX_INTERLEAVE_BUFFERS 5
/* A decoder that works on several pictures at once holds two more for each: 13 MiB for every
 * thread at 1080p. Encoding what is decoded costs several times as much, so half of the processors
 * are enough to keep it fed. */
#define MAX_DECODER_THREADS 4
/* How far before a segment's start sound may lie that was recorded with its first picture. */
#define SEGMENT_EXTENSION_NS (2 * GST_SECOND)

/* So long after its error an element that decodebin only tries is gone again. */
#define SUSPICION_US (250 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  WeftClipReader *reader;
  gboolean is_video;
  GstSegment segment;
  gint64 last_ns;
} DemuxedPad;

static const struct {
  const gchar *factory;
  WeftDemuxerTraits traits;
} demuxers[] = {
  { "qtdemux",
      WEFT_DEMUXER_TRUSTED_DURATION | WEFT_DEMUXER_READS_EXACTLY | WEFT_DEMUXER_LOSES_RANGE },
  { "matroskademux",
      WEFT_DEMUXER_TRUSTED_DURATION | WEFT_DEMUXER_COARSE_TIME | WEFT_DEMUXER_SHIFTS_TIME },
  { "avidemux", WEFT_DEMUXER_TRUSTED_DURATION },
  { "flvdemux",
      WEFT_DEMUXER_TRUSTED_DURATION | WEFT_DEMUXER_COARSE_TIME | WEFT_DEMUXER_CUTS_START },
  { "asfdemux", WEFT_DEMUXER_TRUSTED_DURATION | WEFT_DEMUXER_COARSE_TIME },
  { "tsdemux", WEFT_DEMUXER_CUTS_START },
  { "mpegpsdemux", WEFT_DEMUXER_CUTS_START },
};

static WeftClipStream *
stream_for_caps (WeftClipReader *self, GstCaps *caps)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));

  if (g_str_has_prefix (name, "video/") || g_str_has_prefix (name, "image/"))
    return &self->video;
  return g_str_has_prefix (name, "audio/") ? &self->audio : NULL;
}

/* Containers are called video/… and audio/… too. */
static gboolean
is_container (GstCaps *caps)
{
  GList *all =
      gst_element_factory_list_get_elements (GST_ELEMENT_FACTORY_TYPE_DEMUXER, GST_RANK_MARGINAL);
  GList *fitting = gst_element_factory_list_filter (all, caps, GST_PAD_SINK, FALSE);
  gboolean result = fitting != NULL;

  gst_plugin_feature_list_free (fitting);
  gst_plugin_feature_list_free (all);
  return result;
}

/* Decode the first video and the first audio stream that are wanted, and nothing else. */
static gboolean
autoplug_continue_cb (GstElement *decodebin, GstPad *pad, GstCaps *caps, WeftClipReader *self)
{
  WeftClipStream *stream;
  gboolean result;

  if (is_container (caps))
    return TRUE;
  stream = stream_for_caps (self, caps);
  if (stream == NULL)
    return g_str_has_prefix (
        gst_structure_get_name (gst_caps_get_structure (caps, 0)), "application/");
  g_mutex_lock (&self->lock);
  if (stream->wanted && stream->claimed == NULL)
    stream->claimed = gst_pad_get_name (pad);
  result = stream->wanted && g_strcmp0 (stream->claimed, GST_PAD_NAME (pad)) == 0;
  g_mutex_unlock (&self->lock);
  return result;
}

static GstPadProbeReturn
drop_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_DROP;
}

/*
 * Interlaced pictures are made whole, one for each frame, so that the frame rate stays.
 *
 * Returns: (transfer full): where they come out
 */
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
  /* It knows 8 bits only; the converter is passed through where that is what comes. */
  gst_util_set_object_arg (G_OBJECT (deinterlace), "mode", "auto-strict");
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
  WeftClipStream *stream = NULL;
  g_autoptr (GstPad) end = NULL;
  const gchar *mode;

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  if (!gst_caps_is_empty (caps) && !gst_caps_is_any (caps))
    stream = stream_for_caps (self, caps);
  s = stream != NULL ? gst_caps_get_structure (caps, 0) : NULL;
  if (stream == NULL || !g_str_has_suffix (gst_structure_get_name (s), "/x-raw") || !stream->wanted
      || gst_pad_is_linked (stream->pad)) {
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, drop_probe_cb, NULL, NULL);
    return;
  }
  mode = gst_structure_get_string (s, "interlace-mode");
  end = stream->is_video && mode != NULL && !g_str_equal (mode, "progressive")
            ? add_deinterlacer (self, pad)
            : gst_object_ref (pad);
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
  WeftClipStream *stream;

  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return;
  stream = stream_for_caps (self, caps);
  if (stream == NULL || !stream->wanted)
    return;
  g_mutex_lock (&self->lock);
  if (stream->undecodable == NULL)
    stream->undecodable = g_strdup (gst_structure_get_name (gst_caps_get_structure (caps, 0)));
  g_mutex_unlock (&self->lock);
}

/* ---- how far the source gets, decoded or not ---- */

static void
watch_buffer (DemuxedPad *demuxed, GstBuffer *buffer)
{
  WeftClipReader *self = demuxed->reader;
  GstClockTime t =
      GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) : GST_BUFFER_DTS (buffer);
  gint64 start, end;

  if (!GST_CLOCK_TIME_IS_VALID (t) || demuxed->segment.format != GST_FORMAT_TIME)
    return;

  g_mutex_lock (&self->lock);
  start = end = weft_clip_reader_stream_time_unlocked (self, &demuxed->segment, t);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    end += (gint64) GST_BUFFER_DURATION (buffer);
  self->reach_ns = MAX (self->reach_ns, end);
  if (demuxed->is_video)
    self->reach_video_ns = MAX (self->reach_video_ns, end);
  if (demuxed->last_ns != G_MININT64)
    self->longest_gap_ns = MAX (self->longest_gap_ns, start - demuxed->last_ns);
  demuxed->last_ns = start;
  g_mutex_unlock (&self->lock);
}

/* The segments of MPEG systems begin with the first picture; the sound before it is wanted too. */
static GstEvent *
extend_segment (GstEvent *event)
{
  GstSegment segment;
  guint64 back;
  GstEvent *extended;

  gst_event_copy_segment (event, &segment);
  if (segment.format != GST_FORMAT_TIME || segment.rate != 1.0)
    return event;
  back = MIN (MIN (segment.start, segment.time), SEGMENT_EXTENSION_NS);
  segment.start -= back;
  segment.time -= back;
  segment.position = segment.start;
  extended = gst_event_new_segment (&segment);
  gst_event_set_seqnum (extended, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return extended;
}

/*
 * Takes the container's word on colours out of @event (taken) where the stream has one of its own:
 * the parser believes the container first.
 */
static GstEvent *
forget_colours (GstEvent *event)
{
  g_autoptr (GstCaps) caps = NULL;
  GstStructure *s;

  gst_event_parse_caps (event, &caps);
  caps = gst_caps_copy (caps);
  s = gst_caps_get_structure (caps, 0);
  if (!gst_structure_has_name (s, "video/x-h264") && !gst_structure_has_name (s, "video/x-h265"))
    return event;
  gst_structure_remove_field (s, "colorimetry");
  gst_event_unref (event);
  return gst_event_new_caps (caps);
}

static GstPadProbeReturn
demuxed_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  DemuxedPad *demuxed = user_data;
  WeftClipReader *self = demuxed->reader;
  GstEvent *event;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    watch_buffer (demuxed, GST_PAD_PROBE_INFO_BUFFER (info));
    return GST_PAD_PROBE_OK;
  }
  event = GST_PAD_PROBE_INFO_EVENT (info);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps;
      gst_event_parse_caps (event, &caps);
      demuxed->is_video = stream_for_caps (self, caps) == &self->video;
      if (self->traits & WEFT_DEMUXER_LOSES_RANGE)
        GST_PAD_PROBE_INFO_DATA (info) = forget_colours (event);
      break;
    }
    case GST_EVENT_SEGMENT:
      if (self->traits & WEFT_DEMUXER_CUTS_START)
        GST_PAD_PROBE_INFO_DATA (info) = event = extend_segment (event);
      gst_event_copy_segment (event, &demuxed->segment);
      g_mutex_lock (&self->lock);
      if ((self->traits & WEFT_DEMUXER_SHIFTS_TIME) && demuxed->segment.format == GST_FORMAT_TIME)
        self->shift_ns =
            MIN (self->shift_ns, (gint64) demuxed->segment.start - (gint64) demuxed->segment.time);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_EOS:
      g_mutex_lock (&self->lock);
      self->demuxed_eos++;
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_FLUSH_STOP:
      g_mutex_lock (&self->lock);
      self->demuxed_eos = 0;
      demuxed->last_ns = G_MININT64;
      g_mutex_unlock (&self->lock);
      break;
    default:
      break;
  }
  return GST_PAD_PROBE_OK;
}

static void
demuxer_pad_added_cb (GstElement *demuxer, GstPad *pad, WeftClipReader *self)
{
  DemuxedPad *demuxed;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC)
    return;
  demuxed = g_new0 (DemuxedPad, 1);
  demuxed->reader = self;
  demuxed->last_ns = G_MININT64;
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
movie_duration_cb (GstClockTime duration, gpointer user_data)
{
  WeftClipReader *self = user_data;

  g_mutex_lock (&self->lock);
  self->movie_duration_ns = duration;
  g_mutex_unlock (&self->lock);
}

static void
watch_demuxer (WeftClipReader *self, GstElement *demuxer, const gchar *factory)
{
  WeftDemuxerTraits traits = 0;

  for (guint i = 0; i < G_N_ELEMENTS (demuxers); i++) {
    if (g_str_equal (demuxers[i].factory, factory))
      traits = demuxers[i].traits;
  }
  if (traits != 0) {
    g_mutex_lock (&self->lock);
    self->traits = traits;
    g_mutex_unlock (&self->lock);
  }
  weft_movie_header_watch (demuxer, movie_duration_cb, self);
  g_signal_connect (demuxer, "pad-added", G_CALLBACK (demuxer_pad_added_cb), self);
}

static void
deep_element_added_cb (GstBin *bin, GstBin *sub_bin, GstElement *element, WeftClipReader *self)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  if (factory == NULL)
    return;
  /* libav keeps its reference pictures mapped for writing, so GstVideoDecoder copies each of them
   * into fresh memory when libav draws straight into its buffers; without, into a pool's. */
  if (g_str_has_prefix (GST_OBJECT_NAME (factory), "avdec_")
      && g_object_class_find_property (G_OBJECT_GET_CLASS (element), "max-threads") != NULL)
    g_object_set (element, "max-threads",
        (gint) CLAMP (g_get_num_processors () / 2, 1, MAX_DECODER_THREADS), "direct-rendering",
        FALSE, NULL);

  weft_mpeg_times_watch (element);
  if (gst_element_factory_list_is_type (factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER))
    watch_demuxer (self, element, GST_OBJECT_NAME (factory));
}

/* Counts what is read, and notices a file that ends inside of what a demuxer asks for. */
static GstPadProbeReturn
source_probe_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftClipReader *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gsize size;

  if (buffer == NULL)
    return GST_PAD_PROBE_OK;
  size = gst_buffer_get_size (buffer);
  g_mutex_lock (&self->lock);
  self->bytes_read += size;
  if ((GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_PULL)
      && (self->traits & WEFT_DEMUXER_READS_EXACTLY) && self->demuxed_pads > 0)
    self->short_read |= size < info->size;
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

static GstBusSyncReply
bus_sync_cb (GstBus *bus, GstMessage *message, gpointer user_data)
{
  WeftClipReader *self = user_data;
  g_autofree gchar *debug = NULL;
  const GstStructure *details = NULL;
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    gst_message_parse_error_details (message, &details);
    g_mutex_lock (&self->lock);
    if (self->error == NULL && details != NULL)
      gst_structure_get_boolean (details, "changed", &self->error_changed);
    weft_clip_reader_fail_unlocked (self, error, debug);
    g_mutex_unlock (&self->lock);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning (message, &error, &debug);
    GST_WARNING_OBJECT (self, "%s: %s (%s)", self->clip->uri, error->message, debug);
    g_error_free (error);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/*
 * decodebin swallows the errors of an element that it is just adding, since it may try another
 * one. A demuxer that pulls can fail in that very moment and then stays, broken, and nobody would
 * ever hear of it. So all errors are looked at before decodebin does, and one whose element is
 * still there a little later is believed.
 */
static GstBusSyncReply
inner_bus_sync_cb (GstBus *bus, GstMessage *message, gpointer user_data)
{
  WeftClipReader *self = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_mutex_lock (&self->lock);
    if (!self->exposed && self->suspicion == NULL) {
      gst_message_parse_error (message, &self->suspicion, NULL);
      self->suspect = GST_MESSAGE_SRC (message);
      self->suspicion_deadline_us = g_get_monotonic_time () + SUSPICION_US;
      g_cond_broadcast (&self->changed);
    }
    g_mutex_unlock (&self->lock);
  }
  /* what the handler that a GstBin comes with does */
  GST_BIN_GET_CLASS (self->decodebin)->handle_message (GST_BIN (self->decodebin), message);
  return GST_BUS_DROP;
}

static void
deep_element_removed_cb (GstBin *bin, GstBin *sub_bin, GstElement *element, WeftClipReader *self)
{
  g_mutex_lock (&self->lock);
  if (self->suspect == GST_OBJECT (element)) {
    self->suspect = NULL;
    g_clear_error (&self->suspicion);
  }
  g_mutex_unlock (&self->lock);
}

static void
watch_inner_errors (WeftClipReader *self)
{
  GstElement *child =
      GST_BIN_CHILDREN (self->decodebin) != NULL ? GST_BIN_CHILDREN (self->decodebin)->data : NULL;
  g_autoptr (GstBus) bus = child != NULL ? gst_element_get_bus (child) : NULL;

  if (bus != NULL)
    gst_bus_set_sync_handler (bus, inner_bus_sync_cb, self, NULL);
}

/* Puts the reader's elements together. Called on the reader's thread, in NULL. */
gboolean
weft_clip_source_build (WeftClipReader *self, GError **error)
{
  g_autoptr (GstPad) pad = NULL;
  g_autoptr (GstBus) bus = gst_pipeline_get_bus (GST_PIPELINE (self));
  g_autoptr (GstCaps) raw = gst_caps_from_string ("video/x-raw; audio/x-raw");

  gst_bus_set_sync_handler (bus, bus_sync_cb, self, NULL);
  self->source = gst_element_make_from_uri (GST_URI_SRC, self->clip->uri, NULL, error);
  if (self->source == NULL)
    return FALSE;
  gst_bin_add (GST_BIN (self), self->source);
  self->decodebin = gst_element_factory_make ("decodebin", NULL);
  if (self->decodebin == NULL) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "the element decodebin is missing (GStreamer base plugins)");
    return FALSE;
  }
  /* Its queue lets a stream that is full grow by a buffer whenever another one is empty, up to
   * the limit in bytes; a limit in time would be one more way to get stuck. */
  g_object_set (self->decodebin, "caps", raw, "max-size-bytes", MAX_INTERLEAVE_BYTES,
      "max-size-buffers", MAX_INTERLEAVE_BUFFERS, "max-size-time", G_GUINT64_CONSTANT (0), NULL);
  g_signal_connect (self->decodebin, "autoplug-continue", G_CALLBACK (autoplug_continue_cb), self);
  g_signal_connect (self->decodebin, "pad-added", G_CALLBACK (pad_added_cb), self);
  g_signal_connect (self->decodebin, "no-more-pads", G_CALLBACK (no_more_pads_cb), self);
  g_signal_connect (self->decodebin, "unknown-type", G_CALLBACK (unknown_type_cb), self);
  g_signal_connect (self, "deep-element-added", G_CALLBACK (deep_element_added_cb), self);
  g_signal_connect (self, "deep-element-removed", G_CALLBACK (deep_element_removed_cb), self);
  gst_bin_add (GST_BIN (self), self->decodebin);
  watch_inner_errors (self);
  if (!gst_element_link (self->source, self->decodebin)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD, "cannot read from the element %s",
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
