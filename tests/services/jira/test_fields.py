import pytest

from durable_jira.errors import JqlError
from durable_jira.fields import Field, field_from_rest, resolve


def test_a_custom_field_is_known_by_id_name_and_number() -> None:
    points = field_from_rest({"id": "customfield_10016", "name": "Story point estimate", "schema": {"type": "number"}})
    assert points.kind == "number"
    for name in ("customfield_10016", "STORY POINT ESTIMATE", "cf[10016]", "Story point estimate[Number]"):
        assert resolve(name, (points,)) == points


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "array", "items": "string"}, "label"),
        ({"type": "array", "items": "user"}, "user"),
        ({"type": "datetime"}, "datetime"),
        ({"type": "priority"}, "option"),
        (None, "option"),
    ],
)
def test_the_kind_follows_the_schema(schema: dict[str, str] | None, kind: str) -> None:
    assert field_from_rest({"id": "customfield_1", "name": "X", "schema": schema}).kind == kind


def test_a_system_field_goes_before_a_namesake() -> None:
    assert resolve("Status", (Field("customfield_1", "number", ("Status",)),)).id == "status"


def test_an_unknown_field_is_named_as_written() -> None:
    with pytest.raises(JqlError, match=r"Field 'Universe\[Text\]' does not exist"):
        resolve("Universe[Text]", ())
