"""What a service has and its emulator has not is refused in a form that the service's clients understand."""

from __future__ import annotations

from durable_replay.http import BytesBody, Headers, Request, Response
from durable_replay.service.api import Operation, Service
from durable_replay.service.codecs import JsonCodec
from durable_replay.testing import ask, engine_over


class Wordy(JsonCodec):
    """A codec with a form of its own."""

    def not_emulated(self, request: Request, text: str) -> Response:
        return Response(501, Headers([("x-own-form", request.method)]), BytesBody(text.encode()))


def _service(codec: JsonCodec) -> Service:
    return Service("demo", ("demo.test",), codec, {"GET /graph": Operation("graph", None)}, ())


def test_without_a_form_of_its_own_the_refusal_is_one_line_of_text() -> None:
    answer = ask(engine_over(_service(JsonCodec())), "GET", "https://demo.test/graph")
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert answer.response.headers.get("content-type") == "text/plain; charset=utf-8"
    said = answer.response.body.read().decode()
    assert said.startswith("durable-replay: demo has the operation 'graph', which is not emulated.")
    assert answer.response.headers.get("content-length") == str(len(said))


def test_a_codec_gives_the_refusal_its_services_form() -> None:
    answer = ask(engine_over(_service(Wordy())), "GET", "https://demo.test/graph")
    assert (answer.source, answer.response.headers.get("x-own-form")) == ("refused", "GET")
    assert "--on-miss forward" in answer.response.body.read().decode()
