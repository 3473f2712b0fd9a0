/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-probe-private.h"

#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

/* Which Debian package decodes what, for the hint of an error. The rest is in -bad or -libav. */
static const struct {
  const gchar *caps_name;
  const gchar *package;
} packages[] = {
  { "video/x-h264", "gstreamer1.0-libav" },
  { "video/x-h265", "gstreamer1.0-libav" },
  { "video/mpeg", "gstreamer1.0-libav" },
  { "video/x-prores", "gstreamer1.0-libav" },
  { "video/x-vp8", "gstreamer1.0-plugins-good" },
  { "video/x-vp9", "gstreamer1.0-plugins-good" },
  { "image/jpeg", "gstreamer1.0-plugins-good" },
  { "image/png", "gstreamer1.0-plugins-good" },
  { "image/webp", "gstreamer1.0-plugins-bad" },
  { "video/x-av1", "gstreamer1.0-plugins-bad" },
  { "video/x-theora", "gstreamer1.0-plugins-base" },
  { "audio/x-vorbis", "gstreamer1.0-plugins-base" },
  { "audio/x-opus", "gstreamer1.0-plugins-base" },
  { "audio/x-flac", "gstreamer1.0-plugins-good" },
  { "audio/mpeg", "gstreamer1.0-libav" },
};

static const gchar *
caps_name (const GstCaps *caps)
{
  if (caps == NULL || gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return "";
  return gst_structure_get_name (gst_caps_get_structure (caps, 0));
}

WeftStreamKind
weft_stream_kind (const GstCaps *caps)
{
  const gchar *name = caps_name (caps);

  if (g_str_has_prefix (name, "application/x-cenc") || g_str_has_prefix (name, "application/x-cbcs")
      || g_str_has_prefix (name, "application/x-aavd")
      || g_str_has_prefix (name, "application/x-webm-enc"))
    return WEFT_STREAM_ENCRYPTED;
  if (g_str_has_prefix (name, "image/"))
    return WEFT_STREAM_IMAGE;
  if (g_str_has_prefix (name, "video/"))
    return WEFT_STREAM_VIDEO;
  if (g_str_has_prefix (name, "audio/"))
    return WEFT_STREAM_AUDIO;
  return WEFT_STREAM_OTHER;
}

/* Returns: (nullable): the name of the decoder autoplugging would try first. */
gchar *
weft_stream_find_decoder (const GstCaps *caps)
{
  g_autoptr (GList) all = NULL;
  GList *able = NULL;
  gchar *name = NULL;

  if (g_str_equal (caps_name (caps), "video/x-raw")
      || g_str_equal (caps_name (caps), "audio/x-raw"))
    return g_strdup ("none");
  all = gst_element_factory_list_get_elements (GST_ELEMENT_FACTORY_TYPE_DECODER, GST_RANK_MARGINAL);
  /* As decodebin chooses: one that takes just these caps, and not merely some like them. */
  able = gst_element_factory_list_filter (all, caps, GST_PAD_SINK, gst_caps_is_fixed (caps));
  able = g_list_sort (able, gst_plugin_feature_rank_compare_func);
  if (able != NULL)
    name = g_strdup (GST_OBJECT_NAME (able->data));
  gst_plugin_feature_list_free (able);
  for (GList *l = all; l != NULL; l = l->next)
    gst_object_unref (l->data);
  return name;
}

/* Returns: how long a frame at the frame rate of @caps is, or 0 if they have none */
guint64
weft_stream_frame_duration (const GstCaps *caps)
{
  gint num, den;

  if (!gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate", &num, &den)
      || num <= 0 || den <= 0)
    return 0;
  return gst_util_uint64_scale_round (GST_SECOND, (guint64) den, (guint64) num);
}

gchar *
weft_stream_describe (const GstCaps *caps)
{
  g_autoptr (GstCaps) copy = gst_caps_copy_nth (caps, 0);
  g_autofree gchar *description = gst_pb_utils_get_codec_description (copy);

  if (description != NULL && *description != '\0')
    return g_steal_pointer (&description);
  return g_strdup (caps_name (caps));
}

const gchar *
weft_stream_codec_name (const GstCaps *caps)
{
  return caps_name (caps);
}

/* Returns: the package that is likely to hold a decoder for @caps. */
const gchar *
weft_stream_package_hint (const GstCaps *caps)
{
  for (guint i = 0; i < G_N_ELEMENTS (packages); i++)
    if (g_str_equal (packages[i].caps_name, caps_name (caps)))
      return packages[i].package;
  return "gstreamer1.0-libav or gstreamer1.0-plugins-bad";
}

static void
set_fraction (JsonObject *object, const gchar *name, gint num, gint den)
{
  JsonArray *array = json_array_sized_new (2);

  json_array_add_int_element (array, num);
  json_array_add_int_element (array, den);
  json_object_set_array_member (object, name, array);
}

static gint
get_depth (const GstStructure *s)
{
  const gchar *format = gst_structure_get_string (s, "format");
  const gchar *profile = gst_structure_get_string (s, "profile");
  guint depth;
  gint bpp;

  if (gst_structure_get_uint (s, "bit-depth-luma", &depth))
    return (gint) depth;
  if (format != NULL && gst_structure_has_name (s, "video/x-raw")) {
    const GstVideoFormatInfo *info =
        gst_video_format_get_info (gst_video_format_from_string (format));

    if (info != NULL && GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info) > 0)
      return (gint) GST_VIDEO_FORMAT_INFO_DEPTH (info, 0);
  }
  if (gst_structure_has_name (s, "video/x-prores"))
    return 10;
  /* VP9 profiles 2 and 3 are the deep ones; how deep is in the stream itself. */
  if (gst_structure_has_name (s, "video/x-vp9")
      && (g_strcmp0 (profile, "2") == 0 || g_strcmp0 (profile, "3") == 0))
    return 10;
  if (profile != NULL && g_strrstr (profile, "10") != NULL)
    return 10;
  if (gst_structure_get_int (s, "bpp", &bpp) && bpp > 32)
    return 16;
  return 8;
}

static gboolean
get_alpha (const GstStructure *s)
{
  const gchar *format = gst_structure_get_string (s, "format");
  gboolean alpha = FALSE;

  if (gst_structure_get_boolean (s, "codec-alpha", &alpha))
    return alpha;
  if (format != NULL && gst_structure_has_name (s, "video/x-raw")) {
    const GstVideoFormatInfo *info =
        gst_video_format_get_info (gst_video_format_from_string (format));

    return info != NULL && GST_VIDEO_FORMAT_INFO_HAS_ALPHA (info);
  }
  if (gst_structure_has_name (s, "video/x-prores"))
    return g_strcmp0 (gst_structure_get_string (s, "variant"), "4444") == 0;
  return FALSE;
}

/* @orientation: (nullable): the image-orientation tag. */
JsonObject *
weft_stream_video_to_json (const GstCaps *caps, const gchar *orientation)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  JsonObject *video = json_object_new ();
  const gchar *interlace = gst_structure_get_string (s, "interlace-mode");
  const gchar *text;
  gint width = 0, height = 0, num, den, version;

  json_object_set_string_member (video, "codec", caps_name (caps));
  if (gst_structure_has_name (s, "video/mpeg")
      && gst_structure_get_int (s, "mpegversion", &version))
    json_object_set_int_member (video, "mpegversion", version);
  if ((text = gst_structure_get_string (s, "profile")) != NULL)
    json_object_set_string_member (video, "profile", text);
  gst_structure_get_int (s, "width", &width);
  gst_structure_get_int (s, "height", &height);
  json_object_set_int_member (video, "width", width);
  json_object_set_int_member (video, "height", height);
  if (!gst_structure_get_fraction (s, "pixel-aspect-ratio", &num, &den) || num <= 0 || den <= 0)
    num = den = 1;
  set_fraction (video, "par", num, den);
  if (!gst_structure_get_fraction (s, "framerate", &num, &den) || num < 0 || den <= 0) {
    num = 0;
    den = 1;
  }
  set_fraction (video, "fps", num, den);
  json_object_set_string_member (
      video, "orientation", orientation != NULL ? orientation : "rotate-0");
  json_object_set_boolean_member (
      video, "interlaced", interlace != NULL && !g_str_equal (interlace, "progressive"));
  json_object_set_int_member (video, "bit_depth", get_depth (s));
  if ((text = gst_structure_get_string (s, "chroma-format")) != NULL)
    json_object_set_string_member (video, "chroma", text);
  text = gst_structure_get_string (s, "colorimetry");
  if (text != NULL)
    json_object_set_string_member (video, "colorimetry", text);
  else
    json_object_set_null_member (video, "colorimetry");
  json_object_set_boolean_member (video, "alpha", get_alpha (s));
  return video;
}

JsonObject *
weft_stream_audio_to_json (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  JsonObject *audio = json_object_new ();
  gint value;

  json_object_set_string_member (audio, "codec", caps_name (caps));
  if (gst_structure_has_name (s, "audio/mpeg") && gst_structure_get_int (s, "mpegversion", &value))
    json_object_set_int_member (audio, "mpegversion", value);
  if (gst_structure_has_name (s, "audio/mpeg") && gst_structure_get_int (s, "layer", &value))
    json_object_set_int_member (audio, "layer", value);
  value = 0;
  gst_structure_get_int (s, "rate", &value);
  json_object_set_int_member (audio, "rate", value);
  value = 0;
  gst_structure_get_int (s, "channels", &value);
  json_object_set_int_member (audio, "channels", value);
  return audio;
}
