/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

CliExit
cli_command_plan (CliInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPlan) plan = cli_plan_load (invocation, &error);

  if (plan == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }
  return cli_print_json (
      weft_plan_get_root (plan), !cli_invocation_get_flag (invocation, "show-secrets"));
}
