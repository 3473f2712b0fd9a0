/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <string.h>

#define PRESET_SUFFIX ".json"

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

static GPtrArray *
list_presets (const gchar *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const gchar *name;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, PRESET_SUFFIX))
      g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (PRESET_SUFFIX)));
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

CliExit
cli_command_presets (CliInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *folder = cli_data_find ("presets");
  g_autoptr (GPtrArray) names = list_presets (folder, &error);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  for (guint i = 0; names && error == NULL && i < names->len; i++) {
    const gchar *name = g_ptr_array_index (names, i);
    g_autofree gchar *file = g_strconcat (name, PRESET_SUFFIX, NULL);
    g_autofree gchar *path = g_build_filename (folder, file, NULL);
    g_autoptr (JsonParser) parser = json_parser_new ();

    if (!json_parser_load_from_file (parser, path, &error))
      break;
    json_builder_set_member_name (builder, name);
    json_builder_add_value (builder, json_parser_steal_root (parser));
  }
  if (error) {
    cli_print_error (error);
    return CLI_EXIT_FAILED;
  }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return cli_print_json (root, TRUE);
}
