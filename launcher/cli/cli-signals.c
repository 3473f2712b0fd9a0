/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ctrl-C and its relatives.
 *
 * A thread of its own waits for them with sigwait(), so that a main context that is busy (a
 * registry scan, an element that takes its time) is no reason to ignore the user. All other threads
 * block these signals: they inherit the mask, which is why this must be the first thing the process
 * does. */

#include "cli-signals.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "weft-publish.h"

static void
fill_set (sigset_t *set)
{
  sigemptyset (set);
  sigaddset (set, SIGINT);
  sigaddset (set, SIGTERM);
  sigaddset (set, SIGHUP);
}

static gpointer
wait_for_signals (gpointer data)
{
  GCancellable *cancellable = data;
  sigset_t set;
  gint number;

  fill_set (&set);
  while (sigwait (&set, &number) != 0)
    ;
  g_cancellable_cancel (cancellable);

  /* The second one: whoever sent it does not want to wait for anything to be torn down. */
  while (sigwait (&set, &number) != 0)
    ;
  weft_publication_remove_all ();
  _exit (CLI_EXIT_CANCELLED);
  return NULL;
}

/**
 * cli_signals_new_cancellable:
 *
 * The second signal removes the temporary files there are and ends the process at once. To be
 * called before any thread is started. A signal that was ignored when the process started (nohup)
 * stays ignored.
 *
 * Returns: (transfer full): cancelled by the first SIGINT, SIGTERM or SIGHUP
 */
GCancellable *
cli_signals_new_cancellable (void)
{
  GCancellable *cancellable = g_cancellable_new ();
  sigset_t set;

  fill_set (&set);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  g_thread_unref (g_thread_new ("signals", wait_for_signals, g_object_ref (cancellable)));
  return cancellable;
}
