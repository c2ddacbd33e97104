"""What anchors name and aliases repeat, counted.

# Rule: an alias is followed only backwards, and what aliases stand for is bounded: no cycle, no billion laughs.
"""

from __future__ import annotations

from durable_replay.cassette.formats.plain import Plain

__all__ = ["EXPANDED", "Anchors", "Unfollowed"]

EXPANDED = 2_000_000
"""Nodes that a document's aliases may stand for, all together."""


class Unfollowed(ValueError):
    """An alias that cannot be followed; its text says why, as a clause without a full stop."""


class _Unfinished:
    """Stands for an anchor while what it names is still being read."""


_UNFINISHED = _Unfinished()


class Anchors:
    """What the aliases of one document may name, and how many nodes they have stood for."""

    def __init__(self, before: Anchors | None = None) -> None:
        self._before = before
        self._named: dict[str, Plain | _Unfinished] = {}
        self._weights: dict[str, int] = {}
        self._expanded: int = before._expanded if before else 0
        self.seen = 0
        """Nodes that were read, by the count of whoever reads."""

    def begin(self, name: str) -> None:
        """What this names begins here."""
        self._named[name] = _UNFINISHED
        self._weights[name] = self.seen

    def end(self, name: str, value: Plain) -> None:
        """What this names is read, and weighs what was seen since. Where the same name was given again within it, that
        stands: the later one begins later."""
        if not isinstance(self._named[name], _Unfinished):
            return
        self._named[name] = value
        self._weights[name] = self.seen - self._weights[name]

    def name(self, name: str, value: Plain) -> None:
        """What this names will be in `value`, which is weighed when an alias stands for it."""
        self._named[name] = value
        self._weights.pop(name, None)

    def follow(self, name: str) -> Plain:
        """What an alias stands for. Raises Unfollowed."""
        value, weight = self._find(name)
        self.seen += weight
        self._expanded += weight
        if self._expanded > EXPANDED:
            raise Unfollowed(f"its aliases stand for more than {EXPANDED:,} values")
        return value

    def _find(self, name: str) -> tuple[Plain, int]:
        if name not in self._named:
            if self._before is not None:
                return self._before._find(name)
            raise Unfollowed(f"the alias '*{name}' names nothing")
        value = self._named[name]
        if isinstance(value, _Unfinished):
            raise Unfollowed(f"the alias '*{name}' stands within what it names: a cycle")
        if name not in self._weights:
            self._weights[name] = _weight(value)
        return value, self._weights[name]

    def adopt(self, later: Anchors) -> None:
        """Take over what one that came after this has named; what has not become anything by now is nothing."""
        for name, value in later._named.items():
            self.name(name, None if isinstance(value, _Unfinished) else value)
        self._expanded = later._expanded


def _weight(value: Plain) -> int:
    """Nodes of a value as libyaml's events count them, what is repeated in it each time; no more than matter."""
    weight, waiting = -1 if isinstance(value, dict | list) else 0, [value]
    while waiting and weight <= EXPANDED:
        each = waiting.pop()
        weight += 1
        if isinstance(each, dict):
            weight += 1 + len(each)
            waiting.extend(each.values())
        elif isinstance(each, list):
            weight += 1
            waiting.extend(each)
    return weight
