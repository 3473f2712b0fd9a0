/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftclipreader.h"

G_BEGIN_DECLS

typedef struct _WeftClipPictures WeftClipPictures;

typedef struct {
  guint64 repeated;
  guint64 dropped;
} WeftClipPicturesCounts;

WeftClipPictures *
weft_clip_pictures_new (const GstVideoInfo *out, guint32 background, GstCaps *caps, GstPad *pad);
void weft_clip_pictures_free (WeftClipPictures *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftClipPictures, weft_clip_pictures_free)

void weft_clip_pictures_enter (WeftClipPictures *self, WeftClipReader *reader);
void weft_clip_pictures_leave (WeftClipPictures *self);
WeftRead weft_clip_pictures_advance (WeftClipPictures *self, guint64 frame, guint64 *have);
GstBuffer *weft_clip_pictures_take (WeftClipPictures *self, guint64 frame, gboolean is_last);
GstBuffer *weft_clip_pictures_take_background (WeftClipPictures *self);
WeftClipPicturesCounts weft_clip_pictures_get_counts (const WeftClipPictures *self);

G_END_DECLS
