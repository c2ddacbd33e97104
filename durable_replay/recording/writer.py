"""The thread that redacts and stores, so that the proxy's event loop waits for neither.

# Rule: nothing reaches the cassette that the redactor has not seen, and memory is bounded: by the queue, which makes
# the proxy wait when the disk is slower than the network, and by the bodies that are held, the largest of which then
# go to disk through a window.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Event, Thread
from typing import Protocol

from durable_replay.errors import CassetteError, ReplayError
from durable_replay.http import EMPTY, Headers, Interaction
from durable_replay.recording.take import Chunk, Ending, Take
from durable_replay.redaction.bodies import BodySink, BodyStore, Redacted
from durable_replay.redaction.redact import Redactor

__all__ = ["Store", "Writer"]

QUEUED = 32 * 1024 * 1024
HELD = 48 * 1024 * 1024
GATHER = 0.02  # seconds; 50 ms from an answer's end to its commit are promised


class Store(Protocol):
    """What is used of a cassette's writer."""

    def new_body(self) -> BodyStore: ...

    def append(self, interaction: Interaction) -> int: ...

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
        self._queue: deque[Chunk | Ending | None] = deque()
        self._queued = 0
        self._changed = Condition()
        self._opened = Event()
        self._active: dict[Take, None] = {}
        self.failure: ReplayError | None = None
        self.written = 0
        self._thread = Thread(target=self._run, name="cassette writer", daemon=True)

    def start(self) -> None:
        """Open the store. Raises what keeps it from being opened."""
        self._thread.start()
        self._opened.wait()
        if self.failure is not None:
            raise self.failure

    def put(self, item: Chunk | Ending) -> None:
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
                if isinstance(item, Chunk):
                    self._write(store, item)
                elif isinstance(item, Ending):
                    self._append(store, item)
                else:
                    ended = True
            store.flush()
        for take in list(self._active):
            self._forget(take)

    def _batch(self) -> Iterator[Chunk | Ending | None]:
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
                frames=tuple(redactor.frame(frame) for frame in interaction.frames),
                note=redactor.text("; ".join(notes)),
            )
        )


def _finished(sink: BodySink | None, headers: Headers) -> Redacted:
    return sink.finish() if sink is not None else Redacted(EMPTY, headers)


def _explained(wrong: Exception) -> str:
    text = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
    return (
        f"recording stopped: the cassette cannot be written ({text}); make room or name another file, and record again"
    )
