/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "weftpicture.h"

G_BEGIN_DECLS

/*
 * WeftColourChange:
 *
 * From one Y'CbCr to another: first the range (gain and offset of each plane, for a WeftScaler),
 * then the matrix, which in the output's range adds a share of both chroma planes to luma and mixes
 * chroma with itself. Grey stays grey, so chroma takes nothing from luma.
 */
typedef struct {
  gdouble luma_gain, luma_offset;
  gdouble chroma_gain, chroma_offset;
  gboolean has_matrix;
  gint16 y_cb, y_cr;   /* 1/32768 */
  gint16 cb_cb, cb_cr; /* 1/32768; cb_cb is one less than the factor */
  gint16 cr_cb, cr_cr; /* 1/32768; so is cr_cr */
} WeftColourChange;

void weft_colour_change_init (
    WeftColourChange *self, const GstVideoColorimetry *from, const GstVideoColorimetry *to);
gboolean weft_colour_change_can_copy (const WeftColourChange *self, const WeftPicture *src);
void weft_colour_change_copy (
    const WeftColourChange *self, const WeftPicture *src, const WeftPicture *dst);
void weft_colour_change_apply (const WeftColourChange *self, const WeftPicture *picture);
void weft_colour_from_argb (guint32 argb, const GstVideoColorimetry *to, guint8 yuv[3]);

void weft_colour_reduce_row (const guint16 *src, guint8 *dst, gint n, gint bits);
void weft_colour_blend_row (const guint8 *ayuv_top, const guint8 *ayuv_bottom, guint8 *y_top,
    guint8 *y_bottom, guint8 *cb, guint8 *cr, gint n, const guint8 background[3]);

G_END_DECLS
