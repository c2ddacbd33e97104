from __future__ import annotations

import os
import pty
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


@pytest.mark.parametrize(
    "waiting",
    [
        "print(child.run(['sh', '-c', 'kill -HUP $PPID $$; echo on'], os.environ))",
        "child.until_stopped(lambda: (print(signal.getsignal(1).name), os.kill(os.getpid(), 15)))",
    ],
)
def test_under_nohup_a_hangup_ends_nobody(waiting: str) -> None:
    code = f"import os, signal; from durable_replay import child; {waiting}"
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", sys.executable, "-c", code]
    done = subprocess.run(ignoring, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "on\n0\n" if "run" in waiting else "SIG_IGN\n", "")


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


def test_the_command_alone_answers_ctrl_c_at_a_terminal_however_often(interrupted_twice: tuple[int, str]) -> None:
    assert interrupted_twice == (7, "asked\nheard 2\nheard 2\n")


@pytest.fixture
def interrupted_twice() -> tuple[int, str]:
    """Exit code and output of a command at a terminal of its own, at which Ctrl-C is typed twice."""
    command = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [2, 15])\n"
        "print('asked', flush=True)\n"
        "for _ in range(2): print('heard', int(signal.sigwait([2, 15])), flush=True)\n"
        "raise SystemExit(7)"
    )
    code = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        f"from durable_replay import child; sys.exit(child.run([sys.executable, '-c', {command!r}], os.environ))"
    )
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=terminal, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        said = ""
        for _ in range(2):
            said += parent.stdout.readline()
            os.write(keyboard, b"\x03")
        said += parent.communicate(timeout=60)[0]
    os.close(keyboard)
    os.close(terminal)
    return parent.returncode, said


@pytest.mark.parametrize(
    ("hearing", "heard"), [("2", ["2"]), ("15", ["15"]), ("", [])], ids=["SIGINT", "SIGTERM alone", "nothing"]
)
def test_without_a_terminal_a_command_is_told_of_sigint_then_more_plainly_then_killed(
    hearing: str, heard: list[str]
) -> None:
    command = (
        "import signal, sys\n"
        f"heard = [{hearing}]\n"
        "for number in (2, 15): signal.signal(number, signal.SIG_IGN)\n"
        "for number in heard: signal.signal(number, lambda number, frame: sys.exit(print(number, flush=True)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    code = (
        "import os, sys; from durable_replay import child; child.PATIENCE = 0.2\n"
        f"sys.exit(child.run([sys.executable, '-c', {command!r}], os.environ))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.send_signal(signal.SIGINT)
        assert (parent.stdout.read().split(), parent.wait(60)) == (heard, 0 if heard else 128 + signal.SIGKILL)
