/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftframeset.h"

#include <gio/gio.h>

/* Far more than a sprite sheet or a contact print needs. */
#define MAX_RANGES 65536

/* Both ends are in it. */
typedef struct {
  guint64 first;
  guint64 last;
} Range;

struct _WeftFrameSet {
  GArray *ranges; /* sorted, apart from each other */
  guint at;       /* the range that is being filled */
  guint64 next;   /* the first number in it that has not come */
};

static WeftFrameSet *
frame_set_new (void)
{
  WeftFrameSet *set = g_new0 (WeftFrameSet, 1);

  set->ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  return set;
}

WeftFrameSet *
weft_frame_set_new_single (guint64 frame)
{
  WeftFrameSet *set = frame_set_new ();
  Range range = { frame, frame };

  g_array_append_val (set->ranges, range);
  weft_frame_set_reset (set);
  return set;
}

static gint
compare_ranges (gconstpointer a, gconstpointer b)
{
  const Range *x = a, *y = b;

  return x->first < y->first ? -1 : x->first > y->first;
}

static void
merge_ranges (GArray *ranges)
{
  guint kept = 0;

  g_array_sort (ranges, compare_ranges);
  for (guint i = 1; i < ranges->len; i++) {
    Range *last = &g_array_index (ranges, Range, kept);
    Range range = g_array_index (ranges, Range, i);

    if (range.first <= last->last || range.first == last->last + 1)
      last->last = MAX (last->last, range.last);
    else
      g_array_index (ranges, Range, ++kept) = range;
  }
  g_array_set_size (ranges, kept + 1);
}

static gboolean
parse_range (const gchar *text, Range *range, GError **error)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);

  /* G_MAXUINT64 itself is left out so that a number after the last one always exists. */
  if (ends[0] == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "a number is missing");
    return FALSE;
  }
  if (!g_ascii_string_to_unsigned (g_strstrip (ends[0]), 10, 0, G_MAXINT64, &range->first, error))
    return FALSE;
  range->last = range->first;
  if (ends[1] != NULL
      && !g_ascii_string_to_unsigned (
          g_strstrip (ends[1]), 10, range->first, G_MAXINT64, &range->last, error))
    return FALSE;
  return TRUE;
}

/**
 * weft_frame_set_parse:
 * @text: frame numbers and ranges such as `0,45,90-99`, in any order
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the set
 */
WeftFrameSet *
weft_frame_set_parse (const gchar *text, GError **error)
{
  g_autoptr (WeftFrameSet) set = frame_set_new ();
  g_auto (GStrv) parts = g_strsplit (text, ",", MAX_RANGES + 1);

  if (g_strv_length (parts) > MAX_RANGES) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "more than %d frames or ranges",
        MAX_RANGES);
    return NULL;
  }
  for (gchar **part = parts; *part != NULL; part++) {
    Range range;

    if (!parse_range (*part, &range, error))
      return NULL;
    g_array_append_val (set->ranges, range);
  }
  if (set->ranges->len == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no frame is named");
    return NULL;
  }
  merge_ranges (set->ranges);
  weft_frame_set_reset (set);
  return g_steal_pointer (&set);
}

void
weft_frame_set_free (WeftFrameSet *set)
{
  if (set == NULL)
    return;
  g_array_unref (set->ranges);
  g_free (set);
}

static const Range *
range_at (const WeftFrameSet *set)
{
  return &g_array_index (set->ranges, Range, set->at);
}

/**
 * weft_frame_set_take:
 * @set: a set
 * @frame: the number of a frame that came
 *
 * Returns: whether it is wanted and has not come before. A number before one that is missing is
 *   not wanted any more.
 */
gboolean
weft_frame_set_take (WeftFrameSet *set, guint64 frame)
{
  if (weft_frame_set_is_complete (set) || frame != set->next)
    return FALSE;
  set->next++;
  if (frame == range_at (set)->last && ++set->at < set->ranges->len)
    set->next = range_at (set)->first;
  return TRUE;
}

gboolean
weft_frame_set_is_complete (const WeftFrameSet *set)
{
  return set->at == set->ranges->len;
}

/**
 * weft_frame_set_is_past:
 * @set: a set
 * @frame: the number of a frame that came
 *
 * Returns: whether a wanted frame should have come before @frame and did not
 */
gboolean
weft_frame_set_is_past (const WeftFrameSet *set, guint64 frame)
{
  return !weft_frame_set_is_complete (set) && frame > set->next;
}

gboolean
weft_frame_set_first_missing (const WeftFrameSet *set, guint64 *frame)
{
  *frame = set->next;
  return !weft_frame_set_is_complete (set);
}

void
weft_frame_set_reset (WeftFrameSet *set)
{
  set->at = 0;
  set->next = range_at (set)->first;
}
