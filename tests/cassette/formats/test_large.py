"""Sources larger than memory should be: read in bounded memory, with progress, or not at all."""

from __future__ import annotations

import base64
import json
import os
import pty
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from durable_replay.cassette.store import Cassette

MB = 1_000_000
SIZES = (400, 1_500, 3_000, 9_000, 40_000, 250_000)
"""Characters of the bodies, in turn, at most."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program: `peak` is its largest resident size in bytes, `shown` what a terminal would show."""

    code: int
    peak: int
    seconds: float
    shown: str


def _body(size: int, chance: random.Random) -> str:
    """JSON, of which a part is like any other answer's and a part is not."""
    rows = [{"id": chance.getrandbits(48), "state": "open", "name": f"item {n}"} for n in range(size // 90)]
    return json.dumps({"rows": rows, "cursor": base64.b64encode(chance.randbytes(size // 12)).decode()})


def _entry(number: int, body: str) -> str:
    fields = [{"name": "Content-Type", "value": "application/json"}, {"name": "X-Request-Id", "value": f"r-{number}"}]
    request = {"method": "GET", "url": f"https://api.example.com/v1/items?page={number}", "headers": fields[1:]}
    response = {"status": 200, "statusText": "OK", "headers": fields}
    content = {"size": len(body), "mimeType": "application/json", "text": body}
    return json.dumps(
        {
            "startedDateTime": f"2024-05-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
            "time": 12.5,
            "request": {**request, "httpVersion": "HTTP/1.1"},
            "response": {**response, "httpVersion": "HTTP/1.1", "content": content},
        }
    )


def _entries(size: int, largest: int) -> Iterator[str]:
    """Entries of this size all together, in the middle of which is one with the largest body."""
    chance = random.Random(7)
    bodies = [_body(each, chance) for each in SIZES]
    number = written = 0
    while written < size:
        body = bodies[number % len(bodies)]
        if largest and written > size // 2:
            body, largest = base64.b64encode(chance.randbytes(largest * 3 // 4)).decode(), 0
        entry = _entry(number, f'{{"number":{number},"is":{body if body[0] == "{" else json.dumps(body)}}}')
        yield entry
        written, number = written + len(entry), number + 1


def write_har(path: Path, size: int, largest: int) -> int:
    """A HAR of this size with one body of `largest` characters; gives how many entries it has."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": [\n')
        for count, entry in enumerate(_entries(size, largest), 1):
            file.write(f"{',' if count > 1 else ''}{entry}\n")
        file.write("]}}\n")
    return count


# A process counts the memory of the one that started it for its own peak; so a small one starts it.
_MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
sys.exit(code)
"""


def durable_replay(folder: Path, *arguments: str | Path) -> Run:
    """Runs the program with a terminal as its stderr."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                shown.extend(piece)
        except OSError:  # how a pseudo-terminal ends
            return

    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    command = [sys.executable, "-m", "durable_replay", *map(str, arguments)]
    measured = [sys.executable, "-c", _MEASURED, *command]
    process = subprocess.Popen(measured, cwd=folder, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    reader = Thread(target=read)
    reader.start()
    peak, seconds = process.communicate()[0].split()
    reader.join()
    os.close(ours)
    return Run(process.returncode, int(peak) * 1024, float(seconds), shown.decode())


@pytest.mark.parametrize(
    ("size", "largest"),
    [
        (12 * MB, 0),
        pytest.param(1000 * MB, 100 * MB, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)]),
    ],
    ids=["12 MB", "1 GB"],
)
def test_a_large_har_is_imported_in_memory_for_its_largest_body(tmp_path: Path, size: int, largest: int) -> None:
    """Some 85 MB are the program's own, and 3.5 times the largest body: text, its window, bytes, what is redacted."""
    har = tmp_path / "large.har"
    count = write_har(har, size, largest)
    assert har.stat().st_size >= size
    run = durable_replay(tmp_path, "cassette", "import", "large.cassette", har)
    assert run.code == 0, run.shown
    assert run.peak < 200 * MB + 5 * largest, f"{run.peak // MB} MB"
    if count >= 1000:
        assert "importing 1,000" in run.shown
        assert f"indexing {count:,} of {count:,}" in run.shown
    with Cassette.open(tmp_path / "large.cassette") as cassette:
        assert cassette.verify() == count
        assert max(each.response.body.size for each in cassette.interactions()) >= max(largest, max(SIZES) // 2)
    print(f"\n{size // MB} MB, {count:,} entries: {run.seconds:.1f} s of CPU, {run.peak // MB} MB at most")


@pytest.mark.parametrize("existing", [True, False])
def test_a_large_har_that_is_cut_off_changes_no_byte_of_the_target(tmp_path: Path, existing: bool) -> None:
    har, target = tmp_path / "cut.har", tmp_path / "kept.cassette"
    write_har(har, 8 * MB, 3 * MB)
    os.truncate(har, har.stat().st_size - 1000)
    if existing:
        write_har(tmp_path / "small.har", 50_000, 0)
        assert durable_replay(tmp_path, "cassette", "import", target, tmp_path / "small.har").code == 0
    before = {path.name: sha256(path.read_bytes()).digest() for path in tmp_path.iterdir() if path.is_file()}
    run = durable_replay(tmp_path, "cassette", "import", target, har)
    assert run.code == 2
    assert f"{har}, line " in run.shown.replace("\r\n", "")
    assert "Nothing was imported." in run.shown
    assert {path.name: sha256(path.read_bytes()).digest() for path in tmp_path.iterdir() if path.is_file()} == before
