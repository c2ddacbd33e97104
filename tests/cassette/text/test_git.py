"""A real git shows the text of a cassette, and nothing where the same traffic was recorded again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.cassette.text.git import ATTRIBUTES, git_setup
from durable_replay.errors import UsageError
from durable_replay.http import Headers, Interaction

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")

Make = Callable[..., Interaction]
EXPORT = (sys.executable, "-m", "durable_replay", "cassette", "export", "--for-git")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs git in a new repository that knows no settings but its own."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)

    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.test", "-c", "core.pager=cat"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    run("init", "-q")
    return run


def record(path: Path, *tape: Interaction) -> None:
    path.unlink(missing_ok=True)
    with CassetteWriter.open(path) as writer:
        for interaction in tape:
            writer.append(interaction)


def test_a_diff_shows_what_changed_in_the_traffic(
    git: Callable[..., str], tmp_path: Path, path: Path, make: Make
) -> None:
    git_setup(tmp_path, EXPORT)
    record(path, make(1, b'{"a":1,"b":2,"c":3,"answer":42,"unit":"m"}'), make(2))
    git("add", ".")
    git("commit", "-qm", "Record")
    record(path, make(1, b'{"a":1,"b":2,"c":3,"answer":43,"unit":"m"}'), make(2))
    lines = git("diff").splitlines()
    assert '-|   "answer": 42,' in lines
    assert '+|   "answer": 43,' in lines
    assert [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        '-|   "answer": 42,',
        '+|   "answer": 43,',
    ]
    assert any(line.startswith("@@") and "GET https://api.test/thing/1" in line for line in lines)


def test_the_same_traffic_recorded_again_gives_no_diff(
    git: Callable[..., str], tmp_path: Path, path: Path, make: Make
) -> None:
    git_setup(tmp_path, EXPORT)

    def at(later: float) -> Interaction:
        one = make(1)
        dated = Headers([*one.response.headers, ("X-Request-Id", str(later))])
        return replace(
            one, started=one.started + later, duration=later / 7, response=replace(one.response, headers=dated)
        )

    record(path, at(1.0))
    git("add", ".")
    git("commit", "-qm", "Record")
    record(path, at(86400.0))
    assert git("status", "--short").strip() == "M a.cassette"
    assert [line for line in git("diff").splitlines() if line[:2] in ("+|", "-|", "+<", "-<", "@@")] == []


def test_a_cassette_that_cannot_be_read_does_not_end_the_diff_of_the_others(
    git: Callable[..., str], tmp_path: Path, path: Path, make: Make
) -> None:
    """As the pointer of a large-file store, or a cassette of a later version, somewhere in the history."""
    git_setup(tmp_path, EXPORT)
    record(path, make(1))
    (tmp_path / "z.txt").write_text("one\n")
    git("add", ".")
    git("commit", "-qm", "Record")
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "z.txt").write_text("two\n")
    lines = git("diff").splitlines()
    assert "+(not shown: a.cassette is no SQLite file, so it is not a cassette." in "\n".join(lines)
    assert "+two" in lines


@pytest.mark.parametrize("content", [b"*.png binary # \xe9t\xe9\n", None])
def test_attributes_that_cannot_be_read_are_told_with_the_line_to_add(
    git: Callable[..., str], tmp_path: Path, content: bytes | None
) -> None:
    attributes = tmp_path / ".gitattributes"
    attributes.mkdir() if content is None else attributes.write_bytes(content)
    with pytest.raises(UsageError, match=r"\.gitattributes cannot be read .*; add this line to it: \*\.cassette diff="):
        git_setup(tmp_path)


def test_setting_up_twice_writes_one_line(git: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / ".gitattributes").write_text("*.png binary")
    assert git_setup(tmp_path).attributes == tmp_path / ".gitattributes"
    assert git_setup(tmp_path).attributes is None
    assert (tmp_path / ".gitattributes").read_text() == f"*.png binary\n{ATTRIBUTES}\n"


def test_the_repository_is_found_from_a_folder_in_it(git: Callable[..., str], tmp_path: Path) -> None:
    inner = tmp_path / "tests" / "data"
    inner.mkdir(parents=True)
    git_setup(inner)
    assert (tmp_path / ".gitattributes").exists()
    assert git("config", "diff.durable-replay.textconv").strip() == "durable-replay cassette export --for-git"


def test_a_command_with_a_space_in_its_path_stays_one_word(git: Callable[..., str], tmp_path: Path) -> None:
    done = git_setup(tmp_path, ("/opt/my tools/durable-replay", "x"))
    assert done.settings["diff.durable-replay.textconv"] == "'/opt/my tools/durable-replay' x"


def test_a_folder_without_a_repository_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(UsageError, match="Name a folder in a git repository"):
        git_setup(tmp_path)


class _Api(BaseHTTPRequestHandler):
    """Makes things: each has an id and a time of its own, as each answer has."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.count += 1  # type: ignore[attr-defined]
        self._answer(201)

    def do_GET(self) -> None:
        self._answer(200)

    def _answer(self, status: int) -> None:
        count = self.server.count  # type: ignore[attr-defined]
        thing = {"id": f"{count}", "created": datetime.now(UTC).isoformat(), "took": count % 7}
        body = json.dumps({**thing, "colour": self.server.colour}).encode()  # type: ignore[attr-defined]
        self.send_response(status)  # with a Date
        self.send_header("X-Request-Id", uuid4().hex)
        self.send_header("ETag", f'"{sha256(body).hexdigest()[:16]}"')
        self.send_header("Set-Cookie", f"session={uuid4().hex}; Path=/")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the test's."""


CLIENT = """\
import json, os, urllib.request
server = os.environ["SERVER"]
token = {"Authorization": "Bearer " + os.urandom(12).hex(), "Content-Type": "application/json"}
made = json.load(urllib.request.urlopen(urllib.request.Request(server + "/items", b"{}", token)))
urllib.request.urlopen(urllib.request.Request(server + "/items/" + made["id"], headers=token)).read()
"""


@pytest.fixture
def api() -> Iterator[ThreadingHTTPServer]:
    """A live server of things; its `colour` is part of each."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.count, server.colour = 10_000, "red"  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_after_git_setup_a_suite_recorded_again_gives_an_empty_diff_until_the_api_changes(
    git: Callable[..., str], tmp_path: Path, path: Path, api: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user does it: the installed command sets git up, and git runs it for each diff."""
    pytest.importorskip("mitmproxy")
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    monkeypatch.setenv("SERVER", f"http://127.0.0.1:{api.server_port}")

    def run(*arguments: str) -> None:
        command = ["durable-replay", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60, capture_output=True)

    def record_suite() -> None:
        run("record", "-c", path.name, "--mode", "all", "--include-loopback", "--", sys.executable, "-c", CLIENT)

    record_suite()
    run("cassette", "git-setup")
    git("add", ".")
    git("commit", "-qm", "Record")
    first = path.read_bytes()
    record_suite()
    assert path.read_bytes() != first
    assert git("status", "--short").strip() == "M a.cassette"
    assert git("diff") == ""
    api.colour = "blue"  # type: ignore[attr-defined]
    record_suite()
    changed = [line for line in git("diff").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == 2 * ['-|   "colour": "red"', '+|   "colour": "blue"']
