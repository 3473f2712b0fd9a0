/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* A thread with its own GMainContext and SoupSession. Everything of libsoup happens there; other
 * threads hand work in with weft_http_worker_invoke(). */

typedef struct _WeftHttpWorker WeftHttpWorker;

/* Something that runs in the worker and must end before the worker can. */
typedef struct {
  void (*cancel) (gpointer job);
  gpointer job;
} WeftHttpJob;

WeftHttpWorker *weft_http_worker_new (guint timeout_s, guint connections);
void weft_http_worker_stop (WeftHttpWorker *worker);
void weft_http_worker_invoke (WeftHttpWorker *worker, GSourceFunc func, gpointer data);

/* In the worker's thread only: */
SoupSession *weft_http_worker_get_session (WeftHttpWorker *worker);
GMainContext *weft_http_worker_get_context (WeftHttpWorker *worker);
gboolean weft_http_worker_is_stopping (WeftHttpWorker *worker);
void weft_http_worker_add_job (WeftHttpWorker *worker, WeftHttpJob *job);
void weft_http_worker_remove_job (WeftHttpWorker *worker, WeftHttpJob *job);

G_END_DECLS
