/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-probe.h"

G_BEGIN_DECLS

/* What the source is, before GStreamer reads it. */
typedef struct {
  gchar *uri;
  gchar *identity; /* (nullable): what changes when the content does */
  guint64 size;    /* bytes; G_MAXUINT64 when it is not known */
  gboolean local;
} WeftSourceFile;

void weft_source_file_clear (WeftSourceFile *self);
gboolean weft_source_file_check (const gchar *uri, WeftSourceFile *file, GCancellable *cancellable, GError **error);
gboolean weft_source_file_check_boxes (const WeftSourceFile *file, GCancellable *cancellable, GError **error);
gchar *weft_source_http_identity (const GstStructure *headers, guint64 *size);

typedef enum {
  WEFT_STREAM_OTHER,
  WEFT_STREAM_VIDEO,
  WEFT_STREAM_IMAGE, /* a picture format that may also be a video codec: JPEG, PNG, WebP */
  WEFT_STREAM_AUDIO,
  WEFT_STREAM_ENCRYPTED,
} WeftStreamKind;

WeftStreamKind weft_stream_kind (const GstCaps *caps);
gchar *weft_stream_find_decoder (const GstCaps *caps);
gchar *weft_stream_describe (const GstCaps *caps);
const gchar *weft_stream_codec_name (const GstCaps *caps);
const gchar *weft_stream_package_hint (const GstCaps *caps);
JsonObject *weft_stream_video_to_json (const GstCaps *caps, const gchar *orientation);
JsonObject *weft_stream_audio_to_json (const GstCaps *caps);

G_END_DECLS
