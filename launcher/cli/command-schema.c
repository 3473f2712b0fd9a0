/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

CliExit
cli_command_schema (CliInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = cli_data_find ("job.schema.json");
  g_autofree gchar *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error)) {
    cli_print_error (error);
    return CLI_EXIT_FAILED;
  }
  return cli_write_text (text) ? CLI_EXIT_DONE : CLI_EXIT_OUTPUT;
}
