/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/audio/audio.h>
#include <gst/base/gstbasesrc.h>
#include <gst/base/gstpushsrc.h>
#include <gst/check/check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../support/patience.h"
#include "clipmedia.h"

#define X264 "-c:v libx264 -preset veryfast -bf 3 -g 60 -crf 20 "

static GString *
begin_clips (gint fps_n, gint fps_d)
{
  GString *json = g_string_new (NULL);

  g_string_printf (json,
      "{\"width\":%d,\"height\":%d,\"fps\":[%d,%d],\"rate\":48000,\"channels\":2,\"clips\":[",
      CLIP_WIDTH, CLIP_HEIGHT, fps_n, fps_d);
  return json;
}

static void
add_clip (GString *json, const gchar *path, guint64 in_ns, guint frames, const gchar *more)
{
  if (json->str[json->len - 1] == '}')
    g_string_append_c (json, ',');
  g_string_append_printf (json,
      "{\"pointer\":\"/timeline/clips/7\",\"uri\":\"%s\",\"in_ns\":%" G_GUINT64_FORMAT
      ",\"frames\":%u%s%s}",
      path, in_ns, frames, more != NULL ? "," : "", more != NULL ? more : "");
}

static ClipRun *
run_clips (GString *json, guint lookahead)
{
  G_GNUC_UNUSED g_autoptr (GString) owned = json;

  g_string_append (json, "]}");
  return clip_run (json->str, lookahead);
}

/* 48000 samples a second at any of the frame rates used here. */
static guint64
samples_of_frames (guint64 frames, gint fps_n, gint fps_d)
{
  return gst_util_uint64_scale_round (frames, 48000 * (guint64) fps_d, (guint64) fps_n);
}

static void
assert_whole (const ClipRun *run, guint frames, gint fps_n, gint fps_d)
{
  g_assert_no_error (run->error);
  g_assert_true (run->eos);
  g_assert_cmpuint (run->numbers->len, ==, frames);
  g_assert_cmpuint (run->samples->len / 2, ==, samples_of_frames (frames, fps_n, fps_d));
}

static gint
number_at (const ClipRun *run, guint frame)
{
  return g_array_index (run->numbers, gint, frame);
}

/* ---- frames ---- */

/* Nanoseconds of every picture since the start of the file, as ffprobe sees them. */
static GArray *
probe_times (const gchar *path)
{
  GArray *times = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autofree gchar *start =
      clip_media_ffprobe ("-show_entries format=start_time -of csv=p=0 %s", path);
  g_autofree gchar *text = clip_media_ffprobe (
      "-select_streams v:0 -show_entries frame=best_effort_timestamp_time -of csv=p=0 %s", path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    gdouble t = g_ascii_strtod (lines[i], NULL) - g_ascii_strtod (start, NULL);
    /* side data leaves empty lines */
    if (g_ascii_isdigit (lines[i][0]) || lines[i][0] == '-')
      g_array_append_val (times, t);
  }
  return times;
}

/* The rule of docs/design/0001 in floating point; ffprobe's microseconds blur exact halves. */
static gint
expected_number (GArray *times, gdouble in, guint k, gdouble fps)
{
  gint number = 0;

  for (guint i = 0; i < times->len; i++) {
    if (floor ((g_array_index (times, gdouble, i) - in) * fps + 0.5 + 1e-4) <= k)
      number = (gint) i;
  }
  return number;
}

typedef struct {
  const gchar *name;
  gint fps_n, fps_d;
  guint frames;
  gint rate;
  const gchar *encode;
} Source;

static const Source sources[] = {
  { "23976.mp4", 24000, 1001, 150, 48000, X264 "-c:a aac" },
  { "25.mp4", 25, 1, 150, 44100, X264 "-c:a aac" },
  { "2997.mov", 30000, 1001, 180, 48000, X264 "-c:a pcm_s16le" },
  { "30.mkv", 30, 1, 180, 48000, X264 "-c:a aac" },
  { "60.mp4", 60, 1, 300, 48000, X264 "-c:a aac" },
  { "open-gop.mp4", 30, 1, 180, 0,
      "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=50" },
  { "mpeg2.mpg", 25, 1, 150, 48000, "-c:v mpeg2video -b:v 3M -bf 2 -c:a mp2" },
  { "h264.ts", 25, 1, 150, 48000, X264 "-c:a aac" },
  { "mpeg4.avi", 25, 1, 150, 48000, "-c:v mpeg4 -b:v 2M -c:a libmp3lame" },
  { "mjpeg.avi", 30, 1, 150, 48000, "-c:v mjpeg -q:v 3 -c:a pcm_s16le" },
  { "prores.mov", 25, 1, 100, 48000, "-c:v prores_ks -c:a pcm_s16le" },
  { "vp8.webm", 30, 1, 150, 0, "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M" },
  { "hevc.mp4", 30, 1, 150, 48000,
      "-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a libmp3lame" },
};

/* Whether cuts of the file show the pictures that are due, at two frame rates. */
static void
assert_frames (const gchar *path)
{
  static const gdouble ins[] = { 0, 0.3, 1.5 };
  const guint n = 24;
  g_autoptr (GArray) times = probe_times (path);

  for (guint rate = 25; rate <= 30; rate += 5) {
    GString *json = begin_clips ((gint) rate, 1);
    g_autoptr (ClipRun) run = NULL;

    for (guint i = 0; i < G_N_ELEMENTS (ins); i++)
      add_clip (json, path, (guint64) llround (ins[i] * 1e9), n, NULL);
    run = run_clips (json, 1);
    assert_whole (run, n * G_N_ELEMENTS (ins), (gint) rate, 1);
    for (guint i = 0; i < G_N_ELEMENTS (ins); i++) {
      for (guint k = 0; k < n; k++)
        g_assert_cmpint (
            number_at (run, i * n + k), ==, expected_number (times, ins[i], k, (gdouble) rate));
    }
  }
}

static void
test_frames (gconstpointer data)
{
  const Source *s = data;
  g_autofree gchar *path =
      clip_media_numbers (s->name, s->fps_n, s->fps_d, s->frames, s->rate, s->encode);

  assert_frames (path);
}

/* Pictures that were left out are not shown, and what is shown instead is the one before. */
static void
test_variable_frame_rate (void)
{
  g_autofree gchar *path = clip_media_numbers ("vfr.mp4", 30, 1, 180, 48000,
      "-vf select='not(eq(mod(n\\,7)\\,3))' -vsync vfr " X264 "-c:a aac");
  g_autoptr (ClipRun) run = NULL;
  GString *json = begin_clips (30, 1);

  add_clip (json, path, GST_SECOND, 30, NULL);
  run = run_clips (json, 1);
  assert_whole (run, 30, 30, 1);
  for (guint k = 0; k < 30; k++)
    g_assert_cmpint (number_at (run, k), ==, (30 + k) % 7 == 3 ? 30 + k - 1 : 30 + k);
}

/* A file's own time begins with its first timestamp, wherever that is. */
static void
test_late_start (void)
{
  static const gchar *const names[] = { "late.mp4", "late.mkv", "late.ts", "late.flv" };
  g_autofree gchar *from = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = clip_media_path (names[i]);

    g_test_message ("%s", names[i]);
    clip_media_ffmpeg ("-i %s -c copy -output_ts_offset 5 %s", from, path);
    assert_frames (path);
  }
}

/* A stream may change its size; every picture is framed as it is. */
static void
test_size_change (void)
{
  g_autofree gchar *from = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *large = clip_media_path ("large.ts");
  g_autofree gchar *small = clip_media_path ("small.ts");
  g_autofree gchar *both = clip_media_path ("both.ts");
  g_autoptr (ClipRun) run = NULL;
  GString *json = begin_clips (25, 1);

  clip_media_ffmpeg ("-i %s -t 1 " X264 "-an %s", from, large);
  clip_media_ffmpeg (
      "-ss 1 -i %s -t 1 -vf scale=160:120 " X264 "-an -output_ts_offset 1 %s", from, small);
  clip_media_ffmpeg ("-i concat:%s|%s -c copy %s", large, small, both);
  add_clip (json, both, 0, 48, "\"fit\":\"fill\"");
  run = run_clips (json, 1);
  assert_whole (run, 48, 25, 1);
  for (guint i = 0; i < 48; i++)
    g_assert_cmpint (number_at (run, i), ==, (gint) i);
}

/* ---- samples ---- */

/* By how many samples what is heard at @at lies later than @expected says, and how alike it is. */
static gint
find_lag (
    const ClipRun *run, guint64 at, const gfloat *expected, guint n, gint reach, gdouble *alike)
{
  gint best = 0;
  gdouble best_sum = -1;

  for (gint lag = -reach; lag <= reach; lag++) {
    gdouble xy = 0, xx = 0, yy = 0;
    for (guint i = 0; i < n; i++) {
      gint64 p = (gint64) at + i + lag;
      gdouble x = p >= 0 && p < run->samples->len / 2
                      ? g_array_index (run->samples, gfloat, (guint) p * 2)
                      : 0;
      xy += x * expected[i];
      xx += x * x;
      yy += expected[i] * expected[i];
    }
    if (xy / sqrt (xx * yy + 1e-12) > best_sum) {
      best_sum = xy / sqrt (xx * yy + 1e-12);
      best = lag;
    }
  }
  *alike = best_sum;
  return best;
}

/* What ffmpeg hears in a file from @in on, at 48 kHz. */
static gfloat *
hear_with_ffmpeg (const gchar *path, gdouble in, guint n)
{
  g_autofree gchar *raw = clip_media_path ("heard.f32");
  g_autofree gchar *audio_start = clip_media_ffprobe (
      "-select_streams a:0 -show_entries stream=start_time -of csv=p=0 %s", path);
  g_autofree gchar *start =
      clip_media_ffprobe ("-show_entries format=start_time -of csv=p=0 %s", path);
  g_autofree gchar *content = NULL;
  gsize length;
  gfloat *heard = g_new0 (gfloat, n);
  gint64 skip =
      llround ((in - (g_ascii_strtod (audio_start, NULL) - g_ascii_strtod (start, NULL))) * 48000);

  clip_media_ffmpeg ("-i %s -map 0:a:0 -ac 1 -ar 48000 -f f32le %s", path, raw);
  g_assert_true (g_file_get_contents (raw, &content, &length, NULL));
  for (guint i = 0; i < n; i++) {
    gint64 p = skip + i;
    if (p >= 0 && (gsize) p < length / sizeof (gfloat))
      heard[i] = ((const gfloat *) content)[p];
  }
  return heard;
}

/* Sound stays within a sample of where ffmpeg hears it, whatever the container rounds. */
static void
test_sound_in_place (gconstpointer data)
{
  const Source *s = data;
  static const gdouble ins[] = { 0, 0.3, 1.5, 2.21 };
  const guint frames = 15, n = 4000;
  g_autofree gchar *path =
      clip_media_numbers (s->name, s->fps_n, s->fps_d, s->frames, s->rate, s->encode);
  GString *json = begin_clips (30, 1);
  g_autoptr (ClipRun) run = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ins); i++)
    add_clip (json, path, (guint64) llround (ins[i] * 1e9), frames, NULL);
  run = run_clips (json, 1);
  assert_whole (run, frames * G_N_ELEMENTS (ins), 30, 1);
  for (guint i = 0; i < G_N_ELEMENTS (ins); i++) {
    g_autofree gfloat *heard = hear_with_ffmpeg (path, ins[i] + 0.1, n);
    gdouble alike;
    gint lag = find_lag (run, samples_of_frames (i * frames, 30, 1) + 4800, heard, n, 200, &alike);

    g_test_message ("%s from %.2f: lag %d, alike %.3f", s->name, ins[i], lag, alike);
    /* the two resamplers differ at the upper end, and noise has much there */
    g_assert_cmpfloat (alike, >, 0.7);
    g_assert_cmpint (ABS (lag), <=, 1);
  }
}

static const Source sounds[] = {
  { "sound-aac.mp4", 30, 1, 150, 48000, X264 "-c:a aac -b:a 192k" },
  { "sound-aac44.mp4", 25, 1, 125, 44100, X264 "-c:a aac -b:a 192k" },
  { "sound-aac.mkv", 30, 1, 150, 48000, X264 "-c:a aac -b:a 192k" },
  { "sound-flac44.mkv", 30, 1, 150, 44100, X264 "-c:a flac" },
  { "sound-opus.webm", 30, 1, 150, 48000,
      "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus" },
  { "sound-mp3.mp4", 30, 1, 150, 48000, X264 "-c:a libmp3lame -b:a 192k" },
  { "sound-ac3.ts", 25, 1, 125, 48000, X264 "-c:a ac3" },
  { "sound-pcm.avi", 25, 1, 125, 44100, "-c:v mjpeg -q:v 3 -c:a pcm_s16le" },
};

/* Uncompressed sound of the output's rate comes out bit for bit. */
static void
test_sound_exact (void)
{
  g_autofree gchar *path =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, X264 "-c:a pcm_s16le");
  GString *json = begin_clips (30, 1);
  g_autoptr (ClipRun) run = NULL;

  add_clip (json, path, 0, 17, NULL);
  add_clip (json, path, 1500 * GST_MSECOND, 23, NULL);
  add_clip (json, path, 100 * GST_MSECOND, 1, "\"volume\":0.5");
  run = run_clips (json, 1);
  assert_whole (run, 41, 30, 1);
  for (guint i = 0; i < run->samples->len / 2; i++) {
    gfloat sample = g_array_index (run->samples, gfloat, 2 * i);
    if (i < 17 * 1600)
      g_assert_cmpfloat (sample, ==, clip_media_noise (i));
    else if (i < 40 * 1600)
      g_assert_cmpfloat (sample, ==, clip_media_noise (72000 + i - 17 * 1600));
    else
      g_assert_cmpfloat (sample, ==, 0.5f * clip_media_noise (4800 + i - 40 * 1600));
  }
}

/* The last picture of 29.97 a second that rounds to frame 0 or before, from @in on. */
static gint
first_number (gdouble in)
{
  gint number = 0;

  while (floor (((number + 1) * 1001 / 30000.0 - in) * 30000 / 1001 + 0.5 + 1e-6) <= 0)
    number++;
  return number;
}

/* 400 clips of odd lengths from files of odd rates end exactly where they should. */
static void
test_no_drift (void)
{
  GString *json = begin_clips (30000, 1001);
  g_autofree gchar *a = clip_media_numbers ("23976.mp4", 24000, 1001, 150, 48000, X264 "-c:a aac");
  g_autofree gchar *b = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *c =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, X264 "-c:a pcm_s16le");
  const gchar *paths[] = { a, b, c };
  g_autoptr (ClipRun) run = NULL;
  guint frames = 0, open_max = 0;

  for (guint i = 0; i < 400; i++) {
    guint length = 1 + i * 7 % 5;
    add_clip (json, paths[i % 3], (i * 37 % 20) * 100 * GST_MSECOND, length, NULL);
    frames += length;
  }
  run = run_clips (json, 1);
  assert_whole (run, frames, 30000, 1001);
  for (guint i = 0, first = 0; i < 400; first += 1 + i * 7 % 5, i++) {
    guint tenths = i * 37 % 20;

    /* the uncompressed source: at a clip's first frame and sample stand the right ones */
    if (i % 3 == 2) {
      g_assert_cmpfloat (
          g_array_index (run->samples, gfloat, 2 * samples_of_frames (first, 30000, 1001)), ==,
          clip_media_noise (tenths * 4800));
      g_assert_cmpint (number_at (run, first), ==, first_number (tenths * 0.1));
    }
  }
  g_assert_true (gst_structure_get_uint (run->stats, "readers-open-max", &open_max));
  g_assert_cmpuint (open_max, <=, 6);
}

static void
test_lookahead (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");

  for (guint lookahead = 0; lookahead <= 5; lookahead++) {
    GString *json = begin_clips (25, 1);
    g_autoptr (ClipRun) run = NULL;

    for (guint i = 0; i < 12; i++)
      add_clip (json, path, i * 400 * GST_MSECOND, 1 + i % 3, NULL);
    run = run_clips (json, lookahead);
    assert_whole (run, 24, 25, 1);
    for (guint i = 0, first = 0; i < 12; first += 1 + i % 3, i++)
      g_assert_cmpint (number_at (run, first), ==, (gint) (i * 10));
  }
}

/* ---- what clips may lack ---- */

static void
test_missing_streams (void)
{
  g_autofree gchar *full = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *silent = clip_media_path ("silent.mp4");
  g_autofree gchar *blind = clip_media_path ("blind.m4a");
  g_autofree gchar *still = clip_media_path ("still.png");
  g_autofree gchar *photo = clip_media_path ("still.jpg");
  g_autofree gchar *six = clip_media_path ("six.mp4");
  g_autofree gchar *brief = clip_media_path ("brief.mkv");
  g_autoptr (ClipRun) run = NULL;
  GString *json = begin_clips (25, 1);
  gdouble loudest = 0;

  clip_media_ffmpeg ("-i %s -c copy -an %s", full, silent);
  clip_media_ffmpeg ("-i %s -c copy -vn %s", full, blind);
  clip_media_ffmpeg ("-ss 1 -i %s -frames:v 1 %s", full, still);
  clip_media_ffmpeg ("-ss 1 -i %s -frames:v 1 -q:v 1 %s", full, photo);
  clip_media_ffmpeg ("-i %s -t 3 -c copy -an %s", full, six);
  clip_media_ffmpeg ("-i %s -i %s -map 0:v -map 1:a -c copy %s", six, full, brief);

  add_clip (json, silent, 0, 10, NULL);
  add_clip (json, blind, 0, 10, NULL);
  add_clip (json, still, 0, 10, NULL);
  add_clip (json, photo, 0, 10, NULL);
  add_clip (json, brief, 0, 100, NULL);
  add_clip (json, full, 0, 10, "\"video\":false");
  add_clip (json, full, 0, 10, "\"audio\":false");
  add_clip (json, full, 5600 * GST_MSECOND, 25, NULL);
  run = run_clips (json, 1);
  assert_whole (run, 185, 25, 1);

  for (guint i = 0; i < 10; i++) {
    g_assert_cmpint (number_at (run, i), ==, (gint) i);
    g_assert_cmpint (number_at (run, 10 + i), ==, CLIP_NO_NUMBER);
    g_assert_cmpint (number_at (run, 20 + i), ==, 25);
    g_assert_cmpint (number_at (run, 30 + i), ==, 25);
    g_assert_cmpint (number_at (run, 140 + i), ==, CLIP_NO_NUMBER);
    g_assert_cmpint (number_at (run, 150 + i), ==, (gint) i);
  }
  /* a stream that is shorter than its file is held, as is one shorter than its slot */
  g_assert_cmpint (number_at (run, 139), >=, 74);
  g_assert_cmpint (number_at (run, 139), <, 100);
  g_assert_cmpint (number_at (run, 184), ==, 149);
  g_assert_cmpuint (run->n_warnings, ==, 0);

  for (guint i = 0; i < 10 * 1920 * 2; i++) {
    g_assert_cmpfloat (g_array_index (run->samples, gfloat, i), ==, 0);
    g_assert_cmpfloat (g_array_index (run->samples, gfloat, 150 * 1920 * 2 + i), ==, 0);
    loudest = MAX (loudest, fabs (g_array_index (run->samples, gfloat, 10 * 1920 * 2 + i)));
  }
  g_assert_cmpfloat (loudest, >, 0.05);
}

/* A picture that is held is not made again. */
static void
test_repeats_share_memory (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  GString *json = begin_clips (100, 1);
  g_autoptr (ClipRun) run = NULL;
  guint64 repeated = 0;

  add_clip (json, path, 0, 40, "\"fit\":\"none\"");
  run = run_clips (json, 1);
  assert_whole (run, 40, 100, 1);
  g_assert_cmpint (number_at (run, 3), ==, 0);
  g_assert_cmpint (number_at (run, 4), ==, 1);
  g_assert_true (g_ptr_array_index (run->memories, 4) == g_ptr_array_index (run->memories, 5));
  g_assert_true (g_ptr_array_index (run->memories, 4) == g_ptr_array_index (run->memories, 7));
  g_assert_true (gst_structure_get_uint64 (run->stats, "frames-repeated", &repeated));
  g_assert_cmpuint (repeated, >=, 28);
}

/* What a phone filmed lying on its side, or on its head, stands upright. */
static void
test_rotation (void)
{
  static const struct {
    const gchar *filter;
    gint tag; /* what ffmpeg 5.1 makes of it: how far to turn back, against the clock */
  } turns[] = { { "transpose=clock", 90 }, { "hflip,vflip", 180 }, { "transpose=cclock", 270 } };
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *lying = clip_media_path ("lying.mp4");
  g_autofree gchar *tagged = clip_media_path ("tagged.mp4");

  for (guint t = 0; t < G_N_ELEMENTS (turns); t++) {
    g_autoptr (ClipRun) run = NULL;
    GString *json = begin_clips (25, 1);

    clip_media_ffmpeg ("-i %s -t 1 -vf %s " X264 "-an %s", path, turns[t].filter, lying);
    clip_media_ffmpeg ("-i %s -c copy -metadata:s:v rotate=%d %s", lying, turns[t].tag, tagged);
    add_clip (json, tagged, 0, 10, "\"fit\":\"fill\"");
    run = run_clips (json, 1);
    assert_whole (run, 10, 25, 1);
    for (guint i = 0; i < 10; i++)
      g_assert_cmpint (number_at (run, i), ==, (gint) i);
  }
}

static void
test_interlaced (void)
{
  g_autofree gchar *path = clip_media_numbers ("interlaced.mpg", 25, 1, 100, 48000,
      "-vf setfield=tff -c:v mpeg2video -flags +ildct+ilme -top 1 -b:v 4M -c:a mp2");
  g_autoptr (ClipRun) run = NULL;
  GString *json = begin_clips (25, 1);

  add_clip (json, path, 1000 * GST_MSECOND, 25, NULL);
  run = run_clips (json, 1);
  assert_whole (run, 25, 25, 1);
  for (guint i = 1; i < 25; i++)
    g_assert_cmpint (number_at (run, i), ==, number_at (run, 0) + (gint) i);
}

/* ---- damage ---- */

static void
cut_file (const gchar *from, const gchar *to, guint percent)
{
  g_autofree gchar *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (from, &content, &length, NULL));
  g_assert_true (g_file_set_contents (to, content, (gssize) (length * percent / 100), NULL));
}

static void
assert_fails (const gchar *path, GQuark domain, gint code)
{
  g_autoptr (ClipRun) failed = NULL, filled = NULL, skipped = NULL;
  GString *json = begin_clips (25, 1);
  const gchar *uri;
  guint index;

  add_clip (json, path, 0, 150, NULL);
  failed = run_clips (json, 1);
  g_test_message ("%s: %s", path, failed->error != NULL ? failed->error->message : "no error");
  g_assert_error (failed->error, domain, code);
  g_assert_nonnull (failed->details);
  g_assert_cmpstr (gst_structure_get_string (failed->details, "pointer"), ==, "/timeline/clips/7");
  uri = gst_structure_get_string (failed->details, "uri");
  g_assert_true (g_str_has_prefix (uri, "file:///") && g_str_has_suffix (uri, path));
  g_assert_true (gst_structure_get_uint (failed->details, "clip", &index));
  g_assert_cmpuint (index, ==, 0);
  g_assert_nonnull (gst_structure_get_string (failed->details, "stream"));

  json = begin_clips (25, 1);
  add_clip (json, path, 0, 150, "\"on_error\":\"background\"");
  filled = run_clips (json, 1);
  assert_whole (filled, 150, 25, 1);
  g_assert_cmpuint (filled->n_warnings, ==, 1);
  g_assert_cmpint (number_at (filled, 149), ==, CLIP_NO_NUMBER);

  json = begin_clips (25, 1);
  add_clip (json, path, 0, 150, "\"on_error\":\"skip\"");
  skipped = run_clips (json, 1);
  assert_whole (skipped, 150, 25, 1);
  g_assert_cmpuint (skipped->n_warnings, ==, 1);
}

static void
test_damage (void)
{
  g_autofree gchar *good = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *front = clip_media_path ("front.mp4");
  g_autofree gchar *mkv = clip_media_path ("whole.mkv");
  g_autofree gchar *missing = clip_media_path ("missing.mp4");
  g_autofree gchar *text = clip_media_path ("text.mp4");
  g_autofree gchar *empty = clip_media_path ("empty.mp4");
  g_autofree gchar *cut_front = clip_media_path ("cut-front.mp4");
  g_autofree gchar *cut_end = clip_media_path ("cut-end.mp4");
  g_autofree gchar *cut_mkv = clip_media_path ("cut.mkv");
  g_autoptr (GString) words = g_string_new (NULL);
  g_autoptr (ClipRun) run = NULL;
  GString *json = begin_clips (25, 1);

  clip_media_ffmpeg ("-i %s -c copy -movflags faststart %s", good, front);
  clip_media_ffmpeg ("-i %s -c copy %s", good, mkv);
  cut_file (front, cut_front, 60);
  cut_file (good, cut_end, 60);
  cut_file (mkv, cut_mkv, 60);
  while (words->len < 4096)
    g_string_append (words, "This is no video.\n");
  g_file_set_contents (text, words->str, -1, NULL);
  g_file_set_contents (empty, "", 0, NULL);

  assert_fails (missing, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  assert_fails (text, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE);
  assert_fails (empty, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND);
  assert_fails (cut_front, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);
  assert_fails (cut_end, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);
  assert_fails (cut_mkv, GST_STREAM_ERROR, GST_STREAM_ERROR_DEMUX);

  /* what is there of a file that was cut can be used */
  add_clip (json, cut_front, 0, 50, NULL);
  run = run_clips (json, 1);
  assert_whole (run, 50, 25, 1);
  g_assert_cmpint (number_at (run, 49), ==, 49);
}

static void
test_bad_documents (void)
{
  static const gchar *const documents[] = {
    "",
    "[]",
    "{",
    "{}",
    "{\"clips\":[]}",
    "{\"clips\":[{}]}",
    "{\"clips\":[3]}",
    "{\"clips\":[{\"uri\":7}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"frames\":0}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"frames\":1e300}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"fit\":\"fat\"}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"in\":3,\"out\":2}]}",
    "{\"clips\":[{\"uri\":\"/a\",\"in\":-1}]}",
    "{\"fps\":[0,1],\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"fps\":[30],\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"width\":99999999,\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"background\":\"red\",\"clips\":[{\"uri\":\"/a\"}]}",
    "{\"clips\":[{\"uri\":\"nothing://here\",\"frames\":3}]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autoptr (ClipRun) run = clip_run (documents[i], 1);
    g_test_message ("%s: %s", documents[i], run->error != NULL ? run->error->message : "no error");
    g_assert_nonnull (run->error);
    g_assert_false (run->eos);
  }
}

/* ---- standing alone ---- */

static void
test_defaults (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *clips = g_strdup_printf (
      "{\"clips\":[{\"uri\":\"%s\"},{\"uri\":\"%s\",\"in\":1,\"out\":2.02}]}", path, path);
  g_autoptr (ClipRun) run = clip_run (clips, 1);

  /* the size and rate of the first clip, all of it, and what was asked of the second */
  g_assert_no_error (run->error);
  g_assert_cmpint (number_at (run, 149), ==, 149);
  g_assert_cmpint (number_at (run, run->numbers->len - 1), ==, 50);
  g_assert_cmpuint (run->numbers->len, >=, 175);
  g_assert_cmpuint (run->numbers->len, <=, 178);
}

/* Paths in a document start where the document is. */
static void
test_location (void)
{
  G_GNUC_UNUSED g_autofree gchar *clip =
      clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *document = clip_media_path ("clips.json");
  g_autofree gchar *here = g_get_current_dir ();
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_assert_true (
      g_file_set_contents (document, "{\"clips\":[{\"uri\":\"25.mp4\",\"frames\":5}]}", -1, NULL));
  g_assert_cmpint (g_chdir (clip_media_dir ()), ==, 0);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = NULL;

    /* as a whole path, and from the current folder */
    g_object_set (sequence, "location", i == 0 ? document : "clips.json", NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
        bus, patience_us (30) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
  g_assert_cmpint (g_chdir (here), ==, 0);
}

static void
test_queries (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  GString *json = begin_clips (25, 1);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink name=v c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sequence, "video");
  g_autoptr (GstQuery) seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 duration = 0, position = -1;
  gboolean seekable = TRUE;

  add_clip (json, path, 0, 33, NULL);
  add_clip (json, path, 0, 44, NULL);
  g_string_append (json, "]}");
  g_object_set (sequence, "clips", json->str, NULL);
  g_string_free (json, TRUE);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_ASYNC);
  g_assert_cmpint (gst_element_get_state (pipeline, NULL, NULL, patience_us (20) * GST_USECOND), ==,
      GST_STATE_CHANGE_SUCCESS);
  g_assert_true (gst_pad_query_duration (pad, GST_FORMAT_TIME, &duration));
  g_assert_cmpint (duration, ==, 77 * 40 * (gint64) GST_MSECOND);
  g_assert_true (gst_pad_query_position (pad, GST_FORMAT_TIME, &position));
  g_assert_cmpint (position, >=, 0);
  g_assert_true (gst_pad_query (pad, seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  g_assert_false (seekable);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
pull_all (GstElement *pipeline, const gchar *name, GstClockTime *begin, guint64 *bytes)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstSample *sample = NULL;

  *begin = GST_CLOCK_TIME_NONE;
  *bytes = 0;
  for (g_signal_emit_by_name (sink, "pull-sample", &sample); sample != NULL;
       g_signal_emit_by_name (sink, "pull-sample", &sample)) {
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    const GstSegment *segment = gst_sample_get_segment (sample);
    GstClockTime pts = GST_BUFFER_PTS (buffer);

    if (*begin == GST_CLOCK_TIME_NONE) {
      *begin = pts;
      g_assert_cmpuint (gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts), ==, 0);
    }
    g_assert_cmpuint (gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts), ==, pts);
    *bytes += gst_buffer_get_size (buffer);
    gst_sample_unref (sample);
  }
}

/* A sequence that begins at frame 7 of 29.97 has that frame's samples under it, not those of frame
 * 0: a frame has 1601 or 1602. */
static void
test_first_frame (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");

  for (guint64 first = 7; first < 12; first++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (
        "clipsequence name=c c.video ! appsink name=v c.audio ! appsink name=a", NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    g_autofree gchar *json = g_strdup_printf (
        "{\"width\":320,\"height\":240,\"fps\":[30000,1001],\"rate\":48000,\"channels\":2,"
        "\"first_frame\":%" G_GUINT64_FORMAT ",\"clips\":[{\"uri\":\"%s\",\"frames\":1}]}",
        first, path);
    guint64 bytes, from = samples_of_frames (first, 30000, 1001);
    GstClockTime begin;

    g_object_set (sequence, "clips", json, NULL);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    pull_all (pipeline, "a", &begin, &bytes);
    g_assert_cmpuint (begin, ==, from * GST_SECOND / 48000);
    g_assert_cmpuint (bytes / 8, ==, samples_of_frames (first + 1, 30000, 1001) - from);
    pull_all (pipeline, "v", &begin, &bytes);
    g_assert_cmpuint (begin, ==, first * GST_SECOND * 1001 / 30000);
    g_assert_cmpuint (bytes, ==, 320 * 240 * 3 / 2);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* Who is not listened to is not decoded for, and holds up nobody. */
static void
test_one_pad_only (void)
{
  static const gchar *const lines[] = { "clipsequence name=c c.video ! fakesink",
    "clipsequence name=c c.audio ! fakesink",
    "clipsequence name=c c.video ! identity eos-after=5 ! fakesink c.audio ! fakesink" };
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (lines[i], NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GstStructure) stats = NULL;
    guint64 decoded = 1;
    GString *json = begin_clips (25, 1);

    for (guint j = 0; j < 4; j++)
      add_clip (json, path, 0, 50, NULL);
    g_string_append (json, "]}");
    g_object_set (sequence, "clips", json->str, NULL);
    g_string_free (json, TRUE);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (
        bus, patience_us (30) * GST_USECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
    g_object_get (sequence, "stats", &stats, NULL);
    g_assert_true (gst_structure_get_uint64 (stats, "frames-decoded", &decoded));
    if (i == 1)
      g_assert_cmpuint (decoded, ==, 0);
    else
      g_assert_cmpuint (decoded, >, 0);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* ---- stopping and standing still ---- */

#define TEST_TYPE_STUCK_SRC (test_stuck_src_get_type ())
G_DECLARE_FINAL_TYPE (TestStuckSrc, test_stuck_src, TEST, STUCK_SRC, GstPushSrc)

struct _TestStuckSrc {
  GstPushSrc parent_instance;
  GMutex lock;
  GCond cond;
  gboolean flushing;
};

static GstURIType
stuck_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
stuck_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "stuck", NULL };
  return protocols;
}

static gchar *
stuck_get_uri (GstURIHandler *handler)
{
  return g_strdup ("stuck://here");
}

static gboolean
stuck_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  return TRUE;
}

static void
stuck_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = stuck_get_type;
  handler->get_protocols = stuck_get_protocols;
  handler->get_uri = stuck_get_uri;
  handler->set_uri = stuck_set_uri;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestStuckSrc, test_stuck_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, stuck_uri_handler_init))

static GstFlowReturn
test_stuck_src_create (GstPushSrc *src, GstBuffer **buffer)
{
  TestStuckSrc *self = TEST_STUCK_SRC (src);

  g_mutex_lock (&self->lock);
  while (!self->flushing)
    g_cond_wait (&self->cond, &self->lock);
  g_mutex_unlock (&self->lock);
  return GST_FLOW_FLUSHING;
}

static gboolean
test_stuck_src_unlock (GstBaseSrc *src)
{
  TestStuckSrc *self = TEST_STUCK_SRC (src);

  g_mutex_lock (&self->lock);
  self->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
test_stuck_src_finalize (GObject *object)
{
  TestStuckSrc *self = TEST_STUCK_SRC (object);

  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  G_OBJECT_CLASS (test_stuck_src_parent_class)->finalize (object);
}

static void
test_stuck_src_init (TestStuckSrc *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

static void
test_stuck_src_class_init (TestStuckSrcClass *klass)
{
  static GstStaticPadTemplate template =
      GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

  G_OBJECT_CLASS (klass)->finalize = test_stuck_src_finalize;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &template);
  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "Stuck", "Source", "Never delivers", "Weft");
  GST_BASE_SRC_CLASS (klass)->unlock = test_stuck_src_unlock;
  GST_PUSH_SRC_CLASS (klass)->create = test_stuck_src_create;
}

static gchar *
await_waiting (GstElement *sequence)
{
  for (guint i = 0; i < 2000; i++) {
    gchar *waiting = NULL;
    g_object_get (sequence, "waiting", &waiting, NULL);
    if (waiting != NULL && strstr (waiting, "c:video") != NULL
        && strstr (waiting, "stuck://") != NULL)
      return waiting;
    g_free (waiting);
    g_usleep (5000);
  }
  return NULL;
}

/* A source that stops delivering is named, and does not keep the element from stopping. */
static void
test_stuck_source (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  GString *json = begin_clips (25, 1);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! fakesink c.audio ! fakesink", NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autofree gchar *waiting = NULL;
  gint64 begin;

  add_clip (json, path, 0, 10, NULL);
  add_clip (json, "stuck://here", 0, 10, NULL);
  add_clip (json, path, 0, 10, NULL);
  g_string_append (json, "]}");
  g_object_set (sequence, "clips", json->str, NULL);
  g_string_free (json, TRUE);
  g_object_get (sequence, "waiting", &waiting, NULL);
  g_assert_null (waiting);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  waiting = await_waiting (sequence);
  g_test_message ("%s", waiting);
  g_assert_nonnull (waiting);
  g_assert_nonnull (strstr (waiting, "/timeline/clips/7"));

  begin = g_get_monotonic_time ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (1));
}

/* Stopping is safe whatever is going on. */
static void
test_stop_any_time (void)
{
  g_autofree gchar *a = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, X264 "-c:a aac");
  g_autofree gchar *b =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, X264 "-c:a pcm_s16le");
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 100; round++) {
    g_autoptr (GstElement) pipeline = gst_parse_launch (
        "clipsequence name=c c.video ! queue max-size-buffers=2 ! fakesink c.audio ! fakesink",
        NULL);
    g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
    GString *json = begin_clips (30, 1);
    gint64 begin;

    for (guint i = 0; i < 30; i++)
      add_clip (json, i % 2 ? a : b, (i % 4) * 700 * GST_MSECOND, 1 + i % 9, NULL);
    g_string_append (json, "]}");
    g_object_set (sequence, "clips", json->str, "lookahead", round % 4, NULL);
    g_string_free (json, TRUE);
    gst_element_set_state (pipeline, round % 3 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    /* not waiting for anything: the moment is what is tried */
    g_usleep ((gulong) g_rand_int_range (random, 0, 120000));
    begin = g_get_monotonic_time ();
    gst_element_set_state (pipeline, GST_STATE_NULL);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, patience_us (3));
    if (round % 10 == 0) {
      gst_element_set_state (pipeline, GST_STATE_PAUSED);
      gst_element_set_state (pipeline, GST_STATE_NULL);
    }
  }
}

int
main (int argc, char **argv)
{
  gint result;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  if (!clip_media_have_ffmpeg ()) {
    g_print ("1..0 # SKIP ffmpeg and ffprobe are not installed\n");
    return 0;
  }
  gst_element_register (NULL, "stucksrc", GST_RANK_PRIMARY, TEST_TYPE_STUCK_SRC);

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autofree gchar *name = g_strdup_printf ("/clipsequence/frames/%s", sources[i].name);
    g_test_add_data_func (name, &sources[i], test_frames);
  }
  for (guint i = 0; i < G_N_ELEMENTS (sounds); i++) {
    g_autofree gchar *name = g_strdup_printf ("/clipsequence/sound/%s", sounds[i].name);
    g_test_add_data_func (name, &sounds[i], test_sound_in_place);
  }
  g_test_add_func ("/clipsequence/variable-frame-rate", test_variable_frame_rate);
  g_test_add_func ("/clipsequence/late-start", test_late_start);
  g_test_add_func ("/clipsequence/size-change", test_size_change);
  g_test_add_func ("/clipsequence/sound/exact", test_sound_exact);
  g_test_add_func ("/clipsequence/no-drift", test_no_drift);
  g_test_add_func ("/clipsequence/lookahead", test_lookahead);
  g_test_add_func ("/clipsequence/missing-streams", test_missing_streams);
  g_test_add_func ("/clipsequence/repeats-share-memory", test_repeats_share_memory);
  g_test_add_func ("/clipsequence/rotation", test_rotation);
  g_test_add_func ("/clipsequence/interlaced", test_interlaced);
  g_test_add_func ("/clipsequence/damage", test_damage);
  g_test_add_func ("/clipsequence/bad-documents", test_bad_documents);
  g_test_add_func ("/clipsequence/defaults", test_defaults);
  g_test_add_func ("/clipsequence/location", test_location);
  g_test_add_func ("/clipsequence/queries", test_queries);
  g_test_add_func ("/clipsequence/first-frame", test_first_frame);
  g_test_add_func ("/clipsequence/one-pad-only", test_one_pad_only);
  g_test_add_func ("/clipsequence/stuck-source", test_stuck_source);
  g_test_add_func ("/clipsequence/stop-any-time", test_stop_any_time);
  result = g_test_run ();
  clip_media_cleanup ();
  return result;
}
