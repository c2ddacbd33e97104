"""A Significance made ready for quick use: sets for plain names, one expression for names with `*`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from durable_replay.matching.paths import Path, parse_path
from durable_replay.matching.pattern import Significance, Term

__all__ = ["BodyRules", "Names", "Rules", "rules_of"]


class Names:
    """A set of lower-case names, some with `*`."""

    __slots__ = ("_globs", "exact")

    def __init__(self, names: list[str]) -> None:
        self.exact = frozenset(name for name in names if "*" not in name and "?" not in name)
        globs = [translate(name.replace("[", "[[]")) for name in names if name not in self.exact]
        self._globs = re.compile("|".join(globs)) if globs else None

    def __contains__(self, name: str) -> bool:
        return name in self.exact or (self._globs is not None and self._globs.match(name) is not None)


@dataclass(frozen=True, slots=True)
class BodyRules:
    """What of a body counts: all or the `only` paths, minus fields of `hidden` names at any depth, minus `without`.

    `exact`: its bytes, whatever its kind.
    """

    whole: bool
    only: tuple[tuple[str, Path], ...]
    without: tuple[Path, ...]
    hidden: frozenset[str]
    exact: bool = False

    @property
    def counts(self) -> bool:
        return self.whole or self.exact or bool(self.only)


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts, by part."""

    method: bool
    host: bool
    path: bool
    query: bool
    query_named: Names
    query_ignored: Names
    headers: Names
    headers_ignored: Names
    body: BodyRules

    def counts_query(self, name: str) -> bool:
        """Whether the pair of this lower-case name counts."""
        return (self.query or name in self.query_named) and name not in self.query_ignored

    def counts_header(self, name: str) -> bool:
        """Whether the field of this lower-case name counts."""
        return name in self.headers and name not in self.headers_ignored


def _names(terms: frozenset[Term], part: str) -> list[str]:
    return sorted(term.name for term in terms if term.part == part and term.name)


@lru_cache(maxsize=1024)
def rules_of(significance: Significance) -> Rules:
    """The rules that a significance stands for; made once for each."""
    counted, ignored = significance.counted, significance.ignored

    def whole(part: str) -> bool:
        return Term(part) in counted and Term(part) not in ignored

    query_gone = Term("query") in ignored
    return Rules(
        method=whole("method"),
        host=whole("host"),
        path=whole("path"),
        query=whole("query"),
        query_named=Names([] if query_gone else _names(counted, "query")),
        query_ignored=Names(_names(ignored, "query")),
        headers=Names(_names(counted, "header")),
        headers_ignored=Names(_names(ignored, "header")),
        body=_body_rules(significance),
    )


def _body_rules(significance: Significance) -> BodyRules:
    counted, ignored = significance.counted, significance.ignored
    gone = Term("body") in ignored
    whole = Term("body") in counted and not gone
    exact = Term("content") in counted and Term("content") not in ignored
    only = () if whole or gone else tuple((text, parse_path(text)) for text in _names(counted, "body"))
    paths = [parse_path(text) for text in _names(ignored, "body")]
    hidden = {path for path in paths if len(path) == 2 and path[0] == "**" and path[1] != "*"}
    return BodyRules(
        whole=whole or exact,
        exact=exact,
        only=only,
        without=tuple(path for path in paths if path not in hidden),
        hidden=frozenset(str(path[1]) for path in hidden),
    )
