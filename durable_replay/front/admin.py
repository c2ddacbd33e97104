"""The admin API under `/_durable/`: JSON, for programs on this machine that came straight to this port.

Rule: a web page must not reach it. Requests through the proxy never get here, `Host` must be a loopback name (so
that no foreign name can be pointed at this port), an `Origin` must be loopback too, and no CORS field is ever sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final
from urllib.parse import unquote, urlsplit

from durable_replay.answer import Administered, Answer, LogEntry, SessionInfo
from durable_replay.errors import ReplayError, UsageError
from durable_replay.front.address import is_loopback, session_name
from durable_replay.front.refusal import Refusal
from durable_replay.http import BytesBody, Headers, Request, Response

__all__ = ["PREFIX", "Admin"]

PREFIX: Final = "/_durable/"
_REASONS: Final = {200: "OK", 201: "Created", 204: "No Content"}
_MOST: Final = 10_000


def _response(status: int, data: bytes, kind: str) -> Response:
    fields = (("Content-Type", kind), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"))
    return Response(status, Headers(fields), BytesBody(data), _REASONS.get(status, ""))


def _json(value: object, status: int = 200) -> Response:
    return _response(status, json.dumps(value, indent=1, default=str).encode() + b"\n", "application/json")


def _info(info: SessionInfo) -> dict[str, object]:
    return {**asdict(info), "answers": dict(info.answers), "snapshots": list(info.snapshots)}


def _line(entry: LogEntry) -> dict[str, object]:
    return asdict(entry)


class _Fault(UsageError):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Admin:
    """Answers the requests that `claims` says are its own. May block: `answer` is called in a worker."""

    def __init__(self, engine: Administered, ca_pem: bytes) -> None:
        self._engine = engine
        self._ca_pem = ca_pem
        self._routes: Mapping[tuple[str, ...], Callable[[Request, str], Response]] = {
            ("GET", "health"): lambda _request, _name: _json(dict(engine.health())),
            ("GET", "ca.pem"): lambda _request, _name: _response(200, ca_pem, "application/x-pem-file"),
            ("GET", "log"): self._log,
            ("GET", "state"): self._state,
            ("GET", "sessions"): lambda _request, _name: _json([_info(info) for info in engine.sessions()]),
            ("POST", "sessions"): self._create,
            ("GET", "sessions", "*"): self._show,
            ("DELETE", "sessions", "*"): self._delete,
            ("POST", "sessions", "*", "fork"): self._fork,
            ("POST", "sessions", "*", "snapshot"): self._snapshot,
            ("POST", "sessions", "*", "restore"): self._restore,
            ("POST", "sessions", "*", "reset"): lambda _request, name: _json(_info(engine.reset(name))),
        }

    @staticmethod
    def claims(request: Request) -> bool:
        """Whether a direct request is for this API; anything else under its path is the service's."""
        host = request.headers.get("host").strip().lower()
        name, colon, port = host.rpartition(":")
        return request.target.startswith(PREFIX) and is_loopback(name if colon and port.isdigit() else host)

    def answer(self, request: Request) -> Answer:
        """The JSON answer, errors included: `{"error": …}` with what to do next."""
        try:
            self._admit(request)
            response = self._dispatch(request)
        except _Fault as fault:
            response = _json({"error": str(fault)}, fault.status)
        except (ReplayError, Refusal) as error:
            response = _json({"error": str(error)}, 400)
        return Answer(response, "emulated", "the admin API")

    def _admit(self, request: Request) -> None:
        origin = request.headers.get("origin")
        host = urlsplit(origin).hostname or "" if origin else "localhost"
        site = request.headers.get("sec-fetch-site", "none")
        if not is_loopback(f"[{host}]" if ":" in host else host) or site not in ("none", "same-origin"):
            raise _Fault(403, "the admin API answers no web page; call it from a program on this machine")

    def _dispatch(self, request: Request) -> Response:
        parts = request.path.removeprefix(PREFIX).strip("/").split("/")
        name = unquote(parts[1]) if len(parts) > 1 else ""
        pattern = (parts[0], *("*" if at == 1 else part for at, part in enumerate(parts[1:], 1)))
        found = self._routes.get((request.method, *pattern))
        if found is None:
            raise self._unrouted(pattern)
        if name:
            session_name(name)
            if len(parts) == 3 or request.method != "GET":
                self._find(name)
        return found(request, name)

    def _unrouted(self, pattern: tuple[str, ...]) -> _Fault:
        methods = [key[0] for key in self._routes if key[1:] == pattern]
        if methods:
            return _Fault(405, f"use {' or '.join(methods)} here")
        known = sorted({f"{PREFIX}{'/'.join(key[1:])}".replace("*", "{name}") for key in self._routes})
        return _Fault(404, f"no such page; there are: {', '.join(known)}")

    def _find(self, name: str) -> SessionInfo:
        infos = self._engine.sessions()
        for info in infos:
            if info.name == name:
                return info
        there = ", ".join(info.name for info in infos[:20]) or "none yet"
        raise _Fault(404, f"no session {name!r}; there are: {there}. Create it by POST {PREFIX}sessions")

    def _show(self, _request: Request, name: str) -> Response:
        return _json(_info(self._find(name)))

    def _create(self, request: Request, _name: str) -> Response:
        given = _object(request)
        seed = given.get("seed")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise _Fault(400, "'seed' must be a whole number")
        return _json(_info(self._engine.create(session_name(_text(given, "name")), seed)), 201)

    def _fork(self, request: Request, name: str) -> Response:
        return _json(_info(self._engine.fork(name, session_name(_text(_object(request), "name")))), 201)

    def _snapshot(self, request: Request, name: str) -> Response:
        return _json(_info(self._engine.snapshot(name, _text(_object(request), "label"))), 201)

    def _restore(self, request: Request, name: str) -> Response:
        return _json(_info(self._engine.restore(name, _text(_object(request), "label"))))

    def _delete(self, _request: Request, name: str) -> Response:
        self._engine.delete(name)
        return _response(204, b"", "application/json")

    def _log(self, request: Request, _name: str) -> Response:
        query = dict(request.query)
        text = query.get("limit", "100")
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST):
            raise _Fault(400, f"'limit' must be a number from 1 to {_MOST:,}")
        return _json([_line(entry) for entry in self._engine.log(query.get("session"), int(text))])

    def _state(self, request: Request, _name: str) -> Response:
        query = dict(request.query)
        session = session_name(query.get("session", "default"))
        return _json(dict(self._engine.state(session, query.get("prefix", ""))))


def _object(request: Request) -> Mapping[str, object]:
    try:
        given = json.loads(request.body.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise _Fault(400, f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise _Fault(400, 'the body must be a JSON object, as in {"name": "worker-7"}')
    return given


def _text(given: Mapping[str, object], key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value or len(value) > 100:
        raise _Fault(400, f'the body must hold "{key}": a text of 1 to 100 characters')
    return value
