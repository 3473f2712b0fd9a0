/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-probe-private.h"

#include <string.h>

/* More top-level boxes than this in one file is a fragmented recording or nonsense; neither is
 * what the walk looks for. */
#define MAX_BOXES 4096
/* Enough for the header in front of a Matroska segment. */
#define HEAD_BYTES 4096
#define RIFF_SLACK_BYTES (G_GUINT64_CONSTANT (64) << 10)

void
weft_source_file_clear (WeftSourceFile *self)
{
  g_clear_pointer (&self->uri, g_free);
  g_clear_pointer (&self->identity, g_free);
}

static gboolean
fail (GError **error, WeftError code, const gchar *uri, const gchar *hint, const gchar *message)
{
  weft_error_set_problem (error, weft_problem_new (code, NULL, uri, hint, "%s", message));
  return FALSE;
}

static gboolean
map_io_error (GError **error, const GError *io, const gchar *uri)
{
  if (g_error_matches (io, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return fail (error, WEFT_ERROR_CANCELLED, uri, NULL, "probing was cancelled");
  if (g_error_matches (io, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
      || g_error_matches (io, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY)
      || g_error_matches (io, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME)
      || g_error_matches (io, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG)
      || g_error_matches (io, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS))
    return fail (error, WEFT_ERROR_SOURCE_NOT_FOUND, uri,
        "check the path; relative paths start at the job file's folder",
        "the source does not exist");
  if (g_error_matches (io, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return fail (error, WEFT_ERROR_SOURCE_DENIED, uri,
        "give this user permission to read the file and to enter its folder",
        "the source may not be read");
  return fail (error, WEFT_ERROR_SOURCE_DAMAGED, uri, "check the disk it is on", io->message);
}

#define IDENTITY_ATTRIBUTES                                                                        \
  G_FILE_ATTRIBUTE_STANDARD_TYPE "," G_FILE_ATTRIBUTE_STANDARD_SIZE                                \
                                 "," G_FILE_ATTRIBUTE_TIME_MODIFIED                                \
                                 "," G_FILE_ATTRIBUTE_TIME_MODIFIED_USEC

static gchar *
make_identity (GFileInfo *info)
{
  return g_strdup_printf ("size=%" G_GINT64_FORMAT ";mtime=%" G_GUINT64_FORMAT ".%06u",
      g_file_info_get_size (info),
      g_file_info_get_attribute_uint64 (info, G_FILE_ATTRIBUTE_TIME_MODIFIED),
      g_file_info_get_attribute_uint32 (info, G_FILE_ATTRIBUTE_TIME_MODIFIED_USEC));
}

/* Whether a local file is not the one any more that was checked: most often somebody still writes
 * it, and what it says of itself is not true yet. */
gboolean
weft_source_file_has_changed (const WeftSourceFile *file)
{
  g_autoptr (GFile) gfile = g_file_new_for_uri (file->uri);
  g_autoptr (GFileInfo) info = NULL;
  g_autofree gchar *identity = NULL;

  if (!file->local || file->identity == NULL)
    return FALSE;
  info = g_file_query_info (gfile, IDENTITY_ATTRIBUTES, G_FILE_QUERY_INFO_NONE, NULL, NULL);
  identity = info != NULL ? make_identity (info) : NULL;
  return g_strcmp0 (identity, file->identity) != 0;
}

gboolean
weft_source_file_fail_changed (const WeftSourceFile *file, GError **error)
{
  return fail (error, WEFT_ERROR_SOURCE_CHANGED, file->uri,
      "wait until the program that writes it is done", "the file changes while it is read");
}

static gboolean
check_local (WeftSourceFile *file, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFile) gfile = g_file_new_for_uri (file->uri);
  g_autofree gchar *host = NULL, *path = g_filename_from_uri (file->uri, &host, NULL);
  g_autoptr (GError) io = NULL;
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GFileInputStream) stream = NULL;

  /* GIO takes another machine's file for one of this. */
  if (path == NULL || (host != NULL && g_ascii_strcasecmp (host, "localhost") != 0))
    return fail (error, WEFT_ERROR_SOURCE_NOT_FOUND, file->uri,
        "write file:///absolute/path or a path relative to the job file",
        "the URI names no file on this machine");
  info = g_file_query_info (gfile, IDENTITY_ATTRIBUTES, G_FILE_QUERY_INFO_NONE, cancellable, &io);
  if (info == NULL)
    return map_io_error (error, io, file->uri);
  /* A FIFO or a device has no length and no index and may block for ever on open(). */
  switch (g_file_info_get_file_type (info)) {
    case G_FILE_TYPE_REGULAR:
      break;
    case G_FILE_TYPE_DIRECTORY:
      return fail (error, WEFT_ERROR_SOURCE_DAMAGED, file->uri, "name a file in it",
          "the source is a folder, not a media file");
    case G_FILE_TYPE_SYMBOLIC_LINK:
      return fail (error, WEFT_ERROR_SOURCE_NOT_FOUND, file->uri, "repair the link",
          "the source is a link to something that does not exist");
    default:
      return fail (error, WEFT_ERROR_SOURCE_DAMAGED, file->uri,
          "write the data to a regular file first",
          "the source is a pipe, socket or device, not a regular file");
  }
  file->size = (guint64) g_file_info_get_size (info);
  /* Opening tells what permission bits alone do not (ACLs, mount options). */
  stream = g_file_read (gfile, cancellable, &io);
  if (stream == NULL)
    return map_io_error (error, io, file->uri);
  if (file->size == 0)
    return fail (error, WEFT_ERROR_SOURCE_DAMAGED, file->uri,
        "the file was created but never written; fetch it again", "the source is empty (0 bytes)");
  file->identity = make_identity (info);
  return TRUE;
}

/* Elements that take any address take this one too, and then trip over it. */
static gboolean
check_remote (const gchar *uri, GError **error)
{
  g_autoptr (GUri) parsed =
      g_uri_parse (uri, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED, NULL);

  if (parsed != NULL && g_uri_get_host (parsed) != NULL && *g_uri_get_host (parsed) != '\0')
    return TRUE;
  return fail (error, WEFT_ERROR_SOURCE_NOT_FOUND, uri,
      "write http://host/path or https://host/path", "the address names no server");
}

/* Checks what can be known without reading: that the source is there, may be read and is a file. */
gboolean
weft_source_file_check (
    const gchar *uri, WeftSourceFile *file, GCancellable *cancellable, GError **error)
{
  static const gchar *const remote_schemes[] = { "http", "https", "s3", NULL };
  g_autofree gchar *scheme = g_uri_parse_scheme (uri);

  *file = (WeftSourceFile){ .uri = g_strdup (uri), .size = G_MAXUINT64 };
  if (scheme == NULL)
    return fail (error, WEFT_ERROR_SOURCE_NOT_FOUND, uri,
        "write a path, or file:, http: or https:", "the source is not a URI");
  if (g_str_equal (scheme, "file")) {
    file->local = TRUE;
    return check_local (file, cancellable, error);
  }
  /* GStreamer knows many more, from devices to other programs' files. */
  if (!g_strv_contains (remote_schemes, scheme)
      || !gst_uri_protocol_is_supported (GST_URI_SRC, scheme)) {
    weft_error_set_problem (error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, uri,
                                       "copy the source to a local file or an HTTP server",
                                       "this build cannot read %s: sources", scheme));
    return FALSE;
  }
  return check_remote (uri, error);
}

typedef struct {
  guint64 offset;
  guint64 end;
  gchar type[5];
} Box;

/* Reads one box header (ISO/IEC 14496-12, 4.2). */
static gboolean
read_box (GInputStream *stream, guint64 offset, guint64 file_size, Box *box)
{
  guint8 header[16];
  gsize n = 0;
  guint64 size;

  if (!g_seekable_seek (G_SEEKABLE (stream), (goffset) offset, G_SEEK_SET, NULL, NULL)
      || !g_input_stream_read_all (stream, header, sizeof header, &n, NULL, NULL) || n < 8)
    return FALSE;
  size = GST_READ_UINT32_BE (header);
  memcpy (box->type, header + 4, 4);
  box->type[4] = '\0';
  box->offset = offset;
  if (size == 1 && n == sizeof header)
    size = GST_READ_UINT64_BE (header + 8);
  else if (size == 0)
    size = file_size - offset;
  if (size < 8 || size > G_MAXINT64 - offset)
    return FALSE;
  box->end = offset + size;
  return TRUE;
}

static gboolean
fail_truncated (GError **error, const WeftSourceFile *file, guint64 expected)
{
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, file->uri,
                 "the copy or download was cut off; fetch the file again",
                 "the file is truncated: it has %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 " bytes (%d %%)",
                 file->size, expected, (gint) (100.0 * (gdouble) file->size / (gdouble) expected)));
  return FALSE;
}

/* MP4 and QuickTime: every box says how long it is. */
static gboolean
check_boxes (const WeftSourceFile *file, GInputStream *stream, GError **error)
{
  gboolean have_moov = FALSE, have_mdat = FALSE;
  guint64 offset = 0;
  Box box = { 0 };

  for (guint i = 0; i < MAX_BOXES && offset < file->size; i++, offset = box.end) {
    if (!read_box (stream, offset, file->size, &box))
      break;
    have_moov = have_moov || g_str_equal (box.type, "moov");
    have_mdat = have_mdat || g_str_equal (box.type, "mdat");
    if (box.end > file->size
        && (g_str_equal (box.type, "mdat") || g_str_equal (box.type, "moov")
            || g_str_equal (box.type, "moof")))
      return fail_truncated (error, file, box.end);
  }
  if (have_mdat && !have_moov)
    return fail (error, WEFT_ERROR_SOURCE_DAMAGED, file->uri,
        "the recording was not finished, or the copy was cut off; fetch the file again or repair "
        "it",
        "the file has no index (no moov box), so nothing in it can be found");
  return TRUE;
}

/* AVI and WAV: the RIFF chunk says how long it is. Writers to pipes leave 0 or all ones there, and
 * some count wrong by a little. */
static gboolean
check_riff (const WeftSourceFile *file, const guint8 *data, GError **error)
{
  guint32 size = GST_READ_UINT32_LE (data + 4);
  guint64 expected = (guint64) size + 8;

  if (size == 0 || size >= 0x7fffffff || expected <= file->size
      || expected - file->size <= MAX (file->size / 100, RIFF_SLACK_BYTES))
    return TRUE;
  return fail_truncated (error, file, expected);
}

/* A number of EBML (RFC 8794, 4): the leading zero bits say how many bytes it has.
 * Returns: its length, or 0 */
static gsize
read_ebml_number (const guint8 *data, gsize length, guint64 *value, gboolean *unknown)
{
  gsize n = 1;

  if (length == 0 || data[0] == 0)
    return 0;
  while ((data[0] & (0x80 >> (n - 1))) == 0)
    n++;
  if (n > length)
    return 0;
  *value = data[0] & ((0x80 >> (n - 1)) - 1);
  *unknown = *value == (guint64) ((0x80 >> (n - 1)) - 1);
  for (gsize i = 1; i < n; i++) {
    *value = *value << 8 | data[i];
    *unknown = *unknown && data[i] == 0xff;
  }
  return n;
}

/* Matroska and WebM: the segment says how long it is, unless it was written live. */
static gboolean
check_ebml (const WeftSourceFile *file, const guint8 *data, gsize length, GError **error)
{
  static const guint8 segment_id[] = { 0x18, 0x53, 0x80, 0x67 };
  guint64 size = 0;
  gboolean unknown = FALSE;
  gsize at = 4, n = read_ebml_number (data + at, length - at, &size, &unknown);

  if (n == 0 || unknown || size > length - at - n)
    return TRUE;
  at += n + (gsize) size;
  if (length - at < 5 || memcmp (data + at, segment_id, 4) != 0)
    return TRUE;
  at += 4;
  n = read_ebml_number (data + at, length - at, &size, &unknown);
  if (n == 0 || unknown || size > G_MAXINT64 || at + n + size <= file->size)
    return TRUE;
  return fail_truncated (error, file, at + n + size);
}

/* Formats that say how long they are: a file that was cut off is recognised without reading it.
 * GStreamer's demuxers treat what is missing as the end of the stream. */
gboolean
weft_source_file_check_length (
    const WeftSourceFile *file, GCancellable *cancellable, GError **error)
{
  static const gchar *const boxes[] = { "ftyp", "moov", "mdat", "wide", "free", "skip", "pnot",
    NULL };
  static const guint8 ebml[] = { 0x1a, 0x45, 0xdf, 0xa3 };
  g_autoptr (GFile) gfile = g_file_new_for_uri (file->uri);
  g_autoptr (GFileInputStream) stream = g_file_read (gfile, cancellable, NULL);
  guint8 data[HEAD_BYTES] = { 0 };
  gchar type[5] = "";
  gsize length = 0;

  if (stream == NULL
      || !g_input_stream_read_all (
          G_INPUT_STREAM (stream), data, sizeof data, &length, cancellable, NULL)
      || length < 16)
    return TRUE;
  memcpy (type, data + 4, 4);
  if (g_strv_contains (boxes, type))
    return check_boxes (file, G_INPUT_STREAM (stream), error);
  if (memcmp (data, "RIFF", 4) == 0)
    return check_riff (file, data, error);
  if (memcmp (data, ebml, 4) == 0)
    return check_ebml (file, data, length, error);
  return TRUE;
}

/* Where a WebP file says how large the picture is (RFC 9649, 2.5 to 2.7). */
gboolean
weft_source_parse_webp (
    const guint8 *data, gsize length, gint *width, gint *height, gboolean *alpha)
{
  guint32 bits;

  if (length < 30 || memcmp (data, "RIFF", 4) != 0 || memcmp (data + 8, "WEBP", 4) != 0)
    return FALSE;
  if (memcmp (data + 12, "VP8X", 4) == 0) {
    *alpha = (data[20] & 0x10) != 0;
    *width = 1 + (gint) (GST_READ_UINT24_LE (data + 24));
    *height = 1 + (gint) (GST_READ_UINT24_LE (data + 27));
    return TRUE;
  }
  if (memcmp (data + 12, "VP8L", 4) == 0) {
    bits = GST_READ_UINT32_LE (data + 21);
    *width = 1 + (gint) (bits & 0x3fff);
    *height = 1 + (gint) (bits >> 14 & 0x3fff);
    *alpha = (bits >> 28 & 1) != 0;
    return TRUE;
  }
  if (memcmp (data + 12, "VP8 ", 4) != 0)
    return FALSE;
  *width = GST_READ_UINT16_LE (data + 26) & 0x3fff;
  *height = GST_READ_UINT16_LE (data + 28) & 0x3fff;
  *alpha = FALSE;
  return TRUE;
}

/* Returns: (nullable): the value of a response header, whose name may be in any case */
static const gchar *
find_header (const GstStructure *response, const gchar *wanted)
{
  for (gint i = 0; i < gst_structure_n_fields (response); i++) {
    const gchar *name = gst_structure_nth_field_name (response, (guint) i);

    if (g_ascii_strcasecmp (name, wanted) == 0)
      return gst_structure_get_string (response, name);
  }
  return NULL;
}

/* @headers: the response headers that the source hands on. Returns: (nullable): what changes when
 * the file on the server does (RFC 9110, 8.8) */
gchar *
weft_source_http_identity (const GstStructure *headers, guint64 *size)
{
  static const gchar *const names[] = { "etag", "last-modified" };
  const GValue *value = gst_structure_get_value (headers, "response-headers");
  g_autoptr (GString) identity = g_string_new (NULL);
  const GstStructure *response;
  const gchar *text;

  if (value == NULL || !GST_VALUE_HOLDS_STRUCTURE (value))
    return NULL;
  response = gst_value_get_structure (value);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if ((text = find_header (response, names[i])) != NULL)
      g_string_append_printf (identity, "%s=%s;", names[i], text);
  if ((text = find_header (response, "content-length")) != NULL)
    g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, size, NULL);
  /* The answer to a ranged request: "bytes 0-99/1234" (14.4). */
  if ((text = find_header (response, "content-range")) != NULL && strrchr (text, '/') != NULL)
    g_ascii_string_to_unsigned (strrchr (text, '/') + 1, 10, 0, G_MAXINT64, size, NULL);
  if (*size != G_MAXUINT64)
    g_string_append_printf (identity, "size=%" G_GUINT64_FORMAT ";", *size);
  if (identity->len == 0)
    return NULL;
  g_string_truncate (identity, identity->len - 1);
  return g_string_free (g_steal_pointer (&identity), FALSE);
}
