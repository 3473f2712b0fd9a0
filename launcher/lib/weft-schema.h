/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

/* More than this many problems of one document are not reported. */
#define WEFT_SCHEMA_MAX_PROBLEMS 100u

typedef struct _WeftSchema WeftSchema;

WeftSchema *weft_schema_new_from_bytes (GBytes *bytes, const gchar *name, GError **error);
WeftSchema *weft_schema_ref (WeftSchema *self);
void weft_schema_unref (WeftSchema *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSchema, weft_schema_unref)

gboolean weft_schema_validate (WeftSchema *self, JsonNode *root, GPtrArray *problems);
void weft_schema_fill_defaults (WeftSchema *self, JsonNode *root);
void weft_schema_convert_texts (WeftSchema *self, JsonNode *root, GHashTable *texts);

gchar *weft_schema_suggest (const gchar *word, const gchar *const *candidates, gsize n_candidates);

G_END_DECLS
