"""Each shape with an example that is made up: it is taken out, and where it stands on a tape it is found."""

from __future__ import annotations

import re

import pytest

from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response
from durable_replay.redaction.redact import Masker, Redactor
from durable_replay.redaction.scan import scan_interactions
from durable_replay.redaction.shapes import SHAPES

UUID = "12345678-1234-1234-1234-123456789abc"
WORD = "aB3" * 30

EXAMPLES = {
    "aws-access-key-id": "AKIAIOSFODNN7EXAMPLE",
    "aws-secret-access-key": f'"SecretAccessKey": "{WORD[:40]}"',
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW",
    "discord-bot-token": f"M{WORD[:23]}.Gx1_aB.{WORD[:38]}",
    "discord-webhook-token": f"https://discord.com/api/webhooks/123456789012345678/{WORD[:68]}",
    "github-token": f"ghp_{WORD[:36]}",
    "github-fine-grained-token": f"github_pat_{WORD[:60]}",
    "gitlab-token": f"glpat-{WORD[:20]}",
    "slack-token": "xoxb-1234567890-abcdef",
    "slack-webhook": "https://hooks.slack.com/services/T012/B345/abcdefghijklmnopqrstuvwx",
    "heroku-key": f"HRKU-{UUID}",
    "google-api-key": f"AIza{WORD[:35]}",
    "google-access-token": f"ya29.{WORD[:40]}",
    "google-refresh-token": f"1//0{WORD[:40]}",
    "google-client-secret": f"GOCSPX-{WORD[:28]}",
    "pve-ticket": f"PVE:root@pam:6566AABB::{WORD[:60]}",
    "pve-api-token": f"PVEAPIToken=root@pam!ci={UUID}",
    "pve-new-token": f'{{"data":{{"full-tokenid":"root@pam!ci","info":{{"privsep":1}},"value":"{UUID}"}}}}',
    "pve-new-token-first": f'{{"data":{{"value":"{UUID}","full-tokenid":"root@pam!ci"}}}}',
    "salesforce-session": f"00D0x0000000001!{WORD[:60]}",
    "atlassian-token": f"ATATT3{WORD[:60]}",
    "asana-token": f"1/1234567890123456:{'0123456789abcdef' * 2}",
    "stripe-key": f"sk_live_{WORD[:24]}",
    "npm-token": f"npm_{WORD[:36]}",
    "private-key": f"-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----",
    "url-password": "https://joe:hunter2hunter2@example.com/",
    "opennebula-session": "<methodName>one.vm.info</methodName><params><param><value><string>joe:hunter2hunter2<",
    "oauth-code": f"https://app.example/callback?code={WORD[:10]}&state=xyz",
    "oauth-code-last": f"grant_type=authorization_code&code={WORD[:10]}",
    "oauth-code-json": f'{{"code": "{WORD[:10]}", "grant_type": "authorization_code"}}',
    "oauth-code-json-last": f'{{"grant_type": "authorization_code", "client_id": "x", "code": "{WORD[:10]}"}}',
    "query-key": f"/videos?part=id&key={WORD[:39]}",
    "url-query": "see https://h/x?access_token=hunter2hunter2",
}
NAMES = [name for name, *_ in SHAPES]


def answered(text: str) -> Interaction:
    response = Response(200, Headers([("Content-Type", "text/plain")]), BytesBody(text.encode()))
    return Interaction(Request("GET", "https", "h", 443, "/"), response, number=1)


def test_each_shape_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_is_taken_out_and_found_where_it_was_not(redactor: Redactor, name: str) -> None:
    example = f"before {EXAMPLES[name]} after" if name != "oauth-code-last" else EXAMPLES[name]
    found = scan_interactions([answered(example)])
    assert name in [each.rule for each in found] and found[0].place == "interaction 1, response body"
    redacted = redactor.interaction(answered(example))
    assert redacted.response.body.read() != example.encode()
    assert scan_interactions([redacted]) == []
    assert Masker().text(redacted.response.body.read().decode()) == Masker().text(example)


@pytest.mark.parametrize("name", NAMES)
def test_a_shape_in_bytes_that_must_keep_their_length_is_no_finding_afterwards(redactor: Redactor, name: str) -> None:
    data = b"\0" + EXAMPLES[name].encode() + b"\0"
    shown = redactor.conversation().feed(frame := _binary(data))[0]
    talk = Interaction(Request("GET", "wss", "h", 443, "/"), Response(101), frames=(shown,))
    assert len(shown.data) == len(frame.data) and scan_interactions([talk]) == []


def _binary(data: bytes) -> Frame:
    return Frame(True, "binary", data)


@pytest.mark.parametrize(
    "text",
    [
        "/countries?code=de",
        '{"errorCode": "X", "code": "NOT_FOUND_IN_PROJECT"}',
        "/user?key=JIRAUSER10000",
        '{"id": "1", "value": "12345678-1234-1234-1234-123456789abc"}',
    ],
)
def test_what_only_resembles_a_secret_stays(redactor: Redactor, text: str) -> None:
    assert redactor.interaction(answered(text)).response.body.read() == text.encode()


def test_a_login_by_code_has_one_placeholder_from_the_redirect_to_the_form(redactor: Redactor) -> None:
    code = "4/0AX4XfWh-abc"
    redirect = redactor.headers(Headers([("Location", "https://app/cb?code=4%2F0AX4XfWh-abc&state=1")]))
    form = Headers([("Content-Type", "application/x-www-form-urlencoded")])
    body = BytesBody(b"grant_type=authorization_code&code=4%2F0AX4XfWh-abc&redirect_uri=x")
    exchanged = redactor.request(Request("POST", "https", "h", 443, "/token", form, body)).body.read().decode()
    (first,) = re.findall(r"code=(secret-[0-9a-f]{16})", redirect.get("location"))
    assert f"code={first}&redirect_uri=x" in exchanged and code not in exchanged
