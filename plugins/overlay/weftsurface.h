/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "weftblend.h"
#include "weftoverlayitem.h"

G_BEGIN_DECLS

/* A picture in the pixel format of the frames it is blended into: premultiplied, with the inverse
 * of its alpha beside every sample, cut to the rectangle that is not empty. Immutable. */
typedef struct _WeftSurface WeftSurface;

#define WEFT_SURFACE_N_PHASES 5

#define WEFT_SURFACE_FORMATS                                                                       \
  "{ I420, YV12, NV12, NV21, Y42B, NV16, NV61, Y444, NV24, I420_10LE, P010_10LE, I422_10LE, "      \
  "Y444_10LE, I420_12LE, P012_LE, I422_12LE, Y444_12LE, YUY2, UYVY, YVYU, BGRA, "                  \
  "RGBA, ARGB, ABGR, BGRx, RGBx, xRGB, xBGR, RGB, BGR, GBR, GBR_10LE, GBR_12LE, AYUV, VUYA, "      \
  "A420, AV12, A420_10LE, A422_10LE, A444_10LE, GBRA, GBRA_10LE, GBRA_12LE, GRAY8 }"

gboolean weft_surface_supports (const GstVideoInfo *info);
guint weft_surface_get_phase (const GstVideoInfo *info, gint dx, gint dy);

WeftSurface *weft_surface_new (const WeftPicture *picture, const GstVideoInfo *info, guint phase);
WeftSurface *weft_surface_ref (WeftSurface *self);
void weft_surface_unref (WeftSurface *self);
gsize weft_surface_get_bytes (const WeftSurface *self);
void weft_surface_blend (const WeftSurface *self, GstVideoFrame *frame, gint dx, gint dy,
    guint8 opacity, const WeftBlendKernels *kernels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSurface, weft_surface_unref)

G_END_DECLS
