/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How far a blur of @sigma reaches, in pixels. */
gint weft_blur_get_reach (gdouble sigma);
void weft_blur_a8 (
    guint8 *pixels, gint width, gint height, gint stride, gdouble sigma_x, gdouble sigma_y);

G_END_DECLS
