"""What counts when nobody says otherwise.

Everything of a request but its credentials and signatures. Of the headers only those that change what an answer means;
all others (dates, trace and request ids, user agents, cookies, hop-by-hop fields, accept-encoding, content-length, …)
never count unless a service or a setting adds them.
"""

from __future__ import annotations

from durable_replay.matching.pattern import Significance, body, header, host, method, path, query

__all__ = ["DEFAULT", "SIGNED_FORMS"]

MEANINGFUL_HEADERS = (
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "x-http-method-override",  # with it, a POST is another method
)

SIGNING_QUERY = (
    # AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"; Google's V4 is its twin.
    *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"),
    *("x-amz-signature", "x-amz-security-token"),
    *("x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-expires", "x-goog-signedheaders"),
    "x-goog-signature",
    # Signature Version 2's access key; its `Signature` and `Expires` go with it (see canonical.py).
    "awsaccesskeyid",
    # RFC 6750 section 2.3 and the usual names of API keys.
    *("access_token", "api_key", "apikey", "client_secret", "x-api-key"),
)

CREDENTIAL_FIELDS = (
    *("password", "passwd", "client_secret", "clientSecret", "client_assertion", "api_key", "apiKey"),
    *("access_token", "accessToken", "refresh_token", "refreshToken", "id_token", "secret_key", "secretKey"),
)

SIGNED_FORMS: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    # A multipart form that has all of the first fields is an upload by a signed policy, in which none of the second
    # counts: they are over the time, and new in every form. Names without case, as the services read them.
    # AWS, "Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature Version 4)".
    (
        frozenset({"policy", "x-amz-signature"}),
        frozenset(
            {"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"}
        ),
    ),
    # AWS, "Browser-Based Uploads Using POST (AWS Signature Version 2)".
    (
        frozenset({"policy", "awsaccesskeyid", "signature"}),
        frozenset({"policy", "awsaccesskeyid", "signature", "x-amz-security-token"}),
    ),
    # Google Cloud Storage, "Policy Document": the twin of AWS's fourth.
    (
        frozenset({"policy", "x-goog-signature"}),
        frozenset({"policy", "x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-signature"}),
    ),
)


def _default() -> Significance:
    same = method & host & path & query & body
    for name in MEANINGFUL_HEADERS:
        same &= header(name)
    for name in SIGNING_QUERY:
        same &= ~query(name)
    for name in CREDENTIAL_FIELDS:
        same &= ~body(f"$..{name}")
    return same


DEFAULT = _default()
