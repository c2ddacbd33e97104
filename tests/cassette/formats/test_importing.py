"""An import is everything or nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats.importing import Progress, import_into
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, NewerCassette, ReplayError, UsageError
from durable_replay.http import Headers, Interaction, Request, Response
from durable_replay.redaction.redact import Redactor

Writes = Callable[..., Path]


def cassette_of(*urls: str) -> dict[str, object]:
    """A vcrpy cassette in JSON."""
    records = [
        {
            "request": {
                "method": "GET",
                "uri": url,
                "body": None,
                "headers": {"Authorization": ["Bearer s3cr3t-t0k3n"]},
            },
            "response": {"status": {"code": 200, "message": "OK"}, "headers": {"X": ["y"]}, "body": {"string": "b"}},
        }
        for url in urls
    ]
    return {"interactions": records, "version": 1}


def urls_in(path: Path) -> list[str]:
    with Cassette.open(path) as cassette:
        return [each.request.url for each in cassette.interactions()]


def test_a_folder_is_walked_in_sorted_order(target: Path, writes: Writes) -> None:
    writes("b.json", cassette_of("http://a.test/2"))
    writes("a/z.json", cassette_of("http://a.test/3"))
    writes(".hidden.json", cassette_of("http://a.test/0"))
    folder = writes("README.md", "# About\n\nThese are recordings.\n").parent
    summary = import_into(target, [folder])
    assert urls_in(target) == ["http://a.test/2", "http://a.test/3"]
    assert [(skip.path.name, skip.why) for skip in summary.skipped] == [("README.md", "no known format")]
    assert [(source.format, source.interactions) for source in summary.sources] == [("vcrpy", 1)] * 2


def test_more_is_put_behind_what_is_there(target: Path, writes: Writes) -> None:
    import_into(target, [writes("a.json", cassette_of("http://a.test/1"))])
    import_into(target, [writes("b.json", cassette_of("http://a.test/2", "http://a.test/3"))])
    assert urls_in(target) == [f"http://a.test/{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize("existing", [True, False])
def test_whatever_fails_leaves_the_target_as_it_was(target: Path, writes: Writes, existing: bool) -> None:
    if existing:
        import_into(target, [writes("before.json", cassette_of("http://a.test/before"))])
    before = target.read_bytes() if existing else b""
    good = writes("good.json", cassette_of(*(f"http://a.test/{number}" for number in range(50))))
    bad = writes("bad.json", cassette_of("http://a.test/1", "not a url"))
    with pytest.raises(CassetteError, match=r"bad\.json, entry 2"):
        import_into(target, [good, bad])
    if existing:
        assert target.read_bytes() == before
        assert urls_in(target) == ["http://a.test/before"]
    assert sorted(path.name for path in target.parent.iterdir() if path.is_file()) == (
        [target.name] if existing else []
    )


def test_a_large_body_of_an_import_that_fails_leaves_nothing(target: Path, writes: Writes) -> None:
    """Chunks of large bodies are committed as they come elsewhere; here they are not."""
    document = cassette_of("http://a.test/1", "not a url")
    records = document["interactions"]
    assert isinstance(records, list)
    records[0]["response"]["body"]["string"] = "x" * 40_000_000
    with CassetteWriter.open(target):
        pass
    before = target.read_bytes()
    with pytest.raises(CassetteError):
        import_into(target, [writes("bad.json", document)])
    assert target.read_bytes() == before
    with Cassette.open(target) as cassette:
        assert len(cassette) == 0
        found = cassette.connection().execute("SELECT name FROM sqlite_schema WHERE name = 'body_chunk'").fetchall()
    assert found == [], "a table that holds nothing is left out"


def test_a_cassette_that_is_being_written_is_named_before_a_source_is_read(target: Path, writes: Writes) -> None:
    read: list[Progress] = []
    with CassetteWriter.open(target), pytest.raises(CassetteError, match="being written"):
        import_into(target, [writes("a.json", cassette_of("http://a.test/1"))], on_progress=read.append)
    assert read == []


def test_times_that_no_source_tells_go_on_by_seconds(target: Path, writes: Writes) -> None:
    import_into(target, [writes("a.json", cassette_of("http://a.test/1", "http://a.test/2"))])
    with Cassette.open(target) as cassette:
        found = list(cassette.interactions())
    assert [each.started for each in found] == [946684800.0, 946684801.0]
    assert all("tells no time" in each.note for each in found)


def test_secrets_are_gone_before_the_write(target: Path, writes: Writes) -> None:
    path = writes("a.json", cassette_of("http://a.test/1"))
    import_into(target, [path], redactor=Redactor(b"k" * 32))
    assert b"s3cr3t-t0k3n" not in target.read_bytes()
    with Cassette.open(target) as cassette:
        assert cassette.interaction(1).request.headers.get("authorization").startswith("Bearer ")


def test_progress_is_told(target: Path, writes: Writes) -> None:
    said: list[Progress] = []
    paths = [writes(f"{name}.json", cassette_of("http://a.test/1")) for name in "ab"]
    import_into(target, paths, on_progress=said.append)
    assert [(each.number, each.files, each.interactions) for each in said] == [(1, 2, 0), (2, 2, 1), (2, 2, 2)]


def test_wrong_use_is_told(target: Path, writes: Writes, tmp_path: Path) -> None:
    good = writes("a.json", cassette_of("http://a.test/1"))
    empty = tmp_path / "empty"
    empty.mkdir()
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: import_into(target, []), "Nothing to import"),
        (lambda: import_into(target, [tmp_path / "missing"]), "There is no file"),
        (lambda: import_into(target, [empty]), "no file in there"),
        (lambda: import_into(target, [good], format="vcr"), "'vcr' is no format"),
        (lambda: import_into(tmp_path / "no" / "folder.cassette", [good]), "There is no folder"),
        (lambda: import_into(target, [writes("empty.json", "")]), "is empty"),
        (lambda: import_into(target, [writes("other.json", {"a": 1})]), "of no format that is known"),
        (lambda: import_into(target, [writes("notes.txt", "just words")]), "of no format that is known"),
    ]
    for use, told in cases:
        with pytest.raises(UsageError, match=told):
            use()
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", '{"a": [1,\n2', "line 2: this is no JSON"),
        ("a.har", "not json", "line 1: this is no JSON"),
        ("a.yaml", "a: [1\nb: 2", "this is no YAML"),
        ("a.yaml", b"interactions:\n- \xff\xfe\n", "this is no YAML"),
    ],
)
def test_a_broken_file_names_its_place(
    target: Path, writes: Writes, name: str, content: str | bytes, told: str
) -> None:
    with pytest.raises(CassetteError, match=told):
        import_into(target, [writes(name, content)])
    assert not target.exists()


@pytest.mark.parametrize("format", ["har", "vcrpy", "ruby-vcr", "go-vcr", "betamax", "hoverfly", "postman", "nango"])
def test_the_wrong_format_by_name_is_told_and_nothing_imported(target: Path, writes: Writes, format: str) -> None:
    path = writes("a.json", {"something": {"else": 1}})
    if format == "nango":
        assert import_into(target, [path], format=format).interactions == 0
        return
    with pytest.raises(CassetteError, match=r"a\.json"):
        import_into(target, [path], format=format)
    assert not target.exists()


def test_an_unreadable_file_is_named(target: Path, writes: Writes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root, as whom tests may run, can read any file: the refusal is made here."""
    path = writes("a.json", cassette_of("http://a.test/1"))
    opened = Path.open

    def refusing(self: Path, mode: str = "r") -> object:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", refusing)
    with pytest.raises(CassetteError, match=r"a\.json cannot be read: Permission denied"):
        import_into(target, [path])
    assert not target.exists()


def test_a_fifo_is_no_source(target: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        import_into(target, [tmp_path / "pipe"])


@pytest.mark.parametrize("content", [b"", b"not a cassette"])
def test_a_target_that_is_something_else_is_left_alone(target: Path, writes: Writes, content: bytes) -> None:
    target.write_bytes(content)
    with pytest.raises(ReplayError):
        import_into(target, [writes("a.json", cassette_of("http://a.test/1"))])
    assert target.read_bytes() == content


def test_a_target_of_the_future_is_left_alone(target: Path, writes: Writes, newer: Callable[[Path], None]) -> None:
    with CassetteWriter.open(target) as writer:
        writer.append(Interaction(Request("GET", "http", "a.test", 80, "/", Headers()), Response(200)))
    newer(target)
    before = target.read_bytes()
    with pytest.raises(NewerCassette):
        import_into(target, [writes("a.json", cassette_of("http://a.test/1"))])
    assert target.read_bytes() == before
