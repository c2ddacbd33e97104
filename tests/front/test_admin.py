"""The admin API, as programs on this machine call it and as web pages must not."""

from __future__ import annotations

import json

import pytest

from tests.front.conftest import House, Reply


def ask(front: House, line: str, body: object = None, *fields: str, host: str = "localhost:1") -> Reply:
    data = b"" if body is None else json.dumps(body).encode()
    lines = (f"{line} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(data)}", *fields)
    return front.client().send("".join(f"{one}\r\n" for one in lines).encode() + b"\r\n" + data).reply()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:9", "127.0.0.1"])
def test_it_answers_under_every_loopback_name(front: House, host: str) -> None:
    reply = ask(front, "GET /_durable/health", host=host)
    assert reply.status == 200 and json.loads(reply.body)["interactions"] == 5
    assert reply.get("access-control-allow-origin") == ""


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80"])
def test_under_another_name_its_path_belongs_to_the_service(front: House, host: str) -> None:
    assert ask(front, "GET /_durable/health", host=host).body.startswith(b"GET http://")


def test_through_the_proxy_its_path_belongs_to_the_service(front: House) -> None:
    assert ask(front, "GET http://localhost/_durable/health").body == b"GET http://localhost/_durable/health"
    tunnelled = front.client().connect("localhost:80").send(b"GET /_durable/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert tunnelled.reply().body == b"GET http://localhost/_durable/health"


@pytest.mark.parametrize("field", ["Origin: http://evil.test", "Origin: null", "Sec-Fetch-Site: cross-site"])
def test_web_pages_are_refused(front: House, field: str) -> None:
    assert ask(front, "POST /_durable/sessions/default/reset", None, field).status == 403


def test_a_page_of_this_machine_may_ask(front: House) -> None:
    assert ask(front, "GET /_durable/health", None, "Origin: http://localhost:3000").status == 200


def test_sessions_are_created_shown_forked_and_deleted(front: House) -> None:
    made = ask(front, "POST /_durable/sessions", {"name": "w-1", "seed": 7})
    assert made.status == 201 and json.loads(made.body)["name"] == "w-1"
    assert json.loads(ask(front, "GET /_durable/sessions/w-1").body)["snapshots"] == ["before"]
    assert ask(front, "POST /_durable/sessions/w-1/fork", {"name": "w-2"}).status == 201
    assert [one["name"] for one in json.loads(ask(front, "GET /_durable/sessions").body)] == ["default", "w-1", "w-2"]
    assert ask(front, "DELETE /_durable/sessions/w-1").status == 204
    assert ask(front, "GET /_durable/sessions/w-1").status == 404


@pytest.mark.parametrize(
    ("verb", "body"), [("snapshot", {"label": "x"}), ("restore", {"label": "before"}), ("reset", None)]
)
def test_a_session_is_kept_brought_back_and_reset(front: House, verb: str, body: object) -> None:
    reply = ask(front, f"POST /_durable/sessions/default/{verb}", body)
    assert reply.status in (200, 201) and json.loads(reply.body)["name"] == "default"


def test_log_state_and_authority_can_be_read(front: House) -> None:
    log = json.loads(ask(front, "GET /_durable/log?session=w&limit=1").body)
    assert [(line["session"], line["interaction"]) for line in log] == [("w", 4)]
    assert json.loads(ask(front, "GET /_durable/state?session=default&prefix=issue").body) == {
        "issue/1": {"title": "x"}
    }
    assert ask(front, "GET /_durable/ca.pem").body == front.authority.pem


@pytest.mark.parametrize(
    ("line", "body", "status", "says"),
    [
        ("GET /_durable/nothing", None, 404, "/_durable/health"),
        ("PUT /_durable/sessions", None, 405, "GET or POST"),
        ("POST /_durable/sessions", {"seed": 1}, 400, "name"),
        ("POST /_durable/sessions", {"name": "a/b"}, 400, "1 to 100"),
        ("POST /_durable/sessions", {"name": "a", "seed": "x"}, 400, "seed"),
        ("POST /_durable/sessions", ["a"], 400, "object"),
        ("POST /_durable/sessions/nobody/reset", None, 404, "there are: default"),
        ("POST /_durable/sessions/default/restore", {"label": "y"}, 400, "there is: before"),
        ("GET /_durable/log?limit=0", None, 400, "limit"),
    ],
)
def test_mistakes_are_answered_with_what_to_do(front: House, line: str, body: object, status: int, says: str) -> None:
    reply = ask(front, line, body)
    assert reply.status == status and says in json.loads(reply.body)["error"]


def test_a_body_that_is_no_json_is_refused(front: House) -> None:
    client = front.client()
    client.send(b"POST /_durable/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n{bad")
    reply = client.reply()
    assert reply.status == 400 and "JSON" in json.loads(reply.body)["error"]
