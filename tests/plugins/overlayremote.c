/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pictures and fonts that overlaytimeline reads from a server, and servers that do not give them.
 */

#include <fontconfig/fontconfig.h>
#include <string.h>

#include "httpsupport.h"
#include "overlaysupport.h"

#define CAPS "video/x-raw,format=BGRx,width=320,height=180,framerate=25/1"

/* A font of the system, whose file a server gives out. */
static gchar *
find_font_file (const gchar *family)
{
  FcPattern *pattern = FcNameParse ((const FcChar8 *) family);
  FcChar8 *file = NULL;
  FcResult result;

  FcConfigSubstitute (NULL, pattern, FcMatchPattern);
  FcDefaultSubstitute (pattern);
  FcPattern *match = FcFontMatch (NULL, pattern, &result);
  g_assert_nonnull (match);
  g_assert_cmpint (FcPatternGetString (match, FC_FILE, 0, &file), ==, FcResultMatch);
  gchar *path = g_strdup ((const gchar *) file);
  FcPatternDestroy (match);
  FcPatternDestroy (pattern);
  return path;
}

static GBytes *
load (const gchar *path)
{
  gchar *data;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

static GBytes *
draw (Overlay *o, guint frame)
{
  g_autoptr (GstBuffer) out = overlay_draw (o, frame, 0);
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (out, 0, (gsize) -1, &data, &size);
  return g_bytes_new_take (data, size);
}

static GBytes *
draw_document (const gchar *document)
{
  g_autoptr (Overlay) o = overlay_new (document, CAPS);

  return draw (o, 0);
}

static gchar *
make_image (const gchar *uri, const gchar *more)
{
  return g_strdup_printf (
      "{\"overlays\":[{\"type\":\"image\",\"src\":\"%s\",\"width\":\"100px\"%s}]}", uri, more);
}

static gchar *
write_picture (void)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 64, 48);
  cairo_t *cr = cairo_create (surface);

  cairo_set_source_rgb (cr, 1, 0.5, 0.25);
  cairo_paint (cr);
  cairo_destroy (cr);
  gchar *path = overlay_write_png ("served.png", surface);
  cairo_surface_destroy (surface);
  return path;
}

static void
test_picture_from_a_server (void)
{
  g_autofree gchar *path = write_picture ();
  g_autoptr (GBytes) content = load (path);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a.png");
  g_autofree gchar *remote = make_image (uri, "");
  g_autofree gchar *local = make_image (path, "");
  g_autoptr (GBytes) a = draw_document (remote);
  g_autoptr (GBytes) b = draw_document (local);
  guint n_once = test_server_requests (server);

  g_assert_true (g_bytes_equal (a, b));
  g_assert_cmpuint (n_once, >=, 1);
  /* Read once, however many states it goes through. */
  g_autofree gchar *popping = make_image (uri, ",\"animate\":{\"in\":\"pop\"}");
  g_autoptr (Overlay) o = overlay_new (popping, CAPS);
  for (guint frame = 0; frame < 7; frame++)
    g_bytes_unref (draw (o, frame));
  g_assert_cmpuint (overlay_get_stat (o, "rendered"), >=, 7);
  g_assert_cmpuint (test_server_requests (server), ==, 2 * n_once);
}

static void
test_font_from_a_server (void)
{
  g_autofree gchar *path = find_font_file ("DejaVu Serif:bold");
  g_autoptr (GBytes) content = load (path);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/font.ttf");
  const gchar *format = "{\"fonts\":[{\"family\":\"Served\",\"src\":\"%s\"}],\"overlays\":[{"
                        "\"type\":\"text\",\"text\":\"Served\",\"font\":{\"family\":\"Served\"}}]}";
  g_auto (GStrv) parts = g_strsplit (format, "%s", 2);
  g_autofree gchar *remote = g_strconcat (parts[0], uri, parts[1], NULL);
  g_autofree gchar *local = g_strconcat (parts[0], path, parts[1], NULL);
  g_autoptr (Overlay) o = overlay_new (remote, CAPS);
  g_autoptr (GBytes) a = draw (o, 0);
  g_autoptr (GBytes) b = draw_document (local);

  g_assert_true (g_bytes_equal (a, b));
  overlay_assert_no_message (o->bus, GST_MESSAGE_WARNING);
}

static void
assert_fails (const gchar *document, const gchar *pointer, const gchar *word)
{
  g_autoptr (Overlay) o = overlay_new (document, CAPS);
  GstBuffer *out;

  g_assert_cmpint (overlay_push (o, 0, 0, &out), ==, GST_FLOW_ERROR);
  overlay_assert_problem (o->bus, GST_MESSAGE_ERROR, pointer, NULL, word);
  overlay_assert_no_message (o->bus, GST_MESSAGE_ERROR);
}

static void
test_what_is_not_served (void)
{
  g_autoptr (GBytes) content = g_bytes_new_static ("not a font", 10);
  g_autoptr (TestServer) server = test_server_new (content);
  TestFaults gone = { .refuse_first = 1000, .refuse_status = 404 };
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *image = make_image (uri, "");
  g_autofree gchar *font = g_strdup_printf ("{\"fonts\":[{\"family\":\"F\",\"src\":\"%s\"}],"
                                            "\"overlays\":[{\"type\":\"text\",\"text\":\"a\"}]}",
      uri);

  assert_fails (image, "/timeline/overlays/0", "no PNG");
  assert_fails (font, "/fonts/0", "not a font");
  test_server_set_faults (server, &gone);
  assert_fails (image, "/timeline/overlays/0", "404");
  assert_fails (font, "/fonts/0", "404");
}

static void
test_too_large_a_font_is_not_taken (void)
{
  g_autoptr (GBytes) content = test_random_bytes ((64u << 20) + 1);
  g_autoptr (TestServer) server = test_server_new (content);
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *font = g_strdup_printf ("{\"fonts\":[{\"family\":\"F\",\"src\":\"%s\"}],"
                                            "\"overlays\":[{\"type\":\"text\",\"text\":\"a\"}]}",
      uri);

  assert_fails (font, "/fonts/0", "64 MiB");
}

typedef struct {
  Overlay *o;
  GstFlowReturn flow;
} Pusher;

static gpointer
push_thread (gpointer data)
{
  Pusher *pusher = data;
  GstBuffer *out;

  pusher->flow = overlay_push (pusher->o, 0, 0, &out);
  return NULL;
}

static void
assert_silence_is_not_waited_for (const gchar *type)
{
  g_autoptr (GBytes) content = g_bytes_new_static ("x", 1);
  g_autoptr (TestServer) server = test_server_new (content);
  TestFaults silent = { .never_answer = TRUE };
  g_autofree gchar *uri = test_server_uri (server, "", "/a");
  g_autofree gchar *document =
      g_strdup_printf ("{\"overlays\":[{\"type\":\"%s\",\"src\":\"%s\"}]}", type, uri);
  Pusher pusher = { NULL, GST_FLOW_OK };

  test_server_set_faults (server, &silent);
  pusher.o = overlay_new (document, CAPS);
  GThread *thread = g_thread_new ("push", push_thread, &pusher);
  while (test_server_requests (server) == 0)
    g_thread_yield ();
  gint64 before = g_get_monotonic_time ();
  gst_harness_push_event (pusher.o->h, gst_event_new_flush_start ());
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  overlay_free (pusher.o);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 2 * G_TIME_SPAN_SECOND);
}

/* A server that never answers holds up neither a flush nor the end. */
static void
test_a_silent_server_is_not_waited_for (void)
{
  assert_silence_is_not_waited_for ("image");
  assert_silence_is_not_waited_for ("captions");
}

/* After a flush, the captions that were asked for before it are there, or asked for again. */
static void
test_captions_come_after_a_flush (void)
{
  g_autofree gchar *rest = g_strnfill (20000, '\n');
  g_autofree gchar *srt = g_strconcat ("00:00:00,000 --> 00:00:09,000\nserved\n", rest, NULL);
  g_autoptr (GBytes) content = g_bytes_new (srt, strlen (srt));
  g_autoptr (TestServer) server = test_server_new (content);
  TestFaults slow = { .bytes_per_second = 20000 };
  g_autofree gchar *uri = test_server_uri (server, "", "/a.srt");
  g_autofree gchar *document =
      g_strdup_printf ("{\"overlays\":[{\"type\":\"captions\",\"src\":\"%s\"}]}", uri);
  Pusher pusher = { NULL, GST_FLOW_OK };

  test_server_set_faults (server, &slow);
  pusher.o = overlay_new (document, CAPS);
  GThread *thread = g_thread_new ("push", push_thread, &pusher);
  while (test_server_requests (server) == 0)
    g_thread_yield ();
  gst_harness_push_event (pusher.o->h, gst_event_new_flush_start ());
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  gst_harness_push_event (pusher.o->h, gst_event_new_flush_stop (TRUE));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (pusher.o->h, gst_event_new_segment (&segment));
  g_assert_false (overlay_is_untouched (pusher.o, 1));
  overlay_free (pusher.o);
}

int
main (int argc, char **argv)
{
  overlay_init (&argc, &argv);
  g_test_add_func ("/remote/picture", test_picture_from_a_server);
  g_test_add_func ("/remote/font", test_font_from_a_server);
  g_test_add_func ("/remote/not-served", test_what_is_not_served);
  g_test_add_func ("/remote/too-large", test_too_large_a_font_is_not_taken);
  g_test_add_func ("/remote/silent-server", test_a_silent_server_is_not_waited_for);
  g_test_add_func ("/remote/flush", test_captions_come_after_a_flush);
  int status = g_test_run ();
  overlay_remove_files ();
  return status;
}
