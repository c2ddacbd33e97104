"""Credentials by host: files and the environment, read strictly, shown nowhere."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from durable_replay.drift.live.auth import Credentials, guarded, load_credentials, teach
from durable_replay.errors import UsageError
from durable_replay.http import BytesBody, Headers, Response
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import DEFAULT

VALUE = "plantedValue-7731-x"


def write(folder: Path, text: str, name: str = "auth.toml", mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def headers_of(credentials: Credentials, host: str, scheme: str = "https", port: int = 443) -> dict[str, str]:
    found = credentials.of(scheme, host, port)
    return dict(found.headers) if found else {}


def test_a_host_has_headers_query_bearer_basic_and_secret(tmp_path: Path) -> None:
    text = """
[hosts."api.github.com"]
bearer = "env:GITHUB_TOKEN"
[hosts."*.example.com"]
headers = { X-Key = "one" }
query = { key = "two" }
secret = "three"
[hosts."cloud.test:2633"]
basic = "me:mine"
"""
    credentials = load_credentials(write(tmp_path, text), {"GITHUB_TOKEN": VALUE})
    assert headers_of(credentials, "api.github.com") == {"Authorization": f"Bearer {VALUE}"}
    found = credentials.of("https", "a.example.com", 443)
    assert found is not None
    assert (found.headers, found.query, found.secret) == ((("X-Key", "one"),), (("key", "two"),), "three")
    basic = base64.b64encode(b"me:mine").decode()
    assert headers_of(credentials, "cloud.test", port=2633) == {"Authorization": f"Basic {basic}"}
    assert credentials.of("https", "cloud.test", 443) is None
    assert credentials.of("https", "github.com", 443) is None


def test_a_netrc_file_gives_basic_credentials(tmp_path: Path) -> None:
    path = write(tmp_path, f"machine jira.test login me password {VALUE}\n", ".netrc")
    basic = base64.b64encode(f"me:{VALUE}".encode()).decode()
    assert headers_of(load_credentials(path, {}), "jira.test") == {"Authorization": f"Basic {basic}"}


@pytest.mark.parametrize(("value", "header"), [(VALUE, f"Bearer {VALUE}"), (f"Bot {VALUE}", f"Bot {VALUE}")])
def test_the_environment_names_a_host_and_goes_before_the_file(tmp_path: Path, value: str, header: str) -> None:
    path = write(tmp_path, '[hosts."api.my-site.test"]\nbearer = "other"\n')
    credentials = load_credentials(path, {"DURABLE_REPLAY_AUTH_API_MY_SITE_TEST": value})
    assert headers_of(credentials, "api.my-site.test") == {"Authorization": header}
    assert headers_of(credentials, "api.my-site.test", port=8443) == {"Authorization": header}


def test_nothing_goes_out_unencrypted_unless_the_file_says_http(tmp_path: Path) -> None:
    text = '[hosts."a.test"]\nbearer = "x"\n[hosts."http://b.test"]\nbearer = "x"\n[hosts."127.0.0.1"]\nbearer = "x"\n'
    credentials = load_credentials(write(tmp_path, text), {"DURABLE_REPLAY_AUTH_C_TEST": "x"})
    there = [bool(headers_of(credentials, host, "http", 80)) for host in ("a.test", "b.test", "127.0.0.1", "c.test")]
    assert there == [False, True, True, False]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file; name a TOML or netrc file"):
        load_credentials(tmp_path, {})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="chmod 600"):
        load_credentials(write(tmp_path, "", mode=mode), {})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.toml", f'[hosts."a"]\nbearer = "{VALUE}', "no TOML"),
        ("a.toml", f'[hosts."a"]\nbearr = "{VALUE}"', "bearr is unknown"),
        ("a.toml", f'[hosts."a"]\nbearer = ["{VALUE}"]', "bearer is no text"),
        ("a.toml", f'[hosts."a"]\nbearer = "{VALUE}\\n"', "no header can hold"),
        ("a.toml", f'[hosts."a"]\nbearer = "{VALUE}\\u20ac"', "no header can hold"),
        ("a.toml", f'[hosts."a"]\naws = {{ access_key = "{VALUE}" }}', "access_key and secret_key"),
        ("a.toml", f'[hosts."a"]\nheaders = "{VALUE}"', "headers is a table"),
        ("a.toml", '[hosts."a"]\nbearer = "env:NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE, which is not set"),
        ("a.toml", f'bearer = "{VALUE}"', "needs tables"),
        (".netrc", f"machine a login b pasword {VALUE}", "no netrc file: look at line"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_without_its_values(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as wrong:
        load_credentials(write(tmp_path, text, name), {})
    assert VALUE not in str(wrong.value)


def test_no_value_is_shown_by_repr(tmp_path: Path) -> None:
    path = write(tmp_path, f'[hosts."a"]\nbearer = "{VALUE}"\naws = {{ access_key = "AK", secret_key = "{VALUE}" }}')
    credentials = load_credentials(path, {"DURABLE_REPLAY_AUTH_B": VALUE})
    assert VALUE not in repr(credentials) + repr(credentials.of("https", "a", 443))


def test_the_redactor_knows_each_value_wherever_it_turns_up(tmp_path: Path) -> None:
    text = f'[hosts."a"]\nbasic = "me:{VALUE}"\nheaders = {{ X-Own = "own-{VALUE}" }}\nsecret = "third-{VALUE}"'
    credentials = load_credentials(write(tmp_path, text), {"DURABLE_REPLAY_AUTH_B": f"env-{VALUE}"})
    redactor = Redactor(b"0123456789abcdef", guarded(DEFAULT, credentials))
    teach(redactor, credentials)
    told = f"a {VALUE} b own-{VALUE} c third-{VALUE} d env-{VALUE}".encode()
    shown = redactor.response(Response(200, Headers([("X-Own", f"own-{VALUE}")]), BytesBody(told)))
    assert VALUE.encode() not in shown.body.read()
    assert VALUE not in shown.headers.get("x-own")
