# ruff: noqa: E501  a row of data stays one row
"""The secrets that `test_secrets.py` plants: every place of a message, and every shape that a credential has there.

Each row: the exchange that carries it, and the values that must be nowhere afterwards. Values are made from the row's
name, so that no two rows share one.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass, field
from hashlib import sha512
from urllib.parse import quote
from xml.sax.saxutils import escape

import brotli  # type: ignore[import-untyped]
import zstandard

__all__ = ["PLANTS", "Plant"]

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
HEX = "0123456789abcdef"
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Plant:
    """One exchange, or one conversation of frames, and what it must not leave behind."""

    name: str
    hidden: tuple[str, ...]
    target: str = "/"
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"fine"
    frames: tuple[tuple[str, bytes], ...] = ()


PLANTS: list[Plant] = []


def made(seed: str, length: int, signs: str = ALNUM) -> str:
    """As many signs, always the same for a seed."""
    digits, number = [], int.from_bytes(sha512(seed.encode()).digest() * 12, "big")
    for _ in range(length):
        number, rest = divmod(number, len(signs))
        digits.append(signs[rest])
    return "".join(digits)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def b64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def uuid(seed: str) -> str:
    return "-".join(made(f"{seed}{size}{at}", size, HEX) for at, size in enumerate((8, 4, 4, 4, 12)))


def key_id(seed: str, prefix: str = "AKIA") -> str:
    return prefix + made(seed, 16, UPPER)


def jwt(seed: str) -> tuple[str, str, str]:
    """The whole, its claims and its signature."""
    claims = b64url(json.dumps({"sub": made(f"{seed}sub", 20), "exp": 1_900_000_000}))
    signature = made(f"{seed}sig", 43, URLSAFE)
    return f"{b64url(json.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{claims}.{signature}", claims, signature


def ticket(seed: str) -> tuple[str, str]:
    signature = made(seed, 342, BASE64) + "=="
    return f"PVE:root@pam:{made(seed, 8, '0123456789ABCDEF')}::{signature}", signature


def bot(seed: str) -> str:
    return f"M{made(f'{seed}1', 25)}.{made(f'{seed}2', 6)}.{made(f'{seed}3', 38, ALNUM)}"


def salesforce(seed: str) -> tuple[str, str]:
    tail = made(seed, 84, ALNUM + "._")
    return f"00D{made(f'{seed}org', 12)}!{tail}", tail


def _document(value: object) -> bytes:
    return json.dumps(value).encode()


def _add(name: str, *hidden: str, **exchange: object) -> None:
    PLANTS.append(Plant(name, hidden, **exchange))  # type: ignore[arg-type]


def _sent(name: str, type_: str, body: str | bytes, *hidden: str, **more: str) -> None:
    """In a request's body."""
    data = body.encode() if isinstance(body, str) else body
    _add(name, *hidden, method="POST", headers={"Content-Type": type_, **more}, body=data)


def _told(name: str, type_: str, body: str | bytes, *hidden: str, **more: str) -> None:
    """In an answer's body."""
    data = body.encode() if isinstance(body, str) else body
    _add(name, *hidden, answer=data, answer_headers={"Content-Type": type_, **more})


def _in_headers() -> None:
    for name, scheme in (("bearer", "Bearer "), ("bot-scheme", "Bot "), ("token-scheme", "token "), ("bare", "")):
        value = made(name, 32)
        _add(f"authorization-{name}", value, headers={"Authorization": scheme + value})
    password = made("basic", 14) + "+/ä:x"
    _add("authorization-basic", password, headers={"Authorization": f"Basic {b64(f'joe:{password}')}"})
    _add(
        "authorization-basic-user", made("user", 30), headers={"Authorization": f"Basic {b64(made('user', 30) + ':')}"}
    )
    scope, key, signature = "20240101/us-east-1/s3/aws4_request", key_id("v4"), made("v4", 64, HEX)
    v4 = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    _add("sigv4-header", key, signature, headers={"Authorization": v4})
    _add(
        "sigv2-header",
        key_id("v2"),
        made("v2s", 27, ALNUM),
        headers={"Authorization": f"AWS {key_id('v2')}:{made('v2s', 27, ALNUM)}="},
    )
    oauth = f'OAuth oauth_consumer_key="{made("ck", 20)}", oauth_token="{made("ot", 32)}", oauth_signature="{made("os", 27)}"'
    _add("oauth1-header", made("ck", 20), made("ot", 32), made("os", 27), headers={"Authorization": oauth})
    digest = f'Digest username="joe", realm="r", nonce="n", uri="/", response="{made("dg", 32, HEX)}"'
    _add("digest-header", made("dg", 32, HEX), headers={"Authorization": digest})
    _add("pve-token-header", uuid("pve"), headers={"Authorization": f"PVEAPIToken=root@pam!ci={uuid('pve')}"})
    whole, tail = ticket("ticket-header")
    _add("pve-ticket-header", tail, headers={"Authorization": f"PVEAuthCookie={whole}"})
    whole, tail = ticket("ticket-cookie")
    _add("pve-ticket-cookie", tail, headers={"Cookie": f"PVEAuthCookie={quote(whole, safe='')}"})
    _add("cookie", made("cookie", 40), headers={"Cookie": f"theme=dark; JSESSIONID={made('cookie', 40)}"})
    _add(
        "set-cookie",
        made("set", 40),
        answer_headers={"Set-Cookie": f"cloud.session.token={made('set', 40)}; Path=/; HttpOnly"},
    )
    for name in (
        "X-Amz-Security-Token", "X-Api-Key", "X-Goog-Api-Key", "X-SFDC-Session", "CSRFPreventionToken", "X-CSRF-Token",
        "X-Hook-Signature", "Box-Signature-Primary", "X-Auth-Token", "Private-Token", "X-Vault-Token", "DPoP",
        "X-Amz-Server-Side-Encryption-Customer-Key",
    ):  # fmt: skip
        _add(f"header-{name.lower()}", made(name, 44), headers={name: made(name, 44)})
    _add("header-x-hook-secret", made("hook", 64, HEX), answer_headers={"X-Hook-Secret": made("hook", 64, HEX)})
    shared = f"shared_link=https://app.box.com/s/abc&shared_link_password={made('boxapi', 16)}"
    _add("box-shared-link-header", made("boxapi", 16), headers={"BoxApi": shared})
    where = f"https://joe:{made('loc', 18)}@h.example/cb?access_token={made('loc2', 30)}&state=1"
    _add("redirect", made("loc", 18), made("loc2", 30), answer_headers={"Location": where})
    _add(
        "redirect-fragment",
        made("frag", 40),
        answer_headers={"Location": f"https://h.example/cb#access_token={made('frag', 40)}&x=1"},
    )
    _add("unknown-header-base64", key_id("hb"), headers={"X-Context": b64(f"caller {key_id('hb')} of ours")})


def _in_targets() -> None:
    key, signature, token = key_id("pre"), made("pre", 64, HEX), made("pretok", 200, BASE64)
    scope = quote(f"{key}/20240101/us-east-1/s3/aws4_request", safe="")
    signed = f"X-Amz-Credential={scope}&X-Amz-Security-Token={quote(token, safe='')}&X-Amz-Signature={signature}"
    _add("presigned-v4", key, signature, token, target=f"/b/k?X-Amz-Expires=60&{signed}")
    old = f"AWSAccessKeyId={key_id('pre2')}&Expires=1&Signature={made('pre2', 27)}%3D"
    _add("presigned-v2", key_id("pre2"), made("pre2", 27), target=f"/b/k?{old}")
    for name in (
        "access_token",
        "api_key",
        "jwt",
        "sid",
        "vncticket",
        "atl_token",
        "code_verifier",
        "sig",
        "auth_token",
    ):
        _add(f"query-{name}", made(f"q{name}", 33), target=f"/x?page=2&{name}={made(f'q{name}', 33)}")
    _add("query-google-key", made("gk", 39), target=f"/youtube/v3/videos?part=id&key={made('gk', 39)}")
    inner = quote(f"https://joe:{made('nest', 15)}@h.example/?access_token={made('nest2', 30)}", safe="")
    _add("query-nested-url", made("nest", 15), made("nest2", 30), target=f"/login?next={inner}&x=1")
    _add(
        "path-discord-webhook",
        made("wh", 68, URLSAFE),
        target=f"/api/webhooks/123456789012345678/{made('wh', 68, URLSAFE)}?wait=true",
    )
    _add(
        "path-discord-interaction",
        made("ia", 120),
        target=f"/api/v10/interactions/123456789012345678/{made('ia', 120)}/callback",
    )
    _add("path-box-download", made("bd", 90, URLSAFE), target=f"/d/1/b1!{made('bd', 90, URLSAFE)}/download")
    _add("query-box-long-poll", made("lp", 20, HEX), target=f"/subscribe?channel={made('lp', 20, HEX)}&stream_type=all")
    _add(
        "query-discord-attachment",
        made("hm", 64, HEX),
        target=f"/attachments/1/2/a.png?ex=1&is=2&hm={made('hm', 64, HEX)}",
    )
    _add("query-logplex", uuid("logplex"), target=f"/sessions/{uuid('logplex')}?srv=1700000000")


def _in_json() -> None:
    kind = "application/json"
    for name in (
        "password",
        "client_secret",
        "access_token",
        "streamName",
        "sharedSecret",
        "rawToken",
        "cipassword",
        "secret_key",
    ):
        _sent(f"json-{name}", kind, _document({"a": [{name: made(f"j{name}", 24)}]}), made(f"j{name}", 24))
    odd = f'q"{made("odd", 12)}\\ä&<é'
    _sent("json-escaped", kind, _document({"password": odd}), odd)
    nested = _document({"payload": json.dumps({"refresh_token": made("nested", 30)})})
    _sent("json-in-json", kind, nested, made("nested", 30))
    inside = b64(_document({"password": made("inb64", 22)}))
    _sent("json-in-base64", kind, _document({"data": inside}), made("inb64", 22))
    whole, tail = ticket("answer")
    csrf = made("csrf", 43, BASE64)
    answer = {"data": {"username": "root@pam", "ticket": whole, "CSRFPreventionToken": f"4EEC61E2:{csrf}"}}
    _told("pve-login", kind, _document(answer), tail, csrf)
    new = {"data": {"full-tokenid": "root@pam!ci", "info": {"privsep": 1}, "value": uuid("newtok")}}
    _told("pve-new-token", kind, _document(new), uuid("newtok"))
    session, tail = salesforce("oauth")
    refresh = f"5Aep861{made('sfr', 80, ALNUM + '._')}"
    oauth = {"access_token": session, "refresh_token": refresh, "signature": made("sfs", 43, BASE64) + "="}
    _told("salesforce-oauth", kind, _document(oauth), tail, refresh, made("sfs", 43, BASE64))
    database = f"postgres://u:{made('db', 24)}@h:5432/d"
    config = {"DATABASE_URL": database, "STRIPE_SECRET_KEY": made("cfg", 30), "PLAIN": "yes"}
    _told("heroku-config", kind, _document(config), made("db", 24), made("cfg", 30))
    granted = {"access_token": {"id": "x", "token": f"HRKU-{uuid('hk')}"}}
    _told("heroku-authorization", kind, _document(granted), uuid("hk"))
    dyno = {"attach_url": f"rendezvous://rendezvous.runtime.heroku.com:5000/{made('rdv', 32)}"}
    _told("heroku-rendezvous", kind, _document(dyno), made("rdv", 32))
    hook = {"token": made("whj", 68), "url": f"https://discord.com/api/webhooks/123456789012345678/{made('whj', 68)}"}
    _told("discord-webhook", kind, _document(hook), made("whj", 68))
    _told("jira-session", kind, _document({"session": {"name": "JSESSIONID", "value": made("js", 32)}}), made("js", 32))
    for coding, pack in (
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ):
        _told(
            f"json-{coding}",
            kind,
            pack(_document({"token": made(coding, 30)})),
            made(coding, 30),
            **{"Content-Encoding": coding},
        )
    _told(
        "json-lines",
        "application/x-ndjson",
        b'{"a":1}\n' + _document({"token": made("nd", 30)}) + b"\n",
        made("nd", 30),
    )
    _told(
        "event-stream",
        "text/event-stream",
        b"data: " + _document({"token": made("sse", 30)}) + b"\n\n",
        made("sse", 30),
    )


def _in_forms() -> None:
    kind = "application/x-www-form-urlencoded"
    secret = made("cs", 20) + "+/ ="
    flow = f"grant_type=refresh_token&refresh_token={made('rt', 40)}&client_secret={quote(secret, safe='')}"
    _sent("form-refresh", kind, flow, made("rt", 40), secret)
    whole, claims, signature = jwt("assertion")
    _sent("form-jwt-assertion", kind, f"grant_type=x&assertion={whole}", claims, signature)
    saml = b64(f"<samlp:Response>{made('saml', 60)}</samlp:Response>")
    _sent("form-saml", kind, f"SAMLResponse={quote(saml, safe='')}", made("saml", 60))
    _sent("form-csrf", kind, f"csrfmiddlewaretoken={made('dj', 64)}&a=b", made("dj", 64))
    code = f"grant_type=authorization_code&redirect_uri=x&code={made('code', 22)}"
    _sent("form-oauth-code", kind, code, made("code", 22))
    kind = "multipart/form-data; boundary=b"

    def parts(*fields: tuple[str, str]) -> str:
        each = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
        )
        return f"{each}--b--\r\n"

    policy = b64(
        json.dumps({"conditions": [{"x-amz-credential": f"{key_id('pol')}/20240101/us-east-1/s3/aws4_request"}]})
    )
    post = parts(
        ("key", "k"), ("policy", policy), ("x-amz-credential", f"{key_id('pol')}/20240101/us-east-1/s3/aws4_request"),
        ("x-amz-signature", made("pol", 64, HEX)), ("x-amz-security-token", made("pol2", 100)), ("file", "x"),
    )  # fmt: skip
    _sent("s3-post-policy", kind, post, key_id("pol"), made("pol", 64, HEX), made("pol2", 100))
    _sent("multipart-field", kind, parts(("authenticity_token", made("mp", 40)), ("a", "b")), made("mp", 40))
    ini = f"[default]\naws_access_key_id = {key_id('ini')}\naws_secret_access_key = {made('ini', 40, BASE64)}\n"
    file = f'--b\r\nContent-Disposition: form-data; name="f"; filename="credentials"\r\n\r\n{ini}\r\n--b--\r\n'
    _sent("multipart-file", kind, file, key_id("ini"), made("ini", 40, BASE64))


def _in_xml() -> None:
    kind = "text/xml; charset=UTF-8"
    password = made("soap", 16) + "<&>x"
    login = f"<e:Envelope xmlns:e='x'><e:Body><n1:login><n1:username>joe</n1:username><n1:password>{escape(password)}</n1:password></n1:login></e:Body></e:Envelope>"
    _sent("soap-login", kind, login, password)
    session, tail = salesforce("soap-answer")
    _told("soap-session-answer", kind, f"<result><sessionId>{session}</sessionId><userId>1</userId></result>", tail)
    session, tail = salesforce("soap-header")
    _sent("soap-session-header", kind, f"<x:SessionHeader><x:sessionId>{session}</x:sessionId></x:SessionHeader>", tail)
    sts = f"<AccessKeyId>{key_id('sts', 'ASIA')}</AccessKeyId><SecretAccessKey>{made('sts', 40, BASE64)}</SecretAccessKey><SessionToken>{made('sts2', 300, BASE64)}</SessionToken>"
    _told(
        "sts-credentials",
        kind,
        f"<Credentials>{sts}</Credentials>",
        key_id("sts", "ASIA"),
        made("sts", 40, BASE64),
        made("sts2", 300, BASE64),
    )
    _told(
        "xml-cdata", kind, f"<u><PASSWORD><![CDATA[{made('cdata', 40, HEX)}]]></PASSWORD></u>", made("cdata", 40, HEX)
    )

    def call(method: str, *values: str) -> str:
        params = "".join(f"<param><value><string>{value}</string></value></param>" for value in values)
        return (
            f"<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>"
        )

    _sent("opennebula-session", kind, call("one.vm.info", f"oneadmin:{made('one', 20)}", "7"), made("one", 20))
    allocate = call("one.user.allocate", f"oneadmin:{made('one2', 20)}", "joe", made("one3", 20), "")
    _sent("opennebula-new-user", kind, allocate, made("one2", 20), made("one3", 20))
    multi = (
        "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data><value><struct>"
        "<member><name>methodName</name><value><string>one.vm.info</string></value></member><member><name>params</name>"
        f"<value><array><data><value><string>oneadmin:{made('one4', 20)}</string></value></data></array></value></member>"
        "</struct></value></data></array></value></param></params></methodCall>"
    )
    _sent("opennebula-multicall", kind, multi, made("one4", 20))
    user = escape(f"<USER><NAME>joe</NAME><PASSWORD>{made('one5', 64, HEX)}</PASSWORD></USER>")
    _told("opennebula-user", kind, f"<value><string>{user}</string></value>", made("one5", 64, HEX))
    token = f"<data><value><boolean>1</boolean></value><value><string>{made('one6', 40, HEX)}</string></value></data>"
    _told("opennebula-login-token", kind, token, made("one6", 40, HEX))
    graphics = f'GRAPHICS=[TYPE="vnc",PASSWD="{made("one7", 12)}"]'
    _sent(
        "opennebula-template", kind, call("one.template.allocate", "oneadmin:secret-pw-1x", graphics), made("one7", 12)
    )
    page = f'<meta name="csrf-token" content="{made("meta", 44, BASE64)}"><input name="authenticity_token" type="hidden" value="{made("hid", 44)}">'
    _told("html-csrf", "text/html", page, made("meta", 44, BASE64), made("hid", 44))


def _in_text() -> None:
    kind = "text/plain"
    lines = "\n".join(made(f"pem{at}", 64, BASE64) for at in range(10))
    _told(
        "private-key",
        kind,
        f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n",
        *lines.split("\n"),
    )
    _told("connection-string", kind, f"Server=db;User Id=joe;Password={made('cs2', 16)};", made("cs2", 16))
    _told("environment-file", kind, f'DB_PASSWORD="{made("env", 20)}"\n', made("env", 20))
    _told("log-line", kind, f"sent Authorization: Bearer {made('log', 40)} to h", made("log", 40))
    _told("log-line-basic", kind, f"sent Authorization: Basic {b64(f'joe:{made(chr(98), 20)}')}", made("b", 20))
    tokens = {
        "github": f"ghp_{made('gh', 36)}", "github-fine": f"github_pat_{made('ghf', 82)}", "gitlab": f"glpat-{made('gl', 20)}",
        "slack": f"xoxb-123456789012-{made('sl', 24)}", "stripe": f"sk_live_{made('st', 24)}", "npm": f"npm_{made('npm', 36)}",
        "sendgrid": f"SG.{made('sg1', 22)}.{made('sg2', 43)}", "telegram": f"1234567890:AA{made('tg', 33)}",
        "twilio": f"SK{made('tw', 32, HEX)}", "openai": f"sk-proj-{made('oa', 20)}T3BlbkFJ{made('oa2', 20)}",
        "anthropic": f"sk-ant-api03-{made('an', 60)}", "pypi": f"pypi-AgEIcHlwaS5vcmc{made('pp', 80)}",
        "huggingface": f"hf_{made('hf', 34)}", "shopify": f"shpat_{made('sh', 32, HEX)}", "google-key": f"AIza{made('ai', 35)}",
        "google-access": f"ya29.{made('ya', 80)}", "google-refresh": f"1//0{made('gr', 60)}", "google-client": f"GOCSPX-{made('gc', 28)}",
        "atlassian": f"ATATT3{made('at', 180)}={made('at2', 8, HEX)}", "asana": f"1/1200000000000000:{made('as', 32, HEX)}",
        "asana-2": f"2/1200000000000000/1200000000000001:{made('as2', 32, HEX)}", "heroku": f"HRKU-{made('hr', 60)}",
        "aws": key_id("tok"), "discord-bot": bot("tok"), "discord-mfa": f"mfa.{made('mfa', 84)}", "mailchimp": f"{made('mc', 32, HEX)}-us6",
        "digitalocean": f"dop_v1_{made('do', 64, HEX)}", "jwe": f"eyJ{made('je1', 40)}.{made('je2', 60)}.{made('je3', 16)}.{made('je4', 80)}.{made('je5', 22)}",
    }  # fmt: skip
    for name, value in tokens.items():
        _told(f"token-{name}", kind, f"the token is {value}, keep it", value)
    whole, claims, signature = jwt("text")
    _told("token-jwt", kind, f"<{whole}>", claims, signature)


def _in_frames() -> None:
    identify = {"op": 2, "d": {"token": bot("identify"), "intents": 513, "properties": {"os": "linux"}}}
    _add("frame-identify", bot("identify"), frames=(("text", _document(identify)),))
    resume = {"op": 6, "d": {"token": bot("resume"), "session_id": made("resume", 32, HEX), "seq": 1}}
    _add("frame-resume", bot("resume"), made("resume", 32, HEX), frames=(("text", _document(resume)),))
    etf = b"\x83t\0\0\0\x01m\0\0\0\x05tokenm\0\0\0\x48" + bot("etf").encode()
    _add("frame-binary", bot("etf"), frames=(("binary", etf),))
    stream = zlib.compressobj()
    packed = stream.compress(_document({"d": {"token": bot("zlib")}})) + stream.flush(zlib.Z_SYNC_FLUSH)
    _add("frame-compressed", bot("zlib"), frames=(("binary", packed),))


for _part in (_in_headers, _in_targets, _in_json, _in_forms, _in_xml, _in_text, _in_frames):
    _part()
