"""Property 2 over XML: whatever part of a tape is asked for, and whatever else, each answer tells the last write."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from durable_replay.answer import Answer
from durable_replay.http import Interaction
from durable_replay.testing import engine_over
from tests.properties import reference

STORE = reference.tiny_services().STORE
EVERYTHING: list[reference.Op] = [("GET", f"/b/{name}", None) for name in ("x", "a/x", "a/", "a/b/y")]


def text_of(answer: Answer | Interaction) -> tuple[int, object]:
    status, data = answer.response.status, answer.response.body.read()
    if status != 200 or not data:
        return status, None
    root = etree.fromstring(data)
    return status, [one.text for one in root] if root.tag == "Things" else root.text or ""


def told(world: reference.Boxes, op: reference.Op) -> tuple[int, object]:
    return text_of(world.exchange(op))


stories = st.lists(st.one_of(st.integers(0, 20), reference.box_ops), max_size=20)


@given(
    st.dictionaries(st.sampled_from(["x", "a/x", "a/", "a/b/y"]), st.sampled_from(["one", "old"])),
    st.lists(reference.box_ops, max_size=12),
    st.lists(stories, min_size=1, max_size=2),
)
def test_every_answer_tells_the_last_write_of_its_session(
    first: dict[str, str], ops: list[reference.Op], asked: list[list[int | reference.Op]]
) -> None:
    """The tape shows everything before it begins, so that what is not there is known not to be."""
    before = reference.Boxes(things=dict(first))
    world = replace(before, things=dict(before.things))
    tape = [world.exchange(op) for op in [*EVERYTHING, ("GET", "/b?list&prefix=", None), *ops]]
    requests = [*EVERYTHING, ("GET", "/b?list&prefix=", None), *ops]
    engine = engine_over(STORE, tape)
    for number, story in enumerate(asked):
        model = replace(before, things=dict(before.things))
        for step in story:
            op = requests[step % len(requests)] if isinstance(step, int) else step
            if op[2] == "refused":  # the real one refuses what the emulator has no reason to
                continue
            answer = engine.answer(f"s{number}", before.request(op))
            assert text_of(answer) == told(model, op), (op, answer.source, answer.why)
