"""Each format has a name of its own, and files say which they are of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats.registry import FORMATS, named, sniffed
from durable_replay.cassette.formats.source import Source
from durable_replay.errors import UsageError

SAMPLES = {
    "har": '{"log": {"creator": {}, "entries": []}}',
    "vcrpy": "interactions:\n- request: {uri: x}\n  response: {}\n",
    "ruby-vcr": "http_interactions:\n- request: {uri: x}\n  response: {status: {code: 200}}\n",
    "go-vcr": "interactions:\n- request: {url: x}\n  response: {}\n",
    "betamax": '{"http_interactions": [{"request": {}, "response": {"url": "x"}}]}',
    "mitmproxy": "10:7:version;",
    "wiremock": '{"request": {"urlPath": "/"}, "response": {}}',
    "hoverfly": '{"data": {"pairs": []}, "meta": {}}',
    "nock": '[{"scope": "http://x", "path": "/"}]',
    "postman": '{"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}}',
    "bodies": '{"format": "durable-replay bodies"}',
    "nango": '{"nango": {}, "api": {"get": {}}}',
    "discord-gateway": '{"op": 1, "d": null}',
    "pyone": '{"t": {"one.vm.info": {"f6b88e6e0a3d1e61edfe10d5e4e491d9": []}}}',
    "cassette": "SQLite format 3\0",
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_file_of_a_format_is_taken_for_that_and_no_other(name: str, writes: Callable[..., Path]) -> None:
    found = sniffed(Source(writes("sample", SAMPLES[name].encode())))
    assert found is not None
    assert found.name == name


def test_every_format_has_a_sample_here_and_a_name_that_finds_it() -> None:
    assert sorted(SAMPLES) == sorted(known.name for known in FORMATS)
    assert [named(known.name) for known in FORMATS] == list(FORMATS)


@pytest.mark.parametrize("text", ["", "words", "# Title\n\n- a\n- b\n", "[1, 2]", '{"a": {"b": 1}}', "\0\1\2", "a: b"])
def test_other_files_are_of_no_format(text: str, writes: Callable[..., Path]) -> None:
    assert sniffed(Source(writes("sample", text.encode()))) is None


def test_a_long_first_entry_hides_nothing(writes: Callable[..., Path]) -> None:
    text = '{"log": {"_name": "x", "creator": {"name": "y"}, "entries": [{"request": {"postData": "' + "x" * 200_000
    found = sniffed(Source(writes("sample", text.encode())))
    assert found is not None
    assert found.name == "har"


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"'vcr' is no format .* betamax, bodies"):
        named("vcr")


def test_knowing_the_formats_loads_no_mitmproxy() -> None:
    code = "import sys, durable_replay.cassette.formats.importing; print('mitmproxy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False"]
