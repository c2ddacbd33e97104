"""`durable-replay diff FILE --emulator`: the after side is what our emulators answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting

if TYPE_CHECKING:
    from durable_replay.drift.emulated_side import Emulated
    from durable_replay.drift.outcome import Outcome
    from durable_replay.drift.sources import Side
    from durable_replay.timeline.indexing import Indexing

__all__ = ["EmulatedSides", "Emulator", "asked_emulators"]

Emulator = Annotated[
    bool, typer.Option("--emulator", help="Compare with what our emulators answer, where they could know. No AFTER.")
]


@dataclass(frozen=True, slots=True)
class EmulatedSides:
    """What the emulators were asked for, and what they said."""

    emulated: Emulated
    named: str = "the emulators"
    next_step: str | None = "`durable-replay fidelity` counts by operation how far the emulators agree."

    @property
    def before(self) -> Side:
        return self.emulated.before

    @property
    def after(self) -> Side:
        return self.emulated.after

    @property
    def is_comparable(self) -> bool:
        """Whether anything was asked."""
        return len(self.emulated.before) > 0

    def ending(self, compared: Outcome | None) -> Outcome:
        """How the command ends. That there was nothing to ask raises UsageError, with the reasons."""
        from durable_replay.errors import UsageError

        if compared is None:
            reasons = "; ".join(self.notes()) or "the cassette is empty"
            raise UsageError(f"there is nothing that an emulator could be asked for: {reasons}")
        return compared

    def notes(self) -> tuple[str, ...]:
        """What was not compared, and why."""
        return self.emulated.notes()


def asked_emulators(opened: ExitStack, befores: Sequence[Path], indexing: Indexing) -> EmulatedSides:
    """Asks them for all that the cassettes hold; open as long as `opened` is."""
    from durable_replay.drift.emulated_side import emulated_side
    from durable_replay.drift.sources import Tapes
    from durable_replay.timeline.recordings import Recordings, open_tape

    folder = Path(opened.enter_context(TemporaryDirectory(prefix="durable-replay-")))
    recorded = opened.enter_context(Tapes(befores))
    with counting("indexing") as progress:
        tape = open_tape(befores, indexing, progress)
    if isinstance(tape, Recordings):
        opened.callback(tape.close)
    with counting("asking") as progress:
        return EmulatedSides(emulated_side(opened, tape, recorded, indexing, folder, progress))
