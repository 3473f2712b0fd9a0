/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wefthttptarget.h"

G_BEGIN_DECLS

/* Random access to an object on a server: reads of any size at any place become few ranged
 * requests; what was got is kept in a bounded cache, so that no byte is asked for twice. A server
 * without ranges is read once, from the start, into a temporary file.
 *
 * Reads block and may come from any thread, one at a time; questions for the size may come at the
 * same time. weft_range_reader_set_flushing() ends them all at once. */

typedef struct _WeftRangeReader WeftRangeReader;

/**
 * WeftRangeSettings:
 * @http: limits of single requests
 * @block_bytes: unit of the cache; requests begin and end at multiples of it
 * @request_bytes: largest request; a multiple of @block_bytes
 * @window_bytes: how far ahead of a sequential reader bytes are asked for, at most
 * @cache_bytes: how much is kept
 * @spool_bytes: largest file that is got whole from a server without ranges
 * @connections: most requests at once
 */
typedef struct {
  WeftHttpSettings http;
  guint block_bytes;
  guint request_bytes;
  guint window_bytes;
  guint64 cache_bytes;
  guint64 spool_bytes;
  guint connections;
} WeftRangeSettings;

#define WEFT_RANGE_SETTINGS_DEFAULT                                                                \
  {                                                                                                \
    .http = WEFT_HTTP_SETTINGS_DEFAULT, .block_bytes = 64 * 1024,                                  \
    .request_bytes = 2 * 1024 * 1024, .window_bytes = 2 * 1024 * 1024,                             \
    .cache_bytes = 16 * 1024 * 1024, .spool_bytes = G_GUINT64_CONSTANT (4) << 30, .connections = 4 \
  }

/**
 * WeftRangeStats:
 * @http: requests, bytes of their bodies, repeated attempts
 * @reads: calls of weft_range_reader_read()
 * @hits: reads that did not have to wait
 * @spooled: the server has no ranges
 */
typedef struct {
  WeftHttpStats http;
  guint64 reads;
  guint64 hits;
  gboolean spooled;
} WeftRangeStats;

WeftRangeReader *
weft_range_reader_new (const gchar *uri, const WeftRangeSettings *settings, GError **error);
WeftRangeReader *weft_range_reader_ref (WeftRangeReader *reader);
void weft_range_reader_unref (WeftRangeReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRangeReader, weft_range_reader_unref)

void weft_range_reader_set_prepare_func (
    WeftRangeReader *reader, WeftHttpPrepareFunc func, gpointer user_data);
void weft_range_reader_set_flushing (WeftRangeReader *reader, gboolean flushing);
gboolean weft_range_reader_open (WeftRangeReader *reader, GError **error);
gboolean weft_range_reader_peek_size (WeftRangeReader *reader, guint64 *size);
gboolean weft_range_reader_wait_size (WeftRangeReader *reader, guint64 *size, GError **error);
gboolean weft_range_reader_read (
    WeftRangeReader *reader, guint64 offset, guint8 *data, gsize size, gsize *got, GError **error);
void weft_range_reader_get_stats (WeftRangeReader *reader, WeftRangeStats *stats);
const gchar *weft_range_reader_get_display_name (WeftRangeReader *reader);
GHashTable *weft_range_reader_dup_headers (WeftRangeReader *reader, guint *status);

G_END_DECLS
