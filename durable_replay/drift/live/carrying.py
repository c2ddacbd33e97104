"""Values that an earlier answer named, carried from its live answer into the requests that used them.

A client takes the cursor of the next page, the id of a thing, an entity tag out of one answer and puts it into its next
request. Where a part of a recorded request is what an earlier recorded answer showed, and the live answer shows another
value at the same place, the live request gets that. A cursor that the live answer lacks means: no such page any more.
"""

# Rule: a short or common value proves nothing. It is carried when its place says that it is a cursor or a link, or when
# one place alone has shown it under a name of ids.

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from durable_replay.drift.documents import document
from durable_replay.drift.documents.form import Node
from durable_replay.drift.formats import format_of
from durable_replay.drift.live.selecting import Step
from durable_replay.drift.sources import Side
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.redaction.placeholders import is_placeholder

__all__ = ["Carry", "Found", "Gone", "Place", "carried", "carries", "found_at"]

READ = 8 * 1024 * 1024
"""Bytes of a body in which values are looked for."""
URL = ":url"
_SHOWN = 200_000
_LONG = 400
_CURSOR = re.compile(r"next|cursor|token|marker|continu|scroll|bookmark|^after$|deltalink")
_ID = re.compile(r"(?:^|[_-])(?:id|ids|gid|uuid|guid|key|sha|ref|etag)$|[a-z](?:Id|ID|Gid|Key|Uuid)$")
_OPAQUE = re.compile(r"(?=.*\d)[\w.~+/=:!-]{12,}")
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_REL = re.compile(r'rel\s*=\s*"?([^";,]+)')
_CARRIED_HEADERS = ("if-none-match", "if-match", "if-modified-since", "if-unmodified-since", "if-range")
_SHOWING_HEADERS = ("etag", "last-modified", "location")

Path: TypeAlias = tuple[str | int, ...]
Part: TypeAlias = tuple[str | int, ...]
"""A part of a request: ("target",), ("query", 2), ("path", 1), ("header", "if-match"), ("cookie", "sid"), or
("body", …) with the path of a field."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an answer; `within` is URL for the link that stands there, made absolute, or names its parameter."""

    kind: Literal["body", "link", "header", "cookie"]
    path: Path
    within: str = ""

    @property
    def is_cursor(self) -> bool:
        """Whether what stands here leads on: without it there is no further page."""
        if self.kind == "link":
            return self.path[0] == "next"
        names = [step.lower() for step in self.path if isinstance(step, str)]
        return self.kind == "body" and bool(names) and any(_CURSOR.search(name) for name in names[-2:])

    @property
    def is_id(self) -> bool:
        names = [step for step in self.path if isinstance(step, str)]
        return self.kind == "body" and bool(names) and _ID.search(names[-1]) is not None

    @property
    def rank(self) -> int:
        """How much it counts beside another place of the same value; of what leads on, the latest counts."""
        return 2 if self.is_cursor else 1 if self.within or self.kind != "body" else 0

    @property
    def general(self) -> tuple[object, ...]:
        """The same for all elements of a list."""
        return (self.kind, self.within, *("[]" if isinstance(step, int) else step for step in self.path))


@dataclass(frozen=True, slots=True)
class Carry:
    """A part of a step's request that the answer to `source` (a step's number) showed at `place` as `recorded`."""

    part: Part
    source: int
    place: Place
    recorded: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a live answer has at a place: None where it has nothing. `still`: the recorded value is among its like."""

    value: str | None
    still: bool = False


class Gone(Exception):
    """The live answer names no such page any more."""


# -- the tape: which request got what from where ----------------------------------------------------------------------


@dataclass(slots=True)
class _Source:
    number: int
    host: str
    path: str
    place: Place
    ambiguous: bool = False


@dataclass(slots=True)
class _Showings:
    """Where values were shown first; a cursor's or link's latest showing counts, for it leads to the next page."""

    wanted: frozenset[int]
    by_value: dict[str, _Source] = field(default_factory=dict)

    def add(self, source: _Source, value: str) -> None:
        if hash(value) not in self.wanted:
            return
        known = self.by_value.get(value)
        if known is None:
            if len(self.by_value) < _SHOWN:
                self.by_value[value] = source
        elif source.place.rank and source.place.rank >= known.place.rank:
            self.by_value[value] = source
        elif known.place.general != source.place.general:
            known.ambiguous = True

    def source(self, part: Part, value: str, request: Request) -> _Source | None:
        """Where a part of a request has its value from; None: from nowhere that is known."""
        source = self.by_value.get(value)
        if source is None or not _fits(part, source.place, request):
            return None
        place, hidden = source.place, is_placeholder(value)
        if source.host != request.host and hidden:
            return None  # one host's secrets are not told to another
        if place.within == URL or hidden or place.kind in ("header", "cookie"):
            return source
        if place.is_cursor and source.path == request.path:
            return source
        if _OPAQUE.fullmatch(value):
            return None if format_of(value).startswith("date") else source
        return source if place.is_id and not source.ambiguous else None


def carries(side: Side, steps: Iterable[Step]) -> dict[int, tuple[Carry, ...]]:
    """What each step carries, by its number; reads the steps' interactions twice. Raises CassetteError."""
    numbers = [step.number for step in steps]
    wanted = {hash(value) for number in numbers for _, value in _parts(side.interaction(number).request)}
    showings = _Showings(frozenset(wanted))
    found: dict[int, tuple[Carry, ...]] = {}
    for number in numbers:
        interaction = side.interaction(number)
        here = tuple(_carries_of(interaction, showings))
        if here:
            found[number] = here
        request = interaction.request
        for place, value in _shown(request, interaction.response):
            showings.add(_Source(number, request.host, request.path, place), value)
    return found


def _carries_of(interaction: Interaction, showings: _Showings) -> Iterator[Carry]:
    request = interaction.request
    whole = False
    for part, value in _parts(request):
        if whole and part[0] in ("path", "query"):
            continue
        source = showings.source(part, value, request)
        if source is None:
            continue
        whole = whole or part == ("target",)
        yield Carry(part, source.number, source.place, value)


def _fits(part: Part, place: Place, request: Request) -> bool:
    """Links are whole targets, entity tags go into conditions, cookies into cookies, and all else nowhere there."""
    kinds = {part[0], place.kind}
    if place.within == URL or part == ("target",):
        return place.within == URL and part == ("target",)
    if "cookie" in kinds:
        return kinds == {"cookie"}
    if "header" in kinds:
        return kinds == {"header"} or (part[0] == "header" and place.is_id)
    if place.within:
        return part[0] == "query" and request.query[int(part[1])][0] == place.within
    return True


def _parts(request: Request) -> Iterator[tuple[Part, str]]:
    """The parts of a request that could have come from an answer, the whole before its pieces."""
    yield ("target",), request.url
    for at, (_, value) in enumerate(request.query):
        if value and len(value) <= _LONG * 10:
            yield ("query", at), value
    for at, segment in enumerate(request.path.split("/")):
        if segment:
            yield ("path", at), unquote(segment)
    for name in _CARRIED_HEADERS:
        if value := request.headers.get(name):
            yield ("header", name), value
    for name, value in _cookies(request.headers):
        yield ("cookie", name), value
    if 0 < request.body.size <= READ:
        shown = document(request.headers, request.body)
        if shown.form in ("json", "form"):
            yield from ((("body", *path), value) for path, value in _scalars(shown.root))


def _cookies(headers: Headers) -> Iterator[tuple[str, str]]:
    for pair in "; ".join(headers.get_all("cookie")).split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals and value:
            yield name, value


def _shown(request: Request, response: Response) -> Iterator[tuple[Place, str]]:
    """Every value of an answer with its place; links as absolute URLs, and their parameters one by one."""
    for rel, url in _links(response.headers):
        yield from _of_link(Place("link", (rel,)), urljoin(request.url, url))
    for name in _SHOWING_HEADERS:
        if value := response.headers.get(name):
            place = Place("header", (name,))
            yield from _of_link(place, urljoin(request.url, value)) if name == "location" else ((place, value),)
    for name, value in _set_cookies(response.headers):
        yield Place("cookie", (name,)), value
    if 0 < response.body.size <= READ:
        for path, value in _scalars(document(response.headers, response.body).root):
            yield Place("body", path), value
            if value[:1] in "/?" or value.startswith(("http://", "https://")):
                yield from _of_link(Place("body", path), _joined(request.url, value))


def _of_link(place: Place, url: str) -> Iterator[tuple[Place, str]]:
    yield replace(place, within=URL), url
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=100)
    except ValueError:
        return
    yield from ((replace(place, within=name), value) for name, value in pairs if place.is_cursor)


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _links(headers: Headers) -> Iterator[tuple[str, str]]:
    for field_ in headers.get_all("link"):
        for url, parameters in _LINK.findall(field_[:16384]):
            if rel := _REL.search(parameters):
                yield rel[1].strip().lower(), url


def _set_cookies(headers: Headers) -> Iterator[tuple[str, str]]:
    for text in headers.get_all("set-cookie"):
        name, equals, value = text.partition(";")[0].partition("=")
        if equals and value.strip():
            yield name.strip(), value.strip()


def _scalars(root: Node, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(root, dict):
        for name, value in root.items():
            yield from _scalars(value, (*path, name))
    elif isinstance(root, list):
        for at, value in enumerate(root):
            yield from _scalars(value, (*path, at))
    elif (text := _text(root)) is not None and len(text) <= _LONG * 10:
        yield path, text


def _text(value: Node) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


# -- live: what an answer has, and the request that gets it -----------------------------------------------------------


def found_at(request: Request, response: Response, wanted: Iterable[Carry]) -> dict[Place, Found]:
    """What an answer has at the places from which later steps carry."""
    recorded = {carry.place: carry.recorded for carry in wanted}
    general: dict[tuple[object, ...], list[Place]] = {}
    for place in recorded:
        general.setdefault(place.general, []).append(place)
    values: dict[Place, str] = {}
    still: set[Place] = set()
    for place, value in _shown(request, response):
        for like in general.get(place.general, ()):
            if like == place:
                values[place] = value
            if value == recorded[like]:
                still.add(like)
    return {place: Found(values.get(place), place in still) for place in recorded}


def carried(request: Request, carries_: Iterable[Carry], found: Mapping[tuple[int, Place], Found]) -> Request:
    """The request with the live values. Raises Gone where a cursor is no more."""
    for carry in carries_:
        live = found.get((carry.source, carry.place), Found(None))
        if live.value is None:
            if carry.place.is_cursor:
                raise Gone
            continue
        if live.value == carry.recorded or (live.still and not carry.place.is_cursor):
            continue
        request = _with(request, carry.part, live.value)
    return request


def _with(request: Request, part: Part, value: str) -> Request:
    match part:
        case ("target",):
            return replace(request, target=_target(value) or request.target)
        case ("query", int(at)):
            return replace(request, target=f"{request.path}?{_query_with(request.query_string, at, value)}")
        case ("path", int(at)):
            return replace(request, target=_path_with(request, at, value))
        case ("header", str(name)):
            return replace(request, headers=_header_with(request.headers, name, value))
        case ("cookie", str(name)):
            pairs = [(one, value if one == name else old) for one, old in _cookies(request.headers)]
            text = "; ".join(f"{one}={old}" for one, old in pairs)
            return replace(request, headers=_header_with(request.headers, "cookie", text))
        case ("body", *path):
            return _body_with(request, tuple(path), value)
        case _:
            return request


def _header_with(headers: Headers, name: str, value: str) -> Headers:
    if any(sign in value for sign in "\r\n\0"):
        return headers
    return headers.with_((name, value.encode("latin-1", "replace").decode("latin-1")))


def _target(url: str) -> str:
    """Path and query of a link; where it points to is not asked, for only hosts of the tape are."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe="/?%!$&'()*+,;=:@~-._[]|")


def _query_with(query: str, at: int, value: str) -> str:
    pairs = [pair for pair in query.split("&") if pair]
    name = pairs[at].partition("=")[0]
    pairs[at] = f"{name}={quote(value, safe='-_.~')}"
    return "&".join(pairs)


def _path_with(request: Request, at: int, value: str) -> str:
    if value in (".", ".."):
        return request.target
    segments = request.path.split("/")
    segments[at] = quote(value, safe="-_.~!$&'()*+,;=:@")
    path = "/".join(segments)
    return f"{path}?{request.query_string}" if "?" in request.target else path


def _body_with(request: Request, path: Path, value: str) -> Request:
    shown = document(request.headers, request.body)
    if shown.form == "json":
        root = json.loads(request.body.read())
        data = json.dumps(_put(root, path, value), ensure_ascii=False, separators=(",", ":")).encode()
    elif len(path) == 1:
        pairs = parse_qsl(request.body.read().decode("utf-8", "replace"), keep_blank_values=True)
        data = urlencode([(name, value if name == path[0] else old) for name, old in pairs]).encode()
    else:
        return request
    return replace(request, body=BytesBody(data))


def _put(root: Node, path: Path, value: str) -> Node:
    """The document with another value at a path; a number stays one."""
    if not path:
        is_number = isinstance(root, int | float) and value.lstrip("-").isdecimal()
        return int(value) if is_number else value
    step, *rest = path
    if isinstance(root, dict) and isinstance(step, str) and step in root:
        return {**root, step: _put(root[step], tuple(rest), value)}
    if isinstance(root, list) and isinstance(step, int) and step < len(root):
        return [*root[:step], _put(root[step], tuple(rest), value), *root[step + 1 :]]
    return root
