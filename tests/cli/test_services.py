from __future__ import annotations

import json
from collections.abc import Callable

Tell = Callable[..., tuple[int, str, str]]


def test_the_installed_services_are_listed(told: Tell) -> None:
    code, output, _ = told("services")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["service", "jira", "s3"]


def test_json_counts_their_operations(told: Tell) -> None:
    found = {one["name"]: one for one in json.loads(told("services", "--format", "json")[1])}
    assert {"s3", "jira"} <= set(found)
    assert found["s3"]["operations"] >= found["s3"]["emulated"] > 10


def test_one_services_operations_are_listed_with_what_is_emulated(told: Tell) -> None:
    rows = json.loads(told("services", "s3", "--format", "json")[1])
    assert any(row["emulated"] and row["address"].startswith("PUT ") for row in rows)
    assert "PUT" in told("services", "s3")[1]


def test_an_unknown_service_is_one_line_and_exit_2(told: Tell) -> None:
    code, output, errors = told("services", "s4")
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
