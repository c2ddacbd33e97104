"""What the VCR family shares: a request beside its response, bodies as text, base64 or `{encoding, string}`."""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.cassette.formats import json_stream, yaml_stream
from durable_replay.cassette.formats.plain import Plain, Unfit, mapping, octets, text, unbase64
from durable_replay.cassette.formats.source import Item, Source

__all__ = ["base64_of", "document", "encoded", "entries", "written"]


def entries(source: Source, path: tuple[str, ...], around: dict[str, Plain] | None = None) -> Iterator[Item]:
    """The elements at `path`, by the parser that the file needs."""
    stream = json_stream.entries if source.head.kind == "json" else yaml_stream.entries
    yield from stream(source, path, around)


def document(source: Source) -> Item:
    """The whole document, by the parser that the file needs; for formats whose files are small."""
    if source.head.kind == "json":
        return Item(json_stream.load(source), 1)
    return yaml_stream.load(source)


def written(value: Plain, key: str) -> bytes:
    """A body that is a text or binary; nothing is empty."""
    return value if isinstance(value, bytes) else octets(text(value, key))


def base64_of(value: Plain, key: str) -> bytes:
    """A body that is base64, with or without line breaks."""
    try:
        return unbase64(written(value, key))
    except ValueError as error:
        raise Unfit(f"'{key}' is no base64 ({error})") from error


def encoded(value: Plain, key: str) -> bytes:
    """Ruby VCR's and betamax' `{encoding, string | base64_string}`, or just a text.

    `encoding` names the character set that the text's bytes were in; what it cannot express goes as UTF-8.
    """
    if not isinstance(value, dict):
        return written(value, key)
    body = mapping(value, key)
    if body.get("base64_string") is not None:
        data = base64_of(body["base64_string"], f"{key}.base64_string")
    else:
        data = _in(body.get("string"), text(body.get("encoding"), f"{key}.encoding"), f"{key}.string")
    return data


def _in(value: Plain, encoding: str, key: str) -> bytes:
    if isinstance(value, str) and encoding.upper() not in ("", "UTF-8", "US-ASCII", "ASCII-8BIT", "UTF8", "BINARY"):
        try:
            return value.encode(encoding)
        except (LookupError, UnicodeEncodeError):
            pass
    return written(value, key)
