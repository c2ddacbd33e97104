"""`durable-replay record --refresh`: a real service in two versions, the real proxy, and every way in which it ends."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
import typer

from durable_replay.cassette.care.anew import refreshing
from durable_replay.cassette.care.hosts import add_mapped_hosts, mapped_hosts
from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cli import app
from durable_replay.settings import Settings
from durable_replay.tapes import understanding
from durable_replay.testing import exchange

ROOT = Path(__file__).resolve().parents[2]
Told = Callable[..., tuple[int, str, str]]
Start = Callable[..., Any]

CLIENT = """\
import sys, urllib.request
for path in sys.argv[2:]:
    with urllib.request.urlopen(sys.argv[1] + path) as answer:
        answer.read()
"""
V1: dict[str, object] = {
    "/users/1": {"id": 1, "name": "Ada"},
    "/users/2": {"id": 2, "name": "Grace"},
    "/health": {"up": True},
}
V2: dict[str, object] = {
    "/users/1": {"id": 1, "mail": "ada@example.com"},
    "/users/2": {"id": 2, "mail": "grace@example.com"},
    "/health": {"up": True},
    "/invoices": {"total": 3},
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        documents: dict[str, object] = self.server.documents  # type: ignore[attr-defined]
        found = documents.get(self.path)
        body = json.dumps(found).encode()
        self.send_response(401 if found == "refused" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the test's."""


class Service:
    """A JSON API on loopback, and the programs that use it."""

    def __init__(self, server: ThreadingHTTPServer, client: Path) -> None:
        self._server, self._client = server, client
        self.url = f"http://127.0.0.1:{server.server_port}"

    def speaks(self, documents: dict[str, object]) -> None:
        self._server.documents = documents  # type: ignore[attr-defined]

    def asked(self, *paths: str) -> list[str]:
        """A command that asks for these."""
        return ["--", sys.executable, "-S", str(self._client), self.url, *paths]


READY = """\
import json, os, sys
import mitmproxy.tools.dump, durable_addons.record
from durable_replay.cli import main
for line in sys.stdin:
    arguments, folder = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for number, name in enumerate((os.devnull, "stdout", "stderr")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
        code = main(arguments)
        sys.stdout.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def commands() -> Iterator[Callable[[list[str], Path], int]]:
    """Runs command lines, each in a process of its own that has imported all it needs: that takes seconds."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", READY], stdin=pipe, stdout=pipe, text=True) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        commands_in, codes_out = parent.stdin, parent.stdout

        def run(arguments: list[str], folder: Path) -> int:
            commands_in.write(json.dumps([arguments, str(folder)]) + "\n")
            commands_in.flush()
            return int(codes_out.readline())

        yield run
        commands_in.close()


@pytest.fixture
def record(commands: Callable[[list[str], Path], int], tmp_path: Path) -> Told:
    """`durable-replay record ARGUMENTS…` in the test's folder: exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        code = commands(["record", *map(str, arguments)], tmp_path)
        out, errors = ((tmp_path / name).read_text("utf-8") for name in ("stdout", "stderr"))
        return code, out, errors

    return run


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Its first version."""
    (tmp_path / "client.py").write_text(CLIENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made = Service(server, tmp_path / "client.py")
    made.speaks(V1)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def file(service: Service, tmp_path: Path) -> Path:
    """What a recording of the first version is, by the same URL; with a host that was mapped when it was made."""
    path = tmp_path / "api.cassette"
    with CassetteWriter.open(path) as writer:
        for target, document in V1.items():
            writer.append(exchange("GET", service.url + target, 200, document))
        add_mapped_hosts(writer, {"minio.test:9000": "s3"})
    return path


def new_of(file: Path) -> Path:
    return file.with_name(file.name + ".new")


def bodies(path: Path) -> dict[str, object]:
    """The answers on a tape, each read and checked."""
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(cassette)
        return {each.request.target: json.loads(each.response.body.read()) for each in cassette.interactions()}


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"client.py", "stdout", "stderr"}


# -- the two ways


def test_what_changed_is_told_and_the_cassette_stays_until_the_kept_recording_is_accepted(
    record: Told, service: Service, file: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()
    service.speaks(V2)
    code, out, errors = record("--refresh", "api.cassette", *service.asked(*V1))
    assert code == 1
    assert "body.$.name" in out and "body.$.mail" in out
    assert "record --refresh api.cassette -- CMD" not in out
    assert "take it: durable-replay record --refresh api.cassette --accept" in errors
    assert file.read_bytes() == before
    assert bodies(new_of(file)) == {path: V2[path] for path in V1}
    assert files(tmp_path) == {"api.cassette", "api.cassette.new"}

    code, out, errors = record("--refresh", "api.cassette", "--accept", "--format", "json")
    assert code == 0
    assert "body.$.name" in {finding["path"] for finding in json.loads(out)["findings"]}
    assert "api.cassette is the new recording now, of 3 interactions instead of 3" in errors
    assert json.loads(errors.splitlines()[-1]) == {
        "cassette": "api.cassette", "accepted": True, "new": None, "not_recorded_again": 0
    }  # fmt: skip
    assert bodies(file) == {path: V2[path] for path in V1}
    assert files(tmp_path) == {"api.cassette"}


def test_accepted_at_once_it_has_its_index_and_hosts_and_the_former_is_kept_where_asked_for(
    record: Told, service: Service, file: Path, tmp_path: Path
) -> None:
    service.speaks(V2)
    asked = ("/users/1", "/invoices")
    (tmp_path / "durable.toml").write_text('[[match]]\ncassette = "api.*"\nignore = ["query.nonce"]\n')
    code, out, errors = record(
        "--refresh", file, "--accept", "--keep", "--format", "json", "--output", "drift.json",
        *service.asked(*asked),
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert bodies(file) == {path: V2[path] for path in asked}
    assert bodies(tmp_path / "api.cassette.before") == V1
    assert files(tmp_path) == {"api.cassette", "api.cassette.before", "drift.json", "durable.toml"}
    kinds = {finding["kind"] for finding in json.loads((tmp_path / "drift.json").read_text("utf-8"))["findings"]}
    assert kinds >= {"field-removed", "field-added", "endpoint-new"}
    assert "not recorded again: 2 of 3 interactions, which are on the tape no more: " in errors
    assert "/health (1)" in errors
    summary = json.loads(errors.splitlines()[-1])
    assert (summary["accepted"], summary["new"], summary["not_recorded_again"]) == (True, None, 2)
    with Cassette.open(file) as cassette:
        assert mapped_hosts(cassette)["minio.test:9000"] == "s3"
        fingerprint = understanding([file], Settings.load(tmp_path), {}).fingerprint(cassette.identity)
        assert Index(cassette.connection).fits(fingerprint)


def test_an_api_that_did_not_change_is_no_drift(record: Told, service: Service, file: Path) -> None:
    code, out, _ = record("--refresh", file, "--fail-on", "any", *service.asked(*V1, *V1))
    assert code == 0
    assert "no drift" in out
    assert new_of(file).exists()


# -- what is not taken


@pytest.mark.parametrize("accept", [("--accept",), ()])
def test_a_command_that_failed_replaces_nothing_and_its_recording_is_kept_and_compared(
    record: Told, service: Service, file: Path, accept: tuple[str, ...]
) -> None:
    before = file.read_bytes()
    service.speaks(V2)
    _, *asking = service.asked("/users/1", "/users/2", "/health")
    code, out, errors = record("--refresh", file, *accept, "--", "sh", "-c", f"{shlex.join(asking)}; exit 7")
    assert code == 7
    assert "body.$.name" in out
    assert ("since the command ended with 7" in errors) is bool(accept)
    assert file.read_bytes() == before
    code, _, errors = record("--refresh", file, "--accept")
    assert code == 0
    assert "was recorded from ended with 7" in errors
    assert bodies(file) == {path: V2[path] for path in V1}


def test_where_nothing_was_recorded_nothing_is_kept_and_an_earlier_recording_stays(
    record: Told, service: Service, file: Path, tmp_path: Path
) -> None:
    assert record("--refresh", file, *service.asked(*V1))[0] == 0
    before, earlier = file.read_bytes(), new_of(file).read_bytes()
    for command, code in (("true", 1), ("exit 5", 5)):
        found, out, errors = record("--refresh", file, "--accept", "--", "sh", "-c", command)
        assert (found, out) == (code, "")
        assert "Nothing was recorded" in errors and "is as it was" in errors
    assert (file.read_bytes(), new_of(file).read_bytes()) == (before, earlier)
    assert files(tmp_path) == {"api.cassette", "api.cassette.new"}


def test_a_recording_of_something_else_is_not_accepted(record: Told, service: Service, file: Path) -> None:
    with CassetteWriter.open(file.with_name("far.cassette")) as writer:
        writer.append(exchange("GET", "https://far.test/a", 200, {"a": 1}))
    before = file.with_name("far.cassette").read_bytes()
    code, _, errors = record(
        "--refresh", "far.cassette", "--accept", "--include-loopback", *service.asked("/health", "/users/1")
    )
    assert code == 3
    assert "different services" in errors
    assert "far.cassette is as it was, and can only be replaced by a recording of the same" in errors
    assert file.with_name("far.cassette").read_bytes() == before


def test_refused_credentials_are_no_recording_to_accept(record: Told, service: Service, file: Path) -> None:
    service.speaks(dict.fromkeys(V1, "refused"))
    program = file.with_name("client.py")
    program.write_text(CLIENT.replace("    with", "    import urllib.error\n    try:\n     with").replace(
        "        answer.read()", "        answer.read()\n    except urllib.error.HTTPError: pass"))  # fmt: skip
    before = file.read_bytes()
    code, out, errors = record("--refresh", file, "--accept", *service.asked(*V1))
    assert code == 7
    assert "refuse" in out and "is as it was" in errors
    assert file.read_bytes() == before


def test_a_signal_while_the_command_runs_leaves_no_half_recording(
    start: Start, service: Service, file: Path, tmp_path: Path
) -> None:
    """Also where the command takes the signal for its normal end."""
    before = file.read_bytes()
    service.asked()
    program = tmp_path / "client.py"
    program.write_text(
        CLIENT + "import signal\nfor number in (2, 15): signal.signal(number, lambda *_: sys.exit(0))\n"
        "print('asked', flush=True)\nwhile True: signal.pause()\n"
    )
    running = start("record", "--refresh", file, "--accept", *service.asked("/health"))
    running.until("asked")
    code, errors = running.end(signal.SIGINT)
    assert code == 130
    assert "interrupted" in errors and "is as it was" in errors
    assert file.read_bytes() == before
    assert files(tmp_path) == {"api.cassette"}


def test_what_a_killed_run_leaves_is_in_nobodys_way(
    start: Start, record: Told, service: Service, file: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()
    program = tmp_path / "client.py"
    program.write_text(CLIENT + "print('asked', flush=True)\nsys.stdin.read()\n")
    running = start("record", "--refresh", file, *service.asked("/health"))
    running.until("asked")
    running.process.kill()
    running.process.wait(30)
    assert file.read_bytes() == before
    assert not new_of(file).exists()
    program.write_text(CLIENT)
    assert record("--refresh", file, "--accept", *service.asked(*V1))[0] == 0
    assert {name for name in files(tmp_path) if not name.endswith("-lock")} == {"api.cassette"}


# -- by hand, and beside others


def test_by_hand_it_records_until_it_is_ended(start: Start, service: Service, file: Path) -> None:
    running = start("record", "--refresh", "api.cassette", "--port", "0")
    proxy = running.until(r"into api\.cassette\.new at (http://127\.0\.0\.1:\d+),")[1]
    opener = build_opener(ProxyHandler({"http": proxy}))
    for path in V1:
        with opener.open(service.url + path) as answer:
            assert json.load(answer) == V1[path]
    code, errors = running.end()
    assert (code, "The new recording is api.cassette.new" in errors) == (0, True)
    assert bodies(new_of(file)) == V1


def test_a_replay_that_has_the_cassette_open_goes_on_with_it(
    start: Start, record: Told, service: Service, file: Path
) -> None:
    replay = start("replay", "-c", file, "--on-miss", "refuse")
    proxy = replay.until(r"on (http://127\.0\.0\.1:\d+),")[1]
    opener = build_opener(ProxyHandler({"http": proxy}))
    service.speaks(V2)
    assert record("--refresh", file, "--accept", *service.asked(*V1))[0] == 0
    assert bodies(file) == {path: V2[path] for path in V1}
    for path in V1:
        with opener.open(service.url + path) as answer:
            assert (answer.headers["x-durable-source"], json.load(answer)) == ("recorded", V1[path])
    replay.end()


def test_a_second_refresh_at_the_same_time_is_refused(told: Told, file: Path) -> None:
    with refreshing(file):
        code, _, errors = told("record", "--refresh", file, "--", "true")
    assert (code, "is being recorded anew by another command already" in errors) == (2, True)


def test_a_cassette_that_is_written_meanwhile_is_left_to_its_writer(
    record: Told, told: Told, service: Service, file: Path
) -> None:
    with CassetteWriter.open(file):
        code, _, errors = record("--refresh", file, "--accept", *service.asked(*V1))
    assert (code, "is being written by another recording" in errors, "take it: " in errors) == (2, True, True)
    with CassetteWriter.open(file) as writer:
        writer.append(exchange("GET", f"{service.url}/health", 200, {"up": False}))
    code, _, errors = told("record", "--refresh", file, "--accept")
    assert code == 2
    assert "is not the tape any more" in errors
    assert len(bodies(new_of(file))) == 3


# -- wrong use


def test_a_file_by_that_name_of_somebody_else_is_left_alone(told: Told, file: Path) -> None:
    new_of(file).write_text("my notes")
    for rest in (["--accept"], ["--", "false"]):
        code, _, errors = told("record", "--refresh", file, *rest)
        assert (code, "is not of a `record --refresh`" in errors) == (2, True)
    assert new_of(file).read_text() == "my notes"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--refresh", "api.cassette", "-c", "x.cassette", "--", "true"], "--refresh and -c exclude each other"),
        (["--refresh", "api.cassette", "--mode", "all", "--", "true"], "--refresh and --mode exclude each other"),
        (["--refresh", "no.cassette", "--", "true"], "there is no cassette no.cassette"),
        (["--refresh", "empty.cassette", "--", "true"], "holds no interactions"),
        (["--refresh", "api.cassette", "--accept"], "there is no api.cassette.new to accept"),
        (["--refresh", "api.cassette", "--keep", "--", "true"], "--keep is for --accept"),
        (["--refresh", "api.cassette", "--ignore", "kind=nonsense", "--", "true"], "--ignore: "),
        (["--refresh", "api.cassette", "--output", "api.cassette", "--", "true"], "is a cassette that is compared"),
        (["--refresh", "api.cassette", "--output", "api.cassette.new", "--", "true"], "is where a cassette is kept"),
        (["-c", "x.cassette", "--accept", "--", "true"], "--accept is for --refresh FILE"),
        (["-c", "x.cassette", "--format", "html", "--", "true"], "--format html is for --refresh FILE"),
    ],
)
def test_wrong_use_is_one_line_before_anything_is_recorded(
    told: Told, file: Path, tmp_path: Path, arguments: list[str], what: str
) -> None:
    CassetteWriter.open(tmp_path / "empty.cassette").close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, errors = told("record", *arguments)
    assert (code, out, len(errors.splitlines())) == (2, "", 1)
    assert what in errors
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_command_that_is_not_there_is_127_and_leaves_nothing(told: Told, file: Path, tmp_path: Path) -> None:
    code, _, errors = told("record", "--refresh", file, "--accept", "--", "no-such-program")
    assert (code, len(errors.splitlines())) == (127, 1)
    assert files(tmp_path) == {"api.cassette"}


def test_the_docs_know_every_option_of_record() -> None:
    command = typer.main.get_command(app).commands["record"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")} - {"--help"}
    section = (ROOT / "docs" / "commands.md").read_text("utf-8").partition("## Record")[2].partition("\n## ")[0]
    rows = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"(--[\w-]+)", rows)) == options
