from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import Headers
from durable_replay.redaction.encoded import decoded, within
from durable_replay.redaction.redact import Redactor

KEY_ID = "AKIAIOSFODNN7EXAMPLE"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def hide(text: str) -> str:
    return text.replace(KEY_ID, "hidden")


def replaced(text: str) -> str:
    return within(text, hide, lambda basic: basic)


TEXTS = {
    "base64": (f"x={b64(f'a key {KEY_ID} of ours')};", f"x={b64('a key hidden of ours')};"),
    "base64-unpadded": (b64(f"the key: {KEY_ID}").rstrip("="), b64("the key: hidden").rstrip("=")),
    "base64-twice": (b64(b64(f"a key {KEY_ID} of ours")), b64(b64("a key hidden of ours"))),
    "base64-in-a-path": (f"/d/{b64(f'a key {KEY_ID}  ')}/get", f"/d/{b64('a key hidden  ')}/get"),
    "percent": (f"u=https%3A%2F%2Fh%2F%3Fkey%3D{KEY_ID}&x=%2f", "u=https%3A%2F%2Fh%2F%3Fkey%3Dhidden&x=%2f"),
    "base64-in-percent": (
        f"s%3D{b64(f'a key {KEY_ID} xyz')}%3B",
        f"s%3D{b64('a key hidden xyz').replace('=', '%3D')}%3B",
    ),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_what_stands_encoded_is_replaced_in_its_encoding(text: str, expected: str) -> None:
    assert replaced(text) == expected
    assert any(KEY_ID in plain for _, plain in decoded(text))


@given(st.text(alphabet="ABCDabcd0123+/=_-% {}:\"'é\n", max_size=200))
def test_where_nothing_is_found_not_one_character_changes(text: str) -> None:
    assert replaced(text) == text


def test_a_base64_document_is_read_by_its_fields(redactor: Redactor) -> None:
    inside = json.dumps({"password": "hunter2-hunter2"})
    target = redactor.target(f"/x?state={b64(inside)}")
    assert "hunter2" not in base64.b64decode(target.partition("=")[2] + "==").decode(errors="replace")
    assert json.loads(base64.b64decode(target.partition("=")[2] + "=="))["password"].startswith("secret-")


@pytest.mark.parametrize(
    "text", ["/" + "a/" * 200_000 + "%", "I" * 1_000_000 + "%", "%41" * 200_000, "IAAA/" * 200_000]
)
def test_long_runs_cost_no_more_than_their_length(text: str) -> None:
    assert replaced(text) == text


def test_a_short_target_that_is_percent_encoded_holds_no_known_secret(redactor: Redactor) -> None:
    redactor.headers(Headers([("X-Api-Key", "p@ss/w0rd+42")]))
    assert "w0rd" not in redactor.target("/p/p%40ss/w0rd%2B42")
