/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pictures: of pixels, and SVG through librsvg, rasterised at its final size. */

#include "weftoverlayitem.h"

#include <librsvg/rsvg.h>
#include <math.h>
#include <string.h>

#include "weftimagedecoder.h"
#include "weftoverlaysource.h"

#define MAX_FILE_BYTES (64u << 20)
#define WEFT_TYPE_IMAGE_ITEM (weft_image_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftImageItem, weft_image_item, WEFT, IMAGE_ITEM, WeftOverlayItem)

struct _WeftImageItem {
  WeftOverlayItem parent_instance;

  gchar *uri;
  /* For messages. */
  gchar *name;
  WeftLength width;
  WeftLength height;
};

G_DEFINE_TYPE (WeftImageItem, weft_image_item, WEFT_TYPE_OVERLAY_ITEM)

/* The size an image is drawn at, in frame pixels, and where. */
typedef struct {
  gdouble width;
  gdouble height;
  gint x;
  gint y;
} Target;

/* A picture that was read: one of pixels, or an SVG. */
typedef struct {
  WeftRaster *raster;
  RsvgHandle *svg;
} Source;

/* What size_cb() needs. */
typedef struct {
  WeftImageItem *item;
  const WeftCanvas *canvas;
} Sizing;

static gboolean
weft_image_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  WeftImageItem *self = WEFT_IMAGE_ITEM (item);
  const gchar *src = NULL;
  g_autoptr (GError) local_error = NULL;

  if (!weft_value_get_string (value, "src", &src, error)
      || !weft_value_get_length (value, "width", 1.0, &self->width, error)
      || !weft_value_get_length (value, "height", 1.0, &self->height, error))
    return FALSE;
  if (src == NULL) {
    weft_overlay_set_error (
        error, WEFT_OVERLAY_ERROR_INVALID, value->pointer, "an image item needs a “src”");
    return FALSE;
  }
  self->uri =
      weft_overlay_source_resolve (src, weft_overlay_item_get_base_folder (item), &local_error);
  if (self->uri == NULL) {
    g_autofree gchar *where = g_strconcat (value->pointer, "/src", NULL);
    weft_overlay_set_error (
        error, (WeftOverlayError) local_error->code, where, "%s", local_error->message);
    return FALSE;
  }
  self->name = weft_overlay_source_get_name (self->uri);
  return TRUE;
}

static void
take_error (WeftImageItem *self, GError **error, GError *local_error)
{
  if (local_error->domain == WEFT_OVERLAY_ERROR)
    weft_overlay_error_locate (
        local_error, weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), self->name);
  g_propagate_error (error, local_error);
}

/* Where an image of @width by @height square pixels goes. One of width and height alone keeps the
 * aspect; none draws the image at its own size in timeline pixels. */
static void
compute_target (
    WeftImageItem *self, const WeftCanvas *canvas, gdouble width, gdouble height, Target *target)
{
  gdouble aspect = height / width;

  if (self->width.unit != WEFT_LENGTH_UNSET) {
    target->width = weft_length_to_pixels (&self->width, canvas->width, canvas->scale_x);
    target->height = target->width / canvas->scale_x * aspect * canvas->scale_y;
  } else {
    target->width = width * canvas->scale_x;
    target->height = height * canvas->scale_y;
  }
  if (self->height.unit != WEFT_LENGTH_UNSET) {
    target->height = weft_length_to_pixels (&self->height, canvas->height, canvas->scale_y);
    if (self->width.unit == WEFT_LENGTH_UNSET)
      target->width = target->height / canvas->scale_y / aspect * canvas->scale_x;
  }
  /* Whole pixels, so that the edges stay sharp. */
  target->width = CLAMP (floor (target->width + 0.5), 1.0, WEFT_MAX_PIXELS);
  target->height = CLAMP (floor (target->height + 0.5), 1.0, WEFT_MAX_PIXELS);
  weft_overlay_item_place (
      WEFT_OVERLAY_ITEM (self), canvas, target->width, target->height, &target->x, &target->y);
}

/* Where the target is drawn; FALSE if nothing of it can be seen. */
static gboolean
get_stage (WeftImageItem *self, const WeftDrawing *drawing, const Target *target, WeftStage *stage)
{
  const cairo_rectangle_int_t box = { target->x, target->y, (gint) ceil (target->width),
    (gint) ceil (target->height) };
  const WeftBounds ink = { box.x, box.y, box.x + box.width, box.y + box.height };

  return weft_overlay_item_get_stage (WEFT_OVERLAY_ITEM (self), drawing, &box, &ink, stage);
}

static void
size_cb (gint width, gint height, gdouble *shown_width, gdouble *shown_height, gpointer user_data)
{
  const Sizing *sizing = user_data;
  Target target;

  compute_target (sizing->item, sizing->canvas, width, height, &target);
  *shown_width = target.width;
  *shown_height = target.height;
}

static GError *
new_damaged_error (WeftImageItem *self, const gchar *reason)
{
  /* libxml2 ends its messages with a line break. */
  g_autofree gchar *stripped = g_strchomp (g_strdup (reason));

  return weft_overlay_error_new (WEFT_OVERLAY_ERROR_DAMAGED,
      weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), self->name,
      "%s cannot be decoded: %s", self->name, stripped);
}

/* What kind of picture @bytes are; an error if it is none that can be drawn, or not all of it. */
static WeftImageFormat
detect_format (WeftImageItem *self, GBytes *bytes, GError **error)
{
  WeftImageFormat format = weft_image_file_detect (bytes);

  if (format == WEFT_IMAGE_OTHER)
    g_propagate_error (error,
        weft_overlay_error_new (WEFT_OVERLAY_ERROR_UNSUPPORTED, NULL, NULL,
            "this build draws PNG, JPEG, WebP, GIF and SVG pictures, and %s is of another format",
            self->name));
  else if (format == WEFT_IMAGE_UNKNOWN)
    g_propagate_error (error, new_damaged_error (self, "it is no PNG, JPEG, WebP, GIF or SVG"));
  else if (!weft_image_file_is_complete (bytes, format))
    g_propagate_error (error, new_damaged_error (self, "it ends too early"));
  else
    return format;
  return WEFT_IMAGE_UNKNOWN;
}

static gboolean
weft_image_item_check (WeftOverlayItem *item, GHashTable *good, GError **error)
{
  WeftImageItem *self = WEFT_IMAGE_ITEM (item);
  GError *local_error = NULL;

  /* What a server has is seen when it is drawn: a check must not wait for it. */
  if (g_hash_table_contains (good, self->uri) || weft_overlay_source_is_remote (self->uri))
    return TRUE;
  g_autoptr (GBytes) bytes =
      weft_overlay_source_load (self->uri, MAX_FILE_BYTES, NULL, &local_error);
  if (bytes != NULL)
    detect_format (self, bytes, &local_error);
  if (local_error != NULL) {
    take_error (self, error, local_error);
    return FALSE;
  }
  g_hash_table_add (good, g_strdup (self->uri));
  return TRUE;
}

/* Returns: (transfer full) (nullable): what was drawn on; NULL if nothing shows */
static cairo_t *
draw_raster (WeftImageItem *self, WeftDrawing *drawing, const WeftRaster *raster, WeftStage *stage)
{
  Target target;

  compute_target (self, &drawing->canvas, raster->width, raster->height, &target);
  if (!get_stage (self, drawing, &target, stage))
    return NULL;

  gdouble width = cairo_image_surface_get_width (raster->pixels);
  gdouble height = cairo_image_surface_get_height (raster->pixels);
  cairo_t *cr = weft_stage_begin (stage);
  cairo_translate (cr, target.x, target.y);
  cairo_rectangle (cr, 0, 0, target.width, target.height);
  cairo_clip (cr);
  cairo_scale (cr, target.width / width, target.height / height);
  cairo_set_source_surface (cr, raster->pixels, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_GOOD);
  /* Without it the border pixels would fade into the nothing around the picture. */
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_paint (cr);
  return cr;
}

/* An SVG may say its size in pixels, only its aspect, or nothing at all. */
static void
get_svg_size (RsvgHandle *handle, gdouble *width, gdouble *height)
{
  gboolean has_width, has_height, has_viewbox;
  RsvgLength w, h;
  RsvgRectangle viewbox, ink;

  if (rsvg_handle_get_intrinsic_size_in_pixels (handle, width, height) && *width > 0 && *height > 0)
    return;
  rsvg_handle_get_intrinsic_dimensions (
      handle, &has_width, &w, &has_height, &h, &has_viewbox, &viewbox);
  if (has_viewbox && viewbox.width > 0 && viewbox.height > 0) {
    *width = viewbox.width;
    *height = viewbox.height;
  } else if (rsvg_handle_get_geometry_for_element (handle, NULL, &ink, NULL, NULL) && ink.width > 0
             && ink.height > 0) {
    *width = ink.x + ink.width;
    *height = ink.y + ink.height;
  } else {
    /* What CSS gives a replaced element that says nothing. */
    *width = 300;
    *height = 150;
  }
}

static RsvgHandle *
parse_svg (WeftImageItem *self, GBytes *bytes, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GError) local_error = NULL;
  /* No base URI and no unlimited flag: nothing outside of the file is read, and entities cannot
   * grow without end. */
  RsvgHandle *handle = rsvg_handle_new_from_data (data, size, &local_error);

  if (handle == NULL)
    g_propagate_error (error, new_damaged_error (self, local_error->message));
  else
    rsvg_handle_set_dpi (handle, 96.0);
  return handle;
}

/* Returns: as draw_raster(), or NULL with @error set */
static cairo_t *
draw_svg (
    WeftImageItem *self, WeftDrawing *drawing, RsvgHandle *handle, WeftStage *stage, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  gdouble width, height;
  Target target;

  get_svg_size (handle, &width, &height);
  if (!(width > 0 && height > 0 && width <= 1e6 && height <= 1e6)
      || width / height > WEFT_MAX_PIXELS || height / width > WEFT_MAX_PIXELS) {
    g_propagate_error (error,
        weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE, NULL, NULL,
            "%s has %g×%g pixels, which is too large or too narrow", self->name, width, height));
    return NULL;
  }
  compute_target (self, &drawing->canvas, width, height, &target);
  if (!get_stage (self, drawing, &target, stage))
    return NULL;

  g_autoptr (WeftCairo) cr = weft_stage_begin (stage);
  /* librsvg keeps the aspect of the viewport, so the stretch to other pixels is cairo's. */
  RsvgRectangle viewport = { 0, 0, width, height };
  cairo_translate (cr, target.x, target.y);
  cairo_scale (cr, target.width / width, target.height / height);
  if (!rsvg_handle_render_document (handle, cr, &viewport, &local_error)) {
    g_propagate_error (error, new_damaged_error (self, local_error->message));
    return NULL;
  }
  return g_steal_pointer (&cr);
}

static void
source_free (Source *source)
{
  g_clear_pointer (&source->raster, weft_raster_free);
  g_clear_object (&source->svg);
  g_free (source);
}

static gboolean
decode (WeftImageItem *self, WeftDrawing *drawing, GBytes *bytes, Source *source, GError **error)
{
  Sizing sizing = { self, &drawing->canvas };
  g_autoptr (GError) local_error = NULL;
  WeftImageFormat format = detect_format (self, bytes, error);

  if (format == WEFT_IMAGE_UNKNOWN)
    return FALSE;
  if (format == WEFT_IMAGE_SVG) {
    source->svg = parse_svg (self, bytes, error);
    return source->svg != NULL;
  }
  source->raster =
      weft_raster_decode (bytes, format, size_cb, &sizing, drawing->cancellable, &local_error);
  if (source->raster == NULL)
    g_propagate_error (
        error, weft_overlay_error_new ((WeftOverlayError) local_error->code, NULL, NULL,
                   "%s cannot be decoded: %s", self->name, local_error->message));
  return source->raster != NULL;
}

/* Returns: (transfer none) (nullable): the picture, read and decoded; kept while the item is drawn
 * in one state after another */
static const Source *
get_source (WeftImageItem *self, WeftDrawing *drawing, GError **error)
{
  const gchar *look = weft_overlay_item_get_look (WEFT_OVERLAY_ITEM (self));
  Source *source = weft_kept_get (drawing->kept, look);

  if (source != NULL)
    return source;
  g_autoptr (GBytes) bytes =
      weft_overlay_source_load (self->uri, MAX_FILE_BYTES, drawing->cancellable, error);
  if (bytes == NULL)
    return NULL;
  source = g_new0 (Source, 1);
  if (!decode (self, drawing, bytes, source, error)) {
    source_free (source);
    return NULL;
  }
  weft_kept_set (drawing->kept, look, source, (GDestroyNotify) source_free);
  return source;
}

static WeftPicture *
weft_image_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  WeftImageItem *self = WEFT_IMAGE_ITEM (item);
  g_autoptr (WeftPicture) picture = g_new0 (WeftPicture, 1);
  GError *local_error = NULL;
  const Source *source = get_source (self, drawing, &local_error);
  WeftStage stage = { 0 };
  cairo_t *cr = NULL;

  if (source != NULL && source->svg != NULL)
    cr = draw_svg (self, drawing, source->svg, &stage, &local_error);
  else if (source != NULL)
    cr = draw_raster (self, drawing, source->raster, &stage);
  if (cr != NULL && cairo_status (cr) != CAIRO_STATUS_SUCCESS)
    local_error = new_damaged_error (self, cairo_status_to_string (cairo_status (cr)));
  if (cr != NULL)
    weft_stage_end (&stage, cr, picture);
  if (local_error != NULL) {
    take_error (self, error, local_error);
    return NULL;
  }
  picture->box = stage.box;
  return g_steal_pointer (&picture);
}

static void
weft_image_item_init (WeftImageItem *self)
{}

static void
weft_image_item_finalize (GObject *object)
{
  WeftImageItem *self = WEFT_IMAGE_ITEM (object);

  g_free (self->name);
  g_free (self->uri);
  G_OBJECT_CLASS (weft_image_item_parent_class)->finalize (object);
}

static void
weft_image_item_class_init (WeftImageItemClass *klass)
{
  static const gchar *const members[] = { "src", "width", "height", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_image_item_finalize;
  item_class->members = members;
  item_class->parse = weft_image_item_parse;
  item_class->check = weft_image_item_check;
  item_class->draw = weft_image_item_draw;
}
