/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job's `src` and `uri` may be: a file path, or a URI with one of four schemes. */

#include "weft-uri.h"

#include <string.h>

#include "weft-json.h"

static gchar *
refuse (GError **error, const gchar *uri, const gchar *hint, const gchar *message)
{
  g_autofree gchar *quoted = weft_json_quote (uri);

  weft_error_set_problem (error,
      weft_problem_new (WEFT_ERROR_INVALID_JOB, NULL, NULL, hint, "%s: %s", quoted, message));
  return NULL;
}

/* The path without `.` steps and doubled slashes. `..` stays: what it means depends on links, which
 * only the kernel follows. */
static gchar *
clean_path (const gchar *path)
{
  g_auto (GStrv) steps = g_strsplit (path, "/", -1);
  GString *clean = g_string_new (NULL);
  gsize length = strlen (path);

  for (guint i = 0; steps[i] != NULL; i++) {
    if (*steps[i] != '\0' && strcmp (steps[i], ".") != 0)
      g_string_append_printf (clean, "/%s", steps[i]);
  }
  if (clean->len == 0 || (length > 0 && path[length - 1] == '/'))
    g_string_append_c (clean, '/');
  return g_string_free (clean, FALSE);
}

static gchar *
resolve_path (GFile *base, const gchar *path, GError **error)
{
  g_autofree gchar *absolute = NULL;
  g_autofree gchar *clean = NULL;

  if (path[0] == '/') {
    absolute = g_strdup (path);
  } else if (path[0] == '~' && path[1] == '/') {
    absolute = g_build_filename (g_get_home_dir (), path + 2, NULL);
  } else if (base == NULL) {
    g_autofree gchar *current = g_get_current_dir ();

    absolute = g_build_filename (current, path, NULL);
  } else if (g_file_peek_path (base) != NULL) {
    absolute = g_build_filename (g_file_peek_path (base), path, NULL);
  } else {
    g_autoptr (GFile) file = g_file_resolve_relative_path (base, path);

    return g_file_get_uri (file);
  }
  clean = clean_path (absolute);
  return g_filename_to_uri (clean, NULL, error);
}

static gchar *
resolve_file_uri (const gchar *uri, GError **error)
{
  g_autofree gchar *host = NULL;
  g_autofree gchar *path = NULL;
  g_autofree gchar *clean = NULL;
  g_autoptr (GError) local_error = NULL;

  if (strpbrk (uri, "?#") != NULL)
    return refuse (error, uri,
        "in a file: URI write `?` as %3F and `#` as %23, or give the plain path",
        "a file: URI has no query and no fragment");
  path = g_filename_from_uri (uri, &host, &local_error);
  if (path == NULL)
    return refuse (error, uri, "a file: URI is such as file:///home/me/a.mp4, with percent-escapes",
        "not a file: URI");
  if (host != NULL && *host != '\0' && g_ascii_strcasecmp (host, "localhost") != 0)
    return refuse (error, uri, "write file:///path", "a file: URI of another machine");
  clean = clean_path (path);
  return g_filename_to_uri (clean, NULL, error);
}

static gchar *
resolve_http_uri (const gchar *uri, GError **error)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_ENCODED, NULL);

  if (parsed == NULL || strchr (uri, ' ') != NULL)
    return refuse (error, uri, "write spaces and other special characters as percent-escapes",
        "not a valid address");
  if (g_uri_get_host (parsed) == NULL || *g_uri_get_host (parsed) == '\0')
    return refuse (
        error, uri, "an address is such as https://example.org/a.mp4", "an address without a host");
  return g_strdup (uri);
}

static gchar *
resolve_s3_uri (const gchar *uri, GError **error)
{
  static const gchar allowed[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  const gchar *bucket = uri + strlen ("s3://");
  gsize length;

  if (strncmp (uri + strlen ("s3:"), "//", 2) != 0)
    return refuse (error, uri, "write s3://bucket/key", "not an s3: URI");
  length = strspn (bucket, allowed);
  if (length < 1 || length > 255 || bucket[length] != '/' || bucket[length + 1] == '\0')
    return refuse (error, uri, "write s3://bucket/key", "an s3: URI needs a bucket and a key");
  return g_strdup (uri);
}

/* Returns: the length of the scheme that @uri begins with (RFC 3986, section 3.1); 0 if it has none
 */
static gsize
get_scheme_length (const gchar *uri)
{
  gsize length = g_ascii_isalpha (*uri) ? strspn (
                     uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
                                        : 0;

  return uri[length] == ':' ? length : 0;
}

/*
 * weft_uri_resolve:
 * @base: (nullable): the folder against which relative paths are resolved; %NULL is the current one
 * @uri: a path or URI
 *
 * See weft_job_resolve_uri().
 *
 * Returns: (transfer full): the absolute URI; or %NULL with %WEFT_ERROR_INVALID_JOB
 */
gchar *
weft_uri_resolve (GFile *base, const gchar *uri, GError **error)
{
  g_autofree gchar *scheme = NULL;
  gsize length;

  if (*uri == '\0')
    return refuse (error, uri, "give a path or a URI", "empty");
  if (!g_utf8_validate (uri, -1, NULL))
    return refuse (error, "", "percent-escape it in a file: URI", "a path that is not UTF-8");
  for (const gchar *p = uri; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return refuse (error, uri,
          "for a file whose name really has one, write a file: URI with percent-escapes",
          "a control character");
  }

  length = get_scheme_length (uri);
  if (length == 0)
    return resolve_path (base, uri, error);

  scheme = g_ascii_strdown (uri, (gssize) length);
  if (strcmp (scheme, "file") == 0)
    return resolve_file_uri (uri, error);
  if (strcmp (scheme, "http") == 0 || strcmp (scheme, "https") == 0)
    return resolve_http_uri (uri, error);
  if (strcmp (scheme, "s3") == 0)
    return resolve_s3_uri (uri, error);
  return refuse (error, uri,
      "use a path, file:, http:, https: or s3:; a file name with a colon is written "
      "./like:this.mp4",
      "a scheme that Weft does not read");
}

/*
 * weft_uri_is_relative:
 * @uri: a path or URI as jobs write it
 *
 * Returns: whether @uri is a path that depends on a folder
 */
gboolean
weft_uri_is_relative (const gchar *uri)
{
  return uri[0] != '/' && !g_str_has_prefix (uri, "~/") && get_scheme_length (uri) == 0;
}

/*
 * weft_uri_get_identity:
 * @uri: an absolute URI
 *
 * Returns: (transfer full): a text that is the same for two URIs that surely name the same thing.
 * Links are not followed.
 */
gchar *
weft_uri_get_identity (const gchar *uri)
{
  g_autofree gchar *path = g_filename_from_uri (uri, NULL, NULL);

  return path != NULL ? g_canonicalize_filename (path, "/") : g_strdup (uri);
}

/*
 * weft_uri_get_ending:
 * @uri: a path or URI
 *
 * Returns: (transfer none): what follows the last point of the last step, or "" if it has none
 */
const gchar *
weft_uri_get_ending (const gchar *uri)
{
  const gchar *slash = strrchr (uri, '/');
  const gchar *name = slash != NULL ? slash + 1 : uri;
  const gchar *point = strrchr (name, '.');

  return point != NULL && point != name ? point + 1 : "";
}
