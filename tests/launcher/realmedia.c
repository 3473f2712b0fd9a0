/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "realmedia.h"

#include <gio/gio.h>
#include <string.h>

static gchar *
find_folder (void)
{
  const gchar *root = g_getenv ("WEFT_SOURCE_ROOT");
  g_autofree gchar *script =
      g_build_filename (root != NULL ? root : ".", "tests/support/fetch-media", NULL);
  const gchar *argv[] = { script, NULL };
  gchar *out = NULL;
  gint status = 0;

  if (!g_spawn_sync (
          NULL, (gchar **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, NULL, &status, NULL)
      || !g_spawn_check_wait_status (status, NULL)) {
    g_free (out);
    return NULL;
  }
  return g_strstrip (out);
}

static const gchar *
get_folder (void)
{
  static gchar *folder = NULL;
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    folder = find_folder ();
    g_once_init_leave (&once, 1);
  }
  return folder;
}

/* Skips the running test when there is no real media, which is a failure where everything is
 * required. */
gboolean
realmedia_is_here (void)
{
  g_autofree gchar *ffmpeg = g_find_program_in_path ("ffmpeg");

  if (get_folder () != NULL && ffmpeg != NULL)
    return TRUE;
  if (g_strcmp0 (g_getenv ("WEFT_TESTS_REQUIRE"), "all") == 0)
    g_test_fail_printf ("real media or ffmpeg cannot be had");
  else
    g_test_skip ("real media or ffmpeg cannot be had");
  return FALSE;
}

gchar *
realmedia_path (const gchar *name)
{
  return g_build_filename (get_folder (), name, NULL);
}

gchar *
realmedia_uri (const gchar *name)
{
  g_autofree gchar *path = realmedia_path (name);

  return g_filename_to_uri (path, NULL, NULL);
}

gchar *
realmedia_scratch (void)
{
  return g_dir_make_tmp ("weft-media-XXXXXX", NULL);
}

/* @folder: (transfer full) */
void
realmedia_remove (gchar *folder)
{
  g_autofree gchar *quoted = g_shell_quote (folder);
  g_autofree gchar *command = g_strdup_printf ("rm -rf %s", quoted);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (folder);
}

/* Runs a shell command that must succeed.
 * Returns: (transfer full): what it printed, without blanks around it */
gchar *
realmedia_run (const gchar *format, ...)
{
  g_autofree gchar *command = NULL;
  g_autofree gchar *err = NULL;
  gchar *out = NULL;
  const gchar *argv[] = { "/bin/sh", "-c", NULL, NULL };
  gint status = 0;
  va_list args;

  va_start (args, format);
  command = g_strdup_vprintf (format, args);
  va_end (args);
  argv[2] = command;
  g_assert_true (g_spawn_sync (
      NULL, (gchar **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s\n%s", command, err);
  return g_strstrip (out);
}
