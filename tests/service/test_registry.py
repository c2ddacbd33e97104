"""Services are found by entry point and by host; a plug-in that cannot be used is named with its distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from durable_replay.errors import BadService, UsageError
from durable_replay.service import registry
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.registry import GROUP, Registry
from durable_replay.service.verbs import show
from durable_replay.testing import request

TASK = kind("task", "task")
TODO = Service("todo", ("todo.test", "*.todo.test"), JsonCodec(), {"GET /tasks/{task}": show(TASK)}, (TASK,))
DEEP = replace(TODO, name="deep", hosts=("*.deep.todo.test", "one.todo.test"))


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("todo.test", "todo"),
        ("a.todo.test", "todo"),
        ("a.b.todo.test", "todo"),
        ("a.deep.todo.test", "deep"),
        ("one.todo.test", "deep"),
        ("nottodo.test", None),
        ("todo.test.evil", None),
    ],
)
def test_the_most_specific_claim_to_a_host_wins(host: str, name: str | None) -> None:
    found = Registry([TODO, DEEP]).find(request("GET", f"https://{host}/tasks/1"))
    assert (found and found.name) == name


def test_further_hosts_are_mapped_by_name_by_port_and_by_pattern() -> None:
    hosts = {"127.0.0.1:9000": "todo", "Work.example": "todo", "*.lab.example": "deep"}
    services = Registry([TODO, DEEP], hosts)
    urls = ["http://127.0.0.1:9000/", "http://127.0.0.1:9001/", "https://work.example/", "https://x.lab.example/"]
    found = [services.find(request("GET", url)) for url in urls]
    assert [one and one.name for one in found] == ["todo", None, "todo", "deep"]


def test_a_host_that_two_services_claim_is_refused() -> None:
    with pytest.raises(BadService, match=r"'todo' and 'other' both claim the host todo\.test"):
        Registry([TODO, replace(TODO, name="other")])


def test_an_unknown_service_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no service 'jra' is loaded; there are: todo"):
        Registry([TODO]).get("jra")
    with pytest.raises(UsageError, match="no service 'jra' is installed; there are: "):
        Registry.installed(["jra"])


def test_a_plug_in_that_cannot_be_imported_is_named_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_module_at_all:service", GROUP)
    monkeypatch.setattr(registry, "available", lambda: {"broken": broken})
    with pytest.raises(BadService, match=r"'broken'.*no_such_module_at_all:service.*ModuleNotFoundError") as refused:
        Registry.installed()
    assert isinstance(refused.value.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("json:dumps", "is a function, no durable_replay.service.api.Service"),
        ("misnamed_notes:service", "brings a service that calls itself 'notes'"),
    ],
)
def test_an_entry_point_to_something_else_is_refused(
    value: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "misnamed_notes.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "available", lambda: {"thing": EntryPoint("thing", value, GROUP)})
    with pytest.raises(BadService, match="thing.* " + says):
        Registry.installed()


# ---- real distributions, built and installed

MODULE = """
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.verbs import create, index, show

NOTE = kind("note", "note")
service = Service(
    "notes",
    ("notes.example",),
    JsonCodec(),
    {"GET /notes": index(NOTE), "POST /notes": create(NOTE), "GET /notes/{note}": show(NOTE)},
    (NOTE,),
)
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "NAME"
version = "1.2"
[project.entry-points."durable_replay.services"]
notes = "MODULE:service"
[tool.hatch.build.targets.wheel]
include = ["MODULE.py"]
"""
ASKS = """
import json
from durable_replay.service.registry import Registry, available
from durable_replay.testing import ask, request
from durable_replay.engine import Engine
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_replay.timeline.tape import EmptyTape

point = available()["notes"]
indexing, tape = Indexing(Registry.installed(["notes"])), EmptyTape()
engine = Engine(tape, indexing, Sessions(tape, SQLiteStore(None)))
made = ask(engine, "POST", "https://notes.example/notes", {"text": "hello"})
listed = ask(engine, "GET", "https://notes.example/notes")
print(json.dumps([point.value, point.dist.name, made.response.status, json.loads(listed.response.body.read())]))
"""


def install(folder: Path, name: str, module: str) -> Path:
    """Builds a distribution of its own with one module, and installs it into a folder; gives that folder."""
    source, target = folder / name, folder / f"{name}-installed"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT.replace("NAME", name).replace("MODULE", module))
    (source / f"{module}.py").write_text(MODULE)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    pip += ["--disable-pip-version-check", "--no-cache-dir", "--target", str(target), str(source)]
    done = subprocess.run(pip, capture_output=True, text=True, cwd=folder, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(program: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    """A Python program that finds these folders."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=100, check=False
    )


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("third-party"), "durable-notes", "durable_notes")


def test_a_service_of_another_distribution_is_found_and_answers_by_its_host(notes: Path) -> None:
    done = run(ASKS, notes)
    assert done.returncode == 0, done.stderr
    value, distribution, status, listed = json.loads(done.stdout)
    assert (value, distribution, status) == ("durable_notes:service", "durable-notes", 201)
    assert listed == [{"id": "1", "text": "hello"}]


def test_two_distributions_with_one_services_name_are_refused_by_name(notes: Path, tmp_path: Path) -> None:
    other = install(tmp_path, "rival-notes", "rival_notes")
    done = run("from durable_replay.service.registry import available; available()", notes, other)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert "BadService: two distributions bring a service 'notes'" in said
    assert "durable-notes 1.2 (durable_notes:service)" in said and "rival-notes 1.2 (rival_notes:service)" in said


def test_a_distribution_whose_module_is_broken_is_named_with_its_version(notes: Path, tmp_path: Path) -> None:
    (tmp_path / "durable_notes.py").write_text("raise RuntimeError('half an upgrade')")
    done = run("from durable_replay.service.registry import Registry; Registry.installed(['notes'])", tmp_path, notes)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert "BadService: the service 'notes' of durable-notes 1.2 (durable_notes:service) cannot be loaded" in said
    assert "RuntimeError: half an upgrade" in said
