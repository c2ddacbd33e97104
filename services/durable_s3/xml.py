"""S3's XML both ways: nested Python data to a document, and a client's document to checked values.

Written by hand rather than by lxml, because S3 writes control characters of keys as references (`&#x1;`) that XML 1.0
forbids and lxml therefore refuses; this is why `encoding-type=url` exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote_plus

__all__ = ["NAMESPACE", "Value", "document", "url_encoded"]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

Value = str | int | bool | None | Mapping[str, "Value"] | Sequence["Value"]
"""Text, or elements by name. None leaves the element out, a sequence repeats it, a name with `@` is an attribute."""

_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_SPECIAL = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]')


def document(root: str, content: Mapping[str, Value], namespace: str = NAMESPACE) -> bytes:
    """A whole document in UTF-8.

    >>> document("Error", {"Code": "X", "Tag": ["a", "b"]}, namespace="").splitlines()[1]
    b'<Error><Code>X</Code><Tag>a</Tag><Tag>b</Tag></Error>'
    """
    attributes: dict[str, Value] = {"@xmlns": namespace} if namespace else {}
    written = "".join(_element(root, {**attributes, **content}))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{written}'.encode()


def url_encoded(text: str) -> str:
    """What `encoding-type=url` makes of a key: `/` is left alone and a space becomes `+`."""
    return quote_plus(text, safe="/*", errors="surrogatepass")


def _element(name: str, value: Value) -> Iterator[str]:
    if value is None:
        return
    if isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _element(name, one)
        return
    inner = "".join(_inner(value))
    attributes = _attributes(value) if isinstance(value, Mapping) else ""
    yield f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"


def _inner(value: str | int | bool | Mapping[str, Value]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            if not name.startswith("@"):
                yield from _element(name, child)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    else:
        yield _escaped(str(value))


def _attributes(value: Mapping[str, Value]) -> str:
    named = ((name[1:], text) for name, text in value.items() if name.startswith("@"))
    return "".join(f' {name}="{_escaped(str(text))}"' for name, text in named)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0]) or f"&#x{ord(found[0]):x};", text)
