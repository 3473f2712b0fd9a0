/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftAudioPlacer: decoded audio in, samples at their place on the output's sample grid out.
 *
 * The first buffer's timestamp places a run, after that samples are counted; only a gap or an
 * overlap that can be heard begins a new run. Three things make a first timestamp worse than the
 * stream deserves, and are mended here:
 *
 * - A decoder that clips its first buffer to the segment cuts at a whole sample but says the
 *   segment's start. The buffer after it tells the truth, so a run begins when two are there.
 * - Matroska, FLV and ASF round to milliseconds, up to 1 ms off in all. Packets of a constant
 *   length lie on a grid, though, and the nearest point of that grid is their true place.
 * - Nanoseconds cut off a third of them each time.
 *
 * Not thread safe: it belongs to the streaming thread.
 */
#include "weftaudioplacer.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Timestamps that disagree with the count of samples by less are jitter. */
#define JITTER_NS ((gint64) 40 * GST_MSECOND)
/* What rounding to milliseconds twice can do, and some. */
#define GRID_REACH_NS ((gint64) 1600 * GST_USECOND)
/* A clipped first buffer and the one after it agree within this. */
#define CLIP_REACH_NS ((gint64) GST_MSECOND)

struct _WeftAudioPlacer {
  GstAudioInfo in;
  GstAudioInfo out;
  gdouble volume;
  WeftAudioPlacedFunc placed;
  gpointer user_data;

  GstAudioConverter *converter;
  GstBuffer *held; /* the first buffer of a run */
  gint64 held_ns;
  gboolean has_grid;
  gint64 grid_ns; /* one point of it */

  gboolean running;
  gint64 origin_ns;    /* of the run's first sample */
  gint64 in_count;     /* input samples since */
  gint64 out_position; /* of the next output sample */
};

/*
 * weft_audio_placer_new:
 * @out: F32, interleaved
 * @volume: factor for every sample
 * @placed: called from within push and drain, in order of position
 */
WeftAudioPlacer *
weft_audio_placer_new (
    const GstAudioInfo *out, gdouble volume, WeftAudioPlacedFunc placed, gpointer user_data)
{
  WeftAudioPlacer *self = g_new0 (WeftAudioPlacer, 1);

  gst_audio_info_init (&self->in);
  self->out = *out;
  self->volume = volume;
  self->placed = placed;
  self->user_data = user_data;
  return self;
}

void
weft_audio_placer_free (WeftAudioPlacer *self)
{
  g_clear_pointer (&self->converter, gst_audio_converter_free);
  gst_clear_buffer (&self->held);
  g_free (self);
}

/* A resampler keeps its phase over a reset, so a new run gets a new one. */
static gboolean
make_converter (WeftAudioPlacer *self)
{
  GstAudioInfo in = self->in;

  g_clear_pointer (&self->converter, gst_audio_converter_free);
  /* Channels without places cannot be mixed; take the places that their number suggests. */
  if (GST_AUDIO_INFO_IS_UNPOSITIONED (&in) && in.channels > 1) {
    guint64 mask = gst_audio_channel_get_fallback_mask (in.channels);
    if (mask != 0 && gst_audio_channel_positions_from_mask (in.channels, mask, in.position))
      in.flags &= (guint) ~GST_AUDIO_FLAG_UNPOSITIONED;
  }
  self->converter = gst_audio_converter_new (GST_AUDIO_CONVERTER_FLAG_NONE, &in, &self->out, NULL);
  return self->converter != NULL;
}

/* Returns: %FALSE if such audio cannot be converted */
gboolean
weft_audio_placer_set_input (WeftAudioPlacer *self, const GstAudioInfo *in)
{
  if (self->converter != NULL && gst_audio_info_is_equal (in, &self->in))
    return TRUE;
  weft_audio_placer_drain (self);
  self->in = *in;
  return make_converter (self);
}

/* Timestamps are coarse; @boundary_ns is where some packet began, exactly. */
void
weft_audio_placer_set_grid (WeftAudioPlacer *self, gint64 boundary_ns)
{
  self->has_grid = TRUE;
  self->grid_ns = boundary_ns;
}

static gint64
samples_to_ns (const WeftAudioPlacer *self, gint64 samples)
{
  return (gint64) gst_util_uint64_scale_int ((guint64) samples, GST_SECOND, self->in.rate);
}

/* Converts @in_frames samples, or as much silence to get at what the resampler keeps back. */
static GstFlowReturn
convert (WeftAudioPlacer *self, GstAudioBuffer *in, gsize in_frames)
{
  gsize out_frames = gst_audio_converter_get_out_frames (self->converter, in_frames);
  GstBuffer *buffer;
  gpointer out_planes[1];
  GstMapInfo map;
  gint64 position = self->out_position;

  /* What gives nothing out yet must go in all the same. */
  buffer = gst_buffer_new_allocate (NULL, MAX (out_frames, 1) * (gsize) self->out.bpf, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  out_planes[0] = map.data;
  gst_audio_converter_samples (self->converter, GST_AUDIO_CONVERTER_FLAG_NONE,
      in != NULL ? in->planes : NULL, in_frames, out_planes, out_frames);
  if (self->volume != 1.0) {
    gfloat volume = (gfloat) self->volume;
    gfloat *samples = (gfloat *) map.data;
    for (gsize i = 0; i < out_frames * (gsize) self->out.channels; i++)
      samples[i] *= volume;
  }
  gst_buffer_unmap (buffer, &map);
  if (out_frames == 0) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  self->out_position += (gint64) out_frames;
  return self->placed (position, (gint64) out_frames, buffer, self->user_data);
}

static GstFlowReturn
convert_buffer (WeftAudioPlacer *self, GstBuffer *buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstAudioBuffer in;

  if (gst_audio_buffer_map (&in, &self->in, buffer, GST_MAP_READ)) {
    gsize n = GST_AUDIO_BUFFER_N_SAMPLES (&in);
    self->in_count += (gint64) n;
    flow = convert (self, &in, n);
    gst_audio_buffer_unmap (&in);
  }
  gst_buffer_unref (buffer);
  return flow;
}

static void
begin_run (WeftAudioPlacer *self, gint64 origin_ns)
{
  guint64 distance =
      gst_util_uint64_scale_round ((guint64) ABS (origin_ns), (guint64) self->out.rate, GST_SECOND);

  self->running = TRUE;
  self->origin_ns = origin_ns;
  self->in_count = 0;
  self->out_position = origin_ns < 0 ? -(gint64) distance : (gint64) distance;
}

static gint64
snap_to_grid (const WeftAudioPlacer *self, gint64 time_ns, gint64 packet_samples)
{
  gint64 distance, packets, snapped;
  gint64 period_ns = samples_to_ns (self, packet_samples);

  if (!self->has_grid || period_ns < 2 * GRID_REACH_NS)
    return time_ns;
  distance = time_ns - self->grid_ns;
  packets = (distance + (distance < 0 ? -period_ns : period_ns) / 2) / period_ns;
  snapped = self->grid_ns
            + (packets < 0 ? -samples_to_ns (self, -packets * packet_samples)
                           : samples_to_ns (self, packets * packet_samples));
  return ABS (snapped - time_ns) <= GRID_REACH_NS ? snapped : time_ns;
}

/*
 * weft_audio_buffer_samples:
 *
 * Returns: samples per channel in @buffer. A decoder that clips planar audio shortens what the
 *   meta says and leaves the memory as long as it was.
 */
gint64
weft_audio_buffer_samples (GstBuffer *buffer, const GstAudioInfo *info)
{
  GstAudioMeta *meta = gst_buffer_get_audio_meta (buffer);

  return meta != NULL ? (gint64) meta->samples
                      : (gint64) (gst_buffer_get_size (buffer) / (gsize) info->bpf);
}

/* Starts with what is held; @next_ns is the boundary after it, or its own guess. */
static GstFlowReturn
release_held (WeftAudioPlacer *self, gint64 next_ns)
{
  gint64 origin = next_ns - samples_to_ns (self, weft_audio_buffer_samples (self->held, &self->in));

  if (ABS (origin - self->held_ns) > MAX (CLIP_REACH_NS, self->has_grid ? GRID_REACH_NS : 0))
    origin = self->held_ns;
  begin_run (self, origin);
  return convert_buffer (self, g_steal_pointer (&self->held));
}

/*
 * weft_audio_placer_push:
 * @buffer: (transfer full): of the format last set
 * @time_ns: where it says to begin
 */
GstFlowReturn
weft_audio_placer_push (WeftAudioPlacer *self, GstBuffer *buffer, gint64 time_ns)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (self->converter == NULL) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (self->held != NULL) {
    gint64 end =
        self->held_ns + samples_to_ns (self, weft_audio_buffer_samples (self->held, &self->in));
    gint64 boundary = ABS (time_ns - end) <= JITTER_NS ? snap_to_grid (
                          self, time_ns, weft_audio_buffer_samples (buffer, &self->in))
                                                       : end;
    flow = release_held (self, boundary);
  }
  if (self->running
      && ABS (time_ns - self->origin_ns - samples_to_ns (self, self->in_count)) > JITTER_NS) {
    GST_DEBUG ("audio jumps by %" GST_STIME_FORMAT,
        GST_STIME_ARGS (time_ns - self->origin_ns - samples_to_ns (self, self->in_count)));
    if (flow == GST_FLOW_OK)
      flow = weft_audio_placer_drain (self);
  }
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  if (!self->running) {
    self->held = buffer;
    self->held_ns = time_ns;
    return GST_FLOW_OK;
  }
  return convert_buffer (self, buffer);
}

/* Ends the run: gives out all that is still inside. */
GstFlowReturn
weft_audio_placer_drain (WeftAudioPlacer *self)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (self->held != NULL)
    flow = release_held (self,
        self->held_ns + samples_to_ns (self, weft_audio_buffer_samples (self->held, &self->in)));
  if (flow == GST_FLOW_OK && self->running) {
    gsize latency = gst_audio_converter_get_max_latency (self->converter);
    if (latency > 0)
      flow = convert (self, NULL, latency);
  }
  weft_audio_placer_reset (self);
  return flow;
}

/* Ends the run and forgets what is still inside. */
void
weft_audio_placer_reset (WeftAudioPlacer *self)
{
  gst_clear_buffer (&self->held);
  if (self->running)
    make_converter (self);
  self->running = FALSE;
}
