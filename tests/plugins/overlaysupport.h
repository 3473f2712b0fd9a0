/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

/* What the tests of overlaytimeline share: an element in a harness with a bus, fed with grey
 * frames. */
typedef struct {
  GstHarness *h;
  GstElement *element;
  GstBus *bus;
  GstVideoInfo info;
} Overlay;

/* gst_init() and g_test_init(); the element under test is the one that this program is linked with.
 */
void overlay_init (int *argc, char ***argv);

Overlay *overlay_new (const gchar *timeline, const gchar *caps);
void overlay_free (Overlay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Overlay, overlay_free)

GstBuffer *overlay_create_frame (Overlay *self, guint frame, guint8 fill);
GstFlowReturn overlay_push (Overlay *self, guint frame, guint8 fill, GstBuffer **out);
GstBuffer *overlay_draw (Overlay *self, guint frame, guint8 fill);
guint64 overlay_get_stat (Overlay *self, const gchar *name);
gboolean overlay_is_untouched (Overlay *self, guint frame);
guint8 overlay_get_byte (Overlay *self, GstBuffer *buffer, guint plane, gint x, gint y);

/* The smallest rectangle with all pixels brighter than a threshold; empty ones end at -1. */
typedef struct {
  gint x0, y0, x1, y1;
} OverlayArea;

OverlayArea overlay_find_area (Overlay *self, GstBuffer *buffer, guint8 threshold);

#define overlay_assert_area(area, left, top, right, bottom)                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    OverlayArea a_ = (area);                                                                       \
    g_assert_cmpint (a_.x0, ==, left);                                                             \
    g_assert_cmpint (a_.y0, ==, top);                                                              \
    g_assert_cmpint (a_.x1, ==, right);                                                            \
    g_assert_cmpint (a_.y1, ==, bottom);                                                           \
  }                                                                                                \
  G_STMT_END

/* The next message of @type; fails without one. */
GstMessage *overlay_pop_message (GstBus *bus, GstMessageType type);
void overlay_assert_no_message (GstBus *bus, GstMessageType type);
/* Pops an error or warning, and checks what it says and its details. */
void overlay_assert_problem (GstBus *bus, GstMessageType type, const gchar *pointer,
    const gchar *uri_end, const gchar *word);
/* Starts an element whose timeline must be refused before a frame flows. */
void overlay_assert_start_fails (
    const gchar *timeline, const gchar *pointer, const gchar *uri_end, const gchar *word);

gchar *overlay_write_file (const gchar *name, const void *data, gssize size);
gchar *overlay_write_png (const gchar *name, cairo_surface_t *surface);
void overlay_remove_files (void);
