/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gst/app/gstappsrc.h>
#include <gst/check/gstharness.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mp4support.h"

#define PRIMING_AVENC 1024
#define PRIMING_VOAAC 1600
#define MUX "mp4mux name=mux"

/* Where bursts are: at the first sample, off every packet boundary, and near the end. */
static const gsize burst_places[] = { 0, 5000, 17321, 30000 };

typedef struct {
  gint fps_n, fps_d;
  guint frames; /* 0 = no video */
  guint bframes;
  guint rate;
  gsize samples; /* 0 with has_audio = an audio stream that ends at once */
  gboolean has_audio;
  const gchar *encoder;
  const gchar *pattern; /* NULL = one that is coded with few bytes */
  gsize padding;        /* samples of silence after the end, given to the encoder */
  const gchar *mux;
  const gchar *layout; /* NULL = mp4mux alone */
} Movie;

static gsize
samples_of (gint fps_n, gint fps_d, guint frames, guint rate)
{
  return gst_util_uint64_scale_round (frames, (guint64) fps_d * rate, (guint64) fps_n);
}

static gsize
burst_place (gsize i, gsize samples)
{
  return i + 1 == G_N_ELEMENTS (burst_places) ? samples - 900 : burst_places[i];
}

static void
feed_audio (GstElement *source, const Movie *movie)
{
  gsize total = movie->samples + movie->padding;
  gfloat *samples = g_new0 (gfloat, MAX (total, 1));
  GstBuffer *buffer;

  for (gsize i = 0; i < G_N_ELEMENTS (burst_places); i++) {
    if (movie->samples > 40000)
      add_burst (samples, movie->samples, burst_place (i, movie->samples), (guint) i);
  }
  if (total > 0) {
    buffer = gst_buffer_new_wrapped (samples, total * sizeof (gfloat));
    GST_BUFFER_PTS (buffer) = 0;
    GST_BUFFER_DURATION (buffer) = gst_util_uint64_scale (total, GST_SECOND, movie->rate);
    g_assert_cmpint (gst_app_src_push_buffer (GST_APP_SRC (source), buffer), ==, GST_FLOW_OK);
  } else {
    g_free (samples);
  }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
}

static GstElement *
movie_pipeline (const Movie *movie, const gchar *sink)
{
  g_autoptr (GString) launch = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  g_string_append_printf (launch, "%s ! ", movie->mux != NULL ? movie->mux : MUX);
  if (movie->layout != NULL)
    g_string_append_printf (launch, "mp4layout name=layout %s ! ", movie->layout);
  g_string_append_printf (launch, "%s ", sink);
  if (movie->frames > 0)
    g_string_append_printf (launch,
        "videotestsrc num-buffers=%u pattern=%s ! video/x-raw,format=I420,width=96,height=80,"
        "framerate=%d/%d ! x264enc speed-preset=superfast bframes=%u b-adapt=false key-int-max=40 "
        "threads=1 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! mux. ",
        movie->frames, movie->pattern != NULL ? movie->pattern : "ball", movie->fps_n, movie->fps_d,
        movie->bframes);
  if (movie->has_audio)
    g_string_append_printf (launch,
        "appsrc name=audio format=time max-bytes=0 "
        "caps=audio/x-raw,format=F32LE,layout=interleaved,"
        "channels=1,rate=%u ! audioconvert ! %s ! queue max-size-time=0 max-size-bytes=0 "
        "max-size-buffers=0 ! mux. ",
        movie->rate, movie->encoder != NULL ? movie->encoder : "avenc_aac");
  pipeline = gst_parse_launch (launch->str, &error);
  g_assert_no_error (error);
  if (movie->has_audio) {
    g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "audio");
    feed_audio (source, movie);
  }
  return pipeline;
}

static gchar *
write_movie (const Movie *movie, const gchar *folder, const gchar *name, RunOutcome *outcome)
{
  gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *sink = g_strdup_printf ("filesink location=%s", path);

  run_pipeline (movie_pipeline (movie, sink), outcome);
  return path;
}

/* ---- what must hold for every file ---- */

static void
check_video (const gchar *path, JsonObject *probe, const Movie *movie)
{
  JsonObject *stream = probed_stream (probe, "video");
  g_autoptr (GArray) times = packet_times (path, "v:0");
  gint base_n, base_d;
  gint64 frame_ticks;

  g_assert_nonnull (stream);
  g_assert_cmpint (
      sscanf (json_object_get_string_member (stream, "time_base"), "%d/%d", &base_n, &base_d), ==,
      2);
  g_assert_cmpint (base_n, ==, 1);
  g_assert_cmpint ((gint64) base_d * movie->fps_d % movie->fps_n, ==, 0);
  frame_ticks = (gint64) base_d * movie->fps_d / movie->fps_n;
  g_assert_cmpint (probed_int (stream, "start_pts"), ==, 0);
  g_assert_cmpint (probed_int (stream, "duration_ts"), ==, frame_ticks * movie->frames);
  g_assert_cmpint (probed_int (stream, "nb_frames"), ==, movie->frames);
  g_assert_cmpint (probed_int (stream, "nb_read_frames"), ==, movie->frames);
  g_assert_cmpuint (times->len, ==, movie->frames);
  for (guint i = 0; i < times->len; i++)
    g_assert_cmpint (g_array_index (times, gint64, i), ==, frame_ticks * i);
}

static void
check_audio (const gchar *path, JsonObject *probe, const Movie *movie)
{
  JsonObject *stream = probed_stream (probe, "audio");
  g_autofree gchar *base = g_strdup_printf ("1/%u", movie->rate);
  g_autoptr (GArray) heard = decode_audio (path);

  g_assert_nonnull (stream);
  g_assert_cmpstr (json_object_get_string_member (stream, "time_base"), ==, base);
  g_assert_cmpint (probed_int (stream, "start_pts"), ==, 0);
  g_assert_cmpint (probed_int (stream, "duration_ts"), ==, (gint64) movie->samples);
  g_assert_cmpuint (heard->len, >=, movie->samples);
  g_assert_cmpuint (heard->len, <=, movie->samples + 1023);
  for (gsize i = 0; movie->samples > 40000 && i < G_N_ELEMENTS (burst_places); i++)
    g_assert_cmpint (
        burst_lag ((gfloat *) heard->data, heard->len, burst_place (i, movie->samples), (guint) i),
        ==, 0);
}

static GstPadProbeReturn
count_cb (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  guint64 *counted = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (counted[0] == 0) {
    g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
    const GstSegment *segment;

    gst_event_parse_segment (event, &segment);
    counted[1] = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  }
  counted[0] += gst_buffer_get_size (buffer);
  counted[2]++;
  return GST_PAD_PROBE_OK;
}

/* GStreamer's own demuxer and decoders give back what went in, from time 0. qtdemux 1.22 compares
 * media time with the movie's length and so loses what lies in the last packet after the priming,
 * in files of every muxer. */
static void
check_qtdemux (const gchar *path, const Movie *movie)
{
  g_autofree gchar *launch =
      g_strdup_printf ("filesrc location=%s ! decodebin name=d  d. ! audio/x-raw ! audioconvert ! "
                       "audio/x-raw,format=S16LE,channels=1 ! fakesink name=a sync=false  d. ! "
                       "video/x-raw ! fakesink name=v "
                       "sync=false",
          path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  guint64 audio[3] = { 0 }, video[3] = { 0 };
  g_auto (RunOutcome) outcome = { 0 };
  const struct {
    const gchar *name;
    guint64 *counted;
  } sinks[] = { { "a", audio }, { "v", video } };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), sinks[i].name);
    g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_cb, sinks[i].counted, NULL);
  }
  run_pipeline (pipeline, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (video[2], ==, movie->frames);
  g_assert_cmpuint (video[1], ==, 0);
  g_assert_cmpuint (audio[0] / 2, <=, movie->samples);
  g_assert_cmpuint (audio[0] / 2, >, movie->samples - PRIMING_AVENC);
  g_assert_cmpuint (audio[1], ==, 0);
}

static void
check_movie (const gchar *path, const Movie *movie)
{
  g_autoptr (GBytes) file = file_bytes (path);
  g_autoptr (JsonObject) probe = ffprobe (path, TRUE);
  TestBox moov, mdat;

  check_structure (file);
  g_assert_true (box_find (file, "moov", &moov));
  g_assert_true (box_find (file, "mdat", &mdat));
  g_assert_cmpuint (moov.offset, <, mdat.offset);
  if (movie->frames > 0)
    check_video (path, probe, movie);
  else
    g_assert_null (probed_stream (probe, "video"));
  if (movie->has_audio && movie->samples > 0)
    check_audio (path, probe, movie);
  else
    g_assert_null (probed_stream (probe, "audio"));
}

static void
check_clean (const RunOutcome *outcome, const Movie *movie)
{
  g_assert_no_error (outcome->error);
  if (outcome->warnings->len > 0)
    g_error ("unexpected warning: %s", (gchar *) outcome->warnings->pdata[0]);
  g_assert_true (outcome_boolean (outcome, "moov-first"));
  g_assert_cmpuint (outcome_uint64 (outcome, "moved-bytes"), ==, 0);
  g_assert_cmpuint (outcome_uint64 (outcome, "video-frames"), ==, movie->frames);
  g_assert_cmpuint (outcome_uint64 (outcome, "audio-samples"), ==, movie->samples);
}

static void
check_same_media (const gchar *ours, const gchar *plain)
{
  g_autoptr (GBytes) our_file = file_bytes (ours);
  g_autoptr (GBytes) plain_file = file_bytes (plain);
  g_autoptr (GBytes) our_media = media_payload (our_file);
  g_autoptr (GBytes) plain_media = media_payload (plain_file);

  g_assert_true (g_bytes_equal (our_media, plain_media));
}

/* ---- exact times ---- */

static void
test_exact (gconstpointer data)
{
  Movie movie = *(const Movie *) data;
  gchar *folder = test_folder_new ();
  g_auto (RunOutcome) outcome = { 0 };
  g_auto (RunOutcome) plain_outcome = { 0 };
  g_autofree gchar *layout = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *plain = NULL;

  movie.has_audio = TRUE;
  movie.samples = samples_of (movie.fps_n, movie.fps_d, movie.frames, movie.rate);
  layout = g_strdup_printf (
      "video-frames=%u audio-samples=%" G_GSIZE_FORMAT, movie.frames, movie.samples);
  movie.layout = layout;
  path = write_movie (&movie, folder, "a.mp4", &outcome);
  check_clean (&outcome, &movie);
  g_assert_true (outcome_boolean (&outcome, "on-frame-grid"));
  check_movie (path, &movie);
  check_qtdemux (path, &movie);
  if (movie.bframes > 0) {
    g_autoptr (GBytes) file = file_bytes (path);
    TestBox box;
    g_assert_true (box_find (file, "moov/trak/mdia/minf/stbl/ctts", &box));
  }

  movie.layout = NULL;
  plain = write_movie (&movie, folder, "plain.mp4", &plain_outcome);
  check_same_media (path, plain);
  test_folder_remove (folder);
}

static void
test_streams (gconstpointer data)
{
  const Movie *movie = data;
  gchar *folder = test_folder_new ();
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = write_movie (movie, folder, "a.mp4", &outcome);

  check_clean (&outcome, movie);
  check_movie (path, movie);
  test_folder_remove (folder);
}

/* Every length around the edge of a packet. */
static void
test_lengths (void)
{
  static const gsize lengths[] = { 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 3072 };
  gchar *folder = test_folder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree gchar *layout = g_strdup_printf ("audio-samples=%" G_GSIZE_FORMAT, lengths[i]);
    const Movie movie = {
      .has_audio = TRUE, .rate = 48000, .samples = lengths[i], .layout = layout
    };
    g_auto (RunOutcome) outcome = { 0 };
    g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);

    check_clean (&outcome, &movie);
    check_movie (path, &movie);
  }
  test_folder_remove (folder);
}

/* A sample description has 16 bits for the rate: it says that one or, where it is too large, 0. */
static void
test_described_rate (void)
{
  static const guint rates[] = { 8000, 48000, 64000, 88200, 96000 };
  gchar *folder = test_folder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    const Movie movie = {
      .has_audio = TRUE, .rate = rates[i], .samples = 50000, .layout = "audio-samples=50000"
    };
    g_auto (RunOutcome) outcome = { 0 };
    g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);
    g_autoptr (GBytes) file = file_bytes (path);
    TestBox stsd;

    check_clean (&outcome, &movie);
    check_movie (path, &movie);
    g_assert_true (box_find (file, "moov/trak/mdia/minf/stbl/stsd", &stsd));
    g_assert_cmpuint (test_get_uint32 ((const guint8 *) g_bytes_get_data (file, NULL) + stsd.offset
                                       + stsd.header + 8 + 8 + 24),
        ==, rates[i] > G_MAXUINT16 ? 0 : rates[i] << 16);
  }
  test_folder_remove (folder);
}

/* More sound than is wanted is cut to the sample, whole packets of it included. */
static void
test_cuts_surplus (void)
{
  gchar *folder = test_folder_new ();
  const Movie movie = { .has_audio = TRUE,
    .rate = 44100,
    .samples = 44100,
    .padding = 5000,
    .frames = 25,
    .fps_n = 25,
    .fps_d = 1,
    .layout = "video-frames=25 audio-samples=44100" };
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);

  check_clean (&outcome, &movie);
  check_movie (path, &movie);
  test_folder_remove (folder);
}

static void
test_voaacenc (void)
{
  gchar *folder = test_folder_new ();
  const Movie movie = { .has_audio = TRUE,
    .rate = 48000,
    .samples = 50001,
    .padding = PRIMING_VOAAC + 1024,
    .encoder = "voaacenc",
    .layout = "audio-samples=50001" };
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);

  check_clean (&outcome, &movie);
  check_movie (path, &movie);
  test_folder_remove (folder);
}

/* Without a length given, all that was encoded is presented, from the first real sample on. */
static void
test_without_length (void)
{
  gchar *folder = test_folder_new ();
  Movie movie = { .has_audio = TRUE, .rate = 48000, .samples = 50000, .layout = "" };
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);
  g_autoptr (GArray) heard = decode_audio (path);

  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome_uint64 (&outcome, "audio-samples"), >=, 50000);
  g_assert_cmpuint (outcome_uint64 (&outcome, "audio-samples"), <, 50000 + 1024);
  for (gsize i = 0; i < G_N_ELEMENTS (burst_places); i++)
    g_assert_cmpint (
        burst_lag ((gfloat *) heard->data, heard->len, burst_place (i, 50000), (guint) i), ==, 0);
  test_folder_remove (folder);
}

static void
test_says_what_is_missing (void)
{
  gchar *folder = test_folder_new ();
  const Movie movie = { .has_audio = TRUE,
    .rate = 48000,
    .samples = 40000,
    .frames = 20,
    .fps_n = 25,
    .fps_d = 1,
    .layout = "audio-samples=60000 video-frames=25" };
  g_auto (RunOutcome) outcome = { 0 };
  G_GNUC_UNUSED g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);

  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.warnings->len, ==, 2);
  g_assert_nonnull (strstr (outcome.warnings->pdata[0], "samples short of 60000"));
  g_assert_nonnull (strstr (outcome.warnings->pdata[1], "20 frames where 25"));
  g_assert_cmpuint (outcome_uint64 (&outcome, "video-frames"), ==, 20);
  test_folder_remove (folder);
}

/* ---- where the header goes ---- */

static const Movie small = { .has_audio = TRUE,
  .rate = 48000,
  .samples = 96000,
  .frames = 60,
  .fps_n = 30,
  .fps_d = 1,
  .bframes = 2 };

/* A rest of 1 to 7 bytes cannot be a box of its own. */
static void
test_every_rest (void)
{
  gchar *folder = test_folder_new ();
  Movie movie = small;
  g_auto (RunOutcome) first = { 0 };
  g_autofree gchar *first_path = NULL;
  guint64 moov_bytes;

  movie.layout = "video-frames=60 audio-samples=96000";
  first_path = write_movie (&movie, folder, "a.mp4", &first);
  moov_bytes = outcome_uint64 (&first, "moov-bytes");
  for (guint64 room = moov_bytes; room < moov_bytes + 20; room++) {
    g_autofree gchar *layout = g_strdup_printf (
        "audio-samples=96000 video-frames=60 reserve-bytes=%" G_GUINT64_FORMAT, room);
    g_auto (RunOutcome) outcome = { 0 };
    g_autofree gchar *path = NULL;
    g_autoptr (GBytes) file = NULL;

    movie.layout = layout;
    path = write_movie (&movie, folder, "b.mp4", &outcome);
    check_clean (&outcome, &movie);
    file = file_bytes (path);
    check_structure (file);
    check_same_media (path, first_path);
    if (room - moov_bytes < 9)
      check_movie (path, &movie);
  }
  test_folder_remove (folder);
}

/* Too little room: the first chunks move behind the rest, and everything still is in its place. */
static void
test_makes_room (void)
{
  static const guint rooms[] = { 8, 100, 1500, 2400 };
  gchar *folder = test_folder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rooms); i++) {
    g_autofree gchar *layout =
        g_strdup_printf ("audio-samples=96000 video-frames=60 reserve-bytes=%u", rooms[i]);
    Movie movie = small;
    g_auto (RunOutcome) outcome = { 0 };
    g_autofree gchar *path = NULL;

    movie.layout = layout;
    path = write_movie (&movie, folder, "a.mp4", &outcome);
    g_assert_no_error (outcome.error);
    g_assert_cmpuint (outcome.warnings->len, ==, 0);
    g_assert_true (outcome_boolean (&outcome, "moov-first"));
    g_assert_cmpuint (outcome_uint64 (&outcome, "moved-bytes"), >, 0);
    check_movie (path, &movie);
    check_qtdemux (path, &movie);
  }
  test_folder_remove (folder);
}

/* A single track is a single chunk, which is not moved: the header goes last and a warning says so.
 */
static void
test_header_last_when_nothing_else_helps (void)
{
  gchar *folder = test_folder_new ();
  const Movie movie = { .frames = 150,
    .fps_n = 25,
    .fps_d = 1,
    .pattern = "snow",
    .layout = "video-frames=150 reserve-bytes=8" };
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = write_movie (&movie, folder, "a.mp4", &outcome);
  g_autoptr (GBytes) file = file_bytes (path);
  g_autoptr (JsonObject) probe = ffprobe (path, TRUE);

  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.warnings->len, ==, 1);
  g_assert_nonnull (strstr (outcome.warnings->pdata[0], "at the end of the file"));
  g_assert_false (outcome_boolean (&outcome, "moov-first"));
  g_assert_cmpuint (outcome_uint64 (&outcome, "media-bytes"), >, 600 * 1000);
  check_structure (file);
  check_video (path, probe, &movie);
  test_folder_remove (folder);
}

static void
test_faststart (void)
{
  gchar *folder = test_folder_new ();
  Movie movie = small;
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = NULL;

  movie.mux = "mp4mux name=mux faststart=true";
  movie.layout = "video-frames=60 audio-samples=96000";
  path = write_movie (&movie, folder, "a.mp4", &outcome);
  check_clean (&outcome, &movie);
  check_movie (path, &movie);
  check_qtdemux (path, &movie);
  test_folder_remove (folder);
}

static void
test_downstream_that_cannot_seek (void)
{
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);
  Movie movie = small;
  g_auto (RunOutcome) outcome = { 0 };
  g_autoptr (TestSparseSink) sink = gst_object_ref_sink (test_sparse_sink_new (FALSE, G_MAXSIZE));
  g_autoptr (GstElement) layout = NULL;
  g_autoptr (JsonObject) probe = NULL;
  GstElement *pipeline;

  movie.layout = "video-frames=60 audio-samples=96000";
  pipeline = movie_pipeline (&movie, "identity name=last");
  layout = gst_bin_get_by_name (GST_BIN (pipeline), "last");
  gst_bin_add (GST_BIN (pipeline), GST_ELEMENT (sink));
  g_assert_true (gst_element_link (layout, GST_ELEMENT (sink)));
  run_pipeline (pipeline, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.warnings->len, ==, 1);
  g_assert_nonnull (strstr (outcome.warnings->pdata[0], "cannot seek"));
  test_sparse_sink_save (sink, path);
  probe = ffprobe (path, TRUE);
  check_video (path, probe, &movie);
  check_audio (path, probe, &movie);
  test_folder_remove (folder);
}

/* ---- what is not laid out ---- */

static void
test_passes_through (gconstpointer data)
{
  gchar *folder = test_folder_new ();
  Movie movie = small;
  g_auto (RunOutcome) outcome = { 0 };
  g_auto (RunOutcome) plain_outcome = { 0 };
  g_autofree gchar *path = NULL;
  g_autofree gchar *plain = NULL;
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) plain_file = NULL;

  movie.mux = data;
  movie.layout = "";
  path = write_movie (&movie, folder, "a.mp4", &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.warnings->len, ==, 1);
  g_assert_nonnull (strstr (outcome.warnings->pdata[0], "unchanged"));
  movie.layout = NULL;
  plain = write_movie (&movie, folder, "plain.mp4", &plain_outcome);
  file = file_bytes (path);
  plain_file = file_bytes (plain);
  /* All but the dates in it. */
  g_assert_cmpuint (g_bytes_get_size (file), ==, g_bytes_get_size (plain_file));
  test_folder_remove (folder);
}

static void
test_refuses_fragments_that_end_whole (void)
{
  gchar *folder = test_folder_new ();
  Movie movie = small;
  g_auto (RunOutcome) outcome = { 0 };
  g_autofree gchar *path = NULL;

  movie.mux = "mp4mux name=mux fragment-duration=500 fragment-mode=first-moov-then-finalise";
  movie.layout = "";
  path = write_movie (&movie, folder, "a.mp4", &outcome);
  g_assert_error (outcome.error, GST_STREAM_ERROR, GST_STREAM_ERROR_MUX);
  g_assert_nonnull (strstr (outcome.error->message, "fragment-duration=0"));
  test_folder_remove (folder);
}

/* ---- life cycle ---- */

static void
test_can_be_used_again (void)
{
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);
  g_autofree gchar *sink = g_strdup_printf ("filesink location=%s", path);
  Movie movie = { .frames = 25, .fps_n = 25, .fps_d = 1, .layout = "video-frames=25" };
  GstElement *pipeline = movie_pipeline (&movie, sink);
  g_auto (RunOutcome) outcome = { 0 };

  /* Stopped in the middle, wherever that is. */
  for (guint i = 0; i < 5; i++) {
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    gst_element_get_state (pipeline, NULL, NULL, i * 2 * GST_MSECOND);
    gst_element_set_state (pipeline, GST_STATE_READY);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  run_pipeline (pipeline, &outcome);
  check_clean (&outcome, &movie);
  check_movie (path, &movie);
  test_folder_remove (folder);
}

static void
test_end_of_stream_comes_last (void)
{
  Movie movie = small;
  g_auto (RunOutcome) outcome = { 0 };
  g_autoptr (TestSparseSink) sink = gst_object_ref_sink (test_sparse_sink_new (TRUE, 0));
  g_autoptr (GstElement) last = NULL;
  GstElement *pipeline;

  movie.layout = "video-frames=60 audio-samples=96000";
  pipeline = movie_pipeline (&movie, "identity name=last");
  last = gst_bin_get_by_name (GST_BIN (pipeline), "last");
  gst_bin_add (GST_BIN (pipeline), GST_ELEMENT (sink));
  g_assert_true (gst_element_link (last, GST_ELEMENT (sink)));
  run_pipeline (pipeline, &outcome);
  check_clean (&outcome, &movie);
  g_assert_false (test_sparse_sink_wrote_after_eos (sink));
  /* The room and the media data are written once; what is written twice is the header. */
  g_assert_cmpuint (test_sparse_sink_bytes_written (sink), <,
      outcome_uint64 (&outcome, "media-bytes") + outcome_uint64 (&outcome, "reserve-bytes")
          + outcome_uint64 (&outcome, "moov-bytes") + 128);
}

int
main (int argc, char *argv[])
{
  gint result;
  static const struct {
    const gchar *name;
    Movie movie;
  } exact[] = {
#define RATE(n, d, rate_, b)                                                                       \
  {                                                                                                \
    "/mp4layout/exact/" #n "-" #d "/" #rate_ "/b" #b,                                              \
    {                                                                                              \
      .fps_n = n, .fps_d = d, .frames = 47, .rate = rate_, .bframes = b                            \
    }                                                                                              \
  }
    RATE (24000, 1001, 48000, 0),
    RATE (24000, 1001, 44100, 3),
    RATE (24, 1, 44100, 2),
    RATE (25, 1, 48000, 2),
    RATE (25, 1, 44100, 16),
    RATE (30, 1, 48000, 3),
    RATE (30, 1, 44100, 0),
    RATE (60, 1, 48000, 2),
    RATE (60, 1, 44100, 3),
    RATE (60000, 1001, 44100, 2),
    RATE (30000, 1001, 48000, 16),
    RATE (30000, 1001, 44100, 2),
    RATE (2997, 100, 44100, 3),
    RATE (100, 3, 48000, 2),
    RATE (15, 2, 48000, 0),
    RATE (8, 1, 22050, 2),
    RATE (25, 1, 8000, 0),
    RATE (30, 1, 64000, 0),
    RATE (30, 1, 88200, 2),
    RATE (30000, 1001, 96000, 0),
#undef RATE
  };
  static const Movie video_only = {
    .frames = 31, .fps_n = 30, .fps_d = 1, .bframes = 2, .layout = "video-frames=31"
  };
  static const Movie audio_only = {
    .has_audio = TRUE, .rate = 44100, .samples = 55555, .layout = "audio-samples=55555"
  };
  static const Movie empty_audio = {
    .has_audio = TRUE, .rate = 48000, .frames = 30, .fps_n = 30, .fps_d = 1, .layout = ""
  };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (exact); i++)
    g_test_add_data_func (exact[i].name, &exact[i].movie, test_exact);
  g_test_add_data_func ("/mp4layout/streams/video-only", &video_only, test_streams);
  g_test_add_data_func ("/mp4layout/streams/audio-only", &audio_only, test_streams);
  g_test_add_data_func ("/mp4layout/streams/audio-without-samples", &empty_audio, test_streams);
  g_test_add_func ("/mp4layout/audio/lengths", test_lengths);
  g_test_add_func ("/mp4layout/audio/described-rate", test_described_rate);
  g_test_add_func ("/mp4layout/audio/cuts-surplus", test_cuts_surplus);
  g_test_add_func ("/mp4layout/audio/voaacenc", test_voaacenc);
  g_test_add_func ("/mp4layout/audio/without-length", test_without_length);
  g_test_add_func ("/mp4layout/says-what-is-missing", test_says_what_is_missing);
  g_test_add_func ("/mp4layout/room/every-rest", test_every_rest);
  g_test_add_func ("/mp4layout/room/made-by-moving-chunks", test_makes_room);
  g_test_add_func ("/mp4layout/room/header-last", test_header_last_when_nothing_else_helps);
  g_test_add_func ("/mp4layout/faststart", test_faststart);
  g_test_add_func ("/mp4layout/downstream-that-cannot-seek", test_downstream_that_cannot_seek);
  g_test_add_data_func (
      "/mp4layout/passes/fragments", "mp4mux name=mux fragment-duration=500", test_passes_through);
  g_test_add_data_func ("/mp4layout/passes/streamable-fragments",
      "mp4mux name=mux fragment-duration=500 streamable=true", test_passes_through);
  g_test_add_data_func ("/mp4layout/passes/robust-recording",
      "mp4mux name=mux reserved-max-duration=60000000000 reserved-moov-update-period=200000000",
      test_passes_through);
  g_test_add_func (
      "/mp4layout/refuses/first-moov-then-finalise", test_refuses_fragments_that_end_whole);
  g_test_add_func ("/mp4layout/life/used-again", test_can_be_used_again);
  g_test_add_func ("/mp4layout/life/end-of-stream-last", test_end_of_stream_comes_last);
  result = g_test_run ();
  /* So that the leak tracer reports. */
  gst_deinit ();
  return result;
}
