/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlayitem.h"

G_BEGIN_DECLS

#define WEFT_TYPE_TEXT_ITEM (weft_text_item_get_type ())
G_DECLARE_DERIVABLE_TYPE (WeftTextItem, weft_text_item, WEFT, TEXT_ITEM, WeftOverlayItem)

/**
 * WeftTextItemClass:
 * @parse_text: reads what the item says
 * @make_text: (nullable): what it says in a state, if that is not always the same
 *
 * A text, or what is drawn as a text is.
 */
struct _WeftTextItemClass {
  WeftOverlayItemClass parent_class;

  gboolean (*parse_text) (WeftTextItem *self, const WeftValue *value, GError **error);
  gchar *(*make_text) (WeftTextItem *self, guint64 content);
};

/* The members that all of these kinds have. */
#define WEFT_TEXT_MEMBERS "font", "background", "max_width", "align", "direction"

G_END_DECLS
