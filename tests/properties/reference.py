"""Two small worlds that stand for the real services: what they answer is what was recorded.

They hold what no emulator models (revisions, owners, trace ids, their own layout of JSON and XML), make their own ids
and times, and refuse some writes.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from hypothesis import strategies as st

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.testing import request

Json = dict[str, object]
Op = tuple[str, str, object]
"""Method, path with its query, and what is sent."""
START = 1_700_000_000.0


def tiny_services() -> ModuleType:
    """The tiny services of the plug-in API's own tests."""
    path = Path(__file__).resolve().parents[1] / "service" / "tiny_services.py"
    spec = importlib.util.spec_from_file_location("tiny_services", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Todo:
    """Projects with tasks; a project goes by its slug too. `refuses` two projects of one slug."""

    refuses: bool = False
    projects: dict[str, Json] = field(default_factory=dict)
    tasks: dict[tuple[str, str], Json] = field(default_factory=dict)
    ids: int = 100
    asked: int = 0
    host: str = "todo.test"

    def answer(self, method: str, path: str, content: object) -> tuple[int, object]:
        self.asked += 1
        parts, _, query = path.partition("?")
        match [method, *parts.strip("/").split("/")]:
            case ["GET", "projects"]:
                return 200, list(self.projects.values())
            case ["POST", "projects"]:
                return self._create_project(content)
            case [_, "projects", name]:
                return self._project(method, name, content)
            case [_, "projects", name, "tasks"]:
                return self._tasks(method, name, content, query)
            case [_, "projects", name, "tasks", task]:
                return self._task(method, name, task, content)
        raise AssertionError(path)

    def named(self, name: str) -> str | None:
        by_slug = (key for key, one in self.projects.items() if one.get("slug") == name)
        return next(by_slug, name if name in self.projects else None)

    def _missing(self) -> tuple[int, object]:
        return 404, {"error": "gone, really", "trace": self.asked}

    def _create_project(self, content: object) -> tuple[int, object]:
        assert isinstance(content, dict)
        if self.refuses and self.named(str(content.get("slug"))) is not None:
            return 409, {"error": "that slug is taken", "trace": self.asked}
        self.ids += 1
        made: Json = {"id": str(self.ids), **content, "owner": {"name": "ann"}, "rev": 1, "at": START + self.asked}
        self.projects[str(self.ids)] = made
        return 201, made

    def _project(self, method: str, name: str, content: object) -> tuple[int, object]:
        key = self.named(name)
        if key is None:
            return self._missing()
        if method == "PUT":
            assert isinstance(content, dict)
            old = self.projects[key]
            self.projects[key] = {**old, **content, "rev": int(str(old["rev"])) + 1}
        if method == "DELETE":
            del self.projects[key]
            self.tasks = {place: one for place, one in self.tasks.items() if place[0] != key}
            return 204, None
        return 200, self.projects[key]

    def _tasks(self, method: str, name: str, content: object, query: str) -> tuple[int, object]:
        key = self.named(name)
        if key is None:
            return self._missing()
        if method == "POST":
            assert isinstance(content, dict)
            self.ids += 1
            made: Json = {"id": str(self.ids), **content, "in": {"id": key}, "rev": 1, "at": START + self.asked}
            self.tasks[key, str(self.ids)] = made
            return 201, made
        shown = [one for (project, _), one in self.tasks.items() if project == key]
        if query:
            shown = [one for one in shown if str(bool(one.get("done"))).lower() == query.partition("=")[2]]
        return 200, shown

    def _task(self, method: str, name: str, task: str, content: object) -> tuple[int, object]:
        place = (self.named(name) or name, task)
        if place not in self.tasks:
            return self._missing()
        if method == "PUT":
            assert isinstance(content, dict)
            old = self.tasks[place]
            self.tasks[place] = {**old, **content, "rev": int(str(old["rev"])) + 1}
        if method == "DELETE":
            del self.tasks[place]
            return 204, None
        return 200, self.tasks[place]

    def exchange(self, op: Op) -> Interaction:
        """The answer as it went over the wire, with the request."""
        method, path, content = op
        status, shown = self.answer(method, path, content)
        body = shown if status >= 400 else {"data": shown, "meta": {"served-by": f"node-{self.asked % 3}"}}
        data = b"" if status == 204 else json.dumps(body, indent=self.asked % 3).encode()
        fields = [("content-type", "application/json"), ("X-Request-Id", f"r-{self.asked}"), ("Via", "edge")]
        response = Response(status, Headers(fields), BytesBody(data), "Fine" if status < 400 else "Not so")
        return Interaction(self.request(op), response, started=START + self.asked)

    def request(self, op: Op) -> Request:
        """The request that a client makes."""
        method, path, content = op
        return request(method, f"https://{self.host}{path}", None if content is None else {"data": content})

    def copy(self) -> Todo:
        """The same world, on its own from here."""
        return replace(self, projects=dict(self.projects), tasks=dict(self.tasks))


@dataclass
class Boxes:
    """Things in boxes, as XML with an attribute that nobody models."""

    things: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def exchange(self, op: Op) -> Interaction:
        """The answer as it went over the wire, with the request."""
        method, path, content = op
        self.asked += 1
        status, data = 200, b""
        if "?list" in path:
            prefix = path.partition("prefix=")[2]
            shown = sorted(name for name in self.things if name.startswith(prefix))
            data = b"<Things x='1'>" + b"".join(b"<Name>%s</Name>" % name.encode() for name in shown) + b"</Things>"
        elif method == "PUT":
            if content == "refused":
                status, data = 400, b"<Error>no</Error>"
            else:
                self.things[path[3:]] = str(content)
        elif path[3:] in self.things:
            data = b"<Thing n='%d'>%s</Thing>" % (self.asked, self.things[path[3:]].encode())
        else:
            status, data = 404, b"<Error/>"
        headers = Headers([("ETag", f'"{self.asked}"')])
        return Interaction(self.request(op), Response(status, headers, BytesBody(data)), started=START + self.asked)

    def request(self, op: Op) -> Request:
        """The request that a client makes."""
        return request(op[0], f"https://store.test{op[1]}", op[2])


NAMES = st.sampled_from(["milk", "tea", "rye", "oats"])
SLUGS = st.sampled_from(["home", "work", "boat"])


def todo_ops(world: Todo) -> st.SearchStrategy[Op]:
    """What a client of this world may ask next: of things that are there, that were, and that never were."""
    projects = st.sampled_from([*world.projects, *(str(one["slug"]) for one in world.projects.values()), "100", "boat"])
    places = st.sampled_from([*world.tasks, *((key, "100") for key in world.projects), ("100", "100")])
    task = places.map(lambda place: f"/projects/{place[0]}/tasks/{place[1]}")
    changes = st.one_of(st.fixed_dictionaries({"name": NAMES}), st.fixed_dictionaries({"done": st.booleans()}))
    listing = st.tuples(projects, st.sampled_from(["", "?done=true", "?done=false"]))
    return st.one_of(
        st.just(("GET", "/projects", None)),
        st.tuples(st.just("GET"), projects.map(lambda name: f"/projects/{name}"), st.none()),
        st.tuples(st.just("GET"), listing.map(lambda pair: f"/projects/{pair[0]}/tasks{pair[1]}"), st.none()),
        st.tuples(st.just("GET"), task, st.none()),
        st.tuples(st.just("POST"), st.just("/projects"), st.fixed_dictionaries({"slug": SLUGS, "name": NAMES})),
        st.tuples(
            st.just("PUT"),
            projects.map(lambda name: f"/projects/{name}"),
            st.one_of(st.fixed_dictionaries({"name": NAMES}), st.fixed_dictionaries({"slug": SLUGS})),
        ),
        st.tuples(st.just("DELETE"), projects.map(lambda name: f"/projects/{name}"), st.none()),
        st.tuples(
            st.just("POST"),
            projects.map(lambda name: f"/projects/{name}/tasks"),
            st.fixed_dictionaries({"name": NAMES}),
        ),
        st.tuples(st.just("PUT"), task, changes),
        st.tuples(st.just("DELETE"), task, st.none()),
    )


@st.composite
def todo_tapes(draw: st.DrawFn, refuses: bool = False, longest: int = 14) -> tuple[Todo, list[Interaction]]:
    """A world as it was before the recording, and what a client of it recorded: first everything, then anything."""
    world = Todo(refuses)
    for slug in ("home", "work"):
        _, made = world.answer("POST", "/projects", {"slug": slug, "name": draw(NAMES)})
        assert isinstance(made, dict)
        for _ in range(draw(st.integers(0, 2))):
            world.answer("POST", f"/projects/{made['id']}/tasks", {"name": draw(NAMES), "done": draw(st.booleans())})
    before = world.copy()
    tape = [world.exchange(("GET", "/projects", None))]
    tape += [world.exchange(("GET", f"/projects/{key}/tasks", None)) for key in world.projects]
    for _ in range(draw(st.integers(0, longest))):
        tape.append(world.exchange(draw(todo_ops(world).filter(lambda op: fits(world, op)))))
    return before, tape


def fits(world: Todo, op: Op) -> bool:
    """Whether the op leaves slugs unique, which the tiny emulator takes for granted (and `refuses` looks after)."""
    if world.refuses and op[0] == "POST":
        return True
    if op[0] not in ("POST", "PUT") or not isinstance(op[2], dict) or "slug" not in op[2]:
        return True
    return all(one["slug"] != op[2]["slug"] for one in world.projects.values())


box_paths = st.sampled_from(["/b/x", "/b/a/x", "/b/a/", "/b/a/b/y"])
box_ops: st.SearchStrategy[Op] = st.one_of(
    st.tuples(st.just("GET"), box_paths, st.none()),
    st.tuples(st.just("PUT"), box_paths, st.sampled_from(["one", "two", "refused"])),
    st.tuples(st.just("GET"), st.sampled_from(["", "a/", "a/b"]).map(lambda p: f"/b?list&prefix={p}"), st.none()),
)


def shown(document: object) -> Json:
    """Of a document, what the emulator models."""
    assert isinstance(document, dict), document
    return {name: document[name] for name in ("id", "slug", "name", "done") if name in document}


Ask = Callable[[Op], object]
Ops = Sequence[Op]
