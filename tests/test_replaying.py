from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.errors import UsageError
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.replaying import Plan, Replay, opened
from durable_replay.settings import Settings


def _cassette(path: Path, host: str, *bodies: bytes) -> Path:
    with CassetteWriter.open(path) as writer:
        for body in bodies:
            request = Request("GET", "http", host, 80, "/x", Headers())
            writer.append(Interaction(request, Response(200, Headers(), BytesBody(body)), started=1.7e9))
    return path


def _get(replay: Replay, url: str) -> bytes:
    with build_opener(ProxyHandler({"http": replay.url})).open(url) as answer:
        return bytes(answer.read())


def test_a_second_tape_begins_where_the_first_ends(tmp_path: Path) -> None:
    first = _cassette(tmp_path / "1.cassette", "a.test", b"one")
    second = _cassette(tmp_path / "2.cassette", "a.test", b"two", b"three")
    with opened(Plan((first, second)), Settings()) as replay:
        answers = [_get(replay, "http://a.test/x") for _ in range(4)]
        summary = replay.summary()
    assert answers == [b"one", b"two", b"three", b"three"]
    assert (summary.answers["recorded"], summary.missed, summary.never_used) == (4, 0, 0)


@pytest.mark.parametrize(
    ("host", "hosts", "names"),
    [
        ("a.test", {}, set()),
        ("127.0.0.1", {}, {"127.0.0.1"}),
        ("[::1]", {}, {"::1"}),
        ("a.test", {"localhost:9000": "s3"}, {"localhost"}),
        ("a.test", {"[::1]:9000": "s3"}, {"::1"}),
        ("a.test", {"minio.local": "s3"}, set()),
    ],
)
def test_loopback_belongs_here_where_it_is_mapped_or_on_the_tape(
    tmp_path: Path, host: str, hosts: dict[str, str], names: set[str]
) -> None:
    cassette = _cassette(tmp_path / "a.cassette", host, b"x")
    with opened(Plan((cassette,), hosts=hosts), Settings()) as replay:
        assert replay.loopback_hosts() == names
        direct = set(replay.environment()["NO_PROXY"].split(","))
    assert direct & {"localhost", "127.0.0.1", "::1"} == {"localhost", "127.0.0.1", "::1"} - names


def test_a_service_alone_is_asked_at_a_plain_endpoint(tmp_path: Path) -> None:
    with opened(Plan(service="s3"), Settings()) as replay, pytest.raises(HTTPError) as missing:
        build_opener(ProxyHandler({})).open(f"{replay.url}/no-such-bucket/key")
    assert b"NoSuchBucket" in missing.value.read()
    missing.value.close()


def test_settings_decide_where_the_plan_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "durable.toml"
    file.write_text('[replay]\non_miss = "refuse"\nseed = 7\n[hosts]\n"minio.local" = "s3"\n')
    with opened(Plan(), Settings.load(tmp_path)) as replay:
        assert replay.engine.policy.on_miss == "refuse"
        assert replay.engine.sessions.get("default").seed == 7
    with opened(Plan(on_miss="emulate", seed=8), Settings.load(tmp_path)) as replay:
        assert replay.engine.policy.on_miss == "emulate"
        assert replay.engine.sessions.get("default").seed == 8


def test_recording_a_miss_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "durable.toml").write_text('[replay]\non_miss = "record"\n')
    with pytest.raises(UsageError, match="not in this version"), opened(Plan(), Settings.load(tmp_path)):
        pass


def test_a_missing_cassette_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="durable-replay record -c"), opened(Plan((tmp_path / "no",)), Settings()):
        pass
