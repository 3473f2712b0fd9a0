/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftmp4output.h"

#include "weftmp4bytes.h"
#include "weftmp4moov.h"
#include "weftmp4prologue.h"

/* Zeros are pushed as parts of one block. */
#define ZEROS_BYTES (64 * 1024)

/* Makes downstream write at @position, if it does not anyway. */
gboolean
weft_mp4_output_seek (WeftMp4Output *output, guint64 position)
{
  GstSegment segment;

  if (output->started && output->position == position)
    return TRUE;
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = position;
  output->started = TRUE;
  output->position = position;
  return gst_pad_push_event (output->pad, gst_event_new_segment (&segment));
}

/* Takes @buffer. */
GstFlowReturn
weft_mp4_output_push (WeftMp4Output *output, guint64 position, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);

  /* A pad that refuses the segment refuses the buffer as well and says why. */
  weft_mp4_output_seek (output, position);
  output->position += size;
  return gst_pad_push (output->pad, buffer);
}

GstFlowReturn
weft_mp4_output_push_bytes (WeftMp4Output *output, guint64 position, GBytes *bytes)
{
  return weft_mp4_output_push (output, position, gst_buffer_new_wrapped_bytes (bytes));
}

/* The header of a `free` box over what is there. */
GstFlowReturn
weft_mp4_output_push_free_header (WeftMp4Output *output, guint64 position, guint64 box_bytes)
{
  guint8 *header = g_malloc (WEFT_MP4_BOX_HEADER_BYTES);

  weft_put_uint32 (header, (guint32) box_bytes);
  weft_put_uint32 (header + 4, WEFT_MP4_FOURCC ('f', 'r', 'e', 'e'));
  return weft_mp4_output_push (
      output, position, gst_buffer_new_wrapped (header, WEFT_MP4_BOX_HEADER_BYTES));
}

/* A `free` box of zeros: the file is whole at any moment, and a sink that cannot skip ahead need
 * not. */
GstFlowReturn
weft_mp4_output_push_free (WeftMp4Output *output, guint64 position, guint64 box_bytes)
{
  guint64 done = WEFT_MP4_BOX_HEADER_BYTES;
  GstFlowReturn flow = weft_mp4_output_push_free_header (output, position, box_bytes);
  g_autoptr (GBytes) zeros = g_bytes_new_take (g_malloc0 (ZEROS_BYTES), ZEROS_BYTES);

  while (flow == GST_FLOW_OK && done < box_bytes) {
    g_autoptr (GBytes) part =
        g_bytes_new_from_bytes (zeros, 0, (gsize) MIN (ZEROS_BYTES, box_bytes - done));

    flow = weft_mp4_output_push_bytes (output, position + done, part);
    done += g_bytes_get_size (part);
  }
  return flow;
}
