"""What goes into a cassette comes out of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

latin = st.text(st.characters(max_codepoint=255), max_size=40)
headers = st.builds(Headers, st.lists(st.tuples(latin, latin), max_size=5).map(tuple))
MIB = 1024 * 1024
sizes = st.one_of(st.just(0), st.integers(1, 300), st.sampled_from([MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1]))
bodies = st.builds(lambda seed, size: BytesBody((seed * (size // len(seed) + 1))[:size]), st.binary(min_size=1), sizes)
seconds = st.floats(0, 4e9)
frames = st.builds(
    Frame,
    st.booleans(),
    st.sampled_from(["text", "binary", "ping", "pong", "close"]),
    st.binary(max_size=300),
    st.none() | st.integers(1000, 4999),
    seconds,
)
interactions = st.builds(
    Interaction,
    st.builds(
        Request,
        latin,
        st.sampled_from(["http", "https", "ws", "wss"]),
        latin,
        st.integers(0, 65535),
        latin,
        headers,
        bodies,
    ),
    st.builds(Response, st.integers(100, 599), headers, bodies, latin, headers),
    frames=st.lists(frames, max_size=4).map(tuple),
    started=seconds,
    duration=seconds,
    http_version=latin,
    outcome=st.sampled_from(["complete", "aborted"]),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(interactions, min_size=1, max_size=3))
def test_any_interaction_written_is_read_back_equal(given_: list[Interaction]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.cassette")
        with CassetteWriter.open(path) as writer:
            numbers = [writer.append(each) for each in given_]
        with Cassette.open(path) as cassette:
            assert numbers == list(range(1, len(given_) + 1)) and len(cassette) == len(given_)
            for number, expected, found in zip(numbers, given_, cassette.interactions(), strict=True):
                assert found == cassette.interaction(number)
                assert found.number == number
                assert found == _numbered(expected, number)
                assert found.request.body.read() == expected.request.body.read()
                assert b"".join(found.response.body.chunks()) == expected.response.body.read()


def _numbered(interaction: Interaction, number: int) -> Interaction:
    return replace(interaction, number=number)


def test_importing_the_store_imports_no_sqlmodel() -> None:
    code = (
        "import sys, durable_replay.cassette.store;"
        "print([name for name in ('sqlmodel', 'sqlalchemy', 'pydantic', 'mitmproxy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_making_continuing_and_reading_a_cassette_import_no_sqlmodel(path: Path) -> None:
    code = (
        "import sys; from durable_replay.cassette.store import Cassette, CassetteWriter;"
        "[CassetteWriter.open(sys.argv[1]).close() for _ in range(2)]; Cassette.open(sys.argv[1]).close();"
        "print('sqlmodel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
