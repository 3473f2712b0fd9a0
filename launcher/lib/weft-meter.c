/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-meter.h"

#include <gst/audio/audio.h>

#include "weft-graph-private.h"

/* What one output has received so far. Written by one streaming thread each, read by the owner. */
typedef struct {
  JsonObject *output; /* (unowned): in the plan */
  GstPad *video_pad;  /* (nullable): coded frames, at the muxer or at the picture's sink */
  GstPad *audio_pad;  /* (nullable): raw samples, at the encoder */
  gulong video_probe;
  gulong audio_probe;
  gint bytes_per_sample; /* of all channels; 0 until caps came */
  guint64 frames;        /* atomic */
  guint64 samples;       /* atomic */
} Gauge;

struct _WeftMeter {
  WeftPlan *plan;
  GPtrArray *sequences; /* of GstElement: the timeline's clipsequence, then those of videos in it */
  GPtrArray *sources;   /* (nullable) of GstStructure: their last words */
  GArray *gauges;       /* of Gauge, one an output; never resized after the probes were added */
};

static guint64
load (guint64 *counter)
{
  return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

static GstPadProbeReturn
count_frame_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Gauge *gauge = user_data;

  __atomic_add_fetch (&gauge->frames, 1, __ATOMIC_RELAXED);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
count_samples_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Gauge *gauge = user_data;

  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
      GstAudioInfo audio;
      GstCaps *caps;

      gst_event_parse_caps (event, &caps);
      if (gst_audio_info_from_caps (&audio, caps))
        gauge->bytes_per_sample = GST_AUDIO_INFO_BPF (&audio);
    }
  } else if (gauge->bytes_per_sample > 0) {
    gsize n =
        gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info)) / (gsize) gauge->bytes_per_sample;

    __atomic_add_fetch (&gauge->samples, n, __ATOMIC_RELAXED);
  }
  return GST_PAD_PROBE_OK;
}

static GstPad *
get_pad (GstElement *pipeline, const gchar *element_name, const gchar *pad_name)
{
  g_autoptr (GstElement) element =
      element_name ? gst_bin_get_by_name (GST_BIN (pipeline), element_name) : NULL;

  return element ? gst_element_get_static_pad (element, pad_name) : NULL;
}

static GPtrArray *
list_sequences (GstBin *pipeline)
{
  GPtrArray *sequences = g_ptr_array_new_with_free_func (gst_object_unref);
  GstElement *element = gst_bin_get_by_name (pipeline, WEFT_GRAPH_CLIPS);

  for (guint i = 0; element; i++) {
    g_autofree gchar *next = weft_graph_video_name (i);

    g_ptr_array_add (sequences, element);
    element = gst_bin_get_by_name (pipeline, next);
  }
  return sequences;
}

/* Adds probes to @pipeline, which is not running yet. */
WeftMeter *
weft_meter_new (WeftGraph *graph, WeftPlan *plan, GstElement *pipeline)
{
  WeftMeter *self = g_new0 (WeftMeter, 1);
  JsonArray *outputs =
      json_object_get_array_member (json_node_get_object (weft_plan_get_root (plan)), "outputs");
  guint n = json_array_get_length (outputs);

  self->plan = g_object_ref (plan);
  self->sequences = list_sequences (GST_BIN (pipeline));
  self->gauges = g_array_sized_new (FALSE, TRUE, sizeof (Gauge), n);
  g_array_set_size (self->gauges, n);

  for (guint i = 0; i < n; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);
    g_autofree gchar *mux = weft_graph_element_name (graph, "mux", i);
    g_autofree gchar *sink = weft_graph_element_name (graph, "sink", i);
    g_autofree gchar *encoder = weft_graph_audio_encoder_name (graph, i);

    gauge->output = json_array_get_object_element (outputs, i);
    gauge->video_pad = get_pad (pipeline, mux, "video_0");
    if (gauge->video_pad == NULL)
      gauge->video_pad = get_pad (pipeline, sink, "sink");
    if (gauge->video_pad)
      gauge->video_probe = gst_pad_add_probe (
          gauge->video_pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame_cb, gauge, NULL);
    gauge->audio_pad = get_pad (pipeline, encoder, "sink");
    if (gauge->audio_pad)
      gauge->audio_probe = gst_pad_add_probe (gauge->audio_pad,
          GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count_samples_cb, gauge,
          NULL);
  }
  return self;
}

/* The pipeline must have stopped. */
void
weft_meter_free (WeftMeter *self)
{
  for (guint i = 0; i < self->gauges->len; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);

    if (gauge->video_pad)
      gst_pad_remove_probe (gauge->video_pad, gauge->video_probe);
    if (gauge->audio_pad)
      gst_pad_remove_probe (gauge->audio_pad, gauge->audio_probe);
    g_clear_object (&gauge->video_pad);
    g_clear_object (&gauge->audio_pad);
  }
  g_array_unref (self->gauges);
  g_clear_pointer (&self->sources, g_ptr_array_unref);
  g_ptr_array_unref (self->sequences);
  g_object_unref (self->plan);
  g_free (self);
}

/* Returns: coded video frames (or pictures) that output number @output has received */
guint64
weft_meter_get_frames (WeftMeter *self, guint output)
{
  return load (&g_array_index (self->gauges, Gauge, output).frames);
}

/* Returns: audio samples per channel that were encoded for output number @output */
guint64
weft_meter_get_samples (WeftMeter *self, guint output)
{
  return load (&g_array_index (self->gauges, Gauge, output).samples);
}

static guint64
expected_frames (Gauge *gauge)
{
  gint64 frames = json_object_get_int_member_with_default (gauge->output, "frames", 1);

  return frames > 0 ? (guint64) frames : 1;
}

/* Returns: timeline frames that every video output has received */
guint64
weft_meter_get_done_frames (WeftMeter *self)
{
  guint64 least = G_MAXUINT64;

  for (guint i = 0; i < self->gauges->len; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);

    if (json_object_has_member (gauge->output, "frames"))
      least = MIN (least, load (&gauge->frames));
  }
  return least == G_MAXUINT64 ? 0 : least;
}

/* Returns: how much of the work is done, 0 to 1: frames of all video outputs, or pictures where
 * there is no video */
gdouble
weft_meter_get_fraction (WeftMeter *self)
{
  guint64 done[2] = { 0 };
  guint64 expected[2] = { 0 };
  guint has_video;

  for (guint i = 0; i < self->gauges->len; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);
    guint is_video = json_object_has_member (gauge->output, "frames");

    done[is_video] += MIN (load (&gauge->frames), expected_frames (gauge));
    expected[is_video] += expected_frames (gauge);
  }
  has_video = expected[1] > 0;
  return expected[has_video] > 0 ? (gdouble) done[has_video] / (gdouble) expected[has_video] : 0;
}

static GPtrArray *
get_source_stats (WeftMeter *self)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);

  for (guint i = 0; i < self->sequences->len; i++) {
    GstStructure *stats = NULL;

    g_object_get (g_ptr_array_index (self->sequences, i), "stats", &stats, NULL);
    if (stats)
      g_ptr_array_add (all, stats);
  }
  return all;
}

/* Keeps what every clipsequence says of its sources, which it forgets when it stops. */
void
weft_meter_keep_source_stats (WeftMeter *self)
{
  if (self->sources == NULL)
    self->sources = get_source_stats (self);
}

static gint64
find_bytes_read (const GstStructure *stats, const gchar *uri)
{
  const GValue *list = gst_structure_get_value (stats, "sources");

  for (guint i = 0; list && GST_VALUE_HOLDS_LIST (list) && i < gst_value_list_get_size (list);
       i++) {
    const GstStructure *source = gst_value_get_structure (gst_value_list_get_value (list, i));
    guint64 bytes;

    if (g_strcmp0 (gst_structure_get_string (source, "uri"), uri) == 0
        && gst_structure_get_uint64 (source, "bytes-read", &bytes))
      return (gint64) bytes;
  }
  return -1;
}

/* Returns: how much of @uri was read, by all who read it; -1 if nobody knows */
gint64
weft_meter_get_bytes_read (WeftMeter *self, const gchar *uri)
{
  g_autoptr (GPtrArray) stats =
      self->sources ? g_ptr_array_ref (self->sources) : get_source_stats (self);
  gint64 sum = -1;

  for (guint i = 0; i < stats->len; i++) {
    gint64 bytes = find_bytes_read (g_ptr_array_index (stats, i), uri);

    if (bytes >= 0)
      sum = MAX (sum, 0) + bytes;
  }
  return sum;
}

/* Returns: (transfer full): a text that changes whenever anything has moved */
gchar *
weft_meter_get_fingerprint (WeftMeter *self)
{
  g_autoptr (GPtrArray) stats = get_source_stats (self);
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < stats->len; i++) {
    g_autofree gchar *sources = gst_structure_to_string (g_ptr_array_index (stats, i));

    g_string_append (s, sources);
  }
  for (guint i = 0; i < self->gauges->len; i++)
    g_string_append_printf (s, ";%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT,
        weft_meter_get_frames (self, i), weft_meter_get_samples (self, i));
  return g_string_free (s, FALSE);
}

static gchar *
pad_path (GstPad *pad)
{
  g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);

  return g_strdup_printf (
      "%s.%s", element ? GST_OBJECT_NAME (element) : "?", GST_OBJECT_NAME (pad));
}

/* Returns: (transfer full): the pad where the flow ends: what clipsequence waits for, else the
 * input that is furthest behind */
gchar *
weft_meter_find_waiting_pad (WeftMeter *self)
{
  g_autofree gchar *waiting = NULL;
  GstPad *last = NULL;
  gdouble least = 2.0;

  for (guint i = 0; i < self->sequences->len; i++) {
    g_object_get (g_ptr_array_index (self->sequences, i), "waiting", &waiting, NULL);
    if (waiting)
      return g_steal_pointer (&waiting);
  }
  for (guint i = 0; i < self->gauges->len; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);
    gdouble video = (gdouble) load (&gauge->frames) / (gdouble) expected_frames (gauge);
    gint64 samples = json_object_get_int_member_with_default (gauge->output, "samples", 0);

    if (gauge->video_pad && video < least) {
      least = video;
      last = gauge->video_pad;
    }
    if (gauge->audio_pad && samples > 0
        && (gdouble) load (&gauge->samples) / (gdouble) samples < least) {
      least = (gdouble) load (&gauge->samples) / (gdouble) samples;
      last = gauge->audio_pad;
    }
  }
  return last ? pad_path (last) : g_strdup (WEFT_GRAPH_CLIPS);
}

/* Compares what came out with what the plan promised. */
gboolean
weft_meter_check (WeftMeter *self, GError **error)
{
  for (guint i = 0; i < self->gauges->len; i++) {
    Gauge *gauge = &g_array_index (self->gauges, Gauge, i);
    const gchar *pointer =
        json_object_get_string_member_with_default (gauge->output, "pointer", NULL);
    const gchar *uri = json_object_get_string_member_with_default (gauge->output, "uri", NULL);
    guint64 frames = expected_frames (gauge);
    guint64 samples = gauge->audio_pad ? (guint64) json_object_get_int_member_with_default (
                          gauge->output, "samples", 0)
                                       : 0;

    if (weft_meter_get_frames (self, i) == frames && weft_meter_get_samples (self, i) == samples)
      continue;
    weft_error_set_problem (error,
        weft_problem_new (WEFT_ERROR_OUTPUT_FAILED, pointer, uri,
            "please report this with the plan (`weft plan`)",
            "the output has %" G_GUINT64_FORMAT " frames and %" G_GUINT64_FORMAT
            " samples where the plan has %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
            weft_meter_get_frames (self, i), weft_meter_get_samples (self, i), frames, samples));
    return FALSE;
  }
  return TRUE;
}
