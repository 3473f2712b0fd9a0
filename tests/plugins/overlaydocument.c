/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the parser of overlaytimeline takes and refuses, and which items it finds at which frame. */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "weftoverlaydocument.h"
#include "weftoverlayschedule.h"

#define ITEM(members) "{\"overlays\":[{\"type\":\"text\",\"text\":\"a\"," members "}]}"
#define FONT(members) ITEM ("\"font\":{" members "}")
#define KIND(type, members) "{\"overlays\":[{\"type\":\"" type "\"," members "}]}"
#define SPANS(list) "{\"overlays\":[{\"type\":\"text\",\"spans\":[" list "]}]}"
#define AT "/timeline/overlays/0"

static const struct {
  const gchar *json;
  const gchar *pointer;
  /* A word that the message must have. */
  const gchar *word;
} refused[] = {
  { "", "", "empty" },
  { "[]", "", "object" },
  { "{", "", "JSON" },
  { "{} {}", "", "JSON" },
  { "\"\"{}", "", "JSON" },
  { "{\"overlays\":{}}", "/timeline/overlays", "array" },
  { "{\"overlays\":[7]}", AT, "object" },
  { "{\"overlay\":[]}", "/overlay", "overlays" },
  { "{\"width\":0}", "/width", "range" },
  { "{\"width\":-1}", "/width", "range" },
  { "{\"height\":1e99}", "/height", "range" },
  { "{\"duration\":-1}", "/duration", "range" },
  { "{\"overlays\":[{}]}", AT, "type" },
  { "{\"overlays\":[{\"type\":\"captions\"}]}", AT, "src" },
  { KIND ("captions", "\"src\":\"a.srt\",\"style\":\"opera\""), AT "/style", "karaoke" },
  { KIND ("captions", "\"src\":\"a.srt\",\"highlight\":\"red\""), AT "/highlight", "colour" },
  { KIND ("captions", "\"src\":\"a.srt\",\"highlight_background\":{\"radius\":-1}"),
      AT "/highlight_background/radius", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"max_lines\":0"), AT "/max_lines", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"max_chars\":1e9"), AT "/max_chars", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"words\":21"), AT "/words", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"offset\":NaN"), "", "JSON" },
  { KIND ("captions", "\"src\":\"a.srt\",\"offset\":1e9"), AT "/offset", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"text\":\"a\""), AT "/text", "src" },
  { KIND ("captions", "\"src\":\"a.srt\",\"font\":{\"size\":1}"), AT "/font/size", "range" },
  { KIND ("captions", "\"src\":\"a.srt\",\"font\":[]"), AT "/font", "object" },
  { KIND ("captions", "\"src\":\"a.srt\",\"background\":{\"padding\":\"a\"}"),
      AT "/background/padding", "number" },
  { "{\"overlays\":[{\"type\":\"sound\",\"src\":\"a\"}]}", AT "/type", "sound" },
  { "{\"overlays\":[{\"type\":\"video\",\"src\":\"a\"}]}", AT "/src", "src" },
  { "{\"overlays\":[{\"type\":\"video\"}]}", AT, "pad" },
  { "{\"overlays\":[{\"type\":\"text\"}]}", AT, "text" },
  { "{\"overlays\":[{\"type\":\"image\"}]}", AT, "src" },
  { "{\"overlays\":[{\"type\":\"image\",\"src\":\"\"}]}", AT "/src", "empty" },
  { "{\"overlays\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":3}]}",
      "/timeline/overlays/1/text", "number" },
  { ITEM ("\"fnot\":{}"), AT "/fnot", "font" },
  { ITEM ("\"text\":\"\\ud800\""), "", "JSON" },
  { ITEM ("\"a/b~c\":1"), AT "/a~1b~0c", "a/b~c" },
  { ITEM ("\"x\":NaN"), "", "JSON" },
  { ITEM ("\"x\":1.5"), AT "/x", "1.5px" },
  { ITEM ("\"x\":-0.1"), AT "/x", "range" },
  { ITEM ("\"x\":1e400"), AT "/x", "range" },
  { ITEM ("\"x\":\"nanpx\""), AT "/x", "120px" },
  { ITEM ("\"x\":\"infpx\""), AT "/x", "120px" },
  { ITEM ("\"x\":\"0x10px\""), AT "/x", "120px" },
  { ITEM ("\"x\":\"12 px\""), AT "/x", "120px" },
  { ITEM ("\"x\":\"99999999px\""), AT "/x", "range" },
  { ITEM ("\"x\":null"), AT "/x", "fraction" },
  { ITEM ("\"max_width\":0"), AT "/max_width", "range" },
  { ITEM ("\"max_width\":\"-3px\""), AT "/max_width", "range" },
  { ITEM ("\"opacity\":1.01"), AT "/opacity", "range" },
  { ITEM ("\"opacity\":-1"), AT "/opacity", "range" },
  { ITEM ("\"opacity\":\"1\""), AT "/opacity", "string" },
  { ITEM ("\"start\":-1"), AT "/start", "range" },
  { ITEM ("\"start\":\"soon\""), AT "/start", "HH:MM:SS" },
  { ITEM ("\"start\":\"00:61:00\""), AT "/start", "HH:MM:SS" },
  { ITEM ("\"start\":\"1:2:3:4\""), AT "/start", "HH:MM:SS" },
  { ITEM ("\"end\":1e30"), AT "/end", "range" },
  { ITEM ("\"start\":3,\"end\":2"), AT "/end", "before" },
  { ITEM ("\"position\":\"middle\""), AT "/position", "center" },
  { ITEM ("\"align\":\"justify\""), AT "/align", "center" },
  { ITEM ("\"animate\":{\"in\":\"explode\"}"), AT "/animate/in", "fade" },
  { ITEM ("\"animate\":{\"easing\":\"jump\"}"), AT "/animate/easing", "bounce" },
  { ITEM ("\"rotation\":361"), AT "/rotation", "range" },
  { ITEM ("\"direction\":\"up\""), AT "/direction", "rtl" },
  { "{\"overlays\":[{\"type\":\"image\",\"src\":\"a\",\"animate\":{\"in\":\"typewriter\"}}]}",
      AT "/animate", "typed" },
  { KIND ("video", "\"pad\":\"a\",\"rotation\":5"), AT "/rotation", "turned" },
  { KIND ("video", "\"pad\":\"a\",\"animate\":{\"out\":\"pop\"}"), AT "/animate", "scaled" },
  { KIND ("timer", "\"text\":\"x\""), AT "/text", "{value}" },
  { KIND ("timer", "\"format\":\"mm\""), AT "/format", "mm:ss" },
  { KIND ("timer", "\"from\":-1"), AT "/from", "range" },
  { KIND ("timer", "\"spans\":[]"), AT "/spans", "spans" },
  { KIND ("timer", "\"animate\":{\"in\":\"typewriter\"}"), AT "/animate", "typed" },
  { KIND ("counter", "\"to\":1e13"), AT "/to", "range" },
  { KIND ("counter", "\"decimals\":7"), AT "/decimals", "range" },
  { KIND ("counter", "\"separator\":\"ab\""), AT "/separator", "one character" },
  { KIND ("progress-bar", "\"width\":\"-1px\""), AT "/width", "range" },
  { KIND ("progress-bar", "\"fill\":\"out\""), AT "/fill", "right" },
  { KIND ("progress-bar", "\"to\":1.5"), AT "/to", "range" },
  { KIND ("frame-code", "\"cell\":1"), AT "/cell", "range" },
  { KIND ("frame-code", "\"text\":\"a\""), AT "/text", "unknown" },
  { ITEM ("\"animate\":{\"duration\":-1}"), AT "/animate/duration", "range" },
  { ITEM ("\"background\":\"#fff\""), AT "/background", "object" },
  { ITEM ("\"background\":{\"padding\":-1}"), AT "/background/padding", "range" },
  { ITEM ("\"background\":{\"radius\":1e9}"), AT "/background/radius", "range" },
  { ITEM ("\"background\":{\"colour\":\"#fff\"}"), AT "/background/colour", "color" },
  { FONT ("\"size\":-5"), AT "/font/size", "range" },
  { FONT ("\"size\":0"), AT "/font/size", "range" },
  { FONT ("\"size\":1e9"), AT "/font/size", "range" },
  { FONT ("\"family\":\" \""), AT "/font/family", "name" },
  { FONT ("\"weight\":\"fat\""), AT "/font/weight", "bold" },
  { FONT ("\"weight\":5000"), AT "/font/weight", "range" },
  { FONT ("\"weight\":[]"), AT "/font/weight", "array" },
  { FONT ("\"color\":\"red\""), AT "/font/color", "#RRGGBB" },
  { FONT ("\"color\":\"#12345\""), AT "/font/color", "#RRGGBB" },
  { FONT ("\"color\":\"\""), AT "/font/color", "#RRGGBB" },
  { FONT ("\"color\":\"#gggggg\""), AT "/font/color", "#RRGGBB" },
  { FONT ("\"stroke\":{\"width\":-1}"), AT "/font/stroke/width", "range" },
  { FONT ("\"shadow\":{\"blur\":1e6}"), AT "/font/shadow/blur", "range" },
  { FONT ("\"shadow\":{\"x\":1}"), AT "/font/shadow/x", "dx" },
  { FONT ("\"line_spacing\":0"), AT "/font/line_spacing", "range" },
  { FONT ("\"letter_spacing\":-1e9"), AT "/font/letter_spacing", "range" },
  { SPANS ("{}"), AT "/spans/0", "text" },
  { SPANS ("\"a\""), AT "/spans/0", "object" },
  { SPANS ("{\"text\":\"a\"},{\"text\":\"b\",\"colour\":\"#fff\"}"), AT "/spans/1/colour",
      "color" },
  { SPANS ("{\"text\":\"a\",\"size\":-3}"), AT "/spans/0/size", "range" },
  { SPANS ("{\"text\":\"a\",\"underline\":1}"), AT "/spans/0/underline", "true" },
  { SPANS ("{\"text\":\"a\",\"background\":{\"padding\":-1}}"), AT "/spans/0/background/padding",
      "range" },
  { "{\"overlays\":[{\"type\":\"text\",\"spans\":{}}]}", AT "/spans", "array" },
  { ITEM ("\"spans\":[{\"text\":\"a\"}]"), AT, "not both" },
  { "{\"fonts\":[{\"family\":\"a\"}]}", "/fonts/0", "src" },
  { "{\"fonts\":[{\"family\":\"a,b\",\"src\":\"a.ttf\"}]}", "/fonts/0/family", "comma" },
  { "{\"fonts\":[{\"family\":\"a\",\"src\":\"ftp://example.org/a.ttf\"}]}", "/fonts/0/src",
      "ftp:" },
  { "{\"overlays\":[{\"type\":\"image\",\"src\":\"data:image/png,\"}]}", AT "/src", "data:" },
};

static void
test_refuses (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    WeftOverlayDocument *document =
        weft_overlay_document_new_from_json (refused[i].json, -1, "/base", &error);
    if (document != NULL)
      g_error ("taken: %s", refused[i].json);
    g_assert_nonnull (error);
    g_assert_true (error->domain == WEFT_OVERLAY_ERROR);
    if (g_strcmp0 (weft_overlay_error_get_pointer (error), refused[i].pointer) != 0
        || strstr (error->message, refused[i].word) == NULL)
      g_error ("%s: “%s” at “%s”", refused[i].json, error->message,
          weft_overlay_error_get_pointer (error));
  }
}

static const gchar *const taken[] = {
  "{}",
  "{\"overlays\":[]}",
  "{\"width\":1080,\"height\":1920,\"duration\":30.5,\"fonts\":[],\"overlays\":[]}",
  ITEM ("\"id\":\"t1\",\"start\":0,\"end\":\"end\""),
  ITEM ("\"start\":\"00:00:01.500\",\"end\":\"1:02:03.25\""),
  ITEM ("\"start\":\"12.5\",\"end\":\"02:03\""),
  ITEM ("\"x\":\"-120px\",\"y\":0.5,\"max_width\":\"300.5px\",\"align\":\"right\""),
  ITEM ("\"position\":\"bottom-right\",\"opacity\":0"),
  ITEM ("\"animate\":{\"in\":\"fade\",\"out\":\"slide-up\",\"duration\":0}"),
  ITEM ("\"background\":{}"),
  FONT (""),
  FONT ("\"family\":\"Anton, Sans\",\"weight\":350,\"style\":\"italic\",\"color\":\"#000\""
        ",\"stroke\":{},\"shadow\":{}"),
  "{\"overlays\":[{\"type\":\"image\",\"src\":\"a.png\",\"width\":\"12px\",\"height\":1}]}",
  "{\"overlays\":[{\"type\":\"text\",\"text\":\"\"}]}",
  FONT ("\"line_spacing\":1.5,\"letter_spacing\":-2.5"),
  SPANS (""),
  ITEM ("\"animate\":{\"in\":\"typewriter\",\"out\":\"pop\",\"easing\":\"elastic\"},\"rotation\":-"
        "90"),
  KIND ("timer", "\"format\":\"hh:mm:ss.ddd\",\"count\":\"down\",\"from\":10,\"font\":{}"),
  KIND ("counter",
      "\"text\":\"{value} €\",\"from\":-5,\"to\":7.5,\"decimals\":1,\"separator\":\"’\""),
  KIND ("progress-bar", "\"width\":1,\"track\":\"#00000000\",\"easing\":\"ease-in\",\"radius\":4"),
  KIND ("frame-code", "\"cell\":8,\"x\":0,\"y\":0"),
  SPANS ("{\"text\":\"a\"},{\"text\":\"b\",\"family\":\"Serif\",\"size\":20,\"weight\":\"bold\","
         "\"style\":\"italic\","
         "\"color\":\"#f00\",\"letter_spacing\":3,\"underline\":true,\"strikethrough\":false,"
         "\"background\":{}}"),
};

static void
test_takes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (WeftOverlayDocument) document =
        weft_overlay_document_new_from_json (taken[i], -1, "/base", &error);
    if (document == NULL)
      g_error ("%s: %s", taken[i], error->message);
  }
}

static void
test_deep_nesting_ends (void)
{
  g_autofree gchar *json = g_strnfill (1000000, '[');
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_overlay_document_new_from_json (json, -1, "/", &error));
  g_assert_nonnull (strstr (error->message, "deep"));
}

static void
test_long_text_is_bounded (void)
{
  g_autofree gchar *text = g_strnfill (1 << 20, 'w');
  g_autofree gchar *json =
      g_strdup_printf ("{\"overlays\":[{\"type\":\"text\",\"text\":\"%s\"}]}", text);
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_overlay_document_new_from_json (json, -1, "/", &error));
  g_assert_cmpstr (weft_overlay_error_get_pointer (error), ==, AT "/text");
}

static void
test_invalid_utf8_is_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_overlay_document_new_from_json (
      "{\"overlays\":[{\"type\":\"text\",\"text\":\"\xff\xfe\"}]}", -1, "/", &error));
  g_assert_nonnull (strstr (error->message, "UTF-8"));
}

static void
ignore_cb (const WeftOverlayEntry *entry, gpointer user_data)
{}

static void
count_cb (const WeftOverlayEntry *entry, gpointer user_data)
{
  (*(guint *) user_data)++;
}

/* The texts that show at @frame, in the order they are drawn, as one string. */
static gchar *
list_shown (WeftOverlaySchedule *schedule, guint64 frame)
{
  GString *list = g_string_new (NULL);
  GPtrArray *active = weft_overlay_schedule_move (schedule, frame, ignore_cb, NULL);

  for (guint i = 0; i < active->len; i++) {
    const WeftOverlayEntry *entry = g_ptr_array_index (active, i);
    g_string_append_printf (list, "%u", entry->index);
  }
  return g_string_free (list, FALSE);
}

static void
assert_shown (WeftOverlaySchedule *schedule, guint64 frame, const gchar *expected)
{
  g_autofree gchar *found = list_shown (schedule, frame);

  if (!g_str_equal (found, expected))
    g_error ("frame %" G_GUINT64_FORMAT ": “%s”, not “%s”", frame, found, expected);
}

static WeftOverlayDocument *
parse (const gchar *json)
{
  g_autoptr (GError) error = NULL;
  WeftOverlayDocument *document = weft_overlay_document_new_from_json (json, -1, "/", &error);

  g_assert_no_error (error);
  return document;
}

static void
test_schedule_is_exact (void)
{
  /* At 30000/1001: 1 s is frame 29.97, 2 s 59.94, 0.05 s 1.4985. */
  g_autoptr (WeftOverlayDocument) document =
      parse ("{\"duration\":10,\"overlays\":["
             "{\"type\":\"text\",\"text\":\"a\",\"start\":1,\"end\":2},"
             "{\"type\":\"text\",\"text\":\"b\",\"start\":0.05,\"end\":\"end\"},"
             "{\"type\":\"text\",\"text\":\"c\",\"start\":2,\"end\":2.01},"
             "{\"type\":\"text\",\"text\":\"d\"}]}");
  g_autoptr (WeftOverlaySchedule) schedule = weft_overlay_schedule_new (document, 30000, 1001);

  assert_shown (schedule, 0, "3");
  assert_shown (schedule, 1, "13");
  assert_shown (schedule, 29, "13");
  assert_shown (schedule, 30, "013");
  assert_shown (schedule, 59, "013");
  assert_shown (schedule, 60, "13");
  assert_shown (schedule, 299, "13");
  assert_shown (schedule, 300, "");
  /* Back, as after a seek, and forward over items that were never met. */
  assert_shown (schedule, 45, "013");
  assert_shown (schedule, 0, "3");
  assert_shown (schedule, 250, "13");
}

static void
test_schedule_agrees_with_search (void)
{
  g_autoptr (GString) json = g_string_new ("{\"overlays\":[");
  guint begins[200], ends[200];

  for (guint i = 0; i < 200; i++) {
    begins[i] = (guint) g_test_rand_int_range (0, 500);
    ends[i] = begins[i] + (guint) g_test_rand_int_range (0, 60);
    g_string_append_printf (json,
        "%s{\"type\":\"text\",\"text\":\"a\",\"start\":%u.%02u,\"end\":%u.%02u}", i > 0 ? "," : "",
        begins[i] / 25, begins[i] % 25 * 4, ends[i] / 25, ends[i] % 25 * 4);
  }
  g_string_append (json, "]}");
  g_autoptr (WeftOverlayDocument) document = parse (json->str);
  g_autoptr (WeftOverlaySchedule) schedule = weft_overlay_schedule_new (document, 25, 1);
  guint64 frame = 0;
  for (guint step = 0; step < 2000; step++) {
    g_autoptr (GString) expected = g_string_new (NULL);
    for (guint i = 0; i < 200; i++) {
      if (begins[i] <= frame && frame < ends[i])
        g_string_append_printf (expected, "%u", i);
    }
    assert_shown (schedule, frame, expected->str);
    frame = step % 50 == 49 ? (guint64) g_test_rand_int_range (0, 600) : frame + (step % 3);
  }
}

static void
test_past_looks_are_told_once (void)
{
  /* The same look twice: it may only be forgotten after the second time. */
  g_autoptr (WeftOverlayDocument) document =
      parse ("{\"overlays\":["
             "{\"type\":\"text\",\"text\":\"a\",\"start\":0,\"end\":1},"
             "{\"type\":\"text\",\"text\":\"a\",\"start\":2,\"end\":3},"
             "{\"type\":\"text\",\"text\":\"b\",\"start\":0,\"end\":1}]}");
  g_autoptr (WeftOverlaySchedule) schedule = weft_overlay_schedule_new (document, 25, 1);
  guint past = 0;

  weft_overlay_schedule_move (schedule, 0, count_cb, &past);
  weft_overlay_schedule_move (schedule, 30, count_cb, &past);
  g_assert_cmpuint (past, ==, 1);
  weft_overlay_schedule_move (schedule, 60, count_cb, &past);
  weft_overlay_schedule_move (schedule, 80, count_cb, &past);
  g_assert_cmpuint (past, ==, 2);
}

static void
test_coming_items_are_told_once (void)
{
  g_autoptr (WeftOverlayDocument) document =
      parse ("{\"overlays\":[{\"type\":\"text\",\"text\":\"a\",\"start\":1},"
             "{\"type\":\"text\",\"text\":\"b\",\"start\":5}]}");
  g_autoptr (WeftOverlaySchedule) schedule = weft_overlay_schedule_new (document, 25, 1);
  guint coming = 0;

  weft_overlay_schedule_move (schedule, 20, ignore_cb, NULL);
  weft_overlay_schedule_foreach_next (schedule, 32, count_cb, &coming);
  weft_overlay_schedule_foreach_next (schedule, 33, count_cb, &coming);
  g_assert_cmpuint (coming, ==, 1);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/document/refuses-with-pointer", test_refuses);
  g_test_add_func ("/document/takes", test_takes);
  g_test_add_func ("/document/deep-nesting-ends", test_deep_nesting_ends);
  g_test_add_func ("/document/long-text-is-bounded", test_long_text_is_bounded);
  g_test_add_func ("/document/invalid-utf8-is-refused", test_invalid_utf8_is_refused);
  g_test_add_func ("/schedule/is-exact-at-29.97", test_schedule_is_exact);
  g_test_add_func ("/schedule/agrees-with-search", test_schedule_agrees_with_search);
  g_test_add_func ("/schedule/past-looks-are-told-once", test_past_looks_are_told_once);
  g_test_add_func ("/schedule/coming-items-are-told-once", test_coming_items_are_told_once);
  return g_test_run ();
}
