"""vcrpy's YAML, read by a YAML parser of others."""

from __future__ import annotations

from typing import Any

import yaml

from durable_replay.cassette.export.exported import Losses
from durable_replay.cassette.export.vcrpy import vcrpy
from durable_replay.http import Interaction


def loaded(tape: list[Interaction]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load("".join(vcrpy(lambda: tape, Losses())))
    return found


def test_a_safe_parser_reads_version_and_interactions(tape: list[Interaction]) -> None:
    document = loaded(tape)
    assert document["version"] == 1
    assert len(document["interactions"]) == 6
    first = document["interactions"][0]
    assert first["request"] == {
        "body": None,
        "headers": {"Accept": ["*/*"]},
        "method": "GET",
        "uri": "https://api.test/items?page=1&q=a%20b",
    }
    assert first["response"]["status"] == {"code": 200, "message": "OK"}


def test_texts_and_bytes_are_those_that_were_recorded(tape: list[Interaction]) -> None:
    bodies = [each["response"]["body"]["string"] for each in loaded(tape)["interactions"]]
    assert bodies[3].encode() == tape[3].response.body.read()
    assert bodies[4] == tape[4].response.body.read()
    assert bodies[5] == b"\x89PNG\x00\xff"


def test_values_of_one_name_stand_together(tape: list[Interaction]) -> None:
    assert loaded(tape)["interactions"][3]["response"]["headers"]["Set-Cookie"] == ["a=1", "b=2"]
