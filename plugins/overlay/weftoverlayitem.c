/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every kind of item has: when it shows, where it stands, how it comes and goes. */

#include "weftoverlayitem.h"

#include <math.h>
#include <string.h>

/* Distance of a named position from the edges of the frame, as a part of its shorter side. Keeps
 * clear of what phones and players draw there; 5 % is also the old title-safe margin. */
#define MARGIN_FRACTION 0.05
/* The longest side of a cairo image. */
#define MAX_SIDE 32767
#define DEFAULT_ANIMATION_S 0.3
/* For each letter of a typewriter. */
#define DEFAULT_LETTER_S 0.05
#define MAX_ROTATION 360.0

typedef struct {
  gchar *id;
  gchar *pointer;
  gchar *base_folder;
  gchar *look;
  GstClockTime start;
  GstClockTime end;
  WeftAlign horizontal;
  WeftAlign vertical;
  WeftLength x;
  WeftLength y;
  gdouble opacity;
  /* Clockwise, in degrees. */
  gdouble rotation;
  WeftAnimate animate;
  guint n_letters;
  gchar *text_pointer;
  WeftOverlayPlacer placer;
  gpointer placer_data;
  GDestroyNotify placer_destroy;
} WeftOverlayItemPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WeftOverlayItem, weft_overlay_item, G_TYPE_OBJECT)

static const gchar *const common_members[] = { "type", "id", "start", "end", "position", "x", "y",
  "opacity", "rotation", "animate", NULL };

static const struct {
  const gchar *name;
  GType (*get_type) (void);
} kinds[] = {
  { "text", weft_text_item_get_type },
  { "image", weft_image_item_get_type },
  { "captions", weft_captions_item_get_type },
  { "video", weft_video_item_get_type },
  { "timer", weft_timer_item_get_type },
  { "counter", weft_counter_item_get_type },
  { "progress-bar", weft_bar_item_get_type },
  { "frame-code", weft_code_item_get_type },
};

/* In the order of the grid: row by row, left to right. */
static const gchar *const position_nicks[] = { "top-left", "top", "top-right", "left", "center",
  "right", "bottom-left", "bottom", "bottom-right", "top-center", "center-left", "center-center",
  "center-right", "bottom-center", NULL };
static const guint8 position_cells[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 4, 5, 7 };

#define GET_PRIVATE(self) ((WeftOverlayItemPrivate *) weft_overlay_item_get_instance_private (self))

/* Returns: (transfer none) (nullable): what was kept for @look */
gpointer
weft_kept_get (const WeftKept *kept, const gchar *look)
{
  return g_strcmp0 (kept->look, look) == 0 ? kept->data : NULL;
}

/* @data: (transfer full): takes the place of what was kept before */
void
weft_kept_set (WeftKept *kept, const gchar *look, gpointer data, GDestroyNotify free_func)
{
  weft_kept_clear (kept);
  *kept = (WeftKept){ g_strdup (look), data, free_func };
}

void
weft_kept_clear (WeftKept *kept)
{
  if (kept->look != NULL)
    kept->free_func (kept->data);
  g_clear_pointer (&kept->look, g_free);
}

void
weft_picture_free (WeftPicture *picture)
{
  g_clear_pointer (&picture->pixels, cairo_surface_destroy);
  g_free (picture);
}

gdouble
weft_length_to_pixels (const WeftLength *length, gint frame_size, gdouble scale)
{
  return length->unit == WEFT_LENGTH_FRACTION ? length->value * frame_size : length->value * scale;
}

/* Returns: (nullable): what the document calls it */
const gchar *
weft_overlay_item_get_id (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->id;
}

const gchar *
weft_overlay_item_get_pointer (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->pointer;
}

/* For an item whose words stand elsewhere than its looks: where in the document that is said.
 * Before it is drawn for the first time. */
void
weft_overlay_item_set_text_pointer (WeftOverlayItem *self, const gchar *pointer)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  g_free (priv->text_pointer);
  priv->text_pointer = g_strdup (pointer);
}

/* Returns: (nullable): as set */
const gchar *
weft_overlay_item_get_text_pointer (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->text_pointer;
}

/* The folder that relative paths of the item start from. */
const gchar *
weft_overlay_item_get_base_folder (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->base_folder;
}

/**
 * weft_overlay_item_get_look:
 *
 * Returns: a string that is the same for two items that look the same at rest
 */
const gchar *
weft_overlay_item_get_look (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->look;
}

GstClockTime
weft_overlay_item_get_start (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->start;
}

/* %GST_CLOCK_TIME_NONE: the end of the timeline. */
GstClockTime
weft_overlay_item_get_end (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->end;
}

/* Returns: (nullable): the sink pad that its pictures come through; %NULL if it is drawn */
const gchar *
weft_overlay_item_get_pad (WeftOverlayItem *self)
{
  WeftOverlayItemClass *klass = WEFT_OVERLAY_ITEM_GET_CLASS (self);

  return klass->get_pad != NULL ? klass->get_pad (self) : NULL;
}

gdouble
weft_overlay_item_get_opacity (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->opacity;
}

/* Whether its left edge is given as a number. */
gboolean
weft_overlay_item_has_x (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->x.unit != WEFT_LENGTH_UNSET;
}

static gboolean
is_typed (WeftOverlayItem *self)
{
  return weft_animate_has (&GET_PRIVATE (self)->animate, WEFT_ANIMATION_TYPEWRITER);
}

/* Whether it is ever drawn otherwise than at rest. */
gboolean
weft_overlay_item_changes_look (WeftOverlayItem *self)
{
  return is_typed (self) || weft_animate_has (&GET_PRIVATE (self)->animate, WEFT_ANIMATION_POP)
         || WEFT_OVERLAY_ITEM_GET_CLASS (self)->get_content != NULL;
}

/* Whether it ever stands elsewhere than at rest. */
gboolean
weft_overlay_item_moves (WeftOverlayItem *self)
{
  const WeftAnimate *animate = &GET_PRIVATE (self)->animate;

  return weft_animate_is_sideways (animate) || weft_animate_is_upright (animate);
}

static gboolean
parse_common (WeftOverlayItem *self, const WeftValue *value, GError **error)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  const gchar *id = NULL;
  gint position = 4;

  if (!weft_value_get_string (value, "id", &id, error)
      || !weft_value_get_time (value, "start", &priv->start, error)
      || !weft_value_get_time (value, "end", &priv->end, error)
      || !weft_value_get_enum (value, "position", position_nicks, &position, error)
      || !weft_value_get_length (value, "x", -WEFT_MAX_PIXELS, &priv->x, error)
      || !weft_value_get_length (value, "y", -WEFT_MAX_PIXELS, &priv->y, error)
      || !weft_value_get_number (value, "opacity", 0.0, 1.0, &priv->opacity, error)
      || !weft_value_get_number (
          value, "rotation", -MAX_ROTATION, MAX_ROTATION, &priv->rotation, error)
      || !weft_animate_parse (&priv->animate, value, error))
    return FALSE;
  if (is_typed (self) && WEFT_OVERLAY_ITEM_GET_CLASS (self)->count_letters == NULL) {
    g_autofree gchar *pointer = g_strconcat (value->pointer, "/animate", NULL);
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, pointer, "only items of the type “text” can be typed");
    return FALSE;
  }
  /* The frames of a video are blended as they come. */
  if (WEFT_OVERLAY_ITEM_GET_CLASS (self)->draw == NULL
      && (priv->rotation != 0.0 || weft_animate_has (&priv->animate, WEFT_ANIMATION_POP))) {
    g_autofree gchar *pointer =
        g_strconcat (value->pointer, priv->rotation != 0.0 ? "/rotation" : "/animate", NULL);
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_UNSUPPORTED, pointer,
        "a video can fade and slide, but not be turned or scaled");
    return FALSE;
  }
  priv->id = g_strdup (id);
  priv->horizontal = (WeftAlign) (position_cells[position] % 3);
  priv->vertical = (WeftAlign) (position_cells[position] / 3);
  if (GST_CLOCK_TIME_IS_VALID (priv->start) && GST_CLOCK_TIME_IS_VALID (priv->end)
      && priv->end < priv->start) {
    g_autofree gchar *pointer = g_strconcat (value->pointer, "/end", NULL);
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, pointer, "the item ends before it starts");
    return FALSE;
  }
  return TRUE;
}

/* Everything of the item but its times: when two items agree in it, they look the same. */
static gchar *
make_look (JsonObject *object, const gchar *base_folder)
{
  static const gchar *const timing[] = { "start", "end", "id" };
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autoptr (JsonObject) look = json_object_new ();
  g_autoptr (GList) names = g_list_sort (json_object_get_members (object), (GCompareFunc) strcmp);

  for (GList *l = names; l != NULL; l = l->next)
    json_object_set_member (look, l->data, json_object_dup_member (object, l->data));
  for (guint i = 0; i < G_N_ELEMENTS (timing); i++)
    json_object_remove_member (look, timing[i]);
  json_object_set_string_member (look, "base", base_folder);
  json_node_init_object (node, look);
  return json_to_string (node, FALSE);
}

static gboolean
check_members (
    WeftOverlayItemClass *klass, const WeftValue *value, const gchar *type, GError **error)
{
  g_autoptr (GPtrArray) known = g_ptr_array_new ();

  for (guint i = 0; common_members[i] != NULL; i++)
    g_ptr_array_add (known, (gpointer) common_members[i]);
  for (guint i = 0; klass->members[i] != NULL; i++)
    g_ptr_array_add (known, (gpointer) klass->members[i]);
  g_ptr_array_add (known, NULL);
  return weft_value_check_members (value, (const gchar *const *) known->pdata, error);
}

static GType
find_kind (const WeftValue *value, GError **error)
{
  const gchar *type = NULL;

  if (!weft_value_get_string (value, "type", &type, error))
    return G_TYPE_INVALID;
  if (type == NULL) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, value->pointer,
        "the item needs a “type”, such as “text” or “image”");
    return G_TYPE_INVALID;
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (kinds[i].name, type))
      return kinds[i].get_type ();
  }
  g_autofree gchar *found = weft_value_shorten (type);
  g_autofree gchar *pointer = g_strconcat (value->pointer, "/type", NULL);
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    g_string_append_printf (all, " %s", kinds[i].name);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_UNSUPPORTED, pointer,
      "this build cannot draw items of type “%s”, only:%s", found, all->str);
  return G_TYPE_INVALID;
}

/**
 * weft_overlay_item_new_from_json:
 * @node: one element of `overlays`
 * @pointer: its JSON Pointer
 * @base_folder: what relative paths start from
 *
 * Returns: (transfer full) (nullable): the item
 */
WeftOverlayItem *
weft_overlay_item_new_from_json (
    JsonNode *node, const gchar *pointer, const gchar *base_folder, GError **error)
{
  WeftValue value;

  if (!weft_value_init (&value, node, pointer, error))
    return NULL;
  GType type = find_kind (&value, error);
  if (type == G_TYPE_INVALID)
    return NULL;

  g_autoptr (WeftOverlayItem) self = g_object_new (type, NULL);
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  WeftOverlayItemClass *klass = WEFT_OVERLAY_ITEM_GET_CLASS (self);
  priv->pointer = g_strdup (pointer);
  priv->base_folder = g_strdup (base_folder);
  if (!check_members (klass, &value, NULL, error) || !parse_common (self, &value, error)
      || !klass->parse (self, &value, error))
    return NULL;
  if (is_typed (self))
    priv->n_letters = klass->count_letters (self);
  priv->look = make_look (value.object, base_folder);
  return g_steal_pointer (&self);
}

gboolean
weft_overlay_item_check (WeftOverlayItem *self, GHashTable *good, GError **error)
{
  WeftOverlayItemClass *klass = WEFT_OVERLAY_ITEM_GET_CLASS (self);

  return klass->check == NULL || klass->check (self, good, error);
}

/**
 * weft_overlay_item_measure:
 * @box: (out): where the item would stand, were it not for its placer
 *
 * Returns: %FALSE if it cannot be drawn, or draws nothing
 */
gboolean
weft_overlay_item_measure (WeftOverlayItem *self, WeftDrawing *drawing, cairo_rectangle_int_t *box)
{
  WeftDrawing measuring = *drawing;

  measuring.box_only = TRUE;
  measuring.state = WEFT_ITEM_STATE_REST;
  g_autoptr (WeftPicture) picture =
      WEFT_OVERLAY_ITEM_GET_CLASS (self)->draw (self, &measuring, NULL);
  if (picture == NULL)
    return FALSE;
  *box = picture->box;
  return TRUE;
}

static void
move_to_place (WeftOverlayItem *self, WeftDrawing *drawing, WeftPicture *picture)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  cairo_rectangle_int_t box, moved;

  if (priv->placer == NULL || !weft_overlay_item_measure (self, drawing, &box))
    return;
  moved = box;
  priv->placer (self, drawing, &moved, priv->placer_data);
  picture->x += moved.x - box.x;
  picture->y += moved.y - box.y;
  picture->box.x += moved.x - box.x;
  picture->box.y += moved.y - box.y;
}

/**
 * weft_overlay_item_set_placer:
 * @placer: is called on the render thread each time the item is drawn
 * @key: the same for two items of the same look only if they come to stand at the same place
 *
 * Before the item is drawn for the first time.
 */
void
weft_overlay_item_set_placer (WeftOverlayItem *self, WeftOverlayPlacer placer, gpointer user_data,
    GDestroyNotify destroy, const gchar *key)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  g_autofree gchar *look = priv->look;

  priv->placer = placer;
  priv->placer_data = user_data;
  priv->placer_destroy = destroy;
  priv->look = g_strconcat (look, "\n", key, NULL);
}

/**
 * weft_overlay_item_draw:
 *
 * Returns: (transfer full) (nullable): the item in the state of @drawing, its opacity included
 */
WeftPicture *
weft_overlay_item_draw (WeftOverlayItem *self, WeftDrawing *drawing, GError **error)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  g_autoptr (WeftPicture) picture = WEFT_OVERLAY_ITEM_GET_CLASS (self)->draw (self, drawing, error);

  if (picture == NULL)
    return NULL;
  move_to_place (self, drawing, picture);
  if (picture->pixels != NULL && priv->opacity < 1.0) {
    g_autoptr (WeftCairo) cr = cairo_create (picture->pixels);
    cairo_set_operator (cr, CAIRO_OPERATOR_DEST_IN);
    cairo_set_source_rgba (cr, 0, 0, 0, priv->opacity);
    cairo_paint (cr);
  }
  return g_steal_pointer (&picture);
}

static gdouble
place_axis (WeftAlign align, gdouble size, gdouble frame_size, gdouble margin)
{
  /* What leaves no room for margins stands at the edge: a picture as large as the frame covers it.
   */
  gdouble kept = CLAMP ((frame_size - size) / 2, 0.0, margin);

  switch (align) {
    case WEFT_ALIGN_START:
      return kept;
    case WEFT_ALIGN_CENTER:
      return (frame_size - size) / 2;
    case WEFT_ALIGN_END:
      return frame_size - kept - size;
  }
  g_assert_not_reached ();
}

/**
 * weft_overlay_get_margins:
 * @x: (out): how far named positions keep from the left and right edge, in frame pixels
 * @y: (out): and from the others
 */
void
weft_overlay_get_margins (const WeftCanvas *canvas, gdouble *x, gdouble *y)
{
  /* In timeline pixels, so that it is as wide as it is high. */
  gdouble margin =
      MARGIN_FRACTION * MIN (canvas->width / canvas->scale_x, canvas->height / canvas->scale_y);

  *x = margin * canvas->scale_x;
  *y = margin * canvas->scale_y;
}

/**
 * weft_overlay_item_place:
 * @width: of the item's box in frame pixels
 * @height: of the item's box in frame pixels
 * @x: (out): its left edge, a whole pixel so that straight edges stay sharp
 * @y: (out): its top edge
 */
void
weft_overlay_item_place (WeftOverlayItem *self, const WeftCanvas *canvas, gdouble width,
    gdouble height, gint *x, gint *y)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  gdouble margin_x, margin_y;

  weft_overlay_get_margins (canvas, &margin_x, &margin_y);
  gdouble left = priv->x.unit != WEFT_LENGTH_UNSET
                     ? weft_length_to_pixels (&priv->x, canvas->width, canvas->scale_x)
                     : place_axis (priv->horizontal, width, canvas->width, margin_x);
  gdouble top = priv->y.unit != WEFT_LENGTH_UNSET
                    ? weft_length_to_pixels (&priv->y, canvas->height, canvas->scale_y)
                    : place_axis (priv->vertical, height, canvas->height, margin_y);

  *x = (gint) floor (left + 0.5);
  *y = (gint) floor (top + 0.5);
}

/* The part of the plane that can ever be seen: the frame, and where the item slides a frame on both
 * sides of it. */
static void
get_clip (WeftOverlayItem *self, const WeftCanvas *canvas, WeftBounds *clip)
{
  const WeftAnimate *animate = &GET_PRIVATE (self)->animate;
  gint around_x = 0, around_y = 0;

  if (weft_animate_is_sideways (animate))
    around_x = CLAMP ((MAX_SIDE - canvas->width) / 2, 0, canvas->width);
  if (weft_animate_is_upright (animate))
    around_y = CLAMP ((MAX_SIDE - canvas->height) / 2, 0, canvas->height);
  *clip = (WeftBounds){ -around_x, -around_y, canvas->width + around_x, canvas->height + around_y };
}

static void
transform_bounds (const cairo_matrix_t *matrix, WeftBounds *b)
{
  const gdouble corners[4][2] = { { b->x0, b->y0 }, { b->x1, b->y0 }, { b->x0, b->y1 },
    { b->x1, b->y1 } };

  *b = (WeftBounds){ INFINITY, INFINITY, -INFINITY, -INFINITY };
  for (guint i = 0; i < G_N_ELEMENTS (corners); i++) {
    gdouble x = corners[i][0], y = corners[i][1];
    cairo_matrix_transform_point (matrix, &x, &y);
    *b = (WeftBounds){ MIN (b->x0, x), MIN (b->y0, y), MAX (b->x1, x), MAX (b->y1, y) };
  }
}

static gboolean
intersect (const WeftBounds *a, const WeftBounds *b, cairo_rectangle_int_t *pixels)
{
  gint x0 = (gint) floor (MAX (a->x0, b->x0)), y0 = (gint) floor (MAX (a->y0, b->y0));
  gint x1 = (gint) ceil (MIN (a->x1, b->x1)), y1 = (gint) ceil (MIN (a->y1, b->y1));

  *pixels = (cairo_rectangle_int_t){ x0, y0, x1 - x0, y1 - y0 };
  return x1 > x0 && y1 > y0;
}

static WeftBounds
get_bounds (const cairo_rectangle_int_t *r, gint around)
{
  return (WeftBounds){ r->x - around, r->y - around, r->x + r->width + around,
    r->y + r->height + around };
}

/* What of an upright item may show once it is turned, at most: a picture of the side of three
 * frames is all that is ever drawn. */
static WeftBounds
get_source_limit (const WeftCanvas *canvas)
{
  gint around = MAX (canvas->width, canvas->height);

  around = CLAMP ((MAX_SIDE - around) / 2, 0, around);
  return (WeftBounds){ -around, -around, canvas->width + around, canvas->height + around };
}

/**
 * weft_overlay_item_get_stage:
 * @box: where the item is placed
 * @ink: what it touches while it is upright and of its own size
 * @stage: (out): where it is drawn in its state
 *
 * Returns: %FALSE if nothing of it can be seen; the box of @stage is set all the same
 */
gboolean
weft_overlay_item_get_stage (WeftOverlayItem *self, const WeftDrawing *drawing,
    const cairo_rectangle_int_t *box, const WeftBounds *ink, WeftStage *stage)
{
  const WeftCanvas *canvas = &drawing->canvas;
  gdouble scale = 1.0 + drawing->state.growth / 1000.0;
  gdouble angle = GET_PRIVATE (self)->rotation * G_PI / 180.0;
  gdouble middle_x = box->x + box->width / 2.0, middle_y = box->y + box->height / 2.0;
  cairo_matrix_t *m = &stage->matrix, inverse;
  WeftBounds clip;

  stage->box = *box;
  cairo_matrix_init_identity (m);
  get_clip (self, canvas, &clip);
  if (angle == 0.0 && scale == 1.0) {
    gboolean seen = intersect (ink, &clip, &stage->area);
    stage->source = stage->area;
    return seen;
  }
  /* About the middle of its box, in pixels that are square. */
  cairo_matrix_translate (m, middle_x, middle_y);
  cairo_matrix_scale (m, canvas->scale_x * scale, canvas->scale_y * scale);
  cairo_matrix_rotate (m, angle);
  cairo_matrix_scale (m, 1.0 / canvas->scale_x, 1.0 / canvas->scale_y);
  cairo_matrix_translate (m, -middle_x, -middle_y);
  inverse = *m;
  if (scale <= 0.0 || cairo_matrix_invert (&inverse) != CAIRO_STATUS_SUCCESS)
    return FALSE;

  WeftBounds turned_box = get_bounds (box, 0), back = clip, limit = get_source_limit (canvas);
  transform_bounds (m, &turned_box);
  stage->box.x = (gint) floor (turned_box.x0);
  stage->box.y = (gint) floor (turned_box.y0);
  stage->box.width = (gint) ceil (turned_box.x1) - stage->box.x;
  stage->box.height = (gint) ceil (turned_box.y1) - stage->box.y;
  transform_bounds (&inverse, &back);
  back = (WeftBounds){ MAX (back.x0, limit.x0), MAX (back.y0, limit.y0), MIN (back.x1, limit.x1),
    MIN (back.y1, limit.y1) };
  if (!intersect (ink, &back, &stage->source))
    return FALSE;
  /* A pixel around for what is smoothed. */
  WeftBounds turned = get_bounds (&stage->source, 1);
  transform_bounds (m, &turned);
  return intersect (&turned, &clip, &stage->area);
}

/**
 * weft_cairo_add_box:
 * @radius: of the corners in timeline pixels
 *
 * Adds a rounded rectangle at the origin, given in frame pixels; the corners are scaled as the
 * frame is.
 */
void
weft_cairo_add_box (
    cairo_t *cr, gdouble width_px, gdouble height_px, gdouble radius, const WeftCanvas *canvas)
{
  gdouble w = width_px / canvas->scale_x, h = height_px / canvas->scale_y;
  gdouble r = MIN (radius, MIN (w, h) / 2.0);

  cairo_save (cr);
  cairo_scale (cr, canvas->scale_x, canvas->scale_y);
  cairo_new_path (cr);
  if (r > 0.0) {
    cairo_arc (cr, w - r, r, r, -G_PI / 2, 0);
    cairo_arc (cr, w - r, h - r, r, 0, G_PI / 2);
    cairo_arc (cr, r, h - r, r, G_PI / 2, G_PI);
    cairo_arc (cr, r, r, r, G_PI, G_PI * 3 / 2);
    cairo_close_path (cr);
  } else {
    cairo_rectangle (cr, 0, 0, w, h);
  }
  cairo_restore (cr);
}

/**
 * weft_stage_begin:
 *
 * Returns: (transfer full): a context for the pixels of @stage, in which the item is drawn as if it
 *   stood upright in the frame
 */
cairo_t *
weft_stage_begin (const WeftStage *stage)
{
  g_autoptr (WeftCairoSurface) pixels =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, stage->area.width, stage->area.height);
  cairo_t *cr = cairo_create (pixels);

  cairo_translate (cr, -stage->area.x, -stage->area.y);
  cairo_transform (cr, &stage->matrix);
  return cr;
}

/**
 * weft_stage_end:
 * @cr: (transfer full): from weft_stage_begin()
 * @picture: (inout): gets what was drawn
 */
void
weft_stage_end (const WeftStage *stage, cairo_t *cr, WeftPicture *picture)
{
  picture->pixels = cairo_surface_reference (cairo_get_target (cr));
  picture->x = stage->area.x;
  picture->y = stage->area.y;
  cairo_destroy (cr);
}

static void
get_steps (WeftOverlayItem *self, const WeftMoment *moment, WeftStep steps[2])
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  weft_animate_get_steps (&priv->animate, moment,
      is_typed (self) ? DEFAULT_LETTER_S * priv->n_letters : DEFAULT_ANIMATION_S, steps);
}

/**
 * weft_overlay_item_get_state:
 * @state: (out): what it looks like
 */
void
weft_overlay_item_get_state (
    WeftOverlayItem *self, const WeftCanvas *canvas, const WeftMoment *moment, WeftItemState *state)
{
  WeftOverlayItemClass *klass = WEFT_OVERLAY_ITEM_GET_CLASS (self);
  guint n_letters = GET_PRIVATE (self)->n_letters;
  gdouble scale = 1.0, shown = n_letters;
  WeftStep steps[2];

  get_steps (self, moment, steps);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    if (steps[i].animation == WEFT_ANIMATION_POP)
      scale *= MAX (steps[i].progress, 0.0);
    else if (steps[i].animation == WEFT_ANIMATION_TYPEWRITER)
      shown = MIN (shown, ceil (CLAMP (steps[i].progress, 0.0, 1.0) * n_letters));
  }
  state->growth = (gint) lrint ((scale - 1.0) * 1000.0);
  /* Zero is all of it, and a text of which nothing shows yet must not be that. */
  state->content = shown < n_letters ? (guint64) shown + 1 : 0;
  if (klass->get_content != NULL)
    state->content = klass->get_content (self, canvas, moment);
}

static void
apply_step (const WeftStep *step, const WeftCanvas *canvas, const cairo_rectangle_int_t *box,
    WeftPose *pose)
{
  gdouble away = 1.0 - step->progress;
  gboolean is_out = step->is_out;
  /* An item that comes in by sliding down starts above; one that goes by sliding down ends below.
   */
  gint right = is_out ? canvas->width - box->x : -(box->x + box->width);
  gint left = is_out ? -(box->x + box->width) : canvas->width - box->x;
  gint down = is_out ? canvas->height - box->y : -(box->y + box->height);
  gint up = is_out ? -(box->y + box->height) : canvas->height - box->y;

  switch (step->animation) {
    case WEFT_ANIMATION_NONE:
    case WEFT_ANIMATION_POP:
    case WEFT_ANIMATION_TYPEWRITER:
      break;
    case WEFT_ANIMATION_FADE:
      pose->opacity *= CLAMP (step->progress, 0.0, 1.0);
      break;
    case WEFT_ANIMATION_SLIDE_UP:
      pose->dy += (gint) lrint (up * away);
      break;
    case WEFT_ANIMATION_SLIDE_DOWN:
      pose->dy += (gint) lrint (down * away);
      break;
    case WEFT_ANIMATION_SLIDE_LEFT:
      pose->dx += (gint) lrint (left * away);
      break;
    case WEFT_ANIMATION_SLIDE_RIGHT:
      pose->dx += (gint) lrint (right * away);
      break;
  }
}

/**
 * weft_overlay_item_get_pose:
 * @box: where the item rests
 * @pose: (out): its opacity and offset at @moment
 */
void
weft_overlay_item_get_pose (WeftOverlayItem *self, const WeftCanvas *canvas,
    const cairo_rectangle_int_t *box, const WeftMoment *moment, WeftPose *pose)
{
  WeftStep steps[2];

  *pose = (WeftPose){ 1.0, 0, 0 };
  get_steps (self, moment, steps);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    apply_step (&steps[i], canvas, box, pose);
}

static void
weft_overlay_item_init (WeftOverlayItem *self)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  priv->end = GST_CLOCK_TIME_NONE;
  priv->opacity = 1.0;
  weft_animate_init (&priv->animate);
}

static void
weft_overlay_item_finalize (GObject *object)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (WEFT_OVERLAY_ITEM (object));

  g_free (priv->id);
  g_free (priv->pointer);
  g_free (priv->text_pointer);
  g_free (priv->base_folder);
  g_free (priv->look);
  if (priv->placer_destroy != NULL)
    priv->placer_destroy (priv->placer_data);
  G_OBJECT_CLASS (weft_overlay_item_parent_class)->finalize (object);
}

static void
weft_overlay_item_class_init (WeftOverlayItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_overlay_item_finalize;
}
