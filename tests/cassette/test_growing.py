"""Interactions that are on the tape before they are over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Frame, Headers, Interaction

Make = Callable[..., Interaction]


def frame(number: int) -> Frame:
    return Frame(number % 2 == 0, "text", b"message %d" % number, at=float(number))


def identity(path: Path) -> str:
    with Cassette.open(path) as cassette:
        return cassette.identity


def test_frames_that_come_later_are_behind_the_others_and_readable_at_once(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        number = writer.append(replace(make(1, b""), frames=(frame(0),), outcome="aborted"))
        writer.append(make(2))
        for position in range(1, 50):
            writer.grow(number, [frame(position)])
            writer.flush()
            assert reader.interaction(number).frames == tuple(map(frame, range(position + 1)))
        writer.settle(number, outcome="complete", duration=3.5, note="over", trailers=Headers([("A", "b")]))
    with Cassette.open(path) as cassette:
        ended = cassette.interaction(number)
        assert cassette.verify() == 2 and len(ended.frames) == 50
    assert (ended.outcome, ended.duration, ended.note) == ("complete", 3.5, "over")
    assert ended.response.trailers == Headers([("A", "b")])


def test_a_body_that_comes_in_pieces_is_readable_at_once_and_ends_as_any_other(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        number = writer.append(replace(make(1, b""), outcome="aborted"))
        for position in range(30):
            writer.grow(number, data=b"data: %d\n\n" % position)
        writer.flush()
        assert reader.interaction(number).response.body.read().endswith(b"data: 29\n\n")
        assert reader.interaction(number).frames == ()
        writer.settle(number, outcome="complete", duration=1.0)
        whole = b"".join(b"data: %d\n\n" % position for position in range(30))
    with Cassette.open(path) as cassette:
        assert cassette.interaction(number).response.body.read() == whole
        assert cassette.summary().frames == 0 and cassette.summary().bodies == 1 and cassette.verify() == 1


def test_a_large_body_in_pieces_becomes_chunks(path: Path, make: Make) -> None:
    noise = os.urandom(3 << 20)
    with CassetteWriter.open(path) as writer:
        number = writer.append(make(1, b""))
        for at in range(0, len(noise), 100_000):
            writer.grow(number, data=noise[at : at + 100_000])
        writer.settle(number, outcome="complete", duration=1.0)
    with Cassette.open(path) as cassette:
        assert cassette.interaction(1).response.body.read() == noise and cassette.verify() == 1


def test_the_identity_in_the_end_is_that_of_the_same_tape_written_at_once(path: Path, make: Make) -> None:
    talk = replace(make(1, b""), frames=tuple(map(frame, range(4))))
    with CassetteWriter.open(path) as writer:
        number = writer.append(replace(talk, frames=(), outcome="aborted"))
        writer.append(make(2))
        writer.flush()
        before = identity(path)
        writer.grow(number, talk.frames)
        writer.flush()
        assert identity(path) != before
        writer.settle(number, outcome="complete", duration=talk.duration)
    other = path.with_name("other.cassette")
    with CassetteWriter.open(other) as writer:
        writer.append(talk)
        writer.append(make(2))
    assert identity(path) == identity(other)


KILLED = """
import os, sys
from durable_replay.cassette.writer import CassetteWriter
from durable_replay.http import Frame, Headers, Interaction, Request, Response
writer = CassetteWriter.open(sys.argv[1])
for scheme in ("https", "wss"):
    head = Interaction(Request("GET", scheme, "h", 443, "/"), Response(200), outcome="aborted")
    number = writer.append(head)
    if scheme == "https":
        writer.grow(number, data=b"data: 1\\n\\n")
    else:
        writer.grow(number, [Frame(True, "text", b"1")])
writer.flush()
writer.grow(1, data=b"not flushed")
print("flushed", flush=True)
input()
"""


def test_what_was_flushed_of_it_survives_kill_9_and_the_next_writer_tidies_up(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"flushed\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for _ in range(2):  # before and after the next writer
        with Cassette.open(path) as cassette:
            stream, talk = cassette.interactions()
            assert stream.response.body.read() == b"data: 1\n\n" and stream.outcome == "aborted"
            assert [each.data for each in talk.frames] == [b"1"] and cassette.verify() == 2
        CassetteWriter.open(path).close()
    with Cassette.open(path) as cassette:
        assert cassette.summary().frames == 1 and cassette.meta("grown") is None


def test_a_conversation_is_read_whole_while_it_goes_on(path: Path, make: Make) -> None:
    ended = threading.Event()
    seen: list[int] = []

    def read() -> None:
        with Cassette.open(path) as cassette:
            while not ended.is_set():
                seen.append(len(cassette.interaction(1).frames))

    with CassetteWriter.open(path) as writer:
        writer.append(replace(make(1), frames=(frame(0),)))
        writer.flush()
        thread = threading.Thread(target=read)
        thread.start()
        for position in range(1, 300):
            writer.grow(1, [frame(position)])
            writer.flush()
        ended.set()
        thread.join()
    assert seen == sorted(seen)


def test_what_is_not_on_the_tape_or_is_whole_cannot_grow(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        with pytest.raises(CassetteError, match="#2"):
            writer.grow(2, [frame(0)])
        with pytest.raises(CassetteError, match="whole already"):
            writer.grow(1, data=b"more")


def test_facts_on_a_cassette_are_kept_by_name(path: Path) -> None:
    with CassetteWriter.open(path) as writer:
        writer.set_meta("hosts", '{"a": "s3"}')
        assert writer.meta("hosts") == '{"a": "s3"}' and writer.meta("nothing") is None
        writer.set_meta("hosts", "{}")
        with pytest.raises(CassetteError, match="own"):
            writer.set_meta("tape", "0")
    with Cassette.open(path) as cassette:
        assert cassette.meta("hosts") == "{}" and cassette.meta("nothing") is None


UNDONE = """
import os, sys
from durable_replay.cassette.writer import CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction, Request, Response
writer = CassetteWriter.open(sys.argv[1])
head = Interaction(Request("GET", "https", "h", 443, "/"), Response(200), outcome="aborted")
writer.append(head)
writer.flush()
writer.grow(1, data=b"undone")
try:
    writer.append(Interaction(head.request, head.response, started=float("nan")))
except CassetteError:
    writer.grow(1, data=b"kept")
    writer.flush()
os._exit(9)
"""


def test_what_grows_after_it_was_undone_is_tidied_up_too(path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", UNDONE, str(path)], check=False).returncode == 9
    CassetteWriter.open(path).close()
    with Cassette.open(path) as cassette:
        assert cassette.interaction(1).response.body.read() == b"kept"
        assert cassette.summary().bodies == 1 and cassette.verify() == 1
