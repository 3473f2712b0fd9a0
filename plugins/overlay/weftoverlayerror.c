/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftoverlayerror.h"

typedef struct {
  gchar *pointer;
  gchar *uri;
} WeftOverlayErrorPrivate;

static void
weft_overlay_error_private_init (WeftOverlayErrorPrivate *priv)
{
  priv->pointer = NULL;
  priv->uri = NULL;
}

static void
weft_overlay_error_private_copy (const WeftOverlayErrorPrivate *src, WeftOverlayErrorPrivate *dest)
{
  dest->pointer = g_strdup (src->pointer);
  dest->uri = g_strdup (src->uri);
}

static void
weft_overlay_error_private_clear (WeftOverlayErrorPrivate *priv)
{
  g_clear_pointer (&priv->pointer, g_free);
  g_clear_pointer (&priv->uri, g_free);
}

G_DEFINE_EXTENDED_ERROR (WeftOverlayError, weft_overlay_error)

/* GStreamer's own domains, so that an application needs to know none of ours. */
static void
get_gst_code (const GError *error, GQuark *domain, gint *code)
{
  *domain = GST_RESOURCE_ERROR;
  *code = GST_RESOURCE_ERROR_FAILED;
  if (error->domain != WEFT_OVERLAY_ERROR)
    return;
  switch ((WeftOverlayError) error->code) {
    case WEFT_OVERLAY_ERROR_INVALID:
      *code = GST_RESOURCE_ERROR_SETTINGS;
      break;
    case WEFT_OVERLAY_ERROR_NOT_FOUND:
      *code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case WEFT_OVERLAY_ERROR_DENIED:
      *code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
    case WEFT_OVERLAY_ERROR_UNSUPPORTED:
      *domain = GST_STREAM_ERROR;
      *code = GST_STREAM_ERROR_CODEC_NOT_FOUND;
      break;
    case WEFT_OVERLAY_ERROR_DAMAGED:
    case WEFT_OVERLAY_ERROR_TOO_LARGE:
      *domain = GST_STREAM_ERROR;
      *code = GST_STREAM_ERROR_DECODE;
      break;
    case WEFT_OVERLAY_ERROR_FAILED:
      break;
  }
}

/**
 * weft_overlay_error_new:
 * @code: what kind of problem
 * @pointer: (nullable): the JSON Pointer (RFC 6901) of the value that is wrong
 * @uri: (nullable): the file or URL it names
 * @format: one sentence without a full stop
 */
GError *
weft_overlay_error_new (
    WeftOverlayError code, const gchar *pointer, const gchar *uri, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  GError *error = g_error_new_valist (WEFT_OVERLAY_ERROR, (gint) code, format, args);
  va_end (args);
  weft_overlay_error_locate (error, pointer, uri);
  return error;
}

void
weft_overlay_set_error (
    GError **error, WeftOverlayError code, const gchar *pointer, const gchar *format, ...)
{
  va_list args;

  if (error == NULL)
    return;
  va_start (args, format);
  *error = g_error_new_valist (WEFT_OVERLAY_ERROR, (gint) code, format, args);
  va_end (args);
  weft_overlay_error_locate (*error, pointer, NULL);
}

/**
 * weft_overlay_error_locate:
 * @error: an error of this domain
 *
 * Says where @error happened, unless it already knows better.
 */
void
weft_overlay_error_locate (GError *error, const gchar *pointer, const gchar *uri)
{
  g_return_if_fail (error->domain == WEFT_OVERLAY_ERROR);
  WeftOverlayErrorPrivate *priv = weft_overlay_error_get_private (error);
  if (priv->pointer == NULL)
    priv->pointer = g_strdup (pointer);
  if (priv->uri == NULL)
    priv->uri = g_strdup (uri);
}

const gchar *
weft_overlay_error_get_pointer (const GError *error)
{
  if (error->domain != WEFT_OVERLAY_ERROR)
    return NULL;
  const WeftOverlayErrorPrivate *priv = weft_overlay_error_get_private (error);
  return priv->pointer;
}

const gchar *
weft_overlay_error_get_uri (const GError *error)
{
  if (error->domain != WEFT_OVERLAY_ERROR)
    return NULL;
  const WeftOverlayErrorPrivate *priv = weft_overlay_error_get_private (error);
  return priv->uri;
}

/**
 * weft_overlay_error_post:
 * @type: %GST_MESSAGE_ERROR or %GST_MESSAGE_WARNING
 *
 * Posts @error with the details `pointer` and `uri`.
 */
void
weft_overlay_error_post (GstElement *element, GstMessageType type, const GError *error)
{
  const gchar *pointer = weft_overlay_error_get_pointer (error);
  const gchar *uri = weft_overlay_error_get_uri (error);
  GstStructure *details = gst_structure_new_empty ("details");
  GQuark domain;
  gint code;

  if (pointer != NULL)
    gst_structure_set (details, "pointer", G_TYPE_STRING, pointer, NULL);
  if (uri != NULL)
    gst_structure_set (details, "uri", G_TYPE_STRING, uri, NULL);
  get_gst_code (error, &domain, &code);
  gst_element_message_full_with_details (element, type, domain, code, g_strdup (error->message),
      g_strdup_printf ("%s%s%s", pointer != NULL ? pointer : "timeline", uri != NULL ? " " : "",
          uri != NULL ? uri : ""),
      __FILE__, G_STRFUNC, __LINE__, details);
}
