/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bytes of a caption file as UTF-8, its lines, and the times that SRT and WebVTT write. */

#include "weftcaptiontext.h"

#include <string.h>

#include "weftoverlayerror.h"

/* 1000 hours, as in jobs. */
#define MAX_TIME_S 3600000

static const gchar utf8_bom[] = "\xEF\xBB\xBF";

/* The line that byte @offset of @data stands on, from 1. */
static guint
count_lines (const guint8 *data, gsize offset)
{
  guint n = 1;

  for (gsize i = 0; i < offset; i++)
    n += data[i] == '\n' || (data[i] == '\r' && data[i + 1] != '\n');
  return n;
}

static gchar *
decode_utf8 (const guint8 *data, gsize size, gsize skip, GError **error)
{
  const gchar *text = (const gchar *) data + skip;
  GString *decoded = g_string_sized_new (size - skip + 1);
  const gchar *end;

  while (!g_utf8_validate_len (text, size - (gsize) (text - (const gchar *) data), &end)) {
    gsize offset = (gsize) (end - (const gchar *) data);
    /* GLib refuses NUL, which is a character nevertheless; what it ends would be lost. */
    if (*end != '\0') {
      g_string_free (decoded, TRUE);
      weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_DAMAGED, NULL,
          "byte %" G_GSIZE_FORMAT " (0x%02X), on line %u, is not UTF-8; save the captions as UTF-8",
          offset, data[offset], count_lines (data, offset));
      return NULL;
    }
    g_string_append_len (decoded, text, end - text);
    g_string_append_unichar (decoded, 0xFFFD);
    text = end + 1;
  }
  g_string_append_len (decoded, text, end - text);
  return g_string_free (decoded, FALSE);
}

static gunichar
read_unit (const guint8 *data, gboolean big_endian)
{
  return big_endian ? (gunichar) (data[0] << 8 | data[1]) : (gunichar) (data[1] << 8 | data[0]);
}

static gchar *
decode_utf16 (const guint8 *data, gsize size, GError **error)
{
  gboolean big_endian = data[0] == 0xFE;
  g_autoptr (GString) decoded = g_string_sized_new (size);
  gsize i = 2;

  while (i + 1 < size) {
    gunichar c = read_unit (data + i, big_endian);
    gsize length = 2;
    if (c >= 0xD800 && c < 0xDC00 && i + 3 < size) {
      gunichar low = read_unit (data + i + 2, big_endian);
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        length = 4;
      }
    }
    if (c >= 0xD800 && c < 0xE000)
      break;
    g_string_append_unichar (decoded, c != 0 ? c : 0xFFFD);
    i += length;
  }
  if (i < size) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_DAMAGED, NULL,
        "byte %" G_GSIZE_FORMAT " is not UTF-16, which the file begins as; save the captions as "
        "UTF-8",
        i);
    return NULL;
  }
  return g_string_free (g_steal_pointer (&decoded), FALSE);
}

/**
 * weft_caption_text_decode:
 * @bytes: UTF-8 with or without a byte-order mark, or UTF-16 with one
 *
 * Nothing is guessed: a file in another encoding is refused with the byte where that shows.
 *
 * Returns: (transfer full) (nullable): the text, without its byte-order mark; NUL became U+FFFD
 */
gchar *
weft_caption_text_decode (GBytes *bytes, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size >= 2 && ((data[0] == 0xFE && data[1] == 0xFF) || (data[0] == 0xFF && data[1] == 0xFE)))
    return decode_utf16 (data, size, error);
  if (size == 0)
    return g_strdup ("");
  gboolean has_bom = size >= 3 && memcmp (data, utf8_bom, 3) == 0;
  return decode_utf8 (data, size, has_bom ? 3 : 0, error);
}

/**
 * weft_caption_lines_next:
 *
 * Lines end with LF, CR LF or CR.
 *
 * Returns: (transfer none) (nullable): the next line, which is ended in place; %NULL after the last
 */
gchar *
weft_caption_lines_next (WeftCaptionLines *self)
{
  gchar *line = self->next;

  if (line == NULL || *line == '\0')
    return NULL;
  gchar *end = line + strcspn (line, "\r\n");
  self->next = *end == '\r' && end[1] == '\n' ? end + 2 : *end != '\0' ? end + 1 : end;
  *end = '\0';
  self->number++;
  return line;
}

/* Whether @line is nothing but digits, as the counters of SRT are. */
gboolean
weft_caption_is_number (const gchar *line)
{
  gsize n = strspn (line, "0123456789");

  return n > 0 && line[n + strspn (line + n, " \t")] == '\0';
}

/**
 * weft_caption_parse_time:
 * @cursor: (inout): a text; afterwards, what follows the time
 * @time: (out): nanoseconds
 *
 * `HH:MM:SS,mmm`, with a point in place of the comma, and without hours. What follows the comma are
 * milliseconds however many digits they have, which is how ffmpeg reads them.
 *
 * Returns: %FALSE if there is no time, or one beyond 1000 hours
 */
gboolean
weft_caption_parse_time (const gchar **cursor, GstClockTime *time)
{
  const gchar *p = *cursor + strspn (*cursor, " \t");
  guint64 fields[4] = { 0 };
  guint n = 0;

  for (;;) {
    const gchar *begin = p;
    for (; g_ascii_isdigit (*p) && p - begin < 9; p++)
      fields[n] = fields[n] * 10 + (guint64) g_ascii_digit_value (*p);
    if (p == begin || g_ascii_isdigit (*p))
      return FALSE;
    n++;
    if (*p != ':' || n == 3)
      break;
    p++;
  }
  if (n < 2)
    return FALSE;
  guint64 seconds =
      n == 3 ? fields[0] * 3600 + fields[1] * 60 + fields[2] : fields[0] * 60 + fields[1];
  guint64 ms = 0;
  if ((*p == ',' || *p == '.') && g_ascii_isdigit (p[1])) {
    const gchar *begin = ++p;
    for (; g_ascii_isdigit (*p) && p - begin < 9; p++)
      ms = ms * 10 + (guint64) g_ascii_digit_value (*p);
  }
  if (g_ascii_isdigit (*p) || seconds + ms / 1000 >= MAX_TIME_S)
    return FALSE;
  *time = seconds * GST_SECOND + ms * GST_MSECOND;
  *cursor = p;
  return TRUE;
}
