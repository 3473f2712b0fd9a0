/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define WEFT_TYPE_ENCODER_FEED (weft_encoder_feed_get_type ())
G_DECLARE_FINAL_TYPE (WeftEncoderFeed, weft_encoder_feed, WEFT, ENCODER_FEED, GstElement)

GST_ELEMENT_REGISTER_DECLARE (encoderfeed);

G_END_DECLS
