"""The wheel alone: what is in it, and that it serves S3 where mitmproxy does not exist."""

from __future__ import annotations

import configparser
import os
import re
import signal
import site
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 30  # seconds, on a machine that is busy with other tests

# One server process and one build for all tests of this file, on whichever worker they run.

# Stands for a machine on which mitmproxy and the tools of development were never installed.
BLOCK = '''
import sys

class Absent:
    """Says of what `pip install durable-replay` does not bring that it is not there."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
'''
ABSENT = ("aiohttp", "boto3", "botocore", "hypothesis", "jira", "mitmproxy", "moto", "requests", "yaml")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def _bin(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a new venv with the wheel and its run-time dependencies, borrowed from this environment by path.

    The borrowed folder comes after the venv's own, and without its `.pth` files, so that the editable checkout is not
    in it.
    """
    folder = tmp_path_factory.mktemp("alone") / "venv"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    install = [sys.executable, "-m", "pip", "--python", str(next(_bin(folder).glob("python*"))), "install"]
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run([*install, *options], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    borrowed = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()])
    (packages / "_absent.py").write_text(BLOCK.format(absent=ABSENT))
    (packages / "borrowed.pth").write_text("\n".join(["import _absent", *borrowed]) + "\n")
    return _bin(folder)


def _run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")


def test_every_top_level_name_begins_with_durable(contents: list[str]) -> None:
    assert {name.partition("/")[0] for name in contents if not name.startswith("durable_")} == set()


def test_every_package_file_of_the_checkout_is_in_the_wheel(contents: list[str]) -> None:
    """Modules and data files alike: `*.json`, `*.lark`, `*.txt`, READMEs, `py.typed`."""
    folders = [ROOT / "durable_replay", *ROOT.glob("services/durable_*"), *ROOT.glob("addons/durable_*")]
    expected = {
        path.relative_to(folder.parent).as_posix()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - set(contents) == set()


def test_every_package_is_typed(contents: list[str]) -> None:
    packages = {name.partition("/")[0] for name in contents if "dist-info" not in name}
    assert {"durable_replay", "durable_addons", "durable_s3", "durable_jira"} <= packages
    assert {package for package in packages if f"{package}/py.typed" not in contents} == set()


def test_nothing_else_is_in_the_wheel(contents: list[str]) -> None:
    assert [name for name in contents if "/tests/" in name or "__pycache__" in name or ".cassette" in name] == []


def test_the_entry_points_are_those_that_the_docs_name(wheel: Path, contents: list[str]) -> None:
    (name,) = (name for name in contents if name.endswith("dist-info/entry_points.txt"))
    parser = configparser.ConfigParser(delimiters=("=",))
    with zipfile.ZipFile(wheel) as archive:
        parser.read_string(archive.read(name).decode())
    assert {"durable-replay", "durable-mock-s3", "durable-mock-jira"} <= set(parser["console_scripts"])
    assert dict(parser["pytest11"]) == {"durable_replay": "durable_replay.pytest_plugin"}
    services = dict(parser["durable_replay.services"])
    assert services == {name: f"durable_{name}:service" for name in services}
    assert {"s3", "jira"} <= set(services)


@pytest.fixture
def python(alone: Path) -> Path:
    return next(alone.glob("python*"))


def test_the_venv_holds_the_wheel_and_no_mitmproxy(python: Path) -> None:
    done = _run(
        [python, "-c", "import durable_replay, durable_s3; print(durable_replay.__file__, durable_s3.__file__)"]
    )
    assert done.returncode == 0, done.stderr
    assert all(Path(file).is_relative_to(python.parent.parent) for file in done.stdout.split())
    absent = _run([python, "-c", "import mitmproxy"])
    assert "ModuleNotFoundError: No module named 'mitmproxy'" in absent.stderr


@pytest.mark.parametrize("name", ["durable-replay", "durable-mock-s3", "durable-mock-jira"])
def test_the_command_is_there_and_helps(alone: Path, name: str) -> None:
    done = _run([alone / name, "--help"])
    assert done.returncode == 0, done.stderr
    assert name in done.stdout


def test_recording_without_the_extra_says_what_to_install(alone: Path, tmp_path: Path) -> None:
    done = _run([alone / "durable-replay", "record", "-c", tmp_path / "x.cassette", "--", "true"])
    assert done.returncode == 2
    assert "durable-replay[record]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def s3(alone: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`durable-replay serve s3` and the address that its ready line names."""
    command: list[str | Path] = [alone / "durable-replay", "serve", "s3", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", env=environment
    ) as server:
        try:
            yield server, _address(server)
        finally:
            server.kill()


def _say(server: subprocess.Popen[str], said: Queue[str]) -> None:
    """Hands on each line of the server, then an empty one; reads on to the end, so that its pipe never fills."""
    assert server.stdout is not None
    for line in server.stdout:
        said.put(line)
    said.put("")


def _address(server: subprocess.Popen[str]) -> str:
    """The first `http://127.0.0.1:port` that the server prints; fails with all that it said if it never does."""
    said: Queue[str] = Queue()
    Thread(target=_say, args=(server, said), daemon=True).start()
    seen: list[str] = []
    while line := said.get(timeout=READY_WITHIN):
        seen.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    pytest.fail(f"the server ended before it was ready: {seen}")


def test_the_wheel_alone_serves_s3(s3: tuple[subprocess.Popen[str], str]) -> None:
    server, address = s3
    with httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
        assert client.put("/photos").status_code == 200
        assert client.put("/photos/cat.jpg", content=b"meow").status_code == 200
        answer = client.get("/photos/cat.jpg")
    assert (answer.status_code, answer.content) == (200, b"meow")
    assert answer.headers["x-durable-source"] == "emulated"
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=20) == 0
