/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftmp4layout.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (mp4layout, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weftmp4,
    "Exact, streamable MP4 files from mp4mux", plugin_init, PACKAGE_VERSION, "LGPL", "weft",
    "https://github.com/weft")
