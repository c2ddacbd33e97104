"""Documents in strings: `"{\\"a\\": 1}"` becomes `{"<json>": {"a": 1}}`, `"<VM><ID>1</ID></VM>"` `{"<xml>": …}`.

Only a string that is a whole JSON object or array, or a whole XML document, becomes one. HTML stays a string: a
description that now has markup is still a description.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from durable_replay.drift.documents.form import Node, NotThat
from durable_replay.drift.documents.json import parsed

__all__ = ["is_xml_document", "may_hold_documents", "unfolded"]

MOST_NESTED = 3
"""Documents in documents in documents; what is deeper stays a string."""
LONGEST = 4 * 1024 * 1024
"""Characters of a string that is read as a document."""
_OPENINGS = frozenset("{[<")
_ROOT = re.compile(r"\s*<(?:\?xml\b|(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>])")


@lru_cache(maxsize=1)
def _html_elements() -> frozenset[str]:
    return frozenset(json.loads(Path(__file__).with_name("html_elements.json").read_text("utf-8")))


def unfolded(value: Node, nested: int) -> Node:
    """A value in which each string that holds a document is that document."""
    if isinstance(value, str):
        return _text(value, nested)
    if isinstance(value, dict):
        return {name: unfolded(child, nested) for name, child in value.items()}
    return [unfolded(child, nested) for child in value] if isinstance(value, list) else value


def _text(text: str, nested: int) -> Node:
    if text[:1] not in _OPENINGS or nested >= MOST_NESTED or len(text) > LONGEST:
        return text
    ends = text[:1] + text.rstrip()[-1:]
    try:
        if ends in ("{}", "[]"):
            return _json(text, nested)
        return _xml(text, nested) if ends == "<>" else text
    except NotThat:
        return text


def is_xml_document(text: str) -> bool:
    """Whether a text begins as an XML document, and not as a piece of HTML."""
    root = _ROOT.match(text)
    return root is not None and root[1] not in _html_elements()


def _json(text: str, nested: int) -> Node:
    data = text.encode("utf-8", "surrogatepass")
    return {"<json>": unfolded(parsed(data), nested + 1) if may_hold_documents(data) else parsed(data)}


def _xml(text: str, nested: int) -> Node:
    if not is_xml_document(text):
        return text
    from durable_replay.drift.documents.xml import read_text  # lxml loads slowly

    return {"<xml>": unfolded(read_text(text), nested + 1)}


def may_hold_documents(data: bytes) -> bool:
    """Whether a string of a JSON text begins with a bracket; some encoders escape `<`."""
    return (
        b'"{' in data
        or b'"[' in data
        or (b"<" in data and b'"<' in data)
        or (b"\\" in data and (b'"\\u003c' in data or b'"\\u003C' in data))
    )
