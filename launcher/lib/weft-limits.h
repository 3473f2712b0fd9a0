/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

gboolean weft_limits_cross (JsonObject *limits, const gchar *name, gdouble value, gdouble *limit);
const gchar *weft_limits_get_platform (JsonObject *limits);
gchar *weft_limits_dup_source (JsonObject *limits);
WeftProblem *weft_limits_check (
    JsonObject *limits, const gchar *name, const gchar *unit, gdouble value, const gchar *pointer);

G_END_DECLS
