/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-graph-private.h"
#include "weft-launch.h"
#include "weft-plan-private.h"

G_BEGIN_DECLS

/* The parts of a graph's launch line, in files of their own: pictures in weft-graph-video.c, sound
 * in weft-graph-sound.c. Each appends its tokens. */

/* Raw frames that may wait in front of an encoder or a scaler. Two are enough to let both
 * sides work at the same time; each costs a full frame of memory. */
#define RAW_QUEUE_FRAMES 2

/* Coded video between an encoder and its muxer only decouples their threads. */
#define CODED_QUEUE_NS GST_SECOND
#define CODED_QUEUE_BYTES (16 * 1024 * 1024)

struct _WeftGraph {
  GObject parent_instance;

  WeftPlan *plan;
  WeftLaunch *launch;
  JsonObject *timeline; /* (unowned): inside the plan */
  JsonArray *outputs;   /* (unowned): inside the plan */
  GPtrArray *videos;    /* (element-type JsonObject): the plan's overlays that are videos */
  GPtrArray *names;     /* (element-type utf8): one an output, unique, fit for element names */
  GstElement *pipeline; /* (nullable): built on first use */
};

JsonObject *weft_graph_get_output (WeftGraph *self, guint i);
gboolean weft_graph_is_video (JsonObject *output);
void
weft_graph_add_element (WeftGraph *self, const gchar *factory, const gchar *role, guint output);

void weft_graph_add_clips (WeftGraph *self, JsonObject *root);
void weft_graph_add_muxers (WeftGraph *self);
void weft_graph_add_pictures (WeftGraph *self, JsonObject *root);
void weft_graph_add_sound (WeftGraph *self);

G_END_DECLS
