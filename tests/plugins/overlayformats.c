/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The picture is the same in every pixel format: what the element draws in each is compared with
 * what it draws in BGRA, converted by a model in floating point. Samples are written and read by
 * GStreamer's own pack and unpack functions. */

#include <math.h>
#include <string.h>

#include "overlaysupport.h"
#include "weftsurface.h"

/* A text with stroke and box and a picture with soft edges, at odd places and beyond the edges of
 * small frames. Beside each other: where two soft edges lie over each other, subsampled chroma
 * knows less than BGRA does. */
#define TIMELINE                                                                                   \
  "{\"overlays\":["                                                                                \
  "{\"type\":\"image\",\"src\":\"%s\",\"x\":\"-8px\",\"y\":\"-8px\",\"width\":\"23px\","           \
  "\"opacity\":0.8},"                                                                              \
  "{\"type\":\"text\",\"text\":\"Ab\",\"x\":\"19px\",\"y\":\"-1px\",\"max_width\":\"60px\","       \
  "\"font\":{\"size\":17,\"color\":\"#ff2010\",\"stroke\":{\"color\":\"#0040ff\",\"width\":2}},"   \
  "\"background\":{\"color\":\"#20c04080\",\"padding\":3}}]}"

#define CIRCLE                                                                                     \
  "<svg xmlns='http://www.w3.org/2000/svg' width='23' height='23'>"                                \
  "<circle cx='11' cy='11' r='10' fill='#f0d020' fill-opacity='0.7'/></svg>"

static const gint sizes[][2] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 3 }, { 8, 5 }, { 17, 9 },
  { 33, 21 }, { 64, 36 } };

/* The frame below: R, G, B, A, 0..1. Translucent only where the format has alpha. */
static const gdouble colours[][4] = { { 0.1, 0.5, 0.9, 1.0 }, { 1.0, 0.8, 0.3, 1.0 },
  { 0.4, 0.1, 0.2, 0.5 } };

static const gchar *const colorimetries[] = { "bt601", "bt709", "bt2020", "1:4:0:0" };
static const gchar *const sites[] = { "jpeg", "mpeg2", "cosited" };

static gchar *timeline;

static guint
get_depth (const GstVideoInfo *info, guint c)
{
  return GST_VIDEO_FORMAT_INFO_DEPTH (info->finfo, c);
}

/* A component 0..2 of a colour that is not premultiplied, in steps of the format. */
static gdouble
get_component (const GstVideoInfo *info, guint c, const gdouble rgb[3])
{
  gint offset[4], scale[4];
  gdouble kr = 0, kb = 0;

  gst_video_color_range_offsets (info->colorimetry.range, info->finfo, offset, scale);
  if (GST_VIDEO_INFO_IS_RGB (info))
    return rgb[c] * scale[c] + offset[c];
  g_assert_true (gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb));
  gdouble luma = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
  gdouble value = c == 0   ? luma
                  : c == 1 ? (rgb[2] - luma) / (2 * (1 - kb))
                           : (rgb[0] - luma) / (2 * (1 - kr));
  return value * scale[c] + offset[c];
}

/* Lines as GStreamer unpacks them: A and three components, of 8 or 16 bits. */
static gboolean
is_unpacked_wide (const GstVideoInfo *info)
{
  return GST_VIDEO_FORMAT_INFO_BITS (gst_video_format_get_info (info->finfo->unpack_format)) > 8;
}

static void
fill_with_colour (GstVideoFrame *frame, const gdouble rgba[4])
{
  const GstVideoInfo *info = &frame->info;
  gboolean is_wide = is_unpacked_wide (info);
  g_autofree guint16 *line = g_new (guint16, 4 * (gsize) info->width + 64);
  guint values[4];

  for (guint c = 0; c < 4; c++) {
    guint at = c == 3 ? 0 : c + 1;
    gdouble most = is_wide ? 65535.0 : 255.0;
    values[at] = c == 3 ? (guint) lrint (rgba[3] * most) : (guint) (is_wide ? 32768 : 128);
    if (c < 3 && c < GST_VIDEO_INFO_N_COMPONENTS (info)) {
      guint up = (is_wide ? 16 : 8) - get_depth (info, c);
      values[at] = (guint) lrint (get_component (info, c, rgba)) << up;
    }
  }
  for (gint i = 0; i < 4 * info->width; i++) {
    if (is_wide)
      line[i] = (guint16) values[i % 4];
    else
      ((guint8 *) line)[i] = (guint8) values[i % 4];
  }
  for (gint y = 0; y < info->height; y++)
    info->finfo->pack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE, line, 0, frame->data,
        info->stride, info->chroma_site, y, info->width);
}

/* A sample, 3 being alpha, in steps of the format. */
static gdouble
read_sample (GstVideoFrame *frame, guint c, gint sx, gint sy)
{
  const GstVideoInfo *info = &frame->info;
  gboolean is_wide = is_unpacked_wide (info);
  g_autofree guint16 *line = g_new (guint16, 4 * (gsize) info->width + 64);
  gint x = sx * (1 << GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c));
  gint y = sy * (1 << GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c));
  gsize at = 4 * (gsize) x + (c == 3 ? 0 : c + 1);

  info->finfo->unpack_func (
      info->finfo, GST_VIDEO_PACK_FLAG_NONE, line, frame->data, info->stride, 0, y, info->width);
  return is_wide ? line[at] >> (16 - get_depth (info, c)) : ((const guint8 *) line)[at];
}

/* Draws one frame of a colour in @caps. */
static GstBuffer *
draw (const gchar *caps, const gdouble rgba[4], GstVideoInfo *info)
{
  g_autoptr (Overlay) o = overlay_new (timeline, caps);
  GstBuffer *frame = overlay_create_frame (o, 0, 0);
  GstVideoFrame mapped;

  *info = o->info;
  g_assert_true (gst_video_frame_map (&mapped, info, frame, GST_MAP_READWRITE));
  fill_with_colour (&mapped, rgba);
  gst_video_frame_unmap (&mapped);
  g_assert_cmpint (gst_harness_push (o->h, frame), ==, GST_FLOW_OK);
  return gst_harness_pull (o->h);
}

/* Weights of the pixels at -1, 0 and 1 in a sample. */
static const gdouble *
get_weights (guint sub, gboolean cosited)
{
  static const gdouble alone[] = { 0, 1, 0 }, on_first[] = { 0.25, 0.5, 0.25 },
                       between[] = { 0, 0.5, 0.5 };

  return sub == 0 ? alone : cosited ? on_first : between;
}

/* The premultiplied mean of the BGRA pixels that a sample of @info stands for; the frame goes on
 * beyond its edges as at them. */
static void
get_reference (
    const GstVideoInfo *info, GstVideoFrame *bgra, guint c, gint sx, gint sy, gdouble mean[4])
{
  guint w_sub = GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, c);
  guint h_sub = GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, c);
  const gdouble *wx =
      get_weights (w_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
  const gdouble *wy =
      get_weights (h_sub, (info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);

  memset (mean, 0, 4 * sizeof *mean);
  for (gint k = 0; k < 9; k++) {
    gint x = CLAMP (sx * (1 << w_sub) + k % 3 - 1, 0, info->width - 1);
    gint y = CLAMP (sy * (1 << h_sub) + k / 3 - 1, 0, info->height - 1);
    const guint8 *p = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (bgra, 0)
                      + y * GST_VIDEO_FRAME_PLANE_STRIDE (bgra, 0) + 4 * x;
    gdouble weight = wx[k % 3] * wy[k / 3], alpha = p[3] / 255.0;
    for (guint i = 0; i < 3; i++)
      mean[i] += weight * alpha * p[2 - i] / 255.0;
    mean[3] += weight * alpha;
  }
}

static void
compare (GstVideoFrame *bgra, GstVideoFrame *frame, const gchar *caps)
{
  const GstVideoInfo *info = &frame->info;

  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS (info); c++) {
    gdouble max = (1u << get_depth (info, c)) - 1;
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, c); y++) {
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, c); x++) {
        gdouble mean[4], expected;
        get_reference (info, bgra, c, x, y, mean);
        /* What next to nothing is left of may have any colour. */
        if (c < 3 && mean[3] < 0.2)
          continue;
        gdouble rgb[3] = { mean[0] / mean[3], mean[1] / mean[3], mean[2] / mean[3] };
        expected = c == 3 ? mean[3] * max : get_component (info, c, rgb);
        /* In steps of 8 bits: what both were rounded by, surfaces and frames. */
        gdouble most = 2.5 * max / 255.0 / (c == 3 ? 1.0 : mean[3]);
        gdouble found = read_sample (frame, c, x, y);
        if (fabs (found - expected) > most)
          g_error (
              "%s: component %u at %d,%d is %.0f, in BGRA %.2f", caps, c, x, y, found, expected);
      }
    }
  }
}

static void
check_format (const gchar *format, const gchar *rest, const gdouble rgba[4], const gchar *colour)
{
  g_autofree gchar *caps = g_strdup_printf ("video/x-raw,format=%s,%s%s", format, rest, colour);
  g_autofree gchar *bgra_caps = g_strdup_printf ("video/x-raw,format=BGRA,%s", rest);
  GstVideoInfo info, bgra_info;
  GstVideoFrame frame, bgra;
  g_autoptr (GstBuffer) out = draw (caps, rgba, &info);
  g_autoptr (GstBuffer) reference = draw (bgra_caps, rgba, &bgra_info);

  g_assert_true (gst_video_frame_map (&frame, &info, out, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&bgra, &bgra_info, reference, GST_MAP_READ));
  compare (&bgra, &frame, caps);
  gst_video_frame_unmap (&bgra);
  gst_video_frame_unmap (&frame);
}

static void
test_format_agrees_with_bgra (gconstpointer data)
{
  static const gchar *const aspects[] = { "1/1", "2/1", "3/4" };
  const GstVideoFormatInfo *f = gst_video_format_get_info (gst_video_format_from_string (data));

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    /* GStreamer 1.22 packs the last chroma sample of odd lines of NV61 the wrong way round. */
    if (g_str_equal (data, "NV61") && sizes[i][0] % 2 == 1)
      continue;
    g_autofree gchar *rest =
        g_strdup_printf ("width=%d,height=%d,framerate=30/1,pixel-aspect-ratio=%s", sizes[i][0],
            sizes[i][1], aspects[i % G_N_ELEMENTS (aspects)]);
    g_autofree gchar *colour = GST_VIDEO_FORMAT_INFO_IS_RGB (f)
                                   ? g_strdup ("")
                                   : g_strdup_printf (",colorimetry=%s,chroma-site=%s",
                                       colorimetries[i % 4], sites[i / 2 % 3]);
    for (guint k = 0; k < G_N_ELEMENTS (colours); k++) {
      if (colours[k][3] == 1.0 || GST_VIDEO_FORMAT_INFO_HAS_ALPHA (f))
        check_format (data, rest, colours[k], colour);
    }
  }
}

static void
seek (Overlay *o, GstClockTime time)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = time;
  g_assert_true (gst_harness_push_event (o->h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (o->h, gst_event_new_flush_stop (TRUE)));
  g_assert_true (gst_harness_push_event (o->h, gst_event_new_segment (&segment)));
}

static void
assert_same_frame (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (a, &map, GST_MAP_READ));
  g_assert_cmpint (gst_buffer_memcmp (b, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (a, &map);
}

/* Every frame of a second, played through, and then again in an order that goes back and forth. */
static void
test_seeks_show_the_same (gconstpointer data)
{
  static const gchar items[] =
      "{\"overlays\":[{\"type\":\"text\",\"text\":\"One\",\"end\":0.6,"
      "\"animate\":{\"in\":\"slide-left\",\"out\":\"fade\",\"duration\":0.25}},"
      "{\"type\":\"text\",\"text\":\"Two\",\"start\":0.4,\"end\":0.9,\"position\":\"bottom\","
      "\"animate\":{\"in\":\"fade\",\"out\":\"slide-down\",\"duration\":0.2}}]}";
  g_autofree gchar *caps =
      g_strdup_printf ("video/x-raw,format=%s,width=161,height=91,framerate=30/1", (gchar *) data);
  g_autoptr (Overlay) o = overlay_new (items, caps);
  g_autoptr (GPtrArray) played = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);

  for (guint i = 0; i < 30; i++)
    g_ptr_array_add (played, overlay_draw (o, i, 0x60));
  g_assert_cmpuint (overlay_get_stat (o, "frames-blended"), ==, 27);
  for (guint i = 0; i < 30; i++) {
    guint frame = i * 17 % 30;
    seek (o, GST_BUFFER_PTS ((GstBuffer *) g_ptr_array_index (played, frame)));
    g_autoptr (GstBuffer) again = overlay_draw (o, frame, 0x60);
    assert_same_frame (g_ptr_array_index (played, frame), again);
  }
}

int
main (int argc, char **argv)
{
  static const gchar *const sought[] = { "I420", "NV12", "P010_10LE", "YUY2", "BGRA" };

  overlay_init (&argc, &argv);
  g_autofree gchar *circle = overlay_write_file ("circle.svg", CIRCLE, -1);
  timeline = g_strdup_printf (TIMELINE, circle);
  g_autofree gchar *list = g_strndup (WEFT_SURFACE_FORMATS + 2, strlen (WEFT_SURFACE_FORMATS) - 4);
  g_auto (GStrv) formats = g_strsplit (list, ", ", -1);
  for (guint i = 0; formats[i] != NULL; i++) {
    g_autofree gchar *path = g_strconcat ("/formats/agree-with-bgra/", formats[i], NULL);
    g_test_add_data_func (path, formats[i], test_format_agrees_with_bgra);
  }
  for (guint i = 0; i < G_N_ELEMENTS (sought); i++) {
    g_autofree gchar *path = g_strconcat ("/formats/seeks-show-the-same/", sought[i], NULL);
    g_test_add_data_func (path, sought[i], test_seeks_show_the_same);
  }
  gint result = g_test_run ();
  g_free (timeline);
  overlay_remove_files ();
  gst_deinit ();
  return result;
}
