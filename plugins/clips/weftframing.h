/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/*
 * WeftFit:
 * @WEFT_FIT_COVER: fill the frame, cut off what is too much
 * @WEFT_FIT_CONTAIN: show everything, bars in the background colour
 * @WEFT_FIT_FILL: show everything, distorted to the frame
 * @WEFT_FIT_NONE: source pixels one to one, centred, cut or framed by bars
 * @WEFT_FIT_CONTAIN_BLUR: show everything, upon a blurred copy that covers the frame
 */
typedef enum {
  WEFT_FIT_COVER,
  WEFT_FIT_CONTAIN,
  WEFT_FIT_FILL,
  WEFT_FIT_NONE,
  WEFT_FIT_CONTAIN_BLUR,
} WeftFit;

extern const gchar *const weft_fit_names[];

/*
 * WeftFramingLayout:
 *
 * Which part of the source, in its own stored pixels before rotation, lands on which rectangle of
 * the output. The source part may begin and end between pixels.
 */
typedef struct {
  gdouble src_x, src_y, src_w, src_h;
  gint dst_x, dst_y, dst_w, dst_h;
} WeftFramingLayout;

void weft_framing_layout (WeftFit fit, const GstVideoInfo *in,
    GstVideoOrientationMethod orientation, const GstVideoInfo *out, WeftFramingLayout *layout);

typedef struct _WeftFraming WeftFraming;

gboolean weft_framing_info_from_caps (GstVideoInfo *info, const GstCaps *caps);

WeftFraming *weft_framing_new (const GstVideoInfo *in, GstVideoOrientationMethod orientation,
    WeftFit fit, guint32 background_argb, const GstVideoInfo *out);
void weft_framing_free (WeftFraming *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFraming, weft_framing_free)

gboolean weft_framing_is_passthrough (const WeftFraming *self);
void weft_framing_convert (WeftFraming *self, const GstVideoFrame *in, GstVideoFrame *out);
void weft_framing_fill (GstVideoFrame *out, guint32 background_argb);

G_END_DECLS
