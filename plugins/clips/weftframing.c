/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftFraming: a picture of any kind in, an I420 picture of the timeline's size and colours out.
 *
 *   1. native   8-bit Y'CbCr planes at the source's resolution, of the part that is needed. Planar
 *               8-bit sources are used as they are; NV12 is split, more bits are rounded to 8, and
 *               what is left (RGB, packed, palettes) goes through a GstVideoConverter.
 *   2. turn     rotation and mirroring, on the smaller side of the scale
 *   3. scale    the cropped part only, with the colour range changed on the way
 *   4. colours  the matrix, where it differs
 *   5. frame    bars, or a blurred backdrop, where the picture does not reach
 *
 * An instance belongs to one streaming thread and keeps its temporary planes.
 */
#include "weftframing.h"

#include <libyuv.h>
#include <math.h>
#include <string.h>

#include "weftbackdrop.h"
#include "weftcolour.h"
#include "weftpicture.h"
#include "weftscaler.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Luma samples around the cropped part that the scaler's filter may look at, for each one that
 * it steps. Even. */
#define FILTER_MARGIN 4

/* From here on a picture whose colours are not described is taken for HD. */
#define HD_WIDTH 1280
#define SD_HEIGHT 576

const gchar *const weft_fit_names[] = { "cover", "contain", "fill", "none", "contain-blur", NULL };

typedef enum {
  NATIVE_AS_IS,
  NATIVE_SPLIT,   /* chroma interleaved */
  NATIVE_REDUCED, /* more than 8 bits */
  NATIVE_CONVERTED,
  NATIVE_BLENDED, /* has alpha */
} Native;

struct _WeftFraming {
  GstVideoInfo in, out;
  GstVideoOrientationMethod orientation;
  WeftFit fit;
  guint32 background_argb;
  guint8 background[3];
  gboolean passthrough;
  WeftFramingLayout layout;

  Native kind;
  gint part_x, part_y, part_w, part_h; /* of the source that is needed; even */
  WeftPicture native;                  /* of that part */
  GstVideoConverter *converter;
  GstVideoInfo converted_info;
  GstBuffer *converted;

  gboolean recolours_first; /* with the matrix, into the next */
  WeftPicture recoloured;
  gboolean turns_first;
  gboolean turns_last;
  WeftPicture turned; /* after the one, before the other */
  WeftPicture target; /* the shape that the scalers fill */
  WeftScaler *scaler[3];
  WeftColourChange colours;
  WeftBackdrop *backdrop;
};

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
  gboolean swap = weft_orientation_swaps_sides (orientation);
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

/* ---- putting the stages together ---- */

static Native
choose_native (const GstVideoInfo *info)
{
  const GstVideoFormatInfo *f = info->finfo;
  gint depth = GST_VIDEO_FORMAT_INFO_DEPTH (f, 0);
  gboolean native_endian = !GST_VIDEO_FORMAT_INFO_IS_LE (f) == (G_BYTE_ORDER == G_BIG_ENDIAN);

  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (f))
    return NATIVE_BLENDED;
  switch (GST_VIDEO_FORMAT_INFO_FORMAT (f)) {
    case GST_VIDEO_FORMAT_I420:
    case GST_VIDEO_FORMAT_YV12:
    case GST_VIDEO_FORMAT_Y42B:
    case GST_VIDEO_FORMAT_Y444:
    case GST_VIDEO_FORMAT_GRAY8:
      return NATIVE_AS_IS;
    case GST_VIDEO_FORMAT_NV12:
    case GST_VIDEO_FORMAT_NV21:
    case GST_VIDEO_FORMAT_NV16:
    case GST_VIDEO_FORMAT_NV61:
    case GST_VIDEO_FORMAT_NV24:
      return NATIVE_SPLIT;
    default:
      break;
  }
  if (GST_VIDEO_FORMAT_INFO_IS_YUV (f) && !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (f) && native_endian
      && GST_VIDEO_FORMAT_INFO_N_PLANES (f) == 3 && depth > 8 && depth <= 16
      && GST_VIDEO_FORMAT_INFO_SHIFT (f, 0) == 0 && GST_VIDEO_FORMAT_INFO_PSTRIDE (f, 1) == 2
      && GST_VIDEO_FORMAT_INFO_W_SUB (f, 1) <= 1 && GST_VIDEO_FORMAT_INFO_H_SUB (f, 1) <= 1)
    return NATIVE_REDUCED;
  return NATIVE_CONVERTED;
}

/* The even rectangle around what the scaler looks at. */
static void
choose_part (WeftFraming *self)
{
  const WeftFramingLayout *l = &self->layout;
  gboolean swap = weft_orientation_swaps_sides (self->orientation);
  gdouble step_x = l->src_w / (swap ? l->dst_h : l->dst_w);
  gdouble step_y = l->src_h / (swap ? l->dst_w : l->dst_h);
  gint margin_x = FILTER_MARGIN * (gint) ceil (MAX (1, step_x));
  gint margin_y = FILTER_MARGIN * (gint) ceil (MAX (1, step_y));
  gint w = GST_VIDEO_INFO_WIDTH (&self->in), h = GST_VIDEO_INFO_HEIGHT (&self->in);
  gint x0 = 0, y0 = 0, x1 = w, y1 = h;

  /* A backdrop needs all of it, and what costs nothing need not be cut. */
  if (self->fit != WEFT_FIT_CONTAIN_BLUR
      && (self->kind != NATIVE_AS_IS || self->orientation != GST_VIDEO_ORIENTATION_IDENTITY)) {
    x0 = MAX (0, (gint) floor (l->src_x) - margin_x) & ~1;
    y0 = MAX (0, (gint) floor (l->src_y) - margin_y) & ~1;
    x1 = MIN (w, ((gint) ceil (l->src_x + l->src_w) + margin_x + 1) & ~1);
    y1 = MIN (h, ((gint) ceil (l->src_y + l->src_h) + margin_y + 1) & ~1);
  }
  self->part_x = x0;
  self->part_y = y0;
  self->part_w = x1 - x0;
  self->part_h = y1 - y0;
}

static void
make_converter (WeftFraming *self, GstVideoFormat format)
{
  GstVideoInfo *info = &self->converted_info;

  gst_video_info_set_format (info, format, (guint) self->part_w, (guint) self->part_h);
  info->colorimetry = self->out.colorimetry;
  info->chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
  info->fps_n = self->in.fps_n;
  info->fps_d = self->in.fps_d;
  self->converted = gst_buffer_new_allocate (NULL, info->size, NULL);
  self->converter = gst_video_converter_new (&self->in, info,
      gst_structure_new ("framing", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, self->part_x,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, self->part_y,
          GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, self->part_w,
          GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, self->part_h,
          GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
          GST_VIDEO_DITHER_NONE, NULL));
}

static void
prepare_native (WeftFraming *self)
{
  GstVideoColorimetry from = self->in.colorimetry;

  weft_picture_init (&self->native, &self->in);
  self->native = weft_picture_part (&self->native, 0, 0, self->part_w, self->part_h);
  switch (self->kind) {
    case NATIVE_CONVERTED:
      make_converter (self, GST_VIDEO_FORMAT_I420);
      weft_picture_init (&self->native, &self->converted_info);
      from = self->out.colorimetry;
      break;
    case NATIVE_BLENDED:
      make_converter (self, GST_VIDEO_FORMAT_AYUV);
      weft_picture_init_i420 (&self->native, self->part_w, self->part_h, 1.0, 1.0);
      weft_picture_allocate (&self->native);
      from = self->out.colorimetry;
      break;
    case NATIVE_SPLIT:
    case NATIVE_REDUCED:
      weft_picture_allocate (&self->native);
      break;
    case NATIVE_AS_IS:
    default:
      break;
  }
  weft_colour_change_init (&self->colours, &from, &self->out.colorimetry);
}

/* Where a part of the picture comes to lie when the picture is turned. */
static void
turn_part (gdouble part[4], gint width, gint height, GstVideoOrientationMethod orientation)
{
  gdouble x = part[0], y = part[1], w = part[2], h = part[3];
  gdouble from_right = width - x - w, from_bottom = height - y - h;
  gboolean swap = weft_orientation_swaps_sides (orientation);

  part[2] = swap ? h : w;
  part[3] = swap ? w : h;
  switch (orientation) {
    case GST_VIDEO_ORIENTATION_90R:
      part[0] = from_bottom;
      part[1] = x;
      break;
    case GST_VIDEO_ORIENTATION_180:
      part[0] = from_right;
      part[1] = from_bottom;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      part[0] = y;
      part[1] = from_right;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      part[0] = from_right;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      part[1] = from_bottom;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      part[0] = y;
      part[1] = x;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      part[0] = from_bottom;
      part[1] = from_right;
      break;
    default:
      break;
  }
}

static GstVideoOrientationMethod
turn_back (GstVideoOrientationMethod orientation)
{
  if (orientation == GST_VIDEO_ORIENTATION_90R)
    return GST_VIDEO_ORIENTATION_90L;
  if (orientation == GST_VIDEO_ORIENTATION_90L)
    return GST_VIDEO_ORIENTATION_90R;
  return orientation;
}

/* An axis of a plane; a site says where sample 0 lies, in luma samples. */
static WeftScalerAxis
plane_axis (gint src_size, gint src_sub, gdouble src_site, gdouble start, gdouble step, gint size,
    gint sub, gdouble site)
{
  WeftScalerAxis axis = { .source_size = src_size, .size = size };

  axis.step = step * (1 << sub) / (1 << src_sub);
  axis.start = (start + site * step - src_site) / (1 << src_sub) + 0.5 - 0.5 * axis.step;
  return axis;
}

static void
make_scalers (WeftFraming *self, const WeftPicture *src, const gdouble part[4])
{
  const WeftPicture *dst = &self->target;
  gdouble step_x = part[2] / dst->plane[0].width, step_y = part[3] / dst->plane[0].height;

  for (gint p = 0; p < (src->grey ? 1 : 3); p++) {
    gboolean chroma = p > 0;
    WeftScalerAxis h = plane_axis (src->plane[p].width, chroma ? src->sub_x : 0,
        chroma ? src->chroma_x : 0.5, part[0], step_x, dst->plane[p].width, chroma ? dst->sub_x : 0,
        chroma ? dst->chroma_x : 0.5);
    WeftScalerAxis v = plane_axis (src->plane[p].height, chroma ? src->sub_y : 0,
        chroma ? src->chroma_y : 0.5, part[1], step_y, dst->plane[p].height,
        chroma ? dst->sub_y : 0, chroma ? dst->chroma_y : 0.5);
    self->scaler[p] =
        weft_scaler_new (&h, &v, chroma ? self->colours.chroma_gain : self->colours.luma_gain,
            chroma ? self->colours.chroma_offset : self->colours.luma_offset);
  }
}

/* The matrix is applied where there are fewer pixels. A backdrop wants the source as it is. */
static void
prepare_recolouring (WeftFraming *self)
{
  gint64 before = (gint64) self->part_w * self->part_h;
  gint64 after = (gint64) self->layout.dst_w * self->layout.dst_h;

  self->recolours_first = before < after && self->fit != WEFT_FIT_CONTAIN_BLUR
                          && weft_colour_change_can_copy (&self->colours, &self->native);
  if (!self->recolours_first)
    return;
  weft_picture_init_i420 (
      &self->recoloured, self->part_w, self->part_h, self->native.chroma_x, self->native.chroma_y);
  weft_picture_allocate (&self->recoloured);
}

static void
prepare_geometry (WeftFraming *self)
{
  const WeftFramingLayout *l = &self->layout;
  gdouble part[4] = { l->src_x - self->part_x, l->src_y - self->part_y, l->src_w, l->src_h };
  const WeftPicture *src = &self->native;
  WeftPicture out;

  weft_picture_init (&out, &self->out);
  out = weft_picture_part (&out, l->dst_x, l->dst_y, l->dst_w, l->dst_h);
  self->target = out;

  if (self->orientation != GST_VIDEO_ORIENTATION_IDENTITY) {
    gboolean shrinks = (gint64) self->part_w * self->part_h > (gint64) l->dst_w * l->dst_h;

    self->turns_last = shrinks && self->fit != WEFT_FIT_CONTAIN_BLUR;
    self->turns_first = !self->turns_last;
    if (self->turns_first) {
      weft_picture_init_turned (&self->turned, &self->native, self->orientation);
      turn_part (part, self->part_w, self->part_h, self->orientation);
      src = &self->turned;
    } else {
      weft_picture_init_turned (&self->turned, &out, turn_back (self->orientation));
      self->target = self->turned;
    }
    weft_picture_allocate (&self->turned);
    if (self->turns_last)
      self->target = self->turned;
  }
  make_scalers (self, src, part);
  prepare_recolouring (self);

  if (self->fit == WEFT_FIT_CONTAIN_BLUR
      && (l->dst_w < GST_VIDEO_INFO_WIDTH (&self->out)
          || l->dst_h < GST_VIDEO_INFO_HEIGHT (&self->out))) {
    WeftFramingLayout cover;
    gdouble all[4];

    weft_framing_layout (WEFT_FIT_COVER, &self->in, self->orientation, &self->out, &cover);
    all[0] = cover.src_x;
    all[1] = cover.src_y;
    all[2] = cover.src_w;
    all[3] = cover.src_h;
    turn_part (all, self->part_w, self->part_h, self->orientation);
    weft_picture_init (&out, &self->out);
    self->backdrop = weft_backdrop_new (src, all, &self->colours, &out);
  }
}

static gboolean
is_untouched (const WeftFraming *self)
{
  const GstVideoInfo *in = &self->in, *out = &self->out;
  const WeftFramingLayout *l = &self->layout;

  return self->orientation == GST_VIDEO_ORIENTATION_IDENTITY
         && GST_VIDEO_INFO_FORMAT (in) == GST_VIDEO_INFO_FORMAT (out)
         && GST_VIDEO_INFO_WIDTH (in) == GST_VIDEO_INFO_WIDTH (out)
         && GST_VIDEO_INFO_HEIGHT (in) == GST_VIDEO_INFO_HEIGHT (out)
         && l->dst_w == GST_VIDEO_INFO_WIDTH (out) && l->dst_h == GST_VIDEO_INFO_HEIGHT (out)
         && l->src_w == GST_VIDEO_INFO_WIDTH (in) && l->src_h == GST_VIDEO_INFO_HEIGHT (in)
         && in->colorimetry.matrix == out->colorimetry.matrix
         && in->colorimetry.range == out->colorimetry.range;
}

/* What is not said is as usual: RGB goes from 0 to 255, SD is BT.601 and HD is BT.709. */
static void
settle_colorimetry (GstVideoInfo *info)
{
  GstVideoColorimetry *c = &info->colorimetry;
  gboolean rgb = GST_VIDEO_INFO_IS_RGB (info);

  if (c->range == GST_VIDEO_COLOR_RANGE_UNKNOWN)
    c->range = rgb ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  if (rgb)
    c->matrix = GST_VIDEO_COLOR_MATRIX_RGB;
  else if (c->matrix == GST_VIDEO_COLOR_MATRIX_UNKNOWN || c->matrix == GST_VIDEO_COLOR_MATRIX_RGB)
    c->matrix = GST_VIDEO_INFO_WIDTH (info) >= HD_WIDTH || GST_VIDEO_INFO_HEIGHT (info) > SD_HEIGHT
                    ? GST_VIDEO_COLOR_MATRIX_BT709
                    : GST_VIDEO_COLOR_MATRIX_BT601;
}

/*
 * Like gst_video_info_from_caps(), which forgets a known range where the matrix is not known; H.264
 * of phones says just that.
 */
gboolean
weft_framing_info_from_caps (GstVideoInfo *info, const GstCaps *caps)
{
  GstVideoColorimetry said;
  const gchar *text;

  if (!gst_video_info_from_caps (info, caps))
    return FALSE;
  text = gst_structure_get_string (gst_caps_get_structure (caps, 0), "colorimetry");
  if (text != NULL && gst_video_colorimetry_from_string (&said, text)
      && said.range != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    info->colorimetry.range = said.range;
  return TRUE;
}

/*
 * weft_framing_new:
 * @in: what frames will be like
 * @orientation: how they have to be turned to stand upright
 * @background_argb: the colour of bars and of what shines through
 * @out: I420
 */
WeftFraming *
weft_framing_new (const GstVideoInfo *in, GstVideoOrientationMethod orientation, WeftFit fit,
    guint32 background_argb, const GstVideoInfo *out)
{
  WeftFraming *self = g_new0 (WeftFraming, 1);

  self->in = *in;
  self->out = *out;
  self->orientation =
      orientation > GST_VIDEO_ORIENTATION_UR_LL ? GST_VIDEO_ORIENTATION_IDENTITY : orientation;
  self->fit = fit;
  self->background_argb = background_argb;
  settle_colorimetry (&self->in);
  settle_colorimetry (&self->out);
  weft_colour_from_argb (background_argb, &self->out.colorimetry, self->background);
  weft_framing_layout (fit, &self->in, self->orientation, &self->out, &self->layout);

  self->passthrough = is_untouched (self);
  if (!self->passthrough) {
    self->kind = choose_native (&self->in);
    choose_part (self);
    prepare_native (self);
    prepare_geometry (self);
  }
  GST_DEBUG ("%s %dx%d orientation %d → %dx%d: %s from %.2f,%.2f %.2fx%.2f to %d,%d %dx%d, kind %d",
      GST_VIDEO_INFO_NAME (in), GST_VIDEO_INFO_WIDTH (in), GST_VIDEO_INFO_HEIGHT (in), orientation,
      GST_VIDEO_INFO_WIDTH (out), GST_VIDEO_INFO_HEIGHT (out),
      self->passthrough ? "untouched" : weft_fit_names[fit], self->layout.src_x, self->layout.src_y,
      self->layout.src_w, self->layout.src_h, self->layout.dst_x, self->layout.dst_y,
      self->layout.dst_w, self->layout.dst_h, self->kind);
  return self;
}

void
weft_framing_free (WeftFraming *self)
{
  weft_picture_release (&self->native);
  weft_picture_release (&self->recoloured);
  weft_picture_release (&self->turned);
  g_clear_pointer (&self->converter, gst_video_converter_free);
  gst_clear_buffer (&self->converted);
  for (gint p = 0; p < 3; p++)
    g_clear_pointer (&self->scaler[p], weft_scaler_free);
  g_clear_pointer (&self->backdrop, weft_backdrop_free);
  g_free (self);
}

/* Whether frames may be used as they are. */
gboolean
weft_framing_is_passthrough (const WeftFraming *self)
{
  return self->passthrough;
}

/* Fills an I420 frame with one colour. */
void
weft_framing_fill (GstVideoFrame *out, guint32 background_argb)
{
  WeftPicture picture;
  guint8 yuv[3];

  weft_colour_from_argb (background_argb, &out->info.colorimetry, yuv);
  weft_picture_init (&picture, &out->info);
  weft_picture_borrow (&picture, out);
  weft_picture_fill (&picture, yuv);
}

/* ---- frames ---- */

static const guint8 *
part_of_component (const WeftFraming *self, const GstVideoFrame *in, guint component)
{
  const GstVideoFormatInfo *f = in->info.finfo;
  gint x = self->part_x >> GST_VIDEO_FORMAT_INFO_W_SUB (f, component);
  gint y = self->part_y >> GST_VIDEO_FORMAT_INFO_H_SUB (f, component);

  return (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (in, component)
         + (gssize) y * GST_VIDEO_FRAME_COMP_STRIDE (in, component)
         + (gssize) x * GST_VIDEO_FRAME_COMP_PSTRIDE (in, component);
}

static void
borrow_part (WeftFraming *self, const GstVideoFrame *in)
{
  for (guint p = 0; p < (self->native.grey ? 1u : 3u); p++) {
    self->native.plane[p].data = (guint8 *) part_of_component (self, in, p);
    self->native.plane[p].stride = GST_VIDEO_FRAME_COMP_STRIDE (in, p);
  }
}

static void
split_part (WeftFraming *self, const GstVideoFrame *in)
{
  WeftPlane *cb = &self->native.plane[1], *cr = &self->native.plane[2];
  gboolean cb_first = GST_VIDEO_INFO_COMP_POFFSET (&in->info, 1) == 0;
  const guint8 *pairs = part_of_component (self, in, cb_first ? 1 : 2);

  self->native.plane[0].data = (guint8 *) part_of_component (self, in, 0);
  self->native.plane[0].stride = GST_VIDEO_FRAME_COMP_STRIDE (in, 0);
  SplitUVPlane (pairs, GST_VIDEO_FRAME_COMP_STRIDE (in, 1), cb_first ? cb->data : cr->data,
      cb->stride, cb_first ? cr->data : cb->data, cr->stride, cb->width, cb->height);
}

static void
reduce_part (WeftFraming *self, const GstVideoFrame *in)
{
  gint bits = GST_VIDEO_FRAME_COMP_DEPTH (in, 0);

  for (guint p = 0; p < 3; p++) {
    const WeftPlane *plane = &self->native.plane[p];
    const guint8 *src = part_of_component (self, in, p);

    for (gint y = 0; y < plane->height; y++)
      weft_colour_reduce_row (
          (const guint16 *) (src + (gssize) y * GST_VIDEO_FRAME_COMP_STRIDE (in, p)),
          plane->data + (gssize) y * plane->stride, plane->width, bits);
  }
}

static void
blend_part (WeftFraming *self, GstVideoFrame *ayuv)
{
  const WeftPlane *plane = self->native.plane;
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (ayuv, 0);
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (ayuv, 0);

  for (gint y = 0; y < self->part_h; y += 2) {
    gint next = MIN (y + 1, self->part_h - 1);
    weft_colour_blend_row (data + (gssize) y * stride, data + (gssize) next * stride,
        plane[0].data + (gssize) y * plane[0].stride,
        plane[0].data + (gssize) next * plane[0].stride,
        plane[1].data + (gssize) (y / 2) * plane[1].stride,
        plane[2].data + (gssize) (y / 2) * plane[2].stride, self->part_w, self->background);
  }
}

static void
scale (WeftFraming *self, const WeftPicture *src, const WeftPicture *dst)
{
  for (gint p = 0; p < 3; p++) {
    if (self->scaler[p] != NULL)
      weft_scaler_run (self->scaler[p], src->plane[p].data, src->plane[p].stride,
          dst->plane[p].data, dst->plane[p].stride);
    else
      SetPlane (
          dst->plane[p].data, dst->plane[p].stride, dst->plane[p].width, dst->plane[p].height, 128);
  }
  if (!self->recolours_first)
    weft_colour_change_apply (&self->colours, dst);
}

static void
fill_around (WeftFraming *self, const WeftPicture *out)
{
  const WeftFramingLayout *l = &self->layout;
  gint w = out->plane[0].width, h = out->plane[0].height;
  const gint bars[4][4] = {
    { 0, 0, w, l->dst_y },
    { 0, l->dst_y + l->dst_h, w, h - l->dst_y - l->dst_h },
    { 0, l->dst_y, l->dst_x, l->dst_h },
    { l->dst_x + l->dst_w, l->dst_y, w - l->dst_x - l->dst_w, l->dst_h },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bars); i++) {
    if (bars[i][2] > 0 && bars[i][3] > 0) {
      WeftPicture bar = weft_picture_part (out, bars[i][0], bars[i][1], bars[i][2], bars[i][3]);
      weft_picture_fill (&bar, self->background);
    }
  }
}

static void
frame_native (WeftFraming *self, const WeftPicture *src, GstVideoFrame *out_frame)
{
  const WeftFramingLayout *l = &self->layout;
  WeftPicture out, part;

  weft_picture_init (&out, &out_frame->info);
  weft_picture_borrow (&out, out_frame);
  part = weft_picture_part (&out, l->dst_x, l->dst_y, l->dst_w, l->dst_h);

  if (self->recolours_first) {
    weft_colour_change_copy (&self->colours, src, &self->recoloured);
    src = &self->recoloured;
  }
  if (self->turns_first) {
    weft_picture_turn (src, &self->turned, self->orientation);
    src = &self->turned;
  }
  if (self->backdrop != NULL)
    weft_backdrop_draw (self->backdrop, src, &out, l);
  else
    fill_around (self, &out);
  if (self->turns_last) {
    scale (self, src, &self->turned);
    weft_picture_turn (&self->turned, &part, self->orientation);
  } else {
    scale (self, src, &part);
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
  GstVideoFrame converted;

  switch (self->kind) {
    case NATIVE_AS_IS:
      borrow_part (self, in);
      break;
    case NATIVE_SPLIT:
      split_part (self, in);
      break;
    case NATIVE_REDUCED:
      reduce_part (self, in);
      break;
    case NATIVE_CONVERTED:
    case NATIVE_BLENDED:
    default:
      if (!gst_video_frame_map (
              &converted, &self->converted_info, self->converted, GST_MAP_READWRITE))
        return;
      gst_video_converter_frame (self->converter, in, &converted);
      if (self->kind == NATIVE_BLENDED)
        blend_part (self, &converted);
      else
        weft_picture_borrow (&self->native, &converted);
      frame_native (self, &self->native, out);
      gst_video_frame_unmap (&converted);
      return;
  }
  frame_native (self, &self->native, out);
}
