"""Headers: which of them say something of the API, and what their values mean.

The names are data (`headers.json`). Of the others the presence counts, and of most the value; values with a structure
are compared by what clients read in them: cookies by name and attributes, links by relation, addresses with ids
blanked.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from durable_replay.drift.documents import Node
from durable_replay.drift.dynamic import all_dynamic
from durable_replay.drift.text_formats import format_of, is_mixed
from durable_replay.http import Headers, parse_query
from durable_replay.redaction.placeholders import PLACEHOLDER

__all__ = [
    "HeaderTally",
    "content_type",
    "fields_of",
    "has_another_form",
    "has_passing_value",
    "is_insignificant",
    "is_paging",
    "is_relied_on",
    "meaning",
    "names_another_thing",
    "own_address",
]

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL = re.compile(r";\s*rel\s*=\s*\"?([^\";,]+)\"?", re.IGNORECASE)
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w-]+$")
"""Capitals, small letters and digits: a token."""
_PASSING_PARAMETER = re.compile(r'\b(nonce|opaque|stale|error_uri)\s*=\s*("[^"]*"|[^\s,]+)', re.IGNORECASE)
_REDACTED = re.compile(r"[^\w]*(?:REDACTED|FILTERED|REMOVED|HIDDEN|SECRET)[^\w]*", re.IGNORECASE)
"""Names that another tool has redacted."""
_UNSTABLE_ATTRIBUTES = ("expires", "max-age")
_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')
_OF_ONE_MESSAGE = frozenset({"boundary", "start", "start-info", "name", "filename", "q", "qs"})
"""Parameters of a media type that say nothing of the API."""
_CHARSETS = {"iso8859-1": "iso-8859-1", "ascii": "us-ascii"}
"""Names that people know, for Python's."""
_WITH_ADDRESSES = frozenset({"location", "content-location", "operation-location", "link"})


@dataclass(frozen=True, slots=True)
class _Table:
    insignificant: frozenset[str]
    beginnings: tuple[str, ...]
    endings: tuple[str, ...]
    values: frozenset[str]
    cookies: frozenset[str]
    relied_on: frozenset[str]
    relied_beginnings: tuple[str, ...]
    paging: frozenset[str]


@lru_cache(maxsize=1)
def _table() -> _Table:
    data: dict[str, list[str]] = json.loads(Path(__file__).with_name("headers.json").read_text("utf-8"))
    return _Table(
        frozenset(data["insignificant"]),
        tuple(data["insignificant_beginnings"]),
        tuple(data["insignificant_endings"]),
        frozenset(data["insignificant_values"]),
        frozenset(data["insignificant_cookies"]),
        frozenset(name for name in data["relied_on"] if not name.endswith("*")),
        tuple(name[:-1] for name in data["relied_on"] if name.endswith("*")),
        frozenset(data["paging"]),
    )


@lru_cache(maxsize=4096)
def is_insignificant(name: str) -> bool:
    """Whether a header, by its lower-case name, says nothing of the API."""
    table = _table()
    return name in table.insignificant or name.startswith(table.beginnings) or name.endswith(table.endings)


@lru_cache(maxsize=4096)
def has_passing_value(name: str) -> bool:
    """Whether only the presence of a header counts: an etag's value is of one answer alone."""
    return name in _table().values


@lru_cache(maxsize=4096)
def is_relied_on(name: str) -> bool:
    """Whether clients fail without this header."""
    table = _table()
    return name in table.relied_on or name.startswith(table.relied_beginnings)


def is_paging(name: str) -> bool:
    """Whether a header tells how a listing is cut into pages."""
    return name == "link" or name in _table().paging


def fields_of(headers: Headers) -> dict[str, str]:
    """The headers by lower-case name, those that are repeated joined by a line break."""
    found: dict[str, str] = {}
    for name, value in headers.fields:
        lower = name.lower()
        found[lower] = f"{found[lower]}\n{value}" if lower in found else value
    return found


# -- meaning ----------------------------------------------------------------------------------------------------------


def meaning(name: str, value: str) -> Node:
    """What a header's value says, in a form in which equal meanings are equal."""
    read = _MEANINGS.get(name)
    if read is not None:
        return read(value)
    return value.strip()


@lru_cache(maxsize=256)
def content_type(value: str) -> str:
    """The media type and its parameters, without those of one message alone.

    >>> content_type('Text/CSV; Charset="UTF8"; header=absent'), content_type("application/json;charset=utf-8")
    ('text/csv; charset=utf-8; header=absent', 'application/json')
    """
    media, _, rest = value.partition(";")
    media = media.strip().lower()
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(f";{rest}")} if rest else {}
    if "charset" in found:
        found["charset"] = _charset(found["charset"])
        if found["charset"] == "utf-8" and media.endswith(("/json", "+json")):
            del found["charset"]  # JSON is in UTF-8, and has no such parameter (RFC 8259)
    kept = {} if media.startswith("multipart/") else found
    return "; ".join([media, *(f"{name}={kept[name]}" for name in sorted(kept.keys() - _OF_ONE_MESSAGE))])


def _charset(name: str) -> str:
    """One name for each charset: `utf8` and `UTF-8` are the same."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return name.lower()
    return _CHARSETS.get(known, known)


def own_address(name: str, value: str, origin: str) -> str:
    """A value in which addresses of the host that was asked are without that host: both name the same thing."""
    return value.replace(f"{origin}/", "/") if name in _WITH_ADDRESSES else value


def has_another_form(before: str, after: str) -> bool:
    """Whether one of two values is a number, and the other a time: seconds to wait, and a date to wait for."""
    forms = {format_of(value.strip()).partition(":")[0] for value in (before, after)}
    return forms in ({"integer", "date-time"}, {"number", "date-time"})


def _listed(value: str) -> Node:
    """A set of words: order and case do not count."""
    return ", ".join(sorted({word.strip().lower() for word in value.replace("\n", ",").split(",") if word.strip()}))


def _cookies(value: str) -> Node:
    """By name the attributes, without what is of one moment."""
    ignored = _table().cookies
    cookies: dict[str, Node] = {}
    for line in value.split("\n"):
        pair, *attributes = (part.strip() for part in line.split(";"))
        name = _unredacted(pair.partition("=")[0])
        if name.lower() not in ignored and not name.lower().startswith(("incap_ses", "visid_incap")):
            kept = sorted(_attribute(text) for text in attributes if text)
            cookies[name] = "; ".join(kept)
    return dict(sorted(cookies.items()))


def _unredacted(name: str) -> str:
    return "…" if PLACEHOLDER.fullmatch(name) or _REDACTED.fullmatch(name) else name


def _attribute(text: str) -> str:
    name, equals, value = text.partition("=")
    lower = name.strip().lower()
    return lower if lower in _UNSTABLE_ATTRIBUTES or not equals else f"{lower}={value.strip().lower()}"


def _links(value: str) -> Node:
    """By relation the address, with ids and the query's values blanked."""
    links: dict[str, Node] = {}
    for address, rest in _LINK.findall(value):
        relation = _REL.search(rest)
        for rel in (relation[1] if relation else "").lower().split():
            links[rel] = _address(address)
    return dict(sorted(links.items()))


def _address(value: str) -> Node:
    """An address with ids and the query's values blanked."""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return value.strip()
    steps = ["{}" if step and _is_id(step) else step for step in parts.path.split("/")]
    names = sorted(name for name, _ in parse_query(parts.query))
    query = "?" + "&".join(f"{name}={{}}" for name in names) if names else ""
    host = f"{parts.scheme}://{parts.hostname or ''}" if parts.netloc else ""
    return f"{host}{'/'.join(steps)}{query}"


def names_another_thing(name: str, before: str, after: str) -> bool:
    """Whether two addresses differ in the id of what they name alone: the last step, where one at least looks so."""
    if name not in ("location", "content-location", "operation-location"):
        return False
    (left, _, was), (right, _, now) = (str(_address(value)).rpartition("/") for value in (before, after))
    if left != right or "?" in was or "?" in now:
        return False
    return "{}" in (was, now) or (len(was) == len(now) >= 8 and not (was + now).islower())


def _is_id(step: str) -> bool:
    if all_dynamic([step]) or (len(step) > 8 and sum(letter.isdigit() for letter in step) > 2):
        return True
    return len(step) > 5 and (_MIXED.match(step) is not None or is_mixed(step))


def _schemes(value: str) -> Node:
    """The challenges' schemes, and what else they say, apart."""
    schemes = sorted({line.split(" ", 1)[0].rstrip(",").lower() for line in value.split("\n") if line.strip()})
    return {"scheme": " ".join(schemes), "parameters": " ".join(_PASSING_PARAMETER.sub(r"\1", value).split()[1:])}


def _disposition(value: str) -> Node:
    return value.partition(";")[0].strip().lower()


_MEANINGS: Mapping[str, Callable[[str], Node]] = {
    "content-type": content_type,
    "set-cookie": _cookies,
    "link": _links,
    "location": _address,
    "content-location": _address,
    "operation-location": _address,
    "www-authenticate": _schemes,
    "content-disposition": _disposition,
    "vary": _listed,
    "allow": _listed,
    "cache-control": _listed,
    "access-control-allow-methods": _listed,
    "access-control-allow-headers": _listed,
    "access-control-expose-headers": _listed,
}


# -- counting ---------------------------------------------------------------------------------------------------------


class HeaderTally:
    """How often each header was there, in the answers of one side and status."""

    __slots__ = ("answers", "counts", "first", "number")

    def __init__(self) -> None:
        self.answers = 0
        self.number = 0
        self.counts: dict[str, int] = {}
        self.first: dict[str, tuple[int, str]] = {}

    def see(self, fields: dict[str, str], number: int) -> None:
        """Counts the headers of one answer."""
        if not self.answers or number < self.number:
            self.number = number
        self.answers += 1
        counts, first = self.counts, self.first
        for name in fields:
            seen = counts.get(name)
            if seen is None:
                if len(counts) < 500:
                    counts[name] = 1
                    first[name] = (number, fields[name])
            else:
                counts[name] = seen + 1
                if number < first[name][0]:
                    first[name] = (number, fields[name])
