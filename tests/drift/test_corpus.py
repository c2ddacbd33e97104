"""A service in two versions, recorded through the proxy: each change is told, and nothing else.

The labels say what a user of the API would say; see corpus/cases.py for how they and the noise beside them are written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette
from durable_replay.drift.finding import Kind
from durable_replay.http import Interaction
from tests.drift.corpus.cases import Case, load
from tests.drift.corpus.recording import RECORDINGS
from tests.drift.corpus.scoring import Corpus, Score, recorded

DATA = Path(__file__).parent / "corpus" / "data"
VARIES_EVERYWHERE = {"date", "x-request-id", "content-length"}

pytestmark = pytest.mark.timeout(400)  # some 2,000 requests go through the proxy before the first test


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    recorded(DATA, folder)
    return Corpus(load(DATA), folder)


@pytest.fixture(scope="module")
def score(corpus: Corpus) -> Score:
    return corpus.score()


def test_the_corpus_has_changes_of_each_kind_and_as_much_noise() -> None:
    cases = load(DATA)
    names = Counter(case.name for case in cases)
    assert [name for name, count in names.items() if count > 1] == []
    assert sum(len(case.labels) for case in cases) >= 45
    assert sum(not case.labels for case in cases) >= 40
    assert {kind for case in cases for label in case.labels for kind in label.kinds} == set(Kind)


def test_each_noise_is_to_be_heard(corpus: Corpus) -> None:
    """The corpus tests itself: what is labelled as noise does differ between the recordings."""
    answers = {name: _answers(corpus, name) for name, _, _ in RECORDINGS}
    silent = [
        case.name
        for case in corpus.cases
        if not case.labels and len({tuple(told[case.name]) for told in answers.values()}) == 1
    ]
    assert silent == []


def _answers(corpus: Corpus, recording: str) -> dict[str, list[str]]:
    """What each case answered, as texts, without what varies in every answer."""
    told: dict[str, list[str]] = defaultdict(list)
    with Cassette.open(corpus.cassette(recording)) as cassette:
        for each in cassette.interactions():
            told[_case(corpus.cases, each).name].append(_shown(each))
    return told


def _shown(interaction: Interaction) -> str:
    answer = interaction.response
    fields = [
        (name, value)
        for name, value in answer.headers
        if name.lower() not in VARIES_EVERYWHERE and not value.startswith("nginx/")
    ]
    frames = [frame.data for frame in interaction.frames]
    return repr((answer.status, fields, answer.body.read(), frames))


def _case(cases: tuple[Case, ...], interaction: Interaction) -> Case:
    request = interaction.request
    method = "WS" if request.scheme in ("ws", "wss") else request.method
    return next(case for case in cases if case.serves(method, request.target))


def test_each_change_is_found(score: Score) -> None:
    assert score.recall == 1.0, score


def test_each_finding_is_a_change(score: Score) -> None:
    assert score.precision == 1.0, score


def test_one_recording_is_enough_to_find_each_change(corpus: Corpus) -> None:
    """What varies is not learnt then, so that values may be told that say nothing."""
    score = Score(corpus.labels, corpus.found(["first"], "changed"))
    assert score.missed == [], score


def test_a_second_recording_of_the_same_version_is_neither_breaking_nor_additive(corpus: Corpus) -> None:
    found = corpus.found(["first"], "second")
    grave = [str(each) for each in found if each.severity != "cosmetic"]
    assert grave == [], "\n".join(grave)


def test_after_two_recordings_an_unchanged_version_gives_no_finding(corpus: Corpus) -> None:
    found = corpus.found(["first", "second"], "third")
    assert found == (), "\n".join(map(str, found))
