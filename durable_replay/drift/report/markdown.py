"""The report for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from durable_replay.drift.finding import Comparison, Endpoint, Example, Finding, Severity
from durable_replay.drift.report.context import Context, advice, by_endpoint, headline, share

__all__ = ["LARGEST", "as_markdown"]

LARGEST = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""
_MARKS = {Severity.breaking: "**breaking**", Severity.additive: "additive", Severity.cosmetic: "cosmetic"}
_RUNS = re.compile(r"`+")


def as_markdown(comparison: Comparison, context: Context) -> str:
    """GitHub's Markdown; what would be too long for one comment is counted instead."""
    lines = [f"### API drift: {headline(comparison)}", "", f"{code(context.before)} → {code(context.after)}", ""]
    lines += _sections(comparison)
    if context.show_ignored and comparison.suppressed:
        lines += _set_aside(comparison)
    lines += [f"{note}\n" for note in context.notes]
    if text := advice(comparison, context):
        lines += [text, ""]
    return "\n".join(lines).rstrip() + "\n"


def _sections(comparison: Comparison) -> list[str]:
    lines: list[str] = []
    left = LARGEST
    groups = list(by_endpoint(comparison))
    for done, (endpoint, found) in enumerate(groups):
        section = list(_section(endpoint, found))
        left -= sum(len(line) + 1 for line in section)
        if left < 0:
            return [*lines, f"… and {len(groups) - done:,} more endpoints with findings.", ""]
        lines += section
    return lines


def _section(endpoint: Endpoint, found: list[Finding]) -> Iterator[str]:
    yield f"#### {code(str(endpoint))}"
    yield ""
    yield "| severity | path | what | before | after |"
    yield "| --- | --- | --- | --- | --- |"
    for finding in found:
        example = finding.examples[0] if finding.examples else Example("", "")
        what = cell(finding.text) + (f" ({of})" if (of := share(finding)) else "")
        yield (
            f"| {_MARKS[finding.severity]} | {code(finding.path)} | {what} "
            f"| {_value(example.before, example.before_number)} | {_value(example.after, example.after_number)} |"
        )
    yield ""


def _set_aside(comparison: Comparison) -> Iterator[str]:
    yield f"<details><summary>{len(comparison.suppressed):,} differences set aside</summary>"
    yield ""
    yield "| endpoint | path | kind | because |"
    yield "| --- | --- | --- | --- |"
    for one in comparison.suppressed:
        finding = one.finding
        because = cell(f"{one.origin}: {one.reason}")
        yield f"| {code(str(finding.endpoint))} | {code(finding.path)} | {finding.kind} | {because} |"
    yield ""
    yield "</details>"
    yield ""


def _value(text: str, number: int) -> str:
    return f"{code(text)}{f' #{number}' if number else ''}" if text else ""


def code(text: str) -> str:
    """Inline code that nothing in the text can end, on one line of a table."""
    flat = " ".join(text.splitlines()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in _RUNS.findall(flat)), default=0) + 1)
    space = " " if flat[:1] == "`" or flat[-1:] == "`" else ""
    return f"{fence}{space}{flat}{space}{fence}"


def cell(text: str) -> str:
    """Plain text in a table: nothing in it is Markdown or HTML."""
    flat = " ".join(text.splitlines()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#@])", r"\\\1", flat)
