/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When MPEG-1 and MPEG-2 pictures are presented that have no timestamp.
 *
 * In MPEG systems streams a packet has one timestamp, for the first picture that begins in it, and
 * several small pictures share a packet. GStreamer's parser tells the others when they are decoded
 * but not when they are presented, and its decoders then guess wrong by some pictures. The pictures
 * themselves say it, though: in decoding order
 *
 * - a B picture is presented when it is decoded;
 * - another one is decoded when the last such picture is presented, and presented as many pictures
 *   after it as their numbers in display order differ (temporal_reference, ISO/IEC 13818-2, 6.3.9).
 *
 * Streams made without B pictures may leave out the delay of one picture between decoding and
 * presentation, so what pictures with timestamps have on top of this is added.
 */
#include "weftmpegtimes.h"

#define START_CODE_PICTURE 0x00
#define START_CODE_GROUP 0xb8
/* A start code and what follows it up to the picture's type. */
#define PICTURE_HEADER_BYTES 6
#define PICTURE_TYPE_B 3
#define NUMBER_MASK 0x3ff
/* In a stream that is as it should be a reference picture is not further from the last one. */
#define MAX_DISTANCE 64

/* Streaming thread of the parser only. */
typedef struct {
  gboolean has_reference;
  guint reference; /* number of the last picture that was no B picture */
  GstClockTimeDiff extra_ns;
  GstClockTime period_ns; /* running mean: film in NTSC has pictures of two lengths */
} MpegTimes;

typedef struct {
  gboolean is_b;
  gboolean begins_group; /* numbers start again at 0 */
  guint number;
} Picture;

static gboolean
parse_picture (GstBuffer *buffer, Picture *picture)
{
  GstMapInfo map;
  gboolean found = FALSE;

  picture->begins_group = FALSE;
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  for (gsize i = 0; !found && i + PICTURE_HEADER_BYTES <= map.size; i++) {
    const guint8 *data = map.data + i;

    if (data[0] != 0 || data[1] != 0 || data[2] != 1)
      continue;
    picture->begins_group |= data[3] == START_CODE_GROUP;
    found = data[3] == START_CODE_PICTURE;
    picture->number = (guint) data[4] << 2 | data[5] >> 6;
    picture->is_b = (data[5] >> 3 & 7) == PICTURE_TYPE_B;
  }
  gst_buffer_unmap (buffer, &map);
  return found;
}

/* How many pictures after its decoding @picture is presented. Returns: %FALSE if that cannot be
 * known */
static gboolean
get_distance (MpegTimes *self, const Picture *picture, guint *distance)
{
  gboolean known = picture->begins_group || self->has_reference;

  *distance = 0;
  if (picture->is_b)
    return TRUE;
  *distance = picture->begins_group ? picture->number + 1
                                    : (picture->number - self->reference) & NUMBER_MASK;
  self->has_reference = TRUE;
  self->reference = picture->number;
  return known && *distance <= MAX_DISTANCE;
}

static void
take_period (MpegTimes *self, GstBuffer *buffer)
{
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  if (!GST_CLOCK_TIME_IS_VALID (duration) || duration == 0)
    return;
  if (self->period_ns == 0)
    self->period_ns = duration;
  else
    self->period_ns = (7 * self->period_ns + duration) / 8;
}

/* Gives *@buffer (replaced) a presentation time if it has none. */
static void
mend (MpegTimes *self, GstBuffer **buffer)
{
  GstClockTimeDiff from_dts;
  Picture picture;
  guint distance;

  if (GST_BUFFER_IS_DISCONT (*buffer))
    self->has_reference = FALSE;
  take_period (self, *buffer);
  if (!GST_BUFFER_DTS_IS_VALID (*buffer) || self->period_ns == 0
      || !parse_picture (*buffer, &picture) || !get_distance (self, &picture, &distance))
    return;
  from_dts = (GstClockTimeDiff) (distance * self->period_ns);
  if (GST_BUFFER_PTS_IS_VALID (*buffer)) {
    self->extra_ns = GST_CLOCK_DIFF (GST_BUFFER_DTS (*buffer), GST_BUFFER_PTS (*buffer)) - from_dts;
    return;
  }
  from_dts += self->extra_ns;
  if (from_dts < 0 && (GstClockTime) -from_dts > GST_BUFFER_DTS (*buffer))
    return;
  *buffer = gst_buffer_make_writable (*buffer);
  GST_BUFFER_PTS (*buffer) = GST_BUFFER_DTS (*buffer) + (GstClockTime) from_dts;
}

static GstPadProbeReturn
buffer_cb (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  mend (user_data, (GstBuffer **) &info->data);
  return GST_PAD_PROBE_OK;
}

/*
 * weft_mpeg_times_watch:
 * @element: an element that was just added; any but mpegvideoparse is left alone
 *
 * Makes @element give every picture a presentation time that can have one.
 */
void
weft_mpeg_times_watch (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPad) pad = NULL;

  if (factory == NULL || !g_str_equal (GST_OBJECT_NAME (factory), "mpegvideoparse"))
    return;
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, buffer_cb, g_new0 (MpegTimes, 1), g_free);
}
