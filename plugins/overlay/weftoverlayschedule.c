/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Items sorted by their beginning and a cursor in them. Going forward costs what begins and ends;
 * only going back starts over. Captions have cursors of their own. */

#include "weftoverlayschedule.h"

#include "weftcaptioncursor.h"

struct _WeftOverlaySchedule {
  WeftOverlayDocument *document;
  gint fps_n;
  gint fps_d;
  WeftOverlayEntry *entries;
  guint n_entries;
  /* The first entry that begins after `position`. */
  guint cursor;
  /* The first entry that weft_overlay_schedule_foreach_next() has not told of. */
  guint announced;
  guint64 position;
  gboolean started;
  /* Entries that show at `position`, in the order they are drawn; but for captions. */
  GPtrArray *active;
  /* Of WeftCaptionCursor. */
  GPtrArray *cursors;
  /* The same, and captions. */
  GPtrArray *shown;
  /* Look → the last end of the items that have it. */
  GHashTable *last_ends;
};

static gint
compare_entries_cb (gconstpointer a, gconstpointer b)
{
  const WeftOverlayEntry *ea = a, *eb = b;

  if (ea->begin != eb->begin)
    return ea->begin < eb->begin ? -1 : 1;
  return ea->index < eb->index ? -1 : ea->index > eb->index;
}

static gint
compare_active_cb (gconstpointer a, gconstpointer b)
{
  const WeftOverlayEntry *ea = *(const WeftOverlayEntry *const *) a;
  const WeftOverlayEntry *eb = *(const WeftOverlayEntry *const *) b;

  if (ea->index != eb->index)
    return ea->index < eb->index ? -1 : 1;
  return ea->layer < eb->layer ? -1 : ea->layer > eb->layer;
}

/* Whether an item ever looks like @look. */
gboolean
weft_overlay_schedule_has_look (WeftOverlaySchedule *self, const gchar *look)
{
  return g_hash_table_contains (self->last_ends, look);
}

/**
 * weft_overlay_schedule_to_position:
 * @time: stream time
 *
 * Returns: the frame round(t·N/D), or @time itself where the frame rate varies
 */
guint64
weft_overlay_schedule_to_position (const WeftOverlaySchedule *self, GstClockTime time)
{
  if (self->fps_n <= 0 || !GST_CLOCK_TIME_IS_VALID (time))
    return time;
  return gst_util_uint64_scale_round (time, (guint64) self->fps_n, self->fps_d * GST_SECOND);
}

gboolean
weft_overlay_schedule_is_in_frames (WeftOverlaySchedule *self)
{
  return self->fps_n > 0;
}

/* The length of @span positions. */
gdouble
weft_overlay_schedule_to_seconds (WeftOverlaySchedule *self, guint64 span)
{
  return self->fps_n > 0 ? (gdouble) span * self->fps_d / self->fps_n
                         : (gdouble) span / (gdouble) GST_SECOND;
}

static void
remember_end (WeftOverlaySchedule *self, const WeftOverlayEntry *entry)
{
  const gchar *look = weft_overlay_item_get_look (entry->item);
  guint64 *end = g_hash_table_lookup (self->last_ends, look);

  if (end != NULL) {
    *end = MAX (*end, entry->end);
    return;
  }
  end = g_new (guint64, 1);
  *end = entry->end;
  g_hash_table_insert (self->last_ends, (gpointer) look, end);
}

/* Captions that are not loaded yet do not show. */
static void
add_captions (WeftOverlaySchedule *self, const WeftOverlayEntry *entry)
{
  WeftCaptionsItem *captions = WEFT_CAPTIONS_ITEM (entry->item);
  g_autoptr (WeftCaptionTrack) track = weft_captions_item_ref_track (captions);

  if (track != NULL)
    g_ptr_array_add (self->cursors, weft_caption_cursor_new (captions, track, self, entry));
}

/**
 * weft_overlay_schedule_new:
 * @fps_n: the frame rate; 0 if it varies
 */
WeftOverlaySchedule *
weft_overlay_schedule_new (WeftOverlayDocument *document, gint fps_n, gint fps_d)
{
  WeftOverlaySchedule *self = g_new0 (WeftOverlaySchedule, 1);

  self->document = weft_overlay_document_ref (document);
  self->fps_n = fps_n;
  self->fps_d = fps_d;
  self->active = g_ptr_array_new ();
  self->shown = g_ptr_array_new ();
  self->cursors = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_caption_cursor_free);
  self->last_ends = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->entries = g_new (WeftOverlayEntry, MAX (document->items->len, 1));
  for (guint i = 0; i < document->items->len; i++) {
    WeftOverlayItem *item = g_ptr_array_index (document->items, i);
    GstClockTime start = weft_overlay_item_get_start (item);
    GstClockTime end = weft_overlay_item_get_end (item);
    WeftOverlayEntry entry = { .item = item, .index = i };
    entry.begin = weft_overlay_schedule_to_position (
        self, GST_CLOCK_TIME_IS_VALID (start) ? start : document->duration);
    entry.end = weft_overlay_schedule_to_position (
        self, GST_CLOCK_TIME_IS_VALID (end) ? end : document->duration);
    if (entry.begin >= entry.end)
      continue;
    if (WEFT_IS_CAPTIONS_ITEM (item)) {
      add_captions (self, &entry);
      continue;
    }
    self->entries[self->n_entries++] = entry;
    remember_end (self, &entry);
  }
  if (self->n_entries > 0)
    qsort (self->entries, self->n_entries, sizeof *self->entries, compare_entries_cb);
  return self;
}

void
weft_overlay_schedule_free (WeftOverlaySchedule *self)
{
  g_ptr_array_unref (self->shown);
  g_ptr_array_unref (self->cursors);
  g_ptr_array_unref (self->active);
  g_hash_table_unref (self->last_ends);
  g_free (self->entries);
  weft_overlay_document_unref (self->document);
  g_free (self);
}

static void
drop_past (
    WeftOverlaySchedule *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data)
{
  guint kept = 0;

  for (guint i = 0; i < self->active->len; i++) {
    WeftOverlayEntry *entry = g_ptr_array_index (self->active, i);
    if (entry->end > position) {
      g_ptr_array_index (self->active, kept++) = entry;
      continue;
    }
    const guint64 *last_end =
        g_hash_table_lookup (self->last_ends, weft_overlay_item_get_look (entry->item));
    if (*last_end <= position)
      past_func (entry, user_data);
  }
  g_ptr_array_set_size (self->active, (gint) kept);
}

/* Returns: whether something else shows than before */
static gboolean
move_items (
    WeftOverlaySchedule *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data)
{
  guint n_before = self->active->len;
  gboolean added = FALSE;

  if (!self->started || position < self->position) {
    self->cursor = 0;
    self->announced = 0;
    g_ptr_array_set_size (self->active, 0);
  } else {
    drop_past (self, position, past_func, user_data);
  }
  gboolean changed = self->active->len != n_before;
  for (; self->cursor < self->n_entries && self->entries[self->cursor].begin <= position;
       self->cursor++) {
    if (self->entries[self->cursor].end > position) {
      g_ptr_array_add (self->active, &self->entries[self->cursor]);
      added = TRUE;
    }
  }
  if (added)
    g_ptr_array_sort (self->active, compare_active_cb);
  return changed || added;
}

/* Returns: whether something else shows than before */
static gboolean
move_captions (
    WeftOverlaySchedule *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < self->cursors->len; i++) {
    WeftCaptionCursor *cursor = g_ptr_array_index (self->cursors, i);
    if (self->started && position < self->position)
      weft_caption_cursor_rewind (cursor);
    changed |= weft_caption_cursor_move (cursor, position, past_func, user_data);
  }
  return changed;
}

static void
merge (WeftOverlaySchedule *self)
{
  g_ptr_array_set_size (self->shown, 0);
  g_ptr_array_extend (self->shown, self->active, NULL, NULL);
  for (guint i = 0; i < self->cursors->len; i++)
    g_ptr_array_extend (self->shown,
        weft_caption_cursor_get_entries (g_ptr_array_index (self->cursors, i)), NULL, NULL);
  g_ptr_array_sort (self->shown, compare_active_cb);
}

/**
 * weft_overlay_schedule_move:
 * @position: from weft_overlay_schedule_to_position()
 * @past_func: is told of items that are over, and whose look does not come again
 *
 * Returns: (transfer none) (element-type WeftOverlayEntry): what shows there, the lowest first;
 *   until the next call
 */
GPtrArray *
weft_overlay_schedule_move (
    WeftOverlaySchedule *self, guint64 position, WeftOverlayEntryFunc past_func, gpointer user_data)
{
  if (self->started && position == self->position)
    return self->shown;
  gboolean changed = move_items (self, position, past_func, user_data);
  changed |= move_captions (self, position, past_func, user_data);
  if (changed || !self->started || position < self->position)
    merge (self);
  self->started = TRUE;
  self->position = position;
  return self->shown;
}

/* Calls @func once for each item that begins after the current position, but not after @until. */
void
weft_overlay_schedule_foreach_next (
    WeftOverlaySchedule *self, guint64 until, WeftOverlayEntryFunc func, gpointer user_data)
{
  self->announced = MAX (self->announced, self->cursor);
  while (self->announced < self->n_entries && self->entries[self->announced].begin <= until)
    func (&self->entries[self->announced++], user_data);
  for (guint i = 0; i < self->cursors->len; i++)
    weft_caption_cursor_foreach_next (g_ptr_array_index (self->cursors, i), until, func, user_data);
}
