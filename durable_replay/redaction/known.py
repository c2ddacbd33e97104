"""Secrets that a named field has given away, so that they are replaced wherever else they turn up."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

from durable_replay.redaction.blocks import Blocks

__all__ = ["Known", "spellings"]

SHORTEST = 8
MOST = 512
_COMMON = frozenset(
    {"password", "passphrase", "undefined", "anonymous", "application", "credentials", "changeme", "administrator"}
)


def spellings(value: str) -> tuple[str, ...]:
    """The forms in which a value stands in a message: as it is, percent-encoded, inside JSON or XML, base64; and as its
    bytes are read in latin-1, which is how data of no known type is searched."""
    forms = dict.fromkeys(encode(value) for encode in _ENCODINGS)
    return tuple(forms)


def _json_inside(value: str) -> str:
    return json.dumps(value)[1:-1]


def _json_letters(value: str) -> str:
    """With letters of other alphabets as they are."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _json_slashes(value: str) -> str:
    """As PHP writes it."""
    return _json_inside(value).replace("/", r"\/")


def _bytes(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def _base64(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()


def _quote(value: str) -> str:
    return quote(value, safe="", errors="surrogateescape")


def _quote_plus(value: str) -> str:
    return quote_plus(value, errors="surrogateescape")


def _same(value: str) -> str:
    return value


_ENCODINGS: tuple[Callable[[str], str], ...] = (
    _same,
    _quote,
    _quote_plus,
    _json_inside,
    _json_letters,
    _json_slashes,
    escape,
    _base64,
    _bytes,
)


class Known:
    """The most recent secrets, at most 512, each with its spellings and their replacements. Each of `told` hears the
    spellings of a new one. Those that have `sign` in them can be looked for alone."""

    __slots__ = ("_across", "_blocks", "_names", "_of", "_sign", "_told", "_uses", "_values", "named")

    def __init__(
        self,
        of: Callable[[str], str],
        names: frozenset[str],
        told: tuple[Callable[[list[str]], None], ...],
        sign: str,
    ) -> None:
        self._of = of
        self._names = names
        self._told = told
        self._sign = sign
        self._blocks = Blocks()
        self._across = Blocks()
        self._uses = Counter[str]()
        """How many secrets have a spelling: that of one may be another as it is."""
        self.named = 0  # how often one was given away, a new one or not
        self._values: OrderedDict[str, tuple[tuple[str, str, re.Pattern[str] | None], ...]] = OrderedDict()

    def learn(self, value: str) -> None:
        """Keep a secret, unless it is too short or too plain a word to be told from other text."""
        self.named += 1
        if len(value) < SHORTEST or value.lower() in self._names or value.lower() in _COMMON:
            return
        if value in self._values:
            self._values.move_to_end(value)
            return
        shown = self._of(value)
        if shown == value:
            return
        self._values[value] = tuple(self._spelt(value, shown))
        forms = [form for form, _, _ in self._values[value]]
        self._uses.update(forms)
        for form in forms:
            self._blocks.add(form)
            if self._sign in form:
                self._across.add(form)
        if len(self._values) > MOST:
            self._forget()
        for told in self._told:
            told(forms)

    def _forget(self) -> None:
        """The one that was seen the longest time ago."""
        _, gone = self._values.popitem(last=False)
        for form, _, _ in gone:
            self._uses[form] -= 1
            if not self._uses[form]:
                del self._uses[form]
                self._blocks.remove(form)
                self._across.remove(form)

    @staticmethod
    def _spelt(value: str, shown: str) -> Iterator[tuple[str, str, re.Pattern[str] | None]]:
        seen: set[str] = set()
        for encode in _ENCODINGS:
            form = encode(value)
            if form not in seen:
                seen.add(form)
                # a word of letters alone is replaced only where it stands alone: "tractors" stays in "contractors"
                alone = re.compile(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])") if form.isalpha() else None
                yield form, encode(shown), alone

    def occur(self, text: str) -> bool:
        """Whether any known secret stands in a text."""
        return bool(self._blocks.occurring(text))

    def occur_across(self, text: str) -> bool:
        """Whether one stands in a text that has the sign in it."""
        return bool(self._across) and bool(self._across.occurring(text))

    def replace(self, text: str) -> str:
        """The text with every known secret replaced, in each of its spellings."""
        if not self.occur(text):
            return text
        for forms in self._values.values():
            for form, shown, alone in forms:
                if form in text:
                    text = alone.sub(shown.replace("\\", r"\\"), text) if alone else text.replace(form, shown)
        return text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where known secrets stand."""
        here = frozenset(self._blocks.occurring(text))
        return [
            match.span()
            for forms in (self._values.values() if here else ())
            for form, _, alone in forms
            if form in here
            for match in (alone or re.compile(re.escape(form))).finditer(text)
        ]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._values))
