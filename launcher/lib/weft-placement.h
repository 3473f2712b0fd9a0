/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where things stand on the grid of frames and samples. Pure integer arithmetic: every function is
 * exact and saturates at G_MAXUINT64 instead of wrapping. */

typedef struct {
  guint num;
  guint den;
} WeftRate;

/* What one clip owns: [first_frame, first_frame + frames) and the samples under them. */
typedef struct {
  guint64 first_frame;
  guint64 frames;
  guint64 first_sample;
  guint64 samples;
} WeftSlot;

guint64 weft_placement_time_to_frame (guint64 time_ns, WeftRate fps);
guint64 weft_placement_frame_to_ns (guint64 frame, WeftRate fps);
guint64 weft_placement_frame_to_sample (guint64 frame, WeftRate fps, guint rate);
gdouble weft_placement_frame_to_seconds (guint64 frame, WeftRate fps);

WeftSlot weft_placement_slot (guint64 position_ns, guint64 length_ns, WeftRate fps, guint rate);

G_END_DECLS
