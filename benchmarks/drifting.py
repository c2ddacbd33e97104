"""Two cassettes of 100,000 interactions of 2 KB JSON, compared as `durable-replay diff` does: CPU and clock, memory,
and the findings, which must be those that were put in."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import Interaction
from durable_replay.testing import exchange

INTERACTIONS = 100_000
HOST = "https://api.bench.test"
KINDS = ("tasks", "projects", "comments", "files", "members", "labels", "events", "reports")
CHANGES = frozenset({("tasks", "field-added"), ("projects", "field-removed"), ("files", "type-changed")})

_COMPARED = """
import json, resource, sys, time
from durable_replay.cli import main
code = main(["diff", sys.argv[1], sys.argv[2], "--format", "json", "--output", sys.argv[3]])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"code": code, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one comparison took. Seconds of the processor and of the clock, peak resident megabytes."""

    cpu: float
    clock: float
    peak: float
    found: frozenset[tuple[str, str]]
    """Resource and kind of each finding."""


def interactions(count: int, *, after: bool) -> Iterator[Interaction]:
    """A recording of this many reads: half are asked for by the same id on both sides, each a listing now and then.

    Ids, times and tokens are new in each recording; three changes are real.
    """
    chance = random.Random(2 if after else 1)
    at = 1_790_000_000 if after else 1_780_000_000
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        shared = number % 2 == 0
        identity = number if shared else number + (10**7 if after else 10**6)
        url = f"{HOST}/v1/{kind}?page={number}" if number % 50 == 0 else f"{HOST}/v1/{kind}/{identity}"
        document = _document(kind, identity, chance, at + number, after=after)
        body = {"items": [document], "next": number + 1} if number % 50 == 0 else document
        yield exchange("GET", url, 200, body, at=at + number)


def _document(kind: str, identity: int, chance: random.Random, at: int, *, after: bool) -> dict[str, object]:
    """About 2 KB."""
    document: dict[str, object] = {
        "id": identity,
        "kind": kind,
        "name": f"the {kind[:-1]} of number {identity}",
        "etag": f"{chance.getrandbits(128):032x}",
        "seen_at": f"2026-0{1 + at % 9}-1{at % 10}T10:{at % 60:02}:00Z",
        "state": ("open", "closed", "waiting")[identity % 3],
        "weight": identity % 100,
        "owner": {"id": identity % 50, "name": f"person {identity % 50}", "admin": identity % 50 == 0},
        "tags": [{"name": f"tag {identity % 7}", "color": "red"}, {"name": f"tag {identity % 5}", "color": "blue"}],
        "notes": [f"note {place} of {identity}: " + "lorem ipsum dolor sit amet " * 4 for place in range(10)],
        "limits": dict.fromkeys(("daily", "weekly", "monthly", "yearly"), identity % 10),
    }
    if after and kind == "tasks":
        document["priority"] = 1
    if after and kind == "projects":
        del document["weight"]
    if after and kind == "files":
        document["weight"] = str(document["weight"])
    return document


def write(path: Path, count: int, *, after: bool) -> None:
    """The cassette of one side."""
    with CassetteWriter.open(path) as writer:
        for number, interaction in enumerate(interactions(count, after=after)):
            writer.append(interaction)
            if number % 1000 == 0:
                writer.flush()


def measure(folder: Path, before: Path, after: Path) -> Measured:
    """One comparison in a process of its own, by the command line's own way."""
    report = folder / "report.json"
    begun = time.perf_counter()
    command = [sys.executable, "-c", _COMPARED, str(before), str(after), str(report)]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    clock = time.perf_counter() - begun
    used = json.loads(done.stdout)
    findings = json.loads(report.read_text("utf-8"))["findings"]
    found = frozenset((finding["endpoint"]["path"].split("/")[2], finding["kind"]) for finding in findings)
    return Measured(used["cpu"], clock, used["peak"], found)


def yardstick(*paths: Path) -> float:
    """Seconds of the processor that reading these tapes once and parsing their bodies takes."""
    begun = time.process_time()
    for path in paths:
        with Cassette.open(path) as cassette:
            for interaction in cassette.interactions():
                json.loads(interaction.response.body.read())
    return time.process_time() - begun


def run(folder: Path, count: int = INTERACTIONS) -> list[str]:
    """The lines of this part."""
    before, after = folder / "before.cassette", folder / "after.cassette"
    write(before, count, after=False)
    write(after, count, after=True)
    size = sum(path.stat().st_size for path in (before, after)) / 1e6
    done = measure(folder, before, after)
    parsed = yardstick(before, after)
    wrong = sorted(f"{kind} of {name}" for name, kind in done.found ^ CHANGES)
    return [
        f"{count:,} interactions of 2 KB on both sides ({size:.0f} MB): {done.cpu:.1f} s of the processor,"
        f" {done.clock:.1f} s by the clock, {done.peak:.0f} MB at most; × {done.cpu / parsed:.1f} of reading and"
        " parsing all bodies once",
        f"{len(done.found)} findings" + (f"; not as put in: {', '.join(wrong)}" if wrong else ", as put in"),
    ]
