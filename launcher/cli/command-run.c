/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <sys/resource.h>
#include <unistd.h>

#include "cli-progress.h"
#include "cli-signals.h"
#include "weft-event.h"
#include "weft-report.h"

typedef enum { EVENTS_TTY, EVENTS_JSON, EVENTS_NONE } Events;

/* One run of the command; everything in it belongs to the main thread. */
typedef struct {
  CliInvocation *invocation;
  Events events;
  CliProgress *progress; /* (nullable): only for people */
  GCancellable *cancellable;
  gint64 start_us;
  gchar *job_id;       /* (nullable): until the job was read */
  gboolean has_ended;  /* the terminal event was told */
  gboolean has_reader; /* somebody still reads standard output */
} Run;

static void
run_free (Run *run)
{
  g_clear_pointer (&run->progress, cli_progress_free);
  g_clear_object (&run->cancellable);
  g_free (run->job_id);
  g_free (run);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

/* --- telling
 * ----------------------------------------------------------------------------------------------------
 */

static void
print_event (Run *run, JsonNode *event)
{
  g_autofree gchar *line = cli_json_to_text (event, FALSE, TRUE);

  if (!run->has_reader || cli_write_text (line))
    return;
  /* As a program that writes to a closed pipe ends, so does a job whose events nobody reads any
   * more. */
  run->has_reader = FALSE;
  g_printerr ("weft: nobody reads the events any more; the job is cancelled\n");
  g_cancellable_cancel (run->cancellable);
}

static void
print_warning (Run *run, JsonObject *data)
{
  g_autoptr (WeftProblem) problem = weft_problem_new (WEFT_ERROR_INTERNAL,
      json_object_get_string_member_with_default (data, "pointer", NULL),
      json_object_get_string_member_with_default (data, "uri", NULL),
      json_object_get_string_member_with_default (data, "hint", NULL), "%s",
      json_object_get_string_member_with_default (data, "message", ""));

  problem->element = g_strdup (json_object_get_string_member_with_default (data, "element", NULL));
  problem->is_warning = TRUE;
  cli_progress_clear (run->progress);
  cli_print_problem (problem);
}

static void
event_cb (WeftRunner *runner, JsonNode *event, gpointer user_data)
{
  Run *run = user_data;
  JsonObject *envelope = json_node_get_object (event);
  const gchar *type = json_object_get_string_member (envelope, "type");
  JsonNode *data = json_object_get_member (envelope, "data");

  if (g_str_equal (type, "job.succeeded") || g_str_equal (type, "job.failed")
      || g_str_equal (type, "job.canceled"))
    run->has_ended = TRUE;

  if (run->events == EVENTS_JSON)
    print_event (run, event);
  else if (run->progress && g_str_equal (type, "job.progress"))
    cli_progress_update (run->progress, json_node_get_object (data));
  else if (run->progress && g_str_equal (type, "job.warning"))
    print_warning (run, json_node_get_object (data));
}

static void
begin_stage (Run *run, const gchar *stage)
{
  if (run->progress)
    cli_progress_begin (run->progress, stage);
}

static gchar *
format_bytes (guint64 bytes)
{
  g_autofree gchar *text = g_format_size (bytes);
  g_auto (GStrv) parts = g_strsplit (text, "\u00a0", -1);

  /* GLib joins number and unit by a no-break space, which is a stranger in many a terminal. */
  return g_strjoinv (" ", parts);
}

static void
append_output (GString *out, JsonObject *output)
{
  const gchar *uri = json_object_get_string_member_with_default (output, "uri", "");
  g_autofree gchar *path = g_filename_from_uri (uri, NULL, NULL);
  g_autofree gchar *place = cli_make_visible (path ? path : uri);
  gint64 bytes = json_object_get_int_member_with_default (output, "bytes", 0);
  gint64 width = json_object_get_int_member_with_default (output, "width", 0);
  gint64 height = json_object_get_int_member_with_default (output, "height", 0);
  gdouble duration_s = json_object_get_double_member_with_default (output, "duration_s", 0);
  g_autofree gchar *size =
      width > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT, width, height)
                : g_strdup ("");
  g_autofree gchar *length = duration_s > 0 ? cli_format_time (duration_s) : g_strdup ("");
  g_autofree gchar *weight = format_bytes ((guint64) bytes);

  g_string_append_printf (out, "  %-10s %-10s %8s %10s  %s\n",
      json_object_get_string_member_with_default (output, "id", ""), size, length, weight, place);
}

static void
print_summary (Run *run, JsonObject *report)
{
  JsonArray *outputs = json_object_get_array_member (report, "outputs");
  g_autofree gchar *time =
      cli_format_time ((gdouble) (g_get_monotonic_time () - run->start_us) / G_USEC_PER_SEC);
  guint n = json_array_get_length (outputs);
  g_autoptr (GString) out = g_string_new (NULL);

  g_string_append_printf (out, "Done in %s: %u output%s\n", time, n, n == 1 ? "" : "s");
  for (guint i = 0; i < n; i++)
    append_output (out, json_array_get_object_element (outputs, i));
  cli_write_text (out->str);
}

/* The report of a job that failed before there was a runner, in the shape of the runner's own. */
static JsonNode *
make_early_report (Run *run, const GError *error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "job_id");
  if (run->job_id)
    json_builder_add_string_value (builder, run->job_id);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "state");
  json_builder_add_string_value (
      builder, cli_exit_from_error (error) == CLI_EXIT_CANCELLED ? "canceled" : "failed");
  json_builder_set_member_name (builder, "error");
  json_builder_add_value (builder, weft_error_to_json (error));
  json_builder_set_member_name (builder, "wall_s");
  json_builder_add_double_value (
      builder, (gdouble) (g_get_monotonic_time () - run->start_us) / G_USEC_PER_SEC);
  json_builder_set_member_name (builder, "cpu_s");
  json_builder_add_double_value (
      builder, (gdouble) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                   + (gdouble) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / G_USEC_PER_SEC);
  /* Linux counts ru_maxrss in KiB. */
  json_builder_set_member_name (builder, "peak_rss_bytes");
  json_builder_add_int_value (builder, (gint64) usage.ru_maxrss * 1024);
  json_builder_set_member_name (builder, "weft_version");
  json_builder_add_string_value (builder, CLI_VERSION);
  json_builder_set_member_name (builder, "inputs");
  json_builder_begin_array (builder);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "outputs");
  json_builder_begin_array (builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* Returns: %FALSE if a report was asked for and could not be written */
static gboolean
write_report (Run *run, JsonNode *report)
{
  const gchar *path = cli_invocation_get_value (run->invocation, "report");
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  if (path == NULL)
    return TRUE;
  text = cli_json_to_text (report, TRUE, TRUE);
  if (g_file_set_contents (path, text, -1, &error))
    return TRUE;
  {
    g_autoptr (WeftProblem) problem = weft_problem_new (WEFT_ERROR_OUTPUT_FAILED, NULL, NULL, NULL,
        "the report cannot be written: %s", error->message);

    cli_print_problem (problem);
  }
  return FALSE;
}

/* --- doing
 * ------------------------------------------------------------------------------------------------------
 */

static void
keep_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static WeftPlan *
make_plan (Run *run, gdouble stall_timeout_s, GError **error)
{
  g_autoptr (WeftJob) job = cli_job_load (run->invocation, run->cancellable, error);
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (job == NULL)
    return NULL;
  job = cli_job_place_outputs (run->invocation, g_steal_pointer (&job));
  run->job_id = g_strdup (weft_job_get_id (job));

  weft_plan_new_full_async (job, stall_timeout_s, run->cancellable, keep_result_cb, &result);
  plan = weft_plan_new_finish (wait_for (&result), error);
  if (plan == NULL || !weft_plan_check_supported (plan, error))
    return NULL;
  return g_steal_pointer (&plan);
}

static gboolean
render (Run *run, WeftRunner *runner, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  g_signal_connect (runner, "event", G_CALLBACK (event_cb), run);
  weft_runner_run_async (runner, run->cancellable, keep_result_cb, &result);
  return weft_runner_run_finish (runner, wait_for (&result), error);
}

static CliExit
finish (Run *run, WeftRunner *runner, const GError *error)
{
  JsonNode *known = runner ? weft_runner_get_report (runner) : NULL;
  g_autoptr (JsonNode) report = known ? json_node_ref (known) : make_early_report (run, error);
  CliExit code = error ? cli_exit_from_error (error) : CLI_EXIT_DONE;

  if (run->progress && error)
    cli_progress_clear (run->progress);
  else if (run->progress)
    cli_progress_end (run->progress, NULL);

  if (run->events == EVENTS_JSON && !run->has_ended) {
    g_autoptr (JsonNode) event = weft_event_new (run->job_id, 1,
        code == CLI_EXIT_CANCELLED ? "job.canceled" : "job.failed", json_node_copy (report));

    print_event (run, event);
  }
  if (code == CLI_EXIT_CANCELLED)
    g_printerr ("weft: cancelled; nothing was left behind\n");
  else if (error)
    cli_print_error (error);
  else if (run->progress)
    print_summary (run, json_node_get_object (report));
  if (!write_report (run, report) && code == CLI_EXIT_DONE)
    code = CLI_EXIT_OUTPUT;
  return code;
}

CliExit
cli_command_run (CliInvocation *invocation)
{
  const gchar *events = cli_invocation_get_value (invocation, "events");
  g_autoptr (Run) run = g_new0 (Run, 1);
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (WeftRunner) runner = NULL;
  g_autoptr (GError) error = NULL;
  gdouble stall_timeout_s;

  run->invocation = invocation;
  run->events = g_str_equal (events, "json")   ? EVENTS_JSON
                : g_str_equal (events, "none") ? EVENTS_NONE
                                               : EVENTS_TTY;
  run->start_us = g_get_monotonic_time ();
  run->has_reader = TRUE;
  run->cancellable = cli_signals_new_cancellable ();
  if (run->events == EVENTS_TTY)
    run->progress = cli_progress_new ();

  begin_stage (run, "planning");
  if (cli_invocation_get_stall_timeout (invocation, &stall_timeout_s, &error)
      && cli_start_gstreamer (&error))
    plan = make_plan (run, stall_timeout_s, &error);
  if (error == NULL && !g_cancellable_set_error_if_cancelled (run->cancellable, &error)) {
    begin_stage (run, "rendering");
    runner = weft_runner_new (plan);
    g_object_set (runner, "stall-timeout", stall_timeout_s, NULL);
    render (run, runner, &error);
  }
  return finish (run, runner, error);
}
