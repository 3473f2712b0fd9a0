/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

JsonNode *weft_job_draft_finish (const gchar *data, gsize length, const gchar *name, GFile *base,
    GFile *file, GHashTable *given, gchar **id, GPtrArray **warnings, GError **error);

G_END_DECLS
