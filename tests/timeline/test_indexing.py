"""Indexing meets the ids and names of a tape."""

from collections.abc import Mapping

import pytest

from durable_replay.http import Request, Response
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.faults import Fault
from durable_replay.service.registry import Registry
from durable_replay.service.verbs import show
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
