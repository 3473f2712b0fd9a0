/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fetches what items name: local files, and what servers have. */

#include "weftoverlaysource.h"

#include <string.h>

#ifdef WEFT_HAVE_HTTP
#include "weftrangereader.h"
#define READABLE "file:, http: and https:"
#else
#define READABLE "file:"
#endif

static GError *
translate_error (const GError *error, const gchar *uri)
{
  WeftOverlayError code = WEFT_OVERLAY_ERROR_FAILED;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return weft_overlay_error_new (
        WEFT_OVERLAY_ERROR_NOT_FOUND, NULL, uri, "the file does not exist: %s", uri);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    code = WEFT_OVERLAY_ERROR_DENIED;
  return weft_overlay_error_new (code, NULL, uri, "cannot read %s: %s", uri, error->message);
}

/**
 * weft_overlay_source_resolve:
 * @uri: a URI, or a path absolute or relative to @base_folder
 *
 * Returns: (transfer full) (nullable): an absolute URI
 */
gchar *
weft_overlay_source_resolve (const gchar *uri, const gchar *base_folder, GError **error)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  if (uri[0] == '\0') {
    g_set_error_literal (error, WEFT_OVERLAY_ERROR, WEFT_OVERLAY_ERROR_INVALID, "the URI is empty");
    return NULL;
  }
  /* A scheme of one letter would be a drive. */
  if (scheme != NULL && scheme[1] != '\0') {
    if (g_str_equal (scheme, "file") || weft_overlay_source_is_remote (uri))
      return g_strdup (uri);
    g_set_error (error, WEFT_OVERLAY_ERROR, WEFT_OVERLAY_ERROR_UNSUPPORTED,
        "this build reads files from " READABLE " only, not from %s:", scheme);
    return NULL;
  }
  g_autofree gchar *path = g_canonicalize_filename (uri, base_folder);
  return g_filename_to_uri (path, NULL, error);
}

/**
 * weft_overlay_source_is_remote:
 *
 * Returns: whether @uri is read from a server, which takes its time and is not checked beforehand
 */
gboolean
weft_overlay_source_is_remote (const gchar *uri)
{
#ifdef WEFT_HAVE_HTTP
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  return g_strcmp0 (scheme, "http") == 0 || g_strcmp0 (scheme, "https") == 0;
#else
  return FALSE;
#endif
}

/**
 * weft_overlay_source_get_name:
 *
 * Returns: (transfer full): @uri as it may be shown: without what only its server should see
 */
gchar *
weft_overlay_source_get_name (const gchar *uri)
{
#ifdef WEFT_HAVE_HTTP
  if (weft_overlay_source_is_remote (uri))
    return weft_http_display_name (uri);
#endif
  return g_strdup (uri);
}

static gchar *
get_local_path (const gchar *uri, GError **error)
{
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  if (g_strcmp0 (scheme, "file") != 0) {
    g_propagate_error (error,
        weft_overlay_error_new (WEFT_OVERLAY_ERROR_UNSUPPORTED, NULL, uri,
            "pictures and fonts are read from file:, http:, https: and s3: only, not from %s",
            uri));
    return NULL;
  }
  gchar *path = g_filename_from_uri (uri, NULL, NULL);
  if (path == NULL)
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_INVALID, NULL, uri,
                                  "not a valid file URI: %s", uri));
  return path;
}

/**
 * weft_overlay_source_check:
 *
 * Whether @uri names a file that is there and may be read; without reading it. What is on a server
 * is not asked for.
 */
gboolean
weft_overlay_source_check (const gchar *uri, GError **error)
{
  if (weft_overlay_source_is_remote (uri))
    return TRUE;
  g_autofree gchar *path = get_local_path (uri, error);

  if (path == NULL)
    return FALSE;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) io_error = NULL;
  g_autoptr (GFileInfo) info =
      g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_TYPE "," G_FILE_ATTRIBUTE_ACCESS_CAN_READ,
          G_FILE_QUERY_INFO_NONE, NULL, &io_error);
  if (info == NULL) {
    g_propagate_error (error, translate_error (io_error, uri));
    return FALSE;
  }
  /* Only a regular file: a FIFO or a device could keep the reader for ever. */
  if (g_file_info_get_file_type (info) != G_FILE_TYPE_REGULAR) {
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_INVALID, NULL, uri,
                                  "%s is not a regular file", uri));
    return FALSE;
  }
  if (!g_file_info_get_attribute_boolean (info, G_FILE_ATTRIBUTE_ACCESS_CAN_READ)) {
    g_propagate_error (error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_DENIED, NULL, uri,
                                  "%s may not be read by this user", uri));
    return FALSE;
  }
  return TRUE;
}

/**
 * weft_overlay_source_load:
 * @max_bytes: a longer file is refused
 * @cancellable: ends the waiting for a server
 *
 * Returns: (transfer full) (nullable): the whole file
 */
GBytes *
weft_overlay_source_load (
    const gchar *uri, gsize max_bytes, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) io_error = NULL;

#ifdef WEFT_HAVE_HTTP
  if (weft_overlay_source_is_remote (uri))
    return weft_overlay_remote_load (uri, max_bytes, cancellable, error);
#endif
  if (!weft_overlay_source_check (uri, error))
    return NULL;
  g_autofree gchar *path = get_local_path (uri, error);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInfo) info = g_file_query_info (
      file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, cancellable, &io_error);
  if (info != NULL && (guint64) g_file_info_get_size (info) > max_bytes) {
    g_propagate_error (
        error, weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE, NULL, uri,
                   "%s has more than %" G_GSIZE_FORMAT " MiB", uri, max_bytes >> 20));
    return NULL;
  }
  GBytes *bytes = info != NULL ? g_file_load_bytes (file, cancellable, NULL, &io_error) : NULL;
  if (bytes == NULL)
    g_propagate_error (error, translate_error (io_error, uri));
  return bytes;
}
