from __future__ import annotations

import gzip

import pytest

from durable_replay.errors import LimitExceeded
from durable_replay.http import Body, BytesBody, Headers
from durable_replay.redaction.bodies import WHOLE
from durable_replay.redaction.redact import Redactor

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
