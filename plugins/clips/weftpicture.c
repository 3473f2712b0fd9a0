/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftpicture.h"

#include <libyuv.h>
#include <string.h>

/* Rows begin where a vector register likes it. */
#define ROW_ALIGN 64

static void
set_chroma_size (WeftPicture *self)
{
  for (gint p = 1; p < 3; p++) {
    self->plane[p].width = (self->plane[0].width + self->sub_x) >> self->sub_x;
    self->plane[p].height = (self->plane[0].height + self->sub_y) >> self->sub_y;
  }
}

/* The shape of a frame of @info, without memory. */
void
weft_picture_init (WeftPicture *self, const GstVideoInfo *info)
{
  const GstVideoFormatInfo *format = info->finfo;
  GstVideoChromaSite site = info->chroma_site;

  memset (self, 0, sizeof *self);
  self->grey = GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format) < 3;
  self->plane[0].width = GST_VIDEO_INFO_WIDTH (info);
  self->plane[0].height = GST_VIDEO_INFO_HEIGHT (info);
  if (!self->grey) {
    self->sub_x = GST_VIDEO_FORMAT_INFO_W_SUB (format, 1);
    self->sub_y = GST_VIDEO_FORMAT_INFO_H_SUB (format, 1);
  }
  set_chroma_size (self);

  /* What does not say so is sited as MPEG-2 has it, but JPEG's (full range) as JPEG has it. */
  if (site == GST_VIDEO_CHROMA_SITE_UNKNOWN)
    site = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? GST_VIDEO_CHROMA_SITE_NONE
                                                                  : GST_VIDEO_CHROMA_SITE_MPEG2;
  self->chroma_x = self->sub_x && !(site & GST_VIDEO_CHROMA_SITE_H_COSITED) ? 1.0 : 0.5;
  self->chroma_y = self->sub_y && !(site & GST_VIDEO_CHROMA_SITE_V_COSITED) ? 1.0 : 0.5;
}

void
weft_picture_init_i420 (
    WeftPicture *self, gint width, gint height, gdouble chroma_x, gdouble chroma_y)
{
  memset (self, 0, sizeof *self);
  self->plane[0].width = width;
  self->plane[0].height = height;
  self->sub_x = self->sub_y = 1;
  self->chroma_x = chroma_x;
  self->chroma_y = chroma_y;
  set_chroma_size (self);
}

/* Memory of its own, given back by weft_picture_release(). */
void
weft_picture_allocate (WeftPicture *self)
{
  gsize total = 0, offset[3];
  guint8 *data;

  for (gint p = 0; p < 3; p++) {
    self->plane[p].stride = (self->plane[p].width + ROW_ALIGN - 1) & ~(ROW_ALIGN - 1);
    offset[p] = total;
    total += (gsize) self->plane[p].stride * (gsize) self->plane[p].height;
  }
  self->memory = data = g_aligned_alloc (total, 1, ROW_ALIGN);
  for (gint p = 0; p < 3; p++)
    self->plane[p].data = data + offset[p];
}

void
weft_picture_release (WeftPicture *self)
{
  g_clear_pointer (&self->memory, g_aligned_free);
  for (gint p = 0; p < 3; p++)
    self->plane[p].data = NULL;
}

/* Takes the planes of a mapped planar frame of the picture's shape. */
void
weft_picture_borrow (WeftPicture *self, GstVideoFrame *frame)
{
  for (guint p = 0; p < (self->grey ? 1u : 3u); p++) {
    self->plane[p].data = GST_VIDEO_FRAME_COMP_DATA (frame, p);
    self->plane[p].stride = GST_VIDEO_FRAME_COMP_STRIDE (frame, p);
  }
}

/* A rectangle of it; @x and @y are even where chroma is halved. */
WeftPicture
weft_picture_part (const WeftPicture *self, gint x, gint y, gint width, gint height)
{
  WeftPicture part = *self;

  part.plane[0].width = width;
  part.plane[0].height = height;
  set_chroma_size (&part);
  for (gint p = 0; p < 3; p++) {
    gint px = p == 0 ? x : x >> self->sub_x, py = p == 0 ? y : y >> self->sub_y;
    if (part.plane[p].data != NULL)
      part.plane[p].data += (gssize) py * part.plane[p].stride + px;
  }
  return part;
}

gboolean
weft_orientation_swaps_sides (GstVideoOrientationMethod orientation)
{
  return orientation == GST_VIDEO_ORIENTATION_90R || orientation == GST_VIDEO_ORIENTATION_90L
         || orientation == GST_VIDEO_ORIENTATION_UL_LR
         || orientation == GST_VIDEO_ORIENTATION_UR_LL;
}

/* Where chroma sample 0 comes to lie when the axis is turned round. */
static gdouble
mirrored_site (gdouble site, gint size, gint chroma_size, gint sub)
{
  return size - (gdouble) ((chroma_size - 1) << sub) - site;
}

/* The shape that @upright (still lying on its side, say) has after being turned. */
void
weft_picture_init_turned (
    WeftPicture *self, const WeftPicture *upright, GstVideoOrientationMethod orientation)
{
  const WeftPlane *luma = &upright->plane[0], *chroma = &upright->plane[1];
  gdouble x = upright->chroma_x, y = upright->chroma_y;
  gdouble mirrored_x = mirrored_site (x, luma->width, chroma->width, upright->sub_x);
  gdouble mirrored_y = mirrored_site (y, luma->height, chroma->height, upright->sub_y);
  gboolean swap = weft_orientation_swaps_sides (orientation);

  memset (self, 0, sizeof *self);
  self->grey = upright->grey;
  self->plane[0].width = swap ? luma->height : luma->width;
  self->plane[0].height = swap ? luma->width : luma->height;
  self->sub_x = swap ? upright->sub_y : upright->sub_x;
  self->sub_y = swap ? upright->sub_x : upright->sub_y;
  set_chroma_size (self);

  switch (orientation) {
    case GST_VIDEO_ORIENTATION_90R:
      self->chroma_x = mirrored_y;
      self->chroma_y = x;
      break;
    case GST_VIDEO_ORIENTATION_180:
      self->chroma_x = mirrored_x;
      self->chroma_y = mirrored_y;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      self->chroma_x = y;
      self->chroma_y = mirrored_x;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      self->chroma_x = mirrored_x;
      self->chroma_y = y;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      self->chroma_x = x;
      self->chroma_y = mirrored_y;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      self->chroma_x = y;
      self->chroma_y = x;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      self->chroma_x = mirrored_y;
      self->chroma_y = mirrored_x;
      break;
    default:
      self->chroma_x = x;
      self->chroma_y = y;
      break;
  }
}

static void
turn_plane (const WeftPlane *src, const WeftPlane *dst, GstVideoOrientationMethod orientation)
{
  gint w = src->width, h = src->height;

  /* libyuv turns the picture upside down first where a height is negative. */
  switch (orientation) {
    case GST_VIDEO_ORIENTATION_90R:
      RotatePlane (src->data, src->stride, dst->data, dst->stride, w, h, kRotate90);
      break;
    case GST_VIDEO_ORIENTATION_180:
      RotatePlane (src->data, src->stride, dst->data, dst->stride, w, h, kRotate180);
      break;
    case GST_VIDEO_ORIENTATION_90L:
      RotatePlane (src->data, src->stride, dst->data, dst->stride, w, h, kRotate270);
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      MirrorPlane (src->data, src->stride, dst->data, dst->stride, w, h);
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      CopyPlane (src->data, src->stride, dst->data, dst->stride, w, -h);
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      RotatePlane (src->data, src->stride, dst->data, dst->stride, w, -h, kRotate90);
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      RotatePlane (src->data, src->stride, dst->data, dst->stride, w, -h, kRotate270);
      break;
    default:
      CopyPlane (src->data, src->stride, dst->data, dst->stride, w, h);
      break;
  }
}

/* @dst has the shape that weft_picture_init_turned() says. */
void
weft_picture_turn (
    const WeftPicture *src, const WeftPicture *dst, GstVideoOrientationMethod orientation)
{
  for (gint p = 0; p < (src->grey ? 1 : 3); p++)
    turn_plane (&src->plane[p], &dst->plane[p], orientation);
}

void
weft_picture_fill (const WeftPicture *self, const guint8 yuv[3])
{
  for (gint p = 0; p < 3; p++) {
    if (self->plane[p].width > 0 && self->plane[p].height > 0)
      SetPlane (self->plane[p].data, self->plane[p].stride, self->plane[p].width,
          self->plane[p].height, yuv[p]);
  }
}

/* Means of 2·@radius + 1 samples along a line whose ends go on. */
static void
blur_line (guint8 *data, gint step, gint n, gint radius, guint8 *copy)
{
  gint window = 2 * radius + 1, sum = 0;

  for (gint i = 0; i < n; i++)
    copy[i] = data[(gssize) i * step];
  for (gint i = -radius; i <= radius; i++)
    sum += copy[CLAMP (i, 0, n - 1)];
  for (gint i = 0; i < n; i++) {
    data[(gssize) i * step] = (guint8) ((sum + window / 2) / window);
    sum += copy[MIN (i + radius + 1, n - 1)] - copy[MAX (i - radius, 0)];
  }
}

/* Two box blurs each way, which is near enough to a Gaussian. For small pictures. */
void
weft_picture_blur (const WeftPicture *self, gint radius)
{
  g_autofree guint8 *copy = g_malloc ((gsize) MAX (self->plane[0].width, self->plane[0].height));

  for (gint pass = 0; pass < 2; pass++) {
    for (gint p = 0; p < 3; p++) {
      const WeftPlane *plane = &self->plane[p];
      gint r = p > 0 && self->sub_x ? (radius + 1) / 2 : radius;

      for (gint y = 0; y < plane->height; y++)
        blur_line (plane->data + (gssize) y * plane->stride, 1, plane->width, r, copy);
      for (gint x = 0; x < plane->width; x++)
        blur_line (plane->data + x, plane->stride, plane->height, r, copy);
    }
  }
}
