"""What was looked through before is not looked through again: most bodies have the same keys, words and lines.

# Rule: a text is cut where no hint of a rule, no name and no encoded run can reach over, so that what holds nothing in
# pieces holds nothing whole (known secrets that reach over are looked for in the whole). A piece is kept only when
# nothing at all stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from durable_replay.redaction.clean import Clean
from durable_replay.redaction.encoded import decoded, may_hold, runs
from durable_replay.redaction.rules import Rule, Rules

__all__ = ["ANYTHING", "UNREADABLE", "First", "Look", "Pieces", "words"]

UNREADABLE = "\ufffd"
"""What stands in decoded text for bytes that are no text."""
_BASIC = "asic "


@dataclass(frozen=True, slots=True)
class Look:
    """What may stand in a text: which rules' shapes, a name of the rules, something encoded, a known secret. `kept`
    tells that all of its pieces are kept."""

    rules: tuple[Rule, ...] = ()
    named: bool = False
    encoded: bool = False
    known: bool = False
    kept: bool = False

    def __bool__(self) -> bool:
        return self.named or self.encoded or self.known or bool(self.rules)


_NOTHING, _KEPT = Look(), Look(kept=True)
ANYTHING = Look(named=True, encoded=True, known=True)
"""Nothing was looked at."""


class First:
    """A first look at texts. `known` tells whether a known secret occurs, `named` whether a named field may stand in a
    text of a kind ("" for one that nobody says)."""

    __slots__ = ("_known", "_named", "rules")

    def __init__(self, rules: Rules, known: Callable[[str], bool], named: Callable[[str, str], bool]) -> None:
        self.rules = rules
        self._known = known
        self._named = named

    def at(self, text: str, kind: str | None = None) -> Look:
        """At a text; at names in it if a kind is told."""
        data = text.encode("latin-1", "replace")
        likely = self.rules.likely(text, data)
        named = kind is not None and self._named(kind, text)
        encoded, known = may_hold(text, data), self._known(text)
        if not (likely or named or encoded or known):
            return _NOTHING
        return Look(tuple(likely), named, encoded, known)

    def inside(self, text: str) -> list[str] | None:
        """What stands encoded in a text; None where something may stand in that."""
        plain = [plain for _, plain in decoded(text)]
        if any(UNREADABLE in each for each in plain) or any(_BASIC in each for each in (text, *plain)):
            return None
        holds = any(self.rules.likely(each) or self._known(each) or self._named("", each) for each in plain)
        return None if holds else plain


class Pieces:
    """A first look at texts that are cut at a sign."""

    __slots__ = ("_clean", "_first", "_names", "_seen", "_sign")

    def __init__(
        self, first: First, sign: str, clean: Clean, names: Collection[str] = (), section: set[str] | None = None
    ) -> None:
        self._first = first
        self._names = frozenset(names)
        self._sign = sign
        self._clean = clean
        self._seen = clean.section() if section is None else section

    @property
    def usable(self) -> bool:
        """Whether nothing that is looked for reaches over the sign."""
        return self._first.rules.stay_between(self._sign) and not any(self._sign in name for name in self._names)

    def fits(self, text: str) -> bool:
        """Whether there is something to gain."""
        return text.count(self._sign) * 64 > len(text) and self.usable

    def look(self, pieces: Collection[str]) -> Look:
        """At a text's pieces; what is new to it and holds nothing is kept."""
        new = set(pieces).difference(self._seen)
        if not new:
            return _KEPT
        text = self._sign.join(new)
        if text.count(self._sign) >= len(new):  # these were not cut at the sign
            return ANYTHING
        look = self._first.at(text)
        if self._names and not self._names.isdisjoint(words(text)):
            return Look(look.rules, True, look.encoded, look.known)
        if not look:
            return _KEPT if self._clean.keep(self._seen, new, (text,)) else _NOTHING
        if not look.known:
            return self._closely(look, new, text)
        return look

    def _closely(self, look: Look, new: set[str], text: str) -> Look:
        """The same for pieces of which some may hold something; what is encoded in them is looked at."""
        if not text.isascii() and any(rule.any_case for rule in look.rules):
            return look
        holding = {self._around(text, at) for rule in look.rules for at in rule.hinted(text)}
        plain: list[str] = []
        encoded = False
        for piece in {self._around(text, at) for at, _ in runs(text)} if look.encoded else ():
            inside = self._first.inside(piece)
            if inside is None:
                holding.add(piece)
                encoded = True
            plain += inside or ()
        rest = new - holding if holding else new
        kept = self._clean.keep(self._seen, rest, (self._sign.join(rest) if holding else text, *plain))
        # what stands encoded in a text that is not kept is to be told, or the text would be kept without it
        return Look(look.rules, encoded=encoded or (bool(plain) and not kept), kept=kept and not holding)

    def _around(self, text: str, at: int) -> str:
        """The piece that stands at a place."""
        start, end = text.rfind(self._sign, 0, at) + 1, text.find(self._sign, at)
        return text[start : end if end >= 0 else len(text)]


def words(text: str) -> list[str]:
    """What stands between quotes, in lower case, without the backslashes of JSON within JSON."""
    lower = text.lower()
    return (lower.replace("\\", "") if "\\" in lower else lower).split('"')
