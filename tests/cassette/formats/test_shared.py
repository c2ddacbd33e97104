"""Every recording of other people's that lies beside the project imports, and nothing of it is lost or made twice.

The interactions of a source are counted here by other means than the importers': YAML by PyYAML's own loader, JSON by
the standard library, whole.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from durable_replay.cassette.formats.importing import ImportSummary, import_into
from durable_replay.cassette.store import Cassette
from durable_replay.settings import Settings
from durable_replay.tapes import write_index

MAPS = Path(__file__).parent / "maps"
SERVICES = ("asana", "box", "discord", "heroku", "jira", "opennebula", "proxmox", "salesforce", "youtube")
NO_TRAFFIC = {
    "SOURCES.md": "says where the files are from",
    "LICENSE-ELv2.txt": "a licence",
    "batchInfoList_xml.tpl": "a template that cassettes fill in",
    "batchInfo_xml.tpl": "a template that cassettes fill in",
    "jobInfo_insert_xml.tpl": "a template that cassettes fill in",
    "jobInfo_upsert_xml.tpl": "a template that cassettes fill in",
}


class _Loader(yaml.CSafeLoader):
    """The safe loader, and the tag that Ruby writes."""


_Loader.add_constructor("!binary", lambda _, node: base64.b64decode(node.value))


def _in_yaml(path: Path) -> int:
    with path.open("rb") as file:
        document = yaml.load(file, _Loader)
    found = document.get("interactions", document.get("http_interactions"))
    return 1 if found is None and "request" in document else len(found)


def _in_nango(document: dict[str, dict[str, dict[str, object]]]) -> int:
    answers = [answer for paths in document["api"].values() for answer in paths.values()]
    return sum(len(answer) if isinstance(answer, list) else 1 for answer in answers)


def _in_pyone(path: Path) -> int:
    document = json.loads(gzip.decompress(path.read_bytes()))
    return sum(len(answers) for unit in document.values() for calls in unit.values() for answers in calls.values())


def _in_json(path: Path) -> int:
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except ValueError:
        return 1  # a log that is served as it is, whatever its name says
    if isinstance(document, dict) and "nango" in document:
        return _in_nango(document)
    return 1  # a body, or one frame


COUNTS: dict[str, Callable[[Path], int]] = {
    ".yml": _in_yaml,
    ".yaml": _in_yaml,
    ".har": lambda path: len(json.loads(path.read_text("utf-8"))["log"]["entries"]),
    ".gz": _in_pyone,
    ".json": _in_json,
}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sources(shared: Path, service: str, made: Path) -> list[Path]:
    """The service's folder, and the map of its plain bodies where it has such."""
    folder = shared / "recordings" / service
    plain = MAPS / f"{service}.toml"
    if not plain.exists():
        return [folder]
    placed = made / plain.name
    placed.write_text(plain.read_text("utf-8").replace("SHARED", str(shared / "recordings")), "utf-8")
    return [folder, placed]


def _expected(folder: Path) -> dict[Path, int]:
    return {path: COUNTS[path.suffix](path) for path in _files(folder) if path.name not in NO_TRAFFIC}


@pytest.mark.parametrize("service", SERVICES)
def test_every_interaction_of_a_service_is_on_the_tape(
    service: str, shared: Path, target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared / "recordings" / service
    expected = _expected(folder)
    summary = import_into(target, _sources(shared, service, tmp_path))
    with Cassette.open(target) as cassette:
        assert cassette.verify() == summary.interactions == sum(expected.values())
    read = {source.path: source.interactions for source in summary.sources if source.path in expected}
    assert {path: expected[path] for path in read} == read
    skipped = {skip.path for skip in summary.skipped if skip.path.name not in NO_TRAFFIC}
    mapped = sum(source.interactions for source in summary.sources if source.format == "bodies")
    assert len(skipped) == mapped, "what no format takes is a plain body, and the map names each"
    assert skipped | read.keys() == expected.keys()
    _print(service, summary, expected, target, capsys)


def _print(
    service: str, summary: ImportSummary, expected: dict[Path, int], target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = sum(path.stat().st_size for path in expected)
    ratio = target.stat().st_size / size
    formats = ", ".join(sorted({source.format for source in summary.sources}))
    with capsys.disabled():
        print(f"\n{service:11} {len(expected):4} files {summary.interactions:4} interactions {ratio:5.2f} {formats}")


COLLECTIONS = ("asana", "box", "heroku", "jira", "opennebula", "proxmox", "salesforce", "youtube")
"""Services of which there are recordings in YAML or HAR."""
WITH_INDEX = {"youtube": 0.35}
"""What is more than a third with the index that a replay reads, of as many services as there are plug-ins:
of YouTube's 2.0 MB, 0.76 MB are a video that a client uploaded, as base64 of 0.57 MB that nothing makes smaller."""
VIDEO = "upload_video"


def _yaml_and_har(shared: Path, service: str) -> list[Path]:
    return [path for path in _files(shared / "recordings" / service) if path.suffix in (".yml", ".yaml", ".har")]


def _ratio(target: Path, sources: list[Path]) -> float:
    return target.stat().st_size / sum(path.stat().st_size for path in sources)


@pytest.mark.parametrize("service", COLLECTIONS)
def test_a_cassette_is_at_most_a_third_of_its_yaml_and_har(
    service: str, shared: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = _yaml_and_har(shared, service)
    read = {source.path for source in import_into(target, sources).sources}
    assert read == set(sources)
    ratio = _ratio(target, sources)
    write_index(target, Settings())
    indexed = _ratio(target, sources)
    with capsys.disabled():
        print(f"\n{service:11} {len(sources):4} files of YAML or HAR {ratio:6.3f} with its index {indexed:6.3f}")
    assert ratio <= 1 / 3
    assert indexed <= WITH_INDEX.get(service, 1 / 3)


def test_each_project_s_recordings_are_at_most_a_third_too(shared: Path, tmp_path: Path) -> None:
    ratios = {}
    for service in COLLECTIONS:
        for project in sorted({path.relative_to(shared).parts[2] for path in _yaml_and_har(shared, service)}):
            sources = [path for path in _yaml_and_har(shared, f"{service}/{project}") if VIDEO not in str(path)]
            import_into(tmp_path / project, sources)
            ratios[project] = _ratio(tmp_path / project, sources)
    assert len(ratios) == 12
    assert max(ratios.values()) <= 1 / 3
    assert ratios["nullscreen-yt"] <= 0.12, "without the video"


def test_all_yaml_and_har_together_are_at_most_a_sixth_in_cassettes(shared: Path, tmp_path: Path) -> None:
    stored = written = 0
    for service in COLLECTIONS:
        sources = _yaml_and_har(shared, service)
        import_into(tmp_path / service, sources)
        stored += (tmp_path / service).stat().st_size
        written += sum(path.stat().st_size for path in sources)
    assert stored / written <= 0.15


def test_all_yaml_and_har_in_one_cassette_take_about_as_much(shared: Path, target: Path) -> None:
    sources = [path for service in COLLECTIONS for path in _yaml_and_har(shared, service)]
    import_into(target, sources)
    assert _ratio(target, sources) <= 0.16


def test_the_counts_are_those_in_the_docs(shared: Path, tmp_path: Path) -> None:
    told = [
        line for line in DOCS.read_text("utf-8").splitlines() if line.split("|")[1:2] in ROWS and line.count("|") == 7
    ]
    made = []
    for service in SERVICES:
        folder, target = shared / "recordings" / service, tmp_path / f"{service}.cassette"
        maps = tmp_path / f"{service}.maps"
        maps.mkdir()
        summary = import_into(target, _sources(shared, service, maps))
        made.append(_row(folder, summary, target))
    assert told == made


def test_the_figures_of_yaml_and_har_are_those_in_the_docs(shared: Path, tmp_path: Path) -> None:
    """But for those with an index, which grow with each service that is emulated."""
    lines = [line.split("|")[1:5] for line in DOCS.read_text("utf-8").splitlines() if line.count("|") == 6]
    told = [line for line in lines if line[:1] in ROWS]
    made = []
    for service in COLLECTIONS:
        sources = _yaml_and_har(shared, service)
        import_into(tmp_path / service, sources)
        read, stored = sum(path.stat().st_size for path in sources), (tmp_path / service).stat().st_size
        made.append([f" {service} ", f" {read / 1000:.0f} ", f" {stored / 1000:.0f} ", f" {stored / read:.2f} "])
    assert told == made


DOCS = Path(__file__).parents[3] / "docs" / "cassettes.md"
ROWS = [[f" {service} "] for service in SERVICES]


def _row(folder: Path, summary: ImportSummary, target: Path) -> str:
    files = [path for path in _files(folder) if path.name not in NO_TRAFFIC]
    projects = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_dir()))
    formats = ", ".join(sorted({source.format for source in summary.sources}))
    ratio = target.stat().st_size / sum(path.stat().st_size for path in files)
    return f"| {folder.name} | {projects} | {formats} | {len(files)} | {summary.interactions} | {ratio:.2f} |"


def test_the_services_are_all_there_are(shared: Path) -> None:
    assert sorted(path.name for path in (shared / "recordings").iterdir() if path.is_dir()) == sorted(SERVICES)


def test_importing_twice_gives_the_same_tape(shared: Path, target: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.cassette"
    for path in (target, other):
        import_into(path, [shared / "recordings" / "jira"])
    with Cassette.open(target) as one, Cassette.open(other) as two:
        assert one.identity == two.identity


def test_a_decoded_body_has_lost_its_gzip_header_and_says_so(shared: Path, target: Path) -> None:
    import_into(target, [shared / "recordings" / "jira" / "defectdojo"])
    with Cassette.open(target) as cassette:
        coded = [each for each in cassette.interactions() if "content-encoding" in each.response.headers]
        noted = [each for each in cassette.interactions() if "stored decoded" in each.note]
    assert coded == []
    assert len(noted) == 88


def test_a_folder_may_move_and_its_tape_stays_the_same(shared: Path, target: Path, tmp_path: Path) -> None:
    """Nothing of where a source lies gets into the cassette."""
    shutil.copytree(shared / "recordings" / "asana", tmp_path / "elsewhere")
    other = tmp_path / "other.cassette"
    import_into(target, [shared / "recordings" / "asana"])
    import_into(other, [tmp_path / "elsewhere"])
    with Cassette.open(target) as one, Cassette.open(other) as two:
        assert one.identity == two.identity
