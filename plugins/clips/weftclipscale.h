/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define WEFT_TYPE_CLIP_SCALE (weft_clip_scale_get_type ())
G_DECLARE_FINAL_TYPE (WeftClipScale, weft_clip_scale, WEFT, CLIP_SCALE, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (clipscale);

G_END_DECLS
