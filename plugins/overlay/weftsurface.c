/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Turns a drawn picture into planes of a video format and blends them.
 *
 * Premultiplied colours are linear: the matrix that makes Y, U and V of R, G and B can be applied
 * to them with its offsets multiplied by alpha, and a subsampled chroma sample is the mean of the
 * premultiplied pixels it stands for, its alpha the mean of theirs. So a chroma sample half covered
 * by an opaque pixel is replaced by half, wherever the picture stands on the chroma grid. */

#include "weftsurface.h"

#include <math.h>
#include <string.h>

/* Runs of untouched elements shorter than this are cheaper blended than skipped, and opaque ones
 * shorter than this cheaper blended than copied. */
#define MIN_RUN 32

/* Fixed point of the colour matrix. A component is a sum over at most 16 weighted pixels of 255 at
 * up to 10 bits: 16 · 255 · 1023/255 · 2^16 stays below 2^31. */
#define MATRIX_BITS 16

typedef struct {
  guint start;
  guint n;
  gboolean copy;
} Run;

/* One plane of a surface: the rows of a rectangle, in elements of 1 or 2 bytes. */
typedef struct {
  guint index;
  gint x;
  gint y;
  gint n_elements;
  gint n_rows;
  guint element_size;
  /* Elements per pixel, and how pixels become samples. */
  guint pixel_elements;
  guint w_sub;
  guint h_sub;
  gboolean has_alpha;
  guint alpha_offset;
  guint8 *src;
  guint8 *inverse;
  GArray *runs;
  /* For each row the index of its first run; one more than there are rows. */
  guint *first_run;
} Plane;

struct _WeftSurface {
  gatomicrefcount ref_count;
  gint phase_x;
  gint phase_y;
  guint n_planes;
  Plane planes[GST_VIDEO_MAX_PLANES];
  gsize bytes;
};

/* Premultiplied R, G, B, A to one component. */
typedef struct {
  gint32 r;
  gint32 g;
  gint32 b;
  gint32 a;
  /* The largest value of the component for each step of alpha. */
  gint32 max_per_alpha;
} MatrixRow;

/* The pixels that one sample of a plane is the mean of, in one direction: `first` relative to the
 * sample's own pixel, and their weights. */
typedef struct {
  gint first;
  guint n;
  gint weights[3];
} Taps;

/* One row of the conversion in work: sums of weighted premultiplied pixels. */
typedef struct {
  const guint8 *pixels;
  gint stride;
  cairo_rectangle_int_t rect;
  /* The frame, where the picture's border pixels are to be repeated beyond its edges; else 0. */
  gint frame_width;
  gint frame_height;
} Source;

static gboolean
is_wide (const GstVideoFormatInfo *format)
{
  return GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) > 8;
}

/* Whether this file can blend into @info's format: components of 8 bits in bytes of their own, or
 * of up to 15 bits in native 16-bit words; alpha, if any, in four bytes a pixel. */
gboolean
weft_surface_supports (const GstVideoInfo *info)
{
  const GstVideoFormatInfo *f = info->finfo;

  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); c++) {
    guint depth = GST_VIDEO_FORMAT_INFO_DEPTH (f, c);
    if (GST_VIDEO_FORMAT_INFO_SHIFT (f, c) != 0 || GST_VIDEO_FORMAT_INFO_W_SUB (f, c) > 1
        || GST_VIDEO_FORMAT_INFO_H_SUB (f, c) > 1 || depth < 8 || depth > 15
        || (depth > 8 && G_BYTE_ORDER != G_LITTLE_ENDIAN))
      return FALSE;
  }
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (f)
      && (GST_VIDEO_FORMAT_INFO_PSTRIDE (f, GST_VIDEO_COMP_A) != 4 || is_wide (f)))
    return FALSE;
  return !GST_VIDEO_FORMAT_INFO_IS_TILED (f) && !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (f);
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

static void
get_matrix (const GstVideoInfo *info, MatrixRow rows[4])
{
  const GstVideoFormatInfo *f = info->finfo;
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];
  gdouble kr = 0.299, kb = 0.114;
  gdouble m[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };

  gst_video_color_range_offsets (info->colorimetry.range, f, offset, scale);
  if (!GST_VIDEO_FORMAT_INFO_IS_RGB (f)) {
    gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb);
    gdouble kg = 1.0 - kr - kb, u = 2.0 * (1.0 - kb), v = 2.0 * (1.0 - kr);
    gdouble yuv[3][3] = { { kr, kg, kb }, { -kr / u, -kg / u, (1.0 - kb) / u },
      { (1.0 - kr) / v, -kg / v, -kb / v } };
    memcpy (m, yuv, sizeof m);
  }
  for (guint c = 0; c < 3; c++) {
    guint max = c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f)
                    ? (1u << GST_VIDEO_FORMAT_INFO_DEPTH (f, c)) - 1
                    : 255;
    gdouble unit = (gdouble) (c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f) ? scale[c] : 255) / 255.0
                   * (1 << MATRIX_BITS);
    rows[c].r = (gint32) lrint (m[c][0] * unit);
    rows[c].g = (gint32) lrint (m[c][1] * unit);
    rows[c].b = (gint32) lrint (m[c][2] * unit);
    rows[c].a = c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f)
                    ? (gint32) lrint (offset[c] / 255.0 * (1 << MATRIX_BITS))
                    : 0;
    rows[c].max_per_alpha = (gint32) lrint (max / 255.0 * (1 << MATRIX_BITS));
  }
  rows[3] = (MatrixRow){ 0, 0, 0, 1 << MATRIX_BITS, 1 << MATRIX_BITS };
}

static Taps
get_taps (guint sub, gboolean cosited)
{
  if (sub == 0)
    return (Taps){ 0, 1, { 1, 0, 0 } };
  if (cosited)
    return (Taps){ -1, 3, { 1, 2, 1 } };
  return (Taps){ 0, 2, { 1, 1, 0 } };
}

static gint
get_weight_bits (const Taps *taps)
{
  return (gint) taps->n - 1;
}

/* The samples that pixels [x, x + n) reach. */
static void
get_sample_range (gint x, gint n, guint sub, const Taps *taps, gint *first, gint *last)
{
  if (sub == 0) {
    *first = x;
    *last = x + n - 1;
    return;
  }
  /* Shifts of negative numbers round down, as they must here. */
  *first = x >> sub;
  *last = (x + n - 1 - taps->first) >> sub;
}

static inline void
add_pixel (const guint8 *line, gint x, gint weight, gint32 *sum)
{
  guint32 argb;

  memcpy (&argb, line + 4 * (gsize) x, 4);
  sum[0] += weight * (gint32) ((argb >> 16) & 255);
  sum[1] += weight * (gint32) ((argb >> 8) & 255);
  sum[2] += weight * (gint32) (argb & 255);
  sum[3] += weight * (gint32) (argb >> 24);
}

/* One sample of which not all pixels need be in the picture. */
static void
add_border_sample (
    const Source *s, const guint8 *line, gint weight, const Taps *taps, gint x, gint32 *sum)
{
  for (guint t = 0; t < taps->n; t++) {
    gint at = x + taps->first + (gint) t;
    if (s->frame_width > 0)
      at = CLAMP (at, 0, s->frame_width - 1);
    if (at >= s->rect.x && at < s->rect.x + s->rect.width)
      add_pixel (line, at - s->rect.x, weight * taps->weights[t], sum);
  }
}

/* Adds one picture row, times @weight, to the sums of samples [first, first + n). */
static void
add_row (const Source *s, gint row, gint weight, const Taps *taps, guint sub, gint first, gint n,
    gint32 *sums)
{
  if (row < s->rect.y || row >= s->rect.y + s->rect.height)
    return;
  const guint8 *line = s->pixels + (gsize) (row - s->rect.y) * s->stride;
  for (gint i = 0; i < n; i++) {
    gint x = (first + i) * (1 << sub);
    gint left = x + taps->first - s->rect.x;
    if (left < 0 || left + (gint) taps->n > s->rect.width) {
      add_border_sample (s, line, weight, taps, x, sums + 4 * i);
      continue;
    }
    for (guint t = 0; t < taps->n; t++)
      add_pixel (line, left + (gint) t, weight * taps->weights[t], sums + 4 * i);
  }
}

static guint
apply_matrix (const MatrixRow *row, const gint32 *sums, gint weight_bits)
{
  gint bits = MATRIX_BITS + weight_bits;
  gint64 value = (gint64) row->r * sums[0] + (gint64) row->g * sums[1] + (gint64) row->b * sums[2]
                 + (gint64) row->a * sums[3] + (G_GINT64_CONSTANT (1) << (bits - 1));
  gint64 most =
      ((gint64) sums[3] * row->max_per_alpha + (G_GINT64_CONSTANT (1) << (bits - 1))) >> bits;

  /* No brighter than its own alpha, so that blending never overflows. */
  return (guint) CLAMP (value >> bits, 0, most);
}

static guint
get_alpha (const gint32 *sums, gint weight_bits, guint max)
{
  gint32 half = weight_bits > 0 ? 1 << (weight_bits - 1) : 0;
  guint alpha = (guint) ((sums[3] + half) >> weight_bits);

  return max > 255 ? (guint) (((gint64) sums[3] * 257 + half) >> weight_bits) : alpha;
}

/* The components that are stored in plane @index, by their offset in a pixel; -1 for padding. */
static guint
get_layout (const GstVideoInfo *info, guint index, gint components[4])
{
  const GstVideoFormatInfo *f = info->finfo;
  guint element_size = is_wide (f) ? 2 : 1;
  guint n = 0;

  for (guint i = 0; i < 4; i++)
    components[i] = -1;
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); c++) {
    if ((guint) GST_VIDEO_FORMAT_INFO_PLANE (f, c) != index)
      continue;
    components[(guint) GST_VIDEO_FORMAT_INFO_POFFSET (f, c) / element_size] = (gint) c;
    n = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (f, c) / element_size;
  }
  return n;
}

static void
store_element (Plane *p, gsize i, guint value, guint inverse)
{
  if (p->element_size == 2) {
    ((guint16 *) (gpointer) p->src)[i] = (guint16) value;
    ((guint16 *) (gpointer) p->inverse)[i] = (guint16) inverse;
  } else {
    p->src[i] = (guint8) value;
    p->inverse[i] = (guint8) inverse;
  }
}

static void
fill_row (Plane *p, gint row, const gint32 *sums, gint weight_bits, const gint components[4],
    const MatrixRow *matrix)
{
  guint max = p->element_size == 2 ? 65535 : 255;
  guint n = p->pixel_elements;

  for (gint i = 0; i < p->n_elements / (gint) n; i++) {
    const gint32 *sum = sums + 4 * i;
    guint alpha = get_alpha (sum, weight_bits, max);
    gsize at = (gsize) row * p->n_elements + (gsize) i * n;
    for (guint e = 0; e < n; e++) {
      gint c = components[e];
      if (c < 0)
        store_element (p, at + e, 0, max);
      else
        store_element (p, at + e, apply_matrix (&matrix[c], sum, weight_bits), max - alpha);
    }
  }
}

typedef enum { SAMPLE_EMPTY, SAMPLE_MIXED, SAMPLE_OPAQUE } SampleKind;

static SampleKind
get_kind (const Plane *p, gsize at)
{
  guint none = p->element_size == 2 ? 65535 : 255;
  guint all = none, any = 0;

  for (guint e = 0; e < p->pixel_elements; e++) {
    guint inverse = p->element_size == 2 ? ((const guint16 *) (gconstpointer) p->inverse)[at + e]
                                         : p->inverse[at + e];
    all &= inverse;
    any |= inverse;
  }
  return all == none ? SAMPLE_EMPTY : any == 0 ? SAMPLE_OPAQUE : SAMPLE_MIXED;
}

/* Splits a row into runs to blend and runs to copy, leaving out what is empty. */
static void
find_runs (Plane *p, gint row)
{
  guint n = p->pixel_elements;
  guint n_samples = (guint) p->n_elements / n;
  gsize base = (gsize) row * p->n_elements;
  guint first = p->runs->len;
  guint i = 0;

  while (i < n_samples) {
    SampleKind kind = get_kind (p, base + (gsize) i * n);
    guint end = i + 1;
    while (end < n_samples && get_kind (p, base + (gsize) end * n) == kind)
      end++;
    gboolean is_short = (end - i) * n < MIN_RUN;
    Run *last = p->runs->len > first ? &g_array_index (p->runs, Run, p->runs->len - 1) : NULL;
    gboolean continues = last != NULL && last->start + last->n == i * n;
    if (kind == SAMPLE_OPAQUE && !is_short) {
      Run run = { i * n, (end - i) * n, TRUE };
      g_array_append_val (p->runs, run);
    } else if (kind != SAMPLE_EMPTY || (is_short && continues && !last->copy && end < n_samples)) {
      if (continues && !last->copy) {
        last->n += (end - i) * n;
      } else {
        Run run = { i * n, (end - i) * n, FALSE };
        g_array_append_val (p->runs, run);
      }
    }
    i = end;
  }
}

static void
build_plane (Plane *p, const Source *source, const GstVideoInfo *info, const MatrixRow *matrix)
{
  const GstVideoFormatInfo *f = info->finfo;
  gint components[4];
  guint c = 0;

  p->pixel_elements = get_layout (info, p->index, components);
  while ((guint) GST_VIDEO_FORMAT_INFO_PLANE (f, c) != p->index)
    c++;
  p->element_size = is_wide (f) ? 2 : 1;
  p->w_sub = GST_VIDEO_FORMAT_INFO_W_SUB (f, c);
  p->h_sub = GST_VIDEO_FORMAT_INFO_H_SUB (f, c);
  p->has_alpha = GST_VIDEO_FORMAT_INFO_HAS_ALPHA (f);
  p->alpha_offset = p->has_alpha ? (guint) GST_VIDEO_FORMAT_INFO_POFFSET (f, GST_VIDEO_COMP_A) : 0;

  Taps h = get_taps (p->w_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
  Taps v = get_taps (p->h_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);
  gint weight_bits = get_weight_bits (&h) + get_weight_bits (&v);
  gint last_x, last_y;
  get_sample_range (source->rect.x, source->rect.width, p->w_sub, &h, &p->x, &last_x);
  get_sample_range (source->rect.y, source->rect.height, p->h_sub, &v, &p->y, &last_y);
  gint n_samples = last_x - p->x + 1;
  p->n_elements = n_samples * (gint) p->pixel_elements;
  p->n_rows = last_y - p->y + 1;

  gsize size = (gsize) p->n_elements * (gsize) p->n_rows * p->element_size;
  p->src = g_malloc (size);
  p->inverse = g_malloc (size);
  p->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  p->first_run = g_new (guint, (gsize) p->n_rows + 1);
  g_autofree gint32 *sums = g_new (gint32, 4 * (gsize) n_samples);
  for (gint row = 0; row < p->n_rows; row++) {
    memset (sums, 0, 4 * (gsize) n_samples * sizeof *sums);
    for (guint t = 0; t < v.n; t++) {
      gint y = ((p->y + row) * (1 << p->h_sub)) + v.first + (gint) t;
      if (source->frame_height > 0)
        y = CLAMP (y, 0, source->frame_height - 1);
      add_row (source, y, v.weights[t], &h, p->w_sub, p->x, n_samples, sums);
    }
    fill_row (p, row, sums, weight_bits, components, matrix);
    p->first_run[row] = p->runs->len;
    find_runs (p, row);
  }
  p->first_run[p->n_rows] = p->runs->len;
}

/* Leaves off borders that are fully transparent. */
static gboolean
trim (Source *s)
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
  MatrixRow matrix[4];

  g_atomic_ref_count_init (&self->ref_count);
  self->bytes = sizeof *self;
  self->phase_x = phase > 0 ? (gint) (phase - 1) & 1 : 0;
  self->phase_y = phase > 0 ? (gint) (phase - 1) >> 1 : 0;
  if (picture->pixels == NULL)
    return self;
  cairo_surface_flush (picture->pixels);
  Source source = {
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
  get_matrix (info, matrix);
  self->n_planes = GST_VIDEO_INFO_N_PLANES (info);
  for (guint i = 0; i < self->n_planes; i++) {
    Plane *p = &self->planes[i];
    p->index = i;
    build_plane (p, &source, info, matrix);
    self->bytes += 2 * (gsize) p->n_elements * (gsize) p->n_rows * p->element_size
                   + p->runs->len * sizeof (Run) + (gsize) p->n_rows * sizeof (guint);
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
  for (guint i = 0; i < self->n_planes; i++) {
    Plane *p = &self->planes[i];
    g_free (p->src);
    g_free (p->inverse);
    g_free (p->first_run);
    g_array_unref (p->runs);
  }
  g_free (self);
}

/* What the surface takes in memory. */
gsize
weft_surface_get_bytes (const WeftSurface *self)
{
  return self->bytes;
}

static void
blend_run (const Plane *p, guint8 *dst, gsize at, gsize n, gboolean copy, guint8 opacity,
    const WeftBlendKernels *k)
{
  if (p->element_size == 2) {
    guint16 *d = (guint16 *) (gpointer) dst;
    const guint16 *src = (const guint16 *) (gconstpointer) p->src + at;
    const guint16 *inverse = (const guint16 *) (gconstpointer) p->inverse + at;
    if (opacity < 255)
      k->over16_faded (d, src, inverse, opacity, n);
    else if (copy)
      memcpy (d, src, 2 * n);
    else
      k->over16 (d, src, inverse, n);
  } else if (copy && opacity == 255) {
    memcpy (dst, p->src + at, n);
  } else if (p->has_alpha && !k->is_opaque (dst, p->alpha_offset, n / 4)) {
    k->straight (dst, p->src + at, p->inverse + at, opacity, p->alpha_offset, n / 4);
  } else if (opacity < 255) {
    k->over8_faded (dst, p->src + at, p->inverse + at, opacity, n);
  } else {
    k->over8 (dst, p->src + at, p->inverse + at, n);
  }
}

static void
blend_plane (const Plane *p, GstVideoFrame *frame, gint dx, gint dy, guint8 opacity,
    const WeftBlendKernels *k)
{
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, p->index);
  gsize stride = (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, p->index);
  gint width = GST_VIDEO_SUB_SCALE (p->w_sub, GST_VIDEO_FRAME_WIDTH (frame));
  gint height = GST_VIDEO_SUB_SCALE (p->h_sub, GST_VIDEO_FRAME_HEIGHT (frame));
  /* Where the surface's first element comes to lie, in elements of the row. */
  gint64 left = (gint64) (p->x + (dx >> p->w_sub)) * p->pixel_elements;
  gint top = p->y + (dy >> p->h_sub);
  gint64 row_end = (gint64) width * p->pixel_elements;
  gint first_row = MAX (0, -top), end_row = MIN (p->n_rows, height - top);

  for (gint row = first_row; row < end_row; row++) {
    guint8 *line = data + (gsize) (top + row) * stride;
    for (guint r = p->first_run[row]; r < p->first_run[row + 1]; r++) {
      const Run *run = &g_array_index (p->runs, Run, r);
      gint64 start = MAX (left + run->start, 0);
      gint64 end = MIN (left + run->start + run->n, row_end);
      if (start >= end)
        continue;
      blend_run (p, line + (gsize) start * p->element_size,
          (gsize) row * p->n_elements + (gsize) (start - left), (gsize) (end - start), run->copy,
          opacity, k);
    }
  }
}

/**
 * weft_surface_blend:
 * @frame: mapped for writing, of the format the surface was made for
 * @dx: how far the picture is moved from where it rests; its phase is the surface's
 * @dy: the same, down
 * @opacity: 255 for all of it
 */
void
weft_surface_blend (const WeftSurface *self, GstVideoFrame *frame, gint dx, gint dy, guint8 opacity,
    const WeftBlendKernels *kernels)
{
  /* The surface was made with the odd pixel of its phase: what is left to move is whole samples. */
  for (guint i = 0; i < self->n_planes; i++)
    blend_plane (&self->planes[i], frame, dx - self->phase_x, dy - self->phase_y, opacity, kernels);
}
