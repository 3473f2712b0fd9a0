/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "cli-signals.h"
#include "weft-redact.h"

static gchar *
graph_to_text (WeftGraph *graph, const gchar *format, GError **error)
{
  if (g_str_equal (format, "dot"))
    return weft_graph_to_dot (graph, error);
  if (g_str_equal (format, "json"))
    return weft_graph_to_json (graph, error);
  return weft_graph_to_launch (graph);
}

CliExit
cli_command_graph (CliInvocation *invocation)
{
  g_autoptr (GCancellable) cancellable = cli_signals_new_cancellable ();
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPlan) plan = cli_plan_load (invocation, cancellable, &error);
  g_autoptr (WeftGraph) graph = NULL;
  g_autofree gchar *text = NULL;
  g_autofree gchar *shown = NULL;
  g_autofree gchar *line = NULL;

  if (plan && weft_plan_check_supported (plan, &error))
    graph = weft_graph_new (plan, &error);
  if (graph)
    text = graph_to_text (graph, cli_invocation_get_value (invocation, "format"), &error);
  if (text == NULL) {
    cli_print_error (error);
    return cli_exit_from_error (error);
  }

  shown = cli_invocation_get_flag (invocation, "show-secrets") ? g_strdup (text)
                                                               : weft_redact_text (text);
  line = g_str_has_suffix (shown, "\n") ? g_strdup (shown) : g_strconcat (shown, "\n", NULL);
  return cli_write_text (line) ? CLI_EXIT_DONE : CLI_EXIT_OUTPUT;
}
