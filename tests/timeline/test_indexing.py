"""Indexing meets the ids and names of a tape."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from durable_replay.cassette.index import IndexRows
from durable_replay.http import Interaction, Request, Response
from durable_replay.matching.pattern import header
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.faults import Fault
from durable_replay.service.registry import Registry
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import exchange
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.resource import Key

TICKET = kind("ticket", "ticket", names="key")


class Codec(JsonCodec):
    def fault(self, request: Request, fault: Fault, call: object) -> Response:
        return self.json(404, {})


def highest(document: Mapping[str, object]) -> dict[tuple[Key, str], int]:
    service = Service("desk", ("desk.test",), Codec(), {"GET /tickets/{ticket}": show(TICKET)}, (TICKET,))
    found: dict[tuple[Key, str], int] = {}
    tape = [exchange("GET", f"https://desk.test/tickets/{document['id']}", 200, dict(document))]
    list(Indexing(Registry([service])).rows(tape, found))
    return found


@pytest.mark.parametrize(("key", "head"), [("P-17", "P-"), ("P2P-17", "P2P-"), ("A1-B2-17", "A1-B2-"), ("v17", "v")])
def test_the_highest_number_behind_a_names_head_is_known(key: str, head: str) -> None:
    assert highest({"id": "1", "key": key})[("desk", "", "ticket.name"), head] == 17


def test_a_name_whose_last_digits_belong_to_no_head_counts_for_nothing() -> None:
    assert not [head for space, head in highest({"id": "1", "key": "9f3a17"}) if space[-1] == "ticket.name"]


NOTE = kind("note", "book note")
NOTES = Service(
    "notes",
    ("notes.test",),
    Codec(),
    {
        "GET /{book}": index(NOTE, paging=("page",)),
        "POST /{book}": create(NOTE),
        "GET /{book}/{note}": show(NOTE),
        "PUT /{book}/{note}": merge(NOTE),
        "DELETE /{book}/{note}": remove(NOTE),
    },
    (NOTE,),
)
WORLD = ("notes", "")


def rows(*tape: Interaction) -> list[IndexRows]:
    numbered = [replace(one, number=number) for number, one in enumerate(tape, 1)]
    return list(Indexing(Registry([NOTES])).rows(numbered, {}))


def note(method: str, path: str, status: int, body: object = None, send: object = None) -> Interaction:
    return exchange(method, f"https://notes.test{path}", status, body, send=send)


def test_what_a_recorded_create_made_is_known_from_its_answer() -> None:
    (row,) = rows(note("POST", "/b", 201, {"id": "7"}, {}))
    assert row.fact.writes == ((*WORLD, "note", "b", "7"),)
    assert rows(note("POST", "/b", 201, send={}))[0].fact.writes == ((*WORLD, "note", "b"),)


def test_a_refused_write_is_a_read_of_what_it_would_have_written() -> None:
    (row,) = rows(note("PUT", "/b/7", 404, {}, {}))
    assert row.fact.writes == ()
    assert (*WORLD, "note", "b", "7") in row.fact.reads


def test_the_history_before_a_recording_is_that_of_its_own_keys() -> None:
    made = rows(
        note("GET", "/b/1", 200, {"id": "1"}),
        note("PUT", "/b/2", 200, {"id": "2"}, {}),
        note("GET", "/b/1", 200, {"id": "1"}),
        note("PUT", "/b/1", 200, {"id": "1"}, {}),
        note("GET", "/b/1", 200, {"id": "1"}),
        note("GET", "/b", 200, [{"id": "1"}, {"id": "2"}]),
    )
    before = [row.fact.before for row in made]
    assert before[0] == before[2] == 0
    assert before[4] != 0
    assert before[5] not in (0, before[4])
    assert dict(made[5].seen)[*WORLD, "note", "b"] == before[5]


def test_pages_of_one_listing_share_its_key_and_requests_of_one_thing_theirs() -> None:
    one, two, other, thing, head = rows(
        note("GET", "/b?page=1", 200, []),
        note("GET", "/b?page=2", 200, []),
        note("GET", "/c?page=1", 200, []),
        note("GET", "/b/1", 200, {"id": "1"}),
        note("HEAD", "/b/1", 200),
    )
    assert one.request_key != two.request_key
    assert one.listing_key == two.listing_key != other.listing_key
    assert thing.listing_key is None
    assert thing.request_key != head.request_key
    assert head.seen == ()


@pytest.mark.parametrize("body", [b"no json", b"[" * 50_000, b"\xff", b"[1, 2]", b'{"id": null}', b'{"id": {"a": 1}}'])
def test_an_answer_that_is_not_what_the_plug_in_knows_is_kept_and_served(body: bytes) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        path = "/b" if method == "POST" else "/b/1"
        (row,) = rows(note(method, path, 200, body, {} if method in ("PUT", "POST") else None))
        assert row.request_key
        assert row.fact.number == 1


def test_a_request_that_no_row_or_no_service_knows_has_a_key_and_no_footprint() -> None:
    odd, stranger = rows(note("PATCH", "/b/1/x", 200, {}), exchange("GET", "https://other.test/b/1", 200, {}))
    for row in (odd, stranger):
        assert (row.fact.reads, row.fact.writes, row.fact.service, row.seen) == ((), (), "", ())
        assert row.request_key
    assert stranger.host == "other.test"


def test_a_name_that_only_a_later_answer_explains_is_resolved() -> None:
    desk = Service("desk", ("desk.test",), Codec(), {"GET /tickets/{ticket}": show(TICKET)}, (TICKET,))
    tape = [
        replace(exchange("GET", "https://desk.test/tickets/P-7", 404, {}), number=1),
        replace(exchange("GET", "https://desk.test/tickets/70", 200, {"id": "70", "key": "P-7"}), number=2),
    ]
    first, second = Indexing(Registry([desk])).rows(tape, {})
    assert ("desk", "", "ticket", "70") in first.fact.reads
    assert ("desk", "", "ticket.name", "P-7") in first.fact.reads
    assert ("desk", "", "ticket.name", "P-7") in dict(second.seen)


def test_the_fingerprint_changes_with_what_an_index_depends_on_and_with_nothing_else() -> None:
    base = Indexing(Registry([NOTES])).fingerprint("tape")
    assert Indexing(Registry([NOTES])).fingerprint("tape") == base
    changed = [
        Indexing(Registry([NOTES])).fingerprint("another tape"),
        Indexing(Registry([NOTES]), rules="r").fingerprint("tape"),
        Indexing(Registry([replace(NOTES, hosts=("n.test",))])).fingerprint("tape"),
        Indexing(Registry([replace(NOTES, routes={"GET /{book}": index(NOTE)})])).fingerprint("tape"),
        Indexing(Registry([replace(NOTES, significant=header("x"))])).fingerprint("tape"),
        Indexing(Registry([])).fingerprint("tape"),
    ]
    assert len({base, *changed}) == len(changed) + 1
