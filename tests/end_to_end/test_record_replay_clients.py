"""Programs of every kind are recorded against a real server and replayed with it gone: same output, exit code 0."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.end_to_end.record_replay import SCRIPTS, Completed, json_service, moto_server, recorded, replayed

AWS = str(Path(sys.executable).with_name("aws"))
PYTHON = sys.executable
BASH = "bash"
Command: TypeAlias = "list[str | Path]"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """For aws-cli, which wants some; moto takes any."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_boto3_is_replayed_and_may_then_go_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program: Command = [PYTHON, SCRIPTS / "with_boto3.py"]
    with moto_server() as authority:
        monkeypatch.setenv("S3", f"http://{authority}")
        first = recorded(tmp_path, program, "--map", f"{authority}=s3")
    again = replayed(tmp_path, program, "--strict")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    assert "NoSuchKey" in first.stdout
    monkeypatch.setenv("DEVIATE", "yes")
    other = replayed(tmp_path, program)
    recorded_part, _, own_part = other.stdout.partition("-- not as recorded\n")
    assert (other.returncode, recorded_part) == (0, first.stdout), other.stderr
    assert own_part.splitlines() == [
        "purr True {}",
        "1000",
        "404",
        "[('cat.txt', 4), ('copy.bin', 1000)]",
        "True",
    ]
    assert replayed(tmp_path, program, "--strict").returncode == 1  # emulated answers are misses to a strict run


def test_a_browsers_upload_by_a_signed_policy_is_replayed_though_policy_and_signature_are_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program: Command = [PYTHON, SCRIPTS / "post_policy.py"]
    monkeypatch.setenv("TIMES", "5000")  # 1.2 MiB, more than is parsed at once
    with moto_server() as authority:
        monkeypatch.setenv("S3", f"http://{authority}")
        first = recorded(tmp_path, program, "--map", f"{authority}=s3")
    assert first.stdout.count(" 201 ") == 4, first.stdout
    again = replayed(tmp_path, program, "--strict")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
    monkeypatch.setenv("DEVIATE", "yes")
    other = replayed(tmp_path, program)
    assert other.stdout == f"{first.stdout}501\n", other.stderr  # another file's content is another request


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Completed]:
    """What each client printed while it was recorded, and in a strict replay without the servers: two folders of
    files `CLIENT-SCHEME`; and how the replay ended."""
    folder = tmp_path_factory.mktemp("clients")
    (first := folder / "recorded").mkdir()
    (again := folder / "replayed").mkdir()
    told = {"PYTHON": sys.executable, "SCRIPTS": str(SCRIPTS)}
    with json_service() as plain, json_service(folder) as secure:
        told |= {"PLAIN": plain, "SECURE": secure}
        settings = ["env", *(f"{name}={value}" for name, value in told.items())]
        program: Command = [*settings, BASH, SCRIPTS / "all_clients.sh"]
        recorded(folder, [*program, first], "--include-loopback", "--upstream-ca", str(folder / "ca.pem"))
    return first, again, replayed(folder, [*program, again], "--strict")


def test_a_strict_replay_of_all_clients_has_no_miss(outputs: tuple[Path, Path, Completed]) -> None:
    done = outputs[2]
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert re.fullmatch(r"replay: \d+ recorded\n", done.stderr)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", ["requests", "httpx", "aiohttp", "curl"])
def test_an_http_client_is_replayed(client: str, scheme: str, outputs: tuple[Path, Path, Completed]) -> None:
    if client == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    _same(f"{client}-{scheme}", outputs)


def test_node_through_an_agent_of_its_own_is_replayed(outputs: tuple[Path, Path, Completed]) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    _same("node-https", outputs)


def _same(name: str, outputs: tuple[Path, Path, Completed]) -> None:
    first, again = (folder / name for folder in outputs[:2])
    assert first.read_text().count('"answer"') == 4  # no two answers of the server are alike
    assert "no such note" in first.read_text()
    assert again.read_bytes() == first.read_bytes()


def test_awscli_is_replayed(tmp_path: Path) -> None:
    program: Command = [BASH, SCRIPTS / "with_awscli.sh", AWS]
    with moto_server() as authority:
        first = recorded(tmp_path, [*program, f"http://{authority}"], "--map", f"{authority}=s3")
    assert first.stdout.endswith("woof\n"), first.stdout
    again = replayed(tmp_path, [*program, f"http://{authority}"], "--strict")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr


def test_a_server_whose_certificate_nobody_vouches_for_is_not_recorded(tmp_path: Path) -> None:
    program: Command = [PYTHON, "-c", "import sys, requests; print(requests.get(sys.argv[1] + '/notes/9').status_code)"]
    with json_service(tmp_path) as url:
        done = recorded(tmp_path, [*program, url], "--include-loopback")
    assert done.stdout == "502\n"
