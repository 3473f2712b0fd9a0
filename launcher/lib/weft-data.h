/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-schema.h"

G_BEGIN_DECLS

gchar **weft_data_get_folders (gboolean shared_first);
GBytes *weft_data_load_schema (GError **error);
WeftSchema *weft_data_get_schema (GError **error);

G_END_DECLS
