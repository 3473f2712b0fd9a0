/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Shows people how far a job is: on standard error, live on a terminal and in plain lines
 * elsewhere. */
typedef struct _CliProgress CliProgress;

CliProgress *cli_progress_new (void);
void cli_progress_free (CliProgress *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliProgress, cli_progress_free)

void cli_progress_begin (CliProgress *self, const gchar *stage);
void cli_progress_update (CliProgress *self, JsonObject *data);
void cli_progress_end (CliProgress *self, const gchar *outcome);
void cli_progress_clear (CliProgress *self);

gchar *cli_format_time (gdouble seconds);

G_END_DECLS
