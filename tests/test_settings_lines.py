"""A wrong setting is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_replay.errors import UsageError
from durable_replay.settings import Settings
from durable_replay.settings_lines import in_line, line_of

TEXT = """\
# diff.fail_on is further down, as is ignore
[hosts]
"minio.local:9000" = "s3"

[diff]
ignore = [
    "kind=value",
]
fail_on = "additive"
same = { "localhost:9002" = "api.example.com" }

[[match]]
ignore = ["query.a"]

[[match]]
path = "/x"
ignore = ["query.b"]

[redact]
add = [
    { name = "a", header = "x-a" },
    { name = "b", hedaer = "x-b" },
]
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("hosts", 2),
        ("hosts.minio.local:9000", 3),
        ("diff.ignore[0]", 6),
        ("diff.fail_on", 9),
        ("diff.same.localhost:9002", 10),
        ("match[0].ignore", 13),
        ("match[1].ignore[0]", 17),
        ("redact.add[1].hedaer", 22),
        ("diff.absent", 0),
        ("diff.ignore[7]", 0),
        ("", 0),
    ],
)
def test_a_key_stands_in_the_line_that_names_it(key: str, line: int) -> None:
    assert line_of(TEXT, key) == line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[diff]\n\nfail_on = "grave"\n', r"durable\.toml: diff\.fail_on is 'grave'; .* \(line 3\)$"),
        ("[replay]\nseed = 1\n\n[dif]\n", r"durable\.toml: dif is unknown; .* \(line 4\)$"),
        ('[hosts]\n"a.test" = 5\n', r"durable\.toml: hosts\.a\.test must be a text, .* \(line 2\)$"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "durable.toml").write_text(text)
    with pytest.raises(UsageError, match=told):
        Settings.load(tmp_path)


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert in_line(tmp_path / "durable.toml", "diff") == ""


def test_a_folder_called_as_the_settings_is_told(tmp_path: Path) -> None:
    (tmp_path / "durable.toml").mkdir()
    with pytest.raises(UsageError, match=r"durable\.toml is a directory"):
        Settings.load(tmp_path)
