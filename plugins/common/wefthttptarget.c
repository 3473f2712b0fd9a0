/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "wefthttptarget.h"

#include <string.h>

struct _WeftHttpTarget {
  WeftHttpSettings settings;
  GUri *original;
  GUri *current; /* after redirects */
  gchar *authorization;
  gchar *display_name;
  WeftHttpPrepareFunc prepare;
  gpointer prepare_data;

  /* What the first answer said; all later ones must say the same. */
  gboolean pinned;
  gchar *etag;
  gchar *last_modified;
  guint64 size;

  GMutex lock; /* guards stats; taken alone */
  WeftHttpStats stats;
};

/* ---- errors ---- */

typedef struct {
  guint status;
} WeftHttpErrorPrivate;

static void
weft_http_error_private_init (WeftHttpErrorPrivate *priv)
{}

static void
weft_http_error_private_copy (const WeftHttpErrorPrivate *source, WeftHttpErrorPrivate *copy)
{
  *copy = *source;
}

static void
weft_http_error_private_clear (WeftHttpErrorPrivate *priv)
{}

G_DEFINE_EXTENDED_ERROR (WeftHttpError, weft_http_error)

/* @status is the HTTP status behind it, or 0. */
GError *
weft_http_error_new (WeftHttpError code, guint status, const gchar *format, ...)
{
  GError *error;
  va_list arguments;

  va_start (arguments, format);
  error = g_error_new_valist (WEFT_HTTP_ERROR, (gint) code, format, arguments);
  va_end (arguments);
  weft_http_error_get_private (error)->status = status;
  return error;
}

guint
weft_http_error_get_status (const GError *error)
{
  return error->domain == WEFT_HTTP_ERROR ? weft_http_error_get_private (error)->status : 0;
}

/* ---- addresses ---- */

/* GLib takes any decoded text for a host. */
static gboolean
has_host (GUri *uri)
{
  const gchar *host = g_uri_get_host (uri);

  return host != NULL && *host != '\0' && strpbrk (host, " \t\r\n\"<>\\^`{|}/?#") == NULL;
}

static GUri *
parse_uri (const gchar *uri, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GUri) parsed =
      g_uri_parse (uri, SOUP_HTTP_URI_FLAGS | G_URI_FLAGS_HAS_PASSWORD, &reason);

  if (parsed != NULL && has_host (parsed)
      && (g_str_equal (g_uri_get_scheme (parsed), "http")
          || g_str_equal (g_uri_get_scheme (parsed), "https")))
    return g_steal_pointer (&parsed);
  g_propagate_error (
      error, weft_http_error_new (WEFT_HTTP_ERROR_INVALID_URI, 0, "%s",
                 reason != NULL ? reason->message : "it is no http or https address"));
  return NULL;
}

/* Secrets live in the user part and, in signed addresses, in the query: neither is shown. */
static gchar *
display_name_of (GUri *uri)
{
  g_autoptr (GUri) shown = g_uri_build (SOUP_HTTP_URI_FLAGS, g_uri_get_scheme (uri), NULL,
      g_uri_get_host (uri), g_uri_get_port (uri), g_uri_get_path (uri), NULL, NULL);

  return g_uri_to_string (shown);
}

/**
 * weft_http_display_name:
 * @uri: an address
 *
 * Returns: (transfer full): @uri without user, password, query and fragment, for messages and logs
 */
gchar *
weft_http_display_name (const gchar *uri)
{
  g_autoptr (GUri) parsed = uri != NULL ? parse_uri (uri, NULL) : NULL;

  return parsed != NULL ? display_name_of (parsed) : g_strdup ("(no address)");
}

/**
 * weft_http_without_password:
 * @uri: an address
 *
 * Returns: (transfer full): @uri without user and password, fit for a property that dumps show
 */
gchar *
weft_http_without_password (const gchar *uri)
{
  g_autoptr (GUri) parsed = uri != NULL ? parse_uri (uri, NULL) : NULL;

  if (parsed == NULL || g_uri_get_userinfo (parsed) == NULL)
    return g_strdup (uri);
  return g_uri_to_string_partial (parsed, G_URI_HIDE_USERINFO);
}

static gchar *
basic_authorization (GUri *uri)
{
  g_autofree gchar *pair = NULL;
  g_autofree gchar *encoded = NULL;

  if (g_uri_get_user (uri) == NULL)
    return NULL;
  pair = g_strdup_printf ("%s:%s", g_uri_get_user (uri),
      g_uri_get_password (uri) != NULL ? g_uri_get_password (uri) : "");
  encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
  return g_strdup_printf ("Basic %s", encoded);
}

static GUri *
without_user (GUri *uri)
{
  return soup_uri_copy (
      uri, SOUP_URI_USER, NULL, SOUP_URI_PASSWORD, NULL, SOUP_URI_FRAGMENT, NULL, SOUP_URI_NONE);
}

static gboolean
same_origin (GUri *a, GUri *b)
{
  return g_str_equal (g_uri_get_scheme (a), g_uri_get_scheme (b))
         && g_ascii_strcasecmp (g_uri_get_host (a), g_uri_get_host (b)) == 0
         && g_uri_get_port (a) == g_uri_get_port (b);
}

/**
 * weft_http_target_new:
 * @uri: an `http` or `https` address, which may hold a user and a password
 * @settings: limits
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the target
 */
WeftHttpTarget *
weft_http_target_new (const gchar *uri, const WeftHttpSettings *settings, GError **error)
{
  g_autoptr (GUri) parsed = parse_uri (uri, error);
  WeftHttpTarget *target;

  if (parsed == NULL)
    return NULL;
  target = g_new0 (WeftHttpTarget, 1);
  g_mutex_init (&target->lock);
  target->settings = *settings;
  target->original = without_user (parsed);
  target->current = g_uri_ref (target->original);
  target->authorization = basic_authorization (parsed);
  target->display_name = display_name_of (parsed);
  return target;
}

void
weft_http_target_free (WeftHttpTarget *target)
{
  if (target == NULL)
    return;
  g_uri_unref (target->original);
  g_uri_unref (target->current);
  g_free (target->authorization);
  g_free (target->display_name);
  g_free (target->etag);
  g_free (target->last_modified);
  g_mutex_clear (&target->lock);
  g_free (target);
}

/* Before the first request only. */
void
weft_http_target_set_prepare_func (
    WeftHttpTarget *target, WeftHttpPrepareFunc func, gpointer user_data)
{
  target->prepare = func;
  target->prepare_data = user_data;
}

const gchar *
weft_http_target_get_display_name (WeftHttpTarget *target)
{
  return target->display_name;
}

const WeftHttpSettings *
weft_http_target_get_settings (WeftHttpTarget *target)
{
  return &target->settings;
}

void
weft_http_target_get_stats (WeftHttpTarget *target, WeftHttpStats *stats)
{
  g_mutex_lock (&target->lock);
  *stats = target->stats;
  g_mutex_unlock (&target->lock);
}

void
weft_http_target_count (WeftHttpTarget *target, guint requests, guint64 bytes, guint retries)
{
  g_mutex_lock (&target->lock);
  target->stats.requests += requests;
  target->stats.bytes += bytes;
  target->stats.retries += retries;
  g_mutex_unlock (&target->lock);
}

/* ---- requests ---- */

/* A GET for the object, without a range. */
SoupMessage *
weft_http_target_new_message (WeftHttpTarget *target, GError **error)
{
  g_autoptr (SoupMessage) message = soup_message_new_from_uri ("GET", target->current);
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  /* Followed here, so that their number, their security and the password are looked after. */
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  if (target->authorization != NULL && same_origin (target->current, target->original))
    soup_message_headers_replace (headers, "Authorization", target->authorization);
  if (target->prepare != NULL && !target->prepare (message, target->prepare_data, error))
    return NULL;
  return g_steal_pointer (&message);
}

/* RFC 9110, 15.4. Later requests go where this one was sent. */
gboolean
weft_http_target_redirect (WeftHttpTarget *target, const gchar *location, GError **error)
{
  g_autoptr (GUri) next = NULL;
  g_autoptr (GUri) bare = NULL;

  if (location != NULL)
    next = g_uri_parse_relative (
        target->current, location, SOUP_HTTP_URI_FLAGS | G_URI_FLAGS_HAS_PASSWORD, NULL);
  if (next == NULL || !has_host (next)
      || (!g_str_equal (g_uri_get_scheme (next), "http")
          && !g_str_equal (g_uri_get_scheme (next), "https"))) {
    g_propagate_error (error, weft_http_error_new (WEFT_HTTP_ERROR_UNSUPPORTED, 0,
                                  "the server redirects to no http or https address"));
    return FALSE;
  }
  if (g_str_equal (g_uri_get_scheme (target->current), "https")
      && !g_str_equal (g_uri_get_scheme (next), "https")) {
    g_propagate_error (
        error, weft_http_error_new (WEFT_HTTP_ERROR_DENIED, 0,
                   "the server redirects from https to http, which is not followed"));
    return FALSE;
  }
  bare = without_user (next);
  g_uri_unref (target->current);
  target->current = g_steal_pointer (&bare);
  return TRUE;
}

/* A redirect may have led to an address that is valid for a while only. Returns whether there
 * was one to forget. */
gboolean
weft_http_target_undo_redirects (WeftHttpTarget *target)
{
  gboolean was_redirected = target->current != target->original;

  g_uri_unref (target->current);
  target->current = g_uri_ref (target->original);
  return was_redirected;
}

static gboolean
is_strong (const gchar *etag)
{
  return etag != NULL && etag[0] == '"';
}

/* RFC 9110, 13.1.5: a changed object comes whole, with status 200, instead of in part. */
void
weft_http_target_add_condition (WeftHttpTarget *target, SoupMessageHeaders *headers)
{
  if (!target->pinned)
    return;
  if (is_strong (target->etag))
    soup_message_headers_replace (headers, "If-Range", target->etag);
  else if (target->etag == NULL && target->last_modified != NULL)
    soup_message_headers_replace (headers, "If-Range", target->last_modified);
}

/**
 * weft_http_target_pin:
 * @target: a target
 * @headers: of an answer with content
 * @size: size of the whole object, %G_MAXUINT64 if the answer does not say
 * @error: return location
 *
 * Remembers what the first answer said of the object. For a later answer, says whether it is
 * still the same object; servers exist that ignore conditions, so this never relies on them.
 *
 * Returns: %FALSE with %WEFT_HTTP_ERROR_CHANGED if it is another
 */
gboolean
weft_http_target_pin (
    WeftHttpTarget *target, SoupMessageHeaders *headers, guint64 size, GError **error)
{
  const gchar *etag = soup_message_headers_get_one (headers, "ETag");
  const gchar *last_modified = soup_message_headers_get_one (headers, "Last-Modified");
  const gchar *what = NULL;

  if (!target->pinned) {
    target->pinned = TRUE;
    target->etag = g_strdup (etag);
    target->last_modified = g_strdup (last_modified);
    target->size = size;
    return TRUE;
  }
  if (size != target->size)
    what = "size";
  else if (target->etag != NULL && g_strcmp0 (etag, target->etag) != 0)
    what = "ETag";
  else if (target->etag == NULL && g_strcmp0 (last_modified, target->last_modified) != 0)
    what = "Last-Modified";
  if (what == NULL)
    return TRUE;
  g_propagate_error (
      error, weft_http_error_new (WEFT_HTTP_ERROR_CHANGED, 0,
                 "it was replaced on the server while it was read (another %s)", what));
  return FALSE;
}

gboolean
weft_http_target_is_pinned (WeftHttpTarget *target)
{
  return target->pinned;
}
