"""Properties 6 and 7: a killed process loses no acknowledged write; the same requests give the same bytes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.engine import Engine
from durable_replay.http import Interaction
from durable_replay.testing import ask, engine_over
from tests.properties import reference

TINY = reference.tiny_services()

WRITER = """
import json, sys
from pathlib import Path
import reference
from durable_replay.testing import ask, engine_over
engine = engine_over(reference.tiny_services().TODO, data_dir=Path(sys.argv[1]))
answer = ask(engine, "POST", "https://todo.test/projects", {"data": {"slug": sys.argv[2]}})
project = json.loads(answer.response.body.read())["data"]["id"]
print(json.dumps(["project", project]), flush=True)
for number in range(10_000):
    answer = ask(engine, "POST", f"https://todo.test/projects/{project}/tasks", {"data": {"name": str(number)}})
    task = json.loads(answer.response.body.read())["data"]
    print(json.dumps([project, task["id"], task["name"]]), flush=True)
"""


def test_a_killed_process_loses_no_acknowledged_write_and_no_id_comes_twice(tmp_path: Path) -> None:
    chance = random.Random(6)
    acknowledged: dict[tuple[str, str], str] = {}
    for round_ in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path), f"slug-{round_}"]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent)
        assert writer.stdout is not None
        stop = chance.randint(2, 60)
        lines = [writer.stdout.readline() for _ in range(stop)]
        writer.kill()
        lines += writer.stdout.read().splitlines(keepends=True)  # what it could still say before the signal came
        writer.wait()
        writer.stdout.close()
        for line in lines:
            if line.endswith("\n") and not line.startswith('["project"'):
                project, task, name = json.loads(line)
                assert (project, task) not in acknowledged
                acknowledged[project, task] = name
        engine = engine_over(TINY.TODO, data_dir=tmp_path)
        for (project, task), name in acknowledged.items():
            answer = ask(engine, "GET", f"https://todo.test/projects/{project}/tasks/{task}")
            assert json.loads(answer.response.body.read())["data"]["name"] == name
        engine.sessions.close()
    assert len(acknowledged) > 20


def said(engine: Engine, before: reference.Todo, ops: list[reference.Op]) -> list[tuple[int, bytes, str]]:
    answers = [engine.answer("s", before.request(op)) for op in ops]
    return [(one.response.status, one.response.body.read(), one.why) for one in answers]


@st.composite
def told(draw: st.DrawFn) -> tuple[reference.Todo, list[Interaction], list[reference.Op]]:
    before, tape = draw(reference.todo_tapes(longest=8))
    return before, tape, draw(st.lists(reference.todo_ops(before), max_size=14))


@given(told(), st.integers(0, 14), st.integers(0, 5))
@settings(max_examples=settings.default.max_examples // 2 if settings.default else 25)
def test_the_same_requests_give_the_same_bytes_also_over_a_restart(
    story: tuple[reference.Todo, list[Interaction], list[reference.Op]], cut: int, seed: int
) -> None:
    before, tape, ops = story
    once = said(engine_over(TINY.TODO, tape, seed=seed), before, ops)
    assert said(engine_over(TINY.TODO, tape, seed=seed), before, ops) == once
    with TemporaryDirectory() as folder:
        first = engine_over(TINY.TODO, tape, seed=seed, data_dir=Path(folder))
        answers = said(first, before, ops[:cut])
        first.sessions.close()
        second = engine_over(TINY.TODO, tape, seed=seed, data_dir=Path(folder))
        answers += said(second, before, ops[cut:])
        second.sessions.close()
    assert answers == once
