/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "../support/patience.h"
#include "mp4support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define RUN_TIMEOUT (patience_us (100) * GST_USECOND)

/* ---- running ---- */

void
run_outcome_clear (RunOutcome *outcome)
{
  g_clear_error (&outcome->error);
  g_clear_pointer (&outcome->debug, g_free);
  g_clear_pointer (&outcome->warnings, g_ptr_array_unref);
  g_clear_pointer (&outcome->stats, gst_structure_free);
}

/* Plays @pipeline (transfer full) to its end or first error. */
void
run_pipeline (GstElement *pipeline, RunOutcome *outcome)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean over = FALSE;

  outcome->warnings = g_ptr_array_new_with_free_func (g_free);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!over) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, RUN_TIMEOUT,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT);

    g_assert_nonnull (message);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
      g_autoptr (GError) warning = NULL;
      g_autofree gchar *debug = NULL;

      gst_message_parse_warning (message, &warning, &debug);
      g_ptr_array_add (outcome->warnings, g_strdup_printf ("%s\n%s", warning->message, debug));
    } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT) {
      if (gst_message_has_name (message, "mp4layout")) {
        g_assert_null (outcome->stats);
        outcome->stats = gst_structure_copy (gst_message_get_structure (message));
      }
    } else {
      if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
        gst_message_parse_error (message, &outcome->error, &outcome->debug);
      over = TRUE;
    }
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

guint64
outcome_uint64 (const RunOutcome *outcome, const gchar *field)
{
  guint64 value = G_MAXUINT64;

  g_assert_nonnull (outcome->stats);
  g_assert_true (gst_structure_get_uint64 (outcome->stats, field, &value));
  return value;
}

gboolean
outcome_boolean (const RunOutcome *outcome, const gchar *field)
{
  gboolean value = FALSE;

  g_assert_nonnull (outcome->stats);
  g_assert_true (gst_structure_get_boolean (outcome->stats, field, &value));
  return value;
}

gchar *
test_folder_new (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("weft-test-XXXXXX", &error);

  g_assert_no_error (error);
  return folder;
}

void
test_folder_remove (gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

/* ---- foreign tools ---- */

/* Standard output of a program that must succeed and say nothing on standard error. */
gchar *
tool_output (gsize *size, const gchar *program, ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) out = NULL;
  g_autoptr (GBytes) err = NULL;
  const gchar *argument = program;
  gchar *text;
  va_list arguments;

  va_start (arguments, program);
  for (; argument != NULL; argument = va_arg (arguments, const gchar *))
    g_ptr_array_add (argv, (gpointer) argument);
  va_end (arguments);
  g_ptr_array_add (argv, NULL);

  process = g_subprocess_newv ((const gchar *const *) argv->pdata,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate (process, NULL, NULL, &out, &err, &error);
  g_assert_no_error (error);
  if (!g_subprocess_get_successful (process) || g_bytes_get_size (err) > 0)
    g_error ("%s: %.*s", program, (gint) g_bytes_get_size (err),
        (const gchar *) g_bytes_get_data (err, NULL));
  *size = g_bytes_get_size (out);
  text = g_malloc (*size + 1);
  memcpy (text, g_bytes_get_data (out, NULL), *size);
  text[*size] = '\0';
  return text;
}

/* Frames that are not counted may be no frames at all: nothing is said about them. */
JsonObject *
ffprobe (const gchar *path, gboolean count_frames)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;
  g_autofree gchar *text = tool_output (&size, "ffprobe", "-v", count_frames ? "error" : "quiet",
      "-of", "json", "-show_format", "-show_streams",
      count_frames ? "-count_frames" : "-show_format", path, NULL);

  root = json_from_string (text, &error);
  g_assert_no_error (error);
  return json_node_dup_object (root);
}

/* NULL if there is none. */
JsonObject *
probed_stream (JsonObject *probe, const gchar *type)
{
  JsonArray *streams = json_object_get_array_member (probe, "streams");

  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *stream = json_array_get_object_element (streams, i);
    if (g_str_equal (json_object_get_string_member (stream, "codec_type"), type))
      return stream;
  }
  return NULL;
}

/* ffprobe writes some whole numbers as strings. */
gint64
probed_int (JsonObject *stream, const gchar *member)
{
  JsonNode *node = json_object_get_member (stream, member);

  g_assert_nonnull (node);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_ascii_strtoll (json_node_get_string (node), NULL, 10);
  return json_node_get_int (node);
}

/* The first channel as ffmpeg decodes it. */
GArray *
decode_audio (const gchar *path)
{
  gsize size;
  g_autofree gchar *bytes = tool_output (&size, "ffmpeg", "-v", "error", "-i", path, "-map",
      "0:a:0", "-af", "pan=mono|c0=c0", "-f", "f32le", "-", NULL);
  GArray *samples = g_array_new (FALSE, FALSE, sizeof (gfloat));

  g_array_append_vals (samples, bytes, (guint) (size / sizeof (gfloat)));
  return samples;
}

static gint
compare_int64 (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* PTS of all packets in ticks, sorted. */
GArray *
packet_times (const gchar *path, const gchar *stream)
{
  gsize size;
  g_autofree gchar *text = tool_output (&size, "ffprobe", "-v", "error", "-select_streams", stream,
      "-show_entries", "packet=pts", "-of", "csv=p=0", path, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GArray *times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (gchar **line = lines; *line != NULL; line++) {
    gint64 time = g_ascii_strtoll (*line, NULL, 10);
    if (**line != '\0')
      g_array_append_val (times, time);
  }
  g_array_sort (times, compare_int64);
  return times;
}

/* ---- sound that can be found again ---- */

#define BURST_SAMPLES 480
#define BURST_SEARCH 200

/* A short chirp: unlike itself at any other place, and not at all like silence. */
static gfloat
burst_sample (guint number, gsize i)
{
  gdouble t = (gdouble) i / BURST_SAMPLES;
  gdouble window = 0.5 - 0.5 * cos (2 * G_PI * t);

  return (gfloat) (0.7 * window * sin (2 * G_PI * (8 + number % 5 + 14 * t) * t));
}

void
add_burst (gfloat *samples, gsize n_samples, gsize at, guint number)
{
  for (gsize i = 0; i < BURST_SAMPLES && at + i < n_samples; i++)
    samples[at + i] = burst_sample (number, i);
}

/* How many samples later than @at the burst is, found by correlation. */
gint
burst_lag (const gfloat *samples, gsize n_samples, gsize at, guint number)
{
  gdouble best = 0;
  gint best_lag = G_MAXINT;

  for (gint lag = -BURST_SEARCH * 10; lag <= BURST_SEARCH * 10; lag++) {
    gdouble sum = 0;

    if ((gint64) at + lag < 0)
      continue;
    for (gsize i = 0; i < BURST_SAMPLES; i++) {
      gsize place = (gsize) ((gint64) at + lag) + i;
      if (place < n_samples)
        sum += samples[place] * burst_sample (number, i);
    }
    if (sum > best) {
      best = sum;
      best_lag = lag;
    }
  }
  return best_lag;
}

/* ---- boxes ---- */

GBytes *
file_bytes (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

GArray *
boxes_in (GBytes *file, guint64 start, guint64 end)
{
  const guint8 *data = g_bytes_get_data (file, NULL);
  GArray *boxes = g_array_new (FALSE, TRUE, sizeof (TestBox));

  while (start < end) {
    TestBox box = { .offset = start, .header = 8 };

    g_assert_cmpuint (end - start, >=, 8);
    box.size = test_get_uint32 (data + start);
    memcpy (box.type, data + start + 4, 4);
    if (box.size == 1) {
      box.size = test_get_uint64 (data + start + 8);
      box.header = 16;
    }
    g_assert_cmpuint (box.size, >=, box.header);
    g_assert_cmpuint (box.size, <=, end - start);
    g_array_append_val (boxes, box);
    start += box.size;
  }
  return boxes;
}

/* The first box at a path such as moov/trak/tkhd. */
gboolean
box_find (GBytes *file, const gchar *path, TestBox *box)
{
  g_auto (GStrv) types = g_strsplit (path, "/", -1);
  guint64 start = 0, end = g_bytes_get_size (file);

  for (gchar **type = types; *type != NULL; type++) {
    g_autoptr (GArray) boxes = boxes_in (file, start, end);
    gboolean found = FALSE;

    for (guint i = 0; i < boxes->len && !found; i++) {
      *box = g_array_index (boxes, TestBox, i);
      found = g_str_equal (box->type, *type);
    }
    if (!found)
      return FALSE;
    start = box->offset + box->header;
    end = box->offset + box->size;
  }
  return TRUE;
}

static void
check_children (GBytes *file, const TestBox *parent)
{
  static const gchar *const containers[] = { "moov", "trak", "edts", "mdia", "minf", "dinf", "stbl",
    "udta", NULL };
  g_autoptr (GArray) boxes = NULL;

  if (!g_strv_contains (containers, parent->type))
    return;
  boxes = boxes_in (file, parent->offset + parent->header, parent->offset + parent->size);
  for (guint i = 0; i < boxes->len; i++)
    check_children (file, &g_array_index (boxes, TestBox, i));
}

/* All boxes tile the file and their parents; there is one movie header and one media data box. */
void
check_structure (GBytes *file)
{
  g_autoptr (GArray) boxes = boxes_in (file, 0, g_bytes_get_size (file));
  guint moovs = 0, mdats = 0;

  g_assert_cmpstr (g_array_index (boxes, TestBox, 0).type, ==, "ftyp");
  for (guint i = 0; i < boxes->len; i++) {
    TestBox *box = &g_array_index (boxes, TestBox, i);

    moovs += g_str_equal (box->type, "moov");
    mdats += g_str_equal (box->type, "mdat");
    check_children (file, box);
  }
  g_assert_cmpuint (moovs, ==, 1);
  g_assert_cmpuint (mdats, ==, 1);
}

GBytes *
media_payload (GBytes *file)
{
  TestBox box;

  g_assert_true (box_find (file, "mdat", &box));
  return g_bytes_new_from_bytes (file, box.offset + box.header, box.size - box.header);
}

/* ---- a sink that seeks ---- */

typedef struct {
  guint64 position;
  GBytes *bytes;
} Piece;

struct _TestSparseSink {
  GstElement parent;
  GstPad *pad;
  gboolean seekable;
  gsize keep_bytes;
  GArray *pieces;
  guint64 position;
  guint64 end;
  guint64 written;
  gboolean eos;
  gboolean wrote_after_eos;
};

G_DEFINE_FINAL_TYPE (TestSparseSink, test_sparse_sink, GST_TYPE_ELEMENT)

static void
piece_clear (gpointer data)
{
  g_bytes_unref (((Piece *) data)->bytes);
}

static GstFlowReturn
sparse_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  TestSparseSink *self = TEST_SPARSE_SINK (parent);
  gsize size = gst_buffer_get_size (buffer);

  self->wrote_after_eos |= self->eos;
  self->written += size;
  if (size <= self->keep_bytes) {
    gpointer data = NULL;
    Piece piece = { self->position, NULL };

    gst_buffer_extract_dup (buffer, 0, size, &data, &size);
    piece.bytes = g_bytes_new_take (data, size);
    g_array_append_val (self->pieces, piece);
  }
  self->position += size;
  self->end = MAX (self->end, self->position);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
sparse_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  TestSparseSink *self = TEST_SPARSE_SINK (parent);
  const GstSegment *segment;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    gst_event_parse_segment (event, &segment);
    g_assert_cmpint (segment->format, ==, GST_FORMAT_BYTES);
    if (!self->seekable)
      g_assert_cmpuint (segment->start, ==, self->position);
    self->position = segment->start;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    self->eos = TRUE;
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_eos (GST_OBJECT (self)));
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
sparse_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_seeking (query, GST_FORMAT_BYTES, TEST_SPARSE_SINK (parent)->seekable, 0, -1);
  return TRUE;
}

static void
test_sparse_sink_finalize (GObject *object)
{
  g_array_unref (TEST_SPARSE_SINK (object)->pieces);
  G_OBJECT_CLASS (test_sparse_sink_parent_class)->finalize (object);
}

static void
test_sparse_sink_class_init (TestSparseSinkClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_sparse_sink_finalize;
  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "Sparse sink", "Sink", "Keeps small buffers", "tests");
}

static void
test_sparse_sink_init (TestSparseSink *self)
{
  self->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (self->pieces, piece_clear);
  self->pad = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_chain_function (self->pad, sparse_chain);
  gst_pad_set_event_function (self->pad, sparse_event);
  gst_pad_set_query_function (self->pad, sparse_query);
  gst_element_add_pad (GST_ELEMENT (self), self->pad);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}

TestSparseSink *
test_sparse_sink_new (gboolean seekable, gsize keep_bytes)
{
  TestSparseSink *self = g_object_new (TEST_TYPE_SPARSE_SINK, NULL);

  self->seekable = seekable;
  self->keep_bytes = keep_bytes;
  return self;
}

/* Writes what was kept, with holes where it was not. */
void
test_sparse_sink_save (TestSparseSink *self, const gchar *path)
{
  FILE *file = g_fopen (path, "wb");

  g_assert_nonnull (file);
  g_assert_cmpint (ftruncate (fileno (file), (off_t) self->end), ==, 0);
  for (guint i = 0; i < self->pieces->len; i++) {
    Piece *piece = &g_array_index (self->pieces, Piece, i);
    gsize size;
    gconstpointer data = g_bytes_get_data (piece->bytes, &size);

    g_assert_cmpint (fseeko (file, (off_t) piece->position, SEEK_SET), ==, 0);
    g_assert_cmpuint (fwrite (data, 1, size, file), ==, size);
  }
  fclose (file);
}

gboolean
test_sparse_sink_wrote_after_eos (TestSparseSink *self)
{
  return self->wrote_after_eos;
}

guint64
test_sparse_sink_bytes_written (TestSparseSink *self)
{
  return self->written;
}
