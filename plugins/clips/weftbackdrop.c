/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftBackdrop: a blurred copy of the picture that covers the frame, drawn only where the picture
 * itself does not reach.
 *
 * It is made small, blurred there and scaled up, so it costs little whatever the frame's size.
 */
#include "weftbackdrop.h"

#include <libyuv.h>
#include <math.h>

#include "weftscaler.h"

/* The small copy's longer side, and the blur's radius in it. */
#define SMALL_SIZE 96
#define BLUR_RADIUS 3

struct _WeftBackdrop {
  gint crop_x, crop_y, crop_w, crop_h;
  WeftColourChange colours;
  WeftPicture small;
  /* the bars before and after the picture, across the frame or down it */
  gboolean across;
  gint n_bars;
  gint bar_start[2], bar_size[2];
  WeftScaler *scaler[2][3];
  gint width, height;
};

static gint
even_at_least (gdouble v, gint least)
{
  return MAX (least, (gint) v & ~1);
}

/*
 * weft_backdrop_new:
 * @src: the shape of the pictures to come
 * @part: x, y, width and height of what covers the frame
 * @out: the shape of the frame
 */
WeftBackdrop *
weft_backdrop_new (const WeftPicture *src, const gdouble part[4], const WeftColourChange *colours,
    const WeftPicture *out)
{
  WeftBackdrop *self = g_new0 (WeftBackdrop, 1);
  gint w = out->plane[0].width, h = out->plane[0].height;
  gdouble ratio = (gdouble) SMALL_SIZE / MAX (w, h);

  self->crop_x = CLAMP ((gint) part[0], 0, src->plane[0].width - 1) & ~1;
  self->crop_y = CLAMP ((gint) part[1], 0, src->plane[0].height - 1) & ~1;
  self->crop_w = CLAMP ((gint) part[2], 1, src->plane[0].width - self->crop_x);
  self->crop_h = CLAMP ((gint) part[3], 1, src->plane[0].height - self->crop_y);
  self->colours = *colours;
  self->width = w;
  self->height = h;
  weft_picture_init_i420 (&self->small, even_at_least (w * ratio, 8), even_at_least (h * ratio, 8),
      out->chroma_x, out->chroma_y);
  weft_picture_allocate (&self->small);
  return self;
}

void
weft_backdrop_free (WeftBackdrop *self)
{
  weft_picture_release (&self->small);
  for (gint bar = 0; bar < 2; bar++) {
    for (gint p = 0; p < 3; p++)
      g_clear_pointer (&self->scaler[bar][p], weft_scaler_free);
  }
  g_free (self);
}

static void
add_bar (WeftBackdrop *self, const WeftPicture *out, gint start, gint size)
{
  gint bar = self->n_bars++;

  self->bar_start[bar] = start;
  self->bar_size[bar] = size;
  for (gint p = 0; p < 3; p++) {
    const WeftPlane *small = &self->small.plane[p], *plane = &out->plane[p];
    gint first = p == 0 ? start : start >> out->sub_x, length = p == 0 ? size : (size + 1) >> 1;
    WeftScalerAxis h = { .source_size = small->width,
      .step = (gdouble) small->width / plane->width,
      .size = plane->width };
    WeftScalerAxis v = { .source_size = small->height,
      .step = (gdouble) small->height / plane->height,
      .size = plane->height };
    WeftScalerAxis *along = self->across ? &v : &h;

    along->start = first * along->step;
    along->size = length;
    self->scaler[bar][p] = weft_scaler_new (&h, &v, 1.0, 0.0);
  }
}

static void
make_bars (WeftBackdrop *self, const WeftPicture *out, const WeftFramingLayout *l)
{
  gint end_x = l->dst_x + l->dst_w, end_y = l->dst_y + l->dst_h;

  self->across = l->dst_h < self->height;
  if (self->across) {
    if (l->dst_y > 0)
      add_bar (self, out, 0, l->dst_y);
    if (end_y < self->height)
      add_bar (self, out, end_y, self->height - end_y);
  } else {
    if (l->dst_x > 0)
      add_bar (self, out, 0, l->dst_x);
    if (end_x < self->width)
      add_bar (self, out, end_x, self->width - end_x);
  }
}

static void
change_range (const WeftPlane *plane, gdouble gain, gdouble offset)
{
  guint8 table[256];

  if (gain == 1.0 && offset == 0.0)
    return;
  for (gint i = 0; i < 256; i++)
    table[i] = (guint8) CLAMP (lrint (gain * i + offset), 0, 255);
  for (gint y = 0; y < plane->height; y++) {
    guint8 *row = plane->data + (gssize) y * plane->stride;
    for (gint x = 0; x < plane->width; x++)
      row[x] = table[row[x]];
  }
}

static void
shrink (WeftBackdrop *self, const WeftPicture *src)
{
  WeftPicture crop =
      weft_picture_part (src, self->crop_x, self->crop_y, self->crop_w, self->crop_h);

  for (gint p = 0; p < 3; p++) {
    const WeftPlane *from = &crop.plane[p], *to = &self->small.plane[p];

    if (p > 0 && src->grey) {
      SetPlane (to->data, to->stride, to->width, to->height, 128);
      continue;
    }
    ScalePlane (from->data, from->stride, from->width, from->height, to->data, to->stride,
        to->width, to->height, kFilterBox);
    change_range (to, p > 0 ? self->colours.chroma_gain : self->colours.luma_gain,
        p > 0 ? self->colours.chroma_offset : self->colours.luma_offset);
  }
  weft_colour_change_apply (&self->colours, &self->small);
}

/* Draws it on all of @out that @layout leaves free. */
void
weft_backdrop_draw (WeftBackdrop *self, const WeftPicture *src, const WeftPicture *out,
    const WeftFramingLayout *layout)
{
  if (self->n_bars == 0)
    make_bars (self, out, layout);
  shrink (self, src);
  weft_picture_blur (&self->small, BLUR_RADIUS);
  for (gint bar = 0; bar < self->n_bars; bar++) {
    gint start = self->bar_start[bar], size = self->bar_size[bar];
    WeftPicture part = self->across ? weft_picture_part (out, 0, start, self->width, size)
                                    : weft_picture_part (out, start, 0, size, self->height);

    for (gint p = 0; p < 3; p++)
      weft_scaler_run (self->scaler[bar][p], self->small.plane[p].data, self->small.plane[p].stride,
          part.plane[p].data, part.plane[p].stride);
  }
}
