"""What a string is, by its form: a time, an address, an identifier, a number.

Only strong formats are named, those that hardly any other text has by chance:

===================================  ==========================================================================
date-time:Z / :offset / :naive       2024-05-01T10:00:00Z, +02:00 (:offset-basic for +0200), or no zone at all
date-time:Z, fractions               the same with fractions of a second; :offset and :naive likewise
date-time:space / :basic             2024-05-01 10:00:00 (any zone), 20240501T100000Z
date-time:http / :rfc2822 / :asctime Wed, 01 May 2024 10:00:00 GMT, … +0200, Wed May  1 10:00:00 2024
date, time, duration                 2024-05-01, 10:00:00, PT1H30M (ISO 8601)
uuid, ulid, hex, base64, jwt, etag   hex of 16 digits and more, base64 or another mixed token of 20 and more
uri, path, email, ip                 `path` has two slashes at least
integer, number, boolean, semver     as strings
===================================  ==========================================================================
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Literal

from durable_replay.drift.documents.form import Node

__all__ = ["epoch_of", "format_of", "is_mixed"]

LONGEST = 4096
"""Characters; a longer text has no format."""
_KEPT = 200
"""Characters of the longest text whose format is remembered."""

_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?"
_ISO = re.compile(
    rf"\d{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:([Tt ]){_CLOCK} ?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_BASIC = re.compile(r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T\d\d:?\d\d(?::?\d\d(?:\.\d+)?)?Z?", re.ASCII)
_TIME = re.compile(rf"{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_SPACED = (
    ("date-time:http", re.compile(rf"{_DAY}, \d\d {_MONTH} \d{{4}} {_CLOCK} GMT", re.ASCII)),
    (
        "date-time:rfc2822",
        re.compile(rf"(?:{_DAY}, )?\d{{1,2}} {_MONTH} \d{{4}} {_CLOCK} (?:[+-]\d{{4}}|UTC?|GMT|Z)", re.ASCII),
    ),
    ("date-time:asctime", re.compile(rf"{_DAY} {_MONTH} [ \d]\d {_CLOCK} \d{{4}}", re.ASCII)),
)
_DURATION = re.compile(
    r"-?P(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ULID = re.compile(r"[0-7](?=\d*[A-Z])[0-9A-HJKMNP-TV-Z]{25}")
_HEX = re.compile(r"(?=.*\d)(?:[0-9a-f]+|[0-9A-F]+)")
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{18,}={0,2}")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"(?=[^"]*\d)[\w+/=:.-]{8,}"', re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s<>\"]+|mailto:[^\s@]+@\S+|urn:[A-Za-z0-9-]+:\S+")
_PATH = re.compile(r"/[\w.~%@+-]+(?:/[\w.~%@:+{}-]*)+(?:\?\S*)?", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;:/]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII)
_SEMVER = re.compile(r"v?\d{1,5}\.\d{1,5}\.\d{1,5}(?:[-+][\w.+-]+)?", re.ASCII)
_BOOLEANS = frozenset({"true", "false", "True", "False", "TRUE", "FALSE"})
_DIGITS = frozenset("0123456789")
_CLASSES = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "A" * 26 + "a" * 26 + "0" * 10, "+/_-="
)


def format_of(text: str) -> str:
    """The name of a text's format, "" where it has none."""
    if len(text) <= _KEPT:
        return _remembered(text) if text else ""
    return _recognised(text) if len(text) <= LONGEST else ""


def epoch_of(value: Node) -> Literal["seconds", "milliseconds"] | None:
    """The unit of a number, or a text of digits, that is a time between 2001 and 2100 since 1970; None for no such."""
    if isinstance(value, str):
        if not 10 <= len(value) <= 20 or format_of(value) not in ("integer", "number"):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if 1_000_000_000 <= value < 4_102_444_800:
        return "seconds"
    return "milliseconds" if 1_000_000_000_000 <= value < 4_102_444_800_000 else None


def _recognised(text: str) -> str:
    first = text[:1]
    if " " in text:
        return _spaced(text) if len(text) <= 40 else ""
    if first in _DIGITS:
        return _from_digit(text)
    if text.isalpha():
        return "boolean" if text in _BOOLEANS else ""
    if first == "-":
        return _number(text) or ("duration" if _DURATION.fullmatch(text) else "")
    if first == "/":
        return "path" if _PATH.fullmatch(text) else _token(text)
    return _from_letter(text)


_remembered = lru_cache(maxsize=32768)(_recognised)


def _spaced(text: str) -> str:
    if text[0] in _DIGITS and text[4:5] == "-":
        return _iso(text)
    return next((name for name, form in _SPACED if form.fullmatch(text)), "") if text[-4:-3] in " 0123456789+-" else ""


def _from_digit(text: str) -> str:
    size = len(text)
    if number := _number(text):
        return number
    if size >= 10 and text[4] == "-" and (found := _iso(text)):
        return found
    if text[2:3] == ":" and _TIME.fullmatch(text):
        return "time"
    if text[8:9] == "T" and _BASIC.fullmatch(text):
        return "date-time:basic"
    if "." in text and size <= 64:
        return "ip" if _IPV4.fullmatch(text) else "semver" if _SEMVER.fullmatch(text) else _address(text)
    return (_token(text) if size >= 16 else "") or _address(text)


def _from_letter(text: str) -> str:
    if "://" in text or text.startswith(("mailto:", "urn:")):
        return "uri" if _URI.fullmatch(text) else ""
    if text[0] == "P" and _DURATION.fullmatch(text):
        return "duration"
    if text[0] == "v" and _SEMVER.fullmatch(text):
        return "semver"
    if text[-1] == '"':
        return "etag" if _ETAG.fullmatch(text) else ""
    return (_token(text) if len(text) >= 16 else "") or _address(text)


def _number(text: str) -> str:
    number = _NUMBER.fullmatch(text)
    return "" if number is None else "integer" if number[1] is None and number[2] is None else "number"


def _iso(text: str) -> str:
    found = _ISO.fullmatch(text)
    if found is None:
        return ""
    separator, zone = found.groups()
    if separator is None:
        return "date"
    if separator == " ":
        return "date-time:space"
    parts = ", fractions" if "." in text or "," in text else ""
    if not zone:
        return f"date-time:naive{parts}"
    variant = "Z" if zone in "zZUTC" else "offset" if ":" in zone else "offset-basic"
    return f"date-time:{variant}{parts}"


def _address(text: str) -> str:
    if "@" in text:
        return "email" if len(text) <= 320 and _EMAIL.fullmatch(text) else ""
    if text.count(":") < 2 or len(text) > 45:
        return ""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return ""
    return "ip"


def _token(text: str) -> str:
    size = len(text)
    if size == 36 and _UUID.fullmatch(text):
        return "uuid"
    if size == 26 and _ULID.fullmatch(text):
        return "ulid"
    if size >= 16 and _HEX.fullmatch(text):
        return "hex"
    if text.startswith("eyJ") and _JWT.fullmatch(text):
        return "jwt"
    return "base64" if size >= 20 and _TOKEN.fullmatch(text) and is_mixed(text) else ""


def is_mixed(text: str) -> bool:
    """Whether letters and digits alternate as they do by chance, and not as words with a number do.

    Of two neighbours in random base64 65 % are of different kinds (upper, lower, digit), in base36 40 %; in
    `GetBucketLifecycleV2` and `my-project-2024-release` a quarter, and less.
    """
    kinds = text.translate(_CLASSES)
    present = set(kinds)
    if len(kinds) < 2 or "0" not in present or len(present) < 2:
        return False
    if len(present) == 2 and len(kinds) < len(text):  # base36 has no separators, numbered words have
        return False
    changes = kinds.count("aA") + kinds.count("Aa") + kinds.count("a0") + kinds.count("0a")
    changes += kinds.count("A0") + kinds.count("0A")
    return changes / (len(kinds) - 1) > (0.42 if len(present) == 3 else 0.25)
