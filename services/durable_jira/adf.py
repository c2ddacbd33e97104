"""Rich text, two views of one store: wiki markup (REST v2) and the Atlassian Document Format (REST v3).

Understood both ways: paragraphs, ``h1.``-``h6.``, ``*``/``#`` lists (nested), ``{code}`` blocks, hard breaks, and
the marks ``*strong*``, ``_em_``, ``{{code}}``, ``[text|address]``. Everything else in an ADF document keeps its text.
Any markup survives ``to_markup(to_adf(markup))`` unchanged: what is not understood stays plain text.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

__all__ = ["MAX_DEPTH", "to_adf", "to_markup"]

Node = dict[str, object]
MAX_DEPTH = 100
"""Levels of nodes that ``to_markup`` reads; what lies deeper is left out."""

_CODE = re.compile(r"\{code(?::([\w+#-]+))?\}\n(.*?)\n\{code\}(?=\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"h([1-6])\. (\S.*)")
_ITEM = re.compile(r"([*#]{1,6}) (\S.*)")
_INLINE = re.compile(
    r"(?<!\w)\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?!\w)"
    r"|(?<!\w)_(?P<em>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)"
    r"|\{\{(?P<code>[^{}\n]+)\}\}"
    r"|\[(?P<label>[^\[\]|\n]+)\|(?P<href>[a-z][a-z0-9+.-]*:[^\[\]|\s]+)\]"
)
_SPLITS = re.compile(r"\n\n")


def to_adf(markup: str) -> Node:
    """Turn wiki markup into an ADF document: ``{"version": 1, "type": "doc", "content": [...]}``."""
    return {"version": 1, "type": "doc", "content": [] if markup == "" else list(_blocks(markup))}


def to_markup(adf: Mapping[str, object]) -> str:
    """Turn an ADF document, or any of its nodes, into wiki markup."""
    return _markup(adf, 0)


def _blocks(markup: str) -> Iterator[Node]:
    # Blocks are what two newlines part, except inside {code}.
    for part, language in _parts(markup):
        yield _code_block(part, language) if language is not None else _block(part)


def _parts(markup: str) -> Iterator[tuple[str, str | None]]:
    position = 0
    while True:
        code = _CODE.match(markup, position)
        if code and (code.end() == len(markup) or markup.startswith("\n\n", code.end())):
            yield code[2], code[1] or ""
            end = code.end()
        else:
            found = _SPLITS.search(markup, position)
            end = found.start() if found else len(markup)
            yield markup[position:end], None
        if end == len(markup):
            return
        position = end + 2


def _block(part: str) -> Node:
    if heading := _HEADING.fullmatch(part):
        return {"type": "heading", "attrs": {"level": int(heading[1])}, "content": _inline(heading[2])}
    items = [_ITEM.fullmatch(line) for line in part.split("\n")]
    found = [(each[1], each[2]) for each in items if each]
    if len(found) == len(items) and _regular([stars for stars, _ in found]):
        return _list(found, 1)
    return {"type": "paragraph", "content": _inline(part)}


def _regular(markers: Sequence[str]) -> bool:
    # Only lists that come back the same: each item at most one level deeper, and of one kind a level.
    if len(markers[0]) != 1:
        return False
    return all(len(b) <= len(a) + 1 and a[: len(b)] == b[: len(a)] for a, b in pairwise(markers))


def _list(items: Sequence[tuple[str, str]], level: int) -> Node:
    kind = "bulletList" if items[0][0][level - 1] == "*" else "orderedList"
    starts = [index for index, (marker, _) in enumerate(items) if len(marker) == level]
    content: list[Node] = []
    for start, end in zip(starts, [*starts[1:], len(items)], strict=True):
        inner: list[Node] = [{"type": "paragraph", "content": _inline(items[start][1])}]
        if end > start + 1:
            inner.append(_list(items[start + 1 : end], level + 1))
        content.append({"type": "listItem", "content": inner})
    return {"type": kind, "content": content}


def _code_block(code: str, language: str) -> Node:
    content = [_text(code)] if code else []
    node: Node = {"type": "codeBlock", "content": content}
    return {**node, "attrs": {"language": language}} if language else node


def _inline(line: str) -> list[Node]:
    nodes: list[Node] = []
    for index, piece in enumerate(line.split("\n")):
        if index:
            nodes.append({"type": "hardBreak"})
        nodes.extend(_marked(piece))
    return nodes


def _marked(piece: str) -> Iterator[Node]:
    position = 0
    for found in _INLINE.finditer(piece):
        if found.start() > position:
            yield _text(piece[position : found.start()])
        if found["href"]:
            yield _text(found["label"], {"type": "link", "attrs": {"href": found["href"]}})
        else:
            yield _text(found[str(found.lastgroup)], {"type": str(found.lastgroup)})
        position = found.end()
    if position < len(piece):
        yield _text(piece[position:])


def _text(content: str, *marks: Node) -> Node:
    node: Node = {"type": "text", "text": content}
    return {**node, "marks": list(marks)} if marks else node


def _children(node: Mapping[str, object]) -> list[Mapping[str, object]]:
    content = node.get("content")
    return [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []


def _attribute(node: Mapping[str, object], name: str) -> str:
    attributes = node.get("attrs")
    value = attributes.get(name) if isinstance(attributes, dict) else None
    return "" if value is None else str(value)


def _markup(node: Mapping[str, object], depth: int) -> str:
    if depth > MAX_DEPTH:
        return ""
    writer = _WRITERS.get(str(node.get("type")))
    return writer(node, depth) if writer else _other(node, depth)


def _joined(node: Mapping[str, object], depth: int, between: str = "") -> str:
    return between.join(_markup(each, depth + 1) for each in _children(node))


def _other(node: Mapping[str, object], depth: int) -> str:
    """Unknown nodes: the text of the children, or the readable attribute of a leaf (mention, emoji, card, status)."""
    children = _children(node)
    if children:
        inline = all(str(each.get("type")) in _INLINE_TYPES for each in children)
        return _joined(node, depth, "" if inline else "\n\n")
    return next((found for name in ("text", "shortName", "url") if (found := _attribute(node, name))), "")


def _write_text(node: Mapping[str, object], _depth: int) -> str:
    written, marks = str(node.get("text", "")), node.get("marks")
    for mark in marks if isinstance(marks, list) else []:
        if not isinstance(mark, dict):
            continue
        if mark.get("type") == "link":
            written = f"[{written}|{_attribute(mark, 'href')}]"
        elif (around := _AROUND.get(str(mark.get("type")))) is not None:
            written = around[0] + written + around[1]
    return written


def _write_list(node: Mapping[str, object], depth: int) -> str:
    return "\n".join(_items(node, "", depth))


def _items(node: Mapping[str, object], marker: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    marker += "*" if node.get("type") == "bulletList" else "#"
    for item in _children(node):
        own: list[str] = []
        nested: list[str] = []
        for each in _children(item):
            if each.get("type") in ("bulletList", "orderedList"):
                nested.extend(_items(each, marker, depth + 1))
            else:
                own.append(_markup(each, depth + 1))
        yield f"{marker} " + "\n".join(own)
        yield from nested


def _write_code(node: Mapping[str, object], depth: int) -> str:
    language = _attribute(node, "language")
    return f"{{code{':' + language if language else ''}}}\n{_joined(node, depth)}\n{{code}}"


_AROUND = {"strong": ("*", "*"), "em": ("_", "_"), "code": ("{{", "}}")}
_INLINE_TYPES = ("text", "hardBreak", "mention", "emoji", "inlineCard", "status", "date")
_WRITERS: Mapping[str, Callable[[Mapping[str, object], int], str]] = {
    "doc": lambda node, depth: _joined(node, depth, "\n\n"),
    "paragraph": _joined,
    "heading": lambda node, depth: f"h{_attribute(node, 'level') or 1}. {_joined(node, depth)}",
    "bulletList": _write_list,
    "orderedList": _write_list,
    "codeBlock": _write_code,
    "text": _write_text,
    "hardBreak": lambda _node, _depth: "\n",
}
