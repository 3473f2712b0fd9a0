/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define WEFT_TYPE_OVERLAY_TIMELINE (weft_overlay_timeline_get_type ())
G_DECLARE_FINAL_TYPE (
    WeftOverlayTimeline, weft_overlay_timeline, WEFT, OVERLAY_TIMELINE, GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE (overlaytimeline)

G_END_DECLS
