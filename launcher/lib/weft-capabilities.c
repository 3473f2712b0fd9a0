/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-capabilities.h"

#include <gst/gst.h>

#include "weft-encoders.h"
#include "weft-fonts.h"
#include "weft-pictures.h"
#include "weft-probe-private.h"

static const struct {
  const gchar *codec;
  const gchar *caps;
} decoded[] = {
  { "h264", "video/x-h264" },
  { "h265", "video/x-h265" },
  { "vp8", "video/x-vp8" },
  { "vp9", "video/x-vp9" },
  { "av1", "video/x-av1" },
  { "mpeg2", "video/mpeg, mpegversion=2, systemstream=false" },
  { "mpeg4", "video/mpeg, mpegversion=4, systemstream=false" },
  { "mjpeg", "image/jpeg" },
  { "prores", "video/x-prores" },
  { "theora", "video/x-theora" },
  { "aac", "audio/mpeg, mpegversion=4, stream-format=raw" },
  { "mp3", "audio/mpeg, mpegversion=1, layer=3" },
  { "opus", "audio/x-opus" },
  { "vorbis", "audio/x-vorbis" },
  { "flac", "audio/x-flac" },
  { "ac3", "audio/x-ac3" },
};

/* What graphs are made of, and where Debian keeps it; Weft's own elements come with Weft. */
static const struct {
  const gchar *element;
  const gchar *package;
} elements[] = {
  { "clipsequence", "weft" },
  { "overlaytimeline", "weft" },
  { "framepick", "weft" },
  { "clipscale", "weft" },
  { "mp4layout", "weft" },
  { "parsebin", "gstreamer1.0-plugins-base" },
  { "videoconvertscale", "gstreamer1.0-plugins-base" },
  { "audioconvert", "gstreamer1.0-plugins-base" },
  { "audioresample", "gstreamer1.0-plugins-base" },
  { "souphttpsrc", "gstreamer1.0-plugins-good" },
  { "mp4mux", "gstreamer1.0-plugins-good" },
  { "qtdemux", "gstreamer1.0-plugins-good" },
  { "matroskademux", "gstreamer1.0-plugins-good" },
  { "avidemux", "gstreamer1.0-plugins-good" },
  { "h264parse", "gstreamer1.0-plugins-bad" },
  { "tsdemux", "gstreamer1.0-plugins-bad" },
  { "mpegpsdemux", "gstreamer1.0-plugins-bad" },
};

static JsonArray *
list_decoders (void)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (decoded); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (decoded[i].caps);
    g_autofree gchar *decoder = weft_stream_find_decoder (caps);
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "codec", decoded[i].codec);
    json_object_set_boolean_member (object, "works", decoder != NULL);
    if (decoder != NULL)
      json_object_set_string_member (object, "element", decoder);
    else
      json_object_set_string_member (object, "package", weft_stream_package_hint (caps));
    json_array_add_object_element (array, object);
  }
  return array;
}

static JsonArray *
list_elements (void)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (elements[i].element);
    JsonObject *object = json_object_new ();

    json_object_set_string_member (object, "element", elements[i].element);
    json_object_set_boolean_member (object, "present", factory != NULL);
    json_object_set_string_member (object, "package", elements[i].package);
    json_array_add_object_element (array, object);
  }
  return array;
}

static JsonArray *
list_pictures (void)
{
  JsonArray *array = json_array_new ();
  g_auto (GStrv) types = weft_pictures_list_types ();

  for (guint i = 0; types[i] != NULL; i++)
    json_array_add_string_element (array, types[i]);
  return array;
}

/**
 * weft_capabilities_probe:
 *
 * What this machine can do: `gstreamer` (its version), `encoders` (which work, and why the others
 * do not: each hardware encoder is tried with two frames), `decoders`, `elements`, `pictures`
 * (MIME types that overlays may have) and `fonts` (how many families are installed, or null).
 *
 * Returns: (transfer full): a JSON object
 */
JsonNode *
weft_capabilities_probe (void)
{
  g_autoptr (JsonObject) root = json_object_new ();
  g_autofree gchar *version = NULL;
  gint fonts;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  version = gst_version_string ();
  json_object_set_string_member (root, "weft_version", WEFT_VERSION);
  json_object_set_string_member (root, "gstreamer", version);
  json_object_set_int_member (root, "processors", g_get_num_processors ());
  json_object_set_member (root, "encoders", weft_encoders_list ());
  json_object_set_array_member (root, "decoders", list_decoders ());
  json_object_set_array_member (root, "elements", list_elements ());
  json_object_set_array_member (root, "pictures", list_pictures ());
  fonts = weft_fonts_count_families ();
  if (fonts >= 0)
    json_object_set_int_member (root, "fonts", fonts);
  else
    json_object_set_null_member (root, "fonts");
  return json_node_init_object (json_node_alloc (), root);
}
