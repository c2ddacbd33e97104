"""What was looked through before is not looked through again: most bodies have the same keys, words and lines.

# Rule: a text is cut where no hint of a rule, no name, no known secret and no encoded run can reach over, so that what
# holds nothing in pieces holds nothing whole. A piece is remembered only when nothing at all may stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from durable_replay.redaction.encoded import may_hold
from durable_replay.redaction.rules import Rule, Rules

__all__ = ["Look", "Pieces"]

_LONGEST = 120
_MOST = 40_000


@dataclass(frozen=True, slots=True)
class Look:
    """What may stand in a text: which rules' shapes, a name of the rules, something encoded, a known secret."""

    rules: tuple[Rule, ...] = ()
    named: bool = False
    encoded: bool = False
    known: bool = False

    def __bool__(self) -> bool:
        return self.named or self.encoded or self.known or bool(self.rules)


_NOTHING = Look()


class Pieces:
    """A first look at texts that are cut at a sign. `known` tells whether a known secret occurs; after a new one,
    `forget`."""

    __slots__ = ("_known", "_names", "_rules", "_seen", "_sign")

    def __init__(self, rules: Rules, sign: str, known: Callable[[str], bool], names: Collection[str] = ()) -> None:
        self._rules = rules
        self._names = frozenset(names)
        self._sign = sign
        self._known = known
        self._seen: set[str] = set()

    @property
    def usable(self) -> bool:
        """Whether nothing that is looked for reaches over the sign."""
        return self._rules.stay_between(self._sign)

    def fits(self, text: str) -> bool:
        """Whether there is something to gain."""
        return self.usable and text.count(self._sign) * 64 > len(text)

    def forget(self) -> None:
        self._seen.clear()

    def look(self, pieces: Iterable[str]) -> Look:
        """At a text's pieces; what is new to it and holds nothing is remembered."""
        new = set(pieces) - self._seen
        if not new:
            return _NOTHING
        text = self._sign.join(new)
        if "%" not in text:
            return self._new(new, text)
        encoded = {piece for piece in new if "%" in piece}
        found = self._new(new - encoded, self._sign.join(new - encoded))
        more = self._of(self._sign.join(encoded))
        rules = dict.fromkeys((*found.rules, *more.rules))
        return Look(
            tuple(rule for rule in self._rules.texts if rule in rules) if rules else (),
            found.named or more.named,
            found.encoded or more.encoded,
            found.known or more.known,
        )

    def _new(self, pieces: set[str], text: str) -> Look:
        found = self._of(text)
        if not found:
            self._remember(pieces)
        return found

    def _of(self, text: str) -> Look:
        return Look(
            tuple(self._rules.likely(text)),
            bool(self._names) and not self._names.isdisjoint(_words(text, self._sign)),
            may_hold(text),
            self._known(text),
        )

    def _remember(self, pieces: set[str]) -> None:
        if len(self._seen) > _MOST:
            self._seen.clear()
        self._seen.update(piece for piece in pieces if len(piece) <= _LONGEST)


def _words(text: str, sign: str) -> list[str]:
    """What stands between the signs, in lower case, without the backslashes of JSON within JSON."""
    return text.lower().replace("\\", "").split(sign)
