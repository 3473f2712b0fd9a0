/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <gst/video/video.h>

#include "weftblend.h"

G_BEGIN_DECLS

typedef struct {
  guint start;
  guint n;
  gboolean copy;
} WeftRun;

/* The pixels that one sample is the mean of, in one direction: `first` relative to the sample's own
 * pixel, and their weights. */
typedef struct {
  gint first;
  guint n;
  guint8 weights[3];
} WeftTaps;

/* Premultiplied ARGB32 whose top left pixel is pixel (rect.x, rect.y) of the frame. */
typedef struct {
  const guint8 *pixels;
  gint stride;
  cairo_rectangle_int_t rect;
  /* The frame, where the picture's border pixels are to be repeated beyond its edges; else 0. */
  gint frame_width;
  gint frame_height;
} WeftPlaneSource;

/* One plane of a surface: the rows of a rectangle in elements of 1 or 2 bytes. Elements come in
 * groups: those of one pixel, or of the pixels that share a chroma sample stored among them. */
typedef struct {
  guint index;
  /* In groups and rows of the frame's plane. */
  gint x;
  gint y;
  gint n_elements;
  gint n_rows;
  guint element_size;
  guint group_elements;
  guint w_sub;
  guint h_sub;
  /* Of samples of more than 8 bits: how far they are shifted up in their words. */
  guint shift;
  guint8 *src;
  guint8 *inverse;
  GArray *runs;
  /* For each row the index of its first run; one more than there are rows. */
  guint *first_run;
} WeftPlane;

gboolean weft_plane_supports (const GstVideoInfo *info);
WeftTaps weft_plane_get_taps (guint sub, gboolean cosited);

void weft_plane_init (WeftPlane *self, guint index, const WeftPlaneSource *source,
    const GstVideoInfo *info, const WeftBlendKernels *kernels);
void weft_plane_clear (WeftPlane *self);
gsize weft_plane_get_bytes (const WeftPlane *self);

G_END_DECLS
