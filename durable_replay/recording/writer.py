"""The thread that redacts and stores, so that the proxy's event loop waits for neither.

# Rule: nothing reaches the cassette that the redactor has not seen, and memory is bounded: by the queue, which makes
# the proxy wait when the disk is slower than the network, and by the bodies that are held, the largest of which then
# go to disk through a window.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Condition, Event, Thread
from typing import Literal, Protocol

from durable_replay.errors import CassetteError, ReplayError
from durable_replay.http import EMPTY, Frame, Headers, Interaction
from durable_replay.recording.take import Begun, Chunk, Ending, Item, Message, Take
from durable_replay.redaction.bodies import BodySink, BodyStore, Redacted
from durable_replay.redaction.conversation import Conversation
from durable_replay.redaction.events import EventStream
from durable_replay.redaction.redact import Redactor

__all__ = ["Store", "Writer"]

QUEUED = 32 * 1024 * 1024
HELD = 48 * 1024 * 1024
GATHER = 0.02  # seconds; 50 ms from an answer's end to its commit are promised


class Store(Protocol):
    """What is used of a cassette's writer."""

    def new_body(self) -> BodyStore: ...

    def append(self, interaction: Interaction) -> int: ...

    def grow(self, number: int, frames: Sequence[Frame] = (), data: bytes = b"") -> None: ...

    def settle(
        self, number: int, *, outcome: Literal["complete", "aborted"], duration: float, note: str, trailers: Headers
    ) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Writer:
    """Takes chunks and endings from one thread; `open_store` and the store's methods are called in the writer's own.

    `wanted` says of a redacted interaction whether it belongs on the tape.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        redactor: Redactor,
        wanted: Callable[[Interaction], bool],
    ) -> None:
        self._open = open_store
        self._redactor = redactor
        self._wanted = wanted
        self._queue: deque[Item | None] = deque()
        self._queued = 0
        self._changed = Condition()
        self._opened = Event()
        self._active: dict[Take, None] = {}
        self._going: dict[Take, _Going] = {}
        self.failure: ReplayError | None = None
        self.written = 0
        self._thread = Thread(target=self._run, name="cassette writer", daemon=True)

    def start(self) -> None:
        """Open the store. Raises what keeps it from being opened."""
        self._thread.start()
        self._opened.wait()
        if self.failure is not None:
            raise self.failure

    @property
    def told(self) -> str:
        """What went wrong; empty while nothing did."""
        return str(self.failure or "")

    def put(self, item: Item) -> None:
        """Hand over a piece; waits while 32 MiB are queued. After a failure the rest is dropped, for the client's
        traffic must go on."""
        with self._changed:
            while self._queued > QUEUED and self.failure is None:
                self._changed.wait(1.0)
            if self.failure is None:
                self._queue.append(item)
                self._queued += item.size
                if len(self._queue) == 1 or self._queued > QUEUED:
                    self._changed.notify_all()

    def close(self) -> None:
        """Store what is queued, close the store. Raises what went wrong on the way."""
        with self._changed:
            self._queue.append(None)
            self._changed.notify_all()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            store = self._open()
        except (ReplayError, OSError, sqlite3.Error) as wrong:
            self._fail(wrong)
            return
        finally:
            self._opened.set()
        try:
            self._store_all(store)
        except (ReplayError, OSError, sqlite3.Error) as wrong:
            self._fail(wrong)
        except Exception as bug:  # a bug in a rule or in us: the recording must not go on unredacted, nor in silence
            self._fail(CassetteError(f"recording stopped: {type(bug).__name__} while an interaction was redacted"))
        finally:
            self._end(store)

    def _end(self, store: Store) -> None:
        try:
            store.close()
        except (ReplayError, OSError, sqlite3.Error) as wrong:
            self._fail(wrong)

    def _fail(self, wrong: Exception) -> None:
        with self._changed:
            if self.failure is None:
                self.failure = wrong if isinstance(wrong, ReplayError) else CassetteError(_explained(wrong))
            self._queue.clear()
            self._queued = 0
            self._changed.notify_all()

    def _store_all(self, store: Store) -> None:
        ended = False
        while not ended:
            for item in self._batch():
                if item is None:
                    ended = True
                else:
                    self._take_in(store, item)
            self._grow(store)
            store.flush()
        for take in list(self._active):
            self._forget(take)

    def _batch(self) -> Iterator[Item | None]:
        """What has gathered 20 ms after the first piece. Woken for every piece, this thread would take the interpreter
        from the proxy each time; and a commit for many costs as much as for one."""
        with self._changed:
            while not self._queue:
                self._changed.wait()
            self._changed.wait_for(self._full_or_ending, GATHER)
            ready = len(self._queue)
        for _ in range(ready):
            with self._changed:
                item = self._queue.popleft()
                if item is not None:
                    self._queued -= item.size
                    if self._queued <= QUEUED < self._queued + item.size:
                        self._changed.notify_all()
            yield item

    def _full_or_ending(self) -> bool:
        return self._queued > QUEUED or self._queue[-1] is None

    def _take_in(self, store: Store, item: Item) -> None:
        going = self._going.get(item.take)
        match item:
            case Begun(take, interaction):
                self._going[take] = self._begun(store, take, interaction)
            case Message(_, frame) if going is not None:
                going.frames += going.conversation.feed(frame)
            case Chunk(side="response") if going is not None:
                going.data += going.stream.feed(item.data)
            case Chunk():
                self._write(store, item)
            case Ending(_, Interaction() as interaction) if going is not None:
                self._settle(store, item.take, going, interaction)
            case Ending():
                self._append(store, item)

    def _begun(self, store: Store, take: Take, interaction: Interaction) -> _Going:
        redacted = self._redacted(take, interaction)
        self._active.pop(take, None)
        take.sinks.clear()
        number = None
        if self._wanted(redacted):
            number = store.append(redacted)
            self.written += 1
        stream = self._redactor.stream(interaction.response.headers.get("content-type"))
        return _Going(number, stream, self._redactor.conversation())

    def _grow(self, store: Store) -> None:
        """What has come of exchanges that go on; once in a batch, for each costs an update of its row."""
        for going in self._going.values():
            going.store(store)

    def _settle(self, store: Store, take: Take, going: _Going, interaction: Interaction) -> None:
        del self._going[take]
        going.frames += going.conversation.end()
        going.data += going.stream.end()
        going.store(store)
        if going.number is not None:
            changed = "secrets in the body were replaced" if going.stream.changed else ""
            store.settle(
                going.number,
                outcome=interaction.outcome,
                duration=interaction.duration,
                note="; ".join(note for note in (self._redactor.text(interaction.note), changed) if note),
                trailers=self._redactor.headers(interaction.response.trailers),
            )

    def _write(self, store: Store, chunk: Chunk) -> None:
        self._active[chunk.take] = None
        sink = chunk.take.sinks.get(chunk.side)
        if sink is None:
            sink = self._redactor.body(self._redactor.headers(chunk.headers), store.new_body)
            chunk.take.sinks[chunk.side] = sink
        sink.write(chunk.data)
        held = {sink: sink.held for take in self._active for sink in take.sinks.values()}
        while sum(held.values()) > HELD:
            largest = max(held, key=lambda each: held[each])
            largest.spill()
            held[largest] = 0

    def _append(self, store: Store, ending: Ending) -> None:
        if ending.interaction is None:
            self._forget(ending.take)
            return
        redacted = self._redacted(ending.take, ending.interaction)
        self._active.pop(ending.take, None)
        if self._wanted(redacted):
            store.append(redacted)
            self.written += 1

    def _forget(self, take: Take) -> None:
        self._active.pop(take, None)
        for sink in take.sinks.values():
            sink.abort()

    def _redacted(self, take: Take, interaction: Interaction) -> Interaction:
        """Heads first, for they teach secrets that bodies hold; then bodies; then heads again."""
        redactor, request, response = self._redactor, interaction.request, interaction.response
        request_headers, response_headers = redactor.headers(request.headers), redactor.headers(response.headers)
        taken = _finished(take.sinks.get("request"), request_headers)
        given = _finished(take.sinks.get("response"), response_headers)
        notes = dict.fromkeys(note for note in (interaction.note, taken.note, given.note) if note)
        return redactor.settle(
            dataclasses.replace(
                interaction,
                request=dataclasses.replace(
                    request, target=redactor.target(request.target), headers=taken.headers, body=taken.body
                ),
                response=dataclasses.replace(
                    response,
                    headers=given.headers,
                    body=given.body,
                    trailers=redactor.headers(response.trailers),
                    reason=redactor.text(response.reason),
                ),
                frames=redactor.frames(interaction.frames),
                note=redactor.text("; ".join(notes)),
            )
        )


@dataclasses.dataclass(slots=True)
class _Going:
    """An exchange that is on the tape at `number` (None: it does not belong there) and goes on."""

    number: int | None
    stream: EventStream
    conversation: Conversation
    frames: list[Frame] = dataclasses.field(default_factory=list)
    data: bytes = b""

    def store(self, store: Store) -> None:
        if self.number is not None and (self.frames or self.data):
            store.grow(self.number, self.frames, self.data)
        self.frames, self.data = [], b""


def _finished(sink: BodySink | None, headers: Headers) -> Redacted:
    return sink.finish() if sink is not None else Redacted(EMPTY, headers)


def _explained(wrong: Exception) -> str:
    text = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
    return f"It cannot be written: {text}. Make room or name another file, and record again."
