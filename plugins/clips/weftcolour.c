/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftcolour.h"

#include <math.h>
#include <string.h>

#define SHARE_BITS 6 /* fractional bits of sums of chroma */

/* Loops that are worth a version for wider registers, chosen when the program is loaded. */
#if defined(__x86_64__) && defined(__GLIBC__)
#define ROW_KERNEL __attribute__ ((target_clones ("avx2", "default")))
#else
#define ROW_KERNEL
#endif

static void
get_weights (const GstVideoColorimetry *colorimetry, gdouble *kr, gdouble *kb)
{
  if (!gst_video_color_matrix_get_Kr_Kb (colorimetry->matrix, kr, kb)) {
    *kr = 0.2126;
    *kb = 0.0722;
  }
}

static gboolean
is_full (const GstVideoColorimetry *colorimetry)
{
  return colorimetry->range == GST_VIDEO_COLOR_RANGE_0_255;
}

static gint16
to_q15 (gdouble v)
{
  return (gint16) CLAMP (lrint (v * (1 << 15)), G_MININT16, G_MAXINT16);
}

void
weft_colour_change_init (
    WeftColourChange *self, const GstVideoColorimetry *from, const GstVideoColorimetry *to)
{
  gdouble kr, kb, kg, kr2, kb2, kg2;
  gdouble y_cb, y_cr;
  gdouble luma_from = is_full (from) ? 255 : 219, luma_to = is_full (to) ? 255 : 219;
  gdouble chroma_from = is_full (from) ? 255 : 224, chroma_to = is_full (to) ? 255 : 224;

  self->luma_gain = luma_to / luma_from;
  self->luma_offset = (is_full (to) ? 0 : 16) - (is_full (from) ? 0 : 16) * self->luma_gain;
  self->chroma_gain = chroma_to / chroma_from;
  self->chroma_offset = 128 * (1 - self->chroma_gain);

  get_weights (from, &kr, &kb);
  get_weights (to, &kr2, &kb2);
  kg = 1 - kr - kb;
  kg2 = 1 - kr2 - kb2;
  self->has_matrix = fabs (kr - kr2) > 1e-4 || fabs (kb - kb2) > 1e-4;

  /* R = Y + 2(1−Kr)Cr, B = Y + 2(1−Kb)Cb, G = Y − (Kr(R−Y) + Kb(B−Y))/Kg: what the other weights
   * make of that, less Y itself. */
  y_cb = 2 * (1 - kb) * (kb2 - kg2 * kb / kg);
  y_cr = 2 * (1 - kr) * (kr2 - kg2 * kr / kg);
  self->cb_cb = to_q15 ((2 * (1 - kb) - y_cb) / (2 * (1 - kb2)) - 1);
  self->cb_cr = to_q15 (-y_cr / (2 * (1 - kb2)));
  self->cr_cb = to_q15 (-y_cb / (2 * (1 - kr2)));
  self->cr_cr = to_q15 ((2 * (1 - kr) - y_cr) / (2 * (1 - kr2)) - 1);
  self->y_cb = to_q15 (y_cb * luma_to / chroma_to);
  self->y_cr = to_q15 (y_cr * luma_to / chroma_to);
}

static inline guint8
clamp_byte (gint16 v)
{
  return (guint8) (v < 0 ? 0 : v > 255 ? 255 : v);
}

/* @a times @b/32768, rounded: one instruction where the processor has it. */
static inline gint16
mul_q15 (gint16 a, gint16 b)
{
  return (gint16) ((((gint32) a * b >> 14) + 1) >> 1);
}

/* A chroma sample without its offset, in 1/64. */
static inline gint16
centred (guint8 c)
{
  return (gint16) ((c - 128) * (1 << SHARE_BITS));
}

/* What a row of chroma adds to luma. */
ROW_KERNEL static void
get_shares (const guint8 *restrict cb, const guint8 *restrict cr, gint16 *restrict share, gint n,
    gint16 y_cb, gint16 y_cr)
{
  for (gint i = 0; i < n; i++)
    share[i] = (gint16) (mul_q15 (centred (cb[i]), y_cb) + mul_q15 (centred (cr[i]), y_cr));
}

/* Doubles a row to luma's resolution; chroma lies on every other luma sample. */
ROW_KERNEL static void
double_shares (const gint16 *restrict share, gint16 *restrict wide, gint n)
{
  for (gint i = 0; i + 1 < n; i++) {
    wide[2 * i] = share[i];
    wide[2 * i + 1] = (gint16) ((share[i] + share[i + 1]) >> 1);
  }
  wide[2 * n - 2] = wide[2 * n - 1] = share[n - 1];
}

ROW_KERNEL static void
add_shares (guint8 *restrict y, const gint16 *restrict wide, gint n)
{
  for (gint i = 0; i < n; i++) {
    gint16 sum = (gint16) (y[i] + ((wide[i] + (1 << (SHARE_BITS - 1))) >> SHARE_BITS));
    y[i] = clamp_byte (sum);
  }
}

/* The matrix is near to one, so only what it differs is multiplied. */
ROW_KERNEL static void
mix_chroma (
    guint8 *restrict cb, guint8 *restrict cr, gint n, gint16 bb, gint16 br, gint16 rb, gint16 rr)
{
  for (gint i = 0; i < n; i++) {
    gint16 u = centred (cb[i]), v = centred (cr[i]);
    gint16 du = (gint16) (mul_q15 (u, bb) + mul_q15 (v, br) + (1 << (SHARE_BITS - 1)));
    gint16 dv = (gint16) (mul_q15 (u, rb) + mul_q15 (v, rr) + (1 << (SHARE_BITS - 1)));

    cb[i] = clamp_byte ((gint16) (cb[i] + (du >> SHARE_BITS)));
    cr[i] = clamp_byte ((gint16) (cr[i] + (dv >> SHARE_BITS)));
  }
}

static void
copy_row (const WeftPlane *src, const WeftPlane *dst, gint row)
{
  if (src->data != dst->data)
    memcpy (dst->data + (gssize) row * dst->stride, src->data + (gssize) row * src->stride,
        (gsize) dst->width);
}

/* Whether the matrix may come before the range and the scaling: all are linear, but the matrix is
 * written for the output's range and for 4:2:0 whose chroma lies on every other luma sample. */
gboolean
weft_colour_change_can_copy (const WeftColourChange *self, const WeftPicture *src)
{
  return self->has_matrix && self->luma_gain == 1.0 && self->luma_offset == 0.0
         && self->chroma_gain == 1.0 && !src->grey && src->sub_x == 1 && src->sub_y == 1
         && src->chroma_x == 0.5;
}

/* Applies the matrix to @src, which is in the output's range, on the way to @dst; both are I420 of
 * one size, or one and the same. Rows are still in the cache when they are changed. */
void
weft_colour_change_copy (
    const WeftColourChange *self, const WeftPicture *src, const WeftPicture *dst)
{
  const WeftPlane *luma = &dst->plane[0], *cb = &dst->plane[1], *cr = &dst->plane[2];
  g_autofree gint16 *share = g_new (gint16, (gsize) cb->width);
  g_autofree gint16 *wide = g_new (gint16, (gsize) cb->width * 2);

  for (gint row = 0; row < cb->height; row++) {
    guint8 *u = cb->data + (gssize) row * cb->stride, *v = cr->data + (gssize) row * cr->stride;

    copy_row (&src->plane[1], cb, row);
    copy_row (&src->plane[2], cr, row);
    get_shares (u, v, share, cb->width, self->y_cb, self->y_cr);
    double_shares (share, wide, cb->width);
    for (gint y = 2 * row; y < MIN (2 * row + 2, luma->height); y++) {
      copy_row (&src->plane[0], luma, y);
      add_shares (luma->data + (gssize) y * luma->stride, wide, luma->width);
    }
    mix_chroma (u, v, cb->width, self->cb_cb, self->cb_cr, self->cr_cb, self->cr_cr);
  }
}

/* Applies the matrix, if there is one, to an I420 @picture that is in the output's range. */
void
weft_colour_change_apply (const WeftColourChange *self, const WeftPicture *picture)
{
  if (self->has_matrix)
    weft_colour_change_copy (self, picture, picture);
}

/* A colour written as in a job, in Y'CbCr. */
void
weft_colour_from_argb (guint32 argb, const GstVideoColorimetry *to, guint8 yuv[3])
{
  gdouble kr, kb, y, cb, cr;
  gdouble r = (argb >> 16 & 0xff) / 255.0, g = (argb >> 8 & 0xff) / 255.0,
          b = (argb & 0xff) / 255.0;

  get_weights (to, &kr, &kb);
  y = kr * r + (1 - kr - kb) * g + kb * b;
  cb = (b - y) / (2 * (1 - kb));
  cr = (r - y) / (2 * (1 - kr));
  yuv[0] = clamp_byte ((gint16) lround (is_full (to) ? 255 * y : 16 + 219 * y));
  yuv[1] = clamp_byte ((gint16) lround (128 + (is_full (to) ? 255 : 224) * cb));
  yuv[2] = clamp_byte ((gint16) lround (128 + (is_full (to) ? 255 : 224) * cr));
}

/* @bits of 16 to 8, rounded. */
void
weft_colour_reduce_row (const guint16 *restrict src, guint8 *restrict dst, gint n, gint bits)
{
  gint shift = bits - 8, half = 1 << (shift - 1);

  for (gint i = 0; i < n; i++) {
    gint v = (src[i] + half) >> shift;
    dst[i] = (guint8) (v > 255 ? 255 : v);
  }
}

/* Two rows of AYUV upon a background, as I420. The second one may be the first. */
void
weft_colour_blend_row (const guint8 *ayuv_top, const guint8 *ayuv_bottom, guint8 *y_top,
    guint8 *y_bottom, guint8 *cb, guint8 *cr, gint n, const guint8 background[3])
{
  const guint8 *row[2] = { ayuv_top, ayuv_bottom };
  guint8 *luma[2] = { y_top, y_bottom };

  for (gint x = 0; x < n; x += 2) {
    gint u = 0, v = 0, count = 0;

    for (gint r = 0; r < 2; r++) {
      for (gint i = x; i < MIN (x + 2, n); i++) {
        const guint8 *p = row[r] + 4 * i;
        gint a = p[0], rest = 255 - p[0];

        luma[r][i] = (guint8) ((p[1] * a + background[0] * rest + 127) / 255);
        u += (p[2] * a + background[1] * rest + 127) / 255;
        v += (p[3] * a + background[2] * rest + 127) / 255;
        count++;
      }
    }
    cb[x / 2] = (guint8) ((u + count / 2) / count);
    cr[x / 2] = (guint8) ((v + count / 2) / count);
  }
}
