"""YAML entry by entry: plain values whatever the tags say, aliases counted, cycles refused."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.formats.plain import Plain
from durable_replay.cassette.formats.source import Source
from durable_replay.cassette.formats.yaml_stream import entries, load
from durable_replay.errors import CassetteError

Writes = Callable[..., Path]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none() | texts | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), inner),
    max_leaves=10,
)


@given(items=st.lists(values, max_size=5))
def test_texts_and_bytes_come_back_as_they_were_dumped(
    tmp_path_factory: pytest.TempPathFactory, items: list[Plain]
) -> None:
    """Other scalars stay the texts that they are written as: a body `1.10` is no number."""
    path = Path(tmp_path_factory.getbasetemp()) / "property.yaml"
    path.write_text(yaml.dump({"a": items + items}, Dumper=yaml.CSafeDumper), "utf-8")
    assert [item.value for item in entries(Source(path), ("a",))] == items + items


def test_what_looks_like_a_number_or_a_date_stays_text(writes: Writes) -> None:
    path = writes("a.yaml", "a: [1.10, 2020-01-01, yes, 0x1F, null, ~, 'null', '']")
    assert [item.value for item in entries(Source(path), ("a",))] == [
        "1.10", "2020-01-01", "yes", "0x1F", None, None, "null", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "tagged",
    ["!!python/object/apply:os.system ['true']", "!ruby/object:Gem::Installer [i]", "!!python/name:os.system [x]"],
)
def test_a_tag_makes_nothing(writes: Writes, tagged: str) -> None:
    (item,) = entries(Source(writes("a.yaml", f"a: [{tagged}]")), ("a",))
    assert isinstance(item.value, list)
    assert all(isinstance(each, str) for each in item.value)


@pytest.mark.parametrize("tag", ["!binary", "!!binary"])
def test_binary_is_bytes(writes: Writes, tag: str) -> None:
    text = base64.b64encode(bytes(range(256))).decode()
    (item,) = entries(Source(writes("a.yaml", f"a: [{tag} '{text}']")), ("a",))
    assert item.value == bytes(range(256))


def test_aliases_and_merges_repeat_what_they_name(writes: Writes) -> None:
    text = "a:\n- &one {x: '1', y: &two [p]}\n- *one\n- {<<: *one, x: '2'}\n- *two\n"
    items = list(entries(Source(writes("a.yaml", text)), ("a",)))
    one: Plain = {"x": "1", "y": ["p"]}
    assert [item.value for item in items] == [one, one, {"x": "2", "y": ["p"]}, ["p"]]
    assert [item.line for item in items] == [2, 3, 4, 5]


def test_a_billion_laughs_are_counted(writes: Writes) -> None:
    lines = ["l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    path = writes("a.yaml", "\n".join([*lines, "interactions: [*l9]"]))
    with pytest.raises(CassetteError, match=r"line \d+: its aliases stand for more than 2,000,000 values"):
        list(entries(Source(path), ("interactions",)))


def test_a_billion_laughs_line_by_line_are_counted(writes: Writes) -> None:
    lines = ["interactions:", "- &l0", *(f"  k{n}: lol" for n in range(9))]
    for level in range(1, 10):
        lines += [f"- &l{level}", *(f"  k{n}: *l{level - 1}" for n in range(9))]
    with pytest.raises(CassetteError, match=r"line \d+: its aliases stand for more than 2,000,000 values"):
        list(entries(Source(writes("a.yaml", "\n".join(lines) + "\n")), ("interactions",)))


def test_aliases_are_followed_where_libyaml_reads_on(writes: Writes) -> None:
    """What was read line by line stays named, and so does what becomes nothing."""
    text = "a:\n- &one\n  x: &two y\n  z: &three\n- [*one, *two, *three]\n"
    items = list(entries(Source(writes("a.yaml", text)), ("a",)))
    one: Plain = {"x": "y", "z": None}
    assert [item.value for item in items] == [one, [one, "y", None]]


@pytest.mark.parametrize(
    "text",
    ["a:\n- &x\n  b: *x\n", "a:\n- b: &x\n  - c: *x\n", "a: [&x [*x]]", "a: [&x {k: *x}]", "b: &b {c: [*b]}\na: []"],
)
def test_a_cycle_is_refused(writes: Writes, text: str) -> None:
    with pytest.raises(CassetteError, match=r"line [1-3]: the alias .* a cycle"):
        list(entries(Source(writes("a.yaml", text)), ("a",)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [*nobody]", "names nothing"),
        ("a: [!binary abc]", "no base64"),
        ("a:\n- {[1]: 2}", "line 2: a key is no text"),
        ("a: " + "[" * 200 + "]" * 200, "nested more than 100 deep"),
        ("a: [1\nb", "this is no YAML"),
        ("a:\n\t- 1", "line 2: this is no YAML"),
        ("b: 1", "has no 'a'"),
        ("a: text", "'a' is no list"),
        ("- 1", "no mapping with 'a'"),
        ("a: [\x01]", "this is no YAML"),
    ],
)
def test_what_is_broken_is_told_with_its_line(writes: Writes, text: str, told: str) -> None:
    with pytest.raises(CassetteError) as caught:
        list(entries(Source(writes("a.yaml", text)), ("a",)))
    assert told in str(caught.value)


def test_anchors_end_with_their_document(writes: Writes) -> None:
    path = writes("a.yaml", "a: [&x 1]\n---\na: [*x]\n")
    with pytest.raises(CassetteError, match="names nothing"):
        list(entries(Source(path), ("a",)))


@pytest.mark.parametrize("comment", ["", "# for libyaml\n"])
@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("- a: &x\n  - &x b\n  - c\n  d: *x\n", {"a": ["b", "c"], "d": "b"}),
        ("- a: &x\n    b: &x c\n  d: *x\n", {"a": {"b": "c"}, "d": "c"}),
        ("- a: &x\n    b: &x\n      c: d\n  d: *x\n", {"a": {"b": {"c": "d"}}, "d": {"c": "d"}}),
        ("- a: &x b\n  c: &x d\n  d: *x\n", {"a": "b", "c": "d", "d": "d"}),
    ],
)
def test_of_two_anchors_of_a_name_the_one_that_begins_later_stands(
    writes: Writes, comment: str, entry: str, value: Plain
) -> None:
    path = writes("a.yaml", f"{comment}a:\n{entry}")
    assert [each.value for each in entries(Source(path), ("a",))] == [value]


def test_a_long_file_takes_the_memory_of_an_entry(writes: Writes) -> None:
    entry = f"- text: '{'x' * 100_000}'\n"
    path = writes("a.yaml", "a:\n" + entry * 200)
    tracemalloc.start()
    try:
        assert sum(1 for _ in entries(Source(path), ("a",))) == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000
    assert peak < 4_000_000


def test_an_empty_document_is_nothing(writes: Writes) -> None:
    assert load(Source(writes("a.yaml", "# only words\n"))).value is None
