/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* A second video that flows into overlaytimeline: one pad, and the frame that is due.
 *
 * The thread that pushes into the pad waits until the frame it brought is over; the thread of the
 * main video waits for that frame. Only one frame is ever held. The lock is this input's own and
 * nothing else is taken inside of it. */
typedef struct _WeftVideoInput WeftVideoInput;

/* What there is to show at a moment. */
typedef enum {
  WEFT_VIDEO_INPUT_FRAME,
  WEFT_VIDEO_INPUT_NOTHING,
  WEFT_VIDEO_INPUT_FLUSHING,
} WeftVideoInputState;

WeftVideoInput *weft_video_input_new (GstPad *pad);
void weft_video_input_free (WeftVideoInput *self);

GstPad *weft_video_input_get_pad (WeftVideoInput *self);
WeftVideoInputState weft_video_input_take (
    WeftVideoInput *self, GstClockTime time, GstBuffer **buffer, GstVideoInfo *info);
void weft_video_input_set_flushing (WeftVideoInput *self, gboolean flushing);
void weft_video_input_stop (WeftVideoInput *self);
void weft_video_input_close (WeftVideoInput *self);
void weft_video_input_reset (WeftVideoInput *self);

void weft_video_input_blend (
    const GstVideoFrame *picture, GstVideoFrame *frame, gint x, gint y, guint8 opacity);

G_END_DECLS
