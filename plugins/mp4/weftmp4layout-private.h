/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstadapter.h>

#include "weftmp4head.h"
#include "weftmp4layout.h"
#include "weftmp4moov.h"
#include "weftmp4output.h"
#include "weftmp4upstream.h"

G_BEGIN_DECLS

#define WEFT_MP4_RESERVE_MAX_BYTES (1u << 30)

typedef enum {
  WEFT_MP4_STATE_PROLOGUE, /* before the media data; what came is held */
  WEFT_MP4_STATE_MEDIA,    /* media data of unknown length goes through, moved by the reserve */
  WEFT_MP4_STATE_HOLD,     /* what looks like the movie header is held, and what follows it */
  WEFT_MP4_STATE_BOXES,    /* boxes of known length go through, the movie header rewritten */
  WEFT_MP4_STATE_PASS,     /* nothing is changed */
  WEFT_MP4_STATE_DONE,     /* the file is whole */
  WEFT_MP4_STATE_FAILED,
  WEFT_MP4_N_STATES,
} WeftMp4LayoutState;

struct _WeftMp4Layout {
  GstElement parent;
  GstPad *sinkpad;
  GstPad *srcpad;

  /* Settings and results; the object lock guards them. */
  guint reserve_bytes;
  guint64 video_frames;
  gint fps_n, fps_d;
  gint64 audio_priming;
  guint64 audio_samples;
  guint64 moov_bytes;
  GstStructure *stats;

  /* All that follows belongs to the streaming thread. */
  WeftMp4LayoutState state;
  GstAdapter *held;    /* input not forwarded yet: prologue, box header, movie header */
  GstEvent *segment;   /* the muxer's first segment */
  guint64 in_position; /* where the next input byte belongs */
  guint64 in_end;      /* the furthest input byte so far */
  WeftMp4Output out;
  guint64 reserve;       /* size of the reserved room */
  guint64 mdat_position; /* of the 16 bytes mp4mux patches, in the input */
  guint64 hold_position; /* of the first held byte, in the input */
  gsize hold_moov_bytes; /* size of what looks like the movie header there */
  WeftMp4Head head;
  guint64 box_left; /* WEFT_MP4_STATE_BOXES: payload bytes of the box to come */
  guint64 media_bytes;
  GBytes *early_moov; /* a movie header that came before the media data */
  gboolean moov_written;
  WeftMp4Upstream upstream;
};

/* weftmp4rewrite.c; all on the streaming thread */
void weft_mp4_layout_reset (WeftMp4Layout *self);
GstFlowReturn weft_mp4_layout_take_buffer (WeftMp4Layout *self, GstBuffer *buffer);
gboolean weft_mp4_layout_take_segment (WeftMp4Layout *self, GstEvent *event);
gboolean weft_mp4_layout_take_eos (WeftMp4Layout *self, GstEvent *event);

/* weftmp4layout.c */
void weft_mp4_layout_publish_stats (WeftMp4Layout *self, const WeftMp4MoovInfo *info,
    guint64 moov_bytes, guint64 free_bytes, guint64 moved_bytes, gboolean moov_first);

G_END_DECLS
