/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlayitem.h"

G_BEGIN_DECLS

/* A longer document is refused. */
#define WEFT_OVERLAY_MAX_DOCUMENT_BYTES (64u << 20)

/* A timeline as parsed. Immutable and shared between threads. */
typedef struct {
  gatomicrefcount ref_count;
  /* In pixels; 0 where the document does not say. */
  gint width;
  gint height;
  /* Where `"end"` is; %GST_CLOCK_TIME_NONE: never. */
  GstClockTime duration;
  GPtrArray *fonts;
  /* The same for two documents that bring the same fonts. */
  gchar *fonts_key;
  GPtrArray *items;
} WeftOverlayDocument;

/* What becomes of one item: it is replaced or added, or removed. */
typedef struct {
  gchar *id;
  /* NULL: removed. */
  WeftOverlayItem *item;
} WeftOverlayEdit;

WeftOverlayEdit *weft_overlay_edit_new (const gchar *id, WeftOverlayItem *item);
void weft_overlay_edit_free (WeftOverlayEdit *self);
WeftOverlayEdit *weft_overlay_edits_find (GPtrArray *edits, const gchar *id, guint *index);

WeftOverlayItem *
weft_overlay_item_new_for_edit (const gchar *json, const gchar *base_folder, GError **error);
WeftOverlayDocument *weft_overlay_document_new_from_json (
    const gchar *json, gssize length, const gchar *base_folder, GError **error);
WeftOverlayDocument *weft_overlay_document_ref (WeftOverlayDocument *self);
void weft_overlay_document_unref (WeftOverlayDocument *self);
WeftOverlayDocument *weft_overlay_document_new_edited (WeftOverlayDocument *base, GPtrArray *edits);
WeftOverlayItem *weft_overlay_document_find (WeftOverlayDocument *self, const gchar *id);
gboolean weft_overlay_document_check (WeftOverlayDocument *self, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftOverlayDocument, weft_overlay_document_unref)

G_END_DECLS
