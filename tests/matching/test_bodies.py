"""Bodies by kind: what may change without changing the request, and what may not."""

from __future__ import annotations

import gzip
import json
import random
import urllib.parse
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import Request
from durable_replay.matching.bodies import CanonicalBody
from durable_replay.matching.canonical import canonical
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.pattern import Significance, body, method
from durable_replay.matching.pattern import content as exact_content

Ask = Callable[..., Request]
KEYS = st.text(max_size=6).map(lambda text: "k" + text)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
PAIRS = st.lists(st.tuples(KEYS, st.text(max_size=8)), min_size=1, max_size=5, unique_by=lambda pair: pair[0])
JSON, FORM, XML = "application/json", "application/x-www-form-urlencoded", "application/xml"


def content(request: Request, same: Significance = DEFAULT) -> CanonicalBody:
    return canonical(request, same).body


def shuffled(value: object, order: random.Random) -> object:
    if isinstance(value, dict):
        items = [(key, shuffled(child, order)) for key, child in value.items()]
        order.shuffle(items)
        return dict(items)
    return [shuffled(child, order) for child in value] if isinstance(value, list) else value


@given(VALUES, st.randoms(use_true_random=False), st.sampled_from([None, 1, 4]), st.booleans())
def test_key_order_whitespace_and_escapes_of_json_do_not_count(
    ask: Ask, value: object, order: random.Random, indent: int | None, ascii_only: bool
) -> None:
    one = json.dumps(value).encode()
    other = json.dumps(shuffled(value, order), indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    first = content(ask("POST", "/", one, JSON))
    assert first == content(ask("POST", "/", other, "application/vnd.api+json; charset=utf-8"))
    assert first.kind == "json"


@given(VALUES, VALUES)
def test_every_json_value_counts(ask: Ask, one: object, other: object) -> None:
    texts = [json.dumps({"a": value}, sort_keys=True) for value in (one, other)]
    bodies = [content(ask("POST", "/", text.encode(), JSON)) for text in texts]
    assert (bodies[0] == bodies[1]) == (texts[0] == texts[1])


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b"{", b'{"a":NaN}', b'{"a":1e999}', b"\xff\xfe\xfd", b"[" * 100_000]
)
def test_json_without_a_canonical_form_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    assert content(ask("POST", "/", data, JSON)).kind == "bytes"
    assert content(ask("POST", "/", data, JSON)) != content(ask("POST", "/", data + b" ", JSON))


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_a_form_does_not_count_and_its_values_do(
    ask: Ask, pairs: list[tuple[str, str]], order: random.Random
) -> None:
    other = list(pairs)
    order.shuffle(other)
    changed = [(pairs[0][0], pairs[0][1] + "x"), *pairs[1:]]
    one, two, three = (
        content(ask("POST", "/", urllib.parse.urlencode(form).encode(), FORM)) for form in (pairs, other, changed)
    )
    assert one == two
    assert one != three


@given(st.sampled_from(["", " ", "\n  ", "\t\r\n"]), st.sampled_from(["", "\n"]), st.sampled_from(["x", "y", " x"]))
def test_whitespace_between_xml_elements_does_not_count_and_text_does(
    ask: Ask, space: str, end: str, text: str
) -> None:
    plain = b'<a xmlns="urn:x"><b i="1" j="2">x</b><c></c></a>'
    spaced = f'<a xmlns="urn:x">{space}<!-- c --><b j="2"  i="1">{text}</b>{space}<c/>{space}</a>{end}'.encode()
    one, other = content(ask("PUT", "/", plain, XML)), content(ask("PUT", "/", spaced))
    assert one.kind == other.kind == "xml"
    assert (one == other) == (text == "x")


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e "x"><!ENTITY f "&e;&e;&e;&e;">]><a b="&f;">&f;</a>',
        b"<a><b></a>",
        b"<a>&nbsp;</a>",
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<",
    ],
)
def test_xml_with_entities_or_without_sense_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    assert content(ask("PUT", "/", data, XML)).kind == "bytes"


def multipart(boundary: str, parts: list[tuple[str, str, bytes]]) -> bytes:
    head = '--{}\r\nContent-Disposition: form-data; name="{}"; filename="f"\r\nContent-Type: {}\r\n\r\n'
    lines = [head.format(boundary, name, kind).encode() + data + b"\r\n" for name, kind, data in parts]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


@given(
    st.text(st.sampled_from("abcXYZ019"), min_size=8, max_size=30),
    st.binary(max_size=50).filter(lambda data: b"--" not in data),
    st.booleans(),
)
def test_the_boundary_and_order_of_a_multipart_body_do_not_count_and_its_parts_do(
    ask: Ask, boundary: str, data: bytes, turned: bool
) -> None:
    def made(edge: str, parts: list[tuple[str, str, bytes]]) -> CanonicalBody:
        return content(ask("POST", "/", multipart(edge, parts), f"multipart/form-data; boundary={edge}"))

    parts = [("file", "image/png", data), ("payload_json", JSON, b'{"a": 1, "b": 2}')]
    same = [("file", "image/png", data), ("payload_json", JSON, b'{"b":2,"a":1}')]
    one = made("edge-0123", parts)
    assert one.kind == "multipart"
    assert one == made(boundary, same[::-1] if turned else same)
    assert one != made(boundary, [("file", "image/png", data + b"!"), parts[1]])
    assert one != made(boundary, [("other", "image/png", data), parts[1]])


def test_a_large_multipart_body_counts_by_its_parts_as_a_small_one_does(ask: Ask) -> None:
    large = bytes(range(256)) * 6000

    def made(edge: str, *parts: tuple[str, str, bytes]) -> CanonicalBody:
        return content(ask("POST", "/", multipart(edge, list(parts)), f"multipart/form-data; boundary={edge}"))

    file, text = ("file", "image/png", large), ("payload_json", JSON, b'{"a": 1, "b": 2}')
    one = made("edge-0123", file, text)
    assert one.kind == "multipart"
    assert one == made("another", ("payload_json", JSON, b'{"b":2,"a":1}'), file)
    assert one != made("edge-0123", ("file", "image/png", large + b"!"), text)
    assert one != made("edge-0123", file, ("payload_json", JSON, b'{"a": 1, "b": 3}'))
    half = large[: len(large) // 2]
    twice = [("file", "image/png", half), ("file", "image/png", half[:-9])]  # each is small enough to be parsed
    assert made("e", *twice) == made("edge-0123", *twice) != made("e", *twice[::-1])


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_small_and_a_large_body_have_the_same_canonical_form(
    ask: Ask, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask("POST", "/", form("edge", file="x" * size, policy="p"), "multipart/form-data; boundary=edge")
    as_it_is = content(request)
    monkeypatch.setattr("durable_replay.matching.bodies.PARSED", 4_000_000 if size > 10 else 50)
    assert (content(request).kind, as_it_is.kind) == ("multipart", "multipart")
    assert isinstance(as_it_is.value, dict)
    assert as_it_is.value.keys() == {"file", "policy"}
    if size == 10:
        assert content(request) == as_it_is


@pytest.mark.parametrize("data", [b"--b\r\n\r\n", b"no boundary at all"])
def test_a_large_body_that_is_no_multipart_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    request = ask("POST", "/", data + b"x" * 2_000_000, "multipart/form-data; boundary=b")
    assert content(request).kind == "bytes"


def test_a_large_multipart_body_counts_byte_for_byte_where_content_does(ask: Ask) -> None:
    bodies = [form(edge, file="x" * 2_000_000) for edge in ("a", "b")]
    asked = [ask("POST", "/", data, "multipart/form-data; boundary=a") for data in bodies]
    one, other = (content(request, DEFAULT & exact_content) for request in asked)
    assert one != other


def form(boundary: str, **fields: str) -> bytes:
    head = '--{}\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    parts = [head.format(boundary, name.replace("_", "-"), value) for name, value in fields.items()]
    return "".join([*parts, f"--{boundary}--\r\n"]).encode()


V4 = {"x_amz_algorithm": "A", "X_Amz_Credential": "C/20260101", "x_amz_date": "2026", "x_amz_signature": "S"}
V2 = {"AWSAccessKeyId": "A", "signature": "S"}
GOOGLE = {"x_goog_algorithm": "A", "x_goog_credential": "C", "x_goog_date": "2026", "x_goog_signature": "S"}


@pytest.mark.parametrize("signed", [V4, {**V4, "x_amz_security_token": "T"}, V2, GOOGLE], ids=str)
def test_what_signs_an_upload_by_a_policy_does_not_count_and_the_rest_of_its_form_does(
    ask: Ask, signed: dict[str, str]
) -> None:
    def made(edge: str, **fields: str) -> CanonicalBody:
        return content(ask("POST", "/", form(edge, **fields), f"multipart/form-data; boundary={edge}"))

    first = made("edge-1", key="a.txt", policy="P1", **signed, file="meow")
    again = {name: f"{value}-2" for name, value in signed.items()}
    assert first.kind == "multipart"
    assert first == made("edge-2", key="a.txt", Policy="P2", **again, file="meow")
    assert first != made("edge-2", key="b.txt", policy="P2", **again, file="meow")
    assert first != made("edge-2", key="a.txt", policy="P2", **again, file="purr")


def test_fields_of_these_names_count_in_any_other_form(ask: Ask) -> None:
    def made(**fields: str) -> CanonicalBody:
        return content(ask("POST", "/", form("edge", **fields), "multipart/form-data; boundary=edge"))

    for plain in (
        {"policy": "home"},
        {"signature": "Ann"},
        {"policy": "home", "signature": "Ann"},
        {"x_amz_date": "1"},
    ):
        assert made(**plain) != made(**{name: value + "!" for name, value in plain.items()})


@pytest.mark.parametrize(
    "data",
    [b"no boundary at all", b"--b\r\n\r\n" * 5000, b"--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--b--"],
)
def test_multipart_that_is_none_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    assert content(ask("POST", "/", data, "multipart/form-data; boundary=b")).kind == "bytes"


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
    ],
)
def test_compression_of_a_body_does_not_count(ask: Ask, coding: str, pack: Callable[[bytes], bytes]) -> None:
    data = b'{"a": 1}'
    packed = ask("POST", "/", pack(data), JSON, [("Content-Encoding", coding)])
    assert content(packed) == content(ask("POST", "/", data, JSON))


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"0" * 50_000_000, 1, mtime=0), b"no gzip", gzip.compress(b"{}", mtime=0)[:-4]],
    ids=["a bomb", "no gzip", "cut short"],
)
def test_a_bomb_or_damaged_compression_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    assert content(ask("POST", "/", data, JSON, [("Content-Encoding", "gzip")])).kind == "bytes"


def aws_chunked(data: bytes, signature: str, piece: int) -> bytes:
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    chunks = [f"{len(part):x};chunk-signature={signature}\r\n".encode() + part + b"\r\n" for part in pieces]
    return b"".join(chunks) + f"0;chunk-signature={signature}\r\nx-amz-checksum-crc32:{signature}\r\n\r\n".encode()


@pytest.mark.parametrize("size", [10, 100_000, 1_500_000])
def test_chunk_signatures_of_a_signed_upload_do_not_count(ask: Ask, size: int) -> None:
    data = random.Random(7).randbytes(size)
    signed = [
        ask("PUT", "/b/k", aws_chunked(data, name, piece), "", [("Content-Encoding", "aws-chunked")])
        for name, piece in (("aaaa", 65536), ("bbbb", 8192))
    ]
    named = ask(
        "PUT", "/b/k", signed[0].body.read(), "", [("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]
    )
    plain = ask("PUT", "/b/k", data)
    assert content(signed[0]) == content(signed[1]) == content(named) == content(plain)


@pytest.mark.parametrize("data", [b"5\r\nab", b"zz\r\n", b"2\r\nabc\r\n0\r\n\r\n", b"", b"x" * 2_000_000, b"\r\n"])
def test_broken_chunk_framing_counts_as_its_bytes(ask: Ask, data: bytes) -> None:
    request = ask("PUT", "/b/k", data, "", [("Content-Encoding", "aws-chunked")])
    assert content(request) == content(ask("PUT", "/b/k", data))


def test_body_paths_count_or_do_not(ask: Ask) -> None:
    def made(value: object, same: Significance) -> CanonicalBody:
        return content(ask("POST", "/", json.dumps(value).encode(), JSON), same)

    without = DEFAULT & ~body("$.meta.requestId")
    assert made({"a": 1, "meta": {"requestId": 1}}, without) == made({"a": 1, "meta": {"requestId": 2}}, without)
    assert made({"a": 1, "meta": {"requestId": 1}}, without) != made({"a": 2, "meta": {"requestId": 1}}, without)
    only = method & body("$.a")
    assert made({"a": 1, "b": 1}, only) == made({"a": 1, "b": 2}, only) != made({"a": 2, "b": 1}, only)


def test_body_paths_reach_into_forms(ask: Ask) -> None:
    same = DEFAULT & ~body("$.nonce")
    one, other = (content(ask("POST", "/", f"a=1&nonce={n}".encode(), FORM), same) for n in (1, 2))
    assert one == other


def test_a_login_with_another_password_is_the_same_request(ask: Ask) -> None:
    for kind, form in [
        (FORM, "user=u&password=%s"),
        (JSON, '{"user":"u","password":"%s"}'),
        (XML, "<l><password>%s</password></l>"),
    ]:
        one, other = (content(ask("POST", "/", (form % word).encode(), kind)) for word in ("a", "b"))
        assert one == other


def test_text_is_masked_and_otherwise_counts_as_it_is(ask: Ask) -> None:
    one = canonical(ask("POST", "/", b"key live", "text/plain"), DEFAULT, mask=lambda text: text.replace("live", "[x]"))
    assert one.body == content(ask("POST", "/", b"key [x]", "text/plain; charset=utf-8"))
    assert one.body != content(ask("POST", "/", b"key [x] ", "text/plain"))


def test_xml_is_masked_in_text_and_attributes(ask: Ask) -> None:
    live = ask("POST", "/", b'<a k="live"><b>live</b></a>', XML)
    assert canonical(live, DEFAULT, mask=lambda text: text.replace("live", "[x]")).body == content(
        ask("POST", "/", b'<a k="[x]"><b>[x]</b></a>', XML)
    )


def test_json_is_known_without_its_type(ask: Ask) -> None:
    assert content(ask("POST", "/", b'{"a": 1}')).kind == "json"
    assert content(ask("POST", "/", b'{"a": 1}', FORM)) == content(ask("POST", "/", b'{"a":1}', JSON))


@given(
    st.binary(min_size=1, max_size=80),
    st.sampled_from(
        [JSON, FORM, XML, "text/plain; charset=utf-16", "multipart/form-data; boundary=b", "multipart/x; boundary=", ""]
    ),
    st.sampled_from(["", "gzip", "deflate", "br", "aws-chunked", "gzip, aws-chunked"]),
    st.sampled_from([b"", b"--b\r\n\r\n", b"<a>", b'{"a":', b"4\r\n"]),
)
def test_no_bytes_of_a_client_raise(ask: Ask, data: bytes, kind: str, coding: str, start: bytes) -> None:
    request = ask("POST", "/", start + data, kind, [("Content-Encoding", coding)])
    first = canonical(request, DEFAULT, mask=str.upper).body
    assert first.kind
    assert first == canonical(request, DEFAULT, mask=str.upper).body


@pytest.mark.parametrize("size", [0, 2_000_000])
def test_content_counts_byte_for_byte_but_for_chunk_signatures(ask: Ask, size: int) -> None:
    same = DEFAULT & exact_content
    pad = b" " * size
    plain = content(ask("PUT", "/b/k", b'{"password": 1}' + pad, JSON), same)
    assert plain.kind == "bytes"
    assert plain != content(ask("PUT", "/b/k", b'{"password":1}' + pad, JSON), same)
    assert plain != content(ask("PUT", "/b/k", b'{"password": 2}' + pad, JSON), same)
    framed = aws_chunked(b'{"password": 1}' + pad, "aaaa", 65536)
    assert plain == content(ask("PUT", "/b/k", framed, JSON, [("Content-Encoding", "aws-chunked")]), same)


def test_content_is_masked_too(ask: Ask) -> None:
    same = DEFAULT & exact_content
    live = canonical(ask("PUT", "/b/k", b"\xff live"), same, mask=lambda text: text.replace("live", "[x]"))
    assert live.body == content(ask("PUT", "/b/k", b"\xff [x]"), same)
