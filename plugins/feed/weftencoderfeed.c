/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-encoderfeed
 * @title: encoderfeed
 * @short_description: lends raw frames to an encoder instead of giving them away
 *
 * x264enc copies each frame while it is pushed, and then keeps the buffer mapped until the frame
 * comes out again: with a look-ahead of 30 frames, some 100 MiB of 1080p pictures that nobody will
 * ever read. This element pushes buffers whose memory is only lent: when the push returns, the
 * frame goes back to its pool at once and is written again while it is still in the processor's
 * cache.
 *
 * Use it only in front of encoders that are done with the pixels when their chain function returns;
 * x264enc is one.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=300 ! encoderfeed ! x264enc ! mp4mux ! filesink
 * location=test.mp4
 * ]|
 */
#include "weftencoderfeed.h"

#include <gst/video/video.h>

#include "weftloanmemory.h"

GST_DEBUG_CATEGORY_STATIC (weft_encoder_feed_debug);
#define GST_CAT_DEFAULT weft_encoder_feed_debug

/* Called on the streaming thread only; there is no state besides the pads. */
struct _WeftEncoderFeed {
  GstElement parent_instance;

  GstPad *sinkpad;
  GstPad *srcpad;
  GstAllocator *allocator;
};

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

G_DEFINE_FINAL_TYPE (WeftEncoderFeed, weft_encoder_feed, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (encoderfeed, "encoderfeed", GST_RANK_NONE,
    WEFT_TYPE_ENCODER_FEED,
    GST_DEBUG_CATEGORY_INIT (
        weft_encoder_feed_debug, "encoderfeed", 0, "lends frames to encoders"));

/* gst_buffer_copy_into() leaves this one out when it does not copy the memory, because a meta with
 * offsets is only right for the memory it was made for; the loan is laid out just like that. */
static void
copy_video_meta (GstBuffer *from, GstBuffer *to)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (from);
  GstVideoMeta *copy;

  if (meta == NULL)
    return;
  copy = gst_buffer_add_video_meta_full (to, meta->flags, meta->format, meta->width, meta->height,
      meta->n_planes, meta->offset, meta->stride);
  gst_video_meta_set_alignment (copy, meta->alignment);
}

static GstFlowReturn
weft_encoder_feed_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  WeftEncoderFeed *self = WEFT_ENCODER_FEED (parent);
  g_autoptr (GstMemory) memory = weft_loan_memory_new (self->allocator, buffer);
  GstBuffer *lent;
  GstFlowReturn flow;

  if (memory == NULL) {
    GST_ELEMENT_ERROR (
        self, RESOURCE, READ, ("A video frame cannot be read."), ("%" GST_PTR_FORMAT, buffer));
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }

  lent = gst_buffer_new ();
  gst_buffer_copy_into (lent, buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META, 0, -1);
  gst_buffer_append_memory (lent, gst_memory_ref (memory));
  copy_video_meta (buffer, lent);
  /* The loan holds the only reference of ours, so that calling it back is giving it back. */
  gst_buffer_unref (buffer);

  flow = gst_pad_push (self->srcpad, lent);
  weft_loan_memory_call_back (memory);
  return flow;
}

/* Buffers of upstream are never handed on, so downstream's wishes for them do not matter, except
 * that a video meta is understood. */
static gboolean
weft_encoder_feed_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION) {
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

static void
weft_encoder_feed_finalize (GObject *object)
{
  WeftEncoderFeed *self = WEFT_ENCODER_FEED (object);

  g_clear_object (&self->allocator);
  G_OBJECT_CLASS (weft_encoder_feed_parent_class)->finalize (object);
}

static void
weft_encoder_feed_init (WeftEncoderFeed *self)
{
  self->allocator = gst_object_ref_sink (g_object_new (WEFT_TYPE_LOAN_ALLOCATOR, NULL));

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, weft_encoder_feed_chain);
  gst_pad_set_query_function (self->sinkpad, weft_encoder_feed_query);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  GST_PAD_SET_PROXY_SCHEDULING (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  GST_PAD_SET_PROXY_SCHEDULING (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
weft_encoder_feed_class_init (WeftEncoderFeedClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_encoder_feed_finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Encoder feed", "Filter/Video",
      "Lends raw frames to an encoder that copies them, so that they do not pile up in it", "Weft");
}
