"""XML as dicts and lists of one shape, whether one child or many."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest

from durable_replay.drift.documents import Document, Node

Read = Callable[..., Document]

LISTING = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.example/doc/">\n  <Name>photos</Name>'
    b"<Prefix/><Contents><Key>it's &amp; cat.jpg</Key><Size>5</Size></Contents>"
    b"<!-- a comment --><Contents><Key>b</Key><Size>6</Size></Contents></ListBucketResult>"
)


def test_each_child_is_in_a_list_and_an_empty_one_leaves_its_list_empty(read: Read) -> None:
    assert read("application/xml", LISTING).root == {
        "ListBucketResult": {
            "@xmlns": "http://s3.example/doc/",
            "Name": ["photos"],
            "Prefix": [],
            "Contents": [{"Key": ["it's & cat.jpg"], "Size": ["5"]}, {"Key": ["b"], "Size": ["6"]}],
        }
    }


@pytest.mark.parametrize(
    ("data", "root"),
    [
        (b"<a/>", {"a": {}}),
        (b"<a>text</a>", {"a": {"#text": "text"}}),
        (b"<a x='1'>text</a>", {"a": {"@x": "1", "#text": "text"}}),
        (b"<a><b> </b></a>", {"a": {"b": [" "]}}),
        (b"<a><b>\n  </b></a>", {"a": {"b": []}}),
        (b"<a><b>1</b><b x='2'>3</b></a>", {"a": {"b": ["1", {"@x": "2", "#text": "3"}]}}),
        (b"<a>one <b>two</b> three</a>", {"a": {"b": ["two"], "#text": "one  three"}}),
        (b"<a><![CDATA[<x>]]></a>", {"a": {"#text": "<x>"}}),
        (
            b'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><b xsi:nil="true"/><b>1</b></a>',
            {"a": {"b": [None, "1"]}},
        ),
        (b'<s:a xmlns:s="urn:s"><s:b>1</s:b></s:a>', {"a": {"@xmlns": "urn:s", "b": ["1"]}}),
        (
            b'<a xmlns:d="urn:d"><title>1</title><d:title>2</d:title><d:x>3</d:x></a>',
            {"a": {"title": ["1"], "d:title": ["2"], "x": ["3"]}},
        ),
        (b'<a xmlns:d="urn:d" id="1" d:id="2"/>', {"a": {"@id": "1", "@d:id": "2"}}),
        ("<a>ä</a>".encode("utf-16"), {"a": {"#text": "ä"}}),
        (b"<?pi x?><!DOCTYPE a><a>1</a>", {"a": {"#text": "1"}}),
    ],
)
def test_an_element_is_its_text_or_a_dict(read: Read, data: bytes, root: Node) -> None:
    assert read("text/xml", data) == Document("xml", root, len(data))


def test_layout_does_not_count(read: Read) -> None:
    laid_out = b"<a>\n  <b>\n    <c>1</c>\n  </b>\n</a>\n"
    assert read("text/xml", laid_out).root == read("text/xml", b"<a><b><c>1</c></b></a>").root


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "elsewhere.dtd"><a><b/>&x;</a>',
        b"<a>" * 33 + b"</a>" * 33,
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
)
def test_entities_and_endless_depth_are_refused(read: Read, data: bytes) -> None:
    found = read("application/xml", data)
    assert found.form == "text"
    assert found.note != ""


def test_elements_of_two_namespaces_are_told_apart_in_proportion_to_their_number(read: Read) -> None:
    pairs = b"".join(b"<a:n%d>1</a:n%d><b:n%d>2</b:n%d>" % (n, n, n, n) for n in range(10_000))
    start = process_time()
    root = read("text/xml", b'<r xmlns:a="urn:1" xmlns:b="urn:2">' + pairs + b"</r>").root
    assert process_time() - start < 2
    assert isinstance(root, dict) and isinstance(root["r"], dict)
    assert (root["r"]["a:n7"], root["r"]["b:n7"]) == (["1"], ["2"])
