"""Where a request has parts that an answer may have named, and where an answer shows values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from durable_replay.drift.documents import document
from durable_replay.drift.documents.form import Node
from durable_replay.http import Headers, Request, Response

__all__ = ["URL", "Part", "Path", "Place", "cookies", "parts", "shown"]

READ = 8 * 1024 * 1024
"""Bytes of a body in which values are looked for."""
URL = ":url"
_LONG = 400
_CURSOR = re.compile(r"next|cursor|token|marker|continu|scroll|bookmark|^after$|deltalink")
_ID = re.compile(r"(?:^|[_-])(?:id|ids|gid|uuid|guid|key|sha|ref|etag)$|[a-z](?:Id|ID|Gid|Key|Uuid)$")
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


def parts(request: Request) -> Iterator[tuple[Part, str]]:
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
    for name, value in cookies(request.headers):
        yield ("cookie", name), value
    if 0 < request.body.size <= READ:
        shown = document(request.headers, request.body)
        if shown.form in ("json", "form"):
            yield from ((("body", *path), value) for path, value in _scalars(shown.root))


def cookies(headers: Headers) -> Iterator[tuple[str, str]]:
    for pair in "; ".join(headers.get_all("cookie")).split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals and value:
            yield name, value


def shown(request: Request, response: Response) -> Iterator[tuple[Place, str]]:
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
