"""The contract of services, and what importing this one costs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import durable_jira
from durable_replay.service.contract import Contract
from durable_replay.testing import exchange

HERE = Path(__file__).resolve()
SHARED = Path(os.environ.get("DURABLE_SHARED") or HERE.parents[4] / "shared")
SITE = "https://contract.atlassian.net/rest/api"
ISSUE = {
    "id": "10010",
    "key": "DEMO-10",
    "self": f"{SITE}/3/issue/10010",
    "fields": {
        "summary": "Milk",
        "project": {"id": "10000", "key": "DEMO", "name": "Demo"},
        "issuetype": {"id": "10002", "name": "Task"},
        "status": {"id": "10000", "name": "To Do", "statusCategory": {"key": "new"}},
        "comment": {"comments": [], "total": 0},
    },
}
COMMENT = {"id": "10100", "self": f"{SITE}/3/issue/10010/comment/10100", "author": {"accountId": "a"}, "body": "Hi"}
TAPE = [
    exchange("GET", f"{SITE}/3/serverInfo", 200, {"deploymentType": "Cloud", "version": "1001.0.0-SNAPSHOT"}),
    exchange("GET", f"{SITE}/3/field", 200, [{"id": "summary", "name": "Summary", "schema": {"type": "string"}}]),
    exchange("GET", f"{SITE}/3/issue/DEMO-10", 200, ISSUE),
    exchange("POST", f"{SITE}/3/issue/DEMO-10/comment", 201, COMMENT, send={"body": {"type": "doc", "content": []}}),
    exchange("GET", f"{SITE}/3/issue/10010/comment", 200, {"comments": [COMMENT], "total": 1, "startAt": 0}),
    exchange("GET", f"{SITE}/3/search/jql?jql=project=DEMO", 200, {"issues": [{"id": "10010"}], "isLast": True}),
    exchange("PUT", f"{SITE}/3/issue/10010", 204, send={"fields": {"summary": "Oat milk"}}),
    exchange("DELETE", f"{SITE}/3/issue/DEMO-10", 204),
    exchange("GET", f"{SITE}/3/issue/DEMO-10", 404, {"errorMessages": ["Issue does not exist"], "errors": {}}),
]


class TestJira(Contract):
    service = durable_jira.service
    tapes: ClassVar = [TAPE, []]
    recordings: ClassVar = [SHARED / "recordings" / "jira"]
    differences: ClassVar = frozenset(HERE.with_name("differences.txt").read_text("utf-8").splitlines())
    ids: ClassVar = {"project": "NOPE"}
    samples: ClassVar = {
        "project": {"id": "10000", "name": "Demo"},
        "issue": {"key": "DEMO-10", "summary": "Milk", "labels": ["dairy"]},
        "comment": {"author": {"accountId": "a"}, "body": "Hi"},
        "transition": {"name": "Done", "to": {"id": "10002", "name": "Done", "statusCategory": {"key": "done"}}},
    }
    # A project and a user are shown inside every issue; the real service rewrites them there too, later or never.
    embedded: ClassVar = frozenset(
        {"project", "user", "issuetype", "status", "priority", "resolution", "transition", "comment", "site"}
    )


def test_importing_the_service_loads_no_parser_and_no_database() -> None:
    code = "import sys, durable_jira; print([n for n in ('lark', 'durable_jira.jql', 'sqlmodel') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
