"""Postman: saved examples of both versions, variables, folders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]
SCHEMA = "https://schema.getpostman.com/json/collection/v{}.0/collection.json"


def collection(*items: object, version: str = "2.1", **more: object) -> dict[str, object]:
    return {"info": {"name": "c", "schema": SCHEMA.format(version)}, "item": list(items)} | more


def example(request: object, **more: object) -> dict[str, object]:
    return {
        "name": "works",
        "originalRequest": request,
        "status": "Created",
        "code": 201,
        "header": [{"key": "Content-Type", "value": "text/plain"}, {"key": "X", "value": "y", "disabled": True}],
        "body": "made",
        "responseTime": 120,
    } | more


def test_an_example_in_a_folder_becomes_an_interaction(imports: Imports) -> None:
    request = {
        "method": "POST",
        "header": [{"key": "X-Key", "value": "{{key}}"}],
        "url": {"raw": "{{host}}/a/:id?b=1", "variable": [{"key": "id", "value": "7"}]},
        "body": {"mode": "urlencoded", "urlencoded": [{"key": "a b", "value": "c"}]},
    }
    item = {"name": "folder", "item": [{"name": "make", "request": request, "response": [example(request)]}]}
    variables = [{"key": "host", "value": "https://api.test"}, {"key": "key", "value": "k"}]
    (found,) = imports("a.json", collection(item, {"name": "none", "request": request}, variable=variables))
    assert (found.request.method, found.request.url) == ("POST", "https://api.test/a/7?b=1")
    assert found.request.headers.get("x-key") == "k"
    assert found.request.body.read() == b"a+b=c"
    assert (found.response.status, found.response.reason, found.duration) == (201, "Created", 0.12)
    assert list(found.response.headers) == [("Content-Type", "text/plain")]


def test_the_older_version_has_texts_for_urls_and_headers(imports: Imports) -> None:
    answer = example("https://api.test/a", header="A: b\nC: d:e\n")
    (found,) = imports("a.json", collection({"name": "i", "response": [answer]}, version="2.0"))
    assert found.request.url == "https://api.test/a"
    assert list(found.response.headers) == [("A", "b"), ("C", "d:e")]


def test_a_host_that_nobody_names_is_invalid_until_a_base_names_it(imports: Imports) -> None:
    document = collection({"name": "i", "response": [example({"url": "{{base_url}}/a"})]})
    (found,) = imports("a.json", document)
    assert found.request.url == "https://base-url.invalid/a"
    assert "base_url" in found.note
    (found,) = imports("a.json", document, base="https://api.test/v1")
    assert found.request.url == "https://api.test/v1/a"


@pytest.mark.parametrize("version", ["1.0", "3.0"])
def test_other_versions_are_refused(imports: Imports, version: str) -> None:
    with pytest.raises(CassetteError, match="those known are"):
        imports("a.json", collection(version=version), format="postman")


def test_folders_without_end_are_refused(imports: Imports) -> None:
    item: dict[str, object] = {"name": "deep"}
    for _ in range(60):
        item = {"name": "deep", "item": [item]}
    with pytest.raises(CassetteError, match="nested more than 50 deep"):
        imports("a.json", collection(item))
