/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "cli-signals.h"

CliExit
cli_command_probe (CliInvocation *invocation)
{
  g_autoptr (GFile) file =
      g_file_new_for_commandline_arg (cli_invocation_get_argument (invocation));
  g_autofree gchar *uri = g_file_get_uri (file);
  g_autoptr (GCancellable) cancellable = cli_signals_new_cancellable ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  gdouble stall_timeout_s;

  if (cli_invocation_get_stall_timeout (invocation, &stall_timeout_s, &error)
      && cli_start_gstreamer (&error))
    node =
        weft_probe_uri_full (uri, WEFT_PROBE_FLAGS_KEYFRAMES, stall_timeout_s, cancellable, &error);
  if (node == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }
  return cli_print_json (node, TRUE);
}
