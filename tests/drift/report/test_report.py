"""Each shape of a report says the same, and nothing in the traffic can break its form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree

from durable_replay.drift.finding import (
    Comparison,
    Endpoint,
    Example,
    Finding,
    Kind,
    Origin,
    Severity,
    Suppression,
    Unpaired,
)
from durable_replay.drift.report import SHAPES, Context, render
from durable_replay.drift.report.context import fails, stale
from durable_replay.drift.report.document import VERSION
from durable_replay.drift.report.markdown import LARGEST
from durable_replay.errors import UsageError

ISSUE = Endpoint("jira", "GET", "/rest/api/2/issue/{issueIdOrKey}", "jira.get_issue")
USERS = Endpoint("api.test:8080", "GET", "/users/{}")
CONTEXT = Context("old.cassette", "new.cassette", ("old.cassette",))


def finding(
    path: str = "body.$.id",
    kind: Kind = Kind.type_changed,
    severity: Severity = Severity.breaking,
    *,
    endpoint: Endpoint = ISSUE,
    text: str = "is now a string, was an integer",
    before: str = "5",
    after: str = '"5"',
) -> Finding:
    return Finding(endpoint, path, kind, severity, text, 2, 3, (Example(before, after, 4, 7, path),))


ADDED = finding("body.$.new", Kind.field_added, Severity.additive, endpoint=USERS, text="is new", before="")
QUIET = finding("body.$.updated", Kind.value, Severity.cosmetic, text="has another value", before="1", after="2")
MIXED = Comparison(
    findings=(ADDED, QUIET, finding()),
    suppressed=(Suppression(QUIET, "learnt", "varies between #1 and #2"),),
    unpaired=(Unpaired(USERS, 3, 0),),
    pairs=12,
    before=15,
    after=12,
)
NOTHING = Comparison((), pairs=4, before=4, after=4)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_tells_every_finding_with_both_sides(shape: str) -> None:
    text = _plain(shape, render(MIXED, shape, CONTEXT))
    for one in MIXED.findings:
        assert one.path in text
        assert one.text in text
        assert one.examples[0].after in text
    assert text.endswith("\n")


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"json", "html"}))
def test_what_was_set_aside_is_told_on_request(shape: str) -> None:
    asked = Context("old", "new", show_ignored=True)
    told = "varies between #1 and #2" in _plain(shape, render(MIXED, shape, asked))
    assert told == (shape != "junit")
    assert "varies between #1 and #2" not in _plain(shape, render(MIXED, shape, CONTEXT))


@pytest.mark.parametrize("shape", ["json", "html"])
def test_the_shapes_that_can_fold_always_tell_what_was_set_aside(shape: str) -> None:
    assert "varies between #1 and #2" in render(MIXED, shape, CONTEXT)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_drift_is_a_whole_report_too(shape: str) -> None:
    text = render(NOTHING, shape, CONTEXT)
    assert text
    assert "breaking " not in text or shape == "html"


def test_an_unknown_shape_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'yaml' is unknown; there are table, json"):
        render(MIXED, "yaml", CONTEXT)


def test_the_json_report_fits_its_published_description() -> None:
    schema = _schema()
    for comparison in (MIXED, NOTHING):
        document = json.loads(render(comparison, "json", CONTEXT))
        Draft202012Validator(schema).validate(document)
        assert document["version"] == VERSION


def test_the_description_names_every_kind_severity_and_origin() -> None:
    finding_ = ("$defs", "finding", "properties")
    assert _allowed(*finding_, "kind") == [kind.value for kind in Kind]
    assert _allowed(*finding_, "severity") == [severity.value for severity in Severity]
    suppressed = ("properties", "suppressed", "items", "properties")
    assert _allowed(*suppressed, "origin") == list(get_args(Origin))


def test_the_json_report_says_whether_it_failed_and_what_to_record_anew() -> None:
    document = json.loads(render(MIXED, "json", CONTEXT))
    assert document["failed"] is True
    assert [one["endpoint"]["operation"] for one in document["take_anew"]] == ["jira.get_issue", ""]
    assert document["take_anew"][0]["interactions"] == [4]
    assert json.loads(render(NOTHING, "json", CONTEXT))["failed"] is False


@pytest.mark.parametrize(
    ("fail_on", "severities"),
    [
        ("breaking", {"breaking"}),
        ("additive", {"breaking", "additive"}),
        ("any", {"breaking", "additive", "cosmetic"}),
        ("never", set()),
    ],
)
def test_a_comparison_fails_by_severity(fail_on: str, severities: set[str]) -> None:
    failing = {one.severity.value for one in MIXED.findings if fails(one, fail_on)}  # type: ignore[arg-type]
    assert failing == severities


def test_cosmetic_findings_ask_for_no_new_recording() -> None:
    assert stale(Comparison((QUIET,))) == []
    assert "record --refresh" not in render(Comparison((QUIET,)), "table", CONTEXT)


def test_an_endpoint_that_is_only_new_makes_no_recording_untrue() -> None:
    new = finding("endpoint", Kind.endpoint_new, Severity.additive, text="not recorded on the before side")
    assert stale(Comparison((new,))) == []


def test_the_table_leads_with_what_breaks_and_ends_with_the_next_step() -> None:
    lines = render(MIXED, "table", CONTEXT).splitlines()
    assert lines[0] == "jira GET /rest/api/2/issue/{issueIdOrKey}  jira.get_issue"
    assert lines[-2] == (
        "old.cassette → new.cassette: 1 breaking, 1 additive, 1 cosmetic; 1 set aside; 12 answers compared"
    )
    assert lines[-1].endswith("durable-replay record --refresh old.cassette -- CMD")
    assert "\x1b" not in "".join(lines)


def test_the_table_has_colours_where_the_terminal_does() -> None:
    assert "\x1b[" in render(MIXED, "table", Context("a", "b", color=True, width=100))


def test_a_path_with_spaces_is_quoted_in_the_command() -> None:
    context = Context("my tape.cassette", "new", ("my tape.cassette",))
    assert "record --refresh 'my tape.cassette' -- CMD" in render(MIXED, "markdown", context)


def test_junit_fails_the_cases_that_fail_and_passes_the_rest() -> None:
    suites = etree.fromstring(render(MIXED, "junit", CONTEXT).encode())
    assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
    [failed] = suites.findall(".//testcase[failure]")
    assert (failed.get("classname"), failed.get("name")) == ("jira", "jira.get_issue")
    assert "body.$.updated" in (failed.findtext("system-out") or "")
    [case] = etree.fromstring(render(NOTHING, "junit", CONTEXT).encode()).findall(".//testcase")
    assert case.find("failure") is None


def test_sarif_names_file_place_and_level_of_each_result() -> None:
    [run] = json.loads(render(MIXED, "sarif", Context("a b.cassette", "new", show_ignored=True)))["runs"]
    first, *_, last = run["results"]
    assert (first["ruleId"], first["level"]) == ("type-changed", "error")
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == "type-changed"
    location = first["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.cassette"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == f"{ISSUE} body.$.id"
    assert last["suppressions"][0]["justification"] == "learnt: varies between #1 and #2"
    assert len({one["partialFingerprints"]["drift/v1"] for one in run["results"][:3]}) == 3


def test_a_comment_stays_below_the_limit_and_says_what_it_left_out() -> None:
    many = tuple(
        finding(endpoint=Endpoint("api.test", "GET", f"/things/{number}"), before="x" * 200, after="y" * 200)
        for number in range(1000)
    )
    text = render(Comparison(many), "markdown", CONTEXT)
    assert len(text) < LARGEST + 2000
    assert re.search(r"… and \d+ more endpoints with findings", text)


def test_the_page_marks_what_differs_and_loads_nothing() -> None:
    text = render(Comparison((finding(before='"red"', after='"reed"'),)), "html", CONTEXT)
    assert "re<mark>e</mark>d" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)\s*=", text)


@given(st.text(max_size=40), st.sampled_from([*SHAPES]))
def test_no_text_of_the_traffic_breaks_the_form(text: str, shape: str) -> None:
    hostile = f"<script>alert(1)</script>|`{text}"
    endpoint = Endpoint("h", "GET", f"/{hostile}", hostile)
    found = finding(f"body.${hostile}", endpoint=endpoint, text=hostile, before=hostile, after=text)
    comparison = Comparison((found,), (Suppression(found, "rule", hostile),), (Unpaired(endpoint, 1, 0),))
    report = render(comparison, shape, Context(hostile, text, show_ignored=True, notes=(hostile,)))
    report.encode("utf-8")
    if shape == "html":
        assert "<script" not in report
        HTMLParser().feed(report)
    if shape == "junit":
        etree.fromstring(report.encode())
    if shape in ("json", "sarif"):
        json.loads(report)
    if shape == "markdown":
        rows = [line for line in report.splitlines() if line.startswith("| **breaking**")]
        assert len(rows) == 1
        assert len(re.findall(r"(?<!\\)\|", rows[0])) == 6


def _schema() -> dict[str, object]:
    schema = json.loads(files("durable_replay.drift.report").joinpath("report.schema.json").read_text("utf-8"))
    assert isinstance(schema, dict)
    return schema


def _allowed(*names: str) -> object:
    """What an enumeration of the description allows, by the way to it."""
    place: object = _schema()
    for name in (*names, "enum"):
        assert isinstance(place, dict)
        place = place[name]
    return place


def _plain(shape: str, text: str) -> str:
    """What a reader sees: without marks, escapes and folds."""
    if shape == "html":
        return _Shown().text(text)
    if shape == "markdown":
        return re.sub(r"\\([\\`*_\[\]|~#@])", r"\1", text)
    if shape == "junit":
        tree = etree.fromstring(text.encode())
        return "\n".join(
            [*(str(value) for one in tree.iter() for value in one.attrib.values()), *map(str, tree.itertext()), ""]
        )
    return text if shape == "table" else text.replace('\\"', '"')


class _Shown(HTMLParser):
    """The text that a browser shows."""

    def text(self, page: str) -> str:
        self.seen: list[str] = []
        self.feed(page)
        return "".join(self.seen)

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def test_an_endpoint_that_one_side_lacks_has_no_share_of_answers() -> None:
    gone = Finding(USERS, "endpoint", Kind.endpoint_gone, Severity.cosmetic, "not recorded on the after side", 1, 1)
    for shape in SHAPES.keys() - {"json"}:
        assert "1 of 1" not in render(Comparison((gone,)), shape, CONTEXT), shape
        assert "2 of 3" in render(MIXED, shape, CONTEXT) or shape == "junit"


@pytest.mark.parametrize("width", [60, 80])
def test_what_was_set_aside_keeps_its_words_whole_on_a_narrow_terminal(width: int) -> None:
    quiet = replace(QUIET, path="body.$.fields.customfield_10010.requestType.name")
    aside = Suppression(quiet, "format", "both values are of a kind that names nothing lasting")
    text = render(replace(MIXED, suppressed=(aside,)), "table", replace(CONTEXT, width=width, show_ignored=True))
    assert max(map(len, text.splitlines())) <= width
    assert f"\n  {quiet.path}  value\n" in text
    assert " ".join(f"{aside.origin}: {aside.reason}".split()) in " ".join(text.split())


def test_what_was_set_aside_is_one_line_each_where_there_is_room() -> None:
    text = render(MIXED, "table", replace(CONTEXT, width=200, show_ignored=True))
    (line,) = (line for line in text.splitlines() if "varies between #1 and #2" in line)
    assert line.split("  ")[0] == str(ISSUE)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_tells_the_notes_on_how_the_sides_were_read(shape: str) -> None:
    told = replace(CONTEXT, notes=("3 aborted interactions are not compared",))
    assert told.notes[0] in render(MIXED, shape, told)
    assert told.notes[0] in render(NOTHING, shape, told)
