/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What GStreamer says about a source, in terms a caller can act on. */

#include "weft-message.h"
#include "weft-probe-private.h"
#include "weft-redact.h"

#include <gst/pbutils/pbutils.h>

gboolean
weft_probe_set_problem (
    GError **error, WeftError code, const WeftProbe *self, const gchar *hint, const gchar *message)
{
  weft_error_set_problem (
      error, weft_problem_new (code, NULL, self->file->uri, hint, "%s", message));
  return FALSE;
}

static gboolean
has_answered (WeftProbe *self)
{
  gboolean answered;

  g_mutex_lock (&self->lock);
  answered = self->http_headers != NULL;
  g_mutex_unlock (&self->lock);
  return answered;
}

/* @message: (nullable): why, if that is known: souphttpsrc 1.22 says nothing of its own when it
 * gets no answer or loses the connection. */
static gboolean
map_lost_connection (WeftProbe *self, const gchar *message, GError **error)
{
  if (has_answered (self))
    return weft_probe_set_problem (error, WEFT_ERROR_STALLED, self, "try again later",
        "the connection to the server was lost, or the server sends less than it promised");
  return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, self,
      "check the address, the network and that the server runs",
      message != NULL ? message : "the server cannot be reached");
}

static gboolean
map_resource_error (WeftProbe *self, const GError *gst, const GstStructure *details, GError **error)
{
  gboolean changed = FALSE;
  guint status = 0;

  if (details != NULL) {
    gst_structure_get_uint (details, "http-status-code", &status);
    gst_structure_get_boolean (details, WEFT_DETAIL_CHANGED, &changed);
  }
  if (changed)
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_CHANGED, self,
        "run the job again when nobody writes to the source", gst->message);
  if (status == 401 || status == 403 || status == 407
      || gst->code == GST_RESOURCE_ERROR_NOT_AUTHORIZED)
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DENIED, self,
        "check the credentials or the signature in the URL, and that it has not expired",
        "the server refuses access to the source");
  if (status == 416)
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
        "the copy on the server was cut off; upload the file again",
        "the source is truncated: its index points beyond its end");
  if (status >= 500) {
    weft_error_set_problem (
        error, weft_problem_new (WEFT_ERROR_SOURCE_NOT_FOUND, NULL, self->file->uri,
                   "the server has a problem; try again later", "the server answered %u", status));
    return FALSE;
  }
  if (status == 404 || status == 410
      || (status == 0 && gst->code == GST_RESOURCE_ERROR_NOT_FOUND && self->file->local))
    return weft_probe_set_problem (
        error, WEFT_ERROR_SOURCE_NOT_FOUND, self, "check the address", "the source does not exist");
  if (!self->file->local && status == 0)
    return map_lost_connection (self, gst->message, error);
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, self->file->uri,
                 "fetch the file again", "the source cannot be read: %s", gst->message));
  return FALSE;
}

/* Whether what is said to be missing a decoder is media at all: typefind knows web pages and
 * programs too. */
gboolean
weft_probe_is_media_type (const gchar *name)
{
  static const gchar *const others[] = { "application/x-executable", "application/pdf",
    "application/zip", "application/x-gzip", "application/x-bzip", "application/x-xz",
    "application/x-compress", "application/x-lzop", "application/x-rar", "application/x-tar",
    "application/x-ar", "application/x-rpm", "application/msword", "application/octet-stream",
    "application/postscript", "application/xml", "application/json", NULL };

  return !g_str_has_prefix (name, "text/") && !g_strv_contains (others, name);
}

gboolean
weft_probe_fail_not_media (const WeftProbe *self, const gchar *name, GError **error)
{
  weft_error_set_problem (error,
      weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, self->file->uri,
          "check that it is a video, audio or picture file and not, for example, a web page saved "
          "under its name",
          "the source is not media but %s", name));
  return FALSE;
}

/* @missing: what autoplugging found no element for */
static gboolean
map_missing_plugin (const WeftProbe *self, GstMessage *missing, GError **error)
{
  const GstStructure *s = gst_message_get_structure (missing);
  g_autofree gchar *what = gst_missing_plugin_message_get_description (missing);
  const GValue *detail = gst_structure_get_value (s, "detail");
  const gchar *name = "";

  if (detail != NULL && GST_VALUE_HOLDS_CAPS (detail))
    name = weft_stream_codec_name (gst_value_get_caps (detail));
  if (!weft_probe_is_media_type (name))
    return weft_probe_fail_not_media (self, name, error);
  weft_error_set_problem (error,
      weft_problem_new (WEFT_ERROR_UNSUPPORTED, NULL, self->file->uri,
          "install gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly or gstreamer1.0-libav",
          "this machine cannot read the source: it lacks a %s", what));
  return FALSE;
}

/* @message: an error of the pipeline, with @missing the plugin message that came before it. */
gboolean
weft_probe_map_error (WeftProbe *self, GstMessage *message, GstMessage *missing, GError **error)
{
  g_autoptr (GError) gst = NULL;
  g_autofree gchar *debug = NULL, *said = NULL, *shown = NULL;
  const GstStructure *details = NULL;

  gst_message_parse_error (message, &gst, &debug);
  gst_message_parse_error_details (message, &details);
  said = g_strdup_printf ("%s: %s (%s)", self->file->uri, gst->message, debug != NULL ? debug : "");
  shown = weft_redact_text (said);
  GST_INFO ("%s", shown);
  if (gst->domain == GST_RESOURCE_ERROR)
    return map_resource_error (self, gst, details, error);
  if (missing != NULL)
    return map_missing_plugin (self, missing, error);
  if (!self->file->local && GST_MESSAGE_SRC (message) == GST_OBJECT (self->source))
    return map_lost_connection (self, NULL, error);
  if (gst->domain == GST_STREAM_ERROR
      && (gst->code == GST_STREAM_ERROR_DECRYPT || gst->code == GST_STREAM_ERROR_DECRYPT_NOKEY))
    return weft_probe_set_problem (
        error, WEFT_ERROR_UNSUPPORTED, self, "use a copy without DRM", "the source is encrypted");
  if (gst->domain == GST_STREAM_ERROR
      && (gst->code == GST_STREAM_ERROR_TYPE_NOT_FOUND || gst->code == GST_STREAM_ERROR_WRONG_TYPE))
    return weft_probe_set_problem (error, WEFT_ERROR_SOURCE_DAMAGED, self,
        "check that it is a video, audio or picture file and not, for example, a web page saved "
        "under its name",
        "the source is not media: its format is not recognised");
  if (gst->domain == GST_CORE_ERROR && gst->code == GST_CORE_ERROR_MISSING_PLUGIN)
    return weft_probe_set_problem (error, WEFT_ERROR_UNSUPPORTED, self,
        "install gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly or gstreamer1.0-libav",
        gst->message);
  weft_error_set_problem (
      error, weft_problem_new (WEFT_ERROR_SOURCE_DAMAGED, NULL, self->file->uri,
                 "play it with another program; if that fails too, fetch it again",
                 "the source is damaged: %s", gst->message));
  return FALSE;
}
