"""What is kept with an object, and how it comes back."""

from __future__ import annotations

from email.header import decode_header

import pytest

from durable_replay.http import Headers
from durable_s3.errors import S3Fault
from durable_s3.metadata import overrides, read_metadata


def test_system_headers_come_back_as_they_were_sent() -> None:
    sent = [("cache-control", "no-cache"), ("Content-Type", "text/plain"), ("Expires", "whenever"),
            ("Content-Encoding", "gzip,aws-chunked"), ("x-amz-website-redirect-location", "/other")]  # fmt: skip
    assert dict(read_metadata(Headers(sent)).headers()) == {
        "Content-Type": "text/plain",
        "Cache-Control": "no-cache",
        "Content-Encoding": "gzip",
        "Expires": "whenever",
        "x-amz-website-redirect-location": "/other",
    }


def test_an_object_without_type_is_binary_and_aws_chunked_alone_leaves_no_encoding() -> None:
    kept = read_metadata(Headers([("Content-Encoding", "aws-chunked")]))
    assert kept.headers() == (("Content-Type", "binary/octet-stream"),)


def test_user_metadata_has_lower_case_names_and_joins_repeats() -> None:
    kept = read_metadata(Headers([("X-Amz-Meta-Owner", " me "), ("x-amz-meta-owner", "you")]))
    assert kept.user == {"owner": "me,you"}
    assert ("x-amz-meta-owner", "me,you") in kept.headers()


def test_metadata_that_is_not_ascii_comes_back_in_rfc_2047() -> None:
    wire = "é–x".encode().decode("latin-1")
    value = dict(read_metadata(Headers([("x-amz-meta-a", wire)])).headers())["x-amz-meta-a"]
    assert value.isascii()
    assert decode_header(value) == [("é–x".encode(), "utf-8")]


def test_user_metadata_over_two_kibibytes_is_refused() -> None:
    assert read_metadata(Headers([("x-amz-meta-ab", "x" * 2046)])).user["ab"]
    with pytest.raises(S3Fault) as caught:
        read_metadata(Headers([("x-amz-meta-ab", "x" * 2047)]))
    assert (caught.value.code, caught.value.details) == ("MetadataTooLarge", {"Size": 2049, "MaxSizeAllowed": 2048})


def test_a_storage_class_is_kept_and_named_unless_standard() -> None:
    assert ("x-amz-storage-class", "GLACIER") in read_metadata(Headers([("x-amz-storage-class", "GLACIER")])).headers()
    with pytest.raises(S3Fault) as caught:
        read_metadata(Headers([("x-amz-storage-class", "CELLAR")]))
    assert caught.value.details == {"StorageClassRequested": "CELLAR"}


def test_a_redirect_needs_a_path_or_url() -> None:
    with pytest.raises(S3Fault, match="InvalidRedirectLocation"):
        read_metadata(Headers([("x-amz-website-redirect-location", "other")]))


def test_response_parameters_name_the_headers_that_they_replace() -> None:
    query = {"response-content-type": "text/html", "response-expires": "", "x-id": "GetObject"}
    assert overrides(query) == {"Content-Type": "text/html"}
