/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled once per instruction set; WEFT_KERNELS names the table. Written so that GCC and clang
 * vectorise the loops: lanes no wider than needed, no branch, no aliasing. */

#include "weftblend.h"

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

static void
straight (guint8 *restrict dst, const guint8 *restrict src, const guint8 *restrict inverse,
    guint8 opacity, guint offset, gsize n)
{
  for (gsize i = 0; i < 4 * n; i += 4) {
    guint alpha = 255u - inverse[i];
    /* In 1/65025: what the overlay and what the picture below give to the result. */
    guint above = alpha * opacity;
    guint below = dst[i + offset] * (65025u - above) / 255u;
    guint total = above + below;
    for (guint c = 0; c < 4; c++) {
      if (c == offset)
        continue;
      /* src is premultiplied by alpha: src · opacity is the colour times `above`. */
      guint sum = src[i + c] * opacity * 255u + dst[i + c] * below;
      guint value = total > 0 ? (sum + total / 2) / total : 0;
      dst[i + c] = (guint8) MIN (value, 255u);
    }
    dst[i + offset] = (guint8) ((total + 127) / 255);
  }
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
