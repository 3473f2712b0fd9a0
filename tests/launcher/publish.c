/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-publish.h"

typedef struct {
  gchar *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("weft-publish-XXXXXX", NULL);
}

static guint
count_files (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *command = g_strdup_printf ("rm -rf '%s'", fixture->folder);

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_free (fixture->folder);
}

static gchar *
get_uri (Fixture *fixture, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (fixture->folder, name, NULL);

  return g_filename_to_uri (path, NULL, NULL);
}

static WeftPublication *
open_output (Fixture *fixture, const gchar *name, GError **error)
{
  g_autofree gchar *uri = get_uri (fixture, name);

  return weft_publication_new (uri, "/outputs/0", error);
}

static void
write_text (WeftPublication *publication, const gchar *text)
{
  int fd = g_open (weft_publication_get_temporary_path (publication), O_WRONLY, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  close (fd);
}

static void
assert_text (Fixture *fixture, const gchar *name, const gchar *expected)
{
  g_autofree gchar *path = g_build_filename (fixture->folder, name, NULL);
  g_autofree gchar *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_nothing_has_its_name_before_publishing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_publication_free);
  g_autofree gchar *path = g_build_filename (fixture->folder, "a b#é.mp4", NULL);
  struct stat st;
  mode_t mask = umask (022);

  umask (022);
  g_ptr_array_add (all, open_output (fixture, "a b#é.mp4", NULL));
  write_text (g_ptr_array_index (all, 0), "whole");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpuint (weft_publication_get_size (g_ptr_array_index (all, 0)), ==, 5);
  g_assert_true (weft_publish_all (all, NULL));
  assert_text (fixture, "a b#é.mp4", "whole");
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0644);
  umask (mask);
}

static void
test_an_unpublished_output_leaves_no_file_and_no_folder (Fixture *fixture, gconstpointer data)
{
  WeftPublication *publication = open_output (fixture, "new/deep/a.mp4", NULL);

  write_text (publication, "half");
  weft_publication_free (publication);
  g_assert_cmpuint (count_files (fixture->folder), ==, 0);
}

static void
test_an_older_output_survives_a_failed_job (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (fixture->folder, "a.mp4", NULL);
  WeftPublication *publication;

  g_assert_true (g_file_set_contents (path, "old", -1, NULL));
  publication = open_output (fixture, "a.mp4", NULL);
  write_text (publication, "half");
  weft_publication_free (publication);
  assert_text (fixture, "a.mp4", "old");
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
}

static void
test_a_killed_writer_is_cleaned_up_after (Fixture *fixture, gconstpointer data)
{
  pid_t pid = fork ();
  WeftPublication *publication;
  int status;

  if (pid == 0) {
    publication = open_output (fixture, "a.mp4", NULL);
    write_text (publication, "half");
    _exit (publication ? 0 : 1);
  }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
  publication = open_output (fixture, "a.mp4", NULL);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
  weft_publication_free (publication);
  g_assert_cmpuint (count_files (fixture->folder), ==, 0);
}

static void
test_two_writers_do_not_take_each_other_s_file (Fixture *fixture, gconstpointer data)
{
  WeftPublication *first = open_output (fixture, "a.mp4", NULL);
  WeftPublication *second = open_output (fixture, "a.mp4", NULL);

  g_assert_cmpuint (count_files (fixture->folder), ==, 2);
  weft_publication_free (second);
  write_text (first, "still there");
  weft_publication_free (first);
  g_assert_cmpuint (count_files (fixture->folder), ==, 0);
}

static void
test_a_link_is_written_through (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_publication_free);
  g_autofree gchar *target = g_build_filename (fixture->folder, "real.mp4", NULL);
  g_autofree gchar *link = g_build_filename (fixture->folder, "link.mp4", NULL);

  g_assert_true (g_file_set_contents (target, "old", -1, NULL));
  g_assert_cmpint (symlink (target, link), ==, 0);
  g_ptr_array_add (all, open_output (fixture, "link.mp4", NULL));
  write_text (g_ptr_array_index (all, 0), "new");
  g_assert_true (weft_publish_all (all, NULL));
  assert_text (fixture, "real.mp4", "new");
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
}

static void
test_a_folder_in_the_place_is_told (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (fixture->folder, "a.mp4", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  g_assert_null (open_output (fixture, "a.mp4", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUTPUT_DENIED);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "/outputs/0"));
}

static void
test_a_file_in_the_way_of_a_folder_is_told (Fixture *fixture, gconstpointer data)
{
  g_autofree gchar *path = g_build_filename (fixture->folder, "file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "", -1, NULL));
  g_assert_null (open_output (fixture, "file/sub/a.mp4", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUTPUT_DENIED);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
}

static void
test_all_or_none_are_published (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) all =
      g_ptr_array_new_with_free_func ((GDestroyNotify) weft_publication_free);
  g_autofree gchar *second = g_build_filename (fixture->folder, "b.mp4", NULL);
  g_autofree gchar *inside = g_build_filename (second, "x", NULL);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (all, open_output (fixture, "a.mp4", NULL));
  g_ptr_array_add (all, open_output (fixture, "b.mp4", NULL));
  /* Somebody makes a folder of that name while the job runs. */
  g_assert_cmpint (g_mkdir (second, 0755), ==, 0);
  g_assert_true (g_file_set_contents (inside, "", -1, NULL));
  g_assert_false (weft_publish_all (all, &error));
  g_assert_nonnull (error);
  g_clear_pointer (&all, g_ptr_array_unref);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
}

#define add(name, function)                                                                        \
  g_test_add ("/publish/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("nothing-has-its-name-before-publishing", test_nothing_has_its_name_before_publishing);
  add ("an-unpublished-output-leaves-no-file-and-no-folder",
      test_an_unpublished_output_leaves_no_file_and_no_folder);
  add ("an-older-output-survives-a-failed-job", test_an_older_output_survives_a_failed_job);
  add ("a-killed-writer-is-cleaned-up-after", test_a_killed_writer_is_cleaned_up_after);
  add ("two-writers-do-not-take-each-others-file", test_two_writers_do_not_take_each_other_s_file);
  add ("a-link-is-written-through", test_a_link_is_written_through);
  add ("a-folder-in-the-place-is-told", test_a_folder_in_the_place_is_told);
  add ("a-file-in-the-way-of-a-folder-is-told", test_a_file_in_the_way_of_a_folder_is_told);
  add ("all-or-none-are-published", test_all_or_none_are_published);
  return g_test_run ();
}
