/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "weftcliplist.h"

G_BEGIN_DECLS

#define WEFT_TYPE_CLIP_READER (weft_clip_reader_get_type ())
G_DECLARE_FINAL_TYPE (WeftClipReader, weft_clip_reader, WEFT, CLIP_READER, GstPipeline)

typedef enum {
  WEFT_READ_OK,
  WEFT_READ_END,
  WEFT_READ_FAILED,
  WEFT_READ_FLUSHING,
} WeftRead;

/*
 * WeftFrameFormat:
 *
 * What frames of a stream look like until the next change. Compared by address.
 */
typedef struct {
  gatomicrefcount refs;
  GstVideoInfo info;
  GstVideoOrientationMethod orientation;
} WeftFrameFormat;

WeftFrameFormat *weft_frame_format_ref (WeftFrameFormat *format);
void weft_frame_format_unref (WeftFrameFormat *format);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFrameFormat, weft_frame_format_unref)

/* One decoded picture; time_ns counts from the clip's in-point and may be negative. */
typedef struct {
  GstBuffer *buffer;
  WeftFrameFormat *format;
  gint64 time_ns;
} WeftClipFrame;

void weft_clip_frame_clear (WeftClipFrame *frame);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftClipFrame, weft_clip_frame_clear)

typedef struct {
  gboolean has_video;
  GstVideoInfo video_info; /* valid if has_video */
  GstVideoOrientationMethod orientation;
  GstClockTime start_ns;
  GstClockTime duration_ns; /* of the whole source; NONE if it does not say */
} WeftClipReaderFormat;

typedef struct {
  guint64 bytes_read;
  guint64 frames_decoded;
  guint64 seeks;
} WeftClipReaderStats;

typedef void (*WeftClipReaderFunc) (WeftClipReader *reader, gpointer user_data);

WeftClipReader *
weft_clip_reader_new (WeftClipList *list, guint index, gboolean video, const GstAudioInfo *audio,
    WeftClipReaderFunc opened, WeftClipReaderFunc closed, GObject *owner);
void weft_clip_reader_start (WeftClipReader *self);
void weft_clip_reader_cancel (WeftClipReader *self);
void weft_clip_reader_close (WeftClipReader *self);

const WeftClip *weft_clip_reader_get_clip (WeftClipReader *self);
gboolean weft_clip_reader_peek_format (WeftClipReader *self, WeftClipReaderFormat *format);
gboolean weft_clip_reader_has_failed (WeftClipReader *self);
WeftRead weft_clip_reader_take_frame (WeftClipReader *self, WeftClipFrame *frame);
WeftRead weft_clip_reader_read_audio (
    WeftClipReader *self, guint64 position, gfloat *samples, guint n, guint *n_read);
void weft_clip_reader_discard_video (WeftClipReader *self);
void weft_clip_reader_discard_audio (WeftClipReader *self);
GError *weft_clip_reader_dup_error (WeftClipReader *self, gchar **debug, gboolean *changed);
GError *weft_clip_reader_check_end (
    WeftClipReader *self, const gchar *stream, gboolean had_data, gboolean is_early);
void weft_clip_reader_get_stats (WeftClipReader *self, WeftClipReaderStats *stats);

G_END_DECLS
