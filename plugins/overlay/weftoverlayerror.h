/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * WEFT_OVERLAY_ERROR:
 *
 * What goes wrong between the JSON of a timeline and a surface that can be blended. Every error
 * knows the JSON Pointer of the item it is about and, where there is one, the URI.
 */
#define WEFT_OVERLAY_ERROR (weft_overlay_error_quark ())

typedef enum {
  WEFT_OVERLAY_ERROR_INVALID,
  WEFT_OVERLAY_ERROR_UNSUPPORTED,
  WEFT_OVERLAY_ERROR_NOT_FOUND,
  WEFT_OVERLAY_ERROR_DENIED,
  WEFT_OVERLAY_ERROR_DAMAGED,
  WEFT_OVERLAY_ERROR_TOO_LARGE,
  WEFT_OVERLAY_ERROR_FAILED,
} WeftOverlayError;

GQuark weft_overlay_error_quark (void);

GError *weft_overlay_error_new (WeftOverlayError code, const gchar *pointer, const gchar *uri,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);
void weft_overlay_set_error (GError **error, WeftOverlayError code, const gchar *pointer,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

const gchar *weft_overlay_error_get_pointer (const GError *error);
const gchar *weft_overlay_error_get_uri (const GError *error);
void weft_overlay_error_locate (GError *error, const gchar *pointer, const gchar *uri);

void weft_overlay_error_post (GstElement *element, GstMessageType type, const GError *error);

G_END_DECLS
