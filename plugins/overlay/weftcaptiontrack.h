/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "weftoverlayvalue.h"

G_BEGIN_DECLS

/* A longer file is refused; three hours of speech are less than a tenth of it. */
#define WEFT_CAPTION_MAX_FILE_BYTES (16u << 20)
/* So many overlapping cues are stacked; more do not fit into a frame. */
#define WEFT_CAPTION_MAX_SLOTS 8

typedef enum {
  WEFT_CAPTION_BOLD = 1 << 0,
  WEFT_CAPTION_ITALIC = 1 << 1,
  WEFT_CAPTION_UNDERLINE = 1 << 2,
  WEFT_CAPTION_STRIKE = 1 << 3,
  /* The reading that stands beside a word. */
  WEFT_CAPTION_RUBY = 1 << 4,
  WEFT_CAPTION_COLORED = 1 << 5,
} WeftCaptionMarks;

/* A part of a cue's text that looks different. Offsets are bytes. Spans are in order and do not
 * overlap. */
typedef struct {
  guint offset;
  guint length;
  WeftCaptionMarks marks;
  WeftColor color;
} WeftCaptionSpan;

/* A part of a cue's text and when it is said. Words are in order and do not overlap. */
typedef struct {
  guint offset;
  guint length;
  GstClockTime start;
  GstClockTime end;
} WeftCaptionWord;

typedef enum {
  WEFT_CAPTION_LINE_UNSET,
  /* Lines of text from the top, or from the bottom where negative: -1 is the last. */
  WEFT_CAPTION_LINE_NUMBER,
  /* A part of the frame's height. */
  WEFT_CAPTION_LINE_FRACTION,
} WeftCaptionLineUnit;

typedef enum {
  WEFT_CAPTION_SIDE_UNSET = -1,
  WEFT_CAPTION_SIDE_START,
  WEFT_CAPTION_SIDE_CENTER,
  WEFT_CAPTION_SIDE_END,
} WeftCaptionSide;

/* Where the file wants a cue. Fractions are of the frame. */
typedef struct {
  WeftCaptionLineUnit line_unit;
  gdouble line;
  WeftCaptionSide line_side;
  /* Of the box; negative where the file does not say. */
  gdouble position;
  WeftCaptionSide position_side;
  gdouble size;
  /* How lines stand among themselves, and where without `position`. */
  WeftCaptionSide align;
  /* Top, middle or bottom, where there is no line. */
  WeftCaptionSide upright;
} WeftCaptionPlace;

#define WEFT_CAPTION_PLACE_UNSET                                                                   \
  {                                                                                                \
    WEFT_CAPTION_LINE_UNSET, 0.0, WEFT_CAPTION_SIDE_UNSET, -1.0, WEFT_CAPTION_SIDE_UNSET, -1.0,    \
        WEFT_CAPTION_SIDE_UNSET, WEFT_CAPTION_SIDE_UNSET                                           \
  }

/* What is shown at once: a text from `start` up to, not including, `end`. */
typedef struct {
  GstClockTime start;
  GstClockTime end;
  gchar *text;
  WeftCaptionSpan *spans;
  guint n_spans;
  WeftCaptionWord *words;
  guint n_words;
  WeftCaptionPlace place;
  /* Where in the stack it stands while others show. */
  guint slot;
} WeftCaptionCue;

/* How texts are cut. */
typedef struct {
  /* Characters of a line; 0: as wide as there is room. */
  guint max_chars;
  /* Lines shown at once, the others later; 0: all. */
  guint max_lines;
  /* Whether each cue needs its words. */
  gboolean wants_words;
  /* Added to all times. */
  GstClockTimeDiff offset;
} WeftCaptionShape;

/* The cues of a file, sorted by start. Immutable and shared between threads. */
typedef struct _WeftCaptionTrack WeftCaptionTrack;

WeftCaptionTrack *weft_caption_track_ref (WeftCaptionTrack *self);
void weft_caption_track_unref (WeftCaptionTrack *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCaptionTrack, weft_caption_track_unref)

guint weft_caption_track_get_n_cues (const WeftCaptionTrack *self);
const WeftCaptionCue *weft_caption_track_get_cue (const WeftCaptionTrack *self, guint index);
guint weft_caption_track_get_n_slots (const WeftCaptionTrack *self);
const guint *weft_caption_track_get_slot (const WeftCaptionTrack *self, guint slot, guint *n_cues);

typedef enum { WEFT_CAPTION_DIALECT_SRT, WEFT_CAPTION_DIALECT_VTT } WeftCaptionDialect;

/* Collects cues while a file is read, and what is to be said about it. */
typedef struct {
  GArray *cues;
  WeftCaptionShape shape;
  /* Of utf8, the first few. */
  GPtrArray *warnings;
  guint n_warnings;
  guint n_words;
  /* Whether there was a cue at all, be it empty. */
  gboolean has_cues;
  gboolean is_full;
} WeftCaptionBuilder;

void weft_caption_builder_init (WeftCaptionBuilder *self, const WeftCaptionShape *shape);
void weft_caption_builder_clear (WeftCaptionBuilder *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCaptionBuilder, weft_caption_builder_clear)
void weft_caption_builder_warn (
    WeftCaptionBuilder *self, const gchar *where, const gchar *format, ...) G_GNUC_PRINTF (3, 4);
void weft_caption_builder_warn_line (WeftCaptionBuilder *self, guint line, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);
void weft_caption_builder_add (WeftCaptionBuilder *self, WeftCaptionCue *cue, const gchar *where);
void weft_caption_builder_append_line (
    WeftCaptionBuilder *self, GString *payload, const gchar *line, guint number);
void weft_caption_builder_add_markup (WeftCaptionBuilder *self, WeftCaptionCue *cue,
    WeftCaptionDialect dialect, const gchar *source, guint line);
WeftCaptionTrack *weft_caption_builder_end (WeftCaptionBuilder *self, GPtrArray *warnings);

void weft_caption_cue_clear (WeftCaptionCue *cue);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCaptionCue, weft_caption_cue_clear)

/* The formats, one file each. */
WeftCaptionTrack *weft_caption_parse (
    GBytes *bytes, const WeftCaptionShape *shape, GPtrArray *warnings, GError **error);
void weft_caption_parse_srt (WeftCaptionBuilder *builder, gchar *text);
void weft_caption_parse_vtt (WeftCaptionBuilder *builder, gchar *text);
gboolean weft_caption_parse_words (WeftCaptionBuilder *builder, const gchar *text, GError **error);

G_END_DECLS
