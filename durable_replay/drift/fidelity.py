"""How well our own emulators answer: their answers against the recorded ones, operation by operation.

Three shares, each of what could be compared. *Status*: the answers with the recorded status. *Keys*: of the paths in
both bodies together, those that both have (array elements are one path). *Values*: of the places that both bodies
have, those with the same value, where ids, times and tokens that the emulator made count as the recorded ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from durable_replay.drift.documents import Node, document
from durable_replay.drift.emulated import Asked, Standing
from durable_replay.drift.formats import same_but_volatile
from durable_replay.http import Response

__all__ = ["Agreement", "Difference", "Row", "agreement", "differences", "rows"]

_MOST = 20_000
"""Places of one body that are compared."""
_MISSING = object()
_NO_IDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one answer. `keys` and `values` are (same, of so many); (0, 0) where nothing can be compared."""

    status: bool
    keys: tuple[int, int] = (0, 0)
    values: tuple[int, int] = (0, 0)
    differing: tuple[str, ...] = ()
    """What differs, each as one line without values: `body.$.total other`, `body.$.self missing`, `… extra`."""


@dataclass(slots=True)
class Row:
    """One operation of one service, over all its recordings."""

    service: str
    operation: str
    standing: Counter[Standing] = field(default_factory=Counter)
    status: int = 0
    keys: tuple[int, int] = (0, 0)
    values: tuple[int, int] = (0, 0)

    @property
    def recorded(self) -> int:
        """Interactions of it, of whatever standing."""
        return self.standing.total()

    def add(self, one: Agreement) -> None:
        """Counts one more answer that was asked for."""
        self.status += one.status
        self.keys = (self.keys[0] + one.keys[0], self.keys[1] + one.keys[1])
        self.values = (self.values[0] + one.values[0], self.values[1] + one.values[1])

    def join(self, other: Row) -> None:
        """Takes the counts of the same operation on another tape."""
        self.standing.update(other.standing)
        self.status += other.status
        self.keys = (self.keys[0] + other.keys[0], self.keys[1] + other.keys[1])
        self.values = (self.values[0] + other.values[0], self.values[1] + other.values[1])


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing in which an operation's emulated answers differ from recorded ones; for lists of known differences."""

    operation: str
    what: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.what}"


def rows(asked: Iterable[Asked]) -> list[Row]:
    """One row for each operation that was recorded, by service and name; what no service knows is the row "" of ""."""
    found: dict[tuple[str, str], Row] = {}
    for one in asked:
        service, _, name = one.operation.partition(".")
        row = found.setdefault((service, name), Row(service, name))
        row.standing[one.standing] += 1
        if one.standing == "asked" and one.answer is not None:
            row.add(agreement(one.interaction.response, one.answer.response, one.ids))
    return [found[key] for key in sorted(found)]


def differences(asked: Iterable[Asked]) -> Iterator[Difference]:
    """What differs in the answers that an emulator was asked for and could know."""
    for one in asked:
        if one.standing == "asked" and one.answer is not None:
            for what in agreement(one.interaction.response, one.answer.response, one.ids).differing:
                yield Difference(one.operation, what)


def agreement(recorded: Response, emulated: Response, ids: Mapping[str, str] = _NO_IDS) -> Agreement:
    """How much of a recorded answer an emulated one tells; bodies of different statuses are not compared.

    `ids` maps ids that the emulator made to the recorded ones.
    """
    if recorded.status != emulated.status:
        return Agreement(False, differing=(f"status {emulated.status}, recorded {recorded.status}",))
    ours, theirs = _read(emulated), _read(recorded)
    if ours.keys() == theirs.keys() == {"$"} and ours["$"] == theirs["$"]:
        return Agreement(True, (1, 1), (1, 1))
    differing: dict[str, None] = {}
    ours_paths, theirs_paths = {_path(place) for place in ours}, {_path(place) for place in theirs}
    differing.update((f"body.{path} missing", None) for path in _outermost(theirs_paths - ours_paths))
    differing.update((f"body.{path} extra", None) for path in _outermost(ours_paths - theirs_paths))
    same, both = 0, 0
    for place, value in theirs.items():
        other = ours.get(place, _MISSING)
        if other is _MISSING or (value is _INNER and other is _INNER):
            continue
        both += 1
        if _same(place, value, other, ids):
            same += 1
        else:
            differing[f"body.{_path(place)} other"] = None
    keys = (len(ours_paths & theirs_paths), len(ours_paths | theirs_paths))
    return Agreement(True, keys, (same, both), tuple(differing))


_INNER = object()


def _same(place: str, recorded: object, emulated: object, ids: Mapping[str, str]) -> bool:
    if recorded is _INNER or emulated is _INNER or isinstance(recorded, bool) is not isinstance(emulated, bool):
        return False  # for Python, true is 1
    if recorded == emulated:
        return True
    if type(recorded) is type(emulated) and ids.get(str(emulated)) == str(recorded):
        return True
    name = place.rpartition(".")[2].partition("[")[0]
    return bool(same_but_volatile(name, recorded, emulated))  # type: ignore[arg-type]


def _outermost(paths: set[str]) -> list[str]:
    """Those that stand in none of the others."""
    found: list[str] = []
    for path in sorted(paths):
        if not (found and path.startswith((f"{found[-1]}.", f"{found[-1]}["))):
            found.append(path)
    return found


def _path(place: str) -> str:
    """A place with its indexes blanked."""
    if "[" not in place:
        return place
    parts = place.split("[")
    return parts[0] + "".join("[" + part.partition("]")[1] + part.partition("]")[2] for part in parts[1:])


def _read(response: Response) -> dict[str, object]:
    """The places of a body with their values; `_INNER` where an object or array stands."""
    found: dict[str, object] = {}
    for place, value in _places(document(response.headers, response.body).root, "$"):
        if len(found) >= _MOST:
            break
        found[place] = value
    return found


def _places(node: Node, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        yield place, _INNER
        for name, value in node.items():
            yield from _places(value, f"{place}.{name}")
    elif isinstance(node, list):
        yield place, _INNER
        for at, value in enumerate(node):
            yield from _places(value, f"{place}[{at}]")
    else:
        yield place, node
