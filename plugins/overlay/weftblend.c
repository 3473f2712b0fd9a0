/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weftblend.h"

extern const WeftBlendKernels weft_blend_kernels_scalar;
extern const WeftBlendKernels weft_blend_kernels_vector;
#ifdef WEFT_HAVE_AVX2_KERNELS
extern const WeftBlendKernels weft_blend_kernels_avx2;
#endif

/**
 * weft_blend_list_kernels:
 *
 * Returns: (array zero-terminated=1): what this machine can run, the slowest first; the first is
 *   the reference
 */
const WeftBlendKernels *const *
weft_blend_list_kernels (void)
{
  static const WeftBlendKernels *list[4];
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    guint n = 0;
    list[n++] = &weft_blend_kernels_scalar;
    list[n++] = &weft_blend_kernels_vector;
#ifdef WEFT_HAVE_AVX2_KERNELS
    if (__builtin_cpu_supports ("avx2"))
      list[n++] = &weft_blend_kernels_avx2;
#endif
    list[n] = NULL;
    g_once_init_leave (&once, 1);
  }
  return list;
}

/* The fastest that this machine can run. */
const WeftBlendKernels *
weft_blend_get_kernels (void)
{
  const WeftBlendKernels *const *list = weft_blend_list_kernels ();

  while (list[1] != NULL)
    list++;
  return *list;
}
