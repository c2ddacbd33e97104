"""The tape never sees a secret: every message passes here before it is written.

Two phases for each message: named places and shapes first, which teaches the secrets' values; then these values
wherever else they stand, in this message and in all later ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial

from durable_replay.http import EMPTY, Body, Frame, Headers, Interaction, Request, Response
from durable_replay.redaction.bodies import BodySink, BodyStore, Redacted
from durable_replay.redaction.clean import LARGEST, Clean
from durable_replay.redaction.conversation import Conversation
from durable_replay.redaction.documents import Documents, kind_of
from durable_replay.redaction.encoded import decoded, may_hold, run_at, within
from durable_replay.redaction.events import EventStream, divided_by
from durable_replay.redaction.known import Known
from durable_replay.redaction.pieces import ANYTHING, UNREADABLE, First, Look, Pieces
from durable_replay.redaction.placeholders import CONSTANT, Constant, Keyed, Replacement
from durable_replay.redaction.rules import DEFAULT, Rules
from durable_replay.redaction.text import Text
from durable_replay.redaction.window import Searcher

__all__ = ["Masker", "Redactor"]

_SIGN = ","  # where JSON is cut: most of what is between two is said again


class _Search:
    """Bodies are searched with the rules and the known secrets; what held nothing is kept in `clean`."""

    def __init__(self, text: Text, documents: Documents, known: Known, clean: Clean) -> None:
        self._text = text
        self._documents = documents
        self._known = known
        self._clean = clean
        self._texts = clean.section()
        self.first = First(text.rules, known.occur, documents.named)
        self._pieces = Pieces(self.first, _SIGN, clean, text.rules.fields)

    def content(self, kind: str, data: bytes) -> bytes:
        """What `whole` gives, for the bytes of a content; the same object where that is the same text."""
        if self._clean.has_body(kind, data):
            return data
        times, named = self._clean.times, self._known.named
        text = data.decode("utf-8", "surrogateescape")
        look = self._look(kind, text)
        shown = self._searched(kind, text, look) if look else text
        if shown != text:
            return shown.encode("utf-8", "surrogateescape")
        kept = named == self._known.named and (look.kept or self.keep_text(text, encoded=look.encoded))
        if kept and times == self._clean.times:
            self._clean.keep_body(kind, data)
        return data

    def keep_text(self, text: str, section: set[str] | None = None, encoded: bool = True) -> bool:
        """Keep a text that was searched, with all that stands `encoded` in it. False: it cannot be."""
        if not self._text.keeps_placeholders or len(text) > LARGEST:
            return False
        plain = [plain for _, plain in decoded(text)] if encoded else []
        if any(UNREADABLE in each for each in plain):
            return False
        if section is None:
            return self._clean.keep(self._texts, set(), (text, *plain))
        return self._clean.keep(section, {text}, (text, *plain))

    def whole(self, kind: str, text: str) -> str:
        """A text of a kind without secrets."""
        look = self._look(kind, text)
        return self._searched(kind, text, look) if look else text

    def _look(self, kind: str, text: str) -> Look:
        """What may stand in a text. Its pieces are looked at where that is quicker."""
        if not self._text.keeps_placeholders:
            return ANYTHING
        if kind in ("json", "text") and self._pieces.fits(text) and not self._known.occur_across(text):
            return self._pieces.look(text.split(_SIGN))
        return self.first.at(text, kind)

    def _searched(self, kind: str, text: str, look: Look) -> str:
        if look.named:
            return self._decoded(self._plain(kind, text))
        shown = self._text.shapes(text, look.rules)
        if shown is text and not look.known and not look.encoded:
            return text
        shown = self._known.replace(shown) if look.known or shown is not text else text
        return self._decoded(shown)

    def _decoded(self, text: str) -> str:
        return within(text, self.anything, self._text.basic)

    def anything(self, text: str) -> str:
        """Text of a type that nobody says."""
        return self._plain(kind_of("", text[:256].encode("utf-8", "replace")), text)

    def _plain(self, kind: str, text: str) -> str:
        if kind != "binary":
            text = self._documents.fields(kind, text)
        return self._known.replace(self._text.shapes(text))

    def piece(self, kind: str, text: str) -> str:
        """A piece of a large body, in which no reader can begin."""
        if kind != "binary":
            text = self._documents.passing(kind, text)
        return self._decoded(self._known.replace(self._text.shapes(text)))

    def spans(self, kind: str, text: str) -> list[tuple[int, int]]:
        """Where secrets stand in such a piece."""
        fields = self._documents.spans(kind, text) if kind != "binary" else []
        return [*self._text.spans(text), *self._known.spans(text), *fields]

    def windowed(self, kind: str) -> Searcher:
        return _Windowed(kind, self)

    def fitted(self) -> Searcher:
        return _Fitted(self._text, self._known)


class _Windowed:
    def __init__(self, kind: str, search: _Search) -> None:
        self._kind = kind
        self._search = search

    def replace(self, text: str) -> str:
        return self._search.piece(self._kind, text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return self._search.spans(self._kind, text)

    def run_at(self, text: str, cut: int) -> int:
        return run_at(text, cut)


class _Fitted:
    """Keeps every length. A placeholder that is cut or padded hides as well, but is not the secret's only one."""

    def __init__(self, text: Text, known: Known) -> None:
        self._text = text
        self._known = known

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [*self._text.spans(text), *self._known.spans(text)]

    def run_at(self, text: str, cut: int) -> int:
        return cut

    def replace(self, text: str) -> str:
        text = self._text.fitted(text)
        for start, end in self._known.spans(text):
            secret = text[start:end]
            text = text[:start] + self._text.fit(secret, self._known.replace(secret)) + text[end:]
        return text


class Redactor:
    """Replaces the secrets of messages by placeholders under `key` (see keyfile.load_key), by `rules`.

    It remembers the secrets that it has met; one Redactor serves one recording, in one thread.
    """

    def __init__(self, key: bytes, rules: Rules = DEFAULT) -> None:
        self.rules = rules
        self._start(rules, Keyed(key))

    def _start(self, rules: Rules, replacement: Replacement) -> None:
        names = frozenset((*rules.fields, *rules.queries, *rules.headers))
        clean = Clean(_SIGN)
        self._known = Known(replacement.of, names, (clean.doubt,), _SIGN)
        self._text = Text(rules, replacement, self._known.learn)
        self._documents = Documents(self._text)
        self._search = _Search(self._text, self._documents, self._known, clean)
        self._header = lru_cache(maxsize=2048)(partial(_header, rules, replacement))
        self._values, self._targets = clean.section(), clean.section()
        self._quick = self._text.keeps_placeholders and rules.stay_between("\n")
        self._heads = Pieces(self._search.first, "\n", clean, section=self._values)

    def _credential(self, name: str, value: str) -> str:
        """The value of a header that the rules name. What it teaches is taught each time, so that a secret that is said
        again is one of the most recent again."""
        shown, taught, encoded = self._header(name, value)
        for secret in taught:
            self._known.learn(secret)
        return self._inside(shown) if encoded else shown

    def _other(self, value: str) -> str:
        """The value of any other header."""
        if value in self._values:
            return value
        asked = self._known.named
        shown = self._inside(self._text.shapes(value))
        self._keep(self._values, value, shown, asked)
        return shown

    def _keep(self, section: set[str], text: str, shown: str, asked: int) -> None:
        """Keep what was searched and holds nothing."""
        if shown == text and asked == self._known.named and not self._known.occur(text):
            self._search.keep_text(text, section)

    def _inside(self, text: str) -> str:
        """The text, and what stands in it encoded."""
        return within(text, self._search.anything, self._text.basic)

    def known(self) -> Iterator[str]:
        """The secrets' values that named places have given away: for the scan at a recording's end, never for a log."""
        return iter(self._known)

    def text(self, text: str) -> str:
        """Any other text: shapes alone."""
        return self._text.shapes(text) if text else text

    def target(self, target: str) -> str:
        """A request target: query parameters by name, shapes anywhere."""
        if target in self._targets:
            return target
        asked = self._known.named
        path, question, query = target.partition("?")
        shown = self._inside(self._text.shapes(f"{path}{question}{self._text.pairs(query, self.rules.queries)}"))
        self._keep(self._targets, target, shown, asked)
        return shown

    def headers(self, headers: Headers) -> Headers:
        """Header fields by name, shapes in all others."""
        named = self.rules.headers
        others = {value for name, value in headers.fields if name.lower() not in named}
        # credentials first: the other fields are searched for what they teach
        shown = {at: self._credential(*field) for at, field in enumerate(headers.fields) if field[0].lower() in named}
        clean = self._quick and not self._heads.look(others)
        if clean and not shown:
            return headers
        fields = tuple(
            (name, shown[at] if at in shown else value if clean else self._other(value))
            for at, (name, value) in enumerate(headers.fields)
        )
        return headers if fields == headers.fields else Headers(fields)

    def body(self, headers: Headers, new_body: Callable[[], BodyStore] | None = None) -> BodySink:
        """Where a message's body is written piece by piece; `headers` are the message's, already redacted."""
        return BodySink(headers, self._search, new_body)

    def settle(self, interaction: Interaction) -> Interaction:
        """The known secrets in what is small: target, headers, frames. The last step before an append."""
        request, response = interaction.request, interaction.response
        if not self._known.occur(self._small_texts(interaction)):
            return interaction
        return dataclasses.replace(
            interaction,
            request=dataclasses.replace(
                request, target=self._known.replace(request.target), headers=self._settled(request.headers)
            ),
            response=dataclasses.replace(
                response,
                headers=self._settled(response.headers),
                trailers=self._settled(response.trailers),
                reason=self._known.replace(response.reason),
            ),
            frames=tuple(self._settled_frame(frame) for frame in interaction.frames),
            note=self._known.replace(interaction.note),
        )

    def _small_texts(self, interaction: Interaction) -> str:
        """What is small, but for that in which no known secret stands."""
        request, response = interaction.request, interaction.response
        fields = (*request.headers.fields, *response.headers.fields, *response.trailers.fields)
        texts = {value for _, value in fields}.difference(self._values)
        if request.target not in self._targets:
            texts.add(request.target)
        texts.update(frame.data.decode("latin-1") for frame in interaction.frames)
        return "\n".join((response.reason, interaction.note, *texts))

    def _settled(self, headers: Headers) -> Headers:
        if not headers.fields or not self._known.occur("\n".join(value for _, value in headers)):
            return headers
        return Headers((name, self._known.replace(value)) for name, value in headers)

    def _settled_frame(self, frame: Frame) -> Frame:
        text = frame.data.decode("latin-1")
        if not self._known.occur(text):
            return frame
        if frame.kind == "binary":
            return self.frame(frame)
        return dataclasses.replace(frame, data=self._known.replace(text).encode("latin-1", "replace"))

    def request(self, request: Request, new_body: Callable[[], BodyStore] | None = None) -> Request:
        """A request without secrets. A body over 8 MiB needs `new_body`, else LimitExceeded."""
        shown = self._request(request, new_body)
        return dataclasses.replace(
            shown, target=self._known.replace(shown.target), headers=self._settled(shown.headers)
        )

    def _request(self, request: Request, new_body: Callable[[], BodyStore] | None) -> Request:
        """The same before known secrets are looked for in what is small."""
        target, headers = self.target(request.target), self.headers(request.headers)
        redacted = self._whole(request.body, headers, new_body)
        body = redacted.body if redacted.note else request.body
        if target == request.target and redacted.headers is request.headers and body is request.body:
            return request
        return dataclasses.replace(request, target=target, headers=redacted.headers, body=body)

    def response(self, response: Response, new_body: Callable[[], BodyStore] | None = None) -> Response:
        """A response without secrets, headers corrected where its body changed."""
        shown = self._response(response, new_body)
        return dataclasses.replace(
            shown,
            headers=self._settled(shown.headers),
            trailers=self._settled(shown.trailers),
            reason=self._known.replace(shown.reason),
        )

    def _response(self, response: Response, new_body: Callable[[], BodyStore] | None) -> Response:
        """The same before known secrets are looked for in what is small."""
        redacted = self._whole(response.body, self.headers(response.headers), new_body)
        body = redacted.body if redacted.note else response.body
        trailers = self.headers(response.trailers) if response.trailers.fields else response.trailers
        reason = self._text.shapes(response.reason)
        if body is response.body and redacted.headers is response.headers and trailers is response.trailers:
            return response if reason == response.reason else dataclasses.replace(response, reason=reason)
        return dataclasses.replace(response, headers=redacted.headers, body=body, trailers=trailers, reason=reason)

    def _whole(self, body: Body, headers: Headers, new_body: Callable[[], BodyStore] | None) -> Redacted:
        if not body.size:
            return Redacted(EMPTY, headers)
        sink = self.body(headers, new_body)
        for chunk in body.chunks():
            sink.write(chunk)
        return sink.finish()

    def frame(self, frame: Frame) -> Frame:
        """A WebSocket message. A binary one keeps its length."""
        if frame.kind == "binary":
            text = self._search.fitted().replace(frame.data.decode("latin-1"))
            return dataclasses.replace(frame, data=text.encode("latin-1", "replace"))
        text = self._search.whole("text", frame.data.decode("utf-8", "surrogateescape"))
        return dataclasses.replace(frame, data=text.encode("utf-8", "surrogateescape"))

    def conversation(self) -> Conversation:
        """Where the messages of one WebSocket are fed one by one; what they compress themselves is read too."""
        return Conversation(self.frame, lambda text: self._search.whole("text", text))

    def frames(self, frames: Iterable[Frame]) -> tuple[Frame, ...]:
        """All messages of one conversation."""
        frames = tuple(frames)
        if not frames:
            return ()
        conversation = self.conversation()
        return tuple(each for frame in frames for each in conversation.feed(frame)) + tuple(conversation.end())

    def stream(self, content_type: str) -> EventStream:
        """Where an event stream, or JSON line by line, is fed as it comes."""
        ends = divided_by(content_type)
        return EventStream(ends, lambda text: self._search.whole("text", text), self._search.windowed("text"))

    def interaction(self, interaction: Interaction, new_body: Callable[[], BodyStore] | None = None) -> Interaction:
        """All of it: request, response, frames, each knowing the others' secrets."""
        request, response = (
            self._request(interaction.request, new_body),
            self._response(interaction.response, new_body),
        )
        frames = self.frames(interaction.frames)
        if request is not interaction.request or response is not interaction.response or frames:
            interaction = dataclasses.replace(interaction, request=request, response=response, frames=frames)
        return self.settle(interaction)

    def mask(self, text: str) -> str:
        """See Masker.text."""
        return Masker(self.rules).text(text)


def _header(rules: Rules, replacement: Replacement, name: str, value: str) -> tuple[str, tuple[str, ...], bool]:
    """A header's value without what its name tells, the secrets that it teaches, and whether anything may stand encoded
    in what is left of it."""
    taught: list[str] = []
    shown = Text(rules, replacement, taught.append).header(name, value)
    return shown, tuple(taught), may_hold(shown)


class Masker(Redactor):
    """Every secret, and every placeholder, becomes the same constant: a recorded request and a live one with real or
    dummy credentials are then equal. Needs no key, so replay works where no key file is."""

    def __init__(self, rules: Rules = DEFAULT) -> None:
        self.rules = rules
        self._start(rules, Constant())

    def text(self, text: str) -> str:
        """Any text: placeholders, and secrets that a shape gives away, become `secret-*`."""
        return self._inside(self._text.shapes(text))

    def named(self, name: str, value: str) -> str:
        """The value of a query parameter or body field of this name, decoded."""
        lower = name.lower()
        if lower in self.rules.fields or lower in self.rules.queries:
            return CONSTANT if value else ""
        return self.text(value)

    def mask(self, text: str) -> str:
        return self.text(text)
