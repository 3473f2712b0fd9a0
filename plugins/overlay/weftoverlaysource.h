/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weftoverlayerror.h"

G_BEGIN_DECLS

gchar *weft_overlay_source_resolve (const gchar *uri, const gchar *base_folder, GError **error);
gboolean weft_overlay_source_is_remote (const gchar *uri);
gboolean weft_overlay_source_check (const gchar *uri, GError **error);
GBytes *weft_overlay_source_load (
    const gchar *uri, gsize max_bytes, GCancellable *cancellable, GError **error);
gchar *weft_overlay_source_get_name (const gchar *uri);

/* In weftoverlayremote.c, where there is libsoup. */
GBytes *weft_overlay_remote_load (
    const gchar *uri, gsize max_bytes, GCancellable *cancellable, GError **error);

G_END_DECLS
