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

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol, cast

from lxml import etree

from durable_replay.drift.documents.form import DEEPEST, Content, Document, Node, NotThat, counted

__all__ = ["read", "read_text"]

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML_RPC = {"methodCall", "methodResponse"}


class _Declarations(Protocol):
    """What is used of an internal document type, which the types of lxml lack."""

    def iterentities(self) -> Iterator[object]: ...


def read(content: Content) -> Document:
    """An XML document, or an XML-RPC call or answer. Raises NotThat where it is none."""
    counted(content, b"<")
    root = _tree(content.data)
    if root.tag in _XML_RPC:
        from durable_replay.drift.documents.xmlrpc import read_call

        called = read_call(root, content)
        if called is not None:
            return called
    return Document("xml", _rooted(root), len(content.data))


def read_text(text: str) -> Node:
    """The root of a document that is a string, whatever encoding its declaration names. Raises NotThat."""
    return _rooted(_tree(text.encode("utf-8", "surrogatepass"), "utf-8"))


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


def _rooted(root: etree._Element) -> Node:
    content = _value(root)
    if not isinstance(content, dict):
        content = {} if content in (None, "") else {"#text": content}
    namespace = etree.QName(root).namespace
    return {_local(str(root.tag)): {"@xmlns": namespace, **content} if namespace else content}


@lru_cache(maxsize=4096)
def _local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def _value(element: etree._Element, depth: int = 0) -> Node:
    """What an element says: None for `xsi:nil`, "" for nothing, its text, or a dict."""
    if depth >= DEEPEST // 2:
        raise NotThat(f"XML deeper than {DEEPEST // 2} elements")
    attributes = [(str(name), str(value)) for name, value in element.items()]
    children = list(element)
    text = element.text
    if not children and not attributes:
        return _significant(text) if text else ""
    if attributes and element.get(f"{_XSI}nil") in ("true", "1"):
        return None
    fields = _attributes(element, attributes) if attributes else {}
    names = _names(children)
    for child, name in zip(children, names, strict=True):
        text = f"{text or ''}{tail}" if (tail := child.tail) else text
        listed = fields.setdefault(name, [])
        if isinstance(listed, list) and (value := _value(child, depth + 1)) != "":
            listed.append(value)
    if text := _significant(text):
        fields["#text"] = text
    return fields


def _significant(text: str | None) -> str:
    """The text, "" where it only lays out the document: a lone space may be meant, a line break is not."""
    return "" if text is None or ("\n" in text and text.isspace()) else text


def _attributes(element: etree._Element, pairs: list[tuple[str, str]]) -> dict[str, Node]:
    local = [_local(name) for name, _ in pairs]
    if len(set(local)) < len(local):
        prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
        local = [_with_prefix(name, prefixes) for name, _ in pairs]
    return {f"@{name}": value for name, (_, value) in zip(local, pairs, strict=True)}


def _with_prefix(name: str, prefixes: dict[str, str]) -> str:
    uri, _, local = name.removeprefix("{").rpartition("}")
    return f"{prefixes[uri]}:{local}" if uri in prefixes else local


def _names(children: list[etree._Element]) -> list[str]:
    """The children's names, with the prefix of those that need one to be told apart."""
    tags = [child.tag for child in children if isinstance(child.tag, str)]
    if len(tags) < len(children):
        raise NotThat("XML with entities")
    local = {tag: _local(tag) for tag in tags}
    if len(set(local.values())) < len(local):
        taken = Counter(local.values())
        for child, tag in zip(children, tags, strict=True):
            if child.prefix and taken[_local(tag)] > 1:
                local[tag] = f"{child.prefix}:{_local(tag)}"
    return [local[tag] for tag in tags]
