"""YAML of any length, entry by entry: the plain block style of recorders line by line, all else from libyaml's events.

# Rule: tags never make anything but text, bytes, lists and mappings; an alias is followed only backwards, and what
aliases expand to is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from durable_replay.cassette.formats.plain import Plain, small, unbase64
from durable_replay.cassette.formats.source import Item, Source
from durable_replay.cassette.formats.yaml_anchors import Anchors, Unfollowed
from durable_replay.cassette.formats.yaml_block import NULL, Declined, document
from durable_replay.cassette.formats.yaml_window import Window

__all__ = ["entries", "load"]

_DEPTH = 100
_PLAIN = 16 * 1024 * 1024
"""Bytes of a document that is read line by line, which takes several times its memory."""
_BINARY = frozenset({"!binary", "tag:yaml.org,2002:binary"})


class _Broken(ValueError):
    """On `line`, counted from 1."""

    def __init__(self, what: str, event: Event) -> None:
        super().__init__(what)
        self.line = _line_of(event)


def _line_of(event: Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 1


_Container = list[Plain] | dict[str, Plain]


def _key(value: Plain, event: Event) -> str:
    if isinstance(value, str):
        return value[1:] if value[:1] == ":" else value  # Ruby's symbols
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None:
        return ""
    raise _Broken("a key is no text", event)


def _put(into: dict[str, Plain], key: str, value: Plain) -> None:
    if key == "<<" and isinstance(value, dict):  # YAML 1.1's merge: what is there already stays
        for name, held in value.items():
            into.setdefault(name, held)
    else:
        into[key] = value


class _Reader:
    """Events become values. `lines_before` are those that the parser has not seen, `anchors` what was named there."""

    def __init__(self, parser: yaml.CSafeLoader, lines_before: int = 0, anchors: Anchors | None = None) -> None:
        self._next = parser.get_event
        self._anchors = anchors or Anchors()
        self._lines_before = lines_before

    def forget(self) -> None:
        """Anchors end with their document."""
        self._anchors = Anchors()

    def event(self) -> Event:
        return cast(Event, self._next())

    def line_of(self, event: Event) -> int:
        """Where an event begins in the file."""
        return self._lines_before + _line_of(event)

    def value(self, event: Event | None = None) -> Plain:
        """The value that begins with this event (None: with the next one), to its end."""
        # One loop without calls for what is common: this is where an import of YAML spends its time.
        following, anchors = self._next, self._anchors
        event = event or cast(Event, following())
        into: _Container | None = None
        key: str | None = None
        anchor: str | None = None
        outer: list[tuple[_Container | None, str | None, str | None]] = []
        while True:
            anchors.seen += 1
            if type(event) is ScalarEvent:
                value: Plain = event.value
                if event.tag is not None or event.anchor is not None:
                    value = self._scalar(event)
                elif event.implicit[0] and value in NULL:
                    value = None
            elif type(event) is MappingStartEvent or type(event) is SequenceStartEvent:
                outer.append((into, key, anchor))
                into, key, anchor = self._opened(event, len(outer)), None, event.anchor
                event = cast(Event, following())
                continue
            elif type(event) is MappingEndEvent or type(event) is SequenceEndEvent:
                value = into
                if anchor is not None:
                    anchors.end(anchor, value)
                into, key, anchor = outer.pop()
            elif type(event) is AliasEvent:
                value = self._repeated(event)
            else:
                raise _Broken("a value was expected", event)
            if into is None:
                return value
            if isinstance(into, list):
                into.append(value)
            elif key is None:
                key = value if type(value) is str and value[:1] != ":" else _key(value, event)
            else:
                if key == "<<":
                    _put(into, key, value)
                else:
                    into[key] = value
                key = None
            event = cast(Event, following())

    def _repeated(self, event: AliasEvent) -> Plain:
        try:
            return self._anchors.follow(cast(str, event.anchor))
        except Unfollowed as error:
            raise _Broken(str(error), event) from error

    def _opened(self, event: MappingStartEvent | SequenceStartEvent, depth: int) -> _Container:
        if depth > _DEPTH:
            raise _Broken(f"it is nested more than {_DEPTH} deep", event)
        if event.anchor is not None:
            self._anchors.begin(event.anchor)
        return {} if isinstance(event, MappingStartEvent) else []

    def _scalar(self, event: ScalarEvent) -> Plain:
        """A scalar that has a tag or an anchor."""
        text: str = event.value
        value: Plain = text
        if event.tag is not None:
            if event.tag in _BINARY:
                value = _decoded(text, event)
        elif event.implicit[0] and text in NULL:
            value = None
        if event.anchor is not None:
            self._anchors.begin(event.anchor)
            self._anchors.seen += 1
            self._anchors.end(event.anchor, value)
        return value


def _decoded(text: str, event: ScalarEvent) -> bytes:
    try:
        return unbase64(text)
    except ValueError as error:
        raise _Broken(f"binary data is no base64 ({error})", event) from error


def entries(source: Source, path: tuple[str, ...], around: dict[str, Plain] | None = None) -> Iterator[Item]:
    """The elements of the list at this path of keys, of every document in the file; the empty path is the document.

    What stands beside the path is put into `around`, by its dotted path, as it is come by.
    """
    around = {} if around is None else around
    with source.open() as file:
        window = Window(file)
        if len(path) == 1:
            yield from window.items(path[0], around)
        if not window.finished:
            yield from _left(source, window, path, around)


def _left(source: Source, window: Window, path: tuple[str, ...], around: dict[str, Plain]) -> Iterator[Item]:
    """What is left in the window, by libyaml."""
    before = window.lines_before
    try:
        parser = yaml.CSafeLoader(window)
    except (yaml.YAMLError, UnicodeError) as error:
        raise source.wrong(_said(error), _line(error, before)) from error
    try:
        yield from _documents(source, _Reader(parser, before, window.anchors), path, around)
    except _Broken as error:
        raise source.wrong(str(error), before + error.line) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise source.wrong(_said(error), _line(error, before)) from error
    finally:
        parser.dispose()


def _documents(source: Source, reader: _Reader, path: tuple[str, ...], around: dict[str, Plain]) -> Iterator[Item]:
    while (event := reader.event()) is not None:
        if isinstance(event, DocumentStartEvent):
            yield from _descend(source, reader, path, "", around)
        elif isinstance(event, DocumentEndEvent):
            reader.forget()


def _descend(
    source: Source, reader: _Reader, path: tuple[str, ...], here: str, around: dict[str, Plain]
) -> Iterator[Item]:
    event = reader.event()
    if not path:
        yield from _elements(source, reader, event, here)
        return
    if not isinstance(event, MappingStartEvent):
        line = reader.line_of(event)
        raise source.wrong(f"'{here or 'the document'}' is no mapping with '{path[0]}' in it", line)
    found, line = False, reader.line_of(event)
    while not isinstance(event := reader.event(), MappingEndEvent):
        key = _key(reader.value(event), event)
        name = f"{here}.{key}" if here else key
        if key == path[0]:
            found = True
            yield from _descend(source, reader, path[1:], name, around)
        else:
            around[name] = small(reader.value())
    if not found:
        raise source.wrong(f"'{here or 'the document'}' has no '{path[0]}'", line)


def _elements(source: Source, reader: _Reader, event: Event, here: str) -> Iterator[Item]:
    line = reader.line_of(event)
    if isinstance(event, ScalarEvent) and event.value in NULL:
        return
    if isinstance(event, AliasEvent):
        repeated = reader.value(event)
        yield from (Item(value, line) for value in (repeated if isinstance(repeated, list) else ()))
        return
    if not isinstance(event, SequenceStartEvent):
        raise source.wrong(f"'{here or 'the document'}' is no list", line)
    while not isinstance(event := reader.event(), SequenceEndEvent):
        yield Item(reader.value(event), reader.line_of(event))


def _said(error: Exception) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"this is no YAML that can be read: {problem}"


def _line(error: Exception, before: int = 0) -> int | None:
    mark = getattr(error, "problem_mark", None)
    return None if mark is None else before + int(mark.line) + 1


def load(source: Source) -> Item:
    """The first document whole, up to 256 MiB."""
    data = source.read()
    if len(data) <= _PLAIN:
        try:
            return Item(document(data.decode()), 1)
        except (Declined, UnicodeDecodeError):
            pass
    del data
    return _loaded(source)


def _loaded(source: Source) -> Item:
    """The first document by libyaml."""
    with source.open() as file:
        try:
            parser = yaml.CSafeLoader(file)
            try:
                reader = _Reader(parser)
                reader.event()
                if isinstance(reader.event(), DocumentStartEvent):
                    return Item(reader.value(), 1)
                return Item(None, 1)
            finally:
                parser.dispose()
        except _Broken as error:
            raise source.wrong(str(error), error.line) from error
        except (yaml.YAMLError, UnicodeError) as error:
            raise source.wrong(_said(error), _line(error)) from error
