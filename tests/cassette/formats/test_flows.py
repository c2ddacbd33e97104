"""mitmproxy's flow files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats import flows
from durable_replay.cassette.formats.importing import import_into
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

tflow = pytest.importorskip("mitmproxy.test.tflow")
mitmproxy_io = pytest.importorskip("mitmproxy.io")


def dumped() -> bytes:
    """An exchange, a WebSocket conversation and a flow of plain TCP."""
    file = io.BytesIO()
    writer = mitmproxy_io.FlowWriter(file)
    writer.add(tflow.tflow(resp=True))
    writer.add(tflow.twebsocketflow())
    writer.add(tflow.ttcpflow())
    return file.getvalue()


def test_exchanges_and_conversations_are_read(imports: Callable[..., list[Interaction]]) -> None:
    exchange, conversation = imports("a.flows", dumped())
    assert (exchange.request.method, exchange.response.status) == ("GET", 200)
    assert exchange.response.body.read() == b"message"
    assert [frame.from_client for frame in conversation.frames] == [True, True, False, False]


def test_a_file_cut_off_leaves_no_cassette(target: Path, writes: Callable[..., Path]) -> None:
    with pytest.raises(CassetteError, match=r"a\.flows: mitmproxy cannot read it"):
        import_into(target, [writes("a.flows", dumped()[:-20])])
    assert not target.exists()


def test_the_format_is_known_without_mitmproxy() -> None:
    assert "mitmproxy" not in vars(flows)
