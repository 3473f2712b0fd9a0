/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CPU per frame of overlaytimeline at 1080x1920, beside textoverlay and ffmpeg's drawtext and
 * overlay.
 *
 *   meson test --benchmark -v overlaytimeline
 *
 * Only the element works in the measured thread: one buffer goes round and round through a harness.
 */

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <sys/resource.h>
#include <time.h>

#define WIDTH 1080
#define HEIGHT 1920
#define N_FRAMES 300

#define ITEM_TITLE                                                                                 \
  "{\"type\":\"text\",\"text\":\"Bienvenue à Nice\",\"position\":\"top\",\"font\":{\"size\":96,"  \
  "\"weight\":\"bold\",\"stroke\":{\"width\":4},\"shadow\":{}}}"
#define ITEM_CAPTION                                                                               \
  "{\"type\":\"text\",\"text\":\"A caption of three lines\\nas one sees them every day\\nunder a " \
  "talking head\",\"position\":\"bottom\",\"font\":{\"size\":64,\"stroke\":{\"width\":6}}}"

static gdouble
get_thread_cpu_ms (void)
{
  struct timespec t;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (gdouble) t.tv_sec * 1e3 + (gdouble) t.tv_nsec / 1e6;
}

static gdouble
get_children_cpu_ms (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (gdouble) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
         + (gdouble) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* CPU a frame when nobody else has the frame (@shared FALSE), or when upstream keeps it. */
static gdouble
measure (GstElement *element, const gchar *sink, const gchar *format, gboolean shared)
{
  GstHarness *h = gst_harness_new_with_element (element, sink, "src");
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1", format, WIDTH, HEIGHT);
  GstVideoInfo info;
  gdouble begin = 0;

  gst_harness_set_src_caps_str (h, caps);
  gst_video_info_set_format (&info, gst_video_format_from_string (format), WIDTH, HEIGHT);
  GstBuffer *kept[2] = { gst_buffer_new_allocate (NULL, info.size, NULL),
    gst_buffer_new_allocate (NULL, info.size, NULL) };
  for (guint i = 0; i < 2; i++)
    gst_buffer_memset (kept[i], 0, 90, info.size);
  GstBuffer *buffer = gst_buffer_copy_deep (kept[0]);
  for (gint i = -30; i < N_FRAMES; i++) {
    if (i == 0)
      begin = get_thread_cpu_ms ();
    if (shared)
      gst_buffer_replace (&buffer, NULL), buffer = gst_buffer_copy (kept[i & 1]);
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale ((guint64) i + 30, GST_SECOND, 30);
    GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
    gst_harness_push (h, g_steal_pointer (&buffer));
    buffer = gst_harness_pull (h);
  }
  gdouble cpu = (get_thread_cpu_ms () - begin) / N_FRAMES;
  gst_buffer_unref (buffer);
  gst_buffer_unref (kept[0]);
  gst_buffer_unref (kept[1]);
  gst_harness_teardown (h);
  return cpu;
}

static gdouble
measure_overlay (const gchar *items, const gchar *format, gboolean shared)
{
  g_autofree gchar *timeline =
      g_strdup_printf ("{\"width\":%d,\"height\":%d,\"overlays\":[%s]}", WIDTH, HEIGHT, items);
  GstElement *element = gst_element_factory_make ("overlaytimeline", NULL);

  if (element == NULL)
    g_error ("overlaytimeline is not there");
  g_object_set (element, "timeline", timeline, NULL);
  gdouble cpu = measure (element, "sink", format, shared);
  gst_object_unref (element);
  return cpu;
}

/* CPU a frame of an ffmpeg filter, less that of the same command without it. */
static gdouble
measure_ffmpeg (const gchar *input, const gchar *filter)
{
  gdouble cpu[2];

  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *command = g_strdup_printf (
        "ffmpeg -v error -nostdin -f lavfi -i color=c=gray:s=%dx%d:r=30,format=yuv420p %s "
        "-filter_complex_threads 1 -filter_complex \"[0:v]%s\" -frames:v %d -f null -",
        WIDTH, HEIGHT, input, i == 0 ? "null" : filter, N_FRAMES);
    gdouble before = get_children_cpu_ms ();
    if (!g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL))
      return -1;
    cpu[i] = get_children_cpu_ms () - before;
  }
  return (cpu[1] - cpu[0]) / N_FRAMES;
}

static gdouble
measure_textoverlay (const gchar *text, const gchar *font, const gchar *format)
{
  GstElement *element = gst_element_factory_make ("textoverlay", NULL);

  if (element == NULL)
    return -1;
  g_object_set (element, "text", text, "font-desc", font, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "scale-mode", "none");
  gdouble cpu = measure (element, "video_sink", format, FALSE);
  gst_object_unref (element);
  return cpu;
}

static gchar *
write_picture (void)
{
  g_autofree gchar *path = g_build_filename (g_get_tmp_dir (), "weft-overlaybench.png", NULL);
  g_autofree gchar *command =
      g_strdup_printf ("ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=%dx%d -vf "
                       "format=rgba,colorchannelmixer=aa=0.5 -frames:v 1 %s",
          WIDTH, HEIGHT, path);

  return g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL) ? g_steal_pointer (&path)
                                                                     : NULL;
}

int
main (int argc, char **argv)
{
  static const gchar *const formats[] = { "I420", "NV12", "YUY2", "I420_10LE", "P010_10LE", "BGRA",
    "BGRx", "A420" };
  static const gchar *const caption =
      "A caption of three lines\nas one sees them every day\nunder a talking head";

  gst_init (&argc, &argv);
  g_autofree gchar *path = write_picture ();
  g_autofree gchar *picture =
      g_strdup_printf ("{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0,\"width\":1}", path);
  g_autofree gchar *faded =
      g_strdup_printf ("{\"type\":\"image\",\"src\":\"%s\",\"x\":0,\"y\":0,\"width\":1,"
                       "\"end\":60,\"animate\":{\"in\":\"fade\",\"duration\":60}}",
          path);
  const struct {
    const gchar *name;
    const gchar *items;
  } cases[] = { { "nothing", "" }, { "title", ITEM_TITLE }, { "caption", ITEM_CAPTION },
    { "full-frame picture", picture }, { "full-frame, fading", faded } };

  g_print ("# ms of CPU a frame, %dx%d\n", WIDTH, HEIGHT);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
      g_print ("overlaytimeline %-20s %-10s in place %7.4f   copied %7.4f\n", cases[i].name,
          formats[f], measure_overlay (cases[i].items, formats[f], FALSE),
          measure_overlay (cases[i].items, formats[f], TRUE));
  }
  g_print ("textoverlay     title                I420       in place %7.4f\n",
      measure_textoverlay ("Bienvenue à Nice", "Sans Bold 72", "I420"));
  g_print ("textoverlay     caption              I420       in place %7.4f\n",
      measure_textoverlay (caption, "Sans 48", "I420"));
  g_print ("ffmpeg drawtext title                I420       in place %7.4f\n",
      measure_ffmpeg (
          "", "drawtext=text=Bienvenue:fontsize=96:fontcolor=white:borderw=4:x=100:y=100"));
  g_autofree gchar *input = g_strdup_printf ("-i %s", path);
  g_print ("ffmpeg overlay  full-frame picture   I420       in place %7.4f\n",
      measure_ffmpeg (input, "[1:v]overlay=format=yuv420"));
  return 0;
}
