"""Flows as mitmproxy keeps them in files. In a process of its own, for mitmproxy's imports warn."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

TELL = """
import json
from mitmproxy.flow import Error
from mitmproxy.http import Headers
from mitmproxy.test.tflow import tflow, twebsocketflow
from durable_addons.flows import interaction_of

def told(flow):
    each = interaction_of(flow)
    return {
        "url": each.request.url, "method": each.request.method, "version": each.http_version,
        "request": [list(each.request.headers), each.request.body.read().decode("latin-1")],
        "status": each.response.status, "reason": each.response.reason,
        "response": [list(each.response.headers), each.response.body.read().decode("latin-1")],
        "trailers": list(each.response.trailers), "outcome": each.outcome, "started": each.started,
        "duration": each.duration,
        "frames": [[f.from_client, f.kind, f.data.decode("latin-1"), f.code] for f in each.frames],
    }

plain = tflow(resp=True)
plain.request.path, plain.request.host = "/a%20b?x=%2F", "EXAMPLE.com"
plain.request.scheme, plain.request.port = "https", 8443
plain.request.headers = Headers([(b"Host", b"h"), (b"X-Latin", b"\\xe9"), (b"x-twice", b"1"), (b"X-Twice", b"2"),
                                 (b"Proxy-Authorization", b"Basic eDp5")])
plain.response.raw_content, plain.response.reason = b"\\x00\\xff", "Fine"
plain.response.trailers = Headers([(b"grpc-status", b"0")])
unanswered = tflow(resp=False)
broken = tflow(resp=True)
broken.error = Error("the server hung up")
talk = twebsocketflow()
cut = twebsocketflow(close_code=1006)
print(json.dumps({"plain": told(plain), "unanswered": told(unanswered), "broken": told(broken),
                  "talk": told(talk), "cut": told(cut)}))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """Interactions by name, made of flows in another process."""
    process = subprocess.run([sys.executable, "-c", TELL], capture_output=True, timeout=60, check=True)
    interactions: dict[str, dict[str, Any]] = json.loads(process.stdout)
    return interactions


def test_a_flow_keeps_its_bytes_and_their_order(told: dict[str, dict[str, Any]]) -> None:
    plain = told["plain"]
    assert plain["url"] == "https://example.com:8443/a%20b?x=%2F" and plain["version"] == "HTTP/1.1"
    assert plain["request"][0] == [["Host", "h"], ["X-Latin", "\xe9"], ["x-twice", "1"], ["X-Twice", "2"]]
    assert plain["request"][1] == "content" and plain["response"][1] == "\0\xff"
    assert (plain["status"], plain["reason"], plain["trailers"]) == (200, "Fine", [["grpc-status", "0"]])
    assert plain["outcome"] == "complete" and plain["started"] == 946681200 and plain["duration"] == 3


def test_a_flow_without_an_answer_or_with_an_error_is_aborted(told: dict[str, dict[str, Any]]) -> None:
    assert told["unanswered"]["status"] == 0 and told["unanswered"]["outcome"] == "aborted"
    assert told["broken"]["status"] == 200 and told["broken"]["outcome"] == "aborted"


def test_a_websocket_flow_has_its_messages_and_its_close(told: dict[str, dict[str, Any]]) -> None:
    talk = told["talk"]
    assert talk["url"].startswith("ws://") and talk["status"] == 101
    assert [kind for _, kind, _, _ in talk["frames"]] == ["binary", "text", "text", "close"]
    assert talk["frames"][0] == [True, "binary", "hello binary", None] and talk["frames"][-1][3] == 1000
    assert told["cut"]["frames"][-1][1] == "text"
