/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An HTTP/1.1 server on 127.0.0.1 that answers as badly as it is told to. It writes its answers
 * byte by byte, so that each can be broken off, held up or wrong at any place. */

typedef struct _TestServer TestServer;

typedef struct {
  gboolean no_ranges;       /* always the whole object with status 200 */
  gboolean no_length;       /* and without its size: the end of the connection is the end */
  gboolean chunked;         /* or in chunks */
  gboolean no_validators;   /* neither ETag nor Last-Modified */
  gboolean ignore_if_range; /* sends a part of whatever is there now */
  guint refuse_first;       /* this many requests get refuse_status */
  guint refuse_status;
  const gchar *refuse_header; /* added to a refusal, with its line end */
  guint redirects; /* this many requests are redirected to redirect_to, 0 to which is the object */
  const gchar *redirect_to;
  guint cut_percent;      /* chance that an answer is broken off somewhere */
  gboolean cut_headers;   /* also within its headers */
  guint lie_percent;      /* chance of a part that begins elsewhere than was asked for */
  guint shorter_percent;  /* chance of a shorter part than was asked for, honestly labelled */
  guint bytes_per_second; /* 0 = as fast as it goes */
  gboolean never_answer;
  guint replace_after;   /* from this request on it is another object; 0 = never */
  gboolean keep_etag;    /* ... that says it is the same but for its size */
  const gchar *encoding; /* Content-Encoding to claim */
} TestFaults;

TestServer *test_server_new (GBytes *content);
void test_server_free (TestServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestServer, test_server_free)

void test_server_set_faults (TestServer *server, const TestFaults *faults);
void test_server_set_replacement (TestServer *server, GBytes *content);
gchar *test_server_uri (TestServer *server, const gchar *user, const gchar *path);

guint test_server_requests (TestServer *server);
guint test_server_connections (TestServer *server);
guint64 test_server_body_bytes (TestServer *server);
gchar *test_server_authorization (TestServer *server);

GBytes *test_random_bytes (gsize size);

G_END_DECLS
