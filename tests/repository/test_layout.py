"""The rooms and their doors: imports point one way, services know no clock, and what is heavy stays outside."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A room may import itself, what stands below it in this table, and (where named) a room of its own line.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("pytest_plugin",),
    ("cli",),
    ("demo",),
    ("testing", "replaying"),
    ("front", "recording", "drift"),
    ("administration",),
    ("engine",),
    ("conversations",),
    ("emulator",),
    ("tapes", "child", "forwarding"),
    ("settings",),
    ("settings_lines", "interruption"),
    ("matching", "cassette", "timeline", "service", "redaction"),
    ("http", "errors", "answer"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
# Rooms of one line may know each other's values where it says so here; no two modules may know each other.
NEIGHBOURS = {
    ("service", "timeline"),  # an operation declares resource keys and gets a scope
    ("service", "matching"),  # an operation's canonical key is made of patterns
    ("timeline", "cassette"),  # hydration reads the tape
    ("timeline", "matching"),  # and gives each recording its canonical key
    ("cassette", "timeline"),  # the index stores facts and keys, which are values of the timeline
    ("timeline", "service"),  # and asks the service what a recording teaches
    ("cassette", "redaction"),  # nothing is written unredacted
    ("recording", "front"),  # one authority, and one environment for children, in recording and replay
    ("answer", "http"),
    ("http", "errors"),
}
SERVICES_MAY_IMPORT = {"service", "http", "errors", "timeline", "matching"}
LIMIT = 450
VAGUE = {"base", "common", "core", "handler", "helper", "helpers", "manager", "misc", "process", "util", "utils"}
CLOCKS_AND_CHANCE = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "time.monotonic",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
}
CHANCE_MODULES = {"random", "secrets"}

MODULES = sorted(path for folder in ("durable_replay", "services", "addons") for path in (ROOT / folder).rglob("*.py"))
IN_SERVICES = [path for path in MODULES if path.is_relative_to(ROOT / "services")]
SERVICES = sorted(path for path in (ROOT / "services").glob("durable_*") if path.is_dir())


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _dotted(path: Path) -> list[str]:
    """The module's name: `services/durable_s3/wire.py` is durable_s3, wire."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[0] in ("services", "addons"):
        parts = parts[1:]
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a module, wherever it stands, as (line, absolute name); `from a import b` gives `a.b`.

    Imports for types alone are imports too: they tie two rooms together all the same.
    """
    package = _dotted(path) if path.name == "__init__.py" else _dotted(path)[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def _rooms_imported(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "durable_replay" and len(parts) > 1 and parts[1] in LEVEL:
            yield line, parts[1]


def test_every_room_has_its_place() -> None:
    rooms = {
        path.stem
        for path in (ROOT / "durable_replay").iterdir()
        if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert rooms - set(LEVEL) == set()


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[len(ROOT.parts)] == "durable_replay"], ids=_named)
def test_imports_point_one_way(path: Path) -> None:
    dotted = _dotted(path)
    if len(dotted) < 2 or dotted[1] == "__main__":
        return  # the package itself shows what is below to its users
    # The contract is tests for a service's author, and stands where the builders for such tests do.
    here = "testing" if dotted[1:] == ["service", "contract"] else dotted[1]
    wrong = [
        f"line {line}: {here} imports {room}"
        for line, room in _rooms_imported(path)
        if room != here and LEVEL[room] <= LEVEL[here] and (here, room) not in NEIGHBOURS
    ]
    assert wrong == []


def _modules_imported(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of this project that a module imports; `from package import name` is the module or the package."""
    found = set()
    for _, name in imports(path):
        for candidate in (name, name.rpartition(".")[0]):
            if candidate in known:
                found.add(candidate)
                break
    return found


def test_no_two_modules_need_each_other() -> None:
    """However long the way round; CycleError names the modules on it."""
    known = {".".join(_dotted(path)): path for path in MODULES}
    graph = {name: _modules_imported(path, known) - {name} for name, path in known.items()}
    assert set(TopologicalSorter(graph).static_order()) == set(known)


@pytest.mark.parametrize("path", IN_SERVICES, ids=_named)
def test_a_service_knows_the_plugin_api_and_nothing_behind_it(path: Path) -> None:
    own = _dotted(path)[0]
    wrong = [f"line {line}: {room}" for line, room in _rooms_imported(path) if room not in SERVICES_MAY_IMPORT]
    wrong += [
        f"line {line}: {name}"
        for line, name in imports(path)
        if name.split(".")[0] in {"sqlite3", "sqlmodel", "sqlalchemy", "socket", "mitmproxy", "moto"}
        or (name.startswith("durable_") and name.split(".")[0] not in (own, "durable_replay"))
    ]
    assert wrong == []


def _qualified(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_qualified(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _tells_time_or_chance(name: str) -> bool:
    """Whether a dotted name ends as a forbidden call does: `datetime.now`, `dt.datetime.now`, `time.time`."""
    return name.split(".")[-2:] in [known.split(".")[-2:] for known in CLOCKS_AND_CHANCE]


@pytest.mark.parametrize("path", IN_SERVICES, ids=_named)
def test_a_service_takes_time_ids_and_chance_from_its_scope(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    wrong = [f"line {line}: {name}" for line, name in imports(path) if name.split(".")[0] in CHANCE_MODULES]
    wrong += [f"line {line}: {name}" for line, name in imports(path) if name in CLOCKS_AND_CHANCE]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _tells_time_or_chance(_qualified(node)):
            wrong.append(f"line {node.lineno}: {_qualified(node)}")
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "told"),
    [("datetime.now", True), ("dt.datetime.utcnow", True), ("time.time", True), ("scope.now", False), ("now", False)],
)
def test_a_clock_is_known_by_the_end_of_its_name(name: str, told: bool) -> None:
    assert _tells_time_or_chance(name) is told


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_only_recording_and_addons_import_mitmproxy(path: Path) -> None:
    at_home = path.is_relative_to(ROOT / "addons") or path.is_relative_to(ROOT / "durable_replay" / "recording")
    used = [line for line, name in imports(path) if name.split(".")[0] == "mitmproxy"]
    assert at_home or used == []


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LIMIT, "split it by what it holds"


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_a_module_is_named_after_what_it_holds(path: Path) -> None:
    assert path.stem not in VAGUE


@pytest.mark.parametrize("module", ["durable_replay.cli", "durable_replay.engine", "durable_replay.front"])
def test_replay_and_serve_load_neither_mitmproxy_nor_sqlmodel(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'mitmproxy', 'sqlmodel', 'sqlalchemy', 'pydantic', 'moto', 'boto3'}\n"
        "print(*sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_the_services_that_are_promised_are_there() -> None:
    assert {path.name for path in SERVICES} >= {"durable_s3", "durable_jira"}


@pytest.mark.parametrize("folder", SERVICES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", ["__init__.py", "routes.py", "wire.py", "README.md", "py.typed"])
def test_a_service_is_complete(folder: Path, name: str) -> None:
    assert (folder / name).is_file()


@pytest.mark.parametrize("folder", ["services", "addons", "tests"])
def test_a_folder_that_is_no_package_does_not_look_like_one(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_tests_hold_no_init_files() -> None:
    assert [_named(path) for path in (ROOT / "tests").rglob("__init__.py") if "distribution" not in path.parts] == []


def _has_behaviour(path: Path) -> bool:
    tree = ast.parse(path.read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


@pytest.mark.parametrize(
    "room",
    sorted(path for path in (ROOT / "durable_replay").iterdir() if (path / "__init__.py").exists()),
    ids=lambda room: room.name,
)
def test_a_room_with_behaviour_has_tests_under_its_name(room: Path) -> None:
    tests = list((ROOT / "tests" / room.name).rglob("test_*.py"))
    assert tests or not any(_has_behaviour(path) for path in room.rglob("*.py"))


def test_a_test_file_lies_beside_the_tests_of_its_room() -> None:
    rooms = {path.name for path in (ROOT / "durable_replay").iterdir() if path.is_dir()}
    elsewhere = {"end_to_end", "repository", "services", "addons", "benchmarks", "properties", "recordings"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    assert folders - rooms - elsewhere == set()


# Imported by a name that is not the distribution's, or brought along by one that is declared.
BROUGHT_BY = {"sqlalchemy": "sqlmodel", "click": "typer", "pydantic": "sqlmodel", "yaml": "pyyaml"}
EXTRAS = {
    "mitmproxy": ("durable_addons", "recording"),
    "pytest": ("pytest_plugin", "contract", "testing"),
    "hypothesis": ("contract",),
    **dict.fromkeys(("boto3", "botocore", "moto", "mypy_boto3_s3"), ("demo",)),
}


def _runtime_dependencies() -> set[str]:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return {re.split(r"[\[<>=!~; ]", line)[0] for line in lines}


@pytest.mark.parametrize("path", MODULES, ids=_named)
def test_whatever_is_imported_is_declared(path: Path) -> None:
    """`pip install durable-replay` must bring it: what only the `dev` extra installs fails at the user's."""
    declared = _runtime_dependencies()
    foreign = {(line, name.split(".")[0]) for line, name in imports(path)}
    wrong = [
        f"line {line}: {name}"
        for line, name in sorted(foreign)
        if name not in sys.stdlib_module_names
        and not name.startswith("durable_")
        and BROUGHT_BY.get(name, name) not in declared
        and not set(EXTRAS.get(name, ())) & set(_dotted(path))
    ]
    assert wrong == []
