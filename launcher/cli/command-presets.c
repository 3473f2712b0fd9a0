/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

CliExit
cli_command_presets (CliInvocation *invocation)
{
  g_autoptr (JsonNode) presets = weft_job_list_presets ();

  return cli_print_json (presets, TRUE);
}
