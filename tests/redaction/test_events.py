from __future__ import annotations

import pytest

from durable_replay.redaction.events import LONGEST, divided_by
from durable_replay.redaction.redact import Redactor

SECRET = b"s3cr3t-Va1ue-0042"


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_is_given_out_when_it_is_whole(redactor: Redactor, step: int) -> None:
    stream = redactor.stream("text/event-stream; charset=utf-8")
    data = b"data: 1\n\n" + b'data: {"token": "' + SECRET + b'"}\n\n' + b"data: 2\n\ndata: cut"
    pieces = [stream.feed(data[at : at + step]) for at in range(0, len(data), step)]
    assert all(piece.endswith(b"\n\n") for piece in pieces if piece)
    whole = b"".join(pieces)
    assert whole.startswith(b'data: 1\n\ndata: {"token": "secret-') and whole.endswith(b"data: 2\n\n")
    assert SECRET not in whole and stream.end() == b"data: cut" and stream.changed


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_every_blank_line_ends_an_event(redactor: Redactor, end: bytes) -> None:
    stream = redactor.stream("text/event-stream")
    assert stream.feed(b"data: 1" + end + b"data: 2") == b"data: 1" + end
    assert not stream.changed


def test_json_lines_end_with_their_line(redactor: Redactor) -> None:
    stream = redactor.stream("application/x-ndjson")
    assert stream.feed(b'{"a":1}\n{"token":"' + SECRET) == b'{"a":1}\n'
    assert stream.feed(b'"}\n').startswith(b'{"token":"secret-')


def test_an_endless_event_goes_through_a_window_in_bounded_memory(redactor: Redactor) -> None:
    stream = redactor.stream("text/event-stream")
    given = b"".join(stream.feed(b'x {"token": "' + SECRET + b'"} ' + b"y" * 1000) for _ in range(3000))
    assert len(given) > LONGEST and stream.changed
    given += stream.end()
    assert given.count(b'"token": "secret-') == 3000 and SECRET not in given


def test_only_streams_of_events_are_divided() -> None:
    assert divided_by("application/json") == () and divided_by("text/plain") == ()
    assert divided_by("Application/X-NDJSON") == (b"\n",)
