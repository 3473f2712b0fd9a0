/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Fetches what items name from servers. */

#include "weftoverlaysource.h"
#include "weftrangereader.h"

static WeftOverlayError
translate_code (const GError *error)
{
  if (error->domain != WEFT_HTTP_ERROR)
    return WEFT_OVERLAY_ERROR_FAILED;
  switch ((WeftHttpError) error->code) {
    case WEFT_HTTP_ERROR_NOT_FOUND:
      return WEFT_OVERLAY_ERROR_NOT_FOUND;
    case WEFT_HTTP_ERROR_DENIED:
      return WEFT_OVERLAY_ERROR_DENIED;
    case WEFT_HTTP_ERROR_INVALID_URI:
      return WEFT_OVERLAY_ERROR_INVALID;
    case WEFT_HTTP_ERROR_TOO_LARGE:
      return WEFT_OVERLAY_ERROR_TOO_LARGE;
    default:
      return WEFT_OVERLAY_ERROR_FAILED;
  }
}

static void
cancelled_cb (GCancellable *cancellable, WeftRangeReader *reader)
{
  weft_range_reader_set_flushing (reader, TRUE);
}

static GBytes *
read_all (WeftRangeReader *reader, gsize max_bytes, GError **error)
{
  guint64 size;
  gsize got;

  if (!weft_range_reader_wait_size (reader, &size, error))
    return NULL;
  if (size > max_bytes) {
    g_set_error (error, WEFT_HTTP_ERROR, WEFT_HTTP_ERROR_TOO_LARGE,
        "it has more than %" G_GSIZE_FORMAT " MiB", max_bytes >> 20);
    return NULL;
  }
  g_autofree guint8 *data = g_malloc (MAX (size, 1));
  if (!weft_range_reader_read (reader, 0, data, (gsize) size, &got, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), got);
}

/**
 * weft_overlay_remote_load:
 * @uri: of the scheme http or https
 * @max_bytes: a longer file is refused
 *
 * Returns: (transfer full) (nullable): the whole file
 */
GBytes *
weft_overlay_remote_load (
    const gchar *uri, gsize max_bytes, GCancellable *cancellable, GError **error)
{
  WeftRangeSettings settings = WEFT_RANGE_SETTINGS_DEFAULT;
  /* Without what only the server should see. */
  g_autofree gchar *name = weft_http_display_name (uri);
  g_autoptr (GError) http_error = NULL;
  gulong id = 0;

  settings.spool_bytes = max_bytes;
  g_autoptr (WeftRangeReader) reader = weft_range_reader_new (uri, &settings, &http_error);
  GBytes *bytes = NULL;
  if (reader != NULL) {
    if (cancellable != NULL)
      id = g_cancellable_connect (cancellable, G_CALLBACK (cancelled_cb), reader, NULL);
    bytes = read_all (reader, max_bytes, &http_error);
    g_cancellable_disconnect (cancellable, id);
  }
  if (bytes == NULL)
    g_propagate_error (error, weft_overlay_error_new (translate_code (http_error), NULL, name,
                                  "cannot read %s: %s", name, http_error->message));
  return bytes;
}
