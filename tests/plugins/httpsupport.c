/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "httpsupport.h"

#include <string.h>

#define MAX_REQUEST_BYTES 16384
#define DRIP_MS 50

struct _TestServer {
  GThread *thread; /* accepts connections */
  GMainContext *context;
  GMainLoop *loop;
  GSocketService *service;
  guint16 port;
  GCancellable *cancellable;

  GMutex lock; /* guards all that follows */
  GCond idle;
  TestFaults faults;
  GBytes *content;
  GBytes *replacement;
  guint requests;
  guint connections;
  guint open;
  guint64 body_bytes;
  gchar *authorization;
  GRand *random;
};

typedef struct {
  TestServer *server;
  GInputStream *in;
  GOutputStream *out;
  /* Of the request that is being answered: */
  TestFaults faults;
  guint number;
  gchar *path;
  gchar *if_range;
  gboolean has_range;
  guint64 first, last;
} Connection;

GBytes *
test_random_bytes (gsize size)
{
  guint8 *data = g_malloc (MAX (size, 1));

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8) g_test_rand_int ();
  return g_bytes_new_take (data, size);
}

static gboolean
by_chance (TestServer *server, guint percent)
{
  gboolean hit;

  g_mutex_lock (&server->lock);
  hit = g_rand_int_range (server->random, 0, 100) < (gint32) percent;
  g_mutex_unlock (&server->lock);
  return hit;
}

static guint64
random_below (TestServer *server, guint64 limit)
{
  guint64 value;

  g_mutex_lock (&server->lock);
  value = ((guint64) g_rand_int (server->random) << 16 ^ g_rand_int (server->random)) % limit;
  g_mutex_unlock (&server->lock);
  return value;
}

/* ---- reading a request ---- */

static gboolean
read_head (Connection *c, GString *head)
{
  g_string_truncate (head, 0);
  while (strstr (head->str, "\r\n\r\n") == NULL) {
    gchar byte;

    if (head->len > MAX_REQUEST_BYTES
        || g_input_stream_read (c->in, &byte, 1, c->server->cancellable, NULL) != 1)
      return FALSE;
    g_string_append_c (head, byte);
  }
  return TRUE;
}

static void
parse_head (Connection *c, const gchar *head)
{
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0], " ", 3);

  g_clear_pointer (&c->path, g_free);
  g_clear_pointer (&c->if_range, g_free);
  c->has_range = FALSE;
  c->path = g_strdup (words[1]);
  g_mutex_lock (&c->server->lock);
  g_clear_pointer (&c->server->authorization, g_free);
  for (gchar **line = lines + 1; *line != NULL; line++) {
    if (g_ascii_strncasecmp (*line, "range: bytes=", 13) == 0) {
      gchar *rest;

      c->has_range = TRUE;
      c->first = g_ascii_strtoull (*line + 13, &rest, 10);
      c->last = rest[0] == '-' && g_ascii_isdigit (rest[1]) ? g_ascii_strtoull (rest + 1, NULL, 10)
                                                            : G_MAXUINT64;
    } else if (g_ascii_strncasecmp (*line, "if-range: ", 10) == 0) {
      c->if_range = g_strdup (*line + 10);
    } else if (g_ascii_strncasecmp (*line, "authorization: ", 15) == 0) {
      c->server->authorization = g_strdup (*line + 15);
    }
  }
  c->faults = c->server->faults;
  c->number = c->server->requests++;
  g_mutex_unlock (&c->server->lock);
}

/* ---- writing an answer ---- */

static gboolean
write_all (Connection *c, gconstpointer data, gsize size)
{
  return g_output_stream_write_all (c->out, data, size, NULL, c->server->cancellable, NULL);
}

/* Writes the body, slowly if so told. */
static gboolean
write_body (Connection *c, const guint8 *data, guint64 size)
{
  gsize most =
      c->faults.bytes_per_second > 0 ? MAX (c->faults.bytes_per_second * DRIP_MS / 1000, 1) : 8192;

  while (size > 0) {
    gsize part = (gsize) MIN (size, most);
    gboolean ok;

    if (c->faults.bytes_per_second > 0)
      g_usleep (
          c->faults.bytes_per_second < 20 ? 1000000 / c->faults.bytes_per_second : DRIP_MS * 1000);
    if (c->faults.chunked) {
      g_autofree gchar *head = g_strdup_printf ("%" G_GSIZE_MODIFIER "x\r\n", part);
      ok = write_all (c, head, strlen (head)) && write_all (c, data, part)
           && write_all (c, "\r\n", 2);
    } else {
      ok = write_all (c, data, part);
    }
    if (!ok)
      return FALSE;
    g_mutex_lock (&c->server->lock);
    c->server->body_bytes += part;
    g_mutex_unlock (&c->server->lock);
    data += part;
    size -= part;
  }
  return !c->faults.chunked || write_all (c, "0\r\n\r\n", 5);
}

/* FALSE ends the connection. */
static gboolean
answer_plain (Connection *c, guint status, const gchar *header)
{
  g_autofree gchar *head = g_strdup_printf (
      "HTTP/1.1 %u Because\r\nContent-Length: 2\r\n%s\r\nno", status, header != NULL ? header : "");

  return write_all (c, head, strlen (head));
}

static gboolean
answer (Connection *c)
{
  TestServer *server = c->server;
  const TestFaults *faults = &c->faults;
  gboolean replaced = faults->replace_after > 0 && c->number >= faults->replace_after;
  const gchar *etag = replaced && !faults->keep_etag ? "\"two\"" : "\"one\"";
  GBytes *content = replaced && server->replacement != NULL ? server->replacement : server->content;
  g_autoptr (GString) head = g_string_new (NULL);
  gsize size;
  const guint8 *data = g_bytes_get_data (content, &size);
  guint64 first = 0, end = size;
  gboolean partial = c->has_range && !faults->no_ranges;

  if (faults->never_answer) {
    /* Until the other side goes away. */
    gchar byte;
    g_input_stream_read (c->in, &byte, 1, server->cancellable, NULL);
    return FALSE;
  }
  if (c->number < faults->redirects) {
    g_autofree gchar *header = g_strdup_printf ("Location: %s\r\n", faults->redirect_to);
    return answer_plain (c, 302, header);
  }
  if (c->number < faults->refuse_first)
    return answer_plain (c, faults->refuse_status, faults->refuse_header);
  if (partial && c->if_range != NULL && !faults->ignore_if_range
      && !g_str_equal (c->if_range, etag))
    partial = FALSE;
  if (partial && c->first >= size) {
    g_autofree gchar *header =
        g_strdup_printf ("Content-Range: bytes */%" G_GSIZE_FORMAT "\r\n", size);
    return answer_plain (c, 416, header);
  }
  if (partial) {
    first = c->first;
    end = MIN (size, c->last == G_MAXUINT64 ? size : c->last + 1);
    if (by_chance (server, faults->shorter_percent))
      end = first + 1 + random_below (server, end - first);
    if (by_chance (server, faults->lie_percent) && end < size) {
      first++;
      end++;
    }
    g_string_append_printf (head,
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %" G_GUINT64_FORMAT
        "-%" G_GUINT64_FORMAT "/%" G_GSIZE_FORMAT "\r\n",
        first, end - 1, size);
  } else {
    g_string_append (head, "HTTP/1.1 200 OK\r\n");
  }
  if (faults->chunked)
    g_string_append (head, "Transfer-Encoding: chunked\r\n");
  else if (faults->no_length)
    g_string_append (head, "Connection: close\r\n");
  else
    g_string_append_printf (head, "Content-Length: %" G_GUINT64_FORMAT "\r\n", end - first);
  if (!faults->no_validators)
    g_string_append_printf (head, "ETag: %s\r\n", etag);
  if (faults->encoding != NULL)
    g_string_append_printf (head, "Content-Encoding: %s\r\n", faults->encoding);
  g_string_append (head, "\r\n");

  if (by_chance (server, faults->cut_percent)) {
    if (faults->cut_headers && by_chance (server, 30)) {
      write_all (c, head->str, (gsize) random_below (server, head->len));
      return FALSE;
    }
    if (write_all (c, head->str, head->len) && end > first)
      write_body (c, data + first, random_below (server, end - first));
    return FALSE;
  }
  return write_all (c, head->str, head->len) && write_body (c, data + first, end - first)
         && !faults->no_length;
}

static gboolean
run_cb (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
    gpointer user_data)
{
  TestServer *server = user_data;
  Connection c = { .server = server };
  g_autoptr (GString) head = g_string_new (NULL);

  g_mutex_lock (&server->lock);
  server->connections++;
  server->open++;
  g_mutex_unlock (&server->lock);
  c.in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  c.out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  while (read_head (&c, head)) {
    parse_head (&c, head->str);
    if (!answer (&c))
      break;
  }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  g_free (c.path);
  g_free (c.if_range);
  g_mutex_lock (&server->lock);
  server->open--;
  g_cond_broadcast (&server->idle);
  g_mutex_unlock (&server->lock);
  return TRUE;
}

/* ---- the server ---- */

static gpointer
accept_main (gpointer data)
{
  TestServer *server = data;

  g_main_context_push_thread_default (server->context);
  g_socket_service_start (server->service);
  g_main_loop_run (server->loop);
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  while (g_main_context_iteration (server->context, FALSE))
    ;
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

TestServer *
test_server_new (GBytes *content)
{
  TestServer *server = g_new0 (TestServer, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&server->lock);
  g_cond_init (&server->idle);
  server->content = g_bytes_ref (content);
  server->cancellable = g_cancellable_new ();
  server->random = g_rand_new_with_seed (g_test_rand_int ());
  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  server->service = g_threaded_socket_service_new (32);
  g_socket_service_stop (server->service);
  g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), address, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &bound, &error);
  g_assert_no_error (error);
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_signal_connect (server->service, "run", G_CALLBACK (run_cb), server);
  server->thread = g_thread_new ("server", accept_main, server);
  return server;
}

static gboolean
quit_cb (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
test_server_free (TestServer *server)
{
  g_autoptr (GSource) quit = g_idle_source_new ();

  g_source_set_callback (quit, quit_cb, server->loop, NULL);
  g_source_attach (quit, server->context);
  g_cancellable_cancel (server->cancellable);
  g_thread_join (server->thread);
  g_mutex_lock (&server->lock);
  while (server->open > 0)
    g_cond_wait (&server->idle, &server->lock);
  g_mutex_unlock (&server->lock);
  g_object_unref (server->service);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_object_unref (server->cancellable);
  g_bytes_unref (server->content);
  g_clear_pointer (&server->replacement, g_bytes_unref);
  g_free (server->authorization);
  g_rand_free (server->random);
  g_cond_clear (&server->idle);
  g_mutex_clear (&server->lock);
  g_free (server);
}

void
test_server_set_faults (TestServer *server, const TestFaults *faults)
{
  g_mutex_lock (&server->lock);
  server->faults = *faults;
  g_mutex_unlock (&server->lock);
}

/* Before the first request. */
void
test_server_set_replacement (TestServer *server, GBytes *content)
{
  server->replacement = g_bytes_ref (content);
}

gchar *
test_server_uri (TestServer *server, const gchar *user, const gchar *path)
{
  return g_strdup_printf ("http://%s127.0.0.1:%u%s", user, server->port, path);
}

guint
test_server_requests (TestServer *server)
{
  guint requests;

  g_mutex_lock (&server->lock);
  requests = server->requests;
  g_mutex_unlock (&server->lock);
  return requests;
}

guint
test_server_connections (TestServer *server)
{
  guint connections;

  g_mutex_lock (&server->lock);
  connections = server->connections;
  g_mutex_unlock (&server->lock);
  return connections;
}

guint64
test_server_body_bytes (TestServer *server)
{
  guint64 bytes;

  g_mutex_lock (&server->lock);
  bytes = server->body_bytes;
  g_mutex_unlock (&server->lock);
  return bytes;
}

/* What the last request said; NULL if nothing. */
gchar *
test_server_authorization (TestServer *server)
{
  gchar *text;

  g_mutex_lock (&server->lock);
  text = g_strdup (server->authorization);
  g_mutex_unlock (&server->lock);
  return text;
}
