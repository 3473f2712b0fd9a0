/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The movie header of an MP4 file: read, made exact, written again.
 *
 * Only the boxes whose content changes are understood (mvhd, tkhd, edts, mdhd, hdlr, stts, ctts,
 * stss, stsc, stsz, stco, co64); all others are copied as they are. Every read is bounds-checked by
 * GstByteReader: input that mp4mux would not write ends as an error, never as a crash.
 */

#include "weftmp4moov-private.h"

#include <string.h>

/* ---- bounded reading ---- */

gboolean
weft_mp4_malformed (GError **error, guint32 type, const gchar *what)
{
  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "malformed movie header: %s in box '%c%c%c%c'", what, (gchar) (type >> 24),
      (gchar) (type >> 16), (gchar) (type >> 8), (gchar) type);
  return FALSE;
}

/* Sets box->type to 0 and returns TRUE at the end of the parent. */
gboolean
weft_mp4_next_box (GstByteReader *reader, guint32 parent, Box *box, GError **error)
{
  guint32 size = 0;

  memset (box, 0, sizeof *box);
  if (gst_byte_reader_get_remaining (reader) == 0)
    return TRUE;
  /* A QuickTime udta may end with a 32-bit zero; no box mp4mux writes is over 4 GiB. */
  if (!gst_byte_reader_get_uint32_be (reader, &size)
      || !gst_byte_reader_get_uint32_be (reader, &box->type) || box->type == 0
      || size < WEFT_MP4_BOX_HEADER_BYTES)
    return weft_mp4_malformed (error, parent, "a bad box size");
  box->payload_bytes = size - WEFT_MP4_BOX_HEADER_BYTES;
  if (!gst_byte_reader_get_data (reader, box->payload_bytes, &box->payload))
    return weft_mp4_malformed (error, box->type, "a size past the end of its parent");
  return TRUE;
}

static gboolean
find_box (const Box *parent, guint32 type, Box *box)
{
  GstByteReader reader = weft_mp4_box_reader (parent);

  while (weft_mp4_next_box (&reader, parent->type, box, NULL) && box->type != 0) {
    if (box->type == type)
      return TRUE;
  }
  return FALSE;
}

/* The count of a table of @entry_bytes and its first entry; makes sure that the table is all there.
 */
static gboolean
read_table (GstByteReader *reader, const Box *box, guint entry_bytes, guint32 *count,
    const guint8 **table, GError **error)
{
  if (!gst_byte_reader_skip (reader, 4) || !gst_byte_reader_get_uint32_be (reader, count)
      || *count > gst_byte_reader_get_remaining (reader) / entry_bytes
      || !gst_byte_reader_get_data (reader, *count * entry_bytes, table))
    return weft_mp4_malformed (error, box->type, "a table shorter than its count");
  return TRUE;
}

static gboolean
parse_stts (Track *track, const Box *box, guint64 *samples, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  guint32 count;
  guint64 ticks = 0;

  if (!read_table (&reader, box, 8, &count, &table, error))
    return FALSE;
  *samples = 0;
  for (guint32 i = 0; i < count; i++) {
    SttsRun run;
    guint64 run_ticks;

    run.count = weft_get_uint32 (table + i * 8);
    run.delta = weft_get_uint32 (table + i * 8 + 4);
    run_ticks = (guint64) run.count * run.delta;
    if (!g_uint64_checked_add (&ticks, ticks, run_ticks) || ticks > G_MAXINT64 / 2)
      return weft_mp4_malformed (error, box->type, "an impossible duration");
    *samples += run.count;
    g_array_append_val (track->stts, run);
  }
  return TRUE;
}

static gboolean
parse_ctts (Track *track, const Box *box, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  guint32 count;

  if (!read_table (&reader, box, 8, &count, &table, error))
    return FALSE;
  track->ctts = g_array_sized_new (FALSE, FALSE, sizeof (CttsRun), count);
  for (guint32 i = 0; i < count; i++) {
    CttsRun run;

    run.count = weft_get_uint32 (table + i * 8);
    /* Version 0 says unsigned, yet mp4mux stores negative offsets in it and readers know. */
    run.offset = (gint32) weft_get_uint32 (table + i * 8 + 4);
    g_array_append_val (track->ctts, run);
  }
  return TRUE;
}

static gboolean
parse_stsc (Track *track, const Box *box, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  guint32 count, previous = 0;

  if (!read_table (&reader, box, 12, &count, &table, error))
    return FALSE;
  for (guint32 i = 0; i < count; i++) {
    StscRun run;

    run.first_chunk = weft_get_uint32 (table + i * 12);
    run.samples = weft_get_uint32 (table + i * 12 + 4);
    run.description = weft_get_uint32 (table + i * 12 + 8);
    if (run.first_chunk <= previous)
      return weft_mp4_malformed (error, box->type, "chunks out of order");
    previous = run.first_chunk;
    g_array_append_val (track->stsc, run);
  }
  return TRUE;
}

static gboolean
parse_stsz (Track *track, const Box *box, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  guint32 count;

  if (!gst_byte_reader_skip (&reader, 4)
      || !gst_byte_reader_get_uint32_be (&reader, &track->constant_bytes)
      || !gst_byte_reader_get_uint32_be (&reader, &count))
    return weft_mp4_malformed (error, box->type, "too few bytes");
  track->samples = count;
  if (track->constant_bytes != 0)
    return TRUE;
  if (count > gst_byte_reader_get_remaining (&reader) / 4
      || !gst_byte_reader_get_data (&reader, count * 4, &table))
    return weft_mp4_malformed (error, box->type, "a table shorter than its count");
  for (guint32 i = 0; i < count; i++) {
    guint32 size = weft_get_uint32 (table + i * 4);
    g_array_append_val (track->sizes, size);
  }
  return TRUE;
}

static gboolean
parse_chunk_offsets (Track *track, const Box *box, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  gboolean is_64_bit = box->type == BOX_CO64;
  guint32 count;

  if (!read_table (&reader, box, is_64_bit ? 8 : 4, &count, &table, error))
    return FALSE;
  for (guint32 i = 0; i < count; i++) {
    guint64 offset = is_64_bit ? weft_get_uint64 (table + i * 8) : weft_get_uint32 (table + i * 4);
    if (offset > G_MAXINT64 / 2)
      return weft_mp4_malformed (error, box->type, "an impossible offset");
    g_array_append_val (track->chunks, offset);
  }
  return TRUE;
}

/* The length of an MPEG-4 descriptor (ISO/IEC 14496-1, 8.3.3): seven bits a byte, at most four. */
static gboolean
skip_descriptor_header (GstByteReader *reader, guint8 wanted_tag)
{
  guint8 tag, byte = 0x80;

  if (!gst_byte_reader_get_uint8 (reader, &tag) || tag != wanted_tag)
    return FALSE;
  for (guint i = 0; i < 4 && (byte & 0x80) != 0; i++) {
    if (!gst_byte_reader_get_uint8 (reader, &byte))
      return FALSE;
  }
  return TRUE;
}

/* Object type indications of ISO/IEC 14496-1 table 5: 0x40 is MPEG-4 audio, 0x66 to 0x68 are the
 * MPEG-2 AAC profiles. */
static gboolean
esds_is_aac (const Box *esds)
{
  GstByteReader reader = weft_mp4_box_reader (esds);
  guint8 flags, object_type;

  if (!gst_byte_reader_skip (&reader, 4) || !skip_descriptor_header (&reader, 0x03)
      || !gst_byte_reader_skip (&reader, 2) || !gst_byte_reader_get_uint8 (&reader, &flags)
      || (flags & 0xe0) != 0 || !skip_descriptor_header (&reader, 0x04)
      || !gst_byte_reader_get_uint8 (&reader, &object_type))
    return FALSE;
  return object_type == 0x40 || (object_type >= 0x66 && object_type <= 0x68);
}

/*
 * A sample description has 16 bits for the whole part of a rate; of 96000 Hz mp4mux writes the low
 * ones, 30464. The timescale, which mp4mux makes the rate, says which rate was meant.
 */
static void
take_sample_rate (Track *track, guint32 rate)
{
  track->sample_rate = rate;
  track->false_rate = track->timescale > G_MAXUINT16 && (track->timescale & G_MAXUINT16) == rate;
  if (track->false_rate)
    track->sample_rate = track->timescale;
}

/* Only looks: a sample description that is not understood is copied all the same. */
static void
look_at_audio_description (Track *track, const Box *stsd)
{
  GstByteReader reader = weft_mp4_box_reader (stsd);
  Box entry, esds;
  guint32 count, rate;

  if (!gst_byte_reader_skip (&reader, 4) || !gst_byte_reader_get_uint32_be (&reader, &count)
      || count != 1 || !weft_mp4_next_box (&reader, stsd->type, &entry, NULL) || entry.type == 0)
    return;
  reader = weft_mp4_box_reader (&entry);
  /* AudioSampleEntry: 24 bytes before the 16.16 rate, 28 before the boxes in it. */
  if (!gst_byte_reader_skip (&reader, 24) || !gst_byte_reader_get_uint32_be (&reader, &rate))
    return;
  take_sample_rate (track, rate >> 16);
  if (entry.type != BOX_MP4A)
    return;
  while (weft_mp4_next_box (&reader, entry.type, &esds, NULL) && esds.type != 0) {
    if (esds.type == BOX_ESDS)
      track->is_aac = esds_is_aac (&esds);
  }
}

static gboolean
parse_stbl (Track *track, const Box *stbl, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (stbl);
  guint64 timed_samples = 0, ctts_samples = 0;
  Box box;

  for (;;) {
    gboolean ok = TRUE;

    if (!weft_mp4_next_box (&reader, stbl->type, &box, error))
      return FALSE;
    if (box.type == 0)
      break;
    switch (box.type) {
      case BOX_STSD:
        if (track->handler == HANDLER_SOUN)
          look_at_audio_description (track, &box);
        break;
      case BOX_STTS:
        ok = track->stts->len == 0 && parse_stts (track, &box, &timed_samples, error);
        break;
      case BOX_CTTS:
        ok = track->ctts == NULL && parse_ctts (track, &box, error);
        break;
      case BOX_STSC:
        ok = track->stsc->len == 0 && parse_stsc (track, &box, error);
        break;
      case BOX_STSZ:
        ok = track->sizes->len == 0 && parse_stsz (track, &box, error);
        break;
      case BOX_STCO:
      case BOX_CO64:
        ok = track->chunks->len == 0 && parse_chunk_offsets (track, &box, error);
        break;
      default:
        break;
    }
    if (!ok)
      return (error == NULL || *error != NULL)
                 ? FALSE
                 : weft_mp4_malformed (error, box.type, "a second table");
  }

  if (timed_samples != track->samples)
    return weft_mp4_malformed (error, BOX_STTS, "another number of samples than stsz has");
  if (track->ctts != NULL) {
    for (guint i = 0; i < track->ctts->len; i++)
      ctts_samples += g_array_index (track->ctts, CttsRun, i).count;
    if (ctts_samples != track->samples)
      return weft_mp4_malformed (error, BOX_CTTS, "another number of samples than stsz has");
  }
  if ((track->chunks->len == 0) != (track->samples == 0)
      || (track->stsc->len == 0 && track->samples != 0))
    return weft_mp4_malformed (error, BOX_STSC, "samples without chunks");
  return TRUE;
}

static gboolean
parse_elst (Track *track, const Box *box, GError **error)
{
  const guint8 *table;
  GstByteReader reader = weft_mp4_box_reader (box);
  guint32 version_flags, count;

  if (!gst_byte_reader_peek_uint32_be (&reader, &version_flags) || version_flags != 0)
    return weft_mp4_malformed (error, box->type, "a version that mp4mux does not write");
  if (!read_table (&reader, box, 12, &count, &table, error))
    return FALSE;
  for (guint32 i = 0; i < count; i++) {
    Edit edit = { 0 };
    gint32 media_time;

    edit.duration = weft_get_uint32 (table + i * 12);
    media_time = (gint32) weft_get_uint32 (table + i * 12 + 4);
    edit.empty = media_time < 0;
    edit.media_time = edit.empty ? 0 : (guint64) media_time;
    if (!edit.empty && i + 1 != count)
      return weft_mp4_malformed (error, box->type, "more than one piece of media");
    g_array_append_val (track->edits, edit);
  }
  return TRUE;
}

static gboolean
parse_mdhd (Track *track, const Box *box, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (box);
  guint8 version;

  if (!gst_byte_reader_get_uint8 (&reader, &version) || version > 1
      || !gst_byte_reader_skip (&reader, version == 1 ? 19 : 11)
      || !gst_byte_reader_get_uint32_be (&reader, &track->timescale))
    return weft_mp4_malformed (error, box->type, "no timescale");
  return TRUE;
}

static void
track_free (gpointer data)
{
  Track *track = data;

  g_clear_pointer (&track->stts, g_array_unref);
  g_clear_pointer (&track->ctts, g_array_unref);
  g_clear_pointer (&track->stsc, g_array_unref);
  g_clear_pointer (&track->sizes, g_array_unref);
  g_clear_pointer (&track->chunks, g_array_unref);
  g_clear_pointer (&track->edits, g_array_unref);
  g_free (track);
}

static Track *
track_new (void)
{
  Track *track = g_new0 (Track, 1);

  track->stts = g_array_new (FALSE, FALSE, sizeof (SttsRun));
  track->stsc = g_array_new (FALSE, FALSE, sizeof (StscRun));
  track->sizes = g_array_new (FALSE, FALSE, sizeof (guint32));
  track->chunks = g_array_new (FALSE, FALSE, sizeof (guint64));
  track->edits = g_array_new (FALSE, FALSE, sizeof (Edit));
  return track;
}

static gboolean
parse_trak (WeftMp4Moov *moov, const Box *trak, GError **error)
{
  Track *track = track_new ();
  Box tkhd, edts, elst, mdia, mdhd, hdlr, minf, stbl;

  g_ptr_array_add (moov->tracks, track);
  if (!find_box (trak, BOX_TKHD, &tkhd) || !find_box (trak, BOX_MDIA, &mdia)
      || !find_box (&mdia, BOX_MDHD, &mdhd) || !find_box (&mdia, BOX_HDLR, &hdlr)
      || !find_box (&mdia, BOX_MINF, &minf) || !find_box (&minf, BOX_STBL, &stbl))
    return weft_mp4_malformed (error, trak->type, "a box missing");
  if (hdlr.payload_bytes < 12)
    return weft_mp4_malformed (error, hdlr.type, "too few bytes");
  track->handler = weft_get_uint32 (hdlr.payload + 8);
  if (!parse_mdhd (track, &mdhd, error) || !parse_stbl (track, &stbl, error))
    return FALSE;
  /* mp4mux writes a track for a pad that never had caps, with nothing in it. */
  if (track->timescale == 0 && track->samples > 0)
    return weft_mp4_malformed (error, BOX_MDHD, "no timescale");
  if (find_box (trak, BOX_EDTS, &edts) && find_box (&edts, BOX_ELST, &elst))
    return parse_elst (track, &elst, error);
  return TRUE;
}

static gboolean
parse_mvhd (WeftMp4Moov *moov, const Box *box, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (box);
  guint8 version;

  if (!gst_byte_reader_get_uint8 (&reader, &version) || version > 1
      || !gst_byte_reader_skip (&reader, version == 1 ? 19 : 11)
      || !gst_byte_reader_get_uint32_be (&reader, &moov->timescale) || moov->timescale == 0)
    return weft_mp4_malformed (error, box->type, "no timescale");
  moov->new_timescale = moov->timescale;
  return TRUE;
}

/**
 * weft_mp4_moov_new:
 * @box: a whole `moov` box, header included
 * @error: return location
 *
 * Reads a movie header. A fragmented one is recognised and not read further.
 *
 * Returns: (transfer full) (nullable): the header, or %NULL with %GST_STREAM_ERROR_FORMAT
 */
WeftMp4Moov *
weft_mp4_moov_new (GBytes *box, GError **error)
{
  g_autoptr (WeftMp4Moov) moov = g_new0 (WeftMp4Moov, 1);
  gsize size;
  const guint8 *data = g_bytes_get_data (box, &size);
  GstByteReader reader;
  Box child;

  moov->bytes = g_bytes_ref (box);
  moov->tracks = g_ptr_array_new_with_free_func (track_free);
  if (size > G_MAXUINT32) {
    weft_mp4_malformed (error, BOX_MOOV, "over 4 GiB");
    return NULL;
  }
  gst_byte_reader_init (&reader, data, (guint) size);
  if (!weft_mp4_next_box (&reader, BOX_MOOV, &moov->root, error))
    return NULL;
  if (moov->root.type != BOX_MOOV || gst_byte_reader_get_remaining (&reader) != 0) {
    weft_mp4_malformed (error, BOX_MOOV, "a bad box size");
    return NULL;
  }

  if (find_box (&moov->root, BOX_MVEX, &child)) {
    moov->fragmented = TRUE;
    return g_steal_pointer (&moov);
  }
  if (!find_box (&moov->root, BOX_MVHD, &child)) {
    weft_mp4_malformed (error, BOX_MOOV, "no mvhd");
    return NULL;
  }
  if (!parse_mvhd (moov, &child, error))
    return NULL;
  reader = weft_mp4_box_reader (&moov->root);
  for (;;) {
    if (!weft_mp4_next_box (&reader, BOX_MOOV, &child, error))
      return NULL;
    if (child.type == 0)
      break;
    if (child.type == BOX_TRAK && !parse_trak (moov, &child, error))
      return NULL;
  }
  return g_steal_pointer (&moov);
}

void
weft_mp4_moov_free (WeftMp4Moov *moov)
{
  if (moov == NULL)
    return;
  g_clear_pointer (&moov->tracks, g_ptr_array_unref);
  g_clear_pointer (&moov->bytes, g_bytes_unref);
  g_free (moov);
}

gboolean
weft_mp4_moov_is_fragmented (const WeftMp4Moov *moov)
{
  return moov->fragmented;
}

void
weft_mp4_moov_get_info (const WeftMp4Moov *moov, WeftMp4MoovInfo *info)
{
  *info = moov->info;
}

/**
 * weft_mp4_moov_check_offsets:
 * @moov: a movie header
 * @media_start: offset of the first media byte in the input file
 * @media_end: offset after the last media byte
 * @error: return location
 *
 * Returns: whether every chunk begins inside the media data
 */
gboolean
weft_mp4_moov_check_offsets (
    const WeftMp4Moov *moov, guint64 media_start, guint64 media_end, GError **error)
{
  for (guint i = 0; i < moov->tracks->len; i++) {
    const Track *track = g_ptr_array_index (moov->tracks, i);

    for (guint k = 0; k < track->chunks->len; k++) {
      guint64 offset = g_array_index (track->chunks, guint64, k);
      if (offset < media_start || offset >= media_end)
        return weft_mp4_malformed (error, BOX_STCO, "a chunk outside the media data");
    }
  }
  return TRUE;
}

/**
 * weft_mp4_moov_next_chunk_start:
 * @moov: a movie header
 * @offset: an offset in the input file
 * @media_end: offset after the last media byte
 *
 * mp4mux writes chunks end to end, so media data may be parted where a chunk begins.
 *
 * Returns: the first start of a chunk at or after @offset, or @media_end
 */
guint64
weft_mp4_moov_next_chunk_start (const WeftMp4Moov *moov, guint64 offset, guint64 media_end)
{
  guint64 best = media_end;

  for (guint i = 0; i < moov->tracks->len; i++) {
    const Track *track = g_ptr_array_index (moov->tracks, i);

    for (guint k = 0; k < track->chunks->len; k++) {
      guint64 start = g_array_index (track->chunks, guint64, k);
      if (start >= offset)
        best = MIN (best, start);
    }
  }
  return best;
}
