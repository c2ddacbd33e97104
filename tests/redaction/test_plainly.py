"""The quick search finds what the plain one finds: every rule over everything, and all that stands encoded, decoded."""

from __future__ import annotations

import base64
import gzip
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.redaction import encoded
from durable_replay.redaction.blocks import Blocks
from durable_replay.redaction.encoded import decoded
from durable_replay.redaction.grams import Grams, beginnings
from durable_replay.redaction.personal import PERSONAL
from durable_replay.redaction.placeholders import Constant
from durable_replay.redaction.rules import DEFAULT, Rule, Rules
from durable_replay.redaction.scan import OVERLAP, scan_file, scan_interactions
from durable_replay.redaction.text import Text

WORD = "aB3" * 30
UUID = "12345678-1234-1234-1234-123456789abc"
HEX = "0123456789abcdef" * 2
PLANTED = (
    "AKIAIOSFODNN7EXAMPLE",
    f'"SecretAccessKey": "{WORD[:40]}"',
    f"SECRET_ACCESS_KEY={WORD[:40]}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW",
    f"M{WORD[:23]}.Gx1_aB.{WORD[:38]}",
    f"/webhooks/123456789012345678/{WORD[:68]}",
    f"ghp_{WORD[:36]}",
    "xoxb-1234567890-abcdef",
    f"1/1234567890123456:{HEX}",
    f"0/{HEX}",
    f"{HEX}-us12",
    f"123456789:AA{WORD[:33]}",
    f"SK{HEX}",
    "https://joe:hunter2hunter2@example.com/",
    f"https://h/x?Access_Token={WORD}",
    f"&amp;X-AMZ-SIGNATURE={HEX}",
    f"?jwt={WORD}",
    f"#id_token={WORD}",
    f"?code={WORD}",
    f"Bearer {WORD}",
    f'name="csrf_token" value="{WORD}"',
    f'MY_APP_TOKEN="{WORD}"',
    f'DB_PASSWORD: "{WORD}"',
    f'X_SECRET_KEY": "{WORD}"',
    f";Password={WORD};",
    f"00D0x0000000001!{WORD[:60]}",
    f"PVE:root@pam:6566AABB::{WORD[:60]}",
    f'"full-tokenid":"root@pam!ci","value":"{UUID}"',
    f"-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----",
    f"m\0\0\0J{'M' + WORD[:23]}.Gx1_aB.{WORD[:38]}",
    f"/d/1/{WORD}/download",
    "p@ss/w0rd+42",
)
KNOWN = ("p@ss/w0rd+42", *(f"known-{number:04}-value" for number in range(7)))
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: base64.b64encode(f"some {text} of ours".encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe="")),
    lambda text: json.dumps(text)[1:-1],
    lambda text: base64.b64encode(json.dumps({"x": text}).encode()).decode(),
)
FILLERS = (
    '{"id":"10002","self":"https://h.example/rest/api/2/issue/10002?expand=names","ticket":"PRJ-1","key":"x"},',
    "plain words that say nothing, TOKEN and SECRET and _KEY=, 100% of them; a=b&c=d ",
    "\0" * 50,
    bytes(range(256)).decode("latin-1"),
    '"' * 20 + "\n" * 5,
    "é%41%2e/AAAA/IAAA" * 3,
)
pieces = st.one_of(
    st.sampled_from(FILLERS),
    st.builds(lambda text, spelt: spelt(text), st.sampled_from(PLANTED), st.sampled_from(SPELLINGS)),
    st.builds(lambda text, cut: text[cut:], st.sampled_from(PLANTED), st.integers(0, 12)),
    st.text(alphabet=st.characters(max_codepoint=255), max_size=12),
)
texts = st.lists(pieces, max_size=12).map("".join)

BASE64 = re.compile(r"(?<![A-Za-z0-9+_-])(?:[I-Za-f][A-Za-z0-9+/_-]{3}){5}[A-Za-z0-9+/_-]*+={0,2}", re.ASCII)
IN_URL = r"[\w.~!*'()+/:@$%-]"
PERCENT = re.compile(rf"(?<!{IN_URL}){IN_URL}*%[2-7][0-9A-Fa-f]{IN_URL}*", re.ASCII)


def plainly(text: str, rules: Rules = DEFAULT) -> set[tuple[str, int]]:
    return {(rule.name, match.start()) for rule in rules.texts for match in rule.compiled.finditer(text)}


def quickly(text: str, rules: Rules = DEFAULT) -> set[tuple[str, int]]:
    return {(rule.name, match.start()) for rule in rules.likely(text) for match in rule.matches(text)}


def plainly_decoded(text: str, depth: int = 0) -> Iterator[str]:
    """What stands encoded, by the two patterns over everything."""
    inside = [unquote(run[0], errors="replace") for run in PERCENT.finditer(text)]
    for run in BASE64.finditer(text):
        parts = (run[0], *(part for part in run[0].split("/") if "/" in run[0] and len(part) >= 20))
        inside += [plain for part in parts if (plain := encoded._text_of(part)) is not None]
    for plain in inside:
        yield plain
        if depth < 2:
            yield from plainly_decoded(plain, depth + 1)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_a_first_look_loses_no_match_of_any_rule(text: str) -> None:
    assert quickly(text) == plainly(text)


@settings(max_examples=100, deadline=None)
@given(texts)
def test_with_rules_for_personal_data_and_of_the_users_none_is_lost_either(text: str) -> None:
    more = [rule for rules in PERSONAL.values() for rule in rules]
    rules = DEFAULT.with_(*more, Rule("pin", "text", pattern="PRJ-[0-9]+"), Rule("quote", "text", pattern='"key'))
    assert quickly(text, rules) == plainly(text, rules)


@settings(max_examples=100, deadline=None)
@given(texts)
def test_all_that_stands_encoded_is_decoded(text: str) -> None:
    assert [plain for _, plain in decoded(text)] == list(plainly_decoded(text))


@settings(max_examples=100, deadline=None)
@given(texts)
def test_replacing_by_a_rule_is_what_its_pattern_replaces(text: str) -> None:
    for rule in DEFAULT.texts:
        assert rule.replaced(text, lambda match: "#") == rule.compiled.sub("#", text)


@pytest.mark.parametrize(
    "rule", [rule for rule in DEFAULT.texts if rule.headed or rule.reach], ids=lambda rule: rule.name
)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_matches_lie_where_a_rule_says(rule: Rule, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(rule.compiled).filter(lambda text: len(text) < 5000))
    for match in rule.compiled.finditer(text):
        hints = [match.string.find(hint, match.start()) for hint in rule.hints]
        first = min(at for at in hints if at >= 0)
        before, after = rule.reach or (0, len(text))
        assert first - match.start() <= before and match.end() - first <= after


@given(
    st.lists(st.text(alphabet="abcD=_\xe9\u20ac", min_size=3, max_size=6), max_size=20),
    st.text("abcD=_\xe9\u20ac", max_size=40),
)
def test_grams_tell_every_text_that_occurs(wanted: list[str], text: str) -> None:
    grams = Grams((tuple(each), number) for number, each in enumerate(wanted))
    found = grams.numbers(text.encode("latin-1", "replace"))
    assert {number for number, each in enumerate(wanted) if each in text} <= found


@given(st.lists(st.text(alphabet="abcd", min_size=1, max_size=9), max_size=30), st.text("abcd", max_size=60))
def test_blocks_tell_every_text_that_occurs(wanted: list[str], text: str) -> None:
    blocks = Blocks(wanted)
    assert set(blocks.occurring(text)) == {each for each in wanted if each in text}
    for each in wanted[::2]:
        blocks.remove(each)
    assert set(blocks.occurring(text)) == {each for each in set(wanted) - set(wanted[::2]) if each in text}


@pytest.mark.parametrize("pattern", ["ab|cd", r"\bab", "a?bc", "a{2,}b", "[^a]bc", "(?i:abc)", r"\Wab", "a{0,1}bcd"])
def test_a_pattern_whose_beginning_is_not_plain_has_none(pattern: str) -> None:
    assert beginnings(pattern) is None


def _bodies(texts: list[str]) -> list[Interaction]:
    packed = Headers([("Content-Encoding", "gzip")])
    bodies = [text.encode("latin-1") for text in texts]
    answers = [Response(200, body=BytesBody(body)) for body in bodies]
    answers += [Response(200, packed, BytesBody(gzip.compress(body, 1))) for body in bodies]
    request = Request("GET", "https", "h", 443, "/")
    return [Interaction(request, answer, number=number) for number, answer in enumerate(answers, 1)]


def _plain_finds(text: str) -> set[str]:
    whole = (text, *plainly_decoded(text))
    shapes = {
        rule.name
        for each in whole
        for rule, _ in Text(DEFAULT, Constant(), lambda _: None).found(each, likely=DEFAULT.texts)
    }
    from durable_replay.redaction.known import spellings

    known = any(form in each for each in whole for value in KNOWN for form in spellings(value))
    return shapes | ({"known-secret"} if known else set())


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_a_scan_of_many_bodies_finds_what_the_plain_scan_of_each_finds(several: list[str], twice: bool) -> None:
    several = several * 2 if twice else several
    expected = {(number, rule) for number, text in enumerate(several * 2, 1) for rule in _plain_finds(text)}
    found = scan_interactions(_bodies(several), known=KNOWN)
    assert len(found) >= 100 or {(int(re.findall(r"\d+", each.place)[0]), each.rule) for each in found} == expected


@pytest.mark.parametrize("secret", PLANTED[:-1])
@pytest.mark.parametrize("shift", [0, 7, 60])
def test_a_secret_over_the_end_of_a_piece_is_found(tmp_path: Path, secret: str, shift: int) -> None:
    filler = random.Random(1).randbytes(1024 * 1024 - shift)
    rules = [rule for rule in DEFAULT.texts if rule.scanned and rule.compiled.search(f" {secret} ")]
    file = tmp_path / "x"
    file.write_bytes(filler + f" {secret} ".encode("latin-1") + filler[: OVERLAP * 2])
    assert {rule.name for rule in rules} <= {finding.rule for finding in scan_file(file)}


def _cpu(work: Callable[[], object]) -> float:
    """The least of three, in seconds of CPU."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def _json(size: int) -> bytes:
    chance = random.Random(2)
    rows = [
        {"id": number, "self": f"https://h.example/rest/{number}", "name": f"item {chance.random()}", "state": "open"}
        for number in range(size // 90)
    ]
    return json.dumps(rows).encode()


@pytest.mark.parametrize("data", [_json(2 << 20), random.Random(3).randbytes(2 << 20)], ids=["json", "random"])
def test_a_scan_costs_less_than_a_tenth_of_its_rules_each_tried_everywhere(tmp_path: Path, data: bytes) -> None:
    """The file and the body in it, against one pattern that is tried at every place: the plain scan has a hundred."""
    file = tmp_path / "x"
    file.write_bytes(data)
    interaction = Interaction(Request("GET", "https", "h", 443, "/"), Response(200, body=BytesBody(data)))
    DEFAULT.likely("made once")
    text, pattern = data.decode("latin-1"), DEFAULT["github-token"].compiled
    scanning = _cpu(lambda: (scan_file(file), scan_interactions([interaction])))
    assert scanning < 10 * _cpu(lambda: pattern.findall(text))
