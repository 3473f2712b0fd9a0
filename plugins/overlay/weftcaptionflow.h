/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcaptionmarkup.h"

G_BEGIN_DECLS

void weft_caption_flow_find_words (WeftCaptionCue *cue, const GArray *stamps);
GArray *weft_caption_flow_cut (WeftCaptionCue *cue, guint max_chars, guint max_lines);

G_END_DECLS
