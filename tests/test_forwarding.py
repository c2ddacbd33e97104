from __future__ import annotations

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from durable_replay import forwarding
from durable_replay.errors import LimitExceeded
from durable_replay.forwarding import forwarder
from durable_replay.http import BytesBody, Headers, Request

PACKED = gzip.compress(b"packed", mtime=0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen = (self.path, dict(self.headers), data)  # type: ignore[attr-defined]
        self.send_response(201, "Made Up")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(PACKED), PACKED))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=listening.serve_forever)
    thread.start()
    yield listening
    listening.shutdown()
    listening.server_close()
    thread.join()


def _post(port: int) -> Request:
    headers = Headers([("Host", f"127.0.0.1:{port}"), ("X-Case", "kept"), ("Content-Length", "3"), ("TE", "trailers")])
    return Request("POST", "http", "127.0.0.1", port, "/a%2Fb?x=%20", headers, BytesBody(b"abc"))


def test_a_request_goes_as_it_is_and_its_answer_comes_as_it_was(server: ThreadingHTTPServer) -> None:
    with forwarder() as forward:
        answer = forward(_post(server.server_port))
    path, headers, data = server.seen  # type: ignore[attr-defined]
    assert (path, data, headers["X-Case"], "TE" in headers) == ("/a%2Fb?x=%20", b"abc", "kept", False)
    assert (answer.status, answer.reason, answer.body.read()) == (201, "Made Up", PACKED)
    assert answer.headers.get_all("x-twice") == ["1", "2"]
    assert "transfer-encoding" not in answer.headers


def test_a_server_that_is_not_there_is_a_502_that_names_it(server: ThreadingHTTPServer) -> None:
    port = server.server_port
    server.server_close()
    with forwarder() as forward:
        answer = forward(_post(port))
    assert (answer.status, f"127.0.0.1:{port} cannot be reached".encode() in answer.body.read()) == (502, True)


def test_an_answer_beyond_the_limit_is_refused(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "IN_MEMORY", 4)
    with forwarder() as forward, pytest.raises(LimitExceeded, match="record it instead"):
        forward(_post(server.server_port))
