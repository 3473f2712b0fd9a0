/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tags inside of cues: those of WebVTT (W3C WebVTT, "WebVTT cue text parsing rules"), and the
 * HTML-like tags and `{\an8}` that SRT files have from ASS. What is no tag is text. */

#include "weftcaptionmarkup.h"

#include <string.h>

#include "weftcaptiontext.h"

/* Tags that are open at the same time; further ones are read, and do nothing. */
#define MAX_DEPTH 32
#define MAX_SPANS 256
#define MAX_STAMPS 1000
#define MAX_ENTITY_BYTES 10
/* Between its brackets; what is longer is text. */
#define MAX_TAG_BYTES 1024

typedef struct {
  gchar name[8];
  WeftCaptionMarks marks;
  WeftColor color;
} Look;

typedef struct {
  WeftCaptionDialect dialect;
  WeftCaptionCue *cue;
  GArray *stamps;
  GString *text;
  GArray *spans;
  /* looks[0] is how text looks outside of all tags. */
  Look looks[MAX_DEPTH + 1];
  guint depth;
  /* The next '>' and '}' as last looked for; NULL where there is none. */
  const gchar *next_angle;
  const gchar *next_brace;
} Markup;

static const struct {
  const gchar *name;
  WeftCaptionMarks marks;
} tags[] = {
  { "b", WEFT_CAPTION_BOLD },
  { "i", WEFT_CAPTION_ITALIC },
  { "u", WEFT_CAPTION_UNDERLINE },
  { "s", WEFT_CAPTION_STRIKE },
  { "font", 0 },
  { "c", 0 },
  { "v", 0 },
  { "lang", 0 },
  { "ruby", 0 },
  { "rt", WEFT_CAPTION_RUBY },
};

/* The classes of WebVTT's default style, which are also names of HTML. */
static const struct {
  const gchar *name;
  WeftColor color;
} colors[] = {
  { "white", { 1, 1, 1, 1 } },
  { "lime", { 0, 1, 0, 1 } },
  { "cyan", { 0, 1, 1, 1 } },
  { "red", { 1, 0, 0, 1 } },
  { "yellow", { 1, 1, 0, 1 } },
  { "magenta", { 1, 0, 1, 1 } },
  { "blue", { 0, 0, 1, 1 } },
  { "black", { 0, 0, 0, 1 } },
};

static const struct {
  const gchar *name;
  const gchar *text;
} entities[] = {
  { "&amp;", "&" },
  { "&lt;", "<" },
  { "&gt;", ">" },
  { "&quot;", "\"" },
  { "&apos;", "'" },
  { "&nbsp;", "\xC2\xA0" },
  { "&lrm;", "\xE2\x80\x8E" },
  { "&rlm;", "\xE2\x80\x8F" },
};

static void
append (Markup *self, const gchar *bytes, gsize length)
{
  const Look *look = &self->looks[self->depth];
  guint offset = (guint) self->text->len;

  g_string_append_len (self->text, bytes, (gssize) length);
  if (look->marks == 0)
    return;
  WeftCaptionSpan *last = self->spans->len > 0
                              ? &g_array_index (self->spans, WeftCaptionSpan, self->spans->len - 1)
                              : NULL;
  if (last != NULL && last->offset + last->length == offset && last->marks == look->marks
      && memcmp (&last->color, &look->color, sizeof look->color) == 0) {
    last->length += (guint) length;
  } else if (self->spans->len < MAX_SPANS) {
    WeftCaptionSpan span = { offset, (guint) length, look->marks, look->color };
    g_array_append_val (self->spans, span);
  }
}

/* Takes one character of text. Blank lines and spaces around lines do not matter. */
static void
append_character (Markup *self, const gchar *bytes, gsize length)
{
  gchar c = bytes[0];

  if (length == 1 && c == '\t')
    bytes = " ", c = ' ';
  if (length == 1 && (c == ' ' || c == '\n')) {
    gchar last = self->text->len > 0 ? self->text->str[self->text->len - 1] : '\n';
    if (last == '\n' || (c == ' ' && last == ' '))
      return;
    if (c == '\n' && last == ' ') {
      /* A span may end in it: that only marks the end of the line. */
      self->text->str[self->text->len - 1] = '\n';
      return;
    }
  } else if (length == 1 && g_ascii_iscntrl (c)) {
    return;
  }
  append (self, bytes, length);
}

static gboolean
parse_color (const gchar *value, gsize length, WeftColor *color)
{
  guint digits[6];

  for (guint i = 0; i < G_N_ELEMENTS (colors); i++) {
    if (strlen (colors[i].name) == length
        && g_ascii_strncasecmp (colors[i].name, value, length) == 0) {
      *color = colors[i].color;
      return TRUE;
    }
  }
  if (length > 0 && value[0] == '#')
    value++, length--;
  if (length != 6)
    return FALSE;
  for (guint i = 0; i < 6; i++) {
    if (!g_ascii_isxdigit (value[i]))
      return FALSE;
    digits[i] = (guint) g_ascii_xdigit_value (value[i]);
  }
  *color = (WeftColor){ (digits[0] * 16 + digits[1]) / 255.0, (digits[2] * 16 + digits[3]) / 255.0,
    (digits[4] * 16 + digits[5]) / 255.0, 1.0 };
  return TRUE;
}

/* `<font color="#ff0000">` of SRT. */
static void
read_font (const gchar *attributes, gsize length, Look *look)
{
  const gchar *found = NULL;

  for (gsize i = 0; i + 6 <= length && found == NULL; i++) {
    if (g_ascii_strncasecmp (attributes + i, "color=", 6) == 0)
      found = attributes + i + 6;
  }
  if (found == NULL)
    return;
  const gchar *end = attributes + length;
  if (found < end && (*found == '"' || *found == '\''))
    found++;
  gsize n = 0;
  while (found + n < end && strchr ("\"' \t", found[n]) == NULL)
    n++;
  if (parse_color (found, n, &look->color))
    look->marks |= WEFT_CAPTION_COLORED;
}

/* `.yellow.bg_blue` of WebVTT: only colours of letters have a meaning without a style sheet. */
static void
read_classes (const gchar *classes, gsize length, Look *look)
{
  const gchar *end = classes + length;

  while (classes < end && *classes == '.') {
    gsize n = 0;
    classes++;
    while (classes + n < end && classes[n] != '.')
      n++;
    WeftColor color;
    if (n > 0 && classes[0] != '#' && parse_color (classes, n, &color)) {
      look->color = color;
      look->marks |= WEFT_CAPTION_COLORED;
    }
    classes += n;
  }
}

static void
close_tag (Markup *self, const gchar *name)
{
  for (guint i = self->depth; i > 0; i--) {
    if (g_str_equal (self->looks[i].name, name)) {
      if (self->looks[i].marks & ~self->looks[i - 1].marks & WEFT_CAPTION_RUBY)
        append (self, ")", 1);
      self->depth = i - 1;
      return;
    }
  }
}

static void
open_tag (Markup *self, const gchar *name, WeftCaptionMarks marks, const gchar *rest, gsize length)
{
  if (self->depth == MAX_DEPTH)
    return;
  Look look = self->looks[self->depth];
  gsize n_classes = 0;

  g_strlcpy (look.name, name, sizeof look.name);
  look.marks |= marks;
  while (n_classes < length && !g_ascii_isspace (rest[n_classes]))
    n_classes++;
  read_classes (rest, n_classes, &look);
  if (g_str_equal (name, "font"))
    read_font (rest, length, &look);
  self->looks[++self->depth] = look;
  /* Readings are drawn behind their word, since Pango has no place above it. */
  if (g_str_equal (name, "rt"))
    append (self, "(", 1);
}

static void
add_stamp (Markup *self, GstClockTime time)
{
  WeftCaptionStamp stamp = { (guint) self->text->len, time };

  if (self->stamps->len < MAX_STAMPS)
    g_array_append_val (self->stamps, stamp);
}

/* @body: what stands between the angle brackets. Returns: FALSE if it is no tag */
static gboolean
read_tag (Markup *self, const gchar *body, gsize length)
{
  gboolean closes = length > 0 && body[0] == '/';
  gchar name[8] = "";
  GstClockTime time;

  if (length > 0 && g_ascii_isdigit (body[0])) {
    const gchar *end = body;
    gboolean is_time = weft_caption_parse_time (&end, &time) && end == body + length;
    if (is_time)
      add_stamp (self, time);
    return is_time;
  }
  body += closes, length -= closes;
  gsize n = 0;
  while (n < length && g_ascii_isalpha (body[n]))
    n++;
  /* WebVTT closes whatever is open with `</>`; nothing else may have no name. */
  if (n == 0)
    return closes && length == 0 && self->dialect == WEFT_CAPTION_DIALECT_VTT;
  for (gsize i = 0; i < n && i + 1 < sizeof name; i++)
    name[i] = g_ascii_tolower (body[i]);
  if (g_str_equal (name, "br") && self->dialect == WEFT_CAPTION_DIALECT_SRT) {
    append_character (self, "\n", 1);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
    if (!g_str_equal (tags[i].name, name))
      continue;
    if (closes)
      close_tag (self, name);
    else
      open_tag (self, name, tags[i].marks, body + n, length - n);
    return TRUE;
  }
  /* WebVTT ignores tags that it does not know. */
  return self->dialect == WEFT_CAPTION_DIALECT_VTT;
}

/* `{\an8}` and its like: where the cue stands, as on the keys of a number pad. Others do nothing.
 */
static void
read_override (Markup *self, const gchar *body, gsize length)
{
  for (gsize i = 0; i + 4 <= length; i++) {
    if (strncmp (body + i, "\\an", 3) != 0 || body[i + 3] < '1' || body[i + 3] > '9')
      continue;
    gint key = body[i + 3] - '1';
    self->cue->place.align = (WeftCaptionSide) (key % 3);
    self->cue->place.upright = (WeftCaptionSide) (2 - key / 3);
    return;
  }
}

/* Returns: the bytes read, 0 if @p is no entity */
static gsize
read_entity (Markup *self, const gchar *p)
{
  for (guint i = 0; i < G_N_ELEMENTS (entities); i++) {
    if (g_str_has_prefix (p, entities[i].name)) {
      append (self, entities[i].text, strlen (entities[i].text));
      return strlen (entities[i].name);
    }
  }
  if (p[1] != '#')
    return 0;
  gboolean is_hex = p[2] == 'x' || p[2] == 'X';
  const gchar *digits = p + (is_hex ? 3 : 2);
  gchar *end;
  if (!g_ascii_isxdigit (*digits))
    return 0;
  guint64 c = g_ascii_strtoull (digits, &end, is_hex ? 16 : 10);
  if (end == digits || *end != ';' || end - p > MAX_ENTITY_BYTES || c > 0x10FFFF
      || !g_unichar_validate ((gunichar) c))
    return 0;
  gchar bytes[6];
  append_character (self, bytes, (gsize) g_unichar_to_utf8 ((gunichar) c, bytes));
  return (gsize) (end + 1 - p);
}

/* Returns: (nullable): the next @c behind @p. The text is gone through once for each character,
 * however often it opens what nothing closes. */
static const gchar *
find_end (const gchar **cached, const gchar *p, gchar c)
{
  if (*cached != NULL && *cached <= p)
    *cached = strchr (p, c);
  return *cached != NULL && *cached - p < MAX_TAG_BYTES ? *cached : NULL;
}

/* Returns: the bytes of the tag, override or entity at @p, 0 if it is text */
static gsize
read_special (Markup *self, const gchar *p)
{
  if (*p == '<') {
    const gchar *end = find_end (&self->next_angle, p, '>');
    if (end != NULL && read_tag (self, p + 1, (gsize) (end - p - 1)))
      return (gsize) (end + 1 - p);
  } else if (*p == '{' && p[1] == '\\' && self->dialect == WEFT_CAPTION_DIALECT_SRT) {
    const gchar *end = find_end (&self->next_brace, p, '}');
    if (end != NULL) {
      read_override (self, p + 1, (gsize) (end - p - 1));
      return (gsize) (end + 1 - p);
    }
  } else if (*p == '&') {
    return read_entity (self, p);
  }
  return 0;
}

static void
trim_end (Markup *self)
{
  gsize length = self->text->len;

  while (length > 0 && (self->text->str[length - 1] == ' ' || self->text->str[length - 1] == '\n'))
    length--;
  g_string_truncate (self->text, length);
  while (self->spans->len > 0) {
    WeftCaptionSpan *last = &g_array_index (self->spans, WeftCaptionSpan, self->spans->len - 1);
    if (last->offset < length) {
      last->length = MIN (last->length, (guint) length - last->offset);
      break;
    }
    g_array_set_size (self->spans, self->spans->len - 1);
  }
}

/**
 * weft_caption_markup_parse:
 * @source: what stands in the file
 * @cue: whose text, spans and, with `{\an8}`, place are set
 * @stamps: (element-type WeftCaptionStamp): filled with the times inside of the text
 */
void
weft_caption_markup_parse (
    const gchar *source, WeftCaptionDialect dialect, WeftCaptionCue *cue, GArray *stamps)
{
  Markup self = { .dialect = dialect, .cue = cue, .stamps = stamps };

  self.next_angle = self.next_brace = source;
  self.text = g_string_new (NULL);
  self.spans = g_array_new (FALSE, FALSE, sizeof (WeftCaptionSpan));
  for (const gchar *p = source; *p != '\0';) {
    gsize n = read_special (&self, p);
    if (n == 0) {
      n = (gsize) (g_utf8_next_char (p) - p);
      append_character (&self, p, n);
    }
    p += n;
  }
  trim_end (&self);
  cue->n_spans = self.spans->len;
  cue->spans = (WeftCaptionSpan *) (gpointer) g_array_free (self.spans, FALSE);
  cue->text = g_string_free (self.text, FALSE);
}
