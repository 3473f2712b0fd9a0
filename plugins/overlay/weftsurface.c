/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Blends what weftsurfaceplane.c made of a picture: its runs, moved and cut to the frame. */

#include "weftsurface.h"

#include <string.h>

#include "weftsurfaceplane.h"

/* Elements of a frame with alpha that are worked on at once, by what fits into the first cache. A
 * whole number of groups of 1, 2 and 4. */
#define BLOCK_ELEMENTS 256

/* Where the alpha of a frame is, as seen from a plane of colours. */
typedef enum {
  ALPHA_NONE,
  ALPHA_IN_GROUP,
  ALPHA_IN_PLANE,
} AlphaPlace;

struct _WeftSurface {
  gatomicrefcount ref_count;
  gint phase_x;
  gint phase_y;
  guint n_planes;
  WeftPlane planes[GST_VIDEO_MAX_PLANES];
  gsize bytes;
};

/* A plane of a frame while it is blended into. */
typedef struct {
  const WeftPlane *plane;
  const WeftBlendKernels *kernels;
  guint8 opacity;
  AlphaPlace alpha;
  guint alpha_offset;
  guint alpha_max;
  /* Of the plane of alpha, if that is one of its own. */
  const GstVideoFrame *frame;
  WeftTaps h_taps;
  WeftTaps v_taps;
} Blend;

/* Whether surfaces can be made for @info: see WEFT_SURFACE_FORMATS. */
gboolean
weft_surface_supports (const GstVideoInfo *info)
{
  return weft_plane_supports (info);
}

/**
 * weft_surface_get_phase:
 *
 * Returns: which of the %WEFT_SURFACE_N_PHASES surfaces of a picture is to be used when it is moved
 *   by @dx and @dy. Subsampled chroma differs between odd and even offsets; and only what rests
 *   goes on beyond the edges of the frame as the frame does.
 */
guint
weft_surface_get_phase (const GstVideoInfo *info, gint dx, gint dy)
{
  const GstVideoFormatInfo *f = info->finfo;
  guint w_sub = 0, h_sub = 0;

  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); c++) {
    w_sub |= GST_VIDEO_FORMAT_INFO_W_SUB (f, c);
    h_sub |= GST_VIDEO_FORMAT_INFO_H_SUB (f, c);
  }
  if ((dx == 0 && dy == 0) || (w_sub == 0 && h_sub == 0))
    return 0;
  return 1 + (((guint) dx & w_sub) | ((guint) dy & h_sub) << 1);
}

/* Leaves off borders that are fully transparent. */
static gboolean
trim (WeftPlaneSource *s)
{
  gint x0 = s->rect.width, x1 = 0, y0 = s->rect.height, y1 = 0;

  for (gint y = 0; y < s->rect.height; y++) {
    const guint32 *row = (const guint32 *) (gconstpointer) (s->pixels + (gsize) y * s->stride);
    gint first = 0, end = s->rect.width;
    while (first < end && row[first] >> 24 == 0)
      first++;
    while (end > first && row[end - 1] >> 24 == 0)
      end--;
    if (first == end)
      continue;
    x0 = MIN (x0, first);
    x1 = MAX (x1, end);
    y0 = MIN (y0, y);
    y1 = y + 1;
  }
  if (x1 <= x0)
    return FALSE;
  s->pixels += (gsize) y0 * s->stride + 4 * (gsize) x0;
  s->rect = (cairo_rectangle_int_t){ s->rect.x + x0, s->rect.y + y0, x1 - x0, y1 - y0 };
  return TRUE;
}

/**
 * weft_surface_new:
 * @picture: what is to be blended
 * @info: the frames
 * @phase: from weft_surface_get_phase()
 *
 * Returns: (transfer full): the picture for those frames
 */
WeftSurface *
weft_surface_new (const WeftPicture *picture, const GstVideoInfo *info, guint phase)
{
  WeftSurface *self = g_new0 (WeftSurface, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->bytes = sizeof *self;
  self->phase_x = phase > 0 ? (gint) (phase - 1) & 1 : 0;
  self->phase_y = phase > 0 ? (gint) (phase - 1) >> 1 : 0;
  if (picture->pixels == NULL)
    return self;
  cairo_surface_flush (picture->pixels);
  WeftPlaneSource source = {
    .pixels = cairo_image_surface_get_data (picture->pixels),
    .stride = cairo_image_surface_get_stride (picture->pixels),
    .rect = { picture->x + self->phase_x, picture->y + self->phase_y,
        cairo_image_surface_get_width (picture->pixels),
        cairo_image_surface_get_height (picture->pixels) },
  };
  /* At the edges of odd frames half of a chroma sample lies outside. A picture that goes on there
   * slides, and has pixels of its own for it. */
  if (phase == 0 && source.rect.x >= 0 && source.rect.y >= 0
      && source.rect.x + source.rect.width <= info->width
      && source.rect.y + source.rect.height <= info->height) {
    source.frame_width = info->width;
    source.frame_height = info->height;
  }
  if (!trim (&source))
    return self;
  self->n_planes = GST_VIDEO_INFO_N_PLANES (info);
  for (guint i = 0; i < self->n_planes; i++) {
    weft_plane_init (&self->planes[i], i, &source, info, weft_blend_get_kernels ());
    self->bytes += weft_plane_get_bytes (&self->planes[i]);
  }
  return self;
}

WeftSurface *
weft_surface_ref (WeftSurface *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
weft_surface_unref (WeftSurface *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (guint i = 0; i < self->n_planes; i++)
    weft_plane_clear (&self->planes[i]);
  g_free (self);
}

/* What the surface takes in memory. */
gsize
weft_surface_get_bytes (const WeftSurface *self)
{
  return self->bytes;
}

static void
blend_opaque (const Blend *b, guint8 *dst, gsize at, gsize n)
{
  const WeftPlane *p = b->plane;
  const guint8 *src = p->src + at * p->element_size, *inverse = p->inverse + at * p->element_size;

  if (p->element_size == 2) {
    guint16 *d = (guint16 *) (gpointer) dst;
    const guint16 *s = (const guint16 *) (gconstpointer) src;
    const guint16 *i = (const guint16 *) (gconstpointer) inverse;
    if (b->opacity < 255)
      b->kernels->over16_faded (d, s, i, b->opacity, p->shift, n);
    else
      b->kernels->over16 (d, s, i, p->shift, n);
  } else if (b->opacity < 255) {
    b->kernels->over8_faded (dst, src, inverse, b->opacity, n);
  } else {
    b->kernels->over8 (dst, src, inverse, n);
  }
}

/* One row of the plane of alpha; rows beyond the frame are as its last ones. */
static const guint8 *
get_alpha_row (const Blend *b, gint row)
{
  gint height = GST_VIDEO_FRAME_COMP_HEIGHT (b->frame, GST_VIDEO_COMP_A);

  return (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (b->frame, GST_VIDEO_COMP_A)
         + (gssize) CLAMP (row, 0, height - 1)
               * GST_VIDEO_FRAME_COMP_STRIDE (b->frame, GST_VIDEO_COMP_A);
}

static guint
get_alpha (const Blend *b, const guint8 *row, gint x)
{
  x = CLAMP (x, 0, GST_VIDEO_FRAME_COMP_WIDTH (b->frame, GST_VIDEO_COMP_A) - 1);
  return b->plane->element_size == 2 ? ((const guint16 *) (gconstpointer) row)[x] : row[x];
}

/* The alpha that belongs to one sample of a subsampled plane: the mean of its pixels'. */
static guint
get_mean_alpha (const Blend *b, gint sample, gint row)
{
  guint sum = 0;

  for (guint v = 0; v < b->v_taps.n; v++) {
    const guint8 *line =
        get_alpha_row (b, row * (1 << b->plane->h_sub) + b->v_taps.first + (gint) v);
    for (guint h = 0; h < b->h_taps.n; h++)
      sum += (guint) b->v_taps.weights[v] * b->h_taps.weights[h]
             * get_alpha (b, line, sample * (1 << b->plane->w_sub) + b->h_taps.first + (gint) h);
  }
  guint weight = 1u << (b->v_taps.n + b->h_taps.n - 2);
  return (sum + weight / 2) / weight;
}

/* The frame's alpha for @n elements of a row: where it lies as it is needed, or else in @below. */
static gconstpointer
read_alpha (const Blend *b, const guint8 *dst, gint row, gint element, gsize n, guint16 *below)
{
  const WeftPlane *p = b->plane;
  const guint g = p->group_elements;
  guint8 *bytes = (guint8 *) below;

  if (b->alpha == ALPHA_IN_GROUP) {
    for (gsize i = 0; i < n; i += g)
      memset (bytes + i, dst[i + b->alpha_offset], g);
    return below;
  }
  if (p->w_sub == 0 && p->h_sub == 0)
    return get_alpha_row (b, row) + (gsize) element * p->element_size;
  for (gsize i = 0; i < n; i += g) {
    guint alpha = get_mean_alpha (b, (element + (gint) i) / (gint) g, row);
    for (guint e = 0; e < g; e++) {
      if (p->element_size == 2)
        below[i + e] = (guint16) alpha;
      else
        bytes[i + e] = (guint8) alpha;
    }
  }
  return below;
}

/* Whether the frame is opaque below @n elements of a row, which is nearly always so. */
static gboolean
is_opaque_below (const Blend *b, const guint8 *dst, gint row, gint element, gsize n)
{
  const WeftPlane *p = b->plane;

  if (b->alpha == ALPHA_NONE)
    return TRUE;
  if (b->alpha == ALPHA_IN_GROUP)
    return b->kernels->is_opaque (dst, b->alpha_offset, p->group_elements, n / p->group_elements);
  gint g = (gint) p->group_elements;
  gint first = element / g * (1 << p->w_sub) + b->h_taps.first;
  gint end =
      ((element + (gint) n) / g - 1) * (1 << p->w_sub) + b->h_taps.first + (gint) b->h_taps.n;
  first = MAX (first, 0);
  end = MIN (end, GST_VIDEO_FRAME_COMP_WIDTH (b->frame, GST_VIDEO_COMP_A));
  for (guint v = 0; v < b->v_taps.n; v++) {
    const guint8 *line = get_alpha_row (b, row * (1 << p->h_sub) + b->v_taps.first + (gint) v);
    if (p->element_size == 1) {
      if (!b->kernels->is_opaque (line + first, 0, 1, (gsize) (end - first)))
        return FALSE;
    } else {
      for (gint x = first; x < end; x++) {
        if (get_alpha (b, line, x) != b->alpha_max)
          return FALSE;
      }
    }
  }
  return TRUE;
}

/* Colours that are not premultiplied, over a frame that is not opaque. Alpha among them is blended
 * like any other sample; it is the colours that are divided. */
static void
blend_straight (const Blend *b, guint8 *dst, gsize at, gint row, gint element, gsize n)
{
  const WeftPlane *p = b->plane;
  guint16 block[BLOCK_ELEMENTS];
  guint8 alphas[BLOCK_ELEMENTS];
  const gsize src_at = at * p->element_size;

  gconstpointer below = read_alpha (b, dst, row, element, n, block);
  if (p->element_size == 2) {
    b->kernels->straight16 ((guint16 *) (gpointer) dst,
        (const guint16 *) (gconstpointer) (p->src + src_at),
        (const guint16 *) (gconstpointer) (p->inverse + src_at), below, b->opacity, b->alpha_max,
        n);
    return;
  }
  if (b->alpha == ALPHA_IN_GROUP) {
    memcpy (alphas, dst, n);
    blend_opaque (b, alphas, at, n);
  }
  b->kernels->straight8 (dst, p->src + src_at, p->inverse + src_at, below, b->opacity, n);
  if (b->alpha == ALPHA_IN_GROUP) {
    for (gsize i = b->alpha_offset; i < n; i += p->group_elements)
      dst[i] = alphas[i];
  }
}

/* @at: where in the surface; @row and @element: where in the plane of the frame */
static void
blend_run (const Blend *b, guint8 *dst, gsize at, gint row, gint element, gsize n, gboolean copy)
{
  const guint size = b->plane->element_size;

  if (copy && b->opacity == 255) {
    memcpy (dst, b->plane->src + at * size, n * size);
  } else if (is_opaque_below (b, dst, row, element, n)) {
    blend_opaque (b, dst, at, n);
  } else {
    for (gsize i = 0; i < n; i += BLOCK_ELEMENTS)
      blend_straight (
          b, dst + i * size, at + i, row, element + (gint) i, MIN (n - i, BLOCK_ELEMENTS));
  }
}

static void
find_alpha (Blend *b, const GstVideoFrame *frame)
{
  const GstVideoFormatInfo *f = frame->info.finfo;
  GstVideoChromaSite site = frame->info.chroma_site;

  b->alpha = ALPHA_NONE;
  if (!GST_VIDEO_FORMAT_INFO_HAS_ALPHA (f))
    return;
  b->alpha_max = (1u << GST_VIDEO_FORMAT_INFO_DEPTH (f, GST_VIDEO_COMP_A)) - 1;
  if ((guint) GST_VIDEO_FORMAT_INFO_PLANE (f, GST_VIDEO_COMP_A) != b->plane->index) {
    b->alpha = ALPHA_IN_PLANE;
    b->frame = frame;
    b->h_taps =
        weft_plane_get_taps (b->plane->w_sub, (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
    b->v_taps =
        weft_plane_get_taps (b->plane->h_sub, (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);
  } else if (b->plane->group_elements > 1) {
    b->alpha = ALPHA_IN_GROUP;
    b->alpha_offset = (guint) GST_VIDEO_FORMAT_INFO_POFFSET (f, GST_VIDEO_COMP_A);
  }
}

static void
blend_plane (const Blend *b, GstVideoFrame *frame, gint dx, gint dy)
{
  const WeftPlane *p = b->plane;
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, p->index);
  gssize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, p->index);
  gint width = GST_VIDEO_SUB_SCALE (p->w_sub, GST_VIDEO_FRAME_WIDTH (frame));
  gint height = GST_VIDEO_SUB_SCALE (p->h_sub, GST_VIDEO_FRAME_HEIGHT (frame));
  /* Where the surface's first element comes to lie, in elements of the row. */
  gint64 left = ((gint64) p->x + (dx >> p->w_sub)) * p->group_elements;
  gint64 top = (gint64) p->y + (dy >> p->h_sub);
  gint64 row_end = (gint64) width * p->group_elements;
  gint first_row = (gint) CLAMP (-top, 0, p->n_rows);
  gint end_row = (gint) MIN (p->n_rows, height - top);

  for (gint row = first_row; row < end_row; row++) {
    guint8 *line = data + (gssize) (top + row) * stride;
    for (guint r = p->first_run[row]; r < p->first_run[row + 1]; r++) {
      const WeftRun *run = &g_array_index (p->runs, WeftRun, r);
      gint64 start = MAX (left + run->start, 0);
      gint64 end = MIN (left + run->start + run->n, row_end);
      if (start < end)
        blend_run (b, line + (gsize) start * p->element_size,
            (gsize) row * (gsize) p->n_elements + (gsize) (start - left), (gint) (top + row),
            (gint) start, (gsize) (end - start), run->copy);
    }
  }
}

/**
 * weft_surface_blend:
 * @frame: mapped for reading and writing, of the format the surface was made for
 * @dx: how far the picture is moved from where it rests; its phase is the surface's
 * @dy: the same, down
 * @opacity: 255 for all of it
 */
void
weft_surface_blend (const WeftSurface *self, GstVideoFrame *frame, gint dx, gint dy, guint8 opacity,
    const WeftBlendKernels *kernels)
{
  /* A plane of alpha comes last in every format: colours are blended by what it was. The surface
   * was made with the odd pixel of its phase: what is left to move is whole samples. */
  for (guint i = 0; i < self->n_planes; i++) {
    Blend b = { .plane = &self->planes[i], .kernels = kernels, .opacity = opacity };
    find_alpha (&b, frame);
    blend_plane (&b, frame, dx - self->phase_x, dy - self->phase_y);
  }
}
