"""A command that runs as a child until it ends; signals to us reach it."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from durable_replay.errors import UsageError
from durable_replay.interruption import PATIENCE, at_terminal, ways_to_end

__all__ = ["NotStarted", "not_started", "run", "under_nohup", "until_stopped"]

Handler = Callable[[int, FrameType | None], None]


class NotStarted(UsageError):
    """A command cannot be started; `exit_code` is the shell's: 127 not found, 126 not to be executed."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def not_started(name: str, error: OSError) -> NotStarted:
    """The error to raise where a command could not be started."""
    if isinstance(error, FileNotFoundError):
        return NotStarted(f"{name} cannot be started: there is no such command; check its name and PATH", 127)
    return NotStarted(f"{name} cannot be started ({error.strerror}); check that it is a program", 126)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs a command to its end; gives its exit code, 128 + n where signal n ended it. Raises NotStarted.

    What a signal to us means for the command is told by `interruption`.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []
    over = threading.Event()
    with _passed_on(started, early, over):
        try:
            child = subprocess.Popen(list(command), env=dict(environment))  # noqa: S603 - the user's own command
        except OSError as error:
            raise not_started(command[0], error) from None
        started.append(child)
        for number in early:
            _tell(child, number, over)
        try:
            code = child.wait()
        finally:
            over.set()
    return 128 - code if code < 0 else code


@contextmanager
def _passed_on(started: Sequence[subprocess.Popen[bytes]], early: list[int], over: threading.Event) -> Iterator[None]:
    """From before the child is there, so that no signal is lost between its start and ours."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and at_terminal():
            return
        for child in started:
            _tell(child, number, over)
        if not started:
            early.append(number)

    with _handled(dict.fromkeys([signal.SIGINT, *_ENDING], pass_on)):
        yield


def _tell(child: subprocess.Popen[bytes], number: int, over: threading.Event) -> None:
    """To end; whether it does is watched elsewhere, for a signal's handler cannot wait."""
    first, *harder = ways_to_end(number)
    _send(child, first)
    threading.Thread(target=_insist, args=(child, harder, over), daemon=True).start()


def _insist(child: subprocess.Popen[bytes], harder: Iterable[int], over: threading.Event) -> None:
    for number in harder:
        if over.wait(PATIENCE):
            return
        _send(child, number)


def _send(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended, or made itself somebody else
        child.send_signal(number)


_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def until_stopped(tell: Callable[[], None]) -> None:
    """Returns after Ctrl-C, SIGTERM or SIGHUP. `tell` is called once these are waited for: whoever hears that we are
    ready may end us at once."""
    ending = [signal.SIGINT, *_ENDING]
    with _handled(dict.fromkeys(ending, _noted)), _arrivals() as arrived:
        tell()
        while next(arrived) not in ending:
            continue


def _noted(number: int, frame: FrameType | None) -> None:
    """A signal is told by the wake-up socket; Python only calls handlers between two steps of the main thread, which
    may have gone to sleep by then."""


@contextmanager
def _arrivals() -> Iterator[Iterator[int]]:
    """The numbers of signals as they arrive; waiting for the next costs nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield iter(lambda: ours.recv(1)[0], None)
        finally:
            signal.set_wakeup_fd(before)


def under_nohup(number: signal.Signals) -> bool:
    """Whoever started us wants us to outlive the terminal, and the command too, which inherits what is ignored."""
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """These signals go to these handlers, where this is the main thread; other threads cannot have any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    chosen = {number: handler for number, handler in handlers.items() if not under_nohup(number)}
    before = {number: signal.signal(number, handler) for number, handler in chosen.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
