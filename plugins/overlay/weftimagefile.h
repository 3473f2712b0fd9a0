/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WEFT_IMAGE_UNKNOWN,
  WEFT_IMAGE_PNG,
  WEFT_IMAGE_JPEG,
  WEFT_IMAGE_GIF,
  WEFT_IMAGE_WEBP,
  WEFT_IMAGE_SVG,
  /* A picture, but of a kind that is not drawn. */
  WEFT_IMAGE_OTHER,
} WeftImageFormat;

WeftImageFormat weft_image_file_detect (GBytes *bytes);
gsize weft_image_file_get_first_gif_end (GBytes *bytes);
gboolean weft_image_file_is_complete (GBytes *bytes, WeftImageFormat format);

G_END_DECLS
