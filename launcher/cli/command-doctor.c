/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include <gst/gst.h>
#include <unistd.h>
#ifdef HAVE_FONTCONFIG
#include <fontconfig/fontconfig.h>
#endif

#include "weft-pictures.h"

typedef enum {
  NEED_REQUIRED, /* without it no job runs */
  NEED_USUAL,    /* without it many a job fails */
  NEED_OPTIONAL, /* it is good to have */
} Need;

/* One question about the machine: is any of these elements here, and does it start? */
typedef struct {
  const gchar *section;
  const gchar *name;
  Need need;
  const gchar *elements; /* split by spaces, the best one first */
  const gchar *package;  /* which Debian package brings the first one */
} Check;

static const Check checks[] = {
  { "Weft", "clips", NEED_REQUIRED, "clipsequence", "weft itself" },
  { "Weft", "scaling", NEED_REQUIRED, "clipscale", "weft itself" },
  { "Weft", "titles", NEED_REQUIRED, "overlaytimeline", "weft itself" },
  { "Weft", "MP4 layout", NEED_REQUIRED, "mp4layout", "weft itself" },
  { "Weft", "thumbnails", NEED_REQUIRED, "framepick", "weft itself" },
  { "encode", "H.264", NEED_REQUIRED, "x264enc openh264enc", "gstreamer1.0-plugins-ugly" },
  { "encode", "H.264 in hardware", NEED_OPTIONAL,
      "nvh264enc vah264enc qsvh264enc v4l2h264enc vaapih264enc",
      "gstreamer1.0-vaapi, or gstreamer1.0-plugins-bad and a driver" },
  { "encode", "AAC", NEED_REQUIRED, "avenc_aac fdkaacenc voaacenc", "gstreamer1.0-libav" },
  { "encode", "MP4", NEED_REQUIRED, "mp4mux", "gstreamer1.0-plugins-good" },
  { "encode", "JPEG", NEED_USUAL, "jpegenc", "gstreamer1.0-plugins-good" },
  { "encode", "PNG", NEED_USUAL, "pngenc", "gstreamer1.0-plugins-good" },
  { "encode", "WebP", NEED_OPTIONAL, "webpenc", "gstreamer1.0-plugins-bad" },
  { "read", "MP4, MOV", NEED_REQUIRED, "qtdemux", "gstreamer1.0-plugins-good" },
  { "read", "MKV, WebM", NEED_USUAL, "matroskademux", "gstreamer1.0-plugins-good" },
  { "read", "AVI", NEED_USUAL, "avidemux", "gstreamer1.0-plugins-good" },
  { "read", "MPEG-TS", NEED_USUAL, "tsdemux", "gstreamer1.0-plugins-bad" },
  { "read", "MPEG-PS", NEED_USUAL, "mpegpsdemux", "gstreamer1.0-plugins-bad" },
  { "read", "Ogg", NEED_OPTIONAL, "oggdemux", "gstreamer1.0-plugins-base" },
  { "read", "http and https", NEED_USUAL, "souphttpsrc curlhttpsrc", "gstreamer1.0-plugins-good" },
  { "decode", "H.264", NEED_REQUIRED, "avdec_h264 openh264dec", "gstreamer1.0-libav" },
  { "decode", "HEVC", NEED_USUAL, "avdec_h265 libde265dec", "gstreamer1.0-libav" },
  { "decode", "VP8", NEED_USUAL, "vp8dec avdec_vp8", "gstreamer1.0-plugins-good" },
  { "decode", "VP9", NEED_USUAL, "vp9dec avdec_vp9", "gstreamer1.0-plugins-good" },
  { "decode", "AV1", NEED_OPTIONAL, "dav1ddec av1dec avdec_av1", "gstreamer1.0-plugins-bad" },
  { "decode", "MPEG-2", NEED_OPTIONAL, "mpeg2dec avdec_mpeg2video", "gstreamer1.0-plugins-ugly" },
  { "decode", "MPEG-4", NEED_OPTIONAL, "avdec_mpeg4", "gstreamer1.0-libav" },
  { "decode", "ProRes", NEED_OPTIONAL, "avdec_prores", "gstreamer1.0-libav" },
  { "decode", "AAC", NEED_USUAL, "avdec_aac fdkaacdec faad", "gstreamer1.0-libav" },
  { "decode", "MP3", NEED_USUAL, "mpg123audiodec avdec_mp3", "gstreamer1.0-plugins-good" },
  { "decode", "Opus", NEED_OPTIONAL, "opusdec avdec_opus", "gstreamer1.0-plugins-base" },
  { "decode", "JPEG", NEED_USUAL, "jpegdec", "gstreamer1.0-plugins-good" },
  { "decode", "PNG", NEED_USUAL, "pngdec", "gstreamer1.0-plugins-good" },
};

typedef struct {
  JsonBuilder *json;
  GString *text;
  const gchar *section; /* of the line before */
  guint n_required_missing;
} Findings;

/* An encoder in hardware may be registered and yet refuse to open its device. */
static gboolean
element_starts (const gchar *name, gchar **problem)
{
  g_autoptr (GstElement) element = gst_element_factory_make (name, NULL);
  gboolean starts;

  if (element == NULL)
    return FALSE;
  gst_object_ref_sink (element);
  starts = gst_element_set_state (element, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state (element, GST_STATE_NULL);
  if (!starts) {
    g_free (*problem);
    *problem = g_strdup_printf ("%s is here but does not start", name);
  }
  return starts;
}

static void
add_finding (Findings *found, const gchar *section, const gchar *name, gboolean is_good,
    const gchar *mark, const gchar *detail, const gchar *hint)
{
  if (g_strcmp0 (found->section, section) != 0)
    g_string_append_printf (found->text, "%s%s\n", found->section ? "\n" : "", section);
  found->section = section;
  g_string_append_printf (found->text, "  %-4s %-20s %s\n", mark, name, detail);
  if (hint)
    g_string_append_printf (found->text, "       %-20s %s\n", "", hint);

  json_builder_begin_object (found->json);
  json_builder_set_member_name (found->json, "section");
  json_builder_add_string_value (found->json, section);
  json_builder_set_member_name (found->json, "name");
  json_builder_add_string_value (found->json, name);
  json_builder_set_member_name (found->json, "ok");
  json_builder_add_boolean_value (found->json, is_good);
  json_builder_set_member_name (found->json, "detail");
  json_builder_add_string_value (found->json, detail);
  if (hint) {
    json_builder_set_member_name (found->json, "hint");
    json_builder_add_string_value (found->json, hint);
  }
  json_builder_end_object (found->json);
}

static void
check_elements (Findings *found, const Check *check)
{
  g_auto (GStrv) names = g_strsplit (check->elements, " ", -1);
  g_autoptr (GPtrArray) working = g_ptr_array_new ();
  g_autofree gchar *problem = NULL;
  g_autofree gchar *detail = NULL;
  g_autofree gchar *hint = NULL;

  for (guint i = 0; names[i]; i++)
    if (element_starts (names[i], &problem))
      g_ptr_array_add (working, names[i]);
  g_ptr_array_add (working, NULL);

  if (working->len > 1) {
    detail = g_strjoinv (", ", (gchar **) working->pdata);
    add_finding (found, check->section, check->name, TRUE, "ok", detail, NULL);
    return;
  }
  if (check->need == NEED_REQUIRED)
    found->n_required_missing++;
  hint = problem || check->need == NEED_OPTIONAL ? NULL
                                                 : g_strdup_printf ("install %s", check->package);
  add_finding (found, check->section, check->name, FALSE,
      check->need == NEED_REQUIRED ? "MISS"
      : check->need == NEED_USUAL  ? "miss"
                                   : "-",
      problem ? problem : "not here", hint);
}

static void
check_data (Findings *found)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) schema = weft_job_load_schema (&error);

  if (schema == NULL)
    found->n_required_missing++;
  add_finding (found, "Weft", "job schema", schema != NULL, schema ? "ok" : "MISS",
      schema ? "readable" : error->message, NULL);
}

static void
check_fonts (Findings *found)
{
#ifdef HAVE_FONTCONFIG
  g_autofree gchar *detail = NULL;
  FcFontSet *fonts;
  FcPattern *pattern;
  FcObjectSet *wanted;
  guint n_fonts = 0;
  gboolean has_emoji = FALSE;

  pattern = FcPatternCreate ();
  wanted = FcObjectSetBuild (FC_FAMILY, FC_COLOR, (char *) NULL);
  fonts = FcFontList (NULL, pattern, wanted);
  for (int i = 0; fonts && i < fonts->nfont; i++) {
    FcBool is_colour = FcFalse;

    n_fonts++;
    if (FcPatternGetBool (fonts->fonts[i], FC_COLOR, 0, &is_colour) == FcResultMatch && is_colour)
      has_emoji = TRUE;
  }
  if (fonts)
    FcFontSetDestroy (fonts);
  FcObjectSetDestroy (wanted);
  FcPatternDestroy (pattern);
  FcFini ();

  detail = g_strdup_printf ("%u", n_fonts);
  add_finding (found, "fonts", "installed", n_fonts > 0, n_fonts > 0 ? "ok" : "miss", detail,
      n_fonts > 0 ? NULL : "install fonts-dejavu-core, or let the job bring its fonts");
  add_finding (found, "fonts", "colour emoji", has_emoji, has_emoji ? "ok" : "-",
      has_emoji ? "yes" : "not here", has_emoji ? NULL : "install fonts-noto-color-emoji");
#endif
}

static void
check_pictures (Findings *found)
{
  g_auto (GStrv) types = weft_pictures_list_types ();
  g_autofree gchar *list = g_strjoinv (", ", types);

  add_finding (found, "draw", "pictures", types[0] != NULL, types[0] != NULL ? "ok" : "miss",
      types[0] != NULL ? list : "not here",
      types[0] != NULL ? NULL : "install weft with its overlay plugin");
}

static void
check_machine (Findings *found)
{
  g_autofree gchar *version = gst_version_string ();
  g_autofree gchar *cores = g_strdup_printf ("%u", g_get_num_processors ());
  glong pages = sysconf (_SC_PHYS_PAGES);
  glong page_bytes = sysconf (_SC_PAGESIZE);
  g_autofree gchar *memory = pages > 0 && page_bytes > 0 ? g_format_size_full (
                                 (guint64) pages * (guint64) page_bytes, G_FORMAT_SIZE_IEC_UNITS)
                                                         : g_strdup ("unknown");

  add_finding (found, "machine", "weft", TRUE, "ok", CLI_VERSION, NULL);
  add_finding (found, "machine", "GStreamer", TRUE, "ok", version, NULL);
  add_finding (found, "machine", "cores", TRUE, "ok", cores, NULL);
  add_finding (found, "machine", "memory", TRUE, "ok", memory, NULL);
}

CliExit
cli_command_doctor (CliInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  Findings found = { builder, text, NULL, 0 };

  if (!cli_start_gstreamer (&error)) {
    cli_print_error (error);
    return CLI_EXIT_FAILED;
  }
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "findings");
  json_builder_begin_array (builder);
  check_machine (&found);
  check_data (&found);
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    check_elements (&found, &checks[i]);
  check_pictures (&found);
  check_fonts (&found);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "ok");
  json_builder_add_boolean_value (builder, found.n_required_missing == 0);
  json_builder_end_object (builder);

  if (cli_invocation_get_flag (invocation, "json")) {
    g_autoptr (JsonNode) root = json_builder_get_root (builder);

    cli_print_json (root, TRUE);
  } else {
    g_string_append (text, found.n_required_missing == 0
                               ? "\nJobs can run on this machine.\n"
                               : "\nJobs cannot run on this machine yet.\n");
    cli_write_text (text->str);
  }
  return found.n_required_missing == 0 ? CLI_EXIT_DONE : CLI_EXIT_FAILED;
}
