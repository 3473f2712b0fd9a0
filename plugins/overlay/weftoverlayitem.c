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
#define MAX_ANIMATION_S 60.0

typedef struct {
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
  WeftAnimation animation_in;
  WeftAnimation animation_out;
  gdouble animation_s;
} WeftOverlayItemPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WeftOverlayItem, weft_overlay_item, G_TYPE_OBJECT)

static const gchar *const common_members[] = { "type", "id", "start", "end", "position", "x", "y",
  "opacity", "animate", NULL };

static const struct {
  const gchar *name;
  GType (*get_type) (void);
} kinds[] = {
  { "text", weft_text_item_get_type },
  { "image", weft_image_item_get_type },
  { "video", weft_video_item_get_type },
};

/* In the order of the grid: row by row, left to right. */
static const gchar *const position_nicks[] = { "top-left", "top", "top-right", "left", "center",
  "right", "bottom-left", "bottom", "bottom-right", "top-center", "center-left", "center-center",
  "center-right", "bottom-center", NULL };
static const guint8 position_cells[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 4, 5, 7 };

static const gchar *const animation_nicks[] = { "none", "fade", "slide-up", "slide-down",
  "slide-left", "slide-right", NULL };

#define GET_PRIVATE(self) ((WeftOverlayItemPrivate *) weft_overlay_item_get_instance_private (self))

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

const gchar *
weft_overlay_item_get_pointer (WeftOverlayItem *self)
{
  return GET_PRIVATE (self)->pointer;
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

gboolean
weft_overlay_item_is_animated (WeftOverlayItem *self)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  return priv->animation_in != WEFT_ANIMATION_NONE || priv->animation_out != WEFT_ANIMATION_NONE;
}

static gboolean
is_sideways (WeftAnimation animation)
{
  return animation == WEFT_ANIMATION_SLIDE_LEFT || animation == WEFT_ANIMATION_SLIDE_RIGHT;
}

static gboolean
is_upright (WeftAnimation animation)
{
  return animation == WEFT_ANIMATION_SLIDE_UP || animation == WEFT_ANIMATION_SLIDE_DOWN;
}

gboolean
weft_overlay_item_moves (WeftOverlayItem *self)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  return priv->animation_in >= WEFT_ANIMATION_SLIDE_UP
         || priv->animation_out >= WEFT_ANIMATION_SLIDE_UP;
}

/* The schema of jobs knows more animations than this build. */
static gboolean
get_animation (
    const WeftValue *animate, const gchar *name, WeftAnimation *animation, GError **error)
{
  static const gchar *const later[] = { "pop", "typewriter", NULL };
  const gchar *nick = NULL;
  gint index = WEFT_ANIMATION_NONE;

  if (!weft_value_get_string (animate, name, &nick, error))
    return FALSE;
  if (nick != NULL && g_strv_contains (later, nick)) {
    g_autofree gchar *pointer = g_strconcat (animate->pointer, "/", name, NULL);
    g_autofree gchar *all = g_strjoinv (" ", (gchar **) animation_nicks);
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_UNSUPPORTED, pointer,
        "this build has no animation “%s”, only: %s", nick, all);
    return FALSE;
  }
  if (!weft_value_get_enum (animate, name, animation_nicks, &index, error))
    return FALSE;
  *animation = (WeftAnimation) index;
  return TRUE;
}

static gboolean
parse_animate (WeftOverlayItem *self, const WeftValue *value, GError **error)
{
  static const gchar *const members[] = { "in", "out", "duration", NULL };
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  g_autofree gchar *pointer = NULL;
  WeftValue animate;

  if (!weft_value_get_object (value, "animate", &animate, &pointer, error))
    return FALSE;
  return animate.object == NULL
         || (weft_value_check_members (&animate, members, error)
             && get_animation (&animate, "in", &priv->animation_in, error)
             && get_animation (&animate, "out", &priv->animation_out, error)
             && weft_value_get_number (
                 &animate, "duration", 0.0, MAX_ANIMATION_S, &priv->animation_s, error));
}

static gboolean
parse_common (WeftOverlayItem *self, const WeftValue *value, GError **error)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  gint position = 4;

  if (!weft_value_get_time (value, "start", &priv->start, error)
      || !weft_value_get_time (value, "end", &priv->end, error)
      || !weft_value_get_enum (value, "position", position_nicks, &position, error)
      || !weft_value_get_length (value, "x", -WEFT_MAX_PIXELS, &priv->x, error)
      || !weft_value_get_length (value, "y", -WEFT_MAX_PIXELS, &priv->y, error)
      || !weft_value_get_number (value, "opacity", 0.0, 1.0, &priv->opacity, error)
      || !parse_animate (self, value, error))
    return FALSE;
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
        "the item needs a “type”, “text”, “image” or “video”");
    return G_TYPE_INVALID;
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (kinds[i].name, type))
      return kinds[i].get_type ();
  }
  g_autofree gchar *found = weft_value_shorten (type);
  g_autofree gchar *pointer = g_strconcat (value->pointer, "/type", NULL);
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_UNSUPPORTED, pointer,
      "this build cannot draw items of type “%s”, only “text”, “image” and “video”", found);
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
 * weft_overlay_item_draw:
 *
 * Returns: (transfer full) (nullable): the item as it rests, its opacity included
 */
WeftPicture *
weft_overlay_item_draw (WeftOverlayItem *self, WeftDrawing *drawing, GError **error)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  g_autoptr (WeftPicture) picture = WEFT_OVERLAY_ITEM_GET_CLASS (self)->draw (self, drawing, error);

  if (picture == NULL)
    return NULL;
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
  /* In timeline pixels, so that it is as wide as it is high. */
  gdouble margin =
      MARGIN_FRACTION * MIN (canvas->width / canvas->scale_x, canvas->height / canvas->scale_y);
  gdouble left =
      priv->x.unit != WEFT_LENGTH_UNSET
          ? weft_length_to_pixels (&priv->x, canvas->width, canvas->scale_x)
          : place_axis (priv->horizontal, width, canvas->width, margin * canvas->scale_x);
  gdouble top = priv->y.unit != WEFT_LENGTH_UNSET
                    ? weft_length_to_pixels (&priv->y, canvas->height, canvas->scale_y)
                    : place_axis (priv->vertical, height, canvas->height, margin * canvas->scale_y);

  *x = (gint) floor (left + 0.5);
  *y = (gint) floor (top + 0.5);
}

/**
 * weft_overlay_item_get_clip:
 * @clip: (out): the part of the plane that can ever be seen: the frame, and where the item slides a
 *   frame on both sides of it
 */
void
weft_overlay_item_get_clip (
    WeftOverlayItem *self, const WeftCanvas *canvas, cairo_rectangle_int_t *clip)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);
  WeftAnimation in = priv->animation_in, out = priv->animation_out;
  gint around_x = 0, around_y = 0;

  if (is_sideways (in) || is_sideways (out))
    around_x = CLAMP ((MAX_SIDE - canvas->width) / 2, 0, canvas->width);
  if (is_upright (in) || is_upright (out))
    around_y = CLAMP ((MAX_SIDE - canvas->height) / 2, 0, canvas->height);
  *clip = (cairo_rectangle_int_t){ -around_x, -around_y, canvas->width + 2 * around_x,
    canvas->height + 2 * around_y };
}

/* @progress: 0 away, 1 at rest. The item slows down as it comes to rest: cubic ease-out. */
static void
apply_animation (WeftAnimation animation, gboolean is_out, gdouble progress,
    const WeftCanvas *canvas, const cairo_rectangle_int_t *box, WeftPose *pose)
{
  gdouble away = pow (1.0 - progress, 3.0);
  /* An item that comes in by sliding down starts above; one that goes by sliding down ends below.
   */
  gint right = is_out ? canvas->width - box->x : -(box->x + box->width);
  gint left = is_out ? -(box->x + box->width) : canvas->width - box->x;
  gint down = is_out ? canvas->height - box->y : -(box->y + box->height);
  gint up = is_out ? -(box->y + box->height) : canvas->height - box->y;

  switch (animation) {
    case WEFT_ANIMATION_NONE:
      break;
    case WEFT_ANIMATION_FADE:
      pose->opacity *= progress;
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
 * @since_start_s: seconds from its start to the middle of the frame
 * @until_end_s: seconds from the middle of the frame to its end, infinite if it has none
 * @pose: (out): its opacity and offset in this frame
 */
void
weft_overlay_item_get_pose (WeftOverlayItem *self, const WeftCanvas *canvas,
    const cairo_rectangle_int_t *box, gdouble since_start_s, gdouble until_end_s, WeftPose *pose)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  *pose = (WeftPose){ 1.0, 0, 0 };
  if (since_start_s < priv->animation_s)
    apply_animation (
        priv->animation_in, FALSE, since_start_s / priv->animation_s, canvas, box, pose);
  if (until_end_s < priv->animation_s)
    apply_animation (priv->animation_out, TRUE, until_end_s / priv->animation_s, canvas, box, pose);
}

static void
weft_overlay_item_init (WeftOverlayItem *self)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (self);

  priv->end = GST_CLOCK_TIME_NONE;
  priv->opacity = 1.0;
  priv->animation_s = DEFAULT_ANIMATION_S;
}

static void
weft_overlay_item_finalize (GObject *object)
{
  WeftOverlayItemPrivate *priv = GET_PRIVATE (WEFT_OVERLAY_ITEM (object));

  g_free (priv->pointer);
  g_free (priv->base_folder);
  g_free (priv->look);
  G_OBJECT_CLASS (weft_overlay_item_parent_class)->finalize (object);
}

static void
weft_overlay_item_class_init (WeftOverlayItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_overlay_item_finalize;
}
