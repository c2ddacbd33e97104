"""The after side of `diff --emulator`: what our emulators answer, where they could know the answer."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.drift.emulated import Asked, Standing, ask_emulators
from durable_replay.drift.sources import Side, Tapes
from durable_replay.http import Interaction
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.tape import Tape

__all__ = ["Emulated", "emulated_side"]

Progress = Callable[[int, int], None]
_EVERY = 50
_ASIDE: tuple[tuple[Standing, str], ...] = (
    ("first", "tell of something for the first time on the tape, which no emulator can know"),
    ("refused", "ask for what the emulator says that it does not model"),
    ("not emulated", "are of operations that are not emulated"),
    ("unknown", "are of no operation that a service knows"),
    ("conversation", "are WebSocket conversations"),
)


@dataclass(frozen=True, slots=True)
class Emulated:
    """Both sides, with the same places: recorded interactions that an emulator was asked for, and its answers."""

    before: Side
    after: Side
    standings: Counter[Standing]

    def notes(self) -> tuple[str, ...]:
        """What was not compared, and why."""
        counts = ((self.standings[standing], text) for standing, text in _ASIDE)
        return tuple(f"{count:,} interactions {text}" for count, text in counts if count)


def emulated_side(
    opened: ExitStack, tape: Tape, recorded: Side, indexing: Indexing, folder: Path, on_progress: Progress
) -> Emulated:
    """Asks the emulators for each interaction of a tape; their answers go into a cassette in `folder`, which is to be
    empty. `recorded` is the same tape as a side."""
    path, numbers, standings = folder / "emulated.cassette", [], Counter[Standing]()
    with CassetteWriter.open(path) as writer:
        for asked in ask_emulators(tape, indexing):
            standings[asked.standing] += 1
            if asked.interaction.number % _EVERY == 0:
                on_progress(asked.interaction.number, len(tape))
            if asked.standing == "asked":
                writer.append(_answered(asked))
                numbers.append(asked.interaction.number)
    answers = opened.enter_context(Tapes([path]))
    return Emulated(_Chosen(recorded, numbers), _Renumbered(answers, numbers), standings)


def _answered(asked: Asked) -> Interaction:
    assert asked.answer is not None
    return replace(asked.interaction, response=asked.answer.response, note=asked.answer.why)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The interactions of a side that stand at these places."""

    side: Side
    numbers: list[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Interaction]:
        return map(self.side.interaction, self.numbers)

    def interaction(self, number: int) -> Interaction:
        """See `Side`."""
        return self.side.interaction(number)


@dataclass(frozen=True, slots=True)
class _Renumbered:
    """A side whose interactions take the places of others."""

    side: Side
    numbers: list[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Interaction]:
        for interaction, number in zip(self.side, self.numbers, strict=True):
            yield replace(interaction, number=number)

    def interaction(self, number: int) -> Interaction:
        """See `Side`."""
        at = bisect_left(self.numbers, number)
        if at >= len(self.numbers) or self.numbers[at] != number:
            raise LookupError(number)
        return replace(self.side.interaction(at + 1), number=number)
