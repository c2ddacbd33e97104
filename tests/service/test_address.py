"""Addresses: the row that a request finds, the parameters it gets, and rows that contradict each other."""

from __future__ import annotations

import time

import pytest

from durable_replay.errors import BadService
from durable_replay.http import Headers
from durable_replay.service.address import Address, Procedure, Table, parse_address

ROWS = [
    "GET /",
    "GET /{Bucket}",
    "GET /{Bucket}?location",
    "GET /{Bucket}?list-type=2",
    "GET /{Bucket}/{Key:path}",
    "GET /{Bucket}/{Key:path}?uploadId={UploadId}",
    "PUT /{Bucket}/{Key:path}",
    "PUT /{Bucket}/{Key:path} +x-amz-copy-source",
    "PUT /{Bucket}/{Key:path}?partNumber={PartNumber}&uploadId={UploadId}",
    "PUT /{Bucket}/{Key:path}?partNumber={PartNumber}&uploadId={UploadId} +x-amz-copy-source",
    "GET /rest/api/{api:2|3|latest}/issue/{issue}",
    "GET /rest/api/{api:2|3|latest}/issue/createmeta",
    "GET /rest/api/{api:2|3|latest}/issue/{issue}/comment/",
    "one.vm.info(session, vm)",
]


@pytest.fixture(scope="module")
def table() -> Table[str]:
    return Table((row, row) for row in ROWS)


@pytest.mark.parametrize(
    ("method", "target", "row", "params"),
    [
        ("GET", "/", "GET /", {}),
        ("GET", "/b", "GET /{Bucket}", {"Bucket": "b"}),
        ("GET", "/b?list-type=1", "GET /{Bucket}", {"Bucket": "b"}),
        ("GET", "/b?list-type=2&prefix=x", "GET /{Bucket}?list-type=2", {"Bucket": "b"}),
        ("GET", "/b?list-type=2&list-type=1", "GET /{Bucket}?list-type=2", {"Bucket": "b"}),
        ("GET", "/b?location", "GET /{Bucket}?location", {"Bucket": "b"}),
        ("GET", "/b?location=", "GET /{Bucket}?location", {"Bucket": "b"}),
        ("GET", "/b/a", "GET /{Bucket}/{Key:path}", {"Bucket": "b", "Key": "a"}),
        ("GET", "/b/a/", "GET /{Bucket}/{Key:path}", {"Bucket": "b", "Key": "a/"}),
        ("GET", "/b//a", "GET /{Bucket}/{Key:path}", {"Bucket": "b", "Key": "/a"}),
        ("GET", "/b/a%2Fb/%C3%A4+c", "GET /{Bucket}/{Key:path}", {"Bucket": "b", "Key": "a/b/ä+c"}),
        ("GET", "/b/a?uploadId=7%2B", ROWS[5], {"Bucket": "b", "Key": "a", "UploadId": "7+"}),
        ("GET", "/rest/api/2/issue/P-1", ROWS[10], {"api": "2", "issue": "P-1"}),
        ("GET", "/rest/api/2/issue/createmeta", ROWS[11], {"api": "2"}),
        ("GET", "/rest/api/2/issue/P-1/comment/", ROWS[12], {"api": "2", "issue": "P-1"}),
        ("GET", "/rest/api/4/issue/P-1", ROWS[4], {"Bucket": "rest", "Key": "api/4/issue/P-1"}),
        ("GET", "/rest/api/2/issue/P-1/comment", ROWS[4], {"Bucket": "rest", "Key": "api/2/issue/P-1/comment"}),
    ],
)
def test_a_request_finds_the_row_that_says_most_of_it(
    table: Table[str], method: str, target: str, row: str, params: dict[str, str]
) -> None:
    found = table.find(method, target, Headers())
    assert found is not None
    assert (found[1], found[2]) == (row, params)


@pytest.mark.parametrize(
    ("target", "headers", "row"),
    [
        ("/b/a", [], ROWS[6]),
        ("/b/a", [("X-Amz-Copy-Source", "/c/d")], ROWS[7]),
        ("/b/a?partNumber=1&uploadId=2", [], ROWS[8]),
        ("/b/a?uploadId=2&partNumber=1", [("x-amz-copy-source", "")], ROWS[9]),
        ("/b/a?partNumber=1", [], ROWS[6]),
    ],
)
def test_headers_and_query_tell_rows_of_one_path_apart(
    table: Table[str], target: str, headers: list[tuple[str, str]], row: str
) -> None:
    found = table.find("PUT", target, Headers(headers))
    assert found is not None
    assert found[1] == row


@pytest.mark.parametrize(("method", "target"), [("DELETE", "/b"), ("PUT", "/b"), ("PUT", "/b/"), ("get", "/b")])
def test_what_no_row_knows_finds_none(table: Table[str], method: str, target: str) -> None:
    assert table.find(method, target, Headers()) is None


def test_a_procedure_binds_its_positions(table: Table[str]) -> None:
    found = table.procedure("one.vm.info")
    assert found is not None
    assert found[0].bind(["secret", 7, "too many"]) == {"session": "secret", "vm": 7}
    assert found[0].bind(["secret"]) == {"session": "secret"}
    assert table.procedure("one.vm.kill") is None
    assert parse_address("list()") == Procedure("list", ())


@pytest.mark.parametrize(
    ("row", "params", "target"),
    [
        (ROWS[4], {"Bucket": "b", "Key": "a b/ü/?"}, "/b/a%20b/%C3%BC/%3F"),
        (
            ROWS[8],
            {"Bucket": "b", "Key": "k", "PartNumber": "1", "UploadId": "a&b"},
            "/b/k?partNumber=1&uploadId=a%26b",
        ),
        (ROWS[2], {"Bucket": "a/b"}, "/a%2Fb?location"),
        (ROWS[10], {"api": "3", "issue": "P-1"}, "/rest/api/3/issue/P-1"),
    ],
)
def test_an_address_makes_the_target_that_finds_it(
    table: Table[str], row: str, params: dict[str, str], target: str
) -> None:
    address = parse_address(row)
    assert isinstance(address, Address)
    assert address.format(params) == target
    found = table.find(address.method, target, Headers())
    assert found is not None
    assert (found[1], found[2]) == (row, params)
    assert set(address.parameters) == set(params)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET",
        "GET path",
        "get /x",
        "GET /x/{a}b",
        "GET /x/a}",
        "GET /x/{a",
        "GET /x/{a-b}",
        "name",
        "n(a",
        "GET /x + y",
    ],
)
def test_what_is_no_address_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(BadService) as error:
        parse_address(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /{a}", "GET /{b}"),
        ("GET /x", "GET  /x"),
        ("GET /{a}?x", "GET /{b}?x"),
        ("GET /{a}?x={v}", "GET /{b}?x={w}"),
        ("GET /{a:path}", "GET /{b:path}"),
        ("GET /x +h", "GET /x +H"),
        ("call(a)", "call(b)"),
    ],
)
def test_two_rows_that_one_request_would_match_alike_are_refused(one: str, other: str) -> None:
    with pytest.raises(BadService):
        Table([(one, 1), (other, 2)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /{a}?x=1", "GET /{a}?x=2"),
        ("GET /{a}?x={v}", "GET /{b}?x=1"),
        ("GET /{a}?x", "GET /{a}?y"),
        ("GET /{a}", "PUT /{a}"),
        ("GET /{a}", "GET /b"),
        ("GET /{a:1|2}", "GET /{a}"),
        ("GET /{a:path}", "GET /{a}"),
    ],
)
def test_rows_that_something_tells_apart_stand_together(one: str, other: str) -> None:
    assert len(Table([(one, 1), (other, 2)]).addresses) == 2


def test_a_path_of_ten_thousand_segments_is_found_in_no_time(table: Table[str]) -> None:
    target = "/b" + "/x" * 10_000
    started = time.process_time()
    found = table.find("GET", target, Headers())
    assert found is not None
    assert found[2]["Key"] == "x" + "/x" * 9_999
    assert time.process_time() - started < 1
