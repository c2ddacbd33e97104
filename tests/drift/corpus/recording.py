"""Records a corpus through the real proxy: `python -m tests.drift.corpus.recording DATA FOLDER`.

In a process of its own, which loads mitmproxy once for all recordings: FOLDER gets `first`, `second` and `third`
(all v1, each with its own seed and some days between them) and `changed` (v2), each a `.cassette`. One server on one
port answers in turn as each version, so that both sides have the same host.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from durable_replay.recording.run import record
from tests.drift.corpus.cases import Case, load
from tests.drift.corpus.rendering import Chance
from tests.drift.corpus.server import Service, serving

__all__ = ["RECORDINGS", "main"]

CLIENT = Path(__file__).with_name("client.py")
DAY = 86400.0
BEGIN = 1772442847.25  # 2026-03-02T09:14:07Z
RECORDINGS = (("first", "v1", 0.0), ("second", "v1", 1.13), ("third", "v1", 5.71), ("changed", "v2", 23.4))
"""Name, version, days after the first."""


def main(data: Path, folder: Path) -> None:
    """Record all; SystemExit where one of them did not go well. DURABLE_CORPUS_SEED gives other chances."""
    cases = load(data)
    service = Service(cases)
    seed = int(os.environ.get("DURABLE_CORPUS_SEED", "7"))
    with serving(service) as url:
        for number, (name, version, days) in enumerate(RECORDINGS):
            service.begin(version, seed * 1000 + number, BEGIN + days * DAY)
            plan = folder / f"{name}.json"
            plan.write_text(json.dumps(planned(cases, version, seed * 1000 + 500 + number)), "utf-8")
            command = [sys.executable, str(CLIENT), url, str(plan)]
            outcome = record(folder / f"{name}.cassette", include_loopback=True, command=command)
            print(f"{name}: {outcome.written} of {outcome.interactions} interactions", flush=True)
            if service.wrong:
                raise SystemExit(f"the service failed {len(service.wrong)} times, first so: {service.wrong[0]}")
            if outcome.exit_code or outcome.error or outcome.written != outcome.interactions:
                raise SystemExit(f"{name} was not recorded: {outcome}")


def planned(cases: Sequence[Case], version: str, seed: int) -> list[object]:
    """The client's requests; the chance is for what a client makes up."""
    chance = Chance(Random(seed), BEGIN + seed)
    return [step for case in cases for step in case.steps(version, chance)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
