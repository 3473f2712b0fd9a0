/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What must hold in a job and a schema cannot say: how its members stand to one another. All of it
 * is decided from the document alone; nothing is read. */

#include "weft-job-checks.h"

#include <math.h>
#include <string.h>

#include "weft-json.h"
#include "weft-limits.h"
#include "weft-schema.h"
#include "weft-uri.h"

typedef struct {
  JsonObject *job;
  JsonObject *timeline;
  GFile *base;
  GPtrArray *problems;
  GHashTable *sources; /* identity of a URI that is read → its pointer */
  GHashTable *targets; /* identity of a URI that is written → its pointer */
} Checks;

static void note (Checks *self, gboolean is_warning, const gchar *pointer, const gchar *hint,
    const gchar *format, ...) G_GNUC_PRINTF (5, 6);

static void
note (Checks *self, gboolean is_warning, const gchar *pointer, const gchar *hint,
    const gchar *format, ...)
{
  g_autofree gchar *message = NULL;
  WeftProblem *problem;
  va_list args;

  if (self->problems->len >= WEFT_SCHEMA_MAX_PROBLEMS)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  problem = weft_problem_new (WEFT_ERROR_INVALID_JOB, pointer, NULL, hint, "%s", message);
  problem->is_warning = is_warning;
  g_ptr_array_add (self->problems, problem);
}

static gboolean
get_time (JsonObject *object, const gchar *name, guint64 *time_ns)
{
  JsonNode *member = json_object_get_member (object, name);

  return member != NULL && weft_job_parse_time (member, time_ns);
}

/* Two members of one list with the same id. */
static void
check_ids (Checks *self, JsonArray *list, const gchar *pointer)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    const gchar *id = weft_json_get_member_text (json_array_get_object_element (list, i), "id");
    gpointer first;

    if (id == NULL)
      continue;
    if (g_hash_table_lookup_extended (seen, id, NULL, &first)) {
      g_autofree gchar *at = g_strdup_printf ("%s/%u/id", pointer, i);
      g_autofree gchar *hint = g_strdup_printf (
          "%s/%u has it too; give each its own", pointer, GPOINTER_TO_UINT (first));

      note (self, FALSE, at, hint, "the id \"%s\" stands here twice", id);
    } else {
      g_hash_table_insert (seen, (gpointer) id, GUINT_TO_POINTER (i));
    }
  }
}

/* A URI that is not valid is a problem at its own place, with the message of the resolver. */
static gchar *
resolve (Checks *self, JsonObject *object, const gchar *name, const gchar *pointer)
{
  const gchar *uri = weft_json_get_member_text (object, name);
  g_autofree gchar *at = g_strdup_printf ("%s/%s", pointer, name);
  g_autoptr (GError) error = NULL;
  gchar *resolved;

  if (uri == NULL)
    return NULL;
  resolved = weft_uri_resolve (self->base, uri, &error);
  if (resolved == NULL) {
    GPtrArray *problems = weft_error_get_problems (error);
    const WeftProblem *problem = problems != NULL ? g_ptr_array_index (problems, 0) : NULL;

    note (self, FALSE, at, problem != NULL ? problem->hint : NULL, "%s",
        problem != NULL ? problem->message : error->message);
  }
  return resolved;
}

static void
check_source (Checks *self, JsonObject *object, const gchar *pointer)
{
  g_autofree gchar *uri = resolve (self, object, "src", pointer);
  g_autofree gchar *identity = uri != NULL ? weft_uri_get_identity (uri) : NULL;

  if (identity != NULL && !g_hash_table_contains (self->sources, identity))
    g_hash_table_insert (
        self->sources, g_steal_pointer (&identity), g_strdup_printf ("%s/src", pointer));
}

static void
check_range (
    Checks *self, JsonObject *object, const gchar *first, const gchar *last, const gchar *pointer)
{
  guint64 from = 0, to;

  get_time (object, first, &from);
  if (get_time (object, last, &to) && to <= from) {
    g_autofree gchar *at = g_strdup_printf ("%s/%s", pointer, last);
    g_autofree gchar *hint = g_strdup_printf ("`%s` must be later than `%s`", last, first);

    note (self, FALSE, at, hint, "`%s` is %.9g s but `%s` is %.9g s", last, (gdouble) to / 1e9,
        first, (gdouble) from / 1e9);
  }
}

/* How long a clip shows on the timeline, where the document says it; a negative number where only
 * its source can tell. */
static gdouble
get_clip_seconds (JsonObject *clip)
{
  JsonNode *speed = json_object_get_member (clip, "speed");
  guint64 in = 0, out, duration;

  if (get_time (clip, "duration", &duration))
    return (gdouble) duration / 1e9;
  get_time (clip, "in", &in);
  if (!get_time (clip, "out", &out) || out <= in)
    return -1;
  return (gdouble) (out - in) / 1e9 / (speed != NULL ? json_node_get_double (speed) : 1);
}

static void
check_transition (Checks *self, JsonArray *clips, guint index, const gchar *pointer)
{
  JsonObject *transition =
      weft_json_get_member_object (json_array_get_object_element (clips, index), "transition");
  g_autofree gchar *at = g_strdup_printf ("%s/transition", pointer);
  g_autofree gchar *at_duration = g_strdup_printf ("%s/duration", at);
  gdouble duration;

  if (transition == NULL)
    return;
  if (index == 0) {
    note (self, TRUE, at, "a transition stands on the clip that comes in; move it to the next clip",
        "the first clip has no clip before it, so its transition does nothing");
    return;
  }
  duration = json_object_get_double_member (transition, "duration");
  for (guint i = index - 1; i <= index; i++) {
    gdouble seconds = get_clip_seconds (json_array_get_object_element (clips, i));

    if (seconds >= 0 && duration > seconds) {
      g_autofree gchar *hint = g_strdup_printf ("%.9g at most", seconds);

      note (self, FALSE, at_duration, hint,
          "the transition lasts %.9g s, longer than the clip %s (%.9g s)", duration,
          i == index ? "itself" : "before it", seconds);
      return;
    }
  }
}

static void
check_clips (Checks *self)
{
  JsonArray *clips = weft_json_get_member_array (self->timeline, "clips");

  check_ids (self, clips, "/timeline/clips");
  for (guint i = 0; clips != NULL && i < json_array_get_length (clips); i++) {
    JsonObject *clip = json_array_get_object_element (clips, i);
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/clips/%u", i);
    g_autofree gchar *at_duration = g_strdup_printf ("%s/duration", pointer);
    guint64 duration;

    check_source (self, clip, pointer);
    check_range (self, clip, "in", "out", pointer);
    if (get_time (clip, "duration", &duration) && duration == 0)
      note (self, FALSE, at_duration, "leave the clip out, or give it some time",
          "a clip of no length");
    check_transition (self, clips, i, pointer);
  }
}

static void
check_overlays (Checks *self)
{
  JsonArray *overlays = weft_json_get_member_array (self->timeline, "overlays");

  check_ids (self, overlays, "/timeline/overlays");
  for (guint i = 0; overlays != NULL && i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/overlays/%u", i);

    check_source (self, overlay, pointer);
    check_range (self, overlay, "start", "end", pointer);
    if (json_object_has_member (overlay, "in"))
      check_range (self, overlay, "in", "out", pointer);
  }
}

static void
check_beds (Checks *self)
{
  JsonArray *beds = weft_json_get_member_array (self->timeline, "audio");

  check_ids (self, beds, "/timeline/audio");
  for (guint i = 0; beds != NULL && i < json_array_get_length (beds); i++) {
    JsonObject *bed = json_array_get_object_element (beds, i);
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/audio/%u", i);

    check_source (self, bed, pointer);
    check_range (self, bed, "start", "end", pointer);
    check_range (self, bed, "in", "out", pointer);
  }
}

static void
check_fonts (Checks *self)
{
  JsonArray *fonts = weft_json_get_member_array (self->job, "fonts");

  for (guint i = 0; fonts != NULL && i < json_array_get_length (fonts); i++) {
    g_autofree gchar *pointer = g_strdup_printf ("/fonts/%u", i);

    check_source (self, json_array_get_object_element (fonts, i), pointer);
  }
}

static void
check_fps (Checks *self)
{
  JsonNode *fps = self->timeline != NULL ? json_object_get_member (self->timeline, "fps") : NULL;
  gint n, d;

  if (fps != NULL && !weft_job_parse_fps (fps, &n, &d))
    note (self, FALSE, "/timeline/fps", "write a rate from 1 to 240, such as 30 or \"30000/1001\"",
        "not a frame rate from 1 to 240");
}

/* Whether a path or URI cannot be a file, by its last step. */
static gboolean
is_folder (const gchar *uri)
{
  const gchar *slash = strrchr (uri, '/');
  const gchar *step = slash != NULL ? slash + 1 : uri;

  return *step == '\0' || strcmp (step, ".") == 0 || strcmp (step, "..") == 0;
}

/* A target must be a file (or, for hls, a folder) that nothing else of the job reads or writes. */
static void
check_target (Checks *self, JsonObject *output, const gchar *type, const gchar *pointer)
{
  g_autofree gchar *uri = resolve (self, output, "uri", pointer);
  g_autofree gchar *identity = uri != NULL ? weft_uri_get_identity (uri) : NULL;
  g_autofree gchar *at = g_strdup_printf ("%s/uri", pointer);
  const gchar *other;

  if (uri == NULL)
    return;
  if (g_ascii_strncasecmp (uri, "http", 4) == 0) {
    note (self, FALSE, at, "write to a file or to s3://bucket/key",
        "an output cannot be written to a web address");
    return;
  }
  if (strcmp (type, "hls") != 0 && is_folder (weft_json_get_member_text (output, "uri"))) {
    note (self, FALSE, at, "add the name of a file", "the output is a folder");
    return;
  }
  other = g_hash_table_lookup (self->sources, identity);
  if (other != NULL) {
    g_autofree gchar *hint =
        g_strdup_printf ("%s is read from there; write to another place", other);

    note (self, FALSE, at, hint, "the output would overwrite what the job reads");
    return;
  }
  other = g_hash_table_lookup (self->targets, identity);
  if (other != NULL) {
    g_autofree gchar *hint = g_strdup_printf (
        "%s is written there too; {{output.id}} in the name keeps outputs apart", other);

    note (self, FALSE, at, hint, "two outputs have the same place");
    return;
  }
  g_hash_table_insert (self->targets, g_steal_pointer (&identity), g_steal_pointer (&at));
}

static void
check_video_output (Checks *self, JsonObject *output, const gchar *pointer)
{
  gint64 width = json_object_get_int_member_with_default (output, "width", 0);
  gint64 height = json_object_get_int_member_with_default (output, "height", 0);
  gint64 full_width = json_object_get_int_member_with_default (self->timeline, "width", 0);
  gint64 full_height = json_object_get_int_member_with_default (self->timeline, "height", 0);
  const gchar *uri = weft_json_get_member_text (output, "uri");
  const gchar *ending = weft_uri_get_ending (uri);
  static const gchar *const foreign[] = { "webm", "mkv", "avi", "mpg", "mpeg", "ts", "ogg", "ogv",
    "jpg", "jpeg", "png", "gif", "mp3", "wav", NULL };
  g_autofree gchar *lower = g_ascii_strdown (ending, -1);

  if (width > full_width || height > full_height)
    note (self, TRUE, pointer, "a larger timeline would give a sharper picture",
        "the output is larger than the timeline (%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
        ") and will be scaled up",
        full_width, full_height);
  if (width > 0 && height > 0 && full_width > 0 && full_height > 0) {
    gdouble ratio = (gdouble) (width * full_height) / (gdouble) (height * full_width);

    /* Rounding to even sizes may cost one part in a hundred of a small picture. */
    if (fabs (ratio - 1) > 0.02)
      note (self, TRUE, pointer, "give only one of `width` and `height` to keep the shape",
          "the output has another shape than the timeline, so the picture will be distorted");
  }
  if (g_strv_contains (foreign, lower)) {
    g_autofree gchar *at = g_strdup_printf ("%s/uri", pointer);

    note (self, TRUE, at, "let the name end in .mp4",
        "the output is an MP4 file but its name ends in .%s", ending);
  }
}

/* An output without a format gets the one that its name says. */
static void
check_format (Checks *self, JsonObject *output, const gchar *const *endings,
    const gchar *const *formats, const gchar *allowed, const gchar *pointer)
{
  const gchar *format = weft_json_get_member_text (output, "format");
  const gchar *ending = weft_uri_get_ending (weft_json_get_member_text (output, "uri"));
  const gchar *by_name = NULL;
  g_autofree gchar *at = g_strdup_printf ("%s/uri", pointer);

  for (guint i = 0; endings[i] != NULL; i++) {
    if (g_ascii_strcasecmp (ending, endings[i]) == 0)
      by_name = formats[i];
  }
  if (format == NULL && by_name == NULL) {
    g_autofree gchar *hint = g_strdup_printf ("add `format`, or let the name end in %s", allowed);

    note (self, FALSE, at, hint, "the name does not say the format");
  } else if (format == NULL) {
    json_object_set_string_member (output, "format", by_name);
  } else if (by_name != NULL && strcmp (format, by_name) != 0) {
    note (self, TRUE, at, "change the name or the format",
        "the format is %s but the name ends in .%s", format, ending);
  }
}

static void
check_outputs (Checks *self)
{
  static const gchar *const picture_endings[] = { "jpg", "jpeg", "png", NULL };
  static const gchar *const picture_formats[] = { "jpeg", "jpeg", "png" };
  static const gchar *const text_endings[] = { "srt", "vtt", "json", "txt", NULL };
  JsonArray *outputs = weft_json_get_member_array (self->job, "outputs");

  check_ids (self, outputs, "/outputs");
  for (guint i = 0; outputs != NULL && i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    const gchar *type = weft_json_get_member_text (output, "type");
    g_autofree gchar *pointer = g_strdup_printf ("/outputs/%u", i);

    check_target (self, output, type, pointer);
    if (strcmp (type, "video") == 0)
      check_video_output (self, output, pointer);
    else if (strcmp (type, "thumbnail") == 0 || strcmp (type, "sprite") == 0)
      check_format (self, output, picture_endings, picture_formats, ".jpg or .png", pointer);
    else if (strcmp (type, "transcript") == 0)
      check_format (self, output, text_endings, text_endings, ".srt, .vtt, .json or .txt", pointer);
  }
}

/* How long the timeline is at least, in seconds. With @is_exact no clip is as long as its source.
 */
static gdouble
get_least_seconds (Checks *self, gboolean *is_exact)
{
  JsonArray *clips = weft_json_get_member_array (self->timeline, "clips");
  gdouble total = 0;

  *is_exact = TRUE;
  for (guint i = 0; i < json_array_get_length (clips); i++) {
    JsonObject *clip = json_array_get_object_element (clips, i);
    JsonObject *transition = weft_json_get_member_object (clip, "transition");
    gdouble seconds = get_clip_seconds (clip);

    if (seconds < 0)
      *is_exact = FALSE;
    else
      total += seconds;
    if (transition != NULL && i > 0)
      total -= json_object_get_double_member (transition, "duration");
  }
  return MAX (total, 0);
}

/* Width and height of a video output; one that is missing keeps the timeline's shape. */
static void
get_output_size (Checks *self, JsonObject *output, gdouble *width, gdouble *height)
{
  gdouble full_width =
      (gdouble) json_object_get_int_member_with_default (self->timeline, "width", 1);
  gdouble full_height =
      (gdouble) json_object_get_int_member_with_default (self->timeline, "height", 1);

  *width = (gdouble) json_object_get_int_member_with_default (output, "width", 0);
  *height = (gdouble) json_object_get_int_member_with_default (output, "height", 0);
  if (*width == 0 && *height == 0) {
    *width = full_width;
    *height = full_height;
  } else if (*width == 0) {
    *width = *height * full_width / full_height;
  } else if (*height == 0) {
    *height = *width * full_height / full_width;
  }
}

static void
warn_of_limit (Checks *self, JsonObject *limits, const gchar *pointer, const gchar *limit,
    const gchar *unit, gdouble value)
{
  WeftProblem *problem = weft_limits_check (limits, limit, unit, value, pointer);

  if (problem != NULL && self->problems->len < WEFT_SCHEMA_MAX_PROBLEMS)
    g_ptr_array_add (self->problems, problem);
  else
    g_clear_pointer (&problem, weft_problem_free);
}

static void
warn_of_codec (
    Checks *self, JsonObject *limits, const gchar *name, const gchar *codec, const gchar *pointer)
{
  JsonArray *codecs = weft_json_get_member_array (limits, name);
  g_autofree gchar *hint = NULL;

  for (guint i = 0; codecs != NULL && i < json_array_get_length (codecs); i++) {
    if (g_strcmp0 (json_array_get_string_element (codecs, i), codec) == 0)
      return;
  }
  if (codecs == NULL || json_array_get_length (codecs) == 0 || g_strcmp0 (codec, "none") == 0)
    return;
  hint = g_strdup_printf ("use %s", json_array_get_string_element (codecs, 0));
  note (self, TRUE, pointer, hint, "%s does not take %s", weft_limits_get_platform (limits), codec);
}

static void
check_output_limits (Checks *self, JsonObject *limits, JsonObject *output, const gchar *pointer)
{
  JsonObject *video = weft_json_get_member_object (output, "video");
  JsonObject *audio = weft_json_get_member_object (output, "audio");
  const gchar *shape = weft_json_get_member_text (limits, "shape");
  g_autofree gchar *at_video = g_strdup_printf ("%s/video/bitrate", pointer);
  g_autofree gchar *at_audio = g_strdup_printf ("%s/audio/bitrate", pointer);
  g_autofree gchar *at_video_codec = g_strdup_printf ("%s/video/codec", pointer);
  g_autofree gchar *at_audio_codec = g_strdup_printf ("%s/audio/codec", pointer);
  gdouble width, height;

  get_output_size (self, output, &width, &height);
  warn_of_limit (self, limits, pointer, "max_width", "pixels from left to right", width);
  warn_of_limit (self, limits, pointer, "max_side", "pixels on a side", MAX (width, height));
  warn_of_limit (self, limits, pointer, "min_side", "pixels on a side", MIN (width, height));
  if (g_strcmp0 (shape, "portrait-or-square") == 0 && width > height)
    note (self, TRUE, pointer, "make it higher than wide",
        "%s takes portrait or square pictures only", weft_limits_get_platform (limits));
  if (video != NULL) {
    warn_of_limit (self, limits, at_video, "max_video_bitrate", "bits of video a second",
        (gdouble) json_object_get_int_member_with_default (video, "bitrate", 0));
    warn_of_codec (
        self, limits, "video_codecs", weft_json_get_member_text (video, "codec"), at_video_codec);
  }
  if (audio != NULL) {
    if (g_strcmp0 (weft_json_get_member_text (audio, "codec"), "none") != 0)
      warn_of_limit (self, limits, at_audio, "max_audio_bitrate", "bits of sound a second",
          (gdouble) json_object_get_int_member_with_default (audio, "bitrate", 0));
    warn_of_codec (
        self, limits, "audio_codecs", weft_json_get_member_text (audio, "codec"), at_audio_codec);
  }
}

static void
check_limits (Checks *self)
{
  JsonArray *all = weft_json_get_member_array (self->job, "limits");
  JsonArray *outputs = weft_json_get_member_array (self->job, "outputs");
  gboolean is_exact;
  gdouble seconds = get_least_seconds (self, &is_exact);
  gint n, d;

  if (all == NULL || !weft_job_parse_fps (json_object_get_member (self->timeline, "fps"), &n, &d))
    return;
  for (guint i = 0; i < json_array_get_length (all); i++) {
    JsonObject *limits = json_array_get_object_element (all, i);
    gdouble fps = (gdouble) n / d;

    warn_of_limit (self, limits, "/timeline/fps", "min_fps", "frames a second", fps);
    warn_of_limit (self, limits, "/timeline/fps", "max_fps", "frames a second", fps);
    warn_of_limit (self, limits, "/timeline/clips", "max_duration_s", "seconds", seconds);
    if (is_exact)
      warn_of_limit (self, limits, "/timeline/clips", "min_duration_s", "seconds", seconds);
    for (guint k = 0; k < json_array_get_length (outputs); k++) {
      JsonObject *output = json_array_get_object_element (outputs, k);
      g_autofree gchar *pointer = g_strdup_printf ("/outputs/%u", k);

      if (strcmp (weft_json_get_member_text (output, "type"), "video") == 0)
        check_output_limits (self, limits, output, pointer);
    }
  }
}

/*
 * weft_job_check:
 * @job: a job that the schema accepts, with defaults filled in; formats of outputs are added to it
 * @base: (nullable): the folder of its relative paths
 * @file: (nullable): the file it was read from, which no output may overwrite
 * @problems: (element-type WeftProblem): where errors and warnings are added
 */
void
weft_job_check (JsonObject *job, GFile *base, GFile *file, GPtrArray *problems)
{
  g_autoptr (GHashTable) sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) targets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Checks self = { job, weft_json_get_member_object (job, "timeline"), base, problems, sources,
    targets };

  if (file != NULL) {
    g_autofree gchar *uri = g_file_get_uri (file);

    g_hash_table_insert (sources, weft_uri_get_identity (uri), g_strdup ("the job itself"));
  }
  check_fps (&self);
  check_fonts (&self);
  check_clips (&self);
  check_overlays (&self);
  check_beds (&self);
  check_outputs (&self);
  check_limits (&self);
}
