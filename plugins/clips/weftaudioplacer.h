/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

gint64 weft_audio_buffer_samples (GstBuffer *buffer, const GstAudioInfo *info);

typedef struct _WeftAudioPlacer WeftAudioPlacer;

/* A run of converted samples (@buffer is taken); @position counts output samples from time 0. */
typedef GstFlowReturn (*WeftAudioPlacedFunc) (
    gint64 position, gint64 length, GstBuffer *buffer, gpointer user_data);

WeftAudioPlacer *weft_audio_placer_new (
    const GstAudioInfo *out, gdouble volume, WeftAudioPlacedFunc placed, gpointer user_data);
void weft_audio_placer_free (WeftAudioPlacer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftAudioPlacer, weft_audio_placer_free)

gboolean weft_audio_placer_set_input (WeftAudioPlacer *self, const GstAudioInfo *in);
void weft_audio_placer_set_grid (WeftAudioPlacer *self, gint64 boundary_ns);
GstFlowReturn weft_audio_placer_push (WeftAudioPlacer *self, GstBuffer *buffer, gint64 time_ns);
GstFlowReturn weft_audio_placer_drain (WeftAudioPlacer *self);
void weft_audio_placer_reset (WeftAudioPlacer *self);

G_END_DECLS
