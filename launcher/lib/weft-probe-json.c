/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was seen of a source, as a `sources` member of the plan document. */

#include "weft-probe-private.h"

#include <string.h>

WeftStream *
weft_probe_find_stream (WeftProbe *self, WeftStreamKind kind)
{
  for (guint i = 0; i < self->streams->len; i++) {
    WeftStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->kind == kind)
      return stream;
  }
  return NULL;
}

/* Pictures inside a file with sound or moving pictures are covers unless they move themselves. */
WeftStream *
weft_probe_find_video (WeftProbe *self)
{
  WeftStream *video = weft_probe_find_stream (self, WEFT_STREAM_VIDEO);
  WeftStream *image = weft_probe_find_stream (self, WEFT_STREAM_IMAGE);

  if (video != NULL || image == NULL)
    return video;
  if (!image->moves && weft_probe_find_stream (self, WEFT_STREAM_AUDIO) != NULL)
    return NULL;
  return image;
}

gboolean
weft_probe_is_still (WeftProbe *self, const gchar *container)
{
  const WeftStream *video = weft_probe_find_video (self);

  /* A photo may have smaller copies of itself behind it (CIPA DC-007, "MPF"); only a GIF moves. */
  return video != NULL && g_str_has_prefix (container, "image/")
         && !(g_str_equal (container, "image/gif") && video->moves);
}

static void
set_times (JsonObject *object, const WeftStream *stream, WeftProbePhase phase)
{
  if (stream->first_ns == G_MAXINT64)
    return;
  json_object_set_int_member (object, "start_ns", MAX (stream->first_ns, 0));
  if (stream->end_ns > stream->first_ns)
    json_object_set_int_member (object, "duration_ns", stream->end_ns - MAX (stream->first_ns, 0));
  if (phase == WEFT_PROBE_PHASE_SCAN)
    json_object_set_int_member (object, "frames", (gint64) stream->frames);
}

static void
add_video (WeftProbe *self, JsonObject *root, const WeftStream *video, gboolean is_image)
{
  const gchar *orientation = video->orientation != NULL ? video->orientation : self->orientation;
  g_autofree gchar *decoder = weft_stream_find_decoder (video->caps);
  JsonObject *object = weft_stream_video_to_json (video->caps, orientation);

  json_object_set_string_member (object, "decoder", decoder);
  if (!is_image)
    set_times (object, video, self->phase);
  if (self->phase == WEFT_PROBE_PHASE_SCAN && !is_image) {
    JsonArray *keyframes = json_array_sized_new (video->keyframes->len);

    for (guint i = 0; i < video->keyframes->len; i++)
      json_array_add_int_element (keyframes, g_array_index (video->keyframes, gint64, i));
    json_object_set_array_member (object, "keyframes_ns", keyframes);
  }
  json_object_set_object_member (root, "video", object);
}

static void
add_audio (WeftProbe *self, JsonObject *root, const WeftStream *audio)
{
  g_autofree gchar *decoder = weft_stream_find_decoder (audio->caps);
  JsonObject *object = weft_stream_audio_to_json (audio->caps);

  json_object_set_string_member (object, "decoder", decoder);
  set_times (object, audio, self->phase);
  json_object_set_object_member (root, "audio", object);
}

/* Called after the pipeline was stopped, so nothing changes any more.
 * @container_ns: the duration in the container's header, or 0. @end_is_known: whether the end of
 * the streams was seen. */
JsonNode *
weft_probe_to_json (
    WeftProbe *self, const gchar *container, gint64 container_ns, gboolean end_is_known)
{
  g_autoptr (JsonObject) root = json_object_new ();
  const WeftStream *video = weft_probe_find_video (self);
  WeftStream *audio = weft_probe_find_stream (self, WEFT_STREAM_AUDIO);
  const WeftStream *both[] = { video, audio };
  gboolean is_image = weft_probe_is_still (self, container);
  gint64 start_ns = G_MAXINT64, end_ns = 0;
  guint64 size = self->file->size;
  g_autofree gchar *identity = g_strdup (self->file->identity);
  JsonNode *node = NULL;

  /* The last block of a FLAC stream is as long as the others to its parser; how many samples there
   * really are is in its header (RFC 9639, 8.2). */
  if (audio != NULL && g_str_equal (container, "audio/x-flac") && container_ns > 0)
    audio->end_ns = container_ns;
  for (guint i = 0; i < G_N_ELEMENTS (both); i++) {
    if (both[i] == NULL || both[i]->first_ns == G_MAXINT64)
      continue;
    start_ns = MIN (start_ns, both[i]->first_ns);
    end_ns = MAX (end_ns, both[i]->end_ns);
  }
  start_ns = start_ns == G_MAXINT64 ? 0 : MAX (start_ns, 0);
  if (end_ns <= start_ns || (!end_is_known && container_ns > 0))
    end_ns = MAX (container_ns, start_ns);
  if (self->http_headers != NULL)
    identity = weft_source_http_identity (self->http_headers, &size);
  json_object_set_string_member (root, "uri", self->file->uri);
  if (size != G_MAXUINT64)
    json_object_set_int_member (root, "size", (gint64) size);
  else
    json_object_set_null_member (root, "size");
  if (identity != NULL)
    json_object_set_string_member (root, "identity", identity);
  else
    json_object_set_null_member (root, "identity");
  json_object_set_string_member (root, "container", container);
  json_object_set_boolean_member (root, "image", is_image);
  json_object_set_int_member (root, "duration_ns", is_image ? 0 : end_ns - start_ns);
  json_object_set_int_member (root, "start_ns", is_image ? 0 : start_ns);
  json_object_set_boolean_member (root, "cover_art",
      self->have_cover
          || (video == NULL && weft_probe_find_stream (self, WEFT_STREAM_IMAGE) != NULL));
  if (video != NULL)
    add_video (self, root, video, is_image);
  else
    json_object_set_null_member (root, "video");
  if (audio != NULL)
    add_audio (self, root, audio);
  else
    json_object_set_null_member (root, "audio");
  node = json_node_alloc ();
  return json_node_init_object (node, root);
}
