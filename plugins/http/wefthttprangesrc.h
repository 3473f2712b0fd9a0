/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesrc.h>

G_BEGIN_DECLS

#define WEFT_TYPE_HTTP_RANGE_SRC (weft_http_range_src_get_type ())
G_DECLARE_FINAL_TYPE (WeftHttpRangeSrc, weft_http_range_src, WEFT, HTTP_RANGE_SRC, GstBaseSrc)

GST_ELEMENT_REGISTER_DECLARE (httprangesrc)

G_END_DECLS
