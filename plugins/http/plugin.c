/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wefthttprangesrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (httprangesrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, wefthttp,
    "Random access to files on web servers", plugin_init, PACKAGE_VERSION, "LGPL", "weft",
    "https://github.com/weft")
