/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftclippictures.h"
#include "weftclipsequence.h"
#include "weftclipwindow.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_CLIP_WAITING_NOT,
  WEFT_CLIP_WAITING_FORMAT,
  WEFT_CLIP_WAITING_OPEN,
  WEFT_CLIP_WAITING_DATA,
} WeftClipWaiting;

/* One source pad. Its own task alone uses what is not marked otherwise. */
typedef struct {
  GstPad *pad;
  gboolean started;
  guint clip;
  gboolean in_clip; /* the slot below is valid */
  guint64 first_frame, end_frame;
  WeftClipReader *reader;
  gboolean substitute; /* the rest of the slot is background or silence */

  /* guarded by the element's lock */
  gboolean active;
  guint64 position_ns;
  WeftClipWaiting waiting;
  guint waiting_clip;
  gint64 waiting_since_us;
} WeftClipTrack;

struct _WeftClipSequence {
  GstElement parent_instance;

  /* properties, guarded by the object lock */
  gchar *clips;
  gchar *location;
  guint lookahead;

  /* Guards the tracks' marked members and what is below it; nothing is called with it held. */
  GMutex lock;
  GCond moved; /* video went on, or nothing will */
  gboolean flushing;
  gboolean failed;
  GArray *warned; /* gboolean by clip */
  guint64 frames_pushed, samples_pushed;
  WeftClipPicturesCounts counts;
  GstStructure *last_stats; /* of the run before, until the next one */

  /* from READY to PAUSED and back; then constant */
  WeftClipList *list;
  WeftClipWindow *window;
  guint group_id;
  gboolean format_settled;   /* guarded by the lock */
  WeftSequenceFormat format; /* constant once it is settled */

  WeftClipTrack tracks[WEFT_N_TRACKS];

  /* video task only */
  guint64 frame;
  WeftClipPictures *pictures;

  /* audio task only */
  guint64 sample;
};

/* weftcliptasks.c */
void weft_clip_sequence_video_task (gpointer self);
void weft_clip_sequence_audio_task (gpointer self);
void
weft_clip_sequence_open_failed_cb (GstElement *owner, const WeftClip *clip, WeftClipReader *reader);
gchar *weft_clip_sequence_describe_waiting (WeftClipSequence *self);

G_END_DECLS
