# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTTP servers on 127.0.0.1 that behave, and ones that do not. They count what they are asked for."""

import http.server
import re
import socket
import struct
import threading


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(False)

    def do_GET(self):
        self._answer(True)

    def _answer(self, with_body):
        owner = self.server.owner
        with owner.lock:
            owner.requests += 1
            owner.ranges.append(self.headers.get("Range"))
        data, status, headers = owner.data, 200, {}
        first, last = 0, len(data) - 1
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and owner.ranges_supported:
            first = int(wanted[1])
            last = min(last, int(wanted[2]) if wanted[2] else last)
            if first > last:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        headers["Content-Length"] = str(last - first + 1)
        headers["Accept-Ranges"] = "bytes" if owner.ranges_supported else "none"
        if owner.etag:
            headers["ETag"] = owner.etag
        if owner.prepare(self, first, last):
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            owner.send_body(self, data, first, last)

    def push(self, block):
        try:
            self.wfile.write(block)
            with self.server.owner.lock:
                self.server.owner.bytes_sent += len(block)
            return True
        except OSError:
            self.close_connection = True
            return False


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        return connection, address

    def handle_error(self, request, client_address):
        pass


class Good:
    """Serves one file, with ranges; `uri`, `requests`, `ranges`, `bytes_sent`."""

    ranges_supported = True
    BLOCK = 16384
    # Slow enough that what a client asked for and did not read is not counted: the kernel would buffer megabytes of it.
    BYTES_PER_S = 24_000_000

    def __init__(self, path, name="clip.mp4"):
        with open(path, "rb") as f:
            self.data = f.read()
        self.etag = '"1"'
        self.lock = threading.Lock()
        self.requests, self.ranges, self.bytes_sent = 0, [], 0
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}/{name}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def prepare(self, handler, first, last):
        """True if it has answered in its own way."""
        return False

    def send_body(self, handler, data, first, last):
        at = first
        while at <= last and not self.closing.is_set():
            if not handler.push(data[at:min(at + self.BLOCK, last + 1)]):
                return
            at += self.BLOCK
            self.closing.wait(self.BLOCK / self.BYTES_PER_S)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class WithoutRanges(Good):
    """Answers every request with the whole file from its start."""

    ranges_supported = False


class Status(Good):
    """Answers every request with one status."""

    def __init__(self, path, status):
        super().__init__(path)
        self.status = status

    def prepare(self, handler, first, last):
        handler.send_response(self.status)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True


class Stalling(Good):
    """Sends no byte past `after` of the file, and keeps the connection open; with armed=False only from arm() on."""

    def __init__(self, path, after, armed=True):
        super().__init__(path)
        self.after = after
        self.stalled, self._armed = threading.Event(), threading.Event()
        if armed:
            self._armed.set()

    def arm(self):
        self._armed.set()

    def send_body(self, handler, data, first, last):
        at = first
        while at <= last and not self.closing.is_set():
            end = min(at + self.BLOCK, last + 1)
            if self._armed.is_set():
                end = min(end, max(at, self.after))
                if end == at:
                    self.stalled.set()
                    self.closing.wait(300)
                    return
            if not handler.push(data[at:end]):
                return
            at = end
            self.closing.wait(self.BLOCK / self.BYTES_PER_S)


class Dripping(Good):
    """Sends one byte a second past `after` of the file."""

    def __init__(self, path, after=0):
        super().__init__(path)
        self.after = after

    def send_body(self, handler, data, first, last):
        at = first
        while at <= last and not self.closing.is_set():
            end = at + 1 if at >= self.after else min(at + self.BLOCK, last + 1, self.after)
            if not handler.push(data[at:end]):
                return
            self.closing.wait(1 if at >= self.after else self.BLOCK / self.BYTES_PER_S)
            at = end


class Mute(Good):
    """Takes the request and never answers."""

    def __init__(self, path):
        super().__init__(path)
        self.stalled = threading.Event()

    def prepare(self, handler, first, last):
        self.stalled.set()
        self.closing.wait(300)
        return True


class Dropping(Good):
    """Resets the connection after every `every` bytes, `times` times; then behaves."""

    def __init__(self, path, every, times):
        super().__init__(path)
        self.every, self.left = every, times

    def send_body(self, handler, data, first, last):
        with self.lock:
            drop = self.left > 0 and last - first + 1 > self.every
            if drop:
                self.left -= 1
        if not drop:
            super().send_body(handler, data, first, last)
            return
        handler.push(data[first:first + self.every])
        handler.close_connection = True
        # Zero linger: the other side sees a reset, not an end.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()


class Changing(Good):
    """Another file, with another ETag, after `after` requests."""

    def __init__(self, path, other, after):
        super().__init__(path)
        with open(other, "rb") as f:
            self.other = f.read()
        self.after = after

    def prepare(self, handler, first, last):
        with self.lock:
            if self.requests > self.after and self.etag == '"1"':
                self.data, self.etag = self.other, '"2"'
        condition = handler.headers.get("If-Match") or handler.headers.get("If-Range")
        if handler.headers.get("If-Match") and condition != self.etag:
            handler.send_response(412)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return True
        return False


class Redirecting(Good):
    """Sends every visitor on to another URI."""

    def __init__(self, path, to, status=302):
        super().__init__(path)
        self.to, self.status = to, status

    def prepare(self, handler, first, last):
        handler.send_response(self.status)
        handler.send_header("Location", self.to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True
