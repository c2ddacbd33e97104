"""Forms and multipart bodies."""

from __future__ import annotations

from collections.abc import Callable

from durable_replay.drift.documents import Document

Read = Callable[..., Document]
FORM = "application/x-www-form-urlencoded"


def test_a_repeated_name_has_a_list(read: Read) -> None:
    assert read(FORM, b"a=1&b=2&b=3&c[]=4&d=it%27s+%C3%A4&e").root == {
        "a": "1",
        "b": ["2", "3"],
        "c": ["4"],
        "d": "it's ä",
        "e": "",
    }


def test_a_field_that_holds_json_is_read(read: Read) -> None:
    assert read(FORM, b"payload=%7B%22a%22%3A1%7D").root == {"payload": {"<json>": {"a": 1}}}


def test_parts_are_documents_by_name_and_the_boundary_does_not_count(read: Read) -> None:
    def body(boundary: bytes) -> bytes:
        return (
            b"--"
            + boundary
            + b'\r\nContent-Disposition: form-data; name="about"\r\nContent-Type: application/json\r\n\r\n'
            b'{"a": 1}\r\n--' + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
            b"Content-Type: image/png\r\n\r\n\0\1\r\n--" + boundary + b"--\r\n"
        )

    found = read("multipart/form-data; boundary=one", body(b"one"))
    assert isinstance(found.root, dict)
    assert found.root["about"] == {"media-type": "application/json", "content": {"a": 1}}
    file = found.root["file"]
    assert isinstance(file, dict)
    assert file["filename"] == "a.bin"
    assert isinstance(file["content"], dict)
    assert file["content"]["size"] == 2
    assert found.root == read("multipart/form-data; boundary=two", body(b"two")).root


def test_parts_without_names_are_a_list(read: Read) -> None:
    found = read("multipart/mixed; boundary=x", b"--x\r\n\r\nhi\r\n--x--\r\n")
    assert found.root == {"parts": [{"media-type": "text/plain", "content": "hi"}]}


def test_multipart_in_multipart_without_end_is_no_form(read: Read) -> None:
    body = b"x"
    for n in range(3000):
        inner = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n - 1)
        body = b"--b%d\r\n%b%b\r\n--b%d--\r\n" % (n, inner, body, n)
    found = read("multipart/mixed; boundary=b2999", body)
    assert found.form == "text"
    assert "too deep" in found.note
