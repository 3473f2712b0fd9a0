/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan-private.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-encoders.h"
#include "weft-limits.h"

/* Sizes are rounded to even numbers, so two outputs of one shape may differ by this many pixels. */
#define SHAPE_TOLERANCE 2.0

/* For the estimates: a decoder with its queues, the graph itself, and what a muxer and its queues
 * hold. */
#define DECODER_FRAMES 24
#define BASE_BYTES (G_GUINT64_CONSTANT (48) << 20)
#define MUX_BYTES (G_GUINT64_CONSTANT (4) << 20)

static guint
round_even (gdouble value)
{
  return (guint) MAX (2.0 * round (value / 2.0), 2.0);
}

static guint64
frame_bytes (guint width, guint height)
{
  return (guint64) width * height * 3 / 2;
}

/* Where an output goes */

/* The path of what exists, with links followed, and behind it what does not. */
static gchar *
real_path (const gchar *path)
{
  g_autofree gchar *folder = NULL, *base = NULL, *real = NULL, *real_folder = NULL;
  char *resolved = realpath (path, NULL);

  if (resolved != NULL) {
    real = g_strdup (resolved);
    free (resolved);
    return g_steal_pointer (&real);
  }
  folder = g_path_get_dirname (path);
  base = g_path_get_basename (path);
  if (g_str_equal (folder, path))
    return g_strdup (path);
  real_folder = real_path (folder);
  return g_build_filename (real_folder, base, NULL);
}

static gboolean
is_same_file (const gchar *a, const gchar *b)
{
  g_autofree gchar *real_a = real_path (a), *real_b = real_path (b);
  GStatBuf info_a, info_b;

  if (g_str_equal (real_a, real_b))
    return TRUE;
  return g_stat (a, &info_a) == 0 && g_stat (b, &info_b) == 0 && info_a.st_dev == info_b.st_dev
         && info_a.st_ino == info_b.st_ino;
}

static void
deny (WeftPlanner *self, const gchar *pointer, const gchar *uri, const gchar *hint,
    const gchar *message)
{
  weft_planner_add_error (self, WEFT_ERROR_OUTPUT_DENIED, pointer, uri, hint, "%s", message);
}

/* The nearest folder that exists must let files and folders be made in it. */
static void
check_folder (WeftPlanner *self, const gchar *pointer, const gchar *uri, const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  GStatBuf info;

  while (g_stat (folder, &info) != 0) {
    gchar *parent = g_path_get_dirname (folder);

    if (errno == EACCES) {
      deny (self, pointer, uri, "choose a folder that this user may enter",
          "the output's folder may not be entered");
      g_free (parent);
      return;
    }
    if (errno == ENAMETOOLONG) {
      deny (self, pointer, uri, "choose a shorter name", "the output's name is too long");
      g_free (parent);
      return;
    }
    if (g_str_equal (parent, folder)) {
      g_free (parent);
      return;
    }
    g_free (folder);
    folder = parent;
  }
  if (!S_ISDIR (info.st_mode))
    deny (self, pointer, uri, "choose another folder", "the output's folder is a file");
  else if (faccessat (AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
    deny (self, pointer, uri, "choose another folder, or give this user permission to write there",
        errno == EROFS ? "the output's folder is on a file system that is read-only"
                       : "the output's folder may not be written");
}

static void
check_place (WeftPlanner *self, const gchar *pointer, const gchar *uri, const gchar *path)
{
  GStatBuf info;

  if (g_str_has_suffix (path, G_DIR_SEPARATOR_S)) {
    deny (self, pointer, uri, "name a file in it", "the output is a folder");
    return;
  }
  if (g_stat (path, &info) == 0 && S_ISDIR (info.st_mode)) {
    deny (self, pointer, uri, "name a file in it", "the output is a folder");
    return;
  }
  /* An output appears by a rename, which would put a file in the place of a device. */
  if (g_stat (path, &info) == 0 && !S_ISREG (info.st_mode)) {
    deny (self, pointer, uri, "name a regular file", "the output is a pipe, socket or device");
    return;
  }
  for (guint i = 0; i < self->files->len; i++) {
    if (is_same_file (path, g_ptr_array_index (self->files, i))) {
      deny (self, pointer, uri, "give the output another name",
          "the output would overwrite a source of this job");
      return;
    }
  }
  check_folder (self, pointer, uri, path);
}

static void
check_duplicates (WeftPlanner *self)
{
  guint n = json_array_get_length (self->outputs);

  for (guint i = 1; i < n; i++) {
    JsonObject *output = json_array_get_object_element (self->outputs, i);
    g_autofree gchar *path = g_filename_from_uri (weft_get_string (output, "uri", ""), NULL, NULL);

    for (guint j = 0; path != NULL && j < i; j++) {
      JsonObject *other = json_array_get_object_element (self->outputs, j);
      g_autofree gchar *other_path =
          g_filename_from_uri (weft_get_string (other, "uri", ""), NULL, NULL);

      if (other_path == NULL || !is_same_file (path, other_path))
        continue;
      weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB,
          weft_get_string (output, "pointer", NULL), weft_get_string (output, "uri", NULL),
          "give each output its own name", "the output has the same name as %s",
          weft_get_string (other, "pointer", ""));
      break;
    }
  }
}

/* Returns: (nullable): the absolute URI of an output that this build can write */
static gchar *
resolve_place (WeftPlanner *self, const gchar *pointer, JsonObject *output)
{
  g_autofree gchar *uri =
      weft_planner_resolve_output (self, pointer, weft_get_string (output, "uri", ""));
  g_autofree gchar *scheme = uri != NULL ? g_uri_parse_scheme (uri) : NULL;
  g_autofree gchar *path = NULL;

  if (uri == NULL)
    return NULL;
  if (g_strcmp0 (scheme, "file") != 0) {
    if (g_strcmp0 (scheme, "s3") == 0)
      weft_planner_add_unsupported (self, pointer, "s3", "this build cannot write to S3");
    else
      weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, uri, "write to a local file",
          "outputs cannot be written to %s: addresses", scheme);
    return g_steal_pointer (&uri);
  }
  path = g_filename_from_uri (uri, NULL, NULL);
  if (path == NULL)
    deny (self, pointer, uri, "write file:///absolute/path or a path",
        "the URI names no file on this machine");
  else
    check_place (self, pointer, uri, path);
  return g_steal_pointer (&uri);
}

/* Sizes */

static void
choose_size (WeftPlanner *self, JsonObject *output, gboolean even, guint *width, guint *height)
{
  gint64 given_width = weft_get_int (output, "width", 0);
  gint64 given_height = weft_get_int (output, "height", 0);
  gdouble w = (gdouble) given_width, h = (gdouble) given_height;

  if (given_width == 0 && given_height == 0) {
    w = self->width;
    h = self->height;
  } else if (given_width == 0) {
    w = h * self->width / self->height;
  } else if (given_height == 0) {
    h = w * self->height / self->width;
  }
  *width = even ? round_even (w) : (guint) MAX (round (w), 1.0);
  *height = even ? round_even (h) : (guint) MAX (round (h), 1.0);
}

static gboolean
has_same_shape (guint width_a, guint height_a, guint width_b, guint height_b)
{
  return fabs ((gdouble) width_a * height_b / height_a - width_b) <= SHAPE_TOLERANCE
         || fabs ((gdouble) height_a * width_b / width_a - height_b) <= SHAPE_TOLERANCE;
}

static void
check_size (WeftPlanner *self, const gchar *pointer, const gchar *uri, guint width, guint height)
{
  if (width > self->width || height > self->height)
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, uri,
        "make the timeline larger instead: enlarging adds no detail",
        "the output (%ux%u) is larger than the timeline (%ux%u) and is scaled up", width, height,
        self->width, self->height);
  if (!has_same_shape (self->width, self->height, width, height))
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, uri,
        "give only `width` or only `height` to keep the shape",
        "the output (%ux%u) has another shape than the timeline (%ux%u): bars fill what is left",
        width, height, self->width, self->height);
}

/* Smaller outputs are scaled from the next larger one: that costs less than the timeline, and looks
 * the same. */
static void
link_sizes (WeftPlanner *self)
{
  guint n = json_array_get_length (self->outputs);

  for (guint i = 0; i < n; i++) {
    JsonObject *output = json_array_get_object_element (self->outputs, i);
    gint64 width = weft_get_int (output, "width", 0), height = weft_get_int (output, "height", 0);
    JsonObject *best = NULL;

    if (!json_object_has_member (output, "scaled_from"))
      continue;
    for (guint j = 0; j < n; j++) {
      JsonObject *other = json_array_get_object_element (self->outputs, j);
      gint64 w = weft_get_int (other, "width", 0), h = weft_get_int (other, "height", 0);
      gboolean equal = w == width && h == height;

      if (j == i || !json_object_has_member (other, "scaled_from") || w < width || h < height
          || (equal && j > i) || w > self->width || h > self->height
          || (w == self->width && h == self->height)
          || !has_same_shape ((guint) w, (guint) h, (guint) width, (guint) height))
        continue;
      /* Of several that are equally large the first, which has scaled the frames itself. */
      if (best == NULL || w < weft_get_int (best, "width", 0))
        best = other;
    }
    if (best != NULL)
      json_object_set_string_member (output, "scaled_from", weft_get_string (best, "id", ""));
  }
}

/* What is in them */

static JsonObject *
plan_video (WeftPlanner *self, const gchar *pointer, JsonObject *settings, guint width,
    guint height, gint64 *bitrate)
{
  g_auto (WeftEncoderChoice) choice = { 0 };
  JsonObject *video;
  WeftVideoSettings wanted = {
    .codec = weft_get_string (settings, "codec", "h264"),
    .speed = weft_get_string (settings, "speed", "fast"),
    .profile = weft_get_string (settings, "profile", NULL),
    .quality = weft_get_double (settings, "quality", 23.0),
    .bitrate = weft_get_int (settings, "bitrate", -1),
    .keyframe_s = weft_get_double (settings, "keyframe_s", -1.0),
    .lookahead = (gint) weft_get_int (settings, "lookahead", -1),
    .bframes = (gint) weft_get_int (settings, "bframes", -1),
    .width = width,
    .height = height,
    .fps = self->fps,
  };

  if (!g_str_equal (wanted.codec, "h264")) {
    g_autofree gchar *codec_pointer = g_strconcat (pointer, "/video/codec", NULL);

    weft_planner_add_unsupported (
        self, codec_pointer, "video-codec", "this build encodes h264 only, not %s", wanted.codec);
    return NULL;
  }
  if (!weft_encoders_choose_video (&wanted, &choice)) {
    weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, NULL,
        "install gstreamer1.0-plugins-ugly, which holds x264enc",
        "this machine has no H.264 encoder that works (%s)", choice.reason);
    return NULL;
  }
  if (wanted.bitrate <= 0
      && (gdouble) weft_encoders_round_quality (wanted.quality) != wanted.quality) {
    g_autofree gchar *quality_pointer = g_strconcat (pointer, "/video/quality", NULL);

    weft_planner_add_warning (self, WEFT_ERROR_UNSUPPORTED, quality_pointer, NULL,
        "use a whole number", "this build's encoder takes whole numbers: the quality is %d",
        (gint) weft_encoders_round_quality (wanted.quality));
  }
  if (wanted.bitrate <= 0 && weft_encoders_round_quality (wanted.quality) == 0) {
    g_autofree gchar *quality_pointer = g_strconcat (pointer, "/video/quality", NULL);

    weft_planner_add_warning (self, WEFT_ERROR_UNSUPPORTED, quality_pointer, NULL, "use 1 or more",
        "a quality of 0 is lossless, which few players show");
  }
  video = json_object_new ();
  json_object_set_string_member (video, "codec", wanted.codec);
  json_object_set_string_member (video, "encoder", choice.element);
  json_object_set_string_member (video, "reason", choice.reason);
  json_object_set_object_member (video, "properties", json_object_ref (choice.properties));
  json_object_set_string_member (video, "caps", choice.caps);
  /* Of all the encoders only x264's writes what a muxer takes. */
  if (!g_str_equal (choice.element, "x264enc"))
    json_object_set_string_member (video, "parser", "h264parse");
  json_object_set_int_member (video, "latency_frames", choice.latency_frames);
  *bitrate = weft_encoders_estimate_bitrate (&wanted);
  self->peak_bytes += (choice.latency_frames + 4) * frame_bytes (width, height) + MUX_BYTES;
  return video;
}

/* Every video file has sound, if only silence, unless the job says `none`: whether a file has a
 * track must not depend on what its sources happen to hold. */
static JsonObject *
plan_audio (WeftPlanner *self, const gchar *pointer, JsonObject *settings)
{
  const gchar *codec = weft_get_string (settings, "codec", "aac");
  gint64 bitrate = weft_get_int (settings, "bitrate", 128000);
  g_auto (WeftEncoderChoice) choice = { 0 };
  JsonObject *audio;

  if (g_str_equal (codec, "none"))
    return NULL;
  if (!g_str_equal (codec, "aac")) {
    g_autofree gchar *codec_pointer = g_strconcat (pointer, "/audio/codec", NULL);

    weft_planner_add_unsupported (
        self, codec_pointer, "audio-codec", "this build encodes aac only, not %s", codec);
    return NULL;
  }
  if (!weft_encoders_choose_audio (codec, (guint) bitrate, &choice)) {
    weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, NULL,
        "install gstreamer1.0-libav, which holds avenc_aac", "this machine has no AAC encoder");
    return NULL;
  }
  audio = json_object_new ();
  json_object_set_string_member (audio, "codec", codec);
  json_object_set_string_member (audio, "encoder", choice.element);
  json_object_set_string_member (audio, "reason", choice.reason);
  json_object_set_int_member (audio, "bitrate", bitrate);
  json_object_set_int_member (audio, "rate", self->rate);
  json_object_set_int_member (audio, "channels", self->channels);
  json_object_set_int_member (audio, "priming_samples", choice.priming_samples);
  return audio;
}

static void
set_object_or_null (JsonObject *object, const gchar *name, JsonObject *value)
{
  if (value != NULL)
    json_object_set_object_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

/* The tables of an MP4 say of each frame when it is shown and where and how large it is, and of
 * each AAC frame of 1024 samples how large it is (ISO/IEC 14496-12, 8.6 and 8.7). */
#define TABLE_BYTES_PER_FRAME 16
#define TABLE_BYTES_PER_AUDIO_FRAME 4
#define SAMPLES_PER_AUDIO_FRAME 1024

static guint64
estimate_bytes (WeftPlanner *self, gint64 bitrate)
{
  gdouble seconds = weft_placement_frame_to_seconds (self->frames, self->fps);

  return (guint64) ((gdouble) bitrate / 8.0 * seconds) + self->frames * TABLE_BYTES_PER_FRAME
         + self->samples / SAMPLES_PER_AUDIO_FRAME * TABLE_BYTES_PER_AUDIO_FRAME;
}

static JsonObject *
begin_output (
    JsonObject *output, const gchar *type, const gchar *pointer, const gchar *uri, guint number)
{
  JsonObject *object = json_object_new ();
  g_autofree gchar *fallback_id = g_strdup_printf ("output-%u", number + 1);

  json_object_set_string_member (object, "id", weft_get_string (output, "id", fallback_id));
  json_object_set_string_member (object, "type", type);
  json_object_set_string_member (object, "pointer", pointer);
  json_object_set_string_member (object, "uri", uri);
  return object;
}

static void
plan_video_output (WeftPlanner *self, JsonObject *output, const gchar *pointer, guint number)
{
  g_autofree gchar *uri = resolve_place (self, pointer, output);
  JsonArray *segments = json_array_new ();
  JsonObject *segment = json_object_new ();
  gint64 video_bitrate = 0, audio_bitrate;
  JsonObject *object, *audio;
  guint64 bytes;
  guint width, height;

  choose_size (self, output, TRUE, &width, &height);
  check_size (self, pointer, uri, width, height);
  object = begin_output (output, "video", pointer, uri != NULL ? uri : "", number);
  json_object_set_string_member (object, "container", weft_get_string (output, "container", "mp4"));
  json_object_set_int_member (object, "width", width);
  json_object_set_int_member (object, "height", height);
  json_object_set_int_member (object, "frames", (gint64) self->frames);
  json_object_set_int_member (object, "samples", (gint64) self->samples);
  json_object_set_null_member (object, "scaled_from");
  set_object_or_null (object, "video",
      plan_video (self, pointer, weft_get_object (output, "video"), width, height, &video_bitrate));
  audio = plan_audio (self, pointer, weft_get_object (output, "audio"));
  audio_bitrate = weft_get_int (audio, "bitrate", 0);
  set_object_or_null (object, "audio", audio);
  bytes = estimate_bytes (self, video_bitrate + audio_bitrate);
  json_object_set_int_member (object, "estimated_bytes", (gint64) bytes);
  self->output_bytes += bytes;
  json_object_set_int_member (segment, "first_frame", 0);
  json_object_set_int_member (segment, "frames", (gint64) self->frames);
  json_object_set_string_member (segment, "mode", "encode");
  json_array_add_object_element (segments, segment);
  json_object_set_array_member (object, "segments", segments);
  json_array_add_object_element (self->outputs, object);
}

static const gchar *
picture_format_of_name (const gchar *uri)
{
  static const struct {
    const gchar *ending;
    const gchar *format;
  } endings[] = { { ".jpg", "jpeg" }, { ".jpeg", "jpeg" }, { ".png", "png" }, { ".webp", "webp" } };
  g_autofree gchar *lower = g_ascii_strdown (uri, -1);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i].ending))
      return endings[i].format;
  return NULL;
}

static const gchar *
choose_picture_format (
    WeftPlanner *self, JsonObject *output, const gchar *pointer, const gchar *uri)
{
  const gchar *by_name = picture_format_of_name (uri);
  const gchar *format = weft_get_string (output, "format", by_name);

  if (format == NULL) {
    weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, pointer, uri,
        "let its name end in .jpg or .png, or give a `format`",
        "the kind of picture cannot be told from its name");
    return NULL;
  }
  if (by_name != NULL && !g_str_equal (format, by_name))
    weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer, uri,
        "let the name end as its format says", "the picture is a %s, but its name says %s", format,
        by_name);
  if (weft_encoders_choose_picture (format) == NULL) {
    weft_planner_add_error (self, WEFT_ERROR_UNSUPPORTED, pointer, uri,
        "install gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad",
        "this machine cannot write %s pictures", format);
    return NULL;
  }
  return format;
}

static void
plan_thumbnail (WeftPlanner *self, JsonObject *output, const gchar *pointer, guint number)
{
  g_autofree gchar *uri = resolve_place (self, pointer, output);
  const gchar *format = uri != NULL ? choose_picture_format (self, output, pointer, uri) : NULL;
  JsonObject *object;
  guint64 at_ns = 0, frame;
  guint width, height;

  weft_get_time (output, "at", &at_ns);
  frame = weft_placement_time_to_frame (at_ns, self->fps);
  if (frame >= self->frames && self->frames > 0) {
    /* Somebody who asks for the very end means the last frame. */
    if (frame > self->frames) {
      g_autofree gchar *at_pointer = g_strconcat (pointer, "/at", NULL);
      g_autofree gchar *hint = g_strdup_printf ("use an `at` of at most %.3f",
          weft_placement_frame_to_seconds (self->frames - 1, self->fps));

      weft_planner_add_error (self, WEFT_ERROR_INVALID_JOB, at_pointer, uri, hint,
          "the thumbnail is taken at %.3f s, but the timeline is only %.3f s long",
          (gdouble) at_ns / (gdouble) GST_SECOND,
          weft_placement_frame_to_seconds (self->frames, self->fps));
    }
    frame = self->frames - 1;
  }
  choose_size (self, output, FALSE, &width, &height);
  check_size (self, pointer, uri, width, height);
  object = begin_output (output, "thumbnail", pointer, uri != NULL ? uri : "", number);
  json_object_set_string_member (object, "format", format != NULL ? format : "jpeg");
  json_object_set_int_member (object, "frame", (gint64) frame);
  json_object_set_int_member (object, "width", width);
  json_object_set_int_member (object, "height", height);
  json_object_set_int_member (object, "quality", weft_get_int (output, "quality", 85));
  json_array_add_object_element (self->outputs, object);
  self->output_bytes += (guint64) width * height / 4;
  self->peak_bytes += frame_bytes (width, height) * 2;
}

static void
estimate_memory (WeftPlanner *self)
{
  guint64 largest = 0;

  for (guint i = 0; i < self->sources->len; i++) {
    WeftPlanSource *source = g_ptr_array_index (self->sources, i);
    JsonObject *video = source->node != NULL
                            ? weft_get_object (json_node_get_object (source->node), "video")
                            : NULL;

    if (video != NULL)
      largest = MAX (largest, frame_bytes ((guint) weft_get_int (video, "width", 0),
                                  (guint) weft_get_int (video, "height", 0)));
  }
  /* Two clips are open at a time: the current one and the next. */
  self->peak_bytes +=
      BASE_BYTES + 2 * DECODER_FRAMES * largest + 8 * frame_bytes (self->width, self->height);
}

void
weft_planner_plan_outputs (WeftPlanner *self)
{
  JsonArray *outputs = weft_get_array (self->document, "outputs");

  for (guint i = 0; outputs != NULL && i < json_array_get_length (outputs); i++) {
    JsonObject *output = json_array_get_object_element (outputs, i);
    const gchar *type = weft_get_string (output, "type", "video");
    g_autofree gchar *pointer = g_strdup_printf ("/outputs/%u", i);

    if (g_str_equal (type, "video"))
      plan_video_output (self, output, pointer, i);
    else if (g_str_equal (type, "thumbnail"))
      plan_thumbnail (self, output, pointer, i);
    else
      weft_planner_add_unsupported (
          self, pointer, type, "this build cannot write outputs of the type %s", type);
  }
  link_sizes (self);
  check_duplicates (self);
  estimate_memory (self);
}

/* What platforms take */

/* The bit rate at which the video of an output stays below @limit_bytes, a little on the safe side.
 */
static gint64
fitting_bitrate (WeftPlanner *self, JsonObject *planned, gdouble limit_bytes)
{
  gint64 audio = weft_get_int (weft_get_object (planned, "audio"), "bitrate", 0);
  gdouble seconds = weft_placement_frame_to_seconds (self->frames, self->fps);

  return (gint64) (limit_bytes * 8 / seconds * 0.95 / 1000) * 1000 - audio;
}

static void
check_file_size (WeftPlanner *self, JsonObject *limits, JsonObject *planned)
{
  const gchar *pointer = weft_get_string (planned, "pointer", "");
  gdouble bytes = (gdouble) weft_get_int (planned, "estimated_bytes", 0), limit;
  g_autofree gchar *source = NULL, *hint = NULL, *size = NULL, *most = NULL;
  gint64 bitrate;

  if (!weft_limits_cross (limits, "max_bytes", bytes, &limit))
    return;
  bitrate = fitting_bitrate (self, planned, limit);
  source = weft_limits_dup_source (limits);
  hint = bitrate > 0 ? g_strdup_printf ("give its video a `bitrate` of %" G_GINT64_FORMAT
                                        " or less, or shorten the timeline; %s",
             bitrate, source)
                     : g_strdup_printf ("shorten the timeline; %s", source);
  size = g_format_size ((guint64) bytes);
  most = g_format_size ((guint64) limit);
  weft_planner_add_warning (self, WEFT_ERROR_INVALID_JOB, pointer,
      weft_get_string (planned, "uri", NULL), hint,
      "%s takes files of at most %s, and this one will have about %s",
      weft_limits_get_platform (limits), most, size);
}

static void
check_duration (WeftPlanner *self, JsonObject *limits, const gchar *name)
{
  WeftProblem *problem = weft_limits_check (limits, name, "seconds",
      weft_placement_frame_to_seconds (self->frames, self->fps), "/timeline/clips");

  if (problem != NULL)
    g_ptr_array_add (self->warnings, problem);
}

/* The limits of platforms that only the plan can check: it knows how long the sources are. */
void
weft_planner_check_limits (WeftPlanner *self)
{
  JsonArray *all = weft_get_array (self->document, "limits");

  for (guint i = 0; all != NULL && i < json_array_get_length (all); i++) {
    JsonObject *limits = json_array_get_object_element (all, i);

    check_duration (self, limits, "max_duration_s");
    if (self->frames > 0)
      check_duration (self, limits, "min_duration_s");
    for (guint k = 0; k < json_array_get_length (self->outputs); k++) {
      JsonObject *planned = json_array_get_object_element (self->outputs, k);

      if (g_str_equal (weft_get_string (planned, "type", ""), "video"))
        check_file_size (self, limits, planned);
    }
  }
}
