/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Long timelines: what they cost a frame, and what they hold in memory. */

#include <malloc.h>
#include <string.h>
#include <time.h>

#include "overlaysupport.h"

#define CAPS "video/x-raw,format=I420,width=96,height=54,framerate=30/1"
#define FPS 30

#define N_CAPTIONS 10000
#define CAPTION_FRAMES 32

#define N_BATCHES 15
#define BATCH_FRAMES 100
/* Frames of which nothing is measured: items are drawn for the first time. */
#define N_FIRST_FRAMES 10

static void
append_caption (GString *json, guint number, gdouble start, gdouble end, const gchar *position)
{
  gchar from[G_ASCII_DTOSTR_BUF_SIZE], to[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (json,
      "%s{\"type\":\"text\",\"text\":\"%u\",\"font\":{\"size\":12},\"position\":\"%s\","
      "\"start\":%s,\"end\":%s}",
      json->str[json->len - 1] == '}' ? "," : "", number, position,
      g_ascii_formatd (from, sizeof from, "%.6f", start),
      g_ascii_formatd (to, sizeof to, "%.6f", end));
}

static gdouble
get_thread_cpu_s (void)
{
  struct timespec t;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (gdouble) t.tv_sec + (gdouble) t.tv_nsec / 1e9;
}

/* Three captions that show all the time, and @n_hidden that are over or still to come. */
static Overlay *
create_overlay (guint n_hidden)
{
  static const gchar *const positions[] = { "top", "center", "bottom" };
  g_autoptr (GString) json = g_string_new ("{\"overlays\":[");

  for (guint i = 0; i < n_hidden; i++) {
    gdouble start = i % 2 == 0 ? i / 1e3 : 1e4 + i;
    append_caption (json, 1000 + i, start, start + 0.5, "left");
  }
  for (guint i = 0; i < 3; i++)
    append_caption (json, i, 0, 1e5, positions[i]);
  g_string_append (json, "]}");
  return overlay_new (json->str, CAPS);
}

/* CPU of the frames from @frame on, one buffer going round. */
static gdouble
measure_batch (Overlay *o, guint frame, guint n)
{
  GstBuffer *buffer = overlay_create_frame (o, frame, 0x50);
  gdouble begin = get_thread_cpu_s ();

  for (guint i = 0; i < n; i++) {
    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (frame + i, GST_SECOND, FPS);
    g_assert_cmpint (gst_harness_push (o->h, g_steal_pointer (&buffer)), ==, GST_FLOW_OK);
    buffer = gst_harness_pull (o->h);
  }
  gdouble cpu = get_thread_cpu_s () - begin;
  gst_buffer_unref (buffer);
  return cpu;
}

static void
test_thousand_items_cost_what_the_visible_ones_cost (void)
{
  /* Half of the items are over by now. */
  const guint first = 1000 * FPS;
  g_autoptr (Overlay) few = create_overlay (0);
  g_autoptr (Overlay) many = create_overlay (1000);
  gdouble cpu_few = G_MAXDOUBLE, cpu_many = G_MAXDOUBLE;

  measure_batch (few, first, N_FIRST_FRAMES);
  measure_batch (many, first, N_FIRST_FRAMES);
  for (guint i = 0; i < N_BATCHES; i++) {
    guint frame = first + N_FIRST_FRAMES + i * BATCH_FRAMES;
    cpu_few = MIN (cpu_few, measure_batch (few, frame, BATCH_FRAMES));
    cpu_many = MIN (cpu_many, measure_batch (many, frame, BATCH_FRAMES));
  }
  g_test_message ("a frame with 3 items takes %.2f us, with 3 of 1003 %.2f us",
      cpu_few * 1e6 / BATCH_FRAMES, cpu_many * 1e6 / BATCH_FRAMES);
  /* A walk through all items would take ten times as long. */
  g_assert_cmpfloat (cpu_many, <, 1.5 * cpu_few);
  g_assert_cmpuint (overlay_get_stat (few, "rendered"), ==, 3);
  g_assert_cmpuint (overlay_get_stat (many, "rendered"), ==, 3);
}

static gsize
get_heap_bytes (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* Three hours of captions, each of them drawn: what is over is forgotten. */
static void
test_three_hours_of_captions_do_not_grow (void)
{
  g_autoptr (GString) json = g_string_new ("{\"overlays\":[");
  gsize heap_bytes = 0, cache_bytes = 0;

  for (guint i = 0; i < N_CAPTIONS; i++)
    append_caption (json, i, i * CAPTION_FRAMES / (gdouble) FPS,
        (i + 1) * CAPTION_FRAMES / (gdouble) FPS, "bottom");
  g_string_append (json, "]}");
  g_autoptr (Overlay) o = overlay_new (json->str, CAPS);
  for (guint i = 0; i < N_CAPTIONS; i++) {
    gst_buffer_unref (overlay_draw (o, i * CAPTION_FRAMES, 0x50));
    gst_buffer_unref (overlay_draw (o, (i + 1) * CAPTION_FRAMES - 1, 0x50));
    if (i == N_CAPTIONS / 10) {
      heap_bytes = get_heap_bytes ();
      cache_bytes = overlay_get_stat (o, "cache-peak-bytes");
    }
  }
  g_test_message (
      "heap %zu KiB, then %zu KiB; most in the cache %zu bytes, then %" G_GUINT64_FORMAT,
      heap_bytes >> 10, get_heap_bytes () >> 10, cache_bytes,
      overlay_get_stat (o, "cache-peak-bytes"));
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), ==, N_CAPTIONS);
  g_assert_cmpuint (overlay_get_stat (o, "frames-blended"), ==, 2 * N_CAPTIONS);
  g_assert_cmpuint (overlay_get_stat (o, "evicted"), ==, 0);
  g_assert_cmpuint (overlay_get_stat (o, "cache-peak-bytes"), <, 2 * cache_bytes);
  /* Nine thousand captions kept would take ten times that. */
  g_assert_cmpuint (get_heap_bytes (), <, heap_bytes + (2 << 20));
  gst_buffer_unref (overlay_draw (o, (N_CAPTIONS + 1) * CAPTION_FRAMES, 0x50));
  g_assert_cmpuint (overlay_get_stat (o, "cache-bytes"), ==, 0);
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  g_test_add_func ("/long/thousand-items-cost-what-the-visible-ones-cost",
      test_thousand_items_cost_what_the_visible_ones_cost);
  g_test_add_func (
      "/long/three-hours-of-captions-do-not-grow", test_three_hours_of_captions_do_not_grow);
  gint result = g_test_run ();
  overlay_remove_files ();
  gst_deinit ();
  return result;
}
