"""Which services there are, and whose host is whose.

Services are found by the entry-point group `durable_replay.services`, this project's own and third parties' alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from durable_replay.errors import BadService, UsageError
from durable_replay.http import Request
from durable_replay.service.api import Service

__all__ = ["GROUP", "Registry", "available"]

GROUP = "durable_replay.services"


def available() -> dict[str, EntryPoint]:
    """The installed services by name, none of them imported."""
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        other = found.setdefault(point.name, point)
        if (other.value, _brought_by(other)) != (point.value, _brought_by(point)):
            raise BadService(
                f"two distributions bring a service {point.name!r}: {_brought_by(other)} ({other.value}) and"
                f" {_brought_by(point)} ({point.value}). Uninstall one of them."
            )
    return found


def _brought_by(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unnamed distribution"


def _load(point: EntryPoint) -> Service:
    try:
        service = point.load()
    except Exception as error:  # third-party code may raise anything when it is imported
        raise BadService(
            f"the service {point.name!r} of {_brought_by(point)} ({point.value}) cannot be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error
    if not isinstance(service, Service):
        raise BadService(
            f"the entry point {point.name} = {point.value} of {_brought_by(point)} is a {type(service).__name__}, no"
            " durable_replay.service.api.Service"
        )
    if service.name != point.name:
        raise BadService(
            f"the entry point {point.name!r} of {_brought_by(point)} brings a service that calls itself"
            f" {service.name!r}; let them have one name"
        )
    return service


class Registry:
    """Services by name and by host. `hosts` maps further hosts (`name` or `name:port`) to a service's name."""

    def __init__(self, services: Iterable[Service] = (), hosts: Mapping[str, str] | None = None) -> None:
        self._services = {service.name: service for service in services}
        self._exact: dict[str, Service] = {}
        self._below: list[tuple[str, Service]] = []
        for service in self._services.values():
            for pattern in service.hosts:
                self._claim(pattern, service)
        self._below.sort(key=lambda pair: -len(pair[0]))
        self._mapped = {host.lower(): self.get(name) for host, name in (hosts or {}).items()}
        self._known = lru_cache(maxsize=4096)(self._find)

    @classmethod
    def installed(cls, names: Iterable[str] | None = None, hosts: Mapping[str, str] | None = None) -> Registry:
        """The installed services, or those of these names; raises UsageError for an unknown one."""
        points = available()
        wanted = list(points) if names is None else list(names)
        for name in wanted:
            if name not in points:
                raise UsageError(f"no service {name!r} is installed; there are: {', '.join(points) or 'none'}")
        return cls([_load(points[name]) for name in wanted], hosts)

    def _claim(self, pattern: str, service: Service) -> None:
        if not pattern.startswith("*."):
            other = self._exact.setdefault(pattern, service)
            if other is not service:
                raise BadService(f"the services {other.name!r} and {service.name!r} both claim the host {pattern}")
            return
        self._below.append((pattern[1:], service))

    def services(self) -> list[Service]:
        """All of them, by name."""
        return [self._services[name] for name in sorted(self._services)]

    def get(self, name: str) -> Service:
        """The service of this name; raises UsageError."""
        if name not in self._services:
            raise UsageError(f"no service {name!r} is loaded; there are: {', '.join(sorted(self._services)) or 'none'}")
        return self._services[name]

    def find(self, request: Request) -> Service | None:
        """The service that answers for a request's host, the most specific claim first."""
        return self._known(request.host, request.port)

    def _find(self, host: str, port: int) -> Service | None:
        found = self._mapped.get(f"{host}:{port}") or self._mapped.get(host) or self._exact.get(host)
        if found is not None:
            return found
        return next(
            (service for suffix, service in (*self._mapped_below(), *self._below) if host.endswith(suffix)), None
        )

    def _mapped_below(self) -> list[tuple[str, Service]]:
        return [(pattern[1:], service) for pattern, service in self._mapped.items() if pattern.startswith("*.")]
