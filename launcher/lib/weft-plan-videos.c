/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Videos in the picture: how large each is, which frames of its source it shows, and for how long.
 */

#include <gst/gst.h>
#include <math.h>

#include "weft-plan-private.h"

#define MAX_SIDE 16384
/* Of one looping video: what is shorter is a mistake, or a still picture. */
#define MAX_REPEATS 10000

/* A fraction of @frame, or pixels as "120px". Returns: 0 if it is not given */
static gdouble
get_extent (JsonObject *object, const gchar *name, guint frame)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL)
    return 0;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_ascii_strtod (json_node_get_string (node), NULL);
  return json_node_get_double (node) * frame;
}

/* I420 has chroma for two by two. */
static guint
to_even (gdouble size)
{
  return (guint) CLAMP (2 * lround (size / 2), 2, MAX_SIDE);
}

/* How wide the source is for one that is as high as 1, upright and in square pixels. */
static gdouble
get_aspect (JsonObject *video)
{
  JsonArray *par = weft_get_array (video, "par");
  const gchar *orientation = weft_get_string (video, "orientation", "rotate-0");
  gdouble width = (gdouble) weft_get_int (video, "width", 1);
  gdouble height = (gdouble) MAX (weft_get_int (video, "height", 1), 1);
  gdouble aspect = width / height;

  if (par != NULL && json_array_get_length (par) == 2 && json_array_get_int_element (par, 1) > 0)
    aspect *= (gdouble) json_array_get_int_element (par, 0)
              / (gdouble) json_array_get_int_element (par, 1);
  if (g_str_has_suffix (orientation, "rotate-90") || g_str_has_suffix (orientation, "rotate-270"))
    aspect = 1 / aspect;
  return aspect;
}

static void
set_size (WeftPlanner *self, JsonObject *overlay, JsonObject *video, JsonObject *object)
{
  gdouble aspect = get_aspect (video);
  gdouble width = get_extent (overlay, "width", self->width);
  gdouble height = get_extent (overlay, "height", self->height);

  if (width <= 0 && height <= 0)
    width = 0.3 * self->width;
  if (width <= 0)
    width = height * aspect;
  if (height <= 0)
    height = width / aspect;
  json_object_set_int_member (object, "width", to_even (width));
  json_object_set_int_member (object, "height", to_even (height));
}

/* Appends @frames of the source, from `in`, again and again. */
static void
add_cuts (JsonObject *overlay, const gchar *pointer, const WeftVideoCut *cut, guint64 each,
    guint64 frames, JsonObject *object)
{
  JsonArray *clips = json_array_new ();
  gdouble volume = weft_get_double (overlay, "volume", 0);

  for (guint64 done = 0; done < frames; done += each) {
    JsonObject *clip = json_object_new ();

    json_object_set_string_member (clip, "pointer", pointer);
    json_object_set_int_member (clip, "source", cut->source->index);
    json_object_set_string_member (clip, "uri", cut->source->uri);
    json_object_set_int_member (clip, "frames", (gint64) MIN (each, frames - done));
    json_object_set_int_member (clip, "start_ns", weft_get_int (cut->info, "start_ns", 0));
    json_object_set_int_member (clip, "in_ns", (gint64) cut->in_ns);
    json_object_set_boolean_member (clip, "video", TRUE);
    json_object_set_boolean_member (
        clip, "audio", volume > 0 && weft_get_object (cut->info, "audio") != NULL);
    json_object_set_string_member (clip, "fit", "cover");
    json_object_set_double_member (clip, "volume", volume);
    json_object_set_string_member (clip, "on_error", "fail");
    json_array_add_object_element (clips, clip);
  }
  json_object_set_array_member (object, "clips", clips);
}

/*
 * weft_planner_plan_video:
 * @frames: (inout): for how many the overlay shows; fewer where its source is shorter
 *
 * Returns: (transfer full) (nullable): what the overlay shows: `width`, `height` and `clips`; %NULL
 * if something is wrong, which was noted
 */
JsonObject *
weft_planner_plan_video (
    WeftPlanner *self, JsonObject *overlay, const gchar *pointer, guint64 *frames)
{
  JsonNode *loop = json_object_get_member (overlay, "loop");
  gboolean loops = loop != NULL && json_node_get_boolean (loop);
  JsonNode *end = json_object_get_member (overlay, "end");
  gboolean has_end = end != NULL && g_strcmp0 (json_node_get_string (end), "end") != 0;
  JsonObject *object;
  WeftVideoCut cut;
  guint64 each;

  if (!weft_planner_cut_video (self, overlay, pointer, &cut))
    return NULL;
  if (weft_get_object (cut.info, "video") == NULL) {
    weft_planner_add_error (self, WEFT_ERROR_SOURCE_DAMAGED, pointer, cut.source->uri,
        "use a file with video, or leave the overlay out", "the overlay's source has no video");
    return NULL;
  }
  each = cut.image ? *frames : weft_placement_time_to_frame (cut.length_ns, self->fps);
  if (each == 0 || (loops && *frames / each > MAX_REPEATS)) {
    weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, pointer, cut.source->uri,
        "let it be longer", "the overlay's video is too short to be shown");
    return NULL;
  }
  if (!loops && each < *frames) {
    if (has_end)
      weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, cut.source->uri,
          "set `loop`, or let the overlay end earlier",
          "the overlay's video is only %.3f s long; it is gone before its `end`",
          weft_placement_frame_to_seconds (each, self->fps));
    *frames = each;
  }
  object = json_object_new ();
  set_size (self, overlay, weft_get_object (cut.info, "video"), object);
  add_cuts (overlay, pointer, &cut, MIN (each, *frames), *frames, object);
  return object;
}
