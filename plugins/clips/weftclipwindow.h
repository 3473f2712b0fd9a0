/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftclipreader.h"

G_BEGIN_DECLS

#define WEFT_TYPE_CLIP_WINDOW (weft_clip_window_get_type ())
G_DECLARE_FINAL_TYPE (WeftClipWindow, weft_clip_window, WEFT, CLIP_WINDOW, GObject)

typedef enum {
  WEFT_TRACK_VIDEO,
  WEFT_TRACK_AUDIO,
  WEFT_N_TRACKS,
} WeftTrack;

/* What comes out of the pads, with nothing left open. */
typedef struct {
  GstVideoInfo video;
  GstAudioInfo audio;
} WeftSequenceFormat;

/* Called on a reader's thread when a clip could not be opened. */
typedef void (*WeftClipWindowFailedFunc) (
    GstElement *owner, const WeftClip *clip, WeftClipReader *reader);

WeftClipWindow *weft_clip_window_new (WeftClipList *list, gboolean video, gboolean audio,
    guint lookahead, GstElement *owner, WeftClipWindowFailedFunc failed);
void weft_clip_window_start (WeftClipWindow *self);
void weft_clip_window_cancel (WeftClipWindow *self);
void weft_clip_window_close (WeftClipWindow *self);

gboolean weft_clip_window_get_format (WeftClipWindow *self, WeftSequenceFormat *format);
gboolean weft_clip_window_get_slot (
    WeftClipWindow *self, guint clip, guint64 *first_frame, guint64 *end_frame);
WeftClipReader *weft_clip_window_get_reader (WeftClipWindow *self, guint clip);
void weft_clip_window_move (WeftClipWindow *self, WeftTrack track, guint clip);
guint64 weft_clip_window_get_total_frames (WeftClipWindow *self);
void weft_clip_window_add_stats (WeftClipWindow *self, GstStructure *stats);

G_END_DECLS
