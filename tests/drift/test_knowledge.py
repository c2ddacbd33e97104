"""Services say what varies in their answers, in the words of `--ignore`."""

from __future__ import annotations

import pytest

from durable_replay.drift.finding import Endpoint, Kind
from durable_replay.drift.knowledge import rules_of_service, rules_of_world
from durable_replay.errors import BadService
from durable_replay.service.api import Service
from durable_replay.service.codecs import JsonCodec


def test_a_service_sets_aside_what_it_knows_to_vary() -> None:
    service = Service("notes", ("notes.test",), JsonCodec(), {}, varies=("path=body.$.**.seenAt", "header.x-node"))
    rules = rules_of_service(service)
    endpoint = Endpoint("notes", "GET", "/notes/{note}", "notes.get_note")
    assert [rule.covers(endpoint, "body.$.data.seenAt", Kind.value) for rule in rules] == [True, False]
    assert [rule.covers(endpoint, "header.x-node", Kind.header_changed) for rule in rules] == [False, True]


def test_a_rule_that_cannot_be_read_is_the_services_fault() -> None:
    service = Service("notes", ("notes.test",), JsonCodec(), {}, varies=("kind=nonsense",))
    with pytest.raises(BadService, match=r"service 'notes': varies: .*'kind=nonsense'"):
        rules_of_service(service)


def test_the_installed_services_are_asked_by_name_and_other_hosts_say_nothing() -> None:
    error = Endpoint("s3", "GET", "/{Bucket}", "s3.ListObjects")
    assert any(rule.covers(error, "body.$.Error.RequestId[]", Kind.value) for rule in rules_of_world("s3"))
    assert rules_of_world("jira")
    assert rules_of_world("api.example.com:8080") == ()
