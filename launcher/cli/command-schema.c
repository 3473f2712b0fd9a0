/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

CliExit
cli_command_schema (CliInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) schema = weft_job_load_schema (&error);
  g_autofree gchar *text = NULL;

  if (schema == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }
  text = g_strndup (g_bytes_get_data (schema, NULL), g_bytes_get_size (schema));
  return cli_write_text (text) ? CLI_EXIT_DONE : CLI_EXIT_OUTPUT;
}
