/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-mp4layout
 * @title: mp4layout
 * @short_description: movie header first and exact edit lists, without a second copy
 *
 * Stands between mp4mux and the sink. Keeps room for the movie header before the media data, takes
 * the header that the muxer writes at the end, makes its times exact and puts it into that room.
 * The media data is written once and never read.
 *
 * mp4mux must be in its normal mode (no faststart, no fragments), downstream must be
 * able to seek in bytes, as filesink is.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=300 ! video/x-raw,framerate=30/1 ! x264enc ! mp4mux
 * name=m ! mp4layout video-frames=300 audio-samples=480000 ! filesink location=a.mp4 audiotestsrc
 * num-buffers=500 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! avenc_aac ! m.
 * ]|
 *
 * Threads: the streaming thread of the muxer owns all but the settings and the statistics, which
 * the object lock guards.
 */

#include "weftmp4layout-private.h"

GST_DEBUG_CATEGORY (weft_mp4_layout_debug);
#define GST_CAT_DEFAULT weft_mp4_layout_debug

#define DEFAULT_RESERVE_BYTES 0
#define DEFAULT_AUDIO_PRIMING (-1)
#define DEFAULT_AUDIO_SAMPLES 0
#define DEFAULT_VIDEO_FRAMES 0

enum {
  PROP_0,
  PROP_RESERVE_BYTES,
  PROP_VIDEO_FRAMES,
  PROP_FRAME_RATE,
  PROP_AUDIO_PRIMING,
  PROP_AUDIO_SAMPLES,
  PROP_MOOV_BYTES,
  PROP_STATS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK,
    GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/quicktime; audio/x-m4a; application/x-3gp; video/mj2"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC,
    GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/quicktime; audio/x-m4a; application/x-3gp; video/mj2"));

G_DEFINE_FINAL_TYPE (WeftMp4Layout, weft_mp4_layout, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (mp4layout, "mp4layout", GST_RANK_NONE, WEFT_TYPE_MP4_LAYOUT)

/* ---- results ---- */

/* What was written, for the application: statistics, a message, and warnings. */
void
weft_mp4_layout_publish_stats (WeftMp4Layout *self, const WeftMp4MoovInfo *info, guint64 moov_bytes,
    guint64 free_bytes, guint64 moved_bytes, gboolean moov_first)
{
  GstStructure *stats =
      gst_structure_new ("mp4layout", "moov-first", G_TYPE_BOOLEAN, moov_first, "moov-bytes",
          G_TYPE_UINT64, moov_bytes, "reserve-bytes", G_TYPE_UINT64, self->reserve, "free-bytes",
          G_TYPE_UINT64, free_bytes, "moved-bytes", G_TYPE_UINT64, moved_bytes, "media-bytes",
          G_TYPE_UINT64, self->media_bytes, "video-frames", G_TYPE_UINT64, info->video_frames,
          "on-frame-grid", G_TYPE_BOOLEAN, info->on_grid, "audio-samples", G_TYPE_UINT64,
          info->audio_samples, "audio-packets", G_TYPE_UINT64, info->audio_packets, NULL);
  guint64 frames_wanted, samples_wanted;

  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->stats, gst_structure_free);
  self->stats = gst_structure_copy (stats);
  self->moov_bytes = moov_bytes;
  frames_wanted = self->video_frames;
  samples_wanted = self->audio_samples;
  GST_OBJECT_UNLOCK (self);

  gst_element_post_message (GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), stats));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MOOV_BYTES]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATS]);

  if (info->has_audio && info->audio_missing_samples > 0)
    GST_ELEMENT_WARNING (self, STREAM, MUX,
        ("The audio is %" G_GUINT64_FORMAT " samples short of %" G_GUINT64_FORMAT ".",
            info->audio_missing_samples, samples_wanted),
        ("give the encoder more silence at the end"));
  if (info->has_video && frames_wanted != 0 && info->video_frames != frames_wanted)
    GST_ELEMENT_WARNING (self, STREAM, MUX,
        ("The video has %" G_GUINT64_FORMAT " frames where %" G_GUINT64_FORMAT " were announced.",
            info->video_frames, frames_wanted),
        (NULL));
}

/* ---- pads ---- */

static GstFlowReturn
weft_mp4_layout_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  return weft_mp4_layout_take_buffer (WEFT_MP4_LAYOUT (parent), buffer);
}

static gboolean
weft_mp4_layout_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  WeftMp4Layout *self = WEFT_MP4_LAYOUT (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT:
      return weft_mp4_layout_take_segment (self, event);
    case GST_EVENT_EOS:
      return weft_mp4_layout_take_eos (self, event);
    case GST_EVENT_FLUSH_STOP:
      weft_mp4_layout_reset (self);
      return gst_pad_event_default (pad, parent, event);
    default:
      return gst_pad_event_default (pad, parent, event);
  }
}

static GstStateChangeReturn
weft_mp4_layout_change_state (GstElement *element, GstStateChange transition)
{
  GstStateChangeReturn result =
      GST_ELEMENT_CLASS (weft_mp4_layout_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    weft_mp4_layout_reset (WEFT_MP4_LAYOUT (element));
  return result;
}

/* ---- object ---- */

static void
weft_mp4_layout_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftMp4Layout *self = WEFT_MP4_LAYOUT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_RESERVE_BYTES:
      self->reserve_bytes = g_value_get_uint (value);
      break;
    case PROP_VIDEO_FRAMES:
      self->video_frames = g_value_get_uint64 (value);
      break;
    case PROP_FRAME_RATE:
      self->fps_n = gst_value_get_fraction_numerator (value);
      self->fps_d = gst_value_get_fraction_denominator (value);
      break;
    case PROP_AUDIO_PRIMING:
      self->audio_priming = g_value_get_int64 (value);
      break;
    case PROP_AUDIO_SAMPLES:
      self->audio_samples = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_mp4_layout_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftMp4Layout *self = WEFT_MP4_LAYOUT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_RESERVE_BYTES:
      g_value_set_uint (value, self->reserve_bytes);
      break;
    case PROP_VIDEO_FRAMES:
      g_value_set_uint64 (value, self->video_frames);
      break;
    case PROP_FRAME_RATE:
      gst_value_set_fraction (value, self->fps_n, self->fps_d);
      break;
    case PROP_AUDIO_PRIMING:
      g_value_set_int64 (value, self->audio_priming);
      break;
    case PROP_AUDIO_SAMPLES:
      g_value_set_uint64 (value, self->audio_samples);
      break;
    case PROP_MOOV_BYTES:
      g_value_set_uint64 (value, self->moov_bytes);
      break;
    case PROP_STATS:
      g_value_set_boxed (value, self->stats);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_mp4_layout_finalize (GObject *object)
{
  WeftMp4Layout *self = WEFT_MP4_LAYOUT (object);

  weft_mp4_layout_reset (self);
  g_clear_object (&self->held);
  g_clear_pointer (&self->stats, gst_structure_free);
  G_OBJECT_CLASS (weft_mp4_layout_parent_class)->finalize (object);
}

static void
weft_mp4_layout_init (WeftMp4Layout *self)
{
  self->held = gst_adapter_new ();
  g_queue_init (&self->head.buffers);
  self->reserve_bytes = DEFAULT_RESERVE_BYTES;
  self->video_frames = DEFAULT_VIDEO_FRAMES;
  self->fps_n = 0;
  self->fps_d = 1;
  self->audio_priming = DEFAULT_AUDIO_PRIMING;
  self->audio_samples = DEFAULT_AUDIO_SAMPLES;
  self->stats = gst_structure_new_empty ("mp4layout");

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, weft_mp4_layout_chain);
  gst_pad_set_event_function (self->sinkpad, weft_mp4_layout_sink_event);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  self->out.pad = self->srcpad;
}

static void
weft_mp4_layout_class_init (WeftMp4LayoutClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  const GParamFlags setting = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags result = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  GST_DEBUG_CATEGORY_INIT (weft_mp4_layout_debug, "mp4layout", 0, "MP4 layout");
  object_class->set_property = weft_mp4_layout_set_property;
  object_class->get_property = weft_mp4_layout_get_property;
  object_class->finalize = weft_mp4_layout_finalize;
  element_class->change_state = weft_mp4_layout_change_state;

  properties[PROP_RESERVE_BYTES] = g_param_spec_uint ("reserve-bytes", "Reserved bytes",
      "Room kept before the media data for the movie header, in bytes; 0 = from video-frames and "
      "audio-samples, else from the duration upstream knows, else 256 KiB",
      0, WEFT_MP4_RESERVE_MAX_BYTES, DEFAULT_RESERVE_BYTES, setting);
  properties[PROP_VIDEO_FRAMES] = g_param_spec_uint64 ("video-frames", "Video frames",
      "Frames the video will have, to size the reserved room and to check the outcome; 0 = unknown",
      0, G_MAXUINT32, DEFAULT_VIDEO_FRAMES, setting);
  properties[PROP_FRAME_RATE] = gst_param_spec_fraction ("frame-rate", "Frame rate",
      "Grid on which frame k is at exactly k/rate seconds; 0/1 = the rate in the caps upstream; a "
      "track with a timestamp off the grid is left as it is",
      0, 1, G_MAXINT, 1, 0, 1, setting);
  properties[PROP_AUDIO_PRIMING] = g_param_spec_int64 ("audio-priming", "Audio priming",
      "Samples the encoder puts before the first real one, skipped by the edit list; "
      "-1 = by the encoder found upstream",
      -1, G_MAXINT32, DEFAULT_AUDIO_PRIMING, setting);
  properties[PROP_AUDIO_SAMPLES] = g_param_spec_uint64 ("audio-samples", "Audio samples",
      "Exact length of each audio track in samples per channel, after the priming; 0 = all there "
      "is",
      0, G_MAXINT64 / 8, DEFAULT_AUDIO_SAMPLES, setting);
  properties[PROP_MOOV_BYTES] = g_param_spec_uint64 ("moov-bytes", "Movie header bytes",
      "Size of the movie header written, in bytes; 0 until the end", 0, G_MAXUINT64, 0, result);
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "What was written: moov-first, moov-bytes, reserve-bytes, free-bytes, moved-bytes, "
      "media-bytes, "
      "video-frames, on-frame-grid, audio-samples, audio-packets; also posted as an element "
      "message "
      "named mp4layout",
      GST_TYPE_STRUCTURE, result);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "MP4 layout", "Filter/Muxer",
      "Puts the movie header of mp4mux first and makes its edit lists exact, without a second copy",
      "The Weft authors");
}
