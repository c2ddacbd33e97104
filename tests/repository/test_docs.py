"""Docs cannot lie: commands, snippets, links, decisions and dependencies are compared with what is really there."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("services/**/*.md"), *ROOT.glob("cassettes/*.md")]
)
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
DECISION = re.compile(r"(\d{4})-[a-z0-9-]+\.md")


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Commands ------------------------------------------------------------------------------------------------------------


def _walk(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for child, below in command.commands.items():
            yield from _walk(below, f"{name} {child}")
    elif isinstance(command, TyperCommand) and not command.hidden:
        yield name, command


def commands() -> dict[str, TyperCommand]:
    """Every command that a user can type, by its whole name."""
    app = importlib.import_module("durable_replay.cli").app
    return dict(_walk(typer.main.get_command(app), "durable-replay"))


def test_the_commands_of_the_main_job_are_there() -> None:
    promised = {"record", "replay", "serve", "services", "ca", "env", "demo"}
    promised |= {f"cassette {name}" for name in ("list", "show", "stats")}
    typed = " | ".join(commands())
    assert [name for name in sorted(promised) if not re.search(rf"durable-replay {name}\b", typed)] == []


def test_every_command_has_help() -> None:
    assert [name for name, command in commands().items() if not (command.help or "").strip()] == []


def test_every_option_has_help() -> None:
    silent = [
        f"{name} {parameter.name}"
        for name, command in commands().items()
        for parameter in command.params
        if isinstance(parameter, TyperOption) and not (parameter.help or parameter.hidden)
    ]
    assert silent == []


def test_the_help_of_every_command_has_an_example_of_itself() -> None:
    def example(name: str, command: TyperCommand) -> bool:
        text = f"{command.help or ''}\n{command.epilog or ''}"
        return name in text.partition("xample")[2]

    assert [name for name, command in commands().items() if not example(name, command)] == []


def test_every_command_has_a_place_in_the_docs() -> None:
    text = "\n".join(path.read_text("utf-8") for path in PAGES if path.name != "CHANGELOG.md")
    assert [name for name in commands() if not re.search(rf"{name}\b", text)] == []


# Snippets and links --------------------------------------------------------------------------------------------------


def _snippets(language: str) -> list[Any]:
    found = []
    for path in PAGES:
        text = path.read_text("utf-8")
        for match in FENCE.finditer(text):
            if match[1] == language:
                line = text[: match.start()].count("\n") + 1
                found.append(pytest.param(match[2], id=f"{_named(path)}:{line}"))
    return found


@pytest.mark.parametrize("code", _snippets("python"))
def test_python_in_the_docs_parses(code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize("code", _snippets("toml"))
def test_toml_in_the_docs_parses(code: str) -> None:
    tomllib.loads(code)


@pytest.mark.parametrize("code", _snippets("bash"))
def test_bash_in_the_docs_parses(code: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    done = subprocess.run([bash, "-n"], input=code, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr


def _anchors(path: Path) -> set[str]:
    """The anchors of a page as GitHub makes them: lower case, no punctuation, hyphens for spaces."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=_named)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", path.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        page = path.parent / target if target else path
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        if not page.exists() or (anchor and page.suffix == ".md" and anchor not in _anchors(page)):
            broken.append(link)
    assert broken == []


def test_the_readme_says_how_to_start() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert [word for word in ("make demo", "make test", "record", "replay", "diff", "serve") if word not in text] == []


# Decisions and dependencies ------------------------------------------------------------------------------------------


def test_decisions_are_numbered_without_gaps() -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").iterdir())
    numbers = [int(match[1]) for match in map(DECISION.fullmatch, pages) if match]
    assert numbers == list(range(1, len(pages) + 1))


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.name[:4])
def test_a_decision_gives_context_choice_and_what_was_given_up(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert [word for word in ("Context", "Choice", "Given up") if word.lower() not in text.lower()] == []


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _dependencies() -> set[str]:
    project = _project()
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=!~; ]", line)[0] for lines in lists for line in lines}
    return names - {project["name"]}


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    text = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text("utf-8")
    reasons = re.findall(r"^- `([\w-]+)`: \S+", text, re.MULTILINE)
    assert sorted(reasons) == sorted(_dependencies())


def test_the_changelog_knows_this_version() -> None:
    assert f"## {_project()['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
