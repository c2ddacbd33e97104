from __future__ import annotations

from pathlib import Path

import pytest

from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import UsageError
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.settings import Settings
from durable_replay.tapes import mapped_hosts, redaction_rules, understanding, write_index
from durable_replay.timeline.recordings import Recordings, open_tape


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = tmp_path / "a.cassette"
    with CassetteWriter.open(path) as writer:
        request = Request("GET", "https", "minio.local", 443, "/photos/cat?nonce=1", Headers())
        writer.append(Interaction(request, Response(200, Headers(), BytesBody(b"meow")), started=1.7e9))
        writer.index_connection().execute("INSERT INTO meta (key, value) VALUES ('hosts', '{\"minio.local\": \"s3\"}')")
    return path


def _settings(text: str, path: Path) -> Settings:
    path.write_text(text)
    return Settings.load(path.parent)


def _fits(cassette: Path, settings: Settings, hosts: dict[str, str]) -> bool:
    indexing = understanding([cassette], settings, hosts)
    with Cassette.open(cassette) as opened:
        return Index(opened.connection).fits(indexing.fingerprint(opened.identity))


def test_a_written_index_fits_the_same_settings_and_no_others(cassette: Path, tmp_path: Path) -> None:
    assert not _fits(cassette, Settings(), {})
    told: list[tuple[int, int]] = []
    assert write_index(cassette, Settings(), on_progress=lambda done, total: told.append((done, total))) == 1
    assert told[-1] == (1, 1)
    assert _fits(cassette, Settings(), {})
    assert not _fits(cassette, Settings(), {"other.test": "s3"})
    ruled = _settings('[[match]]\nignore = ["query.nonce"]\n', tmp_path / "durable.toml")
    assert not _fits(cassette, ruled, {})


def test_a_rule_that_changes_makes_another_index(cassette: Path, tmp_path: Path) -> None:
    file = tmp_path / "durable.toml"
    write_index(cassette, one := _settings('[[match]]\nignore = ["query.nonce"]\n', file))
    assert _fits(cassette, one, {})
    assert not _fits(cassette, _settings('[[match]]\nignore = ["query.page"]\n', file), {})


def test_an_index_can_be_made_for_the_name_that_the_file_will_have(cassette: Path, tmp_path: Path) -> None:
    ruled = _settings('[[match]]\ncassette = "b*"\nignore = ["query.nonce"]\n', tmp_path / "durable.toml")
    for name, fits in ((None, False), ("b.cassette", True)):
        write_index(cassette, ruled, name=name)
        renamed = cassette.rename(tmp_path / "b.cassette")
        assert _fits(renamed, ruled, {}) is fits
        renamed.rename(cassette)


def test_an_indexed_cassette_is_the_same_tape(cassette: Path) -> None:
    write_index(cassette, Settings())
    indexing = understanding([cassette], Settings(), {})
    tape = open_tape([cassette], indexing)
    assert isinstance(tape, Recordings)
    key = indexing.understand(tape.interaction(1).request).key
    assert [fact.service for fact in tape.candidates(key)] == ["s3"]
    tape.close()


def test_the_hosts_that_were_mapped_at_recording_are_known(cassette: Path) -> None:
    assert mapped_hosts([cassette]) == {"minio.local": "s3"}
    found = understanding([cassette], Settings(), {}).registry.find(Request("GET", "https", "minio.local", 443, "/"))
    assert found is not None
    assert found.name == "s3"


def test_the_command_line_goes_before_the_cassette(cassette: Path) -> None:
    indexing = understanding([cassette], Settings(), {"minio.local": "jira"})
    found = indexing.registry.find(Request("GET", "https", "minio.local", 443, "/"))
    assert found is not None
    assert found.name == "jira"


def test_a_matching_rule_of_a_cassette_holds_for_its_tape(cassette: Path, tmp_path: Path) -> None:
    rule = '[[match]]\ncassette = "a*"\nignore = ["query.nonce"]\n'
    indexing = understanding([cassette], _settings(rule, tmp_path / "durable.toml"), {})
    one, other = (Request("GET", "https", "x.test", 443, f"/?nonce={n}") for n in (1, 2))
    assert indexing.understand(one).key == indexing.understand(other).key
    plain = understanding([cassette], Settings(), {})
    assert plain.understand(one).key != plain.understand(other).key


def test_redaction_follows_the_settings(tmp_path: Path) -> None:
    text = '[redact]\nadd = [{ name = "tenant", header = "x-tenant" }, { name = "pin", pattern = "PIN-[0-9]+" }]\n'
    rules = redaction_rules(_settings(text + 'remove = ["cookies"]\n', tmp_path / "durable.toml").redact)
    assert rules.headers["x-tenant"] == "tenant"
    assert (rules["pin"].place, "cookies" in rules) == ("text", False)


def test_an_unknown_redaction_rule_is_refused(tmp_path: Path) -> None:
    settings = _settings('[redact]\nremove = ["cokies"]\n', tmp_path / "durable.toml")
    with pytest.raises(UsageError, match="cokies"):
        redaction_rules(settings.redact)


def test_personal_data_is_redacted_where_the_settings_name_its_kind(tmp_path: Path) -> None:
    rules = redaction_rules(_settings('[redact]\npersonal = ["email", "ip"]\n', tmp_path / "durable.toml").redact)
    assert "personal-email" in rules and "personal-ipv4" in rules and "personal-name-json" not in rules
    assert "personal-email" not in redaction_rules(Settings().redact)


def test_a_misspelt_rule_to_remove_is_told_with_its_line_and_the_nearest_names(tmp_path: Path) -> None:
    file = tmp_path / "durable.toml"
    file.write_text('[redact]\npersonal = ["email"]\nremove = ["jwtt"]\n')
    with pytest.raises(UsageError) as wrong:
        redaction_rules(Settings.load(tmp_path).redact)
    assert str(wrong.value) == (f"{file}: redact.remove[0] names no redaction rule: 'jwtt'; nearest: jwt (line 3)")


def test_a_name_near_no_rule_is_told_with_the_place_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "durable.toml").write_text('[redact]\nremove = ["0000000000"]\n')
    with pytest.raises(UsageError, match=r"'0000000000'; docs/secrets.md has their names \(line 2\)"):
        redaction_rules(Settings.load(tmp_path).redact)


def test_a_host_of_an_unknown_service_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.durable-replay.hosts]\n"one.test" = "s3"\n"two.test:80" = "s4"\n')
    with pytest.raises(UsageError) as wrong:
        understanding([], Settings.load(tmp_path), {})
    assert str(wrong.value).startswith(
        f"{file}: tool.durable-replay.hosts.two.test:80 names no service: 's4'; there are "
    )
    assert str(wrong.value).endswith(" (line 3)")
