"""Listings that are patched: what was there stays in its order, what is new is put where the order wants it."""

from __future__ import annotations

import json

import pytest

from durable_replay.service.api import Document, Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import ask, engine_over, exchange

NOTE = kind("note", "note")


def rank(document: Document) -> float:
    return float(str(document.get("rank", 0)))


@pytest.fixture
def notes() -> Service:
    routes = {
        "GET /notes": index(NOTE, order=rank),
        "POST /notes": create(NOTE),
        "GET /notes/{note}": show(NOTE),
        "PUT /notes/{note}": merge(NOTE),
        "DELETE /notes/{note}": remove(NOTE),
    }
    return Service("notes", ("service.test",), JsonCodec(), routes, (NOTE,))


@pytest.mark.parametrize(
    ("recorded", "created", "expected"),
    [
        ([1, 3, 5], [4, 0, 3], [0, 1, 3, 3, 4, 5]),
        ([5, 1, 3], [4, 9], [4, 5, 1, 3, 9]),
        ([], [2, 1], [1, 2]),
    ],
    ids=["an order that is ours", "an order that is not ours stays", "nothing was there"],
)
def test_new_things_are_put_before_the_first_that_comes_after_them(
    notes: Service, recorded: list[int], created: list[int], expected: list[int]
) -> None:
    listing = [{"id": str(at), "rank": one} for at, one in enumerate(recorded, 1)]
    engine = engine_over(notes, [exchange("GET", "/notes", 200, listing)])
    for one in created:
        ask(engine, "POST", "/notes", {"rank": one})
    shown = json.loads(ask(engine, "GET", "/notes").response.body.read())
    assert [one["rank"] for one in shown] == expected


def test_a_listing_of_thousands_is_put_in_order_at_once(notes: Service) -> None:
    compared = 0

    def counted(document: Document) -> float:
        nonlocal compared
        compared += 1
        return rank(document)

    service = Service(
        "notes",
        ("service.test",),
        JsonCodec(),
        {**notes.routes, "GET /notes": index(NOTE, order=counted)},
        (NOTE,),
    )
    engine = engine_over(service)
    for number in range(300):
        ask(engine, "POST", "/notes", {"rank": -number})
    shown = json.loads(ask(engine, "GET", "/notes").response.body.read())
    assert [one["rank"] for one in shown] == list(range(-299, 1))
    assert compared == 300
