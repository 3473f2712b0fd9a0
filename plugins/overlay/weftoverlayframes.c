/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What overlaytimeline does with every frame: which items show in it, and drawing them. */

#include <math.h>

#include "weftcaptions.h"
#include "weftoverlaytimeline-private.h"

#define GST_CAT_DEFAULT weft_overlay_timeline_debug

#define MAX_WARNINGS 100
/* How long before an item shows it is drawn. */
#define PREFETCH_TIME (500 * GST_MSECOND)
/* How many frames before an item looks different it is drawn so. */
#define PREFETCH_FRAMES 3

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
take_picture (
    WeftOverlayTimeline *self, WeftOverlayItem *item, gdouble since_s, WeftOverlayLayer *layer)
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
  WeftOverlayLayer layer = { .item = entry->item };
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
  WeftOverlayLayer layer = { .item = entry->item,
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
    if (g_array_index (layers, WeftOverlayLayer, i).picture != NULL)
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
    const WeftOverlayLayer *la = &g_array_index (a, WeftOverlayLayer, i),
                           *lb = &g_array_index (b, WeftOverlayLayer, i);
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
blend_picture (WeftOverlayTimeline *self, WeftOverlayLayer *layer, GstVideoFrame *frame)
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
    WeftOverlayLayer *layer = &g_array_index (self->layers, WeftOverlayLayer, i);
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
GstFlowReturn
weft_overlay_frames_prepare (GstBaseTransform *trans, GstBuffer *input, GstBuffer **output)
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

GstFlowReturn
weft_overlay_frames_draw (GstBaseTransform *trans, GstBuffer *buffer)
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
      WeftOverlayLayer layer = g_array_index (self->layers, WeftOverlayLayer, i);
      g_object_ref (layer.item);
      g_array_append_val (self->repeat_layers, layer);
    }
  }
  return flow;
}

void
weft_overlay_frames_renegotiate (WeftOverlayTimeline *self)
{
  clear_pool (self);
  self->negotiated = FALSE;
}

void
weft_overlay_frames_reset (WeftOverlayTimeline *self)
{
  replace_renderer (self, NULL);
  clear_repeat (self);
  clear_pool (self);
  g_array_set_size (self->layers, 0);
  g_hash_table_remove_all (self->warned);
  g_hash_table_remove_all (self->states);
  g_clear_pointer (&self->schedule, weft_overlay_schedule_free);
  g_clear_pointer (&self->document, weft_overlay_document_unref);
  self->negotiated = FALSE;
}
