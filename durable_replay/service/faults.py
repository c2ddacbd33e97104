"""What goes wrong in a service's world, as domain values; only a service's codec knows how each looks on the wire.

::

    Fault
    ├── Missing      the thing that a key names is not there
    ├── Conflict     it is there already, or in a state that forbids this
    ├── Invalid      the request says something that the service refuses
    ├── Denied       the caller may not
    ├── Throttled    the caller must wait
    └── Unrecorded   it is known to exist, but what is asked of it was never recorded
"""

from __future__ import annotations

from durable_replay.timeline.resource import Key, display

__all__ = ["Conflict", "Denied", "Fault", "Invalid", "Missing", "Throttled", "Unrecorded"]


class Fault(Exception):
    """Base of all faults. `details` are the service's own names for what its codec needs."""

    def __init__(self, text: str = "", **details: object) -> None:
        super().__init__(text)
        self.text = text
        self.details = details


class Missing(Fault):
    """The thing that `key` names is not there."""

    def __init__(self, key: Key, text: str = "", **details: object) -> None:
        super().__init__(text or f"{display(key)} is not there", **details)
        self.key = key


class Conflict(Fault):
    """The thing is there already, or its state forbids this."""


class Invalid(Fault):
    """The request says something that the service refuses; `field` names the place, where there is one."""

    def __init__(self, text: str, field: str = "", **details: object) -> None:
        super().__init__(text, **details)
        self.field = field


class Denied(Fault):
    """The caller may not do this."""


class Throttled(Fault):
    """The caller must wait `seconds`."""

    def __init__(self, text: str = "", seconds: float = 1.0, **details: object) -> None:
        super().__init__(text, **details)
        self.seconds = seconds


class Unrecorded(Fault):
    """The thing is known to exist, but what is asked of it was never recorded; an emulator does not invent it."""
