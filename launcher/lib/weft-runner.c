/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-runner.h"

#include <gst/gst.h>
#include <sys/resource.h>

#include "weft-event.h"
#include "weft-graph-private.h"
#include "weft-message.h"
#include "weft-meter.h"
#include "weft-publish.h"
#include "weft-probe.h"
#include "weft-report.h"

/* Progress is told five times a second. */
#define TICK_MS 200

/* A pipeline whose elements do not stop within this time is left behind, so that the caller
 * gets an answer all the same. */
#define TEARDOWN_LIMIT_S 15

/* The speed shown is that of about this many seconds. */
#define SPEED_WINDOW_US (2 * G_USEC_PER_SEC)

typedef enum { STATE_IDLE, STATE_RUNNING, STATE_STOPPING, STATE_ENDED } State;

/* [from][to] */
static const gboolean legal_moves[4][4] = {
  [STATE_IDLE] = { [STATE_RUNNING] = TRUE },
  [STATE_RUNNING] = { [STATE_STOPPING] = TRUE },
  [STATE_STOPPING] = { [STATE_ENDED] = TRUE },
};

struct _WeftRunner {
  GObject parent_instance;

  WeftPlan *plan;
  gdouble stall_timeout;

  /* All of this belongs to the thread that called run_async(). */
  State state;
  GTask *task;
  WeftGraph *graph;
  GstElement *pipeline;
  WeftMeter *meter;
  GPtrArray *publications; /* (element-type WeftPublication): one an output, in their order */
  GSList *sources;         /* (element-type GSource): attached to the caller's context */
  GSource *teardown_limit; /* (nullable) */
  GError *failure;         /* (nullable): why the run ends before its time */
  JsonNode *report;        /* (nullable) */
  guint64 seq;
  gint64 start_us;
  gdouble start_cpu_s;
  gchar *fingerprint; /* of the last tick at which something had moved */
  gint64 moved_us;
  gint64 window_us;
  guint64 window_frames;
  gdouble fps;
  gdouble percent;
};

enum { PROP_PLAN = 1, PROP_STALL_TIMEOUT, N_PROPS };
enum { SIGNAL_EVENT, N_SIGNALS };

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WeftRunner, weft_runner, G_TYPE_OBJECT)

static void
move (WeftRunner *self, State to)
{
  g_return_if_fail (legal_moves[self->state][to]);

  self->state = to;
}

static JsonObject *
get_plan (WeftRunner *self)
{
  return json_node_get_object (weft_plan_get_root (self->plan));
}

static gdouble
get_cpu_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (gdouble) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (gdouble) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Events */

static void
emit_event (WeftRunner *self, const gchar *type, JsonNode *data)
{
  const gchar *job_id = json_object_get_string_member_with_default (get_plan (self), "job_id", "");
  g_autoptr (JsonNode) event = weft_event_new (job_id, ++self->seq, type, data);

  g_signal_emit (self, signals[SIGNAL_EVENT], 0, event);
}

static JsonNode *
empty_data (void)
{
  JsonNode *node = json_node_alloc ();
  JsonObject *object = json_object_new ();

  json_node_init_object (node, object);
  json_object_unref (object);
  return node;
}

static void
emit_warning (WeftRunner *self, const WeftProblem *problem)
{
  emit_event (self, "job.warning", weft_problem_to_json (problem));
}

static void
add_progress_outputs (WeftRunner *self, JsonBuilder *builder)
{
  JsonArray *outputs = json_object_get_array_member (get_plan (self), "outputs");

  json_builder_begin_array (builder);
  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "id");
    json_builder_add_string_value (builder, json_object_get_string_member (output, "id"));
    json_builder_set_member_name (builder, "frame");
    json_builder_add_int_value (builder, (gint64) weft_meter_get_frames (self->meter, i));
    json_builder_set_member_name (builder, "frames");
    json_builder_add_int_value (
        builder, json_object_get_int_member_with_default (output, "frames", 1));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
emit_progress (WeftRunner *self, gint64 now_us)
{
  JsonObject *timeline = json_object_get_object_member (get_plan (self), "timeline");
  JsonArray *rate = json_object_get_array_member (timeline, "fps");
  gdouble timeline_fps = (gdouble) json_array_get_int_element (rate, 0)
                         / (gdouble) json_array_get_int_element (rate, 1);
  gint64 total = json_object_get_int_member (timeline, "frames");
  guint64 frame = weft_meter_get_done_frames (self->meter);
  gdouble elapsed_s = (gdouble) (now_us - self->start_us) / G_USEC_PER_SEC;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  self->percent = MAX (self->percent, 100.0 * weft_meter_get_fraction (self->meter));
  if (now_us - self->window_us >= SPEED_WINDOW_US || self->fps == 0) {
    if (now_us > self->window_us)
      self->fps = (gdouble) (frame - self->window_frames) * G_USEC_PER_SEC
                  / (gdouble) (now_us - self->window_us);
    self->window_us = now_us;
    self->window_frames = frame;
  }

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "percent");
  json_builder_add_double_value (builder, self->percent);
  json_builder_set_member_name (builder, "stage");
  json_builder_add_string_value (builder, "rendering");
  json_builder_set_member_name (builder, "frame");
  json_builder_add_int_value (builder, (gint64) frame);
  json_builder_set_member_name (builder, "frames");
  json_builder_add_int_value (builder, total);
  json_builder_set_member_name (builder, "fps");
  json_builder_add_double_value (builder, self->fps);
  json_builder_set_member_name (builder, "speed");
  json_builder_add_double_value (builder, self->fps / timeline_fps);
  json_builder_set_member_name (builder, "eta_s");
  /* From the whole run so far: steadier than the shown speed, which follows every clip. */
  if (self->percent > 0)
    json_builder_add_double_value (builder, elapsed_s * (100.0 - self->percent) / self->percent);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "outputs");
  add_progress_outputs (self, builder);
  json_builder_end_object (builder);
  emit_event (self, "job.progress", json_builder_get_root (builder));
}

/* The end of a run */

static void
remove_sources (WeftRunner *self)
{
  for (GSList *l = self->sources; l; l = l->next) {
    g_source_destroy (l->data);
    g_source_unref (l->data);
  }
  g_clear_pointer (&self->sources, g_slist_free);
}

static void
add_source (WeftRunner *self, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, g_task_get_context (self->task));
  self->sources = g_slist_prepend (self->sources, source);
}

static const gchar *
get_end_state (WeftRunner *self)
{
  if (self->failure == NULL)
    return "succeeded";
  return g_error_matches (self->failure, WEFT_ERROR, WEFT_ERROR_CANCELLED) ? "canceled" : "failed";
}

static void
emit_outputs_ready (WeftRunner *self)
{
  JsonArray *outputs =
      json_object_get_array_member (json_node_get_object (self->report), "outputs");

  for (guint i = 0; i < json_array_get_length (outputs); i++)
    emit_event (self, "output.ready", json_node_copy (json_array_get_element (outputs, i)));
}

static void
make_report (WeftRunner *self, const guint64 *bytes)
{
  WeftRun run = {
    .plan = self->plan,
    .state = get_end_state (self),
    .error = self->failure,
    .meter = self->meter,
    .bytes = bytes,
    .wall_s = (gdouble) (g_get_monotonic_time () - self->start_us) / G_USEC_PER_SEC,
    .cpu_s = get_cpu_s () - self->start_cpu_s,
  };

  g_clear_pointer (&self->report, json_node_unref);
  self->report = weft_report_new (&run);
}

/* Publishes or removes what was written, tells the caller and returns the task. */
static void
end_run (WeftRunner *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  g_autofree guint64 *bytes = NULL;

  if (self->failure == NULL && self->meter)
    weft_meter_check (self->meter, &self->failure);
  if (self->publications) {
    bytes = g_new0 (guint64, self->publications->len + 1);
    for (guint i = 0; i < self->publications->len; i++)
      bytes[i] = weft_publication_get_size (g_ptr_array_index (self->publications, i));
  }
  if (self->failure == NULL && self->publications)
    weft_publish_all (self->publications, &self->failure);
  make_report (self, self->failure ? NULL : bytes);

  /* The last one first: a folder goes with the output that made it, and must be empty then. */
  while (self->publications && self->publications->len > 0)
    g_ptr_array_remove_index (self->publications, self->publications->len - 1);
  g_clear_pointer (&self->publications, g_ptr_array_unref);
  g_clear_pointer (&self->meter, weft_meter_free);
  g_clear_object (&self->pipeline);
  g_clear_object (&self->graph);
  move (self, STATE_ENDED);

  if (self->failure == NULL) {
    emit_outputs_ready (self);
    emit_event (self, "job.succeeded", json_node_copy (self->report));
    g_task_return_boolean (task, TRUE);
    return;
  }
  emit_event (self,
      g_error_matches (self->failure, WEFT_ERROR, WEFT_ERROR_CANCELLED) ? "job.canceled"
                                                                        : "job.failed",
      json_node_copy (self->report));
  g_task_return_error (task, g_steal_pointer (&self->failure));
}

/* What elements said while they stopped, such as a file that could not be closed. */
static void
read_last_words (WeftRunner *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    if (self->failure == NULL)
      weft_error_set_problem (&self->failure, weft_message_to_problem (message, self->plan));
    gst_message_unref (message);
  }
  gst_bus_set_flushing (bus, TRUE);
}

static void
teardown_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  gst_element_set_state (data, GST_STATE_NULL);
  g_task_return_boolean (task, TRUE);
}

static void
torn_down_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WeftRunner *self = WEFT_RUNNER (source);

  /* The limit was reached before: the run has ended without this pipeline. */
  if (self->state != STATE_STOPPING || g_task_get_task_data (G_TASK (result)) != self->pipeline)
    return;
  g_source_destroy (self->teardown_limit);
  g_clear_pointer (&self->teardown_limit, g_source_unref);
  read_last_words (self);
  end_run (self);
}

static gboolean
teardown_limit_cb (gpointer user_data)
{
  WeftRunner *self = user_data;

  g_warning ("the pipeline did not stop within %d s; it is left behind", TEARDOWN_LIMIT_S);
  g_clear_pointer (&self->teardown_limit, g_source_unref);
  if (self->failure == NULL)
    weft_error_set_problem (
        &self->failure, weft_problem_new (WEFT_ERROR_STALLED, NULL, NULL, NULL,
                            "the graph did not stop within %d s", TEARDOWN_LIMIT_S));
  /* Its streaming threads may still touch the probes. */
  self->meter = NULL;
  end_run (self);
  return G_SOURCE_REMOVE;
}

/* Takes the graph down; the run ends when that is done. @failure is %NULL after EOS. */
static void
stop_run (WeftRunner *self, GError *failure)
{
  g_autoptr (GTask) teardown = NULL;

  if (self->state != STATE_RUNNING) {
    g_clear_error (&failure);
    return;
  }
  move (self, STATE_STOPPING);
  self->failure = failure;
  remove_sources (self);
  if (self->pipeline == NULL) {
    end_run (self);
    return;
  }

  if (self->meter)
    weft_meter_keep_source_stats (self->meter);
  self->teardown_limit = g_timeout_source_new_seconds (TEARDOWN_LIMIT_S);
  g_source_set_callback (self->teardown_limit, teardown_limit_cb, self, NULL);
  g_source_attach (self->teardown_limit, g_task_get_context (self->task));

  /* Elements may block while they stop, and the caller's context must not. */
  teardown = g_task_new (self, NULL, torn_down_cb, NULL);
  g_task_set_task_data (teardown, gst_object_ref (self->pipeline), gst_object_unref);
  g_task_run_in_thread (teardown, teardown_thread);
}

/* While it runs */

static gboolean
bus_cb (GstBus *bus, GstMessage *message, gpointer user_data)
{
  WeftRunner *self = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR: {
      GError *failure = NULL;

      weft_error_set_problem (&failure, weft_message_to_problem (message, self->plan));
      stop_run (self, failure);
      break;
    }
    case GST_MESSAGE_WARNING: {
      g_autoptr (WeftProblem) problem = weft_message_to_problem (message, self->plan);

      emit_warning (self, problem);
      break;
    }
    case GST_MESSAGE_EOS:
      emit_progress (self, g_get_monotonic_time ());
      stop_run (self, NULL);
      break;
    default:
      break;
  }
  return self->state == STATE_RUNNING ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gchar *
save_stalled_graph (WeftRunner *self)
{
  const gchar *job_id =
      json_object_get_string_member_with_default (get_plan (self), "job_id", "job");
  g_autofree gchar *folder = g_build_filename (g_get_user_cache_dir (), "weft", NULL);
  g_autofree gchar *name = g_strdup_printf ("stalled-%s.dot", job_id);
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  /* Without properties: URIs may hold secrets. */
  g_autofree gchar *dot = gst_debug_bin_to_dot_data (
      GST_BIN (self->pipeline), GST_DEBUG_GRAPH_SHOW_STATES | GST_DEBUG_GRAPH_SHOW_CAPS_DETAILS);

  if (g_mkdir_with_parents (folder, 0700) != 0 || !g_file_set_contents (path, dot, -1, NULL))
    return NULL;
  return g_steal_pointer (&path);
}

static void
fail_stalled (WeftRunner *self)
{
  g_autofree gchar *pad = weft_meter_find_waiting_pad (self->meter);
  g_autofree gchar *dot = save_stalled_graph (self);
  g_autofree gchar *hint = dot ? g_strdup_printf ("the graph at that moment is in %s", dot) : NULL;
  WeftProblem *problem = weft_problem_new (WEFT_ERROR_STALLED, NULL, NULL, hint,
      "nothing has moved for %g s; waiting at %s", self->stall_timeout, pad);
  GError *failure = NULL;

  /* "… (POINTER) URI; …" where a clip is what is waited for. */
  if (g_regex_match_simple ("\\((/[^)]*)\\) ", pad, 0, 0)) {
    g_auto (GStrv) parts = g_regex_split_simple ("\\((/[^)]*)\\) ([^ ;]+)", pad, 0, 0);

    problem->pointer = g_strdup (parts[1]);
    problem->uri = g_strdup (parts[2]);
  }
  problem->element = g_strdup (pad);
  weft_error_set_problem (&failure, problem);
  stop_run (self, failure);
}

static gboolean
tick_cb (gpointer user_data)
{
  WeftRunner *self = user_data;
  gint64 now_us = g_get_monotonic_time ();
  g_autofree gchar *fingerprint = weft_meter_get_fingerprint (self->meter);

  if (g_strcmp0 (fingerprint, self->fingerprint) != 0) {
    g_free (self->fingerprint);
    self->fingerprint = g_steal_pointer (&fingerprint);
    self->moved_us = now_us;
  } else if (self->stall_timeout > 0
             && (gdouble) (now_us - self->moved_us) > self->stall_timeout * G_USEC_PER_SEC) {
    fail_stalled (self);
    return G_SOURCE_REMOVE;
  }
  emit_progress (self, now_us);
  /* A handler may have ended the run. */
  return self->state == STATE_RUNNING ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  GError *failure = NULL;

  weft_error_set_problem (
      &failure, weft_problem_new (WEFT_ERROR_CANCELLED, NULL, NULL, NULL, "the job was cancelled"));
  stop_run (user_data, failure);
  return G_SOURCE_REMOVE;
}

/* Its start */

static gboolean
open_outputs (WeftRunner *self, GError **error)
{
  JsonArray *outputs = json_object_get_array_member (get_plan (self), "outputs");

  self->publications = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_publication_free);
  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    WeftPublication *publication =
        weft_publication_new (json_object_get_string_member (output, "uri"),
            json_object_get_string_member_with_default (output, "pointer", NULL), error);
    g_autofree gchar *name = weft_graph_element_name (self->graph, "sink", i);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (self->pipeline), name);

    if (publication == NULL)
      return FALSE;
    g_ptr_array_add (self->publications, publication);
    g_object_set (sink, "location", weft_publication_get_temporary_path (publication), NULL);
  }
  return TRUE;
}

static gboolean
start_graph (WeftRunner *self, GError **error)
{
  g_autoptr (GstBus) bus = NULL;
  GstElement *pipeline;

  if (!(self->graph = weft_graph_new (self->plan, error))
      || !(pipeline = weft_graph_get_pipeline (self->graph, error)))
    return FALSE;
  self->pipeline = gst_object_ref (pipeline);
  if (!open_outputs (self, error))
    return FALSE;
  self->meter = weft_meter_new (self->graph, self->plan, self->pipeline);

  /* The last words are read after the pipeline has stopped. */
  gst_pipeline_set_auto_flush_bus (GST_PIPELINE (self->pipeline), FALSE);
  bus = gst_element_get_bus (self->pipeline);
  add_source (self, gst_bus_create_watch (bus), G_SOURCE_FUNC (bus_cb));
  add_source (self, g_timeout_source_new (TICK_MS), tick_cb);
  self->moved_us = g_get_monotonic_time ();

  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    /* The reason is on the bus, where bus_cb() finds it; without one this is all there is. */
    if (!gst_bus_have_pending (bus)) {
      weft_error_set_problem (error,
          weft_problem_new (WEFT_ERROR_INTERNAL, NULL, NULL, NULL, "the graph does not start"));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
begin_cb (gpointer user_data)
{
  WeftRunner *self = user_data;
  GPtrArray *warnings = weft_plan_get_warnings (self->plan);
  GError *failure = NULL;

  emit_event (self, "job.started", empty_data ());
  for (guint i = 0; warnings && i < warnings->len; i++)
    emit_warning (self, g_ptr_array_index (warnings, i));
  if (self->state == STATE_RUNNING && !start_graph (self, &failure))
    stop_run (self, failure);
  return G_SOURCE_REMOVE;
}

/* GObject */

static void
weft_runner_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftRunner *self = WEFT_RUNNER (object);

  switch (id) {
    case PROP_PLAN:
      g_value_set_object (value, self->plan);
      break;
    case PROP_STALL_TIMEOUT:
      g_value_set_double (value, self->stall_timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
weft_runner_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftRunner *self = WEFT_RUNNER (object);

  switch (id) {
    case PROP_PLAN:
      self->plan = g_value_dup_object (value);
      break;
    case PROP_STALL_TIMEOUT:
      self->stall_timeout = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
weft_runner_finalize (GObject *object)
{
  WeftRunner *self = WEFT_RUNNER (object);

  g_clear_pointer (&self->report, json_node_unref);
  g_clear_pointer (&self->fingerprint, g_free);
  g_clear_object (&self->plan);
  G_OBJECT_CLASS (weft_runner_parent_class)->finalize (object);
}

static void
weft_runner_class_init (WeftRunnerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = weft_runner_get_property;
  object_class->set_property = weft_runner_set_property;
  object_class->finalize = weft_runner_finalize;

  /**
   * WeftRunner:plan:
   *
   * What is rendered.
   */
  props[PROP_PLAN] = g_param_spec_object ("plan", "Plan", "What is rendered", WEFT_TYPE_PLAN,
      G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * WeftRunner:stall-timeout:
   *
   * Seconds without any movement in the graph after which the run fails with %WEFT_ERROR_STALLED; 0
   * waits for ever.
   */
  props[PROP_STALL_TIMEOUT] = g_param_spec_double ("stall-timeout", "Stall timeout",
      "Seconds without any movement after which the run fails (0 = wait for ever)", 0, 86400,
      WEFT_STALL_TIMEOUT_DEFAULT_S, G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * WeftRunner::event:
   * @self: the runner
   * @event: the envelope `{"id", "seq", "type", "timestamp", "job_id", "data"}`
   *
   * Something happened. Emitted in the main context that was the thread's default when the run was
   * begun. The types are `job.started`, `job.progress`, `job.warning`, `output.ready` and, exactly
   * once and last, one of `job.succeeded`, `job.failed` and `job.canceled`.
   */
  signals[SIGNAL_EVENT] = g_signal_new ("event", WEFT_TYPE_RUNNER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
      NULL, G_TYPE_NONE, 1, JSON_TYPE_NODE | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
weft_runner_init (WeftRunner *self)
{}

/**
 * weft_runner_new:
 * @plan: what to render
 *
 * Returns: (transfer full): a runner, good for one run
 */
WeftRunner *
weft_runner_new (WeftPlan *plan)
{
  g_return_val_if_fail (WEFT_IS_PLAN (plan), NULL);

  return g_object_new (WEFT_TYPE_RUNNER, "plan", plan, NULL);
}

/**
 * weft_runner_run_async:
 * @self: a runner that has not run yet
 * @cancellable: (nullable): cancels the run; nothing of its outputs stays
 * @callback: (scope async): called in the thread's default main context when the run has ended
 * @user_data: data for @callback
 *
 * Renders the plan. Outputs appear under their names when all of them are complete, and not at all
 * otherwise.
 */
void
weft_runner_run_async (
    WeftRunner *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (WEFT_IS_RUNNER (self));
  g_return_if_fail (self->state == STATE_IDLE);

  move (self, STATE_RUNNING);
  self->task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->task, weft_runner_run_async);
  self->start_us = self->window_us = g_get_monotonic_time ();
  self->start_cpu_s = get_cpu_s ();
  if (cancellable)
    add_source (self, g_cancellable_source_new (cancellable), G_SOURCE_FUNC (cancelled_cb));
  add_source (self, g_idle_source_new (), begin_cb);
}

/**
 * weft_runner_run_finish:
 * @self: a runner
 * @result: what the callback of [method@Weft.Runner.run_async] was given
 * @error: return location for an error, or %NULL
 *
 * Returns: %TRUE if every output is complete and in its place
 */
gboolean
weft_runner_run_finish (WeftRunner *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
keep_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/**
 * weft_runner_run:
 * @self: a runner that has not run yet
 * @cancellable: (nullable): cancels the run; nothing of its outputs stays
 * @error: return location for an error, or %NULL
 *
 * Like [method@Weft.Runner.run_async], and returns when the run has ended. Events are emitted in
 * the calling thread.
 *
 * Returns: %TRUE if every output is complete and in its place
 */
gboolean
weft_runner_run (WeftRunner *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_return_val_if_fail (WEFT_IS_RUNNER (self), FALSE);

  context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  weft_runner_run_async (self, cancellable, keep_result_cb, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  return weft_runner_run_finish (self, result, error);
}

/**
 * weft_runner_get_report:
 * @self: a runner
 *
 * Returns: (transfer none) (nullable): the report of the run, or %NULL before it has ended
 */
JsonNode *
weft_runner_get_report (WeftRunner *self)
{
  g_return_val_if_fail (WEFT_IS_RUNNER (self), NULL);

  return self->report;
}
