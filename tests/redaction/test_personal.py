from __future__ import annotations

import json
import re

import pytest

from durable_replay.http import BytesBody, Headers, Request
from durable_replay.redaction.personal import PERSONAL
from durable_replay.redaction.redact import Masker, Redactor
from durable_replay.redaction.rules import DEFAULT

KEY = b"a key of the tests' own, 32 bytes"
RULES = DEFAULT.with_(*(rule for rules in PERSONAL.values() for rule in rules))
BODIES = {
    "email": ('{"from": "Joe <joe.doe+x@mail.example.com>"}', "joe.doe+x@mail.example.com"),
    "ipv4": ('{"ip":"203.0.113.77", "v": "1.2.3"}', "203.0.113.77"),
    "ipv6": ('{"ip":"2a02:1:2:3:4:5:6:7"}', "2a02:1:2:3:4:5:6:7"),
    "ipv6-short": ('{"ip":"fe80:1:2::beef"}', "fe80:1:2::beef"),
    "name": ('{"displayName": "Joe Doe", "name": "a thing"}', "Joe Doe"),
    "name-in-xml": ("<a><displayName>Joe Doe</displayName></a>", "Joe Doe"),
    "name-in-form": ("id=1&full_name=Joe+Doe", "Joe+Doe"),
}


def shown(redactor: Redactor, text: str, target: str = "/") -> Request:
    return redactor.request(Request("POST", "https", "h", 443, target, Headers(), BytesBody(text.encode())))


@pytest.mark.parametrize(("text", "value"), BODIES.values(), ids=BODIES)
def test_personal_data_becomes_a_pseudonym_where_it_is_asked_for(text: str, value: str) -> None:
    before, after = text.split(value)
    replaced = shown(Redactor(KEY, RULES), text).body.read().decode()
    assert value not in replaced and replaced.startswith(before) and replaced.endswith(after)
    assert shown(Redactor(KEY), text).body.read() == text.encode()


def test_the_same_person_has_the_same_pseudonym_however_it_is_written() -> None:
    redactor = Redactor(KEY, RULES)
    told = json.loads(shown(redactor, '{"displayName": "J\\u00f6rg Doe", "mail": "joe@h.example"}').body.read())
    again = shown(redactor, '{"fullName": "Jörg Doe"}', "/users?mail=joe%40h.example&ip=198.51.100.7")
    assert json.loads(again.body.read())["fullName"] == told["displayName"]
    assert re.fullmatch(r"person-[0-9a-f]{8}@example\.invalid", told["mail"])
    assert told["mail"].replace("@", "%40") in again.target and "198.51.100.7" not in again.target


def test_a_recorded_pseudonym_and_a_live_value_match() -> None:
    masker = Masker(RULES)
    live = "/users?mail=joe%40h.example&ip=198.51.100.7"
    assert masker.target(shown(Redactor(KEY, RULES), "", live).target) == masker.target(live)
    assert masker.text(shown(Redactor(KEY, RULES), '{"displayName":"Joe"}').body.read().decode()) == masker.text(
        '{"displayName":"Joe"}'
    )


def test_a_pseudonym_is_not_replaced_again_and_loopback_stays() -> None:
    redactor = Redactor(KEY, RULES)
    once = shown(redactor, '{"displayName":"Joe","ip":"10.1.2.3","mail":"a@b.example","at":"127.0.0.1"}').body.read()
    assert shown(redactor, once.decode()).body.read() == once and b'"127.0.0.1"' in once
