"""Trust stores for programs that we start: what they trusted before, and our authority."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import ssl
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["JAVA_PASSWORD", "default_roots", "java_trust_store", "merged_bundle"]

JAVA_PASSWORD: Final = "changeit"  # noqa: S105 - Java's own public default: it guards integrity, not secrecy
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_LARGEST: Final = 16 * 1024 * 1024
_JKS_MAGIC: Final = 0xFEEDFEED
_TRUSTED: Final = 2


def _certificates(path: Path) -> list[bytes]:
    """The PEM blocks of a file or of a directory of files; none where it cannot be read."""
    try:
        if path.is_dir():
            return [block for file in sorted(path.glob("*.pem"))[:1000] for block in _certificates(file)]
        if path.stat().st_size > _LARGEST:
            return []
        return _PEM.findall(path.read_bytes())
    except OSError:
        return []


def default_roots() -> list[bytes]:
    """The PEM blocks that programs here trust by default: OpenSSL's file or directory, else certifi's."""
    paths = ssl.get_default_verify_paths()
    # `cafile` follows SSL_CERT_FILE, which is one of the variables that are merged on their own.
    for name in (paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if found := _certificates(Path(name)):
            return found
    certifi = importlib.util.find_spec("certifi")  # httpx brings it, but promises it no longer
    if certifi is not None and certifi.origin is not None:
        return _certificates(Path(certifi.origin).with_name("cacert.pem"))
    return _certificates(Path(paths.openssl_capath))


def merged_bundle(ours: bytes, earlier: Iterable[str]) -> bytes:
    """One PEM file's content: our authority, the default roots, and what these files held; each certificate once."""
    blocks = [ours.strip(), *default_roots()]
    for name in earlier:
        blocks += _certificates(Path(name))
    return b"\n".join(dict.fromkeys(b"\n".join(block.split(b"\r\n")).strip() for block in blocks)) + b"\n"


def java_trust_store(bundle: bytes) -> bytes:
    """The certificates of a PEM bundle as a Java key store (JKS), password `JAVA_PASSWORD`.

    Every Java since 1.2 reads it whatever its default type is. Java takes a PKCS #12 file's certificates as trusted
    only with an attribute that cryptography writes since version 45, and recording holds it at 44.
    """
    blocks = _PEM.findall(bundle)
    parts = [struct.pack(">III", _JKS_MAGIC, 2, len(blocks))]
    for number, block in enumerate(blocks):
        der = ssl.PEM_cert_to_DER_cert(block.decode("ascii"))
        parts += [struct.pack(">I", _TRUSTED), _utf(f"ca-{number}"), struct.pack(">q", 0), _utf("X.509")]
        parts += [struct.pack(">I", len(der)), der]
    data = b"".join(parts)
    salted = JAVA_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + data
    return data + hashlib.sha1(salted, usedforsecurity=False).digest()


def _utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
