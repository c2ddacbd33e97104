"""What differs between two recordings of the same traffic.

# Rule: what is hidden is hidden by reference where it can be: the same id, cookie or UUID keeps one name all over a
# tape, so that a request which uses another one than before still shows in a diff.

Times are hidden when they are those of the recording itself, from an hour before it to a day after it: a due date in
another year is data, and stays. An id is hidden when the tape made it: an answer to a recorded write was its first
sight. The names of headers, fields and parameters are in volatile.json.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files

from durable_replay.redaction.placeholders import PLACEHOLDER

__all__ = ["HIDDEN", "Names", "Volatile", "names", "only_text_of_fields"]

HIDDEN = "‹…›"
_HOUR, _DAY = 3600.0, 86400.0
# Each begins with a set of characters, which the regular expression engine looks for faster than for anything else;
# what may not stand before it is looked at after that.
_SECRET_WORDS = ("secret-", "c2VjcmV0L", "REDACTED")
_UUID = re.compile(r"[0-9a-fA-F](?<![\w-].)[0-9a-fA-F]{7}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?!\w)")
_TIME = re.compile(
    r"\d(?<![\w-].)(?:"
    r"(?P<date>\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?|\d{7}T\d{6}Z)"
    r"|(?P<epoch>\d{9}(?:\d{3})?(?:\.\d+)?))(?!\w)"
)
_HTTP_DATE = re.compile(r"[FMSTW][a-z]{2}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT")
_TOKEN = re.compile(r"(?<![\w-])[\w-]*\d[\w-]*(?![\w-])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """The lists of volatile.json; header names are lower case."""

    headers: frozenset[str]
    body_headers: frozenset[str]
    fields: re.Pattern[str]
    """Finds `"name": value` of laid out JSON and `<name>value</name>`."""
    query: re.Pattern[str]
    ids: re.Pattern[str]
    """Finds the ids at the top of an indented answer, `id`."""


@cache
def names() -> Names:
    """Read once."""
    found: dict[str, list[str]] = json.loads(files(__package__).joinpath("volatile.json").read_text("utf-8"))
    fields, query, ids = ("|".join(map(re.escape, found[name])) for name in ("fields", "query", "ids"))
    value = r'"(?:[^"\\\n]|\\.)*"|[-\w.+]+'
    return Names(
        frozenset(found["headers"]),
        frozenset(found["body_headers"]),
        re.compile(rf'(?P<json>"(?:{fields})": )(?:{value})|(?P<xml><(?:{fields})>)[^<\n]*(?=</)'),
        re.compile(rf"(?P<name>[?&](?:{query}))=[^&\s]*"),
        re.compile(rf'(?m)^(?:  |  "data": \{{\n    )"(?:{ids})": "?(?P<id>[\w-]+)"?,?$|<(?:{ids})>(?P<xml>[\w.-]+)</'),
    )


def only_text_of_fields(text: str) -> str:
    """The text without the values of fields and parameters that are volatile by name."""
    known = names()
    text = known.fields.sub(lambda match: f"{match['json'] or match['xml']}{HIDDEN}", text)
    return known.query.sub(lambda match: f"{match['name']}={HIDDEN}", text)


class Volatile:
    """The volatile parts of one tape, numbered as they come."""

    def __init__(self) -> None:
        self._from = self._to = 0.0
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._made = False

    def at(self, started: float) -> None:
        """Go on to an interaction that began then, in seconds since the epoch; 0: nobody knows when.

        A day without any parts one recording from the next.
        """
        if not started:
            self._from = self._to = 0.0
            return
        if not self._from <= started <= self._to:
            self._from = started - _HOUR
        self._to = started + _DAY

    def made(self, answer: str) -> None:
        """Learn the ids at the top of an indented answer to a write."""
        for match in names().ids.finditer(answer):
            found = match["id"] or match["xml"]
            if len(found) > 3 or ("-" in found and re.search(r"\d", found)):
                self._made = bool(self._name("id", found))

    def _name(self, kind: str, value: str) -> str:
        if value not in self._known:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._known[value] = f"‹{kind} {self._counts[kind]}›"
        return self._known[value]

    def settled(self, text: str) -> str:
        """The text with what is volatile by its shape, or known to be made on this tape, replaced."""
        if any(word in text for word in _SECRET_WORDS):
            text = PLACEHOLDER.sub(lambda match: self._name("secret", match[0]), text)
        text = _UUID.sub(lambda match: self._name("uuid", match[0].lower()), text)
        if self._to:
            text = _TIME.sub(self._time, text)
            if " GMT" in text:
                text = _HTTP_DATE.sub(self._time, text)
        return _TOKEN.sub(lambda match: self._known.get(match[0], match[0]), text) if self._made else text

    def _time(self, match: re.Match[str]) -> str:
        text = match[0]
        at = _epoch(text) if match.re is _TIME and match["epoch"] else _date(text)
        return "‹time›" if at is not None and self._from <= at <= self._to else text


def _epoch(text: str) -> float:
    whole = text.partition(".")[0]
    return float(text) / (1000 if len(whole) == 13 else 1)


def _date(text: str) -> float | None:
    """Seconds since the epoch; a date alone is its noon. None: no date after all."""
    try:
        if text[0].isalpha():
            found = parsedate_to_datetime(text)
        elif len(text) == 10:
            found = datetime.fromisoformat(f"{text}T12:00:00")
        else:
            found = datetime.fromisoformat(text.replace(",", "."))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
