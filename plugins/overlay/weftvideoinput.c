/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftvideoinput.h"

#include <string.h>

struct _WeftVideoInput {
  GstPad *pad;

  GMutex lock; /* guards the rest */
  GCond cond;
  gboolean flushing;      /* the pad is: what comes in is dropped */
  gboolean main_flushing; /* the main video is: it does not wait */
  gboolean closed;        /* nothing is wanted any more */
  gboolean eos;
  gboolean has_info;
  GstVideoInfo info;
  GstSegment segment;
  GstBuffer *buffer; /* (nullable): the frame that is shown or comes next */
};

/* Called on the thread of the second video. */
static GstFlowReturn
chain_cb (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  WeftVideoInput *self = gst_pad_get_element_private (pad);
  GstFlowReturn flow = GST_FLOW_OK;

  g_mutex_lock (&self->lock);
  while (self->buffer != NULL && !self->flushing && !self->closed)
    g_cond_wait (&self->cond, &self->lock);
  if (self->flushing)
    flow = GST_FLOW_FLUSHING;
  else if (self->closed)
    flow = GST_FLOW_EOS;
  else if (!self->has_info)
    flow = GST_FLOW_NOT_NEGOTIATED;
  else
    self->buffer = g_steal_pointer (&buffer);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  gst_clear_buffer (&buffer);
  return flow;
}

/* The frame that is held keeps the size it came with: caps wait like a frame does. */
static gboolean
take_caps (WeftVideoInput *self, GstEvent *event)
{
  GstCaps *caps;
  GstVideoInfo info;

  gst_event_parse_caps (event, &caps);
  if (!gst_video_info_from_caps (&info, caps))
    return FALSE;
  g_mutex_lock (&self->lock);
  while (self->buffer != NULL && !self->flushing && !self->closed)
    g_cond_wait (&self->cond, &self->lock);
  self->info = info;
  self->has_info = TRUE;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
set_pad_flushing (WeftVideoInput *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  self->eos = FALSE;
  gst_clear_buffer (&self->buffer);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* Nothing of the second video's events concerns who is downstream. */
static gboolean
event_cb (GstPad *pad, GstObject *parent, GstEvent *event)
{
  WeftVideoInput *self = gst_pad_get_element_private (pad);
  gboolean ok = TRUE;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      ok = take_caps (self, event);
      break;
    case GST_EVENT_SEGMENT:
      g_mutex_lock (&self->lock);
      gst_event_copy_segment (event, &self->segment);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_EOS:
      g_mutex_lock (&self->lock);
      self->eos = TRUE;
      g_cond_broadcast (&self->cond);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_FLUSH_START:
      set_pad_flushing (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      set_pad_flushing (self, FALSE);
      break;
    default:
      break;
  }
  gst_event_unref (event);
  return ok;
}

/* Frames are drawn as they come, so they must have the format of those they are drawn on; any size
 * will do. */
static GstCaps *
get_caps (GstPad *pad, GstObject *parent, GstCaps *filter)
{
  g_autoptr (GstPad) main_pad = gst_element_get_static_pad (GST_ELEMENT (parent), "sink");
  g_autoptr (GstCaps) main_caps = gst_pad_get_current_caps (main_pad);
  GstCaps *caps = gst_pad_get_pad_template_caps (pad);

  if (main_caps != NULL) {
    const gchar *format =
        gst_structure_get_string (gst_caps_get_structure (main_caps, 0), "format");
    caps = gst_caps_make_writable (caps);
    gst_caps_set_simple (caps, "format", G_TYPE_STRING, format, NULL);
  }
  if (filter != NULL) {
    GstCaps *filtered = gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (caps);
    caps = filtered;
  }
  return caps;
}

static gboolean
query_cb (GstPad *pad, GstObject *parent, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS: {
      GstCaps *filter;
      gst_query_parse_caps (query, &filter);
      g_autoptr (GstCaps) caps = get_caps (pad, parent, filter);
      gst_query_set_caps_result (query, caps);
      return TRUE;
    }
    case GST_QUERY_ALLOCATION:
      gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
      return TRUE;
    default:
      return gst_pad_query_default (pad, parent, query);
  }
}

/**
 * weft_video_input_new:
 * @pad: (transfer none): not activated yet; its functions are set here
 *
 * Returns: (transfer full): to be freed when @pad was deactivated
 */
WeftVideoInput *
weft_video_input_new (GstPad *pad)
{
  WeftVideoInput *self = g_new0 (WeftVideoInput, 1);

  self->pad = gst_object_ref (pad);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  gst_pad_set_element_private (pad, self);
  gst_pad_set_chain_function (pad, chain_cb);
  gst_pad_set_event_function (pad, event_cb);
  gst_pad_set_query_function (pad, query_cb);
  return self;
}

void
weft_video_input_free (WeftVideoInput *self)
{
  gst_clear_buffer (&self->buffer);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  gst_object_unref (self->pad);
  g_free (self);
}

GstPad *
weft_video_input_get_pad (WeftVideoInput *self)
{
  return self->pad;
}

/* When the held frame is over, in its own stream time. A frame that does not say stays until the
 * next one comes. */
static gboolean
is_over_unlocked (WeftVideoInput *self, GstClockTime time)
{
  GstClockTime end;

  if (!GST_BUFFER_PTS_IS_VALID (self->buffer))
    return TRUE;
  end = GST_BUFFER_PTS (self->buffer);
  if (GST_BUFFER_DURATION_IS_VALID (self->buffer))
    end += GST_BUFFER_DURATION (self->buffer);
  else if (self->info.fps_n > 0)
    end += gst_util_uint64_scale_int (GST_SECOND, self->info.fps_d, self->info.fps_n);
  end = gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME, end);
  return GST_CLOCK_TIME_IS_VALID (end) && end <= time;
}

static gboolean
has_begun_unlocked (WeftVideoInput *self, GstClockTime time)
{
  GstClockTime start =
      gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (self->buffer));

  return !GST_CLOCK_TIME_IS_VALID (start) || start <= time;
}

/**
 * weft_video_input_take:
 * @time: in stream time of the second video
 * @buffer: (out) (transfer full): the frame that shows at @time
 * @info: (out): what it looks like
 *
 * Waits until the frame is there.
 */
WeftVideoInputState
weft_video_input_take (
    WeftVideoInput *self, GstClockTime time, GstBuffer **buffer, GstVideoInfo *info)
{
  WeftVideoInputState state = WEFT_VIDEO_INPUT_NOTHING;

  g_mutex_lock (&self->lock);
  for (;;) {
    if (self->buffer != NULL && is_over_unlocked (self, time)) {
      gst_clear_buffer (&self->buffer);
      g_cond_broadcast (&self->cond);
    }
    if (self->buffer != NULL || self->eos || self->closed || self->main_flushing)
      break;
    g_cond_wait (&self->cond, &self->lock);
  }
  if (self->main_flushing) {
    state = WEFT_VIDEO_INPUT_FLUSHING;
  } else if (self->buffer != NULL && !self->closed && has_begun_unlocked (self, time)) {
    *buffer = gst_buffer_ref (self->buffer);
    *info = self->info;
    state = WEFT_VIDEO_INPUT_FRAME;
  }
  g_mutex_unlock (&self->lock);
  return state;
}

/* While the main video flushes it does not wait. The second one is not flushed with it: it goes on
 * from where it is. */
void
weft_video_input_set_flushing (WeftVideoInput *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->main_flushing = flushing;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* Nobody waits any more, on either side: the pads are about to be deactivated. */
void
weft_video_input_stop (WeftVideoInput *self)
{
  set_pad_flushing (self, TRUE);
  weft_video_input_set_flushing (self, TRUE);
}

/* What still comes is not wanted: who pushes it is told that the stream has ended. */
void
weft_video_input_close (WeftVideoInput *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  gst_clear_buffer (&self->buffer);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* As it was when it was new; the pad must not be active. */
void
weft_video_input_reset (WeftVideoInput *self)
{
  g_mutex_lock (&self->lock);
  gst_clear_buffer (&self->buffer);
  self->flushing = self->main_flushing = self->closed = self->eos = self->has_info = FALSE;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  g_mutex_unlock (&self->lock);
}

static void
blend_row8 (guint8 *dst, const guint8 *src, gsize n, guint opacity)
{
  for (gsize i = 0; i < n; i++) {
    guint v = src[i] * opacity + dst[i] * (255 - opacity) + 128;
    dst[i] = (guint8) ((v + (v >> 8)) >> 8);
  }
}

static void
blend_row16 (guint16 *dst, const guint16 *src, gsize n, guint opacity)
{
  for (gsize i = 0; i < n; i++)
    dst[i] = (guint16) ((src[i] * opacity + dst[i] * (255 - opacity) + 127) / 255);
}

static gint
first_component (const GstVideoFormatInfo *format, guint plane)
{
  gint c = 0;

  while (GST_VIDEO_FORMAT_INFO_PLANE (format, c) != plane)
    c++;
  return c;
}

/* Draws one plane of @picture; @x and @y are in frame pixels and on the chroma grid. */
static void
blend_plane (
    const GstVideoFrame *picture, GstVideoFrame *frame, guint plane, gint x, gint y, guint8 opacity)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint c = first_component (format, plane);
  gint pixel = GST_VIDEO_FORMAT_INFO_PSTRIDE (format, c);
  gint left = x >> GST_VIDEO_FORMAT_INFO_W_SUB (format, c);
  gint top = y >> GST_VIDEO_FORMAT_INFO_H_SUB (format, c);
  gint x0 = MAX (left, 0), y0 = MAX (top, 0);
  gint x1 =
      MIN (left + GST_VIDEO_FRAME_COMP_WIDTH (picture, c), GST_VIDEO_FRAME_COMP_WIDTH (frame, c));
  gint y1 =
      MIN (top + GST_VIDEO_FRAME_COMP_HEIGHT (picture, c), GST_VIDEO_FRAME_COMP_HEIGHT (frame, c));
  gint src_stride = GST_VIDEO_FRAME_PLANE_STRIDE (picture, plane);
  gint dst_stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  const guint8 *src_data = GST_VIDEO_FRAME_PLANE_DATA (picture, plane);
  guint8 *dst_data = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);

  if (x1 <= x0)
    return;
  gsize bytes = (gsize) (x1 - x0) * (gsize) pixel;
  for (gint row = y0; row < y1; row++) {
    const guint8 *src = src_data + (gssize) (row - top) * src_stride + (gssize) (x0 - left) * pixel;
    guint8 *dst = dst_data + (gssize) row * dst_stride + (gssize) x0 * pixel;

    if (opacity == 255)
      memcpy (dst, src, bytes);
    else if (GST_VIDEO_FORMAT_INFO_BITS (format) == 8)
      blend_row8 (dst, src, bytes, opacity);
    else
      blend_row16 (
          (guint16 *) (gpointer) dst, (const guint16 *) (gconstpointer) src, bytes / 2, opacity);
  }
}

/**
 * weft_video_input_blend:
 * @picture: of the same format as @frame
 * @x: where its left edge goes; rounded down to where @frame has chroma
 *
 * Draws @picture, whatever part of it @frame has room for.
 */
void
weft_video_input_blend (
    const GstVideoFrame *picture, GstVideoFrame *frame, gint x, gint y, guint8 opacity)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  gint w_sub = 0, h_sub = 0;

  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); c++) {
    w_sub = MAX (w_sub, (gint) GST_VIDEO_FORMAT_INFO_W_SUB (format, c));
    h_sub = MAX (h_sub, (gint) GST_VIDEO_FORMAT_INFO_H_SUB (format, c));
  }
  x &= ~((1 << w_sub) - 1);
  y &= ~((1 << h_sub) - 1);
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (frame); plane++)
    blend_plane (picture, frame, plane, x, y, opacity);
}
