"""Values of a parsed document, and the questions that readers ask of them.

# Rule: a document becomes nothing but these types, whatever its tags say; what does not fit is said by key.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

__all__ = ["Plain", "Unfit", "integer", "listing", "mapping", "number", "octets", "pairs", "small", "text", "unbase64"]

Plain = None | bool | int | float | str | bytes | list["Plain"] | dict[str, "Plain"]


class Unfit(ValueError):
    """A value is not what the format has there; its text says which, as a clause without a full stop."""


def _named(value: Plain) -> str:
    kinds = {type(None): "nothing", dict: "a mapping", list: "a list", bytes: "binary data", str: "a text"}
    return kinds.get(type(value), f"{value!r}")


def mapping(value: Plain, key: str) -> dict[str, Plain]:
    """A mapping; nothing is an empty one."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Unfit(f"'{key}' is {_named(value)} where a mapping was expected")


def listing(value: Plain, key: str) -> list[Plain]:
    """A list; nothing is an empty one."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Unfit(f"'{key}' is {_named(value)} where a list was expected")


def text(value: Plain, key: str) -> str:
    """A scalar as text; nothing is empty. Bytes (a YAML `!binary`) are read as UTF-8, else byte by byte."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise Unfit(f"'{key}' is {_named(value)} where a text was expected")


def integer(value: Plain, key: str, default: int = 0) -> int:
    """A whole number, also written as text."""
    if value is None or value == "":
        return default
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return int(value)
        except (ValueError, OverflowError):
            pass
    raise Unfit(f"'{key}' is {_named(value) if not isinstance(value, str) else repr(value)}, not a whole number")


def number(value: Plain, default: float = 0.0) -> float:
    """A number of seconds or the like, which formats leave out or fill with -1; anything odd is the default."""
    try:
        found = float(value) if isinstance(value, int | float | str) else default
    except ValueError:
        return default
    return found if 0 <= found < 1e15 else default  # false for NaN too


def octets(value: str) -> bytes:
    """UTF-8; half a surrogate pair, which JavaScript's tools write, becomes U+FFFD as it does in a browser."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def unbase64(text: str | bytes) -> bytes:
    """The bytes of base64 with or without line breaks; ValueError for anything else."""
    data = text.encode("ascii") if isinstance(text, str) else text
    return binascii.a2b_base64(b"".join(data.split()), strict_mode=True)


def pairs(value: Plain, key: str) -> Iterator[tuple[str, str]]:
    """Header fields from a mapping of texts or lists of texts, or from a list of `{name, value}` or pairs."""
    if isinstance(value, list):
        yield from _listed(value, key)
        return
    for name, held in mapping(value, key).items():
        if isinstance(held, dict):  # a level more, as some projects' own filters write it
            yield from pairs(held, f"{key}.{name}")
        elif isinstance(held, list):
            for each in held:
                yield name, each if isinstance(each, str) else text(each, f"{key}.{name}")
        else:
            yield name, text(held, f"{key}.{name}")


def _listed(fields: list[Plain], key: str) -> Iterator[tuple[str, str]]:
    for field in fields:
        if isinstance(field, list) and len(field) == 2:
            yield text(field[0], key), text(field[1], key)
            continue
        record = mapping(field, key)
        name, held = record.get("name", record.get("key")), record.get("value")
        if isinstance(name, str) and isinstance(held, str) and "disabled" not in record:
            yield name, held
        elif record.get("disabled") is not True:
            yield text(name, key), text(held, key)


def small(value: Plain) -> Plain:
    """What is kept of a value that stands beside the entries: scalars and short containers, else nothing."""
    return None if isinstance(value, str | bytes | list | dict) and len(value) > 4096 else value
