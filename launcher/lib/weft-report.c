/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-report.h"

#include <sys/resource.h>

static void
add_member (JsonBuilder *builder, const gchar *name, JsonNode *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_value (builder, value ? value : json_node_new (JSON_NODE_NULL));
}

static void
add_string (JsonBuilder *builder, const gchar *name, const gchar *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_int (JsonBuilder *builder, const gchar *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) MIN (value, (guint64) G_MAXINT64));
}

static void
add_double (JsonBuilder *builder, const gchar *name, gdouble value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

/* Returns: (transfer full): `{"code", "message", "retryable", "problems": […]}` */
JsonNode *
weft_error_to_json (const GError *error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  GPtrArray *problems = weft_error_get_problems (error);
  WeftError code = error->domain == WEFT_ERROR ? (WeftError) error->code : WEFT_ERROR_INTERNAL;

  json_builder_begin_object (builder);
  add_string (builder, "code", weft_error_to_name (code));
  add_string (builder, "message", error->message);
  json_builder_set_member_name (builder, "retryable");
  json_builder_add_boolean_value (builder, weft_error_is_retryable (code));
  json_builder_set_member_name (builder, "problems");
  json_builder_begin_array (builder);
  for (guint i = 0; problems && i < problems->len; i++)
    json_builder_add_value (builder, weft_problem_to_json (g_ptr_array_index (problems, i)));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* Bytes that clipsequence read of @uri; its stats hold a list of structures with `uri` and
 * `bytes-read`. */
static void
add_inputs (JsonBuilder *builder, const WeftRun *run)
{
  JsonObject *root = json_node_get_object (weft_plan_get_root (run->plan));
  JsonArray *sources = json_object_get_array_member (root, "sources");

  json_builder_set_member_name (builder, "inputs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < json_array_get_length (sources); i++) {
    JsonObject *source = json_array_get_object_element (sources, i);
    const gchar *uri = json_object_get_string_member (source, "uri");
    gint64 bytes_read = run->meter ? weft_meter_get_bytes_read (run->meter, uri) : -1;
    JsonNode *size = json_object_get_member (source, "size");

    json_builder_begin_object (builder);
    add_string (builder, "uri", uri);
    add_member (builder, "size", size ? json_node_copy (size) : NULL);
    if (bytes_read >= 0)
      add_int (builder, "bytes_read", (guint64) bytes_read);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_output (JsonBuilder *builder, const WeftRun *run, JsonObject *output, guint i)
{
  static const gchar *const copied[] = { "id", "uri", "type" };
  static const gchar *const sizes[] = { "width", "height" };
  JsonNode *video = json_object_get_member (output, "video");
  guint64 frames = run->meter ? weft_meter_get_frames (run->meter, i) : 0;

  json_builder_begin_object (builder);
  for (guint j = 0; j < G_N_ELEMENTS (copied); j++)
    add_string (
        builder, copied[j], json_object_get_string_member_with_default (output, copied[j], ""));
  add_int (builder, "bytes", run->bytes ? run->bytes[i] : 0);
  add_int (builder, "frames", frames);
  if (video) {
    JsonObject *root = json_node_get_object (weft_plan_get_root (run->plan));
    JsonArray *fps =
        json_object_get_array_member (json_object_get_object_member (root, "timeline"), "fps");

    add_int (builder, "samples", run->meter ? weft_meter_get_samples (run->meter, i) : 0);
    add_double (builder, "duration_s",
        (gdouble) frames * (gdouble) json_array_get_int_element (fps, 1)
            / (gdouble) json_array_get_int_element (fps, 0));
  }
  for (guint j = 0; j < G_N_ELEMENTS (sizes); j++)
    add_int (
        builder, sizes[j], (guint64) json_object_get_int_member_with_default (output, sizes[j], 0));
  if (video) {
    add_string (builder, "encoder",
        json_object_get_string_member_with_default (json_node_get_object (video), "encoder", ""));
    json_builder_set_member_name (builder, "segments");
    json_builder_begin_object (builder);
    add_int (builder, "copied", 0);
    add_int (builder, "cached", 0);
    add_int (builder, "encoded",
        json_array_get_length (json_object_get_array_member (output, "segments")));
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
}

/* Returns: (transfer full): the report of a run that has ended */
JsonNode *
weft_report_new (const WeftRun *run)
{
  JsonObject *root = json_node_get_object (weft_plan_get_root (run->plan));
  JsonArray *outputs = json_object_get_array_member (root, "outputs");
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  json_builder_begin_object (builder);
  add_string (builder, "job_id", json_object_get_string_member_with_default (root, "job_id", ""));
  add_string (builder, "state", run->state);
  add_member (builder, "error", run->error ? weft_error_to_json (run->error) : NULL);
  add_double (builder, "wall_s", run->wall_s);
  add_double (builder, "cpu_s", run->cpu_s);
  /* Linux counts ru_maxrss in KiB. */
  add_int (builder, "peak_rss_bytes", (guint64) usage.ru_maxrss * 1024);
  add_string (builder, "weft_version", WEFT_VERSION);
  add_inputs (builder, run);
  json_builder_set_member_name (builder, "outputs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < json_array_get_length (outputs); i++)
    add_output (builder, run, json_array_get_object_element (outputs, i), i);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
