/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcolour.h"
#include "weftframing.h"
#include "weftpicture.h"

G_BEGIN_DECLS

typedef struct _WeftBackdrop WeftBackdrop;

WeftBackdrop *weft_backdrop_new (const WeftPicture *src, const gdouble part[4],
    const WeftColourChange *colours, const WeftPicture *out);
void weft_backdrop_free (WeftBackdrop *self);
void weft_backdrop_draw (WeftBackdrop *self, const WeftPicture *src, const WeftPicture *out,
    const WeftFramingLayout *layout);

G_END_DECLS
