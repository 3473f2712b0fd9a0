/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A video in the picture. Its frames come through a pad of the element, in the size they are shown
 * in; the item only says where and when. */

#include "weftoverlayitem.h"

#define WEFT_TYPE_VIDEO_ITEM (weft_video_item_get_type ())
G_DECLARE_FINAL_TYPE (WeftVideoItem, weft_video_item, WEFT, VIDEO_ITEM, WeftOverlayItem)

struct _WeftVideoItem {
  WeftOverlayItem parent_instance;

  gchar *pad;
};

G_DEFINE_TYPE (WeftVideoItem, weft_video_item, WEFT_TYPE_OVERLAY_ITEM)

static gboolean
weft_video_item_parse (WeftOverlayItem *item, const WeftValue *value, GError **error)
{
  const gchar *pad = NULL;

  if (!weft_value_get_string (value, "pad", &pad, error))
    return FALSE;
  if (pad == NULL) {
    weft_overlay_set_error (error, WEFT_OVERLAY_ERROR_INVALID, value->pointer,
        "a video item needs a “pad”, the name of the sink pad that its frames come through");
    return FALSE;
  }
  WEFT_VIDEO_ITEM (item)->pad = g_strdup (pad);
  return TRUE;
}

static const gchar *
weft_video_item_get_pad (WeftOverlayItem *item)
{
  return WEFT_VIDEO_ITEM (item)->pad;
}

static void
weft_video_item_finalize (GObject *object)
{
  g_free (WEFT_VIDEO_ITEM (object)->pad);
  G_OBJECT_CLASS (weft_video_item_parent_class)->finalize (object);
}

static void
weft_video_item_init (WeftVideoItem *self)
{}

static void
weft_video_item_class_init (WeftVideoItemClass *klass)
{
  static const gchar *const members[] = { "pad", NULL };
  WeftOverlayItemClass *item_class = WEFT_OVERLAY_ITEM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = weft_video_item_finalize;
  item_class->members = members;
  item_class->parse = weft_video_item_parse;
  item_class->get_pad = weft_video_item_get_pad;
}
