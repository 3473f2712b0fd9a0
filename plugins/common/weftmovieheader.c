/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What qtdemux reads of a movie header.
 *
 * qtdemux 1.22 ends a track where its media time passes the movie's duration, although the media
 * time of what is presented first need not be 0: AAC with its priming loses its last packet, and a
 * file that was trimmed at the start with an edit list loses as much at the end as was trimmed, of
 * its sound and, from the next keyframe on, of its pictures. It also leaves out every track that is
 * shorter than a fifth of the movie. It does neither in a movie that does not say how long it is;
 * edit lists and tracks say so themselves.
 */
#include "weftmovieheader.h"

#include <string.h>

#define BOX(a, b, c, d)                                                                            \
  ((guint32) (a) << 24 | (guint32) (b) << 16 | (guint32) (c) << 8 | (guint32) (d))
#define BOX_MOOV BOX ('m', 'o', 'o', 'v')
#define BOX_MVHD BOX ('m', 'v', 'h', 'd')
#define BOX_MVEX BOX ('m', 'v', 'e', 'x')
#define BOX_HEADER_BYTES 8
#define LARGE_BOX_HEADER_BYTES 16
/* Offsets in the payload of `mvhd`, version 0 and version 1 (ISO/IEC 14496-12, 8.2.2). */
#define TIMESCALE_OFFSET_0 12
#define TIMESCALE_OFFSET_1 20

typedef struct {
  guint8 *payload; /* points into what is read */
  gsize bytes;
} Box;

/* A big-endian number. The macros of GStreamer read memory as if it were aligned. */
static guint64
get_uint (const guint8 *data, gsize bytes)
{
  guint64 value = 0;

  for (gsize i = 0; i < bytes; i++)
    value = value << 8 | data[i];
  return value;
}

/* Takes the first box off the *@size bytes at *@data. Returns: %FALSE if it is not whole */
static gboolean
take_box (guint8 **data, gsize *size, guint32 *type, Box *box)
{
  gsize header = BOX_HEADER_BYTES;
  guint64 box_size;

  if (*size < header)
    return FALSE;
  box_size = get_uint (*data, 4);
  *type = (guint32) get_uint (*data + 4, 4);
  if (box_size == 1) {
    header = LARGE_BOX_HEADER_BYTES;
    if (*size < header)
      return FALSE;
    box_size = get_uint (*data + BOX_HEADER_BYTES, 8);
  }
  if (box_size < header || box_size > *size)
    return FALSE;
  box->payload = *data + header;
  box->bytes = (gsize) box_size - header;
  *data += box_size;
  *size -= (gsize) box_size;
  return TRUE;
}

static gboolean
find_box (const Box *parent, guint32 wanted, Box *box)
{
  guint8 *data = parent->payload;
  gsize size = parent->bytes;
  guint32 type;

  while (take_box (&data, &size, &type, box)) {
    if (type == wanted)
      return TRUE;
  }
  return FALSE;
}

/* The duration, as qtdemux would say it, and 0 in its place. */
static gboolean
clear_duration (const Box *mvhd, GstClockTime *duration)
{
  gsize at = TIMESCALE_OFFSET_0, width = 4;
  guint64 timescale, ticks;

  if (mvhd->bytes > 0 && mvhd->payload[0] == 1) {
    at = TIMESCALE_OFFSET_1;
    width = 8;
  }
  if (mvhd->bytes < at + 4 + width || mvhd->payload[0] > 1)
    return FALSE;
  timescale = get_uint (mvhd->payload + at, 4);
  at += 4;
  ticks = get_uint (mvhd->payload + at, width);
  if (timescale == 0 || ticks == 0)
    return FALSE;
  *duration = gst_util_uint64_scale (ticks, GST_SECOND, timescale);
  memset (mvhd->payload + at, 0, width);
  return TRUE;
}

/* Takes the duration out of *@buffer (replaced) if that is a whole `moov` box. The header of a
 * fragmented movie stays as it is: its duration is counted together from the fragments. */
static gboolean
hide_duration (GstBuffer **buffer, GstClockTime *duration)
{
  guint8 name[4];
  guint32 type;
  Box moov, mvhd, mvex;
  GstMapInfo map;
  gboolean hidden = FALSE;
  guint8 *data;
  gsize size;

  if (gst_buffer_extract (*buffer, 4, name, sizeof name) != sizeof name
      || get_uint (name, sizeof name) != BOX_MOOV)
    return FALSE;
  *buffer = gst_buffer_make_writable (*buffer);
  if (!gst_buffer_map (*buffer, &map, GST_MAP_READWRITE))
    return FALSE;
  data = map.data;
  size = map.size;
  if (take_box (&data, &size, &type, &moov) && find_box (&moov, BOX_MVHD, &mvhd)
      && !find_box (&moov, BOX_MVEX, &mvex))
    hidden = clear_duration (&mvhd, duration);
  gst_buffer_unmap (*buffer, &map);
  return hidden;
}

typedef struct {
  WeftMovieDurationFunc found;
  gpointer user_data;
} Watch;

static GstPadProbeReturn
read_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const Watch *watch = user_data;
  g_autoptr (GstElement) demuxer = gst_pad_get_parent_element (pad);
  GstClockTime duration;
  gboolean has_pads;

  if (demuxer == NULL)
    return GST_PAD_PROBE_OK;
  GST_OBJECT_LOCK (demuxer);
  has_pads = demuxer->numsrcpads > 0;
  GST_OBJECT_UNLOCK (demuxer);
  /* What is read with pads is media. */
  if (has_pads)
    return GST_PAD_PROBE_REMOVE;
  if (hide_duration ((GstBuffer **) &info->data, &duration))
    watch->found (duration, watch->user_data);
  return GST_PAD_PROBE_OK;
}

/*
 * weft_movie_header_watch:
 * @element: an element that was just added; any but qtdemux is left alone
 * @found: called with the movie's duration, if it has one
 * @user_data: for @found; has to outlive @element
 *
 * Makes @element play every track to its end, for which it is not told the movie's duration and
 * does not answer a query for it. Nothing is changed where data is pushed into it, which is so
 * with sources that cannot seek.
 */
void
weft_movie_header_watch (GstElement *element, WeftMovieDurationFunc found, gpointer user_data)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPad) pad = NULL;
  Watch *watch;

  if (factory == NULL || !g_str_equal (GST_OBJECT_NAME (factory), "qtdemux"))
    return;
  watch = g_new0 (Watch, 1);
  watch->found = found;
  watch->user_data = user_data;
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER, read_cb, watch, g_free);
}
