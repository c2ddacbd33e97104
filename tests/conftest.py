"""What every test gets: loopback only, no file of the user's own, and a hypothesis profile.

The guard sees what Python's socket module does in this process; child processes and uvloop's own C sockets are held
by the end-to-end tests' refusing resolver instead.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE: list[str] = []
"""Addresses outside this machine that were asked for since the test began; the audit hook has no other way out."""


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if not isinstance(host, str) or host in ("", "localhost", "<broadcast>") or host.endswith(".localhost"):
        return True
    if host == socket.gethostname():  # servers of the standard library ask for their own name
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _refuse_the_network(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        sock, address = args[:2]
        family = getattr(sock, "family", None)
        if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if _is_loopback(host):
        return
    if str(host).endswith(".invalid"):  # by RFC 6761 nobody has this name; answered here, without asking a server
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    OUTSIDE.append(f"{event} {host}")
    raise PermissionError(f"tests dial loopback only: {event} {host}")


sys.addaudithook(_refuse_the_network)


@pytest.fixture(autouse=True)
def dialled() -> Iterator[list[str]]:
    """The addresses outside this machine that this test reached for; it fails if there are any at its end, even if
    the code under test caught the error."""
    OUTSIDE.clear()
    yield OUTSIDE
    assert not OUTSIDE, f"this test reached for the network: {OUTSIDE}"


@pytest.fixture(scope="session", autouse=True)
def signals_reach_children() -> None:
    """A signal that this process ignores, as under nohup or as a script's background job, is one that its children
    would ignore from their begin, whatever a test sends them; a handler that does nothing is not inherited."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda number, frame: None)


@pytest.fixture(scope="session", autouse=True)
def no_files_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Points everything that would land in the user's directories at a folder of this run; gives that folder."""
    home = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DURABLE_REPLAY_CA_DIR", str(home / "ca"))
        patch.setenv("DURABLE_REPLAY_REDACTION_KEY_FILE", str(home / "redaction.key"))
        for name in ("DATA", "CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("AWS_CONFIG_FILE", str(home / "aws-config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws-credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # boto3 would dial 169.254.169.254 for credentials
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        yield home


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that are no text go by their length: compressed ones hold the time, and workers must agree on names."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return f"{len(val)} bytes"
    return None


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's recordings and descriptions; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("DURABLE_SHARED") or ROOT.parent / "shared")
    if not (folder / "recordings").is_dir():
        pytest.skip(f"no shared recordings at {folder}; name their folder in DURABLE_SHARED")
    return folder


# `ci` gives the same answer for the same code on every machine; `nightly` looks for what nobody has seen.
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=50,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)
settings.register_profile("dev", deadline=None, max_examples=20, print_blob=True)
settings.register_profile(
    "nightly", deadline=None, max_examples=1000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
