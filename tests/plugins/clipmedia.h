/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The size of the test videos, and of what is assembled from them. */
#define CLIP_WIDTH 320
#define CLIP_HEIGHT 240

/* How test videos are encoded, if it does not matter. */
#define CLIP_X264 "-c:v libx264 -preset veryfast -bf 3 -g 60 -crf 20 "

/* How a picture without a number reads. */
#define CLIP_NO_NUMBER -1

const gchar *clip_media_dir (void);
gchar *clip_media_path (const gchar *name);
void clip_media_cleanup (void);

gboolean clip_media_have_ffmpeg (void);
void clip_media_ffmpeg (const gchar *arguments, ...) G_GNUC_PRINTF (1, 2);
gchar *clip_media_ffprobe (const gchar *arguments, ...) G_GNUC_PRINTF (1, 2);

gchar *clip_media_numbers (
    const gchar *name, gint fps_n, gint fps_d, guint frames, gint rate, const gchar *encode);
gint clip_media_read_number (const guint8 *luma, gint stride, gint width, gint height);
gfloat clip_media_noise (guint64 sample);

typedef struct {
  GArray *numbers;     /* gint, one a frame */
  GPtrArray *memories; /* address of each frame's memory */
  GArray *samples;     /* gfloat, interleaved */
  guint channels;
  gboolean eos;
  GError *error; /* if that is how it ended */
  GstStructure *details;
  guint n_warnings;
  GstStructure *stats;
} ClipRun;

ClipRun *clip_run (const gchar *clips, guint lookahead);
void clip_run_free (ClipRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipRun, clip_run_free)

/* A list of clips of 48 kHz sound in two channels: begun, added to, and run (which frees it). */
GString *clip_json_begin (gint fps_n, gint fps_d);
void
clip_json_add (GString *json, const gchar *path, guint64 in_ns, guint frames, const gchar *more);
ClipRun *clip_json_run (GString *json, guint lookahead);
guint64 clip_samples_of_frames (guint64 frames, gint fps_n, gint fps_d);
void clip_run_assert_whole (const ClipRun *run, guint frames, gint fps_n, gint fps_d);
gint clip_run_number_at (const ClipRun *run, guint frame);

G_END_DECLS
