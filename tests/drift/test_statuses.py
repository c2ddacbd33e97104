"""What the statuses of an endpoint tell."""

from __future__ import annotations

from durable_replay.drift.finding import Kind
from durable_replay.drift.statuses import Statuses
from durable_replay.drift.values import Sides


def told(statuses: Statuses) -> list[tuple[str, str | None]]:
    return [(difference.kind.value, origin) for difference, origin, _ in statuses.differences(9)]


def test_a_request_that_also_failed_before_at_another_time_is_no_drift() -> None:
    statuses = Statuses()
    statuses.same_request([(404, 1), (200, 2)], [(200, 1)])
    assert told(statuses) == [("status", "learnt")]


def test_turns_of_one_request_are_noise_for_the_others_unless_they_are_refusals() -> None:
    statuses = Statuses()
    statuses.same_request([(202, 1), (200, 2)], [(202, 1), (200, 2)])
    statuses.same_request([(200, 3)], [(202, 3)])
    assert told(statuses) == [("status", "learnt")]
    refused = Statuses()
    refused.same_request([(404, 1), (200, 2)], [(404, 1), (200, 2)])
    refused.same_request([(200, 3)], [(404, 3)])
    assert told(refused) == [("status", None)]


def test_an_endpoint_is_gone_only_if_each_request_that_was_answered_is() -> None:
    statuses = Statuses()
    for number in (1, 2):
        statuses.same_request([(200, number)], [(404, number)])
    statuses.same_request([(404, 3)], [(404, 3)])
    assert told(statuses) == [(Kind.endpoint_gone.value, None)]
    statuses.same_request([(200, 4)], [(200, 4)])
    assert told(statuses) == [("status", None)]


def test_a_thing_that_was_read_before_it_was_made_is_gone_only_if_it_is_read_as_late() -> None:
    early = Statuses()
    early.same_request([(404, 1), (200, 2)], [(404, 1)])
    assert told(early) == []
    late = Statuses()
    late.same_request([(404, 1), (200, 2)], [(404, 1), (404, 2)])
    assert (Kind.endpoint_gone.value, None) in told(late)


def test_requests_without_partners_tell_only_what_all_of_them_share() -> None:
    statuses = Statuses()
    statuses.alone(Sides.before, 201, 1)
    statuses.alone(Sides.after, 422, 1)
    assert told(statuses) == [("newly-required", None)]
    statuses.alone(Sides.after, 201, 2)
    assert told(statuses) == []


def test_three_things_that_are_not_there_tell_that_an_endpoint_is_gone() -> None:
    statuses = Statuses()
    statuses.alone(Sides.before, 200, 1)
    for number in range(3):
        statuses.alone(Sides.after, 404, number)
    assert told(statuses) == [(Kind.endpoint_gone.value, None)]
