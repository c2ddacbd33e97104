"""Shapes that give a secret away wherever it stands, and the query parameters that carry one. Data, no code.

Each shape: rule's name, what must occur for the pattern to be tried (see rules.py), the pattern, and whether the shape
is so specific that the raw bytes of a file are searched for it. Sources: the services' own documentation of their
token formats.
"""

from __future__ import annotations

__all__ = ["QUERY", "SHAPES"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


QUERY = _words("""access_token refresh_token id_token api_key apikey api-key token auth_token oauth_token
    oauth_signature client_secret password passwd secret sig signature AWSAccessKeyId X-Amz-Signature X-Amz-Credential
    X-Amz-Security-Token X-Goog-Signature X-Goog-Credential sid session_id sessionId ticket vncticket assertion
    code_verifier""")

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_VALUE = r"[^&\s\"'<>#\\;]"
_IN_URL = "|".join(name for name in QUERY if name != "sid")

SHAPES: tuple[tuple[str, str, str, bool], ...] = (
    ("aws-access-key-id", "AKIA|ASIA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", True),
    (
        "aws-secret-access-key",
        "i~secretaccesskey|secret_accesskey|secretaccess_key|secret_access_key|secretkey|secret_key",
        r"(?i:secret_?access_?key|secret_?key)[\"'\s:=>\\]{1,8}(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        True,
    ),
    ("jwt", "eyJ", r"(?<![\w-])eyJ[\w-]{8,4096}\.eyJ[\w-]{8,8192}\.[\w-]{8,1400}", True),
    (
        "discord-bot-token",
        r"~\.[\w-]{6}\.[\w-]{27}",
        r"(?<![\w-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}(?![\w-])",
        True,
    ),
    (
        "discord-webhook-token",
        "/webhooks/|/interactions/",
        r"/(?:webhooks|interactions)/\d{15,21}/(?P<secret>[\w-]{60,250})(?![\w-])",
        True,
    ),
    (
        "github-token",
        "ghp_|gho_|ghu_|ghs_|ghr_",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255})(?![A-Za-z0-9])",
        True,
    ),
    ("github-fine-grained-token", "github_pat_", r"(?<![A-Za-z0-9])github_pat_\w{22,255}", True),
    ("gitlab-token", "glpat-", r"(?<![A-Za-z0-9])glpat-[\w-]{20,64}", True),
    (
        "slack-token",
        "xoxa-|xoxb-|xoxe-|xoxo-|xoxp-|xoxr-|xoxs-",
        r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,250}",
        True,
    ),
    ("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<secret>T\w+/B\w+/\w{20,64})", True),
    ("heroku-key", "HRKU-", r"(?<![A-Za-z0-9])HRKU-[\w-]{36,100}", True),
    ("google-api-key", "AIza", r"(?<![\w-])AIza[\w-]{35}(?![\w-])", True),
    ("google-access-token", "ya29.", r"(?<![A-Za-z0-9])ya29\.[\w-]{20,2048}", True),
    ("google-refresh-token", "1//", r"(?<![A-Za-z0-9])1//0[\w-]{30,256}", True),
    ("google-client-secret", "GOCSPX-", r"GOCSPX-[\w-]{20,64}", True),
    (
        "pve-ticket",
        "PVE",
        r"PVE(?:VNC)?(?::|%3[Aa])[^\s\"'&;<>]{1,120}?(?::|%3[Aa])[0-9A-F]{8}(?::|%3[Aa]){2}"
        r"(?P<secret>(?:[A-Za-z0-9+/=]|%2[BbFf]|%3[Dd]){40,1400})",
        True,
    ),
    ("pve-api-token", "PVEAPIToken", rf"PVEAPIToken[= ][^\s!]{{1,120}}![^\s=]{{1,120}}[= ](?P<secret>{_UUID})", True),
    (
        "pve-new-token",
        "full-tokenid",
        rf"\"full-tokenid\"\s*:[^\0]{{0,600}}?\"value\"\s*:\s*\"(?P<secret>{_UUID})\"",
        True,
    ),
    (
        "pve-new-token-first",
        "full-tokenid",
        rf"\"value\"\s*:\s*\"(?P<secret>{_UUID})\"(?=[^\0]{{0,600}}?\"full-tokenid\")",
        True,
    ),
    ("salesforce-session", "00D", r"00D[A-Za-z0-9]{12,15}(?:!|%21)(?P<secret>[\w.]{40,250})", True),
    ("atlassian-token", "ATATT3", r"(?<![A-Za-z0-9])ATATT3[\w=-]{40,400}", True),
    ("asana-token", r"~[12]/\d{10}", r"(?<![\w/])[12]/\d{10,20}(?:/\d{10,20})?:[0-9a-f]{32}(?![0-9a-f])", True),
    ("stripe-key", "k_live_", r"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{20,250}", True),
    ("npm-token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])", True),
    (
        "private-key",
        "PRIVATE KEY",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>.{40,6000}?)(?:\s|\\n)*-----END",
        True,
    ),
    ("url-password", "@", r"://[^/\s:@\"'<>\\]{0,100}:(?P<secret>[^/\s:@\"'<>\\]{1,200})@", True),
    (
        "opennebula-session",
        "<methodName>one.",
        r"<methodName>one\.[\w.]+</methodName>\s*<params>\s*<param>\s*<value>\s*(?:<string>)?[^<:]{0,100}:"
        r"(?P<secret>[^<]{1,400})",
        True,
    ),
    # RFC 6749 4.1.2 and 4.1.3: the code comes with a redirect and goes in a form; Atlassian takes it in JSON. Others
    # have a `code` too (a country's, an error's): its length or its company tells
    (
        "oauth-code",
        "code=",
        rf"(?:^|[?&])(?:amp;|u0026)?code=(?P<secret>{_VALUE}{{24,4000}}"
        rf"|{_VALUE}{{8,4000}}(?=&[^\s\"'<>]{{0,4000}}?(?:state|grant_type|redirect_uri)=))",
        False,
    ),
    (
        "oauth-code-last",
        "code=",
        rf"(?:^|[?&])(?:amp;|u0026)?(?:state|grant_type|redirect_uri)=[^\s\"'<>#]{{0,4000}}?&(?:amp;|u0026)?"
        rf"code=(?P<secret>{_VALUE}{{8,4000}})",
        False,
    ),
    (
        "oauth-code-json",
        "authorization_code",
        r"\"code\"\s*:\s*\"(?P<secret>[^\"]{8,4000})\"(?=[^{}]{0,4000}\"authorization_code\")",
        True,
    ),
    (
        "oauth-code-json-last",
        "authorization_code",
        r"\"authorization_code\"[^{}]{0,4000}?\"code\"\s*:\s*\"(?P<secret>[^\"]{8,4000})\"",
        True,
    ),
    # `key` is an API key at Google and a user's or an issue's name at Jira: its length tells
    ("query-key", "key=", r"[?&](?:amp;|u0026)?key=(?P<secret>[\w-]{30,200})", False),
    (
        "url-query",
        "i~" + "|".join(f"{name}=" for name in QUERY),
        rf"[?&](?:amp;|u0026)?(?i:{_IN_URL})=(?P<secret>[^&\s\"'<>#\\;]{{1,4000}})",
        False,
    ),
)
