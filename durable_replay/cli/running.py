"""From a command line to an exit code: errors of use in one line, a reader that goes away in none."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType

import typer

from durable_replay.cli.terminal import say
from durable_replay.errors import ReplayError, UsageError

__all__ = ["BROKEN_PIPE", "WRONG_USE", "run"]

WRONG_USE = 2
BROKEN_PIPE = 141  # 128 + SIGPIPE, as other tools end when `head` has seen enough
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # click's own name for it moved between typers


def run(app: typer.Typer, name: str, arguments: Sequence[str] | None) -> int:
    """Runs a command line; None: this process's own. Anything that we did not raise on purpose keeps its traceback."""
    _require_streams()
    command = typer.main.get_command(app)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _require_words(given)
        with _ended_by_exceptions():
            code = command.main(args=given, prog_name=name, standalone_mode=False)
            sys.stdout.flush()
    except ReplayError as error:
        return _told(str(error), getattr(error, "exit_code", WRONG_USE))
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error)
            return WRONG_USE
        return _told(_wrong_use(error, name), WRONG_USE)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        return _silenced()
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _silenced()
        return _told(f"the output cannot be written: {error.strerror}; make room for it", WRONG_USE)
    except _Ended as end:
        return end.exit_code
    except SystemExit as end:  # typer's own way out of it
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return _silenced()
    return code if isinstance(code, int) else 0


def _require_words(arguments: Sequence[str]) -> None:
    """An empty name would be taken for the current folder. Raises UsageError."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "" in ours:
        at = ours.index("")
        which = f"the argument behind {ours[at - 1]}" if at else "the first argument"
        raise UsageError(f"{which} is empty; is a variable of the shell not set? What is to be empty is --option=")


def _require_streams() -> None:
    """A stream that the caller has closed leads nowhere, and no file opened later gets its number; text that has no
    place in stdout's encoding is escaped. What programs read is UTF-8 wherever they run."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    if isinstance(sys.stdout, TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


class _Ended(SystemExit):
    """A signal ended us."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.exit_code = 128 + number


@contextmanager
def _ended_by_exceptions() -> Iterator[None]:
    """Whoever is told to end by a signal that nobody has chosen another answer to tidies up first, as after Ctrl-C."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _Ended(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = threading.current_thread() is threading.main_thread()
    chosen = [number for number in numbers if ours and signal.getsignal(number) is signal.SIG_DFL]
    for number in chosen:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in chosen:
            signal.signal(number, signal.SIG_DFL)


def _wrong_use(error: Exception, name: str) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else name
    text = getattr(error, "format_message", error.__str__)()
    told = " ".join(text.split()).rstrip(".")
    return f"{told}{'' if told.endswith('?') else '.'} See {path} --help"


def _told(text: str, code: int) -> int:
    # One line: what was wrong and what to do; a file's own lines would make more of it.
    say(f"durable-replay: {' '.join(text.split())}")
    return code


def _silenced() -> int:
    """Python flushes stdout once more at its end, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return BROKEN_PIPE
