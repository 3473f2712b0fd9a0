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
#include "weftoverlayrenderer.h"
#include "weftoverlayschedule.h"
#include "weftoverlaysource.h"
#include "weftvideoinput.h"

GST_DEBUG_CATEGORY_STATIC (weft_overlay_timeline_debug);
#define GST_CAT_DEFAULT weft_overlay_timeline_debug

#define DEFAULT_CACHE_SIZE (G_GUINT64_CONSTANT (128) << 20)
#define MAX_WARNINGS 100
/* How long before an item shows it is drawn. */
#define PREFETCH_TIME (500 * GST_MSECOND)
/* How many frames before an item looks different it is drawn so. */
#define PREFETCH_FRAMES 3

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

/* An item that shows in the current frame. */
typedef struct {
  WeftOverlayItem *item;
  WeftItemState state;
  /* From where it rests; of a video, from the frame's corner. */
  gint dx;
  gint dy;
  guint8 opacity;
  /* Of a video, owned: what it shows now, and how that is laid out. */
  GstBuffer *picture;
  GstVideoInfo info;
} Layer;

struct _WeftOverlayTimeline {
  GstVideoFilter parent_instance;

  /* The object lock guards these; any thread may touch them. The renderer's own lock is taken
   * inside of it, never the other way round. */
  gchar *timeline;
  gchar *location;
  guint64 cache_size;
  gboolean started;
  gboolean flushing;
  /* What the properties say, as it was last read, and what was added to it and removed since:
   * WeftOverlayEdit, one for each id. */
  WeftOverlayDocument *base;
  GPtrArray *edits;
  /* Both together, to be shown from the next frame on. */
  WeftOverlayDocument *next_document;
  /* Why the timeline cannot be drawn; told when the element starts. */
  GError *parse_error;
  /* Replaced by the streaming thread under the lock; it alone reads it without. */
  WeftOverlayRenderer *renderer;
  /* Of renderers that are closed. */
  WeftOverlayRendererStats past_stats;
  guint64 frames_blended;
  guint64 frames_passed;
  guint64 frames_copied;
  guint64 frames_repeated;
  /* Of WeftVideoInput, one a requested pad. Each lives as long as the element or its pad. */
  GPtrArray *inputs;
  guint next_pad;

  /* These belong to the streaming thread, and to start and stop. */
  WeftOverlayDocument *document;
  WeftOverlaySchedule *schedule;
  gboolean negotiated;
  WeftCanvas canvas;
  const WeftBlendKernels *kernels;
  GArray *layers;
  /* WeftOverlayEntry of the schedule → WeftItemState that it had last, of items that change. */
  GHashTable *states;
  GHashTable *warned;
  /* For copies of frames whose memory upstream keeps. */
  GstBufferPool *pool;
  /* The last such frame, what was drawn on it and what came out: when upstream sends the same
   * memory again, the result is the same, too. */
  GstBuffer *repeat_input;
  GstBuffer *repeat_output;
  /* Of layers that own their items: what shows of captions is not kept by the document, and
   * another of its address would be taken for it. */
  GArray *repeat_layers;
};

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

static void
replace_renderer (WeftOverlayTimeline *self, WeftOverlayRenderer *renderer)
{
  WeftOverlayRendererStats stats = { 0 };

  GST_OBJECT_LOCK (self);
  WeftOverlayRenderer *old = self->renderer;
  if (old != NULL)
    weft_overlay_renderer_get_stats (old, &stats);
  self->past_stats.rendered += stats.rendered;
  self->past_stats.evicted += stats.evicted;
  self->past_stats.cache_peak_bytes =
      MAX (self->past_stats.cache_peak_bytes, stats.cache_peak_bytes);
  self->renderer = renderer;
  if (renderer != NULL)
    weft_overlay_renderer_set_flushing (renderer, self->flushing);
  GST_OBJECT_UNLOCK (self);
  if (old != NULL)
    weft_overlay_renderer_close (old);
}

static void
clear_repeat (WeftOverlayTimeline *self)
{
  gst_clear_buffer (&self->repeat_input);
  gst_clear_buffer (&self->repeat_output);
}

static void
clear_pool (WeftOverlayTimeline *self)
{
  if (self->pool != NULL)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
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
  replace_renderer (self, NULL);
  clear_repeat (self);
  clear_pool (self);
  g_array_set_size (self->layers, 0);
  g_hash_table_remove_all (self->warned);
  g_hash_table_remove_all (self->states);
  g_clear_pointer (&self->schedule, weft_overlay_schedule_free);
  g_clear_pointer (&self->document, weft_overlay_document_unref);
  self->negotiated = FALSE;
  return TRUE;
}

/* Lengths are in timeline pixels, which are square. A frame of another shape than the timeline is
 * fitted by its tighter side. */
static void
compute_canvas (const GstVideoInfo *info, const WeftOverlayDocument *document, WeftCanvas *canvas)
{
  gdouble aspect = (gdouble) GST_VIDEO_INFO_PAR_N (info) / GST_VIDEO_INFO_PAR_D (info);
  gdouble display_width = info->width * aspect;
  gdouble scale = 1.0;

  if (document->width > 0 && document->height > 0)
    scale = MIN (display_width / document->width, (gdouble) info->height / document->height);
  else if (document->width > 0)
    scale = display_width / document->width;
  else if (document->height > 0)
    scale = (gdouble) info->height / document->height;
  canvas->width = info->width;
  canvas->height = info->height;
  canvas->scale_y = scale;
  canvas->scale_x = scale / aspect;
}

/* Has the files of captions read, on the thread that draws: what is far away may take its time. */
static gboolean
load_captions (WeftOverlayTimeline *self, GError **error)
{
  for (guint i = 0; i < self->document->items->len; i++) {
    WeftOverlayItem *item = g_ptr_array_index (self->document->items, i);
    if (WEFT_IS_CAPTIONS_ITEM (item) && !weft_overlay_renderer_load (self->renderer, item, error))
      return FALSE;
  }
  return TRUE;
}

static void
prepare_renderer (WeftOverlayTimeline *self)
{
  const GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;

  if (self->renderer != NULL
      && weft_overlay_renderer_is_for (self->renderer, self->document, &self->canvas, info))
    return;
  GST_OBJECT_LOCK (self);
  gsize cache_size = (gsize) self->cache_size;
  GST_OBJECT_UNLOCK (self);
  /* A document without items needs no thread. */
  replace_renderer (self, self->document->items->len > 0 ? weft_overlay_renderer_new (
                              self->document, &self->canvas, info, cache_size)
                                                         : NULL);
}

/* Makes schedule and renderer fit the document and the caps; looks that stay the same are kept.
 * Returns: %FALSE with @error set if captions cannot be read, without when flushing */
static gboolean
prepare_document (WeftOverlayTimeline *self, GError **error)
{
  const GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;

  g_hash_table_remove_all (self->states);
  g_clear_pointer (&self->schedule, weft_overlay_schedule_free);
  compute_canvas (info, self->document, &self->canvas);
  GST_DEBUG_OBJECT (self, "%u items on %dx%d, %g by %g pixels for each of the timeline",
      self->document->items->len, self->canvas.width, self->canvas.height, self->canvas.scale_x,
      self->canvas.scale_y);
  clear_repeat (self);
  prepare_renderer (self);
  if (!load_captions (self, error))
    return FALSE;
  self->schedule = weft_overlay_schedule_new (self->document, info->fps_n, info->fps_d);
  if (self->renderer != NULL)
    weft_overlay_renderer_keep_only (self->renderer, self->schedule);
  return TRUE;
}

static gboolean
weft_overlay_timeline_set_info (GstVideoFilter *filter, GstCaps *in_caps, GstVideoInfo *in_info,
    GstCaps *out_caps, GstVideoInfo *out_info)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (filter);

  if (!weft_surface_supports (in_info))
    return FALSE;
  clear_pool (self);
  self->negotiated = FALSE;
  return TRUE;
}

/* Returns: (transfer none) (nullable): the input that @item shows, which lives as long as its pad.
 * Pads are not released while frames flow. */
static WeftVideoInput *
find_input (WeftOverlayTimeline *self, WeftOverlayItem *item)
{
  const gchar *name = weft_overlay_item_get_pad (item);
  WeftVideoInput *found = NULL;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->inputs->len && found == NULL; i++) {
    WeftVideoInput *input = g_ptr_array_index (self->inputs, i);
    if (g_strcmp0 (GST_OBJECT_NAME (weft_video_input_get_pad (input)), name) == 0)
      found = input;
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

/* @position: a frame in which @entry shows; @half_frame_s: to the middle of it. */
static void
get_moment (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, guint64 position,
    gdouble half_frame_s, WeftMoment *moment)
{
  moment->position = position;
  moment->half_frame_s = half_frame_s;
  moment->since_start_s =
      weft_overlay_schedule_to_seconds (self->schedule, position - entry->begin) + half_frame_s;
  moment->until_end_s = INFINITY;
  if (entry->end != GST_CLOCK_TIME_NONE) {
    gdouble until_s = weft_overlay_schedule_to_seconds (self->schedule, entry->end - position);
    moment->until_end_s = MAX (until_s - half_frame_s, 0.0);
  }
}

static gdouble
get_half_frame (WeftOverlayTimeline *self)
{
  return weft_overlay_schedule_is_in_frames (self->schedule)
             ? weft_overlay_schedule_to_seconds (self->schedule, 1) / 2
             : 0.0;
}

static void
forget_drawn (WeftOverlayTimeline *self, const WeftOverlayEntry *entry)
{
  const WeftItemState *last = g_hash_table_lookup (self->states, entry);

  weft_overlay_renderer_forget (self->renderer, entry->item, &WEFT_ITEM_STATE_REST);
  if (last != NULL)
    weft_overlay_renderer_forget (self->renderer, entry->item, last);
  g_hash_table_remove (self->states, entry);
}

/* What is past does not come back but by a seek, and a second video is not seeked: its source may
 * end. */
static void
forget_cb (const WeftOverlayEntry *entry, gpointer user_data)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (user_data);

  if (weft_overlay_item_get_pad (entry->item) == NULL) {
    forget_drawn (self, entry);
    return;
  }
  WeftVideoInput *input = find_input (self, entry->item);
  if (input != NULL)
    weft_video_input_close (input);
}

static void
prefetch_at (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, guint64 position)
{
  WeftItemState state;
  WeftMoment moment;

  get_moment (self, entry, position, get_half_frame (self), &moment);
  weft_overlay_item_get_state (entry->item, &self->canvas, &moment, &state);
  weft_overlay_renderer_prefetch (self->renderer, entry->item, &state);
}

static void
prefetch_cb (const WeftOverlayEntry *entry, gpointer user_data)
{
  if (weft_overlay_item_get_pad (entry->item) == NULL)
    prefetch_at (WEFT_OVERLAY_TIMELINE (user_data), entry, entry->begin);
}

/* What @entry looks like now. What it looked like before is dropped, and what it will look like is
 * drawn ahead. */
static void
update_state (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, const WeftMoment *moment,
    WeftItemState *state)
{
  WeftItemState *last = g_hash_table_lookup (self->states, entry);

  weft_overlay_item_get_state (entry->item, &self->canvas, moment, state);
  if (last == NULL) {
    last = g_new0 (WeftItemState, 1);
    g_hash_table_insert (self->states, (gpointer) entry, last);
  } else if ((last->content != 0 || last->growth != 0)
             && (last->content != state->content || last->growth != state->growth)) {
    weft_overlay_renderer_forget (self->renderer, entry->item, last);
  }
  *last = *state;
  if (!weft_overlay_schedule_is_in_frames (self->schedule))
    return;
  for (guint64 next = moment->position + 1;
       next <= moment->position + PREFETCH_FRAMES && next < entry->end; next++)
    prefetch_at (self, entry, next);
}

static GstFlowReturn
handle_draw_error (WeftOverlayTimeline *self, GError *error)
{
  if (error == NULL)
    return GST_FLOW_FLUSHING;
  weft_overlay_error_post (GST_ELEMENT (self), GST_MESSAGE_ERROR, error);
  g_error_free (error);
  return GST_FLOW_ERROR;
}

/* Takes over a timeline that was set since the last frame. */
static GstFlowReturn
update_from_properties (WeftOverlayTimeline *self)
{
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  WeftOverlayDocument *next = g_steal_pointer (&self->next_document);
  GST_OBJECT_UNLOCK (self);

  if (next != NULL) {
    GST_INFO_OBJECT (self, "a new timeline with %u items", next->items->len);
    weft_overlay_document_unref (self->document);
    self->document = next;
    self->negotiated = FALSE;
  }
  if (!self->negotiated && !prepare_document (self, &error))
    return handle_draw_error (self, error);
  self->negotiated = TRUE;
  return GST_FLOW_OK;
}

/* Each thing is said once for as long as the element runs, and not without end: the captions of
 * three hours may lack another letter in each text. */
static void
post_warnings (WeftOverlayTimeline *self)
{
  g_autoptr (GPtrArray) warnings = weft_overlay_renderer_take_warnings (self->renderer);

  for (guint i = 0; warnings != NULL && i < warnings->len; i++) {
    const GError *warning = g_ptr_array_index (warnings, i);
    if (g_hash_table_size (self->warned) < MAX_WARNINGS
        && g_hash_table_add (self->warned, g_strdup (warning->message)))
      weft_overlay_error_post (GST_ELEMENT (self), GST_MESSAGE_WARNING, warning);
  }
}

static gboolean
touches_frame (const WeftCanvas *canvas, const cairo_rectangle_int_t *ink, const WeftPose *pose)
{
  gint x = ink->x + pose->dx, y = ink->y + pose->dy;

  return ink->width > 0 && ink->height > 0 && x < canvas->width && y < canvas->height
         && x + ink->width > 0 && y + ink->height > 0;
}

static GError *
new_input_error (WeftOverlayItem *item, const gchar *reason)
{
  return weft_overlay_error_new (WEFT_OVERLAY_ERROR_INVALID, weft_overlay_item_get_pointer (item),
      NULL, "the pad “%s” %s", weft_overlay_item_get_pad (item), reason);
}

/* The frame that a video item shows at @time of its own, which is 0 where the item starts. */
static GstFlowReturn
take_picture (WeftOverlayTimeline *self, WeftOverlayItem *item, gdouble since_s, Layer *layer)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (&GST_VIDEO_FILTER (self)->in_info);
  WeftVideoInput *input = find_input (self, item);
  GstClockTime time = (GstClockTime) llrint (since_s * GST_SECOND);

  if (input == NULL)
    return handle_draw_error (self, new_input_error (item, "was not requested"));
  switch (weft_video_input_take (input, time, &layer->picture, &layer->info)) {
    case WEFT_VIDEO_INPUT_FLUSHING:
      return GST_FLOW_FLUSHING;
    case WEFT_VIDEO_INPUT_NOTHING:
      return GST_FLOW_OK;
    case WEFT_VIDEO_INPUT_FRAME:
      break;
  }
  if (GST_VIDEO_INFO_FORMAT (&layer->info) != format) {
    g_autofree gchar *reason = g_strdup_printf (
        "gets %s, but the video it is drawn on is %s; put a videoconvert before it",
        GST_VIDEO_INFO_NAME (&layer->info), gst_video_format_to_string (format));
    gst_clear_buffer (&layer->picture);
    return handle_draw_error (self, new_input_error (item, reason));
  }
  return GST_FLOW_OK;
}

/* The first moment of a frame may be a nanosecond away from that of the video in it; their middles
 * are not. */
static GstFlowReturn
add_video_layer (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, const WeftMoment *moment)
{
  Layer layer = { .item = entry->item };
  WeftPose pose = { 1.0, 0, 0 };
  cairo_rectangle_int_t box;
  GstFlowReturn flow = take_picture (self, entry->item, moment->since_start_s, &layer);

  if (flow != GST_FLOW_OK || layer.picture == NULL)
    return flow;
  box.width = layer.info.width;
  box.height = layer.info.height;
  weft_overlay_item_place (entry->item, &self->canvas, box.width, box.height, &box.x, &box.y);
  weft_overlay_item_get_pose (entry->item, &self->canvas, &box, moment, &pose);
  layer.dx = box.x + pose.dx;
  layer.dy = box.y + pose.dy;
  layer.opacity =
      (guint8) lrint (pose.opacity * weft_overlay_item_get_opacity (entry->item) * 255.0);
  cairo_rectangle_int_t ink = { 0, 0, box.width, box.height };
  pose.dx = layer.dx;
  pose.dy = layer.dy;
  if (layer.opacity > 0 && touches_frame (&self->canvas, &ink, &pose))
    g_array_append_val (self->layers, layer);
  else
    gst_clear_buffer (&layer.picture);
  return GST_FLOW_OK;
}

static GstFlowReturn
add_drawn_layer (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, const WeftMoment *moment)
{
  cairo_rectangle_int_t box, ink;
  GError *error = NULL;
  WeftPose pose = { 1.0, 0, 0 };
  WeftItemState state = WEFT_ITEM_STATE_REST;

  if (weft_overlay_item_changes_look (entry->item))
    update_state (self, entry, moment, &state);
  if (!weft_overlay_renderer_get_box (self->renderer, entry->item, &state, &box, &ink, &error))
    return handle_draw_error (self, error);
  weft_overlay_item_get_pose (entry->item, &self->canvas, &box, moment, &pose);
  Layer layer = { .item = entry->item,
    .state = state,
    .dx = pose.dx,
    .dy = pose.dy,
    .opacity = (guint8) lrint (pose.opacity * 255.0) };
  if (layer.opacity > 0 && touches_frame (&self->canvas, &ink, &pose))
    g_array_append_val (self->layers, layer);
  return GST_FLOW_OK;
}

static GstFlowReturn
add_layer (WeftOverlayTimeline *self, const WeftOverlayEntry *entry, guint64 position,
    gdouble half_frame_s)
{
  WeftMoment moment;

  if (weft_overlay_item_get_opacity (entry->item) <= 0.0)
    return GST_FLOW_OK;
  get_moment (self, entry, position, half_frame_s, &moment);
  if (weft_overlay_item_get_pad (entry->item) != NULL)
    return add_video_layer (self, entry, &moment);
  return add_drawn_layer (self, entry, &moment);
}

/* Fills `layers` with what shows in a frame. */
static GstFlowReturn
find_layers (WeftOverlayTimeline *self, GstBuffer *buffer)
{
  GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstFlowReturn flow = GST_FLOW_OK;

  g_array_set_size (self->layers, 0);
  flow = update_from_properties (self);
  if (flow != GST_FLOW_OK || self->renderer == NULL || !GST_BUFFER_PTS_IS_VALID (buffer)
      || segment->format != GST_FORMAT_TIME)
    return flow;
  GstClockTime time =
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return GST_FLOW_OK;

  guint64 position = weft_overlay_schedule_to_position (self->schedule, time);
  /* Animations are sampled in the middle of the frame, so that they come and go symmetrically. */
  gdouble half_frame_s = get_half_frame (self);
  if (half_frame_s == 0.0 && GST_BUFFER_DURATION_IS_VALID (buffer))
    half_frame_s = (gdouble) GST_BUFFER_DURATION (buffer) / (gdouble) GST_SECOND / 2;

  GPtrArray *active = weft_overlay_schedule_move (self->schedule, position, forget_cb, self);
  for (guint i = 0; i < active->len && flow == GST_FLOW_OK; i++)
    flow = add_layer (self, g_ptr_array_index (active, i), position, half_frame_s);
  weft_overlay_schedule_foreach_next (self->schedule,
      weft_overlay_schedule_to_position (self->schedule, time + PREFETCH_TIME), prefetch_cb, self);
  post_warnings (self);
  return flow;
}

static GstFlowReturn
acquire_copy (WeftOverlayTimeline *self, GstBuffer **buffer)
{
  GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;

  if (self->pool == NULL) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SINK_PAD (self));
    if (caps == NULL)
      return GST_FLOW_FLUSHING;
    self->pool = gst_video_buffer_pool_new ();
    GstStructure *config = gst_buffer_pool_get_config (self->pool);
    gst_buffer_pool_config_set_params (config, caps, (guint) info->size, 0, 0);
    if (!gst_buffer_pool_set_config (self->pool, config)
        || !gst_buffer_pool_set_active (self->pool, TRUE)) {
      gst_clear_object (&self->pool);
      return GST_FLOW_ERROR;
    }
  }
  return gst_buffer_pool_acquire_buffer (self->pool, buffer, NULL);
}

static gboolean
has_same_memory (GstBuffer *a, GstBuffer *b)
{
  guint n = gst_buffer_n_memory (a);

  if (n != gst_buffer_n_memory (b))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    if (gst_buffer_peek_memory (a, i) != gst_buffer_peek_memory (b, i))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_pictures (GArray *layers)
{
  for (guint i = 0; i < layers->len; i++) {
    if (g_array_index (layers, Layer, i).picture != NULL)
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_same_layers (GArray *a, GArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++) {
    const Layer *la = &g_array_index (a, Layer, i), *lb = &g_array_index (b, Layer, i);
    /* Of a video the next frame may show something else. */
    if (la->picture != NULL || lb->picture != NULL)
      return FALSE;
    if (la->item != lb->item || la->state.content != lb->state.content
        || la->state.growth != lb->state.growth || la->dx != lb->dx || la->dy != lb->dy
        || la->opacity != lb->opacity)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_repeat (WeftOverlayTimeline *self, GstBuffer *input)
{
  return self->repeat_input != NULL && self->repeat_output != NULL
         && has_same_memory (self->repeat_input, input)
         && has_same_layers (self->repeat_layers, self->layers);
}

static void
count (WeftOverlayTimeline *self, guint64 *counter)
{
  GST_OBJECT_LOCK (self);
  (*counter)++;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
blend_picture (WeftOverlayTimeline *self, Layer *layer, GstVideoFrame *frame)
{
  GstVideoFrame picture;

  if (!gst_video_frame_map (&picture, &layer->info, layer->picture, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("A frame of the pad “%s” cannot be read.", weft_overlay_item_get_pad (layer->item)),
        (NULL));
    return FALSE;
  }
  weft_video_input_blend (&picture, frame, layer->dx, layer->dy, layer->opacity);
  gst_video_frame_unmap (&picture);
  return TRUE;
}

static GstFlowReturn
blend_layers (WeftOverlayTimeline *self, GstVideoFrame *frame)
{
  for (guint i = 0; i < self->layers->len; i++) {
    Layer *layer = &g_array_index (self->layers, Layer, i);
    GError *error = NULL;
    if (layer->picture != NULL) {
      if (!blend_picture (self, layer, frame))
        return GST_FLOW_ERROR;
      continue;
    }
    guint phase = weft_surface_get_phase (&frame->info, layer->dx, layer->dy);
    g_autoptr (WeftSurface) surface = weft_overlay_renderer_get_surface (
        self->renderer, layer->item, &layer->state, phase, &error);
    if (surface == NULL)
      return handle_draw_error (self, error);
    weft_surface_blend (surface, frame, layer->dx, layer->dy, layer->opacity, self->kernels);
  }
  return GST_FLOW_OK;
}

/* Copies a frame that must not be written, and remembers it in case it comes again. */
static GstFlowReturn
copy_frame (WeftOverlayTimeline *self, GstBuffer *input, GstBuffer **output)
{
  GstVideoInfo *info = &GST_VIDEO_FILTER (self)->in_info;
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  g_autoptr (GstBuffer) copy = NULL;
  GstVideoFrame from, to;
  GstFlowReturn flow = acquire_copy (self, &copy);

  if (flow != GST_FLOW_OK)
    return flow;
  if (!gst_video_frame_map (&from, info, input, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("The frame cannot be read."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!gst_video_frame_map (&to, info, copy, GST_MAP_WRITE)) {
    gst_video_frame_unmap (&from);
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("There is no memory for a frame."), (NULL));
    return GST_FLOW_ERROR;
  }
  gst_video_frame_copy (&to, &from);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  GST_BASE_TRANSFORM_GET_CLASS (trans)->copy_metadata (trans, input, copy);
  *output = g_steal_pointer (&copy);
  return GST_FLOW_OK;
}

/* Decides what leaves: the frame itself, untouched or to be drawn on, or a copy of it. */
static GstFlowReturn
weft_overlay_timeline_prepare_output_buffer (
    GstBaseTransform *trans, GstBuffer *input, GstBuffer **output)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (trans);
  GstFlowReturn flow = find_layers (self, input);

  if (flow != GST_FLOW_OK)
    return flow;
  if (self->layers->len == 0) {
    clear_repeat (self);
    count (self, &self->frames_passed);
    *output = input;
    return GST_FLOW_OK;
  }
  if (gst_buffer_is_writable (input) && gst_buffer_is_all_memory_writable (input)) {
    clear_repeat (self);
    *output = input;
    return GST_FLOW_OK;
  }
  if (is_repeat (self, input)) {
    *output = gst_buffer_new ();
    gst_buffer_copy_into (*output, self->repeat_output, GST_BUFFER_COPY_MEMORY, 0, (gsize) -1);
    GST_BASE_TRANSFORM_GET_CLASS (trans)->copy_metadata (trans, input, *output);
    GST_BUFFER_FLAG_UNSET (*output, GST_BUFFER_FLAG_GAP);
    count (self, &self->frames_repeated);
    GST_LOG_OBJECT (self, "the same frame again: %" GST_PTR_FORMAT, *output);
    g_array_set_size (self->layers, 0);
    return GST_FLOW_OK;
  }
  clear_repeat (self);
  flow = copy_frame (self, input, output);
  if (flow != GST_FLOW_OK)
    return flow;
  count (self, &self->frames_copied);
  GST_LOG_OBJECT (self, "copied, for upstream keeps it: %" GST_PTR_FORMAT, input);
  self->repeat_input = gst_buffer_ref (input);
  return GST_FLOW_OK;
}

static GstFlowReturn
weft_overlay_timeline_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  WeftOverlayTimeline *self = WEFT_OVERLAY_TIMELINE (trans);
  GstVideoFrame frame;

  if (self->layers->len == 0)
    return GST_FLOW_OK;
  if (!gst_video_frame_map (&frame, &GST_VIDEO_FILTER (self)->in_info, buffer,
          GST_MAP_READWRITE | GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("The frame cannot be drawn on."), (NULL));
    return GST_FLOW_ERROR;
  }
  GstFlowReturn flow = blend_layers (self, &frame);
  gst_video_frame_unmap (&frame);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_GAP);
  count (self, &self->frames_blended);
  if (has_pictures (self->layers)) {
    clear_repeat (self);
    /* They may go back to where they came from. */
    g_array_set_size (self->layers, 0);
  }
  if (self->repeat_input != NULL && flow == GST_FLOW_OK) {
    /* The buffer itself and not a copy that shares its memory: so it can go back to the pool. */
    self->repeat_output = gst_buffer_ref (buffer);
    g_array_set_size (self->repeat_layers, 0);
    for (guint i = 0; i < self->layers->len; i++) {
      Layer layer = g_array_index (self->layers, Layer, i);
      g_object_ref (layer.item);
      g_array_append_val (self->repeat_layers, layer);
    }
  }
  return flow;
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
  g_object_unref (((Layer *) data)->item);
}

static void
clear_layer (gpointer layer)
{
  gst_clear_buffer (&((Layer *) layer)->picture);
}

static void
weft_overlay_timeline_init (WeftOverlayTimeline *self)
{
  self->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_video_input_free);
  self->cache_size = DEFAULT_CACHE_SIZE;
  self->edits = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_overlay_edit_free);
  self->kernels = weft_blend_get_kernels ();
  self->layers = g_array_new (FALSE, FALSE, sizeof (Layer));
  g_array_set_clear_func (self->layers, clear_layer);
  self->repeat_layers = g_array_new (FALSE, FALSE, sizeof (Layer));
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
  trans_class->prepare_output_buffer = weft_overlay_timeline_prepare_output_buffer;
  trans_class->transform_meta = weft_overlay_timeline_transform_meta;
  trans_class->transform_ip = weft_overlay_timeline_transform_ip;
  trans_class->transform_ip_on_passthrough = FALSE;
  filter_class->set_info = weft_overlay_timeline_set_info;
}
