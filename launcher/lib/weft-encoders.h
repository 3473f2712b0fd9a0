/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "weft-placement.h"

G_BEGIN_DECLS

/* What the job says about the picture of one output. Absent settings are negative or NULL. */
typedef struct {
  const gchar *codec;
  const gchar *speed;
  const gchar *profile;
  gdouble quality;
  gint64 bitrate;
  gdouble keyframe_s;
  gint lookahead;
  gint bframes;
  guint width;
  guint height;
  WeftRate fps;
} WeftVideoSettings;

/* Which element encodes, and how. */
typedef struct {
  const gchar *element; /* (nullable): nothing on this machine can */
  gchar *reason;
  gchar *caps; /* for a capsfilter behind the encoder */
  JsonObject *properties;
  guint latency_frames;
  guint priming_samples;
} WeftEncoderChoice;

void weft_encoder_choice_clear (WeftEncoderChoice *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftEncoderChoice, weft_encoder_choice_clear)

gboolean weft_encoders_choose_video (const WeftVideoSettings *settings, WeftEncoderChoice *choice);
gboolean weft_encoders_choose_audio (const gchar *codec, guint bitrate, WeftEncoderChoice *choice);
const gchar *weft_encoders_choose_picture (const gchar *format);

gint64 weft_encoders_estimate_bitrate (const WeftVideoSettings *settings);
gint64 weft_encoders_round_quality (gdouble quality);
guint weft_encoders_x264_latency (const WeftVideoSettings *settings, guint processors);
JsonNode *weft_encoders_list (void);

G_END_DECLS
