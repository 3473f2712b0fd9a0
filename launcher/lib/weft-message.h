/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-error.h"
#include "weft-plan.h"

G_BEGIN_DECLS

/* Details that Weft's elements attach to their error and warning messages. */
#define WEFT_DETAIL_POINTER "pointer"
#define WEFT_DETAIL_URI "uri"
#define WEFT_DETAIL_STREAM "stream"
#define WEFT_DETAIL_CHANGED "changed"

WeftProblem *weft_message_to_problem (GstMessage *message, WeftPlan *plan);

G_END_DECLS
