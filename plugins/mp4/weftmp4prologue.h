/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstadapter.h>

G_BEGIN_DECLS

#define WEFT_MP4_FOURCC(a, b, c, d)                                                                \
  ((guint32) (a) << 24 | (guint32) (b) << 16 | (guint32) (c) << 8 | (guint32) (d))

/* mp4mux reserves 16 bytes: an empty `free` box and a 32-bit `mdat`, or one 64-bit `mdat`. */
#define WEFT_MP4_MDAT_PLACE_BYTES 16

#define WEFT_MP4_MOOV_MAX_BYTES (512u * 1024 * 1024)

/**
 * WeftMp4Way:
 * @WEFT_MP4_WAY_UNKNOWN: more bytes are needed
 * @WEFT_MP4_WAY_OPEN: media data of unknown length begins, its header to be patched at the end
 * @WEFT_MP4_WAY_BOXES: all boxes have their length; a movie header may have come first
 * @WEFT_MP4_WAY_OTHER: a way of writing that cannot be laid out
 * @WEFT_MP4_WAY_BROKEN: nothing mp4mux writes
 *
 * The ways in which mp4mux writes a file, told by its first boxes.
 */
typedef enum {
  WEFT_MP4_WAY_UNKNOWN,
  WEFT_MP4_WAY_OPEN,
  WEFT_MP4_WAY_BOXES,
  WEFT_MP4_WAY_OTHER,
  WEFT_MP4_WAY_BROKEN,
} WeftMp4Way;

/**
 * WeftMp4Prologue:
 * @bytes: what stands before the media data
 * @has_moov: a movie header is among it
 * @moov_at: its offset
 * @moov_bytes: its size
 * @reason: for the last two ways: why
 */
typedef struct {
  gsize bytes;
  gboolean has_moov;
  gsize moov_at;
  gsize moov_bytes;
  const gchar *reason;
} WeftMp4Prologue;

WeftMp4Way weft_mp4_prologue_scan (GstAdapter *adapter, WeftMp4Prologue *prologue);
gboolean weft_mp4_parse_mdat_place (const guint8 *data, guint64 *payload_bytes);

G_END_DECLS
