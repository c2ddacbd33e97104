"""What tells how a listing is cut into pages."""

from __future__ import annotations

import pytest

from durable_replay.drift.difference import Difference
from durable_replay.drift.finding import Kind
from durable_replay.drift.paging import is_page_size, is_passing_page, joined_paging


@pytest.mark.parametrize("path", ["body.$.maxResults", "body.$.meta.per_page", "body.$.R.MaxKeys[]", "body.$.limit"])
def test_a_size_is_known_by_its_name_in_a_listing(path: str) -> None:
    assert is_page_size(path, lists=True)


@pytest.mark.parametrize("path", ["body.$.card.limit", "body.$.items[].limit", "header.limit", "body.$.limits"])
def test_a_limit_of_something_else_is_no_size_of_a_page(path: str) -> None:
    assert not is_page_size(path, lists=True)


def test_a_name_of_many_meanings_counts_only_in_a_listing() -> None:
    assert is_passing_page("body.$.next", lists=True)
    assert not is_passing_page("body.$.next", lists=False)
    assert is_passing_page("body.$.nextPageToken", lists=False)


def test_all_that_is_of_paging_is_one_difference_and_the_rest_stays() -> None:
    def one(path: str, kind: Kind) -> Difference:
        return Difference(path, kind, "is so", 1, 1)

    joined = joined_paging(
        [
            one("body.$.startAt", Kind.field_removed),
            one("body.$.total", Kind.field_removed),
            one("body.$.nextPageToken", Kind.field_added),
            one("header.link", Kind.header_removed),
            one("body.$.name", Kind.field_removed),
        ],
        lists=True,
    )
    assert [(each.path, each.kind) for each in joined] == [
        ("body.$.name", Kind.field_removed),
        ("body.$.startAt", Kind.paging),
    ]
    assert all(word in joined[1].text for word in ("total", "nextPageToken", "link"))


def test_a_total_alone_is_not_of_paging() -> None:
    total = Difference("body.$.total", Kind.field_removed, "is gone", 1, 1)
    assert joined_paging([total], lists=True) == [total]
