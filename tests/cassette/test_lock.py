"""The writer's lock ends with its holder, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from durable_replay.cassette.lock import WriterLock
from durable_replay.errors import CassetteError


def test_the_lock_is_held_until_it_is_released(path: Path) -> None:
    lock = WriterLock(path)
    with pytest.raises(CassetteError, match=r"a\.cassette is being written by another recording"):
        WriterLock(path)
    lock.release()
    WriterLock(path).release()
    assert list(path.parent.iterdir()) == []


def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from durable_replay.cassette.lock import WriterLock\n"
        "lock = WriterLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(CassetteError, match="being written"):
            WriterLock(path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    WriterLock(path).release()
    assert list(path.parent.iterdir()) == []
