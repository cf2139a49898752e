#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A hub on loopback that serves the files of a folder, and fails as told.

faulty_hub.py FOLDER: FOLDER/ORG/REPO/** are the files of a repository. Prints its port as the first line; appends a line
of JSON for each request to FOLDER/log. FOLDER/ORG/REPO/script.json holds {"api": [STEP...], "file": [STEP...]}: a list's
steps are taken one by one, one for each request to the API and for a file of this repository; when they have run out, all
is served well. A step is an object:

  {}                        serves well
  status, headers           this status; with headers
  redirect                  a 302 to this URL, in which {port} is the port
  cut, reset                closes, or resets, the connection behind so many bytes of the answer
  kill                      kills, behind so many bytes, the process whose number is the token
  stall                     sends nothing more behind so many bytes, until the client goes
  length                    adds this to Content-Length
  ignore_range              serves the whole file
  shift                     gives a range that begins so much later
  flip                      changes the byte at this offset of the file
  chunked, extra            without a length; with so many bytes more than there are
  no_range_now              416
  etag                      this instead of the true one
  size, sha256              of an API step: adds this to all sizes; this sum for all files
  body                      of an API step: this text
"""

import hashlib
import http.server
import json
import os
import pathlib
import signal
import socket
import struct
import sys
import threading
import urllib.parse

PIECE = 1 << 20


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder = pathlib.Path()
    taken = {}
    sums = {}
    lock = threading.Lock()
    log_file = None

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        pieces = [urllib.parse.unquote(piece) for piece in url.path.strip("/").split("/")]
        self.write_log(url)
        if pieces[:2] == ["api", "models"] and len(pieces) >= 6:
            return self.answer_api(pieces[2], pieces[3], pieces[4], urllib.parse.parse_qs(url.query))
        if len(pieces) >= 5 and pieces[2] == "resolve":
            return self.answer_file(pieces[0], pieces[1], "/".join(pieces[4:]), "file")
        if len(pieces) >= 4 and pieces[0] == "cdn":
            return self.answer_file(pieces[1], pieces[2], "/".join(pieces[3:]), "cdn")
        return self.answer(404, b"no such page")

    def write_log(self, url):
        line = {"path": url.path, "host": self.headers.get("Host", "")}
        for name in ("Authorization", "Range", "If-Range"):
            if name in self.headers:
                line[name] = self.headers[name]
        with self.lock:
            self.log_file.write(json.dumps(line) + "\n")
            self.log_file.flush()

    def next_step(self, org, repo, kind):
        try:
            steps = json.loads((self.folder / org / repo / "script.json").read_text()).get(kind, [])
        except FileNotFoundError:
            return {}
        with self.lock:
            index = self.taken.get((org, repo, kind), 0)
            if index >= len(steps):
                return {}
            self.taken[org, repo, kind] = index + 1
        return steps[index]

    # ---- the API ----

    def answer_api(self, org, repo, question, query):
        step = self.next_step(org, repo, "api")
        root = self.folder / org / repo
        if not root.is_dir():
            return self.answer(404, b'{"error": "Repository not found"}')
        if self.answer_by_status(step):
            return None
        if "body" in step:
            return self.answer(200, step["body"].encode())
        if question == "revision":
            return self.answer(200, json.dumps({"id": f"{org}/{repo}", "sha": "0123456789abcdef" * 2 + "01234567"}).encode())
        entries = []
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                entries.append({"type": "directory", "path": name, "oid": "0", "size": 0})
            elif name != "script.json":
                size = path.stat().st_size + step.get("size", 0)
                entry = {"type": "file", "path": name, "oid": "0", "size": 134}
                if name.endswith(".gguf"):
                    entry["lfs"] = {"oid": step.get("sha256", self.sum_of(path)), "size": size, "pointerSize": 134}
                entries.append(entry)
        page_entries = int(step.get("page", 1000))
        first = int(query.get("cursor", ["0"])[0])
        headers = {}
        if first + page_entries < len(entries):
            headers["Link"] = (f'<http://{self.headers["Host"]}/api/models/{org}/{repo}/tree/x?recursive=true&cursor='
                               f'{first + page_entries}>; rel="next"')
        return self.answer(200, json.dumps(entries[first:first + page_entries]).encode(), headers)

    def sum_of(self, path):
        key = (str(path), path.stat().st_mtime_ns, path.stat().st_size)
        if key not in self.sums:
            self.sums[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.sums[key]

    # ---- files ----

    def answer_file(self, org, repo, name, kind):
        step = self.next_step(org, repo, kind)
        path = self.folder / org / repo / name
        if not path.is_file():
            return self.answer(404, b"Entry not found")
        if self.answer_by_status(step):
            return None
        return self.send_file(path, step)

    def send_file(self, path, step):
        size = path.stat().st_size
        wanted = None if step.get("ignore_range") else self.wanted_range(step.get("etag", self.etag(path)))
        first, last = wanted or (0, size - 1)
        if step.get("no_range_now") or first >= size > 0 and wanted:
            return self.answer(416, b"", {"Content-Range": f"bytes */{size}"})
        last = min(last, size - 1)
        first = min(first + step.get("shift", 0), last) if wanted else first
        length = last - first + 1
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        if step.get("etag", True):
            self.send_header("ETag", step.get("etag", self.etag(path)))
        chunked = step.get("chunked") or "extra" in step
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(max(0, length + step.get("length", 0))))
        self.end_headers()
        stop = min((step[key] for key in ("cut", "reset", "kill", "stall") if key in step), default=None)
        if not any(step) and not chunked and hasattr(os, "sendfile"):
            self.wfile.flush()
            with open(path, "rb") as file:
                while length > 0:
                    sent = os.sendfile(self.connection.fileno(), file.fileno(), first, length)
                    first, length = first + sent, length - sent
            return None
        self.send_pieces(path, (first, length), stop, step)
        return self.end_file(step, chunked, stop is not None and stop < length)

    def send_pieces(self, path, extent, stop, step):
        chunked = step.get("chunked") or "extra" in step
        offset, length = extent
        left = length if stop is None else min(stop, length)
        with open(path, "rb") as file:
            file.seek(offset)
            while left > 0:
                piece = bytearray(file.read(min(PIECE, left)))
                flip = step.get("flip", -1) - offset
                if 0 <= flip < len(piece):
                    piece[flip] ^= 1
                offset, left = offset + len(piece), left - len(piece)
                self.send_piece(bytes(piece), chunked)

    def send_piece(self, piece, chunked):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    def end_file(self, step, chunked, stopped):
        self.wfile.flush()
        if "kill" in step and stopped:
            os.kill(int(self.headers["Authorization"].split()[1]), signal.SIGKILL)
        if "stall" in step and stopped:
            self.connection.recv(1)
        if "reset" in step and stopped:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if stopped or step.get("length"):
            self.close_connection = True
            return
        if "extra" in step:
            self.send_piece(b"\0" * step["extra"], True)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def etag(self, path):
        return f'"{self.sum_of(path)[:32]}"'

    def wanted_range(self, etag):
        text = self.headers.get("Range", "")
        if not text.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return None
        first, _, last = text[6:].partition("-")
        return int(first), int(last) if last else 1 << 62

    # ---- both ----

    def answer_by_status(self, step):
        if "redirect" in step:
            port = self.server.server_address[1]
            self.answer(step.get("status", 302), b"", {"Location": step["redirect"].replace("{port}", str(port))})
        elif "status" in step:
            self.answer(step["status"], b"as told", step.get("headers", {}))
        else:
            return False
        return True

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that goes away, killed or not, is what the tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    Hub.folder = pathlib.Path(sys.argv[1])
    Hub.log_file = open(Hub.folder / "log", "a", encoding="utf-8")
    server = Server(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
