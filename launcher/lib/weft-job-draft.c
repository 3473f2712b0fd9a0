/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way from a text to a job: presets are merged under it, variables replaced, the schema asked,
 * defaults filled in. The document as its author wrote it is kept beside it until the end, because
 * it is what the pointers of all problems lead into. */

#include "weft-job-draft.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "weft-data.h"
#include "weft-job.h"
#include "weft-job-checks.h"
#include "weft-json.h"
#include "weft-preset.h"
#include "weft-variables.h"

#define NS_PER_S 1000000000

/* A job on its way from a text to a WeftJob. */
typedef struct {
  JsonNode *user;     /* as it was written; pointers of problems lead into it */
  JsonNode *root;     /* what becomes of it */
  JsonNode *presets;  /* all presets merged, without the job */
  JsonArray *limits;  /* of the presets' platforms */
  GHashTable *values; /* name → text */
  WeftVariables variables;
  GPtrArray *problems;
  gchar *id;
} Draft;

static void
draft_clear (Draft *draft)
{
  g_clear_pointer (&draft->user, json_node_unref);
  g_clear_pointer (&draft->root, json_node_unref);
  g_clear_pointer (&draft->presets, json_node_unref);
  g_clear_pointer (&draft->limits, json_array_unref);
  g_clear_pointer (&draft->values, g_hash_table_unref);
  g_clear_pointer (&draft->variables.used, g_hash_table_unref);
  g_clear_pointer (&draft->variables.whole, g_hash_table_unref);
  g_clear_pointer (&draft->problems, g_ptr_array_unref);
  g_clear_pointer (&draft->id, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Draft, draft_clear)

static void add_problem (Draft *draft, gboolean is_warning, const gchar *pointer, const gchar *hint,
    const gchar *format, ...) G_GNUC_PRINTF (5, 6);

static void
add_problem (Draft *draft, gboolean is_warning, const gchar *pointer, const gchar *hint,
    const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  WeftProblem *problem;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  problem = weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL, hint, "%s", message);
  problem->is_warning = is_warning;
  g_ptr_array_add (draft->problems, problem);
}

/* An id that nothing else has and that sorts by the time it was made: 48 bits of milliseconds and
 * 80 bits at random, as 26 characters of Crockford's base 32. Ids of one millisecond count on from
 * the first one. */
static gchar *
make_id (void)
{
  static const gchar digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  /* Guards the two below; nothing else is locked under it. */
  static GMutex mutex;
  static guint64 last_ms;
  static guint8 random_bytes[10];
  guint64 now_ms = (guint64) g_get_real_time () / 1000;
  guint8 bytes[16];
  gchar text[27] = { 0 };
  guint bits = 0, n_bits = 2; /* 130 bits are written, the first two of them are zero */
  guint n = 0;

  g_mutex_lock (&mutex);
  if (now_ms > last_ms) {
    last_ms = now_ms;
    while (getrandom (random_bytes, sizeof random_bytes, 0) < 0 && errno == EINTR)
      ;
  } else {
    for (gint i = sizeof random_bytes - 1; i >= 0 && ++random_bytes[i] == 0; i--)
      ;
  }
  for (guint i = 0; i < 6; i++)
    bytes[i] = (guint8) (last_ms >> (40 - 8 * i));
  memcpy (bytes + 6, random_bytes, sizeof random_bytes);
  g_mutex_unlock (&mutex);

  for (guint i = 0; i < sizeof bytes; i++) {
    bits = bits << 8 | bytes[i];
    n_bits += 8;
    while (n_bits >= 5) {
      n_bits -= 5;
      text[n++] = digits[bits >> n_bits & 31];
    }
  }
  return g_strconcat ("job_", text, NULL);
}

/* The variables of @root go into draft->values unless they are there already. */
static void
collect_variables (Draft *draft, JsonNode *root)
{
  JsonObject *variables =
      root != NULL && JSON_NODE_HOLDS_OBJECT (root)
          ? weft_json_get_member_object (json_node_get_object (root), "variables")
          : NULL;
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *value;

  if (variables == NULL)
    return;
  json_object_iter_init_ordered (&iter, variables);
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    gchar *text;

    /* What is not a scalar is for the schema to refuse. */
    if (!JSON_NODE_HOLDS_VALUE (value) || g_hash_table_contains (draft->values, name))
      continue;
    if (weft_json_get_text (value) != NULL)
      text = g_strdup (json_node_get_string (value));
    else if (json_node_get_value_type (value) == G_TYPE_BOOLEAN)
      text = g_strdup (json_node_get_boolean (value) ? "true" : "false");
    else
      text = weft_json_number_to_text (value);
    g_hash_table_insert (draft->values, g_strdup (name), text);
  }
}

/* Values are not expanded again. Where one names another variable its author thought otherwise, and
 * is told so; any other braces are taken for what they are. */
static void
check_variables (Draft *draft)
{
  JsonObject *variables =
      weft_json_get_member_object (json_node_get_object (draft->user), "variables");
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *value;

  if (variables == NULL)
    return;
  json_object_iter_init_ordered (&iter, variables);
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    g_autofree gchar *other = NULL;
    WeftJsonPath variables_path = { NULL, "variables", 0 };
    WeftJsonPath path = { &variables_path, name, 0 };
    g_autofree gchar *pointer = weft_json_path_to_pointer (&path);

    if (weft_json_get_text (value) != NULL)
      other = weft_variables_find_placeholder (&draft->variables, json_node_get_string (value));
    if (other != NULL)
      add_problem (draft, FALSE, pointer, "put both variables into the text where they are used",
          "the value contains {{%s}}, but variables are not replaced in the values of variables",
          other);
  }
}

/* Variables from outside the document (--set) win over all others. */
static void
take_given_variables (Draft *draft, GHashTable *given)
{
  GHashTableIter iter;
  gpointer name, value;

  if (given == NULL)
    return;
  g_hash_table_iter_init (&iter, given);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (!g_utf8_validate (name, -1, NULL) || !g_utf8_validate (value, -1, NULL)) {
      add_problem (draft, FALSE, "", "use a terminal and a language that are set to UTF-8",
          "a variable that was given is not valid UTF-8");
    } else if (!weft_variables_is_name (name)) {
      g_autofree gchar *quoted = weft_json_quote (name);

      add_problem (draft, FALSE, "",
          "a name is a letter or `_`, then letters, digits, `_` and `-`, 64 at most",
          "%s, which was given, is not the name of a variable", quoted);
    } else {
      g_hash_table_insert (draft->values, g_strdup (name), g_strdup (value));
    }
  }
}

static void
warn_of_unused_variables (Draft *draft, GHashTable *given)
{
  GHashTableIter iter;
  gpointer name;

  if (given == NULL)
    return;
  g_hash_table_iter_init (&iter, given);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    if (g_hash_table_contains (draft->values, name)
        && !g_hash_table_contains (draft->variables.used, name))
      add_problem (draft, TRUE, "", "is the name right?",
          "the variable `%s` was given but the job does not use it", (const gchar *) name);
  }
}

static void
load_preset (Draft *draft, JsonNode *node, const WeftJsonPath *path)
{
  const gchar *text = weft_json_get_text (node);
  g_autofree gchar *name = NULL;
  g_autofree gchar *pointer = weft_json_path_to_pointer (path);
  g_autoptr (JsonNode) preset = NULL;
  g_autoptr (JsonObject) merged = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *limits;

  name = text != NULL ? weft_variables_expand_text (&draft->variables, text, path, NULL) : NULL;
  if (name == NULL)
    return;
  json_node_set_string (node, name);
  if (!weft_preset_is_name (name))
    return; /* the schema says why */
  preset = weft_preset_load (name, &error);
  if (preset == NULL) {
    GPtrArray *problems = weft_error_get_problems (error);
    const WeftProblem *problem = g_ptr_array_index (problems, 0);

    add_problem (draft, FALSE, pointer, problem->hint, "%s", problem->message);
    return;
  }
  limits = weft_json_get_member_object (json_node_get_object (preset), "limits");
  if (limits != NULL) {
    json_object_set_string_member (limits, "preset", name);
    json_array_add_object_element (draft->limits, json_object_ref (limits));
  }
  json_object_remove_member (json_node_get_object (preset), "limits");
  json_object_remove_member (json_node_get_object (preset), "description");
  json_object_remove_member (json_node_get_object (preset), "preset");

  /* The later one wins: it is the one that the earlier ones are merged under. */
  merged = json_object_ref (json_node_get_object (preset));
  weft_preset_merge_under (merged, json_node_get_object (draft->presets));
  json_node_set_object (draft->presets, merged);
}

static void
merge_presets (Draft *draft)
{
  JsonObject *root = json_node_get_object (draft->root);
  JsonNode *names = json_object_get_member (root, "preset");
  WeftJsonPath path = { NULL, "preset", 0 };

  if (names != NULL && JSON_NODE_HOLDS_ARRAY (names)) {
    JsonArray *array = json_node_get_array (names);
    WeftJsonPath here = { &path, NULL, 0 };

    for (; here.index < MIN (json_array_get_length (array), WEFT_PRESET_MAX_NAMES); here.index++)
      load_preset (draft, json_array_get_element (array, here.index), &here);
  } else if (names != NULL) {
    load_preset (draft, names, &path);
  }
  weft_preset_merge_under (root, json_node_get_object (draft->presets));
}

static void
take_id (Draft *draft)
{
  JsonObject *root = json_node_get_object (draft->root);
  WeftJsonPath path = { NULL, "id", 0 };
  const gchar *given = weft_json_get_member_text (root, "id");

  draft->id =
      given != NULL ? weft_variables_expand_text (&draft->variables, given, &path, NULL) : NULL;
  if (draft->id == NULL)
    draft->id = make_id ();
  if (given != NULL || !json_object_has_member (root, "id"))
    json_object_set_string_member (root, "id", draft->id);
  draft->variables.job_id = draft->id;
}

/* Every clip and output gets an id, so that messages and file names can use it. */
static void
add_ids (JsonArray *list, const gchar *prefix)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonNode *element = json_array_get_element (list, i);

    if (JSON_NODE_HOLDS_OBJECT (element)) {
      const gchar *id = weft_json_get_member_text (json_node_get_object (element), "id");

      if (id != NULL)
        g_hash_table_add (taken, (gpointer) id);
    }
  }
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonNode *element = json_array_get_element (list, i);
    g_autofree gchar *id = g_strdup_printf ("%s-%u", prefix, i + 1);

    if (!JSON_NODE_HOLDS_OBJECT (element)
        || json_object_has_member (json_node_get_object (element), "id"))
      continue;
    while (g_hash_table_contains (taken, id)) {
      gchar *longer = g_strconcat (id, "-", NULL);

      g_free (id);
      id = longer;
    }
    json_object_set_string_member (json_node_get_object (element), "id", id);
  }
}

/* Puts the values of the variables into all texts: first into ids, because `output.id` is one of
 * them. */
static void
expand (Draft *draft)
{
  JsonObject *root = json_node_get_object (draft->root);
  JsonArray *outputs = weft_json_get_member_array (root, "outputs");
  WeftJsonPath outputs_path = { NULL, "outputs", 0 };
  WeftJsonPath path = { &outputs_path, NULL, 0 };
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  for (path.index = 0; outputs != NULL && path.index < json_array_get_length (outputs);
       path.index++) {
    JsonNode *output = json_array_get_element (outputs, path.index);
    WeftJsonPath id_path = { &path, "id", 0 };

    if (JSON_NODE_HOLDS_OBJECT (output)
        && weft_json_get_member_text (json_node_get_object (output), "id") != NULL)
      weft_variables_expand_node (&draft->variables,
          json_object_get_member (json_node_get_object (output), "id"), &id_path);
  }
  add_ids (outputs, "output");
  add_ids (
      weft_json_get_member_array (weft_json_get_member_object (root, "timeline"), "clips"), "clip");

  json_object_iter_init_ordered (&iter, root);
  while (json_object_iter_next_ordered (&iter, &name, &member)) {
    WeftJsonPath here = { NULL, name, 0 };

    /* Done already; the values of variables stay as they are. */
    if (strcmp (name, "variables") == 0 || strcmp (name, "preset") == 0 || strcmp (name, "id") == 0
        || (member == json_object_get_member (root, "outputs") && outputs != NULL))
      continue;
    weft_variables_expand_node (&draft->variables, member, &here);
  }
  for (path.index = 0; outputs != NULL && path.index < json_array_get_length (outputs);
       path.index++) {
    JsonNode *output = json_array_get_element (outputs, path.index);

    if (!JSON_NODE_HOLDS_OBJECT (output)) {
      weft_variables_expand_node (&draft->variables, output, &path);
      continue;
    }
    draft->variables.output_id = weft_json_get_member_text (json_node_get_object (output), "id");
    json_object_iter_init_ordered (&iter, json_node_get_object (output));
    while (json_object_iter_next_ordered (&iter, &name, &member)) {
      WeftJsonPath here = { &path, name, 0 };

      if (strcmp (name, "id") != 0)
        weft_variables_expand_node (&draft->variables, member, &here);
    }
    draft->variables.output_id = NULL;
  }
}

/* Gives every video output what `output_defaults` has and it has not. */
static void
apply_output_defaults (Draft *draft)
{
  static const gchar *const parts[] = { "video", "audio" };
  JsonObject *root = json_node_get_object (draft->root);
  JsonObject *defaults = weft_json_get_member_object (root, "output_defaults");
  JsonArray *outputs = weft_json_get_member_array (root, "outputs");

  for (guint i = 0; defaults != NULL && i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    const gchar *type = weft_json_get_member_text (output, "type");

    if (type != NULL && strcmp (type, "video") != 0 && strcmp (type, "hls") != 0)
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (parts); k++) {
      JsonObject *part = weft_json_get_member_object (defaults, parts[k]);

      if (part == NULL)
        continue;
      if (!json_object_has_member (output, parts[k]))
        json_object_set_object_member (output, parts[k], json_object_new ());
      weft_preset_merge_under (weft_json_get_member_object (output, parts[k]), part);
    }
  }
}

/* An output of an analysis switches the analysis on. */
static void
add_analyses (Draft *draft)
{
  JsonObject *root = json_node_get_object (draft->root);
  JsonArray *outputs = weft_json_get_member_array (root, "outputs");
  JsonArray *overlays =
      weft_json_get_member_array (weft_json_get_member_object (root, "timeline"), "overlays");
  gboolean wants_silence = FALSE, wants_transcript = FALSE;
  JsonObject *analysis;

  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    const gchar *type =
        weft_json_get_member_text (json_array_get_object_element (outputs, i), "type");

    wants_silence |= g_strcmp0 (type, "silence") == 0;
    wants_transcript |= g_strcmp0 (type, "transcript") == 0;
  }
  for (guint i = 0; overlays != NULL && i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);

    if (g_strcmp0 (weft_json_get_member_text (overlay, "type"), "captions") != 0
        || json_object_has_member (overlay, "src"))
      continue;
    json_object_set_string_member (overlay, "from", "transcript");
    wants_transcript = TRUE;
  }
  if (!wants_silence && !wants_transcript)
    return;
  if (!json_object_has_member (root, "analysis"))
    json_object_set_object_member (root, "analysis", json_object_new ());
  analysis = weft_json_get_member_object (root, "analysis");
  if (wants_silence && !json_object_has_member (analysis, "silence"))
    json_object_set_object_member (analysis, "silence", json_object_new ());
  if (wants_transcript && !json_object_has_member (analysis, "transcript"))
    json_object_set_object_member (analysis, "transcript", json_object_new ());
}

static gboolean
has_errors (GPtrArray *problems)
{
  for (guint i = 0; i < problems->len; i++) {
    if (!((const WeftProblem *) g_ptr_array_index (problems, i))->is_warning)
      return TRUE;
  }
  return FALSE;
}

/* Problems of the checked document become problems of the one that the author wrote: what came from
 * a preset is a problem of `preset`, what was filled in is one of the member it was filled into. */
static void
place_problems (Draft *draft)
{
  for (guint i = 0; i < draft->problems->len; i++) {
    WeftProblem *problem = g_ptr_array_index (draft->problems, i);

    if (problem->pointer == NULL || weft_json_lookup (draft->user, problem->pointer) != NULL)
      continue;
    if (weft_json_lookup (draft->presets, problem->pointer) != NULL) {
      gchar *message =
          g_strdup_printf ("%s comes from a preset: %s", problem->pointer, problem->message);

      g_free (problem->message);
      problem->message = message;
      g_free (problem->pointer);
      problem->pointer = g_strdup ("/preset");
      continue;
    }
    while (*problem->pointer != '\0' && weft_json_lookup (draft->user, problem->pointer) == NULL)
      *strrchr (problem->pointer, '/') = '\0';
  }
}

/* Where a variable could not be replaced, what the schema says about the text it stands in is of no
 * use. */
static void
validate (Draft *draft, WeftSchema *schema)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);

  for (guint i = 0; i < draft->problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (draft->problems, i);

    if (problem->pointer != NULL && *problem->pointer != '\0')
      g_hash_table_add (known, problem->pointer);
  }
  weft_schema_validate (schema, draft->root, found);
  for (guint i = 0; i < found->len && draft->problems->len < WEFT_SCHEMA_MAX_PROBLEMS; i++) {
    const WeftProblem *problem = g_ptr_array_index (found, i);

    if (!g_hash_table_contains (known, problem->pointer))
      g_ptr_array_add (draft->problems, weft_problem_copy (problem));
  }
}

/* Times in one of the short forms (`02:03.5`, `"12.5"`) become numbers, so that all who read the
 * job need know only the two forms of the contract: seconds, and HH:MM:SS.mmm. */
static void
simplify_times (Draft *draft)
{
  static const gchar *const names[] = { "in", "out", "duration", "start", "end", "at" };
  static const gchar *const pointers[] = { "/timeline/clips", "/timeline/overlays",
    "/timeline/audio", "/outputs" };
  JsonObject *root = json_node_get_object (draft->root);
  JsonObject *timeline = weft_json_get_member_object (root, "timeline");
  JsonArray *lists[] = { weft_json_get_member_array (timeline, "clips"),
    weft_json_get_member_array (timeline, "overlays"),
    weft_json_get_member_array (timeline, "audio"), weft_json_get_member_array (root, "outputs") };

  for (guint l = 0; l < G_N_ELEMENTS (lists); l++) {
    for (guint i = 0; lists[l] != NULL && i < json_array_get_length (lists[l]); i++) {
      JsonObject *object = json_array_get_object_element (lists[l], i);

      for (guint k = 0; k < G_N_ELEMENTS (names); k++) {
        const gchar *text = weft_json_get_member_text (object, names[k]);
        const gchar *colon = text != NULL ? strchr (text, ':') : NULL;
        guint64 time_ns;

        if (text == NULL || strcmp (text, "end") == 0)
          continue;
        if (!weft_job_parse_time (json_object_get_member (object, names[k]), &time_ns)) {
          g_autofree gchar *pointer = g_strdup_printf ("%s/%u/%s", pointers[l], i, names[k]);
          g_autofree gchar *quoted = weft_json_quote (text);

          add_problem (
              draft, FALSE, pointer, "a time is 1000 hours at most", "%s is not a time", quoted);
          continue;
        }
        if (colon != NULL && strchr (colon + 1, ':') != NULL)
          continue;
        json_object_set_double_member (object, names[k], (gdouble) time_ns / (gdouble) NS_PER_S);
      }
    }
  }
}

/* From the text as it was read to the job that is used; all problems are in the draft. */
static void
finish_draft (Draft *draft, WeftSchema *schema, GFile *base, GFile *file, GHashTable *given)
{
  if (!JSON_NODE_HOLDS_OBJECT (draft->root)) {
    weft_schema_validate (schema, draft->root, draft->problems);
    return;
  }
  take_given_variables (draft, given);
  collect_variables (draft, draft->user);
  check_variables (draft);
  merge_presets (draft);
  collect_variables (draft, draft->presets);
  take_id (draft);
  expand (draft);
  weft_schema_convert_texts (schema, draft->root, draft->variables.whole);
  validate (draft, schema);
  if (has_errors (draft->problems))
    return;

  apply_output_defaults (draft);
  add_analyses (draft);
  weft_schema_fill_defaults (schema, draft->root);
  simplify_times (draft);
  if (json_array_get_length (draft->limits) > 0)
    json_object_set_array_member (
        json_node_get_object (draft->root), "limits", json_array_ref (draft->limits));
  weft_job_check (json_node_get_object (draft->root), base, file, draft->problems);
  warn_of_unused_variables (draft, given);
}

/*
 * weft_job_draft_finish:
 * @data: a job document
 * @length: its length in bytes
 * @name: what messages call the document
 * @base: the folder of its relative paths
 * @file: (nullable): the file it was read from
 * @given: (nullable): variables that override those in the document
 * @id: (out): the job's id
 * @warnings: (out) (element-type WeftProblem): what is odd about it
 *
 * Returns: (transfer full): the job, an object as weft_job_get_root() describes it; or %NULL with
 * %WEFT_ERROR_INVALID_JOB and all that is wrong
 */
JsonNode *
weft_job_draft_finish (const gchar *data, gsize length, const gchar *name, GFile *base, GFile *file,
    GHashTable *given, gchar **id, GPtrArray **warnings, GError **error)
{
  g_auto (Draft) draft = { 0 };
  g_autoptr (WeftSchema) schema = weft_data_get_schema (error);

  if (schema == NULL)
    return NULL;
  draft.user = weft_json_parse (data, length, name, error);
  if (draft.user == NULL)
    return NULL;
  draft.root = weft_json_copy (draft.user);
  draft.presets = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (draft.presets, json_object_new ());
  draft.limits = json_array_new ();
  draft.values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  draft.problems = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_problem_free);
  draft.variables.values = draft.values;
  draft.variables.used = g_hash_table_new (g_str_hash, g_str_equal);
  draft.variables.whole = g_hash_table_new (NULL, NULL);
  draft.variables.problems = draft.problems;

  finish_draft (&draft, schema, base, file, given);
  place_problems (&draft);
  if (has_errors (draft.problems)) {
    weft_error_set_problems (error, draft.problems);
    return NULL;
  }
  *id = g_steal_pointer (&draft.id);
  *warnings = g_steal_pointer (&draft.problems);
  json_node_seal (draft.root);
  return g_steal_pointer (&draft.root);
}
