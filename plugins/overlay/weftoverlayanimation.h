/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftoverlayvalue.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_ANIMATION_NONE,
  WEFT_ANIMATION_FADE,
  WEFT_ANIMATION_SLIDE_UP,
  WEFT_ANIMATION_SLIDE_DOWN,
  WEFT_ANIMATION_SLIDE_LEFT,
  WEFT_ANIMATION_SLIDE_RIGHT,
  WEFT_ANIMATION_POP,
  WEFT_ANIMATION_TYPEWRITER,
} WeftAnimation;

typedef enum {
  WEFT_EASING_LINEAR,
  WEFT_EASING_EASE_IN,
  WEFT_EASING_EASE_OUT,
  WEFT_EASING_EASE_IN_OUT,
  WEFT_EASING_BACK,
  WEFT_EASING_BOUNCE,
  WEFT_EASING_ELASTIC,
  /* What suits the animation. */
  WEFT_EASING_AUTO,
} WeftEasing;

/* How an item comes and goes. */
typedef struct {
  WeftAnimation in;
  WeftAnimation out;
  WeftEasing easing;
  /* Of each; NAN where the document does not say. */
  gdouble duration_s;
} WeftAnimate;

/* Where a frame lies in the time of an item. */
typedef struct {
  /* From the item's start to the middle of the frame. */
  gdouble since_start_s;
  /* From the middle of the frame to the item's end; infinite if it has none. */
  gdouble until_end_s;
  /* To the middle of the frame from its edges; 0 if that is not known. */
  gdouble half_frame_s;
  /* The frame's number; nanoseconds where the frame rate varies. */
  guint64 position;
} WeftMoment;

/* How far an animation is. */
typedef struct {
  WeftAnimation animation;
  gboolean is_out;
  /* 0 away, 1 at rest; beyond them where the easing overshoots. */
  gdouble progress;
} WeftStep;

gboolean
weft_easing_parse (const WeftValue *value, const gchar *name, WeftEasing *easing, GError **error);
gdouble weft_easing_apply (WeftEasing easing, gdouble progress);

gdouble weft_moment_get_progress (const WeftMoment *moment);

void weft_animate_init (WeftAnimate *self);
gboolean weft_animate_parse (WeftAnimate *self, const WeftValue *value, GError **error);
gboolean weft_animate_has (const WeftAnimate *self, WeftAnimation animation);
gboolean weft_animate_is_sideways (const WeftAnimate *self);
gboolean weft_animate_is_upright (const WeftAnimate *self);
void weft_animate_get_steps (
    const WeftAnimate *self, const WeftMoment *moment, gdouble default_s, WeftStep steps[2]);

G_END_DECLS
