"""Frames of Discord's gateways, one JSON object a file: `{"op": 0, "t": "READY", "s": 1, "d": {…}}`.

Libraries keep such captures as their tests' data. Each file becomes a WebSocket conversation of one message, whose
sender follows from its opcode. https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import load
from durable_replay.cassette.formats.plain import Unfit, integer, mapping
from durable_replay.cassette.formats.source import Head, Imported, Source
from durable_replay.http import Frame

__all__ = ["Gateway"]

_KEYS = {"op", "d", "s", "t"}
_CLIENT = frozenset({1, 2, 3, 4, 6, 8, 31, 43})
_VOICE_CLIENT = frozenset({0, 1, 3, 5, 7})
_URL = "wss://gateway.discord.gg/?v=10&encoding=json"
_VOICE_URL = "wss://voice.discord.media/?v=8"


class Gateway:
    """One frame of Discord's gateway, or of its voice gateway where a folder's name says `voice`."""

    name = "discord-gateway"

    def sniff(self, head: Head) -> bool:
        keys = {path[0] for path in head.shape.paths if len(path) == 1}
        return head.kind == "json" and head.text("op").isdecimal() and keys <= _KEYS

    def read(self, source: Source) -> Iterator[Imported]:
        try:
            opcode = integer(mapping(load(source), "frame").get("op"), "op", -1)
        except Unfit as error:
            raise source.wrong(str(error)) from error
        if opcode < 0:
            raise source.wrong("it has no 'op', so it is no frame of Discord's gateway")
        voice = any("voice" in part.lower() for part in source.path.parts[-5:-1])
        frame = Frame(
            opcode in (_VOICE_CLIENT if voice else _CLIENT), "text", source.read().removeprefix(b"\xef\xbb\xbf").strip()
        )
        draft = Draft(
            "GET",
            source.base or (_VOICE_URL if voice else _URL),
            status=101,
            frames=(frame,),
            notes=["a saved frame, its conversation is not known"],
        )
        yield Imported(draft.interaction(), "frame 1")
