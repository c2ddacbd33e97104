"""Jira's error envelope, and the sentences it carries.

``errors.json`` holds the sentences by name. Sources: those of JQL syntax are quoted in public reports of Jira Cloud
and Server answers, ``jql.field.unknown``, ``jql.operator.unsupported`` and ``jql.value.unknown`` stand in Atlassian's
OpenAPI document of ``POST /jql/parse``; ``jql.date.invalid`` in reports of Server answers. Not checked against a live
site: ``jql.field.expected``, ``jql.function.*``, ``jql.text.empty``, ``jql.operator.list``, ``jql.operator.not_empty``,
``field.required``, ``issue.missing.cloud``, and those of refused values: ``issue.*``, ``text.*``, ``comment.*``,
``transition.*``, ``user.*`` and ``project.key.*``, ``project.name.*``. ``jql.unsupported``,
``jql.too_long`` and ``jql.too_deep`` are our own: they say where the emulator ends.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypedDict

from durable_replay.errors import ServiceError

__all__ = ["Envelope", "JqlError", "Unsupported", "envelope", "text"]


class Envelope(TypedDict):
    """The body of a Jira error answer: sentences for the whole request, and one for each field at fault."""

    errorMessages: list[str]
    errors: dict[str, str]


class JqlError(ServiceError):
    """A query that Jira would refuse with 400; its text is Jira's sentence."""


class Unsupported(JqlError):
    """A query that Jira would take and the emulator refuses; never silently ignored."""


def envelope(*messages: str, errors: Mapping[str, str] | None = None) -> Envelope:
    """Build ``{"errorMessages": [...], "errors": {field: sentence}}``."""
    return {"errorMessages": list(messages), "errors": dict(errors or {})}


def text(name: str, /, **values: str | int) -> str:
    """The sentence ``name`` of ``errors.json``, its places filled; an unknown name is a ``KeyError`` (our bug)."""
    return _texts()[name].format(**values)


@cache
def _texts() -> Mapping[str, str]:
    loaded = json.loads(files(__package__).joinpath("errors.json").read_text("utf-8"))
    return {str(name): str(sentence) for name, sentence in loaded.items()}
