/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-plan.h"

G_BEGIN_DECLS

#define WEFT_TYPE_GRAPH (weft_graph_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftGraph, weft_graph, WEFT, GRAPH, GObject)

WEFT_API WeftGraph *weft_graph_new (WeftPlan *plan, GError **error);
WEFT_API GstElement *weft_graph_get_pipeline (WeftGraph *self, GError **error);
WEFT_API gchar *weft_graph_to_launch (WeftGraph *self);
WEFT_API gchar *weft_graph_to_dot (WeftGraph *self, GError **error);
WEFT_API gchar *weft_graph_to_json (WeftGraph *self, GError **error);

G_END_DECLS
