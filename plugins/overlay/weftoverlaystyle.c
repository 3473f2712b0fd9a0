/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the letters of a text look: of all of it, and of the parts that `spans` names. The parts are
 * structured, not markup, so that no text of a job can be mistaken for a command. */

#include "weftoverlaystyle.h"

#include <math.h>

/* These are the limits of pipelines/job.schema.json. */
#define MIN_FONT_SIZE 4.0
#define MAX_FONT_SIZE 2000.0
#define MAX_LETTER_SPACING 200.0
#define MAX_PADDING 1000.0
#define MAX_SPANS 1000

static const struct {
  const gchar *nick;
  PangoWeight weight;
} weights[] = {
  { "thin", PANGO_WEIGHT_THIN },
  { "extralight", PANGO_WEIGHT_ULTRALIGHT },
  { "light", PANGO_WEIGHT_LIGHT },
  { "normal", PANGO_WEIGHT_NORMAL },
  { "regular", PANGO_WEIGHT_NORMAL },
  { "medium", PANGO_WEIGHT_MEDIUM },
  { "semibold", PANGO_WEIGHT_SEMIBOLD },
  { "bold", PANGO_WEIGHT_BOLD },
  { "extrabold", PANGO_WEIGHT_ULTRABOLD },
  { "black", PANGO_WEIGHT_HEAVY },
};

void
weft_letter_style_clear (WeftLetterStyle *self)
{
  g_clear_pointer (&self->family, g_free);
}

static gboolean
parse_weight (WeftLetterStyle *self, const WeftValue *value, GError **error)
{
  JsonNode *node = json_object_get_member (value->object, "weight");
  const gchar *nicks[G_N_ELEMENTS (weights) + 1] = { NULL };
  gint index = -1;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) != G_TYPE_STRING) {
    gdouble weight = self->weight;
    if (!weft_value_get_number (value, "weight", 100, 1000, &weight, error))
      return FALSE;
    self->weight = (PangoWeight) lrint (weight);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    nicks[i] = weights[i].nick;
  if (!weft_value_get_enum (value, "weight", nicks, &index, error))
    return FALSE;
  if (index >= 0)
    self->weight = weights[index].weight;
  return TRUE;
}

static gboolean
parse_family (WeftLetterStyle *self, const WeftValue *value, GError **error)
{
  const gchar *family = NULL;

  if (!weft_value_get_string (value, "family", &family, error))
    return FALSE;
  if (family == NULL)
    return TRUE;
  g_free (self->family);
  self->family = g_strstrip (g_strdup (family));
  if (self->family[0] != '\0')
    return TRUE;
  g_autofree gchar *where = g_strconcat (value->pointer, "/family", NULL);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, where, "the family must have a name");
  return FALSE;
}

/**
 * weft_letter_style_parse:
 * @self: (inout): what @value does not say stays as it was
 * @value: an object with the members WEFT_LETTER_STYLE_MEMBERS, and maybe others
 */
gboolean
weft_letter_style_parse (WeftLetterStyle *self, const WeftValue *value, GError **error)
{
  static const gchar *const slants[] = { "normal", "oblique", "italic", NULL };
  static const gchar *const names[] = { WEFT_LETTER_STYLE_MEMBERS };
  gint slant = (gint) self->slant;

  if (!parse_family (self, value, error)
      || !weft_value_get_number (value, "size", MIN_FONT_SIZE, MAX_FONT_SIZE, &self->size, error)
      || !parse_weight (self, value, error)
      || !weft_value_get_enum (value, "style", slants, &slant, error)
      || !weft_value_get_color (value, "color", &self->color, error)
      || !weft_value_get_number (value, "letter_spacing", -MAX_LETTER_SPACING, MAX_LETTER_SPACING,
          &self->letter_spacing, error))
    return FALSE;
  self->slant = (PangoStyle) slant;
  /* The flags are in the order of the names. */
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (weft_value_has (value, names[i]))
      self->set |= 1u << i;
  }
  return TRUE;
}

/**
 * weft_background_parse:
 * @self: (inout): its defaults, and whether there is one
 * @value: the object whose member `background` is read
 */
gboolean
weft_background_parse (WeftBackground *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "color", "padding", "radius", NULL };
  g_autofree gchar *pointer = NULL;
  WeftValue background;

  if (!weft_value_get_object (value, "background", &background, &pointer, error))
    return FALSE;
  if (background.object == NULL)
    return TRUE;
  if (!weft_value_check_members (&background, members, error)
      || !weft_value_get_color (&background, "color", &self->color, error)
      || !weft_value_get_number (&background, "padding", 0.0, MAX_PADDING, &self->padding, error)
      || !weft_value_get_number (&background, "radius", 0.0, MAX_PADDING, &self->radius, error))
    return FALSE;
  self->present = TRUE;
  return TRUE;
}

void
weft_span_free (WeftSpan *self)
{
  g_free (self->pointer);
  weft_letter_style_clear (&self->style);
  g_free (self);
}

static WeftSpan *
parse_span (JsonNode *node, gchar *pointer, GString *text, GError **error)
{
  static const gchar *const members[] = { "text", WEFT_LETTER_STYLE_MEMBERS, "underline",
    "strikethrough", "background", NULL };
  g_autoptr (WeftSpan) span = g_new0 (WeftSpan, 1);
  const gchar *own = NULL;
  WeftValue value;

  span->pointer = pointer;
  span->background = (WeftBackground){ FALSE, { 0, 0, 0, 128 / 255.0 }, 4.0, 0.0 };
  if (!weft_value_init (&value, node, pointer, error)
      || !weft_value_check_members (&value, members, error)
      || !weft_value_get_string (&value, "text", &own, error)
      || !weft_letter_style_parse (&span->style, &value, error)
      || !weft_value_get_boolean (&value, "underline", &span->underline, error)
      || !weft_value_get_boolean (&value, "strikethrough", &span->strikethrough, error)
      || !weft_background_parse (&span->background, &value, error))
    return NULL;
  if (own == NULL) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer, "a span needs a “text”");
    return NULL;
  }
  span->start = (guint) text->len;
  g_string_append (text, own);
  span->end = (guint) text->len;
  return g_steal_pointer (&span);
}

/**
 * weft_spans_parse:
 * @value: the object whose member `spans` is read
 * @spans: (element-type WeftSpan): gets the parts, in the order of the text
 * @text: (out) (nullable): what they say together; %NULL if there is no such member
 */
gboolean
weft_spans_parse (const WeftValue *value, GPtrArray *spans, gchar **text, GError **error)
{
  JsonNode *node = json_object_get_member (value->object, "spans");
  g_autofree gchar *pointer = g_strconcat (value->pointer, "/spans", NULL);
  g_autoptr (GString) all = g_string_new (NULL);

  *text = NULL;
  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node)) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer, "expected an array");
    return FALSE;
  }
  JsonArray *array = json_node_get_array (node);
  if (json_array_get_length (array) > MAX_SPANS) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, pointer,
        "%u spans are more than the %u that are allowed", json_array_get_length (array), MAX_SPANS);
    return FALSE;
  }
  for (guint i = 0; i < json_array_get_length (array); i++) {
    WeftSpan *span = parse_span (
        json_array_get_element (array, i), g_strdup_printf ("%s/%u", pointer, i), all, error);
    if (span == NULL)
      return FALSE;
    g_ptr_array_add (spans, span);
  }
  *text = g_string_free (g_steal_pointer (&all), FALSE);
  return TRUE;
}
