"""What a project sets for itself, in `durable.toml` or under `[tool.durable-replay]` of `pyproject.toml`.

::

    [[match]]                                   # every rule whose conditions hold applies, in order
    cassette = "jira*.cassette"                 # conditions: cassette, host, operation, method, path; globs,
    host = ["*.atlassian.net", "!eu.*"]         # or a list: one must fit, and none that begins with "!"
    ignore = ["query.nonce", "body.$.requestId"]
    count = ["header.accept-language"]

    [redact]
    add = [{ name = "session", header = "x-session" }]    # header, query, field or pattern (a regular expression)
    remove = ["jwt"]
    personal = ["email"]                        # email, ip, name: pseudonyms for personal data too

    [hosts]
    "minio.local:9000" = "s3"

    [replay]
    on_miss = "emulate"                         # emulate, refuse, forward or record
    clock = "recorded"                          # recorded, now or an ISO time
    seed = 7
    provenance = true

    [diff]
    ignore = ["kind=value path=body.$.**.votes"]          # see docs/drift.md
    severity = { "enum-added" = "breaking" }
    fail_on = "additive"                        # breaking, additive, any or never
    same = { "localhost:9002" = "localhost:9001" }        # two hosts that are one
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar, cast

from durable_replay.errors import UsageError
from durable_replay.matching.pattern import (
    ALWAYS,
    NEVER,
    NOTHING,
    Address,
    Condition,
    Significance,
    on_cassette,
    on_host,
    on_method,
    on_operation,
    on_path,
    parse_term,
)
from durable_replay.settings_lines import in_line

__all__ = ["DiffSettings", "MatchRule", "OnMiss", "RedactRule", "RedactSettings", "ReplaySettings", "Settings"]

OnMiss = Literal["emulate", "refuse", "forward", "record"]
Where = Literal["header", "query", "field", "pattern"]
Table = Mapping[str, object]
T = TypeVar("T")

ON_MISS = ("emulate", "refuse", "forward", "record")
WHERE = ("header", "query", "field", "pattern")
SEVERITIES = ("breaking", "additive", "cosmetic")
FAIL_ON = ("breaking", "additive", "any", "never")
PERSONAL = ("email", "ip", "name")
CONDITIONS = {
    "cassette": on_cassette,
    "host": on_host,
    "operation": on_operation,
    "method": on_method,
    "path": on_path,
}
LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MatchRule:
    """For the requests that `when` names: parts that do not count, and parts that do whatever was said before."""

    when: Condition
    ignore: Significance = NOTHING
    count: Significance = NOTHING


@dataclass(frozen=True, slots=True)
class RedactRule:
    """One more secret to take out: a header, a query pair or a body field by name, or what an expression finds."""

    name: str
    where: Where
    what: str


@dataclass(frozen=True, slots=True)
class RedactSettings:
    """Rules to add to the default ones, names of rules to leave out, and kinds of personal data to replace."""

    add: tuple[RedactRule, ...] = ()
    remove: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    place: str = field(default="", compare=False)
    """The file and the section, for whoever knows which rules there are."""

    def error(self, key: str, what: str) -> UsageError:
        """For a key of this section, with its place."""
        return _placed(self.place, key, what)


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Defaults of `replay`; None where the file says nothing. `clock` is `recorded`, `now` or an ISO time."""

    on_miss: OnMiss | None = None
    clock: str | None = None
    seed: int | None = None
    provenance: bool | None = None


@dataclass(frozen=True, slots=True)
class DiffSettings:
    """Defaults of `diff`: rules as they are written, severities by kind, and hosts that are one in pairs.

    `place` names the file and the section, for whoever reads the rules.
    """

    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    fail_on: str | None = None
    same: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    place: str = ""

    def in_line(self, key: str) -> str:
        """` (line 3)`, where a key of this section stands; empty where that is not known."""
        file, _, section = self.place.rpartition(": ")
        return in_line(Path(file), f"{section}.{key}") if file else ""


@dataclass(frozen=True, slots=True)
class Settings:
    """A project's settings; `source` is the file that they are from, None where there is none."""

    match: tuple[MatchRule, ...] = ()
    redact: RedactSettings = field(default_factory=RedactSettings)
    hosts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    diff: DiffSettings = field(default_factory=DiffSettings)
    source: Path | None = None
    prefix: str = field(default="", compare=False)
    """Where the settings stand in their file."""

    def error(self, key: str, what: str) -> UsageError:
        """For a key such as `hosts.example`, with its place."""
        return _placed(f"{self.source}: {self.prefix}".rstrip(".") if self.source else "", key, what)

    @classmethod
    def load(cls, start: Path) -> Settings:
        """The settings nearest to a folder, upward; `durable.toml` goes before `pyproject.toml`. Raises UsageError."""
        start = start.resolve()
        for folder in (start, *start.parents):
            if (file := folder / "durable.toml").is_dir():
                raise UsageError(f"{file} is a directory, settings are a file; rename it")
            if file.is_file():
                return cls.parse(_read(file), file)
            if (file := folder / "pyproject.toml").is_file():
                table = _Reader(_read(file), file).table("tool").get("durable-replay")
                if table is not None:
                    return cls.parse(_mapping(table, f"{file}: tool.durable-replay"), file, "tool.durable-replay.")
        return cls()

    @classmethod
    def parse(cls, document: Table, source: Path, prefix: str = "") -> Settings:
        """Settings from a parsed document; UsageError names the file, the key and what is allowed."""
        reader = _Reader(document, source, prefix)
        reader.allow("match", "redact", "hosts", "replay", "diff")
        hosts = reader.inside("hosts")
        return cls(
            match=tuple(_match(rule) for rule in reader.tables("match")),
            redact=_redact(reader.inside("redact")),
            hosts=MappingProxyType({name.lower(): hosts.required(name) for name in hosts.values}),
            replay=_replay(reader.inside("replay")),
            diff=_diff(reader.inside("diff")),
            source=source,
            prefix=prefix,
        )

    def significance(
        self, cassette: str, host: str, operation: str, method: str, path: str, base: Significance
    ) -> Significance:
        """`base` as the matching rules change it, in the file's order; a later rule wins over an earlier one."""
        if not self.match:
            return base
        address = Address(method=method, host=host, path=path, operation=operation, cassette=cassette)
        return _changed(base, tuple(rule for rule in self.match if rule.when.matches(address)))


@lru_cache(maxsize=1024)
def _changed(base: Significance, rules: tuple[MatchRule, ...]) -> Significance:
    for rule in rules:
        base = (base & ~rule.ignore).counting(rule.count)
    return base


# -- sections ---------------------------------------------------------------------------------------------------------


def _match(reader: _Reader) -> MatchRule:
    reader.allow(*CONDITIONS, "ignore", "count")
    when = ALWAYS
    for name in CONDITIONS:
        when &= _condition(name, reader.texts(name, single=True))
    rule = MatchRule(when, _terms(reader, "ignore"), _terms(reader, "count"))
    if rule.ignore == NOTHING == rule.count:
        raise reader.error("ignore", "is missing; a rule needs ignore or count, each a list of parts")
    if both := rule.ignore.counted & rule.count.counted:
        raise reader.error("count", f"and ignore both name {', '.join(map(repr, sorted(both)))}")
    return rule


def _condition(name: str, patterns: tuple[str, ...]) -> Condition:
    """One of the plain patterns fits (all do where there are none), and no pattern after a `!`."""
    on = CONDITIONS[name]
    wanted = [on(pattern) for pattern in patterns if not pattern.startswith("!")]
    condition = NEVER if wanted else ALWAYS
    for one in wanted:
        condition |= one
    for pattern in patterns:
        if pattern.startswith("!"):
            condition &= ~on(pattern[1:])
    return condition


def _terms(reader: _Reader, key: str) -> Significance:
    terms = NOTHING
    for text in reader.texts(key):
        try:
            terms &= parse_term(text)
        except UsageError as wrong:
            raise reader.error(key, f"is wrong: {wrong}") from None
    return terms


def _redact(reader: _Reader) -> RedactSettings:
    reader.allow("add", "remove", "personal")
    rules = tuple(_redact_rule(rule) for rule in reader.tables("add"))
    names = [rule.name for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise reader.error("add", f"names {', '.join(twice)} twice")
    personal = reader.texts("personal")
    if unknown := sorted({*personal} - {*PERSONAL}):
        raise reader.error("personal", f"names {', '.join(unknown)}; allowed are {', '.join(PERSONAL)}")
    return RedactSettings(rules, reader.texts("remove"), personal, _place(reader))


def _redact_rule(reader: _Reader) -> RedactRule:
    reader.allow("name", *WHERE)
    places = [where for where in WHERE if where in reader.values]
    if len(places) != 1:
        raise reader.error("", f"needs exactly one of {', '.join(WHERE)}")
    what = reader.required(places[0])
    if places[0] == "pattern":
        try:
            re.compile(what)
        except re.error as wrong:
            raise reader.error("pattern", f"is no regular expression: {wrong}") from None
    return RedactRule(reader.required("name"), cast(Where, places[0]), what)


def _replay(reader: _Reader) -> ReplaySettings:
    reader.allow("on_miss", "clock", "seed", "provenance")
    on_miss, clock = reader.optional("on_miss", str), reader.optional("clock", str)
    if on_miss is not None and on_miss not in ON_MISS:
        raise reader.error("on_miss", f"is '{on_miss}'; allowed are {', '.join(ON_MISS)}")
    if clock is not None and clock not in ("recorded", "now") and not _is_time(clock):
        raise reader.error("clock", f"is '{clock}'; allowed are recorded, now or a time such as 2025-01-31T12:00:00Z")
    return ReplaySettings(
        on_miss=cast("OnMiss | None", on_miss),
        clock=clock,
        seed=reader.optional("seed", int),
        provenance=reader.optional("provenance", bool),
    )


def _diff(reader: _Reader) -> DiffSettings:
    reader.allow("ignore", "severity", "fail_on", "same")
    severity, same = reader.inside("severity"), reader.inside("same")
    severities = {kind: severity.required(kind) for kind in severity.values}
    for kind, text in severities.items():
        if text not in SEVERITIES:
            raise severity.error(kind, f"is '{text}'; allowed are {', '.join(SEVERITIES)}")
    fail_on = reader.optional("fail_on", str)
    if fail_on is not None and fail_on not in FAIL_ON:
        raise reader.error("fail_on", f"is '{fail_on}'; allowed are {', '.join(FAIL_ON)}")
    return DiffSettings(
        ignore=reader.texts("ignore"),
        severity=MappingProxyType(severities),
        fail_on=fail_on,
        same=MappingProxyType({host.lower(): same.required(host).lower() for host in same.values}),
        place=_place(reader),
    )


def _place(reader: _Reader) -> str:
    return f"{reader.source}: {reader.prefix.rstrip('.')}"


def _placed(place: str, key: str, what: str) -> UsageError:
    """An error of a section's key; `place` is `file: section`, or empty where no file says it."""
    file, _, section = place.rpartition(": ")
    full = f"{section}.{key}".lstrip(".")
    return UsageError(f"{file}: {full} {what}{in_line(Path(file), full)}" if file else f"{key} {what}")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


# -- reading ----------------------------------------------------------------------------------------------------------

_TYPES: Mapping[type, str] = MappingProxyType(
    {str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}
)


def _read(file: Path) -> Table:
    try:
        if file.stat().st_size > LARGEST:
            raise UsageError(f"{file} is larger than {LARGEST:,} bytes; settings are meant to be short")
        return tomllib.loads(file.read_text("utf-8"))
    except RecursionError:
        raise UsageError(f"{file} cannot be read as TOML: its lists or tables are nested too deeply") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise UsageError(f"{file} cannot be read as TOML: {wrong}") from wrong


def _mapping(value: object, place: str) -> Table:
    if not isinstance(value, dict):
        raise UsageError(f"{place} must be a table")
    return cast(Table, value)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Typed look-ups in one table; `prefix` is where it stands in its file."""

    values: Table
    source: Path
    prefix: str = ""

    def error(self, key: str, what: str) -> UsageError:
        full = (self.prefix + key).rstrip(".")
        return UsageError(f"{self.source}: {full} {what}{in_line(self.source, full)}")

    def allow(self, *names: str) -> None:
        for name in self.values:
            if name not in names:
                raise self.error(name, f"is unknown; allowed here are {', '.join(names)}")

    def _typed(self, key: str, value: object, wanted: type) -> object:
        if type(value) is not wanted:
            raise self.error(key, f"must be {_TYPES[wanted]}, not {_TYPES.get(type(value), type(value).__name__)}")
        return value

    def optional(self, key: str, wanted: type[T]) -> T | None:
        if key not in self.values:
            return None
        return cast(T, self._typed(key, self.values[key], wanted))

    def required(self, key: str) -> str:
        text = self.optional(key, str)
        if not text:
            raise self.error(key, "must be a text, and not empty")
        return text

    def table(self, key: str) -> Table:
        return cast(Table, self._typed(key, self.values.get(key, {}), dict))

    def inside(self, key: str) -> _Reader:
        return _Reader(self.table(key), self.source, f"{self.prefix}{key}.")

    def tables(self, key: str) -> list[_Reader]:
        items = self._list(key)
        places = [f"{key}[{number}]" for number in range(len(items))]
        tables = [cast(Table, self._typed(place, item, dict)) for place, item in zip(places, items, strict=True)]
        return [
            _Reader(table, self.source, f"{self.prefix}{place}.") for place, table in zip(places, tables, strict=True)
        ]

    def texts(self, key: str, *, single: bool = False) -> tuple[str, ...]:
        value = self.values.get(key, [])
        items: Iterable[object] = [value] if single and isinstance(value, str) else self._list(key)
        return tuple(str(self._typed(f"{key}[{number}]", item, str)) for number, item in enumerate(items))

    def _list(self, key: str) -> list[object]:
        return cast("list[object]", self._typed(key, self.values.get(key, []), list))
