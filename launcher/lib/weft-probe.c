/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-probe-private.h"

#include <gst/pbutils/pbutils.h>

/* How long a source may take to say what it is, and then to show its end. A server that never
 * answers must not hold a plan for longer. */
#define HEAD_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define TAIL_TIMEOUT_US (20 * G_USEC_PER_SEC)
/* A complete scan may take as long as it likes as long as it moves. */
#define SCAN_STALL_US (20 * G_USEC_PER_SEC)
#define HTTP_RETRIES 2
/* From when on it is looked at whether anything runs at all, and how often nothing may. */
#define IDLE_AFTER_US (G_USEC_PER_SEC / 2)
#define IDLE_POLLS 4
/* How often a wait looks at the cancellable: well under the 200 ms a caller is promised. */
#define POLL_NS (50 * GST_MSECOND)
/* Sources whose duration nobody has written down are read to their end, up to this size. */
#define SCAN_LIMIT_BYTES (G_GUINT64_CONSTANT (512) << 20)
/* How far before its end a source is looked at: a few frames, as demuxers leave out what only
 * touches the end of an edit. Streams with keyframes are read from the last one anyway. */
#define TAIL_NS ((gint64) (200 * GST_MSECOND))
/* An end that misses the duration in the header by more than this was cut off. Containers round
 * durations and count the last frame differently, but by frames, not by seconds. */
#define CUT_TOLERANCE_NS ((gint64) GST_SECOND)

/* Streaming thread: souphttpsrc says what the server answered. */
static GstPadProbeReturn
source_event_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftProbe *self = user_data;
  const GstStructure *s = gst_event_get_structure (GST_PAD_PROBE_INFO_EVENT (info));

  if (s != NULL && gst_structure_has_name (s, "http-headers")) {
    g_mutex_lock (&self->lock);
    if (self->http_headers == NULL)
      self->http_headers = gst_structure_copy (s);
    g_mutex_unlock (&self->lock);
  }
  return GST_PAD_PROBE_OK;
}

static gboolean
is_running_cb (GstElement *element, GstPad *pad, gpointer user_data)
{
  /* Stops looking at the first one that runs. */
  return gst_pad_get_task_state (pad) != GST_TASK_STARTED;
}

/* Whether any streaming thread is at work. */
static gboolean
is_streaming (WeftProbe *self)
{
  g_autoptr (GstIterator) it = gst_bin_iterate_recurse (GST_BIN (self->pipeline));
  g_auto (GValue) item = G_VALUE_INIT;
  gboolean found = FALSE;
  GstIteratorResult result;

  while (!found && (result = gst_iterator_next (it, &item)) != GST_ITERATOR_DONE) {
    if (result != GST_ITERATOR_OK)
      return TRUE;
    found = !gst_element_foreach_pad (g_value_get_object (&item), is_running_cb, NULL);
    g_value_reset (&item);
  }
  return found;
}

/* Waits until the current phase is over. Returns: FALSE on an error of the pipeline, the caller's
 * cancellation, or when nothing comes for too long. */
static gboolean
wait_for_phase (WeftProbe *self, gint64 timeout_us, gboolean restart_on_activity,
    GCancellable *cancellable, GError **error)
{
  g_autoptr (GstMessage) missing = NULL;
  gint64 start = g_get_monotonic_time ();
  gint64 deadline = start + timeout_us;
  guint idle_polls = 0;
  guint64 seen = 0;

  while (TRUE) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        self->bus, POLL_NS, GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION | GST_MESSAGE_ELEMENT);

    if (g_cancellable_is_cancelled (cancellable))
      return weft_probe_set_problem (
          error, WEFT_ERROR_CANCELLED, self, NULL, "probing was cancelled");
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION)
      return TRUE;
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      return weft_probe_map_error (self, message, missing, error);
    if (message != NULL && gst_is_missing_plugin_message (message) && missing == NULL)
      missing = gst_message_ref (message);
    if (restart_on_activity) {
      g_mutex_lock (&self->lock);
      if (self->activity != seen)
        deadline = g_get_monotonic_time () + timeout_us;
      seen = self->activity;
      g_mutex_unlock (&self->lock);
    }
    /* parsebin 1.22 loses an error that a demuxer posts while it is still being plugged. Then no
     * thread is left that could do anything. */
    if (message == NULL && g_get_monotonic_time () - start > IDLE_AFTER_US)
      idle_polls = is_streaming (self) ? 0 : idle_polls + 1;
    if (idle_polls >= IDLE_POLLS)
      return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
          "play it with another program; if that fails too, fetch it again",
          "the source is damaged: nothing in it can be played");
    if (g_get_monotonic_time () > deadline) {
      weft_error_set_problem (error,
          weft_problem_new (WEFT_ERROR_STALLED, NULL, self->file->uri,
              self->file->local ? "check the disk it is on" : "check that the server answers",
              "the source gave no data for %d s", (gint) (timeout_us / G_USEC_PER_SEC)));
      return FALSE;
    }
  }
}

/* Any thread. Nobody reads the rest, and a long scan must not pile it up. */
static GstBusSyncReply
keep_message_cb (GstBus *bus, GstMessage *message, gpointer user_data)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_APPLICATION:
    case GST_MESSAGE_ELEMENT:
      return GST_BUS_PASS;
    default:
      gst_message_unref (message);
      return GST_BUS_DROP;
  }
}

static gboolean
make_pipeline (WeftProbe *self, GError **error)
{
  g_autoptr (GError) gst = NULL;
  g_autoptr (GstPad) pad = NULL;
  GstElement *source = gst_element_make_from_uri (GST_URI_SRC, self->file->uri, NULL, &gst);
  GstElement *parse = gst_element_factory_make ("parsebin", NULL);

  if (source == NULL || parse == NULL) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, self->file->uri,
                   "install gstreamer1.0-plugins-base and gstreamer1.0-plugins-good",
                   "this machine cannot read the source: %s",
                   source == NULL ? gst->message : "it lacks the parsebin element"));
    gst_clear_object (&source);
    gst_clear_object (&parse);
    return FALSE;
  }
  /* Nobody waits for a plan through many retries. */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "retries") != NULL)
    g_object_set (source, "retries", HTTP_RETRIES, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "iradio-mode") != NULL)
    g_object_set (source, "iradio-mode", FALSE, NULL);
  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("probe"));
  self->bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (self->bus, keep_message_cb, NULL, NULL);
  self->source = source;
  gst_bin_add_many (GST_BIN (self->pipeline), source, parse, NULL);
  gst_element_link (source, parse);
  g_signal_connect (parse, "pad-added", G_CALLBACK (weft_probe_pad_added_cb), self);
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, source_event_cb, self, NULL);
  return TRUE;
}

static gboolean
query_duration (WeftProbe *self, gint64 *duration_ns)
{
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (weft_probe_stream_is_media (stream)
        && gst_pad_query_duration (stream->pad, GST_FORMAT_TIME, duration_ns) && *duration_ns > 0)
      return TRUE;
  }
  *duration_ns = 0;
  return FALSE;
}

static void
begin_phase (WeftProbe *self, WeftProbePhase phase)
{
  g_mutex_lock (&self->lock);
  self->phase = phase;
  self->done = FALSE;
  self->stale = TRUE;
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);

    stream->eos = FALSE;
    stream->frames = 0;
    stream->end_ns = 0;
    stream->raw_end = 0;
    stream->newest = GST_CLOCK_TIME_NONE;
  }
  g_mutex_unlock (&self->lock);
}

/* Whether the source gives any part of the file when asked. */
static gboolean
is_seekable (WeftProbe *self)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = FALSE;

  if (gst_element_query (self->source, query))
    gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  return seekable;
}

static gboolean
seek (WeftProbe *self, gint64 position_ns)
{
  WeftStream *stream = weft_probe_find_video (self);
  g_autoptr (GstEvent) event = gst_event_new_seek (1.0, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE, GST_SEEK_TYPE_SET,
      position_ns, GST_SEEK_TYPE_NONE, -1);

  if (stream == NULL)
    stream = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  return stream != NULL && gst_pad_send_event (stream->pad, g_steal_pointer (&event));
}

/* Elementary streams tell their duration by guessing from their bit rate. */
static gboolean
duration_is_guessed (const gchar *container)
{
  return container != NULL
         && (g_str_has_prefix (container, "audio/") || g_str_equal (container, "video/x-h264")
             || g_str_equal (container, "video/x-h265") || g_str_equal (container, "video/mpeg"))
         && !g_str_equal (container, "audio/x-wav") && !g_str_equal (container, "audio/x-m4a")
         && !g_str_equal (container, "audio/x-flac") && !g_str_equal (container, "audio/ogg")
         && !g_str_equal (container, "audio/x-matroska") && !g_str_equal (container, "audio/webm");
}

static gboolean
check_streams (WeftProbe *self, const gchar *container, GError **error)
{
  WeftStream *video = weft_probe_find_video (self);
  WeftStream *audio = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  WeftStream *both[] = { video, audio };

  if (video == NULL && audio == NULL
      && weft_probe_find_stream (self, WEFT_STREAM_ENCRYPTED) != NULL)
    return weft_probe_set_problem (
        error, WEFT_ERROR_UNSUPPORTED, self, "use a copy without DRM", "the source is encrypted");
  if (video == NULL && audio == NULL && !weft_probe_is_media_type (container))
    return weft_probe_fail_not_media (self, container, error);
  if (video == NULL && audio == NULL)
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
        "name a file that holds a picture, video or sound",
        "the source has neither video nor audio");
  for (guint i = 0; i < G_N_ELEMENTS (both); i++) {
    g_autofree gchar *decoder = both[i] != NULL ? weft_stream_find_decoder (both[i]->caps) : NULL;
    g_autofree gchar *codec = NULL, *hint = NULL;

    if (both[i] == NULL || decoder != NULL)
      continue;
    codec = weft_stream_describe (both[i]->caps);
    hint = g_strdup_printf (
        "install %s, or convert the source", weft_stream_package_hint (both[i]->caps));
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, self->file->uri,
                                       hint, "this machine has no decoder for %s (%s)", codec,
                                       weft_stream_codec_name (both[i]->caps)));
    return FALSE;
  }
  return TRUE;
}

/* Containers that write their whole duration at their beginning. Where the streams end long before
 * it, the rest is missing; unless it belongs to streams that are not looked at. */
static gboolean
check_end (WeftProbe *self, const gchar *container, gint64 container_ns, GError **error)
{
  static const gchar *const honest[] = { "video/x-matroska", "audio/x-matroska", "video/webm",
    "audio/webm", "video/x-msvideo", "video/quicktime", "audio/x-m4a", NULL };
  gint64 end_ns = 0;

  if (!g_strv_contains (honest, container))
    return TRUE;
  for (guint i = 0; i < self->streams->len; i++) {
    const WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (!weft_probe_stream_is_media (stream))
      return TRUE;
    end_ns = MAX (end_ns, MAX (stream->end_ns, (gint64) stream->raw_end));
  }
  if (end_ns + CUT_TOLERANCE_NS + container_ns / 20 > container_ns)
    return TRUE;
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, self->file->uri,
                 "the copy or download was cut off; fetch the file again",
                 "the source is truncated: it ends after %.1f of %.1f s",
                 (gdouble) end_ns / GST_SECOND, (gdouble) container_ns / GST_SECOND));
  return FALSE;
}

/* Reads the end of the source, so that its exact length is known and a source that was cut off is
 * noticed. Sets @complete to FALSE when only a scan of everything can tell. */
static gboolean
look_at_tail (WeftProbe *self, gint64 duration_ns, gboolean *complete, GCancellable *cancellable,
    GError **error)
{
  WeftStream *video, *audio;
  g_autoptr (GError) local = NULL;
  gint64 end_ns;

  *complete = TRUE;
  begin_phase (self, WEFT_PROBE_PHASE_TAIL);
  if (!seek (self, MAX (duration_ns - TAIL_NS, 0))) {
    *complete = FALSE;
    return TRUE;
  }
  if (!wait_for_phase (self, TAIL_TIMEOUT_US, FALSE, cancellable, &local)) {
    /* A server that sends no parts of a file is read from its beginning. */
    if (g_error_matches (local, WEFT_ERROR, WEFT_ERROR_STALLED)
        || (!self->file->local && !is_seekable (self))) {
      *complete = FALSE;
      return TRUE;
    }
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  video = weft_probe_find_video (self);
  audio = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  end_ns = MAX (video != NULL ? video->end_ns : 0, audio != NULL ? audio->end_ns : 0);
  if (end_ns + CUT_TOLERANCE_NS < duration_ns || (video != NULL && video->frames == 0))
    *complete = FALSE;
  return TRUE;
}

static void
probe_free (WeftProbe *self)
{
  if (self->pipeline != NULL)
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
  g_clear_pointer (&self->streams, g_ptr_array_unref);
  gst_clear_object (&self->bus);
  gst_clear_object (&self->pipeline);
  g_clear_pointer (&self->http_headers, gst_structure_free);
  g_free (self->orientation);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* How many probes are being stopped behind their callers' backs. */
static GMutex stopping_lock;
static GCond stopping_changed;
static guint n_stopping; /* guarded by stopping_lock */

static void
count_stopping (gint change)
{
  g_mutex_lock (&stopping_lock);
  n_stopping += (guint) change;
  g_cond_broadcast (&stopping_changed);
  g_mutex_unlock (&stopping_lock);
}

static gpointer
free_thread (gpointer data)
{
  probe_free (data);
  count_stopping (-1);
  return NULL;
}

/* A source on a network may wait for its server until its own timeout when it is stopped. Whoever
 * cancelled does not wait for that. */
static void
probe_release (WeftProbe *self)
{
  if (self->file->local || self->is_stopped) {
    probe_free (self);
    return;
  }
  count_stopping (1);
  g_thread_unref (g_thread_new ("weft-probe-stop", free_thread, self));
}

/* Waits until every probe that was given up is gone, so that a test leaves nothing behind. */
void
weft_probe_wait_for_stopped (void)
{
  g_mutex_lock (&stopping_lock);
  while (n_stopping > 0)
    g_cond_wait (&stopping_changed, &stopping_lock);
  g_mutex_unlock (&stopping_lock);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProbe, probe_release)

/* One run over the source, over its ends only or over all of it.
 * @complete: (out): whether the end of every stream was seen */
static JsonNode *
run (const WeftSourceFile *file, gboolean all, gboolean *complete, GCancellable *cancellable,
    GError **error)
{
  g_autoptr (WeftProbe) self = g_new0 (WeftProbe, 1);
  g_autofree gchar *container = NULL;
  gint64 duration_ns = 0;

  g_mutex_init (&self->lock);
  self->file = file;
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_probe_stream_free);
  self->phase = all ? WEFT_PROBE_PHASE_SCAN : WEFT_PROBE_PHASE_HEAD;
  *complete = TRUE;
  if (!make_pipeline (self, error))
    return NULL;
  gst_element_set_state (self->pipeline, GST_STATE_PAUSED);
  if (!wait_for_phase (self, all ? SCAN_STALL_US : HEAD_TIMEOUT_US, all, cancellable, error))
    return NULL;
  container = weft_probe_find_container (self);
  if (container == NULL) {
    const WeftStream *first = g_ptr_array_index (self->streams, 0);

    container = g_strdup (weft_stream_codec_name (first->caps));
  }
  if (!check_streams (self, container, error))
    return NULL;
  query_duration (self, &duration_ns);
  if (!all && !weft_probe_is_still (self, container)) {
    if (duration_ns <= 0 || (duration_is_guessed (container) && file->local))
      *complete = FALSE;
    else if (!look_at_tail (self, duration_ns, complete, cancellable, error))
      return NULL;
  }
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  self->is_stopped = TRUE;
  if (all && !check_end (self, container, duration_ns, error))
    return NULL;
  return weft_probe_to_json (self, container, duration_ns, *complete);
}

/**
 * weft_probe_uri:
 * @uri: a `file:`, `http:` or `https:` URI
 * @flags: how much to look at
 * @cancellable: (nullable): cancels the probe within 200 ms
 * @error: return location for a #GError in the %WEFT_ERROR domain
 *
 * Finds out what a source is by reading it, without decoding it: its container, the first video
 * and the first audio stream, its duration, and the time stamp of the first frame it presents.
 *
 * The answer is a `sources` member of the plan document. Times are integers in nanoseconds of
 * stream time: what edit lists (ISO/IEC 14496-12, 8.6.6) cut off is not counted.
 *
 * It needs no main loop and may be called from any thread. A source that never answers ends as an
 * error after 20 seconds.
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_probe_uri (const gchar *uri, WeftProbeFlags flags, GCancellable *cancellable, GError **error)
{
  gboolean scan = (flags & WEFT_PROBE_FLAGS_KEYFRAMES) != 0;
  WeftSourceFile file = { 0 };
  JsonNode *node = NULL;
  gboolean complete = TRUE;

  g_return_val_if_fail (uri != NULL, NULL);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  if (weft_source_file_check (uri, &file, cancellable, error)
      && (!file.local || weft_source_file_check_length (&file, cancellable, error)))
    node = run (&file, scan, &complete, cancellable, error);
  if (node != NULL && !complete && (file.size <= SCAN_LIMIT_BYTES || !file.local)) {
    g_clear_pointer (&node, json_node_unref);
    node = run (&file, TRUE, &complete, cancellable, error);
  }
  weft_source_file_clear (&file);
  return node;
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
