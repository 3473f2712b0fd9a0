/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decodes pictures of pixels: PNG, JPEG and GIF by gdk-pixbuf, WebP by libwebp. Of one that moves
 * the first frame is taken. What decoding allocates is bounded by what the header says, before it
 * is allocated. */

#include "weftimagedecoder.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "weftoverlayerror.h"

/* 256 MiB. A JPEG or WebP is scaled while it is decoded, so that the bound is on what is left of
 * it, and photographs of any camera pass. */
#define MAX_DECODED_PIXELS (64 * G_GINT64_CONSTANT (1024) * 1024)
#define MAX_SIDE 65500

typedef struct {
  WeftImageFormat format;
  WeftRasterSizeFunc size_func;
  gpointer user_data;
  gint width;
  gint height;
  gboolean too_large;
} Header;

void
weft_raster_free (WeftRaster *self)
{
  g_clear_pointer (&self->pixels, cairo_surface_destroy);
  g_free (self);
}

static void
set_too_large_error (GError **error, gint width, gint height)
{
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_TOO_LARGE, NULL,
      "it has %d×%d pixels, more than the %" G_GINT64_FORMAT " million that are decoded", width,
      height, MAX_DECODED_PIXELS / 1000000);
}

static void
set_damaged_error (GError **error, const gchar *reason)
{
  weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_DAMAGED, NULL, "%s", reason);
}

/* The size to decode to: twice the final one, which leaves the fine scaling to cairo's filter. JPEG
 * knows eighths, and the larger of both directions counts, because an orientation tag may still
 * exchange them. Returns: FALSE if that is too much. */
static gboolean
choose_size (const Header *header, gint *width, gint *height)
{
  *width = header->width;
  *height = header->height;
  if (*width < 1 || *height < 1 || *width > MAX_SIDE || *height > MAX_SIDE)
    return FALSE;
  if (header->format == WEFT_IMAGE_JPEG || header->format == WEFT_IMAGE_WEBP) {
    gdouble shown_width, shown_height;
    header->size_func (
        header->width, header->height, &shown_width, &shown_height, header->user_data);
    gdouble needed = 2.0 * MAX (shown_width, shown_height) / MIN (header->width, header->height);
    gint eighths = 1;
    while (eighths < 8 && eighths / 8.0 < needed)
      eighths *= 2;
    *width = MAX (1, (gint) ((gint64) header->width * eighths / 8));
    *height = MAX (1, (gint) ((gint64) header->height * eighths / 8));
  }
  return (gint64) *width * *height <= MAX_DECODED_PIXELS;
}

static void
size_prepared_cb (GdkPixbufLoader *loader, gint width, gint height, gpointer user_data)
{
  Header *header = user_data;
  gint decoded_width, decoded_height;

  header->width = width;
  header->height = height;
  header->too_large = !choose_size (header, &decoded_width, &decoded_height);
  /* A loader that was told 0 by 0 does not allocate the picture. */
  if (header->too_large)
    gdk_pixbuf_loader_set_size (loader, 0, 0);
  else if (decoded_width != width || decoded_height != height)
    gdk_pixbuf_loader_set_size (loader, decoded_width, decoded_height);
}

static const gchar *
get_loader_name (WeftImageFormat format)
{
  switch (format) {
    case WEFT_IMAGE_PNG:
      return "png";
    case WEFT_IMAGE_GIF:
      return "gif";
    default:
      return "jpeg";
  }
}

static gboolean
has_loader (const gchar *name)
{
  g_autoptr (GSList) formats = gdk_pixbuf_get_formats ();

  for (GSList *l = formats; l != NULL; l = l->next) {
    g_autofree gchar *known = gdk_pixbuf_format_get_name (l->data);

    if (g_str_equal (known, name))
      return !gdk_pixbuf_format_is_disabled (l->data);
  }
  return FALSE;
}

/**
 * weft_raster_list_types:
 *
 * Returns: (transfer full): the MIME types of all pictures that can be drawn on this machine
 */
gchar **
weft_raster_list_types (void)
{
  static const struct {
    WeftImageFormat format;
    const gchar *type;
  } loaded[] = { { WEFT_IMAGE_PNG, "image/png" }, { WEFT_IMAGE_JPEG, "image/jpeg" },
    { WEFT_IMAGE_GIF, "image/gif" } };
  g_autoptr (GStrvBuilder) types = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (loaded); i++)
    if (has_loader (get_loader_name (loaded[i].format)))
      g_strv_builder_add (types, loaded[i].type);
  /* Linked in. */
  g_strv_builder_add (types, "image/webp");
  g_strv_builder_add (types, "image/svg+xml");
  return g_strv_builder_end (types);
}

/* Feeds the loader by the piece, so that it can stop after the header. */
static GdkPixbuf *
load_pixbuf (GBytes *bytes, Header *header, GCancellable *cancellable, GError **error)
{
  static const guint8 gif_trailer[] = { ';' };
  const gsize piece = 64 * 1024;
  g_autoptr (GdkPixbufLoader) loader =
      gdk_pixbuf_loader_new_with_type (get_loader_name (header->format), error);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gboolean ok = TRUE;

  if (loader == NULL)
    return NULL;
  if (header->format == WEFT_IMAGE_GIF)
    size = weft_image_file_get_first_gif_end (bytes);
  g_signal_connect (loader, "size-prepared", G_CALLBACK (size_prepared_cb), header);
  for (gsize i = 0; ok && i < size && !header->too_large; i += piece)
    ok = gdk_pixbuf_loader_write (loader, data + i, MIN (piece, size - i), error)
         && !g_cancellable_set_error_if_cancelled (cancellable, error);
  if (ok && !header->too_large && header->format == WEFT_IMAGE_GIF)
    ok = gdk_pixbuf_loader_write (loader, gif_trailer, sizeof gif_trailer, error);
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

/* @n_channels: 3 for RGB, 4 for RGBA, which is not premultiplied */
static cairo_surface_t *
rgb_to_surface (const guint8 *src, gint width, gint height, gsize stride, gint n_channels)
{
  cairo_surface_t *surface = cairo_image_surface_create (
      n_channels == 4 ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24, width, height);

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    return surface;
  guint8 *dst = cairo_image_surface_get_data (surface);
  for (gint y = 0; y < height; y++) {
    const guint8 *s = src + (gsize) y * stride;
    guint32 *d =
        (guint32 *) (gpointer) (dst + (gsize) y * (gsize) cairo_image_surface_get_stride (surface));
    for (gint x = 0; x < width; x++, s += n_channels)
      d[x] = premultiply (s[0], s[1], s[2], n_channels == 4 ? s[3] : 255);
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static cairo_surface_t *
decode_by_pixbuf (GBytes *bytes, Header *header, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GdkPixbuf) pixbuf = load_pixbuf (bytes, header, cancellable, &local_error);

  if (header->too_large) {
    set_too_large_error (error, header->width, header->height);
    return NULL;
  }
  if (pixbuf == NULL) {
    set_damaged_error (error, local_error != NULL ? local_error->message : "it has no picture");
    return NULL;
  }
  gint width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  if ((width > height) != (header->width > header->height) && width != height) {
    gint kept = header->width;
    header->width = header->height;
    header->height = kept;
  }
  return rgb_to_surface (gdk_pixbuf_read_pixels (pixbuf), width, height,
      (gsize) gdk_pixbuf_get_rowstride (pixbuf), gdk_pixbuf_get_n_channels (pixbuf));
}

static cairo_surface_t *
decode_moving_webp (const WebPData *data, const Header *header, GError **error)
{
  WebPAnimDecoderOptions options;
  cairo_surface_t *surface = NULL;
  guint8 *rgba = NULL;
  gint timestamp;

  WebPAnimDecoderOptionsInit (&options);
  options.color_mode = MODE_RGBA;
  WebPAnimDecoder *decoder = WebPAnimDecoderNew (data, &options);
  if (decoder != NULL && WebPAnimDecoderGetNext (decoder, &rgba, &timestamp))
    surface = rgb_to_surface (rgba, header->width, header->height, 4 * (gsize) header->width, 4);
  else
    set_damaged_error (error, "its first frame is damaged");
  WebPAnimDecoderDelete (decoder);
  return surface;
}

/* Decodes into the surface itself. */
static cairo_surface_t *
decode_still_webp (
    const WebPData *data, gint width, gint height, gboolean is_scaled, GError **error)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  WebPDecoderConfig config;

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS || !WebPInitDecoderConfig (&config))
    return surface;
  config.options.use_scaling = is_scaled;
  config.options.scaled_width = width;
  config.options.scaled_height = height;
  config.output.colorspace = G_BYTE_ORDER == G_LITTLE_ENDIAN ? MODE_bgrA : MODE_Argb;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = cairo_image_surface_get_data (surface);
  config.output.u.RGBA.stride = cairo_image_surface_get_stride (surface);
  config.output.u.RGBA.size = (gsize) cairo_image_surface_get_stride (surface) * (gsize) height;
  if (WebPDecode (data->bytes, data->size, &config) != VP8_STATUS_OK) {
    set_damaged_error (error, "its data is damaged or ends too early");
    g_clear_pointer (&surface, cairo_surface_destroy);
  } else {
    cairo_surface_mark_dirty (surface);
  }
  WebPFreeDecBuffer (&config.output);
  return surface;
}

static cairo_surface_t *
decode_webp (GBytes *bytes, Header *header, GError **error)
{
  WebPBitstreamFeatures features;
  WebPData data;
  gint width, height;

  data.bytes = g_bytes_get_data (bytes, &data.size);
  if (WebPGetFeatures (data.bytes, data.size, &features) != VP8_STATUS_OK) {
    set_damaged_error (error, "its header is damaged");
    return NULL;
  }
  header->width = features.width;
  header->height = features.height;
  gboolean fits = choose_size (header, &width, &height);
  /* A moving one is composed at its own size. */
  if (features.has_animation)
    fits = (gint64) features.width * features.height <= MAX_DECODED_PIXELS;
  if (!fits) {
    set_too_large_error (error, features.width, features.height);
    return NULL;
  }
  return features.has_animation ? decode_moving_webp (&data, header, error)
                                : decode_still_webp (&data, width, height,
                                    width != features.width || height != features.height, error);
}

/**
 * weft_raster_decode:
 * @bytes: a whole file
 * @format: PNG, JPEG, GIF or WebP
 * @size_func: tells how large the picture is going to be drawn, so that no more is decoded
 *
 * Returns: (transfer full) (nullable): the picture; %NULL with %WEFT_OVERLAY_ERROR_TOO_LARGE or
 *   %WEFT_OVERLAY_ERROR_DAMAGED, whose message begins with a small letter
 */
WeftRaster *
weft_raster_decode (GBytes *bytes, WeftImageFormat format, WeftRasterSizeFunc size_func,
    gpointer user_data, GCancellable *cancellable, GError **error)
{
  Header header = { format, size_func, user_data, 0, 0, FALSE };
  g_autoptr (WeftRaster) self = g_new0 (WeftRaster, 1);

  self->pixels = format == WEFT_IMAGE_WEBP ? decode_webp (bytes, &header, error)
                                           : decode_by_pixbuf (bytes, &header, cancellable, error);
  if (self->pixels == NULL)
    return NULL;
  if (cairo_surface_status (self->pixels) != CAIRO_STATUS_SUCCESS) {
    set_damaged_error (error, cairo_status_to_string (cairo_surface_status (self->pixels)));
    return NULL;
  }
  self->width = header.width;
  self->height = header.height;
  return g_steal_pointer (&self);
}
