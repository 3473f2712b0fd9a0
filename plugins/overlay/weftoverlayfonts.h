/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <pango/pango.h>

#include "weftoverlayvalue.h"

G_BEGIN_DECLS

/* A font of the document: a family name and the file that is to be used under it. */
typedef struct {
  gchar *pointer;
  gchar *family;
  gchar *uri;
} WeftFontFile;

WeftFontFile *weft_font_file_new_from_json (
    JsonNode *node, const gchar *pointer, const gchar *base_folder, GError **error);
void weft_font_file_free (WeftFontFile *file);
gboolean weft_font_file_check (const WeftFontFile *file, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFontFile, weft_font_file_free)

/* The fonts one render thread draws with: those of the system and those of the document. Not
 * shared between threads, since a PangoFontMap must not be. */
typedef struct _WeftOverlayFonts WeftOverlayFonts;

WeftOverlayFonts *
weft_overlay_fonts_new (GPtrArray *files, GCancellable *cancellable, GError **error);
void weft_overlay_fonts_free (WeftOverlayFonts *self);
PangoContext *weft_overlay_fonts_create_context (WeftOverlayFonts *self);
gchar *weft_overlay_fonts_map_families (WeftOverlayFonts *self, const gchar *families);
gboolean weft_overlay_fonts_has_family (WeftOverlayFonts *self, const gchar *families);
gchar *weft_overlay_fonts_get_display_name (WeftOverlayFonts *self, const gchar *family);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftOverlayFonts, weft_overlay_fonts_free)

G_END_DECLS
