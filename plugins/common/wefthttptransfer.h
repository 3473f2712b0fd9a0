/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wefthttptarget.h"
#include "wefthttpworker.h"

G_BEGIN_DECLS

#define WEFT_HTTP_SIZE_UNKNOWN G_MAXUINT64

/**
 * WeftHttpTransferFuncs:
 * @responded: the first good answer; @is_range is %FALSE where the server sends the whole object,
 *   from its first byte, to a request for a part. @size is that of the whole object
 * @data: bytes, in order and without gaps from the start of the range; return %FALSE with an error
 * to end it
 * @done: the last call; @error is %NULL if all bytes came
 *
 * All are called in the worker's thread.
 */
typedef struct {
  void (*responded) (gpointer user_data, gboolean is_range, guint64 size, SoupMessage *message);
  gboolean (*data) (
      gpointer user_data, guint64 offset, const guint8 *data, gsize size, GError **error);
  void (*done) (gpointer user_data, const GError *error);
} WeftHttpTransferFuncs;

void weft_http_transfer_start (WeftHttpWorker *worker, WeftHttpTarget *target, guint64 start,
    guint64 end, const WeftHttpTransferFuncs *funcs, gpointer user_data);

G_END_DECLS
