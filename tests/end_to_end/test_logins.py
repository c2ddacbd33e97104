"""What was redacted still replays: logins, whose credentials come in one answer and go back in later requests."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote

import pytest

from tests.end_to_end.record_replay import SCRIPTS, moto_server, recorded, replayed

JSON = "application/json"
XML = "text/xml"
PASSWORD = "hunter2-hunter2"
WAYS = ("oauth", "cookie", "soap", "ticket")


class Accounts:
    """The credentials that one server has given out."""

    def __init__(self) -> None:
        self.session = secrets.token_hex(20)
        self.csrf = secrets.token_urlsafe(32)
        self.access = [secrets.token_urlsafe(40), secrets.token_urlsafe(40)]
        self.refresh = secrets.token_urlsafe(40)
        self.salesforce = f"00D{secrets.token_hex(6)}!{secrets.token_hex(40)}"
        self.ticket = f"PVE:root@pam:65A1B2C3::{secrets.token_hex(160)}=="
        self.pve_csrf = f"65A1B2C3:{secrets.token_hex(20)}"
        self.uses = 0

    def all(self) -> list[str]:
        given = [self.session, self.csrf, *self.access, self.refresh, self.salesforce, self.ticket, self.pve_csrf]
        return [each.rpartition("!")[2].rpartition("::")[2].rpartition("65A1B2C3:")[2] for each in given]


class _Handler(BaseHTTPRequestHandler):
    """Every address checks what it was promised: a wrong credential is a 403."""

    protocol_version = "HTTP/1.1"
    accounts: Accounts

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _answer(self, body: str) -> None:
        path = self.path.partition("?")[0].strip("/").replace("/", "_").replace("-", "_").replace(".", "_")
        status, kind, text, headers = getattr(self, f"at_{path}")(body)
        self.send_response(status)
        data = (text if isinstance(text, str) else json.dumps(text)).encode()
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    Told = tuple[int, str, object, dict[str, str]]

    def _if(self, right: bool, what: object) -> Told:
        return (200, JSON, what, {}) if right else (403, JSON, {"error": "wrong credential"}, {})

    def at_token(self, body: str) -> Told:
        form, own = {name: values[0] for name, values in parse_qs(body).items()}, self.accounts
        fresh = form["grant_type"] == "refresh_token"
        right = form["client_secret"] == "the-clients-secret-0815" and (
            form["refresh_token"] == own.refresh if fresh else form["password"] == PASSWORD
        )
        granted = {"access_token": own.access[fresh], "refresh_token": own.refresh, "expires_in": 3600}
        return self._if(right, granted)

    def at_me(self, body: str) -> Told:
        shown, own = self.headers["Authorization"].removeprefix("Bearer "), self.accounts
        own.uses += 1
        if shown == own.access[0] and own.uses > 1:
            return 401, JSON, {"error": "invalid_token"}, {}
        return self._if(shown in own.access, {"name": "Joe", "use": own.uses})

    def at_login(self, body: str) -> Told:
        own = self.accounts
        if not body:
            page = f'<form><input name="csrf_token" type="hidden" value="{own.csrf}"></form>'
            return 200, "text/html", page, {}
        form = parse_qs(body)
        right = form["password"] == [PASSWORD] and form["csrf_token"] == [own.csrf]
        status, kind, what, _ = self._if(right, {"logged": "in"})
        return status, kind, what, {"Set-Cookie": f"JSESSIONID={own.session}; Path=/; HttpOnly"}

    @property
    def _logged_in(self) -> bool:
        return f"JSESSIONID={self.accounts.session}" in self.headers.get("Cookie", "")

    def at_inbox(self, body: str) -> Told:
        return self._if(self._logged_in, {"mails": 3})

    def at_notes(self, body: str) -> Told:
        return self._if(self._logged_in and self.headers["X-CSRF-Token"] == self.accounts.csrf, {"note": 1})

    def at_services_Soap_u_60_0(self, body: str) -> Told:
        right = f"<password>{PASSWORD}TOKEN</password>" in body
        return (200 if right else 500), XML, f"<result><sessionId>{self.accounts.salesforce}</sessionId></result>", {}

    def at_query(self, body: str) -> Told:
        return self._if(self.headers["Authorization"] == f"Bearer {self.accounts.salesforce}", {"records": ["001"]})

    def at_job(self, body: str) -> Told:
        return self._if(self.headers["X-SFDC-Session"] == self.accounts.salesforce, {"state": "Open"})

    def at_soap_call(self, body: str) -> Told:
        return self._if(f"<sessionId>{self.accounts.salesforce}</sessionId>" in body, {"logged": "out"})

    def at_api2_json_access_ticket(self, body: str) -> Told:
        given = {"ticket": self.accounts.ticket, "CSRFPreventionToken": self.accounts.pve_csrf, "username": "root@pam"}
        return self._if(parse_qs(body)["password"] == [PASSWORD], {"data": given})

    @property
    def _has_ticket(self) -> bool:
        return self.accounts.ticket in unquote(self.headers.get("Cookie", ""))

    def at_nodes(self, body: str) -> Told:
        return self._if(self._has_ticket, {"data": [{"node": "pve"}]})

    def at_start(self, body: str) -> Told:
        right = self._has_ticket and self.headers["CSRFPreventionToken"] == self.accounts.pve_csrf
        return self._if(right, {"data": "UPID"})

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the test's."""


@contextmanager
def _service() -> Iterator[tuple[str, Accounts]]:
    accounts = Accounts()
    handler = type("Handler", (_Handler,), {"accounts": accounts})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", accounts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _own_keys(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("DURABLE_REPLAY_REDACTION_KEY_FILE", str(folder / "redaction.key"))
    monkeypatch.setenv("DURABLE_REPLAY_CA_DIR", str(folder / "ca"))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What the program said of each way to log in: while it was recorded, and replayed with the server gone."""
    folder = tmp_path_factory.mktemp("logins")
    program: list[str | Path] = [sys.executable, SCRIPTS / "log_in.py", *WAYS]
    with pytest.MonkeyPatch.context() as monkeypatch:
        _own_keys(monkeypatch, folder)
        with _service() as (url, accounts):
            monkeypatch.setenv("SERVER", url)
            first = recorded(folder, program, "--include-loopback")
        again = replayed(folder, program, "--strict")
    assert again.returncode == 0, again.stderr
    left = (folder / "x.cassette").read_bytes()
    assert [value for value in (*accounts.all(), PASSWORD) if value.encode() in left] == []
    return first.stdout.split("-- ")[1:], again.stdout.split("-- ")[1:]


@pytest.mark.parametrize("way", WAYS)
def test_a_login_is_replayed_from_a_cassette_that_holds_no_credential(
    outputs: tuple[list[str], list[str]], way: str
) -> None:
    first, again = (next(part for part in output if part.startswith(way)) for output in outputs)
    assert first == again and "200 {" in first and "403" not in first


def test_signed_and_presigned_requests_are_replayed_without_their_signatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _own_keys(monkeypatch, tmp_path)
    key, secret = "AKIA" + "QWERTYUIOPASDFGH", secrets.token_urlsafe(30)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    program: list[str | Path] = [sys.executable, SCRIPTS / "sign.py"]
    with moto_server() as authority:
        monkeypatch.setenv("S3", f"http://{authority}")
        first = recorded(tmp_path, program, "--map", f"{authority}=s3")
    assert first.stdout.count("purr") == 4
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "dummy")  # CI has none
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    again = replayed(tmp_path, program, "--strict")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    left = (tmp_path / "x.cassette").read_bytes()
    assert key.encode() not in left and secret.encode() not in left
