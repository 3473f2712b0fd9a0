/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weftoverlayerror.h"

G_BEGIN_DECLS

JsonNode *weft_overlay_json_parse (
    const gchar *json, gsize length, const gchar *what, guint max_values, GError **error);

G_END_DECLS
