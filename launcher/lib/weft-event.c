/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-event.h"

/**
 * weft_event_new:
 * @job_id: (nullable): the job it is about; %NULL if no job could be read
 * @seq: its place among the job's events, from 1
 * @type: `job.started`, `job.progress`, `job.warning`, `output.ready`, `job.succeeded`,
 * `job.failed` or `job.canceled`
 * @data: (transfer full): what happened
 *
 * Returns: (transfer full): the envelope `{"id", "seq", "type", "timestamp", "job_id", "data"}`,
 * the same on every way an event can take
 */
JsonNode *
weft_event_new (const gchar *job_id, guint64 seq, const gchar *type, JsonNode *data)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *timestamp = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  g_autofree gchar *owner = job_id ? g_strdup (job_id) : g_uuid_string_random ();
  g_autofree gchar *id = g_strdup_printf ("%s-%" G_GUINT64_FORMAT, owner, seq);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "id");
  json_builder_add_string_value (builder, id);
  json_builder_set_member_name (builder, "seq");
  json_builder_add_int_value (builder, (gint64) seq);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, type);
  json_builder_set_member_name (builder, "timestamp");
  json_builder_add_string_value (builder, timestamp);
  json_builder_set_member_name (builder, "job_id");
  if (job_id)
    json_builder_add_string_value (builder, job_id);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "data");
  json_builder_add_value (builder, data);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
