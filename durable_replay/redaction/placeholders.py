"""What stands where a secret stood: the same secret has the same placeholder, of a kind that still parses there.

A placeholder is an HMAC of the secret under a key that never enters a cassette, so that it tells nothing of the
secret and still is the same in a login's answer and in the requests that follow it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote_plus

__all__ = ["CONSTANT", "PLACEHOLDER", "Constant", "Keyed", "Replacement", "is_placeholder"]

CONSTANT = "secret-*"
PLACEHOLDER = re.compile(
    r"00D[A-Za-z0-9]{12,15}(?:!|%21)secret-(?:[0-9a-f]{16}|\*)"
    r"|eyJ[\w-]{8,}\.[\w-]+\.c2VjcmV0L[TW][\w-]{22}"
    r"|secret-(?:[0-9a-f]{16}-*|\*)"
    r"|c2VjcmV0L[TW][A-Za-z0-9+/_-]{22}"
    r"|(?:AKIA|ASIA)REDACTED[A-Z2-7]{8}"
    r"|person-[0-9a-f]{8}@example\.invalid"
    r"|Person-[0-9a-f]{8}"
    r"|198\.1[89](?:\.\d{1,3}){2}"
    r"|2001:db8(?::[0-9a-f]{1,4}){6}"
)
"""Every form a placeholder takes. No real credential has one of these forms."""

_JWT = re.compile(r"(eyJ[\w-]+)\.([\w-]+)\.([\w-]*)")
_AWS_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}")
_SALESFORCE = re.compile(r"(00D[A-Za-z0-9]{12,15}!)(.+)", re.DOTALL)
_PVE = re.compile(r"(PVE(?:VNC)?:.+?:[0-9A-F]{8}::)([\w+/=-]+)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_IPV4 = re.compile(r"\d+(?:\.\d+){3}")
_TIMES = frozenset({"exp", "iat", "nbf", "auth_time"})


def is_placeholder(text: str) -> bool:
    """Whether a text is, or carries, a placeholder rather than a secret."""
    return PLACEHOLDER.search(text) is not None


class Replacement(Protocol):
    """What a secret is replaced by."""

    def of(self, secret: str) -> str: ...

    def number(self, secret: str) -> str: ...

    def person(self, value: str) -> str:
        """For personal data: a mail address, an IP address or a name."""

    def seen(self, text: str) -> str:
        """Text that may hold placeholders of an earlier redaction."""


class Constant:
    """Every secret becomes the same text; how matching makes real, dummy and recorded credentials equal."""

    __slots__ = ()

    def of(self, secret: str) -> str:
        return CONSTANT if secret else ""

    def number(self, secret: str) -> str:
        return "0"

    def person(self, value: str) -> str:
        return CONSTANT

    def seen(self, text: str) -> str:
        return PLACEHOLDER.sub(CONSTANT, text)


class Keyed:
    """Placeholders under a key of at least 16 bytes."""

    __slots__ = ("_key", "of")

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a redaction key has at least 16 bytes")
        self._key = key
        self.of = lru_cache(maxsize=4096)(self._of)

    def seen(self, text: str) -> str:
        return text

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._key, secret.encode("utf-8", "surrogateescape"), hashlib.sha256)

    def _token(self, secret: str) -> str:
        return f"secret-{self._digest(secret).hex()[:16]}"

    def number(self, secret: str) -> str:
        """For a number: as many digits, the first of them not 0."""
        digits = str(int.from_bytes(self._digest(secret), "big"))
        return "9" + digits[1 : len(secret)]

    def person(self, value: str) -> str:
        """A pseudonym of the same kind. Names are written in JSON and in forms in other ways, but are the same."""
        if PLACEHOLDER.fullmatch(value):
            return value
        if "\\u" in value:
            value = _unescaped(value)
        digest = self._digest(unquote_plus(value))
        if "@" in value:
            return f"person-{digest.hex()[:8]}@example.invalid"
        if _IPV4.fullmatch(value):
            return f"198.{18 + digest[0] % 2}.{digest[1]}.{digest[2]}"
        if value.count(":") > 1:
            return "2001:db8:" + ":".join(f"{int.from_bytes(digest[at : at + 2], 'big'):x}" for at in range(0, 12, 2))
        return f"Person-{digest.hex()[:8]}"

    def _of(self, secret: str) -> str:
        if not secret or PLACEHOLDER.fullmatch(secret):
            return secret
        if jwt := _JWT.fullmatch(secret):
            return self._jwt(*jwt.groups()) or self._token(secret)
        if aws := _AWS_KEY.fullmatch(secret):
            return f"{aws[1]}REDACTED{base64.b32encode(self._digest(secret)).decode()[:8]}"
        if session := _SALESFORCE.fullmatch(secret):
            return session[1] + self._token(session[2])
        if ticket := _PVE.fullmatch(secret):
            return ticket[1] + self.of(ticket[2])
        return self._base64(secret) if _is_base64(secret) else self._token(secret)

    def _base64(self, secret: str) -> str:
        return base64.b64encode(f"{self._token(secret)}.".encode()).decode()

    def _jwt(self, header: str, claims: str, signature: str) -> str | None:
        """The three parts again: header kept, claims' times kept, everything else replaced. None: not a JWT."""
        try:
            document = json.loads(_unpadded_decode(claims))
        except (ValueError, binascii.Error):
            return None
        shown = json.dumps(self._claim("", document), separators=(",", ":")).encode()
        mark = base64.urlsafe_b64encode(f"{self._token(signature)}.".encode()).decode()
        return f"{header}.{base64.urlsafe_b64encode(shown).decode().rstrip('=')}.{mark}"

    def _claim(self, name: str, value: object) -> object:
        if name in _TIMES or value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._token(value)
        if isinstance(value, int | float):
            return int(self.number(str(value).lstrip("-")))
        if isinstance(value, list):
            return [self._claim("", item) for item in value]
        if isinstance(value, dict):
            return {key: self._claim(key, item) for key, item in value.items()}
        return value


def _unescaped(value: str) -> str:
    try:
        return str(json.loads(f'"{value}"'))
    except ValueError:
        return value


def _unpadded_decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_base64(text: str) -> bool:
    """Whether a reader could be decoding this as base64: its alphabet with a sign that only base64 has."""
    return len(text) % 4 == 0 and bool(set(text) & set("+/=")) and _BASE64.fullmatch(text) is not None
