"""The corpus asked live: one recording of v1, and a service that is still v1, or v2 by now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.live import taking
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from tests.drift.corpus.cases import Case, load
from tests.drift.corpus.recording import BEGIN, DAY, planned
from tests.drift.corpus.scoring import Found, Score, diffed
from tests.drift.corpus.server import Service, serving

DATA = Path(__file__).parent / "corpus" / "data"
SAFE = ("GET", "HEAD", "OPTIONS")
MOST = 10

pytestmark = pytest.mark.timeout(120)


@dataclass
class Bench:
    """The corpus' service, which is one version after the other, and recordings of it."""

    cases: tuple[Case, ...]
    service: Service
    url: str
    folder: Path

    @property
    def before(self) -> Path:
        return self.folder / "v1.cassette"

    def record(self, path: Path) -> Path:
        """One recording of all requests of this moment's version, but for conversations."""
        with CassetteWriter.open(path) as writer, httpx.Client(timeout=30) as client:
            for step in planned(self.cases, self.service.version, 507):
                assert isinstance(step, dict)
                if step["method"] != "WS":
                    for interaction in self._recorded(client, step):
                        writer.append(interaction)
        return path

    def _recorded(self, client: httpx.Client, step: dict[str, Any]) -> Iterator[Interaction]:
        headers = {**step.get("headers", {}), **({"Content-Type": step["type"]} if "type" in step else {})}
        sent = {"json": step.get("json"), "data": step.get("form"), "content": step.get("text")}
        for _ in range(MOST):
            request = client.build_request(step["method"], self.url + step["target"], headers=headers, **sent)
            with closing(client.send(request, stream=True)) as answer:
                body = BytesBody(b"".join(answer.iter_raw()))
            yield Interaction(
                Request(
                    request.method,
                    "http",
                    request.url.host,
                    request.url.port or 80,
                    request.url.raw_path.decode("ascii"),
                    _fields(request.headers),
                    BytesBody(request.content),
                ),
                Response(answer.status_code, _fields(answer.headers).without("transfer-encoding"), body),
                started=self.service.chance.clock,
                duration=0.001,
            )
            if answer.status_code == step.get("until", answer.status_code):
                return

    def asked(self, version: str, seed: int, *options: str) -> tuple[Found, ...]:
        """The findings of `diff v1.cassette --live OPTIONS` some days later, in an order that makes no difference."""
        self.service.begin(version, seed, BEGIN + seed * DAY)
        return diffed([self.before], None, "--concurrency", "1", *options)


def _fields(headers: httpx.Headers) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    cases = load(DATA)
    service = Service(cases)
    with serving(service) as url:
        bench = Bench(cases, service, url, tmp_path_factory.mktemp("live"))
        service.begin("v1", 7, BEGIN)
        bench.record(bench.before)
        yield bench


class Hurried:
    """A clock that moves on where it would be waited for: the service asks for pauses too."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    async def sleep(self, seconds: float) -> None:
        self._ahead += seconds


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "WallClock", Hurried)


def test_a_service_that_did_not_change_gives_no_finding(bench: Bench) -> None:
    found = bench.asked("v1", 3)
    assert found == (), "\n".join(map(str, found))


def test_without_a_second_look_values_are_told_that_vary_by_themselves(bench: Bench) -> None:
    found = bench.asked("v1", 3, "--repeat", "1")
    assert {each.severity for each in found} == {"cosmetic"}
    assert {each.kind for each in found} == {"value", "header-changed"}


def test_what_changed_is_found_as_between_two_recordings_as_far_as_it_is_asked(bench: Bench) -> None:
    labels = tuple(label for case in bench.cases for label in case.labels)
    live = Score(labels, bench.asked("v2", 23))
    bench.service.begin("v2", 23, BEGIN + 23 * DAY)
    recorded = Score(labels, diffed([bench.before], bench.record(bench.folder / "v2.cassette")))
    asked = {case.name for case in bench.cases if not case.only and any(method in SAFE for method, _ in case.asks)}
    lost = [label for label in live.missed if label not in recorded.missed and label.case in asked]
    print(f"live {live}", f"recorded {recorded}", sep="\n")
    assert lost == []
    assert live.precision == 1.0, live
    assert len(live.missed) < len(labels) / 4  # the rest is asked by writes
