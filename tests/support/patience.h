/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Microseconds within which what takes up to @seconds here must be over where the tests run:
 * $WEFT_PATIENCE times as many, which `./dev test` sets for builds that are slow on purpose. */
static inline gint64
patience_us (gdouble seconds)
{
  const gchar *factor = g_getenv ("WEFT_PATIENCE");

  return (gint64) (seconds * G_USEC_PER_SEC * (factor ? g_ascii_strtod (factor, NULL) : 1));
}

G_END_DECLS
