/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "weft-probe.h"

CliExit
cli_command_probe (CliInvocation *invocation)
{
  g_autoptr (GFile) file =
      g_file_new_for_commandline_arg (cli_invocation_get_argument (invocation));
  g_autofree gchar *uri = g_file_get_uri (file);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (cli_start_gstreamer (&error))
    node = weft_probe_uri (uri, WEFT_PROBE_FLAGS_KEYFRAMES, NULL, &error);
  if (node == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }
  return cli_print_json (node, TRUE);
}
