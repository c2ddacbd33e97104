"""Another answer, with a note that says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.care.editing import Changes, edit
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import BytesBody, Headers, Interaction, Response

Exchange = Callable[..., Interaction]
Tape = Callable[..., Path]


def answer(path: Path, number: int) -> tuple[Response, str]:
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(cassette)
        interaction = cassette.interaction(number)
        return interaction.response, interaction.note


def test_the_answer_is_another_and_the_note_says_so(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange("/1"), exchange("/2"), exchange("/3")])
    headers = (("Retry-After", "1"), ("content-type", "text/plain"))
    edit(path, 2, Changes(503, headers=headers, without=("Date",), body=BytesBody(b"wait a little")))
    with Cassette.open(path) as cassette:
        response = cassette.interaction(2).response
        assert response.body.read() == b"wait a little"
        assert [each.note for each in cassette.interactions()] == [
            "",
            "edited: status, header retry-after, header content-type, header date, body",
            "",
        ]
    assert (response.status, response.reason) == (503, "Service Unavailable")
    assert list(response.headers) == [("content-type", "text/plain"), ("Content-Length", "13"), ("Retry-After", "1")]


def test_a_second_edit_is_noted_too(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange()])
    edit(path, 1, Changes(404))
    edit(path, 1, Changes(without=("date",)))
    assert answer(path, 1)[1] == "edited: status; edited: header date"


def test_a_new_body_has_no_content_coding(exchange: Exchange, tape: Tape) -> None:
    from dataclasses import replace

    packed = replace(exchange(), response=Response(200, Headers([("Content-Encoding", "gzip")]), BytesBody(b"x")))
    path = tape("t", [packed])
    edit(path, 1, Changes(body=BytesBody(b"plain")))
    assert list(answer(path, 1)[0].headers) == []


def test_a_number_that_is_not_there_changes_nothing(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange()])
    before = path.read_bytes()
    with pytest.raises(CassetteError, match="no interaction #9"):
        edit(path, 9, Changes(404))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(99),
        Changes(1000),
        Changes(reason="a\nb"),
        Changes(headers=(("a b", "c"),)),
        Changes(headers=(("a", "c\r\nx: y"),)),
        Changes(headers=(("", "c"),)),
        Changes(headers=(("a", "€"),)),
        Changes(without=("a:b",)),
    ],
)
def test_what_could_not_be_sent_is_refused(changes: Changes, exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange()])
    with pytest.raises(UsageError):
        edit(path, 1, changes)
