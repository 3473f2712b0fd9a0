/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "weftframing.h"
#include "weftscaler.h"

GST_DEBUG_CATEGORY (weft_clips_debug);

static GstVideoInfo
make_info (GstVideoFormat format, gint width, gint height, const gchar *colorimetry)
{
  GstVideoInfo info;

  g_assert_true (gst_video_info_set_format (&info, format, (guint) width, (guint) height));
  if (colorimetry != NULL)
    g_assert_true (gst_video_colorimetry_from_string (&info.colorimetry, colorimetry));
  info.fps_n = 30;
  info.fps_d = 1;
  info.chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
  return info;
}

/* A picture that is smooth, has no symmetry, and stays inside of what every colour space can show.
 */
static GstBuffer *
make_pattern (const GstVideoInfo *info)
{
  GstVideoInfo rgb = make_info (GST_VIDEO_FORMAT_ARGB, info->width, info->height, NULL);
  GstBuffer *from = gst_buffer_new_allocate (NULL, rgb.size, NULL);
  GstBuffer *to = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoConverter *converter;
  GstVideoFrame in, out;
  GstVideoInfo target = *info;

  g_assert_true (gst_video_frame_map (&in, &rgb, from, GST_MAP_WRITE));
  for (gint y = 0; y < info->height; y++) {
    guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (&in, 0);
    row += y * GST_VIDEO_FRAME_PLANE_STRIDE (&in, 0);
    for (gint x = 0; x < info->width; x++) {
      gdouble u = (gdouble) x / info->width, v = (gdouble) y / info->height;
      row[4 * x] = 255;
      row[4 * x + 1] = (guint8) (128 + 60 * sin (7 * u + 2 * v) + 30 * u);
      row[4 * x + 2] = (guint8) (120 + 60 * cos (5 * v - 3 * u * u));
      row[4 * x + 3] = (guint8) (110 + 50 * sin (4 * (u + 1.7 * v)) + 20 * v);
    }
  }
  gst_video_frame_unmap (&in);

  converter = gst_video_converter_new (&rgb, &target, NULL);
  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&in, &rgb, from, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&out, info, to, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&out);
  gst_video_frame_unmap (&in);
  gst_video_converter_free (converter);
  gst_buffer_unref (from);
  return to;
}

static guint8 untouched;

static GstBuffer *
frame_it (GstBuffer *from, const GstVideoInfo *in, GstVideoOrientationMethod orientation,
    WeftFit fit, guint32 background, const GstVideoInfo *out)
{
  g_autoptr (WeftFraming) framing = weft_framing_new (in, orientation, fit, background, out);
  GstBuffer *to = gst_buffer_new_allocate (NULL, out->size, NULL);
  GstVideoFrame a, b;

  /* another value each time: what is not written shows as a difference */
  gst_buffer_memset (to, 0, ++untouched, out->size);
  g_assert_true (gst_video_frame_map (&a, in, from, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, out, to, GST_MAP_WRITE));
  if (weft_framing_is_passthrough (framing))
    gst_video_frame_copy (&b, &a);
  else
    weft_framing_convert (framing, &a, &b);
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
  return to;
}

/* What GStreamer's own converter makes of a part of a picture. */
static GstBuffer *
convert_with_gstreamer (GstBuffer *from, const GstVideoInfo *in, gint x, gint y, gint w, gint h,
    const GstVideoInfo *out)
{
  GstVideoConverter *converter = gst_video_converter_new (in, out,
      gst_structure_new ("reference", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, x,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, y, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
          G_TYPE_INT, w, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, h,
          GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
          GST_VIDEO_RESAMPLER_METHOD_CUBIC, NULL));
  GstBuffer *to = gst_buffer_new_allocate (NULL, out->size, NULL);
  GstVideoFrame a, b;

  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&a, in, from, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, out, to, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &a, &b);
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
  gst_video_converter_free (converter);
  return to;
}

static gdouble
psnr (GstBuffer *one, GstBuffer *other, const GstVideoInfo *info, guint component)
{
  GstVideoFrame a, b;
  gdouble sum = 0;
  gint w = GST_VIDEO_INFO_COMP_WIDTH (info, component);
  gint h = GST_VIDEO_INFO_COMP_HEIGHT (info, component);

  g_assert_true (gst_video_frame_map (&a, info, one, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, info, other, GST_MAP_READ));
  for (gint y = 0; y < h; y++) {
    const guint8 *p = GST_VIDEO_FRAME_COMP_DATA (&a, component);
    const guint8 *q = GST_VIDEO_FRAME_COMP_DATA (&b, component);
    p += y * GST_VIDEO_FRAME_COMP_STRIDE (&a, component);
    q += y * GST_VIDEO_FRAME_COMP_STRIDE (&b, component);
    for (gint x = 0; x < w; x++)
      sum += (p[x] - q[x]) * (p[x] - q[x]);
  }
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
  return sum == 0 ? 99 : 10 * log10 (255.0 * 255.0 / (sum / (w * h)));
}

static void
assert_alike (GstBuffer *one, GstBuffer *other, const GstVideoInfo *info, gdouble least)
{
  for (guint c = 0; c < 3; c++) {
    gdouble db = psnr (one, other, info, c);
    if (db < least)
      g_test_message ("component %u: %.1f dB", c, db);
    g_assert_cmpfloat (db, >=, least);
  }
}

static guint8
sample_at (GstBuffer *buffer, const GstVideoInfo *info, guint component, gint x, gint y)
{
  GstVideoFrame frame;
  guint8 value;

  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  value = ((guint8 *) GST_VIDEO_FRAME_COMP_DATA (
      &frame, component))[y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, component) + x];
  gst_video_frame_unmap (&frame);
  return value;
}

/* ---- geometry ---- */

static void
test_layout (void)
{
  static const struct {
    WeftFit fit;
    gint in_w, in_h, par_n, par_d;
    GstVideoOrientationMethod orientation;
    gint out_w, out_h;
    gdouble src[4];
    gint dst[4];
  } cases[] = {
    /* a wide picture in a tall frame */
    { WEFT_FIT_COVER, 1280, 720, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1920,
        { 437.5, 0, 405, 720 }, { 0, 0, 1080, 1920 } },
    { WEFT_FIT_CONTAIN, 1280, 720, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1920,
        { 0, 0, 1280, 720 }, { 0, 656, 1080, 608 } },
    { WEFT_FIT_FILL, 1280, 720, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1920,
        { 0, 0, 1280, 720 }, { 0, 0, 1080, 1920 } },
    { WEFT_FIT_NONE, 1280, 720, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1920,
        { 100, 0, 1080, 720 }, { 0, 600, 1080, 720 } },
    { WEFT_FIT_CONTAIN_BLUR, 1280, 720, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1920,
        { 0, 0, 1280, 720 }, { 0, 656, 1080, 608 } },
    /* a tall picture in a wide frame */
    { WEFT_FIT_COVER, 360, 640, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1280, 720,
        { 0, 218.75, 360, 202.5 }, { 0, 0, 1280, 720 } },
    { WEFT_FIT_CONTAIN, 360, 640, 1, 1, GST_VIDEO_ORIENTATION_IDENTITY, 1280, 720,
        { 0, 0, 360, 640 }, { 436, 0, 406, 720 } },
    /* DV: 720x576 shown as 16:9 */
    { WEFT_FIT_CONTAIN, 720, 576, 64, 45, GST_VIDEO_ORIENTATION_IDENTITY, 1280, 720,
        { 0, 0, 720, 576 }, { 0, 0, 1280, 720 } },
    { WEFT_FIT_COVER, 1440, 1080, 4, 3, GST_VIDEO_ORIENTATION_IDENTITY, 1080, 1080,
        { 315, 0, 810, 1080 }, { 0, 0, 1080, 1080 } },
    /* a phone that lay on its side */
    { WEFT_FIT_COVER, 1920, 1080, 1, 1, GST_VIDEO_ORIENTATION_90R, 1080, 1920, { 0, 0, 1920, 1080 },
        { 0, 0, 1080, 1920 } },
    { WEFT_FIT_COVER, 1920, 1080, 1, 1, GST_VIDEO_ORIENTATION_90L, 1080, 1080,
        { 420, 0, 1080, 1080 }, { 0, 0, 1080, 1080 } },
    { WEFT_FIT_NONE, 100, 50, 1, 1, GST_VIDEO_ORIENTATION_90R, 300, 300, { 0, 0, 100, 50 },
        { 124, 100, 50, 100 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, cases[i].in_w, cases[i].in_h, NULL);
    GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, cases[i].out_w, cases[i].out_h, NULL);
    WeftFramingLayout l;

    in.par_n = cases[i].par_n;
    in.par_d = cases[i].par_d;
    weft_framing_layout (cases[i].fit, &in, cases[i].orientation, &out, &l);
    g_test_message ("case %u", i);
    g_assert_cmpfloat_with_epsilon (l.src_x, cases[i].src[0], 1e-6);
    g_assert_cmpfloat_with_epsilon (l.src_y, cases[i].src[1], 1e-6);
    g_assert_cmpfloat_with_epsilon (l.src_w, cases[i].src[2], 1e-6);
    g_assert_cmpfloat_with_epsilon (l.src_h, cases[i].src[3], 1e-6);
    g_assert_cmpint (l.dst_x, ==, cases[i].dst[0]);
    g_assert_cmpint (l.dst_y, ==, cases[i].dst[1]);
    g_assert_cmpint (l.dst_w, ==, cases[i].dst[2]);
    g_assert_cmpint (l.dst_h, ==, cases[i].dst[3]);
  }
}

/* ---- the scaler ---- */

static void
test_scaler_portable_is_same (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  for (guint round = 0; round < 60; round++) {
    gint sw = g_rand_int_range (random, 1, 300), sh = g_rand_int_range (random, 1, 200);
    gint dw = g_rand_int_range (random, 1, 300), dh = g_rand_int_range (random, 1, 200);
    gdouble part = g_rand_double_range (random, 0.3, 1.0);
    WeftScalerAxis h = { sw, sw * (1 - part) * 0.37, sw * part / dw, dw };
    WeftScalerAxis v = { sh, sh * (1 - part) * 0.71, sh * part / dh, dh };
    g_autoptr (WeftScaler) scaler =
        weft_scaler_new (&h, &v, round % 3 ? 1.0 : 219 / 255.0, round % 3 ? 0 : 16);
    /* exactly as large as it must be, so that a sanitizer sees every step aside */
    g_autofree guint8 *src = g_malloc ((gsize) (sw * sh));
    g_autofree guint8 *fast = g_malloc0 ((gsize) (dw * dh));
    g_autofree guint8 *plain = g_malloc0 ((gsize) (dw * dh));

    for (gint i = 0; i < sw * sh; i++)
      src[i] = (guint8) (round % 2 ? g_rand_int_range (random, 0, 256) : i * 7 % 256);
    weft_scaler_set_portable (FALSE);
    weft_scaler_run (scaler, src, sw, fast, dw);
    weft_scaler_set_portable (TRUE);
    weft_scaler_run (scaler, src, sw, plain, dw);
    weft_scaler_set_portable (FALSE);
    g_assert_cmpmem (fast, dw * dh, plain, dw * dh);
  }
}

/* What is flat stays flat, at its value, through any scale. */
static void
test_scaler_keeps_flat (void)
{
  for (gint value = 0; value < 256; value += 15) {
    for (gint size = 3; size < 400; size = size * 2 + 1) {
      WeftScalerAxis h = { 64, 1.3, 60.1 / size, size }, v = { 48, 0.7, 45.0 / size, size };
      g_autoptr (WeftScaler) scaler = weft_scaler_new (&h, &v, 1.0, 0.0);
      g_autofree guint8 *src = g_malloc (64 * 48);
      g_autofree guint8 *dst = g_malloc0 ((gsize) (size * size));

      memset (src, value, 64 * 48);
      weft_scaler_run (scaler, src, 64, dst, size);
      for (gint i = 0; i < size * size; i++)
        g_assert_cmpint (dst[i], ==, value);
    }
  }
}

/* A ramp comes out as the same ramp: no shift at any scale, also between samples. */
static void
test_scaler_does_not_shift (void)
{
  static const gdouble starts[] = { 20, 20.5, 33.25 };
  static const gint sizes[] = { 40, 100, 160, 333 };

  for (guint s = 0; s < G_N_ELEMENTS (starts); s++) {
    for (guint z = 0; z < G_N_ELEMENTS (sizes); z++) {
      gint n = sizes[z];
      WeftScalerAxis h = { 200, starts[s], 100.0 / n, n }, v = { 4, 0, 1, 4 };
      g_autoptr (WeftScaler) scaler = weft_scaler_new (&h, &v, 1.0, 0.0);
      guint8 src[4 * 200];
      g_autofree guint8 *dst = g_malloc0 ((gsize) n * 4);

      for (gint i = 0; i < 4 * 200; i++)
        src[i] = (guint8) (i % 200);
      weft_scaler_run (scaler, src, 200, dst, n);
      for (gint i = 0; i < n; i++) {
        gdouble centre = starts[s] + (i + 0.5) * 100.0 / n - 0.5;
        g_assert_cmpfloat_with_epsilon ((gdouble) dst[2 * n + i], centre, 0.76);
      }
    }
  }
}

/* ---- against GStreamer's converter ---- */

static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12,
  GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_NV21, GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_Y444,
  GST_VIDEO_FORMAT_NV16, GST_VIDEO_FORMAT_NV24, GST_VIDEO_FORMAT_I420_10LE,
  GST_VIDEO_FORMAT_I422_10LE, GST_VIDEO_FORMAT_Y444_10LE, GST_VIDEO_FORMAT_I420_12LE,
  GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_AYUV,
  GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_RGB16,
  GST_VIDEO_FORMAT_GBR, GST_VIDEO_FORMAT_v210, GST_VIDEO_FORMAT_A420, GST_VIDEO_FORMAT_GRAY8 };

/* The same scene in every format and at every scale gives the same picture. */
static void
test_formats (void)
{
  static const gint sizes[][2] = { { 320, 180 }, { 640, 360 }, { 161, 91 } };

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    gboolean rgb = gst_video_format_get_info (formats[f])->flags & GST_VIDEO_FORMAT_FLAG_RGB;
    GstVideoInfo in = make_info (formats[f], 320, 180, rgb ? "sRGB" : "bt709");
    g_autoptr (GstBuffer) from = make_pattern (&in);

    for (guint s = 0; s < G_N_ELEMENTS (sizes); s++) {
      GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, sizes[s][0], sizes[s][1], "bt709");
      g_autoptr (GstBuffer) mine =
          frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_FILL, 0xff000000, &out);
      g_autoptr (GstBuffer) theirs = convert_with_gstreamer (from, &in, 0, 0, 320, 180, &out);

      g_test_message ("%s to %dx%d", GST_VIDEO_INFO_NAME (&in), sizes[s][0], sizes[s][1]);
      assert_alike (mine, theirs, &out, 40);
    }
  }
}

static void
test_cover_is_a_crop (void)
{
  GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, 640, 360, "bt709");
  GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, 360, 640, "bt709");
  g_autoptr (GstBuffer) from = make_pattern (&in);
  g_autoptr (GstBuffer) mine =
      frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_COVER, 0xff000000, &out);
  g_autoptr (GstBuffer) theirs = convert_with_gstreamer (from, &in, 219, 0, 202, 360, &out);

  assert_alike (mine, theirs, &out, 40);
}

static void
test_bars (void)
{
  GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, 320, 180, "bt709");
  GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, 320, 320, "bt709");
  g_autoptr (GstBuffer) from = make_pattern (&in);
  g_autoptr (GstBuffer) mine =
      frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_CONTAIN, 0xffe91e63, &out);
  g_autoptr (GstBuffer) blurred =
      frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_CONTAIN_BLUR, 0xffe91e63, &out);
  gdouble mean = 0;

  /* #E91E63 in BT.709: Y 0.3083, Cb +0.043, Cr +0.385 */
  for (gint y = 0; y < 320; y += 319) {
    g_assert_cmpint (ABS (sample_at (mine, &out, 0, 7, y) - 84), <=, 1);
    g_assert_cmpint (ABS (sample_at (mine, &out, 1, 3, y / 2) - 138), <=, 1);
    g_assert_cmpint (ABS (sample_at (mine, &out, 2, 3, y / 2) - 214), <=, 1);
  }
  for (gint y = 0; y < 180; y++)
    g_assert_cmpint (sample_at (mine, &out, 0, 100, 70 + y), ==, sample_at (from, &in, 0, 100, y));
  /* the picture itself is the same upon a backdrop, which is as bright as the picture */
  for (gint y = 0; y < 180; y++)
    g_assert_cmpint (
        sample_at (blurred, &out, 0, 100, 70 + y), ==, sample_at (from, &in, 0, 100, y));
  for (gint x = 0; x < 320; x++)
    mean += sample_at (blurred, &out, 0, x, 30) / 320.0;
  g_assert_cmpfloat (mean, >, 60);
  g_assert_cmpfloat (mean, <, 190);
  for (gint x = 1; x < 320; x++)
    g_assert_cmpint (
        ABS (sample_at (blurred, &out, 0, x, 30) - sample_at (blurred, &out, 0, x - 1, 30)), <=, 4);
}

/* ---- turning ---- */

static void
turned_from (GstVideoOrientationMethod o, gint w, gint h, gint x, gint y, gint *sx, gint *sy)
{
  /* which stored pixel stands at x, y of the upright picture, w by h */
  switch (o) {
    case GST_VIDEO_ORIENTATION_90R:
      *sx = y, *sy = w - 1 - x;
      break;
    case GST_VIDEO_ORIENTATION_180:
      *sx = w - 1 - x, *sy = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      *sx = h - 1 - y, *sy = x;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      *sx = w - 1 - x, *sy = y;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      *sx = x, *sy = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      *sx = y, *sy = x;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      *sx = h - 1 - y, *sy = w - 1 - x;
      break;
    default:
      *sx = x, *sy = y;
      break;
  }
}

static void
test_turns (void)
{
  for (gint o = GST_VIDEO_ORIENTATION_IDENTITY; o <= GST_VIDEO_ORIENTATION_UR_LL; o++) {
    gboolean swap = o == GST_VIDEO_ORIENTATION_90R || o == GST_VIDEO_ORIENTATION_90L
                    || o == GST_VIDEO_ORIENTATION_UL_LR || o == GST_VIDEO_ORIENTATION_UR_LL;
    GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, 96, 64, "bt709");
    gint w = swap ? 64 : 96, h = swap ? 96 : 64;
    GstVideoInfo same = make_info (GST_VIDEO_FORMAT_I420, w, h, "bt709");
    GstVideoInfo large = make_info (GST_VIDEO_FORMAT_I420, 2 * w, 2 * h, "bt709");
    GstVideoInfo little = make_info (GST_VIDEO_FORMAT_I420, w / 2, h / 2, "bt709");
    g_autoptr (GstBuffer) from = make_pattern (&in);
    g_autoptr (GstBuffer) upright =
        frame_it (from, &in, (GstVideoOrientationMethod) o, WEFT_FIT_FILL, 0, &same);
    g_autoptr (GstBuffer) upright_large =
        frame_it (from, &in, (GstVideoOrientationMethod) o, WEFT_FIT_FILL, 0, &large);
    g_autoptr (GstBuffer) upright_little =
        frame_it (from, &in, (GstVideoOrientationMethod) o, WEFT_FIT_FILL, 0, &little);
    g_autoptr (GstBuffer) large_after = convert_with_gstreamer (upright, &same, 0, 0, w, h, &large);
    g_autoptr (GstBuffer) little_after =
        convert_with_gstreamer (upright, &same, 0, 0, w, h, &little);

    g_test_message ("orientation %d", o);
    for (gint y = 0; y < h; y++) {
      for (gint x = 0; x < w; x++) {
        gint sx, sy;
        turned_from ((GstVideoOrientationMethod) o, w, h, x, y, &sx, &sy);
        g_assert_cmpint (sample_at (upright, &same, 0, x, y), ==, sample_at (from, &in, 0, sx, sy));
      }
    }
    assert_alike (upright_large, large_after, &large, 38);
    assert_alike (upright_little, little_after, &little, 36);
  }
}

/* ---- colours ---- */

static void
to_rgb (const gchar *colorimetry, const gdouble yuv[3], gdouble rgb[3])
{
  GstVideoColorimetry c;
  gdouble kr, kb, y, u, v;
  gboolean full;

  g_assert_true (gst_video_colorimetry_from_string (&c, colorimetry));
  gst_video_color_matrix_get_Kr_Kb (c.matrix, &kr, &kb);
  full = c.range == GST_VIDEO_COLOR_RANGE_0_255;
  y = full ? yuv[0] / 255 : (yuv[0] - 16) / 219;
  u = (yuv[1] - 128) / (full ? 255 : 224);
  v = (yuv[2] - 128) / (full ? 255 : 224);
  rgb[0] = y + 2 * (1 - kr) * v;
  rgb[2] = y + 2 * (1 - kb) * u;
  rgb[1] = (y - kr * rgb[0] - kb * rgb[2]) / (1 - kr - kb);
}

/* The colour that a viewer sees does not change, whatever it is written in. */
static void
test_colours (void)
{
  static const gchar *const from_colours[] = { "bt601", "bt709", "bt2020", "1:4:0:0", "1:3:5:1",
    "smpte240m" };
  static const gchar *const to_colours[] = { "bt709", "bt601", "1:4:0:0" };

  for (guint i = 0; i < G_N_ELEMENTS (from_colours); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (to_colours); j++) {
      GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, 64, 64, from_colours[i]);
      GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, 96, 96, to_colours[j]);

      for (gint k = 0; k < 27; k++) {
        gdouble source[3] = { 90 + k % 3 * 35, 105 + k / 3 % 3 * 23, 105 + k / 9 * 23 };
        gdouble wanted[3], got[3], yuv[3];
        g_autoptr (GstBuffer) from = gst_buffer_new_allocate (NULL, in.size, NULL);
        g_autoptr (GstBuffer) to = NULL;

        for (guint p = 0; p < 3; p++)
          gst_buffer_memset (from, in.offset[p], (guint8) source[p],
              p == 0 ? 64 * 64 : (gsize) (in.stride[p] * 32));
        to = frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_FILL, 0, &out);
        for (guint p = 0; p < 3; p++)
          yuv[p] = sample_at (to, &out, p, 20, 20);
        to_rgb (from_colours[i], source, wanted);
        to_rgb (to_colours[j], yuv, got);
        for (guint p = 0; p < 3; p++)
          g_assert_cmpfloat_with_epsilon (got[p], wanted[p], 1.6 / 219);
      }
    }
  }
}

static void
test_alpha (void)
{
  GstVideoInfo in = make_info (GST_VIDEO_FORMAT_ARGB, 64, 64, "sRGB");
  GstVideoInfo out = make_info (GST_VIDEO_FORMAT_I420, 64, 64, "bt709");
  g_autoptr (GstBuffer) from = gst_buffer_new_allocate (NULL, in.size, NULL);
  g_autoptr (GstBuffer) to = NULL;
  GstMapInfo map;

  /* left half opaque white, right half clear, on green */
  gst_buffer_map (from, &map, GST_MAP_WRITE);
  for (gint i = 0; i < 64 * 64; i++)
    memset (map.data + 4 * i, i % 64 < 32 ? 255 : 0, 4);
  gst_buffer_unmap (from, &map);
  to = frame_it (from, &in, GST_VIDEO_ORIENTATION_IDENTITY, WEFT_FIT_FILL, 0xff00ff00, &out);
  g_assert_cmpint (ABS (sample_at (to, &out, 0, 10, 30) - 235), <=, 1);
  g_assert_cmpint (ABS (sample_at (to, &out, 1, 5, 15) - 128), <=, 1);
  g_assert_cmpint (ABS (sample_at (to, &out, 0, 50, 30) - 173), <=, 1);
  g_assert_cmpint (ABS (sample_at (to, &out, 1, 25, 15) - 42), <=, 1);
}

/* Any size into any size, without a step aside (for the sanitizers) and with every pixel written.
 */
static void
test_odd_sizes (void)
{
  static const gint sizes[] = { 1, 2, 3, 17, 50, 99 };
  static const GstVideoFormat some[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_ARGB };

  for (guint f = 0; f < G_N_ELEMENTS (some); f++) {
    for (guint a = 0; a < 36; a++) {
      gboolean rgb = gst_video_format_get_info (some[f])->flags & GST_VIDEO_FORMAT_FLAG_RGB;
      GstVideoInfo in = make_info (some[f], sizes[a % 6], sizes[a / 6], rgb ? "sRGB" : "bt601");
      g_autoptr (GstBuffer) from = make_pattern (&in);

      for (guint b = 0; b < 36; b += 5) {
        GstVideoInfo out =
            make_info (GST_VIDEO_FORMAT_I420, sizes[b % 6] + 1, sizes[b / 6] + 1, "bt709");
        WeftFit fit = (WeftFit) ((a + b) % 5);
        GstVideoOrientationMethod o = (GstVideoOrientationMethod) ((a * 3 + b) % 8);
        g_autoptr (GstBuffer) once = frame_it (from, &in, o, fit, 0xff808080, &out);
        g_autoptr (GstBuffer) again = frame_it (from, &in, o, fit, 0xff808080, &out);

        for (guint c = 0; c < 3; c++)
          g_assert_cmpfloat (psnr (once, again, &out, c), ==, 99);
      }
    }
  }
}

static void
test_passthrough (void)
{
  GstVideoInfo in = make_info (GST_VIDEO_FORMAT_I420, 1080, 1920, "bt709");
  GstVideoInfo sd = make_info (GST_VIDEO_FORMAT_I420, 1080, 1920, "bt601");

  for (gint fit = WEFT_FIT_COVER; fit <= WEFT_FIT_CONTAIN_BLUR; fit++) {
    g_autoptr (WeftFraming) same =
        weft_framing_new (&in, GST_VIDEO_ORIENTATION_IDENTITY, (WeftFit) fit, 0, &in);
    g_autoptr (WeftFraming) other =
        weft_framing_new (&sd, GST_VIDEO_ORIENTATION_IDENTITY, (WeftFit) fit, 0, &in);
    g_autoptr (WeftFraming) turned =
        weft_framing_new (&in, GST_VIDEO_ORIENTATION_180, (WeftFit) fit, 0, &in);

    g_assert_true (weft_framing_is_passthrough (same));
    g_assert_false (weft_framing_is_passthrough (other));
    g_assert_false (weft_framing_is_passthrough (turned));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  GST_DEBUG_CATEGORY_INIT (weft_clips_debug, "weftclips", 0, "Weft: assembling clips");

  g_test_add_func ("/framing/layout", test_layout);
  g_test_add_func ("/framing/scaler/portable-is-same", test_scaler_portable_is_same);
  g_test_add_func ("/framing/scaler/keeps-flat", test_scaler_keeps_flat);
  g_test_add_func ("/framing/scaler/does-not-shift", test_scaler_does_not_shift);
  g_test_add_func ("/framing/formats", test_formats);
  g_test_add_func ("/framing/cover-is-a-crop", test_cover_is_a_crop);
  g_test_add_func ("/framing/bars", test_bars);
  g_test_add_func ("/framing/turns", test_turns);
  g_test_add_func ("/framing/colours", test_colours);
  g_test_add_func ("/framing/alpha", test_alpha);
  g_test_add_func ("/framing/odd-sizes", test_odd_sizes);
  g_test_add_func ("/framing/passthrough", test_passthrough);
  return g_test_run ();
}
