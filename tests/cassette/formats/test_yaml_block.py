"""What is read line by line reads the same by libyaml: values, lines, and what is said of anything broken."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from durable_replay.cassette.formats.plain import Plain
from durable_replay.cassette.formats.source import Source
from durable_replay.cassette.formats.yaml_anchors import Anchors
from durable_replay.cassette.formats.yaml_block import Declined, entry
from durable_replay.cassette.formats.yaml_stream import entries, load
from durable_replay.errors import CassetteError

Writes = Callable[..., Path]
Outcome = tuple[list[tuple[Plain, int]], dict[str, Plain], str]

PIECES = (
    "- ", "  ", "    ", "\n", "\n- ", "\n  ", "\n    ", "\n      ", "\n  - ", "\n    - ", "key:", "other: ",
    "Key-2: ", ": ", "plain", "two words", "1.10", "null", "~", "''", "'it''s'", "'two\n    lines'",
    "\"text\"", "\"a\\\"b\\n\\u00e9\"", "\"fold\n    ed \\\n    \\ more\n\n  end\"", "|", "|-", "|+", ">",
    ">-", "|2", "!binary |-", "!!binary |", "!ruby/sym x", "YWJj", "\n    YWJj", "#", " # said", "'", "\"",
    "\\", "\t", "{}", "[]", "[a, b]", "{a: b}", "&x ", "*x", "<<: ", "? ", "---", "\n---\n", "\n...\n",
    "\n\n", "   \n", "\u00e9", "\u200d", "\u2028", "\u0085", "\ufeff", "\u0007", "\r\n", "-", "- - ",
    ":symbol: ", "'quoted': ", "a:b", "a #b", "http://x/?a=b&c:d", "-dash", "=", "@at", "`", "%d", ", x",
    "end:", "\nversion: 1\n", "\ninteractions:\n", "&x", "&y ", "*y", "&x\n    ", "- &y\n      ", "\n- *x",
    "\n- &x\n  ", "\n- &y ", ">\n      one\n      two\n       aside\n\n      three\n", "\n    \"below\"",
    "\n    'be\n      low'",
    "\"a\\\n    b\\\\\n    c\"", "\"a\\ \n    b\"", "\"\\ud83d\\ude00\"", "\"\\x41\\e\\/\\_\"", "\"\u00e9\\u00e9\"",
)  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text("ab '\"\\\n:#-\t", max_size=120)
words = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True) | texts
records = st.dictionaries(
    words,
    st.recursive(
        st.none() | texts | st.binary(max_size=90),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
    max_size=5,
)


def _outcome(path: Path, text: str, before: str) -> Outcome:
    """All that is told of a document, its lines counted from the end of `before`."""
    path.write_bytes((before + text).encode("utf-8", "replace"))
    skipped = before.count("\n")
    found: list[tuple[Plain, int]] = []
    around: dict[str, Plain] = {}
    try:
        for item in entries(Source(path), ("interactions",), around):
            found.append((item.value, item.line - skipped))
    except CassetteError as error:
        place, _, what = str(error).partition(": ")
        head, told, line = place.partition(", line ")
        return found, around, f"{head}{told}{int(line) - skipped if line else ''}: {what}"
    return found, around, ""


def _same(path: Path, text: str) -> None:
    # A comment before all else is what nobody's recorder writes: libyaml reads the whole.
    found, around, said = _outcome(path, text, "")
    expected, beside, wrong = _outcome(path, text, "# nothing\n")
    assert said == wrong
    if wrong:  # libyaml looks at characters far ahead of what it gives
        both = min(len(found), len(expected))
        assert found[:both] == expected[:both]
    else:
        assert (found, around) == (expected, beside)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("block") / "a.yaml"


@given(items=st.lists(records, max_size=3), width=st.sampled_from([20, 80, 4096]), unicode=st.booleans())
def test_what_a_recorder_dumps_reads_as_by_libyaml(
    scratch: Path, items: list[Plain], width: int, unicode: bool
) -> None:
    dumped = yaml.dump(
        {"interactions": items, "version": 1}, Dumper=yaml.SafeDumper, default_flow_style=False, width=width,
        allow_unicode=unicode, sort_keys=False,
    )  # fmt: skip
    _same(scratch, dumped)


class _Styled(yaml.SafeDumper):
    """Writes texts in all styles."""


def _in_a_style(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if SIMPLE.fullmatch(text) else (None, "'", '"', "|", ">")[sum(map(ord, text)) % 5]
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Styled.add_representer(str, _in_a_style)
SIMPLE = re.compile("[a-z]{1,5}")
lines = st.lists(
    st.sampled_from(["a", " b", "c d", "", "it's", 'say "so"', "k: v", "\\", "\u00e9", "x" * 50]), max_size=9
)
plain = st.recursive(
    st.none() | texts | st.binary(max_size=90) | st.sampled_from(["\n", " "]).flatmap(lambda by: lines.map(by.join)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(SIMPLE, fullmatch=True).filter(lambda key: key != "null"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    pool=st.lists(plain, min_size=1, max_size=5),
    picked=st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=4), max_size=6),
    indent=st.sampled_from([2, 4]),
    width=st.sampled_from([20, 80, 4096]),
)
def test_what_is_repeated_by_aliases_reads_as_by_pyyaml(
    scratch: Path, pool: list[Plain], picked: list[list[int]], indent: int, width: int
) -> None:
    items: list[Plain] = []
    for numbers in picked:
        item: Plain = {f"k{at}": pool[number % len(pool)] for at, number in enumerate(numbers)}
        items.append(item)
        pool.append(item)
        items.append(pool[numbers[0] % len(pool)])
    text = yaml.dump({"interactions": items}, Dumper=_Styled, default_flow_style=False, indent=indent, width=width)
    expected = yaml.load(text, yaml.CSafeLoader)["interactions"]
    _same(scratch, text)
    assert [value for value, _ in _outcome(scratch, text, "")[0]] == expected
    _same_whole(scratch, text)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=16))
def test_a_document_reads_whole_as_by_libyaml(scratch: Path, pieces: list[str]) -> None:
    _same_whole(scratch, "request:\n  method: GET\n  body: " + "".join(pieces) + "\n")


def _same_whole(path: Path, text: str) -> None:
    """What ends with its mark is left to libyaml."""
    assert _whole(path, text) == _whole(path, f"{text}...\n")


def _whole(path: Path, text: str) -> Plain:
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        return load(Source(path)).value
    except CassetteError:
        return "broken"


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=24))
@example(pieces=["key:", "\n    ", "plain", "\n    ", "two words", "\n\n", "    ", "end:"])
@example(pieces=["key:", " ", "'two\n    lines'", "\n  ", "other: ", "|", "\n    ", "YWJj", "\n\n", "\n  ", "key:"])
@example(pieces=["other: ", "plain", "\n  ", "\n---\n", "interactions:", "\n- ", "key:"])
def test_any_text_at_all_reads_as_by_libyaml(scratch: Path, pieces: list[str]) -> None:
    _same(scratch, "interactions:\n- request: x\n- first: y\n  " + "".join(pieces) + "\n")


@given(seed=st.integers(0, 10**6))
def test_a_recording_with_a_damaged_place_reads_as_by_libyaml(scratch: Path, seed: int) -> None:
    chance = random.Random(seed)
    text = RECORDED * 3 + "version: 1\n"
    for _ in range(chance.randint(1, 3)):
        at, cut = chance.randrange(len(text)), chance.choice((0, 0, 1, 5, 40))
        text = text[:at] + chance.choice(PIECES) + text[at + cut :]
    _same(scratch, "---\ninteractions:\n" + text)


RECORDED = r"""- request:
    method: get
    uri: https://api.example.com/a?b=c:d
    body:
      encoding: US-ASCII
      string: ''
    headers:
      Accept:
      - "*/*"
      Alt-Svc:
      - quic=":443"; ma=2592000,h3-Q049=":443";
        ma=2592000
  response:
    status: {code: 200}
    body:
      string: "{\"a\": [1,
        2], \"b\": \"it\\u00e9\"}\n"
      other: 'a ''b''

        c'
      packed: !binary |-
        YWJj
        ZGVm
      long: |
        one
          two

        three
      flowing: >-
        one
        two

        three
          aside
      below:
        "a\
        \ b"
    http_version:
  recorded_at: Wed, 25 Nov 2020 13:36:20 GMT
""".replace("{code: 200}", "\n      code: 200\n      message: OK")


def test_a_recording_is_read_line_by_line() -> None:
    """Else all of the above would compare libyaml with itself."""
    found, lines = entry(RECORDED)
    assert lines == RECORDED.count("\n")
    assert isinstance(found, dict)
    assert found["recorded_at"] == "Wed, 25 Nov 2020 13:36:20 GMT"
    response = found["response"]
    assert isinstance(response, dict)
    assert response["http_version"] is None
    assert response["status"] == {"code": "200", "message": "OK"}
    assert response["body"] == {
        "string": '{"a": [1, 2], "b": "it\\u00e9"}\n',
        "other": "a 'b'\nc",
        "packed": b"abcdef",
        "long": "one\n  two\n\nthree\n",
        "flowing": "one two\nthree\n  aside",
        "below": "a b",
    }


@pytest.mark.parametrize(
    "value",
    [
        "&x &y a",
        "*x",
        "&x *x",
        "&x {a: b}",
        "|+\n    a",
        "[a]",
        "{a: b}",
        "!ruby/object:Object {}",
        "!python/name:os.system",
        "a # said",
        "? a",
        "\tb",
    ],
)
def test_what_recorders_do_not_write_is_declined(value: str) -> None:
    with pytest.raises(Declined):
        entry(f"- key: {value}\n")


def test_what_one_entry_names_the_next_may_repeat() -> None:
    anchors = Anchors()
    first: Plain = {"a": {"b": "c"}, "d": ["e"], "f": "g", "h": None}
    assert entry("- &one\n  a: &two\n    b: c\n  d: &three\n  - e\n  f: &four g\n  h: &five\n", anchors)[0] == first
    assert entry("- *one\n", anchors)[0] == first
    repeated, _ = entry("- a: *two\n  d: *three\n  f: *four\n  h: *five\n", anchors)
    assert repeated == first


def test_what_a_declined_entry_names_is_not_kept() -> None:
    anchors = Anchors()
    with pytest.raises(Declined):
        entry("- a: &x b\n  c: [d]\n", anchors)
    with pytest.raises(Declined):
        entry("- a: *x\n", anchors)


def test_an_alias_within_what_it_names_is_declined() -> None:
    with pytest.raises(Declined):
        entry("- a: &x\n    b:\n      c: *x\n", Anchors())


def test_lines_are_counted_on_when_libyaml_takes_over(writes: Writes) -> None:
    text = "interactions:\n" + "- a: b\n" * 3 + "- a: &x b\n  c: *x\n- a: [b]\n- c: *nobody\n"
    found: list[int] = []
    with pytest.raises(CassetteError, match=r"line 8: the alias '\*nobody' names nothing"):
        found.extend(item.line for item in entries(Source(writes("a.yaml", text)), ("interactions",)))
    assert found == [2, 3, 4, 5, 7]
