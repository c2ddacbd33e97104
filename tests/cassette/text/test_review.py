"""The text for review: the same traffic, recorded at another time, gives the same text; other traffic does not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from durable_replay.cassette.text.review import review_text
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

START = 1_770_000_000.0  # 2026-02-02T02:40:00Z


def reviewed(*tape: Interaction) -> str:
    return "".join(review_text(tape))


def exchange(
    method: str = "GET",
    target: str = "/items",
    body: object = None,
    sent: bytes = b"",
    at: float = START,
    status: int = 200,
    fields: Iterable[tuple[str, str]] = (),
    sending: Iterable[tuple[str, str]] = (),
    took: float = 0.01,
) -> Interaction:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request = Request(method, "https", "api.test", 443, target, Headers(sending), BytesBody(sent))
    response = Response(status, Headers([("Content-Type", "application/json"), *fields]), BytesBody(data), "OK")
    return Interaction(request, response, 1, started=at, duration=took)


def recorded(at: float, secret: str, identity: int, uuid: str) -> list[Interaction]:
    """One run of the same test at some time."""
    from datetime import UTC, datetime

    now = datetime.fromtimestamp(at, UTC)
    told = [
        ("Date", f"{now:%a, %d %b %Y %H:%M:%S} GMT"),
        ("X-Request-Id", uuid),
        ("Content-Length", str(len(uuid) + int(at) % 7)),
        ("ETag", f'W/"{secret}"'),
    ]
    made = {"id": str(identity), "key": f"P-{identity}", "created": now.isoformat(), "took": at % 100, "uuid": uuid}
    cookie = ("Cookie", f"sid=secret-{secret}")
    return [
        exchange("POST", "/items", made, b'{"name":"x"}', at, 201, told, [cookie]),
        exchange("GET", f"/items/{identity}?X-Amz-Date={now:%Y%m%dT%H%M%SZ}", made, b"", at + 1, 200, told, [cookie]),
        exchange("GET", f"/search?since={int(at)}", {"items": [made], "due": "2031-01-01"}, b"", at + 2, fields=told),
    ]


FIRST = recorded(START, "0123456789abcdef", 10001, "5f0c1d1e-9a52-4d1c-8a5c-111111111111")
SECOND = recorded(START + 86400 * 40.5, "fedcba9876543210", 10417, "aaaaaaaa-9a52-4d1c-8a5c-222222222222")


def test_unchanged_traffic_recorded_later_gives_the_same_text() -> None:
    assert reviewed(*FIRST) == reviewed(*SECOND)


@pytest.mark.parametrize("number", range(3))
def test_a_changed_value_changes_the_text(number: int) -> None:
    changed = list(SECOND)
    body = changed[number].response.body.read().replace(b"{", b'{"new": 1, ', 1)
    changed[number] = replace(changed[number], response=replace(changed[number].response, body=BytesBody(body)))
    assert reviewed(*FIRST) != reviewed(*changed)


def test_an_id_stays_the_same_thing_all_over_a_tape() -> None:
    text = reviewed(*FIRST)
    assert '"id": "‹id 1›"' in text
    assert "GET https://api.test/items/‹id 1›?" in text
    other = [*FIRST[:1], exchange("GET", "/items/10002", at=START + 1), *FIRST[2:]]
    assert "GET https://api.test/items/10002\n" in reviewed(*other)


def test_another_secret_than_before_shows() -> None:
    def run(*secrets: str) -> str:
        sent = [("Authorization", f"Bearer secret-{each}") for each in secrets]
        return reviewed(*(exchange(sending=[field], at=START + at) for at, field in enumerate(sent)))

    a, b = "0" * 16, "1" * 16
    assert run(a, a) == run(b, b)
    assert run(a, a) != run(a, b)
    assert "Bearer ‹secret 1›" in run(a)


def test_a_time_that_is_not_the_recordings_own_is_data() -> None:
    text = reviewed(exchange(body={"due": "2031-05-01T10:00:00Z", "now": "2026-02-02T02:41:00Z", "at": 1770000000123}))
    assert '"due": "2031-05-01T10:00:00Z"' in text
    assert '"now": "‹time›"' in text
    assert '"at": ‹time›' in text


def test_each_recording_of_a_tape_has_times_of_its_own() -> None:
    """What was recorded months later, or imported, does not widen what counts as the recording's own time."""
    between = {"at": "2026-05-01T00:00:00Z"}
    text = reviewed(exchange(body=between), exchange(body=between, at=START + 200 * 86400.0))
    assert text.count('"at": "2026-05-01T00:00:00Z"') == 2


def test_without_a_known_time_no_time_is_hidden() -> None:
    assert '"at": "1970-01-01T00:00:00Z"' in reviewed(exchange(body={"at": "1970-01-01T00:00:00Z"}, at=0.0))


def test_a_number_that_looks_like_a_time_of_another_year_stays() -> None:
    assert '"phone": 4915112345' in reviewed(exchange(body={"phone": 4915112345}))


def test_numbers_times_and_durations_are_left_out() -> None:
    text = reviewed(replace(FIRST[0], number=7))
    assert "#7" not in text
    assert "took 0" not in text


def test_exchanges_that_overlapped_have_the_order_of_their_addresses() -> None:
    a, b = exchange(target="/a", at=START, took=1.0), exchange(target="/b", at=START + 0.5, took=1.0)
    other = replace(b, started=START), replace(a, started=START + 0.5)
    assert reviewed(a, b) == reviewed(*other)
    apart = replace(b, started=START), replace(a, started=START + 2)
    assert reviewed(a, b) != reviewed(*apart)


def test_exchanges_of_unknown_time_keep_the_tapes_order() -> None:
    a, b = exchange(target="/two", at=0.0, took=1.0), exchange(target="/one", at=0.0, took=1.0)
    text = reviewed(a, b)
    assert text.index("/two") < text.index("/one")


def test_a_body_is_shown_without_its_content_coding() -> None:
    packed = gzip.compress(b'{"a":1}', mtime=0)
    assert '|   "a": 1\n' in reviewed(exchange(body=packed, fields=[("Content-Encoding", "gzip")]))


def test_a_damaged_coding_is_shown_as_binary() -> None:
    text = reviewed(exchange(body=b"\x1f\x8bnope", fields=[("Content-Encoding", "gzip")]))
    assert "body binary, 6 bytes, sha256 " in text


def test_a_multipart_boundary_is_no_difference() -> None:
    def upload(boundary: str, content: bytes) -> str:
        data = b"--" + boundary.encode() + b"\r\n\r\n" + content + b"\r\n--" + boundary.encode() + b"--"
        sending = [("Content-Type", f"multipart/form-data; boundary={boundary}"), ("Content-Length", str(len(data)))]
        return reviewed(exchange("POST", sent=data, sending=sending))

    assert upload("abcd1234", b"hi") == upload("zyxw98765", b"hi") != upload("zyxw98765", b"ho")
    assert upload("abcd1234", b"\xff") == upload("zyxw98765", b"\xff") != upload("zyxw98765", b"\xfe")


def test_pings_and_the_times_of_messages_are_left_out() -> None:
    frames = (Frame(True, "ping", b"", None, 0.1), Frame(False, "text", b'{"op":1}', None, 0.2))
    text = reviewed(replace(exchange(), frames=frames))
    assert "ping" not in text
    assert '<- text\nbody json\n| {\n|   "op": 1\n| }\n' in text


def test_a_signature_is_no_difference_but_its_scheme_is() -> None:
    signed = exchange(sending=[("Authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=1")])
    again = exchange(sending=[("Authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=2")])
    assert reviewed(signed) == reviewed(again) != reviewed(exchange(sending=[("Authorization", "AWS4-ECDSA-P256 x")]))


def test_no_line_speaks_to_a_terminal() -> None:
    text = reviewed(exchange(body=b'"\x1b[31m red"', fields=[("X", "\x1b[0m")]))
    assert "\x1b" not in text
