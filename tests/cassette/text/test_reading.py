"""What was written as exact text is read as the same interactions; anything else is refused by line."""

from __future__ import annotations

import gzip
import string
from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from durable_replay.errors import CassetteError
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

Parse = Callable[[str | bytes], list[Interaction]]
Written = Callable[[Iterable[Interaction]], str]

ANY = st.text(st.characters(codec="utf-8"), max_size=12)
LATIN = st.text(st.characters(max_codepoint=255), max_size=12)
FIELDS = st.lists(
    st.tuples(st.one_of(ANY, st.sampled_from(["Content-Type", "X-Id", "a:b", ": ", ""])), LATIN), max_size=3
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """A content type and a body, which may be what it says."""
    import json

    media = draw(st.sampled_from(["", "application/json", "text/xml", "text/plain; charset=iso-8859-1", "image/png"]))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return media, draw(st.binary(max_size=200))
    if kind == 1:
        separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
        return media, json.dumps(draw(JSON), separators=separators, ensure_ascii=draw(st.booleans())).encode()
    if kind == 2:
        return media, draw(st.text(st.sampled_from("<>/ab \n&;!-[]\"'?"), max_size=60)).encode()
    if kind == 3:
        return media, draw(st.text(st.sampled_from('{}[],:"\\ab1 \n\r\t'), max_size=60)).encode()
    if kind == 4:
        return "application/x-www-form-urlencoded", draw(st.text(st.sampled_from("a=&\n%"), max_size=30)).encode()
    return media, draw(st.text(st.sampled_from("a|\r\n\x00\u2028é\\"), max_size=40)).encode()


@st.composite
def interactions(draw: st.DrawFn) -> Interaction:
    messages = []
    for _ in range(2):
        media, body = draw(bodies())
        messages.append((Headers([*draw(FIELDS), ("Content-Type", media)]), BytesBody(body)))
    frames = st.builds(
        Frame,
        st.booleans(),
        st.sampled_from(["text", "binary", "ping", "pong", "close"]),
        st.binary(max_size=20) | ANY.map(str.encode),
        st.none() | st.integers(0, 5000),
        st.floats(0, 1e6),
    )
    request = Request(
        draw(st.sampled_from(["GET", "POST", "M-SEARCH"]) | ANY),
        draw(st.sampled_from(["http", "https", "ws", "wss"])),
        draw(st.sampled_from(["api.test", "[::1]", ""]) | ANY),
        draw(st.integers(0, 65535)),
        draw(st.sampled_from(["/", "*", "", "/a?b=%20"]) | ANY | ANY.map("/{}".format)),
        *messages[0],
    )
    response = Response(draw(st.integers(0, 999)), *messages[1], draw(ANY), Headers(draw(FIELDS)))
    return Interaction(
        request,
        response,
        draw(st.integers(0, 10**9)),
        tuple(draw(st.lists(frames, max_size=2))),
        draw(st.floats(0, 4e9) | st.floats(allow_nan=False)),
        draw(st.floats(0, 1e4)),
        draw(st.sampled_from(["HTTP/1.1", "HTTP/2", ""]) | ANY),
        draw(st.sampled_from(["complete", "aborted"])),
        draw(ANY),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100)
@given(tape=st.lists(interactions(), max_size=3))
def test_any_interactions_come_back_from_their_text(tape: list[Interaction], parse: Parse, written: Written) -> None:
    assert parse(written(tape)) == tape


def test_a_large_body_comes_back_from_base64(parse: Parse, written: Written, make: Callable[..., Interaction]) -> None:
    tape = [make(body=bytes(range(256)) * 4000)]
    assert parse(written(tape)) == tape


@pytest.mark.parametrize(
    "seconds", [0.0, 1700000000.1234567, 1e22, 5e-324, -1.5, 253402300799.0, 1700000000.0, 99999999999.5]
)
def test_a_time_keeps_every_digit(
    seconds: float, parse: Parse, written: Written, make: Callable[..., Interaction]
) -> None:
    from dataclasses import replace

    tape = [replace(make(), started=seconds)]
    assert parse(written(tape)) == tape


GOOD = """durable-replay cassette text 1 exact

#1 GET https://api.test/
at 2026-03-01T10:00:00.25Z
took 0.5
> Accept: */*
< 200 OK
> X: 1
"""


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "first line"),
        ("hello", 1, "first line"),
        ("durable-replay cassette text 1 exact\r\n", 1, "CR LF"),
        ("durable-replay cassette text 1 review\n", 1, "--review"),
        ("durable-replay cassette text 2 exact\n", 1, "another version .* upgrade with `pip install"),
        (b"durable-replay cassette text 1 exact\n\xff", 2, "UTF-8"),
        (GOOD, 8, "no meaning"),
        (GOOD.replace("#1", "1"), 3, "number"),
        (GOOD.replace("https", "gopher"), 3, "METHOD"),
        (GOOD.replace("2026-03-01", "yesterday"), 4, "'at'"),
        (GOOD.replace("took 0.5\n", ""), 5, "'took"),
        (GOOD.replace("> Accept: */*", "> Accept"), 6, "Name: value"),
        (GOOD.replace("*/*", "\\q"), 6, "backslash"),
        (GOOD.replace("< 200", "< two"), 7, "response begins"),
        (GOOD.replace("> X: 1", "body yaml\n| a"), 8, "no form"),
        (GOOD.replace("> X: 1", "body base64\n| AAAA\n| ?"), 10, "base64"),
        (GOOD.replace("> X: 1", "body text\n|a"), 9, "'| '"),
        (GOOD.replace("> X: 1", "-> shout 0.5"), 8, "message"),
    ],
)
def test_what_is_no_text_form_is_refused_by_file_and_line(
    text: str | bytes, line: int, told: str, parse: Parse
) -> None:
    with pytest.raises(CassetteError, match=rf"review\.txt, line {line}: .*{told}"):
        parse(text)


def test_an_edited_body_needs_no_count_or_sum_to_be_mended(
    parse: Parse, written: Written, make: Callable[..., Interaction]
) -> None:
    text = written([make(body=b'{"answer":42}')])
    (read,) = parse(text.replace("42", "43"))
    assert read.response.body.read() == b'{"answer":43}'


@given(noise=st.text(string.printable, max_size=80), at=st.integers(0, 200))
@example(noise="\n\n\n", at=60)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_a_broken_text_raises_cassette_error_alone(noise: str, at: int, parse: Parse) -> None:
    good = GOOD.replace("> X: 1", "body json\n| {}")
    try:
        parse(good[:at] + noise + good[at:])
    except CassetteError as error:
        assert "review.txt, line " in str(error)


def test_a_compressed_body_is_kept_as_its_bytes(
    parse: Parse, written: Written, make: Callable[..., Interaction]
) -> None:
    from dataclasses import replace

    packed = gzip.compress(b'{"a":1}', mtime=0)
    response = Response(200, Headers([("Content-Encoding", "gzip")]), BytesBody(packed))
    tape = [replace(make(), response=response)]
    assert "body base64" in written(tape)
    assert parse(written(tape)) == tape
