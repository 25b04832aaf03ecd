#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server of one weight file on 127.0.0.1 that misbehaves as the first folder of the
path says; also a proxy for whatever it is asked.

    weights_server.py FILE PORT_FILE LOG

Writes its port to PORT_FILE, a line per request (method, path, Range, If-Range, status)
to LOG, and ends when its standard input does.
"""
import http.server
import pathlib
import sys
import threading
import time
import urllib.parse

file, port_file, log = (pathlib.Path(a) for a in sys.argv[1:])
content = file.read_bytes()
asked = {}  # number of requests of each folder


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def note(self, status):
        with log.open('a') as f:
            print(self.command, self.path, self.headers.get('Range', '-'),
                  self.headers.get('If-Range', '-'), status, file=f)

    def begin(self, status, length, headers=()):
        self.note(status)
        self.send_response(status)
        self.send_header('Content-Length', str(length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def error(self, status):
        self.begin(status, 9, [('Content-Type', 'text/html; charset=utf-8')])
        self.wfile.write(b'<p>no</p>')

    def cut(self, n):
        """The whole file is promised, n bytes come."""
        self.begin(200, len(content), [('ETag', '"one"')])
        self.wfile.write(content[:n])
        self.wfile.flush()
        self.close_connection = True

    def send(self, etag='"one"', shift=0):
        """As a good server does; shift makes it lie about the part."""
        asked_range = self.headers.get('Range')
        same = self.headers.get('If-Range', etag) == etag
        if not asked_range or not same:
            self.begin(200, len(content), [('ETag', etag)])
            self.wfile.write(content)
            return
        first = int(asked_range.removeprefix('bytes=').split('-')[0])
        if first >= len(content):
            self.begin(416, 0, [('Content-Range', 'bytes */%d' % len(content))])
            return
        rest = content[first:]
        self.begin(206, len(rest), [('ETag', etag), (
            'Content-Range', 'bytes %d-%d/%d' % (first + shift, len(content) - 1,
                                                 len(content)))])
        self.wfile.write(rest)

    def do_GET(self):
        folder = urllib.parse.urlsplit(self.path).path.split('/')[1]
        name = self.path.rsplit('/', 1)[1]
        turn = asked[folder] = asked.get(folder, 0) + 1
        if name != file.name:
            self.error(404)
        elif folder == 'ok' or self.path.startswith('http:'):
            self.send()
        elif folder == 'cut':  # in the middle, once
            self.cut(len(content) // 2) if turn == 1 else self.send()
        elif folder == 'always-cut':
            self.cut(1000)
        elif folder == 'changed':  # another version after the cut
            self.cut(len(content) // 2) if turn == 1 else self.send('"two"')
        elif folder == 'shifted':  # the wrong Content-Range, once
            if turn == 1:
                self.cut(len(content) // 2)
            else:
                self.send(shift=1 if turn == 2 else 0)
        elif folder == 'ignores-range':
            self.cut(len(content) // 2) if turn == 1 else (
                self.begin(200, len(content)), self.wfile.write(content))
        elif folder == 'wrong':
            wrong = b'<html>log in</html>'
            self.begin(200, len(wrong), [('Content-Type', 'text/html')])
            self.wfile.write(wrong)
        elif folder == 'busy':  # 503 once
            self.error(503) if turn == 1 else self.send()
        elif folder == 'always-busy':
            self.error(500)
        elif folder == 'forbidden':
            self.error(403)
        elif folder == 'slow':
            self.begin(200, len(content))
            for at in range(0, len(content), 20000):
                self.wfile.write(content[at:at + 20000])
                self.wfile.flush()
                time.sleep(0.05)
        elif folder == 'stalls':
            self.begin(200, len(content))
            self.wfile.write(content[:500])
            self.wfile.flush()
            time.sleep(20)
        elif folder == 'moved':
            self.begin(302, 0, [('Location', '/ok/' + name)])
        elif folder == 'loop':
            self.begin(302, 0, [('Location', self.path)])
        elif folder == 'away':
            self.begin(302, 0, [('Location', 'file:///etc/' + name)])
        else:
            self.error(404)


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
port_file.with_suffix('.new').write_text(str(server.server_address[1]))
port_file.with_suffix('.new').rename(port_file)
sys.stdin.read()
