/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-graph.h"

G_BEGIN_DECLS

/* Counts what passes through a running graph. The probes run on streaming threads and touch
 * atomics only; everything else is for the thread that owns the meter. */
typedef struct _WeftMeter WeftMeter;

WeftMeter *weft_meter_new (WeftGraph *graph, WeftPlan *plan, GstElement *pipeline);
void weft_meter_free (WeftMeter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMeter, weft_meter_free)

guint64 weft_meter_get_frames (WeftMeter *self, guint output);
guint64 weft_meter_get_samples (WeftMeter *self, guint output);
guint64 weft_meter_get_done_frames (WeftMeter *self);
gdouble weft_meter_get_fraction (WeftMeter *self);
void weft_meter_keep_source_stats (WeftMeter *self);
gint64 weft_meter_get_bytes_read (WeftMeter *self, const gchar *uri);
gchar *weft_meter_get_fingerprint (WeftMeter *self);
gchar *weft_meter_find_waiting_pad (WeftMeter *self);
gboolean weft_meter_check (WeftMeter *self, GError **error);

G_END_DECLS
