/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

/* Limits of every document that Weft reads. They bound the time and memory that a hostile document
 * can cost. */
#define WEFT_JSON_MAX_BYTES (16u * 1024u * 1024u)
#define WEFT_JSON_MAX_DEPTH 64u
#define WEFT_JSON_MAX_VALUES 1000000u
#define WEFT_JSON_MAX_MEMBERS 1024u
#define WEFT_JSON_MAX_NAME_BYTES 1024u

/* A place in a document, kept on the stack while walking down; root is NULL. */
typedef struct _WeftJsonPath WeftJsonPath;
struct _WeftJsonPath {
  const WeftJsonPath *parent;
  const gchar *name; /* NULL for an array element */
  guint index;
};

JsonNode *weft_json_parse (const gchar *data, gsize length, const gchar *name, GError **error);

gchar *weft_json_path_to_pointer (const WeftJsonPath *path);
JsonNode *weft_json_copy (JsonNode *node);
JsonNode *weft_json_lookup (JsonNode *root, const gchar *pointer);
gchar *weft_json_quote (const gchar *text);
gchar *weft_json_number_to_text (JsonNode *node);
WEFT_API gchar *weft_json_to_text (JsonNode *node, gboolean pretty);
JsonNode *weft_json_number_from_text (const gchar *text);
const gchar *weft_json_describe (JsonNode *node);
const gchar *weft_json_get_text (JsonNode *node);
const gchar *weft_json_get_member_text (JsonObject *object, const gchar *name);
JsonObject *weft_json_get_member_object (JsonObject *object, const gchar *name);
JsonArray *weft_json_get_member_array (JsonObject *object, const gchar *name);

G_END_DECLS
