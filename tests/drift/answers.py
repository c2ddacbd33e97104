"""Small APIs in memory, for tests of the comparison: answers before and after, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from durable_replay.drift.compare import Group, compare
from durable_replay.drift.finding import Comparison, Endpoint, Exchange, Finding
from durable_replay.drift.noise import DiffRules
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

__all__ = ["USERS", "Answer", "diff", "diff_each", "exchanges", "group", "only", "told"]

USERS = Endpoint("api.test", "GET", "/users/{}")


class Answer:
    """One answer in a test: a status, a body (JSON unless it is bytes) and headers."""

    def __init__(
        self,
        body: object = None,
        status: int = 200,
        media: str = "application/json",
        frames: tuple[Frame, ...] = (),
        **headers: str,
    ) -> None:
        self.status = status
        self.frames = frames
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = Headers(
            [("Content-Type", media)] * bool(media) + [(k.replace("_", "-"), v) for k, v in headers.items()]
        )


def exchanges(endpoint: Endpoint, answers: Iterable[object], first: int, key: bytes = b"k" * 16) -> list[Exchange]:
    found = []
    for number, value in enumerate(answers, first):
        answer = value if isinstance(value, Answer) else Answer(value)
        request = Request("GET", "https", "api.test", 443, "/users/1")
        response = Response(answer.status, answer.headers, BytesBody(answer.body))
        found.append(Exchange(endpoint, key, Interaction(request, response, number, answer.frames)))
    return found


def group(before: Sequence[object], after: Sequence[object], same: bool = True, at: int = 0) -> Group:
    return Group(USERS, exchanges(USERS, before, at + 1), exchanges(USERS, after, at + 1), same)


def diff(
    before: Sequence[object], after: Sequence[object], same: bool = True, rules: DiffRules | None = None
) -> Comparison:
    return compare([group(before, after, same)], rules or DiffRules())


def diff_each(pairs: Iterable[tuple[Sequence[object], Sequence[object]]], rules: DiffRules | None = None) -> Comparison:
    """Each pair is one request of the endpoint."""
    return compare([group(b, a, at=100 * i) for i, (b, a) in enumerate(pairs)], rules or DiffRules())


def told(comparison: Comparison) -> set[tuple[str, str]]:
    return {(finding.path.removeprefix("body.$"), finding.kind.value) for finding in comparison.findings}


def only(comparison: Comparison) -> Finding:
    assert len(comparison.findings) == 1, comparison.findings
    return comparison.findings[0]
