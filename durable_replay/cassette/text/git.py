"""Has git show a cassette's text where it would say that binary files differ."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from durable_replay.cassette.text.cassettes import write_whole
from durable_replay.errors import UsageError

__all__ = ["ATTRIBUTES", "COMMAND", "GitSetup", "git_setup"]

ATTRIBUTES = "*.cassette diff=durable-replay -text -merge"
"""The line of .gitattributes: bytes are left alone, and two changed cassettes are never mixed."""

COMMAND = ("durable-replay", "cassette", "export", "--for-git")
"""Git runs it with the file's name behind."""

_HUNKS = r"^([A-Z-]+ (https?|wss?)://.*)$"
"""What stands behind the @@ of a hunk, by its first group: the request."""


@dataclass(frozen=True, slots=True)
class GitSetup:
    """What was written: the attributes file (None: it held the line already), and the settings by name."""

    attributes: Path | None
    settings: dict[str, str]


def git_setup(repository: Path, command: Sequence[str] = COMMAND) -> GitSetup:
    """Write .gitattributes of the repository that this folder is in, and its own settings. May be done again.

    The file is for all, the settings for this clone alone: git takes no commands from a repository. Raises UsageError.
    """
    root = Path(_git(repository, "rev-parse", "--show-toplevel"))
    settings = {
        "diff.durable-replay.textconv": shlex.join(command),
        "diff.durable-replay.cachetextconv": "false",
        "diff.durable-replay.xfuncname": _HUNKS,
    }
    for name, value in settings.items():
        _git(root, "config", "--local", name, value)
    return GitSetup(_attributes(root / ".gitattributes"), settings)


def _attributes(path: Path) -> Path | None:
    try:
        text = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"{path} cannot be read ({wrong}); add this line to it: {ATTRIBUTES}") from wrong
    if ATTRIBUTES in text.splitlines():
        return None
    joint = "" if not text or text.endswith("\n") else "\n"
    write_whole(path, [f"{text}{joint}{ATTRIBUTES}\n"])
    return path


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git, as on their path
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be run: {error}. Install git, or set it up by hand as the docs say.") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise UsageError(f"git {arguments[0]} failed in {folder}: {said[0]}. Name a folder in a git repository.")
    return done.stdout.removesuffix("\n")
