from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Body, BytesBody, Frame, Headers, Interaction, Request, Response
from durable_replay.recording import writer as writing
from durable_replay.recording.take import Begun, Ending, Message, Take
from durable_replay.recording.writer import Writer
from durable_replay.redaction.redact import Redactor

SECRET = "s3cr3t-Va1ue-0042"
HEAD = Request("GET", "https", "h", 443, "/")


class Spool:
    """A body in memory."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def finish(self) -> Body:
        return BytesBody(self.data)

    def abort(self) -> None:
        self.data = b""


class Memory:
    """A store that keeps what it is told, in order; `gate` may hold it up, `full` makes it fail."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.tape: list[Interaction] = []
        self.grown: list[bytes] = []
        self.gate = threading.Event()
        self.gate.set()
        self.flushed = threading.Event()
        self.full = False
        self.spools = 0

    def new_body(self) -> Spool:
        self.spools += 1
        return Spool()

    def append(self, interaction: Interaction) -> int:
        self.gate.wait(20)
        if self.full:
            raise CassetteError("x.cassette: the disk is full.")
        self.tape.append(interaction)
        self.told.append(("append", interaction.outcome))
        return len(self.tape)

    def grow(self, number: int, frames: Sequence[Frame] = (), data: bytes = b"") -> None:
        self.told.append(("grow", (number, tuple(frame.data for frame in frames))))
        self.grown.append(data)

    def settle(
        self, number: int, *, outcome: Literal["complete", "aborted"], duration: float, note: str, trailers: Headers
    ) -> None:
        self.told.append(("settle", (number, outcome, note)))

    def flush(self) -> None:
        self.told.append(("flush", None))
        if self.tape:
            self.flushed.set()

    def close(self) -> None:
        self.told.append(("close", None))


@pytest.fixture
def store() -> Memory:
    return Memory()


def started(store: Memory, wanted: bool = True) -> Writer:
    writer = Writer(lambda: store, Redactor(b"0123456789abcdef"), lambda _: wanted)
    writer.start()
    return writer


def exchanged(body: bytes = b"", head: Request = HEAD) -> list[object]:
    """What the proxy hands over for one exchange."""
    take = Take(head, 1.0, Response(200))
    take.add("response", body)
    return [take.handed_over("response"), Ending(take, Interaction(head, Response(200)))]


def put(writer: Writer, items: Sequence[object]) -> None:
    for item in items:
        writer.put(item)  # type: ignore[arg-type]


def test_many_are_committed_together_and_the_store_is_closed(store: Memory) -> None:
    writer = started(store)
    store.gate.clear()  # while the first is being appended, the others gather
    for number in range(50):
        put(writer, exchanged(b"%d" % number))
    store.gate.set()
    writer.close()
    assert [each.response.body.read() for each in store.tape] == [b"%d" % number for number in range(50)]
    assert writer.written == 50 and store.told.count(("flush", None)) < 5
    assert store.told[-2:] == [("flush", None), ("close", None)]


def test_what_has_come_is_committed_soon_and_waits_for_nothing_more(store: Memory) -> None:
    writer = started(store)
    put(writer, exchanged(b"x"))
    assert store.flushed.wait(20)
    assert [each.response.body.read() for each in store.tape] == [b"x"]
    assert writing.GATHER <= 0.05
    writer.close()


def test_nothing_reaches_the_store_that_was_not_redacted(store: Memory) -> None:
    writer = started(store)
    head = Request("GET", "https", "h", 443, f"/?token={SECRET}", Headers([("Cookie", f"sid={SECRET}")]))
    put(writer, exchanged(f"you sent {SECRET}".encode(), head))
    writer.close()
    assert SECRET not in repr((store.tape, store.tape[0].request.headers, store.tape[0].response.body.read()))


def test_what_goes_on_is_appended_first_grows_and_is_settled(store: Memory) -> None:
    writer = started(store)
    take = Take(HEAD, 1.0, Response(101))
    put(writer, [Begun(take, Interaction(HEAD, Response(101), outcome="aborted"))])
    put(writer, [Message(take, Frame(True, "text", b'{"token":"' + SECRET.encode() + b'"}'))])
    put(writer, [Message(take, Frame(False, "text", b"2"))])
    put(writer, [Ending(take, Interaction(HEAD, Response(101), note="over"))])
    writer.close()
    told = [each for each in store.told if each[0] not in ("flush", "close")]
    assert told[0] == ("append", "aborted") and told[-1] == ("settle", (1, "complete", "over"))
    assert SECRET.encode() not in repr(told).encode() and "b'2'" in repr(told) and writer.written == 1


def test_a_stream_of_events_grows_by_whole_events(store: Memory) -> None:
    writer = started(store)
    response = Response(200, Headers([("Content-Type", "text/event-stream")]))
    take = Take(HEAD, 1.0, response, going=True)
    put(writer, [Begun(take, Interaction(HEAD, response, outcome="aborted"))])
    for piece in (b"data: 1\n", b"\ndata: 2\n\nda", b"ta: 3"):
        take.add("response", piece)
        put(writer, [take.handed_over("response")])
    put(writer, [Ending(take, Interaction(HEAD, response))])
    writer.close()
    grown = store.grown
    assert b"".join(grown) == b"data: 1\n\ndata: 2\n\ndata: 3"
    assert all(data.endswith(b"\n\n") for data in grown[:-1])


def test_what_does_not_belong_on_the_tape_is_not_put_there(store: Memory) -> None:
    writer = started(store, wanted=False)
    take = Take(HEAD, 1.0, Response(101))
    put(writer, exchanged(b"x"))
    put(writer, [Begun(take, Interaction(HEAD, Response(101))), Message(take, Frame(True, "text", b"1"))])
    put(writer, [Ending(take, Interaction(HEAD, Response(101)))])
    writer.close()
    assert writer.written == 0 and {what for what, _ in store.told} == {"flush", "close"}


def test_an_exchange_that_reached_no_server_leaves_nothing(store: Memory) -> None:
    writer = started(store)
    chunk, ending = exchanged(b"x")
    assert isinstance(ending, Ending)
    put(writer, [chunk, Ending(ending.take, None)])
    writer.close()
    assert store.tape == []


def test_the_proxy_waits_while_the_store_is_slower(store: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "QUEUED", 100_000)
    writer = started(store)
    store.gate.clear()
    items = [item for _ in range(100) for item in exchanged(b"x" * 10_000)]
    put_all = threading.Thread(target=put, args=(writer, items))
    put_all.start()
    put_all.join(0.5)
    assert put_all.is_alive() and writer._queued < 120_000
    store.gate.set()
    put_all.join(20)
    writer.close()
    assert writer.written == 100


def test_bodies_that_are_held_together_go_to_disk_before_they_are_too_many(
    store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "HELD", 1 << 20)
    writer = started(store)
    takes = [Take(HEAD, 1.0, Response(200)) for _ in range(8)]
    for take in takes:
        take.add("response", b"x" * 300_000)
        put(writer, [take.handed_over("response")])
    put(writer, [Ending(take, Interaction(HEAD, Response(200))) for take in takes])
    writer.close()
    assert {each.response.body.size for each in store.tape} == {300_000} and store.spools >= 4


def test_after_a_failure_nobody_waits_and_it_is_told_at_the_end(store: Memory) -> None:
    store.full = True
    writer = started(store)
    for _ in range(400):
        put(writer, exchanged(b"x" * 200_000))
    with pytest.raises(CassetteError, match="disk is full"):
        writer.close()
    assert "disk is full" in writer.told and store.told[-1] == ("close", None)


def test_a_bug_in_a_rule_stops_the_recording_without_its_data(store: Memory) -> None:
    def broken(_: Interaction) -> bool:
        raise ZeroDivisionError(SECRET)

    writer = Writer(lambda: store, Redactor(b"0123456789abcdef"), broken)
    writer.start()
    put(writer, exchanged())
    with pytest.raises(CassetteError, match="ZeroDivisionError") as stopped:
        writer.close()
    assert SECRET not in str(stopped.value)


def test_a_store_that_cannot_be_opened_is_told_at_once() -> None:
    def missing() -> Memory:
        raise PermissionError(13, "Permission denied")

    writer = Writer(missing, Redactor(b"0123456789abcdef"), lambda _: True)
    with pytest.raises(CassetteError, match="Permission denied"):
        writer.start()
