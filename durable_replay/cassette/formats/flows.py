"""mitmproxy's flow files, by mitmproxy's own reader, which is loaded only then: `durable-replay[record]` brings it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from durable_replay.cassette.formats.source import Head, Imported, Source
from durable_replay.errors import UsageError

__all__ = ["Flows"]

_TNETSTRING = re.compile(rb"\d{1,10}:[\d;]")


class Flows:
    """What `mitmdump -w` writes."""

    name = "mitmproxy"

    def sniff(self, head: Head) -> bool:
        return _TNETSTRING.match(head.data) is not None and b"version" in head.data

    def read(self, source: Source) -> Iterator[Imported]:
        try:
            from durable_addons.flow_files import Unreadable, interactions
        except ModuleNotFoundError as error:
            raise UsageError(
                f"{source.path} holds flows of mitmproxy, which is not installed. "
                "`pip install durable-replay[record]` brings it."
            ) from error
        with source.open() as file:
            try:
                for number, interaction in enumerate(interactions(file), 1):
                    yield Imported(interaction, f"flow {number}")
            except Unreadable as error:
                raise source.wrong(f"mitmproxy cannot read it: {error}") from error
