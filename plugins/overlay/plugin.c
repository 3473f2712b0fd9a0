/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftoverlaytimeline.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (overlaytimeline, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weftoverlay,
    "Titles and pictures on a timeline", plugin_init, WEFT_VERSION, "LGPL", "weft",
    "https://github.com/weft/weft")
