/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the process finds around it. */

#include "cli.h"

#include <gst/gst.h>

/**
 * cli_start_gstreamer:
 * @error: return location for an error, or %NULL
 *
 * Starts GStreamer and makes Weft's elements known even where Weft is not installed beside
 * GStreamer.
 *
 * Returns: %TRUE if GStreamer can be used
 */
gboolean
cli_start_gstreamer (GError **error)
{
  if (!gst_init_check (NULL, NULL, error))
    return FALSE;
  if (!gst_registry_check_feature_version (gst_registry_get (), "clipsequence", 0, 1, 0))
    gst_registry_scan_path (gst_registry_get (), CLI_PLUGINS_DIR);
  return TRUE;
}
