"""Ids in paths are blanked, words are not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from durable_replay.drift import templates
from durable_replay.drift.templates import Templates, blanked, blanked_path

USER = frozenset({"id", "name", "email"})


def learnt(before: Iterable[str], after: Iterable[str] = (), answers: frozenset[str] = USER) -> Templates:
    """Templates of these paths of one world."""
    found = Templates()
    for side, paths in ((1, before), (2, after)):
        for path in paths:
            found.see("api", path, side, lambda: answers)
    found.learn()
    return found


@pytest.mark.parametrize(
    "text",
    [
        *("17", "-3", "17,18", "deadbeef01", "0f0f0f0f0f0f0f0f0f0f", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        *("P-7", "cus_4fdAW5ftNQow1a", "i-0abc12d345", "dQw4w9WgXcQ", "0015g00000AbCdEAAV", "2026-01-31"),
        *(
            "a@example.com",
            "a%40example.com",
            "10.0.0.1",
            "2026-01-31T10:00:00Z",
            "52.5,13.4",
            "secret-0123456789abcdef",
        ),
    ],
)
def test_what_looks_like_an_id_is_blanked(text: str) -> None:
    assert blanked(text, "things") == "{}"


@pytest.mark.parametrize(
    "text",
    [
        *("users", "me", "v1", "v58.0", "1.1", "v1beta2", "health", "createmeta", "oauth2", "s3", "release-2024-notes"),
        *("field-removed", "case-optional1", "approximate-count", "", "facade", "utf-8", "getIssueTypes"),
    ],
)
def test_a_word_stays(text: str) -> None:
    assert blanked(text, "things") == text


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/rest/api/2/issue/P-7", "/rest/api/2/issue/{}"),
        ("/2015-03-31/functions/17", "/2015-03-31/functions/{}"),
        ("/reports/2015-03-31", "/reports/{}"),
        ("/files/17.json", "/files/{}.json"),
        ("/v1/operations/17:cancel", "/v1/operations/{}:cancel"),
        ("/odata/Users('x')", "/odata/Users({})"),
        ("/", "/"),
        ("/users/", "/users/"),
    ],
)
def test_what_belongs_to_the_api_stays_around_the_id(path: str, template: str) -> None:
    assert blanked_path(path) == template


def test_many_siblings_with_like_answers_are_variable() -> None:
    names = [f"/v1/tags/{one}{two}milk" for one in "abcdefgh" for two in "abcdefgh"]
    found = learnt(names)
    assert {found.template("api", name) for name in names} == {"/v1/tags/{}"}


def test_few_words_stay() -> None:
    names = [f"/v1/reports/{name}" for name in ("daily", "weekly", "monthly", "yearly")]
    found = learnt(names, names)
    assert [found.template("api", name) for name in names] == names


def test_siblings_that_each_side_has_for_itself_are_variable() -> None:
    before = [f"/v1/users/{name}" for name in ("anna", "bert", "carl", "dora")]
    after = [f"/v1/users/{name}" for name in ("emil", "fritz", "gerd")]
    found = learnt([*before, "/v1/users/me"], [*after, "/v1/users/me"])
    assert {found.template("api", path) for path in (*before, *after)} == {"/v1/users/{}"}
    assert found.template("api", "/v1/users/me") == "/v1/users/me"


def test_siblings_that_are_answered_differently_are_words() -> None:
    found = Templates()
    for place, name in enumerate(("anna", "bert", "carl", "dora", "emil", "fritz")):
        names = frozenset({f"a{place}", f"b{place}"})
        found.see("api", f"/v1/x/{name}", 1 + place % 2, names.copy)
    found.learn()
    assert found.template("api", "/v1/x/anna") == "/v1/x/anna"


def test_names_of_resources_stay_though_one_side_has_others() -> None:
    found = learnt(["/api/users", "/api/orders", "/api/carts"], ["/api/people", "/api/sales", "/api/baskets"])
    assert found.template("api", "/api/people") == "/api/people"


def test_siblings_that_go_on_alike_are_variable_below_a_resource() -> None:
    names = [f"milk{one}{two}" for one in "abcd" for two in "abc"]
    found = learnt([f"/v1/repos/{name}/pulls/3" for name in names])
    assert {found.template("api", f"/v1/repos/{name}/pulls/3") for name in names} == {"/v1/repos/{}/pulls/{}"}


def test_siblings_that_differ_in_a_number_are_variable() -> None:
    found = learnt(["/v1/items/item-1", "/v1/items/item-2"])
    assert found.template("api", "/v1/items/item-2") == "/v1/items/{}"


def test_memory_is_bounded_by_places_and_not_by_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST", 1000)
    found = Templates()
    for number in range(20_000):
        found.see("api", f"/x/{_word(number)}/{_word(number * 7)}", 1)
    found.learn()
    assert found._places <= 1000
    assert found.template("api", "/x/anything/else") == "/x/{}/{}"


def _word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))


def test_a_path_of_many_segments_is_cut() -> None:
    assert blanked_path("/a" * 10_000).count("/") <= 40


def test_two_names_of_one_world_are_learnt_together() -> None:
    found = Templates()
    for name in ("anna", "bert", "carl"):
        found.see("old", f"/v1/users/{name}", 1, lambda: USER)
    for name in ("dora", "emil", "gerd"):
        found.see("new", f"/v1/users/{name}", 2, lambda: USER)
    found.join("new", "old")
    found.learn()
    assert found.template("old", "/v1/users/dora") == "/v1/users/{}"


def test_numbered_names_are_one_wherever_the_paths_go_on() -> None:
    templates = Templates()
    for number in (1, 2):
        for side in (1, 2):
            templates.see("api.test", f"/weather/stations/st-{number}/latest", side)
    templates.learn()
    assert templates.template("api.test", "/weather/stations/st-1/latest") == "/weather/stations/{}/latest"
