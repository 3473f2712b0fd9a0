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

#include <math.h>

#include "weft-data.h"
#include "weft-job-draft.h"
#include "weft-json.h"
#include "weft-preset.h"
#include "weft-uri.h"

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

static WeftJob *
new_from_data (const gchar *data, gsize length, const gchar *name, GFile *base, GFile *file,
    GHashTable *given, GError **error)
{
  g_autofree gchar *id = NULL;
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (JsonNode) root =
      weft_job_draft_finish (data, length, name, base, file, given, &id, &warnings, error);
  WeftJob *self;

  if (root == NULL)
    return NULL;
  self = g_object_new (WEFT_TYPE_JOB, NULL);
  self->id = g_steal_pointer (&id);
  self->base = g_object_ref (base);
  self->root = g_steal_pointer (&root);
  self->warnings = g_steal_pointer (&warnings);
  return self;
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

  return weft_json_to_text (self->root, pretty);
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
