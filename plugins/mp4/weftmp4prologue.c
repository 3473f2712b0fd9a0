/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weftmp4prologue.h"

#include <string.h>

#include "weftmp4bytes.h"
#include "weftmp4moov.h"

/* What stands before the media data other than a movie header is small. */
#define PROLOGUE_MAX_BYTES (1024 * 1024)

#define BOX_FREE WEFT_MP4_FOURCC ('f', 'r', 'e', 'e')
#define BOX_FTYP WEFT_MP4_FOURCC ('f', 't', 'y', 'p')
#define BOX_JP WEFT_MP4_FOURCC ('j', 'P', ' ', ' ')
#define BOX_MDAT WEFT_MP4_FOURCC ('m', 'd', 'a', 't')
#define BOX_MOOF WEFT_MP4_FOURCC ('m', 'o', 'o', 'f')
#define BOX_MOOV WEFT_MP4_FOURCC ('m', 'o', 'o', 'v')
#define BOX_SIDX WEFT_MP4_FOURCC ('s', 'i', 'd', 'x')
#define BOX_STYP WEFT_MP4_FOURCC ('s', 't', 'y', 'p')

static WeftMp4Way
because (WeftMp4Prologue *prologue, WeftMp4Way way, const gchar *reason)
{
  prologue->reason = reason;
  return way;
}

/* A `free` box either begins the 16 bytes of an open `mdat`, or keeps room of mp4mux's own. */
static WeftMp4Way
scan_free (WeftMp4Prologue *prologue, const guint8 *header, gsize known)
{
  if (prologue->has_moov)
    return because (
        prologue, WEFT_MP4_WAY_OTHER, "mp4mux has filled the header in advance (reserved-prefill)");
  if (weft_get_uint32 (header) == WEFT_MP4_BOX_HEADER_BYTES) {
    if (known < WEFT_MP4_MDAT_PLACE_BYTES)
      return WEFT_MP4_WAY_UNKNOWN;
    if (weft_get_uint32 (header + 12) == BOX_MDAT)
      return weft_get_uint32 (header + 8) == 0 ? WEFT_MP4_WAY_OPEN : WEFT_MP4_WAY_BOXES;
  }
  return because (prologue, WEFT_MP4_WAY_OTHER,
      "mp4mux rewrites its header while it records (reserved-max-duration)");
}

static WeftMp4Way
look_at_moov (GstAdapter *adapter, WeftMp4Prologue *prologue)
{
  g_autofree guint8 *copy = g_malloc (prologue->moov_bytes);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (WeftMp4Moov) moov = NULL;

  gst_adapter_copy (adapter, copy, prologue->moov_at, prologue->moov_bytes);
  bytes = g_bytes_new_take (g_steal_pointer (&copy), prologue->moov_bytes);
  moov = weft_mp4_moov_new (bytes, NULL);
  if (moov == NULL)
    return because (prologue, WEFT_MP4_WAY_BROKEN, "its movie header is malformed");
  if (weft_mp4_moov_is_fragmented (moov))
    return because (prologue, WEFT_MP4_WAY_OTHER, "it is fragmented");
  return WEFT_MP4_WAY_UNKNOWN;
}

/**
 * weft_mp4_prologue_scan:
 * @adapter: a file from its first byte on, as far as it has come
 * @prologue: (out): what was found
 *
 * Looks at boxes until one says which way mp4mux writes. Nothing is taken from @adapter.
 */
WeftMp4Way
weft_mp4_prologue_scan (GstAdapter *adapter, WeftMp4Prologue *prologue)
{
  gsize available = gst_adapter_available (adapter), at = 0;

  memset (prologue, 0, sizeof *prologue);
  while (available - at >= WEFT_MP4_BOX_HEADER_BYTES) {
    guint8 header[WEFT_MP4_MDAT_PLACE_BYTES] = { 0 };
    gsize known = MIN (available - at, sizeof header);
    guint32 size, type;

    gst_adapter_copy (adapter, header, at, known);
    size = weft_get_uint32 (header);
    type = weft_get_uint32 (header + 4);
    prologue->bytes = at;
    if (at == 0 && type != BOX_FTYP && type != BOX_JP)
      return because (prologue, WEFT_MP4_WAY_BROKEN, "it does not begin as one");

    switch (type) {
      case BOX_FREE:
        return scan_free (prologue, header, known);
      case BOX_MDAT:
        return size != 0
                   ? WEFT_MP4_WAY_BOXES
                   : because (prologue, WEFT_MP4_WAY_BROKEN, "its media data has no known end");
      case BOX_MOOF:
      case BOX_SIDX:
      case BOX_STYP:
        return because (prologue, WEFT_MP4_WAY_OTHER, "it is fragmented");
      default:
        break;
    }

    if (size < WEFT_MP4_BOX_HEADER_BYTES
        || size > (type == BOX_MOOV ? WEFT_MP4_MOOV_MAX_BYTES : PROLOGUE_MAX_BYTES)
        || at > WEFT_MP4_MOOV_MAX_BYTES)
      return because (
          prologue, WEFT_MP4_WAY_BROKEN, "a box before the media data has an impossible size");
    if (size > available - at)
      return WEFT_MP4_WAY_UNKNOWN;
    if (type == BOX_MOOV && !prologue->has_moov) {
      WeftMp4Way way;

      prologue->has_moov = TRUE;
      prologue->moov_at = at;
      prologue->moov_bytes = size;
      way = look_at_moov (adapter, prologue);
      if (way != WEFT_MP4_WAY_UNKNOWN)
        return way;
    }
    at += size;
  }
  prologue->bytes = at;
  return WEFT_MP4_WAY_UNKNOWN;
}

/**
 * weft_mp4_parse_mdat_place:
 * @data: the 16 bytes that mp4mux wrote again
 * @payload_bytes: (out): the length of the media data they state
 *
 * Returns: %FALSE if they are something else
 */
gboolean
weft_mp4_parse_mdat_place (const guint8 *data, guint64 *payload_bytes)
{
  guint32 size = weft_get_uint32 (data), type = weft_get_uint32 (data + 4);
  guint64 whole, header;

  if (size == WEFT_MP4_BOX_HEADER_BYTES && type == BOX_FREE
      && weft_get_uint32 (data + 12) == BOX_MDAT) {
    whole = weft_get_uint32 (data + 8);
    header = WEFT_MP4_BOX_HEADER_BYTES;
  } else if (size == 1 && type == BOX_MDAT) {
    whole = weft_get_uint64 (data + 8);
    header = WEFT_MP4_MDAT_PLACE_BYTES;
  } else {
    return FALSE;
  }
  if (whole < header)
    return FALSE;
  *payload_bytes = whole - header;
  return TRUE;
}
