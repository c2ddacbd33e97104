"""A tape of nothing: each question has an answer, and none of them is a recording."""

from __future__ import annotations

import pytest

from durable_replay.timeline.tape import EmptyTape


def test_an_empty_tape_knows_nothing() -> None:
    tape = EmptyTape()
    assert (len(tape), tape.start, tape.highest(("s",), "")) == (0, 0.0, 0)
    assert not [*tape.candidates(b"k"), *tape.listing(b"k"), *tape.writes(), *tape.nearest("h", 9)]
    assert not [*tape.seen(("s",)), *tape.seen_below(())]
    assert tape.body("sha256:" + "0" * 64) is None


@pytest.mark.parametrize("number", [0, 1])
def test_an_empty_tape_has_no_interaction(number: int) -> None:
    with pytest.raises(LookupError):
        EmptyTape().fact(number)
    with pytest.raises(LookupError):
        EmptyTape().interaction(number)
