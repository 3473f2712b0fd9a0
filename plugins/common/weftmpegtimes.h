/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void weft_mpeg_times_watch (GstElement *element);

G_END_DECLS
