/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-json.h"

G_BEGIN_DECLS

/* What all texts of a job together may grow to when variables are replaced. */
#define WEFT_VARIABLES_MAX_BYTES (64u * 1024u * 1024u)

typedef struct {
  GHashTable *values; /* name → text; owned by the caller */
  GHashTable
      *used; /* (element-type utf8): names that were found in a text; the keys belong to `values` */
  GHashTable
      *whole; /* (element-type JsonNode): nodes whose text was one placeholder and nothing else */
  GPtrArray *problems; /* (element-type WeftProblem) */
  const gchar *job_id; /* (nullable) until it is known */
  const gchar *output_id;
  gsize n_bytes; /* written so far */
} WeftVariables;

gboolean weft_variables_is_name (const gchar *name);
gchar *weft_variables_expand_text (
    WeftVariables *self, const gchar *text, const WeftJsonPath *path, gboolean *is_whole);
gchar *weft_variables_find_placeholder (WeftVariables *self, const gchar *text);
void weft_variables_expand_node (WeftVariables *self, JsonNode *node, const WeftJsonPath *path);

G_END_DECLS
