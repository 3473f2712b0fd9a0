/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-job.h"

G_BEGIN_DECLS

#define WEFT_TYPE_PLAN (weft_plan_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftPlan, weft_plan, WEFT, PLAN, GObject)

WEFT_API WeftPlan *weft_plan_new (WeftJob *job, GCancellable *cancellable, GError **error);
WEFT_API void weft_plan_new_async (
    WeftJob *job, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftPlan *weft_plan_new_full (
    WeftJob *job, gdouble stall_timeout_s, GCancellable *cancellable, GError **error);
WEFT_API void weft_plan_new_full_async (WeftJob *job, gdouble stall_timeout_s,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftPlan *weft_plan_new_finish (GAsyncResult *result, GError **error);
WEFT_API WeftPlan *weft_plan_new_from_json (const gchar *json, gssize length, GError **error);

WEFT_API JsonNode *weft_plan_get_root (WeftPlan *self);
WEFT_API GPtrArray *weft_plan_get_warnings (WeftPlan *self);
WEFT_API gboolean weft_plan_check_supported (WeftPlan *self, GError **error);
WEFT_API gchar *weft_plan_to_json (WeftPlan *self, gboolean pretty);

G_END_DECLS
