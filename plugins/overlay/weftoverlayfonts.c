/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fonts from files are added to a FontConfig configuration of our own, so nothing is installed and
 * no other part of the process sees them. There they get a private family name: a font the document
 * brings wins over an installed one of the same name, and it may be called as the document likes.
 */

#include "weftoverlayfonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>

#include "weftoverlaysource.h"

struct _WeftOverlayFonts {
  PangoFontMap *map;
  FcConfig *config;
  /* Family of the document, case folded → private family. */
  GHashTable *private_names;
  /* Private family → family of the document. */
  GHashTable *public_names;
};

/* Names that FontConfig resolves to whatever the user likes best; never missing. */
static const gchar *const generic_families[] = { "sans", "sans-serif", "sans serif", "serif",
  "mono", "monospace", "system-ui", "ui-sans-serif", "ui-serif", "ui-monospace", "cursive",
  "fantasy", "emoji", "math", NULL };

void
weft_font_file_free (WeftFontFile *file)
{
  g_free (file->pointer);
  g_free (file->family);
  g_free (file->path);
  g_free (file);
}

static gchar *
get_path (const WeftFontFile *file, const gchar *src, const gchar *base_folder, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree gchar *uri = weft_overlay_source_resolve (src, base_folder, &local_error);
  g_autofree gchar *path = uri != NULL ? g_filename_from_uri (uri, NULL, NULL) : NULL;

  if (path != NULL)
    return g_steal_pointer (&path);
  g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_UNSUPPORTED, file->pointer,
                                src, "this build reads fonts from files only, not from “%s”", src));
  return NULL;
}

/**
 * weft_font_file_new_from_json:
 * @node: one element of `fonts`
 * @pointer: its JSON Pointer
 */
WeftFontFile *
weft_font_file_new_from_json (
    JsonNode *node, const gchar *pointer, const gchar *base_folder, GError **error)
{
  static const gchar *const members[] = { "family", "src", NULL };
  g_autoptr (WeftFontFile) file = g_new0 (WeftFontFile, 1);
  const gchar *family = NULL, *src = NULL;
  WeftValue value;

  file->pointer = g_strdup (pointer);
  if (!weft_value_init (&value, node, pointer, error)
      || !weft_value_check_members (&value, members, error)
      || !weft_value_get_string (&value, "family", &family, error)
      || !weft_value_get_string (&value, "src", &src, error))
    return NULL;
  if (family == NULL || src == NULL) {
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, pointer, "a font needs a “family” and a “src”");
    return NULL;
  }
  file->family = g_strstrip (g_strdup (family));
  if (file->family[0] == '\0' || strchr (file->family, ',') != NULL) {
    g_autofree gchar *where = g_strconcat (pointer, "/family", NULL);
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, where, "a family must have a name, and no comma in it");
    return NULL;
  }
  file->path = get_path (file, src, base_folder, error);
  return file->path != NULL ? g_steal_pointer (&file) : NULL;
}

gboolean
weft_font_file_check (const WeftFontFile *file, GError **error)
{
  g_autofree gchar *uri = g_filename_to_uri (file->path, NULL, NULL);
  GError *local_error = NULL;

  if (weft_overlay_source_check (uri, &local_error))
    return TRUE;
  if (local_error->domain == WEFT_OVERLAY_ERROR)
    weft_overlay_error_locate (local_error, file->pointer, uri);
  g_propagate_error (error, local_error);
  return FALSE;
}

static gchar *
fold_family (const gchar *family)
{
  g_autofree gchar *stripped = g_strstrip (g_strdup (family));

  return g_utf8_casefold (stripped, -1);
}

static const gchar *
add_private_name (WeftOverlayFonts *self, const gchar *family)
{
  g_autofree gchar *folded = fold_family (family);
  const gchar *name = g_hash_table_lookup (self->private_names, folded);

  if (name != NULL)
    return name;
  gchar *new_name =
      g_strdup_printf ("weft document font %u", g_hash_table_size (self->private_names));
  g_hash_table_insert (self->private_names, g_steal_pointer (&folded), new_name);
  g_hash_table_insert (self->public_names, new_name, g_strdup (family));
  return new_name;
}

static gboolean
add_file (WeftOverlayFonts *self, const WeftFontFile *file, GError **error)
{
  FcFontSet *set = FcConfigGetFonts (self->config, FcSetApplication);
  gint n_before = set != NULL ? set->nfont : 0;

  if (!weft_font_file_check (file, error))
    return FALSE;
  gboolean added = FcConfigAppFontAddFile (self->config, (const FcChar8 *) file->path);
  set = FcConfigGetFonts (self->config, FcSetApplication);
  if (!added || set == NULL || set->nfont == n_before) {
    g_autofree gchar *uri = g_filename_to_uri (file->path, NULL, NULL);
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_DAMAGED, file->pointer,
                                  uri, "%s is not a font that can be used", file->path));
    return FALSE;
  }
  const gchar *name = add_private_name (self, file->family);
  for (gint i = n_before; i < set->nfont; i++) {
    while (FcPatternRemove (set->fonts[i], FC_FAMILY, 0))
      ;
    FcPatternAddString (set->fonts[i], FC_FAMILY, (const FcChar8 *) name);
  }
  return TRUE;
}

/**
 * weft_overlay_fonts_new:
 * @files: (element-type WeftFontFile): the fonts of the document
 *
 * Returns: (transfer full) (nullable): to be used on one thread only
 */
WeftOverlayFonts *
weft_overlay_fonts_new (GPtrArray *files, GError **error)
{
  g_autoptr (WeftOverlayFonts) self = g_new0 (WeftOverlayFonts, 1);

  self->private_names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->public_names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->map = pango_cairo_font_map_new_for_font_type (CAIRO_FONT_TYPE_FT);
  if (self->map == NULL) {
    g_set_error_literal (error, WEFT_OVERLAY_ERROR, WEFT_OVERLAY_ERROR_UNSUPPORTED,
        "this Pango was built without FontConfig");
    return NULL;
  }
  if (files->len > 0) {
    self->config = FcInitLoadConfigAndFonts ();
    for (guint i = 0; i < files->len; i++) {
      if (!add_file (self, g_ptr_array_index (files, i), error))
        return NULL;
    }
    pango_fc_font_map_set_config (PANGO_FC_FONT_MAP (self->map), self->config);
  }
  return g_steal_pointer (&self);
}

void
weft_overlay_fonts_free (WeftOverlayFonts *self)
{
  g_clear_object (&self->map);
  g_clear_pointer (&self->config, FcConfigDestroy);
  g_clear_pointer (&self->public_names, g_hash_table_unref);
  g_clear_pointer (&self->private_names, g_hash_table_unref);
  g_free (self);
}

PangoContext *
weft_overlay_fonts_create_context (WeftOverlayFonts *self)
{
  return pango_font_map_create_context (self->map);
}

/**
 * weft_overlay_fonts_map_families:
 * @families: what an item asks for: one family, or several with commas between
 *
 * Returns: (transfer full): the same for Pango, the document's own fonts by their private names
 */
gchar *
weft_overlay_fonts_map_families (WeftOverlayFonts *self, const gchar *families)
{
  g_auto (GStrv) names = g_strsplit (families, ",", -1);

  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree gchar *folded = fold_family (names[i]);
    const gchar *private_name = g_hash_table_lookup (self->private_names, folded);
    if (private_name != NULL) {
      g_free (names[i]);
      names[i] = g_strdup (private_name);
    }
  }
  return g_strjoinv (",", names);
}

static gboolean
has_installed_family (WeftOverlayFonts *self, const gchar *family)
{
  FcPattern *pattern = FcPatternCreate ();
  FcObjectSet *objects = FcObjectSetBuild (FC_FAMILY, NULL);

  FcPatternAddString (pattern, FC_FAMILY, (const FcChar8 *) family);
  FcFontSet *found = FcFontList (self->config, pattern, objects);
  gboolean has = found != NULL && found->nfont > 0;
  if (found != NULL)
    FcFontSetDestroy (found);
  FcObjectSetDestroy (objects);
  FcPatternDestroy (pattern);
  return has;
}

/* Whether at least one of @families is there. */
gboolean
weft_overlay_fonts_has_family (WeftOverlayFonts *self, const gchar *families)
{
  g_auto (GStrv) names = g_strsplit (families, ",", -1);

  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree gchar *folded = fold_family (names[i]);
    if (g_strv_contains (generic_families, folded)
        || g_hash_table_contains (self->private_names, folded)
        || has_installed_family (self, g_strstrip (names[i])))
      return TRUE;
  }
  return FALSE;
}

/* The name to show for a family that Pango reports. */
gchar *
weft_overlay_fonts_get_display_name (WeftOverlayFonts *self, const gchar *family)
{
  const gchar *name = g_hash_table_lookup (self->public_names, family);

  return g_strdup (name != NULL ? name : family);
}
