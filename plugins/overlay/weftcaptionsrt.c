/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SubRip. The format has no standard; what counts here is how ffmpeg reads it: a line that begins
 * with two times and an arrow begins a cue, whatever stands before it, and all lines up to the
 * next such line are its text, but for a number right in front of that line. */

#include "weftcaptionmarkup.h"
#include "weftcaptiontext.h"

#include <string.h>

typedef struct {
  WeftCaptionBuilder *builder;
  /* Of the cue that is being read. */
  gboolean in_cue;
  GstClockTime start;
  GstClockTime end;
  guint line;
  GString *payload;
  /* The last line of the payload, which may turn out to be the number of the next cue. */
  gsize last_line;
} Srt;

static gboolean
parse_timing (const gchar *line, GstClockTime *start, GstClockTime *end)
{
  if (!weft_caption_parse_time (&line, start))
    return FALSE;
  line += strspn (line, " \t");
  if (strncmp (line, "-->", 3) != 0)
    return FALSE;
  line += 3;
  return weft_caption_parse_time (&line, end);
}

/* A line that was meant to be times: an arrow, and what stands before it is a damaged time. */
static gboolean
looks_like_timing (const gchar *line)
{
  const gchar *arrow = strstr (line, "-->");

  return arrow != NULL && strspn (line, " \t0123456789:;,.-") >= (gsize) (arrow - line);
}

static void
finish_cue (Srt *self, gboolean drop_number)
{
  g_auto (WeftCaptionCue) cue = { .place = WEFT_CAPTION_PLACE_UNSET };

  if (!self->in_cue)
    return;
  self->in_cue = FALSE;
  if (drop_number && weft_caption_is_number (self->payload->str + self->last_line))
    g_string_truncate (self->payload, self->last_line);
  cue.start = self->start;
  cue.end = self->end;
  weft_caption_builder_add_markup (
      self->builder, &cue, WEFT_CAPTION_DIALECT_SRT, self->payload->str, self->line);
}

static void
read_line (Srt *self, const gchar *line, guint number)
{
  GstClockTime start, end;

  if (parse_timing (line, &start, &end)) {
    finish_cue (self, TRUE);
    self->in_cue = TRUE;
    self->start = start;
    self->end = end;
    self->line = number;
    self->last_line = 0;
    g_string_truncate (self->payload, 0);
  } else if (looks_like_timing (line)) {
    finish_cue (self, TRUE);
    weft_caption_builder_warn_line (self->builder, number,
        "the times cannot be read; the cue is left out (write 00:01:02,345 --> 00:01:04,000)");
  } else if (self->in_cue && line[strspn (line, " \t")] != '\0') {
    gsize length = self->payload->len;
    weft_caption_builder_append_line (self->builder, self->payload, line, number);
    self->last_line = length > 0 && self->payload->len > length ? length + 1 : length;
  }
}

/* @text: which is taken apart in place */
void
weft_caption_parse_srt (WeftCaptionBuilder *builder, gchar *text)
{
  g_autoptr (GString) payload = g_string_new (NULL);
  Srt self = { .builder = builder, .payload = payload };
  WeftCaptionLines lines = { text, 0 };
  const gchar *line;

  while (!builder->is_full && (line = weft_caption_lines_next (&lines)) != NULL)
    read_line (&self, line, lines.number);
  /* A number at the very end is text: there is no cue it could belong to. */
  finish_cue (&self, FALSE);
}
