/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-error.h"

G_BEGIN_DECLS

gchar *weft_uri_resolve (GFile *base, const gchar *uri, GError **error);
gboolean weft_uri_is_relative (const gchar *uri);
gchar *weft_uri_get_identity (const gchar *uri);
const gchar *weft_uri_get_ending (const gchar *uri);

G_END_DECLS
