/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The inner loops of blending, one table per instruction set. Each works on a run of `n` elements
 * of one row of one plane: `src` is premultiplied, `inverse` is what is left of the picture below
 * (the maximum of the type where nothing covers it). They are all bit-exact to the scalar table.
 *
 *   over8         dst = src + dst · inverse                        bytes of any format
 *   over8_faded   the same with src and its alpha scaled by opacity / 255
 *   over16        for samples of 10 bits and more in 16; inverse is 0..65535
 *   over16_faded
 *   is_opaque     whether byte `offset` of each of n groups of four is 255
 *   straight      over8_faded on pixels of 4 bytes whose byte `offset` is an alpha that is not
 *                 premultiplied, and may be less than 255 */
typedef struct {
  const gchar *name;
  void (*over8) (guint8 *dst, const guint8 *src, const guint8 *inverse, gsize n);
  void (*over8_faded) (
      guint8 *dst, const guint8 *src, const guint8 *inverse, guint8 opacity, gsize n);
  void (*over16) (guint16 *dst, const guint16 *src, const guint16 *inverse, gsize n);
  void (*over16_faded) (
      guint16 *dst, const guint16 *src, const guint16 *inverse, guint8 opacity, gsize n);
  gboolean (*is_opaque) (const guint8 *dst, guint offset, gsize n);
  void (*straight) (
      guint8 *dst, const guint8 *src, const guint8 *inverse, guint8 opacity, guint offset, gsize n);
} WeftBlendKernels;

const WeftBlendKernels *weft_blend_get_kernels (void);
const WeftBlendKernels *const *weft_blend_list_kernels (void);

G_END_DECLS
