"""betamax: the records of Ruby VCR in JSON."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from pathlib import Path

from durable_replay.cassette.formats.importing import import_into
from durable_replay.http import Interaction

PACKED = gzip.compress(b"hello", mtime=0)
ONE = {
    "http_interactions": [
        {
            "recorded_at": "2015-06-21T19:22:54",
            "request": {
                "body": {"encoding": "utf-8", "string": "q=1"},
                "headers": {"Accept": ["*/*"], "Host": "api.test"},
                "method": "POST",
                "uri": "https://api.test/a",
            },
            "response": {
                "body": {"encoding": None, "base64_string": base64.b64encode(PACKED).decode()},
                "headers": {"content-encoding": ["gzip"], "content-length": [str(len(PACKED))]},
                "status": {"code": 200, "message": "OK"},
                "url": "https://api.test/a",
            },
        }
    ],
    "recorded_with": "betamax/0.4.2",
}


def test_a_body_that_is_still_encoded_stays_so(imports: Callable[..., list[Interaction]]) -> None:
    (found,) = imports("a.json", ONE)
    assert found.response.body.read() == PACKED
    assert found.response.headers.get("content-encoding") == "gzip"
    assert found.note == ""
    assert found.request.body.read() == b"q=1"
    assert found.started == 1434914574.0


def test_it_is_told_from_ruby_vcrs_json(target: Path, writes: Callable[..., Path]) -> None:
    summary = import_into(target, [writes("a.json", ONE)])
    assert [source.format for source in summary.sources] == ["betamax"]
