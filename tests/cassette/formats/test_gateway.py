"""Discord's frames: who sent one follows from its opcode."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]


@pytest.mark.parametrize(
    ("name", "text", "from_client", "host"),
    [
        ("a.json", '{"op": 10, "d": {}, "s": null, "t": null}', False, "gateway.discord.gg"),
        ("a.json", '\ufeff{"op": 2, "d": {}}', True, "gateway.discord.gg"),
        ("a.json", '{"d": {"op": 2}, "op": 0, "t": "READY", "s": 1}', False, "gateway.discord.gg"),
        ("VoiceGateway/a.json", '{"op": 0, "d": {}}', True, "voice.discord.media"),
    ],
)
def test_a_frame_becomes_a_conversation(imports: Imports, name: str, text: str, from_client: bool, host: str) -> None:
    (found,) = imports(name, text)
    (frame,) = found.frames
    assert (found.request.scheme, found.request.host, found.response.status) == ("wss", host, 101)
    assert (frame.from_client, frame.data) == (from_client, text.removeprefix("\ufeff").encode())


def test_another_object_is_no_frame(imports: Imports) -> None:
    with pytest.raises(CassetteError, match="no 'op'"):
        imports("a.json", {"d": 1}, format="discord-gateway")
