/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-graph.h"

G_BEGIN_DECLS

/* Names of the elements that others look up in the pipeline. */
#define WEFT_GRAPH_CLIPS "clips"
#define WEFT_GRAPH_OVERLAYS "overlays"
/* Followed by a number: a video in the picture. */
#define WEFT_GRAPH_VIDEO_PREFIX "video_"

gchar *weft_graph_element_name (WeftGraph *self, const gchar *role, guint output);
gchar *weft_graph_video_name (guint video);
gchar *weft_graph_audio_encoder_name (WeftGraph *self, guint output);

G_END_DECLS
