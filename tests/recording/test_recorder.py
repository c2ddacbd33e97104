from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Headers, Interaction, Request, Response
from durable_replay.recording.recorder import HostMap, Recorder, parse_map
from durable_replay.recording.take import Ending, Take

KEY = b"0123456789abcdef"


def put(recorder: Recorder, *targets: str, body: bytes = b"ok") -> None:
    for target in targets:
        request = Request("GET", "https", "api.example.com", 443, target, Headers([("X-Api-Key", "k3y-k3y-k3y")]))
        take = Take(request, 1.0, Response(200))
        take.add("response", body)
        recorder.put(take.handed_over("response"))
        recorder.put(Ending(take, Interaction(request, Response(200), started=1.0)))


def targets(path: Path) -> list[str]:
    with Cassette.open(path) as cassette:
        return [interaction.request.target for interaction in cassette.interactions()]


def test_once_records_into_a_new_cassette_and_refuses_it_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    recorder = Recorder.start(path, "once", key=KEY)
    put(recorder, "/a", "/b")
    ended = recorder.finish()
    assert targets(path) == ["/a", "/b"] and ended.written == 2 and ended.findings == ()
    assert ended.seen.interactions == 2 and ended.seen.hosts == {"api.example.com"}
    with pytest.raises(UsageError, match=r"2 interactions already.*--mode all"):
        Recorder.start(path, "once", key=KEY)


def test_new_adds_only_what_the_tape_lacks_whatever_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    first = Recorder.start(path, "once", key=KEY)
    put(first, "/a?page=1&api_key=one-secret-key")
    first.finish()
    second = Recorder.start(path, "new", key=b"another key of 16+")
    put(second, "/a?api_key=another-secret-key&page=1", "/b", "/b")
    second.finish()
    assert targets(path)[1:] == ["/b", "/b"]


def test_all_replaces_the_tape_at_its_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    first = Recorder.start(path, "once", key=KEY)
    put(first, "/old")
    first.finish()
    second = Recorder.start(path, "all", key=KEY)
    put(second, "/new")
    assert targets(path) == ["/old"]
    second.finish()
    assert targets(path) == ["/new"] and [file.name for file in tmp_path.iterdir()] == ["x.cassette"]


def test_none_counts_and_writes_nothing(tmp_path: Path) -> None:
    recorder = Recorder.start(tmp_path / "x.cassette", "none", key=KEY)
    put(recorder, "/a")
    assert recorder.finish().seen.interactions == 1 and list(tmp_path.iterdir()) == []


def test_a_secret_that_no_rule_took_out_fails_the_recording_by_rule_name(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    recorder = Recorder.start(path, "all", key=KEY)
    put(recorder, "/a")
    # no rule lets this through: the host's name stands for a secret that a rule missed
    recorder._redactor.known = lambda: iter(["api.example.com"])  # type: ignore[method-assign]
    with pytest.raises(CassetteError, match=r"known-secret in .*byte") as failed:
        recorder.finish()
    assert "api.example.com" not in str(failed.value) and not path.exists()


def test_a_disk_that_is_full_is_told_at_the_end_and_does_not_stop_the_traffic(tmp_path: Path) -> None:
    recorder = Recorder.start(tmp_path / "x.cassette", "once", key=KEY)
    put(recorder, "/a")

    def full(_: Interaction) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    recorder._writer._wanted = full
    for number in range(2000):
        put(recorder, f"/{number}", body=b"x" * 100_000)
    with pytest.raises(CassetteError, match=r"x\.cassette.*disk is full.*Make room"):
        recorder.finish()
    assert recorder.failed and "disk is full" in recorder.progress.failure


def test_maps_are_kept_in_the_cassette(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    recorder = Recorder.start(path, "once", [parse_map("minio.local:9000=s3"), parse_map("jira.local=jira")], key=KEY)
    recorder.finish()
    with Cassette.open(path) as cassette:
        assert mapped_hosts(cassette) == {"minio.local:9000": "s3", "jira.local": "jira"}


@pytest.mark.parametrize("text", ["", "host", "host=", "=s3", "host:x=s3", "host:99999=s3"])
def test_a_map_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"minio.local:9000=s3"):
        parse_map(text)


def test_an_ipv6_host_is_mapped() -> None:
    assert parse_map("[::1]:9000=s3") == HostMap("::1", 9000, "s3")


@pytest.mark.parametrize("mode", ["once", "new", "all"])
def test_a_file_that_is_no_cassette_is_refused_and_left(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("keep me")
    with pytest.raises(CassetteError, match=r"notes\.txt"):
        Recorder.start(path, mode, key=KEY)
    assert path.read_text() == "keep me"


def test_an_unknown_mode_and_a_missing_folder_are_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"once, new, all, none"):
        Recorder.start(tmp_path / "x", "always", key=KEY)
    with pytest.raises(UsageError, match=r"no folder"):
        Recorder.start(tmp_path / "no" / "x", "once", key=KEY)
