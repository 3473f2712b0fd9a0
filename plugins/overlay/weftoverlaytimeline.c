/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-overlaytimeline
 * @title: overlaytimeline
 *
 * Draws titles and pictures over video at exact frames. What to draw is a JSON document, the
 * `overlays` of a Weft job.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=150 ! video/x-raw,width=1280,height=720 ! overlaytimeline
 * timeline='{"overlays":[{"type":"text","text":"Hello","position":"bottom","start":1,"end":4,"animate":{"in":"fade","out":"fade"}}]}'
 * ! videoconvert ! autovideosink
 * ]|
 */

#include "weftoverlaytimeline.h"

#include <math.h>
#include <stdio.h>

#include "weftcaptions.h"
#include "weftimagedecoder.h"
#include "weftoverlaydocument.h"
#include "weftoverlaysource.h"
#include "weftoverlaytimeline-private.h"

GST_DEBUG_CATEGORY (weft_overlay_timeline_debug);
#define GST_CAT_DEFAULT weft_overlay_timeline_debug

#define DEFAULT_CACHE_SIZE (G_GUINT64_CONSTANT (128) << 20)

enum {
  PROP_0,
  PROP_TIMELINE,
  PROP_LOCATION,
  PROP_CACHE_SIZE,
  PROP_STATS,
  PROP_IMAGE_TYPES,
  N_PROPERTIES,
};

enum {
  SIGNAL_ADD,
  SIGNAL_REMOVE,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK,
    GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (WEFT_SURFACE_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC,
    GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (WEFT_SURFACE_FORMATS)));

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE ("video_%u", GST_PAD_SINK,
    GST_PAD_REQUEST, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (WEFT_SURFACE_FORMATS)));

G_DEFINE_TYPE (WeftOverlayTimeline, weft_overlay_timeline, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (overlaytimeline, "overlaytimeline", GST_RANK_NONE,
    WEFT_TYPE_OVERLAY_TIMELINE,
    GST_DEBUG_CATEGORY_INIT (
        weft_overlay_timeline_debug, "overlaytimeline", 0, "titles and pictures on a timeline"))

static WeftOverlayDocument *
load_location (const gchar *location, const gchar *cwd, GError **error)
{
  g_autofree gchar *uri = weft_overlay_source_resolve (location, cwd, error);
  GError *local_error = NULL;

  if (uri != NULL && weft_overlay_source_is_remote (uri))
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_UNSUPPORTED, "", uri,
                                  "location is a local file, not %s", uri));
  if (uri == NULL || weft_overlay_source_is_remote (uri))
    return NULL;
  WeftOverlayDocument *document = NULL;
  g_autoptr (GBytes) bytes =
      weft_overlay_source_load (uri, WEFT_OVERLAY_MAX_DOCUMENT_BYTES, NULL, &local_error);
  if (bytes != NULL) {
    g_autofree gchar *path = g_filename_from_uri (uri, NULL, NULL);
    g_autofree gchar *folder = g_path_get_dirname (path);
    gsize length;
    const gchar *json = g_bytes_get_data (bytes, &length);
    document = weft_overlay_document_new_from_json (
        json != NULL ? json : "", (gssize) length, folder, &local_error);
  }
  if (document == NULL) {
    if (local_error->domain == WEFT_OVERLAY_ERROR)
      weft_overlay_error_locate (local_error, "", uri);
    g_propagate_error (error, local_error);
  }
  return document;
}

static WeftOverlayDocument *
load_document (const gchar *timeline, const gchar *location, GError **error)
{
  g_autofree gchar *cwd = g_get_current_dir ();

  if (timeline != NULL)
    return weft_overlay_document_new_from_json (timeline, -1, cwd, error);
  if (location != NULL)
    return load_location (location, cwd, error);
  return weft_overlay_document_new_from_json ("{}", -1, cwd, error);
}

static void
apply_edits_unlocked (WeftOverlayTimeline *self)
{
  g_clear_pointer (&self->next_document, weft_overlay_document_unref);
  if (self->base != NULL)
    self->next_document = weft_overlay_document_new_edited (self->base, self->edits);
}

/* Reads what the properties say now. A timeline that is wrong ends a stream that is about to
 * start, but not one that runs: that goes on with the last good one, and a warning. */
static void
update_document (WeftOverlayTimeline *self)
{
  g_autoptr (WeftOverlayDocument) document = NULL;
  g_autofree gchar *timeline = NULL, *location = NULL;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  gboolean started = self->started;
  timeline = g_strdup (self->timeline);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);

  document = load_document (timeline, location, &error);
  if (document != NULL && !weft_overlay_document_check (document, &error))
    g_clear_pointer (&document, weft_overlay_document_unref);
  if (started && error != NULL) {
    weft_overlay_error_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error);
    g_error_free (error);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_clear_error (&self->parse_error);
  g_clear_pointer (&self->base, weft_overlay_document_unref);
  self->parse_error = error;
  self->base = g_steal_pointer (&document);
  apply_edits_unlocked (self);
  GST_OBJECT_UNLOCK (self);
}

static void
set_source (WeftOverlayTimeline *self, const gchar *timeline, const gchar *location)
{
  GST_OBJECT_LOCK (self);
  g_free (self->timeline);
  g_free (self->location);
  self->timeline = g_strdup (timeline);
  self->location = g_strdup (location);
  g_ptr_array_set_size (self->edits, 0);
  gboolean started = self->started;
  GST_OBJECT_UNLOCK (self);
  /* Before the start a file may still be written, and errors would reach nobody. */
  if (started)
    update_document (self);
}

/* An item that is wrong changes nothing; the warning says why. */
static gboolean
weft_overlay_timeline_add (WeftOverlayTimeline *self, const gchar *json)
{
  g_autoptr (GHashTable) good = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree gchar *cwd = g_get_current_dir ();
  g_autoptr (WeftOverlayItem) item = NULL;
  g_autoptr (GError) error = NULL;
  guint index;

  g_return_val_if_fail (json != NULL, FALSE);
  item = weft_overlay_item_new_for_edit (json, cwd, &error);
  if (item == NULL || !weft_overlay_item_check (item, good, &error)) {
    weft_overlay_error_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, error);
    return FALSE;
  }
  const gchar *id = weft_overlay_item_get_id (item);
  GST_OBJECT_LOCK (self);
  WeftOverlayEdit *edit = weft_overlay_edits_find (self->edits, id, &index);
  /* One that was added before keeps its place, one that was removed comes back where it was. */
  if (edit != NULL)
    g_set_object (&edit->item, item);
  else
    g_ptr_array_add (self->edits, weft_overlay_edit_new (id, g_object_ref (item)));
  apply_edits_unlocked (self);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
weft_overlay_timeline_remove (WeftOverlayTimeline *self, const gchar *id)
{
  guint index;

  g_return_val_if_fail (id != NULL, FALSE);
  GST_OBJECT_LOCK (self);
  WeftOverlayEdit *edit = weft_overlay_edits_find (self->edits, id, &index);
  gboolean in_base = self->base != NULL && weft_overlay_document_find (self->base, id) != NULL;
  gboolean found = edit != NULL ? edit->item != NULL : in_base;
  /* Nothing is kept of what is gone, so that items may come and go for ever. */
  if (edit != NULL && !in_base)
    g_ptr_array_remove_index (self->edits, index);
  else if (edit != NULL)
    g_clear_object (&edit->item);
  else if (in_base)
    g_ptr_array_add (self->edits, weft_overlay_edit_new (id, NULL));
  if (found)
    apply_edits_unlocked (self);
  GST_OBJECT_UNLOCK (self);
  return found;
}

static GstStructure *
create_stats (WeftOverlayTimeline *self)
{
  WeftOverlayRendererStats stats = { 0 };

  GST_OBJECT_LOCK (self);
  if (self->renderer != NULL)
    weft_overlay_renderer_get_stats (self->renderer, &stats);
  stats.rendered += self->past_stats.rendered;
  stats.evicted += self->past_stats.evicted;
  stats.cache_peak_bytes = MAX (stats.cache_peak_bytes, self->past_stats.cache_peak_bytes);
  GstStructure *structure = gst_structure_new ("overlaytimeline-stats", "frames-blended",
      G_TYPE_UINT64, self->frames_blended, "frames-passed", G_TYPE_UINT64, self->frames_passed,
      "frames-copied", G_TYPE_UINT64, self->frames_copied, "frames-repeated", G_TYPE_UINT64,
      self->frames_repeated, "rendered", G_TYPE_UINT64, stats.rendered, "pending", G_TYPE_UINT64,
      stats.pending, "evicted", G_TYPE_UINT64, stats.evicted, "cache-bytes", G_TYPE_UINT64,
      (guint64) stats.cache_bytes, "cache-peak-bytes", G_TYPE_UINT64,
      (guint64) stats.cache_peak_bytes, NULL);
  GST_OBJECT_UNLOCK (self);
  return structure;
}

static void
weft_overlay_timeline_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (object);

  switch (id) {
    case PROP_TIMELINE:
      set_source (self, g_value_get_string (value), NULL);
      break;
    case PROP_LOCATION:
      set_source (self, NULL, g_value_get_string (value));
      break;
    case PROP_CACHE_SIZE:
      GST_OBJECT_LOCK (self);
      self->cache_size = g_value_get_uint64 (value);
      if (self->renderer != NULL)
        weft_overlay_renderer_set_max_bytes (self->renderer, (gsize) self->cache_size);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
weft_overlay_timeline_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (object);

  switch (id) {
    case PROP_TIMELINE:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->timeline);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_LOCATION:
      GST_OBJECT_LOCK (self);
      g_value_set_string (value, self->location);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_CACHE_SIZE:
      GST_OBJECT_LOCK (self);
      g_value_set_uint64 (value, self->cache_size);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, create_stats (self));
      break;
    case PROP_IMAGE_TYPES:
      g_value_take_boxed (value, weft_raster_list_types ());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
foreach_input (WeftOverlayTimeline *self, void (*func) (WeftVideoInput *input))
{
  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->inputs->len; i++)
    func (g_ptr_array_index (self->inputs, i));
  GST_OBJECT_UNLOCK (self);
}

static void
set_flushing (WeftOverlayTimeline *self, gboolean flushing)
{
  GST_OBJECT_LOCK (self);
  self->flushing = flushing;
  if (self->renderer != NULL)
    weft_overlay_renderer_set_flushing (self->renderer, flushing);
  for (guint i = 0; i < self->inputs->len; i++)
    weft_video_input_set_flushing (g_ptr_array_index (self->inputs, i), flushing);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
weft_overlay_timeline_start (GstBaseTransform *trans)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (trans);
  g_autoptr (GError) error = NULL;

  update_document (self);
  GST_OBJECT_LOCK (self);
  error = g_steal_pointer (&self->parse_error);
  self->document = g_steal_pointer (&self->next_document);
  self->started = error == NULL;
  self->flushing = FALSE;
  self->frames_blended = self->frames_passed = self->frames_copied = self->frames_repeated = 0;
  self->past_stats = (WeftOverlayRendererStats){ 0 };
  GST_OBJECT_UNLOCK (self);
  if (error != NULL)
    weft_overlay_error_post (GST_ELEMENT (self), GST_MESSAGE_ERROR, error);
  return error == NULL;
}

static gboolean
weft_overlay_timeline_stop (GstBaseTransform *trans)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (trans);

  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  g_clear_pointer (&self->next_document, weft_overlay_document_unref);
  GST_OBJECT_UNLOCK (self);
  foreach_input (self, weft_video_input_reset);
  weft_overlay_frames_reset (self);
  return TRUE;
}

static gboolean
weft_overlay_timeline_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in_info,
    GstCaps *out_caps, GstVideoInfo *out_info)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (filter);

  if (!weft_surface_supports (in_info))
    return FALSE;
  weft_overlay_frames_renegotiate (self);
  return TRUE;
}

/* A copied frame is the same picture: what is said about it stays true, but for how it lies in
 * memory. */
static gboolean
weft_overlay_timeline_transform_meta (
    GstBaseTransform *trans, GstBuffer *output, GstMeta *meta, GstBuffer *input)
{
  return !gst_meta_api_type_has_tag (
      meta->info->api, g_quark_from_static_string (GST_META_TAG_MEMORY_STR));
}

static gboolean
weft_overlay_timeline_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    set_flushing (self, TRUE);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    set_flushing (self, FALSE);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    foreach_input (self, weft_video_input_close);
  return GST_BASE_TRANSFORM_CLASS (weft_overlay_timeline_parent_class)->sink_event (trans, event);
}

static GstStateChangeReturn
weft_overlay_timeline_change_state (GstElement *element, GstStateChange transition)
{
  /* Pads are deactivated by the parent class, which waits for the streaming thread. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    set_flushing (WEFT_OVERLAY_TIMELINE (element), TRUE);
    foreach_input (WEFT_OVERLAY_TIMELINE (element), weft_video_input_stop);
  }
  return GST_ELEMENT_CLASS (weft_overlay_timeline_parent_class)->change_state (element, transition);
}

static GstPad *
weft_overlay_timeline_request_new_pad (
    GstElement *element, GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (element);
  g_autofree gchar *free_name = NULL;
  guint number;
  GstPad *pad;

  GST_OBJECT_LOCK (self);
  if (name == NULL)
    name = free_name = g_strdup_printf ("video_%u", self->next_pad);
  if (sscanf (name, "video_%u", &number) == 1)
    self->next_pad = MAX (self->next_pad, number + 1);
  GST_OBJECT_UNLOCK (self);
  pad = gst_pad_new_from_template (template, name);
  WeftVideoInput *input = weft_video_input_new (pad);
  if (GST_STATE (element) > GST_STATE_READY)
    gst_pad_set_active (pad, TRUE);
  if (!gst_element_add_pad (element, pad)) {
    weft_video_input_free (input);
    return NULL;
  }
  GST_OBJECT_LOCK (self);
  g_ptr_array_add (self->inputs, input);
  GST_OBJECT_UNLOCK (self);
  return pad;
}

static void
weft_overlay_timeline_release_pad (GstElement *element, GstPad *pad)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (element);
  WeftVideoInput *input = gst_pad_get_element_private (pad);

  weft_video_input_stop (input);
  gst_pad_set_active (pad, FALSE);
  GST_OBJECT_LOCK (self);
  guint index;
  if (g_ptr_array_find (self->inputs, input, &index))
    g_ptr_array_steal_index (self->inputs, index);
  GST_OBJECT_UNLOCK (self);
  gst_element_remove_pad (element, pad);
  weft_video_input_free (input);
}

static void
release_item (gpointer data)
{
  g_object_unref (((WeftOverlayLayer *) data)->item);
}

static void
clear_layer (gpointer layer)
{
  gst_clear_buffer (&((WeftOverlayLayer *) layer)->picture);
}

static void
weft_overlay_timeline_init (WeftOverlayTimeline *self)
{
  self->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_video_input_free);
  self->cache_size = DEFAULT_CACHE_SIZE;
  self->edits = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_overlay_edit_free);
  self->kernels = weft_blend_get_kernels ();
  self->layers = g_array_new (FALSE, FALSE, sizeof (WeftOverlayLayer));
  g_array_set_clear_func (self->layers, clear_layer);
  self->repeat_layers = g_array_new (FALSE, FALSE, sizeof (WeftOverlayLayer));
  g_array_set_clear_func (self->repeat_layers, release_item);
  self->states = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->warned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
weft_overlay_timeline_finalize (GObject *object)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (object);

  g_free (self->timeline);
  g_free (self->location);
  g_clear_error (&self->parse_error);
  g_clear_pointer (&self->next_document, weft_overlay_document_unref);
  g_clear_pointer (&self->base, weft_overlay_document_unref);
  g_ptr_array_unref (self->edits);
  g_ptr_array_unref (self->inputs);
  g_array_unref (self->layers);
  g_array_unref (self->repeat_layers);
  g_hash_table_unref (self->states);
  g_hash_table_unref (self->warned);
  G_OBJECT_CLASS (weft_overlay_timeline_parent_class)->finalize (object);
}

static void
weft_overlay_timeline_class_init (WeftOverlayTimelineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);
  const GParamFlags live = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  object_class->set_property = weft_overlay_timeline_set_property;
  object_class->get_property = weft_overlay_timeline_get_property;
  object_class->finalize = weft_overlay_timeline_finalize;

  /**
   * WeftOverlayTimeline:timeline:
   *
   * What to draw and when, as JSON: `{"width", "height", "duration", "fonts": […], "overlays":
   * […]}`. Set while playing it takes effect with the next frame, wholly; if it is wrong then, a
   * warning is posted and the last good one stays.
   */
  properties[PROP_TIMELINE] = g_param_spec_string ("timeline", "Timeline",
      "What to draw and when, as JSON: {\"width\", \"height\", \"duration\", \"fonts\": [], "
      "\"overlays\": []} as in a Weft job; takes the place of location",
      NULL, live);

  /**
   * WeftOverlayTimeline:location:
   *
   * A file with the JSON that `timeline` would hold. Relative paths in it start from its folder.
   */
  properties[PROP_LOCATION] = g_param_spec_string ("location", "Location",
      "Path of a file with the timeline's JSON, whose relative paths start from its folder; takes "
      "the place of timeline",
      NULL, live);

  /**
   * WeftOverlayTimeline:cache-size:
   *
   * The most memory that drawn items may take before the least recently used are dropped. What is
   * dropped is drawn again when it is needed.
   */
  properties[PROP_CACHE_SIZE] = g_param_spec_uint64 ("cache-size", "Cache size",
      "Most memory for drawn items, in bytes; the item in work is always kept", 0, G_MAXINT64,
      DEFAULT_CACHE_SIZE, live);

  /**
   * WeftOverlayTimeline:stats:
   *
   * `frames-blended`, `frames-passed` (nothing showed), `frames-copied` (upstream kept the memory),
   * `frames-repeated` (the same frame again, drawn once), `rendered` and `pending` (items drawn and
   * being drawn), `evicted`, `cache-bytes` and `cache-peak-bytes`, all unsigned 64-bit.
   */
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Frames blended, passed untouched, copied and repeated; items rendered, pending and evicted; "
      "bytes of "
      "the cache now and at most",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  /**
   * WeftOverlayTimeline:image-types:
   *
   * The MIME types of the pictures that can be drawn on this machine: those of gdk-pixbuf depend on
   * its loaders.
   */
  properties[PROP_IMAGE_TYPES] = g_param_spec_boxed ("image-types", "Image types",
      "MIME types of the pictures that can be drawn on this machine", G_TYPE_STRV,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * WeftOverlayTimeline::add:
   * @item: one element of `overlays` as JSON, with an `id`; relative paths in it start from the
   *   current folder
   *
   * Puts an item over all others, or where the one of the same `id` is, from the next frame on.
   * Times are the stream's. May be called from any thread; reads the files that the item names.
   * Setting `timeline` or `location` undoes it.
   *
   * Returns: %FALSE if the item is wrong; then a warning is posted that says why
   */
  signals[SIGNAL_ADD] = g_signal_new_class_handler ("add", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (weft_overlay_timeline_add), NULL, NULL, NULL,
      G_TYPE_BOOLEAN, 1, G_TYPE_STRING);

  /**
   * WeftOverlayTimeline::remove:
   * @id: of an item, of the document or added
   *
   * Removes an item from the next frame on. Those of the document can be removed once the element
   * is started, for it reads the document then.
   *
   * Returns: whether there was such an item
   */
  signals[SIGNAL_REMOVE] = g_signal_new_class_handler ("remove", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (weft_overlay_timeline_remove), NULL, NULL,
      NULL, G_TYPE_BOOLEAN, 1, G_TYPE_STRING);

  gst_element_class_set_static_metadata (element_class, "Timeline overlay", "Filter/Editor/Video",
      "Draws titles and pictures over video at exact frames of a timeline", "The Weft authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_add_static_pad_template (element_class, &video_template);
  element_class->change_state = weft_overlay_timeline_change_state;
  element_class->request_new_pad = weft_overlay_timeline_request_new_pad;
  element_class->release_pad = weft_overlay_timeline_release_pad;

  trans_class->start = weft_overlay_timeline_start;
  trans_class->stop = weft_overlay_timeline_stop;
  trans_class->sink_event = weft_overlay_timeline_sink_event;
  trans_class->prepare_output_buffer = weft_overlay_frames_prepare;
  trans_class->transform_meta = weft_overlay_timeline_transform_meta;
  trans_class->transform_ip = weft_overlay_frames_draw;
  trans_class->transform_ip_on_passthrough = FALSE;
  filter_class->set_info = weft_overlay_timeline_set_info;
}
