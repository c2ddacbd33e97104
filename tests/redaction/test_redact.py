from __future__ import annotations

import base64
import gzip
import json
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response
from durable_replay.redaction.redact import Masker, Redactor
from durable_replay.redaction.window import Window

SECRET = "s3cr3t-Va1ue-0042"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW"
UUID = "12345678-1234-1234-1234-123456789abc"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


HEADERS = [
    ("Authorization", f"Bearer {SECRET}"),
    ("Authorization", f"Bot {SECRET}"),
    ("Authorization", SECRET),
    ("Authorization", basic("joe@example.com", SECRET)),
    ("Authorization", basic("", SECRET)),
    ("Authorization", basic(SECRET, "")),
    ("Authorization", f"AWS {KEY_ID}:{SECRET}"),
    ("Authorization", f'OAuth realm="a", oauth_token="{SECRET}", oauth_version="1.0"'),
    ("Authorization", f"PVEAPIToken=root@pam!ci={UUID}"),
    ("Proxy-Authorization", f"Bearer {SECRET}"),
    ("X-Amz-Security-Token", SECRET),
    ("X-SFDC-Session", SECRET),
    ("PRIVATE-TOKEN", SECRET),
    ("CSRFPreventionToken", f"4EEC61E2:{SECRET}"),
    ("Cookie", f"theme=; JSESSIONID={SECRET}; other=1"),
    ("Set-Cookie", f"JSESSIONID={SECRET}; Path=/; HttpOnly"),
    ("Location", f"https://bucket.example/x?X-Amz-Credential={KEY_ID}%2F20240101%2Fus-east-1%2Fs3%2Faws4_request"),
    ("X-Anything", f"see https://joe:{SECRET}@host/ and {KEY_ID} and {JWT}"),
]
VALUES = (SECRET, KEY_ID, JWT, UUID, base64.b64encode(SECRET.encode()).decode())


def shows(text: str) -> bool:
    return any(value in text for value in VALUES)


@pytest.mark.parametrize(("name", "value"), HEADERS, ids=lambda text: str(text)[:24])
def test_a_credential_in_a_header_is_replaced_and_matches_again_when_masked(
    redactor: Redactor, name: str, value: str
) -> None:
    recorded = redactor.headers(Headers([(name, value)]))
    assert not shows(str(recorded))
    assert Masker().headers(recorded) == Masker().headers(Headers([(name, value)]))


def test_a_basic_credential_keeps_its_user_and_still_decodes(redactor: Redactor) -> None:
    value = redactor.headers(Headers([("Authorization", basic("joe", SECRET))])).get("authorization")
    user, _, password = base64.b64decode(value.removeprefix("Basic ")).decode().partition(":")
    token = redactor.headers(Headers([("Authorization", f"Bearer {SECRET}")])).get("authorization")
    assert user == "joe" and token == f"Bearer {password}"


def test_sigv4_keeps_its_structure(redactor: Redactor) -> None:
    scope = "20240101/us-east-1/s3/aws4_request"
    value = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope},SignedHeaders=host;x-amz-date,Signature={'ab' * 32}"
    shown = redactor.headers(Headers([("Authorization", value)])).get("authorization")
    assert shown.startswith("AWS4-HMAC-SHA256 Credential=AKIA") and "ab" * 32 not in shown and KEY_ID not in shown
    assert f"/{scope},SignedHeaders=host;x-amz-date,Signature=secret-" in shown


def test_a_cookies_attributes_and_empty_values_stay(redactor: Redactor) -> None:
    shown = redactor.headers(Headers([("Set-Cookie", f"sid={SECRET}; Path=/; Max-Age=60"), ("Cookie", "gone=; a=b")]))
    assert shown.get("set-cookie").endswith("; Path=/; Max-Age=60") and shown.get("cookie").startswith(
        "gone=; a=secret-"
    )


@pytest.mark.parametrize(
    "name", ["access_token", "api_key", "token", "X-Amz-Signature", "X-Amz-Security-Token", "Signature", "sig"]
)
def test_a_query_parameter_is_replaced_in_its_place(redactor: Redactor, name: str) -> None:
    target = redactor.target(f"/a%20b?x=%2F&{name}={SECRET}&y=1+2&flag")
    assert not shows(target)
    assert target.startswith(f"/a%20b?x=%2F&{name}=secret-") and target.endswith("&y=1+2&flag")


def test_a_key_parameter_is_a_secret_only_when_it_is_as_long_as_one(redactor: Redactor) -> None:
    assert redactor.target("/user?key=JIRAUSER10000") == "/user?key=JIRAUSER10000"
    assert "Abcdef" not in redactor.target("/videos?part=id&key=AbcdefAbcdefAbcdefAbcdefAbcdefAbc")


BODIES = [
    ("application/json", f'{{"user": "joe", "password":"{SECRET}", "n": 1.50}}'),
    ("application/json", f'{{"nested": [{{"client_secret" : "{SECRET}"}}], "é": "\\u00e9"}}'),
    ("application/json", json.dumps({"inner": json.dumps({"refresh_token": SECRET})})),
    ("application/x-www-form-urlencoded", f"grant_type=password&username=joe&password={SECRET}"),
    ("text/xml", f"<a xmlns:s='x'><s:sessionId>{SECRET}</s:sessionId><x/></a>"),
    ("text/xml", f"<member><name>password</name><value><string>{SECRET}</string></value></member>"),
    (
        "multipart/form-data; boundary=b",
        f'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n{SECRET}\r\n--b--\r\n',
    ),
    ("text/event-stream", f'data: {{"token": "{SECRET}"}}\n\n'),
    ("text/plain", f"log in at https://joe:{SECRET}@example.com with {KEY_ID}"),
    (
        "text/xml",
        "<methodCall><methodName>one.vm.info</methodName><params><param><value><string>oneadmin:"
        f"{SECRET}</string></value></param></params></methodCall>",
    ),
    ("application/octet-stream", f"\0\1\2{JWT}\0"),
]


@pytest.mark.parametrize(("content_type", "text"), BODIES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(BODIES)])
def test_a_secret_in_a_body_is_replaced_and_every_other_byte_stays(
    redactor: Redactor, content_type: str, text: str
) -> None:
    data = text.encode()
    headers = Headers([("Content-Type", content_type), ("Content-Length", str(len(data))), ("Content-MD5", "x==")])
    shown = redactor.response(Response(200, headers, BytesBody(data)))
    body = shown.body.read().decode()
    found = next(value for value in (SECRET, JWT) if value in text)
    head, tail = text.split(found)
    assert not shows(body) and body.startswith(head) and body[len(head) :].endswith(tail.replace(KEY_ID, body[-20:]))
    assert shown.headers.get("content-length") == str(shown.body.size) and "content-md5" not in shown.headers


def test_a_body_without_secrets_is_the_same_object_byte_for_byte(redactor: Redactor) -> None:
    body = BytesBody(b'{ "a" : 1.0e3, "key":"P-1" }')
    response = Response(200, Headers([("Content-Type", "application/json"), ("Content-MD5", "x==")]), body)
    assert redactor.response(response) == response and redactor.response(response).body is body


PACKED = {
    "gzip": (gzip.compress, gzip.decompress),
    "deflate": (zlib.compress, zlib.decompress),
    "br": (brotli.compress, brotli.decompress),
    "zstd": (zstandard.compress, lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
}


@pytest.mark.parametrize("coding", PACKED)
def test_a_compressed_body_is_searched_and_stays_under_its_coding(redactor: Redactor, coding: str) -> None:
    pack, unpack = PACKED[coding]
    headers = Headers([("Content-Type", "application/json"), ("Content-Encoding", coding), ("Content-Length", "0")])
    plain = f'{{"token": "{SECRET}"}}'.encode()
    shown = redactor.response(Response(200, headers, BytesBody(pack(plain))))
    text = unpack(shown.body.read()).decode()
    assert text.startswith('{"token": "secret-') and shown.headers.get("content-encoding") == coding
    assert shown.headers.get("content-length") == str(shown.body.size)


def test_a_secret_known_from_a_field_is_replaced_wherever_else_it_stands(redactor: Redactor) -> None:
    secret = "p@ss/w0rd+42"
    login = Request(
        "POST", "https", "h", 443, "/login", Headers([("Content-Type", "application/json")]),
        BytesBody(json.dumps({"password": secret}).encode()),
    )  # fmt: skip
    later = Request("GET", "https", "h", 443, "/echo/p%40ss%2Fw0rd%2B42", Headers([("X-Other", secret)]))
    redactor.interaction(Interaction(login, Response(200)))
    answer = Response(200, body=BytesBody(f"you said {secret}".encode()))
    shown = redactor.interaction(Interaction(later, answer))
    assert "w0rd" not in shown.request.target + str(shown.request.headers) + shown.response.body.read().decode()
    assert shown.request.headers.get("x-other") in shown.response.body.read().decode()


def test_a_plain_word_as_a_secret_does_not_eat_other_words(redactor: Redactor) -> None:
    redactor.headers(Headers([("X-Api-Key", "tractors")]))
    shown = redactor.settle(Interaction(Request("GET", "https", "h", 443, "/contractors/tractors"), Response(200)))
    assert shown.request.target.startswith("/contractors/secret-")


def test_frames_of_a_conversation_are_redacted(redactor: Redactor) -> None:
    identify = Frame(True, "text", f'{{"op":2,"d":{{"token":"{SECRET}","intents":1}}}}'.encode())
    assert redactor.frame(identify).data.startswith(b'{"op":2,"d":{"token":"secret-')
    binary = Frame(True, "binary", b"\0" + JWT.encode() + b"\xff")
    shown = redactor.frame(binary).data
    assert JWT.encode() not in shown and len(shown) == len(binary.data)


def test_a_body_whose_framing_counts_bytes_keeps_its_length(redactor: Redactor) -> None:
    data = f"2d;chunk-signature=ff\r\nxx {JWT} yy\r\n0\r\n\r\n".encode()
    headers = Headers([("Content-Encoding", "aws-chunked")])
    shown = redactor.request(Request("PUT", "https", "h", 443, "/b/k", headers, BytesBody(data)))
    assert shown.body.size == len(data) and JWT.encode() not in shown.body.read()


def test_a_damaged_compressed_body_is_searched_as_it_is(redactor: Redactor) -> None:
    data = gzip.compress(b"x" * 1000)[:20] + KEY_ID.encode()
    shown = redactor.response(Response(200, Headers([("Content-Encoding", "gzip")]), BytesBody(data)))
    assert shown.body.size == len(data) and KEY_ID.encode() not in shown.body.read()


def test_masking_makes_recorded_and_live_text_equal_without_any_key(redactor: Redactor) -> None:
    live = f"/x/{JWT}?a={KEY_ID}"
    assert Masker().text(redactor.target(live)) == Masker().text(live) == redactor.mask(live)
    assert Masker().named("password", "anything") == Masker().named("password", "secret-0123456789abcdef")
    assert Masker().named("title", "anything") == "anything"


@pytest.mark.parametrize("secret", ["h\xe9-l\xf6ng-42x", "\u4f60\u597d-key-42x", "caf\udce9-key-42x"])
def test_a_known_secret_of_other_alphabets_is_found_in_binary_messages_and_large_bodies(
    redactor: Redactor, secret: str
) -> None:
    data = secret.encode("utf-8", "surrogateescape")
    redactor.response(
        Response(200, Headers([("Content-Type", "application/json")]), BytesBody(b'{"token":"%s"}' % data))
    )
    shown = redactor.frame(Frame(True, "binary", b"\0\1" + data + b"\0")).data
    assert data not in shown and len(shown) == len(data) + 3
    unknown = Response(200, Headers([("Content-Encoding", "x-own")]), BytesBody(b"\0" + data))
    assert data not in redactor.response(unknown).body.read()
    window = Window(redactor._search.windowed("text"))
    assert data not in window.feed(b"a line\n" + data) + window.end()


def test_a_binary_message_keeps_its_length_though_its_secret_is_learnt_from_a_later_one(redactor: Redactor) -> None:
    request, response = Request("GET", "wss", "h", 443, "/"), Response(101)
    said = Frame(True, "binary", b"\0\1s3cr3t-Va1ue-0042\0")
    taught = Frame(False, "text", b'{"token":"s3cr3t-Va1ue-0042"}')
    shown = redactor.interaction(Interaction(request, response, frames=(said, taught))).frames[0].data
    assert b"s3cr3t" not in shown and len(shown) == len(said.data)
