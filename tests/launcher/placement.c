/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>

#include "weft-placement.h"

#define N_CLIPS 10000
#define SECOND G_GUINT64_CONSTANT (1000000000)

static const WeftRate rates[] = { { 24000, 1001 }, { 25, 1 }, { 30000, 1001 }, { 60, 1 },
  { 60000, 1001 }, { 8, 1 }, { 240, 1 } };
static const guint sample_rates[] = { 44100, 48000, 32000, 96000 };

/* a·b/c rounded half up, the slow and obvious way. */
static guint64
exact (guint64 a, guint64 b, guint64 c)
{
  unsigned __int128 product = (unsigned __int128) a * b;

  return (guint64) ((product * 2 + c) / ((unsigned __int128) c * 2));
}

static void
test_positions_are_rounded (void)
{
  WeftRate ntsc = { 30000, 1001 };

  g_assert_cmpuint (weft_placement_time_to_frame (0, ntsc), ==, 0);
  g_assert_cmpuint (weft_placement_time_to_frame (SECOND, ntsc), ==, 30);
  g_assert_cmpuint (weft_placement_time_to_frame (10 * SECOND, ntsc), ==, 300);
  g_assert_cmpuint (weft_placement_time_to_frame (100 * SECOND, ntsc), ==, 2997);
  /* Half a frame goes up. */
  g_assert_cmpuint (weft_placement_time_to_frame (20000000, (WeftRate){ 25, 1 }), ==, 1);
  g_assert_cmpuint (weft_placement_time_to_frame (19999999, (WeftRate){ 25, 1 }), ==, 0);
  g_assert_cmpuint (weft_placement_frame_to_sample (1, ntsc, 48000), ==, 1602);
  g_assert_cmpuint (weft_placement_frame_to_sample (30000, ntsc, 48000), ==, 48048000);
  g_assert_cmpuint (weft_placement_frame_to_sample (1, (WeftRate){ 30, 1 }, 44100), ==, 1470);
}

static void
test_ten_thousand_clips_do_not_drift (void)
{
  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    for (guint s = 0; s < G_N_ELEMENTS (sample_rates); s++) {
      WeftRate fps = rates[r];
      guint rate = sample_rates[s];
      guint64 position = 0, frames = 0, samples = 0;

      for (guint i = 0; i < N_CLIPS; i++) {
        guint64 length = (guint64) g_test_rand_int_range (1, 20000000) * 1000
                         + (guint64) g_test_rand_int_range (0, 1000);
        WeftSlot slot = weft_placement_slot (position, length, fps, rate);

        /* Each slot begins where the one before it ended. */
        g_assert_cmpuint (slot.first_frame, ==, frames);
        g_assert_cmpuint (slot.first_sample, ==, samples);
        /* It stands within half a frame, and its sound within half a sample, of where it should. */
        g_assert_cmpuint (slot.first_frame, ==, exact (position, fps.num, fps.den * SECOND));
        g_assert_cmpuint (
            slot.first_sample, ==, exact (slot.first_frame, (guint64) fps.den * rate, fps.num));
        frames += slot.frames;
        samples += slot.samples;
        position += length;
      }
      g_assert_cmpuint (frames, ==, exact (position, fps.num, fps.den * SECOND));
      g_assert_cmpuint (samples, ==, exact (frames, (guint64) fps.den * rate, fps.num));
    }
  }
}

static void
test_equal_clips_share_the_error (void)
{
  /* 400 clips of 1.01 s at 30 fps are 30.3 frames each: 12120 in all, not 400 times 30. */
  guint64 frames = 0;

  for (guint i = 0; i < 400; i++) {
    WeftSlot slot = weft_placement_slot (
        i * G_GUINT64_CONSTANT (1010000000), 1010000000, (WeftRate){ 30, 1 }, 48000);

    g_assert_cmpuint (slot.frames, >=, 30);
    g_assert_cmpuint (slot.frames, <=, 31);
    frames += slot.frames;
  }
  g_assert_cmpuint (frames, ==, 12120);
}

static void
test_a_sliver_has_no_frame (void)
{
  WeftSlot slot = weft_placement_slot (SECOND, 10000000, (WeftRate){ 30, 1 }, 48000);

  g_assert_cmpuint (slot.frames, ==, 0);
  g_assert_cmpuint (slot.samples, ==, 0);
}

static void
test_huge_times_do_not_wrap (void)
{
  WeftSlot slot = weft_placement_slot (G_MAXUINT64 - 5, 100, (WeftRate){ 240, 1 }, 96000);

  g_assert_cmpuint (slot.first_frame, >, G_GUINT64_CONSTANT (4000000000));
  g_assert_cmpuint (slot.first_frame + slot.frames, >=, slot.first_frame);
  g_assert_cmpuint (weft_placement_time_to_frame (G_MAXUINT64, (WeftRate){ 1000000, 1 }), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/placement/positions-are-rounded", test_positions_are_rounded);
  g_test_add_func (
      "/placement/ten-thousand-clips-do-not-drift", test_ten_thousand_clips_do_not_drift);
  g_test_add_func ("/placement/equal-clips-share-the-error", test_equal_clips_share_the_error);
  g_test_add_func ("/placement/a-sliver-has-no-frame", test_a_sliver_has_no_frame);
  g_test_add_func ("/placement/huge-times-do-not-wrap", test_huge_times_do_not_wrap);
  return g_test_run ();
}
