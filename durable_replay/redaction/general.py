"""Rules for every service beside those of rules.py and shapes.py: more names, and shapes of others' tokens. Data.

The shapes of tokens with a prefix are facts from detect-secrets' plug-ins (Yelp, Apache-2.0) and the makers'
documentation; why that library is not a dependency: docs/decisions/0002-dependencies.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GENERAL_NAMES", "GENERAL_PATTERNS", "REACHES"]

_CSRF = (
    r"(?:csrf-token|_?csrf|csrf_token|csrfmiddlewaretoken|authenticity_token|atl_token|xsrf-token"
    r"|__RequestVerificationToken)"
)

_QUERY = """jwt bearer_token api_token apitoken api_secret client_assertion id_token_hint passphrase pwd csrf csrf_token
    _csrf authenticity_token hapikey subscription-key shared_secret security_token auth_key access_key
    X-Amz-S3session-Token"""

GENERAL_NAMES: tuple[tuple[str, str, str], ...] = (
    (
        "more-credential-headers",
        "header",
        """X-Auth-Key X-Auth-Secret X-Api-Token X-Api-Secret X-Consumer-Key X-Client-Secret X-Functions-Key
        Ocp-Apim-Subscription-Key DD-Api-Key DD-Application-Key X-Figma-Token X-Plex-Token X-Refresh-Token X-Id-Token
        X-Amz-Cf-Signature CF-Access-Client-Secret CF-Access-Jwt-Assertion X-Forwarded-Access-Token
        X-Amzn-Oidc-Data X-Amzn-Oidc-Accesstoken X-Hub-Signature X-Hub-Signature-256 DPoP Set-Cookie2 ApiKey""",
    ),
    (
        "more-query-credentials",
        "query",
        _QUERY,
    ),
    (
        "csrf-fields",
        "field",
        """csrf csrf_token csrfToken _csrf csrfmiddlewaretoken authenticity_token xsrf_token xsrfToken
        __RequestVerificationToken""",
    ),
    (
        "more-secret-fields",
        "field",
        """api_secret apiSecret consumer_key consumerKey consumer_secret consumerSecret client_key access_key_secret
        encryption_key encryptionKey signing_key signingKey master_key masterKey jwt bearer bearer_token bearerToken
        passcode totp totp_secret mfa_code recovery_codes recovery_code current_password currentPassword
        password_confirmation confirm_password oldPassword x-goog-signature x-goog-credential
        x-amz-server-side-encryption-customer-key AuthToken authorization SAMLRequest SAMLAssertion""",
    ),
)

GENERAL_PATTERNS: tuple[tuple[str, str, str, bool], ...] = (
    (
        "bearer-in-text",
        "earer |BEARER |Bot ",
        r"(?:[Bb]earer|BEARER|Bot) (?=[^\s\"'<>\\,;]{0,400}\d)(?P<secret>[\w.~+/-]{20,4000}={0,2})(?![\w=])",
        False,
    ),
    (
        "url-query-more",
        "i~" + "|".join(f"{name}=" for name in _QUERY.split()),
        rf"[?&](?:amp;|u0026)?(?i:{'|'.join(_QUERY.split())})=(?P<secret>[^&\s\"'<>#\\;]{{1,4000}})",
        False,
    ),
    # RFC 6749 4.2.2: the implicit flow answers in a fragment
    (
        "url-fragment",
        "i~#access_token=|#id_token=|#token=|#jwt=",
        r"#(?i:access_token|id_token|token|jwt)=(?P<secret>[^&\s\"'<>#\\;]{8,4000})",
        False,
    ),
    (
        "csrf-in-html",
        "csrf|CSRF|xsrf|authenticity_token|atl_token|RequestVerificationToken",
        rf"(?i:name=[\"']{_CSRF}[\"'][^<>]{{0,200}}?(?:value|content)=[\"'])(?P<secret>[^\"'<>]{{8,400}})",
        False,
    ),
    # names as programs have them in their environment, as JSON, shell or template
    (
        "assigned-secrets",
        "PASSW|TOKEN|SECRET|_KEY|PASSPHRASE|CREDENTIAL",
        r"(?<![A-Z0-9])(?:[A-Z0-9]{1,20}_){0,6}(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|SECRET_KEY|API_KEY|PRIVATE_KEY"
        r"|ACCESS_KEY|SECRET_KEY_BASE|CREDENTIALS?)(?:\\?\"\s{0,4}[:=]|\s{0,4}=)\s{0,4}(?:\\?\"|&quot;)"
        r"(?P<secret>[^\"\\&\s]{6,400})(?=\\?\"|&quot;)",
        False,
    ),
    (
        "connection-string",
        "ssword=|Pwd=|AccountKey=|SharedAccessKey=",
        r"(?:;|^|\")\s?(?:Password|password|Pwd|AccountKey|SharedAccessKey)=(?P<secret>[^;\"'\s<>&]{6,300})(?=;|\"|\\|$)",
        False,
    ),
    # five parts, RFC 7516 3.1
    (
        "jwe",
        "eyJ",
        r"(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]{0,1400}\.[\w-]{8,100}\.[\w-]{8,8192}\.[\w-]{16,64}(?![\w.-])",
        True,
    ),
    (
        "pgp-private-key",
        "PRIVATE KEY BLOCK",
        r"-----BEGIN PGP PRIVATE KEY BLOCK-----(?P<secret>.{40,20000}?)-----END",
        True,
    ),
    ("age-secret-key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{50,64}", True),
    ("aws-other-key-id", "ABIA|ACCA", r"(?<![A-Za-z0-9])(?:ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", True),
    ("anthropic-key", "sk-ant-", r"(?<![\w-])sk-ant-[\w-]{20,200}", True),
    ("artifactory-key", "AKCp", r"(?<![A-Za-z0-9])AKCp[A-Za-z0-9]{10,100}", True),
    ("databricks-token", "dapi", r"(?<![A-Za-z0-9])dapi[0-9a-f]{32}(?![0-9a-f])", True),
    ("digitalocean-token", "_v1_", r"(?<![A-Za-z0-9])do[opr]_v1_[0-9a-f]{64}", True),
    (
        "gitlab-other-token",
        "gldt-|glft-|glsoat-|glrt-|glptt-|glimt-|glagent-|glcbt-|GR1348941",
        r"(?<![\w-])(?:gl(?:dt|ft|soat|rt|ptt|imt|agent|cbt)-[\w-]{20,1024}|GR1348941[\w-]{20,50})(?![\w-])",
        True,
    ),
    ("huggingface-token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34,40}(?![A-Za-z0-9])", True),
    ("mailchimp-key", r"~-us\d", r"(?<![0-9a-z])[0-9a-f]{32}-us\d{1,2}(?!\d)", True),
    ("openai-key", "T3BlbkFJ", r"(?<![\w-])sk-[\w-]{10,200}?T3BlbkFJ[\w-]{20,200}", True),
    ("pypi-token", "pypi-AgE", r"pypi-AgE[\w-]{50,1024}", True),
    ("sendgrid-key", "SG.", r"(?<![\w-])SG\.[\w-]{22}\.[\w-]{43}(?![\w-])", True),
    ("shopify-token", "shpat_|shpca_|shppa_|shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", True),
    ("square-secret", "sq0csp-", r"sq0csp-[\w-]{43}", True),
    ("telegram-token", r"~:AA[\w-]{33}", r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])", True),
    ("twilio-key", "~SK[0-9a-f]{32}", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])", True),
)

REACHES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"assigned-secrets": (150, 460), "connection-string": (20, 340)}
)
"""Where the matches of slow patterns lie about their hints; see Rule.reach."""
