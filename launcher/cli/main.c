/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <gst/gst.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* A frame of 1080p is 3 MiB. Left to itself glibc raises its mmap() threshold past that as soon as
 * the first one is freed, and keeps frames of dozens of threads in as many arenas, none of which
 * ever shrinks below its last block. */
#define MALLOC_ARENAS 1
#define MALLOC_MMAP_THRESHOLD_BYTES (256 * 1024)
#define MALLOC_TRIM_THRESHOLD_BYTES (1024 * 1024)

/**
 * tune_allocator:
 *
 * Sets glibc's allocator up for a process with many threads that pass large buffers on. What the
 * user chose in the environment goes before it. Must run before the second thread exists.
 */
static void
tune_allocator (void)
{
#ifdef __GLIBC__
  if (g_getenv ("GLIBC_TUNABLES") || g_getenv ("MALLOC_ARENA_MAX"))
    return;
  mallopt (M_ARENA_MAX, MALLOC_ARENAS);
  mallopt (M_MMAP_THRESHOLD, MALLOC_MMAP_THRESHOLD_BYTES);
  mallopt (M_TRIM_THRESHOLD, MALLOC_TRIM_THRESHOLD_BYTES);
#endif
}

static CliExit
fail_usage (const gchar *message)
{
  g_printerr ("weft: %s\nweft --help tells how to use it.\n", message);
  return CLI_EXIT_USAGE;
}

static CliExit
fail_unknown_command (const gchar *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree gchar *message = NULL;
  const gchar *near;

  for (const CliCommand *command = cli_commands; command->name; command++)
    g_ptr_array_add (names, (gpointer) command->name);
  g_ptr_array_add (names, NULL);
  near = cli_help_suggest (name, (const gchar *const *) names->pdata);
  message = near ? g_strdup_printf ("unknown command “%s”; did you mean %s?", name, near)
                 : g_strdup_printf ("unknown command “%s”", name);
  return fail_usage (message);
}

/* Takes over the text. */
static CliExit
print (gchar *text)
{
  g_autofree gchar *owned = text;

  return cli_write_text (owned) ? CLI_EXIT_DONE : CLI_EXIT_OUTPUT;
}

/* What comes before a command's name. */
static CliExit
run_without_command (const gchar *word, const gchar *argument)
{
  if (g_str_equal (word, "--help") || g_str_equal (word, "-h") || g_str_equal (word, "help")) {
    const CliCommand *command = argument ? cli_command_find (argument) : NULL;

    if (argument && command == NULL)
      return fail_unknown_command (argument);
    return print (command ? cli_help_command (command) : cli_help_overview ());
  }
  if (g_str_equal (word, "--version") || g_str_equal (word, "-V"))
    return print (g_strdup_printf ("weft %s\n", CLI_VERSION));
  /* Not in the table: it is for the build, not for people. */
  if (g_str_equal (word, "--generate") && argument) {
    gchar *text = cli_generate (argument);

    return text ? print (text) : fail_usage ("--generate takes bash, zsh, fish, man or json");
  }
  if (word[0] == '-') {
    g_autofree gchar *message = g_strdup_printf ("unknown option %s", word);

    return fail_usage (message);
  }
  return fail_unknown_command (word);
}

static CliExit
run_command (const CliCommand *command, gint argc, gchar **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CliInvocation) invocation = cli_invocation_parse (command, argc, argv, &error);

  if (invocation == NULL) {
    cli_print_error (error);
    g_printerr ("weft %s --help tells how to use it.\n", command->name);
    return CLI_EXIT_USAGE;
  }
  if (cli_invocation_get_flag (invocation, "help"))
    return print (cli_help_command (command));
  if (cli_invocation_get_flag (invocation, "version"))
    return print (g_strdup_printf ("weft %s\n", CLI_VERSION));
  return command->run (invocation);
}

/* Tracers such as `leaks` report when GStreamer is shut down. Without one that is time for nothing.
 */
static void
stop_gstreamer (void)
{
  if (g_getenv ("GST_TRACERS") && gst_is_initialized ())
    gst_deinit ();
}

int
main (int argc, char **argv)
{
  const CliCommand *command;
  CliExit code;

  tune_allocator ();
  setlocale (LC_ALL, "");
  /* A reader that goes away is an error of write(), not the end of the process. */
  signal (SIGPIPE, SIG_IGN);
  g_set_prgname ("weft");

  if (argc < 2) {
    g_autofree gchar *help = cli_help_overview ();

    g_printerr ("%s", help);
    return CLI_EXIT_USAGE;
  }
  command = cli_command_find (argv[1]);
  if (command == NULL)
    return (int) run_without_command (argv[1], argc > 2 ? argv[2] : NULL);
  code = run_command (command, argc - 2, argv + 2);
  stop_gstreamer ();
  return (int) code;
}
