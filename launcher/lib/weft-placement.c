/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-placement.h"

#include <gst/gst.h>
#include <math.h>

/* A frame rate above this, or below one frame in as many seconds, is a mistake in a job. */
#define MAX_RATE_TERM 1000000

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

static gboolean
set_reduced (WeftRate *rate, guint64 num, guint64 den)
{
  guint64 divisor;

  if (num == 0 || den == 0)
    return FALSE;
  divisor = gst_util_greatest_common_divisor_int64 ((gint64) num, (gint64) den);
  num /= divisor;
  den /= divisor;
  if (num > MAX_RATE_TERM || den > MAX_RATE_TERM)
    return FALSE;
  rate->num = (guint) num;
  rate->den = (guint) den;
  return TRUE;
}

/**
 * weft_rate_from_double:
 * @value: frames per second as somebody wrote them
 * @rate: (out): the rational rate
 *
 * The NTSC family is meant when somebody writes 23.976, 23.98, 29.97, 59.94 or 119.88: SMPTE ST 170
 * and its relatives run at N·1000/1001. Other values are taken to a thousandth.
 *
 * Returns: %FALSE if @value is no frame rate
 */
gboolean
weft_rate_from_double (gdouble value, WeftRate *rate)
{
  gdouble whole;

  if (!isfinite (value) || value < 0.001 || value > 1000.0)
    return FALSE;
  whole = round (value * 1.001);
  if (whole >= 1.0 && fmod (value, 1.0) != 0.0 && fabs (value - whole / 1.001) < 0.005
      && fmod (whole, 6.0) == 0.0)
    return set_reduced (rate, (guint64) whole * 1000, 1001);
  return set_reduced (rate, (guint64) round (value * 1000.0), 1000);
}

/**
 * weft_rate_parse:
 * @text: `30`, `29.97`, `30000/1001` or `30000:1001`
 * @rate: (out): the rational rate
 *
 * Returns: %FALSE if @text is no frame rate
 */
gboolean
weft_rate_parse (const gchar *text, WeftRate *rate)
{
  gchar *end = NULL;
  guint64 num, den;
  gdouble value;

  if (g_ascii_isdigit (*text)) {
    num = g_ascii_strtoull (text, &end, 10);
    if ((*end == '/' || *end == ':') && g_ascii_isdigit (end[1])) {
      den = g_ascii_strtoull (end + 1, &end, 10);
      if (*end != '\0' || num > G_MAXINT64 || den > G_MAXINT64)
        return FALSE;
      return set_reduced (rate, num, den);
    }
  }
  value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && weft_rate_from_double (value, rate);
}
