/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/patience.h"
#include "realmedia.h"
#include "weft-probe-private.h"

/* A demuxer may stop a frame before ffprobe does, or count its last one differently. */
#define FRAME_S 0.045
/* What a caller who cancels is promised. */
#define CANCEL_LIMIT_US (200 * 1000)

static JsonObject *
probe_path (const gchar *path, WeftProbeFlags flags)
{
  g_autofree gchar *uri = g_filename_to_uri (path, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = weft_probe_uri (uri, flags, NULL, &error);

  g_assert_no_error (error);
  return json_node_dup_object (node);
}

static JsonObject *
get_object (JsonObject *object, const gchar *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gdouble
get_seconds (JsonObject *object, const gchar *name)
{
  return (gdouble) json_object_get_int_member_with_default (object, name, 0) / GST_SECOND;
}

static gchar *
ask_ffprobe (const gchar *path, const gchar *what)
{
  return realmedia_run ("ffprobe -v error %s -of csv=p=0 '%s' | head -n 1 | tr -d ,", what, path);
}

static void
assert_near (gdouble a, gdouble b, gdouble tolerance)
{
  if (ABS (a - b) > tolerance)
    g_error ("%f is not within %f of %f", a, tolerance, b);
}

static void
test_times_are_those_of_ffprobe (gconstpointer data)
{
  g_autofree gchar *path = NULL, *start = NULL, *duration = NULL;
  g_autoptr (JsonObject) source = NULL;

  if (!realmedia_is_here ())
    return;
  path = realmedia_path (data);
  start = ask_ffprobe (path, "-show_entries format=start_time");
  duration = ask_ffprobe (path, "-show_entries format=duration");
  source = probe_path (path, WEFT_PROBE_FLAGS_NONE);
  assert_near (get_seconds (source, "start_ns"), g_ascii_strtod (start, NULL), 0.002);
  assert_near (get_seconds (source, "duration_ns"), g_ascii_strtod (duration, NULL), FRAME_S);
}

static void
test_pictures_are_those_of_ffprobe (gconstpointer data)
{
  g_autofree gchar *path = NULL, *width = NULL, *height = NULL, *frames = NULL;
  g_autoptr (JsonObject) source = NULL;
  JsonObject *video;

  if (!realmedia_is_here ())
    return;
  path = realmedia_path (data);
  width = ask_ffprobe (path, "-select_streams v:0 -show_entries stream=width");
  height = ask_ffprobe (path, "-select_streams v:0 -show_entries stream=height");
  frames =
      ask_ffprobe (path, "-select_streams v:0 -count_frames -show_entries stream=nb_read_frames");
  source = probe_path (path, WEFT_PROBE_FLAGS_KEYFRAMES);
  video = get_object (source, "video");
  g_assert_cmpint (json_object_get_int_member (video, "width"), ==, atoi (width));
  g_assert_cmpint (json_object_get_int_member (video, "height"), ==, atoi (height));
  g_assert_cmpint (ABS (json_object_get_int_member (video, "frames") - atoi (frames)), <=, 1);
  g_assert_cmpuint (
      json_array_get_length (json_object_get_array_member (video, "keyframes_ns")), >, 0);
}

/* Runs ffmpeg on real media; %s is the file's path. */
static gchar *
make (const gchar *folder, const gchar *name, const gchar *from, const gchar *options)
{
  g_autofree gchar *source = realmedia_path (from);
  gchar *path = g_build_filename (folder, name, NULL);

  g_free (realmedia_run ("ffmpeg -v error -nostdin -y -i '%s' %s '%s'", source, options, path));
  return path;
}

static void
test_keyframes_are_listed (void)
{
  g_autofree gchar *path = NULL;
  g_autoptr (JsonObject) source = NULL;
  JsonArray *keyframes;
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  path = make (folder, "a.mp4", "hello.mp4",
      "-t 2 -an -vf fps=30,scale=160:90 -c:v libx264 -g 20 -sc_threshold 0 -preset fast");
  source = probe_path (path, WEFT_PROBE_FLAGS_KEYFRAMES);
  keyframes = json_object_get_array_member (get_object (source, "video"), "keyframes_ns");
  g_assert_cmpint (json_object_get_int_member (get_object (source, "video"), "frames"), ==, 60);
  g_assert_cmpuint (json_array_get_length (keyframes), ==, 3);
  for (guint i = 0; i < 3; i++)
    assert_near (
        (gdouble) json_array_get_int_element (keyframes, i) / GST_SECOND, i * 20 / 30.0, 0.001);
  g_assert_cmpint (json_object_get_int_member (source, "duration_ns") / 1000, ==, 2000000);
  realmedia_remove (folder);
}

static void
test_oddities_are_told (void)
{
  g_autofree gchar *deep = NULL, *wide = NULL, *late = NULL, *turned = NULL;
  g_autoptr (JsonObject) a = NULL, b = NULL, c = NULL, d = NULL;
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  deep = make (folder, "deep.mkv", "hello.mp4",
      "-t 0.5 -an -vf scale=160:90 -c:v libx265 -x265-params log-level=none -preset ultrafast "
      "-pix_fmt yuv420p10le");
  a = probe_path (deep, WEFT_PROBE_FLAGS_NONE);
  g_assert_cmpint (json_object_get_int_member (get_object (a, "video"), "bit_depth"), ==, 10);
  g_assert_null (get_object (a, "audio"));

  wide =
      make (folder, "wide.mp4", "hello.mp4", "-t 0.5 -an -vf scale=160:90,setsar=4/3 -c:v libx264");
  b = probe_path (wide, WEFT_PROBE_FLAGS_NONE);
  g_assert_cmpint (
      json_array_get_int_element (json_object_get_array_member (get_object (b, "video"), "par"), 0),
      ==, 4);

  turned = make (folder, "turned.mp4", "hello.mp4", "-c copy -t 1 -metadata:s:v:0 rotate=90");
  c = probe_path (turned, WEFT_PROBE_FLAGS_NONE);
  g_assert_cmpstr (
      json_object_get_string_member (get_object (c, "video"), "orientation"), !=, "rotate-0");

  late = make (folder, "late.ts", "hello.mp4", "-c copy -t 2 -output_ts_offset 100");
  d = probe_path (late, WEFT_PROBE_FLAGS_NONE);
  assert_near (get_seconds (d, "duration_ns"), 2.0, FRAME_S);
  realmedia_remove (folder);
}

static void
test_covers_are_not_videos (void)
{
  static const gchar *const recipes[][2] = {
    { "cover.mp3",
        "-map 0:a -map 1 -c:a libmp3lame -c:v copy -disposition:v attached_pic -id3v2_version 3" },
    { "cover.m4a", "-map 0:a -map 1 -c:a aac -c:v copy -disposition:v attached_pic" },
    { "cover.flac", "-map 0:a -map 1 -c:a flac -c:v copy -disposition:v attached_pic" },
    { "cover.mkv", "-map 0:a -map 1 -c:a aac -c:v copy" },
  };
  gchar *folder;
  g_autofree gchar *sound = NULL, *picture = NULL;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  sound = realmedia_path ("debian.wav");
  picture = realmedia_path ("debian-logo.jpg");
  for (guint i = 0; i < G_N_ELEMENTS (recipes); i++) {
    g_autofree gchar *path = g_build_filename (folder, recipes[i][0], NULL);
    g_autoptr (JsonObject) source = NULL;

    g_free (realmedia_run ("ffmpeg -v error -nostdin -y -i '%s' -i '%s' %s '%s'", sound, picture,
        recipes[i][1], path));
    source = probe_path (path, WEFT_PROBE_FLAGS_NONE);
    g_test_message ("%s", recipes[i][0]);
    g_assert_null (get_object (source, "video"));
    g_assert_nonnull (get_object (source, "audio"));
    g_assert_true (json_object_get_boolean_member (source, "cover_art"));
    assert_near (get_seconds (source, "duration_ns"), 5.407, 0.06);
  }
  realmedia_remove (folder);
}

static void
test_motion_jpeg_is_a_video (void)
{
  g_autofree gchar *path = NULL;
  g_autoptr (JsonObject) source = NULL;
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  path = make (folder, "a.avi", "hello.mp4", "-t 1 -vf scale=160:90 -c:v mjpeg -c:a pcm_s16le");
  source = probe_path (path, WEFT_PROBE_FLAGS_NONE);
  g_assert_nonnull (get_object (source, "video"));
  g_assert_false (json_object_get_boolean_member (source, "image"));
  assert_near (get_seconds (source, "duration_ns"), 1.0, FRAME_S);
  realmedia_remove (folder);
}

static void
test_photographs_are_stills (void)
{
  static const struct {
    const gchar *name;
    gint width, height;
  } pictures[] = { { "photo.jpg", 4000, 3000 }, { "debian.png", 800, 600 },
    { "retro.webp", 996, 664 } };

  if (!realmedia_is_here ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    g_autofree gchar *path = realmedia_path (pictures[i].name);
    g_autoptr (JsonObject) source = probe_path (path, WEFT_PROBE_FLAGS_NONE);

    g_assert_true (json_object_get_boolean_member (source, "image"));
    g_assert_cmpint (json_object_get_int_member (source, "duration_ns"), ==, 0);
    g_assert_cmpint (
        json_object_get_int_member (get_object (source, "video"), "width"), ==, pictures[i].width);
    g_assert_cmpint (json_object_get_int_member (get_object (source, "video"), "height"), ==,
        pictures[i].height);
  }
}

static void
test_the_same_file_gives_the_same_bytes (void)
{
  g_autofree gchar *first = NULL;

  if (!realmedia_is_here ())
    return;
  for (guint i = 0; i < 5; i++) {
    g_autofree gchar *uri = realmedia_uri ("phone.mp4");
    g_autoptr (JsonNode) node = weft_probe_uri (uri, WEFT_PROBE_FLAGS_NONE, NULL, NULL);
    g_autofree gchar *text = json_to_string (node, FALSE);

    if (first == NULL)
      first = g_steal_pointer (&text);
    else
      g_assert_cmpstr (text, ==, first);
  }
}

/* What goes wrong */

static void
assert_fails (const gchar *uri, WeftError code, const gchar *part_of_message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = weft_probe_uri (uri, WEFT_PROBE_FLAGS_NONE, NULL, &error);
  const WeftProblem *problem;

  weft_probe_wait_for_stopped ();
  g_test_message ("%s: %s", uri, error != NULL ? error->message : "no error");
  g_assert_null (node);
  g_assert_error (error, WEFT_ERROR, (gint) code);
  problem = g_ptr_array_index (weft_error_get_problems (error), 0);
  g_assert_cmpstr (problem->uri, ==, uri);
  g_assert_nonnull (problem->hint);
  g_assert_nonnull (strstr (problem->message, part_of_message));
}

static void
assert_path_fails (
    const gchar *folder, const gchar *name, WeftError code, const gchar *part_of_message)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *uri = g_filename_to_uri (path, NULL, NULL);

  assert_fails (uri, code, part_of_message);
}

/* Keeps the first @percent of a file. */
static void
cut (const gchar *folder, const gchar *from, const gchar *to, guint percent)
{
  g_free (realmedia_run ("cd '%s' && head -c $(($(stat -L -c %%s '%s') * %u / 100)) '%s' > '%s'",
      folder, from, percent, from, to));
}

static void
test_a_cut_off_file_is_damaged (void)
{
  static const gchar *const containers[][2] = {
    { "moov-first.mp4", "-c copy -movflags +faststart" },
    { "moov-last.mp4", "-c copy" },
    { "a.mov", "-c copy" },
    { "a.mkv", "-c copy" },
    { "a.avi", "-c:v mpeg4 -c:a libmp3lame -t 2" },
    { "a.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -t 1 -c:a libopus" },
  };
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  for (guint i = 0; i < G_N_ELEMENTS (containers); i++) {
    G_GNUC_UNUSED g_autofree gchar *path =
        make (folder, containers[i][0], "hello.mp4", containers[i][1]);
    g_autofree gchar *name = g_strconcat ("cut-", containers[i][0], NULL);

    cut (folder, containers[i][0], name, 60);
    assert_path_fails (folder, name, WEFT_ERROR_SOURCE_DAMAGED, "truncated");
  }
  realmedia_remove (folder);
}

static void
test_what_is_not_media_is_damaged (void)
{
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  g_free (realmedia_run (
      "cd '%s' && : > empty.mp4 && echo some text > text.mp4 &&"
      " echo '<!DOCTYPE html><html><body>Not found</body></html>' > page.mp4 &&"
      " head -c 300000 /dev/zero > zeros.mp4 && mkdir folder.mp4 && mkfifo pipe.mp4 &&"
      " cp /bin/sh program.mp4 && printf '1\\n00:00:00,000 --> 00:00:02,000\\nhi\\n' > "
      "captions.srt",
      folder));
  assert_path_fails (folder, "empty.mp4", WEFT_ERROR_SOURCE_DAMAGED, "0 bytes");
  assert_path_fails (folder, "text.mp4", WEFT_ERROR_SOURCE_DAMAGED, "not media");
  assert_path_fails (folder, "page.mp4", WEFT_ERROR_SOURCE_DAMAGED, "text/html");
  assert_path_fails (folder, "zeros.mp4", WEFT_ERROR_SOURCE_DAMAGED, "not media");
  assert_path_fails (folder, "program.mp4", WEFT_ERROR_SOURCE_DAMAGED, "not media");
  assert_path_fails (folder, "captions.srt", WEFT_ERROR_SOURCE_DAMAGED, "not media");
  assert_path_fails (folder, "folder.mp4", WEFT_ERROR_SOURCE_DAMAGED, "folder");
  assert_path_fails (folder, "pipe.mp4", WEFT_ERROR_SOURCE_DAMAGED, "pipe");
  assert_fails ("file:///dev/zero", WEFT_ERROR_SOURCE_DAMAGED, "device");
  realmedia_remove (folder);
}

static void
test_an_index_that_is_missing_or_broken_is_damaged (void)
{
  g_autofree gchar *path = NULL;
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  path = make (folder, "good.mp4", "hello.mp4", "-c copy -movflags +faststart");
  /* A recording that was never finished: everything but the moov box. */
  g_free (realmedia_run (
      "cd '%s' && cp good.mp4 unindexed.mp4 && printf free | dd of=unindexed.mp4 bs=1 "
      "seek=$(grep -abo moov good.mp4 | head -n 1 | cut -d: -f1) conv=notrunc 2>&1",
      folder));
  assert_path_fails (folder, "unindexed.mp4", WEFT_ERROR_SOURCE_DAMAGED, "no index");
  g_free (realmedia_run (
      "cd '%s' && cp good.mp4 noise.mp4 && dd if=/dev/zero of=noise.mp4 bs=1 seek=200 "
      "count=3000 conv=notrunc 2>&1",
      folder));
  assert_path_fails (folder, "noise.mp4", WEFT_ERROR_SOURCE_DAMAGED, "");
  realmedia_remove (folder);
}

static void
test_a_codec_nobody_decodes_is_unsupported (void)
{
  g_autofree gchar *path = NULL;
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  path = make (folder, "good.mp4", "hello.mp4",
      "-t 1 -an -c:v libx264 -vf scale=160:90 -movflags +faststart");
  g_free (realmedia_run (
      "cd '%s' && sed 's/avc1\\(....\\)*\\x00\\x00\\x00\\x01/&/; s/avc1/zzz9/g' good.mp4 > odd.mp4",
      folder));
  assert_path_fails (folder, "odd.mp4", WEFT_ERROR_UNSUPPORTED, "no decoder");
  realmedia_remove (folder);
}

static void
test_what_is_missing_is_not_found (void)
{
  gchar *folder = realmedia_scratch ();
  g_autofree gchar *link = g_build_filename (folder, "link.mp4", NULL);

  g_assert_cmpint (symlink ("nowhere.mp4", link), ==, 0);
  assert_fails ("file:///nonexistent/a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "does not exist");
  assert_path_fails (folder, "link.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "link");
  assert_path_fails (folder, "a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "does not exist");
  assert_fails ("relative.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "not a URI");
  assert_fails ("gopher://example.org/a.mp4", WEFT_ERROR_UNSUPPORTED, "gopher");
  realmedia_remove (folder);
}

static void
test_what_may_not_be_read_is_denied (void)
{
  gchar *folder = realmedia_scratch ();
  g_autofree gchar *path = g_build_filename (folder, "a.mp4", NULL);

  g_assert_true (g_file_set_contents (path, "secret", -1, NULL));
  g_assert_cmpint (g_chmod (path, 0), ==, 0);
  g_assert_cmpint (g_chmod (folder, 0755), ==, 0);
  /* Root may read everything. */
  if (geteuid () == 0)
    g_assert_cmpint (seteuid (65534), ==, 0);
  assert_path_fails (folder, "a.mp4", WEFT_ERROR_SOURCE_DENIED, "may not be read");
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
  realmedia_remove (folder);
}

static void
test_any_name_of_a_file_will_do (void)
{
  static const gchar *const names[] = { "a%20b.mp4", "100%.mp4", "q?x#y.mp4", "é 漢字 🌴.mp4",
    "new\nline.mp4", "inv\xff\xfe.mp4", "-dash.mp4", "quo'te\".mp4", "{{x}}.mp4", " lead",
    "\x1b[31mred.mp4" };
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *original = realmedia_path ("realshort.mp4");
    g_autofree gchar *path = g_build_filename (folder, names[i], NULL);
    g_autofree gchar *uri = g_filename_to_uri (path, NULL, NULL), *back = NULL;
    g_autoptr (JsonObject) source = NULL;

    g_assert_cmpint (symlink (original, path), ==, 0);
    source = probe_path (path, WEFT_PROBE_FLAGS_NONE);
    g_assert_cmpstr (json_object_get_string_member (source, "uri"), ==, uri);
    back = g_filename_from_uri (uri, NULL, NULL);
    g_assert_cmpstr (back, ==, path);
    g_assert_nonnull (get_object (source, "video"));
  }
  realmedia_remove (folder);
}

static void
test_what_is_no_regular_file_is_said (void)
{
  gchar *folder = realmedia_scratch ();
  g_autofree gchar *one = g_build_filename (folder, "one.mp4", NULL);
  g_autofree gchar *two = g_build_filename (folder, "two.mp4", NULL);
  g_autofree gchar *path = g_build_filename (folder, "socket.mp4", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_assert_cmpint (symlink ("two.mp4", one), ==, 0);
  g_assert_cmpint (symlink ("one.mp4", two), ==, 0);
  assert_path_fails (folder, "one.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "link");
  g_assert_true (g_socket_bind (socket, address, FALSE, NULL));
  assert_path_fails (folder, "socket.mp4", WEFT_ERROR_SOURCE_DAMAGED, "socket");
  assert_path_fails (folder, "one.mp4/a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "");
  assert_fails ("file:///proc/self/mem", WEFT_ERROR_SOURCE_DAMAGED, "empty");
  assert_fails ("file:///dev/tty", WEFT_ERROR_SOURCE_DAMAGED, "device");
  realmedia_remove (folder);
}

/* GStreamer reads from many more places than a source may be in. */
static void
test_addresses_that_lead_nowhere_are_refused (void)
{
  static const gchar *const nowhere[] = { "http://", "http:///a.mp4", "https://?x", "http://[::1" };
  static const gchar *const others[] = { "data:video/mp4;base64,AAAA", "fd://0",
    "rtsp://127.0.0.1/a", "udp://127.0.0.1:1", "tcp://127.0.0.1:1", "v4l2:///dev/video0" };

  for (guint i = 0; i < G_N_ELEMENTS (nowhere); i++)
    assert_fails (nowhere[i], WEFT_ERROR_SOURCE_NOT_FOUND, "names no server");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    assert_fails (others[i], WEFT_ERROR_UNSUPPORTED, "cannot read");
  assert_fails ("file://host/a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "names no file");
  assert_fails ("file:a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "names no file");
}

static gint writer_may_go_on; /* atomic */

static gpointer
append_thread (gpointer data)
{
  guint8 packet[188 * 64] = { 0 };
  FILE *file = fopen (data, "ab");

  for (guint i = 0; i < sizeof packet; i += 188)
    packet[i] = 0x47;
  while (g_atomic_int_get (&writer_may_go_on)) {
    fwrite (packet, 1, sizeof packet, file);
    fflush (file);
    g_usleep (100);
  }
  fclose (file);
  return NULL;
}

/* What it says of its length is not true yet, and a reader may never come to the end of it. */
static void
test_a_file_that_grows_is_not_believed (void)
{
  static const gchar *const options[][2] = { { "a.ts", "-c copy" }, { "a.mkv", "-c copy" } };
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    g_autofree gchar *path = make (folder, options[i][0], "hello.mp4", options[i][1]);
    GThread *thread;

    g_atomic_int_set (&writer_may_go_on, TRUE);
    thread = g_thread_new ("writer", append_thread, path);
    assert_path_fails (folder, options[i][0], WEFT_ERROR_SOURCE_CHANGED, "changes");
    g_atomic_int_set (&writer_may_go_on, FALSE);
    g_thread_join (thread);
  }
  realmedia_remove (folder);
}

/* Bytes changed at random places: whatever comes out, it comes out. Always the same ones, and not
 * in Matroska, as GStreamer 1.22's own demuxers have faults that others would find. */
static void
test_damage_anywhere_ends_as_an_answer (void)
{
  static const gchar *const options[][2] = { { "a.mp4", "-c copy -movflags +faststart -t 2" },
    { "a.ts", "-c copy -t 2" } };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gchar *folder;

  if (!realmedia_is_here ())
    return;
  folder = realmedia_scratch ();
  for (guint i = 0; i < G_N_ELEMENTS (options) * 16; i++) {
    const gchar *const *option = options[i % G_N_ELEMENTS (options)];
    g_autofree gchar *path = make (folder, option[0], "hello.mp4", option[1]);
    g_autofree gchar *uri = g_filename_to_uri (path, NULL, NULL), *data = NULL;
    g_autoptr (JsonNode) node = NULL;
    g_autoptr (GError) error = NULL;
    gsize length;

    g_assert_true (g_file_get_contents (path, &data, &length, NULL));
    for (guint k = 0; k < 20; k++)
      data[g_rand_int_range (rand, 0, (gint) MIN (length, 8192))] = (gchar) g_rand_int (rand);
    g_assert_true (g_file_set_contents (path, data, (gssize) length, NULL));
    node = weft_probe_uri_full (uri, WEFT_PROBE_FLAGS_NONE, 10, NULL, &error);
    g_assert_true ((node != NULL) != (error != NULL));
    if (error != NULL)
      g_assert_true (error->domain == WEFT_ERROR && error->code != WEFT_ERROR_STALLED
                     && error->code != WEFT_ERROR_INTERNAL);
  }
  realmedia_remove (folder);
}

/* Servers */

static gboolean
incoming_cb (
    GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  /* Keeps the connection, and never answers. */
  g_ptr_array_add (user_data, g_object_ref (connection));
  return TRUE;
}

static gpointer
serve_thread (gpointer data)
{
  GMainLoop *loop = data;

  g_main_context_push_thread_default (g_main_loop_get_context (loop));
  g_main_loop_run (loop);
  g_main_context_pop_thread_default (g_main_loop_get_context (loop));
  return NULL;
}

typedef struct {
  GMainLoop *loop;
  GThread *thread;
  GSocketService *service;
  GPtrArray *connections;
  gchar *uri;
} Server;

static void
server_start (Server *self)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint16 port;

  self->loop = g_main_loop_new (context, FALSE);
  self->connections = g_ptr_array_new_with_free_func (g_object_unref);
  g_main_context_push_thread_default (context);
  self->service = g_socket_service_new ();
  port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (self->service), NULL, NULL);
  g_assert_cmpuint (port, >, 0);
  g_signal_connect (self->service, "incoming", G_CALLBACK (incoming_cb), self->connections);
  g_socket_service_start (self->service);
  g_main_context_pop_thread_default (context);
  self->uri = g_strdup_printf ("http://127.0.0.1:%u/a.mp4", port);
  self->thread = g_thread_new ("server", serve_thread, self->loop);
}

static void
server_stop (Server *self)
{
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_ptr_array_unref (self->connections);
  weft_probe_wait_for_stopped ();
  g_main_loop_unref (self->loop);
  g_free (self->uri);
}

static gpointer
cancel_thread (gpointer data)
{
  gint64 *cancelled_at = g_object_get_data (data, "cancelled-at");

  g_usleep (300 * 1000);
  *cancelled_at = g_get_monotonic_time ();
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancelling_ends_the_wait_for_a_silent_server (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gint64 cancelled_at = 0;
  Server server = { 0 };
  GThread *thread;

  if (!gst_uri_protocol_is_supported (GST_URI_SRC, "http")) {
    g_test_skip ("there is no HTTP source");
    return;
  }
  server_start (&server);
  g_object_set_data (G_OBJECT (cancellable), "cancelled-at", &cancelled_at);
  thread = g_thread_new ("cancel", cancel_thread, cancellable);
  g_assert_null (weft_probe_uri (server.uri, WEFT_PROBE_FLAGS_NONE, cancellable, &error));
  g_thread_join (thread);
  g_assert_cmpint (g_get_monotonic_time () - cancelled_at, <, CANCEL_LIMIT_US);
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
  server_stop (&server);
}

static void
test_a_server_that_is_not_there_is_not_found (void)
{
  if (!gst_uri_protocol_is_supported (GST_URI_SRC, "http")) {
    g_test_skip ("there is no HTTP source");
    return;
  }
  assert_fails ("http://127.0.0.1:1/a.mp4", WEFT_ERROR_SOURCE_NOT_FOUND, "");
}

static void
test_a_silent_server_is_given_up_after_the_stall_timeout (void)
{
  g_autoptr (GError) error = NULL;
  const WeftProblem *problem;
  gint64 start = g_get_monotonic_time ();
  Server server = { 0 };

  if (!gst_uri_protocol_is_supported (GST_URI_SRC, "http")) {
    g_test_skip ("there is no HTTP source");
    return;
  }
  server_start (&server);
  g_assert_null (weft_probe_uri_full (server.uri, WEFT_PROBE_FLAGS_NONE, 0.7, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_STALLED);
  problem = g_ptr_array_index (weft_error_get_problems (error), 0);
  g_assert_cmpstr (problem->uri, ==, server.uri);
  g_assert_nonnull (strstr (problem->message, "0.7 s"));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 700 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - start, <, patience_us (3));
  server_stop (&server);
}

/* Asynchronously */

typedef struct {
  GMainLoop *loop;
  GThread *thread;
  JsonNode *node;
  GError *error;
} Async;

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Async *async = user_data;

  g_assert_true (g_thread_self () == async->thread);
  async->node = weft_probe_uri_finish (result, &async->error);
  g_main_loop_quit (async->loop);
}

static void
test_the_answer_comes_in_the_callers_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree gchar *uri = NULL;
  Async async = { 0 };

  if (!realmedia_is_here ())
    return;
  uri = realmedia_uri ("phone.mp4");
  async.thread = g_thread_self ();
  async.loop = g_main_loop_new (context, FALSE);
  g_main_context_push_thread_default (context);
  weft_probe_uri_async (uri, WEFT_PROBE_FLAGS_NONE, NULL, probed_cb, &async);
  g_main_loop_run (async.loop);
  g_main_context_pop_thread_default (context);
  g_assert_no_error (async.error);
  g_assert_nonnull (async.node);
  json_node_unref (async.node);
  g_main_loop_unref (async.loop);
}

int
main (int argc, char **argv)
{
  static const gchar *const media[] = { "phone.mp4", "hello.mp4", "hello.mpeg", "hello.ogg",
    "cockatoo.mp4", "realshort.mp4", "together.mp4", "blits.mp4" };

  /* The desktop's proxy settings are none of these tests' business. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (media); i++) {
    g_autofree gchar *times = g_strconcat ("/probe/times-are-those-of-ffprobe/", media[i], NULL);
    g_autofree gchar *pictures =
        g_strconcat ("/probe/pictures-are-those-of-ffprobe/", media[i], NULL);

    g_test_add_data_func (times, media[i], test_times_are_those_of_ffprobe);
    if (!g_str_has_suffix (media[i], "ogg") && !g_str_has_suffix (media[i], "mpeg"))
      g_test_add_data_func (pictures, media[i], test_pictures_are_those_of_ffprobe);
  }
  g_test_add_func ("/probe/keyframes-are-listed", test_keyframes_are_listed);
  g_test_add_func ("/probe/oddities-are-told", test_oddities_are_told);
  g_test_add_func ("/probe/covers-are-not-videos", test_covers_are_not_videos);
  g_test_add_func ("/probe/motion-jpeg-is-a-video", test_motion_jpeg_is_a_video);
  g_test_add_func ("/probe/photographs-are-stills", test_photographs_are_stills);
  g_test_add_func (
      "/probe/the-same-file-gives-the-same-bytes", test_the_same_file_gives_the_same_bytes);
  g_test_add_func ("/probe/a-cut-off-file-is-damaged", test_a_cut_off_file_is_damaged);
  g_test_add_func ("/probe/what-is-not-media-is-damaged", test_what_is_not_media_is_damaged);
  g_test_add_func ("/probe/an-index-that-is-missing-or-broken-is-damaged",
      test_an_index_that_is_missing_or_broken_is_damaged);
  g_test_add_func (
      "/probe/a-codec-nobody-decodes-is-unsupported", test_a_codec_nobody_decodes_is_unsupported);
  g_test_add_func ("/probe/what-is-missing-is-not-found", test_what_is_missing_is_not_found);
  g_test_add_func ("/probe/what-may-not-be-read-is-denied", test_what_may_not_be_read_is_denied);
  g_test_add_func ("/probe/any-name-of-a-file-will-do", test_any_name_of_a_file_will_do);
  g_test_add_func ("/probe/what-is-no-regular-file-is-said", test_what_is_no_regular_file_is_said);
  g_test_add_func ("/probe/addresses-that-lead-nowhere-are-refused",
      test_addresses_that_lead_nowhere_are_refused);
  g_test_add_func (
      "/probe/a-file-that-grows-is-not-believed", test_a_file_that_grows_is_not_believed);
  g_test_add_func (
      "/probe/damage-anywhere-ends-as-an-answer", test_damage_anywhere_ends_as_an_answer);
  g_test_add_func ("/probe/cancelling-ends-the-wait-for-a-silent-server",
      test_cancelling_ends_the_wait_for_a_silent_server);
  g_test_add_func ("/probe/a-server-that-is-not-there-is-not-found",
      test_a_server_that_is_not_there_is_not_found);
  g_test_add_func ("/probe/a-silent-server-is-given-up-after-the-stall-timeout",
      test_a_silent_server_is_given_up_after_the_stall_timeout);
  g_test_add_func ("/probe/the-answer-comes-in-the-callers-context",
      test_the_answer_comes_in_the_callers_context);
  return g_test_run ();
}
