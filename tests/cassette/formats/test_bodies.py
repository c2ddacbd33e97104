"""Plain bodies with our own map: rows in order, patterns, and nothing outside the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats.importing import import_into
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]

MAP = """\
format = "durable-replay bodies"
version = 1
folder = "bodies"
base = "https://api.test/2.0"

[[bodies]]
files = "one.json"
method = "PUT"
url = "/things/{stem}"
status = 201
headers = { ETag = "1" }
request_headers = { Accept = "*/*" }
request_body = "sent"

[[bodies]]
files = "**/*"
url = "/{folder}/{name}"
"""


@pytest.fixture
def bodies(writes: Callable[..., Path]) -> None:
    writes("bodies/one.json", '{"a": 1}')
    writes("bodies/two/b c.txt", "text")


@pytest.mark.usefixtures("bodies")
def test_each_file_answers_the_request_of_its_first_row(imports: Imports) -> None:
    first, second = imports("map.toml", MAP)
    assert (first.request.method, first.request.url) == ("PUT", "https://api.test/2.0/things/one")
    assert first.request.body.read() == b"sent"
    assert (first.response.status, first.response.body.read()) == (201, b'{"a": 1}')
    assert list(first.response.headers) == [("ETag", "1"), ("Content-Type", "application/json")]
    assert second.request.url == "https://api.test/2.0/two/b%20c.txt"
    assert second.response.headers.get("content-type") == "text/plain"


@pytest.mark.usefixtures("bodies")
def test_the_map_may_be_json(imports: Imports) -> None:
    rows = [{"files": "one.json", "url": "/x", "request_body": {"n": 1}, "method": "POST"}]
    (found,) = imports(
        "map.json",
        {"format": "durable-replay bodies", "version": 1, "folder": "bodies", "base": "http://a.test", "bodies": rows},
    )
    assert (found.request.url, found.request.body.read()) == ("http://a.test/x", b'{"n": 1}')


@pytest.mark.usefixtures("bodies")
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("one.json", "../map.toml", "leads out of"),
        ("one.json", "/etc/hostname", "no path or pattern"),
        ("one.json", "three.json", "no file in"),
        ("version = 1", "version = 2", "no map of bodies"),
        ('"bodies"\nbase', '"nowhere"\nbase', "does not exist"),
        ("status = 201", 'statsu = "201"', "'statsu' is no key"),
        ("status = 201", "status =", "this is no TOML"),
    ],
)
def test_a_wrong_map_says_what_is_wrong(imports: Imports, old: str, new: str, told: str) -> None:
    with pytest.raises(CassetteError, match=told):
        imports("map.toml", MAP.replace(old, new))


@pytest.mark.usefixtures("bodies")
def test_a_map_without_a_base_needs_one(target: Path, writes: Callable[..., Path]) -> None:
    path = writes("map.toml", MAP.replace('base = "https://api.test/2.0"', ""))
    with pytest.raises(UsageError, match="name no host"):
        import_into(target, [path])
    assert import_into(target, [path], base="https://b.test").interactions == 2
