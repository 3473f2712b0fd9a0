/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The look at one source, in the thread of a WeftProbeWatch. Nothing here counts the time: who
 * waits for the watch does, and cancels it. */

#include "weft-probe-private.h"

#include <gst/pbutils/pbutils.h>

#include "weftmovieheader.h"
#include "weftmpegtimes.h"

/* Nobody waits for a plan through many retries. */
#define HTTP_RETRIES 2
/* From when on it is looked at whether anything runs at all, and how often nothing may. */
#define IDLE_AFTER_US (G_USEC_PER_SEC / 2)
#define IDLE_POLLS 4
/* How often a wait looks whether it is still wanted. */
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

/* Streaming thread: what is read shows that the source is alive. */
static GstPadProbeReturn
source_data_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftProbe *self = user_data;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    weft_probe_watch_count (
        self->watch, gst_buffer_list_calculate_size (GST_PAD_PROBE_INFO_BUFFER_LIST (info)));
  else
    weft_probe_watch_count (self->watch, gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info)));
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_PULL)
    weft_probe_notice_tables (self, GST_PAD_PROBE_INFO_BUFFER (info));
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

/* Waits until the current phase is over. Returns: FALSE on an error of the pipeline, or when nobody
 * waits for this any more. */
static gboolean
wait_for_phase (WeftProbe *self, GError **error)
{
  g_autoptr (GstMessage) missing = NULL;
  gint64 start = g_get_monotonic_time ();
  guint idle_polls = 0;

  while (TRUE) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        self->bus, POLL_NS, GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION | GST_MESSAGE_ELEMENT);

    if (g_cancellable_is_cancelled (self->watch->stop))
      return weft_probe_set_problem (
          error, WEFT_ERROR_CANCELLED, self, NULL, "probing was cancelled");
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION)
      return TRUE;
    if (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      return weft_probe_map_error (self, message, missing, error);
    if (message != NULL && gst_is_missing_plugin_message (message) && missing == NULL)
      missing = gst_message_ref (message);
    /* A file that grows as fast as it is read has no end. */
    if (message == NULL && weft_source_file_has_changed (self->file))
      return weft_source_file_fail_changed (self->file, error);
    /* parsebin 1.22 loses an error that a demuxer posts while it is still being plugged. Then no
     * thread is left that could do anything. */
    if (message == NULL && g_get_monotonic_time () - start > IDLE_AFTER_US)
      idle_polls = is_streaming (self) ? 0 : idle_polls + 1;
    if (idle_polls >= IDLE_POLLS)
      return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
          "play it with another program; if that fails too, fetch it again",
          "the source is damaged: nothing in it can be played");
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

/* Streaming thread */
static void
movie_duration_cb (GstClockTime duration, gpointer user_data)
{
  WeftProbe *self = user_data;

  g_mutex_lock (&self->lock);
  self->movie_ns = (gint64) duration;
  g_mutex_unlock (&self->lock);
}

static void
deep_element_added_cb (GstBin *bin, GstBin *sub_bin, GstElement *element, gpointer user_data)
{
  weft_movie_header_watch (element, movie_duration_cb, user_data);
  weft_mpeg_times_watch (element);
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
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "retries") != NULL)
    g_object_set (source, "retries", HTTP_RETRIES, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "iradio-mode") != NULL)
    g_object_set (source, "iradio-mode", FALSE, NULL);
  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("probe"));
  self->bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (self->bus, keep_message_cb, NULL, NULL);
  self->source = source;
  g_signal_connect (self->pipeline, "deep-element-added", G_CALLBACK (deep_element_added_cb), self);
  gst_bin_add_many (GST_BIN (self->pipeline), source, parse, NULL);
  gst_element_link (source, parse);
  g_signal_connect (parse, "pad-added", G_CALLBACK (weft_probe_pad_added_cb), self);
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, source_event_cb, self, NULL);
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST | GST_PAD_PROBE_TYPE_PULL,
      source_data_cb, self, NULL);
  weft_probe_watch_set_source (self->watch, source);
  return TRUE;
}

static gboolean
query_duration (WeftProbe *self, gint64 *duration_ns)
{
  g_mutex_lock (&self->lock);
  *duration_ns = self->movie_ns;
  g_mutex_unlock (&self->lock);
  if (*duration_ns > 0)
    return TRUE;
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
look_at_tail (WeftProbe *self, gint64 duration_ns, gboolean *complete, GError **error)
{
  WeftStream *video, *audio;
  g_autoptr (GError) local = NULL;
  gint64 end_ns;

  *complete = TRUE;
  begin_phase (self, WEFT_PROBE_PHASE_TAIL);
  weft_probe_skip_data (self);
  if (!seek (self, MAX (duration_ns - TAIL_NS, 0))) {
    *complete = FALSE;
    return TRUE;
  }
  if (!wait_for_phase (self, &local)) {
    /* A server that sends no parts of a file is read from its beginning. */
    if (!g_cancellable_is_cancelled (self->watch->stop) && !self->file->local
        && !is_seekable (self)) {
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
  weft_probe_watch_set_source (self->watch, NULL);
  g_clear_pointer (&self->streams, g_ptr_array_unref);
  gst_clear_object (&self->bus);
  gst_clear_object (&self->pipeline);
  g_clear_pointer (&self->http_headers, gst_structure_free);
  g_free (self->orientation);
  g_mutex_clear (&self->lock);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProbe, probe_free)

/* One run over the source, over its ends only or over all of it.
 * @complete: (out): whether the end of every stream was seen */
static JsonNode *
run (WeftProbeWatch *watch, const WeftSourceFile *file, gboolean all, gboolean *complete,
    GError **error)
{
  g_autoptr (WeftProbe) self = g_new0 (WeftProbe, 1);
  g_autofree gchar *container = NULL;
  gint64 duration_ns = 0;

  g_mutex_init (&self->lock);
  self->watch = watch;
  self->file = file;
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_probe_stream_free);
  self->phase = all ? WEFT_PROBE_PHASE_SCAN : WEFT_PROBE_PHASE_HEAD;
  *complete = TRUE;
  if (!make_pipeline (self, error))
    return NULL;
  gst_element_set_state (self->pipeline, GST_STATE_PAUSED);
  if (!wait_for_phase (self, error))
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
    else if (!look_at_tail (self, duration_ns, complete, error))
      return NULL;
  }
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  if (all && !check_end (self, container, duration_ns, error))
    return NULL;
  return weft_probe_to_json (self, container, duration_ns, *complete);
}

/* Blocks until everything that can be known of the source is known, it fails, or
 * WeftProbeWatch.stop is cancelled; then it may take as long as the source takes to be stopped. */
JsonNode *
weft_probe_look (WeftProbeWatch *watch, const gchar *uri, WeftProbeFlags flags, GError **error)
{
  gboolean scan = (flags & WEFT_PROBE_FLAGS_KEYFRAMES) != 0;
  g_auto (WeftSourceFile) file = { 0 };
  JsonNode *node = NULL;
  gboolean complete = TRUE;

  if (weft_source_file_check (uri, &file, watch->stop, error)
      && (!file.local || weft_source_file_check_length (&file, watch->stop, error)))
    node = run (watch, &file, scan, &complete, error);
  if (node != NULL && !complete && (file.size <= SCAN_LIMIT_BYTES || !file.local)) {
    g_clear_pointer (&node, json_node_unref);
    node = run (watch, &file, TRUE, &complete, error);
  }
  if (!g_cancellable_is_cancelled (watch->stop) && weft_source_file_has_changed (&file)) {
    g_clear_pointer (&node, json_node_unref);
    g_clear_error (error);
    weft_source_file_fail_changed (&file, error);
  }
  return node;
}
