"""The authority and its leaves."""

from __future__ import annotations

import multiprocessing
import os
import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from durable_replay.errors import UsageError
from durable_replay.front.tls import Authority, authority_directory


def _open(directory: str) -> bytes:
    return Authority.load_or_create(Path(directory)).pem


def _handshake(authority: Authority, context_host: str, asked: str) -> dict[str, object]:
    """The leaf that a strict client accepts, by memory alone."""
    client_context = ssl.create_default_context(cadata=authority.pem.decode())
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=asked)
    server = authority.context(context_host).wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return dict(client.getpeercert() or {})


@pytest.mark.parametrize("host", ["api.test", "xn--bcher-kva.test", "under_score.test", "a" * 60 + ".long.test"])
def test_a_strict_client_accepts_a_leaf_by_name(authority: Authority, host: str) -> None:
    assert _handshake(authority, "localhost", host)["subjectAltName"] == (("DNS", host),)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_strict_client_accepts_a_leaf_by_address(authority: Authority, host: str) -> None:
    connect_host = f"[{host}]" if ":" in host else host
    names = _handshake(authority, connect_host, host)["subjectAltName"]
    assert isinstance(names, tuple) and names[0][0] == "IP Address"


def test_leaves_live_397_days_at_most_and_contexts_are_kept(authority: Authority) -> None:
    leaf = authority.leaf("api.test")
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)
    assert authority.context("api.test") is authority.context("api.test")


def test_the_authority_is_made_once_and_its_key_is_for_its_user_alone(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "ca"
    first = Authority.load_or_create(directory)
    assert Authority.load_or_create(directory).pem == first.pem == first.path.read_bytes()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "authority.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in first.path.read_bytes()
    assert sorted(path.name for path in directory.iterdir()) == ["authority.pem", "ca.pem"]


def test_processes_that_start_at_once_end_with_one_authority(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_open, [str(tmp_path / "ca")] * 4, chunksize=1))) == 1


def test_an_environment_variable_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLE_REPLAY_CA_DIR", str(tmp_path))
    assert authority_directory() == tmp_path
    monkeypatch.delenv("DURABLE_REPLAY_CA_DIR")
    assert authority_directory().name == "durable-replay"


def test_a_constrained_authority_is_trusted_for_its_hosts_alone(tmp_path: Path) -> None:
    authority = Authority.for_hosts(["api.test"], tmp_path)
    assert _handshake(authority, "sub.api.test", "sub.api.test")["subjectAltName"] == (("DNS", "sub.api.test"),)
    for other in ("other.test", "127.0.0.1"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"permitted subtree|excluded subtree"):
            _handshake(authority, other, other)
    with pytest.raises(UsageError):
        Authority.for_hosts([], tmp_path)


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_authority_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    pair = tmp_path / "authority.pem"
    pair.write_bytes(content)
    with pytest.raises(UsageError, match=r"authority\.pem.*delete"):
        Authority.load_or_create(tmp_path)
    assert pair.read_bytes() == content


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="DURABLE_REPLAY_CA_DIR"):
        Authority.load_or_create(tmp_path / "file")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_key_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    Authority.load_or_create(tmp_path)
    (tmp_path / "authority.pem").chmod(0o644)
    Authority.load_or_create(tmp_path)
    assert stat.S_IMODE((tmp_path / "authority.pem").stat().st_mode) == 0o600


def test_the_root_says_what_it_may_do(authority: Authority) -> None:
    basic = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical and basic.value.ca and basic.value.path_length == 0
