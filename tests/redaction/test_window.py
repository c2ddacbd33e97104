from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.redaction.window import OVERLAP, STEP, Window

PATTERN = re.compile(r"<s+>")


class Marks:
    """Finds `<ss…>` and replaces it by `#`."""

    def run_at(self, text: str, cut: int) -> int:
        return cut

    def replace(self, text: str) -> str:
        return PATTERN.sub("#", text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in PATTERN.finditer(text)]


def through(data: bytes, cuts: list[int]) -> tuple[bytes, int]:
    """What comes out, and the most that was held back."""
    window, out, held, fed = Window(Marks()), b"", 0, 0
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        out += window.feed(data[start:end])
        fed = end
        held = max(held, len(window._held))
    assert fed == len(data)
    return out + window.end(), held


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, STEP // 2), min_size=1, max_size=12),
    sizes=st.lists(st.integers(1, OVERLAP - 2), min_size=1, max_size=12),
    cuts=st.lists(st.floats(0, 1), max_size=20),
)
def test_no_secret_passes_wherever_it_stands_and_wherever_the_data_is_cut(
    gaps: list[int], sizes: list[int], cuts: list[float]
) -> None:
    secrets = [b"<" + b"s" * size + b">" for size in sizes]
    data = b"".join(b"." * gap + secret for gap, secret in zip(gaps, secrets, strict=False))
    out, _ = through(data, sorted(int(at * len(data)) for at in cuts))
    assert out == PATTERN.sub("#", data.decode()).encode()


def test_what_is_held_back_is_bounded() -> None:
    data = b"." * (4 << 20)
    out, held = through(data, list(range(1000, len(data), 1000)))
    assert out == data and held < STEP + OVERLAP + 1000


def test_every_byte_that_is_no_secret_comes_out_as_it_was() -> None:
    data = bytes(range(256)) * 4096
    window = Window(Marks())
    assert window.feed(data) + window.end() == data and not window.changed
