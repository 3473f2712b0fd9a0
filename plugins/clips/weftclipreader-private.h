/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weftaudioplacer.h"
#include "weftclipreader.h"

G_BEGIN_DECLS

typedef enum {
  WEFT_READER_OPENING, /* streams unknown; the first buffer of each stream waits */
  WEFT_READER_SEEKING, /* whatever arrives is from before the seek */
  WEFT_READER_RUNNING,
} WeftReaderPhase;

/* What is special about a demuxer. */
typedef enum {
  WEFT_DEMUXER_TRUSTED_DURATION = 1 << 0, /* from a header, not guessed from the file's end */
  WEFT_DEMUXER_COARSE_TIME = 1 << 1,      /* timestamps are whole milliseconds */
  WEFT_DEMUXER_CUTS_START = 1 << 2, /* segments begin at the first picture, whatever is before */
  WEFT_DEMUXER_READS_EXACTLY =
      1 << 3,                        /* with its pads it has an index, and asks for samples of it */
  WEFT_DEMUXER_SHIFTS_TIME = 1 << 4, /* segments map the first timestamp met so far to 0 */
  WEFT_DEMUXER_LOSES_RANGE = 1 << 5, /* 1.22 reads a `colr` box's flag from the byte before it */
} WeftDemuxerTraits;

/* A run of samples, or of silence where there is no buffer. */
typedef struct {
  gint64 position; /* in output samples from the clip's in-point */
  gint64 length;
  GstBuffer *buffer;
} WeftAudioChunk;

/* The pad where a decoded stream comes in, and the queue from which it is taken. */
typedef struct {
  WeftClipReader *reader;
  gboolean is_video;
  gboolean wanted;
  GstPad *pad;  /* has no parent; what decodebin exposes is linked to it */
  GCond filled; /* something to take, or a reason not to wait */
  GCond room;   /* something was taken, or a reason not to wait */

  /* all guarded by the reader's lock */
  gchar *claimed; /* name of decodebin's inner pad that is decoded for this stream */
  gboolean linked;
  gchar *undecodable; /* what there is no decoder for */
  gboolean seen_first;
  GstClockTime first_pts;
  GstClockTime first_duration;
  GstSegment first_segment;
  gboolean flushing;
  gboolean eos;
  gboolean discard;
  GQueue queue; /* of WeftClipFrame or WeftAudioChunk */
  gint64 queued_samples;

  /* streaming thread only */
  GstSegment segment;
  GstClockTime next_pts;
  WeftClipFrame *held; /* a picture that came after a hole */
  gint64 last_ns;      /* time of the last picture let through */
  gint64 period_ns;    /* 0 where there is no frame rate */
  WeftFrameFormat *format;
  GstVideoInfo video_info;
  GstVideoOrientationMethod orientation;
  gboolean in_place; /* a picture of the present segment came, so it did not begin too late */
  gboolean intact;   /* a picture of the present segment came that lacks nothing */
  GstAudioInfo audio_info;
  WeftAudioPlacer *placer;
} WeftClipStream;

struct _WeftClipReader {
  GstPipeline parent_instance;

  WeftClipList *list;
  const WeftClip *clip;
  GstAudioInfo out_audio;
  WeftClipReaderFunc opened_func;
  WeftClipReaderFunc closed_func;
  GObject *owner;
  GstElement *source;
  GstElement *decodebin;

  /* Guards all that follows and the streams' marked members. It is the innermost lock: nothing
   * that calls back is called with it held. */
  GMutex lock;
  GCond changed; /* for the reader's own thread */
  WeftClipStream video;
  WeftClipStream audio;
  WeftReaderPhase phase;
  gboolean exposed;
  gboolean cancelled;
  gboolean closing;
  gboolean seek_again;
  guint seeks;
  GError *error;
  gchar *error_debug;
  gboolean error_changed; /* the source was replaced while it was read */
  /* an error that decodebin may have kept to itself, see weftclipsource.c */
  GError *suspicion;
  GstObject *suspect; /* only compared */
  gint64 suspicion_deadline_us;
  GstClockTime start_ns;
  GstClockTime base_ns; /* stream time of the clip's position 0 */

  /* what the demuxer says, for telling a file that was cut from one that is as it should be */
  WeftDemuxerTraits traits;
  GstClockTime duration_ns;
  GstClockTime movie_duration_ns; /* what a movie header said before the demuxer saw it */
  gint64 shift_ns; /* of WEFT_DEMUXER_SHIFTS_TIME, as far as known; G_MAXINT64 before that */
  guint demuxed_pads, demuxed_eos;
  gint64 reach_ns; /* how far any stream of the source got */
  gint64 reach_video_ns;
  gint64 longest_gap_ns;
  gboolean short_read; /* the file ended inside of something the demuxer asked for */
  guint64 bytes_read;
  guint64 frames_decoded;
};

#define WEFT_READER_MAX_SEEKS 4
/* A demuxer's idea of an accurate seek may be late by a packet or a rounded time base. */
#define WEFT_READER_SEEK_MARGIN_NS (200 * GST_MSECOND)

void weft_clip_reader_wake_all_unlocked (WeftClipReader *self);
void weft_clip_reader_fail_unlocked (WeftClipReader *self, GError *error, const gchar *debug);

void weft_clip_stream_init (WeftClipStream *stream, WeftClipReader *reader, gboolean is_video);
void weft_clip_stream_clear (WeftClipStream *stream);
void weft_clip_stream_clear_queue_unlocked (WeftClipStream *stream);
void weft_clip_frame_free (WeftClipFrame *frame);
void weft_audio_chunk_free (WeftAudioChunk *chunk);
gint64 weft_clip_stream_first_ns_unlocked (WeftClipStream *stream);
gint64 weft_clip_reader_stream_time_unlocked (
    WeftClipReader *self, const GstSegment *segment, GstClockTime t);

gboolean weft_clip_source_build (WeftClipReader *self, GError **error);

G_END_DECLS
