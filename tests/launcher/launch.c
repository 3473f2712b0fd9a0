/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#include "weft-launch.h"

/* Everything a title, a path or a JSON document may hold. */
static const gchar *const nasty[] = {
  "plain",
  "two words",
  "a \"quoted\" word",
  "back\\slash at the end\\",
  "\\\"",
  "it's ! name=x ( tricky ) $HOME `id` ; & | < > * ?",
  "{\"text\": \"Bienvenue à Nice 🌴\", \"n\": [1, 2]}",
  "{\"escaped\": \"a \\\"b\\\" \\\\ c\\n\"}",
  "100 %",
  "línea\tuno",
};

static void
test_any_string_reaches_the_property_unchanged (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (nasty); i++) {
    g_autoptr (WeftLaunch) launch = weft_launch_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline = NULL;
    g_autoptr (GstElement) sink = NULL;
    g_autofree gchar *line = NULL;
    g_autofree gchar *location = NULL;

    weft_launch_element (launch, "fakesrc", NULL);
    weft_launch_link (launch);
    weft_launch_element (launch, "filesink", "out");
    weft_launch_set_string (launch, "location", nasty[i]);
    line = weft_launch_to_parse (launch);
    pipeline = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    g_assert_no_error (error);
    sink = gst_bin_get_by_name (GST_BIN (pipeline), "out");
    g_object_get (sink, "location", &location, NULL);
    g_assert_cmpstr (location, ==, nasty[i]);
  }
}

static void
test_the_shell_line_runs_in_gst_launch (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("weft-launch-XXXXXX", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (nasty); i++) {
    g_autoptr (WeftLaunch) launch = weft_launch_new ();
    g_autofree gchar *path = g_build_filename (folder, nasty[i], NULL);
    g_autofree gchar *line = NULL;
    g_autofree gchar *command = NULL;
    gint status;

    /* Slashes would be folders. */
    if (strchr (nasty[i], '/'))
      continue;
    weft_launch_element (launch, "fakesrc", NULL);
    weft_launch_set_uint (launch, "num-buffers", 1);
    weft_launch_link (launch);
    weft_launch_element (launch, "filesink", NULL);
    weft_launch_set_string (launch, "location", path);
    weft_launch_set_boolean (launch, "sync", FALSE);
    line = weft_launch_to_shell (launch);
    command = g_strdup_printf ("gst-launch-1.0 -q %s", line);
    status = system (command);
    g_assert_cmpint (status, ==, 0);
    g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static void
test_numbers_and_booleans_keep_their_type (void)
{
  g_autoptr (WeftLaunch) launch = weft_launch_new ();
  g_autoptr (JsonNode) node =
      json_from_string ("{\"num-buffers\": 12, \"silent\": false, \"name\": \"s\"}", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) element = NULL;
  g_autofree gchar *line = NULL;
  gint num_buffers;
  gboolean silent;

  weft_launch_element (launch, "fakesink", NULL);
  weft_launch_set_object (launch, json_node_get_object (node));
  line = weft_launch_to_parse (launch);
  element = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_assert_no_error (error);
  g_object_get (element, "num-buffers", &num_buffers, "silent", &silent, NULL);
  g_assert_cmpint (num_buffers, ==, 12);
  g_assert_false (silent);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/launch/any-string-reaches-the-property-unchanged",
      test_any_string_reaches_the_property_unchanged);
  g_test_add_func (
      "/launch/the-shell-line-runs-in-gst-launch", test_the_shell_line_runs_in_gst_launch);
  g_test_add_func (
      "/launch/numbers-and-booleans-keep-their-type", test_numbers_and_booleans_keep_their_type);
  return g_test_run ();
}
