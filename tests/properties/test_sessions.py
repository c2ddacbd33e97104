"""Properties 2, 3, 5 and 8: what sessions answer, step by step, against a model of each and the rule in words."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import cast

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from durable_replay.answer import Answer
from durable_replay.engine import Engine, Policy
from durable_replay.http import Interaction, Request, Response
from durable_replay.testing import engine_over
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, overlap
from tests.properties import reference

TINY = reference.tiny_services()
NAMES = ("one", "two", "three")
TASKS = ("todo", "", "task")


def never(request: Request) -> Response:
    raise AssertionError(f"{request.url} was forwarded")


@dataclass
class Model:
    """One session: its world as its client knows it, and its history as sets."""

    world: reference.Todo
    played: set[int] = field(default_factory=set)
    live: list[tuple[Key, ...]] = field(default_factory=list)

    def copy(self) -> Model:
        return Model(self.world.copy(), set(self.played), list(self.live))


def touches(written: tuple[Key, ...], read: tuple[Key, ...]) -> bool:
    return any(overlap(one, other) for one in written for other in read)


class Histories(RuleBasedStateMachine):
    """Sessions over one tape, each with its model; every answer is held against its model."""

    @initialize(world=reference.todo_tapes())
    def record(self, world: tuple[reference.Todo, list[Interaction]]) -> None:
        self.before, self.tape = world
        self.engine: Engine = engine_over(TINY.TODO, self.tape, policy=Policy(forward=never))
        self.facts: list[Fact] = [self.engine.tape.fact(number) for number in range(1, len(self.tape) + 1)]
        self.models = {"one": Model(self.before.copy())}
        self.kept: dict[tuple[str, str], Model] = {}
        self.recorded_ids = {
            (cast("dict[str, object]", one.get("in", {})).get("id"), str(one["id"]))
            for place in self.tape
            for one in documents(body(place.response))
        }

    # ---- requests

    @rule(data=st.data())
    def ask_anything(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.models)))
        world = self.models[name].world
        self._ask(name, data.draw(reference.todo_ops(world).filter(lambda op: reference.fits(world, op))))

    @rule(data=st.data())
    def ask_what_was_recorded(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.models)))
        request = data.draw(st.sampled_from(self.tape)).request
        sent = json.loads(request.body.read())["data"] if request.body else None
        op = (request.method, request.target, sent)
        if reference.fits(self.models[name].world, op):
            self._ask(name, op)

    @rule(data=st.data())
    def go_on_with_the_tape(self, data: st.DataObject) -> None:
        """Half of a tape is often asked for in its order: deviations then come late."""
        name = data.draw(st.sampled_from(sorted(self.models)))
        for one in self.tape[: data.draw(st.integers(0, len(self.tape)))]:
            sent = json.loads(one.request.body.read())["data"] if one.request.body else None
            op = (one.request.method, one.request.target, sent)
            if reference.fits(self.models[name].world, op):
                self._ask(name, op)

    def _ask(self, name: str, op: reference.Op) -> None:
        model, request = self.models[name], self.before.request(op)
        session = self.engine.sessions.get(name)
        true = [fact for fact in self._recordings(request) if self._is_true(model, fact)]
        recall = self.engine.recall(name, request)
        answer = (recall() if recall is not None else None) or self.engine.answer(name, request)
        assert (answer.source == "recorded") == bool(true), (answer.why, true)
        self._follow(model, op, answer)
        if answer.source == "recorded":
            assert answer.interaction in {fact.number for fact in true}
            if self.facts[answer.interaction - 1].writes:
                model.played.add(answer.interaction)
        assert session.played == model.played
        if len(session.live) > len(model.live):
            keys = session.live[-1].keys
            assert answer.source == "emulated"
            assert op[0] != "GET"
            assert all(self._concerns(op, answer, key) for key in keys), (op, keys)
            model.live.append(keys)
        assert len(session.live) == len(model.live)

    def _recordings(self, request: Request) -> list[Fact]:
        return list(self.engine.tape.candidates(self.engine.indexing.understand(request).key))

    def _is_true(self, model: Model, fact: Fact) -> bool:
        """The rule of the design, word by word."""
        if fact.writes and fact.number in model.played:
            return False
        recorded = {one.number for one in self.facts[: fact.number - 1] if touches(one.writes, fact.keys)}
        here = {number for number in model.played if touches(self.facts[number - 1].writes, fact.keys)}
        return recorded == here and not any(touches(written, fact.keys) for written in model.live)

    @staticmethod
    def _concerns(op: reference.Op, answer: Answer, key: Key) -> bool:
        """Whether a live write may have touched this key: nothing but the thing, its names, and what lies below."""
        if "/tasks" in op[1]:
            return key[:3] == TASKS and len(key) == 5
        return key[2] in ("project", "project.name") or (op[0] == "DELETE" and key[:3] == TASKS)

    def _follow(self, model: Model, op: reference.Op, answer: Answer) -> None:
        """The model does what was asked, with the identity that the answer gave; then both tell the same."""
        world = model.world
        created = op[0] == "POST" and answer.response.status == 201
        if created:
            made = cast("dict[str, object]", body(answer.response))
            identity = str(made["id"])
            parent = world.named(op[1].split("/")[2]) if "/tasks" in op[1] else None
            taken = {task for project, task in world.tasks if project == parent} if parent else {*world.projects}
            assert identity not in taken
            assert answer.source == "recorded" or (parent, identity) not in self.recorded_ids
            world.ids = int(identity) - 1
        status, content = world.answer(*op)
        assert answer.response.status == status, (op, answer.why)
        if status < 400 and status != 204:
            mine = {json.dumps(reference.shown(one), sort_keys=True) for one in documents(content)}
            theirs = [json.dumps(reference.shown(one), sort_keys=True) for one in documents(body(answer.response))]
            assert len(theirs) == len(set(theirs))
            assert set(theirs) == mine, (op, answer.source, answer.why)

    # ---- sessions

    @precondition(lambda self: len(self.models) < len(NAMES))
    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from(sorted(self.models)))
        name = next(one for one in NAMES if one not in self.models)
        self.engine.sessions.get(source)
        self.engine.sessions.fork(source, name)
        self.models[name] = self.models[source].copy()

    @precondition(lambda self: len(self.models) < len(NAMES))
    @rule()
    def a_client_names_a_new_session(self) -> None:
        self.models[next(one for one in NAMES if one not in self.models)] = Model(self.before.copy())

    @rule(data=st.data())
    def snapshot(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.models)))
        self.engine.sessions.get(name)
        self.engine.sessions.snapshot(name, "kept")
        self.kept[name, "kept"] = self.models[name].copy()

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        name, label = data.draw(st.sampled_from(sorted(self.kept)))
        self.engine.sessions.restore(name, label)
        self.models[name] = self.kept[name, label].copy()

    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.models)))
        self.engine.sessions.get(name)
        self.engine.sessions.reset(name)
        self.models[name] = Model(self.before.copy())

    @precondition(lambda self: len(self.models) > 1)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.models)))
        self.engine.sessions.get(name)
        self.engine.sessions.delete(name)
        del self.models[name]
        self.kept = {place: model for place, model in self.kept.items() if place[0] != name}


def body(response: Response) -> object:
    content = json.loads(response.body.read() or b"{}")
    return content.get("data") if isinstance(content, dict) else None


def documents(content: object) -> list[dict[str, object]]:
    return content if isinstance(content, list) else [content] if isinstance(content, dict) else []


TestHistories = Histories.TestCase
# A story is shrunk by the hour: only `nightly` looks for the shortest; elsewhere the first that fails is told, with the
# blob that plays it again.
WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
PHASES = (*Phase,) if WHOLE else (Phase.explicit, Phase.reuse, Phase.generate)
TestHistories.settings = settings(stateful_step_count=15, phases=PHASES)
