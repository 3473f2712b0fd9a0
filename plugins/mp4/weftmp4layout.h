/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define WEFT_TYPE_MP4_LAYOUT (weft_mp4_layout_get_type ())
G_DECLARE_FINAL_TYPE (WeftMp4Layout, weft_mp4_layout, WEFT, MP4_LAYOUT, GstElement)

GST_ELEMENT_REGISTER_DECLARE (mp4layout)

G_END_DECLS
