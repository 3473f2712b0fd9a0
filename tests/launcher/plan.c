/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weft-plan.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>
#include <unistd.h>

#include "realmedia.h"

typedef struct {
  gchar *folder;
  gchar *phone; /* 41 frames, VFR; the sound outlasts the picture by 82 ms */
  gchar *hello; /* 30 fps; its first frame is at 33 ms */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->folder = realmedia_scratch ();
  if (!realmedia_is_here ())
    return;
  self->phone = realmedia_path ("phone.mp4");
  self->hello = realmedia_path ("hello.mp4");
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  realmedia_remove (self->folder);
  g_free (self->phone);
  g_free (self->hello);
}

/* In @template, single quotes stand for double ones, `$P` and `$H` for the two clips, `$F` for the
 * scratch folder. */
static gchar *
fill (Fixture *self, const gchar *template)
{
  GString *text = g_string_new (template);

  g_string_replace (text, "'", "\"", 0);
  g_string_replace (text, "$P", self->phone, 0);
  g_string_replace (text, "$H", self->hello, 0);
  g_string_replace (text, "$F", self->folder, 0);
  return g_string_free (text, FALSE);
}

static WeftJob *
job_new (Fixture *self, const gchar *template)
{
  g_autofree gchar *text = fill (self, template);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GFile) base = g_file_new_for_path (self->folder);
  g_autoptr (GError) error = NULL;
  WeftJob *job = weft_job_new_from_bytes (bytes, base, NULL, &error);

  g_assert_no_error (error);
  return job;
}

/* A job of 320x180 at 30 fps with these clips and outputs. */
static gchar *
job_text (const gchar *clips, const gchar *more_timeline, const gchar *outputs)
{
  return g_strdup_printf (
      "{'id':'job-1','timeline':{'width':320,'height':180,'fps':30,'clips':[%s]%s},'outputs':[%s]}",
      clips, more_timeline, outputs);
}

#define ONE_OUTPUT "{'uri':'out.mp4'}"

static WeftPlan *
plan_new (Fixture *self, const gchar *template)
{
  g_autoptr (WeftJob) job = job_new (self, template);
  g_autoptr (GError) error = NULL;
  WeftPlan *plan = weft_plan_new (job, NULL, &error);

  g_assert_no_error (error);
  return plan;
}

static WeftPlan *
plan_clips (Fixture *self, const gchar *clips)
{
  g_autofree gchar *text = job_text (clips, "", ONE_OUTPUT);

  return plan_new (self, text);
}

static JsonObject *
get_root (WeftPlan *plan)
{
  return json_node_get_object (weft_plan_get_root (plan));
}

static JsonObject *
get_nth (WeftPlan *plan, const gchar *list, guint i)
{
  JsonArray *array = json_object_get_array_member (get_root (plan), list);

  g_assert_cmpuint (json_array_get_length (array), >, i);
  return json_array_get_object_element (array, i);
}

static guint
get_length (WeftPlan *plan, const gchar *list)
{
  return json_array_get_length (json_object_get_array_member (get_root (plan), list));
}

static gint64
get_int (JsonObject *object, const gchar *name)
{
  return json_object_get_int_member (object, name);
}

static gint64
get_frames (WeftPlan *plan)
{
  return get_int (json_object_get_object_member (get_root (plan), "timeline"), "frames");
}

/* The plan of @template fails; returns the error. */
static GError *
plan_fails (Fixture *self, const gchar *template)
{
  g_autoptr (WeftJob) job = job_new (self, template);
  GError *error = NULL;

  g_assert_null (weft_plan_new (job, NULL, &error));
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  return error;
}

static GError *
clips_fail (Fixture *self, const gchar *clips)
{
  g_autofree gchar *text = job_text (clips, "", ONE_OUTPUT);

  return plan_fails (self, text);
}

static const WeftProblem *
find_problem (GPtrArray *problems, const gchar *pointer)
{
  for (guint i = 0; i < problems->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (problems, i);

    if (g_strcmp0 (problem->pointer, pointer) == 0)
      return problem;
  }
  g_error ("nothing is said about %s", pointer);
}

static void
assert_problem (const GError *error, WeftError code, const gchar *pointer, const gchar *part)
{
  const WeftProblem *problem = find_problem (weft_error_get_problems (error), pointer);

  g_assert_cmpint (problem->code, ==, code);
  g_assert_false (problem->is_warning);
  g_assert_nonnull (strstr (problem->message, part));
  g_assert_nonnull (problem->hint);
}

static void
assert_warning (WeftPlan *plan, const gchar *pointer, const gchar *part)
{
  const WeftProblem *problem = find_problem (weft_plan_get_warnings (plan), pointer);

  g_assert_true (problem->is_warning);
  g_test_message ("%s: %s", pointer, problem->message);
  g_assert_nonnull (strstr (problem->message, part));
}

/* Clips */

static void
test_clips_follow_one_another (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  gint64 frames = 0, samples = 0;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$P','out':1.01},{'src':'$H','in':1,'out':2.01},{'src':'$P','in'"
                           ":'00:00:00.200','duration':1.01},{'src':'$H','out':1.01}");
  for (guint i = 0; i < 4; i++) {
    JsonObject *clip = get_nth (plan, "clips", i);

    g_assert_cmpint (get_int (clip, "first_frame"), ==, frames);
    g_assert_cmpint (get_int (clip, "first_sample"), ==, samples);
    frames += get_int (clip, "frames");
    samples += get_int (clip, "samples");
  }
  /* 4.04 s at 30 fps, not four times 30 frames. */
  g_assert_cmpint (frames, ==, 121);
  g_assert_cmpint (get_frames (plan), ==, 121);
  g_assert_cmpint (samples, ==, 121 * 1600);
  g_assert_cmpint (get_int (get_nth (plan, "outputs", 0), "samples"), ==, samples);
}

static void
test_a_source_is_probed_once (Fixture *self, gconstpointer data)
{
  g_autoptr (GString) clips = g_string_new (NULL);
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  for (guint i = 0; i < 400; i++)
    g_string_append_printf (
        clips, "%s{'src':'%s','out':0.5}", i > 0 ? "," : "", i % 2 > 0 ? "$P" : "$H");
  plan = plan_clips (self, clips->str);
  g_assert_cmpuint (get_length (plan, "clips"), ==, 400);
  g_assert_cmpuint (get_length (plan, "sources"), ==, 2);
  g_assert_cmpint (get_frames (plan), ==, 400 * 15);
  g_assert_cmpint (get_int (get_nth (plan, "clips", 0), "source"), ==, 0);
  g_assert_cmpint (get_int (get_nth (plan, "clips", 1), "source"), ==, 1);
}

static void
test_the_same_job_gives_the_same_bytes (Fixture *self, gconstpointer data)
{
  g_autofree gchar *first = NULL;

  if (self->phone == NULL)
    return;
  for (guint i = 0; i < 3; i++) {
    g_autoptr (WeftPlan) plan = plan_clips (
        self, "{'src':'$P'},{'src':'$H','out':1},{'src':'nothing.mp4','on_error':'skip'}");
    g_autofree gchar *text = weft_plan_to_json (plan, FALSE);

    if (first == NULL)
      first = g_steal_pointer (&text);
    else
      g_assert_cmpstr (text, ==, first);
  }
}

static void
test_a_plan_survives_its_own_json (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL, again = NULL;
  g_autofree gchar *text = NULL, *back = NULL, *job = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  job = job_text ("{'src':'$P','out':1},{'src':'nothing.mp4','on_error':'background','duration':1}",
      ",'overlays':[{'type':'text','text':'hello','end':1}]",
      "{'id':'a','uri':'a.mp4'},{'id':'b','uri':'b.mp4','width':160},{'id':'p','type':'thumbnail','"
      "uri':'p.png'}");
  plan = plan_new (self, job);
  text = weft_plan_to_json (plan, FALSE);
  again = weft_plan_new_from_json (text, -1, &error);
  g_assert_no_error (error);
  back = weft_plan_to_json (again, FALSE);
  g_assert_cmpstr (back, ==, text);
  g_assert_cmpuint (weft_plan_get_warnings (again)->len, ==, weft_plan_get_warnings (plan)->len);
}

static void
test_a_clip_without_out_ends_with_its_picture (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL, all = NULL;

  if (self->phone == NULL)
    return;
  /* 1.517 s of picture, 1.600 s of sound. */
  plan = plan_clips (self, "{'src':'$P'}");
  g_assert_cmpint (get_frames (plan), ==, 46);
  /* But who asks for the tail gets it. */
  all = plan_clips (self, "{'src':'$P','out':1.6}");
  g_assert_cmpint (get_frames (all), ==, 48);
  g_assert_cmpuint (weft_plan_get_warnings (all)->len, ==, 0);
}

static void
test_out_beyond_the_end_is_cut (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$P','out':60},{'src':'$P','in':1,'duration':5}");
  g_assert_cmpint (get_int (get_nth (plan, "clips", 0), "frames"), ==, 48);
  g_assert_cmpint (get_int (get_nth (plan, "clips", 1), "frames"), ==, 18);
  assert_warning (plan, "/timeline/clips/0", "only 1.600 s long");
  assert_warning (plan, "/timeline/clips/1", "only 1.600 s long");
}

static void
test_in_beyond_the_end_is_an_error (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  error = clips_fail (self, "{'src':'$P','in':2}");
  assert_problem (error, WEFT_ERROR_INVALID_JOB, "/timeline/clips/0/in", "only 1.600 s long");
}

static void
test_a_sliver_is_left_out (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$P','out':1},{'src':'$H','out':0.01},{'src':'$P','out':1}");
  g_assert_cmpuint (get_length (plan, "clips"), ==, 2);
  g_assert_cmpint (get_frames (plan), ==, 60);
  assert_warning (plan, "/timeline/clips/1", "shorter than a frame");
}

static void
test_every_bad_source_is_reported (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const WeftProblem *problem;

  if (self->phone == NULL)
    return;
  g_free (realmedia_run ("cd '%s' && : > empty.mp4 && echo hi > text.mp4", self->folder));
  error = clips_fail (
      self, "{'src':'$P'},{'src':'nothing.mp4'},{'src':'empty.mp4'},{'src':'text.mp4'}");
  assert_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, "/timeline/clips/1", "does not exist");
  assert_problem (error, WEFT_ERROR_SOURCE_DAMAGED, "/timeline/clips/2", "0 bytes");
  assert_problem (error, WEFT_ERROR_SOURCE_DAMAGED, "/timeline/clips/3", "not media");
  problem = find_problem (weft_error_get_problems (error), "/timeline/clips/1");
  g_assert_true (g_str_has_suffix (problem->uri, "/nothing.mp4"));
}

static void
test_on_error_decides_about_bad_sources (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) skipped = NULL, replaced = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *clip;

  if (self->phone == NULL)
    return;
  skipped =
      plan_clips (self, "{'src':'nothing.mp4','out':1,'on_error':'skip'},{'src':'$P','out':1}");
  g_assert_cmpint (get_frames (skipped), ==, 30);
  g_assert_cmpuint (get_length (skipped, "clips"), ==, 1);
  assert_warning (skipped, "/timeline/clips/0", "left out");

  replaced = plan_clips (
      self, "{'src':'nothing.mp4','in':1,'out':2.5,'on_error':'background'},{'src':'$P','out':1}");
  g_assert_cmpint (get_frames (replaced), ==, 75);
  clip = get_nth (replaced, "clips", 0);
  g_assert_false (json_object_get_boolean_member (clip, "video"));
  g_assert_false (json_object_get_boolean_member (clip, "audio"));
  g_assert_true (json_object_get_null_member (clip, "source"));
  assert_warning (replaced, "/timeline/clips/0", "background");

  error = clips_fail (self, "{'src':'nothing.mp4','on_error':'background'},{'src':'$P','out':1}");
  assert_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, "/timeline/clips/0", "not known");
}

static void
test_nothing_left_is_an_error (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = clips_fail (self, "{'src':'nothing.mp4','on_error':'skip'}");

  assert_problem (error, WEFT_ERROR_INVALID_JOB, "/timeline/clips", "empty");
}

static void
test_a_still_picture_needs_a_duration (Fixture *self, gconstpointer data)
{
  g_autofree gchar *path = NULL, *good = NULL, *bad = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  path = realmedia_path ("photo.jpg");
  good = g_strdup_printf ("{'src':'%s','duration':2}", path);
  bad = g_strdup_printf ("{'src':'%s'}", path);
  plan = plan_clips (self, good);
  g_assert_cmpint (get_frames (plan), ==, 60);
  g_assert_false (json_object_get_boolean_member (get_nth (plan, "clips", 0), "audio"));
  error = clips_fail (self, bad);
  assert_problem (error, WEFT_ERROR_INVALID_JOB, "/timeline/clips/0", "no length");
}

static void
test_a_source_that_starts_late_says_so (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$H','in':1,'out':2}");
  g_assert_cmpint (get_int (get_nth (plan, "clips", 0), "start_ns"), ==, 33000000);
  g_assert_cmpint (get_int (get_nth (plan, "clips", 0), "in_ns"), ==, 1000000000);
}

static void
test_ntsc_rates_are_exact (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  JsonObject *timeline;

  if (self->phone == NULL)
    return;
  plan = plan_new (self, "{'timeline':{'width':320,'height':180,'fps':29.97,'clips':[{'src':'$H','"
                         "out':8}]},'outputs':[{'uri':'o.mp4'}]}");
  timeline = json_object_get_object_member (get_root (plan), "timeline");
  g_assert_cmpint (
      json_array_get_int_element (json_object_get_array_member (timeline, "fps"), 0), ==, 30000);
  g_assert_cmpint (get_frames (plan), ==, 240);
  /* 240 frames of 1001/30000 s at 48 kHz */
  g_assert_cmpint (get_int (timeline, "samples"), ==, 384384);
}

/* Overlays */

static void
test_overlays_stand_on_frames (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL;
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  text = job_text ("{'src':'$H','out':3}",
      ",'overlays':[{'type':'text','text':'a','start':0.5,'end':1.5},{'type':'text','text':'b','"
      "start':1},"
      "{'type':'text','text':'c','start':1,'end':9},{'type':'text','text':'d','start':5},"
      "{'type':'text','text':'e','start':2,'end':2.01}]",
      ONE_OUTPUT);
  plan = plan_new (self, text);
  g_assert_cmpuint (get_length (plan, "overlays"), ==, 3);
  g_assert_cmpint (get_int (get_nth (plan, "overlays", 0), "first_frame"), ==, 15);
  g_assert_cmpint (get_int (get_nth (plan, "overlays", 0), "frames"), ==, 30);
  g_assert_cmpint (get_int (get_nth (plan, "overlays", 1), "frames"), ==, 60);
  g_assert_cmpint (get_int (get_nth (plan, "overlays", 2), "frames"), ==, 60);
  assert_warning (plan, "/timeline/overlays/2", "only 3.000 s long");
  assert_warning (plan, "/timeline/overlays/3", "never shows");
  assert_warning (plan, "/timeline/overlays/4", "never shows");
}

static void
test_pictures_of_overlays_are_looked_at (Fixture *self, gconstpointer data)
{
  g_autofree gchar *logo = NULL, *more = NULL, *text = NULL, *good = NULL, *bad = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  logo = realmedia_path ("debian-logo.png");
  good = g_strdup_printf (",'overlays':[{'type':'image','src':'%s'}]", logo);
  text = job_text ("{'src':'$H','out':1}", good, ONE_OUTPUT);
  plan = plan_new (self, text);
  g_assert_true (g_str_has_prefix (
      json_object_get_string_member (
          json_object_get_object_member (get_nth (plan, "overlays", 0), "item"), "src"),
      "file:///"));

  g_free (realmedia_run ("echo no picture > '%s/text.png'", self->folder));
  more = g_strdup (",'overlays':[{'type':'image','src':'nothing.png'},{'type':'image','src':'text."
                   "png'}],'background':'#123456'");
  bad = job_text ("{'src':'$H','out':1}", more, ONE_OUTPUT);
  error = plan_fails (self, bad);
  assert_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, "/timeline/overlays/0/src", "does not exist");
  assert_problem (error, WEFT_ERROR_SOURCE_DAMAGED, "/timeline/overlays/1/src", "not a picture");
}

static gchar *
overlay_job (Fixture *self, const gchar *path)
{
  g_autofree gchar *overlays = g_strdup_printf (",'overlays':[{'type':'image','src':'%s'}]", path);

  return job_text ("{'src':'$H','out':1}", overlays, ONE_OUTPUT);
}

/* What the element that draws says it can draw is what the plan lets through. */
static void
test_pictures_that_are_not_drawn_are_unsupported (Fixture *self, gconstpointer data)
{
  static const gchar *const drawn[] = { "debian-logo.png", "debian-logo.jpg", "retro.webp",
    "bubble.svg", "newtonscradle.gif" };
  static const gchar *const others[] = { "a.tiff", "a.bmp", "a.avif" };
  g_autofree gchar *picture = NULL;

  if (self->phone == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (drawn); i++) {
    g_autofree gchar *path = realmedia_path (drawn[i]), *text = overlay_job (self, path);
    g_autoptr (WeftPlan) plan = plan_new (self, text);

    if (g_str_has_suffix (drawn[i], ".gif"))
      assert_warning (plan, "/timeline/overlays/0/src", "only its first frame");
    else
      g_assert_cmpuint (weft_plan_get_warnings (plan)->len, ==, 0);
  }
  picture = realmedia_path ("debian-logo.png");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree gchar *text = overlay_job (self, others[i]);
    g_autoptr (GError) error = NULL;

    if (g_str_equal (others[i], "a.avif"))
      g_free (realmedia_run (
          "printf '\\0\\0\\0\\040ftypavif\\0\\0\\0\\0' > '%s/a.avif'", self->folder));
    else
      g_free (realmedia_run ("ffmpeg -v error -nostdin -y -i '%s' -frames:v 1 '%s/%s'", picture,
          self->folder, others[i]));
    error = plan_fails (self, text);
    assert_problem (
        error, WEFT_ERROR_UNSUPPORTED, "/timeline/overlays/0/src", others[i] + strlen ("a."));
  }
}

static void
test_captions_come_from_files_and_servers (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL, *bad = NULL, *other = NULL;
  g_autoptr (WeftPlan) plan = NULL, elsewhere = NULL;
  g_autoptr (GError) error = NULL, unsupported = NULL;

  if (self->phone == NULL)
    return;
  g_free (
      realmedia_run ("printf '00:00:00,000 --> 00:00:01,000\nHi\n' > '%s/a.srt'", self->folder));
  text = job_text ("{'src':'$H','out':1}",
      ",'overlays':[{'type':'captions','src':'a.srt','style':'pop','words':2},"
      "{'type':'captions','src':'https://example.org/a.vtt'}]",
      ONE_OUTPUT);
  plan = plan_new (self, text);
  g_assert_true (weft_plan_check_supported (plan, NULL));
  JsonObject *item = json_object_get_object_member (get_nth (plan, "overlays", 0), "item");
  g_assert_true (g_str_has_prefix (json_object_get_string_member (item, "src"), "file:///"));
  g_assert_cmpstr (json_object_get_string_member (item, "position"), ==, "bottom");
  item = json_object_get_object_member (get_nth (plan, "overlays", 1), "item");
  g_assert_cmpstr (json_object_get_string_member (item, "src"), ==, "https://example.org/a.vtt");

  bad = job_text ("{'src':'$H','out':1}",
      ",'overlays':[{'type':'captions','src':'nothing.srt'},{'type':'captions','src':'.'}]",
      ONE_OUTPUT);
  error = plan_fails (self, bad);
  assert_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, "/timeline/overlays/0/src", "does not exist");
  g_assert_nonnull (find_problem (weft_error_get_problems (error), "/timeline/overlays/1/src"));

  other = job_text ("{'src':'$H','out':1}",
      ",'overlays':[{'type':'captions','from':'transcript'},"
      "{'type':'captions','src':'s3://bucket/a.srt'}]",
      ONE_OUTPUT);
  elsewhere = plan_new (self, other);
  g_assert_false (weft_plan_check_supported (elsewhere, &unsupported));
  assert_problem (unsupported, WEFT_ERROR_UNSUPPORTED, "/timeline/overlays/0", "no transcript");
  assert_problem (unsupported, WEFT_ERROR_UNSUPPORTED, "/timeline/overlays/1/src", "https:");
}

static void
test_a_missing_font_is_told_with_its_stand_in (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL, *bad = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  text = job_text ("{'src':'$H','out':1}",
      ",'overlays':[{'type':'text','text':'a','font':{'family':'Surely Not Installed'}},"
      "{'type':'text','text':'b','font':{'family':'Sans'}}]",
      ONE_OUTPUT);
  plan = plan_new (self, text);
  g_assert_cmpuint (weft_plan_get_warnings (plan)->len, ==, 1);
  assert_warning (plan, "/timeline/overlays/0/font/family", "in its place");

  bad = g_strdup ("{'fonts':[{'family':'Mine','src':'mine.ttf'}],'timeline':{'clips':[{'src':'$H','"
                  "out':1}]},'outputs':[{'uri':'o.mp4'}]}");
  error = plan_fails (self, bad);
  assert_problem (error, WEFT_ERROR_SOURCE_NOT_FOUND, "/fonts/0/src", "does not exist");
}

/* Outputs */

static void
test_sizes_keep_the_shape (Fixture *self, gconstpointer data)
{
  static const gint expected[][2] = { { 1080, 1920 }, { 720, 1280 }, { 480, 854 }, { 406, 720 } };
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_new (self,
      "{'timeline':{'width':1080,'height':1920,'clips':[{'src':'$H','out':1}]},'outputs':["
      "{'id':'a','uri':'a.mp4'},{'id':'b','uri':'b.mp4','width':720},{'id':'c','uri':'c.mp4','"
      "width':480},"
      "{'id':'d','uri':'d.mp4','height':720}]}");
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_assert_cmpint (get_int (get_nth (plan, "outputs", i), "width"), ==, expected[i][0]);
    g_assert_cmpint (get_int (get_nth (plan, "outputs", i), "height"), ==, expected[i][1]);
  }
  /* Each is scaled from the next larger one, the largest from the timeline. */
  g_assert_true (json_object_get_null_member (get_nth (plan, "outputs", 0), "scaled_from"));
  g_assert_true (json_object_get_null_member (get_nth (plan, "outputs", 1), "scaled_from"));
  g_assert_cmpstr (
      json_object_get_string_member (get_nth (plan, "outputs", 2), "scaled_from"), ==, "b");
  g_assert_cmpstr (
      json_object_get_string_member (get_nth (plan, "outputs", 3), "scaled_from"), ==, "c");
  g_assert_cmpuint (weft_plan_get_warnings (plan)->len, ==, 0);
}

static void
test_enlarging_and_other_shapes_are_warned_of (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL;
  g_autoptr (WeftPlan) plan = NULL;

  if (self->phone == NULL)
    return;
  text = job_text ("{'src':'$H','out':1}", "",
      "{'uri':'a.mp4','width':640},{'uri':'b.mp4','width':180,'height':180}");
  plan = plan_new (self, text);
  assert_warning (plan, "/outputs/0", "scaled up");
  assert_warning (plan, "/outputs/1", "bars");
}

static void
test_encoder_settings_reach_the_plan (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  JsonObject *video, *properties;

  if (self->phone == NULL)
    return;
  text = job_text ("{'src':'$H','out':1}", "",
      "{'uri':'a.mp4','video':{'bitrate':3000000,'speed':'slow','keyframe_s':2},'audio':{'bitrate':"
      "96000}},"
      "{'uri':'b.mp4','video':{'quality':20.4},'audio':{'codec':'none'}}");
  plan = plan_new (self, text);
  video = json_object_get_object_member (get_nth (plan, "outputs", 0), "video");
  if (g_strcmp0 (json_object_get_string_member (video, "encoder"), "x264enc") == 0) {
    properties = json_object_get_object_member (video, "properties");
    g_assert_cmpint (get_int (properties, "bitrate"), ==, 3000);
    g_assert_cmpint (get_int (properties, "key-int-max"), ==, 60);
    g_assert_cmpstr (json_object_get_string_member (properties, "speed-preset"), ==, "slow");
    assert_warning (plan, "/outputs/1/video/quality", "whole numbers");
  }
  g_assert_cmpint (
      get_int (json_object_get_object_member (get_nth (plan, "outputs", 0), "audio"), "bitrate"),
      ==, 96000);
  g_assert_true (json_object_get_null_member (get_nth (plan, "outputs", 1), "audio"));
}

static void
test_thumbnails_lie_within_the_timeline (Fixture *self, gconstpointer data)
{
  g_autofree gchar *good = NULL, *bad = NULL;
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  good = job_text ("{'src':'$H','out':2}", "",
      "{'type':'thumbnail','uri':'a.jpg','at':1.5},{'type':'thumbnail','uri':'b.PNG','at':2,'width'"
      ":161},"
      "{'type':'thumbnail','uri':'c.jpeg','quality':40}");
  plan = plan_new (self, good);
  g_assert_cmpint (get_int (get_nth (plan, "outputs", 0), "frame"), ==, 45);
  g_assert_cmpstr (
      json_object_get_string_member (get_nth (plan, "outputs", 0), "format"), ==, "jpeg");
  /* The very end is the last frame. */
  g_assert_cmpint (get_int (get_nth (plan, "outputs", 1), "frame"), ==, 59);
  g_assert_cmpstr (
      json_object_get_string_member (get_nth (plan, "outputs", 1), "format"), ==, "png");
  g_assert_cmpint (get_int (get_nth (plan, "outputs", 1), "height"), ==, 91);
  g_assert_cmpint (get_int (get_nth (plan, "outputs", 2), "quality"), ==, 40);

  bad = job_text ("{'src':'$H','out':2}", "", "{'type':'thumbnail','uri':'a.jpg','at':3}");
  error = plan_fails (self, bad);
  assert_problem (error, WEFT_ERROR_INVALID_JOB, "/outputs/0/at", "only 2.000 s long");
}

static void
test_places_that_cannot_be_written_are_denied (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL, *closed = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  g_free (realmedia_run (
      "cd '%s' && mkdir closed dir.mp4 && : > file && chmod 555 closed && chmod 777 .",
      self->folder));
  closed = g_build_filename (self->folder, "closed", NULL);
  text = job_text ("{'src':'$H','out':1}", "",
      "{'uri':'dir.mp4'},{'uri':'file/a.mp4'},{'uri':'/proc/a.mp4'},{'uri':'closed/deep/"
      "a.mp4'},{'uri':'new/folder/a.mp4'},{'uri':'/dev/null'}");
  /* Root may write everywhere that is not read-only by nature. */
  if (geteuid () == 0)
    g_assert_cmpint (seteuid (65534), ==, 0);
  error = plan_fails (self, text);
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/0", "folder");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/1", "is a file");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/2", "may not be written");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/3", "may not be written");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/5", "device");
  for (guint i = 0; i < weft_error_get_problems (error)->len; i++) {
    const WeftProblem *problem = g_ptr_array_index (weft_error_get_problems (error), i);

    g_assert_cmpstr (problem->pointer, !=, "/outputs/4");
  }
  g_assert_cmpint (g_chmod (closed, 0755), ==, 0);
}

static void
test_sources_are_never_overwritten (Fixture *self, gconstpointer data)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  /* By their own name the job itself refuses them. */
  g_free (realmedia_run (
      "cd '%s' && cp '%s' a.mp4 && ln -s a.mp4 link.mp4 && ln a.mp4 hard.mp4 && ln -s . here",
      self->folder, self->phone));
  text = job_text ("{'src':'a.mp4','out':1}", "",
      "{'uri':'link.mp4'},{'uri':'hard.mp4'},{'uri':'here/a.mp4'},{'uri':'b.mp4'},{'uri':'here/"
      "b.mp4'}");
  error = plan_fails (self, text);
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/0", "overwrite");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/1", "overwrite");
  assert_problem (error, WEFT_ERROR_OUTPUT_DENIED, "/outputs/2", "overwrite");
  assert_problem (error, WEFT_ERROR_INVALID_JOB, "/outputs/4", "same name");
}

/* What this build cannot run */

static void
test_what_cannot_be_run_is_listed_and_refused (Fixture *self, gconstpointer data)
{
  static const gchar *const pointers[] = { "/timeline/clips/0/speed",
    "/timeline/clips/1/transition", "/timeline/clips/1/effect", "/timeline/audio/0",
    "/timeline/loudness", "/timeline/overlays/0", "/analysis/silence", "/analysis/transcript",
    "/outputs/1", "/outputs/2", "/outputs/3", "/outputs/4", "/outputs/5/video/codec", "/outputs/6",
    "/render/mode", "/webhook" };
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *unsupported;

  if (self->phone == NULL)
    return;
  plan = plan_new (self,
      "{'metadata':{'who':'me'},'priority':'high','timeline':{'width':320,'height':180,'clips':["
      "{'src':'$H','out':1,'speed':2},{'src':'$P','transition':{'type':'fade'},'effect':'zoom-in'}]"
      ","
      "'overlays':[{'type':'captions'}],"
      "'audio':[{'src':'music.mp3'}],'loudness':{}},'analysis':{'silence':{},'transcript':{}},"
      "'outputs':[{'uri':'a.mp4'},{'type':'hls','uri':'hls/'},{'type':'sprite','uri':'s.jpg'},"
      "{'type':'transcript','uri':'t.srt'},{'type':'silence','uri':'s.json'},"
      "{'uri':'h.mp4','video':{'codec':'h265'}},{'uri':'s3://bucket/a.mp4'}],"
      "'render':{'mode':'segments'},'webhook':{'url':'https://example.org/hook'}}");
  unsupported = json_object_get_array_member (get_root (plan), "unsupported");
  g_assert_false (weft_plan_check_supported (plan, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
  g_assert_cmpuint (weft_error_get_problems (error)->len, ==, json_array_get_length (unsupported));
  for (guint i = 0; i < G_N_ELEMENTS (pointers); i++)
    g_assert_nonnull (find_problem (weft_error_get_problems (error), pointers[i]));
  g_assert_cmpstr (json_object_get_string_member (get_root (plan), "priority"), ==, "high");
  g_assert_true (json_object_has_member (get_root (plan), "metadata"));
}

/* A video in the picture: of even size and its own shape, its frames counted, its source listed. */
static void
test_videos_in_the_picture (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *overlay, *video;

  if (self->phone == NULL)
    return;
  plan = plan_new (self,
      "{'timeline':{'width':1280,'height':720,'fps':25,'clips':[{'src':'$H','out':3}],'overlays':["
      "{'type':'video','src':'$P','start':1,'end':1.8,'width':'301px'},"
      "{'type':'video','src':'$P','height':0.5,'loop':true,'volume':2}]},"
      "'outputs':[{'uri':'a.mp4'}]}");
  g_assert_true (weft_plan_check_supported (plan, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (
      json_array_get_length (json_object_get_array_member (get_root (plan), "sources")), ==, 2);

  overlay = get_nth (plan, "overlays", 0);
  video = json_object_get_object_member (overlay, "video");
  g_assert_cmpint (json_object_get_int_member (overlay, "first_frame"), ==, 25);
  g_assert_cmpint (json_object_get_int_member (overlay, "frames"), ==, 20);
  /* 301 by 169.3 */
  g_assert_cmpint (json_object_get_int_member (video, "width") % 2, ==, 0);
  g_assert_cmpint (ABS (json_object_get_int_member (video, "width") - 301), ==, 1);
  g_assert_cmpint (json_object_get_int_member (video, "height"), ==, 170);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (video, "clips")), ==, 1);

  overlay = get_nth (plan, "overlays", 1);
  video = json_object_get_object_member (overlay, "video");
  g_assert_cmpint (json_object_get_int_member (overlay, "frames"), ==, 75);
  g_assert_cmpint (json_object_get_int_member (video, "width"), ==, 640);
  g_assert_cmpint (json_object_get_int_member (video, "height"), ==, 360);
  /* 1.52 s of picture are 38 frames, and 37 are left. */
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (video, "clips")), ==, 2);
}

static void
test_a_plain_job_is_supported (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$P'}");
  g_assert_true (weft_plan_check_supported (plan, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (get_length (plan, "unsupported"), ==, 0);
}

/* Plans as input */

static void
assert_refused (const gchar *text, const gchar *from, const gchar *to)
{
  GString *changed = g_string_new (text);
  g_autoptr (GError) error = NULL;

  if (g_string_replace (changed, from, to, 1) != 1)
    g_error ("%s is not in the plan", from);
  g_assert_null (weft_plan_new_from_json (changed->str, -1, &error));
  g_test_message ("%s: %s", to, error->message);
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_JOB);
  g_string_free (changed, TRUE);
}

static void
test_plans_from_elsewhere_are_not_believed (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  g_autofree gchar *text = NULL, *job = NULL;

  if (self->phone == NULL)
    return;
  job = job_text ("{'src':'$P','out':1},{'src':'$H','out':1}", "",
      "{'id':'a','uri':'a.mp4'},{'id':'b','uri':'b.mp4','width':160},{'id':'c','uri':'c.mp4','"
      "width':100}");
  plan = plan_new (self, job);
  text = weft_plan_to_json (plan, FALSE);
  assert_refused (text, "\"plan_version\":1", "\"plan_version\":2");
  assert_refused (text, "\"frames\":60,\"samples\"", "\"frames\":61,\"samples\"");
  assert_refused (text, "\"samples\":96000", "\"samples\":95999");
  assert_refused (text, "\"first_frame\":30", "\"first_frame\":31");
  assert_refused (text, "\"in_ns\":0", "\"in_ns\":-1");
  assert_refused (text, "\"in_ns\":0", "\"in_ns\":\"0\"");
  assert_refused (text, "\"source\":1", "\"source\":2");
  assert_refused (text, "\"fit\":\"cover\"", "\"fit\":\"stretch\"");
  assert_refused (text, "\"volume\":1.0", "\"volume\":1e99");
  assert_refused (text, "\"encoder\":\"avenc_aac\"", "\"encoder\":\"filesink\"");
  assert_refused (
      text, "\"encoder\":\"avenc_aac\"", "\"encoder\":\"x ! filesink location=/etc/passwd\"");
  assert_refused (text, "\"scaled_from\":\"b\"", "\"scaled_from\":\"c\"");
  assert_refused (text, "\"id\":\"b\"", "\"id\":\"a\"");
  assert_refused (text, "\"fps\":[30,1]", "\"fps\":[0,1]");
  assert_refused (text, "\"clips\":[", "\"clips\":[7,");
  assert_refused (text, "\"clips\":", "\"klips\":");
  assert_refused (text, "\"uri\":\"file:", "\"uri\":\"gopher:");
  assert_refused (text, "{", "[");
}

static void
test_properties_of_encoders_are_plain (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftPlan) plan = NULL;
  g_autofree gchar *text = NULL;

  if (self->phone == NULL)
    return;
  plan = plan_clips (self, "{'src':'$P','out':1}");
  text = weft_plan_to_json (plan, FALSE);
  if (strstr (text, "\"speed-preset\":\"fast\"") == NULL) {
    g_test_skip ("x264 is not what this machine chooses");
    return;
  }
  assert_refused (text, "\"speed-preset\":\"fast\"", "\"speed preset ! filesink\":\"fast\"");
  assert_refused (text, "\"speed-preset\":\"fast\"", "\"speed-preset\":[\"fast\"]");
  assert_refused (text, "\"speed-preset\":\"fast\"", "\"multipass-cache-file\":\"/tmp/x\"");
  assert_refused (text, "video/x-h264,profile=high", "video/x-h264 ! filesink location=/tmp/x");
}

/* Asynchronously */

typedef struct {
  GMainLoop *loop;
  WeftPlan *plan;
  GError *error;
} Async;

static void
planned_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Async *async = user_data;

  async->plan = weft_plan_new_finish (result, &async->error);
  g_main_loop_quit (async->loop);
}

static void
test_planning_can_be_cancelled (Fixture *self, gconstpointer data)
{
  g_autoptr (WeftJob) job = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree gchar *text = NULL;
  Async async = { 0 };

  if (self->phone == NULL)
    return;
  text = job_text ("{'src':'$P'}", "", ONE_OUTPUT);
  job = job_new (self, text);
  async.loop = g_main_loop_new (NULL, FALSE);
  weft_plan_new_async (job, NULL, planned_cb, &async);
  g_main_loop_run (async.loop);
  g_assert_no_error (async.error);
  g_assert_cmpint (get_frames (async.plan), ==, 46);
  g_clear_object (&async.plan);

  g_cancellable_cancel (cancellable);
  weft_plan_new_async (job, cancellable, planned_cb, &async);
  g_main_loop_run (async.loop);
  g_assert_null (async.plan);
  g_assert_error (async.error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
  g_clear_error (&async.error);
  g_main_loop_unref (async.loop);
}

/* Limits of platforms */

/* A job with @preset that shows @n times all of a clip of 8.3 s. */
static WeftPlan *
plan_with_preset (Fixture *self, const gchar *preset, guint n, const gchar *video)
{
  g_autoptr (GString) clips = g_string_new ("{'src':'$H'}");
  g_autofree gchar *text = NULL;

  for (guint i = 1; i < n; i++)
    g_string_append (clips, ",{'src':'$H'}");
  text = g_strdup_printf ("{'preset':'%s','timeline':{'clips':[%s]},"
                          "'outputs':[{'uri':'a.jpg','type':'thumbnail'},{'uri':'out.mp4'%s}]}",
      preset, clips->str, video);
  return plan_new (self, text);
}

static guint
count_warnings (WeftPlan *plan, const gchar *part)
{
  GPtrArray *warnings = weft_plan_get_warnings (plan);
  guint n = 0;

  for (guint i = 0; i < warnings->len; i++)
    n += strstr (((const WeftProblem *) g_ptr_array_index (warnings, i))->message, part) != NULL;
  return n;
}

/* No clip says how long it is: only the plan knows. */
static void
test_a_timeline_that_a_platform_does_not_take_is_warned_of (Fixture *self, gconstpointer user_data)
{
  g_autoptr (WeftPlan) fits = NULL, long_ = NULL, reel = NULL, short_ = NULL;

  if (self->hello == NULL)
    return;
  fits = plan_with_preset (self, "youtube-shorts", 21, "");
  g_assert_cmpuint (count_warnings (fits, "takes"), ==, 0);
  long_ = plan_with_preset (self, "youtube-shorts", 22, "");
  assert_warning (long_, "/timeline/clips", "YouTube Shorts takes at most 180 seconds");
  reel = plan_with_preset (self, "instagram-reels", 22, "");
  g_assert_cmpuint (count_warnings (reel, "takes"), ==, 0);
  short_ = plan_new (self, "{'preset':'instagram-reels','timeline':{'clips':[{'src':'$P'}]},"
                           "'outputs':[" ONE_OUTPUT "]}");
  assert_warning (short_, "/timeline/clips", "Instagram Reels takes at least 3 seconds");
}

/* 22 x 8.3 s at 25.1 Mbit/s are 573 MB; 13.0 Mbit/s and the sound would fit. */
static void
test_a_file_that_a_platform_does_not_take_is_warned_of (Fixture *self, gconstpointer user_data)
{
  g_autoptr (WeftPlan) large = NULL, fits = NULL;
  const WeftProblem *problem;

  if (self->hello == NULL)
    return;
  large = plan_with_preset (self, "instagram-reels", 22, ",'video':{'bitrate':25000000}");
  g_assert_cmpint (get_int (get_nth (large, "outputs", 1), "estimated_bytes") / 1000000, ==, 573);
  assert_warning (large, "/outputs/1", "takes files of at most 314.6");
  g_assert_cmpuint (count_warnings (large, "takes"), ==, 1);
  problem = g_ptr_array_index (weft_plan_get_warnings (large), 0);
  g_assert_nonnull (strstr (problem->hint, "`bitrate` of 12"));
  g_assert_nonnull (strstr (problem->hint, "2026"));
  fits = plan_with_preset (self, "instagram-reels", 22, ",'video':{'bitrate':12800000}");
  g_assert_cmpuint (count_warnings (fits, "takes"), ==, 0);
}

#define ADD(name, function) g_test_add ("/plan/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("clips-follow-one-another", test_clips_follow_one_another);
  ADD ("a-source-is-probed-once", test_a_source_is_probed_once);
  ADD ("the-same-job-gives-the-same-bytes", test_the_same_job_gives_the_same_bytes);
  ADD ("a-plan-survives-its-own-json", test_a_plan_survives_its_own_json);
  ADD ("a-clip-without-out-ends-with-its-picture", test_a_clip_without_out_ends_with_its_picture);
  ADD ("out-beyond-the-end-is-cut", test_out_beyond_the_end_is_cut);
  ADD ("in-beyond-the-end-is-an-error", test_in_beyond_the_end_is_an_error);
  ADD ("a-sliver-is-left-out", test_a_sliver_is_left_out);
  ADD ("every-bad-source-is-reported", test_every_bad_source_is_reported);
  ADD ("on-error-decides-about-bad-sources", test_on_error_decides_about_bad_sources);
  ADD ("nothing-left-is-an-error", test_nothing_left_is_an_error);
  ADD ("a-still-picture-needs-a-duration", test_a_still_picture_needs_a_duration);
  ADD ("a-source-that-starts-late-says-so", test_a_source_that_starts_late_says_so);
  ADD ("ntsc-rates-are-exact", test_ntsc_rates_are_exact);
  ADD ("overlays-stand-on-frames", test_overlays_stand_on_frames);
  ADD ("pictures-of-overlays-are-looked-at", test_pictures_of_overlays_are_looked_at);
  ADD ("pictures-that-are-not-drawn-are-unsupported",
      test_pictures_that_are_not_drawn_are_unsupported);
  ADD ("captions-come-from-files-and-servers", test_captions_come_from_files_and_servers);
  ADD ("a-missing-font-is-told-with-its-stand-in", test_a_missing_font_is_told_with_its_stand_in);
  ADD ("a-timeline-that-a-platform-does-not-take-is-warned-of",
      test_a_timeline_that_a_platform_does_not_take_is_warned_of);
  ADD ("a-file-that-a-platform-does-not-take-is-warned-of",
      test_a_file_that_a_platform_does_not_take_is_warned_of);
  ADD ("sizes-keep-the-shape", test_sizes_keep_the_shape);
  ADD ("enlarging-and-other-shapes-are-warned-of", test_enlarging_and_other_shapes_are_warned_of);
  ADD ("encoder-settings-reach-the-plan", test_encoder_settings_reach_the_plan);
  ADD ("thumbnails-lie-within-the-timeline", test_thumbnails_lie_within_the_timeline);
  ADD ("places-that-cannot-be-written-are-denied", test_places_that_cannot_be_written_are_denied);
  ADD ("sources-are-never-overwritten", test_sources_are_never_overwritten);
  ADD ("what-cannot-be-run-is-listed-and-refused", test_what_cannot_be_run_is_listed_and_refused);
  ADD ("videos-in-the-picture", test_videos_in_the_picture);
  ADD ("a-plain-job-is-supported", test_a_plain_job_is_supported);
  ADD ("plans-from-elsewhere-are-not-believed", test_plans_from_elsewhere_are_not_believed);
  ADD ("properties-of-encoders-are-plain", test_properties_of_encoders_are_plain);
  ADD ("planning-can-be-cancelled", test_planning_can_be_cancelled);
  return g_test_run ();
}
