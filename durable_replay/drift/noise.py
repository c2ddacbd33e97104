"""What is set aside, and why: rules of a user or of a service, and what varies by itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from durable_replay.drift.finding import Endpoint, Kind, Severity
from durable_replay.errors import UsageError

__all__ = ["DiffRules", "IgnoreRule", "nothing_known"]

_WORDS = ("kind", "operation", "endpoint", "path", "host")
_NAME = re.compile("[a-z]+")
"""Before an equals sign it names a part of a rule: no path is one word and goes on with that sign."""


@lru_cache(maxsize=4096)
def _pattern(glob: str, separator: str) -> re.Pattern[str]:
    """A glob as a pattern: `**` is any text, `*` any text without the separator, the rest stands for itself."""
    within = f"[^{re.escape(separator)}]*" if separator else ".*"
    parts = re.split(r"(\*\*|\*)", glob)
    words = {"**": ".*", "*": within}
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _matches(glob: str, text: str, separator: str = "") -> bool:
    return not glob or _pattern(glob, separator).fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One rule that sets differences aside. Each part is a glob, and an empty one holds for everything.

    `kind` is one of `Kind`'s texts; `operation` is tried on the operation's name (`get_issue`, `jira.get_issue`) and
    on the endpoint (`GET /rest/api/3/issue/{}`); `path` on the finding's path, where `*` stays within one step
    (`body.$.*.id`) and `**` does not (`body.$.fields.**`); `host` on the endpoint's world. `text` is the rule as it
    was written.
    """

    kind: str = ""
    operation: str = ""
    path: str = ""
    host: str = ""
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> IgnoreRule:
        """A rule as users write it: `kind=value operation=jira.* path=body.$.fields.**`, or a path glob alone.

        A value that holds blanks is quoted: `operation="GET /app/*"`. Raises UsageError, which names the rule.
        """
        parts: dict[str, str] = {}
        for word in _split(text):
            name, equals, value = word.partition("=")
            if not equals or not _NAME.fullmatch(name):
                name, value = "path", word
            if name not in _WORDS:
                raise UsageError(
                    f"The rule {text!r} says {name}=, which is no part of a rule; there are {', '.join(_WORDS)}."
                )
            if not value:
                raise UsageError(f"The rule {text!r} says {name} and not which; write `{name}=**` for any.")
            name = "operation" if name == "endpoint" else name
            if name in parts:
                raise UsageError(f"The rule {text!r} says {name} twice; write two rules.")
            parts[name] = value
        rule = cls(**parts, text=text)
        if not any(_matches(rule.kind, kind.value) for kind in Kind):
            kinds = ", ".join(kind.value for kind in Kind)
            raise UsageError(f"The rule {text!r} names no kind of difference; there are {kinds}.")
        return rule

    def covers(self, endpoint: Endpoint, path: str, kind: Kind) -> bool:
        """Whether a difference of this endpoint at this path is set aside."""
        return (
            _matches(self.kind, kind.value)
            and _matches(self.path, path, ".")
            and _matches(self.host, endpoint.world)
            and (not self.operation or any(_matches(self.operation, name) for name in _names(endpoint)))
        )


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as wrong:
        raise UsageError(f"The rule {text!r} cannot be read: {wrong}.") from None
    if not words:
        raise UsageError("An empty rule would ignore everything; write `path=**` if that is meant.")
    return words


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    return (
        endpoint.operation,
        f"{endpoint.world}.{endpoint.operation}",
        f"{endpoint.method} {endpoint.path}",
        str(endpoint),
    )


def nothing_known(world: str) -> tuple[IgnoreRule, ...]:
    """What is known of a world of which nothing is known."""
    del world
    return ()


@dataclass(frozen=True, slots=True)
class DiffRules:
    """What a comparison follows besides its own judgement.

    `ignore` are the user's rules; `severities` replaces the default severity of a kind; `known(world)` gives the
    rules that a service states of itself (its counters, its times), called once for each world. `one_client` says that
    both sides were asked by the same requests; where it is False, that is told from how often endpoints were asked.
    """

    ignore: tuple[IgnoreRule, ...] = ()
    severities: Mapping[Kind, Severity] = field(default_factory=lambda: MappingProxyType({}))
    known: Callable[[str], tuple[IgnoreRule, ...]] = nothing_known
    one_client: bool = False
