"""Property 1: the tape's own requests, in order, give the recorded answers byte for byte, writes included."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from durable_replay.answer import Answer
from durable_replay.engine import Engine, Policy
from durable_replay.http import Interaction, Request, Response
from durable_replay.service.api import Service
from durable_replay.testing import engine_over
from tests.properties import reference

TINY = reference.tiny_services()


def never(request: Request) -> Response:
    raise AssertionError(f"{request.url} was forwarded")


def agrees(services: list[Service], tape: list[Interaction]) -> None:
    engine = engine_over(services, tape, policy=Policy(forward=never))
    for session, by_recall in (("one", False), ("two", True)):
        for number, one in enumerate(tape, 1):
            answer = (recalled(engine, session, one.request) if by_recall else None) or engine.answer(
                session, one.request
            )
            assert (answer.source, answer.interaction) == ("recorded", number), answer.why
            assert answer.response == one.response
            assert answer.response.reason == one.response.reason
            assert answer.response.headers.fields == one.response.headers.fields


def recalled(engine: Engine, session: str, request: Request) -> Answer | None:
    recall = engine.recall(session, request)
    return recall() if recall is not None else None


@given(reference.todo_tapes(refuses=True))
def test_a_json_tape_replays_itself(world: tuple[reference.Todo, list[Interaction]]) -> None:
    agrees([TINY.TODO], world[1])


@given(st.lists(reference.box_ops, max_size=25))
def test_an_xml_tape_replays_itself(ops: list[reference.Op]) -> None:
    world = reference.Boxes()
    agrees([TINY.STORE], [world.exchange(op) for op in ops])


@given(reference.todo_tapes(), st.lists(reference.box_ops, max_size=10))
def test_two_services_on_one_tape_replay_themselves(
    world: tuple[reference.Todo, list[Interaction]], ops: list[reference.Op]
) -> None:
    boxes = reference.Boxes()
    both = [one for pair in zip(world[1], map(boxes.exchange, ops), strict=False) for one in pair]
    agrees([TINY.TODO, TINY.STORE], both)


@given(reference.todo_tapes())
def test_a_tape_of_a_host_that_no_service_knows_replays_itself(world: tuple[reference.Todo, list[Interaction]]) -> None:
    agrees([TINY.STORE], world[1])
