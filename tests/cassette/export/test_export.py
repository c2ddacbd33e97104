"""Every format: the same bytes for the same cassette, nothing lost in silence, and readable by our own readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.export.export import EXPORTERS, Export, export
from durable_replay.cassette.formats.importing import import_into
from durable_replay.cassette.store import Cassette
from durable_replay.http import BytesBody, Headers, Interaction

FORMATS = sorted(EXPORTERS)
HELD = {"har": 7, "vcrpy": 6, "wiremock": 6, "hoverfly": 6}


@pytest.fixture(autouse=True)
def closed(cassette: Cassette) -> Iterator[None]:
    with cassette:
        yield


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_cassette_gives_the_same_bytes(name: str, cassette: Cassette, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    summaries = [export(cassette, EXPORTERS[name], path) for path in (first, second)]
    assert first.read_bytes() == second.read_bytes()
    assert summaries[0] == summaries[1]
    assert summaries[0].bytes == first.stat().st_size


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_held_is_counted(name: str, cassette: Cassette, tmp_path: Path) -> None:
    summary = export(cassette, EXPORTERS[name], tmp_path / "out")
    assert summary.interactions == HELD[name]
    assert summary.left_out["aborted interactions"] == 1
    assert summary.left_out["trailers"] == 1
    if name == "har":
        assert summary.left_out["WebSocket control frames"] == 1
        assert summary.left_out["bodies written without their content coding"] == 1
    else:
        assert summary.left_out["WebSocket conversations"] == 1
        assert summary.left_out["times"] == 6
        assert summary.left_out["messages whose headers change places"] == 1


@pytest.mark.parametrize("name", FORMATS)
def test_our_own_reader_reads_as_many(name: str, cassette: Cassette, tmp_path: Path) -> None:
    export(cassette, EXPORTERS[name], tmp_path / "out")
    done = import_into(tmp_path / "back.cassette", [tmp_path / "out"], base="https://api.test")
    assert done.interactions == HELD[name]
    assert done.sources[0].format == name


def _essence(interaction: Interaction) -> tuple[object, ...]:
    request, response = interaction.request, interaction.response
    return request.method, request.url, request.body.read(), response.status, response.body.read()


@pytest.mark.parametrize("name", FORMATS)
def test_requests_and_answers_come_back(name: str, cassette: Cassette, tape: list[Interaction], tmp_path: Path) -> None:
    export(cassette, EXPORTERS[name], tmp_path / "out")
    import_into(tmp_path / "back.cassette", [tmp_path / "out"], base="https://api.test")
    expected = [_essence(each) for each in tape[: HELD[name]]]
    if name == "har":  # which keeps bodies without their coding
        packed = tape[4]
        plain = replace(packed, response=replace(packed.response, body=BytesBody(b'{"a":1}')))
        expected[4] = _essence(plain)
    if name == "hoverfly":  # which writes queries decoded, so that a space comes back in its usual escape
        assert "q=a%20b" in str(expected[0][1])
    with Cassette.open(tmp_path / "back.cassette") as back:
        assert [_essence(each) for each in back.interactions()] == expected


@pytest.mark.parametrize("name", FORMATS)
def test_response_headers_come_back(name: str, cassette: Cassette, tmp_path: Path) -> None:
    export(cassette, EXPORTERS[name], tmp_path / "out")
    import_into(tmp_path / "back.cassette", [tmp_path / "out"], base="https://api.test")
    with Cassette.open(tmp_path / "back.cassette") as back:
        headers = back.interaction(4).response.headers
    assert headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert headers.get("x") == "\xe9"


@pytest.mark.parametrize("name", FORMATS)
def test_only_the_hosts_that_fit_are_written(
    name: str, write: Callable[[list[Interaction]], Path], tape: list[Interaction], tmp_path: Path
) -> None:
    other = replace(tape[0], request=replace(tape[0].request, host="other.test"))
    with Cassette.open(write([other])) as cassette:  # after those of the fixture
        running = Export(cassette, EXPORTERS[name], "other.*")
        text = "".join(running)
    assert running.summary().interactions == 1
    assert "api.test" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_tape_is_an_empty_file_of_the_format(name: str, tmp_path: Path, cassette: Cassette) -> None:
    running = Export(cassette, EXPORTERS[name], "nobody.test")
    (tmp_path / "out").write_text("".join(running))
    assert running.summary().interactions == 0
    done = import_into(tmp_path / "back.cassette", [tmp_path / "out"], format=name, base="https://api.test")
    assert done.interactions == 0


def test_progress_is_told(cassette: Cassette, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    export(cassette, EXPORTERS["har"], tmp_path / "out", on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 8), (8, 8)]


@pytest.mark.parametrize("name", FORMATS)
def test_any_header_can_be_written(
    name: str, write: Callable[[list[Interaction]], Path], tape: list[Interaction], tmp_path: Path
) -> None:
    value = "".join(map(chr, range(32, 256)))
    odd = replace(tape[1], response=replace(tape[1].response, headers=Headers([("X-Odd", value), ("yes", "no")])))
    with Cassette.open(write([odd])) as cassette:
        export(cassette, EXPORTERS[name], tmp_path / "out", "api.test")
    import_into(tmp_path / "back.cassette", [tmp_path / "out"], base="https://api.test")
    with Cassette.open(tmp_path / "back.cassette") as back:
        headers = back.interaction(len(back)).response.headers
    assert headers.get("x-odd").strip() == value.strip()
    assert headers.get("yes") == "no"
