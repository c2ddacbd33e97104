"""What a child process is given, tried with the programs that read it."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from durable_replay.front.environment import REPLACING, child_environment, shell_lines
from durable_replay.front.tls import Authority
from durable_replay.front.trust import default_roots, merged_bundle

PROXY = "http://worker-7@127.0.0.1:8080"


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    """A company's own authority, trusted before us."""
    return Authority.load_or_create(tmp_path / "other")


def test_the_proxy_is_named_in_both_cases_and_loopback_stays_direct(authority: Authority) -> None:
    given = {"NO_PROXY": "api.test,127.0.0.2", "ALL_PROXY": "socks5://elsewhere:1", "HOME": "/h"}
    made = child_environment(PROXY, authority, given)
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        assert made[name] == PROXY
    assert made["NO_PROXY"] == made["no_proxy"] == "localhost,127.0.0.1,::1,127.0.0.2"
    assert made["HOME"] == "/h"


def test_loopback_hosts_that_are_replayed_are_not_direct(authority: Authority) -> None:
    made = child_environment(PROXY, authority, {}, frozenset(("127.0.0.1", "localhost")))
    assert made["NO_PROXY"] == "::1" and "http.nonProxyHosts=[::1]" in made["JAVA_TOOL_OPTIONS"]


def test_bundles_hold_default_roots_the_earlier_file_and_ours(authority: Authority, other: Authority) -> None:
    made = child_environment(PROXY, authority, {"SSL_CERT_FILE": str(other.path)})
    for name in REPLACING:
        data = Path(made[name]).read_bytes()
        assert authority.pem.strip() in data
        assert all(root in data for root in default_roots()[:3])
        assert (other.pem.strip() in data) is (name == "SSL_CERT_FILE")
        assert ssl.create_default_context(cafile=made[name]).cert_store_stats()["x509_ca"] > 0


def test_node_gets_ours_alone_unless_something_was_there(authority: Authority, other: Authority) -> None:
    made = child_environment(PROXY, authority, {})
    assert made["NODE_EXTRA_CA_CERTS"] == str(authority.path) and made["NODE_USE_ENV_PROXY"] == "1"
    made = child_environment(PROXY, authority, {"NODE_EXTRA_CA_CERTS": str(other.path)})
    data = Path(made["NODE_EXTRA_CA_CERTS"]).read_bytes()
    assert data.count(b"BEGIN CERTIFICATE") == 2 and other.pem in data


def test_pips_own_variable_is_merged_only_where_it_was_set(authority: Authority, other: Authority) -> None:
    assert "PIP_CERT" not in child_environment(PROXY, authority, {})
    made = child_environment(PROXY, authority, {"PIP_CERT": str(other.path)})
    assert other.pem.strip() in Path(made["PIP_CERT"]).read_bytes()


def test_a_merged_bundle_survives_a_second_merge_unchanged(authority: Authority, tmp_path: Path) -> None:
    once = merged_bundle(authority.pem, [])
    (tmp_path / "once.pem").write_bytes(once)
    assert merged_bundle(authority.pem, [str(tmp_path / "once.pem")]) == once


def test_java_reads_its_trust_store_and_keeps_earlier_options(authority: Authority) -> None:
    options = child_environment(PROXY, authority, {"JAVA_TOOL_OPTIONS": "-Xmx64m"})["JAVA_TOOL_OPTIONS"]
    assert re.match('-Xmx64m "?-Djavax.net.ssl.trustStore=', options)
    assert "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8080" in options
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("keytool is not installed")
    store = options.partition("trustStore=")[2].partition(".jks")[0] + ".jks"
    command = [keytool, "-list", "-keystore", store, "-storepass", "changeit"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{len(default_roots()) + 1} entries" in listed and "trustedCertEntry" in listed


def test_shell_lines_are_only_what_changed_and_quoted(authority: Authority) -> None:
    made = {"A": "same", "B": "it's", "C": "new"}
    assert shell_lines(made, {"A": "same", "B": "old"}) == ["export B='it'\\''s'", "export C='new'"]
