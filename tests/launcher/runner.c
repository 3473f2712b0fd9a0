/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "weft-runner.h"

#define FRAMES 60

typedef struct {
  gchar *folder;
  gchar *source_uri;
  gchar *source;
  gchar *out; /* a folder inside of it */
} Fixture;

/* A clip of two seconds with picture and sound. */
static void
make_source (const gchar *path)
{
  g_autofree gchar *line =
      g_strdup_printf ("videotestsrc num-buffers=60 ! "
                       "video/x-raw,width=320,height=180,framerate=30/1 ! jpegenc ! queue ! mux."
                       " audiotestsrc num-buffers=94 samplesperbuffer=1024 ! "
                       "audio/x-raw,rate=48000,channels=2 ! queue ! mux."
                       " matroskamux name=mux ! filesink location=%s",
          path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  g_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("weft-runner-XXXXXX", NULL);
  fixture->source = g_build_filename (fixture->folder, "source.mkv", NULL);
  fixture->source_uri = g_filename_to_uri (fixture->source, NULL, NULL);
  fixture->out = g_build_filename (fixture->folder, "out", NULL);
  make_source (fixture->source);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *command = g_strdup_printf ("rm -rf '%s'", fixture->folder);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (fixture->folder);
  g_free (fixture->source);
  g_free (fixture->source_uri);
  g_free (fixture->out);
}

static WeftPlan *
new_plan (const gchar *clips, guint frames, gchar *first, ...)
{
  WeftPlan *plan;
  va_list args;

  va_start (args, first);
  plan = fixture_plan_new (320, 180, frames, clips, "", first, args);
  va_end (args);
  return plan;
}

static WeftPlan *
new_small_plan (Fixture *fixture, const gchar *uri)
{
  g_autofree gchar *clip = fixture_clip (uri, 0, FRAMES);

  return new_plan (clip, FRAMES,
      fixture_video_output ("big", fixture->out, 320, 180, NULL, 40, FRAMES, 128000),
      fixture_video_output ("small", fixture->out, 160, 90, "big", 40, FRAMES, 128000),
      fixture_thumbnail_output ("poster", fixture->out), NULL);
}

typedef struct {
  GPtrArray *types;
  gint64 last_seq;
  gdouble last_percent;
  GThread *thread;
  GCancellable *cancel_at_start; /* (nullable) */
} Log;

static void
event_cb (WeftRunner *runner, JsonNode *event, gpointer user_data)
{
  Log *log = user_data;
  JsonObject *envelope = json_node_get_object (event);
  const gchar *type = json_object_get_string_member (envelope, "type");

  g_assert_true (g_thread_self () == log->thread);
  g_assert_cmpint (json_object_get_int_member (envelope, "seq"), ==, log->last_seq + 1);
  log->last_seq++;
  if (g_str_equal (type, "job.progress")) {
    gdouble percent =
        json_object_get_double_member (json_object_get_object_member (envelope, "data"), "percent");

    g_assert_cmpfloat (percent, >=, log->last_percent);
    g_assert_cmpfloat (percent, <=, 100.0);
    log->last_percent = percent;
  } else {
    g_ptr_array_add (log->types, g_strdup (type));
  }
  if (log->cancel_at_start)
    g_cancellable_cancel (log->cancel_at_start);
}

static gboolean
run (WeftPlan *plan, gdouble stall_timeout, Log *log, GCancellable *cancellable, JsonNode **report,
    GError **error)
{
  g_autoptr (WeftRunner) runner = weft_runner_new (plan);
  gboolean ok;

  log->types = g_ptr_array_new_with_free_func (g_free);
  log->thread = g_thread_self ();
  g_object_set (runner, "stall-timeout", stall_timeout, NULL);
  g_signal_connect (runner, "event", G_CALLBACK (event_cb), log);
  ok = weft_runner_run (runner, cancellable, error);
  if (report)
    *report = json_node_copy (weft_runner_get_report (runner));
  g_assert_cmpuint (log->types->len, >, 0);
  return ok;
}

static const gchar *
last_type (Log *log)
{
  return g_ptr_array_index (log->types, log->types->len - 1);
}

static guint
count_terminal (Log *log)
{
  guint n = 0;

  for (guint i = 0; i < log->types->len; i++) {
    const gchar *type = g_ptr_array_index (log->types, i);

    n += g_str_equal (type, "job.succeeded") || g_str_equal (type, "job.failed")
         || g_str_equal (type, "job.canceled");
  }
  return n;
}

static void
test_all_outputs_appear_and_the_report_counts_them (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = new_small_plan (fixture, fixture->source_uri);
  g_autoptr (JsonNode) report = NULL;
  g_autoptr (GError) error = NULL;
  static const gchar *const names[] = { "big.mp4", "small.mp4", "poster.jpg" };
  JsonArray *outputs;
  Log log = { 0 };

  g_assert_true (run (plan, 30, &log, NULL, &report, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (g_ptr_array_index (log.types, 0), ==, "job.started");
  g_assert_cmpstr (last_type (&log), ==, "job.succeeded");
  g_assert_cmpuint (count_terminal (&log), ==, 1);
  g_assert_cmpfloat (log.last_percent, ==, 100.0);

  outputs = json_object_get_array_member (json_node_get_object (report), "outputs");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_build_filename (fixture->out, names[i], NULL);
    JsonObject *output = json_array_get_object_element (outputs, i);
    struct stat st;

    g_assert_cmpint (stat (path, &st), ==, 0);
    g_assert_cmpint (json_object_get_int_member (output, "bytes"), ==, st.st_size);
    g_assert_cmpint (json_object_get_int_member (output, "frames"), ==, i < 2 ? FRAMES : 1);
    if (i < 2)
      g_assert_cmpint (json_object_get_int_member (output, "samples"), ==, FRAMES * 1600);
  }
  g_ptr_array_unref (log.types);
}

static void
test_a_missing_source_is_named_and_nothing_stays (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *uri = g_strdup_printf ("file://%s/absent.mp4", fixture->folder);
  g_autoptr (WeftPlan) plan = new_small_plan (fixture, uri);
  g_autoptr (GError) error = NULL;
  WeftProblem *problem;
  Log log = { 0 };

  g_assert_false (run (plan, 30, &log, NULL, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_SOURCE_NOT_FOUND);
  problem = g_ptr_array_index (weft_error_get_problems (error), 0);
  g_assert_cmpstr (problem->pointer, ==, "/timeline/clips/0");
  g_assert_cmpstr (problem->uri, ==, uri);
  g_assert_nonnull (problem->hint);
  g_assert_cmpstr (last_type (&log), ==, "job.failed");
  g_assert_cmpuint (count_terminal (&log), ==, 1);
  g_assert_false (g_file_test (fixture->out, G_FILE_TEST_EXISTS));
  g_ptr_array_unref (log.types);
}

static void
test_cancelling_leaves_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = new_small_plan (fixture, fixture->source_uri);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Log log = { .cancel_at_start = cancellable };

  g_assert_false (run (plan, 30, &log, cancellable, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
  g_assert_cmpstr (last_type (&log), ==, "job.canceled");
  g_assert_cmpuint (count_terminal (&log), ==, 1);
  g_assert_false (g_file_test (fixture->out, G_FILE_TEST_EXISTS));
  g_ptr_array_unref (log.types);
}

static void
test_a_forbidden_folder_is_told_before_any_work (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  Log log = { 0 };

  /* A file in the folder's place is forbidden to root, too. */
  g_assert_true (g_file_set_contents (fixture->out, "", -1, NULL));
  plan = new_small_plan (fixture, fixture->source_uri);
  g_assert_false (run (plan, 30, &log, NULL, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUTPUT_DENIED);
  g_assert_nonnull (strstr (error->message, fixture->out));
  g_ptr_array_unref (log.types);
}

static void
test_a_source_that_stops_delivering_stalls (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *pipe = g_build_filename (fixture->folder, "pipe.mkv", NULL);
  g_autofree gchar *uri = g_filename_to_uri (pipe, NULL, NULL);
  g_autoptr (WeftPlan) plan = new_small_plan (fixture, uri);
  g_autofree gchar *head = NULL;
  g_autoptr (GError) error = NULL;
  WeftProblem *problem;
  gsize length;
  int fd;
  Log log = { 0 };

  /* A pipe that holds the file's beginning and then nothing, with its writer still there. */
  g_assert_true (g_file_get_contents (fixture->source, &head, &length, NULL));
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  fd = g_open (pipe, O_RDWR, 0);
  g_assert_cmpint (write (fd, head, MIN (length, 30000)), ==, (gssize) MIN (length, 30000));
  g_assert_false (run (plan, 1, &log, NULL, NULL, &error));
  close (fd);

  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_STALLED);
  problem = g_ptr_array_index (weft_error_get_problems (error), 0);
  g_assert_nonnull (strstr (problem->element, "clips"));
  g_assert_true (weft_error_is_retryable (problem->code));
  g_assert_false (g_file_test (fixture->out, G_FILE_TEST_EXISTS));
  g_ptr_array_unref (log.types);
}

static void
finished_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GMainLoop *loop = user_data;

  g_assert_true (weft_runner_run_finish (WEFT_RUNNER (source), result, NULL));
  g_main_loop_quit (loop);
}

static void
test_it_runs_within_the_caller_s_main_loop (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = new_small_plan (fixture, fixture->source_uri);
  g_autoptr (WeftRunner) runner = weft_runner_new (plan);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Log log = { .types = g_ptr_array_new_with_free_func (g_free), .thread = g_thread_self () };

  g_signal_connect (runner, "event", G_CALLBACK (event_cb), &log);
  weft_runner_run_async (runner, NULL, finished_cb, loop);
  g_assert_cmpuint (log.types->len, ==, 0);
  g_main_loop_run (loop);
  g_assert_cmpstr (last_type (&log), ==, "job.succeeded");
  g_ptr_array_unref (log.types);
}

#define add(name, function) g_test_add ("/runner/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  add ("all-outputs-appear-and-the-report-counts-them",
      test_all_outputs_appear_and_the_report_counts_them);
  add ("a-missing-source-is-named-and-nothing-stays",
      test_a_missing_source_is_named_and_nothing_stays);
  add ("cancelling-leaves-nothing", test_cancelling_leaves_nothing);
  add ("a-forbidden-folder-is-told-before-any-work",
      test_a_forbidden_folder_is_told_before_any_work);
  add ("a-source-that-stops-delivering-stalls", test_a_source_that_stops_delivering_stalls);
  add ("it-runs-within-the-callers-main-loop", test_it_runs_within_the_caller_s_main_loop);
  return g_test_run ();
}
