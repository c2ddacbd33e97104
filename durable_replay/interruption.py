"""A signal to us while a command runs that we have started: whose it is to answer, and how the command is ended."""

# Rule: Ctrl-C at a terminal reaches the command as well, and is its to answer, however often. Any other signal is
# passed on; a command that has not ended PATIENCE seconds later is told by SIGTERM, and then killed.

from __future__ import annotations

import os
import signal

__all__ = ["PATIENCE", "at_terminal", "ways_to_end"]

PATIENCE = 5.0
"""Seconds that a command has to end after it was told to."""


def ways_to_end(number: int) -> tuple[int, ...]:
    """The signals by which a command is ended after this one came to us, in their order."""
    harder = [getattr(signal, name) for name in ("SIGTERM", "SIGKILL") if hasattr(signal, name)]
    return (number, *(each for each in harder if each != number))


def at_terminal() -> bool:
    """Whether a terminal's Ctrl-C reaches us, and so the command too."""
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - no file to name, a device to ask
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):  # there is none, or this system has no such groups
        return False
