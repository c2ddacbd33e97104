"""betamax' cassettes: JSON, Ruby VCR's records with a `url` in the response. https://betamax.readthedocs.io"""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.cassette.formats.records import entries
from durable_replay.cassette.formats.ruby_vcr import recorded
from durable_replay.cassette.formats.source import Head, Imported, Source, each

__all__ = ["Betamax"]


class Betamax:
    """`{"http_interactions": […], "recorded_with": "betamax/0.9"}`."""

    name = "betamax"

    def sniff(self, head: Head) -> bool:
        if head.kind != "json" or not head.has("http_interactions"):
            return False
        told = head.text("recorded_with").startswith("betamax")
        return told or head.has("http_interactions", "[]", "response", "url")

    def read(self, source: Source) -> Iterator[Imported]:
        yield from each(source, entries(source, ("http_interactions",)), recorded)
