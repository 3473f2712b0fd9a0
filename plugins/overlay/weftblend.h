/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What makes one component of a format out of sums of premultiplied R, G, B and A: the weighted
 * sum, no more than `max` times that of A. Rounded to nearest. */
typedef struct {
  gfloat r;
  gfloat g;
  gfloat b;
  gfloat a;
  gfloat max;
} WeftBlendMatrix;

/* The inner loops of blending, one table per instruction set. Each works on a run of `n` elements
 * of one row of one plane, bytes or words of 16 bits: `src` is premultiplied, `inverse` is what is
 * left of the picture below (the maximum of the type where nothing covers it), `below` is the alpha
 * of that picture. They are all bit-exact to the scalar table.
 *
 * For each frame:
 *   over8           dst = src + dst · inverse
 *   over8_faded     as far as opacity / 255 to that from what was there
 *   over16          for samples of 9 to 14 bits that are shifted up by `shift`, as their src is
 *   over16_faded
 *   straight8       over8_faded on colours that are not premultiplied by their alpha, which is
 * below straight16      the same for samples of which the largest is `max` is_opaque       whether
 * byte `offset` of each of n groups of `step` bytes is 255
 *
 * For each surface:
 *   add_pixels      adds n pixels of cairo's ARGB32, times weight, to R, G, B and A in four arrays
 *                   that lie `stride` apart
 *   add_taps        sums[i] = the weighted sum of columns[2 · i …], of 2 or 3
 *   convert         one component of n such sums; a word each
 *   invert          makes of alpha, of which the largest is `max`, what it leaves below: 255 or
 * 65535 times the rest of it store8          puts them into every `step`th byte store16         or
 * word, shifted up */
typedef struct {
  const gchar *name;
  void (*over8) (guint8 *dst, const guint8 *src, const guint8 *inverse, gsize n);
  void (*over8_faded) (
      guint8 *dst, const guint8 *src, const guint8 *inverse, guint8 opacity, gsize n);
  void (*over16) (guint16 *dst, const guint16 *src, const guint16 *inverse, guint shift, gsize n);
  void (*over16_faded) (guint16 *dst, const guint16 *src, const guint16 *inverse, guint8 opacity,
      guint shift, gsize n);
  void (*straight8) (guint8 *dst, const guint8 *src, const guint8 *inverse, const guint8 *below,
      guint8 opacity, gsize n);
  void (*straight16) (guint16 *dst, const guint16 *src, const guint16 *inverse,
      const guint16 *below, guint8 opacity, guint max, gsize n);
  gboolean (*is_opaque) (const guint8 *dst, guint offset, guint step, gsize n);

  void (*add_pixels) (guint16 *sums, gsize stride, const guint32 *pixels, guint weight, gsize n);
  void (*add_taps) (
      guint16 *sums, const guint16 *columns, const guint8 *weights, guint n_weights, gsize n);
  void (*convert) (
      guint16 *values, const guint16 *sums, gsize stride, const WeftBlendMatrix *matrix, gsize n);
  void (*invert) (guint16 *values, guint max, guint whole, gsize n);
  void (*store8) (guint8 *dst, guint step, const guint16 *values, gsize n);
  void (*store16) (guint16 *dst, guint step, const guint16 *values, guint shift, gsize n);
} WeftBlendKernels;

const WeftBlendKernels *weft_blend_get_kernels (void);
const WeftBlendKernels *const *weft_blend_list_kernels (void);

G_END_DECLS
