"""Settings are found upward, read strictly, and change what counts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from durable_replay.errors import UsageError
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.pattern import Significance
from durable_replay.matching.rules import rules_of
from durable_replay.redaction.personal import PERSONAL as RULES_BY_KIND
from durable_replay.settings import PERSONAL, RedactRule, RedactSettings, ReplaySettings, Settings

FULL = """
[[match]]
cassette = "jira*.cassette"
host = ["*.atlassian.net", "!eu.*"]
operation = "search"
method = "get"
path = "/rest/*"
ignore = ["query.nonce", "header.range", "body.$.requestId"]
count = ["header.accept-language"]

[redact]
add = [{ name = "session", header = "x-session" }, { name = "pin", pattern = "pin-[0-9]{4}" }]
remove = ["jwt"]

[hosts]
"MinIO.local:9000" = "s3"

[replay]
on_miss = "emulate"
clock = "2025-01-31T12:00:00Z"
seed = 7
provenance = false
"""


def parsed(text: str) -> Settings:
    return Settings.parse(tomllib.loads(text), Path("durable.toml"))


def jira(settings: Settings, host: str = "team.atlassian.net", method: str = "GET") -> Significance:
    return settings.significance("jira-1.cassette", host, "search", method, "/rest/api/2/search", DEFAULT)


def test_every_setting_is_read() -> None:
    settings = parsed(FULL)
    assert settings.redact == RedactSettings(
        (RedactRule("session", "header", "x-session"), RedactRule("pin", "pattern", "pin-[0-9]{4}")), ("jwt",)
    )
    assert dict(settings.hosts) == {"minio.local:9000": "s3"}
    assert settings.replay == ReplaySettings("emulate", "2025-01-31T12:00:00Z", 7, False)
    assert settings.source == Path("durable.toml")


def test_a_rule_changes_what_counts_where_all_its_conditions_hold() -> None:
    rules = rules_of(jira(parsed(FULL)))
    assert not rules.counts_query("nonce")
    assert not rules.counts_header("range")
    assert rules.counts_header("accept-language")
    assert rules.counts_header("if-match")
    assert rules.body.without == (("requestId",),)


def test_a_rule_changes_nothing_elsewhere() -> None:
    settings = parsed(FULL)
    assert jira(settings, host="eu.atlassian.net") == DEFAULT
    assert jira(settings, host="example.com") == DEFAULT
    assert jira(settings, method="POST") == DEFAULT
    assert settings.significance("s3.cassette", "team.atlassian.net", "search", "GET", "/rest/x", DEFAULT) == DEFAULT


def test_a_later_rule_wins_and_counting_undoes_a_default() -> None:
    text = (
        '[[match]]\nignore = ["query.a"]\ncount = ["query.access_token"]\n[[match]]\nhost = "b"\ncount = ["query.a"]\n'
    )
    settings = parsed(text)
    assert not rules_of(jira(settings)).counts_query("a")
    assert rules_of(jira(settings)).counts_query("access_token")
    assert rules_of(jira(settings, host="b")).counts_query("a")
    turned = parsed('[[match]]\ncount = ["query.a"]\n[[match]]\nignore = ["query.a"]\n')
    assert not rules_of(jira(turned)).counts_query("a")


def test_no_file_means_no_settings_and_nothing_changes(tmp_path: Path) -> None:
    settings = Settings.parse({}, tmp_path)
    assert settings.replay == ReplaySettings()
    assert jira(settings) is DEFAULT


def test_settings_are_found_in_a_folder_above(tmp_path: Path) -> None:
    (tmp_path / "durable.toml").write_text("[replay]\nseed = 1\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    found = Settings.load(deep)
    assert (found.replay.seed, found.source) == (1, (tmp_path / "durable.toml").resolve())


def test_the_nearest_file_is_read_and_a_pyproject_without_our_table_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.durable-replay.replay]\nseed = 2\n")
    deep = tmp_path / "a"
    deep.mkdir()
    (deep / "pyproject.toml").write_text("[project]\nname = 'x'\n[tool.other]\n")
    assert Settings.load(deep).replay.seed == 2
    (deep / "durable.toml").write_text("[replay]\nseed = 3\n")
    assert Settings.load(deep).replay.seed == 3


def test_durable_toml_goes_before_pyproject_in_one_folder(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.durable-replay.replay]\nseed = 2\n")
    (tmp_path / "durable.toml").write_text("[replay]\nseed = 1\n")
    assert Settings.load(tmp_path).replay.seed == 1


def test_an_error_in_pyproject_names_the_whole_key(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.durable-replay.replay]\nsed = 2\n")
    with pytest.raises(
        UsageError, match=r"pyproject\.toml: tool\.durable-replay\.replay\.sed is unknown; allowed here"
    ):
        Settings.load(tmp_path)


@pytest.mark.parametrize("content", [b"[replay", b"\xff\xfe", b"#" * 1_100_000, b"x=" + b"[" * 9999])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "durable.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"durable\.toml"):
        Settings.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("macth = 1", "macth is unknown; allowed here are match, redact, hosts, replay"),
        ("match = 1", "match must be a list, not a whole number"),
        ("match = [1]", r"match\[0\] must be a table, not a whole number"),
        ("[match]", "match must be a list, not a table"),
        ("[[match]]\nhost = 'a'", r"match\[0\]\.ignore is missing"),
        ("[[match]]\nhots = 'a'", r"match\[0\]\.hots is unknown; allowed here are cassette, host"),
        ("[[match]]\nignore = 'query'", r"match\[0\]\.ignore must be a list, not a text"),
        ("[[match]]\nignore = [1]", r"match\[0\]\.ignore\[0\] must be a text, not a whole number"),
        ("[[match]]\nignore = ['cookie.x']", r"match\[0\]\.ignore is wrong: 'cookie\.x' names no part"),
        ("[[match]]\nignore = ['body.x']", r"match\[0\]\.ignore is wrong: 'x' is no path"),
        ("[[match]]\nignore = ['query']\ncount = ['query']", r"match\[0\]\.count and ignore both name query"),
        ("[redact]\nadd = [{name = 'a'}]", r"redact\.add\[0\] needs exactly one of header, query, field, pattern"),
        ("[redact]\nadd = [{header = 'a'}]", r"redact\.add\[0\]\.name must be a text, and not empty"),
        ("[redact]\nadd = [{name = 'a', pattern = '('}]", r"redact\.add\[0\]\.pattern is no regular expression"),
        ("[redact]\nadd = [{name='a',query='a'},{name='a',query='b'}]", r"redact\.add names a twice"),
        ("[redact]\nremove = 'jwt'", r"redact\.remove must be a list, not a text"),
        ("[hosts]\na = 1", r"hosts\.a must be a text, not a whole number"),
        ("[replay]\non_miss = 'guess'", r"replay\.on_miss is 'guess'; allowed are emulate, refuse, forward, record"),
        ("[replay]\nclock = 'noon'", r"replay\.clock is 'noon'; allowed are recorded, now or a time"),
        ("[replay]\nseed = true", r"replay\.seed must be a whole number, not true or false"),
        ("[replay]\nprovenance = 1", r"replay\.provenance must be true or false, not a whole number"),
    ],
)
def test_a_wrong_setting_names_file_key_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"^durable\.toml: " + message):
        parsed(text)


def test_kinds_of_personal_data_are_those_that_there_are_rules_for() -> None:
    assert parsed('[redact]\npersonal = ["email", "name"]').redact.personal == ("email", "name")
    assert set(PERSONAL) == set(RULES_BY_KIND)
    with pytest.raises(UsageError, match=r"redact\.personal names phone; allowed are email, ip, name"):
        parsed('[redact]\npersonal = ["phone"]')
