from __future__ import annotations

import base64
import gzip
import re
from urllib.parse import quote, unquote_to_bytes

import pytest

from durable_replay.errors import LimitExceeded
from durable_replay.http import Body, BytesBody, Headers
from durable_replay.redaction.bodies import WHOLE
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.window import MOST, Window

SECRET = b"s3cr3t-Va1ue-0042"
KEY_ID = b"AKIAIOSFODNN7EXAMPLE"


class Memory:
    """A body store that keeps what it is given."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def finish(self) -> Body:
        return BytesBody(bytes(self.data))

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("step", [65_536, 1_000_003])
def test_a_large_body_goes_through_a_window_wherever_its_pieces_are_cut(redactor: Redactor, step: int) -> None:
    filler = b"some text, nothing else. " * 4000
    field = b'"password": "' + SECRET + b'",'
    data = (filler + field + filler + KEY_ID + b" ") * 50
    sink = redactor.body(Headers([("Content-Type", "application/json"), ("Content-Length", "1")]), Memory)
    for at in range(0, len(data), step):
        sink.write(data[at : at + step])
    redacted = sink.finish()
    shown = redacted.body.read()
    assert len(data) > WHOLE and SECRET not in shown and KEY_ID not in shown
    assert shown.count(b'"password": "secret-') == 50 and shown.count(b"AKIAREDACTED") == 50
    assert shown.count(filler) == 100 and redacted.headers.get("content-length") == str(len(shown))


def test_a_large_body_without_secrets_is_stored_as_the_wire_had_it(redactor: Redactor) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(1_500_000))
    packed = gzip.compress(lines, 0)
    stores: list[Memory] = []
    headers = Headers([("Content-Encoding", "gzip"), ("Content-Type", "text/plain"), ("ETag", "x")])

    def store() -> Memory:
        stores.append(Memory())
        return stores[-1]

    sink = redactor.body(headers, store)
    sink.write(packed)
    redacted = sink.finish()
    assert redacted.body.read() == packed and redacted.headers == headers and redacted.note == ""
    assert [store.aborted for store in stores] == [False, True]


def test_a_large_compressed_body_is_searched_behind_its_coding(redactor: Redactor) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(1_500_000)) + KEY_ID + b"\n"
    sink = redactor.body(Headers([("Content-Encoding", "gzip"), ("Content-Type", "text/plain")]), Memory)
    sink.write(gzip.compress(lines, 1))
    plain = gzip.decompress(sink.finish().body.read())
    assert KEY_ID not in plain and len(plain) == len(lines)


def test_a_large_body_needs_a_store(redactor: Redactor) -> None:
    sink = redactor.body(Headers())
    with pytest.raises(LimitExceeded, match="store"):
        sink.write(b"x" * (WHOLE + 1))


def test_a_gzip_bomb_is_unpacked_in_bounded_pieces(redactor: Redactor) -> None:
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    sink = redactor.body(Headers([("Content-Encoding", "gzip")]), Memory)
    sink.write(bomb)
    assert sink.finish().body.read() == bomb


@pytest.mark.parametrize("step", [65_536, 1_000_003])
def test_named_pairs_of_a_large_form_are_replaced(redactor: Redactor, step: int) -> None:
    filler = b"&comment=" + b"x" * 70_000
    data = b"password=" + SECRET + b"".join([filler + b"&client_secret=" + SECRET] * 150) + b"&mytoken=kept"
    sink = redactor.body(Headers([("Content-Type", "application/x-www-form-urlencoded")]), Memory)
    for at in range(0, len(data), step):
        sink.write(data[at : at + step])
    shown = sink.finish().body.read()
    assert len(data) > WHOLE and SECRET not in shown and shown.startswith(b"password=secret-")
    assert shown.count(b"&client_secret=secret-") == 150 and shown.count(filler) == 150
    assert shown.endswith(b"&mytoken=kept")


@pytest.mark.parametrize("step", [65_536, 1_000_003])
def test_named_parts_of_a_large_multipart_form_are_replaced(redactor: Redactor, step: int) -> None:
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="token"\r\n\r\n' + b"y" * 90_000 + b"\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="password"\r\nX: y\r\n\r\n' + SECRET + b"\r\n"
    data = (part + file) * 100 + b"--b--\r\n"
    sink = redactor.body(Headers([("Content-Type", "multipart/form-data; boundary=b")]), Memory)
    for at in range(0, len(data), step):
        sink.write(data[at : at + step])
    shown = sink.finish().body.read()
    assert len(data) > WHOLE and SECRET not in shown and shown.count(file) == 100
    assert shown.count(b'name="password"\r\nX: y\r\n\r\nsecret-') == 100


@pytest.mark.parametrize("step", [65_536, 1_000_003])
@pytest.mark.parametrize("size", [100, 20_000, 150_000])
def test_what_stands_encoded_in_a_large_body_is_replaced(redactor: Redactor, step: int, size: int) -> None:
    filler = b"some text, nothing else. " * 3000
    inside = b"first words, then " + KEY_ID + b" and " + b"more words " * (size // 11)
    encoded = base64.b64encode(inside)
    escaped = quote(inside.decode() + "?").encode()
    part = filler + b'{"data": "' + encoded + b'", "url": "/x?u=' + escaped + b'"}'
    data = part * (WHOLE // len(part) + 1)
    sink = redactor.body(Headers([("Content-Type", "text/plain")]), Memory)
    for at in range(0, len(data), step):
        sink.write(data[at : at + step])
    shown = sink.finish().body.read()
    kinds = re.fullmatch(rb"(?:%s\{\"data\": \"([^\"]+)\", \"url\": \"/x\?u=([^\"]+)\"\})+" % re.escape(filler), shown)
    assert len(data) > WHOLE and kinds is not None and encoded not in shown and escaped not in shown
    for text in (base64.b64decode(kinds[1]), unquote_to_bytes(kinds[2])):
        assert KEY_ID not in text and b"AKIAREDACTED" in text and text.count(b"more words ") == size // 11


def test_a_password_after_basic_in_a_large_body_is_replaced(redactor: Redactor) -> None:
    filler = b"x " * 50_000
    data = (filler + b"Authorization: Basic " + base64.b64encode(b"a-user-of-ours:" + SECRET) + b"\n") * 90
    sink = redactor.body(Headers([("Content-Type", "text/plain")]), Memory)
    for at in range(0, len(data), 50_000):
        sink.write(data[at : at + 50_000])
    shown = sink.finish().body.read()
    (given,) = set(re.findall(rb"Basic ([^\n]+)\n", shown))
    assert len(data) > WHOLE and base64.b64decode(given).startswith(b"a-user-of-ours:secret-")


def test_a_run_without_end_is_held_back_in_bounded_memory(redactor: Redactor) -> None:
    window = Window(redactor._search.windowed("text"))
    out, held = 0, 0
    for _ in range(60):
        out += len(window.feed(b"QUJDRUZH" * 8192))
        held = max(held, len(window._held))
    assert held <= MOST + 65_536 and out + len(window.end()) == 60 * 65_536
