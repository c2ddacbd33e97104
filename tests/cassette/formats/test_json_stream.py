"""JSON entry by entry: the same values as the parser gives whole, in bounded memory, with lines in errors."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.cassette.formats import json_stream
from durable_replay.cassette.formats.json_stream import entries, load
from durable_replay.cassette.formats.plain import Plain
from durable_replay.cassette.formats.source import Source
from durable_replay.errors import CassetteError

Writes = Callable[..., Path]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=30)
@given(items=st.lists(values, max_size=4), before=values, after=values, indent=st.sampled_from([None, 1]))
@pytest.mark.parametrize("window", [1, 7, 1024])
def test_entries_are_what_the_whole_document_holds(
    tmp_path_factory: pytest.TempPathFactory,
    window: int,
    items: list[Plain],
    before: Plain,
    after: Plain,
    indent: int | None,
) -> None:
    """Wherever the window's end falls."""
    path = Path(tmp_path_factory.getbasetemp()) / f"property-{window}.json"
    path.write_text(json.dumps({"a": before, "b": {"x": after, "c": items}, "z": 1}, indent=indent), "utf-8")
    around: dict[str, Plain] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_WINDOW", window)
        found = [item.value for item in entries(Source(path), ("b", "c"), around)]
    assert found == items
    assert around["z"] == 1


def test_each_entry_knows_its_line(writes: Writes) -> None:
    path = writes("a.json", '[\n{"a": "x"},\n\n{"b":\n1}, 3]')
    assert [item.line for item in entries(Source(path), ())] == [2, 4, 5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": [1, 2', "line 1: this is no JSON that can be read: ',' or ']' was expected"),
        ('{"a": [1,\n\n2}', "line 3: this is no JSON"),
        ('{"a": [{"b": tru }]}', "line 1: this is no JSON"),
        ('{"a": ["x', "Unterminated string"),
        ('{"a": []} {}', "yet more follows"),
        ("{'a': []}", "a key in double quotes"),
        ('{"b": []}', "has no 'a'"),
        ('{"a": {"b": 1}}', "'a' is no list"),
        ("[]", "no object with 'a'"),
        ("", "the document"),
        ('{"a": [' + "9" * 5000 + "]}", "Exceeds the limit"),
        ('{"a": [' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_broken_is_told_with_its_line(writes: Writes, text: str, told: str) -> None:
    with pytest.raises(CassetteError) as caught:
        list(entries(Source(writes("a.json", text)), ("a",)))
    assert told in str(caught.value)


def test_bytes_that_are_no_utf_8_are_told(writes: Writes) -> None:
    with pytest.raises(CassetteError, match="no UTF-8"):
        list(entries(Source(writes("a.json", b'{"a": ["\xff"]}')), ("a",)))


def test_a_long_file_takes_the_memory_of_an_entry(writes: Writes) -> None:
    entry = json.dumps({"text": "x" * 100_000})
    path = writes("a.json", "[" + ",".join([entry] * 400) + "]")
    tracemalloc.start()
    try:
        assert sum(1 for _ in entries(Source(path), ())) == 400
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 40_000_000
    assert peak < 12_000_000


def test_an_entry_past_the_limit_is_refused(writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_ENTRY", 1000)
    monkeypatch.setattr(json_stream, "_WINDOW", 100)
    path = writes("a.json", json.dumps(["x" * 10_000]))
    with pytest.raises(CassetteError, match="more than 1,000 characters"):
        list(entries(Source(path), ()))


def test_a_whole_document_may_begin_with_a_mark(writes: Writes) -> None:
    assert load(Source(writes("a.json", b'\xef\xbb\xbf{"a": 1}'))) == {"a": 1}
