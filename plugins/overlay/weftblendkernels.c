/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled once per instruction set; WEFT_KERNELS names the table. Written so that GCC and clang
 * vectorise the loops: lanes no wider than needed, no branch, no aliasing. */

#include "weftblend.h"

/* Pixels with alpha of their own that are worked on at once, by what fits into the first cache. */
#define BLOCK_PIXELS 64

#define TABLE_(suffix) weft_blend_kernels_##suffix
#define TABLE(suffix) TABLE_ (suffix)
#define NAME_(suffix) #suffix
#define NAME(suffix) NAME_ (suffix)

extern const WeftBlendKernels TABLE (WEFT_KERNELS);

/* a · b / 255, rounded to nearest: exact for all bytes, within 16 bits. */
static inline guint8
mul_div_255 (guint8 a, guint8 b)
{
  guint16 t = (guint16) ((guint16) a * b + 128);

  return (guint8) ((guint16) (t + (t >> 8)) >> 8);
}

/* a · b / 65535 for an a of at most 15 bits, within one half of the exact value. */
static inline guint16
mul_div_65535 (guint16 a, guint16 b)
{
  return (guint16) (((guint32) a * b + 32768) >> 16);
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
  for (gsize i = 0; i < n; i++) {
    guint8 left = (guint8) (255 - mul_div_255 ((guint8) (255 - inverse[i]), opacity));
    dst[i] = (guint8) (mul_div_255 (src[i], opacity) + mul_div_255 (dst[i], left));
  }
}

static void
over16 (
    guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse, gsize n)
{
  for (gsize i = 0; i < n; i++)
    dst[i] = (guint16) (src[i] + mul_div_65535 (dst[i], inverse[i]));
}

static void
over16_faded (guint16 *restrict dst, const guint16 *restrict src, const guint16 *restrict inverse,
    guint8 opacity, gsize n)
{
  guint16 scale = (guint16) (opacity * 257u);

  for (gsize i = 0; i < n; i++) {
    guint16 covered = (guint16) (65535 - inverse[i]);
    guint16 left = (guint16) (65535 - (((guint32) covered * scale + 32768) >> 16));
    dst[i] = (guint16) (mul_div_65535 (src[i], scale) + mul_div_65535 (dst[i], left));
  }
}

static gboolean
is_opaque (const guint8 *restrict dst, guint offset, gsize n)
{
  guint8 all = 255;

  for (gsize i = 0; i < n; i++)
    all &= dst[4 * i + offset];
  return all == 255;
}

/* One block of pixels, so that what is per pixel is computed once and not for each of its bytes.
 * All in floating point: the only division that vectorises. The same operations in the same order
 * give the same bits on every instruction set. */
static void
straight_block (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse,
    guint8 opacity, guint offset, guint n)
{
  gfloat weights[4 * BLOCK_PIXELS], scales[4 * BLOCK_PIXELS];
  guint8 alphas[BLOCK_PIXELS];
  /* src is premultiplied: src · opacity is its colour times what it covers. */
  const gfloat src_scale = (gfloat) opacity / 255.0f;

  for (guint i = 0; i < n; i++) {
    gfloat above = (gfloat) (255 - inverse[4 * i + offset]) * src_scale;
    gfloat below = (gfloat) dst[4 * i + offset] * (1.0f - above / 255.0f);
    gfloat total = above + below;
    gfloat scale = total > 0.0f ? 255.0f / total : 0.0f;
    for (guint c = 0; c < 4; c++) {
      weights[4 * i + c] = below / 255.0f;
      scales[4 * i + c] = scale;
    }
    alphas[i] = (guint8) (total + 0.5f);
  }
  for (guint i = 0; i < 4 * n; i++) {
    gfloat value = ((gfloat) src[i] * src_scale + (gfloat) dst[i] * weights[i]) * scales[i] + 0.5f;
    dst[i] = (guint8) (value < 255.0f ? value : 255.0f);
  }
  for (guint i = 0; i < n; i++)
    dst[4 * i + offset] = alphas[i];
}

static void
straight (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse,
    guint8 opacity, guint offset, gsize n)
{
  for (gsize i = 0; i < n; i += BLOCK_PIXELS)
    straight_block (dst + 4 * i, src + 4 * i, inverse + 4 * i, opacity, offset,
        (guint) MIN (n - i, BLOCK_PIXELS));
}

const WeftBlendKernels TABLE (WEFT_KERNELS) = {
  NAME (WEFT_KERNELS),
  over8,
  over8_faded,
  over16,
  over16_faded,
  is_opaque,
  straight,
};
