"""The guard of tests/conftest.py is itself held: a guard that lets something through would never be noticed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest


def _dial() -> None:
    with socket.socket() as sock:
        sock.connect(("192.0.2.1", 9))


def _send() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"?", ("192.0.2.1", 9))


def _look_up() -> None:
    socket.getaddrinfo("example.com", 443)


@pytest.mark.parametrize("reach", [_dial, _send, _look_up])
def test_an_address_outside_this_machine_is_refused_and_remembered(
    reach: Callable[[], None], dialled: list[str]
) -> None:
    with pytest.raises(PermissionError, match="loopback only"):
        reach()
    assert len(dialled) == 1
    dialled.clear()


def test_loopback_is_let_through(dialled: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]) as client:
        assert client.getpeername() == server.getsockname()
    assert dialled == []


def test_a_name_under_invalid_is_unknown_without_a_query(dialled: list[str]) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nobody.invalid", 443)
    assert dialled == []


def test_keys_and_data_go_to_a_folder_of_this_run(no_files_of_the_user: Path) -> None:
    for name in ("DURABLE_REPLAY_CA_DIR", "DURABLE_REPLAY_REDACTION_KEY_FILE", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        assert no_files_of_the_user in Path(os.environ[name]).parents
