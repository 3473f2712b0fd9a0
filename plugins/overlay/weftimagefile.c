/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a picture file is, told by its bytes and not by its name, and whether all of it is there.
 * gdk-pixbuf gives the upper part of a file that was cut off, without an error. Of what moves only
 * the first frame counts. */

#include "weftimagefile.h"

#include <string.h>

static const guint8 png_signature[] = { 0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a };
static const guint8 utf8_mark[] = { 0xef, 0xbb, 0xbf };

static gboolean
starts_with (const guint8 *data, gsize size, gsize offset, const void *prefix, gsize n)
{
  return size >= offset + n && memcmp (data + offset, prefix, n) == 0;
}

static gboolean
is_other_picture (const guint8 *data, gsize size)
{
  return starts_with (data, size, 4, "ftypavif", 8) || starts_with (data, size, 4, "ftypheic", 8)
         || starts_with (data, size, 0, "II*\0", 4) || starts_with (data, size, 0, "MM\0*", 4);
}

WeftImageFormat
weft_image_file_detect (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (starts_with (data, size, 0, png_signature, sizeof png_signature))
    return WEFT_IMAGE_PNG;
  if (starts_with (data, size, 0, "\xff\xd8\xff", 3))
    return WEFT_IMAGE_JPEG;
  if (starts_with (data, size, 0, "GIF8", 4))
    return WEFT_IMAGE_GIF;
  if (starts_with (data, size, 0, "RIFF", 4) && starts_with (data, size, 8, "WEBP", 4))
    return WEFT_IMAGE_WEBP;
  if (is_other_picture (data, size))
    return WEFT_IMAGE_OTHER;
  /* SVG compressed by gzip. */
  if (starts_with (data, size, 0, "\x1f\x8b\x08", 3))
    return WEFT_IMAGE_SVG;
  gsize i = starts_with (data, size, 0, utf8_mark, sizeof utf8_mark) ? sizeof utf8_mark : 0;
  while (i < size && g_ascii_isspace (data[i]))
    i++;
  return i < size && data[i] == '<' ? WEFT_IMAGE_SVG : WEFT_IMAGE_UNKNOWN;
}

static guint32
read_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

/* Whether the chunks go on to IEND (PNG specification, 5.3). */
static gboolean
is_complete_png (const guint8 *data, gsize size)
{
  gsize at = sizeof png_signature;

  /* Length, type, CRC. */
  while (at + 12 <= size) {
    guint32 length = read_be32 (data + at);
    if (memcmp (data + at + 4, "IEND", 4) == 0)
      return TRUE;
    if (length > size - at - 12)
      return FALSE;
    at += 12 + (gsize) length;
  }
  return FALSE;
}

/* Whether the marker segments go on to EOI (ITU-T T.81, annex B). */
static gboolean
is_complete_jpeg (const guint8 *data, gsize size)
{
  gsize at = 2;

  while (at + 2 <= size) {
    guint8 marker = data[at + 1];
    /* Between segments fill bytes may stand, and after SOS the coded data, where 0xff is followed
     * by 0 or a restart marker. */
    if (data[at] != 0xff || marker == 0xff || marker == 0x00 || marker == 0x01
        || (marker >= 0xd0 && marker <= 0xd7)) {
      at += data[at] != 0xff || marker == 0xff ? 1 : 2;
      continue;
    }
    if (marker == 0xd9)
      return TRUE;
    if (at + 4 > size)
      return FALSE;
    at += 2 + ((gsize) data[at + 2] << 8 | data[at + 3]);
  }
  return FALSE;
}

/* The end of a chain of sub-blocks at @at (GIF89a, 15); 0 if the file ends before. */
static gsize
skip_sub_blocks (const guint8 *data, gsize size, gsize at)
{
  while (at < size && data[at] != 0)
    at += 1 + (gsize) data[at];
  return at < size ? at + 1 : 0;
}

/* The bytes of a colour table that @flags announces (GIF89a, 19 and 21). */
static gsize
get_color_table_bytes (guint8 flags)
{
  return (flags & 0x80) != 0 ? 3u << ((flags & 7) + 1) : 0;
}

/**
 * weft_image_file_get_first_gif_end:
 *
 * Returns: where the first frame of a GIF ends; 0 if the file ends before
 */
gsize
weft_image_file_get_first_gif_end (GBytes *bytes)
{
  const gsize header_bytes = 13, image_bytes = 10;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size < header_bytes)
    return 0;
  gsize at = header_bytes + get_color_table_bytes (data[10]);
  /* Extensions come before the image they are about. */
  while (at != 0 && at + 2 < size && data[at] == '!')
    at = skip_sub_blocks (data, size, at + 2);
  if (at == 0 || at + image_bytes >= size || data[at] != ',')
    return 0;
  at += image_bytes + get_color_table_bytes (data[at + 9]);
  /* The byte between them is the size of LZW codes. */
  return skip_sub_blocks (data, size, at + 1);
}

/* Whether all that RIFF announces is there (RFC 9649, 2.4). */
static gboolean
is_complete_webp (const guint8 *data, gsize size)
{
  guint64 length = size < 12 ? G_MAXUINT32
                             : (guint64) data[4] | (guint64) data[5] << 8 | (guint64) data[6] << 16
                                   | (guint64) data[7] << 24;

  return length + 8 <= size;
}

/**
 * weft_image_file_is_complete:
 *
 * Returns: %FALSE if the file ends before its picture does
 */
gboolean
weft_image_file_is_complete (GBytes *bytes, WeftImageFormat format)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  switch (format) {
    case WEFT_IMAGE_PNG:
      return is_complete_png (data, size);
    case WEFT_IMAGE_JPEG:
      return is_complete_jpeg (data, size);
    case WEFT_IMAGE_GIF:
      return weft_image_file_get_first_gif_end (bytes) != 0;
    case WEFT_IMAGE_WEBP:
      return is_complete_webp (data, size);
    default:
      /* The parser of the others tells. */
      return TRUE;
  }
}
