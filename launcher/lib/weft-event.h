/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

WEFT_API JsonNode *
weft_event_new (const gchar *job_id, guint64 seq, const gchar *type, JsonNode *data);

G_END_DECLS
