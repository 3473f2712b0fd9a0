/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftframing.h"

#include <libyuv.h>
#include <math.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

const gchar *const weft_fit_names[] = { "cover", "contain", "fill", "none", "contain-blur", NULL };

struct _WeftFraming {
  GstVideoInfo in;
  GstVideoInfo out;
  GstVideoOrientationMethod orientation;
  WeftFit fit;
  guint32 background;
  gboolean passthrough;

  WeftFramingLayout layout;
  GstVideoInfo scaled_info; /* the picture before it is turned */
  GstVideoConverter *converter;
  GstBuffer *scaled;
};

static gboolean
swaps_sides (GstVideoOrientationMethod orientation)
{
  return orientation == GST_VIDEO_ORIENTATION_90R || orientation == GST_VIDEO_ORIENTATION_90L
         || orientation == GST_VIDEO_ORIENTATION_UL_LR
         || orientation == GST_VIDEO_ORIENTATION_UR_LL;
}

static gint
round_even (gdouble v)
{
  return (gint) (2 * lround (v / 2));
}

/*
 * weft_framing_layout:
 *
 * Pure geometry. A destination that does not reach an edge of the output begins and ends on even
 * pixels, because chroma has half the resolution there.
 */
void
weft_framing_layout (WeftFit fit, const GstVideoInfo *in, GstVideoOrientationMethod orientation,
    const GstVideoInfo *out, WeftFramingLayout *layout)
{
  gboolean swap = swaps_sides (orientation);
  gdouble in_par = (gdouble) GST_VIDEO_INFO_PAR_N (in) / GST_VIDEO_INFO_PAR_D (in);
  gdouble out_par = (gdouble) GST_VIDEO_INFO_PAR_N (out) / GST_VIDEO_INFO_PAR_D (out);
  gint in_w = GST_VIDEO_INFO_WIDTH (in), in_h = GST_VIDEO_INFO_HEIGHT (in);
  gint out_w = GST_VIDEO_INFO_WIDTH (out), out_h = GST_VIDEO_INFO_HEIGHT (out);
  /* What the viewer sees, upright, in output pixels. */
  gdouble shown_w = swap ? in_h : in_w * in_par;
  gdouble shown_h = swap ? in_w * in_par : in_h;
  gdouble part_w = 1, part_h = 1; /* of the upright source */
  gdouble w = out_w, h = out_h;

  shown_w /= out_par;

  switch (fit) {
    case WEFT_FIT_COVER: {
      gdouble scale = MAX (out_w / shown_w, out_h / shown_h);
      part_w = MIN (1, out_w / (shown_w * scale));
      part_h = MIN (1, out_h / (shown_h * scale));
      break;
    }
    case WEFT_FIT_CONTAIN:
    case WEFT_FIT_CONTAIN_BLUR: {
      gdouble scale = MIN (out_w / shown_w, out_h / shown_h);
      w = shown_w * scale;
      h = shown_h * scale;
      break;
    }
    case WEFT_FIT_NONE:
      part_w = MIN (1, out_w / shown_w);
      part_h = MIN (1, out_h / shown_h);
      w = MIN (out_w, shown_w);
      h = MIN (out_h, shown_h);
      break;
    case WEFT_FIT_FILL:
    default:
      break;
  }

  layout->dst_w = w >= out_w - 1 ? out_w : CLAMP (round_even (w), 2, out_w);
  layout->dst_h = h >= out_h - 1 ? out_h : CLAMP (round_even (h), 2, out_h);
  layout->dst_x = layout->dst_w == out_w ? 0 : (out_w - layout->dst_w) / 2 & ~1;
  layout->dst_y = layout->dst_h == out_h ? 0 : (out_h - layout->dst_h) / 2 & ~1;

  if (swap) {
    gdouble t = part_w;
    part_w = part_h;
    part_h = t;
  }
  layout->src_w = in_w * part_w;
  layout->src_h = in_h * part_h;
  layout->src_x = (in_w - layout->src_w) / 2;
  layout->src_y = (in_h - layout->src_h) / 2;
}

/* A GstVideoConverter takes whole pixels only. */
static void
whole_pixels (gdouble start, gdouble length, gint limit, gint *out_start, gint *out_length)
{
  gint a = (gint) lround (start), b = (gint) lround (start + length);

  a = CLAMP (a, 0, limit - 1);
  b = CLAMP (b, a + 1, limit);
  *out_start = a;
  *out_length = b - a;
}

static GstVideoConverter *
make_converter (WeftFraming *self, const WeftFramingLayout *l, GstVideoInfo *out, gboolean in_place)
{
  gint x, y, w, h;
  GstStructure *config;

  whole_pixels (l->src_x, l->src_w, GST_VIDEO_INFO_WIDTH (&self->in), &x, &w);
  whole_pixels (l->src_y, l->src_h, GST_VIDEO_INFO_HEIGHT (&self->in), &y, &h);

  config = gst_structure_new ("framing", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, x,
      GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, y, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT,
      w, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, h,
      GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
      GST_VIDEO_RESAMPLER_METHOD_CUBIC, GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
      GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, GST_VIDEO_CONVERTER_OPT_BORDER_ARGB,
      G_TYPE_UINT, self->background, GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1u, NULL);
  if (in_place)
    gst_structure_set (config, GST_VIDEO_CONVERTER_OPT_DEST_X, G_TYPE_INT, l->dst_x,
        GST_VIDEO_CONVERTER_OPT_DEST_Y, G_TYPE_INT, l->dst_y, GST_VIDEO_CONVERTER_OPT_DEST_WIDTH,
        G_TYPE_INT, l->dst_w, GST_VIDEO_CONVERTER_OPT_DEST_HEIGHT, G_TYPE_INT, l->dst_h, NULL);
  return gst_video_converter_new (&self->in, out, config);
}

WeftFraming *
weft_framing_new (const GstVideoInfo *in, GstVideoOrientationMethod orientation, WeftFit fit,
    guint32 background_argb, const GstVideoInfo *out)
{
  WeftFraming *self = g_new0 (WeftFraming, 1);

  self->in = *in;
  self->out = *out;
  self->orientation = orientation;
  self->fit = fit;
  self->background = background_argb;
  weft_framing_layout (fit, in, orientation, out, &self->layout);

  /* The frame rate has no part in this. */
  self->in.fps_n = self->out.fps_n;
  self->in.fps_d = self->out.fps_d;
  self->passthrough = orientation == GST_VIDEO_ORIENTATION_IDENTITY
                      && GST_VIDEO_INFO_FORMAT (in) == GST_VIDEO_INFO_FORMAT (out)
                      && GST_VIDEO_INFO_WIDTH (in) == GST_VIDEO_INFO_WIDTH (out)
                      && GST_VIDEO_INFO_HEIGHT (in) == GST_VIDEO_INFO_HEIGHT (out)
                      && self->layout.dst_w == GST_VIDEO_INFO_WIDTH (out)
                      && self->layout.dst_h == GST_VIDEO_INFO_HEIGHT (out)
                      && self->layout.src_w == GST_VIDEO_INFO_WIDTH (in)
                      && self->layout.src_h == GST_VIDEO_INFO_HEIGHT (in)
                      && in->colorimetry.matrix == out->colorimetry.matrix
                      && in->colorimetry.range == out->colorimetry.range;
  if (self->passthrough)
    return self;

  if (orientation == GST_VIDEO_ORIENTATION_IDENTITY) {
    self->converter = make_converter (self, &self->layout, &self->out, TRUE);
  } else {
    gboolean swap = swaps_sides (orientation);

    gst_video_info_set_format (&self->scaled_info, GST_VIDEO_FORMAT_I420,
        (guint) (swap ? self->layout.dst_h : self->layout.dst_w),
        (guint) (swap ? self->layout.dst_w : self->layout.dst_h));
    self->scaled_info.colorimetry = out->colorimetry;
    self->scaled_info.chroma_site = out->chroma_site;
    self->scaled_info.fps_n = out->fps_n;
    self->scaled_info.fps_d = out->fps_d;
    self->scaled = gst_buffer_new_allocate (NULL, self->scaled_info.size, NULL);
    self->converter = make_converter (self, &self->layout, &self->scaled_info, FALSE);
  }
  return self;
}

void
weft_framing_free (WeftFraming *self)
{
  g_clear_pointer (&self->converter, gst_video_converter_free);
  gst_clear_buffer (&self->scaled);
  g_free (self);
}

gboolean
weft_framing_is_passthrough (const WeftFraming *self)
{
  return self->passthrough;
}

/* The background in the output's own Y'CbCr. */
static void
background_yuv (const GstVideoInfo *out, guint32 argb, guint8 yuv[3])
{
  gdouble kr = 0.2126, kb = 0.0722;
  gdouble r = (argb >> 16 & 0xff) / 255.0, g = (argb >> 8 & 0xff) / 255.0,
          b = (argb & 0xff) / 255.0;
  gdouble y, cb, cr;
  gboolean full = out->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;

  gst_video_color_matrix_get_Kr_Kb (out->colorimetry.matrix, &kr, &kb);
  y = kr * r + (1 - kr - kb) * g + kb * b;
  cb = (b - y) / (2 * (1 - kb));
  cr = (r - y) / (2 * (1 - kr));
  yuv[0] = (guint8) lround (full ? 255 * y : 16 + 219 * y);
  yuv[1] = (guint8) CLAMP (lround (128 + (full ? 255 : 224) * cb), 0, 255);
  yuv[2] = (guint8) CLAMP (lround (128 + (full ? 255 : 224) * cr), 0, 255);
}

/* Fills an I420 frame with one colour. */
void
weft_framing_fill (GstVideoFrame *out, guint32 background_argb)
{
  guint8 yuv[3];

  background_yuv (&out->info, background_argb, yuv);
  I420Rect (GST_VIDEO_FRAME_PLANE_DATA (out, 0), GST_VIDEO_FRAME_PLANE_STRIDE (out, 0),
      GST_VIDEO_FRAME_PLANE_DATA (out, 1), GST_VIDEO_FRAME_PLANE_STRIDE (out, 1),
      GST_VIDEO_FRAME_PLANE_DATA (out, 2), GST_VIDEO_FRAME_PLANE_STRIDE (out, 2), 0, 0,
      GST_VIDEO_FRAME_WIDTH (out), GST_VIDEO_FRAME_HEIGHT (out), yuv[0], yuv[1], yuv[2]);
}

static void
turn_plane (const guint8 *src, gint src_stride, guint8 *dst, gint dst_stride, gint w, gint h,
    GstVideoOrientationMethod orientation)
{
  /* libyuv flips vertically where a height is negative. */
  switch (orientation) {
    case GST_VIDEO_ORIENTATION_90R:
      RotatePlane (src, src_stride, dst, dst_stride, w, h, kRotate90);
      break;
    case GST_VIDEO_ORIENTATION_180:
      RotatePlane (src, src_stride, dst, dst_stride, w, h, kRotate180);
      break;
    case GST_VIDEO_ORIENTATION_90L:
      RotatePlane (src, src_stride, dst, dst_stride, w, h, kRotate270);
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      MirrorPlane (src, src_stride, dst, dst_stride, w, h);
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      CopyPlane (src, src_stride, dst, dst_stride, w, -h);
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      RotatePlane (src, src_stride, dst, dst_stride, w, -h, kRotate90);
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      RotatePlane (src, src_stride, dst, dst_stride, w, -h, kRotate270);
      break;
    default:
      CopyPlane (src, src_stride, dst, dst_stride, w, h);
      break;
  }
}

static void
turn (WeftFraming *self, GstVideoFrame *scaled, GstVideoFrame *out)
{
  for (guint p = 0; p < 3; p++) {
    gint shift = p == 0 ? 0 : 1;
    guint8 *dst = GST_VIDEO_FRAME_PLANE_DATA (out, p);

    dst += (self->layout.dst_y >> shift) * GST_VIDEO_FRAME_PLANE_STRIDE (out, p)
           + (self->layout.dst_x >> shift);
    turn_plane (GST_VIDEO_FRAME_PLANE_DATA (scaled, p), GST_VIDEO_FRAME_PLANE_STRIDE (scaled, p),
        dst, GST_VIDEO_FRAME_PLANE_STRIDE (out, p), GST_VIDEO_FRAME_COMP_WIDTH (scaled, p),
        GST_VIDEO_FRAME_COMP_HEIGHT (scaled, p), self->orientation);
  }
}

/*
 * weft_framing_convert:
 * @in: a frame as announced to weft_framing_new()
 * @out: where the picture goes, every pixel of it
 */
void
weft_framing_convert (WeftFraming *self, const GstVideoFrame *in, GstVideoFrame *out)
{
  if (self->scaled == NULL) {
    gst_video_converter_frame (self->converter, in, out);
  } else {
    GstVideoFrame scaled;

    gst_video_frame_map (&scaled, &self->scaled_info, self->scaled, GST_MAP_READWRITE);
    gst_video_converter_frame (self->converter, in, &scaled);
    if (self->layout.dst_w != GST_VIDEO_FRAME_WIDTH (out)
        || self->layout.dst_h != GST_VIDEO_FRAME_HEIGHT (out))
      weft_framing_fill (out, self->background);
    turn (self, &scaled, out);
    gst_video_frame_unmap (&scaled);
  }
}
