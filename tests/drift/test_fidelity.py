"""Agreement of an emulated answer with the recorded one: status, keys and values, counted."""

from __future__ import annotations

from durable_replay.answer import Answer
from durable_replay.drift.emulated import Asked, Standing
from durable_replay.drift.fidelity import agreement, differences, rows
from durable_replay.http import Response
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.registry import Registry
from durable_replay.service.verbs import show
from durable_replay.testing import exchange
from durable_replay.timeline.indexing import Indexing

NOTE = kind("note", "note")
SERVICE = Service("notes", ("notes.test",), JsonCodec(), {"GET /notes/{note}": show(NOTE)}, (NOTE,))
INDEXING = Indexing(Registry([SERVICE]))


def response(body: object = None, status: int = 200) -> Response:
    return exchange("GET", "https://notes.test/notes/1", status, body).response


def asked(recorded: Response, emulated: Response | None, standing: Standing = "asked") -> Asked:
    one = exchange("GET", "https://notes.test/notes/1")
    interaction = type(one)(one.request, recorded)
    answer = None if emulated is None else Answer(emulated, "emulated", "")
    return Asked(interaction, INDEXING.understand(one.request), standing, answer)


def test_equal_answers_agree_in_all() -> None:
    one = agreement(response({"a": 1, "b": [True, None]}), response({"b": [True, None], "a": 1}))
    assert one.status and one.keys == (4, 4) and one.values == (3, 3)
    assert one.differing == ()


def test_empty_bodies_agree() -> None:
    assert agreement(response(status=204), response(status=204)).values == (1, 1)


def test_bodies_of_different_statuses_are_not_compared() -> None:
    one = agreement(response({"a": 1}, 201), response({"error": 1}, 400))
    assert (one.status, one.keys, one.values) == (False, (0, 0), (0, 0))
    assert one.differing == ("status 400, recorded 201",)


def test_missing_and_extra_keys_and_other_values_are_named_by_path() -> None:
    recorded = response({"name": "milk", "tags": [{"t": 1}, {"t": 2}], "gone": 0})
    emulated = response({"name": "tea", "tags": [{"t": 1}, {"t": 3}], "more": 0})
    one = agreement(recorded, emulated)
    assert one.differing == (
        "body.$.gone missing",
        "body.$.more extra",
        "body.$.name other",
        "body.$.tags[].t other",
    )
    assert one.keys == (5, 7)
    assert one.values == (1, 3)


def test_ids_and_times_of_the_emulators_own_making_count_as_the_recorded_ones() -> None:
    recorded = response({"id": "10001", "created": "2026-01-31T10:00:00.000+0000", "name": "a"})
    emulated = response({"id": "10077", "created": "2026-02-01T11:30:00.000+0000", "name": "a"})
    assert agreement(recorded, emulated).values == (3, 3)


def test_a_value_of_another_type_is_another_value() -> None:
    assert agreement(response({"n": 5}), response({"n": "5"})).differing == ("body.$.n other",)
    assert agreement(response({"n": {}}), response({"n": 1})).differing == ("body.$.n other",)


def test_an_id_that_the_emulator_made_is_the_recorded_one_if_it_is_of_its_type() -> None:
    made = {"77": "12"}
    assert agreement(response({"by": "12"}), response({"by": "77"}), made).values == (1, 1)
    assert agreement(response({"by": "12"}), response({"by": 77}), made).values == (0, 1)


def test_true_is_not_1() -> None:
    assert agreement(response({"n": True}), response({"n": 1})).differing == ("body.$.n other",)


def test_only_what_the_emulator_could_know_is_measured() -> None:
    right, wrong = response({"id": "1"}), response({"error": 1}, 404)
    [row] = rows([asked(right, right), asked(right, wrong, "first"), asked(right, wrong)])
    assert (row.service, row.operation, row.recorded) == ("notes", "show note", 3)
    assert (row.standing["asked"], row.standing["first"], row.status) == (2, 1, 1)
    assert (row.keys, row.values) == ((2, 2), (1, 1))


def test_rows_of_several_tapes_add_up() -> None:
    right = response({"id": "1"})
    [first], [second] = rows([asked(right, right)]), rows([asked(right, response(status=404))])
    first.join(second)
    assert (first.recorded, first.status, first.keys) == (2, 1, (2, 2))


def test_differences_are_named_by_operation_for_lists_that_may_only_shrink() -> None:
    found = differences(
        [asked(response({"a": 1}), response({"a": 2})), asked(response(), response(status=500), "first")]
    )
    assert [str(one) for one in found] == ["notes.show note: body.$.a other"]
