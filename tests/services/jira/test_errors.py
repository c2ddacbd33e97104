import pytest

from durable_jira.errors import envelope, text


def test_an_envelope_always_has_both_members() -> None:
    assert envelope() == {"errorMessages": [], "errors": {}}


def test_an_envelope_carries_sentences_and_fields_at_fault() -> None:
    assert envelope("No.", errors={"project": text("project.invalid")}) == {
        "errorMessages": ["No."],
        "errors": {"project": "Specify a valid project ID or key"},
    }


def test_a_sentence_has_its_places_filled() -> None:
    assert text("project.missing", key="X") == "No project could be found with key 'X'."


def test_a_place_without_a_value_is_our_bug_and_loud() -> None:
    with pytest.raises(KeyError):
        text("project.missing")
