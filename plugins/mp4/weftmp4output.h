/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A file that is written through a pad at any place. Owned by the streaming thread. */
typedef struct {
  GstPad *pad; /* unowned */
  guint64 position;
  gboolean started; /* downstream has had a segment */
} WeftMp4Output;

gboolean weft_mp4_output_seek (WeftMp4Output *output, guint64 position);
GstFlowReturn weft_mp4_output_push (WeftMp4Output *output, guint64 position, GstBuffer *buffer);
GstFlowReturn weft_mp4_output_push_bytes (WeftMp4Output *output, guint64 position, GBytes *bytes);
GstFlowReturn
weft_mp4_output_push_free_header (WeftMp4Output *output, guint64 position, guint64 box_bytes);
GstFlowReturn
weft_mp4_output_push_free (WeftMp4Output *output, guint64 position, guint64 box_bytes);

G_END_DECLS
