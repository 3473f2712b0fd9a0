/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Real media, and what ffmpeg makes of them, for tests in C. */

gboolean realmedia_is_here (void);
gchar *realmedia_path (const gchar *name);
gchar *realmedia_uri (const gchar *name);
gchar *realmedia_scratch (void);
void realmedia_remove (gchar *folder);
gchar *realmedia_run (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

G_END_DECLS
