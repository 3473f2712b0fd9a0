/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-error.h"

G_BEGIN_DECLS

/* Enough of a picture file to know it by: an SVG may begin with a long comment. */
#define WEFT_PICTURE_MAGIC_BYTES 4096

const gchar *weft_picture_guess_type (const guint8 *data, gsize length);
gboolean weft_picture_moves (const guint8 *data, gsize length);
WEFT_API gchar **weft_pictures_list_types (void);

G_END_DECLS
