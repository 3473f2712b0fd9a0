/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint weft_fonts_count_families (void);
gchar *weft_fonts_find_substitute (const gchar *family);

G_END_DECLS
