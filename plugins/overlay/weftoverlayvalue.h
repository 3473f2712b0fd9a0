/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weftoverlayerror.h"

G_BEGIN_DECLS

/* A colour as the document writes it: not premultiplied, 0..1. */
typedef struct {
  gdouble red;
  gdouble green;
  gdouble blue;
  gdouble alpha;
} WeftColor;

typedef enum {
  WEFT_LENGTH_UNSET,
  WEFT_LENGTH_FRACTION,
  WEFT_LENGTH_PIXELS,
} WeftLengthUnit;

/* A length: a fraction of the frame, or pixels of the timeline. */
typedef struct {
  WeftLengthUnit unit;
  gdouble value;
} WeftLength;

/* An object of the document while it is read: its pointer and which members it may have. */
typedef struct {
  JsonObject *object;
  const gchar *pointer;
} WeftValue;

/* Positions and sizes beyond this many pixels are mistakes, and would overflow cairo's 24.8
 * fixed-point coordinates (which end at 8388607). */
#define WEFT_MAX_PIXELS 32767.0

gboolean weft_value_init (WeftValue *value, JsonNode *node, const gchar *pointer, GError **error);
gboolean
weft_value_check_members (const WeftValue *value, const gchar *const *known, GError **error);
gchar *weft_value_shorten (const gchar *string);
gboolean weft_value_has (const WeftValue *value, const gchar *name);

gboolean weft_value_get_object (
    const WeftValue *value, const gchar *name, WeftValue *object, gchar **pointer, GError **error);
gboolean weft_value_get_string (
    const WeftValue *value, const gchar *name, const gchar **string, GError **error);
gboolean weft_value_get_boolean (
    const WeftValue *value, const gchar *name, gboolean *boolean, GError **error);
gboolean weft_value_get_number (const WeftValue *value, const gchar *name, gdouble min, gdouble max,
    gdouble *number, GError **error);
gboolean weft_value_get_enum (const WeftValue *value, const gchar *name, const gchar *const *nicks,
    gint *index, GError **error);
gboolean
weft_value_get_color (const WeftValue *value, const gchar *name, WeftColor *color, GError **error);
gboolean weft_value_get_length (const WeftValue *value, const gchar *name, gdouble min_pixels,
    WeftLength *length, GError **error);
gboolean
weft_value_get_time (const WeftValue *value, const gchar *name, GstClockTime *time, GError **error);

G_END_DECLS
