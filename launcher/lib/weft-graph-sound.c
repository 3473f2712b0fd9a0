/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sound, from its sources to the muxers. */

#include "weft-graph-layout.h"
#include "weft-json.h"

/* What clipsequence lets its audio run ahead of its video (its documented bound). */
#define AUDIO_LEAD_NS GST_SECOND

/* mp4mux writes runs of one track up to its interleave-time (250 ms) before it takes from the
 * other; the rest is rounding and the encoder's own frame. */
#define AUDIO_MARGIN_NS (1 * GST_SECOND)

static gboolean
is_heard (JsonObject *overlay)
{
  JsonArray *clips =
      json_object_get_array_member (json_object_get_object_member (overlay, "video"), "clips");

  return json_array_get_length (clips) > 0
         && json_object_get_boolean_member_with_default (
             json_array_get_object_element (clips, 0), "audio", FALSE);
}

/* Opens the chain that carries the timeline's sound. */
static void
begin_sound (WeftGraph *self)
{
  g_autoptr (GPtrArray) heard = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < self->videos->len; i++) {
    if (is_heard (g_ptr_array_index (self->videos, i)))
      g_ptr_array_add (heard, weft_graph_video_name (i));
  }
  weft_launch_pad (self->launch, WEFT_GRAPH_CLIPS, "audio");
  if (heard->len == 0)
    return;
  weft_launch_link (self->launch);
  weft_launch_pad (self->launch, "mix", "sink_0");
  for (guint i = 0; i < heard->len; i++) {
    g_autofree gchar *pad = g_strdup_printf ("sink_%u", i + 1);

    weft_launch_pad (self->launch, g_ptr_array_index (heard, i), "audio");
    weft_launch_link (self->launch);
    weft_launch_pad (self->launch, "mix", pad);
  }
  weft_launch_element (self->launch, "audiomixer", "mix");
}

/* Audio: each distinct setting encoded once, then shared by every muxer that wants it */

static GstClockTime
audio_queue_ns (WeftGraph *self, JsonObject *output)
{
  JsonArray *fps = json_object_get_array_member (self->timeline, "fps");
  JsonObject *video = weft_get_object (output, "video");
  guint frames = RAW_QUEUE_FRAMES + (video ? (guint) weft_get_int (video, "latency_frames", 0) : 0);

  /* Audio may stand this far ahead of the video that its muxer waits for: the frames the encoder
   * holds back and those in front of it, the coded queue, clipsequence's lead and the interleave.
   * With less room the audio tee would block, clipsequence's audio with it, its window of open
   * clips could not move, and the video that everybody waits for would never come. */
  return gst_util_uint64_scale (frames, (guint64) json_array_get_int_element (fps, 1) * GST_SECOND,
             (guint64) json_array_get_int_element (fps, 0))
         + CODED_QUEUE_NS + AUDIO_LEAD_NS + AUDIO_MARGIN_NS;
}

static void
add_coded_audio_queue (WeftGraph *self, guint i)
{
  g_autofree gchar *mux = weft_graph_element_name (self, "mux", i);

  weft_launch_element (self->launch, "queue", NULL);
  weft_launch_set_uint (self->launch, "max-size-buffers", 0);
  weft_launch_set_uint (self->launch, "max-size-bytes", 0);
  weft_launch_set_uint (
      self->launch, "max-size-time", audio_queue_ns (self, weft_graph_get_output (self, i)));
  weft_launch_link (self->launch);
  weft_launch_pad (self->launch, mux, "audio_0");
}

static gchar *
audio_key (JsonObject *output)
{
  JsonNode *audio = json_object_get_member (output, "audio");

  return audio && JSON_NODE_HOLDS_OBJECT (audio) ? weft_json_to_text (audio, FALSE) : NULL;
}

/* Returns: (transfer full): the distinct audio settings, in the order of the outputs that first
 * have them */
static GPtrArray *
list_audio_keys (WeftGraph *self)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < json_array_get_length (self->outputs); i++) {
    g_autofree gchar *key = audio_key (weft_graph_get_output (self, i));

    if (key && !g_ptr_array_find_with_equal_func (keys, key, g_str_equal, NULL))
      g_ptr_array_add (keys, g_steal_pointer (&key));
  }
  return keys;
}

static gchar *
name_audio_encoder (guint key)
{
  return g_strdup_printf ("encoder_audio_%u", key);
}

/* The element that encodes the audio of output number @output, or %NULL if that has none. */
gchar *
weft_graph_audio_encoder_name (WeftGraph *self, guint output)
{
  g_autoptr (GPtrArray) keys = list_audio_keys (self);
  g_autofree gchar *key = audio_key (weft_graph_get_output (self, output));
  guint k;

  return key && g_ptr_array_find_with_equal_func (keys, key, g_str_equal, &k)
             ? name_audio_encoder (k)
             : NULL;
}

static void
add_audio_encoder (WeftGraph *self, JsonObject *audio, const gchar *name)
{
  JsonObject *properties = weft_get_object (audio, "properties");
  g_autofree gchar *caps = g_strdup_printf ("audio/x-raw,rate=%u,channels=%u",
      (guint) weft_get_int (audio, "rate", 0), (guint) weft_get_int (audio, "channels", 0));

  weft_launch_element (self->launch, "audioconvert", NULL);
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, "audioresample", NULL);
  weft_launch_link (self->launch);
  weft_launch_caps (self->launch, caps);
  weft_launch_link (self->launch);
  weft_launch_element (self->launch, weft_get_string (audio, "encoder", NULL), name);
  if (json_object_has_member (audio, "bitrate"))
    weft_launch_set_uint (self->launch, "bitrate", (guint) weft_get_int (audio, "bitrate", 0));
  if (properties)
    weft_launch_set_object (self->launch, properties);
}

void
weft_graph_add_sound (WeftGraph *self)
{
  g_autoptr (GPtrArray) keys = list_audio_keys (self);
  guint n = json_array_get_length (self->outputs);

  if (keys->len == 0)
    return;

  begin_sound (self);
  if (keys->len > 1) {
    weft_launch_link (self->launch);
    weft_launch_element (self->launch, "tee", "sound");
  }
  for (guint k = 0; k < keys->len; k++) {
    g_autoptr (GArray) muxes = g_array_new (FALSE, FALSE, sizeof (guint));
    g_autofree gchar *encoder = name_audio_encoder (k);
    g_autofree gchar *tee = g_strdup_printf ("coded_audio_%u", k);

    for (guint i = 0; i < n; i++) {
      g_autofree gchar *key = audio_key (weft_graph_get_output (self, i));

      if (g_strcmp0 (key, g_ptr_array_index (keys, k)) == 0)
        g_array_append_val (muxes, i);
    }
    if (keys->len > 1) {
      weft_launch_pad (self->launch, "sound", NULL);
      weft_launch_link (self->launch);
      weft_launch_element (self->launch, "queue", NULL);
    }
    weft_launch_link (self->launch);
    add_audio_encoder (self,
        weft_get_object (weft_graph_get_output (self, g_array_index (muxes, guint, 0)), "audio"),
        encoder);
    weft_launch_link (self->launch);
    if (muxes->len == 1) {
      add_coded_audio_queue (self, g_array_index (muxes, guint, 0));
      continue;
    }
    weft_launch_element (self->launch, "tee", tee);
    for (guint m = 0; m < muxes->len; m++) {
      weft_launch_pad (self->launch, tee, NULL);
      weft_launch_link (self->launch);
      add_coded_audio_queue (self, g_array_index (muxes, guint, m));
    }
  }
}
