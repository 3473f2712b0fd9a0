/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever the bytes are, a timeline is read and its texts are drawn, or it is refused with a
 * message and a pointer that can be shown. The same bytes are taken for a picture file, too. */

#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "weftimagedecoder.h"
#include "weftoverlaydocument.h"
#include "weftoverlayschedule.h"
#include "weftsurface.h"

#define MAX_DRAWN_ITEMS 3

/* g_assert() can be compiled out; these must not. */
static void
require (gboolean condition, const gchar *what)
{
  if (!condition)
    g_error ("%s", what);
}

static void
check_error (const GError *error)
{
  const gchar *pointer = weft_overlay_error_get_pointer (error);

  require (g_utf8_validate (error->message, -1, NULL), "a message that is not UTF-8");
  require (pointer != NULL, "an error without a pointer");
  require (g_utf8_validate (pointer, -1, NULL), "a pointer that is not UTF-8");
}

static void
ignore_cb (const WeftOverlayEntry *entry, gpointer user_data)
{}

static void
check_schedule (WeftOverlayDocument *document)
{
  g_autoptr (WeftOverlaySchedule) schedule = weft_overlay_schedule_new (document, 30000, 1001);
  static const guint64 frames[] = { 0, 1, 100, 99, 100000, 0, G_MAXUINT64 - 1 };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    GPtrArray *active = weft_overlay_schedule_move (schedule, frames[i], ignore_cb, NULL);
    for (guint k = 0; k < active->len; k++) {
      const WeftOverlayEntry *entry = g_ptr_array_index (active, k);
      require (entry->begin <= frames[i] && frames[i] < entry->end, "an item out of its time");
    }
  }
}

static void
draw_item (WeftOverlayItem *item, WeftDrawing *drawing, const GstVideoInfo *info)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftPicture) picture = weft_overlay_item_draw (item, drawing, &error);

  if (picture == NULL) {
    check_error (error);
    return;
  }
  g_autoptr (WeftSurface) surface = weft_surface_new (picture, info, 0);
  require (weft_surface_get_bytes (surface) < 9 * 37 * 29 * 4 + 100000, "a surface without bound");
}

/* At its beginning, later, and at an end; a frame is a 25th of a second. */
static void
draw_item_at_moments (WeftOverlayItem *item, WeftDrawing *drawing, const GstVideoInfo *info)
{
  static const WeftMoment moments[] = { { 0.02, INFINITY, 0.02, 0 },
    { 3600.02, 1e6, 0.02, G_MAXUINT64 - 1 }, { 1e7, 0.0, 0.0, 1 } };
  const cairo_rectangle_int_t box = { -5, 3, 20, 10 };
  WeftItemState last = { G_MAXUINT64, G_MAXINT };

  for (guint i = 0; i < G_N_ELEMENTS (moments); i++) {
    WeftPose pose;
    weft_overlay_item_get_state (item, &drawing->canvas, &moments[i], &drawing->state);
    weft_overlay_item_get_pose (item, &drawing->canvas, &box, &moments[i], &pose);
    require (pose.opacity >= 0.0 && pose.opacity <= 1.0, "an opacity out of range");
    require (ABS (pose.dx) < 1000 && ABS (pose.dy) < 1000, "an item far away");
    require (drawing->state.growth >= -1000 && drawing->state.growth < 1000, "an item out of size");
    if (last.content != drawing->state.content || last.growth != drawing->state.growth)
      draw_item (item, drawing, info);
    last = drawing->state;
  }
}

static void
check_drawing (WeftOverlayDocument *document, WeftOverlayFonts *fonts)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  WeftKept kept = { NULL, NULL, NULL };
  WeftDrawing drawing = { { 37, 29, 0.7, 0.9 }, { 0, 0 }, fonts, warnings, NULL, &kept, FALSE };
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 37, 29);
  for (guint i = 0; i < MIN (document->items->len, MAX_DRAWN_ITEMS); i++) {
    WeftOverlayItem *item = g_ptr_array_index (document->items, i);
    /* Pictures and captions would read files that the input names; a video draws nothing. */
    if (WEFT_OVERLAY_ITEM_GET_CLASS (item)->draw != NULL
        && WEFT_OVERLAY_ITEM_GET_CLASS (item)->check == NULL)
      draw_item_at_moments (item, &drawing, &info);
  }
  weft_kept_clear (&kept);
  for (guint i = 0; i < warnings->len; i++)
    check_error (g_ptr_array_index (warnings, i));
}

/* json-glib 1.6 loses a string in which it finds half a surrogate pair, a leak that is not ours. */
static gboolean
has_surrogates (const gchar *text)
{
  for (const gchar *at = strstr (text, "\\u"); at != NULL; at = strstr (at + 2, "\\u")) {
    if (at[2] == 'd' || at[2] == 'D')
      return TRUE;
  }
  return FALSE;
}

static void
size_cb (gint width, gint height, gdouble *shown_width, gdouble *shown_height, gpointer user_data)
{
  *shown_width = *shown_height = 16.0;
}

/* The same bytes as a picture. An SVG is librsvg's own matter. */
static void
check_picture (GBytes *bytes)
{
  WeftImageFormat format = weft_image_file_detect (bytes);
  g_autoptr (GError) error = NULL;

  weft_image_file_is_complete (bytes, WEFT_IMAGE_PNG);
  weft_image_file_is_complete (bytes, WEFT_IMAGE_JPEG);
  weft_image_file_is_complete (bytes, WEFT_IMAGE_GIF);
  weft_image_file_is_complete (bytes, WEFT_IMAGE_WEBP);
  if (format == WEFT_IMAGE_UNKNOWN || format == WEFT_IMAGE_OTHER || format == WEFT_IMAGE_SVG
      || !weft_image_file_is_complete (bytes, format))
    return;
  g_autoptr (WeftRaster) raster = weft_raster_decode (bytes, format, size_cb, NULL, NULL, &error);
  require ((raster == NULL) == (error != NULL), "neither a picture nor an error");
  if (error != NULL)
    require (g_utf8_validate (error->message, -1, NULL), "a message that is not UTF-8");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static WeftOverlayFonts *fonts;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autoptr (GError) error = NULL;

  if (fonts == NULL) {
    g_autoptr (GPtrArray) none = g_ptr_array_new ();
    gst_init (NULL, NULL);
    fonts = weft_overlay_fonts_new (none, NULL, NULL);
    require (fonts != NULL, "no fonts");
  }
  check_picture (bytes);
  if (has_surrogates (text))
    return 0;
  g_autoptr (WeftOverlayDocument) document =
      weft_overlay_document_new_from_json (text, -1, "/nonexistent", &error);
  if (document == NULL) {
    check_error (error);
    return 0;
  }
  check_schedule (document);
  check_drawing (document, fonts);
  return 0;
}
