/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftcaptionplace.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_CAPTION_STYLE_PLAIN,
  WEFT_CAPTION_STYLE_KARAOKE,
  WEFT_CAPTION_STYLE_WORD,
  WEFT_CAPTION_STYLE_POP,
} WeftCaptionStyle;

#define WEFT_TYPE_CAPTIONS_ITEM (weft_captions_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftCaptionsItem, weft_captions_item, WEFT, CAPTIONS_ITEM, WeftOverlayItem)

gboolean weft_captions_item_load (
    WeftCaptionsItem *self, GPtrArray *warnings, GCancellable *cancellable, GError **error);
WeftCaptionTrack *weft_captions_item_ref_track (WeftCaptionsItem *self);
WeftCaptionStyle weft_captions_item_get_style (WeftCaptionsItem *self);
guint weft_captions_item_get_group (WeftCaptionsItem *self);
gdouble weft_captions_item_get_size (WeftCaptionsItem *self);

/* Which part of a cue is drawn, and which word of it is marked. */
typedef struct {
  guint first_word;
  /* 0: the whole text. */
  guint n_words;
  /* Index of a word; negative: none. */
  gint marked;
} WeftCaptionStep;

WeftOverlayItem *weft_captions_item_create_text (
    WeftCaptionsItem *self, const WeftCaptionCue *cue, const WeftCaptionStep *step);

G_END_DECLS
