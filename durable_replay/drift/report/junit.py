"""The report as JUnit XML: a test case for each endpoint that was compared, which fails by its findings."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from durable_replay.drift.finding import Comparison, Endpoint, Finding
from durable_replay.drift.report.context import Context, by_endpoint, fails, headline

__all__ = ["as_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(comparison: Comparison, context: Context) -> str:
    """What CI systems read. Findings that do not fail are the case's output."""
    groups = list(by_endpoint(comparison))
    failed = sum(any(fails(finding, context.fail_on) for finding in found) for _, found in groups)
    counts = {"tests": str(len(groups) or 1), "failures": str(failed), "errors": "0", "time": f"{context.took:.3f}"}
    suites = ElementTree.Element("testsuites", {"name": "API drift", **counts})
    suite = ElementTree.SubElement(
        suites, "testsuite", {"name": _text(f"{context.before} → {context.after}"), **counts}
    )
    if not groups:
        ElementTree.SubElement(suite, "testcase", {"classname": "drift", "name": headline(comparison), "time": "0"})
    for endpoint, found in groups:
        _case(suite, endpoint, found, context)
    if context.notes:
        ElementTree.SubElement(suite, "system-out").text = _text("\n".join(context.notes))
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, "unicode")}\n'


def _case(suite: ElementTree.Element, endpoint: Endpoint, found: list[Finding], context: Context) -> None:
    name = endpoint.operation or f"{endpoint.method} {endpoint.path}"
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _text(endpoint.world), "name": _text(name), "time": "0"}
    )
    failing = [finding for finding in found if fails(finding, context.fail_on)]
    if failing:
        first = f"{failing[0].path} {failing[0].text}"
        more = f" (and {len(failing) - 1:,} more)" if len(failing) > 1 else ""
        failure = ElementTree.SubElement(case, "failure", {"message": _text(first + more), "type": failing[0].severity})
        failure.text = _text("\n".join(_line(finding) for finding in failing))
    passing = [finding for finding in found if not fails(finding, context.fail_on)]
    if passing:
        ElementTree.SubElement(case, "system-out").text = _text("\n".join(_line(finding) for finding in passing))


def _line(finding: Finding) -> str:
    example = finding.examples[0] if finding.examples else None
    both = f": {example.before or '(absent)'} → {example.after or '(absent)'}" if example else ""
    return f"{finding.severity} {finding.kind} {finding.path} {finding.text}{both}"


def _text(text: str) -> str:
    """XML 1.0 has no way to write most control characters."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
