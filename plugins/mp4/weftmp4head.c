/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftmp4head.h"

/* Forgets all, and keeps up to @limit_bytes from now on. */
void
weft_mp4_head_clear (WeftMp4Head *head, guint64 limit_bytes)
{
  g_queue_clear_full (&head->buffers, (GDestroyNotify) gst_buffer_unref);
  head->bytes = 0;
  head->limit_bytes = limit_bytes;
  head->closed = FALSE;
}

/* Forgets all, and keeps nothing any more. */
void
weft_mp4_head_close (WeftMp4Head *head)
{
  weft_mp4_head_clear (head, 0);
  head->closed = TRUE;
}

/* Keeps @buffer, unless that would be too much: then the head ends here. A buffer of a pool is
 * copied: a pool that waits for it to come back would stop the encoder. */
void
weft_mp4_head_keep (WeftMp4Head *head, GstBuffer *buffer)
{
  gsize size = gst_buffer_get_size (buffer);

  if (head->closed || size == 0)
    return;
  if (head->bytes + size > head->limit_bytes) {
    head->closed = TRUE;
    return;
  }
  g_queue_push_tail (&head->buffers,
      buffer->pool != NULL ? gst_buffer_copy_deep (buffer) : gst_buffer_ref (buffer));
  head->bytes += size;
}

/* Writes the first @bytes, which must have been kept, at @position. */
GstFlowReturn
weft_mp4_head_push (WeftMp4Head *head, WeftMp4Output *output, guint64 position, guint64 bytes)
{
  GstFlowReturn flow = GST_FLOW_OK;

  while (flow == GST_FLOW_OK && bytes > 0) {
    GstBuffer *buffer = g_queue_pop_head (&head->buffers);
    gsize size = gst_buffer_get_size (buffer);

    if (size > bytes) {
      GstBuffer *part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 0, (gsize) bytes);
      gst_buffer_unref (buffer);
      buffer = part;
      size = (gsize) bytes;
    }
    flow = weft_mp4_output_push (output, position, buffer);
    position += size;
    bytes -= size;
  }
  return flow;
}
