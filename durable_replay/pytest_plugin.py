"""The pytest fixture and marker: thin, everything heavy is imported when it is used.

::

    @pytest.mark.durable_replay("jira.cassette", strict=True)
    def test_issues(durable_replay):
        requests.get("https://example.atlassian.net/rest/api/2/myself")    # answered from the cassette

While the fixture lives, this process's environment points at the replay, as that of a child of `durable-replay replay`
does. A cassette's path is taken from the test's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from durable_replay.replaying import Plan, Replay

__all__ = ["durable_replay", "pytest_configure"]

_TAKEN = ("on_miss", "seed", "clock", "hosts", "service")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line(
        "markers",
        "durable_replay(*cassettes, strict=False, on_miss=None, seed=None, clock=None, hosts=None, service=None): "
        "what the fixture `durable_replay` replays; strict fails the test when an answer was not a recorded one",
    )


@pytest.fixture
def durable_replay(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """A replay of the marker's cassettes, with this process's environment pointed at it; ends with the test."""
    from durable_replay.replaying import opened
    from durable_replay.settings import Settings

    marker = request.node.get_closest_marker("durable_replay")
    options = dict(marker.kwargs) if marker else {}
    strict = bool(options.pop("strict", False))
    plan = _plan(request.path.parent, marker.args if marker else (), options)
    with opened(plan, Settings.load(request.path.parent)) as replay:
        for name, value in replay.environment().items():
            monkeypatch.setenv(name, value)
        yield replay
        summary = replay.summary()
    if strict and summary.missed:
        told = "; ".join(f"{miss.method} {miss.url} was {miss.source}: {miss.why}" for miss in summary.misses)
        pytest.fail(f"{summary.missed} answers were not recorded ones: {told}", pytrace=False)


def _plan(folder: Path, cassettes: tuple[str, ...], options: dict[str, object]) -> Plan:
    from durable_replay.errors import UsageError
    from durable_replay.replaying import Plan

    if unknown := sorted(set(options) - set(_TAKEN)):
        raise UsageError(f"the marker durable_replay takes {', '.join(('strict', *_TAKEN))}; not {', '.join(unknown)}")
    given = {name: value for name, value in options.items() if value is not None}
    return Plan(cassettes=tuple(folder / name for name in cassettes), **given)  # type: ignore[arg-type]
