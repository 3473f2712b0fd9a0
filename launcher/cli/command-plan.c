/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "cli-signals.h"

/* It stands in the plan too, but among thousands of lines. */
static void
print_unsupported (WeftPlan *plan)
{
  JsonObject *root = json_node_get_object (weft_plan_get_root (plan));
  JsonArray *list = json_object_get_array_member (root, "unsupported");

  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *entry = json_array_get_object_element (list, i);
    g_autoptr (WeftProblem) problem = weft_problem_new (WEFT_ERROR_UNSUPPORTED,
        json_object_get_string_member_with_default (entry, "pointer", NULL), NULL,
        "the job cannot be run until it is taken out", "%s",
        json_object_get_string_member_with_default (entry, "message", ""));

    problem->is_warning = TRUE;
    cli_print_problem (problem);
  }
}

CliExit
cli_command_plan (CliInvocation *invocation)
{
  g_autoptr (GCancellable) cancellable = cli_signals_new_cancellable ();
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPlan) plan = cli_plan_load (invocation, cancellable, &error);

  if (plan == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }
  print_unsupported (plan);
  return cli_print_json (
      weft_plan_get_root (plan), !cli_invocation_get_flag (invocation, "show-secrets"));
}
