"""Comma-separated values, and those with other separators.

The first line has the names of the columns unless the type says `header=absent` (RFC 4180), a name is empty or twice
there, or one is a number; then each line is a list. The separator is the one that gives the first line the most
columns: `csv.Sniffer` guesses from the values too, and may read two answers of one API in two ways.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from durable_replay.drift.documents.form import Content, Document, Node, NotThat, charset_of

__all__ = ["read"]

MOST_CELLS = 1_000_000
_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"[-+]?[\d.,]+")


def read(content: Content) -> Document:
    """A list of dicts, `{column: cell}`, or of lists of cells."""
    try:
        text = content.data.decode(charset_of(content)).removeprefix("\ufeff")
        separator = "\t" if content.media == "text/tab-separated-values" else _separator(text)
        rows = _rows(text, separator)
        first = next(rows, [])
        named = _names_columns(first) and "header=absent" not in content.field.replace(" ", "").lower()
        most = MOST_CELLS // max(1, len(first))
        lines: list[list[str]] = list(islice(rows, most))
        note = "" if next(rows, None) is None else f"only the first {most:,} lines were read"
    except (csv.Error, UnicodeDecodeError) as wrong:
        raise NotThat(f"not CSV: {wrong}") from None
    root = [_row(first, line) for line in lines] if named else [list[Node](line) for line in [first, *lines] if line]
    return Document("csv", list[Node](root), len(content.data), note, separator if len(first) > 1 else "")


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return (row for row in csv.reader(StringIO(text, newline=""), delimiter=separator) if row)


def _separator(text: str) -> str:
    line = text.lstrip("\r\n").partition("\n")[0][: 64 * 1024]
    return max(_SEPARATORS, key=lambda separator: len(next(csv.reader([line], delimiter=separator), [])))


def _names_columns(first: list[str]) -> bool:
    return all(cell.strip() and not _NUMBER.fullmatch(cell.strip()) for cell in first) and len(set(first)) == len(first)


def _row(names: list[str], cells: list[str]) -> Node:
    row: dict[str, Node] = dict(zip(names, cells, strict=False))
    return row if len(cells) <= len(names) else {**row, "#more": list[Node](cells[len(names) :])}
