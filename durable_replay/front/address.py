"""Which host, which session a parsed request means: the three forms of a target, and what only the proxy reads."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from durable_replay.front.refusal import Refusal
from durable_replay.front.wire import Inbound
from durable_replay.http import EMPTY, Body, Headers, Request

__all__ = ["DEFAULT_SESSION", "Call", "Origin", "address", "is_loopback", "session_name", "split_authority", "tunnel"]

DEFAULT_SESSION: Final = "default"
_SESSION: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_HOST: Final = re.compile(r"[a-z0-9._~-]{1,255}|\[[0-9a-f:.]{2,45}\]")
_OURS: Final = frozenset((b"proxy-authorization", b"proxy-connection", b"x-durable-session"))
_LOOPBACK: Final = re.compile(r"localhost|127(\.\d{1,3}){3}|\[::1\]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection's requests go unless they say otherwise: a tunnel's far end, or a direct endpoint
    (`host` is empty)."""

    scheme: Literal["http", "https"] = "http"
    host: str = ""
    port: int = 0
    session: str = ""

    @property
    def tag(self) -> str:
        """One word for all of it, the first half of a key of known requests."""
        return f"{self.scheme} {self.host} {self.port} {self.session}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the session that it is of, and whether it came straight to this port, through no proxy."""

    session: str
    request: Request
    direct: bool


def is_loopback(host: str) -> bool:
    """Whether a host's name (IPv6 in brackets) is this machine's own."""
    return _LOOPBACK.fullmatch(host) is not None


def split_authority(text: str, usual_port: int) -> tuple[str, int]:
    """Host in lower case (IPv6 in brackets) and port of `host[:port]`; raises Refusal 400."""
    name, colon, digits = text.rpartition(":")
    if not colon or (name.count(":") and not name.endswith("]")):
        name, digits = text, ""
    host = name.lower()
    if not _HOST.fullmatch(host):
        raise Refusal(400, f"{text[:100]!r} is not a host name")
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise Refusal(400, f"{digits[:20]!r} is not a port; ports are 1 to 65535")
    return host, int(digits) if digits else usual_port


def session_name(text: str) -> str:
    """A valid session name; raises Refusal 400."""
    if not _SESSION.fullmatch(text):
        raise Refusal(400, f"{text[:40]!r} is not a session name: use 1 to 100 of A-Z a-z 0-9 . _ -", closes=False)
    return text


def _proxy_user(inbound: Inbound) -> str:
    values = inbound.values(b"proxy-authorization")
    if not values:
        return ""
    kind, _, coded = values[0].decode("latin-1").strip().partition(" ")
    if kind.lower() != "basic":
        raise Refusal(400, "the proxy's user names the session: only Basic is understood, as in http://NAME@host:port")
    try:
        user = base64.b64decode(coded.strip(), validate=True).partition(b":")[0].decode("latin-1")
    except ValueError:
        raise Refusal(400, "Proxy-Authorization is not base64; name the session as in http://NAME@host:port") from None
    return session_name(unquote(user)) if user else ""


def tunnel(inbound: Inbound) -> Origin:
    """What a CONNECT asks for; raises Refusal 400."""
    text = inbound.target.decode("latin-1")
    if not re.search(r":\d+$", text):
        raise Refusal(400, f"CONNECT {text[:100]!r} names no host and port; use host:port, as in api.example.com:443")
    host, port = split_authority(text, 0)
    return Origin("https", host, port, _proxy_user(inbound))


def _named_session(inbound: Inbound, origin: Origin) -> str:
    named = inbound.values(b"x-durable-session")
    if named:
        return session_name(named[0].decode("latin-1").strip())
    return origin.session or (not origin.host and _proxy_user(inbound)) or DEFAULT_SESSION


def _own_host(inbound: Inbound) -> str:
    hosts = inbound.values(b"host")
    if len(hosts) > 1:
        raise Refusal(400, "malformed request: more than one Host field")
    if not hosts and inbound.version == "1.1":
        raise Refusal(400, "malformed request: HTTP/1.1 asks for a Host field")
    return hosts[0].decode("latin-1").strip() if hosts else ""


def _absolute(target: str) -> tuple[Literal["http", "https"], str, int, str]:
    scheme, _, rest = target.partition("://")
    kind = {"http": "http", "https": "https", "ws": "http", "wss": "https"}.get(scheme.lower())
    if kind is None:
        raise Refusal(400, f"this proxy takes http:// and https:// targets, not {target[:100]!r}")
    at = min((rest.index(mark) for mark in "/?#" if mark in rest), default=len(rest))
    authority, path = rest[:at].rpartition("@")[2], rest[at:].partition("#")[0]
    host, port = split_authority(authority, 443 if kind == "https" else 80)
    return ("https" if kind == "https" else "http"), host, port, path if path.startswith("/") else f"/{path}"


def address(inbound: Inbound, origin: Origin, fixed_host: str | None, body: Body = EMPTY) -> Call:
    """The request as the engine gets it, without the fields that were for this proxy. Raises Refusal.

    The host is, in this order: an absolute target's, the tunnel's, `fixed_host`, the `Host` field's.
    """
    target = inbound.target.decode("latin-1")
    scheme, host, port, direct = origin.scheme, origin.host, origin.port, False
    named = _own_host(inbound)
    if target.startswith("/") or target == "*":
        if not host:
            host, port = _direct_host(fixed_host or named, scheme)
            direct = True
    else:
        scheme, host, port, target = _absolute(target)
    session = _named_session(inbound, origin)
    fields = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in inbound.fields if name.lower() not in _OURS
    )
    request = Request(inbound.method.decode("latin-1"), scheme, host, port, target, Headers(fields), body)
    return Call(session, request, direct)


def _direct_host(text: str, scheme: str) -> tuple[str, int]:
    if not text:
        raise Refusal(400, "this request names no host: send a Host field, or an absolute target as to a proxy")
    return split_authority(text, 443 if scheme == "https" else 80)
