"""What a child process needs so that its traffic comes to us and it believes our certificates.

    proxy           HTTP_, HTTPS_, WS_, WSS_ and ALL_PROXY and their lower-case forms
    direct          NO_PROXY, no_proxy: loopback, but for the loopback hosts that are to be replayed
    replace a store SSL_CERT_FILE and its kin: a merged bundle (default roots, what the variable named before, ours)
    add to a store  NODE_EXTRA_CA_CERTS: ours alone (and what the variable named before)
    Node, Java      NODE_USE_ENV_PROXY=1; JAVA_TOOL_OPTIONS with a trust store and proxy properties

`ALL_PROXY` is set because one that is inherited would lead traffic past us; a scheme that this proxy does not speak
is refused by name. `PIP_CERT` is left alone: pip follows REQUESTS_CA_BUNDLE, and its own variable outranks that only
where a user has set it, in which case it is merged like the others.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from durable_replay.front.tls import Authority, write_atomically
from durable_replay.front.trust import JAVA_PASSWORD, java_trust_store, merged_bundle

__all__ = ["LOOPBACK", "REPLACING", "child_environment", "shell_lines"]

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
REPLACING: Final = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "HTTPLIB2_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NIX_SSL_CERT_FILE",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "DENO_CERT",
)
ONLY_IF_SET: Final = ("PIP_CERT", "NPM_CONFIG_CAFILE", "npm_config_cafile", "PERL_LWP_SSL_CA_FILE")


def child_environment(
    proxy_url: str,
    authority: Authority,
    base: Mapping[str, str] | None = None,
    loopback_hosts: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """`base` (None: our own environment) with everything set that makes a child use this proxy.

    `loopback_hosts` are the loopback names that go through the proxy all the same, because they are mapped or
    recorded. Trust stores are written beside the authority; their names hold their content's hash, so that two runs
    do not disturb each other.
    """
    given = dict(os.environ if base is None else base)
    return {
        **given,
        **_proxies(proxy_url),
        **_direct(given, loopback_hosts),
        **_stores(given, authority),
        **_node(given, authority),
        **_java(given, proxy_url, authority, loopback_hosts),
    }


def shell_lines(environment: Mapping[str, str], base: Mapping[str, str] | None = None) -> list[str]:
    """`export NAME='value'` for everything that `child_environment` changed."""
    given = os.environ if base is None else base
    changed = {name: value for name, value in sorted(environment.items()) if given.get(name) != value}
    return [
        f"export {name}='{value.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'" for name, value in changed.items()
    ]


def _proxies(url: str) -> dict[str, str]:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "WS_PROXY", "WSS_PROXY", "ALL_PROXY")
    return {form: url for name in names for form in (name, name.lower())}


def _is_loopback(entry: str) -> bool:
    name = entry.strip().lower().strip("[]")
    return name in LOOPBACK or name.startswith("127.")


def _direct(given: Mapping[str, str], proxied: frozenset[str]) -> dict[str, str]:
    # Hosts that were direct before are exactly what a recording wants to see, so only loopback stays.
    before = (given.get("NO_PROXY") or given.get("no_proxy") or "").split(",")
    entries = dict.fromkeys((*LOOPBACK, *(entry.strip() for entry in before if _is_loopback(entry))))
    text = ",".join(entry for entry in entries if entry not in proxied)
    return {"NO_PROXY": text, "no_proxy": text}


def _written(authority: Authority, stem: str, suffix: str, data: bytes) -> str:
    path = authority.directory / f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    if not path.exists():
        write_atomically(path, data)
    return str(path)


def _bundle(authority: Authority, earlier: str) -> str:
    data = merged_bundle(authority.pem, [earlier] if earlier else [])
    return _written(authority, "bundle", ".pem", data)


def _stores(given: Mapping[str, str], authority: Authority) -> dict[str, str]:
    named = (*REPLACING, *(name for name in ONLY_IF_SET if given.get(name)))
    files = {earlier: _bundle(authority, earlier) for earlier in {given.get(name, "") for name in named}}
    return {name: files[given.get(name, "")] for name in named}


def _node(given: Mapping[str, str], authority: Authority) -> dict[str, str]:
    earlier = given.get("NODE_EXTRA_CA_CERTS", "")
    path = str(authority.path)
    if earlier and earlier != path and Path(earlier).is_file():
        path = _written(authority, "node", ".pem", authority.pem + b"\n" + Path(earlier).read_bytes())
    return {"NODE_EXTRA_CA_CERTS": path, "NODE_USE_ENV_PROXY": "1"}


def _java(given: Mapping[str, str], url: str, authority: Authority, proxied: frozenset[str]) -> dict[str, str]:
    bundle = merged_bundle(authority.pem, [])
    store = _written(authority, "java", ".jks", java_trust_store(bundle))
    where = urlsplit(url)
    direct = "|".join(name for name in ("localhost", "127.0.0.1", "[::1]") if name.strip("[]") not in proxied)
    properties = {
        "javax.net.ssl.trustStore": store,
        "javax.net.ssl.trustStoreType": "JKS",
        "javax.net.ssl.trustStorePassword": JAVA_PASSWORD,
        "http.proxyHost": where.hostname or "127.0.0.1",
        "http.proxyPort": str(where.port or 80),
        "https.proxyHost": where.hostname or "127.0.0.1",
        "https.proxyPort": str(where.port or 80),
        "http.nonProxyHosts": direct,
    }
    options = [f"-D{name}={value}" for name, value in properties.items()]
    quoted = [f'"{option}"' if " " in option or "|" in option else option for option in options]
    return {"JAVA_TOOL_OPTIONS": " ".join(filter(None, (given.get("JAVA_TOOL_OPTIONS", ""), *quoted)))}
