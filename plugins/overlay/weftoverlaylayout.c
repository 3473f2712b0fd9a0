/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a text and how it should look to a PangoLayout, and what is to be said about it. */

#include "weftoverlaylayout.h"

#include <hb-ot.h>
#include <math.h>
#include <pango/pangocairo.h>

/* Pango counts in 1/1024 pixel and 32 bits: this many characters times pixels, each on a line of
 * its own that is 2.5 times as high as the font is large, are all that a layout can measure. At the
 * default size it is more characters than a text may have. */
#define MAX_CHARACTER_PIXELS 800000
/* How many different missing characters a warning names. */
#define MAX_REPORTED_CHARACTERS 8

/* The largest size of a letter, which bounds how high the layout becomes. */
static gdouble
get_largest_size (const WeftTextLook *look)
{
  gdouble size = look->style->size;

  for (guint i = 0; i < look->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (look->spans, i);
    size = MAX (size, span->style.size);
  }
  return size * MAX (look->line_spacing, 1.0);
}

/* How much of the text is given to Pango. What is cut off would be drawn far outside of any frame.
 */
static gint
get_drawn_bytes (const WeftTextLook *look)
{
  glong n_max = (glong) (MAX_CHARACTER_PIXELS / get_largest_size (look));

  if (g_utf8_strlen (look->text, -1) <= n_max)
    return -1;
  return (gint) (g_utf8_offset_to_pointer (look->text, n_max) - look->text);
}

/* Adds @attribute for bytes [@start, @end) of the text. */
static void
insert_attribute (PangoAttrList *list, guint start, guint end, PangoAttribute *attribute)
{
  attribute->start_index = start;
  attribute->end_index = end;
  pango_attr_list_insert (list, attribute);
}

static void
insert_for_all (PangoAttrList *list, PangoAttribute *attribute)
{
  insert_attribute (
      list, PANGO_ATTR_INDEX_FROM_TEXT_BEGINNING, PANGO_ATTR_INDEX_TO_TEXT_END, attribute);
}

static void
insert_for_span (PangoAttrList *list, const WeftSpan *span, PangoAttribute *attribute)
{
  insert_attribute (list, span->start, span->end, attribute);
}

static guint16
to_16_bits (gdouble value)
{
  return (guint16) lrint (value * 65535.0);
}

static void
insert_color (PangoAttrList *list, const WeftSpan *span)
{
  const WeftColor *c = &span->style.color;

  insert_for_span (list, span,
      pango_attr_foreground_new (to_16_bits (c->red), to_16_bits (c->green), to_16_bits (c->blue)));
  /* Zero means “not said” to Pango. */
  insert_for_span (list, span, pango_attr_foreground_alpha_new (MAX (to_16_bits (c->alpha), 1)));
}

static void
insert_letters (WeftDrawing *drawing, PangoAttrList *list, const WeftSpan *span)
{
  const WeftLetterStyle *s = &span->style;

  if (s->set & WEFT_STYLE_FAMILY) {
    g_autofree gchar *families = weft_overlay_fonts_map_families (drawing->fonts, s->family);
    insert_for_span (list, span, pango_attr_family_new (families));
  }
  if (s->set & WEFT_STYLE_SIZE)
    insert_for_span (
        list, span, pango_attr_size_new_absolute ((gint) lrint (s->size * PANGO_SCALE)));
  if (s->set & WEFT_STYLE_WEIGHT)
    insert_for_span (list, span, pango_attr_weight_new (s->weight));
  if (s->set & WEFT_STYLE_SLANT)
    insert_for_span (list, span, pango_attr_style_new (s->slant));
  if (s->set & WEFT_STYLE_COLOR)
    insert_color (list, span);
  if (s->set & WEFT_STYLE_LETTER_SPACING)
    insert_for_span (
        list, span, pango_attr_letter_spacing_new ((gint) lrint (s->letter_spacing * PANGO_SCALE)));
}

static void
insert_lines (const WeftTextLook *look, PangoAttrList *list, const WeftSpan *span)
{
  guint end = MIN (span->end, look->shown_bytes);

  if (span->start >= end)
    return;
  if (span->underline)
    insert_attribute (list, span->start, end, pango_attr_underline_new (PANGO_UNDERLINE_SINGLE));
  if (span->strikethrough)
    insert_attribute (list, span->start, end, pango_attr_strikethrough_new (TRUE));
}

static void
set_attributes (const WeftTextLook *look, WeftDrawing *drawing, PangoLayout *layout)
{
  PangoAttrList *list = pango_attr_list_new ();

  if (look->style->letter_spacing != 0.0)
    insert_for_all (list,
        pango_attr_letter_spacing_new ((gint) lrint (look->style->letter_spacing * PANGO_SCALE)));
  if (look->tabular)
    insert_for_all (list, pango_attr_font_features_new ("tnum"));
  for (guint i = 0; i < look->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (look->spans, i);
    insert_letters (drawing, list, span);
    insert_lines (look, list, span);
  }
  pango_layout_set_attributes (layout, list);
  pango_attr_list_unref (list);
}

static PangoFontDescription *
create_description (const WeftLetterStyle *style, WeftDrawing *drawing)
{
  g_autofree gchar *families = weft_overlay_fonts_map_families (drawing->fonts, style->family);
  PangoFontDescription *description = pango_font_description_new ();

  pango_font_description_set_family (description, families);
  pango_font_description_set_absolute_size (description, style->size * PANGO_SCALE);
  pango_font_description_set_weight (description, style->weight);
  pango_font_description_set_style (description, style->slant);
  return description;
}

static PangoContext *
create_context (const WeftTextLook *look, WeftDrawing *drawing)
{
  PangoContext *context = weft_overlay_fonts_create_context (drawing->fonts);
  cairo_font_options_t *options = cairo_font_options_create ();

  /* Colour fringes of LCD text would be wrong on every screen but one. */
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);
  if (look->direction != WEFT_DIRECTION_AUTO)
    pango_context_set_base_dir (
        context, look->direction == WEFT_DIRECTION_RTL ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_LTR);
  return context;
}

/* @family is what the document asks for at @pointer. */
static void
warn_of_family (
    WeftDrawing *drawing, PangoLayout *layout, const gchar *family, const gchar *pointer)
{
  if (weft_overlay_fonts_has_family (drawing->fonts, family))
    return;
  g_autofree gchar *mapped = weft_overlay_fonts_map_families (drawing->fonts, family);
  PangoFontDescription *wanted =
      pango_font_description_copy (pango_layout_get_font_description (layout));
  pango_font_description_set_family (wanted, mapped);
  g_autoptr (PangoFont) font = pango_context_load_font (pango_layout_get_context (layout), wanted);
  pango_font_description_free (wanted);
  PangoFontDescription *used = font != NULL ? pango_font_describe (font) : NULL;
  g_autofree gchar *name = used != NULL ? weft_overlay_fonts_get_display_name (
                               drawing->fonts, pango_font_description_get_family (used))
                                        : g_strdup ("no font");
  g_clear_pointer (&used, pango_font_description_free);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_NOT_FOUND, pointer, NULL,
          "the font family “%s” is not there, “%s” is used instead", family, name));
}

static void
warn_of_families (const WeftTextLook *look, WeftDrawing *drawing, PangoLayout *layout)
{
  g_autofree gchar *pointer = g_strconcat (look->pointer, "/font/family", NULL);

  warn_of_family (drawing, layout, look->style->family, pointer);
  for (guint i = 0; i < look->spans->len; i++) {
    const WeftSpan *span = g_ptr_array_index (look->spans, i);
    g_autofree gchar *span_pointer = g_strconcat (span->pointer, "/family", NULL);
    if (span->style.set & WEFT_STYLE_FAMILY)
      warn_of_family (drawing, layout, span->style.family, span_pointer);
  }
}

static gchar *
make_text_pointer (const WeftTextLook *look)
{
  if (look->text_pointer != NULL)
    return g_strdup (look->text_pointer);
  return g_strconcat (look->pointer, look->spans->len > 0 ? "/spans" : "/text", NULL);
}

static void
warn_of_glyphs (const WeftTextLook *look, WeftDrawing *drawing, PangoLayout *layout)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  if (pango_layout_get_unknown_glyphs_count (layout) == 0)
    return;
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  do {
    PangoLayoutRun *run = pango_layout_iter_get_run_readonly (iter);
    for (gint i = 0; run != NULL && i < run->glyphs->num_glyphs; i++) {
      PangoGlyph glyph = run->glyphs->glyphs[i].glyph;
      if ((glyph & PANGO_GLYPH_UNKNOWN_FLAG) == 0 || glyph == PANGO_GLYPH_INVALID_INPUT)
        continue;
      gunichar c = glyph & ~(PangoGlyph) PANGO_GLYPH_UNKNOWN_FLAG;
      if (!g_hash_table_add (seen, GUINT_TO_POINTER (c))
          || g_hash_table_size (seen) > MAX_REPORTED_CHARACTERS)
        continue;
      g_string_append (names, names->len > 0 ? ", " : "");
      if (g_unichar_isgraph (c))
        g_string_append_unichar (g_string_append (names, "“"), c), g_string_append (names, "” ");
      g_string_append_printf (names, "U+%04X", c);
    }
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);

  g_autofree gchar *pointer = make_text_pointer (look);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_NOT_FOUND, pointer, NULL,
          "no font on this machine has a glyph for %s%s", names->str,
          g_hash_table_size (seen) > MAX_REPORTED_CHARACTERS ? " and others" : ""));
}

static void
warn_of_length (const WeftTextLook *look, WeftDrawing *drawing)
{
  gint n_bytes = get_drawn_bytes (look);

  if (n_bytes < 0)
    return;
  g_autofree gchar *pointer = make_text_pointer (look);
  g_ptr_array_add (drawing->warnings,
      weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE, pointer, NULL,
          "only the first %ld characters of the text are drawn at its size of %g pixels",
          g_utf8_strlen (look->text, n_bytes), get_largest_size (look)));
}

/**
 * weft_layout_new:
 * @drawing: gets warnings of what is not as asked for
 *
 * Returns: (transfer full): the text as Pango lays it out, in timeline pixels
 */
PangoLayout *
weft_layout_new (const WeftTextLook *look, WeftDrawing *drawing)
{
  static const PangoAlignment alignments[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
    PANGO_ALIGN_RIGHT };
  PangoContext *context = create_context (look, drawing);
  PangoFontDescription *description = create_description (look->style, drawing);
  PangoLayout *layout = pango_layout_new (context);

  g_object_unref (context);
  pango_layout_set_font_description (layout, description);
  pango_font_description_free (description);
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_width (layout, (gint) lrint (look->width * PANGO_SCALE));
  pango_layout_set_alignment (layout, alignments[look->align]);
  pango_layout_set_auto_dir (layout, look->direction == WEFT_DIRECTION_AUTO);
  if (look->line_spacing != 1.0)
    pango_layout_set_line_spacing (layout, (gfloat) look->line_spacing);
  /* Never markup: what a job says is drawn as it is. */
  pango_layout_set_text (layout, look->text, get_drawn_bytes (look));
  set_attributes (look, drawing, layout);
  warn_of_families (look, drawing, layout);
  warn_of_glyphs (look, drawing, layout);
  warn_of_length (look, drawing);
  return layout;
}

/**
 * weft_layout_hide_after:
 * @n_bytes: of the text, what stays
 *
 * Makes all other letters invisible; those that stay keep their places. To be called last: anything
 * that lays @layout out again brings them back.
 */
void
weft_layout_hide_after (PangoLayout *layout, guint n_bytes)
{
  PangoLayoutIter *iter = pango_layout_get_iter (layout);

  do {
    PangoLayoutRun *run = pango_layout_iter_get_run (iter);
    for (gint i = 0; run != NULL && i < run->glyphs->num_glyphs; i++) {
      if ((guint) (run->item->offset + run->glyphs->log_clusters[i]) >= n_bytes)
        run->glyphs->glyphs[i].glyph = PANGO_GLYPH_EMPTY;
    }
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);
}

static gboolean
has_table (hb_face_t *face, hb_tag_t tag)
{
  hb_blob_t *blob = hb_face_reference_table (face, tag);
  gboolean has = hb_blob_get_length (blob) > 0;

  hb_blob_destroy (blob);
  return has;
}

/* Whether the glyphs of @run are pictures, be they in colour or not: cairo has no outline of them
 * but that of their single pixels. */
static gboolean
has_picture_glyphs (PangoLayoutRun *run)
{
  hb_face_t *face = hb_font_get_face (pango_font_get_hb_font (run->item->analysis.font));

  return hb_ot_color_has_png (face) || hb_ot_color_has_layers (face) || hb_ot_color_has_svg (face)
         || !(has_table (face, HB_TAG ('g', 'l', 'y', 'f'))
              || has_table (face, HB_TAG ('C', 'F', 'F', ' '))
              || has_table (face, HB_TAG ('C', 'F', 'F', '2')));
}

/* Whether there are glyphs in @layout that are pictures: colour emoji, as a rule. */
gboolean
weft_layout_has_pictures (PangoLayout *layout)
{
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  gboolean has = FALSE;

  do {
    PangoLayoutRun *run = pango_layout_iter_get_run_readonly (iter);
    has = has || (run != NULL && has_picture_glyphs (run));
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);
  return has;
}

/**
 * weft_layout_hide_pictures:
 * @pictures: whether to hide the glyphs that are pictures, or all others
 *
 * Returns: (transfer full): what weft_layout_restore() needs
 */
GArray *
weft_layout_hide_pictures (PangoLayout *layout, gboolean pictures)
{
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  GArray *hidden = g_array_new (FALSE, FALSE, sizeof (PangoGlyph));

  do {
    PangoLayoutRun *run = pango_layout_iter_get_run (iter);
    if (run == NULL)
      continue;
    gboolean hide = has_picture_glyphs (run) == pictures;
    for (gint i = 0; i < run->glyphs->num_glyphs; i++) {
      g_array_append_val (hidden, run->glyphs->glyphs[i].glyph);
      if (hide)
        run->glyphs->glyphs[i].glyph = PANGO_GLYPH_EMPTY;
    }
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);
  return hidden;
}

/* Undoes weft_layout_hide_pictures(). */
void
weft_layout_restore (PangoLayout *layout, GArray *hidden)
{
  PangoLayoutIter *iter = pango_layout_get_iter (layout);
  guint n = 0;

  do {
    PangoLayoutRun *run = pango_layout_iter_get_run (iter);
    for (gint i = 0; run != NULL && i < run->glyphs->num_glyphs; i++)
      run->glyphs->glyphs[i].glyph = g_array_index (hidden, PangoGlyph, n++);
  } while (pango_layout_iter_next_run (iter));
  pango_layout_iter_free (iter);
}
