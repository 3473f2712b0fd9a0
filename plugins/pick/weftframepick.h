/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define WEFT_TYPE_FRAME_PICK (weft_frame_pick_get_type ())
G_DECLARE_FINAL_TYPE (WeftFramePick, weft_frame_pick, WEFT, FRAME_PICK, GstElement)

GST_ELEMENT_REGISTER_DECLARE (framepick)

G_END_DECLS
