/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-error.h"

G_BEGIN_DECLS

/* An output file that is being written under a temporary name beside its own, and gets its own
 * name only when it is complete. Freeing one that was not published removes every trace of it. */
typedef struct _WeftPublication WeftPublication;

WeftPublication *weft_publication_new (const gchar *uri, const gchar *pointer, GError **error);
void weft_publication_free (WeftPublication *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPublication, weft_publication_free)

const gchar *weft_publication_get_temporary_path (WeftPublication *self);
guint64 weft_publication_get_size (WeftPublication *self);
gboolean weft_publish_all (GPtrArray *publications, GError **error);
/* For the command's second Ctrl-C. */
WEFT_API void weft_publication_remove_all (void);

G_END_DECLS
