/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are, a job is read or refused with problems that can be shown. Built by clang
 * with -fsanitize=fuzzer, or with replay.c, which feeds it the files it is given. */

#include <string.h>

#include "fuzz.h"
#include "weft-job.h"
#include "weft-json.h"

/* g_assert() can be compiled out; these must not. */
static void
require (gboolean condition, const gchar *what)
{
  if (!condition)
    g_error ("%s", what);
}

static void
check_problems (GPtrArray *problems, gboolean are_warnings)
{
  for (guint i = 0; i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);
    g_autoptr (JsonNode) json = weft_problem_to_json (problem);
    g_autofree gchar *text = json_to_string (json, FALSE);

    require (g_utf8_validate (text, -1, NULL), "a problem that is not UTF-8 as JSON");
    require (problem->pointer != NULL, "a problem without a pointer");
    require (problem->hint != NULL && *problem->hint != '\0', "a problem without a hint");
    require (g_utf8_validate (problem->message, -1, NULL), "a message that is not UTF-8");
    require (g_utf8_validate (problem->hint, -1, NULL), "a hint that is not UTF-8");
    require (g_utf8_validate (problem->pointer, -1, NULL), "a pointer that is not UTF-8");
    require (!are_warnings || problem->is_warning, "an error among the warnings");
  }
  require (problems->len <= 200, "more problems than anybody reads");
}

/* What was read must be readable again, and come out the same. */
static void
check_job (WeftJob *job)
{
  g_autofree gchar *text = weft_job_to_json (job, FALSE);
  JsonObject *root = json_node_get_object (weft_job_get_root (job));
  JsonArray *outputs = json_object_get_array_member (root, "outputs");

  require (weft_job_get_id (job) != NULL, "a job without an id");
  require (g_utf8_validate (text, -1, NULL), "a job that is not UTF-8");
  check_problems (weft_job_get_warnings (job), TRUE);
  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    g_autofree gchar *uri =
        weft_job_resolve_uri (job, json_object_get_string_member (output, "uri"), NULL);

    require (uri != NULL, "an output that is nowhere");
    require (json_object_has_member (output, "id"), "an output without an id");
    require (json_object_has_member (output, "type"), "an output without a type");
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static GFile *base;
  static GHashTable *variables;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftJob) job = NULL;

  if (base == NULL) {
    base = g_file_new_for_path ("/jobs");
    variables = g_hash_table_new (g_str_hash, g_str_equal);
    g_hash_table_insert (variables, (gpointer) "given", (gpointer) "1 {{given}} \\{{");
  }
  job = weft_job_new_from_bytes (bytes, base, variables, &error);
  require ((job == NULL) == (error != NULL), "neither a job nor an error, or both");
  if (job != NULL) {
    check_job (job);
  } else {
    require (g_error_matches (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB), error->message);
    require (g_utf8_validate (error->message, -1, NULL), "an error that is not UTF-8");
    check_problems (weft_error_get_problems (error), FALSE);
  }
  return 0;
}
