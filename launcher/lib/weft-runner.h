/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plan.h"

G_BEGIN_DECLS

#define WEFT_TYPE_RUNNER (weft_runner_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRunner, weft_runner, WEFT, RUNNER, GObject)

WEFT_API WeftRunner *weft_runner_new (WeftPlan *plan);
WEFT_API gboolean weft_runner_run (WeftRunner *self, GCancellable *cancellable, GError **error);
WEFT_API void weft_runner_run_async (
    WeftRunner *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_runner_run_finish (WeftRunner *self, GAsyncResult *result, GError **error);
WEFT_API JsonNode *weft_runner_get_report (WeftRunner *self);

G_END_DECLS
