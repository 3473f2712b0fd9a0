/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-encoders.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

/* A driver that hangs must not hang the plan. */
#define TRIAL_TIMEOUT (5 * GST_SECOND)
/* Every hardware encoder takes this size; some refuse smaller ones. */
#define TRIAL_CAPS "video/x-raw,format=%s,width=640,height=480,framerate=30/1"

/* x264's own default, which ffmpeg and x264's command leave as it is. */
#define X264_KEYINT 250
#define X264_MAX_THREADS 128

typedef struct {
  const gchar *element;
  const gchar *title;
  gboolean hardware;
  const gchar *raw_format; /* for the trial */
} VideoCandidate;

/* Hardware first, in the order in which the drivers are to be trusted; then software by quality. */
static const VideoCandidate h264_candidates[] = {
  { "nvh264enc", "NVIDIA NVENC", TRUE, "NV12" },
  { "qsvh264enc", "Intel Quick Sync", TRUE, "NV12" },
  { "vah264enc", "VA-API", TRUE, "NV12" },
  { "vaapih264enc", "VA-API (gstreamer-vaapi)", TRUE, "NV12" },
  { "v4l2h264enc", "V4L2", TRUE, "NV12" },
  { "x264enc", "x264", FALSE, "I420" },
  { "openh264enc", "OpenH264", FALSE, "I420" },
};

typedef struct {
  const gchar *element;
  const gchar *codec;
  guint priming_samples;
  const gchar *why_not; /* (nullable) */
} AudioCandidate;

/* The priming is how much a decoder gets in front of the first sample that was put in: measured by
 * correlating noise with what ffmpeg decodes, and equal at every rate, channel count and bit rate.
 * VisualOn's encoder (1600) keeps what it has not filled a frame with when the sound ends, so the
 * last 50 ms would be missing from every output. */
static const AudioCandidate audio_candidates[] = {
  { "avenc_aac", "aac", 1024, NULL },
  { "voaacenc", "aac", 1600, "it drops the end of the sound" },
};

/* x264's presets, as far as they decide how many frames it holds back (x264's common/base.c). */
static const struct {
  const gchar *name;
  gint bframes;
  gint lookahead;
  gboolean mbtree;
  gint b_adapt;
} x264_presets[] = {
  { "ultrafast", 0, 0, FALSE, 0 },
  { "superfast", 3, 0, FALSE, 1 },
  { "veryfast", 3, 10, TRUE, 1 },
  { "faster", 3, 20, TRUE, 1 },
  { "fast", 3, 30, TRUE, 1 },
  { "medium", 3, 40, TRUE, 1 },
  { "slow", 3, 50, TRUE, 1 },
  { "slower", 3, 60, TRUE, 2 },
  { "veryslow", 8, 60, TRUE, 2 },
  { "placebo", 16, 60, TRUE, 2 },
};

void
weft_encoder_choice_clear (WeftEncoderChoice *self)
{
  g_clear_pointer (&self->reason, g_free);
  g_clear_pointer (&self->caps, g_free);
  g_clear_pointer (&self->properties, json_object_unref);
}

static gboolean
factory_exists (const gchar *name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  return factory != NULL;
}

/* Encodes two real frames: that a plugin is installed says nothing about a card and its driver.
 * Returns: (nullable): why it does not work */
static gchar *
try_encoder (const VideoCandidate *candidate)
{
  g_autofree gchar *line =
      g_strdup_printf ("videotestsrc num-buffers=2 ! " TRIAL_CAPS " ! %s ! fakesink sync=false",
          candidate->raw_format, candidate->element);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gchar *reason = NULL;

  if (pipeline == NULL)
    return g_strdup (error->message);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, TRIAL_TIMEOUT, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (message == NULL) {
    reason = g_strdup ("it did not encode two frames in 5 s");
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    reason = g_strdup (error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return reason;
}

/* Returns: (transfer none) (nullable): why @candidate does not work on this machine. Tried once a
 * process. */
static const gchar *
why_not (const VideoCandidate *candidate)
{
  /* Guards @results. Held while an encoder is tried, so that two threads never try the same one. */
  static GMutex lock;
  static GHashTable *results = NULL;
  gpointer reason = NULL;

  if (!factory_exists (candidate->element))
    return "not installed";
  g_mutex_lock (&lock);
  if (results == NULL)
    results = g_hash_table_new (g_str_hash, g_str_equal);
  if (!g_hash_table_lookup_extended (results, candidate->element, NULL, &reason)) {
    reason = try_encoder (candidate);
    g_hash_table_insert (results, (gpointer) candidate->element, reason);
  }
  g_mutex_unlock (&lock);
  return reason;
}

static guint
get_x264_preset (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (x264_presets); i++)
    if (g_strcmp0 (x264_presets[i].name, name) == 0)
      return i;
  return 5;
}

static gint64
get_keyint (const WeftVideoSettings *settings)
{
  if (settings->keyframe_s <= 0)
    return X264_KEYINT;
  return (gint64) MAX (
      floor (settings->keyframe_s * settings->fps.num / settings->fps.den + 1e-6), 1);
}

/* What x264 itself chooses: one and a half for each processor, but two rows of macroblocks each. */
static gint
get_x264_threads (const WeftVideoSettings *settings, guint processors)
{
  gint rows = (gint) (settings->height + 15) / 16;

  return CLAMP ((gint) processors * 3 / 2, 1, CLAMP (rows / 2, 1, X264_MAX_THREADS));
}

/* x264enc takes whole numbers only. */
gint64
weft_encoders_round_quality (gdouble quality)
{
  return (gint64) CLAMP (round (quality), 0, 51);
}

static gboolean
is_lossless (const WeftVideoSettings *settings)
{
  return settings->bitrate <= 0 && weft_encoders_round_quality (settings->quality) == 0;
}

/* How many frames x264 takes before the first one comes out, for @processors as x264 counts them.
 *
 * x264's encoder.c: the slice type decision needs `bframes` frames (four times as many with the
 * trellis of b-adapt 2), macroblock-tree needs its whole look-ahead; each frame thread but one
 * holds a frame; and the look-ahead thread runs bframes + 1 ahead of the decision. */
guint
weft_encoders_x264_latency (const WeftVideoSettings *settings, guint processors)
{
  guint preset = get_x264_preset (settings->speed);
  gboolean baseline = g_strcmp0 (settings->profile, "baseline") == 0;
  gint bframes = settings->bframes >= 0 ? settings->bframes : x264_presets[preset].bframes;
  gint lookahead = settings->lookahead >= 0 ? settings->lookahead : x264_presets[preset].lookahead;
  gint keyint = (gint) get_keyint (settings);
  gint threads = get_x264_threads (settings, processors);
  gint delay;

  if (baseline || is_lossless (settings))
    bframes = 0;
  bframes = MIN (bframes, MAX (keyint - 1, 0));
  lookahead = MIN (lookahead, keyint);
  delay = x264_presets[preset].b_adapt == 2 && bframes > 0 ? MAX (bframes, 3) * 4 : bframes;
  if (x264_presets[preset].mbtree && !is_lossless (settings))
    delay = MAX (delay, lookahead);
  delay += threads - 1;
  if (threads > 1)
    delay += bframes + 1;
  return (guint) delay;
}

/* What stands behind the encoder. x264 gives up B-frames and CABAC for `baseline`, which without
 * FMO and ASO is what players call constrained baseline. Lossless coding is High 4:4:4 only (ITU-T
 * H.264, A.2.11), which x264enc offers for 4:4:4 pictures only when it is asked by name, and
 * chooses by itself when it is not. */
static gchar *
get_caps (const WeftVideoSettings *settings)
{
  const gchar *profile = settings->profile != NULL ? settings->profile : "high";

  if (is_lossless (settings))
    return g_strdup ("video/x-h264");
  if (g_str_equal (profile, "baseline"))
    profile = "constrained-baseline";
  return g_strdup_printf ("video/x-h264,profile=%s", profile);
}

static void
set_x264 (const WeftVideoSettings *settings, WeftEncoderChoice *choice)
{
  JsonObject *properties = choice->properties;
  guint processors = g_get_num_processors ();

  json_object_set_string_member (properties, "speed-preset", settings->speed);
  if (settings->bitrate > 0) {
    /* x264enc calls x264's average bit rate `cbr` and makes it constant by a buffer of 600 ms; with
     * no buffer it is what `-b:v` is. */
    json_object_set_string_member (properties, "pass", "cbr");
    json_object_set_int_member (properties, "bitrate", MAX (settings->bitrate / 1000, 1));
  } else {
    json_object_set_string_member (properties, "pass", "qual");
    json_object_set_int_member (
        properties, "quantizer", weft_encoders_round_quality (settings->quality));
  }
  json_object_set_int_member (properties, "vbv-buf-capacity", 0);
  /* x264enc's own default is ten seconds. */
  json_object_set_int_member (properties, "key-int-max", get_keyint (settings));
  /* Written down because the latency, and with it the sizes of queues, depends on it: a plan may
   * run on a machine with more processors than the one that made it. */
  json_object_set_int_member (properties, "threads", get_x264_threads (settings, processors));
  if (settings->lookahead >= 0)
    json_object_set_int_member (properties, "rc-lookahead", settings->lookahead);
  if (settings->bframes >= 0)
    json_object_set_int_member (properties, "bframes", settings->bframes);
  choice->latency_frames = weft_encoders_x264_latency (settings, processors);
}

/* Bits a second that @settings come to, roughly: for estimates, and for encoders without a constant
 * quality. */
gint64
weft_encoders_estimate_bitrate (const WeftVideoSettings *settings)
{
  gdouble pixels =
      (gdouble) settings->width * settings->height * settings->fps.num / settings->fps.den;

  if (settings->bitrate > 0)
    return settings->bitrate;
  /* A tenth of a bit for a pixel is what quality 23 comes to; six steps halve it. */
  return (gint64) (pixels * 0.1 * pow (2.0, (23.0 - settings->quality) / 6.0));
}

static void
set_openh264 (const WeftVideoSettings *settings, WeftEncoderChoice *choice)
{
  json_object_set_string_member (
      choice->properties, "rate-control", settings->bitrate > 0 ? "bitrate" : "quality");
  json_object_set_int_member (
      choice->properties, "bitrate", weft_encoders_estimate_bitrate (settings));
  json_object_set_int_member (choice->properties, "gop-size", X264_KEYINT);
  choice->latency_frames = 1;
}

/* Hardware encoders agree on little but a bit rate in kbit/s. */
static void
set_hardware (const WeftVideoSettings *settings, WeftEncoderChoice *choice)
{
  gint64 kbit = MAX (weft_encoders_estimate_bitrate (settings) / 1000, 1);

  if (g_str_equal (choice->element, "v4l2h264enc"))
    return;
  json_object_set_int_member (choice->properties, "bitrate", kbit);
  /* Drivers reorder over a handful of frames and keep as many in flight. */
  choice->latency_frames = 16;
}

/* @skipped: why installed encoders that would have been better do not work */
static gchar *
explain (const VideoCandidate *candidate, const gchar *skipped)
{
  if (candidate->hardware)
    return g_strdup_printf ("%s works on this machine", candidate->title);
  if (*skipped != '\0')
    return g_strdup_printf ("%s, because %s", candidate->title, skipped);
  return g_strdup_printf ("%s, because this machine has no hardware encoder", candidate->title);
}

gboolean
weft_encoders_choose_video (const WeftVideoSettings *settings, WeftEncoderChoice *choice)
{
  g_autoptr (GString) skipped = g_string_new (NULL);

  *choice = (WeftEncoderChoice){ 0 };
  if (g_strcmp0 (settings->codec, "h264") != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (h264_candidates); i++) {
    const VideoCandidate *candidate = &h264_candidates[i];
    const gchar *reason = why_not (candidate);

    if (reason != NULL) {
      if (factory_exists (candidate->element))
        g_string_append_printf (
            skipped, "%s%s: %s", skipped->len > 0 ? "; " : "", candidate->element, reason);
      continue;
    }
    choice->element = candidate->element;
    choice->properties = json_object_new ();
    choice->caps = get_caps (settings);
    if (g_str_equal (candidate->element, "x264enc"))
      set_x264 (settings, choice);
    else if (g_str_equal (candidate->element, "openh264enc"))
      set_openh264 (settings, choice);
    else
      set_hardware (settings, choice);
    choice->reason = explain (candidate, skipped->str);
    return TRUE;
  }
  choice->reason = g_strdup (skipped->len > 0 ? skipped->str : "none is installed");
  return FALSE;
}

gboolean
weft_encoders_choose_audio (const gchar *codec, guint bitrate, WeftEncoderChoice *choice)
{
  *choice = (WeftEncoderChoice){ 0 };
  for (guint i = 0; i < G_N_ELEMENTS (audio_candidates); i++) {
    const AudioCandidate *candidate = &audio_candidates[i];

    if (g_strcmp0 (candidate->codec, codec) != 0 || candidate->why_not != NULL
        || !factory_exists (candidate->element))
      continue;
    choice->element = candidate->element;
    choice->priming_samples = candidate->priming_samples;
    choice->properties = json_object_new ();
    json_object_set_int_member (choice->properties, "bitrate", bitrate);
    choice->reason = g_strdup ("ffmpeg's AAC encoder");
    return TRUE;
  }
  return FALSE;
}

const gchar *
weft_encoders_choose_picture (const gchar *format)
{
  const gchar *element = "jpegenc";

  if (g_strcmp0 (format, "png") == 0)
    element = "pngenc";
  else if (g_strcmp0 (format, "webp") == 0)
    element = "webpenc";
  return factory_exists (element) ? element : NULL;
}

static void
list_encoder (JsonArray *array, const gchar *codec, const gchar *element, const gchar *reason,
    gboolean hardware)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "codec", codec);
  json_object_set_string_member (object, "element", element);
  json_object_set_boolean_member (object, "works", reason == NULL);
  json_object_set_boolean_member (object, "hardware", hardware);
  if (reason != NULL)
    json_object_set_string_member (object, "reason", reason);
  json_array_add_object_element (array, object);
}

/* Returns: (transfer full): every encoder Weft would use, and why the others do not work */
JsonNode *
weft_encoders_list (void)
{
  static const gchar *const pictures[] = { "jpeg", "png" };
  g_autoptr (JsonArray) array = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (h264_candidates); i++)
    list_encoder (array, "h264", h264_candidates[i].element, why_not (&h264_candidates[i]),
        h264_candidates[i].hardware);
  for (guint i = 0; i < G_N_ELEMENTS (audio_candidates); i++)
    list_encoder (array, audio_candidates[i].codec, audio_candidates[i].element,
        factory_exists (audio_candidates[i].element) ? audio_candidates[i].why_not
                                                     : "not installed",
        FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++)
    list_encoder (array, pictures[i], g_str_equal (pictures[i], "png") ? "pngenc" : "jpegenc",
        weft_encoders_choose_picture (pictures[i]) != NULL ? NULL : "not installed", FALSE);
  return json_node_init_array (json_node_alloc (), array);
}
