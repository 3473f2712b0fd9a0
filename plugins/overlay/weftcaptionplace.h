/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcaptiontrack.h"
#include "weftoverlayitem.h"

G_BEGIN_DECLS

/* A cue as it stands in the frame: what is drawn of it, and where the file wants it. */
typedef struct {
  WeftOverlayItem *text;
  WeftCaptionPlace place;
  /* Of the letters, in timeline pixels. */
  gdouble size;
} WeftCaptionStand;

void weft_caption_stand_apply (const WeftCaptionStand *self, const GArray *below);

G_END_DECLS
