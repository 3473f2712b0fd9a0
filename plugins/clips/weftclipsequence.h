/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define WEFT_TYPE_CLIP_SEQUENCE (weft_clip_sequence_get_type ())
G_DECLARE_FINAL_TYPE (WeftClipSequence, weft_clip_sequence, WEFT, CLIP_SEQUENCE, GstElement)

GST_ELEMENT_REGISTER_DECLARE (clipsequence);

G_END_DECLS
