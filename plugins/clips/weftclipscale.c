/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-clipscale
 * @title: clipscale
 *
 * Scales pictures to the size that downstream asks for, and turns them into I420 of the colour
 * space asked for on the way. The size that is left open follows from the other one and the
 * picture's aspect. Pictures that are right already pass untouched.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=90 ! video/x-raw,width=1080,height=1920 ! clipscale !
 * video/x-raw,width=720 ! x264enc ! mp4mux ! filesink location=/tmp/720.mp4
 * ]|
 */
#include "weftclipscale.h"

#include "weftframing.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

#define DEFAULT_FIT WEFT_FIT_CONTAIN
#define DEFAULT_BACKGROUND 0xff000000u

enum {
  PROP_0,
  PROP_FIT,
  PROP_BACKGROUND,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

struct _WeftClipScale {
  GstVideoFilter parent_instance;

  /* properties, guarded by the object lock */
  WeftFit fit;
  guint32 background;

  WeftFraming *framing; /* streaming thread */
};

G_DEFINE_FINAL_TYPE (WeftClipScale, weft_clip_scale, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE (clipscale, "clipscale", GST_RANK_NONE, WEFT_TYPE_CLIP_SCALE)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK,
    GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("I420")));

#define FIT_TYPE (fit_get_type ())

static GType
fit_get_type (void)
{
  static gsize once;
  static const GEnumValue values[] = {
    { WEFT_FIT_COVER, "Fill the frame and cut off what is too much", "cover" },
    { WEFT_FIT_CONTAIN, "Show everything, with bars", "contain" },
    { WEFT_FIT_FILL, "Distort to the frame", "fill" },
    { WEFT_FIT_NONE, "Pixel for pixel, centred", "none" },
    { WEFT_FIT_CONTAIN_BLUR, "Show everything on a blurred copy", "contain-blur" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, g_enum_register_static ("WeftFit", values));
  return once;
}

static GstCaps *
weft_clip_scale_transform_caps (
    GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_structure_copy (gst_caps_get_structure (caps, i));

    gst_structure_set (s, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1,
        G_MAXINT, NULL);
    if (gst_structure_has_field (s, "pixel-aspect-ratio"))
      gst_structure_set (
          s, "pixel-aspect-ratio", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT, G_MAXINT, 1, NULL);
    gst_structure_remove_fields (s, "format", "colorimetry", "chroma-site", NULL);
    gst_caps_append_structure (result, s);
  }
  {
    GstPad *other = direction == GST_PAD_SINK ? trans->srcpad : trans->sinkpad;
    g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (other);
    GstCaps *fitting = gst_caps_intersect_full (result, template, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (result);
    result = fitting;
  }
  if (filter != NULL) {
    GstCaps *filtered = gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (result);
    result = filtered;
  }
  return result;
}

static void
fixate_size (GstStructure *s, const GstVideoInfo *in)
{
  gdouble aspect;
  gint width = 0, height = 0, par_n = 1, par_d = 1;
  gboolean has_width, has_height;

  if (gst_structure_has_field (s, "pixel-aspect-ratio")) {
    gst_structure_fixate_field_nearest_fraction (s, "pixel-aspect-ratio", 1, 1);
    gst_structure_get_fraction (s, "pixel-aspect-ratio", &par_n, &par_d);
  } else {
    gst_structure_set (s, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
  }
  aspect = (gdouble) in->width * in->par_n * par_d / ((gdouble) in->height * in->par_d * par_n);
  has_width = gst_structure_get_int (s, "width", &width);
  has_height = gst_structure_get_int (s, "height", &height);

  /* Even, so that every encoder takes it. */
  if (has_width && !has_height)
    gst_structure_fixate_field_nearest_int (
        s, "height", MAX (2, 2 * (gint) (width / aspect / 2 + 0.5)));
  else if (has_height && !has_width)
    gst_structure_fixate_field_nearest_int (
        s, "width", MAX (2, 2 * (gint) (height * aspect / 2 + 0.5)));
  else if (!has_width) {
    gst_structure_fixate_field_nearest_int (s, "height", in->height);
    gst_structure_get_int (s, "height", &height);
    gst_structure_fixate_field_nearest_int (s, "width",
        par_n == in->par_n && par_d == in->par_d && height == in->height
            ? in->width
            : MAX (2, 2 * (gint) (height * aspect / 2 + 0.5)));
  }
}

static GstCaps *
weft_clip_scale_fixate_caps (
    GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps, GstCaps *othercaps)
{
  GstVideoInfo in;
  GstStructure *s;

  if (direction != GST_PAD_SINK || !gst_video_info_from_caps (&in, caps))
    return gst_caps_fixate (othercaps);

  /* What can pass untouched, does. */
  if (gst_caps_can_intersect (caps, othercaps)) {
    gst_caps_unref (othercaps);
    return gst_caps_ref (caps);
  }
  othercaps = gst_caps_make_writable (gst_caps_truncate (othercaps));
  s = gst_caps_get_structure (othercaps, 0);
  fixate_size (s, &in);
  /* The colours stay what they are, unless downstream wants others or YUV has to be made first. */
  if (!gst_structure_has_field (s, "colorimetry")) {
    if (GST_VIDEO_INFO_IS_YUV (&in) && in.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_RGB) {
      g_autofree gchar *colorimetry = gst_video_colorimetry_to_string (&in.colorimetry);
      if (colorimetry != NULL)
        gst_structure_set (s, "colorimetry", G_TYPE_STRING, colorimetry, NULL);
    } else {
      gst_structure_set (s, "colorimetry", G_TYPE_STRING, GST_VIDEO_COLORIMETRY_BT709, NULL);
    }
  }
  return gst_caps_fixate (othercaps);
}

static gboolean
weft_clip_scale_set_info (
    GstVideoFilter *filter, GstCaps *incaps, GstVideoInfo *in, GstCaps *outcaps, GstVideoInfo *out)
{
  WeftClipScale *self = WEFT_CLIP_SCALE (filter);

  g_clear_pointer (&self->framing, weft_framing_free);
  GST_OBJECT_LOCK (self);
  self->framing =
      weft_framing_new (in, GST_VIDEO_ORIENTATION_IDENTITY, self->fit, self->background, out);
  GST_OBJECT_UNLOCK (self);
  gst_base_transform_set_passthrough (
      GST_BASE_TRANSFORM (self), weft_framing_is_passthrough (self->framing));
  return TRUE;
}

static GstFlowReturn
weft_clip_scale_transform_frame (GstVideoFilter *filter, GstVideoFrame *in, GstVideoFrame *out)
{
  weft_framing_convert (WEFT_CLIP_SCALE (filter)->framing, in, out);
  return GST_FLOW_OK;
}

static gboolean
weft_clip_scale_stop (GstBaseTransform *trans)
{
  g_clear_pointer (&WEFT_CLIP_SCALE (trans)->framing, weft_framing_free);
  return TRUE;
}

static void
weft_clip_scale_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  WeftClipScale *self = WEFT_CLIP_SCALE (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_FIT:
      self->fit = (WeftFit) g_value_get_enum (value);
      break;
    case PROP_BACKGROUND:
      self->background = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_clip_scale_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftClipScale *self = WEFT_CLIP_SCALE (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_FIT:
      g_value_set_enum (value, (gint) self->fit);
      break;
    case PROP_BACKGROUND:
      g_value_set_uint (value, self->background);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_clip_scale_finalize (GObject *object)
{
  g_clear_pointer (&WEFT_CLIP_SCALE (object)->framing, weft_framing_free);
  G_OBJECT_CLASS (weft_clip_scale_parent_class)->finalize (object);
}

static void
weft_clip_scale_init (WeftClipScale *self)
{
  self->fit = DEFAULT_FIT;
  self->background = DEFAULT_BACKGROUND;
}

static void
weft_clip_scale_class_init (WeftClipScaleClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  object_class->set_property = weft_clip_scale_set_property;
  object_class->get_property = weft_clip_scale_get_property;
  object_class->finalize = weft_clip_scale_finalize;
  transform_class->transform_caps = weft_clip_scale_transform_caps;
  transform_class->fixate_caps = weft_clip_scale_fixate_caps;
  transform_class->stop = weft_clip_scale_stop;
  transform_class->passthrough_on_same_caps = FALSE;
  filter_class->set_info = weft_clip_scale_set_info;
  filter_class->transform_frame = weft_clip_scale_transform_frame;

  props[PROP_FIT] = g_param_spec_enum ("fit", "Fit",
      "What happens when the asked size has another aspect", FIT_TYPE, (gint) DEFAULT_FIT, flags);
  props[PROP_BACKGROUND] = g_param_spec_uint ("background", "Background",
      "Colour of bars, 0xAARRGGBB", 0, G_MAXUINT32, DEFAULT_BACKGROUND, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  gst_type_mark_as_plugin_api (FIT_TYPE, 0);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Clip scaler",
      "Filter/Converter/Video/Scaler", "Scales pictures to the size that downstream asks for",
      "Weft");
}
