"""Documents that S3 writes."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from durable_s3.xml import NAMESPACE, document, url_encoded


def test_nested_data_becomes_elements() -> None:
    written = document(
        "ListBucketResult",
        {"Name": "b", "Marker": "", "NextMarker": None, "IsTruncated": False, "Contents": [{"Size": 1}, {"Size": 2}]},
    )
    assert written == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Marker/>'
        b"<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents><Contents><Size>2</Size></Contents>"
        b"</ListBucketResult>"
    )


def test_an_attribute_is_a_name_with_an_at_sign() -> None:
    written = document("A", {"Grantee": {"@xsi:type": 'a"b', "ID": "1"}}, namespace="")
    assert written.endswith(b'<A><Grantee xsi:type="a&quot;b"><ID>1</ID></Grantee></A>')


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a&b<c>", b"a&amp;b&lt;c&gt;"),
        ('"e"', b"&quot;e&quot;"),
        ("\x01", b"&#x1;"),
        ("\r\n", b"&#xd;\n"),
        ("é", "é".encode()),
    ],
)
def test_text_is_escaped_as_s3_does(text: str, written: bytes) -> None:
    assert document("K", {"T": text}, namespace="").endswith(b"<K><T>" + written + b"</T></K>")


@given(text=st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")))
def test_a_parser_reads_back_what_was_written(text: str) -> None:
    root = etree.fromstring(document("R", {"Key": text}))
    assert root.findtext(f"{{{NAMESPACE}}}Key") == text


def test_url_encoding_leaves_slashes_and_writes_a_space_as_plus() -> None:
    assert url_encoded("a b/c+1/é&\x01") == "a+b/c%2B1/%C3%A9%26%01"


@given(text=st.text())
def test_url_encoding_is_undone_by_decoding(text: str) -> None:
    assert unquote_plus(url_encoded(text)) == text
