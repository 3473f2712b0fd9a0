/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Feeds a fuzz target the files of the folders it is given, so that what a fuzzer once found is
 * tested by every build. */

#include "fuzz.h"

static guint
replay_folder (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const gchar *name;
  guint n = 0;

  if (dir == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *data = NULL;
    gsize length;

    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
      continue;
    if (!g_file_get_contents (path, &data, &length, &error))
      g_error ("%s", error->message);
    LLVMFuzzerTestOneInput ((const guint8 *) data, length);
    n++;
  }
  return n;
}

static void
test_folder (gconstpointer folder)
{
  guint n = replay_folder (folder);

  g_test_message ("%u files in %s", n, (const gchar *) folder);
  g_assert_cmpuint (n, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (int i = 1; i < argc; i++) {
    g_autofree gchar *basename = g_path_get_basename (argv[i]);
    g_autofree gchar *path = g_strconcat ("/replay/", basename, NULL);

    g_test_add_data_func (path, argv[i], test_folder);
  }
  return g_test_run ();
}
