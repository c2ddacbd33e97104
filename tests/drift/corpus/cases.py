"""A corpus as data: each case is an endpoint of a service, how it answers in v1 and v2, and what its user would say.

A case in YAML::

    - case: a field is added
      ask: GET /products/{1001..1004}          # or a list; {{uuid}} in it differs from recording to recording
      times: 2                                 # how often each target is asked
      send: {json: {...}} | {form: ...} | {text: ..., type: ...}
      answer: {status: 200, type: json, headers: {...}, body: ..., wire: [gzip?]}   # see rendering.py, server.py
      v2: {body.weight: "{{=int 1 9}}", headers.X-Old: $gone, replace: {"<a>": "<b>"}}
      only: v2                                 # asked in this version alone
      labels:
        - body.$.weight: field-added           # alternatives: `path | path: kind | kind`; `*` in a path is anything

A case without labels is noise. Labels name the change as the API's user sees it, one for each cause.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from tests.drift.corpus.rendering import Chance, Place, Tree, render

__all__ = ["Case", "Label", "Step", "load"]

Step: TypeAlias = "dict[str, Tree]"
"""One request for client.py: method, target, and what is sent with it."""

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_VARIABLE = re.compile(r"\{\{.*?\}\}|\{\d+\.\.\d+\}|(?<=/)\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Label:
    """One change: any of `paths`, of any of `kinds`, at the endpoints of its case."""

    case: str
    endpoints: tuple[tuple[str, re.Pattern[str]], ...]
    """Method and pattern of the templated path."""
    sent: str
    """The body that is sent: what a call of XML-RPC or SOAP asks for is named in it, not in the path."""
    paths: tuple[re.Pattern[str], ...]
    kinds: frozenset[str]
    text: str

    def fits(self, method: str, endpoint: str, path: str, kind: str) -> bool:
        """Whether a finding says this."""
        return (
            kind in self.kinds and self._at(method, endpoint) and any(pattern.fullmatch(path) for pattern in self.paths)
        )

    def _at(self, method: str, endpoint: str) -> bool:
        if method == "CALL":
            return endpoint in self.sent
        return any(method in (own, "WEBSOCKET") and pattern.fullmatch(endpoint) for own, pattern in self.endpoints)

    def __str__(self) -> str:
        return f"{self.case}: {self.text}"


@dataclass(frozen=True, slots=True)
class Case:
    """One endpoint (or a few that belong together) of the service."""

    name: str
    asks: tuple[tuple[str, str], ...]
    times: int
    send: Mapping[str, Tree]
    versions: Mapping[str, Mapping[str, Tree]]
    """The template of an answer by version."""
    only: str
    labels: tuple[Label, ...]

    def serves(self, method: str, target: str) -> bool:
        """Whether a request is of this case."""
        return any(own == method and _targets(ask).fullmatch(target) for own, ask in self.asks)

    def steps(self, version: str, chance: Chance) -> Iterator[Step]:
        """The requests that the client makes."""
        if self.only not in ("", version):
            return
        for _ in range(self.times):
            for method, ask in self.asks:
                for target in _expanded(ask):
                    place = Place(chance, target, "")
                    step = render({**self.send, "method": method, "target": target}, place)
                    assert isinstance(step, dict)
                    yield step


def load(folder: Path) -> tuple[Case, ...]:
    """All cases of a folder's YAML files."""
    return tuple(
        _case(raw) for path in sorted(folder.glob("*.yaml")) for raw in yaml.safe_load(path.read_text("utf-8"))
    )


def _case(raw: Mapping[str, Tree]) -> Case:
    unknown = set(raw) - {"case", "ask", "times", "send", "answer", "v2", "only", "labels"}
    name = str(raw["case"])
    assert not unknown, f"{name}: {unknown}"
    given = raw["ask"]
    asks = tuple(_split(str(ask)) for ask in (given if isinstance(given, list) else [given]))
    answer, edits, send = raw["answer"], raw.get("v2", {}), raw.get("send", {})
    assert isinstance(answer, dict) and isinstance(edits, dict) and isinstance(send, dict)
    return Case(
        name=name,
        asks=asks,
        times=int(str(raw.get("times", 1))),
        send=send,
        versions={"v1": answer, "v2": edited(answer, edits)},
        only=str(raw.get("only", "")),
        labels=tuple(_labels(name, asks, str(send.get("text", "")), raw.get("labels", []))),
    )


def _split(ask: str) -> tuple[str, str]:
    method, _, target = ask.partition(" ")
    return method, target


def _labels(case: str, asks: tuple[tuple[str, str], ...], sent: str, given: Tree) -> Iterator[Label]:
    assert isinstance(given, list)
    endpoints = tuple((("GET" if method == "WS" else method), _endpoint(target)) for method, target in asks)
    for each in given:
        assert isinstance(each, dict)
        for paths, given_kinds in each.items():
            kinds = str(given_kinds)
            yield Label(
                case=case,
                endpoints=endpoints,
                sent=sent,
                paths=tuple(_globbed(path.strip()) for path in paths.split(" | ")),
                kinds=frozenset(kind.strip() for kind in kinds.split("|")),
                text=f"{paths} {kinds}",
            )


def _globbed(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, path.split("*"))), re.DOTALL)


def _endpoint(target: str) -> re.Pattern[str]:
    """A templated path: a part that varies may be blanked in any way."""
    parts = target.partition("?")[0].split("/")
    return re.compile("/".join("[^/]+" if _VARIABLE.search(f"/{part}") else re.escape(part) for part in parts))


def _targets(ask: str) -> re.Pattern[str]:
    return re.compile("[^/?]+".join(map(re.escape, _VARIABLE.split(ask))))


def _expanded(ask: str) -> Iterator[str]:
    found = _RANGE.search(ask)
    if not found:
        yield ask
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield from _expanded(f"{ask[: found.start()]}{number}{ask[found.end() :]}")


# -- v2 as edits of v1 -------------------------------------------------------------------------------------------------


def edited(answer: Mapping[str, Tree], edits: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """A copy of an answer's template in which `path: value` is set, `path: $gone` taken away, and texts replaced."""
    changed = copy.deepcopy(dict(answer))
    for path, value in edits.items():
        if path == "replace":
            assert isinstance(value, dict)
            changed["body"] = _replaced(changed["body"], value)
        else:
            _set(changed, path.split("."), value)
    return changed


def _replaced(body: Tree, pairs: Mapping[str, Tree]) -> str:
    text = str(body)
    for old, new in pairs.items():
        assert old in text, f"{old!r} is not in the body"
        text = text.replace(old, str(new))
    return text


def _set(tree: Tree, path: list[str], value: Tree) -> None:
    head, *rest = path
    if isinstance(tree, list):
        if rest:
            _set(tree[int(head)], rest, value)
        else:
            tree[int(head)] = value
        return
    assert isinstance(tree, dict), path
    if rest:
        _set(tree.setdefault(head, {}), rest, value)
    elif value == "$gone":
        del tree[head]
    else:
        tree[head] = value
