/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gchar *weft_caption_text_decode (GBytes *bytes, GError **error);

/* The lines of a text, one after another. */
typedef struct {
  gchar *next;
  /* Of the line returned last, from 1. */
  guint number;
} WeftCaptionLines;

gchar *weft_caption_lines_next (WeftCaptionLines *self);
gboolean weft_caption_is_number (const gchar *line);
gboolean weft_caption_parse_time (const gchar **cursor, GstClockTime *time);

G_END_DECLS
