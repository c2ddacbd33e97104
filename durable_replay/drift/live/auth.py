"""The credentials of live requests, by host. A recording holds none: placeholders stand in their places.

A file is TOML, or in netrc's format where its name does not end in `.toml`::

    [hosts."api.github.com"]
    bearer = "env:GITHUB_TOKEN"              # any value may name an environment variable
    [hosts."*.example.com"]
    headers = { X-Api-Key = "env:EXAMPLE_KEY" }
    query = { key = "env:EXAMPLE_KEY" }
    [hosts."cloud.example.com:2633"]
    secret = "env:ONE_AUTH"                  # takes the place of each placeholder in a path or body
    [hosts."s3.eu-west-1.amazonaws.com"]
    aws = { access_key = "env:AWS_ACCESS_KEY_ID", secret_key = "env:AWS_SECRET_ACCESS_KEY" }

`DURABLE_REPLAY_AUTH_API_GITHUB_COM` in the environment is the Authorization header of that host.
"""

# Rule: a value of this module enters a request to its own host and nothing else: no message, no file, no log.

from __future__ import annotations

import base64
import netrc
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from stat import S_ISREG

from durable_replay.drift.live.sigv4 import AwsKey
from durable_replay.errors import UsageError
from durable_replay.http import Headers
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import Rule, Rules

__all__ = ["Credential", "Credentials", "guarded", "load_credentials", "teach"]

VARIABLE = "DURABLE_REPLAY_AUTH_"
LARGEST = 1024 * 1024
_TAUGHT = "x-durable-live-credential"
_SIMPLE = ("bearer", "basic", "secret")
_TABLES = ("headers", "query", "aws")


@dataclass(frozen=True, slots=True)
class Credential:
    """What one host's requests get. Its `repr` shows no value."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secret: str = field(default="", repr=False)
    aws: AwsKey | None = field(default=None, repr=False)

    def values(self) -> Iterator[str]:
        """Everything that must not be seen."""
        for _, value in (*self.headers, *self.query):
            yield value
            scheme, _, rest = value.partition(" ")
            if rest:
                yield rest
            if scheme.lower() == "basic":
                yield from _inside_basic(rest)
        if self.secret:
            yield self.secret
        if self.aws is not None:
            yield from (value for value in (self.aws.secret_key, self.aws.token, self.aws.access_key) if value)


def _inside_basic(text: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return
    yield pair
    yield pair.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials by pattern of hosts: `name`, `name:port`, `*.name`; `http://` before it allows an unencrypted way."""

    by_host: tuple[tuple[str, Credential], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def of(self, scheme: str, host: str, port: int) -> Credential | None:
        """What the server that is dialled gets; the environment first, then the file in its order."""
        plain = scheme == "http" and not _is_loopback(host)
        for variable in (_variable(f"{host}_{port}"), _variable(host)):
            if not plain and (value := self.environment.get(variable)):
                return Credential((("Authorization", _authorization(value)),))
        for pattern, credential in self.by_host:
            bare = pattern.removeprefix("http://")
            if plain and bare == pattern:
                continue
            if any(fnmatchcase(name, bare.replace("[", "[[]")) for name in (host, f"{host}:{port}")):
                return credential
        return None

    def all(self) -> Iterator[Credential]:
        """Each of them."""
        yield from (credential for _, credential in self.by_host)
        for value in self.environment.values():
            yield Credential((("Authorization", _authorization(value)),))


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.") or host.endswith(".localhost")


def _variable(host: str) -> str:
    return VARIABLE + re.sub(r"[^A-Z0-9]", "_", host.upper())


def _authorization(value: str) -> str:
    """A whole header's value as it is; a lone token is a bearer's."""
    return value if " " in value.strip() else f"Bearer {value.strip()}"


# -- for the redactor -------------------------------------------------------------------------------------------------


def guarded(rules: Rules, credentials: Credentials) -> Rules:
    """The rules, and the names under which these credentials are sent."""
    headers = {name.lower() for one in credentials.all() for name, _ in one.headers} | {_TAUGHT}
    queries = {name.lower() for one in credentials.all() for name, _ in one.query}
    more = [Rule("live-credential-headers", "header", frozenset(headers))]
    if queries:
        more.append(Rule("live-credential-queries", "query", frozenset(queries)))
    return rules.with_(*more)


def teach(redactor: Redactor, credentials: Credentials) -> None:
    """The redactor replaces each value wherever it turns up, in an answer that echoes it too."""
    for credential in credentials.all():
        redactor.headers(Headers((_TAUGHT, value) for value in credential.values()))


# -- the file ---------------------------------------------------------------------------------------------------------


def load_credentials(path: Path | None, environment: Mapping[str, str]) -> Credentials:
    """Those of a file (None: there is none) and of the environment. Raises UsageError, which shows no value."""
    own = {name: value for name, value in environment.items() if name.startswith(VARIABLE) and value.strip()}
    for name, value in own.items():
        _require_one_line(value, name)
    if path is None:
        return Credentials(environment=own)
    _require_private(path)
    by_host = _of_toml(path, environment) if path.suffix == ".toml" else _of_netrc(path)
    return Credentials(tuple(by_host), own)


def _require_private(path: Path) -> None:
    try:
        state = path.stat()
    except OSError as wrong:
        raise UsageError(f"--auth {path} cannot be read: {wrong.strerror}") from None
    if not S_ISREG(state.st_mode):
        raise UsageError(f"--auth {path} is no file; name a TOML or netrc file")
    if os.name == "posix" and state.st_mode & 0o077:
        raise UsageError(f"--auth {path} can be read by others; take that away: chmod 600 {path}")
    if state.st_size > LARGEST:
        raise UsageError(f"--auth {path} is larger than a file of credentials can be")


def _of_netrc(path: Path) -> Iterator[tuple[str, Credential]]:
    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as wrong:  # its text may hold a password
        raise UsageError(f"--auth {path} is no netrc file: look at line {wrong.lineno}") from None
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"--auth {path} cannot be read as a netrc file") from None
    for host, (login, _, password) in hosts.items():
        yield ("*" if host == "default" else host.lower()), Credential(_basic(f"{login}:{password}"))


def _of_toml(path: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Credential]]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"--auth {path} cannot be read as text") from None
    except tomllib.TOMLDecodeError as wrong:
        place = re.search(r"\(at [^)]*\)", str(wrong))
        raise UsageError(f"--auth {path} is no TOML {place[0] if place else ''}".rstrip()) from None
    hosts = document.pop("hosts", None)
    if document or not isinstance(hosts, dict):
        raise UsageError(f'--auth {path} needs tables [hosts."NAME"], and has nothing beside them')
    for host, table in hosts.items():
        yield host.lower(), _credential(_Reading(path, host, environment), table)


@dataclass(frozen=True, slots=True)
class _Reading:
    path: Path
    host: str
    environment: Mapping[str, str]

    def wrong(self, text: str) -> UsageError:
        return UsageError(f'--auth {self.path}, [hosts."{self.host}"]: {text}')

    def value(self, name: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{name} is no text")
        if value.startswith("env:"):
            variable = value.removeprefix("env:")
            value = self.environment.get(variable, "")
            if not value:
                raise self.wrong(f"{name} names the environment variable {variable}, which is not set")
        _require_one_line(value, f'--auth {self.path}, [hosts."{self.host}"]: {name}')
        return value

    def table(self, table: Mapping[str, object], name: str) -> dict[str, str]:
        inner = table.get(name, {})
        if not isinstance(inner, dict):
            raise self.wrong(f"{name} is a table, as in {name} = {{ NAME = 'env:VARIABLE' }}")
        return {key: self.value(f"{name}.{key}", value) for key, value in inner.items()}


def _require_one_line(value: str, place: str) -> None:
    if any(sign in value for sign in "\r\n\0") or not value.isprintable():
        raise UsageError(f"{place} has signs that no header can hold")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise UsageError(f"{place} has signs that no header can hold") from None


def _credential(reading: _Reading, table: object) -> Credential:
    if not isinstance(table, dict):
        raise reading.wrong("it is no table")
    for name in table:
        if name not in (*_SIMPLE, *_TABLES):
            raise reading.wrong(f"{name} is unknown; there are {', '.join((*_SIMPLE, *_TABLES))}")
    headers: list[tuple[str, str]] = []
    if "bearer" in table:
        headers.append(("Authorization", f"Bearer {reading.value('bearer', table['bearer'])}"))
    if "basic" in table:
        headers.extend(_basic(reading.value("basic", table["basic"])))
    headers.extend(reading.table(table, "headers").items())
    query = tuple(reading.table(table, "query").items())
    secret = reading.value("secret", table["secret"]) if "secret" in table else ""
    return Credential(tuple(headers), query, secret, _aws(reading, table) if "aws" in table else None)


def _basic(pair: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Basic {base64.b64encode(pair.encode('utf-8')).decode()}"),)


def _aws(reading: _Reading, table: Mapping[str, object]) -> AwsKey:
    fields = reading.table(table, "aws")
    if not {"access_key", "secret_key"} <= fields.keys() <= {"access_key", "secret_key", "token", "region", "service"}:
        raise reading.wrong("aws has access_key and secret_key, and may have token, region and service")
    return AwsKey(**fields)
