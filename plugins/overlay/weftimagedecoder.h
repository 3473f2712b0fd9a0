/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <gio/gio.h>

#include "weftimagefile.h"

G_BEGIN_DECLS

/* A picture of pixels, decoded. */
typedef struct {
  /* Premultiplied ARGB32, or RGB24; smaller than the picture where it was scaled while decoding. */
  cairo_surface_t *pixels;
  /* The picture's own size, turned as its orientation tag says. */
  gint width;
  gint height;
} WeftRaster;

/**
 * WeftRasterSizeFunc:
 * @width: of the picture, in pixels
 * @shown_width: (out): how large it is going to be drawn
 */
typedef void (*WeftRasterSizeFunc) (
    gint width, gint height, gdouble *shown_width, gdouble *shown_height, gpointer user_data);

WeftRaster *weft_raster_decode (GBytes *bytes, WeftImageFormat format, WeftRasterSizeFunc size_func,
    gpointer user_data, GCancellable *cancellable, GError **error);
gchar **weft_raster_list_types (void);
void weft_raster_free (WeftRaster *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRaster, weft_raster_free)

G_END_DECLS
