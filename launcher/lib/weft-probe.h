/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "weft-error.h"

G_BEGIN_DECLS

/**
 * WEFT_STALL_TIMEOUT_DEFAULT_S:
 *
 * How many seconds nothing may move before a source or a graph counts as stalled.
 */
#define WEFT_STALL_TIMEOUT_DEFAULT_S 30.0

/**
 * WeftProbeFlags:
 * @WEFT_PROBE_FLAGS_NONE: read the beginning and the end of the source only
 * @WEFT_PROBE_FLAGS_KEYFRAMES: read the whole source without decoding it, count its frames and list
 * its keyframes
 *
 * How much of a source is looked at.
 */
typedef enum /*< flags >*/ {
  WEFT_PROBE_FLAGS_NONE = 0,
  WEFT_PROBE_FLAGS_KEYFRAMES = 1 << 0,
} WeftProbeFlags;

WEFT_API JsonNode *
weft_probe_uri (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable, GError **error);
WEFT_API JsonNode *weft_probe_uri_full (const gchar *uri, WeftProbeFlags flags,
    gdouble stall_timeout_s, GCancellable *cancellable, GError **error);
WEFT_API void weft_probe_uri_async (const gchar *uri, WeftProbeFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WEFT_API JsonNode *weft_probe_uri_finish (GAsyncResult *result, GError **error);

G_END_DECLS
