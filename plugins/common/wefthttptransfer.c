/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One range of one object, got in as many attempts as it takes. Lives in the worker's thread. */

#include "wefthttptransfer.h"

#include <string.h>

#define READ_BYTES (64 * 1024)

/* An attempt that brought this much was no failure: the count of failures begins anew. */
#define PROGRESS_BYTES (64 * 1024)

#define SPEED_CHECK_MS 250

/* A server that asks for more patience than this is one that will not answer. */
#define RETRY_AFTER_MAX_S 60

typedef struct {
  WeftHttpWorker *worker;
  WeftHttpTarget *target;
  WeftHttpJob job;
  const WeftHttpTransferFuncs *funcs;
  gpointer user_data;

  guint64 next;   /* first byte that has not come */
  guint64 end;    /* after the last byte wanted; G_MAXUINT64 = to the end of the object */
  gboolean whole; /* the server sends the whole object to each request */
  gboolean responded;
  gboolean cancelled;

  /* The attempt that is going on. */
  GCancellable *cancellable;
  SoupMessage *message;
  GInputStream *stream;
  guint8 *buffer;
  guint64 attempt_end; /* where this answer ends; G_MAXUINT64 = where the connection does */
  guint64 skip;        /* bytes of this answer that have come before */
  guint64 attempt_bytes;
  gboolean believed;   /* the headers of this answer were looked at */
  gboolean is_range;   /* of this answer */
  guint64 answer_size; /* of the whole object, as this answer says */
  gboolean too_slow;
  GSource *speed_timer;
  gint64 speed_since_us;
  guint64 speed_bytes;

  guint failures;
  guint redirects;
  gboolean tried_original;
  GSource *retry_timer;
} Transfer;

static void start_attempt (Transfer *self);

static void
clear_source (GSource **source)
{
  if (*source != NULL) {
    g_source_destroy (*source);
    g_source_unref (*source);
    *source = NULL;
  }
}

static void
end_attempt (Transfer *self)
{
  clear_source (&self->speed_timer);
  g_clear_object (&self->stream);
  g_clear_object (&self->message);
  g_clear_object (&self->cancellable);
}

/* The last thing a transfer does. */
static void
finish (Transfer *self, const GError *error)
{
  end_attempt (self);
  clear_source (&self->retry_timer);
  self->funcs->done (self->user_data, error);
  weft_http_worker_remove_job (self->worker, &self->job);
  g_free (self->buffer);
  g_free (self);
}

static void
finish_cancelled (Transfer *self)
{
  g_autoptr (GError) error = weft_http_error_new (WEFT_HTTP_ERROR_CANCELLED, 0, "cancelled");

  finish (self, error);
}

static void
cancel_cb (gpointer job)
{
  Transfer *self = job;

  self->cancelled = TRUE;
  /* With an attempt going on, its callback ends it. */
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  else
    finish_cancelled (self);
}

static gboolean
retry_cb (gpointer data)
{
  Transfer *self = data;

  clear_source (&self->retry_timer);
  start_attempt (self);
  return G_SOURCE_REMOVE;
}

/* Exponential back-off with full jitter: many readers that failed together do not come back
 * together. Takes @error. */
static void
retry_or_finish (Transfer *self, GError *error, guint retry_after_s)
{
  const WeftHttpSettings *settings = weft_http_target_get_settings (self->target);
  g_autoptr (GError) reason = error;
  guint64 longest_ms;
  guint delay_ms;

  if (self->attempt_bytes >= PROGRESS_BYTES)
    self->failures = 0;
  end_attempt (self);
  if (self->failures >= settings->retries) {
    finish (self, reason);
    return;
  }
  longest_ms =
      MIN ((guint64) settings->retry_base_ms << MIN (self->failures, 20), settings->retry_cap_ms);
  delay_ms = longest_ms > 0 ? (guint) g_random_int_range (0, (gint) longest_ms + 1) : 0;
  delay_ms = MAX (delay_ms, MIN (retry_after_s, RETRY_AFTER_MAX_S) * 1000);
  self->failures++;
  weft_http_target_count (self->target, 0, 0, 1);
  self->retry_timer = g_timeout_source_new (delay_ms);
  g_source_set_callback (self->retry_timer, retry_cb, self, NULL);
  g_source_attach (self->retry_timer, weft_http_worker_get_context (self->worker));
}

/* Takes @error. */
static void
fail (Transfer *self, GError *error)
{
  g_autoptr (GError) reason = error;

  finish (self, reason);
}

/* ---- too slow to be of use ---- */

static gboolean
speed_cb (gpointer data)
{
  Transfer *self = data;
  const WeftHttpSettings *settings = weft_http_target_get_settings (self->target);
  gint64 now_us = g_get_monotonic_time ();
  gint64 window_us = (gint64) settings->low_speed_s * G_USEC_PER_SEC;

  if (now_us - self->speed_since_us < window_us)
    return G_SOURCE_CONTINUE;
  if (self->speed_bytes < (guint64) settings->low_speed_bytes * settings->low_speed_s) {
    self->too_slow = TRUE;
    g_cancellable_cancel (self->cancellable);
  }
  self->speed_since_us = now_us;
  self->speed_bytes = 0;
  return G_SOURCE_CONTINUE;
}

static void
watch_speed (Transfer *self)
{
  const WeftHttpSettings *settings = weft_http_target_get_settings (self->target);

  self->speed_since_us = g_get_monotonic_time ();
  self->speed_bytes = 0;
  if (settings->low_speed_s == 0 || settings->low_speed_bytes == 0)
    return;
  self->speed_timer = g_timeout_source_new (SPEED_CHECK_MS);
  g_source_set_callback (self->speed_timer, speed_cb, self, NULL);
  g_source_attach (self->speed_timer, weft_http_worker_get_context (self->worker));
}

/* ---- the body ---- */

static void
body_ended (Transfer *self)
{
  if (self->end == G_MAXUINT64 && self->attempt_end == G_MAXUINT64) {
    finish (self, NULL);
  } else if (self->next >= self->end
             || (self->end == G_MAXUINT64 && self->next >= self->attempt_end)) {
    finish (self, NULL);
  } else if (self->next >= self->attempt_end) {
    /* A server may send less than was asked for, as long as it sends some. */
    gboolean progress = self->attempt_bytes > 0;

    if (progress) {
      end_attempt (self);
      start_attempt (self);
    } else {
      retry_or_finish (self,
          weft_http_error_new (WEFT_HTTP_ERROR_FAILED, 0, "the server sent an empty part"), 0);
    }
  } else {
    retry_or_finish (self,
        weft_http_error_new (WEFT_HTTP_ERROR_FAILED, 0,
            "the connection ended before all that was announced had come"),
        0);
  }
}

/* Hands on @size bytes of the buffer. Returns FALSE when the transfer is over. */
static gboolean
take_bytes (Transfer *self, gsize size)
{
  const guint8 *data = self->buffer;
  GError *error = NULL;

  weft_http_target_count (self->target, 0, size, 0);
  self->speed_bytes += size;
  if (self->skip > 0) {
    gsize skipped = (gsize) MIN (self->skip, size);

    self->skip -= skipped;
    data += skipped;
    size -= skipped;
  }
  if (size == 0)
    return TRUE;
  self->attempt_bytes += size;
  if (!self->funcs->data (self->user_data, self->next, data, size, &error)) {
    fail (self, error);
    return FALSE;
  }
  self->next += size;
  return TRUE;
}

/* A failed read or request, of whatever cause. Takes @error. */
static void
attempt_failed (Transfer *self, GError *error)
{
  g_autoptr (GError) reason = error;

  if (self->cancelled) {
    finish_cancelled (self);
  } else if (self->too_slow) {
    retry_or_finish (self,
        weft_http_error_new (WEFT_HTTP_ERROR_UNREACHABLE, 0, "the server sends too slowly"), 0);
  } else if (reason->domain == G_TLS_ERROR) {
    fail (self, weft_http_error_new (WEFT_HTTP_ERROR_DENIED, 0,
                    "no secure connection can be made: %s", reason->message));
  } else {
    /* GIO's words name hosts and errors, no secrets. */
    retry_or_finish (
        self, weft_http_error_new (WEFT_HTTP_ERROR_UNREACHABLE, 0, "%s", reason->message), 0);
  }
}

/* Looks at the headers of an answer, remembers the first one's and compares all others with it.
 * Returns FALSE when the transfer is over.
 *
 * Done when the first byte of the body has come, or when there is to be none: a connection that
 * broke off within the headers looks like an answer with other headers and no body. */
static gboolean
believe_answer (Transfer *self)
{
  gboolean had_parts = self->responded ? !self->whole : weft_http_target_is_pinned (self->target);
  GError *error = NULL;

  self->believed = TRUE;
  if (!weft_http_target_pin (self->target, soup_message_get_response_headers (self->message),
          self->answer_size, &error)) {
    fail (self, error);
    return FALSE;
  }
  if (!self->is_range && had_parts) {
    retry_or_finish (self,
        weft_http_error_new (
            WEFT_HTTP_ERROR_FAILED, 200, "the server does not send parts any more"),
        0);
    return FALSE;
  }
  if (!self->responded) {
    self->responded = TRUE;
    self->whole = !self->is_range;
    if (self->whole)
      self->end = self->answer_size;
    self->funcs->responded (self->user_data, self->is_range, self->answer_size, self->message);
  }
  self->end = MIN (self->end, self->answer_size);
  return TRUE;
}

static void read_more (Transfer *self);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Transfer *self = user_data;
  GError *error = NULL;
  gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (self->cancelled) {
    g_clear_error (&error);
    finish_cancelled (self);
  } else if (count != 0 && self->believed && self->next >= MIN (self->attempt_end, self->end)) {
    /* All that matters is here; that the answer goes on, or breaks off, does not. */
    g_clear_error (&error);
    body_ended (self);
  } else if (count < 0) {
    attempt_failed (self, error);
  } else if (count == 0 && !self->believed) {
    retry_or_finish (self,
        weft_http_error_new (
            WEFT_HTTP_ERROR_UNREACHABLE, 0, "the connection ended before anything had come"),
        0);
  } else if (count == 0) {
    body_ended (self);
  } else if ((self->believed || believe_answer (self)) && take_bytes (self, (gsize) count)) {
    read_more (self);
  }
}

/* Where the answer should end one more byte is asked for: the connection can be used again only
 * when its end was seen. */
static void
read_more (Transfer *self)
{
  guint64 limit = MIN (self->end, self->attempt_end);
  gsize size = READ_BYTES;

  if (limit != G_MAXUINT64)
    size = (gsize) CLAMP (limit - self->next + self->skip, 1, READ_BYTES);
  g_input_stream_read_async (
      self->stream, self->buffer, size, G_PRIORITY_DEFAULT, self->cancellable, read_cb, self);
}

/* The answer is for the whole object from its first byte, or for the part from `next` on that ends
 * at @end. */
static void
begin_body (Transfer *self, gboolean is_range, guint64 end, guint64 size)
{
  self->is_range = is_range;
  self->answer_size = size;
  self->attempt_end = end;
  self->skip = is_range ? 0 : self->next;
  if (size != 0)
    read_more (self);
  else if (believe_answer (self))
    finish (self, NULL);
}

/* ---- the answer ---- */

static void
handle_partial (Transfer *self, SoupMessageHeaders *headers)
{
  goffset start, last, total;

  if (!soup_message_headers_get_content_range (headers, &start, &last, &total)
      || (guint64) start != self->next || last < start || (total >= 0 && last >= total)
      || self->whole) {
    retry_or_finish (self,
        weft_http_error_new (
            WEFT_HTTP_ERROR_FAILED, 206, "the server sent another part than was asked for"),
        0);
    return;
  }
  begin_body (
      self, TRUE, (guint64) last + 1, total >= 0 ? (guint64) total : WEFT_HTTP_SIZE_UNKNOWN);
}

static void
handle_whole (Transfer *self, SoupMessageHeaders *headers)
{
  guint64 size = WEFT_HTTP_SIZE_UNKNOWN;

  if (soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH)
    size = (guint64) soup_message_headers_get_content_length (headers);
  begin_body (self, FALSE, size, size);
}

/* RFC 9110, 15.5.17: the object has no byte there. Right for an empty object; a sign that a known
 * one shrank. */
static void
handle_unsatisfiable (Transfer *self, SoupMessageHeaders *headers)
{
  const gchar *range = soup_message_headers_get_one (headers, "Content-Range");
  guint64 size = 0;

  if (range != NULL && g_str_has_prefix (range, "bytes */"))
    g_ascii_string_to_unsigned (range + strlen ("bytes */"), 10, 0, G_MAXINT64, &size, NULL);
  if (weft_http_target_is_pinned (self->target))
    retry_or_finish (self,
        weft_http_error_new (WEFT_HTTP_ERROR_CHANGED, 416,
            "it was replaced on the server while it was read (a shorter one)"),
        0);
  else if (size != 0 || self->next != 0)
    retry_or_finish (self,
        weft_http_error_new (
            WEFT_HTTP_ERROR_FAILED, 416, "the server has no byte where its size says there is one"),
        0);
  else
    begin_body (self, TRUE, 0, 0);
}

static void
handle_redirect (Transfer *self, SoupMessageHeaders *headers)
{
  const WeftHttpSettings *settings = weft_http_target_get_settings (self->target);
  GError *error = NULL;

  if (++self->redirects > settings->redirects) {
    fail (self,
        weft_http_error_new (WEFT_HTTP_ERROR_UNSUPPORTED, soup_message_get_status (self->message),
            "the server redirects more than %u times", settings->redirects));
    return;
  }
  if (!weft_http_target_redirect (
          self->target, soup_message_headers_get_one (headers, "Location"), &error)) {
    fail (self, error);
    return;
  }
  end_attempt (self);
  start_attempt (self);
}

static guint
retry_after_seconds (SoupMessageHeaders *headers)
{
  const gchar *text = soup_message_headers_get_one (headers, "Retry-After");
  guint64 seconds = 0;

  if (text != NULL)
    g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &seconds, NULL);
  return (guint) seconds;
}

static void
handle_refusal (Transfer *self, guint status, SoupMessageHeaders *headers)
{
  const gchar *phrase = soup_status_get_phrase (status);
  WeftHttpError code = WEFT_HTTP_ERROR_FAILED;

  switch (status) {
    case SOUP_STATUS_UNAUTHORIZED:
    case SOUP_STATUS_FORBIDDEN:
    case SOUP_STATUS_PROXY_AUTHENTICATION_REQUIRED:
      code = WEFT_HTTP_ERROR_DENIED;
      break;
    case SOUP_STATUS_NOT_FOUND:
    case SOUP_STATUS_GONE:
      code = WEFT_HTTP_ERROR_NOT_FOUND;
      break;
    case SOUP_STATUS_PRECONDITION_FAILED:
      fail (self, weft_http_error_new (WEFT_HTTP_ERROR_CHANGED, status,
                      "it was replaced on the server while it was read"));
      return;
    case SOUP_STATUS_REQUEST_TIMEOUT:
    case 425: /* Too Early */
    case 429: /* Too Many Requests */
      code = WEFT_HTTP_ERROR_UNREACHABLE;
      break;
    default:
      if (status >= 500)
        code = WEFT_HTTP_ERROR_UNREACHABLE;
      break;
  }

  if (code == WEFT_HTTP_ERROR_UNREACHABLE) {
    guint retry_after_s = retry_after_seconds (headers);

    retry_or_finish (self,
        weft_http_error_new (code, status, "the server answered %u %s", status, phrase),
        retry_after_s);
    return;
  }
  /* The address a redirect led to may have expired; the one that was given has not. */
  if (!self->tried_original && weft_http_target_undo_redirects (self->target)) {
    self->tried_original = TRUE;
    end_attempt (self);
    start_attempt (self);
    return;
  }
  fail (self, weft_http_error_new (code, status, "the server answered %u %s", status, phrase));
}

static void
handle_answer (Transfer *self)
{
  guint status = soup_message_get_status (self->message);
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);
  const gchar *encoding = soup_message_headers_get_one (headers, "Content-Encoding");

  if (status == SOUP_STATUS_OK || status == SOUP_STATUS_PARTIAL_CONTENT) {
    if (encoding != NULL && g_ascii_strcasecmp (encoding, "identity") != 0)
      fail (
          self, weft_http_error_new (WEFT_HTTP_ERROR_UNSUPPORTED, status,
                    "the server sends it packed (Content-Encoding: %s) although that was declined",
                    encoding));
    else if (status == SOUP_STATUS_OK)
      handle_whole (self, headers);
    else
      handle_partial (self, headers);
  } else if (status == SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE) {
    handle_unsatisfiable (self, headers);
  } else if (SOUP_STATUS_IS_REDIRECTION (status) && status != SOUP_STATUS_NOT_MODIFIED) {
    handle_redirect (self, headers);
  } else {
    handle_refusal (self, status, headers);
  }
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Transfer *self = user_data;
  GError *error = NULL;

  self->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (self->stream == NULL)
    attempt_failed (self, error);
  else if (self->cancelled)
    finish_cancelled (self);
  else
    handle_answer (self);
}

static void
start_attempt (Transfer *self)
{
  SoupMessageHeaders *headers;
  GError *error = NULL;

  if (self->cancelled || weft_http_worker_is_stopping (self->worker)) {
    finish_cancelled (self);
    return;
  }
  self->message = weft_http_target_new_message (self->target, &error);
  if (self->message == NULL) {
    fail (self, error);
    return;
  }
  headers = soup_message_get_request_headers (self->message);
  if (!self->whole) {
    soup_message_headers_set_range (
        headers, (goffset) self->next, self->end == G_MAXUINT64 ? -1 : (goffset) (self->end - 1));
    weft_http_target_add_condition (self->target, headers);
  }
  self->attempt_end = G_MAXUINT64;
  self->skip = 0;
  self->attempt_bytes = 0;
  self->believed = FALSE;
  self->too_slow = FALSE;
  self->cancellable = g_cancellable_new ();
  weft_http_target_count (self->target, 1, 0, 0);
  watch_speed (self);
  soup_session_send_async (weft_http_worker_get_session (self->worker), self->message,
      G_PRIORITY_DEFAULT, self->cancellable, sent_cb, self);
}

static gboolean
start_cb (gpointer data)
{
  Transfer *self = data;

  weft_http_worker_add_job (self->worker, &self->job);
  start_attempt (self);
  return G_SOURCE_REMOVE;
}

/**
 * weft_http_transfer_start:
 * @worker: the worker
 * @target: what to get; outlives the transfer
 * @start: first byte
 * @end: after the last byte; %G_MAXUINT64 is the end of the object
 * @funcs: who is told
 * @user_data: for @funcs; valid until `done` was called
 *
 * Gets a range from any thread: retries what may pass, resumes at the byte that was reached,
 * follows redirects, and never mixes bytes of two versions of the object. Ends early when the
 * worker stops.
 */
void
weft_http_transfer_start (WeftHttpWorker *worker, WeftHttpTarget *target, guint64 start,
    guint64 end, const WeftHttpTransferFuncs *funcs, gpointer user_data)
{
  Transfer *self = g_new0 (Transfer, 1);

  self->worker = worker;
  self->target = target;
  self->next = start;
  self->end = end;
  self->funcs = funcs;
  self->user_data = user_data;
  self->buffer = g_malloc (READ_BYTES);
  self->job = (WeftHttpJob){ cancel_cb, self };
  weft_http_worker_invoke (worker, start_cb, self);
}
