"""Recordings of both sides find each other: by request, then by endpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.pairing import Pairing, pairing
from durable_replay.drift.sources import Tapes
from durable_replay.errors import UsageError
from durable_replay.http import Interaction
from durable_replay.service.registry import Registry
from durable_replay.testing import exchange
from durable_replay.timeline.indexing import Indexing

Paired = Callable[..., Pairing]
Shown = tuple[str, list[int], list[int], bool]


def get(url: str, status: int = 200, body: object = None) -> Interaction:
    return exchange("GET", url if "://" in url else f"https://api.test{url}", status, body)


@pytest.fixture
def paired(tmp_path: Path) -> Iterator[Paired]:
    """Pairs two lists of interactions, each written to a cassette."""
    with ExitStack() as opened:

        def write(interactions: list[Interaction]) -> Path:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.cassette"
            with CassetteWriter.open(path) as writer:
                for interaction in interactions:
                    writer.append(interaction)
            return path

        def pair(before: list[Interaction], after: list[Interaction], **options: object) -> Pairing:
            sides = [opened.enter_context(Tapes([write(interactions)])) for interactions in (before, after)]
            found = pairing(sides[0], sides[1], Indexing(Registry()), **options)  # type: ignore[arg-type]
            return opened.enter_context(closing(found))

        yield pair


def shown(pairing: Pairing) -> list[Shown]:
    return [
        (
            f"{group.endpoint.method} {group.endpoint.path}",
            [each.interaction.number for each in group.befores],
            [each.interaction.number for each in group.afters],
            group.same_request,
        )
        for group in pairing.groups()
    ]


def test_all_recordings_of_one_request_are_one_group(paired: Paired) -> None:
    found = paired([get("/job"), get("/x"), get("/job")], [get("/job"), get("/job"), get("/job")])
    assert ("GET /job", [1, 3], [1, 2, 3], True) in shown(found)
    assert found.pairs == 2


def test_the_order_of_a_query_does_not_count(paired: Paired) -> None:
    found = paired([get("/list?a=1&b=2")], [get("/list?b=2&a=1")])
    assert shown(found) == [("GET /list", [1], [1], True)]


def test_what_is_left_of_an_endpoint_pairs_in_the_order_of_the_tapes(paired: Paired) -> None:
    before = [get(f"/tasks/{number}") for number in (9, 5, 7)]
    after = [get(f"/tasks/{number}") for number in (12, 7, 11)]
    found = paired(before, after)
    assert shown(found) == [("GET /tasks/{}", [3], [2], True), ("GET /tasks/{}", [1, 2], [1, 3], False)]
    assert (found.pairs, found.unpaired) == (3, ())


def test_requests_with_other_names_in_the_query_are_not_compared(paired: Paired) -> None:
    before = [get("/tasks/1?page=1"), get("/tasks/2?expand=all")]
    after = [get("/tasks/1?page=2")]
    found = paired(before, after)
    assert shown(found) == [("GET /tasks/{}", [1], [1], False)]
    assert [(one.endpoint.path, one.before, one.after) for one in found.unpaired] == [("/tasks/{}", 1, 0)]


def test_an_endpoint_whose_queries_all_have_other_names_by_now_is_compared(paired: Paired) -> None:
    found = paired([get("/tasks?page=1")], [get("/tasks?cursor=abc")])
    assert shown(found) == [("GET /tasks", [1], [1], False)]
    assert found.unpaired == ()


def test_what_one_side_has_more_of_shows_what_such_an_answer_holds(paired: Paired) -> None:
    found = paired([get("/tasks/1"), get("/tasks/2")], [get("/tasks/1")])
    assert shown(found) == [("GET /tasks/{}", [1], [1], True), ("GET /tasks/{}", [2], [], False)]
    assert [(one.before, one.after) for one in found.unpaired] == [(1, 0)]


def test_an_endpoint_that_one_side_lacks_is_given_with_one_side(paired: Paired) -> None:
    found = paired([get("/a"), get("/old")], [get("/a"), get("/new")])
    groups = {group[0]: group[1:] for group in shown(found)}
    assert groups["GET /old"] == ([2], [], False)
    assert groups["GET /new"] == ([], [2], False)
    assert [(one.endpoint.path, one.before, one.after) for one in found.unpaired] == [("/new", 0, 1), ("/old", 1, 0)]


def test_groups_of_an_endpoint_come_in_a_row(paired: Paired) -> None:
    before = [get(f"/{name}/{number}") for number in range(9) for name in ("a", "b", "c")]
    names = [group[0] for group in shown(paired(before, before))]
    assert len(names) == 27
    assert sum(one != other for one, other in pairwise(names)) == 2


def test_groups_and_their_sides_can_be_read_again(paired: Paired) -> None:
    found = paired([get("/a"), get("/b")], [get("/a")])
    assert shown(found) == shown(found)
    (group, _) = found.groups()
    assert [each.key for each in group.befores] == [each.key for each in group.befores]
    assert (found.pairs, len(found.unpaired)) == (1, 1)


def test_another_port_is_the_same_host(paired: Paired) -> None:
    found = paired([get("http://127.0.0.1:41001/a/1")], [get("http://127.0.0.1:41002/a/1")])
    (group,) = found.groups()
    assert (group.endpoint.world, group.same_request) == ("127.0.0.1:41001", True)
    assert [(one.text, other.text) for one, other in found.worlds.joined] == [("127.0.0.1:41002", "127.0.0.1:41001")]


def test_hosts_that_share_no_path_are_two(paired: Paired) -> None:
    found = paired([get("https://one.test/a")], [get("https://two.test/b")])
    assert not found.worlds.in_common
    named = paired([get("https://one.test/a")], [get("https://two.test/b")], same={"two.test": "one.test"})
    assert named.worlds.in_common


def test_bodies_that_differ_in_form_alone_are_one_request(paired: Paired) -> None:
    def post(data: bytes, kind: str) -> Interaction:
        return exchange("POST", "https://api.test/x", 200, send=data, headers={"Content-Type": kind})

    part = b'--%s\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--%s--\r\n'
    before = [
        post(b'{"a": 1, "b": 2}', "application/json"),
        post(part % (b"x", b"x"), "multipart/form-data; boundary=x"),
    ]
    after = [post(part % (b"y", b"y"), "multipart/form-data; boundary=y"), post(b'{"b":2,"a":1}', "application/json")]
    assert sorted(shown(paired(before, after))) == [("POST /x", [1], [2], True), ("POST /x", [2], [1], True)]


def test_what_ended_early_and_preflights_are_counted_and_left_aside(paired: Paired) -> None:
    preflight = exchange("OPTIONS", "https://api.test/a", 204, headers={"Access-Control-Request-Method": "PUT"})
    found = paired([get("/a"), replace(get("/a"), outcome="aborted"), preflight], [get("/a")])
    assert shown(found) == [("GET /a", [1], [1], True)]
    assert (found.before.compared, found.before.aborted, found.before.preflights) == (1, 1, 1)
    assert (found.after.compared, found.after.aborted, found.after.preflights) == (1, 0, 0)


def test_an_options_request_that_is_no_preflight_is_compared(paired: Paired) -> None:
    asked = exchange("OPTIONS", "https://api.test/a", 204)
    assert shown(paired([asked], [asked])) == [("OPTIONS /a", [1], [1], True)]


def test_only_what_is_selected_is_counted(paired: Paired) -> None:
    both = [get("/a"), get("/b"), get("/b")]
    found = paired(both, both, selected=lambda endpoint: endpoint.path == "/b")
    assert shown(found) == [("GET /b", [2, 3], [2, 3], True)]
    assert found.before.compared == 2


def test_refusals_and_endpoints_are_counted(paired: Paired) -> None:
    found = paired([get("/a"), get("/b")], [get("/a", 401), get("/b", 403)])
    assert (found.before.refused, found.after.refused, len(found.after.endpoints)) == (0, 2, 2)


def test_a_disk_that_is_full_is_told_with_a_way_on(paired: Paired, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(sqlite3.Connection):
        def executemany(self, *_: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("database or disk is full")

    both = [get("/a")]
    connect = sqlite3.connect
    with monkeypatch.context() as patched:
        patched.setattr(
            "durable_replay.drift.pairing.sqlite3.connect",
            lambda name, **more: connect(name, factory=Full) if name == "" else connect(name, **more),
        )
        with pytest.raises(UsageError, match=r"disk is full.*TMPDIR"):
            paired(both, both)


def test_progress_is_told_of_both_readings(paired: Paired) -> None:
    both = [get(f"/a/{number}") for number in range(600)]
    reading: list[tuple[int, int]] = []
    comparing: list[tuple[int, int]] = []
    found = paired(both, both, on_progress=lambda done, total: reading.append((done, total)))
    for group in found.groups(lambda done, total: comparing.append((done, total))):
        assert [*group.befores, *group.afters]
    assert reading == [(500, 1200), (1000, 1200)]
    assert comparing == [(500, 1200), (1000, 1200), (1200, 1200)]


def test_who_is_interrupted_in_the_middle_leaves_without_a_complaint(paired: Paired) -> None:
    """The groups are let go after the temporary file."""
    found = paired([get("/a"), get("/b")], [get("/a"), get("/b")])
    groups = iter(found.groups())
    assert isinstance(groups, Generator)
    next(groups)
    found.close()
    groups.close()
