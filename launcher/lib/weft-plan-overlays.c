/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan-private.h"

#include <gst/gst.h>
#include <string.h>

#include "weft-fonts.h"
#include "weft-pictures.h"
#include "weft-probe-private.h"

/* Fonts and pictures */

static gboolean
is_local (const gchar *uri)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  return g_strcmp0 (scheme, "file") == 0;
}

/* Notes what is wrong with a local file that the job names. Returns: TRUE if it can be read. What a
 * server has is seen when it is drawn. */
static gboolean
check_file (WeftPlanner *self, const gchar *pointer, const gchar *uri)
{
  if (!is_local (uri))
    return TRUE;

  g_autoptr (GError) error = NULL;
  WeftSourceFile file = { 0 };
  gboolean ok = weft_source_file_check (uri, &file, self->cancellable, &error);

  weft_source_file_clear (&file);
  if (!ok) {
    const WeftProblem *problem = g_ptr_array_index (weft_error_get_problems (error), 0);

    weft_planner_add_error (
        self, problem->code, pointer, uri, problem->hint, "%s", problem->message);
    return FALSE;
  }
  g_ptr_array_add (self->files, g_filename_from_uri (uri, NULL, NULL));
  return TRUE;
}

/* @data: the beginning of the file @uri */
static void
check_picture_type (
    WeftPlanner *self, const gchar *pointer, const gchar *uri, const guint8 *data, gsize length)
{
  const gchar *type = weft_picture_guess_type (data, length);
  g_auto (GStrv) drawn = weft_pictures_list_types ();
  g_autofree gchar *list = g_strjoinv (", ", drawn);
  g_autofree gchar *hint = NULL;

  /* That the element is missing is told when the graph is made. */
  if (drawn[0] == NULL)
    return;
  if (type == NULL) {
    hint = g_strdup_printf ("use a picture of one of these kinds: %s", list);
    weft_planner_add_error (
        self, WEFT_ERROR_SOURCE_DAMAGED, pointer, uri, hint, "the overlay's file is not a picture");
  } else if (!g_strv_contains ((const gchar *const *) drawn, type)) {
    hint = g_strdup_printf ("convert it to PNG; this machine draws %s", list);
    weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, uri, hint,
        "this machine cannot draw pictures of the type %s", type);
  } else if (weft_picture_moves (data, length)) {
    weft_planner_add_warning (self, WEFT_ERROR_UNSUPPORTED, pointer, uri,
        "use a picture that does not move, or a clip",
        "the picture moves; only its first frame is drawn");
  }
}

static void
check_picture (WeftPlanner *self, const gchar *pointer, const gchar *uri)
{
  g_autoptr (GFile) file = g_file_new_for_uri (uri);
  g_autoptr (GFileInputStream) stream = NULL;
  guint8 data[WEFT_PICTURE_MAGIC_BYTES];
  gsize length = 0;

  if (!check_file (self, pointer, uri) || !is_local (uri))
    return;
  stream = g_file_read (file, self->cancellable, NULL);
  if (stream != NULL
      && g_input_stream_read_all (
          G_INPUT_STREAM (stream), data, sizeof data, &length, self->cancellable, NULL))
    check_picture_type (self, pointer, uri, data, length);
}

/* Returns: (nullable): the absolute URI of a file; one that this build cannot read is noted as
 * unsupported */
static gchar *
resolve_file (WeftPlanner *self, const gchar *pointer, const gchar *src)
{
  static const gchar *const schemes[] = { "file", "http", "https", NULL };
  g_autofree gchar *uri = weft_planner_resolve (self, pointer, src);
  g_autofree gchar *scheme = uri != NULL ? g_uri_parse_scheme (uri) : NULL;

  if (uri == NULL)
    return NULL;
  if (scheme == NULL || !g_strv_contains (schemes, scheme)) {
    weft_planner_add_unsupported (self, pointer, "remote-file",
        "this build reads pictures, fonts and captions from files, http: and https:, not from %s:",
        scheme);
    return NULL;
  }
  return g_steal_pointer (&uri);
}

static void
plan_fonts (WeftPlanner *self)
{
  JsonArray *fonts = weft_get_array (self->document, "fonts");

  for (guint i = 0; fonts != NULL && i < json_array_get_length (fonts); i++) {
    JsonObject *font = json_array_get_object_element (fonts, i);
    g_autofree gchar *pointer = g_strdup_printf ("/fonts/%u/src", i);
    g_autofree gchar *uri = resolve_file (self, pointer, weft_get_string (font, "src", ""));
    JsonObject *object;

    if (uri == NULL || !check_file (self, pointer, uri))
      continue;
    object = json_object_new ();
    json_object_set_string_member (object, "family", weft_get_string (font, "family", ""));
    json_object_set_string_member (object, "src", uri);
    json_array_add_object_element (self->fonts, object);
  }
}

static gboolean
is_family_of_job (WeftPlanner *self, const gchar *family)
{
  JsonArray *fonts = weft_get_array (self->document, "fonts");
  g_autofree gchar *wanted = g_utf8_casefold (family, -1);

  for (guint i = 0; fonts != NULL && i < json_array_get_length (fonts); i++) {
    JsonObject *font = json_array_get_object_element (fonts, i);
    g_autofree gchar *given = g_utf8_casefold (weft_get_string (font, "family", ""), -1);

    if (g_str_equal (given, wanted))
      return TRUE;
  }
  return FALSE;
}

/* A family that is not there is no error: a text in another font is better than none. @seen keeps a
 * family that many texts use from being reported many times. */
static void
check_family (WeftPlanner *self, const gchar *font_pointer, JsonObject *font, GHashTable *seen)
{
  const gchar *family = weft_get_string (font, "family", NULL);
  g_autofree gchar *pointer = g_strconcat (font_pointer, "/family", NULL);
  g_autofree gchar *substitute = NULL, *hint = NULL;

  if (family == NULL || is_family_of_job (self, family)
      || !g_hash_table_add (seen, g_strdup (family)))
    return;
  substitute = weft_fonts_find_substitute (family);
  if (substitute == NULL)
    return;
  hint = g_strdup_printf ("install the font, or name its file in `fonts`: "
                          "{\"family\": \"%s\", \"src\": \"….ttf\"}",
      family);
  if (*substitute == '\0')
    weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, NULL, hint,
        "this machine has no font at all, so no text can be drawn");
  else
    weft_planner_add_warning (self, WEFT_ERROR_UNSUPPORTED, pointer, NULL, hint,
        "the font family “%s” is not installed; “%s” is used in its place", family, substitute);
}

static void
check_families (WeftPlanner *self, const gchar *pointer, JsonObject *overlay, GHashTable *seen)
{
  JsonArray *spans = weft_get_array (overlay, "spans");
  g_autofree gchar *font_pointer = g_strconcat (pointer, "/font", NULL);

  check_family (self, font_pointer, weft_get_object (overlay, "font"), seen);
  for (guint i = 0; spans != NULL && i < json_array_get_length (spans); i++) {
    g_autofree gchar *span_pointer = g_strdup_printf ("%s/spans/%u", pointer, i);

    check_family (self, span_pointer, json_array_get_object_element (spans, i), seen);
  }
}

/* Times */

/* Returns: FALSE if the overlay never shows */
static gboolean
place_overlay (WeftPlanner *self, const gchar *pointer, JsonObject *overlay, guint64 *first_frame,
    guint64 *frames)
{
  guint64 start_ns = 0, end_ns = 0, end_frame = self->frames;
  gboolean has_end = weft_get_time (overlay, "end", &end_ns);

  weft_get_time (overlay, "start", &start_ns);
  *first_frame = weft_placement_time_to_frame (start_ns, self->fps);
  if (has_end)
    end_frame = weft_placement_time_to_frame (end_ns, self->fps);
  if (has_end && end_ns <= start_ns) {
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, NULL,
        "let it end after its start", "the overlay ends before it begins and never shows");
    return FALSE;
  }
  if (*first_frame >= self->frames) {
    if (self->frames > 0)
      weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, NULL, "let it start earlier",
          "the overlay starts at %.3f s, but the timeline is only %.3f s long; it never shows",
          (gdouble) start_ns / (gdouble) GST_SECOND,
          weft_placement_frame_to_seconds (self->frames, self->fps));
    return FALSE;
  }
  if (end_frame > self->frames) {
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, NULL,
        "use \"end\" for the end of the timeline",
        "the overlay ends at %.3f s, but the timeline is only %.3f s long",
        (gdouble) end_ns / (gdouble) GST_SECOND,
        weft_placement_frame_to_seconds (self->frames, self->fps));
    end_frame = self->frames;
  }
  if (end_frame == *first_frame) {
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, NULL, "show it for longer",
        "the overlay is shorter than a frame and never shows");
    return FALSE;
  }
  *frames = end_frame - *first_frame;
  return TRUE;
}

static JsonNode *
copy_item (JsonObject *overlay, const gchar *uri)
{
  JsonObject *copy = json_object_new ();
  JsonNode *node = json_node_alloc ();
  g_autoptr (GList) names = json_object_get_members (overlay);

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (
        copy, l->data, json_node_copy (json_object_get_member (overlay, l->data)));
  if (uri != NULL)
    json_object_set_string_member (copy, "src", uri);
  json_node_init_object (node, copy);
  json_object_unref (copy);
  return node;
}

/* What the element is told of a video: which pad it comes through, and until which frame. */
static JsonNode *
copy_video_item (JsonObject *overlay, guint pad, gdouble end_s)
{
  static const gchar *const members[] = { "type", "start", "position", "x", "y", "opacity",
    "animate" };
  g_autofree gchar *name = g_strdup_printf ("video_%u", pad);
  JsonObject *copy = json_object_new ();
  JsonNode *node = json_node_alloc ();

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    JsonNode *member = json_object_get_member (overlay, members[i]);
    if (member != NULL)
      json_object_set_member (copy, members[i], json_node_copy (member));
  }
  json_object_set_double_member (copy, "end", end_s);
  json_object_set_string_member (copy, "pad", name);
  json_node_init_object (node, copy);
  json_object_unref (copy);
  return node;
}

/* Returns: (nullable): where the captions are; anything that cannot be read is noted */
static gchar *
resolve_captions (WeftPlanner *self, const gchar *pointer, JsonObject *overlay)
{
  g_autofree gchar *src_pointer = g_strconcat (pointer, "/src", NULL);
  const gchar *src = weft_get_string (overlay, "src", NULL);
  g_autofree gchar *uri = NULL;

  if (src == NULL) {
    weft_planner_add_unsupported (self, pointer, "captions",
        "this build has no transcript to make captions of; name a file in `src`");
    return NULL;
  }
  uri = resolve_file (self, src_pointer, src);
  return uri != NULL && check_file (self, src_pointer, uri) ? g_steal_pointer (&uri) : NULL;
}

/* Whether the graph of this build draws overlays of @type. */
static gboolean
is_drawn (const gchar *type)
{
  static const gchar *const drawn[] = { "text", "image", "timer", "counter", "progress-bar",
    "frame-code", NULL };

  return g_strv_contains (drawn, type);
}

void
weft_planner_place_overlays (WeftPlanner *self)
{
  JsonArray *overlays = weft_get_array (weft_get_object (self->document, "timeline"), "overlays");

  guint n_videos = 0;
  g_autoptr (GHashTable) families = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  plan_fonts (self);
  for (guint i = 0; overlays != NULL && i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);
    const gchar *type = weft_get_string (overlay, "type", "");
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/overlays/%u", i);
    g_autofree gchar *uri = NULL;
    gboolean is_video = g_str_equal (type, "video");
    JsonObject *video = NULL;
    guint64 first_frame, frames;
    JsonObject *object;

    if (g_str_equal (type, "image")) {
      g_autofree gchar *src_pointer = g_strconcat (pointer, "/src", NULL);

      uri = resolve_file (self, src_pointer, weft_get_string (overlay, "src", ""));
      if (uri == NULL)
        continue;
      check_picture (self, src_pointer, uri);
    } else if (g_str_equal (type, "captions")) {
      uri = resolve_captions (self, pointer, overlay);
      if (uri == NULL)
        continue;
    } else if (!is_video && !is_drawn (type)) {
      weft_planner_add_unsupported (
          self, pointer, type, "this build cannot draw overlays of the type %s", type);
      continue;
    }
    check_families (self, pointer, overlay, families);
    if (!place_overlay (self, pointer, overlay, &first_frame, &frames))
      continue;
    if (is_video) {
      video = weft_planner_plan_video (self, overlay, pointer, &frames);
      if (video == NULL)
        continue;
    }
    object = json_object_new ();
    json_object_set_string_member (object, "pointer", pointer);
    json_object_set_int_member (object, "first_frame", (gint64) first_frame);
    json_object_set_int_member (object, "frames", (gint64) frames);
    if (is_video) {
      json_object_set_object_member (object, "video", video);
      json_object_set_member (object, "item",
          copy_video_item (overlay, n_videos++,
              weft_placement_frame_to_seconds (first_frame + frames, self->fps)));
    } else {
      json_object_set_member (object, "item", copy_item (overlay, uri));
    }
    json_array_add_object_element (self->overlays, object);
  }
}

/* What this build cannot run */

static void
list_clip (WeftPlanner *self, JsonObject *clip, guint i)
{
  g_autofree gchar *speed = g_strdup_printf ("/timeline/clips/%u/speed", i);
  g_autofree gchar *transition = g_strdup_printf ("/timeline/clips/%u/transition", i);
  g_autofree gchar *effect = g_strdup_printf ("/timeline/clips/%u/effect", i);

  if (weft_get_double (clip, "speed", 1.0) != 1.0)
    weft_planner_add_unsupported (
        self, speed, "speed", "this build plays clips at their own speed only");
  if (weft_get_object (clip, "transition") != NULL)
    weft_planner_add_unsupported (self, transition, "transition", "this build has no transitions");
  if (!g_str_equal (weft_get_string (clip, "effect", "none"), "none"))
    weft_planner_add_unsupported (self, effect, "effect", "this build has no effects");
}

void
weft_planner_list_unsupported (WeftPlanner *self)
{
  JsonObject *timeline = weft_get_object (self->document, "timeline");
  JsonArray *clips = weft_get_array (timeline, "clips");
  JsonArray *beds = weft_get_array (timeline, "audio");
  JsonObject *analysis = weft_get_object (self->document, "analysis");
  JsonObject *render = weft_get_object (self->document, "render");

  for (guint i = 0; clips != NULL && i < json_array_get_length (clips); i++)
    list_clip (self, json_array_get_object_element (clips, i), i);
  for (guint i = 0; beds != NULL && i < json_array_get_length (beds); i++) {
    g_autofree gchar *pointer = g_strdup_printf ("/timeline/audio/%u", i);

    weft_planner_add_unsupported (
        self, pointer, "audio-bed", "this build cannot put music under the clips");
  }
  if (weft_get_object (timeline, "loudness") != NULL)
    weft_planner_add_unsupported (
        self, "/timeline/loudness", "loudness", "this build cannot change the loudness");
  if (weft_get_object (analysis, "silence") != NULL)
    weft_planner_add_unsupported (
        self, "/analysis/silence", "silence", "this build cannot look for silence");
  if (weft_get_object (analysis, "transcript") != NULL)
    weft_planner_add_unsupported (
        self, "/analysis/transcript", "transcript", "this build cannot transcribe");
  if (g_str_equal (weft_get_string (render, "mode", "auto"), "segments"))
    weft_planner_add_unsupported (
        self, "/render/mode", "segments", "this build renders in one piece only");
  if (weft_get_string (render, "cache", NULL) != NULL)
    weft_planner_add_unsupported (
        self, "/render/cache", "cache", "this build has no cache of rendered segments");
  /* A run that silently called nobody would be worse than none. */
  if (weft_get_object (self->document, "webhook") != NULL)
    weft_planner_add_unsupported (self, "/webhook", "webhook", "this build calls no webhooks");
}
