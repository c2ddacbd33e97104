"""Nango's tests: the proxied answers, by method and path."""

from __future__ import annotations

from collections.abc import Callable

from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]


def document(path: str, *answers: dict[str, object]) -> dict[str, object]:
    held: object = answers[0] if len(answers) == 1 else list(answers)
    return {"input": {}, "output": {}, "nango": {}, "api": {"get": {path: held}}}


def test_the_path_gives_the_host_away(imports: Imports) -> None:
    answer = {"response": {"data": 1}, "status": 200, "headers": {"x": "y"}, "request": {"params": {"a": [1, "b c"]}}}
    (found,) = imports("a.test.json", document("/api/1.0/tasks", answer))
    assert found.request.url == "https://app.asana.com/api/1.0/tasks?a=1&a=b+c"
    assert found.response.body.read() == b'{"data":1}'


def test_an_unknown_host_is_invalid_until_a_base_names_it(imports: Imports) -> None:
    one = document("/v1/x", {"response": "", "status": 204, "headers": {}}, {"response": "t", "headers": {}})
    first, second = imports("a.test.json", one)
    assert (first.request.host, first.response.status) == ("provider.invalid", 204)
    assert second.response.body.read() == b"t"
    assert imports("a.test.json", one, base="https://api.test")[0].request.url == "https://api.test/v1/x"
