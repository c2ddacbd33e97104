"""`durable-replay diff FILE --live` as a user has it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import Interaction
from durable_replay.testing import exchange

Told = Callable[..., tuple[int, str, str]]
USER = {"id": 1, "name": "milk", "admin": False}
VALUE = "plantedValue-7731-x"


class Service(ThreadingHTTPServer):
    """Answers by path; remembers methods, paths and the Authorization header."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.answers: dict[str, tuple[int, object]] = {}
        self.headers: dict[str, str] = {}
        self.broken: set[str] = set()
        self.held = Event()
        self.held.set()
        self.hold_from = 10**9
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
                if len(service.asked) > service.hold_from:
                    service.held.wait(20)
                status, document = service.answers.get(self.path, (200, USER))
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data) + (self.path in service.broken)))
                for name, value in service.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                self.close_connection = self.path in service.broken

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                return

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of this server's."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def start_service() -> Iterator[Callable[[], Service]]:
    running: list[Service] = []

    def start() -> Service:
        server = Service()
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.held.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def service(start_service: Callable[[], Service]) -> Service:
    return start_service()


def write(path: Path, *interactions: Interaction) -> Path:
    with CassetteWriter.open(path) as writer:
        for interaction in interactions:
            writer.append(interaction)
    return path


@pytest.fixture
def before(tmp_path: Path, service: Service) -> Path:
    """Three users, each read, and one written."""
    reads = [exchange("GET", f"{service.url}/users/{number}", 200, USER) for number in (1, 2, 3)]
    return write(tmp_path / "before.cassette", *reads, exchange("POST", f"{service.url}/users", 201, USER, send=USER))


def test_an_api_that_did_not_change_gives_nothing(told: Told, before: Path, service: Service) -> None:
    code, out, errors = told("diff", before, "--live", "--fail-on", "any", "--format", "json")
    report = json.loads(out)
    assert (code, report["findings"], errors) == (0, [], "")
    assert sorted(path for _, path, _ in service.asked) == ["/users/1", "/users/2", "/users/3"]
    assert {method for method, _, _ in service.asked} == {"GET"}
    assert any("not asked" in note and "POST /users" in note for note in report["notes"])


def test_the_report_for_programs_fits_its_published_description(told: Told, before: Path, service: Service) -> None:
    service.answers = {"/users/1": (200, {"id": "1"}), "/users/2": (404, {})}
    _, out, _ = told("diff", before, "--live", "--format", "json")
    schema = json.loads(files("durable_replay.drift.report").joinpath("report.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(report := json.loads(out))
    assert report["after"] == "live"
    assert report["notes"] == [
        "3 of 3 requests were answered live",
        "2 answers were not as recorded, and asked for once more to tell what varies by itself",
        f"not asked: {service.url.removeprefix('http://')} POST /users, 1 recorded: a write, or not known to be none",
    ]


def test_what_changed_is_found(told: Told, before: Path, service: Service) -> None:
    service.answers = {f"/users/{number}": (200, {"id": str(number), "name": "milk"}) for number in (1, 2, 3)}
    code, out, _ = told("diff", before, "--live")
    assert code == 1
    for word in ("/users/{}", "body.$.id", "body.$.admin"):
        assert word in out


def test_the_answers_can_be_kept(told: Told, before: Path, tmp_path: Path) -> None:
    assert told("diff", before, "--live", "--save", "today.cassette")[0] == 0
    with Cassette.open(tmp_path / "today.cassette") as kept:
        assert [one.request.path for one in kept.interactions()] == ["/users/1", "/users/2", "/users/3"]
    code, _, errors = told("diff", before, "--live", "--save", "today.cassette")
    assert (code, "finished" in errors) == (2, True)


def test_nothing_is_left_without_save(told: Told, before: Path, tmp_path: Path) -> None:
    there = sorted(tmp_path.iterdir())
    assert told("diff", before, "--live")[0] == 0
    assert sorted(tmp_path.iterdir()) == there


@pytest.mark.parametrize(
    ("arguments", "told_so"),
    [
        (["--live", "after.cassette"], "leave AFTER out"),
        ([], "ask the service with --live"),
        (["--save", "x.cassette"], "--save is for --live"),
        (["--live", "--include-writes"], "--sandbox HOST"),
        (["--live", "--sandbox", "x"], "needs --include-writes"),
        (["--live", "--to", "x"], "HOST[:PORT]=URL"),
        (["--live", "--auth", "none.toml"], "none.toml cannot be read"),
        (["--live", "--ca-file", "none.pem"], "none.pem is no PEM file"),
        (["--live", "--operation", "GET /nothing"], "nothing on the tape can be asked again"),
        (["--live", "--save", "before.cassette"], "is the cassette that is compared with"),
    ],
)
def test_wrong_use_is_told_before_anything_is_asked(
    told: Told, before: Path, service: Service, arguments: list[str], told_so: str
) -> None:
    write(before.with_name("after.cassette"), exchange("GET", "https://a.test/", 200))
    code, out, errors = told("diff", before, *arguments)
    assert (code, out) == (2, "")
    assert told_so in errors
    assert len(errors.splitlines()) == 1
    assert service.asked == []


def test_a_host_that_is_down_gives_5_and_the_others_are_compared(told: Told, tmp_path: Path, service: Service) -> None:
    with socket.socket() as deaf:  # it has the port, so that nobody else gets it, and does not listen
        deaf.bind(("127.0.0.1", 0))
        down = f"127.0.0.1:{deaf.getsockname()[1]}"
        cassette = write(
            tmp_path / "two.cassette",
            exchange("GET", f"http://{down}/a", 200, USER),
            exchange("GET", f"{service.url}/users/1", 200, {"id": 1, "gone": True}),
        )
        code, out, errors = told("diff", cassette, "--live", "--timeout", "2")
    assert code == 5
    assert down in errors
    assert "1 of 2 requests were answered" in errors
    assert "body.$.gone" in out


def test_refused_credentials_give_7_and_are_said_once(told: Told, before: Path, service: Service) -> None:
    service.answers = {f"/users/{number}": (401, {"error": "no"}) for number in (1, 2, 3)}
    code, out, errors = told("diff", before, "--live")
    assert (code, out) == (7, "")
    assert errors.count("401 or 403") == 1
    assert "--auth" in errors


@pytest.mark.parametrize("refusing", [True, False])
def test_a_failure_names_the_server_that_was_asked_and_the_host_on_the_tape(
    told: Told, tmp_path: Path, service: Service, refusing: bool
) -> None:
    """Credentials are looked up by the first, and users know the second."""
    dialled = service.url.removeprefix("http://")
    if not refusing:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            dialled = f"127.0.0.1:{closed.getsockname()[1]}"
    service.answers = {"/a": (401, {"error": "no"})}
    cassette = write(tmp_path / "x.cassette", exchange("GET", "https://api.test/a", 200, USER))
    code, _, errors = told("diff", cassette, "--live", "--to", f"api.test=http://{dialled}", "--timeout", "2")
    assert code == (7 if refusing else 5)
    assert errors.startswith(f"durable-replay: {dialled} (in place of api.test) ")


def test_a_server_without_tls_gives_6(told: Told, tmp_path: Path, service: Service) -> None:
    host = service.url.removeprefix("http://")
    code, out, errors = told(
        "diff", write(tmp_path / "x.cassette", exchange("GET", f"https://{host}/a", 200)), "--live"
    )
    assert (code, out) == (6, "")
    assert errors == (
        f"durable-replay: TLS with {host} fails: what answers there speaks no TLS; nothing was answered\n"
    )


def test_a_login_page_at_one_of_two_hosts_gives_8_and_the_other_is_compared(
    told: Told, tmp_path: Path, service: Service, start_service: Callable[[], Service]
) -> None:
    login = start_service()
    login.headers = {"Location": "/login?next=%2F"}
    login.answers = {f"/{name}": (302, {}) for name in "abc"}
    service.answers = {f"/{name}": (200, {"id": "1"}) for name in "abc"}
    urls = [f"{each.url}/{name}" for each in (login, service) for name in "abc"]
    cassette = write(tmp_path / "x.cassette", *(exchange("GET", url, 200, {"id": 1}) for url in urls))
    code, out, errors = told("diff", cassette, "--live", "--format", "json")
    assert code == 8
    host = login.url.removeprefix("http://")
    assert errors.startswith(f"durable-replay: {host} sends each of 3 requests to a login page; give credentials")
    assert "3 of 6 requests were answered" in errors
    found = json.loads(out)["findings"]
    assert {(one["endpoint"]["world"], one["kind"]) for one in found} == {
        (service.url.removeprefix("http://"), "type-changed")
    }


def test_half_of_the_requests_without_an_answer_give_4(told: Told, tmp_path: Path, service: Service) -> None:
    service.broken = {"/b"}
    cassette = write(tmp_path / "x.cassette", *(exchange("GET", f"{service.url}/{at}", 200, USER) for at in "ab"))
    code, out, errors = told("diff", cassette, "--live", "--concurrency", "1")
    assert code == 4
    assert errors == (
        "durable-replay: 1 of 2 requests got no answer (the answer broke off: the server closed the connection early);"
        " 1 of 2 requests were answered. With --save FILE the next run would go on from here\n"
    )
    assert "no answer: " in out


def test_a_host_that_limits_the_rate_for_too_long_gives_9(told: Told, before: Path, service: Service) -> None:
    service.headers = {"Retry-After": "4000"}
    service.answers = {f"/users/{number}": (429, {}) for number in (2, 3)}
    code, _, errors = told("diff", before, "--live", "--concurrency", "1", "--save", "s.cassette")
    assert code == 9
    host = service.url.removeprefix("http://")
    assert errors == (
        f"durable-replay: {host} limits the rate: it asks for 67 min more of waiting, and --max-wait allows 5 min in"
        " all; 1 of 3 requests were answered. The same command goes on where this one stopped\n"
    )
    assert [path for _, path, _ in service.asked] == ["/users/1", "/users/2"]


def test_credentials_come_from_a_file_and_are_seen_nowhere(
    told: Told, before: Path, tmp_path: Path, service: Service
) -> None:
    auth = tmp_path / "auth.toml"
    auth.write_text(f'[hosts."127.0.0.1"]\nbearer = "{VALUE}"\n')
    auth.chmod(0o600)
    service.answers = {"/users/1": (200, {**USER, "you": f"Bearer {VALUE}", "raw": VALUE})}
    _, out, errors = told("diff", before, "--live", "--auth", auth, "--save", "x.cassette", "--format", "json")
    assert {sent for _, _, sent in service.asked} == {f"Bearer {VALUE}"}
    auth.unlink()
    assert VALUE not in out + errors
    assert [path for path in tmp_path.iterdir() if VALUE.encode() in path.read_bytes()] == []


def test_another_server_stands_in_for_a_recorded_host(told: Told, tmp_path: Path, service: Service) -> None:
    cassette = write(tmp_path / "x.cassette", exchange("GET", "https://api.example.com/users/1", 200, USER))
    code, out, _ = told("diff", cassette, "--live", "--to", f"api.example.com={service.url}", "--fail-on", "any")
    assert code == 0, out
    assert service.asked[0][1] == "/users/1"


@pytest.mark.parametrize(
    ("how", "hold_from"),
    [
        (signal.SIGINT, 6),
        (signal.SIGTERM, 6),
        (signal.SIGKILL, 6),
        (signal.SIGINT, 15),
    ],  # the last while it asks once more
)
def test_a_run_that_was_interrupted_goes_on_and_ends_as_if_it_had_not_been(
    tmp_path: Path, service: Service, told: Told, how: signal.Signals, hold_from: int
) -> None:
    reads = [f"/users/{at}" for at in range(12)]
    cassette = write(
        tmp_path / "x.cassette", *(exchange("GET", service.url + path, 200, {**USER, "name": "x"}) for path in reads)
    )
    service.answers = {path: (200, {"id": str(at), "name": "milk"}) for at, path in enumerate(reads[:8])}
    service.held.clear()
    service.hold_from = hold_from
    arguments = ["diff", str(cassette), "--live", "--concurrency", "1", "--format", "json"]
    command = [sys.executable, "-m", "durable_replay", *arguments, "--save", "s.cassette"]
    options: dict[str, Any] = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **options) as running:
        try:
            # The next request may be on its way before the last answer is on the tape: a kill would take that with it.
            while len(service.asked) < hold_from + 1 or count_in(tmp_path / "s.cassette") < hold_from:
                assert running.poll() is None
                Event().wait(0.01)
            running.send_signal(how)
            _, errors = running.communicate(timeout=30)
        finally:
            running.kill()
    service.held.set()
    if how is not signal.SIGKILL:
        assert b"the same command goes on from there" in errors
        assert b"Traceback" not in errors
        assert running.returncode == 128 + how
    before = service.asked[:hold_from]
    del service.asked[:]
    code, resumed, _ = told(*arguments, "--save", "s.cassette")
    once_more = reads[:10]
    assert code == 1
    assert [path for _, path, _ in (*before, *service.asked)] == reads + once_more  # nothing twice, nothing left out
    code, whole, _ = told(*arguments, "--save", "w.cassette")
    assert code == 1
    assert told_by(resumed) == told_by(whole)
    assert kept_in(tmp_path / "s.cassette") == kept_in(tmp_path / "w.cassette")


def told_by(text: str) -> list[object]:
    """What a report tells of an API; what was set aside is not the same at another time."""
    report = json.loads(text)
    aside = [(one["origin"], one["finding"]["path"], one["finding"]["count"]) for one in report["suppressed"]]
    return [aside, *(report[name] for name in ("failed", "summary", "findings", "unpaired", "take_anew"))]


def count_in(path: Path) -> int:
    with Cassette.open(path) as kept:
        return len(kept)


def kept_in(path: Path) -> list[tuple[str, bytes, str]]:
    with Cassette.open(path) as kept:
        return [(one.request.path, one.response.body.read(), one.note) for one in kept.interactions()]
