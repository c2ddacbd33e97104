"""Property 0: the sums of `ledger` say what the rule says in words."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from durable_replay.timeline.ledger import Fact, History, choose, is_true, live_mark, tape_mark
from durable_replay.timeline.resource import Key, overlap

parts = st.sampled_from(["a", "b", "c"])
keys: st.SearchStrategy[Key] = st.lists(parts, min_size=1, max_size=4).map(tuple)
deep_keys: st.SearchStrategy[Key] = st.integers(55, 140).map(lambda depth: ("a",) * depth)
footprints = st.lists(st.one_of(keys, deep_keys), max_size=3).map(tuple)
tapes = st.lists(st.tuples(footprints, footprints), max_size=8)


def touches(written: Iterable[Key], read: Iterable[Key]) -> bool:
    return any(overlap(one, other) for one in written for other in read)


def facts_of(tape: list[tuple[tuple[Key, ...], tuple[Key, ...]]]) -> list[Fact]:
    history, facts = History(), []
    for number, (reads, writes) in enumerate(tape, 1):
        facts.append(Fact(number, reads, writes, history.digest((*reads, *writes))))
        if writes:
            history.add(tape_mark(number), writes)
    return facts


@given(tapes, st.sets(st.integers(1, 8)), st.lists(footprints.filter(bool), max_size=3), st.randoms())
def test_a_recording_is_true_exactly_when_the_rule_in_words_says_so(
    tape: list[tuple[tuple[Key, ...], tuple[Key, ...]]],
    chosen: set[int],
    live: list[tuple[Key, ...]],
    random: st.DataObject,
) -> None:
    facts = facts_of(tape)
    played = [fact for fact in facts if fact.writes and fact.number in chosen]
    events = [(tape_mark(fact.number), fact.writes) for fact in played]
    events += [(live_mark("s", ordinal), written) for ordinal, written in enumerate(live, 1)]
    random.shuffle(events)  # type: ignore[attr-defined]
    history = History()
    for mark, written in events:
        history.add(mark, written)
    for fact in facts:
        before = {one.number for one in facts if one.number < fact.number and touches(one.writes, fact.keys)}
        here = {one.number for one in played if touches(one.writes, fact.keys)}
        undisturbed = not any(touches(written, fact.keys) for written in live)
        assert is_true(fact, history) == (before == here and undisturbed)


@given(st.lists(keys, min_size=1, max_size=4), st.integers(0, 200))
def test_no_two_sessions_and_no_tape_share_a_mark(written: list[Key], ordinal: int) -> None:
    marks = {tape_mark(ordinal), live_mark("s", ordinal), live_mark("t", ordinal), live_mark("s", ordinal + 1)}
    assert len(marks) == 4
    history = History()
    for mark in (live_mark("s", ordinal), live_mark("s", ordinal + 1)):
        history.add(mark, written)
    assert history.digest(written) != 0


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
    st.sets(st.integers(1, 30)),
    st.sets(st.integers(1, 30)),
    st.sets(st.integers(1, 30)),
    st.integers(0, 30),
)
def test_the_next_true_one_after_the_cursor_is_chosen_else_the_last_true_one(
    numbers: list[int], false: set[int], writes: set[int], played: set[int], cursor: int
) -> None:
    key = (("a",),)
    facts = [Fact(n, key, key if n in writes else (), 1 if n in false else 0) for n in sorted(numbers)]
    left = [one.number for one in facts if one.number not in false and one.number not in writes & played]
    later = [number for number in left if number > cursor]
    expected = later[0] if later else (left[-1] if left else None)
    found = choose(facts, History(), cursor, played.__contains__)
    assert (found.number if found else None) == expected
