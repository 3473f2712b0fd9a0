/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * WeftJob:
 *
 * A video job: the document that says which clips to put together, what to draw over them and which
 * files to write.
 *
 * A job is read and checked in one step: its JSON is read strictly, presets are merged under it,
 * variables are replaced, everything is checked against the job schema, and the schema's defaults
 * are filled in. All problems are found, not only the first; [func@Weft.error_get_problems] lists
 * them, each with a JSON Pointer into the document as its author wrote it.
 *
 * A #WeftJob never changes and may be used by several threads at once. It reads nothing but its own
 * document: whether sources exist is found out by [class@Weft.Plan].
 */

#include "weft-job.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "weft-data.h"
#include "weft-job-checks.h"
#include "weft-json.h"
#include "weft-preset.h"
#include "weft-uri.h"
#include "weft-variables.h"

/* The longest time a job may name: 1000 hours. */
#define MAX_TIME_S 3600000u
#define NS_PER_S G_GUINT64_CONSTANT (1000000000)
#define MIN_FPS 1
#define MAX_FPS 240

struct _WeftJob {
  GObject parent_instance;

  gchar *id;
  GFile *base;         /* never NULL */
  GFile *output_base;  /* (nullable): where relative outputs go instead of base */
  JsonNode *root;      /* sealed */
  GPtrArray *warnings; /* (element-type WeftProblem) */
};

G_DEFINE_FINAL_TYPE (WeftJob, weft_job, G_TYPE_OBJECT)

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

static JsonObject *
get_object (JsonObject *object, const gchar *name)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_OBJECT (member) ? json_node_get_object (member) : NULL;
}

static JsonArray *
get_array (JsonObject *object, const gchar *name)
{
  JsonNode *member = object != NULL ? json_object_get_member (object, name) : NULL;

  return member != NULL && JSON_NODE_HOLDS_ARRAY (member) ? json_node_get_array (member) : NULL;
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
  JsonObject *variables = root != NULL && JSON_NODE_HOLDS_OBJECT (root)
                              ? get_object (json_node_get_object (root), "variables")
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
  limits = get_object (json_node_get_object (preset), "limits");
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
  JsonArray *outputs = get_array (root, "outputs");
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
  add_ids (get_array (get_object (root, "timeline"), "clips"), "clip");

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
  JsonObject *defaults = get_object (root, "output_defaults");
  JsonArray *outputs = get_array (root, "outputs");

  for (guint i = 0; defaults != NULL && i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    const gchar *type = weft_json_get_member_text (output, "type");

    if (type != NULL && strcmp (type, "video") != 0 && strcmp (type, "hls") != 0)
      continue;
    for (guint k = 0; k < G_N_ELEMENTS (parts); k++) {
      JsonObject *part = get_object (defaults, parts[k]);

      if (part == NULL)
        continue;
      if (!json_object_has_member (output, parts[k]))
        json_object_set_object_member (output, parts[k], json_object_new ());
      weft_preset_merge_under (get_object (output, parts[k]), part);
    }
  }
}

/* An output of an analysis switches the analysis on. */
static void
add_analyses (Draft *draft)
{
  JsonObject *root = json_node_get_object (draft->root);
  JsonArray *outputs = get_array (root, "outputs");
  JsonArray *overlays = get_array (get_object (root, "timeline"), "overlays");
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
  analysis = get_object (root, "analysis");
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
  for (guint i = 0; i < found->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (found, i);

    if (!g_hash_table_contains (known, problem->pointer))
      g_ptr_array_add (draft->problems, weft_problem_copy (problem));
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
  weft_job_check (json_node_get_object (draft->root), base, file, draft->problems);
  warn_of_unused_variables (draft, given);
  if (json_array_get_length (draft->limits) > 0)
    json_object_set_array_member (
        json_node_get_object (draft->root), "limits", json_array_ref (draft->limits));
}

static WeftJob *
new_from_data (const gchar *data, gsize length, const gchar *name, GFile *base, GFile *file,
    GHashTable *given, GError **error)
{
  g_auto (Draft) draft = { NULL };
  g_autoptr (WeftSchema) schema = weft_data_get_schema (error);
  g_autoptr (WeftJob) self = NULL;

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
  self = g_object_new (WEFT_TYPE_JOB, NULL);
  self->id = g_steal_pointer (&draft.id);
  self->base = g_object_ref (base);
  self->warnings = g_steal_pointer (&draft.problems);
  self->root = g_steal_pointer (&draft.root);
  json_node_seal (self->root);
  return g_steal_pointer (&self);
}

/* Reads at most a byte more than a document may have, whatever the file is. */
static GBytes *
read_file (GFile *file, GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  g_autofree gchar *data = NULL;
  gsize size = 64 * 1024, length = 0, n;

  if (stream == NULL)
    return NULL;
  data = g_malloc (size);
  do {
    if (length == size) {
      size *= 2;
      data = g_realloc (data, size);
    }
    if (!g_input_stream_read_all (
            G_INPUT_STREAM (stream), data + length, size - length, &n, NULL, error))
      return NULL;
    length += n;
  } while (n > 0 && length <= WEFT_JSON_MAX_BYTES);
  return g_bytes_new_take (g_steal_pointer (&data), length);
}

/**
 * weft_job_new_from_file:
 * @file: a job document
 * @variables: (nullable) (element-type utf8 utf8): values that override those in the document's
 * `variables`
 * @error: where to put an error
 *
 * Reads and checks a job. Its relative paths are those from the folder of @file.
 *
 * Returns: (transfer full): the job; or %NULL with %WEFT_ERROR_INVALID_JOB, whose problems are
 * those of the document, or that the file cannot be read
 */
WeftJob *
weft_job_new_from_file (GFile *file, GHashTable *variables, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GFile) base = NULL;
  g_autofree gchar *name = NULL;

  g_return_val_if_fail (G_IS_FILE (file), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  name = g_file_get_parse_name (file);
  bytes = read_file (file, &local_error);
  if (bytes == NULL) {
    g_autofree gchar *uri = g_file_get_uri (file);

    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, uri, "is the path right?",
                   "the job cannot be read: %s", local_error->message));
    return NULL;
  }
  base = g_file_get_parent (file);
  if (base == NULL)
    base = g_object_ref (file);
  return new_from_data (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), name, base, file, variables, error);
}

/**
 * weft_job_new_from_bytes:
 * @bytes: a job document, JSON in UTF-8, of at most 16 MiB
 * @base: (nullable): the folder of the job's relative paths; %NULL is the current one
 * @variables: (nullable) (element-type utf8 utf8): values that override those in the document's
 * `variables`
 * @error: where to put an error
 *
 * Reads and checks a job.
 *
 * Returns: (transfer full): the job; or %NULL with %WEFT_ERROR_INVALID_JOB, whose problems are
 * those of the document
 */
WeftJob *
weft_job_new_from_bytes (GBytes *bytes, GFile *base, GHashTable *variables, GError **error)
{
  g_autoptr (GFile) folder = NULL;
  const gchar *data;
  gsize length;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (base == NULL || G_IS_FILE (base), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  data = g_bytes_get_data (bytes, &length);
  folder = base != NULL ? g_object_ref (base) : g_file_new_for_path (".");
  return new_from_data (
      data != NULL ? data : "", length, "the job", folder, NULL, variables, error);
}

/**
 * weft_job_copy_with_output_base:
 * @self: a job
 * @folder: where its outputs go
 *
 * Returns: (transfer full): the same job, whose outputs with a relative path are below @folder and
 * not in the folder of the job's other relative paths
 */
WeftJob *
weft_job_copy_with_output_base (WeftJob *self, GFile *folder)
{
  WeftJob *copy;

  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);
  g_return_val_if_fail (G_IS_FILE (folder), NULL);

  copy = g_object_new (WEFT_TYPE_JOB, NULL);
  copy->id = g_strdup (self->id);
  copy->base = g_object_ref (self->base);
  copy->output_base = g_object_ref (folder);
  copy->root = json_node_ref (self->root);
  copy->warnings = g_ptr_array_ref (self->warnings);
  return copy;
}

/**
 * weft_job_get_id:
 * @self: a job
 *
 * Returns: (transfer none): the id the document gives, or else `job_` and 26 characters that sort
 * by the time the job was read. It is safe in file names.
 */
const gchar *
weft_job_get_id (WeftJob *self)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);

  return self->id;
}

/**
 * weft_job_get_base:
 * @self: a job
 *
 * Returns: (transfer none): the folder of the job's relative paths
 */
GFile *
weft_job_get_base (WeftJob *self)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);

  return self->base;
}

/**
 * weft_job_get_root:
 * @self: a job
 *
 * The job with presets merged, variables replaced and defaults filled in. Times and URIs are as
 * they were written; see weft_job_parse_time() and weft_job_resolve_uri(). Elements of arrays have
 * the same index as in the document. Every clip and output has an `id`, every picture and
 * transcript a `format`. With a preset for a platform there is a member `limits`, an array.
 *
 * Returns: (transfer none): an object; it is sealed and cannot be changed
 */
JsonNode *
weft_job_get_root (WeftJob *self)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);

  return self->root;
}

/**
 * weft_job_get_warnings:
 * @self: a job
 *
 * Returns: (transfer none) (element-type WeftProblem): what is odd about the job but does not keep
 * it from running
 */
GPtrArray *
weft_job_get_warnings (WeftJob *self)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);

  return self->warnings;
}

/**
 * weft_job_to_json:
 * @self: a job
 * @pretty: whether to indent it for people
 *
 * Returns: (transfer full): the text of weft_job_get_root()
 */
gchar *
weft_job_to_json (WeftJob *self, gboolean pretty)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);

  return json_to_string (self->root, pretty);
}

/**
 * weft_job_resolve_uri:
 * @self: a job
 * @uri: a `src` or `uri` of the job, as it was written
 * @error: where to put an error
 *
 * Makes an absolute URI. What has no scheme is a file path, in which no character is special
 * (`a#1.mp4` and `50%.mp4` are names like any other); it is taken from the job's folder, `~/` from
 * the user's. The schemes are `file`, `http`, `https` and `s3`. Steps of
 * `..` are kept for the system to follow.
 *
 * Returns: (transfer full): the URI; or %NULL with %WEFT_ERROR_INVALID_JOB
 */
gchar *
weft_job_resolve_uri (WeftJob *self, const gchar *uri, GError **error)
{
  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);
  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return weft_uri_resolve (self->base, uri, error);
}

/**
 * weft_job_resolve_output_uri:
 * @self: a job
 * @uri: the `uri` of an output, as it was written
 * @error: where to put an error
 *
 * Like [method@Weft.Job.resolve_uri], for a place that is written. In a job that was given a folder
 * for its outputs, relative paths are below that folder, and one that would lead out of it by `..`
 * is refused.
 *
 * Returns: (transfer full): the URI; or %NULL with %WEFT_ERROR_INVALID_JOB
 */
gchar *
weft_job_resolve_output_uri (WeftJob *self, const gchar *uri, GError **error)
{
  g_auto (GStrv) steps = NULL;

  g_return_val_if_fail (WEFT_IS_JOB (self), NULL);
  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (self->output_base == NULL)
    return weft_uri_resolve (self->base, uri, error);
  steps = g_strsplit (uri, "/", -1);
  if (weft_uri_is_relative (uri) && g_strv_contains ((const gchar *const *) steps, "..")) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, uri, "write the path without `..`",
                   "the output would be outside the folder that was given for outputs"));
    return NULL;
  }
  return weft_uri_resolve (self->output_base, uri, error);
}

/* Reads up to @max_digits digits; returns how many there were. */
static guint
read_digits (const gchar **text, guint max_digits, guint64 *value)
{
  guint n = 0;

  *value = 0;
  for (; n < max_digits && g_ascii_isdigit (**text); n++, (*text)++)
    *value = *value * 10 + (guint64) g_ascii_digit_value (**text);
  return n;
}

static gboolean
parse_time_text (const gchar *text, guint64 *time_ns)
{
  guint64 fields[3];
  guint64 seconds = 0, fraction = 0, digit;
  guint n_fields = 0;

  do {
    guint n = read_digits (&text, 7, &fields[n_fields]);

    /* Alone it is seconds; the last of several has two digits, as clocks write it. */
    if (n == 0 || (n_fields > 0 && *text != ':' && n != 2)
        || (n_fields > 0 && fields[n_fields] > 59))
      return FALSE;
    n_fields++;
  } while (n_fields < 3 && *text == ':' && text++);
  if (n_fields == 2 && fields[0] > 59)
    return FALSE;
  if (n_fields == 3 && fields[0] > 1000)
    return FALSE;
  for (guint i = 0; i < n_fields; i++)
    seconds = seconds * 60 + fields[i];
  if (*text == '.') {
    guint64 scale = NS_PER_S;

    text++;
    if (!g_ascii_isdigit (*text))
      return FALSE;
    while (scale > 1 && read_digits (&text, 1, &digit) == 1) {
      scale /= 10;
      fraction += digit * scale;
    }
  }
  if (*text != '\0' || seconds > MAX_TIME_S || (seconds == MAX_TIME_S && fraction > 0))
    return FALSE;
  *time_ns = seconds * NS_PER_S + fraction;
  return TRUE;
}

/**
 * weft_job_parse_time:
 * @node: a time as jobs write it: seconds as a number, or text such as `01:02:03.250`, `02:03.25`
 * or `123.25`
 * @time_ns: (out) (optional): the time in nanoseconds
 *
 * Times reach from 0 to 1000 hours. `"end"` is not a time.
 *
 * Returns: %TRUE if @node is a time; otherwise @time_ns is not touched
 */
gboolean
weft_job_parse_time (JsonNode *node, guint64 *time_ns)
{
  guint64 time;

  g_return_val_if_fail (node != NULL, FALSE);

  if (!JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  switch (json_node_get_value_type (node)) {
    case G_TYPE_STRING:
      if (!parse_time_text (json_node_get_string (node), &time))
        return FALSE;
      break;
    case G_TYPE_INT64:
    case G_TYPE_DOUBLE: {
      gdouble seconds = json_node_get_double (node);

      /* Written so that NaN fails too. */
      if (!(seconds >= 0 && seconds <= MAX_TIME_S))
        return FALSE;
      time = (guint64) (seconds * (gdouble) NS_PER_S + 0.5);
      break;
    }
    default:
      return FALSE;
  }
  if (time_ns != NULL)
    *time_ns = time;
  return TRUE;
}

/* The fraction that people mean by a decimal rate: 29.97 is 30000/1001. */
static void
find_fraction (gdouble fps, gint *numerator, gint *denominator)
{
  gdouble ntsc = round (fps * 1.001);

  /* 23.98, 29.97 and 59.94 are within 0.005 of their rates; 24.0 and 30 are not. */
  if (fabs (fps - round (fps)) > 1e-6 && fabs (ntsc / 1.001 - fps) < 0.0051) {
    *numerator = (gint) ntsc * 1000;
    *denominator = 1001;
    return;
  }
  /* Anything else to a thousandth of a frame. */
  *numerator = (gint) round (fps * 1000);
  *denominator = 1000;
  for (gint factor = 1000; factor > 1; factor--) {
    if (*numerator % factor == 0 && *denominator % factor == 0) {
      *numerator /= factor;
      *denominator /= factor;
      return;
    }
  }
}

/**
 * weft_job_parse_fps:
 * @node: a frame rate as jobs write it: a number, or text such as `30000/1001`
 * @numerator: (out): frames in @denominator seconds
 * @denominator: (out): see @numerator
 *
 * Rates reach from 1 to 240. The decimals that stand for the rates of NTSC video become
 * exact: 29.97 is 30000/1001.
 *
 * Returns: %TRUE if @node is a frame rate
 */
gboolean
weft_job_parse_fps (JsonNode *node, gint *numerator, gint *denominator)
{
  const gchar *text;
  guint64 n, d = 1;

  g_return_val_if_fail (node != NULL, FALSE);
  g_return_val_if_fail (numerator != NULL && denominator != NULL, FALSE);

  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return FALSE;
  text = weft_json_get_text (node);
  if (text == NULL) {
    gdouble fps = json_node_get_double (node);

    if (!(fps >= MIN_FPS && fps <= MAX_FPS))
      return FALSE;
    find_fraction (fps, numerator, denominator);
    return TRUE;
  }
  if (read_digits (&text, 7, &n) == 0)
    return FALSE;
  if (*text == '/') {
    text++;
    if (read_digits (&text, 7, &d) == 0)
      return FALSE;
  }
  if (*text != '\0' || d == 0 || n < MIN_FPS * d || n > MAX_FPS * d)
    return FALSE;
  *numerator = (gint) n;
  *denominator = (gint) d;
  return TRUE;
}

/**
 * weft_job_load_schema:
 * @error: where to put an error
 *
 * Returns: (transfer full): the JSON Schema of job documents, as it stands in its file; or %NULL
 * with %WEFT_ERROR_INTERNAL if it is not installed
 */
GBytes *
weft_job_load_schema (GError **error)
{
  return weft_data_load_schema (error);
}

/**
 * weft_job_list_presets:
 *
 * Returns: (transfer full): an array with an object for each preset, sorted by name: `name`,
 * `description`, `path` and, where a preset is made for a platform, `limits`
 */
JsonNode *
weft_job_list_presets (void)
{
  return weft_preset_list ();
}

static void
weft_job_finalize (GObject *object)
{
  WeftJob *self = WEFT_JOB (object);

  g_clear_pointer (&self->id, g_free);
  g_clear_object (&self->base);
  g_clear_object (&self->output_base);
  g_clear_pointer (&self->root, json_node_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  G_OBJECT_CLASS (weft_job_parent_class)->finalize (object);
}

static void
weft_job_class_init (WeftJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_job_finalize;
}

static void
weft_job_init (WeftJob *self)
{}
