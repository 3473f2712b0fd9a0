/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlayitem.h"
#include "weftoverlaystyle.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_DIRECTION_AUTO,
  WEFT_DIRECTION_LTR,
  WEFT_DIRECTION_RTL,
} WeftDirection;

/* What is laid out and how; lengths are in timeline pixels. Borrowed. */
typedef struct {
  const gchar *text;
  /* Of the item, for warnings. */
  const gchar *pointer;
  /* Of WeftSpan. */
  GPtrArray *spans;
  const WeftLetterStyle *style;
  gdouble line_spacing;
  gdouble width;
  WeftAlign align;
  WeftDirection direction;
  /* Whether digits are as wide as one another, so that a number that changes stands still. */
  gboolean tabular;
  /* Spans have no lines and boxes beyond this byte. */
  guint shown_bytes;
  /* (nullable): of the text, if it is no member of the item. */
  const gchar *text_pointer;
} WeftTextLook;

PangoLayout *weft_layout_new (const WeftTextLook *look, WeftDrawing *drawing);
gboolean weft_layout_has_pictures (PangoLayout *layout);
GArray *weft_layout_hide_pictures (PangoLayout *layout, gboolean pictures);
void weft_layout_restore (PangoLayout *layout, GArray *hidden);
void weft_layout_hide_after (PangoLayout *layout, guint n_bytes);

G_END_DECLS
