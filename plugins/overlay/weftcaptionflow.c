/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of a cue and when each is said; its lines, and what shows at once. */

#include "weftcaptionflow.h"

#include <pango/pango.h>
#include <string.h>

/* Words */

/* A letter that is written without spaces between words. It is taken for a word of its own, so that
 * a highlight moves through the text of such a language, too. */
static gboolean
stands_alone (gunichar c)
{
  return g_unichar_iswide (c) && g_unichar_isalnum (c);
}

/* Adds the words of bytes @begin to @end; their times are still missing. */
static void
find_words_between (const gchar *text, guint begin, guint end, GArray *words)
{
  gboolean in_word = FALSE, is_complete = FALSE;

  for (guint i = begin; i < end;) {
    gunichar c = g_utf8_get_char (text + i);
    guint next = (guint) (g_utf8_next_char (text + i) - text);
    gboolean is_space = g_unichar_isspace (c) && c != 0xA0;
    if (!is_space && (!in_word || stands_alone (c) || (is_complete && g_unichar_isalnum (c)))) {
      WeftCaptionWord word = { i, 0, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };
      g_array_append_val (words, word);
    }
    if (!is_space) {
      WeftCaptionWord *last = &g_array_index (words, WeftCaptionWord, words->len - 1);
      last->length = next - last->offset;
    }
    in_word = !is_space;
    is_complete = in_word && stands_alone (c);
    i = next;
  }
}

/* Shares the time from @start to @end out by the length of words. */
static void
share_time (
    const gchar *text, WeftCaptionWord *words, guint n, GstClockTime start, GstClockTime end)
{
  guint64 total = 0, before = 0;

  for (guint i = 0; i < n; i++)
    total += (guint64) g_utf8_strlen (text + words[i].offset, words[i].length);
  for (guint i = 0; i < n; i++) {
    words[i].start = start + gst_util_uint64_scale (end - start, before, total);
    before += (guint64) g_utf8_strlen (text + words[i].offset, words[i].length);
    words[i].end = start + gst_util_uint64_scale (end - start, before, total);
  }
}

static void
add_words (const WeftCaptionCue *cue, GArray *words, guint begin, guint end, GstClockTime from,
    GstClockTime to)
{
  guint first = words->len;

  find_words_between (cue->text, begin, MIN (end, (guint) strlen (cue->text)), words);
  if (words->len > first)
    share_time (
        cue->text, &g_array_index (words, WeftCaptionWord, first), words->len - first, from, to);
}

/**
 * weft_caption_flow_find_words:
 * @stamps: (element-type WeftCaptionStamp): times inside of the text
 *
 * Sets the words of @cue. Where the file does not say when a word is said, the time between what it
 * does say is shared out by the length of the words. Stamps that go back, or beyond the cue, are
 * not believed.
 */
void
weft_caption_flow_find_words (WeftCaptionCue *cue, const GArray *stamps)
{
  GArray *words = g_array_new (FALSE, FALSE, sizeof (WeftCaptionWord));
  GstClockTime from = cue->start;
  guint begin = 0;

  for (guint i = 0; i < stamps->len; i++) {
    const WeftCaptionStamp *stamp = &g_array_index (stamps, WeftCaptionStamp, i);
    if (stamp->time < from || stamp->time > cue->end)
      continue;
    add_words (cue, words, begin, stamp->offset, from, stamp->time);
    begin = stamp->offset;
    from = stamp->time;
  }
  add_words (cue, words, begin, G_MAXUINT, from, cue->end);
  g_free (cue->words);
  cue->n_words = words->len;
  cue->words = (WeftCaptionWord *) (gpointer) g_array_free (words, FALSE);
}

/* Lines */

/* A text while lines are looked for: one entry of `attrs` a character, and one for its end. */
typedef struct {
  const gchar *text;
  const PangoLogAttr *attrs;
  glong n_chars;
} Paragraph;

/* Breaks at the last place where one may that leaves @max characters on a line, or within a word
 * that is longer. Adds the index of the first character of each line to @starts. */
static void
fill_lines (const Paragraph *p, guint max, GArray *starts)
{
  glong line_start = 0, last_break = 0;
  guint column = 0, column_at_break = 0;

  g_array_set_size (starts, 0);
  g_array_append_val (starts, line_start);
  for (glong i = 0; i < p->n_chars; i++) {
    if (i > line_start && p->attrs[i].is_mandatory_break) {
      line_start = last_break = i;
      column = column_at_break = 0;
      g_array_append_val (starts, line_start);
    } else if (i > line_start && p->attrs[i].is_line_break) {
      last_break = i;
      column_at_break = column;
    }
    /* A space at the end of a line takes no room. */
    if (column >= max && p->attrs[i].is_cursor_position && !p->attrs[i].is_white) {
      if (last_break == line_start) {
        last_break = i;
        column_at_break = column;
      }
      line_start = last_break;
      column -= column_at_break;
      column_at_break = 0;
      g_array_append_val (starts, line_start);
    }
    column += p->attrs[i].is_cursor_position;
  }
}

/* As few lines as @max_chars allows, and these as equal as can be. */
static GArray *
find_lines (const Paragraph *p, guint max_chars)
{
  GArray *best = g_array_new (FALSE, FALSE, sizeof (glong));
  g_autoptr (GArray) tried = g_array_new (FALSE, FALSE, sizeof (glong));
  guint low = 1, high = max_chars;

  fill_lines (p, max_chars, best);
  guint n_lines = best->len;
  while (low < high) {
    guint width = low + (high - low) / 2;
    fill_lines (p, width, tried);
    if (tried->len <= n_lines)
      high = width;
    else
      low = width + 1;
  }
  fill_lines (p, high, best);
  return best;
}

static guint
count_lines (const gchar *text)
{
  guint n = 1;

  for (; (text = strchr (text, '\n')) != NULL; text++)
    n++;
  return n;
}

static gboolean
fits (const Paragraph *p, guint max_chars)
{
  guint column = 0;

  for (glong i = 0; i < p->n_chars; i++) {
    if (i > 0 && p->attrs[i].is_mandatory_break)
      column = 0;
    column += p->attrs[i].is_cursor_position;
    if (column > max_chars && !p->attrs[i].is_white)
      return FALSE;
  }
  return TRUE;
}

static void
analyse (Paragraph *p, const gchar *text, PangoLogAttr **attrs)
{
  p->text = text;
  p->n_chars = g_utf8_strlen (text, -1);
  g_free (*attrs);
  *attrs = g_new0 (PangoLogAttr, (gsize) p->n_chars + 1);
  pango_get_log_attrs (
      text, -1, -1, pango_language_from_string ("und"), *attrs, (gint) p->n_chars + 1);
  p->attrs = *attrs;
}

/* Writes the lines of @p with breaks between; @map tells where each byte went. */
static gchar *
join_lines (const Paragraph *p, const GArray *starts, guint *map)
{
  GString *joined = g_string_new (NULL);
  const gchar *read = p->text;
  guint line = 1;
  glong i = 0;

  for (; i < p->n_chars; i++) {
    const gchar *next = g_utf8_next_char (read);
    if (line < starts->len && g_array_index (starts, glong, line) == i) {
      while (joined->len > 0 && strchr (" \n", joined->str[joined->len - 1]) != NULL)
        g_string_truncate (joined, joined->len - 1);
      g_string_append_c (joined, '\n');
      line++;
    }
    for (const gchar *b = read; b < next; b++)
      map[b - p->text] = (guint) joined->len + (guint) (b - read);
    g_string_append_len (joined, read, next - read);
    read = next;
  }
  map[read - p->text] = (guint) joined->len;
  return g_string_free (joined, FALSE);
}

static void
move_parts (WeftCaptionCue *cue, const guint *map)
{
  for (guint i = 0; i < cue->n_spans; i++) {
    WeftCaptionSpan *span = &cue->spans[i];
    guint end = map[span->offset + span->length];
    span->offset = map[span->offset];
    span->length = end > span->offset ? end - span->offset : 0;
  }
  for (guint i = 0; i < cue->n_words; i++) {
    WeftCaptionWord *word = &cue->words[i];
    /* The end of its last byte: a break may follow. */
    guint end = map[word->offset + word->length - 1] + 1;
    word->offset = map[word->offset];
    word->length = end - word->offset;
  }
}

static void
wrap (WeftCaptionCue *cue, guint max_chars, guint max_lines)
{
  g_autofree PangoLogAttr *attrs = NULL;
  Paragraph p;

  analyse (&p, cue->text, &attrs);
  gboolean is_short = max_lines == 0 || count_lines (cue->text) <= max_lines;
  if (is_short && fits (&p, max_chars))
    return;
  g_autoptr (GArray) lines = find_lines (&p, max_chars);
  if (max_lines > 0 && lines->len > max_lines && strchr (cue->text, '\n') != NULL) {
    /* The breaks of the file and those of the width do not go together. */
    g_strdelimit (cue->text, "\n", ' ');
    analyse (&p, cue->text, &attrs);
    g_clear_pointer (&lines, g_array_unref);
    lines = find_lines (&p, max_chars);
  }
  g_autofree guint *map = g_new (guint, strlen (cue->text) + 1);
  gchar *text = join_lines (&p, lines, map);
  move_parts (cue, map);
  g_free (cue->text);
  cue->text = text;
}

/* Pages */

/* The part of @cue from byte @begin to @end, without times. */
static WeftCaptionCue
copy_part (const WeftCaptionCue *cue, guint begin, guint end)
{
  WeftCaptionCue part = { .place = cue->place };
  GArray *spans = g_array_new (FALSE, FALSE, sizeof (WeftCaptionSpan));
  GArray *words = g_array_new (FALSE, FALSE, sizeof (WeftCaptionWord));

  part.text = g_strndup (cue->text + begin, end - begin);
  for (guint i = 0; i < cue->n_spans; i++) {
    WeftCaptionSpan span = cue->spans[i];
    guint from = MAX (span.offset, begin), to = MIN (span.offset + span.length, end);
    if (from >= to)
      continue;
    span.offset = from - begin;
    span.length = to - from;
    g_array_append_val (spans, span);
  }
  for (guint i = 0; i < cue->n_words; i++) {
    WeftCaptionWord word = cue->words[i];
    if (word.offset < begin || word.offset >= end)
      continue;
    word.length = MIN (word.length, end - word.offset);
    word.offset -= begin;
    g_array_append_val (words, word);
  }
  part.n_spans = spans->len;
  part.spans = (WeftCaptionSpan *) (gpointer) g_array_free (spans, FALSE);
  part.n_words = words->len;
  part.words = (WeftCaptionWord *) (gpointer) g_array_free (words, FALSE);
  return part;
}

/* The byte behind @n lines of @text from @begin on. */
static guint
skip_lines (const gchar *text, guint begin, guint n)
{
  const gchar *p = text + begin;

  while (n-- > 0) {
    p += strcspn (p, "\n");
    if (*p == '\0')
      break;
    p++;
  }
  return (guint) (p - text);
}

static GArray *
cut_pages (const WeftCaptionCue *cue, guint max_lines)
{
  GArray *pages = g_array_new (FALSE, FALSE, sizeof (WeftCaptionCue));
  guint length = (guint) strlen (cue->text), begin = 0;
  GstClockTime start = cue->start;

  while (begin < length) {
    guint next = skip_lines (cue->text, begin, max_lines);
    guint end = next < length || cue->text[next - 1] == '\n' ? next - 1 : next;
    WeftCaptionCue page = copy_part (cue, begin, end);
    /* It begins with its first word, where there is one. */
    page.start = pages->len > 0 && page.n_words > 0 ? MAX (page.words[0].start, start) : start;
    if (pages->len > 0)
      g_array_index (pages, WeftCaptionCue, pages->len - 1).end = page.start;
    page.end = cue->end;
    start = page.start;
    g_array_append_val (pages, page);
    begin = next;
  }
  return pages;
}

/**
 * weft_caption_flow_cut:
 * @cue: (inout): whose words are known; becomes the first part
 * @max_chars: characters of a line, 0: as many as there are
 * @max_lines: lines shown at once, 0: all
 *
 * Breaks the text into lines and, where these are too many, into parts that show one after another.
 * The breaks of the file stay where they fit.
 *
 * Returns: (transfer full) (nullable) (element-type WeftCaptionCue): the parts, if there are
 * several
 */
GArray *
weft_caption_flow_cut (WeftCaptionCue *cue, guint max_chars, guint max_lines)
{
  if (max_chars > 0)
    wrap (cue, max_chars, max_lines);
  if (max_lines == 0 || count_lines (cue->text) <= max_lines)
    return NULL;
  return cut_pages (cue, max_lines);
}
