"""Rules that one service needs. Data, no code. Sources: each service's documentation of its tokens, and traffic
recorded with it.

NAMES: rule, service, place, names divided by blanks. PATTERNS: as in shapes.py, with the service second. BELONGS: the
general rules that a service's credentials have names of, for the documentation's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BELONGS", "NAMES", "PATTERNS"]

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_PARAM = r"<param>(?:(?!</param>).){0,4000}</param>\s*"

NAMES: tuple[tuple[str, str, str, str], ...] = (
    ("asana-signature", "asana", "header", "X-Hook-Signature"),
    ("box-signatures", "box", "header", "Box-Signature-Primary Box-Signature-Secondary"),
    ("jira-secrets", "jira", "field", "sharedSecret rawToken atl_token"),
    ("jira-xsrf", "jira", "query", "atl_token"),
    ("proxmox-fields", "proxmox", "field", "cipassword otp encryption-key tfa-response"),
    ("salesforce-tokens", "salesforce", "field", "security_token securityToken sfdc_session"),
    ("youtube-stream-key", "youtube", "field", "streamName"),
)

PATTERNS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("asana-old-token", "asana", "~0/[0-9a-f]{32}", r"(?<![\w/])0/[0-9a-f]{32}(?![0-9a-f])", False),
    # the address of a content is a credential, and is asked for without any other
    ("box-download", "box", "/d/1/", r"/d/1/(?P<secret>[\w!.~%-]{30,2000})/download", True),
    ("box-long-poll", "box", "/subscribe?channel=", r"/subscribe\?channel=(?P<secret>[\w-]{8,200})", True),
    (
        "box-shared-password",
        "box",
        "shared_link_password=",
        r"shared_link_password=(?P<secret>[^&\s\"'<>]{1,200})",
        True,
    ),
    # Erlang's term format: the byte before a token is its length, which may be a letter
    (
        "discord-etf-token",
        "discord",
        "m\0\0\0",
        r"m\0\0\0.(?P<secret>[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40})",
        True,
    ),
    ("discord-mfa-token", "discord", "mfa.", r"(?<![\w.-])mfa\.[\w-]{60,120}(?![\w-])", True),
    ("discord-attachment", "discord", "hm=", r"[?&](?:amp;|u0026)?hm=(?P<secret>[0-9a-f]{64})", True),
    (
        "heroku-rendezvous",
        "heroku",
        "rendezvous://",
        r"rendezvous://[^/\s\"]{1,200}/(?P<secret>[\w-]{8,200})",
        True,
    ),
    ("heroku-logplex", "heroku", "?srv=", rf"/(?:sessions|streams)/(?P<secret>{_UUID})\?srv=", True),
    ("atlassian-other-token", "jira", "ATCTT3|ATSTT3|ATBB", r"(?<![\w-])AT(?:CTT3|STT3|BB)[\w=-]{24,400}", True),
    (
        "jira-session-value",
        "jira",
        "JSESSIONID",
        r"\"name\"\s*:\s*\"JSESSIONID\"\s*,\s*\"value\"\s*:\s*\"(?P<secret>[^\"]{8,200})\"",
        True,
    ),
    # XML-RPC of OpenNebula: system.multicall carries the session in a struct
    (
        "opennebula-multicall",
        "opennebula",
        "methodName</name>",
        r"<name>methodName</name>\s*<value>\s*(?:<string>)?one\.[\w.]{1,60}(?:</string>)?\s*</value>\s*</member>\s*"
        r"<member>\s*<name>params</name>\s*<value>\s*<array>\s*<data>\s*<value>\s*(?:<string>)?[^<:]{0,100}:"
        r"(?P<secret>[^<]{1,400})",
        True,
    ),
    # one.user.allocate(session, name, password, …), passwd(session, id, password), login(session, name, token, …)
    (
        "opennebula-user-password",
        "opennebula",
        "<methodName>one.user.",
        rf"<methodName>one\.user\.(?:allocate|passwd|login)</methodName>\s*<params>\s*(?:{_PARAM}){{2}}"
        r"<param>\s*<value>\s*(?:<string>)?(?P<secret>[^<]{1,400})",
        True,
    ),
    (
        "opennebula-login-token",
        "opennebula",
        "<boolean>1</boolean>",
        r"<boolean>1</boolean>\s*</value>\s*<value>\s*(?:<string>)?(?P<secret>[0-9a-f]{40,64})\s*</",
        False,
    ),
    # answers hold a document as escaped text
    (
        "opennebula-inner-xml",
        "opennebula",
        "PASSW|TOKEN&gt;|SECRET",
        r"&lt;(?:\w{0,30}_)?(?:PASSWORD|PASSWD|TOKEN_PASSWORD|LOGIN_TOKEN|TOKEN|SECRET)&gt;(?:&lt;!\[CDATA\[)?"
        r"(?P<secret>[^&\]<\s][^&\]<]{3,400})",
        True,
    ),
    (
        "salesforce-refresh-token",
        "salesforce",
        "5Aep861",
        r"(?<![A-Za-z0-9])5Aep861[\w.]{30,250}(?![\w.])",
        True,
    ),
)

BELONGS: Mapping[str, str] = MappingProxyType(
    {
        "asana-token": "asana",
        "atlassian-token": "jira",
        "aws-access-key-id": "s3",
        "aws-secret-access-key": "s3",
        "discord-bot-token": "discord",
        "discord-webhook-token": "discord",
        "google-access-token": "youtube",
        "google-api-key": "youtube",
        "google-client-secret": "youtube",
        "google-refresh-token": "youtube",
        "heroku-key": "heroku",
        "opennebula-session": "opennebula",
        "pve-api-token": "proxmox",
        "pve-new-token": "proxmox",
        "pve-new-token-first": "proxmox",
        "pve-ticket": "proxmox",
        "query-key": "youtube",
        "salesforce-session": "salesforce",
    }
)
