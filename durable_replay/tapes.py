"""How a project's settings, its services and a cassette's own words make an understanding of requests.

Recording and replay must understand alike: the index that a recording leaves in its cassette fits a replay only when
both know the same services, hosts and rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from durable_replay.cassette.care.hosts import mapped_hosts as hosts_of_one
from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette
from durable_replay.http import Request
from durable_replay.matching.pattern import Significance
from durable_replay.redaction.personal import PERSONAL
from durable_replay.redaction.redact import Masker
from durable_replay.redaction.rules import DEFAULT, Rule, Rules
from durable_replay.service.registry import Registry, available
from durable_replay.settings import RedactRule, RedactSettings, Settings
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import Progress, build_index

__all__ = ["mapped_hosts", "redaction_rules", "understanding", "write_index"]


def redaction_rules(settings: RedactSettings) -> Rules:
    """The default rules as a project changes them; an unknown name to remove raises UsageError."""
    for number, name in enumerate(settings.remove):
        if name not in DEFAULT:
            near = ", ".join(get_close_matches(name, [rule.name for rule in DEFAULT]))
            hint = f"nearest: {near}" if near else "docs/secrets.md has their names"
            raise settings.error(f"remove[{number}]", f"names no redaction rule: {name!r}; {hint}")
    personal = (rule for kind in settings.personal for rule in PERSONAL[kind])
    return DEFAULT.without(*settings.remove).with_(*(_rule(rule) for rule in settings.add), *personal)


def _rule(rule: RedactRule) -> Rule:
    if rule.where == "pattern":
        return Rule(rule.name, "text", pattern=rule.what)
    return Rule(rule.name, rule.where, frozenset({rule.what}))


def mapped_hosts(cassettes: Iterable[Path]) -> dict[str, str]:
    """Which service a host belongs to, as `--map` said when these were recorded. Raises CassetteError."""
    hosts: dict[str, str] = {}
    for path in cassettes:
        with Cassette.open(path) as cassette:
            hosts.update(hosts_of_one(cassette))
    return hosts


def understanding(
    cassettes: Sequence[Path],
    settings: Settings,
    hosts: Mapping[str, str],
    services: Iterable[str] | None = None,
    names: Sequence[str] | None = None,
) -> Indexing:
    """Requests as these services and settings understand them.

    `hosts` (of the command line) go before the settings', and these before the cassettes'. `services` None: all that
    are installed. A matching rule for one cassette holds for the whole tape that the cassette is part of; `names` are
    those that such rules know the cassettes by (None: their files').
    """
    _require_services(settings)
    known = {**mapped_hosts(cassettes), **settings.hosts, **hosts}
    named = None if services is None else [*services]
    if named is not None:
        known = {host: service for host, service in known.items() if service in named}
    rules = redaction_rules(settings.redact)
    called = [path.name for path in cassettes] if names is None else [*names]
    return Indexing(
        Registry.installed(named, known),
        _overrides(called or [""], settings) if settings.match else None,
        Masker(rules).text,
        _identity(known, settings, called),
    )


def _require_services(settings: Settings) -> None:
    for host, service in settings.hosts.items():
        if service not in available():
            raise settings.error(
                f"hosts.{host}", f"names no service: {service!r}; there are {', '.join(available()) or 'none'}"
            )


def _overrides(names: Sequence[str], settings: Settings) -> Callable[[Request, str, Significance], Significance]:
    def significance(request: Request, operation: str, base: Significance) -> Significance:
        for name in names:
            base = settings.significance(name, request.host, operation, request.method, request.path, base)
        return base

    return significance


def _identity(hosts: Mapping[str, str], settings: Settings, names: Sequence[str]) -> str:
    """What an index depends on besides the services' tables."""
    told = sha256(repr((sorted(hosts.items()), names if settings.match else ())).encode())
    if settings.match or settings.redact != RedactSettings():
        # The file's text, since sets in parsed settings have another order in each process.
        told.update(settings.source.read_bytes() if settings.source else repr(settings).encode())
    return told.hexdigest()


def write_index(
    path: Path,
    settings: Settings,
    hosts: Mapping[str, str] | None = None,
    on_progress: Progress = lambda done, total: None,
    name: str | None = None,
) -> int:
    """Writes the derived index into a cassette, so that a replay of it need not make one; gives the interactions.

    Without it a replay is as right, but takes longer to be ready. `name` is what the file will be called, where it is
    not called so yet. Raises CassetteError.
    """
    from durable_replay.cassette.writer import CassetteWriter

    indexing = understanding([path], settings, hosts or {}, names=[name or path.name])
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        index = Index(writer.index_connection)
        build_index(index, reader.interactions(), len(reader), indexing, writer.tape.identity, on_progress)
        return len(reader)
