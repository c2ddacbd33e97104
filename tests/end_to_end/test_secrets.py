"""No secret outlives a recording: each of `planted.py` goes through one real recording, and is then looked for in the
file, in all that is packed and encoded in it, in its text and in everything that was said."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response
from durable_replay.redaction.coding import coding_of, decode
from durable_replay.redaction.conversation import readable
from tests.end_to_end.planted import PLANTS, Plant

DURABLE = (sys.executable, "-m", "durable_replay")
SCRIPT = Path(__file__).parent / "scripts" / "plant.py"
SHORTEST = 12


@dataclass(frozen=True, slots=True)
class Left:
    """What a recording left, each as the bytes in which a secret could stand."""

    path: Path
    places: dict[str, bytes]


def _environment(folder: Path) -> dict[str, str]:
    own = {"DURABLE_REPLAY_REDACTION_KEY_FILE": "redaction.key", "DURABLE_REPLAY_CA_DIR": "ca"}
    return {**os.environ, **{name: str(folder / file) for name, file in own.items()}}


def _run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[bytes]:
    line = [*DURABLE, *map(str, command)]
    return subprocess.run(line, cwd=folder, env=_environment(folder), capture_output=True, timeout=90)


def _content(headers: Headers, body: bytes) -> bytes:
    return decode(coding_of(headers.get("content-encoding")) or "", [body], 1 << 26)


def _inside(path: Path) -> bytes:
    """Heads, frames and bodies, unpacked."""
    pieces: list[bytes] = []
    with Cassette.open(path) as cassette:
        for each in cassette.interactions():
            for message in (each.request, each.response):
                pieces += [str(message.headers).encode(), _content(message.headers, message.body.read())]
            pieces += [each.request.target.encode(), each.note.encode()]
            pieces += [data for _, data in readable(each.frames)]
    return b"\n".join(pieces)


def _left(folder: Path, path: Path, said: bytes) -> Left:
    files = {file.name: file.read_bytes() for file in folder.glob("*.cassette*")}
    exported = _run(folder, "cassette", "export", path, "--format", "text")
    assert exported.returncode == 0, exported.stderr
    inside = _inside(path)
    decoded = unquote_to_bytes(inside)
    told = exported.stderr + said
    return Left(path, {**files, "inside": inside, "decoded": decoded, "text": exported.stdout, "told": told})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Everything planted, recorded by the command line."""
    folder = tmp_path_factory.mktemp("planted")
    done = _run(folder, "record", "-c", "x.cassette", "--include-loopback", "--", sys.executable, SCRIPT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"sent {len(PLANTS)}".encode() in done.stdout
    left = _left(folder, folder / "x.cassette", done.stdout + done.stderr)
    with Cassette.open(left.path) as cassette:
        names = {each.request.headers.get("x-plant") for each in cassette.interactions()}
    assert names == {plant.name for plant in PLANTS}
    return left


def _aligned(value: bytes) -> Iterator[bytes]:
    """The signs that a value has in base64 wherever it begins in what was encoded."""
    for before in range(3):
        signs = base64.b64encode(b"\0" * before + value)
        core = signs[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
        yield from (core, core.translate(bytes.maketrans(b"+/", b"-_")))


def spelt(value: str) -> set[bytes]:
    """Every form in which a value could stand."""
    forms = {value, quote(value, safe=""), quote_plus(value), escape(value), escape(value, quote=False)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    plain = {form.encode() for form in forms}
    return plain | ({*_aligned(value.encode())} if len(value) >= SHORTEST else set())


def _where(left: Left, plant: Plant) -> list[str]:
    return [
        f"{place}: {plant.hidden.index(value)}"
        for place, data in left.places.items()
        for value in plant.hidden
        for form in spelt(value)
        if form in data
    ]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_no_planted_secret_is_left_anywhere(recorded: Left, plant: Plant) -> None:
    assert _where(recorded, plant) == []


def _unredacted(path: Path) -> None:
    """A cassette as a tool without redaction would have made it."""
    with CassetteWriter.open(path) as writer:
        for plant in PLANTS:
            request = Request(
                plant.method,
                "http",
                "h.example",
                80,
                plant.target,
                Headers(plant.headers.items()),
                BytesBody(plant.body),
            )
            response = Response(200, Headers(plant.answer_headers.items()), BytesBody(plant.answer))
            frames = tuple(Frame(True, kind, data) for kind, data in plant.frames)  # type: ignore[arg-type]
            writer.append(Interaction(request, response, frames=frames))


def test_a_scan_tells_rule_and_place_and_a_scrub_leaves_no_old_byte(tmp_path: Path) -> None:
    path = tmp_path / "old.cassette"
    _unredacted(path)
    scanned = _run(tmp_path, "cassette", "scan", path, "--format", "json")
    findings = json.loads(scanned.stdout)["findings"]
    assert scanned.returncode == 1 and {"aws-access-key-id", "jwt", "salesforce-session"} <= {
        each["rule"] for each in findings
    }
    scrubbed = _run(tmp_path, "cassette", "scrub", path)
    assert scrubbed.returncode == 0, scrubbed.stdout + scrubbed.stderr
    again = _run(tmp_path, "cassette", "scan", path)
    assert (again.returncode, again.stdout) == (0, f"{path}: no secret found\n".encode())
    said = b"".join(done.stdout + done.stderr for done in (scanned, scrubbed, again))
    left = _left(tmp_path, path, said)
    assert {plant.name: where for plant in PLANTS if (where := _where(left, plant))} == {}
    assert [file.name for file in tmp_path.glob("*old.cassette*")] == ["old.cassette"]
