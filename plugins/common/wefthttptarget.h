/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * WEFT_HTTP_ERROR:
 *
 * What can go wrong with a source on a server, told apart by what a caller can do about it.
 */
#define WEFT_HTTP_ERROR (weft_http_error_quark ())
GQuark weft_http_error_quark (void);

typedef enum {
  WEFT_HTTP_ERROR_INVALID_URI,
  WEFT_HTTP_ERROR_NOT_FOUND,
  WEFT_HTTP_ERROR_DENIED,
  WEFT_HTTP_ERROR_CHANGED,
  WEFT_HTTP_ERROR_UNSUPPORTED,
  WEFT_HTTP_ERROR_TOO_LARGE,
  WEFT_HTTP_ERROR_NO_SPACE,
  WEFT_HTTP_ERROR_UNREACHABLE,
  WEFT_HTTP_ERROR_FAILED,
  WEFT_HTTP_ERROR_CANCELLED,
} WeftHttpError;

/**
 * WeftHttpSettings:
 * @timeout_s: seconds without a byte after which a connection is given up
 * @low_speed_bytes: fewer bytes a second than this, kept up for @low_speed_s, end an attempt
 * @low_speed_s: see above
 * @retries: attempts after the first that bring nothing before it is given up
 * @retry_base_ms: longest wait before the first retry; doubles with each
 * @retry_cap_ms: longest wait before any retry
 * @redirects: most redirects followed for one request
 */
typedef struct {
  guint timeout_s;
  guint low_speed_bytes;
  guint low_speed_s;
  guint retries;
  guint retry_base_ms;
  guint retry_cap_ms;
  guint redirects;
} WeftHttpSettings;

#define WEFT_HTTP_SETTINGS_DEFAULT                                                                 \
  {                                                                                                \
    .timeout_s = 15, .low_speed_bytes = 1024, .low_speed_s = 15, .retries = 8,                     \
    .retry_base_ms = 200, .retry_cap_ms = 10000, .redirects = 10                                   \
  }

typedef struct {
  guint64 requests;
  guint64 bytes;
  guint64 retries;
} WeftHttpStats;

/* Adds to a request what a service wants: a signature, a token. Called in the worker's thread
 * for each request, after the usual headers have been set. */
typedef gboolean (*WeftHttpPrepareFunc) (SoupMessage *message, gpointer user_data, GError **error);

/* One object on a server and what is known of it. The worker's thread owns it, but for the
 * functions below that say otherwise. */
typedef struct _WeftHttpTarget WeftHttpTarget;

WeftHttpTarget *
weft_http_target_new (const gchar *uri, const WeftHttpSettings *settings, GError **error);
void weft_http_target_free (WeftHttpTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftHttpTarget, weft_http_target_free)
void weft_http_target_set_prepare_func (
    WeftHttpTarget *target, WeftHttpPrepareFunc func, gpointer user_data);

/* From any thread: */
const gchar *weft_http_target_get_display_name (WeftHttpTarget *target);
const WeftHttpSettings *weft_http_target_get_settings (WeftHttpTarget *target);
void weft_http_target_get_stats (WeftHttpTarget *target, WeftHttpStats *stats);
void weft_http_target_count (WeftHttpTarget *target, guint requests, guint64 bytes, guint retries);

SoupMessage *weft_http_target_new_message (WeftHttpTarget *target, GError **error);
gboolean weft_http_target_redirect (WeftHttpTarget *target, const gchar *location, GError **error);
gboolean weft_http_target_undo_redirects (WeftHttpTarget *target);
void weft_http_target_add_condition (WeftHttpTarget *target, SoupMessageHeaders *headers);
gboolean weft_http_target_pin (
    WeftHttpTarget *target, SoupMessageHeaders *headers, guint64 size, GError **error);
gboolean weft_http_target_is_pinned (WeftHttpTarget *target);

gchar *weft_http_display_name (const gchar *uri);
gchar *weft_http_without_password (const gchar *uri);

GError *weft_http_error_new (WeftHttpError code, guint status, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);
guint weft_http_error_get_status (const GError *error);

G_END_DECLS
