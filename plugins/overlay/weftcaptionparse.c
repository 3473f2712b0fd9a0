/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells the formats of caption files apart by what they contain. */

#include "weftcaptiontext.h"
#include "weftcaptiontrack.h"

#include <string.h>

static gboolean
is_vtt (const gchar *text)
{
  return strncmp (text, "WEBVTT", 6) == 0 && strchr (" \t\r\n", text[6]) != NULL;
}

static gboolean
parse_text (WeftCaptionBuilder *builder, gchar *text, GError **error)
{
  const gchar *first = text + strspn (text, " \t\r\n");

  if (is_vtt (text)) {
    weft_caption_parse_vtt (builder, text);
    return TRUE;
  }
  if (*first == '{' || *first == '[') {
    /* An ASS file begins with the name of a section; JSON has no such array. */
    if (g_ascii_strncasecmp (first, "[Script Info]", 13) != 0)
      return weft_caption_parse_words (builder, first, error);
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_UNSUPPORTED, NULL,
        "ASS captions cannot be read; make SRT of them: ffmpeg -i a.ass a.srt");
    return FALSE;
  }
  /* A film without a word has an empty file; anything else has at least a time. */
  gboolean is_blank = *first == '\0';
  weft_caption_parse_srt (builder, text);
  if (is_blank || builder->has_cues || builder->n_warnings > 0)
    return TRUE;
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_DAMAGED, NULL,
      "there are no captions in it; it should be SRT, WebVTT, or JSON with words");
  return FALSE;
}

/**
 * weft_caption_parse:
 * @bytes: a whole file: SRT, WebVTT, or JSON with words
 * @warnings: (element-type utf8): what to tell the user; at most a few, the last of which counts
 *   the others
 *
 * Reads what can be read: what cannot is left out with a warning. An error is a file in which
 * nothing is as it should be.
 *
 * Returns: (transfer full) (nullable): the cues; there may be none
 */
WeftCaptionTrack *
weft_caption_parse (
    GBytes *bytes, const WeftCaptionShape *shape, GPtrArray *warnings, GError **error)
{
  g_auto (WeftCaptionBuilder) builder = { 0 };

  if (g_bytes_get_size (bytes) > WEFT_CAPTION_MAX_FILE_BYTES) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_TOO_LARGE, NULL,
        "the captions have more than %u MiB", WEFT_CAPTION_MAX_FILE_BYTES >> 20);
    return NULL;
  }
  g_autofree gchar *text = weft_caption_text_decode (bytes, error);
  if (text == NULL)
    return NULL;
  weft_caption_builder_init (&builder, shape);
  if (!parse_text (&builder, text, error))
    return NULL;
  return weft_caption_builder_end (&builder, warnings);
}
