"""Facts and places as few bytes: what goes in comes out."""

from __future__ import annotations

import random

import pytest

from durable_replay.cassette.facts import (
    FactPacker,
    numbers_packed,
    numbers_unpacked,
    seen_packed,
    seen_unpacked,
)
from durable_replay.timeline.ledger import Fact

KEYS = tuple(("jira", "team.example", "issue", str(number)) for number in range(10_000, 10_040))
FACTS = [
    Fact(number, KEYS[: number % 7], KEYS[number : number + 1], number << 40, "jira", "show") for number in range(40)
]


def test_facts_come_back_and_take_little() -> None:
    packer = FactPacker.made_of(FACTS)
    packed = [packer.packed(fact) for fact in FACTS]
    again = FactPacker(packer.stored)
    assert [again.unpacked(fact.number, data) for fact, data in zip(FACTS, packed, strict=True)] == FACTS
    assert sum(map(len, packed)) < 40 * len(FACTS)


def test_a_fact_of_which_nothing_is_known_takes_nothing() -> None:
    packer = FactPacker.made_of([Fact(1, (), (), 0)])
    assert (packer.stored, packer.packed(Fact(1, (), (), 0))) == (b"", b"")
    assert packer.unpacked(7, b"") == Fact(7, (), (), 0)


@pytest.mark.parametrize(
    "fact", [Fact(1, (), (), 5), Fact(1, (("",),), (), 0), Fact(1, (), (), 0, "", "x"), *FACTS[:3]]
)
def test_a_fact_unlike_those_that_the_packer_was_made_of_comes_back_too(fact: Fact) -> None:
    for packer in (FactPacker.made_of([]), FactPacker.made_of(FACTS)):
        assert packer.unpacked(fact.number, packer.packed(fact)) == fact


def test_packers_that_differ_are_marked_otherwise() -> None:
    assert FactPacker.made_of(FACTS).mark != FactPacker.made_of([]).mark


def test_numbers_come_back() -> None:
    luck = random.Random(1)
    for top in (1, 200, 70_000, 10**18):
        numbers = sorted(luck.randrange(top) for _ in range(50))
        assert numbers_unpacked(numbers_packed(numbers)) == numbers
    assert numbers_packed([1, 2, 3]) == b"\1\1\1"
    assert numbers_unpacked(b"") == []


def test_places_and_digests_come_back_and_a_digest_that_stays_is_kept_once() -> None:
    luck = random.Random(2)
    number, seen = 0, []
    for _ in range(200):
        number += luck.randrange(1, 300)
        seen.append((number, luck.choice([0, 5, (1 << 63) - 1])))
    assert seen_unpacked(seen_packed(seen)) == seen
    assert len(seen_packed([(1, 7), (2, 7), (3, 7)])) == 8 + 3
