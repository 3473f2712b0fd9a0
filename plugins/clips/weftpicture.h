/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* 8 bits a sample. */
typedef struct {
  guint8 *data;
  gint stride;
  gint width, height;
} WeftPlane;

/*
 * WeftPicture:
 * @sub_x, @sub_y: chroma has half as many samples where this is 1
 * @chroma_x, @chroma_y: where chroma sample 0 lies, in luma samples; luma sample 0 covers 0 to 1
 *
 * Y, Cb and Cr. Without chroma planes it is grey.
 */
typedef struct {
  WeftPlane plane[3];
  gint sub_x, sub_y;
  gdouble chroma_x, chroma_y;
  gboolean grey;
  gpointer memory; /* what it owns; planes may point elsewhere all the same */
} WeftPicture;

void weft_picture_init (WeftPicture *self, const GstVideoInfo *info);
void weft_picture_init_i420 (
    WeftPicture *self, gint width, gint height, gdouble chroma_x, gdouble chroma_y);
void weft_picture_allocate (WeftPicture *self);
void weft_picture_release (WeftPicture *self);
void weft_picture_borrow (WeftPicture *self, GstVideoFrame *frame);
WeftPicture weft_picture_part (const WeftPicture *self, gint x, gint y, gint width, gint height);

gboolean weft_orientation_swaps_sides (GstVideoOrientationMethod orientation);
void weft_picture_init_turned (
    WeftPicture *self, const WeftPicture *upright, GstVideoOrientationMethod orientation);
void weft_picture_turn (
    const WeftPicture *src, const WeftPicture *dst, GstVideoOrientationMethod orientation);
void weft_picture_fill (const WeftPicture *self, const guint8 yuv[3]);
void weft_picture_blur (const WeftPicture *self, gint radius);

G_END_DECLS
