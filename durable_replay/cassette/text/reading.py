"""The exact text as interactions again.

# Rule: what is not the text form is refused by file and line; nothing is guessed, and nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Literal, Protocol, cast

from durable_replay.cassette.text.bodies import BadBody, base64_pieces, text_bytes
from durable_replay.cassette.text.escaping import unescaped
from durable_replay.cassette.text.grammar import TITLE, moment, request_parts, split_field
from durable_replay.errors import CassetteError
from durable_replay.http import EMPTY, IN_MEMORY, Body, BytesBody, Frame, Headers, Interaction, Request, Response

__all__ = ["BodySink", "TextReader", "is_text_file", "opened"]

LINE_LIMIT = 64 * 1024 * 1024
"""The longest line in bytes; a body's longest string is one line."""
_KINDS = ("text", "binary", "ping", "pong", "close")


class BodySink(Protocol):
    """Takes a body piece by piece."""

    def write(self, data: bytes) -> None: ...

    def finish(self) -> Body: ...

    def abort(self) -> None: ...


_ANY_TITLE = TITLE.rpartition(" ")[0] + " "
"""Of every version."""


def is_text_file(path: Path) -> bool:
    """Whether a file is a cassette's text, by its first line."""
    try:
        if not path.is_file():
            return False  # a pipe would wait for somebody to write
        with path.open("rb") as file:
            return file.read(80).startswith(_ANY_TITLE.encode())
    except OSError:
        return False


def opened(source: Path) -> IO[bytes]:
    """A text's file. Raises CassetteError."""
    try:
        return source.open("rb")
    except OSError as error:
        raise CassetteError(f"{source} cannot be read: {error.strerror}. Name another file.") from error


class TextReader:
    """One text, read once from its beginning, in bounded memory. Raises CassetteError with file and line."""

    def __init__(self, path: Path, file: IO[bytes], new_body: Callable[[], BodySink]) -> None:
        """`file` is opened in binary; `new_body` makes where a large body goes."""
        self._path = path
        self._file = file
        self._new_body = new_body
        self._number = 0
        self._line: str | None = ""
        self._next()
        self._title()
        self.hosts: Mapping[str, str] = dict(self._hosts())
        """Hosts that were mapped to a service."""
        self.beside = self._beside()
        """How many interactions are in files beside this one, where it is the head of a folder (folders.py)."""

    def wrong(self, what: str) -> CassetteError:
        """The error for the line at hand."""
        return CassetteError(f"{self._path}, line {self._number}: {what}.")

    def _next(self) -> None:
        self._decode(self._file.readline(LINE_LIMIT))

    def _decode(self, raw: bytes) -> None:
        """Go on to this line, read after the one at hand."""
        self._number += 1
        if len(raw) == LINE_LIMIT:
            raise self.wrong(f"it is longer than {LINE_LIMIT:,} bytes")
        try:
            self._line = raw.removesuffix(b"\n").decode("utf-8") if raw else None
        except UnicodeDecodeError as error:
            raise self.wrong("it is no UTF-8") from error

    def _title(self) -> None:
        line = self._line or ""
        if line == f"{TITLE} review":
            raise self.wrong(
                "this text was written for review, where times and ids are left out; export again without --review"
            )
        if line != f"{TITLE} exact":
            if line.endswith("\r"):
                raise self.wrong("the line ends with CR LF; a cassette's text has LF alone")
            if line.startswith(_ANY_TITLE) and not line.startswith(f"{TITLE} "):
                raise self.wrong(
                    "this text is of another version of the format than this durable-replay knows, which is"
                    f" {TITLE.rpartition(' ')[2]}; upgrade with `pip install -U durable-replay`"
                )
            raise self.wrong(f"the first line of a cassette's text is '{TITLE} exact'")
        self._next()

    def _hosts(self) -> Iterator[tuple[str, str]]:
        while (line := self._line) is not None and line.startswith("host "):
            host, _, service = line[5:].partition(" ")
            yield self._meant(host), self._meant(service)
            self._next()

    def _beside(self) -> int | None:
        line = self._line
        if line is None or not line.startswith("interactions "):
            return None
        count = line.removeprefix("interactions ")
        if not (count.isascii() and count.isdigit() and len(count) < 10):
            raise self.wrong("how many interactions there are is written as in 'interactions 41'")
        self._next()
        if self._line is not None:
            raise self.wrong("after how many interactions there are nothing follows")
        return int(count)

    def _meant(self, text: str) -> str:
        try:
            return unescaped(text)
        except ValueError as error:
            raise self.wrong(str(error)) from error

    def __iter__(self) -> Iterator[Interaction]:
        if self.beside is not None:
            raise self.wrong("the interactions are in the files beside this one; import their folder")
        while self._line is not None:
            if self._line == "":
                self._next()
                continue
            yield self._interaction()

    def _interaction(self) -> Interaction:
        number, (method, scheme, host, port, target) = self._head()
        started, duration = self._number_of("at", moment), self._number_of("took", float)
        protocol, note = self._optional("protocol", "HTTP/1.1"), self._optional("note", "")
        headers, body = Headers(self._fields("> ")), self._body()
        request = Request(method, scheme, host, port, target, headers, body)
        status, reason = self._status()
        headers, body = Headers(self._fields("< ")), self._body()
        response = Response(status, headers, body, reason, Headers(self._fields("+ ")))
        aborted = self._line == "aborted"
        if aborted:
            self._next()
        frames = tuple(self._frames())
        self._end()
        outcome: Literal["complete", "aborted"] = "aborted" if aborted else "complete"
        return Interaction(request, response, number, frames, started, duration, protocol, outcome, note)

    def _head(self) -> tuple[int, tuple[str, Literal["http", "https", "ws", "wss"], str, int, str]]:
        number, _, rest = (self._line or "").partition(" ")
        if not (number.startswith("#") and number[1:].isascii() and number[1:].isdigit() and len(number) < 20):
            raise self.wrong("an interaction begins with its number, method and URL, as in '#1 GET https://api.test/'")
        try:
            parts = request_parts(rest)
        except ValueError as error:
            raise self.wrong(str(error)) from error
        self._next()
        return int(number[1:]), parts

    def _number_of(self, name: str, parse: Callable[[str], float]) -> float:
        text = self._optional(name, None)
        if text is None:
            raise self.wrong(f"a line '{name} …' is missing")
        try:
            return parse(text)
        except ValueError as error:
            self._number -= 1
            raise self.wrong(f"{text[:60]!r} is nothing that '{name}' can be") from error

    def _optional(self, name: str, default: str | None) -> str:
        line = self._line
        if line is None or not line.startswith(f"{name} "):
            return cast(str, default)
        value = self._meant(line[len(name) + 1 :])
        self._next()
        return value

    def _fields(self, mark: str) -> Iterator[tuple[str, str]]:
        while (line := self._line) is not None and line.startswith(mark):
            try:
                yield split_field(line[2:])
            except ValueError as error:
                raise self.wrong(str(error)) from error
            self._next()

    def _status(self) -> tuple[int, str]:
        line = self._line or ""
        status, _, reason = line[2:].partition(" ")
        if not line.startswith("< ") or not (status.removeprefix("-").isascii() and _is_int(status)):
            raise self.wrong("here the response begins, as in '< 200 OK'")
        found = int(status), self._meant(reason)
        self._next()
        return found

    def _end(self) -> None:
        if self._line:
            raise self.wrong(f"{self._line[:40]!r} has no meaning here")

    # -- bodies and frames

    def _body(self) -> Body:
        line = self._line
        if line is None or not line.startswith("body "):
            return EMPTY
        form, at = line[5:], self._number
        self._next()
        try:
            return self._base64() if form == "base64" else self._text(form)
        except BadBody as error:
            self._number = at if form != "base64" else self._number
            raise self.wrong(str(error)) from error

    def _marked(self) -> Iterator[str]:
        """The body's lines without their mark; a line is left behind only after it was used."""
        while (line := self._line) is not None and line.startswith("|"):
            if len(line) > 1 and line[1] != " ":
                raise self.wrong("a body's line begins with '| '")
            yield line[2:]
            self._next()

    def _text(self, form: str) -> Body:
        data = text_bytes(form, self._joined())
        return BytesBody(data) if data else EMPTY

    def _joined(self) -> str:
        """All marked lines; these are most of a text, so they are not looked at one by one."""
        if self._line is None or not self._line.startswith("|"):
            return ""
        first, lines, size = self._number, [f"{self._line}\n".encode()], 0
        readline, limit = self._file.readline, IN_MEMORY * 2
        while len(raw := readline(LINE_LIMIT)) < LINE_LIMIT and raw[:1] == b"|" and (size := size + len(raw)) <= limit:
            lines.append(raw)
        self._number += len(lines) - 1
        if size > limit:
            raise self.wrong(f"the body is longer than {limit:,} bytes")
        for at, line in enumerate(lines):
            if line[1:2] not in (b" ", b"\n", b""):
                self._number = first + at
                raise self.wrong("a body's line begins with '| '")
        self._decode(raw)
        text = b"".join([line[2:] or b"\n" for line in lines]).removesuffix(b"\n")
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as error:
            self._number = first + text.count(b"\n", 0, error.start)
            raise self.wrong("it is no UTF-8") from error

    def _base64(self) -> Body:
        sink = self._new_body()
        try:
            for piece in base64_pieces(self._marked()):
                sink.write(piece)
            return sink.finish()
        finally:
            sink.abort()

    def _frames(self) -> Iterator[Frame]:
        while (line := self._line) is not None and line.startswith(("-> ", "<- ")):
            kind, at, code = self._frame_parts(line)
            self._next()
            yield Frame(line.startswith("->"), kind, self._body().read(), code, at)

    def _frame_parts(self, line: str) -> tuple[Literal["text", "binary", "ping", "pong", "close"], float, int | None]:
        words = line[3:].split(" ")
        try:
            if words[0] not in _KINDS or len(words) not in (2, 3):
                raise ValueError(line)
            code = int(words[2]) if len(words) == 3 else None
            return cast(Literal["text", "binary", "ping", "pong", "close"], words[0]), float(words[1]), code
        except ValueError as error:
            raise self.wrong("a message is written as in '-> text 0.5' or '<- close 0.75 1000'") from error


def _is_int(text: str) -> bool:
    return text.removeprefix("-").isdigit() and len(text) < 12
