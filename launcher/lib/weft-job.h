/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

#define WEFT_TYPE_JOB (weft_job_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftJob, weft_job, WEFT, JOB, GObject)

WEFT_API WeftJob *weft_job_new_from_file (GFile *file, GHashTable *variables, GError **error);
WEFT_API WeftJob *
weft_job_new_from_bytes (GBytes *bytes, GFile *base, GHashTable *variables, GError **error);
WEFT_API WeftJob *weft_job_copy_with_output_base (WeftJob *self, GFile *folder);

WEFT_API const gchar *weft_job_get_id (WeftJob *self);
WEFT_API GFile *weft_job_get_base (WeftJob *self);
WEFT_API JsonNode *weft_job_get_root (WeftJob *self);
WEFT_API GPtrArray *weft_job_get_warnings (WeftJob *self);
WEFT_API gchar *weft_job_to_json (WeftJob *self, gboolean pretty);

WEFT_API gchar *weft_job_resolve_uri (WeftJob *self, const gchar *uri, GError **error);
WEFT_API gchar *weft_job_resolve_output_uri (WeftJob *self, const gchar *uri, GError **error);
WEFT_API gboolean weft_job_parse_time (JsonNode *node, guint64 *time_ns);
WEFT_API gboolean weft_job_parse_fps (JsonNode *node, gint *numerator, gint *denominator);

WEFT_API GBytes *weft_job_load_schema (GError **error);
WEFT_API JsonNode *weft_job_list_presets (void);

G_END_DECLS
