"""pyone's recorded fixtures of OpenNebula: unit → method → digest of the parameters → answers, gzip'd JSON.

The answers are those of XML-RPC before pyone looks at them; the parameters are not kept, so that a request names its
method alone. https://github.com/OpenNebula/one/tree/master/src/oca/python (`pyone.tester`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xmlrpc import client

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import load
from durable_replay.cassette.formats.plain import Plain, Unfit, listing, mapping
from durable_replay.cassette.formats.source import Head, Imported, Source, require_base
from durable_replay.http import Interaction

__all__ = ["Pyone"]

_DIGEST = re.compile(r"[0-9a-f]{32}")
_DEFAULT = "http://localhost:2633/RPC2"  # where oned listens
_XML = [("Content-Type", "text/xml; charset=utf-8")]


class Pyone:
    """`{"test_show": {"one.vm.info": {"<md5>": [[true, "<VM>…</VM>", 0]]}}}`."""

    name = "pyone"

    def sniff(self, head: Head) -> bool:
        return head.kind == "json" and any(
            len(path) == 3 and path[1].startswith("one.") and _DIGEST.fullmatch(path[2]) for path in head.shape.paths
        )

    def read(self, source: Source) -> Iterator[Imported]:
        url = require_base(source, _DEFAULT)
        for unit, method, digest, answer in _answers(mapping(load(source), "document")):
            place = f"{unit}, {method}, {digest}"
            try:
                yield Imported(_interaction(url, method, digest, answer), place)
            except Unfit as error:
                raise source.wrong(f"{place}: {error}") from error


def _answers(document: dict[str, Plain]) -> Iterator[tuple[str, str, str, Plain]]:
    for unit, methods in document.items():
        for method, calls in mapping(methods, unit).items():
            for digest, answers in mapping(calls, method).items():
                for answer in listing(answers, digest):
                    yield unit, method, digest, answer


def _interaction(url: str, method: str, digest: str, answer: Plain) -> Interaction:
    try:
        body = client.dumps((answer,), methodresponse=True, allow_none=True)
    except (TypeError, OverflowError) as error:
        raise Unfit(f"its answer cannot be written as XML-RPC ({error})") from error
    return Draft(
        "POST",
        url,
        _XML.copy(),
        client.dumps((), method).encode(),
        response_headers=_XML.copy(),
        response_body=body.encode(),
        notes=[f"the call's parameters are not kept, but their digest is: {digest}"],
    ).interaction()
