/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcaptiontrack.h"

G_BEGIN_DECLS

/* From byte `offset` of the text on, what is said is said at `time` or later. */
typedef struct {
  guint offset;
  GstClockTime time;
} WeftCaptionStamp;

void weft_caption_markup_parse (
    const gchar *source, WeftCaptionDialect dialect, WeftCaptionCue *cue, GArray *stamps);

G_END_DECLS
