"""What importing costs: megabytes of source a second of CPU, read alone, stored too, and redacted too.

    python -m benchmarks importing

The sources are made here, like those that browsers, vcrpy and Ruby VCR write of one JSON API. Where other people's
recordings lie beside the project (or in DURABLE_SHARED), their YAML and HAR is imported as well.
"""

from __future__ import annotations

import base64
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from durable_replay.cassette.formats.importing import Redacts, import_into
from durable_replay.cassette.formats.registry import sniffed
from durable_replay.cassette.formats.source import Source, located
from durable_replay.redaction.redact import Redactor

ENTRIES = 3000
TIMES = 3
ROWS = (0, 1, 1, 2, 3, 5, 8, 20, 60)
"""Rows of the answers, in turn: a row is some 200 bytes of JSON."""
SHARED = Path(os.environ.get("DURABLE_SHARED") or Path(__file__).parents[2] / "shared") / "recordings"
RECORDINGS = (".yml", ".yaml", ".har")
Plain = dict[str, object]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of the API that the sources tell of."""

    number: int
    url: str
    sent: dict[str, str]
    received: dict[str, str]
    body: str

    @property
    def at(self) -> str:
        """Seconds apart from the first of May 2024."""
        return f"2024-05-01T{self.number // 3600:02}:{self.number // 60 % 60:02}:{self.number % 60:02}Z"


def _row(chance: random.Random) -> Plain:
    name = " ".join(chance.choices(("Ship", "the", "new", "quarterly", "report", "to", "Größe", "team"), k=5))
    owner = {"id": chance.getrandbits(32), "email": f"user{chance.randrange(40)}@example.com"}
    return {
        "id": chance.getrandbits(48),
        "name": name,
        "state": "open",
        "tags": ["a", "b"],
        "owner": owner,
        "parent": None,
    }


def exchanges() -> Iterator[Exchange]:
    """Reads of pages of different lengths."""
    chance = random.Random(3)
    for number in range(ENTRIES):
        rows = [_row(chance) for _ in range(ROWS[number % len(ROWS)])]
        body = json.dumps({"data": rows, "next": base64.b64encode(chance.randbytes(24)).decode()}, ensure_ascii=False)
        sent = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
        sent |= {"Authorization": "Bearer 7ab9e0f2c5d84417b3f1", "User-Agent": "python-requests/2.31.0"}
        received = {"Cache-Control": "no-store", "Content-Length": str(len(body.encode())), "Server": "nginx"}
        received |= {"Content-Type": "application/json; charset=utf-8", "Strict-Transport-Security": "max-age=31536000"}
        received |= {"Date": f"Wed, 01 May 2024 00:{number // 60:02}:{number % 60:02} GMT", "X-Frame-Options": "DENY"}
        received |= {"X-Request-Id": chance.randbytes(16).hex(), "Vary": "Accept-Encoding", "ETag": f'"{number}"'}
        yield Exchange(number, f"https://api.example.com/v1/tasks?page={number}", sent, received, body)


def har() -> str:
    """As browsers save it."""
    return json.dumps({"log": {"version": "1.2", "entries": [_har_entry(each) for each in exchanges()]}}, indent=2)


def _har_entry(each: Exchange) -> Plain:
    sent = [{"name": name, "value": value} for name, value in each.sent.items()]
    received = [{"name": name, "value": value} for name, value in each.received.items()]
    content = {"size": len(each.body), "mimeType": "application/json", "text": each.body}
    version = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": -1}
    return {
        "startedDateTime": each.at,
        "time": 41.5,
        "request": {"method": "GET", "url": each.url, "headers": sent, "queryString": [], **version},
        "response": {"status": 200, "statusText": "OK", "headers": received, "content": content, **version},
        "timings": {"send": 0.1, "wait": 40.2, "receive": 1.2},
    }


def vcrpy() -> str:
    """As vcrpy dumps it: by PyYAML, with lines of 80 columns."""
    return yaml.dump({"interactions": [_vcrpy_entry(each) for each in exchanges()], "version": 1}, Dumper=yaml.CDumper)


def _vcrpy_entry(each: Exchange) -> Plain:
    sent = {name: [value] for name, value in each.sent.items()}
    received = {name: [value] for name, value in each.received.items()}
    request = {"body": None, "headers": sent, "method": "GET", "uri": each.url}
    status = {"code": 200, "message": "OK"}
    return {"request": request, "response": {"body": {"string": each.body}, "headers": received, "status": status}}


def ruby_vcr() -> str:
    """As Psych dumps Ruby VCR's hashes: in their order, text as it is."""
    document = {"http_interactions": [_ruby_entry(each) for each in exchanges()], "recorded_with": "VCR 6.2.0"}
    return yaml.dump(
        document, Dumper=yaml.CDumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=1 << 20
    )


def _ruby_entry(each: Exchange) -> Plain:
    sent = {name: [value] for name, value in each.sent.items()}
    received = {name: [value] for name, value in each.received.items()}
    request = {"method": "get", "uri": each.url, "body": {"encoding": "US-ASCII", "string": ""}, "headers": sent}
    response = {"status": {"code": 200, "message": "OK"}, "headers": received}
    body = {"encoding": "UTF-8", "string": each.body}
    recorded = f"Wed, 01 May 2024 00:{each.number // 60:02}:{each.number % 60:02} GMT"
    return {"request": request, "response": {**response, "body": body, "http_version": None}, "recorded_at": recorded}


def _seconds(work: Callable[[], object]) -> float:
    """CPU of the best of a few runs."""
    taken = []
    for _ in range(TIMES):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def _read(paths: list[Path]) -> None:
    for source in map(Source, paths):
        format = sniffed(source)
        assert format is not None, source.path
        for _ in located(source, format.read(source)):
            pass


def _stored(paths: list[Path], target: Path, redactor: Redacts | None) -> None:
    target.unlink(missing_ok=True)
    import_into(target, paths, redactor=redactor)


def line(name: str, paths: list[Path], target: Path) -> str:
    """Speeds of one kind of source."""
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    read = megabytes / _seconds(lambda: _read(paths))
    stored = megabytes / _seconds(lambda: _stored(paths, target, None))
    redacted = megabytes / _seconds(lambda: _stored(paths, target, Redactor(b"benchmark" * 4)))
    return f"{name:10} {megabytes:7.1f} MB   {read:6.1f}   {stored:6.1f}   {redacted:6.1f}"


def run(folder: Path) -> list[str]:
    """The lines of this part."""
    lines = ["                       read   stored   redacted   (MB/s of CPU)"]
    for name, written in (("har", har), ("vcrpy", vcrpy), ("ruby-vcr", ruby_vcr)):
        path = folder / f"{name}.{'har' if name == 'har' else 'yaml'}"
        path.write_text(written(), "utf-8")
        lines.append(line(name, [path], folder / "made.cassette"))
    everything: list[Path] = []
    for service in sorted(SHARED.iterdir()) if SHARED.is_dir() else ():
        paths = sorted(path for path in service.rglob("*") if path.suffix in RECORDINGS)
        everything += paths
        if paths:
            lines.append(line(service.name, paths, folder / "shared.cassette"))
    if everything:
        lines.append(line("together", everything, folder / "shared.cassette"))
    return lines
