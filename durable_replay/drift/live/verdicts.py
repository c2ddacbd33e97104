"""Whether a host as a whole refuses us, so that it is said once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from durable_replay.drift.live.failing import Failure, HostFailure
from durable_replay.drift.live.selecting import Step
from durable_replay.http import Response
from durable_replay.redaction.coding import coding_of, decode

__all__ = ["Refusals", "Silence", "is_login"]

ENOUGH = 5
"""So many refusals in a row, and nothing else, and a host is asked no more: further tries may lock an account."""
SILENT = 3
"""So many requests in a row without an answer, each after all its tries, and a host is given up."""
_LOGIN = re.compile(
    r"(?:^|[/._?&=-])(?:log-?in|log-?on|sign-?in|sso|saml2?|oauth2?|openid|authorize|auth|authenticate|session/new)"
    r"(?:$|[/._?&=;-])",
    re.IGNORECASE,
)
_FORM = re.compile(rb"<input[^>]{0,400}type\s*=\s*[\"']?password", re.IGNORECASE)
_SEARCHED = 256 * 1024


def is_login(response: Response) -> bool:
    """Whether an answer is a way to a login, or a page with one."""
    if 300 <= response.status < 400:
        return _LOGIN.search(response.headers.get("location")[:4096]) is not None
    if "html" not in response.headers.get("content-type").lower() or response.body.size > _SEARCHED * 4:
        return False
    return _FORM.search(_start(response)) is not None


def _start(response: Response) -> bytes:
    data = response.body.read()
    coding = coding_of(response.headers.get("content-encoding"))
    try:
        data = decode(coding, [data], _SEARCHED * 8) if coding else data
    except Exception:  # a damaged page, or one that unpacks to megabytes, is no login form
        return b""
    return data[:_SEARCHED]


@dataclass(slots=True)
class Refusals:
    """What one host answered to requests that the tape has a good answer to."""

    host: str
    name: str
    """For people."""
    accepted: int = 0
    refused: int = 0
    login: int = 0
    steps: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    """Steps with another than a good answer on the tape that are refused alike: they count for nothing."""

    def count(self, step: Step, response: Response) -> None:
        """Takes in one answer."""
        denied = response.status in (401, 403)
        login = not denied and not step.page and is_login(response)
        if not 200 <= step.status < 300:
            if (denied or login) and response.status != step.status:
                self.beside.append(step.number)
            return
        if denied:
            self.refused += 1
        elif login:
            self.login += 1
        else:
            self.accepted += 1
            return
        self.steps.append(step.number)

    @property
    def is_hopeless(self) -> bool:
        """Whether to ask no more."""
        return not self.accepted and len(self.steps) >= ENOUGH

    def hopeless_failure(self) -> HostFailure | None:
        """Why to ask no more; None: more is to be asked."""
        return self.failure() if self.is_hopeless else None

    def failure(self) -> HostFailure | None:
        """What is said of a host that refused everything."""
        if self.accepted or not self.steps:
            return None
        count = f"each of {len(self.steps):,} requests" if len(self.steps) > 1 else "the request"
        if self.login:
            return HostFailure(
                self.host,
                Failure.login_page,
                f"{self.name} sends {count} to a login page; give credentials that it takes, in a file (--auth) or in"
                " the environment",
            )
        return HostFailure(
            self.host,
            Failure.credentials_refused,
            f"{self.name} refuses {count} with 401 or 403; give credentials that it takes, in a file (--auth) or in"
            " the environment",
        )


class Silence:
    """Which hosts gave no answer. One request without one is that request's affair; of a host that never gave any, or
    not for some requests in a row, none is expected."""

    def __init__(self) -> None:
        self._in_a_row: dict[str, int] = {}

    def ended(self, host: str) -> None:
        """A host answered."""
        self._in_a_row[host] = 0

    def is_hopeless(self, host: str) -> bool:
        """Takes in a request that a host left without an answer, and says whether to ask no more."""
        first = host not in self._in_a_row
        self._in_a_row[host] = self._in_a_row.get(host, 0) + 1
        return first or self._in_a_row[host] >= SILENT
