/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define FPS 30
#define RATE 48000

static guint
frames_to_samples (guint frames)
{
  return frames * (RATE / FPS);
}

/* Returns: (transfer full): an H.264 output; without audio if @audio_bitrate is 0 */
gchar *
fixture_video_output (const gchar *id, const gchar *folder, guint width, guint height,
    const gchar *scaled_from, guint latency_frames, guint frames, guint audio_bitrate)
{
  g_autofree gchar *from =
      scaled_from ? g_strdup_printf ("\"%s\"", scaled_from) : g_strdup ("null");
  g_autofree gchar *audio =
      audio_bitrate > 0 ? g_strdup_printf (
          "{\"codec\": \"aac\", \"encoder\": \"avenc_aac\", \"reason\": \"test\", \"bitrate\": %u,"
          " \"rate\": %u, \"channels\": 2, \"priming_samples\": 1024}",
          audio_bitrate, RATE)
                        : g_strdup ("null");

  return g_strdup_printf (
      "{\"id\": \"%s\", \"type\": \"video\", \"pointer\": \"/outputs/0\", \"uri\": "
      "\"file://%s/%s.mp4\","
      " \"container\": \"mp4\", \"width\": %u, \"height\": %u, \"frames\": %u, \"samples\": %u, "
      "\"scaled_from\": %s,"
      " \"video\": {\"codec\": \"h264\", \"encoder\": \"x264enc\", \"reason\": \"test\","
      " \"properties\": {\"speed-preset\": \"ultrafast\", \"quantizer\": 23}, \"latency_frames\": "
      "%u},"
      " \"audio\": %s, \"segments\": [{\"first_frame\": 0, \"frames\": %u, \"mode\": \"encode\"}]}",
      id, folder, id, width, height, frames, frames_to_samples (frames), from, latency_frames,
      audio, frames);
}

/* Returns: (transfer full): a JPEG of frame 12 */
gchar *
fixture_thumbnail_output (const gchar *id, const gchar *folder)
{
  return g_strdup_printf (
      "{\"id\": \"%s\", \"type\": \"thumbnail\", \"pointer\": \"/outputs/0\", \"uri\": "
      "\"file://%s/%s.jpg\","
      " \"format\": \"jpeg\", \"frame\": 12, \"width\": 320, \"height\": 180, \"quality\": 85}",
      id, folder, id);
}

/* Returns: (transfer full): clip number @index, all of them @frames long */
gchar *
fixture_clip (const gchar *uri, guint index, guint frames)
{
  return g_strdup_printf ("{\"id\": \"c%u\", \"pointer\": \"/timeline/clips/%u\", \"source\": 0, "
                          "\"uri\": \"%s\", \"first_frame\": %u,"
                          " \"frames\": %u, \"first_sample\": %u, \"samples\": %u, \"start_ns\": "
                          "0, \"in_ns\": 0, \"video\": true, \"audio\": true,"
                          " \"fit\": \"cover\", \"volume\": 1.0, \"on_error\": \"fail\"}",
      index, index, uri, index * frames, frames, frames_to_samples (index * frames),
      frames_to_samples (frames));
}

/* @clips and @overlays are comma-separated JSON; takes ownership of the NULL-terminated outputs. */
WeftPlan *
fixture_plan_new (guint width, guint height, guint frames, const gchar *clips,
    const gchar *overlays, gchar *first_output, va_list more)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *outputs = NULL;
  g_autofree gchar *json = NULL;
  g_autoptr (GError) error = NULL;
  WeftPlan *plan;

  for (gchar *output = first_output; output; output = va_arg (more, gchar *))
    g_ptr_array_add (list, output);
  g_ptr_array_add (list, NULL);
  outputs = g_strjoinv (",", (gchar **) list->pdata);
  json = g_strdup_printf (
      "{\"plan_version\": 1, \"weft_version\": \"0\", \"job_id\": \"job_1\", \"timeline\": "
      "{\"width\": %u, \"height\": %u,"
      " \"fps\": [%d, 1], \"rate\": %d, \"channels\": 2, \"background\": \"#000000\", \"frames\": "
      "%u, \"samples\": %u,"
      " \"duration_s\": %u.0},"
      " \"sources\": [{\"uri\": \"file:///none\", \"size\": 1, \"identity\": \"x\", \"container\": "
      "\"video/quicktime\","
      "   \"duration_ns\": 1000000000, \"start_ns\": 0, \"video\": null, \"audio\": null}],"
      " \"fonts\": [], \"clips\": [%s], \"overlays\": [%s], \"outputs\": [%s],"
      " \"unsupported\": [], \"warnings\": [],"
      " \"estimates\": {\"peak_bytes\": 0, \"output_bytes\": 0}}",
      width, height, FPS, RATE, frames, frames_to_samples (frames), frames / FPS, clips, overlays,
      outputs);
  plan = weft_plan_new_from_json (json, -1, &error);
  g_assert_no_error (error);
  return plan;
}
