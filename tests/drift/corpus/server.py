"""The service of a corpus on loopback: a case's template becomes bytes on the wire.

An answer's `type` is a short name of TYPES or a media type; a body that is a tree is written as JSON, a list of parts
as multipart, a text or bytes as they are. `wire` varies what says nothing of the API, always or (`gzip?`) half the
time: gzip, chunked, indent, key-order, header-case, header-order. `first: {times: 1..3, …}` is how the first so many
requests of a target are answered (polling).
"""

from __future__ import annotations

import gzip
import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import TypeAlias

from tests.drift.corpus.cases import Case
from tests.drift.corpus.rendering import Chance, Place, Tree, render
from tests.drift.corpus.talking import talk

__all__ = ["Service", "serving"]

Template: TypeAlias = "Mapping[str, Tree]"
Fields: TypeAlias = "list[tuple[str, str]]"

TYPES: Mapping[str, str] = {
    "json": "application/json",
    "xml": "application/xml",
    "rpc": "text/xml",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "sse": "text/event-stream",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "png": "image/png",
    "binary": "application/octet-stream",
}
BODILESS = (204, 304)


class Service:
    """What answers, until the next recording: the version, the chance, and who was asked how often."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases
        self.wrong: list[str] = []
        self.begin("v1", 0, 0.0)

    def begin(self, version: str, seed: int, clock: float) -> None:
        """A new recording: from here on answers are of this version."""
        self.version = version
        self.chance = Chance(Random(seed), clock)
        self._first: dict[str, int] = {}

    def case(self, method: str, target: str) -> Case:
        """The case of a request; AssertionError where the client asks what the corpus does not hold."""
        found = [case for case in self._cases if case.serves(method, target)]
        assert len(found) == 1, f"{method} {target} is of {[case.name for case in found]}"
        return found[0]

    def template(self, case: Case, target: str) -> Template:
        """What is answered now: a case's answer, or what comes first."""
        answer = case.versions[self.version]
        first = answer.get("first")
        if not isinstance(first, dict):
            return answer
        if target not in self._first:
            low, _, high = str(first["times"]).partition("..")
            self._first[target] = self.chance.random.randint(int(low), int(high))
        self._first[target] -= 1
        return {**answer, **first} if self._first[target] >= 0 else answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits for the header's acknowledgement, 40 ms each

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        service = self.server.service
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        socketed = self.headers.get("Upgrade", "").lower() == "websocket"
        service.chance.tick()
        case = service.case("WS" if socketed else self.command, self.path)
        place = Place(service.chance, self.path, _name(self.path))
        template = service.template(case, self.path)
        if socketed:
            talk(self, _rendered_frames(template, place))
        else:
            self._answer(template, place)

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815, named by the standard library

    def _answer(self, template: Template, place: Place) -> None:
        wire = _wire(template, place.chance.random)
        status = int(str(render(template.get("status", 200), place)))
        media, data = _body(template, place, wire) if status not in BODILESS else ("", b"")
        fields = _fields(template, place, media)
        if "gzip" in wire:
            fields.append(("Content-Encoding", "gzip"))
            data = gzip.compress(data)
        chunked = "chunked" in wire
        if status not in BODILESS:
            fields.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(data))))
        self.send_response_only(status)
        for name, value in _ordered(fields, wire, place.chance.random):
            self.send_header(name, value)
        self.end_headers()
        if status not in BODILESS:
            self.wfile.write(_chunks(data) if chunked else data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the recording's."""


class _Server(ThreadingHTTPServer):
    """Keeps what went wrong, so that a recording of a broken service is not taken for a good one."""

    daemon_threads = True

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service

    def handle_error(self, request: object, client_address: object) -> None:
        self.service.wrong.append(traceback.format_exc(limit=-2))


def _name(target: str) -> str:
    """The last part of a path with a digit in it, which names a thing; else the last part."""
    parts = target.partition("?")[0].split("/")
    return next((part for part in reversed(parts) if any(map(str.isdigit, part))), parts[-1])


def _rendered_frames(template: Template, place: Place) -> list[str]:
    frames = render(template["frames"], place)
    assert isinstance(frames, list)
    return [frame if isinstance(frame, str) else json.dumps(frame) for frame in frames]


def _wire(template: Template, dice: Random) -> set[str]:
    given = template.get("wire", [])
    assert isinstance(given, list)
    return {str(each).removesuffix("?") for each in given if not str(each).endswith("?") or dice.random() < 0.5}


def _body(template: Template, place: Place, wire: set[str]) -> tuple[str, bytes]:
    short = str(template.get("type", "json"))
    body = render(template.get("body", ""), place)
    media = str(render(TYPES.get(short, short), place))
    if isinstance(body, bytes):
        return media, body
    if short.startswith("multipart/"):
        assert isinstance(body, list)
        boundary = f"part-{place.chance.random.getrandbits(64):x}"
        return f'{short}; boundary="{boundary}"', _multipart(body, boundary)
    if isinstance(body, str) and not media.endswith(("/json", "+json")):
        return media, body.encode("iso-8859-1" if "8859" in media else "utf-8")
    if "key-order" in wire:
        body = _turned(body, place.chance.random)
    return media, json.dumps(body, indent=2 if "indent" in wire else None, ensure_ascii=False).encode()


def _turned(tree: Tree, dice: Random) -> Tree:
    """The same with the keys of each object in another order."""
    if isinstance(tree, list):
        return [_turned(each, dice) for each in tree]
    if isinstance(tree, dict):
        return {key: _turned(tree[key], dice) for key in dice.sample(list(tree), len(tree))}
    return tree


def _multipart(parts: Sequence[Tree], boundary: str) -> bytes:
    written = b""
    for part in parts:
        assert isinstance(part, dict)
        fields = f"Content-Type: {part['Content-Type']!s}\r\n"
        content = part["body"]
        text = content if isinstance(content, str) else json.dumps(content)
        written += f"--{boundary}\r\n{fields}\r\n{text}\r\n".encode()
    return written + f"--{boundary}--\r\n".encode()


def _fields(template: Template, place: Place, media: str) -> Fields:
    """Each answer has those of a usual server: its date, its name, the request's id; then the case's own."""
    usual = {"Date": "{{now http}}", "Server": "{{pick nginx/1.25.3|nginx/1.25.4}}", "X-Request-Id": "{{uuid}}"}
    own = template.get("headers", {})
    assert isinstance(own, dict)
    rendered = render({**usual, **({"Content-Type": media} if media else {}), **own}, place)
    assert isinstance(rendered, dict)
    return [
        (name, str(value))
        for name, values in rendered.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _ordered(fields: Fields, wire: set[str], dice: Random) -> Fields:
    if "header-order" in wire:
        fields = dice.sample(fields, len(fields))
    return [(name.lower(), value) for name, value in fields] if "header-case" in wire else fields


def _chunks(data: bytes) -> bytes:
    half = len(data) // 2 or len(data)
    pieces = [piece for piece in (data[:half], data[half:]) if piece]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@contextmanager
def serving(service: Service) -> Iterator[str]:
    """The service's URL, on a port of its own, for as long as the block lasts."""
    server = _Server(service)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
