"""The certificate authority of this user, and the leaves that it signs for the hosts that clients ask for.

Rule: the authority's key is in one file of mode 0600 together with its certificate, so that two processes that start
at once end with one pair; nothing else is ever signed by it than server certificates that live 397 days at most.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from durable_replay.errors import UsageError

__all__ = ["Authority", "authority_directory", "write_atomically"]

PAIR: Final = "authority.pem"
PUBLIC: Final = "ca.pem"
LEAF_LIFE: Final = timedelta(days=397)
AUTHORITY_LIFE: Final = timedelta(days=3652)
SKEW: Final = timedelta(days=1)
CACHED: Final = 1024


def authority_directory() -> Path:
    """Where this user's authority lives: `DURABLE_REPLAY_CA_DIR`, else the user's data directory."""
    named = os.environ.get("DURABLE_REPLAY_CA_DIR")
    if named:
        return Path(named)
    from platformdirs import user_data_dir

    return Path(user_data_dir("durable-replay"))


def write_atomically(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Readers see the old content or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _subject(host: str) -> x509.Name:
    # A common name holds 64 characters; verifiers of today read the alternative name alone.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host if len(host) <= 64 else "durable-replay leaf")])


def _constraints(hosts: Iterable[str]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = []
    excluded: list[x509.GeneralName] = []
    for host in hosts:
        ip = _address(host)
        permitted.append(x509.DNSName(host.lower()) if ip is None else x509.IPAddress(ip_network(ip)))
    if not any(isinstance(name, x509.IPAddress) for name in permitted):
        excluded = [x509.IPAddress(ip_network("0.0.0.0/0")), x509.IPAddress(ip_network("::/0"))]
    elif not any(isinstance(name, x509.DNSName) for name in permitted):
        permitted.append(x509.DNSName("invalid"))
    return x509.NameConstraints(permitted, excluded or None)


def _root(key: ec.EllipticCurvePrivateKey, hosts: tuple[str, ...]) -> x509.Certificate:
    now = datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "durable-replay"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"durable-replay test CA {os.urandom(4).hex()}"),
        ]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    if hosts:
        builder = builder.add_extension(_constraints(hosts), critical=True)
    return builder.sign(key, hashes.SHA256())


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """Signs a leaf for each host that is asked for, in under a millisecond; safe to use from many threads.

    `directory` holds `authority.pem` (key and certificate, 0600) and `ca.pem` (the certificate alone, for clients).
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, directory: Path) -> None:
        self.certificate = certificate
        self.directory = directory
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self._key = key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        self._lock = Lock()

    @property
    def path(self) -> Path:
        """The certificate alone, as clients take it."""
        return self.directory / PUBLIC

    @classmethod
    def load_or_create(cls, directory: Path | None = None) -> Authority:
        """This user's authority, made at first use. Raises UsageError where its file is damaged or expired."""
        return cls._open(directory or authority_directory(), ())

    @classmethod
    def for_hosts(cls, hosts: Iterable[str], directory: Path) -> Authority:
        """An authority that clients trust for these hosts and their subdomains only (name constraints), made in a
        directory of its own at first use.

        The shared one cannot have this: it is made before anyone knows which hosts will be recorded.
        """
        named = tuple(hosts)
        if not named:
            raise UsageError("a constrained authority needs one host at least")
        return cls._open(directory, named)

    @classmethod
    def _open(cls, directory: Path, hosts: tuple[str, ...]) -> Authority:
        pair = directory / PAIR
        try:
            if not pair.exists():
                _create(pair, hosts)
            authority = cls._load(pair)
            if not authority.path.exists() or authority.path.read_bytes() != authority.pem:
                write_atomically(authority.path, authority.pem)
        except OSError as error:
            raise UsageError(
                f"the certificate authority in {directory} cannot be used ({error.strerror}); "
                "name another directory by DURABLE_REPLAY_CA_DIR"
            ) from error
        return authority

    @classmethod
    def _load(cls, pair: Path) -> Authority:
        data = pair.read_bytes()
        advice = f"delete {pair} and it is made anew; clients that were told to trust it must be told again"
        try:
            key = serialization.load_pem_private_key(data, None)
            certificate = x509.load_pem_x509_certificate(data)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{pair} holds no key and certificate; {advice}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise UsageError(f"{pair} holds a key that is not its certificate's; {advice}")
        if certificate.not_valid_after_utc < datetime.now(UTC):
            raise UsageError(f"the authority in {pair} has expired; {advice}")
        if os.name == "posix" and pair.stat().st_mode & 0o077:
            pair.chmod(0o600)
        return cls(key, certificate, pair.parent)

    def context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context with a leaf for `host`; another leaf follows where the client's SNI names another.

        HTTP/1.1 is all that ALPN offers.
        """
        with self._lock:
            found = self._contexts.get(host)
            if found is not None:
                self._contexts.move_to_end(host)
                return found
            made = self._contexts[host] = self._make_context(host)
            if len(self._contexts) > CACHED:
                self._contexts.popitem(last=False)
            return made

    def _make_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = self._by_name
        chain = self.leaf(host).public_bytes(serialization.Encoding.PEM)
        # The ssl module takes files only; this one holds the leaves' short-lived key, for us alone (0600).
        handle, name = tempfile.mkstemp(suffix=".pem")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_key_pem(self._leaf_key) + chain)
            context.load_cert_chain(name)
        finally:
            Path(name).unlink()
        return context

    def _by_name(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name and len(name) <= 253 and name.isascii():
            connection.context = self.context(name.lower())

    def leaf(self, host: str) -> x509.Certificate:
        """A certificate for one host name or address (brackets of IPv6 are taken off), 397 days at most."""
        ip = _address(host)
        name: x509.GeneralName = x509.DNSName(host) if ip is None else x509.IPAddress(ip)
        now = datetime.now(UTC)
        key, ours = self._leaf_key.public_key(), x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_subject(host))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(min(now - SKEW + LEAF_LIFE, self.certificate.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ours), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _create(pair: Path, hosts: tuple[str, ...]) -> None:
    directory = pair.parent
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix":
        directory.chmod(0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    handle, name = tempfile.mkstemp(dir=directory, prefix=f".{PAIR}-")  # 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_key_pem(key) + _root(key, hosts).public_bytes(serialization.Encoding.PEM))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its authority is ours
            os.link(name, pair)
    finally:
        Path(name).unlink()
