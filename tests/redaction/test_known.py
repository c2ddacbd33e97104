"""Secrets that were seen are found wherever they come again, as long as they are among the last."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.redaction.known import MOST, Known

SECRET = "pa/ss+word=7f3a"
ENCODED = "pa%2Fss%2Bword%3D7f3a"


def known() -> Known:
    return Known(lambda value: "hidden", frozenset(), (), ",")


def test_a_secret_stays_known_when_an_older_one_that_is_also_spelt_so_is_forgotten() -> None:
    kept = known()
    kept.learn(SECRET)
    kept.learn(ENCODED)
    for number in range(MOST - 1):
        kept.learn(f"another-secret-{number:04}")
    assert SECRET not in tuple(kept), "it is the oldest"
    assert ENCODED in tuple(kept)
    assert kept.replace(f"signed={ENCODED}") == "signed=hidden"


def test_the_oldest_secret_is_forgotten_in_all_its_spellings() -> None:
    kept = known()
    kept.learn(SECRET)
    for number in range(MOST):
        kept.learn(f"another-secret-{number:04}")
    assert not kept.occur(SECRET)
    assert not kept.occur(ENCODED)
    assert kept.occur("another-secret-0000")


@given(st.lists(st.sampled_from([SECRET, ENCODED, '"quoted"secret', "quoted&secret", "quoted&amp;secret"]), min_size=1))
def test_whatever_is_known_is_found_though_others_were_forgotten(learnt: list[str]) -> None:
    kept = known()
    for at, value in enumerate(learnt):
        kept.learn(value)
        for number in range(MOST // 2):
            kept.learn(f"secret-{at}-{number}")
    assert all(kept.occur(value) for value in kept)


SPELT: dict[str, Callable[[str], str]] = {
    "percent": lambda secret: quote(secret, safe=""),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json-with-letters": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "json-of-php": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "xml": html.escape,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "bytes": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("spelt", SPELT.values(), ids=SPELT)
@pytest.mark.parametrize("secret", [SECRET, 'h\xe9-"l\xf6ng"-42x', "a\\b/c,\u4f60\u597d-1", "line\nby <line>"])
def test_a_secret_is_found_in_every_spelling(secret: str, spelt: Callable[[str], str]) -> None:
    kept = known()
    kept.learn(secret)
    assert kept.replace(f"<{spelt(secret)}>").isascii()
    assert spelt(secret) not in kept.replace(f"<{spelt(secret)}>")
