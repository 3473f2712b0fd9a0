/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What `run`, `validate`, `plan` and `graph` share: reading the job that was named. */

#include "cli.h"

#include <gio/gunixinputstream.h>
#include <string.h>
#include <unistd.h>

/* No job document comes near; a stream without an end must not fill the memory. */
#define JOB_MAX_BYTES (16 * 1024 * 1024)

/* Returns: (transfer full) (nullable): the variables given with --set */
static GHashTable *
parse_variables (CliInvocation *invocation, GError **error)
{
  g_autoptr (GHashTable) variables =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const gchar *const *settings = cli_invocation_get_values (invocation, "set");

  for (guint i = 0; settings[i]; i++) {
    const gchar *equals = strchr (settings[i], '=');

    if (equals == NULL || equals == settings[i]) {
      g_set_error (error, CLI_USAGE_ERROR, 0, "--set needs NAME=VALUE, not “%s”", settings[i]);
      return NULL;
    }
    if (!g_utf8_validate (settings[i], -1, NULL)) {
      g_set_error (error, CLI_USAGE_ERROR, 0, "--set needs text in UTF-8");
      return NULL;
    }
    g_hash_table_insert (
        variables, g_strndup (settings[i], (gsize) (equals - settings[i])), g_strdup (equals + 1));
  }
  return g_steal_pointer (&variables);
}

static GBytes *
read_standard_input (GCancellable *cancellable, GError **error)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 buffer[16 * 1024];
  gssize n;

  while ((n = g_input_stream_read (input, buffer, sizeof buffer, cancellable, error)) > 0) {
    if (bytes->len + (gsize) n > JOB_MAX_BYTES) {
      weft_error_set_problem (error,
          weft_problem_new (WEFT_ERROR_INVALID_JOB, "", NULL, "is this really a job document?",
              "standard input holds more than %d MiB", JOB_MAX_BYTES >> 20));
      return NULL;
    }
    g_byte_array_append (bytes, buffer, (guint) n);
  }
  return n < 0 ? NULL : g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static WeftJob *
load_job (
    CliInvocation *invocation, GHashTable *variables, GCancellable *cancellable, GError **error)
{
  const gchar *name = cli_invocation_get_argument (invocation);

  if (g_str_equal (name, "-")) {
    g_autoptr (GBytes) bytes = read_standard_input (cancellable, error);
    g_autoptr (GFile) here = g_file_new_for_path (".");

    return bytes ? weft_job_new_from_bytes (bytes, here, variables, error) : NULL;
  } else {
    g_autoptr (GFile) file = g_file_new_for_commandline_arg (name);

    return weft_job_new_from_file (file, variables, error);
  }
}

/**
 * cli_job_load:
 * @invocation: of a command with a JOB argument and --set
 * @cancellable: (nullable): ends the wait for standard input
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full) (nullable): the job
 */
WeftJob *
cli_job_load (CliInvocation *invocation, GCancellable *cancellable, GError **error)
{
  g_autoptr (GHashTable) variables = parse_variables (invocation, error);
  g_autoptr (WeftJob) job = NULL;

  if (variables == NULL)
    return NULL;
  if (!(job = load_job (invocation, variables, cancellable, error)))
    return NULL;
  return g_steal_pointer (&job);
}

/**
 * cli_job_place_outputs:
 * @invocation: of a command with --output-dir
 * @job: (transfer full): its job
 *
 * Returns: (transfer full): @job with its relative outputs below --output-dir, if one was given
 */
WeftJob *
cli_job_place_outputs (CliInvocation *invocation, WeftJob *job)
{
  const gchar *folder = cli_invocation_get_value (invocation, "output-dir");
  g_autoptr (WeftJob) owned = job;
  g_autoptr (GFile) file = NULL;

  if (folder == NULL)
    return g_steal_pointer (&owned);
  file = g_file_new_for_commandline_arg (folder);
  return weft_job_copy_with_output_base (owned, file);
}

/**
 * cli_plan_load:
 * @invocation: of a command with a JOB argument, --set, --output-dir and --stall-timeout
 * @cancellable: ends the wait for standard input and for sources
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full) (nullable): the plan of the job; its warnings were printed
 */
WeftPlan *
cli_plan_load (CliInvocation *invocation, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftJob) job = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  gdouble stall_timeout_s;

  if (cli_invocation_get_stall_timeout (invocation, &stall_timeout_s, error)
      && cli_start_gstreamer (error))
    job = cli_job_load (invocation, cancellable, error);
  if (job)
    job = cli_job_place_outputs (invocation, g_steal_pointer (&job));
  if (job)
    plan = weft_plan_new_full (job, stall_timeout_s, cancellable, error);
  if (plan)
    cli_print_warnings (weft_plan_get_warnings (plan));
  return g_steal_pointer (&plan);
}
