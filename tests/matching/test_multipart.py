"""The parts of a body as they come are those of the standard library's parser; what is none is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.matching.multipart import BadMultipart, Part, parts_of, streamed_parts

TYPE = 'multipart/form-data; boundary="edge-12"'


def body(*parts: tuple[str, bytes], end: bytes = b"\r\n--edge-12--\r\n") -> bytes:
    head = '\r\n--edge-12\r\nContent-Disposition: form-data; name="{}"; filename="{}.bin"\r\nContent-Type: x/{}\r\n\r\n'
    return b"".join(head.format(name, name, name).encode() + data for name, data in parts).removeprefix(b"\r\n") + end


def cut(data: bytes, at: list[int]) -> Iterator[bytes]:
    """The data in pieces of these lengths, over and over."""
    start = turn = 0
    while start < len(data):
        yield data[start : start + at[turn % len(at)]]
        start, turn = start + at[turn % len(at)], turn + 1


def streamed(data: bytes, content_type: str = TYPE, at: int = 7, most: int = 10) -> list[Part]:
    found = streamed_parts(cut(data, [at]), content_type, most)
    return [Part(part.name, part.filename, part.content_type, b"".join(part.data)) for part in found]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=60).filter(lambda data: b"--edge-12" not in data))),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_however_a_body_is_cut_its_parts_are_those_of_the_standard_library(
    parts: list[tuple[str, bytes]], at: list[int]
) -> None:
    whole = body(*parts) if parts else b"--edge-12--\r\n"
    found = [
        Part(part.name, part.filename, part.content_type, b"".join(part.data))
        for part in streamed_parts(cut(whole, at), TYPE, 1000)
    ]
    assert found == [Part(name, f"{name}.bin", f"x/{name}", data) for name, data in parts]
    told_apart = parts and all(b"\r" not in data and b"\n" not in data for _, data in parts)
    if told_apart:  # the standard library ends lines by a lone CR or LF too
        assert found == parts_of(whole, TYPE, 1000)


def test_a_part_that_is_not_taken_is_passed_over() -> None:
    found = streamed_parts(cut(body(("a", b"x" * 99), ("b", b"y")), [5]), TYPE, 10)
    assert [part.name for part in found] == ["a", "b"]


def test_a_part_without_a_head_and_text_around_the_parts_are_understood() -> None:
    data = b"for old readers\r\n--edge-12  \r\n\r\nplain\r\n--edge-12--and more"
    assert streamed(data) == [Part("", "", "", b"plain")]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", TYPE),
        (b"no boundary at all", TYPE),
        (body(("a", b"x"), end=b""), TYPE),
        (body(("a", b"x"), end=b"\r\n--edge-12"), TYPE),
        (body(("a", b"x"), end=b"\r\n--edge-123--\r\n"), TYPE),
        (b"--edge-12\r\nname: a", TYPE),
        (b"--edge-12\r\nname: " + b"a" * 70_000 + b"\r\n\r\nx\r\n--edge-12--", TYPE),
        (b"--edge-12\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--edge-12--", TYPE),
        (body(*[("a", b"")] * 11), TYPE),
        (body(("a", b"x")), "multipart/form-data"),
    ],
)
def test_what_is_not_whole_or_too_much_is_refused(data: bytes, content_type: str) -> None:
    with pytest.raises(BadMultipart):
        streamed(data, content_type, at=1000)
