"""vcrpy: YAML and JSON, decoded bodies under their headers, and CumulusCI's parts that lie beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.formats import yaml_stream
from durable_replay.cassette.formats.importing import import_into
from durable_replay.cassette.formats.source import Item, Source
from durable_replay.cassette.formats.vcrpy import Vcrpy
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]
Writes = Callable[..., Path]

ONE = """\
interactions:
- request:
    body: null
    headers: {Accept: ['*/*', text/html]}
    method: GET
    uri: https://api.test/a
  response:
    body: {string: '{"a": 1}'}
    headers:
      Content-Encoding: [gzip]
      Content-Length: ['777']
      Content-Type: [application/json]
    status: {code: 200, message: Fine}
version: 1
"""


def test_a_decoded_body_loses_its_encoding_and_gets_its_length(imports: Imports) -> None:
    (found,) = imports("a.yaml", ONE)
    assert found.response.body.read() == b'{"a": 1}'
    assert list(found.response.headers) == [("Content-Length", "8"), ("Content-Type", "application/json")]
    assert "content-encoding gzip removed" in found.note
    assert "content-length corrected" in found.note
    assert list(found.request.headers) == [("Accept", "*/*"), ("Accept", "text/html")]
    assert found.response.reason == "Fine"


def test_the_json_form_says_the_same(imports: Imports) -> None:
    (in_yaml,) = imports("a.yaml", ONE)
    (in_json,) = imports("a.json", yaml.safe_load(ONE))
    assert in_json == in_yaml


def test_an_old_cassettes_tags_of_python_are_plain_values(imports: Imports) -> None:
    text = ONE.replace("'{\"a\": 1}'", "!!python/unicode 'plain'").replace("null", "!!python/object/apply:os.system []")
    with pytest.raises(CassetteError, match=r"'request\.body' is a list"):
        imports("a.yaml", text)
    (found,) = imports("b.yaml", text.replace("!!python/object/apply:os.system []", "null"))
    assert found.response.body.read() == b"plain"


def test_binary_bodies_are_bytes(imports: Imports) -> None:
    (found,) = imports("a.yaml", ONE.replace("'{\"a\": 1}'", "!!binary AAEC/w=="))
    assert found.response.body.read() == b"\x00\x01\x02\xff"


def test_a_version_of_the_future_is_refused(imports: Imports, target: Path) -> None:
    with pytest.raises(CassetteError, match="version '2'"):
        imports("a.yaml", ONE.replace("version: 1", "version: 2"))
    assert not target.exists()


def test_an_included_file_and_a_template_stand_for_what_they_hold(
    imports: Imports, writes: Callable[..., Path]
) -> None:
    writes("shared_cassettes/one.yaml", yaml.safe_dump(yaml.safe_load(ONE)["interactions"][0]))
    writes("shared_cassettes/vcr_string_templates/t.tpl", "<a>{id}{more:0}</a>")
    document = yaml.safe_load(ONE)
    document["interactions"][0]["response"]["body"] = {"string": {"include_template": "t.tpl", "vars": {"id": "7"}}}
    document["interactions"].append({"include_file": "one.yaml"})
    templated, included = imports("cassettes/a.yaml", yaml.safe_dump(document))
    assert templated.response.body.read() == b"<a>70</a>"
    assert included.response.body.read() == b'{"a": 1}'


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/passwd", "..", "missing.yaml"])
def test_an_include_leads_nowhere_else(imports: Imports, name: str) -> None:
    with pytest.raises(CassetteError, match="it includes"):
        imports("a.yaml", yaml.safe_dump({"interactions": [{"include_file": name}], "version": 1}))


def test_a_real_client_accepts_the_answers_of_a_recording(shared: Path, target: Path) -> None:
    """requests decodes and reads each body of a real cassette to the length that is announced."""
    import_into(target, [shared / "recordings/jira/defectdojo/test_import_with_push_to_jira.yaml"])
    with Cassette.open(target) as cassette:
        for each in cassette.interactions():
            body = each.response.body.read()
            answer = requests.Response()
            answer.status_code = each.response.status
            answer.headers.update(dict(each.response.headers))
            assert answer.headers.get("content-length", str(len(body))) == str(len(body))
            assert "content-encoding" not in answer.headers
            if "json" in answer.headers.get("content-type", "") and body:
                answer._content = body
                assert answer.json() is not None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(body=st.one_of(texts, st.binary(max_size=60)), sent=texts, value=st.text("abc é:'\"{}[]&*!|>%@`", max_size=20))
def test_what_vcrpy_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, body: str | bytes, sent: str, value: str
) -> None:
    record = {
        "request": {"method": "POST", "uri": "https://api.test/a", "body": sent, "headers": {"X-A": [value, value]}},
        "response": {"status": {"code": 201, "message": "Made"}, "headers": {"X-B": [value]}, "body": {"string": body}},
    }
    path = Path(tmp_path_factory.getbasetemp()) / "property.yaml"
    path.write_text(yaml.dump({"interactions": [record, record], "version": 1}, Dumper=yaml.CSafeDumper), "utf-8")
    first, second = [imported.interaction for imported in Vcrpy().read(Source(path))]
    assert first == second
    assert first.request.body.read() == sent.encode()
    assert first.response.body.read() == (body if isinstance(body, bytes) else body.encode())
    assert first.request.headers.get_all("x-a") == [value, value]


def test_a_file_that_is_included_again_is_not_read_again(
    imports: Imports, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"method": "GET", "uri": "https://api.example.com/a"}
    one = {"request": request, "response": {"status": {"code": 200, "message": "OK"}, "body": {"string": "a"}}}
    writes("shared_cassettes/again.yaml", yaml.safe_dump(one))
    read: list[Path] = []
    load = yaml_stream.load

    def counted(source: Source) -> Item:
        read.append(source.path)
        return load(source)

    monkeypatch.setattr(yaml_stream, "load", counted)
    document = {"interactions": [{"include_file": "again.yaml"} for _ in range(3)], "version": 1}
    found = imports("a.yaml", yaml.safe_dump(document))
    assert [each.response.body.read() for each in found] == [b"a"] * 3
    assert len(read) == 1


def test_an_included_file_that_has_changed_is_read_anew(imports: Imports, writes: Writes) -> None:
    document = yaml.safe_dump({"interactions": [{"include_file": "new.yaml"}], "version": 1})
    for body in ("a", "longer"):
        request = {"method": "GET", "uri": "https://api.example.com/a"}
        one = {"request": request, "response": {"status": {"code": 200, "message": "OK"}, "body": {"string": body}}}
        writes("shared_cassettes/new.yaml", yaml.safe_dump(one))
        (found,) = imports("a.yaml", document)
        assert found.response.body.read() == body.encode()
