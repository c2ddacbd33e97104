"""Live runs as a service sees them: what it is asked, how often, and what becomes of its answers."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from durable_replay.drift.live.asking import Wire
from durable_replay.drift.live.auth import Credential, Credentials
from durable_replay.drift.live.failing import Failure
from durable_replay.drift.live.pacing import Pace
from durable_replay.drift.live.selecting import Targets
from durable_replay.errors import UsageError
from durable_replay.redaction.placeholders import is_placeholder
from durable_replay.redaction.scan import scan_file, scan_interactions
from durable_replay.testing import exchange

Start = Callable[..., Any]
TOKEN = "tok-9f8e7d6c5b4a3210-live"
HIDDEN = "secret-0123456789abcdef"


def test_the_answers_make_a_cassette_in_the_order_of_the_tape(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"path": asked.target}))
    bench.tape(*(exchange("GET", f"{service.url}/users/{number}?x=%41", 200, {"id": number}) for number in range(20)))
    outcome = bench.take()
    taken = bench.taken()
    assert [one.request.target for one in taken] == [f"/users/{number}?x=%41" for number in range(20)]
    assert [one.note for one in taken] == [f"asked live in place of #{number}" for number in range(1, 21)]
    assert sorted(service.targets) == sorted(one.request.target for one in taken)
    assert bench.bodies()[3] == b'{"path": "/users/3?x=%41"}'
    assert (outcome.planned, outcome.answered, outcome.complete) == (20, 20, True)
    assert outcome.before == outcome.after == frozenset(range(1, 21))


def test_no_write_is_ever_sent(bench: Any, start: Start) -> None:
    service = start()
    writes = [exchange(method, f"{service.url}/x", 200, {}, send={"a": 1}) for method in ("POST", "PUT", "PATCH")]
    overridden = exchange("GET", f"{service.url}/y", 200, {}, headers={"X-HTTP-Method-Override": "DELETE"})
    reads = [exchange(method, f"{service.url}/x", 200, {}) for method in ("GET", "HEAD", "OPTIONS")]
    bench.tape(*writes, exchange("DELETE", f"{service.url}/x", 204), overridden, *reads)
    outcome = bench.take()
    assert sorted(one.method for one in service.asked) == ["GET", "HEAD", "OPTIONS"]
    assert sum(one.count for one in outcome.skipped) == 5
    assert {one.reason for one in outcome.skipped} == {"a write, or not known to be none"}
    assert outcome.before == {6, 7, 8}


def test_writes_need_a_sandbox_by_name() -> None:
    with pytest.raises(UsageError, match="--sandbox HOST"):
        Targets.of({}, frozenset(), include_writes=True)


def test_writes_go_to_the_sandbox_alone_one_after_the_other(bench: Any, start: Start) -> None:
    sandbox, other = start(), start()
    bench.tape(
        exchange("POST", f"{sandbox.url}/a", 201, {}, send={"n": 1}),
        exchange("GET", f"{sandbox.url}/a", 200, {}),
        exchange("POST", f"{sandbox.url}/a", 201, {}, send={"n": 1}),
        exchange("GET", f"{sandbox.url}/a", 200, [1]),
        exchange("POST", f"{other.url}/a", 201, {}, send={"n": 1}),
    )
    outcome = bench.take(targets=Targets.of({}, frozenset({sandbox.host}), include_writes=True))
    assert [one.method for one in sandbox.asked] == ["POST", "GET", "POST", "GET"]
    assert other.asked == []
    assert [one.reason for one in outcome.skipped] == ["a write, to a server that --sandbox does not name"]


def test_a_sandbox_that_is_not_on_the_tape_is_a_misspelling(bench: Any, start: Start) -> None:
    bench.tape(exchange("GET", f"{start().url}/a", 200, {}))
    with pytest.raises(UsageError, match=r"--sandbox sandbox\.test"):
        bench.take(targets=Targets.of({}, frozenset({"sandbox.test"}), include_writes=True))


def test_a_host_to_ask_elsewhere_that_is_not_on_the_tape_is_a_misspelling(bench: Any, start: Start) -> None:
    service, staging = start(), start()
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    with pytest.raises(UsageError, match=rf"--to 127\.0\.0\.1:1: nothing on the tape .* there is {service.host}"):
        bench.take(targets=Targets.of({"127.0.0.1:1": staging.url}, frozenset(), include_writes=False))
    assert service.asked == staging.asked == []


def test_a_request_is_asked_once_unless_its_answers_differed(bench: Any, start: Start) -> None:
    service = start()
    same = [exchange("GET", f"{service.url}/same", 200, {"a": 1})] * 3
    states = [exchange("GET", f"{service.url}/job", 200, {"state": state}) for state in ("new", "on", "on", "done")]
    bench.tape(*same, *states)
    outcome = bench.take()
    assert sorted(service.targets) == ["/job"] * 4 + ["/same"]
    assert outcome.before == frozenset(range(1, 8))


@pytest.mark.parametrize(("repeat", "expected"), [(1, 2), (2, 4), (9, 6)])
def test_how_often_a_request_is_asked_can_be_said(bench: Any, start: Start, repeat: int, expected: int) -> None:
    service = start()
    bench.tape(*[exchange("GET", f"{service.url}/{name}", 200, {}) for name in ("a", "b") for _ in range(3)])
    bench.take(repeat=repeat)
    assert len(service.asked) == expected


def test_a_host_can_be_asked_elsewhere_and_stays_the_recorded_one(bench: Any, start: Start) -> None:
    service = start()
    bench.tape(exchange("GET", "https://api.test/a", 200, {}, headers={"Host": "api.test"}))
    bench.take(targets=Targets.of({"api.test": service.url}, frozenset(), include_writes=False))
    (taken,) = bench.taken()
    assert taken.request.url == "https://api.test/a"
    assert taken.note == f"asked live in place of #1, at {service.url}"
    assert service.asked[0].headers["host"] == service.host


def test_a_redirect_is_an_answer_and_not_followed(bench: Any, start: Start) -> None:
    elsewhere = start()
    service = start(lambda asked: (302, b"", [("Location", f"{elsewhere.url}/b")]))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}), exchange("GET", f"{service.url}/b", 302))
    bench.take()
    assert [one.response.status for one in bench.taken()] == [302, 302]
    assert elsewhere.asked == []


def test_bodies_are_kept_as_they_were_on_the_wire(bench: Any, start: Start) -> None:
    packed = gzip.compress(b'{"a": 1}')
    fields = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    service = start(lambda asked: (200, packed, fields))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {"a": 1}, headers={"Accept-Encoding": "gzip"}))
    bench.take()
    assert bench.bodies() == [packed]
    assert service.asked[0].headers["accept-encoding"] == "gzip"


def test_nothing_is_sent_that_was_not_recorded(bench: Any, start: Start) -> None:
    service = start()
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}, headers={"X-One": "1"}))
    bench.take()
    assert sorted(service.asked[0].headers) == ["host", "x-one"]


def test_a_large_answer_goes_through_a_file(bench: Any, start: Start) -> None:
    data = bytes(range(256)) * 40_000
    service = start(lambda asked: (200, data, [("Content-Type", "application/octet-stream")]))
    bench.tape(exchange("GET", f"{service.url}/a", 200, b"x"))
    bench.take()
    assert bench.bodies() == [data]


def test_an_answer_over_the_limit_is_cut_and_not_compared_as_whole(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, b"x" * 200_000))
    bench.tape(exchange("GET", f"{service.url}/a", 200, b"x"))
    bench.take(wire=Wire(largest=100_000))
    (taken,) = bench.taken()
    assert taken.outcome == "aborted"
    assert "larger than 100,000 bytes" in taken.note


HALF = (200, b"half", [("Content-Length", "8"), ("Connection", "close")])


def test_an_answer_that_breaks_off_is_asked_for_once_more(bench: Any, start: Start) -> None:
    answers: Iterator[tuple[Any, ...]] = iter([HALF, (200, b"whole")])
    service = start(lambda asked: next(answers))
    bench.tape(exchange("GET", f"{service.url}/a", 200, b"whole"))
    outcome = bench.take()
    assert (bench.bodies(), outcome.complete) == ([b"whole"], True)


def test_an_answer_that_breaks_off_each_time_is_counted_and_not_kept(bench: Any, start: Start) -> None:
    service = start(lambda asked: HALF if asked.target == "/a" else (200, b"whole"))
    bench.tape(*(exchange("GET", f"{service.url}/{path}", 200, b"whole") for path in ("b", "a")))
    outcome = bench.take(pace=Pace(concurrency=1))
    assert (bench.bodies(), outcome.complete, outcome.failures) == ([b"whole"], False, ())
    assert [(one.reason, one.asked) for one in outcome.skipped] == [
        ("the answer broke off: the server closed the connection early", True)
    ]
    assert service.targets == ["/b", "/a", "/a"]


def test_a_write_whose_answer_breaks_off_is_not_sent_again(bench: Any, start: Start) -> None:
    service = start(lambda asked: HALF if asked.method == "POST" else (200, b"{}"))
    written = exchange("POST", f"{service.url}/b", 200, {}, send={})
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}), written)
    bench.take(targets=Targets.of({}, frozenset({service.host}), include_writes=True))
    assert [one.method for one in service.asked] == ["GET", "POST"]


def test_no_more_than_four_requests_are_under_way_at_a_server(bench: Any, start: Start) -> None:
    gate = threading.Barrier(4, timeout=10)

    def answer(asked: Any) -> tuple[Any, ...]:
        gate.wait()
        return 200, {}

    service = start(answer)
    bench.tape(*(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(16)))
    bench.take()
    assert (service.most_at_once, len(service.asked)) == (4, 16)


# -- credentials ------------------------------------------------------------------------------------------------------


def test_recorded_credentials_are_not_sent_and_counted(bench: Any, start: Start) -> None:
    service = start()
    fields = {"Authorization": f"Bearer {HIDDEN}", "Cookie": f"sid={HIDDEN}", "X-Api-Key": "left in by an import"}
    bench.tape(exchange("GET", f"{service.url}/a?api_key={HIDDEN}&b=1", 200, {}, headers=fields))
    outcome = bench.take()
    assert service.targets == ["/a?b=1"]
    assert sorted(service.asked[0].headers) == ["host"]
    assert outcome.bare == 1


@pytest.mark.parametrize("place", ["/hooks/secret-0123456789abcdef", "/a?mail=person-01234567@example.invalid"])
def test_what_cannot_be_asked_without_a_redacted_value_is_not_asked(bench: Any, start: Start, place: str) -> None:
    service = start()
    bench.tape(exchange("GET", service.url + place, 200, {}), exchange("GET", f"{service.url}/b", 200, {}))
    outcome = bench.take()
    assert service.targets == ["/b"]
    assert "redacted" in outcome.skipped[0].reason
    assert outcome.before == {2}


def test_credentials_are_sent_and_stand_nowhere_afterwards(
    bench: Any, start: Start, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secrets = {"X-Team": "team-1234-abcd-5678", "Authorization": f"Bearer {TOKEN}"}
    key = "key/with+odd=signs-42"
    credential = Credential(tuple(secrets.items()), (("key", key),))

    def echo(asked: Any) -> tuple[Any, ...]:
        told = {"you": asked.headers["authorization"], "team": asked.headers["x-team"], "at": asked.target, "raw": key}
        return 200, told, [("X-Echo", asked.headers["x-team"]), ("Link", f'<{asked.target}>; rel="self"')]

    service = start(echo)
    bench.tape(exchange("GET", f"{service.url}/a?key={HIDDEN}", 200, {}, headers={"Authorization": HIDDEN}))
    outcome = bench.take(credentials=Credentials((("127.0.0.1", credential),)))
    assert service.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert service.asked[0].headers["x-team"] == secrets["X-Team"]
    assert service.targets == ["/a?key=key%2Fwith%2Bodd%3Dsigns-42"]
    assert outcome.bare == 0
    planted = [TOKEN, secrets["X-Team"], key]
    assert scan_file(bench.target, known=planted) == []
    assert scan_interactions(bench.taken(), known=planted) == []
    (taken,) = bench.taken()
    assert is_placeholder(taken.request.headers.get("authorization"))
    shown = "".join((*capfd.readouterr(), caplog.text, repr(outcome), repr(credential)))
    assert not any(value in shown for value in planted)


def test_credentials_go_to_their_own_host_alone(bench: Any, start: Start) -> None:
    one, other = start(), start()
    bench.tape(exchange("GET", f"{one.url}/a", 200, {}), exchange("GET", f"{other.url}/a", 200, {}))
    bench.take(credentials=Credentials(((one.host, Credential((("Authorization", f"Bearer {TOKEN}"),))),)))
    assert "authorization" in one.asked[0].headers
    assert "authorization" not in other.asked[0].headers


def test_a_secret_takes_the_place_of_what_was_redacted_in_path_and_body(bench: Any, start: Start) -> None:
    service = start()
    host = service.host
    bench.tape(
        exchange("GET", f"{service.url}/hooks/{HIDDEN}", 200, {}),
        exchange("POST", f"{service.url}/find", 200, {}, send={"session": HIDDEN, "q": "x"}),
    )
    credential = Credential(secret='user:pa"ss/word-77')
    targets = Targets.of({}, frozenset({host}), include_writes=True)
    bench.take(credentials=Credentials(((host, credential),)), targets=targets)
    assert service.asked[0].target == "/hooks/user%3Apa%22ss%2Fword-77"
    assert service.asked[1].body == b'{"session": "user:pa\\"ss/word-77", "q": "x"}'
    assert scan_interactions(bench.taken(), known=[credential.secret]) == []


# -- hosts that fail --------------------------------------------------------------------------------------------------


def test_one_host_of_several_that_is_down_is_named_and_the_others_are_asked(bench: Any, start: Start) -> None:
    service = start()
    with socket.socket() as deaf:  # it has the port, so that nobody else gets it, and does not listen
        deaf.bind(("127.0.0.1", 0))
        down = f"127.0.0.1:{deaf.getsockname()[1]}"
        bench.tape(exchange("GET", f"http://{down}/a", 200, {}), exchange("GET", f"{service.url}/a", 200, {}))
        outcome = bench.take()
    assert [(one.host, one.failure) for one in outcome.failures] == [(down, Failure.unreachable)]
    assert (outcome.before, outcome.after, outcome.complete) == ({2}, {1}, False)
    assert len(bench.clock.slept) == 3  # before the second, third and fourth try


def test_a_name_that_nobody_has_is_unreachable(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    bench.tape(exchange("GET", "https://nobody.invalid/a", 200, {}))
    (failure,) = bench.take().failures
    assert (failure.failure, failure.text) == (
        Failure.unreachable,
        "nobody.invalid has no address: its name is not known",
    )


def test_a_certificate_that_nobody_signed_is_a_failure_of_tls(bench: Any, start: Start, authority: Any) -> None:
    service = start(tls=authority.context("127.0.0.1"))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    (failure,) = bench.take().failures
    assert failure.failure is Failure.tls
    assert "TLS with 127.0.0.1" in failure.text
    assert service.asked == []


def test_an_authority_of_ones_own_can_be_trusted(bench: Any, start: Start, authority: Any) -> None:
    service = start(tls=authority.context("127.0.0.1"))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    outcome = bench.take(wire=Wire(ca_file=authority.path))
    assert (outcome.failures, service.targets) == ((), ["/a"])


def test_refused_credentials_are_said_once_and_soon(bench: Any, start: Start) -> None:
    service = start(lambda asked: (401, {"error": "who are you"}))
    bench.tape(*(exchange("GET", f"{service.url}/users/{number}", 200, {}) for number in range(50)))
    outcome = bench.take()
    (failure,) = outcome.failures
    assert failure.failure is Failure.credentials_refused
    assert len(service.asked) < 10
    assert bench.taken() == []
    assert (outcome.before, outcome.complete) == (frozenset(), False)


@pytest.mark.parametrize(
    "answer",
    [
        (401, {}),
        (302, b"", [("Location", "/login")]),
        (200, b'<input type="password">', [("Content-Type", "text/html")]),
    ],
)
def test_of_a_host_that_refuses_everything_no_answer_is_compared(
    bench: Any, start: Start, answer: tuple[Any, ...]
) -> None:
    service = start(lambda asked: answer)
    absent = exchange("GET", f"{service.url}/none", 404, {})
    bench.tape(absent, *(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(3)))
    outcome = bench.take()
    assert (len(outcome.failures), outcome.answered, bench.taken()) == (1, 0, [])


def test_a_host_that_refuses_some_requests_is_compared(bench: Any, start: Start) -> None:
    service = start(lambda asked: (403 if asked.target > "/5" else 200, {}))
    bench.tape(*(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(10)))
    outcome = bench.take()
    assert (outcome.failures, len(bench.taken())) == ((), 10)


def test_what_was_refused_on_the_tape_tells_nothing(bench: Any, start: Start) -> None:
    service = start(lambda asked: (401, {}))
    bench.tape(exchange("GET", f"{service.url}/a", 401, {}))
    assert bench.take().failures == ()


@pytest.mark.parametrize(
    "answer",
    [
        (302, b"", [("Location", "https://sso.test/login?next=%2Fa")]),
        (200, b'<form><input name=p type="password"></form>', [("Content-Type", "text/html; charset=utf-8")]),
    ],
)
def test_a_login_page_is_told_for_what_it_is(bench: Any, start: Start, answer: tuple[Any, ...]) -> None:
    service = start(lambda asked: answer)
    bench.tape(*(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(3)))
    outcome = bench.take()
    (failure,) = outcome.failures
    assert failure.failure is Failure.login_page
    assert bench.taken() == []


def test_a_host_that_limits_the_rate_is_waited_for(bench: Any, start: Start) -> None:
    answers: Iterator[tuple[Any, ...]] = iter([(429, {}, [("Retry-After", "7")]), (200, {})])
    service = start(lambda asked: next(answers))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    outcome = bench.take()
    assert (outcome.failures, bench.clock.slept) == ((), [7])
    assert [one.response.status for one in bench.taken()] == [200]


def test_a_host_that_limits_the_rate_for_too_long_ends_and_can_go_on(bench: Any, start: Start) -> None:
    limits = [False]

    def answer(asked: Any) -> tuple[Any, ...]:
        if asked.target == "/3" and not limits[0]:
            return 429, {}, [("Retry-After", "3600")]
        return 200, {}

    service = start(answer)
    bench.tape(*(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(6)))
    outcome = bench.take(pace=Pace(concurrency=1))
    (failure,) = outcome.failures
    assert failure.failure is Failure.rate_limited
    assert (outcome.answered, bench.clock.slept) == (3, [])
    limits[0] = True
    before = len(service.asked)
    outcome = bench.take(pace=Pace(concurrency=1))
    assert (outcome.answered, outcome.resumed, outcome.complete) == (6, 3, True)
    assert service.targets[before:] == ["/3", "/4", "/5"]


# -- resuming ---------------------------------------------------------------------------------------------------------


def test_a_target_of_something_else_is_left_alone(bench: Any, start: Start) -> None:
    service = start()
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    bench.target.write_bytes(bench.before.read_bytes())
    with pytest.raises(UsageError, match="a cassette of something else"):
        bench.take()
    assert service.asked == []


def test_a_finished_run_is_not_taken_for_a_new_one(bench: Any, start: Start) -> None:
    bench.tape(exchange("GET", f"{start().url}/a", 200, {}))
    bench.take()
    with pytest.raises(UsageError, match="finished"):
        bench.take()


def test_a_run_over_another_tape_does_not_go_on(bench: Any, start: Start) -> None:
    service = start(lambda asked: (401, {}))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    bench.take()
    bench.tape(exchange("GET", f"{service.url}/b", 200, {}))
    with pytest.raises(UsageError, match="begun for another cassette"):
        bench.take()


def test_a_run_in_which_something_broke_off_goes_on_in_the_order_of_what_is_left(bench: Any, start: Start) -> None:
    class Stop(BaseException):
        """As a kill would: nothing after it runs but what is in `finally`."""

    service = start()
    bench.tape(*(exchange("GET", f"{service.url}/{number}", 200, {}) for number in range(30)))

    class Counting(type(bench.clock)):  # type: ignore[misc]
        calls = 0

        def now(self) -> float:
            self.calls += 1
            if self.calls == 40:
                raise Stop
            return float(self.time)

    still, bench.clock = bench.clock, Counting()
    with pytest.raises(Stop):
        bench.take(pace=Pace(concurrency=1))
    bench.clock = still
    first = len(bench.taken())
    assert 0 < first < 30
    asked = len(service.asked)
    outcome = bench.take(pace=Pace(concurrency=1))
    assert (outcome.answered, outcome.resumed) == (30, first)
    assert len(service.asked) - asked == 30 - first
    assert [one.request.target for one in bench.taken()] == [f"/{number}" for number in range(30)]
