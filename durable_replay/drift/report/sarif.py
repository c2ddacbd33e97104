"""The report as SARIF 2.1.0, which code scanning services show beside a change.

A cassette has no lines: each result names the file, and its endpoint and path as a logical location.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import PurePath
from urllib.parse import quote

from durable_replay.drift.finding import Comparison, Finding, Kind, Severity, Suppression
from durable_replay.drift.report.context import Context, ordered, share

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.breaking: "error", Severity.additive: "note", Severity.cosmetic: "note"}
_RULES = {kind: kind.value.replace("-", " ") for kind in Kind}
_INDEX = {kind: place for place, kind in enumerate(_RULES)}


def as_sarif(comparison: Comparison, context: Context) -> str:
    """One run with a result for each finding; what was set aside is there as suppressed results, if asked for."""
    results = [_result(finding, context) for finding in ordered(comparison)]
    if context.show_ignored:
        results += [_suppressed(one, context) for one in comparison.suppressed]
    driver = {
        "name": "durable-replay",
        "rules": [{"id": kind.value, "shortDescription": {"text": text}} for kind, text in _RULES.items()],
        **({"version": context.version} if context.version else {}),
    }
    run: dict[str, object] = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    if context.notes:
        told = [{"level": "note", "message": {"text": note}} for note in context.notes]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": told}]
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, context: Context) -> dict[str, object]:
    where = f"{finding.endpoint} {finding.path}"
    cassette = context.cassettes[0] if context.cassettes else context.before
    of = f" ({share(finding)})" if share(finding) else ""
    return {
        "ruleId": finding.kind.value,
        "ruleIndex": _INDEX[finding.kind],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{where} {finding.text}{of}{_both(finding)}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(cassette)}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": where, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"drift/v1": sha256(f"{where} {finding.kind}".encode()).hexdigest()},
        "properties": {"severity": finding.severity.value},
    }


def _suppressed(one: Suppression, context: Context) -> dict[str, object]:
    reason = {"kind": "external", "status": "accepted", "justification": f"{one.origin}: {one.reason}"}
    return {**_result(one.finding, context), "suppressions": [reason]}


def _both(finding: Finding) -> str:
    if not finding.examples:
        return ""
    example = finding.examples[0]
    return f": {example.before or '(absent)'} → {example.after or '(absent)'}"


def _uri(path: str) -> str:
    return quote(PurePath(path).as_posix())
