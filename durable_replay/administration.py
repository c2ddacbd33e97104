"""What the admin API tells and does: sessions, the request log with its provenance, the state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import durable_replay
from durable_replay.answer import LogEntry, SessionInfo
from durable_replay.engine import Engine, Noted
from durable_replay.timeline.resource import display
from durable_replay.timeline.session import Session

__all__ = ["Administration", "log_entry"]


class Administration:
    """The front's `Administered`, over an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = engine.sessions

    def health(self) -> Mapping[str, object]:
        """See `Administered`."""
        return {
            "version": durable_replay.__version__,
            "interactions": len(self._engine.tape),
            "services": [service.name for service in self._engine.indexing.registry.services()],
            "sessions": len(self._sessions.names()),
        }

    def sessions(self) -> list[SessionInfo]:
        """See `Administered`."""
        return [self._info(self._sessions.get(name)) for name in self._sessions.names()]

    def create(self, name: str, seed: int | None = None) -> SessionInfo:
        """See `Administered`."""
        return self._info(self._sessions.create(name, seed))

    def fork(self, source: str, name: str) -> SessionInfo:
        """See `Administered`."""
        return self._info(self._sessions.fork(source, name))

    def snapshot(self, name: str, label: str) -> SessionInfo:
        """See `Administered`."""
        return self._info(self._sessions.snapshot(name, label))

    def restore(self, name: str, label: str) -> SessionInfo:
        """See `Administered`."""
        return self._info(self._sessions.restore(name, label))

    def reset(self, name: str) -> SessionInfo:
        """See `Administered`."""
        return self._info(self._sessions.reset(name))

    def delete(self, name: str) -> None:
        """See `Administered`."""
        self._sessions.delete(name)

    def log(self, session: str | None = None, limit: int = 100) -> list[LogEntry]:
        """See `Administered`; the newest last."""
        lines = [one for one in list(self._engine.usage.log) if session is None or one[1] == session]
        return [log_entry(line) for line in lines[max(0, len(lines) - limit) :]]

    def state(self, session: str, prefix: str = "") -> Mapping[str, object]:
        """See `Administered`: what the session knows, by `service/tenant/kind/…`."""
        opened = self._sessions.get(session)
        found: dict[str, object] = {}
        for service in self._engine.indexing.registry.services():
            for tenant in self._tenants(opened, service.name):
                world = self._engine.emulator.world(opened, service, tenant)
                found.update({display(world.full(key)): document for key, document in world.below(()).items()})
        return {key: found[key] for key in sorted(found) if key.startswith(prefix)}

    def _tenants(self, session: Session, service: str) -> set[str]:
        keys = (*session.tape.seen_below((service,)), *session.store.entries(session.name, (service,)))
        return {key[1] for key in keys}

    def _info(self, session: Session) -> SessionInfo:
        return SessionInfo(
            session.name,
            session.seed,
            len(session.played),
            len(session.live),
            datetime.fromtimestamp(session.clock.now(), UTC).isoformat(),
            dict(self._engine.usage.answers.get(session.name, {})),
            self._sessions.snapshots(session.name),
        )


def log_entry(line: Noted) -> LogEntry:
    """A line of the engine's log, for readers."""
    at, session, method, scheme, host, port, target, status, source, why, interaction = line
    usual = 443 if scheme in ("https", "wss") else 80
    authority = host if port == usual else f"{host}:{port}"
    return LogEntry(at, session, method, f"{scheme}://{authority}{target}", status, source, why, interaction)
