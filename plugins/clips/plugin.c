/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>

#include "weftclipscale.h"
#include "weftclipsequence.h"

GST_DEBUG_CATEGORY (weft_clips_debug);

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean ok = TRUE;

  GST_DEBUG_CATEGORY_INIT (weft_clips_debug, "weftclips", 0, "Weft: assembling clips");
  ok &= GST_ELEMENT_REGISTER (clipsequence, plugin);
  ok &= GST_ELEMENT_REGISTER (clipscale, plugin);
  return ok;
}

#define PACKAGE "weft"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, weftclips,
    "Assembles clips into continuous raw streams", plugin_init, WEFT_VERSION, "LGPL", "Weft",
    "https://weft.invalid/")
