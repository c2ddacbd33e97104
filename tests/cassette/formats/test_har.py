"""HAR: text, base64, form fields, aborted requests, WebSocket messages, and what browsers write into headers."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.formats.har import Har
from durable_replay.cassette.formats.source import Source
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]
Json = dict[str, object]


def har(*entries: Json, version: str = "1.2") -> Json:
    return {"log": {"version": version, "creator": {"name": "test", "version": "1"}, "entries": list(entries)}}


def entry(content: Json | None = None, request: Json | None = None, response: Json | None = None) -> Json:
    """A GET with an answer of these contents."""
    return {
        "startedDateTime": "2026-01-02T03:04:05.500Z",
        "time": 250,
        "request": {"method": "GET", "url": "https://api.test/a?b=1", "httpVersion": "HTTP/1.1", "headers": []}
        | (request or {}),
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": []}
        | {"content": content if content is not None else {"mimeType": "text/plain", "text": "hello"}}
        | (response or {}),
    }


def test_an_entry_becomes_an_interaction_with_its_times(imports: Imports) -> None:
    (found,) = imports("a.har", har(entry()))
    assert (found.request.url, found.response.status, found.response.reason) == ("https://api.test/a?b=1", 200, "OK")
    assert found.response.body.read() == b"hello"
    assert (found.started, found.duration) == (1767323045.5, 0.25)


def test_a_base64_body_is_its_bytes(imports: Imports) -> None:
    data = bytes(range(256))
    text = base64.b64encode(data).decode()
    (found,) = imports("a.har", har(entry({"mimeType": "image/png", "text": text, "encoding": "base64"})))
    assert found.response.body.read() == data


def test_text_goes_back_into_the_charset_of_its_type(imports: Imports) -> None:
    (found,) = imports("a.har", har(entry({"mimeType": "text/html; charset=ISO-8859-1", "text": "é"})))
    assert found.response.body.read() == b"\xe9"


def test_pollys_hex_chunks_stay_encoded_under_their_header(imports: Imports) -> None:
    packed = gzip.compress(b"hello", mtime=0)
    content = {"mimeType": "text/plain", "text": json.dumps([packed[:9].hex(), packed[9:].hex()]), "_isBinary": True}
    headers = [{"name": "content-encoding", "value": "gzip"}]
    (found,) = imports("a.har", har(entry(content, response={"headers": headers})))
    assert found.response.headers.get("content-encoding") == "gzip"
    assert gzip.decompress(found.response.body.read()) == b"hello"


def test_form_fields_without_a_text_are_written_out(imports: Imports) -> None:
    posted = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "c&d"}]}
    (found,) = imports("a.har", har(entry(request={"method": "POST", "postData": posted})))
    assert found.request.body.read() == b"a+b=c%26d"
    assert "form fields" in found.note


def test_a_request_that_got_no_answer_is_kept_as_aborted(imports: Imports) -> None:
    (found,) = imports("a.har", har(entry(response={"status": 0, "statusText": ""})))
    assert (found.outcome, found.response.status) == ("aborted", 0)


def test_pseudo_headers_go_and_joined_cookies_part(imports: Imports) -> None:
    headers = [{"name": ":status", "value": "200"}, {"name": "set-cookie", "value": "a=1\nb=2; Path=/"}]
    (found,) = imports("a.har", har(entry(response={"headers": headers, "httpVersion": "h2", "statusText": ""})))
    assert list(found.response.headers) == [("set-cookie", "a=1"), ("set-cookie", "b=2; Path=/")]
    assert (found.http_version, found.response.reason) == ("HTTP/2", "")


def test_chromiums_websocket_messages_become_frames(imports: Imports) -> None:
    messages = [
        {"type": "send", "time": 1767323046.0, "opcode": 1, "data": "hi"},
        {"type": "receive", "time": 1767323046.5, "opcode": 2, "data": base64.b64encode(b"\0\1").decode()},
    ]
    record = entry(request={"url": "wss://api.test/live"}, response={"status": 101}) | {"_webSocketMessages": messages}
    (found,) = imports("a.har", har(record))
    assert found.request.scheme == "wss"
    assert [(frame.from_client, frame.kind, frame.data, frame.at) for frame in found.frames] == [
        (True, "text", b"hi", 0.5),
        (False, "binary", b"\0\1", 1.0),
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (har(entry(), version="2.0"), "version '2.0'"),
        (har(entry(), {"response": {}}), "entry 2, line 1: it has no 'request'"),
        (har(entry(request={"url": "ftp://x/y"})), "no absolute URL"),
        (har(entry({"text": "%%%", "encoding": "base64"})), "no base64"),
        (har(entry(response={"status": "many"})), "not a whole number"),
        ({"log": {"version": "1.2", "creator": {}}}, "has no 'entries'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(imports: Imports, document: Json, told: str) -> None:
    with pytest.raises(CassetteError) as caught:
        imports("a.har", document)
    assert told in str(caught.value)
    assert "a.har" in str(caught.value)


def test_a_file_cut_off_names_the_line(imports: Imports) -> None:
    with pytest.raises(CassetteError, match=r"a\.har, line 2: this is no JSON"):
        imports("a.har", '{"log": {"creator": {}, "entries": [\n{"request": ')


fields = st.lists(
    st.tuples(
        st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,9}", fullmatch=True).map(lambda name: f"X-{name}"),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
    ),
    min_size=1,
    max_size=4,
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    target=st.from_regex(r"/[a-z0-9/%._~-]{0,20}(\?[a-z0-9=&%]{1,20})?", fullmatch=True),
    headers=fields,
    body=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    answer=st.binary(min_size=1),
)
def test_what_a_har_can_say_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: str,
    answer: bytes,
) -> None:
    listed = [{"name": name, "value": value} for name, value in headers]
    document = har(
        entry(
            {"text": base64.b64encode(answer).decode(), "encoding": "base64"},
            {"method": method, "url": f"https://api.test{target}", "headers": listed, "postData": {"text": body}},
            {"headers": listed},
        )
    )
    path = Path(tmp_path_factory.getbasetemp()) / "property.har"
    path.write_text(json.dumps(document), "utf-8")
    (found,) = [imported.interaction for imported in Har().read(Source(path))]
    assert (found.request.method, found.request.target) == (method, target)
    assert list(found.request.headers) == headers
    assert list(found.response.headers) == headers
    assert found.request.body.read() == body.encode()
    assert found.response.body.read() == answer
