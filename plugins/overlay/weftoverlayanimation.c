/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How items come and go: which animation is how far at a moment. What that does to an item is the
 * item's own matter. */

#include "weftoverlayanimation.h"

#include <math.h>

#define MAX_ANIMATION_S 60.0
/* By how much “back” goes beyond its aim: the constant for a tenth. */
#define BACK_OVERSHOOT 1.70158

/* In the order of WeftAnimation and of WeftEasing. */
static const gchar *const animation_nicks[] = { "none", "fade", "slide-up", "slide-down",
  "slide-left", "slide-right", "pop", "typewriter", NULL };
static const gchar *const easing_nicks[] = { "linear", "ease-in", "ease-out", "ease-in-out", "back",
  "bounce", "elastic", NULL };

static const WeftEasing usual_easings[] = {
  [WEFT_ANIMATION_NONE] = WEFT_EASING_LINEAR,
  [WEFT_ANIMATION_FADE] = WEFT_EASING_LINEAR,
  [WEFT_ANIMATION_SLIDE_UP] = WEFT_EASING_EASE_OUT,
  [WEFT_ANIMATION_SLIDE_DOWN] = WEFT_EASING_EASE_OUT,
  [WEFT_ANIMATION_SLIDE_LEFT] = WEFT_EASING_EASE_OUT,
  [WEFT_ANIMATION_SLIDE_RIGHT] = WEFT_EASING_EASE_OUT,
  [WEFT_ANIMATION_POP] = WEFT_EASING_BACK,
  [WEFT_ANIMATION_TYPEWRITER] = WEFT_EASING_LINEAR,
};

gboolean
weft_easing_parse (const WeftValue *value, const gchar *name, WeftEasing *easing, GError **error)
{
  gint index = (gint) *easing;

  if (!weft_value_get_enum (value, name, easing_nicks, &index, error))
    return FALSE;
  *easing = (WeftEasing) index;
  return TRUE;
}

/* Four parabolas, each a quarter as high as the one before (Penner, “Motion, Tweening, and
 * Easing”).
 */
static gdouble
bounce (gdouble t)
{
  static const struct {
    gdouble end, middle, floor;
  } hops[] = { { 1 / 2.75, 0.0, 0.0 }, { 2 / 2.75, 1.5 / 2.75, 0.75 },
    { 2.5 / 2.75, 2.25 / 2.75, 0.9375 }, { 2.0, 2.625 / 2.75, 0.984375 } };
  guint i = 0;

  while (t >= hops[i].end)
    i++;
  return 7.5625 * (t - hops[i].middle) * (t - hops[i].middle) + hops[i].floor;
}

/**
 * weft_easing_apply:
 * @progress: of time, 0 to 1
 *
 * Returns: of the way, from 0 to 1, though not always within
 */
gdouble
weft_easing_apply (WeftEasing easing, gdouble progress)
{
  gdouble t = CLAMP (progress, 0.0, 1.0), left = 1.0 - t;

  /* At both ends exactly, whatever rounding makes of the formulas. */
  if (t == 0.0 || t == 1.0)
    return t;
  switch (easing) {
    case WEFT_EASING_EASE_IN:
      return t * t * t;
    case WEFT_EASING_EASE_OUT:
      return 1.0 - left * left * left;
    case WEFT_EASING_EASE_IN_OUT:
      return t < 0.5 ? 4.0 * t * t * t : 1.0 - 4.0 * left * left * left;
    case WEFT_EASING_BACK:
      return 1.0 - (BACK_OVERSHOOT + 1.0) * left * left * left + BACK_OVERSHOOT * left * left;
    case WEFT_EASING_BOUNCE:
      return bounce (t);
    case WEFT_EASING_ELASTIC:
      return 1.0 + exp2 (-10.0 * t) * sin ((10.0 * t - 0.75) * 2.0 * G_PI / 3.0);
    case WEFT_EASING_LINEAR:
    case WEFT_EASING_AUTO:
      break;
  }
  return t;
}

/**
 * weft_moment_get_progress:
 *
 * Returns: how much of its time the item had: 0 in its first frame, 1 in its last one; 0 throughout
 *   if it has no end
 */
gdouble
weft_moment_get_progress (const WeftMoment *moment)
{
  gdouble passed_s = moment->since_start_s - moment->half_frame_s;
  gdouble left_s = moment->until_end_s - moment->half_frame_s;

  if (!isfinite (left_s) || passed_s <= 0.0)
    return 0.0;
  return left_s <= 0.0 ? 1.0 : passed_s / (passed_s + left_s);
}

void
weft_animate_init (WeftAnimate *self)
{
  *self = (WeftAnimate){ WEFT_ANIMATION_NONE, WEFT_ANIMATION_NONE, WEFT_EASING_AUTO, NAN };
}

static gboolean
get_animation (
    const WeftValue *animate, const gchar *name, WeftAnimation *animation, GError **error)
{
  gint index = WEFT_ANIMATION_NONE;

  if (!weft_value_get_enum (animate, name, animation_nicks, &index, error))
    return FALSE;
  *animation = (WeftAnimation) index;
  return TRUE;
}

/**
 * weft_animate_parse:
 * @value: the item, whose member `animate` is read
 */
gboolean
weft_animate_parse (WeftAnimate *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "in", "out", "duration", "easing", NULL };
  g_autofree gchar *pointer = NULL;
  WeftValue animate;

  if (!weft_value_get_object (value, "animate", &animate, &pointer, error))
    return FALSE;
  return animate.object == NULL
         || (weft_value_check_members (&animate, members, error)
             && get_animation (&animate, "in", &self->in, error)
             && get_animation (&animate, "out", &self->out, error)
             && weft_easing_parse (&animate, "easing", &self->easing, error)
             && weft_value_get_number (
                 &animate, "duration", 0.0, MAX_ANIMATION_S, &self->duration_s, error));
}

gboolean
weft_animate_has (const WeftAnimate *self, WeftAnimation animation)
{
  return self->in == animation || self->out == animation;
}

gboolean
weft_animate_is_sideways (const WeftAnimate *self)
{
  return weft_animate_has (self, WEFT_ANIMATION_SLIDE_LEFT)
         || weft_animate_has (self, WEFT_ANIMATION_SLIDE_RIGHT);
}

gboolean
weft_animate_is_upright (const WeftAnimate *self)
{
  return weft_animate_has (self, WEFT_ANIMATION_SLIDE_UP)
         || weft_animate_has (self, WEFT_ANIMATION_SLIDE_DOWN);
}

static void
get_step (const WeftAnimate *self, WeftAnimation animation, gboolean is_out, gdouble passed_s,
    gdouble duration_s, WeftStep *step)
{
  WeftEasing easing = self->easing == WEFT_EASING_AUTO ? usual_easings[animation] : self->easing;

  step->animation = passed_s < duration_s ? animation : WEFT_ANIMATION_NONE;
  step->is_out = is_out;
  step->progress = passed_s < duration_s ? weft_easing_apply (easing, passed_s / duration_s) : 1.0;
}

/**
 * weft_animate_get_steps:
 * @default_s: how long an animation takes if the document does not say
 * @steps: (out caller-allocates): of coming and of going, which is coming played backwards
 */
void
weft_animate_get_steps (
    const WeftAnimate *self, const WeftMoment *moment, gdouble default_s, WeftStep steps[2])
{
  gdouble duration_s = isnan (self->duration_s) ? default_s : self->duration_s;

  get_step (self, self->in, FALSE, moment->since_start_s, duration_s, &steps[0]);
  get_step (self, self->out, TRUE, moment->until_end_s, duration_s, &steps[1]);
}
