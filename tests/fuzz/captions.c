/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are, captions are read from them or they are refused with a message that can
 * be shown; and what was read holds what weftcaptiontrack.h says of it, and can be made texts of.
 */

#include <string.h>

#include "fuzz.h"
#include "weftcaptions.h"

#define MAX_TEXTS 3

/* g_assert() can be compiled out; these must not. */
static void
require (gboolean condition, const gchar *what)
{
  if (!condition)
    g_error ("%s", what);
}

static gboolean
is_boundary (const gchar *text, guint offset)
{
  return ((guchar) text[offset] & 0xC0) != 0x80;
}

static void
check_spans (const WeftCaptionCue *cue, gsize length)
{
  guint end = 0;

  for (guint i = 0; i < cue->n_spans; i++) {
    const WeftCaptionSpan *span = &cue->spans[i];
    require (span->offset >= end, "spans that overlap");
    end = span->offset + span->length;
    require (end <= length, "a span beyond its text");
    require (is_boundary (cue->text, span->offset) && is_boundary (cue->text, end),
        "a span within a character");
  }
}

static void
check_words (const WeftCaptionCue *cue, gsize length)
{
  guint end = 0;
  GstClockTime time = 0;

  for (guint i = 0; i < cue->n_words; i++) {
    const WeftCaptionWord *word = &cue->words[i];
    require (word->offset >= end, "words that overlap");
    require (word->length > 0, "a word without letters");
    end = word->offset + word->length;
    require (end <= length, "a word beyond its text");
    require (is_boundary (cue->text, word->offset) && is_boundary (cue->text, end),
        "a word within a character");
    require (word->start >= time && word->end >= word->start, "words out of order");
    time = word->start;
  }
}

static void
check_cues (const WeftCaptionTrack *track)
{
  GstClockTime start = 0;

  for (guint i = 0; i < weft_caption_track_get_n_cues (track); i++) {
    const WeftCaptionCue *cue = weft_caption_track_get_cue (track, i);
    gsize length = strlen (cue->text);
    require (cue->start >= start && cue->end > cue->start, "cues out of order");
    require (length > 0 && g_utf8_validate (cue->text, -1, NULL), "a text that is not UTF-8");
    require (g_utf8_strlen (cue->text, -1) <= 4100, "a text without bound");
    check_spans (cue, length);
    check_words (cue, length);
    start = cue->start;
  }
}

static void
check_slots (const WeftCaptionTrack *track)
{
  for (guint slot = 0; slot < WEFT_CAPTION_MAX_SLOTS; slot++) {
    guint n;
    const guint *indices = weft_caption_track_get_slot (track, slot, &n);
    GstClockTime end = 0;
    for (guint i = 0; i < n; i++) {
      const WeftCaptionCue *cue = weft_caption_track_get_cue (track, indices[i]);
      require (cue->start >= end, "cues in the same place at the same time");
      end = cue->end;
    }
  }
}

static WeftOverlayItem *
create_captions (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node =
      json_from_string ("{\"type\":\"captions\",\"src\":\"a\",\"style\":\"karaoke\","
                        "\"font\":{\"size\":4},\"highlight_background\":{}}",
          NULL);
  WeftOverlayItem *item =
      weft_overlay_item_new_from_json (node, "/timeline/overlays/0", "/nonexistent", &error);

  require (item != NULL, "no captions");
  return item;
}

/* A text that is refused ends the process, see weft_captions_item_create_text(). */
static void
check_texts (const WeftCaptionTrack *track)
{
  static WeftOverlayItem *captions;

  if (captions == NULL)
    captions = create_captions ();
  for (guint i = 0; i < MIN (weft_caption_track_get_n_cues (track), MAX_TEXTS); i++) {
    const WeftCaptionCue *cue = weft_caption_track_get_cue (track, i);
    const WeftCaptionStep steps[] = { { 0, 0, -1 }, { 0, 0, (gint) cue->n_words - 1 },
      { cue->n_words / 2, (cue->n_words + 1) / 2, -1 } };
    for (guint k = 0; k < G_N_ELEMENTS (steps); k++)
      g_object_unref (
          weft_captions_item_create_text (WEFT_CAPTIONS_ITEM (captions), cue, &steps[k]));
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const WeftCaptionShape shapes[] = { { 0, 0, FALSE, 0 }, { 7, 2, TRUE, 0 },
    { 0, 1, TRUE, -(GST_SECOND * 3 / 2) }, { 1, 0, TRUE, GST_SECOND } };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
    g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GError) error = NULL;
    g_autoptr (WeftCaptionTrack) track = weft_caption_parse (bytes, &shapes[i], warnings, &error);

    require ((track == NULL) == (error != NULL), "neither captions nor an error");
    require (error == NULL || g_utf8_validate (error->message, -1, NULL), "a message not in UTF-8");
    require (warnings->len <= 22, "warnings without bound");
    for (guint k = 0; k < warnings->len; k++)
      require (
          g_utf8_validate (g_ptr_array_index (warnings, k), -1, NULL), "a warning not in UTF-8");
    if (track == NULL)
      continue;
    check_cues (track);
    check_slots (track);
    check_texts (track);
  }
  return 0;
}
