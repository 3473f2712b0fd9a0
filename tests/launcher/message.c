/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/gst.h>
#include <string.h>

#include "fixture.h"
#include "weft-message.h"
#include "weft-plan.h"

typedef struct {
  const gchar *element; /* its name in the graph */
  GQuark (*domain) (void);
  gint code;
  WeftError expected;
} Case;

static const Case cases[] = {
  { "clips", gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND, WEFT_ERROR_SOURCE_NOT_FOUND },
  { "clips", gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ, WEFT_ERROR_SOURCE_DENIED },
  { "clips", gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_AUTHORIZED,
      WEFT_ERROR_SOURCE_DENIED },
  { "clips", gst_resource_error_quark, GST_RESOURCE_ERROR_READ, WEFT_ERROR_SOURCE_DAMAGED },
  { "clips", gst_stream_error_quark, GST_STREAM_ERROR_TYPE_NOT_FOUND, WEFT_ERROR_SOURCE_DAMAGED },
  { "clips", gst_stream_error_quark, GST_STREAM_ERROR_DEMUX, WEFT_ERROR_SOURCE_DAMAGED },
  { "clips", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, WEFT_ERROR_SOURCE_DAMAGED },
  { "clips", gst_stream_error_quark, GST_STREAM_ERROR_FAILED, WEFT_ERROR_SOURCE_DAMAGED },
  { "clips", gst_stream_error_quark, GST_STREAM_ERROR_CODEC_NOT_FOUND, WEFT_ERROR_UNSUPPORTED },
  { "clips", gst_core_error_quark, GST_CORE_ERROR_MISSING_PLUGIN, WEFT_ERROR_UNSUPPORTED },
  { "encoder_big", gst_stream_error_quark, GST_STREAM_ERROR_ENCODE, WEFT_ERROR_ENCODER_FAILED },
  { "encoder_big", gst_library_error_quark, GST_LIBRARY_ERROR_SETTINGS, WEFT_ERROR_ENCODER_FAILED },
  { "sink_big", gst_resource_error_quark, GST_RESOURCE_ERROR_NO_SPACE_LEFT, WEFT_ERROR_NO_SPACE },
  { "sink_big", gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_WRITE, WEFT_ERROR_OUTPUT_DENIED },
  { "sink_big", gst_resource_error_quark, GST_RESOURCE_ERROR_WRITE, WEFT_ERROR_OUTPUT_FAILED },
  { "mux_big", gst_stream_error_quark, GST_STREAM_ERROR_MUX, WEFT_ERROR_OUTPUT_FAILED },
  { "elsewhere", gst_stream_error_quark, GST_STREAM_ERROR_FAILED, WEFT_ERROR_INTERNAL },
};

static WeftPlan *
new_plan_with (gchar *first_output, ...)
{
  g_autofree gchar *clip = fixture_clip ("file:///none", 0, 30);
  WeftPlan *plan;
  va_list args;

  va_start (args, first_output);
  plan = fixture_plan_new (64, 48, 30, clip,
      "{\"pointer\": \"/timeline/overlays/1\", \"first_frame\": 0, \"frames\": 30,"
      " \"item\": {\"type\": \"image\", \"src\": \"file:///x.png\"}}",
      first_output, args);
  va_end (args);
  return plan;
}

/* One output, and one overlay: the user's second, because the first was left out. */
static WeftPlan *
new_plan (void)
{
  return new_plan_with (fixture_thumbnail_output ("big", "/tmp"), NULL);
}

static GstMessage *
new_message (GstElement *element, GQuark domain, gint code, GstStructure *details)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, "It broke");

  return gst_message_new_error_with_details (GST_OBJECT (element), error, "debug", details);
}

static void
test_each_code_means_the_right_thing_on_its_side (void)
{
  g_autoptr (WeftPlan) plan = new_plan ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstElement *pipeline = gst_pipeline_new (NULL);
    GstElement *element = gst_element_factory_make ("identity", cases[i].element);
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (WeftProblem) problem = NULL;

    gst_bin_add (GST_BIN (pipeline), element);
    message = new_message (element, cases[i].domain (), cases[i].code, NULL);
    problem = weft_message_to_problem (message, plan);
    g_assert_cmpstr (
        weft_error_to_name (problem->code), ==, weft_error_to_name (cases[i].expected));
    g_assert_nonnull (strstr (problem->element, cases[i].element));
    if (g_str_has_suffix (cases[i].element, "_big")) {
      g_assert_cmpstr (problem->pointer, ==, "/outputs/0");
      g_assert_cmpstr (problem->uri, ==, "file:///tmp/big.jpg");
    }
    g_clear_pointer (&message, gst_message_unref);
    gst_object_unref (pipeline);
  }
}

static void
test_details_name_the_place_in_the_user_s_document (void)
{
  g_autoptr (WeftPlan) plan = new_plan ();
  g_autoptr (GstElement) clips =
      gst_object_ref_sink (gst_element_factory_make ("identity", "clips"));
  g_autoptr (GstElement) overlays =
      gst_object_ref_sink (gst_element_factory_make ("identity", "overlays"));
  g_autoptr (GstMessage) changed = new_message (clips, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
      gst_structure_new ("details", "pointer", G_TYPE_STRING, "/timeline/clips/4", "uri",
          G_TYPE_STRING, "http://x/y.mp4", "changed", G_TYPE_BOOLEAN, TRUE, NULL));
  g_autoptr (GstMessage) picture = new_message (overlays, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND,
      gst_structure_new ("details", "pointer", G_TYPE_STRING, "/timeline/overlays/0/src", NULL));
  g_autoptr (WeftProblem) first = weft_message_to_problem (changed, plan);
  g_autoptr (WeftProblem) second = weft_message_to_problem (picture, plan);

  g_assert_cmpint (first->code, ==, WEFT_ERROR_SOURCE_CHANGED);
  g_assert_cmpstr (first->pointer, ==, "/timeline/clips/4");
  g_assert_cmpstr (first->uri, ==, "http://x/y.mp4");
  g_assert_true (weft_error_is_retryable (first->code));
  g_assert_cmpint (second->code, ==, WEFT_ERROR_SOURCE_NOT_FOUND);
  g_assert_cmpstr (second->pointer, ==, "/timeline/overlays/1/src");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message/each-code-means-the-right-thing-on-its-side",
      test_each_code_means_the_right_thing_on_its_side);
  g_test_add_func ("/message/details-name-the-place-in-the-users-document",
      test_details_name_the_place_in_the_user_s_document);
  return g_test_run ();
}
