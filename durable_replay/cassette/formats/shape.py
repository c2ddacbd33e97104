"""What a file's first part tells of its structure: paths of keys, of a document that is cut off at any place.

Sniffing alone uses this; readers parse. No parser reads a JSON text that is cut off, hence the tokens here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import yaml

__all__ = ["Shape", "shape_of"]

_DEPTH = 6
_STEPS = 600
_ELEMENTS = 1
"""Entries that are looked into: one tells the format."""
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}\[\]:,])|([^\s{}\[\]:,"]+)', re.DOTALL)
_BESIDE = 4096
_ENTRIES = re.compile(r"^(?:---\n)?(?:[a-z_]+: [^\n]*\n)*(http_interactions|interactions):\n( *)- ")
"""What the YAML of vcrpy, go-vcr and Ruby VCR begins with."""
_REQUEST = re.compile(r"^( +|- +)request:\n( +)\S.*\n(?:(?:\2.*)?\n)*", re.MULTILINE)
"""A request, with the column of what it holds."""
_ALONE = re.compile(r"(?:#[^\n]*\n)*(?:---\n)?request:\n( +)[a-z].*\n(?:\1.*\n)*?\1uri:[^\n]*\n(?:\1.*\n)*response:\n")
"""One request and its response, which CumulusCI keeps in a file of its own."""
_LOG = re.compile(r'\s*\{\s*"log":\s*\{\s*(?:"\w+":\s*"[^"\\]*",\s*)*"(creator|entries)":')
"""What a HAR file begins with."""
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """`paths` maps a path of keys (`[]` for any element) to the scalar there, or to None for a container."""

    kind: Literal["json", "yaml", "binary"]
    paths: Mapping[Path, str | None]


def shape_of(head: bytes) -> Shape:
    """The shape of what a file begins with; never fails."""
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < 1024 else "ignore")
    except UnicodeDecodeError:
        return Shape("binary", {})
    if "\0" in text:
        return Shape("binary", {})
    log = _LOG.match(text)
    if log is not None:
        return Shape("json", {("log",): None, ("log", log[1]): None})
    if text.lstrip()[:1] in ("{", "["):
        return Shape("json", _gathered(_json_steps(text)))
    paths = _as_recorded(text) or _gathered(_yaml_steps(text))
    return Shape("yaml" if any(paths) else "binary", paths)


def _as_recorded(text: str) -> dict[Path, str | None]:
    """The paths that tell a recorder's YAML; none where libyaml must be asked, which takes several times as long."""
    start = _ENTRIES.search(text, 0, _BESIDE)
    if start is None:
        alone = _ALONE.match(text, 0, _BESIDE)
        return {("request",): None, ("request", "uri"): "", ("response",): None} if alone else {}
    name = start[1]
    paths: dict[Path, str | None] = {(name,): None}
    if name == "http_interactions":
        return paths
    end = text.find("\n" + start[2] + "- ", start.end())
    request = _REQUEST.search(text, start.end(2), end if end >= 0 else len(text))
    if request is None or len(request[1]) != len(start[2]) + 2:
        return {}
    for key in re.findall(rf"^{request[2]}(ur[il]):", request[0], re.MULTILINE):
        paths[name, "[]", "request", key] = None
    return paths if len(paths) > 1 else {}


def _gathered(steps: Iterator[tuple[Path, str | None]]) -> dict[Path, str | None]:
    found: dict[Path, str | None] = {}
    for path, scalar in islice(steps, _STEPS):
        if len(path) <= _DEPTH and found.get(path) is None:
            found[path] = scalar
    return found


class _Stack:
    """Where in the document a reader is."""

    def __init__(self) -> None:
        self._outer: list[tuple[Path, str | None]] = []
        self._here: Path = ()
        """The innermost container that is open."""
        self._key: str | None = None
        """The key in it that is being filled; None where the next scalar is a key."""

    def path(self) -> Path:
        return self._here if self._key is None else (*self._here, self._key)

    def opened(self, listed: bool) -> Path:
        path = self.path()
        self._outer.append((self._here, self._key))
        self._here, self._key = path, "[]" if listed else None
        return path

    def closed(self) -> None:
        if self._outer:
            self._here, self._key = self._outer.pop()
        self.filled()

    def scalar(self, text: str) -> Path | None:
        """The path that this scalar stands at; None when it is a key."""
        if self._outer and self._key is None:
            self._key = text
            return None
        path = self.path()
        self.filled()
        return path

    def filled(self) -> None:
        if self._outer and self._key != "[]":
            self._key = None


def _json_steps(text: str) -> Iterator[tuple[Path, str | None]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _cut_steps(text)
    return _whole_steps(whole)


def _whole_steps(whole: object) -> Iterator[tuple[Path, str | None]]:
    """Breadth is looked at before depth, so that no long first element hides what stands beside it."""
    waiting: list[tuple[object, Path]] = [(whole, ())]
    while waiting:
        value, path = waiting.pop()
        pairs: list[tuple[str, object]] = []
        if isinstance(value, dict):
            pairs = list(value.items())
        elif isinstance(value, list):
            pairs = [("[]", each) for each in value[:3]]
        inner: list[tuple[object, Path]] = []
        for key, each in pairs:
            at = (*path, key)
            if isinstance(each, dict | list):
                yield at, None
                if len(at) <= _DEPTH:
                    inner.append((each, at))
            else:
                yield at, _written(each)
        waiting += reversed(inner)


def _written(scalar: object) -> str:
    return "null" if scalar is None else str(scalar)


def _cut_steps(text: str) -> Iterator[tuple[Path, str | None]]:
    stack = _Stack()
    for match in _TOKEN.finditer(text):
        quoted, mark, bare = match.groups()
        if mark in ("{", "["):
            yield stack.opened(mark == "["), None
        elif mark in ("}", "]"):
            stack.closed()
        elif mark is None:
            path = stack.scalar(quoted if quoted is not None else bare)
            if path is not None:
                yield path, quoted if quoted is not None else bare


def _yaml_steps(text: str) -> Iterator[tuple[Path, str | None]]:
    stack, elements = _Stack(), 0
    try:
        parser = yaml.CSafeLoader(text)
        while (event := parser.get_event()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent or kind is yaml.AliasEvent:
                scalar = event.value if isinstance(event, yaml.ScalarEvent) else ""
                place = stack.scalar(scalar)
                if place is not None:
                    yield place, scalar
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                path = stack.opened(kind is yaml.SequenceStartEvent)
                if path[-1:] == ("[]",) and len(path) <= 2:
                    elements += 1
                    if elements > _ELEMENTS:
                        return
                yield path, None
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                stack.closed()
    except (yaml.YAMLError, UnicodeError):
        return  # cut off, or broken: the reader says so
