/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs: what becomes of a document, and that every bad one is refused where it is bad. */

#include <string.h>

#include "../support/patience.h"
#include "weft-job.h"
#include "weft-json.h"

#define CLIPS "\"timeline\":{\"clips\":[{\"src\":\"clip.mp4\"}]}"
#define OUTPUTS "\"outputs\":[{\"uri\":\"o.mp4\"}]"

static GHashTable *
make_variables (const gchar *name, const gchar *value)
{
  GHashTable *variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  if (name != NULL)
    g_hash_table_insert (variables, g_strdup (name), g_strdup (value));
  return variables;
}

static WeftJob *
read_text (const gchar *text, GHashTable *variables, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GFile) base = g_file_new_for_path ("/jobs");

  return weft_job_new_from_bytes (bytes, base, variables, error);
}

static WeftJob *
accept (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  WeftJob *job = read_text (text, NULL, &error);

  g_assert_no_error (error);
  return job;
}

static GPtrArray *
refuse (const gchar *text, GHashTable *variables)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftJob) job = read_text (text, variables, &error);

  if (job != NULL)
    g_error ("accepted: %s", text);
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  return g_ptr_array_ref (weft_error_get_problems (error));
}

static const WeftProblem *
find_problem (GPtrArray *problems, const gchar *pointer, const gchar *part)
{
  for (guint i = 0; i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);

    if (g_strcmp0 (problem->pointer, pointer) == 0
        && (strstr (problem->message, part) != NULL
            || (problem->hint && strstr (problem->hint, part))))
      return problem;
  }
  return NULL;
}

static void
assert_problem (GPtrArray *problems, const gchar *pointer, const gchar *part)
{
  g_autoptr (GString) all = g_string_new (NULL);

  if (find_problem (problems, pointer, part) != NULL)
    return;
  for (guint i = 0; i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);

    g_string_append_printf (all, "\n%s: %s; %s", problem->pointer, problem->message, problem->hint);
  }
  g_error ("no problem “%s” at %s among %u:%s", part, pointer, problems->len, all->str);
}

static JsonNode *
get (WeftJob *job, const gchar *pointer)
{
  return weft_json_lookup (weft_job_get_root (job), pointer);
}

static const gchar *
get_text (WeftJob *job, const gchar *pointer)
{
  return weft_json_get_text (get (job, pointer));
}

static gint64
get_int (WeftJob *job, const gchar *pointer)
{
  JsonNode *node = get (job, pointer);

  g_assert_nonnull (node);
  return json_node_get_int (node);
}

/* tests/data/hostile */

static gchar *
get_hostile_path (const gchar *name, const gchar *suffix)
{
  g_autofree gchar *file = g_strconcat (name, suffix, NULL);

  return g_build_filename (g_getenv ("WEFT_SOURCE_ROOT"), "tests", "data", "hostile", file, NULL);
}

static GHashTable *
read_expectations (void)
{
  g_autofree gchar *path = get_hostile_path ("expected", ".tsv");
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  GHashTable *cases =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) fields = g_strsplit (lines[i], "\t", -1);
    GPtrArray *lines_of_case;

    if (lines[i][0] == '#' || lines[i][0] == '\0')
      continue;
    g_assert_cmpuint (g_strv_length (fields), ==, 4);
    lines_of_case = g_hash_table_lookup (cases, fields[0]);
    if (lines_of_case == NULL) {
      lines_of_case = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
      g_hash_table_insert (cases, g_strdup (fields[0]), lines_of_case);
    }
    g_ptr_array_add (lines_of_case, g_steal_pointer (&fields));
  }
  return cases;
}

static void
check_case (const gchar *name, GPtrArray *expected)
{
  g_autofree gchar *path = get_hostile_path (name, ".json");
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  gint64 began = g_get_monotonic_time ();
  g_autoptr (WeftJob) job = weft_job_new_from_file (file, NULL, &error);
  const gchar *verdict = ((gchar **) g_ptr_array_index (expected, 0))[1];
  GPtrArray *problems;

  if (g_get_monotonic_time () - began > patience_us (10))
    g_error ("%s took too long", name);
  if (strcmp (verdict, "accept") == 0) {
    if (job == NULL)
      g_error ("%s was refused: %s", name, error->message);
    return;
  }
  g_assert_cmpstr (verdict, ==, "refuse");
  if (job != NULL)
    g_error ("%s was accepted", name);
  if (!g_error_matches (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB))
    g_error ("%s: %s", name, error->message);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  problems = weft_error_get_problems (error);
  if (problems->len != expected->len)
    g_error ("%s has %u problems, not %u: %s", name, problems->len, expected->len, error->message);
  for (guint i = 0; i < expected->len; i++) {
    gchar **fields = g_ptr_array_index (expected, i);
    g_autofree gchar *pointer = g_strcompress (fields[2]);
    g_autofree gchar *hint = g_strcompress (fields[3]);
    gboolean found = FALSE;

    for (guint k = 0; k < problems->len; k++) {
      const WeftProblem *problem = g_ptr_array_index (problems, k);

      g_assert_nonnull (problem->hint);
      found |= strcmp (problem->pointer, pointer) == 0 && strstr (problem->hint, hint) != NULL;
    }
    if (!found)
      g_error (
          "%s has no problem at “%s” with the hint “%s”: %s", name, pointer, hint, error->message);
  }
}

static void
test_hostile_documents (void)
{
  g_autoptr (GHashTable) cases = read_expectations ();
  GHashTableIter iter;
  gpointer name, expected;

  g_assert_cmpuint (g_hash_table_size (cases), >=, 500);
  g_hash_table_iter_init (&iter, cases);
  while (g_hash_table_iter_next (&iter, &name, &expected))
    check_case (name, expected);
}

/* A document that nobody expects anything of would be tested by nobody. */
static void
test_every_hostile_document_is_in_the_table (void)
{
  g_autoptr (GHashTable) cases = read_expectations ();
  g_autofree gchar *path =
      g_build_filename (g_getenv ("WEFT_SOURCE_ROOT"), "tests", "data", "hostile", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;
  const gchar *file;

  g_assert_nonnull (dir);
  while ((file = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *name = NULL;

    if (!g_str_has_suffix (file, ".json"))
      continue;
    name = g_strndup (file, strlen (file) - strlen (".json"));
    if (!g_hash_table_contains (cases, name))
      g_error ("%s is not in expected.tsv", file);
    n++;
  }
  g_assert_cmpuint (n, ==, g_hash_table_size (cases));
}

/* Documents too large to keep in the repository. */
static void
test_huge_documents_are_refused_soon (void)
{
  g_autofree gchar *letters = g_strnfill (10 * 1024 * 1024, 'x');
  g_autofree gchar *long_text =
      g_strdup_printf ("{\"timeline\":{\"clips\":[{\"src\":\"a\"}],\"overlays\":[{\"type\":"
                       "\"text\",\"text\":\"%s\"}]}," OUTPUTS "}",
          letters);
  g_autofree gchar *long_pattern =
      g_strdup_printf ("{" CLIPS ",\"id\":\"%s\"," OUTPUTS "}", letters);
  g_autofree gchar *long_time = g_strdup_printf (
      "{\"timeline\":{\"clips\":[{\"src\":\"a\",\"in\":\"%s\"}]}," OUTPUTS "}", letters);
  g_autoptr (GString) clips = g_string_new ("{\"timeline\":{\"clips\":[");
  g_autoptr (GString) bombs = g_string_new ("{\"variables\":{\"v\":\"");
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GPtrArray) problems = NULL;

  problems = refuse (long_text, NULL);
  assert_problem (problems, "/timeline/overlays/0/text", "10485760");
  g_clear_pointer (&problems, g_ptr_array_unref);
  problems = refuse (long_pattern, NULL);
  assert_problem (problems, "/id", "an id");
  g_clear_pointer (&problems, g_ptr_array_unref);
  problems = refuse (long_time, NULL);
  assert_problem (problems, "/timeline/clips/0/in", "a time");
  g_clear_pointer (&problems, g_ptr_array_unref);

  for (guint i = 0; i < 200000; i++)
    g_string_append (clips, i == 0 ? "{\"src\":5}" : ",{\"src\":5}");
  g_string_append (clips, "]}," OUTPUTS "}");
  problems = refuse (clips->str, NULL);
  assert_problem (problems, "/timeline/clips", "10000");
  g_clear_pointer (&problems, g_ptr_array_unref);

  /* A value of a megabyte, put in ten thousand times. */
  g_string_append_len (bombs, letters, 1024 * 1024);
  g_string_append (bombs, "\"},\"metadata\":{\"m\":[");
  for (guint i = 0; i < 10000; i++)
    g_string_append (bombs, i == 0 ? "\"{{v}}\"" : ",\"{{v}}\"");
  g_string_append (bombs, "]}," CLIPS "," OUTPUTS "}");
  problems = refuse (bombs->str, NULL);
  assert_problem (problems, "/metadata/m/64", "64 MiB");
  g_assert_cmpuint (problems->len, ==, 1);

  g_assert_cmpint (g_get_monotonic_time () - began, <, patience_us (60));
}

static void
test_a_hundred_problems_are_enough (void)
{
  g_autoptr (GString) text = g_string_new ("{\"timeline\":{\"clips\":[");
  g_autoptr (GPtrArray) problems = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (text, "%s{\"src\":\"{{unset%u}}\",\"fitt\":1}", i == 0 ? "" : ",", i);
  g_string_append (text, "]}," OUTPUTS "}");
  problems = refuse (text->str, NULL);
  g_assert_cmpuint (problems->len, ==, 100);
}

/* What becomes of a good document */

static void
test_a_short_job_is_completed (void)
{
  g_autoptr (WeftJob) job = accept ("{" CLIPS "," OUTPUTS "}");

  g_assert_cmpuint (weft_job_get_warnings (job)->len, ==, 0);
  g_assert_cmpint (get_int (job, "/version"), ==, 1);
  g_assert_cmpint (get_int (job, "/timeline/width"), ==, 1920);
  g_assert_cmpint (get_int (job, "/timeline/height"), ==, 1080);
  g_assert_cmpint (get_int (job, "/timeline/fps"), ==, 30);
  g_assert_cmpint (get_int (job, "/timeline/rate"), ==, 48000);
  g_assert_cmpstr (get_text (job, "/timeline/clips/0/fit"), ==, "cover");
  g_assert_cmpstr (get_text (job, "/timeline/clips/0/on_error"), ==, "fail");
  g_assert_cmpstr (get_text (job, "/timeline/clips/0/id"), ==, "clip-1");
  g_assert_cmpstr (get_text (job, "/outputs/0/id"), ==, "output-1");
  g_assert_cmpstr (get_text (job, "/outputs/0/type"), ==, "video");
  g_assert_cmpstr (get_text (job, "/outputs/0/container"), ==, "mp4");
  g_assert_cmpstr (get_text (job, "/outputs/0/video/codec"), ==, "h264");
  g_assert_cmpint (get_int (job, "/outputs/0/video/quality"), ==, 23);
  g_assert_cmpint (get_int (job, "/outputs/0/audio/bitrate"), ==, 128000);
  g_assert_cmpstr (get_text (job, "/id"), ==, weft_job_get_id (job));
}

static void
test_a_bit_rate_takes_the_place_of_a_quality (void)
{
  g_autoptr (WeftJob) job =
      accept ("{" CLIPS ",\"outputs\":[{\"uri\":\"o.mp4\",\"video\":{\"bitrate\":500000}}]}");

  g_assert_cmpint (get_int (job, "/outputs/0/video/bitrate"), ==, 500000);
  g_assert_null (get (job, "/outputs/0/video/quality"));
}

static void
test_ids_are_made_where_there_are_none (void)
{
  g_autoptr (WeftJob) job = accept ("{\"timeline\":{\"clips\":[{\"src\":\"a\"},{\"id\":\"clip-1\","
                                    "\"src\":\"b\"},{\"src\":\"c\"}]},"
                                    "\"outputs\":[{\"uri\":\"{{output.id}}.mp4\"}]}");

  g_assert_cmpstr (get_text (job, "/timeline/clips/0/id"), ==, "clip-1-");
  g_assert_cmpstr (get_text (job, "/timeline/clips/1/id"), ==, "clip-1");
  g_assert_cmpstr (get_text (job, "/timeline/clips/2/id"), ==, "clip-3");
  g_assert_cmpstr (get_text (job, "/outputs/0/uri"), ==, "output-1.mp4");
}

static void
test_job_ids_are_new_and_sort (void)
{
  g_autofree gchar *before = NULL;

  for (guint i = 0; i < 200; i++) {
    g_autoptr (WeftJob) job = accept ("{" CLIPS "," OUTPUTS "}");
    const gchar *id = weft_job_get_id (job);

    g_assert_true (g_str_has_prefix (id, "job_"));
    g_assert_cmpuint (strlen (id), ==, 30);
    g_assert_cmpuint (strspn (id + 4, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ==, 26);
    if (before != NULL)
      g_assert_cmpstr (before, <, id);
    g_free (before);
    before = g_strdup (id);
  }
}

static void
test_variables_are_replaced_once (void)
{
  g_autoptr (WeftJob) job =
      accept ("{\"id\":\"j-{{n}}\",\"variables\":{\"city\":\"Nice\",\"n\":7,\"half\":0.5,\"yes\":"
              "true,\"code\":\"{{ x }}\"},"
              "\"timeline\":{\"clips\":[{\"src\":\"{{city}}/{{ n }}-{{half}}-{{yes}}.mp4\"}],"
              "\"overlays\":[{\"type\":\"text\",\"text\":\"{{code}} \\\\{{city}} \\\\\\\\{{city}} "
              "} {{job.id}}\"}]},"
              "\"outputs\":[{\"id\":\"o{{n}}\",\"uri\":\"{{job.id}}/"
              "{{output.id}}.mp4\"}],\"metadata\":{\"{{n}}\":\"{{n}}\"}}");

  g_assert_cmpstr (weft_job_get_id (job), ==, "j-7");
  g_assert_cmpstr (get_text (job, "/timeline/clips/0/src"), ==, "Nice/7-0.5-true.mp4");
  g_assert_cmpstr (
      get_text (job, "/timeline/overlays/0/text"), ==, "{{ x }} {{city}} \\Nice } j-7");
  g_assert_cmpstr (get_text (job, "/outputs/0/uri"), ==, "j-7/o7.mp4");
  g_assert_cmpstr (get_text (job, "/metadata/{{n}}"), ==, "7");
}

static void
test_given_variables_win (void)
{
  static const gchar text[] = "{\"variables\":{\"m\":\"x\"},\"timeline\":{\"width\":\"{{w}}\","
                              "\"height\":720,\"clips\":[{\"src\":\"{{m}}/a.mp4\"}]}," OUTPUTS "}";
  g_autoptr (GHashTable) variables = make_variables ("m", "{{w}} <b>");
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftJob) job = NULL;

  g_hash_table_insert (variables, g_strdup ("w"), g_strdup ("640"));
  g_hash_table_insert (variables, g_strdup ("widht"), g_strdup ("1"));
  job = read_text (text, variables, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (get_text (job, "/timeline/clips/0/src"), ==, "{{w}} <b>/a.mp4");
  g_assert_cmpint (get_int (job, "/timeline/width"), ==, 640);
  g_assert_cmpuint (weft_job_get_warnings (job)->len, ==, 1);
  assert_problem (weft_job_get_warnings (job), "", "`widht`");
}

static void
test_given_variables_are_checked (void)
{
  g_autoptr (GHashTable) bad_name = make_variables ("job.id", "x");
  g_autoptr (GHashTable) bad_value = make_variables ("a", "\xff");
  g_autoptr (GPtrArray) problems = refuse ("{" CLIPS "," OUTPUTS "}", bad_name);

  assert_problem (problems, "", "not the name of a variable");
  g_ptr_array_unref (problems);
  problems = refuse ("{" CLIPS "," OUTPUTS "}", bad_value);
  assert_problem (problems, "", "UTF-8");
}

/* A text that came whole from a variable can be a number or a truth value, where one is wanted and
 * only there. */
static void
test_variables_can_be_numbers (void)
{
  g_autoptr (WeftJob) job =
      accept ("{\"variables\":{\"n\":\"700\",\"v\":\"0.5\",\"l\":true,\"t\":90},\"timeline\":{"
              "\"clips\":[{\"src\":\"{{n}}\",\"in\":\"{{t}}\",\"volume\":\"{{v}}\"}],"
              "\"overlays\":[{\"type\":\"text\",\"text\":\"{{n}}\",\"x\":\"{{v}}\",\"font\":{"
              "\"weight\":\"{{n}}\",\"family\":\"{{n}}\"}}],"
              "\"audio\":[{\"src\":\"m\",\"loop\":\"{{l}}\"}]}," OUTPUTS "}");

  g_assert_cmpstr (get_text (job, "/timeline/clips/0/src"), ==, "700");
  g_assert_cmpfloat (json_node_get_double (get (job, "/timeline/clips/0/volume")), ==, 0.5);
  g_assert_cmpfloat (json_node_get_double (get (job, "/timeline/clips/0/in")), ==, 90);
  g_assert_cmpstr (get_text (job, "/timeline/overlays/0/text"), ==, "700");
  g_assert_cmpfloat (json_node_get_double (get (job, "/timeline/overlays/0/x")), ==, 0.5);
  g_assert_cmpint (get_int (job, "/timeline/overlays/0/font/weight"), ==, 700);
  g_assert_cmpstr (get_text (job, "/timeline/overlays/0/font/family"), ==, "700");
  g_assert_true (json_node_get_boolean (get (job, "/timeline/audio/0/loop")));
}

static void
test_an_output_of_an_analysis_switches_it_on (void)
{
  g_autoptr (WeftJob) job =
      accept ("{\"timeline\":{\"clips\":[{\"src\":\"a\"}],\"overlays\":[{\"type\":\"captions\"}]},"
              "\"outputs\":[{\"type\":\"silence\",\"uri\":\"s.json\"},{\"type\":\"sprite\",\"uri\":"
              "\"s.PNG\"},{\"type\":\"transcript\",\"uri\":\"t.vtt\"}]}");

  g_assert_cmpint (get_int (job, "/analysis/silence/threshold_db"), ==, -35);
  g_assert_cmpstr (get_text (job, "/analysis/transcript/model"), ==, "base.en");
  g_assert_cmpstr (get_text (job, "/timeline/overlays/0/from"), ==, "transcript");
  g_assert_cmpstr (get_text (job, "/outputs/1/format"), ==, "png");
  g_assert_cmpstr (get_text (job, "/outputs/2/format"), ==, "vtt");
}

static void
test_a_job_cannot_be_changed (void)
{
  g_autoptr (WeftJob) job = accept ("{" CLIPS "," OUTPUTS "}");

  g_assert_true (json_node_is_immutable (weft_job_get_root (job)));
  g_assert_true (json_node_is_immutable (get (job, "/timeline/clips/0")));
}

static void
test_a_job_survives_being_written_and_read (void)
{
  g_autofree gchar *path =
      g_build_filename (g_getenv ("WEFT_SOURCE_ROOT"), "tests", "data", "full.json", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftJob) job = weft_job_new_from_file (file, NULL, &error);
  g_autofree gchar *text = NULL;
  g_autofree gchar *again_text = NULL;
  g_autoptr (WeftJob) again = NULL;

  g_assert_no_error (error);
  text = weft_job_to_json (job, TRUE);
  again = accept (text);
  again_text = weft_job_to_json (again, TRUE);
  g_assert_cmpstr (text, ==, again_text);
}

/* Presets */

static void
test_the_later_preset_and_the_job_win (void)
{
  g_autoptr (WeftJob) job = accept ("{\"preset\":[\"high\",\"reel-1080\",\"draft\"]," CLIPS
                                    ",\"outputs\":[{\"uri\":\"a.mp4\"},{\"uri\":\"b.mp4\","
                                    "\"video\":{\"bitrate\":100000,\"speed\":\"slow\"}},"
                                    "{\"type\":\"thumbnail\",\"uri\":\"p.jpg\"}]}");

  g_assert_cmpint (get_int (job, "/timeline/width"), ==, 1080);
  g_assert_cmpstr (get_text (job, "/outputs/0/video/speed"), ==, "ultrafast");
  g_assert_cmpint (get_int (job, "/outputs/0/video/quality"), ==, 30);
  g_assert_cmpint (get_int (job, "/outputs/0/audio/bitrate"), ==, 96000);
  g_assert_cmpstr (get_text (job, "/outputs/1/video/speed"), ==, "slow");
  g_assert_cmpint (get_int (job, "/outputs/1/video/bitrate"), ==, 100000);
  g_assert_null (get (job, "/outputs/1/video/quality"));
  g_assert_null (get (job, "/outputs/2/video"));
}

/* A width of the job and a height of the preset would be a shape that nobody asked for. */
static void
test_a_size_is_not_mixed (void)
{
  g_autoptr (WeftJob) job = accept ("{\"preset\":\"reel-1080\",\"timeline\":{\"width\":640,"
                                    "\"height\":640,\"clips\":[{\"src\":\"a\"}]}," OUTPUTS "}");
  g_autoptr (GPtrArray) problems = refuse (
      "{\"preset\":\"reel-1080\",\"timeline\":{\"width\":720,\"clips\":[{\"src\":\"a\"}]}," OUTPUTS
      "}",
      NULL);

  g_assert_cmpint (get_int (job, "/timeline/height"), ==, 640);
  assert_problem (problems, "/timeline", "`width` without `height`");
}

static void
test_output_defaults_are_those_of_every_video (void)
{
  g_autoptr (WeftJob) job =
      accept ("{" CLIPS ",\"output_defaults\":{\"video\":{\"bitrate\":200000,\"speed\":\"slow\"}},"
              "\"outputs\":[{\"uri\":\"a.mp4\",\"video\":{\"quality\":20}},{\"type\":\"hls\","
              "\"uri\":\"h/\"}]}");

  g_assert_cmpstr (get_text (job, "/outputs/0/video/speed"), ==, "slow");
  g_assert_null (get (job, "/outputs/0/video/bitrate"));
  g_assert_cmpint (get_int (job, "/outputs/1/video/bitrate"), ==, 200000);
}

static void
test_every_preset_works (void)
{
  static const gchar *const wanted[] = { "reel-1080", "tiktok", "instagram-reels", "youtube",
    "youtube-shorts", "draft", "standard", "high" };
  g_autoptr (JsonNode) list = weft_job_list_presets ();
  JsonObject *presets = json_node_get_object (list);

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("{\"preset\":\"%s\"," CLIPS "," OUTPUTS "}", wanted[i]);
    g_autoptr (WeftJob) job = accept (text);
    JsonObject *limits;

    g_assert_true (json_object_has_member (presets, wanted[i]));
    g_assert_cmpuint (weft_job_get_warnings (job)->len, ==, 0);
    limits =
        weft_json_get_member_object (json_object_get_object_member (presets, wanted[i]), "limits");
    if (limits != NULL) {
      g_assert_nonnull (weft_json_get_member_text (limits, "checked"));
      g_assert_nonnull (weft_json_get_member_text (limits, "source"));
      g_assert_cmpstr (get_text (job, "/limits/0/preset"), ==, wanted[i]);
    }
  }
}

static void
test_crossing_a_limit_is_a_warning (void)
{
  g_autoptr (WeftJob) job =
      accept ("{\"preset\":[\"instagram-reels\",\"youtube-shorts\"],\"timeline\":{\"fps\":120,"
              "\"width\":2160,\"height\":1080,\"clips\":[{\"src\":\"a\",\"out\":\"00:20:00\"}]},"
              "\"outputs\":[{\"uri\":\"o.mp4\",\"video\":{\"bitrate\":30000000,\"codec\":\"av1\"},"
              "\"audio\":{\"bitrate\":256000}}]}");
  GPtrArray *warnings = weft_job_get_warnings (job);

  assert_problem (warnings, "/timeline/fps",
      "Instagram Reels takes at most 60 frames a second, and this has 120");
  assert_problem (
      warnings, "/timeline/clips", "Instagram Reels takes at most 900 seconds, and this has 1200");
  assert_problem (warnings, "/timeline/clips", "YouTube Shorts takes at most 180 seconds");
  assert_problem (warnings, "/outputs/0", "at most 1920 pixels from left to right");
  assert_problem (warnings, "/outputs/0", "YouTube Shorts takes portrait or square");
  assert_problem (warnings, "/outputs/0/video/bitrate", "25000000");
  assert_problem (warnings, "/outputs/0/audio/bitrate", "128000");
  assert_problem (warnings, "/outputs/0/video/codec", "does not take av1");
  for (guint i = 0; i < warnings->len; i++)
    g_assert_true (((WeftProblem *) g_ptr_array_index (warnings, i))->is_warning);
}

static gchar *preset_folder;

static void
write_preset (const gchar *name, const gchar *text)
{
  g_autofree gchar *folder = g_build_filename (preset_folder, "weft", "presets", NULL);
  g_autofree gchar *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* What is wrong in a preset is a problem of the member that names it: the author sees nothing else.
 */
static void
test_problems_of_presets_are_problems_of_their_name (void)
{
  g_autoptr (GPtrArray) problems = NULL;
  g_autoptr (WeftJob) job = NULL;

  write_preset ("wrong.json", "{\"timeline\":{\"fps\":\"x\",\"colour\":1,\"clips\":[{\"srcc\":1}]},"
                              "\"variables\":{\"own\":\"{{job.id}}\"}}");
  write_preset ("broken.json", "{\"timeline\":");
  write_preset ("list.json", "[]");
  write_preset ("own.json", "{\"timeline\":{\"width\":320,\"height\":240,\"background\":\"{{back}}"
                            "\"},\"variables\":{\"back\":\"#123\"}}");
  write_preset ("draft.json", "{\"output_defaults\":{\"video\":{\"quality\":50}}}");

  problems = refuse ("{\"preset\":\"wrong\",\"outputs\":[{\"uri\":\"o.mp4\"}]}", NULL);
  assert_problem (problems, "/preset", "/timeline/fps comes from a preset");
  assert_problem (problems, "/preset", "/timeline/colour");
  assert_problem (problems, "/preset", "/timeline/clips/0/srcc");
  g_clear_pointer (&problems, g_ptr_array_unref);
  problems = refuse ("{\"preset\":[\"own\",\"broken\"]," CLIPS "," OUTPUTS "}", NULL);
  assert_problem (problems, "/preset/1", "cannot be read");
  g_clear_pointer (&problems, g_ptr_array_unref);
  problems = refuse ("{\"preset\":\"list\"," CLIPS "," OUTPUTS "}", NULL);
  assert_problem (problems, "/preset", "a preset is an object");

  job = accept ("{\"preset\":\"own\"," CLIPS "," OUTPUTS "}");
  g_assert_cmpstr (get_text (job, "/timeline/background"), ==, "#123");
  g_clear_object (&job);
  /* $WEFT_DATA_DIR comes before the user's own. */
  job = accept ("{\"preset\":\"draft\"," CLIPS "," OUTPUTS "}");
  g_assert_cmpint (get_int (job, "/outputs/0/video/quality"), ==, 30);
}

static void
test_names_of_presets_can_be_variables (void)
{
  g_autoptr (WeftJob) job =
      accept ("{\"variables\":{\"p\":\"draft\"},\"preset\":\"{{p}}\"," CLIPS "," OUTPUTS "}");

  g_assert_cmpint (get_int (job, "/outputs/0/video/quality"), ==, 30);
}

/* Warnings of the job's own */

static void
test_odd_jobs_are_warned_of (void)
{
  static const struct {
    const gchar *text;
    const gchar *pointer;
    const gchar *part;
  } cases[] = {
    { "{" CLIPS ",\"outputs\":[{\"uri\":\"o.webm\"}]}", "/outputs/0/uri", ".webm" },
    { "{" CLIPS ",\"outputs\":[{\"uri\":\"o.mp4\",\"width\":3840}]}", "/outputs/0", "scaled up" },
    { "{" CLIPS ",\"outputs\":[{\"uri\":\"o.mp4\",\"width\":640,\"height\":640}]}", "/outputs/0",
        "distorted" },
    { "{" CLIPS ",\"outputs\":[{\"type\":\"thumbnail\",\"uri\":\"o.png\",\"format\":\"jpeg\"}]}",
        "/outputs/0/uri", "the format is jpeg" },
    { "{\"timeline\":{\"clips\":[{\"src\":\"a\",\"transition\":{\"type\":\"fade\"}}]}," OUTPUTS "}",
        "/timeline/clips/0/transition", "first clip" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (WeftJob) job = accept (cases[i].text);

    g_assert_cmpuint (weft_job_get_warnings (job)->len, ==, 1);
    assert_problem (weft_job_get_warnings (job), cases[i].pointer, cases[i].part);
  }
}

/* Files */

static void
test_a_file_that_cannot_be_read_is_said_so (void)
{
  static const gchar *const paths[] = { "/nowhere/job.json", "/" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GFile) file = g_file_new_for_path (paths[i]);
    g_autoptr (GError) error = NULL;

    g_assert_null (weft_job_new_from_file (file, NULL, &error));
    g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
    g_assert_nonnull (strstr (error->message, "cannot be read"));
  }
}

static void
test_a_file_without_an_end_is_refused (void)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/dev/zero");
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_job_new_from_file (file, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  g_assert_nonnull (strstr (error->message, "16777216"));
}

static void
test_an_output_cannot_overwrite_the_job (void)
{
  g_autofree gchar *path = g_build_filename (preset_folder, "job.json", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;

  g_assert_true (
      g_file_set_contents (path, "{" CLIPS ",\"outputs\":[{\"uri\":\"./job.json\"}]}", -1, NULL));
  g_assert_null (weft_job_new_from_file (file, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  assert_problem (weft_error_get_problems (error), "/outputs/0/uri", "the job itself");
}

static void
test_uris_are_made_absolute (void)
{
  static const struct {
    const gchar *given;
    const gchar *made; /* NULL: refused */
  } cases[] = {
    { "a.mp4", "file:///jobs/a.mp4" },
    { "./x//a.mp4", "file:///jobs/x/a.mp4" },
    { "../a.mp4", "file:///jobs/../a.mp4" },
    { "/x/a.mp4", "file:///x/a.mp4" },
    { "a b#1?2.mp4", "file:///jobs/a%20b%231%3F2.mp4" },
    { "50%.mp4", "file:///jobs/50%25.mp4" },
    { "a%20b.mp4", "file:///jobs/a%2520b.mp4" },
    { "é🌴.mp4", "file:///jobs/%C3%A9%F0%9F%8C%B4.mp4" },
    { "./c:d.mp4", "file:///jobs/c:d.mp4" },
    { "1:2.mp4", "file:///jobs/1:2.mp4" },
    { "file:///x/a%20b.mp4", "file:///x/a%20b.mp4" },
    { "FILE:///x/./a.mp4", "file:///x/a.mp4" },
    { "file://localhost/x.mp4", "file:///x.mp4" },
    { "https://e.org/a.mp4?x=%2F#t=1", "https://e.org/a.mp4?x=%2F#t=1" },
    { "s3://b/k/%41 #?", "s3://b/k/%41 #?" },
    { "", NULL },
    { "c:d.mp4", NULL },
    { "file:x.mp4", NULL },
    { "file:///a%00b", NULL },
    { "file:///a%2", NULL },
    { "http://", NULL },
    { "http://[x]/", NULL },
    { "s3:b/k", NULL },
    { "a\nb", NULL },
    { "\xff", NULL },
  };
  g_autoptr (WeftJob) job = accept ("{" CLIPS "," OUTPUTS "}");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *made = weft_job_resolve_uri (job, cases[i].given, &error);

    g_assert_cmpstr (made, ==, cases[i].made);
    if (made == NULL)
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  }
}

static void
test_outputs_can_have_a_folder_of_their_own (void)
{
  g_autoptr (WeftJob) job = accept ("{" CLIPS "," OUTPUTS "}");
  g_autoptr (GFile) folder = g_file_new_for_path ("/out dir");
  g_autoptr (WeftJob) moved = weft_job_copy_with_output_base (job, folder);
  g_autofree gchar *source = weft_job_resolve_uri (moved, "a.mp4", NULL);
  g_autofree gchar *target = weft_job_resolve_output_uri (moved, "a.mp4", NULL);
  g_autofree gchar *old = weft_job_resolve_output_uri (job, "a.mp4", NULL);

  g_assert_cmpstr (source, ==, "file:///jobs/a.mp4");
  g_assert_cmpstr (target, ==, "file:///out%20dir/a.mp4");
  g_assert_cmpstr (old, ==, "file:///jobs/a.mp4");
  g_assert_cmpstr (weft_job_get_id (moved), ==, weft_job_get_id (job));
}

/* Times and rates */

static void
test_times (void)
{
  static const struct {
    const gchar *json;
    gint64 ns; /* negative: no time */
  } cases[] = {
    { "0", 0 },
    { "1.5", 1500000000 },
    { "0.1", 100000000 },
    { "0.0000000005", 1 },
    { "3600000", 3600000000000000 },
    { "3600000.001", -1 },
    { "-0.0", 0 },
    { "-1e-9", -1 },
    { "1e300", -1 },
    { "\"1:02\"", 62000000000 },
    { "\"01:02:03.250\"", 3723250000000 },
    { "\"999:59:59.999999999\"", 3599999999999999 },
    { "\"1000:00:00\"", 3600000000000000 },
    { "\"1000:00:00.000000001\"", -1 },
    { "\"1001:00:00\"", -1 },
    { "\"12.25\"", 12250000000 },
    { "\"0\"", 0 },
    { "\"00:60\"", -1 },
    { "\"60:00\"", -1 },
    { "\"00:60:00\"", -1 },
    { "\"1:2\"", -1 },
    { "\"1:2:03\"", 3723000000000 },
    { "\"0:00.\"", -1 },
    { "\"0:00.1234567891\"", -1 },
    { "\"end\"", -1 },
    { "\"\"", -1 },
    { "\" 1\"", -1 },
    { "\"-1\"", -1 },
    { "\"1e3\"", -1 },
    { "\"99999999\"", -1 },
    { "true", -1 },
    { "null", -1 },
    { "[1]", -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (JsonNode) node = weft_json_parse (cases[i].json, strlen (cases[i].json), "t", NULL);
    guint64 time_ns = 7;
    gboolean ok = weft_job_parse_time (node, &time_ns);

    g_assert_cmpint (ok, ==, weft_job_parse_time (node, NULL));
    if (ok != (cases[i].ns >= 0) || time_ns != (ok ? (guint64) cases[i].ns : 7))
      g_error ("%s became %" G_GUINT64_FORMAT, cases[i].json, time_ns);
  }
}

static void
test_a_time_that_is_not_a_number_is_none (void)
{
  g_autoptr (JsonNode) node = json_node_init_double (json_node_alloc (), 0.0 / 0.0);

  g_assert_false (weft_job_parse_time (node, NULL));
}

static void
test_frame_rates (void)
{
  static const struct {
    const gchar *json;
    gint n, d; /* 0: no rate */
  } cases[] = {
    { "30", 30, 1 },
    { "25.0", 25, 1 },
    { "29.97", 30000, 1001 },
    { "23.976", 24000, 1001 },
    { "23.98", 24000, 1001 },
    { "59.94", 60000, 1001 },
    { "119.88", 120000, 1001 },
    { "12.5", 25, 2 },
    { "7.3", 73, 10 },
    { "1", 1, 1 },
    { "240", 240, 1 },
    { "\"30000/1001\"", 30000, 1001 },
    { "\"24\"", 24, 1 },
    { "\"60/2\"", 60, 2 },
    { "240.1", 0, 0 },
    { "0.9", 0, 0 },
    { "\"1/2\"", 0, 0 },
    { "\"1/0\"", 0, 0 },
    { "\"30/\"", 0, 0 },
    { "\"30/1x\"", 0, 0 },
    { "\"\"", 0, 0 },
    { "true", 0, 0 },
    { "null", 0, 0 },
    { "[30]", 0, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (JsonNode) node = weft_json_parse (cases[i].json, strlen (cases[i].json), "t", NULL);
    gint n = 0, d = 0;

    weft_job_parse_fps (node, &n, &d);
    if (n != cases[i].n || d != cases[i].d)
      g_error ("%s became %d/%d", cases[i].json, n, d);
  }
}

static void
test_the_schema_can_be_had (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = weft_job_load_schema (&error);
  g_autoptr (JsonNode) root = NULL;

  g_assert_no_error (error);
  root =
      weft_json_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "schema", &error);
  g_assert_no_error (error);
  g_assert_nonnull (weft_json_lookup (root, "/properties/timeline"));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  preset_folder = g_dir_make_tmp ("weft-job-XXXXXX", NULL);
  g_setenv ("XDG_DATA_HOME", preset_folder, TRUE);
  g_test_add_func ("/job/hostile-documents", test_hostile_documents);
  g_test_add_func (
      "/job/every-hostile-document-is-in-the-table", test_every_hostile_document_is_in_the_table);
  g_test_add_func ("/job/huge-documents-are-refused-soon", test_huge_documents_are_refused_soon);
  g_test_add_func ("/job/a-hundred-problems-are-enough", test_a_hundred_problems_are_enough);
  g_test_add_func ("/job/a-short-job-is-completed", test_a_short_job_is_completed);
  g_test_add_func (
      "/job/a-bit-rate-takes-the-place-of-a-quality", test_a_bit_rate_takes_the_place_of_a_quality);
  g_test_add_func (
      "/job/ids-are-made-where-there-are-none", test_ids_are_made_where_there_are_none);
  g_test_add_func ("/job/job-ids-are-new-and-sort", test_job_ids_are_new_and_sort);
  g_test_add_func ("/job/variables-are-replaced-once", test_variables_are_replaced_once);
  g_test_add_func ("/job/given-variables-win", test_given_variables_win);
  g_test_add_func ("/job/given-variables-are-checked", test_given_variables_are_checked);
  g_test_add_func ("/job/variables-can-be-numbers", test_variables_can_be_numbers);
  g_test_add_func (
      "/job/an-output-of-an-analysis-switches-it-on", test_an_output_of_an_analysis_switches_it_on);
  g_test_add_func ("/job/a-job-cannot-be-changed", test_a_job_cannot_be_changed);
  g_test_add_func (
      "/job/a-job-survives-being-written-and-read", test_a_job_survives_being_written_and_read);
  g_test_add_func ("/job/the-later-preset-and-the-job-win", test_the_later_preset_and_the_job_win);
  g_test_add_func ("/job/a-size-is-not-mixed", test_a_size_is_not_mixed);
  g_test_add_func ("/job/output-defaults-are-those-of-every-video",
      test_output_defaults_are_those_of_every_video);
  g_test_add_func ("/job/every-preset-works", test_every_preset_works);
  g_test_add_func ("/job/crossing-a-limit-is-a-warning", test_crossing_a_limit_is_a_warning);
  g_test_add_func ("/job/problems-of-presets-are-problems-of-their-name",
      test_problems_of_presets_are_problems_of_their_name);
  g_test_add_func (
      "/job/names-of-presets-can-be-variables", test_names_of_presets_can_be_variables);
  g_test_add_func ("/job/odd-jobs-are-warned-of", test_odd_jobs_are_warned_of);
  g_test_add_func (
      "/job/a-file-that-cannot-be-read-is-said-so", test_a_file_that_cannot_be_read_is_said_so);
  g_test_add_func ("/job/a-file-without-an-end-is-refused", test_a_file_without_an_end_is_refused);
  g_test_add_func (
      "/job/an-output-cannot-overwrite-the-job", test_an_output_cannot_overwrite_the_job);
  g_test_add_func ("/job/uris-are-made-absolute", test_uris_are_made_absolute);
  g_test_add_func (
      "/job/outputs-can-have-a-folder-of-their-own", test_outputs_can_have_a_folder_of_their_own);
  g_test_add_func ("/job/times", test_times);
  g_test_add_func (
      "/job/a-time-that-is-not-a-number-is-none", test_a_time_that_is_not_a_number_is_none);
  g_test_add_func ("/job/frame-rates", test_frame_rates);
  g_test_add_func ("/job/the-schema-can-be-had", test_the_schema_can_be_had);
  status = g_test_run ();
  g_free (preset_folder);
  return status;
}
