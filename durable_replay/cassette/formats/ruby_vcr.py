"""Ruby VCR's cassettes, YAML and JSON. https://benoittgt.github.io/vcr

Bodies are `{encoding, string}`, `{encoding, base64_string}`, or texts under YAML's `!binary`. Objects of version 1
(`!ruby/struct:VCR::HTTPInteraction`) are read as the plain mappings that they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.cassette.formats.exchange import Draft, moment
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, mapping, pairs, text
from durable_replay.cassette.formats.records import encoded, entries
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.http import Interaction

__all__ = ["RubyVcr", "recorded"]


class RubyVcr:
    """`{http_interactions: [{request: {method, uri, body, headers}, response: {…}, recorded_at}], recorded_with}`."""

    name = "ruby-vcr"

    def sniff(self, head: Head) -> bool:
        if head.has("http_interactions"):
            return True
        return head.has("[]", "request", "uri") and head.has("[]", "response", "status", "code")

    def read(self, source: Source) -> Iterator[Imported]:
        path = ("http_interactions",) if source.head.has("http_interactions") else ()
        yield from each(source, entries(source, path), recorded)


def recorded(value: Plain) -> Interaction:
    """One element of `http_interactions`, as Ruby VCR and betamax write it."""
    entry = mapping(value, "entry")
    request, response = mapping(entry.get("request"), "request"), mapping(entry.get("response"), "response")
    if not request or not response:
        raise Unfit(f"it has no '{'response' if request else 'request'}'")
    status = mapping(response.get("status"), "response.status")
    draft = Draft(
        text(request.get("method"), "request.method").upper(),
        text(request.get("uri"), "request.uri"),
        list(pairs(request.get("headers"), "request.headers")),
        encoded(request.get("body"), "request.body"),
        integer(status.get("code"), "response.status.code"),
        text(status.get("message"), "response.status.message"),
        list(pairs(response.get("headers"), "response.headers")),
        encoded(response.get("body"), "response.body"),
        text(response.get("http_version"), "response.http_version"),
        moment(text(entry.get("recorded_at"), "recorded_at")),
    )
    return draft.interaction()
