/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftframepick.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (framepick, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weftpick,
    "Takes single frames out of a running stream", plugin_init, PACKAGE_VERSION, "LGPL", "weft",
    "https://github.com/weft")
