"""Documents in strings: `"{\\"a\\": 1}"` becomes `{"<json>": {"a": 1}}`, `"<VM><ID>1</ID></VM>"` `{"<xml>": …}`.

Only a string that is a whole JSON object or array, or a whole XML document, becomes one. HTML stays a string: a
description that now has markup is still a description.
"""

from __future__ import annotations

import re

from durable_replay.drift.documents.form import Content, Node, NotThat

__all__ = ["unfolded", "unfolded_text"]

MOST_NESTED = 3
"""Documents in documents in documents; what is deeper stays a string."""
_ROOT = re.compile(r"<(?:\?xml\b|(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>])")
_HTML = frozenset(
    "a abbr address article aside audio b bdi bdo blockquote body br button canvas caption center cite code col "
    "colgroup dd del details dfn div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 "
    "head header hr html i iframe img input ins kbd label legend li link main map mark math menu meta nav object ol "
    "option p picture pre q s samp script section select small source span strike strong style sub summary sup svg "
    "table tbody td template textarea tfoot th thead title tr tt u ul var video".split()
)


def unfolded(value: Node, nested: int) -> Node:
    """A value in which each string that holds a document is that document."""
    if isinstance(value, str):
        return unfolded_text(value, nested)
    if isinstance(value, dict):
        return {name: unfolded(child, nested) for name, child in value.items()}
    return [unfolded(child, nested) for child in value] if isinstance(value, list) else value


def unfolded_text(text: str, nested: int) -> Node:
    """The document that a string holds, or the string."""
    ends = text[:1] + text[-1:]
    if nested >= MOST_NESTED or ends not in ("{}", "[]", "<>"):
        return text
    try:
        return _json(text, nested) if ends != "<>" else _xml(text, nested)
    except NotThat:
        return text


def _json(text: str, nested: int) -> Node:
    from durable_replay.drift.documents.json import parsed

    return {"<json>": parsed(text.encode("utf-8", "surrogatepass"), nested + 1)}


def _xml(text: str, nested: int) -> Node:
    root = _ROOT.match(text)
    if root is None or (root[1] or "").lower() in _HTML and root[1] == root[1].lower():
        return text
    from durable_replay.drift.documents.xml import read

    return {"<xml>": read(Content(text.encode("utf-8", "surrogatepass"), "text/xml", nested=nested + 1)).root}
