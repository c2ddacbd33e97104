"""The report for programs: JSON that keeps its names. `report.schema.json` beside it is its description; a change that
removes or renames anything raises `VERSION`.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from durable_replay.drift.finding import Comparison, Finding, Suppression
from durable_replay.drift.report.context import Context, fails, stale, summary

__all__ = ["VERSION", "as_json", "told"]

VERSION = 1


def as_json(comparison: Comparison, context: Context) -> str:
    """One JSON object, indented. What was set aside is always in it."""
    document = {
        "format": "durable-replay.drift",
        "version": VERSION,
        "before": context.before,
        "after": context.after,
        "fail_on": context.fail_on,
        "failed": any(fails(finding, context.fail_on) for finding in comparison.findings),
        "summary": summary(comparison),
        "notes": list(context.notes),
        "findings": [told(finding) for finding in comparison.findings],
        "suppressed": [_suppressed(one) for one in comparison.suppressed],
        "unpaired": [asdict(one) for one in comparison.unpaired],
        "take_anew": [asdict(one) for one in stale(comparison)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def told(finding: Finding) -> dict[str, object]:
    """A finding by its fields."""
    return asdict(finding)


def _suppressed(one: Suppression) -> dict[str, object]:
    return {"origin": one.origin, "reason": one.reason, "finding": told(one.finding)}
