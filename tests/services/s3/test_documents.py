"""Documents that clients send, good and bad."""

from __future__ import annotations

import pytest

from durable_s3.checksums import Algorithm
from durable_s3.documents import CompletedPart, DoomedObject, location_constraint, read_complete, read_delete
from durable_s3.errors import S3Fault

NAMESPACE = b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def fault_of(data: bytes) -> str:
    with pytest.raises(S3Fault) as caught:
        read_delete(data)
    return caught.value.code


@pytest.mark.parametrize("namespace", [NAMESPACE, b""])
def test_a_location_is_read_with_and_without_namespace(namespace: bytes) -> None:
    inner = b"<LocationConstraint>eu-west-1</LocationConstraint>"
    assert location_constraint(b"<CreateBucketConfiguration%s>%s</CreateBucketConfiguration>" % (namespace, inner)) == (
        "eu-west-1"
    )
    assert location_constraint(b"") is None
    assert location_constraint(b"<CreateBucketConfiguration/>") is None


def test_a_multi_delete_is_read() -> None:
    data = b"<Delete%s><Object><Key> a&amp;b\n</Key><VersionId>v</VersionId></Object>" % NAMESPACE
    request = read_delete(data + b'<Object><Key>c</Key><ETag>"e"</ETag></Object><Quiet>true</Quiet></Delete>')
    assert request.objects == (DoomedObject(" a&b\n", "v"), DoomedObject("c", etag="e"))
    assert request.quiet


def test_a_completion_is_read_in_the_clients_order() -> None:
    part = "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>"
    listed = part.format(2, "&quot;aa&quot;", "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>") + part.format(1, "bb", "")
    assert read_complete(f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()) == (
        CompletedPart(2, "aa", {Algorithm.CRC32: "AAAAAA=="}),
        CompletedPart(1, "bb"),
    )


def test_a_completion_without_body_needs_a_part() -> None:
    with pytest.raises(S3Fault, match="You must specify at least one part"):
        read_complete(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<Delete>",
        b"not xml",
        b"<Other/>",
        b"<Delete/>",
        b"<Delete><Object/></Delete>",
        b"\xff\xfe\x00",
        b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>",
        b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        b'<!DOCTYPE Delete SYSTEM "http://127.0.0.1:9/x.dtd"><Delete><Object><Key>k</Key></Object></Delete>',
        b"<Delete>" + b"<a>" * 10_000,
    ],
)
def test_a_document_that_breaks_the_schema_is_malformed(data: bytes) -> None:
    assert fault_of(data) == "MalformedXML"


def test_entities_are_never_expanded() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE d [<!ENTITY e0 "ha">{levels}]><Delete><Object><Key>&e9;</Key></Object></Delete>'
    assert fault_of(bomb.encode()) == "MalformedXML"


def test_a_document_over_eight_mebibytes_is_not_parsed() -> None:
    assert fault_of(b"<Delete>" + b" " * (8 << 20)) == "MaxMessageLengthExceeded"


@pytest.mark.parametrize("number", ["", "x", "-1", "1.0"])
def test_a_part_number_that_is_no_number_is_malformed(number: str) -> None:
    part = f"<Part><PartNumber>{number}</PartNumber><ETag>a</ETag></Part>"
    data = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    with pytest.raises(S3Fault, match="MalformedXML"):
        read_complete(data.encode())
