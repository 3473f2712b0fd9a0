/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan-private.h"

#include <gst/gst.h>

#include "weft-probe.h"

/* Probing waits for disks and servers more than it computes, so it does not matter how many
 * processors there are. A job whose sources are all on a server that does not answer is given up
 * after a stall timeout for each so many of them. */
#define MAX_PROBES 8

/* Sums of times stay far away from 64 bits. */
#define MAX_TIMELINE_NS (G_GUINT64_CONSTANT (3600000) * GST_SECOND)

/* A sound that outlasts its picture by less than this is the padding of an audio codec's last
 * frame (at most 2048 samples at 22.05 kHz) and of containers that round; a clip that is used to
 * its end then ends with its picture, which would otherwise stand still for a frame or three. */
#define AUDIO_TAIL_NS (G_GUINT64_CONSTANT (100) * GST_MSECOND)

static void
probe_cb (gpointer data, gpointer user_data)
{
  WeftPlanSource *source = data;
  WeftPlanner *self = user_data;

  source->node = weft_probe_uri_full (
      source->uri, WEFT_PROBE_FLAGS_NONE, self->stall_timeout_s, self->cancellable, &source->error);
}

static void
add_source (WeftPlanner *self, const gchar *uri)
{
  WeftPlanSource *source;

  if (g_hash_table_contains (self->by_uri, uri))
    return;
  source = g_new0 (WeftPlanSource, 1);
  source->uri = g_strdup (uri);
  source->index = -1;
  g_ptr_array_add (self->sources, source);
  g_hash_table_insert (self->by_uri, source->uri, source);
}

/* The sources of @list, clips or overlays, that are videos or sounds. */
static void
add_sources (WeftPlanner *self, const gchar *list)
{
  JsonArray *array = weft_get_array (weft_get_object (self->document, "timeline"), list);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/%s/%u", list, i);
    g_autofree gchar *uri = NULL;

    if (!g_str_equal (weft_get_string (object, "type", "video"), "video"))
      continue;
    uri = weft_planner_resolve (self, pointer, weft_get_string (object, "src", ""));
    if (uri != NULL && weft_planner_can_use (self, pointer, uri))
      add_source (self, uri);
  }
}

/* Finds every source of the timeline and probes each once, several at a time. The order of the
 * result is that of the document, whichever probe ends first. */
gboolean
weft_planner_probe_sources (WeftPlanner *self, GError **error)
{
  GThreadPool *pool;

  add_sources (self, "clips");
  add_sources (self, "overlays");
  pool = g_thread_pool_new (probe_cb, self, MAX_PROBES, FALSE, NULL);
  for (guint i = 0; i < self->sources->len; i++)
    g_thread_pool_push (pool, g_ptr_array_index (self->sources, i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  for (guint i = 0; i < self->sources->len; i++) {
    WeftPlanSource *source = g_ptr_array_index (self->sources, i);
    g_autofree gchar *path = g_filename_from_uri (source->uri, NULL, NULL);

    if (path != NULL)
      g_ptr_array_add (self->files, g_steal_pointer (&path));
  }
  if (!g_cancellable_is_cancelled (self->cancellable))
    return TRUE;
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_CANCELLED, NULL, NULL, NULL, "planning was cancelled"));
  return FALSE;
}

static guint64
stream_end_ns (JsonObject *stream)
{
  return stream == NULL ? 0
                        : (guint64) (weft_get_int (stream, "start_ns", 0)
                                     + weft_get_int (stream, "duration_ns", 0));
}

/* How long a clip without `out` is: to the end of its picture, or of its sound where that goes on.
 */
static guint64
natural_end_ns (JsonObject *source)
{
  guint64 start_ns = (guint64) weft_get_int (source, "start_ns", 0);
  guint64 duration_ns = (guint64) weft_get_int (source, "duration_ns", 0);
  guint64 video_ns = stream_end_ns (weft_get_object (source, "video"));
  guint64 audio_ns = stream_end_ns (weft_get_object (source, "audio"));

  if (video_ns > start_ns && audio_ns > video_ns && audio_ns - video_ns < AUDIO_TAIL_NS)
    return video_ns - start_ns;
  return duration_ns;
}

/* One clip on its way onto the timeline. */
typedef struct {
  JsonObject *clip;
  const gchar *pointer;
  const gchar *uri;
  const gchar *on_error;
  WeftPlanSource *source; /* (nullable) */
  JsonObject *info;       /* (nullable): the probed source */
  guint64 in_ns;
  guint64 length_ns; /* on the timeline */
} Clip;

static guint64
scale_by_speed (guint64 length_ns, gdouble speed)
{
  return speed == 1.0 ? length_ns : (guint64) ((gdouble) length_ns / speed);
}

/* The length the job itself gives, in the source's time. */
static gboolean
given_length (Clip *self, guint64 *length_ns)
{
  guint64 time_ns;

  if (weft_get_time (self->clip, "duration", &time_ns)) {
    *length_ns = (guint64) ((gdouble) time_ns * weft_get_double (self->clip, "speed", 1.0));
    if (weft_get_double (self->clip, "speed", 1.0) == 1.0)
      *length_ns = time_ns;
    return TRUE;
  }
  if (!weft_get_time (self->clip, "out", &time_ns) || time_ns < self->in_ns)
    return FALSE;
  *length_ns = time_ns - self->in_ns;
  return TRUE;
}

static gchar *
seconds (guint64 time_ns)
{
  return g_strdup_printf ("%.3f s", (gdouble) time_ns / (gdouble) GST_SECOND);
}

/* Cuts the clip at the end of its source. Returns: FALSE if nothing is left. */
static gboolean
fit_into_source (WeftPlanner *self, Clip *clip, gboolean given)
{
  guint64 duration_ns = (guint64) weft_get_int (clip->info, "duration_ns", 0);
  g_autofree gchar *duration = seconds (duration_ns);
  guint64 left_ns;

  if (duration_ns == 0)
    return TRUE;
  if (clip->in_ns >= duration_ns) {
    g_autofree gchar *in = seconds (clip->in_ns);
    g_autofree gchar *pointer = g_strconcat (clip->pointer, "/in", NULL);
    g_autofree gchar *hint = g_strdup_printf ("use an `in` below %s", duration);

    weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, pointer, clip->uri, hint,
        "the clip begins at %s, but its source is only %s long", in, duration);
    return FALSE;
  }
  left_ns = duration_ns - clip->in_ns;
  if (clip->length_ns <= left_ns)
    return TRUE;
  /* An `out` that is a rounded duration is no mistake. */
  if (given
      && weft_placement_time_to_frame (clip->length_ns, self->fps)
             != weft_placement_time_to_frame (left_ns, self->fps)) {
    g_autofree gchar *end = seconds (clip->in_ns + clip->length_ns);

    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, clip->pointer, clip->uri,
        "shorten the clip or leave out `out` to use the source to its end",
        "the clip ends at %s, but its source is only %s long; it is cut there", end, duration);
  }
  clip->length_ns = left_ns;
  return TRUE;
}

static gboolean
measure_clip (WeftPlanner *self, Clip *clip)
{
  gboolean image = clip->info != NULL
                   && json_object_get_boolean_member_with_default (clip->info, "image", FALSE);
  guint64 out_ns = 0, natural_ns;
  gboolean given;

  if (!weft_get_time (clip->clip, "in", &clip->in_ns))
    clip->in_ns = 0;
  if (weft_get_time (clip->clip, "out", &out_ns) && out_ns <= clip->in_ns) {
    g_autofree gchar *pointer = g_strconcat (clip->pointer, "/out", NULL);

    weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, pointer, clip->uri,
        "`out` is where in the source the clip ends; it must be after `in`",
        "the clip ends before it begins");
    return FALSE;
  }
  given = given_length (clip, &clip->length_ns);
  /* A still picture is the same at every moment. */
  if (image)
    clip->in_ns = 0;
  if (image && !given) {
    weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, clip->pointer, clip->uri,
        "add a `duration` in seconds", "a still picture has no length of its own");
    return FALSE;
  }
  if (image || clip->info == NULL)
    return given;
  if (!given) {
    natural_ns = natural_end_ns (clip->info);
    if (natural_ns == 0) {
      weft_planner_add_error (self, WEFT_ERROR_SOURCE_DAMAGED, clip->pointer, clip->uri,
          "give the clip an `out`", "the source does not say how long it is");
      return FALSE;
    }
    clip->length_ns = natural_ns > clip->in_ns ? natural_ns - clip->in_ns : 0;
    /* Only the tail of the sound is left: use that rather than nothing. */
    if (clip->length_ns == 0)
      clip->length_ns = G_MAXUINT64 / 2;
  }
  return fit_into_source (self, clip, given);
}

/* What happens to a clip whose source cannot be used. Returns: TRUE if it keeps its place. */
static gboolean
handle_bad_source (WeftPlanner *self, Clip *clip)
{
  GPtrArray *problems = weft_error_get_problems (clip->source->error);
  const WeftProblem *problem = g_ptr_array_index (problems, 0);

  if (g_strcmp0 (clip->on_error, "skip") == 0) {
    weft_planner_add_warning (self, problem->code, clip->pointer, clip->uri, problem->hint,
        "%s; the clip is left out", problem->message);
    return FALSE;
  }
  if (g_strcmp0 (clip->on_error, "background") == 0 && measure_clip (self, clip)) {
    weft_planner_add_warning (self, problem->code, clip->pointer, clip->uri, problem->hint,
        "%s; the background shows in its place", problem->message);
    return TRUE;
  }
  if (g_strcmp0 (clip->on_error, "background") == 0) {
    weft_planner_add_error (self, problem->code, clip->pointer, clip->uri,
        "give the clip an `out` or a `duration`, so that it is known for how long the background "
        "shows",
        "%s, and how long the clip would be is not known", problem->message);
    return FALSE;
  }
  weft_planner_add_error (
      self, problem->code, clip->pointer, clip->uri, problem->hint, "%s", problem->message);
  return FALSE;
}

/*
 * weft_planner_cut_video:
 * @overlay: of the type video
 * @cut: (out): what it shows
 *
 * Returns: %FALSE if its source cannot be used, which was noted
 */
gboolean
weft_planner_cut_video (
    WeftPlanner *self, JsonObject *overlay, const gchar *pointer, WeftVideoCut *cut)
{
  g_autofree gchar *uri =
      weft_job_resolve_uri (self->job, weft_get_string (overlay, "src", ""), NULL);
  Clip clip = { .clip = overlay, .pointer = pointer, .uri = uri, .on_error = "fail" };

  clip.source = uri != NULL ? g_hash_table_lookup (self->by_uri, uri) : NULL;
  if (clip.source == NULL || (clip.source->error != NULL && !handle_bad_source (self, &clip)))
    return FALSE;
  clip.info = json_node_get_object (clip.source->node);
  *cut = (WeftVideoCut){ .source = clip.source,
    .info = clip.info,
    .image = json_object_get_boolean_member_with_default (clip.info, "image", FALSE) };
  if (!cut->image && !measure_clip (self, &clip))
    return FALSE;
  cut->in_ns = clip.in_ns;
  cut->length_ns = clip.length_ns;
  return TRUE;
}

static void
append_clip (WeftPlanner *self, const Clip *clip, const WeftSlot *slot, guint number)
{
  JsonObject *object = json_object_new ();
  g_autofree gchar *fallback_id = g_strdup_printf ("clip-%u", number + 1);

  json_object_set_string_member (object, "id", weft_get_string (clip->clip, "id", fallback_id));
  json_object_set_string_member (object, "pointer", clip->pointer);
  if (clip->source != NULL && clip->source->index >= 0)
    json_object_set_int_member (object, "source", clip->source->index);
  else
    json_object_set_null_member (object, "source");
  json_object_set_string_member (object, "uri", clip->uri);
  json_object_set_int_member (object, "first_frame", (gint64) slot->first_frame);
  json_object_set_int_member (object, "frames", (gint64) slot->frames);
  json_object_set_int_member (object, "first_sample", (gint64) slot->first_sample);
  json_object_set_int_member (object, "samples", (gint64) slot->samples);
  json_object_set_int_member (
      object, "start_ns", clip->info != NULL ? weft_get_int (clip->info, "start_ns", 0) : 0);
  json_object_set_int_member (object, "in_ns", (gint64) clip->in_ns);
  json_object_set_boolean_member (
      object, "video", clip->info != NULL && weft_get_object (clip->info, "video") != NULL);
  json_object_set_boolean_member (
      object, "audio", clip->info != NULL && weft_get_object (clip->info, "audio") != NULL);
  json_object_set_string_member (object, "fit", weft_get_string (clip->clip, "fit", "cover"));
  json_object_set_double_member (object, "volume", weft_get_double (clip->clip, "volume", 1.0));
  json_object_set_string_member (object, "on_error", clip->on_error);
  json_array_add_object_element (self->clips, object);
}

static void
number_sources (WeftPlanner *self)
{
  gint next = 0;

  for (guint i = 0; i < self->sources->len; i++) {
    WeftPlanSource *source = g_ptr_array_index (self->sources, i);

    if (source->node != NULL)
      source->index = next++;
  }
}

/* Puts every clip onto the grid. */
void
weft_planner_place_clips (WeftPlanner *self)
{
  JsonArray *clips = weft_get_array (weft_get_object (self->document, "timeline"), "clips");
  guint64 position_ns = 0;

  number_sources (self);
  for (guint i = 0; clips != NULL && i < json_array_get_length (clips); i++) {
    JsonObject *object = json_array_get_object_element (clips, i);
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/clips/%u", i);
    g_autofree gchar *uri =
        weft_job_resolve_uri (self->job, weft_get_string (object, "src", ""), NULL);
    Clip clip = { .clip = object,
      .pointer = pointer,
      .uri = uri,
      .on_error = weft_get_string (object, "on_error", "fail") };
    WeftSlot slot;

    if (uri == NULL)
      continue;
    clip.source = g_hash_table_lookup (self->by_uri, uri);
    if (clip.source != NULL && clip.source->error != NULL) {
      if (!handle_bad_source (self, &clip))
        continue;
    } else {
      if (clip.source != NULL)
        clip.info = json_node_get_object (clip.source->node);
      if (!measure_clip (self, &clip))
        continue;
    }
    clip.length_ns = MIN (scale_by_speed (clip.length_ns, weft_get_double (object, "speed", 1.0)),
        MAX_TIMELINE_NS + 1);
    slot = weft_placement_slot (position_ns, clip.length_ns, self->fps, self->rate);
    if (slot.frames == 0) {
      weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, uri,
          "make it longer than half a frame", "the clip is shorter than a frame and is left out");
    } else {
      append_clip (self, &clip, &slot, i);
    }
    position_ns += clip.length_ns;
    if (position_ns > MAX_TIMELINE_NS) {
      weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, pointer, uri, "shorten the clips",
          "the timeline is longer than 1000 hours");
      return;
    }
  }
  self->duration_ns = position_ns;
  self->frames = weft_placement_time_to_frame (position_ns, self->fps);
  self->samples = weft_placement_frame_to_sample (self->frames, self->fps, self->rate);
}
