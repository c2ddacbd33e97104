from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from durable_replay import child


def test_the_exit_code_is_the_commands() -> None:
    assert child.run(["sh", "-c", "exit 5"], os.environ) == 5


def test_a_signal_that_ended_it_is_128_and_its_number() -> None:
    assert child.run(["sh", "-c", "kill -TERM $$"], os.environ) == 128 + signal.SIGTERM


def test_it_has_the_environment_it_was_given() -> None:
    assert child.run(["sh", "-c", 'test "$ONLY" = this'], {"PATH": os.environ["PATH"], "ONLY": "this"}) == 0


def test_what_is_not_there_is_127_and_what_cannot_be_run_126(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(child.NotStarted) as absent:
        child.run(["no-such-program"], os.environ)
    with pytest.raises(child.NotStarted) as refused:
        child.run([str(plain)], os.environ)
    assert (absent.value.exit_code, refused.value.exit_code) == (127, 126)


def test_sigterm_reaches_the_child_and_its_answer_counts() -> None:
    """The child says that it is ready, then waits for the signal that only we are sent."""
    script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    code = (
        f"import os, sys; from durable_replay import child; sys.exit(child.run(['sh', '-c', {script!r}], os.environ))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_ends_with_a_signal_and_leaves_the_handlers_as_they_were(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    ready = threading.Event()

    def send() -> None:
        ready.wait(10)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    child.until_stopped(ready.set)
    sender.join()
    assert signal.getsignal(number) is before
