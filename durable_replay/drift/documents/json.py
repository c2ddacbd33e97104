"""JSON, and JSON line by line.

Integers stay `int`, fractions are `float`; of a repeated key the last value counts, as with most parsers.
"""

from __future__ import annotations

import json

from durable_replay.drift.documents.form import DEEPEST, Content, Document, Node, NotThat, counted

__all__ = ["parsed", "read", "read_lines"]

_GUARD = b")]}'"
"""What Google's services put before JSON, so that it is no script."""


def read(content: Content) -> Document:
    """One JSON value, or several in a row, as some services stream them under the type of one."""
    counted(content, b"[", b"{")
    data = content.data.partition(b"\n")[2] if content.data.startswith(_GUARD) else content.data
    try:
        root = parsed(data)
    except NotThat:
        if b"\n" not in data.strip():
            raise
        lines = read_lines(content)
        return Document(lines.form, lines.root, lines.size, "several JSON values in a row")
    return Document("json", root, len(content.data))


def read_lines(content: Content) -> Document:
    """A list of the values; RFC 7464 puts a record separator before each."""
    counted(content, b"\n", b"[", b"{")
    lines = content.data.replace(b"\x1e", b"\n").split(b"\n")
    root: list[Node] = [parsed(line) for line in lines if line.strip()]
    return Document("ndjson", root, len(content.data))


def parsed(data: bytes) -> Node:
    """The value of a JSON text. Raises NotThat where it is none, or one deeper than DEEPEST."""
    try:
        value: Node = json.loads(data.decode(json.detect_encoding(data)))
    except RecursionError:
        raise NotThat(f"JSON deeper than {DEEPEST} levels") from None
    except ValueError as wrong:
        raise NotThat(f"not JSON: {wrong}") from None
    if data.count(b"[") + data.count(b"{") > DEEPEST and _deeper(value):
        raise NotThat(f"JSON deeper than {DEEPEST} levels")
    if b"\\ud" in data or b"\\uD" in data:
        value = _without_halves(value)
    return value


def _deeper(value: Node) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node if type(node) is list else ())
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _without_halves(value: Node) -> Node:
    """The value with U+FFFD for each half of a surrogate pair, which no encoding can write."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {str(_without_halves(name)): _without_halves(child) for name, child in value.items()}
    return [_without_halves(child) for child in value] if isinstance(value, list) else value
