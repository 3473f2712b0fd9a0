/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* At each moment, one cue shows in each place of the stack, if any. What shows stays the same up to
 * the next position where a cue or a word begins or ends; only there, texts are made. A cue that is
 * over keeps its place for as long as one that stands on it shows, so that nothing jumps. All of it
 * follows from the position alone: it is the same after a seek. */

#include "weftcaptioncursor.h"

/* Between words that are no further apart than this, one stays marked until the next is. */
#define BRIDGE (300 * GST_MSECOND)
/* How many changes ahead are drawn at most, however near they are. */
#define MAX_AHEAD 8

struct _WeftCaptionCursor {
  WeftCaptionsItem *captions;
  WeftCaptionTrack *track;
  const WeftOverlaySchedule *schedule;
  /* Of the captions as a whole. */
  guint index;
  guint64 begin;
  guint64 end;
  /* What shows from `from` up to, not including, `to`. */
  GPtrArray *entries;
  guint64 from;
  guint64 to;
  /* Up to here, what shows was told by weft_caption_cursor_foreach_next(). */
  guint64 announced;
};

/* One place of the stack at one position. */
typedef struct {
  const WeftCaptionCue *cue;
  guint64 begin;
  guint64 end;
  /* Whether something of the cue shows, and what; and until when that stays so. */
  gboolean shows;
  WeftCaptionStep step;
  guint64 step_begin;
  guint64 step_end;
  guint64 next;
} Place;

static void
entry_free (WeftOverlayEntry *entry)
{
  g_object_unref (entry->item);
  g_free (entry);
}

static guint64
to_position (const WeftCaptionCursor *self, GstClockTime time)
{
  return CLAMP (weft_overlay_schedule_to_position (self->schedule, time), self->begin, self->end);
}

/* Whether something that ends at @end goes on up to @next. */
static gboolean
is_bridged (GstClockTime end, GstClockTime next)
{
  return next <= end || next - end < BRIDGE;
}

/* The last of @n things that begins at or before @position; -1 if all come later. */
static gint
find_last (const WeftCaptionCursor *self, const WeftCaptionWord *words, guint n, guint64 position)
{
  gint low = -1, high = (gint) n;

  while (high - low > 1) {
    gint middle = low + (high - low) / 2;
    if (to_position (self, words[middle].start) <= position)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* Which word is marked. */
static void
find_marked_word (const WeftCaptionCursor *self, guint64 position, Place *place)
{
  const WeftCaptionCue *cue = place->cue;
  gint k = find_last (self, cue->words, cue->n_words, position);
  guint64 next =
      k + 1 < (gint) cue->n_words ? to_position (self, cue->words[k + 1].start) : place->end;

  place->step = (WeftCaptionStep){ 0, 0, -1 };
  place->next = MIN (next, place->end);
  if (k < 0)
    return;
  GstClockTime next_start = k + 1 < (gint) cue->n_words ? cue->words[k + 1].start : cue->end;
  guint64 word_end = to_position (self, cue->words[k].end);
  if (is_bridged (cue->words[k].end, next_start)) {
    place->step.marked = k;
  } else if (position < word_end) {
    place->step.marked = k;
    place->next = MIN (place->next, word_end);
  }
}

/* Which group of words shows. */
static void
find_group (const WeftCaptionCursor *self, guint64 position, Place *place)
{
  const WeftCaptionCue *cue = place->cue;
  guint size = weft_captions_item_get_group (self->captions);
  gint k = find_last (self, cue->words, cue->n_words, position);

  if (k < 0) {
    place->shows = FALSE;
    place->next = MIN (to_position (self, cue->words[0].start), place->end);
    return;
  }
  guint first = (guint) k / size * size, after = MIN (first + size, cue->n_words);
  GstClockTime end = cue->words[after - 1].end;
  GstClockTime next_start = after < cue->n_words ? cue->words[after].start : cue->end;
  place->step = (WeftCaptionStep){ first, after - first, -1 };
  place->step_begin = to_position (self, cue->words[first].start);
  place->step_end =
      MIN (to_position (self, is_bridged (end, next_start) ? next_start : end), place->end);
  place->next = place->step_end;
  if (position >= place->step_end) {
    place->shows = FALSE;
    place->next = MIN (to_position (self, next_start), place->end);
  }
}

static void
find_step (const WeftCaptionCursor *self, guint64 position, Place *place)
{
  place->step = (WeftCaptionStep){ 0, 0, -1 };
  place->step_begin = place->begin;
  place->step_end = place->next = place->end;
  if (place->cue->n_words == 0)
    return;
  switch (weft_captions_item_get_style (self->captions)) {
    case WEFT_CAPTION_STYLE_PLAIN:
      break;
    case WEFT_CAPTION_STYLE_KARAOKE:
      find_marked_word (self, position, place);
      break;
    case WEFT_CAPTION_STYLE_WORD:
    case WEFT_CAPTION_STYLE_POP:
      find_group (self, position, place);
      break;
  }
}

/* The last cue of @slot that begins at or before @position, and when something changes next. */
static void
find_place (const WeftCaptionCursor *self, guint slot, guint64 position, Place *place)
{
  guint n;
  const guint *indices = weft_caption_track_get_slot (self->track, slot, &n);
  gint low = -1, high = (gint) n;

  while (high - low > 1) {
    gint middle = low + (high - low) / 2;
    const WeftCaptionCue *cue = weft_caption_track_get_cue (self->track, indices[middle]);
    if (to_position (self, cue->start) <= position)
      low = middle;
    else
      high = middle;
  }
  *place = (Place){ .next = self->end };
  if (low + 1 < (gint) n)
    place->next =
        to_position (self, weft_caption_track_get_cue (self->track, indices[low + 1])->start);
  if (low < 0)
    return;
  place->cue = weft_caption_track_get_cue (self->track, indices[low]);
  place->begin = to_position (self, place->cue->start);
  place->end = to_position (self, place->cue->end);
  place->shows = position < place->end;
  if (place->shows)
    find_step (self, position, place);
}

/* Whether the cue of place @slot, which is over, has one above it that came while it showed. */
static gboolean
carries_another (const Place *places, guint slot)
{
  if (places[slot].cue == NULL)
    return FALSE;
  for (guint i = slot + 1; i < WEFT_CAPTION_MAX_SLOTS; i++) {
    if (places[i].shows && places[i].begin < places[slot].end)
      return TRUE;
  }
  return FALSE;
}

/* What stands there as far as those above it are concerned: without a mark, so that they do not
 * depend on it. */
static WeftCaptionStand
create_stand (const WeftCaptionCursor *self, const Place *place)
{
  WeftCaptionStep step = place->step;

  step.marked = -1;
  return (WeftCaptionStand){ weft_captions_item_create_text (self->captions, place->cue, &step),
    place->cue->place, weft_captions_item_get_size (self->captions) };
}

static WeftOverlayEntry *
create_entry (const WeftCaptionCursor *self, const Place *place, guint slot, const GArray *below)
{
  WeftOverlayEntry *entry = g_new0 (WeftOverlayEntry, 1);
  WeftCaptionStand stand = { weft_captions_item_create_text (
                                 self->captions, place->cue, &place->step),
    place->cue->place, weft_captions_item_get_size (self->captions) };

  weft_caption_stand_apply (&stand, below);
  entry->item = stand.text;
  entry->index = self->index;
  entry->layer = slot;
  entry->begin = place->step_begin;
  entry->end = place->step_end;
  return entry;
}

static void
clear_stand_cb (gpointer data)
{
  g_object_unref (((WeftCaptionStand *) data)->text);
}

/* Fills @entries with what shows at @position. Returns: the next position where that changes */
static guint64
find_entries (const WeftCaptionCursor *self, guint64 position, GPtrArray *entries)
{
  Place places[WEFT_CAPTION_MAX_SLOTS];
  g_autoptr (GArray) below = g_array_new (FALSE, FALSE, sizeof (WeftCaptionStand));
  guint64 next = self->end;

  if (position < self->begin || position >= self->end)
    return position < self->begin ? self->begin : G_MAXUINT64;
  g_array_set_clear_func (below, clear_stand_cb);
  for (guint i = 0; i < WEFT_CAPTION_MAX_SLOTS; i++) {
    find_place (self, i, position, &places[i]);
    next = MIN (next, places[i].next);
  }
  for (guint i = 0; i < WEFT_CAPTION_MAX_SLOTS; i++) {
    gboolean is_above = FALSE;
    for (guint k = i + 1; k < WEFT_CAPTION_MAX_SLOTS; k++)
      is_above |= places[k].shows;
    if (places[i].shows)
      g_ptr_array_add (entries, create_entry (self, &places[i], i, below));
    if (is_above && (places[i].shows || carries_another (places, i))) {
      WeftCaptionStand stand = create_stand (self, &places[i]);
      g_array_append_val (below, stand);
    }
  }
  /* However things are rounded, time goes on. */
  return MAX (next, position + 1);
}

/**
 * weft_caption_cursor_new:
 * @schedule: which outlives the cursor
 * @whole: the captions as one item: when they show at all
 */
WeftCaptionCursor *
weft_caption_cursor_new (WeftCaptionsItem *captions, WeftCaptionTrack *track,
    const WeftOverlaySchedule *schedule, const WeftOverlayEntry *whole)
{
  WeftCaptionCursor *self = g_new0 (WeftCaptionCursor, 1);

  self->captions = g_object_ref (captions);
  self->track = weft_caption_track_ref (track);
  self->schedule = schedule;
  self->index = whole->index;
  self->begin = whole->begin;
  self->end = whole->end;
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  return self;
}

void
weft_caption_cursor_free (WeftCaptionCursor *self)
{
  g_ptr_array_unref (self->entries);
  weft_caption_track_unref (self->track);
  g_object_unref (self->captions);
  g_free (self);
}

static WeftOverlayEntry *
find_same (GPtrArray *entries, const WeftOverlayEntry *entry, guint *index)
{
  for (guint i = 0; i < entries->len; i++) {
    WeftOverlayEntry *other = g_ptr_array_index (entries, i);
    if (other->begin == entry->begin && other->end == entry->end
        && g_str_equal (
            weft_overlay_item_get_look (other->item), weft_overlay_item_get_look (entry->item))) {
      *index = i;
      return other;
    }
  }
  return NULL;
}

/* What goes on showing stays the same entry. */
static void
keep_same (GPtrArray *old, GPtrArray *entries)
{
  guint k;

  for (guint i = 0; i < entries->len; i++) {
    WeftOverlayEntry *same = find_same (old, g_ptr_array_index (entries, i), &k);
    if (same == NULL)
      continue;
    g_ptr_array_steal_index_fast (old, k);
    entry_free (g_ptr_array_index (entries, i));
    g_ptr_array_index (entries, i) = same;
  }
}

/**
 * weft_caption_cursor_move:
 * @past_func: is told of what is over
 *
 * Returns: whether something else shows than before
 */
gboolean
weft_caption_cursor_move (
    WeftCaptionCursor *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data)
{
  if (position >= self->from && position < self->to)
    return FALSE;
  g_autoptr (GPtrArray) old = g_steal_pointer (&self->entries);
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  self->from = position;
  self->to = find_entries (self, position, self->entries);
  keep_same (old, self->entries);
  for (guint i = 0; i < old->len; i++)
    past_func (g_ptr_array_index (old, i), user_data);
  return TRUE;
}

/* Before going back: what was told is told again. */
void
weft_caption_cursor_rewind (WeftCaptionCursor *self)
{
  self->from = self->to = self->announced = 0;
}

/* Returns: (element-type WeftOverlayEntry): what shows, the lowest first; until the next move */
GPtrArray *
weft_caption_cursor_get_entries (WeftCaptionCursor *self)
{
  return self->entries;
}

/* Calls @func once for what begins after the current position, but not after @until. */
void
weft_caption_cursor_foreach_next (
    WeftCaptionCursor *self, guint64 until, WeftOverlayEntryFunc func, gpointer user_data)
{
  guint64 position = MAX (self->announced, self->to);

  for (guint i = 0; i < MAX_AHEAD && position <= until; i++) {
    g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
    position = find_entries (self, position, entries);
    for (guint k = 0; k < entries->len; k++)
      func (g_ptr_array_index (entries, k), user_data);
  }
  self->announced = position;
}
