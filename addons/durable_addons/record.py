"""Records what passes a mitmproxy into a cassette, secrets already gone.

::

    mitmdump -s record.py --set durable_cassette=jira.cassette --set durable_mode=once

Options: `durable_cassette` (the file), `durable_mode` (once, new, all or none), `durable_map` (HOST[:PORT]=SERVICE,
may be repeated). Bytes pass on as they come; a copy goes to the writer's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from mitmproxy import ctx, exceptions, http
from mitmproxy.addonmanager import Loader

from durable_addons.flows import closing_frame, duration_of, frame_of, request_of, response_of
from durable_replay.errors import ReplayError
from durable_replay.http import Interaction, Response
from durable_replay.recording.recorder import MODES, Recorder, parse_map
from durable_replay.recording.take import Begun, Ending, Message, Side, Take
from durable_replay.redaction.events import divided_by

__all__ = ["Record", "addons"]

SMALL = 16 * 1024
"""A message of a known length up to this is kept whole by mitmproxy: it leaves in one piece, as without us."""

GOING_ON = "its end was not recorded"
"""The note of an exchange on the tape that has not ended."""


class Record:
    """The add-on. With a `recorder` it is driven by durable-replay itself, else by mitmproxy's options."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder
        self._driven = recorder is not None
        self._takes: dict[str, Take] = {}
        self._told = False

    def load(self, loader: Loader) -> None:
        if self._recorder is None:
            loader.add_option("durable_cassette", str, "", "The cassette to record into.")
            loader.add_option("durable_mode", str, "once", "What to record.", choices=MODES)
            loader.add_option("durable_map", Sequence[str], [], "HOST[:PORT]=SERVICE; may be repeated.")

    def configure(self, updated: set[str]) -> None:
        if self._recorder is not None or not updated & {"durable_cassette", "durable_mode", "durable_map"}:
            return
        if ctx.options.durable_cassette:
            try:
                maps = [parse_map(text) for text in ctx.options.durable_map]
                self._recorder = Recorder.start(Path(ctx.options.durable_cassette), ctx.options.durable_mode, maps)
            except ReplayError as wrong:
                wrong_use = exceptions.OptionsError(str(wrong))  # type: ignore[no-untyped-call]
                raise wrong_use from None

    def done(self) -> None:
        """mitmproxy ends: exchanges under way are kept as aborted; on our own the file is closed and scanned."""
        if self._recorder is None:
            return
        recorder, self._recorder = self._recorder, None
        for take in list(self._takes.values()):
            self._end(recorder, take, "aborted", "the recording ended before the response did")
        self._takes.clear()
        if self._driven:
            return
        try:
            recorder.finish()
        except ReplayError as wrong:
            logging.error("%s", wrong)
            raise SystemExit(1) from None  # the only way to mitmdump's exit code

    @property
    def under_way(self) -> int:
        """Exchanges that have begun and not ended."""
        return len(self._takes)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if self._recorder is None:
            return
        take = Take(request_of(flow), flow.request.timestamp_start)
        self._takes[flow.id] = take
        if not _small(flow.request):
            flow.request.stream = self._copying(self._recorder, take, "request")

    def request(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is None:
            return
        if not flow.request.stream and flow.request.raw_content:
            take.add("request", flow.request.raw_content)
        take.ended.add("request")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is None or self._recorder is None or flow.response is None:
            return
        if not _small(flow.response):
            take.response = response_of(flow)
            if "request" in take.ended and _goes_on(flow.response):
                self._begin(self._recorder, take, flow)
            flow.response.stream = self._copying(self._recorder, take, "response")

    def response(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is None or self._recorder is None or flow.response is None:
            return
        if not flow.response.stream and flow.response.raw_content:
            take.add("response", flow.response.raw_content)
        take.response = response_of(flow)
        if flow.websocket is None:
            self._finish(flow, "complete")

    def websocket_start(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is not None and self._recorder is not None:
            take.request = request_of(flow)  # only now it is known to be one
            self._begin(self._recorder, take, flow)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is None or self._recorder is None or flow.websocket is None:
            return
        messages = flow.websocket.messages
        frame = frame_of(messages[-1], take.started)
        take.passed += len(frame.data)
        self._recorder.put(Message(take, frame))
        if self._driven:  # nobody else wants them, and a conversation may go on for days
            del messages[:-1]

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        take = self._takes.get(flow.id)
        if take is None or self._recorder is None:
            return
        closing = closing_frame(flow, take.started)
        if closing is not None:
            self._recorder.put(Message(take, closing))
        self._finish(flow, "complete" if closing is not None else "aborted")

    def error(self, flow: http.HTTPFlow) -> None:
        self._finish(flow, "aborted")

    def _copying(self, recorder: Recorder, take: Take, side: Side) -> Callable[[bytes], bytes]:
        """Passes each piece on as it is; mitmproxy calls it once more, with nothing, at the end."""

        def copy(data: bytes) -> bytes:
            if not data:
                take.ended.add(side)
            elif take.add(side, data):
                recorder.put(take.handed_over(side))
            return data

        return copy

    def _begin(self, recorder: Recorder, take: Take, flow: http.HTTPFlow) -> None:
        """From here on it goes to the tape as it comes."""
        for side in ("request", "response"):
            if take.pieces[side]:
                recorder.put(take.handed_over(side))
        take.going = True
        recorder.put(Begun(take, self._interaction(take, "aborted", GOING_ON, flow)))

    def _finish(self, flow: http.HTTPFlow, outcome: Literal["complete", "aborted"]) -> None:
        take = self._takes.pop(flow.id, None)
        if take is None or self._recorder is None:
            return
        if take.response is None and flow.response is not None:
            take.response = response_of(flow)
        reached = flow.response is not None or flow.server_conn.timestamp_tcp_setup is not None
        note = flow.error.msg if flow.error is not None else ""
        if reached:
            self._end(self._recorder, take, outcome, note, flow)
        else:
            self._recorder.put(Ending(take, None))

    def _end(
        self,
        recorder: Recorder,
        take: Take,
        outcome: Literal["complete", "aborted"],
        note: str,
        flow: http.HTTPFlow | None = None,
    ) -> None:
        if outcome == "aborted" and "response" in take.ended:
            outcome, note = "complete", ""  # everything had passed; only the connection's end was not tidy
        for side in ("request", "response"):
            if take.pieces[side]:
                recorder.put(take.handed_over(side))
        recorder.put(Ending(take, self._interaction(take, outcome, note, flow)))
        if not self._told and (failure := recorder.progress.failure):
            self._told = True
            logging.error("%s Traffic goes on, but is not recorded any more.", failure)

    @staticmethod
    def _interaction(
        take: Take, outcome: Literal["complete", "aborted"], note: str, flow: http.HTTPFlow | None
    ) -> Interaction:
        return Interaction(
            request=take.request,
            response=take.response or Response(0),
            started=take.started,
            duration=duration_of(flow) if flow is not None else 0.0,
            http_version=flow.request.http_version if flow is not None else "HTTP/1.1",
            outcome=outcome,
            note=note,
        )


def _small(message: http.Message) -> bool:
    """Whether the message says that it is small; an event stream never is."""
    length = message.headers.get("content-length", "")
    return length.isdigit() and int(length) <= SMALL and "event-stream" not in message.headers.get("content-type", "")


def _goes_on(response: http.Response) -> bool:
    """Whether it is a stream of events, each of which is worth keeping before the next."""
    headers = response.headers
    plain = "content-length" not in headers and "content-encoding" not in headers
    return plain and bool(divided_by(headers.get("content-type", "")))


addons = [Record()]
"""What `mitmdump -s` looks for."""
