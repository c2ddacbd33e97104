"""The long words of a text, which is where most tokens are: a quick first look at what mostly holds none."""

from __future__ import annotations

__all__ = ["SHORTEST", "long_words"]

SHORTEST = 14
_IN_WORDS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+~-/="
_BLANKED = bytes(sign if sign in _IN_WORDS else 0x20 for sign in range(256))


def long_words(text: str) -> str:
    """All words of 14 letters, digits and `_.+~-/=` or more, divided by blanks."""
    words = text.encode("utf-8", "surrogateescape").translate(_BLANKED).split()
    return b" ".join([word for word in words if len(word) >= SHORTEST]).decode("ascii")
