"""A second service, of another trade and another style, to which nothing was tuned: it is to be told as well.

Whoever works on the comparison looks at the figures alone, never at the cases: a corpus that is tuned to says nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drift.corpus.cases import load
from tests.drift.corpus.scoring import Corpus, Score, recorded

DATA = Path(__file__).parent / "corpus_held_out"
ENOUGH = 0.95

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("held_out")
    recorded(DATA, folder)
    return Corpus(load(DATA), folder)


def test_the_held_out_corpus_is_of_some_size() -> None:
    cases = load(DATA)
    assert sum(len(case.labels) for case in cases) >= 30
    assert sum(not case.labels for case in cases) >= 30


def test_changes_that_nothing_was_tuned_to_are_found_and_noise_is_not(corpus: Corpus) -> None:
    score = corpus.score()
    print(_figures(score))
    assert min(score.recall, score.precision) >= ENOUGH, _figures(score)


def test_an_unchanged_version_that_nothing_was_tuned_to_gives_next_to_no_finding(corpus: Corpus) -> None:
    found = corpus.found(["first", "second"], "third")
    print(f"{len(found)} findings of an unchanged API of {len(corpus.cases)} endpoints")
    assert len(found) <= len(corpus.cases) * (1 - ENOUGH)


def _figures(score: Score) -> str:
    """Without the cases, so that a failure gives nothing away to tune to."""
    return str(score).partition("\n")[0]
