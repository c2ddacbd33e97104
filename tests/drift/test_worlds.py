"""Hosts and tenants that are one are taken for one, and it is told."""

from __future__ import annotations

from durable_replay.drift.worlds import Worlds


def places(*seen: tuple[str, str, int]) -> tuple[Worlds, list[int]]:
    worlds = Worlds()
    return worlds, [worlds.see(*one) for one in seen]


def test_the_one_host_that_each_side_has_alone_is_one() -> None:
    worlds, (old, new, both) = places(("h:1", "h:1", 1), ("h:2", "h:2", 2), ("x", "x", 1))
    worlds.see("x", "x", 2)
    worlds.settle({}, lambda one, other: True)
    assert (worlds.of(new), worlds.of(both)) == (old, both)
    assert list(worlds.by_number()) == ["h:1", "h:1", "x"]
    assert [(one.text, other.text) for one, other in worlds.joined] == [("h:2", "h:1")]


def test_two_hosts_that_serve_nothing_in_common_are_two() -> None:
    worlds, (_, new) = places(("a", "a", 1), ("b", "b", 2))
    worlds.settle({}, lambda one, other: False)
    assert (worlds.of(new), worlds.in_common, worlds.joined) == (new, False, ())


def test_of_several_hosts_none_is_guessed_and_a_word_of_the_user_decides() -> None:
    seen = (("h:1", "h:1", 1), ("h:2", "h:2", 1), ("h:3", "h:3", 2), ("h:4", "h:4", 2))
    worlds, _ = places(*seen)
    worlds.settle({}, lambda one, other: True)
    assert worlds.joined == ()
    worlds, _ = places(*seen)
    worlds.settle({"h:2": "h:3"}, lambda one, other: False)
    assert list(worlds.by_number()) == ["h:1", "h:2", "h:2", "h:4"]


def test_when_one_is_named_the_one_that_is_left_is_found() -> None:
    worlds, _ = places(("h:1", "h:1", 1), ("h:2", "h:2", 1), ("h:3", "h:3", 2), ("h:4", "h:4", 2))
    worlds.settle({"h:4": "h:1"}, lambda one, other: True)
    assert list(worlds.by_number()) == ["h:1", "h:2", "h:2", "h:1"]


def test_the_tenant_that_each_side_has_alone_is_one() -> None:
    worlds, (old, new) = places(("jira:production", "jira", 1), ("jira:sandbox", "jira", 2))
    worlds.settle({}, lambda one, other: True)
    assert worlds.of(new) == old
    assert worlds.in_common


def test_an_unknown_host_is_no_tenant_of_a_service() -> None:
    worlds, (_, new) = places(("jira:production", "jira", 1), ("localhost", "localhost", 2))
    worlds.settle({}, lambda one, other: True)
    assert worlds.of(new) == new
    assert not worlds.in_common


def test_several_hosts_may_be_one_by_word_of_the_user() -> None:
    worlds, _ = places(("h:1", "h:1", 1), ("h:2", "h:2", 1), ("h:3", "h:3", 2), ("h:4", "h:4", 2))
    worlds.settle({"h:3": "h:1", "h:4": "h:3", "h:2": "h:4"}, lambda one, other: False)
    assert len(set(worlds.by_number())) == 1


def test_the_worlds_of_a_side_are_named() -> None:
    worlds, _ = places(("jira:a", "jira", 1), ("jira:b", "jira", 1), ("x", "x", 2))
    assert (worlds.of_side(1), worlds.of_side(2)) == (("jira",), ("x",))
