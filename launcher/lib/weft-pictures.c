/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which pictures overlays may be. What can be drawn is asked of the element that draws them. */

#include "weft-pictures.h"

#include <gst/gst.h>
#include <string.h>

#define DRAWING_ELEMENT "overlaytimeline"

/* What files of pictures begin with; the first bytes of @magic stand at @offset. */
static const struct {
  const gchar *type;
  guint offset;
  const gchar *magic;
  guint length;
} magics[] = {
  { "image/png", 0, "\x89PNG", 4 }, { "image/jpeg", 0, "\xff\xd8\xff", 3 },
  { "image/gif", 0, "GIF8", 4 }, { "image/webp", 8, "WEBP", 4 }, { "image/avif", 4, "ftypavif", 8 },
  { "image/avif", 4, "ftypavis", 8 }, { "image/heic", 4, "ftypheic", 8 },
  { "image/heic", 4, "ftypmif1", 8 }, { "image/jxl", 0, "\xff\x0a", 2 },
  { "image/jxl", 4, "JXL \r\n", 6 }, { "image/jp2", 4, "jP  \r\n", 6 },
  { "image/tiff", 0, "II*\0", 4 }, { "image/tiff", 0, "MM\0*", 4 },
  { "image/vnd.adobe.photoshop", 0, "8BPS", 4 },
  { "image/svg+xml", 0, "\x1f\x8b", 2 }, /* packed by gzip: .svgz */
};

/* Returns: (nullable): the MIME type of the picture that begins with @data */
const gchar *
weft_picture_guess_type (const guint8 *data, gsize length)
{
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if (length >= magics[i].offset + magics[i].length
        && memcmp (data + magics[i].offset, magics[i].magic, magics[i].length) == 0)
      return magics[i].type;
  /* Its two letters are much too short; the size of its second header follows (40 to 124). */
  if (length >= 18 && memcmp (data, "BM", 2) == 0 && data[14] >= 12 && data[14] <= 124
      && data[15] == 0 && data[16] == 0 && data[17] == 0)
    return "image/bmp";
  if (g_strstr_len ((const gchar *) data, (gssize) length, "<svg") != NULL
      || g_strstr_len ((const gchar *) data, (gssize) length, "<?xml") != NULL
      || g_strstr_len ((const gchar *) data, (gssize) length, ":svg") != NULL)
    return "image/svg+xml";
  return NULL;
}

/* Whether a WebP (RFC 9649, 2.7) or a GIF says at its beginning that it has more than one frame. */
gboolean
weft_picture_moves (const guint8 *data, gsize length)
{
  const gchar *type = weft_picture_guess_type (data, length);

  if (g_strcmp0 (type, "image/webp") == 0)
    return length >= 21 && memcmp (data + 12, "VP8X", 4) == 0 && (data[20] & 0x02) != 0;
  if (g_strcmp0 (type, "image/gif") != 0)
    return FALSE;
  /* How often it is to be repeated. */
  for (gsize i = 0; i + 11 <= length; i++)
    if (memcmp (data + i, "NETSCAPE2.0", 11) == 0)
      return TRUE;
  return FALSE;
}

/*
 * weft_pictures_list_types:
 *
 * Returns: (transfer full): the MIME types of the pictures that this machine can draw; empty if it
 * lacks the element that draws them
 */
gchar **
weft_pictures_list_types (void)
{
  GstElement *element = gst_element_factory_make (DRAWING_ELEMENT, NULL);
  gchar **types = NULL;

  if (element != NULL) {
    gst_object_ref_sink (element);
    g_object_get (element, "image-types", &types, NULL);
    gst_object_unref (element);
  }
  return types != NULL ? types : g_new0 (gchar *, 1);
}
