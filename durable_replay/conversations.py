"""WebSocket conversations: a recorded one told again, or a service's socket on a session's state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from durable_replay.errors import NotEmulated
from durable_replay.http import Frame, Headers, Interaction, Request, Response
from durable_replay.service.api import Call, Scope, Service, Socket
from durable_replay.service.faults import Fault
from durable_replay.timeline.indexing import footprint
from durable_replay.timeline.resource import Key
from durable_replay.timeline.scope import World
from durable_replay.timeline.session import Session

if TYPE_CHECKING:
    from durable_replay.emulator import Emulator

__all__ = ["Conversations", "Emulated", "Recorded"]

_HANDSHAKE = frozenset({"sec-websocket-protocol", "set-cookie"})
"""Of a recorded handshake, what belongs to the service; the rest belongs to the connection."""


class Recorded:
    """A recorded conversation: after each of the client's messages come those that the server sent next.

    The client's words are not compared: a heartbeat or an identification differs each time. Its turns are.
    """

    def __init__(self, interaction: Interaction) -> None:
        recorded = interaction.response.headers
        kept = [pair for pair in recorded if pair[0].lower() in _HANDSHAKE]
        self.handshake = Response(interaction.response.status or 101, Headers(kept))
        self._left: Iterator[Frame] = iter(interaction.frames)

    def opened(self) -> Iterable[Frame]:
        """What the server said before the client said anything."""
        return self._turn()

    def receive(self, frame: Frame) -> Iterable[Frame]:
        """What the server said next."""
        return () if frame.kind in ("ping", "pong") else self._turn()

    def closed(self) -> None:
        """Nothing was held."""

    def _turn(self) -> list[Frame]:
        said: list[Frame] = []
        for frame in self._left:
            if frame.from_client and frame.kind in ("text", "binary", "close"):
                break
            if not frame.from_client and frame.kind not in ("ping", "pong"):
                said.append(frame)
        return said


class Emulated:
    """A service's socket in one session: frames are calls, written keys become frames."""

    def __init__(
        self,
        emulator: Emulator,
        session: Session,
        service: Service,
        request: Request,
        send: Callable[[Frame], None],
        left: Callable[[Emulated], None],
    ) -> None:
        assert service.socket is not None
        self.session, self.service, self.tenant = session, service, service.codec.tenant(request)
        self.handshake = Response(101)
        self._emulator, self._request, self._send, self._left = emulator, request, send, left
        self._socket: Socket = service.socket()
        self._lock = threading.RLock()

    def opened(self) -> Iterable[Frame]:
        """What the service says first."""
        self._emulator.seed(self.session, self.service, self.tenant)
        with self._lock, self._reading() as scope:
            return list(self._socket.opened(scope, self._request))

    def receive(self, frame: Frame) -> Iterable[Frame]:
        """The service's answer to a message."""
        with self._lock:
            located = self._socket.located(frame)
        call = self.service.call(self._request, located) if located else None
        if call is None or call.operation.do is None:
            return ()
        return self._answer(call)

    def _answer(self, call: Call) -> list[Frame]:
        call, names = self._emulator.resolved(self.session, call)
        print_ = footprint(call, names)
        with self.session.footprint(print_.reads, print_.writes):
            scope = self._emulator.scope(self.session, call, names, self.session.tick())
            try:
                assert call.operation.do is not None
                reply = call.operation.do(scope, call)
                with self._lock:
                    frames = list(self._socket.encode(call, reply))
            except (Fault, NotEmulated) as error:
                scope.drop()
                with self._lock:
                    return list(self._socket.fault(error if isinstance(error, Fault) else Fault(str(error))))
            except BaseException:
                scope.drop()
                raise
            self._emulator.commit(self.session, scope)  # tells all conversations: none of their locks may be held
            return frames

    def pushed(self, keys: Sequence[Key]) -> None:
        """These keys of this world were written."""
        with self._lock:  # sent in the order in which the socket numbered them
            with self._reading() as scope:
                frames = list(self._socket.pushed(scope, [key[2:] for key in keys]))
            for frame in frames:
                self._send(frame)

    def closed(self) -> None:
        """The connection is gone."""
        self._left(self)

    @contextmanager
    def _reading(self) -> Iterator[Scope]:
        world = self._emulator.world(self.session, self.service, self.tenant)
        scope = Scope(world, ((),), (), now=self.session.clock.now())
        try:
            yield scope
        finally:
            scope.drop()


@dataclass(slots=True)
class Conversations:
    """Those that are open, so that a write by any route reaches them."""

    _open: list[Emulated] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(
        self, emulator: Emulator, session: Session, service: Service, request: Request, send: Callable[[Frame], None]
    ) -> Emulated:
        """An emulated conversation; it is told of writes from now on."""
        conversation = Emulated(emulator, session, service, request, send, self._leave)
        with self._lock:
            self._open.append(conversation)
        return conversation

    def pushed(self, session: Session, world: World, keys: Sequence[Key]) -> None:
        """Tells the conversations of this session and world what was written."""
        if not self._open:
            return
        with self._lock:
            concerned = [
                one
                for one in self._open
                if (one.session, one.service.name, one.tenant) == (session, world.service, world.tenant)
            ]
        for conversation in concerned:
            conversation.pushed(keys)

    def _leave(self, conversation: Emulated) -> None:
        with self._lock:
            if conversation in self._open:
                self._open.remove(conversation)
