/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How caption files are read. What is drawn of them is in overlaycaptions.c. */

#include <string.h>

#include "weftcaptiontrack.h"

static const WeftCaptionShape as_they_are = { 0, 0, FALSE, 0 };
static const WeftCaptionShape with_words = { 0, 0, TRUE, 0 };

typedef struct {
  WeftCaptionTrack *track;
  GPtrArray *warnings;
  GError *error;
} Read;

static void
read_clear (Read *self)
{
  g_clear_pointer (&self->track, weft_caption_track_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  g_clear_error (&self->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Read, read_clear)

static Read
read_bytes (const void *data, gsize size, const WeftCaptionShape *shape)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  Read self = { .warnings = g_ptr_array_new_with_free_func (g_free) };

  self.track = weft_caption_parse (bytes, shape, self.warnings, &self.error);
  g_assert_true ((self.track == NULL) == (self.error != NULL));
  return self;
}

static Read
read_text (const gchar *text, const WeftCaptionShape *shape)
{
  return read_bytes (text, strlen (text), shape);
}

static void
append_time (GString *out, GstClockTime time)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, time / GST_MSECOND);
}

static void
append_span (GString *out, const WeftCaptionCue *cue, const WeftCaptionSpan *span)
{
  static const gchar letters[] = "biusr";

  g_string_append_c (out, '{');
  for (guint i = 0; i < strlen (letters); i++) {
    if (span->marks & (1u << i))
      g_string_append_c (out, letters[i]);
  }
  if (span->marks & WEFT_CAPTION_COLORED)
    g_string_append_printf (out, "#%02x%02x%02x", (guint) (span->color.red * 255),
        (guint) (span->color.green * 255), (guint) (span->color.blue * 255));
  g_string_append_printf (out, " %.*s}", (gint) span->length, cue->text + span->offset);
}

/* All of a track in one string: `start-end text {marks part} [word start-end]`, one cue a line. */
static gchar *
describe (const Read *read)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < weft_caption_track_get_n_cues (read->track); i++) {
    const WeftCaptionCue *cue = weft_caption_track_get_cue (read->track, i);
    append_time (out, cue->start);
    g_string_append_c (out, '-');
    append_time (out, cue->end);
    g_autofree gchar *text = g_strdelimit (g_strdup (cue->text), "\n", '|');
    g_string_append_printf (out, " %s", text);
    for (guint k = 0; k < cue->n_spans; k++)
      append_span (out, cue, &cue->spans[k]);
    for (guint k = 0; k < cue->n_words; k++) {
      const WeftCaptionWord *word = &cue->words[k];
      g_string_append_printf (out, "[%.*s ", (gint) word->length, cue->text + word->offset);
      append_time (out, word->start);
      g_string_append_c (out, '-');
      append_time (out, word->end);
      g_string_append_c (out, ']');
    }
    g_string_append_c (out, '\n');
  }
  return g_string_free (out, FALSE);
}

static void
assert_cues (const gchar *file, const WeftCaptionShape *shape, const gchar *expected)
{
  g_auto (Read) read = read_text (file, shape);
  g_assert_no_error (read.error);
  g_autofree gchar *found = describe (&read);

  g_assert_cmpstr (found, ==, expected);
}

static void
assert_no_warning (const Read *read)
{
  if (read->warnings->len > 0)
    g_error ("%s", (const gchar *) g_ptr_array_index (read->warnings, 0));
}

static void
assert_warning (const Read *read, guint index, const gchar *begin, const gchar *word)
{
  g_assert_cmpuint (read->warnings->len, >, index);
  const gchar *warning = g_ptr_array_index (read->warnings, index);
  if (!g_str_has_prefix (warning, begin) || strstr (warning, word) == NULL)
    g_error ("“%s” does not begin with “%s” and say “%s”", warning, begin, word);
}

static void
assert_error (const Read *read, const gchar *word)
{
  g_assert_nonnull (read->error);
  if (strstr (read->error->message, word) == NULL)
    g_error ("“%s” does not say “%s”", read->error->message, word);
}

/* SRT */

static void
test_srt (void)
{
  assert_cues (
      "1\n00:00:01,000 --> 00:00:02,500\nHello\nthere\n\n2\n00:00:03,000 --> 00:00:04,000\n"
      "<i>Again</i>\n",
      &as_they_are, "1000-2500 Hello|there\n3000-4000 Again{i Again}\n");
}

static void
test_srt_as_it_is_found (void)
{
  static const struct {
    const gchar *file;
    const gchar *expected;
  } cases[] = {
    /* Line ends. */
    { "1\r\n00:00:01,000 --> 00:00:02,000\r\na\r\nb\r\n\r\n", "1000-2000 a|b\n" },
    { "1\r00:00:01,000 --> 00:00:02,000\ra\rb\r\r", "1000-2000 a|b\n" },
    /* No blank line, no number, a point, no spaces, short fields. */
    { "00:00:01.000-->00:00:02.000\na\n00:00:03,000 --> 00:00:04,000\nb",
        "1000-2000 a\n3000-4000 b\n" },
    { "0:0:1,5 --> 0:0:2,50\na", "1005-2050 a\n" },
    /* A number that is text, and one that counts. */
    { "00:00:01,000 --> 00:00:02,000\n42\n7\n00:00:03,000 --> 00:00:04,000\n1984",
        "1000-2000 42\n3000-4000 1984\n" },
    /* Blank lines within a text. */
    { "1\n00:00:01,000 --> 00:00:02,000\na\n\nb\n\n2\n00:00:03,000 --> 00:00:04,000\nc",
        "1000-2000 a|b\n3000-4000 c\n" },
    /* Coordinates behind the times. */
    { "00:00:01,000 --> 00:00:02,000 X1:1 X2:2 Y1:3 Y2:4\na", "1000-2000 a\n" },
    { "\xEF\xBB\xBF"
      "1\n00:00:01,000 --> 00:00:02,000\na",
        "1000-2000 a\n" },
    { "999:59:59,999 --> 1000:00:00,000\na", "" },
    { "999:59:58,000 --> 999:59:59,999\na", "3599998000-3599999999 a\n" },
    { "", "" },
    { "\n\n \n", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_cues (cases[i].file, &as_they_are, cases[i].expected);
}

static void
test_srt_tags (void)
{
  static const struct {
    const gchar *text;
    const gchar *expected;
  } cases[] = {
    { "<b>a</b> <i>b</i> <u>c</u> <s>d</s>", "a b c d{b a}{i b}{u c}{s d}" },
    { "<b>a<i>b</b>c", "abc{b a}{bi b}" },
    { "<font color=\"#FF8000\">a</font>b", "ab{#ff8000 a}" },
    { "<font color=red size=\"3\">a</font>", "a{#ff0000 a}" },
    { "<FONT COLOR='#00ff00'><B>a</B></FONT>", "a{b#00ff00 a}" },
    { "1 < 2 <3 a<b", "1 < 2 <3 a<b" },
    { "<unknown>a</unknown>", "<unknown>a</unknown>" },
    { "a<br>b<br/>c", "a|b|c" },
    { "{\\an8}a {\\b1}b", "a b" },
    { "R&D &amp; &lt;b&gt; &#65;&#x42; &bogus; &#0;", "R&D & <b> AB &bogus;" },
    { "  a  \n\t b \n", "a|b" },
    { "<b>a\nb</b>", "a|b{b a\nb}" },
    { "a\x01\x1b"
      "b",
        "ab" },
    { "<", "<" },
    { "</b></b>", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *file =
        g_strconcat ("00:00:01,000 --> 00:00:02,000\n", cases[i].text, "\n", NULL);
    g_autofree gchar *expected = cases[i].expected != NULL
                                     ? g_strconcat ("1000-2000 ", cases[i].expected, "\n", NULL)
                                     : NULL;
    assert_cues (file, &as_they_are, expected != NULL ? expected : "");
  }
}

static void
test_srt_places (void)
{
  g_auto (Read) read = read_text ("00:00:01,000 --> 00:00:02,000\n{\\an7}a\n", &as_they_are);
  const WeftCaptionCue *cue = weft_caption_track_get_cue (read.track, 0);

  g_assert_cmpint (cue->place.upright, ==, WEFT_CAPTION_SIDE_START);
  g_assert_cmpint (cue->place.align, ==, WEFT_CAPTION_SIDE_START);
}

static void
test_damaged_srt_is_read_as_far_as_it_goes (void)
{
  g_auto (Read) read = read_text ("1\n00:00:01,000 --> 00:00:02,000\na\n\n"
                                  "2\n00:00:xx,000 --> 00:00:04,000\nlost\n\n"
                                  "3\n00:00:0-,000 --> 00:00:04,000\nlost\n\n"
                                  "4\n00:00:06,000 --> 00:00:05,000\nlost\n\n"
                                  "5\n-00:00:01,000 --> 00:00:05,000\nlost\n\n"
                                  "6\n00:00:07,000 --> 00:00:07,000\nlost\n\n"
                                  "7\n00:00:08,000 --> 00:00:09,000\nb\n",
      &as_they_are);
  g_autofree gchar *found = describe (&read);

  /* What is no time at all reads as text. */
  g_assert_cmpstr (found, ==, "1000-2000 a|2|00:00:xx,000 --> 00:00:04,000|lost\n8000-9000 b\n");
  assert_warning (&read, 0, "line 10: ", "times cannot be read");
  assert_warning (&read, 1, "line 14: ", "ends before it starts");
  assert_warning (&read, 2, "line 18: ", "times cannot be read");
  assert_warning (&read, 3, "line 22: ", "ends when it starts");
  g_assert_cmpuint (read.warnings->len, ==, 4);
}

static void
test_what_holds_no_captions_is_refused (void)
{
  static const struct {
    const gchar *file;
    const gchar *word;
  } cases[] = {
    { "This is a letter to a friend.\n", "SRT, WebVTT" },
    { "[Script Info]\nTitle: x\n", "ffmpeg -i a.ass" },
    { "{\"words\": 3}", "segments" },
    { "{\"words\": [", "not JSON" },
    { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "levels deep" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Read) read = read_text (cases[i].file, &as_they_are);
    assert_error (&read, cases[i].word);
  }
}

/* WebVTT */

static void
test_vtt (void)
{
  static const gchar file[] = "WEBVTT - a title\nKind: captions\nLanguage: en\n\n"
                              "NOTE\nnot shown\n\n"
                              "STYLE\n::cue { color: red }\n\n"
                              "intro\n00:01.000 --> 00:02.000\nHello\n\n"
                              "00:00:03.000 --> 00:00:04.000 align:start position:10% line:0\n"
                              "<v Ann Lee><b>Hi</b></v> &amp; <c.yellow.bg_black>bye</c>\n\n"
                              "NOTE 00:00:05.000\n\n"
                              "00:00:05.000 --> 00:00:06.000\n"
                              "<ruby>漢<rt>kan</rt></ruby> <lang fr>oui</lang> <x>y</x> a < b\n";
  g_auto (Read) read = read_text (file, &as_they_are);
  g_assert_no_error (read.error);
  g_autofree gchar *found = describe (&read);

  g_assert_cmpstr (found, ==,
      "1000-2000 Hello\n"
      "3000-4000 Hi & bye{b Hi}{#ffff00 bye}\n"
      "5000-6000 漢(kan) oui y a < b{r (kan)}\n");
  g_assert_cmpuint (read.warnings->len, ==, 1);
  assert_warning (&read, 0, "line 8: ", "style sheet");
}

static void
test_vtt_settings (void)
{
  static const gchar file[] =
      "WEBVTT\n\n"
      "00:01.000 --> 00:02.000 line:-2 align:left\na\n\n"
      "00:02.000 --> 00:03.000 line:25.5%,end position:80%,line-right size:35%\nb\n\n"
      "00:03.000 --> 00:04.000 vertical:rl line:3\nc\n\n"
      "00:04.000 --> 00:05.000 line:x position:120% size: region:r size:50%\nd\n";
  g_auto (Read) read = read_text (file, &as_they_are);
  const WeftCaptionPlace *a = &weft_caption_track_get_cue (read.track, 0)->place;
  const WeftCaptionPlace *b = &weft_caption_track_get_cue (read.track, 1)->place;
  const WeftCaptionPlace *c = &weft_caption_track_get_cue (read.track, 2)->place;
  const WeftCaptionPlace *d = &weft_caption_track_get_cue (read.track, 3)->place;

  g_assert_cmpint (a->line_unit, ==, WEFT_CAPTION_LINE_NUMBER);
  g_assert_cmpfloat (a->line, ==, -2);
  g_assert_cmpint (a->align, ==, WEFT_CAPTION_SIDE_START);
  g_assert_cmpfloat (a->position, <, 0);
  g_assert_cmpint (b->line_unit, ==, WEFT_CAPTION_LINE_FRACTION);
  g_assert_cmpfloat_with_epsilon (b->line, 0.255, 1e-9);
  g_assert_cmpint (b->line_side, ==, WEFT_CAPTION_SIDE_END);
  g_assert_cmpfloat_with_epsilon (b->position, 0.8, 1e-9);
  g_assert_cmpint (b->position_side, ==, WEFT_CAPTION_SIDE_END);
  g_assert_cmpfloat_with_epsilon (b->size, 0.35, 1e-9);
  g_assert_cmpint (c->line_unit, ==, WEFT_CAPTION_LINE_UNSET);
  g_assert_cmpfloat_with_epsilon (d->size, 0.5, 1e-9);
  g_assert_cmpfloat (d->position, <, 0);
  assert_warning (&read, 0, "line 9: ", "horizontally");
  assert_warning (&read, 1, "line 12: ", "line:x");
  assert_warning (&read, 2, "line 12: ", "position:120%");
  assert_warning (&read, 3, "line 12: ", "size:");
  assert_warning (&read, 4, "line 12: ", "regions");
  g_assert_cmpuint (read.warnings->len, ==, 5);
}

static void
test_damaged_vtt_is_read_as_far_as_it_goes (void)
{
  g_auto (Read) read = read_text ("WEBVTT\n\n00:01.000 --> 00:02.000\na\n"
                                  "00:03.000 --> 00:04.000\nno blank line\n\n"
                                  "only a name\nand a line\n\n"
                                  "00:05 -> 00:06\nlost\n\n"
                                  "00:0a.000 --> 00:08.000\nlost\n\n"
                                  "00:09.000 --> 00:10.000\nb",
      &as_they_are);
  g_autofree gchar *found = describe (&read);

  g_assert_cmpstr (found, ==, "1000-2000 a\n3000-4000 no blank line\n9000-10000 b\n");
  assert_warning (&read, 0, "line 9: ", "no times");
  assert_warning (&read, 1, "line 12: ", "no times");
  assert_warning (&read, 2, "line 14: ", "times cannot be read");
  g_assert_cmpuint (read.warnings->len, ==, 3);
}

static void
test_a_vtt_without_cues_is_one (void)
{
  assert_cues ("WEBVTT", &as_they_are, "");
  assert_cues ("\xEF\xBB\xBFWEBVTT\n\nNOTE nothing is said\n", &as_they_are, "");
}

static void
test_vtt_times_inside_a_cue (void)
{
  /* The second is how YouTube writes it; the third goes back, and beyond the end. */
  assert_cues ("WEBVTT\n\n"
               "00:01.000 --> 00:05.000\nnow <00:02.000>we <00:03.000>sing it\n\n"
               "00:06.000 --> 00:09.000\nHello<00:00:07.000><c> world</c>\n\n"
               "00:10.000 --> 00:12.000\na <00:11.000>b <00:10.500>c <00:13.000>d\n",
      &with_words,
      "1000-5000 now we sing it[now 1000-2000][we 2000-3000][sing 3000-4333][it 4333-5000]\n"
      "6000-9000 Hello world[Hello 6000-7000][world 7000-9000]\n"
      "10000-12000 a b c d[a 10000-11000][b 11000-11333][c 11333-11666][d 11666-12000]\n");
}

/* Words */

static void
test_words_of_segments (void)
{
  assert_cues (
      "{\"text\":\"x\",\"language\":\"en\",\"segments\":[{\"id\":0,\"start\":0,\"end\":2.5,"
      "\"text\":\" Hello there\",\"tokens\":[1,2],\"words\":["
      "{\"word\":\" Hello\",\"start\":0.25,\"end\":0.75,\"probability\":0.9},"
      "{\"word\":\" there\",\"start\":0.75,\"end\":1.5},"
      "{\"word\":\",\",\"start\":1.5,\"end\":1.6}]},"
      "{\"start\":3,\"end\":5,\"text\":\"no words\"}]}",
      &with_words,
      "250-1600 Hello there,[Hello 250-750][there 750-1500][, 1500-1600]\n"
      "3000-5000 no words[no 3000-3571][words 3571-5000]\n");
}

static void
test_loose_words_become_cues (void)
{
  /* A pause, and words that take up their spaces only from the file. */
  assert_cues ("{\"words\":[{\"word\":\"One\",\"start\":0,\"end\":0.5},"
               "{\"text\":\"two\",\"start\":0.5,\"end\":1},"
               "{\"word\":\"three\",\"start\":3,\"end\":3.5}]}",
      &with_words, "0-1000 One two[One 0-500][two 500-1000]\n3000-3500 three[three 3000-3500]\n");
  assert_cues (
      "[{\"word\":\"你\",\"start\":0,\"end\":0.5},{\"word\":\"好\",\"start\":0.5,\"end\":1}]",
      &with_words, "0-1000 你好[你 0-500][好 500-1000]\n");
}

static void
test_words_without_times_take_those_of_their_neighbours (void)
{
  assert_cues ("[{\"word\":\"in\",\"start\":1,\"end\":2},{\"word\":\"1984\"},"
               "{\"word\":\"we\",\"start\":3,\"end\":4}]",
      &with_words, "1000-4000 in 1984 we[in 1000-2000][1984 2000-3000][we 3000-4000]\n");
}

static void
test_damaged_words_are_left_out (void)
{
  g_auto (Read) read = read_text ("{\"words\":[{\"word\":\"a\",\"start\":5,\"end\":6},3,"
                                  "{\"word\":\"b\",\"start\":2,\"end\":3},{\"start\":6},"
                                  "{\"word\":\"c\",\"start\":6,\"end\":1e300}]}",
      &with_words);
  g_autofree gchar *found = describe (&read);

  g_assert_cmpstr (found, ==, "5000-6000 a c[a 5000-6000][c 6000-6000]\n");
  assert_warning (&read, 0, "/words/1: ", "no text");
  assert_warning (&read, 1, "/words/2: ", "starts before");
  assert_warning (&read, 2, "/words/3: ", "no text");
}

/* Cutting */

static void
test_lines_are_cut_at_words (void)
{
  const WeftCaptionShape narrow = { 12, 0, FALSE, 0 };

  assert_cues ("00:00:01,000 --> 00:00:02,000\nthe quick <b>brown fox</b> jumps over\n", &narrow,
      "1000-2000 the quick|brown fox|jumps over{b brown fox}\n");
  /* What fits stays as it was written. */
  assert_cues ("00:00:01,000 --> 00:00:02,000\nthe\nquick\n", &narrow, "1000-2000 the|quick\n");
  assert_cues ("00:00:01,000 --> 00:00:02,000\n0123456789abcdef\n", &narrow,
      "1000-2000 01234567|89abcdef\n");
  assert_cues ("00:00:01,000 --> 00:00:02,000\n春眠不觉晓，处处闻啼鸟，夜来风雨声\n", &narrow,
      "1000-2000 春眠不觉晓，处处闻|啼鸟，夜来风雨声\n");
}

static void
test_long_cues_show_in_parts (void)
{
  const WeftCaptionShape two_lines = { 10, 2, TRUE, 0 };

  assert_cues ("WEBVTT\n\n00:00.000 --> 00:08.000\n"
               "aaaa bbbb <00:02.000>cccc dddd <00:05.000>eeee ffff gggg hhhh\n",
      &two_lines,
      "0-5000 aaaa bbbb|cccc dddd[aaaa 0-1000][bbbb 1000-2000][cccc 2000-3500][dddd 3500-5000]\n"
      "5000-8000 eeee ffff|gggg hhhh"
      "[eeee 5000-5750][ffff 5750-6500][gggg 6500-7250][hhhh 7250-8000]\n");
}

static void
test_times_can_be_shifted (void)
{
  const WeftCaptionShape later = { 0, 0, FALSE, 500 * GST_MSECOND };
  const WeftCaptionShape earlier = { 0, 0, FALSE, -1500 * (GstClockTimeDiff) GST_MSECOND };
  static const gchar file[] =
      "00:00:01,000 --> 00:00:02,000\na\n00:00:00,100 --> 00:00:01,000\nb\n";

  assert_cues (file, &later, "600-1500 b\n1500-2500 a\n");
  assert_cues (file, &earlier, "0-500 a\n");
}

/* Encodings */

static void
test_encodings (void)
{
  static const guint8 little[] = { 0xFF, 0xFE, '0', 0, '0', 0, ':', 0, '0', 0, '1', 0, '-', 0, '-',
    0, '>', 0, '0', 0, ':', 0, '2', 0, '\n', 0, 0xE9, 0, 0x3D, 0xD8, 0x00, 0xDE, '\n', 0 };
  static const guint8 big[] = { 0xFE, 0xFF, 0, '0', 0, ':', 0, '1', 0, '-', 0, '-', 0, '>', 0, '0',
    0, ':', 0, '2', 0, '\n', 0, 0xE9, 0xD8, 0x3D, 0xDE, 0x00 };
  static const guint8 odd[] = { 0xFF, 0xFE, '0', 0, '0' };
  static const guint8 lone[] = { 0xFE, 0xFF, 0, '0', 0xD8, 0x3D, 0, '0' };
  static const gchar latin[] = "00:00:01,000 --> 00:00:02,000\r\ncaf\xE9\r\n";
  static const gchar nul[] = "00:00:01,000 --> 00:00:02,000\na\0b\n";

  g_auto (Read) from_little = read_bytes (little, sizeof little, &as_they_are);
  g_auto (Read) from_big = read_bytes (big, sizeof big, &as_they_are);
  g_autofree gchar *found_little = describe (&from_little), *found_big = describe (&from_big);
  g_assert_cmpstr (found_little, ==, "1000-2000 é😀\n");
  g_assert_cmpstr (found_big, ==, "1000-2000 é😀\n");

  g_auto (Read) from_odd = read_bytes (odd, sizeof odd, &as_they_are);
  assert_error (&from_odd, "byte 4 is not UTF-16");
  g_auto (Read) from_lone = read_bytes (lone, sizeof lone, &as_they_are);
  assert_error (&from_lone, "byte 4 is not UTF-16");
  g_auto (Read) from_latin = read_text (latin, &as_they_are);
  assert_error (&from_latin, "byte 34 (0xE9), on line 2, is not UTF-8");

  g_auto (Read) from_nul = read_bytes (nul, sizeof nul - 1, &as_they_are);
  g_autofree gchar *found_nul = describe (&from_nul);
  g_assert_cmpstr (found_nul, ==,
      "1000-2000 a\xEF\xBF\xBD"
      "b\n");
}

/* Stacking */

static void
assert_slot (const Read *read, guint slot, const gchar *expected)
{
  g_autoptr (GString) found = g_string_new (NULL);
  guint n;
  const guint *indices = weft_caption_track_get_slot (read->track, slot, &n);

  for (guint i = 0; i < n; i++)
    g_string_append (found, weft_caption_track_get_cue (read->track, indices[i])->text);
  g_assert_cmpstr (found->str, ==, expected);
}

static void
test_overlapping_cues_have_places_of_their_own (void)
{
  g_auto (Read) read = read_text ("00:00:04,000 --> 00:00:06,000\nd\n"
                                  "00:00:01,000 --> 00:00:03,000\na\n"
                                  "00:00:02,000 --> 00:00:05,000\nb\n"
                                  "00:00:03,000 --> 00:00:04,000\nc\n"
                                  "00:00:03,500 --> 00:00:04,500\ne\n",
      &as_they_are);

  /* In the order of their times. What begins where another ends does not overlap it. */
  assert_slot (&read, 0, "acd");
  assert_slot (&read, 1, "b");
  assert_slot (&read, 2, "e");
  assert_no_warning (&read);
}

static void
test_too_many_at_once_are_left_out (void)
{
  g_autoptr (GString) file = g_string_new (NULL);

  for (guint i = 0; i < 12; i++)
    g_string_append_printf (file, "00:00:01,000 --> 00:00:02,000\n%c\n", 'a' + i);
  g_auto (Read) read = read_text (file->str, &as_they_are);
  assert_slot (&read, 7, "h");
  assert_warning (&read, 0, "cues: ", "4 of them are left out");
}

/* Bounds */

static void
test_warnings_are_bounded (void)
{
  g_autoptr (GString) file = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append (file, "00:00:02,000 --> 00:00:01,000\na\n");
  g_auto (Read) read = read_text (file->str, &as_they_are);
  g_assert_cmpuint (read.warnings->len, ==, 21);
  assert_warning (&read, 20, "and 980 more", "");
}

static void
test_large_files_are_refused (void)
{
  gsize size = (gsize) WEFT_CAPTION_MAX_FILE_BYTES + 1;
  g_autofree gchar *data = g_malloc (size);

  memset (data, ' ', size);
  g_auto (Read) read = read_bytes (data, size, &as_they_are);
  assert_error (&read, "16 MiB");
}

static void
test_many_cues_are_bounded (void)
{
  g_autoptr (GString) file = g_string_new (NULL);

  for (guint i = 0; i < 400000; i++)
    g_string_append_printf (
        file, "%u:%02u-->%u:%02u\nab cd\n", i / 60, i % 60, (i + 1) / 60, (i + 1) % 60);
  g_auto (Read) read = read_text (file->str, &with_words);
  g_assert_cmpuint (weft_caption_track_get_n_cues (read.track), ==, 100000);
  assert_warning (&read, 0, "line 200001: ", "only the first 100000");
  g_assert_cmpuint (read.warnings->len, ==, 1);
}

static void
test_long_texts_are_bounded (void)
{
  g_autoptr (GString) file = g_string_new ("00:00:01,000 --> 00:00:02,000\n");

  for (guint i = 0; i < 1000; i++)
    g_string_append (file, "<b>é é</b> é\n");
  g_string_append (file, "\n00:00:03,000 --> 00:00:04,000\nb");
  g_auto (Read) read = read_text (file->str, &with_words);
  const WeftCaptionCue *cue = weft_caption_track_get_cue (read.track, 0);

  g_assert_cmpint (g_utf8_strlen (cue->text, -1), ==, 2000);
  g_assert_true (g_utf8_validate (cue->text, -1, NULL));
  assert_warning (&read, 0, "line 1: ", "2000 characters");
  g_assert_cmpstr (weft_caption_track_get_cue (read.track, 1)->text, ==, "b");
}

static void
test_long_lines_are_left_out (void)
{
  g_autofree gchar *line = g_strnfill (20000, 'x');
  g_autofree gchar *srt = g_strconcat ("00:00:01,000 --> 00:00:02,000\na\n", line, "\n", NULL);
  g_autofree gchar *vtt = g_strconcat ("WEBVTT\n\n", srt, NULL);

  g_auto (Read) from_srt = read_text (srt, &as_they_are);
  g_assert_cmpstr (weft_caption_track_get_cue (from_srt.track, 0)->text, ==, "a");
  assert_warning (&from_srt, 0, "line 3: ", "16384 bytes");
  g_auto (Read) from_vtt = read_text (vtt, &as_they_are);
  g_assert_cmpstr (weft_caption_track_get_cue (from_vtt.track, 0)->text, ==, "a");
  assert_warning (&from_vtt, 0, "line 5: ", "16384 bytes");
}

/* Texts on which a careless parser takes time that grows with the square of their length. */
static void
test_hostile_texts_take_no_longer (void)
{
  static const gchar *const units[] = { "<", "<b>", "{\\", "&", "&#", "<b", "</b>", "a\n",
    "<00:00:01.0>", "\xCC\x81", "\xE2\x80\xAE", "-->", "0" };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    g_autoptr (GString) file = g_string_new ("WEBVTT\n");
    for (guint k = 0; k < 40; k++) {
      g_string_append (file, "\n\n00:01.000 --> 00:02.000\n");
      for (gsize n = 0; n < 16000; n += strlen (units[i]))
        g_string_append (file, units[i]);
    }
    const WeftCaptionShape shape = { 20, 2, TRUE, 0 };
    gint64 begin = g_get_monotonic_time ();
    g_auto (Read) as_vtt = read_text (file->str, &shape);
    g_auto (Read) as_srt = read_text (file->str + 7, &shape);
    gdouble seconds = (gdouble) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
    g_test_message ("%s: %.2f s for %.1f MB", units[i], seconds, (gdouble) file->len / 5e5);
    /* Linear is a tenth of a second; the square of it would be minutes. */
    g_assert_cmpfloat (seconds, <, 20.0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/captions/srt/plain", test_srt);
  g_test_add_func ("/captions/srt/as-found", test_srt_as_it_is_found);
  g_test_add_func ("/captions/srt/tags", test_srt_tags);
  g_test_add_func ("/captions/srt/places", test_srt_places);
  g_test_add_func ("/captions/srt/damaged", test_damaged_srt_is_read_as_far_as_it_goes);
  g_test_add_func ("/captions/none", test_what_holds_no_captions_is_refused);
  g_test_add_func ("/captions/vtt/plain", test_vtt);
  g_test_add_func ("/captions/vtt/settings", test_vtt_settings);
  g_test_add_func ("/captions/vtt/damaged", test_damaged_vtt_is_read_as_far_as_it_goes);
  g_test_add_func ("/captions/vtt/empty", test_a_vtt_without_cues_is_one);
  g_test_add_func ("/captions/vtt/times", test_vtt_times_inside_a_cue);
  g_test_add_func ("/captions/words/segments", test_words_of_segments);
  g_test_add_func ("/captions/words/loose", test_loose_words_become_cues);
  g_test_add_func (
      "/captions/words/no-times", test_words_without_times_take_those_of_their_neighbours);
  g_test_add_func ("/captions/words/damaged", test_damaged_words_are_left_out);
  g_test_add_func ("/captions/cut/lines", test_lines_are_cut_at_words);
  g_test_add_func ("/captions/cut/parts", test_long_cues_show_in_parts);
  g_test_add_func ("/captions/offset", test_times_can_be_shifted);
  g_test_add_func ("/captions/encodings", test_encodings);
  g_test_add_func ("/captions/stack/places", test_overlapping_cues_have_places_of_their_own);
  g_test_add_func ("/captions/stack/too-many", test_too_many_at_once_are_left_out);
  g_test_add_func ("/captions/bounds/warnings", test_warnings_are_bounded);
  g_test_add_func ("/captions/bounds/file", test_large_files_are_refused);
  g_test_add_func ("/captions/bounds/cues", test_many_cues_are_bounded);
  g_test_add_func ("/captions/bounds/texts", test_long_texts_are_bounded);
  g_test_add_func ("/captions/bounds/lines", test_long_lines_are_left_out);
  g_test_add_func ("/captions/bounds/hostile", test_hostile_texts_take_no_longer);
  return g_test_run ();
}
