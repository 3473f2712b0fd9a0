/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftmp4output.h"

G_BEGIN_DECLS

/* The first media data, kept in memory so that it can still be written elsewhere. */
typedef struct {
  GQueue buffers; /* GstBuffer, in order */
  guint64 bytes;
  guint64 limit_bytes;
  gboolean closed; /* nothing more is added */
} WeftMp4Head;

void weft_mp4_head_clear (WeftMp4Head *head, guint64 limit_bytes);
void weft_mp4_head_close (WeftMp4Head *head);
void weft_mp4_head_keep (WeftMp4Head *head, GstBuffer *buffer);
GstFlowReturn
weft_mp4_head_push (WeftMp4Head *head, WeftMp4Output *output, guint64 position, guint64 bytes);

G_END_DECLS
