/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Presets: partial jobs that are merged under a job. Beside the members of a job a preset has
 * `description` and, if it is made for a platform, `limits` with the date they were checked. */

#include "weft-preset.h"

#include <gio/gio.h>
#include <string.h>

#include "weft-data.h"
#include "weft-json.h"

#define SUFFIX ".json"

/*
 * weft_preset_is_name:
 * @name: some text
 *
 * Returns: whether @name can be a preset's name; it has no separators, so it cannot lead out of the
 * folder of presets
 */
gboolean
weft_preset_is_name (const gchar *name)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return length > 0 && length <= 64 && name[length] == '\0' && name[0] != '-';
}

/* All names with the path of the file that counts. */
static GHashTable *
find_presets (void)
{
  GHashTable *paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) folders = weft_data_get_folders (TRUE);

  for (guint i = 0; folders[i] != NULL; i++) {
    g_autofree gchar *folder = g_build_filename (folders[i], "presets", NULL);
    g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
    const gchar *file;

    while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
      g_autofree gchar *name = NULL;

      if (!g_str_has_suffix (file, SUFFIX))
        continue;
      name = g_strndup (file, strlen (file) - strlen (SUFFIX));
      if (weft_preset_is_name (name) && !g_hash_table_contains (paths, name))
        g_hash_table_insert (paths, g_steal_pointer (&name), g_build_filename (folder, file, NULL));
    }
  }
  return paths;
}

static JsonNode *
read_preset (const gchar *path, GError **error)
{
  g_autofree gchar *data = NULL;
  g_autoptr (JsonNode) root = NULL;
  gsize length;

  if (!g_file_get_contents (path, &data, &length, error))
    return NULL;
  root = weft_json_parse (data, length, path, error);
  if (root != NULL && !JSON_NODE_HOLDS_OBJECT (root)) {
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, NULL, NULL,
                                       "%s: a preset is an object", path));
    return NULL;
  }
  return g_steal_pointer (&root);
}

/*
 * weft_preset_load:
 * @name: the name of a preset
 *
 * Returns: (transfer full): the preset, an object; or %NULL with %WEFT_ERROR_INVALID_JOB
 */
JsonNode *
weft_preset_load (const gchar *name, GError **error)
{
  g_autoptr (GHashTable) paths = find_presets ();
  const gchar *path = g_hash_table_lookup (paths, name);
  g_autoptr (GError) local_error = NULL;
  JsonNode *root;

  if (path == NULL) {
    guint n;
    g_autofree gpointer *names = g_hash_table_get_keys_as_array (paths, &n);
    g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (paths), (GCompareFunc) strcmp);
    g_autofree gchar *suggestion = weft_schema_suggest (name, (const gchar *const *) names, n);
    g_autofree gchar *quoted = weft_json_quote (name);
    g_autoptr (GString) hint = g_string_new (NULL);

    if (suggestion != NULL) {
      g_string_printf (hint, "did you mean \"%s\"?", suggestion);
    } else {
      for (GList *l = sorted; l != NULL; l = l->next)
        g_string_append_printf (
            hint, "%s%s", l == sorted ? "there are: " : ", ", (gchar *) l->data);
    }
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, NULL, hint->str,
                                       "there is no preset %s", quoted));
    return NULL;
  }
  root = read_preset (path, &local_error);
  if (root == NULL)
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, NULL, "repair or remove the file",
                   "the preset cannot be read: %s", local_error->message));
  return root;
}

/*
 * weft_preset_list:
 *
 * Returns: (transfer full): an array of objects with `name`, `description`, `path` and, for
 * platforms, `limits`, sorted by name
 */
JsonNode *
weft_preset_list (void)
{
  g_autoptr (GHashTable) paths = find_presets ();
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (paths), (GCompareFunc) strcmp);
  g_autoptr (JsonObject) list = json_object_new ();

  for (GList *l = names; l != NULL; l = l->next) {
    const gchar *path = g_hash_table_lookup (paths, l->data);
    g_autoptr (JsonNode) root = read_preset (path, NULL);
    JsonObject *entry = json_object_new ();
    const gchar *description =
        root != NULL ? weft_json_get_member_text (json_node_get_object (root), "description")
                     : NULL;
    JsonNode *limits =
        root != NULL ? json_object_get_member (json_node_get_object (root), "limits") : NULL;

    json_object_set_string_member (entry, "description",
        root == NULL          ? "cannot be read"
        : description != NULL ? description
                              : "");
    json_object_set_string_member (entry, "path", path);
    if (limits != NULL)
      json_object_set_member (entry, "limits", weft_json_copy (limits));
    json_object_set_object_member (list, l->data, entry);
  }
  return json_node_init_object (json_node_alloc (), list);
}

/* Members that say one thing together: where the job has one of them, none comes from a preset. A
 * bit rate takes the place of a quality, and a width of the job with a height of the preset would
 * be a shape that nobody asked for. */
static const gchar *const units[][2] = { { "quality", "bitrate" }, { "width", "height" } };

static gboolean
is_blocked (const gchar *name, const gboolean *blocked)
{
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    if (blocked[i] && (strcmp (name, units[i][0]) == 0 || strcmp (name, units[i][1]) == 0))
      return TRUE;
  }
  return FALSE;
}

/*
 * weft_preset_merge_under:
 * @job: an object; it is changed
 * @base: an object that gives @job what it has not
 *
 * Objects are merged member by member, everything else is taken whole or not at all.
 */
void
weft_preset_merge_under (JsonObject *job, JsonObject *base)
{
  gboolean blocked[G_N_ELEMENTS (units)];
  JsonObjectIter iter;
  const gchar *name;
  JsonNode *member;

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    blocked[i] =
        json_object_has_member (job, units[i][0]) || json_object_has_member (job, units[i][1]);

  json_object_iter_init_ordered (&iter, base);
  while (json_object_iter_next_ordered (&iter, &name, &member)) {
    JsonNode *own = json_object_get_member (job, name);

    if (is_blocked (name, blocked))
      continue;
    if (own == NULL)
      json_object_set_member (job, name, weft_json_copy (member));
    else if (JSON_NODE_HOLDS_OBJECT (own) && JSON_NODE_HOLDS_OBJECT (member))
      weft_preset_merge_under (json_node_get_object (own), json_node_get_object (member));
  }
}
