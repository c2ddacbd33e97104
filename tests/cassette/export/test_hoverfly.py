"""Hoverfly's simulations."""

from __future__ import annotations

import json
from typing import Any

from durable_replay.cassette.export.exported import Losses
from durable_replay.cassette.export.hoverfly import hoverfly
from durable_replay.http import Interaction


def simulation(tape: list[Interaction]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(hoverfly(lambda: tape, Losses())))
    return found


def test_a_request_is_matched_part_by_part(tape: list[Interaction]) -> None:
    request = simulation(tape)["data"]["pairs"][0]["request"]
    assert request["destination"] == [{"matcher": "exact", "value": "api.test"}]
    assert request["query"] == {
        "page": [{"matcher": "exact", "value": "1"}],
        "q": [{"matcher": "exact", "value": "a b"}],
    }


def test_two_answers_of_one_request_are_a_sequence(tape: list[Interaction]) -> None:
    first, _, second = simulation(tape)["data"]["pairs"][:3]
    ((name, state),) = first["request"]["requiresState"].items()
    assert name.startswith("sequence:")
    assert state == "1"
    assert first["response"]["transitionsState"] == second["request"]["requiresState"] == {name: "2"}
    assert "transitionsState" not in second["response"]


def test_the_time_of_export_is_the_tapes(tape: list[Interaction]) -> None:
    assert simulation(tape)["meta"]["schemaVersion"] == "v5.2"
    assert simulation(tape)["meta"]["timeExported"] == "2023-11-14T22:13:26Z"


def test_a_path_that_decoding_would_change_is_counted(tape: list[Interaction]) -> None:
    from dataclasses import replace

    losses = Losses()
    slashed = replace(tape[0], request=replace(tape[0].request, target="/a%2Fb"))
    assert "".join(hoverfly(lambda: [slashed], losses))
    assert losses.counts()["paths with an escaped slash or percent sign"] == 1
