"""From a command line to an exit code: errors of use in one line, a reader that goes away in none."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from durable_replay.errors import ReplayError

__all__ = ["BROKEN_PIPE", "WRONG_USE", "run"]

WRONG_USE = 2
BROKEN_PIPE = 141  # 128 + SIGPIPE, as other tools end when `head` has seen enough
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # click's own name for it moved between typers


def run(app: typer.Typer, name: str, arguments: Sequence[str] | None) -> int:
    """Runs a command line; None: this process's own. Anything that we did not raise on purpose keeps its traceback."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=None if arguments is None else list(arguments), prog_name=name, standalone_mode=False)
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
    except SystemExit as end:  # typer's own way out of it
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return _silenced()
    return code if isinstance(code, int) else 0


def _wrong_use(error: Exception, name: str) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else name
    text = getattr(error, "format_message", error.__str__)()
    return f"{' '.join(text.split()).rstrip('.')}. See {path} --help"


def _told(text: str, code: int) -> int:
    # One line: what was wrong and what to do; a file's own lines would make more of it.
    print(f"durable-replay: {' '.join(text.split())}", file=sys.stderr)
    return code


def _silenced() -> int:
    """Python flushes stdout once more at its end, and would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return BROKEN_PIPE
