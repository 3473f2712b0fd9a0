/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-graph.h"

#include <string.h>

#include "weft-graph-layout.h"
#include "weft-json.h"

G_DEFINE_FINAL_TYPE (WeftGraph, weft_graph, G_TYPE_OBJECT)

JsonObject *
weft_graph_get_output (WeftGraph *self, guint i)
{
  return json_array_get_object_element (self->outputs, i);
}

gboolean
weft_graph_is_video (JsonObject *output)
{
  return g_strcmp0 (weft_get_string (output, "type", NULL), "video") == 0;
}

static GPtrArray *
name_outputs (JsonArray *outputs)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < json_array_get_length (outputs); i++) {
    const gchar *id = weft_get_string (json_array_get_object_element (outputs, i), "id", NULL);
    g_autofree gchar *name = g_strdup (id ? id : "");

    g_strcanon (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_", '_');
    if (g_strcmp0 (name, id) != 0 || g_hash_table_contains (seen, name)) {
      gchar *numbered = g_strdup_printf ("%s_%u", name, i);

      g_free (name);
      name = numbered;
    }
    g_ptr_array_add (names, g_steal_pointer (&name));
    g_hash_table_add (seen, g_ptr_array_index (names, i));
  }
  return g_steal_pointer (&names);
}

static GPtrArray *
list_videos (JsonArray *overlays)
{
  GPtrArray *videos = g_ptr_array_new ();

  for (guint i = 0; i < json_array_get_length (overlays); i++) {
    JsonObject *overlay = json_array_get_object_element (overlays, i);

    if (weft_get_object (overlay, "video"))
      g_ptr_array_add (videos, overlay);
  }
  return videos;
}

/* The element that plays @role (`encoder`, `mux`, `sink`, …) for output number @output. */
gchar *
weft_graph_element_name (WeftGraph *self, const gchar *role, guint output)
{
  return g_strdup_printf ("%s_%s", role, (gchar *) g_ptr_array_index (self->names, output));
}

/* The clipsequence of a video in the picture. */
gchar *
weft_graph_video_name (guint video)
{
  return g_strdup_printf (WEFT_GRAPH_VIDEO_PREFIX "%u", video);
}

void
weft_graph_add_element (WeftGraph *self, const gchar *factory, const gchar *role, guint output)
{
  g_autofree gchar *name = weft_graph_element_name (self, role, output);

  weft_launch_element (self->launch, factory, name);
}

static void
build_launch (WeftGraph *self)
{
  JsonObject *root = json_node_get_object (weft_plan_get_root (self->plan));

  weft_graph_add_clips (self, root);
  weft_graph_add_muxers (self);
  weft_graph_add_pictures (self, root);
  weft_graph_add_sound (self);
}

static void
weft_graph_finalize (GObject *object)
{
  WeftGraph *self = WEFT_GRAPH (object);

  g_clear_object (&self->pipeline);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_clear_pointer (&self->videos, g_ptr_array_unref);
  g_clear_pointer (&self->launch, weft_launch_free);
  g_clear_object (&self->plan);
  G_OBJECT_CLASS (weft_graph_parent_class)->finalize (object);
}

static void
weft_graph_class_init (WeftGraphClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_graph_finalize;
}

static void
weft_graph_init (WeftGraph *self)
{
  self->launch = weft_launch_new ();
}

/**
 * weft_graph_new:
 * @plan: what to render
 * @error: return location for an error, or %NULL
 *
 * Lays out the GStreamer graph that renders @plan. Nothing is opened, created or started.
 *
 * Returns: (transfer full): the graph, or %NULL with %WEFT_ERROR_UNSUPPORTED if the plan asks for
 * what this build cannot run
 */
WeftGraph *
weft_graph_new (WeftPlan *plan, GError **error)
{
  g_autoptr (WeftGraph) self = NULL;
  JsonObject *root;

  g_return_val_if_fail (WEFT_IS_PLAN (plan), NULL);

  if (!weft_plan_check_supported (plan, error))
    return NULL;

  self = g_object_new (WEFT_TYPE_GRAPH, NULL);
  root = json_node_get_object (weft_plan_get_root (plan));
  self->plan = g_object_ref (plan);
  self->timeline = json_object_get_object_member (root, "timeline");
  self->outputs = json_object_get_array_member (root, "outputs");
  self->names = name_outputs (self->outputs);
  self->videos = list_videos (json_object_get_array_member (root, "overlays"));
  build_launch (self);
  return g_steal_pointer (&self);
}

/**
 * weft_graph_get_pipeline:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Builds the pipeline on the first call; it is in the state %GST_STATE_NULL.
 *
 * Returns: (transfer none): the #GstPipeline, or %NULL with %WEFT_ERROR_UNSUPPORTED if an element
 * or a property is missing on this machine
 */
GstElement *
weft_graph_get_pipeline (WeftGraph *self, GError **error)
{
  g_autofree gchar *description = NULL;
  g_autoptr (GstParseContext) context = NULL;
  g_autoptr (GError) parse_error = NULL;
  g_auto (GStrv) missing = NULL;

  g_return_val_if_fail (WEFT_IS_GRAPH (self), NULL);

  if (self->pipeline)
    return self->pipeline;

  /* Harmless when the application has done it. */
  gst_init (NULL, NULL);
  description = weft_launch_to_parse (self->launch);
  context = gst_parse_context_new ();
  self->pipeline =
      gst_parse_launch_full (description, context, GST_PARSE_FLAG_FATAL_ERRORS, &parse_error);
  if (self->pipeline) {
    gst_object_ref_sink (self->pipeline);
    return self->pipeline;
  }

  missing = gst_parse_context_get_missing_elements (context);
  if (missing && missing[0]) {
    g_autofree gchar *list = g_strjoinv (", ", missing);

    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, NULL,
                   "install the GStreamer plugins that hold them; `weft doctor` names the packages",
                   "this machine lacks the elements %s", list));
  } else {
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_INTERNAL, NULL, NULL,
                                       "`weft graph --format launch` prints the line",
                                       "the graph cannot be built: %s", parse_error->message));
  }
  return NULL;
}

/**
 * weft_graph_to_launch:
 * @self: a graph
 *
 * Returns: (transfer full): the arguments for `gst-launch-1.0`, quoted for a POSIX shell. It is the
 * same description that [method@Weft.Graph.get_pipeline] builds.
 */
gchar *
weft_graph_to_launch (WeftGraph *self)
{
  g_return_val_if_fail (WEFT_IS_GRAPH (self), NULL);

  return weft_launch_to_shell (self->launch);
}

/**
 * weft_graph_to_dot:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full): the graph in Graphviz' DOT language, or %NULL
 */
gchar *
weft_graph_to_dot (WeftGraph *self, GError **error)
{
  GstElement *pipeline = weft_graph_get_pipeline (self, error);

  return pipeline ? gst_debug_bin_to_dot_data (GST_BIN (pipeline),
             GST_DEBUG_GRAPH_SHOW_MEDIA_TYPE | GST_DEBUG_GRAPH_SHOW_CAPS_DETAILS)
                  : NULL;
}

static void
add_links (JsonBuilder *builder, GstElement *element)
{
  GList *pads = element->srcpads;

  for (; pads; pads = pads->next) {
    g_autoptr (GstPad) peer = gst_pad_get_peer (pads->data);
    g_autoptr (GstElement) other = peer ? gst_pad_get_parent_element (peer) : NULL;
    g_autofree gchar *from = NULL;
    g_autofree gchar *to = NULL;

    if (other == NULL)
      continue;
    from = g_strdup_printf ("%s.%s", GST_OBJECT_NAME (element), GST_OBJECT_NAME (pads->data));
    to = g_strdup_printf ("%s.%s", GST_OBJECT_NAME (other), GST_OBJECT_NAME (peer));
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "from");
    json_builder_add_string_value (builder, from);
    json_builder_set_member_name (builder, "to");
    json_builder_add_string_value (builder, to);
    json_builder_end_object (builder);
  }
}

/**
 * weft_graph_to_json:
 * @self: a graph
 * @error: return location for an error, or %NULL
 *
 * Returns: (transfer full): `{"elements": [{"name", "factory"}], "links": [{"from", "to"}]}`, pads
 * written as `element.pad`, or %NULL
 */
gchar *
weft_graph_to_json (WeftGraph *self, GError **error)
{
  GstElement *pipeline = weft_graph_get_pipeline (self, error);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  GList *children;

  if (pipeline == NULL)
    return NULL;

  /* Nothing else knows this pipeline yet: its lists hold still. The newest child comes first. */
  children = g_list_last (GST_BIN_CHILDREN (pipeline));
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "elements");
  json_builder_begin_array (builder);
  for (GList *l = children; l; l = l->prev) {
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "name");
    json_builder_add_string_value (builder, GST_OBJECT_NAME (l->data));
    json_builder_set_member_name (builder, "factory");
    json_builder_add_string_value (builder, GST_OBJECT_NAME (gst_element_get_factory (l->data)));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "links");
  json_builder_begin_array (builder);
  for (GList *l = children; l; l = l->prev)
    add_links (builder, l->data);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return weft_json_to_text (root, TRUE);
}
