/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "wefthttpworker.h"

#define USER_AGENT "weft"

/* Only the worker's thread touches what is not set once before it starts. */
struct _WeftHttpWorker {
  GThread *thread;
  GMainContext *context;
  GMainLoop *loop;
  guint timeout_s;
  guint connections;
  SoupSession *session;
  GPtrArray *jobs; /* WeftHttpJob, unowned */
  gboolean stopping;
};

static gpointer
worker_main (gpointer data)
{
  WeftHttpWorker *worker = data;

  g_main_context_push_thread_default (worker->context);
  worker->session =
      soup_session_new_with_options ("timeout", worker->timeout_s, "max-conns", worker->connections,
          "max-conns-per-host", worker->connections, "user-agent", USER_AGENT, NULL);
  /* Bytes are counted and placed as the server has them: nothing may unpack them on the way. */
  soup_session_remove_feature_by_type (worker->session, SOUP_TYPE_CONTENT_DECODER);

  g_main_loop_run (worker->loop);

  soup_session_abort (worker->session);
  g_clear_object (&worker->session);
  /* What libsoup and GIO still have to say about closed connections. */
  while (g_main_context_iteration (worker->context, FALSE))
    ;
  g_main_context_pop_thread_default (worker->context);
  return NULL;
}

/**
 * weft_http_worker_new:
 * @timeout_s: seconds without a byte after which a connection is given up
 * @connections: most connections at once
 *
 * Returns: a running worker, to be ended by weft_http_worker_stop()
 */
WeftHttpWorker *
weft_http_worker_new (guint timeout_s, guint connections)
{
  WeftHttpWorker *worker = g_new0 (WeftHttpWorker, 1);

  worker->timeout_s = timeout_s;
  worker->connections = connections;
  worker->context = g_main_context_new ();
  worker->loop = g_main_loop_new (worker->context, FALSE);
  worker->jobs = g_ptr_array_new ();
  worker->thread = g_thread_new ("weft-http", worker_main, worker);
  return worker;
}

static void
quit_if_drained (WeftHttpWorker *worker)
{
  if (worker->stopping && worker->jobs->len == 0)
    g_main_loop_quit (worker->loop);
}

static gboolean
stop_cb (gpointer data)
{
  WeftHttpWorker *worker = data;
  g_autoptr (GPtrArray) jobs = g_ptr_array_copy (worker->jobs, NULL, NULL);

  worker->stopping = TRUE;
  for (guint i = 0; i < jobs->len; i++) {
    WeftHttpJob *job = g_ptr_array_index (jobs, i);
    /* Cancelling one may have ended another. */
    if (g_ptr_array_find (worker->jobs, job, NULL))
      job->cancel (job->job);
  }
  quit_if_drained (worker);
  return G_SOURCE_REMOVE;
}

/**
 * weft_http_worker_stop:
 * @worker: (transfer full): a worker
 *
 * Cancels all jobs, waits until they have ended and frees the worker. Not to be called from the
 * worker's thread.
 */
void
weft_http_worker_stop (WeftHttpWorker *worker)
{
  weft_http_worker_invoke (worker, stop_cb, worker);
  g_thread_join (worker->thread);
  g_ptr_array_unref (worker->jobs);
  g_main_loop_unref (worker->loop);
  g_main_context_unref (worker->context);
  g_free (worker);
}

/* Runs @func in the worker's thread, after what was handed in before. */
void
weft_http_worker_invoke (WeftHttpWorker *worker, GSourceFunc func, gpointer data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, worker->context);
}

SoupSession *
weft_http_worker_get_session (WeftHttpWorker *worker)
{
  return worker->session;
}

GMainContext *
weft_http_worker_get_context (WeftHttpWorker *worker)
{
  return worker->context;
}

gboolean
weft_http_worker_is_stopping (WeftHttpWorker *worker)
{
  return worker->stopping;
}

void
weft_http_worker_add_job (WeftHttpWorker *worker, WeftHttpJob *job)
{
  g_ptr_array_add (worker->jobs, job);
}

void
weft_http_worker_remove_job (WeftHttpWorker *worker, WeftHttpJob *job)
{
  g_ptr_array_remove_fast (worker->jobs, job);
  quit_if_drained (worker);
}
