/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A Gaussian blur by three box filters, the approximation that the SVG filter specification gives
 * for feGaussianBlur; its error is about 3 % and its time does not depend on the radius. */

#include "weftoverlayblur.h"

#include <math.h>
#include <string.h>

#define N_PASSES 3

/* The width of the box whose threefold repetition has the variance of the Gaussian. Always odd, so
 * that no pass shifts the picture. */
static gint
get_box_size (gdouble sigma)
{
  gint size = (gint) floor (sigma * 3.0 * sqrt (2.0 * G_PI) / 4.0 + 0.5);

  return size <= 1 ? 1 : size | 1;
}

gint
weft_blur_get_reach (gdouble sigma)
{
  return N_PASSES * (get_box_size (sigma) / 2);
}

static void
blur_row (const guint8 *src, guint8 *dst, gint n, gint radius)
{
  guint size = (guint) (2 * radius + 1);
  guint sum = 0;

  for (gint i = 0; i < MIN (radius, n); i++)
    sum += src[i];
  for (gint i = 0; i < n; i++) {
    if (i + radius < n)
      sum += src[i + radius];
    dst[i] = (guint8) ((sum + size / 2) / size);
    if (i - radius >= 0)
      sum -= src[i - radius];
  }
}

static void
blur_columns (guint8 *pixels, gint width, gint height, gint stride, gint radius)
{
  guint size = (guint) (2 * radius + 1);
  g_autofree guint *sums = g_new0 (guint, (gsize) width);
  /* The rows that are overwritten before they leave the box. */
  g_autofree guint8 *ring = g_malloc0 ((gsize) width * (gsize) (radius + 1));

  for (gint y = 0; y < MIN (radius, height); y++) {
    for (gint x = 0; x < width; x++)
      sums[x] += pixels[(gsize) y * stride + x];
  }
  for (gint y = 0; y < height; y++) {
    guint8 *row = pixels + (gsize) y * stride;
    guint8 *kept = ring + (gsize) (y % (radius + 1)) * width;
    if (y + radius < height) {
      const guint8 *entering = pixels + (gsize) (y + radius) * stride;
      for (gint x = 0; x < width; x++)
        sums[x] += entering[x];
    }
    memcpy (kept, row, (gsize) width);
    for (gint x = 0; x < width; x++)
      row[x] = (guint8) ((sums[x] + size / 2) / size);
    if (y - radius >= 0) {
      const guint8 *leaving = ring + (gsize) ((y - radius) % (radius + 1)) * width;
      for (gint x = 0; x < width; x++)
        sums[x] -= leaving[x];
    }
  }
}

/**
 * weft_blur_a8:
 * @pixels: one byte a pixel, blurred in place; outside of them is nothing
 * @sigma_x: standard deviation in pixels; 0 for none
 */
void
weft_blur_a8 (
    guint8 *pixels, gint width, gint height, gint stride, gdouble sigma_x, gdouble sigma_y)
{
  gint radius_x = get_box_size (sigma_x) / 2, radius_y = get_box_size (sigma_y) / 2;
  g_autofree guint8 *line = g_malloc ((gsize) width);

  for (gint y = 0; radius_x > 0 && y < height; y++) {
    guint8 *row = pixels + (gsize) y * stride;
    for (gint pass = 0; pass < N_PASSES; pass++) {
      memcpy (line, row, (gsize) width);
      blur_row (line, row, width, radius_x);
    }
  }
  for (gint pass = 0; radius_y > 0 && pass < N_PASSES; pass++)
    blur_columns (pixels, width, height, stride, radius_y);
}
