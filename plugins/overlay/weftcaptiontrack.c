/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The cues of a caption file: collected, cut into what shows at once, sorted, and each given its
 * place in the stack of those that show together. */

#include "weftcaptiontrack.h"

#include <string.h>

#include "weftcaptionflow.h"

/* Three hours of speech have about 4000 cues and 30000 words. */
#define MAX_CUES 100000
#define MAX_WORDS 1000000
#define MAX_CUE_CHARACTERS 2000
#define MAX_PAYLOAD_BYTES 16384
/* Further warnings are only counted. */
#define MAX_WARNINGS 20
#define MAX_TIME (G_GUINT64_CONSTANT (3600000) * GST_SECOND)

struct _WeftCaptionTrack {
  gatomicrefcount ref_count;
  GArray *cues;
  /* Of guint: the cues of each place in the stack, in time order; they do not overlap. */
  GArray *slots[WEFT_CAPTION_MAX_SLOTS];
};

void
weft_caption_cue_clear (WeftCaptionCue *cue)
{
  g_clear_pointer (&cue->text, g_free);
  g_clear_pointer (&cue->spans, g_free);
  g_clear_pointer (&cue->words, g_free);
}

void
weft_caption_builder_init (WeftCaptionBuilder *self, const WeftCaptionShape *shape)
{
  self->shape = *shape;
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  self->cues = g_array_new (FALSE, FALSE, sizeof (WeftCaptionCue));
  g_array_set_clear_func (self->cues, (GDestroyNotify) weft_caption_cue_clear);
}

void
weft_caption_builder_clear (WeftCaptionBuilder *self)
{
  g_clear_pointer (&self->cues, g_array_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
}

static void
warn_valist (WeftCaptionBuilder *self, const gchar *where, const gchar *format, va_list args)
{
  if (self->n_warnings++ >= MAX_WARNINGS)
    return;
  g_autofree gchar *message = g_strdup_vprintf (format, args);
  g_ptr_array_add (self->warnings, g_strdup_printf ("%s: %s", where, message));
}

/* @where: `line 3`, or a JSON Pointer */
void
weft_caption_builder_warn (WeftCaptionBuilder *self, const gchar *where, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  warn_valist (self, where, format, args);
  va_end (args);
}

void
weft_caption_builder_warn_line (WeftCaptionBuilder *self, guint line, const gchar *format, ...)
{
  g_autofree gchar *where = g_strdup_printf ("line %u", line);
  va_list args;

  va_start (args, format);
  warn_valist (self, where, format, args);
  va_end (args);
}

/* Moves @time by the offset of the shape, but not before 0. */
static GstClockTime
shift (const WeftCaptionBuilder *self, GstClockTime time)
{
  GstClockTimeDiff shifted = (GstClockTimeDiff) time + self->shape.offset;

  return shifted > 0 ? MIN ((GstClockTime) shifted, MAX_TIME) : 0;
}

static void
shift_cue (const WeftCaptionBuilder *self, WeftCaptionCue *cue)
{
  cue->start = shift (self, cue->start);
  cue->end = shift (self, cue->end);
  for (guint i = 0; i < cue->n_words; i++) {
    cue->words[i].start = shift (self, cue->words[i].start);
    cue->words[i].end = shift (self, cue->words[i].end);
  }
}

static void
store (WeftCaptionBuilder *self, WeftCaptionCue *cue)
{
  shift_cue (self, cue);
  if (cue->start >= cue->end || cue->text[0] == '\0')
    return;
  if (!self->shape.wants_words || self->n_words + cue->n_words > MAX_WORDS) {
    g_clear_pointer (&cue->words, g_free);
    cue->n_words = 0;
  }
  self->n_words += cue->n_words;
  g_array_append_val (self->cues, *cue);
  *cue = (WeftCaptionCue){ 0 };
}

static void
limit_length (WeftCaptionBuilder *self, WeftCaptionCue *cue, const gchar *where)
{
  if (g_utf8_strlen (cue->text, -1) <= MAX_CUE_CHARACTERS)
    return;
  guint length = (guint) (g_utf8_offset_to_pointer (cue->text, MAX_CUE_CHARACTERS) - cue->text);
  cue->text[length] = '\0';
  while (cue->n_spans > 0 && cue->spans[cue->n_spans - 1].offset >= length)
    cue->n_spans--;
  if (cue->n_spans > 0) {
    WeftCaptionSpan *last = &cue->spans[cue->n_spans - 1];
    last->length = MIN (last->length, length - last->offset);
  }
  while (cue->n_words > 0
         && cue->words[cue->n_words - 1].offset + cue->words[cue->n_words - 1].length > length)
    cue->n_words--;
  weft_caption_builder_warn (
      self, where, "only the first %d characters of the cue are shown", MAX_CUE_CHARACTERS);
}

/**
 * weft_caption_builder_add:
 * @cue: whose contents are taken
 * @where: for warnings
 */
void
weft_caption_builder_add (WeftCaptionBuilder *self, WeftCaptionCue *cue, const gchar *where)
{
  self->has_cues = TRUE;
  if (self->is_full || cue->text[0] == '\0')
    return;
  if (cue->end <= cue->start) {
    weft_caption_builder_warn (self, where, "the cue ends %s; it is left out",
        cue->end == cue->start ? "when it starts" : "before it starts");
    return;
  }
  if (self->cues->len >= MAX_CUES) {
    weft_caption_builder_warn (self, where, "only the first %d cues are read", MAX_CUES);
    self->is_full = TRUE;
    return;
  }
  limit_length (self, cue, where);
  g_autoptr (GArray) parts =
      weft_caption_flow_cut (cue, self->shape.max_chars, self->shape.max_lines);
  if (parts == NULL) {
    store (self, cue);
    return;
  }
  g_array_set_clear_func (parts, (GDestroyNotify) weft_caption_cue_clear);
  for (guint i = 0; i < parts->len; i++)
    store (self, &g_array_index (parts, WeftCaptionCue, i));
}

/**
 * weft_caption_builder_append_line:
 * @payload: the lines of a cue so far
 *
 * Adds @line, the @number of the file, while there is room.
 */
void
weft_caption_builder_append_line (
    WeftCaptionBuilder *self, GString *payload, const gchar *line, guint number)
{
  if (payload->len + strlen (line) > MAX_PAYLOAD_BYTES) {
    weft_caption_builder_warn_line (
        self, number, "the cue has more than %d bytes; this line is left out", MAX_PAYLOAD_BYTES);
    return;
  }
  if (payload->len > 0)
    g_string_append_c (payload, '\n');
  g_string_append (payload, line);
}

/**
 * weft_caption_builder_add_markup:
 * @cue: whose times and place are set
 * @source: its text with tags
 * @line: of its times
 */
void
weft_caption_builder_add_markup (WeftCaptionBuilder *self, WeftCaptionCue *cue,
    WeftCaptionDialect dialect, const gchar *source, guint line)
{
  g_autoptr (GArray) stamps = g_array_new (FALSE, FALSE, sizeof (WeftCaptionStamp));
  g_autofree gchar *where = g_strdup_printf ("line %u", line);

  weft_caption_markup_parse (source, dialect, cue, stamps);
  /* Words also tell when the later parts of a long cue show. */
  if ((self->shape.wants_words || self->shape.max_lines > 0) && cue->start < cue->end)
    weft_caption_flow_find_words (cue, stamps);
  weft_caption_builder_add (self, cue, where);
}

static gint
compare_cues_cb (gconstpointer a, gconstpointer b)
{
  const WeftCaptionCue *ca = a, *cb = b;

  return ca->start < cb->start ? -1 : ca->start > cb->start;
}

/* Gives each cue the lowest place in the stack that is free while it shows. */
static void
assign_slots (WeftCaptionTrack *self, WeftCaptionBuilder *builder)
{
  GstClockTime ends[WEFT_CAPTION_MAX_SLOTS] = { 0 };
  guint n_left_out = 0;

  for (guint i = 0; i < WEFT_CAPTION_MAX_SLOTS; i++)
    self->slots[i] = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < self->cues->len; i++) {
    WeftCaptionCue *cue = &g_array_index (self->cues, WeftCaptionCue, i);
    guint slot = 0;
    while (slot < WEFT_CAPTION_MAX_SLOTS && ends[slot] > cue->start)
      slot++;
    cue->slot = slot;
    if (slot == WEFT_CAPTION_MAX_SLOTS) {
      n_left_out++;
      continue;
    }
    ends[slot] = cue->end;
    g_array_append_val (self->slots[slot], i);
  }
  if (n_left_out > 0)
    weft_caption_builder_warn (builder, "cues",
        "%u of them are left out: %d others show at the same time already", n_left_out,
        WEFT_CAPTION_MAX_SLOTS);
}

/**
 * weft_caption_builder_end:
 * @warnings: (element-type utf8): what to tell the user is added here
 *
 * Returns: (transfer full): the cues, of which there may be none
 */
WeftCaptionTrack *
weft_caption_builder_end (WeftCaptionBuilder *self, GPtrArray *warnings)
{
  WeftCaptionTrack *track = g_new0 (WeftCaptionTrack, 1);
  g_atomic_ref_count_init (&track->ref_count);
  track->cues = g_steal_pointer (&self->cues);
  /* Stable, as g_array_sort() promises: what starts together is stacked in the file's order. */
  g_array_sort (track->cues, compare_cues_cb);
  assign_slots (track, self);
  if (self->n_warnings > self->warnings->len)
    g_ptr_array_add (self->warnings,
        g_strdup_printf ("and %u more like these", self->n_warnings - self->warnings->len));
  for (guint i = 0; i < self->warnings->len; i++)
    g_ptr_array_add (warnings, g_strdup (g_ptr_array_index (self->warnings, i)));
  return track;
}

WeftCaptionTrack *
weft_caption_track_ref (WeftCaptionTrack *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
weft_caption_track_unref (WeftCaptionTrack *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (guint i = 0; i < WEFT_CAPTION_MAX_SLOTS; i++)
    g_array_unref (self->slots[i]);
  g_array_unref (self->cues);
  g_free (self);
}

guint
weft_caption_track_get_n_cues (const WeftCaptionTrack *self)
{
  return self->cues->len;
}

const WeftCaptionCue *
weft_caption_track_get_cue (const WeftCaptionTrack *self, guint index)
{
  return &g_array_index (self->cues, WeftCaptionCue, index);
}

/**
 * weft_caption_track_get_slot:
 * @slot: less than %WEFT_CAPTION_MAX_SLOTS
 * @n_cues: (out): how many
 *
 * Returns: (array length=n_cues): which cues stand in this place of the stack, in time order; they
 *   do not overlap
 */
const guint *
weft_caption_track_get_slot (const WeftCaptionTrack *self, guint slot, guint *n_cues)
{
  *n_cues = self->slots[slot]->len;
  return (const guint *) (gpointer) self->slots[slot]->data;
}
