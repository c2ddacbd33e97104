"""What the services say of themselves: differences that are no change of their API."""

from __future__ import annotations

from functools import cache

from durable_replay.drift.noise import IgnoreRule
from durable_replay.errors import BadService, UsageError
from durable_replay.service.api import Service
from durable_replay.service.registry import Registry, available

__all__ = ["rules_of_service", "rules_of_world"]


@cache
def rules_of_world(world: str) -> tuple[IgnoreRule, ...]:
    """The rules of the installed service of this name; none for a host of no service. Raises BadService."""
    return rules_of_service(Registry.installed([world]).get(world)) if world in available() else ()


def rules_of_service(service: Service) -> tuple[IgnoreRule, ...]:
    """What `Service.varies` says. Raises BadService, which names the rule that cannot be read."""
    try:
        return tuple(IgnoreRule.parse(text) for text in service.varies)
    except UsageError as wrong:
        raise BadService(f"service {service.name!r}: varies: {wrong}") from None
