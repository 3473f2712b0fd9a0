/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftmp4upstream.h"

#include <string.h>

/* Elements between a muxer and the encoder before it: parser, queue, capsfilter, tee. */
#define MAX_HOPS 16

/* Measured with GStreamer 1.22.0 and each encoder's Debian 12 library: a click at sample s comes
 * out of an independent decoder at s plus this many. */
static const struct {
  const gchar *factory;
  guint64 samples;
} primings[] = {
  { "avenc_aac", 1024 },
  { "voaacenc", 1600 },
};

/* The element that feeds @sinkpad, or NULL. */
static GstElement *
element_before (GstPad *sinkpad)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (sinkpad);

  while (peer != NULL && GST_IS_PROXY_PAD (peer)) {
    GstPad *inner = NULL;

    if (GST_IS_GHOST_PAD (peer)) {
      inner = gst_ghost_pad_get_target (GST_GHOST_PAD (peer));
    } else {
      g_autoptr (GstProxyPad) outer = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));
      inner = outer != NULL ? gst_pad_get_peer (GST_PAD (outer)) : NULL;
    }
    gst_object_unref (peer);
    peer = inner;
  }
  return peer != NULL ? gst_pad_get_parent_element (peer) : NULL;
}

static gboolean
is_a (GstElement *element, const gchar *klass)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *klasses =
      factory != NULL ? gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS)
                      : NULL;

  return klasses != NULL && strstr (klasses, klass) != NULL;
}

static GstPad *
only_sink_pad (GstElement *element)
{
  GstPad *pad = NULL;

  GST_OBJECT_LOCK (element);
  if (element->numsinkpads == 1)
    pad = gst_object_ref (element->sinkpads->data);
  GST_OBJECT_UNLOCK (element);
  return pad;
}

/* Walks upstream from @sinkpad to the first element of @klass. */
static GstElement *
find_before (GstPad *sinkpad, const gchar *klass)
{
  g_autoptr (GstPad) pad = gst_object_ref (sinkpad);

  for (guint hop = 0; hop < MAX_HOPS && pad != NULL; hop++) {
    g_autoptr (GstElement) element = element_before (pad);

    gst_clear_object (&pad);
    if (element == NULL)
      return NULL;
    if (is_a (element, klass))
      return g_steal_pointer (&element);
    pad = only_sink_pad (element);
  }
  return NULL;
}

static guint64
encoder_priming (GstPad *muxer_pad)
{
  g_autoptr (GstElement) encoder = find_before (muxer_pad, "Encoder/Audio");
  GstElementFactory *factory = encoder != NULL ? gst_element_get_factory (encoder) : NULL;

  for (gsize i = 0; factory != NULL && i < G_N_ELEMENTS (primings); i++) {
    if (g_str_equal (GST_OBJECT_NAME (factory), primings[i].factory))
      return primings[i].samples;
  }
  return 0;
}

static gboolean
inspect_pad (GstElement *muxer, GstPad *pad, gpointer user_data)
{
  WeftMp4Upstream *upstream = user_data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *structure;
  gint64 duration_ns;

  if (caps == NULL)
    return TRUE;
  structure = gst_caps_get_structure (caps, 0);
  if (g_str_has_prefix (gst_structure_get_name (structure), "video/")) {
    if (upstream->video_tracks++ == 0
        && !gst_structure_get_fraction (structure, "framerate", &upstream->fps_n, &upstream->fps_d))
      upstream->fps_n = 0;
  } else if (g_str_has_prefix (gst_structure_get_name (structure), "audio/")) {
    gint rate;

    if (upstream->audio_tracks++ == 0) {
      if (gst_structure_get_int (structure, "rate", &rate) && rate > 0)
        upstream->audio_rate = (guint) rate;
      upstream->audio_priming_samples = encoder_priming (pad);
    }
  }
  if (gst_pad_peer_query_duration (pad, GST_FORMAT_TIME, &duration_ns) && duration_ns > 0
      && (!GST_CLOCK_TIME_IS_VALID (upstream->duration_ns)
          || (guint64) duration_ns > upstream->duration_ns))
    upstream->duration_ns = (guint64) duration_ns;
  return TRUE;
}

/**
 * weft_mp4_upstream_inspect:
 * @sinkpad: a pad somewhere after a muxer
 * @upstream: (out): what was found
 *
 * Looks at the muxer before @sinkpad, its pads and what feeds them. Called from a streaming thread;
 * takes references and no locks.
 */
void
weft_mp4_upstream_inspect (GstPad *sinkpad, WeftMp4Upstream *upstream)
{
  g_autoptr (GstElement) muxer = find_before (sinkpad, "Muxer");

  memset (upstream, 0, sizeof *upstream);
  upstream->known = TRUE;
  upstream->fps_d = 1;
  upstream->duration_ns = GST_CLOCK_TIME_NONE;
  upstream->has_muxer = muxer != NULL;
  if (muxer != NULL)
    gst_element_foreach_sink_pad (muxer, inspect_pad, upstream);
}
