"""What holds for S3 whatever is done."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.engine import Engine
from durable_replay.http import BytesBody, Interaction, Request, Response
from durable_replay.testing import engine_over, request
from durable_s3 import service
from durable_s3.contents import Joined

AWS = "https://s3.amazonaws.com"
BUCKETS = st.sampled_from(["aaa", "bbb"])
KEYS = st.sampled_from(["k", "d/k", "d/e/k", "d%2B+", "%C3%A9"])
BODIES = st.sampled_from([b"", b"one", b"two two"])
UPLOADED = re.compile(rb"<UploadId>(.*?)</UploadId>")


def _steps() -> st.SearchStrategy[Request]:
    """Requests that need nothing of an earlier answer; `U` stands for the last upload's id."""

    def at(method: str, query: str = "", **headers: str) -> st.SearchStrategy[Request]:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return st.builds(lambda b, k: request(method, f"{AWS}/{b}/{k}{query}", None, fields), BUCKETS, KEYS)

    def of_bucket(method: str, query: str = "") -> st.SearchStrategy[Request]:
        return BUCKETS.map(lambda b: request(method, f"{AWS}/{b}{query}"))

    put = st.builds(lambda b, k, data: request("PUT", f"{AWS}/{b}/{k}", data), BUCKETS, KEYS, BODIES)
    part = st.builds(
        lambda b, n, data: request("PUT", f"{AWS}/{b}/k?partNumber={n}&uploadId=U", data),
        BUCKETS,
        st.integers(1, 2),
        BODIES,
    )
    return st.one_of(
        put,
        put,
        part,
        at("GET"),
        at("HEAD"),
        at("DELETE"),
        at("GET", range="bytes=1-"),
        at("PUT", x_amz_copy_source="aaa/k"),
        at("PUT", x_amz_copy_source="bbb/d/k", x_amz_meta_a="1", x_amz_metadata_directive="REPLACE"),
        of_bucket("PUT"),
        of_bucket("PUT"),
        of_bucket("DELETE"),
        of_bucket("HEAD"),
        of_bucket("GET", "?list-type=2"),
        of_bucket("GET", "?list-type=2&prefix=d/&delimiter=/"),
        of_bucket("GET", "?max-keys=1"),
        of_bucket("GET", "?uploads"),
        BUCKETS.map(lambda b: request("POST", f"{AWS}/{b}/k?uploads")),
        BUCKETS.map(lambda b: request("GET", f"{AWS}/{b}/k?uploadId=U")),
        BUCKETS.map(lambda b: request("DELETE", f"{AWS}/{b}/k?uploadId=U")),
        st.just(request("GET", f"{AWS}/")),
    )


SEQUENCES = st.lists(_steps(), min_size=1, max_size=25)


def _played(engine: Engine, steps: list[Request]) -> list[Interaction]:
    """The sequence as a tape: each request with what the engine answers."""
    tape: list[Interaction] = []
    upload = "none"
    for step in steps:
        sent = replace(step, target=step.target.replace("=U", f"={upload}"))
        answer = engine.answer("s", sent).response
        kept = replace(answer, body=BytesBody(b"".join(answer.body.chunks())))
        found = UPLOADED.search(kept.body.read()) if "?uploads" in step.target and step.method == "POST" else None
        upload = found[1].decode() if found else upload
        tape.append(Interaction(sent, kept, started=1_769_853_600.0 + len(tape)))
    return tape


def _recorded(steps: list[Request]) -> list[Interaction]:
    return _played(engine_over(service, clock="2026-01-31T10:00:00+00:00"), [request("PUT", f"{AWS}/aaa"), *steps])


@settings(max_examples=100, deadline=None)
@given(SEQUENCES)
def test_identity_a_tapes_own_requests_in_order_give_its_answers(steps: list[Request]) -> None:
    tape = _recorded(steps)
    engine = engine_over(service, tape)
    for number, one in enumerate(tape, 1):
        answer = engine.answer("s", one.request)
        assert answer.source == "recorded", (number, one.request, answer.why)
        assert answer.response == one.response


def _shape(response: Response) -> tuple[int, bytes, str, str]:
    """What must agree: not times, ids, and what only a recording's own clock or dice decide."""
    body = b"".join(response.body.chunks())
    for element in ("LastModified", "CreationDate", "Initiated", "UploadId", "RequestId", "HostId"):
        body = re.sub(rf"<{element}>.*?</{element}>".encode(), b"", body)
    return response.status, body, response.headers.get("etag"), response.headers.get("x-amz-meta-a")


@settings(max_examples=100, deadline=None)
@given(SEQUENCES, SEQUENCES)
def test_after_any_recorded_prefix_any_deviation_agrees_with_an_emulator_that_did_it_all(
    before: list[Request], after: list[Request]
) -> None:
    """The emulator alone is the reference: a tape of it, played in part and then left, must lead to the same state."""
    tape = _recorded(before)
    replayed, reference = engine_over(service, tape), engine_over(service)
    for one in tape[: max(1, len(tape) // 2)]:
        assert replayed.answer("s", one.request).source == "recorded"
    _played(reference, [one.request for one in tape[: max(1, len(tape) // 2)]])
    for step in (step for step in after if "=U" not in step.target):
        ours, theirs = replayed.answer("s", step), reference.answer("s", step)
        assert _shape(ours.response) == _shape(theirs.response), (step, ours.why, theirs.why)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_any_range_of_joined_pieces_is_that_range_of_the_whole(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    body = BytesBody(data)
    joined = Joined([(body, start, stop) for start, stop in pairwise(edges)])
    assert joined.size == len(data)
    for start in (0, 1, len(data) // 2, len(data)):
        for stop in (None, 0, len(data) // 3, len(data), len(data) + 9):
            assert b"".join(joined.chunks(start, stop)) == data[start:stop]
