"""Canonical XML: C14N without comments and without whitespace between elements. Apart, because lxml loads slowly."""

from __future__ import annotations

from collections.abc import Callable, Collection

from lxml import etree

__all__ = ["BadXml", "canonical_xml"]


class BadXml(ValueError):
    """Not well-formed, or more than a request needs (a DOCTYPE, entities, too deep, too large)."""


def canonical_xml(data: bytes, hidden: Collection[str] = (), mask: Callable[[str], str] | None = None) -> bytes:
    """The C14N form of a document without the elements of the `hidden` local names.

    Whitespace next to an element does not count; whitespace that is all an element holds does. Text and attribute
    values go through `mask`. Nothing is fetched and no entity resolved; raises BadXml.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
        if root.getroottree().docinfo.internalDTD is not None:
            raise BadXml("a DOCTYPE has no place in a request")
        for element in list(root.iter(etree.Element)):
            _tidy(element, hidden, mask)
        return bytes(etree.tostring(root, method="c14n", with_comments=False))
    except (etree.LxmlError, UnicodeError, ValueError) as bad:
        raise BadXml(str(bad)) from bad


def _tidy(element: etree._Element, hidden: Collection[str], mask: Callable[[str], str] | None) -> None:
    for child in list(element):
        if isinstance(child.tag, str) and etree.QName(child).localname in hidden:
            element.remove(child)
    if len(element) and element.text is not None and not element.text.strip():
        element.text = None
    if element.tail is not None and not element.tail.strip():
        element.tail = None
    if mask is not None:
        _mask(element, mask)


def _mask(element: etree._Element, mask: Callable[[str], str]) -> None:
    if element.text:
        element.text = mask(element.text)
    if element.tail:
        element.tail = mask(element.tail)
    for name, value in list(element.attrib.items()):
        element.set(name, mask(str(value)))
