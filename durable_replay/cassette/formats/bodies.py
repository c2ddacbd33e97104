"""Plain bodies – files that a test suite serves – with a map that says which requests they answer.

The map is ours: TOML or JSON. Rows are taken in order, a file goes to the first row that names it::

    format = "durable-replay bodies"
    version = 1
    folder = "fixtures"                      # beside the map; its own folder when left out
    base = "https://api.box.com/2.0"

    [[bodies]]
    files = "files/get_files_id.json"        # one file, or a pattern: `*`, `**`
    method = "GET"                           # GET when left out
    url = "/files/{stem}"                    # {name}, {stem} and {folder} are the file's
    status = 200                             # 200 when left out
    headers = { ETag = "1" }                 # Content-Type follows the file's name when left out
    request_headers = {}
    request_body = ""
"""

from __future__ import annotations

import json
import mimetypes
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import load
from durable_replay.cassette.formats.pattern import joined
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, listing, mapping, octets, pairs, text
from durable_replay.cassette.formats.source import Head, Imported, Source, require_base
from durable_replay.http import Interaction

__all__ = ["Bodies"]

_FORMAT = "durable-replay bodies"
_ROW = {"files", "method", "url", "status", "headers", "request_headers", "request_body"}


class Bodies:
    """A map from files to the requests that they answer."""

    name = "bodies"

    def sniff(self, head: Head) -> bool:
        if head.path.suffix.lower() == ".toml":
            return f'"{_FORMAT}"'.encode() in head.data
        return head.kind == "json" and head.text("format") == _FORMAT

    def read(self, source: Source) -> Iterator[Imported]:
        document = _document(source)
        if document.get("format") != _FORMAT or document.get("version") != 1:
            raise source.wrong(f'it is no map of bodies: format = "{_FORMAT}" and version = 1 are expected')
        folder = source.path.absolute().parent / text(document.get("folder"), "folder")
        if not folder.is_dir():
            raise source.wrong(f"its folder {folder} does not exist")
        base = require_base(source, text(document.get("base"), "base"))
        taken: set[Path] = set()
        for number, row in enumerate(listing(document.get("bodies"), "bodies"), 1):
            try:
                yield from _row(mapping(row, "bodies"), folder, base, taken)
            except Unfit as error:
                raise source.wrong(str(error), entry=number) from error


def _document(source: Source) -> dict[str, Plain]:
    if source.path.suffix.lower() != ".toml":
        return mapping(load(source), "map")
    try:
        return cast(dict[str, Plain], tomllib.loads(source.read().decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise source.wrong(f"this is no TOML that can be read: {error}") from error


def _row(row: dict[str, Plain], folder: Path, base: str, taken: set[Path]) -> Iterator[Imported]:
    if row.keys() - _ROW:
        raise Unfit(f"'{sorted(row.keys() - _ROW)[0]}' is no key of a row; those known are {', '.join(sorted(_ROW))}")
    files = _files(text(row.get("files"), "files"), folder)
    for path in files:
        if path not in taken:
            taken.add(path)
            yield Imported(_interaction(row, path, base), f"file {path.relative_to(folder)}")


def _files(pattern: str, folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError, IndexError) as error:
        raise Unfit(f"'files' is {pattern!r}, which is no path or pattern below the folder ({error})") from error
    if not found:
        raise Unfit(f"'files' is {pattern!r}, and no file in {folder} has such a name")
    if not all(path.resolve().is_relative_to(folder.resolve()) for path in found):
        raise Unfit(f"'files' is {pattern!r}, which leads out of {folder}")
    return found


def _interaction(row: dict[str, Plain], path: Path, base: str) -> Interaction:
    url = text(row.get("url"), "url")
    for name, value in (("name", path.name), ("stem", path.stem), ("folder", path.parent.name)):
        url = url.replace(f"{{{name}}}", quote(value))
    headers = list(pairs(row.get("headers"), "headers"))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", mimetypes.guess_type(path.name)[0] or "application/octet-stream"))
    sent = row.get("request_body")
    return Draft(
        text(row.get("method"), "method") or "GET",
        joined(base, url) if "://" not in url else url,
        list(pairs(row.get("request_headers"), "request_headers")),
        octets(sent if isinstance(sent, str) else json.dumps(sent)) if sent else b"",
        integer(row.get("status"), "status", 200),
        response_headers=headers,
        response_body=Source(path).read(),
        notes=["a saved body, its request is from a map"],
    ).interaction()
