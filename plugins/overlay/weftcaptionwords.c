/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON with the times of words, as speech recognisers write it:
 *
 *   {"segments": [{"start": 0.0, "end": 2.1, "text": "Hello there",
 *                  "words": [{"word": "Hello", "start": 0.0, "end": 0.6}, …]}, …]}
 *   {"words": [{"word": "Hello", "start": 0.0, "end": 0.6}, …]}
 *   [{"word": "Hello", "start": 0.0, "end": 0.6}, …]
 *
 * A segment is a cue. Words without segments are put together to cues here. Other members are of no
 * interest. */

#include "weftcaptionflow.h"
#include "weftoverlayjson.h"

#include <math.h>
#include <string.h>

/* 13 hours of speech with five members a word. */
#define MAX_VALUES 1000000
#define MAX_TIME_S 3600000.0
/* A pause this long ends a cue. */
#define PAUSE (700 * GST_MSECOND)
/* A cue does not vanish for less than this before the next. */
#define SHORT_GAP (200 * GST_MSECOND)
#define MAX_CUE_TIME (7 * GST_SECOND)
/* A sentence of its own needs this many characters: shorter ones stand together. */
#define MIN_SENTENCE_CHARS 20
/* What is put together where the item does not say; what subtitlers keep to. */
#define DEFAULT_MAX_CHARS 42
#define DEFAULT_MAX_LINES 2

/* A cue while words are added to it. */
typedef struct {
  WeftCaptionBuilder *builder;
  GString *text;
  GArray *words;
  gchar *where;
  /* Whether words bring the spaces before them, as Whisper's do. */
  gboolean has_spaces;
  /* The latest time of a word so far, in the whole file. */
  GstClockTime last_start;
  /* Held back until it is known when the next cue starts. */
  WeftCaptionCue held;
  gchar *held_where;
} Words;

static gboolean
get_time (JsonObject *object, const gchar *name, GstClockTime *time)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_INT64
          && json_node_get_value_type (node) != G_TYPE_DOUBLE))
    return FALSE;
  gdouble seconds = json_node_get_double (node);
  if (!(seconds >= 0.0 && seconds < MAX_TIME_S))
    return FALSE;
  *time = (GstClockTime) (seconds * (gdouble) GST_SECOND + 0.5);
  return TRUE;
}

static const gchar *
get_text (JsonObject *object, const gchar *name)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  const gchar *text = json_node_get_string (node);
  /* json-glib turns an escaped lone surrogate into bytes that are not UTF-8. */
  return g_utf8_validate (text, -1, NULL) ? text : NULL;
}

static JsonArray *
get_array (JsonObject *object, const gchar *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static const gchar *
get_word_text (JsonObject *word)
{
  const gchar *text = get_text (word, "word");

  return text != NULL ? text : get_text (word, "text");
}

static void
release_held (Words *self, GstClockTime next_start)
{
  if (self->held.text == NULL)
    return;
  if (next_start > self->held.end && next_start - self->held.end < SHORT_GAP)
    self->held.end = next_start;
  weft_caption_builder_add (self->builder, &self->held, self->held_where);
  weft_caption_cue_clear (&self->held);
  g_clear_pointer (&self->held_where, g_free);
}

static void
hold (Words *self, WeftCaptionCue *cue, const gchar *where)
{
  release_held (self, cue->start);
  self->held = *cue;
  self->held_where = g_strdup (where);
}

/* Makes a cue of the words so far. */
static void
finish_cue (Words *self)
{
  WeftCaptionCue cue = { .place = WEFT_CAPTION_PLACE_UNSET };

  if (self->words->len == 0)
    return;
  cue.text = g_strdup (self->text->str);
  cue.n_words = self->words->len;
  cue.words = g_memdup2 (self->words->data, self->words->len * sizeof (WeftCaptionWord));
  cue.start = cue.words[0].start;
  cue.end = cue.words[cue.n_words - 1].end;
  hold (self, &cue, self->where);
  g_string_truncate (self->text, 0);
  g_array_set_size (self->words, 0);
}

static gboolean
ends_sentence (const gchar *text)
{
  gsize length = strlen (text);
  static const gchar *const marks[] = { ".", "!", "?", "…", "。", "！", "？" };

  if (g_utf8_strlen (text, -1) < MIN_SENTENCE_CHARS)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++) {
    if (g_str_has_suffix (text + length - MIN (length, strlen (marks[i])), marks[i]))
      return TRUE;
  }
  return FALSE;
}

/* Whether the words so far are a cue, to which one that starts at @start does not belong. */
static gboolean
is_complete (const Words *self, const gchar *next, GstClockTime start)
{
  const WeftCaptionShape *shape = &self->builder->shape;

  if (self->words->len == 0)
    return FALSE;
  const WeftCaptionWord *first = &g_array_index (self->words, WeftCaptionWord, 0);
  const WeftCaptionWord *last = &g_array_index (self->words, WeftCaptionWord, self->words->len - 1);
  return start >= last->end + PAUSE || start >= first->start + MAX_CUE_TIME
         || ends_sentence (self->text->str)
         || g_utf8_strlen (self->text->str, -1) + g_utf8_strlen (next, -1)
                > (glong) shape->max_chars * shape->max_lines;
}

/* A space, where the recogniser does not write them and the script has them. */
static gboolean
needs_space (const Words *self, const gchar *next)
{
  gunichar before = g_utf8_get_char (g_utf8_prev_char (self->text->str + self->text->len));
  gunichar after = g_utf8_get_char (next);
  return !(g_unichar_iswide (before) && g_unichar_iswide (after));
}

static void
append_word (
    Words *self, const gchar *text, gboolean has_space, GstClockTime start, GstClockTime end)
{
  WeftCaptionWord word = { 0, (guint) strlen (text), start, end };

  if (self->text->len > 0 && (self->has_spaces ? has_space : needs_space (self, text)))
    g_string_append_c (self->text, ' ');
  word.offset = (guint) self->text->len;
  g_string_append (self->text, text);
  g_array_append_val (self->words, word);
}

/* The words of one segment, or of a file without segments. */
typedef struct {
  JsonArray *array;
  const gchar *pointer;
  /* Words are put together here, not by a segment. */
  gboolean is_loose;
} WordList;

/* Where a recogniser gives a word no time, as for numbers, it is said where its neighbours leave
 * room. */
static GstClockTime
find_next_start (const WordList *list, guint index, GstClockTime fallback)
{
  GstClockTime time;
  guint last = MIN (json_array_get_length (list->array), index + 16);

  for (guint i = index + 1; i < last; i++) {
    JsonNode *node = json_array_get_element (list->array, i);
    if (JSON_NODE_HOLDS_OBJECT (node) && get_time (json_node_get_object (node), "start", &time))
      return time;
  }
  return fallback;
}

static void
read_word (Words *self, const WordList *list, guint index)
{
  g_autofree gchar *where = g_strdup_printf ("%s/%u", list->pointer, index);
  JsonNode *node = json_array_get_element (list->array, index);
  JsonObject *word = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const gchar *text = word != NULL ? get_word_text (word) : NULL;
  GstClockTime start = self->last_start, end;

  if (text == NULL) {
    weft_caption_builder_warn (self->builder, where, "the word has no text; it is left out");
    return;
  }
  g_autofree gchar *trimmed = g_strstrip (g_strdup (text));
  if (trimmed[0] == '\0')
    return;
  g_strdelimit (trimmed, "\r\n\t", ' ');
  if (self->words->len > 0)
    start = g_array_index (self->words, WeftCaptionWord, self->words->len - 1).end;
  if (get_time (word, "start", &start) && start < self->last_start) {
    weft_caption_builder_warn (
        self->builder, where, "the word starts before the one in front of it; it is left out");
    return;
  }
  if (!get_time (word, "end", &end) || end < start)
    end = MAX (find_next_start (list, index, start), start);
  if (list->is_loose && is_complete (self, text, start))
    finish_cue (self);
  if (self->words->len == 0) {
    g_free (self->where);
    self->where = g_steal_pointer (&where);
  } else {
    WeftCaptionWord *last = &g_array_index (self->words, WeftCaptionWord, self->words->len - 1);
    last->end = MIN (last->end, start);
  }
  self->last_start = start;
  append_word (self, trimmed, g_ascii_isspace (text[0]), start, end);
}

static void
read_list (Words *self, const WordList *list)
{
  guint n = json_array_get_length (list->array);

  self->has_spaces = FALSE;
  for (guint i = 1; i < n && !self->has_spaces; i++) {
    JsonNode *node = json_array_get_element (list->array, i);
    const gchar *text =
        JSON_NODE_HOLDS_OBJECT (node) ? get_word_text (json_node_get_object (node)) : NULL;
    self->has_spaces = text != NULL && text[0] == ' ';
  }
  for (guint i = 0; i < n && !self->builder->is_full; i++)
    read_word (self, list, i);
  finish_cue (self);
}

/* A segment whose words have no times: they share its time. */
static void
read_text_segment (Words *self, JsonObject *segment, const gchar *where)
{
  g_autoptr (GArray) stamps = g_array_new (FALSE, FALSE, sizeof (WeftCaptionStamp));
  WeftCaptionCue cue = { .place = WEFT_CAPTION_PLACE_UNSET };
  const gchar *text = get_text (segment, "text");

  if (text == NULL || !get_time (segment, "start", &cue.start)
      || !get_time (segment, "end", &cue.end) || cue.end <= cue.start) {
    weft_caption_builder_warn (self->builder, where,
        "the segment needs a “text”, a “start”, and an “end” after it; it is left out");
    return;
  }
  cue.text = g_strstrip (g_strdup (text));
  weft_caption_flow_find_words (&cue, stamps);
  hold (self, &cue, where);
}

static void
read_segments (Words *self, JsonArray *segments, const gchar *pointer)
{
  for (guint i = 0; i < json_array_get_length (segments) && !self->builder->is_full; i++) {
    g_autofree gchar *where = g_strdup_printf ("%s/%u", pointer, i);
    JsonNode *node = json_array_get_element (segments, i);
    JsonObject *segment = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    JsonArray *words = segment != NULL ? get_array (segment, "words") : NULL;

    if (words != NULL && json_array_get_length (words) > 0) {
      g_autofree gchar *words_pointer = g_strconcat (where, "/words", NULL);
      read_list (self, &(WordList){ words, words_pointer, FALSE });
    } else if (segment != NULL) {
      read_text_segment (self, segment, where);
    } else {
      weft_caption_builder_warn (self->builder, where, "this is no segment; it is left out");
    }
  }
}

static gboolean
read_root (Words *self, JsonNode *root, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonArray *segments = object != NULL ? get_array (object, "segments") : NULL;
  JsonArray *words = object != NULL ? get_array (object, "words") : NULL;

  if (JSON_NODE_HOLDS_ARRAY (root)) {
    JsonArray *array = json_node_get_array (root);
    JsonNode *first = json_array_get_length (array) > 0 ? json_array_get_element (array, 0) : NULL;
    if (first != NULL && JSON_NODE_HOLDS_OBJECT (first)
        && json_object_has_member (json_node_get_object (first), "words"))
      segments = array;
    else
      words = array;
    object = NULL;
  }
  if (segments != NULL) {
    read_segments (self, segments, object != NULL ? "/segments" : "");
  } else if (words != NULL) {
    read_list (self, &(WordList){ words, object != NULL ? "/words" : "", TRUE });
  } else {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, NULL,
        "the captions have neither “segments” nor “words”; write {\"words\": [{\"word\": "
        "\"Hello\", "
        "\"start\": 0.0, \"end\": 0.6}]}");
    return FALSE;
  }
  release_held (self, GST_CLOCK_TIME_NONE);
  return TRUE;
}

gboolean
weft_caption_parse_words (WeftCaptionBuilder *builder, const gchar *text, GError **error)
{
  Words self = { .builder = builder };
  g_autoptr (JsonNode) root =
      weft_overlay_json_parse (text, strlen (text), "the captions file", MAX_VALUES, error);

  if (root == NULL)
    return FALSE;
  if (builder->shape.max_chars == 0)
    builder->shape.max_chars = DEFAULT_MAX_CHARS;
  if (builder->shape.max_lines == 0)
    builder->shape.max_lines = DEFAULT_MAX_LINES;
  self.text = g_string_new (NULL);
  self.words = g_array_new (FALSE, FALSE, sizeof (WeftCaptionWord));
  gboolean ok = read_root (&self, root, error);
  g_string_free (self.text, TRUE);
  g_array_unref (self.words);
  g_free (self.where);
  return ok;
}
