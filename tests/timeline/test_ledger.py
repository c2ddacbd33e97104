"""The truth rule at its edges; `tests/properties/test_truth_rule.py` holds it against the rule in words."""

from __future__ import annotations

import pytest

from durable_replay.timeline.ledger import Fact, History, choose, is_true, live_mark, tape_mark
from durable_replay.timeline.resource import Key


@pytest.mark.parametrize("depth", [1, 2, 61, 62, 63, 64, 125, 126, 127, 300])
def test_a_write_far_above_a_key_is_seen_however_deep_the_key_lies(depth: int) -> None:
    above: Key = ("a",) * depth
    history = History()
    history.add(tape_mark(1), [above])
    assert history.digest(((*above, "b"),)) != 0
    both = History()
    both.add(tape_mark(1), [above, (*above, "b")])
    assert both.digest(((*above, "b"),)) != 0


def test_the_order_of_writes_does_not_matter() -> None:
    one, other = History(), History()
    one.add(tape_mark(1), [("a", "b")])
    one.add(tape_mark(2), [("a",)])
    other.add(tape_mark(2), [("a",)])
    other.add(tape_mark(1), [("a", "b")])
    for key in (("a",), ("a", "b"), ("a", "b", "c")):
        assert one.digest((key,)) == other.digest((key,)) != 0
    assert one.digest((("b",),)) == 0


def test_the_same_writes_to_other_keys_are_another_history() -> None:
    one, other = History(), History()
    one.add(tape_mark(1), [("a",)])
    other.add(tape_mark(1), [("b",)])
    assert one.digest((("a",), ("b",))) != other.digest((("a",), ("b",)))


def test_a_sibling_write_leaves_a_recording_true_and_one_below_or_above_does_not() -> None:
    fact = Fact(1, (("task", "1", "10"),), (), 0)
    for written, true in ((("task", "1", "11"), True), (("task", "1"), False), (("task", "1", "10", "x"), False)):
        history = History()
        history.add(live_mark("s", 1), [written])
        assert is_true(fact, history) is true


def test_recordings_of_one_request_are_told_in_order_and_the_last_repeats() -> None:
    facts = [Fact(number, (("a",),), (), 0) for number in (3, 5, 8)]
    cursor, told = 0, []
    for _ in range(5):
        found = choose(facts, History(), cursor, lambda number: False)
        assert found is not None
        cursor = found.number
        told.append(cursor)
    assert told == [3, 5, 8, 8, 8]
