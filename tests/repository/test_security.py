"""What must never stand in a tracked file, and what the package must never call."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = sorted(path for folder in ("durable_replay", "services", "addons") for path in (ROOT / folder).rglob("*.py"))

# Shapes of real credentials. Tests plant made-up ones: those hold EXAMPLE (as AWS's own documentation does), or are
# put together at run time.
SECRETS = {
    "private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "AWS access key": re.compile(rb"\b(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b"),
    "GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
    "Slack token": re.compile(rb"\bxox[abprs]-[0-9]{8,}-[0-9A-Za-z-]{10,}"),
    "Google key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    "Atlassian token": re.compile(rb"\bATATT3[A-Za-z0-9_=-]{40,}"),
    "Discord bot token": re.compile(rb"\b[MN][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
}
NEWLINE = b"\n"
HOMES = re.compile(rb"(?:/home/(?!user\b|you\b|me\b)[a-z][\w.-]*/|/Users/(?!you\b|me\b)[A-Za-z][\w.-]*/|/root/)[\w.]")


def tracked() -> list[Path]:
    """Every file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def _finds(pattern: re.Pattern[bytes]) -> list[str]:
    """Where a pattern stands; never what stood there."""
    return [
        f"{path.relative_to(ROOT)}:{1 + data[: match.start()].count(NEWLINE)}"
        for path in tracked()
        for data in [path.read_bytes()]
        for match in pattern.finditer(data)
    ]


@pytest.mark.parametrize("kind", SECRETS)
def test_no_tracked_file_holds_a_credential(kind: str) -> None:
    assert _finds(SECRETS[kind]) == []


def test_no_tracked_file_names_a_home_directory() -> None:
    assert _finds(HOMES) == []


def test_no_cassette_of_a_user_is_tracked() -> None:
    stray = [p for p in tracked() if p.suffix == ".cassette" and ROOT / "cassettes" not in p.parents]
    assert [path for path in stray if ROOT / "tests" not in path.parents] == []


def _calls(path: Path) -> list[tuple[int, str, ast.Call]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [(node.lineno, ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PACKAGE, ids=_named)
def test_the_package_never_trusts_what_it_should_check(path: Path) -> None:
    """No unverified TLS, no loader that runs what it reads, no shell, no code from text."""
    forbidden = {"eval", "exec", "yaml.load", "yaml.unsafe_load", "os.system", "tempfile.mktemp", "marshal.loads"}
    wrong = [f"line {line}: {name}" for line, name, _ in _calls(path) if name in forbidden]
    wrong += [
        f"line {line}: {keyword.arg}={ast.unparse(keyword.value)}"
        for line, _, call in _calls(path)
        for keyword in call.keywords
        if (keyword.arg, ast.unparse(keyword.value)) in {("verify", "False"), ("shell", "True")}
    ]
    assert wrong == []


@pytest.mark.parametrize("path", PACKAGE, ids=_named)
def test_the_package_never_unpickles(path: Path) -> None:
    unsafe = {"pickle", "cPickle", "dill", "shelve", "marshal", "jsonpickle"}
    tree = ast.parse(path.read_text("utf-8"))
    found = {alias.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    found |= {(n.module or "").split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert found & unsafe == set()


@pytest.mark.parametrize("kind", SECRETS)
def test_the_patterns_find_what_they_are_for(kind: str) -> None:
    planted = {
        "private key": b"-----BEGIN " + b"RSA PRIVATE KEY-----\n" + b"A" * 64,
        "AWS access key": b"AKIA" + b"Q" * 16,
        "GitHub token": b"ghp_" + b"a" * 36,
        "Slack token": b"xoxb-" + b"1" * 12 + b"-" + b"a" * 24,
        "Google key": b"AIza" + b"b" * 35,
        "Atlassian token": b"ATATT3" + b"x" * 60,
        "Discord bot token": b"M" + b"T" * 23 + b"." + b"G" * 6 + b"." + b"z" * 30,
    }
    assert SECRETS[kind].search(b"token = '" + planted[kind] + b"'")
