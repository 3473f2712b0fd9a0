/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-placement.h"

#include <gst/gst.h>

/**
 * weft_placement_time_to_frame:
 * @time_ns: a position on the timeline in nanoseconds
 * @fps: frames per second
 *
 * Returns: `round(t·N/D)`, halves upwards: the frame at which something at @time_ns begins
 */
guint64
weft_placement_time_to_frame (guint64 time_ns, WeftRate fps)
{
  return gst_util_uint64_scale_round (time_ns, fps.num, (guint64) fps.den * GST_SECOND);
}

/**
 * weft_placement_frame_to_ns:
 * @frame: a frame of the timeline
 * @fps: frames per second
 *
 * Returns: the time stamp of @frame, rounded down as GStreamer's own elements do
 */
guint64
weft_placement_frame_to_ns (guint64 frame, WeftRate fps)
{
  return gst_util_uint64_scale (frame, (guint64) fps.den * GST_SECOND, fps.num);
}

/**
 * weft_placement_frame_to_sample:
 * @frame: a frame of the timeline
 * @fps: frames per second
 * @rate: samples per second
 *
 * Returns: `round(f·D·rate/N)`: the audio sample at which @frame begins
 */
guint64
weft_placement_frame_to_sample (guint64 frame, WeftRate fps, guint rate)
{
  return gst_util_uint64_scale_round (frame, (guint64) fps.den * rate, fps.num);
}

/**
 * weft_placement_frame_to_seconds:
 * @frame: a frame of the timeline
 * @fps: frames per second
 *
 * For people and JSON only; nothing is computed from it.
 *
 * Returns: seconds
 */
gdouble
weft_placement_frame_to_seconds (guint64 frame, WeftRate fps)
{
  return (gdouble) frame * fps.den / fps.num;
}

/**
 * weft_placement_slot:
 * @position_ns: the sum of the lengths of all clips before this one
 * @length_ns: the length of this clip
 * @fps: frames per second of the timeline
 * @rate: samples per second of the timeline
 *
 * Both ends are rounded from their position on the timeline, so the end of one slot is the
 * beginning of the next and nothing adds up. A slot may have no frame at all.
 *
 * Returns: the slot
 */
WeftSlot
weft_placement_slot (guint64 position_ns, guint64 length_ns, WeftRate fps, guint rate)
{
  guint64 end_ns = length_ns > G_MAXUINT64 - position_ns ? G_MAXUINT64 : position_ns + length_ns;
  guint64 first_frame = weft_placement_time_to_frame (position_ns, fps);
  guint64 end_frame = weft_placement_time_to_frame (end_ns, fps);
  guint64 first_sample = weft_placement_frame_to_sample (first_frame, fps, rate);

  return (WeftSlot){
    .first_frame = first_frame,
    .frames = end_frame - first_frame,
    .first_sample = first_sample,
    .samples = weft_placement_frame_to_sample (end_frame, fps, rate) - first_sample,
  };
}
