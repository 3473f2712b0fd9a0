/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Turns a drawn picture into one plane of a video format.
 *
 * Premultiplied colours are linear: the matrix that makes Y, U and V of R, G and B can be applied
 * to them with its offsets multiplied by alpha, and a subsampled chroma sample is the mean of the
 * premultiplied pixels it stands for, its alpha the mean of theirs. So a chroma sample half covered
 * by an opaque pixel is replaced by half, wherever the picture stands on the chroma grid. */

#include "weftsurfaceplane.h"

#include <string.h>

/* Runs of untouched elements shorter than this are cheaper blended than skipped, and opaque ones
 * shorter than this cheaper blended than copied. */
#define MIN_RUN 32

/* Samples of more bits would not leave room for exact rounding in words. */
#define MAX_DEPTH 14

/* One component of a plane while it is made. */
typedef struct {
  guint step;
  guint offset;
  guint w_sub;
  WeftTaps taps;
  /* In samples of the component. */
  gint first;
  gint last;
  WeftBlendMatrix value;
} Component;

/* What is worked with while a plane is made; sums are four arrays, `stride` apart. */
typedef struct {
  const WeftPlaneSource *source;
  const WeftBlendKernels *kernels;
  WeftTaps rows;
  /* The largest sample, in steps of which alpha is rounded, too: so src and dst · inverse never
   * add up to more. */
  guint max;
  gsize stride;
  guint16 *columns;
  guint16 *sums;
  guint16 *values;
} Work;

static gboolean
is_wide (const GstVideoFormatInfo *f)
{
  return GST_VIDEO_FORMAT_INFO_DEPTH (f, 0) > 8;
}

/**
 * weft_plane_supports:
 *
 * Returns: whether this file can make planes for @info: components of 8 bits in bytes of their own,
 *   or of up to 14 bits in native words of 16, all alike
 */
gboolean
weft_plane_supports (const GstVideoInfo *info)
{
  const GstVideoFormatInfo *f = info->finfo;
  guint size = is_wide (f) ? 2 : 1;

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (f) || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (f)
      || GST_VIDEO_FORMAT_INFO_IS_COMPLEX (f) || GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f) == 0
      || (size == 2 && (G_BYTE_ORDER == G_LITTLE_ENDIAN) != !!GST_VIDEO_FORMAT_INFO_IS_LE (f)))
    return FALSE;
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); c++) {
    guint depth = GST_VIDEO_FORMAT_INFO_DEPTH (f, c), shift = GST_VIDEO_FORMAT_INFO_SHIFT (f, c);
    if (GST_VIDEO_FORMAT_INFO_W_SUB (f, c) > 1 || GST_VIDEO_FORMAT_INFO_H_SUB (f, c) > 1
        || depth < 8 || depth > MAX_DEPTH || (depth > 8) != (size == 2) || depth + shift > 8 * size
        || shift != GST_VIDEO_FORMAT_INFO_SHIFT (f, 0)
        || GST_VIDEO_FORMAT_INFO_PSTRIDE (f, c) % (gint) size != 0)
      return FALSE;
  }
  return TRUE;
}

/* The rows of the matrix that makes @info's components, for sums of @weight pixels. */
static WeftBlendMatrix
get_matrix (const GstVideoInfo *info, guint c, guint weight)
{
  const GstVideoFormatInfo *f = info->finfo;
  const gdouble unit = 1.0 / (255.0 * weight);
  gdouble max = (1u << GST_VIDEO_FORMAT_INFO_DEPTH (f, c)) - 1;
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];
  gdouble kr = 0.299, kb = 0.114;

  if (c == GST_VIDEO_COMP_A)
    return (WeftBlendMatrix){ 0, 0, 0, (gfloat) (max * unit), (gfloat) (max * unit) };
  gst_video_color_range_offsets (info->colorimetry.range, f, offset, scale);
  gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb);
  gdouble kg = 1.0 - kr - kb, u = 2.0 * (1.0 - kb), v = 2.0 * (1.0 - kr);
  gdouble rgb[3][3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
  gdouble yuv[3][3] = { { kr, kg, kb }, { -kr / u, -kg / u, (1.0 - kb) / u },
    { (1.0 - kr) / v, -kg / v, -kb / v } };
  const gdouble *m = GST_VIDEO_FORMAT_INFO_IS_RGB (f) ? rgb[c] : yuv[c];
  return (WeftBlendMatrix){ (gfloat) (m[0] * scale[c] * unit), (gfloat) (m[1] * scale[c] * unit),
    (gfloat) (m[2] * scale[c] * unit), (gfloat) (offset[c] * unit), (gfloat) (max * unit) };
}

/**
 * weft_plane_get_taps:
 * @sub: 0, or 1 where two pixels share a sample
 * @cosited: whether the sample is at the first of them rather than between
 */
WeftTaps
weft_plane_get_taps (guint sub, gboolean cosited)
{
  if (sub == 0)
    return (WeftTaps){ 0, 1, { 1, 0, 0 } };
  if (cosited)
    return (WeftTaps){ -1, 3, { 1, 2, 1 } };
  return (WeftTaps){ 0, 2, { 1, 1, 0 } };
}

static guint
get_weight (const WeftTaps *taps)
{
  return 1u << (taps->n - 1);
}

/* The samples that pixels [x, x + n) reach. */
static void
get_sample_range (gint x, gint n, guint sub, const WeftTaps *taps, gint *first, gint *last)
{
  /* Shifts of negative numbers round down, as they must here. */
  *first = x >> sub;
  *last = (x + n - 1 - taps->first) >> sub;
}

/* Reads one picture row into the columns of pixels [first, first + n), times @weight. */
static void
add_row (Work *w, gint row, guint weight, gint first, gint n)
{
  const WeftPlaneSource *s = w->source;
  const cairo_rectangle_int_t *rect = &s->rect;

  if (s->frame_height > 0)
    row = CLAMP (row, 0, s->frame_height - 1);
  if (row < rect->y || row >= rect->y + rect->height)
    return;
  const guint8 *line = s->pixels + (gsize) (row - rect->y) * s->stride;
  gint begin = MAX (rect->x, first), end = MIN (rect->x + rect->width, first + n);
  w->kernels->add_pixels (w->columns + (begin - first), w->stride,
      (const guint32 *) (gconstpointer) line + (begin - rect->x), weight, (gsize) (end - begin));
}

/* What lies beyond the frame's left and right edge is as its first and last column. */
static void
repeat_edges (Work *w, gint first, gint n)
{
  gint width = w->source->frame_width;

  for (guint c = 0; c < 4 && width > 0; c++) {
    guint16 *columns = w->columns + c * w->stride;
    for (gint i = 0; i < n && first + i < 0; i++)
      columns[i] = columns[-first];
    for (gint i = MAX (width - first, 0); i < n; i++)
      columns[i] = columns[width - 1 - first];
  }
}

/* Makes the sums of one row of a component; returns them. */
static const guint16 *
sum_row (Work *w, const Component *c, gint row, guint h_sub)
{
  gint n_samples = c->last - c->first + 1;
  gint first = c->first * (1 << c->w_sub) + c->taps.first;
  gint n = c->w_sub == 0 ? n_samples : 2 * (n_samples - 1) + (gint) c->taps.n;

  memset (w->columns, 0, 4 * w->stride * sizeof *w->columns);
  for (guint t = 0; t < w->rows.n; t++)
    add_row (w, row * (1 << h_sub) + w->rows.first + (gint) t, w->rows.weights[t], first, n);
  repeat_edges (w, first, n);
  if (c->w_sub == 0)
    return w->columns;
  for (guint i = 0; i < 4; i++)
    w->kernels->add_taps (w->sums + i * w->stride, w->columns + i * w->stride, c->taps.weights,
        c->taps.n, (gsize) n_samples);
  return w->sums;
}

static void
store (const WeftPlane *p, const WeftBlendKernels *k, guint8 *row, gsize at, guint step,
    const guint16 *values, guint shift, gsize n)
{
  if (p->element_size == 2)
    k->store16 ((guint16 *) (gpointer) row + at, step, values, shift, n);
  else
    k->store8 (row + at, step, values, n);
}

static void
fill_row (WeftPlane *p, Work *w, const Component *components, guint n_components, gint row)
{
  gsize row_bytes = (gsize) p->n_elements * p->element_size;
  guint8 *src = p->src + (gsize) row * row_bytes, *inverse = p->inverse + (gsize) row * row_bytes;
  const guint16 *sums = NULL;

  for (guint i = 0; i < n_components; i++) {
    const Component *c = &components[i];
    gsize n = (gsize) (c->last - c->first + 1);
    /* The samples of the component that come before its first in the plane's first group. */
    gsize skipped = (gsize) (c->first - p->x * (1 << (p->w_sub - c->w_sub)));
    gsize at = skipped * c->step + c->offset;
    /* All components of a plane that are equally subsampled are made of the same sums. */
    if (i == 0 || c->w_sub != components[i - 1].w_sub)
      sums = sum_row (w, c, p->y + row, p->h_sub);
    w->kernels->convert (w->values, sums, w->stride, &c->value, n);
    store (p, w->kernels, src, at, c->step, w->values, p->shift, n);
    gfloat step = (gfloat) (w->max / (255.0 * get_weight (&c->taps) * get_weight (&w->rows)));
    const WeftBlendMatrix alpha = { 0, 0, 0, step, step };
    w->kernels->convert (w->values, sums, w->stride, &alpha, n);
    w->kernels->invert (w->values, w->max, p->element_size == 2 ? 65535 : 255, n);
    store (p, w->kernels, inverse, at, c->step, w->values, 0, n);
  }
}

/* How many of the first @n bytes are @value. */
static gsize
count_equal (const guint8 *bytes, gsize n, guint8 value)
{
  guint64 pattern = G_GUINT64_CONSTANT (0x0101010101010101) * value, word;
  gsize i = 0;

  for (; i + sizeof word <= n; i += sizeof word) {
    memcpy (&word, bytes + i, sizeof word);
    if (word != pattern)
      break;
  }
  while (i < n && bytes[i] == value)
    i++;
  return i;
}

typedef enum { GROUP_EMPTY, GROUP_MIXED, GROUP_OPAQUE } GroupKind;

/* The kind of the groups that @inverse begins with, and of how many of the @n there. */
static GroupKind
get_kind (const guint8 *inverse, gsize group_bytes, gsize n, gsize *count)
{
  *count = count_equal (inverse, n * group_bytes, 0xff) / group_bytes;
  if (*count > 0)
    return GROUP_EMPTY;
  *count = count_equal (inverse, n * group_bytes, 0) / group_bytes;
  if (*count > 0)
    return GROUP_OPAQUE;
  /* A first byte that is neither is enough to tell. */
  for (*count = 1; *count < n && (guint8) (inverse[*count * group_bytes] + 1) > 1;)
    (*count)++;
  return GROUP_MIXED;
}

/* Splits a row into runs to blend and runs to copy, leaving out what is empty. */
static void
find_runs (WeftPlane *p, gint row)
{
  const guint g = p->group_elements;
  const gsize group_bytes = (gsize) g * p->element_size;
  const gsize n_groups = (gsize) p->n_elements / g;
  const guint8 *inverse = p->inverse + (gsize) row * n_groups * group_bytes;
  guint first = p->runs->len;
  gsize count;

  for (gsize i = 0; i < n_groups; i += count) {
    GroupKind kind = get_kind (inverse + i * group_bytes, group_bytes, n_groups - i, &count);
    gboolean is_short = count * g < MIN_RUN;
    WeftRun *last =
        p->runs->len > first ? &g_array_index (p->runs, WeftRun, p->runs->len - 1) : NULL;
    gboolean continues = last != NULL && !last->copy && last->start + last->n == i * g;
    WeftRun run = { (guint) i * g, (guint) count * g, kind == GROUP_OPAQUE && !is_short };
    if (kind == GROUP_EMPTY && !(is_short && continues && i + count < n_groups))
      continue;
    if (continues && !run.copy)
      last->n += run.n;
    else
      g_array_append_val (p->runs, run);
  }
}

static guint
list_components (WeftPlane *p, const GstVideoInfo *info, const WeftPlaneSource *source,
    const WeftTaps *rows, Component *components)
{
  const GstVideoFormatInfo *f = info->finfo;
  gboolean cosited = (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  guint n = 0;

  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); i++) {
    if ((guint) GST_VIDEO_FORMAT_INFO_PLANE (f, i) != p->index)
      continue;
    Component *c = &components[n++];
    c->step = (guint) GST_VIDEO_FORMAT_INFO_PSTRIDE (f, i) / p->element_size;
    /* Rounded up: GStreamer 1.22 says that V of P010 begins at byte 1. */
    c->offset =
        ((guint) GST_VIDEO_FORMAT_INFO_POFFSET (f, i) + p->element_size - 1) / p->element_size;
    c->w_sub = GST_VIDEO_FORMAT_INFO_W_SUB (f, i);
    c->taps = weft_plane_get_taps (c->w_sub, cosited);
    c->value = get_matrix (info, i, get_weight (&c->taps) * get_weight (rows));
    get_sample_range (source->rect.x, source->rect.width, c->w_sub, &c->taps, &c->first, &c->last);
    p->group_elements = MAX (p->group_elements, c->step);
    p->w_sub = MAX (p->w_sub, c->w_sub);
  }
  return n;
}

static void
set_columns (WeftPlane *p, const Component *components, guint n_components)
{
  gint first = G_MAXINT, last = G_MININT;

  for (guint i = 0; i < n_components; i++) {
    first = MIN (first, components[i].first >> (p->w_sub - components[i].w_sub));
    last = MAX (last, components[i].last >> (p->w_sub - components[i].w_sub));
  }
  p->x = first;
  p->n_elements = (last - first + 1) * (gint) p->group_elements;
}

static guint
get_h_sub (const GstVideoInfo *info, guint index)
{
  for (guint i = 0; i < GST_VIDEO_INFO_N_COMPONENTS (info); i++) {
    if ((guint) GST_VIDEO_INFO_COMP_PLANE (info, i) == index)
      return GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, i);
  }
  g_return_val_if_reached (0);
}

/**
 * weft_plane_init:
 * @index: which plane of the frame
 * @source: not empty
 */
void
weft_plane_init (WeftPlane *self, guint index, const WeftPlaneSource *source,
    const GstVideoInfo *info, const WeftBlendKernels *kernels)
{
  Component components[GST_VIDEO_MAX_COMPONENTS] = { 0 };
  gboolean cosited = (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;
  gint last_row;
  Work w = { .source = source, .kernels = kernels };

  *self = (WeftPlane){ .index = index, .element_size = is_wide (info->finfo) ? 2 : 1 };
  self->shift = GST_VIDEO_FORMAT_INFO_SHIFT (info->finfo, 0);
  self->h_sub = get_h_sub (info, index);
  w.rows = weft_plane_get_taps (self->h_sub, cosited);
  guint n_components = list_components (self, info, source, &w.rows, components);
  set_columns (self, components, n_components);
  get_sample_range (source->rect.y, source->rect.height, self->h_sub, &w.rows, &self->y, &last_row);
  self->n_rows = last_row - self->y + 1;

  gsize size = (gsize) self->n_elements * (gsize) self->n_rows * self->element_size;
  self->src = g_malloc0 (size);
  self->inverse = g_malloc (size);
  /* What no component writes is padding, and stays what it is. */
  memset (self->inverse, 0xff, size);
  self->runs = g_array_new (FALSE, FALSE, sizeof (WeftRun));
  self->first_run = g_new (guint, (gsize) self->n_rows + 1);
  /* A cosited sample reaches one pixel beyond the two of its own. */
  w.stride = (((gsize) self->n_elements / self->group_elements) << self->w_sub) + 2;
  w.max = (1u << GST_VIDEO_FORMAT_INFO_DEPTH (info->finfo, 0)) - 1;
  g_autofree guint16 *columns = w.columns = g_new (guint16, 4 * w.stride);
  g_autofree guint16 *sums = w.sums = g_new (guint16, 4 * w.stride);
  g_autofree guint16 *values = w.values = g_new (guint16, w.stride);
  for (gint row = 0; row < self->n_rows; row++) {
    fill_row (self, &w, components, n_components, row);
    self->first_run[row] = self->runs->len;
    find_runs (self, row);
  }
  self->first_run[self->n_rows] = self->runs->len;
}

void
weft_plane_clear (WeftPlane *self)
{
  g_free (self->src);
  g_free (self->inverse);
  g_free (self->first_run);
  g_array_unref (self->runs);
}

/* What the plane takes in memory. */
gsize
weft_plane_get_bytes (const WeftPlane *self)
{
  return 2 * (gsize) self->n_elements * (gsize) self->n_rows * self->element_size
         + self->runs->len * sizeof (WeftRun) + ((gsize) self->n_rows + 1) * sizeof (guint);
}
