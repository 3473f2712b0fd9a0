/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftoverlaydocument.h"

#include <math.h>
#include <string.h>

#include "weftoverlayjson.h"

#define MAX_ITEMS 100000
#define MAX_FONTS 1000

/* Positions in messages are as in a job document, where the items stand in /timeline. */
#define ITEMS_POINTER "/timeline/overlays"
#define FONTS_POINTER "/fonts"

static JsonNode *
parse_json (const gchar *json, gsize length, GError **error)
{
  GError *local_error = NULL;

  if (length > WEFT_OVERLAY_MAX_DOCUMENT_BYTES) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, "",
        "the timeline has more than %u MiB", WEFT_OVERLAY_MAX_DOCUMENT_BYTES >> 20);
    return NULL;
  }
  JsonNode *root = weft_overlay_json_parse (json, length, "the timeline", G_MAXUINT, &local_error);
  if (root == NULL) {
    weft_overlay_error_locate (local_error, "", NULL);
    g_propagate_error (error, local_error);
  }
  return root;
}

/* The array member @name, or NULL where it is absent. */
static gboolean
get_array (const WeftValue *value, const gchar *name, const gchar *pointer, guint max,
    JsonArray **array, GError **error)
{
  JsonNode *node = json_object_get_member (value->object, name);

  *array = NULL;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer, "expected an array");
    return FALSE;
  }
  *array = json_node_get_array (node);
  if (json_array_get_length (*array) > max) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer,
        "%u elements are more than the %u that are allowed", json_array_get_length (*array), max);
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_fonts (
    WeftOverlayDocument *self, const WeftValue *value, const gchar *base_folder, GError **error)
{
  g_autoptr (GString) key = g_string_new (NULL);
  JsonArray *array;

  if (!get_array (value, "fonts", FONTS_POINTER, MAX_FONTS, &array, error))
    return FALSE;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    g_autofree gchar *pointer = g_strdup_printf (FONTS_POINTER "/%u", i);
    WeftFontFile *file = weft_font_file_new_from_json (
        json_array_get_element (array, i), pointer, base_folder, error);
    if (file == NULL)
      return FALSE;
    g_ptr_array_add (self->fonts, file);
    g_string_append_printf (key, "%s\n%s\n", file->family, file->uri);
  }
  self->fonts_key = g_string_free (g_steal_pointer (&key), FALSE);
  return TRUE;
}

static gboolean
parse_items (
    WeftOverlayDocument *self, const WeftValue *value, const gchar *base_folder, GError **error)
{
  JsonArray *array;

  if (!get_array (value, "overlays", ITEMS_POINTER, MAX_ITEMS, &array, error))
    return FALSE;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    g_autofree gchar *pointer = g_strdup_printf (ITEMS_POINTER "/%u", i);
    WeftOverlayItem *item = weft_overlay_item_new_from_json (
        json_array_get_element (array, i), pointer, base_folder, error);
    if (item == NULL)
      return FALSE;
    g_ptr_array_add (self->items, item);
  }
  return TRUE;
}

static gboolean
parse_root (WeftOverlayDocument *self, JsonNode *root, const gchar *base_folder, GError **error)
{
  static const gchar *const members[] = { "width", "height", "duration", "fonts", "overlays",
    NULL };
  gdouble width = 0.0, height = 0.0;
  WeftValue value;

  if (!weft_value_init (&value, root, "", error)
      || !weft_value_check_members (&value, members, error)
      || !weft_value_get_number (&value, "width", 1, WEFT_MAX_PIXELS, &width, error)
      || !weft_value_get_number (&value, "height", 1, WEFT_MAX_PIXELS, &height, error)
      || !weft_value_get_time (&value, "duration", &self->duration, error)
      || !parse_fonts (self, &value, base_folder, error)
      || !parse_items (self, &value, base_folder, error))
    return FALSE;
  self->width = (gint) lrint (width);
  self->height = (gint) lrint (height);
  return TRUE;
}

/**
 * weft_overlay_document_new_from_json:
 * @json: the timeline, see docs/elements/overlaytimeline.md
 * @length: its bytes; -1 if it ends with a nul
 * @base_folder: an absolute path that relative ones in @json start from
 *
 * Returns: (transfer full) (nullable): the document, which touched no file yet
 */
WeftOverlayDocument *
weft_overlay_document_new_from_json (
    const gchar *json, gssize length, const gchar *base_folder, GError **error)
{
  g_autoptr (WeftOverlayDocument) self = g_new0 (WeftOverlayDocument, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->duration = GST_CLOCK_TIME_NONE;
  self->fonts = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_font_file_free);
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (JsonNode) root = parse_json (json, length < 0 ? strlen (json) : (gsize) length, error);
  if (root == NULL || !parse_root (self, root, base_folder, error))
    return NULL;
  return g_steal_pointer (&self);
}

WeftOverlayDocument *
weft_overlay_document_ref (WeftOverlayDocument *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
weft_overlay_document_unref (WeftOverlayDocument *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_ptr_array_unref (self->items);
  g_ptr_array_unref (self->fonts);
  g_free (self->fonts_key);
  g_free (self);
}

/**
 * weft_overlay_edit_new:
 * @item: (transfer full) (nullable): what the item called @id becomes; %NULL to remove it
 */
WeftOverlayEdit *
weft_overlay_edit_new (const gchar *id, WeftOverlayItem *item)
{
  WeftOverlayEdit *self = g_new0 (WeftOverlayEdit, 1);

  self->id = g_strdup (id);
  self->item = item;
  return self;
}

void
weft_overlay_edit_free (WeftOverlayEdit *self)
{
  g_clear_object (&self->item);
  g_free (self->id);
  g_free (self);
}

/**
 * weft_overlay_edits_find:
 * @edits: (element-type WeftOverlayEdit)
 * @index: (out) (optional): where it stands
 *
 * Returns: (transfer none) (nullable): the edit of @id
 */
WeftOverlayEdit *
weft_overlay_edits_find (GPtrArray *edits, const gchar *id, guint *index)
{
  for (guint i = 0; i < edits->len; i++) {
    WeftOverlayEdit *edit = g_ptr_array_index (edits, i);
    if (!g_str_equal (edit->id, id))
      continue;
    if (index != NULL)
      *index = i;
    return edit;
  }
  return NULL;
}

/**
 * weft_overlay_item_new_for_edit:
 * @json: one element of `overlays`, which has an `id`
 *
 * Returns: (transfer full) (nullable): the item; its pointer is `/added/` and its id
 */
WeftOverlayItem *
weft_overlay_item_new_for_edit (const gchar *json, const gchar *base_folder, GError **error)
{
  g_autoptr (JsonNode) root = parse_json (json, strlen (json), error);
  const gchar *id = NULL;
  WeftValue value;

  if (root == NULL || !weft_value_init (&value, root, "", error)
      || !weft_value_get_string (&value, "id", &id, error))
    return NULL;
  if (id == NULL || id[0] == '\0') {
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, "/id", "an item that is added needs an “id”");
    return NULL;
  }
  g_autoptr (GString) pointer = g_string_new (id);
  /* RFC 6901 */
  g_string_replace (pointer, "~", "~0", 0);
  g_string_replace (pointer, "/", "~1", 0);
  g_string_prepend (pointer, "/added/");
  return weft_overlay_item_new_from_json (root, pointer->str, base_folder, error);
}

/**
 * weft_overlay_document_new_edited:
 * @edits: (element-type WeftOverlayEdit): at most one for each id
 *
 * Returns: (transfer full): @base, in which items are replaced where they are, removed, or added on
 *   top in the order of @edits
 */
WeftOverlayDocument *
weft_overlay_document_new_edited (WeftOverlayDocument *base, GPtrArray *edits)
{
  WeftOverlayDocument *self = g_new0 (WeftOverlayDocument, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->width = base->width;
  self->height = base->height;
  self->duration = base->duration;
  self->fonts = g_ptr_array_ref (base->fonts);
  self->fonts_key = g_strdup (base->fonts_key);
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < base->items->len; i++) {
    WeftOverlayItem *item = g_ptr_array_index (base->items, i);
    const gchar *id = weft_overlay_item_get_id (item);
    const WeftOverlayEdit *edit = id != NULL ? weft_overlay_edits_find (edits, id, NULL) : NULL;
    if (edit == NULL)
      g_ptr_array_add (self->items, g_object_ref (item));
    else if (edit->item != NULL)
      g_ptr_array_add (self->items, g_object_ref (edit->item));
  }
  for (guint i = 0; i < edits->len; i++) {
    const WeftOverlayEdit *edit = g_ptr_array_index (edits, i);
    if (edit->item != NULL && weft_overlay_document_find (base, edit->id) == NULL)
      g_ptr_array_add (self->items, g_object_ref (edit->item));
  }
  return self;
}

/* Returns: (transfer none) (nullable): the item called @id */
WeftOverlayItem *
weft_overlay_document_find (WeftOverlayDocument *self, const gchar *id)
{
  for (guint i = 0; i < self->items->len; i++) {
    WeftOverlayItem *item = g_ptr_array_index (self->items, i);
    if (g_strcmp0 (weft_overlay_item_get_id (item), id) == 0)
      return item;
  }
  return NULL;
}

/**
 * weft_overlay_document_check:
 *
 * Whether every file the document names is there and what it should be, so that one that is not is
 * told of before the first frame and not in the middle of a render.
 */
gboolean
weft_overlay_document_check (WeftOverlayDocument *self, GError **error)
{
  /* What was found good, so that a picture that many items show is read once. */
  g_autoptr (GHashTable) good = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < self->fonts->len; i++) {
    if (!weft_font_file_check (g_ptr_array_index (self->fonts, i), error))
      return FALSE;
  }
  for (guint i = 0; i < self->items->len; i++) {
    if (!weft_overlay_item_check (g_ptr_array_index (self->items, i), good, error))
      return FALSE;
  }
  return TRUE;
}
