"""Servers as they are: what breaks off is asked for once more, what is refused is told in words."""

from __future__ import annotations

import socket
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from durable_replay.drift.live.asking import Wire
from durable_replay.drift.live.failing import Failure
from durable_replay.drift.live.pacing import Pace
from durable_replay.testing import exchange

Start = Callable[..., Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
BLOCK = bytes(1024 * 1024)


@contextmanager
def listening(answer: Callable[[socket.socket, int], None]) -> Iterator[int]:
    """A server on a port of its own; `answer` gets each connection and which it is, from 1, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answered(connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):  # a client that hangs up is no error of this server's
            answer(connection, number)

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            number += 1
            Thread(target=answered, args=(connection, number), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_server_that_closes_kept_connections_without_a_word_is_asked_all_the_same(bench: Any) -> None:
    def answer(connection: socket.socket, number: int) -> None:
        del number
        connection.recv(65536)
        connection.sendall(OK)

    with listening(answer) as port:
        bench.tape(*(exchange("GET", f"http://127.0.0.1:{port}/{at}", 200, {}) for at in range(6)))
        outcome = bench.take(pace=Pace(concurrency=1))
    assert (outcome.answered, outcome.complete, outcome.skipped) == (6, True, ())


def test_a_server_that_ends_its_http2_connection_is_asked_on_another(bench: Any, authority: Any) -> None:
    context: ssl.SSLContext = authority.context("127.0.0.1")
    context.set_alpn_protocols(["h2"])

    def answer(plain: socket.socket, number: int) -> None:
        with context.wrap_socket(plain, server_side=True) as sock:
            connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            connection.initiate_connection()
            sock.sendall(connection.data_to_send())
            while data := sock.recv(65536):
                for event in connection.receive_data(data):
                    if not isinstance(event, h2.events.RequestReceived):
                        continue
                    if number == 1:
                        connection.close_connection(last_stream_id=0)  # GOAWAY
                        sock.sendall(connection.data_to_send())
                        return
                    connection.send_headers(event.stream_id, [(":status", "200")])
                    connection.send_data(event.stream_id, b"{}", end_stream=True)
                sock.sendall(connection.data_to_send())

    with listening(answer) as port:
        bench.tape(exchange("GET", f"https://127.0.0.1:{port}/a", 200, {}))
        outcome = bench.take(wire=Wire(ca_file=authority.path))
    assert (outcome.answered, outcome.failures) == (1, ())
    assert bench.taken()[0].http_version == "HTTP/2.0"


def test_a_connection_that_is_reset_within_an_answer_is_tried_once_more_and_told(bench: Any) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket, number: int) -> None:
        del number
        seen.append(connection.recv(65536).split()[1])
        if seen[-1] == b"/b":
            connection.sendall(OK.replace(b": 2", b": 200"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        else:
            connection.sendall(OK)

    with listening(answer) as port:
        bench.tape(*(exchange("GET", f"http://127.0.0.1:{port}/{path}", 200, {}) for path in "ab"))
        outcome = bench.take(pace=Pace(concurrency=1))
    assert (outcome.answered, outcome.failures, outcome.complete) == (1, (), False)
    assert [one.reason for one in outcome.skipped] == ["the answer broke off: the connection was reset"]
    assert seen.count(b"/b") == 2


def test_an_answer_that_does_not_come_on_is_left(bench: Any) -> None:
    def answer(connection: socket.socket, number: int) -> None:
        del number
        asked = connection.recv(65536)
        connection.sendall(OK.replace(b": 2", b": 200") if b"/slow" in asked else OK)
        connection.recv(65536)  # until the client hangs up

    with listening(answer) as port:
        bench.tape(*(exchange("GET", f"http://127.0.0.1:{port}/{path}", 200, {}) for path in ("a", "slow")))
        outcome = bench.take(wire=Wire(timeout=0.5), pace=Pace(concurrency=1))
    assert [one.reason for one in outcome.skipped] == ["the answer broke off: nothing came in time"]


def test_what_speaks_no_http_is_told_so(bench: Any) -> None:
    def answer(connection: socket.socket, number: int) -> None:
        del number
        connection.recv(65536)
        connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n")
        connection.recv(65536)

    with listening(answer) as port:
        bench.tape(exchange("GET", f"http://127.0.0.1:{port}/a", 200, {}))
        (failure,) = bench.take().failures
    assert failure.text == f"127.0.0.1:{port} does not answer: what came is no HTTP"


@pytest.mark.parametrize(("times", "status", "told"), [(1, 200, 2), (9, 503, 4)])
def test_a_server_that_is_overloaded_is_asked_a_few_times(
    bench: Any, start: Start, times: int, status: int, told: int
) -> None:
    asked: list[str] = []

    def answer(one: Any) -> tuple[Any, ...]:
        asked.append(one.target)
        return 503 if len(asked) <= times else 200, {}

    service = start(answer)
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    outcome = bench.take()
    assert [one.response.status for one in bench.taken()] == [status]
    assert (len(asked), outcome.failures) == (told, ())


def test_a_large_answer_takes_little_memory(bench: Any) -> None:
    def answer(connection: socket.socket, number: int) -> None:
        del number
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {100 * len(BLOCK)}\r\n\r\n".encode())
        for _ in range(100):
            connection.sendall(BLOCK)

    with listening(answer) as port:
        bench.tape(exchange("GET", f"http://127.0.0.1:{port}/a", 200, b"x"))
        tracemalloc.start()
        try:
            outcome = bench.take()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert outcome.answered == 1
    assert peak < 24 * 1024 * 1024


# -- certificates -----------------------------------------------------------------------------------------------------


def certified(folder: Path, *, name: str = "127.0.0.1", days: int = 9) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate that signs itself, and the file of the certificate."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    known_as = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=20))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, pem = folder / "certificate.pem", serialization.Encoding.PEM
    path.write_bytes(certificate.public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, folder / "key.pem")
    return context, path


@pytest.mark.parametrize(
    ("name", "days", "trusted", "told"),
    [
        ("127.0.0.1", 9, False, "its certificate is signed by itself; name one that you trust with --ca-file"),
        ("127.0.0.2", 9, True, "its certificate is for another address"),
        ("other.test", 9, True, "its certificate is for another address"),
        ("127.0.0.1", -2, True, "its certificate has expired"),
    ],
)
def test_a_certificate_that_is_refused_is_told_in_words(
    bench: Any, start: Start, tmp_path: Path, name: str, days: int, trusted: bool, told: str
) -> None:
    context, path = certified(tmp_path, name=name, days=days)
    service = start(tls=context)
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    (failure,) = bench.take(wire=Wire(ca_file=path if trusted else None)).failures
    assert failure.failure is Failure.tls
    assert failure.text == f"TLS with {service.host} fails: {told}"


def test_a_certificate_of_a_server_of_ones_own_can_be_trusted(bench: Any, start: Start, tmp_path: Path) -> None:
    context, path = certified(tmp_path)
    service = start(tls=context)
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    assert bench.take(wire=Wire(ca_file=path)).failures == ()


def test_an_authority_that_is_not_known_is_told_with_the_option_for_it(
    bench: Any, start: Start, authority: Any
) -> None:
    service = start(tls=authority.context("127.0.0.1"))
    bench.tape(exchange("GET", f"{service.url}/a", 200, {}))
    (failure,) = bench.take().failures
    assert failure.text == (
        f"TLS with {service.host} fails: its certificate is signed by an authority that is not trusted here; name one"
        " that you trust with --ca-file"
    )
