"""The report as one HTML page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from durable_replay.drift.finding import Comparison, Endpoint, Example, Finding, Severity, Suppression, Unpaired
from durable_replay.drift.report.context import Context, advice, by_endpoint, headline, share, summary

__all__ = ["as_html"]


@cache
def _page() -> Template:
    return Template(files(__package__).joinpath("page.html").read_text("utf-8"))


def as_html(comparison: Comparison, context: Context) -> str:
    """A page with both sides of each example next to each other, what differs in them marked."""
    return _page().substitute(
        title=escape(f"API drift: {context.before} → {context.after}"),
        before=escape(context.before),
        after=escape(context.after),
        headline=escape(headline(comparison)),
        counts="".join(_counts(comparison)),
        findings="".join(_sections(comparison)) or "<p>No drift.</p>",
        unpaired="".join(_unpaired(comparison.unpaired)),
        ignored="".join(_set_aside(comparison.suppressed)),
        notes="".join(f"<p>{escape(note)}</p>" for note in (*context.notes, advice(comparison, context)) if note),
    )


def _counts(comparison: Comparison) -> Iterator[str]:
    counts = summary(comparison)
    for severity in Severity:
        yield f'<span class="badge {severity}">{counts[severity]:,} {severity}</span> '


def _sections(comparison: Comparison) -> Iterator[str]:
    for endpoint, found in by_endpoint(comparison):
        yield f"<section><h2>{_name(endpoint)}</h2>"
        for finding in found:
            yield _finding(finding)
        yield "</section>"


def _name(endpoint: Endpoint) -> str:
    operation = f" <small>{escape(endpoint.operation)}</small>" if endpoint.operation else ""
    return f"{escape(endpoint.world)} <b>{escape(endpoint.method)}</b> {escape(endpoint.path)}{operation}"


def _finding(finding: Finding) -> str:
    head = (
        f'<span class="badge {finding.severity}">{finding.severity}</span> <code>{escape(finding.path)}</code> '
        f"{escape(finding.text)} <small>{', '.join(filter(None, (finding.kind, share(finding))))}</small>"
    )
    rows = "".join(_example(example) for example in finding.examples)
    table = f"<table><tr><th>before</th><th>after</th></tr>{rows}</table>" if rows else ""
    return f"<details open><summary>{head}</summary>{table}</details>"


def _example(example: Example) -> str:
    before, after = _marked(example.before, example.after)
    place = f'<tr><td colspan="2" class="place">{escape(example.place)}</td></tr>' if example.place else ""
    return (
        f"{place}<tr><td>{_side(before, example.before_number)}</td><td>{_side(after, example.after_number)}</td></tr>"
    )


def _side(text: str, number: int) -> str:
    where = f" <small>#{number}</small>" if number else ""
    return f"<code>{text}</code>{where}" if text else '<i class="absent">absent</i>'


def _marked(before: str, after: str) -> tuple[str, str]:
    """Both texts escaped, with the parts that only one of them has in `<mark>`."""
    if not (before and after):
        return escape(before), escape(after)
    left, right = [], []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        left.append(_part(before[a:b], same=what == "equal"))
        right.append(_part(after[c:d], same=what == "equal"))
    return "".join(left), "".join(right)


def _part(text: str, *, same: bool) -> str:
    return escape(text) if same or not text else f"<mark>{escape(text)}</mark>"


def _unpaired(unpaired: tuple[Unpaired, ...]) -> Iterator[str]:
    if not unpaired:
        return
    yield "<section><h2>Asked on one side only</h2><table><tr><th>endpoint</th><th>before</th><th>after</th></tr>"
    for one in unpaired:
        yield f"<tr><td>{_name(one.endpoint)}</td><td>{one.before:,}</td><td>{one.after:,}</td></tr>"
    yield "</table></section>"


def _set_aside(suppressed: tuple[Suppression, ...]) -> Iterator[str]:
    if not suppressed:
        return
    yield f"<details><summary>{len(suppressed):,} differences set aside</summary>"
    yield "<table><tr><th>endpoint</th><th>path</th><th>kind</th><th>because</th></tr>"
    for one in suppressed:
        finding = one.finding
        because = escape(f"{one.origin}: {one.reason}")
        yield (
            f"<tr><td>{_name(finding.endpoint)}</td><td><code>{escape(finding.path)}</code></td>"
            f"<td>{finding.kind}</td><td>{because}</td></tr>"
        )
    yield "</table></details>"
