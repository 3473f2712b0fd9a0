/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds the files that come with Weft: the job schema and the presets. */

#include "weft-data.h"

#include <string.h>

#include "weft-json.h"

#define SCHEMA_NAME "job.schema.json"

/*
 * weft_data_get_folders:
 * @shared_first: whether the user's folders come before those of the installation
 *
 * $WEFT_DATA_DIR always comes first. Presets are the user's to add and replace; the schema belongs
 * to the library that was installed with it, and another version's must not get in between.
 *
 * Returns: (transfer full): the folders in which to look, in this order
 */
gchar **
weft_data_get_folders (gboolean shared_first)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new ();
  const gchar *given = g_getenv ("WEFT_DATA_DIR");
  const gchar *const *system_folders = g_get_system_data_dirs ();

  if (given != NULL && *given != '\0')
    g_ptr_array_add (folders, g_strdup (given));
  if (!shared_first)
    g_ptr_array_add (folders, g_strdup (WEFT_DATA_DIR));
  g_ptr_array_add (folders, g_build_filename (g_get_user_data_dir (), "weft", NULL));
  for (guint i = 0; system_folders[i] != NULL; i++)
    g_ptr_array_add (folders, g_build_filename (system_folders[i], "weft", NULL));
  if (shared_first)
    g_ptr_array_add (folders, g_strdup (WEFT_DATA_DIR));
  g_ptr_array_add (folders, NULL);
  return (gchar **) g_ptr_array_free (g_steal_pointer (&folders), FALSE);
}

static GBytes *
load_schema (gchar **path, GError **error)
{
  g_auto (GStrv) folders = weft_data_get_folders (FALSE);
  g_autofree gchar *looked_in = g_strjoinv (", ", folders);

  for (guint i = 0; folders[i] != NULL; i++) {
    g_autofree gchar *name = g_build_filename (folders[i], SCHEMA_NAME, NULL);
    gchar *data;
    gsize length;

    if (g_file_get_contents (name, &data, &length, NULL)) {
      *path = g_steal_pointer (&name);
      return g_bytes_new_take (data, length);
    }
  }
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_INTERNAL, NULL, NULL,
                 "set WEFT_DATA_DIR to the folder that holds it, or install Weft again",
                 SCHEMA_NAME " is in none of %s", looked_in));
  return NULL;
}

/*
 * weft_data_load_schema:
 *
 * Returns: (transfer full): the job schema as it stands in its file
 */
GBytes *
weft_data_load_schema (GError **error)
{
  g_autofree gchar *path = NULL;

  return load_schema (&path, error);
}

/*
 * weft_data_get_schema:
 *
 * Returns: (transfer full): the job schema. It is read anew only when its file's text has changed.
 */
WeftSchema *
weft_data_get_schema (GError **error)
{
  /* Guards `cached` and `cached_bytes`; nothing else is locked under it. */
  static GMutex mutex;
  static WeftSchema *cached;
  static GBytes *cached_bytes;
  g_autofree gchar *path = NULL;
  g_autoptr (GBytes) bytes = load_schema (&path, error);
  g_autoptr (GMutexLocker) locker = NULL;

  if (bytes == NULL)
    return NULL;
  locker = g_mutex_locker_new (&mutex);
  if (cached == NULL || !g_bytes_equal (bytes, cached_bytes)) {
    WeftSchema *schema = weft_schema_new_from_bytes (bytes, path, error);

    if (schema == NULL)
      return NULL;
    g_clear_pointer (&cached, weft_schema_unref);
    g_clear_pointer (&cached_bytes, g_bytes_unref);
    cached = schema;
    cached_bytes = g_bytes_ref (bytes);
  }
  return weft_schema_ref (cached);
}
