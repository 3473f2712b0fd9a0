/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mp4layout with files too long or too large to be encoded in a test, and with input that no muxer
 * wrote. */

#include <gst/check/gstharness.h>
#include <glib/gstdio.h>
#include <string.h>

#include "mp4support.h"

#define HOURS_3_S (3 * 60 * 60)
#define AAC_PACKET 1024

/* Parameter sets of a 64x64 H.264 stream and of 48 kHz stereo AAC-LC: the muxer wants some, and
 * ffprobe reads them. */
#define AVC_CAPS                                                                                   \
  "video/x-h264,stream-format=avc,alignment=au,width=64,height=64,framerate=%d/1,"                 \
  "codec_data=(buffer)0142c00affe1001367"                                                          \
  "42c00ad9"                                                                                       \
  "0428b016e0200000030020000003001e30624e"                                                         \
  "01000468ce3c80"
#define AAC_CAPS                                                                                   \
  "audio/"                                                                                         \
  "mpeg,mpegversion=4,stream-format=raw,framed=true,rate=%u,channels=2,codec_data=(buffer)%s"

/* ---- muxing without encoders ---- */

typedef struct {
  guint fps;
  guint rate;
  guint64 frames;
  guint64 packets;
  gboolean
      reorder; /* each frame with another ctts and each a key frame: the largest header there is */
  gsize frame_bytes;
} Plan;

static GstPad *
link_pad (GstElement *mux, const gchar *name, const gchar *caps_text)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  GstPad *source = gst_pad_new (name, GST_PAD_SRC);
  g_autoptr (GstPad) sink = gst_element_request_pad_simple (mux, name);
  GstSegment segment;

  g_assert_nonnull (caps);
  g_assert_nonnull (sink);
  gst_pad_set_active (source, TRUE);
  g_assert_cmpint (gst_pad_link (source, sink), ==, GST_PAD_LINK_OK);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (source, gst_event_new_stream_start (name));
  gst_pad_push_event (source, gst_event_new_caps (caps));
  gst_pad_push_event (source, gst_event_new_segment (&segment));
  return source;
}

typedef struct {
  GstPad *pad;
  const Plan *plan;
  GstMemory *payload;
} Feeder;

static gpointer
feed_video (gpointer data)
{
  Feeder *feeder = data;
  const Plan *plan = feeder->plan;

  for (guint64 i = 0; i < plan->frames; i++) {
    GstBuffer *buffer = gst_buffer_new ();
    /* Pairs swap places: the offsets differ from frame to frame. */
    guint64 shown = !plan->reorder || i + 1 == plan->frames ? i : (i % 2 == 0 ? i + 1 : i - 1);

    if (plan->reorder && i % 2 == 1 && i + 1 == plan->frames)
      shown = i - 1;
    gst_buffer_append_memory (buffer, gst_memory_ref (feeder->payload));
    GST_BUFFER_DTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, plan->fps);
    GST_BUFFER_PTS (buffer) =
        gst_util_uint64_scale (plan->reorder ? shown + 1 : i, GST_SECOND, plan->fps);
    GST_BUFFER_DURATION (buffer) = GST_SECOND / plan->fps;
    if (gst_pad_push (feeder->pad, buffer) != GST_FLOW_OK)
      break;
  }
  gst_pad_push_event (feeder->pad, gst_event_new_eos ());
  return NULL;
}

static gpointer
feed_audio (gpointer data)
{
  Feeder *feeder = data;

  for (guint64 i = 0; i < feeder->plan->packets; i++) {
    GstBuffer *buffer = gst_buffer_new ();

    gst_buffer_append_memory (buffer, gst_memory_ref (feeder->payload));
    GST_BUFFER_PTS (buffer) =
        gst_util_uint64_scale (i * AAC_PACKET, GST_SECOND, feeder->plan->rate);
    GST_BUFFER_DURATION (buffer) =
        gst_util_uint64_scale (AAC_PACKET, GST_SECOND, feeder->plan->rate);
    if (gst_pad_push (feeder->pad, buffer) != GST_FLOW_OK)
      break;
  }
  gst_pad_push_event (feeder->pad, gst_event_new_eos ());
  return NULL;
}

/* Muxes the plan through mp4layout into a sink that keeps all but the media data. */
static TestSparseSink *
mux_plan (const Plan *plan, guint64 samples, gsize keep_bytes, RunOutcome *outcome)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *mux = gst_element_factory_make ("mp4mux", NULL);
  GstElement *layout = gst_element_factory_make ("mp4layout", NULL);
  TestSparseSink *sink = gst_object_ref_sink (test_sparse_sink_new (TRUE, keep_bytes));
  g_autofree gchar *video_caps = g_strdup_printf (AVC_CAPS, (gint) plan->fps);
  g_autofree gchar *audio_caps =
      g_strdup_printf (AAC_CAPS, plan->rate, plan->rate == 48000 ? "1190" : "1410");
  g_autoptr (GstMemory) frame = gst_allocator_alloc (NULL, plan->frame_bytes, NULL);
  g_autoptr (GstMemory) packet = gst_allocator_alloc (NULL, 4, NULL);
  g_autoptr (GstPad) video = NULL;
  g_autoptr (GstPad) audio = NULL;
  GstMapInfo map;
  Feeder feeders[2];
  GThread *threads[2];

  gst_memory_map (frame, &map, GST_MAP_WRITE);
  memset (map.data, 0, map.size);
  gst_memory_unmap (frame, &map);
  gst_memory_map (packet, &map, GST_MAP_WRITE);
  memset (map.data, 0, map.size);
  gst_memory_unmap (packet, &map);

  g_object_set (layout, "video-frames", plan->frames, "audio-samples", samples, "audio-priming",
      G_GINT64_CONSTANT (1024), NULL);
  gst_bin_add_many (GST_BIN (pipeline), mux, layout, GST_ELEMENT (sink), NULL);
  g_assert_true (gst_element_link_many (mux, layout, GST_ELEMENT (sink), NULL));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  video = link_pad (mux, "video_0", video_caps);
  audio = link_pad (mux, "audio_0", audio_caps);
  feeders[0] = (Feeder){ video, plan, frame };
  feeders[1] = (Feeder){ audio, plan, packet };
  threads[0] = g_thread_new ("video", feed_video, &feeders[0]);
  threads[1] = g_thread_new ("audio", feed_audio, &feeders[1]);
  gst_object_ref (sink);
  run_pipeline (pipeline, outcome);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  gst_object_unref (sink);
  return sink;
}

static void
check_header_first (const gchar *path, guint64 media_bytes)
{
  g_autoptr (GMappedFile) mapped = g_mapped_file_new (path, FALSE, NULL);
  g_autoptr (GBytes) file = g_mapped_file_get_bytes (mapped);
  TestBox moov, mdat;

  check_structure (file);
  g_assert_true (box_find (file, "moov", &moov));
  g_assert_true (box_find (file, "mdat", &mdat));
  g_assert_cmpuint (moov.offset, <, mdat.offset);
  g_assert_cmpuint (mdat.size - mdat.header, ==, media_bytes);
}

/* The first and the last chunk lie at the ends of the media data. */
static void
check_chunks (const gchar *path, const gchar *type, guint entry_bytes)
{
  g_autoptr (GMappedFile) mapped = g_mapped_file_new (path, FALSE, NULL);
  g_autoptr (GBytes) file = g_mapped_file_get_bytes (mapped);
  g_autofree gchar *table = g_strdup_printf ("moov/trak/mdia/minf/stbl/%s", type);
  const guint8 *data = g_bytes_get_data (file, NULL);
  TestBox box, mdat;
  guint64 previous = 0;
  guint32 count;

  g_assert_true (box_find (file, table, &box));
  g_assert_true (box_find (file, "mdat", &mdat));
  count = test_get_uint32 (data + box.offset + 12);
  g_assert_cmpuint (box.size, ==, 16 + (guint64) entry_bytes * count);
  for (guint32 i = 0; i < count; i++) {
    const guint8 *entry = data + box.offset + 16 + (guint64) entry_bytes * i;
    guint64 offset = entry_bytes == 8 ? test_get_uint64 (entry) : test_get_uint32 (entry);

    g_assert_cmpuint (offset, >=, mdat.offset + mdat.header);
    g_assert_cmpuint (offset, <, mdat.offset + mdat.size);
    g_assert_cmpuint (offset, >, previous);
    if (i == 0)
      g_assert_cmpuint (offset, ==, mdat.offset + mdat.header);
    previous = offset;
  }
}

/* ---- sizes ---- */

/* The room computed from frames and packets always suffices: here every frame is a key frame with
 * its own offset, which is more than any encoder makes. */
static void
test_room_suffices (void)
{
  static const struct {
    guint fps;
    guint seconds;
  } cases[] = { { 24, 1 }, { 30, 6 }, { 60, 6 }, { 25, 31 }, { 30, 60 }, { 60, 300 }, { 120, 60 } };
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    guint64 samples = cases[i].seconds * 48000;
    const Plan plan = { .rate = 48000,
      .fps = cases[i].fps,
      .frames = (guint64) cases[i].fps * cases[i].seconds,
      .packets = (samples + 1024) / AAC_PACKET + 1,
      .reorder = TRUE,
      .frame_bytes = 8 };
    g_auto (RunOutcome) outcome = { 0 };
    g_autoptr (TestSparseSink) sink = mux_plan (&plan, samples, G_MAXSIZE, &outcome);

    g_assert_no_error (outcome.error);
    g_assert_cmpuint (outcome.warnings->len, ==, 0);
    g_assert_true (outcome_boolean (&outcome, "moov-first"));
    g_assert_cmpuint (outcome_uint64 (&outcome, "moved-bytes"), ==, 0);
    g_test_message ("%u fps, %u s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes free",
        cases[i].fps, cases[i].seconds, outcome_uint64 (&outcome, "free-bytes"),
        outcome_uint64 (&outcome, "reserve-bytes"));
    test_sparse_sink_save (sink, path);
    check_header_first (path, outcome_uint64 (&outcome, "media-bytes"));
  }
  test_folder_remove (folder);
}

static void
test_three_hours (void)
{
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);
  guint64 samples = (guint64) HOURS_3_S * 16000 - 7;
  const Plan plan = { .rate = 16000,
    .fps = 10,
    .frames = 10 * HOURS_3_S,
    .packets = (samples + 1024) / AAC_PACKET + 1,
    .frame_bytes = 8 };
  g_auto (RunOutcome) outcome = { 0 };
  g_autoptr (TestSparseSink) sink = mux_plan (&plan, samples, G_MAXSIZE, &outcome);
  g_autoptr (JsonObject) probe = NULL;
  JsonObject *stream;

  g_assert_no_error (outcome.error);
  g_assert_true (outcome_boolean (&outcome, "moov-first"));
  g_assert_cmpuint (outcome_uint64 (&outcome, "moved-bytes"), ==, 0);
  test_sparse_sink_save (sink, path);
  check_header_first (path, outcome_uint64 (&outcome, "media-bytes"));
  check_chunks (path, "stco", 4);
  probe = ffprobe (path, FALSE);
  stream = probed_stream (probe, "audio");
  g_assert_cmpint (probed_int (stream, "duration_ts"), ==, (gint64) samples);
  g_assert_cmpint (probed_int (stream, "start_pts"), ==, 0);
  stream = probed_stream (probe, "video");
  g_assert_cmpint (probed_int (stream, "nb_frames"), ==, (gint64) plan.frames);
  g_assert_cmpint (probed_int (stream, "duration_ts"), ==, (gint64) plan.frames * 100);
  g_assert_cmpint (probed_int (stream, "start_pts"), ==, 0);
  test_folder_remove (folder);
}

/* 5 GB of media data that nobody stores: a 64-bit `mdat` and 64-bit chunk offsets. */
static void
test_over_four_gigabytes (void)
{
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);
  const Plan plan = {
    .rate = 48000, .fps = 10, .frames = 80, .packets = 376, .frame_bytes = 64 << 20
  };
  g_auto (RunOutcome) outcome = { 0 };
  g_autoptr (TestSparseSink) sink = mux_plan (&plan, 8 * 48000, 1 << 20, &outcome);
  guint64 media_bytes;

  g_assert_no_error (outcome.error);
  g_assert_true (outcome_boolean (&outcome, "moov-first"));
  media_bytes = outcome_uint64 (&outcome, "media-bytes");
  g_assert_cmpuint (media_bytes, ==, plan.frames * plan.frame_bytes + 376 * 4);
  g_assert_cmpuint (media_bytes, >, G_GUINT64_CONSTANT (5) << 30);
  test_sparse_sink_save (sink, path);
  check_header_first (path, media_bytes);
  check_chunks (path, "co64", 8);
  test_folder_remove (folder);
}

/* ---- input that no muxer wrote ---- */

typedef struct {
  GBytes *ftyp;
  GBytes *moov;
  GBytes *media;
} Parts;

/* A file of mp4mux alone, taken apart. */
static void
take_apart (Parts *parts)
{
  gchar *folder = test_folder_new ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);
  g_autofree gchar *launch =
      g_strdup_printf ("mp4mux name=m ! filesink location=%s  videotestsrc num-buffers=25 ! "
                       "video/x-raw,width=64,height=64 ! x264enc bframes=2 ! m.  audiotestsrc "
                       "num-buffers=40 ! avenc_aac ! m.",
          path);
  g_auto (RunOutcome) outcome = { 0 };
  g_autoptr (GBytes) file = NULL;
  TestBox box;

  run_pipeline (gst_parse_launch (launch, NULL), &outcome);
  g_assert_no_error (outcome.error);
  file = file_bytes (path);
  g_assert_true (box_find (file, "ftyp", &box));
  parts->ftyp = g_bytes_new_from_bytes (file, box.offset, box.size);
  g_assert_true (box_find (file, "moov", &box));
  parts->moov = g_bytes_new_from_bytes (file, box.offset, box.size);
  parts->media = media_payload (file);
  test_folder_remove (folder);
}

static void
parts_clear (Parts *parts)
{
  g_bytes_unref (parts->ftyp);
  g_bytes_unref (parts->moov);
  g_bytes_unref (parts->media);
}

static void
push_segment (GstHarness *h, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = start;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

static void
push_copy (GstHarness *h, const guint8 *data, gsize size)
{
  gst_harness_push (h, gst_buffer_new_memdup (data, size));
}

static GstHarness *
new_harness (void)
{
  GstHarness *h = gst_harness_new ("mp4layout");

  gst_harness_set_src_caps_str (h, "video/quicktime,variant=iso");
  g_object_set (h->element, "audio-samples", G_GUINT64_CONSTANT (30000), "audio-priming",
      G_GINT64_CONSTANT (1024), NULL);
  /* Not the harness's own time segment. */
  push_segment (h, 0);
  return h;
}

/* Pushes what mp4mux would have pushed, with another header. */
static void
push_file (GstHarness *h, const Parts *parts, const guint8 *moov, gsize moov_size)
{
  static const guint8 open_mdat[16] = { 0, 0, 0, 8, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 'm', 'd', 'a',
    't' };
  guint8 patch[16];
  gsize media_size, ftyp_size;
  const guint8 *media = g_bytes_get_data (parts->media, &media_size);
  const guint8 *ftyp = g_bytes_get_data (parts->ftyp, &ftyp_size);

  push_copy (h, ftyp, ftyp_size);
  push_copy (h, open_mdat, sizeof open_mdat);
  push_copy (h, media, media_size);
  push_copy (h, moov, moov_size);
  push_segment (h, ftyp_size);
  memcpy (patch, open_mdat, sizeof patch);
  test_put_uint32 (patch + 8, (guint32) media_size + 8);
  push_copy (h, patch, sizeof patch);
}

static gboolean
has_error (GstHarness *h, GstBus *bus)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GstMessage) second = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  g_assert_null (second);
  return message != NULL;
}

static void
test_harness_takes_a_good_file (void)
{
  Parts parts;
  GstHarness *h = new_harness ();
  gsize size;
  const guint8 *moov;

  take_apart (&parts);
  moov = g_bytes_get_data (parts.moov, &size);
  push_file (h, &parts, moov, size);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_harness_teardown (h);
  parts_clear (&parts);
}

/* Values that have hurt parsers before, at every place of the header. */
static void
test_malformed_headers (void)
{
  static const guint32 values[] = { 0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff7 };
  Parts parts;
  gsize size;
  const guint8 *original;
  guint laid_out = 0, refused = 0;

  take_apart (&parts);
  original = g_bytes_get_data (parts.moov, &size);
  for (gsize at = 16; at + 4 <= size; at += 4 + (gsize) g_test_rand_int_range (0, 5)) {
    guint32 value = values[g_test_rand_int_range (0, G_N_ELEMENTS (values))];
    g_autofree guint8 *moov = g_memdup2 (original, size);
    GstHarness *h = new_harness ();
    g_autoptr (GstBus) bus = gst_bus_new ();

    gst_element_set_bus (h->element, bus);
    test_put_uint32 (moov + at, value);
    if (g_test_rand_bit ())
      moov[(gsize) g_test_rand_int_range (16, (gint32) size)] =
          (guint8) g_test_rand_int_range (0, 256);
    push_file (h, &parts, moov, size);
    if (gst_harness_push_event (h, gst_event_new_eos ())) {
      g_assert_false (has_error (h, bus));
      laid_out++;
    } else {
      g_assert_true (has_error (h, bus));
      refused++;
    }
    gst_element_set_bus (h->element, NULL);
    gst_harness_teardown (h);
  }
  g_test_message ("%u laid out, %u refused", laid_out, refused);
  g_assert_cmpuint (laid_out, >, 0);
  g_assert_cmpuint (refused, >, 0);
  parts_clear (&parts);
}

/* Cut off after any byte, in pieces of any size. */
static void
test_cut_off_input (void)
{
  Parts parts;
  gsize ftyp_size, moov_size;
  const guint8 *ftyp, *moov;
  g_autoptr (GByteArray) early = g_byte_array_new ();

  take_apart (&parts);
  ftyp = g_bytes_get_data (parts.ftyp, &ftyp_size);
  moov = g_bytes_get_data (parts.moov, &moov_size);
  g_byte_array_append (early, ftyp, (guint) ftyp_size);
  g_byte_array_append (early, moov, (guint) moov_size);
  g_byte_array_append (early, (const guint8 *) "\0\0\0\x10mdatabcdefgh", 16);
  for (guint end = 0; end < early->len; end += 1 + (guint) g_test_rand_int_range (0, 40)) {
    GstHarness *h = new_harness ();
    g_autoptr (GstBus) bus = gst_bus_new ();

    gst_element_set_bus (h->element, bus);
    for (guint at = 0; at < end;) {
      guint most = 1 + (guint) g_test_rand_int_range (0, 700);
      guint part = MIN (end - at, most);
      push_copy (h, early->data + at, part);
      at += part;
    }
    g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()) == (end == 0));
    g_assert_true (has_error (h, bus) == (end != 0));
    gst_element_set_bus (h->element, NULL);
    gst_harness_teardown (h);
  }
  parts_clear (&parts);
}

static void
test_not_an_mp4_file (void)
{
  GstHarness *h = new_harness ();
  g_autoptr (GstBus) bus = gst_bus_new ();
  guint8 noise[64];

  gst_element_set_bus (h->element, bus);
  for (gsize i = 0; i < sizeof noise; i++)
    noise[i] = (guint8) g_test_rand_int ();
  memcpy (noise + 4, "RIFF", 4);
  g_assert_cmpint (
      gst_harness_push (h, gst_buffer_new_memdup (noise, sizeof noise)), ==, GST_FLOW_ERROR);
  g_assert_true (has_error (h, bus));
  g_assert_false (gst_harness_push_event (h, gst_event_new_eos ()));
  g_assert_false (has_error (h, bus));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

/* A sample that looks like a movie header is media data all the same. */
static void
test_media_that_looks_like_a_header (void)
{
  static const guint8 open_mdat[16] = { 0, 0, 0, 8, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 'm', 'd', 'a',
    't' };
  guint8 trap[24] = { 0, 0, 0, 24, 'm', 'o', 'o', 'v', 0, 0, 0, 8, 'm', 'v', 'h', 'd' };
  GstHarness *h = new_harness ();
  guint8 patch[16];
  gsize ftyp_size, moov_size, media_size;
  const guint8 *ftyp, *moov, *media;
  guint64 pushed_media = 0;
  gboolean seen_trap = FALSE;
  GstBuffer *buffer;
  Parts parts;

  take_apart (&parts);
  ftyp = g_bytes_get_data (parts.ftyp, &ftyp_size);
  moov = g_bytes_get_data (parts.moov, &moov_size);
  media = g_bytes_get_data (parts.media, &media_size);
  push_copy (h, ftyp, ftyp_size);
  push_copy (h, open_mdat, sizeof open_mdat);
  push_copy (h, media, media_size);
  push_copy (h, trap, sizeof trap);
  push_copy (h, media, 100);
  push_copy (h, trap, sizeof trap);
  /* So much follows no movie header: it is let go before the end is known. */
  for (guint i = 0; i < 17; i++)
    gst_harness_push (h, gst_buffer_new_allocate (NULL, 1 << 20, NULL));
  g_assert_cmpuint (gst_harness_buffers_received (h), >, 6);
  push_copy (h, moov, moov_size);
  push_segment (h, ftyp_size);
  memcpy (patch, open_mdat, sizeof patch);
  pushed_media = media_size + 2 * sizeof trap + 100 + (17 << 20);
  test_put_uint32 (patch + 8, (guint32) pushed_media + 8);
  push_copy (h, patch, sizeof patch);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  while ((buffer = gst_harness_try_pull (h)) != NULL) {
    seen_trap |= gst_buffer_memcmp (buffer, 0, trap, sizeof trap) == 0;
    gst_buffer_unref (buffer);
  }
  g_assert_true (seen_trap);
  gst_harness_teardown (h);
  parts_clear (&parts);
}

static void
test_flush_begins_anew (void)
{
  GstHarness *h = new_harness ();
  gsize size;
  const guint8 *moov;
  Parts parts;

  take_apart (&parts);
  moov = g_bytes_get_data (parts.moov, &size);
  push_copy (h, g_bytes_get_data (parts.ftyp, NULL), 20);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_segment (h, 0);
  push_file (h, &parts, moov, size);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  gst_harness_teardown (h);
  parts_clear (&parts);
}

int
main (int argc, char *argv[])
{
  gint result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/mp4sizes/room-suffices", test_room_suffices);
  g_test_add_func ("/mp4sizes/three-hours", test_three_hours);
  g_test_add_func ("/mp4sizes/over-four-gigabytes", test_over_four_gigabytes);
  g_test_add_func ("/mp4sizes/input/good", test_harness_takes_a_good_file);
  g_test_add_func ("/mp4sizes/input/malformed-headers", test_malformed_headers);
  g_test_add_func ("/mp4sizes/input/cut-off", test_cut_off_input);
  g_test_add_func ("/mp4sizes/input/not-mp4", test_not_an_mp4_file);
  g_test_add_func ("/mp4sizes/input/media-like-a-header", test_media_that_looks_like_a_header);
  g_test_add_func ("/mp4sizes/flush", test_flush_begins_anew);
  result = g_test_run ();
  /* So that the leak tracer reports. */
  gst_deinit ();
  return result;
}
