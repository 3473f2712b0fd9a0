/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE
#include "weftspool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "wefthttptarget.h"

struct _WeftSpool {
  gint fd;
  guint64 limit_bytes;
};

static gint
open_unnamed (void)
{
  g_autofree gchar *path = NULL;
  gint fd = -1;

#ifdef O_TMPFILE
  fd = open (g_get_tmp_dir (), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
#endif
  if (fd >= 0)
    return fd;
  /* Not every file system has files without names. */
  fd = g_file_open_tmp ("weft-spool-XXXXXX", &path, NULL);
  if (fd >= 0)
    g_unlink (path);
  return fd;
}

static void
set_io_error (GError **error, gint code, const gchar *what)
{
  WeftHttpError kind = code == ENOSPC || code == EDQUOT || code == EFBIG ? WEFT_HTTP_ERROR_NO_SPACE
                                                                         : WEFT_HTTP_ERROR_FAILED;

  g_propagate_error (error,
      weft_http_error_new (kind, 0, "%s in %s: %s", what, g_get_tmp_dir (), g_strerror (code)));
}

/**
 * weft_spool_new:
 * @limit_bytes: the largest size it may grow to
 * @error: return location
 *
 * Returns: (transfer full) (nullable): an empty spool in the folder for temporary files
 */
WeftSpool *
weft_spool_new (guint64 limit_bytes, GError **error)
{
  gint fd = open_unnamed ();
  WeftSpool *spool;

  if (fd < 0) {
    set_io_error (error, errno, "no temporary file can be made");
    return NULL;
  }
  spool = g_new0 (WeftSpool, 1);
  spool->fd = fd;
  spool->limit_bytes = limit_bytes;
  return spool;
}

void
weft_spool_free (WeftSpool *spool)
{
  if (spool == NULL)
    return;
  close (spool->fd);
  g_free (spool);
}

gboolean
weft_spool_write (WeftSpool *spool, guint64 offset, const guint8 *data, gsize size, GError **error)
{
  if (size > spool->limit_bytes || offset > spool->limit_bytes - size) {
    g_propagate_error (
        error, weft_http_error_new (WEFT_HTTP_ERROR_TOO_LARGE, 0,
                   "the server sends only the whole file, which is larger than %" G_GUINT64_FORMAT
                   " bytes",
                   spool->limit_bytes));
    return FALSE;
  }
  while (size > 0) {
    gssize count = pwrite (spool->fd, data, size, (off_t) offset);

    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      set_io_error (error, errno, "the temporary file cannot be written");
      return FALSE;
    }
    data += count;
    offset += (guint64) count;
    size -= (gsize) count;
  }
  return TRUE;
}

/* All of the bytes must have been written before. */
gboolean
weft_spool_read (WeftSpool *spool, guint64 offset, guint8 *data, gsize size, GError **error)
{
  while (size > 0) {
    gssize count = pread (spool->fd, data, size, (off_t) offset);

    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0) {
      set_io_error (error, count < 0 ? errno : EIO, "the temporary file cannot be read");
      return FALSE;
    }
    data += count;
    offset += (guint64) count;
    size -= (gsize) count;
  }
  return TRUE;
}
