/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-message.h"

#include <string.h>

#include "weft-graph-private.h"

/* Which side of the graph an element stands on decides what the same GStreamer code means. */
typedef enum { SIDE_SOURCE, SIDE_INSIDE, SIDE_ENCODER, SIDE_OUTPUT } Side;

static Side
find_side (GstObject *object)
{
  Side side = SIDE_INSIDE;

  /* The outermost element that is a child of the pipeline says it. */
  for (GstObject *o = object; o; o = GST_OBJECT_PARENT (o)) {
    if (GST_IS_PIPELINE (o) || !GST_IS_ELEMENT (o))
      continue;
    if (g_strcmp0 (GST_OBJECT_NAME (o), WEFT_GRAPH_CLIPS) == 0
        || g_strcmp0 (GST_OBJECT_NAME (o), WEFT_GRAPH_OVERLAYS) == 0
        || g_str_has_prefix (GST_OBJECT_NAME (o), WEFT_GRAPH_VIDEO_PREFIX))
      return SIDE_SOURCE;
    if (g_str_has_prefix (GST_OBJECT_NAME (o), "encoder_"))
      side = SIDE_ENCODER;
    else if (g_str_has_prefix (GST_OBJECT_NAME (o), "sink_")
             || g_str_has_prefix (GST_OBJECT_NAME (o), "layout_")
             || g_str_has_prefix (GST_OBJECT_NAME (o), "mux_"))
      side = SIDE_OUTPUT;
  }
  return side;
}

static WeftError
resource_to_code (gint code, Side side, gboolean changed)
{
  if (changed)
    return WEFT_ERROR_SOURCE_CHANGED;
  if (code == GST_RESOURCE_ERROR_NO_SPACE_LEFT)
    return WEFT_ERROR_NO_SPACE;
  if (side == SIDE_OUTPUT) {
    gboolean denied =
        code == GST_RESOURCE_ERROR_OPEN_WRITE || code == GST_RESOURCE_ERROR_OPEN_READ_WRITE
        || code == GST_RESOURCE_ERROR_NOT_AUTHORIZED || code == GST_RESOURCE_ERROR_NOT_FOUND;

    return denied ? WEFT_ERROR_OUTPUT_DENIED : WEFT_ERROR_OUTPUT_FAILED;
  }
  switch (code) {
    case GST_RESOURCE_ERROR_NOT_FOUND:
      return WEFT_ERROR_SOURCE_NOT_FOUND;
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
    case GST_RESOURCE_ERROR_OPEN_READ:
      return WEFT_ERROR_SOURCE_DENIED;
    case GST_RESOURCE_ERROR_SETTINGS:
      return WEFT_ERROR_UNSUPPORTED;
    default:
      return side == SIDE_SOURCE ? WEFT_ERROR_SOURCE_DAMAGED : WEFT_ERROR_INTERNAL;
  }
}

static WeftError
stream_to_code (gint code, Side side)
{
  switch (code) {
    case GST_STREAM_ERROR_CODEC_NOT_FOUND:
      return WEFT_ERROR_UNSUPPORTED;
    case GST_STREAM_ERROR_ENCODE:
      return WEFT_ERROR_ENCODER_FAILED;
    case GST_STREAM_ERROR_MUX:
      return WEFT_ERROR_OUTPUT_FAILED;
    case GST_STREAM_ERROR_DECRYPT:
    case GST_STREAM_ERROR_DECRYPT_NOKEY:
      return WEFT_ERROR_SOURCE_DENIED;
    case GST_STREAM_ERROR_TYPE_NOT_FOUND:
    case GST_STREAM_ERROR_WRONG_TYPE:
    case GST_STREAM_ERROR_DECODE:
    case GST_STREAM_ERROR_DEMUX:
    case GST_STREAM_ERROR_FORMAT:
      return side == SIDE_ENCODER ? WEFT_ERROR_ENCODER_FAILED : WEFT_ERROR_SOURCE_DAMAGED;
    default:
      if (side == SIDE_ENCODER)
        return WEFT_ERROR_ENCODER_FAILED;
      return side == SIDE_SOURCE ? WEFT_ERROR_SOURCE_DAMAGED : WEFT_ERROR_INTERNAL;
  }
}

static WeftError
error_to_code (const GError *error, Side side, gboolean changed)
{
  if (error->domain == GST_RESOURCE_ERROR)
    return resource_to_code (error->code, side, changed);
  if (error->domain == GST_STREAM_ERROR)
    return stream_to_code (error->code, side);
  if (error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN)
    return WEFT_ERROR_UNSUPPORTED;
  if (error->domain == GST_LIBRARY_ERROR
      && (error->code == GST_LIBRARY_ERROR_SETTINGS || error->code == GST_LIBRARY_ERROR_INIT)
      && side == SIDE_ENCODER)
    return WEFT_ERROR_ENCODER_FAILED;
  return WEFT_ERROR_INTERNAL;
}

static const gchar *
code_to_hint (WeftError code)
{
  switch (code) {
    case WEFT_ERROR_SOURCE_NOT_FOUND:
      return "check the path or address";
    case WEFT_ERROR_SOURCE_DENIED:
      return "check the rights of this user on it";
    case WEFT_ERROR_SOURCE_DAMAGED:
      return "replace the file, or set the clip's on_error to \"skip\" or \"background\"";
    case WEFT_ERROR_SOURCE_CHANGED:
      return "run the job again when nobody writes to the source";
    case WEFT_ERROR_UNSUPPORTED:
      return "`weft doctor` tells what this machine can decode and encode";
    case WEFT_ERROR_ENCODER_FAILED:
      return "try another speed, size or encoder";
    case WEFT_ERROR_OUTPUT_DENIED:
      return "choose a folder that this user may write";
    case WEFT_ERROR_NO_SPACE:
      return "free some space there or choose another place";
    default:
      return NULL;
  }
}

/* An element counts its items from its own document's start; the user's document may hold more. */
static gchar *
translate_pointer (GstObject *object, const gchar *pointer, WeftPlan *plan)
{
  static const gchar prefix[] = "/timeline/overlays/";
  JsonArray *overlays;
  gchar *rest = NULL;
  guint64 index;

  if (!g_str_has_prefix (pointer, prefix)
      || g_strcmp0 (GST_OBJECT_NAME (object), WEFT_GRAPH_OVERLAYS) != 0)
    return g_strdup (pointer);
  overlays =
      json_object_get_array_member (json_node_get_object (weft_plan_get_root (plan)), "overlays");
  index = g_ascii_strtoull (pointer + strlen (prefix), &rest, 10);
  if (index >= json_array_get_length (overlays))
    return g_strdup (pointer);
  return g_strconcat (json_object_get_string_member_with_default (
                          json_array_get_object_element (overlays, (guint) index), "pointer", ""),
      rest, NULL);
}

/* The output that @object writes or encodes, told by its name's ending. */
static JsonObject *
find_output (GstObject *object, WeftPlan *plan)
{
  JsonArray *outputs =
      json_object_get_array_member (json_node_get_object (weft_plan_get_root (plan)), "outputs");
  const gchar *ending;

  if (!GST_IS_ELEMENT (object) || !(ending = strchr (GST_OBJECT_NAME (object), '_')))
    return NULL;
  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);

    if (g_strcmp0 (json_object_get_string_member_with_default (output, "id", NULL), ending + 1)
        == 0)
      return output;
  }
  return NULL;
}

/**
 * weft_message_to_problem: (skip)
 * @message: an error or warning message of the graph
 * @plan: what the graph renders
 *
 * Returns: (transfer full): what it means for the job
 */
WeftProblem *
weft_message_to_problem (GstMessage *message, WeftPlan *plan)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const GstStructure *details = NULL;
  const gchar *pointer = NULL;
  const gchar *uri = NULL;
  const gchar *hint;
  gboolean changed = FALSE;
  gboolean is_warning = GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;
  Side side = find_side (GST_MESSAGE_SRC (message));
  WeftProblem *problem;
  WeftError code;
  JsonObject *output;
  g_autofree gchar *translated = NULL;

  if (is_warning) {
    gst_message_parse_warning (message, &error, &debug);
    gst_message_parse_warning_details (message, &details);
  } else {
    gst_message_parse_error (message, &error, &debug);
    gst_message_parse_error_details (message, &details);
  }
  if (details) {
    pointer = gst_structure_get_string (details, WEFT_DETAIL_POINTER);
    uri = gst_structure_get_string (details, WEFT_DETAIL_URI);
    gst_structure_get_boolean (details, WEFT_DETAIL_CHANGED, &changed);
  }
  code = error_to_code (error, side, changed);
  /* A picture or a title has no on_error: only clips do. */
  hint = code == WEFT_ERROR_SOURCE_DAMAGED && pointer
                 && !g_str_has_prefix (pointer, "/timeline/clips/")
             ? "replace the file"
             : code_to_hint (code);
  if ((output = find_output (GST_MESSAGE_SRC (message), plan))) {
    pointer =
        pointer ? pointer : json_object_get_string_member_with_default (output, "pointer", NULL);
    uri = uri ? uri : json_object_get_string_member_with_default (output, "uri", NULL);
  }
  if (pointer)
    translated = translate_pointer (GST_MESSAGE_SRC (message), pointer, plan);

  problem =
      weft_problem_new (code, translated, uri, is_warning ? NULL : hint, "%s", error->message);
  problem->is_warning = is_warning;
  problem->element = gst_object_get_path_string (GST_MESSAGE_SRC (message));
  if (debug && code == WEFT_ERROR_INTERNAL) {
    g_autofree gchar *message_only = problem->message;

    problem->message = g_strdup_printf ("%s (%s)", message_only, debug);
  }
  return problem;
}
