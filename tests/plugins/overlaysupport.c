/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlaysupport.h"

#include <glib/gstdio.h>
#include <string.h>

#include "weftoverlaytimeline.h"

static gchar *folder;

void
overlay_init (int *argc, char ***argv)
{
  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  g_assert_true (GST_ELEMENT_REGISTER (overlaytimeline, NULL));
}

Overlay *
overlay_new (const gchar *timeline, const gchar *caps)
{
  Overlay *self = g_new0 (Overlay, 1);
  g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);

  self->element = gst_element_factory_make ("overlaytimeline", NULL);
  g_assert_nonnull (self->element);
  self->bus = gst_bus_new ();
  gst_element_set_bus (self->element, self->bus);
  if (timeline != NULL)
    g_object_set (self->element, "timeline", timeline, NULL);
  self->h = gst_harness_new_with_element (self->element, "sink", "src");
  g_assert_true (gst_video_info_from_caps (&self->info, parsed));
  gst_harness_set_src_caps (self->h, g_steal_pointer (&parsed));
  return self;
}

void
overlay_free (Overlay *self)
{
  gst_harness_teardown (self->h);
  gst_element_set_bus (self->element, NULL);
  gst_bus_set_flushing (self->bus, TRUE);
  gst_object_unref (self->bus);
  gst_object_unref (self->element);
  g_free (self);
}

/* Every byte is @fill. */
GstBuffer *
overlay_create_frame (Overlay *self, guint frame, guint8 fill)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, self->info.size, NULL);
  guint64 n = (guint64) MAX (self->info.fps_n, 1), d = (guint64) self->info.fps_d * GST_SECOND;

  gst_buffer_memset (buffer, 0, fill, self->info.size);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (frame, d, n);
  GST_BUFFER_DURATION (buffer) = gst_util_uint64_scale (frame + 1, d, n) - GST_BUFFER_PTS (buffer);
  return buffer;
}

GstFlowReturn
overlay_push (Overlay *self, guint frame, guint8 fill, GstBuffer **out)
{
  GstFlowReturn flow = gst_harness_push (self->h, overlay_create_frame (self, frame, fill));

  *out = flow == GST_FLOW_OK ? gst_harness_pull (self->h) : NULL;
  return flow;
}

GstBuffer *
overlay_draw (Overlay *self, guint frame, guint8 fill)
{
  GstBuffer *out;

  g_assert_cmpint (overlay_push (self, frame, fill, &out), ==, GST_FLOW_OK);
  return out;
}

guint64
overlay_get_stat (Overlay *self, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (self->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* Whether nothing is drawn in @frame. */
gboolean
overlay_is_untouched (Overlay *self, guint frame)
{
  g_autoptr (GstBuffer) out = overlay_draw (self, frame, 0x40);
  GstMapInfo map;
  gboolean same = TRUE;

  g_assert_true (gst_buffer_map (out, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size; i++)
    same = same && map.data[i] == 0x40;
  gst_buffer_unmap (out, &map);
  return same;
}

guint8
overlay_get_byte (Overlay *self, GstBuffer *buffer, guint plane, gint x, gint y)
{
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READ));
  guint8 byte = ((const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (
      &frame, plane))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, plane) + x];
  gst_video_frame_unmap (&frame);
  return byte;
}

/* In the first component. */
OverlayArea
overlay_find_area (Overlay *self, GstBuffer *buffer, guint8 threshold)
{
  OverlayArea a = { G_MAXINT, G_MAXINT, -1, -1 };
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READ));
  gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0);
  for (gint y = 0; y < self->info.height; y++) {
    const guint8 *row = (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, 0)
                        + (gsize) y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, 0);
    for (gint x = 0; x < self->info.width; x++) {
      if (row[x * step] <= threshold)
        continue;
      a = (OverlayArea){ MIN (a.x0, x), MIN (a.y0, y), MAX (a.x1, x), MAX (a.y1, y) };
    }
  }
  gst_video_frame_unmap (&frame);
  return a;
}

GstMessage *
overlay_pop_message (GstBus *bus, GstMessageType type)
{
  GstMessage *message = gst_bus_pop_filtered (bus, type);

  g_assert_nonnull (message);
  return message;
}

void
overlay_assert_no_message (GstBus *bus, GstMessageType type)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, type);

  g_assert_null (message);
}

void
overlay_assert_problem (
    GstBus *bus, GstMessageType type, const gchar *pointer, const gchar *uri_end, const gchar *word)
{
  g_autoptr (GstMessage) message = overlay_pop_message (bus, type);
  g_autoptr (GError) error = NULL;
  const GstStructure *details;

  if (type == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    gst_message_parse_error_details (message, &details);
  } else {
    gst_message_parse_warning (message, &error, NULL);
    gst_message_parse_warning_details (message, &details);
  }
  g_test_message ("%s", error->message);
  g_assert_nonnull (details);
  g_assert_cmpstr (gst_structure_get_string (details, "pointer"), ==, pointer);
  if (uri_end != NULL) {
    const gchar *uri = gst_structure_get_string (details, "uri");
    g_assert_nonnull (uri);
    g_assert_true (g_str_has_prefix (uri, "file:///"));
    g_assert_true (g_str_has_suffix (uri, uri_end));
  }
  if (strstr (error->message, word) == NULL)
    g_error ("“%s” does not say “%s”", error->message, word);
}

void
overlay_assert_start_fails (
    const gchar *timeline, const gchar *pointer, const gchar *uri_end, const gchar *word)
{
  GstElement *element = gst_element_factory_make ("overlaytimeline", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  g_object_set (element, "timeline", timeline, NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  overlay_assert_problem (bus, GST_MESSAGE_ERROR, pointer, uri_end, word);
  overlay_assert_no_message (bus, GST_MESSAGE_ERROR);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

static gchar *
make_path (const gchar *name)
{
  if (folder == NULL)
    folder = g_dir_make_tmp ("weft-overlay-XXXXXX", NULL);
  g_assert_nonnull (folder);
  return g_build_filename (folder, name, NULL);
}

/* Returns the path of a file that overlay_remove_files() removes. */
gchar *
overlay_write_file (const gchar *name, const void *data, gssize size)
{
  gchar *path = make_path (name);

  g_assert_true (g_file_set_contents (path, data, size, NULL));
  return path;
}

gchar *
overlay_write_png (const gchar *name, cairo_surface_t *surface)
{
  gchar *path = make_path (name);

  g_assert_cmpint (cairo_surface_write_to_png (surface, path), ==, CAIRO_STATUS_SUCCESS);
  return path;
}

void
overlay_remove_files (void)
{
  if (folder == NULL)
    return;
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}
