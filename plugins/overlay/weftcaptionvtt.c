/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WebVTT (W3C WebVTT, "WebVTT parser algorithm"): blocks with blank lines between. Style sheets and
 * regions are not read, and the reader is told. */

#include "weftcaptionmarkup.h"
#include "weftcaptiontext.h"

#include <string.h>

typedef struct {
  WeftCaptionBuilder *builder;
  WeftCaptionLines lines;
  gchar *line;
  GString *payload;
  gboolean warned_style;
  gboolean warned_region;
  gboolean warned_vertical;
} Vtt;

static gboolean
next_line (Vtt *self)
{
  self->line = weft_caption_lines_next (&self->lines);
  return self->line != NULL;
}

static gboolean
is_keyword (const gchar *line, const gchar *keyword)
{
  gsize n = strlen (keyword);

  return strncmp (line, keyword, n) == 0 && line[n + strspn (line + n, " \t")] == '\0';
}

static gboolean
is_comment (const gchar *line)
{
  return strncmp (line, "NOTE", 4) == 0 && (line[4] == '\0' || line[4] == ' ' || line[4] == '\t');
}

static void
skip_block (Vtt *self)
{
  while (self->line != NULL && self->line[0] != '\0')
    next_line (self);
}

/* A percentage from 0 to 100 as a part. Returns: what follows it, or NULL */
static const gchar *
parse_percent (const gchar *value, gdouble *part)
{
  gchar *end = NULL;
  gsize n = strspn (value, "0123456789.");

  if (n == 0 || value[n] != '%')
    return NULL;
  gdouble number = g_ascii_strtod (value, &end);
  if (end != value + n || !(number >= 0.0 && number <= 100.0))
    return NULL;
  *part = number / 100.0;
  return end + 1;
}

static gboolean
parse_side (const gchar *nick, WeftCaptionSide *side)
{
  static const struct {
    const gchar *nick;
    WeftCaptionSide side;
  } sides[] = { { "start", WEFT_CAPTION_SIDE_START }, { "left", WEFT_CAPTION_SIDE_START },
    { "line-left", WEFT_CAPTION_SIDE_START }, { "center", WEFT_CAPTION_SIDE_CENTER },
    { "middle", WEFT_CAPTION_SIDE_CENTER }, { "end", WEFT_CAPTION_SIDE_END },
    { "right", WEFT_CAPTION_SIDE_END }, { "line-right", WEFT_CAPTION_SIDE_END } };

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    if (g_str_equal (sides[i].nick, nick)) {
      *side = sides[i].side;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
parse_line_setting (const gchar *value, WeftCaptionPlace *place)
{
  const gchar *rest = parse_percent (value, &place->line);

  if (rest != NULL) {
    place->line_unit = WEFT_CAPTION_LINE_FRACTION;
  } else {
    gchar *end;
    gint64 number = g_ascii_strtoll (value, &end, 10);
    if (end == value || (*end != '\0' && *end != ',') || ABS (number) > 1000)
      return FALSE;
    place->line_unit = WEFT_CAPTION_LINE_NUMBER;
    place->line = (gdouble) number;
    rest = end;
  }
  return *rest == '\0' || (*rest == ',' && parse_side (rest + 1, &place->line_side));
}

static gboolean
parse_position_setting (const gchar *value, WeftCaptionPlace *place)
{
  const gchar *rest = parse_percent (value, &place->position);

  return rest != NULL
         && (*rest == '\0' || (*rest == ',' && parse_side (rest + 1, &place->position_side)));
}

static gboolean
parse_size_setting (const gchar *value, WeftCaptionPlace *place)
{
  const gchar *rest = parse_percent (value, &place->size);

  return rest != NULL && *rest == '\0';
}

static void
warn_once (Vtt *self, gboolean *warned, const gchar *what)
{
  if (!*warned)
    weft_caption_builder_warn_line (self->builder, self->lines.number, "%s", what);
  *warned = TRUE;
}

static void
parse_setting (Vtt *self, const gchar *setting, WeftCaptionPlace *place)
{
  const gchar *value = strchr (setting, ':');
  gboolean understood = FALSE;

  if (value == NULL)
    return;
  value++;
  if (g_str_has_prefix (setting, "line:")) {
    understood = parse_line_setting (value, place);
  } else if (g_str_has_prefix (setting, "position:")) {
    understood = parse_position_setting (value, place);
  } else if (g_str_has_prefix (setting, "size:")) {
    understood = parse_size_setting (value, place);
  } else if (g_str_has_prefix (setting, "align:")) {
    understood = parse_side (value, &place->align);
  } else if (g_str_has_prefix (setting, "vertical:")) {
    warn_once (self, &self->warned_vertical, "vertical text is drawn horizontally");
    return;
  } else if (g_str_has_prefix (setting, "region:")) {
    warn_once (self, &self->warned_region, "regions are not read; the cue stands where others do");
    return;
  }
  if (!understood) {
    g_autofree gchar *shown = weft_value_shorten (setting);
    weft_caption_builder_warn_line (
        self->builder, self->lines.number, "the setting “%s” has no meaning here", shown);
  }
}

/* `vertical` turns the meaning of the other settings round: they are not applied with it. */
static void
parse_settings (Vtt *self, const gchar *settings, WeftCaptionPlace *place)
{
  g_auto (GStrv) words = g_strsplit_set (settings, " \t", 32);
  gboolean is_vertical = FALSE;

  for (guint i = 0; words[i] != NULL; i++) {
    is_vertical |= g_str_has_prefix (words[i], "vertical:");
    parse_setting (self, words[i], place);
  }
  if (is_vertical)
    *place = (WeftCaptionPlace) WEFT_CAPTION_PLACE_UNSET;
}

static gboolean
parse_timing (Vtt *self, WeftCaptionCue *cue)
{
  const gchar *cursor = self->line;

  if (!weft_caption_parse_time (&cursor, &cue->start))
    return FALSE;
  cursor += strspn (cursor, " \t");
  if (strncmp (cursor, "-->", 3) != 0)
    return FALSE;
  cursor += 3;
  if (!weft_caption_parse_time (&cursor, &cue->end))
    return FALSE;
  parse_settings (self, cursor, &cue->place);
  return TRUE;
}

/* The lines below the times: up to a blank one, or one with an arrow, which begins another cue. */
static void
read_payload (Vtt *self)
{
  g_string_truncate (self->payload, 0);
  while (next_line (self) && self->line[0] != '\0' && strstr (self->line, "-->") == NULL)
    weft_caption_builder_append_line (self->builder, self->payload, self->line, self->lines.number);
}

static void
read_cue (Vtt *self)
{
  g_auto (WeftCaptionCue) cue = { .place = WEFT_CAPTION_PLACE_UNSET };
  guint number;

  /* The line before the times names the cue. */
  if (strstr (self->line, "-->") == NULL
      && (!next_line (self) || strstr (self->line, "-->") == NULL)) {
    weft_caption_builder_warn_line (
        self->builder, self->lines.number, "these lines have no times; they are left out");
    skip_block (self);
    return;
  }
  number = self->lines.number;
  if (!parse_timing (self, &cue)) {
    weft_caption_builder_warn_line (self->builder, number,
        "the times cannot be read; the cue is left out (write 00:01:02.345 --> 00:01:04.000)");
    read_payload (self);
    return;
  }
  read_payload (self);
  weft_caption_builder_add_markup (
      self->builder, &cue, WEFT_CAPTION_DIALECT_VTT, self->payload->str, number);
}

static void
read_block (Vtt *self)
{
  if (is_comment (self->line)) {
    skip_block (self);
  } else if (is_keyword (self->line, "STYLE")) {
    warn_once (self, &self->warned_style, "the style sheet is not read");
    skip_block (self);
  } else if (is_keyword (self->line, "REGION")) {
    skip_block (self);
  } else {
    read_cue (self);
  }
}

/* @text: which begins with WEBVTT and is taken apart in place */
void
weft_caption_parse_vtt (WeftCaptionBuilder *builder, gchar *text)
{
  g_autoptr (GString) payload = g_string_new (NULL);
  Vtt self = { .builder = builder, .lines = { text, 0 }, .payload = payload };

  next_line (&self);
  /* The header goes on to a blank line, unless a cue stands in it. */
  while (next_line (&self) && self.line[0] != '\0' && strstr (self.line, "-->") == NULL)
    ;
  while (self.line != NULL && !builder->is_full) {
    if (self.line[0] == '\0')
      next_line (&self);
    else
      read_block (&self);
  }
}
