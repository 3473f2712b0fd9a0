/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>

#include "weftencoderfeed.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (encoderfeed, plugin);
}

#define PACKAGE "weft"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weftfeed,
    "Hands frames to encoders without letting them pile up there", plugin_init, GST_PACKAGE_VERSION,
    "LGPL", "Weft", "Weft")
