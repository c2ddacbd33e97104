"""What was noted at the places of one endpoint, by path, with maps joined; and the noise that was learnt from it."""

from __future__ import annotations

import json
from collections.abc import Collection

from durable_replay.drift.difference import Evidence
from durable_replay.drift.values import Note, Place, Record, Sides

__all__ = ["Noted"]

_VARIES = (Note.success, Note.value, Note.type, Note.empty, Note.length, Note.order)
_COMES_AND_GOES = (Note.gone, Note.new)


class Noted:
    """Records by path. `maps` are the paths of objects whose keys are data."""

    def __init__(self, root: Place, maps: Collection[str], lists: bool = False) -> None:
        self.lists = lists
        """Whether the answers are listings, in which some names are of pages."""
        self.by_path: dict[str, dict[int, Record]] = {}
        self._flatten(root, root.step, maps)

    def _flatten(self, place: Place, path: str, maps: Collection[str]) -> None:
        if place.records:
            known = self.by_path.setdefault(path, {})
            for key, record in place.records.items():
                if key in known:
                    known[key].add(record)
                else:
                    known[key] = Record()
                    known[key].add(record)
        for child in place.below.values():
            step = "{}" if path in maps and child.step != "[]" else child.step
            self._flatten(child, path + step, maps)

    def explained(self, path: str, note: Note) -> None:
        """Forgets what has its cause in a difference elsewhere."""
        self.by_path.get(path, {}).pop(note + Sides.before_after, None)

    def between(self, path: str, note: Note) -> Record | None:
        """What pairs of before and after showed."""
        return self.by_path.get(path, {}).get(note + Sides.before_after)

    def varies(self, path: str) -> str:
        """Why values at a path are noise, with the recordings as evidence; "" where they are none."""
        records = self.by_path.get(path, {})
        for sides, name in ((Sides.before, "before"), (Sides.after, "after")):
            for note in (*_VARIES, *_COMES_AND_GOES):
                record = records.get(note + sides)
                if record is not None:
                    return _evidence("varies", record, name)
        return self._of_passing_entries(path) or self._of_passing_elements(path)

    def _of_passing_entries(self, path: str) -> str:
        """Why what is in a map's entries is noise: between recordings of one request entries come and go, and one that
        is there again need not be the same thing."""
        entry = path[: path.rfind("{}") + 2]
        return self.comes_and_goes(entry) if entry != path and entry.endswith("{}") else ""

    def _of_passing_elements(self, path: str) -> str:
        """Why what is in an array's elements is noise: from recording to recording they are of another type, so that
        what stands in one place is another thing each time."""
        elements = path[: path.rfind("[]") + 2]
        if elements in ("", path) or not elements.endswith("[]"):
            return ""
        return self._learnt(elements, (Note.type,), "varies")

    def varied_before(self, path: str) -> str:
        """The same, from recordings of the before side alone."""
        return self._learnt(path, _VARIES, "varies")

    def comes_and_goes(self, path: str) -> str:
        """Why the presence of a field is noise, learnt on the before side."""
        return self._learnt(path, _COMES_AND_GOES, "comes and goes")

    def _learnt(self, path: str, notes: Collection[Note], verb: str) -> str:
        records = self.by_path.get(path, {})
        for note in notes:
            record = records.get(note + Sides.before)
            if record is not None:
                return _evidence(verb, record, "before")
        return ""

    def evidence(self, repeats: float, requests: tuple[int, int], untyped: bool) -> Evidence:
        """What the judgement of shapes needs to know."""
        lost: dict[str, int] = {}
        emptied: dict[str, int] = {}
        filled: dict[str, int] = {}
        changed: dict[str, frozenset[tuple[str, str]]] = {}
        for path in self.by_path:
            gone = self.between(path, Note.gone)
            if gone is not None and gone.strong and not self.comes_and_goes(path):
                lost[path] = gone.strong
            empty = self.between(path, Note.empty)
            if empty is not None and empty.strong:
                (emptied if empty.examples[0][4] == "{}" else filled)[path] = empty.strong
            value = self.between(path, Note.value)
            if value is not None:
                changed[path] = frozenset(_texts(value))
        return Evidence(lost, emptied, filled, changed, repeats, requests, untyped)


def _evidence(verb: str, record: Record, side: str) -> str:
    first = record.examples[0]
    return f"{verb} between #{first[0]} and #{first[1]}, recordings of one request on the {side} side"


def _texts(record: Record) -> list[tuple[str, str]]:
    """Both sides of the examples that are whole strings."""
    texts = []
    for example in record.examples:
        try:
            before, after = json.loads(example[3]), json.loads(example[4])
        except ValueError:
            continue  # cut short
        if isinstance(before, str) and isinstance(after, str):
            texts.append((before, after))
    return texts
