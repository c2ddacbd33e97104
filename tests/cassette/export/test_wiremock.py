"""WireMock's mappings."""

from __future__ import annotations

import json
from typing import Any

from durable_replay.cassette.export.exported import Losses
from durable_replay.cassette.export.wiremock import wiremock
from durable_replay.http import Interaction


def mappings(tape: list[Interaction]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(wiremock(lambda: tape, Losses())))["mappings"]
    return found


def test_two_answers_of_one_request_are_a_scenario(tape: list[Interaction]) -> None:
    first, _, second = mappings(tape)[:3]
    assert first["scenarioName"] == second["scenarioName"]
    assert (first["requiredScenarioState"], first["newScenarioState"]) == ("Started", "2")
    assert second["requiredScenarioState"] == "2"
    assert "newScenarioState" not in second


def test_one_answer_is_no_scenario(tape: list[Interaction]) -> None:
    assert "scenarioName" not in mappings(tape)[1]


def test_every_mapping_has_an_id_of_its_own(tape: list[Interaction]) -> None:
    found = [each["id"] for each in mappings(tape)]
    assert len(set(found)) == len(found) == 6


def test_bodies_are_matched_by_their_kind(tape: list[Interaction]) -> None:
    assert mappings(tape)[1]["request"]["bodyPatterns"] == [{"equalToJson": '{"name":"x"}'}]


def test_coded_and_binary_bodies_are_base64(tape: list[Interaction]) -> None:
    found = mappings(tape)
    assert ["base64Body" in each["response"] for each in found] == [False, False, False, False, True, True]
    assert found[3]["response"]["headers"]["Set-Cookie"] == ["a=1", "b=2"]
