from __future__ import annotations

import base64
import json
import re

import pytest

from durable_replay.redaction.placeholders import CONSTANT, PLACEHOLDER, Constant, Keyed, is_placeholder


def b64url(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = f"{b64url({'alg': 'RS256'})}.{b64url({'sub': 'joe', 'exp': 1700000000, 'n': 12345, 'roles': ['a']})}.c2lnbmF0dXJl"
SECRETS = [
    "plain-secret-1",
    "AKIAIOSFODNN7EXAMPLE",
    JWT,
    "00D000000000062!AQ8AQH0dMHZfz972Szmpkb58urFRkgeBGsxL",
    "PVE:root@pam:4EEC61E2::" + "A" * 300 + "==",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_placeholder_is_the_same_for_the_same_secret_and_tells_nothing_of_it(secret: str) -> None:
    keyed = Keyed(b"k" * 32)
    shown = keyed.of(secret)
    assert shown == Keyed(b"k" * 32).of(secret) != Keyed(b"l" * 32).of(secret)
    assert is_placeholder(shown) and not is_placeholder(secret) and secret not in shown
    assert keyed.of(shown) == shown


def test_a_jwt_stays_three_parts_with_its_header_and_its_times() -> None:
    header, claims, signature = Keyed(b"k" * 32).of(JWT).split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert header == JWT.split(".")[0] and base64.urlsafe_b64decode(signature)
    assert decoded["exp"] == 1700000000 and decoded["sub"].startswith("secret-") and decoded["n"] != 12345


def test_an_aws_key_id_keeps_its_twenty_characters_and_its_prefix() -> None:
    assert re.fullmatch(r"ASIA[A-Z0-9]{16}", Keyed(b"k" * 32).of("ASIAIOSFODNN7EXAMPLE"))


def test_base64_stays_base64() -> None:
    shown = Keyed(b"k" * 32).of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert base64.b64decode(shown, validate=True).startswith(b"secret-")


def test_a_salesforce_session_and_a_proxmox_ticket_keep_what_clients_read_from_them() -> None:
    keyed = Keyed(b"k" * 32)
    assert keyed.of(SECRETS[3]).startswith("00D000000000062!secret-")
    assert keyed.of(SECRETS[4]).startswith("PVE:root@pam:4EEC61E2::")


def test_every_secret_and_every_placeholder_is_one_constant_for_matching() -> None:
    constant = Constant()
    assert {constant.of(secret) for secret in SECRETS} == {CONSTANT}
    assert {PLACEHOLDER.sub(CONSTANT, Keyed(b"k" * 32).of(s)) for s in (SECRETS[0], SECRETS[1], JWT)} == {CONSTANT}


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Keyed(b"short")
