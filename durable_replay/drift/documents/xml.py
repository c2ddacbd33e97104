"""XML as dicts and lists. Apart, because lxml loads slowly.

The root is a dict of one name; in it, and in each element below:

- each child name has a list of the children of that name, even of one, so that one child and many have one shape:
  `$.ListBucketResult.Contents[].Key[]`;
- an element without children and attributes is its text; an empty one is left out of its list, for `<Prefix/>` says
  neither text nor structure: the list is there and empty. With `xsi:nil` it is None;
- attributes are `@name`; text beside attributes or children is `#text`; the root's namespace is `@xmlns`;
- names are local names. Where one element has two children (or attributes) of one local name in two namespaces, those
  with a prefix keep it: `dc:title`.

Comments, processing instructions and whitespace between elements do not count. Nothing is fetched and no entity is
resolved: a document that declares some is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

from lxml import etree

from durable_replay.drift.documents.embedded import unfolded_text
from durable_replay.drift.documents.form import DEEPEST, Content, Document, Node, NotThat

__all__ = ["read", "read_text"]

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML_RPC = {"methodCall", "methodResponse"}


class _Declarations(Protocol):
    """What is used of an internal document type, which the types of lxml lack."""

    def iterentities(self) -> Iterator[object]: ...


def read(content: Content) -> Document:
    """An XML document, or an XML-RPC call or answer. Raises NotThat where it is none."""
    root = _tree(content.data)
    if root.tag in _XML_RPC:
        from durable_replay.drift.documents.xmlrpc import read_call

        called = read_call(root, content)
        if called is not None:
            return called
    return Document("xml", _rooted(root, content.nested), len(content.data))


def read_text(text: str, nested: int) -> Node:
    """The root of a document that is a string, whatever encoding its declaration names. Raises NotThat."""
    return _rooted(_tree(text.encode("utf-8", "surrogatepass"), "utf-8"), nested)


def _tree(data: bytes, encoding: str | None = None) -> etree._Element:
    """The root element. Raises NotThat for what is not well-formed, declares entities or is too deep."""
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data.lstrip(), parser)
    except (etree.LxmlError, UnicodeError, ValueError) as wrong:
        raise NotThat(f"not XML: {wrong}") from None
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in cast(_Declarations, declared).iterentities()):
        raise NotThat("XML that declares entities")
    return root


def _rooted(root: etree._Element, nested: int) -> Node:
    content = _value(root, nested)
    if not isinstance(content, dict):
        content = {} if content in (None, "") else {"#text": content}
    namespace = etree.QName(root).namespace
    return {_local_name(root): {"@xmlns": namespace, **content} if namespace else content}


def _local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _value(element: etree._Element, nested: int, depth: int = 0) -> Node:
    """What an element says: None for `xsi:nil`, "" for nothing, its text, or a dict."""
    if depth >= DEEPEST // 2:
        raise NotThat(f"XML deeper than {DEEPEST // 2} elements")
    if not len(element) and not element.attrib:
        return unfolded_text(_significant(element.text), nested)
    if element.get(f"{_XSI}nil") in ("true", "1"):
        return None
    fields = _attributes(element)
    kept = _told_apart(element)
    pieces = [element.text]
    for child in element:
        pieces.append(child.tail)
        _list(fields, kept.get(child.tag) or _local_name(child), _value(child, nested, depth + 1))
    if text := _significant("".join(piece for piece in pieces if piece)):
        fields["#text"] = unfolded_text(text, nested)
    return fields


def _list(fields: dict[str, Node], name: str, value: Node) -> None:
    listed = fields.setdefault(name, [])
    if isinstance(listed, list) and value != "":
        listed.append(value)


def _significant(text: str | None) -> str:
    """The text, "" where it only lays out the document: a lone space may be meant, a line break is not."""
    return "" if text is None or (text.isspace() and "\n" in text) else text


def _attributes(element: etree._Element) -> dict[str, Node]:
    names = [str(name) for name in element.attrib]
    local = [name.rpartition("}")[2] for name in names]
    if len(set(local)) < len(local):
        prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
        local = [_with_prefix(name, prefixes) for name in names]
    return {f"@{name}": str(value) for name, value in zip(local, element.attrib.values(), strict=True)}


def _with_prefix(name: str, prefixes: dict[str, str]) -> str:
    uri, _, local = name.removeprefix("{").rpartition("}")
    return f"{prefixes[uri]}:{local}" if uri in prefixes else local


def _told_apart(element: etree._Element) -> dict[str | bytes | bytearray, str]:
    """By tag the names of those children that need their prefix to be told apart."""
    children = {child.tag: child for child in element}
    names = [_local_name(child) for child in children.values()]
    if len(set(names)) == len(names):
        return {}
    return {
        tag: f"{child.prefix}:{_local_name(child)}"
        for tag, child in children.items()
        if child.prefix and names.count(_local_name(child)) > 1
    }
