/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftClipPictures: which picture of a clip is due in which frame, framed for the output.
 *
 * It holds the picture that is shown and the one after it, for only that one tells how long the
 * first is shown. One that is shown once is given away, so downstream may draw on it; one that is
 * held is given out again and again as the same memory. None is framed that is not shown.
 *
 * Not thread safe: it belongs to the video task.
 */
#include "weftclippictures.h"

#include <string.h>

#include "weftframing.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* The demuxer cuts its times to whole nanoseconds; without this a frame that lies on a half would
 * round down. Far less than a tick of any container's time base. */
#define ROUNDING_NS 1000
/* Cache lines, and the widest vector registers. */
#define ALIGN_MASK 63

struct _WeftClipPictures {
  GstVideoInfo out;
  guint32 background_argb;
  GstBufferPool *pool;
  gboolean video_meta; /* downstream takes any strides */
  GstBuffer *background;

  WeftClipReader *reader;
  WeftClipFrame shown;
  WeftClipFrame next;
  gboolean next_end;
  GstBuffer *picture; /* of what is shown, while it may be needed again */
  gboolean fresh;     /* the picture was not taken yet */
  WeftClipPicturesCounts counts;

  WeftFraming *framing;
  WeftFrameFormat *framing_format;
  WeftFit framing_fit;
};

static GstBufferPool *
make_pool (WeftClipPictures *self, GstCaps *caps, GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  GstAllocationParams params;
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_allocation_params_init (&params);
  if (gst_pad_peer_query (pad, query)) {
    self->video_meta = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    if (gst_query_get_n_allocation_params (query) > 0)
      gst_query_parse_nth_allocation_param (query, 0, NULL, &params);
  }
  params.align |= ALIGN_MASK;

  /* As many as downstream holds: what it lets go of is filled again. */
  gst_buffer_pool_config_set_params (config, caps, (guint) self->out.size, 0, 0);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  if (self->video_meta) {
    GstVideoAlignment align;

    gst_video_alignment_reset (&align);
    for (guint p = 0; p < GST_VIDEO_MAX_PLANES; p++)
      align.stride_align[p] = ALIGN_MASK;
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, &align);
  }
  if (gst_buffer_pool_set_config (pool, config) && gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  gst_object_unref (pool);
  return NULL;
}

/*
 * weft_clip_pictures_new:
 * @out: I420
 * @caps: those of @out, which were pushed through @pad already
 * @pad: whose peer says what memory it likes
 *
 * Returns: (nullable): %NULL if there can be no such pictures
 */
WeftClipPictures *
weft_clip_pictures_new (const GstVideoInfo *out, guint32 background, GstCaps *caps, GstPad *pad)
{
  WeftClipPictures *self = g_new0 (WeftClipPictures, 1);

  self->out = *out;
  self->background_argb = background;
  self->pool = make_pool (self, caps, pad);
  if (self->pool == NULL)
    g_clear_pointer (&self, weft_clip_pictures_free);
  return self;
}

void
weft_clip_pictures_free (WeftClipPictures *self)
{
  weft_clip_pictures_leave (self);
  gst_clear_buffer (&self->background);
  g_clear_pointer (&self->framing, weft_framing_free);
  g_clear_pointer (&self->framing_format, weft_frame_format_unref);
  if (self->pool != NULL)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
  g_free (self);
}

/* Pictures come from @reader from here on. */
void
weft_clip_pictures_enter (WeftClipPictures *self, WeftClipReader *reader)
{
  self->reader = gst_object_ref (reader);
}

void
weft_clip_pictures_leave (WeftClipPictures *self)
{
  gst_clear_object (&self->reader);
  weft_clip_frame_clear (&self->shown);
  weft_clip_frame_clear (&self->next);
  gst_clear_buffer (&self->picture);
  self->next_end = FALSE;
  self->fresh = FALSE;
}

/* Which frame of its clip a picture is first shown in. */
static guint64
first_frame_of (const WeftClipPictures *self, const WeftClipFrame *picture)
{
  if (picture->time_ns <= 0)
    return 0;
  return weft_grid_frame_from_time (
      (GstClockTime) picture->time_ns + ROUNDING_NS, self->out.fps_n, self->out.fps_d);
}

static void
show_next (WeftClipPictures *self)
{
  if (self->shown.format != NULL && self->fresh)
    self->counts.dropped++;
  weft_clip_frame_clear (&self->shown);
  gst_clear_buffer (&self->picture);
  self->shown = self->next;
  memset (&self->next, 0, sizeof self->next);
  self->fresh = TRUE;
}

/*
 * weft_clip_pictures_advance:
 * @frame: of the clip
 * @have: (out): for how many frames of the clip there are pictures, as far as is known; 0 means
 *   that there is none
 *
 * Moves on to the last picture that is due by @frame. Waits for the reader.
 *
 * Returns: %WEFT_READ_END if there is no picture after it
 */
WeftRead
weft_clip_pictures_advance (WeftClipPictures *self, guint64 frame, guint64 *have)
{
  WeftRead read = WEFT_READ_OK;

  while (read == WEFT_READ_OK) {
    if (self->next.format != NULL) {
      /* The first picture stands in for what would be before it. */
      if (self->shown.format != NULL && first_frame_of (self, &self->next) > frame)
        break;
      show_next (self);
    }
    read = self->next_end ? WEFT_READ_END : weft_clip_reader_take_frame (self->reader, &self->next);
    self->next_end |= read == WEFT_READ_END;
  }
  *have = self->shown.format != NULL ? first_frame_of (self, &self->shown) + 1 : 0;
  return read;
}

static gboolean
has_default_layout (GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  for (guint p = 0; meta != NULL && p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    if (meta->offset[p] != info->offset[p] || meta->stride[p] != info->stride[p])
      return FALSE;
  }
  return TRUE;
}

static void
prepare_framing (WeftClipPictures *self, WeftFit fit)
{
  WeftFrameFormat *format = self->shown.format;

  if (self->framing != NULL && self->framing_format == format && self->framing_fit == fit)
    return;
  g_clear_pointer (&self->framing, weft_framing_free);
  g_clear_pointer (&self->framing_format, weft_frame_format_unref);
  self->framing =
      weft_framing_new (&format->info, format->orientation, fit, self->background_argb, &self->out);
  self->framing_format = weft_frame_format_ref (format);
  self->framing_fit = fit;
}

/* The output's picture of what is shown. Its own is used up. */
static GstBuffer *
frame_shown (WeftClipPictures *self)
{
  g_autoptr (GstBuffer) source = g_steal_pointer (&self->shown.buffer);
  GstBuffer *buffer = NULL;
  GstVideoFrame in, out;

  prepare_framing (self, weft_clip_reader_get_clip (self->reader)->fit);
  if (weft_framing_is_passthrough (self->framing)
      && (self->video_meta || has_default_layout (source, &self->out)))
    return g_steal_pointer (&source);

  if (!gst_video_frame_map (&in, &self->framing_format->info, source, GST_MAP_READ)) {
    GST_WARNING_OBJECT (self->reader, "a picture cannot be read");
    return weft_clip_pictures_take_background (self);
  }
  if (gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL) == GST_FLOW_OK
      && gst_video_frame_map (&out, &self->out, buffer, GST_MAP_WRITE)) {
    if (weft_framing_is_passthrough (self->framing))
      gst_video_frame_copy (&out, &in);
    else
      weft_framing_convert (self->framing, &in, &out);
    gst_video_frame_unmap (&out);
  }
  gst_video_frame_unmap (&in);
  return buffer;
}

/*
 * weft_clip_pictures_take:
 * @frame: that was advanced to
 * @is_last: the clip has no frame after it
 *
 * Returns: (transfer full) (nullable): the picture for @frame, or the background where there is
 * none; %NULL if there is no memory
 */
GstBuffer *
weft_clip_pictures_take (WeftClipPictures *self, guint64 frame, gboolean is_last)
{
  gboolean again;

  if (self->shown.format == NULL)
    return weft_clip_pictures_take_background (self);
  if (self->picture == NULL)
    self->picture = frame_shown (self);
  if (self->picture == NULL)
    return NULL;
  if (!self->fresh)
    self->counts.repeated++;
  self->fresh = FALSE;
  again = !is_last && (self->next.format == NULL || first_frame_of (self, &self->next) > frame + 1);
  return again ? gst_buffer_ref (self->picture) : g_steal_pointer (&self->picture);
}

/* Returns: (transfer full) (nullable): the background, always the same memory */
GstBuffer *
weft_clip_pictures_take_background (WeftClipPictures *self)
{
  GstVideoFrame frame;

  if (self->background == NULL
      && gst_buffer_pool_acquire_buffer (self->pool, &self->background, NULL) == GST_FLOW_OK
      && gst_video_frame_map (&frame, &self->out, self->background, GST_MAP_WRITE)) {
    weft_framing_fill (&frame, self->background_argb);
    gst_video_frame_unmap (&frame);
  }
  return self->background != NULL ? gst_buffer_ref (self->background) : NULL;
}

WeftClipPicturesCounts
weft_clip_pictures_get_counts (const WeftClipPictures *self)
{
  return self->counts;
}
