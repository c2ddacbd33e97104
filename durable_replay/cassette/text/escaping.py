"""Characters that are not shown as they are: escaped, and back.

# Rule: `unescaped(escaped(text)) == text` for every text; no escaped text breaks a line or speaks to a terminal.
"""

from __future__ import annotations

import re

__all__ = ["BadEscape", "escaped", "is_odd", "unescaped", "visible"]

# Controls but tab and newline, line and paragraph separators, the marks that reorder what a reviewer sees
# (CVE-2021-42574), and lone surrogates, which no UTF-8 can hold.
_ODD = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IS_ODD = re.compile(f"[{_ODD}]")
_WITH_BACKSLASH = re.compile(f"[\\\\\n{_ODD}]")
_ESCAPE = re.compile(r"\\(?:([\\nr])|x([0-9a-f]{2})|u([0-9a-f]{4})|(.?))", re.DOTALL)
_LETTERS = {"\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_MEANT = {"\\": "\\", "r": "\r", "n": "\n"}


class BadEscape(ValueError):
    """A backslash is followed by something that means nothing."""


def is_odd(text: str) -> bool:
    """Whether a text holds any character that is to be escaped (newlines and backslashes alone are none)."""
    return _IS_ODD.search(text) is not None


def escaped(text: str, also: str = "") -> str:
    """The text with a backslash escape for each odd character, for each backslash, and for the characters of `also`."""
    if also:
        pattern = re.compile(f"[\\\\\n{_ODD}{re.escape(also)}]")
    elif text.isascii() and text.isprintable() and "\\" not in text:
        return text
    else:
        pattern = _WITH_BACKSLASH
    return pattern.sub(_escape, text)


def visible(text: str) -> str:
    """The text with its odd characters escaped and no other: for eyes, and JSON stays the same JSON."""
    return text if text.isprintable() else _IS_ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _LETTERS.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def unescaped(text: str) -> str:
    """What `escaped` was given. Raises BadEscape."""
    return _ESCAPE.sub(_meant, text) if "\\" in text else text


def _meant(match: re.Match[str]) -> str:
    if match[1]:
        return _MEANT[match[1]]
    code = match[2] or match[3]
    if code is None:
        raise BadEscape(f"\\{match[4]} means nothing; a backslash is written \\\\")
    return chr(int(code, 16))
