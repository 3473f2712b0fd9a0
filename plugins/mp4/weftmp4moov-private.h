/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftmp4moov.h"

/* The functions of the library, not the macros: those read numbers as if they were aligned. */
#define GST_BYTE_READER_DISABLE_INLINES
#include <gst/base/gstbytereader.h>

#include "weftmp4bytes.h"

G_BEGIN_DECLS

#define BOX(a, b, c, d)                                                                            \
  ((guint32) (a) << 24 | (guint32) (b) << 16 | (guint32) (c) << 8 | (guint32) (d))
#define BOX_MOOV BOX ('m', 'o', 'o', 'v')
#define BOX_MVHD BOX ('m', 'v', 'h', 'd')
#define BOX_MVEX BOX ('m', 'v', 'e', 'x')
#define BOX_TRAK BOX ('t', 'r', 'a', 'k')
#define BOX_TKHD BOX ('t', 'k', 'h', 'd')
#define BOX_EDTS BOX ('e', 'd', 't', 's')
#define BOX_ELST BOX ('e', 'l', 's', 't')
#define BOX_MDIA BOX ('m', 'd', 'i', 'a')
#define BOX_MDHD BOX ('m', 'd', 'h', 'd')
#define BOX_HDLR BOX ('h', 'd', 'l', 'r')
#define BOX_MINF BOX ('m', 'i', 'n', 'f')
#define BOX_STBL BOX ('s', 't', 'b', 'l')
#define BOX_STSD BOX ('s', 't', 's', 'd')
#define BOX_STTS BOX ('s', 't', 't', 's')
#define BOX_CTTS BOX ('c', 't', 't', 's')
#define BOX_STSC BOX ('s', 't', 's', 'c')
#define BOX_STSZ BOX ('s', 't', 's', 'z')
#define BOX_STCO BOX ('s', 't', 'c', 'o')
#define BOX_CO64 BOX ('c', 'o', '6', '4')
#define BOX_SGPD BOX ('s', 'g', 'p', 'd')
#define BOX_SBGP BOX ('s', 'b', 'g', 'p')
#define BOX_MP4A BOX ('m', 'p', '4', 'a')
#define BOX_ESDS BOX ('e', 's', 'd', 's')
/* Where the 16.16 sample rate is in the payload of a sample description box with one entry: after
 * version and count, the entry's header and 24 bytes of its own (ISO/IEC 14496-12, 12.2.3). */
#define STSD_RATE_OFFSET (8 + 8 + 24)
#define GROUPING_ROLL BOX ('r', 'o', 'l', 'l')
#define HANDLER_VIDE BOX ('v', 'i', 'd', 'e')
#define HANDLER_SOUN BOX ('s', 'o', 'u', 'n')

/* A box without its header; @type 0 is none. */
typedef struct {
  guint32 type;
  const guint8 *payload;
  guint payload_bytes;
} Box;

typedef struct {
  guint32 count;
  guint32 delta;
} SttsRun;

typedef struct {
  guint32 count;
  gint32 offset;
} CttsRun;

typedef struct {
  guint32 first_chunk;
  guint32 samples;
  guint32 description;
} StscRun;

/* An edit. An empty one is in ticks of the old movie timescale, the other kind in media ticks. */
typedef struct {
  gboolean empty;
  guint64 duration;
  guint64 media_time;
} Edit;

typedef struct {
  guint32 handler;
  guint32 timescale;
  guint64 samples;
  guint32 constant_bytes;
  gboolean is_aac;
  guint32 sample_rate;
  gboolean false_rate; /* the sample description says another rate, for it cannot say this one */
  GArray *stts;
  GArray *ctts; /* NULL where decoding order is presentation order */
  GArray *stsc;
  GArray *sizes;
  GArray *chunks; /* guint64 offsets in the input file */
  GArray *edits;
  guint64 presented_ticks;
  gboolean dropped;
  gboolean add_roll_group;
} Track;

struct _WeftMp4Moov {
  GBytes *bytes;
  Box root;
  guint32 timescale;
  guint32 new_timescale;
  guint64 new_duration;
  gboolean fragmented;
  GPtrArray *tracks;
  WeftMp4MoovInfo info;
};

gboolean weft_mp4_malformed (GError **error, guint32 type, const gchar *what);
gboolean weft_mp4_next_box (GstByteReader *reader, guint32 parent, Box *box, GError **error);
guint64 weft_mp4_track_ticks (const Track *track);

static inline GstByteReader
weft_mp4_box_reader (const Box *box)
{
  GstByteReader reader;

  gst_byte_reader_init (&reader, box->payload, box->payload_bytes);
  return reader;
}

G_END_DECLS
