"""An answer as bytes: the recorded head as it was but for the hop's own fields, and where the answer came from."""

from __future__ import annotations

from collections import OrderedDict
from http.client import responses
from typing import Final

from durable_replay.answer import Answer
from durable_replay.front.refusal import Refusal
from durable_replay.http import Body, BytesBody, Headers, Response

__all__ = ["SMALL", "Outbound", "WireCache", "refusal_answer", "small_body"]

SMALL: Final = 64 * 1024
_HOP: Final = frozenset(("connection", "keep-alive", "proxy-connection", "te", "upgrade"))
_UNSAFE: Final = dict.fromkeys((*range(32), 127), " ")
REASON: Final = 500


def refusal_answer(refusal: Refusal) -> Answer:
    """The front's own answer: one line of text that names the limit or the fault."""
    body = f"durable-replay: {refusal.why}\n".encode()
    fields = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *refusal.fields)
    return Answer(
        Response(refusal.status, Headers(fields), BytesBody(body), responses.get(refusal.status, "")),
        "refused",
        refusal.why,
    )


def _safe(text: str) -> str:
    return text.translate(_UNSAFE)


def _provenance(answer: Answer) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = [("x-durable-source", answer.source)]
    if answer.interaction is not None:
        fields.append(("x-durable-interaction", str(answer.interaction)))
    why = _safe(answer.why).encode("ascii", "replace").decode("ascii").strip()
    if why:
        fields.append(("x-durable-reason", why if len(why) <= REASON else f"{why[: REASON - 3]}..."))
    return fields


class Outbound:
    """One answer on its way to one request: its head, and how the body is framed."""

    __slots__ = ("answer", "bodied", "chunked", "head")

    def __init__(self, answer: Answer, *, to_head: bool, version: str, keep_alive: bool, provenance: bool) -> None:
        response = answer.response
        self.answer = answer
        self.bodied = not to_head and response.status not in (204, 304)
        recorded_chunks = "chunked" in response.headers.get("transfer-encoding").lower()
        self.chunked = self.bodied and recorded_chunks and version == "1.1"
        fields = self._framed(response, to_head)
        if provenance:
            fields += _provenance(answer)
        if not keep_alive:
            fields.append(("Connection", "close"))
        elif version == "1.0":
            fields.append(("Connection", "keep-alive"))
        # HTTP/2 has no reason phrases, and some HTTP/1.1 clients (botocore) cannot read a status line without one.
        reason = response.reason or responses.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in fields)]
        head = "\r\n".join(lines)
        if head.count("\n") != len(fields) or head.count("\r") != len(fields) or "\0" in head:
            # A cassette is somebody's file: no field of it may begin another.
            head = "\r\n".join(_safe(line) for line in lines)
        self.head = f"{head}\r\n\r\n".encode("latin-1", "replace")

    def _framed(self, response: Response, to_head: bool) -> list[tuple[str, str]]:
        fields: list[tuple[str, str]] = []
        size, said = str(response.body.size), False
        for name, value in response.headers:
            lower = name.lower()
            if lower in _HOP:
                continue
            if lower == "transfer-encoding":
                if self.chunked or (to_head and response.status != 204):
                    fields.append((name, "chunked"))
            elif lower != "content-length":
                fields.append((name, value))
            elif not said and not self.chunked:
                said = True
                fields.append((name, self._length(value, size, response.status)))
        if not said and not self.chunked and (self.bodied or (to_head and response.body)):
            fields.append(("Content-Length", size))
        return fields

    def _length(self, recorded: str, size: str, status: int) -> str:
        if self.bodied:
            return size
        return "0" if status == 204 or not recorded.strip().isdigit() else recorded.strip()

    def piece(self, data: bytes) -> bytes:
        """Some of the body, framed."""
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data

    def end(self) -> bytes:
        """What closes the body."""
        if not self.chunked:
            return b""
        trailers = "".join(f"{_safe(name)}: {_safe(value)}\r\n" for name, value in self.answer.response.trailers)
        return f"0\r\n{trailers}\r\n".encode("latin-1", "replace")

    def whole(self) -> bytes:
        """Head and body in one piece; for small bodies. Raises ValueError where a body lies about its size."""
        if not self.bodied:
            return self.head
        data = small_body(self.answer.response.body)
        return b"".join((self.head, self.piece(data) if data else b"", self.end()))


def small_body(body: Body) -> bytes:
    """All bytes of a small body; raises ValueError where there are not as many as it says."""
    data = body.data if isinstance(body, BytesBody) else b"".join(body.chunks())
    if len(data) != body.size:
        raise ValueError(f"a body says {body.size:,} bytes and gives {len(data):,}")
    return data


class WireCache:
    """The bytes of answers that were given before, by the answer's identity; bounded, oldest out first."""

    __slots__ = ("_held", "_limit", "_size")

    def __init__(self, limit: int = 32 * 1024 * 1024) -> None:
        self._held: OrderedDict[int, tuple[Answer, bytes]] = OrderedDict()
        self._limit = limit
        self._size = 0

    def get(self, answer: Answer) -> bytes | None:
        """What was kept for this very object."""
        held = self._held.get(id(answer))
        return held[1] if held is not None else None

    def keep(self, answer: Answer, data: bytes) -> None:
        """Remember; the answer is held too, so that its identity stays its own."""
        cost = len(data) + 1024
        self._held[id(answer)] = (answer, data)
        self._size += cost
        while self._size > self._limit and self._held:
            _, (_, gone) = self._held.popitem(last=False)
            self._size -= len(gone) + 1024
