/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WeftClipWindow: which clips are open, and where each one stands on the timeline.
 *
 * The two tracks move through the clips on their own. Open are the clips from the one that the
 * slower track is at to `lookahead` past the one that video is at (audio, where there is no
 * video), so their number does not depend on how many clips there are.
 */
#include "weftclipwindow.h"

GST_DEBUG_CATEGORY_EXTERN (weft_clips_debug);
#define GST_CAT_DEFAULT weft_clips_debug

/* Readers that are still being taken down and do not count yet. */
#define MAX_CLOSING 1
/* Taking a reader down is quick, unless its source does not come back from a system call. Such a
 * one is left behind: it holds all that it needs. */
#define CLOSE_TIMEOUT_US (2 * G_TIME_SPAN_SECOND)

#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 720
#define DEFAULT_FPS 30
#define DEFAULT_RATE 48000
#define DEFAULT_CHANNELS 2

typedef struct {
  guint64 bytes_read;
  guint64 frames_decoded;
  guint opened;
} SourceStats;

struct _WeftClipWindow {
  GObject parent_instance;

  WeftClipList *list;
  gboolean has_video;
  gboolean has_audio;
  guint lookahead;
  GstElement *owner;
  WeftClipWindowFailedFunc failed;
  WeftClipReaderFunc opened_func;
  WeftClipReaderFunc closed_func;
  GstAudioInfo audio_info;

  /* Guards all that follows. Taken before a reader's lock, never the other way round. */
  GMutex lock;
  GCond changed;
  gboolean cancelled;
  guint position[WEFT_N_TRACKS];
  GPtrArray *readers; /* by clip, NULL where closed */
  GPtrArray *closing; /* told to close, not counted in @sources yet */
  guint alive;        /* readers whose thread has not ended */
  guint alive_max;
  GArray *starts;      /* guint64: first frame of each clip known so far, and of what follows */
  GstClockTime end_ns; /* the unrounded end of the last of them */
  gboolean format_known;
  WeftSequenceFormat format;
  GHashTable *sources; /* uri → SourceStats of closed readers */
};

G_DEFINE_FINAL_TYPE (WeftClipWindow, weft_clip_window, G_TYPE_OBJECT)

static guint
n_clips (WeftClipWindow *self)
{
  return self->list->clips->len;
}

static void
init_audio_info (GstAudioInfo *info, gint rate, gint channels)
{
  GstAudioChannelPosition positions[64];
  guint64 mask = gst_audio_channel_get_fallback_mask (channels);

  gst_audio_info_init (info);
  if (channels > 1 && mask != 0
      && gst_audio_channel_positions_from_mask (channels, mask, positions)) {
    gst_audio_info_set_format (info, GST_AUDIO_FORMAT_F32, rate, channels, positions);
  } else {
    gst_audio_info_set_format (info, GST_AUDIO_FORMAT_F32, rate, channels, NULL);
  }
}

static void
settle_format_unlocked (WeftClipWindow *self, const WeftClipReaderFormat *first)
{
  const WeftClipList *list = self->list;
  gint width = list->width, height = list->height;
  gint fps_n = list->fps_n, fps_d = list->fps_d;

  if (self->format_known)
    return;
  if (width == 0 && height == 0 && first != NULL && first->has_video) {
    const GstVideoInfo *info = &first->video_info;
    gint w = GST_VIDEO_INFO_WIDTH (info), h = GST_VIDEO_INFO_HEIGHT (info);

    w = (gint) gst_util_uint64_scale_int_round (
        (guint64) w, GST_VIDEO_INFO_PAR_N (info), GST_VIDEO_INFO_PAR_D (info));
    width = first->orientation == GST_VIDEO_ORIENTATION_90R
                    || first->orientation == GST_VIDEO_ORIENTATION_90L
                    || first->orientation == GST_VIDEO_ORIENTATION_UL_LR
                    || first->orientation == GST_VIDEO_ORIENTATION_UR_LL
                ? h
                : w;
    height = width == h ? w : h;
    width = CLAMP (width & ~1, 2, 16384);
    height = CLAMP (height & ~1, 2, 16384);
  }
  if (fps_n == 0 && first != NULL && first->has_video) {
    fps_n = GST_VIDEO_INFO_FPS_N (&first->video_info);
    fps_d = GST_VIDEO_INFO_FPS_D (&first->video_info);
  }
  if (width == 0)
    width =
        height > 0 ? (gint) ((gint64) height * DEFAULT_WIDTH / DEFAULT_HEIGHT) & ~1 : DEFAULT_WIDTH;
  if (height == 0)
    height = (gint) ((gint64) width * DEFAULT_HEIGHT / DEFAULT_WIDTH) & ~1;
  if (fps_n <= 0 || fps_d <= 0) {
    fps_n = DEFAULT_FPS;
    fps_d = 1;
  }

  gst_video_info_set_format (
      &self->format.video, GST_VIDEO_FORMAT_I420, (guint) MAX (width, 2), (guint) MAX (height, 2));
  self->format.video.fps_n = fps_n;
  self->format.video.fps_d = fps_d;
  gst_video_colorimetry_from_string (&self->format.video.colorimetry, GST_VIDEO_COLORIMETRY_BT709);
  self->format.video.chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
  self->format.audio = self->audio_info;
  self->format_known = TRUE;
}

/* Appends the ends of all clips whose length is known by now. */
static void
settle_positions_unlocked (WeftClipWindow *self)
{
  gint fps_n, fps_d;

  if (!self->format_known)
    return;
  fps_n = self->format.video.fps_n;
  fps_d = self->format.video.fps_d;

  while (self->starts->len <= n_clips (self)) {
    guint i = self->starts->len - 1;
    const WeftClip *clip = weft_clip_list_get (self->list, i);
    guint64 start = g_array_index (self->starts, guint64, i);
    guint64 end;

    if (i == 0)
      self->end_ns = weft_grid_time_of_frame (start, fps_n, fps_d);
    if (clip->frames != WEFT_CLIP_FRAMES_UNKNOWN) {
      end = start + clip->frames;
      self->end_ns = weft_grid_time_of_frame (end, fps_n, fps_d);
    } else if (GST_CLOCK_TIME_IS_VALID (clip->out_ns)) {
      self->end_ns += clip->out_ns - clip->in_ns;
      end = MAX (start, weft_grid_frame_from_time (self->end_ns, fps_n, fps_d));
    } else {
      WeftClipReader *reader = g_ptr_array_index (self->readers, i);
      WeftClipReaderFormat format;
      GstClockTime length = 0;

      if (reader == NULL || !weft_clip_reader_peek_format (reader, &format))
        return;
      if (GST_CLOCK_TIME_IS_VALID (format.duration_ns)
          && format.duration_ns > format.start_ns + clip->in_ns)
        length = format.duration_ns - format.start_ns - clip->in_ns;
      self->end_ns += length;
      end = MAX (start, weft_grid_frame_from_time (self->end_ns, fps_n, fps_d));
    }
    g_array_append_val (self->starts, end);
  }
}

/* The clips that are to be open. */
static void
get_window_unlocked (WeftClipWindow *self, guint *first, guint *last)
{
  guint video = self->position[WEFT_TRACK_VIDEO], audio = self->position[WEFT_TRACK_AUDIO];
  guint leader = video < n_clips (self) ? video : audio;

  *first = MIN (video, audio);
  *last = (guint) MIN ((guint64) leader + self->lookahead, n_clips (self));
  if (*last == n_clips (self) && n_clips (self) > 0)
    (*last)--;
}

static void
open_missing_unlocked (WeftClipWindow *self)
{
  guint first, last;

  get_window_unlocked (self, &first, &last);
  for (guint i = first; i <= last && i < n_clips (self) && !self->cancelled; i++) {
    WeftClipReader *reader;

    if (g_ptr_array_index (self->readers, i) != NULL)
      continue;
    if (self->alive >= last - first + 1 + MAX_CLOSING)
      break;
    reader = weft_clip_reader_new (self->list, i, self->has_video,
        self->has_audio ? &self->audio_info : NULL, self->opened_func, self->closed_func,
        G_OBJECT (self));
    self->readers->pdata[i] = reader;
    self->alive++;
    self->alive_max = MAX (self->alive_max, self->alive);
    weft_clip_reader_start (reader);
  }
  g_cond_broadcast (&self->changed);
}

static void
close_reader_unlocked (WeftClipWindow *self, guint i)
{
  WeftClipReader *reader = g_steal_pointer (&g_ptr_array_index (self->readers, i));

  if (reader == NULL)
    return;
  weft_clip_reader_close (reader);
  g_ptr_array_add (self->closing, reader);
}

static void
reader_opened_cb (WeftClipReader *reader, gpointer user_data)
{
  WeftClipWindow *self = user_data;
  WeftClipReaderFormat format;
  const WeftClip *clip = weft_clip_reader_get_clip (reader);
  gboolean cancelled;

  g_mutex_lock (&self->lock);
  cancelled = self->cancelled;
  if (!cancelled && clip->index == 0 && weft_clip_reader_peek_format (reader, &format))
    settle_format_unlocked (self, &format);
  settle_positions_unlocked (self);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!cancelled && weft_clip_reader_has_failed (reader))
    self->failed (self->owner, clip, reader);
}

static void
count_reader (gpointer key, WeftClipReader *reader, GHashTable *sources)
{
  SourceStats *source = g_hash_table_lookup (sources, key);
  WeftClipReaderStats stats;

  if (source == NULL) {
    source = g_new0 (SourceStats, 1);
    g_hash_table_insert (sources, g_strdup (key), source);
  }
  weft_clip_reader_get_stats (reader, &stats);
  source->bytes_read += stats.bytes_read;
  source->frames_decoded += stats.frames_decoded;
  source->opened++;
}

static void
reader_closed_cb (WeftClipReader *reader, gpointer user_data)
{
  WeftClipWindow *self = user_data;

  g_mutex_lock (&self->lock);
  count_reader (weft_clip_reader_get_clip (reader)->uri, reader, self->sources);
  g_ptr_array_remove_fast (self->closing, reader);
  self->alive--;
  open_missing_unlocked (self);
  g_mutex_unlock (&self->lock);
}

WeftClipWindow *
weft_clip_window_new (WeftClipList *list, gboolean video, gboolean audio, guint lookahead,
    GstElement *owner, WeftClipWindowFailedFunc failed)
{
  WeftClipWindow *self = g_object_new (WEFT_TYPE_CLIP_WINDOW, NULL);

  self->list = weft_clip_list_ref (list);
  self->has_video = video;
  self->has_audio = audio;
  self->lookahead = lookahead;
  self->owner = gst_object_ref (owner);
  self->failed = failed;
  g_ptr_array_set_size (self->readers, (gint) n_clips (self));
  g_array_append_val (self->starts, self->list->first_frame);
  if (!video)
    self->position[WEFT_TRACK_VIDEO] = n_clips (self);
  if (!audio)
    self->position[WEFT_TRACK_AUDIO] = n_clips (self);
  init_audio_info (&self->audio_info, list->rate > 0 ? list->rate : DEFAULT_RATE,
      list->channels > 0 ? list->channels : DEFAULT_CHANNELS);
  if (list->width > 0 && list->height > 0 && list->fps_n > 0)
    settle_format_unlocked (self, NULL);
  settle_positions_unlocked (self);
  return self;
}

void
weft_clip_window_start (WeftClipWindow *self)
{
  g_mutex_lock (&self->lock);
  open_missing_unlocked (self);
  g_mutex_unlock (&self->lock);
}

/* Ends every wait in here and in the readers. */
void
weft_clip_window_cancel (WeftClipWindow *self)
{
  g_mutex_lock (&self->lock);
  self->cancelled = TRUE;
  for (guint i = 0; i < self->readers->len; i++) {
    if (g_ptr_array_index (self->readers, i) != NULL)
      weft_clip_reader_cancel (g_ptr_array_index (self->readers, i));
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Takes all readers down and waits for that, within reason. */
void
weft_clip_window_close (WeftClipWindow *self)
{
  gint64 deadline = g_get_monotonic_time () + CLOSE_TIMEOUT_US;

  weft_clip_window_cancel (self);
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->readers->len; i++)
    close_reader_unlocked (self, i);
  while (self->alive > 0) {
    if (!g_cond_wait_until (&self->changed, &self->lock, deadline)) {
      GST_WARNING_OBJECT (
          self->owner, "%u sources do not come back, leaving them behind", self->alive);
      break;
    }
  }
  g_mutex_unlock (&self->lock);
}

/* Returns: %FALSE if cancelled */
gboolean
weft_clip_window_get_format (WeftClipWindow *self, WeftSequenceFormat *format)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (!self->format_known && !self->cancelled)
    g_cond_wait (&self->changed, &self->lock);
  ok = !self->cancelled;
  *format = self->format;
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Where @clip stands. Returns: %FALSE if cancelled */
gboolean
weft_clip_window_get_slot (
    WeftClipWindow *self, guint clip, guint64 *first_frame, guint64 *end_frame)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (self->starts->len < clip + 2 && !self->cancelled)
    g_cond_wait (&self->changed, &self->lock);
  ok = !self->cancelled;
  if (ok) {
    *first_frame = g_array_index (self->starts, guint64, clip);
    *end_frame = g_array_index (self->starts, guint64, clip + 1);
  }
  g_mutex_unlock (&self->lock);
  return ok;
}

/*
 * Waits until @clip is in the window.
 *
 * Returns: (transfer full) (nullable): its reader, or %NULL if cancelled
 */
WeftClipReader *
weft_clip_window_get_reader (WeftClipWindow *self, guint clip)
{
  WeftClipReader *reader = NULL;

  g_mutex_lock (&self->lock);
  while (!self->cancelled && (reader = g_ptr_array_index (self->readers, clip)) == NULL)
    g_cond_wait (&self->changed, &self->lock);
  if (self->cancelled)
    reader = NULL;
  if (reader != NULL)
    gst_object_ref (reader);
  g_mutex_unlock (&self->lock);
  return reader;
}

/* @track goes on to @clip and does not need those before; past the last clip it needs none. */
void
weft_clip_window_move (WeftClipWindow *self, WeftTrack track, guint clip)
{
  guint first, end;

  g_mutex_lock (&self->lock);
  for (guint i = self->position[track]; i < clip && i < n_clips (self); i++) {
    WeftClipReader *reader = g_ptr_array_index (self->readers, i);
    if (reader == NULL)
      continue;
    if (track == WEFT_TRACK_VIDEO)
      weft_clip_reader_discard_video (reader);
    else
      weft_clip_reader_discard_audio (reader);
  }
  first = MIN (self->position[WEFT_TRACK_VIDEO], self->position[WEFT_TRACK_AUDIO]);
  self->position[track] = clip;
  end = MIN (self->position[WEFT_TRACK_VIDEO], self->position[WEFT_TRACK_AUDIO]);
  for (guint i = first; i < end; i++)
    close_reader_unlocked (self, i);
  open_missing_unlocked (self);
  g_mutex_unlock (&self->lock);
}

/* Returns: how long the timeline is, or G_MAXUINT64 if that is not known yet */
guint64
weft_clip_window_get_total_frames (WeftClipWindow *self)
{
  guint64 total = G_MAXUINT64;

  g_mutex_lock (&self->lock);
  if (self->starts->len == n_clips (self) + 1)
    total = g_array_index (self->starts, guint64, n_clips (self));
  g_mutex_unlock (&self->lock);
  return total;
}

void
weft_clip_window_add_stats (WeftClipWindow *self, GstStructure *stats)
{
  g_autoptr (GHashTable) sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GValue list = G_VALUE_INIT;
  GHashTableIter iter;
  gpointer uri, value;
  guint64 decoded = 0;

  g_value_init (&list, GST_TYPE_LIST);
  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->sources);
  while (g_hash_table_iter_next (&iter, &uri, &value))
    g_hash_table_insert (sources, g_strdup (uri), g_memdup2 (value, sizeof (SourceStats)));
  for (guint i = 0; i < self->readers->len; i++) {
    if (g_ptr_array_index (self->readers, i) != NULL)
      count_reader (
          weft_clip_list_get (self->list, i)->uri, g_ptr_array_index (self->readers, i), sources);
  }
  for (guint i = 0; i < self->closing->len; i++) {
    WeftClipReader *reader = g_ptr_array_index (self->closing, i);
    count_reader (weft_clip_reader_get_clip (reader)->uri, reader, sources);
  }
  gst_structure_set (stats, "readers-open", G_TYPE_UINT, self->alive, "readers-open-max",
      G_TYPE_UINT, self->alive_max, NULL);
  g_mutex_unlock (&self->lock);

  g_hash_table_iter_init (&iter, sources);
  while (g_hash_table_iter_next (&iter, &uri, &value)) {
    SourceStats *source = value;
    GValue item = G_VALUE_INIT;

    g_value_init (&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed (
        &item, gst_structure_new ("source", "uri", G_TYPE_STRING, uri, "bytes-read", G_TYPE_UINT64,
                   source->bytes_read, "frames-decoded", G_TYPE_UINT64, source->frames_decoded,
                   "opened", G_TYPE_UINT, source->opened, NULL));
    gst_value_list_append_and_take_value (&list, &item);
    decoded += source->frames_decoded;
  }
  gst_structure_set (stats, "frames-decoded", G_TYPE_UINT64, decoded, NULL);
  gst_structure_take_value (stats, "sources", &list);
}

static void
weft_clip_window_finalize (GObject *object)
{
  WeftClipWindow *self = WEFT_CLIP_WINDOW (object);

  for (guint i = 0; i < self->readers->len; i++)
    close_reader_unlocked (self, i);
  g_ptr_array_unref (self->readers);
  g_ptr_array_unref (self->closing);
  g_array_unref (self->starts);
  g_hash_table_unref (self->sources);
  g_clear_pointer (&self->list, weft_clip_list_unref);
  gst_clear_object (&self->owner);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (weft_clip_window_parent_class)->finalize (object);
}

static void
weft_clip_window_init (WeftClipWindow *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->opened_func = reader_opened_cb;
  self->closed_func = reader_closed_cb;
  self->readers = g_ptr_array_new ();
  self->closing = g_ptr_array_new_with_free_func (gst_object_unref);
  self->starts = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
weft_clip_window_class_init (WeftClipWindowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_clip_window_finalize;
}
