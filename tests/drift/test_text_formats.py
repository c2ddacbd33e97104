"""Strong formats of strings."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.drift.documents import Node
from durable_replay.drift.text_formats import epoch_of, format_of

NAMED = {
    "date-time:Z": ["2024-05-01T10:00:00Z", "2024-05-01T10:00Z"],
    "date-time:Z, fractions": ["2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00,5Z"],
    "date-time:offset": ["2024-05-01T10:00:00+02:00"],
    "date-time:offset, fractions": ["2024-05-01T10:00:00.000-05:00"],
    "date-time:offset-basic": ["2024-05-01T10:00:00+0000"],
    "date-time:offset-basic, fractions": ["2024-05-01T10:00:00.000+0000"],
    "date-time:naive": ["2024-05-01T10:00:00", "2024-05-01T10:00"],
    "date-time:space": ["2024-05-01 10:00:00", "2024-05-01 10:00:00 +0000", "2024-05-01 10:00:00 UTC"],
    "date-time:basic": ["20240501T100000Z", "20240501T10:00:00"],
    "date-time:http": ["Wed, 01 May 2024 10:00:00 GMT"],
    "date-time:rfc2822": ["Wed, 1 May 2024 10:00:00 +0200", "01 May 2024 10:00 UT"],
    "date-time:asctime": ["Wed May  1 10:00:00 2024"],
    "date": ["2024-05-01"],
    "time": ["10:00", "10:00:00", "10:00:00.5Z"],
    "duration": ["PT1H30M", "P1DT2H", "P0D", "-P1Y", "PT0.5S"],
    "uuid": ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "3FA85F64-5717-4562-B3FC-2C963F66AFA6"],
    "ulid": ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
    "hex": ["d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204"],
    "base64": ["k3J9x0Qm2ZpL7vR4sT1u", "aB3dE5fG7hI9jK1lM3nO5+/8=="],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"],
    "etag": ['"d41d8cd98f00b204e9800998ecf8427e-2"', 'W/"12345678"'],
    "uri": ["https://x.example/z?q=1", "s3://bucket/key", "urn:isbn:123", "mailto:a@b.example"],
    "path": ["/rest/api/2/issue", "/v1/a?b=c"],
    "email": ["a.b+c@d.example"],
    "ip": ["10.0.0.1", "::1", "2001:db8::8a2e:370:7334"],
    "integer": ["0", "-5", "12345678901234567890"],
    "number": ["1.25", "-1.5e10", "1e5", "1.2"],
    "boolean": ["true", "False"],
    "semver": ["1.2.3", "v1.2.3", "1.2.3-rc.1+build"],
}
UNNAMED = [
    "",
    " ",
    "active",
    "IN_PROGRESS",
    "007",
    "P-7",
    "PROJ",
    "us-east-1",
    "text/html",
    "GetBucketLifecycleConfigurationV2",
    "AmazonS3FullAccessPolicy20",
    "my-project-2024-release-notes",
    "2024-13-01",
    "2024-05-01T25:00:00Z",
    "999.1.1.1",
    "aa:bb:cc:dd:ee:ff",
    "hello world, how are you",
    "Some prose at 10:00 on 2024-05-01",
    "yes",
    "a@b",
    "/",
    "٣",
    "x" * 5000,
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in NAMED.items() for text in texts])
def test_a_strong_format_is_named(name: str, text: str) -> None:
    assert format_of(text) == name


@pytest.mark.parametrize("text", UNNAMED)
def test_a_text_of_words_has_no_format(text: str) -> None:
    assert format_of(text) == ""


@pytest.mark.parametrize("alphabet", [string.ascii_letters + string.digits, string.ascii_lowercase + string.digits])
def test_nearly_all_random_tokens_of_24_characters_are_known(alphabet: str) -> None:
    chance = random.Random(5)
    tokens = ["".join(chance.choices(alphabet, k=24)) for _ in range(1000)]
    assert sum(format_of(token) != "" for token in tokens) > 900


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1_714_557_600, "seconds"),
        (1_714_557_600.25, "seconds"),
        ("1714557600", "seconds"),
        (1_714_557_600_000, "milliseconds"),
        ("1714557600000", "milliseconds"),
        (999_999_999, None),
        (4_102_444_800, None),
        (True, None),
        (None, None),
        ("active", None),
        ("not-a-time-1", None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_an_epoch_is_a_time_between_2001_and_2100(value: Node, unit: str | None) -> None:
    assert epoch_of(value) == unit


@given(st.text() | st.from_regex(r"[0-9A-Za-z:./@+-]+", fullmatch=True))
def test_any_text_has_a_format_or_none(text: str) -> None:
    assert format_of(text) in {"", *NAMED}
