"""A third service, drawn from how real products change and vary, by someone who never saw the comparison nor ran it.

Whoever works on the comparison looks at the figures alone. DURABLE_CORPUS_LISTS=1 prints what was missed and what was
wrongly told: for a reader who judges the labels, as a corpus that is tuned to says nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from durable_replay.drift.finding import Kind
from tests.drift.corpus.cases import load
from tests.drift.corpus.scoring import Corpus, recorded
from tests.drift.corpus_blind.fairness import news, shows
from tests.drift.corpus_blind.observed import Seen, observed, verbatim

DATA = Path(__file__).parent / "corpus_blind"
ENOUGH = 0.95
LISTS = "DURABLE_CORPUS_LISTS"
OF_NO_PLACE = {"endpoint-gone", "endpoint-new"}

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("blind")
    recorded(DATA, folder)
    return Corpus(load(DATA), folder)


@pytest.fixture(scope="module")
def v1(corpus: Corpus) -> Mapping[str, Mapping[str, Seen]]:
    return observed(corpus, "first", "second")


@pytest.fixture(scope="module")
def v2(corpus: Corpus) -> Mapping[str, Mapping[str, Seen]]:
    return observed(corpus, "changed")


def test_the_blind_corpus_is_of_some_size() -> None:
    cases = load(DATA)
    assert [name for name, count in Counter(case.name for case in cases).items() if count > 1] == []
    assert sum(len(case.labels) for case in cases) >= 40
    assert sum(not case.labels for case in cases) >= 40
    assert {kind for case in cases for label in case.labels for kind in label.kinds} <= set(Kind)


@pytest.mark.nightly
def test_each_noise_is_to_be_heard_before_anything_changed(corpus: Corpus) -> None:
    first, second = (verbatim(corpus, name) for name in ("first", "second"))
    silent = [case.name for case in corpus.cases if not case.labels and first[case.name] == second[case.name]]
    _none("silent noises", silent)


@pytest.mark.nightly
def test_what_no_label_names_shows_nothing_new_in_the_later_recordings(
    corpus: Corpus, v1: Mapping[str, Mapping[str, Seen]], v2: Mapping[str, Mapping[str, Seen]]
) -> None:
    """Noise that looks like a change is to be heard in the first two recordings; else nobody could tell it is noise."""
    third = observed(corpus, "third")
    unfair = [
        f"{case.name}: {each}"
        for case in corpus.cases
        for later, labelled in ((third, False), (v2, True))
        for each in news(case, v1[case.name], later[case.name], labelled=labelled)
    ]
    _none("places that nobody could judge", unfair)


@pytest.mark.nightly
def test_each_label_is_to_be_seen_in_at_least_two_answers(
    corpus: Corpus, v1: Mapping[str, Mapping[str, Seen]], v2: Mapping[str, Mapping[str, Seen]]
) -> None:
    unseen = [
        str(label)
        for case in corpus.cases
        for label in case.labels
        if not label.kinds & OF_NO_PLACE and not shows(label.paths, v1[case.name], v2[case.name])
    ]
    _none("labels that nobody could see", unseen)


@pytest.mark.nightly
def test_changes_of_real_products_are_found_and_their_noise_is_not(corpus: Corpus) -> None:
    score = corpus.score()
    figures, _, lists = str(score).partition("\n")
    print(f"{figures}\n{lists}" if os.environ.get(LISTS) else figures)
    if min(score.recall, score.precision) < ENOUGH:
        pytest.fail(figures, pytrace=False)  # an assertion would tell its parts: the lists


@pytest.mark.nightly
def test_an_unchanged_product_gives_no_finding(corpus: Corpus) -> None:
    _none("findings of an unchanged API", [str(each) for each in corpus.found(["first", "second"], "third")])


def _none(what: str, those: list[str]) -> None:
    """There are no such; only their number is told, lest it be tuned to."""
    told = f"{len(those)} {what}"
    print("\n".join([told, *(those if os.environ.get(LISTS) else [])]))
    if those:
        pytest.fail(told, pytrace=False)
