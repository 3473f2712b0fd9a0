/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writing a movie header. */

#include "weftmp4moov-private.h"

/* ---- writing ---- */

static void
put_uint32 (GByteArray *writer, guint32 value)
{
  guint32 big_endian = GUINT32_TO_BE (value);

  g_byte_array_append (writer, (const guint8 *) &big_endian, sizeof big_endian);
}

static void
put_wide (GByteArray *writer, gboolean is_64_bit, guint64 value)
{
  if (is_64_bit)
    put_uint32 (writer, (guint32) (value >> 32));
  put_uint32 (writer, (guint32) value);
}

static guint
box_begin (GByteArray *writer, guint32 type)
{
  guint start = writer->len;

  put_uint32 (writer, 0);
  put_uint32 (writer, type);
  return start;
}

static void
box_end (GByteArray *writer, guint start)
{
  weft_put_uint32 (writer->data + start, writer->len - start);
}

static void
put_box_unchanged (GByteArray *writer, const Box *box)
{
  guint start = box_begin (writer, box->type);

  g_byte_array_append (writer, box->payload, box->payload_bytes);
  box_end (writer, start);
}

/* Version, flags and the two dates, widened or narrowed as the new version needs. Leaves @reader
 * after the dates. */
static gboolean
copy_version_and_dates (
    GByteArray *writer, GstByteReader *reader, guint8 version, guint8 *old_version)
{
  guint32 version_flags, created32, modified32;
  guint64 created, modified;

  if (!gst_byte_reader_get_uint32_be (reader, &version_flags))
    return FALSE;
  *old_version = (guint8) (version_flags >> 24);
  if (*old_version == 1) {
    if (!gst_byte_reader_get_uint64_be (reader, &created)
        || !gst_byte_reader_get_uint64_be (reader, &modified))
      return FALSE;
  } else {
    if (!gst_byte_reader_get_uint32_be (reader, &created32)
        || !gst_byte_reader_get_uint32_be (reader, &modified32))
      return FALSE;
    created = created32;
    modified = modified32;
  }
  put_uint32 (writer, (guint32) version << 24 | (version_flags & 0xffffff));
  put_wide (writer, version == 1, created);
  put_wide (writer, version == 1, modified);
  return TRUE;
}

static void
copy_rest (GByteArray *writer, GstByteReader *reader)
{
  guint rest = gst_byte_reader_get_remaining (reader);
  const guint8 *data;

  if (rest > 0 && gst_byte_reader_get_data (reader, rest, &data))
    g_byte_array_append (writer, data, rest);
}

/* mvhd and mdhd begin alike: version, dates, timescale, duration. */
static gboolean
write_time_header (
    GByteArray *writer, const Box *box, guint32 timescale, guint64 duration, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (box);
  guint8 version = duration > G_MAXUINT32 ? 1 : 0, old_version;
  guint start = box_begin (writer, box->type);

  if (!copy_version_and_dates (writer, &reader, version, &old_version)
      || !gst_byte_reader_skip (&reader, old_version == 1 ? 12 : 8))
    return weft_mp4_malformed (error, box->type, "too few bytes");
  put_uint32 (writer, timescale);
  put_wide (writer, version == 1, duration);
  copy_rest (writer, &reader);
  box_end (writer, start);
  return TRUE;
}

static gboolean
write_tkhd (GByteArray *writer, const Box *box, guint64 duration, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (box);
  guint8 version = duration > G_MAXUINT32 ? 1 : 0, old_version;
  guint start = box_begin (writer, box->type);
  guint32 track_id;

  if (!copy_version_and_dates (writer, &reader, version, &old_version)
      || !gst_byte_reader_get_uint32_be (&reader, &track_id)
      || !gst_byte_reader_skip (&reader, old_version == 1 ? 12 : 8))
    return weft_mp4_malformed (error, box->type, "too few bytes");
  put_uint32 (writer, track_id);
  put_uint32 (writer, 0);
  put_wide (writer, version == 1, duration);
  copy_rest (writer, &reader);
  box_end (writer, start);
  return TRUE;
}

static void
write_edts (GByteArray *writer, const Track *track)
{
  guint edts = box_begin (writer, BOX_EDTS);
  guint elst = box_begin (writer, BOX_ELST);
  gboolean wide = FALSE;

  for (guint i = 0; i < track->edits->len; i++) {
    const Edit *edit = &g_array_index (track->edits, Edit, i);
    wide |= edit->duration > G_MAXUINT32 || edit->media_time > G_MAXINT32;
  }
  put_uint32 (writer, wide ? 1u << 24 : 0);
  put_uint32 (writer, track->edits->len);
  for (guint i = 0; i < track->edits->len; i++) {
    const Edit *edit = &g_array_index (track->edits, Edit, i);

    put_wide (writer, wide, edit->duration);
    put_wide (writer, wide, edit->empty ? G_MAXUINT64 : edit->media_time);
    put_uint32 (writer, 1u << 16);
  }
  box_end (writer, elst);
  box_end (writer, edts);
}

static void
write_stts (GByteArray *writer, const Track *track)
{
  guint start = box_begin (writer, BOX_STTS);

  put_uint32 (writer, 0);
  put_uint32 (writer, track->stts->len);
  for (guint i = 0; i < track->stts->len; i++) {
    const SttsRun *run = &g_array_index (track->stts, SttsRun, i);
    put_uint32 (writer, run->count);
    put_uint32 (writer, run->delta);
  }
  box_end (writer, start);
}

static void
write_ctts (GByteArray *writer, const Track *track)
{
  guint start = box_begin (writer, BOX_CTTS);
  gboolean negative = FALSE;

  for (guint i = 0; i < track->ctts->len; i++)
    negative |= g_array_index (track->ctts, CttsRun, i).offset < 0;
  put_uint32 (writer, negative ? 1u << 24 : 0);
  put_uint32 (writer, track->ctts->len);
  for (guint i = 0; i < track->ctts->len; i++) {
    const CttsRun *run = &g_array_index (track->ctts, CttsRun, i);
    put_uint32 (writer, run->count);
    put_uint32 (writer, (guint32) run->offset);
  }
  box_end (writer, start);
}

static void
write_stsc (GByteArray *writer, const Track *track)
{
  guint start = box_begin (writer, BOX_STSC);

  put_uint32 (writer, 0);
  put_uint32 (writer, track->stsc->len);
  for (guint i = 0; i < track->stsc->len; i++) {
    const StscRun *run = &g_array_index (track->stsc, StscRun, i);
    put_uint32 (writer, run->first_chunk);
    put_uint32 (writer, run->samples);
    put_uint32 (writer, run->description);
  }
  box_end (writer, start);
}

static void
write_stsz (GByteArray *writer, const Track *track)
{
  guint start = box_begin (writer, BOX_STSZ);

  put_uint32 (writer, 0);
  put_uint32 (writer, track->constant_bytes);
  put_uint32 (writer, (guint32) track->samples);
  for (guint i = 0; i < track->sizes->len; i++)
    put_uint32 (writer, g_array_index (track->sizes, guint32, i));
  box_end (writer, start);
}

static guint64
shifted (guint64 offset, const WeftMp4Shift *shift)
{
  return offset + (guint64) (offset < shift->cut ? shift->delta_before_cut : shift->delta);
}

static void
write_chunk_offsets (GByteArray *writer, const Track *track, const WeftMp4Shift *shift)
{
  gboolean wide = FALSE;
  guint start;

  for (guint i = 0; i < track->chunks->len; i++)
    wide |= shifted (g_array_index (track->chunks, guint64, i), shift) > G_MAXUINT32;
  start = box_begin (writer, wide ? BOX_CO64 : BOX_STCO);
  put_uint32 (writer, 0);
  put_uint32 (writer, track->chunks->len);
  for (guint i = 0; i < track->chunks->len; i++)
    put_wide (writer, wide, shifted (g_array_index (track->chunks, guint64, i), shift));
  box_end (writer, start);
}

/* Sample groups of type 'roll' (ISO/IEC 14496-12, 8.9 and 10.1): all samples in one group whose
 * roll distance is -1 packet. */
static void
write_roll_group (GByteArray *writer, const Track *track)
{
  const guint8 roll_distance[] = { 0xff, 0xff };
  guint start = box_begin (writer, BOX_SGPD);

  put_uint32 (writer, 1u << 24);
  put_uint32 (writer, GROUPING_ROLL);
  put_uint32 (writer, 2); /* default_length: one gint16 an entry */
  put_uint32 (writer, 1);
  g_byte_array_append (writer, roll_distance, sizeof roll_distance);
  box_end (writer, start);

  start = box_begin (writer, BOX_SBGP);
  put_uint32 (writer, 0);
  put_uint32 (writer, GROUPING_ROLL);
  put_uint32 (writer, 1);
  put_uint32 (writer, (guint32) track->samples);
  put_uint32 (writer, 1);
  box_end (writer, start);
}

/* 0 is how muxers say that a rate does not fit in here; the codec's own header says it. */
static void
write_stsd (GByteArray *writer, const Track *track, const Box *stsd)
{
  guint start = writer->len;

  put_box_unchanged (writer, stsd);
  if (track->false_rate)
    memset (writer->data + start + WEFT_MP4_BOX_HEADER_BYTES + STSD_RATE_OFFSET, 0, 4);
}

static gboolean
write_stbl (GByteArray *writer, const Track *track, const Box *stbl, const WeftMp4Shift *shift,
    GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (stbl);
  guint start = box_begin (writer, stbl->type);
  Box box;

  for (;;) {
    if (!weft_mp4_next_box (&reader, stbl->type, &box, error))
      return FALSE;
    if (box.type == 0)
      break;
    switch (box.type) {
      case BOX_STSD:
        write_stsd (writer, track, &box);
        break;
      case BOX_STTS:
        write_stts (writer, track);
        break;
      case BOX_CTTS:
        write_ctts (writer, track);
        break;
      case BOX_STSC:
        write_stsc (writer, track);
        break;
      case BOX_STSZ:
        write_stsz (writer, track);
        break;
      case BOX_STCO:
      case BOX_CO64:
        write_chunk_offsets (writer, track, shift);
        break;
      default:
        put_box_unchanged (writer, &box);
        break;
    }
  }
  if (track->add_roll_group)
    write_roll_group (writer, track);
  box_end (writer, start);
  return TRUE;
}

static gboolean
write_minf (GByteArray *writer, const Track *track, const Box *minf, const WeftMp4Shift *shift,
    GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (minf);
  guint start = box_begin (writer, minf->type);
  Box box;

  for (;;) {
    if (!weft_mp4_next_box (&reader, minf->type, &box, error))
      return FALSE;
    if (box.type == 0)
      break;
    if (box.type != BOX_STBL)
      put_box_unchanged (writer, &box);
    else if (!write_stbl (writer, track, &box, shift, error))
      return FALSE;
  }
  box_end (writer, start);
  return TRUE;
}

/* The handler's name ends at its first zero byte and the box may be longer: the one place where
 * one to seven bytes can be spent that no `free` box can fill. */
static void
write_hdlr (GByteArray *writer, const Box *hdlr, guint *padding_bytes)
{
  guint start = box_begin (writer, hdlr->type);

  g_byte_array_append (writer, hdlr->payload, hdlr->payload_bytes);
  for (; *padding_bytes > 0; (*padding_bytes)--)
    g_byte_array_append (writer, (const guint8 *) "", 1);
  box_end (writer, start);
}

static gboolean
write_mdia (GByteArray *writer, const Track *track, const Box *mdia, const WeftMp4Shift *shift,
    guint *padding_bytes, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (mdia);
  guint start = box_begin (writer, mdia->type);
  Box box;

  for (;;) {
    gboolean ok = TRUE;

    if (!weft_mp4_next_box (&reader, mdia->type, &box, error))
      return FALSE;
    if (box.type == 0)
      break;
    if (box.type == BOX_MDHD)
      ok = write_time_header (writer, &box, track->timescale, weft_mp4_track_ticks (track), error);
    else if (box.type == BOX_HDLR)
      write_hdlr (writer, &box, padding_bytes);
    else if (box.type == BOX_MINF)
      ok = write_minf (writer, track, &box, shift, error);
    else
      put_box_unchanged (writer, &box);
    if (!ok)
      return FALSE;
  }
  box_end (writer, start);
  return TRUE;
}

static gboolean
write_trak (GByteArray *writer, const Track *track, const Box *trak, const WeftMp4Shift *shift,
    guint *padding_bytes, GError **error)
{
  GstByteReader reader = weft_mp4_box_reader (trak);
  guint start = box_begin (writer, trak->type);
  Box box;

  for (;;) {
    gboolean ok = TRUE;

    if (!weft_mp4_next_box (&reader, trak->type, &box, error))
      return FALSE;
    if (box.type == 0)
      break;
    if (box.type == BOX_TKHD) {
      ok = write_tkhd (writer, &box, track->presented_ticks, error);
      write_edts (writer, track);
    } else if (box.type == BOX_MDIA)
      ok = write_mdia (writer, track, &box, shift, padding_bytes, error);
    else if (box.type != BOX_EDTS)
      put_box_unchanged (writer, &box);
    if (!ok)
      return FALSE;
  }
  box_end (writer, start);
  return TRUE;
}

/**
 * weft_mp4_moov_write:
 * @moov: a movie header after weft_mp4_moov_apply()
 * @shift: where the media data went
 * @padding_bytes: bytes to add to the size, for a place that leaves less than a box header over
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the whole `moov` box
 */
GBytes *
weft_mp4_moov_write (
    const WeftMp4Moov *moov, const WeftMp4Shift *shift, guint padding_bytes, GError **error)
{
  g_autoptr (GByteArray) writer =
      g_byte_array_sized_new ((guint) g_bytes_get_size (moov->bytes) + 256);
  GstByteReader reader = weft_mp4_box_reader (&moov->root);
  guint start, track_index = 0;
  gboolean ok = TRUE;
  Box box;

  start = box_begin (writer, BOX_MOOV);
  while (ok && (ok = weft_mp4_next_box (&reader, BOX_MOOV, &box, error)) && box.type != 0) {
    if (box.type == BOX_MVHD) {
      ok = write_time_header (writer, &box, moov->new_timescale, moov->new_duration, error);
    } else if (box.type == BOX_TRAK) {
      const Track *track = g_ptr_array_index (moov->tracks, track_index++);
      if (!track->dropped)
        ok = write_trak (writer, track, &box, shift, &padding_bytes, error);
    } else {
      put_box_unchanged (writer, &box);
    }
  }
  if (!ok)
    return NULL;
  box_end (writer, start);
  return g_byte_array_free_to_bytes (g_steal_pointer (&writer));
}
