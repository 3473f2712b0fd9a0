/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-probe-private.h"

#include <string.h>

/* How often a waiting caller looks at its cancellable: well under the 200 ms it is promised. */
#define POLL_US (50 * 1000)
/* A server that sends less than this, over twice the stall timeout, would hold a plan for hours and
 * counts as silent. The time begins with the first byte, since a server may think for long before
 * it, and is doubled for those that think before each answer. */
#define SLOW_BYTES_PER_S 1024
#define SLOW_TIMEOUTS 2

/* How many threads look at sources, those included that nobody waits for any more. */
static GMutex looking_lock;
static GCond looking_changed;
static guint n_looking; /* guarded by looking_lock */

static void
count_looking (gint change)
{
  g_mutex_lock (&looking_lock);
  n_looking += (guint) change;
  g_cond_broadcast (&looking_changed);
  g_mutex_unlock (&looking_lock);
}

/* Waits until every probe that was given up is gone, so that a test leaves nothing behind. */
void
weft_probe_wait_for_stopped (void)
{
  g_mutex_lock (&looking_lock);
  while (n_looking > 0)
    g_cond_wait (&looking_changed, &looking_lock);
  g_mutex_unlock (&looking_lock);
}

/* The thread that looks */

static WeftProbeWatch *
watch_new (void)
{
  WeftProbeWatch *self = g_atomic_rc_box_new0 (WeftProbeWatch);

  self->stop = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

static void
watch_clear (gpointer data)
{
  WeftProbeWatch *self = data;

  g_object_unref (self->stop);
  g_clear_pointer (&self->node, json_node_unref);
  g_clear_error (&self->error);
  gst_clear_object (&self->source);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

static void
watch_unref (WeftProbeWatch *self)
{
  g_atomic_rc_box_release_full (self, watch_clear);
}

/* Any thread. */
void
weft_probe_watch_count (WeftProbeWatch *self, guint64 bytes)
{
  g_mutex_lock (&self->lock);
  self->bytes += bytes;
  g_mutex_unlock (&self->lock);
}

/* @source: (nullable): what is read from now on */
void
weft_probe_watch_set_source (WeftProbeWatch *self, GstElement *source)
{
  GstElement *old;

  g_mutex_lock (&self->lock);
  old = self->source;
  self->source = source != NULL ? gst_object_ref (source) : NULL;
  g_mutex_unlock (&self->lock);
  gst_clear_object (&old);
}

typedef struct {
  WeftProbeWatch *watch;
  gchar *uri;
  WeftProbeFlags flags;
} Look;

static gpointer
look_thread (gpointer data)
{
  Look *look = data;
  WeftProbeWatch *watch = look->watch;
  GError *error = NULL;
  JsonNode *node = weft_probe_look (watch, look->uri, look->flags, &error);

  g_mutex_lock (&watch->lock);
  watch->node = node;
  watch->error = error;
  watch->ended = TRUE;
  g_cond_broadcast (&watch->changed);
  g_mutex_unlock (&watch->lock);
  watch_unref (watch);
  g_free (look->uri);
  g_free (look);
  count_looking (-1);
  return NULL;
}

static void
start_looking (WeftProbeWatch *watch, const gchar *uri, WeftProbeFlags flags)
{
  Look *look = g_new0 (Look, 1);

  look->watch = g_atomic_rc_box_acquire (watch);
  look->uri = g_strdup (uri);
  look->flags = flags;
  count_looking (1);
  g_thread_unref (g_thread_new ("weft-probe", look_thread, look));
}

/* The thread that waits */

/* What a source has given so far. */
typedef struct {
  guint64 seen;         /* bytes at the last look */
  gint64 moved_us;      /* when there last were more */
  gint64 window_us;     /* since when the slow are counted; 0 before the first byte */
  guint64 window_bytes; /* bytes since then */
  gdouble stall_timeout_s;
  gboolean is_local;
} Progress;

/* Bytes handed on come in large pieces; a source that counts what it receives shows single ones. */
static guint64
count_bytes (WeftProbeWatch *watch)
{
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstStructure) stats = NULL;
  guint64 bytes, received = 0;

  g_mutex_lock (&watch->lock);
  bytes = watch->bytes;
  if (watch->source != NULL)
    source = gst_object_ref (watch->source);
  g_mutex_unlock (&watch->lock);
  if (source != NULL && g_object_class_find_property (G_OBJECT_GET_CLASS (source), "stats") != NULL)
    g_object_get (source, "stats", &stats, NULL);
  if (stats != NULL)
    gst_structure_get_uint64 (stats, "bytes", &received);
  return bytes + received;
}

static gboolean
fail_stalled (GError **error, const gchar *uri, const Progress *progress, const gchar *message)
{
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_STALLED, NULL, uri,
                 progress->is_local ? "check the disk it is on" : "check that the server answers",
                 "%s", message));
  return FALSE;
}

/* Returns: FALSE if the source is not worth waiting for any longer */
static gboolean
check_progress (Progress *self, WeftProbeWatch *watch, const gchar *uri, GError **error)
{
  guint64 bytes = count_bytes (watch);
  gint64 now_us = g_get_monotonic_time ();
  gint64 timeout_us = (gint64) (self->stall_timeout_s * G_USEC_PER_SEC);
  gint64 window_us = timeout_us * SLOW_TIMEOUTS;
  g_autofree gchar *message = NULL;

  if (timeout_us <= 0)
    return TRUE;
  if (bytes != self->seen) {
    /* The counter of another element starts again. */
    self->window_bytes += bytes > self->seen ? bytes - self->seen : bytes;
    self->seen = bytes;
    self->moved_us = now_us;
    if (self->window_us == 0)
      self->window_us = now_us;
  }
  if (now_us - self->moved_us > timeout_us) {
    message = g_strdup_printf ("the source gave no data for %g s", self->stall_timeout_s);
    return fail_stalled (error, uri, self, message);
  }
  if (self->is_local || self->window_us == 0 || now_us - self->window_us < window_us)
    return TRUE;
  if (self->window_bytes < (guint64) (SLOW_BYTES_PER_S * SLOW_TIMEOUTS * self->stall_timeout_s)) {
    message = g_strdup_printf ("the server sends too slowly: %" G_GUINT64_FORMAT " bytes in %g s",
        self->window_bytes, self->stall_timeout_s * SLOW_TIMEOUTS);
    return fail_stalled (error, uri, self, message);
  }
  self->window_us = now_us;
  self->window_bytes = 0;
  return TRUE;
}

/* Waits a little. Returns: whether the other thread has ended */
static gboolean
watch_wait (WeftProbeWatch *self)
{
  gint64 until_us = g_get_monotonic_time () + POLL_US;
  gboolean ended;

  g_mutex_lock (&self->lock);
  while (!self->ended && g_cond_wait_until (&self->changed, &self->lock, until_us))
    ;
  ended = self->ended;
  g_mutex_unlock (&self->lock);
  return ended;
}

static gboolean
fail_cancelled (GError **error, const gchar *uri)
{
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_CANCELLED, NULL, uri, NULL, "probing was cancelled"));
  return FALSE;
}

static gboolean
wait_for_end (WeftProbeWatch *watch, const gchar *uri, gdouble stall_timeout_s,
    GCancellable *cancellable, GError **error)
{
  Progress progress = { .moved_us = g_get_monotonic_time (),
    .stall_timeout_s = stall_timeout_s,
    .is_local = g_ascii_strncasecmp (uri, "file:", strlen ("file:")) == 0 };

  while (!watch_wait (watch)) {
    if (g_cancellable_is_cancelled (cancellable))
      return fail_cancelled (error, uri);
    if (!check_progress (&progress, watch, uri, error))
      return FALSE;
  }
  return TRUE;
}

/**
 * weft_probe_uri_full:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @stall_timeout_s: seconds without a byte after which the source counts as stalled; 0 waits for
 *   ever
 * @cancellable: (nullable): cancels the probe within 200 ms
 * @error: return location for a #GError in the %WEFT_ERROR domain
 *
 * Finds out what a source is by reading it, without decoding it: its container, the first video
 * and the first audio stream, its duration, and the time stamp of the first frame it presents.
 *
 * The answer is a `sources` member of the plan document. Times are integers in nanoseconds of
 * stream time: what edit lists (ISO/IEC 14496-12, 8.6.6) cut off is not counted.
 *
 * It needs no main loop and may be called from any thread. A source that gives no byte for
 * @stall_timeout_s, or from a server less than 1 KiB a second for twice as long, ends as
 * %WEFT_ERROR_STALLED. Whatever the source does, the caller does not wait for it longer; a thread
 * of the library may, until the source lets go of it.
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri_full (const gchar *uri, WeftProbeFlags flags, gdouble stall_timeout_s,
    GCancellable *cancellable, GError **error)
{
  WeftProbeWatch *watch;
  JsonNode *node = NULL;

  g_return_val_if_fail (uri != NULL, NULL);
  g_return_val_if_fail (stall_timeout_s >= 0, NULL);

  if (g_cancellable_is_cancelled (cancellable)) {
    fail_cancelled (error, uri);
    return NULL;
  }
  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  watch = watch_new ();
  start_looking (watch, uri, flags);
  if (wait_for_end (watch, uri, stall_timeout_s, cancellable, error)) {
    /* It has ended: nobody else touches these. */
    node = g_steal_pointer (&watch->node);
    if (watch->error != NULL)
      g_propagate_error (error, g_steal_pointer (&watch->error));
  }
  g_cancellable_cancel (watch->stop);
  watch_unref (watch);
  return node;
}

/**
 * weft_probe_uri:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @cancellable: (nullable): cancels the probe within 200 ms
 * @error: return location for a #GError in the %WEFT_ERROR domain
 *
 * [func@Weft.probe_uri_full] with a stall timeout of %WEFT_STALL_TIMEOUT_DEFAULT_S.
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable, GError **error)
{
  return weft_probe_uri_full (uri, flags, WEFT_STALL_TIMEOUT_DEFAULT_S, cancellable, error);
}

typedef struct {
  gchar *uri;
  WeftProbeFlags flags;
} AsyncArgs;

static void
async_args_free (AsyncArgs *args)
{
  g_free (args->uri);
  g_free (args);
}

static void
probe_thread (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  AsyncArgs *args = task_data;
  GError *error = NULL;
  JsonNode *node = weft_probe_uri (args->uri, args->flags, cancellable, &error);

  if (node != NULL)
    g_task_return_pointer (task, node, (GDestroyNotify) json_node_unref);
  else
    g_task_return_error (task, error);
}

/**
 * weft_probe_uri_async:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @cancellable: (nullable): cancels the probe
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: for @callback
 *
 * Like [func@Weft.probe_uri], without blocking the caller.
 */
void
weft_probe_uri_async (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable,
    GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  AsyncArgs *args = g_new0 (AsyncArgs, 1);

  args->uri = g_strdup (uri);
  args->flags = flags;
  g_task_set_source_tag (task, weft_probe_uri_async);
  /* The probe says CANCELLED in Weft's own domain. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, args, (GDestroyNotify) async_args_free);
  g_task_run_in_thread (task, probe_thread);
}

/**
 * weft_probe_uri_finish:
 * @result: what the callback got
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
