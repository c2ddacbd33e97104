"""Comparing costs a few times what reading the JSON costs; a walk that grew by an order would show here."""

from __future__ import annotations

import json
from random import Random
from time import process_time

from durable_replay.drift.compare import Group, compare
from durable_replay.drift.finding import Endpoint, Exchange
from durable_replay.drift.noise import DiffRules
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

ENDPOINT = Endpoint("api.test", "GET", "/things/{}")
JSON = Headers([("Content-Type", "application/json")])
SEED = 7
MOST = 20
"""Times the CPU time of `json.loads` of the same bodies, decoding for the comparison included: it is about 6."""


def body(random: Random) -> bytes:
    """About 2 KB and 60 values."""

    def thing() -> dict[str, object]:
        return {
            "id": random.randrange(10**9),
            "name": f"thing {random.random()}",
            "created": f"2024-05-0{random.randint(1, 9)}T10:00:{random.randint(10, 59)}Z",
            "open": random.random() < 0.5,
            "state": random.choice(["new", "open", "done"]),
            "score": random.random(),
            "note": " ".join(str(random.random()) for _ in range(5)),
            "owner": {"id": random.randrange(10**9), "name": str(random.random())},
        }

    return json.dumps({"things": [thing() for _ in range(7)], "total": random.randrange(99)}).encode()


def test_a_comparison_costs_a_few_times_the_reading() -> None:
    random = Random(SEED)
    bodies = [body(random) for _ in range(400)]
    exchanges = [
        Exchange(
            ENDPOINT,
            b"",
            Interaction(
                Request("GET", "https", "api.test", 443, "/things/1"), Response(200, JSON, BytesBody(data)), number
            ),
        )
        for number, data in enumerate(bodies, 1)
    ]
    groups = [Group(ENDPOINT, exchanges[i : i + 1], exchanges[i + 1 : i + 2], True) for i in range(0, 400, 2)]

    def reading() -> float:
        start = process_time()
        for data in bodies:
            json.loads(data)
        return process_time() - start

    def comparing() -> float:
        start = process_time()
        compare(groups, DiffRules())
        return process_time() - start

    assert min(comparing() for _ in range(3)) < MOST * min(reading() for _ in range(3))
