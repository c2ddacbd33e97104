"""pyone: answers by method and digest, written as the XML-RPC that they were."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from xmlrpc import client

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]
DIGEST = "f6b88e6e0a3d1e61edfe10d5e4e491d9"


def fixture(*answers: object) -> bytes:
    return gzip.compress(json.dumps({"test_show": {"one.vm.info": {DIGEST: list(answers)}}}).encode(), mtime=0)


def test_an_answer_reads_as_xml_rpc(imports: Imports) -> None:
    answers = [[True, "<VM><ID>1</ID></VM>", 0], [False, "no such VM", 1024]]
    found = imports("fixtures.json.gz", fixture(*answers))
    assert [client.loads(each.response.body.read())[0][0] for each in found] == answers
    assert client.loads(found[0].request.body.read()) == ((), "one.vm.info")
    assert found[0].request.url == "http://localhost:2633/RPC2"
    assert DIGEST in found[0].note


def test_an_answer_that_xml_rpc_cannot_say_is_told(imports: Imports) -> None:
    with pytest.raises(CassetteError, match=f"test_show, one.vm.info, {DIGEST}"):
        imports("fixtures.json.gz", fixture([2**70]))


def test_gzip_that_is_cut_off_is_told(imports: Imports) -> None:
    with pytest.raises(CassetteError, match=r"fixtures\.json\.gz cannot be read"):
        imports("fixtures.json.gz", fixture([True, "x" * 100, 0])[:-12], format="pyone")
