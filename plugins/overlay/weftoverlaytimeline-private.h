/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlayrenderer.h"
#include "weftoverlayschedule.h"
#include "weftoverlaytimeline.h"
#include "weftvideoinput.h"

G_BEGIN_DECLS

/* The element in two files: weftoverlaytimeline.c has its properties, actions, pads and states,
 * weftoverlayframes.c what its streaming thread does with every frame. */

GST_DEBUG_CATEGORY_EXTERN (weft_overlay_timeline_debug);

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
} WeftOverlayLayer;

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

/* On the streaming thread. */
GstFlowReturn
weft_overlay_frames_prepare (GstBaseTransform *trans, GstBuffer *input, GstBuffer **output);
GstFlowReturn weft_overlay_frames_draw (GstBaseTransform *trans, GstBuffer *buffer);
void weft_overlay_frames_renegotiate (WeftOverlayTimeline *self);
/* When nothing streams. */
void weft_overlay_frames_reset (WeftOverlayTimeline *self);

G_END_DECLS
