/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/check.h>
#include <math.h>

#include "clipmedia.h"

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
  { "23976.mp4", 24000, 1001, 150, 48000, CLIP_X264 "-c:a aac" },
  { "25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac" },
  { "2997.mov", 30000, 1001, 180, 48000, CLIP_X264 "-c:a pcm_s16le" },
  { "30.mkv", 30, 1, 180, 48000, CLIP_X264 "-c:a aac" },
  { "60.mp4", 60, 1, 300, 48000, CLIP_X264 "-c:a aac" },
  { "open-gop.mp4", 30, 1, 180, 0,
      "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=50" },
  { "mpeg2.mpg", 25, 1, 150, 48000, "-c:v mpeg2video -b:v 3M -bf 2 -c:a mp2" },
  { "h264.ts", 25, 1, 150, 48000, CLIP_X264 "-c:a aac" },
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
    GString *json = clip_json_begin ((gint) rate, 1);
    g_autoptr (ClipRun) run = NULL;

    for (guint i = 0; i < G_N_ELEMENTS (ins); i++)
      clip_json_add (json, path, (guint64) llround (ins[i] * 1e9), n, NULL);
    run = clip_json_run (json, 1);
    clip_run_assert_whole (run, n * G_N_ELEMENTS (ins), (gint) rate, 1);
    for (guint i = 0; i < G_N_ELEMENTS (ins); i++) {
      for (guint k = 0; k < n; k++)
        g_assert_cmpint (clip_run_number_at (run, i * n + k), ==,
            expected_number (times, ins[i], k, (gdouble) rate));
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
      "-vf select='not(eq(mod(n\\,7)\\,3))' -vsync vfr " CLIP_X264 "-c:a aac");
  g_autoptr (ClipRun) run = NULL;
  GString *json = clip_json_begin (30, 1);

  clip_json_add (json, path, GST_SECOND, 30, NULL);
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 30, 30, 1);
  for (guint k = 0; k < 30; k++)
    g_assert_cmpint (clip_run_number_at (run, k), ==, (30 + k) % 7 == 3 ? 30 + k - 1 : 30 + k);
}

/* A file's own time begins with its first timestamp, wherever that is. */
static void
test_late_start (void)
{
  static const gchar *const names[] = { "late.mp4", "late.mkv", "late.ts", "late.flv" };
  g_autofree gchar *from = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");

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
  g_autofree gchar *from = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *large = clip_media_path ("large.ts");
  g_autofree gchar *small = clip_media_path ("small.ts");
  g_autofree gchar *both = clip_media_path ("both.ts");
  g_autoptr (ClipRun) run = NULL;
  GString *json = clip_json_begin (25, 1);

  clip_media_ffmpeg ("-i %s -t 1 " CLIP_X264 "-an %s", from, large);
  clip_media_ffmpeg (
      "-ss 1 -i %s -t 1 -vf scale=160:120 " CLIP_X264 "-an -output_ts_offset 1 %s", from, small);
  clip_media_ffmpeg ("-i concat:%s|%s -c copy %s", large, small, both);
  clip_json_add (json, both, 0, 48, "\"fit\":\"fill\"");
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 48, 25, 1);
  for (guint i = 0; i < 48; i++)
    g_assert_cmpint (clip_run_number_at (run, i), ==, (gint) i);
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
  GString *json = clip_json_begin (30, 1);
  g_autoptr (ClipRun) run = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ins); i++)
    clip_json_add (json, path, (guint64) llround (ins[i] * 1e9), frames, NULL);
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, frames * G_N_ELEMENTS (ins), 30, 1);
  for (guint i = 0; i < G_N_ELEMENTS (ins); i++) {
    g_autofree gfloat *heard = hear_with_ffmpeg (path, ins[i] + 0.1, n);
    gdouble alike;
    gint lag =
        find_lag (run, clip_samples_of_frames (i * frames, 30, 1) + 4800, heard, n, 200, &alike);

    g_test_message ("%s from %.2f: lag %d, alike %.3f", s->name, ins[i], lag, alike);
    /* the two resamplers differ at the upper end, and noise has much there */
    g_assert_cmpfloat (alike, >, 0.7);
    g_assert_cmpint (ABS (lag), <=, 1);
  }
}

static const Source sounds[] = {
  { "sound-aac.mp4", 30, 1, 150, 48000, CLIP_X264 "-c:a aac -b:a 192k" },
  { "sound-aac44.mp4", 25, 1, 125, 44100, CLIP_X264 "-c:a aac -b:a 192k" },
  { "sound-aac.mkv", 30, 1, 150, 48000, CLIP_X264 "-c:a aac -b:a 192k" },
  { "sound-flac44.mkv", 30, 1, 150, 44100, CLIP_X264 "-c:a flac" },
  { "sound-opus.webm", 30, 1, 150, 48000,
      "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus" },
  { "sound-mp3.mp4", 30, 1, 150, 48000, CLIP_X264 "-c:a libmp3lame -b:a 192k" },
  { "sound-ac3.ts", 25, 1, 125, 48000, CLIP_X264 "-c:a ac3" },
  { "sound-pcm.avi", 25, 1, 125, 44100, "-c:v mjpeg -q:v 3 -c:a pcm_s16le" },
};

/* Uncompressed sound of the output's rate comes out bit for bit. */
static void
test_sound_exact (void)
{
  g_autofree gchar *path =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, CLIP_X264 "-c:a pcm_s16le");
  GString *json = clip_json_begin (30, 1);
  g_autoptr (ClipRun) run = NULL;

  clip_json_add (json, path, 0, 17, NULL);
  clip_json_add (json, path, 1500 * GST_MSECOND, 23, NULL);
  clip_json_add (json, path, 100 * GST_MSECOND, 1, "\"volume\":0.5");
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 41, 30, 1);
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
  GString *json = clip_json_begin (30000, 1001);
  g_autofree gchar *a =
      clip_media_numbers ("23976.mp4", 24000, 1001, 150, 48000, CLIP_X264 "-c:a aac");
  g_autofree gchar *b = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *c =
      clip_media_numbers ("2997.mov", 30000, 1001, 180, 48000, CLIP_X264 "-c:a pcm_s16le");
  const gchar *paths[] = { a, b, c };
  g_autoptr (ClipRun) run = NULL;
  guint frames = 0, open_max = 0;

  for (guint i = 0; i < 400; i++) {
    guint length = 1 + i * 7 % 5;
    clip_json_add (json, paths[i % 3], (i * 37 % 20) * 100 * GST_MSECOND, length, NULL);
    frames += length;
  }
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, frames, 30000, 1001);
  for (guint i = 0, first = 0; i < 400; first += 1 + i * 7 % 5, i++) {
    guint tenths = i * 37 % 20;

    /* the uncompressed source: at a clip's first frame and sample stand the right ones */
    if (i % 3 == 2) {
      g_assert_cmpfloat (
          g_array_index (run->samples, gfloat, 2 * clip_samples_of_frames (first, 30000, 1001)), ==,
          clip_media_noise (tenths * 4800));
      g_assert_cmpint (clip_run_number_at (run, first), ==, first_number (tenths * 0.1));
    }
  }
  g_assert_true (gst_structure_get_uint (run->stats, "readers-open-max", &open_max));
  g_assert_cmpuint (open_max, <=, 6);
}

static void
test_lookahead (void)
{
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");

  for (guint lookahead = 0; lookahead <= 5; lookahead++) {
    GString *json = clip_json_begin (25, 1);
    g_autoptr (ClipRun) run = NULL;

    for (guint i = 0; i < 12; i++)
      clip_json_add (json, path, i * 400 * GST_MSECOND, 1 + i % 3, NULL);
    run = clip_json_run (json, lookahead);
    clip_run_assert_whole (run, 24, 25, 1);
    for (guint i = 0, first = 0; i < 12; first += 1 + i % 3, i++)
      g_assert_cmpint (clip_run_number_at (run, first), ==, (gint) (i * 10));
  }
}

/* ---- what clips may lack ---- */

static void
test_missing_streams (void)
{
  g_autofree gchar *full = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *silent = clip_media_path ("silent.mp4");
  g_autofree gchar *blind = clip_media_path ("blind.m4a");
  g_autofree gchar *still = clip_media_path ("still.png");
  g_autofree gchar *photo = clip_media_path ("still.jpg");
  g_autofree gchar *six = clip_media_path ("six.mp4");
  g_autofree gchar *brief = clip_media_path ("brief.mkv");
  g_autoptr (ClipRun) run = NULL;
  GString *json = clip_json_begin (25, 1);
  gdouble loudest = 0;

  clip_media_ffmpeg ("-i %s -c copy -an %s", full, silent);
  clip_media_ffmpeg ("-i %s -c copy -vn %s", full, blind);
  clip_media_ffmpeg ("-ss 1 -i %s -frames:v 1 %s", full, still);
  clip_media_ffmpeg ("-ss 1 -i %s -frames:v 1 -q:v 1 %s", full, photo);
  clip_media_ffmpeg ("-i %s -t 3 -c copy -an %s", full, six);
  clip_media_ffmpeg ("-i %s -i %s -map 0:v -map 1:a -c copy %s", six, full, brief);

  clip_json_add (json, silent, 0, 10, NULL);
  clip_json_add (json, blind, 0, 10, NULL);
  clip_json_add (json, still, 0, 10, NULL);
  clip_json_add (json, photo, 0, 10, NULL);
  clip_json_add (json, brief, 0, 100, NULL);
  clip_json_add (json, full, 0, 10, "\"video\":false");
  clip_json_add (json, full, 0, 10, "\"audio\":false");
  clip_json_add (json, full, 5600 * GST_MSECOND, 25, NULL);
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 185, 25, 1);

  for (guint i = 0; i < 10; i++) {
    g_assert_cmpint (clip_run_number_at (run, i), ==, (gint) i);
    g_assert_cmpint (clip_run_number_at (run, 10 + i), ==, CLIP_NO_NUMBER);
    g_assert_cmpint (clip_run_number_at (run, 20 + i), ==, 25);
    g_assert_cmpint (clip_run_number_at (run, 30 + i), ==, 25);
    g_assert_cmpint (clip_run_number_at (run, 140 + i), ==, CLIP_NO_NUMBER);
    g_assert_cmpint (clip_run_number_at (run, 150 + i), ==, (gint) i);
  }
  /* a stream that is shorter than its file is held, as is one shorter than its slot */
  g_assert_cmpint (clip_run_number_at (run, 139), >=, 74);
  g_assert_cmpint (clip_run_number_at (run, 139), <, 100);
  g_assert_cmpint (clip_run_number_at (run, 184), ==, 149);
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
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  GString *json = clip_json_begin (100, 1);
  g_autoptr (ClipRun) run = NULL;
  guint64 repeated = 0;

  clip_json_add (json, path, 0, 40, "\"fit\":\"none\"");
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 40, 100, 1);
  g_assert_cmpint (clip_run_number_at (run, 3), ==, 0);
  g_assert_cmpint (clip_run_number_at (run, 4), ==, 1);
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
  g_autofree gchar *path = clip_media_numbers ("25.mp4", 25, 1, 150, 44100, CLIP_X264 "-c:a aac");
  g_autofree gchar *lying = clip_media_path ("lying.mp4");
  g_autofree gchar *tagged = clip_media_path ("tagged.mp4");

  for (guint t = 0; t < G_N_ELEMENTS (turns); t++) {
    g_autoptr (ClipRun) run = NULL;
    GString *json = clip_json_begin (25, 1);

    clip_media_ffmpeg ("-i %s -t 1 -vf %s " CLIP_X264 "-an %s", path, turns[t].filter, lying);
    clip_media_ffmpeg ("-i %s -c copy -metadata:s:v rotate=%d %s", lying, turns[t].tag, tagged);
    clip_json_add (json, tagged, 0, 10, "\"fit\":\"fill\"");
    run = clip_json_run (json, 1);
    clip_run_assert_whole (run, 10, 25, 1);
    for (guint i = 0; i < 10; i++)
      g_assert_cmpint (clip_run_number_at (run, i), ==, (gint) i);
  }
}

static void
test_interlaced (void)
{
  g_autofree gchar *path = clip_media_numbers ("interlaced.mpg", 25, 1, 100, 48000,
      "-vf setfield=tff -c:v mpeg2video -flags +ildct+ilme -top 1 -b:v 4M -c:a mp2");
  g_autoptr (ClipRun) run = NULL;
  GString *json = clip_json_begin (25, 1);

  clip_json_add (json, path, 1000 * GST_MSECOND, 25, NULL);
  run = clip_json_run (json, 1);
  clip_run_assert_whole (run, 25, 25, 1);
  for (guint i = 1; i < 25; i++)
    g_assert_cmpint (clip_run_number_at (run, i), ==, clip_run_number_at (run, 0) + (gint) i);
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
  result = g_test_run ();
  clip_media_cleanup ();
  return result;
}
