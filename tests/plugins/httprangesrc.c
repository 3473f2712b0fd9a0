/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>

#include "../support/patience.h"
#include "httpsupport.h"

#define CONTENT_BYTES (3 * 1024 * 1024 + 12345)
#define BLOCK_BYTES (64 * 1024)

/* ---- an element that is read from by hand ---- */

typedef struct {
  GstElement *element;
  GstPad *pad;
  GstBus *bus;
} Puller;

static void
puller_start (Puller *p, const gchar *uri, const gchar *properties)
{
  g_autofree gchar *launch = g_strdup_printf ("httprangesrc name=src %s", properties);
  g_autoptr (GError) error = NULL;

  p->element = gst_object_ref_sink (gst_parse_launch (launch, &error));
  g_assert_no_error (error);
  g_object_set (p->element, "uri", uri, NULL);
  p->bus = gst_bus_new ();
  gst_element_set_bus (p->element, p->bus);
  gst_element_set_state (p->element, GST_STATE_READY);
  p->pad = gst_element_get_static_pad (p->element, "src");
  g_assert_true (gst_pad_activate_mode (p->pad, GST_PAD_MODE_PULL, TRUE));
}

static void
puller_end (Puller *p)
{
  gst_pad_activate_mode (p->pad, GST_PAD_MODE_PULL, FALSE);
  gst_element_set_state (p->element, GST_STATE_NULL);
  gst_element_set_bus (p->element, NULL);
  gst_object_unref (p->bus);
  gst_object_unref (p->pad);
  gst_object_unref (p->element);
}

static guint64
stat_of (GstElement *element, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static void
check_read (Puller *p, GBytes *content, guint64 offset, guint size)
{
  g_autoptr (GstBuffer) buffer = NULL;
  gsize total;
  const guint8 *data = g_bytes_get_data (content, &total);
  GstFlowReturn flow = gst_pad_get_range (p->pad, offset, size, &buffer);

  if (offset >= total) {
    g_assert_cmpint (flow, ==, GST_FLOW_EOS);
    return;
  }
  if (flow != GST_FLOW_OK) {
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (p->bus, GST_MESSAGE_ERROR);
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_error ("%s", error->message);
  }
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, MIN (size, total - offset));
  g_assert_cmpint (
      gst_buffer_memcmp (buffer, 0, data + offset, gst_buffer_get_size (buffer)), ==, 0);
}

/* Reads as a demuxer might: forward in two places, headers here and there, large and small. */
static void
check_random_reads (Puller *p, GBytes *content, guint count)
{
  gsize total = g_bytes_get_size (content);
  guint64 places[2] = { 0, total / 2 };

  for (guint i = 0; i < count; i++) {
    gint kind = g_test_rand_int_range (0, 10);

    if (kind < 7) {
      guint64 *place = &places[kind % 2];
      guint size = (guint) g_test_rand_int_range (1, 40000);

      check_read (p, content, *place, size);
      *place = *place + size < total ? *place + size : 0;
    } else if (kind < 9) {
      check_read (p, content, (guint64) g_test_rand_int_range (0, (gint32) total + 100), 4096);
    } else {
      check_read (p, content, (guint64) g_test_rand_int_range (0, (gint32) total), 500000);
    }
  }
  check_read (p, content, total - 1, 1);
  check_read (p, content, total, 1);
}

/* The one error on the bus. */
static GError *
only_error (GstBus *bus, GstStructure **details)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  const GstStructure *found = NULL;
  GError *error = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  gst_message_parse_error_details (message, &found);
  if (details != NULL)
    *details = found != NULL ? gst_structure_copy (found) : NULL;
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  return error;
}

/* ---- the bytes are the file's ---- */

typedef struct {
  TestFaults faults;
  const gchar *properties;
  guint reads;
} Case;

static void
test_reads (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Puller p;

  test_server_set_faults (server, &test->faults);
  puller_start (&p, uri, test->properties != NULL ? test->properties : "");
  check_random_reads (&p, content, test->reads != 0 ? test->reads : 150);
  g_assert_null (gst_bus_pop_filtered (p.bus, GST_MESSAGE_ERROR));
  puller_end (&p);
}

static void
test_small_objects (gconstpointer data)
{
  static const gsize sizes[] = { 1, 100, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) content = test_random_bytes (sizes[i]);
    g_autoptr (TestServer) server = test_server_new (content);
    g_autofree gchar *uri = test_server_uri (server, "", "/a");
    Puller p;

    test_server_set_faults (server, data);
    puller_start (&p, uri, "");
    check_read (&p, content, 0, 1000000);
    check_read (&p, content, sizes[i] - 1, 10);
    check_read (&p, content, sizes[i], 10);
    puller_end (&p);
  }
}

static void
test_empty_object (gconstpointer data)
{
  g_autoptr (GBytes) content = g_bytes_new (NULL, 0);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Puller p;

  test_server_set_faults (server, data);
  puller_start (&p, uri, "");
  check_read (&p, content, 0, 100);
  g_assert_null (gst_bus_pop_filtered (p.bus, GST_MESSAGE_ERROR));
  puller_end (&p);
}

/* Push mode, from the start to the end of stream. */
static void
test_push (void)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *launch =
      g_strdup_printf ("httprangesrc name=src uri=%s ! appsink name=sink sync=false", uri);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GByteArray) got = g_byte_array_new ();
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    GstMapInfo map;

    g_assert_true (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
    g_byte_array_append (got, map.data, (guint) map.size);
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
  }
  g_assert_true (gst_app_sink_is_eos (GST_APP_SINK (sink)));
  g_assert_cmpmem (got->data, (gint) got->len, g_bytes_get_data (content, NULL), CONTENT_BYTES);
  /* Each byte once, by few requests over few connections. */
  g_assert_cmpuint (test_server_body_bytes (server), ==, CONTENT_BYTES);
  g_assert_cmpuint (stat_of (source, "bytes"), ==, CONTENT_BYTES);
  g_assert_cmpuint (test_server_requests (server), <=, 20);
  g_assert_cmpuint (test_server_connections (server), <=, 4);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

/* ---- what it costs ---- */

static void
test_small_read_is_cheap (void)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Puller p;

  puller_start (&p, uri, "");
  check_read (&p, content, 0, 4096);
  check_read (&p, content, 2000000, 4096);
  check_read (&p, content, 2000100, 8);
  check_read (&p, content, 100, 8);
  puller_end (&p);
  g_assert_cmpuint (test_server_body_bytes (server), <=, 3 * BLOCK_BYTES);
  g_assert_cmpuint (test_server_requests (server), <=, 3);
}

/* A file that is larger than the cache, read to and fro. */
static void
test_memory_is_bounded (void)
{
  g_autoptr (GBytes) content = test_random_bytes (6 * 1024 * 1024);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Puller p;

  puller_start (&p, uri, "cache-size=1048576");
  for (guint pass = 0; pass < 2; pass++) {
    for (guint64 at = 0; at < 6 * 1024 * 1024; at += 50000)
      check_read (&p, content, at, 50000);
  }
  check_random_reads (&p, content, 100);
  puller_end (&p);
}

static GBytes *
make_movie (gboolean faststart)
{
  g_autofree gchar *path = NULL;
  g_autofree gchar *launch = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gchar *data;
  gsize size;
  gint fd = g_file_open_tmp ("weft-test-XXXXXX.mp4", &path, NULL);

  g_close (fd, NULL);
  launch = g_strdup_printf (
      "videotestsrc pattern=snow num-buffers=240 ! video/x-raw,width=320,height=240 ! x264enc "
      "speed-preset=ultrafast bitrate=3000 key-int-max=30 ! queue ! mp4mux name=m faststart=%s ! "
      "filesink location=%s  audiotestsrc wave=white-noise num-buffers=345 ! avenc_aac ! queue ! "
      "m.",
      faststart ? "true" : "false", path);
  pipeline = gst_parse_launch (launch, NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, patience_us (60) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_unlink (path);
  g_assert_cmpuint (size, >, 2000000);
  return g_bytes_new_take (data, size);
}

static GstPadProbeReturn
count_cb (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
  return GST_PAD_PROBE_OK;
}

/* A whole film through decodebin: all its frames, and hardly a byte more than it has. */
static void
test_movie (gconstpointer data)
{
  gboolean faststart = GPOINTER_TO_INT (data);
  g_autoptr (GBytes) content = make_movie (faststart);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a.mp4");
  g_autofree gchar *launch = g_strdup_printf (
      "httprangesrc uri=%s ! decodebin name=d  d. ! video/x-raw ! fakesink name=v sync=false  d. ! "
      "audio/x-raw ! fakesink sync=false",
      uri);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "v");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  gint frames = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_cb, &frames, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, patience_us (60) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpint (frames, ==, 240);
  g_assert_cmpuint (test_server_body_bytes (server), <=, g_bytes_get_size (content));
}

/* ---- what goes wrong for good ---- */

typedef struct {
  TestFaults faults;
  GstResourceError code;
  guint status;
  gboolean changed;
  const gchar *says;
  const gchar *properties;
} Failure;

static void
test_failure (gconstpointer data)
{
  const Failure *test = data;
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (GBytes) other = test_random_bytes (CONTENT_BYTES + (test->faults.keep_etag ? 7 : 0));
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a?signature=s3cret");
  g_autoptr (GstStructure) details = NULL;
  g_autoptr (GError) error = NULL;
  GstFlowReturn flow = GST_FLOW_OK;
  guint status = 0;
  gboolean changed = FALSE;
  Puller p;

  test_server_set_faults (server, &test->faults);
  test_server_set_replacement (server, other);
  puller_start (&p, uri, test->properties != NULL ? test->properties : "retries=2");
  for (guint64 at = 0; at < CONTENT_BYTES && flow == GST_FLOW_OK; at += 100000) {
    g_autoptr (GstBuffer) buffer = NULL;

    flow = gst_pad_get_range (p.pad, at, 100000, &buffer);
    /* Not one byte of another version. */
    if (flow == GST_FLOW_OK)
      g_assert_cmpint (
          gst_buffer_memcmp (buffer, 0, (const guint8 *) g_bytes_get_data (content, NULL) + at,
              gst_buffer_get_size (buffer)),
          ==, 0);
  }
  g_assert_cmpint (flow, ==, GST_FLOW_ERROR);
  error = only_error (p.bus, &details);
  g_test_message ("%s", error->message);
  g_assert_error (error, GST_RESOURCE_ERROR, (gint) test->code);
  g_assert_true (gst_structure_get_uint (details, "http-status-code", &status));
  g_assert_true (gst_structure_get_boolean (details, "changed", &changed));
  if (test->status != 0)
    g_assert_cmpuint (status, ==, test->status);
  g_assert_cmpint (changed, ==, test->changed);
  if (test->says != NULL)
    g_assert_nonnull (strstr (error->message, test->says));
  g_assert_null (strstr (error->message, "s3cret"));
  puller_end (&p);
}

static void
test_nobody_there (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  Puller p;

  puller_start (&p, "http://127.0.0.1:1/a", "retries=1");
  g_assert_cmpint (gst_pad_get_range (p.pad, 0, 10, &buffer), ==, GST_FLOW_ERROR);
  error = only_error (p.bus, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
  puller_end (&p);
}

/* The number of attempts is what was asked for. */
static void
test_gives_up_after_retries (void)
{
  const TestFaults faults = { .refuse_first = 1000, .refuse_status = 503 };
  g_autoptr (GBytes) content = test_random_bytes (100);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autoptr (GstBuffer) buffer = NULL;
  Puller p;

  test_server_set_faults (server, &faults);
  puller_start (&p, uri, "retries=3");
  g_assert_cmpint (gst_pad_get_range (p.pad, 0, 10, &buffer), ==, GST_FLOW_ERROR);
  g_assert_cmpuint (test_server_requests (server), ==, 4);
  g_assert_cmpuint (stat_of (p.element, "retries"), ==, 3);
  puller_end (&p);
}

/* ---- redirects and secrets ---- */

static void
test_redirect_keeps_the_password_at_home (void)
{
  g_autoptr (GBytes) content = test_random_bytes (1000);
  g_autoptr (TestServer) home = test_server_new (content);
  g_autoptr (TestServer) away = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (home, "ann:pa%40ss@", "/a");
  g_autofree gchar *target = test_server_uri (away, "", "/b");
  g_autofree gchar *at_home = NULL;
  g_autofree gchar *elsewhere = NULL;
  const TestFaults faults = { .redirects = 1, .redirect_to = target };
  Puller p;

  test_server_set_faults (home, &faults);
  puller_start (&p, uri, "");
  check_read (&p, content, 0, 1000);
  puller_end (&p);
  at_home = test_server_authorization (home);
  elsewhere = test_server_authorization (away);
  g_assert_cmpstr (at_home, ==, "Basic YW5uOnBhQHNz");
  g_assert_null (elsewhere);
  g_assert_cmpuint (test_server_requests (away), ==, 1);
}

static GString *logged;
static GMutex logged_lock;

static void
log_cb (GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function,
    gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  /* Writing the message may log more. */
  const gchar *text = gst_debug_message_get (message);

  g_mutex_lock (&logged_lock);
  g_string_append_printf (logged, "%s\n", text);
  g_mutex_unlock (&logged_lock);
}

static void
test_secrets_stay_secret (void)
{
  const TestFaults faults = { .refuse_first = 1000, .refuse_status = 404 };
  g_autoptr (GBytes) content = test_random_bytes (1000);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "ann:hidden@", "/a.mp4");
  g_autofree gchar *launch = g_strdup_printf ("httprangesrc name=src uri=%s ! fakesink", uri);
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autofree gchar *shown = NULL;
  g_autofree gchar *dot = NULL;
  g_autofree gchar *said = NULL;
  g_autoptr (GError) error = NULL;

  logged = g_string_new (NULL);
  pipeline = gst_parse_launch (launch, NULL);
  test_server_set_faults (server, &faults);
  /* From here on: the parser above logs the line it is given, whatever is in it. */
  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_LOG);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (log_cb, NULL, NULL);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, patience_us (20) * GST_USECOND, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &said);
  g_object_get (source, "uri", &shown, NULL);
  dot = gst_debug_bin_to_dot_data (GST_BIN (pipeline), GST_DEBUG_GRAPH_SHOW_ALL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_debug_remove_log_function (log_cb);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  gst_debug_set_active (FALSE);

  g_assert_cmpuint (logged->len, >, 0);
  g_assert_null (strstr (logged->str, "hidden"));
  g_assert_null (strstr (shown, "hidden"));
  g_assert_null (strstr (dot, "hidden"));
  g_assert_null (strstr (error->message, "hidden"));
  g_assert_null (strstr (said, "hidden"));
  g_string_free (logged, TRUE);
}

/* ---- being stopped ---- */

typedef struct {
  Puller puller;
  GstFlowReturn flow;
} Reading;

static gpointer
read_thread (gpointer data)
{
  Reading *reading = data;
  g_autoptr (GstBuffer) buffer = NULL;

  reading->flow = gst_pad_get_range (reading->puller.pad, 1000000, 1000000, &buffer);
  return NULL;
}

static void
test_stops_at_once (gconstpointer data)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Reading reading = { 0 };
  GThread *thread;
  gint64 before_us;

  test_server_set_faults (server, data);
  puller_start (&reading.puller, uri, "");
  thread = g_thread_new ("read", read_thread, &reading);
  while (test_server_requests (server) == 0)
    g_thread_yield ();
  before_us = g_get_monotonic_time ();
  gst_pad_activate_mode (reading.puller.pad, GST_PAD_MODE_PULL, FALSE);
  g_thread_join (thread);
  puller_end (&reading.puller);
  g_assert_cmpint (reading.flow, ==, GST_FLOW_FLUSHING);
  g_assert_cmpint (g_get_monotonic_time () - before_us, <, 200 * 1000);
}

typedef struct {
  Puller puller;
  gboolean answered;
} Asking;

static gpointer
ask_thread (gpointer data)
{
  Asking *asking = data;
  gint64 size;

  asking->answered = gst_pad_query_duration (asking->puller.pad, GST_FORMAT_BYTES, &size);
  return NULL;
}

/* Who asks for the size does not hold the pad, so nothing waits for the answer between the flush
 * and its end. */
static void
test_a_question_for_the_size_ends_when_the_pad_stops (void)
{
  const TestFaults never = { .never_answer = TRUE };
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");

  test_server_set_faults (server, &never);
  for (guint i = 0; i < 50; i++) {
    Asking asking = { .answered = TRUE };
    GThread *thread;
    gint64 before_us;

    puller_start (&asking.puller, uri, "");
    thread = g_thread_new ("ask", ask_thread, &asking);
    while (test_server_requests (server) <= i)
      g_thread_yield ();
    before_us = g_get_monotonic_time ();
    gst_pad_activate_mode (asking.puller.pad, GST_PAD_MODE_PULL, FALSE);
    g_thread_join (thread);
    g_assert_false (asking.answered);
    g_assert_cmpint (g_get_monotonic_time () - before_us, <, 200 * 1000);
    puller_end (&asking.puller);
  }
}

/* A thread that comes a moment too late must not wait for what nobody will end. */
static void
test_a_question_for_the_size_does_not_wait_on_a_stopped_pad (void)
{
  const TestFaults never = { .never_answer = TRUE };
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  gint64 before_us = g_get_monotonic_time ();
  gint64 size;
  Puller p;

  test_server_set_faults (server, &never);
  puller_start (&p, uri, "");
  gst_pad_activate_mode (p.pad, GST_PAD_MODE_PULL, FALSE);
  g_assert_false (gst_pad_query_duration (p.pad, GST_FORMAT_BYTES, &size));
  g_assert_cmpint (g_get_monotonic_time () - before_us, <, 200 * 1000);
  puller_end (&p);
}

/* A pipeline is stopped from its end: the element that asks waits for its own thread before the
 * source is told anything but to flush. */
static void
test_a_pipeline_that_waits_for_the_size_stops_at_once (void)
{
  const TestFaults never = { .never_answer = TRUE };
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *launch = g_strdup_printf ("httprangesrc uri=%s ! typefind ! fakesink", uri);

  test_server_set_faults (server, &never);
  for (guint i = 0; i < 30; i++) {
    g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_parse_launch (launch, NULL));
    gint64 before_us;

    gst_element_set_state (pipeline, GST_STATE_PAUSED);
    while (test_server_requests (server) <= i)
      g_thread_yield ();
    before_us = g_get_monotonic_time ();
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_assert_cmpint (g_get_monotonic_time () - before_us, <, 200 * 1000);
  }
}

/* What was counted can be read when it is over. */
static void
test_statistics_outlive_the_reading (void)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *launch =
      g_strdup_printf ("httprangesrc name=src uri=%s ! fakesink sync=false", uri);
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_parse_launch (launch, NULL));
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, patience_us (20) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpuint (stat_of (source, "bytes"), ==, CONTENT_BYTES);
  g_assert_cmpuint (stat_of (source, "requests"), >, 0);
}

/* What typefinding read is not asked for again when a demuxer starts the pad anew. */
static void
test_restart_reads_nothing_twice (void)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  Puller p;

  puller_start (&p, uri, "");
  check_read (&p, content, 0, 5000);
  gst_pad_activate_mode (p.pad, GST_PAD_MODE_PULL, FALSE);
  g_assert_true (gst_pad_activate_mode (p.pad, GST_PAD_MODE_PULL, TRUE));
  check_read (&p, content, 0, 5000);
  puller_end (&p);
  g_assert_cmpuint (test_server_requests (server), ==, 1);
}

/* ---- being asked ---- */

static void
test_scheduling (void)
{
  g_autoptr (GBytes) content = test_random_bytes (CONTENT_BYTES);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autoptr (GstQuery) query = gst_query_new_scheduling ();
  gint64 size;
  Puller p;

  puller_start (&p, uri, "");
  g_assert_true (gst_pad_query (p.pad, query));
  g_assert_true (gst_query_has_scheduling_mode_with_flags (
      query, GST_PAD_MODE_PULL, GST_SCHEDULING_FLAG_SEEKABLE));
  /* Nobody was disturbed for that. */
  g_assert_cmpuint (test_server_requests (server), ==, 0);
  g_assert_true (gst_pad_query_duration (p.pad, GST_FORMAT_BYTES, &size));
  g_assert_cmpint (size, ==, CONTENT_BYTES);
  puller_end (&p);
}

static void
test_is_chosen_for_http (void)
{
  static const gchar *const uris[] = { "http://example.org/a.mp4", "https://example.org/a.mp4" };

  for (gsize i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (GError) error = NULL;
    GstElement *element = gst_element_make_from_uri (GST_URI_SRC, uris[i], NULL, &error);

    g_assert_no_error (error);
    g_assert_cmpstr (GST_OBJECT_NAME (gst_element_get_factory (element)), ==, "httprangesrc");
    gst_object_unref (gst_object_ref_sink (element));
  }
}

static void
test_bad_addresses (void)
{
  static const gchar *const bad[] = { "http://", "ftp://a/b", "nonsense", "http:///x",
    "http://a b/" };
  GstElement *element = gst_object_ref_sink (gst_element_factory_make ("httprangesrc", NULL));

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (gst_uri_handler_set_uri (GST_URI_HANDLER (element), bad[i], &error));
    g_assert_nonnull (error);
  }
  gst_object_unref (element);
}

int
main (int argc, char *argv[])
{
  gint result;
  static const struct {
    const gchar *name;
    Case test;
  } reads[] = {
    { "good", { .faults = { 0 } } },
    { "no-validators", { .faults = { .no_validators = TRUE } } },
    { "cut-connections",
        { .faults = { .cut_percent = 40 }, .properties = "retries=30", .reads = 60 } },
    { "cut-anywhere", { .faults = { .cut_percent = 40, .cut_headers = TRUE },
                          .properties = "retries=30",
                          .reads = 60 } },
    { "server-errors", { .faults = { .refuse_first = 3, .refuse_status = 500 } } },
    { "too-many-requests", { .faults = { .refuse_first = 1,
                                 .refuse_status = 429,
                                 .refuse_header = "Retry-After: 1\r\n" } } },
    { "shorter-parts", { .faults = { .shorter_percent = 50 } } },
    { "wrong-parts", { .faults = { .lie_percent = 20 }, .properties = "retries=30", .reads = 60 } },
    { "redirect", { .faults = { .redirects = 3, .redirect_to = "/other/../b?x" } } },
    { "no-ranges", { .faults = { .no_ranges = TRUE } } },
    { "no-ranges-no-length", { .faults = { .no_ranges = TRUE, .no_length = TRUE } } },
    { "no-ranges-chunked", { .faults = { .no_ranges = TRUE, .chunked = TRUE } } },
    { "no-ranges-cut",
        { .faults = { .no_ranges = TRUE, .cut_percent = 60 }, .properties = "retries=30" } },
    { "no-ranges-server-errors",
        { .faults = { .no_ranges = TRUE, .refuse_first = 2, .refuse_status = 502 } } },
    { "slow", { .faults = { .bytes_per_second = 2000000 }, .reads = 20 } },
  };
  static const struct {
    const gchar *name;
    Failure test;
  } failures[] = {
#define ALWAYS .refuse_first = 100000
#define FAILS(name_, code_, ...)                                                                   \
  {                                                                                                \
    name_,                                                                                         \
    {                                                                                              \
      .code = GST_RESOURCE_ERROR_##code_, __VA_ARGS__                                              \
    }                                                                                              \
  }
    FAILS ("not-found", NOT_FOUND, .faults = { ALWAYS, .refuse_status = 404 }, .status = 404,
        .says = "404"),
    FAILS ("gone", NOT_FOUND, .faults = { ALWAYS, .refuse_status = 410 }, .status = 410),
    FAILS ("forbidden", NOT_AUTHORIZED, .faults = { ALWAYS, .refuse_status = 403 }, .status = 403),
    FAILS (
        "unauthorized", NOT_AUTHORIZED, .faults = { ALWAYS, .refuse_status = 401 }, .status = 401),
    FAILS ("server-error", READ, .faults = { ALWAYS, .refuse_status = 500 }, .status = 500,
        .says = "500"),
    FAILS ("always-cut", READ, .faults = { .cut_percent = 100, .cut_headers = TRUE }),
    FAILS ("replaced", READ, .faults = { .replace_after = 3 }, .changed = TRUE, .says = "replaced"),
    FAILS ("replaced-condition-ignored", READ,
        .faults = { .replace_after = 3, .ignore_if_range = TRUE }, .changed = TRUE, .says = "ETag"),
    FAILS ("replaced-other-size", READ,
        .faults = { .replace_after = 3, .ignore_if_range = TRUE, .keep_etag = TRUE },
        .changed = TRUE, .says = "size"),
    FAILS ("redirect-loop", SETTINGS, .faults = { .redirects = 100000, .redirect_to = "/a" },
        .status = 302, .says = "redirects"),
    FAILS ("redirect-to-file", SETTINGS,
        .faults = { .redirects = 1, .redirect_to = "file:///etc/passwd" }),
    FAILS ("packed", SETTINGS, .faults = { .encoding = "gzip" }, .status = 206, .says = "gzip"),
    FAILS ("one-byte-a-second", READ, .faults = { .bytes_per_second = 1 }, .says = "slowly",
        .properties = "retries=1 low-speed-time=1"),
    FAILS ("never-answers", READ, .faults = { .never_answer = TRUE }, .says = "slowly",
        .properties = "retries=1 low-speed-time=1"),
    FAILS ("too-large-for-the-spool", SETTINGS, .faults = { .no_ranges = TRUE },
        .says = "whole file", .properties = "spool-size=1000000"),
    FAILS ("too-large-and-unannounced", SETTINGS,
        .faults = { .no_ranges = TRUE, .no_length = TRUE }, .says = "whole file",
        .properties = "spool-size=1000000"),
#undef FAILS
#undef ALWAYS
  };
  static const TestFaults good = { 0 }, no_ranges = { .no_ranges = TRUE },
                          never = { .never_answer = TRUE }, slow = { .bytes_per_second = 50000 },
                          failing = { .refuse_first = 100000,
                            .refuse_status = 503,
                            .refuse_header = "Retry-After: 30\r\n" };

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (reads); i++) {
    g_autofree gchar *name = g_strdup_printf ("/httprangesrc/reads/%s", reads[i].name);
    g_test_add_data_func (name, &reads[i].test, test_reads);
  }
  g_test_add_data_func ("/httprangesrc/small-objects/ranges", &good, test_small_objects);
  g_test_add_data_func ("/httprangesrc/small-objects/no-ranges", &no_ranges, test_small_objects);
  g_test_add_data_func ("/httprangesrc/empty/ranges", &good, test_empty_object);
  g_test_add_data_func ("/httprangesrc/empty/no-ranges", &no_ranges, test_empty_object);
  g_test_add_func ("/httprangesrc/push", test_push);
  g_test_add_func ("/httprangesrc/costs/small-read", test_small_read_is_cheap);
  g_test_add_func ("/httprangesrc/costs/bounded-memory", test_memory_is_bounded);
  g_test_add_data_func (
      "/httprangesrc/costs/movie-header-first", GINT_TO_POINTER (TRUE), test_movie);
  g_test_add_data_func (
      "/httprangesrc/costs/movie-header-last", GINT_TO_POINTER (FALSE), test_movie);
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++) {
    g_autofree gchar *name = g_strdup_printf ("/httprangesrc/fails/%s", failures[i].name);
    g_test_add_data_func (name, &failures[i].test, test_failure);
  }
  g_test_add_func ("/httprangesrc/fails/nobody-there", test_nobody_there);
  g_test_add_func ("/httprangesrc/fails/after-retries", test_gives_up_after_retries);
  g_test_add_func ("/httprangesrc/secrets/redirect", test_redirect_keeps_the_password_at_home);
  g_test_add_func ("/httprangesrc/secrets/shown-nowhere", test_secrets_stay_secret);
  g_test_add_data_func ("/httprangesrc/stops/no-answer", &never, test_stops_at_once);
  g_test_add_data_func ("/httprangesrc/stops/slow", &slow, test_stops_at_once);
  g_test_add_data_func ("/httprangesrc/stops/waiting-to-retry", &failing, test_stops_at_once);
  g_test_add_func (
      "/httprangesrc/stops/asked-for-size", test_a_question_for_the_size_ends_when_the_pad_stops);
  g_test_add_func ("/httprangesrc/stops/asked-for-size-when-stopped",
      test_a_question_for_the_size_does_not_wait_on_a_stopped_pad);
  g_test_add_func ("/httprangesrc/stops/pipeline-waits-for-size",
      test_a_pipeline_that_waits_for_the_size_stops_at_once);
  g_test_add_func ("/httprangesrc/statistics-stay", test_statistics_outlive_the_reading);
  g_test_add_func ("/httprangesrc/restart", test_restart_reads_nothing_twice);
  g_test_add_func ("/httprangesrc/scheduling", test_scheduling);
  g_test_add_func ("/httprangesrc/is-chosen", test_is_chosen_for_http);
  g_test_add_func ("/httprangesrc/bad-addresses", test_bad_addresses);
  result = g_test_run ();
  /* So that the leak tracer reports. */
  gst_deinit ();
  return result;
}
