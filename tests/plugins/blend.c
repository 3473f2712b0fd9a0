/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The inner loops against exact arithmetic and against each other, and whole surfaces against a
 * model in floating point that knows nothing of planes, runs and fixed point. */

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "weftblend.h"
#include "weftsurface.h"

#define LONGEST_RUN 131

static GRand *rand_source;

static void
fill_random (guint8 *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    /* The ends of the range are where roundings go wrong. */
    gint kind = g_rand_int_range (rand_source, 0, 4);
    bytes[i] = (guint8) (kind == 0 ? 0 : kind == 1 ? 255 : g_rand_int_range (rand_source, 0, 256));
  }
}

/* Premultiplied: no sample above its alpha. */
static void
make_premultiplied (guint8 *src, const guint8 *inverse, gsize n)
{
  for (gsize i = 0; i < n; i++)
    src[i] = (guint8) MIN (src[i], 255 - inverse[i]);
}

static void
test_over8_is_exact (void)
{
  const WeftBlendKernels *k = weft_blend_list_kernels ()[0];

  for (guint d = 0; d < 256; d++) {
    for (guint inverse = 0; inverse < 256; inverse++) {
      guint8 dst = (guint8) d, src = (guint8) (255 - inverse), left = (guint8) inverse;
      k->over8 (&dst, &src, &left, 1);
      g_assert_cmpuint (dst, ==, (255 - inverse) + (2 * d * inverse + 255) / 510);
    }
  }
}

static void
test_over8_faded_is_within_one (void)
{
  const WeftBlendKernels *k = weft_blend_list_kernels ()[0];

  for (guint d = 0; d < 256; d += 3) {
    for (guint inverse = 0; inverse < 256; inverse += 3) {
      for (guint opacity = 0; opacity < 256; opacity++) {
        guint8 dst = (guint8) d, src = (guint8) ((255 - inverse) / 2), left = (guint8) inverse;
        gdouble over = src + d * inverse / 255.0;
        k->over8_faded (&dst, &src, &left, (guint8) opacity, 1);
        g_assert_cmpfloat (
            fabs (dst - (over * opacity + d * (255.0 - opacity)) / 255.0), <=, 1.001);
        if (opacity == 0)
          g_assert_cmpuint (dst, ==, d);
      }
    }
  }
}

static void
test_over16_is_within_half (void)
{
  const WeftBlendKernels *k = weft_blend_list_kernels ()[0];

  for (guint shift = 0; shift <= 6; shift += 2) {
    guint max = (1u << MIN (16 - shift, 14)) - 1;
    for (guint d = 0; d <= max; d += shift < 4 ? 17 : 1) {
      for (guint alpha = 0; alpha < 256; alpha++) {
        guint16 dst = (guint16) (d << shift), src = 0, left = (guint16) (65535 - alpha * 257);
        k->over16 (&dst, &src, &left, shift, 1);
        g_assert_cmpuint (dst & ((1u << shift) - 1), ==, 0);
        g_assert_cmpfloat (fabs ((dst >> shift) - d * (255 - alpha) / 255.0), <=, 0.76);
      }
    }
  }
}

static void
check_bytes (const WeftBlendKernels *k, const WeftBlendKernels *reference, gsize n, gsize shift,
    guint8 opacity)
{
  guint8 src[LONGEST_RUN + 8], inverse[LONGEST_RUN + 8], below[LONGEST_RUN + 8];
  guint8 dst[2][LONGEST_RUN + 8];

  fill_random (src, sizeof src);
  fill_random (inverse, sizeof inverse);
  fill_random (below, sizeof below);
  make_premultiplied (src, inverse, sizeof src);
  fill_random (dst[0], sizeof dst[0]);
  memcpy (dst[1], dst[0], sizeof dst[0]);
  if (opacity == 255) {
    k->over8 (dst[0] + shift, src + shift, inverse + shift, n);
    reference->over8 (dst[1] + shift, src + shift, inverse + shift, n);
  } else {
    k->over8_faded (dst[0] + shift, src + shift, inverse + shift, opacity, n);
    reference->over8_faded (dst[1] + shift, src + shift, inverse + shift, opacity, n);
  }
  /* All of it: nothing beside the run may change. */
  g_assert_cmpmem (dst[0], sizeof dst[0], dst[1], sizeof dst[1]);
  k->straight8 (dst[0] + shift, src + shift, inverse + shift, below + shift, opacity, n);
  reference->straight8 (dst[1] + shift, src + shift, inverse + shift, below + shift, opacity, n);
  g_assert_cmpmem (dst[0], sizeof dst[0], dst[1], sizeof dst[1]);
}

static void
check_words (const WeftBlendKernels *k, const WeftBlendKernels *reference, gsize n, gsize shift,
    guint8 opacity)
{
  guint16 src[LONGEST_RUN + 8], inverse[LONGEST_RUN + 8], below[LONGEST_RUN + 8];
  guint16 dst[2][LONGEST_RUN + 8];
  guint up = (guint) shift % 3 * 2;

  for (gsize i = 0; i < G_N_ELEMENTS (src); i++) {
    guint alpha = (guint) g_rand_int_range (rand_source, 0, 256);
    inverse[i] = (guint16) (65535 - alpha * 257);
    src[i] = (guint16) ((g_rand_int_range (rand_source, 0, 1024) * (gint) alpha / 255) << up);
    dst[0][i] = (guint16) (g_rand_int_range (rand_source, 0, 1024) << up);
    below[i] = (guint16) g_rand_int_range (rand_source, 0, 1024);
  }
  memcpy (dst[1], dst[0], sizeof dst[0]);
  if (opacity == 255) {
    k->over16 (dst[0] + shift, src + shift, inverse + shift, up, n);
    reference->over16 (dst[1] + shift, src + shift, inverse + shift, up, n);
  } else {
    k->over16_faded (dst[0] + shift, src + shift, inverse + shift, opacity, up, n);
    reference->over16_faded (dst[1] + shift, src + shift, inverse + shift, opacity, up, n);
  }
  g_assert_cmpmem (dst[0], sizeof dst[0], dst[1], sizeof dst[1]);
  if (up > 0)
    return;
  k->straight16 (dst[0] + shift, src + shift, inverse + shift, below + shift, opacity, 1023, n);
  reference->straight16 (
      dst[1] + shift, src + shift, inverse + shift, below + shift, opacity, 1023, n);
  g_assert_cmpmem (dst[0], sizeof dst[0], dst[1], sizeof dst[1]);
}

/* One alpha that is not opaque must be found wherever it is. */
static void
check_is_opaque (const WeftBlendKernels *k, gsize n, guint offset)
{
  guint8 bytes[4 * LONGEST_RUN];

  for (guint step = 1; step <= 4; step++) {
    if (offset >= step)
      continue;
    fill_random (bytes, sizeof bytes);
    for (gsize i = 0; i < n; i++)
      bytes[step * i + offset] = 255;
    g_assert_true (k->is_opaque (bytes, offset, step, n));
    if (n == 0)
      continue;
    bytes[step * (gsize) g_rand_int_range (rand_source, 0, (gint32) n) + offset] = 254;
    g_assert_false (k->is_opaque (bytes, offset, step, n));
  }
}

static void
check_making (const WeftBlendKernels *k, const WeftBlendKernels *reference, gsize n, gsize shift)
{
  guint32 pixels[LONGEST_RUN + 8];
  guint16 sums[2][4 * LONGEST_RUN], taps[2][LONGEST_RUN], values[2][LONGEST_RUN];
  guint16 words[2][4 * LONGEST_RUN] = { 0 };
  guint8 bytes[2][4 * LONGEST_RUN] = { 0 };
  const guint8 weights[] = { 1, (guint8) (1 + shift % 2), 1 };
  const WeftBlendMatrix matrix = { 0.2f, -0.5f, 0.1f, 0.3f, 0.7f };
  const WeftBlendKernels *const tables[] = { k, reference };
  const guint step = 1 + (guint) shift % 4;

  fill_random ((guint8 *) pixels, sizeof pixels);
  for (guint i = 0; i < 2; i++) {
    for (gsize c = 0; c < G_N_ELEMENTS (sums[i]); c++)
      sums[i][c] = (guint16) c;
    memset (taps[i], 0, sizeof taps[i]);
    memset (values[i], 0, sizeof values[i]);
    tables[i]->add_pixels (sums[i], LONGEST_RUN, pixels + shift, 1 + (guint) shift % 2, n);
    tables[i]->add_taps (taps[i], sums[i], weights, 2 + (guint) shift % 2, n / 2);
    tables[i]->convert (values[i], sums[i], LONGEST_RUN, &matrix, n);
    tables[i]->invert (values[i], 1023, shift % 2 == 0 ? 255 : 65535, n);
    tables[i]->store8 (bytes[i], step, values[i], n);
    tables[i]->store16 (words[i], step, values[i], 6, n);
  }
  g_assert_cmpmem (sums[0], sizeof sums[0], sums[1], sizeof sums[1]);
  g_assert_cmpmem (taps[0], sizeof taps[0], taps[1], sizeof taps[1]);
  g_assert_cmpmem (values[0], sizeof values[0], values[1], sizeof values[1]);
  g_assert_cmpmem (bytes[0], sizeof bytes[0], bytes[1], sizeof bytes[1]);
  g_assert_cmpmem (words[0], sizeof words[0], words[1], sizeof words[1]);
}

static void
test_kernels_agree (void)
{
  const WeftBlendKernels *const *list = weft_blend_list_kernels ();

  for (guint i = 1; list[i] != NULL; i++) {
    g_test_message ("%s against %s", list[i]->name, list[0]->name);
    for (gsize n = 0; n <= LONGEST_RUN; n++) {
      for (gsize shift = 0; shift < 8; shift++) {
        guint8 opacity = shift == 0 ? 255 : (guint8) g_rand_int_range (rand_source, 0, 256);
        check_bytes (list[i], list[0], n, shift, 255);
        check_bytes (list[i], list[0], n, shift, opacity);
        check_words (list[i], list[0], n, shift, 255);
        check_words (list[i], list[0], n, shift, opacity);
        check_is_opaque (list[i], n, (guint) (shift % 4));
        check_making (list[i], list[0], n, shift);
      }
    }
  }
}

static void
test_straight_against_exact_arithmetic (void)
{
  const WeftBlendKernels *k = weft_blend_get_kernels ();

  for (guint i = 0; i < 200000; i++) {
    guint8 dst, src, inverse, below;
    fill_random (&dst, 1);
    fill_random (&src, 1);
    fill_random (&inverse, 1);
    fill_random (&below, 1);
    make_premultiplied (&src, &inverse, 1);
    guint8 before = dst, opacity = (guint8) g_rand_int_range (rand_source, 0, 256);
    k->straight8 (&dst, &src, &inverse, &below, opacity, 1);

    gdouble above = (255 - inverse) / 255.0 * opacity / 255.0;
    gdouble left = below / 255.0 * (1.0 - above);
    if (above + left > 0.0)
      g_assert_cmpfloat (
          fabs (dst - (src * opacity / 255.0 + before * left) / (above + left)), <=, 0.51);
    else
      g_assert_cmpuint (dst, ==, before);
  }
}

/* The model */

typedef struct {
  const WeftPicture *picture;
  gint dx, dy;
  gint width, height;
} Scene;

/* Premultiplied R, G, B, A, 0..1, of the picture at a pixel of the frame. */
static void
get_pixel (gconstpointer data, gint x, gint y, gdouble rgba[4])
{
  const Scene *s = data;
  gint w = cairo_image_surface_get_width (s->picture->pixels);
  gint h = cairo_image_surface_get_height (s->picture->pixels);
  gint left = s->picture->x + s->dx, top = s->picture->y + s->dy;
  guint32 argb = 0;

  /* What lies in the frame as a whole goes on at the frame's edges as the frame does. */
  if (s->dx == 0 && s->dy == 0 && left >= 0 && top >= 0 && left + w <= s->width
      && top + h <= s->height) {
    x = CLAMP (x, 0, s->width - 1);
    y = CLAMP (y, 0, s->height - 1);
  }
  x -= left;
  y -= top;
  if (x >= 0 && y >= 0 && x < w && y < h)
    memcpy (&argb,
        cairo_image_surface_get_data (s->picture->pixels)
            + y * cairo_image_surface_get_stride (s->picture->pixels) + 4 * x,
        4);
  rgba[0] = ((argb >> 16) & 255) / 255.0;
  rgba[1] = ((argb >> 8) & 255) / 255.0;
  rgba[2] = (argb & 255) / 255.0;
  rgba[3] = (argb >> 24) / 255.0;
}

/* How much pixels at -1, 0 and 1 count in a sample. */
static const gdouble *
get_weights (guint sub, gboolean cosited)
{
  static const gdouble alone[] = { 0, 1, 0 }, on_first[] = { 0.25, 0.5, 0.25 },
                       between[] = { 0, 0.5, 0.5 };

  return sub == 0 ? alone : cosited ? on_first : between;
}

typedef void (*PixelFunc) (gconstpointer data, gint x, gint y, gdouble rgba[4]);

/* The mean of the pixels that a sample of component @c stands for. */
static void
get_sample (const GstVideoInfo *info, guint c, gint sx, gint sy, PixelFunc func, gconstpointer data,
    gdouble rgba[4])
{
  guint w_sub = GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c);
  guint h_sub = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
  const gdouble *wx =
      get_weights (w_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
  const gdouble *wy =
      get_weights (h_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);

  memset (rgba, 0, 4 * sizeof *rgba);
  for (gint j = -1; j <= 1; j++) {
    for (gint i = -1; i <= 1; i++) {
      gdouble pixel[4], w = wx[i + 1] * wy[j + 1];
      func (data, sx * (1 << w_sub) + i, sy * (1 << h_sub) + j, pixel);
      for (guint k = 0; k < 4; k++)
        rgba[k] += w * pixel[k];
    }
  }
}

static gdouble
get_max (const GstVideoInfo *info, guint c)
{
  return (1u << GST_VIDEO_FORMAT_INFO_DEPTH (info->finfo, c)) - 1;
}

/* A component of the colour, premultiplied, in steps of the format. */
static gdouble
get_component (const GstVideoInfo *info, guint c, const gdouble rgba[4])
{
  gint offset[4], scale[4];
  gdouble kr = 0, kb = 0, value;

  gst_video_color_range_offsets (info->colorimetry.range, info->finfo, offset, scale);
  if (c == 3)
    return rgba[3] * get_max (info, c);
  if (GST_VIDEO_INFO_IS_RGB (info))
    return rgba[c] * scale[c] + rgba[3] * offset[c];
  gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb);
  gdouble luma = kr * rgba[0] + (1 - kr - kb) * rgba[1] + kb * rgba[2];
  value = c == 0   ? luma
          : c == 1 ? (rgba[2] - luma) / (2 * (1 - kb))
                   : (rgba[0] - luma) / (2 * (1 - kr));
  return value * scale[c] + rgba[3] * offset[c];
}

static guint8 *
get_address (GstVideoFrame *frame, guint c, gint x, gint y)
{
  guint size = GST_VIDEO_FRAME_COMP_DEPTH (frame, c) > 8 ? 2 : 1;
  guint offset = (guint) GST_VIDEO_FRAME_COMP_POFFSET (frame, c);

  /* GStreamer 1.22 says that V of P010 begins at byte 1. */
  offset = (offset + size - 1) / size * size;
  return (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, GST_VIDEO_FRAME_COMP_PLANE (frame, c))
         + offset + y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c)
         + x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
}

static guint
read_sample (GstVideoFrame *frame, guint c, gint x, gint y)
{
  const guint8 *p = get_address (frame, c, x, y);
  guint value = GST_VIDEO_FRAME_COMP_DEPTH (frame, c) > 8 ? GST_READ_UINT16_LE (p) : *p;
  guint shift = GST_VIDEO_FORMAT_INFO_SHIFT (frame->info.finfo, c);

  g_assert_cmpuint (value & ((1u << shift) - 1), ==, 0);
  g_assert_cmpuint (value >> shift, <, 1u << GST_VIDEO_FRAME_COMP_DEPTH (frame, c));
  return value >> shift;
}

static void
write_sample (GstVideoFrame *frame, guint c, gint x, gint y, guint value)
{
  guint8 *p = get_address (frame, c, x, y);

  value <<= GST_VIDEO_FORMAT_INFO_SHIFT (frame->info.finfo, c);
  if (GST_VIDEO_FRAME_COMP_DEPTH (frame, c) > 8)
    GST_WRITE_UINT16_LE (p, (guint16) value);
  else
    *p = (guint8) value;
}

static WeftPicture *
create_picture (gint x, gint y, gint width, gint height)
{
  WeftPicture *picture = g_new0 (WeftPicture, 1);
  /* Soft and hard edges, opaque runs longer than the ones that are copied, and holes. */
  static const guint8 alphas[] = { 0, 255, 255, 128, 7, 250, 0, 0 };

  picture->x = x;
  picture->y = y;
  picture->pixels = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  for (gint j = 0; j < height; j++) {
    guint32 *row = (guint32 *) (gpointer) (cairo_image_surface_get_data (picture->pixels)
                                           + j * cairo_image_surface_get_stride (picture->pixels));
    for (gint i = 0; i < width; i++) {
      guint32 a =
          width > 60 && i > 8 && i < width - 8 ? 255 : alphas[g_rand_int_range (rand_source, 0, 8)];
      gboolean is_white = g_rand_int_range (rand_source, 0, 3) == 0;
      guint32 r = (guint32) g_rand_int_range (rand_source, 0, (gint32) a + 1);
      guint32 g = (guint32) g_rand_int_range (rand_source, 0, (gint32) a + 1);
      guint32 b = (guint32) g_rand_int_range (rand_source, 0, (gint32) a + 1);
      row[i] = is_white ? a * 0x01010101u : a << 24 | r << 16 | g << 8 | b;
    }
  }
  cairo_surface_mark_dirty (picture->pixels);
  return picture;
}

/* Alpha of a frame, 0..1; beyond its edges it goes on as at them. */
static void
get_alpha (gconstpointer data, gint x, gint y, gdouble rgba[4])
{
  GstVideoFrame *frame = (GstVideoFrame *) data;

  rgba[0] = rgba[1] = rgba[2] = 0;
  rgba[3] = 1.0;
  if (GST_VIDEO_INFO_HAS_ALPHA (&frame->info))
    rgba[3] = read_sample (frame, 3, CLAMP (x, 0, GST_VIDEO_FRAME_WIDTH (frame) - 1),
                  CLAMP (y, 0, GST_VIDEO_FRAME_HEIGHT (frame) - 1))
              / get_max (&frame->info, 3);
}

static void
check_sample (const Scene *s, GstVideoFrame *before, GstVideoFrame *after, guint c, gint x, gint y,
    guint8 opacity)
{
  const GstVideoInfo *info = &after->info;
  gdouble rgba[4], alpha[4];

  get_sample (info, c, x, y, get_pixel, s, rgba);
  get_sample (info, c, x, y, get_alpha, before, alpha);
  gdouble above = rgba[3] * opacity / 255.0, left = alpha[3] * (1.0 - above), total = above + left;
  gdouble expected = get_component (info, c, rgba) * opacity / 255.0;
  /* Half a step each for the premultiplied sample, its alpha, and the result. */
  gdouble error = opacity < 255 ? 2.5 : 1.5;
  if (c == 3) {
    expected += left * get_max (info, c);
  } else if (GST_VIDEO_INFO_HAS_ALPHA (info)) {
    /* What next to nothing is left of may have any colour. */
    if (total < 0.1)
      return;
    expected = (expected + read_sample (before, c, x, y) * left) / total;
    error = alpha[3] < 1.0 ? (error + 0.5) / total : error;
  } else {
    expected += read_sample (before, c, x, y) * left;
  }
  guint found = read_sample (after, c, x, y);
  if (fabs (found - expected) > error)
    g_error ("%s %dx%d picture at %d,%d+%d,%d opacity %u: component %u at %d,%d is %u, not %.2f",
        GST_VIDEO_INFO_NAME (info), s->width, s->height, s->picture->x, s->picture->y, s->dx, s->dy,
        opacity, c, x, y, found, expected);
}

typedef void (*SampleFunc) (GstVideoFrame *frame, guint c, gint x, gint y);

static void
foreach_sample (GstVideoFrame *frame, SampleFunc func)
{
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (frame); c++) {
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, c); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, c); x++)
        func (frame, c, x, y);
    }
  }
}

/* The ends of the range are where roundings go wrong. */
static void
fill_translucent (GstVideoFrame *frame, guint c, gint x, gint y)
{
  gint32 max = (gint32) get_max (&frame->info, c);
  gint kind = g_rand_int_range (rand_source, 0, 4);

  write_sample (frame, c, x, y,
      kind == 0   ? 0
      : kind == 1 ? (guint) max
                  : (guint) g_rand_int_range (rand_source, 0, max + 1));
}

static void
fill_opaque (GstVideoFrame *frame, guint c, gint x, gint y)
{
  if (c == 3)
    write_sample (frame, c, x, y, (guint) get_max (&frame->info, c));
  else
    fill_translucent (frame, c, x, y);
}

static void
clear_sample (GstVideoFrame *frame, guint c, gint x, gint y)
{
  write_sample (frame, c, x, y, 0);
}

static void
check_frame (const Scene *s, GstVideoFrame *before, GstVideoFrame *after, guint8 opacity)
{
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (after); c++) {
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (after, c); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (after, c); x++)
        check_sample (s, before, after, c, x, y, opacity);
    }
  }
}

/* In packed 4:2:2 of odd width the last pair has a luma sample that no pixel belongs to. */
static void
clear_second_of_last_pair (GstVideoFrame *frame)
{
  const GstVideoFormatInfo *f = frame->info.finfo;

  if (GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f) < 3 || GST_VIDEO_FORMAT_INFO_PLANE (f, 1) != 0
      || GST_VIDEO_FORMAT_INFO_W_SUB (f, 1) == 0 || GST_VIDEO_FRAME_WIDTH (frame) % 2 == 0)
    return;
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++)
    write_sample (frame, 0, GST_VIDEO_FRAME_WIDTH (frame), y, 0);
}

static void
check_scene_on (const GstVideoInfo *info, const WeftPicture *picture, gint dx, gint dy,
    guint8 opacity, gboolean opaque_frame)
{
  Scene s = { picture, dx, dy, info->width, info->height };
  g_autoptr (GstBuffer) before = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame from, to;

  gst_buffer_memset (before, 0, 0x5a, info->size);
  g_assert_true (gst_video_frame_map (&from, info, before, GST_MAP_READWRITE));
  foreach_sample (&from, opaque_frame ? fill_opaque : fill_translucent);
  g_autoptr (GstBuffer) after = gst_buffer_copy_deep (before);
  g_assert_true (gst_video_frame_map (&to, info, after, GST_MAP_READWRITE));
  g_autoptr (WeftSurface) surface =
      weft_surface_new (picture, info, weft_surface_get_phase (info, dx, dy));
  weft_surface_blend (surface, &to, dx, dy, opacity, weft_blend_get_kernels ());
  check_frame (&s, &from, &to, opacity);
  foreach_sample (&from, clear_sample);
  foreach_sample (&to, clear_sample);
  clear_second_of_last_pair (&from);
  clear_second_of_last_pair (&to);
  /* What is no sample was not touched. */
  g_assert_true (memcmp (from.map[0].data, to.map[0].data, from.map[0].size) == 0);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
}

static void
check_scene (const GstVideoInfo *info, const WeftPicture *picture, gint dx, gint dy, guint8 opacity)
{
  check_scene_on (info, picture, dx, dy, opacity, TRUE);
  if (GST_VIDEO_INFO_HAS_ALPHA (info))
    check_scene_on (info, picture, dx, dy, opacity, FALSE);
}

static const gchar *const colorimetries[] = { "bt601", "bt709", "bt2020", "1:4:0:0" };
static const GstVideoChromaSite sites[] = { GST_VIDEO_CHROMA_SITE_NONE,
  GST_VIDEO_CHROMA_SITE_H_COSITED, GST_VIDEO_CHROMA_SITE_COSITED };

static void
test_surface_agrees_with_model (gconstpointer data)
{
  static const gint sizes[] = { 1, 2, 3, 6, 17 };
  GstVideoFormat format = gst_video_format_from_string (data);
  GstVideoInfo info;

  for (guint i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (sizes); i++) {
    gint width = sizes[i / G_N_ELEMENTS (sizes)], height = sizes[i % G_N_ELEMENTS (sizes)];
    gst_video_info_set_format (&info, format, (guint) width, (guint) height);
    g_assert_true (weft_surface_supports (&info));
    if (!GST_VIDEO_INFO_IS_RGB (&info))
      gst_video_colorimetry_from_string (&info.colorimetry, colorimetries[i % 4]);
    info.chroma_site = sites[i % 3];
    for (gint place = 0; place < 9; place++) {
      gint x = (place % 3 - 1) * width / 2, y = (place / 3 - 1) * height / 2;
      g_autoptr (WeftPicture) picture = create_picture (x, y, width, height);
      check_scene (&info, picture, 0, 0, 255);
      check_scene (&info, picture, 1, 0, 255);
      check_scene (&info, picture, -3, 1, 255);
      check_scene (&info, picture, 2, -2, 101);
      check_scene (&info, picture, 0, 0, 200);
    }
  }
  /* Long enough for runs that are skipped and copied. */
  gst_video_info_set_format (&info, format, 211, 9);
  for (gint x = 0; x < 4; x++) {
    g_autoptr (WeftPicture) picture = create_picture (x, x, 180 - x, 5);
    check_scene (&info, picture, 0, 0, 255);
    check_scene (&info, picture, -90, 1, 255);
    check_scene (&info, picture, 121, 0, 255);
    check_scene (&info, picture, 0, 0, 77);
  }
}

static void
test_padding_byte_is_untouched (void)
{
  GstVideoInfo info;
  GstVideoFrame frame;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_xRGB, 100, 1);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0x33, info.size);
  g_autoptr (WeftPicture) picture = create_picture (0, 0, 100, 1);
  g_autoptr (WeftSurface) surface = weft_surface_new (picture, &info, 0);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
  weft_surface_blend (surface, &frame, 0, 0, 255, weft_blend_get_kernels ());
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0))[4 * i], ==, 0x33);
  gst_video_frame_unmap (&frame);
}

static void
test_opaque_picture_replaces_frame (void)
{
  GstVideoInfo info;
  GstVideoFrame frame;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 64, 2);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  WeftPicture picture = { cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 64, 2), 0, 0, { 0 } };
  memset (cairo_image_surface_get_data (picture.pixels), 255, 64 * 2 * 4);
  cairo_surface_mark_dirty (picture.pixels);
  g_autoptr (WeftSurface) surface = weft_surface_new (&picture, &info, 0);
  for (guint value = 0; value < 256; value += 51) {
    gst_buffer_memset (buffer, 0, (guint8) value, info.size);
    g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
    weft_surface_blend (surface, &frame, 0, 0, 255, weft_blend_get_kernels ());
    for (gint x = 0; x < 64; x++) {
      g_assert_cmpuint (read_sample (&frame, 0, x, 1), ==, 235);
      g_assert_cmpuint (read_sample (&frame, 1, x / 2, 0), ==, 128);
    }
    gst_video_frame_unmap (&frame);
  }
  cairo_surface_destroy (picture.pixels);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  rand_source = g_rand_new_with_seed (4711);
  g_test_add_func ("/blend/over8-is-exact", test_over8_is_exact);
  g_test_add_func ("/blend/over8-faded-is-within-one-step", test_over8_faded_is_within_one);
  g_test_add_func ("/blend/over16-is-within-half-a-step", test_over16_is_within_half);
  g_test_add_func ("/blend/straight-alpha", test_straight_against_exact_arithmetic);
  g_test_add_func ("/blend/instruction-sets-agree", test_kernels_agree);
  g_autofree gchar *list = g_strndup (&WEFT_SURFACE_FORMATS[2], strlen (WEFT_SURFACE_FORMATS) - 4);
  g_auto (GStrv) formats = g_strsplit (list, ", ", -1);
  for (guint i = 0; formats[i] != NULL; i++) {
    g_autofree gchar *path = g_strconcat ("/surface/agrees-with-model/", formats[i], NULL);
    g_test_add_data_func (path, formats[i], test_surface_agrees_with_model);
  }
  g_test_add_func ("/surface/padding-byte-is-untouched", test_padding_byte_is_untouched);
  g_test_add_func ("/surface/opaque-picture-replaces-frame", test_opaque_picture_replaces_frame);
  gint result = g_test_run ();
  g_rand_free (rand_source);
  return result;
}
