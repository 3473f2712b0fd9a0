/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-meter.h"
#include "weft-plan.h"

G_BEGIN_DECLS

/* What is known of one run when it ends. */
typedef struct {
  WeftPlan *plan;
  const gchar *state;   /* `succeeded`, `failed` or `canceled` */
  const GError *error;  /* (nullable) */
  WeftMeter *meter;     /* (nullable): %NULL if nothing was started */
  const guint64 *bytes; /* (nullable): one an output */
  gdouble wall_s;
  gdouble cpu_s;
} WeftRun;

JsonNode *weft_report_new (const WeftRun *run);
WEFT_API JsonNode *weft_error_to_json (const GError *error);

G_END_DECLS
