/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

WEFT_API gchar *weft_redact_text (const gchar *text);
WEFT_API JsonNode *weft_redact_json (JsonNode *node);

G_END_DECLS
