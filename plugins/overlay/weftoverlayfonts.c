/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fonts from files are added to a FontConfig configuration of our own, so nothing is installed and
 * no other part of the process sees them. There they get a private family name: a font the document
 * brings wins over an installed one of the same name, and it may be called as the document likes.
 */

#include "weftoverlayfonts.h"

#include <fontconfig/fontconfig.h>
#include <glib/gstdio.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>

#include "weftoverlaysource.h"

/* The largest font files, those of all Chinese characters in many weights, have about 20 MiB. */
#define MAX_FONT_BYTES (64u << 20)

struct _WeftOverlayFonts {
  PangoFontMap *map;
  FcConfig *config;
  /* Family of the document, case folded → private family. */
  GHashTable *private_names;
  /* Private family → family of the document. */
  GHashTable *public_names;
  /* Paths of temporary files. */
  GPtrArray *fetched;
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
  g_free (file->uri);
  g_free (file);
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
  g_autoptr (GError) local_error = NULL;
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
  file->uri = weft_overlay_source_resolve (src, base_folder, &local_error);
  if (file->uri == NULL) {
    g_autofree gchar *where = g_strconcat (pointer, "/src", NULL);
    weft_overlay_set_error (
        error, (WeftOverlayError) local_error->code, where, "%s", local_error->message);
    return NULL;
  }
  return g_steal_pointer (&file);
}

static void
take_error (const WeftFontFile *file, GError **error, GError *local_error)
{
  g_autofree gchar *name = weft_overlay_source_get_name (file->uri);

  if (local_error->domain == WEFT_OVERLAY_ERROR)
    weft_overlay_error_locate (local_error, file->pointer, name);
  g_propagate_error (error, local_error);
}

gboolean
weft_font_file_check (const WeftFontFile *file, GError **error)
{
  GError *local_error = NULL;

  if (weft_overlay_source_check (file->uri, &local_error))
    return TRUE;
  take_error (file, error, local_error);
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

/* FontConfig and FreeType read files only, and may do so for as long as the fonts are used.
 * Returns: (transfer full) (nullable): one with what @uri is */
static gchar *
fetch (WeftOverlayFonts *self, const gchar *uri, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = weft_overlay_source_load (uri, MAX_FONT_BYTES, cancellable, error);
  g_autofree gchar *path = NULL;
  gsize size;

  if (bytes == NULL)
    return NULL;
  gint fd = g_file_open_tmp ("weft-font-XXXXXX", &path, error);
  if (fd < 0)
    return NULL;
  g_ptr_array_add (self->fetched, g_strdup (path));
  const gchar *data = g_bytes_get_data (bytes, &size);
  gboolean closed = g_close (fd, error);
  if (!closed || !g_file_set_contents (path, data, (gssize) size, error))
    return NULL;
  return g_steal_pointer (&path);
}

static gchar *
get_path (
    WeftOverlayFonts *self, const WeftFontFile *file, GCancellable *cancellable, GError **error)
{
  if (weft_overlay_source_is_remote (file->uri))
    return fetch (self, file->uri, cancellable, error);
  return weft_overlay_source_check (file->uri, error) ? g_filename_from_uri (file->uri, NULL, error)
                                                      : NULL;
}

static gboolean
add_file (
    WeftOverlayFonts *self, const WeftFontFile *file, GCancellable *cancellable, GError **error)
{
  FcFontSet *set = FcConfigGetFonts (self->config, FcSetApplication);
  gint n_before = set != NULL ? set->nfont : 0;
  GError *local_error = NULL;
  g_autofree gchar *path = get_path (self, file, cancellable, &local_error);

  if (path == NULL) {
    take_error (file, error, local_error);
    return FALSE;
  }
  gboolean added = FcConfigAppFontAddFile (self->config, (const FcChar8 *) path);
  set = FcConfigGetFonts (self->config, FcSetApplication);
  if (!added || set == NULL || set->nfont == n_before) {
    g_autofree gchar *name = weft_overlay_source_get_name (file->uri);
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_DAMAGED, file->pointer,
                                  name, "%s is not a font that can be used", name));
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
 * @cancellable: ends the waiting for those that are on servers
 *
 * Returns: (transfer full) (nullable): to be used on one thread only
 */
WeftOverlayFonts *
weft_overlay_fonts_new (GPtrArray *files, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftOverlayFonts) self = g_new0 (WeftOverlayFonts, 1);

  self->private_names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->public_names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->fetched = g_ptr_array_new_with_free_func (g_free);
  self->map = pango_cairo_font_map_new_for_font_type (CAIRO_FONT_TYPE_FT);
  if (self->map == NULL) {
    g_set_error_literal (error, WEFT_OVERLAY_ERROR, WEFT_OVERLAY_ERROR_UNSUPPORTED,
        "this Pango was built without FontConfig");
    return NULL;
  }
  if (files->len > 0) {
    self->config = FcInitLoadConfigAndFonts ();
    for (guint i = 0; i < files->len; i++) {
      if (!add_file (self, g_ptr_array_index (files, i), cancellable, error))
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
  for (guint i = 0; i < self->fetched->len; i++)
    g_unlink (g_ptr_array_index (self->fetched, i));
  g_ptr_array_unref (self->fetched);
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
