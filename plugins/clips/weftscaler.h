/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * WeftScalerAxis:
 * @source_size: samples that there are
 * @start: where the wanted part begins, in source samples; sample i covers i to i + 1
 * @step: source samples for one destination sample
 * @size: destination samples
 */
typedef struct {
  gint source_size;
  gdouble start;
  gdouble step;
  gint size;
} WeftScalerAxis;

typedef struct _WeftScaler WeftScaler;

WeftScaler *weft_scaler_new (
    const WeftScalerAxis *horizontal, const WeftScalerAxis *vertical, gdouble gain, gdouble offset);
void weft_scaler_free (WeftScaler *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftScaler, weft_scaler_free)

gboolean weft_scaler_is_copy (const WeftScaler *self);
void weft_scaler_run (
    WeftScaler *self, const guint8 *src, gint src_stride, guint8 *dst, gint dst_stride);
void weft_scaler_run_rows (WeftScaler *self, const guint8 *src, gint src_stride, guint8 *dst,
    gint dst_stride, gint first_row, gint n_rows);
void weft_scaler_set_portable (gboolean portable);

G_END_DECLS
