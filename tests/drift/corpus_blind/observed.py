"""What a reader sees in recorded answers, by path, read with nothing of the comparison that the corpus measures.

A place is `status`, `header.<name>`, `body.$.a[].b` for JSON, its lines and events and the rows of CSV,
`body.$.tag.@attribute` for XML, and `frames.$` for what a WebSocket was told; a key with four digits in it is `{}`.
Other bodies are one text at `body.$`.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.etree import ElementTree

from durable_replay.cassette.store import Cassette
from durable_replay.http import Interaction
from tests.drift.corpus.cases import Case
from tests.drift.corpus.rendering import Tree
from tests.drift.corpus.scoring import Corpus

__all__ = ["Seen", "observed", "verbatim"]

Places: TypeAlias = "Iterator[tuple[str, Tree]]"

_KEY_OF_A_MAP = re.compile(r"\d{4}")
_EVERYWHERE = frozenset({"date", "server", "x-request-id", "content-length"})
_USUAL = _EVERYWHERE | {"transfer-encoding", "content-encoding"}


@dataclass(slots=True)
class Seen:
    """What was seen at one place over several answers."""

    types: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    """Each scalar as text, in the order of the tape."""

    def add(self, value: Tree) -> None:
        holds = isinstance(value, list | dict)
        self.types.add(type(value).__name__)
        self.texts.append("" if holds else str(value))


def observed(corpus: Corpus, *recordings: str) -> dict[str, dict[str, Seen]]:
    """By case and place, what these recordings show together."""
    told: dict[str, dict[str, Seen]] = defaultdict(lambda: defaultdict(Seen))
    for name in recordings:
        with Cassette.open(corpus.cassette(name)) as cassette:
            for each in cassette.interactions():
                places = told[_case(corpus.cases, each).name]
                for place, value in _places(each):
                    places[place].add(value)
    return told


def verbatim(corpus: Corpus, recording: str) -> dict[str, list[str]]:
    """By case, each answer as it came, without what varies in every answer of the service."""
    told: dict[str, list[str]] = defaultdict(list)
    with Cassette.open(corpus.cassette(recording)) as cassette:
        for each in cassette.interactions():
            answer = each.response
            fields = [(name, value) for name, value in answer.headers if name.lower() not in _EVERYWHERE]
            frames = [frame.data for frame in each.frames]
            told[_case(corpus.cases, each).name].append(repr((answer.status, fields, answer.body.read(), frames)))
    return told


def _case(cases: tuple[Case, ...], interaction: Interaction) -> Case:
    request = interaction.request
    method = "WS" if request.scheme in ("ws", "wss") else request.method
    return next(case for case in cases if case.serves(method, request.target))


def _places(interaction: Interaction) -> Places:
    answer = interaction.response
    yield "status", answer.status
    headers = [(name.lower(), value) for name, value in answer.headers]
    yield from ((f"header.{name}", value) for name, value in headers if name not in _USUAL)
    for frame in interaction.frames:
        if frame.kind == "text" and not frame.from_client:
            yield from _of_tree("frames.$", json.loads(frame.data))
    data = answer.body.read()
    if data:
        zipped = ("content-encoding", "gzip") in headers
        yield from _of_body(dict(headers)["content-type"], gzip.decompress(data) if zipped else data)


def _of_body(media: str, data: bytes) -> Places:
    text = data.decode("iso-8859-1" if "8859" in media else "utf-8", "replace")
    if "ndjson" in media:
        for line in text.splitlines():
            yield from _of_tree("body.$[]", json.loads(line))
    elif "event-stream" in media:
        for line in text.splitlines():
            if line.startswith("data: "):
                yield from _of_tree("body.$[]", json.loads(line.removeprefix("data: ")))
    elif "csv" in media:
        for row in csv.DictReader(text.splitlines()):
            yield from _of_tree("body.$[]", dict(row))
    elif "json" in media:
        yield from _of_tree("body.$", json.loads(text))
    elif "xml" in media:
        root = ElementTree.fromstring(text)
        yield from _of_element(f"body.$.{root.tag}", root)
    else:
        yield "body.$", text


def _of_tree(path: str, tree: Tree) -> Places:
    yield path, tree
    if isinstance(tree, list):
        for each in tree:
            yield from _of_tree(f"{path}[]", each)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _of_tree(f"{path}{{}}" if _KEY_OF_A_MAP.search(key) else f"{path}.{key}", value)


def _of_element(path: str, element: ElementTree.Element) -> Places:
    yield path, (element.text or "").strip()
    yield from ((f"{path}.@{name}", value) for name, value in element.attrib.items())
    for child in element:
        member = child.findtext("name") if child.tag == "member" else None  # a field of XML-RPC's struct
        yield from _of_element(f"{path}.{member or child.tag}", child)
