"""Each format has a name of its own, and files say which they are of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.formats.registry import FORMATS, named, sniffed, unknown
from durable_replay.cassette.formats.source import Source, located
from durable_replay.errors import CassetteError, UsageError

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


_ANSWER = "  response:\n    body: |\n      request:\n        uri: x\n      interactions:\n    status: {code: 200}\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("go-vcr", f"---\nversion: 1\ninteractions:\n- request:\n    body: ''\n    url: https://a.test/\n{_ANSWER}"),
        (
            "go-vcr",
            f"interactions:\n    - id: 0\n      request:\n        body: |\n          uri: x\n        url: y\n{_ANSWER}",
        ),
        ("go-vcr", "interactions:\n- request:\n    body: 'a\n\n      uri: b'\n    url: x\n  response: {}\n"),
        ("vcrpy", f"interactions:\n- request:\n    body: null\n    url: x\n    uri: y\n{_ANSWER}version: 1\n"),
        ("vcrpy", f"interactions:\n- {_ANSWER.strip()}\n  request:\n    headers:\n      url: [x]\n    uri: y\n"),
        ("vcrpy", "interactions:\n- request: &one\n    uri: x\n  response: {}\n- request: *one\n  response: {}\n"),
        ("ruby-vcr", "---\nrecorded_with: VCR 6\nhttp_interactions:\n- request:\n    method: get\n"),
        ("ruby-vcr", "http_interactions: []\n"),
    ],
)
def test_yaml_is_told_whatever_stands_in_its_texts_and_in_what_order(
    name: str, text: str, writes: Callable[..., Path]
) -> None:
    found = sniffed(Source(writes("sample", text.encode())))
    assert found is not None
    assert found.name == name


def test_a_long_first_entry_hides_nothing(writes: Callable[..., Path]) -> None:
    text = '{"log": {"_name": "x", "creator": {"name": "y"}, "entries": [{"request": {"postData": "' + "x" * 200_000
    found = sniffed(Source(writes("sample", text.encode())))
    assert found is not None
    assert found.name == "har"


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"'vcr' is no format .* betamax, bodies"):
        named("vcr")


KEYS = [
    "request",
    "response",
    "url",
    "uri",
    "method",
    "status",
    "code",
    "headers",
    "header",
    "body",
    "string",
    "base64_string",
    "content",
    "text",
    "encoding",
    "item",
    "originalRequest",
    "path",
    "scope",
    "rawHeaders",
    "info",
    "schema",
    "version",
    "log",
    "entries",
    "interactions",
    "http_interactions",
    "data",
    "pairs",
    "meta",
    "schemaVersion",
    "mappings",
    "op",
    "d",
    "api",
    "get",
    "nango",
    "postData",
    "params",
    "queryParameters",
    "bodyPatterns",
    "form",
    "name",
    "value",
    "key",
]
WORDS = ("", "GET", "https://a.test/x", "base64", "v5", "1", "a b", "\ud800", "collection/v2.1", "{{x}}")
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 600) | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
ROOMS: dict[str, Callable[[object], object]] = {
    "har": lambda entry: {"log": {"entries": [entry]}},
    "vcrpy": lambda entry: {"interactions": [entry]},
    "go-vcr": lambda entry: {"interactions": [entry]},
    "ruby-vcr": lambda entry: {"http_interactions": [entry]},
    "betamax": lambda entry: {"http_interactions": [entry]},
    "hoverfly": lambda entry: {"data": {"pairs": [entry]}},
    "wiremock": lambda entry: {"mappings": [entry]},
    "nock": lambda entry: [entry],
    "nango": lambda entry: {"api": {"get": {"/a": entry}}},
    "postman": lambda entry: {"info": {"schema": "collection/v2.1"}, "item": [{"response": [entry]}]},
    "pyone": lambda entry: {"unit": {"one.x": {"d": entry}}},
    "discord-gateway": lambda entry: entry,
    "bodies": lambda entry: entry,
}


@pytest.mark.parametrize("name", sorted(ROOMS))
@given(entry=documents | st.fixed_dictionaries({"request": documents, "response": documents}))
def test_whatever_stands_in_a_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, entry: object
) -> None:
    """No document makes a reader fail in any other way than with an error that names the file."""
    path = Path(tmp_path_factory.getbasetemp()) / f"property-{name}.json"
    path.write_text(json.dumps(ROOMS[name](entry)), "utf-8")
    try:
        for imported in located(Source(path), named(name).read(Source(path))):
            imported.interaction.request.host.encode()
            imported.interaction.request.target.encode("latin-1")
            imported.interaction.note.encode()
    except (CassetteError, UsageError) as error:
        assert str(path) in str(error)


def test_knowing_the_formats_loads_no_mitmproxy() -> None:
    code = "import sys, durable_replay.cassette.formats.importing; print('mitmproxy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False"]


def test_a_cassettes_own_text_is_among_the_formats_that_are_told(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("just words")
    assert "ruby-vcr, text, vcrpy" in str(unknown(Source(notes)))
    with pytest.raises(UsageError, match="ruby-vcr, text, vcrpy"):
        named("xls")
