"""Property 4: boto3 gets from us what it gets from moto, an independent S3, with a recording of moto and without.

Where moto departs from AWS is listed, each with its source, in `moto_departures.json`; there AWS wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast
from urllib.request import Request, urlopen

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from durable_replay.administration import Administration
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.replaying import Plan, Replay, opened
from durable_replay.settings import Settings
from tests.end_to_end.record_replay import DURABLE, serving
from tests.end_to_end.s3_differences import departures, differences
from tests.end_to_end.s3_operations import BUCKETS, operations, put, stories, uploads_to_their_end
from tests.end_to_end.s3_sides import NOTHING_SENT, Op, Ref, Seen, Side

BUCKET = Op("create_bucket", {"Bucket": BUCKETS[0]})


def examples(share: float) -> settings:
    """So many of the profile's examples: 30 of 15 steps in CI, hundreds at night."""
    assert settings.default is not None
    return settings(
        max_examples=int(settings.default.max_examples * share),
        stateful_step_count=15,
        phases=[Phase.generate],  # a story takes a second: one that fails is told at once, not shrunk by the hour
    )


class Agreement:
    """Whatever is called, both give the same answer."""

    def __init__(self, theirs: Side, ours: Side, authority: str) -> None:
        self.theirs, self.ours, self.authority = theirs, ours, authority
        self.history: list[Op] = []
        self.diverged = False

    def forget(self) -> None:
        """Empties moto."""
        with urlopen(Request(f"http://{self.authority}/moto-api/reset", method="POST")) as answer:
            assert answer.status == 200
        self.theirs.begin()

    def both(self, op: Op) -> Seen:
        """Runs it on both sides and holds the answers against each other; gives ours."""
        if self.diverged:
            return NOTHING_SENT
        self.history.append(op)
        theirs, ours = self.theirs.run(op), self.ours.run(op)
        found = [line for line in differences(op, theirs, ours) if not self.is_known(line)]
        assert not found, f"{op!r} after {self.history[:-1]!r}: {found}; {ours.response.headers.fields}"
        return ours

    def is_known(self, line: str) -> bool:
        """Whether this is how moto departs from AWS."""
        known = [departure for departure in departures() if departure.pattern.search(line)]
        self.diverged |= any(departure.diverges for departure in known)
        return bool(known)


def played(machine: Callable[[], RuleBasedStateMachine], how: settings) -> None:
    """Runs machines that a callable makes; hypothesis' types ask for a class."""
    run_state_machine_as_test(cast("type[RuleBasedStateMachine]", machine), settings=how)


@pytest.fixture
def theirs(moto: str) -> Iterator[Side]:
    side = Side(f"http://{moto}")
    yield side
    side.close()


class Alone(RuleBasedStateMachine, Agreement):
    """Our emulator alone, at its plain endpoint."""

    def __init__(self, theirs: Side, ours: Side, authority: str, replay: Replay) -> None:
        Agreement.__init__(self, theirs, ours, authority)
        RuleBasedStateMachine.__init__(self)
        self.administration = Administration(replay.engine)

    @initialize(first=st.lists(put, max_size=4))
    def begin(self, first: list[Op]) -> None:
        self.forget()
        self.ours.begin()
        for session in self.administration.sessions():
            self.administration.delete(session.name)
        for op in (BUCKET, *first):
            self.both(op)

    @rule(op=operations)
    def call(self, op: Op) -> None:
        self.both(op)

    @rule(ops=uploads_to_their_end)
    def upload(self, ops: list[Op]) -> None:
        for op in ops:
            self.both(op)


def test_boto3_gets_from_the_emulator_alone_what_it_gets_from_another_s3(
    moto: str, theirs: Side, tmp_path: Path
) -> None:
    with opened(Plan(service="s3"), Settings.load(tmp_path)) as replay:
        ours = Side(replay.url)
        played(lambda: Alone(theirs, ours, moto, replay), examples(0.6))
        ours.close()


class Taped(RuleBasedStateMachine, Agreement):
    """A replay of what was recorded from moto: played in order, in part, and then contradicted."""

    def __init__(self, theirs: Side, ours: Side, authority: str, folder: Path) -> None:
        Agreement.__init__(self, theirs, ours, authority)
        RuleBasedStateMachine.__init__(self)
        self.folder = folder
        self.stack = ExitStack()

    @initialize(first=st.lists(put, max_size=3), then=stories)
    def begin(self, first: list[Op], then: list[Op]) -> None:
        self.ahead = [BUCKET, *first, *then]
        self.as_recorded = True
        self.forget()
        tape = self.folder / "s3.cassette"
        tape.unlink(missing_ok=True)
        with CassetteWriter.open(tape) as writer:
            for op in self.ahead:
                if (seen := self.theirs.run(op)).response.status:
                    writer.append(seen.interaction())
        self.forget()
        plan = Plan(cassettes=(tape,), hosts={self.authority: "s3"})
        replay = self.stack.enter_context(opened(plan, Settings.load(self.folder)))
        self.ours.begin(replay.url)

    @precondition(lambda self: self.ahead)
    @rule(steps=st.integers(1, 6))
    def go_on(self, steps: int) -> None:
        for op in self.ahead[:steps]:
            ours = self.both(op)
            if self.as_recorded and ours.response.status:
                source = ours.response.headers.get("x-durable-source")
                assert source == "recorded", (op, self.history, ours.response.headers.get("x-durable-reason"))
        del self.ahead[:steps]

    @precondition(lambda self: self.ahead)
    @rule()
    def leave_out(self) -> None:
        self.history.append(Op("LEFT OUT: " + self.ahead.pop(0).method))
        self.as_recorded = False

    @rule(op=operations)
    def deviate(self, op: Op) -> None:
        self.as_recorded = False
        self.both(op)

    @rule(ops=uploads_to_their_end)
    def deviate_by_an_upload(self, ops: list[Op]) -> None:
        self.as_recorded = False
        for op in ops:
            self.both(op)

    def teardown(self) -> None:
        self.stack.close()


def test_boto3_gets_from_a_replay_what_it_gets_from_the_real_thing_whatever_it_does_after_the_recording(
    moto: str, theirs: Side, tmp_path: Path
) -> None:
    ours = Side(f"http://{moto}")
    played(lambda: Taped(theirs, ours, moto, tmp_path), examples(0.6))
    ours.close()


A, B, PHOTO = {"Bucket": BUCKETS[0], "Key": "a.txt"}, {"Bucket": BUCKETS[0], "Key": "dir/b"}, {"Bucket": BUCKETS[0]}
UPLOAD = {**B, "UploadId": Ref("upload", -1)}
AS_RECORDED = (
    BUCKET,
    Op("put_object", {**A, "Body": b"hello", "Metadata": {"colour": "blue"}, "ContentType": "text/plain"}),
    Op("put_object", {**B, "Body": b"other", "CacheControl": "max-age=60"}),
    Op("copy_object", {**PHOTO, "Key": "c", "CopySource": dict(A)}),
    Op("list_objects_v2", {**PHOTO, "MaxKeys": 2}),
    Op("list_objects_v2", {**PHOTO, "MaxKeys": 2, "ContinuationToken": Ref("token")}),
    Op("get_object", {**A, "Range": "bytes=1-3"}),
    Op("get_object_PRESIGNED", dict(A)),
    Op("create_multipart_upload", {**B, "Metadata": {"made": "of parts"}}),
    Op("upload_part", {**UPLOAD, "PartNumber": 1, "Body": Ref("bytes", 5 * 1024**2)}),
    Op("upload_part", {**UPLOAD, "PartNumber": 2, "Body": b"tail"}),
    Op("list_parts", UPLOAD),
    Op("complete_multipart_upload", {**UPLOAD, "MultipartUpload": Ref("parts")}),
    Op("head_object", dict(B)),
    Op("get_object", dict(A)),
    Op("delete_object", {**PHOTO, "Key": "c"}),
    Op("get_object", {**PHOTO, "Key": "c"}),
)
NOT_RECORDED = (
    Op("get_object", {**B, "Range": "bytes=5242878-5242881"}),
    Op("put_object", {**A, "Body": b"hello, overwritten"}),
    Op("get_object", dict(A)),
    Op("head_object", dict(B)),
    Op("copy_object", {**PHOTO, "Key": "whole", "CopySource": dict(B)}),
    Op("get_object", {**PHOTO, "Key": "whole"}),
    Op("put_object_PRESIGNED", {**PHOTO, "Key": "new", "Body": b"by url"}),
    Op("list_objects_v2", dict(PHOTO)),
    Op("delete_objects", {**PHOTO, "Delete": {"Objects": [{"Key": "a.txt"}, {"Key": "none"}]}}),
    Op("list_objects", {**PHOTO, "Delimiter": "/"}),
    Op("delete_bucket", dict(PHOTO)),
)


def test_a_recording_by_the_recorder_itself_agrees_as_well(moto: str, theirs: Side, tmp_path: Path) -> None:
    tape = tmp_path / "s3.cassette"
    agreement = Agreement(theirs, Side(f"http://{moto}"), moto)
    agreement.forget()
    with serving(*DURABLE, "record", "-c", tape, "--map", f"{moto}=s3") as recorder:
        theirs.begin(recorder.url)
        answers = [theirs.run(op).response for op in AS_RECORDED]
    with Cassette.open(tape) as cassette:
        assert [one.response.body for one in cassette.interactions()] == [answer.body for answer in answers]
    agreement.forget()
    with opened(Plan(cassettes=(tape,)), Settings.load(tmp_path)) as replay:
        agreement.ours.begin(replay.url)
        for op in AS_RECORDED:
            assert agreement.both(op).response.headers.get("x-durable-source") == "recorded", op
        for op in NOT_RECORDED:
            agreement.both(op)
    assert not agreement.diverged
    agreement.ours.close()


def test_each_departure_of_moto_has_a_source_and_is_about_one_answer() -> None:
    rows = json.loads((Path(__file__).parent / "moto_departures.json").read_text("utf-8"))
    assert len(rows) == len({row["difference"] for row in rows})
    for row in rows:
        assert row["source"]
        # A pattern that took everything would hide everything.
        assert not re.search(row["difference"], "get_object 200 body text: moto ['a'], ours ['b']")
        assert not re.search(row["difference"], "get_object 200 status: moto 200, ours 404")
