"""Which elements of two arrays are the same thing."""

from __future__ import annotations

from durable_replay.drift.align import align


def test_things_are_found_by_their_id_wherever_they_stand() -> None:
    found = align([{"id": 1}, {"id": 2}, {"id": 3}], [{"id": 3}, {"id": 1}, {"id": 4}])
    assert (found.pairs, found.gone, found.new, found.moved) == ([(0, 1), (2, 0)], [1], [2], (2, 0))


def test_things_with_ids_that_are_all_others_only_stand_in_the_same_place() -> None:
    found = align([{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}])
    assert (found.pairs, found.others) == ([(0, 0), (1, 1)], True)


def test_a_renamed_thing_is_the_same_where_the_others_stay() -> None:
    found = align([{"name": "a"}, {"name": "b"}], [{"name": "a"}, {"name": "c"}])
    assert (found.pairs, found.gone, found.new, found.others) == ([(0, 0), (1, 1)], [], [], False)


def test_equal_elements_find_each_other() -> None:
    found = align(["a", "b", "c"], ["c", "a", "x"])
    assert (found.pairs, found.gone, found.new) == ([(1, 2)], [], [])
    assert found.moved is not None


def test_elements_without_id_are_paired_with_their_like() -> None:
    found = align([{"type": "a", "v": 1}, {"type": "b", "v": 1}], [{"type": "b", "v": 2}, {"type": "a", "v": 2}])
    assert sorted(found.pairs) == [(0, 1), (1, 0)]


def test_1_and_true_are_not_equal() -> None:
    assert align([1], [True]).pairs == [(0, 0)]
    assert align([{"a": 1}], [{"a": True}]).pairs == [(0, 0)]
