"""Patterns as data: which parts of a request count (Significance), and which requests a rule is for (Condition).

>>> method & host & path & query & ~query("nonce")
host & method & path & query & ~query('nonce')
>>> on_method("POST") & ~on_host("*.atlassian.net")
on_method('POST') & ~on_host('*.atlassian.net')
"""

# Rule: a part counts when a counted term covers it and no ignored term does; taking away always wins.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from durable_replay.errors import UsageError
from durable_replay.matching.paths import parse_path

__all__ = [
    "ALWAYS",
    "NEVER",
    "NOTHING",
    "Address",
    "Condition",
    "Significance",
    "Term",
    "body",
    "content",
    "glob_matches",
    "header",
    "host",
    "method",
    "on_cassette",
    "on_host",
    "on_method",
    "on_operation",
    "on_path",
    "parse_term",
    "path",
    "query",
]

WHOLE = ("method", "host", "path", "query", "body", "content")
NAMED = ("query", "header", "body")


def glob_matches(pattern: str, text: str) -> bool:
    """Whether `text` fits a pattern in which `*` stands for any text (slashes too) and `?` for one character."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """One part of a request: a whole part (`name` empty), a query or header name (may hold `*`), or a body path."""

    part: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.part not in (NAMED if self.name else WHOLE):
            raise UsageError(f"{self!r} is no part of a request; there are {', '.join(WHOLE)}, header(name)")
        if self.part == "body" and self.name:
            parse_path(self.name)

    def __repr__(self) -> str:
        return f"{self.part}({self.name!r})" if self.name else self.part


@dataclass(frozen=True, slots=True)
class Significance:
    """Which parts of a request count when two are compared. `a & b` joins two, `~a` takes a's terms away.

    Names of query pairs and headers are compared without case and may hold `*`; body paths are `$.a.b`, `$.a[0]`,
    `$.a.*` and `$..name` (at any depth), and reach into JSON, forms and multipart parts.
    """

    counted: frozenset[Term] = frozenset()
    ignored: frozenset[Term] = frozenset()

    def __and__(self, other: Significance) -> Significance:
        return Significance(self.counted | other.counted, self.ignored | other.ignored)

    def __invert__(self) -> Significance:
        return Significance(self.ignored, self.counted)

    def __call__(self, name: str) -> Significance:
        """`query("page")`, `body("$.id")`: one name of a part, instead of all of it."""
        if self not in (query, body):
            raise UsageError(f"{self!r} has no names; only query, header and body have")
        (term,) = self.counted
        return _named(term.part, name)

    def counting(self, more: Significance) -> Significance:
        """With the counted terms of `more`, even where they were taken away before."""
        return Significance(self.counted | more.counted, self.ignored - more.counted)

    def __repr__(self) -> str:
        terms = [*map(repr, sorted(self.counted)), *(f"~{term!r}" for term in sorted(self.ignored))]
        return " & ".join(terms) or "NOTHING"


def _whole(part: str) -> Significance:
    return Significance(frozenset({Term(part)}))


def _named(part: str, name: str) -> Significance:
    if not name:
        raise UsageError(f"{part}('') names nothing")
    return Significance(frozenset({Term(part, name if part == "body" else name.lower())}))


NOTHING = Significance()
method = _whole("method")
host = _whole("host")
path = _whole("path")
query = _whole("query")
body = _whole("body")
content = _whole("content")
"""The body byte for byte (minus aws-chunked framing), for services that store what they get; goes before `body`."""


def header(name: str) -> Significance:
    """One header by name; there is no term for all of them, since most say nothing about the answer."""
    return _named("header", name)


def parse_term(text: str) -> Significance:
    """A term as settings write it: `query`, `query.nonce`, `header.x-trace`, `body.$.requestId`; else UsageError."""
    part, _, name = text.partition(".")
    if not name and "." not in text and part in WHOLE:
        return _whole(part)
    if name and part in NAMED:
        return _named(part, name)
    raise UsageError(
        f"'{text}' names no part of a request; write method, host, path, query, body, content, query.NAME, "
        "header.NAME or body.$.PATH"
    )


@dataclass(frozen=True, slots=True)
class Address:
    """What a Condition looks at. `host` is without port or with it, as the caller has it; `cassette` is a file name."""

    method: str = ""
    host: str = ""
    path: str = ""
    operation: str = ""
    cassette: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which requests a rule is for. Combine with `&`, `|` and `~`; equal sets of parts are equal conditions.

    `kind` is `all` or `any` (over `parts`), `not` (over its one part) or the name of an Address field, whose
    `pattern` is a glob.
    """

    kind: str
    pattern: str = ""
    parts: frozenset[Condition] = frozenset()

    def matches(self, address: Address) -> bool:
        """Whether this request is meant."""
        if self.kind == "all":
            return all(part.matches(address) for part in self.parts)
        if self.kind == "any":
            return any(part.matches(address) for part in self.parts)
        if self.kind == "not":
            return not any(part.matches(address) for part in self.parts)
        return glob_matches(self.pattern, _folded(self.kind, getattr(address, self.kind)))

    def __and__(self, other: Condition) -> Condition:
        return _joined("all", self, other)

    def __or__(self, other: Condition) -> Condition:
        return _joined("any", self, other)

    def __invert__(self) -> Condition:
        if self.kind == "not":
            (inner,) = self.parts
            return inner
        if not self.parts and self.kind in ("all", "any"):
            return NEVER if self.kind == "all" else ALWAYS
        return Condition("not", parts=frozenset({self}))

    def __repr__(self) -> str:
        if self.kind not in ("all", "any", "not"):
            return f"on_{self.kind}({self.pattern!r})"
        texts = sorted((_bracketed(part) for part in self.parts), key=lambda text: (text.startswith("~"), text))
        if self.kind == "not":
            return f"~{texts[0]}"
        return (" & " if self.kind == "all" else " | ").join(texts) or ("ALWAYS" if self.kind == "all" else "NEVER")


def _bracketed(condition: Condition) -> str:
    return f"({condition!r})" if condition.kind in ("all", "any") and condition.parts else repr(condition)


def _folded(field: str, text: str) -> str:
    if field == "host":
        return text.lower()
    return text.upper() if field == "method" else text


def _joined(kind: str, left: Condition, right: Condition) -> Condition:
    """One flat set for a chain of the same operator; a set of one is that one."""
    sides = (side.parts if side.kind == kind else frozenset({side}) for side in (left, right))
    parts = frozenset[Condition]().union(*sides)
    absorbing, neutral = (NEVER, ALWAYS) if kind == "all" else (ALWAYS, NEVER)
    if absorbing in parts:
        return absorbing
    parts -= {neutral}
    return next(iter(parts)) if len(parts) == 1 else Condition(kind, parts=parts)


ALWAYS = Condition("all")
NEVER = Condition("any")


def _on(field: str) -> Callable[[str], Condition]:
    def on(pattern: str) -> Condition:
        return Condition(field, _folded(field, pattern))

    on.__doc__ = f"Requests whose {field} fits this glob."
    return on


on_method = _on("method")
on_host = _on("host")
on_path = _on("path")
on_operation = _on("operation")
on_cassette = _on("cassette")
