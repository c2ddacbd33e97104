"""Faults are values: what they say, and the status that they usually have on the wire."""

from __future__ import annotations

import pytest

from durable_replay.service.codecs import fault_status
from durable_replay.service.faults import Conflict, Denied, Fault, Invalid, Missing, Throttled, Unrecorded


class Locked(Conflict):
    """A service's own."""


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Missing(("note", "1")), 404),
        (Conflict("there"), 409),
        (Locked("locked"), 409),
        (Invalid("no", "name"), 400),
        (Denied("no"), 403),
        (Throttled("slow down", 2.5), 429),
        (Unrecorded("unknown"), 501),
        (Fault("odd"), 400),
    ],
)
def test_a_fault_has_its_usual_status(fault: Fault, status: int) -> None:
    assert fault_status(fault) == status
    assert str(fault) == fault.text != ""


def test_a_missing_thing_is_named_unless_the_service_has_a_better_text() -> None:
    assert Missing(("object", "photos", "a/", "b.jpg", "")).text == "object/photos/a/b.jpg is not there"
    assert Missing(("note", "1"), "no such note").text == "no such note"
    assert Missing(("note", "1")).key == ("note", "1")


def test_a_fault_carries_what_its_codec_needs() -> None:
    assert Fault("no", code="E1", at=3).details == {"code": "E1", "at": 3}
    assert Invalid("no", "name", code="E2").field == "name"
    assert Invalid("no", "name", code="E2").details == {"code": "E2"}
    assert (Throttled().seconds, Throttled("", 9).seconds) == (1.0, 9)
