/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers that run: `timer` shows how much time passed or is left, `counter` goes from one number
 * to another. Both are texts; their state is the number in units of its last digit. */

#include "weftoverlaytext.h"

#include <math.h>
#include <string.h>

/* These are the limits of pipelines/job.schema.json. */
#define MAX_TIMER_S 3600000.0
#define MAX_COUNT 1e12
#define MAX_DECIMALS 6
#define MAX_TEMPLATE_CHARACTERS 1000
#define PLACEHOLDER "{value}"

static const gdouble powers_of_ten[MAX_DECIMALS + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };

static gboolean
parse_template (const WeftValue *value, gchar **template, GError **error)
{
  const gchar *text = PLACEHOLDER;

  if (!weft_value_get_string (value, "text", &text, error))
    return FALSE;
  if (g_utf8_strlen (text, -1) > MAX_TEMPLATE_CHARACTERS || strstr (text, PLACEHOLDER) == NULL) {
    g_autofree gchar *where = g_strconcat (value->pointer, "/text", NULL);
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, where,
        "the text must have “%s” in it, where the number comes, and at most %d characters",
        PLACEHOLDER, MAX_TEMPLATE_CHARACTERS);
    return FALSE;
  }
  *template = g_strdup (text);
  return TRUE;
}

static gchar *
fill_template (const gchar *template, const gchar *number)
{
  g_autoptr (GString) text = g_string_new (template);

  g_string_replace (text, PLACEHOLDER, number, 1);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Timer */

/* What a timer looks like; what is more than its largest unit holds goes on counting there. */
static const gchar *const format_nicks[] = { "s", "s.d", "s.dd", "m:ss", "m:ss.d", "mm:ss",
  "mm:ss.d", "mm:ss.dd", "h:mm:ss", "hh:mm:ss", "hh:mm:ss.d", "hh:mm:ss.ddd", NULL };
#define DEFAULT_FORMAT 5

#define WEFT_TYPE_TIMER_ITEM (weft_timer_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftTimerItem, weft_timer_item, WEFT, TIMER_ITEM, WeftTextItem)

struct _WeftTimerItem {
  WeftTextItem parent_instance;

  gchar *template;
  gint format;
  guint n_decimals;
  gboolean is_down;
  /* Where it begins; when counting down without it, at what is left of the item. */
  gdouble from_s;
};

G_DEFINE_TYPE (WeftTimerItem, weft_timer_item, WEFT_TYPE_TEXT_ITEM)

static gboolean
weft_timer_item_parse_text (WeftTextItem *item, const WeftValue *value, GError **error)
{
  static const gchar *const counts[] = { "up", "down", NULL };
  WeftTimerItem *self = WEFT_TIMER_ITEM (item);

  if (!parse_template (value, &self->template, error)
      || !weft_value_get_enum (value, "format", format_nicks, &self->format, error)
      || !weft_value_get_enum (value, "count", counts, &self->is_down, error)
      || !weft_value_get_number (value, "from", 0.0, MAX_TIMER_S, &self->from_s, error))
    return FALSE;
  const gchar *point = strchr (format_nicks[self->format], '.');
  self->n_decimals = point != NULL ? (guint) strlen (point + 1) : 0;
  return TRUE;
}

static guint64
weft_timer_item_get_content (
    WeftOverlayItem *item, const WeftCanvas *canvas, const WeftMoment *moment)
{
  const WeftTimerItem *self = WEFT_TIMER_ITEM (item);
  gdouble unit = powers_of_ten[self->n_decimals];
  gdouble from_s = isnan (self->from_s) ? 0.0 : self->from_s;

  if (!self->is_down)
    return (guint64) floor ((from_s + moment->since_start_s) * unit);
  gdouble left_s =
      isnan (self->from_s) ? moment->until_end_s : self->from_s - moment->since_start_s;
  /* “3, 2, 1” is one second each, and an item without an end has no time left to show. */
  return isfinite (left_s) && left_s > 0.0 ? (guint64) ceil (left_s * unit) : 0;
}

static gchar *
weft_timer_item_make_text (WeftTextItem *item, guint64 content)
{
  const WeftTimerItem *self = WEFT_TIMER_ITEM (item);
  const gchar *format = format_nicks[self->format];
  guint64 unit = (guint64) powers_of_ten[self->n_decimals];
  guint64 seconds = content / unit, hours = seconds / 3600, minutes = seconds / 60;
  g_autoptr (GString) number = g_string_new (NULL);
  gint digits = format[0] == format[1] ? 2 : 1;

  if (format[0] == 'h')
    g_string_append_printf (number, "%0*" G_GUINT64_FORMAT ":%02" G_GUINT64_FORMAT ":%02u", digits,
        hours, minutes % 60, (guint) (seconds % 60));
  else if (format[0] == 'm')
    g_string_append_printf (
        number, "%0*" G_GUINT64_FORMAT ":%02u", digits, minutes, (guint) (seconds % 60));
  else
    g_string_append_printf (number, "%" G_GUINT64_FORMAT, seconds);
  if (self->n_decimals > 0)
    g_string_append_printf (
        number, ".%0*" G_GUINT64_FORMAT, (gint) self->n_decimals, content % unit);
  return fill_template (self->template, number->str);
}

static void
weft_timer_item_init (WeftTimerItem *self)
{
  self->format = DEFAULT_FORMAT;
  self->from_s = NAN;
}

static void
weft_timer_item_finalize (GObject *object)
{
  g_free (WEFT_TIMER_ITEM (object)->template);
  G_OBJECT_CLASS (weft_timer_item_parent_class)->finalize (object);
}

static void
weft_timer_item_class_init (WeftTimerItemClass *klass)
{
  static const gchar *const members[] = { "text", WEFT_TEXT_MEMBERS, "format", "count", "from",
    NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);
  WeftTextItemClass *text_class = WEFT_TEXT_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_timer_item_finalize;
  item_class->members = members;
  item_class->count_letters = NULL;
  item_class->get_content = weft_timer_item_get_content;
  text_class->parse_text = weft_timer_item_parse_text;
  text_class->make_text = weft_timer_item_make_text;
}

/* Counter */

#define WEFT_TYPE_COUNTER_ITEM (weft_counter_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftCounterItem, weft_counter_item, WEFT, COUNTER_ITEM, WeftTextItem)

struct _WeftCounterItem {
  WeftTextItem parent_instance;

  gchar *template;
  gdouble from;
  gdouble to;
  gdouble n_decimals;
  /* Between groups of three digits. */
  gchar *separator;
  WeftEasing easing;
};

G_DEFINE_TYPE (WeftCounterItem, weft_counter_item, WEFT_TYPE_TEXT_ITEM)

static gboolean
weft_counter_item_parse_text (WeftTextItem *item, const WeftValue *value, GError **error)
{
  WeftCounterItem *self = WEFT_COUNTER_ITEM (item);
  const gchar *separator = "";

  if (!parse_template (value, &self->template, error)
      || !weft_value_get_number (value, "from", -MAX_COUNT, MAX_COUNT, &self->from, error)
      || !weft_value_get_number (value, "to", -MAX_COUNT, MAX_COUNT, &self->to, error)
      || !weft_value_get_number (value, "decimals", 0, MAX_DECIMALS, &self->n_decimals, error)
      || !weft_value_get_string (value, "separator", &separator, error)
      || !weft_easing_parse (value, "easing", &self->easing, error))
    return FALSE;
  self->n_decimals = floor (self->n_decimals);
  self->separator = g_strdup (separator);
  if (g_utf8_strlen (separator, -1) <= 1)
    return TRUE;
  g_autofree gchar *where = g_strconcat (value->pointer, "/separator", NULL);
  weft_overlay_set_error (
      error, WEFT_OVERLAY_ERROR_INVALID, where, "a separator is one character or none");
  return FALSE;
}

/* A negative number is counted as a large one, as in two's complement. */
static guint64
weft_counter_item_get_content (
    WeftOverlayItem *item, const WeftCanvas *canvas, const WeftMoment *moment)
{
  const WeftCounterItem *self = WEFT_COUNTER_ITEM (item);
  gdouble progress = weft_easing_apply (self->easing, weft_moment_get_progress (moment));
  gdouble number = self->from + (self->to - self->from) * progress;

  return (guint64) (gint64) llrint (number * powers_of_ten[(guint) self->n_decimals]);
}

static gchar *
weft_counter_item_make_text (WeftTextItem *item, guint64 content)
{
  const WeftCounterItem *self = WEFT_COUNTER_ITEM (item);
  gint64 signed_content = (gint64) content;
  guint64 all = signed_content < 0 ? (guint64) -signed_content : (guint64) signed_content;
  guint64 unit = (guint64) powers_of_ten[(guint) self->n_decimals];
  g_autofree gchar *whole = g_strdup_printf ("%" G_GUINT64_FORMAT, all / unit);
  g_autoptr (GString) number = g_string_new (signed_content < 0 ? "−" : "");
  gsize n = strlen (whole);

  for (gsize i = 0; i < n; i++) {
    if (i > 0 && (n - i) % 3 == 0)
      g_string_append (number, self->separator);
    g_string_append_c (number, whole[i]);
  }
  if (self->n_decimals > 0)
    g_string_append_printf (number, ".%0*" G_GUINT64_FORMAT, (gint) self->n_decimals, all % unit);
  return fill_template (self->template, number->str);
}

static void
weft_counter_item_init (WeftCounterItem *self)
{
  self->to = 100.0;
  self->easing = WEFT_EASING_LINEAR;
}

static void
weft_counter_item_finalize (GObject *object)
{
  WeftCounterItem *self = WEFT_COUNTER_ITEM (object);

  g_free (self->template);
  g_free (self->separator);
  G_OBJECT_CLASS (weft_counter_item_parent_class)->finalize (object);
}

static void
weft_counter_item_class_init (WeftCounterItemClass *klass)
{
  static const gchar *const members[] = { "text", WEFT_TEXT_MEMBERS, "from", "to", "decimals",
    "separator", "easing", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);
  WeftTextItemClass *text_class = WEFT_TEXT_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_counter_item_finalize;
  item_class->members = members;
  item_class->count_letters = NULL;
  item_class->get_content = weft_counter_item_get_content;
  text_class->parse_text = weft_counter_item_parse_text;
  text_class->make_text = weft_counter_item_make_text;
}
