"""A row's address, and the table that finds the row for a request.

::

    GET    /api/1.0/tasks/{task}                  a segment
    PUT    /{Bucket}/{Key:path}                   the rest of the path, slashes included
    GET    /rest/api/{api:2|3|latest}/myself      one of these words
    GET    /{Bucket}?list-type=2                  a query parameter with this value
    PUT    /{Bucket}/{Key:path}?partNumber={PartNumber}&uploadId={UploadId}   query parameters bound to names
    GET    /{Bucket}?location                     a query parameter that is there, whatever its value
    PUT    /{Bucket}/{Key:path} +x-amz-copy-source   a header that is there
    one.vm.allocate(session, template, hold)      a remote procedure; positions get names

# Rule: the more a row asks for, the earlier it is tried; two rows that ask for as much and match one request are an
# error when the service is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote, unquote

from durable_replay.errors import BadService
from durable_replay.http import Headers, parse_query

__all__ = ["Address", "Procedure", "Table", "may_meet", "parse_address"]

Row = TypeVar("Row")
_SEGMENT = re.compile(r"\{(?P<name>\w+)(?::(?P<form>[^}]+))?\}")
_PROCEDURE = re.compile(r"(?P<name>[\w.:/-]+)\((?P<positions>[^)]*)\)")
_HTTP = re.compile(r"(?P<method>[A-Z]+)\s+(?P<path>/\S*?)(?:\?(?P<query>\S+))?(?P<headers>(?:\s+\+[\w-]+)*)")


@dataclass(frozen=True, slots=True)
class Procedure:
    """`name(position, position)`: a procedure call or a frame."""

    name: str
    positions: tuple[str, ...]

    def bind(self, arguments: Sequence[object]) -> dict[str, object]:
        """Positions by name; those that the caller left out are absent, those too many are ignored."""
        return dict(zip(self.positions, arguments, strict=False))


@dataclass(frozen=True, slots=True)
class Address:
    """`METHOD /path?query +header`, taken apart."""

    text: str
    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str | None], ...]
    """A value of None: any; a value of `{name}`: bound to that name."""
    headers: tuple[str, ...]

    def matches(self, query: Mapping[str, str], headers: Headers) -> bool:
        """Whether query and headers have what this row asks for; the path was looked at before."""
        asked = all(
            name in query and (value is None or value.startswith("{") or query[name] == value)
            for name, value in self.query
        )
        return asked and all(name in headers for name in self.headers)

    def bound(self, query: Mapping[str, str]) -> dict[str, str]:
        """The query parameters that the row gives a name."""
        return {value[1:-1]: query[name] for name, value in self.query if value and value.startswith("{")}

    def format(self, params: Mapping[str, str]) -> str:
        """The target that this address has for these parameters; the reverse of finding."""
        parts = [_fill(segment, params) for segment in self.segments]
        pairs = []
        for name, value in self.query:
            filled = params[value[1:-1]] if value and value.startswith("{") else value
            pairs.append(quote(name, safe="") + ("" if filled is None else "=" + quote(filled, safe="")))
        return "/" + "/".join(parts) + ("?" + "&".join(pairs) if pairs else "")

    @property
    def weight(self) -> int:
        """How much the row asks of query and headers."""
        exact = sum(value is not None and not value.startswith("{") for _, value in self.query)
        return 2 * len(self.query) + exact + 2 * len(self.headers)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that a request's params have for certain."""
        path = [found["name"] for segment in self.segments if (found := _SEGMENT.fullmatch(segment))]
        return (*path, *(value[1:-1] for _, value in self.query if value and value.startswith("{")))


def _fill(segment: str, params: Mapping[str, str]) -> str:
    found = _SEGMENT.fullmatch(segment)
    if not found:
        return segment
    return quote(params[found["name"]], safe="/" if found["form"] == "path" else "")


def parse_address(text: str) -> Address | Procedure:
    """Reads a row's address; raises BadService with the text that is wrong."""
    line = " ".join(text.split())
    if found := _HTTP.fullmatch(line):
        query = tuple(
            (name, value if equals else None)
            for name, equals, value in (part.partition("=") for part in (found["query"] or "").split("&") if part)
        )
        headers = tuple(word[1:].lower() for word in found["headers"].split())
        segments = tuple(found["path"][1:].split("/"))
        for segment in segments:
            if ("{" in segment or "}" in segment) and not _SEGMENT.fullmatch(segment):
                raise BadService(f"{text!r}: the segment {segment!r} is not one whole {{name}}")
        return Address(text, found["method"], segments, query, headers)
    if found := _PROCEDURE.fullmatch(line):
        return Procedure(found["name"], tuple(word.strip() for word in found["positions"].split(",") if word.strip()))
    raise BadService(f"{text!r} is no address: write `GET /path/{{name}}` or `name(position, position)`")


@dataclass(slots=True)
class _Node(Generic[Row]):
    literal: dict[str, _Node[Row]] = field(default_factory=dict)
    words: dict[str, tuple[frozenset[str], _Node[Row]]] = field(default_factory=dict)
    any: _Node[Row] | None = None
    rest: list[tuple[Address, Row]] = field(default_factory=list)
    rows: list[tuple[Address, Row]] = field(default_factory=list)


class Table(Generic[Row]):
    """The rows of a service by address: a tree over path segments, and a dictionary of procedures."""

    def __init__(self, rows: Iterable[tuple[str, Row]]) -> None:
        self._roots: dict[str, _Node[Row]] = {}
        self._procedures: dict[str, tuple[Procedure, Row]] = {}
        self.addresses: list[tuple[Address | Procedure, Row]] = []
        for text, row in rows:
            address = parse_address(text)
            self.addresses.append((address, row))
            if isinstance(address, Procedure):
                if address.name in self._procedures:
                    raise BadService(f"two rows for the procedure {address.name!r}")
                self._procedures[address.name] = (address, row)
            else:
                self._insert(address, row)

    def _insert(self, address: Address, row: Row) -> None:
        node = self._roots.setdefault(address.method, _Node())
        for segment in address.segments:
            found = _SEGMENT.fullmatch(segment)
            if found and found["form"] == "path":
                _place(node.rest, address, row)
                return
            if found and found["form"]:
                node = node.words.setdefault(found["form"], (frozenset(found["form"].split("|")), _Node()))[1]
            elif found:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        _place(node.rows, address, row)

    def find(self, method: str, target: str, headers: Headers) -> tuple[Address, Row, dict[str, str]] | None:
        """The row for a request, with its parameters decoded; None: no row."""
        root = self._roots.get(method)
        if root is None:
            return None
        path, _, query_string = target.partition("?")
        query = dict(reversed(parse_query(query_string))) if query_string else {}
        segments = path[1:].split("/")
        for node_rows in _walk(root, segments, 0):
            for address, row in node_rows:
                if address.matches(query, headers):
                    return address, row, _params(address, segments) | address.bound(query)
        return None

    def procedure(self, name: str) -> tuple[Procedure, Row] | None:
        """The row of a procedure."""
        return self._procedures.get(name)


def _place(rows: list[tuple[Address, Row]], address: Address, row: Row) -> None:
    for other, _ in rows:
        if other.weight == address.weight and may_meet(other, address):
            raise BadService(f"{address.text!r} and {other.text!r} match the same request")
    rows.append((address, row))
    rows.sort(key=lambda pair: -pair[0].weight)


def may_meet(one: Address, other: Address) -> bool:
    """Whether rows of one place and weight are told apart by nothing: same query names and headers, no two values."""
    if {name for name, _ in one.query} != {name for name, _ in other.query} or set(one.headers) != set(other.headers):
        return False
    values = dict(other.query)
    return all(
        value is None or values[name] is None or value == values[name] or "{" in value + str(values[name])
        for name, value in one.query
    )


def _walk(node: _Node[Row], segments: list[str], at: int) -> Iterable[list[tuple[Address, Row]]]:
    """The lists of rows whose path fits, the most literal first."""
    if at == len(segments):
        if node.rows:
            yield node.rows
        return
    segment = segments[at]
    if segment in node.literal:
        yield from _walk(node.literal[segment], segments, at + 1)
    for words, below in node.words.values():
        if segment in words:
            yield from _walk(below, segments, at + 1)
    if node.any and segment:
        yield from _walk(node.any, segments, at + 1)
    if node.rest and (len(segments) > at + 1 or segment):
        yield node.rest


def _params(address: Address, segments: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for index, pattern in enumerate(address.segments):
        if found := _SEGMENT.fullmatch(pattern):
            raw = "/".join(segments[index:]) if found["form"] == "path" else segments[index]
            params[found["name"]] = unquote(raw)
    return params
