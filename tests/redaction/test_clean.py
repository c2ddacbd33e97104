"""A redactor that remembers gives what one gives that has seen nothing but the same secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.redaction.blocks import Standing
from durable_replay.redaction.clean import LARGEST, Clean
from durable_replay.redaction.encoded import may_hold
from durable_replay.redaction.known import MOST
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import DEFAULT

KEY = b"a key of the tests' own, 32 bytes"
SECRETS = (
    "s3cr3t-Va1ue-0042",
    "with,a-comma-77",
    'quo"ted-secret-9',
    "p@ss/w0rd+42",
    "tractors-and-more",
    "h\xe9-l\xf6ng-42x",
)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text)[1:-1],
    lambda text: base64.b64encode(f"some {text} of ours".encode()).decode(),
    lambda text: base64.b64encode(text.encode()).decode(),
)
said = st.builds(lambda spelt, secret: spelt(secret), st.sampled_from(SPELLINGS), st.sampled_from(SECRETS))
bodies = st.one_of(
    st.builds(lambda text, n: json.dumps({"a": f"see {text}", "n": list(range(n))}), said, st.integers(0, 9)),
    st.builds(lambda text: f'{{"a":1,"b":"{text}","c":[1,2,3],"d":"x, y"}}', said),
    st.builds(lambda text: f"<r><a>{text}</a><b c='{text}'/></r>", said),
    st.builds(lambda text: f"a=1&b={text}&c=2", said),
    st.builds(lambda text: f'plain, "{text}", of ours, and more', said),
    st.builds(lambda secret: json.dumps({"x": 1, "client_secret": secret}), st.sampled_from(SECRETS)),
    st.just(json.dumps({"same": ["document", "as", "before"], "id": "00D" * 5, "n": 1})),
)
types = st.sampled_from(
    ["", "application/json", "text/xml", "text/plain", "application/x-www-form-urlencoded", "image/png"]
)
heads = st.lists(
    st.tuples(st.sampled_from(["X-Any", "X-Other", "ETag"]), st.one_of(said, st.just("fine"), st.just("max-age=60"))),
    max_size=3,
)
targets = st.one_of(st.just("/p?page=2"), st.builds(lambda text: f"/p/{quote(text, safe='/,%')}", said))
interactions = st.builds(
    lambda target, head, sort, sent, told: Interaction(
        Request("POST", "https", "h", 443, target, Headers(head), BytesBody(sent.encode())),
        Response(200, Headers([("Content-Type", sort), *head]), BytesBody(told.encode())),
    ),
    targets,
    heads,
    types,
    bodies,
    bodies,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(interactions, min_size=1, max_size=8), st.booleans())
def test_what_is_remembered_changes_no_answer(several: list[Interaction], twice: bool) -> None:
    remembering, forgetting = Redactor(KEY), Redactor(KEY)
    for each in several * 2 if twice else several:
        forgetting._search._clean.forget()
        assert remembering.interaction(each) == forgetting.interaction(each)


@settings(max_examples=100, deadline=None)
@given(st.lists(interactions, min_size=1, max_size=6), st.sampled_from(SECRETS))
def test_a_secret_that_is_learnt_late_is_found_in_what_was_clean_before(
    several: list[Interaction], secret: str
) -> None:
    redactor = Redactor(KEY)
    for each in several:
        redactor.interaction(each)
    redactor.headers(Headers([("X-Api-Key", secret)]))
    for each in several:
        shown = redactor.interaction(each)
        texts = shown.request.target, str(shown.request.headers), shown.request.body.read().decode()
        assert not any(spelt(secret) in text for spelt in SPELLINGS for text in texts)
        assert secret not in shown.response.body.read().decode()


SECRET = SECRETS[0]
AROUND = base64.b64encode(f"some {SECRET} of ours".encode()).decode()


def _told(redactor: Redactor, content: object) -> str:
    body = BytesBody(json.dumps(content).encode())
    shown = redactor.response(Response(200, Headers([("Content-Type", "application/json")]), body))
    return shown.body.read().decode()


def test_an_encoded_secret_that_is_learnt_late_is_found_in_a_body_with_too_many_pieces_to_be_kept(
    redactor: Redactor,
) -> None:
    content = {"n": list(range(3000)), "encoded": AROUND}
    assert AROUND in _told(redactor, content)
    redactor.headers(Headers([("X-Api-Key", SECRET)]))
    assert AROUND not in _told(redactor, content)


@pytest.mark.parametrize("said_before", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_what_a_credential_teaches_is_found_encoded_in_the_fields_beside_it(
    redactor: Redactor, first: bool, said_before: bool
) -> None:
    credential, other = ("Authorization", f"Bearer {SECRET}"), ("X-Any", AROUND)
    if said_before:
        redactor.headers(Headers([other]))
    shown = redactor.headers(Headers([credential, other] if first else [other, credential]))
    assert AROUND not in str(shown) and SECRET not in str(shown)


def test_a_credential_of_every_request_stays_known_however_many_secrets_the_answers_teach(redactor: Redactor) -> None:
    for number in range(MOST + 10):
        redactor.headers(Headers([("X-Api-Key", SECRET)]))
        assert SECRET not in _told(redactor, {"access_token": f"another-{number:06}", "echo": SECRET})


@pytest.mark.parametrize("secret", ["with,a-comma-77", 'quo"ted-secret-9', "two\nlines-of-it"])
def test_a_known_secret_is_found_though_a_body_is_cut_inside_it(redactor: Redactor, secret: str) -> None:
    redactor.headers(Headers([("X-Api-Key", secret)]))
    body = BytesBody(f'a,b,c,"x","y", {secret} ,"z",d,e,f,g'.encode())
    shown = redactor.response(Response(200, Headers([("Content-Type", "text/plain")]), body)).body.read().decode()
    assert secret not in shown and shown.startswith('a,b,c,"x","y", ') and shown.endswith(' ,"z",d,e,f,g')


def test_a_message_without_secrets_is_the_same_object(redactor: Redactor) -> None:
    request = Request("GET", "https", "h", 443, "/p?page=2", Headers([("Accept", "*/*")]))
    response = Response(200, Headers([("Content-Type", "application/json")]), BytesBody(b'{"a":1,"b":[2,3]}'), "OK")
    interaction = Interaction(request, response)
    assert redactor.interaction(interaction) is interaction


@given(st.lists(st.text("abcd,", max_size=30), max_size=8), st.text("abcd,", min_size=1, max_size=12))
def test_standing_tells_whether_a_text_stands_in_one_of_them(texts: list[str], wanted: str) -> None:
    standing = Standing()
    for each in texts:
        standing.add([each])
        if len(each) % 2:
            standing.has("abc")
    assert standing.has(wanted) is any(wanted in each for each in texts)


def test_what_is_kept_is_bounded_and_forgotten_at_once() -> None:
    clean = Clean(",")
    section = clean.section()
    for number in range(200):
        text = f"{number:06}" * 10_000
        assert clean.keep(section, {text}, (text,))
        clean.keep_body("json", text.encode())
        assert sum(map(len, section)) <= 4 * 1024 * 1024
        assert sum(len(data) for _, data in clean._bodies) <= 8 * 1024 * 1024
    assert clean.times and section
    assert not clean.keep(section, {"x"}, ("x" * LARGEST,))
    clean.keep_body("json", b"a")
    clean.doubt(["stands nowhere"])
    assert section and clean.has_body("json", b"a")
    clean.doubt(["stands,nowhere"])  # in a piece; a body may still hold it
    assert section and not clean.has_body("json", b"a")
    clean.doubt([f"{199:06}{199:06}"])
    assert not section


def test_a_text_shorter_than_any_encoded_one_holds_none() -> None:
    assert not may_hold("c2VjcmV0c2VjcmV0") and may_hold("c2VjcmV0c2VjcmV0c2VjcmV0")


@pytest.mark.parametrize("rule", ["url-query", "github-token", "asana-token"])
def test_a_rule_tells_where_its_hints_are(rule: str) -> None:
    text = "x ACCESS_TOKEN=1 ghp_abc ghp_ 1/1234567890123 access_token="
    expected = {"url-query": [2, 9, 46, 53], "github-token": [17, 25], "asana-token": [30]}
    assert set(DEFAULT[rule].hinted(text)) == set(expected[rule])
