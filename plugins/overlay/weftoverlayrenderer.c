/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The render thread owns the fonts and draws; the streaming thread asks for looks and waits for
 * them only if they were not drawn ahead. So a title costs no pause in a live stream, and a flush
 * never waits for Pango. `lock` guards everything that is not set once in
 * weft_overlay_renderer_new(); no other lock is taken while it is held, and no item is drawn. */

#include "weftoverlayrenderer.h"

#include "weftcaptions.h"

/* How long closing waits for a drawing in work before it leaves the thread to end alone. */
#define CLOSE_WAIT_US (150 * G_TIME_SPAN_MILLISECOND)

/* After so many timelines without it a look is dropped. */
#define MAX_MISSING 3

typedef enum { LOOK_PENDING, LOOK_READY, LOOK_FAILED } LookState;

/* What of an item was drawn: items of one look share it. */
typedef struct {
  /* Owned by the item. */
  const gchar *look;
  WeftItemState state;
} LookKey;

/* What one look was drawn to. The picture is kept beside the surface only where an item may need
 * it in another phase. */
typedef struct {
  LookKey key;
  WeftOverlayItem *item;
  LookState state;
  cairo_rectangle_int_t box;
  cairo_rectangle_int_t ink;
  WeftPicture *picture;
  WeftSurface *surfaces[WEFT_SURFACE_N_PHASES];
  gsize bytes;
  GError *error;
  /* How many timelines in a row have not had it. */
  guint n_missing;
  /* Position in `recent`, the most recently used first; NULL while pending. */
  GList *link;
} Look;

struct _WeftOverlayRenderer {
  gatomicrefcount ref_count;
  WeftOverlayDocument *document;
  WeftCanvas canvas;
  GstVideoInfo info;
  GCancellable *cancellable;
  GThread *thread;

  GMutex lock;
  GCond cond;
  /* LookKey, within the Look → Look. */
  GHashTable *looks;
  GQueue pending;
  GQueue recent;
  GPtrArray *warnings;
  /* Captions whose file is wanted, and whether it was read. */
  WeftCaptionsItem *wanted;
  gboolean is_loaded;
  GError *load_error;
  gsize max_bytes;
  gboolean flushing;
  gboolean quit;
  gboolean finished;
  WeftOverlayRendererStats stats;
};

static guint
hash_key_cb (gconstpointer data)
{
  const LookKey *key = data;
  const guint64 content = key->state.content;

  return g_str_hash (key->look) ^ (guint) (content * 2654435761u) ^ (guint) key->state.growth << 16;
}

static gboolean
equal_keys_cb (gconstpointer a, gconstpointer b)
{
  const LookKey *ka = a, *kb = b;

  return ka->state.content == kb->state.content && ka->state.growth == kb->state.growth
         && g_str_equal (ka->look, kb->look);
}

static void
look_free (Look *look)
{
  g_clear_pointer (&look->picture, weft_picture_free);
  for (guint i = 0; i < WEFT_SURFACE_N_PHASES; i++)
    g_clear_pointer (&look->surfaces[i], weft_surface_unref);
  g_clear_error (&look->error);
  g_object_unref (look->item);
  g_free (look);
}

static void
weft_overlay_renderer_unref (WeftOverlayRenderer *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_queue_clear (&self->pending);
  g_queue_clear (&self->recent);
  g_hash_table_unref (self->looks);
  g_ptr_array_unref (self->warnings);
  g_clear_object (&self->wanted);
  g_clear_error (&self->load_error);
  g_object_unref (self->cancellable);
  weft_overlay_document_unref (self->document);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gsize
get_picture_bytes (const WeftPicture *picture)
{
  if (picture == NULL || picture->pixels == NULL)
    return 0;
  return (gsize) cairo_image_surface_get_stride (picture->pixels)
         * (gsize) cairo_image_surface_get_height (picture->pixels);
}

static void
add_bytes_unlocked (WeftOverlayRenderer *self, Look *look, gsize bytes)
{
  look->bytes += bytes;
  self->stats.cache_bytes += bytes;
  self->stats.cache_peak_bytes = MAX (self->stats.cache_peak_bytes, self->stats.cache_bytes);
}

static void
remove_look_unlocked (WeftOverlayRenderer *self, Look *look)
{
  self->stats.cache_bytes -= look->bytes;
  g_queue_delete_link (&self->recent, look->link);
  g_hash_table_remove (self->looks, &look->key);
}

/* Makes room, but never by dropping @keep: a single look may be larger than the cache. */
static void
evict_unlocked (WeftOverlayRenderer *self, const Look *keep)
{
  while (self->stats.cache_bytes > self->max_bytes) {
    Look *oldest = g_queue_peek_tail (&self->recent);
    if (oldest == NULL || oldest == keep)
      return;
    remove_look_unlocked (self, oldest);
    self->stats.evicted++;
  }
}

static void
finish_look_unlocked (WeftOverlayRenderer *self, Look *look, WeftPicture *picture,
    WeftSurface *surface, GError *error)
{
  look->state = error != NULL ? LOOK_FAILED : LOOK_READY;
  look->error = error;
  if (error == NULL) {
    look->box = picture->box;
    if (picture->pixels != NULL) {
      look->ink = (cairo_rectangle_int_t){ picture->x, picture->y,
        cairo_image_surface_get_width (picture->pixels),
        cairo_image_surface_get_height (picture->pixels) };
    }
    look->surfaces[0] = surface;
    gsize bytes = weft_surface_get_bytes (surface);
    if (weft_overlay_item_moves (look->item)) {
      bytes += get_picture_bytes (picture);
      look->picture = picture;
    } else {
      weft_picture_free (picture);
    }
    add_bytes_unlocked (self, look, bytes);
    self->stats.rendered++;
  }
  g_queue_push_head (&self->recent, look);
  look->link = self->recent.head;
  evict_unlocked (self, look);
  g_cond_broadcast (&self->cond);
}

static void
draw_look (WeftOverlayRenderer *self, WeftOverlayFonts *fonts, WeftKept *kept, Look *look)
{
  WeftDrawing drawing = { .canvas = self->canvas,
    .state = look->key.state,
    .fonts = fonts,
    .cancellable = self->cancellable,
    .kept = kept };
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();
  GError *error = NULL;
  WeftSurface *surface = NULL;

  drawing.warnings = warnings;
  WeftPicture *picture = weft_overlay_item_draw (look->item, &drawing, &error);
  /* Whatever is coming next, it is not this item in a state. */
  if (look->key.state.growth == 0 && look->key.state.content == 0)
    weft_kept_clear (kept);
  if (picture != NULL)
    surface = weft_surface_new (picture, &self->info, 0);

  g_mutex_lock (&self->lock);
  g_ptr_array_extend (self->warnings, warnings, NULL, NULL);
  finish_look_unlocked (self, look, picture, surface, error);
  g_mutex_unlock (&self->lock);
}

/* Reads the file of captions that somebody waits for. The lock is released meanwhile. */
static void
load_wanted_unlocked (WeftOverlayRenderer *self)
{
  g_autoptr (WeftCaptionsItem) captions = g_object_ref (self->wanted);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();
  GError *error = NULL;

  g_mutex_unlock (&self->lock);
  weft_captions_item_load (captions, warnings, self->cancellable, &error);
  g_mutex_lock (&self->lock);
  g_ptr_array_extend (self->warnings, warnings, NULL, NULL);
  self->load_error = error;
  self->is_loaded = TRUE;
  g_cond_broadcast (&self->cond);
}

/* Waits for the next look to draw, and loads captions meanwhile; NULL when it is time to end. */
static Look *
take_pending (WeftOverlayRenderer *self)
{
  Look *look = NULL;

  g_mutex_lock (&self->lock);
  while (!self->quit && look == NULL) {
    if (self->wanted != NULL && !self->is_loaded)
      load_wanted_unlocked (self);
    else if ((look = g_queue_pop_head (&self->pending)) == NULL)
      g_cond_wait (&self->cond, &self->lock);
  }
  if (self->quit)
    look = NULL;
  g_mutex_unlock (&self->lock);
  return look;
}

static gpointer
render_thread (gpointer data)
{
  WeftOverlayRenderer *self = data;
  g_autoptr (WeftOverlayFonts) fonts = NULL;
  g_autoptr (GError) fonts_error = NULL;
  WeftKept kept = { NULL, NULL, NULL };
  Look *look;

  while ((look = take_pending (self)) != NULL) {
    if (fonts == NULL && fonts_error == NULL)
      fonts = weft_overlay_fonts_new (self->document->fonts, self->cancellable, &fonts_error);
    if (fonts != NULL) {
      draw_look (self, fonts, &kept, look);
    } else {
      g_mutex_lock (&self->lock);
      finish_look_unlocked (self, look, NULL, NULL, g_error_copy (fonts_error));
      g_mutex_unlock (&self->lock);
    }
  }
  weft_kept_clear (&kept);
  g_clear_pointer (&fonts, weft_overlay_fonts_free);

  g_mutex_lock (&self->lock);
  self->finished = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  weft_overlay_renderer_unref (self);
  return NULL;
}

/**
 * weft_overlay_renderer_new:
 * @document: whose fonts to use
 * @canvas: the frame in timeline pixels
 * @info: the frame in its own
 * @max_bytes: what looks may take in memory before the least recently used is dropped
 *
 * Returns: (transfer full): to be ended by weft_overlay_renderer_close()
 */
WeftOverlayRenderer *
weft_overlay_renderer_new (WeftOverlayDocument *document, const WeftCanvas *canvas,
    const GstVideoInfo *info, gsize max_bytes)
{
  WeftOverlayRenderer *self = g_new0 (WeftOverlayRenderer, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->document = weft_overlay_document_ref (document);
  self->canvas = *canvas;
  self->info = *info;
  self->cancellable = g_cancellable_new ();
  self->max_bytes = max_bytes;
  self->warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  self->looks =
      g_hash_table_new_full (hash_key_cb, equal_keys_cb, NULL, (GDestroyNotify) look_free);
  g_queue_init (&self->pending);
  g_queue_init (&self->recent);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_atomic_ref_count_inc (&self->ref_count);
  self->thread = g_thread_new ("weft-overlay", render_thread, self);
  return self;
}

/**
 * weft_overlay_renderer_close:
 * @self: (transfer full): not used any more
 *
 * Ends the render thread. A drawing that takes longer than the wait (a huge SVG) is left to end on
 * its own; it holds what it needs.
 */
void
weft_overlay_renderer_close (WeftOverlayRenderer *self)
{
  gint64 deadline = g_get_monotonic_time () + CLOSE_WAIT_US;

  g_cancellable_cancel (self->cancellable);
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_broadcast (&self->cond);
  while (!self->finished && g_cond_wait_until (&self->cond, &self->lock, deadline))
    ;
  gboolean finished = self->finished;
  g_mutex_unlock (&self->lock);
  if (finished)
    g_thread_join (self->thread);
  else
    g_thread_unref (self->thread);
  weft_overlay_renderer_unref (self);
}

/* Whether the looks kept here are those that @document would have on these frames. */
gboolean
weft_overlay_renderer_is_for (WeftOverlayRenderer *self, WeftOverlayDocument *document,
    const WeftCanvas *canvas, const GstVideoInfo *info)
{
  return g_str_equal (self->document->fonts_key, document->fonts_key)
         && self->canvas.width == canvas->width && self->canvas.height == canvas->height
         && self->canvas.scale_x == canvas->scale_x && self->canvas.scale_y == canvas->scale_y
         && gst_video_info_is_equal (&self->info, info);
}

void
weft_overlay_renderer_set_max_bytes (WeftOverlayRenderer *self, gsize max_bytes)
{
  g_mutex_lock (&self->lock);
  self->max_bytes = max_bytes;
  evict_unlocked (self, NULL);
  g_mutex_unlock (&self->lock);
}

/* While flushing nobody waits for a look. */
void
weft_overlay_renderer_set_flushing (WeftOverlayRenderer *self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

/**
 * weft_overlay_renderer_load:
 * @captions: of the document
 *
 * Has the file of @captions read, if it was not, and waits for that.
 *
 * Returns: %FALSE with @error set if it cannot be read, without when flushing
 */
gboolean
weft_overlay_renderer_load (WeftOverlayRenderer *self, WeftOverlayItem *captions, GError **error)
{
  GError *load_error = NULL;

  g_mutex_lock (&self->lock);
  if (self->wanted != WEFT_CAPTIONS_ITEM (captions)) {
    /* One that nobody waits for any more, since a flush, may still be in work. */
    while (self->wanted != NULL && !self->is_loaded && !self->flushing)
      g_cond_wait (&self->cond, &self->lock);
    if (!self->flushing) {
      g_set_object (&self->wanted, WEFT_CAPTIONS_ITEM (captions));
      g_clear_error (&self->load_error);
      self->is_loaded = FALSE;
      g_cond_broadcast (&self->cond);
    }
  }
  while (!self->is_loaded && !self->flushing)
    g_cond_wait (&self->cond, &self->lock);
  gboolean ok =
      self->is_loaded && self->wanted == WEFT_CAPTIONS_ITEM (captions) && self->load_error == NULL;
  if (self->is_loaded && self->wanted == WEFT_CAPTIONS_ITEM (captions)) {
    load_error = g_steal_pointer (&self->load_error);
    g_clear_object (&self->wanted);
  }
  g_mutex_unlock (&self->lock);
  if (load_error != NULL)
    g_propagate_error (error, load_error);
  return ok;
}

static Look *
request_unlocked (WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state)
{
  const LookKey key = { weft_overlay_item_get_look (item), *state };
  Look *look = g_hash_table_lookup (self->looks, &key);

  if (look != NULL)
    return look;
  look = g_new0 (Look, 1);
  look->item = g_object_ref (item);
  look->key = key;
  g_hash_table_insert (self->looks, &look->key, look);
  g_queue_push_tail (&self->pending, look);
  g_cond_broadcast (&self->cond);
  return look;
}

/**
 * weft_overlay_renderer_prefetch:
 *
 * Has @item drawn while nobody waits for it, unless the cache is too full to keep it.
 */
void
weft_overlay_renderer_prefetch (
    WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state)
{
  g_mutex_lock (&self->lock);
  if (self->stats.cache_bytes < self->max_bytes / 2)
    request_unlocked (self, item, state);
  g_mutex_unlock (&self->lock);
}

/* Returns the look of @item once it is drawn; NULL without an error when flushing. */
static Look *
wait_unlocked (
    WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state, GError **error)
{
  Look *look;

  /* Asked for anew each time: a full cache may have dropped it before this thread woke up. */
  while ((look = request_unlocked (self, item, state))->state == LOOK_PENDING && !self->flushing) {
    /* Before all that is only drawn ahead. */
    if (g_queue_remove (&self->pending, look))
      g_queue_push_head (&self->pending, look);
    g_cond_wait (&self->cond, &self->lock);
  }
  if (look->state == LOOK_PENDING)
    return NULL;
  if (look->state == LOOK_FAILED) {
    if (error != NULL)
      *error = g_error_copy (look->error);
    return NULL;
  }
  g_queue_unlink (&self->recent, look->link);
  g_queue_push_head_link (&self->recent, look->link);
  return look;
}

/**
 * weft_overlay_renderer_get_box:
 * @box: (out): the rectangle that @item was placed by
 * @ink: (out): the pixels it touches while it rests; empty if there are none
 *
 * Returns: %FALSE with @error set if the item cannot be drawn, without when flushing
 */
gboolean
weft_overlay_renderer_get_box (WeftOverlayRenderer *self, WeftOverlayItem *item,
    const WeftItemState *state, cairo_rectangle_int_t *box, cairo_rectangle_int_t *ink,
    GError **error)
{
  g_mutex_lock (&self->lock);
  Look *look = wait_unlocked (self, item, state, error);
  if (look != NULL) {
    *box = look->box;
    *ink = look->ink;
  }
  g_mutex_unlock (&self->lock);
  return look != NULL;
}

/**
 * weft_overlay_renderer_get_surface:
 * @phase: from weft_surface_get_phase()
 *
 * Returns: (transfer full) (nullable): %NULL as in weft_overlay_renderer_get_box()
 */
WeftSurface *
weft_overlay_renderer_get_surface (WeftOverlayRenderer *self, WeftOverlayItem *item,
    const WeftItemState *state, guint phase, GError **error)
{
  WeftSurface *surface = NULL;

  g_mutex_lock (&self->lock);
  Look *look = wait_unlocked (self, item, state, error);
  if (look != NULL) {
    if (look->surfaces[phase] == NULL) {
      look->surfaces[phase] = weft_surface_new (look->picture, &self->info, phase);
      add_bytes_unlocked (self, look, weft_surface_get_bytes (look->surfaces[phase]));
      evict_unlocked (self, look);
    }
    surface = weft_surface_ref (look->surfaces[phase]);
  }
  g_mutex_unlock (&self->lock);
  return surface;
}

/* Drops what @item looks like in @state: it is over. */
void
weft_overlay_renderer_forget (
    WeftOverlayRenderer *self, WeftOverlayItem *item, const WeftItemState *state)
{
  const LookKey key = { weft_overlay_item_get_look (item), *state };

  g_mutex_lock (&self->lock);
  Look *look = g_hash_table_lookup (self->looks, &key);
  if (look != NULL && look->state != LOOK_PENDING)
    remove_look_unlocked (self, look);
  g_mutex_unlock (&self->lock);
}

/* Drops what no item of @schedule looks like any more, nor of the few before it: an application may
 * go back and forth between two. */
void
weft_overlay_renderer_keep_only (WeftOverlayRenderer *self, WeftOverlaySchedule *schedule)
{
  GHashTableIter iter;
  Look *look;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->looks);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &look)) {
    look->n_missing =
        weft_overlay_schedule_has_look (schedule, look->key.look) ? 0 : look->n_missing + 1;
    if (look->n_missing < MAX_MISSING)
      continue;
    if (look->state != LOOK_PENDING) {
      self->stats.cache_bytes -= look->bytes;
      g_queue_delete_link (&self->recent, look->link);
    } else if (!g_queue_remove (&self->pending, look)) {
      /* It is being drawn. */
      continue;
    }
    g_hash_table_iter_remove (&iter);
  }
  g_mutex_unlock (&self->lock);
}

/**
 * weft_overlay_renderer_take_warnings:
 *
 * Returns: (transfer full) (nullable) (element-type GError): what was to be said since the last
 * call
 */
GPtrArray *
weft_overlay_renderer_take_warnings (WeftOverlayRenderer *self)
{
  GPtrArray *warnings = NULL;

  g_mutex_lock (&self->lock);
  if (self->warnings->len > 0) {
    warnings = self->warnings;
    self->warnings = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  }
  g_mutex_unlock (&self->lock);
  return warnings;
}

void
weft_overlay_renderer_get_stats (WeftOverlayRenderer *self, WeftOverlayRendererStats *stats)
{
  g_mutex_lock (&self->lock);
  *stats = self->stats;
  stats->pending = g_hash_table_size (self->looks) - self->recent.length;
  g_mutex_unlock (&self->lock);
}
