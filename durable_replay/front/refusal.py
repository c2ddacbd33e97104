"""A request that the front answers itself."""

from __future__ import annotations

from durable_replay.errors import LimitExceeded

__all__ = ["Refusal"]


class Refusal(LimitExceeded):
    """The client's fault: `status`, one line that says why, and the fields the status asks for. Most refusals end
    the connection, because what follows on it cannot be trusted; `closes` says so."""

    def __init__(self, status: int, why: str, fields: tuple[tuple[str, str], ...] = (), *, closes: bool = True) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.fields = fields
        self.closes = closes
