/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weft-probe.h"

G_BEGIN_DECLS

/* What the source is, before GStreamer reads it. */
typedef struct {
  gchar *uri;
  gchar *identity; /* (nullable): what changes when the content does */
  guint64 size;    /* bytes; G_MAXUINT64 when it is not known */
  gboolean local;
} WeftSourceFile;

void weft_source_file_clear (WeftSourceFile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftSourceFile, weft_source_file_clear)
gboolean weft_source_file_check (
    const gchar *uri, WeftSourceFile *file, GCancellable *cancellable, GError **error);
gboolean weft_source_file_has_changed (const WeftSourceFile *file);
gboolean weft_source_file_fail_changed (const WeftSourceFile *file, GError **error);
gboolean weft_source_file_check_length (
    const WeftSourceFile *file, GCancellable *cancellable, GError **error);
gboolean weft_source_parse_webp (
    const guint8 *data, gsize length, gint *width, gint *height, gboolean *alpha);
gchar *weft_source_http_identity (const GstStructure *headers, guint64 *size);

typedef enum {
  WEFT_STREAM_OTHER,
  WEFT_STREAM_VIDEO,
  WEFT_STREAM_IMAGE, /* a picture format that may also be a video codec: JPEG, PNG, WebP */
  WEFT_STREAM_AUDIO,
  WEFT_STREAM_ENCRYPTED,
} WeftStreamKind;

WeftStreamKind weft_stream_kind (const GstCaps *caps);
gchar *weft_stream_find_decoder (const GstCaps *caps);
guint64 weft_stream_frame_duration (const GstCaps *caps);
gchar *weft_stream_describe (const GstCaps *caps);
const gchar *weft_stream_codec_name (const GstCaps *caps);
const gchar *weft_stream_package_hint (const GstCaps *caps);
JsonObject *weft_stream_video_to_json (const GstCaps *caps, const gchar *orientation);
JsonObject *weft_stream_audio_to_json (const GstCaps *caps);

/* Between the thread that looks at a source and the one that waits for it. A source can hold up
 * whoever touches it (a query, a seek, being stopped), so the caller never does: it only watches,
 * and leaves when it is told to or nothing moves any more. The other thread then ends by itself. */
typedef struct {
  GCancellable *stop; /* cancelled when nobody waits any more */

  /* Guards everything below; nothing is called with it held. */
  GMutex lock;
  GCond changed;
  gboolean ended;
  JsonNode *node;
  GError *error;
  GstElement *source; /* (nullable): what is read at the moment */
  guint64 bytes;      /* that the source has handed on */
} WeftProbeWatch;

void weft_probe_watch_count (WeftProbeWatch *self, guint64 bytes);
void weft_probe_watch_set_source (WeftProbeWatch *self, GstElement *source);
JsonNode *
weft_probe_look (WeftProbeWatch *watch, const gchar *uri, WeftProbeFlags flags, GError **error);

typedef struct _WeftProbe WeftProbe;

typedef enum {
  WEFT_PROBE_PHASE_HEAD, /* until every stream has shown its first frames */
  WEFT_PROBE_PHASE_TAIL, /* after a seek close to the end, until the end */
  WEFT_PROBE_PHASE_SCAN, /* from the beginning to the end */
} WeftProbePhase;

/* A stream as it comes out of its parser. Guarded by WeftProbe.lock. */
typedef struct {
  WeftProbe *probe;
  GstPad *pad;
  GstCaps *caps;
  WeftStreamKind kind;
  gchar *orientation;
  GstSegment segment;
  gint64 first_ns;
  gint64 end_ns;
  guint64 raw_end; /* the latest end as the container counts */
  guint64 frames;
  guint64 newest;            /* the latest time stamp so far */
  guint64 usual_duration_ns; /* of a buffer, for those that do not say */
  GArray *keyframes;
  gboolean moves; /* a picture that was followed by another one */
  gboolean eos;
} WeftStream;

struct _WeftProbe {
  WeftProbeWatch *watch;
  const WeftSourceFile *file;
  GstElement *pipeline;
  GstElement *source;   /* (unowned): in the pipeline */
  guint64 source_bytes; /* set before skips_data */
  GstBus *bus;

  /* Guards everything below, which the streaming threads write and the caller's thread reads.
   * Taken alone; nothing is called with it held. */
  GMutex lock;
  WeftProbePhase phase;
  GPtrArray *streams;
  GstStructure *http_headers;
  gchar *orientation;
  gboolean have_all_pads;
  gboolean done;
  gboolean stale; /* a seek is on its way, and what comes is from before it */
  gboolean have_cover;
  gint64 movie_ns;           /* the duration that a movie header says; 0 for none */
  gboolean has_edits;        /* what lies outside a segment was cut away on purpose */
  gboolean has_whole_tables; /* an MP4 whose index was read and has no fragments behind it */
  gboolean skips_data; /* the demuxer gets zeros: its own pads are looked at, not the parsers' */
};

void weft_probe_wait_for_stopped (void);

void weft_probe_stream_free (WeftStream *self);
gboolean weft_probe_stream_is_media (const WeftStream *self);
void weft_probe_pad_added_cb (GstElement *parse, GstPad *pad, gpointer user_data);
GstPadProbeReturn weft_probe_take (WeftStream *stream, GstPadProbeInfo *info);
gchar *weft_probe_find_container (WeftProbe *self);

void weft_probe_notice_tables (WeftProbe *self, GstBuffer *buffer);
void weft_probe_skip_data (WeftProbe *self);

gboolean weft_probe_set_problem (
    GError **error, WeftError code, const WeftProbe *self, const gchar *hint, const gchar *message);
gboolean weft_probe_is_media_type (const gchar *name);
gboolean weft_probe_fail_not_media (const WeftProbe *self, const gchar *name, GError **error);
gboolean
weft_probe_map_error (WeftProbe *self, GstMessage *message, GstMessage *missing, GError **error);

WeftStream *weft_probe_find_stream (WeftProbe *self, WeftStreamKind kind);
WeftStream *weft_probe_find_video (WeftProbe *self);
gboolean weft_probe_is_still (WeftProbe *self, const gchar *container);
JsonNode *weft_probe_to_json (
    WeftProbe *self, const gchar *container, gint64 container_ns, gboolean end_is_known);

G_END_DECLS
