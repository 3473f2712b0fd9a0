/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan.h"

#include <gst/gst.h>
#include <string.h>

#include "weft-json.h"
#include "weft-plan-private.h"
#include "weft-probe.h"

/**
 * WeftPlan:
 *
 * Every decision about a job, taken: each source probed, each clip and overlay on a frame, each
 * output with its exact size, frames, samples and encoder.
 *
 * A plan is a JSON document (docs/design/0001): the same job on the same sources gives the same
 * bytes, and [ctor@Weft.Plan.new_from_json] takes them back. It is immutable, and may be used from
 * any thread.
 */
struct _WeftPlan {
  GObject parent_instance;

  JsonNode *root;
  GPtrArray *warnings; /* (element-type WeftProblem) */
};

G_DEFINE_FINAL_TYPE (WeftPlan, weft_plan, G_TYPE_OBJECT)

JsonObject *
weft_get_object (JsonObject *object, const gchar *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
weft_get_array (JsonObject *object, const gchar *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

const gchar *
weft_get_string (JsonObject *object, const gchar *name, const gchar *fallback)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : fallback;
}

gint64
weft_get_int (JsonObject *object, const gchar *name, gint64 fallback)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                                         : fallback;
}

gdouble
weft_get_double (JsonObject *object, const gchar *name, gdouble fallback)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  if (node != NULL
      && (json_node_get_value_type (node) == G_TYPE_INT64
          || json_node_get_value_type (node) == G_TYPE_DOUBLE))
    return json_node_get_double (node);
  return fallback;
}

gboolean
weft_get_time (JsonObject *object, const gchar *name, guint64 *time_ns)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && weft_job_parse_time (node, time_ns);
}

static void
planner_clear (WeftPlanner *self)
{
  g_clear_pointer (&self->by_uri, g_hash_table_unref);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_clear_pointer (&self->files, g_ptr_array_unref);
  g_clear_pointer (&self->problems, g_ptr_array_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  g_clear_pointer (&self->unsupported, json_array_unref);
  g_clear_pointer (&self->clips, json_array_unref);
  g_clear_pointer (&self->overlays, json_array_unref);
  g_clear_pointer (&self->fonts, json_array_unref);
  g_clear_pointer (&self->outputs, json_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftPlanner, planner_clear)

static void
plan_source_free (WeftPlanSource *source)
{
  g_free (source->uri);
  g_clear_pointer (&source->node, json_node_unref);
  g_clear_error (&source->error);
  g_free (source);
}

void
weft_planner_add_error (WeftPlanner *self, WeftError code, const gchar *pointer, const gchar *uri,
    const gchar *hint, const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (self->problems, weft_problem_new (code, pointer, uri, hint, "%s", message));
}

void
weft_planner_add_warning (WeftPlanner *self, WeftError code, const gchar *pointer, const gchar *uri,
    const gchar *hint, const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  WeftProblem *problem;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  problem = weft_problem_new (code, pointer, uri, hint, "%s", message);
  problem->is_warning = TRUE;
  g_ptr_array_add (self->warnings, problem);
}

/* A part of the job that is valid but that this build cannot run. */
void
weft_planner_add_unsupported (
    WeftPlanner *self, const gchar *pointer, const gchar *feature, const gchar *format, ...)
{
  JsonObject *object = json_object_new ();
  g_autofree gchar *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  json_object_set_string_member (object, "pointer", pointer);
  json_object_set_string_member (object, "feature", feature);
  json_object_set_string_member (object, "message", message);
  json_array_add_object_element (self->unsupported, object);
}

static gchar *
note_if_unresolved (
    WeftPlanner *self, const gchar *pointer, const gchar *uri, gchar *resolved, GError *error)
{
  if (resolved == NULL) {
    GPtrArray *problems = weft_error_get_problems (error);
    const WeftProblem *first =
        problems != NULL && problems->len > 0 ? g_ptr_array_index (problems, 0) : NULL;

    weft_planner_add_error (self, first != NULL ? first->code : WEFT_ERROR_INVALID_JOB, pointer,
        uri, first != NULL ? first->hint : NULL, "%s",
        first != NULL ? first->message : error->message);
  }
  return resolved;
}

/* Returns: (nullable): the absolute URI of a source; on failure the problem is noted */
gchar *
weft_planner_resolve (WeftPlanner *self, const gchar *pointer, const gchar *uri)
{
  g_autoptr (GError) error = NULL;
  gchar *resolved = weft_job_resolve_uri (self->job, uri, &error);

  return note_if_unresolved (self, pointer, uri, resolved, error);
}

/* Returns: (nullable): the absolute URI of an output; on failure the problem is noted */
gchar *
weft_planner_resolve_output (WeftPlanner *self, const gchar *pointer, const gchar *uri)
{
  g_autoptr (GError) error = NULL;
  gchar *resolved = weft_job_resolve_output_uri (self->job, uri, &error);

  return note_if_unresolved (self, pointer, uri, resolved, error);
}

/* Whether this build reads @uri; if not, that is noted. */
gboolean
weft_planner_can_use (WeftPlanner *self, const gchar *pointer, const gchar *uri)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  if (g_strcmp0 (scheme, "s3") != 0 || gst_uri_protocol_is_supported (GST_URI_SRC, "s3"))
    return TRUE;
  weft_planner_add_unsupported (self, pointer, "s3", "this build cannot read from S3");
  return FALSE;
}

static gboolean
read_rate (JsonObject *timeline, WeftRate *fps)
{
  JsonNode *node = json_object_get_member (timeline, "fps");
  gint num, den;

  if (node == NULL) {
    *fps = (WeftRate){ 30, 1 };
    return TRUE;
  }
  if (!weft_job_parse_fps (node, &num, &den) || num <= 0 || den <= 0)
    return FALSE;
  *fps = (WeftRate){ (guint) num, (guint) den };
  return TRUE;
}

static gboolean
planner_init (WeftPlanner *self, WeftJob *job, gdouble stall_timeout_s, GCancellable *cancellable,
    GError **error)
{
  JsonObject *timeline;

  self->job = job;
  self->cancellable = cancellable;
  self->stall_timeout_s = stall_timeout_s;
  self->document = json_node_get_object (weft_job_get_root (job));
  self->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) plan_source_free);
  self->by_uri = g_hash_table_new (g_str_hash, g_str_equal);
  self->files = g_ptr_array_new_with_free_func (g_free);
  self->problems = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  self->warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  self->unsupported = json_array_new ();
  self->clips = json_array_new ();
  self->overlays = json_array_new ();
  self->fonts = json_array_new ();
  self->outputs = json_array_new ();
  timeline = weft_get_object (self->document, "timeline");
  self->width = (guint) weft_get_int (timeline, "width", 1920);
  self->height = (guint) weft_get_int (timeline, "height", 1080);
  self->rate = (guint) weft_get_int (timeline, "rate", 48000);
  self->channels = (guint) weft_get_int (timeline, "channels", 2);
  if (timeline != NULL && read_rate (timeline, &self->fps))
    return TRUE;
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_INVALID_JOB, "/timeline/fps", NULL,
                 "write 30, 29.97 or \"30000/1001\"", "this is not a frame rate"));
  return FALSE;
}

static JsonObject *
timeline_to_json (WeftPlanner *self)
{
  JsonObject *object = json_object_new ();
  JsonArray *fps = json_array_new ();

  json_array_add_int_element (fps, self->fps.num);
  json_array_add_int_element (fps, self->fps.den);
  json_object_set_int_member (object, "width", self->width);
  json_object_set_int_member (object, "height", self->height);
  json_object_set_array_member (object, "fps", fps);
  json_object_set_int_member (object, "rate", self->rate);
  json_object_set_int_member (object, "channels", self->channels);
  json_object_set_string_member (object, "background",
      weft_get_string (weft_get_object (self->document, "timeline"), "background", "#000000"));
  json_object_set_int_member (object, "frames", (gint64) self->frames);
  json_object_set_int_member (object, "samples", (gint64) self->samples);
  json_object_set_double_member (
      object, "duration_s", weft_placement_frame_to_seconds (self->frames, self->fps));
  return object;
}

static JsonArray *
sources_to_json (WeftPlanner *self)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < self->sources->len; i++) {
    WeftPlanSource *source = g_ptr_array_index (self->sources, i);

    if (source->node != NULL)
      json_array_add_element (array, json_node_copy (source->node));
  }
  return array;
}

static JsonNode *
planner_to_json (WeftPlanner *self)
{
  JsonObject *root = json_object_new ();
  JsonObject *estimates = json_object_new ();
  JsonArray *warnings = json_array_new ();
  JsonNode *node = json_node_alloc ();

  for (guint i = 0; i < self->warnings->len; i++)
    json_array_add_element (warnings, weft_problem_to_json (g_ptr_array_index (self->warnings, i)));
  json_object_set_int_member (estimates, "peak_bytes", (gint64) self->peak_bytes);
  json_object_set_int_member (estimates, "output_bytes", (gint64) self->output_bytes);

  json_object_set_int_member (root, "plan_version", WEFT_PLAN_VERSION);
  json_object_set_string_member (root, "weft_version", WEFT_VERSION);
  json_object_set_string_member (root, "job_id", weft_job_get_id (self->job));
  if (json_object_has_member (self->document, "priority"))
    json_object_set_string_member (
        root, "priority", weft_get_string (self->document, "priority", "normal"));
  if (weft_get_object (self->document, "metadata") != NULL)
    json_object_set_member (
        root, "metadata", json_node_copy (json_object_get_member (self->document, "metadata")));
  json_object_set_object_member (root, "timeline", timeline_to_json (self));
  json_object_set_array_member (root, "sources", sources_to_json (self));
  json_object_set_array_member (root, "clips", json_array_ref (self->clips));
  json_object_set_array_member (root, "fonts", json_array_ref (self->fonts));
  json_object_set_array_member (root, "overlays", json_array_ref (self->overlays));
  json_object_set_array_member (root, "outputs", json_array_ref (self->outputs));
  json_object_set_array_member (root, "unsupported", json_array_ref (self->unsupported));
  json_object_set_array_member (root, "warnings", warnings);
  json_object_set_object_member (root, "estimates", estimates);
  json_node_init_object (node, root);
  json_object_unref (root);
  json_node_seal (node);
  return node;
}

/**
 * weft_plan_new_full:
 * @job: a job
 * @stall_timeout_s: seconds without a byte after which a source counts as stalled; 0 waits for ever
 * @cancellable: (nullable): cancels the probing of sources
 * @error: return location for a #GError in the %WEFT_ERROR domain, or %NULL
 *
 * Probes every source of @job, places every clip and overlay, and decides how each output is made.
 * It reads sources, several at a time, and looks at the places of outputs, but writes nothing. It
 * blocks; see [func@Weft.Plan.new_full_async].
 *
 * Everything that is wrong is reported, not only the first thing; see
 * [func@Weft.error_get_problems]. Parts of the job that this build cannot run are no error here:
 * they are listed in the plan, and [method@Weft.Plan.check_supported] makes an error of them.
 *
 * Returns: (transfer full): the plan
 */
WeftPlan *
weft_plan_new_full (
    WeftJob *job, gdouble stall_timeout_s, GCancellable *cancellable, GError **error)
{
  g_auto (WeftPlanner) planner = { 0 };
  WeftPlan *self;

  g_return_val_if_fail (WEFT_IS_JOB (job), NULL);
  g_return_val_if_fail (stall_timeout_s >= 0, NULL);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (!planner_init (&planner, job, stall_timeout_s, cancellable, error))
    return NULL;
  if (!weft_planner_probe_sources (&planner, error))
    return NULL;
  weft_planner_place_clips (&planner);
  if (planner.frames == 0 && planner.problems->len == 0
      && json_array_get_length (planner.unsupported) == 0)
    weft_planner_add_error (&planner, WEFT_ERROR_INVALID_JOB, "/timeline/clips", NULL,
        "see the warnings for why clips were left out",
        "no clip is left, so the timeline is empty");
  weft_planner_place_overlays (&planner);
  weft_planner_plan_outputs (&planner);
  weft_planner_check_limits (&planner);
  weft_planner_list_unsupported (&planner);
  if (planner.problems->len > 0) {
    for (guint i = 0; i < planner.warnings->len; i++)
      g_ptr_array_add (
          planner.problems, weft_problem_copy (g_ptr_array_index (planner.warnings, i)));
    weft_error_set_problems (error, planner.problems);
    return NULL;
  }
  self = g_object_new (WEFT_TYPE_PLAN, NULL);
  self->root = planner_to_json (&planner);
  self->warnings = g_ptr_array_ref (planner.warnings);
  return self;
}

/**
 * weft_plan_new:
 * @job: a job
 * @cancellable: (nullable): cancels the probing of sources
 * @error: return location for a #GError in the %WEFT_ERROR domain, or %NULL
 *
 * [ctor@Weft.Plan.new_full] with a stall timeout of %WEFT_STALL_TIMEOUT_DEFAULT_S.
 *
 * Returns: (transfer full): the plan
 */
WeftPlan *
weft_plan_new (WeftJob *job, GCancellable *cancellable, GError **error)
{
  return weft_plan_new_full (job, WEFT_STALL_TIMEOUT_DEFAULT_S, cancellable, error);
}

typedef struct {
  WeftJob *job;
  gdouble stall_timeout_s;
} PlanArgs;

static void
plan_args_free (PlanArgs *args)
{
  g_object_unref (args->job);
  g_free (args);
}

static void
plan_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  PlanArgs *args = task_data;
  GError *error = NULL;
  WeftPlan *plan = weft_plan_new_full (args->job, args->stall_timeout_s, cancellable, &error);

  if (plan != NULL)
    g_task_return_pointer (task, plan, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_plan_new_full_async:
 * @job: a job
 * @stall_timeout_s: seconds without a byte after which a source counts as stalled; 0 waits for ever
 * @cancellable: (nullable): cancels the probing of sources
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: for @callback
 *
 * Like [ctor@Weft.Plan.new_full], without blocking the caller.
 */
void
weft_plan_new_full_async (WeftJob *job, gdouble stall_timeout_s, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  PlanArgs *args;

  g_return_if_fail (WEFT_IS_JOB (job));
  g_return_if_fail (stall_timeout_s >= 0);

  args = g_new0 (PlanArgs, 1);
  args->job = g_object_ref (job);
  args->stall_timeout_s = stall_timeout_s;
  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_plan_new_full_async);
  /* The planner says CANCELLED in Weft's own domain. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, args, (GDestroyNotify) plan_args_free);
  g_task_run_in_thread (task, plan_thread);
}

/**
 * weft_plan_new_async:
 * @job: a job
 * @cancellable: (nullable): cancels the probing of sources
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: for @callback
 *
 * Like [ctor@Weft.Plan.new], without blocking the caller.
 */
void
weft_plan_new_async (
    WeftJob *job, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  weft_plan_new_full_async (job, WEFT_STALL_TIMEOUT_DEFAULT_S, cancellable, callback, user_data);
}

/**
 * weft_plan_new_finish:
 * @result: what the callback got
 * @error: return location for a #GError, or %NULL
 *
 * Returns: (transfer full): the plan
 */
WeftPlan *
weft_plan_new_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static WeftError
code_from_name (const gchar *name)
{
  for (gint code = 0; code <= WEFT_ERROR_INTERNAL; code++)
    if (g_strcmp0 (weft_error_to_name (code), name) == 0)
      return code;
  return WEFT_ERROR_INTERNAL;
}

static GPtrArray *
read_warnings (JsonObject *root)
{
  GPtrArray *warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  JsonArray *array = weft_get_array (root, "warnings");

  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    WeftProblem *problem =
        weft_problem_new (code_from_name (weft_get_string (object, "code", NULL)),
            weft_get_string (object, "pointer", NULL), weft_get_string (object, "uri", NULL),
            weft_get_string (object, "hint", NULL), "%s", weft_get_string (object, "message", ""));

    problem->is_warning = TRUE;
    g_ptr_array_add (warnings, problem);
  }
  return warnings;
}

/**
 * weft_plan_new_from_json:
 * @json: what [method@Weft.Plan.to_json] gave
 * @length: its length in bytes, or -1 if it ends with a zero byte
 * @error: return location for a #GError in the %WEFT_ERROR domain, or %NULL
 *
 * Takes a plan back. It is input: everything in it is checked, and nothing in it is believed
 * beyond what a plan may say.
 *
 * Returns: (transfer full): the plan
 */
WeftPlan *
weft_plan_new_from_json (const gchar *json, gssize length, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  WeftPlan *self;

  g_return_val_if_fail (json != NULL, NULL);

  root = weft_json_parse (json, length < 0 ? strlen (json) : (gsize) length, "the plan", error);
  if (root == NULL || !weft_plan_check_document (root, error))
    return NULL;
  self = g_object_new (WEFT_TYPE_PLAN, NULL);
  self->warnings = read_warnings (json_node_get_object (root));
  json_node_seal (root);
  self->root = g_steal_pointer (&root);
  return self;
}

/**
 * weft_plan_get_root:
 * @self: a plan
 *
 * Returns: (transfer none): the plan as JSON; it is immutable
 */
JsonNode *
weft_plan_get_root (WeftPlan *self)
{
  g_return_val_if_fail (WEFT_IS_PLAN (self), NULL);

  return self->root;
}

/**
 * weft_plan_get_warnings:
 * @self: a plan
 *
 * Returns: (element-type WeftProblem) (transfer none): what the plan does otherwise than the job
 * may have meant
 */
GPtrArray *
weft_plan_get_warnings (WeftPlan *self)
{
  g_return_val_if_fail (WEFT_IS_PLAN (self), NULL);

  return self->warnings;
}

/**
 * weft_plan_check_supported:
 * @self: a plan
 * @error: return location for a #GError, or %NULL
 *
 * Whether this build can run all of @self. If it cannot, @error is %WEFT_ERROR_UNSUPPORTED and
 * lists every part that it cannot run.
 *
 * Returns: %TRUE if it can
 */
gboolean
weft_plan_check_supported (WeftPlan *self, GError **error)
{
  g_autoptr (GPtrArray) problems =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  JsonArray *unsupported;

  g_return_val_if_fail (WEFT_IS_PLAN (self), FALSE);

  unsupported = weft_get_array (json_node_get_object (self->root), "unsupported");
  for (guint i = 0; i < json_array_get_length (unsupported); i++) {
    JsonObject *object = json_array_get_object_element (unsupported, i);

    g_ptr_array_add (problems,
        weft_problem_new (WEFT_ERROR_UNSUPPORTED, weft_get_string (object, "pointer", NULL), NULL,
            "take this part out of the job", "%s", weft_get_string (object, "message", "")));
  }
  if (problems->len == 0)
    return TRUE;
  weft_error_set_problems (error, problems);
  return FALSE;
}

/**
 * weft_plan_to_json:
 * @self: a plan
 * @pretty: whether to indent it for people
 *
 * Returns: (transfer full): the plan as text, the same bytes for the same plan
 */
gchar *
weft_plan_to_json (WeftPlan *self, gboolean pretty)
{
  g_return_val_if_fail (WEFT_IS_PLAN (self), NULL);

  return weft_json_to_text (self->root, pretty);
}

static void
weft_plan_finalize (GObject *object)
{
  WeftPlan *self = WEFT_PLAN (object);

  g_clear_pointer (&self->root, json_node_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  G_OBJECT_CLASS (weft_plan_parent_class)->finalize (object);
}

static void
weft_plan_class_init (WeftPlanClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_plan_finalize;
}

static void
weft_plan_init (WeftPlan *self)
{}
