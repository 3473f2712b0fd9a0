/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void cli_signals_watch (GCancellable *cancellable);

G_END_DECLS
