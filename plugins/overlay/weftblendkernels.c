/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled once per instruction set; WEFT_KERNELS names the table. Written so that GCC and clang
 * vectorise the loops: lanes no wider than needed, no branch, no aliasing. Where floating point is
 * used, the same operations in the same order give the same bits on every instruction set; the
 * build forbids to fuse them. */

#include "weftblend.h"

#define TABLE_(suffix) weft_blend_kernels_##suffix
#define TABLE(suffix) TABLE_ (suffix)
#define NAME_(suffix) #suffix
#define NAME(suffix) NAME_ (suffix)

extern const WeftBlendKernels TABLE (WEFT_KERNELS);

/* t / 255, rounded to nearest, for a t of at most 255 · 255. (t + 128) · 257 / 65536 is exact, and
 * the upper half of a product of words is one instruction. */
static inline guint8
div_255 (guint16 t)
{
  return (guint8) (((guint32) (guint16) (t + 128) * 257u) >> 16);
}

static inline guint8
mul_div_255 (guint8 a, guint8 b)
{
  return div_255 ((guint16) ((guint16) a * b));
}

/* a · b / 65536, rounded to nearest: within half a step of a · b / 65535 for an a of at most 15
 * bits. In two halves, so that lanes stay 16 bits wide. */
static inline guint16
mul_div_65535 (guint16 a, guint16 b)
{
  guint16 high = (guint16) (((guint32) a * b) >> 16), low = (guint16) ((guint32) a * b);

  return (guint16) (high + (low >> 15));
}

static void
over8 (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse, gsize n)
{
  for (gsize i = 0; i < n; i++)
    dst[i] = (guint8) (src[i] + mul_div_255 (dst[i], inverse[i]));
}

static void
over8_faded (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse,
    guint8 opacity, gsize n)
{
  guint8 rest = (guint8) (255 - opacity);

  for (gsize i = 0; i < n; i++) {
    guint8 full = (guint8) (src[i] + mul_div_255 (dst[i], inverse[i]));
    dst[i] = div_255 ((guint16) ((guint16) ((guint16) full * opacity) + (guint16) dst[i] * rest));
  }
}

/* Inlined for each shift there is: lanes are only shifted by what the compiler knows. */
static inline void
over16_shifted (guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse,
    guint shift, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    guint16 left = mul_div_65535 ((guint16) (dst[i] >> shift), inverse[i]);
    dst[i] = (guint16) (src[i] + (guint16) (left << shift));
  }
}

static void
over16 (guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse,
    guint shift, gsize n)
{
  if (shift == 0)
    over16_shifted (dst, src, inverse, 0, n);
  else if (shift == 6)
    over16_shifted (dst, src, inverse, 6, n);
  else
    over16_shifted (dst, src, inverse, shift, n);
}

static void
over16_faded (guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse,
    guint8 opacity, guint shift, gsize n)
{
  const guint32 scale = opacity * 257u, rest = 65535 - scale;

  for (gsize i = 0; i < n; i++) {
    guint16 value = (guint16) (dst[i] >> shift);
    guint16 full = (guint16) ((src[i] >> shift) + mul_div_65535 (value, inverse[i]));
    dst[i] = (guint16) (((full * scale + value * rest + 32768) >> 16) << shift);
  }
}

/* Colour of two pictures with alpha, in units of `max`: src is premultiplied and so its colour
 * times what it covers; where nothing is above or below, what was there stays. */
static inline gfloat
mix_straight (gfloat dst, gfloat src, gfloat above, gfloat below, gfloat max)
{
  gfloat left = below * (1.0f - above / max);
  gfloat total = above + left;
  gfloat value = (src * max + dst * left) / (total > 0.0f ? total : 1.0f);

  value = total > 0.0f ? value : dst;
  return (value < max ? value : max) + 0.5f;
}

static void
straight8 (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse,
    const guint8 *restrict below, guint8 opacity, gsize n)
{
  const gfloat scale = (gfloat) opacity / 255.0f;

  for (gsize i = 0; i < n; i++) {
    gfloat above = (gfloat) (255 - inverse[i]) * scale;
    dst[i] = (guint8) (gint32) mix_straight (
        (gfloat) dst[i], (gfloat) src[i] * scale, above, (gfloat) below[i], 255.0f);
  }
}

static void
straight16 (guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse,
    const guint16 *restrict below, guint8 opacity, guint max, gsize n)
{
  const gfloat scale = (gfloat) opacity / 255.0f;
  const gfloat most = (gfloat) max, above_scale = scale * most / 65535.0f;

  for (gsize i = 0; i < n; i++) {
    gfloat above = (gfloat) (65535 - inverse[i]) * above_scale;
    dst[i] = (guint16) (gint32) mix_straight (
        (gfloat) dst[i], (gfloat) src[i] * scale, above, (gfloat) below[i], most);
  }
}

static gboolean
is_opaque (const guint8 *restrict dst, guint offset, guint step, gsize n)
{
  guint8 all = 255;

  if (step == 1) {
    for (gsize i = 0; i < n; i++)
      all &= dst[i];
  } else if (step == 4) {
    for (gsize i = 0; i < n; i++)
      all &= dst[4 * i + offset];
  } else {
    for (gsize i = 0; i < n; i++)
      all &= dst[step * i + offset];
  }
  return all == 255;
}

static void
add_pixels (
    guint16 *restrict sums, gsize stride, const guint32 *restrict pixels, guint weight, gsize n)
{
  guint16 *restrict r = sums, *restrict g = sums + stride;
  guint16 *restrict b = sums + 2 * stride, *restrict a = sums + 3 * stride;

  for (gsize i = 0; i < n; i++) {
    r[i] = (guint16) (r[i] + weight * ((pixels[i] >> 16) & 255));
    g[i] = (guint16) (g[i] + weight * ((pixels[i] >> 8) & 255));
    b[i] = (guint16) (b[i] + weight * (pixels[i] & 255));
    a[i] = (guint16) (a[i] + weight * (pixels[i] >> 24));
  }
}

static void
add_taps (guint16 *restrict sums, const guint16 *restrict columns, const guint8 *restrict weights,
    guint n_weights, gsize n)
{
  guint w0 = weights[0], w1 = weights[1], w2 = n_weights > 2 ? weights[2] : 0;

  if (n_weights == 2) {
    for (gsize i = 0; i < n; i++)
      sums[i] = (guint16) (w0 * columns[2 * i] + w1 * columns[2 * i + 1]);
  } else {
    for (gsize i = 0; i < n; i++)
      sums[i] = (guint16) (w0 * columns[2 * i] + w1 * columns[2 * i + 1] + w2 * columns[2 * i + 2]);
  }
}

static void
convert (guint16 *restrict values, const guint16 *restrict sums, gsize stride,
    const WeftBlendMatrix *matrix, gsize n)
{
  const guint16 *restrict r = sums, *restrict g = sums + stride;
  const guint16 *restrict b = sums + 2 * stride, *restrict a = sums + 3 * stride;
  const WeftBlendMatrix m = *matrix;

  for (gsize i = 0; i < n; i++) {
    gfloat alpha = (gfloat) a[i];
    gfloat value = (gfloat) r[i] * m.r + (gfloat) g[i] * m.g + (gfloat) b[i] * m.b + alpha * m.a;
    /* No brighter than its own alpha, so that blending never overflows. */
    gfloat most = alpha * m.max;
    value = value > 0.0f ? value : 0.0f;
    value = value < most ? value : most;
    values[i] = (guint16) (gint32) (value + 0.5f);
  }
}

static void
invert (guint16 *restrict values, guint max, guint whole, gsize n)
{
  const gfloat scale = (gfloat) whole / (gfloat) max;
  const gint most = (gint) max;

  for (gsize i = 0; i < n; i++)
    values[i] = (guint16) (gint32) ((gfloat) (most - values[i]) * scale + 0.5f);
}

static void
store8 (guint8 *restrict dst, guint step, const guint16 *restrict values, gsize n)
{
  if (step == 1) {
    for (gsize i = 0; i < n; i++)
      dst[i] = (guint8) values[i];
  } else {
    for (gsize i = 0; i < n; i++)
      dst[step * i] = (guint8) values[i];
  }
}

static void
store16 (guint16 *restrict dst, guint step, const guint16 *restrict values, guint shift, gsize n)
{
  if (step == 1) {
    for (gsize i = 0; i < n; i++)
      dst[i] = (guint16) (values[i] << shift);
  } else {
    for (gsize i = 0; i < n; i++)
      dst[step * i] = (guint16) (values[i] << shift);
  }
}

const WeftBlendKernels TABLE (WEFT_KERNELS) = {
  .name = NAME (WEFT_KERNELS),
  .over8 = over8,
  .over8_faded = over8_faded,
  .over16 = over16,
  .over16_faded = over16_faded,
  .straight8 = straight8,
  .straight16 = straight16,
  .is_opaque = is_opaque,
  .add_pixels = add_pixels,
  .add_taps = add_taps,
  .convert = convert,
  .invert = invert,
  .store8 = store8,
  .store16 = store16,
};
