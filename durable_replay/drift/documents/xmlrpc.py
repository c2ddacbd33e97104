"""XML-RPC by its values: an answer is `{"value": …}` or `{"fault": {"faultCode", "faultString"}}`, a call
`{"methodName": …, "params": …}`.

A struct is a dict and an array a list; times and base64 are the strings that they are sent as. What has a meaning by
its position is a dict of positions, `{"#0": …, "#1": …}`: a call's parameters, and an answer that is an array of values
of several types, such as OpenNebula's `[true, "<VM>…</VM>", 0]`. A string that holds a document is that document:
`$.value.#1.<xml>.VM.ID[]`.
"""

from __future__ import annotations

from lxml import etree

from durable_replay.drift.documents.form import DEEPEST, Content, Document, Node, NotThat

__all__ = ["read_call"]

_INTEGERS = {"int", "i4", "i8", "i1", "i2", "biginteger"}
_FRACTIONS = {"double", "float", "bigdecimal"}


def read_call(root: etree._Element, content: Content) -> Document | None:
    """The document of a `methodCall` or `methodResponse`; None where it is not built like one."""
    try:
        value = _call(root) if root.tag == "methodCall" else _answer(root)
    except (NotThat, ValueError):
        return None
    return Document("xmlrpc", value, len(content.data))


def _answer(root: etree._Element) -> Node:
    fault = root.find("fault/value")
    if fault is not None:
        return {"fault": _value(fault)}
    values = [_value(value) for value in root.iterfind("params/param/value")]
    if len(values) != 1:
        raise NotThat("an answer that has not one value")
    return {"value": _by_position(values[0])}


def _call(root: etree._Element) -> Node:
    values = [_value(value) for value in root.iterfind("params/param/value")]
    return {"methodName": (root.findtext("methodName") or "").strip(), "params": _positions(values)}


def _by_position(value: Node) -> Node:
    if isinstance(value, list) and len({type(item) for item in value}) > 1:
        return _positions(value)
    return value


def _positions(values: list[Node]) -> Node:
    return {f"#{at}": value for at, value in enumerate(values)}


def _value(element: etree._Element, depth: int = 0) -> Node:
    if depth > DEEPEST - 4:
        raise NotThat(f"XML-RPC deeper than {DEEPEST} levels")
    if not len(element):
        return element.text or ""
    typed = element[0]
    name, text = etree.QName(typed).localname, typed.text or ""
    if name == "struct":
        return _struct(typed, depth)
    if name == "array":
        return [_value(value, depth + 1) for value in typed.iterfind("data/value")]
    if name == "string":
        return text
    return _scalar(name, text.strip())


def _struct(struct: etree._Element, depth: int) -> Node:
    fields: dict[str, Node] = {}
    for member in struct.iterfind("member"):
        value = member.find("value")
        if value is None:
            raise NotThat("a member without a value")
        fields[member.findtext("name") or ""] = _value(value, depth + 1)
    return fields


def _scalar(name: str, text: str) -> Node:
    if name in _INTEGERS:
        return int(text)
    if name in _FRACTIONS:
        return float(text)
    if name == "boolean":
        return bool(int(text))
    return None if name == "nil" else text
