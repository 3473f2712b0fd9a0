/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Videos whose every picture carries its number in black and white blocks, whose every sample is
 * known, and a run of clipsequence that reads both back.
 */
#include "../support/patience.h"
#include "clipmedia.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>
#include <glib/gstdio.h>
#include <string.h>

#define BLOCKS 12
#define BLOCK_PITCH 25
#define BLOCK_LEFT 8
#define BLOCK_WIDTH 22
/* Without anything coming out; a run may take as long as it likes otherwise. */
#define STALL_TIMEOUT (patience_us (30) * GST_USECOND)

static gchar *dir;

const gchar *
clip_media_dir (void)
{
  if (dir == NULL)
    dir = g_dir_make_tmp ("weft-clips-XXXXXX", NULL);
  return dir;
}

gchar *
clip_media_path (const gchar *name)
{
  return g_build_filename (clip_media_dir (), name, NULL);
}

void
clip_media_cleanup (void)
{
  g_autoptr (GDir) d = dir != NULL ? g_dir_open (dir, 0, NULL) : NULL;
  const gchar *name;

  while (d != NULL && (name = g_dir_read_name (d)) != NULL) {
    g_autofree gchar *path = g_build_filename (dir, name, NULL);
    g_unlink (path);
  }
  if (dir != NULL)
    g_rmdir (dir);
  g_clear_pointer (&dir, g_free);
}

gboolean
clip_media_have_ffmpeg (void)
{
  g_autofree gchar *ffmpeg = g_find_program_in_path ("ffmpeg");
  g_autofree gchar *ffprobe = g_find_program_in_path ("ffprobe");

  if (ffmpeg != NULL && ffprobe != NULL)
    return TRUE;
  if (g_strcmp0 (g_getenv ("WEFT_TESTS_REQUIRE"), "all") == 0)
    g_error ("ffmpeg and ffprobe are required");
  return FALSE;
}

static gchar *
spawn (const gchar *command)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *err = NULL;
  gchar *out = NULL;
  gint status;

  if (!g_spawn_command_line_sync (command, &out, &err, &status, &error))
    g_error ("%s: %s", command, error->message);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s: %s", command, error->message, err);
  return out;
}

void
clip_media_ffmpeg (const gchar *arguments, ...)
{
  g_autofree gchar *text = NULL, *command = NULL, *out = NULL;
  va_list args;

  va_start (args, arguments);
  text = g_strdup_vprintf (arguments, args);
  va_end (args);
  command = g_strconcat ("ffmpeg -nostdin -v error -y ", text, NULL);
  out = spawn (command);
}

/* Returns: (transfer full): what it prints */
gchar *
clip_media_ffprobe (const gchar *arguments, ...)
{
  g_autofree gchar *text = NULL, *command = NULL;
  va_list args;

  va_start (args, arguments);
  text = g_strdup_vprintf (arguments, args);
  va_end (args);
  command = g_strconcat ("ffprobe -v error ", text, NULL);
  return spawn (command);
}

static void
draw_number (guint8 *luma, guint number)
{
  memset (luma, 60, CLIP_WIDTH * CLIP_HEIGHT);
  for (guint b = 0; b < BLOCKS; b++) {
    guint8 upper = (number >> b & 1) ? 235 : 16;
    for (guint y = 20; y < 220; y++) {
      if (y < 100 || y >= 140)
        memset (luma + y * CLIP_WIDTH + BLOCK_LEFT + b * BLOCK_PITCH, y < 100 ? upper : 251 - upper,
            BLOCK_WIDTH);
    }
  }
}

/* Which number a picture of any size carries. */
gint
clip_media_read_number (const guint8 *luma, gint stride, gint width, gint height)
{
  gint number = 0;

  for (gint b = 0; b < BLOCKS; b++) {
    gint x = (BLOCK_LEFT + b * BLOCK_PITCH + BLOCK_WIDTH / 2) * width / CLIP_WIDTH;
    gint upper = luma[(60 * height / CLIP_HEIGHT) * stride + x];
    gint lower = luma[(180 * height / CLIP_HEIGHT) * stride + x];

    if (ABS (upper - lower) < 60)
      return CLIP_NO_NUMBER;
    if (upper > lower)
      number |= 1 << b;
  }
  return number;
}

/* Noise of which each sample is known, and which 16 bits hold exactly. */
gfloat
clip_media_noise (guint64 sample)
{
  guint64 x = sample * 0x9e3779b97f4a7c15u;

  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 32;
  return (gfloat) ((gint) (x % 8001) - 4000) / 32768.0f;
}

static void
write_raw (const gchar *video, guint frames, const gchar *audio, guint64 samples)
{
  g_autofree guint8 *frame = g_malloc (CLIP_WIDTH * CLIP_HEIGHT * 3 / 2);
  FILE *f = g_fopen (video, "wb");

  memset (frame + CLIP_WIDTH * CLIP_HEIGHT, 128, CLIP_WIDTH * CLIP_HEIGHT / 2);
  for (guint i = 0; i < frames; i++) {
    draw_number (frame, i);
    g_assert_cmpuint (fwrite (frame, 1, CLIP_WIDTH * CLIP_HEIGHT * 3 / 2, f), >, 0);
  }
  fclose (f);

  f = g_fopen (audio, "wb");
  for (guint64 i = 0; i < samples; i++) {
    gint16 s = GINT16_TO_LE ((gint16) (clip_media_noise (i) * 32768.0f));
    gint16 both[2] = { s, s };
    g_assert_cmpuint (fwrite (both, sizeof both, 1, f), ==, 1);
  }
  fclose (f);
}

/*
 * Makes a video of numbered pictures and known noise.
 *
 * @rate: of the audio, or 0 for none
 * @encode: arguments for ffmpeg between the inputs and the output
 *
 * Returns: (transfer full): its path
 */
gchar *
clip_media_numbers (
    const gchar *name, gint fps_n, gint fps_d, guint frames, gint rate, const gchar *encode)
{
  gchar *path = clip_media_path (name);
  g_autofree gchar *video = clip_media_path ("raw.yuv");
  g_autofree gchar *audio = clip_media_path ("raw.s16");
  g_autofree gchar *sound = NULL;

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return path;
  write_raw (video, frames, audio,
      gst_util_uint64_scale (frames, (guint64) rate * (guint64) fps_d, (guint64) fps_n));
  if (rate > 0)
    sound = g_strdup_printf ("-f s16le -ar %d -ac 2 -i %s", rate, audio);
  clip_media_ffmpeg ("-f rawvideo -s %dx%d -r %d/%d -i %s %s %s %s", CLIP_WIDTH, CLIP_HEIGHT, fps_n,
      fps_d, video, sound != NULL ? sound : "", encode, path);
  return path;
}

/* ---- running ---- */

static void
video_handoff_cb (GstElement *sink, GstBuffer *buffer, GstPad *pad, ClipRun *run)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  GstVideoFrame frame;
  gint number;
  guint64 i = run->numbers->len;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==,
      gst_util_uint64_scale (i, (guint64) info.fps_d * GST_SECOND, (guint64) info.fps_n));
  g_assert_cmpuint (GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer), ==,
      gst_util_uint64_scale (i + 1, (guint64) info.fps_d * GST_SECOND, (guint64) info.fps_n));
  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, i);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  number = clip_media_read_number (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0),
      GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0), info.width, info.height);
  gst_video_frame_unmap (&frame);
  g_array_append_val (run->numbers, number);
  g_ptr_array_add (run->memories, gst_buffer_peek_memory (buffer, 0));
}

static void
audio_handoff_cb (GstElement *sink, GstBuffer *buffer, GstPad *pad, ClipRun *run)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstAudioInfo info;
  GstMapInfo map;

  g_assert_true (gst_audio_info_from_caps (&info, caps));
  run->channels = (guint) info.channels;
  g_assert_cmpuint (GST_BUFFER_OFFSET (buffer), ==, run->samples->len / run->channels);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==,
      gst_util_uint64_scale_int (GST_BUFFER_OFFSET (buffer), GST_SECOND, info.rate));
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_array_append_vals (run->samples, map.data, (guint) (map.size / sizeof (gfloat)));
  gst_buffer_unmap (buffer, &map);
}

/* Plays @clips, the JSON of clipsequence, to its end. */
ClipRun *
clip_run (const gchar *clips, guint lookahead)
{
  ClipRun *run = g_new0 (ClipRun, 1);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch ("clipsequence name=c c.video ! queue max-size-buffers=3 ! fakesink name=v "
                        "signal-handoffs=true "
                        "c.audio ! queue ! fakesink name=a signal-handoffs=true",
          NULL);
  g_autoptr (GstElement) sequence = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  g_autoptr (GstElement) video = gst_bin_get_by_name (GST_BIN (pipeline), "v");
  g_autoptr (GstElement) audio = gst_bin_get_by_name (GST_BIN (pipeline), "a");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean done = FALSE;
  guint64 came_before = 0;

  run->numbers = g_array_new (FALSE, FALSE, sizeof (gint));
  run->memories = g_ptr_array_new ();
  run->samples = g_array_new (FALSE, FALSE, sizeof (gfloat));
  g_object_set (sequence, "clips", clips, "lookahead", lookahead, NULL);
  g_signal_connect (video, "handoff", G_CALLBACK (video_handoff_cb), run);
  g_signal_connect (audio, "handoff", G_CALLBACK (audio_handoff_cb), run);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!done) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, STALL_TIMEOUT, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);

    if (message == NULL) {
      g_autofree gchar *waiting = NULL;
      g_autoptr (GstStructure) stats = NULL;
      guint64 frames = 0, samples = 0;

      g_object_get (sequence, "waiting", &waiting, "stats", &stats, NULL);
      gst_structure_get (
          stats, "frames", G_TYPE_UINT64, &frames, "samples", G_TYPE_UINT64, &samples, NULL);
      if (frames + samples == came_before)
        g_error ("nothing happens any more: %s", waiting);
      came_before = frames + samples;
      continue;
    }
    switch (GST_MESSAGE_TYPE (message)) {
      case GST_MESSAGE_WARNING:
        run->n_warnings++;
        break;
      case GST_MESSAGE_ERROR: {
        const GstStructure *details = NULL;
        gst_message_parse_error (message, &run->error, NULL);
        gst_message_parse_error_details (message, &details);
        run->details = details != NULL ? gst_structure_copy (details) : NULL;
        done = TRUE;
        break;
      }
      default:
        run->eos = done = TRUE;
        break;
    }
  }
  g_object_get (sequence, "stats", &run->stats, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return run;
}

void
clip_run_free (ClipRun *run)
{
  g_array_unref (run->numbers);
  g_ptr_array_unref (run->memories);
  g_array_unref (run->samples);
  g_clear_error (&run->error);
  g_clear_pointer (&run->details, gst_structure_free);
  g_clear_pointer (&run->stats, gst_structure_free);
  g_free (run);
}

/* ---- a list of clips ---- */

GString *
clip_json_begin (gint fps_n, gint fps_d)
{
  GString *json = g_string_new (NULL);

  g_string_printf (json,
      "{\"width\":%d,\"height\":%d,\"fps\":[%d,%d],\"rate\":48000,\"channels\":2,\"clips\":[",
      CLIP_WIDTH, CLIP_HEIGHT, fps_n, fps_d);
  return json;
}

void
clip_json_add (GString *json, const gchar *path, guint64 in_ns, guint frames, const gchar *more)
{
  if (json->str[json->len - 1] == '}')
    g_string_append_c (json, ',');
  g_string_append_printf (json,
      "{\"pointer\":\"/timeline/clips/7\",\"uri\":\"%s\",\"in_ns\":%" G_GUINT64_FORMAT
      ",\"frames\":%u%s%s}",
      path, in_ns, frames, more != NULL ? "," : "", more != NULL ? more : "");
}

ClipRun *
clip_json_run (GString *json, guint lookahead)
{
  G_GNUC_UNUSED g_autoptr (GString) owned = json;

  g_string_append (json, "]}");
  return clip_run (json->str, lookahead);
}

/* 48000 samples a second at any of the frame rates used here. */
guint64
clip_samples_of_frames (guint64 frames, gint fps_n, gint fps_d)
{
  return gst_util_uint64_scale_round (frames, 48000 * (guint64) fps_d, (guint64) fps_n);
}

void
clip_run_assert_whole (const ClipRun *run, guint frames, gint fps_n, gint fps_d)
{
  g_assert_no_error (run->error);
  g_assert_true (run->eos);
  g_assert_cmpuint (run->numbers->len, ==, frames);
  g_assert_cmpuint (run->samples->len / 2, ==, clip_samples_of_frames (frames, fps_n, fps_d));
}

gint
clip_run_number_at (const ClipRun *run, guint frame)
{
  return g_array_index (run->numbers, gint, frame);
}
