"""How one host can end a run, and the sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Failure", "HostFailed", "HostFailure"]


class Failure(StrEnum):
    """Why nothing more is asked of a host."""

    unreachable = "unreachable"
    tls = "tls"
    credentials_refused = "credentials-refused"
    login_page = "login-page"
    rate_limited = "rate-limited"


@dataclass(frozen=True, slots=True)
class HostFailure:
    """A host (`name` or `name:port`, as recorded) that failed; `text` is one sentence without secrets."""

    host: str
    failure: Failure
    text: str


class HostFailed(Exception):
    """Raised on the way of one request when its host has failed."""

    def __init__(self, failure: Failure, text: str) -> None:
        super().__init__(text)
        self.failure, self.text = failure, text
