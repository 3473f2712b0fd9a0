/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

static void
print_as_json (const WeftJob *job, GPtrArray *problems)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "valid");
  json_builder_add_boolean_value (builder, job != NULL);
  json_builder_set_member_name (builder, "problems");
  json_builder_begin_array (builder);
  for (guint i = 0; problems && i < problems->len; i++)
    json_builder_add_value (builder, weft_problem_to_json (g_ptr_array_index (problems, i)));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  cli_print_json (root, TRUE);
}

CliExit
cli_command_validate (CliInvocation *invocation)
{
  gboolean json = cli_invocation_get_flag (invocation, "json");
  gboolean strict = cli_invocation_get_flag (invocation, "strict");
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftJob) job = cli_job_load (invocation, NULL, &error);
  GPtrArray *warnings = job ? weft_job_get_warnings (job) : NULL;

  if (job == NULL) {
    if (json && error->domain == WEFT_ERROR)
      print_as_json (NULL, weft_error_get_problems (error));
    else
      cli_print_error (error);
    return cli_exit_from_error (error);
  }

  if (json) {
    print_as_json (job, warnings);
  } else {
    cli_print_warnings (warnings);
    if (warnings == NULL || warnings->len == 0)
      cli_write_text ("valid\n");
    else
      g_printerr ("%u warning%s\n", warnings->len, warnings->len == 1 ? "" : "s");
  }
  return strict && warnings && warnings->len > 0 ? CLI_EXIT_INVALID_JOB : CLI_EXIT_DONE;
}
