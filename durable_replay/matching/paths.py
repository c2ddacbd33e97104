"""Paths into a parsed body: `$.a.b`, `$.a[0]`, `$.a.*`, `$.a[*]`, `$['odd.name']`, `$..name` (at any depth)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from durable_replay.errors import UsageError

__all__ = ["Json", "Path", "leaves", "parse_path", "removed", "selected"]

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Path = tuple[str | int, ...]
"""The steps of a path; `*` is any step, `**` any number of steps."""

_STEP = re.compile(r"(\.\.?)([^.\[\]]+)|\[(\d+|\*)\]|\['([^']*)'\]")


@lru_cache(maxsize=1024)
def parse_path(text: str) -> Path:
    """The steps of a path; UsageError where it is none.

    >>> parse_path("$.items[0]..id")
    ('items', 0, '**', 'id')
    """
    steps: list[str | int] = []
    at = 1
    while at < len(text) and (step := _STEP.match(text, at)):
        dots, name, index, quoted = step.groups()
        steps += ["**"] if dots == ".." else []
        steps.append(name or quoted or (index if index == "*" else int(index or 0)))
        at = step.end()
    if not text.startswith("$") or at != len(text) or not steps:
        raise UsageError(f"'{text}' is no path into a body; write for example $.fields.summary, $.items[0] or $..id")
    return tuple(steps)


def selected(value: Json, path: Path) -> Iterator[Json]:
    """What lies at a path, in the body's order."""
    if not path:
        yield value
        return
    step, rest = path[0], path[1:]
    if step == "**":
        yield from selected(value, rest)
        for _, child in _children(value):
            yield from selected(child, path)
        return
    for name, child in _children(value):
        if step in ("*", name):
            yield from selected(child, rest)


def removed(value: Json, path: Path) -> Json:
    """A copy without what lies at a path; untouched parts are shared."""
    step, rest = path[0], path[1:]
    if step == "**":
        value = removed(value, rest)
        return _rebuilt(value, {name: removed(child, path) for name, child in _children(value)})
    kept = {name: child for name, child in _children(value) if rest or step not in ("*", name)}
    for name, child in kept.items():
        if rest and step in ("*", name):
            kept[name] = removed(child, rest)
    return _rebuilt(value, kept)


def _children(value: Json) -> list[tuple[str | int, Json]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _rebuilt(value: Json, children: dict[str | int, Json]) -> Json:
    if isinstance(value, dict):
        return {str(name): child for name, child in children.items()}
    return list(children.values()) if isinstance(value, list) else value


def leaves(value: Json, at: str = "$", depth: int = 50) -> Iterator[tuple[str, Json]]:
    """Every value that holds no others, with its path; an empty object or list is one, and what lies below `depth`."""
    children = _children(value) if depth else []
    if not children:
        yield at, value
    for name, child in children:
        yield from leaves(child, f"{at}[{name}]" if isinstance(name, int) else f"{at}.{name}", depth - 1)
