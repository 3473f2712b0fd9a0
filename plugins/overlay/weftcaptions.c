/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Captions: one item of the document, whose file says what shows when. It is never drawn itself: of
 * each cue, when it shows, a text item is made in the grammar of the document, and so looks as
 * texts do in every respect. */

#include "weftcaptions.h"

#include <math.h>
#include <string.h>

#include "weftoverlaysource.h"
#include "weftoverlaystyle.h"
#include "weftoverlaytext.h"

#define DEFAULT_SIZE 64.0
#define MIN_SIZE 4.0
#define DEFAULT_MAX_WIDTH 0.9
#define DEFAULT_POP_S 0.15
/* A reading is smaller than its word. */
#define RUBY_SIZE 0.6
#define MAX_MAX_CHARS 200
#define MAX_MAX_LINES 20
#define MAX_GROUP 20
#define MAX_OFFSET_S 3600.0

struct _WeftCaptionsItem {
  WeftOverlayItem parent_instance;

  gchar *src;
  WeftCaptionStyle style;
  WeftCaptionShape shape;
  guint group;
  gdouble size;
  /* What is said of a marked word, as the members of a span. */
  JsonObject *mark;
  /* All that a text item may say and that the captions say. */
  JsonObject *look;

  /* Guards what follows. No other lock is taken while it is held, but a file is read. */
  GMutex lock;
  WeftCaptionTrack *track;
  /* Of GError: not told yet. */
  GPtrArray *warnings;
};

G_DEFINE_FINAL_TYPE (WeftCaptionsItem, weft_captions_item, WEFT_TYPE_OVERLAY_ITEM)

/* Members of captions that a text does not have, and those of each item that are not a matter of
 * looks. */
#define OWN_MEMBERS                                                                                \
  "src", "style", "highlight", "highlight_background", "max_chars", "max_lines", "words", "offset"
static const gchar *const own_members[] = { OWN_MEMBERS, NULL };
static const gchar *const other_members[] = { "type", "id", "start", "end", NULL };

static gboolean
parse_uint (const WeftValue *value, const gchar *name, gdouble min, gdouble max, guint *number,
    GError **error)
{
  gdouble found = *number;

  if (!weft_value_get_number (value, name, min, max, &found, error))
    return FALSE;
  *number = (guint) lrint (found);
  return TRUE;
}

static gboolean
parse_mark (WeftCaptionsItem *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "color", "padding", "radius", NULL };
  g_autofree gchar *pointer = NULL;
  WeftBackground background = { 0 };
  WeftColor color;
  WeftValue box;

  if (!weft_value_get_color (value, "highlight", &color, error)
      || !weft_value_get_object (value, "highlight_background", &box, &pointer, error))
    return FALSE;
  json_object_set_string_member (self->mark, "color",
      json_object_get_string_member_with_default (value->object, "highlight", "#FFEB3B"));
  if (box.object == NULL)
    return TRUE;
  json_object_set_member (
      self->mark, "background", json_object_dup_member (value->object, "highlight_background"));
  /* Read here only to be refused at its own place; it is drawn as a span's. */
  return weft_value_check_members (&box, members, error)
         && weft_value_get_color (&box, "color", &color, error)
         && weft_value_get_number (&box, "padding", 0.0, 1000.0, &background.padding, error)
         && weft_value_get_number (&box, "radius", 0.0, 1000.0, &background.radius, error);
}

static void
copy_look (WeftCaptionsItem *self, const WeftValue *value)
{
  g_autoptr (GList) names = json_object_get_members (value->object);

  json_object_set_string_member (self->look, "position", "bottom");
  json_object_set_string_member (self->look, "align", "center");
  if (self->style == WEFT_CAPTION_STYLE_POP) {
    JsonObject *animate = json_object_new ();
    json_object_set_string_member (animate, "in", "pop");
    json_object_set_double_member (animate, "duration", DEFAULT_POP_S);
    json_object_set_object_member (self->look, "animate", animate);
  }
  for (GList *l = names; l != NULL; l = l->next) {
    if (!g_strv_contains (own_members, l->data) && !g_strv_contains (other_members, l->data))
      json_object_set_member (self->look, l->data, json_object_dup_member (value->object, l->data));
  }
  json_object_set_string_member (self->look, "type", "text");
}

/* The parts of a cue's text */

/* One piece of a text that looks the same all over, as a member of `spans`. */
static JsonObject *
create_span (WeftCaptionsItem *self, const gchar *text, gsize length, const WeftCaptionSpan *look,
    gboolean is_marked)
{
  JsonObject *span = json_object_new ();
  g_autofree gchar *piece = g_strndup (text, length);

  json_object_set_string_member (span, "text", piece);
  if (look != NULL) {
    if (look->marks & WEFT_CAPTION_BOLD)
      json_object_set_string_member (span, "weight", "bold");
    if (look->marks & WEFT_CAPTION_ITALIC)
      json_object_set_string_member (span, "style", "italic");
    if (look->marks & WEFT_CAPTION_UNDERLINE)
      json_object_set_boolean_member (span, "underline", TRUE);
    if (look->marks & WEFT_CAPTION_STRIKE)
      json_object_set_boolean_member (span, "strikethrough", TRUE);
    if (look->marks & WEFT_CAPTION_RUBY)
      json_object_set_double_member (span, "size", MAX (self->size * RUBY_SIZE, MIN_SIZE));
    if (look->marks & WEFT_CAPTION_COLORED) {
      g_autofree gchar *color =
          g_strdup_printf ("#%02X%02X%02X", (guint) lrint (look->color.red * 255),
              (guint) lrint (look->color.green * 255), (guint) lrint (look->color.blue * 255));
      json_object_set_string_member (span, "color", color);
    }
  }
  if (is_marked) {
    g_autoptr (GList) names = json_object_get_members (self->mark);
    for (GList *l = names; l != NULL; l = l->next)
      json_object_set_member (span, l->data, json_object_dup_member (self->mark, l->data));
  }
  return span;
}

/* Bytes [begin, end) of @text, that of @cue, in pieces; bytes [mark_begin, mark_end) are marked. */
static JsonArray *
create_spans (WeftCaptionsItem *self, const WeftCaptionCue *cue, const gchar *text, guint begin,
    guint end, guint mark_begin, guint mark_end)
{
  JsonArray *array = json_array_new ();
  guint k = 0;

  while (begin < end) {
    while (k < cue->n_spans && cue->spans[k].offset + cue->spans[k].length <= begin)
      k++;
    const WeftCaptionSpan *span = k < cue->n_spans ? &cue->spans[k] : NULL;
    gboolean is_inside = span != NULL && span->offset <= begin;
    gboolean is_marked = begin >= mark_begin && begin < mark_end;
    guint next = end;
    if (span != NULL)
      next = MIN (next, is_inside ? span->offset + span->length : span->offset);
    if (is_marked)
      next = MIN (next, mark_end);
    else if (mark_begin > begin)
      next = MIN (next, mark_begin);
    json_array_add_object_element (
        array, create_span (self, text + begin, next - begin, is_inside ? span : NULL, is_marked));
    begin = next;
  }
  return array;
}

/* What the file says of the width and the lines of a cue. */
static void
apply_place (JsonObject *text, const WeftCaptionPlace *place)
{
  static const gchar *const aligns[] = { "left", "center", "right" };
  JsonNode *width = json_object_get_member (text, "max_width");

  if (place->align != WEFT_CAPTION_SIDE_UNSET)
    json_object_set_string_member (text, "align", aligns[place->align]);
  if (place->size <= 0.0)
    return;
  /* Never wider than the captions may be; pixels of theirs stand. */
  if (width == NULL)
    json_object_set_double_member (text, "max_width", MIN (place->size, DEFAULT_MAX_WIDTH));
  else if (json_node_get_value_type (width) != G_TYPE_STRING)
    json_object_set_double_member (
        text, "max_width", MIN (place->size, json_node_get_double (width)));
}

static WeftOverlayItem *
try_text (
    WeftCaptionsItem *self, const WeftCaptionCue *cue, const WeftCaptionStep *step, GError **error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) text = json_object_new ();
  g_autoptr (GList) names = json_object_get_members (self->look);
  g_autofree gchar *whole = g_strdup (cue->text);
  guint begin = 0, end = (guint) strlen (cue->text), mark_begin = 0, mark_end = 0;
  WeftOverlayItem *item = WEFT_OVERLAY_ITEM (self);

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (text, l->data, json_object_dup_member (self->look, l->data));
  if (step->n_words > 0) {
    const WeftCaptionWord *last = &cue->words[step->first_word + step->n_words - 1];
    begin = cue->words[step->first_word].offset;
    end = last->offset + last->length;
    /* Words that show alone stand on one line, wherever they stand in the cue. */
    g_strdelimit (whole, "\n", ' ');
  }
  if (step->marked >= 0) {
    mark_begin = cue->words[step->marked].offset;
    mark_end = mark_begin + cue->words[step->marked].length;
  }
  apply_place (text, &cue->place);
  if (cue->n_spans > 0 || mark_end > 0) {
    json_object_set_array_member (
        text, "spans", create_spans (self, cue, whole, begin, end, mark_begin, mark_end));
  } else {
    g_autofree gchar *part = g_strndup (whole + begin, end - begin);
    json_object_set_string_member (text, "text", part);
  }
  json_node_set_object (node, text);
  return weft_overlay_item_new_from_json (
      node, weft_overlay_item_get_pointer (item), weft_overlay_item_get_base_folder (item), error);
}

/**
 * weft_captions_item_create_text:
 * @step: what of @cue shows
 *
 * Returns: (transfer full): a text item that looks as the captions do
 */
WeftOverlayItem *
weft_captions_item_create_text (
    WeftCaptionsItem *self, const WeftCaptionCue *cue, const WeftCaptionStep *step)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/src", NULL);
  WeftOverlayItem *text = try_text (self, cue, step, &error);

  /* The look was tried when the captions were parsed, and cues are bounded below what texts are. */
  if (text == NULL)
    g_error ("a caption cannot be drawn: %s", error->message);
  weft_overlay_item_set_text_pointer (text, pointer);
  return text;
}

/* Whether a text may look as the captions say: what is wrong with that is found here. */
static gboolean
check_look (WeftCaptionsItem *self, const WeftValue *value, GError **error)
{
  const WeftCaptionCue cue = { .text = (gchar *) "", .place = WEFT_CAPTION_PLACE_UNSET };
  const WeftCaptionStep all = { 0, 0, -1 };
  g_autoptr (WeftOverlayItem) text = try_text (self, &cue, &all, error);
  JsonNode *font = json_object_get_member (value->object, "font");

  if (text == NULL)
    return FALSE;
  if (font != NULL)
    self->size = json_object_get_double_member_with_default (
        json_node_get_object (font), "size", DEFAULT_SIZE);
  return TRUE;
}

static gboolean
weft_captions_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  static const gchar *const styles[] = { "plain", "karaoke", "word", "pop", NULL };
  WeftCaptionsItem *self = WEFT_CAPTIONS_ITEM (item);
  const gchar *src = NULL;
  gint style = WEFT_CAPTION_STYLE_PLAIN;
  gdouble offset_s = 0.0;

  if (!weft_value_get_string (value, "src", &src, error)
      || !weft_value_get_enum (value, "style", styles, &style, error)
      || !parse_uint (value, "max_chars", 1, MAX_MAX_CHARS, &self->shape.max_chars, error)
      || !parse_uint (value, "max_lines", 1, MAX_MAX_LINES, &self->shape.max_lines, error)
      || !parse_uint (value, "words", 1, MAX_GROUP, &self->group, error)
      || !weft_value_get_number (value, "offset", -MAX_OFFSET_S, MAX_OFFSET_S, &offset_s, error)
      || !parse_mark (self, value, error))
    return FALSE;
  if (src == NULL) {
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, value->pointer, "captions need a “src”");
    return FALSE;
  }
  self->src = g_strdup (src);
  self->style = (WeftCaptionStyle) style;
  self->shape.offset = (GstClockTimeDiff) llrint (offset_s * (gdouble) GST_SECOND);
  self->shape.wants_words = self->style != WEFT_CAPTION_STYLE_PLAIN;
  copy_look (self, value);
  return check_look (self, value, error);
}

/* The file */

static gchar *
resolve (WeftCaptionsItem *self, GError **error)
{
  WeftOverlayItem *item = WEFT_OVERLAY_ITEM (self);
  g_autofree gchar *pointer = g_strconcat (weft_overlay_item_get_pointer (item), "/src", NULL);
  gchar *uri =
      weft_overlay_source_resolve (self->src, weft_overlay_item_get_base_folder (item), error);

  if (uri == NULL && error != NULL && (*error)->domain == WEFT_OVERLAY_ERROR)
    weft_overlay_error_locate (*error, pointer, self->src);
  return uri;
}

static void
keep_warnings (WeftCaptionsItem *self, GPtrArray *messages, const gchar *uri)
{
  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/src", NULL);
  g_autofree gchar *shown = weft_overlay_source_get_name (uri);
  g_autofree gchar *name = g_path_get_basename (shown);

  for (guint i = 0; i < messages->len; i++)
    g_ptr_array_add (
        self->warnings, weft_overlay_error_new (WEFT_OVERLAY_ERROR_DAMAGED, pointer, shown,
                            "%s: %s", name, (const gchar *) g_ptr_array_index (messages, i)));
}

static gboolean
read_file (WeftCaptionsItem *self, GCancellable *cancellable, GError **error)
{
  g_autofree gchar *pointer =
      g_strconcat (weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), "/src", NULL);
  g_autofree gchar *uri = resolve (self, error);
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  GError *local_error = NULL;

  if (uri == NULL)
    return FALSE;
  g_autoptr (GBytes) bytes =
      weft_overlay_source_load (uri, WEFT_CAPTION_MAX_FILE_BYTES, cancellable, &local_error);
  if (bytes != NULL)
    self->track = weft_caption_parse (bytes, &self->shape, messages, &local_error);
  if (self->track == NULL) {
    g_autofree gchar *shown = weft_overlay_source_get_name (uri);
    weft_overlay_error_locate (local_error, pointer, shown);
    g_propagate_error (error, local_error);
    return FALSE;
  }
  keep_warnings (self, messages, uri);
  return TRUE;
}

static void
move_warnings (WeftCaptionsItem *self, GPtrArray *warnings)
{
  while (self->warnings->len > 0)
    g_ptr_array_add (warnings, g_ptr_array_steal_index (self->warnings, 0));
}

/**
 * weft_captions_item_load:
 * @warnings: (nullable) (element-type GError): gets what was not told yet of the file
 *
 * Reads the file, the first time. Any thread may call it.
 */
gboolean
weft_captions_item_load (
    WeftCaptionsItem *self, GPtrArray *warnings, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->lock);
  gboolean ok = self->track != NULL || read_file (self, cancellable, error);
  if (warnings != NULL)
    move_warnings (self, warnings);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Returns: (transfer full) (nullable): the cues, once they are loaded */
WeftCaptionTrack *
weft_captions_item_ref_track (WeftCaptionsItem *self)
{
  g_mutex_lock (&self->lock);
  WeftCaptionTrack *track = self->track != NULL ? weft_caption_track_ref (self->track) : NULL;
  g_mutex_unlock (&self->lock);
  return track;
}

WeftCaptionStyle
weft_captions_item_get_style (WeftCaptionsItem *self)
{
  return self->style;
}

/* How many words show at once where not the whole text does. */
guint
weft_captions_item_get_group (WeftCaptionsItem *self)
{
  return self->group;
}

/* Of letters, in timeline pixels. */
gdouble
weft_captions_item_get_size (WeftCaptionsItem *self)
{
  return self->size;
}

static gboolean
weft_captions_item_check (WeftOverlayItem *item, GHashTable *good, GError **error)
{
  WeftCaptionsItem *self = WEFT_CAPTIONS_ITEM (item);
  g_autofree gchar *uri = resolve (self, error);

  if (uri == NULL)
    return FALSE;
  /* What is far away is got when it is needed, on a thread that may wait. */
  return weft_overlay_source_is_remote (uri) || weft_captions_item_load (self, NULL, NULL, error);
}

static void
weft_captions_item_init (WeftCaptionsItem *self)
{
  self->group = 1;
  self->size = DEFAULT_SIZE;
  self->mark = json_object_new ();
  self->look = json_object_new ();
  self->warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_mutex_init (&self->lock);
}

static void
weft_captions_item_finalize (GObject *object)
{
  WeftCaptionsItem *self = WEFT_CAPTIONS_ITEM (object);

  g_free (self->src);
  json_object_unref (self->mark);
  json_object_unref (self->look);
  g_ptr_array_unref (self->warnings);
  g_clear_pointer (&self->track, weft_caption_track_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (weft_captions_item_parent_class)->finalize (object);
}

static void
weft_captions_item_class_init (WeftCaptionsItemClass *klass)
{
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);
  static const gchar *const members[] = { OWN_MEMBERS, WEFT_TEXT_MEMBERS, NULL };

  G_OBJECT_CLASS (klass)->finalize = weft_captions_item_finalize;
  item_class->members = members;
  item_class->parse = weft_captions_item_parse;
  item_class->check = weft_captions_item_check;
}
