/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

#define WEFT_PRESET_MAX_NAMES 8u

JsonNode *weft_preset_load (const gchar *name, GError **error);
gboolean weft_preset_is_name (const gchar *name);
JsonNode *weft_preset_list (void);
void weft_preset_merge_under (JsonObject *job, JsonObject *base);

G_END_DECLS
