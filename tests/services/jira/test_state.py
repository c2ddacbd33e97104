"""Any sequence of writes, over a recorded beginning: what is read afterwards is what was written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

import durable_jira
from durable_replay.testing import ask, engine_over, exchange

BASE = "https://demo.atlassian.net/rest/api"
STATUSES = {"11": "To Do", "21": "In Progress", "31": "Done"}
LABELS = st.lists(st.sampled_from(["red", "green"]), unique=True)


def _recorded(number: int) -> dict[str, Any]:
    fields = {"summary": "recorded", "labels": ["red"], "project": {"id": "10000", "key": "DEMO"}, "updated": "x"}
    return {"id": str(number), "key": f"DEMO-{number}", "fields": fields}


TAPE = [
    exchange("GET", f"{BASE}/2/issue/DEMO-3", 200, _recorded(3)),
    exchange("GET", f"{BASE}/3/search/jql?jql=labels=red", 200, {"issues": [{"id": "4"}, {"id": "3"}], "isLast": True}),
    exchange("GET", f"{BASE}/2/issue/4", 200, _recorded(4)),
]


class Site(RuleBasedStateMachine):
    """A model of issues by key: labels, status name, comments; and the site that is to agree."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_over(durable_jira.service, TAPE)
        self.model = {f"DEMO-{number}": (["red"], "", list[str]()) for number in (3, 4)}

    def ask(self, method: str, path: str, content: object, status: int) -> Any:
        answer = ask(self.engine, method, f"{BASE}/{path}", content)
        body = answer.response.body.read()
        assert answer.response.status == status, body
        return json.loads(body) if body else None

    @rule(target=keys, key=st.sampled_from(["DEMO-3", "DEMO-4"]))
    def recorded(self, key: str) -> str:
        return key

    @rule(target=keys, labels=LABELS)
    def create(self, labels: list[str]) -> str:
        fields = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "new", "labels": labels}
        key = str(self.ask("POST", "2/issue", {"fields": fields}, 201)["key"])
        assert key not in self.model
        self.model[key] = (labels, "To Do", [])
        return key

    @rule(key=keys, labels=LABELS)
    def edit(self, key: str, labels: list[str]) -> None:
        known = key in self.model
        self.ask("PUT", f"3/issue/{key}", {"fields": {"labels": labels}}, 204 if known else 404)
        if known:
            self.model[key] = (labels, *self.model[key][1:])

    @rule(key=keys, transition=st.sampled_from(sorted(STATUSES)))
    def move(self, key: str, transition: str) -> None:
        known = key in self.model
        asked = {"transition": {"id": transition}}
        self.ask("POST", f"2/issue/{key}/transitions", asked, 204 if known else 404)
        if known:
            self.model[key] = (self.model[key][0], STATUSES[transition], self.model[key][2])

    @rule(key=keys)
    def comment(self, key: str) -> None:
        known = key in self.model
        self.ask("POST", f"2/issue/{key}/comment", {"body": f"on {key}"}, 201 if known else 404)
        if known:
            self.model[key][2].append(f"on {key}")

    @rule(key=consumes(keys))
    def delete(self, key: str) -> None:
        self.ask("DELETE", f"3/issue/{key}", None, 204 if self.model.pop(key, None) else 404)

    @invariant()
    def every_issue_reads_as_it_was_written(self) -> None:
        for key, (labels, status, comments) in self.model.items():
            fields = self.ask("GET", f"2/issue/{key}", None, 200)["fields"]
            assert fields["labels"] == labels
            assert (fields.get("status") or {}).get("name", "") == status
            assert [one["body"] for one in fields.get("comment", {}).get("comments", [])] == comments

    @invariant()
    def every_search_finds_what_answers_it(self) -> None:
        red = {key for key, (labels, _, _) in self.model.items() if "red" in labels}
        found = self.ask("GET", "3/search/jql?jql=labels=red&fields=key", None, 200)
        assert {one["key"] for one in found["issues"]} == red
        recorded = self.ask("GET", "3/search/jql?jql=labels=red", None, 200)
        assert len(recorded["issues"]) == len(red)


TestSite = Site.TestCase
TestSite.settings = settings(max_examples=max(5, settings().max_examples // 10), stateful_step_count=12)
