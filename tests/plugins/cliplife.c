/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How clipsequence lives: damaged clips, bad documents, on its own in a pipeline, and stopped. */
#include <gst/base/gstbasesrc.h>
#include <gst/base/gstpushsrc.h>
#include <gst/check/check.h>
#include <glib/gstdio.h>
#include <string.h>

#include "../support/patience.h"
#include "clipmedia.h"

/* ---- damage ---- */

static void
cut_file (const gchar *from, const gchar *to, guint percent)
{
  g_autofree gchar *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (from, &content, &length, NULL));
  g_assert_true (g_file_set_contents (to, content, (gssize) (length * percent / 100), NULL));
}

static void
assert_fails (const gchar *path, GQuark domain, gint code)
{
  g_autoptr (ClipRun) failed = NULL, filled = NULL, skipped = NULL;
  GString *json = clip_json_begin (25, 1);
  const gchar *uri;
  guint index;

  clip_json_add (json, path, 0, 150, NULL);
  failed = clip_json_run (json, 1);
  g_test_message ("%s: %s", path, failed->error != NULL ? failed->error->message : "no error");
  g_assert_error (failed->error, domain, code);
  g_assert_nonnull (failed->details);
  g_assert_cmpstr (gst_structure_get_string (failed->details, "pointer"), ==, "/timeline/clips/7");
  uri = gst_structure_get_string (failed->details, "uri");
  g_assert_true (g_str_has_prefix (uri, "file:///") && g_str_has_suffix (uri, path));
  g_assert_true (gst_structure_get_uint (failed->details, "clip", &index));
  g_assert_cmpuint (index, ==, 0);
  g_assert_nonnull (gst_structure_get_string (failed->details, "stream"));

  json = clip_json_begin (25, 1);
  clip_json_add (json, path, 0, 150, "\"on_error\":\"background\"");
  filled = clip_json_run (json, 1);
  clip_run_assert_whole (filled, 150, 25, 1);
  g_assert_cmpuint (filled->n_warnings, ==, 1);
  g_assert_cmpint (clip_run_number_at (filled, 149), ==, CLIP_NO_NUMBER);

  json = clip_json_begin (25, 1);
  clip_json_add (json, path, 0, 150, "\"on_error\":\"skip\"");
  skipped = clip_json_run (json, 1);
  clip_run_assert_whole (skipped, 150, 25, 1);
  g_assert_cmpuint (skipped->n_warnings, ==, 1);
}

static void
test_damage (void)
{
  g_autofree gchar *good = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *front = clip_media_path ("front.mp4");
  g_autofree gchar *mkv = clip_media_path ("whole.mkv");
  g_autofree gchar *missing = clip_media_path ("missing.mp4");
  g_autofree gchar *text = clip_media_path ("text.mp4");
  g_autofree gchar *empty = clip_media_path ("empty.mp4");
  g_autofree gchar *cut_front = clip_media_path ("cut-front.mp4");
  g_autofree gchar *cut_end = clip_media_path ("cut-end.mp4");
  g_autofree gchar *cut_mkv = clip_media_path ("cut.mkv");
  g_autoptr (GString) words = g_string_new (NULL);
  g_autoptr (ClipRun) run = NULL;
  GString *json = clip_json_begin (25, 1);

  clip_media_ffmpeg ("-i %s -c copy -movflags faststart %s", good, front);
  clip_media_ffmpeg ("-i %s -c copy %s", good, mkv);
  cut_file (front, cut_front, 60);
  cut_file (good, cut_end, 60);
  cut_file (mkv, cut_mkv, 60);
  while (words->len < 4096)
    g_string_append (words, "This is no video.\n");
  g_file_set_contents (text, words->str, -1, NULL);
  g_file_set_contents (empty, "", 0, NULL);

  assert_fails (missing, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  assert_fails (text, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE);
  assert_fails (empty, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND);
  assert_fails (cut_front, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);
  assert_fails (cut_end, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);
  assert_fails (cut_mkv, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);

  /* what is there of a file that was cut can be used */
  clip_json_add (json, cut_front, 0, 50, NULL);
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 50, 25, 1);
  g_assert_cmpint (clip_run_number_at (run, 49), ==, 49);
}

static void
test_bad_documents (void)
{
  static const gchar *const documents[] = {
    "",
    "[]",
    "{",
    "{}",
    "{\"clips\":[]}",
    "{\"clips\":[{}]}",
    "{\"clips\":[3]}",
    "{\"clips\":[{\"uri\":7}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"frames\":0}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"frames\":1e300}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"fit\":\"fat\"}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"in\":3,\"out\":2}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"in\":-1}]}",
    "{\"fps\":[0,1],\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"fps\":[30],\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"width\":99999999,\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"background\":\"red\",\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"clips\":[{\"uri\":\"nothing://here\",\"frames\":3}]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autoptr (ClipRun) run = clip_run (documents[i], 1);
    g_test_message ("%s: %s", documents[i], run->error != NULL ? run->error->message : "no error");
    g_assert_nonnull (run->error);
    g_assert_false (run->eos);
  }
}

/* ---- standing alone ---- */

static void
test_defaults (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *clips = g_strdup_printf (
      "{\"clips\":[{\"uri\":\"%s\"},{\"uri\":\"%s\",\"in\":1,\"out\":2.02}]}", path, path);
  g_autoptr (ClipRun) run = clip_run (clips, 1);

  /* the size and rate of the first clip, all of it, and what was asked of the second */
  g_assert_no_error (run->error);
  g_assert_cmpint (clip_run_number_at (run, 149), ==, 149);
  g_assert_cmpint (clip_run_number_at (run, run->numbers->len - 1), ==, 50);
  g_assert_cmpuint (run->numbers->len, >=, 175);
  g_assert_cmpuint (run->numbers->len, <=, 178);
}

/* Paths in a document start where the document is. */
static void
test_location (void)
{
  G_GNUC_UNUSED g_autofree gchar *clip =
      clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *document = clip_media_path ("clips.json");
  g_autofree gchar *here = g_get_current_dir ();
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_assert_true (
      g_file_set_contents (document, "{\"clips\":[{\"uri\":\"25.mp4\",\"frames\":5}]}", -1, NULL));
  g_assert_cmpint (g_chdir (clip_media_dir ()), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = NULL;

    /* as a whole path, and from the current folder */
    g_object_set (sequence, "location", i == 0 ? document : "clips.json", NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
        bus, patience_us (30) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
  g_assert_cmpint (g_chdir (here), ==, 0);
}

static void
test_queries (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  GString *json = clip_json_begin (25, 1);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink name=v c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sequence, "video");
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 duration = 0, position = -1;
  gboolean seekable = TRUE;

  clip_json_add (json, path, 0, 33, NULL);
  clip_json_add (json, path, 0, 44, NULL);
  g_string_append (json, "]}");
  g_object_set (sequence, "clips", json->str, NULL);
  g_string_free (json, TRUE);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_ASYNC);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, patience_us (20) * GST_USECOND), ==,
      GST_STATE_CHANGE_SUCCESS);
  g_assert_true (gst_pad_query_duration (pad, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, 77 * 40 * (gint64) GST_MSECOND);
  g_assert_true (gst_pad_query_position (pad, GST_FORMAT_TIME, &position));
  g_assert_cmpint (position, >=, 0);
  g_assert_true (gst_pad_query (pad, seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  g_assert_false (seekable);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
pull_all (GstElement *pipeline, const gchar *name, GstClockTime *begin, guint64 *bytes)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstSample *sample = NULL;

  *begin = GST_CLOCK_TIME_NONE;
  *bytes = 0;
  for (g_signal_emit_by_name (sink, "pull-sample", &sample); sample != NULL;
       g_signal_emit_by_name (sink, "pull-sample", &sample)) {
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    const GstSegment *segment = gst_sample_get_segment (sample);
    GstClockTime pts = GST_BUFFER_PTS (buffer);

    if (*begin == GST_CLOCK_TIME_NONE) {
      *begin = pts;
      g_assert_cmpuint (gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts), ==, 0);
    }
    g_assert_cmpuint (gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts), ==, pts);
    *bytes += gst_buffer_get_size (buffer);
    gst_sample_unref (sample);
  }
}

/* A sequence that begins at frame 7 of 29.97 has that frame's samples under it, not those of frame
 * 0: a frame has 1601 or 1602. */
static void
test_first_frame (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");

  for (guint64 first = 7; first < 12; first++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (
        "clipsequence name=c c.video ! appsink name=v c.audio ! appsink name=a", NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    g_autofree gchar *json = g_strdup_printf (
        "{\"width\":320,\"height\":240,\"fps\":[30000,1001],\"rate\":48000,\"channels\":2,"
        "\"first_frame\":%" G_GUINT64_FORMAT ",\"clips\":[{\"uri\":\"%s\",\"frames\":1}]}",
        first, path);
    guint64 bytes, from = clip_samples_of_frames (first, 30000, 1001);
    GstClockTime begin;

    g_object_set (sequence, "clips", json, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    pull_all (pipeline, "a", &begin, &bytes);
    g_assert_cmpuint (begin, ==, from * GST_SECOND / 48000);
    g_assert_cmpuint (bytes / 8, ==, clip_samples_of_frames (first + 1, 30000, 1001) - from);
    pull_all (pipeline, "v", &begin, &bytes);
    g_assert_cmpuint (begin, ==, first * GST_SECOND * 1001 / 30000);
    g_assert_cmpuint (bytes, ==, 320 * 240 * 3 / 2);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* Who is not listened to is not decoded for, and holds up nobody. */
static void
test_one_pad_only (void)
{
  static const gchar *const lines[] = { "clipsequence name=c c.video ! fakesink",
    "clipsequence name=c c.audio ! fakesink",
    "clipsequence name=c c.video ! identity eos-after=5 ! fakesink c.audio ! fakesink" };
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (lines[i], NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GstStructure) stats = NULL;
    guint64 decoded = 1;
    GString *json = clip_json_begin (25, 1);

    for (guint j = 0; j < 4; j++)
      clip_json_add (json, path, 0, 50, NULL);
    g_string_append (json, "]}");
    g_object_set (sequence, "clips", json->str, NULL);
    g_string_free (json, TRUE);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
        bus, patience_us (30) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    g_object_get (sequence, "stats", &stats, NULL);
    g_assert_true (gst_structure_get_uint64 (stats, "frames-decoded", &decoded));
    if (i == 1)
      g_assert_cmpuint (decoded, ==, 0);
    else
      g_assert_cmpuint (decoded, >, 0);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* ---- stopping and standing still ---- */

#define TEST_TYPE_STUCK_SRC (test_stuck_src_get_type ())
G_DECLARE_FINAL_TYPE (TestStuckSrc, test_stuck_src, TEST, STUCK_SRC, GstPushSrc)

struct _TestStuckSrc {
  GstPushSrc parent_instance;
  GMutex lock;
  GCond cond;
  gboolean flushing;
};

static GstURIType
stuck_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
stuck_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "stuck", NULL };
  return protocols;
}

static gchar *
stuck_get_uri (GstURIHandler *handler)
{
  return g_strdup ("stuck://here");
}

static gboolean
stuck_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  return TRUE;
}

static void
stuck_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = stuck_get_type;
  handler->get_protocols = stuck_get_protocols;
  handler->get_uri = stuck_get_uri;
  handler->set_uri = stuck_set_uri;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestStuckSrc, test_stuck_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, stuck_uri_handler_init))

static GstFlowReturn
test_stuck_src_create (GstPushSrc *src, GstBuffer **buffer)
{
  TestStuckSrc *self = TEST_STUCK_SRC (src);

  g_mutex_lock (&self->lock);
  while (!self->flushing)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_FLUSHING;
}

static gboolean
test_stuck_src_unlock (GstBaseSrc *src)
{
  TestStuckSrc *self = TEST_STUCK_SRC (src);

  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
test_stuck_src_finalize (GObject *object)
{
  TestStuckSrc *self = TEST_STUCK_SRC (object);

  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (test_stuck_src_parent_class)->finalize (object);
}

static void
test_stuck_src_init (TestStuckSrc *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

static void
test_stuck_src_class_init (TestStuckSrcClass *klass)
{
  static GstStaticPadTemplate template =
      GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

  G_OBJECT_CLASS (klass)->finalize = test_stuck_src_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &template);
  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "Stuck", "Source", "Never delivers", "Weft");
  GST_BASE_SRC_CLASS (klass)->unlock = test_stuck_src_unlock;
  GST_PUSH_SRC_CLASS (klass)->create = test_stuck_src_create;
}

static gchar *
await_waiting (GstElement *sequence)
{
  for (guint i = 0; i < 2000; i++) {
    gchar *waiting = NULL;
    g_object_get (sequence, "waiting", &waiting, NULL);
    if (waiting != NULL && strstr (waiting, "c:video") != NULL
        && strstr (waiting, "stuck://") != NULL)
      return waiting;
    g_free (waiting);
    g_usleep (5000);
  }
  return NULL;
}

/* A source that stops delivering is named, and does not keep the element from stopping. */
static void
test_stuck_source (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  GString *json = clip_json_begin (25, 1);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autofree gchar *waiting = NULL;
  gint64 begin;

  clip_json_add (json, path, 0, 10, NULL);
  clip_json_add (json, "stuck://here", 0, 10, NULL);
  clip_json_add (json, path, 0, 10, NULL);
  g_string_append (json, "]}");
  g_object_set (sequence, "clips", json->str, NULL);
  g_string_free (json, TRUE);
  g_object_get (sequence, "waiting", &waiting, NULL);
  g_assert_null (waiting);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  waiting = await_waiting (sequence);
  g_test_message ("%s", waiting);
  g_assert_nonnull (waiting);
  g_assert_nonnull (strstr (waiting, "/timeline/clips/7"));

  begin = g_get_monotonic_time ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (1));
}

/* Stopping is safe whatever is going on. */
static void
test_stop_any_time (void)
{
  g_autofree gchar *a = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *b =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, CLIP_X264 "-c:a pcm_s16le");
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 100; round++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (
        "clipsequence name=c c.video ! queue max-size-buffers=2 ! fakesink c.audio ! fakesink",
        NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    GString *json = clip_json_begin (30, 1);
    gint64 begin;

    for (guint i = 0; i < 30; i++)
      clip_json_add (json, i % 2 ? a : b, (i % 4) * 700 * GST_MSECOND, 1 + i % 9, NULL);
    g_string_append (json, "]}");
    g_object_set (sequence, "clips", json->str, "lookahead", round % 4, NULL);
    g_string_free (json, TRUE);
    gst_element_set_state (pipeline, round % 3 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    /* not waiting for anything: the moment is what is tried */
    g_usleep ((gulong) g_rand_int_range (random, 0, 120000));
    begin = g_get_monotonic_time ();
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (3));
    if (round % 10 == 0) {
      gst_element_set_state (pipeline, GST_STATE_PAUSED);
      gst_element_set_state (pipeline, GST_STATE_NULL);
    }
  }
}

int
main (int argc, char **argv)
{
  gint result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  if (!clip_media_have_ffmpeg ()) {
    g_print ("1..0 # SKIP ffmpeg and ffprobe are not installed\n");
    return 0;
  }
  gst_element_register (NULL, "stucksrc", GST_RANK_PRIMARY, TEST_TYPE_STUCK_SRC);

  g_test_add_func ("/cliplife/damage", test_damage);
  g_test_add_func ("/cliplife/bad-documents", test_bad_documents);
  g_test_add_func ("/cliplife/defaults", test_defaults);
  g_test_add_func ("/cliplife/location", test_location);
  g_test_add_func ("/cliplife/queries", test_queries);
  g_test_add_func ("/cliplife/first-frame", test_first_frame);
  g_test_add_func ("/cliplife/one-pad-only", test_one_pad_only);
  g_test_add_func ("/cliplife/stuck-source", test_stuck_source);
  g_test_add_func ("/cliplife/stop-any-time", test_stop_any_time);
  result = g_test_run ();
  clip_media_cleanup ();
  return result;
}
