/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-placement.h"
#include "weft-plan.h"

G_BEGIN_DECLS

#define WEFT_PLAN_VERSION 1

/* A source, probed. Exactly one of @node and @error is set, unless this build cannot read its
 * scheme at all. */
typedef struct {
  gchar *uri;
  JsonNode *node;
  GError *error;
  gint index; /* in the plan's `sources`, or -1 */
} WeftPlanSource;

/* A part of a source that is shown over the clips. */
typedef struct {
  WeftPlanSource *source;
  JsonObject *info; /* (unowned): the probed source */
  gboolean image;   /* it stands still, and has no length */
  guint64 in_ns;
  guint64 length_ns;
} WeftVideoCut;

/* A plan while it is made. Used by one thread. */
typedef struct {
  WeftJob *job;
  JsonObject *document;
  GCancellable *cancellable;
  gdouble stall_timeout_s; /* of each source; 0 = wait for ever */

  guint width;
  guint height;
  WeftRate fps;
  guint rate;
  guint channels;
  guint64 frames;
  guint64 samples;
  guint64 duration_ns; /* of all clips, before it is rounded to frames */

  GPtrArray *sources;  /* (element-type WeftPlanSource): in the order of first use */
  GHashTable *by_uri;  /* (element-type utf8 WeftPlanSource) (unowned) */
  GPtrArray *files;    /* (element-type utf8): paths of everything local that is read */
  GPtrArray *problems; /* (element-type WeftProblem): errors */
  GPtrArray *warnings; /* (element-type WeftProblem) */
  JsonArray *unsupported;
  JsonArray *clips;
  JsonArray *overlays;
  JsonArray *fonts;
  JsonArray *outputs;
  guint64 output_bytes; /* of all outputs, estimated */
  guint64 peak_bytes;
} WeftPlanner;

void weft_planner_add_error (WeftPlanner *self, WeftError code, const gchar *pointer,
    const gchar *uri, const gchar *hint, const gchar *format, ...) G_GNUC_PRINTF (6, 7);
void weft_planner_add_warning (WeftPlanner *self, WeftError code, const gchar *pointer,
    const gchar *uri, const gchar *hint, const gchar *format, ...) G_GNUC_PRINTF (6, 7);
void weft_planner_add_unsupported (WeftPlanner *self, const gchar *pointer, const gchar *feature,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);
gchar *weft_planner_resolve (WeftPlanner *self, const gchar *pointer, const gchar *uri);
gchar *weft_planner_resolve_output (WeftPlanner *self, const gchar *pointer, const gchar *uri);
gboolean weft_planner_can_use (WeftPlanner *self, const gchar *pointer, const gchar *uri);

gboolean weft_planner_probe_sources (WeftPlanner *self, GError **error);
void weft_planner_place_clips (WeftPlanner *self);
void weft_planner_place_overlays (WeftPlanner *self);
gboolean weft_planner_cut_video (
    WeftPlanner *self, JsonObject *overlay, const gchar *pointer, WeftVideoCut *cut);
JsonObject *weft_planner_plan_video (
    WeftPlanner *self, JsonObject *overlay, const gchar *pointer, guint64 *frames);
void weft_planner_plan_outputs (WeftPlanner *self);
void weft_planner_check_limits (WeftPlanner *self);
void weft_planner_list_unsupported (WeftPlanner *self);

gboolean weft_plan_check_document (JsonNode *root, GError **error);

/* Members of a document that the schema, or a check, has already seen. */
JsonObject *weft_get_object (JsonObject *object, const gchar *name);
JsonArray *weft_get_array (JsonObject *object, const gchar *name);
const gchar *weft_get_string (JsonObject *object, const gchar *name, const gchar *fallback);
gint64 weft_get_int (JsonObject *object, const gchar *name, gint64 fallback);
gdouble weft_get_double (JsonObject *object, const gchar *name, gdouble fallback);
gboolean weft_get_time (JsonObject *object, const gchar *name, guint64 *time_ns);

G_END_DECLS
