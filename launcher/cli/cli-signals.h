/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GCancellable *cli_signals_new_cancellable (void);

G_END_DECLS
