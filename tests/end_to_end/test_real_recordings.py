"""Traffic that others recorded against the real services: stored in a cassette, and played again as it was."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

import pytest
import yaml

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.engine import Engine
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.service.registry import Registry
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import open_tape
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore

Fields: TypeAlias = "list[tuple[str, str]]"


@dataclass(frozen=True)
class Source:
    """A collection of recordings: its folder, its files, how one is read, and how many interactions there are."""

    folder: str
    files: str
    read: Callable[[Path], Iterator[Interaction]]
    count: int


# ---- Ruby's VCR, vcrpy and go-vcr: YAML


class _Loader(yaml.CSafeLoader):
    """Makes plain values only; `!binary` is how Ruby's psych wrote a string that is no text."""


_Loader.add_constructor("!binary", lambda loader, node: base64.b64decode(str(node.value)))


@lru_cache(maxsize=64)
def _loaded(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        loaded = yaml.load(file, _Loader)
    assert isinstance(loaded, dict)
    return loaded


def vcr(path: Path) -> Iterator[Interaction]:
    """The interactions of a VCR, vcrpy or go-vcr cassette, CumulusCI's includes resolved."""
    document = _loaded(path)
    entries = document.get("http_interactions") or document.get("interactions") or []
    assert isinstance(entries, list)
    for entry in entries:
        if "include_file" in entry:
            entry = _loaded(_shared_cassettes(path) / entry["include_file"])
        yield _exchange(entry, path)


def _shared_cassettes(path: Path) -> Path:
    return path.parent.parent / "shared_cassettes"


def _exchange(entry: Mapping[str, object], path: Path) -> Interaction:
    asked, said = entry["request"], entry["response"]
    assert isinstance(asked, dict) and isinstance(said, dict)
    status, reason = _status(said)
    response = Response(status, _headers(said, path), BytesBody(_body(said["body"], path)), reason)
    url = asked.get("uri") or asked["url"]
    sent = BytesBody(_body(asked["body"], path))
    return Interaction(_request(str(asked["method"]).upper(), url, _headers(asked, path), sent), response)


def _request(method: str, url: str, headers: Headers, body: BytesBody) -> Request:
    parts = urlsplit(url)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    port = parts.port or (443 if scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(
        method, scheme, parts.hostname or "", port, quote(target, safe="%/?&=+:;,@!$'()*~<>|[]{}"), headers, body
    )


def _status(said: Mapping[str, object]) -> tuple[int, str]:
    status = said["status"]
    if isinstance(status, dict):
        return int(status["code"]), _wire(status["message"] or "")
    code = said["code"]
    assert isinstance(code, int)
    return code, str(status).removeprefix(f"{code} ")


def _headers(message: Mapping[str, object], path: Path) -> Headers:
    fields = message["headers"] or {}
    assert isinstance(fields, dict)
    pairs: Fields = []
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            pairs.append((str(name), _body(value, path).decode("latin-1")))
    return Headers(pairs)


def _wire(text: object) -> str:
    return str(text).encode().decode("latin-1")


def _body(body: object, path: Path) -> bytes:
    if isinstance(body, dict) and "include_template" in body:
        template = _shared_cassettes(path) / "vcr_string_templates" / body["include_template"]
        return _filled(template.read_text(), body["vars"]).encode()
    if isinstance(body, dict):
        return _body(body.get("string"), path)
    return body if isinstance(body, bytes) else str("" if body is None else body).encode()


def _filled(template: str, values: Mapping[str, object]) -> str:
    return re.sub(r"\{(\w+)(?::([^}]*))?\}", lambda found: str(values.get(found[1], found[2] or "")), template)


# ---- browsers' HAR: JSON


def har(path: Path) -> Iterator[Interaction]:
    """The interactions of a HAR file, in the order in which they began."""
    entries = json.loads(path.read_text())["log"]["entries"]
    for entry in sorted(entries, key=lambda entry: entry["startedDateTime"]):
        asked, said = entry["request"], entry["response"]
        sent = asked.get("postData", {}).get("text", "").encode()
        content = said["content"]
        text = content.get("text", "")
        data = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()
        response = Response(said["status"], _har_headers(said), BytesBody(data), said["statusText"])
        yield Interaction(
            _request(asked["method"], asked["url"], _har_headers(asked), BytesBody(sent)),
            response,
            started=datetime.fromisoformat(entry["startedDateTime"]).timestamp(),
            duration=entry["time"] / 1000,
        )


def _har_headers(message: Mapping[str, list[dict[str, str]]]) -> Headers:
    return Headers((one["name"], _wire(one["value"])) for one in message["headers"])


SOURCES = [
    Source("asana/graph-asana", "*.har", har, 18),
    Source("box/browse-everything", "*.yml", vcr, 7),
    Source("heroku/heroku-api-postgres", "**/*.yml", vcr, 31),
    Source("opennebula/onego", "**/*.yaml", vcr, 221),
    Source("proxmox/fog-proxmox", "**/*.yml", vcr, 259),
    Source("salesforce/cumulusci", "cassettes/*.yaml", vcr, 208),
    Source("salesforce/restforce-db", "**/*.yml", vcr, 276),
    Source("youtube/mopidy-youtube", "**/*.yaml", vcr, 29),
    Source("youtube/nullscreen-yt", "**/*.yml", vcr, 263),
]


@pytest.fixture(params=SOURCES, ids=lambda source: str(source.folder))
def source(request: pytest.FixtureRequest) -> Source:
    chosen: Source = request.param
    return chosen


@pytest.fixture
def recorded(source: Source, shared: Path) -> list[Interaction]:
    """All interactions of a collection, file after file."""
    folder = shared / "recordings" / source.folder
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    return [one for path in sorted(folder.glob(source.files)) for one in source.read(path)]


@pytest.fixture
def stored(recorded: list[Interaction], tmp_path: Path) -> Path:
    """A cassette of them."""
    path = tmp_path / "recorded.cassette"
    with CassetteWriter.open(path) as writer:
        for one in recorded:
            writer.append(one)
    return path


def spoken(response: Response) -> tuple[int, str, tuple[tuple[str, str], ...], bytes]:
    """All of a response that a client sees."""
    return response.status, response.reason, response.headers.fields, response.body.read()


def test_every_interaction_of_a_collection_is_read_and_comes_out_of_a_cassette_as_it_went_in(
    source: Source, recorded: list[Interaction], stored: Path
) -> None:
    assert len(recorded) == source.count
    with Cassette.open(stored) as cassette:
        assert len(cassette) == source.count
        for before, after in zip(recorded, cassette.interactions(), strict=True):
            assert spoken(after.response) == spoken(before.response)
            assert after.request == before.request


def test_requests_that_are_played_in_order_get_the_recorded_answers_byte_for_byte(
    recorded: list[Interaction], stored: Path
) -> None:
    """In two sessions at once: where equal requests got different answers, each session hears them in their order."""
    indexing = Indexing(Registry())
    tape = open_tape([stored], indexing)
    engine = Engine(tape, indexing, Sessions(tape, SQLiteStore(None)))
    for number, one in enumerate(recorded, 1):
        for session in ("one", "two"):
            answer = engine.answer(session, one.request)
            place = f"{session}, #{number} {one.request.method} {one.request.url}"
            assert (answer.source, answer.interaction) == ("recorded", number), f"{place}: {answer.why}"
            assert spoken(answer.response) == spoken(one.response), place
