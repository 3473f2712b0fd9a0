/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftScaler: scales one 8-bit plane.
 *
 * A separable cubic filter (Mitchell and Netravali's family, B = 0, C = 0.6, which is what ffmpeg's
 * bicubic is), widened where the picture shrinks, so nothing aliases. The part of the source may
 * begin and end between samples, and its neighbours outside count; past the source's edge the
 * last sample goes on. Every source row is filtered horizontally once, into a ring of rows of 16
 * bits with 6 fractional ones, and the rows of the ring are filtered vertically into the output.
 * A gain and an offset (a change of the colour range) come with the vertical filter for nothing.
 *
 * The AVX2 and the portable code do the same arithmetic, to the bit.
 */
#include "weftscaler.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_AVX2 1
#include <immintrin.h>
#endif

#define CUBIC_B 0.0
#define CUBIC_C 0.6

#define COEF_BITS 14 /* of both filters */
#define MID_BITS 6   /* fractional bits between the two filters */
#define H_SHIFT (COEF_BITS - MID_BITS)
#define V_SHIFT 5 /* what MID_BITS and a rounding multiplication of the upper halves leave */

#define GROUP 8 /* destination samples that the horizontal AVX2 code makes at once */
#define HALF 4  /* those of them that share one load of WINDOW bytes */
#define WINDOW 16

typedef struct {
  gint taps;      /* even */
  gint *position; /* [size], of the first tap; may lie outside of the source */
  gint16 *coef;   /* [size × taps] */
} Filter;

struct _WeftScaler {
  WeftScalerAxis h, v;
  Filter hf, vf;
  gint16 bias; /* offset and rounding, in the vertical sum's scale */
  gboolean copy;
  gint copy_x, copy_y;

  /* the horizontal filter, arranged for the AVX2 code */
  gboolean windowed;
  gint n_groups;
  gint *window;      /* [n_groups × 2], index into the line */
  guint8 *mask;      /* [n_groups × pairs × 32] */
  gint16 *pair_coef; /* [n_groups × pairs × 16] */

  gint line_first; /* source sample that line[0] stands for */
  gint line_size;
  guint8 *line; /* a source row with its edges continued */
  gint ring_rows;
  gint ring_stride; /* in samples */
  gint16 *ring;
  gint *ring_row; /* which source row each one holds */
};

static gboolean force_portable;

static gdouble
cubic (gdouble x)
{
  const gdouble b = CUBIC_B, c = CUBIC_C;

  x = fabs (x);
  if (x < 1)
    return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + (6 - 2 * b)) / 6;
  if (x < 2)
    return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x
               + (8 * b + 24 * c))
           / 6;
  return 0;
}

/* Whole coefficients whose sum is exactly that of 1.0, times @gain. */
static void
round_coefs (const gdouble *weight, gint taps, gdouble gain, gint16 *coef)
{
  gint want = (gint) lrint (gain * (1 << COEF_BITS)), have = 0, largest = 0;
  gdouble sum = 0;

  for (gint t = 0; t < taps; t++)
    sum += weight[t];
  for (gint t = 0; t < taps; t++) {
    coef[t] = (gint16) lrint (weight[t] / sum * want);
    have += coef[t];
    if (ABS (coef[t]) > ABS (coef[largest]))
      largest = t;
  }
  coef[largest] = (gint16) (coef[largest] + want - have);
}

static void
make_filter (Filter *f, const WeftScalerAxis *axis, gdouble gain)
{
  gdouble stretch = MAX (1.0, axis->step);
  gint taps = 2 * (gint) ceil (2 * stretch);
  g_autofree gdouble *weight = NULL;
  gboolean plain = axis->step == 1.0 && axis->start == floor (axis->start);

  if (plain)
    taps = 2;
  weight = g_new0 (gdouble, (gsize) taps);
  f->taps = taps;
  f->position = g_new (gint, (gsize) axis->size);
  f->coef = g_new0 (gint16, (gsize) axis->size * (gsize) taps);
  for (gint i = 0; i < axis->size; i++) {
    /* in the coordinates where a sample lies at its index */
    gdouble centre = axis->start + (i + 0.5) * axis->step - 0.5;

    if (plain) {
      f->position[i] = (gint) lrint (centre);
      weight[0] = 1;
    } else {
      f->position[i] = (gint) floor (centre) - taps / 2 + 1;
      for (gint t = 0; t < taps; t++)
        weight[t] = cubic ((f->position[i] + t - centre) / stretch);
    }
    round_coefs (weight, taps, gain, f->coef + (gsize) i * (gsize) taps);
  }
}

/* Whether each half group's taps fit into one load, and if so, where they are in it. */
static void
make_windows (WeftScaler *self)
{
  const Filter *f = &self->hf;
  gint pairs = f->taps / 2;

  self->n_groups = (self->h.size + GROUP - 1) / GROUP;
  self->window = g_new0 (gint, (gsize) self->n_groups * 2);
  self->mask = g_malloc0 ((gsize) self->n_groups * (gsize) pairs * 32);
  self->pair_coef = g_new0 (gint16, (gsize) self->n_groups * (gsize) pairs * 16);
  self->windowed = TRUE;

  for (gint g = 0; g < self->n_groups; g++) {
    for (gint half = 0; half < 2; half++) {
      gint first = g * GROUP + half * HALF;
      gint base = f->position[MIN (first, self->h.size - 1)];

      self->window[2 * g + half] = base - self->line_first;
      for (gint o = 0; o < HALF; o++) {
        gint i = MIN (first + o, self->h.size - 1);
        gint delta = f->position[i] - base;

        if (delta + f->taps > WINDOW) {
          self->windowed = FALSE;
          return;
        }
        for (gint p = 0; p < pairs; p++) {
          gsize at = ((gsize) g * (gsize) pairs + (gsize) p) * 2 + (gsize) half;
          guint8 *m = self->mask + at * 16 + o * 4;
          gint16 *c = self->pair_coef + at * 8 + o * 2;

          /* an index with its top bit set makes a zero: bytes become 16 bits on the way */
          m[0] = (guint8) (delta + 2 * p);
          m[1] = 0x80;
          m[2] = (guint8) (delta + 2 * p + 1);
          m[3] = 0x80;
          c[0] = f->coef[(gsize) i * (gsize) f->taps + (gsize) (2 * p)];
          c[1] = f->coef[(gsize) i * (gsize) f->taps + (gsize) (2 * p + 1)];
        }
      }
    }
  }
}

/*
 * weft_scaler_new:
 * @gain: factor for every sample
 * @offset: what is added after that, in sample steps
 */
WeftScaler *
weft_scaler_new (
    const WeftScalerAxis *horizontal, const WeftScalerAxis *vertical, gdouble gain, gdouble offset)
{
  WeftScaler *self = g_new0 (WeftScaler, 1);
  gint last;

  self->h = *horizontal;
  self->v = *vertical;
  make_filter (&self->hf, horizontal, 1.0);
  make_filter (&self->vf, vertical, gain);
  self->bias = (gint16) lrint (offset * (1 << V_SHIFT) + (1 << (V_SHIFT - 1)));

  self->copy = horizontal->step == 1.0 && vertical->step == 1.0 && gain == 1.0 && offset == 0.0
               && horizontal->start == floor (horizontal->start)
               && vertical->start == floor (vertical->start) && horizontal->start >= 0
               && vertical->start >= 0
               && horizontal->start + horizontal->size <= horizontal->source_size
               && vertical->start + vertical->size <= vertical->source_size;
  self->copy_x = (gint) horizontal->start;
  self->copy_y = (gint) vertical->start;

  self->line_first = self->hf.position[0];
  last = self->hf.position[self->h.size - 1] + self->hf.taps;
  self->line_size = last - self->line_first;
  /* a window may be loaded past the last tap */
  self->line = g_malloc0 ((gsize) self->line_size + WINDOW);
  make_windows (self);

  self->ring_rows = self->vf.taps;
  self->ring_stride = (self->n_groups * GROUP + 31) & ~31;
  self->ring =
      g_aligned_alloc0 ((gsize) self->ring_rows * (gsize) self->ring_stride, sizeof (gint16), 64);
  self->ring_row = g_new (gint, (gsize) self->ring_rows);
  return self;
}

void
weft_scaler_free (WeftScaler *self)
{
  g_free (self->hf.position);
  g_free (self->hf.coef);
  g_free (self->vf.position);
  g_free (self->vf.coef);
  g_free (self->window);
  g_free (self->mask);
  g_free (self->pair_coef);
  g_free (self->line);
  g_aligned_free (self->ring);
  g_free (self->ring_row);
  g_free (self);
}

/* Whether nothing but whole samples are moved. */
gboolean
weft_scaler_is_copy (const WeftScaler *self)
{
  return self->copy;
}

/* For tests: leave the processor's vectors alone. */
void
weft_scaler_set_portable (gboolean portable)
{
  force_portable = portable;
}

/* ---- horizontal ---- */

static void
fill_line (WeftScaler *self, const guint8 *row)
{
  gint first = self->line_first, end = first + self->line_size, size = self->h.source_size;
  gint a = CLAMP (first, 0, size), b = CLAMP (end, 0, size);
  guint8 *line = self->line;

  if (a > first)
    memset (line, row[0], (gsize) (MIN (a, end) - first));
  if (b > a)
    memcpy (line + (a - first), row + a, (gsize) (b - a));
  if (end > size)
    memset (line + (MAX (size, first) - first), row[size - 1], (gsize) (end - MAX (size, first)));
}

static void
filter_row_portable (const WeftScaler *self, gint16 *out)
{
  const Filter *f = &self->hf;

  for (gint i = 0; i < self->h.size; i++) {
    const guint8 *src = self->line + (f->position[i] - self->line_first);
    const gint16 *coef = f->coef + (gsize) i * (gsize) f->taps;
    gint32 sum = 1 << (H_SHIFT - 1);

    for (gint t = 0; t < f->taps; t++)
      sum += src[t] * coef[t];
    out[i] = (gint16) CLAMP (sum >> H_SHIFT, G_MININT16, G_MAXINT16);
  }
}

#ifdef HAVE_AVX2
__attribute__ ((target ("avx2"))) static inline __m256i
load_windows (const guint8 *line, const gint *window)
{
  __m128i low = _mm_loadu_si128 ((const __m128i *) (line + window[0]));
  __m128i high = _mm_loadu_si128 ((const __m128i *) (line + window[1]));

  return _mm256_inserti128_si256 (_mm256_castsi128_si256 (low), high, 1);
}

__attribute__ ((target ("avx2"))) static void
filter_row_avx2 (const WeftScaler *self, gint16 *out)
{
  const __m256i round = _mm256_set1_epi32 (1 << (H_SHIFT - 1));
  const __m256i *mask = (const __m256i *) self->mask;
  const __m256i *coef = (const __m256i *) self->pair_coef;
  gint pairs = self->hf.taps / 2;

  for (gint g = 0; g < self->n_groups; g++) {
    __m256i bytes = load_windows (self->line, self->window + 2 * g);
    __m256i sum = round;
    __m128i packed;

    for (gint p = 0; p < pairs; p++) {
      __m256i pair = _mm256_shuffle_epi8 (bytes, _mm256_loadu_si256 (mask++));
      sum = _mm256_add_epi32 (sum, _mm256_madd_epi16 (pair, _mm256_loadu_si256 (coef++)));
    }
    sum = _mm256_srai_epi32 (sum, H_SHIFT);
    packed = _mm_packs_epi32 (_mm256_castsi256_si128 (sum), _mm256_extracti128_si256 (sum, 1));
    _mm_store_si128 ((__m128i *) (out + (gsize) g * GROUP), packed);
  }
}
#endif

/* ---- vertical ---- */

static inline gint16
multiply_rounded (gint16 a, gint16 b)
{
  return (gint16) ((((gint32) a * b >> 14) + 1) >> 1);
}

static inline gint16
add_saturated (gint16 a, gint16 b)
{
  return (gint16) CLAMP ((gint32) a + b, G_MININT16, G_MAXINT16);
}

static void
mix_rows_portable (
    const gint16 *const *rows, const gint16 *coef, gint taps, gint16 bias, guint8 *dst, gint n)
{
  for (gint i = 0; i < n; i++) {
    gint16 sum = bias;

    for (gint t = 0; t < taps; t++)
      sum = add_saturated (sum, multiply_rounded (rows[t][i], coef[t]));
    dst[i] = (guint8) CLAMP (sum >> V_SHIFT, 0, 255);
  }
}

#ifdef HAVE_AVX2
/* 32 samples from @i on. */
__attribute__ ((target ("avx2"), always_inline)) static inline void
mix_block_avx2 (
    const gint16 *const *rows, const gint16 *coef, gint taps, __m256i start, guint8 *dst, gint i)
{
  __m256i a = start, b = start;

  for (gint t = 0; t < taps; t++) {
    __m256i c = _mm256_set1_epi16 (coef[t]);
    const __m256i *row = (const __m256i *) (rows[t] + i);
    a = _mm256_adds_epi16 (a, _mm256_mulhrs_epi16 (_mm256_loadu_si256 (row), c));
    b = _mm256_adds_epi16 (b, _mm256_mulhrs_epi16 (_mm256_loadu_si256 (row + 1), c));
  }
  a = _mm256_packus_epi16 (_mm256_srai_epi16 (a, V_SHIFT), _mm256_srai_epi16 (b, V_SHIFT));
  _mm256_storeu_si256 ((__m256i *) (dst + i), _mm256_permute4x64_epi64 (a, 0xd8));
}

__attribute__ ((target ("avx2"), always_inline)) static inline void
mix_blocks_avx2 (
    const gint16 *const *rows, const gint16 *coef, gint taps, gint16 bias, guint8 *dst, gint n)
{
  const __m256i start = _mm256_set1_epi16 (bias);
  gint i;

  for (i = 0; i + 32 <= n; i += 32)
    mix_block_avx2 (rows, coef, taps, start, dst, i);
  /* The last block reaches back over what is done: cheaper than a rest of single samples. */
  if (i < n)
    mix_block_avx2 (rows, coef, taps, start, dst, n - 32);
}

__attribute__ ((target ("avx2"))) static void
mix_rows_avx2 (
    const gint16 *const *rows, const gint16 *coef, gint taps, gint16 bias, guint8 *dst, gint n)
{
  if (n < 32)
    mix_rows_portable (rows, coef, taps, bias, dst, n);
  else if (taps == 4)
    /* Enlarging, the usual case: a loop the compiler can unroll, its factors in registers. */
    mix_blocks_avx2 (rows, coef, 4, bias, dst, n);
  else
    mix_blocks_avx2 (rows, coef, taps, bias, dst, n);
}
#endif

static gboolean
use_avx2 (void)
{
#ifdef HAVE_AVX2
  return !force_portable && __builtin_cpu_supports ("avx2");
#else
  return FALSE;
#endif
}

static const gint16 *
get_row (WeftScaler *self, const guint8 *src, gint src_stride, gint row, gboolean avx2)
{
  gint slot, source = CLAMP (row, 0, self->v.source_size - 1);
  gint16 *out;

  slot = source % self->ring_rows;
  out = self->ring + (gsize) slot * (gsize) self->ring_stride;
  if (self->ring_row[slot] == source)
    return out;
  self->ring_row[slot] = source;
  fill_line (self, src + (gssize) source * src_stride);
#ifdef HAVE_AVX2
  if (avx2 && self->windowed) {
    filter_row_avx2 (self, out);
    return out;
  }
#endif
  filter_row_portable (self, out);
  return out;
}

/* Scales destination rows @first_row and on, @n_rows of them, to @dst and on. */
void
weft_scaler_run_rows (WeftScaler *self, const guint8 *src, gint src_stride, guint8 *dst,
    gint dst_stride, gint first_row, gint n_rows)
{
  gboolean avx2 = use_avx2 ();
  gint taps = self->vf.taps;
  g_autofree const gint16 **rows = NULL;

  if (self->copy) {
    for (gint y = 0; y < n_rows; y++)
      memcpy (dst + (gssize) y * dst_stride,
          src + (gssize) (self->copy_y + first_row + y) * src_stride + self->copy_x,
          (gsize) self->h.size);
    return;
  }

  rows = g_new (const gint16 *, (gsize) taps);
  for (gint i = 0; i < self->ring_rows; i++)
    self->ring_row[i] = -1;
  for (gint y = 0; y < n_rows; y++) {
    gint first = self->vf.position[first_row + y];
    const gint16 *coef = self->vf.coef + (gsize) (first_row + y) * (gsize) taps;

    for (gint t = 0; t < taps; t++)
      rows[t] = get_row (self, src, src_stride, first + t, avx2);
#ifdef HAVE_AVX2
    if (avx2) {
      mix_rows_avx2 (rows, coef, taps, self->bias, dst + (gssize) y * dst_stride, self->h.size);
      continue;
    }
#endif
    mix_rows_portable (rows, coef, taps, self->bias, dst + (gssize) y * dst_stride, self->h.size);
  }
}

void
weft_scaler_run (WeftScaler *self, const guint8 *src, gint src_stride, guint8 *dst, gint dst_stride)
{
  weft_scaler_run_rows (self, src, src_stride, dst, dst_stride, 0, self->v.size);
}
