"""What a field's name says of its value."""

from __future__ import annotations

import pytest

from durable_replay.drift.names import classes_of


@pytest.mark.parametrize("name", ["issueId", "issue_id", "Issue-ID", "ID", "vmid", "projectIDs"])
def test_an_id_is_an_id_in_every_spelling(name: str) -> None:
    assert "id" in classes_of(name)


@pytest.mark.parametrize("name", ["grid", "paid", "valid", "idea", "page_number", "", "…"])
def test_letters_inside_a_word_are_no_word(name: str) -> None:
    assert "id" not in classes_of(name)


def test_a_limit_is_not_a_measure() -> None:
    assert "measure" in classes_of("cpu_usage")
    assert "measure" not in classes_of("max_cpu_usage")


def test_the_version_of_an_api_is_no_counter() -> None:
    assert "counter" in classes_of("resource_version")
    assert "counter" not in classes_of("apiVersion")
