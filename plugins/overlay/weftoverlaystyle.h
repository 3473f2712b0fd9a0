/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pango/pango.h>

#include "weftoverlayvalue.h"

G_BEGIN_DECLS

/* Which members of a WeftLetterStyle the document says. */
typedef enum {
  WEFT_STYLE_FAMILY = 1 << 0,
  WEFT_STYLE_SIZE = 1 << 1,
  WEFT_STYLE_WEIGHT = 1 << 2,
  WEFT_STYLE_SLANT = 1 << 3,
  WEFT_STYLE_COLOR = 1 << 4,
  WEFT_STYLE_LETTER_SPACING = 1 << 5,
} WeftStyleSet;

/* How letters look, of a whole text or of a part of it. Lengths are in timeline pixels. */
typedef struct {
  WeftStyleSet set;
  /* One family, or several with commas between. */
  gchar *family;
  gdouble size;
  PangoWeight weight;
  PangoStyle slant;
  WeftColor color;
  gdouble letter_spacing;
} WeftLetterStyle;

/* A box behind letters. */
typedef struct {
  gboolean present;
  WeftColor color;
  gdouble padding;
  gdouble radius;
} WeftBackground;

/* A part of a text that looks different: bytes [start, end) of it. */
typedef struct {
  gchar *pointer;
  guint start;
  guint end;
  WeftLetterStyle style;
  gboolean underline;
  gboolean strikethrough;
  WeftBackground background;
} WeftSpan;

#define WEFT_LETTER_STYLE_MEMBERS "family", "size", "weight", "style", "color", "letter_spacing"

void weft_letter_style_clear (WeftLetterStyle *self);
gboolean weft_letter_style_parse (WeftLetterStyle *self, const WeftValue *value, GError **error);
gboolean weft_background_parse (WeftBackground *self, const WeftValue *value, GError **error);

void weft_span_free (WeftSpan *self);
gboolean weft_spans_parse (const WeftValue *value, GPtrArray *spans, gchar **text, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSpan, weft_span_free)

G_END_DECLS
