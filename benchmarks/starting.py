"""How soon the programs are there, and what they weigh: `--help`; `replay` on 100,000 interactions, idle."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.load import resident_megabytes, running
from durable_replay.cassette.store import CassetteWriter
from durable_replay.testing import exchange

INTERACTIONS = 100_000
_ISSUE = {"id": "1", "key": "P-1", "fields": {"summary": "x" * 200, "labels": ["a", "b"]}}


def large_cassette(path: Path) -> None:
    """100,000 reads of different Jira issues, indexed as a recording leaves them."""
    from durable_replay.settings import Settings
    from durable_replay.tapes import write_index

    with CassetteWriter.open(path) as writer:
        for number in range(INTERACTIONS):
            document = {**_ISSUE, "id": str(number), "key": f"P-{number}"}
            url = f"https://bench.atlassian.net/rest/api/2/issue/P-{number}"
            writer.append(exchange("GET", url, 200, document, at=1_700_000_000 + number))
            if number % 1000 == 0:
                writer.flush()
    write_index(path, Settings())


def help_seconds(times: int = 9) -> float:
    """Median time of `durable-replay --help`."""
    return statistics.median(_timed([_program(), "--help"]) for _ in range(times))


def _program() -> str:
    return str(Path(sys.executable).with_name("durable-replay"))


def _timed(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def ready(path: Path, folder: Path, times: int = 5) -> tuple[float, float]:
    """Median seconds from start to the ready line, and resident megabytes then."""
    seconds, weights = [], []
    for _ in range(times):
        begun = time.perf_counter()
        environment = {"DURABLE_REPLAY_CA_DIR": str(folder / "ca")}
        with running([_program(), "replay", "-c", str(path)], environment) as (process, _):
            seconds.append(time.perf_counter() - begun)
            weights.append(resident_megabytes(process))
    return statistics.median(seconds), max(weights)


def run(folder: Path) -> list[str]:
    """The lines of this part."""
    path = folder / "large.cassette"
    begun = time.perf_counter()
    large_cassette(path)
    made = time.perf_counter() - begun
    seconds, megabytes = ready(path, folder)
    return [
        f"--help   {help_seconds():.3f} s",
        f"replay   ready in {seconds:.3f} s with {INTERACTIONS:,} interactions, {megabytes:.0f} MB resident when idle",
        f"         (that cassette: {path.stat().st_size / 1e6:.0f} MB, written and indexed in {made:.0f} s)",
    ]
