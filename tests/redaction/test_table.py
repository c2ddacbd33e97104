from __future__ import annotations

from pathlib import Path

import pytest

from durable_replay.redaction.of_services import BELONGS, NAMES, PATTERNS
from durable_replay.redaction.personal import PERSONAL
from durable_replay.redaction.rules import DEFAULT, Rule
from durable_replay.redaction.table import rules_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "secrets.md"


def test_the_documentation_has_the_rules_as_they_are() -> None:
    """Print it anew: `from durable_replay.redaction import rules, table; print(table.rules_table(rules.DEFAULT))`"""
    assert PAGE.read_text("utf-8").partition("test_table.py -->\n")[2] == rules_table(DEFAULT)


def test_a_row_tells_service_place_and_names() -> None:
    rule = Rule("youtube-stream-key", "field", frozenset({"streamName"}))
    assert rules_table([rule]).splitlines()[2] == "| `youtube-stream-key` | youtube | body fields | `streamname` |"


@pytest.mark.parametrize("kind", PERSONAL)
def test_the_documentation_names_each_kind_of_personal_data(kind: str) -> None:
    assert f"- `{kind}`: " in PAGE.read_text("utf-8")


def test_what_is_said_of_a_service_is_said_of_a_rule() -> None:
    assert {*BELONGS, *(row[0] for row in (*NAMES, *PATTERNS))} <= {rule.name for rule in DEFAULT}


def test_each_of_the_ten_services_has_rules() -> None:
    services = {*BELONGS.values(), *(row[1] for row in (*NAMES, *PATTERNS))}
    promised = {"s3", "proxmox", "opennebula", "salesforce", "jira", "discord", "asana", "box", "heroku", "youtube"}
    assert services == promised
