/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pictures: PNG and JPEG through gdk-pixbuf, SVG through librsvg, rasterised at its final size. */

#include "weftoverlayitem.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <librsvg/rsvg.h>
#include <math.h>
#include <string.h>

#include "weftimagefile.h"
#include "weftoverlaysource.h"

#define MAX_FILE_BYTES (64u << 20)
/* Bounds what decoding may allocate: 256 MiB. A JPEG is scaled while it is decoded, so that the
 * bound is on what is left of it, and photographs of any camera pass. */
#define MAX_DECODED_PIXELS (64 * G_GINT64_CONSTANT (1024) * 1024)
#define MAX_SIDE 65500

/* librsvg defines no cleanup function of its own before 2.56. */
typedef RsvgHandle WeftSvg;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSvg, g_object_unref)

#define WEFT_TYPE_IMAGE_ITEM (weft_image_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftImageItem, weft_image_item, WEFT, IMAGE_ITEM, WeftOverlayItem)

struct _WeftImageItem {
  WeftOverlayItem parent_instance;

  gchar *uri;
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

/* What the loader learns from the header, and decides by it. */
typedef struct {
  WeftImageItem *item;
  const WeftCanvas *canvas;
  WeftImageFormat format;
  gint width;
  gint height;
  gboolean too_large;
} Header;

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
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, where, "%s", local_error->message);
    return FALSE;
  }
  return TRUE;
}

static void
take_error (WeftImageItem *self, GError **error, GError *local_error)
{
  if (local_error->domain == WEFT_OVERLAY_ERROR)
    weft_overlay_error_locate (
        local_error, weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), self->uri);
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
size_prepared_cb (GdkPixbufLoader *loader, gint width, gint height, gpointer user_data)
{
  Header *header = user_data;
  gint decoded_width = width, decoded_height = height;

  header->width = width;
  header->height = height;
  if (header->format == WEFT_IMAGE_JPEG && width > 0 && height > 0) {
    Target target;
    compute_target (header->item, header->canvas, width, height, &target);
    /* libjpeg scales by eighths. Twice the final size leaves the fine scaling to cairo's filter;
     * the larger of both directions, because an orientation tag may still exchange them. */
    gdouble needed = 2.0 * MAX (target.width, target.height) / MIN (width, height);
    for (gint eighths = 1; eighths < 8; eighths *= 2) {
      if (eighths / 8.0 >= needed) {
        decoded_width = MAX (1, width * eighths / 8);
        decoded_height = MAX (1, height * eighths / 8);
        gdk_pixbuf_loader_set_size (loader, decoded_width, decoded_height);
        break;
      }
    }
  }
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE
      || (gint64) decoded_width * decoded_height > MAX_DECODED_PIXELS) {
    header->too_large = TRUE;
    /* A loader that was told 0 by 0 does not allocate the picture. */
    gdk_pixbuf_loader_set_size (loader, 0, 0);
  }
}

/* Feeds the loader by the piece, so that it can stop after the header. */
static GdkPixbuf *
load_pixbuf (
    WeftImageItem *self, GBytes *bytes, Header *header, GCancellable *cancellable, GError **error)
{
  const gsize piece = 64 * 1024;
  const gchar *type = header->format == WEFT_IMAGE_PNG ? "png" : "jpeg";
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type (type, error);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gboolean ok = TRUE;

  if (loader == NULL)
    return NULL;
  g_signal_connect (loader, "size-prepared", G_CALLBACK (size_prepared_cb), header);
  for (gsize i = 0; ok && i < size && !header->too_large; i += piece)
    ok = gdk_pixbuf_loader_write (loader, data + i, MIN (piece, size - i), error)
         && !g_cancellable_set_error_if_cancelled (cancellable, error);
  if (!ok || header->too_large) {
    gdk_pixbuf_loader_close (loader, NULL);
    return NULL;
  }
  if (!gdk_pixbuf_loader_close (loader, error))
    return NULL;
  GdkPixbuf *pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
  return pixbuf != NULL ? gdk_pixbuf_apply_embedded_orientation (pixbuf) : NULL;
}

static guint32
premultiply (guint r, guint g, guint b, guint a)
{
  r = r * a + 128;
  g = g * a + 128;
  b = b * a + 128;
  return a << 24 | ((r + (r >> 8)) >> 8) << 16 | ((g + (g >> 8)) >> 8) << 8 | ((b + (b >> 8)) >> 8);
}

static cairo_surface_t *
pixbuf_to_surface (GdkPixbuf *pixbuf)
{
  gint width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  gint n_channels = gdk_pixbuf_get_n_channels (pixbuf);
  const guint8 *src = gdk_pixbuf_read_pixels (pixbuf);
  cairo_surface_t *surface = cairo_image_surface_create (
      n_channels == 4 ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24, width, height);

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    return surface;
  guint8 *dst = cairo_image_surface_get_data (surface);
  for (gint y = 0; y < height; y++) {
    const guint8 *s = src + (gsize) y * gdk_pixbuf_get_rowstride (pixbuf);
    guint32 *d =
        (guint32 *) (gpointer) (dst + (gsize) y * cairo_image_surface_get_stride (surface));
    for (gint x = 0; x < width; x++, s += n_channels)
      d[x] = premultiply (s[0], s[1], s[2], n_channels == 4 ? s[3] : 255);
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static GError *
new_damaged_error (WeftImageItem *self, const gchar *reason)
{
  /* libxml2 ends its messages with a line break. */
  g_autofree gchar *stripped = g_strchomp (g_strdup (reason));

  return weft_overlay_error_new (WEFT_OVERLAY_ERROR_DAMAGED,
      weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), self->uri,
      "%s cannot be decoded: %s", self->uri, stripped);
}

/* What kind of picture @bytes are; an error if it is none that can be drawn, or not all of it. */
static WeftImageFormat
detect_format (WeftImageItem *self, GBytes *bytes, GError **error)
{
  WeftImageFormat format = weft_image_file_detect (bytes);

  if (format == WEFT_IMAGE_OTHER)
    g_propagate_error (error,
        weft_overlay_error_new (WEFT_OVERLAY_ERROR_UNSUPPORTED, NULL, NULL,
            "this build draws PNG, JPEG and SVG pictures, and %s is of another format", self->uri));
  else if (format == WEFT_IMAGE_UNKNOWN)
    g_propagate_error (error, new_damaged_error (self, "it is neither PNG nor JPEG nor SVG"));
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

  if (g_hash_table_contains (good, self->uri))
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

static GError *
new_too_large_error (WeftImageItem *self, gdouble width, gdouble height)
{
  return weft_overlay_error_new (WEFT_OVERLAY_ERROR_TOO_LARGE,
      weft_overlay_item_get_pointer (WEFT_OVERLAY_ITEM (self)), self->uri,
      "%s has %.0f×%.0f pixels, more than the %" G_GINT64_FORMAT " million that are decoded",
      self->uri, width, height, MAX_DECODED_PIXELS / 1000000);
}

/* Returns: (transfer full) (nullable): what was drawn on; NULL without an error if nothing shows */
static cairo_t *
draw_raster (WeftImageItem *self, WeftDrawing *drawing, GBytes *bytes, WeftImageFormat format,
    WeftStage *stage, GError **error)
{
  Target target;
  Header header = { self, &drawing->canvas, format, 0, 0, FALSE };
  g_autoptr (GError) local_error = NULL;

  g_autoptr (GdkPixbuf) pixbuf =
      load_pixbuf (self, bytes, &header, drawing->cancellable, &local_error);

  if (header.too_large) {
    g_propagate_error (error, new_too_large_error (self, header.width, header.height));
    return NULL;
  }
  if (pixbuf == NULL) {
    g_propagate_error (error,
        new_damaged_error (self, local_error != NULL ? local_error->message : "it has no picture"));
    return NULL;
  }
  /* The picture's own size, were it not scaled while decoding, and turned as its tag says. */
  gint width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  gboolean turned = (width > height) != (header.width > header.height) && width != height;
  compute_target (self, &drawing->canvas, turned ? header.height : header.width,
      turned ? header.width : header.height, &target);
  if (!get_stage (self, drawing, &target, stage))
    return NULL;

  g_autoptr (WeftCairoSurface) source = pixbuf_to_surface (pixbuf);
  g_clear_object (&pixbuf);
  cairo_t *cr = weft_stage_begin (stage);
  cairo_translate (cr, target.x, target.y);
  cairo_rectangle (cr, 0, 0, target.width, target.height);
  cairo_clip (cr);
  cairo_scale (cr, target.width / width, target.height / height);
  cairo_set_source_surface (cr, source, 0, 0);
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

/* Returns: as draw_raster() */
static cairo_t *
draw_svg (
    WeftImageItem *self, WeftDrawing *drawing, GBytes *bytes, WeftStage *stage, GError **error)
{
  Target target;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GError) local_error = NULL;
  gdouble width, height;
  /* No base URI and no unlimited flag: nothing outside of the file is read, and entities cannot
   * grow without end. */
  g_autoptr (WeftSvg) handle = rsvg_handle_new_from_data (data, size, &local_error);

  if (handle == NULL) {
    g_propagate_error (error, new_damaged_error (self, local_error->message));
    return NULL;
  }
  rsvg_handle_set_dpi (handle, 96.0);
  get_svg_size (handle, &width, &height);
  if (!(width > 0 && height > 0 && width <= 1e6 && height <= 1e6)
      || width / height > WEFT_MAX_PIXELS || height / width > WEFT_MAX_PIXELS) {
    g_propagate_error (error, new_too_large_error (self, width, height));
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

static WeftPicture *
weft_image_item_draw (WeftOverlayItem *item, WeftDrawing *drawing, GError **error)
{
  WeftImageItem *self = WEFT_IMAGE_ITEM (item);
  g_autoptr (WeftPicture) picture = g_new0 (WeftPicture, 1);
  GError *local_error = NULL;
  WeftStage stage = { 0 };
  cairo_t *cr = NULL;

  g_autoptr (GBytes) bytes =
      weft_overlay_source_load (self->uri, MAX_FILE_BYTES, drawing->cancellable, &local_error);
  if (bytes == NULL) {
    take_error (self, error, local_error);
    return NULL;
  }
  WeftImageFormat format = detect_format (self, bytes, &local_error);
  if (format == WEFT_IMAGE_SVG)
    cr = draw_svg (self, drawing, bytes, &stage, &local_error);
  else if (format != WEFT_IMAGE_UNKNOWN)
    cr = draw_raster (self, drawing, bytes, format, &stage, &local_error);
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
  g_free (WEFT_IMAGE_ITEM (object)->uri);
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
