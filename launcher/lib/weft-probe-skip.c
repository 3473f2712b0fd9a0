/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The end of an MP4, without its data.
 *
 * A demuxer looks for the last key frame and hands on everything from there: with ten seconds from
 * one to the next, megabytes that nobody looks into. The times are in the sample tables it has read
 * by then (ISO/IEC 14496-12, 8.6). So its reads are answered with zeros, and what it says of the
 * samples is taken at its own pads, before parsers see the zeros. */

#include "weft-probe-private.h"

#include <string.h>

/* A read larger than this is no frame; it may be what it pleases. */
#define SAMPLE_MAX_BYTES (64 * 1024 * 1024)
/* From a demuxer to the end of parsebin: a parser and a filter or two. */
#define MAX_CHAIN 8

#define BOX_HEADER_BYTES 8

static gboolean
contains (const guint8 *data, gsize size, const gchar *type)
{
  const guint8 *at = data, *end = data + size;

  while ((at = memchr (at, type[0], (gsize) (end - at))) != NULL && end - at >= 4) {
    if (memcmp (at, type, 4) == 0)
      return TRUE;
    at++;
  }
  return FALSE;
}

/* Streaming thread. Looks whether what was read is the index of a movie, and whether that index is
 * all there is: fragments have their own (8.8). */
void
weft_probe_notice_tables (WeftProbe *self, GstBuffer *buffer)
{
  guint8 header[BOX_HEADER_BYTES];
  gboolean whole;
  GstMapInfo map;

  if (gst_buffer_extract (buffer, 0, header, sizeof header) < sizeof header
      || memcmp (header + 4, "moov", 4) != 0)
    return;
  /* The header by itself is read first. */
  if (GST_READ_UINT32_BE (header) > gst_buffer_get_size (buffer)
      || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  whole = !contains (map.data, map.size, "mvex");
  gst_buffer_unmap (buffer, &map);
  g_mutex_lock (&self->lock);
  self->has_whole_tables = whole;
  g_mutex_unlock (&self->lock);
}

/* Returns: (transfer full) (nullable): the pad of the demuxer behind a pad of parsebin */
static GstPad *
find_demuxer_pad (GstPad *pad)
{
  g_autoptr (GstPad) at = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));

  for (guint i = 0; at != NULL && i < MAX_CHAIN; i++) {
    g_autoptr (GstElement) element = gst_pad_get_parent_element (at);
    GstElementFactory *factory = element != NULL ? gst_element_get_factory (element) : NULL;
    g_autoptr (GstPad) sink = NULL;

    if (factory == NULL)
      return NULL;
    if (gst_element_factory_list_is_type (factory, GST_ELEMENT_FACTORY_TYPE_DEMUXER))
      return g_steal_pointer (&at);
    sink = gst_element_get_static_pad (element, "sink");
    gst_clear_object (&at);
    at = sink != NULL ? gst_pad_get_peer (sink) : NULL;
  }
  return NULL;
}

/* Streaming thread. */
static GstPadProbeReturn
answer_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  WeftProbe *self = user_data;
  guint size = GST_PAD_PROBE_INFO_SIZE (info);

  /* What lies beyond the end is asked for, so that a file that was cut off is noticed. */
  if (size > SAMPLE_MAX_BYTES || GST_PAD_PROBE_INFO_OFFSET (info) + size > self->source_bytes)
    return GST_PAD_PROBE_PASS;
  if (GST_PAD_PROBE_INFO_DATA (info) == NULL)
    GST_PAD_PROBE_INFO_DATA (info) = gst_buffer_new_wrapped (g_malloc0 (size), size);
  return GST_PAD_PROBE_DROP;
}

/* Streaming thread. */
static GstPadProbeReturn
demuxer_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return weft_probe_take (user_data, info);
}

/* Before a seek: from here on the source's data are not fetched, if their times can be known
 * without. */
void
weft_probe_skip_data (WeftProbe *self)
{
  g_autoptr (GPtrArray) pads = g_ptr_array_new_with_free_func (gst_object_unref);
  g_autoptr (GstPad) source_pad = gst_element_get_static_pad (self->source, "src");
  gint64 source_bytes;

  if (!self->has_whole_tables || GST_PAD_MODE (source_pad) != GST_PAD_MODE_PULL
      || !gst_element_query_duration (self->source, GST_FORMAT_BYTES, &source_bytes))
    return;
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);
    GstPad *pad = find_demuxer_pad (stream->pad);

    if (pad == NULL)
      return;
    g_ptr_array_add (pads, pad);
  }
  self->source_bytes = (guint64) source_bytes;
  g_mutex_lock (&self->lock);
  self->skips_data = TRUE;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < pads->len; i++)
    gst_pad_add_probe (g_ptr_array_index (pads, i),
        GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH, demuxer_cb,
        g_ptr_array_index (self->streams, i), NULL);
  gst_pad_add_probe (
      source_pad, GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BLOCK, answer_cb, self, NULL);
}
