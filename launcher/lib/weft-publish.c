/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-publish.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-error.h"

/* `.NAME.weft-XXXXXX`: hidden, in the output's own folder so that a rename is atomic. */
#define TEMPORARY_INFIX ".weft-"

struct _WeftPublication {
  gchar *uri;
  gchar *pointer;
  gchar *path;           /* where it belongs */
  gchar *temporary_path; /* where it is written; %NULL once it was published */
  GPtrArray *folders;    /* (element-type filename): those created for it, outermost first */
  gint fd;               /* holds the lock that tells a living temporary file from a dead one */
  gboolean published;
};

/* Guards living_publications and the moment in which temporary files get their names; no other lock
 * is taken under it. */
static GMutex publications_lock;
static GSList *living_publications;

static WeftError
errno_to_code (gint saved_errno)
{
  switch (saved_errno) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case EEXIST:
      return WEFT_ERROR_OUTPUT_DENIED;
    case ENOSPC:
    case EDQUOT:
      return WEFT_ERROR_NO_SPACE;
    default:
      return WEFT_ERROR_OUTPUT_FAILED;
  }
}

static const gchar *
code_to_hint (WeftError code)
{
  switch (code) {
    case WEFT_ERROR_OUTPUT_DENIED:
      return "choose a folder that this user may write, or another name";
    case WEFT_ERROR_NO_SPACE:
      return "free some space there or choose another place";
    default:
      return NULL;
  }
}

static gboolean
fail (WeftPublication *self, const gchar *what, gint saved_errno, GError **error)
{
  WeftError code = errno_to_code (saved_errno);

  weft_error_set_problem (
      error, weft_problem_new (code, self->pointer, self->uri, code_to_hint (code),
                 "cannot %s %s: %s", what, self->path, g_strerror (saved_errno)));
  return FALSE;
}

/* Creates the folders of @folder that are missing and remembers them. */
static gboolean
make_folders (WeftPublication *self, const gchar *folder, GError **error)
{
  g_autofree gchar *parent = NULL;

  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    return TRUE;
  parent = g_path_get_dirname (folder);
  if (strcmp (parent, folder) != 0 && !make_folders (self, parent, error))
    return FALSE;
  if (g_mkdir (folder, 0777) != 0) {
    /* Another output of the same or of another job may have been first. */
    if (errno == EEXIST && g_file_test (folder, G_FILE_TEST_IS_DIR))
      return TRUE;
    return fail (self, "make the folder of", errno, error);
  }
  g_ptr_array_add (self->folders, g_strdup (folder));
  return TRUE;
}

/* A killed process leaves its temporary file; its lock went with it. */
static void
remove_abandoned (const gchar *folder, const gchar *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = NULL;
    gint fd;

    if (!g_str_has_prefix (name, prefix))
      continue;
    path = g_build_filename (folder, name, NULL);
    fd = g_open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0)
      continue;
    if (flock (fd, LOCK_EX | LOCK_NB) == 0)
      g_unlink (path);
    close (fd);
  }
}

/* Returns: (transfer full) (nullable): a new, locked, empty file beside the place of @uri */
WeftPublication *
weft_publication_new (const gchar *uri, const gchar *pointer, GError **error)
{
  g_autoptr (WeftPublication) self = g_new0 (WeftPublication, 1);
  g_autofree gchar *folder = NULL;
  g_autofree gchar *name = NULL;
  g_autofree gchar *prefix = NULL;
  g_autofree gchar *target = NULL;
  g_autoptr (GMutexLocker) locker = NULL;
  mode_t mask;

  self->fd = -1;
  self->uri = g_strdup (uri);
  self->pointer = g_strdup (pointer);
  self->folders = g_ptr_array_new_with_free_func (g_free);
  self->path = g_filename_from_uri (uri, NULL, NULL);
  if (self->path == NULL) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_UNSUPPORTED, pointer, uri, "name a local file",
                   "outputs can only be written to local files"));
    return NULL;
  }
  /* Like any program that opens a file for writing, write to where a link points. */
  if (g_file_test (self->path, G_FILE_TEST_IS_SYMLINK) && (target = realpath (self->path, NULL))) {
    g_free (self->path);
    self->path = g_strdup (target);
  }
  if (g_file_test (self->path, G_FILE_TEST_IS_DIR)) {
    fail (self, "write", EISDIR, error);
    return NULL;
  }

  folder = g_path_get_dirname (self->path);
  name = g_path_get_basename (self->path);
  locker = g_mutex_locker_new (&publications_lock);
  living_publications = g_slist_prepend (living_publications, self);
  if (!make_folders (self, folder, error))
    return NULL;
  prefix = g_strdup_printf (".%s" TEMPORARY_INFIX, name);
  remove_abandoned (folder, prefix);

  self->temporary_path = g_strdup_printf ("%s/%sXXXXXX", folder, prefix);
  self->fd = g_mkstemp_full (self->temporary_path, O_RDWR | O_CLOEXEC, 0600);
  if (self->fd < 0) {
    gint saved_errno = errno;

    g_clear_pointer (&self->temporary_path, g_free);
    fail (self, "write", saved_errno, error);
    return NULL;
  }
  /* mkstemp() makes private files; an output has the rights any new file of this user has. */
  mask = umask (0);
  umask (mask);
  if (fchmod (self->fd, 0666 & ~mask) != 0 || flock (self->fd, LOCK_EX | LOCK_NB) != 0) {
    fail (self, "write", errno, error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

/* Takes what was not published off the disk. */
static void
remove_traces_unlocked (WeftPublication *self)
{
  if (self->temporary_path)
    g_unlink (self->temporary_path);
  /* Only empty ones go: rmdir() refuses the others. */
  for (guint i = self->folders->len; !self->published && i > 0; i--)
    g_rmdir (g_ptr_array_index (self->folders, i - 1));
}

void
weft_publication_free (WeftPublication *self)
{
  g_mutex_lock (&publications_lock);
  living_publications = g_slist_remove (living_publications, self);
  remove_traces_unlocked (self);
  g_mutex_unlock (&publications_lock);
  if (self->fd >= 0)
    close (self->fd);
  g_ptr_array_unref (self->folders);
  g_free (self->temporary_path);
  g_free (self->path);
  g_free (self->pointer);
  g_free (self->uri);
  g_free (self);
}

/**
 * weft_publication_remove_all: (skip)
 *
 * Takes every output that is not complete off the disk, from any thread, for a process that is
 * about to _exit(). Nothing can be published or begun after it.
 */
void
weft_publication_remove_all (void)
{
  /* Never given back: a thread that would still publish waits here until the process is gone. */
  g_mutex_lock (&publications_lock);
  for (GSList *l = living_publications; l; l = l->next)
    remove_traces_unlocked (l->data);
}

const gchar *
weft_publication_get_temporary_path (WeftPublication *self)
{
  return self->temporary_path;
}

/* Returns: bytes written so far */
guint64
weft_publication_get_size (WeftPublication *self)
{
  struct stat st;

  return fstat (self->fd, &st) == 0 ? (guint64) st.st_size : 0;
}

/**
 * weft_publish_all: (skip)
 * @publications: (element-type WeftPublication): complete files
 * @error: return location for an error, or %NULL
 *
 * Gives each of @publications its own name. All are on the disk before the first is renamed, and if
 * a rename fails none of them stays.
 *
 * Returns: %TRUE if all are in their place
 */
gboolean
weft_publish_all (GPtrArray *publications, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  for (guint i = 0; i < publications->len; i++) {
    WeftPublication *self = g_ptr_array_index (publications, i);

    if (fdatasync (self->fd) != 0 && errno != EINVAL)
      return fail (self, "write", errno, error);
  }
  locker = g_mutex_locker_new (&publications_lock);
  for (guint i = 0; i < publications->len; i++) {
    WeftPublication *self = g_ptr_array_index (publications, i);

    if (g_rename (self->temporary_path, self->path) != 0) {
      fail (self, "write", errno, error);
      for (guint done = 0; done < i; done++) {
        WeftPublication *other = g_ptr_array_index (publications, done);

        g_unlink (other->path);
        other->published = FALSE;
      }
      return FALSE;
    }
    g_clear_pointer (&self->temporary_path, g_free);
    self->published = TRUE;
  }
  return TRUE;
}
