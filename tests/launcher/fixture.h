/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plan.h"

G_BEGIN_DECLS

/* Plans written by hand, so that the graph and the runner are tested without a job or a probe. */

gchar *fixture_video_output (const gchar *id, const gchar *folder, guint width, guint height,
    const gchar *scaled_from, guint latency_frames, guint frames, guint audio_bitrate);
gchar *fixture_thumbnail_output (const gchar *id, const gchar *folder);
gchar *fixture_clip (const gchar *uri, guint index, guint frames);
WeftPlan *fixture_plan_new (guint width, guint height, guint frames, const gchar *clips,
    const gchar *overlays, gchar *first_output, va_list outputs);

G_END_DECLS
