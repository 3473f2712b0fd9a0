/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A temporary file without a name: it is gone when it is closed, however the process ends. */

typedef struct _WeftSpool WeftSpool;

WeftSpool *weft_spool_new (guint64 limit_bytes, GError **error);
void weft_spool_free (WeftSpool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSpool, weft_spool_free)

gboolean
weft_spool_write (WeftSpool *spool, guint64 offset, const guint8 *data, gsize size, GError **error);
gboolean
weft_spool_read (WeftSpool *spool, guint64 offset, guint8 *data, gsize size, GError **error);

G_END_DECLS
