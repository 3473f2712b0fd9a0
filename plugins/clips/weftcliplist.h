/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include "weftframing.h"

G_BEGIN_DECLS

/* A clip whose length the document does not give lasts to the end of its source. */
#define WEFT_CLIP_FRAMES_UNKNOWN G_MAXUINT64

typedef enum {
  WEFT_ON_ERROR_FAIL,
  WEFT_ON_ERROR_BACKGROUND,
  WEFT_ON_ERROR_SKIP,
} WeftOnError;

typedef struct {
  guint index;
  gchar *pointer; /* JSON Pointer into the document the user wrote */
  gchar *uri;
  guint64 frames;
  GstClockTime start_ns; /* stream time of the source's first timestamp; NONE: find out */
  GstClockTime in_ns;    /* from start_ns */
  GstClockTime out_ns;   /* from start_ns; NONE: see frames */
  gboolean video;
  gboolean audio;
  WeftFit fit;
  gdouble volume;
  WeftOnError on_error;
} WeftClip;

/*
 * WeftClipList:
 *
 * What `clipsequence` is asked to assemble, checked and immutable. Zero in width, height, fps_n,
 * rate or channels means that the document leaves it open.
 */
typedef struct {
  gatomicrefcount refs;
  gint width, height;
  gint fps_n, fps_d;
  gint rate, channels;
  guint32 background;  /* 0xAARRGGBB */
  guint64 first_frame; /* number of the first frame on the grid */
  GPtrArray *clips;    /* of WeftClip */
} WeftClipList;

WeftClipList *weft_clip_list_new_from_json (
    const gchar *json, gssize length, const gchar *folder, GError **error);
WeftClipList *weft_clip_list_ref (WeftClipList *list);
void weft_clip_list_unref (WeftClipList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftClipList, weft_clip_list_unref)

static inline const WeftClip *
weft_clip_list_get (const WeftClipList *list, guint index)
{
  return g_ptr_array_index (list->clips, index);
}

/* Where frame and sample grids lie; see docs/design/0001. */
guint64 weft_grid_frame_from_time (GstClockTime t, gint fps_n, gint fps_d);
GstClockTime weft_grid_time_of_frame (guint64 frame, gint fps_n, gint fps_d);
guint64 weft_grid_sample_of_frame (guint64 frame, gint fps_n, gint fps_d, gint rate);

G_END_DECLS
