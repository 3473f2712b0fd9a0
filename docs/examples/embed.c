/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Renders a job from a C program. Build and run it with:
 *   cc embed.c -o embed $(pkg-config --cflags --libs weft-1.0) && ./embed job.json
 */

#include <gst/gst.h>
#include <weft.h>

static void
event_cb (WeftRunner *runner, JsonNode *event, gpointer user_data)
{
  JsonObject *envelope = json_node_get_object (event);
  const char *type = json_object_get_string_member (envelope, "type");
  JsonObject *data = json_object_get_object_member (envelope, "data");

  if (g_str_equal (type, "job.progress"))
    g_print ("%.0f %%\n", json_object_get_double_member (data, "percent"));
  else if (g_str_equal (type, "output.ready"))
    g_print ("ready: %s\n", json_object_get_string_member (data, "uri"));
}

static gboolean
render (const char *path, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (WeftJob) job = weft_job_new_from_file (file, NULL, error);
  g_autoptr (WeftPlan) plan = job ? weft_plan_new (job, NULL, error) : NULL;
  g_autoptr (WeftRunner) runner = NULL;

  if (plan == NULL || !weft_plan_check_supported (plan, error))
    return FALSE;
  runner = weft_runner_new (plan);
  g_signal_connect (runner, "event", G_CALLBACK (event_cb), NULL);
  return weft_runner_run (runner, NULL, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("Usage: embed JOB\n");
    return 2;
  }
  if (!render (argv[1], &error)) {
    GPtrArray *problems = weft_error_get_problems (error);

    for (guint i = 0; problems && i < problems->len; i++) {
      const WeftProblem *problem = g_ptr_array_index (problems, i);

      g_printerr ("%s: %s\n", problem->pointer ? problem->pointer : "-", problem->message);
    }
    return 1;
  }
  return 0;
}
