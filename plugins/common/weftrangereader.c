/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftrangereader.h"

#include <string.h>

#include "wefthttptransfer.h"
#include "wefthttpworker.h"
#include "weftspool.h"

/* Places that are read from in turn: a demuxer reads audio and video of a file that is not
 * interleaved side by side. */
#define N_CURSORS 4

/* A read that begins this little before or beyond where the last one ended goes on with it. */
#define CURSOR_SLACK_BYTES (64 * 1024)

typedef struct {
  guint64 index;
  guint8 *data;
  guint size;   /* what it will hold; less than a block at the end of the object */
  guint filled; /* bytes from its start that have come */
  gboolean in_flight;
  GList link; /* in `lru`, while not in flight */
} Block;

/* A reader that goes forward. */
typedef struct {
  gboolean used;
  guint64 position;
  guint64 window;   /* bytes to have ahead of it */
  guint64 consumed; /* since the window last grew */
  guint64 last_use;
} Cursor;

typedef enum {
  MODE_CLOSED,
  MODE_OPENING,
  MODE_RANGES,
  MODE_SPOOL,
} Mode;

struct _WeftRangeReader {
  gatomicrefcount references;
  WeftRangeSettings settings;
  WeftHttpWorker *worker;
  WeftHttpTarget *target;

  /* Guards all that follows. Nothing is called with it held but the starting of transfers, which
   * only hands work to the worker. */
  GMutex lock;
  GCond changed;
  Mode mode;
  gboolean flushing;
  guint flushes; /* how often it began to flush: a wait ends when one began after it, over or not */
  GError *error; /* for good: nothing can be read any more */
  guint64 size;  /* WEFT_HTTP_SIZE_UNKNOWN until known */
  GHashTable *headers;
  guint status;

  GHashTable *blocks; /* index → Block */
  GQueue lru;         /* complete blocks, the least recently used first */
  guint64 held_bytes;
  guint transfers;
  Cursor cursors[N_CURSORS];
  guint64 clock;

  WeftSpool *spool;
  guint64 spooled_bytes;
  gboolean spool_complete;

  guint64 reads;
  guint64 hits;
};

/* One request: consecutive blocks. The worker's thread owns it. */
typedef struct {
  WeftRangeReader *reader;
  guint64 first_block;
  guint64 n_blocks;
} Fetch;

/* ---- blocks ---- */

static void
block_free (gpointer data)
{
  Block *block = data;

  g_free (block->data);
  g_free (block);
}

static Block *
find_block_unlocked (WeftRangeReader *self, guint64 index)
{
  return g_hash_table_lookup (self->blocks, &index);
}

static guint64
n_blocks_unlocked (WeftRangeReader *self)
{
  if (self->size == WEFT_HTTP_SIZE_UNKNOWN)
    return 1;
  return (self->size + self->settings.block_bytes - 1) / self->settings.block_bytes;
}

static void
drop_block_unlocked (WeftRangeReader *self, Block *block)
{
  if (!block->in_flight)
    g_queue_unlink (&self->lru, &block->link);
  self->held_bytes -= self->settings.block_bytes;
  g_hash_table_remove (self->blocks, &block->index);
}

/* Whether somebody is about to read it. */
static gboolean
is_ahead_unlocked (WeftRangeReader *self, const Block *block)
{
  guint64 start = block->index * self->settings.block_bytes;

  for (guint i = 0; i < N_CURSORS; i++) {
    const Cursor *cursor = &self->cursors[i];
    if (cursor->used && start + block->size > cursor->position
        && start < cursor->position + cursor->window)
      return TRUE;
  }
  return FALSE;
}

static void
make_room_unlocked (WeftRangeReader *self)
{
  GList *link = self->lru.head;

  while (self->held_bytes > self->settings.cache_bytes && link != NULL) {
    Block *block = link->data;

    link = link->next;
    if (!is_ahead_unlocked (self, block))
      drop_block_unlocked (self, block);
  }
}

/* ---- requests ---- */

static void
fetch_responded (gpointer user_data, gboolean is_range, guint64 size, SoupMessage *message)
{
  Fetch *fetch = user_data;
  WeftRangeReader *self = fetch->reader;
  SoupMessageHeadersIter iter;
  const gchar *name, *value;
  Block *block;

  g_mutex_lock (&self->lock);
  if (self->mode == MODE_OPENING) {
    self->headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    soup_message_headers_iter_init (&iter, soup_message_get_response_headers (message));
    while (soup_message_headers_iter_next (&iter, &name, &value))
      g_hash_table_insert (self->headers, g_ascii_strdown (name, -1), g_strdup (value));
    self->status = soup_message_get_status (message);
    self->size = size;
    block = find_block_unlocked (self, 0);
    /* A part of an object without a known size cannot be placed; the whole of it can. */
    if (is_range && size != WEFT_HTTP_SIZE_UNKNOWN) {
      self->mode = MODE_RANGES;
      block->size = (guint) MIN (size, self->settings.block_bytes);
    } else {
      self->mode = MODE_SPOOL;
      drop_block_unlocked (self, block);
    }
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
spool_data_unlocked (
    WeftRangeReader *self, guint64 offset, const guint8 *data, gsize size, GError **error)
{
  gboolean ok;

  if (self->spool == NULL) {
    if (self->size != WEFT_HTTP_SIZE_UNKNOWN && self->size > self->settings.spool_bytes) {
      g_propagate_error (
          error, weft_http_error_new (WEFT_HTTP_ERROR_TOO_LARGE, 0,
                     "the server sends only the whole file, and its %" G_GUINT64_FORMAT
                     " bytes are more than the %" G_GUINT64_FORMAT " allowed",
                     self->size, self->settings.spool_bytes));
      return FALSE;
    }
    self->spool = weft_spool_new (self->settings.spool_bytes, error);
    if (self->spool == NULL)
      return FALSE;
  }
  /* Only this thread writes, and readers keep below spooled_bytes. */
  g_mutex_unlock (&self->lock);
  ok = weft_spool_write (self->spool, offset, data, size, error);
  g_mutex_lock (&self->lock);
  if (ok) {
    self->spooled_bytes = offset + size;
    g_cond_broadcast (&self->changed);
  }
  return ok;
}

static void
block_data_unlocked (WeftRangeReader *self, guint64 offset, const guint8 *data, gsize size)
{
  while (size > 0) {
    Block *block = find_block_unlocked (self, offset / self->settings.block_bytes);
    guint within = (guint) (offset % self->settings.block_bytes);
    gsize part = MIN (size, self->settings.block_bytes - within);

    /* Blocks in flight are never dropped, and bytes come in order. */
    g_assert (block != NULL && block->in_flight && block->filled == within
              && within + part <= block->size);
    memcpy (block->data + within, data, part);
    block->filled += (guint) part;
    if (block->filled == block->size) {
      block->in_flight = FALSE;
      g_queue_push_tail_link (&self->lru, &block->link);
      g_cond_broadcast (&self->changed);
    }
    data += part;
    offset += part;
    size -= part;
  }
}

static gboolean
fetch_data (gpointer user_data, guint64 offset, const guint8 *data, gsize size, GError **error)
{
  Fetch *fetch = user_data;
  WeftRangeReader *self = fetch->reader;
  gboolean ok = TRUE;

  g_mutex_lock (&self->lock);
  if (self->mode == MODE_SPOOL)
    ok = spool_data_unlocked (self, offset, data, size, error);
  else
    block_data_unlocked (self, offset, data, size);
  g_mutex_unlock (&self->lock);
  return ok;
}

static void
fetch_done (gpointer user_data, const GError *error)
{
  Fetch *fetch = user_data;
  WeftRangeReader *self = fetch->reader;

  g_mutex_lock (&self->lock);
  self->transfers--;
  if (error != NULL) {
    /* A source that fails in one place after all retries has failed. */
    if (self->error == NULL)
      self->error = g_error_copy (error);
    for (guint64 i = 0; i < fetch->n_blocks; i++) {
      Block *block = find_block_unlocked (self, fetch->first_block + i);
      if (block != NULL && block->in_flight)
        drop_block_unlocked (self, block);
    }
  } else if (self->mode == MODE_SPOOL) {
    self->spool_complete = TRUE;
    self->size = self->spooled_bytes;
  } else if (self->size == 0) {
    Block *block = find_block_unlocked (self, 0);
    if (block != NULL)
      drop_block_unlocked (self, block);
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_free (fetch);
}

static const WeftHttpTransferFuncs fetch_funcs = { fetch_responded, fetch_data, fetch_done };

static void
start_fetch_unlocked (WeftRangeReader *self, guint64 first_block, guint64 n_blocks)
{
  Fetch *fetch = g_new0 (Fetch, 1);
  guint64 block_bytes = self->settings.block_bytes;
  guint64 start = first_block * block_bytes;
  guint64 end = start + n_blocks * block_bytes;

  if (self->size != WEFT_HTTP_SIZE_UNKNOWN)
    end = MIN (end, self->size);
  fetch->reader = self;
  fetch->first_block = first_block;
  fetch->n_blocks = n_blocks;
  for (guint64 i = 0; i < n_blocks; i++) {
    Block *block = g_new0 (Block, 1);

    block->index = first_block + i;
    block->data = g_malloc (self->settings.block_bytes);
    block->size = (guint) MIN (block_bytes, end - block->index * block_bytes);
    block->in_flight = TRUE;
    block->link.data = block;
    g_hash_table_insert (self->blocks, &block->index, block);
    self->held_bytes += block_bytes;
  }
  self->transfers++;
  make_room_unlocked (self);
  weft_http_transfer_start (self->worker, self->target, start, end, &fetch_funcs, fetch);
}

/* Asks for what is missing from @first on, up to but not including @end. */
static void
fetch_missing_unlocked (WeftRangeReader *self, guint64 first, guint64 end)
{
  guint64 most = self->settings.request_bytes / self->settings.block_bytes;

  end = MIN (end, n_blocks_unlocked (self));
  while (first < end && self->transfers < self->settings.connections) {
    guint64 run = 0;

    while (first + run < end && run < most && find_block_unlocked (self, first + run) == NULL)
      run++;
    if (run > 0)
      start_fetch_unlocked (self, first, run);
    first += MAX (run, 1);
  }
}

/* ---- readers that go forward ---- */

static Cursor *
take_cursor_unlocked (WeftRangeReader *self, guint64 offset)
{
  Cursor *oldest = &self->cursors[0];

  self->clock++;
  for (guint i = 0; i < N_CURSORS; i++) {
    Cursor *cursor = &self->cursors[i];

    if (cursor->used && offset + CURSOR_SLACK_BYTES >= cursor->position
        && offset <= cursor->position + MAX (cursor->window, CURSOR_SLACK_BYTES)) {
      cursor->last_use = self->clock;
      return cursor;
    }
    if (!oldest->used)
      continue;
    if (!cursor->used || cursor->last_use < oldest->last_use)
      oldest = cursor;
  }
  *oldest = (Cursor){ TRUE, offset, 0, 0, self->clock };
  return oldest;
}

/* The window opens with the first read that goes on where one ended, and doubles each time it
 * was used up: a look at a header costs one block, a whole file few requests. */
static void
advance_cursor_unlocked (WeftRangeReader *self, Cursor *cursor, guint64 position)
{
  guint64 most = MIN (self->settings.window_bytes, self->settings.cache_bytes / (2 * N_CURSORS));

  if (position <= cursor->position)
    return;
  cursor->consumed += position - cursor->position;
  cursor->position = position;
  if (cursor->consumed >= MAX (cursor->window, self->settings.block_bytes)) {
    cursor->window = MIN (MAX (cursor->window * 2, self->settings.block_bytes), most);
    cursor->consumed = 0;
  }
}

static void
read_ahead_unlocked (WeftRangeReader *self, const Cursor *cursor)
{
  guint64 block_bytes = self->settings.block_bytes;
  guint64 first = cursor->position / block_bytes;
  guint64 end = (cursor->position + cursor->window + block_bytes - 1) / block_bytes;

  if (cursor->window == 0)
    return;
  while (first < end && find_block_unlocked (self, first) != NULL)
    first++;
  /* Few large requests rather than many small ones. */
  if (first * block_bytes < cursor->position + cursor->window / 2 + block_bytes)
    fetch_missing_unlocked (self, first, end);
}

/* ---- the reader ---- */

WeftRangeReader *
weft_range_reader_new (const gchar *uri, const WeftRangeSettings *settings, GError **error)
{
  g_autoptr (WeftHttpTarget) target = weft_http_target_new (uri, &settings->http, error);
  WeftRangeReader *self;

  if (target == NULL)
    return NULL;
  self = g_new0 (WeftRangeReader, 1);
  g_atomic_ref_count_init (&self->references);
  self->settings = *settings;
  self->target = g_steal_pointer (&target);
  self->size = WEFT_HTTP_SIZE_UNKNOWN;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->blocks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, block_free);
  g_queue_init (&self->lru);
  return self;
}

WeftRangeReader *
weft_range_reader_ref (WeftRangeReader *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/* The last one ends all requests and waits for that. */
void
weft_range_reader_unref (WeftRangeReader *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  if (self->worker != NULL)
    weft_http_worker_stop (self->worker);
  g_hash_table_unref (self->blocks);
  g_clear_pointer (&self->spool, weft_spool_free);
  g_clear_pointer (&self->headers, g_hash_table_unref);
  g_clear_error (&self->error);
  weft_http_target_free (self->target);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Before it is opened. */
void
weft_range_reader_set_prepare_func (
    WeftRangeReader *self, WeftHttpPrepareFunc func, gpointer user_data)
{
  weft_http_target_set_prepare_func (self->target, func, user_data);
}

/* With @flushing all that wait return with %WEFT_HTTP_ERROR_CANCELLED, even if it is taken back
 * before they have woken up, and until then nobody begins to wait. Requests go on. */
void
weft_range_reader_set_flushing (WeftRangeReader *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  if (flushing)
    self->flushes++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* FALSE with an error where waiting makes no sense.
 * @flushes: what `flushes` was when the caller came */
static gboolean
check_unlocked (WeftRangeReader *self, guint flushes, GError **error)
{
  if (self->flushing || self->flushes != flushes) {
    g_propagate_error (error, weft_http_error_new (WEFT_HTTP_ERROR_CANCELLED, 0, "flushing"));
    return FALSE;
  }
  if (self->error != NULL) {
    g_propagate_error (error, g_error_copy (self->error));
    return FALSE;
  }
  return TRUE;
}

static gboolean
open_unlocked (WeftRangeReader *self, guint flushes, GError **error)
{
  if (!check_unlocked (self, flushes, error))
    return FALSE;
  if (self->mode == MODE_CLOSED) {
    self->worker = weft_http_worker_new (self->settings.http.timeout_s, self->settings.connections);
    self->mode = MODE_OPENING;
    start_fetch_unlocked (self, 0, 1);
  }
  while (self->mode == MODE_OPENING) {
    g_cond_wait (&self->changed, &self->lock);
    if (!check_unlocked (self, flushes, error))
      return FALSE;
  }
  return TRUE;
}

/**
 * weft_range_reader_open:
 * @self: a reader
 * @error: return location
 *
 * Makes the first request, unless it was made, and waits for its answer.
 */
gboolean
weft_range_reader_open (WeftRangeReader *self, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = open_unlocked (self, self->flushes, error);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* The size, if it is known; never waits. */
gboolean
weft_range_reader_peek_size (WeftRangeReader *self, guint64 *size)
{
  g_mutex_lock (&self->lock);
  *size = self->size;
  g_mutex_unlock (&self->lock);
  return *size != WEFT_HTTP_SIZE_UNKNOWN;
}

/**
 * weft_range_reader_wait_size:
 * @self: a reader
 * @size: (out): the size in bytes
 * @error: return location
 *
 * Waits until the size is known: for the first answer, or where the server does not say it, for
 * the last byte.
 */
gboolean
weft_range_reader_wait_size (WeftRangeReader *self, guint64 *size, GError **error)
{
  gboolean ok = TRUE;
  guint flushes;

  g_mutex_lock (&self->lock);
  flushes = self->flushes;
  if (self->size == WEFT_HTTP_SIZE_UNKNOWN)
    ok = open_unlocked (self, flushes, error);
  while (ok && self->size == WEFT_HTTP_SIZE_UNKNOWN) {
    g_cond_wait (&self->changed, &self->lock);
    ok = check_unlocked (self, flushes, error);
  }
  *size = self->size;
  g_mutex_unlock (&self->lock);
  return ok;
}

static gboolean
read_spool_unlocked (WeftRangeReader *self, guint64 offset, guint8 *data, gsize size, gsize *got,
    guint flushes, GError **error)
{
  gboolean ok = TRUE, waited = FALSE;

  while (!self->spool_complete && self->spooled_bytes < offset + size) {
    waited = TRUE;
    g_cond_wait (&self->changed, &self->lock);
    if (!check_unlocked (self, flushes, error))
      return FALSE;
  }
  self->hits += waited ? 0 : 1;
  if (offset >= self->spooled_bytes)
    return TRUE;
  size = (gsize) MIN (size, self->spooled_bytes - offset);
  g_mutex_unlock (&self->lock);
  ok = weft_spool_read (self->spool, offset, data, size, error);
  g_mutex_lock (&self->lock);
  if (ok)
    *got = size;
  return ok;
}

static gboolean
read_blocks_unlocked (WeftRangeReader *self, guint64 offset, guint8 *data, gsize size, gsize *got,
    guint flushes, GError **error)
{
  guint64 block_bytes = self->settings.block_bytes;
  guint64 position = offset, end;
  gboolean waited = FALSE;
  Cursor *cursor;

  if (offset >= self->size)
    return TRUE;
  end = offset + MIN (size, self->size - offset);
  cursor = take_cursor_unlocked (self, offset);
  while (position < end) {
    Block *block = find_block_unlocked (self, position / block_bytes);

    if (block != NULL && !block->in_flight) {
      guint within = (guint) (position % block_bytes);
      gsize part = (gsize) MIN (block->size - within, end - position);

      memcpy (data, block->data + within, part);
      data += part;
      position += part;
      g_queue_unlink (&self->lru, &block->link);
      g_queue_push_tail_link (&self->lru, &block->link);
      advance_cursor_unlocked (self, cursor, position);
      read_ahead_unlocked (self, cursor);
      continue;
    }
    if (block == NULL)
      fetch_missing_unlocked (self, position / block_bytes,
          (MAX (end, position + cursor->window) + block_bytes - 1) / block_bytes);
    waited = TRUE;
    g_cond_wait (&self->changed, &self->lock);
    if (!check_unlocked (self, flushes, error))
      return FALSE;
  }
  self->hits += waited ? 0 : 1;
  *got = (gsize) (end - offset);
  return TRUE;
}

/**
 * weft_range_reader_read:
 * @self: a reader
 * @offset: first byte
 * @data: (out): room for @size bytes
 * @size: how many
 * @got: (out): how many there were; fewer than @size only at the end of the object
 * @error: return location
 *
 * Opens the reader if need be, and waits for the bytes.
 */
gboolean
weft_range_reader_read (
    WeftRangeReader *self, guint64 offset, guint8 *data, gsize size, gsize *got, GError **error)
{
  guint flushes;
  gboolean ok;

  *got = 0;
  if (size > G_MAXINT64 || offset > G_MAXINT64 - size)
    return TRUE;
  g_mutex_lock (&self->lock);
  self->reads++;
  flushes = self->flushes;
  ok = open_unlocked (self, flushes, error);
  if (ok && self->mode == MODE_SPOOL)
    ok = read_spool_unlocked (self, offset, data, size, got, flushes, error);
  else if (ok)
    ok = read_blocks_unlocked (self, offset, data, size, got, flushes, error);
  g_mutex_unlock (&self->lock);
  return ok;
}

void
weft_range_reader_get_stats (WeftRangeReader *self, WeftRangeStats *stats)
{
  weft_http_target_get_stats (self->target, &stats->http);
  g_mutex_lock (&self->lock);
  stats->reads = self->reads;
  stats->hits = self->hits;
  stats->spooled = self->mode == MODE_SPOOL;
  g_mutex_unlock (&self->lock);
}

const gchar *
weft_range_reader_get_display_name (WeftRangeReader *self)
{
  return weft_http_target_get_display_name (self->target);
}

/* Header names in lower case and values of the first answer; NULL before it. */
GHashTable *
weft_range_reader_dup_headers (WeftRangeReader *self, guint *status)
{
  GHashTable *headers = NULL;

  g_mutex_lock (&self->lock);
  if (self->headers != NULL)
    headers = g_hash_table_ref (self->headers);
  *status = self->status;
  g_mutex_unlock (&self->lock);
  return headers;
}
