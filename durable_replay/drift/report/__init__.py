"""A comparison as text: a table for a terminal, JSON for programs, Markdown for a pull request, JUnit and SARIF for CI,
and one HTML page that shows both sides.

`render(comparison, shape, context)` is the one door; each shape is a module of its own, which turns values into text
and knows no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from durable_replay.cassette.text.escaping import visible
from durable_replay.drift.finding import Comparison
from durable_replay.drift.report.context import Context
from durable_replay.drift.report.document import as_json
from durable_replay.drift.report.junit import as_junit
from durable_replay.drift.report.markdown import as_markdown
from durable_replay.drift.report.page import as_html
from durable_replay.drift.report.sarif import as_sarif
from durable_replay.drift.report.table import as_table
from durable_replay.errors import UsageError

__all__ = ["SHAPES", "Context", "render"]

SHAPES: Mapping[str, Callable[[Comparison, Context], str]] = MappingProxyType(
    {
        "table": as_table,
        "json": as_json,
        "markdown": as_markdown,
        "junit": as_junit,
        "sarif": as_sarif,
        "html": as_html,
    }
)
"""Each gives a whole text that ends in a newline."""
_AS_THEY_ARE = frozenset({"table", "json", "sarif"})
"""JSON has escapes of its own, and the table those of a terminal, and so looks after what stands in it itself."""


def render(comparison: Comparison, shape: str, context: Context) -> str:
    """The report in this shape, a name of `SHAPES`; another name raises UsageError."""
    if shape not in SHAPES:
        raise UsageError(f"--format {shape!r} is unknown; there are {', '.join(SHAPES)}")
    text = SHAPES[shape](comparison, context)
    return text if shape in _AS_THEY_ARE else visible(text)
