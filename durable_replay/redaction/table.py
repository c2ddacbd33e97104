"""The rules as a table, for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from durable_replay.redaction.of_services import BELONGS, NAMES, PATTERNS
from durable_replay.redaction.rules import Rule

__all__ = ["rules_table"]

_SERVICES: dict[str, str] = {
    **BELONGS,
    **{row[0]: row[1] for row in NAMES},
    **{row[0]: row[1] for row in PATTERNS},
}
_WHERE = {"header": "headers", "query": "query parameters", "field": "body fields", "text": "anywhere"}


def rules_table(rules: Iterable[Rule]) -> str:
    """Markdown: a line for each rule, in the rules' order."""
    lines = ["| rule | service | where | what |", "| --- | --- | --- | --- |"]
    lines += [f"| `{rule.name}` | {_service(rule)} | {_WHERE[rule.place]} | {_what(rule)} |" for rule in rules]
    return "\n".join(lines) + "\n"


def _service(rule: Rule) -> str:
    return _SERVICES.get(rule.name, "any")


def _what(rule: Rule) -> str:
    if rule.place != "text":
        return ", ".join(f"`{name}`" for name in sorted(rule.names))
    if rule.sieve is not None or rule.any_case or not rule.hint:
        return "a shape of its own"
    hints = " or ".join(f"`{_printable(hint)}`" for hint in rule.hints)
    return f"a shape with {hints}"


def _printable(hint: str) -> str:
    return hint.encode("unicode_escape").decode("ascii").replace("|", "\\|")
