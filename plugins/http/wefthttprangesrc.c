/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-httprangesrc
 * @title: httprangesrc
 * @short_description: reads files from http and https servers at any place
 *
 * Offers pull scheduling, so that demuxers read a file on a server as they read one on disk.
 * Parts are asked for as they are needed, few and large where reading is sequential, kept in a
 * bounded cache, and resumed where a connection broke off. All parts are of one version of the
 * file: if it is replaced meanwhile, that is an error with "changed" in its details.
 *
 * A server that does not send parts is read once into a temporary file without a name.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 httprangesrc uri=https://example.org/a.mp4 ! decodebin ! autovideosink
 * gst-launch-1.0 httprangesrc uri=http://example.org/a.mp4 ! filesink location=a.mp4
 * ]|
 *
 * Threads: requests run in a thread of their own (see weftrangereader.h). The streaming thread
 * reads; the object lock guards the settings and the pointer to the reader.
 */

#include "wefthttprangesrc.h"

#include "weftrangereader.h"

GST_DEBUG_CATEGORY_STATIC (weft_http_range_src_debug);
#define GST_CAT_DEFAULT weft_http_range_src_debug

#define DEFAULT_TIMEOUT_S 15
#define DEFAULT_RETRIES 8
#define DEFAULT_CACHE_BYTES (16 * 1024 * 1024)
#define DEFAULT_SPOOL_BYTES (G_GUINT64_CONSTANT (4) << 30)
#define DEFAULT_LOW_SPEED_BYTES 1024
#define DEFAULT_LOW_SPEED_S 15

/* What push mode hands on at a time. */
#define PUSH_BYTES (64 * 1024)

enum {
  PROP_0,
  PROP_URI,
  PROP_LOCATION,
  PROP_TIMEOUT,
  PROP_RETRIES,
  PROP_LOW_SPEED_LIMIT,
  PROP_LOW_SPEED_TIME,
  PROP_CACHE_SIZE,
  PROP_SPOOL_SIZE,
  PROP_STATS,
  N_PROPERTIES,
};

static GParamSpec *properties[N_PROPERTIES];

struct _WeftHttpRangeSrc {
  GstBaseSrc parent;

  /* The object lock guards these. The reader is only replaced while no pad is active: functions
   * that run only then, or in the streaming thread, use it as it is; others take a reference. */
  gchar *uri;
  WeftRangeSettings settings;
  WeftRangeReader *reader;
  WeftRangeStats last_stats; /* of the reader before */
  gboolean error_posted;

  gboolean headers_sent; /* streaming thread */
};

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void weft_http_range_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftHttpRangeSrc, weft_http_range_src, GST_TYPE_BASE_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, weft_http_range_src_uri_handler_init))
/* Before souphttpsrc, which has only push scheduling. GST_PLUGIN_FEATURE_RANK=httprangesrc:NONE in
 * the environment puts that one back. */
GST_ELEMENT_REGISTER_DEFINE (
    httprangesrc, "httprangesrc", GST_RANK_PRIMARY + 1, WEFT_TYPE_HTTP_RANGE_SRC)

/* ---- errors ---- */

static void
post_error (WeftHttpRangeSrc *self, WeftRangeReader *reader, const GError *error)
{
  const gchar *name = weft_range_reader_get_display_name (reader);
  guint status = weft_http_error_get_status (error);
  gboolean changed = FALSE, retryable = FALSE;
  GstResourceError code = GST_RESOURCE_ERROR_READ;
  GstStructure *details;
  gboolean was_posted;

  /* A query may be the first to learn of it, and the read that follows the second. */
  GST_OBJECT_LOCK (self);
  was_posted = self->error_posted;
  self->error_posted = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (was_posted)
    return;

  switch ((WeftHttpError) error->code) {
    case WEFT_HTTP_ERROR_NOT_FOUND:
      code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case WEFT_HTTP_ERROR_DENIED:
      code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
    case WEFT_HTTP_ERROR_CHANGED:
      changed = retryable = TRUE;
      break;
    case WEFT_HTTP_ERROR_NO_SPACE:
      code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      break;
    case WEFT_HTTP_ERROR_INVALID_URI:
    case WEFT_HTTP_ERROR_UNSUPPORTED:
    case WEFT_HTTP_ERROR_TOO_LARGE:
      code = GST_RESOURCE_ERROR_SETTINGS;
      break;
    case WEFT_HTTP_ERROR_UNREACHABLE:
      retryable = TRUE;
      break;
    default:
      break;
  }
  details = gst_structure_new ("details", "http-status-code", G_TYPE_UINT, status, "changed",
      G_TYPE_BOOLEAN, changed, "retryable", G_TYPE_BOOLEAN, retryable, "uri", G_TYPE_STRING, name,
      NULL);
  gst_element_message_full_with_details (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      (gint) code, g_strdup_printf ("%s cannot be read: %s.", name, error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__, details);
}

static GstFlowReturn
flow_from (WeftHttpRangeSrc *self, WeftRangeReader *reader, const GError *error)
{
  if (g_error_matches (error, WEFT_HTTP_ERROR, WEFT_HTTP_ERROR_CANCELLED))
    return GST_FLOW_FLUSHING;
  post_error (self, reader, error);
  return GST_FLOW_ERROR;
}

/* ---- reading ---- */

/* Tells downstream what the server said, in the form souphttpsrc gives it. */
static void
send_headers (WeftHttpRangeSrc *self)
{
  g_autoptr (GHashTable) headers = NULL;
  g_autoptr (GstStructure) response = gst_structure_new_empty ("response-headers");
  GHashTableIter iter;
  gpointer name, value;
  guint status;
  guint64 size;

  headers = weft_range_reader_dup_headers (self->reader, &status);
  if (headers == NULL)
    return;
  g_hash_table_iter_init (&iter, headers);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    /* Cookies are secrets, and the length of a part says nothing of the file's. */
    if (g_str_equal (name, "set-cookie") || g_str_equal (name, "content-length")
        || !g_utf8_validate (value, -1, NULL))
      continue;
    gst_structure_set (response, name, G_TYPE_STRING, value, NULL);
  }
  if (weft_range_reader_peek_size (self->reader, &size)) {
    g_autofree gchar *text = g_strdup_printf ("%" G_GUINT64_FORMAT, size);
    gst_structure_set (response, "content-length", G_TYPE_STRING, text, NULL);
  }
  gst_pad_push_event (GST_BASE_SRC_PAD (self),
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
          gst_structure_new ("http-headers", "uri", G_TYPE_STRING,
              weft_range_reader_get_display_name (self->reader), "http-status-code", G_TYPE_UINT,
              status, "response-headers", GST_TYPE_STRUCTURE, response, NULL)));
}

static WeftRangeReader *
ref_reader (WeftHttpRangeSrc *self)
{
  WeftRangeReader *reader;

  GST_OBJECT_LOCK (self);
  reader = self->reader != NULL ? weft_range_reader_ref (self->reader) : NULL;
  GST_OBJECT_UNLOCK (self);
  return reader;
}

/* The base class asks when it starts, in the thread of a state change, where nothing may wait
 * for a network; so the size becomes known with the first read. */
static gboolean
weft_http_range_src_get_size (GstBaseSrc *src, guint64 *size)
{
  g_autoptr (WeftRangeReader) reader = ref_reader (WEFT_HTTP_RANGE_SRC (src));

  return reader != NULL && weft_range_reader_peek_size (reader, size);
}

static void
adopt_size (WeftHttpRangeSrc *self, guint64 size)
{
  GstBaseSrc *src = GST_BASE_SRC (self);

  GST_OBJECT_LOCK (self);
  if (src->segment.format == GST_FORMAT_BYTES)
    src->segment.duration = size;
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
weft_http_range_src_create (GstBaseSrc *src, guint64 offset, guint size, GstBuffer **buffer)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (src);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBuffer) own = NULL;
  GstBuffer *target = *buffer;
  GstMapInfo map;
  guint64 object_size;
  gsize got;
  gboolean ok;

  if (!weft_range_reader_open (self->reader, &error))
    return flow_from (self, self->reader, error);
  if (!self->headers_sent) {
    self->headers_sent = TRUE;
    send_headers (self);
  }
  if (weft_range_reader_peek_size (self->reader, &object_size)) {
    adopt_size (self, object_size);
    if (offset >= object_size)
      return GST_FLOW_EOS;
    /* A demuxer that was misled by a damaged file may ask for gigabytes. */
    size = (guint) MIN (size, object_size - offset);
  }

  if (target == NULL)
    target = own = gst_buffer_new_allocate (NULL, size, NULL);
  if (target == NULL || !gst_buffer_map (target, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, (NULL), ("no memory for %u bytes", size));
    return GST_FLOW_ERROR;
  }
  ok = weft_range_reader_read (self->reader, offset, map.data, MIN (map.size, size), &got, &error);
  gst_buffer_unmap (target, &map);
  if (!ok)
    return flow_from (self, self->reader, error);
  if (got == 0)
    return GST_FLOW_EOS;
  gst_buffer_set_size (target, (gssize) got);
  GST_BUFFER_OFFSET (target) = offset;
  GST_BUFFER_OFFSET_END (target) = offset + got;
  *buffer = target;
  own = NULL;
  return GST_FLOW_OK;
}

static gboolean
weft_http_range_src_start (GstBaseSrc *src)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (src);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *uri = NULL;
  WeftRangeSettings settings;
  WeftRangeReader *reader;

  /* Typefinding ends with the pad being stopped and started again: what was read stays read. */
  if (self->reader != NULL) {
    weft_range_reader_set_flushing (self->reader, FALSE);
    return TRUE;
  }
  GST_OBJECT_LOCK (self);
  uri = g_strdup (self->uri);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  if (uri == NULL) {
    GST_ELEMENT_ERROR (
        self, RESOURCE, NOT_FOUND, ("There is no address to read from."), ("set the uri property"));
    return FALSE;
  }
  reader = weft_range_reader_new (uri, &settings, &error);
  if (reader == NULL) {
    g_autofree gchar *name = weft_http_display_name (uri);

    GST_ELEMENT_ERROR (
        self, RESOURCE, NOT_FOUND, ("%s cannot be read: %s.", name, error->message), (NULL));
    return FALSE;
  }
  self->headers_sent = FALSE;
  GST_OBJECT_LOCK (self);
  self->error_posted = FALSE;
  self->reader = reader;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
set_flushing (GstBaseSrc *src, gboolean flushing)
{
  g_autoptr (WeftRangeReader) reader = ref_reader (WEFT_HTTP_RANGE_SRC (src));

  if (reader != NULL)
    weft_range_reader_set_flushing (reader, flushing);
}

/* Until it is started again nobody waits: a query may come from a thread that the state change
 * which goes on is itself waiting for. */
static gboolean
weft_http_range_src_stop (GstBaseSrc *src)
{
  set_flushing (src, TRUE);
  return TRUE;
}

static gboolean
weft_http_range_src_unlock (GstBaseSrc *src)
{
  set_flushing (src, TRUE);
  return TRUE;
}

static gboolean
weft_http_range_src_unlock_stop (GstBaseSrc *src)
{
  set_flushing (src, FALSE);
  return TRUE;
}

static gboolean
weft_http_range_src_is_seekable (GstBaseSrc *src)
{
  return TRUE;
}

static gboolean
query_byte_duration (WeftHttpRangeSrc *self, GstQuery *query)
{
  g_autoptr (WeftRangeReader) reader = ref_reader (self);
  g_autoptr (GError) error = NULL;
  guint64 size;

  if (reader == NULL)
    return FALSE;
  if (!weft_range_reader_wait_size (reader, &size, &error)) {
    flow_from (self, reader, error);
    return FALSE;
  }
  adopt_size (self, size);
  gst_query_set_duration (query, GST_FORMAT_BYTES, (gint64) size);
  return TRUE;
}

static gboolean
weft_http_range_src_query (GstBaseSrc *src, GstQuery *query)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (src);
  GstFormat format;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_SCHEDULING:
      /* The base class would start and stop for this. Every server can be read at any place. */
      gst_query_set_scheduling (
          query, GST_SCHEDULING_FLAG_SEEKABLE | GST_SCHEDULING_FLAG_BANDWIDTH_LIMITED, 1, -1, 0);
      gst_query_add_scheduling_mode (query, GST_PAD_MODE_PULL);
      gst_query_add_scheduling_mode (query, GST_PAD_MODE_PUSH);
      return TRUE;
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, NULL);
      if (format == GST_FORMAT_BYTES)
        return query_byte_duration (self, query);
      break;
    case GST_QUERY_URI: {
      g_autofree gchar *uri = NULL;

      GST_OBJECT_LOCK (self);
      uri = weft_http_without_password (self->uri);
      GST_OBJECT_UNLOCK (self);
      gst_query_set_uri (query, uri);
      return TRUE;
    }
    default:
      break;
  }
  return GST_BASE_SRC_CLASS (weft_http_range_src_parent_class)->query (src, query);
}

/* Takes @reader. What it did can be asked for as long as there is no other. */
static void
drop_reader (WeftHttpRangeSrc *self, WeftRangeReader *reader)
{
  WeftRangeStats stats;

  weft_range_reader_get_stats (reader, &stats);
  GST_OBJECT_LOCK (self);
  self->last_stats = stats;
  GST_OBJECT_UNLOCK (self);
  weft_range_reader_unref (reader);
}

static GstStateChangeReturn
weft_http_range_src_change_state (GstElement *element, GstStateChange transition)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (element);
  GstStateChangeReturn result =
      GST_ELEMENT_CLASS (weft_http_range_src_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    WeftRangeReader *reader;

    GST_OBJECT_LOCK (self);
    reader = g_steal_pointer (&self->reader);
    GST_OBJECT_UNLOCK (self);
    if (reader != NULL)
      drop_reader (self, reader);
  }
  return result;
}

/* ---- addresses ---- */

static gboolean
set_uri (WeftHttpRangeSrc *self, const gchar *uri, GError **error)
{
  if (GST_STATE (self) > GST_STATE_READY) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE,
        "the address of httprangesrc cannot be changed while it runs");
    return FALSE;
  }
  if (uri != NULL) {
    g_autoptr (WeftHttpTarget) target = NULL;
    g_autoptr (GError) reason = NULL;
    const WeftHttpSettings settings = WEFT_HTTP_SETTINGS_DEFAULT;

    target = weft_http_target_new (uri, &settings, &reason);
    if (target == NULL) {
      g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "bad address: %s", reason->message);
      return FALSE;
    }
  }
  GST_OBJECT_LOCK (self);
  g_free (self->uri);
  self->uri = g_strdup (uri);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static GstURIType
uri_handler_get_type (GType type)
{
  return GST_URI_SRC;
}

static const gchar *const *
uri_handler_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "http", "https", NULL };

  return protocols;
}

/* Dumps of a pipeline show this: without a password. */
static gchar *
uri_handler_get_uri (GstURIHandler *handler)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (handler);
  gchar *uri;

  GST_OBJECT_LOCK (self);
  uri = weft_http_without_password (self->uri);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static gboolean
uri_handler_set_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  return set_uri (WEFT_HTTP_RANGE_SRC (handler), uri, error);
}

static void
weft_http_range_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = uri_handler_get_type;
  handler->get_protocols = uri_handler_get_protocols;
  handler->get_uri = uri_handler_get_uri;
  handler->set_uri = uri_handler_set_uri;
}

/* ---- object ---- */

static GstStructure *
dup_stats (WeftHttpRangeSrc *self)
{
  g_autoptr (WeftRangeReader) reader = NULL;
  WeftRangeStats stats;

  GST_OBJECT_LOCK (self);
  if (self->reader != NULL)
    reader = weft_range_reader_ref (self->reader);
  stats = self->last_stats;
  GST_OBJECT_UNLOCK (self);
  if (reader != NULL)
    weft_range_reader_get_stats (reader, &stats);
  return gst_structure_new ("httprangesrc", "requests", G_TYPE_UINT64, stats.http.requests, "bytes",
      G_TYPE_UINT64, stats.http.bytes, "retries", G_TYPE_UINT64, stats.http.retries, "reads",
      G_TYPE_UINT64, stats.reads, "cache-hits", G_TYPE_UINT64, stats.hits, "spooled",
      G_TYPE_BOOLEAN, stats.spooled, NULL);
}

static void
weft_http_range_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (object);
  g_autoptr (GError) error = NULL;

  if (id == PROP_URI || id == PROP_LOCATION) {
    if (!set_uri (self, g_value_get_string (value), &error))
      g_warning ("%s", error->message);
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_TIMEOUT:
      self->settings.http.timeout_s = g_value_get_uint (value);
      break;
    case PROP_RETRIES:
      self->settings.http.retries = g_value_get_uint (value);
      break;
    case PROP_LOW_SPEED_LIMIT:
      self->settings.http.low_speed_bytes = g_value_get_uint (value);
      break;
    case PROP_LOW_SPEED_TIME:
      self->settings.http.low_speed_s = g_value_get_uint (value);
      break;
    case PROP_CACHE_SIZE:
      self->settings.cache_bytes = g_value_get_uint64 (value);
      break;
    case PROP_SPOOL_SIZE:
      self->settings.spool_bytes = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_http_range_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (object);

  if (id == PROP_URI || id == PROP_LOCATION) {
    g_value_take_string (value, uri_handler_get_uri (GST_URI_HANDLER (self)));
    return;
  }
  if (id == PROP_STATS) {
    g_value_take_boxed (value, dup_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_TIMEOUT:
      g_value_set_uint (value, self->settings.http.timeout_s);
      break;
    case PROP_RETRIES:
      g_value_set_uint (value, self->settings.http.retries);
      break;
    case PROP_LOW_SPEED_LIMIT:
      g_value_set_uint (value, self->settings.http.low_speed_bytes);
      break;
    case PROP_LOW_SPEED_TIME:
      g_value_set_uint (value, self->settings.http.low_speed_s);
      break;
    case PROP_CACHE_SIZE:
      g_value_set_uint64 (value, self->settings.cache_bytes);
      break;
    case PROP_SPOOL_SIZE:
      g_value_set_uint64 (value, self->settings.spool_bytes);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
weft_http_range_src_finalize (GObject *object)
{
  WeftHttpRangeSrc *self = WEFT_HTTP_RANGE_SRC (object);

  g_clear_pointer (&self->reader, weft_range_reader_unref);
  g_clear_pointer (&self->uri, g_free);
  G_OBJECT_CLASS (weft_http_range_src_parent_class)->finalize (object);
}

static void
weft_http_range_src_init (WeftHttpRangeSrc *self)
{
  self->settings = (WeftRangeSettings) WEFT_RANGE_SETTINGS_DEFAULT;
  self->settings.http.timeout_s = DEFAULT_TIMEOUT_S;
  self->settings.http.retries = DEFAULT_RETRIES;
  self->settings.http.low_speed_bytes = DEFAULT_LOW_SPEED_BYTES;
  self->settings.http.low_speed_s = DEFAULT_LOW_SPEED_S;
  self->settings.cache_bytes = DEFAULT_CACHE_BYTES;
  self->settings.spool_bytes = DEFAULT_SPOOL_BYTES;
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_BYTES);
  gst_base_src_set_blocksize (GST_BASE_SRC (self), PUSH_BYTES);
}

static void
weft_http_range_src_class_init (WeftHttpRangeSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);
  const GParamFlags setting = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  GST_DEBUG_CATEGORY_INIT (weft_http_range_src_debug, "httprangesrc", 0, "HTTP range source");
  object_class->set_property = weft_http_range_src_set_property;
  object_class->get_property = weft_http_range_src_get_property;
  object_class->finalize = weft_http_range_src_finalize;
  element_class->change_state = weft_http_range_src_change_state;
  src_class->start = weft_http_range_src_start;
  src_class->stop = weft_http_range_src_stop;
  src_class->unlock = weft_http_range_src_unlock;
  src_class->unlock_stop = weft_http_range_src_unlock_stop;
  src_class->is_seekable = weft_http_range_src_is_seekable;
  src_class->get_size = weft_http_range_src_get_size;
  src_class->create = weft_http_range_src_create;
  src_class->query = weft_http_range_src_query;

  properties[PROP_URI] = g_param_spec_string ("uri", "Address",
      "http or https address to read; a password in it is not shown when it is asked for", NULL,
      setting);
  properties[PROP_LOCATION] =
      g_param_spec_string ("location", "Location", "The same as uri", NULL, setting);
  properties[PROP_TIMEOUT] = g_param_spec_uint ("timeout", "Timeout",
      "Seconds without a byte after which a connection is given up; 0 = never", 0, 3600,
      DEFAULT_TIMEOUT_S, setting);
  properties[PROP_RETRIES] = g_param_spec_uint ("retries", "Retries",
      "Attempts in a row that bring nothing before it is given up", 0, 1000, DEFAULT_RETRIES,
      setting);
  properties[PROP_LOW_SPEED_LIMIT] = g_param_spec_uint ("low-speed-limit", "Low speed limit",
      "Bytes a second below which, for low-speed-time, a connection is given up; 0 = never", 0,
      G_MAXUINT, DEFAULT_LOW_SPEED_BYTES, setting);
  properties[PROP_LOW_SPEED_TIME] = g_param_spec_uint ("low-speed-time", "Low speed time",
      "Seconds; see low-speed-limit", 0, 3600, DEFAULT_LOW_SPEED_S, setting);
  properties[PROP_CACHE_SIZE] = g_param_spec_uint64 ("cache-size", "Cache size",
      "Bytes of the file kept in memory", 1024 * 1024, G_MAXINT64, DEFAULT_CACHE_BYTES, setting);
  properties[PROP_SPOOL_SIZE] = g_param_spec_uint64 ("spool-size", "Spool size",
      "Largest file, in bytes, that is copied to a temporary file because the server does not send "
      "parts",
      0, G_MAXINT64, DEFAULT_SPOOL_BYTES, setting);
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "requests, bytes (received in them), retries, reads, cache-hits (reads that did not wait), "
      "spooled (the server does not send parts)",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "HTTP range source", "Source/Network",
      "Reads files from http and https servers at any place", "The Weft authors");
}
