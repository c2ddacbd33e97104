"""`durable-replay diff` as a user has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from durable_replay.cassette.store import CassetteWriter
from durable_replay.http import Interaction
from durable_replay.testing import exchange

ROOT = Path(__file__).resolve().parents[2]
Told = Callable[..., tuple[int, str, str]]
USERS: list[dict[str, object]] = [
    {"id": number, "name": f"user {number}", "admin": number == 1} for number in (1, 2, 3)
]
ISSUE = {"id": "10001", "key": "P-7", "fields": {"summary": "milk"}}


def write(path: Path, *interactions: Interaction) -> Path:
    with CassetteWriter.open(path) as writer:
        for interaction in interactions:
            writer.append(interaction)
    return path


def users(documents: list[dict[str, object]], host: str = "https://api.test") -> list[Interaction]:
    """Each user by its id, twice, and a health check."""
    reads = [exchange("GET", f"{host}/users/{document['id']}", 200, document) for document in documents]
    return [*reads, *reads, exchange("GET", f"{host}/health", 200, {"up": True})]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """A field is gone (breaking) and another is new (additive)."""
    changed: list[dict[str, object]] = [
        {"id": user["id"], "admin": user["admin"], "email": "a@example.com"} for user in USERS
    ]
    return write(tmp_path / "before.cassette", *users(USERS)), write(tmp_path / "after.cassette", *users(changed))


def kinds(text: str) -> list[str]:
    return sorted(finding["kind"] for finding in json.loads(text)["findings"])


def test_nothing_is_found_between_two_recordings_of_one_api(told: Told, tmp_path: Path) -> None:
    one, other = (write(tmp_path / f"{name}.cassette", *users(USERS)) for name in ("one", "other"))
    code, out, errors = told("diff", one, other, "--fail-on", "any", "--format", "json")
    assert (code, kinds(out), errors) == (0, [], "")


def test_what_breaks_gives_1_and_is_told(told: Told, sides: tuple[Path, Path]) -> None:
    code, out, errors = told("diff", *sides)
    assert (code, errors) == (1, "")
    for word in ("/users/{}", "body.$.name", "body.$.email"):
        assert word in out


@pytest.mark.parametrize("shape", ["table", "json", "markdown", "junit", "sarif", "html"])
def test_every_shape_is_rendered(told: Told, sides: tuple[Path, Path], shape: str) -> None:
    code, out, _ = told("diff", *sides, "--format", shape)
    assert code == 1
    assert "body.$.name" in out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), 1),
        (("--fail-on", "never"), 0),
        (("--ignore", "path=body.$.name"), 0),
        (("--ignore", "path=body.$.name", "--fail-on", "additive"), 1),
        (("--ignore", "body.$.name", "--ignore", "kind=field-added", "--fail-on", "any"), 0),
        (("--severity", "field-removed=cosmetic"), 0),
        (("--severity", "field-removed=cosmetic", "--severity", "field-added=breaking"), 1),
        (("--operation", "GET /health"), 0),
        (("--operation", "GET /users/*"), 1),
    ],
)
def test_options_decide_what_fails(
    told: Told, sides: tuple[Path, Path], options: tuple[str, ...], expected: int
) -> None:
    code, _, errors = told("diff", *sides, *options)
    assert (code, errors) == (expected, "")


def test_what_was_ignored_can_be_shown_with_its_rule(told: Told, sides: tuple[Path, Path]) -> None:
    _, out, _ = told("diff", *sides, "--ignore", "path=body.$.name", "--show-ignored")
    assert "body.$.name" in out


def test_a_report_goes_into_a_file(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    code, out, _ = told("diff", *sides, "--format", "json", "--output", "drift.json")
    assert (code, out) == (1, "")
    assert kinds((tmp_path / "drift.json").read_text("utf-8")) == ["field-added", "field-removed"]


def test_several_cassettes_are_one_side(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = sides
    more = write(tmp_path / "more.cassette", exchange("GET", "https://api.test/more", 200, {"a": 1}))
    _, out, _ = told("diff", before, after, "--before", more, "--after", more, "--format", "json")
    document = json.loads(out)
    assert kinds(out) == ["field-added", "field-removed"]
    assert document["summary"]["before"] == document["summary"]["after"] == 8


# -- hosts ------------------------------------------------------------------------------------------------------------


def test_another_port_is_taken_for_the_same_and_told(told: Told, tmp_path: Path) -> None:
    one = write(tmp_path / "one.cassette", *users(USERS, "http://127.0.0.1:41001"))
    other = write(tmp_path / "other.cassette", *users(USERS, "http://127.0.0.1:41002"))
    code, out, _ = told("diff", one, other)
    assert code == 0
    assert "127.0.0.1:41002 is taken for 127.0.0.1:41001" in out


def test_different_services_have_a_code_and_a_way_on(told: Told, tmp_path: Path) -> None:
    one = write(tmp_path / "one.cassette", exchange("GET", "https://one.test/a", 200, {"a": 1}))
    other = write(tmp_path / "other.cassette", exchange("GET", "https://two.test/b", 200, {"a": 1}))
    code, out, errors = told("diff", one, other)
    assert (code, out) == (3, "")
    assert "different services: one.test before, two.test after" in errors


def test_a_local_server_can_be_taken_for_a_known_service(told: Told, tmp_path: Path) -> None:
    one = write(
        tmp_path / "one.cassette", exchange("GET", "https://acme.atlassian.net/rest/api/2/issue/P-7", 200, ISSUE)
    )
    other = write(
        tmp_path / "other.cassette", exchange("GET", "http://localhost:2990/rest/api/2/issue/P-7", 200, ISSUE)
    )
    assert told("diff", one, other)[0] == 3
    for option in (("--map", "localhost:2990=jira"), ("--same", "localhost:2990=acme.atlassian.net")):
        code, _, errors = told("diff", one, other, *option, "--operation", "jira.get_issue")
        assert (code, errors) == (0, "")


def test_without_counterparts_there_is_a_code_and_a_report(told: Told, tmp_path: Path) -> None:
    one = write(tmp_path / "one.cassette", exchange("GET", "https://api.test/a", 200, {"a": 1}))
    other = write(tmp_path / "other.cassette", exchange("GET", "https://api.test/b", 200, {"a": 1}))
    code, out, errors = told("diff", one, other)
    assert code == 4
    assert "1 of 1 requests before and 1 of 1 after have no counterpart" in errors
    assert "/a" in out


def test_credentials_refused_everywhere_are_said_once(told: Told, tmp_path: Path) -> None:
    before = users(USERS)
    after = [replace(one, response=replace(one.response, status=401)) for one in before]
    sides = write(tmp_path / "one.cassette", *before), write(tmp_path / "other.cassette", *after)
    code, out, errors = told("diff", *sides, "--format", "json")
    assert (code, kinds(out)) == (7, ["auth"])
    assert "all 7 answers of the after side refuse the credentials" in errors


# -- wrong use --------------------------------------------------------------------------------------------------------


def test_a_cassette_that_is_not_there_is_named(told: Told, sides: tuple[Path, Path]) -> None:
    code, _, errors = told("diff", sides[0], "absent.cassette")
    assert code == 2
    assert "there is no cassette absent.cassette" in errors


def test_a_file_that_is_no_cassette_is_named(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "bad.cassette").write_text("no cassette")
    code, _, errors = told("diff", sides[0], "bad.cassette")
    assert code == 2
    assert "bad.cassette" in errors


def test_an_empty_side_is_wrong_use(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    code, out, errors = told("diff", sides[0], write(tmp_path / "empty.cassette"))
    assert (code, out) == (2, "")
    assert "the after side is empty" in errors


def test_a_side_in_which_nothing_is_whole_is_wrong_use(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    aborted = [replace(one, outcome="aborted") for one in users(USERS)]
    code, _, errors = told("diff", sides[0], write(tmp_path / "aborted.cassette", *aborted))
    assert code == 2
    assert "each of 7 interactions" in errors


def test_a_cassette_is_not_overwritten_by_its_report(told: Told, sides: tuple[Path, Path]) -> None:
    before = sides[1].read_bytes()
    code, _, errors = told("diff", *sides, "--output", sides[1])
    assert code == 2
    assert "name another file" in errors
    assert sides[1].read_bytes() == before


def test_a_report_that_cannot_be_written_is_wrong_use(told: Told, sides: tuple[Path, Path]) -> None:
    code, _, errors = told("diff", *sides, "--output", "no/such/folder/x.json")
    assert code == 2
    assert "no/such/folder/x.json cannot be written" in errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ignore", "kind=nothing"), "--ignore: "),
        (("--ignore", ""), "the argument behind --ignore is empty"),
        (("--ignore=",), "--ignore: "),
        (("--severity", "nothing=breaking"), "names no kind of difference: 'nothing'"),
        (("--severity", "status"), "--severity 'status' is not KIND=SEVERITY"),
        (("--severity", "status=grave"), "is no severity: 'grave'"),
        (("--same", "localhost"), "--same 'localhost' is not HOST=HOST"),
        (("--map", "localhost"), "--map 'localhost' is not"),
        (("--fail-on", "grave"), "grave"),
        (("--operation", "nothing"), "--operation leaves nothing"),
    ],
)
def test_an_option_that_is_wrong_is_named(
    told: Told, sides: tuple[Path, Path], options: tuple[str, ...], words: str
) -> None:
    code, out, errors = told("diff", *sides, *options)
    assert (code, out) == (2, "")
    assert words in errors


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_decide_what_the_command_line_does_not(told: Told, sides: tuple[Path, Path], tmp_path: Path) -> None:
    settings = tmp_path / "durable.toml"
    settings.write_text('[diff]\nignore = ["body.$.name"]\nfail_on = "additive"\n')
    assert told("diff", *sides)[0] == 1
    assert told("diff", *sides, "--fail-on", "breaking")[0] == 0
    settings.write_text('[diff.severity]\nfield-removed = "cosmetic"\n')
    assert told("diff", *sides)[0] == 0
    assert told("diff", *sides, "--severity", "field-removed=breaking")[0] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ignore = ["kind=nothing"]', "durable.toml: diff.ignore[0]"),
        ("ignore = [7]", "durable.toml: diff.ignore[0]"),
        ('severity = { nothing = "breaking" }', "durable.toml: diff.severity names no kind"),
        ('severity = { status = "grave" }', "durable.toml: diff.severity.status is 'grave'"),
        ('fail_on = "grave"', "durable.toml: diff.fail_on is 'grave'"),
        ("same = 7", "durable.toml: diff.same"),
        ("other = 7", "durable.toml: diff.other is unknown"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_its_file(
    told: Told, sides: tuple[Path, Path], tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "durable.toml").write_text(f"[diff]\n{text}\n")
    code, _, errors = told("diff", *sides)
    assert code == 2
    assert words in errors
    assert errors.endswith("(line 2)\n")


def test_hosts_that_are_one_can_be_set(told: Told, tmp_path: Path) -> None:
    one = write(tmp_path / "one.cassette", exchange("GET", "https://one.test/a/1", 200, {"a": 1}))
    other = write(tmp_path / "other.cassette", exchange("GET", "https://two.test/a/2", 200, {"a": 1}))
    third = write(tmp_path / "third.cassette", exchange("GET", "https://three.test/b", 200, {"a": 1}))
    assert told("diff", one, other, "--after", third, "--before", third)[0] == 0
    (tmp_path / "durable.toml").write_text('[diff.same]\n"Two.test" = "three.test"\n')
    assert told("diff", one, other, "--before", third)[0] in (3, 4)


def test_the_docs_know_every_kind_and_its_severity() -> None:
    from durable_replay.drift.finding import Kind
    from durable_replay.drift.severity import default_severities

    page = (ROOT / "docs" / "drift.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z`, -]+`) \| .* \| ([a-z, ]+) \|$", page, re.MULTILINE)
    told = {
        kind: severity
        for kinds, severities in rows
        for kind, severity in zip(re.findall("`(.+?)`", kinds), severities.split(", ") * 2, strict=False)
    }
    assert told == {kind.value: default_severities()[kind].value for kind in Kind}


def test_the_docs_know_every_option(told: Told) -> None:
    from durable_replay.cli import app

    command = typer.main.get_command(app).commands["diff"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")} - {"--help"}
    section = (ROOT / "docs" / "commands.md").read_text("utf-8").partition("## Diff")[2].partition("\n## ")[0]
    rows = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"(--[\w-]+)", rows)) == options


@pytest.mark.parametrize("pair", ["nope.test=api.test", "api.test=nope.test", "nope.test=nope.test"])
def test_a_host_that_no_side_has_is_no_host_to_join(told: Told, sides: tuple[Path, Path], pair: str) -> None:
    code, out, errors = told("diff", *sides, "--same", pair)
    assert (code, out) == (2, "")
    assert errors == ("durable-replay: --same nope.test: nothing was asked of it on either side; there is api.test\n")


@pytest.mark.parametrize("shape", ["table", "json", "markdown", "junit", "sarif", "html"])
def test_answers_that_were_edited_by_hand_are_told_with_their_numbers(
    told: Told, sides: tuple[Path, Path], shape: str
) -> None:
    before, after = sides
    for number in ("2", "3"):
        assert told("cassette", "edit", after, number, "--status", "202")[0] == 0
    _, out, _ = told("diff", before, after, "--format", shape)
    assert "2 recordings on the after side were edited by hand: #2, #3" in out
    assert "before side" not in out
    assert told("cassette", "edit", before, "1", "--reason", "Fine")[0] == 0
    _, out, _ = told("diff", before, after, "--format", shape)
    assert "1 recording on the before side was edited by hand: #1" in out


def test_what_one_answer_shows_is_not_told_as_several(told: Told, tmp_path: Path) -> None:
    one, other = (write(tmp_path / name, exchange("GET", "https://api.test/a", 200, {"a": 1})) for name in ("1", "2"))
    assert told("diff", one, other)[1].endswith("no drift; 1 answer compared\n")
