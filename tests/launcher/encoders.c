/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>
#include <math.h>
#include <string.h>

#include "../support/patience.h"
#include "realmedia.h"
#include "weft-capabilities.h"
#include "weft-encoders.h"

#define WIDTH 320
#define HEIGHT 180

static WeftVideoSettings
settings_new (void)
{
  return (WeftVideoSettings){
    .codec = "h264",
    .speed = "fast",
    .quality = 23.0,
    .bitrate = -1,
    .keyframe_s = -1.0,
    .lookahead = -1,
    .bframes = -1,
    .width = WIDTH,
    .height = HEIGHT,
    .fps = { 30, 1 },
  };
}

/* The choice as a piece of a launch line; skips the test if it is not x264. */
static gchar *
to_launch (const WeftVideoSettings *settings, guint *latency)
{
  g_auto (WeftEncoderChoice) choice = { 0 };
  GString *line = g_string_new (NULL);
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *node;

  if (!weft_encoders_choose_video (settings, &choice) || !g_str_equal (choice.element, "x264enc")) {
    g_test_skip ("x264 is not what this machine chooses");
    g_string_free (line, TRUE);
    return NULL;
  }
  g_string_append_printf (line, "%s name=encoder", choice.element);
  json_object_iter_init (&iter, choice.properties);
  while (json_object_iter_next (&iter, &name, &node)) {
    if (json_node_get_value_type (node) == G_TYPE_STRING)
      g_string_append_printf (line, " %s=%s", name, json_node_get_string (node));
    else
      g_string_append_printf (line, " %s=%" G_GINT64_FORMAT, name, json_node_get_int (node));
  }
  g_string_append_printf (line, " ! %s", choice.caps);
  if (latency != NULL)
    *latency = choice.latency_frames;
  return g_string_free (line, FALSE);
}

static void
run_pipeline (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, patience_us (60) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* What x264 writes into the stream about its parameters. */
static gchar *
read_options (const gchar *path)
{
  g_autofree gchar *data = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  for (gsize i = 0; i + 9 < length; i++)
    if (memcmp (data + i, "options: ", 9) == 0)
      return g_strdup (data + i);
  g_error ("%s: x264 has not written its options", path);
}

static void
assert_same_options (const WeftVideoSettings *settings, const gchar *ffmpeg_options)
{
  g_autofree gchar *encoder = to_launch (settings, NULL);
  gchar *folder = realmedia_scratch ();
  g_autofree gchar *hello = realmedia_path ("hello.mp4");
  g_autofree gchar *theirs_path = g_build_filename (folder, "theirs.h264", NULL);
  g_autofree gchar *ours_path = g_build_filename (folder, "ours.h264", NULL);
  g_autofree gchar *ours = NULL, *theirs = NULL, *line = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GError) error = NULL;

  if (encoder != NULL) {
    g_free (realmedia_run ("ffmpeg -v error -y -i '%s' -frames:v 30 -an -vf scale=%d:%d,fps=30 "
                           "-pix_fmt yuv420p -c:v libx264 %s '%s'",
        hello, WIDTH, HEIGHT, ffmpeg_options, theirs_path));
    line = g_strdup_printf ("videotestsrc num-buffers=30 ! "
                            "video/x-raw,format=I420,width=%d,height=%d,framerate=30/1 ! %s ! "
                            "filesink location=%s",
        WIDTH, HEIGHT, encoder, ours_path);
    pipeline = gst_parse_launch (line, &error);
    g_assert_no_error (error);
    run_pipeline (pipeline);
    ours = read_options (ours_path);
    theirs = read_options (theirs_path);
    g_assert_cmpstr (ours, ==, theirs);
  }
  realmedia_remove (folder);
}

static void
test_quality_is_crf (gconstpointer data)
{
  g_autofree gchar *options = g_strdup_printf ("-preset %s -crf 23", (const gchar *) data);
  WeftVideoSettings settings = settings_new ();

  if (!realmedia_is_here ())
    return;
  settings.speed = data;
  assert_same_options (&settings, options);
}

static void
test_bitrate_is_an_average (void)
{
  WeftVideoSettings settings = settings_new ();

  if (!realmedia_is_here ())
    return;
  settings.bitrate = 1000000;
  assert_same_options (&settings, "-preset fast -b:v 1000k");
}

static void
test_profiles_and_keyframes (void)
{
  WeftVideoSettings settings = settings_new ();

  if (!realmedia_is_here ())
    return;
  settings.profile = "main";
  settings.keyframe_s = 2.0;
  assert_same_options (&settings, "-preset fast -crf 23 -profile:v main -g 60");
  settings.profile = "baseline";
  settings.keyframe_s = -1;
  assert_same_options (&settings, "-preset fast -crf 23 -profile:v baseline");
}

static void
test_lookahead_and_bframes (void)
{
  WeftVideoSettings settings = settings_new ();

  if (!realmedia_is_here ())
    return;
  settings.lookahead = 5;
  settings.bframes = 1;
  assert_same_options (&settings, "-preset fast -crf 23 -rc-lookahead 5 -bf 1");
  settings.lookahead = 0;
  settings.bframes = 0;
  assert_same_options (&settings, "-preset fast -crf 23 -rc-lookahead 0 -bf 0");
}

static void
test_quality_zero_is_lossless (void)
{
  WeftVideoSettings settings = settings_new ();

  if (!realmedia_is_here ())
    return;
  settings.quality = 0;
  assert_same_options (&settings, "-preset fast -crf 0");
}

typedef struct {
  guint in;
  guint out;
  guint in_at_first_out;
} Count;

static GstPadProbeReturn
count_in_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  g_atomic_int_inc (&((Count *) user_data)->in);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
count_out_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Count *count = user_data;

  if (count->out++ == 0)
    count->in_at_first_out = (guint) g_atomic_int_get (&count->in);
  return GST_PAD_PROBE_OK;
}

/* How many frames x264 holds when it gives the first one back. */
static guint
measure_latency (const gchar *encoder)
{
  g_autofree gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=320 ! video/x-raw,format=I420,width=64,height=%d,framerate=30/1 ! "
      "%s ! fakesink async=false",
      HEIGHT, encoder);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) element = NULL;
  g_autoptr (GstPad) sink = NULL, src = NULL;
  Count count = { 0 };

  g_assert_no_error (error);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "encoder");
  sink = gst_element_get_static_pad (element, "sink");
  src = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, count_in_cb, &count, NULL);
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, count_out_cb, &count, NULL);
  run_pipeline (pipeline);
  g_assert_cmpuint (count.out, ==, 320);
  return count.in_at_first_out - 1;
}

static void
test_latency_is_what_x264_holds_back (gconstpointer data)
{
  static const gint lookaheads[] = { -1, 0, 1, 40, 250 };
  static const gint bframes[] = { -1, 0, 16 };
  WeftVideoSettings settings = settings_new ();

  settings.speed = data;
  for (guint i = 0; i < G_N_ELEMENTS (lookaheads); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (bframes); j++) {
      guint latency = 0;
      g_autofree gchar *encoder = NULL;

      settings.lookahead = lookaheads[i];
      settings.bframes = bframes[j];
      settings.keyframe_s = j == 1 ? 1.0 : -1.0;
      encoder = to_launch (&settings, &latency);
      if (encoder == NULL)
        return;
      g_test_message ("%s", encoder);
      g_assert_cmpuint (latency, ==, measure_latency (encoder));
    }
  }
}

static void
test_latency_of_baseline_and_lossless (void)
{
  WeftVideoSettings settings = settings_new ();
  g_autofree gchar *baseline = NULL, *lossless = NULL;
  guint latency = 0;

  settings.profile = "baseline";
  baseline = to_launch (&settings, &latency);
  if (baseline == NULL)
    return;
  g_assert_cmpuint (latency, ==, measure_latency (baseline));
  settings.profile = NULL;
  settings.quality = 0;
  lossless = to_launch (&settings, &latency);
  g_assert_cmpuint (latency, ==, measure_latency (lossless));
}

#define NOISE_AT 20000
#define NOISE_LENGTH 4000

/* A burst of noise, put through the encoder and ffmpeg's decoder, is found again where it went in
 * plus the priming. */
static void
test_priming_is_what_a_decoder_adds (void)
{
  g_auto (WeftEncoderChoice) choice = { 0 };
  gchar *folder = realmedia_scratch ();
  g_autofree gchar *in = g_build_filename (folder, "in.raw", NULL);
  g_autofree gchar *coded = g_build_filename (folder, "coded.aac", NULL);
  g_autofree gchar *out = g_build_filename (folder, "out.raw", NULL);
  g_autofree gint16 *samples = g_new0 (gint16, 48000);
  g_autofree gchar *data = NULL, *line = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  const gint16 *decoded;
  gsize length = 0;
  gdouble smooth = 0, best = 0;
  guint best_at = 0;

  if (!realmedia_is_here ())
    return;
  if (!weft_encoders_choose_audio ("aac", 128000, &choice)) {
    g_test_skip ("there is no AAC encoder");
    return;
  }
  for (guint i = 0; i < NOISE_LENGTH; i++) {
    smooth = smooth * 0.7 + g_rand_double_range (rand, -0.3, 0.3);
    samples[NOISE_AT + i] = (gint16) (smooth * 20000);
  }
  g_assert_true (g_file_set_contents (in, (const gchar *) samples, 48000 * 2, NULL));
  line = g_strdup_printf ("filesrc location=%s ! rawaudioparse sample-rate=48000 num-channels=1 ! "
                          "audioconvert ! %s bitrate=128000 ! aacparse ! "
                          "audio/mpeg,stream-format=adts ! filesink location=%s",
      in, choice.element, coded);
  pipeline = gst_parse_launch (line, NULL);
  run_pipeline (pipeline);
  g_free (realmedia_run ("ffmpeg -v error -y -i '%s' -f s16le '%s'", coded, out));
  g_assert_true (g_file_get_contents (out, &data, &length, NULL));
  decoded = (const gint16 *) (gpointer) data;
  for (guint at = NOISE_AT; at < NOISE_AT + 4000; at++) {
    gdouble sum = 0;

    for (guint i = 0; i < NOISE_LENGTH; i++)
      sum += (gdouble) samples[NOISE_AT + i] * decoded[at + i];
    if (sum > best) {
      best = sum;
      best_at = at;
    }
  }
  g_assert_cmpuint (best_at - NOISE_AT, ==, choice.priming_samples);
  /* Nothing at the end is lost either. */
  g_assert_cmpuint (length / 2, >=, 48000 + choice.priming_samples);
  realmedia_remove (folder);
}

static void
test_the_list_tells_why (void)
{
  g_autoptr (JsonNode) list = weft_encoders_list ();
  JsonArray *array = json_node_get_array (list);

  g_assert_cmpuint (json_array_get_length (array), >=, 8);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonObject *encoder = json_array_get_object_element (array, i);
    gboolean works = json_object_get_boolean_member (encoder, "works");

    g_assert_true (works != json_object_has_member (encoder, "reason"));
  }
}

static void
test_capabilities_name_what_is_missing (void)
{
  g_autoptr (JsonNode) node = weft_capabilities_probe ();
  JsonObject *root = json_node_get_object (node);
  JsonArray *decoders = json_object_get_array_member (root, "decoders");
  JsonArray *elements = json_object_get_array_member (root, "elements");

  for (guint i = 0; i < json_array_get_length (decoders); i++) {
    JsonObject *decoder = json_array_get_object_element (decoders, i);

    g_assert_true (json_object_has_member (
        decoder, json_object_get_boolean_member (decoder, "works") ? "element" : "package"));
  }
  for (guint i = 0; i < json_array_get_length (elements); i++)
    g_assert_true (json_object_has_member (json_array_get_object_element (elements, i), "package"));
  g_assert_true (
      g_str_has_prefix (json_object_get_string_member (root, "gstreamer"), "GStreamer 1."));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "encoders")), >, 0);
}

static void
test_an_unknown_codec_is_refused (void)
{
  g_auto (WeftEncoderChoice) choice = { 0 };
  WeftVideoSettings settings = settings_new ();

  settings.codec = "realvideo";
  g_assert_false (weft_encoders_choose_video (&settings, &choice));
  g_assert_false (weft_encoders_choose_audio ("opus", 128000, &choice));
}

int
main (int argc, char **argv)
{
  static const gchar *const speeds[] = { "ultrafast", "superfast", "veryfast", "faster", "fast",
    "medium", "slow", "slower", "veryslow", "placebo" };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (speeds); i++) {
    g_autofree gchar *crf = g_strconcat ("/encoders/quality-is-crf/", speeds[i], NULL);
    g_autofree gchar *latency =
        g_strconcat ("/encoders/latency-is-what-x264-holds-back/", speeds[i], NULL);

    g_test_add_data_func (crf, speeds[i], test_quality_is_crf);
    /* One of each kind of look-ahead. */
    if (i == 0 || i == 1 || i == 4 || i == 8)
      g_test_add_data_func (latency, speeds[i], test_latency_is_what_x264_holds_back);
  }
  g_test_add_func ("/encoders/bitrate-is-an-average", test_bitrate_is_an_average);
  g_test_add_func ("/encoders/profiles-and-keyframes", test_profiles_and_keyframes);
  g_test_add_func ("/encoders/lookahead-and-bframes", test_lookahead_and_bframes);
  g_test_add_func ("/encoders/quality-zero-is-lossless", test_quality_zero_is_lossless);
  g_test_add_func (
      "/encoders/latency-of-baseline-and-lossless", test_latency_of_baseline_and_lossless);
  g_test_add_func ("/encoders/priming-is-what-a-decoder-adds", test_priming_is_what_a_decoder_adds);
  g_test_add_func ("/encoders/the-list-tells-why", test_the_list_tells_why);
  g_test_add_func (
      "/encoders/capabilities-name-what-is-missing", test_capabilities_name_what_is_missing);
  g_test_add_func ("/encoders/an-unknown-codec-is-refused", test_an_unknown_codec_is_refused);
  return g_test_run ();
}
