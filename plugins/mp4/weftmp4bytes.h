/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <string.h>

#include <glib.h>

G_BEGIN_DECLS

/* Big-endian numbers at any address: boxes are not aligned, and GStreamer's own macros read past
 * what C allows there. */

static inline guint32
weft_get_uint32 (const guint8 *data)
{
  guint32 value;

  memcpy (&value, data, sizeof value);
  return GUINT32_FROM_BE (value);
}

static inline guint64
weft_get_uint64 (const guint8 *data)
{
  guint64 value;

  memcpy (&value, data, sizeof value);
  return GUINT64_FROM_BE (value);
}

static inline void
weft_put_uint32 (guint8 *data, guint32 value)
{
  guint32 big_endian = GUINT32_TO_BE (value);

  memcpy (data, &big_endian, sizeof big_endian);
}

G_END_DECLS
