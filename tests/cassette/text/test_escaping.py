"""Odd characters are escaped, and come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.text.escaping import BadEscape, escaped, is_odd, unescaped


@given(st.text(), st.sampled_from(["", " ", ":/ []"]))
def test_what_is_escaped_comes_back(text: str, also: str) -> None:
    shown = escaped(text, also)
    assert unescaped(shown) == text
    assert "\n" not in shown
    assert not is_odd(shown)
    assert not set(also) & set(shown)


@pytest.mark.parametrize("text", ["\x1b[31m", "a\x00", "\u202eevil", "\u2028", "\x85", "\ud800"])
def test_what_would_speak_to_a_terminal_is_odd(text: str) -> None:
    assert is_odd(text)
    assert escaped(text).isascii() or "evil" in text


@pytest.mark.parametrize("text", ["\\", "\\q", "\\x1", "\\u12"])
def test_a_backslash_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadEscape, match="means nothing"):
        unescaped(text)
