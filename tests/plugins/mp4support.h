/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Judges of MP4 files for tests: foreign tools, and a box walker that shares nothing with the
 * element. */

/* ---- running ---- */

typedef struct {
  GError *error;
  gchar *debug;
  GPtrArray *warnings; /* of gchar: message and debug text */
  GstStructure *stats; /* of the element message named mp4layout */
} RunOutcome;

void run_outcome_clear (RunOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RunOutcome, run_outcome_clear)

void run_pipeline (GstElement *pipeline, RunOutcome *outcome);
guint64 outcome_uint64 (const RunOutcome *outcome, const gchar *field);
gboolean outcome_boolean (const RunOutcome *outcome, const gchar *field);
gchar *test_folder_new (void);
void test_folder_remove (gchar *folder);

/* ---- foreign tools ---- */

gchar *tool_output (gsize *size, const gchar *program, ...) G_GNUC_NULL_TERMINATED;
JsonObject *ffprobe (const gchar *path, gboolean count_frames);
JsonObject *probed_stream (JsonObject *probe, const gchar *type);
gint64 probed_int (JsonObject *stream, const gchar *member);
GArray *decode_audio (const gchar *path);
GArray *packet_times (const gchar *path, const gchar *stream);

/* ---- sound that can be found again ---- */

void add_burst (gfloat *samples, gsize n_samples, gsize at, guint number);
gint burst_lag (const gfloat *samples, gsize n_samples, gsize at, guint number);

/* ---- boxes ---- */

static inline guint32
test_get_uint32 (const guint8 *data)
{
  return (guint32) data[0] << 24 | (guint32) data[1] << 16 | (guint32) data[2] << 8 | data[3];
}

static inline guint64
test_get_uint64 (const guint8 *data)
{
  return (guint64) test_get_uint32 (data) << 32 | test_get_uint32 (data + 4);
}

static inline void
test_put_uint32 (guint8 *data, guint32 value)
{
  for (guint i = 0; i < 4; i++)
    data[i] = (guint8) (value >> (24 - 8 * i));
}

typedef struct {
  gchar type[5];
  guint64 offset;
  guint64 header;
  guint64 size;
} TestBox;

GBytes *file_bytes (const gchar *path);
GArray *boxes_in (GBytes *file, guint64 start, guint64 end);
gboolean box_find (GBytes *file, const gchar *path, TestBox *box);
void check_structure (GBytes *file);
GBytes *media_payload (GBytes *file);

/* ---- a sink that seeks, keeps small buffers and forgets large ones ---- */

#define TEST_TYPE_SPARSE_SINK (test_sparse_sink_get_type ())
G_DECLARE_FINAL_TYPE (TestSparseSink, test_sparse_sink, TEST, SPARSE_SINK, GstElement)

TestSparseSink *test_sparse_sink_new (gboolean seekable, gsize keep_bytes);
void test_sparse_sink_save (TestSparseSink *sink, const gchar *path);
gboolean test_sparse_sink_wrote_after_eos (TestSparseSink *sink);
guint64 test_sparse_sink_bytes_written (TestSparseSink *sink);

G_END_DECLS
